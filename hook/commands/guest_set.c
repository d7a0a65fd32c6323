// SPDX-License-Identifier: GPL-2.0-or-later
/* The settings that the table of hints recommends; see guest_set.h. */
#include <stdio.h>
#include <string.h>

#include "commands/guest.h"
#include "commands/guest_set.h"
#include "early/decide.h"
#include "early/text.h"
#include "host/settings.h"

/* Does the config set this key for it? */
static bool is_set(const struct host *host, const struct host_function *fn, const char *setting)
{
	for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++)
		if (!strncmp(plan_key_name(key), setting, strcspn(setting, "=")))
			return fn->place != DECIDE_NO_INDEX &&
			       decide_set(&host->plan, &host->table.fn[fn->place], key);
	return false;
}

/* "reset=pm,bus"; "" if the kernel already leaves out FLR, or if there is no other method. */
static void without_flr(const struct host *host, const struct host_function *fn, char *buf,
			size_t size)
{
	char offered[PLAN_VALUE_SIZE];
	bool has_flr = false;

	settings_offered(host, fn, PLAN_SET_RESET, offered, sizeof(offered));
	snprintf(buf, size, "reset");
	for (const char *method = offered; *method; method += strspn(method, " ")) {
		size_t len = strcspn(method, " "), used = strlen(buf);
		bool is_flr = len == 3 && !strncmp(method, "flr", 3);

		has_flr |= is_flr;
		if (!is_flr)
			snprintf(buf + used, size - used, "%c%.*s", strchr(buf, '=') ? ',' : '=',
				 (int)len, method);
		method += len;
	}
	if (!has_flr || !strchr(buf, '='))
		buf[0] = '\0';
}

const char *guest_set(const struct host *host, const struct host_function *fn, char *buf,
		      size_t size)
{
	buf[0] = '\0';
	for (const struct guest_hint *hint = guest_hints(&fn->pci); hint;
	     hint = guest_next(&fn->pci, hint)) {
		char setting[PLAN_VALUE_SIZE + 8];
		size_t len = strlen(buf);

		if (!hint->set || is_set(host, fn, hint->set))
			continue;
		snprintf(setting, sizeof(setting), "%s", hint->set);
		if (!strcmp(hint->set, GUEST_NO_FLR))
			without_flr(host, fn, setting, sizeof(setting));
		if (*setting)
			snprintf(buf + len, size - len, "%s%s", len ? " " : "", setting);
	}
	return buf;
}
