/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-early groups --ask: asks the kernel about an IOMMU group, VFIO_GROUP_GET_STATUS. The start
 * of a VM fails while somebody else has its group open, so only this command asks, and never about
 * a group that a VM has or is about to take.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_GROUPS_ASK_H
#define VFIO_EARLY_HOOK_COMMANDS_GROUPS_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "host/host.h"
#include "host/pve.h"

enum ask_result {
	ASK_NOT_ASKED, /* no function of it has a vfio driver */
	ASK_VIABLE,
	ASK_NOT_VIABLE,
	ASK_IN_USE,
	ASK_SKIPPED, /* a VM has it, or is starting */
	ASK_UNKNOWN, /* the group has no device file, or it cannot be opened */
};

struct ask_answer {
	enum ask_result result;
	bool disagrees; /* by the kernel's rules, no function prevents it */
	char why[256];	/* "" without a reason */
};

/* The code of a group that is ready for us but not for the kernel. */
#define ASK_DISAGREES "kernel-disagrees"

/*
 * ask_group - ask about one group.
 * @fn, @count: its functions
 * @answer: filled in
 */
void ask_group(struct host *host, const struct pve *pve, int group, struct host_function **fn,
	       size_t count, struct ask_answer *answer);

/* ask_result_name - "viable" and so on; "" if it was not asked. */
const char *ask_result_name(enum ask_result result);

#endif
