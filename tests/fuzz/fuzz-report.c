// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report of a boot. The input is a report, which both halves read; and a reason, which the boot
 * half writes into one: the host half must find what was written.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "early/paths.h"
#include "early/report.h"
#include "host/boot_report.h"
#include "tests/fuzz/fuzz.h"

static const struct pci_function function = {
	.addr = { .domain = 0, .bus = 1, .dev = 0, .fn = 0 },
	.id = { 0x10de, 0x1187, 0, 0 },
	.class = 0x030000,
	.group = 9,
	.driver = "nouveau",
};

static void read_any(const struct report *report, const uint8_t *data, size_t size)
{
	const struct root root = { .fd = report->rootfd };
	struct boot_report entries;

	fuzz_file(PATH_RUN_REPORT, data, size);
	must(!boot_report_read(&root, &entries));
	for (size_t i = 0; i < entries.count; i++) {
		must(*entries.list[i].subject && *entries.list[i].result);
		must(boot_report_find(&entries, entries.list[i].subject) == &entries.list[i]);
	}
	boot_report_free(&entries);
	must(report_find_entry(report, &function) < REPORT_COUNT);
}

static void write_and_read(struct report *report, char *reason)
{
	struct report_entry entry = {
		.fn = &function, .result = REPORT_HELD, .driver = "", .reason = reason, .ms = 7
	};
	const struct root root = { .fd = report->rootfd };
	struct boot_report entries;
	const struct boot_report_entry *found;

	/* Reasons are words of ours and of the plan, which has neither of these. */
	for (char *c = reason; *c; c++)
		if (*c == '\n')
			*c = ' ';
	fuzz_file(PATH_RUN_REPORT, "", 0);
	report_entry(report, &entry);
	must(!boot_report_read(&root, &entries));
	must(entries.count == 1);
	found = boot_report_find(&entries, "0000:01:00.0");
	must(found && !strcmp(found->result, "held") && !*found->driver);
	must(!strcmp(found->id, "10de:1187"));
	boot_report_free(&entries);
	must(report_find_entry(report, &function) == REPORT_HELD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report = { .rootfd = fuzz_root() };
	char *text = fuzz_text(data, size);

	read_any(&report, data, size);
	write_and_read(&report, text);
	/* A process of ours makes one run, and ends. */
	if (report.logfd > 0)
		close(report.logfd);
	if (report.reportfd > 0)
		close(report.reportfd);
	free(text);
	return 0;
}
