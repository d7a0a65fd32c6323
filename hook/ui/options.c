// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of the subcommands; see options.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui/options.h"
#include "ui/status.h"
#include "util/message.h"
#include "util/root.h"

/* Codes of options without a letter; the codes of a command's own options are smaller. */
enum {
	CODE_RAW = 0x1000,
	CODE_COLOR,
};

#define MAX_OPTIONS 48

#define HELP_WIDTH 80

static const struct common {
	unsigned int needs;
	struct options_entry entry;
} common[] = {
	{ OPTIONS_COLUMNS,
	  { "output", 'o', "LIST", "print these columns (see below); +LIST adds to them" } },
	{ OPTIONS_BARE, { "noheadings", 'n', NULL, "do not print column headings" } },
	{ OPTIONS_COLUMNS,
	  { "raw", CODE_RAW, NULL, "one space between columns; blanks become \\x20" } },
	{ OPTIONS_COLOR, { "width", 'w', "N", "lay out for N columns" } },
	{ OPTIONS_COLOR,
	  { "color", CODE_COLOR, "WHEN", "use colors: auto, always or never (default: auto)" } },
	{ OPTIONS_JSON, { "json", 'J', NULL, "print JSON" } },
	{ OPTIONS_ROOT, { "root", 'r', "DIR", "read the host's files below DIR" } },
	{ 0, { "help", 'h', NULL, "print this help" } },
};

#define N_COMMON (sizeof(common) / sizeof(common[0]))

static bool has_common(const struct options_spec *spec, const struct common *item)
{
	return (spec->common & item->needs) == item->needs;
}

static int name_length(const struct options_spec *spec)
{
	return (int)strcspn(spec->usage, " ");
}

static void help_entry(const struct options_entry *entry, FILE *out)
{
	char text[64];

	snprintf(text, sizeof(text), "--%s%s%s", entry->name, entry->argument ? " " : "",
		 entry->argument ? entry->argument : "");
	if (entry->code < 256)
		fprintf(out, "  -%c, %-20s %s\n", entry->code, text, entry->help);
	else
		fprintf(out, "      %-20s %s\n", text, entry->help);
}

/* Two in each row, so that all of them fit on a screen of 24 lines and 80 columns. */
static void help_columns(const struct output_column *column, FILE *out)
{
	fputs("\nColumns (* shown unless told otherwise, JSON has all):\n", out);
	for (bool is_left = true; column->name; column++, is_left = !is_left) {
		bool is_last = !is_left || !column[1].name;

		fprintf(out, " %c%-9s %-*s%s", column->is_shown ? '*' : ' ', column->name,
			is_last ? 0 : 28, column->help, is_last ? "\n" : "");
	}
}

/*
 * Prints paragraphs, each filled up to the width of a terminal. A line that begins with a blank
 * stays as it is.
 */
static void help_text(const char *text, FILE *out)
{
	size_t at = 0;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (*text == '\n' && (!at || text[1] == '\n' || !text[1] || text[1] == ' ')) {
			fputc('\n', out);
			at = 0;
			text++;
		} else if (*text == ' ' && !at) {
			len = strcspn(text, "\n");
			fprintf(out, "%.*s\n", (int)len, text);
			text += len + (text[len] == '\n');
		} else if (!len) {
			text++;
		} else {
			bool is_full = at && at + 1 + len > HELP_WIDTH;

			fprintf(out, "%s%.*s", is_full ? "\n" : at ? " " : "", (int)len, text);
			at = is_full || !at ? len : at + 1 + len;
			text += len;
		}
	}
	if (at)
		fputc('\n', out);
}

static void help(const struct options_spec *spec, FILE *out)
{
	fprintf(out, "Usage: vfio-early %s\n\n", spec->usage);
	help_text(spec->about, out);
	fputc('\n', out);
	for (const struct options_entry *entry = spec->entry; entry && entry->name; entry++)
		help_entry(entry, out);
	for (size_t i = 0; i < N_COMMON; i++)
		if (has_common(spec, &common[i]))
			help_entry(&common[i].entry, out);
	if (spec->common & OPTIONS_COLUMNS)
		help_columns(spec->columns, out);
	if (!spec->end)
		return;
	fputc('\n', out);
	help_text(spec->end, out);
}

void options_init(struct options *opts, const struct options_spec *spec)
{
	*opts = (struct options){ .spec = spec, .root = "/" };
	output_init(&opts->output);
}

int options_usage(const struct options *opts)
{
	fprintf(stderr, "See vfio-early %.*s --help\n", name_length(opts->spec), opts->spec->usage);
	return COMMAND_USAGE;
}

bool options_is_kernel(const char *text)
{
	if (text && *text && *text != '.' && !strpbrk(text, "/ \t\n#"))
		return true;
	message_error("%s is not a kernel version; fix: write what uname -r prints",
		      text && *text ? text : "\"\"");
	return false;
}

int options_no_arguments(const struct options *opts, int argc, char **argv)
{
	if (optind == argc)
		return 0;
	message_error("%.*s takes no argument: %s", name_length(opts->spec), opts->spec->usage,
		      argv[optind]);
	return options_usage(opts);
}

/* For getopt_long(): all options of a command, and their letters. */
struct parser {
	struct option option[MAX_OPTIONS + 1];
	char letters[3 * MAX_OPTIONS + 2];
	size_t count, length;
};

static bool is_optional(const struct options_entry *entry)
{
	return entry->argument && *entry->argument == '[';
}

static void add_option(struct parser *parser, const struct options_entry *entry)
{
	int has_arg = no_argument;

	if (parser->count == MAX_OPTIONS)
		abort();
	if (is_optional(entry))
		has_arg = optional_argument;
	else if (entry->argument)
		has_arg = required_argument;
	parser->option[parser->count++] = (struct option){
		.name = entry->name,
		.has_arg = has_arg,
		.val = entry->code,
	};
	if (entry->code >= 256)
		return;
	parser->letters[parser->length++] = (char)entry->code;
	for (int colons = entry->argument ? 1 + is_optional(entry) : 0; colons; colons--)
		parser->letters[parser->length++] = ':';
}

static void make_parser(const struct options_spec *spec, struct parser *parser)
{
	memset(parser, 0, sizeof(*parser));
	/* A missing argument is returned as ':', and getopt_long() prints nothing itself. */
	parser->letters[parser->length++] = ':';
	for (const struct options_entry *entry = spec->entry; entry && entry->name; entry++)
		add_option(parser, entry);
	for (size_t i = 0; i < N_COMMON; i++)
		if (has_common(spec, &common[i]))
			add_option(parser, &common[i].entry);
}

/*
 * Reports what getopt_long() did not accept. For a long option that is the argument before
 * argv[optind].
 */
static int wrong_option(struct options *opts, const struct parser *parser, int opt, char **argv)
{
	const char *text = argv[optind - 1];
	const struct option *option = NULL;
	char letter[3] = { '-', (char)optopt, '\0' };

	for (size_t i = 0; optopt && i < parser->count; i++)
		if (parser->option[i].val == optopt)
			option = &parser->option[i];
	if (option && opt == ':')
		message_error("option --%s needs an argument", option->name);
	else if (option)
		message_error("option --%s takes no argument", option->name);
	else
		message_error("unknown option %s", optopt ? letter : text);
	return options_usage(opts);
}

static int wrong_value(struct options *opts, const char *option, const char *fix)
{
	message_error("%s is not a valid value for %s; fix: write %s", *optarg ? optarg : "\"\"",
		      option, fix);
	opts->status = options_usage(opts);
	return OPTIONS_EXIT;
}

static int parse_color(struct options *opts)
{
	if (!strcmp(optarg, "auto"))
		opts->output.color = OUTPUT_COLOR_AUTO;
	else if (!strcmp(optarg, "always"))
		opts->output.color = OUTPUT_COLOR_ALWAYS;
	else if (!strcmp(optarg, "never"))
		opts->output.color = OUTPUT_COLOR_NEVER;
	else
		return wrong_value(opts, "--color", "auto, always or never");
	return 0;
}

static int parse_width(struct options *opts)
{
	char *end;
	unsigned long value = strtoul(optarg, &end, 10);

	if (!isdigit((unsigned char)*optarg) || *end || value < 20 || value > 10000)
		return wrong_value(opts, "--width", "a number of columns from 20 to 10000");
	opts->output.width = (unsigned int)value;
	return 0;
}

/* A folder; for a command that only reads, also the file of a bug report. */
static int parse_root(struct options *opts)
{
	struct stat st;

	/* For example in a script with an unset variable: "/" was not meant. */
	if (!*optarg)
		return wrong_value(opts, "--root", "the folder of a tree");
	opts->root = optarg;
	if (stat(optarg, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (!(opts->spec->common & OPTIONS_REPORT)) {
		message_error("%s is a file: %.*s changes a machine, and takes no bug report; fix: "
			      "name the top of a machine's tree",
			      optarg, name_length(opts->spec), opts->spec->usage);
		opts->status = options_usage(opts);
		return OPTIONS_EXIT;
	}
	opts->root = root_of_report ? root_of_report(optarg) : NULL;
	if (opts->root)
		return 0;
	opts->status = COMMAND_NOTHING;
	return OPTIONS_EXIT;
}

static void parse_json(struct options *opts)
{
	opts->is_json = true;
	opts->output.format = OUTPUT_JSON;
}

/* Handles a common option. Returns 0, or the code of an option that belongs to the command. */
static int parse_common(struct options *opts, int code)
{
	switch (code) {
	case 'h':
		help(opts->spec, stdout);
		opts->status = COMMAND_OK;
		return OPTIONS_EXIT;
	case CODE_COLOR:
		return parse_color(opts);
	case CODE_RAW:
		opts->is_raw = true;
		opts->output.format = OUTPUT_RAW;
		return 0;
	}
	if (code == 'r' && opts->spec->common & OPTIONS_ROOT)
		return parse_root(opts);
	else if (code == 'J' && opts->spec->common & OPTIONS_JSON)
		parse_json(opts);
	else if (code == 'o' && opts->spec->common & OPTIONS_COLUMNS)
		opts->output.columns = optarg;
	else if (code == 'n' && opts->spec->common & OPTIONS_BARE)
		opts->output.no_headings = true;
	else if (code == 'w' && opts->spec->common & OPTIONS_COLOR)
		return parse_width(opts);
	else
		return code;
	return 0;
}

int options_next(struct options *opts, int argc, char **argv)
{
	struct parser parser;

	make_parser(opts->spec, &parser);
	opterr = 0;
	for (;;) {
		int code = getopt_long(argc, argv, parser.letters, parser.option, NULL);

		if (code == -1)
			break;
		if (code == '?' || code == ':') {
			opts->status = wrong_option(opts, &parser, code, argv);
			return OPTIONS_EXIT;
		}
		code = parse_common(opts, code);
		if (code)
			return code;
	}
	if (opts->is_raw && opts->is_json) {
		message_error("--raw and --json contradict each other; fix: leave one of them out");
		opts->status = options_usage(opts);
		return OPTIONS_EXIT;
	}
	if (opts->spec->common & OPTIONS_COLUMNS &&
	    output_check_columns(&opts->output, opts->spec->columns)) {
		opts->status = options_usage(opts);
		return OPTIONS_EXIT;
	}
	return OPTIONS_DONE;
}
