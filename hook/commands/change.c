// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared by add and remove; see change.h. */
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/change.h"
#include "commands/command.h"
#include "config/bindlines.h"
#include "config/trial.h"
#include "findings/show.h"
#include "util/message.h"

int change_write(const struct change *change, struct edit *edit)
{
	int ret = output_is_table(&change->output) ? 0 : edit_diff(edit);

	/* Without diff(1) the change is not shown, and an error was printed. Write it anyway. */
	fflush(stdout);
	if (change->dry_run)
		return ret;
	return edit_commit(edit);
}

void change_say_left(const struct change *change, const char *command)
{
	for (size_t i = 0; i < change->slot.lefts && !output_is_table(&change->output); i++) {
		const struct slot_left *left = &change->slot.left[i];
		char addr[PCI_ADDRESS_SIZE], why[160];

		if (slot_has(&change->slot, &left->addr))
			continue;
		pci_address_format(&left->addr, addr);
		output_foldf(&change->output, 0, "%s is left: %s; to take it too: vfio-early %s %s",
			     addr, slot_why_left(change->host, left, why, sizeof(why)), command,
			     addr);
	}
}

void change_say_nothing(const struct change *change)
{
	if (!output_is_table(&change->output))
		puts("Nothing to do: the config names all of it already.");
}

void change_say_next(const struct change *change)
{
	if (output_is_table(&change->output))
		return;
	if (change->dry_run)
		puts("Nothing was written (--dry-run).");
	else
		printf("To take effect: %s, then reboot.\n", trial_command(&change->host->root));
}

/* A JSON array of the bind and vfs lines: { "line": "..." }. */
static struct json_object *json_lines(const char *text)
{
	struct json_object *lines = json_object_new_array();

	while (text && *text && lines) {
		size_t len = strcspn(text, "\n");
		struct json_object *line = json_object_new_object();
		/* Behind a tab is the name of the device, for people. */
		int size = (int)strcspn(text, "\t\n");

		if (!line)
			break;
		json_object_object_add(line, "line", json_object_new_string_len(text, size));
		json_object_array_add(lines, line);
		text += len + (text[len] == '\n');
	}
	return lines;
}

static int print_json(const struct change *change)
{
	struct json_object *object = output_json_object();
	struct json_object *lines = json_lines(change->lines);
	struct json_object *findings = findings_json(&change->findings, &findings_of_check);

	if (!object || !lines || !findings) {
		json_object_put(object);
		json_object_put(lines);
		json_object_put(findings);
		return output_json(NULL);
	}
	json_object_object_add(object, "dry_run", json_object_new_boolean(change->dry_run));
	json_object_object_add(object, "refused", json_object_new_boolean(change->is_refused));
	json_object_object_add(object, "file", output_json_text("/" BINDLINES_FILE));
	json_object_object_add(object, "lines", lines);
	json_object_object_add(object, "findings", findings);
	return output_json(object);
}

int change_print(const struct change *change)
{
	if (change->output.format == OUTPUT_JSON)
		return print_json(change);
	if (output_is_table(&change->output))
		return findings_print_table(&change->findings, &findings_of_check, &change->output);
	return 0;
}

static int parse_by(struct change *change, const struct options *opts)
{
	static const char *const words[] = { "address", "path", "id" };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(optarg, words[i]) != 0)
			continue;
		change->by = (enum change_by)i;
		return 0;
	}
	message_error("%s is not a valid value for --by; fix: write address, path or id", optarg);
	return options_usage(opts);
}

int change_parse_scope(int opt, const struct options *opts, enum slot_scope *scope)
{
	enum slot_scope wanted = opt == 'g' ? SLOT_GROUP : SLOT_ONLY;

	if (*scope != SLOT_WHOLE && *scope != wanted) {
		message_error("--group and --only contradict each other; fix: leave one of them "
			      "out");
		return options_usage(opts);
	}
	*scope = wanted;
	return 0;
}

int change_run(struct change *change, const struct options_spec *spec, int argc, char **argv,
	       int (*fn)(void *arg, int argc, char **argv), void *arg)
{
	struct options opts;
	int opt, ret;

	options_init(&opts, spec);
	while ((opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		switch (opt) {
		case OPTIONS_EXIT:
			return opts.status;
		case 'b':
			ret = parse_by(change, &opts);
			if (ret)
				return ret;
			break;
		case 'v':
			change->vfs = optarg;
			break;
		case 'f':
			change->force = true;
			break;
		case 'g':
		case '1':
			ret = change_parse_scope(opt, &opts, &change->scope);
			if (ret)
				return ret;
			break;
		case 'n':
			change->dry_run = true;
			break;
		}
	}
	if (optind == argc) {
		message_error("an address is missing: vfio-early %s 0000:81:00", argv[0]);
		return options_usage(&opts);
	}

	change->output = opts.output;
	ret = host_open(opts.root, &change->host) ? COMMAND_NOTHING :
						    fn(arg, argc - optind, argv + optind);
	findings_free(&change->findings);
	free(change->lines);
	slot_free(&change->slot);
	host_close(change->host);
	return ret;
}
