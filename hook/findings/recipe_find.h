/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the finders of recipes, hook/findings/recipe*.c; see recipes.h. */
#ifndef VFIO_EARLY_HOOK_FINDINGS_RECIPE_FIND_H
#define VFIO_EARLY_HOOK_FINDINGS_RECIPE_FIND_H

#include "findings/recipes.h"
#include "host/next_cmdline.h"
#include "util/params.h"
#include "util/stringset.h"

struct finder {
	const struct root *root;
	struct next_answers *answers; /* or NULL */
	struct recipes *recipes;
	struct stringset aliases; /* of vfio-pci, by modprobe.d, with '_' for '-' */
	struct stringset
		options; /* of vfio's modules that modprobe.d sets, as "vfio_pci.disable_vga" */
	struct stringset
		seen; /* files that were read, as DEVICE:INODE: several links may lead to one */
	bool is_ended; /* there is a "--" among the options of vfio-pci: what follows it has no effect */
	char *refused; /* the place of an option that prevents vfio-pci from loading, or NULL */
};

/* Where something was found. */
struct place {
	struct finder *finder;
	const char *file; /* without the root and its slash */
	unsigned int line;
	enum recipe_state state;
	const char *by;
	bool is_next; /* from the next boot; the parameters of this boot are still in force beside it */
	bool is_gone; /* of this boot alone: the next one is known to be without it */
};

/*
 * finder_read - read the whole of a file, NUL-ended; NULL: missing, unreadable, or read before
 * under any name.
 * @is_again: read it even if it was; for a reader that goes by names, and may read it twice
 */
char *finder_read(struct finder *finder, const char *name, bool is_again);

/* place_add - add a recipe. Returns it, or NULL: memory ran out, which is noted. */
struct recipe *place_add(const struct place *place, enum recipe_kind kind, enum recipe_harm harm,
			 const char *text, size_t text_len, const char *value, size_t value_len);

/* place_add_parameter - a parameter of a kernel command line, if it is a recipe. */
void place_add_parameter(const struct place *place, const struct param *param);

/* place_note_option - note an option in modprobe.d that is in force, for a module of vfio. */
void place_note_option(const struct place *place, const char *module, size_t module_len,
		       const struct param *param);

/*
 * place_add_option - add an option of a module, if it is a recipe.
 * @text: the line that contains it
 * @ids: the kind of ids= of vfio-pci in this place
 */
void place_add_option(const struct place *place, const char *module, size_t module_len,
		      const struct param *param, const char *text, enum recipe_kind ids);

/* recipe_is_card_driver - is it a driver that recipes keep away from a card? */
bool recipe_is_card_driver(const char *name, size_t len);

void recipes_find_modprobe(struct finder *finder);
void recipes_find_modules(struct finder *finder);
void recipes_find_dracut(struct finder *finder);
void recipes_find_cmdline(struct finder *finder);
void recipes_find_scripts(struct finder *finder);

/*
 * recipe_is_own_script - may a program be a script of the administrator? Judged by its directory,
 * else by its name.
 * @name: absolute; @len: of it
 */
bool recipe_is_own_script(const char *name, size_t len);

/* recipes_find_in_script - look for lines that bind in a file that a recipe calls. */
void recipes_find_in_script(struct finder *finder, const char *name);

#endif
