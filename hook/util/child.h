/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a function in a child, with a deadline: for reads that may never return, such as those of a
 * file system in user space. Does not know what the function does.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_CHILD_H
#define VFIO_EARLY_HOOK_UTIL_CHILD_H

#include <stddef.h>

/*
 * child_run - call a function in a child and return what it writes.
 * @fn: writes to @fd and returns 0 or -errno
 * @ms: deadline in milliseconds
 * @text: set to what it wrote, also before a failure: malloc'ed, with a NUL that @size does not
 * 	count; NULL only if memory ran out
 *
 * A child that does not end is killed but not waited for: it may be in an uninterruptible sleep.
 * Returns 0, -ETIMEDOUT, -ECHILD if the child crashed, or what @fn returned.
 */
int child_run(int (*fn)(int fd, void *arg), void *arg, unsigned int ms, char **text, size_t *size);

#endif
