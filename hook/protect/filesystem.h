/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file system, or a file on one, down to the devices under it. The one circle among these
 * files is real: a file system lies on storage, and storage (a loop device) on a file.
 */
#ifndef VFIO_EARLY_HOOK_PROTECT_FILESYSTEM_H
#define VFIO_EARLY_HOOK_PROTECT_FILESYSTEM_H

#include <libmount/libmount.h>

#include "protect/graph.h"

/* filesystem_add - what is under a mounted file system; over the network, in memory and on others too. */
void filesystem_add(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause);

/*
 * filesystem_add_entry - what is under a file system that is not mounted, by its line in fstab, where
 * that names no device: a network, flash, a folder, an image.
 */
void filesystem_add_entry(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause);

/*
 * filesystem_add_options - what its options name, mounted or not: logs and further devices; and for a
 * cluster's file system the network, without which nobody grants it a lock.
 */
void filesystem_add_options(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause);

/*
 * filesystem_is_on_something - does a type stand on something that can be lost, although libmount may
 * call it a pseudo file system (overlay, virtiofs, fuse.encfs)?
 */
bool filesystem_is_on_something(const char *type);

/* filesystem_add_file - the file system that a file lies on: a swap file, a loop's, a bind mount's. */
void filesystem_add_file(struct graph *graph, const char *file, const struct cause *cause);

#endif
