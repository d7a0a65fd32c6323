/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output: one line at a time to /dev/kmsg and /run/vfio-early/log, and one line for each function
 * to /run/vfio-early/report. Decides nothing. A line that cannot be written is lost, and never
 * stops the run.
 */
#ifndef VFIO_EARLY_REPORT_H
#define VFIO_EARLY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "code.h"
#include "pci.h"

/* A line of the log with its prefix and newline; a longer one is cut and ends in "...". */
#define REPORT_LINE_SIZE 768

/* syslog priorities with facility daemon: the kernel replaces facility 0 with user. */
enum report_level {
	REPORT_ERROR = 27,
	REPORT_WARNING = 28,
	REPORT_INFO = 30,
};

struct report {
	int rootfd;
	bool to_stdout;	     /* -n: print the log, and write no file */
	int logfd, reportfd; /* 0: not open yet */
};

/* report_begin - make /run/vfio-early. @fresh: start a new log and report (not for --late). */
void report_begin(struct report *report, bool fresh);

/* report_line - one line of the log, without prefix and newline. */
__attribute__((format(printf, 3, 4))) void
report_line(struct report *report, enum report_level level, const char *fmt, ...);

/*
 * report_function - one line of the log about one function: "ADDRESS ID group N: what[: why]";
 * without "group N" if it has none, and without ": why" if that is "".
 */
void report_function(struct report *report, enum report_level level, const struct pci_function *fn,
		     const char *what, const char *why);

struct report_entry {
	const struct pci_function *fn; /* NULL: no such function; then "selector" names it */
	const char *selector;
	enum report_result result;
	enum reason why;
	const char *driver; /* now; "" when none */
	const char *reason; /* a sentence for "why"; "" if there is nothing to say */
	const char *more;   /* further fields, with a blank before each, or NULL */
	unsigned int ms;    /* from the start of the run until this was known */
};

/*
 * report_entry - one line of the report:
 * address=A id=V:D class=C group=N result=R driver=D was=D ms=N why=CODE reason="..."
 *
 * and before why= for each key that a set line sets: set-KEY=CODE:BEFORE, the code "ok" or why not, and
 * what the attribute held before, with commas for blanks.
 * What there is none of is "-". A later line about the same address replaces an earlier one.
 */
void report_entry(struct report *report, const struct report_entry *entry);

/* report_or_dash - the text, or "-" if it is "". */
const char *report_or_dash(const char *text);

/*
 * report_find_entry - the last result that earlier runs reported for this function and ID. Returns
 * REPORT_NONE if there is none, or none that is known, or if that run was too busy to do anything.
 */
enum report_result report_find_entry(const struct report *report, const struct pci_function *fn);

#endif
