// SPDX-License-Identifier: GPL-2.0-or-later
/* hook/util/file.c: files that are whole, too long, or no files at all. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "util/file.h"

static void what_is_no_file_is_an_error_at_once(void **state)
{
	int rootfd = fixture_begin();

	(void)state;
	fixture_dir("folder");
	assert_int_equal(mkfifoat(rootfd, "fifo", 0644), 0);
	/* A wait for a writer ends the test. */
	alarm(10);
	assert_int_equal(file_open(rootfd, "fifo"), -ENOTSUP);
	alarm(0);
	assert_int_equal(file_open(AT_FDCWD, "/dev/null"), -ENOTSUP);
	assert_int_equal(file_open(rootfd, "folder"), -EISDIR);
	assert_int_equal(file_open(rootfd, "nothing"), -ENOENT);
	assert_null(file_stream(rootfd, "fifo"));
	assert_int_equal(errno, ENOTSUP);
	fixture_end();
}

static void link_stays_below_the_folder(void **state)
{
	char buf[8];
	int rootfd = fixture_begin(), fd;

	(void)state;
	fixture_dir("etc");
	fixture_file("etc/inside", "inside");
	fixture_link("absolute", "/etc/inside");
	fixture_link("above", "../../../etc/inside");
	fixture_link("outside", "/etc/passwd");
	assert_int_equal(file_read_once(rootfd, "absolute", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "inside");
	assert_int_equal(file_read_once(rootfd, "above", buf, sizeof(buf)), 0);
	assert_int_equal(file_open(rootfd, "outside"), -ENOENT);
	fd = file_open_folder(rootfd, "/etc");
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_open_folder(rootfd, "absolute"), -ENOTDIR);
	fixture_end();
}

static void one_read_is_cut_and_without_white_space(void **state)
{
	char buf[8];
	int rootfd = fixture_begin();

	(void)state;
	fixture_file("attribute", "0x10de \n\n");
	assert_int_equal(file_read_once(rootfd, "attribute", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "0x10de");
	assert_int_equal(file_read_once(rootfd, "attribute", buf, 4), 0);
	assert_string_equal(buf, "0x1");
	assert_int_equal(file_read_once(rootfd, "nothing", buf, sizeof(buf)), -ENOENT);
	assert_string_equal(buf, "");
	fixture_end();
}

static void whole_file_of_any_length_is_read(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
	char *text, *long_text = malloc(100001);
	size_t size;

	(void)state;
	assert_non_null(long_text);
	memset(long_text, 'x', 100000);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int rootfd = fixture_begin();

		long_text[sizes[i]] = '\0';
		fixture_file("file", "%s", long_text);
		assert_int_equal(file_read(rootfd, "file", sizes[i], &text, &size), 0);
		assert_int_equal(size, sizes[i]);
		assert_string_equal(text, long_text);
		free(text);
		if (sizes[i]) {
			assert_int_equal(file_read(rootfd, "file", sizes[i] - 1, &text, &size),
					 -EFBIG);
			assert_null(text);
		}
		long_text[sizes[i]] = 'x';
		fixture_end();
	}
	free(long_text);
}

static void replaced_file_keeps_its_mode_and_leaves_nothing_beside(void **state)
{
	struct stat like = { .st_mode = S_IFREG | 0600, .st_uid = geteuid(), .st_gid = getegid() };
	struct stat st;
	int rootfd = fixture_begin();

	(void)state;
	fixture_file("dir/file", "old");
	/* Left by one who died. */
	fixture_file("dir/.file.vfio-early-new", "longer than the new text");
	assert_int_equal(file_replace(rootfd, "dir/file", &like, "new\n", 4), 0);
	assert_string_equal(fixture_read("dir/file"), "new\n");
	assert_int_equal(fstatat(rootfd, "dir/file", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(faccessat(rootfd, "dir/.file.vfio-early-new", F_OK, 0), -1);
	assert_int_equal(file_replace(rootfd, "plain", NULL, "", 0), 0);
	assert_int_equal(fstatat(rootfd, "plain", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(file_replace(rootfd, "nowhere/file", NULL, "x", 1), -ENOENT);
	fixture_end();
}

/* Whoever holds the hidden file writes it to its end; the next one begins after that. */
static void two_writers_of_one_file_wait_for_each_other(void **state)
{
	char text[2][4096];
	int rootfd = fixture_begin();
	pid_t pid;
	int status;

	(void)state;
	memset(text[0], 'a', sizeof(text[0]));
	memset(text[1], 'b', sizeof(text[1]));
	text[0][4095] = text[1][4095] = '\0';
	pid = fork();
	for (unsigned int i = 0; i < 200; i++) {
		int ret = file_replace(rootfd, "file", NULL, text[!pid], 4095);
		const char *now;

		if (!pid && ret)
			_exit(1);
		if (!pid)
			continue;
		assert_int_equal(ret, 0);
		now = fixture_read("file");
		assert_true(!strcmp(now, text[0]) || !strcmp(now, text[1]));
	}
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fixture_end();
}

static void created_file_is_never_written_over(void **state)
{
	int rootfd = fixture_begin();

	(void)state;
	assert_int_equal(file_create(rootfd, "file", NULL, "one", 3), 0);
	assert_int_equal(file_create(rootfd, "file", NULL, "two", 3), -EEXIST);
	assert_string_equal(fixture_read("file"), "one");
	assert_int_equal(file_rename(rootfd, "file", "other"), 0);
	assert_string_equal(fixture_read("other"), "one");
	assert_int_equal(file_sync(rootfd, "."), 0);
	assert_int_equal(file_sync(rootfd, "file"), -ENOENT);
	fixture_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_file_is_an_error_at_once),
		cmocka_unit_test(link_stays_below_the_folder),
		cmocka_unit_test(one_read_is_cut_and_without_white_space),
		cmocka_unit_test(whole_file_of_any_length_is_read),
		cmocka_unit_test(replaced_file_keeps_its_mode_and_leaves_nothing_beside),
		cmocka_unit_test(two_writers_of_one_file_wait_for_each_other),
		cmocka_unit_test(created_file_is_never_written_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
