// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of checks, and those of the config, the images and this boot; see health.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/paths.h"
#include "early/sysfs.h"
#include "findings/health.h"
#include "image/kernels.h"
#include "ui/status.h"
#include "util/message.h"

#define PATH_OSRELEASE "proc/sys/kernel/osrelease"

void health_add(struct health *health, const char *name, enum result result, const char *subject,
		const char *fix, const char *fmt, ...)
{
	struct check *list = realloc(health->check, (health->checks + 1) * sizeof(*list));
	struct check check = { .name = name, .result = result };
	va_list args;
	int ret;

	if (!list) {
		health->no_memory = true;
		return;
	}
	health->check = list;
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
		health->no_memory = true;
	health->check[health->checks++] = check;
	health->failed += result == RESULT_FAIL;
	health->unknown += result == RESULT_UNKNOWN;
}

/* --- the config and what the next boot makes of it */

static void check_groups(struct health *health)
{
	struct host *host = health->host;
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
			health_add(health, "groups", RESULT_FAIL, addr,
				   "name it too (vfio-early add --group), or set group claim",
				   "shares group %d with what is bound, so no VM gets that", group);
			continue;
		}
		taken++;
		if (host_has_rmrr(host, group, region, sizeof(region))) {
			bad++;
			health_add(
				health, "groups", RESULT_FAIL, addr,
				"look for an option in the firmware (shared memory, USB legacy)",
				"the firmware keeps memory of group %d for itself (%s): no VM gets it",
				group, region);
		}
	}
	if (taken && !bad)
		health_add(health, "groups", RESULT_OK, NULL, NULL,
			   "%u function%s, each group whole", taken, taken == 1 ? "" : "s");
}
static void check_verdict(struct health *health, const struct host_function *fn)
{
	const struct host *host = health->host;
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
	health_add(health, "config", RESULT_FAIL, addr,
		   verdict->reason == REASON_PROTECTED ?
			   "vfio-early remove, or bind! if that is meant" :
			   "vfio-early check says more",
		   "the next boot refuses it: %s", why);
}

static void check_config(struct health *health)
{
	const struct plan *plan = &health->host->plan;
	unsigned int before = health->failed;

	for (unsigned int i = 0; i < plan->losts; i++)
		health_add(health, "config", RESULT_FAIL, NULL, "correct it, then " COMMAND_APPLY,
			   "left out: %s", plan->lost[i]);
	if (health->host->is_undone)
		health_add(health, "config", RESULT_FAIL, NULL, COMMAND_APPLY,
			   "vfio-early undo was the last word: nothing is handed over");
	else if (!plan->binds)
		health_add(health, "config", RESULT_FAIL, NULL, "vfio-early add ADDRESS",
			   "no bind line: nothing is handed over");
	for (size_t i = 0; i < health->host->count; i++)
		check_verdict(health, &health->host->fn[i]);
	for (unsigned int i = 0; i < plan->binds; i++)
		if (!health->host->decisions.matched[i])
			health_add(health, "config", RESULT_FAIL, plan->bind[i].text,
				   "vfio-early list -a names what there is",
				   "no function answers to this bind line");
	if (health->failed == before)
		health_add(health, "config", RESULT_OK, NULL, NULL, "%u bind line%s",
			   plan->bind_lines, plan->bind_lines == 1 ? "" : "s");
}
/* --- the images */

static void check_unreadable(struct health *health, const struct kernel *kernel,
			     const struct inspection *image)
{
	if (image->time < health->inspector.config_time)
		health_add(health, "image", RESULT_FAIL, kernel->version, COMMAND_APPLY,
			   "/%s is older than the config", kernel->image);
	else
		health_add(health, "image", RESULT_UNKNOWN, kernel->version, "run it as root",
			   "/%s cannot be read by you; it is newer than the config", kernel->image);
}

static void check_image(struct health *health, const struct kernel *kernel)
{
	struct inspection image;

	if (inspect_image(&health->inspector, health->host->root.fd, kernel->image, kernel->version,
			  &image))
		health->no_memory = true;
	switch (image.state) {
	case INSPECT_MISSING:
		health_add(health, "image", RESULT_FAIL, kernel->version, COMMAND_APPLY,
			   "no image: there is no /%s", kernel->image);
		break;
	case INSPECT_UNREADABLE:
		check_unreadable(health, kernel, &image);
		break;
	case INSPECT_DAMAGED:
		health_add(health, "image", RESULT_FAIL, kernel->version, COMMAND_APPLY,
			   "/%s is damaged: %s", kernel->image, image.wrongs ? image.wrong[0] : "");
		break;
	case INSPECT_WRONG:
		for (size_t i = 0; i < image.wrongs; i++)
			health_add(health, "image", RESULT_FAIL, kernel->version, COMMAND_APPLY,
				   "%s", image.wrong[i]);
		break;
	case INSPECT_GOOD:
		health_add(health, "image", RESULT_OK, kernel->version, NULL, "%s",
			   inspect_summary(&health->inspector));
		break;
	}
	inspect_free(&image);
}

static void check_images(struct health *health)
{
	struct kernels kernels;
	int ret = kernels_find(&health->host->root, &kernels);

	if (ret == -ENOMEM)
		health->no_memory = true;
	else if (ret)
		health_add(health, "image", RESULT_UNKNOWN, NULL, "run it as root",
			   "/" KERNELS_BOOT ": %s", strerror(-ret));
	else if (!kernels.count)
		health_add(health, "image", RESULT_UNKNOWN, NULL, NULL,
			   "no kernel in /" KERNELS_BOOT ": its image cannot be found");
	for (size_t i = 0; i < kernels.count; i++)
		check_image(health, &kernels.list[i]);
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
static void check_entry(struct health *health, const struct entry *entry)
{
	char now[PCI_DRIVER_SIZE];
	struct pci_address addr;
	struct pci_function fn;

	if (!strcmp(entry->result, "refused") && is_wanted_refusal(entry))
		return;
	if (strcmp(entry->result, "bound") != 0 && strcmp(entry->result, "kept") != 0) {
		health_add(health, "boot", RESULT_FAIL, entry->subject, "vfio-early log says more",
			   "%s%s%s%s%s", entry->result, *entry->driver ? ", on " : "",
			   entry->driver, *entry->reason ? ": " : "", entry->reason);
		return;
	}
	if (pci_address_parse(entry->subject, &addr))
		return;
	if (pci_read(health->host->root.fd, &addr, &fn)) {
		health_add(health, "device", RESULT_FAIL, entry->subject,
			   "echo 1 > /sys/bus/pci/rescan, or reboot",
			   "it was bound, and is gone now");
		return;
	}
	if (pci_read_driver(health->host->root.fd, &addr, now))
		now[0] = '\0';
	if (!strcmp(now, entry->driver))
		health_add(health, "device", RESULT_OK, entry->subject, NULL, "on %s", now);
	else
		health_add(
			health, "device", RESULT_FAIL, entry->subject,
			"find out who did it (virsh, driverctl, a hook script of a VM); a reboot undoes "
			"it",
			"something rebound it since the boot: was on %s, now %s%s", entry->driver,
			*now ? "on " : "without a driver", now);
}

static void check_boot(struct health *health)
{
	struct host *host = health->host;
	unsigned int bad = health->failed;
	int ret = entries_read(host->root.fd, &health->entries);
	int plan = sysfs_for_each_line(host->root.fd, PATH_RUN_PLAN, look_for_digest,
				       health->inspector.config.digest);

	if (ret == -ENOMEM) {
		health->no_memory = true;
		return;
	}
	if (ret && !host->plan.binds)
		return;
	if (ret == -ENOENT) {
		health_add(health, "boot", RESULT_FAIL, NULL, COMMAND_APPLY ", then reboot",
			   "vfio-early did not run at this boot");
		return;
	}
	if (ret) {
		health_add(health, "boot", RESULT_UNKNOWN, NULL, "run it as root",
			   "/" PATH_RUN_REPORT ": %s", strerror(-ret));
		return;
	}
	if (plan == 1)
		health_add(health, "boot", RESULT_FAIL, NULL, COMMAND_APPLY ", then reboot",
			   "the config was changed since this boot");
	for (size_t i = 0; i < health->entries.count; i++)
		check_entry(health, &health->entries.list[i]);
	for (size_t i = 0; i < host->count; i++) {
		char addr[PCI_ADDRESS_SIZE];

		pci_address_format(&host->fn[i].pci.addr, addr);
		if (plan != 1 && host_next(host, &host->fn[i]) == HOST_NEXT_VFIO &&
		    !entries_find(&health->entries, addr))
			health_add(health, "boot", RESULT_FAIL, addr, COMMAND_APPLY ", then reboot",
				   "this boot did not know of it");
	}
	if (health->failed == bad)
		health_add(health, "boot", RESULT_OK, NULL, NULL, "all as configured");
}

/* --- the whole */

/* Wrong lines were said when the plan was compiled; here they are merely left out. */
static int read_config(struct health *health)
{
	int ret = inspect_open(health->host, &health->inspector);
	struct config *config = &health->inspector.config;
	struct plan_errors errors = { 0 };

	plan_init(&health->own);
	for (size_t i = 0; i < config->files && !ret; i++)
		plan_parse(&health->own, config->file[i].cut, config->file[i].size, PLAN_CONFIG,
			   &errors);
	return ret;
}

int health_collect(struct host *host, struct health *health)
{
	int ret;

	*health = (struct health){ .host = host };
	host_kernel(&host->root, &health->kernel);
	ret = host_decide(host, health->kernel);
	if (!ret)
		ret = read_config(health);
	if (ret)
		return ret;
	health_machine(health);
	check_groups(health);
	health_loader(health);
	check_config(health);
	check_images(health);
	check_boot(health);
	health_recipes(health);
	return health->no_memory ? message_errno(-ENOMEM, "cannot tell whether all is well") : 0;
}

void health_free(struct health *health)
{
	for (size_t i = 0; i < health->checks; i++) {
		free(health->check[i].subject);
		free(health->check[i].text);
		free(health->check[i].fix);
	}
	free(health->check);
	entries_free(&health->entries);
	free(health->kernel);
	inspect_close(&health->inspector);
}
