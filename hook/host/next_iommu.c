// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IOMMU at the next boot; see next_iommu.h. The parameters are taken as its kernel takes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/state.h"
#include "config/trial.h"
#include "early/cmdline.h"
#include "early/iommu.h"
#include "early/sysfs.h"
#include "early/tell.h"
#include "host/next_boot.h"
#include "host/next_cmdline.h"
#include "host/next_iommu.h"
#include "util/file.h"
#include "util/params.h"
#include "util/words.h"

/* Codes of vfio-early-cmdline(8), next. */
#define NOT_REFRESHED "not-refreshed"
#define SOME_ESPS     "some-esps"

static const char *const next_iommu_names[] = {
	[NEXT_IOMMU_NOT_KNOWN] = "not-known", [NEXT_IOMMU_OTHER] = "other-system",
	[NEXT_IOMMU_GOOD] = "reboot",	      [NEXT_IOMMU_OFF] = "off",
	[NEXT_IOMMU_OFF_LATER] = "off-later", [NEXT_IOMMU_GPU_OFF] = "igpu-off",
	[NEXT_IOMMU_MISSING] = "missing",
};

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

/* The records of vfio-early-cmdline: "add TOKEN", "apply TOKEN". */
static int look_for_token(const char *line, void *arg)
{
	const char *token = strchr(line, ' ');

	if (!token || (strncmp(line, "add ", 4) != 0 && strncmp(line, "apply ", 6) != 0))
		return 0;
	token++;
	return params_are_same(token, strlen(token), arg, strlen(arg));
}

bool next_param_is_ours(const struct host *host, const struct next_param *param)
{
	static const char *const records[] = { STATE_CMDLINE "/grub", STATE_CMDLINE "/kernel" };

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		if (file_for_each_line(host->root.fd, records[i], look_for_token, param->token) ==
		    1)
			return true;
	return false;
}

/* In force at the next boot, or, if it waits for that, after a refresh of the entries. */
static bool counts(const struct next_param *param, bool waits)
{
	return next_param_is_loaders(param) &&
	       (waits ? !strcmp(param->code, NOT_REFRESHED) : next_param_is_in_force(param));
}

static bool has_value(const struct next_param *param, const char *name, const char *value)
{
	return cmdline_find(param->token, name, value, NULL);
}

/*
 * The parameter that keeps the IOMMU of this table off, or NULL. Of intel_iommu=on and =off the last one
 * counts; iommu=off and amd_iommu=off are not taken back (drivers/iommu/intel/iommu.c,
 * intel_iommu_setup; arch/x86/kernel/pci-dma.c, iommu_setup; drivers/iommu/amd/init.c,
 * parse_amd_iommu_options).
 */
static const struct next_param *find_off(const struct next_cmdline *next, enum iommu_table table,
					 bool waits)
{
	const struct next_param *intel = NULL, *other = NULL;
	bool may_be_intel = table == IOMMU_TABLE_DMAR || table == IOMMU_TABLE_NONE;
	bool may_be_amd = table == IOMMU_TABLE_IVRS || table == IOMMU_TABLE_NONE;

	for (size_t i = 0; i < next->count && (may_be_intel || may_be_amd); i++) {
		const struct next_param *param = &next->param[i];

		if (!counts(param, waits))
			continue;
		if (may_be_intel && has_value(param, "intel_iommu", "off"))
			intel = param;
		else if (has_value(param, "intel_iommu", "on") &&
			 strcmp(param->code, SOME_ESPS) != 0)
			intel = NULL;
		if (!other &&
		    (has_value(param, "iommu", "off") || has_value(param, "acpi", "off") ||
		     (may_be_amd && has_value(param, "amd_iommu", "off"))))
			other = param;
	}
	return intel ? intel : other;
}

static const struct next_param *find_igfx_off(const struct next_cmdline *next, bool waits)
{
	for (size_t i = 0; i < next->count; i++)
		if (counts(&next->param[i], waits) &&
		    has_value(&next->param[i], "intel_iommu", "igfx_off"))
			return &next->param[i];
	return NULL;
}

static const struct next_param *find_value(const struct next_cmdline *next, const char *name,
					   const char *value, const char *code)
{
	for (size_t i = 0; i < next->count; i++)
		if (!strcmp(next->param[i].code, code) && next_param_is_loaders(&next->param[i]) &&
		    has_value(&next->param[i], name, value))
			return &next->param[i];
	return NULL;
}

/* Is its line known, as far as an IOMMU is concerned? */
static bool is_known(const struct next_cmdline *next)
{
	bool has_any = false;

	for (size_t i = 0; i < next->count; i++) {
		const struct next_param *param = &next->param[i];

		has_any |= next_param_is_loaders(param) && next_param_is_in_force(param);
		if (!strcmp(param->code, "not-known") &&
		    (!strcmp(param->token, "*") || strstr(param->token, "iommu")))
			return false;
	}
	return has_any;
}

bool next_kernel_is_own(const struct host *host, const struct next_kernel *kernel)
{
	char path[SYSFS_PATH_MAX];

	if (!kernel->version)
		return !kernel->how || !strcmp(kernel->how, "not-known");
	return sysfs_exists(host->root.fd, sysfs_path(path, "boot/vmlinuz-%s", kernel->version)) ||
	       sysfs_exists(host->root.fd, sysfs_path(path, "lib/modules/%s", kernel->version));
}

enum next_iommu next_iommu_judge(const struct host *host, const struct next_cmdline *next,
				 const struct next_kernel *kernel, bool has_igfx,
				 const struct next_param **param)
{
	enum iommu_table table = host->iommu.table;
	enum next_iommu_default without;

	*param = NULL;
	if (!next_kernel_is_own(host, kernel))
		/* Without a version, it may be an image of this system that holds its own kernel. */
		return kernel->version ? NEXT_IOMMU_OTHER : NEXT_IOMMU_NOT_KNOWN;
	for (int waits = 0; waits < 2; waits++) {
		*param = find_off(next, table, waits);
		if (*param)
			return waits ? NEXT_IOMMU_OFF_LATER : NEXT_IOMMU_OFF;
		if (table == IOMMU_TABLE_DMAR && has_igfx)
			*param = find_igfx_off(next, waits);
		if (*param)
			return waits ? NEXT_IOMMU_OFF_LATER : NEXT_IOMMU_GPU_OFF;
	}
	if (!is_known(next))
		return NEXT_IOMMU_NOT_KNOWN;
	if (table != IOMMU_TABLE_DMAR || find_value(next, "intel_iommu", "on", "in-force"))
		return NEXT_IOMMU_GOOD;
	without = next_iommu_default(host, kernel->version);
	if (without == NEXT_IOMMU_DEFAULT_ON ||
	    (without == NEXT_IOMMU_DEFAULT_ON_BUT_GPU && !has_igfx))
		return NEXT_IOMMU_GOOD;
	return NEXT_IOMMU_MISSING;
}

bool next_iommu_is_by_cmdline(const struct host *host, const struct host_function *fn)
{
	const struct iommu *iommu = &host->iommu;
	bool is_unasked = iommu->table == IOMMU_TABLE_DMAR && !iommu->is_asked;

	if (!fn || iommu->state == IOMMU_OFF_KERNEL)
		return iommu->state == IOMMU_OFF_KERNEL && (*iommu->param || is_unasked);
	return iommu_is_igfx(iommu, &fn->pci) && (*iommu->igfx_param || is_unasked);
}

/* "STEP, then reboot", and what a trial needs besides. */
static void say_step(const struct host *host, const char *step, char *fix, size_t size)
{
	snprintf(fix, size, "%s%s%sreboot%s",
		 trial_can_confirm(&host->root) ? "vfio-early confirm, then " : "", step,
		 *step ? ", then " : "",
		 trial_is_pending(&host->root) ? ", then vfio-early confirm" : "");
}

static void say_off(const struct host *host, const struct next_param *param, char *fix, size_t size)
{
	char step[NEXT_BOOT_FIX_SIZE];
	bool is_grub;
	size_t len;

	/* Those files are made by programs: what they are made from is without the parameter. */
	is_grub = !strcmp(param->file, NEXT_PARAM_GRUB_CFG);
	if (is_grub || strstr(param->file, "/loader/entries/")) {
		say_step(host, "vfio-early-cmdline refresh", fix, size);
		len = strlen(fix);
		if (is_grub)
			snprintf(fix + len, size - len,
				 "; if %s is back, a file in /etc/grub.d has it", param->token);
		else
			snprintf(fix + len, size - len, "; if %s is back, remove it from %s:%u",
				 param->token, param->file, param->line);
		return;
	}
	/* Without a word of it, the IOMMU may be off. */
	if (has_value(param, "intel_iommu", "igfx_off"))
		snprintf(step, sizeof(step),
			 "write intel_iommu=on instead of %s into %s:%u, then vfio-early-cmdline "
			 "refresh",
			 param->token, param->file, param->line);
	else if (next_param_is_ours(host, param))
		snprintf(step, sizeof(step), "vfio-early-cmdline remove %s", param->token);
	else
		snprintf(step, sizeof(step),
			 "remove %s from %s:%u, then vfio-early-cmdline refresh", param->token,
			 param->file, param->line);
	say_step(host, step, fix, size);
}

static void say_apply(const struct host *host, char *fix, size_t size)
{
	snprintf(fix, size,
		 "%s, which adds kernel parameter intel_iommu=on unless cmdline is set, then reboot",
		 trial_command(&host->root));
}

static void say_missing(const struct host *host, const struct next_cmdline *next,
			const struct next_kernel *kernel, char *fix, size_t size)
{
	const struct next_param *lost = find_value(next, "intel_iommu", "on", "lost");

	if (find_value(next, "intel_iommu", "on", NOT_REFRESHED) ||
	    find_value(next, "intel_iommu", "on", SOME_ESPS))
		say_step(host, "vfio-early-cmdline refresh", fix, size);
	else if (lost)
		snprintf(fix, size,
			 "vfio-early-cmdline show says why intel_iommu=on of %s:%u does not reach "
			 "the kernel",
			 lost->file, lost->line);
	else if (kernel->loader == NEXT_LOADER_UNKEPT)
		say_step(host,
			 "add kernel parameter intel_iommu=on to the boot loader's config, then "
			 "vfio-early-cmdline refresh --by-hand",
			 fix, size);
	else if (!kernel->version)
		say_step(host, "vfio-early-cmdline add intel_iommu=on", fix, size);
	else
		say_apply(host, fix, size);
}

static void say_good(const struct host *host, char *fix, size_t size)
{
	size_t len;

	say_step(host, "", fix, size);
	len = strlen(fix);
	snprintf(fix + len, size - len, "; the parameters of the next boot are right");
}

void next_iommu_fix(const struct host *host, const struct host_function *fn, char *fix, size_t size)
{
	bool has_igfx = fn && iommu_is_igfx(&host->iommu, &fn->pci);
	bool is_by_cmdline = next_iommu_is_by_cmdline(host, fn);
	enum next_iommu is = NEXT_IOMMU_NOT_KNOWN;
	const struct next_param *param = NULL;
	struct next_kernel kernel = { 0 };
	struct next_cmdline next;
	char text[NEXT_BOOT_FIX_SIZE] = "";

	if (host->iommu.state != IOMMU_OFF_KERNEL && !is_by_cmdline)
		return;
	if (!next_cmdline_read(&host->root, host->answers, &next) && next.count &&
	    !next_kernel_read(&host->root, host->answers, &kernel))
		is = next_iommu_judge(host, &next, &kernel, has_igfx, &param);
	switch (is) {
	case NEXT_IOMMU_OFF:
	case NEXT_IOMMU_OFF_LATER:
	case NEXT_IOMMU_GPU_OFF:
		if (param)
			say_off(host, param, text, sizeof(text));
		break;
	case NEXT_IOMMU_OTHER:
		snprintf(text, sizeof(text),
			 "boot this system's own entry: %s, which boots next, is another system's",
			 kernel.place ? kernel.place : "the one");
		break;
	/* Where this boot's parameters are right, the next one's change nothing. */
	case NEXT_IOMMU_GOOD:
		if (is_by_cmdline)
			say_good(host, text, sizeof(text));
		break;
	case NEXT_IOMMU_MISSING:
		if (is_by_cmdline)
			say_missing(host, &next, &kernel, text, sizeof(text));
		break;
	case NEXT_IOMMU_NOT_KNOWN:
		if (is_by_cmdline && !*host->iommu.param && !*host->iommu.igfx_param &&
		    (kernel.loader == NEXT_LOADER_KEPT || kernel.loader == NEXT_LOADER_NOT_TOLD))
			say_apply(host, text, sizeof(text));
		break;
	}
	if (*text)
		snprintf(fix, size, "%s", words_of(next_iommu_names[is], text));
	next_kernel_free(&kernel);
	next_cmdline_free(&next);
}

const char *next_iommu_fix_refused(const struct host *host, const struct host_function *fn,
				   char *fix, size_t size)
{
	enum reason reason = host->decisions.verdict[fn->place].reason;

	fix[0] = '\0';
	if (reason == REASON_NO_IOMMU || reason == REASON_NO_GROUP)
		next_iommu_fix(host, fn, fix, size);
	return fix;
}
