/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a program of the system, without a shell. Knows nothing of what it does. */
#ifndef VFIO_EARLY_HOOK_UTIL_PROGRAM_H
#define VFIO_EARLY_HOOK_UTIL_PROGRAM_H

#include <stddef.h>

#include "util/root.h"

/*
 * program_run - run a program and wait for its end.
 * @root: the system that it is of; it runs there (chroot(2)) when that is not the running one;
 *	  NULL: the running one
 * @argv: its absolute path in that system and its arguments, ended by NULL
 * @out, @err: get what it wrote on standard output and error, malloc'ed and NUL-ended; one pointer for
 *	  both: all of it in the order that it was written; NULL: it writes to ours
 *
 * It reads nothing, and finds its own programs in the usual folders, sbin among them. Returns its
 * exit status, 128 and the number of the signal that ended it, or -errno without a word.
 */
int program_run(const struct root *root, const char *const argv[], char **out, char **err);

/*
 * program_watch - call @tick once a second while program_run() collects what a program writes.
 * NULL ends that. Of a program that writes to ours nothing is called: two would write at once.
 */
void program_watch(void (*tick)(void));

#endif
