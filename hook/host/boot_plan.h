/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan that this boot used, /run/vfio-early/plan: the host carries out its vfs lines. */
#ifndef VFIO_EARLY_HOOK_HOST_BOOT_PLAN_H
#define VFIO_EARLY_HOOK_HOST_BOOT_PLAN_H

#include "early/plan.h"
#include "util/root.h"

/*
 * boot_plan_read - read it.
 * @plan: set to it; it lives as long as the program
 *
 * Returns 0; -ENOENT without a message if the early run did not get this far, or touched nothing;
 * or -errno after saying why it cannot be used.
 */
int boot_plan_read(const struct root *root, struct plan **plan);

#endif
