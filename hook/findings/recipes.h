/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The old ways of giving a device to vfio-pci that may still be set up on a host: what each is,
 * whether it is in force, whether it works against this package, and what to do with it. Files are
 * read as the kernel, libkmod, systemd and the image builders read them; vfio-early-cmdline(8)
 * tells what the boot loader passes. Reads only, below one root; prints nothing. Scripts are not
 * interpreted: their lines are named.
 */
#ifndef VFIO_EARLY_HOOK_FINDINGS_RECIPES_H
#define VFIO_EARLY_HOOK_FINDINGS_RECIPES_H

#include <stdbool.h>
#include <stddef.h>

#include "util/root.h"

struct next_answers;

enum recipe_kind {
	RECIPE_IDS,		/* modprobe.d: options vfio-pci ids=VALUE */
	RECIPE_MODULE_IDS,	/* initramfs-tools/modules: vfio_pci ids=VALUE */
	RECIPE_CMDLINE_IDS,	/* vfio-pci.ids=VALUE on a kernel command line */
	RECIPE_STUB_IDS,	/* the same of pci-stub, in any of these places */
	RECIPE_DRIVERCTL,	/* /etc/driverctl.d/ADDRESS: vfio-pci */
	RECIPE_DRIVERCTL_OTHER, /* the same of another driver; value: that driver */
	RECIPE_BLACKLIST,	/* modprobe.d: blacklist VALUE, a driver that would take a device */
	RECIPE_BLACKLIST_VFIO,	/* the same of a module that we need */
	RECIPE_CMDLINE_BLACKLIST, /* module_blacklist= or modprobe.blacklist= of such a driver */
	RECIPE_INSTALL,		  /* modprobe.d: install VALUE COMMAND, of such a driver */
	RECIPE_INSTALL_VFIO, /* install vfio-pci COMMAND; value: its ids=, if it is understood whole */
	RECIPE_INSTALL_ORDER,	/* install VALUE COMMAND, which loads vfio-pci first */
	RECIPE_SOFTDEP,		/* modprobe.d: softdep VALUE pre: vfio-pci */
	RECIPE_SOFTDEP_REVERSE, /* softdep vfio-pci pre: VALUE */
	RECIPE_SOFTDEP_POST,	/* softdep vfio-pci post: VALUE */
	RECIPE_MODULES,		/* a vfio module in /etc/modules and its like */
	RECIPE_VIRQFD,		/* vfio_virqfd there: gone from Linux 6.2 */
	RECIPE_DRIVER_PRE,	/* rd.driver.pre=vfio-pci */
	RECIPE_SCRIPT,		/* a script of the boot that binds */
	RECIPE_UDEV,		/* a udev rule that does */
	RECIPE_UNIT,		/* a unit of systemd that does */
	RECIPE_STARTUP,		/* rc.local, cron, tmpfiles.d, sysfs.conf */
	RECIPE_HOOK,		/* a hook of libvirt or a hookscript of Proxmox VE */
	RECIPE_UNSAFE,		/* allow_unsafe_interrupts */
	RECIPE_AMD_IOMMU,	/* amd_iommu=on: no option of the kernel */
	RECIPE_ACS,		/* pcie_acs_override= */
	RECIPE_XEN_HIDE,	/* xen-pciback.hide= */
	RECIPE_IGNORE_MSRS,	/* options kvm ignore_msrs=1 */
	RECIPE_DISABLE_VGA,	/* options vfio-pci disable_vga=1 */
	RECIPE_CMDLINE_OPTION, /* an option of another vfio module there; value: what it is set to */
	RECIPE_NOMODESET,
	RECIPE_ALIAS,	      /* modprobe.d: alias VALUE vfio-pci */
	RECIPE_LOADER_FILE,   /* a file of the boot loader whose result is not known */
	RECIPE_LOADER_UNREAD, /* one that cannot be read */
	RECIPE_KINDS,
};

enum recipe_harm {
	RECIPE_NEEDLESS, /* does no harm; may be deleted */
	RECIPE_HARMLESS, /* has a use of its own, and stays */
	RECIPE_RISKY,	 /* works beside us, and not as one expects */
	RECIPE_FIGHTS,	 /* keeps the boot half from doing what the config says */
};

/* Whether it is in force. If not, it is named all the same: it may be why "it does nothing". */
enum recipe_state {
	RECIPE_IN_FORCE,
	RECIPE_NO_SUFFIX,   /* in a directory where only names in .conf are read */
	RECIPE_DOT_FILE,    /* its name begins with a dot */
	RECIPE_NO_READER,   /* nothing reads that file or folder */
	RECIPE_HIDDEN,	    /* a file of the same name in an earlier folder counts */
	RECIPE_SET_AGAIN,   /* set again further down; by: where */
	RECIPE_NO_SUCH,	    /* the module has no parameter of that name */
	RECIPE_AFTER_BLANK, /* after "ids=A, ": a parameter of its own */
	RECIPE_BAD_LINE,    /* libkmod ignores that line */
	RECIPE_NO_OPTIONS,  /* systemd-modules-load takes no options */
	RECIPE_NOT_PASSED, /* the boot loader does not pass it; by: why, a code of vfio-early-cmdline */
	RECIPE_NOT_KNOWN, /* whether the boot loader reads that file is not known */
	RECIPE_BY_ALIAS, /* options of an alias: they count when the module is loaded by that name */
	RECIPE_AFTER_DASHES, /* after "--": the kernel ignores it */
	RECIPE_REFUSED, /* vfio-pci is not loaded because of the value of an option; by: where that is */
	RECIPE_IN_VALUE,   /* its quotes make it part of the value of another parameter */
	RECIPE_IN_COMMENT, /* after a comment that ends in a backslash */
	RECIPE_WRONG_FILE, /* a line of modprobe.d in a list of modules */
	RECIPE_COMMA_LIST, /* "blacklist A,B": modprobe.d(5) has one module on a line */
	RECIPE_NO_EFFECT,  /* of no effect on this machine */
	RECIPE_STATES,
};

struct recipe {
	enum recipe_kind kind;
	enum recipe_harm harm;
	enum recipe_state state;
	char *file;	   /* "/etc/modprobe.d/vfio.conf", without the root; "/proc/cmdline" */
	unsigned int line; /* from 1; 0: the whole file */
	char *text;	   /* the line, or the one parameter of a command line */
	char *value;	   /* see enum recipe_kind; "" when there is none */
	char *by;	   /* see enum recipe_state; else NULL */
	char *address;	   /* of driverctl: "0000:81:00.0"; else NULL */
	bool is_unsafe;	   /* it is about allow_unsafe_interrupts */
	bool is_gone;	   /* in force at this boot; the next one is without it */
};

/* A line that calls a script with such a line. */
struct recipe_call {
	char *file; /* without the root and its slash */
	unsigned int line;
	char *text;
};

struct recipes {
	struct recipe *list;
	size_t count; /* in the order of files and lines */
	struct recipe_call *call;
	size_t calls;
	bool failed;  /* memory ran out */
	char *unread; /* the first file or folder that could not be read, or NULL; and why, errno */
	int error;
	int next_error; /* the next boot's parameters could not be read: -errno, else 0 */
};

/*
 * recipes_find - look everywhere.
 * @answers: what vfio-early-cmdline has answered before, and gets its new answers; or NULL
 * @recipes: filled in; call recipes_free() in any case
 *
 * A file that cannot be read is skipped, and the first one is noted. Runs vfio-early-cmdline;
 * without it only the running kernel's command line is used. Returns 0, or -ENOMEM after saying so.
 */
int recipes_find(const struct root *root, struct next_answers *answers, struct recipes *recipes);

void recipes_free(struct recipes *recipes);

/* recipe_is_ids - does its value contain rules of ids= (util/ids.h)? */
bool recipe_is_ids(const struct recipe *recipe);

/* recipe_is_vfio_module - is it one of vfio's modules? '-' and '_' are the same. */
bool recipe_is_vfio_module(const char *name, size_t len);

/*
 * recipe_code - its stable name; if it is not in force, why not. recipe_why - what it does today,
 * as a clause. recipe_fix - what to do with it. Constants.
 */
const char *recipe_code(const struct recipe *recipe);
const char *recipe_why(const struct recipe *recipe);
const char *recipe_fix(const struct recipe *recipe);

#endif
