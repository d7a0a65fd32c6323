/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The candidate config: what the boot would make of today's config with more lines behind it. A host of
 * its own, decided by a plan text, so that whatever can be asked of a host can be asked of it.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_CANDIDATE_H
#define VFIO_EARLY_HOOK_COMMANDS_CANDIDATE_H

#include "host/host.h"

/*
 * candidate_open - decide, as if the config had more lines.
 * @host: opened
 * @compiled: the plan of today's config, as plan_compile() gives it
 * @lines: the bind lines that will be written, as they will be: how a function is named can decide
 *	what the boot makes of it; "" for the config as it is
 * @candidate: for host_close()
 *
 * Returns 0, or -errno after saying why.
 */
int candidate_open(const struct host *host, const char *compiled, const char *lines,
		   struct host **candidate);

#endif
