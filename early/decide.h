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

enum reason {
	REASON_NONE,
	REASON_EXCEPT,
	REASON_ID_CHANGED,
	REASON_BRIDGE,
	REASON_PROTECTED,
	REASON_BOOT_VGA,
	REASON_VFS,
	REASON_NO_IOMMU,
	REASON_NO_GROUP,
	REASON_NOIOMMU,	    /* on a driver of vfio already, in a group that isolates nothing */
	REASON_GROUP,	    /* a mate stays with the host, and "group refuse" */
	REASON_GROUP_CLAIM, /* a mate may not be claimed */
	REASON_VARIANT,	    /* kept: another vfio driver has it */
};

#define DECIDE_NO_INDEX (-1)

struct verdict {
	enum decision decision;
	enum reason reason;
	int16_t bind;	 /* the bind selector that took it, in plan->bind; or DECIDE_NO_INDEX */
	int16_t also;	 /* a second one that names it too; or DECIDE_NO_INDEX */
	int16_t protect; /* the protect line that spoke, in plan->protect; or DECIDE_NO_INDEX */
	int16_t mate;	 /* the group mate in the way, in table->fn; or DECIDE_NO_INDEX */
	bool forced;	 /* bind! overrode the protect line */
	bool claimed;	 /* no line names it: taken for the sake of its group */
	bool crowds;	 /* DECIDE_NOTHING, DECIDE_REFUSE: shares a group with functions taken */
	bool has_hint;	 /* REASON_ID_CHANGED: the pinned ID now stands at "hint" alone */
	struct pci_address hint;
};

struct decisions {
	struct verdict verdict[PCI_MAX_FUNCTIONS]; /* one for each of table->fn */
	bool matched[PLAN_MAX_BINDS];		   /* a function was there for this selector */
};

/* decide - fill in a verdict for each function of the table. */
void decide(const struct plan *plan, const struct iommu *iommu, const struct pci_table *table,
	    struct decisions *decisions);

/*
 * decide_reason - why, in words, with the next step: "holds / (protect)".
 * @i: which function of the table
 *
 * Returns buf; "" where there is nothing to say.
 */
char *decide_reason(const struct plan *plan, const struct iommu *iommu,
		    const struct pci_table *table, const struct decisions *decisions,
		    unsigned int i, char *buf, size_t size);

/* decide_is_taken - does this verdict leave the function with vfio, out of the host's hands? */
bool decide_is_taken(const struct verdict *verdict);

#endif
