// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early detach and reattach: hand a device to vfio-pci, or give it back to its own driver, on
 * the running host. This file selects the functions and handles the options and, with --keep, the
 * config; handover.h does the rest.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/change.h"
#include "commands/command.h"
#include "commands/handover.h"
#include "ui/options.h"
#include "ui/progress.h"
#include "util/message.h"

#define SECONDS_MAX 3600u

#define ENTRY_DEADLINE "deadline", 'd', "SECONDS", "the longest that it may take (default: 60)"
#define ENTRY_DRY      "dry-run", 'n', NULL, "say what would be done, and do nothing"

static const struct options_entry detach_entries[] = {
	{ CHANGE_ENTRY_GROUP },
	{ CHANGE_ENTRY_ONLY },
	{ ENTRY_DEADLINE },
	{ "force", 'f', NULL, "take a console, or an idle interface that is up, too" },
	{ "keep", 'k', NULL, "also do so at every boot, as vfio-early add does" },
	{ ENTRY_DRY },
	{ 0 },
};

static const struct options_entry reattach_entries[] = {
	{ CHANGE_ENTRY_GROUP },
	{ CHANGE_ENTRY_ONLY },
	{ ENTRY_DEADLINE },
	{ "keep", 'k', NULL, "also do so at every boot, as vfio-early remove does" },
	{ ENTRY_DRY },
	{ 0 },
};

#define EXIT_STATUS                                                                        \
	"Exit status: 0 done, 1 refused, in use, or something failed, 2 usage, 3 nothing " \
	"was done.\n"

static const struct options_spec detach_spec = {
	.usage = "detach [OPTION...] ADDRESS...",
	.about =
		"Hands a card to vfio-pci now, without a reboot, by the rules of the boot: what this\n"
		"host needs is refused. If something uses the card, that is named and nothing is done.\n"
		"What fails is given back to its own driver.\n",
	.entry = detach_entries,
	.common = OPTIONS_ROOT | OPTIONS_JSON | OPTIONS_COLOR,
	.end = EXIT_STATUS,
};

static const struct options_spec reattach_spec = {
	.usage = "reattach [OPTION...] ADDRESS...",
	.about = "Gives a card back to its own driver now, and loads that driver if needed. Refused\n"
		 "while a VM has the card. No later event of this boot takes it again.\n",
	.entry = reattach_entries,
	.common = OPTIONS_ROOT | OPTIONS_JSON | OPTIONS_COLOR,
	.end = EXIT_STATUS,
};

/* The argument of --deadline. */
static int parse_deadline(struct handover *handover, const struct options *opts)
{
	char *end;
	unsigned long seconds = strtoul(optarg, &end, 10);

	if (*optarg < '0' || *optarg > '9' || *end || !seconds || seconds > SECONDS_MAX) {
		message_error("%s is not a number of seconds; fix: write 1 to %u", optarg,
			      SECONDS_MAX);
		return options_usage(opts);
	}
	handover->deadline = (unsigned int)seconds;
	return 0;
}

static int parse(struct handover *handover, struct options *opts, int argc, char **argv)
{
	int opt, ret = 0;

	while (!ret && (opt = options_next(opts, argc, argv)) != OPTIONS_DONE) {
		switch (opt) {
		case OPTIONS_EXIT:
			return OPTIONS_EXIT;
		case 'g':
		case '1':
			ret = change_parse_scope(opt, opts, &handover->scope);
			break;
		case 'f':
			handover->force = true;
			break;
		case 'k':
			handover->is_kept = true;
			break;
		case 'n':
			handover->is_dry = true;
			break;
		case 'd':
			ret = parse_deadline(handover, opts);
			break;
		}
	}
	if (!ret && optind == argc) {
		message_error("an address is missing: vfio-early %s 0000:81:00", argv[0]);
		ret = options_usage(opts);
	}
	return ret;
}

/* Is it named by its own address or path, and not only by its slot? */
static bool is_named(const struct host *host, const struct pci_address *addr, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		struct selector sel;

		if (!slot_parse(host, argv[i], &sel) && sel.kind != SELECTOR_SLOT &&
		    !pci_resolve(host->root.fd, &sel) && pci_address_equal(&sel.addr, addr))
			return true;
	}
	return false;
}

/*
 * Leaves out a bridge that its slot includes. One that is named, or the only function, is refused
 * by decide().
 */
static void leave_out_bridges(const struct host *host, struct slot *slot, int argc, char **argv)
{
	size_t bridges = 0, kept = 0;

	for (size_t i = 0; i < slot->count; i++)
		bridges += pci_is_bridge(&slot->fn[i]);
	for (size_t i = 0; i < slot->count && bridges < slot->count; i++)
		if (!pci_is_bridge(&slot->fn[i]) || is_named(host, &slot->fn[i].addr, argc, argv))
			slot->fn[kept++] = slot->fn[i];
	if (bridges < slot->count)
		slot->count = kept;
}

/*
 * Changes the config, using add or remove, which print their own messages and return their own exit
 * status.
 */
static int keep(const struct handover *handover, const struct options *opts, bool is_detach,
		int argc, char **argv)
{
	const char **words = calloc((size_t)argc + 6, sizeof(*words));
	int count = 0, ret, out = -1;

	if (!words)
		return COMMAND_NOTHING;
	words[count++] = is_detach ? "add" : "remove";
	words[count++] = "--root";
	words[count++] = opts->root;
	if (handover->scope == SLOT_GROUP)
		words[count++] = "--group";
	else if (handover->scope == SLOT_ONLY)
		words[count++] = "--only";
	if (handover->is_dry)
		words[count++] = "--dry-run";
	for (int i = 0; i < argc; i++)
		words[count++] = argv[i];
	/* Standard output has the JSON. */
	fflush(stdout);
	if (opts->output.format == OUTPUT_JSON) {
		out = dup(STDOUT_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
	}
	optind = 0; /* getopt(3): start again */
	ret = is_detach ? command_add(count, (char **)words) :
			  command_remove(count, (char **)words);
	fflush(stdout);
	if (out >= 0) {
		dup2(out, STDOUT_FILENO);
		close(out);
	}
	free(words);
	return ret;
}

/* What detach needs to know besides the functions: the config, and what the host needs. */
static int read_needs(struct handover *handover)
{
	/*
	 * The except lines of the config count even after `undo`, which only disables its bind
	 * lines.
	 */
	handover->host->undone = HOST_UNDONE_NO;
	return host_decide(handover->host, NULL);
}

static int print(const struct handover *handover, const struct options *opts, int status)
{
	if (opts->output.format != OUTPUT_JSON)
		handover_print(handover);
	else if (handover_json(handover))
		return COMMAND_NOTHING;
	return status;
}

static int run(struct handover *handover, const struct options *opts, bool is_detach, int argc,
	       char **argv)
{
	int ret = 0, status;

	if (host_open(opts->root, &handover->host))
		return COMMAND_NOTHING;
	if (handover_refuse_stuck(handover, argc, argv))
		return print(handover, opts, COMMAND_INCOMPLETE);
	for (int i = 0; i < argc && !ret; i++)
		ret = slot_add(handover->host, argv[i], handover->scope, &handover->slot);
	if (ret)
		return command_selected(ret) < 0 ? COMMAND_NOTHING : COMMAND_USAGE;
	leave_out_bridges(handover->host, &handover->slot, argc, argv);
	ret = handover_open(handover);
	if (!ret && is_detach)
		ret = read_needs(handover);
	if (!ret)
		ret = handover_lock(handover);
	if (ret)
		return COMMAND_NOTHING;
	progress_begin(&opts->output, is_detach ? "detach" : "reattach");
	progress_step(is_detach ? "handing over" : "giving back");
	progress_tick();
	status = is_detach ? handover_give(handover) : handover_take_back(handover);
	progress_end();
	return print(handover, opts, status);
}

static int command(int argc, char **argv, bool is_detach)
{
	struct handover handover = { .lockfd = -1, .deadline = HANDOVER_SECONDS };
	struct options opts;
	int ret, status;

	options_init(&opts, is_detach ? &detach_spec : &reattach_spec);
	ret = parse(&handover, &opts, argc, argv);
	if (ret)
		return ret == OPTIONS_EXIT ? opts.status : ret;
	argc -= optind;
	argv += optind;
	status = run(&handover, &opts, is_detach, argc, argv);
	handover_close(&handover);
	host_close(handover.host);
	if (status == COMMAND_OK && handover.is_kept)
		status = keep(&handover, &opts, is_detach, argc, argv);
	return status;
}

int command_detach(int argc, char **argv)
{
	return command(argc, argv, true);
}

int command_reattach(int argc, char **argv)
{
	return command(argc, argv, false);
}
