/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long work that shows itself: on a terminal one line, what is done, its step, and for how many seconds,
 * written over again and again and gone at the end; on a pipe or in a file nothing at all.
 */
#ifndef VFIO_EARLY_HOOK_UI_PROGRESS_H
#define VFIO_EARLY_HOOK_UI_PROGRESS_H

#include "ui/output.h"

/* progress_begin - show a line. @what: "[1/2] 6.1.0-50-amd64"; copied. One at a time. */
void progress_begin(const struct output *output, const char *what);

/* progress_step - what of it is done now: "making the image". Must last; the seconds go on. */
void progress_step(const char *step);

/* progress_tick - the seconds go on by themselves, where no program is run that is waited for. After a step. */
void progress_tick(void);

/* progress_end - the line is gone, and the cursor where it began. */
void progress_end(void);

#endif
