/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-early add --vfs: virtual functions at every boot. For add alone. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_ADD_VFS_H
#define VFIO_EARLY_HOOK_COMMANDS_ADD_VFS_H

#include "commands/change.h"

/*
 * add_vfs - a vfs line and a bind vf: line, pinned, for each physical function, into the config.
 * @change: opened; change->vfs is what was written behind --vfs
 * @argv: addresses, paths and network interfaces
 *
 * Returns an exit status.
 */
int add_vfs(struct change *change, int argc, char **argv);

#endif
