/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which modules a kernel needs for vfio-pci, in which order and with which options, according to
 * libkmod; for any installed kernel. Loads nothing.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_MODULES_H
#define VFIO_EARLY_HOOK_PLAN_MODULES_H

#include <stdbool.h>
#include <stdio.h>

#include "util/root.h"

/*
 * modules_write - write the "module" lines of a plan, with comments about what was left out: ids=,
 * an option for which the module would refuse to load (parmtype.h), a module outside of vfio that
 * only a softdep adds, an install command. All but ids= is also printed on stderr.
 * @kernel: the version; its directory exists
 * @out: gets the lines
 * @lost: called with a text for the boot log for each thing that makes the list incomplete, which
 * 	is also printed on stderr with the fix
 *
 * Returns how many things were lost, or -errno.
 */
int modules_write(const struct root *root, const char *kernel, bool says, FILE *out,
		  void (*lost)(const char *text, void *arg), void *arg);

#define MODULES_PATH "lib/modules" /* relative to the root */

/* modules_are_indexed - has it modules, and the index that depmod(8) makes of them? */
bool modules_are_indexed(const struct root *root, const char *kernel);

/*
 * modules_each_kernel - call a function for every kernel that has modules, the newest first, until it
 * returns other than 0. What is no kernel's is left out; only if none has an index, those without
 * one are kernels too.
 *
 * Returns what it returned last, 0 if there is no kernel, or -errno.
 */
int modules_each_kernel(const struct root *root, int (*call)(const char *kernel, void *arg),
			void *arg);

/*
 * modules_dir - set *dir to the malloc'ed "ROOT/lib/modules/KERNEL". Returns 0, -ENOENT, -ENOTSUP
 * if an index in it is not a regular file, or -errno; free *dir in any case.
 */
int modules_dir(const struct root *root, const char *kernel, char **dir);

#endif
