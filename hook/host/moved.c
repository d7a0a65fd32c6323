// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices that are not where the config has them; see moved.h. */
#include <stdio.h>

#include "host/moved.h"

struct moved {
	const struct host *host;
	struct slot from;     /* of the functions whose lines have another ID */
	struct slot to;	      /* where their devices are now, as far as that is known */
	unsigned int missing; /* lines whose device is nowhere */
};

static const struct verdict *verdict_of(const struct host *host, const struct host_function *fn)
{
	return &host->decisions.verdict[fn->place];
}

static bool is_moved(const struct host *host, const struct host_function *fn)
{
	return fn->place != DECIDE_NO_INDEX && verdict_of(host, fn)->reason == REASON_ID_CHANGED;
}

/* Its device is bound where it is now: another line names it there. */
static bool is_hint_taken(const struct host *host, const struct verdict *verdict)
{
	const struct host_function *now = host_find(host, &verdict->hint);

	return now && host_next(host, now) == HOST_NEXT_VFIO;
}

static void add(struct moved *moved, const struct host_function *fn)
{
	const struct host *host = moved->host;
	const struct verdict *verdict = verdict_of(host, fn);
	struct selector hint = { .kind = SELECTOR_ADDRESS, .addr = verdict->hint };
	bool is_slot = host->plan.bind[verdict->bind].sel.kind == SELECTOR_SLOT;

	naming_add_one(host, &fn->pci.addr, &moved->from);
	if (!verdict->has_hint)
		moved->missing++;
	else if (!is_hint_taken(host, verdict))
		slot_collect(host, &hint, is_slot ? SLOT_WHOLE : SLOT_ONLY, &moved->to);
}

/*
 * Is its line to be changed together with the others: the same line, the same card, or one in the
 * other's place?
 */
static bool belongs(const struct moved *moved, const struct host_function *fn)
{
	const struct verdict *verdict = verdict_of(moved->host, fn);

	if (slot_has(&moved->to, &fn->pci.addr) ||
	    (verdict->has_hint && slot_has(&moved->from, &verdict->hint)))
		return true;
	for (size_t i = 0; i < moved->from.count; i++) {
		const struct host_function *other = host_find(moved->host, &moved->from.fn[i].addr);
		const struct verdict *its = verdict_of(moved->host, other);

		if (its->bind == verdict->bind ||
		    (its->has_hint && verdict->has_hint &&
		     pci_address_same_slot(&fn->pci.addr, &other->pci.addr) &&
		     pci_address_same_slot(&its->hint, &verdict->hint)))
			return true;
	}
	return false;
}

/* One more may be what connects others, so until there is none. */
static void add_all(struct moved *moved)
{
	bool is_new;

	do {
		is_new = false;
		for (size_t i = 0; i < moved->host->count; i++) {
			const struct host_function *fn = &moved->host->fn[i];

			if (!is_moved(moved->host, fn) || slot_has(&moved->from, &fn->pci.addr) ||
			    !belongs(moved, fn))
				continue;
			add(moved, fn);
			is_new = true;
		}
	} while (is_new);
}

const char *moved_fix(const struct host *host, const struct host_function *fn, bool is_wanted,
		      char text[MOVED_SIZE])
{
	struct moved moved = { .host = host };
	const char *between = ", then ";

	add(&moved, fn);
	add_all(&moved);
	if (is_wanted)
		naming_add_one(host, &fn->pci.addr, &moved.to);
	if (!moved.to.count && moved.missing) {
		between = "; if what is there now is to be bound: ";
		for (size_t i = 0; i < moved.from.count; i++)
			naming_add_one(host, &moved.from.fn[i].addr, &moved.to);
	}
	naming_replace(host, &moved.from, &moved.to, between, "", text);
	slot_free(&moved.from);
	slot_free(&moved.to);
	return text;
}
