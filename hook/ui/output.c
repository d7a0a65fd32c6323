// SPDX-License-Identifier: GPL-2.0-or-later
/* What the reading commands print; see output.h. */
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ui/output.h"
#include "util/message.h"

static const char *const sequence[] = {
	[OUTPUT_PLAIN] = "",	     [OUTPUT_GOOD] = "\033[32m", [OUTPUT_WARN] = "\033[33m",
	[OUTPUT_BAD] = "\033[1;31m", [OUTPUT_DIM] = "\033[2m",	 [OUTPUT_STRONG] = "\033[1m",
};

void output_init(struct output *output)
{
	*output = (struct output){ .format = OUTPUT_TEXT };
}

bool output_has_color(const struct output *output)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (output->format != OUTPUT_TEXT || output->color == OUTPUT_COLOR_NEVER)
		return false;
	if (output->color == OUTPUT_COLOR_ALWAYS)
		return true;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

unsigned int output_width(const struct output *output)
{
	struct winsize size;

	if (output->width)
		return output->width;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return size.ws_col;
	return 0;
}

const char *output_on(const struct output *output, enum output_mark mark)
{
	return output_has_color(output) ? sequence[mark] : "";
}

const char *output_off(const struct output *output, enum output_mark mark)
{
	return mark != OUTPUT_PLAIN && output_has_color(output) ? "\033[0m" : "";
}

void output_fold(const struct output *output, unsigned int column, const char *text)
{
	unsigned int width = output_width(output), at = column;

	/* Nothing sensible fits: let the terminal do it. */
	if (width < column + 20)
		width = 0;
	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > column && width && at + 1 + len > width) {
			printf("\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			putchar(' ');
			at++;
		}
		printf("%.*s", (int)len, text);
		at += (unsigned int)len;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* Which column this word of a list names, or -1. */
static int find_column(const struct output_column *columns, const char *word, size_t len)
{
	for (int i = 0; columns[i].name; i++)
		if (strlen(columns[i].name) == len && !strncasecmp(columns[i].name, word, len))
			return i;
	return -1;
}

/* Is this one of the columns that are shown when -o names none? */
static bool is_default(const struct output *output, const struct output_column *column)
{
	unsigned int width = output_width(output);

	if (output->format == OUTPUT_JSON)
		return column->is_shown || !output->columns;
	return column->is_shown &&
	       (output->format == OUTPUT_RAW || !width || width >= column->wide);
}

/* Calls a function for each column that is to be shown, in order. */
static int for_each_shown(const struct output *output, const struct output_column *columns,
			  int (*fn)(struct output_table *table, int column, const char *word,
				    size_t len),
			  struct output_table *table)
{
	const char *list = output->columns;
	int ret = 0;

	if (!list || *list == '+')
		for (int i = 0; columns[i].name && !ret; i++)
			if (is_default(output, &columns[i]))
				ret = fn(table, i, columns[i].name, strlen(columns[i].name));
	if (!list)
		return ret;
	list += *list == '+';
	while (!ret) {
		size_t len = strcspn(list, ",");

		ret = fn(table, find_column(columns, list, len), list, len);
		list += len;
		if (!*list++)
			break;
	}
	return ret;
}

static int check_column(struct output_table *table, int column, const char *word, size_t len)
{
	char known[512] = "";

	if (column >= 0)
		return 0;
	for (int i = 0; table->columns[i].name; i++) {
		size_t at = strlen(known);

		snprintf(known + at, sizeof(known) - at, " %s", table->columns[i].name);
	}
	return message_error("no column is called %s%.*s%s; known:%s", len ? "" : "\"", (int)len,
			     word, len ? "" : "\"", known);
}

int output_check_columns(const struct output *output, const struct output_column *columns)
{
	struct output_table table = { .columns = columns };

	return for_each_shown(output, columns, check_column, &table);
}

static int scols_type(enum output_kind kind)
{
	switch (kind) {
	case OUTPUT_NUMBER:
		return SCOLS_JSON_NUMBER;
	case OUTPUT_BOOLEAN:
		return SCOLS_JSON_BOOLEAN;
	default:
		return SCOLS_JSON_STRING;
	}
}

static int add_column(struct output_table *table, int i, const char *word, size_t len)
{
	const struct output_column *column = &table->columns[i];
	struct libscols_column *shown;
	int flags = column->flags;

	(void)word;
	(void)len;
	/* Twice in the list: libsmartcols would show it twice, but a cell has one column here. */
	if (table->shown[i])
		return 0;
	if (table->output->format == OUTPUT_RAW)
		flags &= ~SCOLS_FL_TREE;
	shown = scols_table_new_column(table->table, column->name, column->width, flags);
	if (!shown)
		return -ENOMEM;
	table->shown[i] = shown;
	return scols_column_set_json_type(shown, scols_type(column->kind));
}

int output_table_init(struct output_table *table, const struct output *output, const char *name,
		      const struct output_column *columns)
{
	unsigned int width = output_width(output);
	int ret;

	*table = (struct output_table){ .output = output, .columns = columns };
	scols_init_debug(0);
	table->table = scols_new_table();
	if (!table->table)
		return message_errno(-ENOMEM, "cannot make a table");
	scols_table_enable_raw(table->table, output->format == OUTPUT_RAW);
	scols_table_enable_json(table->table, output->format == OUTPUT_JSON);
	scols_table_enable_noheadings(table->table, output->no_headings);
	scols_table_enable_colors(table->table, output_has_color(output));
	scols_table_set_termforce(table->table,
				  width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (width)
		scols_table_set_termwidth(table->table, width);
	ret = scols_table_set_name(table->table, name);
	if (!ret)
		ret = for_each_shown(output, columns, add_column, table);
	return ret ? message_errno(ret, "cannot make a table") : 0;
}

void output_table_free(struct output_table *table)
{
	scols_unref_table(table->table);
	table->table = NULL;
}

bool output_wants(const struct output_table *table, unsigned int column)
{
	return table->shown[column] != NULL;
}

struct libscols_line *output_line(struct output_table *table, struct libscols_line *parent)
{
	struct libscols_line *line = scols_table_new_line(table->table, parent);

	table->has_failed |= !line;
	return line;
}

void output_set(struct output_table *table, struct libscols_line *line, unsigned int column,
		const char *text)
{
	char *copy;

	if (!line || !table->shown[column] || !text || !*text)
		return;
	copy = strdup(text);
	if (!copy) {
		table->has_failed = true;
		return;
	}
	if (scols_line_refer_column_data(line, table->shown[column], copy)) {
		free(copy);
		table->has_failed = true;
	}
}

void output_setf(struct output_table *table, struct libscols_line *line, unsigned int column,
		 const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	output_set(table, line, column, text);
}

void output_mark_line(struct output_table *table, struct libscols_line *line, enum output_mark mark)
{
	if (line && mark != OUTPUT_PLAIN && scols_line_set_color(line, sequence[mark]))
		table->has_failed = true;
}

void output_mark_cell(struct output_table *table, struct libscols_line *line, unsigned int column,
		      enum output_mark mark)
{
	struct libscols_cell *cell;

	if (!line || !table->shown[column] || mark == OUTPUT_PLAIN)
		return;
	cell = scols_line_get_column_cell(line, table->shown[column]);
	if (cell && !scols_cell_get_data(cell))
		return;
	if (!cell || scols_cell_set_color(cell, sequence[mark]))
		table->has_failed = true;
}

int output_table_print(struct output_table *table)
{
	int ret = table->has_failed ? -ENOMEM : 0;

	/* Of an empty table libsmartcols prints nothing, and nothing is no JSON. */
	if (!ret && table->output->format == OUTPUT_JSON && scols_table_is_empty(table->table))
		printf("{\n   \"%s\": []\n}\n", scols_table_get_name(table->table));
	else if (!ret)
		ret = scols_print_table(table->table);
	return ret < 0 ? message_errno(ret, "cannot print the table") : output_finish();
}

int output_json(struct json_object *object)
{
	const char *text = NULL;

	if (object)
		text = json_object_to_json_string_ext(object,
						      JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_SPACED |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		puts(text);
	json_object_put(object);
	return text ? output_finish() : message_errno(-ENOMEM, "cannot print JSON");
}

int output_finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		return message_errno(errno ? -errno : -EIO, "cannot write to standard output");
	return 0;
}
