// SPDX-License-Identifier: GPL-2.0-or-later
/* The images, and what this boot did; see findings.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "early/code.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "findings/find.h"
#include "plan/plan.h"
#include "host/boot_report.h"
#include "host/next_boot.h"
#include "image/inspect.h"
#include "image/kernels.h"
#include "ui/status.h"
#include "util/file.h"

/* --- the images */

static bool is_about_facts(const struct inspect_remark *remark)
{
	return !strcmp(remark->code, code_name(REASON_FACTS));
}

static void add_wrong(struct search *search, const struct inspection *image, const char *version)
{
	for (size_t i = 0; i < image->wrongs; i++) {
		const struct finding_words words = {
			.code = image->wrong[i].code,
			.topic = "image",
			.stage = FINDING_STAGE_IMAGE,
			.level = FINDING_BLOCKS,
			.text = image->wrong[i].text,
			.fix = image->is_unknown_here && is_about_facts(&image->wrong[i]) ?
				       COMMAND_THERE FIX_IMAGES :
				       FIX_IMAGES,
		};

		finding_add_words(search->findings, &words, version);
	}
}

static void find_image(struct search *search, const struct inspector *inspector,
		       const struct kernel *kernel)
{
	struct findings *findings = search->findings;
	struct inspection image;

	if (inspect_image(inspector, &search->host->root, kernel->image, kernel->version, &image))
		findings->failed = true;
	switch (image.state) {
	case INSPECT_MISSING:
		finding_add(findings, FINDING_IMAGE_MISSING, kernel->version, kernel->image, NULL);
		break;
	case INSPECT_UNREADABLE:
		finding_add(findings,
			    image.time < inspector->config_time ? FINDING_IMAGE_OLD :
								  FINDING_IMAGE_UNREADABLE,
			    kernel->version, kernel->image, NULL);
		break;
	case INSPECT_DAMAGED:
		finding_add(findings, FINDING_IMAGE_DAMAGED, kernel->version, kernel->image,
			    image.wrongs ? image.wrong[0].text : "", NULL);
		break;
	case INSPECT_UNSUPPORTED:
		finding_add(findings, FINDING_IMAGE_UNSUPPORTED, kernel->version, kernel->image,
			    image.wrongs ? image.wrong[0].text : "", NULL);
		break;
	case INSPECT_WRONG:
		add_wrong(search, &image, kernel->version);
		break;
	case INSPECT_GOOD:
		finding_add(findings, FINDING_IMAGE_OK, kernel->version, inspect_summary(inspector),
			    NULL);
		break;
	}
	inspect_free(&image);
}

static void find_kernels(struct search *search, const struct inspector *inspector)
{
	struct kernels kernels;
	int ret = kernels_find(&search->host->root, &kernels);

	if (ret == -ENOMEM)
		search->findings->failed = true;
	else if (ret)
		finding_add(search->findings, FINDING_BOOT_UNREADABLE, "", strerror(-ret), NULL);
	else if (!kernels.count)
		finding_add(search->findings, FINDING_NO_BOOT_KERNEL, "", NULL);
	for (size_t i = 0; i < kernels.count; i++)
		find_image(search, inspector, &kernels.list[i]);
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

/*
 * Was it refused because the config says so? If an earlier version wrote the report without codes,
 * the current config decides.
 */
static bool is_wanted_refusal(const struct host *host, const struct boot_report_entry *entry)
{
	const struct host_function *fn;
	struct pci_address addr;
	enum reason reason;

	if (strcmp(entry->result, code_report_name(REPORT_REFUSED)) != 0)
		return false;
	if (!code_find(entry->why, &reason)) {
		fn = pci_address_parse(entry->subject, &addr) ? NULL : host_find(host, &addr);
		if (!fn || fn->place == DECIDE_NO_INDEX)
			return false;
		reason = host->decisions.verdict[fn->place].reason;
	}
	return reason == REASON_EXCEPT || reason == REASON_BOOT_VGA;
}

/* A constant, as a finding wants it. */
static const char *code_of(const struct boot_report_entry *entry)
{
	enum reason reason;

	return code_find(entry->why, &reason) ? code_name(reason) : "boot-not-bound";
}

static void add_not_bound(struct search *search, const struct boot_report_entry *entry)
{
	char text[700], fix[256];
	enum reason reason;
	const struct finding_words words = {
		.code = code_of(entry),
		.topic = "boot",
		.stage = FINDING_STAGE_BOOT,
		.level = FINDING_BLOCKS,
		.text = text,
		.fix = fix,
	};

	snprintf(fix, sizeof(fix), "vfio-early log says more");
	/* The kernel's own words for it are nowhere else. */
	if (code_find(entry->why, &reason) && (reason == REASON_UNBIND || reason == REASON_BIND))
		snprintf(fix, sizeof(fix), "dmesg | grep %s has the driver's message",
			 entry->subject);

	snprintf(text, sizeof(text), "%s%s%s%s%s", entry->result, *entry->driver ? ", on " : "",
		 entry->driver, *entry->reason ? ": " : "", entry->reason);
	finding_add_words(search->findings, &words, entry->subject);
}

static bool has_result(const struct boot_report_entry *entry, enum report_result result)
{
	return !strcmp(entry->result, code_report_name(result));
}

/*
 * A failed detach of a function that no line names is not a problem: it is with the host, as the
 * config says. Unless its driver is stuck.
 */
static bool is_none_of_config(const struct host *host, const struct boot_report_entry *entry)
{
	const struct host_function *fn;
	struct pci_address addr;

	if (!has_result(entry, REPORT_FAILED) || !strcmp(entry->why, code_name(REASON_STUCK)) ||
	    pci_address_parse(entry->subject, &addr))
		return false;
	fn = host_find(host, &addr);
	return fn && host->plan.binds && host_next(host, fn) == HOST_NEXT_NONE;
}

/* "on nouveau" */
static const char *place_of(const char *driver, char *buf, size_t size)
{
	if (*driver)
		snprintf(buf, size, "on %s", driver);
	else
		snprintf(buf, size, "without a driver");
	return buf;
}

/* What the boot did with it, and who has it now. */
static void find_in_entry(struct search *search, const struct boot_report_entry *entry)
{
	int rootfd = search->host->root.fd;
	char now[PCI_DRIVER_SIZE], text[PCI_DRIVER_SIZE + 24];
	struct pci_address addr;

	if (is_wanted_refusal(search->host, entry) || is_none_of_config(search->host, entry))
		return;
	/* A virtual function that no line names. */
	if (has_result(entry, REPORT_LEFT))
		return;
	if (has_result(entry, REPORT_MADE)) {
		finding_add(search->findings,
			    strcmp(entry->why, code_name(REASON_VFS_THERE)) ? FINDING_VFS_MADE :
									      FINDING_VFS_THERE,
			    entry->subject, entry->reason, NULL);
		return;
	}
	if (has_result(entry, REPORT_REATTACHED)) {
		if (pci_address_parse(entry->subject, &addr) || pci_read_driver(rootfd, &addr, now))
			now[0] = '\0';
		finding_add(search->findings, FINDING_REATTACHED, entry->subject,
			    place_of(now, text, sizeof(text)), entry->subject, NULL);
		return;
	}
	if (strcmp(entry->result, code_report_name(REPORT_BOUND)) != 0 &&
	    strcmp(entry->result, code_report_name(REPORT_KEPT)) != 0) {
		add_not_bound(search, entry);
		return;
	}
	find_set_outcome(search, entry);
	if (pci_address_parse(entry->subject, &addr))
		return;
	if (!host_find(search->host, &addr) && !host_find_unreadable(search->host, &addr)) {
		finding_add(search->findings, FINDING_DEVICE_GONE, entry->subject, NULL);
		return;
	}
	if (pci_read_driver(rootfd, &addr, now))
		now[0] = '\0';
	if (!strcmp(now, entry->driver)) {
		finding_add(search->findings, FINDING_DEVICE_OK, entry->subject, now, NULL);
		return;
	}
	finding_add(search->findings, FINDING_DEVICE_REBOUND, entry->subject, entry->driver,
		    place_of(now, text, sizeof(text)), NULL);
}

static void find_in_entries(struct search *search, const struct boot_report *entries,
			    bool is_of_today)
{
	struct host *host = search->host;
	size_t before = search->findings->of_level[FINDING_BLOCKS];
	bool is_whole = true;

	for (size_t i = 0; i < entries->count; i++) {
		find_in_entry(search, &entries->list[i]);
		is_whole &= !has_result(&entries->list[i], REPORT_REATTACHED);
	}
	for (size_t i = 0; i < host->count && is_of_today; i++) {
		char addr[PCI_ADDRESS_SIZE];

		pci_address_format(&host->fn[i].pci.addr, addr);
		if (host_next(host, &host->fn[i]) == HOST_NEXT_VFIO &&
		    !boot_report_find(entries, addr))
			finding_add(search->findings, FINDING_BOOT_UNAWARE, addr, NULL);
	}
	if (search->findings->of_level[FINDING_BLOCKS] == before && is_of_today && is_whole)
		finding_add(search->findings, FINDING_BOOT_OK, "", NULL);
}

static void find_boot(struct search *search, const char *digest)
{
	struct host *host = search->host;
	struct boot_report entries;
	int ret = boot_report_read(&host->root, &entries);
	bool is_old = file_for_each_line(host->root.fd, PATH_RUN_PLAN, look_for_digest,
					 (void *)digest) == 1;

	if (ret == -ENOMEM) {
		search->findings->failed = true;
	} else if (ret == -ENOENT && !plan_is_empty(&host->plan)) {
		finding_add(search->findings, FINDING_BOOT_NONE, "", NULL);
	} else if ((ret == -ENOTSUP || ret == -EISDIR) && !plan_is_empty(&host->plan)) {
		finding_add(search->findings, FINDING_BOOT_NO_FILE, "", PATH_RUN_REPORT, NULL);
	} else if (ret && !plan_is_empty(&host->plan)) {
		finding_add(search->findings, FINDING_BOOT_UNKNOWN, "", PATH_RUN_REPORT,
			    strerror(-ret), NULL);
	} else if (!ret) {
		if (is_old)
			finding_add(search->findings, FINDING_BOOT_OLD, "", NULL);
		find_in_entries(search, &entries, !is_old);
	}
	boot_report_free(&entries);
}

/* --- the whole */

/* No plan carries what the config says of the kernel command line. */
static void find_parameters(struct search *search)
{
	find_loader(search, compiler_written(search->host->compiler)->cmdline);
	find_next(search);
}

int find_images(struct search *search)
{
	struct inspector inspector;
	int ret = inspect_open(search->host, &inspector);

	if (!ret) {
		find_parameters(search);
		find_trial(search);
		find_config(search);
		if (!search->kernel)
			finding_add(search->findings, FINDING_NO_KERNEL, "", NULL);
		find_kernels(search, &inspector);
		find_boot(search, inspector.config->digest);
	}
	inspect_close(&inspector);
	return ret;
}
