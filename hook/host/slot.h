/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what an administrator types, "81:00", to the functions that it means: those of the card, which
 * is taken whole or not at all. Reads; an address that is not there is answered with the near ones.
 *
 * The card is what of a slot shares an IOMMU group with the function that was named, or is of the same
 * maker behind one port. A function on the root bus with a group of its own is a device of its own
 * (a chipset), and so is one of AMD's (vendor 1022): PSP, USB and audio of an APU, which share the slot
 * of its GPU (1002).
 */
#ifndef VFIO_EARLY_HOOK_HOST_SLOT_H
#define VFIO_EARLY_HOOK_HOST_SLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "early/pci.h"
#include "host/host.h"

struct slot {
	struct pci_function *fn; /* with the facts of pci_read_details() */
	size_t count;
	bool *asked; /* one for each: named itself, or of the card, and no mere group mate */
	struct slot_left *left; /* of the slots, but not of the cards */
	size_t lefts;
};

struct slot_left {
	struct pci_address addr;
	int group; /* IOMMU group, or -1 */
};

enum slot_scope {
	SLOT_WHOLE, /* all functions of the card; of a virtual function only itself */
	SLOT_ONLY,  /* only the function that is named */
	SLOT_GROUP, /* and all of their IOMMU groups but bridges */
};

/*
 * slot_add - the functions that a text means, added to a list that has each once.
 * @text: an address, with or without function and domain, or a path in lspci -P notation
 * @slot: zeroed at first; slot_free() in any case
 *
 * Returns 0, or -errno after saying what is wrong and which addresses are near: -ENOENT when there
 * is no such function, -EINVAL when it is no address.
 */
int slot_add(const struct host *host, const char *text, enum slot_scope scope, struct slot *slot);

/*
 * slot_collect - the same for a selector of a function or a slot, without a word: for a command that
 * is only tried. Returns 0 or -errno.
 */
int slot_collect(const struct host *host, const struct selector *sel, enum slot_scope scope,
		 struct slot *slot);

/* slot_parse - the same text as a selector, without asking whether it is there. 0 or -EINVAL. */
int slot_parse(const struct host *host, const char *text, struct selector *sel);

/* slot_has - is this function in the list? */
bool slot_has(const struct slot *slot, const struct pci_address *addr);

/*
 * slot_why_left - why a function of the slot is not of the card: "a USB controller with an IOMMU group of
 * its own (23)". Returns buf.
 */
const char *slot_why_left(const struct host *host, const struct slot_left *left, char *buf,
			  size_t size);

void slot_free(struct slot *slot);

/* slot_is_virtual - is it a virtual function of SR-IOV? */
bool slot_is_virtual(const struct root *root, const struct pci_address *addr);

#endif
