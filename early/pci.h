/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts of PCI functions: one function, the scan, the path through bridges, the members of an
 * IOMMU group. Reads only. Shared by the boot half and the host half.
 */
#ifndef VFIO_EARLY_PCI_H
#define VFIO_EARLY_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"
#include "selector.h"
#include "sysfs.h"

/*
 * The functions that the plan names, and their group mates; not all of the machine: see pci_scan().
 */
#define PCI_MAX_AT_BOOT 1024
#ifdef __KLIBC__
#define PCI_MAX_FUNCTIONS PCI_MAX_AT_BOOT
#else
/* The host also sees virtual functions that were created since the boot. */
#define PCI_MAX_FUNCTIONS 4096
#endif

/* The name of a driver: at most MODULE_NAME_LEN (include/linux/moduleparam.h), 56 on 64 bit. */
#define PCI_DRIVER_SIZE 64

enum pci_framebuffer {
	PCI_FB_NONE,
	PCI_FB_EFIFB,  /* the boot framebuffer, driven by efifb */
	PCI_FB_SIMPLE, /* the boot framebuffer, driven by simpledrm or simplefb, or not yet driven */
	PCI_FB_TAKEN, /* the boot framebuffer until a driver took the function: only the host half sets this */
};

/* What tells one function from all others. */
struct pci_identity {
	struct pci_address addr;
	struct pci_id id;
	struct pci_place place; /* no hops if it cannot be read */
};

/* The long ones come last: the code that reads the others is then shorter. */
struct pci_function {
	union {
		struct {
			struct pci_address addr;
			struct pci_id id;
			struct pci_place place; /* has_place */
		};
		struct pci_identity self;
	};
	uint32_t class; /* 24 bits: 0x030000 is VGA */

	/*
	 * --late: an earlier run dealt with it, and its driver may have been given it since. The
	 * caller sets it before decide(), except for the function that the run is for.
	 */
	bool is_settled;

	/* Read by pci_read_details(): */
	bool is_noiommu;  /* on a driver of vfio, in a group that isolates nothing */
	bool behind_port; /* no group: not on a root bus */
	bool is_alone; /* no group: a virtual function, and the physical one is isolated from the port */
	bool boot_vga;	    /* this function is the boot VGA device */
	bool boot_vga_slot; /* the slot has it, or the boot framebuffer: read for boot-vga keep */
	bool has_slot_id;
	bool has_place; /* pci_collect(), when the plan has places */
	/* Read by pci_is_named() and pci_collect(), if the plan has a "vf:" selector. */
	bool is_vf;
	bool is_pf_unknown;    /* could not be read */
	int group;	       /* IOMMU group, -1 when there is none */
	int port_group;	       /* no group: that of the port it is behind, -1 when there is none */
	unsigned int vfs;      /* enabled virtual functions */
	struct pci_id slot_id; /* of function 0 */
	enum pci_framebuffer framebuffer;

	char driver[PCI_DRIVER_SIZE]; /* "" when none */
	struct pci_identity pf;	      /* is_vf: the physical one */
};

struct pci_table {
	unsigned int count;
	unsigned int candidates; /* the first ones are named by the plan; the mates follow */
	unsigned int unreadable; /* functions whose uevent could not be read, and so not named */
	struct pci_address unreadable_addr; /* the last of them */
	int error;			    /* and why, -errno */
	/*
	 * Set by the caller, from has_smmu in iommu.h: groups may appear later;
	 * pci_has_late_groups().
	 */
	bool late_groups;
	/*
	 * All functions that pci_scan() found before: the host half evaluates many plans in a row,
	 * and reads each function once. The boot half has none (0), and reads what it needs.
	 */
	const struct pci_function *known;
	unsigned int knowns;
	struct pci_function fn[PCI_MAX_FUNCTIONS];
};

/*
 * pci_is_bridge - host, ISA, PCI and other bridges. Not class 0680: NVSwitch and some accelerators
 * have it with an ordinary header, and vfio-pci accepts those.
 */
bool pci_is_bridge(const struct pci_function *fn);

/*
 * pci_may_block_group - may this function, while it is with the host, keep a VM from its group? A
 * bridge to another PCI bus does not: pcieport leaves DMA alone (driver_managed_dma). An ISA bridge
 * does as soon as lpc_ich has it, which may be later; other bridges have a driver or get none.
 */
bool pci_may_block_group(const struct pci_function *fn);

/* pci_is_port - a bridge to another PCI bus. */
bool pci_is_port(const struct pci_function *fn);

/* pci_is_vga - class 0x0300: the kernel itself evicts the boot framebuffer from it. */
bool pci_is_vga(const struct pci_function *fn);

/*
 * pci_has_framebuffer - is the firmware's framebuffer in use, on any card? Read from /proc/iomem.
 */
bool pci_has_framebuffer(int rootfd);

/*
 * pci_kernel_evicts_all - does this kernel take the firmware's framebuffer away from every card as
 * soon as vfio-pci gets any VGA function? True from 6.1, where vfio-pci evicts it at all, up to 6.5
 * (5ae3716cfcdd, "Only remove sysfb on the default vga pci device", merged with drm for 6.5; some
 * stable kernels before that have it too, Debian's 6.1.0-50 does not).
 * @kernel: its version, or NULL
 */
bool pci_kernel_evicts_all(const char *kernel);

/* pci_attribute - the path of an attribute, "sys/bus/pci/devices/ADDRESS/NAME". Returns buf. */
const char *pci_attribute(char buf[SYSFS_PATH_MAX], const struct pci_address *addr,
			  const char *name);

/*
 * pci_read - read the facts that are in uevent: ID, class, driver.
 * @rootfd: the root directory
 * @addr: which function
 * @fn: all of it is set
 *
 * Returns 0, -ENOENT if there is no such function, or -errno.
 */
int pci_read(int rootfd, const struct pci_address *addr, struct pci_function *fn);

/*
 * pci_read_details - read the remaining facts: group, VFs, boot VGA, boot framebuffer, ID of the
 * slot. A fact that cannot be read stays at "none".
 */
void pci_read_details(int rootfd, struct pci_function *fn);

/* pci_read_group - read the current group link into fn->group: -1 if it cannot be read. */
void pci_read_group(int rootfd, struct pci_function *fn);

/*
 * pci_has_noiommu_group - is its group one that vfio made without an IOMMU? Such a group appears
 * with the bind and disappears with the unbind (drivers/vfio/group.c, vfio_noiommu_group_alloc).
 */
bool pci_has_noiommu_group(int rootfd, const struct pci_function *fn);

/* pci_is_overridden - is its driver_override this driver? */
bool pci_is_overridden(int rootfd, const struct pci_address *addr, const char *driver);

/* pci_is_with_vfio - is its driver, as read, vfio-pci or a variant of it? */
bool pci_is_with_vfio(const struct pci_function *fn);

/*
 * pci_has_late_groups - may a function get its group only when a driver probes it? Never on x86,
 * where the compiler leaves out all code for this.
 */
#if !defined(__KLIBC__) || defined(__aarch64__)
#define PCI_MAY_HAVE_LATE_GROUPS true
#else
#define PCI_MAY_HAVE_LATE_GROUPS false
#endif
static inline bool pci_has_late_groups(const struct pci_table *table)
{
	return PCI_MAY_HAVE_LATE_GROUPS && table->late_groups;
}

/*
 * pci_may_share_group - are both in one IOMMU group, or may they be? With table->late_groups, a
 * group that is not known yet may be that of the slot, or that of the port, which is then the group
 * of everything behind that port (drivers/iommu/iommu.c, pci_device_group). Ports have a driver
 * from the start, so their groups are known. If they are not, everything behind the same port may
 * be in it. A virtual function is not part of its slot (drivers/pci/iov.c, pci_iov_add_virtfn), and
 * is isolated if the physical one is.
 * @a, @b: two of table->fn
 */
bool pci_may_share_group(const struct pci_table *table, const struct pci_function *a,
			 const struct pci_function *b);

/* pci_read_driver - read the current driver link. Returns 0 (driver is "" if unbound) or -errno. */
int pci_read_driver(int rootfd, const struct pci_address *addr, char driver[PCI_DRIVER_SIZE]);

/*
 * pci_scan - call a function for every PCI function of the machine, with the facts of pci_read()
 * and error 0; or with only the address and the error (-errno) if they cannot be read. Ends early
 * if that returns other than 0, and returns that; else 0 or -errno.
 */
int pci_scan(int rootfd, int (*each)(const struct pci_function *fn, int error, void *arg),
	     void *arg);

/*
 * pci_resolve - follow a path selector ("00:01.0/00.0") through the bridges to its current address.
 * Sets sel->addr and sel->resolved. Returns 0 (also for a selector that is not a path), or -ENOENT.
 */
int pci_resolve(int rootfd, struct selector *sel);

/* pci_read_place - where a function is plugged in. Returns 0 or -errno. */
int pci_read_place(int rootfd, const struct pci_address *addr, struct pci_place *place);

/*
 * pci_find_pinned - find the device that a selector is pinned to, by its place, or by its ID if it
 * has no place. Returns how many functions it may be; addr is the last of them.
 */
int pci_find_pinned(int rootfd, const struct selector *sel, struct pci_address *addr);

/*
 * pci_path - the current path of a function, as lspci -P prints it and as a selector has it.
 * Returns 0 or -errno; buf is "" on error.
 */
int pci_path(int rootfd, const struct pci_address *addr, char *buf, unsigned int size);

/*
 * pci_match - does a resolved selector name the function? Uses only facts in @fn: slot_id for a
 * slot, and for virtual functions the physical one, which pci_read_pf() reads. If a selector is
 * pinned to a place, another place is SELECTOR_ID_CHANGED: a twin.
 */
enum selector_result pci_match(const struct selector *sel, const struct pci_function *fn);

/*
 * pci_read_pf - read which physical function it belongs to, if any, with that one's ID and place.
 */
void pci_read_pf(int rootfd, struct pci_function *fn);

/*
 * pci_is_named - does a bind selector name it? Paths must be resolved; a changed ID counts too.
 * Reads what a "vf:" selector needs, if the plan has one.
 */
bool pci_is_named(int rootfd, const struct plan *plan, struct pci_function *fn);

/*
 * pci_resolve_plan - resolve the paths of all selectors. Returns whether any of them needs a scan.
 */
bool pci_resolve_plan(int rootfd, struct plan *plan);

/*
 * pci_collect - find the functions that a plan names, and their group mates.
 * @plan: its path selectors are resolved; a protect line is marked "moved" if its device has left
 * 	its place
 * @late: NULL, or the one function to look at: the first candidate if a selector names it. Others
 * 	in its group that are named too are also candidates, in any order
 * @table: filled in: candidates first in the order of their addresses, then mates; the caller sets
 * 	late_groups
 *
 * Scans all functions only if a selector needs it. Returns 0, -E2BIG if there are more than
 * PCI_MAX_FUNCTIONS (the table then has those that fit), -ENOENT if there is no function at "late",
 * or -errno of the scan.
 */
int pci_collect(int rootfd, struct plan *plan, const struct pci_address *late,
		struct pci_table *table);

/*
 * pci_find_id - find the function with this ID. Returns how many functions have it, or -errno; addr
 * is the last of them.
 */
int pci_find_id(int rootfd, const struct pci_id *id, struct pci_address *addr);

#endif
