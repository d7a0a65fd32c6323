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

/* Functions that the plan names, and their group mates. Not those of the machine: see pci_scan(). */
#define PCI_MAX_AT_BOOT 1024
#ifdef __KLIBC__
#define PCI_MAX_FUNCTIONS PCI_MAX_AT_BOOT
#else
/* The host sees as well the virtual functions that were made since its boot. */
#define PCI_MAX_FUNCTIONS 4096
#endif

/* A driver's name: at most MODULE_NAME_LEN (include/linux/moduleparam.h), 56 on 64 bit. */
#define PCI_DRIVER_SIZE 64

enum pci_framebuffer {
	PCI_FB_NONE,
	PCI_FB_EFIFB,  /* the boot framebuffer, driven by efifb */
	PCI_FB_SIMPLE, /* the boot framebuffer, driven by simpledrm/simplefb or by nobody yet */
	PCI_FB_TAKEN,  /* it was there, until a driver took the function: the host half's finding */
};

/* What tells one function from all others. */
struct pci_identity {
	struct pci_address addr;
	struct pci_id id;
	struct pci_place place; /* of no function where it cannot be read */
};

/* The long ones last: the code that reads the others is then shorter. */
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
	 * --late: an earlier run was done with it, and whoever has it now may have been given it since.
	 * Set by the caller before decide(); not for the function that the run is for.
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
	/* Read by pci_is_named() and pci_collect(), when a selector of the plan is one of vf: */
	bool is_vf;
	bool is_pf_unknown;    /* it could not be read whether it is */
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
	unsigned int candidates; /* the first so many are named by the plan; mates follow */
	unsigned int unreadable; /* functions whose uevent could not be read, and so not named */
	struct pci_address unreadable_addr; /* the last of them */
	int error;			    /* and why, -errno */
	/* Set by whoever fills it, from has_smmu in iommu.h: groups may yet come; pci_has_late_groups(). */
	bool late_groups;
	/*
	 * What pci_scan() found before, all of it: the host half asks for many plans in a row, and
	 * reads each function once. The boot half has none (0), and reads what it needs.
	 */
	const struct pci_function *known;
	unsigned int knowns;
	struct pci_function fn[PCI_MAX_FUNCTIONS];
};

/*
 * pci_is_bridge - host, ISA and PCI bridges and their like. Class 0680 is not among them: NVSwitch
 * and some accelerators have it, with an ordinary header, and vfio-pci takes those.
 */
bool pci_is_bridge(const struct pci_function *fn);

/*
 * pci_may_block_group - may this function keep a VM out of its group while it is with the host? Of
 * bridges those to another PCI bus do not: pcieport leaves DMA alone (driver_managed_dma). An ISA
 * bridge does once lpc_ich has it, which may be after this; another bridge has a driver or gets none.
 */
bool pci_may_block_group(const struct pci_function *fn);

/* pci_is_port - a bridge to another PCI bus. */
bool pci_is_port(const struct pci_function *fn);

/* pci_is_vga - class 0x0300: the kernel itself evicts the boot framebuffer from it. */
bool pci_is_vga(const struct pci_function *fn);

/* pci_has_framebuffer - is the firmware's framebuffer in use, on whatever card? By /proc/iomem. */
bool pci_has_framebuffer(int rootfd);

/*
 * pci_kernel_evicts_all - does this kernel take the firmware's framebuffer away from every card as soon
 * as vfio-pci is given any VGA function? From when vfio-pci does it at all, 6.1, up to 6.5
 * (5ae3716cfdcd, "Only remove sysfb on the default vga pci device", merged with drm for 6.5; some stable
 * kernels before that have it too, Debian's 6.1.0-50 has not).
 * @kernel: its version, or NULL
 */
bool pci_kernel_evicts_all(const char *kernel);

/* pci_attribute - the path of an attribute, "sys/bus/pci/devices/ADDRESS/NAME". Returns buf. */
const char *pci_attribute(char buf[SYSFS_PATH_MAX], const struct pci_address *addr,
			  const char *name);

/*
 * pci_read - facts that one read of uevent gives: ID, class, driver.
 * @rootfd: the root directory
 * @addr: which function
 * @fn: set whole
 *
 * Returns 0, -ENOENT when there is no such function, or -errno.
 */
int pci_read(int rootfd, const struct pci_address *addr, struct pci_function *fn);

/*
 * pci_read_details - the remaining facts, for a function that someone cares about: group, VFs,
 * boot VGA, boot framebuffer, slot's ID. What cannot be read stays at "none".
 */
void pci_read_details(int rootfd, struct pci_function *fn);

/*
 * pci_read_group - the group link as it is now, into fn->group: -1 where it cannot be read.
 */
void pci_read_group(int rootfd, struct pci_function *fn);

/*
 * pci_has_noiommu_group - is its group one that vfio made without an IOMMU? It comes with the bind
 * and goes with the unbind (drivers/vfio/group.c, vfio_noiommu_group_alloc).
 */
bool pci_has_noiommu_group(int rootfd, const struct pci_function *fn);

/* pci_is_overridden - is its driver_override this driver? */
bool pci_is_overridden(int rootfd, const struct pci_address *addr, const char *driver);

/* pci_is_with_vfio - is it on vfio-pci itself, or on one of its variants? By the driver read. */
bool pci_is_with_vfio(const struct pci_function *fn);

/*
 * pci_has_late_groups - may a function get its group only when a driver probes it? Not on x86: there the
 * binary of the boot is free of all that this takes.
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
 * pci_may_share_group - are both in one IOMMU group, or may they be? With table->late_groups one that is
 * not known yet may be that of the slot, or that of the port: then it is the group of everything behind
 * each port that is in it, too (drivers/iommu/iommu.c, pci_device_group). A driver has ports from the
 * start, so their groups are known. Where they are not, everything behind the same port may be in it. A
 * virtual function is no part of its slot (drivers/pci/iov.c, pci_iov_add_virtfn), and isolated if the
 * physical one is.
 * @a, @b: two of table->fn
 */
bool pci_may_share_group(const struct pci_table *table, const struct pci_function *a,
			 const struct pci_function *b);

/* pci_read_driver - the driver link as it is now. Returns 0 (driver "" when unbound) or -errno. */
int pci_read_driver(int rootfd, const struct pci_address *addr, char driver[PCI_DRIVER_SIZE]);

/*
 * pci_scan - call a function for every PCI function of the machine, with the facts of pci_read(),
 * or with the address and the error (-errno) when they cannot be read; else error is 0.
 * Ends early when it returns other than 0, and returns that; else 0 or -errno.
 */
int pci_scan(int rootfd, int (*each)(const struct pci_function *fn, int error, void *arg),
	     void *arg);

/*
 * pci_resolve - follow a path selector ("00:01.0/00.0") through the bridges to today's address.
 * Sets sel->addr and sel->resolved. Returns 0 (also for a selector that is no path), or -ENOENT.
 */
int pci_resolve(int rootfd, struct selector *sel);

/* pci_read_place - where a function is plugged in. Returns 0 or -errno. */
int pci_read_place(int rootfd, const struct pci_address *addr, struct pci_place *place);

/*
 * pci_find_pinned - where is the device that a selector is pinned to? By its place, and without one by
 * its ID. Returns how many functions it may be; addr is the last of them.
 */
int pci_find_pinned(int rootfd, const struct selector *sel, struct pci_address *addr);

/*
 * pci_path - today's path of a function, in lspci -P notation, as a selector would write it.
 * Returns 0 or -errno; buf is "" on error.
 */
int pci_path(int rootfd, const struct pci_address *addr, char *buf, unsigned int size);

/*
 * pci_match - does a selector, resolved, name the function? By the facts in it alone: of a slot its
 * slot_id, of virtual functions the physical one, which pci_read_pf() reads. Where a selector is pinned to a
 * place, another place is SELECTOR_ID_CHANGED: a twin.
 */
enum selector_result pci_match(const struct selector *sel, const struct pci_function *fn);

/* pci_read_pf - which physical function it is one of, if any, with that one's ID and place. */
void pci_read_pf(int rootfd, struct pci_function *fn);

/*
 * pci_is_named - does a bind selector name it? Paths are resolved; a changed ID counts too. Reads what a
 * selector of virtual functions asks for, if the plan has one.
 */
bool pci_is_named(int rootfd, const struct plan *plan, struct pci_function *fn);

/* pci_resolve_plan - follow the paths of all selectors. Returns whether any of them needs a scan. */
bool pci_resolve_plan(int rootfd, struct plan *plan);

/*
 * pci_collect - the functions that a plan speaks of, and their group mates.
 * @plan: its path selectors are resolved; its protect lines are marked "moved" where what they speak
 *	  of has left its place
 * @late: NULL, or the one function to look at: the first candidate if a selector names it. Of the
 *	  others in its group those that are named too are candidates with it, in any order
 * @table: filled: candidates first in the order of their addresses, then mates; late_groups is
 *	   the caller's
 *
 * Scans all functions only when a selector needs it. Returns 0, -E2BIG when there are more than
 * PCI_MAX_FUNCTIONS (the table then holds those that fit), -ENOENT when there is no function at
 * "late", or -errno of the scan.
 */
int pci_collect(int rootfd, struct plan *plan, const struct pci_address *late,
		struct pci_table *table);

/*
 * pci_find_id - where does this ID stand today? Returns how many functions have it (or -errno);
 * addr is the last of them.
 */
int pci_find_id(int rootfd, const struct pci_id *id, struct pci_address *addr);

#endif
