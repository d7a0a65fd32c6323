// SPDX-License-Identifier: GPL-2.0-or-later
/* What carries the default routes: from an interface down to its functions; see need.h. */

#include "protect/graph.h"

/*
 * An interface and all that it stands on: lower_NAME links (net/core/dev.c,
 * netdev_adjacent_sysfs_add()) are there for VLAN, bond, team, bridge and macvlan alike; brif/ and
 * bonding/slaves say the same in other words. Returns how many functions there were.
 */
static unsigned int need_interface(struct need_ctx *ctx, const char *name, const struct need *need)
{
	char path[PATH_MAX], real[PATH_MAX], text[4096], *word, *save;
	unsigned int n = 0;
	struct stringset names;

	if (strchr(name, '/') || *name == '.' || tree_path(path, PATH_CLASS_NET "/%s", name) ||
	    !need_add_name(ctx, &ctx->seen, path))
		return 0;

	tree_names(ctx, path, &names);
	for (size_t i = 0; i < names.n; i++)
		if (starts_with(names.s[i], "lower_"))
			n += need_interface(ctx, names.s[i] + strlen("lower_"), need);
	stringset_clear(&names);

	if (!tree_attr(ctx, path, "bonding/slaves", text, sizeof(text)))
		for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
			n += need_interface(ctx, word, need);

	tree_path(path, PATH_CLASS_NET "/%s/brif", name);
	tree_names(ctx, path, &names);
	for (size_t i = 0; i < names.n; i++)
		n += need_interface(ctx, names.s[i], need);
	stringset_clear(&names);

	tree_path(path, PATH_CLASS_NET "/%s/device", name);
	if (!tree_real_path(ctx, path, real))
		/* A board's own card has no function, and needs none. */
		n += need_functions(ctx, real, need) ?: 1;
	return n;
}

static unsigned int need_interfaces(struct need_ctx *ctx, const struct stringset *list,
				    enum need_why why)
{
	unsigned int n, total = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct need need = { .why = why, .name = list->s[i] };

		need_begin(ctx);
		n = need_interface(ctx, list->s[i], &need);
		total += n;
		if (n || why != NEED_ROUTE)
			continue;
		/* A tunnel, a veth pair, an Open vSwitch port: what is below is not in sysfs. */
		need_note(
			ctx,
			"what carries %s, which has a default route, cannot be found out: every network function that is up is protected",
			list->s[i]);
		need_all_nics(ctx, NEED_MAY_ROUTE, list->s[i]);
	}
	return total;
}

void network_collect(struct need_ctx *ctx)
{
	struct routes routes;

	routes_read(ctx, &routes);
	need_interfaces(ctx, &routes.defaults, NEED_ROUTE);
	if (routes.unnamed) {
		need_note(
			ctx,
			"the interface of a default route, of another table than the main one or by a next hop object, cannot be found out: every network function that is up is protected");
		need_all_nics(ctx, NEED_MAY_ROUTE, "of another table");
	}
	if (routes.defaults.n || routes.unnamed) {
		/* The other interfaces are the administrator's to give away: see risk.c. */
	} else if (need_interfaces(ctx, &routes.addressed, NEED_ADDRESS)) {
		need_note(ctx,
			  "there is no default route: every interface with an address is protected");
	} else {
		need_note(
			ctx,
			"there is no default route and no address: every network function that is up is protected");
		need_all_nics(ctx, NEED_MAY_ROUTE, "none now");
	}
	routes_clear(&routes);
}

void network_collect_addresses(struct need_ctx *ctx)
{
	struct routes routes;

	routes_read(ctx, &routes);
	need_interfaces(ctx, &routes.addressed, NEED_ADDRESS);
	routes_clear(&routes);
}
