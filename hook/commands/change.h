/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by add and remove: the functions that are meant, the options, and a file of the config,
 * which is written after its change was shown. Only the affected lines change; comments, order,
 * mode and owner of the files stay.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_CHANGE_H
#define VFIO_EARLY_HOOK_COMMANDS_CHANGE_H

#include "config/edit.h"
#include "findings/findings.h"
#include "host/host.h"
#include "host/slot.h"
#include "ui/options.h"

#define CHANGE_SELECTOR_SIZE 160 /* a path of SELECTOR_MAX_HOPS bridges and an ID */

enum change_by {
	CHANGE_BY_ADDRESS,
	CHANGE_BY_PATH,
	CHANGE_BY_ID,
};

struct change {
	struct host *host;
	struct slot slot;
	enum slot_scope scope;
	enum change_by by;
	const char *vfs; /* the argument of --vfs, or NULL */
	bool force;
	bool dry_run;
	/* For programs; see change_print(). */
	struct output output;
	struct findings findings; /* about the change */
	char *lines;		  /* the lines that were or would be added; may be NULL */
	bool is_refused;	  /* because of a finding; nothing was written */
};

#define CHANGE_ENTRY_GROUP "group", 'g', NULL, "the whole IOMMU group, without bridges"
#define CHANGE_ENTRY_ONLY  "only", '1', NULL, "only the named function, not its whole card"
#define CHANGE_ENTRY_DRY   "dry-run", 'n', NULL, "show the change, do not write"

/*
 * change_run - read the options, open the host, and call a function.
 * @change: zeroed
 * @fn: called with the addresses; returns an exit status
 * @arg: passed to @fn; contains @change
 *
 * Returns the exit status of the command.
 */
int change_run(struct change *change, const struct options_spec *spec, int argc, char **argv,
	       int (*fn)(void *arg, int argc, char **argv), void *arg);

/*
 * change_write - show the change of a file, unless a table or JSON is printed, and write it unless
 * this is a dry run. Returns 0 or -errno.
 */
int change_write(const struct change *change, struct edit *edit);

/*
 * change_parse_scope - handle -g or -1 of add, remove, detach and reattach.
 * @opt: 'g' or '1'
 * @scope: set
 *
 * Returns 0, or COMMAND_USAGE after printing that the two contradict each other.
 */
int change_parse_scope(int opt, const struct options *opts, enum slot_scope *scope);

/*
 * change_say_left - print which functions of the slots do not belong to the named cards, and how to
 * name each of them.
 */
void change_say_left(const struct change *change, const char *command);

/* change_say_nothing - print that there is nothing to do. */
void change_say_nothing(const struct change *change);

/* change_say_next - print the last line: the next step. */
void change_say_next(const struct change *change);

/*
 * change_print - print the findings as a table, or everything as JSON (vfio-early-json(5)), if one
 * of them was asked for. Returns 0 or -errno.
 */
int change_print(const struct change *change);

#endif
