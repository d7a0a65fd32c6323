// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From scripts, rules and units, only the lines that are old recipes go into a record, at their
 * line numbers, and the lines that call such a script; see record.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "findings/recipes.h"
#include "record/record.h"
#include "util/array.h"

struct line {
	const char *file; /* without a leading slash */
	unsigned int number;
	const char *text;
};

struct lines {
	struct line *list;
	size_t count;
};

static int by_place(const void *a, const void *b)
{
	const struct line *one = a, *other = b;
	int ret = strcmp(one->file, other->file);

	if (ret)
		return ret;
	if (one->number == other->number)
		return 0;
	return one->number < other->number ? -1 : 1;
}

static bool is_of_script(const struct recipe *recipe)
{
	switch (recipe->kind) {
	case RECIPE_SCRIPT:
	case RECIPE_UDEV:
	case RECIPE_UNIT:
	case RECIPE_STARTUP:
	case RECIPE_HOOK:
		return true;
	default:
		return false;
	}
}

static int collect(const struct recipes *recipes, struct lines *lines)
{
	int ret = 0;

	for (size_t i = 0; i < recipes->count && !ret; i++) {
		const struct recipe *recipe = &recipes->list[i];
		const struct line item = { recipe->file + 1, recipe->line, recipe->text };

		if (is_of_script(recipe))
			ret = array_append(&lines->list, &lines->count, sizeof(item), &item);
	}
	for (size_t i = 0; i < recipes->calls && !ret; i++) {
		const struct line item = { recipes->call[i].file, recipes->call[i].line,
					   recipes->call[i].text };

		ret = array_append(&lines->list, &lines->count, sizeof(item), &item);
	}
	return ret;
}

/* Writes the lines of one file, from index @from on; returns the index of the next file. */
static size_t put_lines(struct record *record, const struct lines *lines, size_t from)
{
	const char *file = lines->list[from].file;
	char real[PATH_MAX], *text = NULL;
	unsigned int number = 1;
	size_t size, to = from;
	FILE *out = open_memstream(&text, &size);

	for (; to < lines->count && !strcmp(lines->list[to].file, file); to++) {
		const struct line *line = &lines->list[to];

		/* The same line again: a recipe that also calls another one. */
		if (line->number < number)
			continue;
		for (; out && number < line->number; number++)
			fputc('\n', out);
		if (out)
			fprintf(out, "%s\n", line->text);
		number++;
	}
	if (!out || fclose(out))
		record->err = -ENOMEM;
	else if (!record_follow(record, file, real))
		record_put(record, real, FILTER_TEXT, text, size);
	free(text);
	return to;
}

void record_scripts(struct record *record)
{
	struct recipes recipes;
	struct lines lines = { 0 };

	if (recipes_find(record->root, NULL, &recipes) || collect(&recipes, &lines))
		record->err = -ENOMEM;
	else if (lines.count)
		qsort(lines.list, lines.count, sizeof(*lines.list), by_place);
	for (size_t at = 0; at < lines.count && !record->err;)
		at = put_lines(record, &lines, at);
	free(lines.list);
	recipes_free(&recipes);
}
