// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IOMMU, and what to do where the kernel has it off or leaves the integrated GPU out of it: this
 * boot's parameters do, and the next boot may have others; see findings.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/trial.h"
#include "early/iommu.h"
#include "early/sysfs.h"
#include "early/tell.h"
#include "findings/find.h"
#include "host/next_boot.h"
#include "host/next_cmdline.h"
#include "util/file.h"
#include "util/words.h"

static int look_for_default(const char *line, void *arg)
{
	(void)arg;
	if (!strcmp(line, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y"))
		return FIND_DEFAULT_ON;
	if (!strcmp(line, "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y"))
		return FIND_DEFAULT_ON_BUT_GPU;
	return 0;
}

enum find_default find_iommu_default(const struct search *search, const char *version)
{
	char path[SYSFS_PATH_MAX];
	int ret;

	sysfs_path(path, "boot/config-%s", version ? version : "");
	ret = file_for_each_line(search->host->root.fd, path, look_for_default, NULL);
	return ret > 0 ? (enum find_default)ret : FIND_DEFAULT_OFF;
}

/* Is intel_iommu=on in a file of the loader whose entries do not have it yet? */
static bool waits_for_refresh(const struct next_cmdline *next)
{
	for (size_t i = 0; i < next->count; i++)
		if (!strcmp(next->param[i].code, "not-refreshed") &&
		    cmdline_find(next->param[i].token, "intel_iommu", "on", NULL))
			return true;
	return false;
}

/* What the next boot asks of the IOMMU. Returns whether that is known. */
static bool read_next(struct search *search, struct iommu *iommu, enum find_default *without,
		      bool *wants_refresh)
{
	struct host *host = search->host;
	struct next_kernel kernel = { 0 };
	struct next_cmdline next;
	char *line = NULL;

	*iommu = (struct iommu){ .state = host->iommu.state, .table = host->iommu.table };
	if (!next_cmdline_read(&host->root, &host->answers, &next) && next.count)
		line = next_cmdline_text(&next);
	if (line) {
		iommu_read_cmdline(line, iommu);
		next_kernel_read(&host->root, &host->answers, &kernel);
		*without = find_iommu_default(search, kernel.version);
		*wants_refresh = waits_for_refresh(&next);
	}
	next_kernel_free(&kernel);
	next_cmdline_free(&next);
	free(line);
	return line;
}

/* Do these parameters bring the IOMMU up, for that function too? */
static bool are_good(const struct iommu *iommu, enum find_default without,
		     const struct host_function *fn)
{
	if (*iommu->param || (fn && *iommu->igfx_param))
		return false;
	if (iommu->table != IOMMU_TABLE_DMAR || iommu->is_asked)
		return true;
	return fn ? without == FIND_DEFAULT_ON : without != FIND_DEFAULT_OFF;
}

void find_iommu_fix(struct search *search, const struct host_function *fn, char *fix, size_t size)
{
	const struct root *root = &search->host->root;
	enum find_default without = FIND_DEFAULT_OFF;
	bool wants_refresh = false;
	struct iommu iommu;
	size_t len;

	if (!next_boot_is_by_cmdline(search->host, fn))
		return;
	if (!read_next(search, &iommu, &without, &wants_refresh)) {
		iommu = search->host->iommu;
	} else if (are_good(&iommu, without, fn)) {
		snprintf(fix, size, "%s",
			 words_of("reboot", trial_is_pending(root) ?
						    "reboot, then vfio-early confirm: the "
						    "parameters of the next boot are right" :
						    "reboot: the parameters of the next boot are "
						    "right"));
		return;
	}
	/* The words for an IOMMU that is off have both. */
	iommu.state = IOMMU_OFF_KERNEL;
	if (fn && !*iommu.param)
		memcpy(iommu.param, iommu.igfx_param, sizeof(iommu.param));
	len = strlen(tell_iommu_fix(&iommu, fix, size));
	if (!*iommu.param && wants_refresh)
		snprintf(fix, size, "%s",
			 words_of("refresh", "vfio-early-cmdline refresh, then reboot"));
	else if (!*iommu.param && iommu.table == IOMMU_TABLE_DMAR && !iommu.is_asked)
		snprintf(fix + len, size - len, "; %s does, unless cmdline is set",
			 trial_command(root));
}

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
	find_iommu_fix(search, NULL, fix, sizeof(fix));
	if (iommu->table || iommu->state == IOMMU_ON)
		finding_add(search->findings, FINDING_FIRMWARE_OK, "", tables[iommu->table], NULL);
	finding_add(search->findings, codes[iommu->state], "", text, fix, NULL);
}
