// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * early/cmdline.c: a parameter is found whole or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "early/cmdline.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *cmdline, *name, *value;
	const char *found; /* NULL: not there */
} rows[] = {
	{ "ro intel_iommu=off quiet\n", "intel_iommu", "off", "intel_iommu=off" },
	{ "intel_iommu=off", "intel_iommu", "off", "intel_iommu=off" },
	{ "ro\tintel_iommu=off\n", "intel_iommu", "off", "intel_iommu=off" },
	{ "  intel_iommu=off  ", "intel_iommu", "off", "intel_iommu=off" },
	{ "intel_iommu=on,igfx_off ro", "intel_iommu", "igfx_off", "intel_iommu=on,igfx_off" },
	{ "intel_iommu=igfx_off,sm_on", "intel_iommu", "igfx_off", "intel_iommu=igfx_off,sm_on" },
	{ "intel_iommu=on intel_iommu=off", "intel_iommu", "off", "intel_iommu=off" },
	{ "module_blacklist=nouveau,vfio_pci", "module_blacklist", "vfio_pci",
	  "module_blacklist=nouveau,vfio_pci" },
	{ "vfio_early=off", "vfio_early", "off", "vfio_early=off" },
	{ "", "vfio_early", "off", NULL },
	{ "\n", "vfio_early", "off", NULL },
	{ "vfio_early", "vfio_early", "off", NULL },
	{ "vfio_early=", "vfio_early", "off", NULL },
	{ "vfio_early=,", "vfio_early", "off", NULL },
	{ "vfio_early off", "vfio_early", "off", NULL },
	{ "xvfio_early=off", "vfio_early", "off", NULL },
	{ "vfio_early=offf", "vfio_early", "off", NULL },
	{ "vfio_early=of", "vfio_early", "off", NULL },
	{ "vfio_early.x=off", "vfio_early", "off", NULL },
	{ "vfio-early=off", "vfio_early", "off", "vfio-early=off" },
	{ "intel-iommu=off", "intel_iommu", "off", "intel-iommu=off" },
	{ "\"vfio_early=off\" ro", "vfio_early", "off", "\"vfio_early=off\"" },
	{ "vfio_early=\"off\"", "vfio_early", "off", "vfio_early=\"off\"" },
	{ "vfio_early=\"on,off\"", "vfio_early", "off", "vfio_early=\"on,off\"" },
	{ "x=\"a b\" vfio_early=off", "vfio_early", "off", "vfio_early=off" },
	{ "x=\"a vfio_early=off b\"", "vfio_early", "off", NULL },
	{ "\"x vfio_early=off\"", "vfio_early", "off", NULL },
	{ "ro -- vfio_early=off", "vfio_early", "off", NULL },
	{ "vfio_early=off -- x", "vfio_early", "off", "vfio_early=off" },
	{ "--x vfio_early=off", "vfio_early", "off", "vfio_early=off" },
	{ "\"", "vfio_early", "off", NULL },
	{ "vfio_early=\"", "vfio_early", "off", NULL },
	{ "vfio_early=Off", "vfio_early", "off", NULL },
	{ "vfio_early=on=off", "vfio_early", "off", NULL },
	{ "x=vfio_early=off", "vfio_early", "off", NULL },
	{ "intel_iommu=on", "iommu", "on", NULL },
	{ "iommu=pt intel_iommu=off", "iommu", "off", NULL },
};

static void cmdline_find_whole_tokens_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		char found[CMDLINE_PARAM_SIZE] = "untouched";
		bool there = cmdline_find(rows[i].cmdline, rows[i].name, rows[i].value, found);

		if (there != (rows[i].found != NULL) ||
		    strcmp(found, there ? rows[i].found : "") != 0)
			fail_msg("\"%s\": \"%s\"", rows[i].cmdline, found);
		assert_int_equal(cmdline_find(rows[i].cmdline, rows[i].name, rows[i].value, NULL),
				 there);
	}
}

static void cmdline_mode_way_out_wins(void **state)
{
	static const struct {
		const char *cmdline;
		enum cmdline_mode mode;
		const char *unknown;
	} modes[] = {
		{ "ro quiet", CMDLINE_RUN, "" },
		{ "vfio_early=off", CMDLINE_OFF, "" },
		{ "vfio-early=OFF", CMDLINE_OFF, "" },
		{ "\"vfio_early=off\"", CMDLINE_OFF, "" },
		{ "vfio_early=\"Off\"", CMDLINE_OFF, "" },
		{ "vfio_early=dry-run", CMDLINE_DRY_RUN, "" },
		{ "vfio_early=Dry-Run", CMDLINE_DRY_RUN, "" },
		{ "vfio_early=off vfio_early=dry-run", CMDLINE_OFF, "" },
		{ "vfio_early=dry-run vfio_early=off", CMDLINE_OFF, "" },
		{ "vfio_early=dryrun", CMDLINE_UNKNOWN, "vfio_early=dryrun" },
		{ "vfio_early=", CMDLINE_UNKNOWN, "vfio_early=" },
		{ "vfio_early", CMDLINE_UNKNOWN, "vfio_early" },
		{ "vfio_early=on", CMDLINE_UNKNOWN, "vfio_early=on" },
		{ "vfio_early=of", CMDLINE_UNKNOWN, "vfio_early=of" },
		{ "vfio_early=offf", CMDLINE_UNKNOWN, "vfio_early=offf" },
		{ "vfio_early=off,x", CMDLINE_UNKNOWN, "vfio_early=off,x" },
		{ "-- vfio_early=off", CMDLINE_RUN, "" },
		{ "xvfio_early=off vfio_early.x=off", CMDLINE_RUN, "" },
		{ "x=\" vfio_early=off \"", CMDLINE_RUN, "" },
	};

	(void)state;
	for (size_t i = 0; i < N(modes); i++) {
		char unknown[CMDLINE_PARAM_SIZE] = "untouched";

		assert_int_equal(cmdline_mode(modes[i].cmdline, unknown), modes[i].mode);
		assert_string_equal(unknown, modes[i].unknown);
		assert_int_equal(cmdline_mode(modes[i].cmdline, NULL), modes[i].mode);
	}
}

static void cmdline_find_long_parameter_is_cut(void **state)
{
	char cmdline[200] = "ro module_blacklist=vfio_pci,", found[CMDLINE_PARAM_SIZE];
	size_t len = strlen(cmdline);

	(void)state;
	memset(cmdline + len, 'x', sizeof(cmdline) - 1 - len);
	cmdline[sizeof(cmdline) - 1] = '\0';
	assert_true(cmdline_find(cmdline, "module_blacklist", "vfio_pci", found));
	assert_int_equal(strlen(found), CMDLINE_PARAM_SIZE - 1);
	assert_memory_equal(found, cmdline + 3, CMDLINE_PARAM_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmdline_find_whole_tokens_only),
		cmocka_unit_test(cmdline_mode_way_out_wins),
		cmocka_unit_test(cmdline_find_long_parameter_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
