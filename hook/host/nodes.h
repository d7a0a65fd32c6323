/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device nodes of a function and of what is built on it, and the processes that have one open.
 * Reads only.
 */
#ifndef VFIO_EARLY_HOOK_HOST_NODES_H
#define VFIO_EARLY_HOOK_HOST_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "host/host.h"
#include "util/stringset.h"

struct node {
	size_t fn; /* of those that were asked for */
	dev_t devno;
	bool is_block;
	bool is_vm;    /* vfio's: a process that has it open has the device, or its group */
	char name[64]; /* below /dev: "nvme0n1" */
};

/* Below one function, beside its nodes. */
struct node_tree {
	struct stringset interfaces; /* of the network */
	struct stringset holders;    /* block devices that stand on its own */
	bool has_framebuffer;	     /* graphics/fbN */
	bool has_hidden_interface;   /* in another network namespace */
};

struct nodes {
	struct node *list;
	size_t count;
	struct node_tree *tree; /* one for each function */
	size_t fns;
};

/*
 * nodes_collect - find the nodes of each function.
 * @nodes: zeroed; call nodes_free() in any case. Returns 0 or -ENOMEM.
 */
int nodes_collect(const struct host *host, const struct pci_function *fn, size_t count,
		  struct nodes *nodes);

void nodes_free(struct nodes *nodes);

/* One process and one thing that it has open. */
struct node_use {
	size_t fn;
	int pid;
	char process[32];
	bool is_vm;
	bool is_file; /* a file on a file system that is on the function */
	char name[128];
};

/*
 * nodes_find_uses - find the processes that have them open, or a file on a file system mounted from
 * them. Done in a child with a deadline: one of the files may be on a server that does not answer.
 * @uses: gets malloc'ed items
 *
 * Returns 0, -ETIMEDOUT if there was no time to look at all, or -errno.
 */
int nodes_find_uses(const struct host *host, const struct pci_function *fn,
		    const struct nodes *nodes, struct node_use **uses, size_t *count);

#endif
