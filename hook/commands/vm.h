/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the command vm share; for them alone. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_VM_H
#define VFIO_EARLY_HOOK_COMMANDS_VM_H

#include <stdbool.h>
#include <stddef.h>

#include "commands/qm.h"
#include "host/host.h"
#include "host/pve.h"
#include "host/slot.h"

/* A list of all functions that there can be; and with options behind it. */
#define VM_LIST_SIZE  (PCI_MAX_AT_BOOT * PCI_ADDRESS_SIZE)
#define VM_VALUE_SIZE (VM_LIST_SIZE + 4096)

/* What the administrator is to know: a stable word, and a sentence. */
struct vm_note {
	const char *code;
	char *text;
	int entry;    /* the hostpciN whose start loses what it says, or -1 */
	bool refuses; /* there are no calls because of it */
};

struct vm {
	struct host *host;
	struct slot slot;
	const char *id;
	const char **usb;
	unsigned int usbs;
	const char *mapping, *mdev, *romfile; /* or NULL */
	bool run, force, only, libvirt;
	bool ovmf, q35, primary, hidden, no_rombar;

	struct pve pve;
	struct qm qm;
	struct pve_entry entry[PVE_MAX_HOSTPCI]; /* of this VM; value is NULL where there is none */
	struct pve_entry args;			 /* value is NULL without vfio-pci in its args */
	char *next[PVE_MAX_HOSTPCI]; /* what an entry becomes, "" to be deleted; NULL: it stays */
	bool is_asked[PVE_MAX_HOSTPCI]; /* it has what was asked for */
	bool usb_taken[PVE_MAX_USB];
	bool will_be_q35, is_arm;
	bool has_primary;  /* a function becomes or is the guest's first screen: */
	size_t primary_at; /* by place in host->fn */
	struct vm_note *note;
	size_t notes;
	bool is_refused; /* for a note that refuses */
	bool no_memory;
};

/* vm_note - each text once. */
__attribute__((format(printf, 3, 4))) void vm_note(struct vm *vm, const char *code, const char *fmt,
						   ...);

/* vm_forget_losses - what an entry takes from this host is not so once it is changed. */
void vm_forget_losses(struct vm *vm, unsigned int number);

/* vm_refuse - why there are no calls: said as an error, and among the notes. Returns -EPERM. */
__attribute__((format(printf, 3, 4))) int vm_refuse(struct vm *vm, const char *code,
						    const char *fmt, ...);

/* vm_call - qm set ID OPTION VALUE. */
void vm_call(struct vm *vm, const char *option, const char *value);

/* vm_index - of a function in host->fn. */
size_t vm_index(const struct vm *vm, const struct pci_function *fn);

/* vm_is_given - does the config give it to VMs, or would it if there were an IOMMU? */
bool vm_is_given(const struct vm *vm, const struct host_function *fn);

/* vm_find_entry - the entry of this VM that has a function, by its place in host->fn; or -1. */
int vm_find_entry(const struct vm *vm, size_t at);

/* vm_is_igpu - Intel's integrated GPU, which no other card is given as: always at 00:02.0. */
bool vm_is_igpu(const struct pci_function *fn);

/*
 * vm_set_property - a value with one property set, or replaced; "host" is the one without a key.
 * @value: "" for a new one
 * @text: NULL takes the property out
 * @buf: of VM_VALUE_SIZE
 */
void vm_set_property(char *buf, const char *value, const char *key, const char *text);

/* vm_machine, vm_devices, vm_usb - the calls for each; 0, or -errno after saying why there is none. */
void vm_machine(struct vm *vm);
int vm_devices(struct vm *vm);
int vm_usb(struct vm *vm, const char *wanted);

/* vm_is_usb - "046d:c52b", or "1-2.3": bus, and the ports on the way. */
bool vm_is_usb(const char *text);

/* vm_is_mapping_name - pve-configid: a letter, then letters, digits, - and _ (PVE::JSONSchema). */
bool vm_is_mapping_name(const char *name);

/*
 * vm_map - the call of pvesh by which a mapping names these functions on this node.
 * @first: the first of them, by place in host->fn
 * @where: "0000:81:00" or an address with its function
 */
int vm_map(struct vm *vm, size_t first, const char *where);

/* vm_print_libvirt - the same functions as <hostdev> elements. */
void vm_print_libvirt(const struct vm *vm);

#endif
