/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of virtual functions that vfio-early vfs has made: a verdict for each, by the boot's own
 * code, and its own driver for those that no line takes.
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
	bool is_repeat;	 /* the report may have entries of others that were there before them */
	bool is_divided; /* by the driver of the physical function, and never vfio-pci's */
};

/*
 * vfs_decide - verdicts for all of them, each as its own late run would have it, and drivers_probe for those
 * that nobody takes. A driver that hangs costs its own deadline, and is said.
 *
 * Returns 0, -ETIMEDOUT when a driver hangs, or -errno after saying why nothing could be done.
 */
int vfs_decide(const struct vfs_made *made);

#endif
