/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State that `apply` and `undo` leave behind in /var/lib/vfio-early: files that exist or do not.
 * Decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_STATE_H
#define VFIO_EARLY_HOOK_CONFIG_STATE_H

#include <stdbool.h>

#include "util/root.h"

#define STATE_DIR   "var/lib/vfio-early"
#define STATE_FACTS STATE_DIR "/facts" /* plan/facts.h */

/* Of vfio-early-cmdline(8): what it added to each file, and what is still to be done. */
#define STATE_CMDLINE STATE_DIR "/cmdline"

enum state {
	/* `undo` was the last command: every plan is empty until `apply`. */
	STATE_UNDONE,
	/*
	 * Images are being made: the boot loader must be refreshed, by the next run if not by this
	 * one.
	 */
	STATE_UNFINISHED,
};

/* state_is - is it set? */
bool state_is(const struct root *root, enum state state);

/*
 * state_set - set or clear it: on the disk on return.
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int state_set(const struct root *root, enum state state, bool is_so);

#endif
