// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early add: writes bind lines for the functions of a card into the config. Each line is tried
 * before it is written (candidate.h), and what the boot would refuse is refused here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/add_vfs.h"
#include "commands/candidate.h"
#include "commands/change.h"
#include "commands/command.h"
#include "config/bindlines.h"
#include "findings/findings.h"
#include "findings/show.h"
#include "host/names.h"
#include "host/naming.h"
#include "host/next_boot.h"
#include "plan/plan.h"
#include "util/message.h"

struct add {
	struct change change;
	struct host *next;  /* this host, decided with the candidate config */
	struct host *tried; /* the same with the new lines, once they were tried */
	int argc;	    /* what the user named */
	char **argv;
	int other_id; /* 1 + the last line of which it was said that it has another ID */
};

/* Writes the selector of a function, as in the config. */
static int write_selector(const struct change *change, const struct pci_function *fn, char *text)
{
	char id[PCI_ID_SIZE], where[CHANGE_SELECTOR_SIZE];
	int ret = 0;

	pci_id_format(&fn->id, id);
	if (change->by == CHANGE_BY_ID) {
		snprintf(text, CHANGE_SELECTOR_SIZE, "%s", id);
		return 0;
	}
	if (change->by == CHANGE_BY_PATH)
		ret = pci_path(change->host->root.fd, &fn->addr, where,
			       sizeof(where) - PCI_ID_SIZE);
	else
		pci_address_format(&fn->addr, where);
	if (!ret &&
	    snprintf(text, CHANGE_SELECTOR_SIZE, "%s=%s", where, id) >= CHANGE_SELECTOR_SIZE)
		ret = -ENAMETOOLONG;
	return ret;
}

enum outcome {
	OUTCOME_FINE,
	OUTCOME_LATER,	  /* it cannot be bound yet; the reason is not the function */
	OUTCOME_BLOCKED,  /* --force overrides it */
	OUTCOME_HOPELESS, /* nothing overrides it */
};

static enum outcome judge(enum reason reason)
{
	switch (reason) {
	case REASON_NONE:
	case REASON_FORCED:
	case REASON_CLAIMED:
	case REASON_ALREADY:
	case REASON_VARIANT:
		return OUTCOME_FINE;
	case REASON_NO_IOMMU:
	case REASON_NO_GROUP:
	case REASON_NOIOMMU:
	/* Only the running host knows what it needs: the plan of its own image decides. */
	case REASON_FACTS:
		return OUTCOME_LATER;
	case REASON_BRIDGE:
		return OUTCOME_HOPELESS;
	case REASON_EXCEPT:
	case REASON_PROTECTED:
	case REASON_BOOT_VGA:
	case REASON_VFS:
	case REASON_GROUP:
	case REASON_GROUP_CLAIM:
	case REASON_ID_CHANGED:
	default:
		break;
	}
	return OUTCOME_BLOCKED;
}

/* Did the user give the address of this function, or only its slot or group? */
static bool is_written(const struct add *add, const struct pci_function *fn)
{
	const struct host *host = add->change.host;

	for (int i = 0; i < add->argc; i++) {
		struct selector sel;

		if (!slot_parse(host, add->argv[i], &sel) && !pci_resolve(host->root.fd, &sel) &&
		    sel.kind == SELECTOR_ADDRESS && pci_address_equal(&sel.addr, &fn->addr))
			return true;
	}
	return false;
}

/* What a function has to do with those that the user named. */
enum beside {
	BESIDE_NONE,  /* it was named itself, or is of no slot of theirs */
	BESIDE_SLOT,  /* of a slot of theirs, with a group of its own: it may stay */
	BESIDE_GROUP, /* without it no VM gets the others */
};

static enum beside beside(const struct add *add, const struct pci_address *addr)
{
	const struct slot *slot = &add->change.slot;
	const struct pci_function *fn = NULL;
	enum beside is = BESIDE_NONE;

	for (size_t i = 0; i < slot->count; i++)
		if (pci_address_equal(&slot->fn[i].addr, addr))
			fn = &slot->fn[i];
	if (!fn || is_written(add, fn))
		return BESIDE_NONE;
	for (size_t i = 0; i < slot->count; i++) {
		const struct pci_function *other = &slot->fn[i];

		if (!pci_address_same_slot(&other->addr, addr) || !is_written(add, other))
			continue;
		if (fn->group < 0 || fn->group == other->group)
			return BESIDE_GROUP;
		is = BESIDE_SLOT;
	}
	return is;
}

#define FIX_ONLY "; fix: --only takes just what you named"

static const char *next_step(const struct add *add, const struct pci_function *fn,
			     enum reason reason)
{
	enum beside is = beside(add, &fn->addr);

	if (is == BESIDE_SLOT &&
	    (reason == REASON_EXCEPT || reason == REASON_BOOT_VGA || reason == REASON_PROTECTED))
		return FIX_ONLY;
	switch (reason) {
	case REASON_EXCEPT:
		return "; fix: remove it from the except line";
	case REASON_BRIDGE:
		return "";
	case REASON_BOOT_VGA:
		return "; fix: boot-vga bind in the config";
	case REASON_GROUP:
		if (next_boot_can_name_group(add->next, host_find(add->next, &fn->addr)))
			return "; fix: --group takes the whole group";
		return "; fix: put the card into another slot, or move what is in its way";
	case REASON_PROTECTED:
		if (is == BESIDE_GROUP)
			return "; fix: put the card into another slot";
		return "; --force takes it anyway: make sure that you can get back in";
	default:
		return "; --force writes the line anyway";
	}
}

static const struct verdict *find_verdict(const struct add *add, const struct pci_function *fn)
{
	const struct host_function *mine = host_find(add->next, &fn->addr);

	if (!mine || mine->place == DECIDE_NO_INDEX)
		return NULL;
	return &add->next->decisions.verdict[mine->place];
}

/* Is it a virtual function that the next boot does not make? Reports that. */
static bool is_unmade(const struct add *add, const struct pci_function *fn)
{
	const struct host_function *mine = host_find(add->next, &fn->addr);
	char addr[PCI_ADDRESS_SIZE], why[512], fix[NEXT_BOOT_FIX_SIZE], link[64];
	struct pci_address pf;

	if (!mine || !mine->is_not_made)
		return false;
	pci_address_format(&fn->addr, addr);
	next_boot_why(add->next, mine, why, sizeof(why), fix, sizeof(fix));
	if (!pci_address_parse(host_link(add->next, mine, "physfn", link, sizeof(link)), &pf) &&
	    slot_has(&add->change.slot, &pf))
		snprintf(fix, sizeof(fix), "name %s or its virtual functions, not both", link);
	if (add->change.force)
		message_warn("%s: %s: written all the same; fix: %s", addr, why, fix);
	else
		message_error("%s: %s; fix: %s; --force writes the line anyway", addr, why, fix);
	return !add->change.force;
}

/* Reports what blocks one function. Returns whether a line for it may be written. */
static bool may_write(const struct add *add, const struct pci_function *fn, bool *bang)
{
	const struct verdict *verdict = find_verdict(add, fn);
	char addr[PCI_ADDRESS_SIZE], why[512];
	enum outcome outcome;

	*bang = false;
	pci_address_format(&fn->addr, addr);
	if (!verdict) {
		message_error("%s cannot be read", addr);
		return false;
	}
	if (host_is_nvidia_vf(add->next, host_find(add->next, &fn->addr))) {
		message_error(
			"%s stays with the driver nvidia, which makes a vGPU of it: on vfio-pci "
			"it is of no use; fix: vfio-early vgpu lists its types, vfio-early vm "
			"VMID --mdev nvidia-N %s gives it to a VM",
			addr, addr);
		return false;
	}
	if (is_unmade(add, fn))
		return false;
	outcome = judge(verdict->reason);
	host_why(add->next, host_find(add->next, &fn->addr), why, sizeof(why));
	if (outcome == OUTCOME_LATER)
		message_warn("%s cannot be bound yet: %s", addr, why);
	if (outcome == OUTCOME_FINE || outcome == OUTCOME_LATER)
		return true;
	if (outcome == OUTCOME_HOPELESS || !add->change.force) {
		message_error("%s would be refused at boot: %s%s", addr, why,
			      next_step(add, fn, verdict->reason));
		return false;
	}
	message_warn("%s: %s%s", addr, why,
		     verdict->reason == REASON_PROTECTED ?
			     ": written as bind!, which takes it away from the host" :
			     ": the boot refuses it as long as this is so");
	*bang = verdict->reason == REASON_PROTECTED;
	return true;
}

/* The virtual functions of one that lines name by themselves, by address or ID. Returns their number. */
static size_t list_named_vfs(const struct add *add, const struct pci_address *addr,
			     struct slot *list)
{
	const struct host *next = add->next;
	const struct host_function *pf = host_find(next, addr);

	for (size_t i = 0; i < next->count && pf; i++) {
		const struct host_function *fn = &next->fn[i];

		if (host_is_vf_of(next, fn, pf) && host_is_named(next, fn))
			naming_add_one(next, &fn->pci.addr, list);
	}
	return list->count;
}

/* Do lines make or bind virtual functions of it? On vfio-pci it has none. */
static bool has_vf_lines(const struct add *add, const struct pci_address *addr)
{
	struct slot list = { 0 };
	bool has = host_vfs(add->next, addr) || host_binds_vfs(add->next, addr) ||
		   list_named_vfs(add, addr, &list);

	slot_free(&list);
	return has;
}

static const char *by_option(const struct change *change)
{
	static const char *const options[] = { "", "--by path ", "--by id " };

	return options[change->by];
}

/*
 * What takes the lines for virtual functions away and then writes what was asked for; one that a line by
 * ID would take with them is not to be bound at all.
 */
static char *fix_vf_lines(const struct add *add, const struct host_function *fn)
{
	const struct slot *slot = &add->change.slot;
	char name[NAMING_SIZE], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (!slot_has(slot, &fn->pci.addr)) {
		fputs("leave out --by id", out);
	} else {
		struct slot list = { 0 };
		const char *remove = "vfio-early remove";

		for (size_t i = 0; i < slot->count; i++) {
			char addr[PCI_ADDRESS_SIZE];

			if (host_vfs(add->next, &slot->fn[i].addr) ||
			    host_binds_vfs(add->next, &slot->fn[i].addr)) {
				fprintf(out, "%s vf:%s", remove,
					pci_address_format(&slot->fn[i].addr, addr));
				remove = "";
			}
			list_named_vfs(add, &slot->fn[i].addr, &list);
		}
		/* Those that vf: names are gone with it. */
		if (*remove && list.count)
			fputs(naming_remove(add->next, &list, name), out);
		slot_free(&list);
		fprintf(out, ", then %s",
			naming_add(add->next, slot, by_option(&add->change), name));
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

/*
 * On vfio-pci a function makes no virtual ones, so a line for them contradicts one for itself. Reports
 * that. Returns whether a line for the function may be written.
 */
static bool may_lose_vfs(const struct add *add, const struct host_function *fn)
{
	const struct plan_vfs *vfs = host_vfs(add->next, &fn->pci.addr);
	char addr[PCI_ADDRESS_SIZE], what[64] = "binds its virtual functions", *fix;

	if (!has_vf_lines(add, &fn->pci.addr))
		return true;
	pci_address_format(&fn->pci.addr, addr);
	if (vfs)
		snprintf(what, sizeof(what), "makes %u virtual function%s of it", vfs->number,
			 vfs->number == 1 ? "" : "s");
	if (add->change.force) {
		message_warn("%s: the config %s, and on vfio-pci it has none: written all the same",
			     addr, what);
		return true;
	}
	if (beside(add, &fn->pci.addr) == BESIDE_SLOT) {
		message_error("%s: the config %s, and on vfio-pci it has none" FIX_ONLY, addr,
			      what);
		return false;
	}
	fix = fix_vf_lines(add, fn);
	message_error("%s: the config %s, and on vfio-pci it has none; fix: %s; --force writes the "
		      "line anyway",
		      addr, what, fix ? fix : "out of memory");
	free(fix);
	return false;
}

/* The same for all that the new lines take; one with an ID takes more than what was named. */
static bool may_lose_all_vfs(const struct add *add)
{
	const struct slot *slot = &add->change.slot;
	bool may_all = true;

	for (size_t i = 0; i < add->next->count; i++) {
		const struct host_function *fn = &add->next->fn[i];
		const struct verdict *verdict = find_verdict(add, &fn->pci);
		bool is_meant = slot_has(slot, &fn->pci.addr);

		for (size_t j = 0; j < slot->count && add->change.by == CHANGE_BY_ID; j++)
			is_meant |= pci_id_matches(&slot->fn[j].id, &fn->pci.id);
		if (is_meant && verdict && verdict->decision != DECIDE_NOTHING &&
		    judge(verdict->reason) <= OUTCOME_LATER)
			may_all &= may_lose_vfs(add, fn);
	}
	return may_all;
}

/* Is it about an added function, its group, or the whole machine? */
static bool is_ours(const struct finding *finding, const void *arg)
{
	const struct slot *slot = arg;
	struct pci_address addr;

	for (size_t i = 0; i < slot->count; i++)
		if (finding->group >= 0 && finding->group == slot->fn[i].group)
			return true;
	if (finding->stage == FINDING_STAGE_MACHINE)
		return true;
	return !pci_address_parse(finding->subject, &addr) && slot_has(slot, &addr);
}

static int collect(struct add *add)
{
	int ret = findings_collect_check(add->next, NULL, &add->change.findings);

	findings_keep(&add->change.findings, is_ours, &add->change.slot);
	return ret;
}

/* Prints the findings about the functions, as `check` does. */
static void warn(const struct add *add)
{
	const struct findings *findings = &add->change.findings;

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];

		if (finding->group < 0 ||
		    (finding->stage != FINDING_STAGE_DEVICE && finding->stage != FINDING_STAGE_VM))
			continue;
		/* may_write() has already reported that it was forced. */
		if (finding_is(finding, FINDING_FORCED) || finding->level == FINDING_OK ||
		    (finding->level == FINDING_NOTES &&
		     !finding_is(finding, FINDING_GROUP_CLAIMED)))
			continue;
		message_warn("%s%s%s%s%s", finding->subject, *finding->subject ? ": " : "",
			     finding->text, *finding->fix ? "; fix: " : "", finding->fix);
	}
}

/* --- add: the lines */

/* Once of each line: it has another ID, and is not needed beside those that are added. */
static void warn_other_id(struct add *add, const struct pci_function *fn, int line)
{
	const struct host *next = add->next;
	char addr[PCI_ADDRESS_SIZE], fix[2 * NAMING_SIZE];
	struct slot from = { 0 };

	if (add->other_id == line + 1)
		return;
	add->other_id = line + 1;
	for (size_t i = 0; i < next->count; i++) {
		const struct host_function *other = &next->fn[i];

		if (other->place != DECIDE_NO_INDEX &&
		    next->decisions.verdict[other->place].reason == REASON_ID_CHANGED &&
		    next->decisions.verdict[other->place].bind == line)
			naming_add_one(next, &other->pci.addr, &from);
	}
	message_warn("%s: the config names it with another ID: %s; fix: %s",
		     pci_address_format(&fn->addr, addr), next->plan.bind[line].text,
		     naming_replace(next, &from, &add->change.slot, ", then ",
				    by_option(&add->change), fix));
	slot_free(&from);
}

/* Does a line name it already that matches, and that is a bind! line if one is needed? */
static bool is_named(struct add *add, const struct pci_function *fn, bool bang)
{
	const struct verdict *verdict = find_verdict(add, fn);

	if (!verdict || verdict->bind == DECIDE_NO_INDEX)
		return false;
	if (verdict->reason == REASON_ID_CHANGED) {
		warn_other_id(add, fn, verdict->bind);
		return false;
	}
	/* A line of another form may do what that one cannot: an address, in the boot VGA's slot. */
	if ((verdict->reason == REASON_BOOT_VGA || verdict->reason == REASON_FACTS ||
	     verdict->reason == REASON_NO_PATH) &&
	    host_next(add->tried, host_find(add->tried, &fn->addr)) == HOST_NEXT_VFIO)
		return false;
	return !bang || add->next->plan.bind[verdict->bind].force;
}

/*
 * Returns the number of lines to add, or -errno after printing an error.
 * @is_new: set for each function that gets one
 */
static int make_lines(struct add *add, const bool *bang, bool *is_new, char **lines)
{
	size_t size;
	FILE *out = open_memstream(lines, &size);
	int count = 0, ret = 0;

	if (!out)
		ret = -ENOMEM;
	for (size_t i = 0; i < add->change.slot.count && !ret; i++) {
		const struct pci_function *fn = &add->change.slot.fn[i];
		char text[CHANGE_SELECTOR_SIZE], line[CHANGE_SELECTOR_SIZE + 8], name[128];

		if (is_named(add, fn, bang[i]))
			continue;
		is_new[i] = true;
		ret = write_selector(&add->change, fn, text);
		snprintf(line, sizeof(line), "bind%s %s", bang[i] ? "!" : "", text);
		/* With --by id, two functions can have the same line. */
		fflush(out);
		if (!ret && !strstr(*lines, line)) {
			names_device(add->change.host->names, &fn->id, name, sizeof(name));
			fprintf(out, "%s%s%s\n", line, *name ? "\t# " : "", name);
		}
		count++;
	}
	if (out && fclose(out))
		ret = -ENOMEM;
	return ret ? message_errno(ret, "cannot write the lines") : count;
}

/*
 * A line for each function as it will be written; to be freed with free(). NULL after printing an
 * error. @bang: may be NULL
 */
static char *make_candidate(const struct change *change, const bool *bang)
{
	char *lines = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);
	int ret = out ? 0 : -ENOMEM;

	for (size_t i = 0; i < change->slot.count && !ret; i++) {
		const char *keyword = bang && bang[i] ? "bind!" : "bind";
		char text[CHANGE_SELECTOR_SIZE];

		if (change->by == CHANGE_BY_ADDRESS) {
			candidate_bind(change->host, &change->slot.fn[i], keyword, out);
			continue;
		}
		ret = write_selector(change, &change->slot.fn[i], text);
		if (!ret)
			fprintf(out, "%s %s\n", keyword, text);
	}
	if (out && fclose(out))
		ret = -ENOMEM;
	if (!ret)
		return lines;
	free(lines);
	message_errno(ret, "cannot write the lines");
	return NULL;
}

/* Sets add->next: the next boot with a line for each function. */
static int open_next(struct add *add, const char *compiled, const bool *bang)
{
	char *lines = make_candidate(&add->change, bang);
	int ret = lines ? candidate_open(add->change.host, compiled, lines, &add->next) : -ENOMEM;

	free(lines);
	return ret;
}

/* May all of them be written? @bang: set for each function that must be forced */
static int try_lines(struct add *add, const char *compiled, bool *bang)
{
	bool is_forced = false;
	int ret = open_next(add, compiled, NULL);

	if (ret)
		return ret;
	for (size_t i = 0; i < add->change.slot.count; i++) {
		add->change.is_refused |= !may_write(add, &add->change.slot.fn[i], &bang[i]);
		is_forced |= bang[i];
	}
	add->change.is_refused |= !may_lose_all_vfs(add);
	if (is_forced && !add->change.is_refused) {
		host_close(add->next);
		add->next = NULL;
		ret = open_next(add, compiled, bang);
	}
	if (!ret)
		ret = collect(add);
	if (!ret && add->change.is_refused) {
		message_error("nothing was written");
		return COMMAND_INCOMPLETE;
	}
	if (!ret)
		warn(add);
	return ret;
}

/*
 * A line with an ID takes every function with that ID. Reports those that only such a line takes. Returns
 * whether it may be written.
 */
static bool may_take_twins(const struct add *add, const bool *is_new)
{
	const struct host *tried = add->tried;
	const struct slot *slot = &add->change.slot;
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];
	bool may = true;

	for (size_t i = 0; i < tried->count; i++) {
		const struct host_function *twin = &tried->fn[i];
		size_t j = 0;

		while (j < slot->count &&
		       !(is_new[j] && pci_id_matches(&slot->fn[j].id, &twin->pci.id)))
			j++;
		if (j == slot->count || slot_has(slot, &twin->pci.addr) ||
		    host_next(tried, twin) != HOST_NEXT_VFIO ||
		    host_next(add->next, host_find(add->next, &twin->pci.addr)) == HOST_NEXT_VFIO)
			continue;
		pci_address_format(&twin->pci.addr, addr);
		pci_id_format(&twin->pci.id, id);
		if (add->change.force)
			message_warn("%s also has the ID %s and will be bound too", addr, id);
		else
			message_error("%s also has the ID %s and would be bound too; fix: leave out "
				      "--by id; --force writes the line anyway",
				      addr, id);
		may &= add->change.force;
	}
	return may;
}

static int add_lines(struct add *add, struct edit *edit)
{
	size_t size, count = add->change.slot.count;
	bool *bang = calloc(count, sizeof(*bang)), *is_new = calloc(count, sizeof(*is_new));
	char **lines = &add->change.lines, *compiled = NULL;
	int ret = bang && is_new ? plan_compile(&add->change.host->root, NULL, &compiled, &size) :
				   -ENOMEM;

	if (!ret)
		ret = try_lines(add, compiled, bang);
	if (ret)
		goto out;
	/* Now without the new lines: which functions does the config name already? */
	add->tried = add->next;
	add->next = NULL;
	ret = candidate_open(add->change.host, compiled, "", &add->next);
	if (!ret)
		ret = make_lines(add, bang, is_new, lines);
	if (ret > 0 && add->change.by == CHANGE_BY_ID && !may_take_twins(add, is_new)) {
		message_error("nothing was written");
		add->change.is_refused = true;
		free(*lines);
		*lines = NULL;
		ret = COMMAND_INCOMPLETE;
	} else if (ret > 0) {
		ret = bindlines_insert(edit, *lines);
	}
out:
	free(is_new);
	free(bang);
	free(compiled);
	return ret;
}

/*
 * Leaves out bridges that a slot or a group includes, mainly the ISA bridge beside its controllers:
 * the boot refuses them. If there is nothing else, they stay, and their refusal is reported.
 */
static void leave_out_bridges(struct add *add)
{
	struct slot *slot = &add->change.slot;
	char addr[PCI_ADDRESS_SIZE];
	size_t bridges = 0, kept = 0;

	for (size_t i = 0; i < slot->count; i++)
		bridges += pci_is_bridge(&slot->fn[i]);
	if (bridges == slot->count)
		return;
	for (size_t i = 0; i < slot->count; i++) {
		if (!pci_is_bridge(&slot->fn[i]) || is_written(add, &slot->fn[i])) {
			slot->asked[kept] = slot->asked[i];
			slot->fn[kept++] = slot->fn[i];
			continue;
		}
		message_warn("%s is a bridge and stays with the host: no line is written for it",
			     pci_address_format(&slot->fn[i].addr, addr));
	}
	slot->count = kept;
}

static int add_slots(struct add *add, int argc, char **argv)
{
	struct change *change = &add->change;
	struct edit edit = EDIT_NONE;
	int ret = 0;

	for (int i = 0; i < argc && !ret; i++)
		ret = slot_add(change->host, argv[i], change->scope, &change->slot);
	if (ret)
		return command_selected(ret) < 0 ? COMMAND_NOTHING : COMMAND_USAGE;
	add->argc = argc;
	add->argv = argv;
	leave_out_bridges(add);

	change_say_left(change, "add");
	ret = edit_open(&change->host->root, BINDLINES_FILE, &edit);
	if (!ret)
		ret = add_lines(add, &edit);
	if (!ret && !edit_is_changed(&edit)) {
		change_say_nothing(change);
	} else if (!ret) {
		ret = change_write(change, &edit);
		if (!ret)
			change_say_next(change);
	}
	edit_close(&edit);
	return ret < 0 ? COMMAND_NOTHING : ret;
}

static int run(void *arg, int argc, char **argv)
{
	struct add *add = arg;
	int ret = add->change.vfs ? add_vfs(&add->change, argc, argv) : add_slots(add, argc, argv);

	if (ret == COMMAND_OK)
		candidate_say_undone(add->change.host, &add->change.findings);
	if ((ret == COMMAND_OK || add->change.is_refused) && change_print(&add->change))
		return COMMAND_NOTHING;
	return ret;
}

int command_add(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		{ CHANGE_ENTRY_GROUP },
		{ CHANGE_ENTRY_ONLY },
		{ "vfs", 'v', "N", "make N virtual functions at every boot, bind them" },
		{ "by", 'b', "HOW", "write address, path or id (default: address)" },
		{ "force", 'f', NULL, "add what would be refused; what host needs as bind!" },
		{ CHANGE_ENTRY_DRY },
		{ 0 },
	};
	static const struct options_spec spec = {
		.usage = "add [OPTION...] ADDRESS...",
		.about =
			"Writes bind lines for all functions of a card into /etc/vfio-early.conf, "
			"pinned to\nthe ID that is there today, and shows the change. An ADDRESS "
			"is 81:00,\n0000:81:00.0 or a path of `lspci -P`; with --vfs also an interface.\n",
		.entry = entries,
		.common = OPTIONS_ROOT | OPTIONS_JSON | OPTIONS_COLUMNS,
		.columns = findings_columns,
		.end = "Exit status: 0 written or there already, 1 refused, 2 usage, 3 not written.\n",
	};
	static struct add add;
	int ret = change_run(&add.change, &spec, argc, argv, run, &add);

	host_close(add.next);
	host_close(add.tried);
	return ret;
}
