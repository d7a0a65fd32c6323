// SPDX-License-Identifier: GPL-2.0-or-later
/* Codes to text and back; see code.h. Pure. */
#include <string.h>

#include "code.h"

/* The names stand one behind the other: a table of pointers would be twice as large. */
static const char *nth(const char *name, unsigned int n)
{
	while (n--)
		name += strlen(name) + 1;
	return name;
}

#define NAME(name, code) code "\0"

const char *code_name(enum reason reason)
{
	return nth(REASON_CODES(NAME), reason);
}

const char *code_report_name(enum report_result result)
{
	return nth(REPORT_RESULTS(NAME), result);
}

bool code_find(const char *name, enum reason *reason)
{
	for (unsigned int i = 0; i < REASONS; i++) {
		if (strcmp(code_name((enum reason)i), name) != 0)
			continue;
		*reason = (enum reason)i;
		return true;
	}
	return false;
}
