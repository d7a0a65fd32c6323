/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trial boot: what `apply --try` is waiting for, in /var/lib/vfio-early/trial, and the time at which
 * this boot's ends, in /run/vfio-early/trial. Reads and writes both; decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_TRIAL_H
#define VFIO_EARLY_HOOK_CONFIG_TRIAL_H

#include "config/config.h"
#include "util/root.h"

#define TRIAL_HOURS    24 /* the boot that is tried comes within this time, or is not watched */
#define TRIAL_MINUTES  10
#define TRIAL_PATIENCE 600 /* seconds that dpkg, inhibitors and another apply are waited for */
#define TRIAL_BOOT_ID  40  /* bytes */
#define TRIAL_SAVED    "/var/lib/vfio-early/loader" /* of vfio-early-cmdline save */
#define TRIAL_NOTHING  "none"

enum trial_state {
	TRIAL_NONE,	   /* there is no trial */
	TRIAL_PENDING,	   /* the next boot is the one that is tried */
	TRIAL_UNCONFIRMED, /* the boot that is tried, until it is confirmed */
	TRIAL_RESTORING,   /* it was not: the last good state is being put back */
	TRIAL_FAILED,	   /* that came to no good end */
	TRIAL_RESTORED,	   /* it came: for people to know */
	TRIAL_EXPIRED,	   /* the boot came too late, and is not watched: for people to know */
};

struct trial {
	enum trial_state state;
	unsigned int minutes;	  /* from the start of the boot until it has to be confirmed */
	unsigned int patience;	  /* seconds */
	long long made;		  /* seconds since 1970 */
	char boot[TRIAL_BOOT_ID]; /* the boot in which the state came about */
	/* Digests of the configs, for copies.h; TRIAL_NOTHING: nothing of ours is in the images. */
	char tried[CONFIG_DIGEST_HEX], good[CONFIG_DIGEST_HEX];
};

/*
 * trial_read - @trial is filled in; TRIAL_NONE when there is none.
 * Returns 0, or -errno after saying what is wrong; then it is TRIAL_NONE too.
 */
int trial_read(const struct root *root, struct trial *trial);

/* trial_load - the same without a word. */
int trial_load(const struct root *root, struct trial *trial);

/*
 * trial_is_marked - is there a trial that is not over? Told by a file on the root file system, as the
 * trial's own may lie on one that is not mounted.
 */
bool trial_is_marked(const struct root *root);

/* trial_unmark - Returns 0 or -errno. */
int trial_unmark(const struct root *root);

/* trial_write - on the disk when this returns. Returns 0, or -errno after saying what is wrong. */
int trial_write(const struct root *root, const struct trial *trial);

/*
 * trial_remove - there is none from here on, and nothing that was kept for one but copies of configs.
 * Returns 0, or -errno after saying what is wrong.
 */
int trial_remove(const struct root *root);

/* trial_state_name - "pending" and so on; "" for TRIAL_NONE. */
const char *trial_state_name(enum trial_state state);

/* trial_boot - the ID of this boot, or "". @boot: TRIAL_BOOT_ID bytes. Returns @boot. */
const char *trial_boot(const struct root *root, char *boot);

/* trial_booted - the digest of the config that this boot ran by, or TRIAL_NOTHING. */
const char *trial_booted(const struct root *root, char digest[CONFIG_DIGEST_HEX]);

/* trial_now - seconds of this boot (CLOCK_MONOTONIC). */
long long trial_now(void);

/* trial_deadline - when this boot has to be confirmed, as trial_now(), or -ENOENT. */
long long trial_deadline(const struct root *root);

/* trial_set_deadline - Returns 0, or -errno after saying what is wrong. */
int trial_set_deadline(const struct root *root, long long deadline);

#endif
