// SPDX-License-Identifier: GPL-2.0-or-later
/* Old recipes in modprobe.d, in lists of modules, and in dracut's config; see recipes.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/folders.h"
#include "early/sysfs.h"
#include "findings/recipe_find.h"
#include "util/file.h"
#include "util/modprobe.h"

/* README, vfio.conf.bak, vfio.conf.dpkg-old, vfio.conf~: put aside on purpose. */
static bool is_put_aside(const char *base)
{
	static const char *const endings[] = { "bak",	 "backup",  "old",     "orig", "save",
					       "disabl", "off",	    "inactiv", "rej",  "sw",
					       "sample", "example", "dpkg-",   "ucf-", "rpm" };
	const char *dot = strrchr(base, '.');

	if (!strncmp(base, "README", 6) || base[strlen(base) - 1] == '~')
		return true;
	/* What import --delete keeps, the second with ".1" behind it. */
	if (strstr(base, ".vfio-early-old"))
		return true;
	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++)
		if (!strncmp(dot + 1, endings[i], strlen(endings[i])))
			return true;
	return false;
}

/* What is to be said of a file's lines. Returns false when nothing is. */
static bool find_state(const struct folder_file *file, enum recipe_state *state)
{
	*state = RECIPE_IN_FORCE;
	if (file->state == FOLDER_HIDDEN)
		*state = RECIPE_HIDDEN;
	if (file->state != FOLDER_NO_SUFFIX)
		return true;
	*state = RECIPE_NO_SUFFIX;
	return !is_put_aside(file->base);
}

static int is_dot_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] == '.' && len > 6 && !strcmp(entry->d_name + len - 5, ".conf");
}

/* ".vfio.conf": what nothing reads for the first letter of its name (conf_files_filter_out() of libkmod). */
static void for_each_dot_file(struct finder *finder, const char *dir,
			      void (*fn)(const struct place *place, char *text))
{
	struct dirent **entry;
	int count = file_names(finder->root->fd, dir, &entry, is_dot_file, alphasort);

	finder->recipes->failed |= count == -ENOMEM;
	for (int i = 0; i < count; i++) {
		char name[SYSFS_PATH_MAX];
		struct place place = { .finder = finder, .file = name, .state = RECIPE_DOT_FILE };
		char *text = NULL;

		if (snprintf(name, sizeof(name), "%s/%s", dir, entry[i]->d_name) <
		    (int)sizeof(name))
			text = finder_read(finder, name, false);
		if (text)
			fn(&place, text);
		free(text);
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
}

/*
 * Calls a function for each file of some folders. First those that are read, so that a file with two
 * names is known by the one that counts.
 * @with_unread: then those that are not, too
 */
static void for_each_file(struct finder *finder, const char *const *dirs, const char *suffix,
			  bool with_unread, void (*fn)(const struct place *place, char *text))
{
	struct folders folders;

	if (folders_list(finder->root, dirs, suffix, &folders))
		finder->recipes->failed = true;
	if (folders.unread && !finder->recipes->unread) {
		finder->recipes->unread = strdup(folders.unread);
		finder->recipes->error = folders.error;
	}
	for (size_t i = 0; i < (with_unread ? 2 : 1) * folders.count; i++) {
		const struct folder_file *file = &folders.file[i % folders.count];
		struct place place = { .finder = finder, .file = file->name };
		bool is_read = file->state == FOLDER_READ;
		char *text;

		if (is_read != (i < folders.count) || !find_state(file, &place.state))
			continue;
		/* modprobe reads a file once for each name: the last one decides which ids= counts. */
		text = finder_read(finder, place.file, is_read && dirs == folders_modprobe);
		if (text)
			fn(&place, text);
		free(text);
	}
	folders_free(&folders);
	for (size_t i = 0; with_unread && dirs[i]; i++)
		for_each_dot_file(finder, dirs[i], fn);
}

/* --- modprobe.d */

/* A name as libkmod compares it; for free(), or NULL. */
static char *plain_name(const char *name, size_t len)
{
	char *plain = strndup(name, len);

	for (char *c = plain; c && *c; c++)
		if (*c == '-')
			*c = '_';
	return plain;
}

static bool is_alias(const struct finder *finder, const char *name, size_t len)
{
	char *plain = plain_name(name, len);
	bool is_one = plain && stringset_has(&finder->aliases, plain);

	free(plain);
	return is_one;
}

/* "alias NAME vfio-pci": the module behind it, or 0. */
static size_t find_target(const struct modprobe_line *line, const char **target)
{
	*target = line->rest + strspn(line->rest, " \t\r");
	return strcspn(*target, " \t\r");
}

/* Known before the options are looked at, which may stand in an earlier file. */
static void note_aliases(const struct place *place, char *text)
{
	struct modprobe_line line = { 0 };

	while (place->state == RECIPE_IN_FORCE && modprobe_next(&text, &line)) {
		const char *target;
		size_t len = line.command == MODPROBE_ALIAS ? find_target(&line, &target) : 0;
		char *plain;

		if (!len || !params_same_name(target, len, "vfio_pci"))
			continue;
		plain = plain_name(line.module, line.module_len);
		if (!plain || stringset_add(&place->finder->aliases, plain) < 0)
			place->finder->recipes->failed = true;
		free(plain);
	}
}

static void add_alias(const struct place *place, const struct modprobe_line *line)
{
	const char *target;
	size_t len = find_target(line, &target);
	bool is_etc = !strncmp(place->file, "etc/", 4);

	/* modprobe loads nothing then, and says nothing [tried, kmod 30]. */
	if (params_same_name(target, len, "off")) {
		if (recipe_is_vfio_module(line->module, line->module_len))
			place_add(place, RECIPE_BLACKLIST_VFIO, RECIPE_RISKY, line->text,
				  strlen(line->text), line->module, line->module_len);
		else if (is_etc && (recipe_is_card_driver(line->module, line->module_len) ||
				    !strncmp(line->module, "pci:v", 5)))
			place_add(place, RECIPE_BLACKLIST, RECIPE_NEEDLESS, line->text,
				  strlen(line->text), line->module, line->module_len);
		return;
	}
	if (recipe_is_vfio_module(target, len) && is_etc)
		place_add(place, RECIPE_ALIAS, RECIPE_NEEDLESS, line->text, strlen(line->text),
			  line->module, line->module_len);
}

static void add_options(const struct place *in, const struct modprobe_line *line)
{
	const char *module = line->module;
	size_t module_len = line->module_len;
	struct place alias = *in;
	const struct place *place = in;
	struct params params;
	struct param param;

	if (is_alias(in->finder, module, module_len)) {
		module = "vfio_pci";
		module_len = strlen(module);
		if (in->state == RECIPE_IN_FORCE)
			alias.state = RECIPE_BY_ALIAS;
		place = &alias;
	}

	params_begin(&params, line->rest, strlen(line->rest));
	for (;;) {
		if (!params_next(&params, &param)) {
			if (!params.has_dashes)
				return;
			/* All options of a module are joined: those of later lines stand behind it. */
			if (place->state == RECIPE_IN_FORCE &&
			    params_same_name(module, module_len, "vfio_pci"))
				in->finder->is_ended = true;
			params.has_dashes = false;
			continue;
		}
		/* What is behind it counts for the kernel, but was meant as a comment. */
		if (*param.text == '#')
			return;
		place_note_option(place, module, module_len, &param);
		place_add_option(place, module, module_len, &param, line->text, RECIPE_IDS);
	}
}

/*
 * The first module of a list that is none of vfio's; its length, 0 for none.
 * @list: "pre:" or "post:"
 */
static size_t find_foreign(const char *rest, const char *list, const char **name)
{
	bool is_list = false;

	for (;;) {
		size_t len;

		rest += strspn(rest, " \t");
		len = strcspn(rest, " \t");
		if (!len)
			return 0;
		if (rest[len - 1] == ':')
			is_list = len == strlen(list) && !memcmp(rest, list, len);
		else if (is_list && !recipe_is_vfio_module(rest, len) &&
			 !params_same_name(rest, len, "irqbypass")) {
			*name = rest;
			return len;
		}
		rest += len;
	}
}

static void add_softdep(const struct place *place, const struct modprobe_line *line)
{
	const char *foreign;
	size_t len;

	if (recipe_is_vfio_module(line->module, line->module_len)) {
		/* A package's own: of a module that works with vfio. */
		if (strncmp(place->file, "etc/", 4) != 0)
			return;
		len = find_foreign(line->rest, "pre:", &foreign);
		if (len) {
			place_add(place, RECIPE_SOFTDEP_REVERSE, RECIPE_RISKY, line->text,
				  strlen(line->text), foreign, len);
			return;
		}
		len = find_foreign(line->rest, "post:", &foreign);
		if (len)
			place_add(place, RECIPE_SOFTDEP_POST, RECIPE_NEEDLESS, line->text,
				  strlen(line->text), foreign, len);
	} else if (modprobe_softdep(line->rest, true, "vfio_pci") ||
		   modprobe_softdep(line->rest, true, "vfio")) {
		place_add(place, RECIPE_SOFTDEP, RECIPE_NEEDLESS, line->text, strlen(line->text),
			  line->module, line->module_len);
	}
}

/*
 * `install vfio-pci /sbin/modprobe --ignore-install vfio-pci ids=...`: understood whole when there is
 * nothing else in it. *ids: the parameter
 */
static bool is_plain_modprobe(const char *rest, struct param *ids)
{
	bool has_module = false, has_ids = false;
	struct params params;
	struct param param;

	/* A shell runs it. */
	if (strpbrk(rest, ";&|<>()`"))
		return false;
	params_begin(&params, rest, strlen(rest));
	if (!params_next(&params, &param) || param.len < 8 ||
	    memcmp(param.text + param.len - 8, "modprobe", 8) != 0)
		return false;
	while (params_next(&params, &param)) {
		if (!param.value && params_same_name(param.name, param.name_len, "vfio_pci")) {
			has_module = true;
		} else if (param.value && param_is(&param, "ids")) {
			*ids = param;
			has_ids = true;
		} else if (*param.text != '-' && !param_is(&param, "$CMDLINE_OPTS") &&
			   (!param.value || memchr(param.text, '$', param.len))) {
			return false;
		}
	}
	return has_module && has_ids;
}

/* Scripts of the administrator's that a command runs. */
static void look_into_scripts(const struct place *place, const char *command)
{
	while (*command) {
		size_t len;
		char *name;

		command += strspn(command, " \t\"';&|(){}=@-+!:");
		len = strcspn(command, " \t\"';&|(){}");
		if (*command == '/' &&
		    (recipe_is_own_script(command, len) ||
		     (strncmp(command, "/bin/", 5) != 0 && strncmp(command, "/sbin/", 6) != 0 &&
		      strncmp(command, "/usr/", 5) != 0))) {
			name = strndup(command + 1, len - 1);
			if (name)
				recipes_find_in_script(place->finder, name);
			free(name);
		}
		command += len;
	}
}

static void add_install(const struct place *place, const struct modprobe_line *line)
{
	static const char *const nothing[] = {
		"/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true", "false", "true", ":"
	};
	const char *command = line->rest + strspn(line->rest, " \t");
	size_t len = strcspn(command, " \t\r");
	struct param ids = { .value = "" };
	bool is_nothing = false;

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		is_nothing |= strlen(nothing[i]) == len && !memcmp(nothing[i], command, len);
	if (recipe_is_vfio_module(line->module, line->module_len)) {
		if (!is_plain_modprobe(line->rest, &ids))
			ids.value_len = 0;
		place_add(place, is_nothing ? RECIPE_BLACKLIST_VFIO : RECIPE_INSTALL_VFIO,
			  RECIPE_RISKY, line->text, strlen(line->text), ids.value, ids.value_len);
		if (!is_nothing)
			look_into_scripts(place, command);
	} else if (is_nothing && recipe_is_card_driver(line->module, line->module_len) &&
		   !strncmp(place->file, "etc/", 4)) {
		place_add(place, RECIPE_INSTALL, RECIPE_NEEDLESS, line->text, strlen(line->text),
			  line->module, line->module_len);
	} else if (strstr(command, "vfio") && !strncmp(place->file, "etc/", 4)) {
		place_add(place, RECIPE_INSTALL_ORDER, RECIPE_NEEDLESS, line->text,
			  strlen(line->text), line->module, line->module_len);
		look_into_scripts(place, command);
	}
}

/* A line that libkmod does not understand, and that was meant to give a device away. */
static void add_bad_line(const struct place *place, const struct modprobe_line *line)
{
	const char *ids = strstr(line->text, "ids="), *word = line->text;
	struct place bad = *place;
	struct params params;
	struct param param;

	word += strspn(word, " \t");
	if (*word == '#' && line->lines > 1 && ids && strstr(line->text, "vfio")) {
		if (place->state == RECIPE_IN_FORCE)
			bad.state = RECIPE_IN_COMMENT;
		place_add(&bad, RECIPE_IDS, RECIPE_NEEDLESS, line->text, strlen(line->text),
			  ids + 4, strcspn(ids + 4, " \t"));
	}
	if (!*word || *word == '#')
		return;
	if (place->state == RECIPE_IN_FORCE)
		bad.state = RECIPE_BAD_LINE;
	params_begin(&params, word, strlen(word));
	if (ids && strstr(line->text, "vfio"))
		place_add(&bad, RECIPE_IDS, RECIPE_NEEDLESS, line->text, strlen(line->text),
			  ids + 4, strcspn(ids + 4, " \t"));
	else if (params_next(&params, &param) && param.name_len >= 9 && param.name[4] == ':' &&
		 strspn(param.name, "0123456789abcdefABCDEF:,") == param.name_len)
		place_add(&bad, RECIPE_IDS, RECIPE_NEEDLESS, line->text, strlen(line->text),
			  param.name, param.name_len);
}

/* "nouveau,nvidia": libkmod takes it for the name of one module. Has it one that a recipe has? */
static bool is_comma_list(const char *list, size_t len)
{
	bool is_ours = false;

	if (!memchr(list, ',', len))
		return false;
	while (len) {
		const char *comma = memchr(list, ',', len);
		size_t width = comma ? (size_t)(comma - list) : len;

		is_ours |= recipe_is_vfio_module(list, width) || recipe_is_card_driver(list, width);
		width += comma != NULL;
		list += width;
		len -= width;
	}
	return is_ours;
}

/* The boot loads modules by name, and a blacklist line only stops aliases (modprobe.d(5)). */
static void add_blacklist(const struct place *in, const struct modprobe_line *line)
{
	/* A package's own list is not a recipe: Debian's kmod has one of framebuffers. */
	bool is_local = !strncmp(in->file, "etc/", 4);
	enum recipe_kind kind = RECIPE_BLACKLIST;
	enum recipe_harm harm = RECIPE_NEEDLESS;
	struct place place = *in;

	if (recipe_is_vfio_module(line->module, line->module_len)) {
		kind = RECIPE_BLACKLIST_VFIO;
		harm = RECIPE_RISKY;
	} else if (is_local && is_comma_list(line->module, line->module_len)) {
		if (place.state == RECIPE_IN_FORCE)
			place.state = RECIPE_COMMA_LIST;
	} else if (!is_local || !recipe_is_card_driver(line->module, line->module_len)) {
		return;
	}
	place_add(&place, kind, harm, line->text, strlen(line->text), line->module,
		  line->module_len);
}

static void find_in_modprobe_file(const struct place *in, char *text)
{
	struct modprobe_line line = { 0 };
	struct place place = *in;

	while (modprobe_next(&text, &line)) {
		place.line = line.number;
		switch (line.command) {
		case MODPROBE_OPTIONS:
			add_options(&place, &line);
			break;
		case MODPROBE_SOFTDEP:
			add_softdep(&place, &line);
			break;
		case MODPROBE_INSTALL:
			add_install(&place, &line);
			break;
		case MODPROBE_BLACKLIST:
			add_blacklist(&place, &line);
			break;
		case MODPROBE_ALIAS:
			add_alias(&place, &line);
			/* Someone who meant options. */
			if (strstr(line.text, "ids="))
				add_bad_line(&place, &line);
			break;
		case MODPROBE_OTHER:
			add_bad_line(&place, &line);
			break;
		}
	}
}

static void find_in_unread_file(const struct place *in, char *text)
{
	struct place place = *in;

	place.state = RECIPE_NO_READER;
	find_in_modprobe_file(&place, text);
}

void recipes_find_modprobe(struct finder *finder)
{
	/* What people write by mistake, or know from twenty years ago. */
	static const char *const unread_dirs[] = { "etc/modeprobe.d", "etc/modprobe.conf.d",
						   "etc/modprobe", NULL };
	struct place place = { .finder = finder, .file = "etc/modprobe.conf" };
	char *text;

	for_each_file(finder, folders_modprobe, ".conf", false, note_aliases);
	for_each_file(finder, folders_modprobe, ".conf", true, find_in_modprobe_file);
	/* Last: a link to it may be among those that are read. */
	text = finder_read(finder, place.file, false);
	if (text)
		find_in_unread_file(&place, text);
	free(text);
	for_each_file(finder, unread_dirs, "", true, find_in_unread_file);
}

/* --- lists of modules */

/* "options vfio_pci ids=..." and the like: a line of modprobe.d, which is no module here. */
static bool add_modprobe_line(const struct place *in, const char *line)
{
	const char *text = line + strspn(line, " \t"), *ids = strstr(line, "ids=");
	static const char *const commands[] = { "options", "softdep", "alias", "blacklist",
						"install" };
	size_t len = strcspn(text, " \t");
	struct place place = *in;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (len != strlen(commands[i]) || strncmp(text, commands[i], len) != 0 ||
		    !text[len])
			continue;
		if (place.state == RECIPE_IN_FORCE)
			place.state = RECIPE_WRONG_FILE;
		if (ids && strstr(line, "vfio"))
			place_add(&place, RECIPE_IDS, RECIPE_NEEDLESS, line, strlen(line), ids + 4,
				  strcspn(ids + 4, " \t"));
		else if (strstr(line, "vfio"))
			place_add(&place, RECIPE_SOFTDEP, RECIPE_NEEDLESS, line, strlen(line), "",
				  0);
		return true;
	}
	return false;
}

/* "MODULE OPTION...". @has_options: whoever reads it hands the options over */
static void find_in_module_list(const struct place *in, char *text, bool has_options)
{
	struct place place = *in;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *module = line + strspn(line, " \t"), *rest;
		size_t len = strcspn(module, " \t\r"), before = place.finder->recipes->count;
		struct params params;
		struct param param;

		place.line++;
		line[strcspn(line, "\r")] = '\0';
		if (!len || strchr("#;", *module))
			continue;
		rest = module + len;
		place.state = in->state;
		if (add_modprobe_line(&place, line))
			continue;
		if (!has_options && rest[strspn(rest, " \t")] && in->state == RECIPE_IN_FORCE)
			place.state = RECIPE_NO_OPTIONS;
		for (params_begin(&params, rest, strlen(rest)); params_next(&params, &param);)
			place_add_option(&place, module, len, &param, line, RECIPE_MODULE_IDS);
		place.state = in->state;
		if (place.finder->recipes->count > before)
			continue;
		if (params_same_name(module, len, "vfio_virqfd"))
			place_add(&place, RECIPE_VIRQFD, RECIPE_NEEDLESS, line, strlen(line),
				  module, len);
		else if (recipe_is_vfio_module(module, len))
			place_add(&place, RECIPE_MODULES, RECIPE_NEEDLESS, line, strlen(line),
				  module, len);
	}
}

static void find_in_modules_load(const struct place *place, char *text)
{
	find_in_module_list(place, text, false);
}

static bool has_dracut(const struct root *root)
{
	return sysfs_exists(root->fd, "usr/bin/dracut") ||
	       sysfs_exists(root->fd, "usr/sbin/dracut");
}

static bool has_initramfs_tools(const struct root *root)
{
	return sysfs_exists(root->fd, "usr/sbin/mkinitramfs");
}

static void find_in_list_file(struct finder *finder, const char *name, bool has_options,
			      enum recipe_state state)
{
	struct place place = { .finder = finder, .file = name, .state = state };
	char *text = finder_read(finder, name, false);

	if (text)
		find_in_module_list(&place, text, has_options);
	free(text);
}

void recipes_find_modules(struct finder *finder)
{
	static const char *const dirs[] = { "etc/modules-load.d", "run/modules-load.d",
					    "usr/local/lib/modules-load.d",
					    "usr/lib/modules-load.d", NULL };
	bool is_dracut = has_dracut(finder->root) && !has_initramfs_tools(finder->root);

	find_in_list_file(finder, "etc/modules", false, RECIPE_IN_FORCE);
	/* initramfs-tools(7): "modprobe" is run with all that is in the line. */
	find_in_list_file(finder, "etc/initramfs-tools/modules", true,
			  is_dracut ? RECIPE_NO_READER : RECIPE_IN_FORCE);
	for_each_file(finder, dirs, ".conf", true, find_in_modules_load);
}

/* --- dracut */

/* The value of NAME=... or NAME+=..., without the quotes around it; NULL for any other line. */
static char *value_of(char *line, const char *name)
{
	size_t len = strlen(name);

	line += strspn(line, " \t");
	if (strncmp(line, name, len) != 0)
		return NULL;
	line += len;
	line += *line == '+';
	if (*line++ != '=')
		return NULL;
	if (*line == '"' || *line == '\'') {
		char *end = strchr(line + 1, *line);

		if (end)
			*end = '\0';
		line++;
	}
	return line;
}

/* Modules that go into the image, or are kept out of it. @text: the line as it is */
static void add_drivers(const struct place *place, char *value, bool is_omit, const char *text)
{
	char *save;

	for (char *word = strtok_r(value, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		enum recipe_kind kind = RECIPE_MODULES;

		if (!recipe_is_vfio_module(word, strlen(word)))
			continue;
		if (params_same_name(word, strlen(word), "vfio_virqfd"))
			kind = RECIPE_VIRQFD;
		if (is_omit)
			kind = RECIPE_BLACKLIST_VFIO;
		place_add(place, kind, is_omit ? RECIPE_RISKY : RECIPE_NEEDLESS, text, strlen(text),
			  word, strlen(word));
	}
}

/* The image reads it, the kernel does not, and modprobe has /proc/cmdline alone. */
static void add_kernel_cmdline(const struct place *place, const char *value)
{
	struct place cmdline = *place;
	struct params params;
	struct param param;

	cmdline.by = "dracut";
	params_begin(&params, value, strlen(value));
	while (params_next(&params, &param)) {
		cmdline.state = param_is(&param, "rd.driver.pre") ? place->state :
								    RECIPE_NOT_PASSED;
		place_add_parameter(&cmdline, &param);
	}
}

static void find_in_dracut_line(const struct place *place, char *line)
{
	static const char *const lists[] = { "omit_drivers", "force_drivers", "add_drivers",
					     "drivers" };
	char *text = strdup(line), *value = NULL;
	bool is_done = false;

	for (size_t i = 0; text && i < sizeof(lists) / sizeof(lists[0]) && !is_done; i++) {
		value = value_of(line, lists[i]);
		is_done = value;
		if (value)
			add_drivers(place, value, !i, text);
	}
	value = text && !is_done ? value_of(line, "kernel_cmdline") : NULL;
	if (value)
		add_kernel_cmdline(place, value);
	free(text);
}

/* A value may go on in the next lines, up to its quote: in place, one line. Returns what follows. */
static char *join_dracut_lines(char *text, unsigned int *lines)
{
	char quote = '\0';

	for (*lines = 1; *text; text++) {
		if (*text == '#' && !quote)
			text += strcspn(text, "\n");
		if (!*text)
			break;
		if (*text == '\n' && !quote) {
			*text++ = '\0';
			break;
		}
		if (*text == '\n') {
			*text = ' ';
			++*lines;
		} else if (quote ? *text == quote : *text == '"' || *text == '\'') {
			quote = quote ? '\0' : *text;
		}
	}
	return text;
}

static void find_in_dracut_file(const struct place *in, char *text)
{
	struct place place = *in;
	unsigned int lines = 1;

	if (place.state == RECIPE_IN_FORCE && has_initramfs_tools(place.finder->root) &&
	    !has_dracut(place.finder->root))
		place.state = RECIPE_NO_READER;
	while (*text) {
		char *line = text;

		place.line += lines;
		text = join_dracut_lines(text, &lines);
		find_in_dracut_line(&place, line);
	}
}

void recipes_find_dracut(struct finder *finder)
{
	static const char *const dirs[] = { "etc/dracut.conf.d", "usr/lib/dracut/dracut.conf.d",
					    NULL };
	struct place place = { .finder = finder, .file = "etc/dracut.conf" };
	char *text = finder_read(finder, place.file, false);

	if (text)
		find_in_dracut_file(&place, text);
	free(text);
	for_each_file(finder, dirs, ".conf", true, find_in_dracut_file);
}
