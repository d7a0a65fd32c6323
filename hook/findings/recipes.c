// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The old ways of giving a device to vfio-pci; see recipes.h. Here: the list, and what a parameter of
 * a module or of the kernel is. Where they are found is recipe_*.c's.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "early/selector.h"
#include "early/sysfs.h"
#include "findings/recipe_find.h"
#include "host/host.h"
#include "plan/modules.h"
#include "util/array.h"
#include "util/file.h"
#include "util/message.h"

#define RECIPE_FILE_MAX (1u << 20) /* bytes; a larger one is no config */

/* Drivers that the recipes on the net keep away from a card. */
static const char *const card_drivers[] = {
	"nouveau",	  "nvidia",	    "nvidiafb",	      "nvidia_drm",
	"nvidia_modeset", "nvidia_uvm",	    "nvidia_current", "radeon",
	"radeonfb",	  "amdgpu",	    "i915",	      "xe",
	"snd_hda_intel",  "i2c_nvidia_gpu",
};

static const char *const vfio_modules[] = {
	"vfio", "vfio_iommu_type1", "vfio_pci", "vfio_pci_core", "vfio_virqfd", "iommufd",
};

static bool is_among(const char *name, size_t len, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (params_same_name(name, len, list[i]))
			return true;
	return false;
}

bool recipe_is_card_driver(const char *name, size_t len)
{
	return is_among(name, len, card_drivers, sizeof(card_drivers) / sizeof(card_drivers[0]));
}

bool recipe_is_vfio_module(const char *name, size_t len)
{
	return is_among(name, len, vfio_modules, sizeof(vfio_modules) / sizeof(vfio_modules[0]));
}

bool recipe_is_ids(const struct recipe *recipe)
{
	switch (recipe->kind) {
	case RECIPE_IDS:
	case RECIPE_MODULE_IDS:
	case RECIPE_CMDLINE_IDS:
	case RECIPE_STUB_IDS:
		return true;
	case RECIPE_INSTALL_VFIO:
		return *recipe->value;
	default:
		return false;
	}
}

/* --- the list */

static void free_recipe(struct recipe *recipe)
{
	free(recipe->file);
	free(recipe->text);
	free(recipe->value);
	free(recipe->by);
	free(recipe->address);
}

struct recipe *place_add(const struct place *place, enum recipe_kind kind, enum recipe_harm harm,
			 const char *text, size_t text_len, const char *value, size_t value_len)
{
	struct recipes *recipes = place->finder->recipes;
	struct recipe item = {
		.kind = kind,
		/* What does nothing does no harm; what may be in force may do harm. */
		.harm = place->state == RECIPE_IN_FORCE || place->state == RECIPE_NOT_KNOWN ?
				harm :
				RECIPE_NEEDLESS,
		.state = place->state,
		.line = place->line,
		.is_gone = place->is_gone,
	};

	if (place->state == RECIPE_NOT_KNOWN && harm == RECIPE_FIGHTS)
		item.harm = RECIPE_RISKY;
	if (asprintf(&item.file, "/%s", place->file) < 0)
		item.file = NULL;
	item.text = strndup(text, text_len);
	item.value = strndup(value, value_len);
	item.by = place->by ? strdup(place->by) : NULL;
	if (item.file && item.text && item.value && (item.by || !place->by) &&
	    !array_append(&recipes->list, &recipes->count, sizeof(item), &item))
		return &recipes->list[recipes->count - 1];
	recipes->failed = true;
	free_recipe(&item);
	return NULL;
}

/* A file that may contain recipes and cannot be read: the first one is kept, for messages. */
static void note_unread(struct recipes *recipes, const char *name, int error)
{
	if (error == ENOENT || error == ENOTDIR || error == EISDIR || error == ENOTSUP ||
	    recipes->unread)
		return;
	recipes->error = error;
	recipes->unread = strdup(name);
	recipes->failed |= !recipes->unread;
}

char *finder_read(struct finder *finder, const char *name, bool is_again)
{
	int fd = file_open(finder->root->fd, name), ret = fd;
	char *text = NULL, id[48];
	struct stat st;
	size_t size;

	if (fd >= 0 && fstat(fd, &st)) {
		ret = -errno;
	} else if (fd >= 0) {
		snprintf(id, sizeof(id), "%llu:%llu", (unsigned long long)st.st_dev,
			 (unsigned long long)st.st_ino);
		ret = stringset_add(&finder->seen, id);
		if (ret == 1 || (!ret && is_again))
			ret = file_read_all(fd, RECIPE_FILE_MAX, &text, &size);
	}
	if (fd >= 0)
		close(fd);
	if (ret == -ENOMEM)
		finder->recipes->failed = true;
	else if (fd < 0 && !file_stat(finder->root->fd, name, &st) && !S_ISREG(st.st_mode))
		; /* a folder that a line names: it has no lines, whoever may read it */
	else if (ret < 0 && ret != -EFBIG)
		note_unread(finder->recipes, name, -ret);
	return ret < 0 ? NULL : text;
}

/* --- parameters */

static const struct {
	const char *module, *param;
	enum recipe_kind kind;
	enum recipe_harm harm;
	bool is_truth; /* counts only when it is switched on */
} options[] = {
	{ "vfio_pci", "ids", RECIPE_IDS, RECIPE_RISKY, false },
	{ "pci_stub", "ids", RECIPE_STUB_IDS, RECIPE_RISKY, false },
	{ "vfio_iommu_type1", "allow_unsafe_interrupts", RECIPE_UNSAFE, RECIPE_RISKY, true },
	{ "vfio_pci", "disable_vga", RECIPE_DISABLE_VGA, RECIPE_HARMLESS, true },
	{ "kvm", "ignore_msrs", RECIPE_IGNORE_MSRS, RECIPE_HARMLESS, true },
	{ "xen_pciback", "hide", RECIPE_XEN_HIDE, RECIPE_RISKY, false },
};

/* Of the two that have ids=, the one that was set before in this place or one that counts less. */
static void set_again(const struct place *place, enum recipe_kind kind)
{
	struct recipes *recipes = place->finder->recipes;
	char by[512];

	snprintf(by, sizeof(by), place->line ? "/%s:%u" : "/%s", place->file, place->line);
	for (size_t i = 0; i < recipes->count; i++) {
		struct recipe *recipe = &recipes->list[i];

		if (!recipe_is_ids(recipe) || recipe->kind == RECIPE_INSTALL_VFIO ||
		    recipe->state != RECIPE_IN_FORCE ||
		    (place->is_next && !strcmp(recipe->file, "/proc/cmdline")) ||
		    (recipe->kind == RECIPE_STUB_IDS) != (kind == RECIPE_STUB_IDS))
			continue;
		recipe->by = strdup(by);
		if (!recipe->by)
			recipes->failed = true;
		else
			recipe->state = RECIPE_SET_AGAIN;
		recipe->harm = RECIPE_NEEDLESS;
	}
}

/* Adds what the row says; true when the row is about this parameter. */
static bool add_option(const struct place *place, size_t row, const struct param *param,
		       const char *text, size_t text_len, enum recipe_kind ids)
{
	enum recipe_kind kind = options[row].kind;
	struct recipe *recipe;

	if (options[row].is_truth && param_truth(param) != 1)
		return true;
	if (kind == RECIPE_IDS)
		kind = ids;
	if (!options[row].is_truth && (!param->value || !param->value_len)) {
		/* "ids=" takes back what was set before. */
		if (param->value && kind != RECIPE_XEN_HIDE && place->state == RECIPE_IN_FORCE)
			set_again(place, kind);
		return true;
	}
	if (!options[row].is_truth && options[row].kind != RECIPE_XEN_HIDE &&
	    place->state == RECIPE_IN_FORCE)
		set_again(place, kind);
	/* If the line stays, only the one option matters. */
	if (options[row].harm == RECIPE_HARMLESS) {
		text = param->text;
		text_len = param->len;
	}
	recipe = place_add(place, kind, options[row].harm, text, text_len,
			   param->value ? param->value : "", param->value_len);
	if (recipe)
		recipe->is_unsafe = kind == RECIPE_UNSAFE;
	return true;
}

/* "10de:1187", and what may stand behind it. */
static bool is_id(const char *c, size_t len)
{
	if (len < 9 || c[4] != ':')
		return false;
	for (unsigned int i = 0; i < 9; i++)
		if (i != 4 && !isxdigit((unsigned char)c[i]))
			return false;
	return len == 9 || c[9] == ':' || c[9] == ',';
}

static bool has_ids(const struct param *param)
{
	return param->value && is_id(param->value, param->value_len);
}

/* Alone: what stood behind a blank in a list of IDs. */
static bool is_lone_id(const struct param *param)
{
	return !param->value && is_id(param->name, param->name_len);
}

/* Options that prevent vfio-pci from loading (kernel/params.c, parse_one(): -EINVAL). */
static bool is_refused(const char *name, size_t len, const struct param *param)
{
	static const char *const truths[] = { "nointxmask", "disable_vga", "disable_idle_d3",
					      "enable_sriov", "disable_denylist" };

	if (params_same_name(name, len, "ids"))
		return !param->value;
	return is_among(name, len, truths, sizeof(truths) / sizeof(truths[0])) &&
	       param_truth(param) < 0;
}

/* @name: of an option of vfio-pci that is in force */
static void look_for_refused(const struct place *place, const char *name, size_t len,
			     const struct param *param)
{
	struct finder *finder = place->finder;

	if (finder->refused || place->state != RECIPE_IN_FORCE || finder->is_ended ||
	    !is_refused(name, len, param))
		return;
	if (asprintf(&finder->refused, place->line ? "/%s:%u" : "/%s", place->file, place->line) >=
	    0)
		return;
	finder->refused = NULL;
	finder->recipes->failed = true;
}

/* The ids= of a module that is not loaded bind nothing. */
static void apply_refused(struct finder *finder)
{
	struct recipes *recipes = finder->recipes;

	for (size_t i = 0; finder->refused && i < recipes->count; i++) {
		struct recipe *recipe = &recipes->list[i];

		if (recipe->state != RECIPE_IN_FORCE ||
		    (recipe->kind != RECIPE_IDS && recipe->kind != RECIPE_MODULE_IDS &&
		     recipe->kind != RECIPE_CMDLINE_IDS))
			continue;
		recipe->by = strdup(finder->refused);
		recipes->failed |= !recipe->by;
		recipe->state = RECIPE_REFUSED;
		recipe->harm = RECIPE_NEEDLESS;
	}
	free(finder->refused);
}

static bool add_lone_id(const struct place *place, const struct param *param, enum recipe_kind kind)
{
	struct place lone = *place;

	if (!is_lone_id(param))
		return false;
	if (place->state == RECIPE_IN_FORCE)
		lone.state = RECIPE_AFTER_BLANK;
	place_add(&lone, kind, RECIPE_NEEDLESS, param->text, param->len, param->name,
		  param->name_len);
	return true;
}

void place_add_option(const struct place *place, const char *module, size_t module_len,
		      const struct param *param, const char *text, enum recipe_kind ids)
{
	bool is_vfio = params_same_name(module, module_len, "vfio_pci"), is_wrong;
	struct place other = *place, ended = *place;

	if (is_vfio)
		look_for_refused(place, param->name, param->name_len, param);
	if (is_vfio && place->finder->is_ended && place->state == RECIPE_IN_FORCE) {
		ended.state = RECIPE_AFTER_DASHES;
		place = &ended;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (params_same_name(module, module_len, options[i].module) &&
		    param_is(param, options[i].param) &&
		    add_option(place, i, param, text, strlen(text), ids))
			return;
	if (is_vfio && add_lone_id(place, param, ids))
		return;
	/* The spelling of the kernel command line; ids= of another module; what is meant as IDs. */
	is_wrong = param_is(param, "vfio_pci.ids") ||
		   (recipe_is_vfio_module(module, module_len) && has_ids(param));
	if (!is_wrong)
		return;
	if (place->state == RECIPE_IN_FORCE)
		other.state = RECIPE_NO_SUCH;
	place_add(&other, ids, RECIPE_NEEDLESS, text, strlen(text),
		  param->value ? param->value : "", param->value_len);
}

/* @harm: of one that names a module which the boot needs */
static void add_blacklist(const struct place *place, const struct param *param,
			  enum recipe_harm harm)
{
	const char *name = param->value, *end = name + param->value_len;

	while (name < end) {
		const char *comma = memchr(name, ',', (size_t)(end - name));
		size_t len = (size_t)((comma ? comma : end) - name);

		if (recipe_is_vfio_module(name, len))
			place_add(place, RECIPE_BLACKLIST_VFIO, harm, param->text, param->len, name,
				  len);
		else if (recipe_is_card_driver(name, len))
			place_add(place, RECIPE_CMDLINE_BLACKLIST, RECIPE_NEEDLESS, param->text,
				  param->len, name, len);
		name += len + 1;
	}
}

static bool has_vfio_module(const struct param *param)
{
	const char *name = param->value, *end = name + param->value_len;

	while (name < end) {
		const char *comma = memchr(name, ',', (size_t)(end - name));
		size_t len = (size_t)((comma ? comma : end) - name);

		if (recipe_is_vfio_module(name, len))
			return true;
		name += len + 1;
	}
	return false;
}

static bool is_value(const struct param *param, const char *value)
{
	return param->value_len == strlen(value) && !memcmp(param->value, value, param->value_len);
}

/* Parameters that are of no module, and those that only tell modprobe what to do. */
static void add_plain(const struct place *place, const struct param *param)
{
	enum recipe_kind kind;
	enum recipe_harm harm = RECIPE_NEEDLESS;

	if (!param->value) {
		if (param_is(param, "nomodeset"))
			place_add(place, RECIPE_NOMODESET, harm, param->text, param->len, "", 0);
		return;
	}
	if (param_is(param, "module_blacklist")) {
		add_blacklist(place, param, RECIPE_FIGHTS);
		return;
	}
	if (param_is(param, "modprobe.blacklist") || param_is(param, "rd.driver.blacklist")) {
		add_blacklist(place, param, RECIPE_RISKY);
		return;
	}
	if (param_is(param, "amd_iommu") && is_value(param, "on")) {
		kind = RECIPE_AMD_IOMMU;
	} else if (param_is(param, "rd.driver.pre") && has_vfio_module(param)) {
		kind = RECIPE_DRIVER_PRE;
	} else if (param_is(param, "pcie_acs_override")) {
		kind = RECIPE_ACS;
		harm = RECIPE_RISKY;
	} else {
		return;
	}
	place_add(place, kind, harm, param->text, param->len, param->value, param->value_len);
}

/* "vfio_pci.disable_vga", as the kernel compares names; for free(), or NULL: memory ran out. */
static char *option_key(const char *module, size_t module_len, const char *name, size_t name_len)
{
	char *key = NULL;

	if (asprintf(&key, "%.*s.%.*s", (int)module_len, module, (int)name_len, name) < 0)
		return NULL;
	for (char *c = key; *c; c++)
		if (*c == '-')
			*c = '_';
	return key;
}

static int look_for_module(const char *line, void *arg)
{
	const char *base = strrchr(line, '/'), *dot = base ? strchr(base, '.') : NULL;

	return dot && params_same_name(base + 1, (size_t)(dot - base - 1), arg);
}

/* If the module is built in, the kernel itself reads its options there. */
static bool is_built_in(const struct finder *finder, const char *key)
{
	char path[SYSFS_PATH_MAX], running[128], *module = strndup(key, strcspn(key, "."));
	bool is_one = false;

	sysfs_path(path, MODULES_PATH "/%s/modules.builtin",
		   host_running(finder->root, running, sizeof(running)));
	if (module)
		is_one = file_for_each_line(finder->root->fd, path, look_for_module, module) == 1;
	free(module);
	return is_one;
}

/* What stands on the command line for modprobe, which does not load that module any more. */
static bool add_lost_option(const struct place *place, const struct param *param, size_t module_len)
{
	const char *name = param->name + module_len + 1;
	size_t len = param->name_len - module_len - 1;
	char *key = option_key(param->name, module_len, name, len);
	struct recipe *recipe = NULL;

	place->finder->recipes->failed |= !key;
	if (key && len && !params_same_name(name, len, "ids") && !is_built_in(place->finder, key) &&
	    !stringset_has(&place->finder->options, key))
		recipe = place_add(place, RECIPE_CMDLINE_OPTION, RECIPE_RISKY, param->text,
				   param->len, param->value ? param->value : "", param->value_len);
	if (recipe)
		recipe->is_unsafe = !strcmp(key, "vfio_iommu_type1.allow_unsafe_interrupts");
	free(key);
	return recipe;
}

void place_note_option(const struct place *place, const char *module, size_t module_len,
		       const struct param *param)
{
	char *key;

	if (place->state != RECIPE_IN_FORCE || !recipe_is_vfio_module(module, module_len))
		return;
	key = option_key(module, module_len, param->name, param->name_len);
	if (!key || stringset_add(&place->finder->options, key) < 0)
		place->finder->recipes->failed = true;
	free(key);
}

/* "a=x vfio-pci.ids=10de:1187", as one word in quotes. */
static void add_in_value(const struct place *place, const struct param *param)
{
	static const char *const names[] = { "vfio-pci.ids=", "vfio_pci.ids=", "pci-stub.ids=" };
	struct place other = *place;

	if (place->state == RECIPE_IN_FORCE)
		other.state = RECIPE_IN_VALUE;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *end = param->value + param->value_len;
		const char *at = memmem(param->value, param->value_len, names[i], strlen(names[i]));
		size_t len = at ? (size_t)(end - at) : 0;

		if (!at || (at > param->value && !strchr(" \t\"", at[-1])))
			continue;
		for (size_t j = 0; j < len; j++)
			if (strchr(" \t\"", at[j]))
				len = j;
		place_add(&other, RECIPE_CMDLINE_IDS, RECIPE_NEEDLESS, param->text, param->len,
			  at + strlen(names[i]), len - strlen(names[i]));
	}
}

void place_add_parameter(const struct place *place, const struct param *param)
{
	const char *dot = memchr(param->name, '.', param->name_len);
	size_t module_len = dot ? (size_t)(dot - param->name) : 0;
	struct place ended = *place;

	if (dot && params_same_name(param->name, module_len, "vfio_pci")) {
		look_for_refused(place, dot + 1, param->name_len - module_len - 1, param);
		if (place->finder->is_ended && place->state == RECIPE_IN_FORCE) {
			ended.state = RECIPE_AFTER_DASHES;
			place = &ended;
		}
	}
	if (dot && place->state == RECIPE_IN_FORCE &&
	    recipe_is_vfio_module(param->name, module_len) &&
	    add_lost_option(place, param, module_len))
		return;
	for (size_t i = 0; dot && i < sizeof(options) / sizeof(options[0]); i++)
		if (params_same_name(param->name, module_len, options[i].module) &&
		    params_same_name(dot + 1, param->name_len - module_len - 1, options[i].param) &&
		    add_option(place, i, param, param->text, param->len, RECIPE_CMDLINE_IDS))
			return;
	/* An "ids=A, B" that was cut: B is nothing that the kernel knows. */
	if (add_lone_id(place, param, RECIPE_CMDLINE_IDS))
		return;
	add_plain(place, param);
	if (param->value && param->value_len)
		add_in_value(place, param);
}

/* --- the whole */

int recipes_find(const struct root *root, struct next_answers *answers, struct recipes *recipes)
{
	struct finder finder = { .root = root, .answers = answers, .recipes = recipes };

	*recipes = (struct recipes){ 0 };
	/*
	 * If ids= is set in several places, the last one wins: modprobe's options are those of its
	 * files, then those of the command line, then its own arguments.
	 */
	recipes_find_modprobe(&finder);
	recipes_find_cmdline(&finder);
	recipes_find_modules(&finder);
	recipes_find_dracut(&finder);
	recipes_find_scripts(&finder);
	apply_refused(&finder);
	stringset_clear(&finder.aliases);
	stringset_clear(&finder.options);
	stringset_clear(&finder.seen);
	return recipes->failed ? message_errno(-ENOMEM, "cannot look for old recipes") : 0;
}

void recipes_free(struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->count; i++)
		free_recipe(&recipes->list[i]);
	for (size_t i = 0; i < recipes->calls; i++) {
		free(recipes->call[i].file);
		free(recipes->call[i].text);
	}
	free(recipes->call);
	free(recipes->list);
	free(recipes->unread);
	*recipes = (struct recipes){ 0 };
}
