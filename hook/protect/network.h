/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an interface down to the functions that carry it. */
#ifndef VFIO_EARLY_HOOK_PROTECT_NETWORK_H
#define VFIO_EARLY_HOOK_PROTECT_NETWORK_H

#include "protect/graph.h"

/* network_collect - what carries the default routes; without any, what carries an address. */
void network_collect(struct graph *graph);

/*
 * network_add_interface - an interface by its name, and all that it stands on.
 * Returns how many devices that carry it were found; 0 for a tunnel.
 */
unsigned int network_add_interface(struct graph *graph, const char *name,
				   const struct cause *cause);

/* network_collect_addresses - what carries an address, with a default route or without one. */
void network_collect_addresses(struct graph *graph);

#endif
