// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which interfaces have a default route, and which have an address; see graph.h.
 *
 * On the running host, netlink is used: only the kernel knows all routing tables (VRFs, policy
 * routing) and all next hops of a route. For a recorded machine there is /proc/net, which has less:
 * for IPv4 only the main table, and only the first next hop of a route (net/ipv4/fib_trie.c,
 * fib_route_seq_show()).
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "protect/routes.h"

#define PATH_ROUTE	"proc/net/route"
#define PATH_FIB_TRIE	"proc/net/fib_trie"
#define PATH_IPV6_ROUTE "proc/net/ipv6_route"
#define PATH_IF_INET6	"proc/net/if_inet6"

/* include/uapi/linux/route.h and ipv6_route.h; not included, they collide with the libc's. */
#define ROUTE_UP     0x0001
#define ROUTE_REJECT 0x0200

/* The most that the kernel puts into one answer (net/netlink/af_netlink.c, netlink_dump()). */
#define DUMP_SIZE 32768
/* A dump that was interrupted by another process' change is requested again. */
#define MAX_TRIES 5

static void add_interface(struct graph *graph, struct stringset *list, const char *name)
{
	if (strcmp(name, "lo"))
		graph_add_name(graph, list, name);
}

/* ---- by netlink ---- */

struct dump {
	struct graph *graph;
	struct routes *routes;
	int last; /* a router has very many routes by the same interface, one after the other */
};

/* Returns whether the interface has a name (it has none when it went away just now). */
static bool add_index(struct dump *dump, bool is_default, int index)
{
	char name[IF_NAMESIZE];

	if (!is_default && index == dump->last)
		return true;
	if (index <= 0 || !if_indextoname((unsigned int)index, name))
		return false;
	if (!is_default)
		dump->last = index;
	add_interface(dump->graph, is_default ? &dump->routes->defaults : &dump->routes->addressed,
		      name);
	return true;
}

/*
 * rtnetlink(7); include/uapi/linux/rtnetlink.h. A route by a next hop object has RTA_NH_ID, and the
 * rest only with sysctl net.ipv4.nexthop_compat_mode, which is on by default.
 */
static int add_route(const struct nlmsghdr *header, void *arg)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct dump *dump = arg;
	const struct nlattr *attr;
	bool is_default, any = false;

	if (header->nlmsg_type != RTM_NEWROUTE || route->rtm_type != RTN_UNICAST ||
	    route->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	is_default = !route->rtm_dst_len;
	/* Addresses that IPv6 has by itself (fe80::/64, ff00::/8) do not count. */
	if (!is_default && route->rtm_family == AF_INET6)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, header, sizeof(*route))
	{
		if (mnl_attr_get_type(attr) == RTA_OIF &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0) {
			any |= add_index(dump, is_default, (int)mnl_attr_get_u32(attr));
		} else if (mnl_attr_get_type(attr) == RTA_MULTIPATH) {
			const struct rtnexthop *hop = mnl_attr_get_payload(attr);
			int left = mnl_attr_get_payload_len(attr);

			for (; RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
				any |= add_index(dump, is_default, hop->rtnh_ifindex);
				left -= (int)RTNH_ALIGN(hop->rtnh_len);
			}
		}
	}
	dump->routes->unnamed |= is_default && !any;
	return MNL_CB_OK;
}

/* Returns 0 or -errno; -EINTR if the tables changed meanwhile. */
static int dump_family(struct dump *dump, unsigned char family)
{
	union {
		struct nlmsghdr header;
		char bytes[DUMP_SIZE];
	} *buf = malloc(sizeof(*buf));
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	unsigned int seq = (unsigned int)time(NULL);
	struct nlmsghdr *request;
	struct rtmsg *route;
	int ret = -ENOMEM;
	ssize_t len;

	if (!buf || !socket)
		goto out;
	request = mnl_nlmsg_put_header(buf);
	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = seq;
	route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	route->rtm_family = family;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) {
		ret = -errno;
		goto out;
	}
	do {
		len = mnl_socket_recvfrom(socket, buf, sizeof(*buf));
		ret = len < 0 ? -1 :
				mnl_cb_run(buf, (size_t)len, seq, mnl_socket_get_portid(socket),
					   add_route, dump);
	} while (ret > MNL_CB_STOP);
	ret = ret < 0 ? -errno : 0;
out:
	if (socket)
		mnl_socket_close(socket);
	free(buf);
	return ret;
}

static int read_netlink(struct graph *graph, struct routes *routes)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	struct dump dump = { .graph = graph, .routes = routes };
	int ret = 0;

	for (size_t i = 0; i < sizeof(families) && !ret; i++) {
		unsigned int tries = 0;

		do
			ret = dump_family(&dump, families[i]);
		while (ret == -EINTR && ++tries < MAX_TRIES);
	}
	return ret;
}

/* ---- by /proc/net ---- */

static void read_ipv4(struct graph *graph, struct routes *routes)
{
	FILE *f = graph_open(graph, PATH_ROUTE);
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
		add_interface(graph, !dest && !mask ? &routes->defaults : &routes->addressed, name);
	}
	free(line);
	fclose(f);
}

/*
 * "Id 100:" begins a table that is neither the main nor the local one, and "/0 universe UNICAST" is
 * a default route in it; its interface is not told (net/ipv4/fib_trie.c, fib_trie_seq_show()).
 */
static void read_other_tables(struct graph *graph, struct routes *routes)
{
	FILE *f = graph_open(graph, PATH_FIB_TRIE);
	char *line = NULL, type[16];
	bool is_other = false;
	unsigned int bits;
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		if (*line != ' ')
			is_other = starts_with(line, "Id ");
		else if (is_other && sscanf(line, " /%u %*s %15s", &bits, type) == 2 && !bits &&
			 !strcmp(type, "UNICAST"))
			routes->unnamed = true;
	}
	free(line);
	fclose(f);
}

/* net/ipv6/route.c, rt6_info_route(): of IPv6 all tables and next hops are there. */
static void read_ipv6(struct graph *graph, struct routes *routes)
{
	static const char any[] = "00000000000000000000000000000000";
	FILE *f = graph_open(graph, PATH_IPV6_ROUTE);
	char *line = NULL, dest[33], name[32];
	unsigned int prefix, flags;
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		if (sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %x %31s", dest, &prefix, &flags,
			   name) != 4 ||
		    !(flags & ROUTE_UP) || flags & ROUTE_REJECT)
			continue;
		if (!prefix && !strcmp(dest, any))
			add_interface(graph, &routes->defaults, name);
	}
	free(line);
	fclose(f);
}

/* net/ipv6/addrconf.c, if6_seq_show(): scope 00 is global. */
static void read_ipv6_addresses(struct graph *graph, struct routes *routes)
{
	FILE *f = graph_open(graph, PATH_IF_INET6);
	char *line = NULL, name[32];
	unsigned int scope;
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0)
		if (sscanf(line, "%*s %*x %*x %x %*x %31s", &scope, name) == 2 && !scope)
			add_interface(graph, &routes->addressed, name);
	free(line);
	fclose(f);
}

/* ---- of a bug report ---- */

/* "default NAME", "address NAME", "unnamed" */
static bool read_answer(struct graph *graph, struct routes *routes)
{
	FILE *f = tree_open(graph->root, ROOT_ANSWERS "/routes");
	char line[64], name[32];

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "default %31s", name) == 1)
			add_interface(graph, &routes->defaults, name);
		else if (sscanf(line, "address %31s", name) == 1)
			add_interface(graph, &routes->addressed, name);
		else
			routes->unnamed |= starts_with(line, "unnamed");
	}
	fclose(f);
	return true;
}

/* ---- the whole ---- */

void routes_read(struct graph *graph, struct routes *routes)
{
	int ret = -ENOTSUP;

	*routes = (struct routes){ 0 };
	if (!graph->root->is_host && read_answer(graph, routes))
		return;
	if (graph->root->is_host) {
		ret = read_netlink(graph, routes);
		if (ret)
			graph_note(
				graph,
				"the kernel does not tell its routes (%s): /proc/net is read instead",
				strerror(-ret));
	}
	if (ret) {
		read_ipv4(graph, routes);
		read_other_tables(graph, routes);
		read_ipv6(graph, routes);
	}
	read_ipv6_addresses(graph, routes);
	/* The kernel's order of tables comes from a hash; a plan must be the same each time. */
	stringset_sort(&routes->defaults);
	stringset_sort(&routes->addressed);
}

void routes_clear(struct routes *routes)
{
	stringset_clear(&routes->defaults);
	stringset_clear(&routes->addressed);
}
