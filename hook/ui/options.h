/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of the subcommands: one table defines both the parser and the text of --help, and the
 * options that all reading commands share are defined once. Prints only help and errors of usage.
 */
#ifndef VFIO_EARLY_HOOK_UI_OPTIONS_H
#define VFIO_EARLY_HOOK_UI_OPTIONS_H

#include <stdbool.h>

#include "ui/output.h"

struct options_entry {
	const char *name;     /* the long option: "group" */
	int code;	      /* if below 256, also the short option; unique */
	const char *argument; /* "DIR", "[DIR]" if it is optional, or NULL if there is none */
	const char *help;     /* one line */
};

/* What a command has besides its own options and --help. */
enum {
	OPTIONS_ROOT = 1,    /* -r, --root DIR */
	OPTIONS_JSON = 2,    /* -J, --json */
	OPTIONS_COLOR = 4,   /* --color WHEN, -w, --width N */
	OPTIONS_COLUMNS = 8, /* -o, --output LIST, --raw */
	OPTIONS_REPORT = 16, /* --root may name a bug report: the command must not write */
	OPTIONS_BARE = 32,   /* -n, --noheadings */
	OPTIONS_TABLE = OPTIONS_COLUMNS | OPTIONS_BARE,
	OPTIONS_READING = OPTIONS_ROOT | OPTIONS_JSON | OPTIONS_COLOR | OPTIONS_REPORT,
};

struct options_spec {
	const char *usage;		     /* "list [OPTION...] [ADDRESS...]" */
	const char *about;		     /* a few lines, each ended by \n */
	const struct options_entry *entry;   /* ended by one without a name; may be NULL */
	unsigned int common;		     /* OPTIONS_ROOT and so on, or'ed */
	const struct output_column *columns; /* for OPTIONS_COLUMNS, as for output_table_init() */
	const char *end;		     /* exit status and the like, each line ended by \n */
};

struct options {
	const struct options_spec *spec;
	struct output output;
	const char *root; /* --root, or "/" */
	bool is_raw, is_json;
	int status; /* after OPTIONS_EXIT: the exit status of the command */
};

enum {
	OPTIONS_DONE = -1,
	OPTIONS_EXIT = -2,
};

/* options_init - set all defaults. The spec must live as long as @opts. */
void options_init(struct options *opts, const struct options_spec *spec);

/*
 * options_next - the next of the command's own options, as from getopt_long().
 *
 * Returns its code, with the argument in optarg; OPTIONS_DONE if there are no more options: the
 * other arguments start at argv[optind]; or OPTIONS_EXIT after printing --help, or after an error
 * of usage was printed with its fix.
 */
int options_next(struct options *opts, int argc, char **argv);

/*
 * options_usage - after message_error() about wrong usage: print where the help is. Returns
 * COMMAND_USAGE.
 */
int options_usage(const struct options *opts);

/*
 * options_is_kernel - is it a kernel version, which is not a path and not empty? Prints an error
 * if not.
 */
bool options_is_kernel(const char *text);

/* options_no_arguments - print an error if there are arguments left. Returns 0 or COMMAND_USAGE. */
int options_no_arguments(const struct options *opts, int argc, char **argv);

#endif
