// SPDX-License-Identifier: GPL-2.0-or-later
/* The output of the reading commands; see output.h. */
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ui/output.h"
#include "util/message.h"

/* Increased if a member is removed or its meaning changes; see vfio-early-json(5). */
#define OUTPUT_SCHEMA 2

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

#define FOLD_LEAST  20 /* columns that a folded text should have */
#define FOLD_INDENT 2  /* of the further lines where that is not possible */

/*
 * @at: where the first line begins
 * @indent: each further line starts with blanks up to there, then @begin
 */
static void fold(const struct output *output, unsigned int at, unsigned int indent,
		 const char *begin, const char *text)
{
	unsigned int width = output_width(output);

	if (indent > FOLD_INDENT && width < indent + FOLD_LEAST)
		indent = FOLD_INDENT;
	while (*text) {
		unsigned int blanks = (unsigned int)strspn(text, " ");
		unsigned int len = (unsigned int)strcspn(text + blanks, " ");

		if (width && at > indent && at + blanks + len > width) {
			printf("\n%*s", (int)indent, begin);
			at = indent;
			text += blanks;
			blanks = 0;
		}
		printf("%.*s", (int)(blanks + len), text);
		at += blanks + len;
		text += blanks + len;
	}
	putchar('\n');
}

void output_fold(const struct output *output, unsigned int column, const char *text)
{
	fold(output, column, column, "", text);
}

void output_foldf(const struct output *output, unsigned int at, const char *fmt, ...)
{
	va_list args;
	char *text;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&text, fmt, args);
	va_end(args);
	if (ret < 0) {
		va_start(args, fmt);
		vprintf(fmt, args);
		va_end(args);
		putchar('\n');
		return;
	}
	fold(output, at, FOLD_INDENT, "", text);
	free(text);
}

void output_fold_comment(const struct output *output, const char *text)
{
	static const char mark[] = "# ";

	fputs(mark, stdout);
	fold(output, sizeof(mark) - 1, sizeof(mark) - 1, mark, text);
}

/* The index of the column that a word of a list names, or -1. */
static int find_column(const struct output_column *columns, const char *word, size_t len)
{
	for (int i = 0; columns[i].name; i++)
		if (strlen(columns[i].name) == len && !strncasecmp(columns[i].name, word, len))
			return i;
	return -1;
}

/* Is this one of the columns that are shown without -o? */
static bool is_default(const struct output *output, const struct output_column *column)
{
	unsigned int width = output_width(output);

	if (output->format == OUTPUT_JSON)
		return column->is_shown || !output->columns;
	return column->is_shown &&
	       (output->format == OUTPUT_RAW || !width || width >= column->wide);
}

/* Calls a function for each column to be shown, in order. */
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

bool output_is_table(const struct output *output)
{
	return output->format != OUTPUT_TEXT || output->columns;
}

int output_check_columns(const struct output *output, const struct output_column *columns)
{
	struct output_table table = { .columns = columns };

	return for_each_shown(output, columns, check_column, &table);
}

static int add_column(struct output_table *table, int i, const char *word, size_t len)
{
	const struct output_column *column = &table->columns[i];
	struct libscols_column *shown;
	int flags = column->flags;

	(void)word;
	(void)len;
	/* Named twice: libsmartcols would show it twice, but here a cell has one column. */
	if (table->shown[i])
		return 0;
	if (table->output->format == OUTPUT_RAW)
		flags &= ~SCOLS_FL_TREE;
	shown = scols_table_new_column(table->table, column->name, column->width, flags);
	if (!shown)
		return -ENOMEM;
	table->shown[i] = shown;
	return 0;
}

int output_table_init(struct output_table *table, const struct output *output, const char *name,
		      const struct output_column *columns)
{
	unsigned int width = output_width(output);
	int ret;

	*table = (struct output_table){
		.output = output,
		.columns = columns,
		.name = name,
		.children = "children",
	};
	scols_init_debug(0);
	table->table = scols_new_table();
	if (!table->table)
		return message_errno(-ENOMEM, "cannot make a table");
	scols_table_enable_raw(table->table, output->format == OUTPUT_RAW);
	scols_table_enable_noheadings(table->table, output->no_headings);
	scols_table_enable_colors(table->table, output_has_color(output));
	scols_table_set_termforce(table->table,
				  width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (width)
		scols_table_set_termwidth(table->table, width);
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

/* --- JSON */

static struct json_object *json_cell(enum output_kind kind, const char *text)
{
	char *end;
	long long number;

	if (kind == OUTPUT_BOOLEAN)
		return json_object_new_boolean(text && *text);
	if (kind != OUTPUT_NUMBER || !text || !*text)
		return output_json_text(text);
	number = strtoll(text, &end, 10);
	return *end ? output_json_text(text) : json_object_new_int64(number);
}

static struct json_object *json_line(struct output_table *table, struct libscols_line *line,
				     struct json_object *under)
{
	struct json_object *object = json_object_new_object();
	bool is_child = scols_line_get_parent(line);
	char name[32];

	table->has_failed |= !object;
	for (int i = 0; table->columns[i].name && object; i++) {
		const struct output_column *column = &table->columns[i];
		size_t len = strlen(column->name);

		if (!table->shown[i] || column->part == (is_child ? OUTPUT_PARENT : OUTPUT_CHILD))
			continue;
		for (size_t j = 0; j <= len && j < sizeof(name); j++)
			name[j] = (char)tolower((unsigned char)column->name[j]);
		json_object_object_add(
			object, name,
			json_cell(column->kind, scols_line_get_column_data(line, table->shown[i])));
	}
	json_object_array_add(under, object);
	return object;
}

static void json_below(struct output_table *table, struct libscols_line *line,
		       struct json_object *object)
{
	struct json_object *children;
	struct libscols_iter *iter;
	struct libscols_line *child;

	if (!object || !scols_line_has_children(line))
		return;
	children = json_object_new_array();
	iter = scols_new_iter(SCOLS_ITER_FORWARD);
	table->has_failed |= !iter || !children;
	while (iter && !scols_line_next_child(line, iter, &child))
		json_below(table, child, json_line(table, child, children));
	scols_free_iter(iter);
	json_object_object_add(object, table->children, children);
}

static int print_json(struct output_table *table)
{
	struct json_object *top = output_json_object(), *list = json_object_new_array();
	struct libscols_iter *iter = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;

	if (top && list && iter) {
		while (!scols_table_next_line(table->table, iter, &line))
			if (!scols_line_get_parent(line))
				json_below(table, line, json_line(table, line, list));
		json_object_object_add(top, table->name, json_object_get(list));
	}
	table->has_failed |= !top || !list || !iter;
	json_object_put(list);
	scols_free_iter(iter);
	if (table->has_failed) {
		json_object_put(top);
		top = NULL;
	}
	return output_json(top);
}

int output_table_print(struct output_table *table)
{
	int ret = table->has_failed ? -ENOMEM : 0;

	if (!ret && table->output->format == OUTPUT_JSON)
		return print_json(table);
	if (!ret)
		ret = scols_print_table(table->table);
	return ret < 0 ? message_errno(ret, "cannot print the table") : 0;
}

struct json_object *output_json_object(void)
{
	struct json_object *object = json_object_new_object();

	if (object)
		json_object_object_add(object, "schema", json_object_new_int(OUTPUT_SCHEMA));
	return object;
}

struct json_object *output_json_text(const char *text)
{
	return text && *text ? json_object_new_string(text) : NULL;
}

/* Bytes of the well-formed UTF-8 sequence that a text begins with (Unicode, table 3-7), or 0. */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (*text < 0x80)
		return 1;
	if (*text < 0xc2 || *text > 0xf4)
		return 0;
	len = 2 + (*text >= 0xe0) + (*text >= 0xf0);
	if (*text == 0xe0)
		low = 0xa0;
	else if (*text == 0xed)
		high = 0x9f;
	else if (*text == 0xf0)
		low = 0x90;
	else if (*text == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return len;
}

static int make_utf8(struct json_object *object, int flags, struct json_object *parent,
		     const char *key, size_t *index, void *arg)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const char *text;
	FILE *out = NULL;
	char *good = NULL;
	size_t size;

	(void)flags, (void)parent, (void)key, (void)index;
	if (!json_object_is_type(object, json_type_string))
		return JSON_C_VISIT_RETURN_CONTINUE;
	text = json_object_get_string(object);
	while (*text && utf8_length((const unsigned char *)text))
		text += utf8_length((const unsigned char *)text);
	if (*text)
		out = open_memstream(&good, &size);
	if (!out) {
		*(bool *)arg |= *text;
		return JSON_C_VISIT_RETURN_CONTINUE;
	}
	for (text = json_object_get_string(object); *text;) {
		size_t len = utf8_length((const unsigned char *)text);

		fwrite(len ? text : replacement, 1, len ? len : sizeof(replacement) - 1, out);
		text += len ? len : 1;
	}
	if (fclose(out) || !json_object_set_string(object, good))
		*(bool *)arg = true;
	free(good);
	return JSON_C_VISIT_RETURN_CONTINUE;
}

int output_json(struct json_object *object)
{
	const char *text = NULL;
	bool has_failed = false;

	if (object)
		json_c_visit(object, 0, make_utf8, &has_failed);
	if (object && !has_failed)
		text = json_object_to_json_string_ext(object,
						      JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_SPACED |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		puts(text);
	json_object_put(object);
	return text ? 0 : message_errno(-ENOMEM, "cannot print JSON");
}

int output_finish(void)
{
	int error = fflush(stdout) ? -errno : 0;

	/* If an earlier write failed, its errno is no longer known. */
	if (!error && ferror(stdout))
		return message_error("cannot write to standard output");
	return error ? message_errno(error, "cannot write to standard output") : 0;
}
