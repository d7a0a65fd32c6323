/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a Proxmox VE host; for pve.c alone. */
#ifndef VFIO_EARLY_HOOK_HOST_PVE_READ_H
#define VFIO_EARLY_HOOK_HOST_PVE_READ_H

#include "host/pve.h"
#include "util/root.h"

/* pve_read - all but pve->entry. Returns 0 or -ENOMEM after saying so. */
int pve_read(const struct root *root, struct pve *pve);

#endif
