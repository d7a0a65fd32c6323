/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which modules a kernel needs for vfio-pci, in which order, with which options: asked of libkmod,
 * for a kernel that need not be the running one. Loads nothing.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_MODULES_H
#define VFIO_EARLY_HOOK_PLAN_MODULES_H

#include <stdio.h>

/*
 * modules_write - write the "module" lines of a plan, and comments on what was left out.
 * @root: the root directory, absolute, "" for "/"
 * @kernel: the version; its directory exists
 * @out: gets the lines
 * @lost: called with a text for the boot log for each thing that makes the list incomplete; the
 *	  same is said on stderr, with the fix
 *
 * Returns the number of things lost, or -errno.
 */
int modules_write(const char *root, const char *kernel, FILE *out,
		  void (*lost)(const char *text, void *arg), void *arg);

/* modules_dir - "ROOT/lib/modules/KERNEL" for malloc'ed *dir. Returns 0, -ENOENT or -errno. */
int modules_dir(const char *root, const char *kernel, char **dir);

#endif
