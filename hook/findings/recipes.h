/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The old ways of giving a device to vfio-pci that may still be set up on a host, found in its files
 * and on its kernel command line: what each is, whether it works against us, and what to do with it.
 * Reads only, below one root; says nothing.
 */
#ifndef VFIO_EARLY_HOOK_FINDINGS_RECIPES_H
#define VFIO_EARLY_HOOK_FINDINGS_RECIPES_H

#include <stdbool.h>
#include <stddef.h>

#include "util/root.h"

enum recipe_kind {
	RECIPE_IDS,	       /* modprobe.d: options vfio-pci ids=VALUE */
	RECIPE_CMDLINE_IDS,    /* vfio-pci.ids=VALUE on a kernel command line */
	RECIPE_STUB_IDS,       /* pci-stub.ids=VALUE on one, or modprobe.d: options pci-stub ids= */
	RECIPE_DRIVERCTL,      /* /etc/driverctl.d/ADDRESS; value: the driver */
	RECIPE_BLACKLIST,      /* modprobe.d: blacklist VALUE, a driver that would take a device */
	RECIPE_BLACKLIST_VFIO, /* the same, or install VALUE, of a module that we need */
	RECIPE_CMDLINE_BLACKLIST, /* module_blacklist= or modprobe.blacklist= of such a driver */
	RECIPE_SOFTDEP,		  /* modprobe.d: softdep VALUE pre: vfio-pci */
	RECIPE_MODULES,		  /* a vfio module in /etc/modules and its like */
	RECIPE_VIRQFD,		  /* vfio_virqfd there: gone from Linux 6.2 */
	RECIPE_SCRIPT,		  /* a boot script that writes driver_override */
	RECIPE_UNSAFE,		  /* allow_unsafe_interrupts */
	RECIPE_AMD_IOMMU,	  /* amd_iommu=on: no option of the kernel */
	RECIPE_ACS,		  /* pcie_acs_override= */
};

enum recipe_harm {
	RECIPE_NEEDLESS, /* does no harm; may be deleted */
	RECIPE_RISKY,	 /* works beside us, and not as one expects */
	RECIPE_FIGHTS,	 /* keeps the boot half from doing what the config says */
};

struct recipe {
	enum recipe_kind kind;
	enum recipe_harm harm;
	char *file;	   /* "/etc/modprobe.d/vfio.conf", without the root; "/proc/cmdline" */
	unsigned int line; /* from 1; 0: the whole file */
	char *text;	   /* the line, or the one parameter of a command line */
	char *value;	   /* see enum recipe_kind; "" when there is none */
	char *address;	   /* RECIPE_DRIVERCTL: "0000:81:00.0"; else NULL */
};

struct recipes {
	struct recipe *list;
	size_t count; /* in the order of files and lines */
	bool failed;  /* memory ran out */
	char *unread; /* the first file or folder that could not be read, or NULL; and why, errno */
	int error;
};

/*
 * recipes_find - look through modprobe.d, modules-load.d, /etc/modules, /etc/initramfs-tools,
 * /etc/driverctl.d, and the kernel command line as it is and as the boot loaders have it.
 * @recipes: filled in; recipes_free() in any case
 *
 * A file that cannot be read is passed over, and the first such noted. Returns 0, or -ENOMEM after saying so.
 */
int recipes_find(const struct root *root, struct recipes *recipes);

void recipes_free(struct recipes *recipes);

/* recipe_why - what it does today, in one clause. recipe_fix - what to do with it. Constants. */
const char *recipe_why(const struct recipe *recipe);
const char *recipe_fix(const struct recipe *recipe);

#endif
