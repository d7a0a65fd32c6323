/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds parameters in the text of the kernel command line. No I/O. */
#ifndef VFIO_EARLY_CMDLINE_H
#define VFIO_EARLY_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* arch/x86/include/asm/setup.h: COMMAND_LINE_SIZE is 2048, no architecture has more than 4096. */
#define CMDLINE_SIZE 4096

/* A parameter that is quoted in a message; a longer one is cut off. */
#define CMDLINE_PARAM_SIZE 64

/*
 * cmdline_find - look for NAME=VALUE as the kernel reads it: quotes may enclose the value or both,
 * '-' and '_' are the same in a name, and the kernel ignores what follows "--" (lib/cmdline.c,
 * next_arg; kernel/params.c, parameq, parse_args).
 * @cmdline: the text of /proc/cmdline
 * @name: with '_' only
 * @value: may be one of a list with commas ("intel_iommu=on,igfx_off")
 * @found: the parameter as it is written there, or ""; may be NULL
 *
 * Returns whether it is there.
 */
bool cmdline_find(const char *cmdline, const char *name, const char *value,
		  char found[CMDLINE_PARAM_SIZE]);

/*
 * cmdline_is_on - does the last occurrence of a boolean parameter turn it on?
 * @params: of the kernel, or the options of a module
 * @name: with '_' only
 *
 * Without a value it is on (kernel/params.c, param_set_bool; lib/kstrtox.c, kstrtobool; up to Linux
 * 6.13 "enable" was refused).
 */
bool cmdline_is_on(const char *params, const char *name);

/* What vfio_early= asks for, weakest first: if it is there several times, the strongest wins. */
enum cmdline_mode {
	CMDLINE_RUN,	 /* not there */
	CMDLINE_DRY_RUN, /* dry-run: decide and log, write nothing */
	CMDLINE_OFF,	 /* off */
	CMDLINE_UNKNOWN, /* any other value, or none: probably meant as a way out, so it turns everything off */
};

/*
 * cmdline_mode - what does the kernel command line tell this program to do?
 * @unknown: the parameter with an unknown value, as it is written there, or ""; may be NULL
 */
enum cmdline_mode cmdline_mode(const char *cmdline, char unknown[CMDLINE_PARAM_SIZE]);

#endif
