// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early-bind: hands PCI functions to vfio-pci in the initramfs, before udev and any other
 * driver. This file has the arguments, the order of the steps, what is logged when, and the exit
 * status.
 *
 *     1. vfio_early=off on the kernel command line, or a crash kernel: one log line, nothing else
 *     2. the plan
 *     3. the IOMMU
 *     4. facts of the functions that the plan names, and of their group mates
 *     5. a verdict for each
 *     6. to 10. override, unbind, load, bind, verify: act_run()
 *     11. the report
 *
 * A child does steps 3 to 11, because a device can block any of them for ever. The child's state is
 * in shared memory: past the deadline the parent reports what was not done, and the boot continues.
 * --give-back is a different run, for a boot that does not find its root; see give_back().
 *
 * All memory is static or that one mapping; nothing is allocated.
 *
 * Exit status: 0 all as configured, 1 some function is not, 2 usage, 3 no plan or an unreadable
 * one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
#include "tell.h"
#include "text.h"

enum exit_status {
	EXIT_AS_CONFIGURED,
	EXIT_NOT_AS_CONFIGURED,
	EXIT_USAGE,
	EXIT_NO_PLAN,
};

static struct plan plan;
static struct plan_errors errors;
static char plan_text[PLAN_MAX_TEXT];
static char cmdline[CMDLINE_SIZE];
static struct report report;
static struct timeval started;
#ifdef __KLIBC__
/*
 * The system call itself: the rest of klibc's sigaction() is for handlers, and there is none here.
 */
extern int __rt_sigaction(int sig, const struct sigaction *act, struct sigaction *old, size_t size);
#define sigaction(sig, act, old) __rt_sigaction(sig, act, old, sizeof(sigset_t))
#endif

static struct sigaction by_default; /* SIG_DFL is 0 */

/* What the child that does the work and the parent that waits for it share. */
struct run {
	bool is_dry;
	bool is_late;
	bool is_synthetic; /* --late: udev replays an event, by SYNTH_UUID */
	bool is_busy;	   /* --late: another run did not end in time */
	bool is_rope;	   /* --give-back */
	int lockfd;
	struct pci_address late;
	bool is_decided;       /* steps 3 to 5 are done */
	bool is_wrong;	       /* a problem that is not of a single function: a module, the scan */
	unsigned int reported; /* functions of the table that are in the log and the report already */
	unsigned int bound, not_bound, refused;
	struct act act;
	struct iommu iommu;
};

/*
 * Milliseconds since the start. klibc has no clock_gettime(): if the clock is set in the meantime,
 * only the number that is printed is wrong.
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

/* No later run binds anything by this plan. */
static void empty_plan(void)
{
	sysfs_replace(SYSFS_ROOT(&report), PATH_RUN_PLAN, "", 0);
}

static enum exit_status exit_status(const struct run *run)
{
	if (run->is_wrong || run->act.is_unset || run->not_bound || plan.losts || errors.count)
		return EXIT_NOT_AS_CONFIGURED;
	return EXIT_AS_CONFIGURED;
}

/* Step 4, with its log lines. */
static bool read_functions(struct run *run)
{
	struct pci_table *table = &run->act.table;
	int ret = pci_collect(SYSFS_ROOT(&run->act), &plan, run->is_late ? &run->late : NULL,
			      table);

	run->is_wrong = table->unreadable;
	if (table->unreadable)
		tell_unreadable(&report, table);
	if (run->is_late && ret == -ENOENT)
		return false;
	if (ret)
		tell_no_functions(&report, ret);
	run->is_wrong |= ret != 0;
	return !ret;
}

/*
 * Runs for functions of one group wait for each other: udev starts them at the same time. Most runs
 * are for functions that no line names, and wait for nobody. Returns whether there is something to
 * do.
 */
static bool wait_for_turn(struct run *run)
{
	struct pci_function fn;

	pci_resolve_plan(SYSFS_ROOT(&run->act), &plan);
	if (pci_read(SYSFS_ROOT(&run->act), &run->late, &fn) == 0 &&
	    !pci_is_named(SYSFS_ROOT(&run->act), &plan, &fn))
		return false;
	run->is_busy = sysfs_lock(run->lockfd, (int)plan.deadline * 1000 / 2) == -ETIMEDOUT;
	return true;
}

/* Steps 3 and 4. Returns false if nothing can be known, or nothing is to be done. */
static bool collect(struct run *run)
{
	iommu_read(SYSFS_ROOT(&run->act), cmdline, plan_wants_noiommu(&plan), &run->iommu);
	run->act.table.late_groups = run->iommu.has_smmu;
	if (!run->is_late)
		tell_start(&report, &plan, &run->iommu);
	else if (!wait_for_turn(run))
		return false;
	if (read_functions(run))
		return true;
	/* The log says that nothing was touched: this stays true for devices that appear later. */
	if (!run->is_late && !run->is_dry)
		empty_plan();
	return false;
}

/* Finds where a pinned device went. Only needed if one is missing from its address. */
static void find_hint(const struct run *run, struct verdict *verdict)
{
	if (verdict->reason == REASON_ID_CHANGED)
		verdict->has_hint = pci_find_pinned(SYSFS_ROOT(&run->act),
						    &plan.bind[verdict->bind].sel,
						    &verdict->hint) == 1;
}

/* From functions other than VGA only efifb is released; see release_framebuffer() in act.c. */
static bool shows_console(const struct pci_function *fn)
{
	return fn->boot_vga || fn->framebuffer == PCI_FB_EFIFB ||
	       (fn->framebuffer != PCI_FB_NONE && pci_is_vga(fn));
}

/* The framebuffer belongs to another card, whose console goes with it. */
static bool takes_console(const struct run *run, const struct pci_function *fn)
{
	char kernel[64];

	return pci_is_vga(fn) &&
	       sysfs_read(SYSFS_ROOT(&run->act), PATH_RELEASE, kernel, sizeof(kernel)) > 0 &&
	       pci_kernel_evicts_all(kernel) && pci_has_framebuffer(SYSFS_ROOT(&run->act));
}

/* Logged before the bind: the console may be gone afterwards. */
static void log_before(struct run *run)
{
	for (unsigned int i = 0; i < run->act.table.count; i++) {
		const struct pci_function *fn = &run->act.table.fn[i];
		struct verdict *verdict = &run->act.decisions.verdict[i];

		find_hint(run, verdict);
		if (verdict->also != DECIDE_NO_INDEX)
			tell_also_named(&report, fn, plan.bind[verdict->also].text);
		if (verdict->decision == DECIDE_BIND &&
		    (shows_console(fn) || takes_console(run, fn)))
			tell_console(&report, fn, !shows_console(fn), run->is_dry);
	}
}

static void log_verdict(struct run *run, unsigned int i)
{
	const struct tell_facts facts = {
		.plan = &plan,
		.iommu = &run->iommu,
		.table = &run->act.table,
		.decisions = &run->act.decisions,
	};
	const struct verdict *verdict = &run->act.decisions.verdict[i];

	switch (tell_verdict(&report, &facts, i, run->is_dry ? NULL : &run->act.outcome[i],
			     elapsed_ms())) {
	case REPORT_BOUND:
	case REPORT_KEPT:
		run->bound++;
		break;
	case REPORT_REFUSED:
		run->refused++;
		/* These two are what the administrator asked for. */
		if (verdict->reason != REASON_EXCEPT && verdict->reason != REASON_BOOT_VGA)
			run->is_wrong = true;
		break;
	case REPORT_PLANNED:
		if (verdict->decision == DECIDE_HOLD)
			run->not_bound++;
		else
			run->bound++;
		break;
	case REPORT_FAILED:
	case REPORT_HELD:
	case REPORT_UNDONE:
		run->not_bound++;
		break;
	default:
		break;
	}
}

/* Bind lines that match no function. */
static void log_absent(struct run *run)
{
	for (unsigned int i = 0; i < plan.binds; i++) {
		/* The host will create virtual functions later. */
		if (run->act.decisions.matched[i] || plan.bind[i].sel.kind == SELECTOR_VF)
			continue;
		run->refused++;
		run->is_wrong = true;
		tell_absent(&report, plan.bind[i].text, elapsed_ms());
	}
}

/* Step 11, for functions that are not reported yet. */
static void log_rest(struct run *run)
{
	for (; run->reported < run->act.table.count; run->reported++)
		if (!run->act.table.fn[run->reported].is_settled)
			log_verdict(run, run->reported);
	if (run->is_late)
		return;
	/* A function that could not be read may be the missing one. */
	if (run->is_decided && !run->act.table.unreadable)
		log_absent(run);
	tell_done(&report, elapsed_ms(), run->is_dry, run->bound, run->not_bound, run->refused);
}

/*
 * udev calls --late for every function, and again at each coldplug, in the initramfs and on the
 * host. A function that a boot gave up on stays as it is until the next boot: with "failure
 * release" its own driver may keep it. A refusal is logged once. A function that is no longer bound
 * has been plugged in again, unless the event is a replay: then somebody gave it back to the host.
 * A function that is no longer held has been plugged in again too.
 */
static bool is_old_news(const struct run *run, enum report_result found)
{
	enum decision decision = run->act.decisions.verdict[0].decision;
	const struct pci_function *fn = &run->act.table.fn[0];

	if (!run->act.table.candidates)
		return true;
	if (found == REPORT_NONE)
		return false;
	if (run->is_synthetic)
		return true;
	if (decision != DECIDE_BIND && decision != DECIDE_HOLD)
		return decision != DECIDE_REFUSE || found != REPORT_BOUND;
	if (found == REPORT_HELD)
		return pci_is_overridden(SYSFS_ROOT(&run->act), &fn->addr, "vfio-pci");
	return found != REPORT_BOUND;
}

/*
 * Leaves out other members of the group that an earlier run dealt with: those that are with the
 * host now may have been given back. If a function was plugged in again, its whole slot was.
 */
static void settle_mates(struct run *run, enum report_result found)
{
	struct pci_table *table = &run->act.table;
	bool came_back = found == REPORT_BOUND || found == REPORT_HELD;

	for (unsigned int i = 1; i < table->count; i++) {
		struct pci_function *fn = &table->fn[i];
		bool is_same = pci_address_same_slot(&fn->addr, &table->fn[0].addr);

		fn->is_settled = report_find_entry(&report, fn) != REPORT_NONE &&
				 !(came_back && is_same && !pci_is_with_vfio(fn));
	}
}

/* Steps 5 to 11. */
static void bind_and_log(struct run *run)
{
	struct act *act = &run->act;

	log_before(run);
	if (run->is_busy)
		act_reserve(act);
	else if (!run->is_dry)
		act_run(act);
	run->is_wrong |= tell_modules(&report, act, 0, cmdline);
	log_rest(run);
}

/* Steps 3 to 11, in the child. */
static int run_steps(void *arg)
{
	struct run *run = arg;
	struct act *act = &run->act;
	enum report_result found = REPORT_NONE;

	if (!collect(run))
		return run->is_late ? run->is_wrong : exit_status(run);
	if (run->is_late && act->table.candidates) {
		found = report_find_entry(&report, &act->table.fn[0]);
		settle_mates(run, found);
	}
	decide(&plan, &run->iommu, &act->table, &act->decisions);
	run->is_decided = true;
	/* The only problem here is that its facts could not be read. */
	if (run->is_late && is_old_news(run, found))
		return run->is_wrong;
	bind_and_log(run);
	return exit_status(run);
}

/* --give-back, for one function: if an earlier run took it and nobody has given it back. */
static int give_back_one(const struct pci_function *fn, int error, void *arg)
{
	struct run *run = arg;
	enum report_result found;
	struct act_outcome outcome;

	if (error || !decide_may_hold_root(fn) || (*fn->driver && !pci_is_with_vfio(fn)))
		return 0;
	found = report_find_entry(&report, fn);
	if (found != REPORT_BOUND && found != REPORT_HELD)
		return 0;
	run->is_wrong = true;
	act_give_back(&run->act, fn, &outcome);
	tell_gave_back(&report, fn, &outcome, elapsed_ms());
	return 0;
}

/*
 * The last resort, in the child: the initramfs did not find the root file system. After this no run
 * of this boot binds anything: the root may be on a device that appears now.
 */
static int give_back(void *arg)
{
	struct run *run = arg;

	sysfs_lock(run->lockfd, run->act.patience);
	pci_scan(SYSFS_ROOT(&run->act), give_back_one, run);
	if (run->is_wrong)
		empty_plan();
	return run->is_wrong;
}

/* What the parent reports about a run that did not end. */
static enum exit_status give_up(struct run *run, int error)
{
	tell_given_up(&report, &run->act, elapsed_ms(), error);
	if (run->is_decided)
		act_look(&run->act);
	log_rest(run);
	return EXIT_NOT_AS_CONFIGURED;
}

/* Where the plan is: below the root, or where the caller stands if the caller named one. */
struct plan_place {
	int dirfd;
	const char *path;
};

/* Step 2. Returns whether there is a plan that can be trusted. */
static bool read_plan(const struct run *run, const struct plan_place *place)
{
	int len = sysfs_read_whole(place->dirfd, place->path, plan_text, sizeof(plan_text));

	/* The boot's run emptied the plan, and logged why. */
	if (!len && run->is_late && sysfs_is_empty(place->dirfd, place->path))
		return true;
	if (len <= 0) {
		tell_no_plan(&report, place->path, len);
		return false;
	}
	/*
	 * For --late, which also runs on the host, where there is no image to read the plan from.
	 */
	if (!run->is_late && !run->is_dry &&
	    sysfs_replace(SYSFS_ROOT(&report), PATH_RUN_PLAN, plan_text, (size_t)len))
		/* Half of the plan would protect less. */
		empty_plan();

	plan_init(&plan);
	plan_parse(&plan, plan_text, (size_t)len, PLAN_COMPILED, &errors);
	/* A later run must not trust a plan that this run does not trust. */
	if (errors.unsafe && !run->is_late && !run->is_dry)
		empty_plan();
	/* Logged once: --late reads the plan of a run that logged it. */
	if (!run->is_late) {
		tell_plan_errors(&report, place->path, &errors);
		tell_lost(&report, &plan);
	}
	return !errors.unsafe;
}

/* Runs steps 3 to 11, or --give-back, in a child with a deadline. */
static enum exit_status run_child(struct run *run, int (*steps)(void *arg))
{
	int ret;

	/* A dry run changes nothing, and takes no lock. */
	if (run->is_late && !run->is_dry)
		run->lockfd = sysfs_open_lock(SYSFS_ROOT(&report), PATH_RUN_LOCK);
	run->act.patience = (int)plan.deadline * 1000 / 4;
	/* A late run may spend half of its time waiting for others. */
	ret = act_with_deadline(steps, run, (int)plan.deadline * (run->is_late ? 1500 : 1000));
	if (ret < 0)
		ret = (int)give_up(run, ret);
	/* Also if a grandchild hangs: it has the descriptor too. */
	sysfs_unlock(run->lockfd);
	return (enum exit_status)ret;
}

static enum exit_status run_plan(struct run *run, const struct plan_place *place)
{
	if (run->is_rope) {
		plan_init(&plan);
		return run->is_dry ? EXIT_AS_CONFIGURED : run_child(run, give_back);
	}
	if (!read_plan(run, place))
		return EXIT_NO_PLAN;
	if (plan.has_tasks && !run->is_late && !run->is_dry)
		sysfs_replace(SYSFS_ROOT(&report), PATH_RUN_TASKS, "", 0);
	if (!plan.binds) {
		if (run->is_late)
			return EXIT_AS_CONFIGURED;
		tell_no_bind(&report);
		return exit_status(run);
	}
	run->act.plan = &plan;
	return run_child(run, run_steps);
}

struct arguments {
	const char *root;
	struct plan_place place;
};

static bool fail_usage(const char *why, const char *what)
{
	tell_usage(why, what);
	return false;
}

/* getopt_long() would be a fifteenth of the binary's limit, for four options. */
static bool parse_arguments(int argc, char **argv, struct run *run, struct arguments *arguments)
{
	for (int i = 1; i < argc; i++) {
		const char *option = argv[i], *value = argv[i + 1];

		if (!strcmp(option, "-n")) {
			report.to_stdout = run->is_dry = true;
			continue;
		}
		if (!strcmp(option, "--give-back")) {
			run->is_late = run->is_rope = true;
			continue;
		}
		if (!value)
			return fail_usage("unknown or incomplete option:", option);
		i++;
		if (!strcmp(option, "-r")) {
			arguments->root = value;
		} else if (!strcmp(option, "-p")) {
			/* The working directory of the caller, before the root is entered. */
			arguments->place.path = value;
			arguments->place.dirfd = sysfs_open_dir(AT_FDCWD, ".");
		} else if (!strcmp(option, "--late")) {
			if (pci_address_parse(value, &run->late))
				return fail_usage("write --late 0000:81:00.0, not", value);
			run->is_late = true;
		} else {
			return fail_usage("unknown or incomplete option:", option);
		}
	}
	return true;
}

/* Step 1. A --late run logs nothing: the boot has logged it. */
static bool is_told_off(struct run *run)
{
	char unknown[CMDLINE_PARAM_SIZE];
	enum cmdline_mode mode = cmdline_mode(cmdline, unknown);
	/* A crash kernel writes the dump to disks and NICs that may be in the plan. */
	bool is_crash_kernel = sysfs_exists(SYSFS_ROOT(&report), PATH_VMCORE);

	run->is_dry |= mode == CMDLINE_DRY_RUN;
	if (!is_crash_kernel && mode != CMDLINE_OFF && mode != CMDLINE_UNKNOWN)
		return false;
	if (is_crash_kernel && !run->is_late)
		tell_crash_kernel(&report);
	else if (!run->is_late)
		tell_off(&report, unknown);
	return true;
}

int main(int argc, char **argv, char **envp)
{
	struct arguments arguments = { .root = "/" };
	struct run *run;
	int ret;

	gettimeofday(&started, NULL);
	/*
	 * The caller may ignore SIGCHLD, and exec keeps that: waiting for a child would be
	 * impossible.
	 */
	sigaction(SIGCHLD, &by_default, NULL);
	run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run == MAP_FAILED) {
		tell_usage("mmap:", text_error(errno));
		return EXIT_USAGE;
	}
	run->lockfd = -1;
	for (; *envp; envp++) {
		const char *pos = *envp;

		run->is_synthetic |= text_skip_prefix(&pos, "SYNTH_UUID=");
	}
	if (!parse_arguments(argc, argv, run, &arguments))
		return EXIT_USAGE;
	if (chdir(arguments.root) < 0) {
		tell_usage(arguments.root, text_error(errno));
		return EXIT_USAGE;
	}
	SYSFS_ROOT_IS_HERE(&report);
	SYSFS_ROOT_IS_HERE(&run->act);

	ret = sysfs_read_whole(SYSFS_ROOT(&report), PATH_CMDLINE, cmdline, sizeof(cmdline));
	report_begin(&report, !run->is_late);
	if (is_told_off(run))
		return EXIT_AS_CONFIGURED;
	if (ret < 0)
		tell_no_cmdline(&report, ret);

	if (!arguments.place.path)
		arguments.place = (struct plan_place){
			.dirfd = AT_FDCWD,
			.path = run->is_late ? PATH_RUN_PLAN : PATH_PLAN,
		};
	return run_plan(run, &arguments.place);
}
