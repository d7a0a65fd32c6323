/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What systemd mounts because a path, or another line of fstab, needs it; see graph.h. */
#ifndef VFIO_EARLY_HOOK_PROTECT_REQUIRES_H
#define VFIO_EARLY_HOOK_PROTECT_REQUIRES_H

#include <libmount/libmount.h>

#include "protect/graph.h"

/*
 * requires_add_path - add what the lines of graph->fstab mount on the way to a file or directory:
 * like RequiresMountsFor= (systemd.unit(5)), whatever nofail and noauto say.
 */
void requires_add_path(struct graph *graph, const char *path, const struct cause *cause);

/*
 * requires_add_entry - add what a line of fstab needs to be mounted: the mounts above its own
 * place, and its options x-systemd.requires= and x-systemd.requires-mounts-for= (systemd.mount(5)).
 */
void requires_add_entry(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause);

#endif
