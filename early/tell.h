/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of all messages about verdicts and outcomes, made from their codes. Decides nothing and
 * does no I/O of its own: output goes through report.h. The host half also takes the words for
 * verdicts, and the next step for each, from here.
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

/* Enough for every text that is made here. */
#define TELL_SIZE 512

/* What the functions below need to describe a verdict. */
struct tell_facts {
	const struct plan *plan;
	const struct iommu *iommu;
	const struct pci_table *table;
	const struct decisions *decisions;
};

/*
 * tell_reason - the reason of a verdict in words: "holds / (protect)"; "" if there is none to give.
 * Returns buf.
 */
char *tell_reason(const struct tell_facts *facts, unsigned int i, char *buf, size_t size);

/*
 * tell_fix - the next step for it, "" if there is none. Returns buf.
 * @i: the function's index in the table, as for tell_reason()
 */
char *tell_fix(const struct tell_facts *facts, unsigned int i, char *buf, size_t size);

/* tell_whole - both in one line: "a bridge; name what is behind it". Returns buf. */
char *tell_whole(const struct tell_facts *facts, unsigned int i, char *buf, size_t size);

/* tell_iommu - "IOMMU on (dmar0)", or why it is off. Returns buf. */
char *tell_iommu(const struct iommu *iommu, char *buf, size_t size);

/* tell_iommu_fix - the next step if it is off, else "". Returns buf. */
char *tell_iommu_fix(const struct iommu *iommu, char *buf, size_t size);

/* tell_iommu_whole - both in one line. Returns buf. */
char *tell_iommu_whole(const struct iommu *iommu, char *buf, size_t size);

/*
 * tell_module - what went wrong with a module, and the next step; "" for a loaded module. Returns
 * buf.
 * @cmdline: the text of /proc/cmdline, for module_blacklist=
 */
char *tell_module(const struct plan_module *module, const struct module_result *result,
		  const char *cmdline, char *buf, size_t size);

/*
 * tell_failure - what failed, and why: "bind: Invalid argument". Only for an outcome that is a
 * failure. Returns buf.
 */
char *tell_failure(const struct act_outcome *outcome, char *buf, size_t size);

/* --- lines of the log */

/*
 * tell_settings - log the result of the set lines for a function, one line for each key.
 * @more: TELL_SIZE bytes; gets the fields for the report
 *
 * Returns @more.
 */
const char *tell_settings(struct report *report, const struct pci_function *fn,
			  const struct act_outcome *outcome, char more[TELL_SIZE]);

/* tell_start - the first line of the log: what there is to do, and the state of the IOMMU. */
void tell_start(struct report *report, const struct plan *plan, const struct iommu *iommu);

/* tell_unreadable - log functions whose attributes could not be read. */
void tell_unreadable(struct report *report, const struct pci_table *table);

/* tell_no_functions - pci_collect() failed: nothing is touched. @error: -errno */
void tell_no_functions(struct report *report, int error);

/*
 * tell_modules - log each module whose load was tried and failed.
 * @from: the number that were tried, and logged, before
 * @cmdline: as for tell_module()
 *
 * Returns whether there is one.
 */
bool tell_modules(struct report *report, const struct act *act, unsigned int from,
		  const char *cmdline);

/* tell_also_named - log that a second bind line names the function too. */
void tell_also_named(struct report *report, const struct pci_function *fn, const char *selector);

/*
 * tell_console - log that the function to be bound shows the console. Call it before the bind.
 * @is_another: it does not, but in this kernel its bind takes the console away from every card
 */
void tell_console(struct report *report, const struct pci_function *fn, bool is_another,
		  bool is_dry);

/*
 * tell_verdict - write one line of the log and one of the report about a function, and any further
 * log lines about it.
 * @outcome: the result of act_run(); NULL in a dry run
 * @ms: since the start of the run
 *
 * Returns its result; REPORT_NONE for another function of the group that stays as it is.
 */
enum report_result tell_verdict(struct report *report, const struct tell_facts *facts,
				unsigned int i, const struct act_outcome *outcome, unsigned int ms);

/* tell_absent - log and report that no function matches this selector. */
void tell_absent(struct report *report, const char *selector, unsigned int ms);

/*
 * tell_gave_back - log and report a function that was given back because the boot did not find its
 * root file system.
 */
void tell_gave_back(struct report *report, const struct pci_function *fn,
		    const struct act_outcome *outcome, unsigned int ms);

/* tell_given_up - log that a run was ended before it was done, and at which step. @error: -errno */
void tell_given_up(struct report *report, const struct act *act, unsigned int ms, int error);

/*
 * tell_done - the last line of the log. @bound: the number of bound functions; in a dry run
 * (@is_dry), of those that would be bound
 */
void tell_done(struct report *report, unsigned int ms, bool is_dry, unsigned int bound,
	       unsigned int failed, unsigned int refused);

/*
 * tell_no_plan - log that the plan is missing or cannot be read. @len: the result of
 * sysfs_read_whole()
 */
void tell_no_plan(struct report *report, const char *path, int len);

/* tell_plan_errors - log the errors of the plan, if there are any. */
void tell_plan_errors(struct report *report, const char *path, const struct plan_errors *errors);

/* tell_lost - log the config lines that the host half left out of the plan. */
void tell_lost(struct report *report, const struct plan *plan);

/* tell_no_bind - log that the plan has no bind line. */
void tell_no_bind(struct report *report);

/*
 * tell_off - log that nothing is touched because the kernel command line says so.
 * @unknown: "", or the parameter with an unknown value
 */
void tell_off(struct report *report, const char *unknown);

/* tell_crash_kernel - log that nothing is touched because this kernel only saves a dump. */
void tell_crash_kernel(struct report *report);

/* tell_no_cmdline - log that /proc/cmdline could not be read. @error: -errno */
void tell_no_cmdline(struct report *report, int error);

/* tell_usage - print an error of usage on standard error. */
void tell_usage(const char *why, const char *what);

#endif
