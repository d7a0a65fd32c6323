// SPDX-License-Identifier: GPL-2.0-or-later
/* early/code.c: the codes, and that each is one that a report and JSON can hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "early/code.h"

static void code_name_is_a_word_of_its_own(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < REASONS; i++) {
		const char *name = code_name((enum reason)i);

		assert_true(*name);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(name, code_name((enum reason)j));
	}
	assert_string_equal(code_name(REASON_NONE), "ok");
	assert_string_equal(code_name(REASON_PROTECTED), "protected");
	assert_string_equal(code_name(REASON_UNDONE), "undone");
}

static void code_find_finds_each_and_no_other(void **state)
{
	enum reason reason;

	(void)state;
	for (unsigned int i = 0; i < REASONS; i++) {
		assert_true(code_find(code_name((enum reason)i), &reason));
		assert_int_equal(reason, i);
	}
	assert_false(code_find("", &reason));
	assert_false(code_find("protect", &reason));
	assert_false(code_find("protected ", &reason));
}

static void code_report_name_is_what_the_report_has(void **state)
{
	(void)state;
	assert_string_equal(code_report_name(REPORT_BOUND), "bound");
	assert_string_equal(code_report_name(REPORT_PLANNED), "planned");
}

/* What the man page says of codes, it says of each. */
static void code_each_is_in_the_man_page(void **state)
{
	char line[512], word[64];

	(void)state;
	for (unsigned int i = 0; i < REASONS; i++) {
		FILE *page = fopen("early/vfio-early-bind.8.scd", "re");
		bool found = false;

		assert_non_null(page);
		snprintf(word, sizeof(word), "|  *%s*", code_name((enum reason)i));
		while (!found && fgets(line, sizeof(line), page))
			found = !strncmp(line + (*line == '['), word, strlen(word));
		fclose(page);
		if (!found)
			fail_msg("%s is not in early/vfio-early-bind.8.scd", word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_name_is_a_word_of_its_own),
		cmocka_unit_test(code_find_finds_each_and_no_other),
		cmocka_unit_test(code_report_name_is_what_the_report_has),
		cmocka_unit_test(code_each_is_in_the_man_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
