/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the bind lines in the text of a config file, and adds new ones. No I/O. */
#ifndef VFIO_EARLY_HOOK_CONFIG_BINDLINES_H
#define VFIO_EARLY_HOOK_CONFIG_BINDLINES_H

#include <stdbool.h>

#include "config/edit.h"

/* The file for new lines. */
#define BINDLINES_FILE "etc/vfio-early.conf"

/* bindlines_is_bind - does a line, ended by newline or NUL, begin with bind or bind!? */
bool bindlines_is_bind(const char *line);

/*
 * bindlines_insert - set the new text of an edit: the old one with more lines after its last bind
 * line, so that they stand together, else at its end. Returns 0, or -ENOMEM after saying so.
 */
int bindlines_insert(struct edit *edit, const char *lines);

#endif
