// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * early/selector.c: what each way of naming a function means, what is wrong with all others and
 * where, and what a selector matches.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "early/selector.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what is right ---- */

static const struct {
	const char *text;
	struct selector sel;
} right[] = {
	{ "10de:1187", { .kind = SELECTOR_ID, .has_id = true, .id = { 0x10de, 0x1187 } } },
	{ "10DE:118f", { .kind = SELECTOR_ID, .has_id = true, .id = { 0x10de, 0x118f } } },
	{ "10de:1187:1458:3614",
	  { .kind = SELECTOR_ID, .has_id = true, .id = { 0x10de, 0x1187, 0x1458, 0x3614 } } },
	{ "0000:81:00.0", { .kind = SELECTOR_ADDRESS, .addr = { 0, 0x81, 0, 0 } } },
	{ "81:00.0", { .kind = SELECTOR_ADDRESS, .addr = { 0, 0x81, 0, 0 } } },
	{ "ff:1f.7", { .kind = SELECTOR_ADDRESS, .addr = { 0, 0xff, 0x1f, 7 } } },
	{ "0001:0a:1c.3", { .kind = SELECTOR_ADDRESS, .addr = { 1, 0x0a, 0x1c, 3 } } },
	{ "10000:01:00.0", { .kind = SELECTOR_ADDRESS, .addr = { 0x10000, 1, 0, 0 } } },
	{ "ffffffff:01:00.0", { .kind = SELECTOR_ADDRESS, .addr = { 0xffffffff, 1, 0, 0 } } },
	{ "vf:81:00.0", { .kind = SELECTOR_VF, .addr = { 0, 0x81, 0, 0 } } },
	{ "vf:0000:81:00.1=8086:1572",
	  { .kind = SELECTOR_VF,
	    .addr = { 0, 0x81, 0, 1 },
	    .has_id = true,
	    .id = { 0x8086, 0x1572 } } },
	{ "vf:00:01.0/00.0",
	  { .kind = SELECTOR_VF, .addr = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 0, 0 } } } },
	{ "0000:81:00", { .kind = SELECTOR_SLOT, .addr = { 0, 0x81, 0, 0 } } },
	{ "81:00", { .kind = SELECTOR_SLOT, .addr = { 0, 0x81, 0, 0 } } },
	{ "10000:e1:00", { .kind = SELECTOR_SLOT, .addr = { 0x10000, 0xe1, 0, 0 } } },
	{ "0000:81:00.0=10de:1187",
	  { .kind = SELECTOR_ADDRESS,
	    .addr = { 0, 0x81, 0, 0 },
	    .has_id = true,
	    .id = { 0x10de, 0x1187 } } },
	{ "81:00=10de:1187:1458:3614",
	  { .kind = SELECTOR_SLOT,
	    .addr = { 0, 0x81, 0, 0 },
	    .has_id = true,
	    .id = { 0x10de, 0x1187, 0x1458, 0x3614 } } },
	{ "81:00.0=10de:1187@00:01.0/00.0",
	  { .kind = SELECTOR_ADDRESS,
	    .addr = { 0, 0x81, 0, 0 },
	    .has_id = true,
	    .id = { 0x10de, 0x1187 },
	    .has_place = true,
	    .place = { .root = { 0, 0, 1, 0 }, .hops = 1 } } },
	{ "81:00=10de:1187@10000:00:01.0/1f.7/00",
	  { .kind = SELECTOR_SLOT,
	    .addr = { 0, 0x81, 0, 0 },
	    .has_id = true,
	    .id = { 0x10de, 0x1187 },
	    .has_place = true,
	    .place = { .root = { 0x10000, 0, 1, 0 }, .hops = 2, .hop = { { 0x1f, 7 } } } } },
	{ "00:1f.2=10de:1187@0000:00:1f.2",
	  { .kind = SELECTOR_ADDRESS,
	    .addr = { 0, 0, 0x1f, 2 },
	    .has_id = true,
	    .id = { 0x10de, 0x1187 },
	    .has_place = true,
	    .place = { .root = { 0, 0, 0x1f, 2 } } } },
	{ "00:01.0/00.0",
	  { .kind = SELECTOR_ADDRESS, .addr = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 0, 0 } } } },
	{ "0000:00:1c.4/00.0/1f.7=10de:1187",
	  { .kind = SELECTOR_ADDRESS,
	    .addr = { 0, 0, 0x1c, 4 },
	    .hops = 2,
	    .hop = { { 0, 0 }, { 0x1f, 7 } },
	    .has_id = true,
	    .id = { 0x10de, 0x1187 } } },
	{ "00:01.0/00",
	  { .kind = SELECTOR_SLOT, .addr = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 0, 0 } } } },
	{ "00:01.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0",
	  { .kind = SELECTOR_ADDRESS, .addr = { 0, 0, 1, 0 }, .hops = 16 } },
	{ "class:03", { .kind = SELECTOR_CLASS, .class = 0x030000, .class_mask = 0xff0000 } },
	{ "class:0c03", { .kind = SELECTOR_CLASS, .class = 0x0c0300, .class_mask = 0xffff00 } },
	{ "class:0C0330", { .kind = SELECTOR_CLASS, .class = 0x0c0330, .class_mask = 0xffffff } },
};

static void selector_parse_right_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(right); i++) {
		const struct selector *want = &right[i].sel;
		const char *error;
		struct selector sel;
		size_t where;

		error = selector_parse(right[i].text, &sel, &where);
		if (error)
			fail_msg("%s: %s", right[i].text, error);
		if (sel.kind != want->kind || sel.has_id != want->has_id ||
		    sel.hops != want->hops || sel.resolved || sel.class != want->class ||
		    sel.class_mask != want->class_mask ||
		    !pci_address_equal(&sel.addr, &want->addr) ||
		    memcmp(&sel.id, &want->id, sizeof(sel.id)) != 0 ||
		    sel.has_place != want->has_place ||
		    !pci_place_equal(&sel.place, &want->place, false))
			fail_msg("%s: understood as something else", right[i].text);
		for (unsigned int j = 0; j < want->hops; j++) {
			assert_int_equal(sel.hop[j].dev, want->hop[j].dev);
			assert_int_equal(sel.hop[j].fn, want->hop[j].fn);
		}
	}
}

/* ---- what is wrong ---- */

static const char no_0x[] = "write IDs and addresses without 0x";
static const char id[] = "an ID is VENDOR:DEVICE, four hex digits each: 10de:1187";
static const char subsystem[] =
	"a subsystem is two more fields of four hex digits: 10de:1187:1458:3614";
static const char none[] =
	"not a selector; write an ID (10de:1187), an address (0000:81:00.0) or class:03";
static const char dev[] =
	"bus and device have two hex digits each (device 00 to 1f), as in 0a:00.0";
static const char fn[] = "the function number is one digit, 0 to 7: 81:00.0";
static const char hop[] = "a path is an address and /DEVICE.FUNCTION for each bridge: 00:01.0/00.0";
static const char class[] = "a class has 2, 4 or 6 hex digits: class:03, class:0300";
static const char alone[] = "an ID or a class takes no =ID; write the address before =";
static const char place[] =
	"only an address takes @PATH, and a whole one: 81:00.0=10de:1187@00:01.0/00.0";
static const char vf[] = "vf: takes the address or path of one physical function: vf:0000:81:00.0";
static const char deep[] = "the path goes through more than 16 bridges";

static const struct {
	const char *text;
	size_t where;
	const char *error;
} wrong[] = {
	/* The commonest slip, wherever it is */
	{ "0x10de:1187", 0, no_0x },
	{ "0x10de:0x1187", 0, no_0x },
	{ "10de:0X1187", 5, no_0x },
	{ "0000:81:00.0=0x10de:1187", 13, no_0x },
	{ "class:0x03", 6, no_0x },
	/* IDs */
	{ "10de:118", 5, id },
	{ "10de:11877", 5, id },
	{ "10de:", 5, id },
	{ "10de:118g", 5, id },
	{ "10de:1187:", 10, subsystem },
	{ "10de:1187:1458", 14, subsystem },
	{ "10de:1187:1458:", 15, subsystem },
	{ "10de:1187:145:3614", 10, subsystem },
	{ "10de:1187:1458:3614:1", 20, subsystem },
	{ "10de:1187x", 9, none },
	{ "10de:1187=10de:1187", 9, alone },
	/* Addresses */
	{ "", 0, none },
	{ "nvidia", 0, none },
	{ "10de", 4, none },
	{ "81", 0, none },
	{ "8:00.0", 0, dev },
	{ "081:00.0", 0, dev },
	{ "0000:8:00.0", 5, id },
	{ "0000:81", 5, none },
	{ "81:0.0", 3, dev },
	{ "81:20.0", 3, dev },
	{ "81:000.0", 3, dev },
	{ "0000:81:", 8, dev },
	{ "0000:81:00.8", 11, fn },
	{ "81:00.", 6, fn },
	{ "81:00.a", 6, fn },
	{ "81:00.10", 8, fn },
	{ "81:00.0x", 6, no_0x },
	{ "81:00.0y", 7, none },
	{ "81:00.0 ", 7, none },
	{ "81:00.0=", 8, id },
	{ "81:00.0=10de", 12, id },
	{ "81:00.0=10de:1187:1458", 22, subsystem },
	{ "81:00.0=10de:1187=", 17, none },
	{ "100000000:01:00.0", 8, none },
	{ "81:00.0@00:01.0/00.0", 7, none },
	{ "10de:1187@00:01.0/00.0", 9, none },
	{ "81:00.0=10de:1187@", 18, dev },
	{ "81:00.0=10de:1187@00:01.0/", 26, hop },
	{ "81:00.0=10de:1187@00:01.0/00.8", 29, fn },
	{ "81:00.0=10de:1187@00:01.0/00", 28, place },
	{ "81:00=10de:1187@00:01.0/00.0", 28, place },
	{ "00:01.0/00.0=10de:1187@00:01.0/00.0", 35, place },
	/* Virtual functions */
	{ "vf:", 3, none },
	{ "vf:10de:1187", 0, vf },
	{ "vf:81:00", 0, vf },
	{ "vf:00:01.0/00", 0, vf },
	{ "vf:class:03", 0, vf },
	{ "vf:vf:81:00.0", 3, none },
	{ "vf:81:00.8", 9, fn },
	{ "vf:81:00.0=10de", 15, id },
	{ "81:00.0=10de:1187@00:01.0/00.0y", 30, none },
	{ "81:00.0=10de:1187@10de:1187", 23, dev },
	/* Paths */
	{ "00:01.0/", 8, hop },
	{ "00:01.0/0.0", 9, hop },
	{ "00:01.0/20.0", 10, hop },
	{ "00:01/00.0", 6, hop },
	{ "00:01.0/00/00.0", 11, hop },
	{ "00:01.0/00.8", 11, fn },
	{ "00:01.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/"
	  "00.0",
	  88, deep },
	/* Classes */
	{ "class:", 6, class },
	{ "class:3", 6, class },
	{ "class:030", 6, class },
	{ "class:03000", 6, class },
	{ "class:0300000", 6, class },
	{ "class:vga", 6, class },
	{ "class:03x", 8, none },
	{ "class:03=10de:1187", 8, alone },
	{ "Class:03", 0, dev },
};

static void selector_parse_wrong_names_place_and_fix(void **state)
{
	unsigned int bad = 0;

	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		struct selector sel;
		size_t where = 999;
		const char *error = selector_parse(wrong[i].text, &sel, &where);

		if (error && !strcmp(error, wrong[i].error) && where == wrong[i].where)
			continue;
		print_error("\"%s\" at %zu: %s\n", wrong[i].text, where, error ? error : "taken");
		bad++;
	}
	assert_int_equal(bad, 0);
}

static void pci_place_equal_any_function_of_the_last_hop_alone(void **state)
{
	static const struct {
		struct pci_place a, b;
		bool same, same_slot;
	} rows[] = {
		{ { .root = { 0, 0, 1, 0 } }, { .root = { 0, 0, 1, 0 } }, true, true },
		{ { .root = { 0, 0, 1, 0 } }, { .root = { 0, 0, 1, 3 } }, false, true },
		{ { .root = { 0, 0, 1, 0 } }, { .root = { 1, 0, 1, 0 } }, false, false },
		{ { .root = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 2, 0 } } },
		  { .root = { 0, 0, 1, 1 }, .hops = 1, .hop = { { 2, 0 } } },
		  false,
		  false },
		{ { .root = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 2, 0 } } },
		  { .root = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 2, 5 } } },
		  false,
		  true },
		{ { .root = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 2, 0 } } },
		  { .root = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 3, 0 } } },
		  false,
		  false },
		{ { .root = { 0, 0, 1, 0 }, .hops = 2, .hop = { { 2, 0 }, { 0, 0 } } },
		  { .root = { 0, 0, 1, 0 }, .hops = 2, .hop = { { 2, 1 }, { 0, 0 } } },
		  false,
		  false },
		{ { .root = { 0, 0, 1, 0 }, .hops = 1, .hop = { { 2, 0 } } },
		  { .root = { 0, 0, 1, 0 } },
		  false,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(pci_place_equal(&rows[i].a, &rows[i].b, false), rows[i].same);
		assert_int_equal(pci_place_equal(&rows[i].a, &rows[i].b, true), rows[i].same_slot);
		assert_int_equal(pci_place_equal(&rows[i].b, &rows[i].a, true), rows[i].same_slot);
	}
}

/* Whatever stands in memory behind the text, it ends at the NUL. */
static void selector_parse_stops_at_end(void **state)
{
	char text[] = "10de:1187\0:1458:3614";
	struct selector sel;
	size_t where;

	(void)state;
	assert_null(selector_parse(text, &sel, &where));
	assert_int_equal(sel.id.subvendor, 0);
}

/* ---- addresses and IDs as text ---- */

static void pci_address_parse_only_whole_addresses(void **state)
{
	static const char *const bad[] = { "",
					   "81:00",
					   "0000:81:00",
					   "81:00.0=10de:1187",
					   "00:01.0/00.0",
					   "81:00.0 ",
					   "81:00.00",
					   "0000:81:00.0:x",
					   "power",
					   "0000:00:01.0:pcie001" };
	struct pci_address addr;

	(void)state;
	assert_int_equal(pci_address_parse("0003:81:1f.5", &addr), 0);
	assert_int_equal(addr.domain, 3);
	assert_int_equal(addr.bus, 0x81);
	assert_int_equal(addr.dev, 0x1f);
	assert_int_equal(addr.fn, 5);
	for (size_t i = 0; i < N(bad); i++)
		if (pci_address_parse(bad[i], &addr) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void pci_address_format_is_what_sysfs_has(void **state)
{
	static const struct {
		struct pci_address addr;
		const char *text;
	} rows[] = {
		{ { 0, 0x81, 0, 0 }, "0000:81:00.0" },
		{ { 0x10000, 1, 0x1f, 7 }, "10000:01:1f.7" },
		{ { 0xffffffff, 0xff, 0x1f, 7 }, "ffffffff:ff:1f.7" },
	};
	char buf[PCI_ADDRESS_SIZE];

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		assert_string_equal(pci_address_format(&rows[i].addr, buf), rows[i].text);
}

static void pci_id_format_is_what_lspci_has(void **state)
{
	const struct pci_id card = { 0x10DE, 0x0E0A, 0x1458, 0x3614 };
	char buf[PCI_ID_SIZE];

	(void)state;
	assert_string_equal(pci_id_format(&card, buf), "10de:0e0a");
}

/* ---- matching ---- */

static void pci_id_matches_subsystem_only_when_wanted(void **state)
{
	const struct pci_id card = { 0x10de, 0x1187, 0x1458, 0x3614 };
	const struct pci_id plain = { 0x10de, 0x1187, 0, 0 };
	const struct pci_id other = { 0x10de, 0x1187, 0x1458, 0x3615 };
	const struct pci_id audio = { 0x10de, 0x0e0a, 0x1458, 0x3614 };

	(void)state;
	assert_true(pci_id_matches(&plain, &card));
	assert_true(pci_id_matches(&card, &card));
	assert_false(pci_id_matches(&other, &card));
	assert_false(pci_id_matches(&card, &plain));
	assert_false(pci_id_matches(&audio, &card));
}

static const struct {
	const char *selector;
	enum selector_result result;
} matches[] = {
	/* of 0000:81:00.1, 10de:0e0a:1458:3614, class 040300, in a slot of 10de:1187 */
	{ "10de:0e0a", SELECTOR_MATCHES },
	{ "10de:0e0a:1458:3614", SELECTOR_MATCHES },
	{ "10de:0e0a:1458:3615", SELECTOR_DIFFERS },
	{ "10de:1187", SELECTOR_DIFFERS },
	{ "81:00.1", SELECTOR_MATCHES },
	{ "81:00.0", SELECTOR_DIFFERS },
	{ "82:00.1", SELECTOR_DIFFERS },
	{ "81:01.1", SELECTOR_DIFFERS },
	{ "0001:81:00.1", SELECTOR_DIFFERS },
	{ "81:00.1=10de:0e0a", SELECTOR_MATCHES },
	{ "81:00.1=10de:1187", SELECTOR_ID_CHANGED },
	{ "81:00.1=10de:0e0a:1458:3615", SELECTOR_ID_CHANGED },
	{ "81:00.0=10de:1187", SELECTOR_DIFFERS },
	{ "81:00", SELECTOR_MATCHES },
	{ "81:01", SELECTOR_DIFFERS },
	{ "81:00=10de:1187", SELECTOR_MATCHES },
	{ "81:00=10de:0e0a", SELECTOR_ID_CHANGED },
	{ "class:04", SELECTOR_MATCHES },
	{ "class:0403", SELECTOR_MATCHES },
	{ "class:040300", SELECTOR_MATCHES },
	{ "class:03", SELECTOR_DIFFERS },
	{ "class:0401", SELECTOR_DIFFERS },
	{ "class:040301", SELECTOR_DIFFERS },
	/* A path means nothing before it is resolved, whatever its first bridge is. */
	{ "81:00.1/00.0", SELECTOR_DIFFERS },
	{ "81:00.1/00.0=10de:1187", SELECTOR_DIFFERS },
};

static void selector_match_each_kind(void **state)
{
	const struct pci_address addr = { 0, 0x81, 0, 1 };
	const struct pci_id have = { 0x10de, 0x0e0a, 0x1458, 0x3614 };
	const struct pci_id slot = { 0x10de, 0x1187, 0x1458, 0x3614 };

	(void)state;
	for (size_t i = 0; i < N(matches); i++) {
		struct selector sel;
		size_t where;

		assert_null(selector_parse(matches[i].selector, &sel, &where));
		if (selector_match(&sel, &addr, &have, 0x040300, &slot) != matches[i].result)
			fail_msg("%s", matches[i].selector);
	}
}

static void selector_match_slot_without_function_0_has_changed(void **state)
{
	const struct pci_address addr = { 0, 0x81, 0, 1 };
	const struct pci_id have = { 0x10de, 0x0e0a };
	struct selector sel;
	size_t where;

	(void)state;
	assert_null(selector_parse("81:00=10de:1187", &sel, &where));
	assert_int_equal(selector_match(&sel, &addr, &have, 0x040300, NULL), SELECTOR_ID_CHANGED);
	assert_null(selector_parse("81:00", &sel, &where));
	assert_int_equal(selector_match(&sel, &addr, &have, 0x040300, NULL), SELECTOR_MATCHES);
}

static void selector_match_resolved_path_is_an_address(void **state)
{
	const struct pci_address addr = { 0, 0x81, 0, 1 };
	const struct pci_id have = { 0x10de, 0x0e0a };
	struct selector sel;
	size_t where;

	(void)state;
	assert_null(selector_parse("00:01.0/00.1=10de:0e0a", &sel, &where));
	sel.addr = addr;
	sel.resolved = true;
	assert_int_equal(selector_match(&sel, &addr, &have, 0x040300, NULL), SELECTOR_MATCHES);
}

static void selector_needs_scan_only_for_ids_and_classes(void **state)
{
	static const struct {
		const char *text;
		bool scan, path;
	} rows[] = {
		{ "10de:1187", true, false },	 { "class:03", true, false },
		{ "81:00.0", false, false },	 { "81:00=10de:1187", false, false },
		{ "00:01.0/00.0", false, true }, { "00:01.0/00", false, true },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct selector sel;
		size_t where;

		assert_null(selector_parse(rows[i].text, &sel, &where));
		assert_int_equal(selector_needs_scan(&sel), rows[i].scan);
		assert_int_equal(selector_is_path(&sel), rows[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selector_parse_right_is_understood),
		cmocka_unit_test(selector_parse_wrong_names_place_and_fix),
		cmocka_unit_test(pci_place_equal_any_function_of_the_last_hop_alone),
		cmocka_unit_test(selector_parse_stops_at_end),
		cmocka_unit_test(pci_address_parse_only_whole_addresses),
		cmocka_unit_test(pci_address_format_is_what_sysfs_has),
		cmocka_unit_test(pci_id_format_is_what_lspci_has),
		cmocka_unit_test(pci_id_matches_subsystem_only_when_wanted),
		cmocka_unit_test(selector_match_each_kind),
		cmocka_unit_test(selector_match_slot_without_function_0_has_changed),
		cmocka_unit_test(selector_match_resolved_path_is_an_address),
		cmocka_unit_test(selector_needs_scan_only_for_ids_and_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
