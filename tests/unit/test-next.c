// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hook/host/next_cmdline.c: an answer of vfio-early-cmdline is read, kept, and given up. The program itself
 * is tests/cmdline's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/next_cmdline.h"
#include "tests/unit/fixture.h"

/* Of an empty tree, for which the program has no answer. */
static void begin(struct root *root)
{
	fixture_begin();
	assert_int_equal(root_open(root, fixture_path()), 0);
}

static void end(struct root *root)
{
	root_close(root);
	fixture_end();
}

static void next_cmdline_reads_what_was_answered(void **state)
{
	struct next_answers answers = { { strdup("quiet\t/etc/default/grub:3\tin-force\n"
						 "*\t/etc/default/grub.d/a:b.cfg:12\tnot-known\n"),
					  strdup("6.1.0-50\t-\t/boot/grub/grub.cfg:9\tsaved\n") } };
	struct next_cmdline next;
	struct next_kernel kernel;
	struct root root;

	(void)state;
	begin(&root);
	/* Twice: it is not used up. */
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(next_cmdline_read(&root, &answers, &next), 0);
		assert_int_equal(next.count, 2);
		assert_string_equal(next.param[0].token, "quiet");
		assert_true(next_param_is_in_force(&next.param[0]));
		assert_string_equal(next.param[1].file, "/etc/default/grub.d/a:b.cfg");
		assert_int_equal(next.param[1].line, 12);
		assert_false(next_param_is_in_force(&next.param[1]));
		next_cmdline_free(&next);
		assert_int_equal(next_kernel_read(&root, &answers, &kernel), 0);
		assert_string_equal(kernel.version, "6.1.0-50");
		assert_null(kernel.image);
		assert_string_equal(kernel.how, "saved");
		next_kernel_free(&kernel);
	}
	next_answers_drop(&answers);
	end(&root);
}

static void next_kernel_reads_what_the_loader_is(void **state)
{
	static const struct {
		const char *answer;
		enum next_loader loader;
		const char *text, *fix;
		int ret;
	} answers[] = {
		{ "6.1\t-\t-\tnewest\nloader\tkept\tGRUB\t\n", NEXT_LOADER_KEPT, "GRUB", NULL, 0 },
		{ "-\t-\t-\tnot-known\nloader\ttwo\tA and B\tremove one\n", NEXT_LOADER_TWO,
		  "A and B", "remove one", 0 },
		{ "loader\tno-esp\tx\t\n", NEXT_LOADER_NO_ESP, "x", NULL, 0 },
		/* An older program, an older report. */
		{ "6.1\t-\t-\tnewest\n", NEXT_LOADER_NOT_TOLD, NULL, NULL, 0 },
		{ "6.1\t-\t-\tnewest\nloader\t\t-\t\n", NEXT_LOADER_NOT_TOLD, NULL, NULL, 0 },
		/* A newer one. */
		{ "loader\tsomething\tx\t\n", NEXT_LOADER_NOT_TOLD, NULL, NULL, 0 },
		{ "loader\tkept\n", NEXT_LOADER_NOT_TOLD, NULL, NULL, -EIO },
	};
	struct root root;

	(void)state;
	begin(&root);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct next_answers given = { { NULL, strdup(answers[i].answer) } };
		struct next_kernel kernel;
		int ret = next_kernel_read(&root, &given, &kernel);

		if (ret != answers[i].ret || (!ret && kernel.loader != answers[i].loader))
			fail_msg("%s: %d, %d", answers[i].answer, ret, kernel.loader);
		assert_int_equal(!kernel.loader_text, !answers[i].text);
		if (answers[i].text)
			assert_string_equal(kernel.loader_text, answers[i].text);
		assert_int_equal(!kernel.loader_fix, !answers[i].fix);
		if (answers[i].fix)
			assert_string_equal(kernel.loader_fix, answers[i].fix);
		next_kernel_free(&kernel);
		next_answers_drop(&given);
	}
	end(&root);
}

static void next_answers_drop_asks_again(void **state)
{
	struct next_answers answers = { { strdup("quiet\t/f:1\tin-force\n"), NULL } }, copy = { 0 };
	struct next_cmdline next;
	struct root root;

	(void)state;
	begin(&root);
	assert_int_equal(next_answers_copy(&copy, &answers), 0);
	assert_int_equal(next_cmdline_read(&root, &answers, &next), 0);
	next_cmdline_free(&next);
	next_answers_drop(&answers);
	/* Of the tree: there is no such program, or it fails there. */
	assert_int_not_equal(next_cmdline_read(&root, &answers, &next), 0);
	next_cmdline_free(&next);
	/* The copy is one's own. */
	assert_int_equal(next_cmdline_read(&root, &copy, &next), 0);
	assert_int_equal(next.count, 1);
	next_cmdline_free(&next);
	next_answers_drop(&copy);
	end(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_cmdline_reads_what_was_answered),
		cmocka_unit_test(next_kernel_reads_what_the_loader_is),
		cmocka_unit_test(next_answers_drop_asks_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
