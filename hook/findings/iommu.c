// SPDX-License-Identifier: GPL-2.0-or-later
/* The IOMMU; see findings.h. */
#include "early/iommu.h"
#include "early/tell.h"
#include "findings/find.h"
#include "host/next_iommu.h"

void find_iommu(struct search *search)
{
	static const char *const tables[] = {
		[IOMMU_TABLE_NONE] = "an IOMMU without an ACPI table",
		[IOMMU_TABLE_DMAR] = "DMAR: Intel VT-d",
		[IOMMU_TABLE_IVRS] = "IVRS: AMD-Vi",
		[IOMMU_TABLE_IORT] = "IORT: Arm SMMU",
		[IOMMU_TABLE_TREE] = "a device tree, no ACPI",
	};
	static const enum finding_code codes[] = {
		[IOMMU_ON] = FINDING_IOMMU_ON,
		[IOMMU_OFF_FIRMWARE] = FINDING_IOMMU_OFF_FIRMWARE,
		[IOMMU_OFF_KERNEL] = FINDING_IOMMU_OFF_KERNEL,
		[IOMMU_NOIOMMU] = FINDING_IOMMU_NOIOMMU,
	};
	const struct iommu *iommu = &search->host->iommu;
	char text[512], fix[512];

	tell_iommu(iommu, text, sizeof(text));
	tell_iommu_fix(iommu, fix, sizeof(fix));
	next_iommu_fix(search->host, NULL, fix, sizeof(fix));
	if (iommu->table || iommu->state == IOMMU_ON)
		finding_add(search->findings, FINDING_FIRMWARE_OK, "", tables[iommu->table], NULL);
	finding_add(search->findings, codes[iommu->state], "", text, fix, NULL);
}
