// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the boot loader will boot next: whether that turns this package or the IOMMU off, or lacks what
 * this boot has; see findings.h. This boot's own line is machine.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/cmdline.h"
#include "early/sysfs.h"
#include "findings/find.h"
#include "host/next_cmdline.h"
#include "host/next_iommu.h"

/* In force at the next boot, and known from a file of the loader, not from this boot. */
static bool is_set(const struct next_param *param)
{
	return next_param_is_in_force(param) && next_param_is_loaders(param);
}

static void add(struct search *search, enum finding_code code, const struct next_param *param)
{
	static const enum finding_code added[][2] = {
		{ FINDING_NEXT_OFF, FINDING_NEXT_OFF_ADDED },
		{ FINDING_NEXT_IOMMU_OFF, FINDING_NEXT_IOMMU_OFF_ADDED },
		{ FINDING_NEXT_GPU_OFF, FINDING_NEXT_GPU_OFF_ADDED },
	};
	char place[512];

	for (size_t i = 0;
	     i < sizeof(added) / sizeof(added[0]) && next_param_is_ours(search->host, param); i++) {
		if (added[i][0] == code) {
			code = added[i][1];
			break;
		}
	}
	snprintf(place, sizeof(place), "%s:%u", param->file, param->line);
	finding_add(search->findings, code, place, param->token,
		    strcmp(param->file, NEXT_PARAM_GRUB_CFG) != 0 ?
			    place :
			    "/etc/grub.d, if a file there has it",
		    NULL);
}

/* vfio_early=: of several the strongest counts, and a value that is not known is a way out. */
static void find_told(struct search *search, const struct next_cmdline *next)
{
	const struct next_param *worst = NULL;
	enum cmdline_mode mode = CMDLINE_RUN;

	for (size_t i = 0; i < next->count; i++) {
		enum cmdline_mode is = cmdline_mode(next->param[i].token, NULL);

		if (is_set(&next->param[i]) && is > mode) {
			mode = is;
			worst = &next->param[i];
		}
	}
	if (worst)
		add(search, FINDING_NEXT_OFF, worst);
}

static bool has_igfx(const struct search *search)
{
	const struct host *host = search->host;

	for (size_t i = 0; i < host->count; i++)
		if (iommu_is_igfx(&host->iommu, &host->fn[i].pci) &&
		    host_is_named(host, &host->fn[i]))
			return true;
	return false;
}

static void find_iommu_off(struct search *search, const struct next_cmdline *next,
			   const struct next_kernel *kernel)
{
	const struct next_param *param;

	switch (next_iommu_judge(search->host, next, kernel, has_igfx(search), &param)) {
	case NEXT_IOMMU_OFF:
		add(search, FINDING_NEXT_IOMMU_OFF, param);
		break;
	case NEXT_IOMMU_OFF_LATER:
		add(search, FINDING_NEXT_IOMMU_LATER, param);
		break;
	case NEXT_IOMMU_GPU_OFF:
		add(search, FINDING_NEXT_GPU_OFF, param);
		break;
	case NEXT_IOMMU_MISSING:
		/* Where this boot is without it too, that is its finding. */
		if (cmdline_find(search->host->cmdline, "intel_iommu", "on", NULL))
			finding_add(search->findings, FINDING_NEXT_IOMMU_MISSING, "intel_iommu=on",
				    "intel_iommu=on", NULL);
		break;
	default:
		break;
	}
}

static void find_kernel(struct search *search, const struct next_kernel *kernel)
{
	char running[128];

	if (!kernel->how || !strcmp(kernel->how, "not-known"))
		return;
	if (!next_kernel_is_own(search->host, kernel)) {
		finding_add(search->findings, FINDING_NEXT_OTHER, kernel->place, kernel->how, NULL);
		return;
	}
	if (*host_running(&search->host->root, running, sizeof(running)) &&
	    strcmp(running, kernel->version) != 0)
		finding_add(search->findings, FINDING_NEXT_KERNEL, "", kernel->version, kernel->how,
			    running, NULL);
}

void find_next(struct search *search)
{
	struct next_cmdline next;
	struct next_kernel kernel = { 0 };

	if (!next_cmdline_read(&search->host->root, search->host->answers, &next) &&
	    !next_kernel_read(&search->host->root, search->host->answers, &kernel) && next.count) {
		find_kernel(search, &kernel);
		find_told(search, &next);
		find_iommu_off(search, &next, &kernel);
	}
	next_cmdline_free(&next);
	next_kernel_free(&kernel);
}
