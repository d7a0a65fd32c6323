// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early import: writes what older recipes gave to vfio-pci as lines of the config: ids= of
 * modprobe.d, of lists of modules and of the kernel command line, and the overrides of driverctl.
 * Names each line that may be deleted afterwards; --delete comments them out, with a backup beside
 * each file. Reports what cannot be turned into lines, and what has no effect.
 *
 * It does not change the kernel command line: scripts/ edits the files of boot loaders.
 */
#include <errno.h>
#include <getopt.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/candidate.h"
#include "commands/command.h"
#include "commands/import_ids.h"
#include "config/bindlines.h"
#include "config/edit.h"
#include "config/folders.h"
#include "config/trial.h"
#include "findings/findings.h"
#include "findings/show.h"
#include "host/next_boot.h"
#include "host/slot.h"
#include "ui/options.h"
#include "plan/plan.h"
#include "util/message.h"
#include "util/params.h"

/* --- what libkmod knows */

static bool is_found(const struct import *import, const struct param *ids)
{
	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];

		if (recipe_is_ids(recipe) && strlen(recipe->value) == ids->value_len &&
		    !memcmp(recipe->value, ids->value, ids->value_len))
			return true;
	}
	return false;
}

static void check_options(const struct import *import, const char *module, const char *options)
{
	struct params params;
	struct param param;

	params_begin(&params, options, strlen(options));
	while (params_next(&params, &param))
		if (param_is(&param, "ids") && param.value_len && !is_found(import, &param))
			message_warn("modprobe sets `options %s %s`, but no file was found that has "
				     "it",
				     module, options);
}

/*
 * modprobe.d is read line by line, because only that gives the place of each line. But libkmod
 * decides what counts: reports an ids= that libkmod has and for which no line was found. Not below
 * another root: libkmod always reads the command line of the running kernel too.
 */
static void check_kmod(const struct import *import)
{
	struct kmod_config_iter *iter;
	struct kmod_ctx *ctx = NULL;
	char **path;

	if (!import->host->root.is_host)
		return;
	if (!folders_kmod(&import->host->root, &path, NULL, NULL))
		ctx = kmod_new("/nonexistent", (const char *const *)path);
	iter = ctx ? kmod_config_get_options(ctx) : NULL;
	while (iter && kmod_config_iter_next(iter)) {
		const char *name = kmod_config_iter_get_key(iter);
		const char *value = kmod_config_iter_get_value(iter);

		if (value && (!strcmp(name, "vfio_pci") || !strcmp(name, "pci_stub")))
			check_options(import, name, value);
	}
	if (iter)
		kmod_config_iter_free_iter(iter);
	kmod_unref(ctx);
	folders_kmod_free(path);
}

/* --- the rest of a card */

static bool is_mate(const struct import *import, struct host_function *fn,
		    struct host_function *taken)
{
	int group = host_group(import->host, fn);

	/* On the root bus of the chipset, a slot is not a card. */
	if (pci_address_same_slot(&fn->pci.addr, &taken->pci.addr) && fn->pci.addr.bus)
		return true;
	return group >= 0 && group == host_group(import->host, taken);
}

/*
 * The lines in the form of a plan, where a comment is a line of its own. The caller frees the
 * result; NULL without memory.
 */
static char *plain_lines(const char *lines)
{
	char *text = strdup(lines), *to = text;

	for (const char *from = text; from && *from;) {
		size_t len = strcspn(from, "\n"), kept = strcspn(from, "#\n");

		memmove(to, from, kept);
		to += kept;
		*to++ = '\n';
		from += len + (from[len] == '\n');
	}
	if (to)
		*to = '\0';
	return text;
}

/*
 * This host with the lines, which a dry run has not written.
 * @more: in the form of a plan
 */
static int open_candidate(const struct import *import, const char *more, struct host **host)
{
	char *plain = plain_lines(import->lines), *lines = NULL, *compiled = NULL;
	size_t size;
	int ret = -ENOMEM;

	if (plain && asprintf(&lines, "%s%s", plain, more) < 0)
		lines = NULL;
	free(plain);
	if (lines)
		ret = compiler_plan(import->host->compiler, NULL, &compiled, &size);
	if (!ret)
		ret = candidate_open(import->host, compiled, lines, host);
	free(compiled);
	free(lines);
	return ret;
}

/* The function of a recipe whose card or group an other one is in that nothing names; or NULL. */
static struct host_function *find_taken(const struct import *import, struct host_function *fn)
{
	struct host *host = import->host;
	size_t at = (size_t)(fn - host->fn);

	if (import->is_taken[at] || import->is_left_out[at] || pci_is_bridge(&fn->pci) ||
	    slot_is_virtual(&host->root, &fn->pci.addr) || host_is_named(host, fn))
		return NULL;
	for (size_t i = 0; i < host->count; i++)
		if (import->is_taken[i] && is_mate(import, fn, &host->fn[i]))
			return &host->fn[i];
	return NULL;
}

/* Decides as if the config had these others too. *mates: NULL when there are none */
static int open_mates(const struct import *import, struct host **mates)
{
	char *lines = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&lines, &size);
	int ret = 0;

	for (size_t i = 0; i < import->host->count && out; i++) {
		struct host_function *fn = &import->host->fn[i];
		char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];

		if (find_taken(import, fn))
			fprintf(out, "bind %s=%s\n", pci_address_format(&fn->pci.addr, addr),
				pci_id_format(&fn->pci.id, id));
	}
	if (!out || fclose(out))
		ret = message_errno(-ENOMEM, "cannot look at the rest of the cards");
	else if (size)
		ret = open_candidate(import, lines, mates);
	free(lines);
	return ret;
}

/* What `add` would refuse is not proposed; in a group of its own it keeps no VM from the others. */
static void warn_refused(const struct import *import, struct host_function *fn,
			 struct host_function *taken, const struct host *mates)
{
	const struct host_function *mate = host_find(mates, &fn->pci.addr);
	enum reason reason = mates->decisions.verdict[mate->place].reason;
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], other[PCI_ADDRESS_SIZE], why[512];
	int group = host_group(import->host, fn);

	if (group < 0 || group != host_group(import->host, taken))
		return;
	pci_address_format(&taken->pci.addr, other);
	message_warn("%s %s is in the group of %s, and would not be bound: %s: no VM can have that "
		     "group; fix: %s, or put %s into an except line",
		     pci_address_format(&fn->pci.addr, addr), pci_id_format(&fn->pci.id, id), other,
		     host_why(mates, mate, why, sizeof(why)),
		     reason == REASON_EXCEPT   ? "remove it from the except line" :
		     reason == REASON_BOOT_VGA ? "set boot-vga bind" :
						 "change that",
		     other);
}

static void warn_mate(const struct import *import, struct host_function *fn,
		      struct host_function *taken, const struct host *mates)
{
	struct host *host = import->host;
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], other[PCI_ADDRESS_SIZE];
	const struct host_function *bridge;

	pci_address_format(&fn->pci.addr, addr);
	pci_address_format(&taken->pci.addr, other);
	if (host_protect(host, fn)) {
		message_warn("%s %s is in the slot or the group of %s, and %s: no VM can "
			     "have that group",
			     addr, pci_id_format(&fn->pci.id, id), other, host_protect(host, fn));
		return;
	}
	bridge = next_boot_bridge(host, host_group(host, taken));
	if (bridge) {
		char between[PCI_ADDRESS_SIZE];

		message_warn("%s %s is in the slot or the group of %s, and so is %s, a bridge "
			     "of the chipset: no VM can have that group; fix: vfio-early "
			     "remove --group %s after this",
			     addr, pci_id_format(&fn->pci.id, id), other,
			     pci_address_format(&bridge->pci.addr, between), other);
		return;
	}
	if (import_is_refused(mates, &fn->pci.addr))
		warn_refused(import, fn, taken, mates);
	else
		message_warn("%s %s is in the slot or the group of %s, and no recipe names it; to "
			     "hand it over too: vfio-early add --only %s",
			     addr, pci_id_format(&fn->pci.id, id), other, addr);
}

/*
 * A recipe for a part of a card may have worked, but a VM needs the whole group. Returns 0, or -errno
 * after printing an error.
 */
static int warn_mates(const struct import *import)
{
	struct host *mates = NULL;
	int ret = open_mates(import, &mates);

	for (size_t i = 0; mates && i < import->host->count; i++) {
		struct host_function *fn = &import->host->fn[i];
		struct host_function *taken = find_taken(import, fn);

		if (taken)
			warn_mate(import, fn, taken, mates);
	}
	host_close(mates);
	return ret;
}

/* --- messages about the recipes */

/* Are both the same line, or the same word of a line? */
static bool is_same_place(const struct recipe *recipe, const struct recipe *other)
{
	return other->line == recipe->line && !strcmp(other->file, recipe->file) &&
	       !strcmp(other->text, recipe->text);
}

/*
 * A line or word in which several recipes were found is named only once in each part of the output.
 */
static bool is_named_before(const struct import *import, size_t i)
{
	const struct recipe *recipe = &import->recipes.list[i];

	for (size_t j = 0; j < i; j++) {
		const struct recipe *other = &import->recipes.list[j];

		if (import_may_go(import, i) == import_may_go(import, j) &&
		    other->state == recipe->state && other->kind == recipe->kind &&
		    is_same_place(recipe, other))
			return true;
	}
	return false;
}

static bool is_needless(const struct import *import, size_t i)
{
	return import->recipes.list[i].state == RECIPE_IN_FORCE && import_may_go(import, i) &&
	       !(import->deletes && import_is_deletable(import, i));
}

/* If the whole line may be deleted, its part without effect is not listed again. */
static bool is_listed(const struct import *import, const struct recipe *recipe)
{
	for (size_t j = 0; j < import->recipes.count; j++)
		if (is_needless(import, j) && is_same_place(recipe, &import->recipes.list[j]))
			return true;
	return false;
}

static bool is_idle(const struct import *import, size_t i)
{
	const struct recipe *recipe = &import->recipes.list[i];

	return recipe->state != RECIPE_IN_FORCE && recipe->state != RECIPE_NOT_KNOWN &&
	       recipe->state != RECIPE_SET_AGAIN && !is_listed(import, recipe);
}

/*
 * It would be in force without the line that is set behind it, and goes with that one; in the same
 * line, with itself.
 */
static bool is_set_again(const struct import *import, size_t i)
{
	const struct recipe *recipe = &import->recipes.list[i];
	char from[IMPORT_WHERE_SIZE];

	return recipe->state == RECIPE_SET_AGAIN && !is_listed(import, recipe) &&
	       !(import->deletes && import_is_deletable(import, i)) &&
	       !(recipe->by && !strcmp(recipe->by, import_where(recipe, from)));
}

static bool is_kept(const struct import *import, size_t i)
{
	return import->recipes.list[i].state == RECIPE_IN_FORCE &&
	       import->recipes.list[i].harm == RECIPE_HARMLESS;
}

static void print_part(const struct import *import, const char *title, bool with_why,
		       bool (*is_in)(const struct import *import, size_t i))
{
	bool is_first = true;

	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		bool has_by = with_why && recipe->by;
		char from[IMPORT_WHERE_SIZE];

		if (!is_in(import, i) || is_named_before(import, i))
			continue;
		if (is_first)
			puts(title);
		is_first = false;
		fputs("  ", stdout);
		output_foldf(import->output, 2, "%s%s%s%s%s%s%s%s", import_where(recipe, from),
			     *recipe->text ? ": " : "", recipe->text, with_why ? ": " : "",
			     with_why ? recipe_why(recipe) : "", has_by ? " (" : "",
			     has_by ? recipe->by : "", has_by ? ")" : "");
	}
}

/* Prints recipes that stay and are harmful, with their fix, as `check` does. */
static void warn_others(const struct import *import)
{
	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		char from[IMPORT_WHERE_SIZE];

		if (recipe->state != RECIPE_NOT_KNOWN &&
		    (recipe->state != RECIPE_IN_FORCE || import_may_go(import, i) ||
		     recipe->harm == RECIPE_HARMLESS || recipe->kind == RECIPE_DRIVERCTL ||
		     recipe->kind == RECIPE_DRIVERCTL_OTHER ||
		     (recipe_is_ids(recipe) && !import->is_done[i])))
			continue;
		if (is_named_before(import, i))
			continue;
		message_warn("%s: %s%s%s; %s", import_where(recipe, from), recipe->text,
			     *recipe->text ? ": " : "", recipe_why(recipe), recipe_fix(recipe));
	}
}

static void print_recipes(const struct import *import)
{
	fflush(stdout);
	print_part(import, "No longer needed, once the next boot has shown that it works:", false,
		   is_needless);
	if (*import->vfs_done)
		printf("Makes virtual functions as a vfs line does; delete it, once the next boot has "
		       "shown it:\n%s",
		       import->vfs_done);
	print_part(import, "Not in force, and so not imported:", true, is_idle);
	if (*import->vfs_idle)
		printf("Makes no virtual functions, as it is not in force, and so not imported:\n%s",
		       import->vfs_idle);
	print_part(import, "Set again further down, so not imported; delete them together:", true,
		   is_set_again);
	print_part(import, "Left as it is:", true, is_kept);
	fflush(stdout);
	warn_others(import);
}

/* Prints what blocks the config that was, or would be, written, as `check` does. */
static int print_findings(const struct import *import, const struct options *opts)
{
	struct findings findings = { 0 };
	struct host *host = NULL;
	char *kernel = NULL;
	int ret = import->dry_run ? open_candidate(import, "", &host) :
				    host_twin(import->host, &host);

	if (!ret)
		ret = host_kernel(host, &kernel);
	if (ret == -ENOENT)
		ret = 0;
	/* Findings about the config have been printed already. */
	if (!ret && !import->dry_run) {
		host->voice = PLAN_SAYS_NOTHING;
		ret = host_decide(host, kernel);
	}
	if (!ret)
		ret = findings_collect_check(host, kernel, &findings);
	if (ret)
		message_errno(ret, "cannot look for what stands in the way; fix: vfio-early check");
	else if (findings_count(&findings, &findings_of_check, FINDING_BLOCKS))
		puts("In the way of the next boot, or of a VM:");
	if (!ret)
		findings_print(&findings, &findings_of_check, FINDING_BLOCKS, &opts->output);
	findings_free(&findings);
	free(kernel);
	host_close(host);
	return ret;
}

/* --- the whole */

static int write_config(struct import *import, struct edit *edit)
{
	int ret;

	if (!import->added)
		return 0;
	ret = bindlines_insert(edit, import->lines);
	if (!ret)
		edit_diff(edit);
	if (!ret && !import->dry_run)
		ret = edit_commit(edit);
	return ret;
}

/* As in `check`: with interrupt remapping, allow_unsafe_interrupts has no effect. */
static void settle_unsafe(struct import *import)
{
	for (size_t i = 0; i < import->recipes.count && import->host->iommu.has_remapping; i++) {
		struct recipe *recipe = &import->recipes.list[i];

		if (recipe->is_unsafe && recipe->state == RECIPE_IN_FORCE)
			recipe->state = RECIPE_NO_EFFECT;
	}
}

/* Collects everything for the lines; the config is locked already. */
static int look(struct import *import)
{
	int ret;

	/* What the config says is compared, and changed, also while `undo` is in effect. */
	import->host->undone = HOST_UNDONE_NO;
	ret = host_decide(import->host, NULL);
	if (!ret)
		ret = recipes_find(&import->host->root, import->host->answers, &import->recipes);
	if (ret)
		return ret;
	import->is_done = calloc(import->recipes.count + 1, sizeof(*import->is_done));
	import->is_taken = calloc(import->host->count + 1, sizeof(*import->is_taken));
	import->is_left_out = calloc(import->host->count + 1, sizeof(*import->is_left_out));
	import->out = open_memstream(&import->lines, &import->size);
	if (!import->is_done || !import->is_taken || !import->is_left_out || !import->out)
		return message_errno(-ENOMEM, "cannot import");
	if (import->recipes.unread) {
		message_error("cannot read /%s, which can have recipes: %s%s",
			      import->recipes.unread, strerror(import->recipes.error),
			      import->recipes.error == EACCES && geteuid() ?
				      "; fix: run it as root" :
				      "");
		import->is_incomplete = true;
	}
	if (import->recipes.next_error) {
		message_errno(
			import->recipes.next_error,
			"cannot ask vfio-early-cmdline what the next boot passes to the kernel");
		import->is_incomplete = true;
	}
	ret = import_open_next(import);
	if (ret)
		return ret;
	settle_unsafe(import);
	import_make_lines(import);
	check_kmod(import);
	ret = import_vfs(import);
	if (ret)
		return ret;
	ret = fclose(import->out);
	import->out = NULL;
	return ret ? message_errno(-ENOMEM, "cannot import") : 0;
}

/*
 * First the config, then the recipes: in between both exist, never neither of them. Returns 0 or
 * -errno.
 */
static int clean_up(struct import *import)
{
	bool is_left_out = false;
	int ret = 0;

	for (size_t i = 0; i < import->host->count; i++)
		is_left_out |= import->is_left_out[i];
	if (!import->givers)
		puts("Nothing to import: no ids= and no override of driverctl for vfio-pci.");
	else if (!import->added && !import->is_incomplete)
		puts(is_left_out ? "The config has the rest of it already." :
				   "The config has all of it already.");
	fflush(stdout);
	if (import->added)
		ret = warn_mates(import);
	if (ret || !import->deletes)
		return ret;
	if (!import->is_incomplete)
		return import_delete(import);
	message_error("not all could be imported, so nothing is deleted");
	return 0;
}

static int run(struct import *import, const struct options *opts)
{
	struct edit edit = EDIT_NONE;
	int ret = host_open(opts->root, &import->host);

	import->output = &opts->output;
	/*
	 * Locked before the config is read: so lines from another import or add are seen, and not
	 * written twice.
	 */
	if (!ret)
		ret = edit_open(&import->host->root, BINDLINES_FILE, &edit);
	if (!ret)
		ret = look(import);
	if (!ret)
		ret = write_config(import, &edit);
	/* The lock is for the folder, which also has some of the old files. */
	edit_close(&edit);
	if (!ret)
		ret = clean_up(import);
	if (ret)
		return COMMAND_NOTHING;
	print_recipes(import);
	if (import->added && print_findings(import, opts))
		import->is_incomplete = true;
	if (!import->added && !import->deleted && (!import->givers || import->is_incomplete))
		; /* there is nothing to say, or it has been said */
	else if (import->dry_run)
		puts("Nothing was written (--dry-run).");
	else
		printf("To take effect: %s, then reboot.\n", trial_command(&import->host->root));
	candidate_say_undone(import->host, NULL);
	return import->is_incomplete ? COMMAND_INCOMPLETE : COMMAND_OK;
}

int command_import(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		{ "delete", 'd', NULL, "comment out lines no longer needed; keep a backup" },
		{ "dry-run", 'n', NULL, "show the changes, write nothing" },
		{ 0 },
	};
	static const struct options_spec spec = {
		.usage = "import [OPTION...]",
		.about =
			"Turns `options vfio-pci ids=` of modprobe.d, `vfio-pci.ids=` of the kernel "
			"command\nline and overrides of driverctl into bind lines, lines that make "
			"virtual functions\n(sriov_numvfs, max_vfs=) into vfs lines, and names each "
			"line that may then be\ndeleted.\n",
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
	if (import.out)
		fclose(import.out);
	free(import.lines);
	free(import.vfs_done);
	free(import.vfs_idle);
	free(import.is_done);
	free(import.is_taken);
	free(import.is_left_out);
	recipes_free(&import.recipes);
	host_close(import.next);
	host_close(import.host);
	return ret;
}
