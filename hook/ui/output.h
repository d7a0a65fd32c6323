/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the reading commands print: tables and trees of libsmartcols, with the columns that the
 * user chose, for a terminal, for a program (raw) or as JSON; colours; other JSON by json-c.
 * Knows nothing of what it prints.
 */
#ifndef VFIO_EARLY_HOOK_UI_OUTPUT_H
#define VFIO_EARLY_HOOK_UI_OUTPUT_H

#include <libsmartcols.h>
#include <stdbool.h>
#include <stdio.h>

struct json_object;

enum output_format {
	OUTPUT_TEXT,
	OUTPUT_RAW,
	OUTPUT_JSON,
};

enum output_color {
	OUTPUT_COLOR_AUTO, /* on a terminal, unless NO_COLOR is set (no-color.org) or TERM is dumb */
	OUTPUT_COLOR_ALWAYS,
	OUTPUT_COLOR_NEVER,
};

struct output {
	enum output_format format;
	enum output_color color;
	bool no_headings;
	const char *columns; /* of -o: "A,B" or "+A,B"; NULL for the default */
	unsigned int width;  /* of --width; 0: the terminal's, no limit where there is none */
};

/* What a colour means, everywhere. */
enum output_mark {
	OUTPUT_PLAIN,
	OUTPUT_GOOD, /* as it should be */
	OUTPUT_WARN,
	OUTPUT_BAD,    /* stands in the way */
	OUTPUT_DIM,    /* there, but not what one looks for */
	OUTPUT_STRONG, /* a heading, a name to look at first */
};

enum output_kind {
	OUTPUT_STRING,
	OUTPUT_NUMBER,
	OUTPUT_BOOLEAN, /* set to "yes"; not set is false in JSON, and empty elsewhere */
};

/* Of a tree in JSON: which lines have this member. */
enum output_part {
	OUTPUT_EVERYWHERE,
	OUTPUT_PARENT,
	OUTPUT_CHILD,
};

/* A table's columns: an array that ends with one without a name. */
struct output_column {
	const char *name; /* of the heading and of -o; JSON has it in lower case */
	const char *help; /* at most 27 columns */
	double width;	  /* hint: below 1 a share of the terminal, else columns */
	int flags;	  /* SCOLS_FL_RIGHT, _TRUNC, _WRAP, _TREE */
	enum output_kind kind;
	bool is_shown;	   /* without -o; JSON then has all */
	unsigned int wide; /* without -o only where lines have as many columns; 0: always */
	enum output_part part;
};

#define OUTPUT_MAX_COLUMNS 32

struct output_table {
	struct libscols_table *table;
	const struct output *output;
	const struct output_column *columns;
	const char *name, *children;			   /* of the arrays in JSON */
	struct libscols_column *shown[OUTPUT_MAX_COLUMNS]; /* by place in columns; NULL: not shown */
	bool has_failed; /* out of memory; said when it is printed */
};

void output_init(struct output *output);

/* output_is_table - was a table or JSON asked for, where the command has more to say than one? */
bool output_is_table(const struct output *output);

/* output_check_columns - are all columns of -o known? Returns 0, or -EINVAL after saying so. */
int output_check_columns(const struct output *output, const struct output_column *columns);

/*
 * output_table_init - an empty table with the columns that are to be shown.
 * @name: of the array in JSON; what is below a line of a tree is in an array "children", unless
 *	table->children is set to another name
 *
 * Returns 0 or -errno; output_table_free() in any case.
 */
int output_table_init(struct output_table *table, const struct output *output, const char *name,
		      const struct output_column *columns);

void output_table_free(struct output_table *table);

/* output_wants - is this column shown? What is not shown need not be read. */
bool output_wants(const struct output_table *table, unsigned int column);

/*
 * output_line - a new line; with a parent, below it in the tree. NULL when memory ran out, which
 * the functions below take.
 */
struct libscols_line *output_line(struct output_table *table, struct libscols_line *parent);

/* output_set - the text of a cell, copied. NULL and "" leave it empty (JSON: null, false). */
void output_set(struct output_table *table, struct libscols_line *line, unsigned int column,
		const char *text);

__attribute__((format(printf, 4, 5))) void output_setf(struct output_table *table,
						       struct libscols_line *line,
						       unsigned int column, const char *fmt, ...);

/* output_mark_line, output_mark_cell - colours, where there are any; a cell once it is set. */
void output_mark_line(struct output_table *table, struct libscols_line *line,
		      enum output_mark mark);
void output_mark_cell(struct output_table *table, struct libscols_line *line, unsigned int column,
		      enum output_mark mark);

/* output_table_print - to standard output. Returns 0, or -errno after saying what went wrong. */
int output_table_print(struct output_table *table);

/* output_has_color - are colours to be written to standard output? */
bool output_has_color(const struct output *output);

/* output_width - columns of the terminal, or 0 for no limit. */
unsigned int output_width(const struct output *output);

/*
 * output_on, output_off - the escape sequences around marked text outside of tables; "" without
 * colours: printf("%s%s%s\n", output_on(out, OUTPUT_GOOD), "READY", output_off(out, OUTPUT_GOOD)).
 */
const char *output_on(const struct output *output, enum output_mark mark);
const char *output_off(const struct output *output, enum output_mark mark);

/*
 * output_fold - print text, folded at blanks to the terminal's width, all but the first line
 * indented.
 * @column: where the first line begins, which is already printed up to there
 */
void output_fold(const struct output *output, unsigned int column, const char *text);

/* output_fold_comment - the same as a comment of a shell: "# " before each line. */
void output_fold_comment(const struct output *output, const char *text);

/*
 * output_json_object - what every command's JSON is: an object with "schema", to which the rest is
 * added. NULL when memory ran out. See vfio-early-json(5).
 */
struct json_object *output_json_object(void);

/* output_json_text - a string, or null for NULL and "". */
struct json_object *output_json_text(const char *text);

/*
 * output_json - print an object and give it back (json_object_put). Bytes of a string that are not
 * UTF-8 are replaced by U+FFFD, as whatever a file held must not spoil the whole (RFC 8259, 8.1).
 * Returns 0 or -errno.
 */
int output_json(struct json_object *object);

/*
 * output_finish - was all of standard output written? main() asks, once. Returns 0, or -errno after
 * saying it.
 */
int output_finish(void);

#endif
