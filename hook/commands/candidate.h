/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The candidate config: what the boot would make of today's config with more lines behind it. A host of
 * its own, decided by a plan text, so that whatever can be asked of a host can be asked of it.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_CANDIDATE_H
#define VFIO_EARLY_HOOK_COMMANDS_CANDIDATE_H

#include "host/host.h"
#include "host/slot.h"

/*
 * candidate_open - decide, as if the config had a line for each function of a slot.
 * @host: opened
 * @compiled: the plan of today's config, as plan_compile() gives it
 * @slot: or NULL, for the config as it is
 * @candidate: for host_close()
 *
 * Returns 0, or -errno after saying why.
 */
int candidate_open(const struct host *host, const char *compiled, const struct slot *slot,
		   struct host **candidate);

#endif
