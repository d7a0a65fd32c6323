/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel of the next boot and its parameters: what the boot loader will pass, where it is set,
 * and what is set somewhere but does not reach the kernel. The answers come from
 * vfio-early-cmdline(8), which alone reads the boot loaders' files.
 */
#ifndef VFIO_EARLY_HOOK_HOST_NEXT_CMDLINE_H
#define VFIO_EARLY_HOOK_HOST_NEXT_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/root.h"

/*
 * Its answers so far: it is a shell script that starts some forty processes for each. Zeroed at
 * first; drop them after running a program that may change what the boot loader passes.
 */
#define NEXT_ANSWERS 2
struct next_answers {
	char *said[NEXT_ANSWERS];
};

void next_answers_drop(struct next_answers *answers);

/* next_answers_copy - what is known of the same root. Returns 0 or -ENOMEM. */
int next_answers_copy(struct next_answers *answers, const struct next_answers *from);

struct next_param {
	char *token; /* as the loader's file has it, with its quotes */
	char *file;  /* "/etc/default/grub" */
	unsigned int line;
	char *code; /* "in-force", or why not: vfio-early-cmdline(8), next */
};

/* Made by GRUB's programs: a parameter is there if it is in none of the files that it is made from. */
#define NEXT_PARAM_GRUB_CFG "/boot/grub/grub.cfg"

struct next_cmdline {
	struct next_param *param;
	size_t count; /* those in force in the order of the command line, then the others */
};

/*
 * next_cmdline_read - run `vfio-early-cmdline next`.
 * @answers: asked first, and kept in; or NULL
 * @next: filled in; next_cmdline_free() in any case
 *
 * The program is this system's own, beside the one that runs: nothing below a root is run. Returns 0
 * or -errno without a word: -ENOENT without that program, -EIO when it fails.
 */
int next_cmdline_read(const struct root *root, struct next_answers *answers,
		      struct next_cmdline *next);

/* next_param_is_in_force - also what only some of several ESPs have. */
bool next_param_is_in_force(const struct next_param *param);

/* next_param_is_loaders - is it known from a file of the boot loader, and not from this boot alone? */
bool next_param_is_loaders(const struct next_param *param);

void next_cmdline_free(struct next_cmdline *next);

/* What boots this machine, and whether vfio-early-cmdline can keep its command line. */
enum next_loader {
	NEXT_LOADER_NOT_TOLD, /* by an older vfio-early-cmdline, or in an older bug report */
	NEXT_LOADER_KEPT,
	NEXT_LOADER_BY_HAND, /* it was updated by hand, and no image has changed since */
	NEXT_LOADER_UNKEPT,
	NEXT_LOADER_TWO,    /* it is not known which of two boots this machine */
	NEXT_LOADER_NO_ESP, /* proxmox-boot-tool has no ESP that can boot this machine */
	NEXT_LOADERS
};

/* next_loader_name - "kept"...; "" for NEXT_LOADER_NOT_TOLD. */
const char *next_loader_name(enum next_loader loader);

struct next_kernel {
	char *version; /* or NULL: not known, or another system's */
	char *image;   /* its image as the loader names it, or NULL */
	char *place;   /* where that is said, FILE:LINE, or NULL */
	char *how;     /* why this one, or "not-known": vfio-early-cmdline(8), kernel */
	enum next_loader loader;
	char *loader_text; /* for people, or NULL if it was not told */
	char *loader_fix;  /* what to do about it, or NULL */
};

/*
 * next_kernel_read - run `vfio-early-cmdline kernel`, which says what the loader is in the same
 * answer; where the ESPs of a machine differ the first counts.
 * @answers: as there
 * @kernel: filled in; next_kernel_free() in any case
 *
 * Returns as next_cmdline_read().
 */
int next_kernel_read(const struct root *root, struct next_answers *answers,
		     struct next_kernel *kernel);

void next_kernel_free(struct next_kernel *kernel);

#endif
