// SPDX-License-Identifier: GPL-2.0-or-later
/* Default routes, and from an interface down to its functions; see need.h. */
#include <stdlib.h>

#include "need.h"

#define PATH_ROUTE	"proc/net/route"
#define PATH_IPV6_ROUTE "proc/net/ipv6_route"
#define PATH_IF_INET6	"proc/net/if_inet6"

/* include/uapi/linux/route.h and ipv6_route.h; not included, they collide with the libc's. */
#define ROUTE_UP     0x0001
#define ROUTE_REJECT 0x0200

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

static void add_interface(struct need_ctx *ctx, struct stringset *list, const char *name)
{
	if (strcmp(name, "lo"))
		need_add_name(ctx, list, name);
}

/*
 * net/ipv4/fib_trie.c, fib_route_seq_show(): the main table alone, and of a route with several next
 * hops only the first.
 */
static void read_ipv4(struct need_ctx *ctx, struct stringset *defaults, struct stringset *addressed)
{
	FILE *f = tree_open(ctx, PATH_ROUTE);
	unsigned int dest, flags, mask;
	char *line = NULL, name[32];
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		if (sscanf(line, "%31s %x %*x %x %*d %*d %*d %x", name, &dest, &flags, &mask) !=
			    4 ||
		    !(flags & ROUTE_UP) || flags & ROUTE_REJECT)
			continue;
		add_interface(ctx, !dest && !mask ? defaults : addressed, name);
	}
	free(line);
	fclose(f);
}

/* net/ipv6/route.c, rt6_info_route(); net/ipv6/addrconf.c, if6_seq_show(): scope 00 is global. */
static void read_ipv6(struct need_ctx *ctx, struct stringset *defaults, struct stringset *addressed)
{
	static const char any[] = "00000000000000000000000000000000";
	unsigned int prefix, flags, scope;
	char *line = NULL, dest[33], name[32];
	size_t size = 0;
	FILE *f;

	f = tree_open(ctx, PATH_IPV6_ROUTE);
	while (f && getline(&line, &size, f) > 0) {
		if (sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %x %31s", dest, &prefix, &flags,
			   name) != 4 ||
		    !(flags & ROUTE_UP) || flags & ROUTE_REJECT)
			continue;
		if (!prefix && !strcmp(dest, any))
			add_interface(ctx, defaults, name);
	}
	if (f)
		fclose(f);
	f = tree_open(ctx, PATH_IF_INET6);
	while (f && getline(&line, &size, f) > 0)
		if (sscanf(line, "%*s %*x %*x %x %*x %31s", &scope, name) == 2 && !scope)
			add_interface(ctx, addressed, name);
	if (f)
		fclose(f);
	free(line);
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
	struct stringset defaults = { 0 }, addressed = { 0 };

	read_ipv4(ctx, &defaults, &addressed);
	read_ipv6(ctx, &defaults, &addressed);
	if (defaults.n) {
		need_interfaces(ctx, &defaults, NEED_ROUTE);
	} else if (need_interfaces(ctx, &addressed, NEED_ADDRESS)) {
		need_note(ctx,
			  "there is no default route: every interface with an address is protected");
	} else {
		need_note(
			ctx,
			"there is no default route and no address: every network function that is up is protected");
		need_all_nics(ctx, NEED_MAY_ROUTE, "none now");
	}
	stringset_clear(&defaults);
	stringset_clear(&addressed);
}
