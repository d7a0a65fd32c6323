/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan that this boot went by, /run/vfio-early/plan: for what the host does of it (vfs). */
#ifndef VFIO_EARLY_HOOK_HOST_BOOT_PLAN_H
#define VFIO_EARLY_HOOK_HOST_BOOT_PLAN_H

#include "early/plan.h"
#include "util/root.h"

/*
 * boot_plan_read - read it.
 * @plan: points to it; it lives as long as the program
 *
 * Returns 0; -ENOENT, without a word, when the early run did not come this far, or touched nothing; or
 * -errno after saying why it cannot be used.
 */
int boot_plan_read(const struct root *root, struct plan **plan);

#endif
