/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the table of guest.h would have a set line say of a function of this host. Reads. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_GUEST_SET_H
#define VFIO_EARLY_HOOK_COMMANDS_GUEST_SET_H

#include "host/host.h"

/*
 * guest_set - "power=on reset=pm,bus": what its families want and no set line of the config sets; nothing of
 * a reset where the kernel leaves out FLR by itself, or there is no other method.
 *
 * Returns buf, "" when there is nothing.
 */
const char *guest_set(const struct host *host, const struct host_function *fn, char *buf,
		      size_t size);

#endif
