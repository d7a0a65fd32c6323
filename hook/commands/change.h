/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What add and remove have in common: which functions are meant, the options, and a file of the config
 * that is written after it was shown. Nothing but the lines concerned is touched; comments, order,
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
	const char *vfs; /* what stands behind --vfs, or NULL */
	bool force;
	bool dry_run;
	/* For programs; see change_print(). */
	struct output output;
	struct findings findings; /* about what is changed */
	char *lines;		  /* that were added, or would be; may be NULL */
	bool is_refused;	  /* for what is in the findings: nothing was written */
};

#define CHANGE_ENTRY_GROUP "group", 'g', NULL, "the whole IOMMU group, without bridges"
#define CHANGE_ENTRY_ONLY  "only", '1', NULL, "only the named function, not its whole card"
#define CHANGE_ENTRY_DRY   "dry-run", 'n', NULL, "show the change, do not write"

/*
 * change_run - read the options, open the host, and do it.
 * @change: zeroed
 * @fn: called with the addresses; returns an exit status
 * @arg: for @fn, whose part @change is
 *
 * Returns the exit status of the command.
 */
int change_run(struct change *change, const struct options_spec *spec, int argc, char **argv,
	       int (*fn)(void *arg, int argc, char **argv), void *arg);

/*
 * change_write - show the change of a file, unless a table or JSON is printed, and make it so unless this
 * is a dry run.
 */
int change_write(const struct change *change, struct edit *edit);

/*
 * change_parse_scope - -g or -1 of add, remove, detach and reattach
 * @opt: 'g' or '1'
 * @scope: set
 *
 * Returns 0, or COMMAND_USAGE after saying that the two contradict each other.
 */
int change_parse_scope(int opt, const struct options *opts, enum slot_scope *scope);

/*
 * change_say_left - which functions of the slots are not of the cards that were named, and how each is
 * named itself.
 */
void change_say_left(const struct change *change, const char *command);

/* change_say_nothing - that there is nothing to do. */
void change_say_nothing(const struct change *change);

/* change_say_next - the last line: what is left to do. */
void change_say_next(const struct change *change);

/*
 * change_print - the findings as a table, or all of it as JSON (vfio-early-json(5)), where that was asked
 * for. Returns 0 or -errno.
 */
int change_print(const struct change *change);

#endif
