/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes files below a trusted folder with names that are not trusted: it follows no link on the
 * way, no name or link leads out, and no character can control a terminal. Used only by replay*.c.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_TREE_H
#define VFIO_EARLY_HOOK_RECORD_TREE_H

#include <limits.h>
#include <stddef.h>

/*
 * unpack_text - undo record_text() in place, and replace control characters of a terminal by '?'.
 */
void unpack_text(char *text, size_t *size);

/* unpack_path - the same for a path. Returns 0, or -EINVAL if it is not a path or leads out. */
int unpack_path(char *path);

/*
 * unpack_file, unpack_folder, unpack_link - make one, and the folders above it. If it exists, the
 * first one stays. Return 0 or -errno; -EINVAL for a link that would lead out.
 */
int unpack_file(int dirfd, const char *path, unsigned int mode, const char *text, size_t size);
int unpack_folder(int dirfd, const char *path);
int unpack_link(int dirfd, const char *path, const char *target);

#endif
