// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * early/text.c: as much of snprintf(), strtoul() and strerror() as the boot half needs.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "early/text.h"

/* Both functions are given the same; what ours says is compared with what the library's says. */
#define SAME(...)                                                                     \
	do {                                                                          \
		char ours[64], theirs[64];                                            \
		size_t len = text_format(ours, sizeof(ours), __VA_ARGS__);            \
                                                                                      \
		assert_int_equal(len, snprintf(theirs, sizeof(theirs), __VA_ARGS__)); \
		assert_string_equal(ours, theirs);                                    \
	} while (0)

static void text_format_as_snprintf(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%s", "");
	SAME("%s and %s", "one", "two");
	SAME("100%%");
	SAME("%u %u", 0u, 4294967295u);
	SAME("%x %x", 0u, 0xffffffffu);
	SAME("%04x:%02x:%02x.%x", 0u, 0x81u, 0x1fu, 7u);
	SAME("%04x:%02x", 0x10000u, 0xffu);
	SAME("%06x", 0x030000u);
	SAME("%.*s|", 3, "abcdef");
	SAME("%.*s|", 9, "abc");
	SAME("%.*s|", 0, "abc");
}

static void text_format_cuts_where_it_must(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 24; size++) {
		char ours[32], theirs[32];

		memset(ours, 'x', sizeof(ours));
		text_format(ours, size, "%s-%u-%04x", "abcdef", 1234567u, 0xbeefu);
		snprintf(theirs, size, "%s-%u-%04x", "abcdef", 1234567u, 0xbeefu);
		assert_string_equal(ours, theirs);
		assert_int_equal(ours[size], 'x');
	}
}

static void text_hex_reads_eight_digits(void **state)
{
	static const struct {
		const char *text;
		unsigned int width;
		uint32_t value;
	} rows[] = {
		{ "10de:1187", 4, 0x10de },
		{ "", 0, 0 },
		{ ":", 0, 0 },
		{ "fFg", 2, 0xff },
		{ "ffffffff", 8, 0xffffffff },
		{ "123456789", 8, 0x12345678 },
		{ "@G`g/:", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *pos = rows[i].text;
		uint32_t value = 99;

		assert_int_equal(text_hex(&pos, &value), rows[i].width);
		assert_int_equal(value, rows[i].value);
		assert_ptr_equal(pos, rows[i].text + rows[i].width);
	}
}

static void text_take_moves_only_when_it_is_there(void **state)
{
	const char *const text = "PCI_ID=10DE";
	const char *pos = text;

	(void)state;
	assert_false(text_skip_prefix(&pos, "PCI_CLASS="));
	assert_false(text_skip_prefix(&pos, "PCI_ID=10DE:"));
	assert_ptr_equal(pos, text);
	assert_true(text_skip_prefix(&pos, "PCI_ID="));
	assert_ptr_equal(pos, text + 7);
	assert_true(text_skip_prefix(&pos, ""));
	assert_true(text_skip_prefix(&pos, "10DE"));
	assert_ptr_equal(pos, text + 11);
	assert_false(text_skip_prefix(&pos, "1"));
	assert_ptr_equal(pos, text + 11);
}

static void text_find_first_or_null(void **state)
{
	const char *text = "an IR-IR-PCI";

	(void)state;
	assert_ptr_equal(text_find(text, "IR-"), text + 3);
	assert_ptr_equal(text_find(text, "IR-PCI"), text + 6);
	assert_null(text_find(text, "IR-PCIe"));
	assert_null(text_find("", "x"));
}

static void text_number_what_it_starts_with(void **state)
{
	(void)state;
	assert_int_equal(text_number("12"), 12);
	assert_int_equal(text_number("12\n"), 12);
	assert_int_equal(text_number("0"), 0);
	assert_int_equal(text_number("x1"), 0);
	assert_int_equal(text_number(""), 0);
}

static void text_error_words_or_number(void **state)
{
	static const int known[] = { EPERM,	 ENOENT, EIO,	      ENOEXEC, EACCES,
				     EBUSY,	 ENODEV, EISDIR,      EINVAL,  ENOSPC,
				     EOPNOTSUPP, ENOKEY, EKEYREJECTED };

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(text_error(known[i]), strerror(known[i]));
	assert_string_equal(text_error(ETIMEDOUT), "Timed out");
	assert_string_equal(text_error(9999), "errno 9999");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_format_as_snprintf),
		cmocka_unit_test(text_format_cuts_where_it_must),
		cmocka_unit_test(text_hex_reads_eight_digits),
		cmocka_unit_test(text_take_moves_only_when_it_is_there),
		cmocka_unit_test(text_find_first_or_null),
		cmocka_unit_test(text_number_what_it_starts_with),
		cmocka_unit_test(text_error_words_or_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
