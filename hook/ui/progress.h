/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows the progress of long work: on a terminal one line with the task, its step and the seconds,
 * which is overwritten and is erased at the end; on a pipe or in a file nothing.
 */
#ifndef VFIO_EARLY_HOOK_UI_PROGRESS_H
#define VFIO_EARLY_HOOK_UI_PROGRESS_H

#include "ui/output.h"

/* progress_begin - show a line. @what: the task, "[1/2] 6.1.0-50-amd64"; copied. One at a time. */
void progress_begin(const struct output *output, const char *what);

/* progress_step - name the current step: "making the image". Must last; the seconds continue. */
void progress_step(const char *step);

/*
 * progress_tick - let the seconds advance by a timer, when no program is run. Call it after
 * progress_step().
 */
void progress_tick(void);

/* progress_end - erase the line; the cursor is where it began. */
void progress_end(void);

#endif
