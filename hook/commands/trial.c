// SPDX-License-Identifier: GPL-2.0-or-later
/* A trial boot, as shared by apply, undo and confirm; see trial.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands/trial.h"
#include "config/config.h"
#include "config/copies.h"
#include "config/state.h"
#include "ui/status.h"
#include "util/message.h"
#include "util/program.h"

#define UNIT "vfio-early-trial.service"

/* --- may it begin? */

/* Without the unit nobody would wait for `confirm`. */
static int check_unit(const struct root *root)
{
	struct stat st;

	if (fstatat(root->fd, "usr/lib/systemd/system/" UNIT, &st, 0))
		return message_error("a trial needs systemd and its unit " UNIT ", which this host "
				     "does not have; fix: leave out --try");
	if (!fstatat(root->fd, "etc/systemd/system/" UNIT, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISLNK(st.st_mode))
		return message_error(UNIT
				     " is masked, so nothing would be put back; fix: systemctl "
				     "unmask " UNIT);
	return 0;
}

/* Checks that the loader's files can be saved; saves them unless it is a dry run. */
static int save_loader(const struct root *root, bool is_dry)
{
	const char *const argv[] = {
		PROGRAM_CMDLINE, "save", "--in", TRIAL_SAVED, is_dry ? "--dry-run" : NULL, NULL
	};
	int ret = program_run(root, argv, NULL, NULL);

	if (ret < 0)
		return message_errno(ret, "cannot run %s" PROGRAM_CMDLINE, root->path);
	return ret ? message_error("a trial cannot begin, see above; nothing was changed") : 0;
}

/* Does the current config have this digest? If so, stores a copy of it. */
static bool keep_if_current(const struct root *root, const char *digest)
{
	struct config config;
	struct config_problem problem;
	bool is_current;

	is_current = !config_read(root, &config, &problem) && !strcmp(config.digest, digest);
	if (is_current)
		is_current = !copies_keep(root, &config);
	config_free(&config);
	return is_current;
}

static void find_good(const struct root *root, bool is_dry, char good[CONFIG_DIGEST_HEX])
{
	trial_booted(root, good);
	if (!state_is(root, STATE_UNDONE) &&
	    (copies_has(root, good) || is_dry || keep_if_current(root, good)))
		return;
	snprintf(good, CONFIG_DIGEST_HEX, "%s", TRIAL_NOTHING);
}

int trial_prepare(const struct root *root, unsigned int minutes, bool is_dry, struct trial *trial)
{
	char boot[TRIAL_BOOT_ID];
	struct trial old;
	int ret = check_unit(root);

	if (!ret)
		ret = trial_read(root, &old);
	if (ret)
		return ret;
	if (old.state == TRIAL_UNCONFIRMED || old.state == TRIAL_RESTORING)
		return message_error("this boot is a trial that is not confirmed; fix: vfio-early "
				     "confirm, then " COMMAND_APPLY_TRY);
	/* This boot is the failed trial, so its config is not a good state. */
	if (old.state == TRIAL_FAILED)
		return message_error("the last good state could not be put back, see vfio-early "
				     "status; fix: " COMMAND_APPLY ", or vfio-early undo, first");
	if (old.state == TRIAL_RESTORED && !strcmp(old.boot, trial_boot(root, boot)))
		return message_error("the last good state is back, but this boot does not run it "
				     "yet; fix: reboot first");
	ret = save_loader(root, true);
	if (ret)
		return ret;
	*trial = (struct trial){
		.state = TRIAL_NONE,
		.minutes = minutes,
		.patience = TRIAL_PATIENCE,
		.made = time(NULL),
	};
	trial_boot(root, trial->boot);
	/* Not booted yet: the good state of then is still good, and what was saved still exists. */
	if (old.state == TRIAL_PENDING && !strcmp(old.boot, trial_boot(root, boot))) {
		trial->state = TRIAL_PENDING;
		memcpy(trial->good, old.good, sizeof(trial->good));
	} else {
		find_good(root, is_dry, trial->good);
	}
	return 0;
}

static int keep_config(const struct root *root, struct config *config)
{
	struct config_problem problem;
	int ret = config_read(root, config, &problem);

	return ret ? config_say(&problem) : copies_keep(root, config);
}

int trial_begin(const struct root *root, bool has_binds, struct trial *trial)
{
	struct config config;
	int ret = trial->state == TRIAL_PENDING ? 0 : save_loader(root, false);

	if (ret)
		return ret;
	ret = keep_config(root, &config);
	snprintf(trial->tried, sizeof(trial->tried), "%s",
		 has_binds ? config.digest : TRIAL_NOTHING);
	config_free(&config);
	trial->state = TRIAL_PENDING;
	return ret ? ret : trial_write(root, trial);
}

/* --- and its end */

static int end_trial(const struct root *root)
{
	struct trial trial;
	int ret = trial_read(root, &trial);

	if (ret)
		return ret;
	/* Files may have been saved for a trial that never began. */
	ret = trial_remove(root);
	if (!ret && (trial.state == TRIAL_PENDING || trial.state == TRIAL_UNCONFIRMED))
		puts("The trial has ended: nothing will be put back.");
	return ret;
}

int trial_settle(const struct root *root, bool is_undo, bool has_binds, const struct trial *trial)
{
	char booted[CONFIG_DIGEST_HEX];
	const char *digests[] = { trial_booted(root, booted), NULL, NULL, NULL };
	struct config config = { 0 };
	int ret = trial ? 0 : end_trial(root);

	if (is_undo)
		digests[0] = NULL;
	if (trial) {
		digests[1] = trial->good;
		digests[2] = trial->tried;
	} else if (!ret && !is_undo && has_binds) {
		ret = keep_config(root, &config);
		digests[1] = config.digest;
	}
	if (!ret)
		ret = copies_drop_others(root, digests);
	config_free(&config);
	return ret;
}
