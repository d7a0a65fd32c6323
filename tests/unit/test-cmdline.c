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
	{ "vfio-early=off", "vfio_early", "off", NULL },
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
		cmocka_unit_test(cmdline_find_long_parameter_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
