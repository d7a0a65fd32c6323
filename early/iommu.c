// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IOMMU state and its diagnosis; see iommu.h. Writes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "cmdline.h"
#include "iommu.h"
#include "paths.h"
#include "sysfs.h"

/* What each table's IOMMU is called, and what switches it off or on. */
static const struct table {
	const char *file;
	const char *name;
	const char *off_param;
	const char *on_param;
} tables[] = {
	[IOMMU_TABLE_DMAR] = { PATH_ACPI_TABLES "/DMAR", "DMAR", "intel_iommu", "intel_iommu=on" },
	[IOMMU_TABLE_IVRS] = { PATH_ACPI_TABLES "/IVRS", "IVRS", "amd_iommu", NULL },
	[IOMMU_TABLE_IORT] = { PATH_ACPI_TABLES "/IORT", "IORT", "iommu", NULL },
};

/*
 * Who turned it off: the vendor's own parameter, or iommu=off (arch/x86/kernel/pci-dma.c). On Arm
 * iommu.passthrough=1 does not: groups are made all the same.
 */
static void find_off_param(const char *cmdline, struct iommu *iommu)
{
	const char *vendor = tables[iommu->table].off_param;

	if (vendor && cmdline_find(cmdline, vendor, "off", iommu->param))
		return;
	cmdline_find(cmdline, "iommu", "off", iommu->param);
}

static int count_unit(const char *name, void *arg)
{
	struct iommu *iommu = arg;

	/* The kernel gives no order; the lowest name is the one that an administrator looks for. */
	if (!iommu->units++ || strcmp(name, iommu->unit) < 0)
		snprintf(iommu->unit, sizeof(iommu->unit), "%s", name);
	return 0;
}

static int look_for_remapping(const char *line, void *arg)
{
	(void)arg;
	return strstr(line, "IR-") != NULL;
}

void iommu_read(int rootfd, const char *cmdline, bool noiommu, struct iommu *iommu)
{
	char text[8];

	memset(iommu, 0, sizeof(*iommu));
	for (unsigned int i = IOMMU_TABLE_DMAR; i <= IOMMU_TABLE_IORT; i++)
		if (!iommu->table && sysfs_exists(rootfd, tables[i].file))
			iommu->table = i;

	sysfs_for_each(rootfd, PATH_IOMMU_CLASS, count_unit, iommu);
	iommu->has_remapping = sysfs_for_each_line(rootfd, PATH_INTERRUPTS, look_for_remapping,
						   NULL) > 0;
	cmdline_find(cmdline, "intel_iommu", "igfx_off", iommu->igfx_param);
	if (iommu->units)
		return;

	find_off_param(cmdline, iommu);
	iommu->acpi_off = cmdline_find(cmdline, "acpi", "off", NULL);
	if (sysfs_read(rootfd, PATH_NOIOMMU, text, sizeof(text)) > 0 && text[0] == 'Y')
		noiommu = true;
	if (noiommu)
		iommu->state = IOMMU_NOIOMMU;
	else
		iommu->state = iommu->table ? IOMMU_OFF_KERNEL : IOMMU_OFF_FIRMWARE;
}

char *iommu_describe(const struct iommu *iommu, char *buf, size_t size)
{
	const struct table *table = &tables[iommu->table];

	switch (iommu->state) {
	case IOMMU_ON:
		if (iommu->units == 1)
			snprintf(buf, size, "IOMMU on (%s)", iommu->unit);
		else
			snprintf(buf, size, "IOMMU on (%s and %u more)", iommu->unit,
				 iommu->units - 1);
		break;
	case IOMMU_NOIOMMU:
		snprintf(buf, size,
			 "IOMMU off, and vfio is set to enable_unsafe_noiommu_mode: refused, a guest "
			 "could write to all of the host's memory; remove that option");
		break;
	case IOMMU_OFF_KERNEL:
		if (iommu->param[0])
			snprintf(buf, size,
				 "IOMMU off in the kernel (firmware has %s): remove \"%s\" from the "
				 "kernel command line",
				 table->name, iommu->param);
		else if (table->on_param)
			snprintf(buf, size,
				 "IOMMU off in the kernel (firmware has %s): add \"%s\" to the kernel "
				 "command line",
				 table->name, table->on_param);
		else
			snprintf(buf, size,
				 "IOMMU off in the kernel (firmware has %s): see \"dmesg | grep -i "
				 "iommu\" for why",
				 table->name);
		break;
	case IOMMU_OFF_FIRMWARE:
		if (iommu->acpi_off)
			snprintf(buf, size,
				 "IOMMU off: remove \"acpi=off\" from the kernel command "
				 "line, it hides the firmware's tables");
		else
			snprintf(buf, size,
				 "IOMMU off in the firmware (no DMAR, IVRS or IORT table): switch on "
				 "VT-d, AMD-Vi or SMMU in its setup");
		break;
	}
	return buf;
}
