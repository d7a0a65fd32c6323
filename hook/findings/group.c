// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IOMMU groups, which a VM gets whole or not at all: what of a group keeps the bound functions from one,
 * and a fix for each of those, chosen by all that is in the group. See findings.h.
 */
#include <stdio.h>
#include <string.h>

#include "findings/find.h"
#include "host/group_cure.h"
#include "host/moved.h"
#include "host/next_boot.h"

#define NAMES_SHOWN 8

struct group {
	const struct search *search;
	int number;
	char subject[24];		    /* "group 12" */
	const struct host_function *needed; /* the first that this host needs and keeps, or NULL */
	const char *why;		    /* it needs that */
	bool has_rmrr;
	unsigned int taken;
	struct group_cures cures;
	bool can_move; /* a bound one is a card in a slot, and no virtual function */
	const struct host_function *physfn; /* blocks it; a bound one is a virtual function of it */
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

static bool is_blocking(const struct search *search, const struct host_function *fn)
{
	return verdict_of(search, fn)->blocks_group &&
	       host_next(search->host, fn) != HOST_NEXT_NOT_MADE;
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

		if (!is_of(group, fn))
			continue;
		if (find_is_taken(search, fn)) {
			add_name(group, fn);
			group->taken++;
			group->can_move |= is_movable(search, fn);
		}
		if (!is_blocking(search, fn))
			continue;
		if (!group->cures.blocking)
			group_cures_count(host, fn, &group->cures);
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

/*
 * The command that takes the bound ones out of the config, and none of another group; with a physical
 * function, the lines for its virtual functions too. Returns @text.
 */
static const char *remove_bound(const struct group *group, char text[NAMING_SIZE])
{
	const struct host *host = group->search->host;
	const struct pci_address *physfn = group->physfn ? &group->physfn->pci.addr : NULL;
	struct slot list = { 0 };

	for (size_t i = 0; i < host->count; i++)
		if (is_of(group, &host->fn[i]) && find_is_taken(group->search, &host->fn[i]))
			naming_add_one(host, &host->fn[i].pci.addr, &list);
	if (physfn && (host_vfs(host, physfn) || host_binds_vfs(host, physfn)))
		naming_add_one(host, physfn, &list);
	naming_remove(host, &list, text);
	slot_free(&list);
	return text;
}

/* "vfio-early add 0000:08:00.0", of this function alone. Returns @text. */
static const char *name_one(const struct group *group, const struct host_function *fn,
			    char text[NAMING_SIZE])
{
	struct slot list = { 0 };

	naming_add_one(group->search->host, &fn->pci.addr, &list);
	naming_add(group->search->host, &list, "", text);
	slot_free(&list);
	return text;
}

/* A bind line for it; the whole group can be named at once only if that is all that it takes. */
static void fix_by_name(const struct group *group, const struct host_function *fn, char *fix,
			size_t size)
{
	char except[160], name[NAMING_SIZE];

	if (group_can_name(&group->cures))
		group_say_name(fn, group->can_move, fix, size);
	else if (!group->cures.excepted)
		snprintf(fix, size, "%s", name_one(group, fn, name));
	else
		snprintf(fix, size, "%s, and %s, or the bound functions from the config",
			 name_one(group, fn, name),
			 group_say_except(&group->cures, except, sizeof(except)));
}

/*
 * What one that blocks the group has to become for a VM to get the group; what moves the whole group
 * comes first.
 */
static void choose_fix(const struct group *group, const struct host_function *fn,
		       char fix[MOVED_SIZE], size_t size)
{
	const struct host *host = group->search->host;
	unsigned int hopeless = group->cures.count[GROUP_CURE_NONE];
	const char *text = NULL;
	char remove[NAMING_SIZE], name[NAMING_SIZE], why[512];
	enum group_cure cure = group_cure(host, fn);
	enum reason reason = verdict_of(group->search, fn)->reason;

	if (group->physfn && group->can_move)
		text = "bind the whole card instead, or move it to another slot";
	else if (!group->physfn && hopeless && group->can_move)
		text = "move the card to another slot";
	else if (!group->physfn && !hopeless && cure == GROUP_CURE_EXCEPT)
		text = "remove it from the except line, or the bound functions from the config";
	else if (!group->physfn && !hopeless && reason == REASON_BOOT_VGA)
		text = "set boot-vga bind, or remove the bound functions from the config";
	if (text)
		snprintf(fix, size, "%s", text);
	else if (group->physfn)
		snprintf(fix, size, "bind the physical function instead: %s, then %s",
			 remove_bound(group, remove), name_one(group, group->physfn, name));
	else if (hopeless)
		group_say_hopeless(remove_bound(group, remove), group->taken == 1, fix, size);
	else if (cure == GROUP_CURE_NAME)
		fix_by_name(group, fn, fix, size);
	/* What is there now is in the way, wherever the one is that was meant. */
	else if (reason == REASON_ID_CHANGED)
		moved_fix(host, fn, true, fix);
	else
		next_boot_why(host, fn, why, sizeof(why), fix, size);
}

/* The host keeps the group, whatever else is in it: that is said once. */
static void add_protected(const struct group *group)
{
	char needed[PCI_ADDRESS_SIZE], fix[2 * NAMING_SIZE], remove[NAMING_SIZE];

	pci_address_format(&group->needed->pci.addr, needed);
	remove_bound(group, remove);
	if (group->can_move || is_movable(group->search, group->needed))
		snprintf(fix, sizeof(fix), "move %s to another slot; until then, %s",
			 group->can_move ? "the card" : needed, remove);
	else
		group_say_hopeless(remove, group->taken == 1, fix, sizeof(fix));
	finding_add(group->search->findings, FINDING_GROUP_PROTECTED, group->subject, needed,
		    group->why, group->names, fix, NULL);
}

static void add_blocking(const struct group *group, const struct host_function *fn)
{
	struct findings *findings = group->search->findings;
	const char *driver = fn->pci.driver;
	char about[PCI_ADDRESS_SIZE], number[16], fix[MOVED_SIZE];

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
		if (is_blocking(group->search, fn))
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
		bad += group.taken && (group.cures.blocking || group.has_rmrr);
	}
	snprintf(count, sizeof(count), "%u", taken);
	if (taken && !bad)
		finding_add(search->findings, FINDING_GROUPS_OK, "", count, taken == 1 ? "" : "s",
			    NULL);
}
