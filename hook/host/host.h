/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts of a host: its PCI functions, its IOMMU, and what the boot half will do with them at
 * the next boot, by early/'s own decide() on the plan compiled from its config. Reads only, below
 * one root; facts that are seldom needed are read on demand. Prints only errors.
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
	bool is_display;	 /* class 03, or in the slot of such a function */
	bool has_group;		 /* pci.group is known; ask host_group() */
	int place;		 /* in host->table, or DECIDE_NO_INDEX */
	bool is_not_made;	 /* see HOST_NEXT_NOT_MADE */
};

/* A function whose facts cannot be read: it is in no list. */
struct host_unreadable {
	struct pci_address addr;
	int error; /* -errno */
};

/* Whether `undo` was the last command: by the disk, or as a command will set it. */
enum host_undone {
	HOST_UNDONE_AS_ON_DISK,
	HOST_UNDONE_NO,
	HOST_UNDONE_YES,
};

struct host {
	struct root root;
	struct host_function *fn;
	size_t count;		    /* in the order of addresses */
	struct pci_function *known; /* the same, for pci_collect(); NULL if some are unreadable */
	struct host_unreadable *unreadable;
	size_t unreadables;
	struct boot_report report; /* from this boot, as far as there is one */
	size_t stuck;		   /* how many of those are unreadable because a driver is stuck */
	struct names *names;
	char cmdline[CMDLINE_SIZE];
	struct next_answers *answers; /* about the next boot, as far as it was asked for */
	struct iommu iommu;

	/* Set by host_decide(): */
	bool is_over; /* the plan names more functions than a boot has room for; problem says so */
	struct config_problem problem; /* why there is no plan */
	struct compiler *compiler; /* the part that all plans of this host share; see plan/plan.h */
	char *plan_text;
	char **note; /* the plan's own comments: what is not known */
	size_t notes;
	bool is_undone;		 /* after `undo`: the plan is empty, whatever the config says */
	enum plan_voice voice;	 /* the compiler's */
	enum host_undone undone; /* how that is known */
	struct plan plan;
	struct pci_table table; /* as a boot finds it: without drivers and virtual functions */
	struct decisions decisions;
};

/* What the next boot does with a function, for columns and JSON. */
enum host_next {
	HOST_NEXT_NONE, /* left to the host: nothing names it */
	HOST_NEXT_VFIO,
	HOST_NEXT_HELD,
	HOST_NEXT_REFUSED,
	HOST_NEXT_BLOCKS_GROUP, /* left to the host, in a group whose other members go to a VM */
	HOST_NEXT_NOT_MADE, /* a virtual function of today that the vfs line does not make again */
};

/*
 * host_open - open a root and read one uevent of each PCI function below it.
 * @dir: of --root
 *
 * Returns 0 and a host for host_close(), or -errno after saying what is wrong and the fix.
 */
int host_open(const char *dir, struct host **host);

/*
 * host_open_blind - the same, but succeeds with an empty list if no PCI function can be seen, as in
 * a chroot without /sys: images are made there too.
 */
int host_open_blind(const char *dir, struct host **host);

/* host_twin - the same facts for a second plan: another host, without decisions. */
int host_twin(const struct host *host, struct host **twin);

void host_close(struct host *host);

/*
 * host_decide - compile the config, and decide what the boot would do with each function.
 * @kernel: the kernel whose modules the plan gets, or NULL for none
 *
 * Returns 0, or -errno after saying why.
 */
int host_decide(struct host *host, const char *kernel);

/*
 * host_decide_or_problem - the same, for callers that show a wrong config in their own way: then
 * host->problem has it, nothing is printed, and 0 is returned with an empty plan.
 */
int host_decide_or_problem(struct host *host, const char *kernel);

/*
 * host_decide_to_show - host_decide() for callers that only list things: if there are more
 * functions than a boot has room for, that is printed, and nothing is decided, as at that boot.
 */
int host_decide_to_show(struct host *host);

/*
 * host_decide_text - the same for a plan that is compiled already.
 * @text: malloc'ed, NUL-ended; the host owns it from here on, also on failure
 * @size: without the NUL
 */
int host_decide_text(struct host *host, char *text, size_t size);

/* host_decide_free - what both of them filled in; host_close() does it. */
void host_decide_free(struct host *host);

/*
 * host_kernel - the kernel of the next boot: that of next_kernel_read() if it is known and its
 * modules are there, else the running one, else the newest with modules.
 *
 * Sets *version, malloc'ed, and returns 0; -ENOENT if there is none, or -errno.
 */
int host_kernel(struct host *host, char **version);

/* host_newest - the newest kernel with modules; as host_kernel(). */
int host_newest(const struct root *root, char **version);

/* host_running - the version of the running kernel, or "". @size: of buf. Returns @buf. */
const char *host_running(const struct root *root, char *buf, size_t size);

/*
 * host_before_drivers - change the facts of a collected table to what the boot will find: it runs
 * before every driver, so before every virtual function, and while the boot framebuffer exists.
 */
void host_before_drivers(const struct host *host, struct pci_table *table);

/*
 * host_is_stuck - did its driver not let go in this boot? Such a driver holds the device's lock,
 * and in older kernels reading the uevent waits for that lock (drivers/base/core.c, uevent_show),
 * so the function is never read. The report of the boot names it.
 */
bool host_is_stuck(const struct host *host, const struct pci_address *addr);

/* host_find_unreadable - the function at an address whose facts cannot be read, or NULL. */
const struct host_unreadable *host_find_unreadable(const struct host *host,
						   const struct pci_address *addr);

/*
 * host_is_nvidia_vf - is it a virtual function to which NVIDIA's driver gives a vGPU type, on
 * kernels from 6.8 on? Then the VM uses that driver, and vfio-pci is not involved.
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
 * host_refuse_word - after an error about a word: is it something else that has a name? A network
 * interface (which need not exist), the number of a group, or "".
 *
 * Returns -EINVAL after naming what to write instead; 0 if it is none of them.
 */
int host_refuse_word(const struct host *host, const char *word);

/*
 * host_select - find the functions that a user's word names.
 * @word: any selector of the config: 81:00, 0000:81:00.0, 10de:1187, class:03, a path
 * @fn: called with each in order
 *
 * Returns how many there are; -ENOENT or -EINVAL after saying that there is none, and naming
 * similar ones.
 */
int host_select(const struct host *host, const char *word,
		void (*fn)(struct host_function *fn, void *arg), void *arg);

/*
 * host_is_selected - does a resolved selector name the function, as at boot? Includes virtual
 * functions.
 * @slot_id: the ID of function 0 of its slot, or NULL
 */
bool host_is_selected(const struct host *host, const struct selector *sel,
		      const struct pci_function *fn, const struct pci_id *slot_id);

/*
 * host_propose - translate an address from the form of another tool: pci_0000_01_00_0 (libvirt), a
 * path in sysfs, 01:00.0,01:00.1 (Proxmox VE), PCI:1:0:0 (Xorg), host=01:00.0 (QEMU).
 * @may_be_bridge: whether the command accepts one
 * @buf: gets "0000:01:00.0 0000:01:00.1"
 *
 * Returns whether each of them exists.
 */
bool host_propose(const struct host *host, const char *word, bool may_be_bridge, char *buf,
		  size_t size);

/* host_attribute - read an attribute of a function. Returns buf, "" if it has none. */
const char *host_attribute(const struct host *host, const struct host_function *fn,
			   const char *name, char *buf, size_t size);

/* host_number - the number in one of its attributes ("sriov_totalvfs"), 0 if it has none. */
unsigned int host_number(const struct host *host, const struct host_function *fn, const char *name);

/* host_link - the last component of one of its links ("iommu_group"), or "". Returns buf. */
const char *host_link(const struct host *host, const struct host_function *fn, const char *name,
		      char *buf, size_t size);

/* host_group - its IOMMU group, or -1. */
int host_group(const struct host *host, struct host_function *fn);

/* host_is_boot_vga - did the firmware use it for its screen? */
bool host_is_boot_vga(const struct host *host, const struct host_function *fn);

/* host_protect - why this host needs it ("holds /"), or NULL. After host_decide(). */
const char *host_protect(const struct host *host, const struct host_function *fn);

/*
 * host_vfs - the line of the plan that sets the number of its virtual functions: the last one that
 * names it, as at boot; or NULL
 */
const struct plan_vfs *host_vfs(const struct host *host, const struct pci_address *addr);

/*
 * host_makes_vfs - how many virtual functions the next boot makes of a function by its vfs line: 0
 * without one, or if the line cannot come true. After the decision.
 */
unsigned int host_makes_vfs(const struct host *host, const struct host_function *fn);

/* host_is_vf_of - is the first a virtual function of the second? */
bool host_is_vf_of(const struct host *host, const struct host_function *vf,
		   const struct host_function *fn);

/* host_binds_vfs - does a bind line of the plan name the virtual functions of this one? */
bool host_binds_vfs(const struct host *host, const struct pci_address *addr);

/* host_next, host_why - the verdict, and its reason as a sentence ("" if there is none). */
enum host_next host_next(const struct host *host, const struct host_function *fn);
const char *host_why(const struct host *host, const struct host_function *fn, char *buf,
		     size_t size);

/*
 * host_fix_image - the fix, if a newer image is one: here it is a command of this package, which the
 * boot half cannot name. "" if the reason is another one. Returns buf.
 */
const char *host_fix_image(const struct host *host, const struct host_function *fn, char *buf,
			   size_t size);

/* host_is_named - does a bind line name it, whether or not an except line does? Decided before. */
bool host_is_named(const struct host *host, const struct host_function *fn);

/*
 * host_is_touched - does the config name it, does the next boot do something with it, or may it be in the
 * group of one that is named? Decided before. Where groups are made late, the table has more.
 */
bool host_is_touched(const struct host *host, struct host_function *fn);

/* host_keeps_driver - is it the host's at the next boot: made, and not on vfio-pci or held? */
bool host_keeps_driver(const struct host *host, const struct host_function *fn);

/* host_next_name - "vfio-pci", "held", "refused", "left", "gone", or "" if nothing names it. */
const char *host_next_name(enum host_next next);

/*
 * host_is_viable_driver - may this driver, or none (""), have a function in a group that a VM uses?
 * Yes for drivers that do no DMA (driver_managed_dma in the kernel).
 */
bool host_is_viable_driver(const char *driver);

/*
 * host_has_rmrr - does the firmware reserve memory for devices of the group (an RMRR, or "direct"
 * region)? The kernel then gives none of them to a VM (drivers/iommu/intel/iommu.c,
 * device_rmrr_is_relaxable); "direct-relaxable" regions do no harm.
 * @region: "0x... 0x..." of the first one
 */
bool host_has_rmrr(const struct host *host, int group, char *region, size_t size);

#endif
