// SPDX-License-Identifier: GPL-2.0-or-later
/* What carries the default routes: from an interface down to its functions; see graph.h. */
#include <string.h>

#include "protect/network.h"
#include "protect/routes.h"

/* net/openvswitch/dp_notify.c: the datapath's own interface is the master of every leg. */
#define OVS_SYSTEM "ovs-system"

/*
 * A port of an Open vSwitch bridge is a separate Ethernet interface: not a tunnel, not a TAP, and
 * not half of a pair, whose iflink is the other half (net/openvswitch/vport-internal_dev.c).
 */
static bool may_be_switch_port(struct graph *graph, const char *path)
{
	char type[16], text[32], link[32];

	if (!tree_attr(graph->root, path, "type", type, sizeof(type)) && strcmp(type, "1"))
		return false;
	if (!tree_attr(graph->root, path, "tun_flags", text, sizeof(text)))
		return false;
	return tree_attr(graph->root, path, "ifindex", text, sizeof(text)) ||
	       tree_attr(graph->root, path, "iflink", link, sizeof(link)) || !strcmp(text, link);
}

/* Only Open vSwitch itself knows which bridge a leg belongs to: all of them count. */
static unsigned int add_switch_legs(struct graph *graph, const struct cause *cause)
{
	char link[PATH_MAX], real[PATH_MAX];
	struct stringset names;
	unsigned int n;

	if (tree_path(link, PATH_CLASS_NET "/" OVS_SYSTEM) || !tree_exists(graph->root, link))
		return 0;
	n = network_add_interface(graph, OVS_SYSTEM, cause);
	graph_names(graph, PATH_CLASS_NET, &names);
	for (size_t i = 0; i < names.n; i++) {
		const char *slash;

		tree_path(link, PATH_CLASS_NET "/%s/master", names.s[i]);
		if (tree_real_path(graph->root, link, real))
			continue;
		slash = strrchr(real, '/');
		if (slash && !strcmp(slash + 1, OVS_SYSTEM))
			n += network_add_interface(graph, names.s[i], cause);
	}
	stringset_clear(&names);
	return n;
}

/*
 * An interface and everything below it: VLAN, bond, team, bridge and macvlan all have lower_NAME
 * links (net/core/dev.c, netdev_adjacent_sysfs_add()); brif/ and bonding/slaves say the same.
 */
unsigned int network_add_interface(struct graph *graph, const char *name, const struct cause *cause)
{
	char path[PATH_MAX], real[PATH_MAX], text[4096], *word, *save;
	unsigned int n = 0;
	struct stringset names;

	if (strchr(name, '/') || *name == '.' || tree_path(path, PATH_CLASS_NET "/%s", name) ||
	    !graph_add_name(graph, &graph->seen, path))
		return 0;

	graph_names(graph, path, &names);
	for (size_t i = 0; i < names.n; i++)
		if (starts_with(names.s[i], "lower_"))
			n += network_add_interface(graph, names.s[i] + strlen("lower_"), cause);
	stringset_clear(&names);

	if (!tree_attr(graph->root, path, "bonding/slaves", text, sizeof(text)))
		for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
			n += network_add_interface(graph, word, cause);

	tree_path(path, PATH_CLASS_NET "/%s/brif", name);
	graph_names(graph, path, &names);
	for (size_t i = 0; i < names.n; i++)
		n += network_add_interface(graph, names.s[i], cause);
	stringset_clear(&names);

	tree_path(path, PATH_CLASS_NET "/%s/device", name);
	if (!tree_real_path(graph->root, path, real))
		/* A board's own card has no function, and needs none. */
		n += graph_add_functions(graph, real, cause) ?: 1;
	tree_path(path, PATH_CLASS_NET "/%s", name);
	if (!n && strcmp(name, OVS_SYSTEM) && may_be_switch_port(graph, path))
		n = add_switch_legs(graph, cause);
	return n;
}

static unsigned int add_interfaces(struct graph *graph, const struct stringset *list,
				   enum cause_kind kind)
{
	unsigned int n, total = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct cause cause = { .kind = kind, .name = list->s[i] };

		graph_begin(graph);
		n = network_add_interface(graph, list->s[i], &cause);
		total += n;
		if (n || kind != CAUSE_ROUTE)
			continue;
		/* A tunnel, a veth pair: sysfs does not have what is below it. */
		graph_note(
			graph,
			"what carries %s, which has a default route, cannot be found out: every network function that is up is protected",
			list->s[i]);
		graph_add_all_nics(graph, CAUSE_MAY_ROUTE, list->s[i]);
	}
	return total;
}

void network_collect(struct graph *graph)
{
	struct routes routes;

	routes_read(graph, &routes);
	add_interfaces(graph, &routes.defaults, CAUSE_ROUTE);
	if (routes.unnamed) {
		graph_note(
			graph,
			"the interface of a default route, of another table than the main one or by a next hop object, cannot be found out: every network function that is up is protected");
		graph_add_all_nics(graph, CAUSE_MAY_ROUTE, "of another table");
	}
	if (routes.defaults.n || routes.unnamed) {
		/* The administrator may give the other interfaces away: see findings/. */
	} else if (add_interfaces(graph, &routes.addressed, CAUSE_ADDRESS)) {
		graph_note(
			graph,
			"there is no default route: every interface with an address is protected");
	} else {
		graph_note(
			graph,
			"there is no default route and no address: every network function that is up is protected");
		graph_add_all_nics(graph, CAUSE_MAY_ROUTE, "none now");
	}
	routes_clear(&routes);
}

void network_collect_addresses(struct graph *graph)
{
	struct routes routes;

	routes_read(graph, &routes);
	add_interfaces(graph, &routes.addressed, CAUSE_ADDRESS);
	routes_clear(&routes);
}
