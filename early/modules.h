/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads the planned modules in the plan's order. Resolves nothing: the host has done that. */
#ifndef VFIO_EARLY_MODULES_H
#define VFIO_EARLY_MODULES_H

#include <stddef.h>

#include "plan.h"

enum module_step {
	MODULE_LOADED,	 /* or it was loaded already */
	MODULE_MISSING,	 /* no such file with any known suffix */
	MODULE_OPEN,	 /* the file cannot be opened */
	MODULE_LOAD,	 /* the kernel refused it */
	MODULE_MODPROBE, /* the kernel cannot unpack it, and modprobe failed too */
};

struct module_result {
	enum module_step step;
	int error; /* errno of that step; for MODULE_MODPROBE the errno of the kernel's refusal */
};

/*
 * modules_load - load one module as planned, with its options.
 *
 * A compressed one is given to the kernel with MODULE_INIT_COMPRESSED_FILE first
 * (kernel/module/decompress.c), and when that cannot unpack it, to modprobe.
 */
void modules_load(int rootfd, const struct plan_module *module, struct module_result *result);

/* modules_name - the name in a module's path: "vfio-pci". */
const char *modules_name(const struct plan_module *module);

#endif
