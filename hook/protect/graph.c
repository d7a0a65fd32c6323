// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The funnel of all walks: a real path in sysfs becomes the functions that are needed; and what is
 * done when it cannot be found out. See graph.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protect/graph.h"
#include "util/array.h"

#define PATH_CLASS_NVME "sys/class/nvme"

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
		      const struct pci_address *leaf, bool is_vf)
{
	struct graph_node *node = graph_node_at(graph, addr);
	const struct graph_below below = { .addr = *leaf, .is_vf = is_vf };

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

unsigned int graph_add_functions(struct graph *graph, const char *path, const struct cause *cause)
{
	struct pci_address addr[MAX_HOPS], parent[MAX_HOPS], *leaf;
	char link[PATH_MAX], real[PATH_MAX], text[PCI_ADDRESS_SIZE];
	unsigned int n = path_functions(path, addr), parents;

	if (!n)
		return 0;
	leaf = &addr[n - 1];
	add_cause(graph, leaf, cause);
	for (unsigned int i = 0; i + 1 < n; i++)
		add_below(graph, &addr[i], leaf, false);

	tree_path(link, PATH_PCI_DEVICES "/%s/physfn", pci_address_format(leaf, text));
	if (tree_real_path(graph->root, link, real))
		return n;
	parents = path_functions(real, parent);
	for (unsigned int i = 0; i < parents; i++)
		add_below(graph, &parent[i], leaf, i + 1 == parents);
	return n;
}

/* ---- when it cannot be found out ---- */

void graph_add_all_disks(struct graph *graph, const struct cause *cause)
{
	static const char *const dirs[] = { PATH_BLOCK, PATH_CLASS_NVME };
	struct cause may = { .kind = CAUSE_MAY_HOLD, .name = cause->name, .minor = cause->minor };
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	for (size_t d = 0; d < sizeof(dirs) / sizeof(dirs[0]); d++) {
		graph_names(graph, dirs[d], &names);
		for (size_t i = 0; i < names.n; i++)
			if (!tree_path(path, "%s/%s", dirs[d], names.s[i]) &&
			    !tree_real_path(graph->root, path, real))
				graph_add_functions(graph, real, &may);
		stringset_clear(&names);
	}
}

void graph_add_all_nics(struct graph *graph, enum cause_kind kind, const char *name)
{
	const struct cause may = { .kind = kind, .name = name };
	char path[PATH_MAX], real[PATH_MAX], state[32];
	struct stringset names;

	graph_names(graph, PATH_CLASS_NET, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_CLASS_NET "/%s", names.s[i]);
		tree_attr(graph->root, path, "operstate", state, sizeof(state));
		if (!strcmp(state, "down") || !strcmp(state, "notpresent"))
			continue;
		tree_path(path, PATH_CLASS_NET "/%s/device", names.s[i]);
		if (!tree_real_path(graph->root, path, real))
			graph_add_functions(graph, real, &may);
	}
	stringset_clear(&names);
}

void graph_add_network(struct graph *graph, const struct cause *cause, const char *over)
{
	graph_note(graph, "%s lies behind %s: every network function that is up is protected",
		   cause->name, over);
	graph_add_all_nics(graph, CAUSE_REACHES, cause->name);
}

void graph_begin(struct graph *graph)
{
	stringset_clear(&graph->seen);
	stringset_clear(&graph->vgs);
}
