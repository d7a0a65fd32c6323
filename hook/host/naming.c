// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands that name functions, or take their names out; see naming.h. */
#include <stdio.h>
#include <string.h>

#include "early/pci.h"
#include "host/naming.h"

#define MAX_WORDS 8 /* addresses behind one command; what takes more is not typed one by one */

/* A command that is tried: its scope, and what is typed behind it. */
struct attempt {
	const struct host *host;
	const struct slot *meant;
	enum slot_scope scope;
	bool is_slot; /* the one word is a slot, "0000:03:00" */
	struct pci_address word[MAX_WORDS];
	unsigned int words;
	struct slot covered; /* what the command takes as named by those words */
};

int naming_add_one(const struct host *host, const struct pci_address *addr, struct slot *list)
{
	char text[PCI_ADDRESS_SIZE];

	return slot_add(host, pci_address_format(addr, text), SLOT_ONLY, list);
}

static bool has_word(const struct attempt *attempt, const struct pci_address *addr)
{
	for (unsigned int i = 0; i < attempt->words; i++)
		if (attempt->is_slot ? pci_address_same_slot(&attempt->word[i], addr) :
				       pci_address_equal(&attempt->word[i], addr))
			return true;
	return false;
}

static const char *format_word(const struct attempt *attempt, unsigned int word,
			       char text[PCI_ADDRESS_SIZE])
{
	pci_address_format(&attempt->word[word], text);
	if (attempt->is_slot)
		*strrchr(text, '.') = '\0';
	return text;
}

static bool add_word(struct attempt *attempt, const struct pci_address *addr)
{
	const struct selector sel = {
		.kind = attempt->is_slot ? SELECTOR_SLOT : SELECTOR_ADDRESS,
		.addr = *addr,
	};

	attempt->word[attempt->words++] = *addr;
	return !slot_collect(attempt->host, &sel, attempt->scope, &attempt->covered);
}

/* As few words as cover all that is meant; false if that takes too many. */
static bool cover(struct attempt *attempt, unsigned int max_words)
{
	for (size_t i = 0; i < attempt->meant->count; i++) {
		const struct pci_address *addr = &attempt->meant->fn[i].addr;

		if (slot_has(&attempt->covered, addr))
			continue;
		if (attempt->words == max_words || !add_word(attempt, addr))
			return false;
	}
	return true;
}

/* As `remove` has it: the lines for virtual functions go with their physical one. */
static bool is_physical_named(const struct attempt *attempt, const struct selector *sel)
{
	return sel->kind == SELECTOR_VF &&
	       (has_word(attempt, &sel->addr) ||
		(attempt->scope == SLOT_GROUP && slot_has(&attempt->covered, &sel->addr)));
}

/* Does `remove` leave this selector alone, or take out only what is meant? */
static bool spares_others(const struct attempt *attempt, const struct selector *sel)
{
	const struct host *host = attempt->host;
	bool is_whole = is_physical_named(attempt, sel);
	bool takes = is_whole, names_more = false, names_unmeant = false;

	for (size_t i = 0; i < host->count; i++) {
		const struct pci_function *fn = &host->fn[i].pci;

		if (host->fn[i].place == DECIDE_NO_INDEX || !host_is_selected(host, sel, fn, NULL))
			continue;
		takes |= slot_has(&attempt->covered, &fn->addr);
		names_more |= !slot_has(&attempt->covered, &fn->addr);
		names_unmeant |= !slot_has(attempt->meant, &fn->addr);
	}
	if (!takes)
		return true;
	if (is_whole)
		return slot_has(attempt->meant, &sel->addr) || !names_unmeant;
	/* A line that names more is refused, but for that of a slot that was typed as one. */
	return sel->kind != SELECTOR_CLASS && !names_unmeant &&
	       (!names_more || (attempt->is_slot && sel->kind == SELECTOR_SLOT));
}

static bool is_right_removal(const struct attempt *attempt)
{
	for (unsigned int i = 0; i < attempt->host->plan.binds; i++) {
		struct selector sel = attempt->host->plan.bind[i].sel;

		/* `remove` ignores a pinned ID. */
		if (sel.kind != SELECTOR_ID)
			sel.has_id = false;
		if (!spares_others(attempt, &sel))
			return false;
	}
	return true;
}

/* A bridge gets no line, nor does what has one that matches. */
static bool is_right_addition(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->covered.count; i++) {
		const struct pci_function *fn = &attempt->covered.fn[i];
		const struct host_function *mine = host_find(attempt->host, &fn->addr);

		if (!slot_has(attempt->meant, &fn->addr) && !pci_is_bridge(fn) &&
		    !(mine && host_next(attempt->host, mine) == HOST_NEXT_VFIO))
			return false;
	}
	return true;
}

/* Writes the command; false if it does not fit. */
static bool write_command(const struct attempt *attempt, const char *command, char *text)
{
	static const char *const scopes[] = {
		[SLOT_WHOLE] = "", [SLOT_ONLY] = "--only ", [SLOT_GROUP] = "--group "
	};
	char addr[PCI_ADDRESS_SIZE];
	int len = snprintf(text, NAMING_SIZE, "vfio-early %s%s", command, scopes[attempt->scope]);

	for (unsigned int i = 0; i < attempt->words && len < NAMING_SIZE; i++)
		len += snprintf(text + len, NAMING_SIZE - (size_t)len, "%s%s", i ? " " : "",
				format_word(attempt, i, addr));
	return len < NAMING_SIZE;
}

/* What is tried, the shortest first. */
static const struct {
	enum slot_scope scope;
	bool is_slot;
	unsigned int max_words;
} attempts[] = {
	{ SLOT_WHOLE, false, 1 },	  { SLOT_WHOLE, true, 1 },	   { SLOT_ONLY, false, 1 },
	{ SLOT_WHOLE, false, 2 },	  { SLOT_ONLY, false, 2 },	   { SLOT_GROUP, false, 1 },
	{ SLOT_WHOLE, false, MAX_WORDS }, { SLOT_ONLY, false, MAX_WORDS },
};

/* @command: with its options. Returns whether there is one. */
static bool find_command(const struct host *host, const struct slot *meant, const char *command,
			 bool (*is_right)(const struct attempt *attempt), char *text)
{
	bool found = false;

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]) && !found; i++) {
		struct attempt attempt = {
			.host = host,
			.meant = meant,
			.scope = attempts[i].scope,
			.is_slot = attempts[i].is_slot,
		};

		found = cover(&attempt, attempts[i].max_words) && is_right(&attempt) &&
			write_command(&attempt, command, text);
		slot_free(&attempt.covered);
	}
	return found;
}

const char *naming_remove(const struct host *host, const struct slot *meant, char text[NAMING_SIZE])
{
	int len;

	if (find_command(host, meant, "remove ", is_right_removal, text))
		return text;
	len = snprintf(text, NAMING_SIZE, "write \"except");
	for (size_t i = 0; i < meant->count && len < NAMING_SIZE; i++) {
		char addr[PCI_ADDRESS_SIZE];

		len += snprintf(text + len, NAMING_SIZE - (size_t)len, " %s",
				pci_address_format(&meant->fn[i].addr, addr));
	}
	if (len < NAMING_SIZE)
		len += snprintf(text + len, NAMING_SIZE - (size_t)len,
				"\" into /etc/vfio-early.conf");
	if (len >= NAMING_SIZE)
		snprintf(text, NAMING_SIZE,
			 "take them out of the bind lines, which vfio-early list names");
	return text;
}

/* Does a set line name one of these? `remove` would take it along. */
static bool has_set(const struct host *host, const struct slot *meant)
{
	for (unsigned int i = 0; i < host->plan.sets; i++) {
		struct selector sel = host->plan.set[i].sel;

		/* Those stay. */
		if (sel.kind == SELECTOR_ID || sel.kind == SELECTOR_CLASS)
			continue;
		sel.has_id = false;
		for (size_t j = 0; j < meant->count; j++)
			if (host_is_selected(host, &sel, &meant->fn[j], NULL))
				return true;
	}
	return false;
}

/* The first bind line that names one of these, whatever ID is pinned to it; NULL if none does. */
static const struct plan_selector *find_line(const struct host *host, const struct slot *meant)
{
	for (unsigned int i = 0; i < host->plan.binds; i++) {
		struct selector sel = host->plan.bind[i].sel;

		if (sel.kind != SELECTOR_ID)
			sel.has_id = false;
		for (size_t j = 0; j < meant->count; j++)
			if (host_is_selected(host, &sel, &meant->fn[j], NULL))
				return &host->plan.bind[i];
	}
	return NULL;
}

const char *naming_replace(const struct host *host, const struct slot *from, const struct slot *to,
			   const char *between, const char *options, char text[2 * NAMING_SIZE])
{
	char remove[NAMING_SIZE], name[NAMING_SIZE] = "";
	const struct plan_selector *line = find_line(host, from);

	if (has_set(host, from) || !find_command(host, from, "remove ", is_right_removal, remove)) {
		snprintf(text, 2 * (size_t)NAMING_SIZE,
			 "correct the line \"bind %s\" of the config", line ? line->text : "");
		return text;
	}
	if (to->count)
		naming_add(host, to, options, name);
	snprintf(text, 2 * (size_t)NAMING_SIZE, "%s%s%s", remove, *name ? between : "", name);
	return text;
}

const char *naming_add(const struct host *host, const struct slot *meant, const char *options,
		       char text[NAMING_SIZE])
{
	char command[64];

	snprintf(command, sizeof(command), "add %s", options);
	if (!find_command(host, meant, command, is_right_addition, text))
		snprintf(text, NAMING_SIZE, "write a bind line for each into /etc/vfio-early.conf");
	return text;
}
