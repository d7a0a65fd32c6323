// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where all walks end: a real path in sysfs becomes the functions that are needed. Also: what to do
 * if something cannot be found out. See graph.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protect/graph.h"
#include "util/array.h"

#define PATH_CLASS_NVME	 "sys/class/nvme"
#define PATH_CLASS_RDMA	 "sys/class/infiniband"
#define PATH_THUNDERBOLT "sys/bus/thunderbolt/devices"

/* The link of a consumer to its supplier (drivers/base/core.c, devlink_add_symlinks()). */
#define SUPPLIER_PCI "supplier:pci:"

/* include/uapi/linux/if.h: the administrator has set it up. */
#define FLAG_UP 1

#define MAX_HOPS 64 /* PCI functions in one path */

/* ---- text ---- */

int graph_names(struct graph *graph, const char *path, struct stringset *names)
{
	int ret = tree_names(graph->root, path, names);

	if (ret == -ENOMEM)
		graph->err = ret;
	return ret;
}

FILE *graph_open(struct graph *graph, const char *path)
{
	FILE *f = tree_open(graph->root, path);

	if (!f && (errno == EISDIR || errno == ENOTSUP))
		graph_note(graph, "/%s is not a regular file and is left out", path);
	return f;
}

bool graph_add_name(struct graph *graph, struct stringset *set, const char *s)
{
	int ret = stringset_add(set, s);

	if (ret < 0)
		graph->err = ret;
	return ret > 0;
}

void graph_make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || *s == '#')
			*s = '?';
}

void graph_note(struct graph *graph, const char *format, ...)
{
	char *text;
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = vasprintf(&text, format, ap);
	va_end(ap);
	if (ret < 0) {
		graph->err = -ENOMEM;
		return;
	}
	graph_make_printable(text);
	graph_add_name(graph, &graph->notes, text);
	free(text);
}

/* ---- nodes ---- */

struct graph_node *graph_node_at(struct graph *graph, const struct pci_address *addr)
{
	const struct graph_node node = { .addr = *addr };

	for (size_t i = 0; i < graph->nodes; i++)
		if (pci_address_equal(&graph->node[i].addr, addr))
			return &graph->node[i];
	if (array_append(&graph->node, &graph->nodes, sizeof(node), &node)) {
		graph->err = -ENOMEM;
		return NULL;
	}
	return &graph->node[graph->nodes - 1];
}

static void add_cause(struct graph *graph, const struct pci_address *addr,
		      const struct cause *cause)
{
	struct graph_node *node = graph_node_at(graph, addr);

	if (!node ||
	    (cause->minor && (node->names[CAUSE_HOLDS].n || node->names[CAUSE_MAY_HOLD].n)))
		return;
	graph_add_name(graph, &node->names[cause->kind], cause->name);
}

static void add_below(struct graph *graph, const struct pci_address *addr,
		      const struct pci_address *leaf, enum graph_relation relation)
{
	struct graph_node *node = graph_node_at(graph, addr);
	const struct graph_below below = { .addr = *leaf, .relation = relation };

	if (!node)
		return;
	for (size_t i = 0; i < node->belows; i++)
		if (pci_address_equal(&node->below[i].addr, leaf))
			return;
	if (array_append(&node->below, &node->belows, sizeof(below), &below))
		graph->err = -ENOMEM;
}

/*
 * The PCI functions that a path in sysfs goes through, from the top. A component counts when it is
 * written as sysfs writes an address, domain included: "0:0:0:0" is SCSI's, "1-1:1.0" USB's.
 */
static unsigned int path_functions(const char *path, struct pci_address *addr)
{
	char part[NAME_MAX + 1], text[PCI_ADDRESS_SIZE];
	unsigned int n = 0;

	while (*path && n < MAX_HOPS) {
		size_t len = strcspn(path, "/");

		if (len <= NAME_MAX) {
			memcpy(part, path, len);
			part[len] = '\0';
			if (!pci_address_parse(part, &addr[n]) &&
			    !strcmp(pci_address_format(&addr[n], text), part))
				n++;
		}
		path += len + (path[len] == '/');
	}
	return n;
}

/* A function by its path, and the bridges above it, because another one needs it. */
static void add_helper(struct graph *graph, const char *path, const struct pci_address *leaf,
		       enum graph_relation relation)
{
	struct pci_address addr[MAX_HOPS];
	unsigned int n = path_functions(path, addr);

	for (unsigned int i = 0; i < n; i++) {
		if (pci_address_equal(&addr[i], leaf))
			continue;
		add_below(graph, &addr[i], leaf, i + 1 == n ? relation : GRAPH_ABOVE);
	}
}

/*
 * The suppliers of a device and of everything above it: the kernel links a Thunderbolt port to its
 * host controller this way (drivers/thunderbolt/acpi.c, tb_acpi_add_link()), and a USB device
 * behind USB4. Returns whether there was one.
 */
static bool add_suppliers(struct graph *graph, const char *path, const struct pci_address *leaf)
{
	char dir[PATH_MAX], link[PATH_MAX], real[PATH_MAX];
	struct stringset names;
	bool any = false;

	for (const char *end = strchr(path, '/'); end; end = strchr(end + 1, '/')) {
		const char *stop = strchr(end + 1, '/');

		tree_path(dir, "%.*s", (int)((stop ? stop : end + strlen(end)) - path), path);
		graph_names(graph, dir, &names);
		for (size_t i = 0; i < names.n; i++) {
			if (!starts_with(names.s[i], SUPPLIER_PCI))
				continue;
			tree_path(link, PATH_PCI_DEVICES "/%s", names.s[i] + strlen(SUPPLIER_PCI));
			if (tree_real_path(graph->root, link, real))
				continue;
			add_helper(graph, real, leaf, GRAPH_SUPPLIES);
			any = true;
		}
		stringset_clear(&names);
	}
	return any;
}

/* Behind a port that firmware calls external (Documentation/ABI/testing/sysfs-bus-pci, removable). */
static bool is_removable(struct graph *graph, const struct pci_address *addr, unsigned int n)
{
	char dir[PATH_MAX], text[32];

	for (unsigned int i = 0; i < n; i++) {
		tree_path(dir, PATH_PCI_DEVICES "/%s", pci_address_format(&addr[i], text));
		if (!tree_attr(graph->root, dir, "removable", text, sizeof(text)) &&
		    !strcmp(text, "removable"))
			return true;
	}
	return false;
}

/*
 * The host controllers that tunnel PCI Express: a domain is a child of its controller
 * (drivers/thunderbolt/domain.c, tb_domain_alloc()). An add-in controller shares a root port with
 * what is behind it; one in the processor is another function in the slot of its USB controller, or
 * the supplier of its ports. If firmware only says "removable", it may be any of them.
 */
static void add_thunderbolt(struct graph *graph, const struct pci_address *addr, unsigned int n,
			    bool is_supplied)
{
	struct pci_address nhi[MAX_HOPS];
	char path[PATH_MAX], real[PATH_MAX];
	bool any = is_supplied || !is_removable(graph, addr, n);
	struct stringset names;
	unsigned int hops;

	graph_names(graph, PATH_THUNDERBOLT, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_THUNDERBOLT "/%s", names.s[i]);
		if (!starts_with(names.s[i], "domain") || tree_real_path(graph->root, path, real))
			continue;
		hops = path_functions(real, nhi);
		if (hops && (!any || pci_address_equal(&nhi[0], &addr[0]) ||
			     (nhi[0].domain == addr[0].domain && nhi[0].bus == addr[0].bus &&
			      nhi[0].dev == addr[0].dev)))
			add_helper(graph, real, &addr[n - 1], GRAPH_TUNNELS);
	}
	stringset_clear(&names);
}

unsigned int graph_add_functions(struct graph *graph, const char *path, const struct cause *cause)
{
	struct pci_address addr[MAX_HOPS], *leaf;
	char link[PATH_MAX], real[PATH_MAX], text[PCI_ADDRESS_SIZE];
	unsigned int n = path_functions(path, addr);

	if (!n)
		return 0;
	leaf = &addr[n - 1];
	add_cause(graph, leaf, cause);
	for (unsigned int i = 0; i + 1 < n; i++)
		add_below(graph, &addr[i], leaf, GRAPH_ABOVE);
	add_thunderbolt(graph, addr, n, add_suppliers(graph, path, leaf));

	tree_path(link, PATH_PCI_DEVICES "/%s/physfn", pci_address_format(leaf, text));
	if (!tree_real_path(graph->root, link, real))
		add_helper(graph, real, leaf, GRAPH_PHYSFN);
	return n;
}

bool graph_function(const char *path, struct pci_address *addr)
{
	struct pci_address all[MAX_HOPS];
	unsigned int n = path_functions(path, all);

	if (n)
		*addr = all[n - 1];
	return n;
}

unsigned int graph_add_class(struct graph *graph, const char *dir, const struct cause *cause)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset names;
	unsigned int n = 0;

	graph_names(graph, dir, &names);
	for (size_t i = 0; i < names.n; i++)
		if (!tree_path(path, "%s/%s", dir, names.s[i]) &&
		    !tree_real_path(graph->root, path, real))
			n += graph_add_functions(graph, real, cause) > 0;
	stringset_clear(&names);
	return n;
}

/* ---- what cannot be found out ---- */

void graph_add_all_disks(struct graph *graph, const struct cause *cause)
{
	struct cause may = *cause;

	/* Only what is certain counts as in use. */
	if (cause->kind == CAUSE_IN_USE)
		return;
	may.kind = CAUSE_MAY_HOLD;
	graph_add_class(graph, PATH_BLOCK, &may);
	graph_add_class(graph, PATH_CLASS_NVME, &may);
}

/* Not operstate, which is also "down" if only the cable is unplugged. */
static bool is_set_down(struct graph *graph, const char *dir)
{
	char text[32];

	return !tree_attr(graph->root, dir, "flags", text, sizeof(text)) && *text &&
	       !(strtoul(text, NULL, 16) & FLAG_UP);
}

/* Returns how many there were. */
static unsigned int add_nics(struct graph *graph, const struct cause *cause, bool also_down)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset names;
	unsigned int n = 0;

	graph_names(graph, PATH_CLASS_NET, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_CLASS_NET "/%s", names.s[i]);
		if (!also_down && is_set_down(graph, path))
			continue;
		tree_path(path, PATH_CLASS_NET "/%s/device", names.s[i]);
		if (!tree_real_path(graph->root, path, real))
			n += graph_add_functions(graph, real, cause) > 0;
	}
	stringset_clear(&names);
	return n;
}

void graph_add_all_nics(struct graph *graph, enum cause_kind kind, const char *name)
{
	const struct cause may = { .kind = kind, .name = name };

	if (!add_nics(graph, &may, false))
		add_nics(graph, &may, true);
	/* An adapter may carry storage without having a network interface. */
	graph_add_class(graph, PATH_CLASS_RDMA, &may);
}

void graph_add_network(struct graph *graph, const struct cause *cause, const char *over)
{
	if (cause->kind == CAUSE_IN_USE)
		return;
	graph_note(graph, "%s lies behind %s: every network function that is up is protected",
		   cause->name, over);
	graph_add_all_nics(graph, CAUSE_REACHES, cause->name);
}

void graph_add_anything(struct graph *graph, const struct cause *cause, const char *what)
{
	if (cause->kind == CAUSE_IN_USE)
		return;
	graph_note(graph,
		   "what lies under %s cannot be found out: every disk's function and every network "
		   "function that is up is protected",
		   what);
	graph_add_all_disks(graph, cause);
	graph_add_all_nics(graph, CAUSE_REACHES, cause->name);
}

void graph_begin(struct graph *graph)
{
	stringset_clear(&graph->seen);
	stringset_clear(&graph->vgs);
}
