// SPDX-License-Identifier: GPL-2.0-or-later
/* What must hold whatever fails; see judge.h. */
#define _GNU_SOURCE 1

#include <stdarg.h>
#include <string.h>

#include "judge.h"

static const char vfio_pci[] = "vfio-pci";

struct court {
	const struct machine *m;
	const struct trace *good, *trace;
	FILE *out;
	unsigned int broken;
};

__attribute__((format(printf, 2, 3))) static void broken(struct court *court, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(court->out, fmt, args);
	va_end(args);
	fputc('\n', court->out);
	court->broken++;
}

/* The last line of a text that has both strings, or NULL. Ended by a newline or the text's end. */
static const char *last_line(const char *text, const char *a, const char *b)
{
	const char *found = NULL;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t len = strcspn(text, "\n");
		const char *at = memmem(text, len, a, strlen(a));

		if (at && memmem(text, len, b, strlen(b)))
			found = text;
	}
	return found;
}

static bool has_line(const char *text, const char *a, const char *b)
{
	return last_line(text, a, b) != NULL;
}

/* In the log, in kmsg or on the terminal: one is enough. */
static bool is_said(const struct court *court, const char *a, const char *b)
{
	return has_line(court->trace->kmsg, a, b) || has_line(court->trace->log, a, b) ||
	       has_line(court->trace->said, a, b);
}

/* Did a run say that it came to nothing, or to an end before its time? */
static bool is_general(const struct court *court)
{
	return is_said(court, "nothing was touched", "") || is_said(court, "given up", "") ||
	       *court->trace->said;
}

/* Is KEY=VALUE in this line, whole? */
static bool has_value(const char *line, const char *key, const char *value)
{
	char text[NAME_SIZE + 32];

	snprintf(text, sizeof(text), " %s=%s ", key, *value ? value : "-");
	return memmem(line, strcspn(line, "\n"), text, strlen(text));
}

/* The report's last line on a function, if that is whole. */
static const char *report_line(const struct trace *trace, const char *addr)
{
	char start[NAME_SIZE + 16];
	const char *line;

	snprintf(start, sizeof(start), "address=%s ", addr);
	line = last_line(trace->report, start, "reason=");
	return line && !strncmp(line, start, strlen(start)) && strchr(line, '\n') ? line : NULL;
}

/* What is said of a function is true. */
static void judge_truth(struct court *court, unsigned int i, const char *line)
{
	const struct function *fn = &court->m->fn[i];
	const struct trace *trace = court->trace;
	bool is_bound = !strcmp(trace->driver[i], vfio_pci);
	bool is_overridden = !strcmp(trace->override[i], vfio_pci);

	if (has_value(line, "result", "bound") && !(is_bound && is_overridden))
		broken(court, "%s: reported as bound, and is not", fn->addr);
	if (has_value(line, "result", "held") && (*trace->driver[i] || !is_overridden))
		broken(court, "%s: reported as held, and is not", fn->addr);
	if (has_line(line, fn->addr, "released") && !has_line(line, fn->addr, "not released") &&
	    is_overridden)
		broken(court, "%s: said to be released, and still overridden", fn->addr);
	/* One that no driver lets go shows none; one that was given up may still be moved. */
	if (!fn->locked && !has_value(line, "result", "undone") &&
	    !has_value(line, "driver", trace->driver[i]))
		broken(court, "%s: reported with another driver than it has", fn->addr);
}

/* A function with an override, and nobody said that it may have one. */
static void judge_override(struct court *court, unsigned int i)
{
	static const char *const words[] = { "undone", "held", "not released", "does not let go" };
	const char *addr = court->m->fn[i].addr;

	for (size_t word = 0; word < sizeof(words) / sizeof(words[0]); word++)
		if (is_said(court, addr, words[word]))
			return;
	broken(court, "%s: left with an override that nobody knows of", addr);
}

static void judge_function(struct court *court, unsigned int i)
{
	const struct function *fn = &court->m->fn[i];
	const struct trace *trace = court->trace, *good = court->good;
	const char *addr = fn->addr, *driver = trace->driver[i];
	const char *line = report_line(trace, addr);
	bool is_overridden = !strcmp(trace->override[i], vfio_pci);
	bool is_as_good = !strcmp(driver, good->driver[i]) &&
			  !strcmp(trace->override[i], good->override[i]);
	bool is_untouched = !strcmp(driver, fn->first_driver) &&
			    !strcmp(trace->override[i], fn->first_override);
	bool is_bound = is_overridden && !strcmp(driver, vfio_pci);
	bool is_released = !*trace->override[i] &&
			   (!strcmp(driver, fn->native) || !strcmp(driver, fn->first_driver));

	if (line)
		judge_truth(court, i, line);
	if (!is_as_good && !is_bound && !is_untouched && !is_released && !is_overridden &&
	    (*driver || (!is_said(court, addr, "not released") && !is_said(court, addr, "undone"))))
		broken(court, "%s: driver \"%s\" with override \"%s\"", addr, driver,
		       trace->override[i]);
	if (!is_as_good && is_overridden && !is_bound && strcmp(fn->first_override, vfio_pci) != 0)
		judge_override(court, i);
	if (!is_as_good && !trace->was_killed) {
		if (!trace->status)
			broken(court, "%s: not as configured, and exit status 0", addr);
		if (!is_said(court, addr, ": ") && !is_general(court) &&
		    !(is_untouched && is_said(court, "refused", "")))
			broken(court, "%s: not as configured, and not a word", addr);
	}
	/* What is said when all is well is said in kmsg or in the log whatever fails. */
	if (is_as_good && !trace->was_killed &&
	    (has_line(good->log, addr, ": ") || has_line(good->kmsg, addr, ": ")) &&
	    !is_said(court, addr, ": ") && !is_general(court))
		broken(court, "%s: not a word about it", addr);
	if (!trace->was_killed && report_line(good, addr) && !line &&
	    !(is_untouched && is_said(court, "refused", "")) &&
	    !is_said(court, "run/vfio-early", "") && !is_general(court) &&
	    !is_said(court, addr, "left alone"))
		broken(court, "%s: missing from the report, and nobody said so", addr);
}

static void judge_run(struct court *court, const char *plan, double deadline)
{
	const struct trace *trace = court->trace;
	size_t len = strlen(trace->plan);

	if (trace->status > 3 || (trace->status < 0 && !trace->was_killed))
		broken(court, "exit status %d", trace->status);
	if (trace->took > deadline)
		broken(court, "took %.1f s", trace->took);
	if (trace->is_alive && !court->good->is_alive)
		broken(court, "a child of it did not end");
	/* For --late: half of a plan may lack what protects the host. */
	if (len && (len + 1 < strlen(plan) || strncmp(trace->plan, plan, len) != 0))
		broken(court, "run/vfio-early/plan is half of the plan");
}

unsigned int judge(const struct machine *m, const char *plan, const struct trace *good,
		   const struct trace *trace, double deadline, FILE *out)
{
	struct court court = {
		.m = m,
		.good = good,
		.trace = trace,
		.out = out,
	};

	judge_run(&court, plan, deadline);
	for (unsigned int i = 0; i < m->count; i++)
		judge_function(&court, i);
	return court.broken;
}
