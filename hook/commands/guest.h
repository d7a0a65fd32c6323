/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be known of some devices before a VM gets them: one table, by PCI ID and class. Pure.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_GUEST_H
#define VFIO_EARLY_HOOK_COMMANDS_GUEST_H

#include "early/pci.h"

struct guest_hint {
	const char *name; /* of the family */
	const char *text; /* what to do */
	const char *set; /* what a set line of the config is to have for it, or NULL; GUEST_NO_FLR */
};

/* All reset methods that the function offers, but no FLR. */
#define GUEST_NO_FLR "reset"

/* guest_hints - the first hint for a function, or NULL. */
const struct guest_hint *guest_hints(const struct pci_function *fn);

/* guest_next - the one after it. */
const struct guest_hint *guest_next(const struct pci_function *fn, const struct guest_hint *hint);

/* guest_last_driver - the branch of NVIDIA's driver that is the last for it; 0 for any other. */
unsigned int guest_last_driver(const struct pci_function *fn);

#endif
