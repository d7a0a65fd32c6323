/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems that are on more than one device: ZFS pools, btrfs, bcachefs. */
#ifndef VFIO_EARLY_HOOK_PROTECT_POOLS_H
#define VFIO_EARLY_HOOK_PROTECT_POOLS_H

#include "protect/graph.h"

/*
 * pools_add_dataset - every device that may belong to the ZFS pool of a dataset.
 * @dataset: "rpool/ROOT/pve-1", or NULL for one of any pool
 */
void pools_add_dataset(struct graph *graph, const char *dataset, const struct cause *cause);

/*
 * pools_add_btrfs - all devices of a mounted or unmounted btrfs.
 * @device: the real path of one of them, or "" when it is not known: then all btrfs counts
 */
void pools_add_btrfs(struct graph *graph, const char *device, const struct cause *cause);

/* pools_add_members - a device by its real path, and the others of its file system (btrfs, bcachefs). */
void pools_add_members(struct graph *graph, const char *device, const struct cause *cause);

#endif
