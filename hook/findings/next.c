// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the boot loader will boot next: whether that turns this package or the IOMMU off, or lacks what
 * this boot has; see findings.h. This boot's own line is machine.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/state.h"
#include "early/cmdline.h"
#include "early/sysfs.h"
#include "findings/find.h"
#include "host/next_cmdline.h"
#include "host/next_iommu.h"
#include "util/file.h"
#include "util/params.h"

#define RUNNING_LINE "/proc/cmdline"

/* In force at the next boot, and known from a file of the loader, not from this boot. */
static bool is_set(const struct next_param *param)
{
	return next_param_is_in_force(param) && strcmp(param->file, RUNNING_LINE) != 0;
}

/* The records of vfio-early-cmdline: "add TOKEN", "apply TOKEN". */
static int look_for_token(const char *line, void *arg)
{
	const char *token = strchr(line, ' ');

	if (!token || (strncmp(line, "add ", 4) != 0 && strncmp(line, "apply ", 6) != 0))
		return 0;
	token++;
	return params_are_same(token, strlen(token), arg, strlen(arg));
}

/* Did vfio-early-cmdline add it? Then it takes it back. */
static bool is_added(const struct search *search, const struct next_param *param)
{
	int rootfd = search->host->root.fd;

	return file_for_each_line(rootfd, STATE_CMDLINE "/grub", look_for_token, param->token) ==
		       1 ||
	       file_for_each_line(rootfd, STATE_CMDLINE "/kernel", look_for_token, param->token) ==
		       1;
}

static void add(struct search *search, enum finding_code code, const struct next_param *param)
{
	static const enum finding_code added[][2] = {
		{ FINDING_NEXT_OFF, FINDING_NEXT_OFF_ADDED },
		{ FINDING_NEXT_IOMMU_OFF, FINDING_NEXT_IOMMU_OFF_ADDED },
		{ FINDING_NEXT_GPU_OFF, FINDING_NEXT_GPU_OFF_ADDED },
	};
	char place[512];

	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]) && is_added(search, param); i++) {
		if (added[i][0] == code) {
			code = added[i][1];
			break;
		}
	}
	snprintf(place, sizeof(place), "%s:%u", param->file, param->line);
	finding_add(search->findings, code, place, param->token, place, NULL);
}

/* The first parameter that is NAME=VALUE, for what it does at the next boot. */
static bool find_param(struct search *search, const struct next_cmdline *next, const char *name,
		       const char *value, enum finding_code code)
{
	for (size_t i = 0; i < next->count; i++) {
		if (is_set(&next->param[i]) &&
		    cmdline_find(next->param[i].token, name, value, NULL)) {
			add(search, code, &next->param[i]);
			return true;
		}
	}
	return false;
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

static bool binds_igfx(const struct search *search)
{
	const struct host *host = search->host;

	for (size_t i = 0; i < host->count; i++)
		if (iommu_is_igfx(&host->iommu, &host->fn[i].pci) &&
		    host_next(host, &host->fn[i]) == HOST_NEXT_VFIO)
			return true;
	return false;
}

static void find_iommu_off(struct search *search, const struct next_cmdline *next)
{
	enum iommu_table table = search->host->iommu.table;

	if (table == IOMMU_TABLE_IORT || table == IOMMU_TABLE_TREE)
		return;
	if (table != IOMMU_TABLE_IVRS &&
	    find_param(search, next, "intel_iommu", "off", FINDING_NEXT_IOMMU_OFF))
		return;
	if (table != IOMMU_TABLE_DMAR &&
	    find_param(search, next, "amd_iommu", "off", FINDING_NEXT_IOMMU_OFF))
		return;
	if (!find_param(search, next, "iommu", "off", FINDING_NEXT_IOMMU_OFF) && binds_igfx(search))
		find_param(search, next, "intel_iommu", "igfx_off", FINDING_NEXT_GPU_OFF);
}

/* Intel's IOMMU is off by default in some kernels: this boot has the parameter, the next one not. */
static void find_iommu_missing(struct search *search, const char *line,
			       const struct next_kernel *kernel)
{
	if (search->host->iommu.table != IOMMU_TABLE_DMAR ||
	    !cmdline_find(search->host->cmdline, "intel_iommu", "on", NULL) ||
	    cmdline_find(line, "intel_iommu", "on", NULL) ||
	    cmdline_find(line, "intel_iommu", "off", NULL))
		return;
	if (next_iommu_default(search->host, kernel->version) != NEXT_IOMMU_DEFAULT_ON)
		finding_add(search->findings, FINDING_NEXT_IOMMU_MISSING, "intel_iommu=on",
			    "intel_iommu=on", NULL);
}

static void find_kernel(struct search *search, const struct next_kernel *kernel)
{
	char running[128];

	if (!kernel->how || !strcmp(kernel->how, "not-known"))
		return;
	if (!kernel->version) {
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
	char *line = NULL;

	if (!next_cmdline_read(&search->host->root, search->host->answers, &next) &&
	    !next_kernel_read(&search->host->root, search->host->answers, &kernel) && next.count) {
		line = next_cmdline_text(&next);
		if (!line)
			search->findings->failed = true;
	}
	if (line) {
		find_kernel(search, &kernel);
		find_told(search, &next);
		find_iommu_off(search, &next);
		find_iommu_missing(search, line, &kernel);
	}
	free(line);
	next_cmdline_free(&next);
	next_kernel_free(&kernel);
}
