// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IOMMU at the next boot; see next_iommu.h. The parameters are taken as its kernel takes them
 * (drivers/iommu/intel/iommu.c, intel_iommu_setup; drivers/iommu/iommu.c, iommu_set_def_domain_type).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/trial.h"
#include "early/iommu.h"
#include "early/sysfs.h"
#include "early/tell.h"
#include "host/next_boot.h"
#include "host/next_cmdline.h"
#include "host/next_iommu.h"
#include "util/file.h"
#include "util/words.h"

static int look_for_default(const char *line, void *arg)
{
	(void)arg;
	if (!strcmp(line, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y"))
		return NEXT_IOMMU_DEFAULT_ON;
	if (!strcmp(line, "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y"))
		return NEXT_IOMMU_DEFAULT_ON_BUT_GPU;
	return 0;
}

enum next_iommu_default next_iommu_default(const struct host *host, const char *version)
{
	char path[SYSFS_PATH_MAX];
	int ret;

	sysfs_path(path, "boot/config-%s", version ? version : "");
	ret = file_for_each_line(host->root.fd, path, look_for_default, NULL);
	return ret > 0 ? (enum next_iommu_default)ret : NEXT_IOMMU_DEFAULT_OFF;
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
static bool read_next(const struct host *host, struct iommu *iommu,
		      enum next_iommu_default *without, bool *wants_refresh)
{
	struct next_kernel kernel = { 0 };
	struct next_cmdline next;
	char *line = NULL;

	*iommu = (struct iommu){ .state = host->iommu.state, .table = host->iommu.table };
	if (!next_cmdline_read(&host->root, host->answers, &next) && next.count)
		line = next_cmdline_text(&next);
	if (line) {
		iommu_read_cmdline(line, iommu);
		next_kernel_read(&host->root, host->answers, &kernel);
		*without = next_iommu_default(host, kernel.version);
		*wants_refresh = waits_for_refresh(&next);
	}
	next_kernel_free(&kernel);
	next_cmdline_free(&next);
	free(line);
	return line;
}

/* Do these parameters bring the IOMMU up, for that function too? */
static bool are_good(const struct iommu *iommu, enum next_iommu_default without,
		     const struct host_function *fn)
{
	if (*iommu->param || (fn && *iommu->igfx_param))
		return false;
	if (iommu->table != IOMMU_TABLE_DMAR || iommu->is_asked)
		return true;
	return fn ? without == NEXT_IOMMU_DEFAULT_ON : without != NEXT_IOMMU_DEFAULT_OFF;
}

bool next_iommu_is_by_cmdline(const struct host *host, const struct host_function *fn)
{
	const struct iommu *iommu = &host->iommu;
	bool is_unasked = iommu->table == IOMMU_TABLE_DMAR && !iommu->is_asked;

	if (!fn)
		return iommu->state == IOMMU_OFF_KERNEL && (*iommu->param || is_unasked);
	return iommu_is_igfx(iommu, &fn->pci) && (*iommu->igfx_param || is_unasked);
}

void next_iommu_fix(const struct host *host, const struct host_function *fn, char *fix, size_t size)
{
	const struct root *root = &host->root;
	enum next_iommu_default without = NEXT_IOMMU_DEFAULT_OFF;
	bool wants_refresh = false;
	struct iommu iommu;
	size_t len;

	if (!next_iommu_is_by_cmdline(host, fn))
		return;
	if (!read_next(host, &iommu, &without, &wants_refresh)) {
		iommu = host->iommu;
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

const char *next_iommu_fix_refused(const struct host *host, const struct host_function *fn,
				   char *fix, size_t size)
{
	enum reason reason = host->decisions.verdict[fn->place].reason;

	fix[0] = '\0';
	if (reason == REASON_NO_IOMMU)
		next_iommu_fix(host, NULL, fix, size);
	else if (reason == REASON_NO_GROUP)
		next_iommu_fix(host, fn, fix, size);
	return fix;
}
