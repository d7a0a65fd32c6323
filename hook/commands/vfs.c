// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vfs: makes the virtual functions of one physical function, according to a vfs line of
 * this boot's plan. Run by vfio-early-vfs@.service, which udev starts when the function has its own
 * driver; never by hand, so it is not in --help.
 *
 *  1. Reads the plan of this boot: which line names the function, by ID and path.
 *  2. Sets sriov_drivers_autoprobe to 0, so that no driver is bound before our override; a function
 *     with an override is still probed (drivers/pci/pci-driver.c, pci_device_can_probe).
 *  3. Writes sriov_numvfs, in a child with a deadline: the driver makes the virtual functions. This
 *     program holds no lock then: udev starts a late run for each of them.
 *  4. Restores sriov_drivers_autoprobe.
 *  5. Gets a verdict for each, by vfs_decide.c and by the late run that udev starts: the second of
 *     the two has nothing to do.
 *  6. Writes drivers_probe for those that no line names.
 *
 * A number other than zero that is there already was set by something else, and stays. Nothing is
 * decided here about a virtual function: that is in vfs_decide.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/vfs_decide.h"
#include "early/act.h"
#include "early/paths.h"
#include "early/pci.h"
#include "early/report.h"
#include "early/sysfs.h"
#include "early/text.h"
#include "host/boot_plan.h"
#include "ui/options.h"
#include "util/message.h"
#include "util/program.h"
#include "util/words.h"

#define PATH_SYSTEMCTL "/usr/bin/systemctl"
#define PATH_SYSTEMD   "run/systemd/system" /* exists if systemd is the init: sd_booted(3) */

struct making {
	struct root root;
	bool is_again; /* the second try, after the network is up */
	struct plan *plan;
	struct report report;
	struct pci_function pf;
	unsigned int wanted, made;
	bool is_repeat; /* it had virtual functions earlier in this boot */
};

static const struct options_entry entries[] = {
	{ "all", 'A', NULL, "of all physical functions that have their driver; waits" },
	{ "again", 'a', NULL, "the second try, when the network is up" },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "vfs [OPTION...] [ADDRESS]",
	.about = "For vfio-early-vfs@.service: makes the virtual functions of a physical function, as "
		 "a\nvfs line says that this boot was planned with.\n",
	.entry = entries,
	.common = OPTIONS_ROOT,
	.end = "Exit status: 0 made, or nothing to do, 1 something failed, 2 usage, 3 nothing was "
	       "done.\n",
};

/* --- messages */

static void say(struct making *making, const struct pci_function *fn, enum report_level level,
		enum report_result result, enum reason why, const char *text)
{
	const struct report_entry entry = {
		.fn = fn,
		.result = result,
		.why = why,
		.driver = fn->driver,
		.reason = text,
	};

	report_function(&making->report, level, fn, text, "");
	report_entry(&making->report, &entry);
}

/*
 * Reports that a physical function has not all of its virtual functions, or none. Returns an exit
 * status.
 */
__attribute__((format(printf, 3, 4))) static int fail(struct making *making, enum reason why,
						      const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say(making, &making->pf, REPORT_ERROR, REPORT_FAILED, why, words_of(code_name(why), text));
	return COMMAND_INCOMPLETE;
}

/*
 * Something else has made them first. This is not a failure: VMs find virtual functions, and status
 * warns.
 */
static void say_there(struct making *making)
{
	char text[128];

	if (making->made == making->wanted) {
		say(making, &making->pf, REPORT_INFO, REPORT_MADE, REASON_VFS_MADE,
		    WORDS("vfs-made", "its virtual functions are there already"));
		return;
	}
	snprintf(text, sizeof(text),
		 "virtual functions there already, which somebody else made: %u, not %u; left as "
		 "they are",
		 making->made, making->wanted);
	say(making, &making->pf, REPORT_WARNING, REPORT_MADE, REASON_VFS_THERE,
	    words_of(code_name(REASON_VFS_THERE), text));
}

/* The last line that names the function. *is_moved: another device is there than the plan names. */
static const struct plan_vfs *find_line(struct making *making, bool *is_moved)
{
	const struct plan_vfs *line = NULL;

	for (unsigned int i = 0; i < making->plan->vfs; i++) {
		struct plan_vfs *vfs = &making->plan->vf[i];
		enum selector_result result;

		if (pci_resolve(making->root.fd, &vfs->sel))
			continue;
		result = pci_match(&vfs->sel, &making->pf);
		if (result == SELECTOR_DIFFERS || (line && result == SELECTOR_ID_CHANGED))
			continue;
		*is_moved = result == SELECTOR_ID_CHANGED;
		line = vfs;
	}
	return line;
}

/* --- making them */

static int read_number(const struct making *making, const char *name, unsigned int *number)
{
	char path[SYSFS_PATH_MAX], text[32];
	int ret = sysfs_read(making->root.fd, pci_attribute(path, &making->pf.addr, name), text,
			     sizeof(text));

	if (ret < 0)
		return ret;
	*number = text_number(text);
	return 0;
}

static int store(const struct making *making, const char *name, const char *value)
{
	char path[SYSFS_PATH_MAX];

	return sysfs_store(making->root.fd, pci_attribute(path, &making->pf.addr, name), value);
}

static int store_number(void *arg)
{
	const struct making *making = arg;
	char text[16];

	snprintf(text, sizeof(text), "%u", making->wanted);
	return -store(making, "sriov_numvfs", text);
}

/* Steps 2 to 4. Returns 0, or the driver's error as -errno. */
static int make(struct making *making)
{
	unsigned int autoprobe = 0;
	int ret, restored = 0;

	if (read_number(making, "sriov_drivers_autoprobe", &autoprobe))
		autoprobe = 0;
	if (autoprobe)
		store(making, "sriov_drivers_autoprobe", "0");
	ret = act_with_deadline(store_number, making, (int)making->plan->deadline * 1000);
	if (autoprobe)
		restored = store(making, "sriov_drivers_autoprobe", "1");
	if (restored)
		message_errno(restored, "cannot set sriov_drivers_autoprobe back to 1");
	/*
	 * Reading the number would wait for the driver, too (drivers/pci/iov.c, sriov_numvfs_show:
	 * device_lock).
	 */
	if (ret == -ETIMEDOUT)
		return ret;
	if (read_number(making, "sriov_numvfs", &making->made))
		making->made = 0;
	return ret > 0 ? -ret : ret;
}

/*
 * Is the driver busy, or does it need the interface up? Some drivers then succeed without making
 * any (bnxt_sriov.c).
 */
static bool is_worth_another_try(const struct making *making, int error)
{
	return !making->made &&
	       (!error || error == -EBUSY || error == -EAGAIN || error == -ENETDOWN);
}

/* The first unit does not fail: the second one reports the result. */
static int try_again_later(struct making *making, int error)
{
	char addr[PCI_ADDRESS_SIZE], unit[64], text[256];
	const char *const argv[] = { PATH_SYSTEMCTL, "--no-block", "start", unit, NULL };

	snprintf(text, sizeof(text),
		 "no virtual function made (%s); tried again when the network is up",
		 error ? strerror(-error) : "its driver made none");
	say(making, &making->pf, REPORT_WARNING, REPORT_FAILED, REASON_VFS_WAIT,
	    words_of(code_name(REASON_VFS_WAIT), text));
	snprintf(unit, sizeof(unit), "vfio-early-vfs-again@%s.service",
		 pci_address_format(&making->pf.addr, addr));
	if (!making->root.is_host || !sysfs_exists(making->root.fd, PATH_SYSTEMD))
		return COMMAND_INCOMPLETE;
	if (!program_run(NULL, argv, NULL, NULL))
		return COMMAND_OK;
	message_error("cannot start %s", unit);
	return COMMAND_INCOMPLETE;
}

/* --- the whole */

static int finish(struct making *making, int error)
{
	const struct vfs_made made = {
		.root = &making->root,
		.plan = making->plan,
		.report = &making->report,
		.pf = &making->pf.addr,
		.count = making->made,
		.is_repeat = making->is_repeat,
		.is_divided = !strcmp(making->pf.driver, "nvidia"),
	};
	char text[128];
	int ret;

	if (error == -ETIMEDOUT)
		return fail(making, REASON_VFS_STUCK,
			    "virtual functions (%u) not made by its driver within %u s",
			    making->wanted, making->plan->deadline);
	if (is_worth_another_try(making, error) && !making->is_again)
		return try_again_later(making, error);
	if (!making->made)
		return fail(making, REASON_VFS_FAILED, "no virtual function made: %s",
			    error ? strerror(-error) : "its driver made none");
	snprintf(text, sizeof(text), "virtual functions made: %u", making->made);
	/* This message comes first: those of the late runs follow it. */
	if (making->made == making->wanted)
		say(making, &making->pf, REPORT_INFO, REPORT_MADE, REASON_VFS_MADE,
		    words_of(code_name(REASON_VFS_MADE), text));
	else
		fail(making, REASON_VFS_FAILED, "virtual functions made: %u of %u", making->made,
		     making->wanted);
	ret = vfs_decide(&made);
	return !ret && making->made == making->wanted ? COMMAND_OK : COMMAND_INCOMPLETE;
}

/*
 * Reports what prevents it before anything is written. Returns whether nothing does. @status:
 * otherwise, the exit status
 */
static bool may_make(struct making *making, bool is_moved, int *status)
{
	const struct pci_function *pf = &making->pf;
	unsigned int total = 0;

	*status = COMMAND_OK;
	if (is_moved)
		*status = fail(making, REASON_VFS_MOVED,
			       "no virtual function made: another device was planned here");
	else if (pci_is_with_vfio(pf))
		*status = fail(making, REASON_VFS_BOUND,
			       "no virtual function made: it is on %s, which makes none",
			       pf->driver);
	else if (read_number(making, "sriov_numvfs", &making->made))
		*status = fail(making, REASON_VFS_FAILED,
			       "no virtual function made: it has no SR-IOV, or its firmware has "
			       "switched that off");
	else if (making->made && report_find_entry(&making->report, pf) != REPORT_MADE)
		say_there(making);
	else if (!making->made && !read_number(making, "sriov_totalvfs", &total) &&
		 total < making->wanted)
		*status = fail(making, REASON_VFS_MANY,
			       "no virtual function made: it can have %u, not %u", total,
			       making->wanted);
	return *status == COMMAND_OK && !making->made;
}

static int run(struct making *making)
{
	const struct plan_vfs *line;
	/* pci_read() clears the function first. */
	const struct pci_address addr = making->pf.addr;
	bool is_moved = false;
	int ret = boot_plan_read(&making->root, &making->plan);

	if (ret)
		return ret == -ENOENT ? COMMAND_OK : COMMAND_NOTHING;
	ret = pci_read(making->root.fd, &addr, &making->pf);
	if (ret)
		return ret == -ENOENT ? COMMAND_OK : COMMAND_NOTHING;
	making->pf.has_place = !pci_read_place(making->root.fd, &making->pf.addr,
					       &making->pf.place);
	pci_read_group(making->root.fd, &making->pf);
	line = find_line(making, &is_moved);
	/* Its driver is gone again: udev starts the unit when it comes back. */
	if (!line || !*making->pf.driver)
		return COMMAND_OK;
	making->wanted = line->number;
	making->report.rootfd = making->root.fd;
	report_begin(&making->report, false);
	making->is_repeat = report_find_entry(&making->report, &making->pf) == REPORT_MADE;
	return may_make(making, is_moved, &ret) ? finish(making, make(making)) : ret;
}

/*
 * Makes all of them, by their own units; if udev has started one already, systemd has one job for
 * both. The report and the unit's status have each result. Returns an exit status.
 */
static int make_all(const struct root *root)
{
	static char unit[PLAN_MAX_VFS][64];
	const char *argv[PLAN_MAX_VFS + 3] = { PATH_SYSTEMCTL, "start" };
	unsigned int units = 0;
	struct plan *plan;
	int ret = boot_plan_read(root, &plan);

	if (ret)
		return ret == -ENOENT ? COMMAND_OK : COMMAND_NOTHING;
	for (unsigned int i = 0; i < plan->vfs; i++) {
		struct selector *sel = &plan->vf[i].sel;
		char addr[PCI_ADDRESS_SIZE], driver[PCI_DRIVER_SIZE];

		if (pci_resolve(root->fd, sel) || pci_read_driver(root->fd, &sel->addr, driver) ||
		    !*driver)
			continue;
		snprintf(unit[units], sizeof(unit[units]), "vfio-early-vfs@%s.service",
			 pci_address_format(&sel->addr, addr));
		argv[2 + units] = unit[units];
		units++;
	}
	if (!units || !root->is_host || !sysfs_exists(root->fd, PATH_SYSTEMD))
		return COMMAND_OK;
	program_run(NULL, argv, NULL, NULL);
	return COMMAND_OK;
}

int command_vfs(int argc, char **argv)
{
	static struct making making;
	struct options opts;
	bool is_all = false;
	int code, ret;

	options_init(&opts, &spec);
	while ((code = options_next(&opts, argc, argv)) >= 0)
		if (code == 'A')
			is_all = true;
		else
			making.is_again = true;
	if (code == OPTIONS_EXIT)
		return opts.status;
	if (is_all ? optind != argc :
		     optind + 1 != argc || pci_address_parse(argv[optind], &making.pf.addr)) {
		message_error("one address is needed: vfio-early vfs 0000:81:00.0");
		return options_usage(&opts);
	}
	if (root_open(&making.root, opts.root)) {
		ret = COMMAND_NOTHING;
	} else if (making.root.is_host && geteuid()) {
		message_error("only root may make virtual functions; fix: run it as root");
		ret = COMMAND_NOTHING;
	} else {
		ret = is_all ? make_all(&making.root) : run(&making);
	}
	root_close(&making.root);
	return ret;
}
