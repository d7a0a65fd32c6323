// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steps 6 to 10 of a run; see act.h.
 *
 *     6. Set driver_override on all accepted functions. From here on no other driver can take them.
 *     7. Unbind what a driver already holds, in a child: a driver's remove() may block for ever.
 *     Then apply the set lines: the reset method, and whether the function may lose its power.
 *     8. Load the planned modules. Registering vfio-pci binds every unbound function that is
 *     overridden to it, before finit_module() returns (drivers/base/dd.c, driver_attach).
 *     9. Bind what is still unbound through "bind", which returns the driver's own errno;
 *     "drivers_probe" hides it.
 *     10. Verify by the driver link alone. What is not bound is released, or held.
 *
 * Nothing counts as done because a write succeeded.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "paths.h"
#include "sysfs.h"
#include "text.h"

static const char vfio_pci[] = "vfio-pci";
/* How the kernel shows an override that is not set. */
static const char unset[] = "(null)";
/*
 * The kernel sets no limit: an ID has one entry for each subsystem and class that was written with
 * it.
 */
#define MAX_DYNAMIC_IDS 65536

static bool is_vfio_pci(const char *driver)
{
	return !strcmp(driver, vfio_pci);
}

enum reason act_reason(const struct act_outcome *outcome)
{
	switch (outcome->failed) {
	case ACT_LOCK:
		return REASON_BUSY;
	case ACT_OVERRIDE:
		return REASON_OVERRIDE;
	case ACT_UNBIND:
		return outcome->error == ETIMEDOUT ? REASON_STUCK : REASON_UNBIND;
	case ACT_GROUP:
		return REASON_NOIOMMU;
	case ACT_BIND:
		if (outcome->error == ENOENT)
			return REASON_NO_DRIVER;
		if (outcome->error == EAGAIN)
			return REASON_NOT_READY;
		return outcome->error == EINVAL ? REASON_BIND_REFUSED : REASON_BIND;
	default:
		return REASON_NOT_BOUND;
	}
}

enum reason act_set_reason(int error)
{
	if (!error)
		return REASON_NONE;
	return error == EINVAL || error == ENOENT ? REASON_SET_OFFER : REASON_SET;
}

/*
 * The end of a pipe that this process holds open as long as it lives, so that its parent can wait
 * for it. 0: none; a pipe() never returns 0 as its second descriptor here.
 */
static int open_end;

int act_with_deadline(int (*fn)(void *arg), void *arg, int ms)
{
	struct pollfd pollfd = { .events = POLLIN };
	int status, ret;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		ret = -errno;
		close(fds[0]);
		close(fds[1]);
		return ret;
	}
	if (!pid) {
		/* A child of the child must not hold open a pipe that is not its own. */
		if (open_end)
			close(open_end);
		open_end = fds[1];
		close(fds[0]);
		_exit(fn(arg));
	}

	/* The child writes nothing: its end of the pipe closes when it exits, in whatever way. */
	close(fds[1]);
	pollfd.fd = fds[0];
	do
		ret = poll(&pollfd, 1, ms);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		ret = -errno;
	else
		ret = ret ? 0 : -ETIMEDOUT;
	close(fds[0]);
	if (ret) {
		kill(pid, SIGKILL);
		return ret;
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

/*
 * Writes an attribute and reads it back. "" clears an override, which takes an empty line;
 * "default" makes the kernel choose.
 * @before: NULL, or PCI_DRIVER_SIZE bytes for the value before the write
 */
static int set_attribute(int rootfd, const struct pci_function *fn, const char *name,
			 const char *value, char *before)
{
	char path[SYSFS_PATH_MAX], text[PCI_DRIVER_SIZE];
	int ret;

	pci_attribute(path, &fn->addr, name);
	ret = sysfs_store_and_read(rootfd, path, *value ? value : "\n", before, text, sizeof(text));
	if (before && !strcmp(before, unset))
		before[0] = '\0';
	if (ret < 0)
		return ret;
	if (!strcmp(text, unset))
		text[0] = '\0';
	return strcmp(text, value) && strcmp(value, "default") ? -EIO : 0;
}

static int set_override(int rootfd, const struct pci_function *fn, const char *driver, char *found)
{
	return set_attribute(rootfd, fn, "driver_override", driver, found);
}

struct unbind {
	int rootfd;
	const struct pci_function *fn;
};

static int unbind_child(void *arg)
{
	const struct unbind *unbind = arg;
	char path[SYSFS_PATH_MAX], addr[PCI_ADDRESS_SIZE];

	return -sysfs_store(SYSFS_ROOT(unbind),
			    pci_attribute(path, &unbind->fn->addr, "driver/unbind"),
			    pci_address_format(&unbind->fn->addr, addr));
}

/*
 * @ms: how long the driver may take Returns 0 when the link is gone, or there was nothing to
 * 	unbind; -ETIMEDOUT, or -errno.
 */
static int unbind(int rootfd, const struct pci_function *fn, int ms)
{
	struct unbind arg = { .rootfd = rootfd, .fn = fn };
	char driver[PCI_DRIVER_SIZE];
	int ret = act_with_deadline(unbind_child, &arg, ms), error;

	/*
	 * A driver whose own probe fails lets go by itself in the meantime: the link that leads to
	 * `unbind` is gone, or the store finds no device (drivers/base/bus.c, unbind_store).
	 */
	/*
	 * The link is removed before remove() is called (drivers/base/dd.c,
	 * __device_release_driver).
	 */
	if (ret == -ETIMEDOUT)
		return ret;
	error = pci_read_driver(rootfd, &fn->addr, driver);
	if (!error && !*driver)
		return 0;
	if (ret)
		return ret < 0 ? ret : -ret;
	return error ? error : -EBUSY;
}

static bool is_wanted(const struct act *act, unsigned int i)
{
	enum decision decision = act->decisions.verdict[i].decision;

	return (decision == DECIDE_BIND || decision == DECIDE_HOLD) && !act->outcome[i].failed;
}

/*
 * One step for one function. Returns 0, or -errno, which excludes the function from the later
 * steps.
 */
typedef int (*step_fn)(struct act *act, struct pci_function *fn, enum decision decision);

static void for_each_wanted(struct act *act, enum act_step step, step_fn one)
{
	act->step = step;
	for (unsigned int i = 0; i < act->table.count; i++) {
		struct act_outcome *outcome = &act->outcome[i];
		int ret;

		if (!is_wanted(act, i))
			continue;
		act->current = i;
		ret = one(act, &act->table.fn[i], act->decisions.verdict[i].decision);
		if (!ret)
			continue;
		outcome->failed = step;
		outcome->error = -ret;
	}
}

static int override_one(struct act *act, struct pci_function *fn, enum decision decision)
{
	(void)decision;
	return set_override(SYSFS_ROOT(act), fn, vfio_pci, act->outcome[act->current].found);
}

static int unbind_one(struct act *act, struct pci_function *fn, enum decision decision)
{
	char now[PCI_DRIVER_SIZE];
	int ret;

	(void)decision;
	/*
	 * The driver that was read before the override is out of date: one may have come or gone
	 * since.
	 */
	ret = pci_read_driver(SYSFS_ROOT(act), &fn->addr, now);
	if (!ret && !*now)
		return 0;
	if (!ret)
		strcpy(fn->driver, now);
	if (!*fn->driver || is_vfio_pci(fn->driver))
		return 0;
	ret = unbind(SYSFS_ROOT(act), fn, act->patience);
	/* However many drivers do not let go, half of the deadline is left for the others. */
	if (ret == -ETIMEDOUT)
		act->patience /= 2;
	return ret;
}

static int store_key(int rootfd, const struct pci_function *fn, enum plan_key key,
		     const char *value, char *before)
{
	return set_attribute(rootfd, fn,
			     text_nth("reset_method\0d3cold_allowed\0power/control", key), value,
			     before);
}

/* One key of the set lines for the current function. A failure never prevents the bind. */
static void set_key(struct act *act, enum plan_key key)
{
	const struct pci_function *fn = &act->table.fn[act->current];
	struct act_setting *setting = &act->outcome[act->current].setting[key];
	const struct plan_set *set = decide_set(act->plan, fn, key);
	const char *value;
	int ret;

	if (!set)
		return;
	value = set->value[key];
	/* drivers/pci/pci-sysfs.c, d3cold_allowed_store: takes a number. */
	if (key == PLAN_SET_D3COLD)
		value = !strcmp(value, "off") ? "0" : "1";
	ret = store_key(SYSFS_ROOT(act), fn, key, value, setting->before);
	/* The line names several functions, and this one lacks the attribute. */
	if (ret == -ENOENT && set->sel.kind != SELECTOR_ADDRESS)
		return;
	setting->value = set->value[key];
	setting->error = -ret;
	act->is_unset |= ret != 0;
}

static int set_one(struct act *act, struct pci_function *fn, enum decision decision)
{
	(void)fn;
	if (decision == DECIDE_BIND) {
		set_key(act, PLAN_SET_RESET);
		set_key(act, PLAN_SET_D3COLD);
	}
	return 0;
}

int act_restore(const struct act *act, const struct pci_function *fn,
		const struct act_outcome *outcome)
{
	int ret = 0;

	for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_POWER; key++)
		if (*outcome->setting[key].before)
			ret |= store_key(SYSFS_ROOT(act), fn, key, outcome->setting[key].before,
					 NULL);
	return ret;
}

/*
 * vfio-pci evicts the boot framebuffer only from VGA functions (vfio_pci_core.c,
 * aperture_remove_conflicting_pci_devices). From other functions, efifb goes when its platform
 * device is unbound; simpledrm's BOOTFB stays in any case. fn->framebuffer has what remains.
 */
static int release_framebuffer(struct act *act, struct pci_function *fn, enum decision decision)
{
	(void)decision;
	if (fn->framebuffer == PCI_FB_EFIFB && !pci_is_vga(fn)) {
		sysfs_store(SYSFS_ROOT(act), PATH_EFIFB_UNBIND, "efi-framebuffer.0");
		pci_read_details(SYSFS_ROOT(act), fn);
	}
	return 0;
}

static void load_modules(struct act *act)
{
	bool needed = false;

	for (unsigned int i = 0; i < act->table.count; i++)
		needed |= is_wanted(act, i) && act->decisions.verdict[i].decision == DECIDE_BIND;
	if (!needed)
		return;

	act->step = ACT_LOAD;
	for (; act->modules_tried < act->plan->modules; act->modules_tried++) {
		act->current = act->modules_tried;
		modules_load(SYSFS_ROOT(act), &act->plan->module[act->current],
			     &act->module[act->current]);
	}
}

/*
 * The kernel is between pci_device_add(), which notifies udev, and pci_bus_add_device(). Until the
 * latter no driver matches (drivers/pci/bus.c, match_driver); a moment later it honours the
 * override.
 */
static int await_bind(struct act *act, const struct pci_function *fn, char *driver)
{
	for (int ms = act->patience; ms > 0; ms -= SYSFS_POLL_MS) {
		if (!pci_read_driver(SYSFS_ROOT(act), &fn->addr, driver) && *driver)
			return 0;
		sysfs_wait();
	}
	/* However many functions are not ready, half of the deadline is left for the others. */
	act->patience /= 2;
	return -EAGAIN;
}

static int bind_one(struct act *act, struct pci_function *fn, enum decision decision)
{
	char *driver = act->outcome[act->current].driver, addr[PCI_ADDRESS_SIZE];
	int ret;

	if (decision == DECIDE_HOLD)
		return 0;
	if (!pci_read_driver(SYSFS_ROOT(act), &fn->addr, driver) && is_vfio_pci(driver))
		return 0;
	ret = sysfs_store(SYSFS_ROOT(act), PATH_VFIO_DRIVER "/bind",
			  pci_address_format(&fn->addr, addr));
	/* A function that had a driver was added long ago: it is vfio-pci itself that refuses. */
	return ret == -ENODEV && !*fn->driver ? await_bind(act, fn, driver) : ret;
}

/* Clears the override and lets the native driver bind, if it is loaded already. */
static int release(const struct act *act, const struct pci_function *fn, const char *override)
{
	char driver[PCI_DRIVER_SIZE], addr[PCI_ADDRESS_SIZE];
	int ret = set_override(SYSFS_ROOT(act), fn, override, NULL);

	if (ret)
		return ret;
	ret = pci_read_driver(SYSFS_ROOT(act), &fn->addr, driver);
	if (ret || *driver)
		return ret;
	/* Succeeds also if no driver wants it, which is right before udev has loaded one. */
	ret = sysfs_store(SYSFS_ROOT(act), PATH_PCI_PROBE, pci_address_format(&fn->addr, addr));
	if (ret || !*fn->driver)
		return ret;
	ret = pci_read_driver(SYSFS_ROOT(act), &fn->addr, driver);
	return ret || *driver ? ret : -ENODEV;
}

/*
 * A function that had no group before has one now: its IOMMU's, or one that vfio made because there
 * is no IOMMU. Gives back a function with the second kind. Returns whether it may stay bound.
 */
static bool verify_group(struct act *act, struct pci_function *fn, struct act_outcome *outcome)
{
	int ret;

	if (fn->group >= 0)
		return true;
	pci_read_group(SYSFS_ROOT(act), fn);
	if (!pci_has_noiommu_group(SYSFS_ROOT(act), fn))
		return true;
	outcome->failed = ACT_GROUP;
	ret = unbind(SYSFS_ROOT(act), fn, act->patience);
	/*
	 * The link tells the result, but it is removed first, while the lock is held until the end.
	 */
	if (pci_read_driver(SYSFS_ROOT(act), &fn->addr, outcome->driver) || *outcome->driver ||
	    ret == -ETIMEDOUT)
		outcome->error = ret ? -ret : EBUSY;
	pci_read_group(SYSFS_ROOT(act), fn);
	return false;
}

static void verify_one(struct act *act, unsigned int i, bool was_wanted)
{
	struct pci_function *fn = &act->table.fn[i];
	struct act_outcome *outcome = &act->outcome[i];
	bool is_stuck, is_reserved;
	int ret = 0;

	/* bind_one() found the link at vfio-pci: that verifies it. */
	if (!is_vfio_pci(outcome->driver))
		ret = pci_read_driver(SYSFS_ROOT(act), &fn->addr, outcome->driver);
	if (act->decisions.verdict[i].decision == DECIDE_BIND) {
		bool is_bound = !ret && is_vfio_pci(outcome->driver);

		if (is_bound && verify_group(act, fn, outcome)) {
			outcome->result = ACT_BOUND;
			/* vfio-pci's probe writes it (vfio_pci_core.c, pm_runtime_allow). */
			set_key(act, PLAN_SET_POWER);
			return;
		}
		if (was_wanted && !is_bound) {
			outcome->failed = ACT_VERIFY;
			outcome->error = ret ? -ret : ENODEV;
		}
	}

	/*
	 * A driver that does not let go holds the lock: any further write would block too. Without
	 * its override the function cannot be held.
	 */
	is_stuck = (outcome->failed == ACT_UNBIND || outcome->failed == ACT_GROUP) &&
		   outcome->error == ETIMEDOUT;
	/*
	 * This run does not clear what it did not set. A function that the kernel is still adding
	 * gets vfio-pci by its override, or another driver without it.
	 */
	is_reserved = is_vfio_pci(outcome->found) ||
		      (outcome->failed == ACT_BIND && outcome->error == EAGAIN);
	if (is_stuck || is_reserved ||
	    (act->plan->failure == PLAN_FAILURE_HOLD && outcome->failed != ACT_OVERRIDE)) {
		outcome->result = *outcome->driver || is_stuck ? ACT_STUCK : ACT_HELD;
		return;
	}
	/* Still on vfio-pci: leave the override, which at least tells why. */
	if (outcome->failed == ACT_GROUP && outcome->error) {
		outcome->result = ACT_NOT_RELEASED;
		return;
	}
	act->step = ACT_RELEASE;
	act_restore(act, fn, outcome);
	outcome->result = release(act, fn, outcome->found) ? ACT_NOT_RELEASED : ACT_RELEASED;
	pci_read_driver(SYSFS_ROOT(act), &fn->addr, outcome->driver);
	/* A modprobe that was given up on may still bind it, until its override is cleared. */
	if (outcome->failed != ACT_GROUP && is_vfio_pci(outcome->driver) &&
	    !set_override(SYSFS_ROOT(act), fn, vfio_pci, NULL))
		outcome->result = ACT_BOUND;
	act->step = ACT_VERIFY;
}

static void verify_all(struct act *act)
{
	act->step = ACT_VERIFY;
	for (unsigned int i = 0; i < act->table.count; i++) {
		bool was_wanted = is_wanted(act, i);

		act->current = i;
		if (was_wanted || act->outcome[i].failed)
			verify_one(act, i, was_wanted);
	}
}

void act_reserve(struct act *act)
{
	for_each_wanted(act, ACT_OVERRIDE, override_one);
	for (unsigned int i = 0; i < act->table.count; i++) {
		struct act_outcome *outcome = &act->outcome[i];

		if (!is_wanted(act, i))
			continue;
		pci_read_driver(SYSFS_ROOT(act), &act->table.fn[i].addr, outcome->driver);
		outcome->failed = ACT_LOCK;
		outcome->error = ETIMEDOUT;
		outcome->result = *outcome->driver ? ACT_STUCK : ACT_HELD;
	}
}

void act_run(struct act *act)
{
	for_each_wanted(act, ACT_OVERRIDE, override_one);
	for_each_wanted(act, ACT_UNBIND, unbind_one);
	for_each_wanted(act, ACT_SET, set_one);
	for_each_wanted(act, ACT_FRAMEBUFFER, release_framebuffer);
	load_modules(act);
	for_each_wanted(act, ACT_BIND, bind_one);
	verify_all(act);
	act->step = ACT_DONE;
}

void act_give_back(const struct act *act, const struct pci_function *fn,
		   struct act_outcome *outcome)
{
	int ret = unbind(SYSFS_ROOT(act), fn, act->patience);

	/*
	 * The state without a set line (drivers/pci/pci.c, pci_init_reset_methods). d3cold_allowed
	 * has no such word, and its default differs by device: it stays as it is.
	 */
	store_key(SYSFS_ROOT(act), fn, PLAN_SET_RESET, "default", NULL);
	if (!ret)
		ret = release(act, fn, "");
	/* Its own driver may not be loaded yet: the event that is sent to udev next loads it. */
	outcome->error = ret == -ENODEV ? 0 : -ret;
	pci_read_driver(SYSFS_ROOT(act), &fn->addr, outcome->driver);
}

/*
 * A dynamic ID that somebody gave to vfio-pci stays until it is removed. Each write removes one,
 * with any subsystem and class; without a match the kernel returns ENODEV
 * (drivers/pci/pci-driver.c, remove_id_store), which ends the loop. Below a root of plain files
 * every write succeeds: there MAX_DYNAMIC_IDS ends it. An ID that is left after that is noticed,
 * because vfio-pci takes the function again and the caller finds it there.
 */
static void remove_ids(int rootfd, const struct pci_function *fn)
{
	char text[PCI_ID_SIZE];

	text_format(text, sizeof(text), "%04x %04x", fn->id.vendor, fn->id.device);
	for (unsigned int left = MAX_DYNAMIC_IDS;
	     left && !sysfs_store(rootfd, PATH_VFIO_DRIVER "/remove_id", text); left--)
		;
}

void act_let_go(const struct act *act, const struct pci_function *fn, struct act_outcome *outcome)
{
	int ret = set_override(SYSFS_ROOT(act), fn, "", outcome->found);

	outcome->failed = ACT_OVERRIDE;
	if (!ret) {
		remove_ids(SYSFS_ROOT(act), fn);
		outcome->failed = ACT_UNBIND;
		if (*fn->driver)
			ret = unbind(SYSFS_ROOT(act), fn, act->patience);
	}
	outcome->error = -ret;
	if (!ret)
		outcome->failed = ACT_START;
	else
		outcome->result = ret == -ETIMEDOUT ? ACT_STUCK : ACT_NOT_RELEASED;
	pci_read_driver(SYSFS_ROOT(act), &fn->addr, outcome->driver);
}

void act_probe(const struct act *act, const struct pci_function *fn, struct act_outcome *outcome)
{
	char addr[PCI_ADDRESS_SIZE];
	int ret = pci_read_driver(SYSFS_ROOT(act), &fn->addr, outcome->driver);

	if (!ret && !*outcome->driver)
		ret = sysfs_store(SYSFS_ROOT(act), PATH_PCI_PROBE,
				  pci_address_format(&fn->addr, addr));
	if (!ret)
		ret = pci_read_driver(SYSFS_ROOT(act), &fn->addr, outcome->driver);
	outcome->error = -ret;
	outcome->failed = ret ? ACT_RELEASE : ACT_START;
	outcome->result = ret ? ACT_NOT_RELEASED : ACT_RELEASED;
}

void act_look(struct act *act)
{
	for (unsigned int i = 0; i < act->table.count; i++) {
		struct act_outcome *outcome = &act->outcome[i];

		pci_read_driver(SYSFS_ROOT(act), &act->table.fn[i].addr, outcome->driver);
		/* Not one that is being given back because of its group: that may still finish. */
		if (is_vfio_pci(outcome->driver) && outcome->failed != ACT_GROUP)
			outcome->result = ACT_BOUND;
	}
}
