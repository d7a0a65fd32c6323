/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which interfaces have a default route, and which an address. */
#ifndef VFIO_EARLY_HOOK_PROTECT_ROUTES_H
#define VFIO_EARLY_HOOK_PROTECT_ROUTES_H

#include <stdbool.h>

#include "protect/graph.h"
#include "util/stringset.h"

/* Names of interfaces in byte order; the loopback is none. */
struct routes {
	struct stringset defaults;  /* of a default route, of any table and by any next hop */
	struct stringset addressed; /* of any other route of IPv4, or with a global IPv6 address */
	bool unnamed;		    /* there is a default route whose interface is not known */
};

/*
 * routes_read - read them by netlink on the running host, else from
 * proc/net/{route,fib_trie,ipv6_route}; IPv6 addresses from proc/net/if_inet6. Prints a warning if
 * the kernel does not answer.
 * @routes: filled in; for routes_clear()
 */
void routes_read(struct graph *graph, struct routes *routes);

void routes_clear(struct routes *routes);

#endif
