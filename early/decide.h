/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From facts, plan and IOMMU state to a verdict for each function. Pure: the boot runs it, the
 * host's dry run prints it, and both therefore say the same.
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
	DECIDE_KEEP, /* already on vfio-pci, or on a variant of it: left there */
	DECIDE_HOLD, /* cannot be bound, and "failure hold": override set, no driver */
	DECIDE_REFUSE,
};

#define DECIDE_NO_INDEX (-1)

struct verdict {
	enum decision decision;
	enum reason reason; /* its code */
	int16_t bind;	    /* the bind selector that took it, in plan->bind; or DECIDE_NO_INDEX */
	int16_t also;	    /* a second one that names it too; or DECIDE_NO_INDEX */
	int16_t protect;    /* the protect line that spoke, in plan->protect; or DECIDE_NO_INDEX */
	int16_t mate;	    /* the group mate in the way, in table->fn; or DECIDE_NO_INDEX */
	bool blocks_group;  /* DECIDE_NOTHING, DECIDE_REFUSE: shares a group with functions taken */
	bool has_hint;	    /* REASON_ID_CHANGED: the pinned ID now stands at "hint" alone */
	struct pci_address hint;
};

struct decisions {
	struct verdict verdict[PCI_MAX_FUNCTIONS]; /* one for each of table->fn */
	bool matched[PLAN_MAX_BINDS];		   /* a function was there for this selector */
};

/* decide - fill in a verdict for each function of the table. */
void decide(const struct plan *plan, const struct iommu *iommu, const struct pci_table *table,
	    struct decisions *decisions);

/* decide_set - the set line that counts for this key of a function: the last one; or NULL. */
const struct plan_set *decide_set(const struct plan *plan, const struct pci_function *fn,
				  enum plan_key key);

/*
 * decide_may_hold_root - may the root file system lie behind it? Storage, SD cards, USB and what
 * leads to disks of others.
 */
bool decide_may_hold_root(const struct pci_function *fn);

/* decide_is_taken - does this verdict leave the function with vfio, out of the host's hands? */
bool decide_is_taken(const struct verdict *verdict);

/* decide_is_forced - is it taken although a protect line speaks of it? */
bool decide_is_forced(const struct verdict *verdict);

#endif
