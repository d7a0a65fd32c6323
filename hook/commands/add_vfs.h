/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-early add --vfs: virtual functions at every boot. Used only by add.c. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_ADD_VFS_H
#define VFIO_EARLY_HOOK_COMMANDS_ADD_VFS_H

#include "commands/change.h"

/*
 * add_vfs - write a vfs line and a bind vf: line, with IDs and paths, for each physical function
 * into the config.
 * @change: opened; change->vfs is the argument of --vfs
 * @argv: addresses, paths and network interfaces
 *
 * Returns an exit status.
 */
int add_vfs(struct change *change, int argc, char **argv);

#endif
