/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel parameters of the next boot: what the boot loader will pass, where it is set, and what is
 * set somewhere without reaching the kernel. Asked of vfio-early-cmdline(8), which alone reads the
 * loaders' files.
 */
#ifndef VFIO_EARLY_HOOK_HOST_NEXT_CMDLINE_H
#define VFIO_EARLY_HOOK_HOST_NEXT_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/root.h"

struct next_param {
	char *token; /* as the loader's file has it, with its quotes */
	char *file;  /* "/etc/default/grub" */
	unsigned int line;
	char *code; /* "in-force", or why not: vfio-early-cmdline(8), next */
};

struct next_cmdline {
	struct next_param *param;
	size_t count; /* those in force in the order of the command line, then the others */
};

/*
 * next_cmdline_read - run `vfio-early-cmdline next`.
 * @next: filled in; next_cmdline_free() in any case
 *
 * The program is this system's own, beside the one that runs: nothing below a root is run. Returns 0
 * or -errno without a word: -ENOENT without that program, -EIO when it fails.
 */
int next_cmdline_read(const struct root *root, struct next_cmdline *next);

/* next_param_is_in_force - also what only some of several ESPs have. */
bool next_param_is_in_force(const struct next_param *param);

void next_cmdline_free(struct next_cmdline *next);

#endif
