/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lock that only root can hold. A directory such as /etc cannot serve as one: whoever may read it
 * can lock it (flock(2)), and keep it locked. Does not know what it is for.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_LOCK_H
#define VFIO_EARLY_HOOK_UTIL_LOCK_H

#include <stdbool.h>

#include "util/root.h"

#define LOCK_NONE ((struct lock){ .fd = -1, .dirfd = -1, .runfd = -1, .rootfd = -1 })

struct lock {
	int fd;	    /* the file; -1 if it is not held */
	int dirfd;  /* run/vfio-early, or -1 */
	int runfd;  /* run, or -1 */
	int rootfd; /* the root's own, if run was created for this; else -1 */
	bool made_dir;
	const char *name;
	int holder; /* after -EBUSY: the process that holds it, or 0 if that is not known */
};

/*
 * lock_take - create run/vfio-early/NAME, readable only by its owner, and lock it.
 * @root: must live as long as the lock
 * @name: a constant
 * @ms: how long to wait for the holder, in milliseconds
 * @lock: filled in; call lock_release() in any case
 *
 * Returns 0, -EBUSY if it is still held after that time, or -errno. Also returns 0 if this user may
 * not create the file: then the user cannot write what the lock protects either, and gets that
 * error later.
 */
int lock_take(const struct root *root, const char *name, int ms, struct lock *lock);

/* lock_holder - " (process 123)" after -EBUSY, or "". Returns @text. */
const char *lock_holder(const struct lock *lock, char text[32]);

void lock_release(struct lock *lock);

#endif
