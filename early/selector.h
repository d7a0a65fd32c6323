/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selectors: how a line of the config names PCI functions. Text to struct, struct to text, and the
 * match itself. Pure: no I/O, no allocation, no logging. Shared by the boot half and the host half.
 */
#ifndef VFIO_EARLY_SELECTOR_H
#define VFIO_EARLY_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is wrong with a line, and how to write it instead. The host half reports errors of the
 * config; they come into the image as "lost" lines. A plan that the boot half cannot read was
 * damaged on the way, so the boot only has to say where. That saves a tenth of the static binary.
 */
#ifdef __KLIBC__
#define FAULT(text) "not understood"
#else
#define FAULT(text) text
#endif

/* A domain may have more than four hex digits (VMD: 10000:01:00.0). */
struct pci_address {
	uint32_t domain;
	uint8_t bus;
	uint8_t dev;
	uint8_t fn;
};

/* "ffffffff:ff:1f.7" and the end of the string. */
#define PCI_ADDRESS_SIZE 18

/* As the uevent has it; zero means "not there", which no vendor uses. */
struct pci_id {
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
};

/* "vvvv:dddd:ssss:ssss" and the end of the string. */
#define PCI_ID_SIZE 20

enum selector_kind {
	SELECTOR_ID,	  /* 10de:1187[:subvendor:subdevice] */
	SELECTOR_ADDRESS, /* [0000:]81:00.0[=ID[@PATH]] */
	SELECTOR_SLOT,	  /* [0000:]81:00[=ID[@PATH]], every function of the slot */
	SELECTOR_CLASS,	  /* class:03 */
	SELECTOR_VF, /* vf:[0000:]81:00.0[=ID[@PATH]]: its virtual functions, its ID and path */
};

/* Maximum number of bridges in a path; bus numbers have 8 bits, so the kernel allows no more. */
#define SELECTOR_MAX_HOPS 16

struct selector_hop {
	uint8_t dev;
	uint8_t fn;
};

/*
 * Where a function is plugged in, independent of the bus number that it has today: the function on
 * a root bus, then the device and function number behind each bridge.
 */
struct pci_place {
	struct pci_address root;
	uint8_t hops;
	struct selector_hop hop[SELECTOR_MAX_HOPS];
};

struct selector {
	enum selector_kind kind;
	bool has_id; /* =ID, or the ID of SELECTOR_ID */
	/*
	 * A path (SELECTOR_ADDRESS, SELECTOR_SLOT or SELECTOR_VF with hops): "addr" is its first
	 * bridge until pci_resolve() replaces it by the address at the end of the path and sets
	 * "resolved".
	 */
	bool resolved;
	uint8_t hops;
	struct pci_address addr;
	struct selector_hop hop[SELECTOR_MAX_HOPS];
	struct pci_id id;
	bool has_place; /* =ID@PATH: only there; for a slot without the function number */
	struct pci_place place;
	uint32_t class; /* SELECTOR_CLASS: compared under the mask */
	uint32_t class_mask;
};

enum selector_result {
	SELECTOR_DIFFERS, /* it does not name the function */
	SELECTOR_MATCHES,
	SELECTOR_ID_CHANGED, /* it names the address, but is pinned to another ID */
};

/*
 * pci_address_parse - read "[DDDD:]BB:DD.F"; the domain has 4 to 8 hex digits, 0000 by default.
 * Returns 0, or -EINVAL for any other text.
 */
int pci_address_parse(const char *text, struct pci_address *addr);

/* pci_address_format - "DDDD:BB:DD.F" as sysfs names it; buf of PCI_ADDRESS_SIZE. Returns buf. */
char *pci_address_format(const struct pci_address *addr, char *buf);

/* pci_id_format - "vvvv:dddd", lower case as lspci has it; buf of PCI_ID_SIZE. Returns buf. */
char *pci_id_format(const struct pci_id *id, char *buf);

bool pci_address_equal(const struct pci_address *a, const struct pci_address *b);

/* pci_address_same_slot - are they equal except for the function number? */
bool pci_address_same_slot(const struct pci_address *a, const struct pci_address *b);

/*
 * pci_place_equal - are both the same place?
 * @any_fn: the places of a slot: ignore the function number at the end
 */
bool pci_place_equal(const struct pci_place *a, const struct pci_place *b, bool any_fn);

/*
 * pci_id_matches - does a function's ID satisfy a wanted one? The subsystem is compared only when
 * the wanted ID has one.
 */
bool pci_id_matches(const struct pci_id *wanted, const struct pci_id *have);

/*
 * selector_parse - read one selector.
 * @text: the selector alone, ended by NUL
 * @sel: filled in on success
 * @where: on error, the offset of the offending character in @text
 *
 * Returns NULL, or what is wrong and how to write it instead (a string constant).
 */
const char *selector_parse(const char *text, struct selector *sel, size_t *where);

/*
 * selector_needs_scan - true if it can only be answered by looking at every function (ID, class).
 */
bool selector_needs_scan(const struct selector *sel);

/* selector_is_path - true for a path through bridges, resolved or not. */
bool selector_is_path(const struct selector *sel);

/*
 * selector_match - does the selector name this function?
 * @addr, @id, @class: the function; class is the 24 bits of config space (0x030000 is VGA). For
 *	SELECTOR_VF this is the physical function: see pci_match()
 * @slot_id: the ID of function 0 of the same slot, with which the =ID of a slot is compared; NULL
 *	if there is no function 0
 */
enum selector_result selector_match(const struct selector *sel, const struct pci_address *addr,
				    const struct pci_id *id, uint32_t class,
				    const struct pci_id *slot_id);

#endif
