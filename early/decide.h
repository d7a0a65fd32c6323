/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From facts, plan and IOMMU state to a verdict for each function. No I/O: the boot runs it and the
 * host's dry run prints it, so both agree.
 */
#ifndef VFIO_EARLY_DECIDE_H
#define VFIO_EARLY_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code.h"
#include "iommu.h"
#include "pci.h"
#include "plan.h"

enum decision {
	DECIDE_NOTHING, /* a group mate that stays as it is */
	DECIDE_BIND,
	DECIDE_KEEP, /* already on vfio-pci or a variant of it, and left there */
	DECIDE_HOLD, /* cannot be bound, and "failure hold": override set, no driver */
	DECIDE_REFUSE,
};

#define DECIDE_NO_INDEX (-1)

struct verdict {
	enum decision decision;
	enum reason reason; /* why */
	int16_t bind;	    /* the bind selector that names it, in plan->bind; or DECIDE_NO_INDEX */
	int16_t also;	    /* a second one that also names it; or DECIDE_NO_INDEX */
	int16_t protect; /* the protect line that applies, in plan->protect; or DECIDE_NO_INDEX */
	int16_t mate;	 /* the group mate in the way, in table->fn; or DECIDE_NO_INDEX */
	bool blocks_group; /* DECIDE_NOTHING, DECIDE_REFUSE: shares a group with functions that are taken */
	bool has_hint; /* REASON_ID_CHANGED: the only function with the pinned ID is now at "hint" */
	struct pci_address hint;
};

struct decisions {
	struct verdict verdict[PCI_MAX_FUNCTIONS]; /* one for each of table->fn */
	bool matched[PLAN_MAX_BINDS];		   /* some function matches this selector */
};

/* decide - fill in a verdict for each function of the table. */
void decide(const struct plan *plan, const struct iommu *iommu, const struct pci_table *table,
	    struct decisions *decisions);

/* decide_set - the set line that applies to this key of a function: the last one; or NULL. */
const struct plan_set *decide_set(const struct plan *plan, const struct pci_function *fn,
				  enum plan_key key);

/*
 * decide_may_hold_root - may the root file system be on it? True for storage, SD cards and USB
 * controllers, and for what leads to remote disks.
 */
bool decide_may_hold_root(const struct pci_function *fn);

/* decide_is_taken - does this verdict give the function to vfio, away from the host? */
bool decide_is_taken(const struct verdict *verdict);

/* decide_is_forced - is it taken although a protect line applies? */
bool decide_is_forced(const struct verdict *verdict);

#endif
