// SPDX-License-Identifier: GPL-2.0-or-later
/* What add and remove have in common; see change.h. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands/change.h"
#include "commands/command.h"
#include "util/message.h"

int change_write(const struct change *change, struct edit *edit)
{
	int ret = edit_diff(edit);

	/* Without diff(1) the change is not shown, and that was said: no reason not to do it. */
	fflush(stdout);
	if (change->dry_run)
		return ret;
	return edit_commit(edit);
}

void change_say_left(const struct change *change, const char *command)
{
	for (size_t i = 0; i < change->slot.lefts; i++) {
		const struct slot_left *left = &change->slot.left[i];
		char addr[PCI_ADDRESS_SIZE], why[160];

		if (slot_has(&change->slot, &left->addr))
			continue;
		pci_address_format(&left->addr, addr);
		printf("%s is left: %s; to take it too: vfio-early %s %s\n", addr,
		       slot_why_left(change->host, left, why, sizeof(why)), command, addr);
	}
}

void change_say_next(const struct change *change)
{
	if (change->dry_run)
		puts("Nothing was written (--dry-run).");
	else
		puts("To take effect: " COMMAND_APPLY ", then reboot.");
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

int change_run(struct change *change, const struct options_spec *spec, int argc, char **argv,
	       int (*fn)(struct change *change, int argc, char **argv))
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
			change->scope = SLOT_GROUP;
			break;
		case '1':
			change->scope = SLOT_ONLY;
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

	ret = host_open(opts.root, &change->host) ? COMMAND_NOTHING :
						    fn(change, argc - optind, argv + optind);
	slot_free(&change->slot);
	host_close(change->host);
	return ret;
}
