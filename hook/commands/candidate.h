/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The candidate config: what the boot would do with the current config and additional lines. It is
 * a separate host, decided with a plan text, so every question about a host can be asked of it.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_CANDIDATE_H
#define VFIO_EARLY_HOOK_COMMANDS_CANDIDATE_H

#include <stdio.h>

#include "findings/findings.h"
#include "host/host.h"

/*
 * candidate_open - decide as if the config had more lines.
 * @host: opened
 * @compiled: the plan of the current config, from plan_compile()
 * @lines: the bind lines exactly as they will be written, because the form of a selector can change
 *	the result; "" for the config as it is. A path behind @ counts only where the facts are known
 * @candidate: close it with host_close()
 *
 * Returns 0, or -errno after printing an error.
 */
int candidate_open(const struct host *host, const char *compiled, const char *lines,
		   struct host **candidate);

/*
 * candidate_bind - write the bind line of a function, with its address, as the compiler makes it where the
 * facts are known: with the current ID and path, which can decide between two lines.
 * @keyword: "bind" or "bind!"
 */
void candidate_bind(const struct host *host, const struct pci_function *fn, const char *keyword,
		    FILE *out);

/*
 * candidate_say_undone - after a change of the config: print that `undo` is in effect, so that the
 * next boot does not use the config, and what ends that; nothing if it is not. For programs it is a
 * finding, too.
 * @findings: or NULL
 */
void candidate_say_undone(const struct host *host, struct findings *findings);

#endif
