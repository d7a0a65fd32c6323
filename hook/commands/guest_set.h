/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The set line that the table of guest.h recommends for a function of this host. Reads only. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_GUEST_SET_H
#define VFIO_EARLY_HOOK_COMMANDS_GUEST_SET_H

#include "host/host.h"

/*
 * guest_set - "power=on reset=pm,bus": the settings that the hints about a function recommend and
 * no set line of the config has. Nothing about reset if the kernel already leaves out FLR, or if
 * there is no other method.
 *
 * Returns buf, "" if there is nothing to set.
 */
const char *guest_set(const struct host *host, const struct host_function *fn, char *buf,
		      size_t size);

#endif
