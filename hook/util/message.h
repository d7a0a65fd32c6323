/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages on stderr: the only place that prints them, so every line begins alike. Decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_MESSAGE_H
#define VFIO_EARLY_HOOK_UTIL_MESSAGE_H

#include <stddef.h>

/*
 * message_error - print "vfio-early: error: ...". Returns -EINVAL, so that it can end a function.
 */
__attribute__((format(printf, 1, 2))) int message_error(const char *fmt, ...);

/* message_errno - the same, followed by the text of an error (-errno). Returns that error. */
__attribute__((format(printf, 2, 3))) int message_errno(int error, const char *fmt, ...);

/* message_warn - print "vfio-early: warning: ...". */
__attribute__((format(printf, 1, 2))) void message_warn(const char *fmt, ...);

/*
 * message_line - report an error in a line of a file: "FILE:LINE:COLUMN: what", then the line
 * itself and a caret under the column; without the line if @text is NULL. @text ends at a newline
 * or NUL.
 */
void message_line(const char *file, unsigned int line, unsigned int column, const char *what,
		  const char *text);

/*
 * message_alias - in what follows, a path below @folder is shown as one below @name. For the tree
 * that is made of a bug report: its folder is gone when the command ends. Both must stay.
 */
void message_alias(const char *folder, const char *name);

/* message_note - print "vfio-early: note: ...": something to know, not something wrong. */
__attribute__((format(printf, 1, 2))) void message_note(const char *fmt, ...);

/* message_plain - print a line that already begins with its place. */
void message_plain(const char *text);

#endif
