// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which PCI functions the VMs of a Proxmox VE host have, and what starting them takes; see pve.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/pci.h"
#include "early/selector.h"
#include "early/sysfs.h"
#include "host/pve.h"
#include "host/pve_read.h"
#include "util/array.h"
#include "util/message.h"

bool pve_starts_with_host(const struct pve_config *vm)
{
	return pve_is_true(pve_config_get(vm, "onboot")) &&
	       !pve_is_true(pve_config_get(vm, "template"));
}

const struct pve_config *pve_find(const struct pve *pve, unsigned int id)
{
	for (size_t i = 0; i < pve->vms; i++)
		if (pve->vm[i].id == id && !pve->vm[i].is_container)
			return &pve->vm[i];
	return NULL;
}

/* --- which functions an entry names */

static void fail(struct pve_entry *entry, enum pve_fault fault, const char *what)
{
	if (entry->fault != PVE_FAULT_NONE)
		return;
	entry->fault = fault;
	snprintf(entry->what, sizeof(entry->what), "%.120s%s", what,
		 strlen(what) > 120 ? "..." : "");
}

/* "0000:81:00" or "81:00.0": all functions whose address begins so (PVE::SysFSTools::lspci). */
static void name_device(const struct host *host, struct pve_entry *entry, const char *word)
{
	struct selector sel;
	bool found = false;
	char name[PCI_ADDRESS_SIZE];
	size_t where;

	if (selector_parse(word, &sel, &where) || sel.hops || sel.has_id ||
	    (sel.kind != SELECTOR_SLOT && sel.kind != SELECTOR_ADDRESS)) {
		fail(entry, PVE_FAULT_SYNTAX, word);
		return;
	}
	for (size_t i = 0; i < host->count; i++) {
		const struct pci_address *addr = &host->fn[i].pci.addr;

		if (sel.kind == SELECTOR_SLOT ? !pci_address_same_slot(&sel.addr, addr) :
						!pci_address_equal(&sel.addr, addr))
			continue;
		if (pci_is_port(&host->fn[i].pci))
			fail(entry, PVE_FAULT_BRIDGE, pci_address_format(addr, name));
		/* PVE::QemuServer::PCI, choose_hostpci_devices: "assigned more than once" */
		if (entry->flags[i] & PVE_LISTED)
			fail(entry, PVE_FAULT_TWICE, pci_address_format(addr, name));
		entry->flags[i] |= PVE_NAMED | PVE_LISTED;
		found = true;
	}
	if (!found)
		fail(entry, PVE_FAULT_GONE, word);
}

static int name_devices(const struct host *host, struct pve_entry *entry, const char *list)
{
	char *copy = strdup(list), *save;

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < host->count; i++)
		entry->flags[i] &= (unsigned char)~PVE_LISTED;
	for (char *word = strtok_r(copy, ";", &save); word; word = strtok_r(NULL, ";", &save))
		name_device(host, entry, word);
	free(copy);
	return 0;
}

/* A property of any length; NULL if there is none, or memory ran out. */
static char *read_property(const char *value, const char *fallback, const char *key)
{
	size_t size = strlen(value) + 1;
	char *buf = malloc(size);

	if (buf && pve_property(value, fallback, key, buf, size))
		return buf;
	free(buf);
	return NULL;
}

/* --- mappings */

/* "10de:1e84", as PVE compares: by characters, without "0x". */
static bool is_same_id(const char *have, unsigned int vendor, unsigned int device)
{
	char is[16];

	snprintf(is, sizeof(is), "%04x:%04x", vendor, device);
	return !strcmp(have, is);
}

/* PVE::Mapping::PCI::assert_valid(): the ID, the subsystem, and of the first path the group. */
static void compare_map(struct host *host, struct pve_entry *entry, const char *map,
			const char *path, bool is_first)
{
	char addr[64], text[64];
	struct host_function *fn;
	struct pci_address at;

	snprintf(addr, sizeof(addr), "%s%s", path, strchr(path, '.') ? "" : ".0");
	fn = pci_address_parse(addr, &at) ? NULL : host_find(host, &at);
	if (!fn) {
		fail(entry, PVE_FAULT_GONE, addr);
		return;
	}
	if (!pve_property(map, NULL, "id", text, sizeof(text)) ||
	    !is_same_id(text, fn->pci.id.vendor, fn->pci.id.device))
		fail(entry, PVE_FAULT_CHANGED, "id");
	if (!pve_property(map, NULL, "subsystem-id", text, sizeof(text)) ||
	    !is_same_id(text, fn->pci.id.subvendor, fn->pci.id.subdevice))
		fail(entry, PVE_FAULT_CHANGED, "subsystem-id");
	if (is_first && host_group(host, fn) >= 0 &&
	    (!pve_property(map, NULL, "iommugroup", text, sizeof(text)) ||
	     atoi(text) != host_group(host, fn)))
		fail(entry, PVE_FAULT_CHANGED, "iommugroup");
}

static int name_map(struct host *host, struct pve_entry *entry, const char *map)
{
	char *list = read_property(map, NULL, "path"), *save;
	bool is_first = true;
	int ret;

	if (!list)
		return 0;
	ret = name_devices(host, entry, list);
	for (char *path = strtok_r(list, ";", &save); path; path = strtok_r(NULL, ";", &save)) {
		compare_map(host, entry, map, path, is_first);
		is_first = false;
	}
	free(list);
	return ret;
}

static int name_mapping(struct host *host, const struct pve *pve, struct pve_entry *entry,
			const char *name)
{
	const struct pve_mapping *mapping = pve_mappings_find(&pve->pci, name);
	unsigned int maps = 0;
	char node[128];
	int ret = 0;

	for (size_t i = 0; mapping && i < mapping->maps && !ret; i++) {
		if (!pve_property(mapping->map[i], NULL, "node", node, sizeof(node)) ||
		    (*pve->node && strcmp(node, pve->node) != 0))
			continue;
		maps++;
		ret = name_map(host, entry, mapping->map[i]);
	}
	entry->is_pool = maps > 1;
	if (!maps)
		fail(entry, PVE_FAULT_NO_MAPPING, name);
	return ret;
}

/* --- what a start takes */

static bool is_in_group(const struct host *host, const struct pve_entry *entry, int group)
{
	for (size_t i = 0; i < host->count; i++)
		if (entry->flags[i] & PVE_NAMED && host->fn[i].pci.group == group)
			return true;
	return false;
}

static void add_groups(struct host *host, struct pve_entry *entry)
{
	for (size_t i = 0; i < host->count; i++)
		host_group(host, &host->fn[i]);
	for (size_t i = 0; i < host->count; i++) {
		const struct pci_function *fn = &host->fn[i].pci;

		/* Bridges to other buses have a folder "pci_bus", which is what PVE looks for. */
		if (pci_is_port(fn))
			continue;
		if (entry->flags[i] & PVE_NAMED ||
		    (fn->group >= 0 && is_in_group(host, entry, fn->group)))
			entry->flags[i] |= PVE_TAKEN;
	}
}

bool pve_is_hostpci(const char *key, const char *value)
{
	static const char *const texts[] = { "host", "mapping", "romfile", "mdev", "driver" };
	static const char *const truths[] = { "rombar", "pcie", "x-vga", "legacy-igd" };
	static const char *const ids[] = { "vendor-id", "device-id", "sub-vendor-id",
					   "sub-device-id" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(key, texts[i]))
			return *value;
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (!strcmp(key, truths[i]))
			return pve_is_true(value) || pve_is_false(value);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (!strcmp(key, ids[i]))
			return !strncmp(value, "0x", 2) && strlen(value) == 6 &&
			       strspn(value + 2, "0123456789abcdefABCDEF") == 4;
	return false;
}

/*
 * Proxmox VE ignores an entry that does not match its format, and starts the VM without the device
 * (PVE::JSONSchema, parse_property_string(); PVE::QemuServer, parse_vm_config()).
 */
static int compare_format(struct pve_entry *entry)
{
	/* Twice what the format has: who has more has one already that it does not have. */
	const char *seen[32] = { NULL };
	char *copy = strdup(entry->value), *save;
	size_t count = 0;

	if (!copy)
		return -ENOMEM;
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		const char *key = word;
		char *value = strchr(word, '=');

		if (!word[strspn(word, " \t")])
			continue;
		if (value)
			*value++ = '\0';
		else
			value = word;
		if (value == word)
			key = "host";
		for (size_t i = 0; i < count; i++)
			if (!strcmp(seen[i], key))
				fail(entry, PVE_FAULT_KEY_TWICE, key);
		if (!pve_is_hostpci(key, value))
			fail(entry, PVE_FAULT_PROPERTY, key);
		if (count < sizeof(seen) / sizeof(seen[0]))
			seen[count++] = key;
	}
	free(copy);
	return 0;
}

/* Which functions the entry names. */
static int name_all(struct host *host, const struct pve *pve, struct pve_entry *entry)
{
	char *list = read_property(entry->value, "host", "host"), *mapping = NULL;
	int ret = 0;

	mapping = read_property(entry->value, NULL, "mapping");
	if (list && mapping)
		fail(entry, PVE_FAULT_BOTH, "host");
	if (list)
		ret = name_devices(host, entry, list);
	else if (mapping)
		ret = name_mapping(host, pve, entry, mapping);
	else
		fail(entry, PVE_FAULT_SYNTAX, entry->value);
	free(list);
	free(mapping);
	return ret;
}

bool pve_is_q35(const struct pve_config *vm)
{
	const char *machine = pve_config_get(vm, "machine");
	char type[64];

	return machine && pve_property(machine, "type", "type", type, sizeof(type)) &&
	       strstr(type, "q35");
}

/* The functions that it names; *fn: the last of them. */
static size_t count_named(const struct host *host, const struct pve_entry *entry,
			  const struct pci_function **fn)
{
	size_t count = 0;

	for (size_t i = 0; i < host->count; i++)
		if (entry->flags[i] & PVE_NAMED) {
			*fn = &host->fn[i].pci;
			count++;
		}
	return count;
}

/* Only one entry of a VM may have legacy-igd. */
static bool has_earlier_legacy(const struct pve_entry *entry)
{
	char text[64];

	for (unsigned int i = 0; i < entry->number; i++) {
		const char *other = pve_config_indexed(entry->vm, "hostpci", i);

		if (other &&
		    pve_is_true(pve_property(other, NULL, "legacy-igd", text, sizeof(text))))
			return true;
	}
	return false;
}

static bool is_set(const struct pve_entry *entry, const char *key)
{
	char text[64];

	return pve_is_true(pve_property(entry->value, NULL, key, text, sizeof(text)));
}

/* What Proxmox VE refuses when the VM starts (PVE::QemuServer::PCI, parse_hostpci_devices()). */
static void compare_machine(const struct host *host, struct pve_entry *entry)
{
	const struct pci_function *fn = NULL;
	size_t count = count_named(host, entry, &fn);
	const char *vga = pve_config_get(entry->vm, "vga");
	const char *arch = pve_config_get(entry->vm, "arch");
	char text[64];

	if (is_set(entry, "pcie") && !pve_is_q35(entry->vm) && !(arch && !strcmp(arch, "aarch64")))
		fail(entry, PVE_FAULT_NEEDS_Q35, "pcie");
	if (!is_set(entry, "legacy-igd"))
		return;
	if (pve_is_q35(entry->vm))
		fail(entry, PVE_FAULT_LEGACY, "machine q35");
	/* The whole value is compared: "type=none" is a different one. */
	if (!vga || strcmp(vga, "none") != 0)
		fail(entry, PVE_FAULT_LEGACY, "any vga but none");
	if (pve_property(entry->value, NULL, "rombar", text, sizeof(text)) && !pve_is_true(text))
		fail(entry, PVE_FAULT_LEGACY, "rombar=0");
	if (is_set(entry, "x-vga"))
		fail(entry, PVE_FAULT_LEGACY, "x-vga=1");
	if (entry->is_mdev)
		fail(entry, PVE_FAULT_LEGACY, "mdev");
	if (entry->is_pool)
		fail(entry, PVE_FAULT_LEGACY, "a mapping of several devices");
	else if (count > 1)
		fail(entry, PVE_FAULT_LEGACY, "several functions");
	if (fn && (fn->addr.dev != 2 || fn->addr.fn))
		fail(entry, PVE_FAULT_LEGACY, "a device that is not at 00:02.0");
	if (has_earlier_legacy(entry))
		fail(entry, PVE_FAULT_LEGACY, "another entry that has it");
}

/* From kernel 6.8 on the virtual function itself is given (choose_hostpci_devices()). */
static bool is_of_nvidia(const struct host *host, const struct pve_entry *entry, const char *type)
{
	const struct pci_function *fn = NULL;
	char path[SYSFS_PATH_MAX];

	return !strncmp(type, "nvidia-", 7) && count_named(host, entry, &fn) == 1 &&
	       sysfs_exists(host->root.fd,
			    pci_attribute(path, &fn->addr, "nvidia/creatable_vgpu_types"));
}

int pve_entry_resolve(struct host *host, const struct pve *pve, struct pve_entry *entry)
{
	const struct pci_function *fn;
	char keep[64];

	entry->flags = calloc(host->count + 1, 1);
	if (!entry->flags || compare_format(entry) || name_all(host, pve, entry))
		return message_errno(-ENOMEM, "cannot read the VMs");
	entry->is_mdev = pve_property(entry->value, NULL, "mdev", keep, sizeof(keep)) != NULL;
	entry->is_nvidia = entry->is_mdev && is_of_nvidia(host, entry, keep);
	if (entry->is_mdev && !entry->is_pool && count_named(host, entry, &fn) > 1)
		fail(entry, PVE_FAULT_MDEV_MANY, keep);
	if (entry->vm)
		compare_machine(host, entry);
	if (!entry->is_mdev && !(pve_property(entry->value, NULL, "driver", keep, sizeof(keep)) &&
				 !strcmp(keep, "keep")))
		add_groups(host, entry);
	return 0;
}

/* --- args, which QEMU gets unchanged */

/* The address behind "host=" or "sysfsdev=" of one option, also in JSON: {"driver":"vfio-pci","host":"..."} */
static const char *find_address(const char *option, size_t len, size_t *width)
{
	static const char *const keys[] = { "sysfsdev", "host" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *at = memmem(option, len, keys[i], strlen(keys[i]));
		const char *last;

		if (!at)
			continue;
		at += strlen(keys[i]);
		at += strspn(at, "\":= ");
		*width = strcspn(at, ",\"'} \t");
		/* The last component of a path. */
		last = memrchr(at, '/', *width);
		if (last) {
			*width -= (size_t)(last + 1 - at);
			at = last + 1;
		}
		return at;
	}
	return NULL;
}

int pve_resolve_args(struct host *host, struct pve_entry *entry)
{
	const char *pos = entry->value;

	entry->is_args = true;
	entry->flags = calloc(host->count + 1, 1);
	if (!entry->flags)
		return message_errno(-ENOMEM, "cannot read the VMs");
	while ((pos = strstr(pos, "vfio-pci"))) {
		size_t len = strcspn(pos, pos > entry->value && pos[-1] == '"' ? "}" : " \t"),
		       width;
		const char *at = find_address(pos, len, &width);
		char word[64];

		if (at) {
			snprintf(word, sizeof(word), "%.*s", (int)width, at);
			name_device(host, entry, word);
		}
		pos += len;
	}
	return 0;
}

static int add_entry(struct pve *pve, struct pve_entry *entry, int ret)
{
	if (!ret && array_append(&pve->entry, &pve->entries, sizeof(*entry), entry))
		ret = message_errno(-ENOMEM, "cannot read the VMs");
	if (ret)
		free(entry->flags);
	return ret;
}

static int add_args(struct host *host, struct pve *pve, const struct pve_config *vm)
{
	const struct pve_option *args = pve_config_option(vm, "args");
	struct pve_entry entry = { .vm = vm };

	if (!args || !strstr(args->value, "vfio-pci"))
		return 0;
	entry.value = args->value;
	entry.is_pending = args->is_pending;
	return add_entry(pve, &entry, pve_resolve_args(host, &entry));
}

/* "hostpci16" and above, which are not options of a VM (PVE::QemuServer, parse_vm_config()). */
static int add_numbers(struct host *host, struct pve *pve, const struct pve_config *vm)
{
	static const char key[] = "hostpci";
	int ret = 0;

	for (size_t i = 0; i < vm->options && !ret; i++) {
		const struct pve_option *option = &vm->option[i];
		struct pve_entry entry = { .vm = vm, .value = option->value };
		char *end;

		if (strncmp(option->key, key, strlen(key)) != 0)
			continue;
		entry.number = (unsigned int)strtoul(option->key + strlen(key), &end, 10);
		if (*end || entry.number < PVE_MAX_HOSTPCI)
			continue;
		entry.is_pending = option->is_pending;
		entry.flags = calloc(host->count + 1, 1);
		if (!entry.flags)
			ret = message_errno(-ENOMEM, "cannot read the VMs");
		fail(&entry, PVE_FAULT_NUMBER, option->key);
		ret = add_entry(pve, &entry, ret);
	}
	return ret;
}

static int add_entries(struct host *host, struct pve *pve, const struct pve_config *vm)
{
	int ret = add_numbers(host, pve, vm);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < PVE_MAX_HOSTPCI; i++) {
		struct pve_entry entry = { .vm = vm, .number = i };
		const struct pve_option *option;
		char key[24];

		snprintf(key, sizeof(key), "hostpci%u", i);
		option = pve_config_option(vm, key);
		if (!option)
			continue;
		entry.value = option->value;
		entry.is_pending = option->is_pending;
		ret = add_entry(pve, &entry, pve_entry_resolve(host, pve, &entry));
		if (ret)
			return ret;
	}
	return add_args(host, pve, vm);
}

int pve_open(struct host *host, struct pve *pve)
{
	int ret = pve_read(&host->root, pve);

	for (size_t i = 0; i < pve->vms && !ret; i++)
		if (!pve->vm[i].is_container)
			ret = add_entries(host, pve, &pve->vm[i]);
	return ret;
}

void pve_close(struct pve *pve)
{
	for (size_t i = 0; i < pve->entries; i++)
		free(pve->entry[i].flags);
	for (size_t i = 0; i < pve->vms; i++)
		pve_config_free(&pve->vm[i]);
	free(pve->entry);
	free(pve->vm);
	free(pve->reserved);
	pve_mappings_free(&pve->pci);
	pve_mappings_free(&pve->usb);
	*pve = (struct pve){ 0 };
}

/* --- for tables */

static bool names_any(const struct pve_entry *entry, const struct host *host,
		      struct host_function *const *fn, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (entry->flags[fn[i] - host->fn] & PVE_NAMED)
			return true;
	return false;
}

char *pve_names(const struct pve *pve, const struct host *host, struct host_function *const *fn,
		size_t count)
{
	const struct pve_config *last = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < pve->entries && out; i++) {
		const struct pve_entry *entry = &pve->entry[i];

		if (entry->vm == last || !names_any(entry, host, fn, count))
			continue;
		fprintf(out, "%s%u", last ? "," : "", entry->vm->id);
		last = entry->vm;
	}
	/* Not the same as no VMs. */
	if (out && pve->state == PVE_UNKNOWN)
		fprintf(out, "%s?", last ? "," : "");
	if (out && !fclose(out))
		return text;
	free(text);
	return NULL;
}

unsigned int pve_user(const struct pve *pve, const struct pci_address *addr)
{
	for (size_t i = 0; i < pve->reservations; i++)
		if (pci_address_equal(&pve->reserved[i].addr, addr))
			return pve->reserved[i].id;
	return 0;
}

bool pve_is_shown(const struct pve *pve)
{
	return pve->entries != 0 || pve->state == PVE_UNKNOWN;
}

const char *pve_why_unknown(const struct pve *pve, char *buf, size_t size)
{
	switch (pve->error) {
	case -ETIMEDOUT:
		snprintf(buf, size, "/etc/pve does not answer");
		break;
	case -ENOENT:
		snprintf(buf, size,
			 "/%s is not there: pve-cluster does not run, or cannot be "
			 "reached from here",
			 pve->file);
		break;
	default:
		snprintf(buf, size, "/%s: %s", pve->file, strerror(-pve->error));
	}
	return buf;
}
