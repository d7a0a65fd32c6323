/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function of ours in a child, with a deadline: for files whose reading may never return, such as
 * those of a file system in user space. Knows nothing of what it does.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_CHILD_H
#define VFIO_EARLY_HOOK_UTIL_CHILD_H

#include <stddef.h>

/*
 * child_run - call a function in a child and take what it writes.
 * @fn: writes to @fd and returns 0 or -errno
 * @ms: milliseconds that it may take in all
 * @text: gets what it wrote, malloc'ed, with a NUL behind it that @size does not count; also what came
 *	  before a failure; NULL only when there is no memory
 *
 * A child that does not end is killed and left behind: one in an uninterruptible sleep cannot be waited
 * for. Returns 0, -ETIMEDOUT, -ECHILD when it crashed, or what @fn returned.
 */
int child_run(int (*fn)(int fd, void *arg), void *arg, unsigned int ms, char **text, size_t *size);

#endif
