/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trial boot: what `apply --try` waits for, in /var/lib/vfio-early/trial, and the deadline of the
 * current boot, in /run/vfio-early/trial. Reads and writes both; decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_TRIAL_H
#define VFIO_EARLY_HOOK_CONFIG_TRIAL_H

#include "config/config.h"
#include "config/state.h"
#include "util/root.h"

#define TRIAL_HOURS    24 /* the trial boot must come within this time, or it is not watched */
#define TRIAL_MINUTES  10
#define TRIAL_PATIENCE 600 /* how many seconds to wait for dpkg, inhibitors and another apply */
#define TRIAL_BOOT_ID  40  /* bytes */
#define TRIAL_SAVED    "/" STATE_DIR "/loader" /* of vfio-early-cmdline save */
#define TRIAL_NOTHING  "none"

enum trial_state {
	TRIAL_NONE,	   /* there is no trial */
	TRIAL_PENDING,	   /* the next boot is the trial */
	TRIAL_UNCONFIRMED, /* this boot is the trial, until it is confirmed */
	TRIAL_RESTORING,   /* not confirmed: the last good state is being restored */
	TRIAL_FAILED,	   /* that failed */
	TRIAL_RESTORED,	   /* that succeeded: kept to inform people */
	TRIAL_EXPIRED,	   /* the boot came too late, and is not watched: kept to inform people */
};

struct trial {
	enum trial_state state;
	unsigned int minutes;	  /* from the start of the boot until it must be confirmed */
	unsigned int patience;	  /* seconds */
	long long made;		  /* seconds since 1970 */
	char boot[TRIAL_BOOT_ID]; /* the boot in which the state was reached */
	/*
	 * Digests of the configs, for copies.h; TRIAL_NOTHING: the images have nothing of
	 * vfio-early.
	 */
	char tried[CONFIG_DIGEST_HEX], good[CONFIG_DIGEST_HEX];
};

/*
 * trial_read - read the trial; TRIAL_NONE if there is none. Returns 0, or -errno after saying what
 * is wrong, with TRIAL_NONE too.
 */
int trial_read(const struct root *root, struct trial *trial);

/* trial_load - the same without a message. */
int trial_load(const struct root *root, struct trial *trial);

/* trial_is_pending - is the next boot a trial? No if its file cannot be read. */
bool trial_is_pending(const struct root *root);

/* trial_can_confirm - is this boot a trial that confirm would end well: it runs what is tried? */
bool trial_can_confirm(const struct root *root);

/*
 * trial_command - the command that makes a changed config take effect without losing a trial: while the
 * next boot is one, not the one that would end it; while this boot is one, that is confirmed first.
 */
const char *trial_command(const struct root *root);

/*
 * trial_is_marked - is there an unfinished trial? Looks at a file on the root file system, because
 * the trial's own may be on one that is not mounted.
 */
bool trial_is_marked(const struct root *root);

/* trial_unmark - remove that mark. Returns 0 or -errno. */
int trial_unmark(const struct root *root);

/* trial_write - write the trial to the disk. Returns 0, or -errno after saying what is wrong. */
int trial_write(const struct root *root, const struct trial *trial);

/*
 * trial_remove - remove the trial and what was kept for it, but not the copies of configs. Returns
 * 0, or -errno after saying what is wrong.
 */
int trial_remove(const struct root *root);

/* trial_state_name - "pending" and so on; "" for TRIAL_NONE. */
const char *trial_state_name(enum trial_state state);

/* trial_boot - read the ID of this boot, or "". @boot: TRIAL_BOOT_ID bytes. Returns @boot. */
const char *trial_boot(const struct root *root, char *boot);

/* trial_booted - the digest of the config that this boot used, or TRIAL_NOTHING. */
const char *trial_booted(const struct root *root, char digest[CONFIG_DIGEST_HEX]);

/* trial_now - seconds of this boot (CLOCK_MONOTONIC). */
long long trial_now(void);

/* trial_deadline - when this boot must be confirmed, as trial_now(), or -ENOENT. */
long long trial_deadline(const struct root *root);

/* trial_set_deadline - set it. Returns 0, or -errno after saying what is wrong. */
int trial_set_deadline(const struct root *root, long long deadline);

#endif
