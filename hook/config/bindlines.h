/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bind lines in a file of the config: where they are, and where new ones go. Text to text.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_BINDLINES_H
#define VFIO_EARLY_HOOK_CONFIG_BINDLINES_H

#include <stdbool.h>

#include "config/edit.h"

/* Where new lines go. */
#define BINDLINES_FILE "etc/vfio-early.conf"

/* bindlines_is_bind - does a line, ended by newline or NUL, begin with bind or bind!? */
bool bindlines_is_bind(const char *line);

/*
 * bindlines_insert - make the new text of an edit: the old one with more lines behind its last bind
 * line, so that they stand together, else at its end. Returns 0, or -ENOMEM after saying so.
 */
int bindlines_insert(struct edit *edit, const char *lines);

#endif
