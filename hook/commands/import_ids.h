/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `import` knows, and its two parts: lines for the config out of recipes, and recipes taken out of
 * their files.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_IMPORT_IDS_H
#define VFIO_EARLY_HOOK_COMMANDS_IMPORT_IDS_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/recipes.h"
#include "host/host.h"

struct import {
	struct host *host;
	struct host *next; /* the candidate: the same with all that recipes in force name */
	struct recipes recipes;
	bool *is_done;	/* one for each recipe: understood whole, and all of it is in the config */
	bool *is_taken; /* one for each function of the host: a recipe that is in force names it */
	bool dry_run;
	bool deletes;
	bool is_incomplete;  /* something that is in force could not be taken over */
	unsigned int givers; /* recipes in force that give devices to vfio-pci */
	unsigned int deleted;
	char *lines; /* new ones */
	size_t size;
	FILE *out;
	unsigned int added;
	char *vfs_done; /* lines that a vfs line replaces, as they are named; by import_vfs() */
};

#define IMPORT_WHERE_SIZE 512

/* import_where - "FILE:LINE" of a recipe. Returns @buf, of IMPORT_WHERE_SIZE. */
char *import_where(const struct recipe *recipe, char *buf);

/*
 * import_open_next - what the boot would make of all that recipes in force name. Returns 0, or -errno
 * after saying why.
 */
int import_open_next(struct import *import);

/* import_make_lines - a bind line for each device that a recipe in force names; says what it cannot. */
void import_make_lines(struct import *import);

/*
 * import_vfs - a vfs line for each function that something else makes virtual functions of; says what it
 * cannot. Returns 0, or -ENOMEM after saying so.
 */
int import_vfs(struct import *import);

/* import_may_go - is a recipe of no use any more, once the config has what it did? */
bool import_may_go(const struct import *import, size_t recipe);

/* import_is_deletable - may `import --delete` take it out of its file? */
bool import_is_deletable(const struct import *import, size_t recipe);

/*
 * import_delete - comment them out, each file once, with a backup beside it; other options of the same
 * line stay in force. Returns 0 or -errno after saying why.
 */
int import_delete(struct import *import);

#endif
