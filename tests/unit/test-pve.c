// SPDX-License-Identifier: GPL-2.0-or-later
/* hook/host/pve_config.c, the text formats of Proxmox VE, and hook/util/child.c, by which they are read. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/pve_config.h"
#include "util/child.h"
#include "util/file.h"

static const char *property(const char *value, const char *key)
{
	static char buf[64];

	return pve_property(value, "host", key, buf, sizeof(buf));
}

static void property_default_key_anywhere(void **state)
{
	(void)state;
	assert_string_equal(property("0000:81:00,pcie=1", "host"), "0000:81:00");
	assert_string_equal(property("pcie=1,0000:81:00", "host"), "0000:81:00");
	assert_string_equal(property("pcie=1,host=81:00.0;81:00.1", "host"), "81:00.0;81:00.1");
	assert_string_equal(property("0000:81:00,pcie=1", "pcie"), "1");
	assert_null(property("0000:81:00,pcie=1", "x-vga"));
	assert_null(property("mapping=host", "host"));
	assert_null(property("", "host"));
	assert_string_equal(property(",,81:00,", "host"), "81:00");
	/* "pcie" is no property of its own here, and "hosts" is not "host". */
	assert_null(property("hosts=1,xpcie=1", "pcie"));
}

static void booleans_as_pve_reads_them(void **state)
{
	(void)state;
	assert_true(pve_is_true("1"));
	assert_true(pve_is_true("on"));
	assert_true(pve_is_true("Yes"));
	assert_true(pve_is_true("TRUE"));
	assert_false(pve_is_true("0"));
	assert_false(pve_is_true("off"));
	assert_false(pve_is_true(""));
	assert_false(pve_is_true(NULL));
}

static void config_sections(void **state)
{
	struct pve_config config = { 0 };

	(void)state;
	assert_int_equal(pve_config_parse("#a comment: 1\n"
					  "bios: ovmf  \r\n"
					  "hostpci0:0000:01:00\n"
					  "hostpci1: 02:00\n"
					  "usb0: host=1-2\n"
					  "memory: 1\nmemory: 2\n"
					  "\n"
					  "[PENDING]\n"
					  "delete: usb0,!hostpci1\n"
					  "vga: none\n"
					  "[snap]\n"
					  "bios: seabios\n"
					  "hostpci5: 03:00\n"
					  "[special:cloudinit]\n"
					  "vga: std",
					  &config),
			 0);
	assert_string_equal(pve_config_get(&config, "bios"), "ovmf");
	assert_string_equal(pve_config_indexed(&config, "hostpci", 0), "0000:01:00");
	assert_null(pve_config_indexed(&config, "hostpci", 1));
	assert_null(pve_config_indexed(&config, "hostpci", 5));
	assert_null(pve_config_get(&config, "usb0"));
	assert_null(pve_config_get(&config, "#a comment"));
	assert_string_equal(pve_config_get(&config, "memory"), "2");
	assert_string_equal(pve_config_get(&config, "vga"), "none");
	assert_true(pve_config_option(&config, "vga")->is_pending);
	assert_false(pve_config_option(&config, "bios")->is_pending);
	pve_config_free(&config);
}

static void config_of_anything(void **state)
{
	static const char *const texts[] = { "",
					     "\n",
					     ":",
					     ": x",
					     "a:",
					     "a",
					     "[",
					     "[PENDING]",
					     "\xff\xfe: \xff",
					     "hostpci0: ",
					     "lxc.x: a\nlxc.x: b" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pve_config config = { 0 };

		assert_int_equal(pve_config_parse(texts[i], &config), 0);
		pve_config_free(&config);
	}
}

static void mappings_of_nodes(void **state)
{
	struct pve_mappings mappings = { 0 };
	const struct pve_mapping *mapping;

	(void)state;
	assert_int_equal(pve_mappings_parse("gpu\n"
					    "\tdescription the fast one\n"
					    "\tmap id=10de:1e84,node=a,path=0000:01:00\n"
					    "\tmap id=10de:1e84,node=b,path=0000:41:00\n"
					    "\tmdev 1\n"
					    "\n"
					    "nic\n"
					    "  map id=8086:1533,node=a,path=0000:02:00.0\n",
					    &mappings),
			 0);
	assert_int_equal(mappings.count, 2);
	mapping = pve_mappings_find(&mappings, "gpu");
	assert_non_null(mapping);
	assert_int_equal(mapping->maps, 2);
	assert_true(mapping->has_mdev);
	assert_string_equal(mapping->map[1], "id=10de:1e84,node=b,path=0000:41:00");
	assert_int_equal(pve_mappings_find(&mappings, "nic")->maps, 1);
	assert_null(pve_mappings_find(&mappings, "none"));
	pve_mappings_free(&mappings);

	/* A line of a mapping before any has a name. */
	assert_int_equal(pve_mappings_parse("\tmap id=1\n\t\n\n#x\n", &mappings), 0);
	assert_int_equal(mappings.count, 0);
	pve_mappings_free(&mappings);
}

/* --- a child with a deadline */

static int say(int fd, void *arg)
{
	return file_write(fd, arg, strlen(arg));
}

static int say_and_hang(int fd, void *arg)
{
	say(fd, arg);
	pause();
	return 0;
}

static int say_and_fail(int fd, void *arg)
{
	say(fd, arg);
	return -EACCES;
}

static int say_and_crash(int fd, void *arg)
{
	say(fd, arg);
	return raise(SIGKILL);
}

static void child_says(void **state)
{
	char whole[] = "all of it", part[] = "part";
	char *text;
	size_t size;

	(void)state;
	assert_int_equal(child_run(say, whole, 10000, &text, &size), 0);
	assert_string_equal(text, "all of it");
	assert_int_equal(size, 9);
	free(text);
	assert_int_equal(child_run(say_and_fail, part, 10000, &text, &size), -EACCES);
	assert_string_equal(text, "part");
	free(text);
	assert_int_equal(child_run(say_and_crash, part, 10000, &text, &size), -ECHILD);
	assert_string_equal(text, "part");
	free(text);
}

/* What hangs costs the deadline, and what came before it is kept. */
static void child_hangs_times_out(void **state)
{
	struct timespec begin, end;
	char part[] = "part";
	char *text;
	size_t size;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(child_run(say_and_hang, part, 200, &text, &size), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_string_equal(text, "part");
	free(text);
	/* pause() alone would never end. */
	assert_true(end.tv_sec - begin.tv_sec < 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(property_default_key_anywhere),
		cmocka_unit_test(booleans_as_pve_reads_them),
		cmocka_unit_test(config_sections),
		cmocka_unit_test(config_of_anything),
		cmocka_unit_test(mappings_of_nodes),
		cmocka_unit_test(child_says),
		cmocka_unit_test(child_hangs_times_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
