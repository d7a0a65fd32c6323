// SPDX-License-Identifier: GPL-2.0-or-later
/* What is wrong with the config, and what compiling it could not find out; see findings.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/state.h"
#include "early/pci.h"
#include "findings/find.h"
#include "plan/plan.h"

/* The plan's own comments: "CODE: text". */
static void find_in_notes(struct search *search)
{
	static const struct {
		const char *code, *subject;
		enum finding_code finding;
	} kinds[] = {
		{ "facts-unknown", "protect", FINDING_FACTS_UNKNOWN },
		{ "facts-too-many", "protect", FINDING_FACTS_TOO_MANY },
		{ "protect", "protect", FINDING_PROTECT_NOTE },
		{ "module", "modules", FINDING_MODULE_NOTE },
	};
	const struct host *host = search->host;

	for (size_t i = 0; i < host->notes; i++) {
		const char *note = host->note[i], *subject = "plan";
		enum finding_code code = FINDING_PLAN_NOTE;
		size_t len = strcspn(note, ":");

		for (size_t j = 0; j < sizeof(kinds) / sizeof(kinds[0]); j++) {
			if (strlen(kinds[j].code) != len || strncmp(note, kinds[j].code, len) != 0)
				continue;
			code = kinds[j].finding;
			subject = kinds[j].subject;
			note += len + strspn(note + len, ": ");
			break;
		}
		/* Reported by its effect on the host: see below. */
		if (code != FINDING_PLAN_NOTE || !host->is_undone)
			finding_add(search->findings, code, subject, note, NULL);
	}
}

static void find_in_lost(struct search *search, const char *lost)
{
	static const char modules[] = PLAN_LOST_MODULES " ";

	if (strncmp(lost, modules, sizeof(modules) - 1) != 0)
		finding_add(search->findings, FINDING_LINE_LOST, "config", lost, NULL);
	else
		finding_add(search->findings, FINDING_MODULE_LOST, "modules",
			    lost + sizeof(modules) - 1, NULL);
}

/* What the config itself refuses, or another finding reports, does not block. */
static size_t count_blocks(const struct search *search)
{
	size_t blocks = 0;

	for (size_t i = 0; i < search->findings->count; i++) {
		const struct finding *item = &search->findings->list[i];

		blocks += item->stage == FINDING_STAGE_CONFIG && item->level < FINDING_WARNS;
	}
	return blocks;
}

/* Does a bind line name exactly this place, whatever is there? */
static bool is_named(const struct host *host, const struct plan_selector *bind,
		     const struct pci_address *addr)
{
	struct selector sel = bind->sel;

	if (pci_resolve(host->root.fd, &sel) || selector_needs_scan(&sel))
		return false;
	return sel.kind == SELECTOR_SLOT ? pci_address_same_slot(&sel.addr, addr) :
					   pci_address_equal(&sel.addr, addr);
}

static bool names_unreadable(const struct host *host, const struct plan_selector *bind)
{
	for (size_t i = 0; i < host->unreadables; i++)
		if (is_named(host, bind, &host->unreadable[i].addr))
			return true;
	return false;
}

static void find_unreadable(struct search *search, const struct host_unreadable *fn)
{
	const struct host *host = search->host;
	unsigned int maybe = host->plan.binds;
	char addr[PCI_ADDRESS_SIZE];
	struct find_line line;

	pci_address_format(&fn->addr, addr);
	for (unsigned int i = 0; i < host->plan.binds; i++) {
		const struct plan_selector *bind = &host->plan.bind[i];

		if (is_named(host, bind, &fn->addr)) {
			finding_add(search->findings, FINDING_FN_UNREADABLE, addr,
				    strerror(-fn->error),
				    find_line(search, COMPILER_BIND, i, &line)->both, NULL);
			return;
		}
		if (selector_needs_scan(&bind->sel))
			maybe = i;
	}
	if (maybe < host->plan.binds)
		finding_add(search->findings, FINDING_FN_MAYBE_UNREADABLE, addr,
			    strerror(-fn->error),
			    find_line(search, COMPILER_BIND, maybe, &line)->both, NULL);
}

/* The except line that names a function. */
static unsigned int find_except(const struct host *host, const struct pci_function *fn)
{
	unsigned int i = 0;

	while (i < host->plan.excepts &&
	       pci_match(&host->plan.except[i].sel, fn) == SELECTOR_DIFFERS)
		i++;
	return i;
}

/*
 * Does the selector match a function, and is each match in an except line?
 * @is_in: gets which except lines those are
 */
static bool is_excepted(const struct host *host, const struct plan_selector *bind,
			bool is_in[PLAN_MAX_EXCEPTS])
{
	unsigned int excepted = 0;

	memset(is_in, false, PLAN_MAX_EXCEPTS * sizeof(*is_in));
	for (unsigned int i = 0; i < host->table.candidates; i++) {
		const struct pci_function *fn = &host->table.fn[i];
		unsigned int except;

		if (pci_match(&bind->sel, fn) == SELECTOR_DIFFERS)
			continue;
		if (host->decisions.verdict[i].reason != REASON_EXCEPT)
			return false;
		except = find_except(host, fn);
		if (except < host->plan.excepts)
			is_in[except] = true;
		excepted++;
	}
	return excepted;
}

/* The same selector a second time on one line. */
static bool is_repeated(const struct search *search, unsigned int bind)
{
	struct find_line line, other;

	find_line(search, COMPILER_BIND, bind, &line);
	for (unsigned int i = 0; i < bind; i++)
		if (!strcmp(find_line(search, COMPILER_BIND, i, &other)->both, line.both))
			return true;
	return false;
}

static void find_excepted(struct search *search, unsigned int bind)
{
	const struct host *host = search->host;
	bool is_in[PLAN_MAX_EXCEPTS];
	struct find_line line, except;
	char *places = NULL;
	size_t size;
	FILE *out;

	if (!is_excepted(host, &host->plan.bind[bind], is_in) || is_repeated(search, bind))
		return;
	out = open_memstream(&places, &size);
	for (unsigned int i = 0, found = 0; i < host->plan.excepts && out; i++)
		if (is_in[i])
			fprintf(out, "%s%s", found++ ? ", " : "",
				find_line(search, COMPILER_EXCEPT, i, &except)->both);
	if (!out || fclose(out)) {
		search->findings->failed = true;
	} else {
		find_line(search, COMPILER_BIND, bind, &line);
		finding_add(search->findings, FINDING_BIND_EXCEPTED, line.where, line.text, places,
			    NULL);
	}
	free(places);
}

static void find_absent(struct search *search, unsigned int bind)
{
	const struct host *host = search->host;
	const struct plan_selector *item = &host->plan.bind[bind];
	struct find_line line;

	if (item->sel.kind == SELECTOR_VF || host->decisions.matched[bind] ||
	    names_unreadable(host, item) || is_repeated(search, bind))
		return;
	find_line(search, COMPILER_BIND, bind, &line);
	finding_add(search->findings, FINDING_NO_FUNCTION, line.where, line.text, NULL);
}

enum finding_code findings_undone(const struct root *root)
{
	return state_is(root, STATE_UNFINISHED) ? FINDING_UNDO_UNFINISHED : FINDING_UNDONE;
}

void find_config(struct search *search)
{
	const struct host *host = search->host;
	const struct plan *plan = &host->plan;
	char lines[16], vfs[32] = "";

	if (*host->problem.text) {
		finding_add(search->findings, FINDING_CONFIG_UNUSABLE, "config", host->problem.text,
			    host->problem.fix, NULL);
		return;
	}
	for (unsigned int i = 0; i < plan->losts; i++)
		find_in_lost(search, plan->lost[i]);
	for (unsigned int i = 0; i < plan->binds; i++)
		find_absent(search, i);
	for (unsigned int i = 0; i < plan->binds; i++)
		find_excepted(search, i);
	for (size_t i = 0; i < host->unreadables; i++)
		find_unreadable(search, &host->unreadable[i]);
	if (host->is_undone)
		finding_add(search->findings, findings_undone(&host->root), "config", NULL);
	else if (plan_is_empty(plan) && !count_blocks(search))
		finding_add(search->findings, FINDING_NO_BIND_LINE, "config", NULL);
	find_vfs(search);
	find_sets(search);
	find_refusals(search);
	if (!count_blocks(search)) {
		snprintf(lines, sizeof(lines), "%u", plan->bind_lines);
		if (plan->vfs)
			snprintf(vfs, sizeof(vfs), ", %u vfs line%s", plan->vfs,
				 plan->vfs == 1 ? "" : "s");
		finding_add(search->findings, FINDING_CONFIG_OK, "", lines,
			    plan->bind_lines == 1 ? "" : "s", vfs, NULL);
	}
	find_in_notes(search);
}
