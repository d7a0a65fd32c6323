// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verdicts; see decide.h. No I/O, no logging.
 *
 * First each function alone, in the order of what must never happen: what the administrator
 * excluded, what is not the device that was meant, what the host needs. Then the groups, in which
 * the verdict for one function may change another's.
 */
#include <string.h>

#include "decide.h"

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

bool decide_is_forced(const struct verdict *verdict)
{
	return decide_is_taken(verdict) && verdict->protect != DECIDE_NO_INDEX;
}

/* How much a bind line permits: "bind!" first, then one with both ID and path. */
static unsigned int strength(const struct plan_selector *bind)
{
	return bind->force * 2u +
	       (bind->sel.has_id && (bind->sel.has_place || selector_is_path(&bind->sel)));
}

/*
 * Finds the selectors that name the function. One that matches wins over one whose pinned ID has
 * changed, and among those that match the strongest wins.
 */
static enum selector_result find_binds(const struct plan *plan, const struct pci_function *fn,
				       struct decisions *decisions, struct verdict *verdict)
{
	enum selector_result best = SELECTOR_DIFFERS;

	for (unsigned int i = 0; i < plan->binds; i++) {
		enum selector_result result = pci_match(&plan->bind[i].sel, fn);

		if (result == SELECTOR_DIFFERS)
			continue;
		decisions->matched[i] = true;
		if (result == SELECTOR_ID_CHANGED && best == SELECTOR_MATCHES)
			continue;
		if (result != best ||
		    strength(&plan->bind[i]) > strength(&plan->bind[verdict->bind])) {
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
	/* An except line whose pinned ID has changed still excludes that address. */
	for (unsigned int i = 0; i < plan->excepts; i++)
		if (pci_match(&plan->except[i].sel, fn) != SELECTOR_DIFFERS)
			return true;
	return false;
}

const struct plan_set *decide_set(const struct plan *plan, const struct pci_function *fn,
				  enum plan_key key)
{
	for (unsigned int i = plan->sets; i--;)
		if (plan->set[i].value[key] && pci_match(&plan->set[i].sel, fn) == SELECTOR_MATCHES)
			return &plan->set[i];
	return NULL;
}

/*
 * Is it at the place of a protect line? If both paths are known, the path is the place. Otherwise
 * the address is, but only together with the ID: the same number may be a coincidence.
 */
static bool is_at(const struct plan_protect *protect, const struct pci_function *fn,
		  bool is_same_id)
{
	bool is_there = pci_address_equal(&protect->addr, &fn->addr);

	if (!protect->has_place || !fn->has_place)
		return is_there;
	return pci_place_equal(&protect->place, &fn->place, false) || (is_there && is_same_id);
}

/* VMD numbers its domains from 0x10000; ACPI cannot (vmd_find_free_domain()). */
static bool is_behind_vmd(const struct pci_address *addr)
{
	return addr->domain > 0xffff;
}

/*
 * Finds the protect line for a function. Either the device that it protects is at its place, or
 * that device has left its place and may be this function. Another device at that place is what the
 * host was given instead, unless another line names exactly that device: a board of the same model
 * that was exchanged differs only in its subsystem. VMD controllers number their domains in the
 * order in which they are probed (drivers/pci/controller/vmd.c, vmd_find_free_domain()), so there a
 * place proves nothing.
 * @is_pinned: a bind line names the function by address or path, and by its ID
 */
static int16_t find_protect(const struct plan *plan, const struct pci_function *fn, bool is_pinned)
{
	for (unsigned int i = 0; i < plan->protects; i++) {
		const struct plan_protect *protect = &plan->protect[i];
		bool is_same_id = pci_id_matches(&protect->id, &fn->id);
		bool may_be_elsewhere = protect->moved ||
					(is_behind_vmd(&protect->addr) && is_behind_vmd(&fn->addr));

		if (is_same_id ? may_be_elsewhere || is_at(protect, fn, true) :
				 (!is_pinned || protect->id.device == fn->id.device) &&
					 is_at(protect, fn, false))
			return (int16_t)i;
	}
	return DECIDE_NO_INDEX;
}

/* A plan of an earlier version has no paths: it cannot tell a twin from the protected device. */
static bool is_twin_without_path(const struct plan *plan, const struct pci_function *fn)
{
	for (unsigned int i = 0; i < plan->protects; i++)
		if (!plan->protect[i].has_place && pci_id_matches(&plan->protect[i].id, &fn->id))
			return true;
	return false;
}

bool decide_may_hold_root(const struct pci_function *fn)
{
	/* include/linux/pci_ids.h: SD cards, FireWire, USB, Fibre Channel, InfiniBand */
	static const uint16_t classes[] = { 0x0805, 0x0c00, 0x0c03, 0x0c04, 0x0c06 };

	for (unsigned int i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (fn->class >> 8 == classes[i])
			return true;
	return fn->class >> 16 == 0x01;
}

/* Or the network: the host may depend on one of these. */
static bool may_be_needed(const struct pci_function *fn)
{
	return fn->class >> 16 == 0x02 || decide_may_hold_root(fn);
}

/* May it be bound at all? If not, sets verdict->reason. For candidates and claimed group mates. */
static bool may_take(const struct plan *plan, const struct pci_function *fn,
		     struct verdict *verdict)
{
	const struct plan_selector *bind = verdict->bind != DECIDE_NO_INDEX ?
						   &plan->bind[verdict->bind] :
						   NULL;
	bool by_name = bind && !selector_needs_scan(&bind->sel);
	bool is_pinned = by_name && bind->sel.has_id;
	bool force = bind && bind->force;

	if (is_excepted(plan, fn)) {
		verdict->reason = REASON_EXCEPT;
		return false;
	}
	if (fn->is_settled && !pci_is_with_vfio(fn)) {
		verdict->reason = REASON_SETTLED;
		return false;
	}
	if (pci_is_bridge(fn)) {
		verdict->reason = REASON_BRIDGE;
		return false;
	}
	verdict->protect = find_protect(plan, fn, is_pinned);
	if (verdict->protect != DECIDE_NO_INDEX && !force) {
		verdict->reason = REASON_PROTECTED;
		return false;
	}
	if (!force && is_twin_without_path(plan, fn)) {
		verdict->reason = REASON_NO_PATH;
		return false;
	}
	if (plan->facts_unknown && !force && may_be_needed(fn) &&
	    !(is_pinned && (bind->sel.has_place || selector_is_path(&bind->sel)))) {
		verdict->reason = REASON_FACTS;
		return false;
	}
	if (verdict->protect != DECIDE_NO_INDEX)
		verdict->reason = REASON_FORCED;
	/*
	 * "Every GPU but the host's": an ID or a class that matches the twin also matches the
	 * host's audio function, so the whole slot is kept, unless its address was written. A
	 * display that is not VGA has no boot_vga attribute; the firmware's framebuffer is in its
	 * memory instead.
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

	if (result == SELECTOR_DIFFERS || (fn->is_settled && !pci_is_with_vfio(fn)))
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
		verdict->reason = strcmp(fn->driver, "vfio-pci") ? REASON_VARIANT : REASON_ALREADY;
	} else if (iommu->state != IOMMU_ON) {
		refuse(plan, verdict, REASON_NO_IOMMU);
	} else if (fn->group < 0 && !pci_has_late_groups(table)) {
		refuse(plan, verdict, REASON_NO_GROUP);
	} else {
		verdict->decision = DECIDE_BIND;
	}
}

/* What decides about a group: each function of it that is to be bound. */
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
		verdict->decision = verdict->reason == REASON_CLAIMED ? DECIDE_NOTHING :
									DECIDE_REFUSE;
		verdict->reason = reason;
		verdict->mate = mate;
	}
}

static void decide_group(const struct group *group)
{
	for (unsigned int i = 0; i < group->table->count; i++) {
		const struct pci_function *fn = &group->table->fn[i];
		struct verdict *verdict = &group->decisions->verdict[i];

		if (!pci_may_block_group(fn) || decide_is_taken(verdict) ||
		    !pci_may_share_group(group->table, fn, group->of))
			continue;
		if (group->plan->group == PLAN_GROUP_WARN) {
			verdict->blocks_group = true;
		} else if (group->plan->group == PLAN_GROUP_REFUSE) {
			refuse_group(group, REASON_GROUP, (int16_t)i);
			return;
		} else if (verdict->decision == DECIDE_NOTHING &&
			   may_take(group->plan, fn, verdict)) {
			verdict->decision = DECIDE_BIND;
			verdict->reason = REASON_CLAIMED;
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

	/* A second call for another function of the group changes nothing. */
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
