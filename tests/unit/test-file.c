// SPDX-License-Identifier: GPL-2.0-or-later
/* hook/util/file.c: files that are whole, too long, or no files at all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "util/file.h"

static void what_is_no_file_is_an_error_at_once(void **state)
{
	int rootfd = fixture_begin();

	(void)state;
	fixture_dir("folder");
	fixture_link("null", "/dev/null");
	assert_int_equal(mkfifoat(rootfd, "fifo", 0644), 0);
	/* A wait for a writer ends the test. */
	alarm(10);
	assert_int_equal(file_open(rootfd, "fifo"), -ENOTSUP);
	alarm(0);
	assert_int_equal(file_open(rootfd, "null"), -ENOTSUP);
	assert_int_equal(file_open(rootfd, "folder"), -EISDIR);
	assert_int_equal(file_open(rootfd, "nothing"), -ENOENT);
	assert_null(file_stream(rootfd, "fifo"));
	assert_int_equal(errno, ENOTSUP);
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
		fixture_file("file", long_text);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_file_is_an_error_at_once),
		cmocka_unit_test(one_read_is_cut_and_without_white_space),
		cmocka_unit_test(whole_file_of_any_length_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
