/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking things up on the kernel command line. Pure: it is given the text.
 */
#ifndef VFIO_EARLY_CMDLINE_H
#define VFIO_EARLY_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* arch/x86/include/asm/setup.h: COMMAND_LINE_SIZE is 2048, no architecture has more than 4096. */
#define CMDLINE_SIZE 4096

/* A parameter that is quoted back in a message; a longer one is cut there. */
#define CMDLINE_PARAM_SIZE 64

/*
 * cmdline_find - look for NAME=VALUE, as the kernel reads it: quotes may stand around the value or
 * around both, '-' and '_' are one in a name, and what is behind "--" is none of the kernel's
 * (lib/cmdline.c, next_arg; kernel/params.c, parameq, parse_args).
 * @cmdline: the text of /proc/cmdline
 * @name: with '_' alone
 * @value: may be one of several between commas ("intel_iommu=on,igfx_off")
 * @found: the parameter as it stands there, or ""; may be NULL
 *
 * Returns whether it is there.
 */
bool cmdline_find(const char *cmdline, const char *name, const char *value,
		  char found[CMDLINE_PARAM_SIZE]);

/*
 * cmdline_is_on - does the last word about a boolean parameter switch it on?
 * @params: of the kernel, or the options of a module
 * @name: with '_' alone
 *
 * Without a value it is on (kernel/params.c, param_set_bool; lib/kstrtox.c, kstrtobool; up to 6.13
 * "enable" was refused).
 */
bool cmdline_is_on(const char *params, const char *name);

/* What vfio_early= asks for, the stronger later: of several that are there the strongest counts. */
enum cmdline_mode {
	CMDLINE_RUN,	 /* it is not there */
	CMDLINE_DRY_RUN, /* dry-run: decide and say, write nothing */
	CMDLINE_OFF,	 /* off */
	CMDLINE_UNKNOWN, /* anything else, nothing too: meant for a way out, so it is one */
};

/*
 * cmdline_mode - what does the kernel command line say to this program?
 * @unknown: a parameter whose value is not known, as it stands there, or ""; may be NULL
 */
enum cmdline_mode cmdline_mode(const char *cmdline, char unknown[CMDLINE_PARAM_SIZE]);

#endif
