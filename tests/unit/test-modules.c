// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "early/modules.h"
#include "early/tell.h"
#include "tests/unit/fixture.h"

static const struct plan_module vfio_pci = { .path = "/lib/modules/6.1.0/vfio-pci", .options = "" };

/* What is said of a module that came to this end. */
static const char *said(enum module_step step, int error, const char *cmdline)
{
	const struct module_result result = { .step = step, .error = error };
	static char buf[512];

	return tell_module(&vfio_pci, &result, cmdline, buf, sizeof(buf));
}

static void tell_module_names_the_next_step(void **state)
{
	(void)state;
	assert_string_equal(said(MODULE_LOADED, 0, ""), "");
	assert_string_equal(said(MODULE_MISSING, ENOENT, ""),
			    "module vfio-pci: /lib/modules/6.1.0/vfio-pci.ko is not in this image; "
			    "run vfio-early apply");
	assert_string_equal(
		said(MODULE_OPEN, EIO, ""),
		"module vfio-pci: Input/output error; see the kernel's own message above");
	assert_string_equal(said(MODULE_LOAD, EPERM, "module_blacklist=x,vfio_pci"),
			    "module vfio-pci: refused: remove kernel parameter "
			    "module_blacklist=x,vfio_pci");
	assert_string_equal(said(MODULE_MODPROBE, EOPNOTSUPP, ""),
			    "module vfio-pci: Operation not supported; the kernel cannot unpack it, "
			    "and modprobe failed");
}

static void modules_load_what_is_not_there_is_missing(void **state)
{
	int rootfd = fixture_begin();
	struct module_result result;

	(void)state;
	modules_load(rootfd, &vfio_pci, &result);
	assert_int_equal(result.step, MODULE_MISSING);
	assert_int_equal(result.error, ENOENT);
	fixture_end();
}

static void modules_load_that_cannot_be_opened_is_not_missing(void **state)
{
	int rootfd = fixture_begin();
	struct module_result result;

	(void)state;
	fixture_link("lib/modules/6.1.0/vfio-pci.ko", "vfio-pci.ko");
	modules_load(rootfd, &vfio_pci, &result);
	assert_int_equal(result.step, MODULE_OPEN);
	assert_int_equal(result.error, ELOOP);
	fixture_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tell_module_names_the_next_step),
		cmocka_unit_test(modules_load_what_is_not_there_is_missing),
		cmocka_unit_test(modules_load_that_cannot_be_opened_is_not_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
