// SPDX-License-Identifier: GPL-2.0-or-later
/* apply --now; see apply_now.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/apply_now.h"
#include "commands/handover.h"
#include "early/paths.h"
#include "ui/status.h"
#include "util/array.h"
#include "util/message.h"

struct now {
	struct host *host;
	struct pci_function *fn; /* the functions that are still to be handed over */
	size_t count;
};

/*
 * Will the next boot bind it, as far as is known now? If this boot has the IOMMU off, the next one
 * may have it on, because of what apply has just done.
 */
static bool is_wanted(const struct host *host, const struct host_function *fn)
{
	enum reason reason;

	if (host_next(host, fn) != HOST_NEXT_REFUSED)
		return host_next(host, fn) == HOST_NEXT_VFIO;
	reason = host->decisions.verdict[fn->place].reason;
	return reason == REASON_NO_IOMMU || reason == REASON_NO_GROUP;
}

/* Collects what the next boot binds and this boot has not bound. */
static int collect(struct now *now)
{
	const struct host *host = now->host;
	int ret = 0;

	for (size_t i = 0; i < host->count && !ret; i++) {
		struct pci_function fn = host->fn[i].pci;

		if (!is_wanted(host, &host->fn[i]) || pci_is_with_vfio(&fn))
			continue;
		pci_read_details(host->root.fd, &fn);
		ret = array_append(&now->fn, &now->count, sizeof(fn), &fn);
	}
	return ret ? message_errno(ret, "cannot list what is to be handed over") : 0;
}

/* With its own copy of the list, which handover_close() frees. */
static int begin(const struct now *now, bool is_dry, struct handover *handover)
{
	*handover = (struct handover){
		.host = now->host,
		.is_dry = is_dry,
		.lockfd = -1,
		.deadline = HANDOVER_SECONDS,
	};
	for (size_t i = 0; i < now->count; i++)
		if (array_append(&handover->slot.fn, &handover->slot.count, sizeof(*now->fn),
				 &now->fn[i]))
			return message_errno(-ENOMEM, "cannot begin");
	return handover_open(handover);
}

static bool is_together(const struct pci_function *fn, const struct pci_function *other)
{
	return pci_address_same_slot(&fn->addr, &other->addr) ||
	       (fn->group >= 0 && fn->group == other->group);
}

/*
 * Takes a function that cannot be handed over now out of the list, and all others of its slot and
 * group. Returns whether any of them was in the list.
 */
static bool hold_back(struct now *now, const struct pci_address *addr, const char *why)
{
	struct pci_function of = { .addr = *addr, .group = -1 };
	char text[PCI_ADDRESS_SIZE];
	size_t kept = 0, before = now->count;

	pci_read_group(now->host->root.fd, &of);
	for (size_t i = 0; i < now->count; i++) {
		const struct pci_function fn = now->fn[i];

		if (!is_together(&fn, &of)) {
			now->fn[kept++] = fn;
			continue;
		}
		printf("%s: waits for the reboot: ", pci_address_format(&fn.addr, text));
		if (pci_address_equal(&fn.addr, addr))
			printf("%s\n", why);
		else
			printf("with %s\n", pci_address_format(addr, text));
	}
	now->count = kept;
	return kept != before;
}

/*
 * A dry run of the list: takes out what is blocked. Returns 1 if something was taken out, 0 if
 * nothing is blocked any more, or -errno.
 */
static int look(struct now *now)
{
	struct handover handover;
	char why[400];
	bool any = false;
	int ret = begin(now, true, &handover);

	handover.is_preview = true;
	if (!ret && handover_give(&handover) == COMMAND_NOTHING)
		ret = -EIO;
	if (ret)
		message_error("nothing is handed over now");
	for (size_t i = 0; i < handover.items && !ret; i++)
		if (handover.item[i].result == REPORT_REFUSED)
			any |= hold_back(now, &handover.item[i].fn.addr, handover.item[i].why);
	for (size_t i = 0; i < handover.users.count && !ret; i++)
		any |= hold_back(now, &handover.users.list[i].addr,
				 user_words(&handover.users.list[i], why, sizeof(why)));
	/* Something blocks, but no function of the list: then nothing can be handed over. */
	if (!ret && !any && (handover.users.count || handover.items == 0))
		now->count = 0;
	handover_close(&handover);
	return ret ? ret : any;
}

static int carry_out(const struct now *now)
{
	struct handover handover;
	int status = COMMAND_NOTHING;

	if (!begin(now, false, &handover) && !handover_lock(&handover))
		status = handover_give(&handover);
	handover_print(&handover);
	handover_close(&handover);
	return status == COMMAND_OK ? COMMAND_OK : COMMAND_INCOMPLETE;
}

static int run(struct now *now, bool is_dry)
{
	char text[PCI_ADDRESS_SIZE];
	int ret = collect(now);

	if (!ret && !now->count) {
		puts("Now: all that the next boot binds is with vfio-pci already.");
		return COMMAND_OK;
	}
	while (!ret && now->count) {
		ret = look(now);
		if (ret <= 0)
			break;
		ret = 0;
	}
	if (ret)
		return COMMAND_INCOMPLETE;
	if (!now->count)
		return COMMAND_OK;
	if (!is_dry)
		return carry_out(now);
	for (size_t i = 0; i < now->count; i++)
		printf("%s: would be bound to vfio-pci now\n",
		       pci_address_format(&now->fn[i].addr, text));
	return COMMAND_OK;
}

int apply_now(const char *root, bool is_dry)
{
	struct now now = { 0 };
	int status = COMMAND_INCOMPLETE;

	/* A new look at the host: drivers may have changed while images were made. */
	if (!host_open(root, &now.host) && !host_decide(now.host, NULL))
		status = run(&now, is_dry);
	free(now.fn);
	host_close(now.host);
	return status;
}
