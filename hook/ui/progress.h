/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows the progress of long work: on a terminal, one line with the task, its step and the seconds.
 * It is overwritten, and erased at the end. Prints nothing on a pipe or to a file.
 */
#ifndef VFIO_EARLY_HOOK_UI_PROGRESS_H
#define VFIO_EARLY_HOOK_UI_PROGRESS_H

#include "ui/output.h"

/*
 * progress_begin - show the line; only one at a time.
 * @what: the task, "[1/2] 6.1.0-50-amd64"; copied
 */
void progress_begin(const struct output *output, const char *what);

/*
 * progress_step - name the current step: "making the image". Not copied: @step must live until the
 * next step or the end. The seconds go on.
 */
void progress_step(const char *step);

/*
 * progress_tick - update the seconds with a timer while no program runs. Call it after
 * progress_step().
 */
void progress_tick(void);

/* progress_end - erase the line; the cursor is where it began. */
void progress_end(void);

#endif
