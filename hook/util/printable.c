// SPDX-License-Identifier: GPL-2.0-or-later
/* Text of somebody else, for a terminal; see printable.h. */
#include "util/printable.h"

/*
 * How many bytes at @s are one character that may be printed: ASCII's own, or UTF-8 that is whole, and no
 * control of the second set (U+0080 to U+009F), which some terminals obey as they do ESC. 0: none.
 */
static size_t printable(const unsigned char *s, size_t len)
{
	size_t want = *s < 0xc2 ? 0 : 2u + (*s >= 0xe0) + (*s >= 0xf0);

	if (*s < 0x80)
		return (*s >= ' ' && *s != 0x7f) || *s == '\n' || *s == '\t';
	if (!want || want > len || *s > 0xf4 || (*s == 0xc2 && s[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < want; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return want;
}

void printable_make(char *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t n = printable((unsigned char *)text + i, size - i);

		if (!n)
			text[i] = '?';
		i += n ? n : 1;
	}
}
