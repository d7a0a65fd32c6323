/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said on stderr: one funnel, so that every line begins alike. Decides nothing. */
#ifndef VFIO_EARLY_HOOK_UTIL_MESSAGE_H
#define VFIO_EARLY_HOOK_UTIL_MESSAGE_H

#include <stddef.h>

/* message_error - "vfio-early: error: ...". Returns -EINVAL, so that it can end a function. */
__attribute__((format(printf, 1, 2))) int message_error(const char *fmt, ...);

/* message_errno - the same with the text of an error (-errno) behind it. Returns that error. */
__attribute__((format(printf, 2, 3))) int message_errno(int error, const char *fmt, ...);

/* message_warn - "vfio-early: warning: ...". */
__attribute__((format(printf, 1, 2))) void message_warn(const char *fmt, ...);

/*
 * message_line - an error in a line of a file: "FILE:LINE:COLUMN: what", then the line itself and
 * a caret under the column. Without the line when it is NULL. @text: ends at a newline or NUL.
 */
void message_line(const char *file, unsigned int line, unsigned int column, const char *what,
		  const char *text);

/* message_plain - a line that has its place in front already. */
void message_plain(const char *text);

#endif
