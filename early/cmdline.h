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
 * cmdline_find - look for NAME=VALUE, compared whole.
 * @cmdline: the text of /proc/cmdline
 * @value: may be one of several between commas ("intel_iommu=on,igfx_off"); '-' and '_' are told
 *	   apart, as in everything but module names
 * @found: the parameter as it stands there, or ""; may be NULL
 *
 * Returns whether it is there.
 */
bool cmdline_find(const char *cmdline, const char *name, const char *value,
		  char found[CMDLINE_PARAM_SIZE]);

#endif
