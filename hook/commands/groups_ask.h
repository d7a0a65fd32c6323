/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-early groups --ask: what the kernel itself says of an IOMMU group, VFIO_GROUP_GET_STATUS. Whoever
 * has a group open makes the start of a VM fail, so only this command asks, and no group that a VM has
 * or is about to have.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_GROUPS_ASK_H
#define VFIO_EARLY_HOOK_COMMANDS_GROUPS_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "host/host.h"
#include "host/pve.h"

enum ask_result {
	ASK_NOT_ASKED, /* nothing of it is with vfio */
	ASK_VIABLE,
	ASK_NOT_VIABLE,
	ASK_IN_USE,
	ASK_SKIPPED, /* a VM has it, or starts */
	ASK_UNKNOWN, /* there is no file of the group, or it cannot be opened */
};

struct ask_answer {
	enum ask_result result;
	bool disagrees; /* no function is in the way by the kernel's own rules */
	char why[256];	/* "" where there is nothing to say */
};

/* The code of a group that we call ready and the kernel does not. */
#define ASK_DISAGREES "kernel-disagrees"

/*
 * ask_group - of one group.
 * @fn, @count: its functions
 */
void ask_group(struct host *host, const struct pve *pve, int group, struct host_function **fn,
	       size_t count, struct ask_answer *answer);

/* ask_result_name - "viable"; "" when it was not asked. */
const char *ask_result_name(enum ask_result result);

#endif
