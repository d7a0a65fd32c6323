// SPDX-License-Identifier: GPL-2.0-or-later
/* The order of PCI addresses; see address.h. */
#include "util/address.h"

int address_compare(const struct pci_address *a, const struct pci_address *b)
{
	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	return (a->bus << 8 | a->dev << 3 | a->fn) - (b->bus << 8 | b->dev << 3 | b->fn);
}
