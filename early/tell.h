/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every word that a run says, of verdicts and of outcomes, made from their codes. Decides nothing and
 * does no I/O of its own: what is to be written goes through report.h. The host half takes the words
 * for verdicts, and what to do about them, from here too.
 */
#ifndef VFIO_EARLY_TELL_H
#define VFIO_EARLY_TELL_H

#include <stddef.h>

#include "act.h"
#include "decide.h"
#include "iommu.h"
#include "modules.h"
#include "pci.h"
#include "plan.h"
#include "report.h"

/* Long enough for each text that is made here. */
#define TELL_SIZE 512

/* What verdicts are told from. */
struct tell_facts {
	const struct plan *plan;
	const struct iommu *iommu;
	const struct pci_table *table;
	const struct decisions *decisions;
};

/* tell_reason - why this verdict, in words: "holds / (protect)"; "" where all is said. Returns buf. */
char *tell_reason(const struct tell_facts *facts, unsigned int i, char *buf, size_t size);

/*
 * tell_fix - the next step to take about it, "" where there is none to name. Returns buf.
 * @i: as for tell_reason(), which function of the table
 */
char *tell_fix(const struct tell_facts *facts, unsigned int i, char *buf, size_t size);

/* tell_whole - both in one line: "a bridge; name what is behind it". Returns buf. */
char *tell_whole(const struct tell_facts *facts, unsigned int i, char *buf, size_t size);

/* tell_iommu - "IOMMU on (dmar0)", or why it is off. Returns buf. */
char *tell_iommu(const struct iommu *iommu, char *buf, size_t size);

/* tell_iommu_fix - the next step when it is off, else "". Returns buf. */
char *tell_iommu_fix(const struct iommu *iommu, char *buf, size_t size);

/* tell_iommu_whole - both in one line. Returns buf. */
char *tell_iommu_whole(const struct iommu *iommu, char *buf, size_t size);

/*
 * tell_module - what went wrong with a module, and the next step: "" for one that is loaded.
 * @cmdline: the text of /proc/cmdline, for module_blacklist=
 */
char *tell_module(const struct plan_module *module, const struct module_result *result,
		  const char *cmdline, char *buf, size_t size);

/* tell_failure - what failed, and why: "bind: Invalid argument". Not for what did not fail. Returns buf. */
char *tell_failure(const struct act_outcome *outcome, char *buf, size_t size);

/* --- lines of the log */

/*
 * tell_settings - what became of the set lines for it, one line for each key
 * @more: TELL_SIZE bytes for the report's fields of it, which are also returned
 */
const char *tell_settings(struct report *report, const struct pci_function *fn,
			  const struct act_outcome *outcome, char more[TELL_SIZE]);

/* tell_start - the first line: what there is to do, and the IOMMU. */
void tell_start(struct report *report, const struct plan *plan, const struct iommu *iommu);

/* tell_unreadable - functions whose facts could not be read. */
void tell_unreadable(struct report *report, const struct pci_table *table);

/* tell_no_functions - pci_collect() failed with this, -errno: nothing is touched. */
void tell_no_functions(struct report *report, int error);

/*
 * tell_modules - each module that is not loaded although it was tried.
 * @from: how many were tried before, and told then
 * @cmdline: as for tell_module()
 *
 * Returns whether there is one.
 */
bool tell_modules(struct report *report, const struct act *act, unsigned int from,
		  const char *cmdline);

/* tell_also_named - a second bind line names the function too. */
void tell_also_named(struct report *report, const struct pci_function *fn, const char *selector);

/*
 * tell_console - the function to be bound shows the console, or takes that of another card with it.
 * Said before it goes.
 */
void tell_console(struct report *report, const struct pci_function *fn, bool is_another,
		  bool is_dry);

/*
 * tell_verdict - one line of the log and one of the report on a function, and what else there is to
 * say of it.
 * @outcome: what act_run() made of it; NULL in a dry run
 * @ms: since the start of the run
 *
 * Returns what it was: REPORT_NONE for a group mate that stays as it is.
 */
enum report_result tell_verdict(struct report *report, const struct tell_facts *facts,
				unsigned int i, const struct act_outcome *outcome, unsigned int ms);

/* tell_absent - no function answers to this selector: log and report. */
void tell_absent(struct report *report, const char *selector, unsigned int ms);

/*
 * tell_gave_back - a function that was given back because the boot did not find its root: log and
 * report.
 */
void tell_gave_back(struct report *report, const struct pci_function *fn,
		    const struct act_outcome *outcome, unsigned int ms);

/* tell_given_up - a run that did not come to its end, and where it stood. @error: -errno */
void tell_given_up(struct report *report, const struct act *act, unsigned int ms, int error);

/* tell_done - the last line. @bound: how many are; of a dry run (@is_dry): how many would be */
void tell_done(struct report *report, unsigned int ms, bool is_dry, unsigned int bound,
	       unsigned int failed, unsigned int refused);

/* tell_no_plan - the plan is not there or cannot be read. @len: what sysfs_read_whole() gave */
void tell_no_plan(struct report *report, const char *path, int len);

/* tell_plan_errors - what is wrong in the plan, if anything. */
void tell_plan_errors(struct report *report, const char *path, const struct plan_errors *errors);

/* tell_lost - config lines that the host left out of the plan. */
void tell_lost(struct report *report, const struct plan *plan);

/* tell_no_bind - the plan has no bind line. */
void tell_no_bind(struct report *report);

/*
 * tell_off - why nothing is touched: the kernel command line says so.
 * @unknown: "", or the parameter whose value is not known
 */
void tell_off(struct report *report, const char *unknown);

/* tell_crash_kernel - nothing is touched: this kernel is here to save a dump. */
void tell_crash_kernel(struct report *report);

/* tell_no_cmdline - it could not be read. @error: -errno */
void tell_no_cmdline(struct report *report, int error);

/* tell_usage - on standard error. */
void tell_usage(const char *why, const char *what);

#endif
