// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verdicts; see decide.h. Pure: no I/O, no logging.
 *
 * First each function alone, in the order of what must never happen: what the administrator
 * excluded, what is not the device that was meant, what the host needs. Then the groups, where
 * one function's verdict may change another's.
 */
#include <string.h>

#include "decide.h"
#include "text.h"

static const struct verdict nothing = {
	.bind = DECIDE_NO_INDEX,
	.also = DECIDE_NO_INDEX,
	.protect = DECIDE_NO_INDEX,
	.mate = DECIDE_NO_INDEX,
};

bool decide_is_taken(const struct verdict *verdict)
{
	return verdict->decision == DECIDE_BIND || verdict->decision == DECIDE_KEEP ||
	       verdict->decision == DECIDE_HOLD;
}

static enum selector_result match(const struct selector *sel, const struct pci_function *fn)
{
	return selector_match(sel, &fn->addr, &fn->id, fn->class,
			      fn->has_slot_id ? &fn->slot_id : NULL);
}

/*
 * Which selectors name the function. One that matches wins over one whose pinned ID has changed,
 * and of those that match, one with the exclamation mark.
 */
static enum selector_result find_binds(const struct plan *plan, const struct pci_function *fn,
				       struct decisions *decisions, struct verdict *verdict)
{
	enum selector_result best = SELECTOR_DIFFERS;

	for (unsigned int i = 0; i < plan->binds; i++) {
		enum selector_result result = match(&plan->bind[i].sel, fn);

		if (result == SELECTOR_DIFFERS)
			continue;
		decisions->matched[i] = true;
		if (result == SELECTOR_ID_CHANGED && best == SELECTOR_MATCHES)
			continue;
		if (result != best || (plan->bind[i].force && !plan->bind[verdict->bind].force)) {
			verdict->also = result == best ? verdict->bind : DECIDE_NO_INDEX;
			verdict->bind = (int16_t)i;
			best = result;
		} else if (verdict->also == DECIDE_NO_INDEX) {
			verdict->also = (int16_t)i;
		}
	}
	return best;
}

static bool is_excepted(const struct plan *plan, const struct pci_function *fn)
{
	/* A pinned exception whose ID has changed still speaks of that address: keep away. */
	for (unsigned int i = 0; i < plan->excepts; i++)
		if (match(&plan->except[i].sel, fn) != SELECTOR_DIFFERS)
			return true;
	return false;
}

static int16_t find_protect(const struct plan *plan, const struct pci_function *fn)
{
	for (unsigned int i = 0; i < plan->protects; i++) {
		const struct plan_protect *protect = &plan->protect[i];

		if (pci_id_matches(&protect->id, &fn->id) &&
		    (protect->moved || pci_address_equal(&protect->addr, &fn->addr)))
			return (int16_t)i;
	}
	return DECIDE_NO_INDEX;
}

/* May it be taken at all? Says no in verdict->reason. Asked for candidates and for claimed mates. */
static bool may_take(const struct plan *plan, const struct pci_function *fn,
		     struct verdict *verdict)
{
	bool by_name = verdict->bind != DECIDE_NO_INDEX &&
		       !selector_needs_scan(&plan->bind[verdict->bind].sel);
	bool force = verdict->bind != DECIDE_NO_INDEX && plan->bind[verdict->bind].force;

	if (is_excepted(plan, fn)) {
		verdict->reason = REASON_EXCEPT;
		return false;
	}
	if (pci_is_bridge(fn)) {
		verdict->reason = REASON_BRIDGE;
		return false;
	}
	verdict->protect = find_protect(plan, fn);
	if (verdict->protect != DECIDE_NO_INDEX && !force) {
		verdict->reason = REASON_PROTECTED;
		return false;
	}
	verdict->forced = verdict->protect != DECIDE_NO_INDEX;
	/*
	 * "Every GPU but the host's": an ID or a class that takes the twin takes the host's audio
	 * function with it, so the whole slot is kept, unless its address was written out. A
	 * display that is no VGA has no boot_vga; the firmware's framebuffer lies in it.
	 */
	if (plan->boot_vga == PLAN_BOOT_VGA_KEEP &&
	    (fn->boot_vga || fn->framebuffer != PCI_FB_NONE || (fn->boot_vga_slot && !by_name))) {
		verdict->reason = REASON_BOOT_VGA;
		return false;
	}
	if (fn->vfs) {
		verdict->reason = REASON_VFS;
		return false;
	}
	return true;
}

static void refuse(const struct plan *plan, struct verdict *verdict, enum reason reason)
{
	verdict->decision = plan->failure == PLAN_FAILURE_HOLD ? DECIDE_HOLD : DECIDE_REFUSE;
	verdict->reason = reason;
}

static void decide_one(const struct plan *plan, const struct iommu *iommu,
		       const struct pci_table *table, unsigned int i, struct decisions *decisions)
{
	const struct pci_function *fn = &table->fn[i];
	struct verdict *verdict = &decisions->verdict[i];
	enum selector_result result = find_binds(plan, fn, decisions, verdict);

	if (result == SELECTOR_DIFFERS)
		return;
	verdict->decision = DECIDE_REFUSE;
	if (result == SELECTOR_ID_CHANGED && !is_excepted(plan, fn)) {
		verdict->reason = REASON_ID_CHANGED;
		return;
	}
	if (!may_take(plan, fn, verdict))
		return;

	if (fn->is_noiommu) {
		verdict->reason = REASON_NOIOMMU;
	} else if (pci_is_with_vfio(fn)) {
		verdict->decision = DECIDE_KEEP;
		if (strcmp(fn->driver, "vfio-pci"))
			verdict->reason = REASON_VARIANT;
	} else if (iommu->state != IOMMU_ON) {
		refuse(plan, verdict, REASON_NO_IOMMU);
	} else if (fn->group < 0 && !table->late_groups) {
		refuse(plan, verdict, REASON_NO_GROUP);
	} else {
		verdict->decision = DECIDE_BIND;
	}
}

/* Bridges never count: vfio leaves them to their driver (drivers/vfio/group.c, driver_managed_dma). */
static bool is_mate(const struct pci_function *fn)
{
	return !pci_is_bridge(fn) && !pci_is_with_vfio(fn);
}

/* What the groups are decided by: of each function that is to be bound. */
struct group {
	const struct plan *plan;
	const struct pci_table *table;
	struct decisions *decisions;
	const struct pci_function *of;
};

static void refuse_group(const struct group *group, enum reason reason, int16_t mate)
{
	for (unsigned int i = 0; i < group->table->count; i++) {
		struct verdict *verdict = &group->decisions->verdict[i];

		if (verdict->decision != DECIDE_BIND ||
		    !pci_may_share_group(group->table, &group->table->fn[i], group->of))
			continue;
		verdict->decision = verdict->claimed ? DECIDE_NOTHING : DECIDE_REFUSE;
		verdict->reason = reason;
		verdict->mate = mate;
	}
}

static void decide_group(const struct group *group)
{
	for (unsigned int i = 0; i < group->table->count; i++) {
		const struct pci_function *fn = &group->table->fn[i];
		struct verdict *verdict = &group->decisions->verdict[i];

		if (!is_mate(fn) || decide_is_taken(verdict) ||
		    !pci_may_share_group(group->table, fn, group->of))
			continue;
		if (group->plan->group == PLAN_GROUP_WARN) {
			verdict->crowds = true;
		} else if (group->plan->group == PLAN_GROUP_REFUSE) {
			refuse_group(group, REASON_GROUP, (int16_t)i);
			return;
		} else if (verdict->decision == DECIDE_NOTHING &&
			   may_take(group->plan, fn, verdict)) {
			verdict->decision = DECIDE_BIND;
			verdict->claimed = true;
		} else {
			refuse_group(group, REASON_GROUP_CLAIM, (int16_t)i);
			return;
		}
	}
}

void decide(const struct plan *plan, const struct iommu *iommu, const struct pci_table *table,
	    struct decisions *decisions)
{
	memset(decisions->matched, 0, sizeof(decisions->matched));
	for (unsigned int i = 0; i < table->count; i++)
		decisions->verdict[i] = nothing;
	for (unsigned int i = 0; i < table->candidates; i++)
		decide_one(plan, iommu, table, i, decisions);

	/* Again for a second function of a group changes nothing. */
	for (unsigned int i = 0; i < table->candidates; i++) {
		const struct group group = {
			.plan = plan,
			.table = table,
			.decisions = decisions,
			.of = &table->fn[i],
		};

		if (decisions->verdict[i].decision == DECIDE_BIND)
			decide_group(&group);
	}
}

static const char *reason_no_group(const struct iommu *iommu, const struct pci_function *fn)
{
	/* Intel's integrated graphics, which Debian's kernels leave out by default. */
	bool is_igfx = iommu->table == IOMMU_TABLE_DMAR && fn->class >> 16 == 0x03 &&
		       fn->id.vendor == 0x8086 && !fn->addr.bus && fn->addr.dev == 2;

	if (!is_igfx)
		return "no IOMMU group: the firmware's tables leave it out; look for an update";
	if (iommu->igfx_param[0])
		return "no IOMMU group: kernel parameter %s leaves the integrated GPU out; remove it";
	return "no IOMMU group: integrated GPU left out by default; add kernel parameter "
	       "intel_iommu=on";
}

char *decide_reason(const struct plan *plan, const struct iommu *iommu,
		    const struct pci_table *table, const struct decisions *decisions,
		    unsigned int i, char *buf, size_t size)
{
	const struct verdict *verdict = &decisions->verdict[i];
	const struct pci_function *fn = &table->fn[i];
	char addr[PCI_ADDRESS_SIZE], text[PCI_ID_SIZE];
	const char *protect = "", *fmt = "", *a = "", *b = "";
	bool is_slot;
	size_t len;

	if (verdict->protect != DECIDE_NO_INDEX)
		protect = plan->protect[verdict->protect].reason;
	if (verdict->mate != DECIDE_NO_INDEX)
		a = pci_address_format(&table->fn[verdict->mate].addr, addr);

	switch (verdict->reason) {
	case REASON_NONE:
		a = protect;
		if (verdict->forced)
			fmt = "%s (protect) overridden by bind!";
		else if (verdict->claimed)
			fmt = "claimed for its group";
		break;
	case REASON_EXCEPT:
		fmt = "in except";
		break;
	case REASON_ID_CHANGED:
		fmt = "%s was planned, but %s is there";
		a = plan->bind[verdict->bind].text;
		is_slot = plan->bind[verdict->bind].sel.kind == SELECTOR_SLOT && fn->has_slot_id;
		b = pci_id_format(is_slot ? &fn->slot_id : &fn->id, text);
		break;
	case REASON_BRIDGE:
		fmt = "a bridge; name what is behind it";
		break;
	case REASON_PROTECTED:
		fmt = "%s (protect)";
		a = protect;
		break;
	case REASON_BOOT_VGA:
		fmt = fn->boot_vga		     ? "boot VGA (boot-vga keep)" :
		      fn->framebuffer != PCI_FB_NONE ? "boot framebuffer (boot-vga keep)" :
						       "in the boot VGA's slot (boot-vga keep)";
		break;
	case REASON_VFS:
		fmt = "%s virtual functions are enabled; bind those, or set sriov_numvfs to 0";
		text_format(text, sizeof(text), "%u", fn->vfs);
		a = text;
		break;
	case REASON_NO_IOMMU:
		return iommu_describe(iommu, buf, size);
	case REASON_NOIOMMU:
		fmt = "on %s in a vfio-noiommu group, which isolates no VM";
		a = fn->driver;
		break;
	case REASON_NO_GROUP:
		fmt = reason_no_group(iommu, fn);
		a = iommu->igfx_param;
		break;
	case REASON_GROUP:
		fmt = "%s shares the group and no bind line takes it (group refuse)";
		break;
	case REASON_GROUP_CLAIM:
		fmt = "%s shares the group and cannot be claimed: ";
		break;
	case REASON_VARIANT:
		fmt = "kept on %s, a vfio driver of its own";
		a = fn->driver;
		break;
	}
	len = text_format(buf, size, fmt, a, b);

	/* What the first sentence leaves open. */
	if (verdict->reason == REASON_GROUP_CLAIM)
		decide_reason(plan, iommu, table, decisions, (unsigned int)verdict->mate, buf + len,
			      size - len);
	else if (verdict->has_hint)
		text_format(buf + len, size - len,
			    "; that ID is at %s now: if it was moved, plan it there",
			    pci_address_format(&verdict->hint, addr));
	return buf;
}
