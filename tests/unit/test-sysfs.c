// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "early/sysfs.h"
#include "tests/unit/fixture.h"

static char seen[16384];
static unsigned int lines;

static int note_line(const char *line, void *arg)
{
	lines++;
	strcat(seen, line);
	strcat(seen, "|");
	return arg && !strcmp(line, arg) ? 42 : 0;
}

static int begin(void)
{
	lines = 0;
	seen[0] = '\0';
	return fixture_begin();
}

static void sysfs_read_one_value_without_its_newline(void **state)
{
	int rootfd = begin();
	char buf[8];

	(void)state;
	fixture_file("attribute", "seven77\n");
	assert_int_equal(sysfs_read(rootfd, "attribute", buf, sizeof(buf)), -EFBIG);
	assert_string_equal(buf, "seven77");
	fixture_file("attribute", "six 66\n");
	assert_int_equal(sysfs_read(rootfd, "attribute", buf, sizeof(buf)), 6);
	assert_string_equal(buf, "six 66");
	assert_int_equal(sysfs_read(rootfd, ".", buf, sizeof(buf)), -EISDIR);
	assert_string_equal(buf, "");
	assert_int_equal(sysfs_read(rootfd, "nothing", buf, sizeof(buf)), -ENOENT);
	fixture_end();
}

static void sysfs_for_each_line_all_or_until_told(void **state)
{
	int rootfd = begin();

	(void)state;
	fixture_file("file", "one\ntwo\n\nthree");
	assert_int_equal(sysfs_for_each_line(rootfd, "file", note_line, NULL), 0);
	assert_string_equal(seen, "one|two||three|");
	seen[0] = '\0';
	assert_int_equal(sysfs_for_each_line(rootfd, "file", note_line, (void *)"two"), 42);
	assert_string_equal(seen, "one|two|");
	assert_int_equal(sysfs_for_each_line(rootfd, "nothing", note_line, NULL), -ENOENT);
	assert_int_equal(sysfs_for_each_line(rootfd, ".", note_line, NULL), -EISDIR);
	fixture_end();
}

static void sysfs_for_each_line_long_line_in_pieces(void **state)
{
	int rootfd = begin();

	(void)state;
	fixture_file("file", "%05000d\nlast\n", 7);
	assert_int_equal(sysfs_for_each_line(rootfd, "file", note_line, NULL), 0);
	assert_int_equal(lines, 4);
	assert_non_null(strstr(seen, "7|last|"));
	assert_int_equal(strlen(seen), 5000 + 4 + 4);
	fixture_end();
}

static void sysfs_link_name_last_part_or_error(void **state)
{
	int rootfd = begin();
	char buf[8], text[16];

	(void)state;
	fixture_link("link", "../../drivers/nouveau");
	assert_int_equal(sysfs_link_name(rootfd, "link", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "nouveau");
	fixture_link("plain", "name");
	assert_int_equal(sysfs_link_name(rootfd, "plain", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "name");
	fixture_link("long", "a/longer-1");
	assert_int_equal(sysfs_link_name(rootfd, "long", buf, sizeof(buf)), -ENAMETOOLONG);
	assert_string_equal(buf, "");
	assert_int_equal(sysfs_link(rootfd, "link", text, sizeof(text)), -ENAMETOOLONG);
	assert_int_equal(sysfs_link_name(rootfd, "nothing", buf, sizeof(buf)), -ENOENT);
	fixture_end();
}

static void sysfs_path_that_does_not_fit_is_none(void **state)
{
	char buf[SYSFS_PATH_MAX], name[SYSFS_PATH_MAX];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_string_equal(sysfs_path(buf, "sys/%s", name), "");
	assert_string_equal(sysfs_path(buf, "sys/%s", "bus"), "sys/bus");
}

static void sysfs_store_full_device_is_error(void **state)
{
	int rootfd = begin();

	(void)state;
	assert_int_equal(sysfs_store(AT_FDCWD, "/dev/full", "1"), -ENOSPC);
	assert_int_equal(sysfs_append(rootfd, "nowhere/file", "1", 1), -ENOENT);
	assert_int_equal(sysfs_mkdir(rootfd, "nowhere/dir"), -ENOENT);
	assert_int_equal(sysfs_mkdir(rootfd, "dir"), 0);
	assert_int_equal(sysfs_mkdir(rootfd, "dir"), 0);
	fixture_end();
}

/* Each link of a tree is taken in it, for all that is done with it. */
static void sysfs_link_that_is_absolute_stays_in_the_root(void **state)
{
	int rootfd = begin();
	char buf[32];

	(void)state;
	fixture_file("inside/etc/hostname", "%s", "inside\n");
	fixture_file("inside/sys/here/name", "%s", "here\n");
	fixture_link("inside/sys/there", "/sys/here");
	fixture_link("inside/up", "../../../etc/hostname");
	fixture_link("inside/full", "/dev/full");
	fixture_link("inside/sys/here/driver", "../drivers/one");
	rootfd = sysfs_open_dir(rootfd, "inside");
	assert_true(rootfd >= 0);
	assert_int_equal(sysfs_read(rootfd, "sys/there/name", buf, sizeof(buf)), 4);
	assert_string_equal(buf, "here");
	assert_int_equal(sysfs_read(rootfd, "up", buf, sizeof(buf)), 6);
	assert_string_equal(buf, "inside");
	assert_int_equal(sysfs_link_name(rootfd, "sys/there/driver", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "one");
	assert_true(sysfs_exists(rootfd, "sys/there/name"));
	assert_false(sysfs_exists(rootfd, "full"));
	assert_int_equal(sysfs_store(rootfd, "full", "1"), -ENOENT);
	sysfs_close(rootfd);
	fixture_end();
}

static void sysfs_store_and_read_gives_what_is_there(void **state)
{
	int rootfd = begin();
	char buf[8];

	(void)state;
	fixture_file("file", "%s", "an older value\n");
	assert_int_equal(sysfs_store_and_read(rootfd, "file", "vfio-pci", NULL, buf, sizeof(buf)),
			 -EFBIG);
	assert_string_equal(buf, "vfio-pc");
	fixture_file("file", "%s", "");
	assert_int_equal(sysfs_store_and_read(rootfd, "file", "none\n", NULL, buf, sizeof(buf)), 4);
	assert_string_equal(buf, "none");
	assert_int_equal(sysfs_store_and_read(AT_FDCWD, "/dev/full", "1", NULL, buf, sizeof(buf)),
			 -ENOSPC);
	assert_int_equal(sysfs_store_and_read(rootfd, "nothing", "1", NULL, buf, sizeof(buf)),
			 -ENOENT);
	fixture_end();
}

static void sysfs_open_append_adds_or_starts_anew(void **state)
{
	int rootfd = begin();
	int fd;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		fd = sysfs_open_append(rootfd, "log", i == 2);
		assert_true(fd > 0);
		assert_int_equal(sysfs_write(fd, "1234" + i, 1), 0);
		sysfs_close(fd);
	}
	assert_string_equal(fixture_read("log"), "34");
	assert_int_equal(sysfs_open_append(rootfd, "nowhere/log", false), -ENOENT);
	fixture_end();
}

/* A second open file of it is another run's; a copy of the descriptor is not. */
static void sysfs_lock_waits_no_longer_than_told(void **state)
{
	int rootfd = begin();
	int fd = sysfs_open_append(rootfd, "lock", false);
	int other = sysfs_open_append(rootfd, "lock", false);

	(void)state;
	assert_int_equal(sysfs_lock(fd, 0), 0);
	assert_int_equal(sysfs_lock(fd, 0), 0);
	assert_int_equal(sysfs_lock(other, 0), -ETIMEDOUT);
	assert_int_equal(sysfs_lock(other, 2 * SYSFS_POLL_MS), -ETIMEDOUT);
	sysfs_unlock(fd);
	assert_int_equal(sysfs_lock(other, 0), 0);
	sysfs_close(other);
	assert_int_equal(sysfs_lock(fd, 0), 0);
	sysfs_close(fd);
	assert_int_equal(sysfs_lock(-1, 0), -EBADF);
	fixture_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sysfs_read_one_value_without_its_newline),
		cmocka_unit_test(sysfs_for_each_line_all_or_until_told),
		cmocka_unit_test(sysfs_for_each_line_long_line_in_pieces),
		cmocka_unit_test(sysfs_link_name_last_part_or_error),
		cmocka_unit_test(sysfs_path_that_does_not_fit_is_none),
		cmocka_unit_test(sysfs_store_full_device_is_error),
		cmocka_unit_test(sysfs_link_that_is_absolute_stays_in_the_root),
		cmocka_unit_test(sysfs_store_and_read_gives_what_is_there),
		cmocka_unit_test(sysfs_lock_waits_no_longer_than_told),
		cmocka_unit_test(sysfs_open_append_adds_or_starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
