/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot reported, /run/vfio-early/report: a line a function, which early/report.c writes.
 * Whatever the file says, reading it is harmless; lines that make no sense are passed over.
 */
#ifndef VFIO_EARLY_HOOK_HOST_BOOT_REPORT_H
#define VFIO_EARLY_HOOK_HOST_BOOT_REPORT_H

#include <stddef.h>

#include "early/pci.h"
#include "early/selector.h"

/* One function, as the boot reported on it. */
struct entry {
	char subject[160]; /* an address, or the selector that nothing answered to */
	char id[PCI_ID_SIZE];
	char result[16];
	char driver[PCI_DRIVER_SIZE]; /* "" when none */
	char why[32];		      /* the code; "" where an earlier version wrote none */
	char reason[512];	      /* the same in words */
};

struct entries {
	struct entry *list;
	size_t count;
};

/*
 * entries_read - the last entry of each subject, in the order of the first ones.
 * @rootfd: the root directory
 * @entries: filled in; entries_free() in any case
 *
 * Returns 0, or -errno (-ENOENT: there is no report).
 */
int entries_read(int rootfd, struct entries *entries);

/* entries_find - the entry on this subject, or NULL. */
const struct entry *entries_find(const struct entries *entries, const char *subject);

void entries_free(struct entries *entries);

#endif
