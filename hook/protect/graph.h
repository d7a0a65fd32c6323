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

#define GRAPH_MAX_DEPTH 16 /* nested files on loop devices */

/* Why a function is needed; protect.c has the sentences. */
enum cause_kind {
	CAUSE_HOLDS,
	CAUSE_COMPLETES, /* in the volume group, but not below the volume */
	CAUSE_MAY_HOLD,
	CAUSE_ROUTE,
	CAUSE_MAY_ROUTE,
	CAUSE_ADDRESS,
	CAUSE_REACHES,
	CAUSE_MAY_LOG, /* may have the external journal of a file system */
	CAUSE_UNLOCKS,
	CAUSE_KEYBOARD,
	CAUSE_IN_USE, /* not needed, but in use now */
	CAUSE_KINDS
};

/* One thing that the host needs. */
struct cause {
	enum cause_kind kind;
	const char *name; /* "/", "swap", "vmbr0" */
	bool minor;	  /* named only if there is nothing better */
	bool optional; /* mounted, but no boot waits for it: what is not known about it does not matter */
};

/* The relation of a function to another one that is needed. */
enum graph_relation {
	GRAPH_ABOVE,	/* a bridge, or a VMD controller, above it */
	GRAPH_PHYSFN,	/* its physical function */
	GRAPH_SUPPLIES, /* its supplier, according to a device link of the kernel */
	GRAPH_TUNNELS,	/* the Thunderbolt controller that leads to it */
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
	int err; /* the first -ENOMEM; after that no result counts */
	unsigned int depth;
	struct libmnt_table *mounts; /* see mounts.h */
	struct libmnt_table *fstab;  /* while what is needed is looked for */
	struct udev_record *record;  /* see udev.h */
	size_t records;
	struct graph_node *node;
	size_t nodes;
	struct stringset seen; /* paths that the current walk has visited */
	struct stringset vgs;  /* UUIDs of the volume groups that it has visited */
	struct stringset asks; /* what needs a passphrase at boot, from all walks */
	struct stringset notes;
};

/* graph_names - tree_names() with errors in graph->err. */
int graph_names(struct graph *graph, const char *path, struct stringset *names);

/* graph_open - tree_open(); an existing file that is not a regular one causes a note. */
FILE *graph_open(struct graph *graph, const char *path);

/* graph_add_name - stringset_add() with errors in graph->err. Returns whether it is new. */
bool graph_add_name(struct graph *graph, struct stringset *set, const char *s);

/* graph_note - note what could not be found out: a whole sentence without its full stop. */
__attribute__((format(printf, 2, 3))) void graph_note(struct graph *graph, const char *format, ...);

/*
 * graph_make_printable - replace what would end a line of the plan (also '#') or upset a terminal
 * by '?'.
 */
void graph_make_printable(char *s);

/* graph_node_at - the node of a function, created if there is none. NULL: memory ran out. */
struct graph_node *graph_node_at(struct graph *graph, const struct pci_address *addr);

/*
 * graph_add_functions - add the PCI functions on the path to a device. The last one drives it;
 * those before it are the bridges (or the VMD controller) above it. A virtual function needs its
 * physical one, a device behind Thunderbolt its host controller, and every device its suppliers
 * (device links: drivers/base/core.c, device_link_add()). All of them get a node.
 * @path: the device's real path
 *
 * Returns how many functions are on the path; 0 for a board's own or a virtual device.
 */
unsigned int graph_add_functions(struct graph *graph, const char *path, const struct cause *cause);

/* graph_function - the function that drives the device of a real path. Returns whether there is one. */
bool graph_function(const char *path, struct pci_address *addr);

/*
 * graph_add_class - the functions of every device in a directory of links in sysfs: "sys/class/fc_host".
 * Returns how many devices had a function.
 */
unsigned int graph_add_class(struct graph *graph, const char *dir, const struct cause *cause);

/*
 * graph_add_all_disks - add every function that has a disk, for something that may be on any of
 * them.
 */
void graph_add_all_disks(struct graph *graph, const struct cause *cause);

/*
 * graph_add_all_nics - add every network function that the administrator has not set down, for
 * something that uses an unknown interface. An unplugged cable does not matter; if all are set
 * down, all count.
 * @name: what uses it, for the reason
 */
void graph_add_all_nics(struct graph *graph, enum cause_kind kind, const char *name);

/*
 * graph_add_network - add what a file system or disk is reached by over the network, if nothing
 * names the interface. Adds a note.
 * @over: "iSCSI", "nfs4"
 */
void graph_add_network(struct graph *graph, const struct cause *cause, const char *over);

/*
 * graph_add_anything - it may be on any disk, or behind any network function: add all. Adds a note.
 * @what: "drbd0, on which / lies"
 */
void graph_add_anything(struct graph *graph, const struct cause *cause, const char *what);

/* graph_begin - begin the walk for one cause: it may visit again what another one has visited. */
void graph_begin(struct graph *graph);

#endif
