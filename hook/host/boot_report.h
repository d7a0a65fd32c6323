/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot reported in /run/vfio-early/report: one line for each function, written by
 * early/report.c. Reading it is harmless whatever it says; lines that make no sense are skipped.
 */
#ifndef VFIO_EARLY_HOOK_HOST_BOOT_REPORT_H
#define VFIO_EARLY_HOOK_HOST_BOOT_REPORT_H

#include <stddef.h>

#include "early/pci.h"
#include "early/plan.h"
#include "early/selector.h"
#include "util/root.h"

/* The result for one key of the set lines; code is "" if no line sets it. */
struct boot_report_setting {
	char code[20];		      /* "ok" or why not */
	char before[PLAN_VALUE_SIZE]; /* the attribute's value before this boot wrote it; "" if unknown */
};

/* One function, as the boot reported on it. */
struct boot_report_entry {
	char subject[160]; /* an address, or a selector that no function matches */
	char id[PCI_ID_SIZE];
	char result[16];
	char driver[PCI_DRIVER_SIZE]; /* "" when none */
	char why[32];		      /* the code; "" if an earlier version wrote none */
	char reason[512];	      /* the same in words */
	struct boot_report_setting setting[PLAN_SET_KEYS];
};

struct boot_report {
	struct boot_report_entry *list;
	size_t count;
};

/*
 * boot_report_read - read the last entry of each subject, in the order of their first entries. The
 * values from before set lines are those of the first line since the function was given back: later
 * runs of this boot find what an earlier one wrote.
 * @root: the host's own or a recorded machine's
 * @report: filled in; call boot_report_free() in any case
 *
 * Returns 0, or -errno (-ENOENT: there is no report).
 */
int boot_report_read(const struct root *root, struct boot_report *report);

/* boot_report_find - the entry about this subject, or NULL. */
const struct boot_report_entry *boot_report_find(const struct boot_report *report,
						 const char *subject);

void boot_report_free(struct boot_report *report);

#endif
