// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steps 6 to 10 of a run; see act.h.
 *
 *  6. driver_override on all accepted functions. From here no other driver can take them.
 *  7. Unbind what a driver already holds, in a child: a driver's remove() may block for ever.
 *  8. Load the planned modules. Registering vfio-pci binds every unbound function that is
 *     overridden to it, before finit_module() returns (drivers/base/dd.c, driver_attach).
 *  9. What is still unbound: "bind", which gives the driver's own errno; "drivers_probe" hides it.
 * 10. Verify by the driver link alone. What is not bound is released, or held.
 *
 * Nothing counts as done because a write succeeded.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "paths.h"
#include "sysfs.h"

static const char vfio_pci[] = "vfio-pci";

const char *act_step_name(enum act_step step)
{
	static const char *const names[] = {
		[ACT_START] = "start",	 [ACT_OVERRIDE] = "driver_override",
		[ACT_UNBIND] = "unbind", [ACT_FRAMEBUFFER] = "framebuffer",
		[ACT_LOAD] = "load",	 [ACT_BIND] = "bind",
		[ACT_VERIFY] = "verify", [ACT_RELEASE] = "release",
		[ACT_DONE] = "done",
	};

	return names[step];
}

int act_with_deadline(int (*fn)(void *arg), void *arg, int ms)
{
	struct pollfd pollfd = { .events = POLLIN };
	int status, ret;
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		ret = -errno;
		close(fds[0]);
		close(fds[1]);
		return ret;
	}
	if (!pid) {
		/* modprobe must not hold the pipe open, nor the child of a child. */
		fcntl(fds[1], F_SETFD, FD_CLOEXEC);
		close(fds[0]);
		_exit(fn(arg));
	}

	/* The child writes nothing: its end closes when it ends, however it ends. */
	close(fds[1]);
	pollfd.fd = fds[0];
	do
		ret = poll(&pollfd, 1, ms);
	while (ret < 0 && errno == EINTR);
	close(fds[0]);
	if (!ret) {
		kill(pid, SIGKILL);
		return -ETIMEDOUT;
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

static const char *function_path(char buf[SYSFS_PATH_MAX], const struct pci_function *fn,
				 const char *name)
{
	char addr[PCI_ADDRESS_SIZE];

	return sysfs_path(buf, PATH_PCI_DEVICES "/%s/%s", pci_address_format(&fn->addr, addr),
			  name);
}

/* Writes an override and reads it back. NULL clears it, which is done with an empty line. */
static int set_override(int rootfd, const struct pci_function *fn, const char *driver)
{
	char path[SYSFS_PATH_MAX], text[PCI_DRIVER_SIZE];
	int ret;

	function_path(path, fn, "driver_override");
	ret = sysfs_store(rootfd, path, driver ? driver : "\n");
	if (ret < 0)
		return ret;
	ret = sysfs_read(rootfd, path, text, sizeof(text));
	if (ret < 0)
		return ret;
	if (driver)
		return strcmp(text, driver) ? -EIO : 0;
	return !*text || !strcmp(text, "(null)") ? 0 : -EIO;
}

struct unbind {
	int rootfd;
	const struct pci_function *fn;
};

static int unbind_child(void *arg)
{
	const struct unbind *unbind = arg;
	char path[SYSFS_PATH_MAX], addr[PCI_ADDRESS_SIZE];

	return -sysfs_store(unbind->rootfd, function_path(path, unbind->fn, "driver/unbind"),
			    pci_address_format(&unbind->fn->addr, addr));
}

/* @ms: how long the driver may take. Returns 0 when the link is gone, -ETIMEDOUT, or -errno. */
static int unbind(int rootfd, const struct pci_function *fn, int ms)
{
	struct unbind arg = { .rootfd = rootfd, .fn = fn };
	char driver[PCI_DRIVER_SIZE];
	int ret = act_with_deadline(unbind_child, &arg, ms);

	if (ret)
		return ret < 0 ? ret : -ret;
	ret = pci_read_driver(rootfd, &fn->addr, driver);
	if (ret < 0)
		return ret;
	return *driver ? -EBUSY : 0;
}

static void fail(struct act_outcome *outcome, enum act_step step, int error)
{
	if (outcome->failed != ACT_START)
		return;
	outcome->failed = step;
	outcome->error = -error;
}

static bool is_wanted(const struct act *act, unsigned int i)
{
	enum decision decision = act->decisions.verdict[i].decision;

	return (decision == DECIDE_BIND || decision == DECIDE_HOLD) &&
	       act->outcome[i].failed == ACT_START;
}

/* Goes to the next function that is wanted and has not failed; false when there is none. */
static bool next_wanted(struct act *act, enum act_step step, unsigned int *i)
{
	for (; *i < act->table.count; (*i)++) {
		if (!is_wanted(act, *i))
			continue;
		act->step = step;
		act->current = *i;
		return true;
	}
	return false;
}

static void override_all(struct act *act)
{
	for (unsigned int i = 0; next_wanted(act, ACT_OVERRIDE, &i); i++) {
		int ret = set_override(act->rootfd, &act->table.fn[i], vfio_pci);

		if (ret)
			fail(&act->outcome[i], ACT_OVERRIDE, ret);
	}
}

/* A quarter of the whole, so that one bad driver leaves time for the others. */
static int unbind_ms(const struct act *act)
{
	return (int)act->plan->deadline * 1000 / 4;
}

static void unbind_all(struct act *act)
{
	for (unsigned int i = 0; next_wanted(act, ACT_UNBIND, &i); i++) {
		const struct pci_function *fn = &act->table.fn[i];
		int ret;

		if (!*fn->driver)
			continue;
		ret = unbind(act->rootfd, fn, unbind_ms(act));
		if (!ret)
			continue;
		fail(&act->outcome[i], ACT_UNBIND, ret);
		/* Its lock is held: every further write to it would block as well. */
		if (ret == -ETIMEDOUT)
			act->outcome[i].result = ACT_STUCK;
	}
}

/*
 * vfio-pci evicts the boot framebuffer from VGA functions alone (vfio_pci_core.c,
 * vfio_pci_set_decode and aperture_remove_conflicting_pci_devices). From others efifb goes when its
 * platform device is unbound; BOOTFB of simpledrm stays whatever is unbound.
 */
static void release_framebuffers(struct act *act)
{
	for (unsigned int i = 0; next_wanted(act, ACT_FRAMEBUFFER, &i); i++) {
		struct pci_function now = act->table.fn[i];

		if (now.framebuffer == PCI_FB_NONE || pci_is_vga(&now))
			continue;
		if (now.framebuffer == PCI_FB_EFIFB) {
			sysfs_store(act->rootfd, PATH_EFIFB_UNBIND, "efi-framebuffer.0");
			pci_read_details(act->rootfd, &now);
		}
		act->outcome[i].framebuffer_remains = now.framebuffer != PCI_FB_NONE;
	}
}

static void load_modules(struct act *act)
{
	bool needed = false;

	for (unsigned int i = 0; i < act->table.count && !needed; i++)
		needed = is_wanted(act, i) && act->decisions.verdict[i].decision == DECIDE_BIND;
	if (!needed)
		return;

	act->step = ACT_LOAD;
	for (unsigned int i = 0; i < act->plan->modules; i++) {
		act->current = i;
		act->modules_tried = i + 1;
		modules_load(act->rootfd, &act->plan->module[i], &act->module[i]);
	}
	act->no_driver = !sysfs_exists(act->rootfd, PATH_VFIO_DRIVER);
}

static void bind_all(struct act *act)
{
	for (unsigned int i = 0; next_wanted(act, ACT_BIND, &i); i++) {
		const struct pci_function *fn = &act->table.fn[i];
		char driver[PCI_DRIVER_SIZE], addr[PCI_ADDRESS_SIZE];
		int ret;

		if (act->decisions.verdict[i].decision == DECIDE_HOLD)
			continue;
		if (act->no_driver) {
			fail(&act->outcome[i], ACT_LOAD, -ENODEV);
			continue;
		}
		if (!pci_read_driver(act->rootfd, &fn->addr, driver) && !strcmp(driver, vfio_pci))
			continue;
		ret = sysfs_store(act->rootfd, PATH_VFIO_DRIVER "/bind",
				  pci_address_format(&fn->addr, addr));
		if (ret)
			fail(&act->outcome[i], ACT_BIND, ret);
	}
}

/* Clears the override and lets the native driver have it back, when that is there already. */
static int release(struct act *act, const struct pci_function *fn)
{
	char driver[PCI_DRIVER_SIZE], addr[PCI_ADDRESS_SIZE];
	int ret = set_override(act->rootfd, fn, NULL);

	if (ret)
		return ret;
	ret = pci_read_driver(act->rootfd, &fn->addr, driver);
	if (ret || *driver)
		return ret;
	/* Succeeds also when no driver wants it, which is right before udev has loaded one. */
	ret = sysfs_store(act->rootfd, PATH_PCI_PROBE, pci_address_format(&fn->addr, addr));
	if (ret || !*fn->driver)
		return ret;
	ret = pci_read_driver(act->rootfd, &fn->addr, driver);
	return ret || *driver ? ret : -ENODEV;
}

static void verify_one(struct act *act, unsigned int i)
{
	const struct pci_function *fn = &act->table.fn[i];
	struct act_outcome *outcome = &act->outcome[i];
	/* Without its override it cannot be held. */
	bool hold = act->plan->failure == PLAN_FAILURE_HOLD && outcome->failed != ACT_OVERRIDE;
	int ret;

	act->current = i;
	act->step = ACT_VERIFY;
	ret = pci_read_driver(act->rootfd, &fn->addr, outcome->driver);
	if (act->decisions.verdict[i].decision == DECIDE_BIND) {
		if (!ret && !strcmp(outcome->driver, vfio_pci)) {
			outcome->result = ACT_BOUND;
			return;
		}
		fail(outcome, ACT_VERIFY, ret ? ret : -ENODEV);
	}
	if (!hold) {
		act->step = ACT_RELEASE;
		outcome->release_error = -release(act, fn);
		pci_read_driver(act->rootfd, &fn->addr, outcome->driver);
	}
	outcome->result = hold ? ACT_HELD : ACT_RELEASED;
}

static void verify_all(struct act *act)
{
	for (unsigned int i = 0; i < act->table.count; i++) {
		enum decision decision = act->decisions.verdict[i].decision;

		if (decision != DECIDE_BIND && decision != DECIDE_HOLD)
			continue;
		if (act->outcome[i].result != ACT_STUCK)
			verify_one(act, i);
	}
}

void act_run(struct act *act)
{
	override_all(act);
	unbind_all(act);
	release_framebuffers(act);
	load_modules(act);
	bind_all(act);
	verify_all(act);
	act->step = ACT_DONE;
}
