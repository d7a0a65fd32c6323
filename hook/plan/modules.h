/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which modules a kernel needs for vfio-pci, in which order, with which options: asked of libkmod,
 * for a kernel that need not be the running one. Loads nothing.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_MODULES_H
#define VFIO_EARLY_HOOK_PLAN_MODULES_H

#include <stdio.h>

#include "util/root.h"

/*
 * modules_write - write the "module" lines of a plan, and comments on what was left out: ids=, an
 * option for which the module would refuse to load (parmtype.h), a module that only a softdep
 * brings and that is not vfio's, an install command. All but ids= is also said on stderr.
 * @kernel: the version; its directory exists
 * @out: gets the lines
 * @lost: called with a text for the boot log for each thing that makes the list incomplete; the
 *	  same is said on stderr, with the fix
 *
 * Returns the number of things lost, or -errno.
 */
int modules_write(const struct root *root, const char *kernel, bool says, FILE *out,
		  void (*lost)(const char *text, void *arg), void *arg);

/*
 * modules_dir - "ROOT/lib/modules/KERNEL" for malloc'ed *dir. Returns 0, -ENOENT, -ENOTSUP when an index in
 * it is not a regular file, or -errno; *dir is for free() in any case.
 */
int modules_dir(const struct root *root, const char *kernel, char **dir);

#endif
