// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The funnel of all walks: a real path in sysfs becomes the functions that are needed; and what is
 * done when it cannot be found out. See need.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "protect/graph.h"
#include "util/array.h"

#define PATH_CLASS_NVME "sys/class/nvme"

#define MAX_HOPS 64 /* PCI functions in one path */

/* ---- text ---- */

bool need_add_name(struct need_ctx *ctx, struct stringset *set, const char *s)
{
	int ret = stringset_add(set, s);

	if (ret < 0)
		ctx->err = ret;
	return ret > 0;
}

void need_make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || *s == '#')
			*s = '?';
}

void need_note(struct need_ctx *ctx, const char *format, ...)
{
	char *text;
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = vasprintf(&text, format, ap);
	va_end(ap);
	if (ret < 0) {
		ctx->err = -ENOMEM;
		return;
	}
	need_make_printable(text);
	need_add_name(ctx, &ctx->notes, text);
	free(text);
}

/* ---- nodes ---- */

struct need_node *need_node_at(struct need_ctx *ctx, const struct pci_address *addr)
{
	const struct need_node node = { .addr = *addr };

	for (size_t i = 0; i < ctx->nodes; i++)
		if (pci_address_equal(&ctx->node[i].addr, addr))
			return &ctx->node[i];
	if (array_append(&ctx->node, &ctx->nodes, sizeof(node), &node)) {
		ctx->err = -ENOMEM;
		return NULL;
	}
	return &ctx->node[ctx->nodes - 1];
}

static void add_cause(struct need_ctx *ctx, const struct pci_address *addr, const struct need *need)
{
	struct need_node *node = need_node_at(ctx, addr);

	if (!node || (need->minor && (node->names[NEED_HOLDS].n || node->names[NEED_MAY_HOLD].n)))
		return;
	need_add_name(ctx, &node->names[need->why], need->name);
}

static void add_below(struct need_ctx *ctx, const struct pci_address *addr,
		      const struct pci_address *leaf, bool is_vf)
{
	struct need_node *node = need_node_at(ctx, addr);
	const struct need_below below = { .addr = *leaf, .is_vf = is_vf };

	if (!node)
		return;
	for (size_t i = 0; i < node->belows; i++)
		if (pci_address_equal(&node->below[i].addr, leaf))
			return;
	if (array_append(&node->below, &node->belows, sizeof(below), &below))
		ctx->err = -ENOMEM;
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

unsigned int need_functions(struct need_ctx *ctx, const char *path, const struct need *need)
{
	struct pci_address addr[MAX_HOPS], parent[MAX_HOPS], *leaf;
	char link[PATH_MAX], real[PATH_MAX], text[PCI_ADDRESS_SIZE];
	unsigned int n = path_functions(path, addr), parents;

	if (!n)
		return 0;
	leaf = &addr[n - 1];
	add_cause(ctx, leaf, need);
	for (unsigned int i = 0; i + 1 < n; i++)
		add_below(ctx, &addr[i], leaf, false);

	tree_path(link, PATH_PCI_DEVICES "/%s/physfn", pci_address_format(leaf, text));
	if (tree_real_path(ctx, link, real))
		return n;
	parents = path_functions(real, parent);
	for (unsigned int i = 0; i < parents; i++)
		add_below(ctx, &parent[i], leaf, i + 1 == parents);
	return n;
}

/* ---- when it cannot be found out ---- */

void need_all_disks(struct need_ctx *ctx, const struct need *need)
{
	static const char *const dirs[] = { PATH_BLOCK, PATH_CLASS_NVME };
	struct need may = { .why = NEED_MAY_HOLD, .name = need->name, .minor = need->minor };
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	for (size_t d = 0; d < sizeof(dirs) / sizeof(dirs[0]); d++) {
		tree_names(ctx, dirs[d], &names);
		for (size_t i = 0; i < names.n; i++)
			if (!tree_path(path, "%s/%s", dirs[d], names.s[i]) &&
			    !tree_real_path(ctx, path, real))
				need_functions(ctx, real, &may);
		stringset_clear(&names);
	}
}

void need_all_nics(struct need_ctx *ctx, enum need_why why, const char *name)
{
	const struct need may = { .why = why, .name = name };
	char path[PATH_MAX], real[PATH_MAX], state[32];
	struct stringset names;

	tree_names(ctx, PATH_CLASS_NET, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_CLASS_NET "/%s", names.s[i]);
		tree_attr(ctx, path, "operstate", state, sizeof(state));
		if (!strcmp(state, "down") || !strcmp(state, "notpresent"))
			continue;
		tree_path(path, PATH_CLASS_NET "/%s/device", names.s[i]);
		if (!tree_real_path(ctx, path, real))
			need_functions(ctx, real, &may);
	}
	stringset_clear(&names);
}

void need_network(struct need_ctx *ctx, const struct need *need, const char *over)
{
	need_note(ctx, "%s lies behind %s: every network function that is up is protected",
		  need->name, over);
	need_all_nics(ctx, NEED_REACHES, need->name);
}

/* ---- the frame of a walk ---- */

void need_begin(struct need_ctx *ctx)
{
	stringset_clear(&ctx->seen);
	stringset_clear(&ctx->vgs);
}

void need_end(struct need_ctx *ctx, const struct need *need)
{
	for (size_t i = 0; i < ctx->vgs.n; i++) {
		char *uuid = strdup(ctx->vgs.s[i]);

		if (!uuid) {
			ctx->err = -ENOMEM;
			return;
		}
		need_volume_group(ctx, uuid, need);
		free(uuid);
	}
}
