// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early-bind: hands PCI functions to vfio-pci in the initramfs, before udev and any other
 * driver. This room: arguments, the order of the steps, what is logged when, the exit status.
 *
 *  1. vfio_early=off on the kernel command line: one log line, nothing else
 *  2. the plan
 *  3. the IOMMU
 *  4. facts of the functions that the plan names, and of their group mates
 *  5. a verdict for each
 *  6. to 10. override, unbind, load, bind, verify: act_run()
 * 11. the report
 *
 * Steps 3 to 11 are done in a child, because any of them can block on a device for ever. Its state
 * lies in shared memory: past the deadline the parent says what was left undone, and boot goes on.
 * All memory is static or that one mapping; nothing is allocated.
 *
 * Exit: 0 all as configured, 1 some function is not, 2 usage, 3 no plan or an unreadable one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "act.h"
#include "cmdline.h"
#include "decide.h"
#include "iommu.h"
#include "paths.h"
#include "pci.h"
#include "plan.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"
#include "version.h"

enum exit_status {
	EXIT_AS_CONFIGURED,
	EXIT_NOT_AS_CONFIGURED,
	EXIT_USAGE,
	EXIT_NO_PLAN,
};

#define TEXT_SIZE 512

static struct plan plan;
static struct plan_errors errors;
static char plan_text[PLAN_MAX_TEXT];
static char cmdline[CMDLINE_SIZE];
static struct report report;
static struct timeval started;

/* What the worker and the parent that waits for it share. */
struct run {
	bool is_dry;
	bool is_late;
	struct pci_address late;
	bool is_decided;       /* steps 3 to 5 are behind it */
	bool is_wrong;	       /* something that is no single function's: a module, the scan */
	unsigned int reported; /* so many of the table are in the log and the report */
	unsigned int bound, not_bound, refused;
	struct iommu iommu;
	struct act act;
};

/*
 * Milliseconds since the start. klibc has no clock_gettime(): should the clock be set meanwhile,
 * the number printed is wrong, and nothing else.
 */
static unsigned int elapsed_ms(void)
{
	struct timeval now;
	int ms;

	gettimeofday(&now, NULL);
	ms = (int)(now.tv_sec - started.tv_sec) * 1000;
	ms += ((int)now.tv_usec - (int)started.tv_usec) / 1000;
	return ms < 0 ? 0 : (unsigned int)ms;
}

static enum exit_status exit_status(const struct run *run)
{
	if (run->is_wrong || run->not_bound || plan.losts || errors.count)
		return EXIT_NOT_AS_CONFIGURED;
	return EXIT_AS_CONFIGURED;
}

static void log_start(const struct run *run)
{
	const struct iommu *iommu = &run->iommu;
	bool is_on = iommu->state == IOMMU_ON;
	char text[TEXT_SIZE];

	report_line(&report, is_on ? REPORT_INFO : REPORT_ERROR, "%s: %u bind line%s, %s",
		    version_text, plan.bind_lines, plan.bind_lines == 1 ? "" : "s",
		    iommu_describe(iommu, text, sizeof(text)));
	if (is_on && !iommu->has_remapping && iommu_wants_remapping(iommu))
		report_line(
			&report, REPORT_WARNING,
			"no interrupt remapping: VMs are refused the device; switch on x2APIC in "
			"the firmware");
}

/* Steps 3 and 4. Returns false when nothing can be known. */
static bool collect(struct run *run)
{
	struct pci_table *table = &run->act.table;
	char addr[PCI_ADDRESS_SIZE];
	int ret;

	iommu_read(run->act.rootfd, cmdline, plan_wants_noiommu(&plan), &run->iommu);
	table->late_groups = run->iommu.has_smmu;
	if (!run->is_late)
		log_start(run);
	ret = pci_collect(run->act.rootfd, &plan, run->is_late ? &run->late : NULL, table);

	if (table->unreadable)
		report_line(&report, REPORT_ERROR, "%s: %s: left alone (%u such)",
			    pci_address_format(&table->unreadable_addr, addr),
			    text_error(-table->error), table->unreadable);
	if (run->is_late && ret == -ENOENT)
		return false;
	if (ret)
		report_line(&report, REPORT_ERROR, "/%s: %s: nothing was touched", PATH_PCI_DEVICES,
			    ret == -E2BIG ?
				    "bind lines name over 1024 functions (PCI_MAX_FUNCTIONS)" :
				    text_error(-ret));
	run->is_wrong = ret || table->unreadable;
	return !ret;
}

/* Where did a pinned device go? Looked up only when one is missing from its address. */
static void find_hint(const struct run *run, struct verdict *verdict)
{
	if (verdict->reason == REASON_ID_CHANGED)
		verdict->has_hint = pci_find_id(run->act.rootfd, &plan.bind[verdict->bind].sel.id,
						&verdict->hint) == 1;
}

/* What must be said before it is done: the console may be gone afterwards. */
static void log_before(struct run *run)
{
	for (unsigned int i = 0; i < run->act.table.count; i++) {
		const struct pci_function *fn = &run->act.table.fn[i];
		struct verdict *verdict = &run->act.decisions.verdict[i];

		find_hint(run, verdict);
		if (verdict->also != DECIDE_NO_INDEX)
			report_function(&report, REPORT_INFO, fn, "also named by",
					plan.bind[verdict->also].text);
		/* Of others than VGA only efifb goes; see release_framebuffer() in act.c. */
		if (verdict->decision == DECIDE_BIND &&
		    (fn->boot_vga || fn->framebuffer == PCI_FB_EFIFB ||
		     (fn->framebuffer != PCI_FB_NONE && pci_is_vga(fn))))
			report_function(&report, REPORT_WARNING, fn, "shows the console",
					"it goes dark now, the boot goes on");
	}
}

static void log_modules(struct run *run)
{
	const struct act *act = &run->act;
	char text[TEXT_SIZE];

	for (unsigned int i = 0; i < act->modules_tried; i++) {
		if (act->module[i].step == MODULE_LOADED)
			continue;
		report_line(&report, REPORT_ERROR, "%s",
			    modules_describe(&plan.module[i], &act->module[i], cmdline, text,
					     sizeof(text)));
		run->is_wrong = true;
	}
}

/* A line of the log and a line of the report about one function. */
static void tell(const struct run *run, unsigned int i, enum report_level level, const char *what,
		 const char *result, const char *driver, const char *why)
{
	const struct report_entry entry = {
		.fn = &run->act.table.fn[i],
		.result = result,
		.driver = driver,
		.reason = why,
		.ms = elapsed_ms(),
	};

	report_function(&report, level, entry.fn, what, why);
	report_entry(&report, &entry);
}

static void tell_bound(struct run *run, unsigned int i, const char *why)
{
	const struct pci_function *fn = &run->act.table.fn[i];
	const struct act_outcome *outcome = &run->act.outcome[i];
	char what[PCI_DRIVER_SIZE + 32];

	run->bound++;
	text_format(what, sizeof(what), "bound to vfio-pci%s%s", *fn->driver ? ", taken from " : "",
		    fn->driver);
	tell(run, i, REPORT_INFO, what, "bound", outcome->driver, why);
	if (fn->framebuffer != PCI_FB_NONE && !pci_is_vga(fn))
		report_function(&report, REPORT_WARNING, fn, "still holds the boot framebuffer",
				"no VM can use it; add kernel parameter "
				"initcall_blacklist=sysfb_init");
}

/* Why it could not be bound, and what became of it. */
static void tell_failed(struct run *run, unsigned int i, const char *why)
{
	static const char *const words[] = {
		[ACT_NOTHING] = "undone, its override may be set",
		[ACT_RELEASED] = "not bound, released",
		[ACT_HELD] = "not bound, held",
		[ACT_STUCK] = "not bound, its driver does not let go",
		[ACT_NOT_RELEASED] = "not bound, and not released",
	};
	const struct act_outcome *outcome = &run->act.outcome[i];
	const char *error = text_error(outcome->error);
	char step[TEXT_SIZE], what[PCI_DRIVER_SIZE + 64];

	run->not_bound++;
	if (outcome->failed == ACT_BIND && outcome->error == ENOENT)
		error = "there is no vfio-pci driver";
	else if (outcome->failed == ACT_BIND && outcome->error == EINVAL)
		error = "vfio-pci refuses it (its denylist, or no group)";
	else if (outcome->failed == ACT_GROUP && !outcome->error)
		error = "vfio-noiommu, which isolates no VM: remove enable_unsafe_noiommu_mode";
	if (outcome->failed != ACT_START) {
		text_format(step, sizeof(step), "%s: %s", act_step_name(outcome->failed), error);
		why = step;
	}
	text_format(what, sizeof(what), "%s, %s%s", words[outcome->result],
		    *outcome->driver ? "now on " : "no driver", outcome->driver);
	tell(run, i, REPORT_ERROR, what,
	     outcome->result == ACT_HELD    ? "held" :
	     outcome->result == ACT_NOTHING ? "undone" :
					      "failed",
	     outcome->driver, why);
}

static void tell_refused(struct run *run, unsigned int i, const char *why)
{
	enum reason reason = run->act.decisions.verdict[i].reason;

	/* These two are what the administrator asked for. */
	if (reason != REASON_EXCEPT && reason != REASON_BOOT_VGA)
		run->is_wrong = true;
	run->refused++;
	tell(run, i, REPORT_WARNING, "refused", "refused", run->act.table.fn[i].driver, why);
}

static void tell_verdict(struct run *run, unsigned int i)
{
	const struct pci_function *fn = &run->act.table.fn[i];
	const struct verdict *verdict = &run->act.decisions.verdict[i];
	char why[TEXT_SIZE];

	decide_reason(&plan, &run->iommu, &run->act.table, &run->act.decisions, i, why,
		      sizeof(why));
	switch (verdict->decision) {
	case DECIDE_NOTHING:
		break;
	case DECIDE_KEEP:
		run->bound++;
		tell(run, i, REPORT_INFO, *why ? "not taken" : "already on vfio-pci", "kept",
		     fn->driver, why);
		break;
	case DECIDE_REFUSE:
		tell_refused(run, i, why);
		break;
	case DECIDE_HOLD:
	case DECIDE_BIND:
		if (run->is_dry)
			tell(run, i, REPORT_INFO,
			     verdict->decision == DECIDE_BIND ? "would be bound to vfio-pci" :
								"would be held without a driver",
			     "planned", fn->driver, why);
		else if (run->act.outcome[i].result == ACT_BOUND)
			tell_bound(run, i, why);
		else
			tell_failed(run, i, why);
		break;
	}
	if (verdict->crowds)
		report_function(&report, REPORT_WARNING, fn,
				verdict->decision == DECIDE_REFUSE ?
					"not bound" :
					"not bound, name it or set group claim",
				"shares the group, so no VM gets that");
}

/* Bind lines that no function answers to. */
static void tell_absent(struct run *run)
{
	for (unsigned int i = 0; i < plan.binds; i++) {
		const struct report_entry entry = {
			.selector = plan.bind[i].text,
			.result = "absent",
			.driver = "",
			.reason = "no such function",
			.ms = elapsed_ms(),
		};

		if (run->act.decisions.matched[i])
			continue;
		run->refused++;
		run->is_wrong = true;
		report_line(&report, REPORT_WARNING, "bind %s: refused: no such function",
			    entry.selector);
		report_entry(&report, &entry);
	}
}

/* Step 11, for what has not been told yet. */
static void tell_rest(struct run *run)
{
	for (; run->reported < run->act.table.count; run->reported++)
		tell_verdict(run, run->reported);
	if (run->is_late)
		return;
	/* A function that could not be read may be the one that is missing. */
	if (run->is_decided && !run->act.table.unreadable)
		tell_absent(run);
	report_line(&report, REPORT_INFO, "done in %u ms: %u bound, %u failed, %u refused",
		    elapsed_ms(), run->bound, run->not_bound, run->refused);
}

/*
 * udev calls for every function there is, and again at each coldplug, in the initramfs and on the
 * host. What a boot once gave up on stays as it is until the next: "failure release" means that its
 * own driver may keep it. What is not to be bound is said once.
 */
static bool is_old_news(const struct run *run)
{
	enum decision decision = run->act.decisions.verdict[0].decision;
	enum report_found found;

	if (!run->act.table.candidates)
		return true;
	found = report_find_entry(&report, &run->act.table.fn[0]);
	if (decision == DECIDE_BIND || decision == DECIDE_HOLD)
		return found == REPORT_OTHER;
	return found != REPORT_NONE;
}

/* Steps 3 to 11, in the child. */
static int run_steps(void *arg)
{
	struct run *run = arg;
	struct act *act = &run->act;

	if (!collect(run))
		return exit_status(run);
	decide(&plan, &run->iommu, &act->table, &act->decisions);
	run->is_decided = true;
	/* Wrong is here only that its facts could not be read. */
	if (run->is_late && is_old_news(run))
		return run->is_wrong;
	log_before(run);
	if (!run->is_dry)
		act_run(act);
	log_modules(run);
	tell_rest(run);
	return exit_status(run);
}

/* What the parent says of a run that did not come back. */
static enum exit_status give_up(struct run *run, int error)
{
	struct act *act = &run->act;
	char at[PCI_ADDRESS_SIZE] = "";
	const char *where = at;

	if (act->step == ACT_LOAD)
		where = plan.module[act->current].path;
	else if (act->step != ACT_START)
		pci_address_format(&act->table.fn[act->current].addr, at);
	report_line(&report, REPORT_ERROR, "given up after %u ms at %s %s: %s: the boot goes on",
		    elapsed_ms(), act_step_name(act->step), where, text_error(-error));
	if (run->is_decided)
		act_look(act);
	tell_rest(run);
	return EXIT_NOT_AS_CONFIGURED;
}

/*
 * Says what is wrong with the plan, and what the host left out of it. Returns false when it cannot
 * be trusted.
 */
static bool check_plan(const char *path, bool is_late)
{
	const struct plan_error *first = &errors.error[0];

	/* To be said once: --late reads the plan of a run that said it. */
	if (is_late)
		return !errors.unsafe;
	if (errors.count)
		report_line(&report, REPORT_ERROR, "%s:%u:%u: %s (%u such): %s", path, first->line,
			    first->column, first->what, errors.count,
			    errors.unsafe ? "plan not used" : "left out");
	for (unsigned int i = 0; i < plan.losts; i++)
		report_line(&report, REPORT_ERROR, "config line left out: %s", plan.lost[i]);
	return !errors.unsafe;
}

/* Where the plan is: below the root, or, when the caller named one, where the caller stands. */
struct plan_place {
	int dirfd;
	const char *path;
};

static enum exit_status run_plan(struct run *run, const struct plan_place *place)
{
	int len = sysfs_read_whole(place->dirfd, place->path, plan_text, sizeof(plan_text));
	int ret;

	if (len <= 0) {
		report_line(&report, REPORT_ERROR,
			    "plan %s: %s: nothing was touched; run update-initramfs -u",
			    place->path,
			    !len	  ? "empty" :
			    len == -EFBIG ? "larger than 65535 bytes (PLAN_MAX_TEXT)" :
					    text_error(-len));
		return EXIT_NO_PLAN;
	}
	/* For --late, which is asked on the host too, where there is no image to read it from. */
	if (!run->is_late && !run->is_dry &&
	    sysfs_replace(report.rootfd, PATH_RUN_PLAN, plan_text, (size_t)len))
		/* Half of it would be a plan that protects less. */
		sysfs_replace(report.rootfd, PATH_RUN_PLAN, "", 0);

	plan_init(&plan);
	plan_parse(&plan, plan_text, (size_t)len, PLAN_COMPILED, &errors);
	if (!check_plan(place->path, run->is_late))
		return EXIT_NO_PLAN;
	if (!plan.binds) {
		if (run->is_late)
			return EXIT_AS_CONFIGURED;
		report_line(&report, REPORT_INFO, "%s: no bind line: nothing to do", version_text);
		return exit_status(run);
	}

	run->act.plan = &plan;
	ret = act_with_deadline(run_steps, run, (int)plan.deadline * 1000);
	return ret < 0 ? give_up(run, ret) : (enum exit_status)ret;
}

static enum exit_status usage(const char *why, const char *what)
{
	char line[TEXT_SIZE];

	sysfs_print(2, line,
		    text_format(line, sizeof(line),
				"vfio-early-bind: %s %s\n"
				"usage: vfio-early-bind [-n] [-r ROOT] [-p PLAN] "
				"[--late ADDRESS]\n",
				why, what));
	return EXIT_USAGE;
}

/* getopt_long() is a fifteenth of what the binary may weigh; there are four options. */
int main(int argc, char **argv)
{
	struct plan_place place = { .dirfd = AT_FDCWD };
	const char *root = "/";
	struct run *run;
	int ret;

	gettimeofday(&started, NULL);
	run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run == MAP_FAILED)
		return usage("mmap:", text_error(errno));

	for (int i = 1; i < argc; i++) {
		const char *option = argv[i], *value = argv[i + 1];

		if (!strcmp(option, "-n")) {
			report.to_stdout = run->is_dry = true;
			continue;
		}
		if (!value)
			return usage("unknown, or without its argument:", option);
		i++;
		if (!strcmp(option, "-r")) {
			root = value;
		} else if (!strcmp(option, "-p")) {
			place.path = value;
		} else if (!strcmp(option, "--late")) {
			if (pci_address_parse(value, &run->late))
				return usage("write --late 0000:81:00.0, not", value);
			run->is_late = true;
		} else {
			return usage("unknown, or without its argument:", option);
		}
	}

	report.rootfd = run->act.rootfd = sysfs_open_dir(AT_FDCWD, root);
	if (report.rootfd < 0)
		return usage(root, text_error(-report.rootfd));

	ret = sysfs_read_whole(report.rootfd, PATH_CMDLINE, cmdline, sizeof(cmdline));
	report_begin(&report, !run->is_late);
	if (cmdline_find(cmdline, "vfio_early", "off", NULL)) {
		if (!run->is_late)
			report_line(&report, REPORT_INFO, "vfio_early=off: nothing was touched");
		return EXIT_AS_CONFIGURED;
	}
	run->is_dry |= cmdline_find(cmdline, "vfio_early", "dry-run", NULL);
	if (ret < 0)
		report_line(&report, REPORT_WARNING, "/%s: %s", PATH_CMDLINE, text_error(-ret));

	if (!place.path)
		place = (struct plan_place){
			.dirfd = report.rootfd,
			.path = run->is_late ? PATH_RUN_PLAN : PATH_PLAN,
		};
	return run_plan(run, &place);
}
