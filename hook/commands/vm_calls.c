// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm: the calls of qm(1) for the machine of a VM and for its hostpci entries. No function is
 * given twice, and an entry that the VM has is changed rather than doubled. The format: qm.conf(5),
 * hostpci[n]; what of it goes together: PVE::QemuServer::PCI, parse_hostpci_devices.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/guest.h"
#include "commands/vm.h"
#include "util/file.h"
#include "util/message.h"

#define HIDDEN_UNTIL \
	465 /* from this branch on NVIDIA's driver works in a VM (release notes of 465.89) */

size_t vm_index(const struct vm *vm, const struct pci_function *fn)
{
	return (size_t)(host_find(vm->host, &fn->addr) - vm->host->fn);
}

int vm_find_entry(const struct vm *vm, size_t at)
{
	for (int i = 0; i < PVE_MAX_HOSTPCI; i++)
		if (vm->entry[i].flags && vm->entry[i].flags[at] & PVE_NAMED)
			return i;
	return -1;
}

bool vm_is_igpu(const struct pci_function *fn)
{
	return fn->id.vendor == 0x8086 && fn->class >> 16 == 0x03 && !fn->addr.domain &&
	       !fn->addr.bus && fn->addr.dev == 2 && !fn->addr.fn;
}

void vm_set_property(char *buf, const char *value, const char *key, const char *text)
{
	bool is_host = !strcmp(key, "host"), done = false;
	size_t len = 0, key_len = strlen(key);

	buf[0] = '\0';
	if (is_host && !*value) {
		snprintf(buf, VM_VALUE_SIZE, "%s", text);
		return;
	}
	for (const char *pos = value; *pos; pos += *pos == ',') {
		size_t width = strcspn(pos, ","), name = strcspn(pos, "=,");
		bool is_it = (name < width && name == key_len && !strncmp(pos, key, name)) ||
			     (is_host &&
			      (name == width || (name == 7 && !strncmp(pos, "mapping", 7))));

		if (width && is_it && !done)
			len += (size_t)snprintf(buf + len, VM_VALUE_SIZE - len, "%s%s%s%s",
						len ? "," : "", is_host ? "" : key,
						is_host ? "" : "=", text);
		else if (width && !is_it)
			len += (size_t)snprintf(buf + len, VM_VALUE_SIZE - len, "%s%.*s",
						len ? "," : "", (int)width, pos);
		done |= width && is_it;
		pos += width;
		if (len >= VM_VALUE_SIZE)
			return;
	}
	if (!done)
		snprintf(buf + len, VM_VALUE_SIZE - len, "%s%s=%s", len ? "," : "", key, text);
}

/* The same in place. @value: of VM_VALUE_SIZE */
static void change_property(char *value, const char *key, const char *text)
{
	char old[VM_VALUE_SIZE];

	strcpy(old, value);
	vm_set_property(value, old, key, text);
}

/* --- the machine */

static bool is_disk(const struct pve_option *option)
{
	static const char *const disks[] = { "scsi", "virtio", "sata", "ide", "nvme" };

	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		size_t len = strlen(disks[i]);

		if (!strncmp(option->key, disks[i], len) &&
		    isdigit((unsigned char)option->key[len]))
			return !strstr(option->value, "media=cdrom") &&
			       strncmp(option->value, "none", 4) != 0;
	}
	return false;
}

/* Where the first disk is, or "": "local-lvm:vm-101-disk-0,size=32G" */
static bool find_storage(const struct vm *vm, char *storage, size_t size)
{
	bool has_disk = false;

	storage[0] = '\0';
	for (size_t i = 0; i < vm->qm.config.options; i++) {
		const char *value = vm->qm.config.option[i].value;
		size_t len = strcspn(value, ":,");

		if (!is_disk(&vm->qm.config.option[i]))
			continue;
		has_disk = true;
		if (value[len] == ':' && *value != '/' && !*storage)
			snprintf(storage, size, "%.*s", (int)len, value);
	}
	return has_disk;
}

static bool is_q35(const struct vm *vm)
{
	const char *machine = pve_config_get(&vm->qm.config, "machine");
	char type[64];

	return machine && pve_property(machine, "type", "type", type, sizeof(type)) &&
	       strstr(type, "q35");
}

static void call_efidisk(struct vm *vm, const char *storage)
{
	const char *have = pve_config_get(&vm->qm.config, "efidisk0");
	char value[128];

	if (have && pve_property(have, "file", "pre-enrolled-keys", value, sizeof(value)) &&
	    pve_is_true(value))
		vm_note(vm, "secure-boot-keys",
			"the EFI disk has keys enrolled: with Secure Boot on, the guest refuses unsigned "
			"drivers and the firmware an unsigned ROM of the card; switch Secure Boot off in "
			"the VM's firmware (Esc at its start), or make the EFI disk again with "
			"pre-enrolled-keys=0");
	if (have)
		return;
	if (*storage) {
		snprintf(value, sizeof(value), "%.64s:1,efitype=4m,pre-enrolled-keys=0", storage);
		vm_call(vm, "--efidisk0", value);
	} else {
		vm_note(vm, "efidisk-missing",
			"OVMF keeps its settings on an EFI disk: qm set %s --efidisk0 "
			"STORAGE:1,efitype=4m,pre-enrolled-keys=0",
			vm->id);
	}
}

static void call_firmware(struct vm *vm, bool is_installed, const char *storage)
{
	const char *bios = pve_config_get(&vm->qm.config, "bios");
	bool has_ovmf = bios && !strcmp(bios, "ovmf");

	if (is_installed && !has_ovmf && !vm->ovmf) {
		vm_note(vm, "bios-kept",
			"this VM has a disk and no bios=ovmf: a guest that was installed for BIOS does "
			"not start under OVMF, so that is left alone; for a new guest add --ovmf");
		return;
	}
	if (!has_ovmf)
		vm_call(vm, "--bios", "ovmf");
	call_efidisk(vm, storage);
}

static void call_cpu(struct vm *vm)
{
	const char *cpu = pve_config_get(&vm->qm.config, "cpu");
	unsigned int last = 0;
	char type[64] = "";
	bool is_old;

	for (size_t i = 0; i < vm->slot.count; i++)
		if (guest_last_driver(&vm->slot.fn[i]))
			last = guest_last_driver(&vm->slot.fn[i]);
	is_old = last && last < HIDDEN_UNTIL;
	if (cpu)
		pve_property(cpu, "cputype", "cputype", type, sizeof(type));
	if (vm->hidden && vm->has_primary)
		vm_note(vm, "hidden-needless", "--hidden is not needed: x-vga=1 hides KVM already");
	else if (vm->hidden && !is_old)
		vm_note(vm, "hidden-needless",
			"--hidden is not needed: NVIDIA's driver works in a VM from branch %d on, and "
			"no other driver asks",
			HIDDEN_UNTIL);
	else if (vm->hidden)
		vm_call(vm, "--cpu", "host,hidden=1");
	if (vm->hidden && !vm->has_primary && is_old)
		return;
	if (!*type || !strcmp(type, "kvm64"))
		vm_call(vm, "--cpu", "host");
}

/* A guest that is installed keeps its machine and its firmware, unless it is asked for. */
void vm_machine(struct vm *vm)
{
	const char *balloon = pve_config_get(&vm->qm.config, "balloon");
	const char *vga = pve_config_get(&vm->qm.config, "vga");
	char storage[64];
	bool is_installed = find_storage(vm, storage, sizeof(storage)) && vm->qm.is_known;

	vm->will_be_q35 = is_q35(vm) || vm->q35 || !is_installed;
	if (vm->will_be_q35 && !is_q35(vm))
		vm_call(vm, "--machine", "q35");
	else if (!vm->will_be_q35)
		vm_note(vm, "machine-kept",
			"this VM has a disk and is no q35: an installed guest may not start on another "
			"machine, so that is left alone, and the device is given without pcie=1; for "
			"q35 add --machine");
	call_firmware(vm, is_installed, storage);
	call_cpu(vm);
	if (vm->has_primary && (!vga || strcmp(vga, "none") != 0))
		vm_call(vm, "--vga", "none");
	if (!balloon || strcmp(balloon, "0") != 0)
		vm_note(vm, "balloon",
			"all memory of a VM with a PCI device is in use from its start: ballooning gives "
			"nothing back; qm set %s --balloon 0",
			vm->id);
}

/* --- lists of functions */

/* Those of a mask, by place in host->fn, as hostpci has it: "0000:81:00;0000:82:00.0". */
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
			/* Several are all of it: the whole slot, as PVE writes it. */
			if (given == end - i)
				addr[strlen(addr) - 2] = '\0';
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ";" : "",
						addr);
			if (given == end - i)
				break;
		}
	}
}

static void set_value(struct vm *vm, unsigned int number, const char *value)
{
	char option[32];

	snprintf(option, sizeof(option), "--hostpci%u", number);
	vm_call(vm, option, value);
}

static int find_free(const struct vm *vm)
{
	for (int i = 0; i < PVE_MAX_HOSTPCI; i++)
		if (!vm->entry[i].value)
			return i;
	return message_error("VM %s has no hostpci free: %d is the most", vm->id, PVE_MAX_HOSTPCI);
}

/* --- one entry */

static void say_rom(struct vm *vm)
{
	char path[SYSFS_PATH_MAX];
	int fd;

	if (!vm->romfile)
		return;
	fd = file_open(vm->host->root.fd, sysfs_path(path, "usr/share/kvm/%s", vm->romfile));
	if (fd < 0)
		vm_note(vm, "rom-missing", "there is no /usr/share/kvm/%s: put the ROM there first",
			vm->romfile);
	else
		close(fd);
}

/* A ROM is of the display, and of others only where there is none. */
static bool takes_rom(const struct vm *vm, const struct pci_function *fn)
{
	for (size_t i = 0; i < vm->slot.count; i++)
		if (vm->slot.fn[i].class >> 16 == 0x03)
			return vm->romfile && fn->class >> 16 == 0x03;
	return vm->romfile;
}

static void set_rom(struct vm *vm, const struct pci_function *fn, char *value)
{
	if (takes_rom(vm, fn))
		change_property(value, "romfile", vm->romfile);
	say_rom(vm);
}

/* Intel's own: the way that its machine type leaves. */
static void add_igpu(struct vm *vm, unsigned int number, char *value)
{
	const char *vga = pve_config_get(&vm->qm.config, "vga");

	if (!vm->will_be_q35) {
		change_property(value, "legacy-igd", "1");
		if (!vga || strcmp(vga, "none") != 0)
			vm_call(vm, "--vga", "none");
		vm_note(vm, "igpu-legacy",
			"legacy-igd=1 needs i440fx, vga none and SeaBIOS, or OVMF with a ROM that knows "
			"the legacy mode: the GPU is the guest's only screen");
		return;
	}
	change_property(value, "pcie", "1");
	if (!vm->romfile)
		vm_note(vm, "igpu-rom",
			"on q35 Intel's GPU shows nothing before its driver unless it has a GOP ROM: "
			"--romfile NAME, taken from the firmware of this very board or from a project "
			"that builds them for its generation");
	vm_note(vm, "igpu-opregion",
		"the guest's driver finds its outputs by the OpRegion: qm set %s --args "
		"'-set device.hostpci%u.x-igd-opregion=on'",
		vm->id, number);
}

/* The properties of a new entry, behind its host or mapping. */
static void add_properties(struct vm *vm, const struct pci_function *fn, unsigned int number,
			   char *value)
{
	if (vm->mdev)
		change_property(value, "mdev", vm->mdev);
	if (vm_is_igpu(fn) && !vm->mdev)
		add_igpu(vm, number, value);
	else if (vm->will_be_q35)
		change_property(value, "pcie", "1");
	if (vm->has_primary && !vm_is_igpu(fn) && fn->class >> 16 == 0x03)
		change_property(value, "x-vga", "1");
	/* "legacy IGD assignment requires rombar to be enabled" */
	if (vm->no_rombar && (!vm_is_igpu(fn) || vm->will_be_q35))
		change_property(value, "rombar", "0");
	set_rom(vm, fn, value);
}

static int add_entry(struct vm *vm, const struct pci_function *fn, const bool *mask)
{
	int number = find_free(vm), ret = 0;
	char list[VM_LIST_SIZE], value[VM_VALUE_SIZE];

	if (number < 0)
		return number;
	write_list(vm->host, mask, list, sizeof(list));
	if (vm->mapping && strchr(list, ';'))
		return message_error(
			"a mapping has one ID, which %s has not; fix: with --mapping name a "
			"whole slot or one function (--only)",
			list);
	if (vm->mapping)
		ret = vm_map(vm, fn, list);
	snprintf(value, sizeof(value), "%s%s", vm->mapping ? "mapping=" : "",
		 vm->mapping ? vm->mapping : list);
	if (ret)
		return ret;
	add_properties(vm, fn, (unsigned int)number, value);
	set_value(vm, (unsigned int)number, value);
	vm->entry[number].value = "";
	return 0;
}

/* What was asked for by name, for an entry that has the functions already. */
static void change_options(struct vm *vm, unsigned int number, const struct pci_function *fn)
{
	char value[VM_VALUE_SIZE], text[256];
	const char *have = vm->entry[number].value;

	snprintf(value, sizeof(value), "%s", have);
	if (vm->primary && !vm_is_igpu(fn) &&
	    !pve_is_true(pve_property(value, NULL, "x-vga", text, sizeof(text))))
		change_property(value, "x-vga", "1");
	if (vm->no_rombar)
		change_property(value, "rombar", "0");
	set_rom(vm, fn, value);
	if (strcmp(value, have) != 0)
		set_value(vm, number, value);
	else
		vm_note(vm, "there-already",
			"hostpci%u of VM %s has it already: nothing to do for it", number, vm->id);
}

/* --mapping for what an entry has by address. */
static int change_to_mapping(struct vm *vm, unsigned int number, const struct pci_function *fn)
{
	char value[VM_VALUE_SIZE], host[VM_LIST_SIZE], map[160];
	bool *mask = calloc(vm->host->count + 1, sizeof(*mask));
	int ret;

	if (!mask)
		return message_errno(-ENOMEM, "cannot say how");
	for (size_t i = 0; i < vm->host->count; i++)
		mask[i] = vm->entry[number].flags[i] & PVE_NAMED;
	write_list(vm->host, mask, host, sizeof(host));
	free(mask);
	if (strchr(host, ';'))
		return message_error(
			"hostpci%u of VM %s is a list (%s), and a mapping has one ID; fix: "
			"change the entry first",
			number, vm->id, host);
	ret = vm_map(vm, fn, host);
	snprintf(map, sizeof(map), "mapping=%s", vm->mapping);
	vm_set_property(value, vm->entry[number].value, "host", map);
	if (!ret)
		set_value(vm, number, value);
	return ret;
}

/* --- one card, or one function of a slot that is no card */

/* May its list of functions grow? A mapping is not this command's to widen, and a mediated device is one. */
static bool can_grow(const struct pve_entry *entry)
{
	char text[256];

	return pve_property(entry->value, "host", "host", text, sizeof(text)) && !entry->is_mdev;
}

static int grow_entry(struct vm *vm, int number, bool *mask)
{
	char value[VM_VALUE_SIZE], list[VM_LIST_SIZE];
	bool has_display = false;

	for (size_t i = 0; i < vm->host->count; i++) {
		has_display |= mask[i] && vm->host->fn[i].pci.class >> 16 == 0x03;
		mask[i] |= (vm->entry[number].flags[i] & PVE_NAMED) != 0;
	}
	write_list(vm->host, mask, list, sizeof(list));
	vm_set_property(value, vm->entry[number].value, "host", list);
	if (has_display && vm->has_primary)
		change_property(value, "x-vga", "1");
	set_value(vm, (unsigned int)number, value);
	vm_note(vm, "entry-changed",
		"hostpci%d of VM %s had only a part of it: its entry is changed, so that no function "
		"is given twice",
		number, vm->id);
	return 0;
}

/* @mask: of the functions from @first on; used up */
static int give(struct vm *vm, const struct pci_function *first, bool *mask)
{
	int part = -1, grows = -1;
	size_t missing = 0;

	for (size_t i = 0; i < vm->host->count; i++) {
		int number = mask[i] ? vm_find_entry(vm, i) : -1;

		missing += mask[i] && number < 0;
		if (number < 0)
			continue;
		/* The lowest: the card itself is what options and mappings are about. */
		if (part < 0)
			part = number;
		if (grows < 0 && can_grow(&vm->entry[number]))
			grows = number;
		mask[i] = false;
	}
	if (part < 0)
		return add_entry(vm, first, mask);
	if (!missing && vm->mapping && can_grow(&vm->entry[part]))
		return change_to_mapping(vm, (unsigned int)part, first);
	if (!missing) {
		change_options(vm, (unsigned int)part, first);
		return 0;
	}
	return grows < 0 ? add_entry(vm, first, mask) : grow_entry(vm, grows, mask);
}

/* Are these all functions that the slot's address means to Proxmox VE? */
static bool is_whole_slot(const struct vm *vm, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = 0; i < vm->host->count; i++)
		count += pci_address_same_slot(&vm->host->fn[i].pci.addr, &vm->slot.fn[first].addr);
	return count == end - first;
}

static int give_functions(struct vm *vm, size_t first, size_t end)
{
	bool *mask = calloc(vm->host->count + 1, sizeof(*mask));
	int ret = mask ? 0 : message_errno(-ENOMEM, "cannot say how");

	for (size_t i = first; i < end && !ret; i++)
		mask[vm_index(vm, &vm->slot.fn[i])] = true;
	if (!ret)
		ret = give(vm, &vm->slot.fn[first], mask);
	free(mask);
	return ret;
}

int vm_devices(struct vm *vm)
{
	int ret = 0;

	for (size_t i = 0, end; i < vm->slot.count && !ret; i = end) {
		for (end = i + 1; end < vm->slot.count; end++)
			if (!pci_address_same_slot(&vm->slot.fn[i].addr, &vm->slot.fn[end].addr))
				break;
		if (is_whole_slot(vm, i, end)) {
			ret = give_functions(vm, i, end);
			continue;
		}
		/* The slot has more than the card: each function for itself. */
		for (size_t at = i; at < end && !ret; at++)
			ret = give_functions(vm, at, at + 1);
	}
	return ret;
}
