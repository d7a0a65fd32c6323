/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that a file system uses besides the one that it is mounted from: journals, logs, more
 * disks.
 */
#ifndef VFIO_EARLY_HOOK_PROTECT_JOURNAL_H
#define VFIO_EARLY_HOOK_PROTECT_JOURNAL_H

#include "protect/graph.h"

/*
 * journal_add - add what the superblock of a file system names: the journal of ext3 and ext4, the
 * log of jfs, the journal of reiserfs, the further devices of f2fs. For xfs these are mount
 * options.
 * @device: the real path of the device that it is on
 * @type: "ext4"; nothing is added for other types
 *
 * If a superblock cannot be read (which takes root), more is protected.
 */
void journal_add(struct graph *graph, const char *device, const char *type,
		 const struct cause *cause);

/*
 * journal_add_number - add a journal that an option names by its device number, as the kernel
 * encodes it.
 */
void journal_add_number(struct graph *graph, unsigned int dev, const char *type,
			const struct cause *cause);

#endif
