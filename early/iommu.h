/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the IOMMU, and why it is off. /sys/class/iommu and each function's group decide; the
 * command line and the firmware's tables only explain. Reads only. Used by the boot half and the
 * host half.
 */
#ifndef VFIO_EARLY_IOMMU_H
#define VFIO_EARLY_IOMMU_H

#include <stdbool.h>
#include <stddef.h>

#include "cmdline.h"
#include "pci.h"

#define IOMMU_NAME_SIZE 32

enum iommu_state {
	IOMMU_ON,
	IOMMU_OFF_FIRMWARE, /* no table: off in the firmware, or the machine has no IOMMU */
	IOMMU_OFF_KERNEL,   /* a table, perhaps hidden by acpi=off, but no unit */
	IOMMU_NOIOMMU,	    /* off, and vfio is told to work without: no isolation */
};

enum iommu_table {
	IOMMU_TABLE_NONE,
	IOMMU_TABLE_DMAR, /* Intel VT-d */
	IOMMU_TABLE_IVRS, /* AMD-Vi */
	IOMMU_TABLE_IORT, /* Arm SMMU */
	IOMMU_TABLE_TREE, /* no ACPI: the board's device tree describes its SMMU, if any */
};

struct iommu {
	enum iommu_state state;
	enum iommu_table table;
	char unit[IOMMU_NAME_SIZE]; /* the first one's name in /sys/class/iommu: "dmar0" */
	unsigned int units;
	char param[CMDLINE_PARAM_SIZE]; /* the kernel parameter that turned it off, or "" */
	bool is_asked;			/* intel_iommu=on is on the command line already */
	char remapping_param
		[CMDLINE_PARAM_SIZE]; /* the kernel parameter that turned remapping off, or "" */
	char igfx_param
		[CMDLINE_PARAM_SIZE]; /* the kernel parameter that excludes Intel's graphics, or "" */
	bool has_remapping;	      /* x86: interrupt remapping is on */
	/*
	 * There is an Arm SMMU. Up to Linux 6.14 a function gets its group when a driver probes it
	 * (drivers/of/device.c, drivers/acpi/arm64/iort.c: from dma_configure), so a function
	 * without a group may still get one: only a bind can tell.
	 */
	bool has_smmu;
};

/*
 * iommu_read - read the state of the machine's IOMMU.
 * @rootfd: the root directory
 * @cmdline: the text of /proc/cmdline
 * @noiommu: vfio is, or will be, loaded with enable_unsafe_noiommu_mode
 * @iommu: filled in
 */
void iommu_read(int rootfd, const char *cmdline, bool noiommu, struct iommu *iommu);

/*
 * iommu_is_igfx - is it Intel's integrated graphics, which the kernels of Debian leave without an
 * IOMMU by default (CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF)?
 */
bool iommu_is_igfx(const struct iommu *iommu, const struct pci_function *fn);

/* iommu_wants_remapping - should this kind of IOMMU come with x86 interrupt remapping? */
bool iommu_wants_remapping(const struct iommu *iommu);

/*
 * iommu_table_name - the firmware's table as the kernel names it: "DMAR"; "hidden" if there is
 * none.
 */
const char *iommu_table_name(const struct iommu *iommu);

#endif
