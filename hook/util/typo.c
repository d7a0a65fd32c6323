// SPDX-License-Identifier: GPL-2.0-or-later
/* Typing errors between words; see typo.h. */
#include <stddef.h>
#include <string.h>

#include "util/typo.h"

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int min = a < b ? a : b;

	return min < c ? min : c;
}

unsigned int typo_distance(const char *a, const char *b)
{
	unsigned int row[3][TYPO_MAX + 1];
	size_t cols = strlen(b), rows = strlen(a);

	if (rows >= TYPO_MAX || cols >= TYPO_MAX)
		return TYPO_MAX;
	for (size_t j = 0; j <= cols; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= rows; i++) {
		unsigned int *now = row[i % 3], *before = row[(i + 2) % 3];
		const unsigned int *earlier = row[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= cols; j++) {
			now[j] = least(before[j] + 1, now[j - 1] + 1,
				       before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    earlier[j - 2] + 1 < now[j])
				now[j] = earlier[j - 2] + 1;
		}
	}
	return row[rows % 3][cols];
}
