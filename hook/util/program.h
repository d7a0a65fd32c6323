/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a program of the system, without a shell. Does not know what it does. */
#ifndef VFIO_EARLY_HOOK_UTIL_PROGRAM_H
#define VFIO_EARLY_HOOK_UTIL_PROGRAM_H

#include <stddef.h>

#include "util/root.h"

/*
 * program_run - run a program and wait for its end.
 * @root: the system that it belongs to: it runs there (chroot(2)) unless that is the running one;
 * 	NULL: the running one
 * @argv: its absolute path in that system and its arguments, ended by NULL
 * @out, @err: set to its standard output and error, malloc'ed and NUL-ended; the same pointer for
 * 	both: all of it in the order written; NULL: it writes to ours
 *
 * Its standard input is empty, and its PATH has the usual directories, with sbin. Returns its exit
 * status, 128 plus the number of the signal that ended it, or -errno without a message.
 */
int program_run(const struct root *root, const char *const argv[], char **out, char **err);

/*
 * program_watch - call @tick once a second while program_run() collects the output of a program;
 * NULL ends that. Not called for a program that writes to ours: two would write at once.
 */
void program_watch(void (*tick)(void));

#endif
