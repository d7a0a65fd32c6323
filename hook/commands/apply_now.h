/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply --now: what the next boot would bind is handed over at once, as detach does it, but for what somebody
 * uses: that waits for the reboot, with the rest of its card and of its group.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_APPLY_NOW_H
#define VFIO_EARLY_HOOK_COMMANDS_APPLY_NOW_H

#include <stdbool.h>

/*
 * apply_now - after an apply that went well.
 * @root: of --root
 *
 * Returns an exit status: that something waits is no failure.
 */
int apply_now(const char *root, bool is_dry);

#endif
