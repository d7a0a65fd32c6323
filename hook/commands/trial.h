/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot would make of today's config with more lines behind it: the plan of today goes with
 * them through decide(), the very code of the boot. Writes nothing.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_TRIAL_H
#define VFIO_EARLY_HOOK_COMMANDS_TRIAL_H

#include "early/decide.h"
#include "early/iommu.h"
#include "early/plan.h"
#include "host/host.h"
#include "host/slot.h"

struct trial {
	char *compiled; /* the plan of the config */
	char *text;	/* that, with the lines behind it */
	struct plan plan;
	struct iommu iommu;
	struct pci_table table;
	struct decisions decisions;
};

/*
 * trial_run - decide, as if the config had a line for each function of a slot.
 * @trial: zeroed before the first run; trial_free() in any case
 * @slot: or NULL, for the config as it is
 *
 * Returns 0, or -errno after saying why.
 */
int trial_run(struct trial *trial, const struct host *host, const struct slot *slot);

/* trial_find - the index of a function's verdict, or -1. */
int trial_find(const struct trial *trial, const struct pci_address *addr);

void trial_free(struct trial *trial);

#endif
