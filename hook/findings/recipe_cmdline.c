// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Old recipes on the kernel command line; see recipes.h. What the next boot passes is asked of
 * vfio-early-cmdline; the running kernel's line tells what works today.
 */
#include <stdlib.h>
#include <string.h>

#include "findings/recipe_find.h"
#include "host/next_cmdline.h"

#define CMDLINE_FILE "proc/cmdline"

/* Has the next boot this parameter too, quotes apart? Then it is named where it is set. */
static bool is_next(const struct next_cmdline *next, const struct param *param)
{
	for (size_t i = 0; i < next->count; i++) {
		if (!next_param_is_in_force(&next->param[i]) ||
		    !strcmp(next->param[i].file, "/" CMDLINE_FILE))
			continue;
		if (params_are_same(param->text, param->len, next->param[i].token,
				    strlen(next->param[i].token)))
			return true;
	}
	return false;
}

/* Why a parameter is not passed is of interest where someone waits for what it should do. */
static bool is_worth(const struct param *param)
{
	return param_is(param, "vfio_pci.ids") || param_is(param, "pci_stub.ids") ||
	       param_is(param, "xen_pciback.hide") || param_is(param, "pcie_acs_override");
}

/*
 * A line of a file that the boot loader's parameters come from, or may: its text, or "". For free().
 * *is_read: the file is there to be read
 */
static char *read_line(struct finder *finder, const char *file, unsigned int number, bool *is_read)
{
	char *text = finder_read(finder, file, true), *pos = text, *line = NULL;

	*is_read = text;

	while (number-- && (line = strsep(&pos, "\n")))
		;
	line = strdup(line ? line + strspn(line, " \t") : "");
	finder->recipes->failed |= !line;
	free(text);
	return line;
}

/* A file that does more than assign, or that cannot be read: each line once. */
static void add_unread(struct place *place)
{
	bool is_read;
	char *line = read_line(place->finder, place->file, place->line, &is_read);

	if (line)
		place_add(place, is_read ? RECIPE_LOADER_FILE : RECIPE_LOADER_UNREAD, RECIPE_RISKY,
			  line, strlen(line), "", 0);
	free(line);
}

static void add_next(struct finder *finder, const struct next_param *next)
{
	struct place place = {
		.finder = finder,
		.file = next->file + 1,
		.line = next->line,
		.is_next = true,
	};
	struct params params;
	struct param param;

	if (!next_param_is_in_force(next)) {
		/* What this boot alone has is on the running line. */
		if (!strcmp(next->code, "this-boot"))
			return;
		if (!strcmp(next->token, "*")) {
			add_unread(&place);
			return;
		}
		place.state = strcmp(next->code, "not-known") ? RECIPE_NOT_PASSED :
								RECIPE_NOT_KNOWN;
		place.by = next->code;
	}
	params_begin(&params, next->token, strlen(next->token));
	if (params_next(&params, &param) && (place.state != RECIPE_NOT_PASSED || is_worth(&param)))
		place_add_parameter(&place, &param);
}

/* Is it known that the next boot is without this one? Not if all that is known is this boot's line. */
static bool is_gone(const struct next_cmdline *next, const struct param *param)
{
	bool is_known = false;

	for (size_t i = 0; i < next->count; i++) {
		const struct next_param *other = &next->param[i];

		if (!next_param_is_in_force(other) && strcmp(other->code, "this-boot") != 0)
			continue;
		if (params_are_same(param->text, param->len, other->token, strlen(other->token)))
			return false;
		is_known |= next_param_is_loaders(other);
	}
	return is_known;
}

/* In force now: of the same parameter twice the last one, apart from what the next boot has. */
static void add_running(struct finder *finder, const struct next_cmdline *next)
{
	struct place place = { .finder = finder, .file = CMDLINE_FILE };
	char *text = finder_read(finder, CMDLINE_FILE, false);
	struct params params;
	struct param param;

	params_begin(&params, text ? text : "", text ? strlen(text) : 0);
	while (params_next(&params, &param)) {
		if (is_next(next, &param))
			continue;
		place.is_gone = is_gone(next, &param);
		place_add_parameter(&place, &param);
	}
	free(text);
}

void recipes_find_cmdline(struct finder *finder)
{
	struct next_cmdline next;

	finder->recipes->next_error = next_cmdline_read(finder->root, finder->answers, &next);
	add_running(finder, &next);
	for (size_t i = 0; i < next.count; i++)
		if (strcmp(next.param[i].file, "/" CMDLINE_FILE) != 0 && *next.param[i].file == '/')
			add_next(finder, &next.param[i]);
	next_cmdline_free(&next);
}
