// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What this host needs to stay alive, from its facts to the list; see protect.h for the contract
 * and graph.h for the walks. Reads only, below one root; does not decide what is bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "early/pci.h"
#include "protect/graph.h"
#include "protect/mounts.h"
#include "protect/network.h"
#include "protect/protect.h"
#include "protect/udev.h"
#include "protect/unlock.h"
#include "util/address.h"

#define PATH_MOUNTINFO	    "proc/self/mountinfo"
#define PATH_INIT_MOUNTINFO "proc/1/mountinfo"
#define PATH_PID_NS	    "proc/self/ns/pid"
#define PATH_USER_NS	    "proc/self/ns/user"
#define PATH_CONTAINER	    "run/systemd/container"
#define PATH_DEV_BLOCK	    "sys/dev/block"

/* include/linux/proc_ns.h: the first namespaces, the host's own, have fixed inode numbers. */
#define INIT_PID_NS  "pid:[4026531836]"
#define INIT_USER_NS "user:[4026531837]"

#define MAX_NAMES  6 /* in one clause of a reason */
#define MAX_BELOW  3 /* number of clauses in the reason of one bridge */
/* 256 protect lines of this length leave a fifth of PLAN_MAX_TEXT to the other lines. */
#define REASON_MAX 160

static const struct {
	const char *before;
	const char *after;
} phrases[CAUSE_KINDS] = {
	[CAUSE_HOLDS] = { "holds ", "" },
	[CAUSE_COMPLETES] = { "completes the volume group of ", "" },
	[CAUSE_MAY_HOLD] = { "may hold ", "" },
	[CAUSE_ROUTE] = { "carries the default route (", ")" },
	[CAUSE_MAY_ROUTE] = { "may carry the default route (", ")" },
	[CAUSE_ADDRESS] = { "carries the address of ", "" },
	[CAUSE_REACHES] = { "may reach ", " over the network" },
	[CAUSE_MAY_LOG] = { "may hold the journal of ", "" },
	[CAUSE_UNLOCKS] = { "holds what unlocks ", "" },
	[CAUSE_KEYBOARD] = { "has the keyboard that unlocks ", "" },
	[CAUSE_IN_USE] = { "holds ", ", in use now" },
};

/* "above 0000:03:00.0, which holds /" */
static const char *const relations[] = {
	[GRAPH_ABOVE] = "above",
	[GRAPH_PHYSFN] = "physical function of",
	[GRAPH_SUPPLIES] = "supplier of",
	[GRAPH_TUNNELS] = "Thunderbolt controller of",
};

/* ---- whose facts are these? ---- */

/*
 * Is "/" the same place in the same file system for the first process? True if that cannot be seen.
 */
static bool is_root_of_init(struct graph *graph, struct libmnt_fs *ours)
{
	struct libmnt_table *mounts = mounts_read(graph, PATH_INIT_MOUNTINFO);
	struct libmnt_fs *theirs = mounts ? mounts_at(mounts, "/") : NULL;
	bool same = true;

	if (theirs) {
		const char *a = mnt_fs_get_root(ours), *b = mnt_fs_get_root(theirs);

		same = mnt_fs_get_devno(ours) == mnt_fs_get_devno(theirs) && a && b &&
		       !strcmp(a, b);
	}
	mnt_unref_table(mounts);
	return same;
}

static bool is_other_namespace(struct graph *graph, const char *path, const char *initial)
{
	char link[64];
	ssize_t len = readlinkat(graph->root->fd, path, link, sizeof(link) - 1);

	if (len <= 0)
		return false;
	link[len] = '\0';
	return strcmp(link, initial);
}

/*
 * A system below --root with this machine's own /proc, as for a chroot: what that says is said of the
 * running host, unless both are the same place. A recorded machine has files there.
 */
static bool is_beside_host(const struct root *root)
{
	struct stat ours, host;
	struct statfs proc;
	int fd, ret;

	if (root->is_host)
		return false;
	fd = openat(root->fd, "proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ret = fstatfs(fd, &proc);
	close(fd);
	return !ret && proc.f_type == PROC_SUPER_MAGIC && !fstat(root->fd, &ours) &&
	       !stat("/", &host) && (ours.st_dev != host.st_dev || ours.st_ino != host.st_ino);
}

/*
 * A chroot on a directory has no "/" in its mountinfo, one on a mount has another "/" than the first
 * process, and a container has a PID namespace of its own. All of it is open to any user.
 */
static const char *find_why_none(struct graph *graph)
{
	struct libmnt_fs *root;

	if (!graph->mounts)
		return "/proc is not mounted: this is a chroot or an image being built, not the running host";
	if (!tree_exists(graph->root, PATH_DEV_BLOCK))
		return "/sys is not mounted: this is a chroot or an image being built, not the running host";
	if (is_beside_host(graph->root))
		return "this is another system than the running host, whose facts are not this one's";
	if (is_other_namespace(graph, PATH_PID_NS, INIT_PID_NS) ||
	    is_other_namespace(graph, PATH_USER_NS, INIT_USER_NS) ||
	    tree_exists(graph->root, PATH_CONTAINER))
		return "this runs in a container: its facts are not the host's";
	root = mounts_at(graph->mounts, "/");
	if (!root || !is_root_of_init(graph, root))
		return "this runs in a chroot: its facts are not the running host's";
	return NULL;
}

/* ---- from nodes to the list ---- */

/* Shortens a text to this many bytes, between two characters of UTF-8. */
static void shorten(char *s, size_t max)
{
	static const char end[] = "...";

	if (strlen(s) <= max)
		return;
	max -= strlen(end);
	while (max && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	strcpy(s + max, end);
}

static int compare_nodes(const void *a, const void *b)
{
	return address_compare(&((const struct graph_node *)a)->addr,
			       &((const struct graph_node *)b)->addr);
}

static int compare_below(const void *a, const void *b)
{
	return address_compare(&((const struct graph_below *)a)->addr,
			       &((const struct graph_below *)b)->addr);
}

/* A certain reason is not also called possible. */
static bool is_said_better(const struct graph_node *node, unsigned int kind, const char *name)
{
	return (kind == CAUSE_COMPLETES || kind == CAUSE_MAY_HOLD || kind == CAUSE_REACHES ||
		kind == CAUSE_MAY_LOG || kind == CAUSE_UNLOCKS) &&
	       stringset_has(&node->names[CAUSE_HOLDS], name);
}

/* "holds /, swap; carries the default route (vmbr0)". Returns whether anything was said. */
static bool print_causes(FILE *out, const struct graph_node *node)
{
	bool any = false;

	for (unsigned int kind = 0; kind < CAUSE_KINDS; kind++) {
		const struct stringset *names = &node->names[kind];
		size_t shown = 0, left = 0;

		for (size_t i = 0; i < names->n; i++) {
			if (is_said_better(node, kind, names->s[i]))
				continue;
			if (shown == MAX_NAMES) {
				left++;
				continue;
			}
			fprintf(out, "%s%s%s", any && !shown ? "; " : "",
				shown ? ", " : phrases[kind].before, names->s[i]);
			shown++;
			any = true;
		}
		if (left)
			fprintf(out, " and %zu more", left);
		if (shown)
			fputs(phrases[kind].after, out);
	}
	return any;
}

static void print_reason(struct graph *graph, FILE *out, const struct graph_node *node)
{
	bool any = print_causes(out, node);

	for (size_t i = 0; i < node->belows; i++) {
		const struct graph_below *below = &node->below[i];
		char text[PCI_ADDRESS_SIZE];

		if (i == MAX_BELOW) {
			fprintf(out, "; and above %zu more", node->belows - i);
			break;
		}
		fprintf(out, "%s%s %s, which ", any ? "; " : "", relations[below->relation],
			pci_address_format(&below->addr, text));
		print_causes(out, graph_node_at(graph, &below->addr));
		any = true;
	}
}

/* Returns 0, or -ENODATA if sysfs has no ID for it. */
static int read_id(struct graph *graph, const struct pci_address *addr, struct pci_id *id)
{
	static const char *const names[] = { "vendor", "device", "subsystem_vendor",
					     "subsystem_device" };
	uint16_t *const field[] = { &id->vendor, &id->device, &id->subvendor, &id->subdevice };
	char dir[PATH_MAX], text[4096], *line;

	tree_path(dir, PATH_PCI_DEVICES "/%s", pci_address_format(addr, text));
	*id = (struct pci_id){ 0 };
	for (unsigned int i = 0; i < 4; i++)
		if (!tree_attr(graph->root, dir, names[i], text, sizeof(text)))
			*field[i] = (uint16_t)strtoul(text, NULL, 16);
	/* Bridges have no subsystem register: the kernel says 0000:0000. */
	if (id->vendor)
		return 0;
	/* A recorded machine may have the uevent alone. */
	tree_attr(graph->root, dir, "uevent", text, sizeof(text));
	line = strstr(text, "PCI_ID=");
	if (line && sscanf(line, "PCI_ID=%4hx:%4hx", &id->vendor, &id->device) == 2)
		return 0;
	return -ENODATA;
}

static char *read_path(struct graph *graph, const struct pci_address *addr)
{
	char text[PCI_ADDRESS_SIZE + 5 * SELECTOR_MAX_HOPS], name[PCI_ADDRESS_SIZE], *path;
	int ret = pci_path(graph->root->fd, addr, text, sizeof(text));

	/* -EINVAL: a recorded machine has a folder in place of the link. */
	if (ret && ret != -ENOENT && ret != -EINVAL)
		graph_note(graph, "the path of %s cannot be read: %s",
			   pci_address_format(addr, name), strerror(-ret));
	if (ret)
		return NULL;
	path = strdup(text);
	if (!path)
		graph->err = -ENOMEM;
	return path;
}

static void make_list(struct graph *graph, struct protect_facts *facts)
{
	if (graph->err || !graph->nodes)
		return;
	qsort(graph->node, graph->nodes, sizeof(*graph->node), compare_nodes);
	facts->list = calloc(graph->nodes, sizeof(*facts->list));
	if (!facts->list) {
		graph->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < graph->nodes && !graph->err; i++) {
		struct graph_node *node = &graph->node[i];
		struct protect *entry = &facts->list[facts->count];
		char text[PCI_ADDRESS_SIZE];
		size_t size;
		FILE *out;

		if (read_id(graph, &node->addr, &entry->id)) {
			graph_note(graph,
				   "%s is needed, but sysfs has no ID of it: it is not protected",
				   pci_address_format(&node->addr, text));
			continue;
		}
		if (node->belows)
			qsort(node->below, node->belows, sizeof(*node->below), compare_below);
		out = open_memstream(&entry->reason, &size);
		if (!out) {
			graph->err = -ENOMEM;
			break;
		}
		print_reason(graph, out, node);
		if (fclose(out)) {
			free(entry->reason);
			graph->err = -ENOMEM;
			break;
		}
		graph_make_printable(entry->reason);
		shorten(entry->reason, REASON_MAX);
		entry->addr = node->addr;
		entry->path = read_path(graph, &node->addr);
		facts->count++;
	}
}

/* ---- the whole ---- */

/* What the walks share; this graph has no nodes, and its notes are about what could not be read. */
struct protect_source {
	struct graph graph;
	const char *why_none;
};

/* Frees everything that is not the source's. */
static void free_walk(struct graph *graph)
{
	for (size_t i = 0; i < graph->nodes; i++) {
		for (int kind = 0; kind < CAUSE_KINDS; kind++)
			stringset_clear(&graph->node[i].names[kind]);
		free(graph->node[i].below);
	}
	free(graph->node);
	stringset_clear(&graph->seen);
	stringset_clear(&graph->vgs);
	stringset_clear(&graph->asks);
	stringset_clear(&graph->notes);
}

int protect_open(const struct root *root, struct protect_source **result)
{
	struct protect_source *source = calloc(1, sizeof(*source));
	int ret;

	*result = NULL;
	if (!source)
		return -ENOMEM;
	source->graph.root = root;
	source->graph.mounts = mounts_read(&source->graph, PATH_MOUNTINFO);
	source->why_none = find_why_none(&source->graph);
	udev_read(&source->graph);
	ret = source->graph.err;
	if (ret)
		protect_close(source);
	else
		*result = source;
	return ret;
}

void protect_close(struct protect_source *source)
{
	if (!source)
		return;
	udev_clear(&source->graph);
	mnt_unref_table(source->graph.mounts);
	free_walk(&source->graph);
	free(source);
}

/* A separate walk; free_walk() ends it. */
static struct graph begin_walk(const struct protect_source *source)
{
	return (struct graph){ .root = source->graph.root,
			       .mounts = source->graph.mounts,
			       .record = source->graph.record,
			       .records = source->graph.records };
}

static int collect(const struct protect_source *source, void (*walk)(struct graph *graph),
		   struct protect_facts *facts)
{
	struct graph graph = begin_walk(source);

	*facts = (struct protect_facts){ .why_none = source->why_none };
	for (size_t i = 0; i < source->graph.notes.n; i++)
		graph_add_name(&graph, &graph.notes, source->graph.notes.s[i]);
	if (!facts->why_none) {
		walk(&graph);
		make_list(&graph, facts);
	}
	facts->note = graph.notes.s;
	facts->notes = graph.notes.n;
	graph.notes = (struct stringset){ 0 };
	free_walk(&graph);
	if (graph.err)
		protect_free(facts);
	return graph.err;
}

static void walk_all(struct graph *graph)
{
	mounts_collect(graph);
	unlock_collect(graph);
	network_collect(graph);
}

int protect_collect(const struct protect_source *source, struct protect_facts *facts)
{
	return collect(source, walk_all, facts);
}

int protect_addresses(const struct protect_source *source, struct protect_facts *facts)
{
	return collect(source, network_collect_addresses, facts);
}

int protect_in_use(const struct protect_source *source, struct protect_facts *facts)
{
	return collect(source, mounts_collect_used, facts);
}

/* The path is the place, where both are known. */
static bool is_among(struct graph *graph, const struct pci_address *addr,
		     const struct protect_facts *then)
{
	char *path = read_path(graph, addr);
	bool is_found = false;
	struct pci_id id;

	if (!read_id(graph, addr, &id)) {
		for (size_t i = 0; i < then->count && !is_found; i++) {
			const struct protect *item = &then->list[i];

			is_found = pci_id_matches(&item->id, &id) &&
				   (path && item->path ? !strcmp(path, item->path) :
							 pci_address_equal(addr, &item->addr));
		}
	}
	free(path);
	return is_found;
}

int protect_find_root(const struct protect_source *source, const struct protect_facts *then,
		      struct pci_address *missing)
{
	struct graph graph = begin_walk(source);
	int ret = 0;

	mounts_collect_root(&graph);
	for (size_t i = 0; i < graph.nodes && !ret; i++) {
		if (!graph.node[i].names[CAUSE_HOLDS].n ||
		    is_among(&graph, &graph.node[i].addr, then))
			continue;
		*missing = graph.node[i].addr;
		ret = -ENODEV;
	}
	free_walk(&graph);
	return graph.err ? graph.err : ret;
}

void protect_root_uuid(const struct protect_source *source, char *buf, size_t size)
{
	struct libmnt_fs *fs = source->graph.mounts ? mounts_at(source->graph.mounts, "/") : NULL;
	dev_t devno = fs ? mnt_fs_get_devno(fs) : 0;
	const struct udev_record *record;
	char name[32];

	snprintf(name, sizeof(name), "%u:%u", major(devno), minor(devno));
	record = udev_find(&source->graph, name);
	snprintf(buf, size, "%s",
		 record && record->value[UDEV_FS_UUID] ? record->value[UDEV_FS_UUID] : "");
}

void protect_free(struct protect_facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		free(facts->list[i].reason);
		free(facts->list[i].path);
	}
	free(facts->list);
	for (size_t i = 0; i < facts->notes; i++)
		free(facts->note[i]);
	free(facts->note);
	*facts = (struct protect_facts){ 0 };
}
