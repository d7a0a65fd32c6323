/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The output of the reading commands: tables and trees of libsmartcols with the columns that the
 * user chose, for a terminal, for a program (raw) or as JSON; colours; other JSON with json-c.
 * Knows nothing about the content.
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
	OUTPUT_COLOR_AUTO, /* on a terminal, unless NO_COLOR is set (no-color.org) or TERM=dumb */
	OUTPUT_COLOR_ALWAYS,
	OUTPUT_COLOR_NEVER,
};

struct output {
	enum output_format format;
	enum output_color color;
	bool no_headings;
	const char *columns; /* of -o, "A,B" or "+A,B"; NULL for the default */
	unsigned int width;  /* of --width; 0: that of the terminal, or no limit without one */
};

/* The meaning of a colour, in all commands. */
enum output_mark {
	OUTPUT_PLAIN,
	OUTPUT_GOOD, /* as it should be */
	OUTPUT_WARN,
	OUTPUT_BAD,    /* it blocks something */
	OUTPUT_DIM,    /* of little interest */
	OUTPUT_STRONG, /* a heading, a name to look at first */
};

enum output_kind {
	OUTPUT_STRING,
	OUTPUT_NUMBER,
	OUTPUT_BOOLEAN, /* set to "yes"; not set is false in JSON, and empty elsewhere */
};

/* For a tree in JSON: which lines have this member. */
enum output_part {
	OUTPUT_EVERYWHERE,
	OUTPUT_PARENT,
	OUTPUT_CHILD,
};

/* A table's columns: an array that ends with one without a name. */
struct output_column {
	const char *name; /* in the heading and for -o; in lower case in JSON */
	const char *help; /* at most 27 columns */
	double width;	  /* hint: if below 1, a share of the terminal, else columns */
	int flags;	  /* SCOLS_FL_RIGHT, _TRUNC, _WRAP, _TREE */
	enum output_kind kind;
	bool is_shown;	   /* without -o; JSON always has all */
	unsigned int wide; /* without -o only if lines may have this many columns; 0: always */
	enum output_part part;
};

#define OUTPUT_MAX_COLUMNS 32

struct output_table {
	struct libscols_table *table;
	const struct output *output;
	const struct output_column *columns;
	const char *name, *children;			   /* names of the arrays in JSON */
	struct libscols_column *shown[OUTPUT_MAX_COLUMNS]; /* as in columns; NULL: hidden */
	bool has_failed; /* out of memory; reported by output_table_print() */
};

void output_init(struct output *output);

/*
 * output_is_table - did the user ask for a table or JSON, from a command with more output than one?
 */
bool output_is_table(const struct output *output);

/*
 * output_check_columns - are all columns of -o known? Returns 0, or -EINVAL after printing an
 * error.
 */
int output_check_columns(const struct output *output, const struct output_column *columns);

/*
 * output_table_init - make an empty table with the columns to be shown.
 * @name: of the array in JSON; the children of a line of a tree are in an array "children", unless
 *	table->children is set to another name
 *
 * Returns 0 or -errno; call output_table_free() in any case.
 */
int output_table_init(struct output_table *table, const struct output *output, const char *name,
		      const struct output_column *columns);

void output_table_free(struct output_table *table);

/* output_wants - is this column shown? If not, its value need not be read. */
bool output_wants(const struct output_table *table, unsigned int column);

/*
 * output_line - add a line; below @parent in the tree, if there is one. Returns NULL without
 * memory; the functions below accept that.
 */
struct libscols_line *output_line(struct output_table *table, struct libscols_line *parent);

/*
 * output_set - set the text of a cell; copied. NULL and "" leave it empty (in JSON: null, false).
 */
void output_set(struct output_table *table, struct libscols_line *line, unsigned int column,
		const char *text);

__attribute__((format(printf, 4, 5))) void output_setf(struct output_table *table,
						       struct libscols_line *line,
						       unsigned int column, const char *fmt, ...);

/*
 * output_mark_line, output_mark_cell - set the colour, if there are colours; of a cell only after
 * output_set().
 */
void output_mark_line(struct output_table *table, struct libscols_line *line,
		      enum output_mark mark);
void output_mark_cell(struct output_table *table, struct libscols_line *line, unsigned int column,
		      enum output_mark mark);

/*
 * output_table_print - print it on standard output. Returns 0, or -errno after printing an error.
 */
int output_table_print(struct output_table *table);

/* output_has_color - are colours written to standard output? */
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
 * output_fold - print text, folded at blanks to the width of the terminal, all lines but the first
 * indented.
 * @column: where the first line begins; the caller has printed up to there
 */
void output_fold(const struct output *output, unsigned int column, const char *text);

/*
 * output_foldf - the same for a text that is made here, with all lines but the first indented by two.
 * @at: where the first line begins
 */
__attribute__((format(printf, 3, 4))) void output_foldf(const struct output *output,
							unsigned int at, const char *fmt, ...);

/* output_fold_comment - the same as a shell comment: "# " before each line. */
void output_fold_comment(const struct output *output, const char *text);

/*
 * output_json_object - the object that all commands print, with its member "schema"; the caller
 * adds the rest. NULL without memory. See vfio-early-json(5).
 */
struct json_object *output_json_object(void);

/* output_json_text - a string; null for NULL and "". */
struct json_object *output_json_text(const char *text);

/*
 * output_json - print an object and release it (json_object_put). Bytes of a string that are not
 * UTF-8 are replaced by U+FFFD, so that the content of a file cannot make the JSON invalid (RFC
 * 8259, 8.1). Returns 0 or -errno.
 */
int output_json(struct json_object *object);

/*
 * output_finish - was all of standard output written? main() calls it, once. Returns 0, or -errno
 * after printing an error.
 */
int output_finish(void);

#endif
