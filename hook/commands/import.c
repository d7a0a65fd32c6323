// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early import: what older recipes gave to vfio-pci, as lines of the config: ids= of modprobe.d
 * and of the kernel command line, and the overrides of driverctl. Names each line that may be deleted
 * afterwards; --delete comments them out, with a backup beside each file.
 *
 * The kernel command line is not touched here: the boot loaders are scripts/' to edit.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "config/bindlines.h"
#include "config/folders.h"
#include "config/config.h"
#include "config/edit.h"
#include "findings/recipes.h"
#include "host/host.h"
#include "ui/options.h"
#include "util/message.h"

#define BACKUP_SUFFIX ".vfio-early-old"
#define COMMENT	      "# vfio-early import: "

struct import {
	struct host *host;
	struct recipes recipes;
	bool dry_run;
	bool deletes;
	bool is_incomplete;
	char *lines; /* new ones */
	size_t size;
	FILE *out;
	unsigned int added;
};

/* --- lines for the config */

static void where(const struct recipe *recipe, char *buf, size_t size)
{
	if (recipe->line)
		snprintf(buf, size, "%s:%u", recipe->file, recipe->line);
	else
		snprintf(buf, size, "%s", recipe->file);
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
		named += host->fn[i].place != DECIDE_NO_INDEX &&
			 host->fn[i].place < (int)host->table.candidates;
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

/*
 * One of "10de:1187", "10de:1187:1458:3614:030000:ff0000" (drivers/vfio/pci/vfio_pci.c, "ids"):
 * subsystem, class and mask may follow; ffffffff in the subsystem means any.
 */
static int parse_id(const char *text, struct pci_id *id)
{
	unsigned int field[4], count;
	int end = 0;

	count = (unsigned int)sscanf(text, "%x:%x%n:%x:%x%n", &field[0], &field[1], &end, &field[2],
				     &field[3], &end);
	if ((count != 2 && count != 4) || field[0] > 0xffff || field[1] > 0xffff || !field[0] ||
	    (text[end] && text[end] != ':'))
		return -EINVAL;
	*id = (struct pci_id){ .vendor = (uint16_t)field[0], .device = (uint16_t)field[1] };
	if (count == 4 && field[2] <= 0xffff && field[3] <= 0xffff) {
		id->subvendor = (uint16_t)field[2];
		id->subdevice = (uint16_t)field[3];
	}
	return 0;
}

static void import_ids(struct import *import, const struct recipe *recipe, const char *from)
{
	char *copy = strdup(recipe->value), *save, *word;

	for (word = copy ? strtok_r(copy, ",", &save) : NULL; word;
	     word = strtok_r(NULL, ",", &save)) {
		char text[2 * PCI_ID_SIZE];
		struct pci_id id;

		if (parse_id(word, &id)) {
			message_error("%s: %s is no ID, so it is left out", from, word);
			import->is_incomplete = true;
			continue;
		}
		if (is_named_id(import, &id))
			continue;
		warn_id(import, &id);
		if (id.subvendor)
			snprintf(text, sizeof(text), "%04x:%04x:%04x:%04x", id.vendor, id.device,
				 id.subvendor, id.subdevice);
		else
			pci_id_format(&id, text);
		add_line(import, text, &id, from);
	}
	free(copy);
}

static void import_driverctl(struct import *import, const struct recipe *recipe, const char *from)
{
	char text[PCI_ADDRESS_SIZE + PCI_ID_SIZE], id[PCI_ID_SIZE];
	const struct host_function *fn;
	struct pci_address addr;

	if (strcmp(recipe->value, "vfio-pci") != 0)
		return; /* another driver: not ours to set */
	if (!recipe->address || pci_address_parse(recipe->address, &addr))
		return; /* not so: recipes_find() takes no other */
	fn = host_find(import->host, &addr);
	if (!fn) {
		message_error("%s: no function is at that address today, so it is left out", from);
		import->is_incomplete = true;
		return;
	}
	if (fn->place != DECIDE_NO_INDEX && fn->place < (int)import->host->table.candidates)
		return;
	pci_address_format(&addr, text);
	strcat(text, "=");
	strcat(text, pci_id_format(&fn->pci.id, id));
	if (host_protect(import->host, fn))
		message_warn("%s %s: it will not be bound", recipe->address,
			     host_protect(import->host, fn));
	add_line(import, text, &fn->pci.id, from);
}

static bool is_ids(const struct recipe *recipe)
{
	return recipe->kind == RECIPE_IDS || recipe->kind == RECIPE_CMDLINE_IDS ||
	       recipe->kind == RECIPE_STUB_IDS;
}

static void make_lines(struct import *import)
{
	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		char from[512];

		where(recipe, from, sizeof(from));
		if (is_ids(recipe))
			import_ids(import, recipe, from);
		else if (recipe->kind == RECIPE_DRIVERCTL)
			import_driverctl(import, recipe, from);
	}
}

/*
 * modprobe.d is looked through line by line, as only that gives the place of each. libkmod has the
 * last word on what counts: an ids= that it knows of and no line was found for is said.
 */
static void check_kmod(struct import *import)
{
	struct kmod_config_iter *iter;
	struct kmod_ctx *ctx = NULL;
	char **path;

	if (!folders_kmod(&import->host->root, &path, NULL, NULL))
		ctx = kmod_new("/nonexistent", (const char *const *)path);
	iter = ctx ? kmod_config_get_options(ctx) : NULL;
	while (iter && kmod_config_iter_next(iter)) {
		const char *name = kmod_config_iter_get_key(iter);
		const char *value = kmod_config_iter_get_value(iter);
		const char *ids = value ? strstr(value, "ids=") : NULL;
		bool found = !ids ||
			     (strcmp(name, "vfio_pci") != 0 && strcmp(name, "pci_stub") != 0);

		for (size_t i = 0; i < import->recipes.count && !found; i++)
			found = is_ids(&import->recipes.list[i]) &&
				!strncmp(ids + 4, import->recipes.list[i].value,
					 strlen(import->recipes.list[i].value));
		/* Of the running command line too, which libkmod always reads: that may be gone. */
		if (!found && import->host->root.is_host)
			message_warn(
				"modprobe sets `options %s %s`, and no file was found to say it",
				name, value);
	}
	if (iter)
		kmod_config_iter_free_iter(iter);
	kmod_unref(ctx);
	folders_kmod_free(path);
}

/* --- what may go */

static bool may_go(const struct recipe *recipe)
{
	switch (recipe->kind) {
	case RECIPE_IDS:
	case RECIPE_CMDLINE_IDS:
	case RECIPE_STUB_IDS:
	case RECIPE_SOFTDEP:
	case RECIPE_MODULES:
	case RECIPE_VIRQFD:
	case RECIPE_AMD_IOMMU:
		return true;
	case RECIPE_DRIVERCTL:
		return !strcmp(recipe->value, "vfio-pci");
	default:
		return false;
	}
}

/* A line of a file that only such lines are in; a boot loader's file is edited by its own means. */
static bool is_deletable(const struct recipe *recipe)
{
	static const char *const places[] = { "/modprobe.d/", "/modules-load.d/", "/etc/modules",
					      "/etc/initramfs-tools/modules", "/etc/driverctl.d/" };

	if (!may_go(recipe))
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strstr(recipe->file, places[i]))
			return true;
	return false;
}

static void print_deletable(const struct import *import)
{
	bool first = true;

	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		char from[512];

		if (!may_go(recipe) || (import->deletes && is_deletable(recipe)))
			continue;
		if (first)
			puts("No longer needed, once the next boot has shown it:");
		first = false;
		where(recipe, from, sizeof(from));
		printf("  %s: %s\n", from, recipe->text);
	}
	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		char from[512];

		if (may_go(recipe) || recipe->kind == RECIPE_DRIVERCTL)
			continue;
		where(recipe, from, sizeof(from));
		message_warn("%s: %s: %s; %s", from, recipe->text, recipe_why(recipe),
			     recipe_fix(recipe));
	}
}

/* "options vfio-pci ids=... disable_vga=1": what is not about IDs goes on to count. */
static void write_rest(const char *line, size_t len, FILE *out)
{
	char *copy = strndup(line, len), *save, *word;
	unsigned int kept = 0;

	for (word = copy ? strtok_r(copy, " \t\r\n", &save) : NULL; word;
	     word = strtok_r(NULL, " \t\r\n", &save)) {
		if (!strncmp(word, "ids=", 4))
			continue;
		/* The first two words are `options MODULE`: written when a third one comes. */
		if (++kept == 3)
			fprintf(out, "options vfio-pci");
		if (kept >= 3)
			fprintf(out, " %s", word);
	}
	if (kept >= 3)
		fputc('\n', out);
	free(copy);
}

static const struct recipe *find_line(const struct import *import, const char *file,
				      unsigned int line)
{
	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];

		if (recipe->line == line && is_deletable(recipe) && !strcmp(recipe->file, file))
			return recipe;
	}
	return NULL;
}

static int comment_out(const struct import *import, struct edit *edit)
{
	FILE *out = open_memstream(&edit->text, &edit->size);
	const char *line = edit->old, *end = edit->old + edit->old_size;
	bool go_on = false; /* a line that ends in \ goes on in the next */

	if (!out)
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	for (unsigned int number = 1; line < end; number++) {
		const char *eol = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)(eol ? eol + 1 - line : end - line);
		const struct recipe *recipe = find_line(import, edit->name, number);

		if (recipe || go_on)
			fputs(COMMENT, out);
		fwrite(line, 1, len, out);
		if (recipe && recipe->kind == RECIPE_IDS && !strncmp(recipe->text, "options", 7)) {
			if (!eol)
				fputc('\n', out);
			write_rest(recipe->text, strlen(recipe->text), out);
		}
		go_on = (recipe || go_on) && len > 1 && line[len - 1 - !!eol] == '\\';
		line += len;
	}
	if (fclose(out))
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	return 0;
}

/* driverctl takes every file of its folder for an address: the whole file goes, out of its sight. */
static int hide_file(const struct import *import, const struct recipe *recipe)
{
	const char *base = strrchr(recipe->file, '/') + 1;
	int dir = (int)(base - recipe->file);
	char hidden[512];

	snprintf(hidden, sizeof(hidden), "%.*s.%s" BACKUP_SUFFIX, dir, recipe->file, base);
	if (import->dry_run) {
		printf("%s would become %s\n", recipe->file, hidden);
		return 0;
	}
	if (renameat(import->host->root.fd, recipe->file + 1, import->host->root.fd, hidden + 1))
		return message_errno(-errno, "cannot rename %s", recipe->file);
	printf("%s is now %s\n", recipe->file, hidden);
	return 0;
}

static int delete_from(const struct import *import, const char *file)
{
	struct edit edit;
	char *kept = NULL;
	int ret = edit_open(&import->host->root, file + 1, &edit);

	if (!ret)
		ret = comment_out(import, &edit);
	if (!ret)
		ret = edit_diff(&edit);
	if (!ret && !import->dry_run)
		ret = edit_backup(&edit, BACKUP_SUFFIX, &kept);
	if (!ret && !import->dry_run)
		ret = edit_commit(&edit);
	if (!ret && kept)
		printf("The old text is kept as %s\n", kept);
	free(kept);
	edit_close(&edit);
	return ret;
}

static int delete_all(const struct import *import)
{
	int ret = 0;

	for (size_t i = 0; i < import->recipes.count && !ret; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		bool is_first = true;

		if (!is_deletable(recipe))
			continue;
		for (size_t j = 0; j < i; j++)
			is_first &= !is_deletable(&import->recipes.list[j]) ||
				    strcmp(import->recipes.list[j].file, recipe->file) != 0;
		if (recipe->kind == RECIPE_DRIVERCTL)
			ret = hide_file(import, recipe);
		else if (is_first)
			ret = delete_from(import, recipe->file);
	}
	return ret;
}

/* --- the whole */

static int write_config(struct import *import)
{
	struct edit edit;
	int ret;

	if (!import->added)
		return 0;
	ret = edit_open(&import->host->root, LINES_CONFIG, &edit);
	if (!ret)
		ret = lines_insert(&edit, import->lines);
	if (!ret)
		edit_diff(&edit);
	if (!ret && !import->dry_run)
		ret = edit_commit(&edit);
	edit_close(&edit);
	return ret;
}

static bool has_work(const struct import *import)
{
	for (size_t i = 0; i < import->recipes.count; i++)
		if (may_go(&import->recipes.list[i]))
			return true;
	return import->added > 0;
}

static int run(struct import *import, const struct options *opts)
{
	int ret = host_open(opts->root, &import->host);

	if (!ret)
		ret = host_decide(import->host, NULL);
	if (!ret)
		ret = recipes_find(&import->host->root, &import->recipes);
	if (ret)
		return COMMAND_NOTHING;
	import->out = open_memstream(&import->lines, &import->size);
	if (!import->out) {
		message_errno(-ENOMEM, "cannot import");
		return COMMAND_NOTHING;
	}
	if (import->recipes.unread) {
		message_errno(-import->recipes.error, "cannot read /%s", import->recipes.unread);
		import->is_incomplete = true;
	}
	make_lines(import);
	check_kmod(import);
	if (fclose(import->out)) {
		message_errno(-ENOMEM, "cannot import");
		return COMMAND_NOTHING;
	}
	if (!has_work(import) && !import->is_incomplete) {
		puts("Nothing to import: no ids= and no override of driverctl for vfio-pci.");
		return COMMAND_OK;
	}

	/* First what replaces them, then what they are: in between both are there, never none. */
	ret = write_config(import);
	if (ret)
		return COMMAND_NOTHING;
	if (!import->added)
		puts("The config has all of it already.");
	if (import->deletes && import->is_incomplete)
		message_error("not all could be imported, so nothing is deleted");
	else if (import->deletes)
		ret = delete_all(import);
	if (ret)
		return COMMAND_NOTHING;
	fflush(stdout);
	print_deletable(import);
	if (import->dry_run)
		puts("Nothing was written (--dry-run).");
	else
		puts("To take effect: " COMMAND_APPLY ", then reboot.");
	return import->is_incomplete ? COMMAND_INCOMPLETE : COMMAND_OK;
}

int command_import(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		{ "delete", 'd', NULL, "comment out what is no longer needed, with a backup" },
		{ "dry-run", 'n', NULL, "show the changes, write nothing" },
		{ 0 },
	};
	static const struct options_spec spec = {
		.usage = "import [OPTION...]",
		.about = "Turns `options vfio-pci ids=` of modprobe.d, `vfio-pci.ids=` of the kernel "
			 "command\nline and overrides of driverctl into bind lines, and names each "
			 "line that may then\nbe deleted.\n",
		.entry = entries,
		.common = OPTIONS_ROOT,
		.end = "Exit status: 0 imported, or nothing to do, 1 something had to be left out, "
		       "2 usage,\n3 cannot be read or written.\n",
	};
	static struct import import;
	struct options opts;
	int opt, ret;

	options_init(&opts, &spec);
	while ((opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		if (opt == OPTIONS_EXIT)
			return opts.status;
		if (opt == 'd')
			import.deletes = true;
		else if (opt == 'n')
			import.dry_run = true;
	}
	ret = options_no_arguments(&opts, argc, argv);
	if (ret)
		return ret;

	ret = run(&import, &opts);
	if (output_finish() && ret == COMMAND_OK)
		ret = COMMAND_INCOMPLETE;
	free(import.lines);
	recipes_free(&import.recipes);
	host_close(import.host);
	return ret;
}
