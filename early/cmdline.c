// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel command line; see cmdline.h. Pure.
 */
#include <string.h>

#include "cmdline.h"
#include "text.h"

bool cmdline_find(const char *cmdline, const char *name, const char *value,
		  char found[CMDLINE_PARAM_SIZE])
{
	static const char space[] = " \t\n";
	size_t name_len = strlen(name), value_len = strlen(value);
	const char *pos;

	if (found)
		found[0] = '\0';
	for (; *(cmdline += strspn(cmdline, space)); cmdline += strcspn(cmdline, space)) {
		if (strncmp(cmdline, name, name_len) || cmdline[name_len] != '=')
			continue;
		/* Each turn starts at the '=' or the comma in front of a value. */
		for (pos = cmdline + name_len; *pos == '=' || *pos == ',';) {
			size_t len = strcspn(++pos, ", \t\n");

			if (len == value_len && !memcmp(pos, value, len)) {
				if (found)
					text_format(found, CMDLINE_PARAM_SIZE, "%.*s",
						    (int)strcspn(cmdline, space), cmdline);
				return true;
			}
			pos += len;
		}
	}
	return false;
}
