// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * early/iommu.c: every state of the IOMMU from files of a fake root, and its description, which
 * ends in the next step to take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "early/iommu.h"
#include "early/tell.h"
#include "tests/unit/fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *units; /* in /sys/class/iommu, with blanks between them */
	const char *table; /* NULL: none */
	const char *cmdline;
	const char *module; /* what vfio's parameter reads; NULL: not loaded */
	bool planned;	    /* the plan would load it so */
	enum iommu_state state;
	const char *text;
} rows[] = {
	{ "dmar0", "DMAR", "", NULL, false, IOMMU_ON, "IOMMU on (dmar0)" },
	{ "dmar1 dmar0", "DMAR", "", NULL, false, IOMMU_ON, "IOMMU on (dmar0 and others)" },
	{ "ivhd0", "IVRS", "", NULL, false, IOMMU_ON, "IOMMU on (ivhd0)" },
	{ "smmu3.0x2b400000", "IORT", "", NULL, false, IOMMU_ON, "IOMMU on (smmu3.0x2b400000)" },
	/* What the kernel did counts, not what it was told. */
	{ "dmar0", "DMAR", "intel_iommu=off", NULL, false, IOMMU_ON, "IOMMU on (dmar0)" },
	{ "dmar0", NULL, "acpi=off", NULL, false, IOMMU_ON, "IOMMU on (dmar0)" },
	{ "dmar0", "DMAR", "", "Y", true, IOMMU_ON, "IOMMU on (dmar0)" },

	{ "", NULL, "", NULL, false, IOMMU_OFF_FIRMWARE,
	  "IOMMU off in the firmware (no DMAR, IVRS or IORT): switch on VT-d, AMD-Vi or SMMU "
	  "there" },
	{ "", NULL, "intel_iommu=on iommu=pt", NULL, false, IOMMU_OFF_FIRMWARE,
	  "IOMMU off in the firmware (no DMAR, IVRS or IORT): switch on VT-d, AMD-Vi or SMMU "
	  "there" },
	{ "", NULL, "ro acpi=off", NULL, false, IOMMU_OFF_KERNEL,
	  "IOMMU off in the kernel (firmware table hidden): remove kernel parameter acpi=off" },
	{ "", "DMAR", "ro intel_iommu=off", NULL, false, IOMMU_OFF_KERNEL,
	  "IOMMU off in the kernel (firmware table DMAR): remove kernel parameter "
	  "intel_iommu=off" },
	{ "", "DMAR", "ro intel_iommu=sm_on,off", NULL, false, IOMMU_OFF_KERNEL,
	  "IOMMU off in the kernel (firmware table DMAR): remove kernel parameter "
	  "intel_iommu=sm_on,off" },
	{ "", "DMAR", "ro iommu=off", NULL, false, IOMMU_OFF_KERNEL,
	  "IOMMU off in the kernel (firmware table DMAR): remove kernel parameter iommu=off" },
	{ "", "DMAR", "ro amd_iommu=off", NULL, false, IOMMU_OFF_KERNEL,
	  "IOMMU off in the kernel (firmware table DMAR): add kernel parameter intel_iommu=on" },
	{ "", "IVRS", "ro amd_iommu=off", NULL, false, IOMMU_OFF_KERNEL,
	  "IOMMU off in the kernel (firmware table IVRS): remove kernel parameter "
	  "amd_iommu=off" },
	{ "", "IVRS", "ro intel_iommu=off", NULL, false, IOMMU_OFF_KERNEL,
	  "IOMMU off in the kernel (firmware table IVRS): see dmesg | grep -i iommu" },
	{ "", "TREE", "ro iommu.passthrough=1", NULL, false, IOMMU_OFF_FIRMWARE,
	  "IOMMU off, no SMMU of this board's device tree is in use: see dmesg | grep -i -e smmu "
	  "-e iommu" },
	{ "", "TREE", "", "Y", false, IOMMU_NOIOMMU,
	  "IOMMU off, and vfio in noiommu mode, which isolates no VM: remove "
	  "enable_unsafe_noiommu_mode" },
	{ "smmu3.0x0000000009050000", "TREE", "", NULL, false, IOMMU_ON,
	  "IOMMU on (smmu3.0x0000000009050000)" },
	{ "", "IORT", "", NULL, false, IOMMU_OFF_KERNEL,
	  "IOMMU off in the kernel (firmware table IORT): see dmesg | grep -i iommu" },
	{ "", NULL, "", "Y", false, IOMMU_NOIOMMU,
	  "IOMMU off, and vfio in noiommu mode, which isolates no VM: remove "
	  "enable_unsafe_noiommu_mode" },
	{ "", "DMAR", "intel_iommu=off", NULL, true, IOMMU_NOIOMMU,
	  "IOMMU off, and vfio in noiommu mode, which isolates no VM: remove "
	  "enable_unsafe_noiommu_mode" },
	{ "", NULL, "", "N", false, IOMMU_OFF_FIRMWARE,
	  "IOMMU off in the firmware (no DMAR, IVRS or IORT): switch on VT-d, AMD-Vi or SMMU "
	  "there" },
};

static void iommu_read_each_state_is_described(void **state)
{
	unsigned int bad = 0;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		char units[64], *rest = units, *unit, path[64], text[256];
		struct iommu iommu;
		int rootfd = fixture_begin();

		strcpy(units, rows[i].units);
		while ((unit = strtok_r(rest, " ", &rest))) {
			snprintf(path, sizeof(path), "sys/class/iommu/%s", unit);
			fixture_dir(path);
		}
		if (rows[i].table && !strcmp(rows[i].table, "TREE")) {
			fixture_file("sys/firmware/devicetree/base/model", "a board");
		} else if (rows[i].table) {
			snprintf(path, sizeof(path), "sys/firmware/acpi/tables/%s", rows[i].table);
			fixture_file(path, "x");
		}
		if (rows[i].module)
			fixture_file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
				     "%s\n", rows[i].module);
		iommu_read(rootfd, rows[i].cmdline, rows[i].planned, &iommu);
		tell_iommu_whole(&iommu, text, sizeof(text));
		if (iommu.state != rows[i].state || strcmp(text, rows[i].text) != 0) {
			print_error("%zu: %s\n", i, text);
			bad++;
		}
		fixture_end();
	}
	assert_int_equal(bad, 0);
}

static void iommu_read_remapping_is_ir_in_interrupts(void **state)
{
	int rootfd = fixture_begin();
	struct iommu iommu;

	(void)state;
	fixture_dir("sys/class/iommu/dmar0");
	fixture_file("sys/firmware/acpi/tables/DMAR", "x");
	fixture_file("proc/interrupts", "     CPU0\n  1:  9  IO-APIC   1-edge  i8042\n"
					" 24:  0  PCI-MSI  65536-edge  PCIe PME\n");
	iommu_read(rootfd, "", false, &iommu);
	assert_false(iommu.has_remapping);
	assert_true(iommu_wants_remapping(&iommu));
	fixture_file("proc/interrupts", "     CPU0\n  1:  9  IR-IO-APIC   1-edge  i8042\n");
	iommu_read(rootfd, "", false, &iommu);
	assert_true(iommu.has_remapping);
	fixture_end();
}

/* A kernel that was started by ACPI may show a device tree too. */
static void iommu_read_device_tree_beside_acpi_says_nothing(void **state)
{
	int rootfd = fixture_begin();
	struct iommu iommu;

	(void)state;
	fixture_file("sys/firmware/devicetree/base/model", "a board");
	fixture_dir("sys/firmware/acpi/tables");
	iommu_read(rootfd, "", false, &iommu);
	assert_int_equal(iommu.table, IOMMU_TABLE_NONE);
	fixture_file("sys/firmware/acpi/tables/IORT", "x");
	iommu_read(rootfd, "", false, &iommu);
	assert_int_equal(iommu.table, IOMMU_TABLE_IORT);
	fixture_end();
}

static void iommu_read_smmu_is_told_by_the_unit(void **state)
{
	static const struct {
		const char *unit;
		bool is_smmu;
	} units[] = {
		{ "smmu3.0x0000000009050000", true },
		{ "smmu.0x0000000009050000", true },
		{ "dmar0", false },
		{ "ivhd0", false },
		{ "virtio0", false },
	};

	(void)state;
	for (size_t i = 0; i < N(units); i++) {
		int rootfd = fixture_begin();
		struct iommu iommu;
		char path[64];

		snprintf(path, sizeof(path), "sys/class/iommu/%s", units[i].unit);
		fixture_dir(path);
		iommu_read(rootfd, "", false, &iommu);
		assert_int_equal(iommu.has_smmu, units[i].is_smmu);
		fixture_end();
	}
}

static void iommu_wants_remapping_not_on_arm(void **state)
{
	const struct iommu arm = { .table = IOMMU_TABLE_IORT }, none = { 0 };
	const struct iommu intel = { .table = IOMMU_TABLE_DMAR },
			   amd = { .table = IOMMU_TABLE_IVRS };

	(void)state;
	assert_false(iommu_wants_remapping(&arm));
	assert_false(iommu_wants_remapping(&none));
	assert_true(iommu_wants_remapping(&intel));
	assert_true(iommu_wants_remapping(&amd));
}

static void iommu_read_igfx_parameter_is_kept_when_on(void **state)
{
	int rootfd = fixture_begin();
	struct iommu iommu;

	(void)state;
	fixture_dir("sys/class/iommu/dmar0");
	iommu_read(rootfd, "ro intel_iommu=on,igfx_off", false, &iommu);
	assert_int_equal(iommu.state, IOMMU_ON);
	assert_int_equal(iommu.units, 1);
	assert_string_equal(iommu.igfx_param, "intel_iommu=on,igfx_off");
	assert_string_equal(iommu.param, "");
	fixture_end();
}

static void tell_iommu_small_buffer_is_not_overrun(void **state)
{
	const struct iommu off = { .state = IOMMU_OFF_FIRMWARE };
	char text[12] = "xxxxxxxxxxx";

	(void)state;
	assert_string_equal(tell_iommu_whole(&off, text, 8), "IOMMU o");
	assert_string_equal(text + 8, "xxx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iommu_read_each_state_is_described),
		cmocka_unit_test(iommu_read_remapping_is_ir_in_interrupts),
		cmocka_unit_test(iommu_read_device_tree_beside_acpi_says_nothing),
		cmocka_unit_test(iommu_read_smmu_is_told_by_the_unit),
		cmocka_unit_test(iommu_wants_remapping_not_on_arm),
		cmocka_unit_test(iommu_read_igfx_parameter_is_kept_when_on),
		cmocka_unit_test(tell_iommu_small_buffer_is_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
