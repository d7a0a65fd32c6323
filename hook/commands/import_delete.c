// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes recipes out of their files; see import_ids.h. A line is commented out; its other settings
 * are written again below it. The files of boot loaders are left to scripts/. Files of packages and
 * of this boot alone (/usr/lib, /run) are not changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/import_ids.h"
#include "config/edit.h"
#include "util/file.h"
#include "util/message.h"
#include "util/modprobe.h"
#include "util/params.h"

#define BACKUP_SUFFIX ".vfio-early-old"
#define COMMENT	      "# vfio-early import: "

/*
 * Does the boot half load vfio-pci, and does nothing else need the line that loads it? A script, a
 * rule, a unit or an ids= that was not imported would not find the driver without that line.
 */
static bool is_ours_alone(const struct import *import)
{
	if (!import->added && !import->host->plan.binds)
		return false;
	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];

		if (recipe->state != RECIPE_IN_FORCE)
			continue;
		switch (recipe->kind) {
		case RECIPE_SCRIPT:
		case RECIPE_UDEV:
		case RECIPE_UNIT:
		case RECIPE_STARTUP:
			return false;
		case RECIPE_INSTALL_VFIO:
		case RECIPE_IDS:
		case RECIPE_MODULE_IDS:
		case RECIPE_CMDLINE_IDS:
		case RECIPE_STUB_IDS:
			if (!import->is_done[i])
				return false;
			break;
		default:
			break;
		}
	}
	return true;
}

bool import_may_go(const struct import *import, size_t i)
{
	const struct recipe *recipe = &import->recipes.list[i];

	if (recipe->state == RECIPE_SET_AGAIN)
		return true;
	if (recipe->state != RECIPE_IN_FORCE)
		return false;
	if (recipe_is_ids(recipe))
		return import->is_done[i];
	switch (recipe->kind) {
	case RECIPE_SOFTDEP:
	case RECIPE_MODULES:
	case RECIPE_VIRQFD:
	case RECIPE_DRIVER_PRE:
	case RECIPE_ALIAS:
		return is_ours_alone(import);
	case RECIPE_AMD_IOMMU:
		return true;
	case RECIPE_DRIVERCTL:
		return import->is_done[i];
	default:
		return false;
	}
}

bool import_is_deletable(const struct import *import, size_t i)
{
	static const char *const places[] = { "/etc/modprobe.d/", "/etc/modules-load.d/",
					      "/etc/modules", "/etc/initramfs-tools/modules",
					      "/etc/driverctl.d/" };
	const struct recipe *recipe = &import->recipes.list[i];

	if (!import_may_go(import, i))
		return false;
	for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
		size_t len = strlen(places[j]);

		if (!strncmp(recipe->file, places[j], len) &&
		    (places[j][len - 1] == '/' || !recipe->file[len]))
			return true;
	}
	return false;
}

/*
 * The recipe of a line to be deleted; NULL if there is none, or if another recipe in the line must
 * stay.
 * @text: the line as it is now; it stays if it has changed since it was read
 */
static const struct recipe *find_line(const struct import *import, const char *file,
				      unsigned int line, const char *text)
{
	const struct recipe *found = NULL;

	for (size_t i = 0; i < import->recipes.count; i++) {
		const struct recipe *recipe = &import->recipes.list[i];

		if (recipe->line != line || strcmp(recipe->file, file) != 0)
			continue;
		if (recipe_is_ids(recipe) && recipe->state == RECIPE_IN_FORCE &&
		    !import_is_deletable(import, i))
			return NULL;
		if (import_is_deletable(import, i) && !strcmp(recipe->text, text))
			found = recipe;
	}
	return found;
}

/*
 * Does the parameter stay? Not ids=, nor a part of it that a blank has cut off, nor anything behind
 * a '#'.
 */
static bool is_kept(const struct param *param, bool *is_comment)
{
	*is_comment |= *param->text == '#';
	return !*is_comment && !param_is(param, "ids") &&
	       (param->value || strspn(param->name, "0123456789abcdefABCDEF:,;") < param->name_len);
}

static void write_word(const char *text, size_t len, bool is_modprobe, FILE *out)
{
	fputc(' ', out);
	for (size_t i = 0; i < len; i++) {
		if (is_modprobe && text[i] == '\\')
			fputc('\\', out);
		fputc(text[i], out);
	}
}

/*
 * "softdep snd_hda_intel pre: vfio-pci snd_hda_codec_hdmi": writes the modules that are not of
 * vfio. libkmod ignores what is before the first "pre:" or "post:".
 */
static void write_softdep(const struct modprobe_line *line, FILE *out)
{
	const char *list = NULL, *written = NULL, *word = line->rest;
	size_t len;

	for (word += strspn(word, " \t\r"); *word; word += len + strspn(word + len, " \t\r")) {
		len = strcspn(word, " \t\r");
		if ((len == 4 && !memcmp(word, "pre:", len)) ||
		    (len == 5 && !memcmp(word, "post:", len))) {
			list = word;
			continue;
		}
		if (!list || recipe_is_vfio_module(word, len))
			continue;
		if (!written)
			fprintf(out, "softdep %.*s", (int)line->module_len, line->module);
		if (written != list)
			write_word(list, strcspn(list, " \t\r"), true, out);
		written = list;
		write_word(word, len, true, out);
	}
	if (written)
		fputc('\n', out);
}

/* "options vfio-pci ids=... disable_vga=1": the parameters that are not IDs stay in effect. */
static void write_rest(const struct recipe *recipe, const struct modprobe_line *line, FILE *out)
{
	bool is_modprobe = line->command == MODPROBE_OPTIONS, is_comment = false, is_first = true;
	const char *module = line->module, *rest = line->rest;
	size_t len = line->module_len;
	struct params params;
	struct param param;

	if (!is_modprobe) {
		module = recipe->text + strspn(recipe->text, " \t");
		len = strcspn(module, " \t");
		rest = module + len;
	}
	params_begin(&params, rest, strlen(rest));
	while (params_next(&params, &param)) {
		if (!is_kept(&param, &is_comment))
			continue;
		if (is_first)
			fprintf(out, "%s%.*s", is_modprobe ? "options " : "", (int)len, module);
		is_first = false;
		write_word(param.text, param.len, is_modprobe, out);
	}
	if (!is_first)
		fputc('\n', out);
}

/* "install vfio-pci modprobe -i vfio-pci ids=... disable_vga=1": the options of the command. */
static void write_install(const struct modprobe_line *line, FILE *out)
{
	struct params params;
	struct param param;
	bool is_first = true;

	params_begin(&params, line->rest, strlen(line->rest));
	while (params_next(&params, &param)) {
		if (!param.value || *param.text == '-' || param_is(&param, "ids"))
			continue;
		if (is_first)
			fprintf(out, "options %.*s", (int)line->module_len, line->module);
		is_first = false;
		write_word(param.text, param.len, true, out);
	}
	if (!is_first)
		fputc('\n', out);
}

static bool has_rest(const struct recipe *recipe)
{
	return recipe->kind == RECIPE_SOFTDEP || recipe_is_ids(recipe);
}

/* Does a backslash at its end join the next line to it? One that another backslash quotes does not. */
static bool is_continued(const char *line, size_t len)
{
	size_t backslashes = 0;

	while (backslashes < len && line[len - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2;
}

/*
 * Makes the new text of a file. A line that continues in the next one is commented out as a whole,
 * each part as a comment of its own, without the backslash that would join the next one to it; the
 * rest of the line is written behind its last part.
 */
static int comment_out(const struct import *import, struct edit *edit)
{
	char *copy = strdup(edit->old), *pos = copy;
	FILE *out = copy ? open_memstream(&edit->text, &edit->size) : NULL;
	bool is_modprobe = strstr(edit->name, "/modprobe.d/");
	const char *old = edit->old;
	struct modprobe_line line = { 0 };

	/* Lists of modules have no backslash, so their lines do not continue. */
	while (out && *old) {
		const struct recipe *recipe;
		unsigned int lines = 1;

		if (is_modprobe) {
			modprobe_next(&pos, &line);
			lines = line.lines;
		} else {
			line.number++;
			line.text = strsep(&pos, "\n");
			line.text[strcspn(line.text, "\r")] = '\0';
		}
		recipe = find_line(import, edit->name, line.number, line.text);
		for (; lines && *old; lines--) {
			size_t len = strcspn(old, "\n");
			size_t kept = len;

			if (recipe && is_modprobe && is_continued(old, len))
				for (kept--; kept && strchr(" \t", old[kept - 1]); kept--)
					;
			fprintf(out, "%s%.*s", recipe ? COMMENT : "", (int)kept, old);
			old += len;
			if (*old || (recipe && has_rest(recipe)))
				fputc('\n', out);
			old += *old == '\n';
		}
		if (recipe && recipe->kind == RECIPE_SOFTDEP)
			write_softdep(&line, out);
		else if (recipe && recipe->kind == RECIPE_INSTALL_VFIO)
			write_install(&line, out);
		else if (recipe && has_rest(recipe))
			write_rest(recipe, &line, out);
	}
	free(copy);
	if (!out || fclose(out))
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	return 0;
}

/*
 * driverctl reads every file of its folder as an address: the whole file is renamed to a hidden
 * one.
 */
static int hide_file(const struct import *import, const struct recipe *recipe)
{
	const char *base = strrchr(recipe->file, '/') + 1;
	int dir = (int)(base - recipe->file);
	char hidden[512];
	int rootfd = import->host->root.fd, ret = -EEXIST;

	/* A file that was hidden before is not overwritten. */
	for (unsigned int i = 0; i < 100 && ret == -EEXIST; i++) {
		int len = snprintf(hidden, sizeof(hidden), "%.*s.%s" BACKUP_SUFFIX, dir,
				   recipe->file, base);

		if (i)
			snprintf(hidden + len, sizeof(hidden) - (size_t)len, ".%u", i);
		if (import->dry_run)
			ret = faccessat(rootfd, hidden + 1, F_OK, AT_SYMLINK_NOFOLLOW) ? 0 :
											 -EEXIST;
		else
			ret = renameat2(rootfd, recipe->file + 1, rootfd, hidden + 1,
					RENAME_NOREPLACE) ?
				      -errno :
				      0;
	}
	if (ret)
		return message_errno(ret, "cannot rename %s", recipe->file);
	if (import->dry_run) {
		printf("%s would become %s\n", recipe->file, hidden);
		return 0;
	}
	ret = file_sync(rootfd, "etc/driverctl.d");
	if (ret)
		return message_errno(ret, "%s is renamed, but may be back after a power cut",
				     recipe->file);
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
	/* Another name of the same file: it is done already. */
	if (!ret && !import->dry_run && edit_is_changed(&edit))
		ret = edit_backup(&edit, BACKUP_SUFFIX, &kept);
	if (!ret && !import->dry_run)
		ret = edit_commit(&edit);
	if (!ret && kept)
		printf("The old text is kept as %s\n", kept);
	free(kept);
	edit_close(&edit);
	return ret;
}

int import_delete(struct import *import)
{
	int ret = 0;

	for (size_t i = 0; i < import->recipes.count && !ret; i++) {
		const struct recipe *recipe = &import->recipes.list[i];
		bool is_first = true;

		if (!import_is_deletable(import, i))
			continue;
		for (size_t j = 0; j < i; j++)
			is_first &= !import_is_deletable(import, j) ||
				    strcmp(import->recipes.list[j].file, recipe->file) != 0;
		import->deleted++;
		if (recipe->kind == RECIPE_DRIVERCTL)
			ret = hide_file(import, recipe);
		else if (is_first)
			ret = delete_from(import, recipe->file);
	}
	return ret;
}
