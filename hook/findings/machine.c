// SPDX-License-Identifier: GPL-2.0-or-later
/* What the machine and its boot loader are; see findings.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "early/cmdline.h"
#include "early/plan.h"
#include "early/sysfs.h"
#include "findings/find.h"
#include "image/kernels.h"
#include "util/file.h"
#include "util/params.h"

#define PATH_CPUINFO	  "proc/cpuinfo"
#define PATH_UNSAFE	  "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
#define PATH_PROXMOX_ESPS "etc/kernel/proxmox-boot-uuids"
#define PATH_BY_HAND	  "var/lib/vfio-early/cmdline/by-hand"
/* systemd's Boot Loader Interface: "LoaderInfo" names the loader, in UTF-16. */
#define PATH_LOADER_INFO  "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

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

static void find_iommu(struct search *search)
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

	host_iommu(search->host, text, sizeof(text), fix, sizeof(fix));
	if (iommu->table || iommu->state == IOMMU_ON)
		finding_add(search->findings, FINDING_FIRMWARE_OK, "", tables[iommu->table], NULL);
	finding_add(search->findings, codes[iommu->state], "", text, fix, NULL);
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
		finding_add(search->findings, FINDING_TOLD_DRY_RUN, "/proc/cmdline", NULL);
		break;
	case CMDLINE_OFF:
		finding_add(search->findings, FINDING_TOLD_OFF, "/proc/cmdline", NULL);
		break;
	case CMDLINE_UNKNOWN:
		finding_add(search->findings, FINDING_TOLD_UNKNOWN, "/proc/cmdline", unknown, NULL);
		break;
	}
}

/* --- the boot loader */

static const char *loader(const struct search *search, char *buf, size_t size)
{
	int rootfd = search->host->root.fd;
	char raw[256];
	int len, end = 0;

	if (sysfs_exists(rootfd, PATH_PROXMOX_ESPS))
		return "proxmox-boot-tool";
	len = sysfs_read(rootfd, PATH_LOADER_INFO, raw, sizeof(raw));
	/* Four bytes of attributes, then UTF-16. */
	for (int i = 4; i + 1 < len && end + 1 < (int)size; i += 2)
		if (isprint((unsigned char)raw[i]))
			buf[end++] = raw[i];
	buf[end] = '\0';
	if (end)
		return buf;
	if (sysfs_exists(rootfd, "boot/grub/grub.cfg"))
		return "GRUB";
	return NULL;
}

static int copy_images(const char *line, void *arg)
{
	static const char key[] = "images ";

	if (strncmp(line, key, sizeof(key) - 1) != 0)
		return 0;
	*(char **)arg = strdup(line + sizeof(key) - 1);
	return 1;
}

/* Was the loader updated by hand, and is no image newer? As hand_images in scripts/ writes it. */
static bool is_by_hand(const struct search *search)
{
	const struct root *root = &search->host->root;
	struct kernels kernels;
	char *images = NULL;
	bool is_current;

	file_for_each_line(root->fd, PATH_BY_HAND, copy_images, &images);
	is_current = !kernels_find(root, &kernels) && images;
	for (size_t i = 0; i < kernels.count && is_current; i++) {
		const struct kernel *kernel = &kernels.list[i];
		char text[SYSFS_PATH_MAX + 64];
		struct stat st;

		if (file_stat(root->fd, kernel->image, &st))
			continue;
		snprintf(text, sizeof(text), "image /%s %lld %lld ", kernel->image,
			 (long long)st.st_size, (long long)st.st_mtime);
		is_current = strstr(images, text);
	}
	kernels_free(&kernels);
	free(images);
	return is_current;
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
	char buf[64];
	const char *name = loader(search, buf, sizeof(buf));
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
			finding_add(search->findings, FINDING_PARAMETER_MISSING, token, token, NULL);
		else
			search->findings->failed = true;
		free(token);
	}
	if (!missing && name)
		finding_add(search->findings, FINDING_LOADER_OK, "", name, NULL);
	else if (!missing)
		finding_add(search->findings,
			    is_by_hand(search) ? FINDING_LOADER_BY_HAND : FINDING_LOADER_UNKNOWN,
			    "", NULL);
}
