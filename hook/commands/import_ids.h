/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data of `import`, and its two parts: making lines of the config from recipes, and taking
 * recipes out of their files.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_IMPORT_IDS_H
#define VFIO_EARLY_HOOK_COMMANDS_IMPORT_IDS_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/recipes.h"
#include "host/host.h"

struct import {
	const struct output *output;
	struct host *host;
	struct host *next; /* the candidate: with everything that active recipes name */
	struct recipes recipes;
	bool *is_done;	   /* for each recipe: fully understood, and all of it is in the config */
	bool *is_taken;	   /* for each function of the host: an active recipe names it */
	bool *is_left_out; /* for each of them too: said to be left to this host */
	bool dry_run;
	bool deletes;
	bool is_incomplete;  /* a part of an active recipe could not be imported */
	unsigned int givers; /* active recipes that give devices to vfio-pci */
	unsigned int deleted;
	char *lines; /* the new lines */
	size_t size;
	FILE *out;
	unsigned int added;
	char *vfs_done; /* names of lines that a vfs line replaces; set by import_vfs() */
	char *vfs_idle; /* and of lines that are not in force, and why */
};

#define IMPORT_WHERE_SIZE 512

/* import_where - "FILE:LINE" of a recipe. @buf: of IMPORT_WHERE_SIZE. Returns @buf. */
char *import_where(const struct recipe *recipe, char *buf);

/*
 * import_open_next - decide as if the config had everything that active recipes name. Returns 0, or
 * -errno after printing an error.
 */
int import_open_next(struct import *import);

/*
 * import_make_lines - make a bind line for each device that an active recipe names; reports what it
 * cannot import.
 */
void import_make_lines(struct import *import);

/* import_is_refused - would the boot refuse it, in whatever way it is named? @next: a candidate */
bool import_is_refused(const struct host *next, const struct pci_address *addr);

/*
 * import_vfs - make a vfs line for each function of which something else makes virtual functions;
 * reports what it cannot import. Returns 0, or -ENOMEM after printing an error.
 */
int import_vfs(struct import *import);

/* import_may_go - does the config replace the recipe, so that it may be deleted? */
bool import_may_go(const struct import *import, size_t recipe);

/* import_is_deletable - may `import --delete` take it out of its file? */
bool import_is_deletable(const struct import *import, size_t recipe);

/*
 * import_delete - comment them out, each file once, with a backup beside it; other options of the
 * same line stay in effect. Returns 0, or -errno after printing an error.
 */
int import_delete(struct import *import);

#endif
