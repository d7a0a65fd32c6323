/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply and undo, for callers that restore the last good state. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_APPLY_H
#define VFIO_EARLY_HOOK_COMMANDS_APPLY_H

#include <stdbool.h>

/*
 * apply_restore - do what apply or undo does, but neither begin nor end a trial.
 * @root: the argument of --root
 *
 * The caller holds the lock "apply.lock" (util/lock.h). Returns a status of ui/status.h.
 */
int apply_restore(const char *root, bool is_undo);

#endif
