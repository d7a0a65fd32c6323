/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches the trial boot, and restores the last good state: for confirm --wait. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_WATCH_H
#define VFIO_EARLY_HOOK_COMMANDS_WATCH_H

#include "util/root.h"

/*
 * watch_boot - what vfio-early-trial.service does in each boot: nothing, unless there is a trial
 * for it.
 * @dir: the argument of --root, the same as @root
 *
 * Returns a status of ui/status.h: COMMAND_OK also if the host is about to reboot.
 */
int watch_boot(const struct root *root, const char *dir);

#endif
