// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early: the host command. The table of subcommands, and what is common to them; no work of
 * any subcommand.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "early/version.h"
#include "record/replay.h"
#include "ui/output.h"
#include "util/message.h"
#include "util/root.h"
#include "util/typo.h"

struct command {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *help; /* NULL: only run by our own units, not listed */
};

static const struct command commands[] = {
	{ "list", command_list, "PCI functions, and what the next boot does with each" },
	{ "groups", command_groups, "IOMMU groups, and which of them a VM can have" },
	{ "check", command_check, "dry run of the next boot, and what may go wrong" },
	{ "plan", command_plan, "compile the config into the plan for an image" },
	{ "add", command_add, "write bind lines for a device into the config" },
	{ "remove", command_remove, "take a device out of the config" },
	{ "import", command_import, "turn older recipes into lines of the config" },
	{ "apply", command_apply, "put the config into the boot loader and the images" },
	{ "undo", command_undo, "take back what apply did" },
	{ "confirm", command_confirm, "keep what apply --try changed" },
	{ "detach", command_detach, "hand a device to vfio-pci now, without a reboot" },
	{ "reattach", command_reattach, "give a device back to its own driver now" },
	{ "status", command_status, "READY or NOT READY, with each check and its fix" },
	{ "verify", command_verify, "what a boot with an image would do" },
	{ "vgpu", command_vgpu, "functions that VMs can share: mdev, SR-IOV, vGPU" },
	{ "vm", command_vm, "the commands that give a device to a VM of Proxmox VE" },
	{ "log", command_log, "what was said at this boot or an earlier one" },
	{ "bug-report", command_bug_report, "describe this machine in one text file" },
	{ "vfs", command_vfs, NULL },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	fputs("Usage: vfio-early COMMAND [OPTION...]\n"
	      "       vfio-early --help | help [COMMAND] | --version\n"
	      "\n"
	      "Hands PCI devices to vfio-pci at boot, before any other driver.\n"
	      "\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (commands[i].help)
			fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n"
	      "`vfio-early COMMAND --help` explains one command.\n"
	      "The config is /etc/vfio-early.conf.\n",
	      out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

/* The command that was meant: with few typing errors, or with its end left out; or NULL. */
static const char *guess_command(const char *word)
{
	const char *best = NULL;
	unsigned int least = 3;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		unsigned int distance = typo_distance(word, commands[i].name);

		if (!commands[i].help || distance >= least ||
		    2 * distance > strlen(commands[i].name))
			continue;
		best = commands[i].name;
		least = distance;
	}
	for (size_t i = 0; i < N_COMMANDS && !best && strlen(word) > 1; i++)
		if (commands[i].help && !strncmp(commands[i].name, word, strlen(word)))
			best = commands[i].name;
	return best;
}

static int unknown_command(const char *word)
{
	const char *guess = guess_command(word);

	if (guess)
		message_error("unknown command %s; did you mean vfio-early %s?", word, guess);
	else
		message_error("unknown command %s; see vfio-early --help", *word ? word : "\"\"");
	return COMMAND_USAGE;
}

/* Writes a blank and a word, as it can be typed in a shell. */
static void write_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_.,:=/@%+-";

	fputc(' ', out);
	if (*word && !word[strspn(word, plain)]) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	fputc('\'', out);
}

/* An option before the command: says where it belongs, with the whole line if a command follows. */
static int misplaced_option(int argc, char **argv, int first)
{
	char *line = NULL;
	size_t size;
	FILE *out;
	int at = first;

	while (at < argc && !find_command(argv[at]))
		at++;
	if (at == argc) {
		message_error("unknown option %s: only --help and --version come without a command; "
			      "see vfio-early --help",
			      argv[first]);
		return COMMAND_USAGE;
	}
	out = open_memstream(&line, &size);
	for (int i = 1; i < argc && out; i++)
		if (i != at)
			write_word(out, argv[i]);
	if (out && !fclose(out))
		message_error("the option %s is before the command; fix: vfio-early %s%s",
			      argv[first], argv[at], line);
	else
		message_errno(-ENOMEM, "the option %s is before the command", argv[first]);
	free(line);
	return COMMAND_USAGE;
}

/* `help`, `help COMMAND`: the same as --help. */
static int run_help(int argc, char **argv)
{
	static char option[] = "--help";
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	char *words[] = { argc > 1 ? argv[1] : NULL, option, NULL };

	if (argc == 1 || !strcmp(argv[1], "help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], option)) {
		help(stdout);
		return COMMAND_OK;
	}
	return command ? command->fn(2, words) : unknown_command(argv[1]);
}

/* Returns the exit status. */
static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	const struct command *command;
	int opt;

	opterr = 0;
	/* "+": options after the name of the subcommand are its own. */
	while ((opt = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			help(stdout);
			return COMMAND_OK;
		case 'V':
			printf("vfio-early %s\n", version_text);
			return COMMAND_OK;
		default:
			return misplaced_option(argc, argv, 1);
		}
	}
	if (optind == argc) {
		help(stderr);
		return COMMAND_USAGE;
	}

	argc -= optind;
	argv += optind;
	optind = 0; /* getopt(3): start again, with the subcommand's arguments */
	if (!strcmp(argv[0], "help"))
		return run_help(argc, argv);
	command = find_command(argv[0]);
	return command ? command->fn(argc, argv) : unknown_command(argv[0]);
}

int main(int argc, char **argv)
{
	int status;

	/* If the caller ignores SIGCHLD, so does this program, and no child could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	/* Trees are drawn in UTF-8 if the terminal has it; numbers and texts are not translated. */
	setlocale(LC_CTYPE, "");
	root_of_report = replay_open;
	status = run(argc, argv);
	/* Whatever the result: nobody must take half of the output for all of it. */
	if (output_finish() && status != COMMAND_USAGE)
		status = COMMAND_NOTHING;
	return status;
}
