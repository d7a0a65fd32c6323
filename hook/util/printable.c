// SPDX-License-Identifier: GPL-2.0-or-later
/* Foreign text for a terminal; see printable.h. */
#include "util/printable.h"

/*
 * How many bytes at @s form one printable character: one of ASCII, or complete UTF-8 that is not a
 * control character (U+0080 to U+009F), which some terminals obey like ESC. 0 if none.
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
