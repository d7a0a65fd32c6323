/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One at a time: a lock of root's, which nobody else can hold. A folder like /etc is none: whoever may
 * read it can lock it (flock(2)), and keep it locked. Knows nothing of what it is for.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_LOCK_H
#define VFIO_EARLY_HOOK_UTIL_LOCK_H

#include <stdbool.h>

#include "util/root.h"

#define LOCK_NONE ((struct lock){ .fd = -1, .dirfd = -1, .runfd = -1, .rootfd = -1 })

struct lock {
	int fd;	    /* the file, or -1: not held */
	int dirfd;  /* run/vfio-early, or -1 */
	int runfd;  /* run, or -1 */
	int rootfd; /* the root's own, where run was made for this; else -1 */
	bool made_dir;
	const char *name;
	int holder; /* after -EBUSY: the process that has it, or 0 when that is not known */
};

/*
 * lock_take - make run/vfio-early/NAME, readable by its owner alone, and lock it.
 * @root: must live as long
 * @name: a constant
 * @ms: how long to wait for whoever has it, in milliseconds
 * @lock: filled in; lock_release() in any case
 *
 * Returns 0, -EBUSY when it is still held after that time, or -errno. Also 0 where this user may make no
 * such file: who cannot write there cannot write what the lock is for, and finds out by itself.
 */
int lock_take(const struct root *root, const char *name, int ms, struct lock *lock);

/* lock_holder - " (process 123)" after -EBUSY, or "". Returns @text. */
const char *lock_holder(const struct lock *lock, char text[32]);

void lock_release(struct lock *lock);

#endif
