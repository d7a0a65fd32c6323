/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file systems, swap and ESPs this host needs: mountinfo, fstab, swaps, the boot loader. */
#ifndef VFIO_EARLY_HOOK_PROTECT_MOUNTS_H
#define VFIO_EARLY_HOOK_PROTECT_MOUNTS_H

#include <libmount/libmount.h>

#include "protect/graph.h"

/*
 * mounts_read - parse mountinfo, fstab or swaps. Bad lines are left out, with a note. Returns a
 * table for mnt_unref_table(), or NULL if the file does not exist or memory ran out.
 */
struct libmnt_table *mounts_read(struct graph *graph, const char *path);

/* mounts_at - the last mount on a place, which covers the others; NULL if there is none. */
struct libmnt_fs *mounts_at(struct libmnt_table *mounts, const char *target);

/*
 * mounts_add_named - add a device that fstab, crypttab or proxmox-boot-tool names, mounted or not.
 * @tag: "UUID" and the like, or NULL if @value is a path
 *
 * Returns whether there was one. If several have the tag (a clone, the members of a btrfs), all
 * count.
 */
bool mounts_add_named(struct graph *graph, const char *tag, const char *value,
		      const struct cause *cause);

/* mounts_add_spec - the same by a word of fstab's first field: "UUID=1234-ABCD", "/dev/sda1". */
bool mounts_add_spec(struct graph *graph, const char *spec, const struct cause *cause);

/*
 * mounts_collect - find every file system, swap and ESP that this host needs: graph->mounts, fstab,
 * swaps, proxmox-boot-tool's list, and the ESP of this boot.
 */
void mounts_collect(struct graph *graph);

/* mounts_collect_root - find only what / is on. */
void mounts_collect_root(struct graph *graph);

/*
 * mounts_collect_used - find what uses a disk now, needed or not: every mounted file system,
 * imported ZFS pool, active volume and array, and all swap. CAUSE_IN_USE.
 */
void mounts_collect_used(struct graph *graph);

#endif
