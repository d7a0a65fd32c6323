// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early status: one verdict, READY or NOT READY, and under it each check with its fix. READY
 * means: this boot did as the config says, and the next one will. Reads only, and needs no privilege:
 * what only root can see is said to be unknown, never taken for good or bad.
 */
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "early/cmdline.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "entries.h"
#include "host.h"
#include "inspect.h"
#include "kernels.h"
#include "message.h"
#include "options.h"
#include "output.h"
#include "recipes.h"

#define PATH_CPUINFO	  "proc/cpuinfo"
#define PATH_UNSAFE	  "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
#define PATH_PROXMOX_ESPS "etc/kernel/proxmox-boot-uuids"
#define PATH_OSRELEASE	  "proc/sys/kernel/osrelease"
/* systemd's Boot Loader Interface: "LoaderInfo" names the loader, in UTF-16. */
#define PATH_LOADER_INFO  "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

enum result {
	RESULT_OK,
	RESULT_WARNING, /* said, but no reason not to be READY */
	RESULT_FAIL,
	RESULT_UNKNOWN, /* only root could tell */
};

/* The names of checks and results are the schema of --json: see vfio-early(8) before a change. */
static const char *const result_names[] = {
	[RESULT_OK] = "ok",
	[RESULT_WARNING] = "warning",
	[RESULT_FAIL] = "fail",
	[RESULT_UNKNOWN] = "unknown",
};

struct check {
	const char *name;
	char *subject; /* an address, a kernel version, a file; or NULL */
	enum result result;
	char *text;
	char *fix; /* or NULL */
};

struct status {
	struct host *host;
	struct inspector inspector; /* has the config */
	struct plan own;	    /* the config as it is written: what no plan carries */
	char *kernel;		    /* the one that the next boot takes, as far as can be told */
	struct check *check;
	size_t checks;
	struct entries entries;
	unsigned int failed, unknown;
	bool no_memory;
};

/* --- the list */

__attribute__((format(printf, 6, 7))) static void add(struct status *status, const char *name,
						      enum result result, const char *subject,
						      const char *fix, const char *fmt, ...)
{
	struct check *list = realloc(status->check, (status->checks + 1) * sizeof(*list));
	struct check check = { .name = name, .result = result };
	va_list args;
	int ret;

	if (!list) {
		status->no_memory = true;
		return;
	}
	status->check = list;
	va_start(args, fmt);
	ret = vasprintf(&check.text, fmt, args);
	va_end(args);
	if (ret < 0)
		check.text = NULL;
	if (subject)
		check.subject = strdup(subject);
	if (fix)
		check.fix = strdup(fix);
	if (!check.text || (subject && !check.subject) || (fix && !check.fix))
		status->no_memory = true;
	status->check[status->checks++] = check;
	status->failed += result == RESULT_FAIL;
	status->unknown += result == RESULT_UNKNOWN;
}

/* --- the machine */

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

static void check_cpu(struct status *status)
{
	static const char *const names[] = { "", "Intel VT-x", "AMD-V", "Arm" };
	bool is_x86 = false;
	int ret = sysfs_for_each_line(status->host->root.fd, PATH_CPUINFO, look_at_cpu, &is_x86);

	if (ret > 0)
		add(status, "cpu", RESULT_OK, NULL, NULL, "%s", names[ret]);
	else if (is_x86)
		add(status, "cpu", RESULT_WARNING, NULL, "switch on VT-x or SVM in the firmware",
		    "neither vmx nor svm: no virtual machine can run fast here");
	else
		add(status, "cpu", RESULT_UNKNOWN, NULL, NULL, "/" PATH_CPUINFO " says nothing");
}

static void check_iommu(struct status *status)
{
	static const char *const tables[] = {
		[IOMMU_TABLE_NONE] = "",
		[IOMMU_TABLE_DMAR] = "DMAR: Intel VT-d",
		[IOMMU_TABLE_IVRS] = "IVRS: AMD-Vi",
		[IOMMU_TABLE_IORT] = "IORT: Arm SMMU",
	};
	const struct iommu *iommu = &status->host->iommu;
	char text[512], fix[512];

	host_iommu(status->host, text, sizeof(text), fix, sizeof(fix));
	if (iommu->table)
		add(status, "firmware", RESULT_OK, NULL, NULL, "%s", tables[iommu->table]);
	else if (iommu->state == IOMMU_ON)
		add(status, "firmware", RESULT_OK, NULL, NULL, "an IOMMU without an ACPI table");
	else
		add(status, "firmware", RESULT_FAIL, NULL, "switch on VT-d, AMD-Vi or SMMU in it",
		    "no DMAR, IVRS or IORT table");

	if (iommu->state == IOMMU_ON)
		add(status, "kernel", RESULT_OK, NULL, NULL, "%s", text);
	else
		add(status, "kernel", RESULT_FAIL, NULL, fix, "%s", text);
}

static void check_kernel(struct status *status)
{
	if (!status->kernel)
		add(status, "kernel", RESULT_FAIL, NULL, "install a kernel package",
		    "no kernel in /lib/modules");
}

static bool is_unsafe(const struct status *status)
{
	static const char option[] = "allow_unsafe_interrupts=";
	const struct plan *plan = &status->host->plan;
	char text[8];

	if (sysfs_read(status->host->root.fd, PATH_UNSAFE, text, sizeof(text)) > 0 && *text == 'Y')
		return true;
	for (unsigned int i = 0; i < plan->modules; i++) {
		const char *value = strstr(plan->module[i].options, option);

		if (value && strchr("1yY", value[sizeof(option) - 1]))
			return true;
	}
	return false;
}

static void check_remapping(struct status *status)
{
	const struct iommu *iommu = &status->host->iommu;
	bool unsafe = is_unsafe(status);

	if (iommu->state != IOMMU_ON || !iommu_wants_remapping(iommu))
		return;
	if (iommu->has_remapping)
		add(status, "remapping", RESULT_OK, NULL, NULL, "interrupt remapping is on");
	else if (unsafe)
		add(status, "remapping", RESULT_WARNING, NULL,
		    "switch on x2APIC in the firmware, or look for an update of it",
		    "no interrupt remapping");
	else
		add(status, "remapping", RESULT_FAIL, NULL,
		    "switch on x2APIC in the firmware, or look for an update of it",
		    "no interrupt remapping: VMs are refused the device");
	if (unsafe)
		add(status, "unsafe-interrupts", RESULT_WARNING, NULL,
		    iommu->has_remapping ? "remove it: this host remaps interrupts" :
					   "remove it once the firmware remaps interrupts",
		    "allow_unsafe_interrupts is set: a guest may send the host any interrupt");
}

/* --- the config and what the next boot makes of it */

static void check_groups(struct status *status)
{
	struct host *host = status->host;
	unsigned int taken = 0, bad = 0;

	for (size_t i = 0; i < host->count; i++) {
		struct host_function *fn = &host->fn[i];
		enum host_next next = host_next(host, fn);
		char addr[PCI_ADDRESS_SIZE], region[64];
		int group;

		if (next != HOST_NEXT_VFIO && next != HOST_NEXT_CROWDS)
			continue;
		group = host_group(host, fn);
		pci_address_format(&fn->pci.addr, addr);
		if (next == HOST_NEXT_CROWDS) {
			bad++;
			add(status, "groups", RESULT_FAIL, addr,
			    "name it too (vfio-early add --group), or set group claim",
			    "shares group %d with what is bound, so no VM gets that", group);
			continue;
		}
		taken++;
		if (host_has_rmrr(host, group, region, sizeof(region))) {
			bad++;
			add(status, "groups", RESULT_FAIL, addr,
			    "look for an option in the firmware (shared memory, USB legacy)",
			    "the firmware keeps memory of group %d for itself (%s): no VM gets it",
			    group, region);
		}
	}
	if (taken && !bad)
		add(status, "groups", RESULT_OK, NULL, NULL, "%u function%s, each group whole",
		    taken, taken == 1 ? "" : "s");
}

static const char *loader(const struct status *status, char *buf, size_t size)
{
	int rootfd = status->host->root.fd;
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

static void check_loader(struct status *status)
{
	const char *cmdline = status->host->cmdline, *wanted = status->own.cmdline;
	char buf[64];
	const char *name = loader(status, buf, sizeof(buf));
	unsigned int missing = 0;

	if (cmdline_find(cmdline, "vfio_early", "off", NULL)) {
		add(status, "boot-loader", RESULT_FAIL, NULL,
		    "take it out of the kernel command line",
		    "vfio_early=off: this boot touched nothing");
		return;
	}
	if (cmdline_find(cmdline, "vfio_early", "dry-run", NULL)) {
		add(status, "boot-loader", RESULT_FAIL, NULL,
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
				add(status, "boot-loader", RESULT_FAIL, token,
				    COMMAND_APPLY ", then reboot",
				    "this kernel was booted without %s", token);
			}
			wanted += len;
		}
	}
	if (!missing)
		add(status, "boot-loader", name ? RESULT_OK : RESULT_WARNING, NULL, NULL, "%s",
		    name ? name : "none that is known: its kernel command line is yours to keep");
}

static void check_verdict(struct status *status, const struct host_function *fn)
{
	const struct host *host = status->host;
	enum host_next next = host_next(host, fn);
	const struct verdict *verdict;
	char addr[PCI_ADDRESS_SIZE], why[512];

	if (next != HOST_NEXT_REFUSED && next != HOST_NEXT_HELD)
		return;
	verdict = &host->decisions.verdict[fn->place];
	host_why(host, fn, why, sizeof(why));
	pci_address_format(&fn->pci.addr, addr);
	/* These two are what the administrator asked for. */
	if (verdict->reason == REASON_EXCEPT || verdict->reason == REASON_BOOT_VGA)
		return;
	add(status, "config", RESULT_FAIL, addr,
	    verdict->reason == REASON_PROTECTED ? "vfio-early remove, or bind! if that is meant" :
						  "vfio-early check says more",
	    "the next boot refuses it: %s", why);
}

static void check_config(struct status *status)
{
	const struct plan *plan = &status->host->plan;
	unsigned int before = status->failed;

	for (unsigned int i = 0; i < plan->losts; i++)
		add(status, "config", RESULT_FAIL, NULL, "correct it, then " COMMAND_APPLY,
		    "left out: %s", plan->lost[i]);
	if (status->host->is_undone)
		add(status, "config", RESULT_FAIL, NULL, COMMAND_APPLY,
		    "vfio-early undo was the last word: nothing is handed over");
	else if (!plan->binds)
		add(status, "config", RESULT_FAIL, NULL, "vfio-early add ADDRESS",
		    "no bind line: nothing is handed over");
	for (size_t i = 0; i < status->host->count; i++)
		check_verdict(status, &status->host->fn[i]);
	for (unsigned int i = 0; i < plan->binds; i++)
		if (!status->host->decisions.matched[i])
			add(status, "config", RESULT_FAIL, plan->bind[i].text,
			    "vfio-early list -a names what there is",
			    "no function answers to this bind line");
	if (status->failed == before)
		add(status, "config", RESULT_OK, NULL, NULL, "%u bind line%s", plan->bind_lines,
		    plan->bind_lines == 1 ? "" : "s");
}

/* --- the images */

static void check_unreadable(struct status *status, const struct kernel *kernel,
			     const struct inspection *image)
{
	if (image->time < status->inspector.config_time)
		add(status, "image", RESULT_FAIL, kernel->version, COMMAND_APPLY,
		    "/%s is older than the config", kernel->image);
	else
		add(status, "image", RESULT_UNKNOWN, kernel->version, "run it as root",
		    "/%s cannot be read by you; it is newer than the config", kernel->image);
}

static void check_image(struct status *status, const struct kernel *kernel)
{
	struct inspection image;

	if (inspect_image(&status->inspector, status->host->root.fd, kernel->image, kernel->version,
			  &image))
		status->no_memory = true;
	switch (image.state) {
	case INSPECT_MISSING:
		add(status, "image", RESULT_FAIL, kernel->version, COMMAND_APPLY,
		    "no image: there is no /%s", kernel->image);
		break;
	case INSPECT_UNREADABLE:
		check_unreadable(status, kernel, &image);
		break;
	case INSPECT_DAMAGED:
		add(status, "image", RESULT_FAIL, kernel->version, COMMAND_APPLY,
		    "/%s is damaged: %s", kernel->image, image.wrongs ? image.wrong[0] : "");
		break;
	case INSPECT_WRONG:
		for (size_t i = 0; i < image.wrongs; i++)
			add(status, "image", RESULT_FAIL, kernel->version, COMMAND_APPLY, "%s",
			    image.wrong[i]);
		break;
	case INSPECT_GOOD:
		add(status, "image", RESULT_OK, kernel->version, NULL, "%s",
		    inspect_summary(&status->inspector));
		break;
	}
	inspect_free(&image);
}

static void check_images(struct status *status)
{
	struct kernels kernels;
	int ret = kernels_find(&status->host->root, &kernels);

	if (ret == -ENOMEM)
		status->no_memory = true;
	else if (ret)
		add(status, "image", RESULT_UNKNOWN, NULL, "run it as root",
		    "/" KERNELS_BOOT ": %s", strerror(-ret));
	else if (!kernels.count)
		add(status, "image", RESULT_UNKNOWN, NULL, NULL,
		    "no kernel in /" KERNELS_BOOT ": its image cannot be found");
	for (size_t i = 0; i < kernels.count; i++)
		check_image(status, &kernels.list[i]);
	kernels_free(&kernels);
}

/* --- this boot */

static int look_for_digest(const char *line, void *arg)
{
	static const char key[] = "config sha256:";

	if (strncmp(line, key, sizeof(key) - 1) != 0)
		return 0;
	return strcmp(line + sizeof(key) - 1, arg) ? 1 : 2;
}

static bool is_wanted_refusal(const struct entry *entry)
{
	return !strcmp(entry->reason, "in except") || strstr(entry->reason, "(boot-vga keep)");
}

/* What the boot did with it, and who has it now. */
static void check_entry(struct status *status, const struct entry *entry)
{
	char now[PCI_DRIVER_SIZE];
	struct pci_address addr;
	struct pci_function fn;

	if (!strcmp(entry->result, "refused") && is_wanted_refusal(entry))
		return;
	if (strcmp(entry->result, "bound") != 0 && strcmp(entry->result, "kept") != 0) {
		add(status, "boot", RESULT_FAIL, entry->subject, "vfio-early log says more",
		    "%s%s%s%s%s", entry->result, *entry->driver ? ", on " : "", entry->driver,
		    *entry->reason ? ": " : "", entry->reason);
		return;
	}
	if (pci_address_parse(entry->subject, &addr))
		return;
	if (pci_read(status->host->root.fd, &addr, &fn)) {
		add(status, "device", RESULT_FAIL, entry->subject,
		    "echo 1 > /sys/bus/pci/rescan, or reboot", "it was bound, and is gone now");
		return;
	}
	if (pci_read_driver(status->host->root.fd, &addr, now))
		now[0] = '\0';
	if (!strcmp(now, entry->driver))
		add(status, "device", RESULT_OK, entry->subject, NULL, "on %s", now);
	else
		add(status, "device", RESULT_FAIL, entry->subject,
		    "find out who did it (virsh, driverctl, a hook script of a VM); a reboot undoes "
		    "it",
		    "something rebound it since the boot: was on %s, now %s%s", entry->driver,
		    *now ? "on " : "without a driver", now);
}

static void check_boot(struct status *status)
{
	struct host *host = status->host;
	unsigned int bad = status->failed;
	int ret = entries_read(host->root.fd, &status->entries);
	int plan = sysfs_for_each_line(host->root.fd, PATH_RUN_PLAN, look_for_digest,
				       status->inspector.config.digest);

	if (ret == -ENOMEM) {
		status->no_memory = true;
		return;
	}
	if (ret && !host->plan.binds)
		return;
	if (ret == -ENOENT) {
		add(status, "boot", RESULT_FAIL, NULL, COMMAND_APPLY ", then reboot",
		    "vfio-early did not run at this boot");
		return;
	}
	if (ret) {
		add(status, "boot", RESULT_UNKNOWN, NULL, "run it as root",
		    "/" PATH_RUN_REPORT ": %s", strerror(-ret));
		return;
	}
	if (plan == 1)
		add(status, "boot", RESULT_FAIL, NULL, COMMAND_APPLY ", then reboot",
		    "the config was changed since this boot");
	for (size_t i = 0; i < status->entries.count; i++)
		check_entry(status, &status->entries.list[i]);
	for (size_t i = 0; i < host->count; i++) {
		char addr[PCI_ADDRESS_SIZE];

		pci_address_format(&host->fn[i].pci.addr, addr);
		if (plan != 1 && host_next(host, &host->fn[i]) == HOST_NEXT_VFIO &&
		    !entries_find(&status->entries, addr))
			add(status, "boot", RESULT_FAIL, addr, COMMAND_APPLY ", then reboot",
			    "this boot did not know of it");
	}
	if (status->failed == bad)
		add(status, "boot", RESULT_OK, NULL, NULL, "all as configured");
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

static void check_list(struct status *status, const char *path)
{
	char file[SYSFS_PATH_MAX + 1];

	if (sysfs_for_each_line(status->host->root.fd, path, look_for_virqfd, NULL) <= 0)
		return;
	snprintf(file, sizeof(file), "/%s", path);
	add(status, "virqfd", RESULT_WARNING, file, "remove that line",
	    "vfio_virqfd is named, which kernel %s does not have (it is part of vfio since 6.2)",
	    status->kernel);
}

static int check_list_of_dir(const char *name, void *arg)
{
	char path[SYSFS_PATH_MAX];

	sysfs_path(path, "%s/%s", module_dir, name);
	check_list(arg, path);
	return 0;
}

static void check_virqfd(struct status *status)
{
	char path[SYSFS_PATH_MAX];
	int rootfd = status->host->root.fd;

	if (!status->kernel)
		return;
	sysfs_path(path, "lib/modules/%s/modules.dep", status->kernel);
	if (sysfs_for_each_line(rootfd, path, look_for_virqfd_file, NULL))
		return; /* it is there, or it cannot be told */
	for (size_t i = 0; i < sizeof(module_lists) / sizeof(module_lists[0]); i++)
		check_list(status, module_lists[i]);
	sysfs_for_each(rootfd, module_dir, check_list_of_dir, status);
}

static void check_recipes(struct status *status)
{
	struct recipes recipes;

	if (recipes_find(&status->host->root, &recipes))
		status->no_memory = true;
	for (size_t i = 0; i < recipes.count; i++) {
		const struct recipe *recipe = &recipes.list[i];
		char where[512];

		/* What is needless is `import`'s to name; two have a check of their own. */
		if (recipe->harm == RECIPE_NEEDLESS || recipe->kind == RECIPE_VIRQFD ||
		    recipe->kind == RECIPE_UNSAFE)
			continue;
		snprintf(where, sizeof(where), recipe->line ? "%s:%u" : "%s", recipe->file,
			 recipe->line);
		add(status, "recipe", recipe->harm == RECIPE_FIGHTS ? RESULT_FAIL : RESULT_WARNING,
		    where, recipe_fix(recipe), "%s: %s", recipe->text, recipe_why(recipe));
	}
	recipes_free(&recipes);
}

/* --- printing */

static bool is_ready(const struct status *status)
{
	return !status->failed;
}

static int print_json(const struct status *status)
{
	struct json_object *top = json_object_new_object(), *checks = json_object_new_array();

	json_object_object_add(top, "schema", json_object_new_int(1));
	json_object_object_add(top, "version", json_object_new_string(VERSION));
	json_object_object_add(top, "ready", json_object_new_boolean(is_ready(status)));
	json_object_object_add(top, "kernel",
			       status->kernel ? json_object_new_string(status->kernel) : NULL);
	for (size_t i = 0; i < status->checks; i++) {
		const struct check *check = &status->check[i];
		struct json_object *item = json_object_new_object();

		json_object_object_add(item, "check", json_object_new_string(check->name));
		json_object_object_add(item, "result",
				       json_object_new_string(result_names[check->result]));
		json_object_object_add(item, "subject",
				       check->subject ? json_object_new_string(check->subject) :
							NULL);
		json_object_object_add(item, "text", json_object_new_string(check->text));
		json_object_object_add(item, "fix",
				       check->fix ? json_object_new_string(check->fix) : NULL);
		json_object_array_add(checks, item);
	}
	json_object_object_add(top, "checks", checks);
	return output_json(top);
}

static void print_text(const struct status *status, const struct output *output)
{
	static const enum output_mark marks[] = {
		[RESULT_OK] = OUTPUT_GOOD,
		[RESULT_WARNING] = OUTPUT_WARN,
		[RESULT_FAIL] = OUTPUT_BAD,
		[RESULT_UNKNOWN] = OUTPUT_DIM,
	};
	enum output_mark verdict = is_ready(status) ? OUTPUT_GOOD : OUTPUT_BAD;
	const unsigned int column = 29; /* where the texts begin */

	printf("%s%s%s\n", output_on(output, verdict), is_ready(status) ? "READY" : "NOT READY",
	       output_off(output, verdict));
	for (size_t i = 0; i < status->checks; i++) {
		const struct check *check = &status->check[i];
		enum output_mark mark = marks[check->result];
		char line[1024];

		printf("%s%-8s%s %-19s ", output_on(output, mark), result_names[check->result],
		       output_off(output, mark), check->name);
		snprintf(line, sizeof(line), "%s%s%s", check->subject ? check->subject : "",
			 check->subject ? ": " : "", check->text);
		output_fold(output, column, line);
		if (check->fix) {
			printf("%*s", (int)column, "");
			snprintf(line, sizeof(line), "fix: %s", check->fix);
			output_fold(output, column, line);
		}
	}
	if (status->unknown && geteuid())
		puts("Run as root, it would also look at what is marked unknown.");
}

static int print(const struct status *status, const struct output *output)
{
	if (status->no_memory) {
		message_errno(-ENOMEM, "cannot tell whether all is well");
		return COMMAND_NOTHING;
	}
	if (output->format == OUTPUT_JSON) {
		if (print_json(status))
			return COMMAND_NOTHING;
	} else {
		print_text(status, output);
	}
	if (output_finish())
		return COMMAND_NOTHING;
	return is_ready(status) ? COMMAND_OK : COMMAND_INCOMPLETE;
}

/* --- the whole */

/* Wrong lines were said when the plan was compiled; here they are merely left out. */
static int read_config(struct status *status)
{
	int ret = inspect_open(status->host, &status->inspector);
	struct config *config = &status->inspector.config;
	struct plan_errors errors = { 0 };

	plan_init(&status->own);
	for (size_t i = 0; i < config->files && !ret; i++)
		plan_parse(&status->own, config->file[i].cut, config->file[i].size, PLAN_CONFIG,
			   &errors);
	return ret;
}

static void check_all(struct status *status)
{
	check_cpu(status);
	check_iommu(status);
	check_kernel(status);
	check_remapping(status);
	check_groups(status);
	check_loader(status);
	check_config(status);
	check_images(status);
	check_boot(status);
	check_recipes(status);
	check_virqfd(status);
}

static int run(struct status *status, const struct options *opts)
{
	int ret = host_open(opts->root, &status->host);

	if (ret)
		return COMMAND_NOTHING;
	host_kernel(&status->host->root, &status->kernel);
	ret = host_decide(status->host, status->kernel);
	if (!ret)
		ret = read_config(status);
	if (ret)
		return COMMAND_NOTHING;
	check_all(status);
	return print(status, &opts->output);
}

int command_status(int argc, char **argv)
{
	static const struct options_spec spec = {
		.usage = "status [OPTION...]",
		.about = "Is all as configured, and will it be after the next boot? READY or NOT "
			 "READY, and\nunder it each check with its fix.\n",
		.common = OPTIONS_READING,
		.end = "Exit status: 0 READY, 1 NOT READY, 2 usage, 3 cannot be read.\n",
	};
	static struct status status;
	struct options opts;
	int ret;

	options_init(&opts, &spec);
	while ((ret = options_next(&opts, argc, argv)) != OPTIONS_DONE)
		if (ret == OPTIONS_EXIT)
			return opts.status;
	ret = options_no_arguments(&opts, argc, argv);
	if (ret)
		return ret;

	ret = run(&status, &opts);
	for (size_t i = 0; i < status.checks; i++) {
		free(status.check[i].subject);
		free(status.check[i].text);
		free(status.check[i].fix);
	}
	free(status.check);
	entries_free(&status.entries);
	free(status.kernel);
	inspect_close(&status.inspector);
	host_close(status.host);
	return ret;
}
