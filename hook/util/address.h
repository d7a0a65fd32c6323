/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of PCI addresses, for lists. */
#ifndef VFIO_EARLY_HOOK_UTIL_ADDRESS_H
#define VFIO_EARLY_HOOK_UTIL_ADDRESS_H

#include "early/selector.h"

/* address_compare - less than, equal to or greater than 0, as strcmp() does; domain first. */
int address_compare(const struct pci_address *a, const struct pci_address *b);

#endif
