// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * early/decide.c: from facts and a plan to verdicts, and the words for them. Each row is a small
 * machine (its functions in one line each), a plan, and what becomes of every function.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "early/decide.h"
#include "early/tell.h"
#include "tests/unit/fixture.h"

static struct plan plan;
static struct pci_table table;
static struct decisions decisions;
static struct iommu iommu;

static const struct tell_facts facts = {
	.plan = &plan,
	.iommu = &iommu,
	.table = &table,
	.decisions = &decisions,
};

static const struct iommu iommu_on = {
	.state = IOMMU_ON,
	.table = IOMMU_TABLE_DMAR,
	.unit = "dmar0",
	.units = 1,
};

/* ---- machines as text ---- */

static void set_fact(struct pci_function *fn, const char *key, const char *value)
{
	struct selector sel;
	size_t where;

	if (!strcmp(key, "driver")) {
		snprintf(fn->driver, sizeof(fn->driver), "%s", value);
	} else if (!strcmp(key, "vfs")) {
		fn->vfs = (unsigned int)atoi(value);
	} else if (!strcmp(key, "vga")) {
		fn->boot_vga = !strcmp(value, "boot");
		fn->boot_vga_slot = true;
	} else if (!strcmp(key, "fb")) {
		fn->framebuffer = !strcmp(value, "efifb")  ? PCI_FB_EFIFB :
				  !strcmp(value, "simple") ? PCI_FB_SIMPLE :
							     PCI_FB_TAKEN;
	} else if (!strcmp(key, "at")) {
		assert_null(selector_parse(value, &sel, &where));
		fn->place = (struct pci_place){ .root = sel.addr, .hops = sel.hops };
		memcpy(fn->place.hop, sel.hop, sizeof(sel.hop));
		fn->has_place = true;
	} else if (!strcmp(key, "noiommu")) {
		fn->is_noiommu = true;
	} else if (!strcmp(key, "port")) {
		fn->behind_port = true;
	} else if (!strcmp(key, "slot")) {
		assert_null(selector_parse(value, &sel, &where));
		fn->slot_id = sel.id;
		fn->has_slot_id = true;
	} else {
		fail_msg("no such fact: %s", key);
	}
}

/* "ADDRESS CLASS ID GROUP key=value..."; GROUP is "-" for none; a leading "+" makes it a mate. */
static void add_function(char *line)
{
	struct pci_function *fn = &table.fn[table.count++];
	char *rest = line, *word = strtok_r(rest, " ", &rest);
	struct selector sel;
	size_t where;

	memset(fn, 0, sizeof(*fn));
	if (*word == '+')
		word++;
	else
		assert_int_equal(++table.candidates, table.count);
	assert_int_equal(pci_address_parse(word, &fn->addr), 0);
	fn->class = (uint32_t)strtoul(strtok_r(rest, " ", &rest), NULL, 16);
	assert_null(selector_parse(strtok_r(rest, " ", &rest), &sel, &where));
	fn->id = sel.id;
	word = strtok_r(rest, " ", &rest);
	fn->group = *word == '-' ? -1 : atoi(word);
	fn->port_group = -1;
	while ((word = strtok_r(rest, " ", &rest))) {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value++ = '\0';
		set_fact(fn, word, value);
	}
}

static void make_table(const char *machine)
{
	char copy[2048], *rest = copy, *line;

	memset(&table, 0, sizeof(table));
	assert_true(snprintf(copy, sizeof(copy), "%s", machine) < (int)sizeof(copy));
	while ((line = strtok_r(rest, "\n", &rest)))
		add_function(line);
}

/* "bind", "refuse: in except", one a line; a mate that stays is "-", in the way "- blocks_group". */
static const char *verdicts(void)
{
	static const char *const names[] = { "-", "bind", "keep", "hold", "refuse" };
	static char text[4096];

	text[0] = '\0';
	for (unsigned int i = 0; i < table.count; i++) {
		const struct verdict *verdict = &decisions.verdict[i];
		char reason[512];

		tell_whole(&facts, i, reason, sizeof(reason));
		strcat(text, names[verdict->decision]);
		if (*reason && verdict->decision != DECIDE_NOTHING)
			strcat(strcat(text, ": "), reason);
		strcat(text, verdict->blocks_group ? " blocks_group\n" : "\n");
	}
	return text;
}

struct row {
	const char *machine, *plan, *verdicts;
};

static void check(const struct row *rows, size_t count, const struct iommu *with)
{
	unsigned int bad = 0;

	iommu = *with;
	for (size_t i = 0; i < count; i++) {
		make_table(rows[i].machine);
		fixture_plan(&plan, rows[i].plan);
		memset(&decisions, 0xff, sizeof(decisions));
		table.late_groups = iommu.has_smmu;
		decide(&plan, &iommu, &table, &decisions);
		if (!strcmp(verdicts(), rows[i].verdicts))
			continue;
		print_error("%s\n%s\n%s", rows[i].machine, rows[i].plan, verdicts());
		bad++;
	}
	assert_int_equal(bad, 0);
}

#define CHECK(rows, with) check(rows, sizeof(rows) / sizeof((rows)[0]), with)

/* ---- each function alone ---- */

#define GPU   "81:00.0 030000 10de:1187 9"
#define AUDIO "81:00.1 040300 10de:0e0a 9"
#define NVME  "03:00.0 010802 144d:a808 3"

static void decide_named_is_bound(void **state)
{
	static const struct row rows[] = {
		{ GPU, "bind 10de:1187", "bind\n" },
		{ GPU, "bind 81:00.0", "bind\n" },
		{ GPU, "bind 81:00.0=10de:1187", "bind\n" },
		{ GPU " slot=10de:1187", "bind 81:00=10de:1187", "bind\n" },
		{ GPU, "bind class:0300", "bind\n" },
		{ GPU " driver=nouveau", "bind 10de:1187", "bind\n" },
		{ "42:00.0 068000 10de:22a3 1", "bind class:06", "bind\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void decide_except_always_wins(void **state)
{
	static const struct row rows[] = {
		{ GPU, "bind 10de:1187\nexcept 81:00.0", "refuse: in except\n" },
		{ GPU, "bind! 10de:1187\nexcept class:03", "refuse: in except\n" },
		{ GPU, "bind 10de:1187\nexcept 81:00.1", "bind\n" },
		{ GPU " driver=vfio-pci", "bind 10de:1187\nexcept 10de:1187",
		  "refuse: in except\n" },
		/* Of what it is pinned to nothing is left: that address is still not to be touched. */
		{ GPU, "bind 10de:1187\nexcept 81:00.0=10de:ffff", "refuse: in except\n" },
		{ GPU, "bind 81:00.0=10de:fffe\nexcept 81:00.0", "refuse: in except\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void decide_changed_id_names_both(void **state)
{
	static const struct row rows[] = {
		{ GPU, "bind 81:00.0=10de:1188",
		  "refuse: 81:00.0=10de:1188 was planned, but 10de:1187 is there\n" },
		/* Of a slot, function 0's */
		{ AUDIO " slot=10de:1187", "bind 81:00=10de:1188",
		  "refuse: 81:00=10de:1188 was planned, but 10de:1187 is there\n" },
		{ AUDIO, "bind 81:00=10de:1188",
		  "refuse: 81:00=10de:1188 was planned, but 10de:0e0a is there\n" },
		/* Neither hold nor the exclamation mark changes that. */
		{ GPU, "bind! 81:00.0=10de:1188\nfailure hold",
		  "refuse: 81:00.0=10de:1188 was planned, but 10de:1187 is there\n" },
		/* Another line that matches does. */
		{ GPU, "bind 81:00.0=10de:1188\nbind 10de:1187", "bind\n" },
		{ GPU, "bind 10de:1187\nbind 81:00.0=10de:1188", "bind\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void tell_whole_hint_names_where_it_is(void **state)
{
	char text[512], *reason;

	(void)state;
	make_table(GPU);
	fixture_plan(&plan, "bind 81:00.0=10de:1188");
	iommu = iommu_on;
	decide(&plan, &iommu, &table, &decisions);
	assert_int_equal(decisions.verdict[0].reason, REASON_ID_CHANGED);
	assert_false(decisions.verdict[0].has_hint);
	decisions.verdict[0].has_hint = true;
	decisions.verdict[0].hint = (struct pci_address){ 0, 0x82, 0, 0 };
	reason = tell_whole(&facts, 0, text, sizeof(text));
	assert_ptr_equal(reason, text);
	assert_string_equal(text,
			    "81:00.0=10de:1188 was planned, but 10de:1187 is there; that ID is "
			    "at 0000:82:00.0 now: if it was moved, plan it there");
}

static void decide_what_no_vm_gets_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "00:01.0 060400 8086:1901 1", "bind 00:01.0",
		  "refuse: a bridge; name what is behind it\n" },
		{ "00:1f.0 060100 8086:a2c9 1", "bind! 00:1f.0", "refuse: a bridge\n" },
		{ "00:00.0 060000 8086:3ec2 0", "bind class:06\nfailure hold",
		  "refuse: a bridge\n" },
		{ "17:00.0 020000 8086:1572 5 vfs=4 driver=i40e", "bind 17:00.0",
		  "refuse: 4 virtual functions are enabled; bind those, or set sriov_numvfs to "
		  "0\n" },
		{ "17:00.0 020000 8086:1572 5 vfs=1", "bind! 17:00.0\nfailure hold",
		  "refuse: 1 virtual functions are enabled; bind those, or set sriov_numvfs to "
		  "0\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void decide_protected_only_with_force(void **state)
{
	static const struct row rows[] = {
		{ NVME, "bind 03:00.0\nprotect 0000:03:00.0=144d:a808 holds /",
		  "refuse: holds / (protect)\n" },
		{ NVME, "bind 144d:a808\nprotect 0000:03:00.0=144d:a808 holds /\nfailure hold",
		  "refuse: holds / (protect)\n" },
		{ NVME, "bind! 03:00.0\nprotect 0000:03:00.0=144d:a808 holds /",
		  "bind: holds / (protect) overridden by bind!\n" },
		/* The line with the mark counts, whichever comes first. */
		{ NVME, "bind 144d:a808\nbind! 03:00.0\nprotect 0000:03:00.0=144d:a808 holds /",
		  "bind: holds / (protect) overridden by bind!\n" },
		{ NVME, "bind! 03:00.0\nbind 144d:a808\nprotect 0000:03:00.0=144d:a808 holds /",
		  "bind: holds / (protect) overridden by bind!\n" },
		/* A mark without need is nothing to speak of. */
		{ NVME, "bind! 03:00.0", "bind\n" },
		/* Another device, another address */
		{ NVME, "bind 03:00.0=144d:a808\nprotect 0000:03:00.0=144d:a80a holds /",
		  "bind\n" },
		{ NVME, "bind 03:00.0\nprotect 0000:04:00.0=144d:a80a holds /", "bind\n" },
		{ "03:00.0 010802 144d:a808:144d:a801 3",
		  "bind 03:00.0\nprotect 0000:03:00.0=144d:a808:144d:a801 holds /",
		  "refuse: holds / (protect)\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

#define NO_PATH                                                                  \
	"refuse: the plan has no paths, and the host needs one of that ID; run " \
	"vfio-early apply on this host\n"
#define TWIN "0000:02:00.0 010802 144d:a808 13 at=00:01.3/00.0"

/* Who a device is: its ID and the path to it. A number of a bus is neither. */
static void decide_identity_is_id_and_path(void **state)
{
	static const struct row rows[] = {
		/* Pinned: there, in another slot, another model. */
		{ TWIN, "bind 0000:02:00.0=144d:a808@00:01.3/00.0", "bind\n" },
		{ TWIN, "bind 0000:02:00.0=144d:a808@00:01.2/00.0",
		  "refuse: 0000:02:00.0=144d:a808@00:01.2/00.0 was planned, but another with that "
		  "ID is there\n" },
		{ TWIN, "bind 0000:02:00.0=144d:a80a@00:01.3/00.0",
		  "refuse: 0000:02:00.0=144d:a80a@00:01.3/00.0 was planned, but 144d:a808 is "
		  "there\n" },
		{ TWIN, "bind 0000:02:00=144d:a808@00:01.3/00",
		  "refuse: 0000:02:00=144d:a808@00:01.3/00 was planned, but another with that ID "
		  "is there\n" },
		/* Its path cannot be read: it is not known to be the one. */
		{ "0000:02:00.0 010802 144d:a808 13", "bind 0000:02:00.0=144d:a808@00:01.3/00.0",
		  "refuse: 0000:02:00.0=144d:a808@00:01.3/00.0 was planned, but another with that "
		  "ID is there\n" },
		/* Protected: by its path, whatever the number of its bus. */
		{ TWIN, "bind 144d:a808\nprotect 0000:01:00.0=144d:a808@00:01.3/00.0 holds /",
		  "refuse: holds / (protect)\n" },
		{ TWIN, "bind 144d:a808\nprotect 0000:01:00.0=144d:a808@00:01.2/00.0 holds /",
		  "bind\n" },
		/* By its address too, as long as the ID is its own. */
		{ TWIN, "bind 144d:a808\nprotect 0000:02:00.0=144d:a808@00:01.2/00.0 holds /",
		  "refuse: holds / (protect)\n" },
		{ TWIN, "bind 144d:a808\nprotect 0000:02:00.0=144d:a80a@00:01.2/00.0 holds /",
		  "bind\n" },
		/* Another model in its place: against what does not name just that one. */
		{ TWIN, "bind class:01\nprotect 0000:01:00.0=144d:a80a@00:01.3/00.0 holds /",
		  "refuse: holds / (protect)\n" },
		{ TWIN, "bind 144d:a808\nprotect 0000:01:00.0=144d:a80a@00:01.3/00.0 holds /",
		  "refuse: holds / (protect)\n" },
		{ TWIN, "bind 02:00.0\nprotect 0000:01:00.0=144d:a80a@00:01.3/00.0 holds /",
		  "refuse: holds / (protect)\n" },
		{ TWIN,
		  "bind 0000:02:00.0=144d:a808\nprotect 0000:01:00.0=144d:a80a@00:01.3/00.0 holds /",
		  "bind\n" },
		/* A plan without paths does not know a twin from the one that it protects. */
		{ TWIN, "bind 144d:a808\nprotect 0000:01:00.0=144d:a808 holds /", NO_PATH },
		{ TWIN, "bind 02:00.0=144d:a808\nprotect 0000:01:00.0=144d:a808 holds /", NO_PATH },
		{ TWIN, "bind class:01\nprotect 0000:01:00.0=144d:a808 holds /", NO_PATH },
		{ TWIN, "bind! 144d:a808\nprotect 0000:01:00.0=144d:a808 holds /", "bind\n" },
		{ TWIN, "bind 144d:a808\nprotect 0000:01:00.0=144d:a80a holds /", "bind\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

#define FACTS "refuse: it is not known what this host needs; run vfio-early apply on this host\n"

/* An image made in a chroot: what may be the host's disk or NIC needs more than an address. */
static void decide_facts_unknown_hands_off(void **state)
{
	static const struct row rows[] = {
		{ TWIN, "facts unknown\nbind 144d:a808", FACTS },
		{ TWIN, "facts unknown\nbind 02:00.0", FACTS },
		{ TWIN, "facts unknown\nbind 02:00.0=144d:a808", FACTS },
		{ TWIN, "facts unknown\nbind class:01", FACTS },
		{ TWIN, "facts unknown\nbind 02:00.0=144d:a808@00:01.3/00.0", "bind\n" },
		{ TWIN, "facts unknown\nbind! 144d:a808", "bind\n" },
		{ "0000:02:00.0 020000 8086:1533 13", "facts unknown\nbind 8086:1533", FACTS },
		{ "0000:02:00.0 0c0330 8086:a36d 13", "facts unknown\nbind 8086:a36d", FACTS },
		{ "0000:02:00.0 0c0500 8086:a36d 13", "facts unknown\nbind 8086:a36d", "bind\n" },
		{ "0000:02:00.0 030000 10de:1187 13", "facts unknown\nbind 10de:1187", "bind\n" },
		/* Nor for the sake of a group. */
		{ "0000:02:00.0 030000 10de:1187 13\n+0000:02:00.2 0c0330 10de:1ad8 13",
		  "facts unknown\nbind 10de:1187\ngroup claim",
		  "refuse: 0000:02:00.2 shares the group and cannot be claimed: it is not known what "
		  "this host needs; run vfio-early apply on this host\n-\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void decide_protect_moved_covers_every_such_id(void **state)
{
	(void)state;
	make_table(NVME "\n04:00.0 010802 144d:a808 4\n05:00.0 010802 144d:a80a 5");
	fixture_plan(&plan, "bind class:0108\nprotect 0000:09:00.0=144d:a808 holds /");
	plan.protect[0].moved = true;
	iommu = iommu_on;
	decide(&plan, &iommu, &table, &decisions);
	assert_string_equal(verdicts(), "refuse: holds / (protect)\nrefuse: holds / (protect)\n"
					"bind\n");
}

static void decide_boot_vga_keep_or_bind(void **state)
{
	static const struct row rows[] = {
		{ GPU " vga=boot", "bind 10de:1187", "bind\n" },
		{ GPU " vga=boot", "bind 10de:1187\nboot-vga bind", "bind\n" },
		{ GPU " vga=boot", "bind 10de:1187\nboot-vga keep",
		  "refuse: boot VGA (boot-vga keep)\n" },
		/* Also by its address, and also with the mark, which is about protect lines. */
		{ GPU " vga=boot", "bind! 81:00.0\nboot-vga keep\nfailure hold",
		  "refuse: boot VGA (boot-vga keep)\n" },
		{ AUDIO " vga=slot", "bind 10de:0e0a\nboot-vga keep",
		  "refuse: in the boot VGA's slot (boot-vga keep)\n" },
		{ AUDIO " vga=slot", "bind class:04\nboot-vga keep",
		  "refuse: in the boot VGA's slot (boot-vga keep)\n" },
		{ AUDIO " vga=slot", "bind 81:00.1\nboot-vga keep", "bind\n" },
		{ AUDIO, "bind 10de:0e0a\nboot-vga keep", "bind\n" },
		/* A display that is no VGA; also by its address. */
		{ GPU " fb=efifb", "bind 10de:1187\nboot-vga keep",
		  "refuse: boot framebuffer (boot-vga keep)\n" },
		{ GPU " fb=simple", "bind 81:00.0\nboot-vga keep",
		  "refuse: boot framebuffer (boot-vga keep)\n" },
		{ GPU " fb=taken", "bind class:03\nboot-vga keep",
		  "refuse: boot framebuffer (boot-vga keep)\n" },
		{ GPU " fb=efifb", "bind 10de:1187", "bind\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void decide_vfio_driver_is_kept(void **state)
{
	static const struct row rows[] = {
		{ GPU " driver=vfio-pci", "bind 10de:1187", "keep\n" },
		{ GPU " driver=mlx5_vfio_pci", "bind 10de:1187",
		  "keep: kept on mlx5_vfio_pci, its own vfio driver\n" },
		{ GPU " driver=nvgrace-gpu-vfio-pci", "bind 10de:1187",
		  "keep: kept on nvgrace-gpu-vfio-pci, its own vfio driver\n" },
		{ GPU " driver=pci-stub", "bind 10de:1187", "bind\n" },
		{ GPU " driver=vf", "bind 10de:1187", "bind\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

/* ---- the IOMMU ---- */

static void decide_without_iommu_refuses_or_holds(void **state)
{
	static const struct row rows[] = {
		{ GPU, "bind 10de:1187",
		  "refuse: IOMMU off in the kernel (firmware table DMAR): remove kernel "
		  "parameter intel_iommu=off\n" },
		{ GPU, "bind 10de:1187\nfailure hold",
		  "hold: IOMMU off in the kernel (firmware table DMAR): remove kernel "
		  "parameter intel_iommu=off\n" },
		/* What is not to be bound anyway is not held either. */
		{ GPU, "bind 10de:1187\nexcept 10de:1187\nfailure hold", "refuse: in except\n" },
		{ GPU " driver=vfio-pci", "bind 10de:1187\nfailure hold", "keep\n" },
		{ GPU "\n+" AUDIO, "bind 10de:1187\ngroup claim\nfailure hold",
		  "hold: IOMMU off in the kernel (firmware table DMAR): remove kernel "
		  "parameter intel_iommu=off\n-\n" },
	};
	const struct iommu off = {
		.state = IOMMU_OFF_KERNEL,
		.table = IOMMU_TABLE_DMAR,
		.param = "intel_iommu=off",
	};

	(void)state;
	CHECK(rows, &off);
}

static void decide_noiommu_mode_is_refused(void **state)
{
	static const struct row rows[] = {
		{ GPU, "bind 10de:1187",
		  "refuse: IOMMU off, and vfio in noiommu mode, which isolates no VM: remove "
		  "enable_unsafe_noiommu_mode\n" },
	};
	const struct iommu off = { .state = IOMMU_NOIOMMU };

	(void)state;
	CHECK(rows, &off);
}

static void decide_without_group_says_why(void **state)
{
	static const struct row rows[] = {
		{ "81:00.0 030000 10de:1187 -", "bind 10de:1187",
		  "refuse: no IOMMU group: the firmware's tables leave it out; look for an "
		  "update\n" },
		{ "81:00.0 030000 10de:1187 -", "bind 10de:1187\nfailure hold",
		  "hold: no IOMMU group: the firmware's tables leave it out; look for an "
		  "update\n" },
		{ "00:02.0 030000 8086:9a49 -", "bind 8086:9a49",
		  "refuse: no IOMMU group: integrated GPU left out by default; add kernel "
		  "parameter intel_iommu=on\n" },
		{ "00:02.0 038000 8086:9a49 -", "bind 8086:9a49",
		  "refuse: no IOMMU group: integrated GPU left out by default; add kernel "
		  "parameter intel_iommu=on\n" },
		/* A card of Intel's is not the integrated one. */
		{ "03:00.0 030000 8086:56a0 -", "bind 8086:56a0",
		  "refuse: no IOMMU group: the firmware's tables leave it out; look for an "
		  "update\n" },
	};
	static const struct row named[] = {
		{ "00:02.0 030000 8086:9a49 -", "bind 8086:9a49",
		  "refuse: no IOMMU group: kernel parameter intel_iommu=on,igfx_off leaves the "
		  "integrated GPU out; write "
		  "intel_iommu=on instead\n" },
	};
	struct iommu igfx_off = iommu_on;

	(void)state;
	CHECK(rows, &iommu_on);
	strcpy(igfx_off.igfx_param, "intel_iommu=on,igfx_off");
	CHECK(named, &igfx_off);
}

/* ---- groups ---- */

#define BRIDGE "+00:01.0 060400 8086:1901 9"

static void decide_group_warn_marks_who_crowds(void **state)
{
	static const struct row rows[] = {
		{ GPU "\n+" AUDIO, "bind 10de:1187", "bind\n- blocks_group\n" },
		{ GPU "\n" AUDIO, "bind 10de:1187 10de:0e0a", "bind\nbind\n" },
		{ GPU "\n" BRIDGE, "bind 10de:1187", "bind\n-\n" },
		/* One that is refused stays with the host, too. */
		{ GPU "\n" AUDIO, "bind 10de:1187 10de:0e0a\nexcept 10de:0e0a",
		  "bind\nrefuse: in except blocks_group\n" },
		/* One on vfio-pci is out of the host's hands. */
		{ GPU "\n+" AUDIO " driver=vfio-pci", "bind 10de:1187", "bind\n-\n" },
		/* Nobody is crowded where nothing is taken. */
		{ GPU "\n+" AUDIO, "bind 10de:1187\nexcept 10de:1187", "refuse: in except\n-\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void decide_group_claim_takes_the_rest(void **state)
{
	static const struct row rows[] = {
		{ GPU "\n+" AUDIO, "bind 10de:1187\ngroup claim",
		  "bind\nbind: claimed for its group\n" },
		{ GPU "\n" BRIDGE "\n+" AUDIO, "bind 10de:1187\ngroup claim",
		  "bind\n-\nbind: claimed for its group\n" },
		{ GPU "\n+" AUDIO " driver=vfio-pci", "bind 10de:1187\ngroup claim", "bind\n-\n" },
		/* Of two groups only the one that is asked for */
		{ "82:00.0 030000 10de:1188 4\n" GPU "\n+" AUDIO "\n+82:00.1 040300 10de:0e0b 4",
		  "bind 82:00.0 10de:1187\ngroup claim\nexcept 81:00.0",
		  "bind\nrefuse: in except\n-\nbind: claimed for its group\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void decide_group_claim_refused_names_the_mate(void **state)
{
	static const struct row rows[] = {
		{ GPU "\n+" AUDIO,
		  "bind 10de:1187\ngroup claim\nprotect 0000:81:00.1=10de:0e0a holds sound",
		  "refuse: 0000:81:00.1 shares the group and cannot be claimed: holds sound "
		  "(protect)\n-\n" },
		{ GPU "\n+" AUDIO, "bind 10de:1187\ngroup claim\nexcept 10de:0e0a",
		  "refuse: 0000:81:00.1 shares the group and cannot be claimed: in except\n-\n" },
		{ GPU "\n+81:00.1 020000 8086:1572 9 vfs=2", "bind 10de:1187\ngroup claim",
		  "refuse: 0000:81:00.1 shares the group and cannot be claimed: 2 virtual "
		  "functions are enabled; bind those, or set sriov_numvfs to 0\n-\n" },
		{ GPU "\n+" AUDIO " vga=slot", "bind 10de:1187\ngroup claim\nboot-vga keep",
		  "refuse: 0000:81:00.1 shares the group and cannot be claimed: in the boot "
		  "VGA's slot (boot-vga keep)\n-\n" },
		/* Those claimed before it are given up, those named are refused with it. */
		{ GPU "\n" AUDIO "\n+81:00.2 0c0330 10de:1ad8 9\n+" NVME,
		  "bind 10de:1187 10de:0e0a\ngroup claim\nexcept 144d:a808",
		  "bind\nbind\nbind: claimed for its group\n-\n" },
		{ GPU "\n" AUDIO "\n+81:00.2 0c0330 10de:1ad8 9\n+81:00.3 0c8000 10de:1ad9 9",
		  "bind 10de:1187 10de:0e0a\ngroup claim\nexcept 81:00.3",
		  "refuse: 0000:81:00.3 shares the group and cannot be claimed: in except\n"
		  "refuse: 0000:81:00.3 shares the group and cannot be claimed: in except\n-\n-\n" },
		/* bind! speaks for what it names, not for its mates. */
		{ GPU "\n+" AUDIO,
		  "bind! 10de:1187\ngroup claim\nprotect 0000:81:00.1=10de:0e0a holds sound",
		  "refuse: 0000:81:00.1 shares the group and cannot be claimed: holds sound "
		  "(protect)\n-\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

static void decide_group_refuse_all_or_none(void **state)
{
	static const struct row rows[] = {
		{ GPU "\n+" AUDIO, "bind 10de:1187\ngroup refuse",
		  "refuse: 0000:81:00.1 shares the group and no bind line takes it (group "
		  "refuse)\n-\n" },
		{ GPU "\n" AUDIO, "bind 10de:1187 10de:0e0a\ngroup refuse", "bind\nbind\n" },
		{ GPU "\n" BRIDGE, "bind 10de:1187\ngroup refuse", "bind\n-\n" },
		{ GPU "\n+" AUDIO " driver=vfio-pci", "bind 10de:1187\ngroup refuse", "bind\n-\n" },
		/* What a line names and may not take is not taken. */
		{ GPU "\n" AUDIO, "bind 10de:1187 10de:0e0a\ngroup refuse\nexcept 81:00.1",
		  "refuse: 0000:81:00.1 shares the group and no bind line takes it (group "
		  "refuse)\nrefuse: in except\n" },
		/* Another group is another matter. */
		{ GPU "\n82:00.0 030000 10de:1187 4\n+" AUDIO, "bind 10de:1187\ngroup refuse",
		  "refuse: 0000:81:00.1 shares the group and no bind line takes it (group "
		  "refuse)\nbind\n-\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

/* ---- which line ---- */

static void decide_overlap_names_the_second_line(void **state)
{
	static const struct {
		const char *plan;
		int bind, also;
	} rows[] = {
		{ "bind 10de:1187", 0, DECIDE_NO_INDEX },
		{ "bind 10de:1187 81:00.0", 0, 1 },
		{ "bind 10de:1187\nbind 81:00.0\nbind class:03", 0, 1 },
		{ "bind 10de:1187\nbind! 81:00.0", 1, 0 },
		{ "bind 10de:ffff 10de:1187", 1, DECIDE_NO_INDEX },
		{ "bind 81:00.0=10de:ffff 10de:1187", 1, DECIDE_NO_INDEX },
		{ "bind 10de:1187 81:00.0=10de:ffff", 0, DECIDE_NO_INDEX },
		{ "bind 81:00.0=10de:ffff", 0, DECIDE_NO_INDEX },
	};

	(void)state;
	iommu = iommu_on;
	make_table(GPU);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_plan(&plan, rows[i].plan);
		decide(&plan, &iommu, &table, &decisions);
		if (decisions.verdict[0].bind != rows[i].bind ||
		    decisions.verdict[0].also != rows[i].also)
			fail_msg("%s: %d, %d", rows[i].plan, decisions.verdict[0].bind,
				 decisions.verdict[0].also);
	}
}

static void decide_matched_lines_have_a_function(void **state)
{
	(void)state;
	iommu = iommu_on;
	make_table(GPU "\n+" AUDIO);
	fixture_plan(&plan, "bind 10de:1187\nbind 10de:ffff\nbind 81:00.0=10de:ffff\n"
			    "bind 10de:0e0a\n");
	decide(&plan, &iommu, &table, &decisions);
	assert_true(decisions.matched[0]);
	assert_false(decisions.matched[1]);
	/* Something is there, if not what was meant: that has been said. */
	assert_true(decisions.matched[2]);
}

/* An ISA bridge is an endpoint whose driver comes later; a port to another bus never counts. */
static void decide_group_bridges_that_count(void **state)
{
	static const struct row rows[] = {
		{ "0000:00:1f.3 040300 8086:7ad0 6\n+0000:00:1f.0 060100 8086:7a84 6",
		  "bind 00:1f.3\ngroup refuse",
		  "refuse: 0000:00:1f.0 shares the group and no bind line takes it (group refuse)\n-\n" },
		{ "0000:00:1f.3 040300 8086:7ad0 6\n+0000:00:1f.0 060100 8086:7a84 6",
		  "bind 00:1f.3\ngroup claim",
		  "refuse: 0000:00:1f.0 shares the group and cannot be claimed: a bridge\n-\n" },
		{ "0000:00:1f.3 040300 8086:7ad0 6\n+0000:00:1f.0 060100 8086:7a84 6",
		  "bind 00:1f.3", "bind\n- blocks_group\n" },
		{ "0000:00:1f.3 040300 8086:7ad0 6\n+0000:00:1f.0 060100 8086:7a84 6 driver=pci-stub",
		  "bind 00:1f.3\ngroup refuse", "bind\n-\n" },
		{ "0000:01:00.0 030000 10de:1e84 6\n+0000:00:01.0 060400 8086:0c01 6 driver=pcieport",
		  "bind 01:00.0\ngroup refuse", "bind\n-\n" },
		{ "0000:01:00.0 030000 10de:1e84 6\n+0000:00:01.1 060000 1022:1482 6",
		  "bind 01:00.0\ngroup refuse", "bind\n-\n" },
		{ "0000:01:00.0 030000 10de:1e84 6\n+0000:00:01.1 060000 1022:1482 6 driver=uncore",
		  "bind 01:00.0", "bind\n- blocks_group\n" },
		{ "0000:01:00.0 030000 10de:1e84 6\n+0000:01:00.1 040300 10de:10f8 6 driver=pci-stub",
		  "bind 01:00.0\ngroup refuse", "bind\n-\n" },
	};

	(void)state;
	CHECK(rows, &iommu_on);
}

/* Which is found out by binding; who may share it is its slot and what is behind the same port. */
static void decide_late_group_is_no_refusal(void **state)
{
	static const struct iommu smmu = {
		.state = IOMMU_ON, .unit = "smmu3.0x9050000", .units = 1, .has_smmu = true
	};
	static const struct row rows[] = {
		{ "0000:00:04.0 020000 8086:100e -", "bind 00:04.0", "bind\n" },
		{ "0000:00:04.0 020000 8086:100e -\n+0000:00:05.0 020000 8086:100e -",
		  "bind 00:04.0\ngroup refuse", "bind\n-\n" },
		{ "0000:00:04.0 020000 8086:100e -\n+0000:00:04.1 020000 8086:100e -",
		  "bind 00:04.0", "bind\n- blocks_group\n" },
		{ "0000:00:04.0 020000 8086:100e -\n+0000:00:04.1 020000 8086:100e -",
		  "bind 00:04.0\ngroup claim", "bind\nbind: claimed for its group\n" },
		{ "0000:00:04.0 020000 8086:100e -\n+0000:00:04.1 020000 8086:100e -",
		  "bind 00:04.0\ngroup refuse",
		  "refuse: 0000:00:04.1 shares the group and no bind line takes it (group refuse)\n-\n" },
		{ "0000:01:00.0 020000 8086:100e - port=1\n+0000:01:01.0 020000 8086:100e - port=1",
		  "bind 01:00.0\ngroup refuse",
		  "refuse: 0000:01:01.0 shares the group and no bind line takes it (group refuse)\n-\n" },
		/* One that was probed has its own, and of the first nothing is known. */
		{ "0000:00:04.0 020000 8086:100e -\n+0000:00:04.1 020000 8086:100e 7 driver=e1000",
		  "bind 00:04.0", "bind\n- blocks_group\n" },
		{ "0000:00:04.0 020000 8086:100e 6\n+0000:00:04.1 020000 8086:100e 7 driver=e1000",
		  "bind 00:04.0", "bind\n-\n" },
		{ "0000:00:04.0 020000 8086:100e 7 noiommu=1 driver=vfio-pci", "bind 00:04.0",
		  "refuse: on vfio-pci in a vfio-noiommu group, which isolates no VM; "
		  "remove enable_unsafe_noiommu_mode\n" },
	};

	(void)state;
	CHECK(rows, &smmu);
}

static void decide_is_taken_by_vfio_or_nobody(void **state)
{
	static const bool taken[] = {
		[DECIDE_NOTHING] = false, [DECIDE_BIND] = true,	   [DECIDE_KEEP] = true,
		[DECIDE_HOLD] = true,	  [DECIDE_REFUSE] = false,
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		const struct verdict verdict = { .decision = i };

		assert_int_equal(decide_is_taken(&verdict), taken[i]);
	}
}

static void tell_whole_small_buffer_is_not_overrun(void **state)
{
	char text[12];

	(void)state;
	iommu = iommu_on;
	make_table(GPU "\n+" AUDIO);
	fixture_plan(&plan, "bind 10de:1187\ngroup claim\nexcept 10de:0e0a");
	decide(&plan, &iommu, &table, &decisions);
	for (size_t size = 1; size <= sizeof(text) - 2; size++) {
		memset(text, 'x', sizeof(text));
		tell_whole(&facts, 0, text, size);
		assert_int_equal(strlen(text), size - 1);
		assert_int_equal(text[size], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decide_named_is_bound),
		cmocka_unit_test(decide_except_always_wins),
		cmocka_unit_test(decide_changed_id_names_both),
		cmocka_unit_test(tell_whole_hint_names_where_it_is),
		cmocka_unit_test(decide_what_no_vm_gets_is_refused),
		cmocka_unit_test(decide_protected_only_with_force),
		cmocka_unit_test(decide_identity_is_id_and_path),
		cmocka_unit_test(decide_facts_unknown_hands_off),
		cmocka_unit_test(decide_protect_moved_covers_every_such_id),
		cmocka_unit_test(decide_boot_vga_keep_or_bind),
		cmocka_unit_test(decide_vfio_driver_is_kept),
		cmocka_unit_test(decide_without_iommu_refuses_or_holds),
		cmocka_unit_test(decide_noiommu_mode_is_refused),
		cmocka_unit_test(decide_without_group_says_why),
		cmocka_unit_test(decide_group_warn_marks_who_crowds),
		cmocka_unit_test(decide_group_claim_takes_the_rest),
		cmocka_unit_test(decide_group_claim_refused_names_the_mate),
		cmocka_unit_test(decide_group_refuse_all_or_none),
		cmocka_unit_test(decide_overlap_names_the_second_line),
		cmocka_unit_test(decide_matched_lines_have_a_function),
		cmocka_unit_test(decide_group_bridges_that_count),
		cmocka_unit_test(decide_late_group_is_no_refusal),
		cmocka_unit_test(decide_is_taken_by_vfio_or_nobody),
		cmocka_unit_test(tell_whole_small_buffer_is_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
