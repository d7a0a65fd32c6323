// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes lines of the config from recipes; see import_ids.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands/candidate.h"
#include "commands/import_ids.h"
#include "plan/plan.h"
#include "util/ids.h"
#include "util/message.h"

char *import_where(const struct recipe *recipe, char *buf)
{
	snprintf(buf, IMPORT_WHERE_SIZE, recipe->line ? "%s:%u" : "%s", recipe->file, recipe->line);
	return buf;
}

/* Does the boot refuse it for itself or for a line of the config, and not for the rest of its group? */
static bool is_own_reason(enum reason reason)
{
	switch (reason) {
	case REASON_EXCEPT:
	case REASON_ID_CHANGED:
	case REASON_NO_PATH:
	case REASON_BRIDGE:
	case REASON_PROTECTED:
	case REASON_BOOT_VGA:
		return true;
	default:
		return false;
	}
}

/*
 * Does the config hand it over? Not with a line that the boot refuses: one whose ID was another
 * device's, or beside an except line. The IOMMU and the rest of its group may still change.
 */
static bool is_named(const struct host *host, const struct host_function *fn)
{
	return host_is_named(host, fn) && !is_own_reason(host->decisions.verdict[fn->place].reason);
}

static bool is_same_id(const struct selector *sel, const struct pci_id *id)
{
	return sel->kind == SELECTOR_ID && !memcmp(&sel->id, id, sizeof(*id));
}

/* How much of an ID the config names. */
enum named {
	NAMED_NONE,
	NAMED_SOME, /* some of its functions, in another way */
	NAMED_ALL,  /* the ID, or every function with it */
};

static enum named named_id(const struct import *import, const struct pci_id *id)
{
	const struct host *host = import->host;
	unsigned int found = 0, named = 0;

	for (unsigned int i = 0; i < host->plan.binds; i++)
		if (is_same_id(&host->plan.bind[i].sel, id))
			return NAMED_ALL;
	for (size_t i = 0; i < host->count; i++) {
		if (!pci_id_matches(id, &host->fn[i].pci.id))
			continue;
		found++;
		named += is_named(host, &host->fn[i]);
	}
	if (!named)
		return NAMED_NONE;
	return found == named ? NAMED_ALL : NAMED_SOME;
}

/* Has this run added a line for it already? */
static bool is_added(struct import *import, const char *selector)
{
	char line[128];

	snprintf(line, sizeof(line), "bind %s\t", selector);
	fflush(import->out);
	return import->lines && strstr(import->lines, line);
}

static void add_line(struct import *import, const char *selector, const struct pci_id *id,
		     const char *from)
{
	char line[128], name[96];

	if (is_added(import, selector))
		return;
	snprintf(line, sizeof(line), "bind %s\t", selector);
	names_device(import->host->names, id, name, sizeof(name));
	fprintf(import->out, "%s# %s%sfrom %s\n", line, name, *name ? ", " : "", from);
	import->added++;
}

/*
 * Is there a reason in the function itself or in the config for the boot not to bind it, in
 * whatever way it is named? Without an IOMMU, or without the facts of the host, this is not known
 * yet.
 */
bool import_is_refused(const struct host *next, const struct pci_address *addr)
{
	const struct host_function *fn = host_find(next, addr);
	enum reason reason;

	if (!fn || fn->place == DECIDE_NO_INDEX)
		return false;
	reason = next->decisions.verdict[fn->place].reason;
	return is_own_reason(reason) || reason == REASON_GROUP || reason == REASON_GROUP_CLAIM;
}

static bool is_refused(const struct import *import, const struct host_function *fn)
{
	return import_is_refused(import->next, &fn->pci.addr);
}

static void leave_out(const struct import *import, const struct host_function *fn)
{
	import->is_left_out[fn - import->host->fn] = true;
}

static const char *fix_of(enum reason reason)
{
	switch (reason) {
	case REASON_EXCEPT:
		return "remove it from the except line, or delete it here";
	case REASON_BOOT_VGA:
		return "set boot-vga bind, or delete it here";
	case REASON_PROTECTED:
		return "delete it here; only if you know better, vfio-early add --force ";
	case REASON_ID_CHANGED:
		return "correct the bind line that names its address with another ID";
	default:
		return "delete it here, or vfio-early check after you have changed that";
	}
}

static void say_refused(const struct import *import, const struct host_function *fn,
			const char *from)
{
	const struct host_function *next = host_find(import->next, &fn->pci.addr);
	enum reason reason = import->next->decisions.verdict[next->place].reason;
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], why[512];

	leave_out(import, fn);
	message_error("%s: %s %s is left out, because it would not be bound: %s; fix: %s%s", from,
		      pci_address_format(&fn->pci.addr, addr), pci_id_format(&fn->pci.id, id),
		      host_why(import->next, next, why, sizeof(why)), fix_of(reason),
		      reason == REASON_PROTECTED ? addr : "");
}

/*
 * Reports the functions with an ID that the boot will refuse. Returns the number of the others.
 * @refused: is any of them?
 */
static unsigned int count_good(const struct import *import, const struct pci_id *id,
			       const char *from, bool *refused)
{
	unsigned int good = 0;

	*refused = false;
	for (size_t i = 0; i < import->host->count; i++) {
		const struct host_function *fn = &import->host->fn[i];

		if (!pci_id_matches(id, &fn->pci.id))
			continue;
		if (!is_refused(import, fn)) {
			good++;
			continue;
		}
		say_refused(import, fn, from);
		*refused = true;
	}
	return good;
}

/* "0000:01:00.0 0000:02:00.0": the functions that a rule matches now. */
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
 * A rule as the ID of a bind line, which has a subsystem or none, and no class. A class in the rule
 * does not matter if every function with that ID has this class. Returns 0; -EINVAL if no line has
 * the same meaning.
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

/* In the form of a bind line. @size: at least 2 * PCI_ID_SIZE */
static void write_id(const struct pci_id *id, char *text, size_t size)
{
	if (id->subvendor)
		snprintf(text, size, "%04x:%04x:%04x:%04x", id->vendor, id->device, id->subvendor,
			 id->subdevice);
	else
		pci_id_format(id, text);
}

static void leave_out_rule(struct import *import, const struct ids_rule *rule, const char *from)
{
	char today[1024];

	list_matches(import, rule, today, sizeof(today));
	if (*today)
		message_error("%s: %.*s is left out: no single bind line means the same; fix: "
			      "vfio-early add --only %s, which it takes today",
			      from, (int)rule->len, rule->text, today);
	else
		message_error("%s: %.*s is left out: no single bind line means the same, and it "
			      "takes nothing today; fix: delete it",
			      from, (int)rule->len, rule->text);
}

/*
 * "01:00.0": vfio-pci takes its first two numbers as an ID (drivers/vfio/pci/vfio_pci.c,
 * vfio_pci_fill_ids()).
 */
static bool is_address(const struct ids_rule *rule)
{
	char text[32];
	struct pci_address addr;

	return snprintf(text, sizeof(text), "%.*s", (int)rule->len, rule->text) <
		       (int)sizeof(text) &&
	       strchr(text, '.') && !pci_address_parse(text, &addr);
}

/* The config has taken a choice among twins: those it does not name are left to this host. */
static void leave_out_twins(const struct import *import, const struct pci_id *id, const char *from)
{
	for (size_t i = 0; i < import->host->count; i++) {
		const struct host_function *fn = &import->host->fn[i];
		char addr[PCI_ADDRESS_SIZE], text[PCI_ID_SIZE];

		if (!pci_id_matches(id, &fn->pci.id) || is_named(import->host, fn) ||
		    is_refused(import, fn))
			continue;
		leave_out(import, fn);
		pci_address_format(&fn->pci.addr, addr);
		message_warn("%s: %s %s is left out: the config names another function with that "
			     "ID; to hand it over too: vfio-early add --only %s",
			     from, addr, pci_id_format(&fn->pci.id, text), addr);
	}
}

/* Writes "ADDRESS=ID". @text: of PCI_ADDRESS_SIZE + PCI_ID_SIZE */
static void write_address(const struct host_function *fn, char *text)
{
	char id[PCI_ID_SIZE];

	pci_address_format(&fn->pci.addr, text);
	strcat(text, "=");
	strcat(text, pci_id_format(&fn->pci.id, id));
}

/* An ID in the config would name those that the boot refuses too, and check would have them deleted. */
static void add_addresses(struct import *import, const struct pci_id *id, const char *written,
			  const char *from)
{
	message_warn("%s: a line for the ID %s would name what is left out too, so each of the "
		     "others with it gets a line of its own",
		     from, written);
	for (size_t i = 0; i < import->host->count; i++) {
		const struct host_function *fn = &import->host->fn[i];
		char text[PCI_ADDRESS_SIZE + PCI_ID_SIZE];

		if (!pci_id_matches(id, &fn->pci.id) || is_refused(import, fn))
			continue;
		write_address(fn, text);
		add_line(import, text, &fn->pci.id, from);
	}
}

static bool import_rule(struct import *import, const struct ids_rule *rule, const char *from)
{
	char text[2 * PCI_ID_SIZE];
	bool is_whole = !rule->has_rest, refused;
	enum named named;
	unsigned int good;
	struct pci_id id;

	if (rule->has_rest && is_address(rule)) {
		message_error("%s: %.*s is an address, not an ID, so it is left out; fix: "
			      "vfio-early add %.*s",
			      from, (int)rule->len, rule->text, (int)rule->len, rule->text);
		return false;
	}
	if (make_id(import, rule, &id)) {
		leave_out_rule(import, rule, from);
		return false;
	}
	write_id(&id, text, sizeof(text));
	good = count_good(import, &id, from, &refused);
	is_whole &= !refused;
	named = named_id(import, &id);
	for (size_t i = 0; i < import->host->count; i++) {
		const struct host_function *fn = &import->host->fn[i];

		import->is_taken[i] |= pci_id_matches(&id, &fn->pci.id) &&
				       (named != NAMED_SOME || is_named(import->host, fn)) &&
				       !is_refused(import, fn);
	}
	if (named == NAMED_SOME) {
		leave_out_twins(import, &id, from);
	} else if (good && named == NAMED_NONE && refused) {
		add_addresses(import, &id, text, from);
	} else if (good && named == NAMED_NONE) {
		if (good > 1 && !is_added(import, text))
			message_warn("%u functions have the ID %s: to take one of them, put its "
				     "address into the config instead (vfio-early add ADDRESS)",
				     good, text);
		add_line(import, text, &id, from);
	} else if (!good && is_whole && named == NAMED_NONE) {
		message_error("%s: no function has the ID %s today, so it is left out; fix: delete "
			      "it, or import again when the device is there",
			      from, text);
		is_whole = false;
	}
	if (rule->has_rest)
		message_error("%s: of %.*s only %04x:%04x counts, so the rest is left out; fix: "
			      "IDs stand between commas, without blanks",
			      from, (int)rule->len, rule->text, id.vendor, id.device);
	return is_whole;
}

static bool import_ids(struct import *import, const struct recipe *recipe, const char *from)
{
	const char *pos = recipe->value, *end = pos + strlen(pos);
	bool is_whole = true;
	struct ids_rule rule;
	int ret;

	while ((ret = ids_next(&pos, end, &rule))) {
		if (ret < 0)
			message_error("%s: %.*s is not a valid ID, so it is left out", from,
				      (int)rule.len, rule.text);
		if (ret < 0 || !import_rule(import, &rule, from))
			is_whole = false;
	}
	return is_whole;
}

static bool import_driverctl(struct import *import, const struct recipe *recipe, const char *from)
{
	char text[PCI_ADDRESS_SIZE + PCI_ID_SIZE];
	const struct host_function *fn;
	struct pci_address addr;

	if (!recipe->address || pci_address_parse(recipe->address, &addr))
		return false; /* does not happen: recipes_find() accepts no other */
	fn = host_find(import->host, &addr);
	if (!fn) {
		message_error("%s: no function is at that address today, so it is left out", from);
		return false;
	}
	if (is_refused(import, fn)) {
		say_refused(import, fn, from);
		return false;
	}
	import->is_taken[fn - import->host->fn] = true;
	if (is_named(import->host, fn))
		return true;
	write_address(fn, text);
	add_line(import, text, &fn->pci.id, from);
	return true;
}

static bool is_driverctl(const struct recipe *recipe)
{
	return recipe->kind == RECIPE_DRIVERCTL;
}

static bool gives_devices(const struct recipe *recipe)
{
	return recipe->state == RECIPE_IN_FORCE && (is_driverctl(recipe) || recipe_is_ids(recipe));
}

/* Writes a bind line for every part of it that can be one. */
static void write_wanted(const struct import *import, const struct recipe *recipe, FILE *out)
{
	const char *pos = recipe->value, *end = pos + strlen(pos);
	const struct host_function *fn;
	struct pci_address addr;
	struct ids_rule rule;
	char text[PCI_ADDRESS_SIZE + 2 * PCI_ID_SIZE];
	struct pci_id id;
	int ret;

	if (is_driverctl(recipe)) {
		fn = recipe->address && !pci_address_parse(recipe->address, &addr) ?
			     host_find(import->host, &addr) :
			     NULL;
		if (fn) {
			write_address(fn, text);
			fprintf(out, "bind %s\n", text);
		}
		return;
	}
	while ((ret = ids_next(&pos, end, &rule))) {
		if (ret < 0 || make_id(import, &rule, &id))
			continue;
		write_id(&id, text, sizeof(text));
		fprintf(out, "bind %s\n", text);
	}
}

int import_open_next(struct import *import)
{
	char *lines = NULL, *compiled = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);
	int ret = out ? 0 : -ENOMEM;

	for (size_t i = 0; i < import->recipes.count && out; i++)
		if (gives_devices(&import->recipes.list[i]))
			write_wanted(import, &import->recipes.list[i], out);
	if (out && fclose(out))
		ret = -ENOMEM;
	if (!ret)
		ret = compiler_plan(import->host->compiler, NULL, &compiled, &size);
	if (!ret)
		ret = candidate_open(import->host, compiled, lines, &import->next);
	free(compiled);
	free(lines);
	return ret;
}

/*
 * "install vfio-pci ...; modprobe -i vfio-pci ids=...": a command that is not fully understood,
 * with IDs in it.
 */
static bool has_hidden_ids(const struct recipe *recipe)
{
	return recipe->state == RECIPE_IN_FORCE && recipe->kind == RECIPE_INSTALL_VFIO &&
	       !*recipe->value && strstr(recipe->text, "ids=");
}

static void leave_out_install(struct import *import, const struct recipe *recipe)
{
	char from[IMPORT_WHERE_SIZE];

	import->givers++;
	import->is_incomplete = true;
	message_error(
		"%s: the IDs in it are left out, as the line does more than load vfio-pci with "
		"them; fix: vfio-early add ADDRESS for what it names, then delete it",
		import_where(recipe, from));
}

void import_make_lines(struct import *import)
{
	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		char from[IMPORT_WHERE_SIZE];

		/* These may be passed to the kernel; that is not known. */
		import->is_incomplete |= recipe->kind == RECIPE_LOADER_FILE ||
					 recipe->kind == RECIPE_LOADER_UNREAD ||
					 (recipe->state == RECIPE_NOT_KNOWN &&
					  recipe_is_ids(recipe));
		if (has_hidden_ids(recipe))
			leave_out_install(import, recipe);
		if (!gives_devices(recipe))
			continue;
		import_where(recipe, from);
		import->givers++;
		import->is_done[i] = is_driverctl(recipe) ? import_driverctl(import, recipe, from) :
							    import_ids(import, recipe, from);
		import->is_incomplete |= !import->is_done[i];
	}
}
