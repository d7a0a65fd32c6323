// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm: the hostpci entries of a VM. No function is given twice, and an existing entry is
 * changed rather than duplicated. vm->next collects the new values, which become calls at the end.
 * The format: qm.conf(5), hostpci[n]; which properties go together: PVE::QemuServer::PCI,
 * parse_hostpci_devices and print_hostpci_devices.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/vm.h"
#include "findings/findings.h"
#include "util/file.h"
#include "util/message.h"

#define DISPLAY	    0x03
#define VM_KEYS_MAX 32 /* twice as many as the format has */

size_t vm_index(const struct vm *vm, const struct pci_function *fn)
{
	return (size_t)(host_find(vm->host, &fn->addr) - vm->host->fn);
}

/* Can functions be added to it? This command does not change a mapping in that way. */
static bool can_grow(const struct pve_entry *entry)
{
	char text[64];

	return pve_property(entry->value, "host", "host", text, sizeof(text));
}

static bool is_of_mapping(const struct vm *vm, const char *value)
{
	char name[160];

	return vm->mapping && pve_property(value, NULL, "mapping", name, sizeof(name)) &&
	       !strcmp(name, vm->mapping);
}

void vm_name_mapped(const struct vm *vm, struct pve_entry *entry)
{
	if (!is_of_mapping(vm, entry->value))
		return;
	for (size_t i = 0; i < vm->host->count; i++) {
		if (slot_has(&vm->slot, &vm->host->fn[i].pci.addr))
			entry->flags[i] |= PVE_NAMED;
		else if (!entry->is_pool)
			entry->flags[i] = 0;
	}
}

int vm_find_entry(const struct vm *vm, size_t at)
{
	int found = -1;

	for (int i = 0; i < PVE_MAX_HOSTPCI; i++) {
		const struct pve_entry *entry = &vm->entry[i];

		if (!entry->flags || !(entry->flags[at] & PVE_NAMED))
			continue;
		/* Of two entries, the one with the mapping stays. */
		if (!entry->is_pool && !entry->is_mdev && !can_grow(entry))
			return i;
		if (found < 0)
			found = i;
	}
	return found;
}

/* --- lists of functions */

/*
 * The functions of a mask with the indexes of host->fn, in the form of hostpci:
 * "0000:81:00;0000:82:00.0".
 */
static void write_list(const struct host *host, const bool *mask, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0, end; i < host->count && len < size; i = end) {
		size_t given = 0;
		char addr[PCI_ADDRESS_SIZE];

		for (end = i; end < host->count; end++) {
			if (!pci_address_same_slot(&host->fn[i].pci.addr, &host->fn[end].pci.addr))
				break;
			given += mask[end];
		}
		for (size_t j = i; j < end && given && len < size; j++) {
			if (!mask[j])
				continue;
			pci_address_format(&host->fn[j].pci.addr, addr);
			/*
			 * All functions of the slot, if there are several: the whole slot, as PVE
			 * writes it.
			 */
			if (given == end - i)
				addr[strlen(addr) - 2] = '\0';
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ";" : "",
						addr);
			if (given == end - i)
				break;
		}
	}
}

/* --- the current and the new value of an entry */

static const char *value_of(const struct vm *vm, unsigned int number)
{
	return vm->next[number] ? vm->next[number] : vm->entry[number].value;
}

static void set_next(struct vm *vm, unsigned int number, const char *value)
{
	char *copy = strdup(value);

	vm->no_memory |= !copy;
	free(vm->next[number]);
	vm->next[number] = copy;
}

static bool has_property(const char *value, const char *key, char *buf, size_t size)
{
	return pve_property(value, !strcmp(key, "host") ? "host" : NULL, key, buf, size);
}

static bool is_set(const char *value, const char *key)
{
	char text[64];

	return has_property(value, key, text, sizeof(text)) && pve_is_true(text);
}

/* Sets a property in place; removes it if @text is NULL. @value: of VM_VALUE_SIZE */
static void change(char *value, const char *key, const char *text)
{
	char old[VM_VALUE_SIZE];

	strcpy(old, value);
	vm_set_property(value, old, key, text);
}

static int find_free(struct vm *vm)
{
	for (int i = 0; i < PVE_MAX_HOSTPCI; i++)
		if (!vm->entry[i].value && !vm->next[i])
			return i;
	return vm_refuse(vm, "no-free-entry", "VM %s has no free hostpci entry: %d is the limit",
			 vm->id, PVE_MAX_HOSTPCI);
}

/* Keeps each key once, as Proxmox VE requires; the first one stays. @value: of VM_VALUE_SIZE */
static void drop_keys(char *value)
{
	const char *seen[VM_KEYS_MAX];
	char old[VM_VALUE_SIZE], *save;
	size_t count = 0, len = 0;

	strcpy(old, value);
	*value = '\0';
	for (char *word = strtok_r(old, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		char *equals = strchr(word, '=');
		const char *key = equals ? word : "host";
		size_t key_len = equals ? (size_t)(equals - word) : strlen(key);
		bool is_there = false;

		for (size_t i = 0; i < count; i++)
			is_there |= strlen(seen[i]) == key_len && !strncmp(seen[i], key, key_len);
		if (is_there || count == VM_KEYS_MAX)
			continue;
		len += (size_t)snprintf(value + len, VM_VALUE_SIZE - len, "%s%s", len ? "," : "",
					word);
		if (equals)
			*equals = '\0';
		seen[count++] = equals ? word : "host";
	}
}

/*
 * Removes what the format does not have, because qm(1) would refuse it, and blanks around a
 * property.
 * @value: of VM_VALUE_SIZE
 */
static void drop_wrong(struct vm *vm, unsigned int number, char *value)
{
	char old[VM_VALUE_SIZE], *save;
	size_t len = 0;

	strcpy(old, value);
	*value = '\0';
	for (char *word = strtok_r(old, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		char *equals, *end = word + strlen(word);
		bool is_right;

		word += strspn(word, " \t");
		while (end > word && strchr(" \t", end[-1]))
			*--end = '\0';
		equals = strchr(word, '=');
		if (equals)
			*equals = '\0';
		is_right = *word &&
			   pve_is_hostpci(equals ? word : "host", equals ? equals + 1 : word);
		if (equals)
			*equals = '=';
		if (is_right)
			len += (size_t)snprintf(value + len, VM_VALUE_SIZE - len, "%s%s",
						len ? "," : "", word);
		else
			vm_note(vm, "entry-corrected",
				"hostpci%u of VM %s: Proxmox VE does not understand \"%s\", and ignores "
				"the entry because of it: left out",
				number, vm->id, word);
	}
}

static bool has_display(const struct vm *vm, const bool *mask)
{
	for (size_t i = 0; i < vm->host->count; i++)
		if (mask[i] && vm->host->fn[i].pci.class >> 16 == DISPLAY)
			return true;
	return false;
}

static bool has_igpu(const struct vm *vm, const bool *mask)
{
	for (size_t i = 0; i < vm->host->count; i++)
		if (mask[i] && vm_is_igpu(&vm->host->fn[i].pci))
			return true;
	return false;
}

/* --- properties */

static void say_rom(struct vm *vm)
{
	char path[SYSFS_PATH_MAX];
	int fd;

	fd = file_open(vm->host->root.fd, sysfs_path(path, "usr/share/kvm/%s", vm->romfile));
	if (fd < 0)
		vm_note(vm, "rom-missing", "there is no /usr/share/kvm/%s: put the ROM there first",
			vm->romfile);
	else
		close(fd);
}

/* The ROM is for the display; for another function only if there is no display. */
static void set_rom(struct vm *vm, const bool *mask, char *value)
{
	bool any_display = false;

	if (!vm->romfile)
		return;
	for (size_t i = 0; i < vm->slot.count; i++)
		any_display |= vm->slot.fn[i].class >> 16 == DISPLAY;
	if (has_display(vm, mask) || !any_display)
		change(value, "romfile", vm->romfile);
	say_rom(vm);
}

/* Do the args of the VM switch the OpRegion on, for this entry or for each device? */
static bool has_opregion(const char *args, unsigned int number)
{
	char entry[64];
	const char *const keys[] = { entry, "vfio-pci.x-igd-opregion=" };

	snprintf(entry, sizeof(entry), "device.hostpci%u.x-igd-opregion=", number);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *at = strstr(args, keys[i]);

		if (at && (!strncmp(at + strlen(keys[i]), "on", 2) ||
			   !strncmp(at + strlen(keys[i]), "true", 4)))
			return true;
	}
	return false;
}

/* qm set replaces all of args: what the VM has there is kept. */
static void say_opregion(struct vm *vm, unsigned int number)
{
	const char *args = pve_config_get(&vm->qm.config, "args");
	char part[64], *text = NULL;
	size_t size;
	FILE *out;

	if (args && has_opregion(args, number))
		return;
	snprintf(part, sizeof(part), "-set device.hostpci%u.x-igd-opregion=on", number);
	if (!vm->qm.is_known) {
		vm_note(vm, "igpu-opregion",
			"the guest's driver finds its outputs by the OpRegion: append '%s' to the args "
			"of VM %s (qm config %s shows what it has)",
			part, vm->id, vm->id);
		return;
	}
	out = open_memstream(&text, &size);
	if (out)
		fprintf(out, "%s%s%s", args ? args : "", args ? " " : "", part);
	if (out && !fclose(out)) {
		char *word = vm_quote(text);

		vm_note(vm, "igpu-opregion",
			"the guest's driver finds its outputs by the OpRegion: qm set %s --args %s",
			vm->id, word ? word : "");
		vm->no_memory |= !word;
		free(word);
	} else {
		vm->no_memory = true;
	}
	free(text);
}

/* For Intel's GPU: the mode that is possible with the machine type. */
static void set_igpu(struct vm *vm, unsigned int number, bool is_new, char *value)
{
	const char *vga = pve_config_get(&vm->qm.config, "vga");

	if (!vm->qm.is_known && !vm->will_be_q35) {
		vm_note(vm, "igpu-machine",
			"how Intel's GPU is given depends on the machine, which is not known: on i440fx "
			"with legacy-igd=1 and vga none, on q35 with pcie=1 and a GOP ROM (--machine)");
		return;
	}
	if (!vm->will_be_q35) {
		if (is_new)
			change(value, "legacy-igd", "1");
		if (!is_set(value, "legacy-igd"))
			return;
		/* Proxmox VE compares the whole value: "type=none" is not the same. */
		if (!vga || strcmp(vga, "none") != 0)
			vm_call(vm, "--vga", "none");
		vm_note(vm, "igpu-legacy",
			"legacy-igd=1 needs i440fx, vga none and SeaBIOS, or OVMF with a ROM that knows "
			"the legacy mode: the GPU is the guest's only screen");
		return;
	}
	if (!is_new && !is_set(value, "legacy-igd"))
		return;
	change(value, "legacy-igd", NULL);
	change(value, "pcie", "1");
	if (!vm->romfile)
		vm_note(vm, "igpu-rom",
			"on q35 Intel's GPU shows nothing before its driver unless it has a GOP ROM: "
			"--romfile NAME, taken from the firmware of this very board or from a project "
			"that builds them for its generation");
	say_opregion(vm, number);
}

static void set_mdev(struct vm *vm, unsigned int number, char *value)
{
	char have[128];

	if (vm->mdev) {
		change(value, "mdev", vm->mdev);
	} else if (has_property(value, "mdev", have, sizeof(have))) {
		change(value, "mdev", NULL);
		vm_note(vm, "mdev-replaced",
			"hostpci%u of VM %s had a mediated device of it (%s): its entry is changed, so "
			"that the VM gets the device itself",
			number, vm->id, have);
	}
}

/* "legacy IGD assignment requires rombar to be enabled" */
static void set_rombar(struct vm *vm, char *value)
{
	if (vm->no_rombar && is_set(value, "legacy-igd"))
		vm_note(vm, "rombar-kept", "--rombar 0 does not go with legacy-igd=1: left out");
	else if (vm->no_rombar)
		change(value, "rombar", "0");
}

/*
 * Sets all properties of an entry, behind its host or mapping.
 * @mask: the functions that it will have
 */
static void set_properties(struct vm *vm, unsigned int number, const bool *mask, bool is_new,
			   char *value)
{
	bool is_igpu = has_igpu(vm, mask);

	set_mdev(vm, number, value);
	if (is_igpu && !vm->mdev)
		set_igpu(vm, number, is_new, value);
	else if (is_new && vm->will_be_q35)
		change(value, "pcie", "1");
	/* "q35 machine model is not enabled" */
	if (!vm->will_be_q35 && is_set(value, "pcie") && !vm->is_arm)
		change(value, "pcie", NULL);
	if (vm->has_primary && mask[vm->primary_at] && !is_set(value, "x-vga"))
		change(value, "x-vga", "1");
	set_rombar(vm, value);
	set_rom(vm, mask, value);
}

/* --- one card, or one function of a slot that is not a card */

static int set_mapping(struct vm *vm, const bool *mask, char *value)
{
	char list[VM_LIST_SIZE], map[160];
	size_t first = 0;
	int ret;

	while (!mask[first])
		first++;
	write_list(vm->host, mask, list, sizeof(list));
	if (strchr(list, ';'))
		return vm_refuse(
			vm, "mapping-functions",
			"a mapping has one ID, but %s has several; fix: with --mapping name a "
			"whole slot or one function (--only)",
			list);
	ret = vm_map(vm, first, list);
	snprintf(map, sizeof(map), "mapping=%.140s", vm->mapping);
	change(value, "host", map);
	return ret;
}

static int add_entry(struct vm *vm, const bool *mask)
{
	int number = find_free(vm), ret = 0;
	char value[VM_VALUE_SIZE];

	if (number < 0)
		return number;
	write_list(vm->host, mask, value, sizeof(value));
	if (vm->mapping)
		ret = set_mapping(vm, mask, value);
	set_properties(vm, (unsigned int)number, mask, true, value);
	set_next(vm, (unsigned int)number, value);
	return ret;
}

/*
 * In a slot that is not a card, the entry may have functions that stay with the host, each in a
 * group of its own. The start of the VM would take them too, so they are removed.
 * @asked: the functions for the VM
 */
static bool drop_hosts(struct vm *vm, unsigned int number, const bool *asked)
{
	const struct host *host = vm->host;
	struct pve_entry *entry = &vm->entry[number];
	bool *dropped = calloc(host->count + 1, sizeof(*dropped)), any = false;
	char list[VM_LIST_SIZE];

	for (size_t i = 0; i < host->count && dropped && can_grow(entry) && !entry->is_mdev; i++) {
		bool is_slot = false, is_mate = false;

		if (!(entry->flags[i] & PVE_NAMED) || asked[i] || vm_is_given(vm, &host->fn[i]) ||
		    slot_has(&vm->slot, &host->fn[i].pci.addr))
			continue;
		for (size_t j = 0; j < host->count; j++) {
			is_slot |= asked[j] && pci_address_same_slot(&host->fn[i].pci.addr,
								     &host->fn[j].pci.addr);
			is_mate |= asked[j] && host->fn[i].pci.group == host->fn[j].pci.group;
		}
		dropped[i] = is_slot && !is_mate;
		any |= dropped[i];
	}
	vm->no_memory |= !dropped;
	if (any) {
		write_list(host, dropped, list, sizeof(list));
		vm_note(vm, "entry-narrowed",
			"hostpci%u of VM %s gave it %s too, which no bind line names and its start takes "
			"from the host: its entry is changed, and names the functions one by one",
			number, vm->id, list);
		for (size_t i = 0; i < host->count; i++)
			entry->flags[i] &= (unsigned char)~(dropped[i] ? PVE_NAMED : 0);
	}
	free(dropped);
	return any;
}

/*
 * Changes an entry that has some of the functions.
 * @asked: the functions for the VM
 * @more: the functions that this entry gets in addition; modified
 * @is_card: the options and mappings are for this entry
 */
static int change_entry(struct vm *vm, unsigned int number, const bool *asked, bool *more,
			bool is_card)
{
	const struct pve_entry *entry = &vm->entry[number];
	char value[VM_VALUE_SIZE], list[VM_LIST_SIZE];
	bool grows = false, shrinks = drop_hosts(vm, number, asked);
	size_t count = 0;
	int ret = 0;

	snprintf(value, sizeof(value), "%s", value_of(vm, number));
	for (size_t i = 0; i < vm->host->count; i++) {
		bool has = entry->flags[i] & PVE_NAMED;

		grows |= more[i] && !has;
		/*
		 * The VM gets one alternative of a pool: here, the functions that were asked for.
		 */
		more[i] |= has && (!entry->is_pool || asked[i]);
		count += more[i];
	}
	if (vm->mdev && count > 1)
		return vm_refuse(vm, "mdev-functions",
				 "hostpci%u of VM %s has more functions than one, and a mediated "
				 "device is of one; fix: change the entry first",
				 number, vm->id);
	if (entry->fault == PVE_FAULT_KEY_TWICE)
		drop_keys(value);
	if (entry->fault == PVE_FAULT_PROPERTY)
		drop_wrong(vm, number, value);
	if (grows || shrinks || entry->fault == PVE_FAULT_TWICE || entry->fault == PVE_FAULT_BOTH) {
		write_list(vm->host, more, list, sizeof(list));
		if (can_grow(entry))
			change(value, "host", list);
	}
	if (grows)
		vm_note(vm, "entry-changed",
			"hostpci%u of VM %s had only a part of it: its entry is changed, so that no "
			"function is given twice",
			number, vm->id);
	if (is_card && vm->mapping)
		ret = set_mapping(vm, more, value);
	if (is_card)
		set_properties(vm, number, more, false, value);
	else if (!vm->will_be_q35 && is_set(value, "pcie") && !vm->is_arm)
		change(value, "pcie", NULL);
	set_next(vm, number, value);
	return ret;
}

/* Which of the functions the VM has, and in which entries. */
struct parts {
	bool has[PVE_MAX_HOSTPCI];
	int card;  /* the entry for options and mappings: it has the lowest function; or -1 */
	int grows; /* the first entry that can grow, or -1 */
	bool is_missing;
};

static void find_parts(const struct vm *vm, const bool *asked, bool *missing, struct parts *parts)
{
	*parts = (struct parts){ .card = -1, .grows = -1 };
	for (size_t i = 0; i < vm->host->count; i++) {
		int number = asked[i] ? vm_find_entry(vm, i) : -1;

		missing[i] = asked[i] && number < 0;
		parts->is_missing |= missing[i];
		if (number < 0)
			continue;
		parts->has[number] = true;
		if (parts->card < 0)
			parts->card = number;
		if (parts->grows < 0 && can_grow(&vm->entry[number]))
			parts->grows = number;
	}
	if (parts->is_missing)
		parts->card = parts->grows;
}

/* @more: room for a mask */
static int give(struct vm *vm, const bool *asked, bool *more)
{
	struct parts parts;
	int ret = 0;

	find_parts(vm, asked, more, &parts);
	if (parts.is_missing && parts.grows < 0)
		ret = add_entry(vm, more);
	for (int i = 0; i < PVE_MAX_HOSTPCI && !ret; i++) {
		if (!parts.has[i])
			continue;
		if (i != parts.grows || !parts.is_missing)
			memset(more, 0, vm->host->count * sizeof(*more));
		else
			find_parts(vm, asked, more, &parts);
		ret = change_entry(vm, (unsigned int)i, asked, more, i == parts.card);
		vm->is_asked[i] |= i == parts.card;
	}
	return ret;
}

/* Are these all the functions that the slot's address means in Proxmox VE? */
static bool is_whole_slot(const struct vm *vm, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = 0; i < vm->host->count; i++)
		count += pci_address_same_slot(&vm->host->fn[i].pci.addr, &vm->slot.fn[first].addr);
	return count == end - first;
}

static int give_functions(struct vm *vm, size_t first, size_t end)
{
	bool *asked = calloc(vm->host->count + 1, sizeof(*asked));
	bool *more = calloc(vm->host->count + 1, sizeof(*more));
	int ret = asked && more ? 0 : message_errno(-ENOMEM, "cannot say how");

	for (size_t i = first; i < end && !ret; i++)
		asked[vm_index(vm, &vm->slot.fn[i])] = true;
	if (!ret)
		ret = give(vm, asked, more);
	free(asked);
	free(more);
	return ret;
}

/* The end of the functions for one entry; the slot may have more functions than the card. */
static size_t find_end(const struct vm *vm, size_t first)
{
	size_t end = first + 1;

	while (end < vm->slot.count &&
	       pci_address_same_slot(&vm->slot.fn[first].addr, &vm->slot.fn[end].addr))
		end++;
	return is_whole_slot(vm, first, end) ? end : first + 1;
}

/* --- options for one card only, and checks */

static int check_options(struct vm *vm)
{
	size_t units = 0, displays = 0;

	for (size_t i = 0, end; i < vm->slot.count; i = end) {
		bool is_display = false;

		end = find_end(vm, i);
		for (size_t j = i; j < end; j++)
			is_display |= vm->slot.fn[j].class >> 16 == DISPLAY;
		units++;
		displays += is_display;
	}
	if (vm->mapping && units > 1)
		return vm_refuse(
			vm, "mapping-functions",
			"--mapping %s is for one card or function, and these are %zu; fix: one "
			"call for each, with a name of its own",
			vm->mapping, units);
	if (vm->romfile && (displays ? displays : units) > 1)
		return vm_refuse(vm, "one-card",
				 "--romfile %s is for one card; fix: one call for each",
				 vm->romfile);
	if (vm->primary && displays > 1)
		return vm_refuse(vm, "one-card",
				 "--primary is for one card: a guest has one first screen; "
				 "fix: one call for each");
	if (vm->primary && !displays)
		return vm_refuse(vm, "no-display",
				 "--primary is for a card with a screen, and none is named; fix: "
				 "leave out --primary");
	return 0;
}

static int check_args(struct vm *vm)
{
	char addr[PCI_ADDRESS_SIZE];

	for (size_t i = 0; i < vm->slot.count && vm->args.flags; i++)
		if (vm->args.flags[vm_index(vm, &vm->slot.fn[i])] & PVE_NAMED)
			return vm_refuse(
				vm, "in-args",
				"args of VM %s already has %s, bypassing Proxmox VE (-device "
				"vfio-pci); fix: remove it from args first",
				vm->id, pci_address_format(&vm->slot.fn[i].addr, addr));
	return 0;
}

/* --- other entries of the VM */

/* Removes a function from an entry if an earlier entry has it. */
static void drop_doubles(struct vm *vm, unsigned int number)
{
	struct pve_entry *entry = &vm->entry[number];
	bool *mask = calloc(vm->host->count + 1, sizeof(*mask));
	char value[VM_VALUE_SIZE], list[VM_LIST_SIZE];
	bool drops = false, keeps = false;

	for (size_t i = 0; i < vm->host->count && mask; i++) {
		int first = vm_find_entry(vm, i);

		if (!(entry->flags[i] & PVE_NAMED))
			continue;
		if (first == (int)number || vm->entry[first].is_mdev || vm->entry[first].is_pool ||
		    !slot_has(&vm->slot, &vm->host->fn[i].pci.addr)) {
			keeps = mask[i] = true;
			continue;
		}
		drops = true;
		entry->flags[i] &= (unsigned char)~PVE_NAMED;
	}
	if (mask && drops) {
		write_list(vm->host, mask, list, sizeof(list));
		vm_set_property(value, entry->value, "host", list);
		set_next(vm, number, keeps ? value : "");
		vm_note(vm, "entry-changed",
			"hostpci%u of VM %s has what another entry has too: it is %s, so that no function "
			"is given twice",
			number, vm->id, keeps ? "changed" : "taken out");
	}
	vm->no_memory |= !mask;
	free(mask);
}

/* Only one screen is primary: removes x-vga from another entry. */
static void drop_primary(struct vm *vm, unsigned int number)
{
	char value[VM_VALUE_SIZE];

	snprintf(value, sizeof(value), "%s", value_of(vm, number));
	if (vm->entry[number].flags[vm->primary_at] & PVE_NAMED || !is_set(value, "x-vga"))
		return;
	change(value, "x-vga", NULL);
	set_next(vm, number, value);
	vm_note(vm, "primary-moved", "hostpci%u of VM %s was the guest's first screen until now",
		number, vm->id);
}

/* Without it the device is behind a bridge to conventional PCI; pcie=0 is the administrator's. */
static void set_express(struct vm *vm, unsigned int number)
{
	const struct pve_entry *entry = &vm->entry[number];
	char value[VM_VALUE_SIZE], text[64];

	snprintf(value, sizeof(value), "%s", value_of(vm, number));
	if (!*value || has_property(value, "pcie", text, sizeof(text)) ||
	    is_set(value, "legacy-igd"))
		return;
	/* Such an entry is ignored, and qm set would refuse it. */
	if (!vm->next[number] &&
	    (entry->fault == PVE_FAULT_SYNTAX || entry->fault == PVE_FAULT_KEY_TWICE ||
	     entry->fault == PVE_FAULT_PROPERTY || entry->fault == PVE_FAULT_BOTH))
		return;
	change(value, "pcie", "1");
	set_next(vm, number, value);
	vm_note(vm, "pcie-set",
		"hostpci%u of VM %s gets pcie=1, because the machine becomes q35: without it the guest "
		"sees a conventional PCI device",
		number, vm->id);
}

static void call_entries(struct vm *vm)
{
	char option[32];

	for (unsigned int i = 0; i < PVE_MAX_HOSTPCI; i++) {
		snprintf(option, sizeof(option), "hostpci%u", i);
		if (vm->next[i] && !*vm->next[i])
			vm_call(vm, "--delete", option);
	}
	for (unsigned int i = 0; i < PVE_MAX_HOSTPCI; i++) {
		const char *have = vm->entry[i].value;

		snprintf(option, sizeof(option), "--hostpci%u", i);
		if (vm->next[i] && *vm->next[i] && (!have || strcmp(have, vm->next[i]) != 0))
			vm_call(vm, option, vm->next[i]);
	}
}

/* --- faults that the entries still have then */

/* The config of the VM after the calls, as Proxmox VE will read it. */
static int read_after(struct vm *vm, struct pve_config *after)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int ret = -ENOMEM;

	for (size_t i = 0; i < vm->qm.config.options && out; i++)
		fprintf(out, "%s: %s\n", vm->qm.config.option[i].key,
			vm->qm.config.option[i].value);
	for (int deletes = 0; deletes < 2 && out; deletes++) {
		fputs(deletes ? "[PENDING]\n" : "", out);
		for (size_t i = 0; i < vm->qm.calls; i++) {
			char **word = vm->qm.call[i].word;

			if (!strcmp(word[0], "qm") && (strcmp(word[3], "--delete") == 0) == deletes)
				fprintf(out, "%s: %s\n", word[3] + 2, word[4]);
		}
	}
	if (out && !fclose(out))
		ret = pve_config_parse(text, after);
	free(text);
	after->id = (unsigned int)strtoul(vm->id, NULL, 10);
	return ret ? message_errno(ret, "cannot say how") : 0;
}

/* Does a call make the mapping, or change what it is on this node? */
static bool is_made(const struct vm *vm, const char *value)
{
	for (size_t i = 0; i < vm->qm.calls; i++)
		if (!strcmp(vm->qm.call[i].word[0], "pvesh"))
			return is_of_mapping(vm, value);
	return false;
}

static void say_faults(struct vm *vm, const struct pve_entry *list, size_t count)
{
	struct findings findings = { 0 };

	findings_collect_entries(vm->host, list, count, &findings);
	for (size_t i = 0; i < findings.count; i++) {
		const struct finding *finding = &findings.list[i];

		vm_note(vm, finding->code, "%s: %s%s%s", finding->subject, finding->text,
			*finding->fix ? "; fix: " : "", finding->fix);
	}
	vm->no_memory |= findings.failed;
	findings_free(&findings);
}

static bool is_double(const struct vm *vm, const struct pve_entry *list, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < vm->host->count && i != at; j++)
			if (list[i].flags[j] & list[at].flags[j] & PVE_NAMED)
				return true;
	return false;
}

static void say_there(struct vm *vm, const struct pve_entry *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned int number = list[i].number;

		if (list[i].is_args || !vm->is_asked[number] || list[i].fault != PVE_FAULT_NONE ||
		    strcmp(list[i].value, vm->entry[number].value) != 0 ||
		    is_made(vm, list[i].value) || is_double(vm, list, count, i))
			continue;
		vm_note(vm, "there-already",
			"hostpci%u of VM %s has it already: nothing to do for it", number, vm->id);
	}
}

/* Does its start take a function that no bind line names? */
static bool takes_hosts(const struct vm *vm, const struct pve_entry *entry)
{
	for (size_t i = 0; i < vm->host->count && entry->flags; i++)
		if (entry->flags[i] & PVE_TAKEN && !vm_is_given(vm, &vm->host->fn[i]))
			return true;
	return false;
}

/* Notes why the VM would not start with its new entries, and which entries are correct already. */
static int look_at_after(struct vm *vm)
{
	struct pve_config after = { 0 };
	struct pve_entry list[PVE_MAX_HOSTPCI + 1] = { 0 };
	size_t count = 0;
	int ret = read_after(vm, &after);

	for (unsigned int i = 0; i <= PVE_MAX_HOSTPCI && !ret; i++) {
		bool is_args = i == PVE_MAX_HOSTPCI;
		struct pve_entry *entry = &list[count];

		entry->vm = &after;
		entry->number = i;
		entry->value = is_args ? pve_config_get(&after, "args") :
					 pve_config_indexed(&after, "hostpci", i);
		if (!entry->value)
			continue;
		count++;
		ret = is_args ? pve_resolve_args(vm->host, entry) :
				pve_entry_resolve(vm->host, &vm->pve, entry);
		if (!ret && !is_args && is_made(vm, entry->value)) {
			entry->fault = PVE_FAULT_NONE;
			vm_name_mapped(vm, entry);
		}
	}
	if (!ret) {
		say_there(vm, list, count);
		say_faults(vm, list, count);
	}
	for (size_t i = 0; i < count; i++) {
		if (!ret && !list[i].is_args && !takes_hosts(vm, &list[i]))
			vm_forget_losses(vm, list[i].number);
		free(list[i].flags);
	}
	pve_config_free(&after);
	return ret;
}

/* --- the whole */

int vm_devices(struct vm *vm)
{
	int ret = check_options(vm);

	if (!ret)
		ret = check_args(vm);
	for (unsigned int i = 0; i < PVE_MAX_HOSTPCI && !ret; i++)
		if (vm->entry[i].value && can_grow(&vm->entry[i]) && !vm->entry[i].is_mdev)
			drop_doubles(vm, i);
	for (size_t i = 0, end; i < vm->slot.count && !ret; i = end) {
		end = find_end(vm, i);
		ret = give_functions(vm, i, end);
	}
	for (unsigned int i = 0; i < PVE_MAX_HOSTPCI && !ret; i++)
		if (vm->has_primary && vm->primary && vm->entry[i].value)
			drop_primary(vm, i);
	for (unsigned int i = 0; i < PVE_MAX_HOSTPCI && !ret; i++)
		if (vm->becomes_q35 && vm->entry[i].value)
			set_express(vm, i);
	if (ret)
		return ret;
	call_entries(vm);
	return look_at_after(vm);
}
