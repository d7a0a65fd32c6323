/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of vfio-pci's and pci-stub's parameter ids=, as both drivers read it
 * (drivers/vfio/pci/vfio_pci.c, vfio_pci_fill_ids()): rules with commas between them, each
 * vendor:device[:subvendor[:subdevice[:class[:mask]]]] in hex. Pure.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_IDS_H
#define VFIO_EARLY_HOOK_UTIL_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "early/selector.h"

#define IDS_ANY 0xffffffffu /* PCI_ANY_ID */

struct ids_rule {
	const char *text; /* as it is written, without the commas */
	size_t len;
	uint32_t vendor, device, subvendor, subdevice; /* or IDS_ANY */
	uint32_t class, class_mask;		       /* compared only in the bits of the mask */
	bool has_rest; /* the last number is followed by something that the driver does not read */
};

/*
 * ids_next - read the next rule at *pos, and advance it; empty ones are skipped. Returns 1, 0 at
 * the end, or -EINVAL for one that the driver refuses: then only its text is set.
 */
int ids_next(const char **pos, const char *end, struct ids_rule *rule);

/* ids_match - does a rule match a function? @class: the 24 bits of config space */
bool ids_match(const struct ids_rule *rule, const struct pci_id *id, uint32_t class);

#endif
