// SPDX-License-Identifier: GPL-2.0-or-later
/* Codes to text and back; see code.h. No I/O. */
#include <string.h>

#include "code.h"
#include "text.h"

#define NAME(name, code) code "\0"

const char *code_name(enum reason reason)
{
	return text_nth(REASON_CODES(NAME), reason);
}

const char *code_report_name(enum report_result result)
{
	return text_nth(REPORT_RESULTS(NAME), result);
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
