/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles the virtual functions that vfio-early vfs has made: a verdict for each, by the code of
 * the boot, and its own driver for those that no line names.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_VFS_DECIDE_H
#define VFIO_EARLY_HOOK_COMMANDS_VFS_DECIDE_H

#include <stdbool.h>

#include "early/plan.h"
#include "early/report.h"
#include "util/root.h"

struct vfs_made {
	const struct root *root;
	struct plan *plan;
	struct report *report;
	const struct pci_address *pf;
	unsigned int count;
	bool is_repeat;	 /* the report may have entries of earlier ones at the same addresses */
	bool is_divided; /* the physical function's driver manages them; never for vfio-pci */
};

/*
 * vfs_decide - get a verdict for each, as its own late run would, and write drivers_probe for those
 * that no line names. A hanging driver delays it by that function's deadline, and is reported.
 *
 * Returns 0, -ETIMEDOUT if a driver hangs, or -errno after printing why nothing could be done.
 */
int vfs_decide(const struct vfs_made *made);

#endif
