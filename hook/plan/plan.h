/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiling the config into a plan, for whoever wants to know what the boot half will be told.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_PLAN_H
#define VFIO_EARLY_HOOK_PLAN_PLAN_H

#include <stddef.h>

#include "util/root.h"

/*
 * plan_compile - the plan as it lies in the image of a kernel, without writing it anywhere.
 * @root: opened
 * @kernel: its version, of a directory in lib/modules; NULL leaves the modules out
 * @text: malloc'ed, NUL-ended, fit for plan_parse() as PLAN_COMPILED
 * @size: without the NUL
 *
 * Wrong lines of the config are said on stderr and come back as "lost" lines. That a bind line
 * matches nothing today is not said: decide() tells. Returns 0, or -errno after saying why.
 */
int plan_compile(const struct root *root, const char *kernel, char **text, size_t *size);

#endif
