/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dependency graph of this host: the PCI functions that it needs, why, and what hangs on what.
 * It is filled by walks, each in a file of its own:
 *
 *   mounts.c      which file systems, swap and ESPs there are
 *   filesystem.c  from a file system down
 *   pools.c       file systems on more than one device
 *   requires.c    what else systemd mounts for a path or a line of fstab
 *   storage.c     from a block device down
 *   routes.c      which interfaces have a default route or an address
 *   network.c     from an interface down
 *   unlock.c      what opens an encrypted device: key, header, keyboard
 *   protect.c     is this the host at all? The order of the walks, and their result as a list
 *
 * Every walk ends in graph_add_functions(). All obey one rule: what cannot be found out protects
 * more, never less, and leaves a note that says so. Memory that ran out sets graph->err and changes
 * nothing else: a walk goes on, and its result is thrown away in the end.
 */
#ifndef VFIO_EARLY_HOOK_PROTECT_GRAPH_H
#define VFIO_EARLY_HOOK_PROTECT_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "early/paths.h"
#include "early/selector.h"
#include "protect/tree.h"
#include "util/root.h"
#include "util/stringset.h"

/* Relative to the root, as in early/paths.h; what more than one of these files reads. */
#define PATH_BLOCK     "sys/block"
#define PATH_CLASS_NET "sys/class/net"

#define GRAPH_MAX_DEPTH 16 /* files on loops on files */

/* Why a function is needed; protect.c has the words. */
enum cause_kind {
	CAUSE_HOLDS,
	CAUSE_COMPLETES, /* lies in the volume group, not under the volume */
	CAUSE_MAY_HOLD,
	CAUSE_ROUTE,
	CAUSE_MAY_ROUTE,
	CAUSE_ADDRESS,
	CAUSE_REACHES,
	CAUSE_MAY_LOG, /* may have the external journal of a file system */
	CAUSE_UNLOCKS,
	CAUSE_KEYBOARD,
	CAUSE_IN_USE, /* not needed, but something is on it now */
	CAUSE_KINDS
};

/* One thing that the host needs. */
struct cause {
	enum cause_kind kind;
	const char *name; /* "/", "swap", "vmbr0" */
	bool minor;	  /* only named where nothing better is */
	bool optional; /* mounted, but no boot waits for it: what cannot be found out is no loss */
};

/* What a function is to another one that is needed. */
enum graph_relation {
	GRAPH_ABOVE,	/* a bridge, or a VMD, on the way to it */
	GRAPH_PHYSFN,	/* its physical function */
	GRAPH_SUPPLIES, /* the kernel's device link says that it does not work without */
	GRAPH_TUNNELS,	/* the Thunderbolt controller that it is reached by */
};

struct graph_below {
	struct pci_address addr;
	enum graph_relation relation;
};

/* A function that is needed: for itself, for what is below it, or both. */
struct graph_node {
	struct pci_address addr;
	struct stringset names[CAUSE_KINDS];
	struct graph_below *below;
	size_t belows;
};

struct libmnt_table;
struct udev_record;

struct graph {
	const struct root *root;
	int err; /* the first -ENOMEM; from then on nothing counts */
	unsigned int depth;
	struct libmnt_table *mounts; /* see mounts.h */
	struct libmnt_table *fstab;  /* while what is needed is looked for */
	struct udev_record *record;  /* see udev.h */
	size_t records;
	struct graph_node *node;
	size_t nodes;
	struct stringset seen; /* paths that the walk under way has gone through */
	struct stringset vgs;  /* UUIDs of the volume groups that it went through */
	struct stringset asks; /* what a passphrase is asked for at boot, by all walks */
	struct stringset notes;
};

/* graph_names - tree_names() that minds graph->err. */
int graph_names(struct graph *graph, const char *path, struct stringset *names);

/*
 * graph_open - tree_open(); what is there but is not a regular file leaves a note.
 */
FILE *graph_open(struct graph *graph, const char *path);

/* graph_add_name - stringset_add() that minds graph->err. Returns whether it is new. */
bool graph_add_name(struct graph *graph, struct stringset *set, const char *s);

/* graph_note - a whole sentence, without the full stop, of what could not be found out. */
__attribute__((format(printf, 2, 3))) void graph_note(struct graph *graph, const char *format, ...);

/* graph_make_printable - '?' for what would end a line of the plan ('#' too) or upset a terminal. */
void graph_make_printable(char *s);

/* graph_node_at - the node of a function, made when there is none yet. NULL: memory ran out. */
struct graph_node *graph_node_at(struct graph *graph, const struct pci_address *addr);

/*
 * graph_add_functions - the PCI functions on the way to a device. The last one does the work, those
 * before it are the bridges (or the VMD) that it hangs on; a virtual function dies with its physical
 * one, a device behind Thunderbolt with its host controller, and every device with its suppliers
 * (device links: drivers/base/core.c, device_link_add()). All of them get a node.
 * @path: the device's real path
 *
 * Returns how many functions the path goes through; 0 for a board's own or a virtual device.
 */
unsigned int graph_add_functions(struct graph *graph, const char *path, const struct cause *cause);

/* graph_function - the function that drives the device of a real path. Returns whether there is one. */
bool graph_function(const char *path, struct pci_address *addr);

/*
 * graph_add_class - the functions of every device in a directory of links in sysfs: "sys/class/fc_host".
 * Returns how many devices had a function.
 */
unsigned int graph_add_class(struct graph *graph, const char *dir, const struct cause *cause);

/* graph_add_all_disks - every function that has a disk, for a thing that may lie on any. */
void graph_add_all_disks(struct graph *graph, const struct cause *cause);

/*
 * graph_add_all_nics - every network function that the administrator has not set down, for what hangs
 * on an interface nobody can name. A cable that is out does not matter; where all are set down, all
 * count.
 * @name: of the thing, for the reason
 */
void graph_add_all_nics(struct graph *graph, enum cause_kind kind, const char *name);

/*
 * graph_add_network - a file system or disk that is reached over the network, by an interface that
 * nothing names. Says so.
 * @over: "iSCSI", "nfs4"
 */
void graph_add_network(struct graph *graph, const struct cause *cause, const char *over);

/*
 * graph_add_anything - it may lie on any disk, and behind any network function. Says so.
 * @what: "drbd0, on which / lies"
 */
void graph_add_anything(struct graph *graph, const struct cause *cause, const char *what);

/*
 * graph_begin - before the walk of one cause: what one has gone through another may go through again.
 */
void graph_begin(struct graph *graph);

#endif
