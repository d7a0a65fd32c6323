// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Watches a trial boot; see watch.h.
 *
 *  1. Mounts the file systems that must be written, also in emergency mode. If one of them is on a
 *     disk that this boot has taken, the disk is given back, at the latest when something must be
 *     restored.
 *  2. Is this the trial boot? The first boot after apply --try is watched. A later boot finds that
 *     the first one was never confirmed, or that restoring was interrupted: then it restores
 *     without waiting.
 *  3. Waits for `confirm`, by the monotonic clock. It checks the file of the trial every second.
 *  4. Tells the users with wall. Waits for dpkg, as long as it makes progress or there is patience,
 *     and for another run of apply or undo, without a limit: two runs must never write the same
 *     images, and the other one may still end the trial.
 *  5. Restores the config and the loader's files, then runs apply or undo as a user would.
 *  6. Waits for inhibitors of a shutdown, then calls systemctl reboot. This happens only once,
 *     because the file says by then that everything is restored. It does not reboot if anything in
 *     5. has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "commands/apply.h"
#include "commands/command.h"
#include "commands/trial.h"
#include "commands/watch.h"
#include "config/copies.h"
#include "util/file.h"
#include "util/lock.h"
#include "util/message.h"
#include "util/program.h"

#define PROGRAM_BIND "/usr/lib/vfio-early/vfio-early-bind"

/* The time for the file system of a disk that was given back to appear, in seconds. */
#define MOUNT_PATIENCE 30

struct watch {
	const struct root *root;
	const char *dir;
	struct trial trial;
	char boot[TRIAL_BOOT_ID]; /* the current boot */
	struct lock lock;	  /* the lock of apply */
};

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
}

/* Prints a message to all users who are logged in, and to the journal. */
__attribute__((format(printf, 2, 3))) static void tell(const struct watch *watch, const char *fmt,
						       ...)
{
	char text[512];
	const char *const argv[] = { "/usr/bin/wall", text, NULL };
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	puts(text);
	fflush(stdout);
	/*
	 * Does not wait for the output: a child of wall may run for minutes if a terminal does not
	 * accept it.
	 */
	program_run(watch->root, argv, NULL, NULL);
}

/* --- 1. mount what is written */

static int run(const struct root *root, const char *const argv[])
{
	int ret = program_run(root, argv, NULL, NULL);

	if (ret < 0)
		return message_errno(ret, "cannot run %s", argv[0]);
	return ret ? message_error("%s %s failed (exit status %d)", argv[0], argv[1], ret) : 0;
}

static bool is_ours(const char *dir)
{
	static const char *const dirs[] = { "/usr", "/var", "/boot", "/boot/efi", "/efi" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (!strcmp(dir, dirs[i]))
			return true;
	return false;
}

/* The device of a mount point is different from that of the folder above it. */
static bool is_mounted(const struct root *root, const char *dir)
{
	char parent[PATH_MAX];
	struct stat st, above;

	if (snprintf(parent, sizeof(parent), "%s/..", dir + 1) >= (int)sizeof(parent))
		return false;
	return !fstatat(root->fd, dir + 1, &st, 0) && !fstatat(root->fd, parent, &above, 0) &&
	       st.st_dev != above.st_dev;
}

/* In emergency mode, mounting has stopped at the first missing file system. */
static int mount_all(const struct root *root)
{
	const char *const writable[] = { "/usr/bin/mount", "-oremount,rw", "/", NULL };
	FILE *fstab = file_stream(root->fd, "etc/fstab");
	struct statvfs fs;
	struct mntent *entry;
	int ret = 0;

	if (root->is_host && !statvfs("/", &fs) && fs.f_flag & ST_RDONLY)
		ret = run(root, writable);
	while (fstab && !ret && (entry = getmntent(fstab))) {
		const char *const argv[] = { "/usr/bin/mount", entry->mnt_dir, NULL };

		if (is_ours(entry->mnt_dir) && !hasmntopt(entry, "noauto") &&
		    !is_mounted(root, entry->mnt_dir))
			ret = run(root, argv) && !hasmntopt(entry, "nofail") ? -EIO : 0;
	}
	if (fstab)
		fclose(fstab);
	return ret;
}

/*
 * A missing file system may be on a disk that this boot has taken: gives its controller back to its
 * former driver.
 */
static int mount_taken(const struct root *root)
{
	static const char *const argv[] = { PROGRAM_BIND, "--give-back", NULL };
	long long end = trial_now() + MOUNT_PATIENCE;
	int ret;

	/* 1: something was given back. */
	if (program_run(root, argv, NULL, NULL) != 1)
		return -EIO;
	message_warn("a file system that is needed is not there: every storage controller was "
		     "given back");
	while ((ret = mount_all(root)) && trial_now() < end)
		pause_briefly();
	return ret;
}

/* --- 2. is this the trial boot? */

enum concern {
	NOT_OURS,
	TO_WATCH,
	TO_RESTORE,
};

static void set_state(struct watch *watch, enum trial_state state)
{
	watch->trial.state = state;
	memcpy(watch->trial.boot, watch->boot, sizeof(watch->boot));
}

static bool is_expired(const struct trial *trial)
{
	/* If the clock was set back, the time is not known: the boot is watched. */
	return time(NULL) - trial->made > (long long)TRIAL_HOURS * 3600;
}

static enum concern find_concern(struct watch *watch)
{
	struct trial *trial = &watch->trial;
	bool is_this_boot = *watch->boot && !strcmp(trial->boot, watch->boot);

	switch (trial->state) {
	case TRIAL_PENDING:
		if (is_this_boot)
			return NOT_OURS;
		set_state(watch, is_expired(trial) ? TRIAL_EXPIRED : TRIAL_UNCONFIRMED);
		/* The boot is watched even if this cannot be written. */
		trial_write(watch->root, trial);
		return trial->state == TRIAL_EXPIRED ? NOT_OURS : TO_WATCH;
	case TRIAL_UNCONFIRMED:
		return is_this_boot ? TO_WATCH : TO_RESTORE;
	case TRIAL_RESTORING:
	case TRIAL_FAILED:
		return TO_RESTORE;
	default:
		return NOT_OURS;
	}
}

/* --- 3. confirmed? */

/* Is the trial over, or is there another one? If the file cannot be read, the answer is no. */
static bool is_over(const struct watch *watch)
{
	struct trial now;
	int ret = trial_load(watch->root, &now);

	return !ret && (now.state == TRIAL_NONE ||
			(now.state == TRIAL_PENDING && !strcmp(now.boot, watch->boot)));
}

/* Returns whether the trial was confirmed or has ended in another way. */
static bool wait_for_word(struct watch *watch)
{
	long long deadline = trial_deadline(watch->root);

	/* If this program was started again, the deadline exists. */
	if (deadline < 0) {
		deadline = trial_now() + 60LL * watch->trial.minutes;
		trial_set_deadline(watch->root, deadline);
	}
	printf("This boot is a trial: vfio-early confirm keeps it; it has %lld s\n",
	       deadline - trial_now());
	fflush(stdout);
	while (!is_over(watch)) {
		if (trial_now() >= deadline)
			return false;
		pause_briefly();
	}
	return true;
}

/* --- 4. wait for others */

/* Takes the locks of dpkg and apt (fcntl(2)), so that they do not start either. */
static bool try_lock(const struct root *root, const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(root->fd, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return true; /* no dpkg here */
	if (!fcntl(fd, F_SETLK, &lock))
		return true; /* until this process ends */
	close(fd);
	return false;
}

static bool is_dpkg_done(struct watch *watch)
{
	return try_lock(watch->root, "var/lib/dpkg/lock-frontend") &&
	       try_lock(watch->root, "var/lib/dpkg/lock");
}

/* If no lock can be made, nobody else has it either. */
static bool is_apply_done(struct watch *watch)
{
	int ret = lock_take(watch->root, "apply.lock", 0, &watch->lock);

	if (ret == -EBUSY)
		lock_release(&watch->lock);
	return ret != -EBUSY;
}

/* Asks logind. Without it, there can be no inhibitor. */
static bool is_shutdown_free(struct watch *watch)
{
	static const char *const argv[] = {
		"/usr/bin/busctl",
		"get-property",
		"org.freedesktop.login1",
		"/org/freedesktop/login1",
		"org.freedesktop.login1.Manager",
		"BlockInhibited",
		NULL,
	};
	char *said = NULL;
	bool is_free = program_run(watch->root, argv, &said, &said) || !strstr(said, "shutdown");

	free(said);
	return is_free;
}

/* Changes whenever dpkg does something: its log grows, or its status file is new. */
static long long dpkg_progress(struct watch *watch)
{
	static const char *const files[] = { "var/log/dpkg.log", "var/lib/dpkg/status" };
	long long sum = 0;
	struct stat st;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!file_stat(watch->root->fd, files[i], &st))
			sum += st.st_mtim.tv_sec + st.st_size + (long long)st.st_ino;
	return sum;
}

static long long no_progress(struct watch *watch)
{
	(void)watch;
	return 0;
}

/*
 * Waits while there is patience. It starts again with each progress, so that a working program is
 * not interrupted, and one that waits for an answer does not block for ever.
 */
static void wait_until(struct watch *watch, bool (*is_so)(struct watch *watch),
		       long long (*progress)(struct watch *watch), const char *what)
{
	long long end = trial_now() + watch->trial.patience, seen = progress(watch);

	while (!is_so(watch)) {
		if (progress(watch) != seen) {
			seen = progress(watch);
			end = trial_now() + watch->trial.patience;
		}
		if (trial_now() >= end) {
			message_warn("%s is still there after %u s, and not waited for any longer",
				     what, watch->trial.patience);
			return;
		}
		pause_briefly();
	}
}

/* Waits without a limit. After a while, tells the users, who can end it. */
static void wait_for_apply(struct watch *watch)
{
	long long end = trial_now() + watch->trial.patience;
	bool is_told = false;
	char holder[32];

	while (!is_apply_done(watch)) {
		if (!is_told && trial_now() >= end) {
			is_told = true;
			tell(watch,
			     "vfio-early: another vfio-early apply or undo%s still runs after %u s, so "
			     "the last good state is NOT back; that begins when it ends",
			     lock_holder(&watch->lock, holder), watch->trial.patience);
		}
		pause_briefly();
	}
}

/* --- 5. restore */

static int restore_loader(const struct root *root)
{
	static const char *const argv[] = { PROGRAM_CMDLINE, "restore",	     "--in",
					    TRIAL_SAVED,     "--no-refresh", NULL };
	struct stat st;
	int ret;

	/* An interrupted run has finished this part already. */
	if (file_stat(root->fd, TRIAL_SAVED + 1, &st) == -ENOENT)
		return 0;
	ret = setenv(REFRESH_VARIABLE, REFRESH_LATER, 1) ? -ENOMEM : run(root, argv);
	unsetenv(REFRESH_VARIABLE);
	return ret;
}

static int restore_state(struct watch *watch)
{
	const struct trial *trial = &watch->trial;
	bool is_undo = !strcmp(trial->good, TRIAL_NOTHING);
	int ret = 0;

	/* A damaged copy does not count. */
	if (!is_undo && !copies_has(watch->root, trial->good)) {
		message_warn("there is no copy of the config that was good; all is taken back "
			     "instead, as by vfio-early undo");
		is_undo = true;
	}
	if (!is_undo)
		ret = copies_restore(watch->root, trial->good);
	if (!ret)
		ret = restore_loader(watch->root);
	return ret || apply_restore(watch->dir, is_undo) ? -EIO : 0;
}

static int restore(struct watch *watch)
{
	int ret;

	set_state(watch, TRIAL_RESTORING);
	ret = mount_all(watch->root);
	if (ret)
		ret = mount_taken(watch->root);
	if (!ret)
		ret = trial_write(watch->root, &watch->trial);
	if (!ret)
		ret = restore_state(watch);
	if (!ret) {
		const char *const digests[] = { watch->trial.good, watch->trial.tried, NULL };

		/*
		 * Before anything is removed: after an interruption, a new start needs all that was
		 * saved.
		 */
		set_state(watch, TRIAL_RESTORED);
		ret = trial_write(watch->root, &watch->trial);
		if (!ret) {
			file_remove_tree(watch->root->fd, TRIAL_SAVED + 1);
			copies_drop_others(watch->root, digests);
		}
	}
	if (!ret)
		return 0;
	set_state(watch, TRIAL_FAILED);
	trial_write(watch->root, &watch->trial);
	tell(watch, "vfio-early: the last good state could not be put back, and this host does not "
		    "reboot; see: journalctl -u vfio-early-trial, vfio-early status");
	return ret;
}

/* --- the whole */

static int reboot_host(struct watch *watch)
{
	static const char *const argv[] = { "/usr/bin/systemctl", "--no-wall",
					    "--check-inhibitors=no", "reboot", NULL };

	wait_until(watch, is_shutdown_free, no_progress, "an inhibitor of the shutdown");
	tell(watch, "vfio-early: the last good state is back; this host reboots");
	sync();
	return run(watch->root, argv) ? COMMAND_INCOMPLETE : COMMAND_OK;
}

static int put_back(struct watch *watch)
{
	tell(watch, "vfio-early: this boot was tried and not confirmed: the last good state is put "
		    "back, then this host reboots");
	wait_until(watch, is_dpkg_done, dpkg_progress, "dpkg");
	wait_for_apply(watch);
	if (is_over(watch)) {
		tell(watch, "vfio-early: the trial was ended in the meantime: all stays as it is");
		return COMMAND_OK;
	}
	return restore(watch) ? COMMAND_INCOMPLETE : reboot_host(watch);
}

/*
 * Reads the trial. Its file may be on a file system that is missing: then the disk is given back.
 * Only while a trial is marked: otherwise somebody may be at work on that file system.
 */
static int read_trial(struct watch *watch)
{
	int ret = mount_all(watch->root);

	if (trial_read(watch->root, &watch->trial))
		return -EIO;
	if (!ret || watch->trial.state != TRIAL_NONE)
		return 0;
	ret = mount_taken(watch->root);
	return ret || trial_read(watch->root, &watch->trial) ? -EIO : 0;
}

int watch_boot(const struct root *root, const char *dir)
{
	struct watch watch = { .root = root, .dir = dir, .lock = LOCK_NONE };
	int ret = COMMAND_OK;

	if (!trial_is_marked(root))
		return COMMAND_OK;
	if (read_trial(&watch))
		return COMMAND_NOTHING;
	trial_boot(root, watch.boot);
	switch (find_concern(&watch)) {
	case NOT_OURS:
		/* Left by a run that was interrupted at its end. */
		if (watch.trial.state != TRIAL_PENDING)
			trial_unmark(root);
		break;
	case TO_WATCH:
		if (!wait_for_word(&watch))
			ret = put_back(&watch);
		break;
	case TO_RESTORE:
		ret = put_back(&watch);
		break;
	}
	lock_release(&watch.lock);
	return ret;
}
