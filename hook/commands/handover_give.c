// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Binds functions to vfio-pci on the running host; see handover.h. The plan is the current config
 * with bind lines for only these functions; the code of the boot decides and carries it out. Before
 * anything is written, it looks for processes and VMs that use them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/candidate.h"
#include "commands/handover.h"
#include "early/decide.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "early/tell.h"
#include "host/next_boot.h"
#include "host/next_iommu.h"
#include "plan/modules.h"
#include "plan/plan.h"
#include "ui/status.h"
#include "util/address.h"
#include "util/message.h"
#include "util/words.h"

#define GIVE_BACK_MS 10000 /* after a run that did not finish */

static struct plan plan;

/* --- the plan */

/* Copies everything but the bind lines of the config. */
static void copy_without_binds(const char *text, FILE *out)
{
	for (size_t len; *text; text += len) {
		len = strcspn(text, "\n");
		len += text[len] == '\n';
		if (strncmp(text, "bind", 4) != 0)
			fwrite(text, 1, len, out);
	}
}

static int write_plan(const struct handover *handover, char **text, size_t *size)
{
	const struct root *root = &handover->host->root;
	char running[128], *compiled = NULL;
	const char *kernel = host_running(root, running, sizeof(running));
	FILE *out;
	int ret;

	/*
	 * Does not load modules of another system; without a folder of modules there are none to
	 * load.
	 */
	if (!root->is_host || !modules_are_indexed(root, kernel))
		kernel = NULL;
	ret = compiler_plan(handover->host->compiler, kernel, &compiled, size);
	if (ret)
		return ret;
	out = open_memstream(text, size);
	if (out) {
		copy_without_binds(compiled, out);
		for (size_t i = 0; i < handover->slot.count; i++)
			candidate_bind(handover->host, &handover->slot.fn[i], "bind", out);
	}
	free(compiled);
	return !out || fclose(out) ? message_errno(-ENOMEM, "cannot make the plan") : 0;
}

static int decide_now(struct handover *handover, char *text, size_t size)
{
	struct act *act = handover->act;
	struct plan_errors errors = { 0 };
	int ret;

	plan_init(&plan);
	if (plan_parse(&plan, text, size, PLAN_COMPILED, &errors))
		return message_error("the plan cannot be used: %s", errors.error[0].what);
	plan.failure = PLAN_FAILURE_RELEASE;
	plan.deadline = handover->deadline;
	act->plan = &plan;
	iommu_read(act->rootfd, handover->host->cmdline, plan_wants_noiommu(&plan),
		   &handover->host->iommu);
	act->table.late_groups = handover->host->iommu.has_smmu;
	/*
	 * Reads all functions again. Only if one is stuck, what is known of them is used: reading
	 * it would block for ever.
	 */
	if (handover->host->stuck) {
		act->table.known = handover->host->known;
		act->table.knowns = (unsigned int)handover->host->count;
	}
	ret = pci_collect(act->rootfd, &plan, NULL, &act->table);
	if (ret)
		return message_errno(ret, "cannot read the functions");
	decide(&plan, &handover->host->iommu, &act->table, &act->decisions);
	return 0;
}

/* --- verdicts */

static struct tell_facts facts_of(const struct handover *handover)
{
	return (struct tell_facts){
		.plan = &plan,
		.iommu = &handover->host->iommu,
		.table = &handover->act->table,
		.decisions = &handover->act->decisions,
	};
}

/*
 * What lets a VM have the group of a function that stays: by the rules of the boot, as with "group claim".
 * --group writes IDs and paths, so for it the facts need not be known.
 */
static const char *fix_blocking(const struct handover *handover, const struct pci_function *fn)
{
	static struct decisions decisions;
	const struct pci_table *table = &handover->act->table;
	unsigned char before = plan.group;
	enum reason reason = REASON_NONE;

	if (pci_is_bridge(fn))
		return "; fix: name a device of another group";
	if (handover->scope == SLOT_GROUP)
		return "";
	plan.group = PLAN_GROUP_CLAIM;
	decide(&plan, &handover->host->iommu, table, &decisions);
	plan.group = before;
	for (unsigned int i = 0; i < table->count && !reason; i++)
		if (table->fn[i].group == fn->group &&
		    decisions.verdict[i].reason == REASON_GROUP_CLAIM)
			reason = decisions.verdict[decisions.verdict[i].mate].reason;
	switch (reason) {
	case REASON_NONE:
	case REASON_FACTS:
		return "; fix: --group";
	case REASON_EXCEPT:
		return "; fix: remove it from the except line";
	case REASON_BOOT_VGA:
		return "; fix: boot-vga bind in the config";
	default:
		return "; fix: name a device of another group: --group cannot take all of this one";
	}
}

/* --group takes it along, so that a VM gets the whole group, unless no VM gets it at all. */
static void warn_blocking(const struct handover *handover, const struct pci_function *fn)
{
	char addr[PCI_ADDRESS_SIZE];

	message_warn("%s shares group %d and stays with the host: no VM gets the others%s",
		     pci_address_format(&fn->addr, addr), fn->group, fix_blocking(handover, fn));
}

/* Adds an item for a function that is bound or kept, or that is refused. */
static void add_verdict(struct handover *handover, unsigned int i)
{
	const struct tell_facts facts = facts_of(handover);
	const struct pci_function *fn = &handover->act->table.fn[i];
	const struct verdict *verdict = &handover->act->decisions.verdict[i];
	char why[TELL_SIZE], fix[TELL_SIZE];

	if (verdict->blocks_group && !handover->is_preview)
		warn_blocking(handover, fn);
	tell_reason(&facts, i, why, sizeof(why));
	tell_fix(&facts, i, fix, sizeof(fix));
	if (verdict->reason == REASON_NO_IOMMU || verdict->reason == REASON_NO_GROUP)
		next_iommu_fix(handover->host, host_find(handover->host, &fn->addr), fix,
			       sizeof(fix));
	else if (verdict->reason == REASON_PROTECTED)
		snprintf(fix, sizeof(fix), "%s",
			 words_of("end-use", "end that use first, if this host can do without it"));
	if (verdict->decision == DECIDE_REFUSE)
		handover_add(handover, fn, REPORT_REFUSED, code_name(verdict->reason), why, fix);
	else if (verdict->decision == DECIDE_KEEP)
		handover_add(handover, fn, REPORT_KEPT, code_name(verdict->reason),
			     verdict->reason == REASON_VARIANT ? why : "already on vfio-pci", "");
	else if (verdict->decision != DECIDE_NOTHING)
		handover_add(handover, fn, REPORT_PLANNED, "", "", "");
}

/* In the order of their addresses; the folder that they were read from has none. */
static void add_verdicts(struct handover *handover)
{
	const struct pci_table *table = &handover->act->table;
	const struct pci_address *last = NULL;

	for (unsigned int n = 0; n < table->count; n++) {
		unsigned int next = table->count;

		for (unsigned int i = 0; i < table->count; i++)
			if ((!last || address_compare(&table->fn[i].addr, last) > 0) &&
			    (next == table->count ||
			     address_compare(&table->fn[i].addr, &table->fn[next].addr) < 0))
				next = i;
		if (next == table->count)
			break;
		add_verdict(handover, next);
		last = &table->fn[next].addr;
	}
}

/* Adds an item for a function that disappeared while this program waited for the lock. */
static void add_gone(struct handover *handover, const struct pci_function *fn)
{
	const struct pci_table *table = &handover->act->table;

	for (unsigned int i = 0; i < table->count; i++)
		if (pci_address_equal(&table->fn[i].addr, &fn->addr))
			return;
	handover_add(handover, fn, REPORT_REFUSED, code_name(REASON_ABSENT),
		     "it is not there any more", "see vfio-early list -a");
}

static bool is_any(const struct handover *handover, enum report_result result)
{
	for (size_t i = 0; i < handover->items; i++)
		if (handover->item[i].result == result)
			return true;
	return false;
}

/* Marks the functions to be bound: nothing was done to them. */
static void leave(struct handover *handover)
{
	for (size_t i = 0; i < handover->items; i++)
		if (handover->item[i].result == REPORT_PLANNED)
			handover->item[i].result = REPORT_UNDONE;
}

/* --- who uses them */

static int find_users(struct handover *handover)
{
	const struct act *act = handover->act;
	struct pci_function *fn = calloc(act->table.count + 1, sizeof(*fn));
	size_t count = 0;
	int ret;

	if (!fn)
		return message_errno(-ENOMEM, "cannot find out who uses it");
	for (unsigned int i = 0; i < act->table.count; i++)
		if (act->decisions.verdict[i].decision == DECIDE_BIND)
			fn[count++] = act->table.fn[i];
	ret = users_find(handover->host, fn, count, USERS_OF_DRIVER,
			 compiler_protect(handover->host->compiler), &handover->users);
	free(fn);
	return ret;
}

static bool is_held(const struct handover *handover)
{
	for (size_t i = 0; i < handover->users.count; i++)
		if (!handover->force || !user_may_be_forced(&handover->users.list[i]))
			return true;
	return false;
}

/* --- carrying it out */

static int run_act(void *arg)
{
	act_run(arg);
	return 0;
}

/* Gives back what an unfinished run left between two drivers; not functions that have a driver. */
static int run_give_back(void *arg)
{
	struct act *act = arg;

	for (unsigned int i = 0; i < act->table.count; i++) {
		struct act_outcome *outcome = &act->outcome[i];

		if (act->decisions.verdict[i].decision == DECIDE_BIND &&
		    outcome->result == ACT_NOTHING)
			act_give_back(act, &act->table.fn[i], outcome);
	}
	return 0;
}

/*
 * The run did not finish: its current function, or a module, is stuck. The others are given back.
 */
static void end_run(struct handover *handover, int error)
{
	struct act *act = handover->act;

	tell_given_up(&handover->report, act, handover_ms(handover), error);
	act_look(act);
	if (act->step != ACT_LOAD && act->step != ACT_START && act->step != ACT_DONE &&
	    act->outcome[act->current].result == ACT_NOTHING) {
		act->outcome[act->current].failed = ACT_UNBIND;
		act->outcome[act->current].error = ETIMEDOUT;
		act->outcome[act->current].result = ACT_STUCK;
	}
	act->patience = GIVE_BACK_MS / 2;
	handover_run(handover, run_give_back, act, GIVE_BACK_MS);
	for (unsigned int i = 0; i < act->table.count; i++) {
		struct act_outcome *outcome = &act->outcome[i];

		if (act->decisions.verdict[i].decision != DECIDE_BIND ||
		    outcome->result != ACT_NOTHING)
			continue;
		outcome->failed = ACT_LOAD;
		outcome->error = ETIMEDOUT;
		outcome->result = *outcome->driver ? ACT_RELEASED : ACT_NOT_RELEASED;
	}
}

static void say_modules(struct handover *handover)
{
	const struct act *act = handover->act;
	char text[TELL_SIZE];

	for (unsigned int i = 0; i < act->modules_tried; i++) {
		if (act->module[i].step == MODULE_LOADED)
			continue;
		tell_module(&plan.module[i], &act->module[i], handover->host->cmdline, text,
			    sizeof(text));
		report_line(&handover->report, REPORT_ERROR, "%s", text);
		message_error("%s", text);
	}
}

static struct handover_item *find_item(struct handover *handover, const struct pci_function *fn)
{
	for (size_t i = 0; i < handover->items; i++)
		if (pci_address_equal(&handover->item[i].fn.addr, &fn->addr))
			return &handover->item[i];
	return NULL;
}

/* Also prints the values of set lines that the function did not accept. */
static void warn_unset(const struct pci_function *fn, const struct act_outcome *outcome)
{
	char addr[PCI_ADDRESS_SIZE];

	for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++) {
		const struct act_setting *setting = &outcome->setting[key];

		if (setting->value && setting->error)
			message_warn("%s: not set: %s%s, it had %s: %s",
				     pci_address_format(&fn->addr, addr), plan_key_name(key),
				     setting->value, report_or_dash(setting->before),
				     strerror(setting->error));
	}
}

static void say_bound(struct handover *handover, const struct pci_function *fn,
		      const struct act_outcome *outcome, struct handover_item *item)
{
	char more[TELL_SIZE];

	snprintf(item->why, sizeof(item->why),
		 *fn->driver ? "bound to vfio-pci, taken from %s" : "bound to vfio-pci",
		 fn->driver);
	item->result = REPORT_BOUND;
	item->code = code_name(REASON_BY_ADMIN);
	warn_unset(fn, outcome);
	handover_tell(handover, fn, item->driver, REPORT_BOUND, item->why, "detach",
		      tell_settings(&handover->report, fn, outcome, more));
}

static void say_failed(struct handover *handover, unsigned int i, struct handover_item *item)
{
	const struct tell_facts facts = facts_of(handover);
	const struct act_outcome *outcome = &handover->act->outcome[i];
	bool is_stuck = outcome->result == ACT_STUCK;
	char why[256], where[PCI_DRIVER_SIZE + 32];

	tell_verdict(&handover->report, &facts, i, outcome, handover_ms(handover));
	tell_failure(outcome, why, sizeof(why));
	snprintf(where, sizeof(where), *outcome->driver ? "on %s now" : "without a driver now",
		 outcome->driver);
	snprintf(item->why, sizeof(item->why), "%s%s, %s", is_stuck ? "stuck: " : "", why, where);
	if (is_stuck)
		snprintf(item->fix, sizeof(item->fix), "reboot");
	item->result = REPORT_FAILED;
	item->code = code_name(act_reason(outcome));
}

static int carry_out(struct handover *handover)
{
	struct act *act = handover->act;
	int ret, status = COMMAND_OK;

	/*
	 * Drivers may take half of the time: the rest is for the bind, and for giving back what
	 * fails.
	 */
	act->patience = (int)handover->deadline * 1000 / 2;
	ret = handover_run(handover, run_act, act, (int)handover->deadline * 1000);
	if (ret)
		end_run(handover, ret);
	say_modules(handover);
	if (act->is_unset)
		status = COMMAND_INCOMPLETE;
	for (unsigned int i = 0; i < act->table.count; i++) {
		const struct act_outcome *outcome = &act->outcome[i];
		struct handover_item *item = find_item(handover, &act->table.fn[i]);

		if (act->decisions.verdict[i].decision != DECIDE_BIND || !item)
			continue;
		strcpy(item->driver, outcome->driver);
		if (outcome->result == ACT_BOUND) {
			say_bound(handover, &act->table.fn[i], outcome, item);
			continue;
		}
		say_failed(handover, i, item);
		status = COMMAND_INCOMPLETE;
	}
	return status;
}

/* They are on vfio-pci already: record in the report that the administrator wants this. */
static void keep(struct handover *handover)
{
	for (size_t i = 0; i < handover->items && !handover->is_dry; i++) {
		const struct handover_item *item = &handover->item[i];

		if (item->result == REPORT_KEPT)
			handover_tell(handover, &item->fn, item->driver, REPORT_KEPT,
				      "already on vfio-pci", "detach", NULL);
	}
}

static void say_planned(struct handover *handover)
{
	for (size_t i = 0; i < handover->items; i++) {
		struct handover_item *item = &handover->item[i];

		if (item->result == REPORT_PLANNED)
			snprintf(item->why, sizeof(item->why),
				 *item->fn.driver ? "would be bound to vfio-pci, taken from %s" :
						    "would be bound to vfio-pci",
				 item->fn.driver);
	}
}

int handover_give(struct handover *handover)
{
	char *text = NULL;
	size_t size;
	int ret = write_plan(handover, &text, &size);

	if (!ret)
		ret = decide_now(handover, text, size);
	if (!ret)
		add_verdicts(handover);
	for (size_t i = 0; i < handover->slot.count && !ret; i++)
		add_gone(handover, &handover->slot.fn[i]);
	if (!ret && is_any(handover, REPORT_REFUSED)) {
		leave(handover);
		ret = COMMAND_INCOMPLETE;
	}
	if (!ret)
		ret = find_users(handover);
	if (!ret && is_held(handover)) {
		leave(handover);
		ret = COMMAND_INCOMPLETE;
	} else if (!ret && handover->is_dry) {
		say_planned(handover);
	} else if (!ret) {
		keep(handover);
		ret = carry_out(handover);
	}
	free(text);
	return ret < 0 ? COMMAND_NOTHING : ret;
}
