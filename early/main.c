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
#include <getopt.h>
#include <stdio.h>
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

enum exit_status {
	EXIT_AS_CONFIGURED,
	EXIT_NOT_AS_CONFIGURED,
	EXIT_USAGE,
	EXIT_NO_PLAN,
};

#define REASON_SIZE 512

static struct plan plan;
static struct plan_errors errors;
static char plan_text[PLAN_MAX_TEXT];
static char cmdline[CMDLINE_SIZE];
static struct report report;
static struct timeval started;

struct run {
	struct act act;
	struct iommu iommu;
	bool dry_run;
	bool is_late;
	struct pci_address late;
	bool failed;	       /* something that is no function's: a module, the scan */
	unsigned int reported; /* verdicts that the log and the report already have */
	unsigned int bound, not_bound, refused;
};

/*
 * Milliseconds since the start. klibc has no clock_gettime(): should the clock be set meanwhile,
 * the number printed is wrong, and nothing else.
 */
static unsigned int elapsed_ms(void)
{
	struct timeval now;
	long ms;

	gettimeofday(&now, NULL);
	ms = (now.tv_sec - started.tv_sec) * 1000 + (now.tv_usec - started.tv_usec) / 1000;
	return ms < 0 ? 0 : (unsigned int)ms;
}

/* Where the plan is: below the root, or, when the caller named one, where the caller stands. */
struct plan_place {
	int dirfd;
	const char *path;
};

/* Returns the length of the text, or -1 when there is none; that has then been said. */
static int read_plan(const struct plan_place *place)
{
	int ret = sysfs_read_whole(place->dirfd, place->path, plan_text, sizeof(plan_text));

	if (ret == -EFBIG)
		report_line(&report, REPORT_ERROR,
			    "plan %s is larger than %d bytes (PLAN_MAX_TEXT): nothing was touched",
			    place->path, PLAN_MAX_TEXT - 1);
	else if (ret < 0)
		report_line(&report, REPORT_ERROR,
			    "no plan %s: %s: nothing was touched; run update-initramfs -u",
			    place->path, strerror(-ret));
	else if (!ret)
		report_line(&report, REPORT_ERROR,
			    "plan %s is empty: nothing was touched; run update-initramfs -u",
			    place->path);
	return ret > 0 ? ret : -1;
}

/* Says what could not be read of the plan. Returns false when the plan cannot be trusted. */
static bool check_plan(const char *path)
{
	for (unsigned int i = 0; i < errors.count && i < PLAN_MAX_ERRORS; i++)
		report_line(&report, REPORT_ERROR, "%s:%u:%u: %s", path, errors.error[i].line,
			    errors.error[i].column, errors.error[i].what);
	if (errors.count > PLAN_MAX_ERRORS)
		report_line(&report, REPORT_ERROR, "%s: %u more errors (PLAN_MAX_ERRORS)", path,
			    errors.count - PLAN_MAX_ERRORS);
	if (errors.unsafe) {
		report_line(&report, REPORT_ERROR,
			    "plan %s is damaged: nothing was touched; run update-initramfs -u",
			    path);
		return false;
	}
	for (unsigned int i = 0; i < plan.losts; i++)
		report_line(&report, REPORT_WARNING, "config line left out: %s", plan.lost[i]);
	return true;
}

static bool plans_noiommu(void)
{
	static const char option[] = "enable_unsafe_noiommu_mode=";

	for (unsigned int i = 0; i < plan.modules; i++) {
		const char *value = strstr(plan.module[i].options, option);

		if (value && strchr("1yY", value[sizeof(option) - 1]))
			return true;
	}
	return false;
}

static void log_start(const struct run *run)
{
	char text[REASON_SIZE];

	report_line(&report, run->iommu.state == IOMMU_ON ? REPORT_INFO : REPORT_ERROR,
		    "%s: %u bind line%s, %s", VERSION, plan.bind_lines,
		    plan.bind_lines == 1 ? "" : "s",
		    iommu_describe(&run->iommu, text, sizeof(text)));
	if (run->iommu.state == IOMMU_ON && !run->iommu.has_remapping &&
	    (run->iommu.table == IOMMU_TABLE_DMAR || run->iommu.table == IOMMU_TABLE_IVRS))
		report_line(
			&report, REPORT_WARNING,
			"no interrupt remapping: a VM will be refused the device; switch it on in "
			"the firmware (x2APIC, interrupt remapping)");
}

/* Step 4. Returns false when nothing can be known. */
static bool collect(struct run *run)
{
	struct pci_table *table = &run->act.table;
	char addr[PCI_ADDRESS_SIZE];
	int ret;

	if (run->is_late)
		ret = pci_collect_one(run->act.rootfd, &plan, &run->late, table);
	else
		ret = pci_collect(run->act.rootfd, &plan, table);

	if (table->unreadable)
		report_line(&report, REPORT_ERROR,
			    "%s: uevent: %s: left alone (%u such function%s)",
			    pci_address_format(&table->unreadable_addr, addr),
			    strerror(-table->error), table->unreadable,
			    table->unreadable == 1 ? "" : "s");
	if (ret == -E2BIG)
		report_line(
			&report, REPORT_ERROR,
			"the bind lines name more than %d functions (PCI_MAX_FUNCTIONS): nothing "
			"was touched; narrow them",
			PCI_MAX_FUNCTIONS);
	else if (ret && !(run->is_late && ret == -ENOENT))
		report_line(&report, REPORT_ERROR, "/" PATH_PCI_DEVICES ": %s: nothing was touched",
			    strerror(-ret));
	run->failed |= ret || table->unreadable;
	return !ret;
}

/* Where did a pinned device go? Looked up only when one is missing from its address. */
static void find_hints(struct run *run)
{
	for (unsigned int i = 0; i < run->act.table.candidates; i++) {
		struct verdict *verdict = &run->act.decisions.verdict[i];

		if (verdict->reason == REASON_ID_CHANGED)
			verdict->has_hint = pci_find_id(run->act.rootfd,
							&plan.bind[verdict->bind].sel.id,
							&verdict->hint) == 1;
	}
}

static void log_overlap(const struct run *run, unsigned int i)
{
	const struct verdict *verdict = &run->act.decisions.verdict[i];
	char text[REASON_SIZE];

	if (verdict->also == DECIDE_NO_INDEX)
		return;
	snprintf(text, sizeof(text), "%s and %s", plan.bind[verdict->bind].text,
		 plan.bind[verdict->also].text);
	report_function(&report, REPORT_INFO, &run->act.table.fn[i], "named twice", text);
}

/* What must be said before it is done: the console may be gone afterwards. */
static void log_before(const struct run *run)
{
	for (unsigned int i = 0; i < run->act.table.count; i++) {
		const struct pci_function *fn = &run->act.table.fn[i];

		log_overlap(run, i);
		if (run->act.decisions.verdict[i].decision == DECIDE_BIND && pci_is_vga(fn) &&
		    (fn->boot_vga || fn->framebuffer != PCI_FB_NONE))
			report_function(&report, REPORT_WARNING, fn,
					"shows the console, which goes dark now; the boot goes on",
					"");
	}
}

static void log_modules(struct run *run)
{
	const struct act *act = &run->act;
	char text[REASON_SIZE];

	for (unsigned int i = 0; i < act->modules_tried; i++) {
		if (act->module[i].step == MODULE_LOADED)
			continue;
		report_line(&report, REPORT_ERROR, "%s",
			    modules_describe(&plan.module[i], &act->module[i], cmdline, text,
					     sizeof(text)));
		run->failed = true;
	}
}

static void enter(const struct run *run, unsigned int i, const char *result, const char *driver,
		  const char *reason)
{
	const struct report_entry entry = {
		.fn = &run->act.table.fn[i],
		.result = result,
		.driver = driver,
		.reason = reason,
		.ms = elapsed_ms(),
	};

	report_entry(&report, &entry);
}

static void report_bound(struct run *run, unsigned int i, const char *reason)
{
	const struct pci_function *fn = &run->act.table.fn[i];
	const struct act_outcome *outcome = &run->act.outcome[i];
	char what[PCI_DRIVER_SIZE + 40];

	run->bound++;
	snprintf(what, sizeof(what), "bound to vfio-pci%s%s", *fn->driver ? ", taken from " : "",
		 fn->driver);
	report_function(&report, REPORT_INFO, fn, what, reason);
	enter(run, i, "bound", outcome->driver, reason);
	if (outcome->framebuffer_remains)
		report_function(&report, REPORT_WARNING, fn, "still holds the boot framebuffer",
				"a VM with it will not start (\"can't reserve\"); add "
				"\"initcall_blacklist=sysfb_init\" to the kernel command line");
}

/* Why it could not be bound, and what became of it. */
static void report_failed(struct run *run, unsigned int i)
{
	const struct pci_function *fn = &run->act.table.fn[i];
	const struct act_outcome *outcome = &run->act.outcome[i];
	const char *error = strerror(outcome->error), *next = "";
	char why[REASON_SIZE], what[PCI_DRIVER_SIZE + 80];

	run->not_bound++;
	if (outcome->failed == ACT_LOAD)
		error = "there is no vfio-pci driver";
	else if (outcome->failed == ACT_BIND && outcome->error == EINVAL)
		next = " (vfio-pci refuses it: denylist, or no group)";
	else if (outcome->failed == ACT_UNBIND)
		next = fn->driver;
	snprintf(why, sizeof(why), "%s%s%s: %s%s", act_step_name(outcome->failed),
		 outcome->failed == ACT_UNBIND ? " from " : "",
		 outcome->failed == ACT_UNBIND ? next : "", error,
		 outcome->failed == ACT_UNBIND ? "" : next);

	if (outcome->result == ACT_STUCK)
		snprintf(what, sizeof(what), "not bound, left to %s, which did not let go of it",
			 fn->driver);
	else if (outcome->release_error)
		snprintf(what, sizeof(what), "not bound, and not released (%s)",
			 strerror(outcome->release_error));
	else if (outcome->result == ACT_HELD)
		snprintf(what, sizeof(what), "not bound, held without a driver");
	else
		snprintf(what, sizeof(what), "not bound, released to %s",
			 *outcome->driver ? outcome->driver : "whichever driver comes");
	report_function(&report, REPORT_ERROR, fn, what, why);
	enter(run, i, outcome->result == ACT_HELD ? "held" : "failed", outcome->driver, why);
}

/* A function that shares a group with one that is taken, and that stays with the host. */
static void report_crowd(const struct run *run, unsigned int i)
{
	const struct pci_function *fn = &run->act.table.fn[i];
	char what[PCI_DRIVER_SIZE + 64];

	snprintf(what, sizeof(what), "stays with %s, so no VM can be given group %d",
		 *fn->driver ? fn->driver : "the host", fn->group);
	report_function(&report, REPORT_WARNING, fn, what,
			"name it in a bind line, or set group claim");
}

static void report_verdict(struct run *run, unsigned int i)
{
	const struct pci_function *fn = &run->act.table.fn[i];
	const struct verdict *verdict = &run->act.decisions.verdict[i];
	const struct act_outcome *outcome = &run->act.outcome[i];
	char reason[REASON_SIZE];
	bool as_configured;

	decide_reason(&plan, &run->iommu, &run->act.table, &run->act.decisions, i, reason,
		      sizeof(reason));
	switch (verdict->decision) {
	case DECIDE_NOTHING:
		break;
	case DECIDE_KEEP:
		run->bound++;
		report_function(&report, REPORT_INFO, fn,
				*reason ? "not taken" : "already on vfio-pci", reason);
		enter(run, i, "kept", fn->driver, reason);
		break;
	case DECIDE_REFUSE:
		as_configured = verdict->reason == REASON_EXCEPT ||
				verdict->reason == REASON_BOOT_VGA;
		run->refused++;
		run->failed |= !as_configured;
		report_function(&report, as_configured ? REPORT_INFO : REPORT_WARNING, fn,
				"refused", reason);
		enter(run, i, "refused", fn->driver, reason);
		break;
	case DECIDE_HOLD:
	case DECIDE_BIND:
		if (run->dry_run) {
			report_function(&report, REPORT_INFO, fn,
					verdict->decision == DECIDE_BIND ?
						"would be bound to vfio-pci" :
						"would be held without a driver",
					reason);
			enter(run, i, "planned", fn->driver, reason);
		} else if (outcome->result == ACT_BOUND) {
			report_bound(run, i, reason);
		} else if (verdict->decision == DECIDE_HOLD && outcome->failed == ACT_START) {
			run->not_bound++;
			report_function(&report, REPORT_ERROR, fn, "held without a driver", reason);
			enter(run, i, "held", outcome->driver, reason);
		} else {
			report_failed(run, i);
		}
		break;
	}
	if (verdict->crowds)
		report_crowd(run, i);
}

/* Bind lines that no function answers to. */
static void report_absent(struct run *run)
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
		run->failed = true;
		report_line(&report, REPORT_WARNING, "bind %s: no such function is there",
			    plan.bind[i].text);
		report_entry(&report, &entry);
	}
}

static void log_end(const struct run *run)
{
	report_line(&report, REPORT_INFO, "done in %u ms: %u bound, %u failed, %u refused",
		    elapsed_ms(), run->bound, run->not_bound, run->refused);
}

static int exit_status(const struct run *run)
{
	return run->failed || run->not_bound || plan.losts || errors.count ?
		       EXIT_NOT_AS_CONFIGURED :
		       EXIT_AS_CONFIGURED;
}

/*
 * udev calls for every function there is, again at each coldplug. What the boot already reported
 * is not said again, unless there is something to do.
 */
static bool is_old_news(const struct run *run)
{
	enum decision decision = run->act.decisions.verdict[0].decision;

	if (!run->act.table.candidates)
		return true;
	return decision != DECIDE_BIND && decision != DECIDE_HOLD &&
	       report_has_entry(&report, &run->act.table.fn[0]);
}

/* Steps 3 to 11. */
static int run_steps(void *arg)
{
	struct run *run = arg;
	struct act *act = &run->act;

	iommu_read(act->rootfd, cmdline, plans_noiommu(), &run->iommu);
	if (!run->is_late)
		log_start(run);
	if (!collect(run))
		return exit_status(run);
	decide(&plan, &run->iommu, &act->table, &act->decisions);
	if (run->is_late && is_old_news(run))
		return EXIT_AS_CONFIGURED;
	find_hints(run);
	log_before(run);

	if (!run->dry_run)
		act_run(act);
	log_modules(run);
	for (; run->reported < act->table.count; run->reported++)
		report_verdict(run, run->reported);
	if (!run->is_late) {
		report_absent(run);
		log_end(run);
	}
	return exit_status(run);
}

/* What the parent says of a run that did not come back. */
static void report_undone(struct run *run, int error)
{
	const struct act *act = &run->act;
	char at[PCI_ADDRESS_SIZE] = "";

	if (act->step != ACT_START && act->step != ACT_LOAD && act->step != ACT_DONE)
		pci_address_format(&act->table.fn[act->current].addr, at);
	if (error == -ETIMEDOUT)
		report_line(&report, REPORT_ERROR,
			    "deadline of %u s passed at %s %s: the boot goes on without the rest",
			    plan.deadline, act_step_name(act->step),
			    act->step == ACT_LOAD ? plan.module[act->current].path : at);
	else
		report_line(&report, REPORT_ERROR, "the run ended at %s %s: %s",
			    act_step_name(act->step), at, strerror(-error));

	for (; run->reported < act->table.count; run->reported++) {
		unsigned int i = run->reported;
		const struct verdict *verdict = &act->decisions.verdict[i];

		if (verdict->decision != DECIDE_BIND && verdict->decision != DECIDE_HOLD)
			continue;
		if (act->outcome[i].result == ACT_BOUND) {
			report_bound(run, i, "");
			continue;
		}
		run->not_bound++;
		report_function(&report, REPORT_ERROR, &act->table.fn[i], "undone",
				"the run did not end; its override may be set");
		enter(run, i, "undone", "", "the run did not end");
	}
	log_end(run);
}

static int run_plan(struct run *run, const struct plan_place *place)
{
	int len = read_plan(place), ret;

	if (len < 0)
		return EXIT_NO_PLAN;
	/* For --late, which is asked on the host too, where there is no image to read it from. */
	if (!run->is_late && !run->dry_run)
		sysfs_replace(report.rootfd, PATH_RUN_PLAN, plan_text, (size_t)len);

	plan_init(&plan);
	plan_parse(&plan, plan_text, (size_t)len, PLAN_COMPILED, &errors);
	if (!check_plan(place->path))
		return EXIT_NO_PLAN;
	if (!plan.binds) {
		report_line(&report, REPORT_INFO, "%s: no bind line: nothing to do", VERSION);
		return exit_status(run);
	}

	run->act.plan = &plan;
	ret = act_with_deadline(run_steps, run, (int)plan.deadline * 1000);
	if (ret >= 0)
		return ret;
	report_undone(run, ret);
	return EXIT_NOT_AS_CONFIGURED;
}

static int usage(const char *why, const char *what)
{
	static const char text[] =
		"usage: vfio-early-bind [-n] [-r ROOT] [-p PLAN] [--late ADDRESS]\n";

	if (why) {
		char line[256];
		int len = snprintf(line, sizeof(line), "vfio-early-bind: %s%s\n", why, what);

		if (len > (int)sizeof(line) - 1)
			len = sizeof(line) - 1;
		if (write(STDERR_FILENO, line, (size_t)len) < 0)
			return EXIT_USAGE;
	}
	if (write(why ? STDERR_FILENO : STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		return EXIT_USAGE;
	return why ? EXIT_USAGE : EXIT_AS_CONFIGURED;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },	  { "root", required_argument, NULL, 'r' },
		{ "plan", required_argument, NULL, 'p' }, { "late", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },	  { NULL, 0, NULL, 0 },
	};
	struct plan_place place = { .dirfd = AT_FDCWD };
	const char *root = "/";
	struct run *run;
	int c, ret;

	gettimeofday(&started, NULL);
	run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run == MAP_FAILED)
		return usage("mmap: ", strerror(errno));

	while ((c = getopt_long(argc, argv, "nr:p:h", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			report.to_stdout = run->dry_run = true;
			break;
		case 'r':
			root = optarg;
			break;
		case 'p':
			place.path = optarg;
			break;
		case 'l':
			if (pci_address_parse(optarg, &run->late))
				return usage("write --late 0000:81:00.0, not ", optarg);
			run->is_late = true;
			break;
		case 'h':
			return usage(NULL, NULL);
		default:
			return usage("unknown option, or one without its argument", "");
		}
	}
	if (optind < argc)
		return usage("no such argument: ", argv[optind]);

	report.rootfd = run->act.rootfd = sysfs_open_dir(AT_FDCWD, root);
	if (report.rootfd < 0)
		return usage(root, ": no such directory");

	ret = sysfs_read_whole(report.rootfd, PATH_CMDLINE, cmdline, sizeof(cmdline));
	if (ret < 0)
		report_line(&report, REPORT_WARNING, "/" PATH_CMDLINE ": %s", strerror(-ret));
	if (cmdline_find(cmdline, "vfio_early", "off", NULL)) {
		if (!run->is_late)
			report_line(
				&report, REPORT_INFO,
				"vfio_early=off on the kernel command line: nothing was touched");
		return EXIT_AS_CONFIGURED;
	}
	run->dry_run |= cmdline_find(cmdline, "vfio_early", "dry-run", NULL);
	report_begin(&report, !run->is_late);

	if (place.path == NULL)
		place = (struct plan_place){
			.dirfd = report.rootfd,
			.path = run->is_late ? PATH_RUN_PLAN : PATH_PLAN,
		};
	return run_plan(run, &place);
}
