// SPDX-License-Identifier: GPL-2.0-or-later
/* A trial boot; see trial.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/state.h"
#include "config/trial.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "ui/status.h"
#include "util/file.h"
#include "util/message.h"

#define TRIAL_FILE STATE_DIR "/trial"
#define MARK_FILE  "etc/vfio-early.trial"
#define RUN_FILE   PATH_RUN "/trial"
#define BOOT_ID	   "proc/sys/kernel/random/boot_id"
#define MAX_SIZE   4096

static const char *const names[] = {
	[TRIAL_NONE] = "",
	[TRIAL_PENDING] = "pending",
	[TRIAL_UNCONFIRMED] = "unconfirmed",
	[TRIAL_RESTORING] = "restoring",
	[TRIAL_FAILED] = "failed",
	[TRIAL_RESTORED] = "restored",
	[TRIAL_EXPIRED] = "expired",
};

const char *trial_state_name(enum trial_state state)
{
	return names[state];
}

static int parse_number(const char *text, long long *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return !isdigit((unsigned char)*text) || *end || errno ? -EBADMSG : 0;
}

static int parse_text(const char *text, char *buf, size_t size)
{
	return snprintf(buf, size, "%s", text) < (int)size ? 0 : -EBADMSG;
}

static int parse_state(const char *text, enum trial_state *state)
{
	for (size_t i = TRIAL_NONE + 1; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i])) {
			*state = (enum trial_state)i;
			return 0;
		}
	}
	return -EBADMSG;
}

/* Parses a line "KEY VALUE". An unknown key comes from a newer version. */
static int parse_line(char *line, struct trial *trial)
{
	char *value = strchr(line, ' ');
	long long number = 0;
	int ret = 0;

	if (!value)
		return -EBADMSG;
	*value++ = '\0';
	if (!strcmp(line, "state"))
		return parse_state(value, &trial->state);
	if (!strcmp(line, "boot"))
		return parse_text(value, trial->boot, sizeof(trial->boot));
	if (!strcmp(line, "tried"))
		return parse_text(value, trial->tried, sizeof(trial->tried));
	if (!strcmp(line, "good"))
		return parse_text(value, trial->good, sizeof(trial->good));
	if (!strcmp(line, "made"))
		return parse_number(value, &trial->made);
	if (!strcmp(line, "minutes")) {
		ret = parse_number(value, &number);
		trial->minutes = (unsigned int)number;
	} else if (!strcmp(line, "patience")) {
		ret = parse_number(value, &number);
		trial->patience = (unsigned int)number;
	}
	return ret;
}

int trial_load(const struct root *root, struct trial *trial)
{
	char *text, *line, *next;
	size_t size;
	int ret = file_read(root->fd, TRIAL_FILE, MAX_SIZE, &text, &size);

	*trial = (struct trial){ .patience = TRIAL_PATIENCE };
	if (ret == -ENOENT)
		return 0;
	for (line = text; !ret && line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		ret = parse_line(line, trial);
	}
	if (!ret && (!trial->state || !trial->minutes || !*trial->tried || !*trial->good))
		ret = -EBADMSG;
	free(text);
	if (ret)
		*trial = (struct trial){ 0 };
	return ret;
}

int trial_read(const struct root *root, struct trial *trial)
{
	int ret = trial_load(root, trial);

	return ret ? message_errno(ret, "cannot read /" TRIAL_FILE) : 0;
}

bool trial_is_pending(const struct root *root)
{
	struct trial trial;

	return !trial_load(root, &trial) && trial.state == TRIAL_PENDING;
}

bool trial_can_confirm(const struct root *root)
{
	char booted[CONFIG_DIGEST_HEX];
	struct trial trial;

	return !trial_load(root, &trial) && trial.state == TRIAL_UNCONFIRMED &&
	       !strcmp(trial.tried, trial_booted(root, booted));
}

const char *trial_command(const struct root *root)
{
	if (trial_can_confirm(root))
		return COMMAND_CONFIRM ", then " COMMAND_APPLY;
	return trial_is_pending(root) ? COMMAND_APPLY_TRY : COMMAND_APPLY;
}

bool trial_is_marked(const struct root *root)
{
	return !faccessat(root->fd, MARK_FILE, F_OK, AT_SYMLINK_NOFOLLOW);
}

static int mark(const struct root *root)
{
	static const char text[] = "A boot is on trial: see vfio-early status, and confirm in "
				   "vfio-early(8).\n";

	if (trial_is_marked(root))
		return 0;
	return file_replace(root->fd, MARK_FILE, NULL, text, sizeof(text) - 1);
}

int trial_unmark(const struct root *root)
{
	if (unlinkat(root->fd, MARK_FILE, 0))
		return errno == ENOENT ? 0 : -errno;
	return file_sync(root->fd, "etc");
}

/* The mark is written first and removed last: it exists as long as a trial must be watched. */
int trial_write(const struct root *root, const struct trial *trial)
{
	bool is_over = trial->state == TRIAL_RESTORED || trial->state == TRIAL_EXPIRED;
	char text[512];
	int len = snprintf(text, sizeof(text),
			   "state %s\nminutes %u\npatience %u\nmade %lld\nboot %s\ntried %s\n"
			   "good %s\n",
			   names[trial->state], trial->minutes, trial->patience, trial->made,
			   trial->boot, trial->tried, trial->good);
	int ret = is_over ? 0 : mark(root);

	if (!ret)
		ret = file_make_folder(root->fd, STATE_DIR);
	if (!ret)
		ret = file_replace(root->fd, TRIAL_FILE, NULL, text, (size_t)len);
	if (!ret && is_over)
		ret = trial_unmark(root);
	return ret ? message_errno(ret < 0 ? ret : -errno, "cannot write /" TRIAL_FILE) : 0;
}

int trial_remove(const struct root *root)
{
	int ret = 0;

	if (!unlinkat(root->fd, TRIAL_FILE, 0))
		ret = file_sync(root->fd, STATE_DIR);
	else if (errno != ENOENT)
		ret = -errno;
	if (ret)
		return message_errno(ret, "cannot remove /" TRIAL_FILE);
	ret = trial_unmark(root);
	if (ret)
		return message_errno(ret, "cannot remove /" MARK_FILE);
	unlinkat(root->fd, RUN_FILE, 0);
	ret = file_remove_tree(root->fd, TRIAL_SAVED + 1);
	if (!ret)
		ret = file_remove_tree(root->fd, TRIAL_SAVED ".vfio-early-new" + 1);
	/* Fails if something else is in it. */
	unlinkat(root->fd, STATE_DIR, AT_REMOVEDIR);
	return ret ? message_errno(ret, "cannot remove " TRIAL_SAVED) : 0;
}

const char *trial_boot(const struct root *root, char *boot)
{
	file_read_once(root->fd, BOOT_ID, boot, TRIAL_BOOT_ID);
	return boot;
}

static int read_digest(const char *line, void *arg)
{
	static const char key[] = "config sha256:";

	if (strncmp(line, key, sizeof(key) - 1) != 0)
		return 0;
	snprintf(arg, CONFIG_DIGEST_HEX, "%s", line + sizeof(key) - 1);
	return 1;
}

const char *trial_booted(const struct root *root, char digest[CONFIG_DIGEST_HEX])
{
	if (file_for_each_line(root->fd, PATH_RUN_PLAN, read_digest, digest) != 1)
		snprintf(digest, CONFIG_DIGEST_HEX, "%s", TRIAL_NOTHING);
	return digest;
}

long long trial_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

long long trial_deadline(const struct root *root)
{
	static const char key[] = "deadline ";
	char text[64];
	long long deadline;

	if (file_read_once(root->fd, RUN_FILE, text, sizeof(text)) ||
	    strncmp(text, key, sizeof(key) - 1) != 0 ||
	    parse_number(text + sizeof(key) - 1, &deadline))
		return -ENOENT;
	return deadline;
}

int trial_set_deadline(const struct root *root, long long deadline)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "deadline %lld\n", deadline);
	int ret = file_make_folder(root->fd, PATH_RUN);

	if (!ret)
		ret = file_replace(root->fd, RUN_FILE, NULL, text, (size_t)len);
	return ret < 0 ? message_errno(ret, "cannot write /" RUN_FILE) : 0;
}
