/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function's own driver: finds the module of this kernel by modalias and modprobe.d, as modprobe
 * -b does, and loads it.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_NATIVE_H
#define VFIO_EARLY_HOOK_PLAN_NATIVE_H

#include <stdbool.h>

#include "util/root.h"

enum native_state {
	NATIVE_NONE,	    /* no module of this kernel knows the function */
	NATIVE_THERE,	    /* one does, and is loaded, or will be */
	NATIVE_BLACKLISTED, /* those that do are all blacklisted */
	NATIVE_INSTALL, /* one does; an install line of modprobe.d runs something else, and it is not loaded */
	NATIVE_FAILED, /* one does, and cannot be loaded */
};

struct native {
	enum native_state state;
	char module[64];   /* the one that this is about, "" for none */
	char command[128]; /* of NATIVE_INSTALL: what its line runs, cut to fit */
	int error;	   /* of NATIVE_FAILED: -errno */
};

/*
 * native_find - which module would drive it.
 * @kernel: the running one's version
 * @modalias: "pci:v000010DE...", of the function's uevent
 * @is_loaded: load them, those that are not blacklisted, with what they need and modprobe.d's options. Not
 *	below another root than "/": no module of another system is ever loaded here
 *
 * What cannot be read is NATIVE_NONE. Loading blocks for as long as the module's own init does.
 */
void native_find(const struct root *root, const char *kernel, const char *modalias, bool is_loaded,
		 struct native *native);

#endif
