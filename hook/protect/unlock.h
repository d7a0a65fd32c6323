/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What opens an encrypted device at boot: the disk of its key file and of its header, and the keyboard
 * that its passphrase is typed on. From /etc/crypttab and the kernel's command line.
 */
#ifndef VFIO_EARLY_HOOK_PROTECT_UNLOCK_H
#define VFIO_EARLY_HOOK_PROTECT_UNLOCK_H

#include "protect/graph.h"

/*
 * unlock_add - what opens a mapping that is open now.
 * @name: the mapping's, without /dev/mapper/
 */
void unlock_add(struct graph *graph, const char *name, const struct cause *cause);

/*
 * unlock_add_closed - the device under a mapping that is not open now, and what opens it.
 * Returns whether crypttab has it, and its device is here.
 */
bool unlock_add_closed(struct graph *graph, const char *name, const struct cause *cause);

/*
 * unlock_collect - after all walks of storage: where a passphrase is asked for at boot, the controller
 * of the only keyboard.
 */
void unlock_collect(struct graph *graph);

#endif
