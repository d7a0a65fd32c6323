/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of PCI devices from libpci's database (pci.ids). A file of its own because libpci's
 * identifiers would clash with ours. Reads that one file when the first name is needed.
 */
#ifndef VFIO_EARLY_HOOK_HOST_NAMES_H
#define VFIO_EARLY_HOOK_HOST_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "early/selector.h"
#include "util/root.h"

struct names;

/*
 * names_open - the database of a root that has one (usr/share/misc/pci.ids), else the system's.
 *
 * Returns NULL if memory ran out; all functions below accept that.
 */
struct names *names_open(const struct root *root);

void names_close(struct names *names);

/* Each returns buf, which is "" when the name is not known. */
const char *names_device(struct names *names, const struct pci_id *id, char *buf, size_t size);
const char *names_vendor(struct names *names, const struct pci_id *id, char *buf, size_t size);
const char *names_subsystem(struct names *names, const struct pci_id *id, char *buf, size_t size);

/* @class: 24 bits, as in struct pci_function */
const char *names_class(struct names *names, uint32_t class, char *buf, size_t size);

#endif
