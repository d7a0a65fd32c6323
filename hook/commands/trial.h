/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trial boot (config/trial.h), as shared by apply, undo and confirm: when one may begin, what is
 * saved for it, and what remains at its end.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_TRIAL_H
#define VFIO_EARLY_HOOK_COMMANDS_TRIAL_H

#include <stdbool.h>

#include "config/trial.h"
#include "host/host.h"

#define PROGRAM_CMDLINE "/usr/sbin/vfio-early-cmdline"

/*
 * When that program refreshes the loader. An environment variable, not an option: the program of an
 * older version, below --root, ignores it.
 */
#define REFRESH_VARIABLE "VFIO_EARLY_REFRESH"
#define REFRESH_LATER	 "later"  /* with --no-refresh: a call of "refresh" follows */
#define REFRESH_IF_DUE	 "if-due" /* with refresh: only if the loader lacks the last change */

/* Exists while the loader lacks the last change. */
#define REFRESH_FILE STATE_CMDLINE "/refresh"

/*
 * trial_prepare - may a trial begin on this host? Finds the last good state: that of this boot, if
 * a copy of its config exists; nothing bound, if this boot had none, or after undo.
 * @is_dry: of apply
 * @trial: filled in, except the config to be tried; includes what a pending trial has saved already
 *
 * Returns 0, or -errno after printing the reason and the fix.
 */
int trial_prepare(const struct root *root, unsigned int minutes, bool is_dry, struct trial *trial);

/*
 * trial_begin - make the next boot a trial. Saves what apply is about to change.
 * @has_binds: does the config bind anything?
 *
 * Returns 0, or -errno after printing an error.
 */
int trial_begin(const struct root *root, bool has_binds, struct trial *trial);

/*
 * trial_settle - after a successful apply or undo: store the applied config as a good one. Without
 * a trial of its own it ends an existing trial, and prints that.
 * @trial: that of this apply, or NULL
 *
 * Returns 0, or -errno after printing an error.
 */
int trial_settle(const struct root *root, bool is_undo, bool has_binds, const struct trial *trial);

#endif
