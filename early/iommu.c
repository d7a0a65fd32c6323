// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IOMMU state and its diagnosis; see iommu.h. Writes nothing.
 */
#include <string.h>

#include "cmdline.h"
#include "iommu.h"
#include "paths.h"
#include "sysfs.h"
#include "text.h"

/*
 * The firmware's tables, and for each the parameter that turns its IOMMU off. The entry without a
 * table has the parameter that hides them all.
 */
static const struct table {
	char name[8];
	char param[12];
} tables[] = {
	[IOMMU_TABLE_NONE] = { "hidden", "acpi" },
	[IOMMU_TABLE_DMAR] = { "DMAR", "intel_iommu" },
	[IOMMU_TABLE_IVRS] = { "IVRS", "amd_iommu" },
	[IOMMU_TABLE_IORT] = { "IORT", "iommu" },
	[IOMMU_TABLE_TREE] = { "", "iommu" },
};

static int count_unit(const char *name, void *arg)
{
	struct iommu *iommu = arg;
	const char *start = name;

	/* "smmu3.0x0000000009050000", "smmu.0x..." (drivers/iommu/arm/) */
	iommu->has_smmu |= text_skip_prefix(&start, "smmu");
	/*
	 * The kernel gives no order; the lowest name is the one that an administrator looks for
	 * first.
	 */
	if (!iommu->units++ || strcmp(name, iommu->unit) < 0)
		text_format(iommu->unit, sizeof(iommu->unit), "%s", name);
	return 0;
}

static int look_for_remapping(const char *line, void *arg)
{
	(void)arg;
	return text_find(line, "IR-") != NULL;
}

const char *iommu_table_name(const struct iommu *iommu)
{
	return tables[iommu->table].name;
}

static bool has_table(const struct iommu *iommu)
{
	return iommu->table && iommu->table != IOMMU_TABLE_TREE;
}

static void read_cmdline(const char *cmdline, struct iommu *iommu)
{
	cmdline_find(cmdline, "intel_iommu", "igfx_off", iommu->igfx_param);
	iommu->is_asked = cmdline_find(cmdline, "intel_iommu", "on", NULL);
	cmdline_find(cmdline, "intremap", "off", iommu->remapping_param);
	/* The vendor's own parameter, or the general one (arch/x86/kernel/pci-dma.c). */
	if (!cmdline_find(cmdline, tables[iommu->table].param, "off", iommu->param) && iommu->table)
		cmdline_find(cmdline, "iommu", "off", iommu->param);
}

void iommu_read(int rootfd, const char *cmdline, bool noiommu, struct iommu *iommu)
{
	char path[SYSFS_PATH_MAX], text[8];

	memset(iommu, 0, sizeof(*iommu));
	for (unsigned int i = IOMMU_TABLE_DMAR; i <= IOMMU_TABLE_IORT && !iommu->table; i++)
		if (sysfs_exists(rootfd, sysfs_path(path, PATH_ACPI_TABLES "/%s", tables[i].name)))
			iommu->table = i;

	/*
	 * A kernel that was started with ACPI may also show a device tree, which then means
	 * nothing.
	 */
	if (!iommu->table && !sysfs_exists(rootfd, PATH_ACPI_TABLES) &&
	    sysfs_exists(rootfd, PATH_BOARD_MODEL))
		iommu->table = IOMMU_TABLE_TREE;

	sysfs_for_each(rootfd, PATH_IOMMU_CLASS, count_unit, iommu);
	iommu->has_remapping = sysfs_for_each_line(rootfd, PATH_INTERRUPTS, look_for_remapping,
						   NULL) > 0;
	read_cmdline(cmdline, iommu);
	if (iommu->units) {
		iommu->param[0] = '\0';
		return;
	}
	if (sysfs_read(rootfd, PATH_NOIOMMU, text, sizeof(text)) > 0 && text[0] == 'Y')
		noiommu = true;
	if (noiommu)
		iommu->state = IOMMU_NOIOMMU;
	else
		iommu->state = has_table(iommu) || iommu->param[0] ? IOMMU_OFF_KERNEL :
								     IOMMU_OFF_FIRMWARE;
}

bool iommu_wants_remapping(const struct iommu *iommu)
{
	return iommu->table == IOMMU_TABLE_DMAR || iommu->table == IOMMU_TABLE_IVRS;
}

bool iommu_is_igfx(const struct iommu *iommu, const struct pci_function *fn)
{
	return iommu->table == IOMMU_TABLE_DMAR && fn->class >> 16 == 0x03 &&
	       fn->id.vendor == 0x8086 && !fn->addr.bus && fn->addr.dev == 2;
}
