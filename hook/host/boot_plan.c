// SPDX-License-Identifier: GPL-2.0-or-later
/* The plan of this boot; see boot_plan.h. */
#include <errno.h>

#include "early/paths.h"
#include "early/sysfs.h"
#include "host/boot_plan.h"
#include "util/message.h"

int boot_plan_read(const struct root *root, struct plan **result)
{
	static struct plan plan;
	static char text[PLAN_MAX_TEXT];
	struct plan_errors errors = { 0 };
	int len = sysfs_read_whole(root->fd, PATH_RUN_PLAN, text, sizeof(text));

	if (len == -ENOENT || !len)
		return -ENOENT;
	if (len < 0)
		return message_errno(len, "cannot read /%s", PATH_RUN_PLAN);
	plan_init(&plan);
	plan_parse(&plan, text, (size_t)len, PLAN_COMPILED, &errors);
	*result = &plan;
	return errors.unsafe ? message_error("/%s is damaged; fix: reboot", PATH_RUN_PLAN) : 0;
}
