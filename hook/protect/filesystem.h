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

/* filesystem_add_file - the file system that a file lies on: a swap file, a loop's, a bind mount's. */
void filesystem_add_file(struct graph *graph, const char *file, const struct cause *cause);

#endif
