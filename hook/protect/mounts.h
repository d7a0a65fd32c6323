/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file systems, swap and ESPs this host needs: mountinfo, fstab, swaps, the boot loader. */
#ifndef VFIO_EARLY_HOOK_PROTECT_MOUNTS_H
#define VFIO_EARLY_HOOK_PROTECT_MOUNTS_H

#include <libmount/libmount.h>

#include "protect/graph.h"

/*
 * mounts_read - parse mountinfo, fstab or swaps. Bad lines are left out, with a note.
 * Returns a table for mnt_unref_table(), or NULL when the file is not there or memory ran out.
 */
struct libmnt_table *mounts_read(struct graph *graph, const char *path);

/* mounts_at - what was last mounted on a place, and so covers the others; NULL when nothing is. */
struct libmnt_fs *mounts_at(struct libmnt_table *mounts, const char *target);

/*
 * mounts_collect - every file system, swap and ESP that this host needs: graph->mounts, fstab, swaps,
 * proxmox-boot-tool's list, and the ESP that was booted from.
 */
void mounts_collect(struct graph *graph);

#endif
