/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the command vm, and only used by them. */
#ifndef VFIO_EARLY_HOOK_COMMANDS_VM_H
#define VFIO_EARLY_HOOK_COMMANDS_VM_H

#include <stdbool.h>
#include <stddef.h>

#include "commands/qm.h"
#include "host/host.h"
#include "host/pve.h"
#include "host/slot.h"

/* Room for a list of all functions; and for one with options behind it. */
#define VM_LIST_SIZE  (PCI_MAX_AT_BOOT * PCI_ADDRESS_SIZE)
#define VM_VALUE_SIZE (VM_LIST_SIZE + 4096)

/* A note for the administrator: a stable code and a sentence. */
struct vm_note {
	const char *code;
	char *text;
	int entry;    /* the hostpciN with which the host loses what the text says, or -1 */
	bool refuses; /* because of it there are no calls */
};

struct vm {
	struct host *host;
	struct host
		*written; /* after undo, where that was asked: with the config as it is; or NULL */
	struct slot slot;
	const char *id;
	const char **usb;
	unsigned int usbs;
	const char *mapping, *mdev, *romfile; /* or NULL */
	bool run, force, only, libvirt;
	bool ovmf, q35, primary, hidden, no_rombar;

	struct pve pve;
	struct qm qm;
	struct pve_entry entry[PVE_MAX_HOSTPCI]; /* of this VM; value is NULL if there is none */
	struct pve_entry args;			 /* value is NULL if its args have no vfio-pci */
	char *next[PVE_MAX_HOSTPCI];	/* the new value, "" to delete it; NULL: unchanged */
	bool is_asked[PVE_MAX_HOSTPCI]; /* the entry has what was asked for */
	bool usb_taken[PVE_MAX_USB];
	bool will_be_q35, is_arm;
	bool becomes_q35;  /* by a call: its entries were written for another machine */
	bool has_primary;  /* a function is or becomes the guest's primary screen: */
	size_t primary_at; /* its index in host->fn */
	struct vm_note *note;
	size_t notes;
	bool is_refused; /* because of a note that refuses */
	bool no_memory;
};

/* vm_note - add a note, unless there is one with the same text. */
__attribute__((format(printf, 3, 4))) void vm_note(struct vm *vm, const char *code, const char *fmt,
						   ...);

/*
 * vm_forget_losses - remove the notes about what the host loses by an entry that is about to
 * change.
 */
void vm_forget_losses(struct vm *vm, unsigned int number);

/* vm_refuse - print why there are no calls, as an error, and add it as a note. Returns -EPERM. */
__attribute__((format(printf, 3, 4))) int vm_refuse(struct vm *vm, const char *code,
						    const char *fmt, ...);

/* vm_call - add the call "qm set ID OPTION VALUE". */
void vm_call(struct vm *vm, const char *option, const char *value);

/*
 * vm_quote - a word for a shell: in quotes if it has a character that the shell would interpret.
 * Returns malloc'ed text, or NULL.
 */
char *vm_quote(const char *word);

/* vm_index - the index of a function in host->fn. */
size_t vm_index(const struct vm *vm, const struct pci_function *fn);

/* vm_is_given - does the config bind it, or would it if there were an IOMMU? */
bool vm_is_given(const struct vm *vm, const struct host_function *fn);

/*
 * vm_name_mapped - with --mapping: an entry of that mapping names what was asked for, because that
 * is what the mapping is after the call of pvesh; of a pool, beside its other alternatives.
 * @entry: resolved
 */
void vm_name_mapped(const struct vm *vm, struct pve_entry *entry);

/* vm_find_entry - the entry of this VM that has the function with this index in host->fn; or -1. */
int vm_find_entry(const struct vm *vm, size_t at);

/* vm_is_igpu - is it Intel's integrated GPU, always at 00:02.0, which needs other options? */
bool vm_is_igpu(const struct pci_function *fn);

/*
 * vm_set_property - copy a value with one property set or replaced; "host" is the one without a
 * key.
 * @buf: gets the new value; of VM_VALUE_SIZE
 * @value: "" for a new one
 * @text: NULL removes the property
 */
void vm_set_property(char *buf, const char *value, const char *key, const char *text);

/*
 * vm_machine, vm_devices, vm_usb - make the calls for each. Return 0, or -errno after printing why
 * there are none.
 */
void vm_machine(struct vm *vm);
int vm_devices(struct vm *vm);
int vm_usb(struct vm *vm, const char *wanted);

/* vm_is_usb - "046d:c52b", or "1-2.3": the bus and the ports on the path. */
bool vm_is_usb(const char *text);

/*
 * vm_is_mapping_name - pve-configid: a letter, then letters, digits, "-" and "_" (PVE::JSONSchema).
 */
bool vm_is_mapping_name(const char *name);

/*
 * vm_map - add the call of pvesh that makes a mapping of these functions on this node. Returns 0 or
 * -errno.
 * @first: index of the first one in host->fn
 * @where: "0000:81:00", or an address with its function
 */
int vm_map(struct vm *vm, size_t first, const char *where);

/* vm_print_libvirt - print the same functions as <hostdev> elements. */
void vm_print_libvirt(const struct vm *vm);

#endif
