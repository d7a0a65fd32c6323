/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of the subcommands: one table says what is parsed and what --help prints, and what all
 * reading commands have in common is said once. Prints help and errors of usage, and nothing else.
 */
#ifndef VFIO_EARLY_HOOK_UI_OPTIONS_H
#define VFIO_EARLY_HOOK_UI_OPTIONS_H

#include <stdbool.h>

#include "ui/output.h"

struct options_entry {
	const char *name; /* the long one: "group" */
	int code;	  /* below 256 the short one too; unique among all */
	const char
		*argument; /* "DIR", "[DIR]" where it may be left out, or NULL when it takes none */
	const char *help;  /* one line */
};

/* What a command has beside its own options. --help it always has. */
enum {
	OPTIONS_ROOT = 1,    /* -r, --root DIR */
	OPTIONS_JSON = 2,    /* -J, --json */
	OPTIONS_COLOR = 4,   /* --color WHEN, -w, --width N */
	OPTIONS_COLUMNS = 8, /* -o, --output LIST, --raw */
	OPTIONS_REPORT = 16, /* --root may name a bug report: nothing is written there */
	OPTIONS_BARE = 32,   /* -n, --noheadings */
	OPTIONS_TABLE = OPTIONS_COLUMNS | OPTIONS_BARE,
	OPTIONS_READING = OPTIONS_ROOT | OPTIONS_JSON | OPTIONS_COLOR | OPTIONS_REPORT,
};

struct options_spec {
	const char *usage;		     /* "list [OPTION...] [ADDRESS...]" */
	const char *about;		     /* a few lines, each ended by \n */
	const struct options_entry *entry;   /* ended by one without a name; may be NULL */
	unsigned int common;		     /* OPTIONS_ROOT and so on, or'ed */
	const struct output_column *columns; /* OPTIONS_COLUMNS: as for output_table_init() */
	const char *end;		     /* exit status and the like, each line ended by \n */
};

struct options {
	const struct options_spec *spec;
	struct output output;
	const char *root; /* --root, or "/" */
	int status;	  /* after OPTIONS_EXIT: what the command is to return */
};

enum {
	OPTIONS_DONE = -1,
	OPTIONS_EXIT = -2,
};

/* options_init - every default. The spec must live as long. */
void options_init(struct options *opts, const struct options_spec *spec);

/*
 * options_next - the next option of the command's own, as getopt_long() does it.
 *
 * Returns its code, with its argument in optarg; OPTIONS_DONE when the rest, from argv[optind], is
 * no option; or OPTIONS_EXIT when --help was printed, or a wrong option was named with its fix.
 */
int options_next(struct options *opts, int argc, char **argv);

/* options_usage - after a message_error() about usage: where to read on. Returns COMMAND_USAGE. */
int options_usage(const struct options *opts);

/* options_no_arguments - says that an argument is one too many. Returns 0 or COMMAND_USAGE. */
int options_no_arguments(const struct options *opts, int argc, char **argv);

#endif
