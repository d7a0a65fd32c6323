/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply --now: hands over what the next boot would bind, as detach does. A device that is in use
 * waits for the reboot, with the rest of its card and group.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_APPLY_NOW_H
#define VFIO_EARLY_HOOK_COMMANDS_APPLY_NOW_H

#include <stdbool.h>

/*
 * apply_now - call it after a successful apply.
 * @root: the argument of --root
 *
 * Returns an exit status. A device that waits for the reboot is not a failure.
 */
int apply_now(const char *root, bool is_dry);

#endif
