/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hints about some devices for the user who gives them to a VM: one table, by PCI ID and class.
 * Pure.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_GUEST_H
#define VFIO_EARLY_HOOK_COMMANDS_GUEST_H

#include "early/pci.h"

struct guest_hint {
	const char *name; /* the name of the family */
	const char *text; /* what to do */
	const char *set;  /* what a set line of the config should have, or NULL; GUEST_NO_FLR */
};

/* All reset methods that the function has, except FLR. */
#define GUEST_NO_FLR "reset"

/* guest_hints - the first hint about a function, or NULL. */
const struct guest_hint *guest_hints(const struct pci_function *fn);

/* guest_next - the next hint about it, or NULL. */
const struct guest_hint *guest_next(const struct pci_function *fn, const struct guest_hint *hint);

/* guest_last_driver - the last branch of NVIDIA's driver for it; 0 if there is no last one. */
unsigned int guest_last_driver(const struct pci_function *fn);

#endif
