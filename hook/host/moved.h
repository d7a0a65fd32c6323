/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines with the ID of a device that is somewhere else now: the fix, one for all devices that changed
 * places with each other. Decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_HOST_MOVED_H
#define VFIO_EARLY_HOOK_HOST_MOVED_H

#include "host/host.h"
#include "host/naming.h"

#define MOVED_SIZE (2 * NAMING_SIZE)

/*
 * moved_fix - what to type if another device is at the address of a bind line.
 * @fn: refused with REASON_ID_CHANGED
 * @is_wanted: what is at the address now is to be bound too, as for the sake of its group
 *
 * Returns @text.
 */
const char *moved_fix(const struct host *host, const struct host_function *fn, bool is_wanted,
		      char text[MOVED_SIZE]);

#endif
