/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMs of a Proxmox VE host, and which PCI functions starting each of them takes. /etc/pve is a
 * file system in user space that can hang: a child with a deadline reads it, and nothing that runs
 * while an image is made.
 *
 * Starting a VM: PVE::SysFSTools::pci_dev_group_bind_to_vfio() goes through the whole IOMMU group
 * of the function, and takes each member from its driver, except bridges to other buses, unless the
 * entry has mdev= or driver=keep.
 */
#ifndef VFIO_EARLY_HOOK_HOST_PVE_H
#define VFIO_EARLY_HOOK_HOST_PVE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/host.h"
#include "host/pve_config.h"

enum pve_state {
	PVE_NONE,    /* no Proxmox VE here */
	PVE_KNOWN,   /* everything was read */
	PVE_UNKNOWN, /* there are VMs, or should be, and some could not be read */
};

enum pve_flag {
	PVE_NAMED = 1,	/* the entry names it: the VM gets it */
	PVE_TAKEN = 2,	/* starting it takes the function from its driver */
	PVE_LISTED = 4, /* while one list is read: already seen in it */
};

/* Why the VM does not start with an entry, or gets something else. */
enum pve_fault {
	PVE_FAULT_NONE,
	PVE_FAULT_GONE,	      /* nothing is at that address */
	PVE_FAULT_NO_MAPPING, /* no such mapping, or none for this node */
	PVE_FAULT_CHANGED,    /* PVE compares the mapping with the hardware, and refuses it */
	PVE_FAULT_SYNTAX,     /* neither host= nor mapping=, or no address */
	PVE_FAULT_TWICE,      /* the entry itself names a function twice */
	PVE_FAULT_BRIDGE,     /* a bridge to another bus, which vfio-pci does not bind */
	PVE_FAULT_NEEDS_Q35,  /* pcie=1 without machine q35 */
	PVE_FAULT_LEGACY,     /* legacy-igd=1 together with something that excludes it */
	PVE_FAULT_KEY_TWICE,  /* a key is there twice: the entry is ignored */
	PVE_FAULT_PROPERTY,   /* a property that the format does not have: ignored too */
	PVE_FAULT_BOTH,	      /* host= and mapping= */
	PVE_FAULT_MDEV_MANY,  /* mdev= with several functions */
	PVE_FAULT_NUMBER,     /* hostpci16 and above: ignored */
};

/* One hostpciN of one VM, or a device that its args pass to QEMU ("-device vfio-pci,host=..."). */
struct pve_entry {
	const struct pve_config *vm;
	unsigned int number; /* of hostpciN */
	bool is_args;
	bool is_pending;
	bool is_mdev;
	bool is_nvidia; /* mdev= of a virtual function of NVIDIA's driver, which is then the device */
	bool is_pool;	/* a mapping with several alternatives, of which a start takes one */
	const char *value;
	unsigned char *flags; /* enum pve_flag, by index in host->fn; for all alternatives */
	enum pve_fault fault;
	char what[128]; /* what the fault is about: the address, the mapping, the property */
};

/* Who has a function now, from /run/qemu-server/pci-id-reservations. */
struct pve_reservation {
	struct pci_address addr;
	unsigned int id; /* VMID */
};

struct pve {
	enum pve_state state;
	int error;	/* why it is unknown: -errno */
	char file[256]; /* and which file, or "" */
	char node[128]; /* this host's name in the cluster, "" when not known */
	struct pve_config *vm;
	size_t vms; /* containers too; first those that start with the host, then by number */
	struct pve_mappings pci, usb;
	struct pve_entry *entry;
	size_t entries;
	struct pve_reservation *reserved;
	size_t reservations;
};

/*
 * pve_open - read everything. @pve: zeroed; call pve_close() in any case
 *
 * pve->state tells whether something could not be read; that is not an error. Returns 0 or -ENOMEM
 * after saying so.
 */
int pve_open(struct host *host, struct pve *pve);

void pve_close(struct pve *pve);

/* pve_find - a VM by its number, or NULL. */
const struct pve_config *pve_find(const struct pve *pve, unsigned int id);

/* pve_starts_with_host - does it have onboot, and is it not a template? */
bool pve_starts_with_host(const struct pve_config *vm);

/* pve_is_q35 - does its machine have PCI Express? */
bool pve_is_q35(const struct pve_config *vm);

/*
 * pve_is_hostpci - does the format of hostpciN have such a property (PVE::QemuServer::PCI,
 * $hostpci_fmt)?
 */
bool pve_is_hostpci(const char *key, const char *value);

/*
 * pve_entry_resolve - find the functions that one value of hostpciN names, and those that its start
 * takes.
 * @entry: value is set, and vm if its machine counts; flags must be freed
 */
int pve_entry_resolve(struct host *host, const struct pve *pve, struct pve_entry *entry);

/*
 * pve_resolve_args - find the functions that a VM has through its args, like pve_entry_resolve().
 * Starting the VM takes none of these from a driver: QEMU expects them on vfio-pci.
 */
int pve_resolve_args(struct host *host, struct pve_entry *entry);

/*
 * pve_names - the numbers of the VMs that have any of some functions, "100,101"; "" if none has,
 * and "?" at the end if not all VMs are known.
 * @fn: @count of them, of host->fn
 *
 * Returns malloc'ed text, or NULL if memory ran out.
 */
char *pve_names(const struct pve *pve, const struct host *host, struct host_function *const *fn,
		size_t count);

/* pve_user - the running VM that has a function now, or 0. */
unsigned int pve_user(const struct pve *pve, const struct pci_address *addr);

/* pve_is_shown - is there a VM with a PCI function, or may there be one? */
bool pve_is_shown(const struct pve *pve);

/* pve_why_unknown - a sentence: "/etc/pve does not answer". Returns buf. */
const char *pve_why_unknown(const struct pve *pve, char *buf, size_t size);

#endif
