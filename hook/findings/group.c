// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IOMMU groups, which a VM gets whole or not at all: what of a group keeps the bound functions from one,
 * and a fix for each of those, chosen by all that is in the group. See findings.h.
 */
#include <stdio.h>
#include <string.h>

#include "findings/find.h"
#include "host/next_boot.h"

#define NAMES_SHOWN 8

/* What makes a member that blocks its group bindable. */
enum cure {
	CURE_NONE,
	CURE_NAME,   /* a bind line for it */
	CURE_EXCEPT, /* out of the except line */
	CURE_REASON, /* a line names it, and the boot refuses it for a reason that can be removed */
	CURES,
};

struct group {
	const struct search *search;
	int number;
	char subject[24];		    /* "group 12" */
	const struct host_function *needed; /* the first that this host needs and keeps, or NULL */
	const char *why;		    /* it needs that */
	bool has_rmrr;
	unsigned int taken, blocking;
	unsigned int cures[CURES];	      /* how many of those that block it have each */
	const struct host_function *excepted; /* the first of those, or NULL */
	bool can_move; /* a bound one is a card in a slot, and no virtual function */
	const struct host_function *physfn; /* blocks it; a bound one is a virtual function of it */
	const struct host_function *first;  /* the first bound one */
	char region[64];
	char names[NAMES_SHOWN * (PCI_ADDRESS_SIZE + 2) + 16]; /* of the bound ones */
};

/* Of a function that was decided on: is_of() says so. */
static const struct verdict *verdict_of(const struct search *search, const struct host_function *fn)
{
	return &search->host->decisions.verdict[fn->place];
}

static bool is_of(const struct group *group, const struct host_function *fn)
{
	return fn->place != DECIDE_NO_INDEX &&
	       group->search->host->table.fn[fn->place].group == group->number;
}

static bool is_virtual(const struct search *search, const struct host_function *fn)
{
	char text[64];

	return *host_link(search->host, fn, "physfn", text, sizeof(text));
}

/* A card in a slot stands behind a bridge; what is on the root bus is of the board. */
static bool is_movable(const struct search *search, const struct host_function *fn)
{
	char path[SYSFS_PATH_MAX];

	return !is_virtual(search, fn) &&
	       !pci_path(search->host->root.fd, &fn->pci.addr, path, sizeof(path)) &&
	       strchr(path, '/');
}

static bool is_physfn_of(const struct search *search, const struct host_function *physfn,
			 const struct host_function *fn)
{
	char text[64], addr[PCI_ADDRESS_SIZE];

	return !strcmp(host_link(search->host, fn, "physfn", text, sizeof(text)),
		       pci_address_format(&physfn->pci.addr, addr));
}

static enum cure find_cure(const struct search *search, const struct host_function *fn)
{
	const struct verdict *verdict = verdict_of(search, fn);

	if (pci_is_bridge(&fn->pci) || host_protect(search->host, fn))
		return CURE_NONE;
	if (next_boot_is_excepted(search->host, fn))
		return CURE_EXCEPT;
	switch (verdict->reason) {
	case REASON_NONE:
		return verdict->decision == DECIDE_NOTHING ? CURE_NAME : CURE_NONE;
	case REASON_BOOT_VGA:
	case REASON_FACTS:
	case REASON_ID_CHANGED:
	case REASON_NO_PATH:
	case REASON_VFS:
		return CURE_REASON;
	default:
		return CURE_NONE;
	}
}

static void add_name(struct group *group, const struct host_function *fn)
{
	size_t len = strlen(group->names);
	char addr[PCI_ADDRESS_SIZE];

	if (group->taken < NAMES_SHOWN)
		snprintf(group->names + len, sizeof(group->names) - len, "%s%s", len ? ", " : "",
			 pci_address_format(&fn->pci.addr, addr));
	else if (group->taken == NAMES_SHOWN)
		snprintf(group->names + len, sizeof(group->names) - len, " and others");
}

static void look_at(struct group *group)
{
	const struct search *search = group->search;
	const struct host *host = search->host;

	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];
		enum cure cure;

		if (!is_of(group, fn))
			continue;
		if (!group->first && find_is_taken(search, fn))
			group->first = fn;
		if (find_is_taken(search, fn)) {
			add_name(group, fn);
			group->taken++;
			group->can_move |= is_movable(search, fn);
		}
		if (!verdict_of(search, fn)->blocks_group)
			continue;
		group->blocking++;
		cure = find_cure(search, fn);
		if (cure == CURE_EXCEPT && !group->cures[cure])
			group->excepted = fn;
		group->cures[cure]++;
		if (!group->needed && host_protect(host, fn)) {
			group->needed = fn;
			group->why = host_protect(host, fn);
		}
		for (size_t j = 0; j < host->count; j++)
			if (is_of(group, &host->fn[j]) && find_is_taken(search, &host->fn[j]) &&
			    is_physfn_of(search, fn, &host->fn[j]))
				group->physfn = fn;
	}
	group->has_rmrr = host_has_rmrr(host, group->number, group->region, sizeof(group->region));
}

/* Is another function of the card of the first bound one bound too, and in another group? */
static bool is_card_bound_elsewhere(const struct group *group)
{
	const struct host *host = group->search->host;

	for (size_t i = 0; i < host->count; i++)
		if (pci_address_same_slot(&host->fn[i].pci.addr, &group->first->pci.addr) &&
		    find_is_taken(group->search, &host->fn[i]) && !is_of(group, &host->fn[i]))
			return true;
	return false;
}

/*
 * The command that takes the bound ones out of the config, and none of another group; with a physical
 * function, the lines for its virtual functions too. @size: of buf. Returns @buf.
 */
static const char *remove_bound(const struct group *group, char *buf, size_t size)
{
	const char *scope = "";
	char addr[PCI_ADDRESS_SIZE];

	if (group->taken > 1 || group->physfn)
		scope = "--group ";
	else if (is_card_bound_elsewhere(group))
		scope = "--only ";
	snprintf(buf, size, "vfio-early remove %s%s", scope,
		 pci_address_format(&group->first->pci.addr, addr));
	return buf;
}

/* A bind line for it; the whole group can be named at once only if that is all that it takes. */
static void fix_by_name(const struct group *group, const char *addr, char *fix, size_t size)
{
	char except[PCI_ADDRESS_SIZE];

	if (group->cures[CURE_NAME] == group->blocking)
		snprintf(fix, size, "vfio-early add --group %s%s", addr,
			 group->can_move ? ", set group claim, or move the card to another slot" :
					   ", or set group claim");
	else if (!group->excepted)
		snprintf(fix, size, "vfio-early add --only %s", addr);
	else
		snprintf(fix, size,
			 "vfio-early add --only %s, and remove %s%s from the except line, or the "
			 "bound functions from the config",
			 addr, pci_address_format(&group->excepted->pci.addr, except),
			 group->cures[CURE_EXCEPT] > 1 ? " and the others of its group" : "");
}

/*
 * What one that blocks the group has to become for a VM to get the group; what moves the whole group
 * comes first.
 */
static void choose_fix(const struct group *group, const struct host_function *fn, char *fix,
		       size_t size)
{
	const char *text = NULL;
	char addr[PCI_ADDRESS_SIZE], remove[64], why[512];
	enum cure cure = find_cure(group->search, fn);

	remove_bound(group, remove, sizeof(remove));
	if (group->physfn && group->can_move)
		text = "bind the whole card instead, or move it to another slot";
	else if (!group->physfn && group->cures[CURE_NONE] && group->can_move)
		text = "move the card to another slot";
	else if (!group->physfn && !group->cures[CURE_NONE] && cure == CURE_EXCEPT)
		text = "remove it from the except line, or the bound functions from the config";
	else if (!group->physfn && !group->cures[CURE_NONE] &&
		 verdict_of(group->search, fn)->reason == REASON_BOOT_VGA)
		text = "set boot-vga bind, or remove the bound functions from the config";
	if (text)
		snprintf(fix, size, "%s", text);
	else if (group->physfn)
		snprintf(fix, size,
			 "bind the physical function instead: %s, then vfio-early add %s", remove,
			 pci_address_format(&group->physfn->pci.addr, addr));
	else if (group->cures[CURE_NONE])
		snprintf(fix, size, "%s: on this board no VM can have %s", remove,
			 group->taken > 1 ? "them" : "it");
	else if (cure == CURE_NAME)
		fix_by_name(group, pci_address_format(&fn->pci.addr, addr), fix, size);
	else
		next_boot_why(group->search->host, fn, why, sizeof(why), fix, size);
}

/* The host keeps the group, whatever else is in it: that is said once. */
static void add_protected(const struct group *group)
{
	char needed[PCI_ADDRESS_SIZE], fix[160], remove[64];

	pci_address_format(&group->needed->pci.addr, needed);
	remove_bound(group, remove, sizeof(remove));
	if (group->can_move || is_movable(group->search, group->needed))
		snprintf(fix, sizeof(fix), "move %s to another slot; until then, %s",
			 group->can_move ? "the card" : needed, remove);
	else
		snprintf(fix, sizeof(fix), "%s: on this board no VM can have %s", remove,
			 group->taken > 1 ? "them" : "it");
	finding_add(group->search->findings, FINDING_GROUP_PROTECTED, group->subject, needed,
		    group->why, group->names, fix, NULL);
}

static void add_blocking(const struct group *group, const struct host_function *fn)
{
	struct findings *findings = group->search->findings;
	const char *driver = fn->pci.driver;
	char about[PCI_ADDRESS_SIZE], number[16], fix[256];

	pci_address_format(&fn->pci.addr, about);
	snprintf(number, sizeof(number), "%d", group->number);
	choose_fix(group, fn, fix, sizeof(fix));
	if (host_is_viable_driver(driver))
		finding_add(findings, FINDING_GROUP_IDLE, about, number, fix, NULL);
	else
		finding_add(findings, FINDING_GROUP_SHARED, about, number, driver, fix, NULL);
}

/* What takes an RMRR away, by what has it (drivers/iommu/intel/iommu.c, device_rmrr_is_relaxable). */
static const char *rmrr_fix(const struct group *group)
{
	const struct host *host = group->search->host;

	for (size_t i = 0; i < host->count; i++) {
		const struct pci_function *fn = &host->fn[i].pci;

		if (!is_of(group, &host->fn[i]) || !find_is_taken(group->search, &host->fn[i]))
			continue;
		if (fn->class >> 8 == 0x0c03)
			return "switch off legacy USB (keyboard) support in the firmware";
		if (fn->class >> 16 == 0x02 || fn->class >> 16 == 0x01)
			return "on HPE: switch off \"shared memory features\" for this slot "
			       "(conrep, HPSharedMemoryFeatures) or update the card's firmware; "
			       "elsewhere: use another slot or card";
		if (!group->can_move)
			return "it is part of the board, and no known setting removes it: use "
			       "another device";
	}
	return "use another slot, or update the board's firmware; else use another card";
}

static void add_group(struct group *group)
{
	const struct host *host = group->search->host;
	char about[PCI_ADDRESS_SIZE];

	if (!group->taken)
		return;
	if (group->has_rmrr)
		finding_add(group->search->findings, FINDING_GROUP_RMRR, group->subject,
			    group->region, rmrr_fix(group), NULL);
	if (group->needed) {
		add_protected(group);
		return;
	}
	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];
		char number[16];

		if (!is_of(group, fn))
			continue;
		snprintf(number, sizeof(number), "%d", group->number);
		if (verdict_of(group->search, fn)->blocks_group)
			add_blocking(group, fn);
		if (verdict_of(group->search, fn)->reason == REASON_CLAIMED)
			finding_add(group->search->findings, FINDING_GROUP_CLAIMED,
				    pci_address_format(&fn->pci.addr, about), number, NULL);
	}
}

/* The first function of a group speaks for it. */
static bool is_first(const struct group *group, const struct host_function *fn)
{
	for (const struct host_function *other = group->search->host->fn; other < fn; other++)
		if (is_of(group, other))
			return false;
	return true;
}

void find_groups(struct search *search)
{
	const struct host *host = search->host;
	unsigned int taken = 0, bad = 0;
	char count[16];

	for (size_t i = 0; i < host->count; i++) {
		struct group group = { .search = search };
		size_t from;

		if (host->fn[i].place == DECIDE_NO_INDEX)
			continue;
		group.number = host->table.fn[host->fn[i].place].group;
		if (!is_first(&group, &host->fn[i]))
			continue;
		snprintf(group.subject, sizeof(group.subject), "group %d", group.number);
		from = search->findings->count;
		look_at(&group);
		add_group(&group);
		find_concern(search, from, group.number);
		taken += group.taken;
		bad += group.taken && (group.blocking || group.has_rmrr);
	}
	snprintf(count, sizeof(count), "%u", taken);
	if (taken && !bad)
		finding_add(search->findings, FINDING_GROUPS_OK, "", count, taken == 1 ? "" : "s",
			    NULL);
}
