/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IOMMU at the next boot, and what to do where the kernel has it off or leaves the integrated GPU out
 * of it: this boot's parameters do, and the next boot may have others.
 */
#ifndef VFIO_EARLY_HOOK_HOST_NEXT_IOMMU_H
#define VFIO_EARLY_HOOK_HOST_NEXT_IOMMU_H

#include <stdbool.h>
#include <stddef.h>

#include "host/host.h"

/* What a kernel makes of an Intel IOMMU without a parameter (drivers/iommu/intel/Kconfig). */
enum next_iommu_default {
	NEXT_IOMMU_DEFAULT_OFF, /* or not known */
	NEXT_IOMMU_DEFAULT_ON,
	NEXT_IOMMU_DEFAULT_ON_BUT_GPU,
};

/* next_iommu_default - read from the config of a kernel, in /boot. @version: or NULL */
enum next_iommu_default next_iommu_default(const struct host *host, const char *version);

enum next_iommu {
	NEXT_IOMMU_NOT_KNOWN,
	NEXT_IOMMU_OTHER, /* another system is booted next */
	NEXT_IOMMU_GOOD,
	NEXT_IOMMU_OFF,	      /* a parameter turns it off */
	NEXT_IOMMU_OFF_LATER, /* or does harm once the loader's entries are written again */
	NEXT_IOMMU_GPU_OFF,   /* a parameter leaves the integrated GPU out */
	NEXT_IOMMU_MISSING,   /* intel_iommu=on is missing */
};

/*
 * next_iommu_judge - what the parameters of the next boot make of the IOMMU.
 * @has_igfx: does Intel's integrated GPU matter?
 * @param: set to the parameter that does harm, else to NULL; points into @next
 */
enum next_iommu next_iommu_judge(const struct host *host, const struct next_cmdline *next,
				 const struct next_kernel *kernel, bool has_igfx,
				 const struct next_param **param);

/*
 * next_kernel_is_own - is it a kernel of this system, by its image or its modules? Another system's
 * parameters say nothing about this one. Yes if nothing is known of it.
 */
bool next_kernel_is_own(const struct host *host, const struct next_kernel *kernel);

/* next_param_is_ours - did vfio-early-cmdline add it? Then it takes it back. */
bool next_param_is_ours(const struct host *host, const struct next_param *param);

/*
 * next_iommu_is_by_cmdline - does this boot's kernel command line keep the IOMMU off, or the integrated
 * GPU out of it? The next boot's may not.
 * @fn: a function without a group, or NULL for the whole IOMMU
 */
bool next_iommu_is_by_cmdline(const struct host *host, const struct host_function *fn);

/*
 * next_iommu_fix - what to do where this boot's parameters keep the IOMMU off, or the integrated GPU out
 * of it. Those of the next boot count, if they are known: a reboot, if they are right.
 * @fn: a function without a group, or NULL for the whole IOMMU
 * @fix: stays as it is where the parameters are not the cause, or those of the next boot are not known
 */
void next_iommu_fix(const struct host *host, const struct host_function *fn, char *fix,
		    size_t size);

/*
 * next_iommu_fix_refused - the same for a function that is refused: "" unless that is the cause. Returns
 * @fix.
 * @fn: one that has a verdict
 */
const char *next_iommu_fix_refused(const struct host *host, const struct host_function *fn,
				   char *fix, size_t size);

#endif
