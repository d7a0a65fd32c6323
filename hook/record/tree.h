/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files below a folder that is trusted, by names that are not: no link on the way is followed, no name
 * leads out, no link leads out, and no character moves a terminal's cursor. Of use for replay*.c alone.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_TREE_H
#define VFIO_EARLY_HOOK_RECORD_TREE_H

#include <limits.h>
#include <stddef.h>

/* unpack_text - undoes record_text() in place, and makes '?' of what a terminal would obey. */
void unpack_text(char *text, size_t *size);

/* unpack_path - the same for a path. Returns 0, or -EINVAL for one that is none, or leads out. */
int unpack_path(char *path);

/*
 * unpack_file, unpack_folder, unpack_link - make one, with the folders above it. Of what is there twice
 * the first counts. Return 0 or -errno; -EINVAL for a link that would lead out.
 */
int unpack_file(int dirfd, const char *path, unsigned int mode, const char *text, size_t size);
int unpack_folder(int dirfd, const char *path);
int unpack_link(int dirfd, const char *path, const char *target);

#endif
