/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads below the root, for the walks. "A real path" is one in sysfs without a link in it, relative
 * to the root: "sys/devices/...".
 */
#ifndef VFIO_EARLY_HOOK_PROTECT_TREE_H
#define VFIO_EARLY_HOOK_PROTECT_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/root.h"
#include "util/stringset.h"

static inline bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* tree_path - snprintf() into PATH_MAX bytes. Returns 0 or -ENAMETOOLONG; @path is then "". */
__attribute__((format(printf, 2, 3))) int tree_path(char *path, const char *format, ...);

/* tree_exists - is there such a file or directory below the root? */
bool tree_exists(const struct root *root, const char *path);

/* tree_open - a file as a stream for reading, or NULL with errno set; see file_open(). */
FILE *tree_open(const struct root *root, const char *path);

/*
 * tree_read - what one read() of a file gives, at most @size - 1 bytes of it.
 * @buf: gets the text, NUL-ended, without white space at its end; "" on failure
 *
 * Returns 0 or -errno.
 */
int tree_read(const struct root *root, const char *path, char *buf, size_t size);

/* tree_attr - the same for the attribute @name of a directory in sysfs. */
int tree_attr(const struct root *root, const char *dir, const char *name, char *buf, size_t size);

/*
 * tree_names - the names in a directory in byte order, those with a dot in front left out. A
 * directory that is not there has none.
 * @names: filled in; to be given to stringset_clear() either way
 *
 * Returns 0 or -errno.
 */
int tree_names(const struct root *root, const char *path, struct stringset *names);

/*
 * tree_real_path - where a path in sysfs really is.
 * @real: PATH_MAX bytes; "" on failure
 *
 * Returns 0 or -errno; -EXDEV when a link of a recorded tree leads out of it.
 */
int tree_real_path(const struct root *root, const char *path, char *real);

#endif
