/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file system, or a file on one, down to the devices below it. The files of this directory
 * call each other in one circle, which is real: a file system is on storage, and storage (a loop
 * device) is on a file.
 */
#ifndef VFIO_EARLY_HOOK_PROTECT_FILESYSTEM_H
#define VFIO_EARLY_HOOK_PROTECT_FILESYSTEM_H

#include <libmount/libmount.h>

#include "protect/graph.h"

/*
 * filesystem_add - add what a mounted file system is on: also over the network, in memory and on
 * other file systems.
 */
void filesystem_add(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause);

/*
 * filesystem_add_entry - add what a file system that is not mounted is on, by its line in fstab, if
 * that names no device: a network, flash, a directory, an image.
 */
void filesystem_add_entry(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause);

/*
 * filesystem_add_options - add what its options name, mounted or not: logs and further devices; for
 * a cluster file system the network, which grants its locks.
 */
void filesystem_add_options(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause);

/*
 * filesystem_is_on_something - does a type need something that can be lost, although libmount may
 * call it a pseudo file system (overlay, virtiofs, fuse.encfs)?
 */
bool filesystem_is_on_something(const char *type);

/*
 * filesystem_add_file - add the file system that a file is on: a swap file, a loop device's, a bind
 * mount's.
 */
void filesystem_add_file(struct graph *graph, const char *file, const struct cause *cause);

#endif
