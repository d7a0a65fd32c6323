// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hook/protect/routes.c on real kernel tables: each test has a network namespace of its own, in which ip(8)
 * makes interfaces and routes. Without the right to make one it is skipped, unless MUST_WORK=1. What
 * a recorded machine's /proc/net says is in test-protect.c.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protect/graph.h"
#include "protect/routes.h"

static void ip(const char *arguments)
{
	char command[256];

	snprintf(command, sizeof(command), "PATH=/sbin:/usr/sbin:$PATH ip %s", arguments);
	if (system(command))
		fail_msg("%s", command);
}

/* Without privilege: as root of a user namespace, so that ip(8) has the right still. */
static int enter_namespace(void)
{
	char map[32];
	FILE *f;

	snprintf(map, sizeof(map), "0 %u 1", (unsigned int)geteuid());
	if (!unshare(CLONE_NEWNET))
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -errno;
	f = fopen("/proc/self/uid_map", "w");
	if (!f)
		return -errno;
	fputs(map, f);
	return fclose(f) ? -errno : 0;
}

/* Three interfaces with an address each: a 192.0.2.2/24, b 198.51.100.2/24, c 203.0.113.2/24. */
static void begin(void)
{
	static const char *const addresses[] = { "a 192.0.2", "b 198.51.100", "c 203.0.113" };
	int ret = enter_namespace();

	if (ret) {
		if (getenv("MUST_WORK"))
			fail_msg("no network namespace: %s", strerror(-ret));
		skip();
	}
	ip("link set lo up");
	for (int i = 0; i < 3; i++) {
		char name = *addresses[i], text[128];

		/* A pair, since a route by a next hop object wants a carrier. */
		snprintf(text, sizeof(text), "link add name %c type veth peer name peer-%c", name,
			 name);
		ip(text);
		snprintf(text, sizeof(text), "link set dev %c up", name);
		ip(text);
		snprintf(text, sizeof(text), "link set dev peer-%c up", name);
		ip(text);
		snprintf(text, sizeof(text), "address add %s.2/24 dev %c", addresses[i] + 2, name);
		ip(text);
	}
}

static void print_set(FILE *out, const struct stringset *set)
{
	for (size_t i = 0; i < set->n; i++)
		fprintf(out, "%s%s", i ? " " : "", set->s[i]);
}

/* "DEFAULTS | ADDRESSED", and " | unnamed" */
static void expect(const char *wanted)
{
	struct root host;
	struct graph graph = { .root = &host };
	struct routes routes;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(root_open(&host, "/"), 0);
	routes_read(&graph, &routes);
	print_set(out, &routes.defaults);
	fputs(" | ", out);
	print_set(out, &routes.addressed);
	fputs(routes.unnamed ? " | unnamed" : "", out);
	for (size_t i = 0; i < graph.notes.n; i++)
		fprintf(out, " # %s", graph.notes.s[i]);
	fclose(out);
	assert_int_equal(graph.err, 0);
	assert_string_equal(text, wanted);
	free(text);
	routes_clear(&routes);
	stringset_clear(&graph.notes);
	root_close(&host);
}

static void no_route_is_none(void **state)
{
	(void)state;
	begin();
	ip("address flush dev a");
	ip("address flush dev b");
	ip("address flush dev c");
	expect(" | ");
}

static void main_table_default_is_found(void **state)
{
	(void)state;
	begin();
	ip("route add default via 192.0.2.1");
	expect("a | a b c");
}

static void every_next_hop_is_found(void **state)
{
	(void)state;
	begin();
	ip("route add default nexthop via 192.0.2.1 nexthop via 198.51.100.1");
	expect("a b | a b c");
}

static void defaults_of_one_metric_are_both_found(void **state)
{
	(void)state;
	begin();
	ip("route add default via 192.0.2.1");
	ip("route append default via 198.51.100.1");
	expect("a b | a b c");
}

static void other_tables_count(void **state)
{
	(void)state;
	begin();
	ip("route add default via 192.0.2.1");
	ip("route add default via 203.0.113.1 table 100");
	expect("a c | a b c");
}

static void next_hop_objects_count(void **state)
{
	(void)state;
	begin();
	ip("nexthop add id 7 via 198.51.100.1 dev b");
	ip("nexthop add id 8 via 192.0.2.1 dev a");
	ip("nexthop add id 9 group 7/8");
	ip("route add default nhid 9");
	expect("a b | a b c");
}

static void what_goes_nowhere_is_no_default(void **state)
{
	(void)state;
	begin();
	ip("route add unreachable default metric 4278198272");
	ip("route add blackhole default table 100");
	ip("route add local default dev lo table 101");
	expect(" | a b c");
}

static void ipv6_has_all_tables_and_next_hops(void **state)
{
	(void)state;
	begin();
	ip("-6 address add 2001:db8:1::2/64 dev a nodad");
	ip("-6 address add 2001:db8:2::2/64 dev b nodad");
	ip("-6 address add 2001:db8:3::2/64 dev c nodad");
	ip("-6 route add default nexthop via 2001:db8:1::1 nexthop via 2001:db8:2::1");
	ip("-6 route add default via 2001:db8:3::1 table 100");
	expect("a b c | a b c");
}

static void address_of_ipv6_alone_counts(void **state)
{
	(void)state;
	begin();
	ip("address flush dev a");
	ip("address flush dev b");
	ip("address flush dev c");
	ip("-6 address add 2001:db8:2::2/64 dev b nodad");
	expect(" | b");
}

static void many_routes_do_not_hide_the_default(void **state)
{
	FILE *batch;

	(void)state;
	begin();
	batch = popen("PATH=/sbin:/usr/sbin:$PATH ip -batch -", "w");
	assert_non_null(batch);
	for (int i = 0; i < 4000; i++)
		fprintf(batch, "route add 10.%d.%d.0/24 via 192.0.2.1\n", i / 250, i % 250);
	fputs("route add default via 198.51.100.1 table 100\n", batch);
	assert_int_equal(pclose(batch), 0);
	expect("b | a b c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_route_is_none),
		cmocka_unit_test(main_table_default_is_found),
		cmocka_unit_test(every_next_hop_is_found),
		cmocka_unit_test(defaults_of_one_metric_are_both_found),
		cmocka_unit_test(other_tables_count),
		cmocka_unit_test(next_hop_objects_count),
		cmocka_unit_test(what_goes_nowhere_is_no_default),
		cmocka_unit_test(ipv6_has_all_tables_and_next_hops),
		cmocka_unit_test(address_of_ipv6_alone_counts),
		cmocka_unit_test(many_routes_do_not_hide_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
