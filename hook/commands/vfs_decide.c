// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verdicts for the virtual functions that were just made; see vfs_decide.h.
 *
 * udev also starts a late run for each of them, and the first of the two decides. Here one process
 * handles all of them, and reads the plan and loads the modules only once: a process for each would
 * cost more than all of the kernel's work. For each function it waits for the lock of the late
 * runs, and releases it.
 *
 * Special cases are left to the late run itself, as a program: a function that the report already
 * has, another device than the planned one, the host's console.
 *
 * Any step can block on a device for ever. So a child handles one function after the other. If it
 * does not finish in time, its current function is given up, and a new child continues with the
 * next one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "commands/vfs_decide.h"
#include "early/act.h"
#include "early/paths.h"
#include "early/pci.h"
#include "early/sysfs.h"
#include "early/tell.h"
#include "host/boot_report.h"
#include "util/message.h"
#include "util/program.h"
#include "util/words.h"

#define PATH_BIND "/usr/lib/vfio-early/vfio-early-bind"
#define MAX_VFS	  65535 /* TotalVFs has 16 bits: SR-IOV 1.1, 3.3.5 */

/* The state of one of them. */
enum vf_state {
	VF_NEW,
	VF_OWN_RUN, /* its late run must be started as a program */
	VF_STUCK,   /* its driver hangs: it is not read again */
};

/* Shared by the child and its parent. */
struct batch {
	const struct vfs_made *made;
	struct iommu iommu;
	char cmdline[4096];
	int lockfd;
	unsigned int next; /* the current function of the child */
	bool is_decided;   /* the current function has verdicts */
	bool is_any_stuck;
	struct timespec from;
	struct pci_address addr[MAX_VFS];
	unsigned char state[MAX_VFS];
	struct pci_function at; /* the current function, as far as it was read */
	struct pci_function known[PCI_MAX_FUNCTIONS]; /* set when one is stuck: see know_all() */
	unsigned int knowns;
	struct act act;
};

typedef void (*step_fn)(struct batch *batch, unsigned int i);

/* For the child only: the report as it was last read. It grows with each of them. */
static struct {
	struct boot_report entries;
	int fd; /* 0: not opened yet */
	off_t size;
} known;

static unsigned int ms_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned int)((now.tv_sec - from->tv_sec) * 1000 +
			      (now.tv_nsec - from->tv_nsec) / 1000000);
}

static struct tell_facts facts_of(const struct batch *batch)
{
	return (struct tell_facts){
		.plan = batch->made->plan,
		.iommu = &batch->iommu,
		.table = &batch->act.table,
		.decisions = &batch->act.decisions,
	};
}

static void say_verdicts(struct batch *batch)
{
	const struct tell_facts facts = facts_of(batch);
	const struct act *act = &batch->act;

	for (unsigned int i = 0; i < act->table.count; i++)
		if (!act->table.fn[i].is_settled)
			tell_verdict(batch->made->report, &facts, i, &act->outcome[i],
				     ms_since(&batch->from));
}

/* --- the verdict for one */

static off_t report_size(void)
{
	struct stat st;

	return known.fd > 0 && !fstat(known.fd, &st) ? st.st_size : -1;
}

/* Has an earlier run decided on it? The report is read again only if others have added to it. */
static bool is_reported(const struct batch *batch, const struct pci_function *fn)
{
	char addr[PCI_ADDRESS_SIZE];
	off_t size;

	if (known.fd <= 0)
		known.fd = sysfs_open(batch->act.rootfd, PATH_RUN_REPORT);
	size = report_size();
	if (size < 0 || size != known.size) {
		boot_report_free(&known.entries);
		boot_report_read(batch->made->root, &known.entries);
		known.size = size;
	}
	return boot_report_find(&known.entries, pci_address_format(&fn->addr, addr)) &&
	       report_find_entry(batch->made->report, fn) != REPORT_NONE;
}

/* Other functions of its group that have been decided on are not changed. */
static void settle_mates(struct batch *batch)
{
	struct pci_table *table = &batch->act.table;

	for (unsigned int i = 1; i < table->count; i++)
		table->fn[i].is_settled = is_reported(batch, &table->fn[i]);
}

/* Called with the lock. Returns whether its own late run must handle it. */
static bool decide_locked(struct batch *batch, unsigned int i)
{
	const struct vfs_made *made = batch->made;
	struct act *act = &batch->act;
	const struct verdict *verdict = &act->decisions.verdict[0];
	unsigned int tried = act->modules_tried;
	bool is_alone;
	int ret = pci_collect(act->rootfd, made->plan, &batch->addr[i], &act->table);

	if (ret || act->table.unreadable)
		return ret != -ENOENT;
	if (!act->table.candidates)
		return false;
	if (is_reported(batch, &act->table.fn[0]))
		return made->is_repeat;
	if (pci_is_vga(&act->table.fn[0]))
		return true;
	settle_mates(batch);
	memset(act->outcome, 0, act->table.count * sizeof(*act->outcome));
	decide(made->plan, &batch->iommu, &act->table, &act->decisions);
	if (verdict->reason == REASON_ID_CHANGED)
		return true;
	batch->is_decided = true;
	batch->at = act->table.fn[0];
	if (verdict->also != DECIDE_NO_INDEX)
		tell_also_named(made->report, &act->table.fn[0],
				made->plan->bind[verdict->also].text);
	act_run(act);
	/* Modules are loaded with the first function: failures are reported once. */
	tell_modules(made->report, act, tried, batch->cmdline);
	is_alone = act->table.count == 1 && report_size() == known.size;
	say_verdicts(batch);
	/* Our own new lines are about this function only, so the report need not be read again. */
	if (is_alone)
		known.size = report_size();
	return false;
}

static void decide_one(struct batch *batch, unsigned int i)
{
	batch->is_decided = false;
	batch->act.step = ACT_START;
	batch->act.patience = (int)batch->made->plan->deadline * 1000 / 4;
	clock_gettime(CLOCK_MONOTONIC, &batch->from);
	batch->state[i] = VF_OWN_RUN;
	if (sysfs_lock(batch->lockfd, (int)batch->made->plan->deadline * 1000 / 2))
		return;
	if (!decide_locked(batch, i))
		batch->state[i] = VF_NEW;
	sysfs_unlock(batch->lockfd);
}

static void know(struct batch *batch, const struct pci_function *fn)
{
	if (batch->knowns < PCI_MAX_FUNCTIONS)
		batch->known[batch->knowns++] = *fn;
}

static int know_one(const char *name, void *arg)
{
	struct batch *batch = arg;
	struct pci_function fn;
	struct pci_address addr;

	if (pci_address_parse(name, &addr) || pci_address_equal(&addr, &batch->addr[batch->next]) ||
	    pci_read(batch->act.rootfd, &addr, &fn))
		return 0;
	know(batch, &fn);
	return 0;
}

static int know_others(void *arg)
{
	struct batch *batch = arg;

	sysfs_for_each(batch->act.rootfd, PATH_PCI_DEVICES, know_one, batch);
	return 0;
}

/*
 * If the driver of a function hangs, reading its uevent blocks (6.1: drivers/base/core.c,
 * uevent_show), and the verdict of the next function needs function 0 of its slot, and its group.
 * From now on, they are taken as they were read before.
 */
static void know_all(struct batch *batch, unsigned int ms)
{
	unsigned int stuck = 0;

	while (stuck < batch->knowns &&
	       !pci_address_equal(&batch->known[stuck].addr, &batch->at.addr))
		stuck++;
	if (!batch->knowns) {
		act_with_deadline(know_others, batch, (int)ms);
		know(batch, &batch->at);
	} else if (stuck < batch->knowns) {
		batch->known[stuck] = batch->at;
	}
	batch->act.table.known = batch->known;
	batch->act.table.knowns = batch->knowns;
}

/* Like a run at boot that did not finish (early/main.c, give_up). */
static void give_up_verdict(struct batch *batch, int error)
{
	tell_given_up(batch->made->report, &batch->act, ms_since(&batch->from), error);
	if (!batch->is_decided)
		return;
	act_look(&batch->act);
	say_verdicts(batch);
	know_all(batch, batch->made->plan->deadline * 1000);
}

/* Starts its late run, as udev does. */
static void run_own(const struct batch *batch, unsigned int i)
{
	char addr[PCI_ADDRESS_SIZE];
	const char *const argv[] = { PATH_BIND, "--late", pci_address_format(&batch->addr[i], addr),
				     NULL };

	if (batch->made->root->is_host)
		program_run(NULL, argv, NULL, NULL);
}

/* --- those that no line names */

static void say_left(struct batch *batch, const struct pci_function *vf, enum report_result result,
		     enum report_level level, const char *text)
{
	const struct report_entry entry = {
		.fn = vf,
		.result = result,
		.why = REASON_VF_LEFT,
		.driver = vf->driver,
		.reason = text,
	};

	report_function(batch->made->report, level, vf, text, "");
	report_entry(batch->made->report, &entry);
}

/* Does it have neither a driver nor an override? */
static bool is_free(int rootfd, const struct pci_function *vf)
{
	char path[SYSFS_PATH_MAX], text[PCI_DRIVER_SIZE];
	int len = sysfs_read(rootfd, pci_attribute(path, &vf->addr, "driver_override"), text,
			     sizeof(text));

	return !*vf->driver && (len == 0 || (len > 0 && !strcmp(text, "(null)")));
}

/*
 * Not one that is kept from its driver, or that was given back by hand. For one that failed, its
 * release may have had no effect, because sriov_drivers_autoprobe was 0.
 */
static bool is_for_its_driver(const struct batch *batch, enum report_result found)
{
	if (found == REPORT_FAILED)
		return batch->made->plan->failure == PLAN_FAILURE_RELEASE;
	return found == REPORT_NONE || found == REPORT_REFUSED || found == REPORT_LEFT;
}

static void probe_one(struct batch *batch, unsigned int i)
{
	int rootfd = batch->act.rootfd;
	struct pci_function *vf = &batch->at;
	char addr[PCI_ADDRESS_SIZE];
	enum report_result found;

	clock_gettime(CLOCK_MONOTONIC, &batch->from);
	*vf = (struct pci_function){ .addr = batch->addr[i], .group = -1 };
	if (batch->state[i] == VF_STUCK || pci_read(rootfd, &batch->addr[i], vf) ||
	    !is_free(rootfd, vf))
		return;
	found = report_find_entry(batch->made->report, vf);
	if (!is_for_its_driver(batch, found))
		return;
	pci_read_group(rootfd, vf);
	sysfs_store(rootfd, PATH_PCI_PROBE, pci_address_format(&vf->addr, addr));
	pci_read_driver(rootfd, &vf->addr, vf->driver);
	/* On some machines it gets its group only with its driver. */
	pci_read_group(rootfd, vf);
	/* An except line, or an error, was reported with its verdict. */
	if (found != REPORT_NONE)
		return;
	say_left(batch, vf, REPORT_LEFT, REPORT_INFO,
		 *vf->driver ? WORDS("vf-left", "no bind line names it: left to its own driver") :
			       WORDS("vf-left", "no bind line names it, and it has no driver"));
}

/* Must not read anything of it that would wait for its driver. */
static void give_up_probe(struct batch *batch, int error)
{
	(void)error;
	pci_read_driver(batch->act.rootfd, &batch->at.addr, batch->at.driver);
	say_left(batch, &batch->at, REPORT_FAILED, REPORT_ERROR,
		 WORDS("vf-left", "no bind line names it, and its own driver hangs with it"));
}

/* --- all of them */

struct round {
	struct batch *batch;
	step_fn step;
	unsigned int ms;
};

/*
 * In the child: handles functions until the last one, or until half of its time is over. So the
 * other half remains for a slow one.
 */
static int run_round(void *arg)
{
	const struct round *round = arg;
	struct batch *batch = round->batch;
	struct timespec from;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (; batch->next < batch->made->count && ms_since(&from) < round->ms / 2; batch->next++)
		round->step(batch, batch->next);
	return 0;
}

/* @ms: the time for a child; each function has at least half of it */
static void for_each_vf(struct batch *batch, step_fn step,
			void (*give_up)(struct batch *batch, int error), unsigned int ms)
{
	struct round round = { .batch = batch, .step = step, .ms = ms };

	for (batch->next = 0; batch->next < batch->made->count;) {
		int ret = act_with_deadline(run_round, &round, (int)ms);

		if (!ret)
			continue;
		/* Also if a process below the child hangs: it has a copy of the descriptor. */
		sysfs_unlock(batch->lockfd);
		give_up(batch, ret);
		batch->state[batch->next++] = VF_STUCK;
		batch->is_any_stuck = true;
	}
}

static int find_all(struct batch *batch)
{
	const struct vfs_made *made = batch->made;
	char path[SYSFS_PATH_MAX], name[32], text[PCI_ADDRESS_SIZE];

	for (unsigned int i = 0; i < made->count; i++) {
		int ret;

		snprintf(name, sizeof(name), "virtfn%u", i);
		ret = sysfs_link_name(made->root->fd, pci_attribute(path, made->pf, name), text,
				      sizeof(text));
		if (!ret)
			ret = pci_address_parse(text, &batch->addr[i]) ? -EINVAL : 0;
		if (ret)
			return message_errno(ret, "cannot read /%s", path);
	}
	return 0;
}

int vfs_decide(const struct vfs_made *made)
{
	struct batch *batch;
	unsigned int ms = made->plan->deadline * 1000;
	int ret;

	if (made->count > MAX_VFS)
		return message_error("more virtual functions than SR-IOV has: %u", made->count);
	batch = mmap(NULL, sizeof(*batch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (batch == MAP_FAILED)
		return message_errno(-ENOMEM, "cannot decide on the virtual functions");
	batch->made = made;
	batch->act.rootfd = made->root->fd;
	batch->act.plan = made->plan;
	batch->lockfd = sysfs_open_lock(made->root->fd, PATH_RUN_LOCK);
	if (sysfs_read_whole(made->root->fd, PATH_CMDLINE, batch->cmdline, sizeof(batch->cmdline)) <
	    0)
		batch->cmdline[0] = '\0';
	iommu_read(made->root->fd, batch->cmdline, plan_wants_noiommu(made->plan), &batch->iommu);
	batch->act.table.late_groups = batch->iommu.has_smmu;
	ret = find_all(batch);
	if (!ret && made->plan->binds && !made->is_divided) {
		/* In addition, half as long to wait for others, as a late run does. */
		for_each_vf(batch, decide_one, give_up_verdict, ms + ms / 2);
		for (unsigned int i = 0; i < made->count; i++)
			if (batch->state[i] == VF_OWN_RUN)
				run_own(batch, i);
	}
	if (!ret)
		for_each_vf(batch, probe_one, give_up_probe, ms);
	if (!ret && batch->is_any_stuck)
		ret = -ETIMEDOUT;
	if (batch->lockfd >= 0)
		sysfs_close(batch->lockfd);
	munmap(batch, sizeof(*batch));
	return ret;
}
