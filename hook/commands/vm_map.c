// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm --mapping: the call of pvesh(1) that makes a cluster-wide mapping, or changes what it is
 * on this node and keeps all other nodes' maps. Proxmox VE compares a mapping with the hardware each time
 * a VM starts, an address never. PVE::API2::Cluster::Mapping::PCI.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/vm.h"
#include "util/array.h"
#include "util/message.h"

/* The words of one call, and the texts that are its own. */
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

/* An ID of pve-configid: a letter, then letters, digits, - and _ (PVE::JSONSchema). */
static bool is_config_id(const char *name)
{
	size_t len = strspn(name,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return len > 1 && !name[len] && strspn(name, "0123456789-_") == 0;
}

/* What the mapping has to be here, as PVE::Mapping::PCI::assert_valid() compares it. */
static void write_map(const struct vm *vm, const struct pci_function *fn, const char *where,
		      char *map, size_t size)
{
	char group[32] = "", subsystem[48] = "";

	if (fn->group >= 0)
		snprintf(group, sizeof(group), ",iommugroup=%d", fn->group);
	if (fn->id.subvendor)
		snprintf(subsystem, sizeof(subsystem), ",subsystem-id=%04x:%04x", fn->id.subvendor,
			 fn->id.subdevice);
	snprintf(map, size, "id=%04x:%04x%s,node=%s,path=%s%s", fn->id.vendor, fn->id.device, group,
		 vm->pve.node, where, subsystem);
}

static bool is_mapped(const struct vm *vm, const struct pve_mapping *mapping, const char *map)
{
	static const char *const keys[] = { "id", "iommugroup", "path", "subsystem-id" };
	size_t same = 0, here = 0;

	for (size_t i = 0; mapping && i < mapping->maps; i++) {
		char have[160], want[160];
		size_t equal = 0;

		if (!is_of_node(vm, mapping->map[i]))
			continue;
		here++;
		for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
			const char *a = pve_property(mapping->map[i], NULL, keys[j], have,
						     sizeof(have));
			const char *b = pve_property(map, NULL, keys[j], want, sizeof(want));

			equal += (!a && !b) || (a && b && !strcmp(a, b));
		}
		same += equal == sizeof(keys) / sizeof(keys[0]);
	}
	return here == 1 && same == 1;
}

int vm_map(struct vm *vm, const struct pci_function *fn, const char *where)
{
	const struct pve_mapping *mapping = pve_mappings_find(&vm->pve.pci, vm->mapping);
	struct words words = { 0 };
	char map[256], path[160];

	if (!is_config_id(vm->mapping))
		return message_error(
			"%s is not a valid name for a mapping; fix: begin with a letter, "
			"then letters, digits, - and _",
			vm->mapping);
	if (!*vm->pve.node)
		return message_error("the name of this node is not known, and a mapping needs it; "
				     "fix: run it on the Proxmox VE host");
	write_map(vm, fn, where, map, sizeof(map));
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
		if (is_of_node(vm, mapping->map[i]))
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
