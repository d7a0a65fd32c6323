// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log and the report; see report.h.
 *
 * Each line is built whole and written once: klibc's stdio is unbuffered, /dev/kmsg makes a record
 * of each write(), and O_APPEND keeps lines of --late runs side by side whole.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"
#include "report.h"
#include "sysfs.h"

static const char prefix[] = "vfio-early: ";
static const char cut[] = "...";

void report_begin(const struct report *report, bool fresh)
{
	if (report->to_stdout)
		return;
	sysfs_mkdir(report->rootfd, PATH_RUN);
	if (fresh) {
		sysfs_replace(report->rootfd, PATH_RUN_LOG, "", 0);
		sysfs_replace(report->rootfd, PATH_RUN_REPORT, "", 0);
	}
}

/* Closes a line that vsnprintf() may have cut. Returns its length, the newline included. */
static size_t end_line(char *line, int len)
{
	if (len > REPORT_LINE_SIZE - 2) {
		len = REPORT_LINE_SIZE - 2;
		memcpy(line + len - (sizeof(cut) - 1), cut, sizeof(cut) - 1);
	}
	line[len] = '\n';
	return (size_t)len + 1;
}

void report_line(const struct report *report, enum report_level level, const char *fmt, ...)
{
	char line[REPORT_LINE_SIZE];
	char *text;
	va_list args;
	size_t len;
	int n;

	n = snprintf(line, sizeof(line), "<%d>%s", level, prefix);
	text = line + n - (sizeof(prefix) - 1);
	va_start(args, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, args);
	va_end(args);
	len = end_line(line, n);

	if (report->to_stdout) {
		if (write(STDOUT_FILENO, text, len - (size_t)(text - line)) < 0)
			return;
	} else {
		sysfs_append(report->rootfd, PATH_KMSG, line, len, false);
		sysfs_append(report->rootfd, PATH_RUN_LOG, text, len - (size_t)(text - line), true);
	}
}

void report_function(const struct report *report, enum report_level level,
		     const struct pci_function *fn, const char *what, const char *why)
{
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], group[24] = "";

	if (fn->group >= 0)
		snprintf(group, sizeof(group), " group %d", fn->group);
	report_line(report, level, "%s %s%s: %s%s%s", pci_address_format(&fn->addr, addr),
		    pci_id_format(&fn->id, id), group, what, *why ? ": " : "", why);
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

void report_entry(const struct report *report, const struct report_entry *entry)
{
	const struct pci_function *fn = entry->fn;
	char line[REPORT_LINE_SIZE], addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], group[12] = "-";
	char *reason;
	int len;

	if (report->to_stdout)
		return;
	if (fn) {
		if (fn->group >= 0)
			snprintf(group, sizeof(group), "%d", fn->group);
		len = snprintf(line, sizeof(line), "address=%s id=%s class=%06x group=%s ",
			       pci_address_format(&fn->addr, addr), pci_id_format(&fn->id, id),
			       fn->class, group);
	} else {
		len = snprintf(line, sizeof(line), "address=%s id=- class=- group=- ",
			       entry->selector);
	}
	len += snprintf(line + len, sizeof(line) - (size_t)len,
			"result=%s driver=%s was=%s ms=%u reason=\"", entry->result,
			or_dash(entry->driver), or_dash(fn ? fn->driver : ""), entry->ms);
	reason = line + len;
	len += snprintf(line + len, sizeof(line) - (size_t)len, "%s", entry->reason);
	if (len > REPORT_LINE_SIZE - 3)
		len = REPORT_LINE_SIZE - 3;
	/* The value's own quotes ("intel_iommu=off") would end it. */
	for (char *c = reason; c < line + len; c++)
		if (*c == '"')
			*c = '\'';
	line[len++] = '"';
	sysfs_append(report->rootfd, PATH_RUN_REPORT, line, end_line(line, len), true);
}

struct entry_search {
	char start[PCI_ADDRESS_SIZE + PCI_ID_SIZE + 16];
};

static int look_for_entry(const char *line, void *arg)
{
	const struct entry_search *search = arg;

	return !strncmp(line, search->start, strlen(search->start));
}

bool report_has_entry(const struct report *report, const struct pci_function *fn)
{
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];
	struct entry_search search;

	snprintf(search.start, sizeof(search.start), "address=%s id=%s ",
		 pci_address_format(&fn->addr, addr), pci_id_format(&fn->id, id));
	return sysfs_for_each_line(report->rootfd, PATH_RUN_REPORT, look_for_entry, &search) > 0;
}
