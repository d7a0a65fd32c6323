/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an interface down to the functions that carry it. */
#ifndef VFIO_EARLY_HOOK_PROTECT_NETWORK_H
#define VFIO_EARLY_HOOK_PROTECT_NETWORK_H

#include "protect/graph.h"

/*
 * network_collect - find what carries the default routes; if there are none, what carries an
 * address.
 */
void network_collect(struct graph *graph);

/*
 * network_add_interface - add an interface by its name, and everything below it. Returns how many
 * devices that carry it were found; 0 for a tunnel.
 */
unsigned int network_add_interface(struct graph *graph, const char *name,
				   const struct cause *cause);

/* network_collect_addresses - find what carries an address, with or without a default route. */
void network_collect_addresses(struct graph *graph);

#endif
