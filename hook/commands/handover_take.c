// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gives functions back to their own drivers on the running host; see handover.h. Clears the
 * override and the dynamic ID of vfio-pci before the unbind, loads the driver's module, which an
 * early bind may have kept from being loaded, probes, and checks which driver each function has.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "commands/handover.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "host/boot_report.h"
#include "plan/native.h"
#include "ui/status.h"
#include "util/message.h"

#define AWAIT_MS 5000 /* for a driver that probes asynchronously */

/* The results of the child. */
struct taken {
	struct act *act;
	const struct root *root;
	char kernel[128];
	struct native native[PCI_MAX_FUNCTIONS];
};

/* Does it have its own driver, and no override that prevents it? */
static bool is_at_home(const struct handover *handover, const struct pci_function *fn)
{
	return *fn->driver && !pci_is_with_vfio(fn) &&
	       !pci_is_overridden(handover->host->root.fd, &fn->addr, "vfio-pci");
}

/* --- who uses them */

static int find_users(struct handover *handover)
{
	return users_find(handover->host, handover->slot.fn, handover->slot.count, USERS_OF_VM,
			  NULL, &handover->users);
}

/* --- in the child */

static bool is_ours(const struct act *act, unsigned int i)
{
	return act->decisions.verdict[i].decision == DECIDE_BIND;
}

/* The driver of a module that was just loaded may not have the function yet. */
static void await_driver(struct act *act, unsigned int i)
{
	for (int ms = AWAIT_MS; ms > 0 && !*act->outcome[i].driver; ms -= SYSFS_POLL_MS) {
		sysfs_wait();
		pci_read_driver(act->rootfd, &act->table.fn[i].addr, act->outcome[i].driver);
	}
}

static int let_go_all(void *arg)
{
	struct taken *taken = arg;
	struct act *act = taken->act;

	for (unsigned int i = 0; i < act->table.count; i++) {
		if (!is_ours(act, i))
			continue;
		act->step = ACT_UNBIND;
		act->current = i;
		act_let_go(act, &act->table.fn[i], &act->outcome[i]);
	}
	return 0;
}

static void probe_one(struct taken *taken, unsigned int i)
{
	struct act *act = taken->act;
	char path[SYSFS_PATH_MAX], modalias[256], addr[PCI_ADDRESS_SIZE];

	if (act->outcome[i].failed)
		return;
	if (act_restore(act, &act->table.fn[i], &act->outcome[i]))
		message_warn("%s: cannot set reset_method or d3cold_allowed back to what it was",
			     pci_address_format(&act->table.fn[i].addr, addr));
	if (sysfs_read(act->rootfd, pci_attribute(path, &act->table.fn[i].addr, "modalias"),
		       modalias, sizeof(modalias)) > 0)
		native_find(taken->root, taken->kernel, modalias, true, &taken->native[i]);
	act->step = ACT_RELEASE;
	act->current = i;
	act_probe(act, &act->table.fn[i], &act->outcome[i]);
	if (!*act->outcome[i].driver && taken->native[i].state == NATIVE_THERE)
		await_driver(act, i);
}

static int give_back_all(void *arg)
{
	struct taken *taken = arg;

	let_go_all(taken);
	for (unsigned int i = 0; i < taken->act->table.count; i++)
		if (is_ours(taken->act, i))
			probe_one(taken, i);
	taken->act->step = ACT_DONE;
	return 0;
}

/* --- results */

static bool has_reset_method(const struct handover *handover, const struct pci_address *addr)
{
	char path[SYSFS_PATH_MAX], text[128];

	return sysfs_read(handover->host->root.fd, pci_attribute(path, addr, "reset_method"), text,
			  sizeof(text)) > 0;
}

/*
 * A function that cannot be reset has no reset_method (drivers/pci/pci.c,
 * pci_dev_reset_method_attr_is_visible). On a kernel before 5.15 no function has one, and nothing
 * is known.
 */
static bool is_without_reset(const struct handover *handover, const struct pci_function *fn)
{
	const struct host *host = handover->host;
	bool is_known = false;

	for (size_t i = 0; i < host->count && !is_known; i++)
		is_known = has_reset_method(handover, &host->fn[i].pci.addr);
	return is_known && !has_reset_method(handover, &fn->addr);
}

static void say_no_driver(const struct native *native, struct handover_item *item)
{
	switch (native->state) {
	case NATIVE_NONE:
		item->code = "no-native-module";
		snprintf(item->why, sizeof(item->why),
			 "given back; this kernel has no driver for it");
		break;
	case NATIVE_BLACKLISTED:
		item->code = "native-blacklisted";
		snprintf(item->why, sizeof(item->why),
			 "given back, without a driver: module %s is blacklisted", native->module);
		snprintf(item->fix, sizeof(item->fix),
			 "remove it from /etc/modprobe.d, or load it with modprobe");
		break;
	case NATIVE_INSTALL:
		item->code = "native-install";
		snprintf(item->why, sizeof(item->why),
			 "given back, without a driver: `install %s` of modprobe.d runs `%s`",
			 native->module, native->command);
		snprintf(item->fix, sizeof(item->fix),
			 "remove that line, or: modprobe --ignore-install %s", native->module);
		break;
	case NATIVE_FAILED:
		item->code = "native-load-failed";
		snprintf(item->why, sizeof(item->why),
			 "given back, without a driver: module %s cannot be loaded: %s",
			 native->module, strerror(-native->error));
		snprintf(item->fix, sizeof(item->fix), "see dmesg");
		break;
	case NATIVE_THERE:
		item->code = "native-probe-failed";
		snprintf(item->why, sizeof(item->why),
			 "given back, without a driver: %s does not bind it", native->module);
		snprintf(item->fix, sizeof(item->fix), "see dmesg");
		break;
	}
}

/* Returns whether the result is good. */
static bool say_given_back(struct handover *handover, const struct pci_function *fn,
			   const struct native *native, struct handover_item *item)
{
	char what[PCI_DRIVER_SIZE + 32];

	item->result = REPORT_REATTACHED;
	item->code = code_name(REASON_BY_ADMIN);
	snprintf(what, sizeof(what),
		 *item->driver ? "given back, now on %s" : "given back, no driver", item->driver);
	handover_tell(handover, fn, item->driver, REPORT_REATTACHED, what, "reattach", NULL);
	if (!*item->driver) {
		say_no_driver(native, item);
	} else {
		snprintf(item->why, sizeof(item->why), "given back to %s", item->driver);
		if (is_without_reset(handover, fn))
			snprintf(item->fix, sizeof(item->fix),
				 "it has no reset method: if it does not work now, it may need a "
				 "cold start");
	}
	return *item->driver || native->state == NATIVE_NONE;
}

static void say_failed(struct handover *handover, const struct pci_function *fn,
		       const struct act_outcome *outcome, struct handover_item *item)
{
	bool is_stuck = outcome->error == ETIMEDOUT;
	const struct report_entry entry = {
		.fn = fn,
		.result = REPORT_FAILED,
		.why = is_stuck ? REASON_STUCK : REASON_UNBIND,
		.driver = item->driver,
		.reason = strerror(outcome->error),
		.ms = handover_ms(handover),
	};

	item->result = REPORT_FAILED;
	item->code = code_name(entry.why);
	snprintf(item->why, sizeof(item->why),
		 is_stuck ? "stuck: its driver does not let go" : "not given back: %s",
		 strerror(outcome->error));
	if (is_stuck)
		snprintf(item->fix, sizeof(item->fix), "reboot");
	report_function(&handover->report, REPORT_ERROR, fn, "not given back",
			is_stuck ? item->why : strerror(outcome->error));
	report_entry(&handover->report, &entry);
}

/* --- the whole */

/*
 * Somebody else gave it back after the boot had bound it: record in the report that the
 * administrator wants this.
 */
static void acknowledge(struct handover *handover, const struct boot_report *entries,
			const struct pci_function *fn)
{
	char addr[PCI_ADDRESS_SIZE];
	const struct boot_report_entry *entry =
		boot_report_find(entries, pci_address_format(&fn->addr, addr));

	if (!handover->is_dry && entry && strcmp(entry->driver, fn->driver) != 0)
		handover_tell(handover, fn, fn->driver, REPORT_REATTACHED, "given back already",
			      "reattach", NULL);
}

/* Reads what set lines have changed on this function. */
static void read_settings(struct taken *taken, const struct boot_report *entries, unsigned int i)
{
	const struct pci_function *fn = &taken->act->table.fn[i];
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];
	const struct boot_report_entry *entry =
		boot_report_find(entries, pci_address_format(&fn->addr, addr));

	if (!entry || strcmp(entry->id, pci_id_format(&fn->id, id)) != 0)
		return;
	for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++)
		if (!strcmp(entry->setting[key].code, code_name(REASON_NONE)))
			strcpy(taken->act->outcome[i].setting[key].before,
			       entry->setting[key].before);
}

/* Selects the functions that must be given back. Returns their number. */
static unsigned int choose(struct handover *handover, struct taken *taken)
{
	struct act *act = handover->act;
	struct boot_report entries;
	unsigned int count = 0;

	boot_report_read(&handover->host->root, &entries);
	for (size_t i = 0; i < handover->slot.count && act->table.count < PCI_MAX_FUNCTIONS; i++) {
		const struct pci_function *fn = &handover->slot.fn[i];
		char text[PCI_DRIVER_SIZE + 32];

		if (is_at_home(handover, fn) || pci_is_bridge(fn)) {
			if (*fn->driver)
				snprintf(text, sizeof(text), "already on %s", fn->driver);
			else
				snprintf(text, sizeof(text), "stays with this host");
			handover_add(handover, fn, REPORT_KEPT, "", text, "");
			acknowledge(handover, &entries, fn);
			continue;
		}
		act->table.fn[act->table.count] = *fn;
		read_settings(taken, &entries, act->table.count);
		act->decisions.verdict[act->table.count++].decision = DECIDE_BIND;
		handover_add(handover, fn, REPORT_PLANNED, "", "", "");
		count++;
	}
	boot_report_free(&entries);
	return count;
}

static void end_run(struct taken *taken)
{
	struct act *act = taken->act;

	act_look(act);
	for (unsigned int i = 0; i < act->table.count; i++) {
		struct act_outcome *outcome = &act->outcome[i];

		if (outcome->result == ACT_RELEASED && *outcome->driver)
			continue;
		if (outcome->result == ACT_STUCK || i != act->current)
			continue;
		outcome->failed = ACT_UNBIND;
		outcome->error = ETIMEDOUT;
		outcome->result = ACT_STUCK;
	}
}

static int carry_out(struct handover *handover, struct taken *taken)
{
	struct act *act = handover->act;
	int ret, status = COMMAND_OK;
	unsigned int next = 0;

	act->patience = (int)handover->deadline * 1000 / 2;
	ret = handover_run(handover, give_back_all, taken, (int)handover->deadline * 1000);
	if (ret)
		end_run(taken);
	for (size_t i = 0; i < handover->items; i++) {
		struct handover_item *item = &handover->item[i];
		const struct act_outcome *outcome;

		if (item->result != REPORT_PLANNED)
			continue;
		outcome = &act->outcome[next];
		strcpy(item->driver, outcome->driver);
		if (outcome->failed)
			say_failed(handover, &item->fn, outcome, item);
		if (outcome->failed ||
		    !say_given_back(handover, &item->fn, &taken->native[next], item))
			status = COMMAND_INCOMPLETE;
		next++;
	}
	return status;
}

static void say_planned(struct handover *handover, const struct taken *taken)
{
	for (size_t i = 0; i < handover->items; i++) {
		struct handover_item *item = &handover->item[i];
		char path[SYSFS_PATH_MAX], modalias[256];
		struct native native = { 0 };

		if (item->result != REPORT_PLANNED)
			continue;
		if (sysfs_read(handover->host->root.fd,
			       pci_attribute(path, &item->fn.addr, "modalias"), modalias,
			       sizeof(modalias)) > 0)
			native_find(taken->root, taken->kernel, modalias, false, &native);
		if (native.state == NATIVE_THERE)
			snprintf(item->why, sizeof(item->why), "would be given back to %s",
				 native.module);
		else if (native.state == NATIVE_INSTALL)
			snprintf(item->why, sizeof(item->why),
				 "would be given back; `install %s` of modprobe.d runs `%s`",
				 native.module, native.command);
		else if (*native.module)
			snprintf(item->why, sizeof(item->why),
				 "would be given back; module %s is blacklisted", native.module);
		else
			snprintf(item->why, sizeof(item->why), "would be given back");
	}
}

/* Marks that nothing was done to any of them. */
static void leave(struct handover *handover)
{
	for (size_t i = 0; i < handover->items; i++)
		if (handover->item[i].result == REPORT_PLANNED)
			handover->item[i].result = REPORT_UNDONE;
}

int handover_take_back(struct handover *handover)
{
	struct taken *taken = mmap(NULL, sizeof(*taken), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret = COMMAND_OK;

	if (taken == MAP_FAILED) {
		message_errno(-ENOMEM, "cannot begin");
		return COMMAND_NOTHING;
	}
	taken->act = handover->act;
	taken->root = &handover->host->root;
	host_running(taken->root, taken->kernel, sizeof(taken->kernel));
	if (choose(handover, taken) && find_users(handover)) {
		ret = COMMAND_NOTHING;
	} else if (handover->users.count) {
		leave(handover);
		ret = COMMAND_INCOMPLETE;
	} else if (handover->is_dry) {
		say_planned(handover, taken);
	} else {
		ret = carry_out(handover, taken);
	}
	munmap(taken, sizeof(*taken));
	return ret;
}
