// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel command line; see cmdline.h. Pure.
 */
#include <stdio.h>
#include <string.h>

#include "cmdline.h"

static bool has_value(const char *list, size_t len, const char *value)
{
	size_t want = strlen(value);

	while (len) {
		const char *comma = memchr(list, ',', len);
		size_t n = comma ? (size_t)(comma - list) : len;

		if (n == want && !memcmp(list, value, n))
			return true;
		n += comma != NULL;
		list += n;
		len -= n;
	}
	return false;
}

bool cmdline_find(const char *cmdline, const char *name, const char *value,
		  char found[CMDLINE_PARAM_SIZE])
{
	size_t name_len = strlen(name);

	if (found)
		found[0] = '\0';
	while (*cmdline) {
		size_t len = strcspn(cmdline, " \t\n");

		if (len > name_len && cmdline[name_len] == '=' &&
		    !memcmp(cmdline, name, name_len) &&
		    has_value(cmdline + name_len + 1, len - name_len - 1, value)) {
			if (found)
				snprintf(found, CMDLINE_PARAM_SIZE, "%.*s", (int)len, cmdline);
			return true;
		}
		cmdline += len;
		cmdline += strspn(cmdline, " \t\n");
	}
	return false;
}
