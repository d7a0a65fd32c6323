/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Would a module refuse to load for a parameter? By the type that the module itself names in its
 * modinfo ("parmtype=ids:string"). Pure.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_PARMTYPE_H
#define VFIO_EARLY_HOOK_PLAN_PARMTYPE_H

#include "util/params.h"

/*
 * parmtype_refuses - does the kernel refuse this value of this type?
 * @type: "bool", "int", "charp", "array of uint", ... (include/linux/moduleparam.h); of any other
 *	  nothing is known, so it is not refused
 */
bool parmtype_refuses(const char *type, const struct param *param);

#endif
