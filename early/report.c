// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log and the report; see report.h.
 *
 * Each line is built completely and written once: klibc's stdio is unbuffered, /dev/kmsg makes a
 * record of each write(), and O_APPEND keeps the lines of concurrent --late runs whole. The two
 * files stay open from their first line on. /dev/kmsg accepts ten lines from one open file in five
 * seconds (kernel/printk/printk.c, devkmsg_write), so it is opened again for each line.
 */
#include <stdarg.h>
#include <string.h>

#include "paths.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"

static const char cut[] = "...";

static void open_once(const struct report *report, int *fd, const char *path, bool fresh)
{
	if (*fd <= 0)
		*fd = sysfs_open_append(SYSFS_ROOT(report), path, fresh);
}

void report_begin(struct report *report, bool fresh)
{
	if (report->to_stdout)
		return;
	sysfs_mkdir(SYSFS_ROOT(report), PATH_RUN);
	if (fresh) {
		open_once(report, &report->logfd, PATH_RUN_LOG, true);
		open_once(report, &report->reportfd, PATH_RUN_REPORT, true);
	}
}

/*
 * Ends a line that text_format() may have cut: only the NUL is left in the buffer, and the newline
 * replaces it. Returns the whole length.
 */
static size_t end_line(char *line, size_t len)
{
	if (len == REPORT_LINE_SIZE - 1)
		memcpy(line + len - (sizeof(cut) - 1), cut, sizeof(cut) - 1);
	line[len] = '\n';
	return len + 1;
}

/* Opens the file first if report_begin() did not, or could not. */
static int append(struct report *report, int *fd, const char *path, const char *line, size_t len)
{
	open_once(report, fd, path, false);
	return *fd < 0 ? *fd : sysfs_write(*fd, line, len);
}

void report_line(struct report *report, enum report_level level, const char *fmt, ...)
{
	/* Only /dev/kmsg gets the priority; all three have two digits. */
	const size_t start = sizeof("<30>") - 1;
	char line[REPORT_LINE_SIZE];
	size_t len = text_format(line, sizeof(line), "<%u>vfio-early: ", level);
	va_list args;

	va_start(args, fmt);
	len += text_vformat(line + len, sizeof(line) - len, fmt, args);
	va_end(args);
	len = end_line(line, len);

	if (report->to_stdout) {
		sysfs_print(1, line + start, len - start);
		return;
	}
	sysfs_append(SYSFS_ROOT(report), PATH_KMSG, line, len);
	append(report, &report->logfd, PATH_RUN_LOG, line + start, len - start);
}

void report_function(struct report *report, enum report_level level, const struct pci_function *fn,
		     const char *what, const char *why)
{
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], group[24] = "";

	if (fn->group >= 0)
		text_format(group, sizeof(group), " group %u", (unsigned int)fn->group);
	report_line(report, level, "%s %s%s: %s%s%s", pci_address_format(&fn->addr, addr),
		    pci_id_format(&fn->id, id), group, what, *why ? ": " : "", why);
}

const char *report_or_dash(const char *text)
{
	return *text ? text : "-";
}

void report_entry(struct report *report, const struct report_entry *entry)
{
	const struct pci_function *fn = entry->fn;
	char line[REPORT_LINE_SIZE], addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];
	char class[8] = "-", group[12] = "-";
	size_t len;
	int ret;

	if (report->to_stdout)
		return;
	if (fn)
		text_format(class, sizeof(class), "%06x", fn->class);
	if (fn && fn->group >= 0)
		text_format(group, sizeof(group), "%u", (unsigned int)fn->group);
	/* One byte less, for the closing quote. */
	len = text_format(line, sizeof(line) - 1,
			  "address=%s id=%s class=%s group=%s result=%s driver=%s was=%s ms=%u%s "
			  "why=%s reason=\"%s",
			  fn ? pci_address_format(&fn->addr, addr) : entry->selector,
			  fn ? pci_id_format(&fn->id, id) : "-", class, group,
			  code_report_name(entry->result), report_or_dash(entry->driver),
			  report_or_dash(fn ? fn->driver : ""), entry->ms, entry->more,
			  code_name(entry->why), entry->reason);
	/* A quotation mark inside the value would end it. */
	text_replace(strchr(line, '"') + 1, '"', '\'');
	line[len++] = '"';
	line[len++] = '\n';
	ret = append(report, &report->reportfd, PATH_RUN_REPORT, line, len);
	if (ret) {
		/* An incomplete last line ends here, so that the next line stands alone. */
		append(report, &report->reportfd, PATH_RUN_REPORT, "\n", 1);
		report_line(report, REPORT_ERROR, "/%s: %s", PATH_RUN_REPORT, text_error(-ret));
	}
}

struct entry_search {
	char start[64];
	enum report_result found;
};

static int look_for_entry(const char *line, void *arg)
{
	struct entry_search *search = arg;
	const char *why;
	char word[16];

	if (!text_skip_prefix(&line, search->start))
		return 0;
	search->found = REPORT_NONE;
	/* The first one: a reason further on may contain the same words. */
	why = text_find(line, " why=");
	text_format(word, sizeof(word), " why=%s ", code_name(REASON_BUSY));
	/* That run only set the override, and left the rest to the next run. */
	if (why && text_skip_prefix(&why, word))
		return 0;
	line = text_find(line, "result=");
	for (enum report_result result = REPORT_NONE; line && result < REPORT_COUNT; result++) {
		text_format(word, sizeof(word), "result=%s ", code_report_name(result));
		if (text_find(line, word) == line)
			search->found = result;
	}
	return 0;
}

enum report_result report_find_entry(const struct report *report, const struct pci_function *fn)
{
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];
	struct entry_search search = { .found = REPORT_NONE };

	text_format(search.start, sizeof(search.start), "address=%s id=%s ",
		    pci_address_format(&fn->addr, addr), pci_id_format(&fn->id, id));
	sysfs_for_each_line(SYSFS_ROOT(report), PATH_RUN_REPORT, look_for_entry, &search);
	return search.found;
}
