// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early add: bind lines for the functions of a slot, into the config. Before a line is written,
 * it is tried, and what the boot would refuse is refused here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/change.h"
#include "commands/command.h"
#include "commands/trial.h"
#include "config/bindlines.h"
#include "early/tell.h"
#include "host/names.h"
#include "protect/protect.h"
#include "util/message.h"

struct add {
	struct change change; /* the first: change_run() hands back its address */
	struct trial trial;
};

/* As a selector of the config. */
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
	OUTCOME_LATER,	  /* it cannot be bound today, but not for its own sake */
	OUTCOME_BLOCKED,  /* --force overrides it */
	OUTCOME_HOPELESS, /* nothing does */
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
		return OUTCOME_LATER;
	case REASON_BRIDGE:
	case REASON_EXCEPT:
		return OUTCOME_HOPELESS;
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

static const char *next_step(enum reason reason)
{
	switch (reason) {
	case REASON_EXCEPT:
		return "; fix: take it out of the except line";
	case REASON_BRIDGE:
		return "";
	case REASON_BOOT_VGA:
		return "; fix: boot-vga bind in the config";
	case REASON_GROUP:
		return "; fix: --group takes the whole group";
	case REASON_PROTECTED:
		return "; --force takes it all the same: know how to get back in";
	default:
		return "; --force writes the line all the same";
	}
}

/* Says what stands in the way of one function. Returns whether a line for it may be written. */
static bool may_write(const struct add *add, const struct pci_function *fn, bool *bang)
{
	const struct tell_facts facts = {
		.plan = &add->trial.plan,
		.iommu = &add->trial.iommu,
		.table = &add->trial.table,
		.decisions = &add->trial.decisions,
	};
	char addr[PCI_ADDRESS_SIZE], why[512];
	int at = trial_find(&add->trial, &fn->addr);
	const struct verdict *verdict;
	enum outcome outcome;

	*bang = false;
	pci_address_format(&fn->addr, addr);
	if (at < 0) {
		message_error("%s cannot be read", addr);
		return false;
	}
	verdict = &add->trial.decisions.verdict[at];
	outcome = judge(verdict->reason);
	tell_whole(&facts, (unsigned int)at, why, sizeof(why));
	if (outcome == OUTCOME_LATER)
		message_warn("%s cannot be bound yet: %s", addr, why);
	if (outcome == OUTCOME_FINE || outcome == OUTCOME_LATER)
		return true;
	if (outcome == OUTCOME_HOPELESS || !add->change.force) {
		message_error("%s would be refused at boot: %s%s", addr, why,
			      next_step(verdict->reason));
		return false;
	}
	message_warn("%s: %s%s", addr, why,
		     verdict->reason == REASON_PROTECTED ?
			     ": written as bind!, which takes it from the host" :
			     ": written, but it will be refused at boot as long as that is so");
	*bang = true;
	return true;
}

static void warn_mates(const struct add *add)
{
	char addr[PCI_ADDRESS_SIZE];

	for (unsigned int i = 0; i < add->trial.table.count; i++) {
		const struct verdict *verdict = &add->trial.decisions.verdict[i];
		bool is_ours = false;

		for (size_t j = 0; j < add->change.slot.count; j++)
			is_ours |= add->change.slot.fn[j].group == add->trial.table.fn[i].group;
		if (verdict->crowds && is_ours)
			message_warn("%s shares group %d and stays with the host, so no VM gets the "
				     "group; fix: add --group, or name it too",
				     pci_address_format(&add->trial.table.fn[i].addr, addr),
				     add->trial.table.fn[i].group);
		if (verdict->reason == REASON_CLAIMED && is_ours)
			message_warn("%s shares group %d and will be taken too (group claim)",
				     pci_address_format(&add->trial.table.fn[i].addr, addr),
				     add->trial.table.fn[i].group);
	}
}

/* What carries the default route is refused; any other address may be the one one comes in by. */
static int warn_addresses(const struct change *change)
{
	char addr[PCI_ADDRESS_SIZE];
	struct protect_facts facts;
	int ret = protect_addresses(&change->host->root, &facts);

	if (ret)
		return message_errno(ret, "cannot find out which devices carry an address");
	for (size_t i = 0; i < facts.count; i++)
		if (slot_has(&change->slot, &facts.list[i].addr))
			message_warn("%s %s, which this host has no more after the next boot; fix: "
				     "give it to another interface, or have another way in",
				     pci_address_format(&facts.list[i].addr, addr),
				     facts.list[i].reason);
	protect_free(&facts);
	return 0;
}

/* An ID takes every function that has it. */
static void warn_twins(const struct change *change)
{
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];

	for (size_t i = 0; i < change->host->count; i++) {
		const struct pci_function *twin = &change->host->fn[i].pci;

		for (size_t j = 0; j < change->slot.count; j++)
			if (pci_id_matches(&change->slot.fn[j].id, &twin->id) &&
			    !slot_has(&change->slot, &twin->addr))
				message_warn("%s has the ID %s too and will be bound with it; fix: "
					     "leave out --by id",
					     pci_address_format(&twin->addr, addr),
					     pci_id_format(&twin->id, id));
	}
}

/* --- add: the lines */

/* Is it taken care of already, by a line that matches and is as strong as asked for? */
static bool is_named(struct add *add, const struct pci_function *fn, bool bang)
{
	int at = trial_find(&add->trial, &fn->addr);
	char addr[PCI_ADDRESS_SIZE];
	const struct verdict *verdict;

	if (at < 0 || (unsigned int)at >= add->trial.table.candidates)
		return false;
	verdict = &add->trial.decisions.verdict[at];
	if (verdict->bind == DECIDE_NO_INDEX)
		return false;
	pci_address_format(&fn->addr, addr);
	if (verdict->reason == REASON_ID_CHANGED) {
		message_warn("%s: the config names it with another ID: %s; `vfio-early remove %s` "
			     "takes that out",
			     addr, add->trial.plan.bind[verdict->bind].text, addr);
		return false;
	}
	return !bang || add->trial.plan.bind[verdict->bind].force;
}

/* Returns how many lines there are to add, or -errno after saying why there can be none. */
static int make_lines(struct add *add, bool *bang, char **lines)
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
		ret = write_selector(&add->change, fn, text);
		snprintf(line, sizeof(line), "bind%s %s", bang[i] ? "!" : "", text);
		/* By ID two functions can have one line. */
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

static int add_lines(struct add *add, struct edit *edit)
{
	bool *bang = calloc(add->change.slot.count, sizeof(*bang));
	char *lines = NULL;
	bool blocked = false;
	int ret = bang ? trial_run(&add->trial, add->change.host, &add->change.slot) : -ENOMEM;

	if (ret)
		goto out;
	for (size_t i = 0; i < add->change.slot.count; i++)
		blocked |= !may_write(add, &add->change.slot.fn[i], &bang[i]);
	if (blocked) {
		message_error("nothing was written");
		ret = COMMAND_INCOMPLETE;
		goto out;
	}
	warn_mates(add);
	ret = warn_addresses(&add->change);
	if (ret)
		goto out;
	/* Now without them: what the config says already. */
	ret = trial_run(&add->trial, add->change.host, NULL);
	if (!ret)
		ret = make_lines(add, bang, &lines);
	if (ret > 0 && add->change.by == CHANGE_BY_ID)
		warn_twins(&add->change);
	if (ret > 0)
		ret = bindlines_insert(edit, lines);
out:
	free(bang);
	free(lines);
	return ret;
}

static int run(struct change *change, int argc, char **argv)
{
	struct add *add = (struct add *)change;
	struct edit edit = { .dirfd = -1 };
	int ret = 0;

	for (int i = 0; i < argc && !ret; i++)
		ret = slot_add(change->host, argv[i], change->scope, &change->slot);
	if (ret)
		return ret == -EINVAL || ret == -ENOENT ? COMMAND_USAGE : COMMAND_NOTHING;

	ret = edit_open(&change->host->root, BINDLINES_FILE, &edit);
	if (!ret)
		ret = add_lines(add, &edit);
	if (!ret && !edit_is_changed(&edit)) {
		puts("Nothing to do: the config names all of it already.");
	} else if (!ret) {
		ret = change_write(change, &edit);
		if (!ret)
			change_say_next(change);
	}
	edit_close(&edit);
	return ret < 0 ? COMMAND_NOTHING : ret;
}

int command_add(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		{ CHANGE_ENTRY_GROUP },
		{ CHANGE_ENTRY_ONLY },
		{ "by", 'b', "HOW", "name it by address, path or id (default: address)" },
		{ "force", 'f', NULL, "also what would be refused; what the host needs as bind!" },
		{ CHANGE_ENTRY_DRY },
		{ 0 },
	};
	static const struct options_spec spec = {
		.usage = "add [OPTION...] ADDRESS...",
		.about = "Writes bind lines for all functions of a slot into /etc/vfio-early.conf, "
			 "pinned to\nthe ID that is there today, and shows the change. An ADDRESS "
			 "is 81:00,\n0000:81:00.0 or a path as `lspci -P` prints it.\n",
		.entry = entries,
		.common = OPTIONS_ROOT,
		.end = "Exit status: 0 written, or there already, 1 refused, 2 usage, 3 cannot be "
		       "written.\n",
	};
	static struct add add;
	int ret = change_run(&add.change, &spec, argc, argv, run);

	trial_free(&add.trial);
	return ret;
}
