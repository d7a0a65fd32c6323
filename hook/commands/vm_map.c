// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm --mapping: the call of pvesh(1) that makes a cluster-wide mapping, or changes its
 * map for this node and keeps those of all other nodes. At each start of a VM Proxmox VE compares a
 * mapping with the hardware; it does not do so for an address. PVE::API2::Cluster::Mapping::PCI.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/vm.h"
#include "util/array.h"
#include "util/message.h"

/* The words of one call, and those that are allocated. */
struct words {
	const char **list;
	size_t count;
	bool failed;
};

static void add(struct words *words, const char *word)
{
	words->failed |= array_append(&words->list, &words->count, sizeof(word), &word) != 0;
}

static bool is_of_node(const struct vm *vm, const char *map)
{
	char node[128];

	return pve_property(map, NULL, "node", node, sizeof(node)) && !strcmp(node, vm->pve.node);
}

bool vm_is_mapping_name(const char *name)
{
	size_t len = strspn(name,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return len > 1 && !name[len] && strspn(name, "0123456789-_") == 0;
}

/* The map for this node, as PVE::Mapping::PCI::assert_valid() compares it. */
static void write_map(const struct vm *vm, const struct pci_function *fn, const char *where,
		      char *map, size_t size)
{
	char group[32] = "";

	if (fn->group >= 0)
		snprintf(group, sizeof(group), ",iommugroup=%d", fn->group);
	/*
	 * The kernel shows a subsystem for each function, even 0000:0000, and PVE compares it if it
	 * is there.
	 */
	snprintf(map, size, "id=%04x:%04x%s,node=%s,path=%s,subsystem-id=%04x:%04x", fn->id.vendor,
		 fn->id.device, group, vm->pve.node, where, fn->id.subvendor, fn->id.subdevice);
}

static bool is_same(const char *a, const char *b, const char *key)
{
	char one[160], other[160];
	const char *x = pve_property(a, NULL, key, one, sizeof(one));
	const char *y = pve_property(b, NULL, key, other, sizeof(other));

	return (!x && !y) || (x && y && !strcmp(x, y));
}

static bool is_mapped(const struct vm *vm, const struct pve_mapping *mapping, const char *map)
{
	for (size_t i = 0; mapping && i < mapping->maps; i++)
		if (is_of_node(vm, mapping->map[i]) && is_same(mapping->map[i], map, "id") &&
		    is_same(mapping->map[i], map, "iommugroup") &&
		    is_same(mapping->map[i], map, "path") &&
		    is_same(mapping->map[i], map, "subsystem-id"))
			return true;
	return false;
}

/*
 * Does this map of the mapping stay unchanged? Maps of other nodes do. Several maps of this node
 * are alternatives; all of them stay except the one with the same path.
 */
static bool is_kept(const struct vm *vm, const struct pve_mapping *mapping, size_t at,
		    const char *map)
{
	size_t here = 0;

	for (size_t i = 0; i < mapping->maps; i++)
		here += is_of_node(vm, mapping->map[i]);
	return !is_of_node(vm, mapping->map[at]) ||
	       (here > 1 && !is_same(mapping->map[at], map, "path"));
}

static void note_pool(struct vm *vm, const struct pve_mapping *mapping)
{
	size_t here = 0;

	for (size_t i = 0; mapping && i < mapping->maps; i++)
		here += is_of_node(vm, mapping->map[i]);
	if (here > 1)
		vm_note(vm, "mapping-of-several",
			"the mapping %s names several devices of this node: each start takes one that is "
			"free",
			vm->mapping);
}

int vm_map(struct vm *vm, size_t first, const char *where)
{
	struct pci_function fn = vm->host->fn[first].pci;
	const struct pve_mapping *mapping = pve_mappings_find(&vm->pve.pci, vm->mapping);
	struct words words = { 0 };
	char map[256], path[160];

	if (!*vm->pve.node)
		return vm_refuse(vm, "node-unknown",
				 "the name of this node is not known, and a mapping needs it; "
				 "fix: run it on the Proxmox VE host");
	fn.group = host_group(vm->host, &vm->host->fn[first]);
	write_map(vm, &fn, where, map, sizeof(map));
	note_pool(vm, mapping);
	if (is_mapped(vm, mapping, map))
		return 0;
	snprintf(path, sizeof(path), "/cluster/mapping/pci%s%s", mapping ? "/" : "",
		 mapping ? vm->mapping : "");
	add(&words, "pvesh");
	add(&words, mapping ? "set" : "create");
	add(&words, path);
	if (!mapping) {
		add(&words, "--id");
		add(&words, vm->mapping);
	}
	for (size_t i = 0; mapping && i < mapping->maps; i++) {
		if (!is_kept(vm, mapping, i, map))
			continue;
		add(&words, "--map");
		add(&words, mapping->map[i]);
	}
	add(&words, "--map");
	add(&words, map);
	if (vm->mdev) {
		add(&words, "--mdev");
		add(&words, "1");
	}
	vm->no_memory |= words.failed || qm_add(&vm->qm, words.list, words.count);
	free(words.list);
	return 0;
}
