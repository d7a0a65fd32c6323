// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of messages; see tell.h. Every sentence is in one place: WORDS() names its code. */
#include <errno.h>
#include <string.h>

#include "cmdline.h"
#include "paths.h"
#include "sysfs.h"
#include "tell.h"
#include "text.h"
#include "version.h"

/* --- the IOMMU */

char *tell_iommu(const struct iommu *iommu, char *buf, size_t size)
{
	const char *text = WORDS("iommu-off-firmware",
				 "IOMMU off in the firmware (no DMAR, IVRS or IORT)");
	const char *what = iommu_table_name(iommu);

	if (iommu->state == IOMMU_ON) {
		text = WORDS("iommu-on", "IOMMU on (%s%s)");
		what = iommu->unit;
	} else if (iommu->state == IOMMU_OFF_KERNEL) {
		text = WORDS("iommu-off-kernel", "IOMMU off in the kernel (firmware table %s)");
	} else if (iommu->state == IOMMU_NOIOMMU) {
		text = WORDS("noiommu",
			     "IOMMU off, and vfio in noiommu mode, which isolates no VM");
	} else if (iommu->table == IOMMU_TABLE_TREE) {
		text = WORDS("iommu-off-board",
			     "IOMMU off, no SMMU of this board's device tree is in use");
	}
	text_format(buf, size, text, what, iommu->units > 1 ? WORDS("", " and others") : "");
	return buf;
}

char *tell_iommu_fix(const struct iommu *iommu, char *buf, size_t size)
{
	const char *text = WORDS("see-dmesg", "see dmesg | grep -i iommu");

	if (iommu->state == IOMMU_ON)
		text = "";
	else if (iommu->state == IOMMU_NOIOMMU)
		text = WORDS("remove-noiommu", "remove enable_unsafe_noiommu_mode");
	else if (iommu->state == IOMMU_OFF_FIRMWARE && iommu->table == IOMMU_TABLE_TREE)
		text = WORDS("see-dmesg", "see dmesg | grep -i -e smmu -e iommu");
	else if (iommu->state == IOMMU_OFF_FIRMWARE)
		text = WORDS("firmware-setup", "switch on VT-d, AMD-Vi or SMMU there");
	else if (iommu->param[0])
		text = WORDS("remove-parameter", "remove kernel parameter %s");
	else if (iommu->table == IOMMU_TABLE_DMAR && !iommu->is_asked)
		text = WORDS("add-parameter", "add kernel parameter intel_iommu=on");
	text_format(buf, size, text, iommu->param);
	return buf;
}

char *tell_iommu_whole(const struct iommu *iommu, char *buf, size_t size)
{
	char fix[TELL_SIZE];
	size_t len = strlen(tell_iommu(iommu, buf, size));

	if (*tell_iommu_fix(iommu, fix, sizeof(fix)))
		text_format(buf + len, size - len, ": %s", fix);
	return buf;
}

/* --- verdicts */

/*
 * The subject of the sentence for a reason: the one thing that it names; "" if it names none. May
 * use "buf" for it.
 */
static const char *subject_of(const struct tell_facts *facts, unsigned int i, char *buf,
			      size_t size)
{
	const struct verdict *verdict = &facts->decisions->verdict[i];
	const struct pci_function *fn = &facts->table->fn[i];

	switch (verdict->reason) {
	case REASON_FORCED:
	case REASON_PROTECTED:
		return facts->plan->protect[verdict->protect].reason;
	case REASON_VARIANT:
	case REASON_NOIOMMU:
		return fn->driver;
	case REASON_ID_CHANGED:
		return facts->plan->bind[verdict->bind].text;
	case REASON_BOOT_VGA:
		if (fn->boot_vga)
			return WORDS("", "boot VGA");
		return fn->framebuffer != PCI_FB_NONE ? WORDS("", "boot framebuffer") :
							WORDS("", "in the boot VGA's slot");
	case REASON_VFS:
		text_format(buf, size, "%u", fn->vfs);
		return buf;
	case REASON_NO_IOMMU:
		return tell_iommu(facts->iommu, buf, size);
	case REASON_NO_GROUP:
		if (!iommu_is_igfx(facts->iommu, fn))
			return WORDS("", "the firmware's tables leave it out");
		if (!facts->iommu->igfx_param[0])
			return facts->iommu->is_asked ?
				       WORDS("", "integrated GPU still left out") :
				       WORDS("", "integrated GPU left out by default");
		text_format(buf, size,
			    WORDS("igfx-off", "kernel parameter %s leaves the integrated GPU out"),
			    facts->iommu->igfx_param);
		return buf;
	case REASON_GROUP:
	case REASON_GROUP_CLAIM:
		return pci_address_format(&facts->table->fn[verdict->mate].addr, buf);
	default:
		return "";
	}
}

/*
 * The sentences for reasons, one after the other in the order of REASON_CODES, up to the last one
 * that has any; "" if there is nothing to say. %s is the subject for a verdict, and the text of the
 * errno for an outcome: "bind: Invalid argument".
 */
/* clang-format off */
static const char reason_words[] =
	"\0" /* ok */
	WORDS("forced", "%s (protect) overridden by bind!") "\0"
	WORDS("claimed", "claimed for its group") "\0"
	"\0" /* already-bound */
	WORDS("variant-driver", "kept on %s, its own vfio driver") "\0"
	WORDS("except", "in except") "\0"
	WORDS("moved", "%s was planned, but %s is there") "\0"
	WORDS("no-path", "the plan has no paths, and the host needs one of that ID") "\0"
	WORDS("facts-unknown", "it is not known what this host needs") "\0"
	WORDS("bridge", "a bridge") "\0"
	WORDS("protected", "%s (protect)") "\0"
	WORDS("boot-vga", "%s (boot-vga keep)") "\0"
	WORDS("vfs-enabled", "%s virtual functions are enabled") "\0"
	WORDS("no-iommu", "%s") "\0"
	WORDS("no-group", "no IOMMU group: %s") "\0"
	WORDS("noiommu-group", "on %s in a vfio-noiommu group, which isolates no VM") "\0"
	WORDS("group-shared", "%s shares the group and no bind line takes it (group refuse)") "\0"
	WORDS("settled", "with the host since an earlier run") "\0"
	WORDS("group-kept", "%s shares the group and cannot be claimed: %s") "\0"
	"\0" /* absent: has a sentence elsewhere */
	WORDS("override-failed", "override: %s") "\0"
	WORDS("unbind-failed", "unbind: %s") "\0"
	WORDS("driver-stuck", "unbind: %s") "\0"
	WORDS("no-vfio-pci", "bind: there is no vfio-pci driver") "\0"
	WORDS("bind-refused", "bind: vfio-pci refuses it (its denylist, or no group)") "\0"
	WORDS("bind-failed", "bind: %s") "\0"
	WORDS("not-ready", "bind: the kernel is still adding it") "\0"
	WORDS("not-bound", "verify: %s") "\0"
	WORDS("busy", "lock: another run has not ended; run vfio-early-bind --late for it");
/* clang-format on */

static const char *words_of(enum reason reason)
{
	return text_nth(reason_words, reason);
}

char *tell_reason(const struct tell_facts *facts, unsigned int i, char *buf, size_t size)
{
	const struct verdict *verdict = &facts->decisions->verdict[i];
	const struct pci_function *fn = &facts->table->fn[i];
	char subject[TELL_SIZE], second[TELL_SIZE], more[TELL_SIZE];
	const struct pci_id *id;
	bool is_slot;

	second[0] = '\0';
	if (verdict->reason == REASON_ID_CHANGED) {
		is_slot = facts->plan->bind[verdict->bind].sel.kind == SELECTOR_SLOT &&
			  fn->has_slot_id;
		id = is_slot ? &fn->slot_id : &fn->id;
		if (facts->plan->bind[verdict->bind].sel.kind == SELECTOR_VF)
			id = &fn->pf.id;
		if (pci_id_matches(&facts->plan->bind[verdict->bind].sel.id, id))
			text_format(second, sizeof(second), WORDS("twin", "another with that ID"));
		else
			pci_id_format(id, second);
	} else if (verdict->reason == REASON_GROUP_CLAIM) {
		/* The reason of the other function, which names no third one. */
		text_format(second, sizeof(second),
			    words_of(facts->decisions->verdict[verdict->mate].reason),
			    subject_of(facts, (unsigned int)verdict->mate, more, sizeof(more)));
	}
	text_format(buf, size, words_of(verdict->reason),
		    subject_of(facts, i, subject, sizeof(subject)), second);
	return buf;
}

char *tell_fix(const struct tell_facts *facts, unsigned int i, char *buf, size_t size)
{
	const struct verdict *verdict = &facts->decisions->verdict[i];
	const struct pci_function *fn;
	char addr[PCI_ADDRESS_SIZE];
	const char *text = "";

	/* The step is about the function that is in the way. */
	if (verdict->reason == REASON_GROUP_CLAIM) {
		i = (unsigned int)verdict->mate;
		verdict = &facts->decisions->verdict[i];
		/* Functions behind a bridge were not asked for. */
		if (verdict->reason == REASON_BRIDGE)
			return strcpy(buf, "");
	}
	fn = &facts->table->fn[i];
	switch (verdict->reason) {
	case REASON_NO_IOMMU:
		return tell_iommu_fix(facts->iommu, buf, size);
	case REASON_NO_PATH:
	case REASON_FACTS:
		text = WORDS("new-image", "run vfio-early apply on this host");
		break;
	case REASON_BRIDGE:
		/* Behind those of the board (host, ISA) nothing can be named. */
		if (pci_is_port(fn))
			text = WORDS("name-behind", "name what is behind it");
		break;
	case REASON_VFS:
		text = WORDS("bind-vfs", "bind those, or set sriov_numvfs to 0");
		break;
	case REASON_NOIOMMU:
		text = WORDS("remove-noiommu", "remove enable_unsafe_noiommu_mode");
		break;
	case REASON_NO_GROUP:
		if (!iommu_is_igfx(facts->iommu, fn))
			text = WORDS("firmware-update", "look for an update");
		else if (facts->iommu->igfx_param[0])
			text = WORDS("correct-parameter", "write intel_iommu=on instead");
		else if (facts->iommu->is_asked)
			text = WORDS("see-dmesg", "see dmesg | grep -i -e dmar -e iommu");
		else
			text = WORDS("add-parameter", "add kernel parameter intel_iommu=on");
		break;
	case REASON_ID_CHANGED:
		if (verdict->has_hint)
			text = WORDS("plan-again",
				     "that ID is at %s now: if it was moved, plan it there");
		break;
	default:
		break;
	}
	text_format(buf, size, text, pci_address_format(&verdict->hint, addr));
	return buf;
}

char *tell_whole(const struct tell_facts *facts, unsigned int i, char *buf, size_t size)
{
	bool is_iommu = facts->decisions->verdict[i].reason == REASON_NO_IOMMU;
	size_t len = strlen(tell_reason(facts, i, buf, size));
	char fix[TELL_SIZE];

	if (*tell_fix(facts, i, fix, sizeof(fix)))
		text_format(buf + len, size - len, "%s %s", is_iommu ? ":" : ";", fix);
	return buf;
}

/* --- modules */

/* The kernel's name for a module has no '-' (kernel/module/main.c, blacklisted). */
static bool is_blacklisted(const char *name, const char *cmdline, char param[CMDLINE_PARAM_SIZE])
{
	char plain[SYSFS_PATH_MAX];

	text_format(plain, sizeof(plain), "%s", name);
	text_replace(plain, '-', '_');
	return cmdline_find(cmdline, "module_blacklist", plain, param);
}

char *tell_module(const struct plan_module *module, const struct module_result *result,
		  const char *cmdline, char *buf, size_t size)
{
	const char *name = modules_name(module), *what = text_error(result->error);
	const char *next = WORDS("", "see the kernel's own message above");
	const char *text = WORDS("module-failed", "module %s: %s; %s");
	char param[CMDLINE_PARAM_SIZE];

	if (result->step == MODULE_LOADED) {
		text = "";
	} else if (result->step == MODULE_MISSING) {
		text = WORDS("module-missing",
			     "module %s: %s.ko is not in this image; run vfio-early apply");
		what = module->path;
	} else if (result->error == EPERM && is_blacklisted(name, cmdline, param)) {
		text = WORDS("module-blacklisted",
			     "module %s: refused: remove kernel parameter %s");
		what = param;
	} else if (result->error == EPERM) {
		next = WORDS("", "kernel lockdown or modules_disabled forbids it");
	} else if (result->error == EKEYREJECTED || result->error == ENOKEY) {
		next = WORDS("", "this kernel does not trust its key");
	} else if (result->step == MODULE_MODPROBE) {
		next = WORDS("", "the kernel cannot unpack it, and modprobe failed");
	} else if (result->error == ENOEXEC && result->step == MODULE_LOAD) {
		next = WORDS("", "not a module of this kernel; run vfio-early apply");
	}
	text_format(buf, size, text, name, what, next);
	return buf;
}

/* --- the run */

static void tell_no_remapping(struct report *report, const struct plan *plan,
			      const struct iommu *iommu)
{
	const char *param = iommu->remapping_param;

	if (plan_wants_unsafe(plan))
		report_line(report, REPORT_WARNING,
			    WORDS("remapping-unsafe",
				  "no interrupt remapping, but allow_unsafe_interrupts: a VM may "
				  "raise any interrupt of this host"));
	else
		report_line(report, REPORT_WARNING,
			    WORDS("no-remapping",
				  "no interrupt remapping: VMs are refused the device; %s%s"),
			    *param ? WORDS("", "remove kernel parameter ") :
				     WORDS("", "switch on x2APIC in the firmware"),
			    param);
}

static void tell_facts_unknown(struct report *report)
{
	report_line(report, REPORT_WARNING,
		    WORDS("facts-unknown",
			  "%s: storage, network and USB are bound by ID and path alone; run "
			  "vfio-early apply on this host"),
		    words_of(REASON_FACTS));
}

void tell_start(struct report *report, const struct plan *plan, const struct iommu *iommu)
{
	bool is_on = iommu->state == IOMMU_ON;
	char text[TELL_SIZE];

	report_line(report, is_on ? REPORT_INFO : REPORT_ERROR,
		    WORDS("start", "%s: %u bind line%s, %s"), version_text, plan->bind_lines,
		    plan->bind_lines == 1 ? "" : "s", tell_iommu_whole(iommu, text, sizeof(text)));
	if (is_on && !iommu->has_remapping && iommu_wants_remapping(iommu))
		tell_no_remapping(report, plan, iommu);
	if (plan->facts_unknown)
		tell_facts_unknown(report);
}

void tell_unreadable(struct report *report, const struct pci_table *table)
{
	char addr[PCI_ADDRESS_SIZE];

	report_line(report, REPORT_ERROR, WORDS("unreadable", "%s: %s: left alone (%u in all)"),
		    pci_address_format(&table->unreadable_addr, addr), text_error(-table->error),
		    table->unreadable);
}

void tell_no_functions(struct report *report, int error)
{
	report_line(report, REPORT_ERROR, WORDS("no-functions", "/%s: %s: nothing was touched"),
		    PATH_PCI_DEVICES,
		    error == -E2BIG ? WORDS("too-many", "bind lines name over 1024 functions") :
				      text_error(-error));
}

bool tell_modules(struct report *report, const struct act *act, unsigned int from,
		  const char *cmdline)
{
	char text[TELL_SIZE];
	bool is_any = false;

	for (unsigned int i = from; i < act->modules_tried; i++) {
		if (act->module[i].step == MODULE_LOADED)
			continue;
		report_line(report, REPORT_ERROR, "%s",
			    tell_module(&act->plan->module[i], &act->module[i], cmdline, text,
					sizeof(text)));
		is_any = true;
	}
	return is_any;
}

void tell_also_named(struct report *report, const struct pci_function *fn, const char *selector)
{
	report_function(report, REPORT_INFO, fn, WORDS("also-named", "also named by"), selector);
}

void tell_console(struct report *report, const struct pci_function *fn, bool is_another,
		  bool is_dry)
{
	report_function(report, REPORT_WARNING, fn,
			is_another ? WORDS("console-of-all",
					   "in this kernel, takes every card's console away") :
				     WORDS("console", "shows the console"),
			is_dry ? WORDS("", "it would go dark, the boot would go on") :
				 WORDS("", "it goes dark now, the boot goes on"));
}

/* --- outcomes */

/* The step that failed. */
static const char *failure_words(enum reason reason)
{
	/* As an outcome: the group appeared only with the bind. */
	if (reason == REASON_NOIOMMU)
		return WORDS("noiommu-group", "group: vfio-noiommu isolates no VM: remove "
					      "enable_unsafe_noiommu_mode");
	return words_of(reason);
}

char *tell_failure(const struct act_outcome *outcome, char *buf, size_t size)
{
	text_format(buf, size, failure_words(act_reason(outcome)), text_error(outcome->error));
	return buf;
}

const char *tell_settings(struct report *report, const struct pci_function *fn,
			  const struct act_outcome *outcome, char more[TELL_SIZE])
{
	char what[TELL_SIZE];
	size_t len = 0;

	more[0] = '\0';
	for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++) {
		const struct act_setting *setting = &outcome->setting[key];
		const char *name = plan_key_name(key), *before = report_or_dash(setting->before);
		char *field = more + len;

		if (!setting->value)
			continue;
		text_format(what, sizeof(what),
			    setting->error ? WORDS("not-set", "not set: %s%s, it had %s") :
					     WORDS("set", "set: %s%s, it had %s"),
			    name, setting->value, before);
		report_function(report, setting->error ? REPORT_WARNING : REPORT_INFO, fn, what,
				setting->error ? text_error(setting->error) : "");
		len += text_format(field, TELL_SIZE - len, " set-%s%s:%s", name,
				   code_name(act_set_reason(setting->error)), before);
		/* The values of the report have no blanks. */
		text_replace(field + 1, ' ', ',');
	}
	return more;
}

static void tell_bound(struct report *report, struct report_entry *entry,
		       const struct act_outcome *outcome)
{
	const struct pci_function *fn = entry->fn;
	char what[PCI_DRIVER_SIZE + 32], more[TELL_SIZE];

	text_format(what, sizeof(what),
		    *fn->driver ? WORDS("bound", "bound to vfio-pci, taken from %s") :
				  WORDS("bound", "bound to vfio-pci"),
		    fn->driver);
	entry->result = REPORT_BOUND;
	report_function(report, REPORT_INFO, fn, what, entry->reason);
	entry->more = tell_settings(report, fn, outcome, more);
	report_entry(report, entry);
	if (fn->framebuffer != PCI_FB_NONE && !pci_is_vga(fn))
		report_function(report, REPORT_WARNING, fn,
				WORDS("framebuffer", "still holds the boot framebuffer"),
				WORDS("", "no VM can use it; add kernel parameter "
					  "initcall_blacklist=sysfb_init"));
}

/* In the order of enum act_result. */
/* clang-format off */
static const char result_words[] =
	WORDS("undone", "undone, its override may be set") "\0"
	"\0" /* bound: has a sentence elsewhere */
	WORDS("released", "not bound, released") "\0"
	WORDS("held", "not bound, held") "\0"
	WORDS("driver-stuck", "not bound, its driver does not let go") "\0"
	WORDS("not-released", "not bound, and not released");
/* clang-format on */

/* With %s for the result, and for the driver that it has now. */
static const char *words_of_driver(const struct act_outcome *outcome)
{
	return *outcome->driver ? WORDS("%s", "%s, now on %s") : WORDS("%s", "%s, no driver");
}

/* Why it could not be bound, and the result. */
static void tell_failed(struct report *report, struct report_entry *entry,
			const struct act_outcome *outcome)
{
	char text[TELL_SIZE], what[PCI_DRIVER_SIZE + 64];

	entry->result = REPORT_FAILED;
	if (outcome->result == ACT_HELD)
		entry->result = REPORT_HELD;
	else if (outcome->result == ACT_NOTHING)
		entry->result = REPORT_UNDONE;
	if (outcome->failed != ACT_START) {
		entry->why = act_reason(outcome);
		text_format(text, sizeof(text), failure_words(entry->why),
			    text_error(outcome->error));
		entry->reason = text;
	} else if (outcome->result == ACT_NOTHING) {
		entry->why = REASON_UNDONE;
	}
	text_format(what, sizeof(what), words_of_driver(outcome),
		    text_nth(result_words, outcome->result), outcome->driver);
	report_function(report, REPORT_ERROR, entry->fn, what, entry->reason);
	report_entry(report, entry);
}

static void tell_plain(struct report *report, struct report_entry *entry, enum report_level level,
		       enum report_result result, const char *what)
{
	entry->result = result;
	report_function(report, level, entry->fn, what, entry->reason);
	report_entry(report, entry);
}

static void tell_crowding(struct report *report, const struct pci_function *fn, bool is_refused)
{
	const char *what = WORDS("group-shared", "not bound, name it or set group claim");

	if (is_refused || pci_is_bridge(fn))
		what = WORDS("group-shared", "not bound");
	report_function(report, REPORT_WARNING, fn, what,
			pci_is_bridge(fn) ?
				WORDS("",
				      "a bridge with a driver shares the group: no VM gets it") :
				WORDS("", "shares the group, so no VM gets it"));
}

static void tell_wanted(struct report *report, struct report_entry *entry, bool is_hold,
			const struct act_outcome *outcome)
{
	if (!outcome)
		tell_plain(report, entry, REPORT_INFO, REPORT_PLANNED,
			   is_hold ? WORDS("would-hold", "would be held without a driver") :
				     WORDS("would-bind", "would be bound to vfio-pci"));
	else if (outcome->result == ACT_BOUND)
		tell_bound(report, entry, outcome);
	else
		tell_failed(report, entry, outcome);
}

enum report_result tell_verdict(struct report *report, const struct tell_facts *facts,
				unsigned int i, const struct act_outcome *outcome, unsigned int ms)
{
	const struct verdict *verdict = &facts->decisions->verdict[i];
	const struct pci_function *fn = &facts->table->fn[i];
	char reason[TELL_SIZE];
	struct report_entry entry = {
		.fn = fn,
		.why = verdict->reason,
		.driver = fn->driver,
		.reason = reason,
		.ms = ms,
	};

	tell_whole(facts, i, reason, sizeof(reason));
	switch (verdict->decision) {
	case DECIDE_NOTHING:
		break;
	case DECIDE_KEEP:
		tell_plain(report, &entry, REPORT_INFO, REPORT_KEPT,
			   verdict->reason == REASON_ALREADY ?
				   WORDS("already-bound", "already on vfio-pci") :
				   WORDS("kept", "not taken"));
		break;
	case DECIDE_REFUSE:
		tell_plain(report, &entry, REPORT_WARNING, REPORT_REFUSED,
			   WORDS("refused", "refused"));
		break;
	case DECIDE_HOLD:
	case DECIDE_BIND:
		if (outcome)
			entry.driver = outcome->driver;
		tell_wanted(report, &entry, verdict->decision == DECIDE_HOLD, outcome);
		break;
	}
	if (verdict->blocks_group)
		tell_crowding(report, fn, verdict->decision == DECIDE_REFUSE);
	return entry.result;
}

void tell_absent(struct report *report, const char *selector, unsigned int ms)
{
	const struct report_entry entry = {
		.selector = selector,
		.result = REPORT_ABSENT,
		.why = REASON_ABSENT,
		.driver = "",
		.reason = WORDS("absent", "no such function"),
		.ms = ms,
	};

	report_line(report, REPORT_WARNING, WORDS("absent", "bind %s: refused: no such function"),
		    selector);
	report_entry(report, &entry);
}

void tell_gave_back(struct report *report, const struct pci_function *fn,
		    const struct act_outcome *outcome, unsigned int ms)
{
	struct report_entry entry = {
		.fn = fn,
		.why = REASON_GAVE_BACK,
		.driver = outcome->driver,
		.reason = outcome->error ? text_error(outcome->error) :
					   WORDS("gave-back-root", "the root was not found"),
		.ms = ms,
	};
	char what[PCI_DRIVER_SIZE + 32];

	text_format(what, sizeof(what), words_of_driver(outcome),
		    outcome->error ? WORDS("not-given-back", "not given back") :
				     WORDS("gave-back-root", "given back"),
		    outcome->driver);
	tell_plain(report, &entry, REPORT_ERROR, REPORT_FAILED, what);
}

static const char *step_name(enum act_step step)
{
	/* In the order of enum act_step. */
	return text_nth("start\0lock\0override\0unbind\0set\0framebuffer\0load\0bind\0verify\0"
			"group\0release\0done",
			step);
}

void tell_given_up(struct report *report, const struct act *act, unsigned int ms, int error)
{
	char at[PCI_ADDRESS_SIZE] = "";
	const char *where = at;

	if (act->step == ACT_LOAD)
		where = act->plan->module[act->current].path;
	else if (act->step != ACT_START)
		pci_address_format(&act->table.fn[act->current].addr, at);
	report_line(report, REPORT_ERROR,
		    WORDS("given-up", "given up after %u ms at %s %s: %s: the boot goes on"), ms,
		    step_name(act->step), where, text_error(-error));
}

void tell_done(struct report *report, unsigned int ms, bool is_dry, unsigned int bound,
	       unsigned int failed, unsigned int refused)
{
	report_line(report, REPORT_INFO,
		    WORDS("done", "done in %u ms: %u %sbound, %u failed, %u refused"), ms, bound,
		    is_dry ? WORDS("", "would be ") : "", failed, refused);
}

/* --- before a run */

void tell_no_plan(struct report *report, const char *path, int len)
{
	const char *what = text_error(-len);

	if (!len)
		what = WORDS("empty", "empty");
	else if (len == -EFBIG)
		what = WORDS("too-large", "larger than 262143 bytes");
	report_line(report, REPORT_ERROR,
		    WORDS("no-plan", "plan %s: %s: nothing was touched; run vfio-early apply"),
		    path, what);
}

void tell_plan_errors(struct report *report, const char *path, const struct plan_errors *errors)
{
	const struct plan_error *first = &errors->error[0];

	if (!errors->count)
		return;
	report_line(report, REPORT_ERROR, WORDS("plan-damaged", "%s:%u:%u: %s (%u in all): %s"),
		    path, first->line, first->column, first->what, errors->count,
		    errors->unsafe ? WORDS("", "plan not used") : WORDS("", "left out"));
}

void tell_lost(struct report *report, const struct plan *plan)
{
	for (unsigned int i = 0; i < plan->losts; i++)
		report_line(report, REPORT_ERROR,
			    WORDS("line-left-out", "config line left out: %s"), plan->lost[i]);
}

void tell_no_bind(struct report *report)
{
	report_line(report, REPORT_INFO, WORDS("no-bind-line", "%s: no bind line: nothing to do"),
		    version_text);
}

void tell_off(struct report *report, const char *unknown)
{
	if (*unknown)
		report_line(report, REPORT_WARNING,
			    WORDS("unknown-mode", "%s: not known, so nothing was touched; write "
						  "vfio_early=off or vfio_early=dry-run"),
			    unknown);
	else
		report_line(report, REPORT_INFO, WORDS("off", "%s: nothing was touched"),
			    "vfio_early=off");
}

void tell_crash_kernel(struct report *report)
{
	report_line(report, REPORT_INFO,
		    WORDS("crash-kernel", "crash kernel (/%s is there): nothing was touched"),
		    PATH_VMCORE);
}

void tell_no_cmdline(struct report *report, int error)
{
	report_line(report, REPORT_WARNING, WORDS("no-cmdline", "/%s: %s"), PATH_CMDLINE,
		    text_error(-error));
}

void tell_usage(const char *why, const char *what)
{
	char line[TELL_SIZE];

	sysfs_print(2, line,
		    text_format(line, sizeof(line),
				"vfio-early-bind: %s %s\n"
				"usage: vfio-early-bind [-n] [-r ROOT] [-p PLAN] "
				"[--late ADDRESS | --give-back]\n",
				why, what));
}
