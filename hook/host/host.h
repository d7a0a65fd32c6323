/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts of a host: its PCI functions, its IOMMU, and what the boot half will make of them at the
 * next boot, by early/'s own decide() on the plan that its config compiles to. Reads only, below one
 * root; what is asked for seldom is read when it is asked for. Prints nothing but errors.
 */
#ifndef VFIO_EARLY_HOOK_HOST_HOST_H
#define VFIO_EARLY_HOOK_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "early/cmdline.h"
#include "early/decide.h"
#include "early/iommu.h"
#include "early/pci.h"
#include "early/plan.h"
#include "host/boot_report.h"
#include "host/names.h"
#include "host/next_cmdline.h"
#include "plan/plan.h"
#include "util/root.h"

struct host_function {
	struct pci_function pci; /* addr, id, class, driver; the rest is not filled in */
	bool is_display;	 /* class 03, or of the slot of such a function */
	bool has_group;		 /* pci.group is known; ask host_group() */
	int place;		 /* in host->table, or DECIDE_NO_INDEX */
};

/* A function whose facts cannot be read: it is in no list. */
struct host_unreadable {
	struct pci_address addr;
	int error; /* -errno */
};

/* Whether `undo` was the last word: what the disk says, or what a command will make of it. */
enum host_undone {
	HOST_UNDONE_AS_ON_DISK,
	HOST_UNDONE_NO,
	HOST_UNDONE_YES,
};

struct host {
	struct root root;
	struct host_function *fn;
	size_t count;		    /* in the order of addresses */
	struct pci_function *known; /* the same, for pci_collect(); NULL when some are unreadable */
	struct host_unreadable *unreadable;
	size_t unreadables;
	struct boot_report report; /* of this boot, as far as there is one */
	size_t stuck;		   /* of those unreadable: a driver holds them for ever */
	struct names *names;
	char cmdline[CMDLINE_SIZE];
	struct next_answers answers; /* of the next boot, as far as it was asked for */
	struct iommu iommu;

	/* By host_decide(): */
	bool is_over; /* the plan names more functions than a boot has room for: so does problem */
	struct config_problem problem; /* why there is no plan */
	struct compiler *compiler;     /* what every plan of this host has; see plan/plan.h */
	char *plan_text;
	char **note; /* the plan's own comments: what could not be found out */
	size_t notes;
	bool is_undone;		 /* by `undo`: the plan is empty, whatever the config says */
	enum plan_voice voice;	 /* of the compiler */
	enum host_undone undone; /* how that is known */
	struct plan plan;
	struct pci_table table; /* as a boot finds it: no driver, no virtual functions */
	struct decisions decisions;
};

/* What the next boot makes of a function, for columns and JSON. */
enum host_next {
	HOST_NEXT_NONE, /* left to the host: nothing names it */
	HOST_NEXT_VFIO,
	HOST_NEXT_HELD,
	HOST_NEXT_REFUSED,
	HOST_NEXT_BLOCKS_GROUP, /* left to the host, in a group of which a VM gets the others */
};

/*
 * host_open - open a root and read one uevent of each PCI function below it.
 * @dir: of --root
 *
 * Returns 0 and a host for host_close(), or -errno after saying what is wrong and the fix.
 */
int host_open(const char *dir, struct host **host);

/*
 * host_open_blind - the same also where no PCI function can be seen, as in a chroot without /sys, in
 * which images are made too: the list is empty then.
 */
int host_open_blind(const char *dir, struct host **host);

/* host_twin - the same facts for a second plan: a host of its own, with no decisions yet. */
int host_twin(const struct host *host, struct host **twin);

void host_close(struct host *host);

/*
 * host_decide - compile the config and ask what the boot would do with each function.
 * @kernel: whose modules the plan is to have, or NULL for none
 *
 * Returns 0, or -errno after saying why.
 */
int host_decide(struct host *host, const char *kernel);

/*
 * host_decide_or_problem - the same, for who shows what is wrong with the config in its own way: then
 * host->problem has it, nothing is said and 0 is returned, with an empty plan.
 */
int host_decide_or_problem(struct host *host, const char *kernel);

/*
 * host_decide_to_show - host_decide() for who only shows what there is: more functions than a boot has room
 * for are no reason to stop. That is said; then nothing is decided, as at that boot.
 */
int host_decide_to_show(struct host *host);

/*
 * host_decide_text - ask the same of a plan that is compiled already.
 * @text: malloc'ed, NUL-ended; the host's from here on, also when it fails
 * @size: without the NUL
 */
int host_decide_text(struct host *host, char *text, size_t size);

/* host_decide_free - what both of them filled in; host_close() does it. */
void host_decide_free(struct host *host);

/*
 * host_kernel - the kernel that the next boot takes: that of next_kernel_read() where it is known and
 * its modules are there, else the running one, else the newest that has modules.
 *
 * Returns malloc'ed *version and 0, -ENOENT when there is none, or -errno.
 */
int host_kernel(struct host *host, char **version);

/* host_running - the version of the kernel that runs, or "". @size: of buf. Returns @buf. */
const char *host_running(const struct root *root, char *buf, size_t size);

/*
 * host_before_drivers - the facts of a collected table as the boot will find them: it comes before
 * every driver, and so before every virtual function, while the boot framebuffer is there.
 */
void host_before_drivers(const struct host *host, struct pci_table *table);

/*
 * host_is_stuck - did a driver not let go of it in this boot? Such a driver holds the device's lock, and in
 * older kernels whoever reads the uevent waits for it (drivers/base/core.c, uevent_show): it is never
 * read. The boot's report names it.
 */
bool host_is_stuck(const struct host *host, const struct pci_address *addr);

/* host_find_unreadable - the function there whose facts cannot be read, or NULL. */
const struct host_unreadable *host_find_unreadable(const struct host *host,
						   const struct pci_address *addr);

/*
 * host_is_nvidia_vf - is it a virtual function that NVIDIA's driver gives a vGPU type, on kernels from 6.8
 * on? The driver itself is the VM's device then, and vfio-pci has no part in it.
 */
bool host_is_nvidia_vf(const struct host *host, const struct host_function *fn);

/* host_find - the function at an address, or NULL. */
struct host_function *host_find(const struct host *host, const struct pci_address *addr);

/*
 * host_find_interface - the function of a network interface, or NULL
 * @name: ends where no interface's name can have a character: at a slash, a blank or a quote
 */
const struct host_function *host_find_interface(const struct host *host, const char *name);

/*
 * host_refuse_interface - after an error about a word: is it a network interface?
 *
 * Returns -EINVAL after naming the address to write instead; 0 if it is not one.
 */
int host_refuse_interface(const struct host *host, const char *word);

/*
 * host_select - which functions does a user's word name?
 * @word: any selector of the config: 81:00, 0000:81:00.0, 10de:1187, class:03, a path
 * @fn: called with each in order
 *
 * Returns how many; -ENOENT or -EINVAL after saying that there is none, and which ones are near.
 */
int host_select(const struct host *host, const char *word,
		void (*fn)(struct host_function *fn, void *arg), void *arg);

/*
 * host_is_selected - does a selector, resolved, name the function? As at boot, its virtual functions too.
 * @slot_id: the ID of function 0 of its slot, or NULL
 */
bool host_is_selected(const struct host *host, const struct selector *sel,
		      const struct pci_function *fn, const struct pci_id *slot_id);

/*
 * host_propose - an address in the form of another tool, as it is written here: pci_0000_01_00_0
 * (libvirt), a path of sysfs, 01:00.0,01:00.1 (Proxmox VE), PCI:1:0:0 (Xorg), host=01:00.0 (QEMU).
 * @may_be_bridge: whether the command takes one
 * @buf: gets "0000:01:00.0 0000:01:00.1"
 *
 * Returns whether each of them is there.
 */
bool host_propose(const struct host *host, const char *word, bool may_be_bridge, char *buf,
		  size_t size);

/* host_attribute - an attribute of a function in one read. Returns buf, "" when there is none. */
const char *host_attribute(const struct host *host, const struct host_function *fn,
			   const char *name, char *buf, size_t size);

/* host_number - the number in one of its attributes ("sriov_totalvfs"), 0 when there is none. */
unsigned int host_number(const struct host *host, const struct host_function *fn, const char *name);

/* host_link - the last component of one of its links ("iommu_group"), or "". Returns buf. */
const char *host_link(const struct host *host, const struct host_function *fn, const char *name,
		      char *buf, size_t size);

/* host_group - its IOMMU group, or -1. */
int host_group(const struct host *host, struct host_function *fn);

/* host_is_boot_vga - did the firmware show its screen there? */
bool host_is_boot_vga(const struct host *host, const struct host_function *fn);

/* host_protect - why this host needs it ("holds /"), or NULL. After host_decide(). */
const char *host_protect(const struct host *host, const struct host_function *fn);

/*
 * host_vfs - the line of the plan that says how many virtual functions this function has from the next
 * boot on: the last that means it, as when they are made; or NULL
 */
const struct plan_vfs *host_vfs(const struct host *host, const struct pci_address *addr);

/*
 * host_iommu - its IOMMU in words: "IOMMU off in the kernel (...)"
 * @fix: what to do, or ""; a parameter that is missing is added by `apply`
 */
void host_iommu(const struct host *host, char *what, size_t what_size, char *fix, size_t fix_size);

/* host_next, host_why - the verdict, and its reason in words ("" where there is none). */
enum host_next host_next(const struct host *host, const struct host_function *fn);
const char *host_why(const struct host *host, const struct host_function *fn, char *buf,
		     size_t size);

/* host_next_name - "vfio-pci", "held", "refused", "left", or "" for what nothing names. */
const char *host_next_name(enum host_next next);

/*
 * host_is_viable_driver - may this driver, or none (""), have a function of a group that a VM takes?
 * Those that leave DMA alone may (driver_managed_dma in the kernel's drivers).
 */
bool host_is_viable_driver(const char *driver);

/*
 * host_has_rmrr - does the firmware keep memory of the group's devices mapped (an RMRR, or "direct"
 * region)? The kernel then gives none of them to a VM (drivers/iommu/intel/iommu.c,
 * device_rmrr_is_relaxable); "direct-relaxable" regions do no harm.
 * @region: "0x... 0x..." of the first one
 */
bool host_has_rmrr(const struct host *host, int group, char *region, size_t size);

#endif
