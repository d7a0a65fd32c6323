// SPDX-License-Identifier: GPL-2.0-or-later
/* What the machine and its boot loader are; see findings.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/cmdline.h"
#include "early/plan.h"
#include "early/sysfs.h"
#include "findings/find.h"
#include "host/next_cmdline.h"
#include "util/file.h"
#include "util/params.h"

#define PATH_CPUINFO "proc/cpuinfo"
#define PATH_UNSAFE  "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (text += strspn(text, " \t:"); *text; text += strspn(text, " \t:")) {
		size_t width = strcspn(text, " \t:");

		if (width == len && !strncmp(text, word, len))
			return true;
		text += width;
	}
	return false;
}

/* Returns 1 for VT-x, 2 for AMD-V, 3 for a machine that is no x86: the flag is not known there. */
static int look_at_cpu(const char *line, void *arg)
{
	bool *is_x86 = arg;

	if (!strncmp(line, "CPU implementer", 15))
		return 3;
	if (strncmp(line, "flags", 5) != 0)
		return 0;
	*is_x86 = true;
	if (has_word(line, "vmx"))
		return 1;
	return has_word(line, "svm") ? 2 : 0;
}

static void find_cpu(struct search *search)
{
	static const char *const names[] = { "", "Intel VT-x", "AMD-V", "Arm" };
	bool is_x86 = false;
	int ret = file_for_each_line(search->host->root.fd, PATH_CPUINFO, look_at_cpu, &is_x86);

	if (ret > 0)
		finding_add(search->findings, FINDING_CPU_OK, "", names[ret], NULL);
	else
		finding_add(search->findings, is_x86 ? FINDING_CPU_NO_VM : FINDING_CPU_UNKNOWN, "",
			    NULL);
}

static bool is_unsafe(const struct search *search)
{
	char text[8];

	if (sysfs_read(search->host->root.fd, PATH_UNSAFE, text, sizeof(text)) > 0 && *text == 'Y')
		return true;
	for (size_t i = 0; i < search->recipes.count; i++)
		if (search->recipes.list[i].kind == RECIPE_UNSAFE &&
		    search->recipes.list[i].state == RECIPE_IN_FORCE)
			return true;
	/* As the boot half reads it. */
	return plan_wants_unsafe(&search->host->plan);
}

static void find_remapping(struct search *search)
{
	const struct iommu *iommu = &search->host->iommu;

	if (iommu->state != IOMMU_ON || !iommu_wants_remapping(iommu))
		return;
	if (iommu->has_remapping)
		finding_add(search->findings, FINDING_REMAPPING_ON, "", NULL);
	else
		finding_add(search->findings,
			    is_unsafe(search) ? FINDING_REMAPPING_UNSAFE : FINDING_REMAPPING_OFF,
			    "IOMMU", NULL);
}

/* What to do where this boot was told to bind nothing: the next one may not be. */
static const char *fix_told(const struct search *search)
{
	const char *const edit = "remove it from the boot loader's config, if it is there";
	const struct host *host = search->host;
	bool is_known = false;
	struct next_cmdline next;
	const char *fix = edit;

	if (!next_cmdline_read(&host->root, host->answers, &next) && next.count) {
		fix = "reboot";
		for (size_t i = 0; i < next.count && fix != edit; i++) {
			const struct next_param *param = &next.param[i];

			if (!next_param_is_loaders(param))
				continue;
			is_known |= next_param_is_in_force(param);
			if (!strcmp(param->code, "not-known") ||
			    cmdline_mode(param->token, NULL) != CMDLINE_RUN)
				fix = edit;
		}
	}
	next_cmdline_free(&next);
	return is_known ? fix : edit;
}

void find_machine(struct search *search)
{
	char unknown[CMDLINE_PARAM_SIZE];

	find_cpu(search);
	find_iommu(search);
	find_remapping(search);
	switch (cmdline_mode(search->host->cmdline, unknown)) {
	case CMDLINE_RUN:
		break;
	case CMDLINE_DRY_RUN:
		finding_add(search->findings, FINDING_TOLD_DRY_RUN, "/proc/cmdline",
			    fix_told(search), NULL);
		break;
	case CMDLINE_OFF:
		finding_add(search->findings, FINDING_TOLD_OFF, "/proc/cmdline", fix_told(search),
			    NULL);
		break;
	case CMDLINE_UNKNOWN:
		finding_add(search->findings, FINDING_TOLD_UNKNOWN, "/proc/cmdline", unknown,
			    fix_told(search), NULL);
		break;
	}
}

/* --- the boot loader */

static void add_loader(struct search *search, const struct next_kernel *kernel)
{
	static const enum finding_code codes[NEXT_LOADERS] = {
		[NEXT_LOADER_NOT_TOLD] = FINDING_LOADER_NOT_TOLD,
		[NEXT_LOADER_KEPT] = FINDING_LOADER_OK,
		[NEXT_LOADER_BY_HAND] = FINDING_LOADER_BY_HAND,
		[NEXT_LOADER_UNKEPT] = FINDING_LOADER_UNKNOWN,
		[NEXT_LOADER_TWO] = FINDING_LOADER_TWO,
		[NEXT_LOADER_NO_ESP] = FINDING_LOADER_NO_ESP,
	};

	finding_add(search->findings, codes[kernel->loader], "",
		    kernel->loader_text ? kernel->loader_text : "",
		    kernel->loader_fix ? kernel->loader_fix : "", NULL);
}

static bool has_param(const char *cmdline, const struct param *wanted)
{
	struct params params;
	struct param param;

	params_begin(&params, cmdline, strlen(cmdline));
	while (params_next(&params, &param))
		if (params_are_same(param.text, param.len, wanted->text, wanted->len))
			return true;
	return false;
}

void find_loader(struct search *search, const char *wanted)
{
	struct next_kernel kernel;
	unsigned int missing = 0;
	struct params params;
	struct param param;

	if (!strcmp(wanted, "auto") || !strcmp(wanted, "none"))
		wanted = "";
	params_begin(&params, wanted, strlen(wanted));
	while (params_next(&params, &param)) {
		char *token;

		if (has_param(search->host->cmdline, &param))
			continue;
		missing++;
		token = strndup(param.text, param.len);
		if (token)
			finding_add(search->findings, FINDING_PARAMETER_MISSING, token, token,
				    NULL);
		else
			search->findings->failed = true;
		free(token);
	}
	if (missing)
		return;
	/* Which one it is, and what was done by hand, is read by the program that changes it. */
	next_kernel_read(&search->host->root, search->host->answers, &kernel);
	add_loader(search, &kernel);
	next_kernel_free(&kernel);
}
