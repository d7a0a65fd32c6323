/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the finders of recipes share; see recipes.h. Of no use outside of hook/findings/recipe*.c. */
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
	struct stringset seen; /* files that were read, as DEVICE:INODE: links name some twice */
	bool is_ended; /* a "--" among the options of vfio-pci: what is behind it counts for nothing */
	char *refused; /* where an option stands that vfio-pci is not loaded with, or NULL */
};

/* Where something is found. */
struct place {
	struct finder *finder;
	const char *file; /* without the root and its slash */
	unsigned int line;
	enum recipe_state state;
	const char *by;
	bool is_next; /* of the next boot: what this boot was given still counts in it */
};

/*
 * finder_read - the whole of a file, NUL-ended; NULL: none, unreadable, or read before by any name.
 * @is_again: also when it was; for whose reader goes by names, and reads it twice
 */
char *finder_read(struct finder *finder, const char *name, bool is_again);

/* place_add - one more recipe. Returns it, or NULL: memory ran out, which is noted. */
struct recipe *place_add(const struct place *place, enum recipe_kind kind, enum recipe_harm harm,
			 const char *text, size_t text_len, const char *value, size_t value_len);

/* place_add_parameter - a parameter of a kernel command line, if it is a recipe. */
void place_add_parameter(const struct place *place, const struct param *param);

/* place_note_option - an option of modprobe.d that counts, of a module of vfio. */
void place_note_option(const struct place *place, const char *module, size_t module_len,
		       const struct param *param);

/*
 * place_add_option - an option of a module, if it is a recipe.
 * @text: the line that it stands in
 * @ids: the kind that ids= of vfio-pci is here
 */
void place_add_option(const struct place *place, const char *module, size_t module_len,
		      const struct param *param, const char *text, enum recipe_kind ids);

/* recipe_is_card_driver - is it one of those that recipes keep away from a card? */
bool recipe_is_card_driver(const char *name, size_t len);

void recipes_find_modprobe(struct finder *finder);
void recipes_find_modules(struct finder *finder);
void recipes_find_dracut(struct finder *finder);
void recipes_find_cmdline(struct finder *finder);
void recipes_find_scripts(struct finder *finder);

/*
 * recipe_is_own_script - can a program be a script of the administrator's? By its folder, else by its name.
 * @name: absolute; @len: of it
 */
bool recipe_is_own_script(const char *name, size_t len);

/* recipes_find_in_script - lines that bind, in a file that a recipe calls. */
void recipes_find_in_script(struct finder *finder, const char *name);

#endif
