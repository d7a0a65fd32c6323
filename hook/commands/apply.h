/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply and undo, for whoever puts the last good state back. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_APPLY_H
#define VFIO_EARLY_HOOK_COMMANDS_APPLY_H

#include <stdbool.h>

/*
 * apply_restore - apply, or undo, as the command does it, but a trial is neither begun nor ended.
 * @root: of --root
 *
 * The caller holds the lock "apply.lock" (util/lock.h). Returns a status of ui/status.h.
 */
int apply_restore(const char *root, bool is_undo);

#endif
