/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a block device down to its functions. */
#ifndef VFIO_EARLY_HOOK_PROTECT_STORAGE_H
#define VFIO_EARLY_HOOK_PROTECT_STORAGE_H

#include "protect/graph.h"

/* storage_path - the real path of a device number, "8:1". Returns 0 or -errno. */
int storage_path(const struct graph *graph, const char *devno, char *real);

/*
 * storage_find - the real path of the block device behind a path in /dev: on the running host by
 * its number; else by the device mapper's names, udev's links and the kernel's name.
 *
 * Returns 0, or -errno: -ENOENT if there is none.
 */
int storage_find(struct graph *graph, const char *dev, char *real);

/*
 * storage_add - add a block device and everything that it is built on: LVM, MD, dm-crypt and
 * multipath by slaves/, bcache, loop, NVMe with and without its own multipath, over PCI, the
 * network and Fibre Channel, zram's backing device, the pool of a ZFS volume, what opens an
 * encrypted device.
 * @path: its real path; a partition's or a disk's
 */
void storage_add(struct graph *graph, const char *path, const struct cause *cause);

/* storage_volume_name - "my--vg-root" is my-vg/root: dm doubles the hyphens of a name (lvm2). */
void storage_volume_name(const char *dm_name, char *name, size_t size);

/*
 * storage_add_mtd - add every flash device: sysfs does not tell which one a flash file system is
 * on.
 */
void storage_add_mtd(struct graph *graph, const struct cause *cause);

/*
 * storage_end - at the end of a walk that graph_begin() began: add all physical volumes of each
 * volume group that it met. They come last, because a disk that contains a volume is better
 * described by that.
 */
void storage_end(struct graph *graph, const struct cause *cause);

#endif
