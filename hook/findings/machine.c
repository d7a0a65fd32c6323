// SPDX-License-Identifier: GPL-2.0-or-later
/* The checks of what the host is, and of what else its administrator has set; see health.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "early/cmdline.h"
#include "early/sysfs.h"
#include "findings/health.h"
#include "findings/recipes.h"
#include "ui/status.h"

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

static void check_cpu(struct health *health)
{
	static const char *const names[] = { "", "Intel VT-x", "AMD-V", "Arm" };
	bool is_x86 = false;
	int ret = sysfs_for_each_line(health->host->root.fd, PATH_CPUINFO, look_at_cpu, &is_x86);

	if (ret > 0)
		health_add(health, "cpu", RESULT_OK, NULL, NULL, "%s", names[ret]);
	else if (is_x86)
		health_add(health, "cpu", RESULT_WARNING, NULL,
			   "switch on VT-x or SVM in the firmware",
			   "neither vmx nor svm: no virtual machine can run fast here");
	else
		health_add(health, "cpu", RESULT_UNKNOWN, NULL, NULL,
			   "/" PATH_CPUINFO " says nothing");
}

static void check_iommu(struct health *health)
{
	static const char *const tables[] = {
		[IOMMU_TABLE_NONE] = "",
		[IOMMU_TABLE_DMAR] = "DMAR: Intel VT-d",
		[IOMMU_TABLE_IVRS] = "IVRS: AMD-Vi",
		[IOMMU_TABLE_IORT] = "IORT: Arm SMMU",
		[IOMMU_TABLE_TREE] = "a device tree, no ACPI",
	};
	const struct iommu *iommu = &health->host->iommu;
	char text[512], fix[512];

	host_iommu(health->host, text, sizeof(text), fix, sizeof(fix));
	if (iommu->table)
		health_add(health, "firmware", RESULT_OK, NULL, NULL, "%s", tables[iommu->table]);
	else if (iommu->state == IOMMU_ON)
		health_add(health, "firmware", RESULT_OK, NULL, NULL,
			   "an IOMMU without an ACPI table");
	else
		health_add(health, "firmware", RESULT_FAIL, NULL,
			   "switch on VT-d, AMD-Vi or SMMU in it", "no DMAR, IVRS or IORT table");

	if (iommu->state == IOMMU_ON)
		health_add(health, "kernel", RESULT_OK, NULL, NULL, "%s", text);
	else
		health_add(health, "kernel", RESULT_FAIL, NULL, fix, "%s", text);
}

static void check_kernel(struct health *health)
{
	if (!health->kernel)
		health_add(health, "kernel", RESULT_FAIL, NULL, "install a kernel package",
			   "no kernel in /lib/modules");
}

static bool is_unsafe(const struct health *health)
{
	static const char option[] = "allow_unsafe_interrupts=";
	const struct plan *plan = &health->host->plan;
	char text[8];

	if (sysfs_read(health->host->root.fd, PATH_UNSAFE, text, sizeof(text)) > 0 && *text == 'Y')
		return true;
	for (unsigned int i = 0; i < plan->modules; i++) {
		const char *value = strstr(plan->module[i].options, option);

		if (value && strchr("1yY", value[sizeof(option) - 1]))
			return true;
	}
	return false;
}

static void check_remapping(struct health *health)
{
	const struct iommu *iommu = &health->host->iommu;
	bool unsafe = is_unsafe(health);

	if (iommu->state != IOMMU_ON || !iommu_wants_remapping(iommu))
		return;
	if (iommu->has_remapping)
		health_add(health, "remapping", RESULT_OK, NULL, NULL, "interrupt remapping is on");
	else if (unsafe)
		health_add(health, "remapping", RESULT_WARNING, NULL,
			   "switch on x2APIC in the firmware, or look for an update of it",
			   "no interrupt remapping");
	else
		health_add(health, "remapping", RESULT_FAIL, NULL,
			   "switch on x2APIC in the firmware, or look for an update of it",
			   "no interrupt remapping: VMs are refused the device");
	if (unsafe)
		health_add(
			health, "unsafe-interrupts", RESULT_WARNING, NULL,
			iommu->has_remapping ? "remove it: this host remaps interrupts" :
					       "remove it once the firmware remaps interrupts",
			"allow_unsafe_interrupts is set: a guest may send the host any interrupt");
}

void health_machine(struct health *health)
{
	check_cpu(health);
	check_iommu(health);
	check_kernel(health);
	check_remapping(health);
}

/* --- the boot loader */

static const char *loader(const struct health *health, char *buf, size_t size)
{
	int rootfd = health->host->root.fd;
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

void health_loader(struct health *health)
{
	const char *cmdline = health->host->cmdline, *wanted = health->own.cmdline;
	char buf[64];
	const char *name = loader(health, buf, sizeof(buf));
	unsigned int missing = 0;

	if (cmdline_find(cmdline, "vfio_early", "off", NULL)) {
		health_add(health, "boot-loader", RESULT_FAIL, NULL,
			   "take it out of the kernel command line",
			   "vfio_early=off: this boot touched nothing");
		return;
	}
	if (cmdline_find(cmdline, "vfio_early", "dry-run", NULL)) {
		health_add(health, "boot-loader", RESULT_FAIL, NULL,
			   "take it out of the kernel command line",
			   "vfio_early=dry-run: this boot bound nothing");
		return;
	}
	if (strcmp(wanted, "auto") != 0 && strcmp(wanted, "none") != 0) {
		for (wanted += strspn(wanted, " \t"); *wanted; wanted += strspn(wanted, " \t")) {
			size_t len = strcspn(wanted, " \t");
			char token[128];

			snprintf(token, sizeof(token), "%.*s", (int)len, wanted);
			if (!has_token(cmdline, wanted, len)) {
				missing++;
				health_add(health, "boot-loader", RESULT_FAIL, token,
					   COMMAND_APPLY ", then reboot",
					   "this kernel was booted without %s", token);
			}
			wanted += len;
		}
	}
	if (!missing)
		health_add(health, "boot-loader", name ? RESULT_OK : RESULT_WARNING, NULL, NULL,
			   "%s",
			   name ? name :
				  "none that is known: its kernel command line is yours to keep");
}

/* --- old recipes */

static const char *const module_lists[] = { "etc/modules", "etc/initramfs-tools/modules" };
static const char module_dir[] = "etc/modules-load.d";

static int look_for_virqfd(const char *line, void *arg)
{
	(void)arg;
	line += strspn(line, " \t");
	return !strncmp(line, "vfio_virqfd", 11) || !strncmp(line, "vfio-virqfd", 11);
}

static int look_for_virqfd_file(const char *line, void *arg)
{
	(void)arg;
	return strstr(line, "/vfio_virqfd.ko") != NULL;
}

static void check_list(struct health *health, const char *path)
{
	char file[SYSFS_PATH_MAX + 1];

	if (sysfs_for_each_line(health->host->root.fd, path, look_for_virqfd, NULL) <= 0)
		return;
	snprintf(file, sizeof(file), "/%s", path);
	health_add(
		health, "virqfd", RESULT_WARNING, file, "remove that line",
		"vfio_virqfd is named, which kernel %s does not have (it is part of vfio since 6.2)",
		health->kernel);
}

static int check_list_of_dir(const char *name, void *arg)
{
	char path[SYSFS_PATH_MAX];

	sysfs_path(path, "%s/%s", module_dir, name);
	check_list(arg, path);
	return 0;
}

static void check_virqfd(struct health *health)
{
	char path[SYSFS_PATH_MAX];
	int rootfd = health->host->root.fd;

	if (!health->kernel)
		return;
	sysfs_path(path, "lib/modules/%s/modules.dep", health->kernel);
	if (sysfs_for_each_line(rootfd, path, look_for_virqfd_file, NULL))
		return; /* it is there, or it cannot be told */
	for (size_t i = 0; i < sizeof(module_lists) / sizeof(module_lists[0]); i++)
		check_list(health, module_lists[i]);
	sysfs_for_each(rootfd, module_dir, check_list_of_dir, health);
}

static void check_recipes(struct health *health)
{
	struct recipes recipes;

	if (recipes_find(&health->host->root, &recipes))
		health->no_memory = true;
	for (size_t i = 0; i < recipes.count; i++) {
		const struct recipe *recipe = &recipes.list[i];
		char where[512];

		/* What is needless is `import`'s to name; two have a check of their own. */
		if (recipe->harm == RECIPE_NEEDLESS || recipe->kind == RECIPE_VIRQFD ||
		    recipe->kind == RECIPE_UNSAFE)
			continue;
		snprintf(where, sizeof(where), recipe->line ? "%s:%u" : "%s", recipe->file,
			 recipe->line);
		health_add(health, "recipe",
			   recipe->harm == RECIPE_FIGHTS ? RESULT_FAIL : RESULT_WARNING, where,
			   recipe_fix(recipe), "%s: %s", recipe->text, recipe_why(recipe));
	}
	recipes_free(&recipes);
}

void health_recipes(struct health *health)
{
	check_recipes(health);
	check_virqfd(health);
}
