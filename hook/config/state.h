/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `apply` and `undo` leave behind in /var/lib/vfio-early: files that are there or not. Decides
 * nothing.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_STATE_H
#define VFIO_EARLY_HOOK_CONFIG_STATE_H

#include <stdbool.h>

#include "util/root.h"

#define STATE_DIR "var/lib/vfio-early"

enum state {
	/* `undo` was the last word: every plan is empty until `apply`. */
	STATE_UNDONE,
	/* Images are being made: the boot loader has to be told of them, also by the next run. */
	STATE_UNFINISHED,
};

/* state_is - is it so? */
bool state_is(const struct root *root, enum state state);

/*
 * state_set - from here on it is so, or is not so any more: on the disk when this returns.
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int state_set(const struct root *root, enum state state, bool is_so);

#endif
