// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes of the set lines at the next boot, and what came of them at this one; see findings.h. */
#include <stdio.h>
#include <string.h>

#include "early/code.h"
#include "early/pci.h"
#include "early/text.h"
#include "findings/find.h"
#include "host/boot_report.h"
#include "host/settings.h"

/* What has one of the functions that a line is about, and whether it is asked of any. */
struct met {
	bool is_met;		 /* some function that is bound */
	bool has[PLAN_SET_KEYS]; /* one of those has the key */
};

static bool is_bound_next(const struct search *search, const struct host_function *fn)
{
	return fn->place != DECIDE_NO_INDEX &&
	       search->host->decisions.verdict[fn->place].decision == DECIDE_BIND;
}

/* Without any function that has it, the kernel may just not tell. */
static bool is_told(const struct host *host, enum plan_key key)
{
	char text[PLAN_VALUE_SIZE];

	for (size_t i = 0; i < host->count; i++)
		if (*settings_offered(host, &host->fn[i], key, text, sizeof(text)))
			return true;
	return false;
}

/* "default" alone is every method again (drivers/pci/pci.c, reset_method_store). */
static const char *methods_of(const struct plan_set *set)
{
	const char *value = set->value[PLAN_SET_RESET];

	return value && strcmp(value, "default") != 0 ? value : "";
}

static bool has_unknown(const struct host *host, const struct plan_set *set)
{
	const char *wanted = methods_of(set);
	size_t len;

	return settings_next_unknown(host, &wanted, &len);
}

static void find_unknown(struct search *search, const struct plan_set *set,
			 const struct find_line *line)
{
	const char *wanted = methods_of(set), *word;
	char text[PLAN_VALUE_SIZE];
	size_t len;

	while ((word = settings_next_unknown(search->host, &wanted, &len))) {
		snprintf(text, sizeof(text), "%.*s", (int)len, word);
		finding_add(search->findings, FINDING_SET_METHOD, line->where, line->text, text,
			    NULL);
	}
}

/* As the boot judges it: a key that one of several lacks is silent. */
static void find_offered(struct search *search, const struct host_function *fn, enum plan_key key)
{
	const struct host *host = search->host;
	const struct plan_set *set = decide_set(&host->plan, &host->table.fn[fn->place], key);
	char offered[PLAN_VALUE_SIZE], addr[PCI_ADDRESS_SIZE], asked[PLAN_VALUE_SIZE + 16];
	struct find_line line;

	if (!set || !is_told(host, key) || (key == PLAN_SET_RESET && has_unknown(host, set)))
		return;
	settings_offered(host, fn, key, offered, sizeof(offered));
	if (!*offered && set->sel.kind != SELECTOR_ADDRESS)
		return;
	if (*offered &&
	    (key != PLAN_SET_RESET || settings_has_methods(offered, set->value[PLAN_SET_RESET])))
		return;
	snprintf(asked, sizeof(asked), "%s%s", plan_key_name(key), set->value[key]);
	text_replace(asked, ' ', ',');
	finding_add(
		search->findings, FINDING_SET_OFFER, pci_address_format(&fn->pci.addr, addr), asked,
		key == PLAN_SET_RESET && *offered ? offered : "none",
		find_line(search, COMPILER_SET, (unsigned int)(set - host->plan.set), &line)->both,
		NULL);
}

static void meet(const struct search *search, const struct plan_set *set, struct met *met)
{
	const struct host *host = search->host;
	char text[PLAN_VALUE_SIZE];

	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];

		if (!is_bound_next(search, fn) ||
		    pci_match(&set->sel, &host->table.fn[fn->place]) != SELECTOR_MATCHES)
			continue;
		met->is_met = true;
		for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++)
			met->has[key] |= *settings_offered(host, fn, key, text, sizeof(text)) !=
					 '\0';
	}
}

/*
 * May the line be about virtual functions that are not there yet? Those of a vf: line are made later, and
 * have an ID and a class that nobody knows before.
 */
static bool may_come(const struct search *search, const struct plan_set *set)
{
	const struct host *host = search->host;

	if (set->sel.kind == SELECTOR_ADDRESS || set->sel.kind == SELECTOR_SLOT)
		return false;
	for (unsigned int i = 0; i < host->plan.binds; i++) {
		const struct selector *bind = &host->plan.bind[i].sel;

		if (bind->kind != SELECTOR_VF || host->decisions.matched[i])
			continue;
		if (set->sel.kind != SELECTOR_VF || pci_address_equal(&bind->addr, &set->sel.addr))
			return true;
	}
	return false;
}

void find_sets(struct search *search)
{
	const struct host *host = search->host;

	for (unsigned int i = 0; i < host->plan.sets; i++) {
		const struct plan_set *set = &host->plan.set[i];
		struct met met = { 0 };
		struct find_line line;

		find_line(search, COMPILER_SET, i, &line);
		find_unknown(search, set, &line);
		meet(search, set, &met);
		if (!met.is_met && !may_come(search, set))
			finding_add(search->findings, FINDING_SET_UNUSED, line.where, line.text,
				    "the next boot binds no function that it names", NULL);
		for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS && met.is_met; key++) {
			char what[64];

			if (!set->value[key] || met.has[key] || !is_told(host, key) ||
			    set->sel.kind == SELECTOR_ADDRESS)
				continue;
			snprintf(what, sizeof(what), "no function that it names has %.*s",
				 (int)strlen(plan_key_name(key)) - 1, plan_key_name(key));
			finding_add(search->findings, FINDING_SET_UNUSED, line.where, line.text,
				    what, NULL);
		}
	}
	for (size_t i = 0; i < host->count; i++)
		for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++)
			if (is_bound_next(search, &host->fn[i]))
				find_offered(search, &host->fn[i], key);
}

/* Has the config's part of the findings said so already? */
static bool is_said(const struct search *search, const char *addr)
{
	for (size_t i = 0; i < search->findings->count; i++) {
		const struct finding *item = &search->findings->list[i];

		if (finding_is(item, FINDING_SET_OFFER) && !strcmp(item->subject, addr))
			return true;
	}
	return false;
}

void find_set_outcome(struct search *search, const struct boot_report_entry *entry)
{
	for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++) {
		const struct boot_report_setting *setting = &entry->setting[key];
		enum reason reason;
		char name[16];

		if (!code_find(setting->code, &reason) || reason == REASON_NONE)
			continue;
		if (reason == REASON_SET_OFFER && is_said(search, entry->subject))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strlen(plan_key_name(key)) - 1,
			 plan_key_name(key));
		finding_add(search->findings,
			    reason == REASON_SET_OFFER ? FINDING_SET_NOT_THERE : FINDING_SET_FAILED,
			    entry->subject, name, *setting->before ? setting->before : "none",
			    NULL);
	}
}
