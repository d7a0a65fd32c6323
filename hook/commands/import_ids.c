// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the config out of recipes; see import_ids.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands/import_ids.h"
#include "util/ids.h"
#include "util/message.h"

char *import_where(const struct recipe *recipe, char *buf)
{
	snprintf(buf, IMPORT_WHERE_SIZE, recipe->line ? "%s:%u" : "%s", recipe->file, recipe->line);
	return buf;
}

static bool is_in_config(const struct host *host, const struct host_function *fn)
{
	return fn->place != DECIDE_NO_INDEX && fn->place < (int)host->table.candidates;
}

static bool is_same_id(const struct selector *sel, const struct pci_id *id)
{
	return sel->kind == SELECTOR_ID && !memcmp(&sel->id, id, sizeof(*id));
}

/* Has the config this ID, or every function that has it by another name? */
static bool is_named_id(const struct import *import, const struct pci_id *id)
{
	const struct host *host = import->host;
	unsigned int found = 0, named = 0;

	for (unsigned int i = 0; i < host->plan.binds; i++)
		if (is_same_id(&host->plan.bind[i].sel, id))
			return true;
	for (size_t i = 0; i < host->count; i++) {
		if (!pci_id_matches(id, &host->fn[i].pci.id))
			continue;
		found++;
		named += is_in_config(host, &host->fn[i]);
	}
	return found && found == named;
}

static void add_line(struct import *import, const char *selector, const struct pci_id *id,
		     const char *from)
{
	char line[128], name[96];

	snprintf(line, sizeof(line), "bind %s\t", selector);
	fflush(import->out);
	if (import->lines && strstr(import->lines, line))
		return;
	names_device(import->host->names, id, name, sizeof(name));
	fprintf(import->out, "%s# %s%sfrom %s\n", line, name, *name ? ", " : "", from);
	import->added++;
}

/* A protected function, or one that no longer fits, is refused at boot; say so now. */
static void warn_id(struct import *import, const struct pci_id *id)
{
	char text[PCI_ID_SIZE], addr[PCI_ADDRESS_SIZE];
	unsigned int found = 0;

	pci_id_format(id, text);
	for (size_t i = 0; i < import->host->count; i++) {
		const struct host_function *fn = &import->host->fn[i];
		const char *protect = host_protect(import->host, fn);

		if (!pci_id_matches(id, &fn->pci.id))
			continue;
		found++;
		if (protect)
			message_warn("%s has the ID %s and %s: it will not be bound",
				     pci_address_format(&fn->pci.addr, addr), text, protect);
	}
	if (!found)
		message_warn("no function has the ID %s today", text);
	if (found > 1)
		message_warn(
			"%u functions have the ID %s: to take one of them, put its address into "
			"the config instead (vfio-early add)",
			found, text);
}

/* "0000:01:00.0 0000:02:00.0", those that a rule takes today. */
static void list_matches(const struct import *import, const struct ids_rule *rule, char *buf,
			 size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < import->host->count; i++) {
		const struct pci_function *fn = &import->host->fn[i].pci;
		char addr[PCI_ADDRESS_SIZE];

		if (ids_match(rule, &fn->id, fn->class) && len + PCI_ADDRESS_SIZE + 1 < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? " " : "",
						pci_address_format(&fn->addr, addr));
	}
}

/*
 * A rule as the ID of a bind line, which has a subsystem or none, and no class. A class in the rule is
 * no hindrance while each function with that ID has it. Returns 0, or -EINVAL: no line says the same.
 */
static int make_id(const struct import *import, const struct ids_rule *rule, struct pci_id *id)
{
	bool has_subsystem = rule->subvendor != IDS_ANY || rule->subdevice != IDS_ANY;

	if (!rule->vendor || rule->vendor > 0xffff || rule->device > 0xffff)
		return -EINVAL;
	if (has_subsystem &&
	    (!rule->subvendor || rule->subvendor > 0xffff || rule->subdevice > 0xffff))
		return -EINVAL;
	*id = (struct pci_id){ .vendor = (uint16_t)rule->vendor, .device = (uint16_t)rule->device };
	if (has_subsystem) {
		id->subvendor = (uint16_t)rule->subvendor;
		id->subdevice = (uint16_t)rule->subdevice;
	}
	for (size_t i = 0; i < import->host->count; i++) {
		const struct pci_function *fn = &import->host->fn[i].pci;

		if (pci_id_matches(id, &fn->id) && !ids_match(rule, &fn->id, fn->class))
			return -EINVAL;
	}
	return 0;
}

static void leave_out_rule(struct import *import, const struct ids_rule *rule, const char *from)
{
	char today[1024];

	list_matches(import, rule, today, sizeof(today));
	if (*today)
		message_error("%s: %.*s is left out: no single bind line says the same; fix: "
			      "vfio-early add --only %s, which it takes today",
			      from, (int)rule->len, rule->text, today);
	else
		message_error("%s: %.*s is left out: no single bind line says the same; it takes "
			      "nothing today; fix: delete it",
			      from, (int)rule->len, rule->text);
}

static bool import_rule(struct import *import, const struct ids_rule *rule, const char *from)
{
	char text[2 * PCI_ID_SIZE];
	struct pci_id id;

	if (make_id(import, rule, &id)) {
		leave_out_rule(import, rule, from);
		return false;
	}
	for (size_t i = 0; i < import->host->count; i++)
		import->is_taken[i] |= pci_id_matches(&id, &import->host->fn[i].pci.id);
	if (!is_named_id(import, &id)) {
		warn_id(import, &id);
		pci_id_format(&id, text);
		if (id.subvendor)
			snprintf(text, sizeof(text), "%04x:%04x:%04x:%04x", id.vendor, id.device,
				 id.subvendor, id.subdevice);
		add_line(import, text, &id, from);
	}
	if (rule->has_rest)
		message_error("%s: of %.*s only %04x:%04x counts, so the rest is left out; fix: "
			      "IDs stand between commas, without blanks",
			      from, (int)rule->len, rule->text, id.vendor, id.device);
	return !rule->has_rest;
}

static bool import_ids(struct import *import, const struct recipe *recipe, const char *from)
{
	const char *pos = recipe->value, *end = pos + strlen(pos);
	bool is_whole = true;
	struct ids_rule rule;
	int ret;

	while ((ret = ids_next(&pos, end, &rule))) {
		if (ret < 0)
			message_error("%s: %.*s is no ID, so it is left out", from, (int)rule.len,
				      rule.text);
		if (ret < 0 || !import_rule(import, &rule, from))
			is_whole = false;
	}
	return is_whole;
}

static bool import_driverctl(struct import *import, const struct recipe *recipe, const char *from)
{
	char text[PCI_ADDRESS_SIZE + PCI_ID_SIZE], id[PCI_ID_SIZE];
	const struct host_function *fn;
	struct pci_address addr;

	if (!recipe->address || pci_address_parse(recipe->address, &addr))
		return false; /* not so: recipes_find() takes no other */
	fn = host_find(import->host, &addr);
	if (!fn) {
		message_error("%s: no function is at that address today, so it is left out", from);
		return false;
	}
	import->is_taken[fn - import->host->fn] = true;
	if (is_in_config(import->host, fn))
		return true;
	pci_address_format(&addr, text);
	strcat(text, "=");
	strcat(text, pci_id_format(&fn->pci.id, id));
	if (host_protect(import->host, fn))
		message_warn("%s %s: it will not be bound", recipe->address,
			     host_protect(import->host, fn));
	add_line(import, text, &fn->pci.id, from);
	return true;
}

void import_make_lines(struct import *import)
{
	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		bool is_driverctl = recipe->kind == RECIPE_DRIVERCTL &&
				    !strcmp(recipe->value, "vfio-pci");
		char from[IMPORT_WHERE_SIZE];

		if (recipe->state != RECIPE_IN_FORCE || (!is_driverctl && !recipe_is_ids(recipe)))
			continue;
		import_where(recipe, from);
		import->givers++;
		import->is_done[i] = is_driverctl ? import_driverctl(import, recipe, from) :
						    import_ids(import, recipe, from);
		import->is_incomplete |= !import->is_done[i];
	}
}
