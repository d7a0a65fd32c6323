// SPDX-License-Identifier: GPL-2.0-or-later
/* What the machine and its boot loader are; see findings.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "early/cmdline.h"
#include "early/plan.h"
#include "early/sysfs.h"
#include "findings/find.h"
#include "util/file.h"

#define PATH_CPUINFO	  "proc/cpuinfo"
#define PATH_UNSAFE	  "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
#define PATH_PROXMOX_ESPS "etc/kernel/proxmox-boot-uuids"
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

static bool has_token(const char *cmdline, const char *token, size_t len)
{
	for (cmdline += strspn(cmdline, " \t\n"); *cmdline; cmdline += strspn(cmdline, " \t\n")) {
		size_t width = strcspn(cmdline, " \t\n");

		if (width == len && !strncmp(cmdline, token, len))
			return true;
		cmdline += width;
	}
	return false;
}

void find_loader(struct search *search, const char *wanted)
{
	const char *cmdline = search->host->cmdline;
	char buf[64];
	const char *name = loader(search, buf, sizeof(buf));
	unsigned int missing = 0;

	if (!strcmp(wanted, "auto") || !strcmp(wanted, "none"))
		wanted = "";
	for (wanted += strspn(wanted, " \t"); *wanted; wanted += strspn(wanted, " \t")) {
		size_t len = strcspn(wanted, " \t");
		char token[128];

		snprintf(token, sizeof(token), "%.*s", (int)len, wanted);
		if (!has_token(cmdline, wanted, len)) {
			missing++;
			finding_add(search->findings, FINDING_PARAMETER_MISSING, token, token,
				    NULL);
		}
		wanted += len;
	}
	if (!missing && name)
		finding_add(search->findings, FINDING_LOADER_OK, "", name, NULL);
	else if (!missing)
		finding_add(search->findings, FINDING_LOADER_UNKNOWN, "", NULL);
}
