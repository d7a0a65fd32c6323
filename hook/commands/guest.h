/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest must know of some cards: driver branches, kernels, resets. All in one table. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_GUEST_H
#define VFIO_EARLY_HOOK_COMMANDS_GUEST_H

#include "early/pci.h"

/*
 * guest_hint - what is to be known of a display function before it is given away.
 * @family: set to the name of its family, "Kepler"
 *
 * Returns a sentence without a capital and a full stop, or NULL when there is nothing to say.
 */
const char *guest_hint(const struct pci_function *fn, const char **family);

#endif
