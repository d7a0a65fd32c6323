// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early add and remove: bind lines for the functions of a slot, into the config and out of it.
 *
 * Before a line is written, it is tried: the plan of today with that line behind it goes through
 * decide(), the very code of the boot, and what would be refused there is refused here. Nothing but
 * the lines concerned is touched; comments, order, mode and owner of the files stay.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "config.h"
#include "early/decide.h"
#include "early/iommu.h"
#include "edit.h"
#include "host.h"
#include "lines.h"
#include "message.h"
#include "options.h"
#include "plan.h"
#include "protect.h"
#include "slot.h"

#define SELECTOR_SIZE 160 /* a path of SELECTOR_MAX_HOPS bridges and an ID */

enum by {
	BY_ADDRESS,
	BY_PATH,
	BY_ID,
};

struct change {
	struct host *host;
	struct slot slot;
	enum slot_scope scope;
	enum by by;
	bool force;
	bool dry_run;
	/* add: the plan of today, with the new lines behind it. */
	char *compiled; /* the config's plan */
	char *text;
	struct plan plan;
	struct iommu iommu;
	struct pci_table table;
	struct decisions decisions;
	/* remove: what was named, whether it is there or not. */
	struct selector *sel;
	size_t sels;
	unsigned int removed;
	bool is_left; /* something names it still */
};

/* --- add: what would become of it */

/* As a selector of the config. */
static int write_selector(const struct change *change, const struct pci_function *fn, char *text)
{
	char id[PCI_ID_SIZE], where[SELECTOR_SIZE];
	int ret = 0;

	pci_id_format(&fn->id, id);
	if (change->by == BY_ID) {
		snprintf(text, SELECTOR_SIZE, "%s", id);
		return 0;
	}
	if (change->by == BY_PATH)
		ret = pci_path(change->host->root.fd, &fn->addr, where,
			       sizeof(where) - PCI_ID_SIZE);
	else
		pci_address_format(&fn->addr, where);
	if (!ret && snprintf(text, SELECTOR_SIZE, "%s=%s", where, id) >= SELECTOR_SIZE)
		ret = -ENAMETOOLONG;
	return ret;
}

/* The plan as it would be with a line for each function of the list, and what the boot makes of it. */
static int try_plan(struct change *change, bool with_lines)
{
	struct plan_errors errors = { 0 };
	struct host *host = change->host;
	size_t size = 0;
	FILE *out;
	int ret = 0;

	if (!change->compiled)
		ret = plan_compile(&host->root, NULL, &change->compiled, &size);
	if (ret)
		return ret;
	free(change->text);
	change->text = NULL;
	out = open_memstream(&change->text, &size);
	if (!out)
		return message_errno(-ENOMEM, "cannot try it");
	fputs(change->compiled, out);
	for (size_t i = 0; with_lines && i < change->slot.count; i++) {
		const struct pci_function *fn = &change->slot.fn[i];
		char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];

		fprintf(out, "bind %s=%s\n", pci_address_format(&fn->addr, addr),
			pci_id_format(&fn->id, id));
	}
	if (fclose(out))
		return message_errno(-ENOMEM, "cannot try it");

	plan_init(&change->plan);
	plan_parse(&change->plan, change->text, size, PLAN_COMPILED, &errors);
	if (errors.count)
		return message_error("cannot try it: %s", errors.error[0].what);
	iommu_read(host->root.fd, host->cmdline, plan_wants_noiommu(&change->plan), &change->iommu);
	ret = pci_collect(host->root.fd, &change->plan, NULL, &change->table);
	if (ret)
		return message_errno(ret, "cannot read the PCI functions that the config names");
	/* The boot comes before every driver, and so before every virtual function. */
	for (unsigned int i = 0; i < change->table.count; i++) {
		change->table.fn[i].driver[0] = '\0';
		change->table.fn[i].vfs = 0;
	}
	decide(&change->plan, &change->iommu, &change->table, &change->decisions);
	return 0;
}

/* Its place in the table, or -1. */
static int find_verdict(const struct change *change, const struct pci_address *addr)
{
	for (unsigned int i = 0; i < change->table.count; i++)
		if (pci_address_equal(&change->table.fn[i].addr, addr))
			return (int)i;
	return -1;
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
	case REASON_VARIANT:
		return OUTCOME_FINE;
	case REASON_NO_IOMMU:
	case REASON_NO_GROUP:
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
static bool may_write(const struct change *change, const struct pci_function *fn, bool *bang)
{
	char addr[PCI_ADDRESS_SIZE], why[512];
	int at = find_verdict(change, &fn->addr);
	const struct verdict *verdict;
	enum outcome outcome;

	*bang = false;
	pci_address_format(&fn->addr, addr);
	if (at < 0) {
		message_error("%s cannot be read", addr);
		return false;
	}
	verdict = &change->decisions.verdict[at];
	outcome = judge(verdict->reason);
	decide_reason(&change->plan, &change->iommu, &change->table, &change->decisions,
		      (unsigned int)at, why, sizeof(why));
	if (outcome == OUTCOME_LATER)
		message_warn("%s cannot be bound yet: %s", addr, why);
	if (outcome == OUTCOME_FINE || outcome == OUTCOME_LATER)
		return true;
	if (outcome == OUTCOME_HOPELESS || !change->force) {
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

static void warn_mates(const struct change *change)
{
	char addr[PCI_ADDRESS_SIZE];

	for (unsigned int i = 0; i < change->table.count; i++) {
		const struct verdict *verdict = &change->decisions.verdict[i];
		bool is_ours = false;

		for (size_t j = 0; j < change->slot.count; j++)
			is_ours |= change->slot.fn[j].group == change->table.fn[i].group;
		if (verdict->crowds && is_ours)
			message_warn("%s shares group %d and stays with the host, so no VM gets the "
				     "group; fix: add --group, or name it too",
				     pci_address_format(&change->table.fn[i].addr, addr),
				     change->table.fn[i].group);
		if (verdict->claimed && is_ours)
			message_warn("%s shares group %d and will be taken too (group claim)",
				     pci_address_format(&change->table.fn[i].addr, addr),
				     change->table.fn[i].group);
	}
}

/* What carries the default route is refused; any other address may be the one one comes in by. */
static int warn_addresses(const struct change *change)
{
	const char *root = change->host->root.path;
	char addr[PCI_ADDRESS_SIZE];
	struct protect_facts facts;
	int ret = protect_addresses(*root ? root : "/", &facts);

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
static bool is_named(struct change *change, const struct pci_function *fn, bool bang)
{
	int at = find_verdict(change, &fn->addr);
	char addr[PCI_ADDRESS_SIZE];
	const struct verdict *verdict;

	if (at < 0 || (unsigned int)at >= change->table.candidates)
		return false;
	verdict = &change->decisions.verdict[at];
	if (verdict->bind == DECIDE_NO_INDEX)
		return false;
	pci_address_format(&fn->addr, addr);
	if (verdict->reason == REASON_ID_CHANGED) {
		message_warn("%s: the config names it with another ID: %s; `vfio-early remove %s` "
			     "takes that out",
			     addr, change->plan.bind[verdict->bind].text, addr);
		return false;
	}
	return !bang || change->plan.bind[verdict->bind].force;
}

/* Returns how many lines there are to add, or -errno after saying why there can be none. */
static int make_lines(struct change *change, bool *bang, char **lines)
{
	size_t size;
	FILE *out = open_memstream(lines, &size);
	int count = 0, ret = 0;

	if (!out)
		ret = -ENOMEM;
	for (size_t i = 0; i < change->slot.count && !ret; i++) {
		const struct pci_function *fn = &change->slot.fn[i];
		char text[SELECTOR_SIZE], line[SELECTOR_SIZE + 8], name[128];

		if (is_named(change, fn, bang[i]))
			continue;
		ret = write_selector(change, fn, text);
		snprintf(line, sizeof(line), "bind%s %s", bang[i] ? "!" : "", text);
		/* By ID two functions can have one line. */
		fflush(out);
		if (!ret && !strstr(*lines, line)) {
			names_device(change->host->names, &fn->id, name, sizeof(name));
			fprintf(out, "%s%s%s\n", line, *name ? "\t# " : "", name);
		}
		count++;
	}
	if (out && fclose(out))
		ret = -ENOMEM;
	return ret ? message_errno(ret, "cannot write the lines") : count;
}

static int add_lines(struct change *change, struct edit *edit)
{
	bool *bang = calloc(change->slot.count, sizeof(*bang));
	char *lines = NULL;
	bool blocked = false;
	int ret = bang ? try_plan(change, true) : -ENOMEM;

	if (ret)
		goto out;
	for (size_t i = 0; i < change->slot.count; i++)
		blocked |= !may_write(change, &change->slot.fn[i], &bang[i]);
	if (blocked) {
		message_error("nothing was written");
		ret = COMMAND_INCOMPLETE;
		goto out;
	}
	warn_mates(change);
	ret = warn_addresses(change);
	if (ret)
		goto out;
	/* Now without them: what the config says already. */
	ret = try_plan(change, false);
	if (!ret)
		ret = make_lines(change, bang, &lines);
	if (ret > 0 && change->by == BY_ID)
		warn_twins(change);
	if (ret > 0)
		ret = lines_insert(edit, lines);
out:
	free(bang);
	free(lines);
	return ret;
}

/* --- both: writing */

static int write_edit(const struct change *change, struct edit *edit)
{
	int ret = edit_diff(edit);

	/* Without diff(1) the change is not shown, and that was said: no reason not to do it. */
	fflush(stdout);
	if (change->dry_run)
		return ret;
	return edit_commit(edit);
}

static void say_next(const struct change *change)
{
	if (change->dry_run)
		puts("Nothing was written (--dry-run).");
	else
		puts("To take effect: " COMMAND_APPLY ", then reboot.");
}

static int run_add(struct change *change, int argc, char **argv)
{
	struct edit edit = { .dirfd = -1 };
	int ret = 0;

	for (int i = 0; i < argc && !ret; i++)
		ret = slot_add(change->host, argv[i], change->scope, &change->slot);
	if (ret)
		return ret == -EINVAL || ret == -ENOENT ? COMMAND_USAGE : COMMAND_NOTHING;

	ret = edit_open(change->host->root.fd, LINES_CONFIG, &edit);
	if (!ret)
		ret = add_lines(change, &edit);
	if (!ret && !edit_is_changed(&edit)) {
		puts("Nothing to do: the config names all of it already.");
	} else if (!ret) {
		ret = write_edit(change, &edit);
		if (!ret)
			say_next(change);
	}
	edit_close(&edit);
	return ret < 0 ? COMMAND_NOTHING : ret;
}

/* --- remove */

/* Does this selector speak of what is to be removed? */
static bool is_meant(const struct change *change, const struct selector *have)
{
	for (size_t i = 0; i < change->slot.count; i++) {
		const struct pci_function *fn = &change->slot.fn[i];
		struct selector loose = *have;

		/* Whatever ID is pinned: it is the address that was named. */
		if (loose.kind != SELECTOR_ID)
			loose.has_id = false;
		if (selector_match(&loose, &fn->addr, &fn->id, fn->class, NULL) == SELECTOR_MATCHES)
			return true;
	}
	/* What is not in the machine any more can be named by address alone. */
	for (size_t i = 0; i < change->sels; i++) {
		const struct selector *sel = &change->sel[i];

		if (have->kind == SELECTOR_ID || have->kind == SELECTOR_CLASS ||
		    have->hops != sel->hops || memcmp(have->hop, sel->hop, sizeof(sel->hop)) != 0)
			continue;
		if (change->scope == SLOT_ONLY && sel->kind == SELECTOR_ADDRESS ?
			    have->kind == SELECTOR_ADDRESS &&
				    pci_address_equal(&have->addr, &sel->addr) :
			    pci_address_same_slot(&have->addr, &sel->addr))
			return true;
	}
	return false;
}

struct others {
	const struct change *change;
	const struct selector *sel;
	char text[4 * PCI_ADDRESS_SIZE];
	unsigned int count;
};

static int look_for_others(const struct pci_function *fn, int error, void *arg)
{
	struct others *others = arg;
	size_t len = strlen(others->text);
	char addr[PCI_ADDRESS_SIZE];

	if (error || slot_has(&others->change->slot, &fn->addr) ||
	    selector_match(others->sel, &fn->addr, &fn->id, fn->class, NULL) != SELECTOR_MATCHES)
		return 0;
	if (others->count++ < 3)
		snprintf(others->text + len, sizeof(others->text) - len, "%s%s", len ? ", " : "",
			 pci_address_format(&fn->addr, addr));
	return 0;
}

/* May this selector go? One that names more than what was asked for says so, or stays. */
static bool may_remove(struct change *change, const char *file, unsigned int line, const char *word,
		       const struct selector *sel)
{
	struct selector loose = *sel;
	struct others others = { .change = change, .sel = &loose };

	if (loose.kind != SELECTOR_ID)
		loose.has_id = false;
	if (change->slot.count)
		pci_scan(change->host->root.fd, look_for_others, &others);
	if (sel->kind == SELECTOR_CLASS || (sel->kind == SELECTOR_SLOT && others.count)) {
		char addr[PCI_ADDRESS_SIZE];

		message_error(
			"%s:%u: %s names it too, and others; fix: write `except %s`, or change "
			"that line",
			file, line, word, pci_address_format(&change->slot.fn[0].addr, addr));
		change->is_left = true;
		return false;
	}
	if (others.count)
		message_warn("%s:%u: %s named %s too, which will no longer be bound", file, line,
			     word, others.text);
	return true;
}

/*
 * One line without the selectors that are to go. Each goes with the blanks in front of it; a line
 * with none left goes whole, comment and all. Anything but a right bind line stays as it is.
 */
static void filter_line(struct change *change, const char *file, unsigned int number,
			const char *line, size_t len, FILE *out)
{
	size_t end = strcspn(line, "#\n"), pos, left = 0;
	char *kept = NULL;
	size_t size;
	FILE *copy;
	bool changed = false;

	if (end > len)
		end = len;
	copy = lines_is_bind(line) ? open_memstream(&kept, &size) : NULL;
	if (!copy) {
		fwrite(line, 1, len, out);
		return;
	}
	pos = strspn(line, " \t");
	pos += strcspn(line + pos, " \t\r#\n");
	fwrite(line, 1, pos, copy);
	while (pos < end) {
		size_t blank = strspn(line + pos, " \t\r"), width, where;
		char word[SELECTOR_SIZE];
		struct selector sel;

		if (pos + blank >= end)
			break;
		width = strcspn(line + pos + blank, " \t\r#\n");
		snprintf(word, sizeof(word), "%.*s", (int)width, line + pos + blank);
		if (width < sizeof(word) && !selector_parse(word, &sel, &where) &&
		    (pci_resolve(change->host->root.fd, &sel) || true) && is_meant(change, &sel) &&
		    may_remove(change, file, number, word, &sel)) {
			changed = true;
			change->removed++;
		} else {
			fwrite(line + pos, 1, blank + width, copy);
			left++;
		}
		pos += blank + width;
	}
	fwrite(line + pos, 1, len - pos, copy);
	if (!fclose(copy) && !(changed && !left))
		fwrite(changed ? kept : line, 1, changed ? size : len, out);
	free(kept);
}

static int filter_file(struct change *change, struct edit *edit)
{
	FILE *out = open_memstream(&edit->text, &edit->size);
	const char *line = edit->old, *end = edit->old + edit->old_size;

	if (!out)
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	for (unsigned int number = 1; line < end; number++) {
		const char *eol = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)(eol ? eol + 1 - line : end - line);

		filter_line(change, edit->name, number, line, len, out);
		line += len;
	}
	if (fclose(out))
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	return 0;
}

static int remove_from(struct change *change, const char *name)
{
	struct edit edit;
	int ret = edit_open(change->host->root.fd, name + (*name == '/'), &edit);

	if (!ret)
		ret = filter_file(change, &edit);
	if (!ret && edit_is_changed(&edit))
		ret = write_edit(change, &edit);
	edit_close(&edit);
	return ret;
}

/* What is not in the machine any more is no error here: its lines are to go all the more. */
static int find_removed(struct change *change, int argc, char **argv)
{
	change->sel = calloc((size_t)argc, sizeof(*change->sel));
	if (!change->sel)
		return message_errno(-ENOMEM, "cannot remove it");
	for (int i = 0; i < argc; i++) {
		struct selector sel;
		int ret = slot_parse(change->host, argv[i], &sel);

		if (ret)
			return ret;
		change->sel[change->sels++] = sel;
		ret = pci_resolve(change->host->root.fd, &sel);
		if (!ret && sel.kind == SELECTOR_ADDRESS) {
			struct pci_function fn;

			ret = pci_read(change->host->root.fd, &sel.addr, &fn);
		}
		if (!ret && sel.kind == SELECTOR_SLOT) {
			struct pci_function fn;

			ret = -ENOENT;
			for (sel.addr.fn = 0; sel.addr.fn < 8 && ret; sel.addr.fn++)
				ret = pci_read(change->host->root.fd, &sel.addr, &fn);
		}
		if (ret)
			continue;
		ret = slot_add(change->host, argv[i], change->scope, &change->slot);
		if (ret)
			return ret;
	}
	return 0;
}

static int say_not_named(const struct change *change, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		message_warn("no bind line names %s; vfio-early list shows what is configured",
			     argv[i]);
	return change->is_left ? COMMAND_INCOMPLETE : COMMAND_OK;
}

static int run_remove(struct change *change, int argc, char **argv)
{
	struct config config;
	int ret = find_removed(change, argc, argv);

	if (ret)
		return ret == -EINVAL || ret == -ENOENT ? COMMAND_USAGE : COMMAND_NOTHING;
	ret = config_read(change->host->root.fd, &config);
	for (size_t i = 0; i < config.files && !ret; i++)
		ret = remove_from(change, config.file[i].name);
	config_free(&config);
	if (ret)
		return COMMAND_NOTHING;
	if (!change->removed)
		return change->is_left ? COMMAND_INCOMPLETE : say_not_named(change, argc, argv);
	say_next(change);
	return change->is_left ? COMMAND_INCOMPLETE : COMMAND_OK;
}

/* --- options of both */

static int take_by(struct change *change, const struct options *opts)
{
	static const char *const words[] = { "address", "path", "id" };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(optarg, words[i]) != 0)
			continue;
		change->by = (enum by)i;
		return 0;
	}
	message_error("%s is no value for --by; fix: write address, path or id", optarg);
	return options_usage(opts);
}

static int run(struct change *change, const struct options_spec *spec, int argc, char **argv,
	       int (*fn)(struct change *change, int argc, char **argv))
{
	struct options opts;
	int opt, ret;

	options_init(&opts, spec);
	while ((opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		switch (opt) {
		case OPTIONS_EXIT:
			return opts.status;
		case 'b':
			ret = take_by(change, &opts);
			if (ret)
				return ret;
			break;
		case 'f':
			change->force = true;
			break;
		case 'g':
			change->scope = SLOT_GROUP;
			break;
		case '1':
			change->scope = SLOT_ONLY;
			break;
		case 'n':
			change->dry_run = true;
			break;
		}
	}
	if (optind == argc) {
		message_error("an address is missing: vfio-early %s 0000:81:00", argv[0]);
		return options_usage(&opts);
	}

	ret = host_open(opts.root, &change->host) ? COMMAND_NOTHING :
						    fn(change, argc - optind, argv + optind);
	if (output_finish() && ret == COMMAND_OK)
		ret = COMMAND_INCOMPLETE;
	slot_free(&change->slot);
	free(change->text);
	free(change->sel);
	free(change->compiled);
	host_close(change->host);
	return ret;
}

#define ENTRY_GROUP                                                        \
	{                                                                  \
		"group", 'g', NULL, "the whole IOMMU group, but no bridge" \
	}
#define ENTRY_ONLY                                                                  \
	{                                                                           \
		"only", '1', NULL, "the function that is named, not its whole slot" \
	}
#define ENTRY_DRY                                                      \
	{                                                              \
		"dry-run", 'n', NULL, "show the change, write nothing" \
	}

int command_add(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		ENTRY_GROUP,
		ENTRY_ONLY,
		{ "by", 'b', "HOW", "name it by address, path or id (default: address)" },
		{ "force", 'f', NULL, "also what would be refused; what the host needs as bind!" },
		ENTRY_DRY,
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
	static struct change change;

	return run(&change, &spec, argc, argv, run_add);
}

int command_remove(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		ENTRY_GROUP,
		ENTRY_ONLY,
		ENTRY_DRY,
		{ 0 },
	};
	static const struct options_spec spec = {
		.usage = "remove [OPTION...] ADDRESS...",
		.about = "Takes the functions of a slot out of the bind lines of "
			 "/etc/vfio-early.conf and\n/etc/vfio-early.conf.d, and shows the change. "
			 "All else stays as it is.\n",
		.entry = entries,
		.common = OPTIONS_ROOT,
		.end = "Exit status: 0 removed, or not there, 1 a line names it still, 2 usage, "
		       "3 cannot be\nwritten.\n",
	};
	static struct change change;

	return run(&change, &spec, argc, argv, run_remove);
}
