// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-early remove: takes the functions of a card out of the bind lines of the config. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/candidate.h"
#include "commands/change.h"
#include "commands/command.h"
#include "config/bindlines.h"
#include "config/config.h"
#include "early/plan.h"
#include "util/message.h"

#define MAX_OTHERS 3 /* at most so many are named in a message */

struct removal {
	struct change change;
	struct selector *sel; /* the named functions, present or not */
	bool *is_there;	      /* for each selector: the function is present */
	size_t sels;
	struct plan plan; /* the config before */
	FILE *kept;	  /* what is said at the end of set lines that stay */
	unsigned int removed;
	bool is_left;		  /* a remaining line still names it */
	bool is_excepted;	  /* one does, and an except line takes it back */
	unsigned char left_named; /* a bit for each function of slot.left that a line still names */
};

/*
 * The user named the whole slot, and it is present: does this selector name the whole slot too, or
 * a function that is no longer there?
 */
static bool is_gone_of_slot(const struct removal *removal, const struct selector *sel,
			    const struct selector *have)
{
	if (sel->kind != SELECTOR_SLOT || removal->change.scope == SLOT_ONLY)
		return false;
	return have->kind == SELECTOR_SLOT || !host_find(removal->change.host, &have->addr);
}

/* Do both name the same place? A path that leads nowhere now is compared as text. */
static bool is_same_place(const struct selector *sel, const struct selector *have)
{
	bool is_known = (!selector_is_path(sel) || sel->resolved) &&
			(!selector_is_path(have) || have->resolved);

	if (!is_known &&
	    (have->hops != sel->hops || memcmp(have->hop, sel->hop, sizeof(sel->hop)) != 0))
		return false;
	return sel->kind == SELECTOR_SLOT ? pci_address_same_slot(&have->addr, &sel->addr) :
					    pci_address_equal(&have->addr, &sel->addr);
}

/*
 * For lines of virtual functions: did the user name the physical function, its slot, or its group?
 * Other ports of the card do not count: each has lines of its own.
 */
static bool is_physical_named(const struct removal *removal, const struct selector *have)
{
	for (size_t i = 0; i < removal->sels; i++)
		if (is_same_place(&removal->sel[i], have))
			return true;
	return removal->change.scope == SLOT_GROUP && slot_has(&removal->change.slot, &have->addr);
}

/* Does this selector name something that is to be removed? */
static bool is_meant(const struct removal *removal, const struct selector *have)
{
	if (have->kind == SELECTOR_VF && is_physical_named(removal, have))
		return true;
	for (size_t i = 0; i < removal->change.slot.count; i++) {
		const struct pci_function *fn = &removal->change.slot.fn[i];
		struct selector loose = *have;

		/* Ignores a pinned ID: the user named the address. */
		if (loose.kind != SELECTOR_ID)
			loose.has_id = false;
		if (host_is_selected(removal->change.host, &loose, fn, NULL))
			return true;
	}
	/* A device that is no longer in the machine can be named by its address. */
	for (size_t i = 0; i < removal->sels; i++) {
		const struct selector *sel = &removal->sel[i];

		if (have->kind == SELECTOR_ID || have->kind == SELECTOR_CLASS ||
		    have->kind == SELECTOR_VF || sel->kind == SELECTOR_VF ||
		    have->hops != sel->hops || memcmp(have->hop, sel->hop, sizeof(sel->hop)) != 0)
			continue;
		if (removal->is_there[i] && !is_gone_of_slot(removal, sel, have))
			continue;
		if (removal->change.scope == SLOT_ONLY && sel->kind == SELECTOR_ADDRESS ?
			    have->kind == SELECTOR_ADDRESS &&
				    pci_address_equal(&have->addr, &sel->addr) :
			    pci_address_same_slot(&have->addr, &sel->addr))
			return true;
	}
	return false;
}

static bool is_address(const struct removal *removal, const char *word, struct selector *sel)
{
	size_t where;

	if (selector_parse(word, sel, &where))
		return false;
	/* A path that leads nowhere now is compared as text. */
	pci_resolve(removal->change.host->root.fd, sel);
	return true;
}

static bool is_word_meant(const struct removal *removal, const char *word, struct selector *sel)
{
	return is_address(removal, word, sel) && is_meant(removal, sel);
}

/*
 * A line for a function of the slot that is not part of the card stays; say_kept() reports it at
 * the end.
 */
static void look_at_kept(struct removal *removal, const struct selector *sel)
{
	const struct slot *slot = &removal->change.slot;

	for (size_t i = 0; i < slot->lefts && i < 8; i++)
		if (sel->kind == SELECTOR_ADDRESS &&
		    pci_address_equal(&sel->addr, &slot->left[i].addr))
			removal->left_named |= (unsigned char)(1u << i);
}

static void say_kept(const struct removal *removal)
{
	const struct slot *slot = &removal->change.slot;

	for (size_t i = 0; i < slot->lefts && i < 8; i++) {
		char addr[PCI_ADDRESS_SIZE], why[160];

		if (!(removal->left_named & 1u << i))
			continue;
		pci_address_format(&slot->left[i].addr, addr);
		output_foldf(&removal->change.output, 0,
			     "%s stays: %s; to remove it too: vfio-early remove %s", addr,
			     slot_why_left(removal->change.host, &slot->left[i], why, sizeof(why)),
			     addr);
	}
}

/* @text: lines, cut up here */
static void print_kept(const struct removal *removal, char *text)
{
	const char *line;

	while ((line = strsep(&text, "\n")))
		if (*line)
			output_foldf(&removal->change.output, 0, "%s", line);
}

/* Other functions that a selector names: their number, and a text with the first ones. */
struct others {
	char text[MAX_OTHERS * (PCI_ADDRESS_SIZE + 2)];
	unsigned int count;
};

static void find_others(const struct removal *removal, const struct selector *sel,
			struct others *others)
{
	const struct host *host = removal->change.host;

	for (size_t i = 0; i < host->count; i++) {
		const struct pci_function *fn = &host->fn[i].pci;
		size_t len = strlen(others->text);
		char addr[PCI_ADDRESS_SIZE];

		if (slot_has(&removal->change.slot, &fn->addr) ||
		    !host_is_selected(host, sel, fn, NULL))
			continue;
		if (others->count++ < MAX_OTHERS)
			snprintf(others->text + len, sizeof(others->text) - len, "%s%s",
				 len ? ", " : "", pci_address_format(&fn->addr, addr));
	}
}

/* Does an except line name it? As in the boot, also one with an ID that is there no more. */
static bool has_except(const struct removal *removal, const struct pci_function *fn)
{
	for (unsigned int i = 0; i < removal->plan.excepts; i++) {
		struct selector sel = removal->plan.except[i].sel;

		if (sel.kind != SELECTOR_ID)
			sel.has_id = false;
		if (!pci_resolve(removal->change.host->root.fd, &sel) &&
		    host_is_selected(removal->change.host, &sel, fn, NULL))
			return true;
	}
	return false;
}

/*
 * "0000:01:00.0 0000:01:00.1": the functions to be removed that a selector names and no except line
 * does; the selector's own address if it names none. NULL when memory ran out.
 */
static char *list_meant(const struct removal *removal, const struct selector *sel)
{
	const struct slot *slot = &removal->change.slot;
	char *text = NULL, addr[PCI_ADDRESS_SIZE];
	bool is_any = false, is_first = true;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < slot->count && out; i++) {
		if (!host_is_selected(removal->change.host, sel, &slot->fn[i], NULL))
			continue;
		is_any = true;
		if (has_except(removal, &slot->fn[i]))
			continue;
		fprintf(out, "%s%s", is_first ? "" : " ",
			pci_address_format(&slot->fn[i].addr, addr));
		is_first = false;
	}
	if (out && !is_any)
		fputs(pci_address_format(&sel->addr, addr), out);
	if (out && !fclose(out))
		return text;
	free(text);
	return NULL;
}

/* Is it the slot that the user named? Then all of its functions are meant. */
static bool is_named_slot(const struct removal *removal, const struct selector *have)
{
	for (size_t i = 0; i < removal->sels; i++)
		if (have->kind == SELECTOR_SLOT && removal->sel[i].kind == SELECTOR_SLOT &&
		    pci_address_same_slot(&have->addr, &removal->sel[i].addr))
			return true;
	return false;
}

/* May this selector be removed? Not if it also names other functions. @others: gets those */
static bool may_go(const struct removal *removal, const struct selector *sel, struct others *others)
{
	struct selector loose = *sel;

	*others = (struct others){ .count = 0 };
	if (loose.kind != SELECTOR_ID)
		loose.has_id = false;
	/* All virtual functions are removed with the physical one. */
	if (sel->kind == SELECTOR_VF && is_physical_named(removal, sel))
		return true;
	if (removal->change.slot.count)
		find_others(removal, &loose, others);
	return sel->kind != SELECTOR_CLASS && (!others->count || is_named_slot(removal, sel));
}

/* May it be removed from a line? If not, that is said, with the fix if one is needed. */
static bool may_remove(struct removal *removal, const char *file, unsigned int line,
		       const char *word, const struct selector *sel)
{
	struct selector loose = *sel;
	struct others others;
	char *meant;

	if (may_go(removal, sel, &others))
		return true;
	if (loose.kind != SELECTOR_ID)
		loose.has_id = false;
	meant = list_meant(removal, &loose);
	if (meant && !*meant) {
		output_foldf(&removal->change.output, 0,
			     "%s:%u: %s stays: it names others, and an except line leaves out what "
			     "you named",
			     file, line, word);
		removal->is_excepted = true;
		free(meant);
		return false;
	}
	message_error(
		"%s:%u: %s names it too, and others%s%s%s%s; fix: write `except %s`, or change "
		"that line",
		file, line, word, others.count ? " (" : "", others.text,
		others.count > MAX_OTHERS ? " and more" : "", others.count ? ")" : "",
		meant ? meant : "what you named");
	free(meant);
	removal->is_left = true;
	return false;
}

/*
 * Writes a line without the selectors that are to be removed, and without the blanks before each of
 * them. A line with none left is removed completely, with its comment. A line that is not a correct
 * bind line does not change.
 */
static void filter_line(struct removal *removal, const char *file, unsigned int number,
			const char *line, size_t len, FILE *out)
{
	size_t end = strcspn(line, "#\n"), pos, left = 0;
	char *kept = NULL;
	size_t size;
	FILE *copy;
	bool changed = false;

	if (end > len)
		end = len;
	copy = bindlines_is_bind(line) ? open_memstream(&kept, &size) : NULL;
	if (!copy) {
		fwrite(line, 1, len, out);
		return;
	}
	pos = strspn(line, " \t");
	pos += strcspn(line + pos, " \t\r#\n");
	fwrite(line, 1, pos, copy);
	while (pos < end) {
		size_t blank = strspn(line + pos, " \t\r"), width;
		char word[CHANGE_SELECTOR_SIZE];
		struct selector sel;

		if (pos + blank >= end)
			break;
		width = strcspn(line + pos + blank, " \t\r#\n");
		snprintf(word, sizeof(word), "%.*s", (int)width, line + pos + blank);
		if (width < sizeof(word) && is_word_meant(removal, word, &sel) &&
		    may_remove(removal, file, number, word, &sel)) {
			changed = true;
			removal->removed++;
		} else {
			fwrite(line + pos, 1, blank + width, copy);
			left++;
			if (width < sizeof(word) && is_address(removal, word, &sel))
				look_at_kept(removal, &sel);
		}
		pos += blank + width;
	}
	fwrite(line + pos, 1, len - pos, copy);
	if (!fclose(copy) && !(changed && !left))
		fwrite(changed ? kept : line, 1, changed ? size : len, out);
	free(kept);
}

/*
 * The selector of a line that has one behind its keyword: "vfs 0000:81:00.0=8086:1572 4". Returns whether
 * it is such a line.
 */
static bool read_selector(const struct removal *removal, const char *line, const char *keyword,
			  char word[CHANGE_SELECTOR_SIZE], struct selector *sel)
{
	size_t len = strlen(keyword), width;

	line += strspn(line, " \t");
	if (strncmp(line, keyword, len) != 0 || !line[len] || !strchr(" \t", line[len]))
		return false;
	line += len + strspn(line + len, " \t");
	width = strcspn(line, " \t\r#\n");
	snprintf(word, CHANGE_SELECTOR_SIZE, "%.*s", (int)width, line);
	return width && width < CHANGE_SELECTOR_SIZE && is_address(removal, word, sel);
}

static bool is_vfs_meant(const struct removal *removal, const char *line)
{
	char word[CHANGE_SELECTOR_SIZE];
	struct selector sel;

	return read_selector(removal, line, "vfs", word, &sel) && is_physical_named(removal, &sel);
}

/* Does a bind line that stays name a function that a set line names? */
static bool is_still_bound(const struct removal *removal, const struct selector *set)
{
	const struct host *host = removal->change.host;

	for (unsigned int i = 0; i < removal->plan.binds; i++) {
		struct selector bind = removal->plan.bind[i].sel;
		struct others others;

		if (pci_resolve(host->root.fd, &bind) ||
		    (is_meant(removal, &bind) && may_go(removal, &bind, &others)))
			continue;
		for (size_t j = 0; j < host->count; j++) {
			const struct pci_function *fn = &host->fn[j].pci;
			struct pci_address addr = fn->addr;
			const struct host_function *first;

			addr.fn = 0;
			first = host_find(host, &addr);
			if (!has_except(removal, fn) && host_is_selected(host, set, fn, NULL) &&
			    host_is_selected(host, &bind, fn, first ? &first->pci.id : NULL))
				return true;
		}
	}
	return false;
}

/*
 * A set line of what is removed has no effect any more, and goes too. One by ID or class stays, as it may
 * be meant for a device that comes; that is said.
 */
static bool is_set_meant(struct removal *removal, const char *file, unsigned int number,
			 const char *line)
{
	char word[CHANGE_SELECTOR_SIZE];
	struct selector sel, loose;
	struct others others;
	bool may;

	if (!read_selector(removal, line, "set", word, &sel) || !is_meant(removal, &sel))
		return false;
	loose = sel;
	if (loose.kind != SELECTOR_ID)
		loose.has_id = false;
	may = may_go(removal, &sel, &others);
	if (is_still_bound(removal, &loose))
		return false;
	if (sel.kind != SELECTOR_ID && sel.kind != SELECTOR_CLASS)
		return may;
	if (!others.count)
		fprintf(removal->kept,
			"%s:%u stays: set %s names what was removed, by %s; delete the line if no "
			"other is to come\n",
			file, number, word, sel.kind == SELECTOR_ID ? "its ID" : "its class");
	return false;
}

static int filter_file(struct removal *removal, struct edit *edit)
{
	FILE *out = open_memstream(&edit->text, &edit->size);
	const char *line = edit->old, *end = edit->old + edit->old_size;

	if (!out)
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	for (unsigned int number = 1; line < end; number++) {
		const char *eol = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)(eol ? eol + 1 - line : end - line);

		if (is_vfs_meant(removal, line) || is_set_meant(removal, edit->name, number, line))
			removal->removed++;
		else
			filter_line(removal, edit->name, number, line, len, out);
		line += len;
	}
	if (fclose(out))
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	return 0;
}

static int remove_from(struct removal *removal, const char *name)
{
	struct edit edit;
	int ret = edit_open(&removal->change.host->root, name + (*name == '/'), &edit);

	if (!ret)
		ret = filter_file(removal, &edit);
	if (!ret && edit_is_changed(&edit))
		ret = change_write(&removal->change, &edit);
	edit_close(&edit);
	return ret;
}

/* Is there a function at the end of a selector's path? Resolves the path. Returns 0 or -errno. */
static int look_at(const struct host *host, struct selector *sel)
{
	struct pci_address addr;
	struct pci_function fn;
	int ret = pci_resolve(host->root.fd, sel);

	if (ret || (sel->kind != SELECTOR_ADDRESS && sel->kind != SELECTOR_SLOT))
		return ret;
	addr = sel->addr;
	ret = pci_read(host->root.fd, &addr, &fn);
	for (addr.fn = 1; addr.fn < 8 && ret && sel->kind == SELECTOR_SLOT; addr.fn++)
		ret = pci_read(host->root.fd, &addr, &fn);
	return ret;
}

/*
 * "vf:0000:81:00.0": selects the lines for its virtual functions. Returns whether the word has this
 * form.
 */
static bool find_virtual(struct removal *removal, const char *word)
{
	struct selector *sel = &removal->sel[removal->sels];

	if (!is_address(removal, word, sel) || sel->kind != SELECTOR_VF)
		return false;
	removal->sels++;
	return true;
}

/*
 * A device that is no longer in the machine is not an error here: removing its lines is right then.
 */
static int find_one(struct removal *removal, const char *word)
{
	const struct host *host = removal->change.host;
	enum slot_scope scope = removal->change.scope;
	char addr[PCI_ADDRESS_SIZE];
	/* add --vfs accepts the network interface of one function of a card. */
	const struct host_function *fn = strpbrk(word, "/ \t\"'") ? NULL :
								    host_find_interface(host, word);
	struct selector sel;
	int ret;

	if (fn) {
		word = pci_address_format(&fn->pci.addr, addr);
		scope = scope == SLOT_WHOLE ? SLOT_ONLY : scope;
	}
	ret = slot_parse(host, word, &sel);
	if (ret)
		return ret;
	ret = look_at(host, &sel);
	removal->sel[removal->sels] = sel;
	removal->is_there[removal->sels++] = !ret;
	return ret ? 0 : slot_add(host, word, scope, &removal->change.slot);
}

static int find_removed(struct removal *removal, int argc, char **argv)
{
	int ret = 0;

	removal->sel = calloc((size_t)argc, sizeof(*removal->sel));
	removal->is_there = calloc((size_t)argc, sizeof(*removal->is_there));
	if (!removal->sel || !removal->is_there)
		return message_errno(-ENOMEM, "cannot remove it");
	for (int i = 0; i < argc && !ret; i++)
		if (!find_virtual(removal, argv[i]))
			ret = find_one(removal, argv[i]);
	return ret;
}

static void say_not_named(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		message_warn("no bind line names %s; vfio-early list shows what is configured",
			     argv[i]);
}

static int run(void *arg, int argc, char **argv)
{
	struct removal *removal = arg;
	struct config_problem problem;
	struct config config;
	char *kept = NULL;
	size_t size;
	int ret = find_removed(removal, argc, argv);

	if (ret)
		return command_selected(ret) < 0 ? COMMAND_NOTHING : COMMAND_USAGE;
	ret = config_read(&removal->change.host->root, &config, &problem);
	if (ret)
		config_say(&problem);
	plan_init(&removal->plan);
	config_parse(&config, &removal->plan, false, NULL, NULL);
	removal->kept = open_memstream(&kept, &size);
	if (!removal->kept && !ret)
		ret = message_errno(-ENOMEM, "cannot remove it");
	for (size_t i = 0; i < config.files && !ret; i++)
		ret = remove_from(removal, config.file[i].name);
	config_free(&config);
	if (removal->kept && fclose(removal->kept) && !ret)
		ret = message_errno(-ENOMEM, "cannot remove it");
	if (!ret) {
		say_kept(removal);
		/* Where no bind line went, nothing was removed that it could name. */
		if (removal->removed)
			print_kept(removal, kept);
	}
	free(kept);
	if (ret)
		return COMMAND_NOTHING;
	if (removal->removed)
		change_say_next(&removal->change);
	else if (!removal->is_left && !removal->is_excepted)
		say_not_named(argc, argv);
	candidate_say_undone(removal->change.host, NULL);
	return removal->is_left ? COMMAND_INCOMPLETE : COMMAND_OK;
}

int command_remove(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		{ CHANGE_ENTRY_GROUP },
		{ CHANGE_ENTRY_ONLY },
		{ CHANGE_ENTRY_DRY },
		{ 0 },
	};
	static const struct options_spec spec = {
		.usage = "remove [OPTION...] ADDRESS...",
		.about = "Takes the functions of a card out of the bind, vfs and set lines of\n"
			 "/etc/vfio-early.conf and /etc/vfio-early.conf.d, and shows the change. All "
			 "else\nstays as it is. A network interface means its function alone, "
			 "vf:ADDRESS the\nvirtual functions alone.\n",
		.entry = entries,
		.common = OPTIONS_ROOT,
		.end = "Exit status: 0 removed, or not there, 1 a line still names it, 2 usage, "
		       "3 cannot be\nwritten.\n",
	};
	static struct removal removal;
	int ret = change_run(&removal.change, &spec, argc, argv, run, &removal);

	free(removal.sel);
	free(removal.is_there);
	return ret;
}
