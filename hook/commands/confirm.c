// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early confirm: keeps the result of the trial boot that `apply --try` has begun. With --wait,
 * run by vfio-early-trial.service: waits for that command during the trial boot, and restores the
 * last good state without it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/trial.h"
#include "commands/watch.h"
#include "config/copies.h"
#include "ui/options.h"
#include "util/lock.h"
#include "util/message.h"

static const struct options_entry entries[] = {
	{ "wait", 'W', NULL, "used by vfio-early-trial.service: wait, else put back" },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "confirm [OPTION...]",
	.about = "Keeps what apply --try changed, once the boot after it has proved good. Without it in\n"
		 "time, the last good state is put back, and the host reboots.\n",
	.entry = entries,
	.common = OPTIONS_ROOT,
	.end = "Exit status: 0 done, 1 something failed, 2 usage, 3 nothing was done.\n",
};

/* Is there a trial to confirm, and is this its boot? */
static int check(const struct root *root, const struct trial *trial)
{
	char booted[CONFIG_DIGEST_HEX];

	switch (trial->state) {
	case TRIAL_PENDING:
		return message_error("the trial begins with the next boot; fix: reboot, then "
				     "vfio-early confirm");
	case TRIAL_RESTORING:
	case TRIAL_FAILED:
		return message_error("too late: the last good state is being put back; see "
				     "vfio-early status");
	case TRIAL_UNCONFIRMED:
		break;
	default:
		return message_error("there is no trial to confirm; vfio-early apply --try "
				     "starts one");
	}
	if (!strcmp(trial->tried, trial_booted(root, booted)))
		return 0;
	return message_error("this boot did not run what is tried (another image, or vfio_early= "
			     "on its command line), so it proves nothing; fix: wait until the last "
			     "good state is put back, or end the trial: " COMMAND_APPLY
			     ", or vfio-early undo");
}

static int confirm(const struct root *root)
{
	char booted[CONFIG_DIGEST_HEX];
	const char *const digests[] = { trial_booted(root, booted), NULL };
	struct lock lock = LOCK_NONE;
	struct trial trial;
	int ret = COMMAND_NOTHING;

	/* The lock of apply and undo, and of the watch while it restores. */
	if (lock_take(root, "apply.lock", 0, &lock) == -EBUSY)
		message_error("a vfio-early apply or undo is running, or the last good state is "
			      "being put back; fix: wait for its end, then vfio-early status");
	else if (!trial_read(root, &trial) && !check(root, &trial))
		ret = trial_remove(root) || copies_drop_others(root, digests) ? COMMAND_INCOMPLETE :
										COMMAND_OK;
	lock_release(&lock);
	if (ret == COMMAND_OK)
		puts("Confirmed: this boot is good, and the next ones are like it.");
	return ret;
}

int command_confirm(int argc, char **argv)
{
	struct options opts;
	struct root root;
	bool is_wait = false;
	int code, ret;

	options_init(&opts, &spec);
	while ((code = options_next(&opts, argc, argv)) >= 0)
		is_wait = true;
	if (code == OPTIONS_EXIT)
		return opts.status;
	if (options_no_arguments(&opts, argc, argv))
		return COMMAND_USAGE;
	if (root_open(&root, opts.root)) {
		ret = COMMAND_NOTHING;
	} else if (root.is_host && geteuid()) {
		message_error("only root may confirm what this host boots; fix: run it as root");
		ret = COMMAND_NOTHING;
	} else {
		ret = is_wait ? watch_boot(&root, opts.root) : confirm(&root);
	}
	root_close(&root);
	return ret;
}
