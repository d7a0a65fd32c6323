// SPDX-License-Identifier: GPL-2.0-or-later
/* What makes the members of an IOMMU group bindable; see group_cure.h. */
#include <stdio.h>

#include "host/group_cure.h"
#include "host/next_boot.h"

enum group_cure group_cure(const struct host *host, const struct host_function *fn)
{
	const struct verdict *verdict = &host->decisions.verdict[fn->place];

	if (pci_is_bridge(&fn->pci) || host_protect(host, fn))
		return GROUP_CURE_NONE;
	if (next_boot_is_excepted(host, fn))
		return GROUP_CURE_EXCEPT;
	switch (verdict->reason) {
	case REASON_NONE:
		return verdict->decision == DECIDE_NOTHING ? GROUP_CURE_NAME : GROUP_CURE_NONE;
	case REASON_BOOT_VGA:
	case REASON_FACTS:
	case REASON_ID_CHANGED:
	case REASON_NO_PATH:
	case REASON_VFS:
		return GROUP_CURE_REASON;
	default:
		return GROUP_CURE_NONE;
	}
}

/* As decide() has it. What is refused for the sake of its group is not in its own way. */
static bool is_in_way(const struct host *host, const struct host_function *fn, int group)
{
	const struct verdict *verdict;

	if (fn->place == DECIDE_NO_INDEX || host->table.fn[fn->place].group != group)
		return false;
	verdict = &host->decisions.verdict[fn->place];
	return pci_may_block_group(&host->table.fn[fn->place]) && !decide_is_taken(verdict) &&
	       host_next(host, fn) != HOST_NEXT_NOT_MADE && verdict->reason != REASON_GROUP &&
	       verdict->reason != REASON_GROUP_CLAIM;
}

void group_cures_count(const struct host *host, const struct host_function *fn,
		       struct group_cures *cures)
{
	*cures = (struct group_cures){ 0 };
	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *mate = &host->fn[i];
		enum group_cure cure;

		if (!is_in_way(host, mate, host->table.fn[fn->place].group))
			continue;
		cure = group_cure(host, mate);
		cures->blocking++;
		if (!cures->count[cure]++ && cure == GROUP_CURE_EXCEPT)
			cures->excepted = mate;
		if (cures->count[cure] == 1 && cure == GROUP_CURE_REASON)
			cures->with_reason = mate;
	}
}

bool group_can_name(const struct group_cures *cures)
{
	return cures->count[GROUP_CURE_NAME] == cures->blocking;
}

const char *group_say_except(const struct group_cures *cures, char *text, size_t size)
{
	char addr[PCI_ADDRESS_SIZE];

	snprintf(text, size, "remove %s%s from the except line",
		 pci_address_format(&cures->excepted->pci.addr, addr),
		 cures->count[GROUP_CURE_EXCEPT] > 1 ? " and the others of its group" : "");
	return text;
}

const char *group_say_name(const struct host_function *fn, bool can_move, char *text, size_t size)
{
	char addr[PCI_ADDRESS_SIZE];

	snprintf(text, size, "vfio-early add --group %s%s", pci_address_format(&fn->pci.addr, addr),
		 can_move ? ", set group claim, or move the card to another slot" :
			    ", or set group claim");
	return text;
}

const char *group_say_hopeless(const char *remove, bool is_one, char *text, size_t size)
{
	snprintf(text, size, "%s: on this board no VM can have %s", remove, is_one ? "it" : "them");
	return text;
}
