/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What apply, undo and confirm share of a trial boot (config/trial.h): when one may begin, what is kept
 * for it, and what its end leaves.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_TRIAL_H
#define VFIO_EARLY_HOOK_COMMANDS_TRIAL_H

#include <stdbool.h>

#include "config/trial.h"
#include "host/host.h"

#define PROGRAM_CMDLINE "/usr/sbin/vfio-early-cmdline"

/*
 * trial_prepare - may a trial begin on this host? Finds the last good state: that of this boot, if a
 * copy of its config is there; nothing of ours, if this boot had none, or undo was the last word.
 * @is_dry: of apply
 * @trial: filled in, but for what is tried; also with what one that is pending has kept already
 *
 * Returns 0, or -errno after saying why not and the fix.
 */
int trial_prepare(const struct root *root, unsigned int minutes, bool is_dry, struct trial *trial);

/*
 * trial_begin - from here on the next boot is a trial. Keeps what apply is about to change.
 * @has_binds: does the config name anything?
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int trial_begin(const struct root *root, bool has_binds, struct trial *trial);

/*
 * trial_settle - apply or undo is done: keep the config that was applied as a good one. Without a trial
 * of its own this ends the one that there was, and says so.
 * @trial: that of this apply, or NULL
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int trial_settle(const struct root *root, bool is_undo, bool has_binds, const struct trial *trial);

#endif
