/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may go wrong at the next boot, or in the VM after it: each risk in words, with its fix. Made
 * of the verdicts of the boot half and of facts of the host.
 */
#ifndef VFIO_EARLY_HOOK_FINDINGS_RISK_H
#define VFIO_EARLY_HOOK_FINDINGS_RISK_H

#include <stdbool.h>
#include <stddef.h>

#include "host/host.h"
#include "ui/output.h"

enum risk_level {
	RISK_BLOCKS, /* something of the config will not come true, or no VM can use it */
	RISK_WARNS,
	RISK_NOTES,
};

struct risk {
	enum risk_level level;
	char *about; /* "0000:81:00.0", "group 9", "IOMMU", "config", a file and line */
	char *what;  /* a clause */
	char *fix;   /* what to do; "" when there is nothing */
};

struct risks {
	struct risk *list;
	size_t count; /* worst first; within a level in the order of addresses */
	size_t blocks;
	bool failed; /* memory ran out */
};

/*
 * risks_collect - everything, after host_decide().
 * @kernel: whose variant drivers are looked for, or NULL
 * @risks: filled in; risks_free() in any case
 *
 * Prints nothing but errors. Returns 0, or -errno after saying why.
 */
int risks_collect(struct host *host, const char *kernel, struct risks *risks);

void risks_free(struct risks *risks);

/* risks_print - each down to a level, with its fix, folded to the width of the screen. */
void risks_print(const struct risks *risks, enum risk_level least, const struct output *output);

/* risk_level_name - "blocks", "warns", "notes". */
const char *risk_level_name(enum risk_level level);

#endif
