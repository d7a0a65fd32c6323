// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * early/pci.c on a fake root: one function, the scan, paths, what a plan makes candidates and mates.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "early/pci.h"
#include "tests/unit/fixture.h"

#define DEVICES "sys/bus/pci/devices/"

static struct plan plan;
static struct pci_table table;
static const struct pci_function *known;

static struct pci_address address(const char *text)
{
	struct pci_address addr;

	assert_int_equal(pci_address_parse(text, &addr), 0);
	return addr;
}

/* "0000:01:00.0 0000:01:00.1 | 0000:02:00.0": candidates, then mates. */
static const char *listed(void)
{
	static char text[4096];
	char addr[PCI_ADDRESS_SIZE];

	text[0] = '\0';
	for (unsigned int i = 0; i < table.count; i++) {
		if (i == table.candidates)
			strcat(text, "| ");
		strcat(text, pci_address_format(&table.fn[i].addr, addr));
		strcat(text, " ");
	}
	return text;
}

static bool late_groups;

static int collect(int rootfd, const char *lines)
{
	fixture_plan(&plan, lines);
	memset(&table, 0xff, sizeof(table));
	table.late_groups = late_groups;
	table.known = known;
	table.knowns = known ? 1 : 0;
	return pci_collect(rootfd, &plan, NULL, &table);
}

/* ---- one function ---- */

static void pci_is_bridge_by_class(void **state)
{
	static const struct {
		uint32_t class;
		bool bridge, vga;
	} rows[] = {
		{ 0x060000, true, false },  { 0x060100, true, false },	{ 0x060400, true, false },
		{ 0x060900, true, false },  { 0x068000, false, false }, { 0x068001, false, false },
		{ 0x030000, false, true },  { 0x030001, false, true },	{ 0x030200, false, false },
		{ 0x038000, false, false }, { 0x010802, false, false }, { 0x160000, false, false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pci_function fn = { .class = rows[i].class };

		if (pci_is_bridge(&fn) != rows[i].bridge || pci_is_vga(&fn) != rows[i].vga)
			fail_msg("%06x", rows[i].class);
	}
}

static void pci_read_whole_uevent(void **state)
{
	const struct pci_address addr = address("10000:81:00.0");
	int rootfd = fixture_begin();
	struct pci_function fn;

	(void)state;
	fixture_function("10000:81:00.0", 0x30000, "10de:1187:1458:3614", 9, "nouveau");
	memset(&fn, 0xff, sizeof(fn));
	assert_int_equal(pci_read(rootfd, &addr, &fn), 0);
	assert_true(pci_address_equal(&fn.addr, &addr));
	assert_int_equal(fn.class, 0x030000);
	assert_int_equal(fn.id.vendor, 0x10de);
	assert_int_equal(fn.id.device, 0x1187);
	assert_int_equal(fn.id.subvendor, 0x1458);
	assert_int_equal(fn.id.subdevice, 0x3614);
	assert_string_equal(fn.driver, "nouveau");
	assert_int_equal(fn.group, -1);
	assert_int_equal(fn.vfs, 0);
	assert_false(fn.boot_vga);
	fixture_end();
}

static void pci_read_bad_uevent_is_an_error(void **state)
{
	static const struct {
		const char *text;
		int ret;
	} rows[] = {
		{ "", -EIO },
		{ "DRIVER=x\n", -EIO },
		{ "PCI_ID\nPCI_CLASS\n", -EIO },
		{ "PCI_ID=\n", -EIO },
		{ "PCI_ID=10DE:1187", 0 },
		{ "PCI_ID=10DE:1187\nPCI_CLASS=C0330\n", 0 },
	};
	const struct pci_address addr = address("0000:81:00.0");
	int rootfd = fixture_begin();
	struct pci_function fn;

	(void)state;
	assert_int_equal(pci_read(rootfd, &addr, &fn), -ENOENT);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_file(DEVICES "0000:81:00.0/uevent", "%s", rows[i].text);
		assert_int_equal(pci_read(rootfd, &addr, &fn), rows[i].ret);
	}
	assert_int_equal(fn.class, 0x0c0330);
	assert_int_equal(fn.id.device, 0x1187);
	fixture_end();
}

static void pci_read_driver_link_or_none(void **state)
{
	const struct pci_address addr = address("0000:81:00.0"), gone = address("0000:82:00.0");
	int rootfd = fixture_begin();
	char driver[PCI_DRIVER_SIZE];

	(void)state;
	fixture_function("0000:81:00.0", 0x30000, "10de:1187", 9, NULL);
	assert_int_equal(pci_read_driver(rootfd, &addr, driver), 0);
	assert_string_equal(driver, "");
	fixture_link(DEVICES "0000:81:00.0/driver", "../../../bus/pci/drivers/vfio-pci");
	assert_int_equal(pci_read_driver(rootfd, &addr, driver), 0);
	assert_string_equal(driver, "vfio-pci");
	assert_int_equal(pci_read_driver(rootfd, &gone, driver), 0);
	fixture_end();
}

static void pci_read_details_group_vfs_slot(void **state)
{
	const struct pci_address addr = address("0000:81:00.1");
	int rootfd = fixture_begin();
	struct pci_function fn;

	(void)state;
	fixture_function("0000:81:00.0", 0x30000, "10de:1187:1:2", 9, NULL);
	fixture_function("0000:81:00.1", 0x40300, "10de:0e0a", 12, NULL);
	fixture_file(DEVICES "0000:81:00.0/boot_vga", "1\n");
	fixture_file(DEVICES "0000:81:00.1/sriov_numvfs", "63\n");
	assert_int_equal(pci_read(rootfd, &addr, &fn), 0);
	pci_read_details(rootfd, &fn);
	assert_int_equal(fn.group, 12);
	assert_int_equal(fn.vfs, 63);
	assert_false(fn.boot_vga);
	assert_true(fn.has_slot_id);
	assert_int_equal(fn.slot_id.device, 0x1187);
	assert_int_equal(fn.slot_id.subdevice, 2);
	assert_int_equal(fn.framebuffer, PCI_FB_NONE);
	fixture_end();
}

static void pci_read_details_boot_vga_of_displays_alone(void **state)
{
	static const struct {
		unsigned int class;
		bool boot_vga;
	} cases[] = {
		{ 0x030000, true }, { 0x000100, true }, { 0x030200, true }, { 0x040300, false }
	};
	const struct pci_address addr = address("0000:81:00.0");
	struct pci_function fn;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rootfd = fixture_begin();

		fixture_function("0000:81:00.0", cases[i].class, "10de:1187", 9, NULL);
		fixture_file(DEVICES "0000:81:00.0/boot_vga", "1\n");
		assert_int_equal(pci_read(rootfd, &addr, &fn), 0);
		pci_read_details(rootfd, &fn);
		assert_int_equal(fn.boot_vga, cases[i].boot_vga);
		fixture_end();
	}
}

static void pci_read_details_nothing_there_is_none(void **state)
{
	const struct pci_address addr = address("0000:81:00.1");
	int rootfd = fixture_begin();
	struct pci_function fn;

	(void)state;
	fixture_function("0000:81:00.1", 0x30000, "10de:0e0a", -1, NULL);
	assert_int_equal(pci_read(rootfd, &addr, &fn), 0);
	pci_read_details(rootfd, &fn);
	assert_int_equal(fn.group, -1);
	assert_int_equal(fn.vfs, 0);
	assert_false(fn.boot_vga);
	assert_false(fn.has_slot_id);
	fixture_end();
}

static void pci_read_details_framebuffer_from_iomem(void **state)
{
	static const struct {
		uint32_t class;
		const char *iomem;
		enum pci_framebuffer found;
	} rows[] = {
		{ 0x30000,
		  "c0000000-d1ffffff : PCI Bus 0000:81\n  c0000000-cfffffff : 0000:81:00.0\n"
		  "    c0000000-c02fffff : efifb\n",
		  PCI_FB_EFIFB },
		{ 0x38000,
		  "c0000000-d1ffffff : PCI Bus 0000:81\n  c0000000-cfffffff : 0000:81:00.0\n"
		  "    c0000000-c02fffff : BOOTFB\n",
		  PCI_FB_SIMPLE },
		/* simpledrm's own region lies inside that of the platform device. */
		{ 0x30200,
		  "  c0000000-cfffffff : 0000:81:00.0\n    c0000000-c02fffff : BOOTFB\n"
		  "      c0000000-c02fffff : simpledrm\n",
		  PCI_FB_SIMPLE },
		/* Of another function, before and after it */
		{ 0x30000,
		  "  c0000000-cfffffff : 0000:81:00.0\n  d0000000-d1ffffff : 0000:82:00.0\n"
		  "    d0000000-d02fffff : efifb\n",
		  PCI_FB_NONE },
		{ 0x30000,
		  "  b0000000-b1ffffff : 0000:80:00.0\n    b0000000-b02fffff : BOOTFB\n"
		  "  c0000000-cfffffff : 0000:81:00.0\n",
		  PCI_FB_NONE },
		/* In the second of its regions */
		{ 0x30000,
		  "  a0000000-afffffff : 0000:81:00.0\n    a0000000-a00fffff : nouveau\n"
		  "  c0000000-cfffffff : 0000:81:00.0\n    c0000000-c02fffff : efifb\n",
		  PCI_FB_EFIFB },
		/* By range: the indentation ends at some depth, and is deeper for what is elsewhere. */
		{ 0x30000,
		  "          4000000000-400fffffff : 0000:81:00.0\n"
		  "          4000000000-40002fffff : efidrm\n",
		  PCI_FB_SIMPLE },
		{ 0x30000,
		  "  c0000000-cfffffff : 0000:81:00.0\n      4c0000000-4c02fffff : efifb\n",
		  PCI_FB_NONE },
		{ 0x30000, "  c0000000-cfffffff : 0000:81:00.0\n    cfffff00-d02fffff : efifb\n",
		  PCI_FB_NONE },
		{ 0x30000, "  c0000000-cfffffff : 0000:81:00.0\n    bfffff00-c02fffff : efifb\n",
		  PCI_FB_NONE },
		/* As users see it */
		{ 0x30000,
		  "  00000000-00000000 : 0000:81:00.0\n    00000000-00000000 : vesadrm\n"
		  "  00000000-00000000 : 0000:82:00.0\n",
		  PCI_FB_SIMPLE },
		{ 0x30000,
		  "  00000000-00000000 : 0000:81:00.0\n  00000000-00000000 : 0000:82:00.0\n"
		  "    00000000-00000000 : vesafb\n",
		  PCI_FB_NONE },
		/* Of a device tree */
		{ 0x38000,
		  "  c0000000-cfffffff : 0000:81:00.0\n"
		  "    c0000000-c02fffff : simple-framebuffer.0\n",
		  PCI_FB_SIMPLE },
		/* No display: nobody looks. */
		{ 0x40300, "  c0000000-cfffffff : 0000:81:00.0\n    c0000000-c02fffff : efifb\n",
		  PCI_FB_NONE },
		{ 0x30000, "", PCI_FB_NONE },
	};
	const struct pci_address addr = address("0000:81:00.0");

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rootfd = fixture_begin();
		struct pci_function fn;

		fixture_function("0000:81:00.0", rows[i].class, "10de:1187", 9, NULL);
		fixture_file("proc/iomem", "%s", rows[i].iomem);
		assert_int_equal(pci_read(rootfd, &addr, &fn), 0);
		pci_read_details(rootfd, &fn);
		if (fn.framebuffer != rows[i].found)
			fail_msg("row %u: %d", i, fn.framebuffer);
		fixture_end();
	}
}

/* ---- all functions ---- */

static int count_all(const struct pci_function *fn, int error, void *arg)
{
	unsigned int *counts = arg;

	counts[error ? 1 : 0]++;
	return fn->addr.bus == 0xee ? 42 : 0;
}

static void pci_scan_every_function_once(void **state)
{
	unsigned int counts[2] = { 0, 0 };
	int rootfd = fixture_begin();

	(void)state;
	assert_int_equal(pci_scan(rootfd, count_all, counts), -ENOENT);
	fixture_function("0000:81:00.0", 0x30000, "10de:1187", 9, NULL);
	fixture_function("10000:81:00.0", 0x30000, "10de:1187", 9, NULL);
	fixture_dir(DEVICES "0000:82:00.0/uevent");
	fixture_dir(DEVICES "no-address");
	assert_int_equal(pci_scan(rootfd, count_all, counts), 0);
	assert_int_equal(counts[0], 2);
	assert_int_equal(counts[1], 1);
	fixture_function("0000:ee:00.0", 0x30000, "10de:1187", 9, NULL);
	assert_int_equal(pci_scan(rootfd, count_all, counts), 42);
	fixture_end();
}

static void pci_find_id_counts_and_names(void **state)
{
	const struct pci_id card = { 0x10de, 0x1187 }, other = { 0x10de, 0x1188 };
	int rootfd = fixture_begin();
	struct pci_address addr;

	(void)state;
	fixture_function("0000:81:00.0", 0x30000, "10de:1187:1:2", 9, NULL);
	fixture_function("0000:82:00.0", 0x30000, "10de:1189", 9, NULL);
	assert_int_equal(pci_find_id(rootfd, &card, &addr), 1);
	assert_int_equal(addr.bus, 0x81);
	assert_int_equal(pci_find_id(rootfd, &other, &addr), 0);
	fixture_function("0000:83:00.0", 0x30000, "10de:1187", 9, NULL);
	assert_int_equal(pci_find_id(rootfd, &card, &addr), 2);
	fixture_end();
}

/* ---- paths ---- */

/* 00:1c.0 -> bus 01, a switch -> 02:08.0 -> 03:00.0 and .1; domain 10000 below 00:0e.0 */
static int begin_bridges(void)
{
	static const char *const dirs[] = {
		"pci0000:00/0000:00:1c.0",
		"pci0000:00/0000:00:1c.0/0000:01:00.0",
		"pci0000:00/0000:00:1c.0/0000:01:00.0/0000:02:08.0",
		"pci0000:00/0000:00:1c.0/0000:01:00.0/0000:02:08.0/0000:03:00.0",
		"pci0000:00/0000:00:1c.0/0000:01:00.0/0000:02:08.0/0000:03:00.1",
		"pci0000:00/0000:00:0e.0",
		"pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0",
		"pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0",
	};
	int rootfd = fixture_begin();

	for (unsigned int i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		char path[256], target[256];

		snprintf(path, sizeof(path), "sys/devices/%s/power", dirs[i]);
		fixture_dir(path);
		snprintf(path, sizeof(path), "sys/devices/%s/uevent", dirs[i]);
		fixture_file(path, "PCI_CLASS=30000\nPCI_ID=10DE:%04X\n", 0x1180 + i);
		snprintf(path, sizeof(path), DEVICES "%s", strrchr(dirs[i], '/') + 1);
		snprintf(target, sizeof(target), "../../../devices/%s", dirs[i]);
		fixture_link(path, target);
	}
	fixture_dir("sys/devices/pci0000:00/0000:00:1c.0/0000:00:1c.0:pcie001");
	return rootfd;
}

static void pci_resolve_follows_the_bridges(void **state)
{
	static const struct {
		const char *text;
		int ret;
		const char *addr;
	} rows[] = {
		{ "00:1c.0/00.0", 0, "0000:01:00.0" },
		{ "00:1c.0/00.0/08.0", 0, "0000:02:08.0" },
		{ "00:1c.0/00.0/08.0/00.0", 0, "0000:03:00.0" },
		{ "00:1c.0/00.0/08.0/00.1", 0, "0000:03:00.1" },
		{ "0000:00:1c.0/00.0/08.0/00.1=10de:1184", 0, "0000:03:00.1" },
		{ "10000:e0:06.0/00.0", 0, "10000:e1:00.0" },
		{ "00:1c.0/00.0/08.0/00.2", -ENOENT, NULL },
		{ "00:1c.0/00.0/09.0/00.0", -ENOENT, NULL },
		{ "00:1d.0/00.0", -ENOENT, NULL },
		{ "03:00.0", 0, NULL },
		{ "10de:1187", 0, NULL },
	};
	int rootfd = begin_bridges();

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char addr[PCI_ADDRESS_SIZE];
		struct selector sel;
		size_t where;

		assert_null(selector_parse(rows[i].text, &sel, &where));
		if (pci_resolve(rootfd, &sel) != rows[i].ret)
			fail_msg("%s", rows[i].text);
		assert_int_equal(sel.resolved, rows[i].addr != NULL);
		if (rows[i].addr)
			assert_string_equal(pci_address_format(&sel.addr, addr), rows[i].addr);
		/* A second time it stays where it is. */
		assert_int_equal(pci_resolve(rootfd, &sel), rows[i].ret);
	}
	fixture_end();
}

static void pci_resolve_slot_at_the_end_any_function(void **state)
{
	int rootfd = begin_bridges();
	struct selector sel;
	size_t where;

	(void)state;
	assert_null(selector_parse("00:1c.0/00.0/08.0/00", &sel, &where));
	assert_int_equal(pci_resolve(rootfd, &sel), 0);
	assert_int_equal(sel.addr.bus, 3);
	assert_int_equal(sel.addr.dev, 0);
	assert_int_equal(sel.kind, SELECTOR_SLOT);
	fixture_end();
}

static void pci_path_and_back(void **state)
{
	static const struct {
		const char *addr, *path;
	} rows[] = {
		{ "0000:00:1c.0", "0000:00:1c.0" },
		{ "0000:01:00.0", "0000:00:1c.0/00.0" },
		{ "0000:03:00.1", "0000:00:1c.0/00.0/08.0/00.1" },
		{ "10000:e1:00.0", "10000:e0:06.0/00.0" },
	};
	int rootfd = begin_bridges();
	struct pci_address addr;
	char buf[128];

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		addr = address(rows[i].addr);
		assert_int_equal(pci_path(rootfd, &addr, buf, sizeof(buf)), 0);
		assert_string_equal(buf, rows[i].path);
	}
	addr = address("0000:03:00.1");
	for (unsigned int size = 1; size <= strlen(rows[2].path); size++) {
		assert_int_equal(pci_path(rootfd, &addr, buf, size), -ENAMETOOLONG);
		assert_string_equal(buf, "");
	}
	assert_int_equal(pci_path(rootfd, &addr, buf, (unsigned int)strlen(rows[2].path) + 2), 0);
	addr = address("0000:09:00.0");
	assert_int_equal(pci_path(rootfd, &addr, buf, sizeof(buf)), -ENOENT);
	assert_string_equal(buf, "");
	fixture_end();
}

/* ---- what a plan speaks of ---- */

static int begin_machine(void)
{
	int rootfd = fixture_begin();

	fixture_function("0000:00:01.0", 0x60400, "8086:1901", 1, NULL);
	fixture_function("0000:01:00.0", 0x30000, "10de:1187", 1, NULL);
	fixture_function("0000:01:00.1", 0x40300, "10de:0e0a", 1, NULL);
	fixture_function("0000:02:00.0", 0x30000, "10de:1187", 2, NULL);
	fixture_function("0000:02:00.1", 0x40300, "10de:0e0a", 2, NULL);
	fixture_function("0000:03:00.0", 0x10802, "144d:a808", 3, "nvme");
	fixture_function("0000:04:00.0", 0x10802, "144d:a808", 4, "nvme");
	fixture_function("0000:05:00.0", 0x20000, "8086:1533", -1, "igb");
	return rootfd;
}

static void pci_collect_candidates_then_mates(void **state)
{
	static const struct {
		const char *plan, *listed;
	} rows[] = {
		{ "bind 10de:1187", "0000:01:00.0 0000:02:00.0 | 0000:00:01.0 0000:01:00.1 "
				    "0000:02:00.1 " },
		{ "bind 02:00.1\nbind 02:00.0", "0000:02:00.0 0000:02:00.1 " },
		{ "bind 02:00.0", "0000:02:00.0 | 0000:02:00.1 " },
		{ "bind 02:00", "0000:02:00.0 0000:02:00.1 " },
		{ "bind 02:00.0 02:00.0 10de:0e0a",
		  "0000:01:00.1 0000:02:00.0 0000:02:00.1 | 0000:00:01.0 0000:01:00.0 " },
		{ "bind class:02", "0000:05:00.0 " },
		{ "bind 05:00.0=8086:ffff", "0000:05:00.0 " },
		{ "bind 09:00.0=8086:1533", "" },
		{ "bind 10de:ffff", "" },
		{ "except 10de:1187", "" },
		{ "protect 0000:03:00.0=144d:a808 holds /", "" },
		/* Only a bind line makes one. */
		{ "bind 05:00.0\nexcept 10de:1187", "0000:05:00.0 " },
	};
	int rootfd = begin_machine();
	unsigned int bad = 0;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char sorted[512];

		assert_int_equal(collect(rootfd, rows[i].plan), 0);
		assert_int_equal(table.unreadable, 0);
		/* Mates come in the order of the directory: only the candidates' is known. */
		snprintf(sorted, sizeof(sorted), "%s", listed());
		if (!strncmp(sorted, rows[i].listed, strcspn(rows[i].listed, "|")) &&
		    strlen(sorted) == strlen(rows[i].listed))
			continue;
		print_error("%s: %s\n", rows[i].plan, sorted);
		bad++;
	}
	assert_int_equal(bad, 0);
	fixture_end();
}

static void pci_collect_details_are_read_for_all(void **state)
{
	int rootfd = begin_machine();

	(void)state;
	assert_int_equal(collect(rootfd, "bind 01:00.0 05:00.0"), 0);
	assert_int_equal(table.candidates, 2);
	assert_int_equal(table.count, 4);
	assert_int_equal(table.fn[0].group, 1);
	assert_int_equal(table.fn[1].group, -1);
	for (unsigned int i = 2; i < 4; i++)
		assert_int_equal(table.fn[i].group, 1);
	fixture_end();
}

static void pci_collect_boot_vga_of_the_slot_is_read_for_keep(void **state)
{
	int rootfd = begin_machine();

	(void)state;
	fixture_file(DEVICES "0000:01:00.0/boot_vga", "1\n");
	assert_int_equal(collect(rootfd, "boot-vga keep\nbind 01:00.0 05:00.0"), 0);
	assert_int_equal(table.count, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(table.fn[i].boot_vga_slot, table.fn[i].addr.bus == 1);
	/* Nobody asks. */
	assert_int_equal(collect(rootfd, "bind 01:00.0"), 0);
	assert_true(table.fn[0].boot_vga);
	assert_false(table.fn[0].boot_vga_slot);
	fixture_end();
}

static void pci_kernel_evicts_all_by_version(void **state)
{
	static const struct {
		const char *kernel;
		bool evicts;
	} rows[] = {
		{ "6.1.0-40-amd64", true }, { "6.1", true },
		{ "6.2.16-20-pve", true },  { "6.4.0-4-amd64", true },
		{ "6.5.13-6-pve", false },  { "6.12.48+deb13-amd64", false },
		{ "6.0.0-1", false },	    { "6.40.0", false },
		{ "5.10.0-9", false },	    { "16.1.0", false },
		{ "7.1.0", false },	    { NULL, false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pci_kernel_evicts_all(rows[i].kernel) != rows[i].evicts)
			fail_msg("%s", rows[i].kernel);
}

static void pci_collect_framebuffer_of_the_slot_is_read_for_keep(void **state)
{
	int rootfd = begin_machine();

	(void)state;
	fixture_file("proc/iomem", "c0000000-d1ffffff : PCI Bus 0000:01\n"
				   "  c0000000-cfffffff : 0000:01:00.0\n"
				   "    c0000000-c02fffff : BOOTFB\n");
	assert_int_equal(collect(rootfd, "boot-vga keep\nbind 01:00.0 05:00.0"), 0);
	assert_int_equal(table.count, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(table.fn[i].boot_vga_slot, table.fn[i].addr.bus == 1);
	/* Nobody asks. */
	assert_int_equal(collect(rootfd, "bind 01:00.0"), 0);
	assert_int_equal(table.fn[0].framebuffer, PCI_FB_SIMPLE);
	assert_false(table.fn[0].boot_vga_slot);
	fixture_end();
}

static void pci_collect_protect_moved_when_its_id_left(void **state)
{
	int rootfd = begin_machine();

	(void)state;
	/* Where it was: */
	assert_int_equal(collect(rootfd, "bind 144d:a808\n"
					 "protect 0000:03:00.0=144d:a808 holds /\n"),
			 0);
	assert_false(plan.protect[0].moved);
	/* gone from the bus, */
	assert_int_equal(collect(rootfd, "bind 144d:a808\n"
					 "protect 0000:09:00.0=144d:a808 holds /\n"),
			 0);
	assert_true(plan.protect[0].moved);
	/* and with something else in its place. */
	assert_int_equal(collect(rootfd, "bind 144d:a808\n"
					 "protect 0000:05:00.0=144d:a808 holds /\n"),
			 0);
	assert_true(plan.protect[0].moved);
	/* Nobody asks for its like. */
	assert_int_equal(collect(rootfd, "bind 10de:1187\n"
					 "protect 0000:09:00.0=144d:a808 holds /\n"),
			 0);
	assert_false(plan.protect[0].moved);
	fixture_end();
}

static void pci_collect_unreadable_is_counted_once(void **state)
{
	static const char *const plans[] = { "bind 10de:1187", "bind 01:00.0 01:00.1", "bind 01:00",
					     "bind 01:00.1 09:00.0" };
	int rootfd = begin_machine();

	(void)state;
	fixture_file(DEVICES "0000:01:00.0/uevent", "%s", "");
	for (unsigned int i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		assert_int_equal(collect(rootfd, plans[i]), 0);
		assert_int_equal(table.unreadable_addr.bus, 1);
		assert_int_equal(table.error, -EIO);
		if (table.unreadable != 1)
			fail_msg("%s: %u", plans[i], table.unreadable);
	}
	fixture_end();
}

static void pci_collect_late_looks_at_one(void **state)
{
	const struct pci_address gpu = address("0000:02:00.0"), nic = address("0000:05:00.0");
	const struct pci_address gone = address("0000:09:00.0");
	int rootfd = begin_machine();

	(void)state;
	fixture_plan(&plan, "bind 10de:1187\n");
	assert_int_equal(pci_collect(rootfd, &plan, &gpu, &table), 0);
	assert_string_equal(listed(), "0000:02:00.0 | 0000:02:00.1 ");
	assert_int_equal(pci_collect(rootfd, &plan, &nic, &table), 0);
	assert_string_equal(listed(), "");
	assert_int_equal(pci_collect(rootfd, &plan, &gone, &table), -ENOENT);
	fixture_end();
}

static void pci_collect_bound_exceeded_is_an_error(void **state)
{
	int rootfd = fixture_begin();

	(void)state;
	for (unsigned int i = 0; i < PCI_MAX_FUNCTIONS; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "0000:%02x:%02x.%u", i / 256, i / 8 % 32, i % 8);
		fixture_function(addr, 0x20000, "8086:10fb", -1, NULL);
	}
	assert_int_equal(collect(rootfd, "bind 8086:10fb"), 0);
	assert_int_equal(table.candidates, PCI_MAX_FUNCTIONS);
	for (unsigned int i = 1; i < table.count; i++)
		assert_true(table.fn[i - 1].addr.bus < table.fn[i].addr.bus ||
			    table.fn[i - 1].addr.dev < table.fn[i].addr.dev ||
			    table.fn[i - 1].addr.fn < table.fn[i].addr.fn);
	fixture_function("0000:10:00.0", 0x20000, "8086:10fb", -1, NULL);
	assert_int_equal(collect(rootfd, "bind 8086:10fb"), -E2BIG);
	assert_int_equal(table.count, PCI_MAX_FUNCTIONS);
	fixture_end();
}

/* Where groups are late, all on the bus is read: who may be in it is told from that. */
static void pci_collect_late_groups_reads_the_bus(void **state)
{
	int rootfd = fixture_begin();

	(void)state;
	fixture_function("0000:00:01.0", 0x60400, "1b36:000c", -1, NULL);
	fixture_function("0000:00:02.0", 0x20000, "8086:100e", -1, NULL);
	fixture_function("0000:00:02.1", 0x20000, "8086:100e", -1, NULL);
	late_groups = true;
	assert_int_equal(collect(rootfd, "bind 00:02.0"), 0);
	late_groups = false;
	assert_int_equal(table.candidates, 1);
	assert_int_equal(table.count, 3);
	assert_int_equal(collect(rootfd, "bind 00:02.0"), 0);
	assert_int_equal(table.count, 1);
	fixture_end();
}

static void pci_may_share_group_known_or_by_place(void **state)
{
	static const struct {
		const char *a, *b;
		int group_a, group_b;
		bool port, late, shares;
		int port_a, port_b; /* 0: none is known */
	} rows[] = {
		{ "0000:00:02.0", "0000:00:03.0", 1, 1, false, false, true },
		{ "0000:00:02.0", "0000:00:02.1", 1, 2, false, true, false },
		{ "0000:00:02.0", "0000:00:02.1", -1, -1, false, false, false },
		{ "0000:00:02.0", "0000:00:02.1", -1, -1, false, true, true },
		{ "0000:00:02.0", "0000:00:02.1", -1, 2, false, true, true },
		{ "0000:00:02.0", "0000:00:03.0", -1, -1, false, true, false },
		{ "0000:01:02.0", "0000:01:03.0", -1, -1, true, true, true },
		{ "0000:01:02.0", "0000:02:02.0", -1, -1, true, true, false },
		{ "0000:01:02.0", "0001:01:02.0", -1, -1, true, true, false },
		/* By the groups of their ports. */
		{ "0000:01:00.0", "0000:02:00.0", -1, -1, true, true, true, 7, 7 },
		{ "0000:01:00.0", "0001:02:00.0", -1, -1, true, true, true, 7, 7 },
		{ "0000:01:00.0", "0000:02:00.0", -1, -1, true, false, false, 7, 7 },
		{ "0000:01:00.0", "0000:02:00.0", -1, -1, true, true, false, 7, 8 },
		{ "0000:01:00.0", "0000:02:00.0", -1, 7, true, true, true, 7, 0 },
		/* The other one is isolated from the port, but not from its own slot. */
		{ "0000:01:00.0", "0000:01:01.0", -1, 9, true, true, false, 7, 0 },
		{ "0000:01:00.0", "0000:01:00.1", -1, 9, true, true, true, 7, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pci_function a = { .group = rows[i].group_a,
					  .behind_port = rows[i].port,
					  .port_group = rows[i].port_a ? rows[i].port_a : -1 };
		struct pci_function b = { .group = rows[i].group_b,
					  .port_group = rows[i].port_b ? rows[i].port_b : -1 };

		assert_int_equal(pci_address_parse(rows[i].a, &a.addr), 0);
		assert_int_equal(pci_address_parse(rows[i].b, &b.addr), 0);
		table.late_groups = rows[i].late;
		assert_int_equal(pci_may_share_group(&table, &a, &b), rows[i].shares);
		assert_int_equal(pci_may_share_group(&table, &b, &a), rows[i].shares);
		/* A virtual function that is isolated: by what is known alone. */
		a.is_alone = true;
		assert_int_equal(pci_may_share_group(&table, &a, &b),
				 rows[i].group_a >= 0 && rows[i].group_a == rows[i].group_b);
		assert_int_equal(pci_may_share_group(&table, &b, &a),
				 rows[i].group_a >= 0 && rows[i].group_a == rows[i].group_b);
	}
}

/* A mate too many is one function too many as well. */
static void pci_collect_mates_over_bound_are_an_error(void **state)
{
	int rootfd = fixture_begin();

	(void)state;
	for (unsigned int i = 0; i <= PCI_MAX_FUNCTIONS; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "0000:%02x:%02x.%u", i / 256, i / 8 % 32, i % 8);
		fixture_function(addr, 0x20000, "8086:10fb", 5, NULL);
	}
	assert_int_equal(collect(rootfd, "bind 00:00.0"), -E2BIG);
	fixture_end();
}

static void pci_collect_takes_what_is_known_and_reads_no_uevent(void **state)
{
	const struct pci_function one = { .addr = { .bus = 9 },
					  .id = { .vendor = 0x1234, .device = 0x5678 },
					  .group = -1 };
	int rootfd = fixture_begin();

	(void)state;
	known = &one;
	assert_int_equal(collect(rootfd, "bind 1234:5678 09:00.0"), 0);
	assert_int_equal(table.count, 1);
	assert_int_equal(table.fn[0].id.device, 0x5678);
	assert_int_equal(collect(rootfd, "bind 08:00.0"), 0);
	assert_int_equal(table.count, 0);
	known = NULL;
	fixture_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pci_is_bridge_by_class),
		cmocka_unit_test(pci_read_whole_uevent),
		cmocka_unit_test(pci_read_bad_uevent_is_an_error),
		cmocka_unit_test(pci_read_driver_link_or_none),
		cmocka_unit_test(pci_read_details_group_vfs_slot),
		cmocka_unit_test(pci_read_details_boot_vga_of_displays_alone),
		cmocka_unit_test(pci_read_details_nothing_there_is_none),
		cmocka_unit_test(pci_read_details_framebuffer_from_iomem),
		cmocka_unit_test(pci_scan_every_function_once),
		cmocka_unit_test(pci_find_id_counts_and_names),
		cmocka_unit_test(pci_resolve_follows_the_bridges),
		cmocka_unit_test(pci_resolve_slot_at_the_end_any_function),
		cmocka_unit_test(pci_path_and_back),
		cmocka_unit_test(pci_collect_candidates_then_mates),
		cmocka_unit_test(pci_collect_details_are_read_for_all),
		cmocka_unit_test(pci_collect_boot_vga_of_the_slot_is_read_for_keep),
		cmocka_unit_test(pci_kernel_evicts_all_by_version),
		cmocka_unit_test(pci_collect_framebuffer_of_the_slot_is_read_for_keep),
		cmocka_unit_test(pci_collect_protect_moved_when_its_id_left),
		cmocka_unit_test(pci_collect_unreadable_is_counted_once),
		cmocka_unit_test(pci_collect_late_looks_at_one),
		cmocka_unit_test(pci_collect_bound_exceeded_is_an_error),
		cmocka_unit_test(pci_collect_late_groups_reads_the_bus),
		cmocka_unit_test(pci_may_share_group_known_or_by_place),
		cmocka_unit_test(pci_collect_mates_over_bound_are_an_error),
		cmocka_unit_test(pci_collect_takes_what_is_known_and_reads_no_uevent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
