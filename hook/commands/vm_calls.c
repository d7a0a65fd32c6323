// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-early vm: the calls of qm(1) for the machine type of a VM. Their format: qm.conf(5). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/guest.h"
#include "commands/vm.h"

#define HIDDEN_UNTIL \
	465 /* since this branch NVIDIA's driver works in a VM (release notes of 465.89) */

bool vm_is_igpu(const struct pci_function *fn)
{
	return fn->id.vendor == 0x8086 && fn->class >> 16 == 0x03 && !fn->addr.domain &&
	       !fn->addr.bus && fn->addr.dev == 2 && !fn->addr.fn;
}

void vm_set_property(char *buf, const char *value, const char *key, const char *text)
{
	bool is_host = !strcmp(key, "host"), done = !text;
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

char *vm_quote(const char *word)
{
	bool is_plain = *word &&
			!word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
					   "WXYZ0123456789-_=,.:/+@%")];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (!is_plain)
		fputc('\'', out);
	for (const char *pos = word; *pos; pos++) {
		if (*pos == '\'')
			fputs("'\\'", out);
		fputc(*pos, out);
	}
	if (!is_plain)
		fputc('\'', out);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
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

/* The storage of the first disk, or "": "local-lvm:vm-101-disk-0,size=32G" */
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

	if (!vm->qm.is_known && !vm->ovmf)
		return;
	if (is_installed && !has_ovmf && !vm->ovmf) {
		vm_note(vm, "bios-kept",
			"this VM has a disk and no bios=ovmf: a guest that was installed for "
			"BIOS does not start under OVMF, so that is not changed; for a new guest "
			"add --ovmf");
		return;
	}
	if (!has_ovmf)
		vm_call(vm, "--bios", "ovmf");
	call_efidisk(vm, storage);
}

/*
 * Sets another type in a value of cpu or machine; flags and everything else stay.
 * @buf: of VM_VALUE_SIZE
 * @key: of the type: "cputype", "type"
 */
static void set_type(char *buf, const char *value, const char *key, const char *type)
{
	size_t len = (size_t)snprintf(buf, VM_VALUE_SIZE, "%s", type);

	for (const char *pos = value ? value : ""; *pos && len < VM_VALUE_SIZE;
	     pos += *pos == ',') {
		size_t width = strcspn(pos, ","), name = strcspn(pos, "=,");
		bool is_type = name == width || (name == strlen(key) && !strncmp(pos, key, name));

		if (width && !is_type)
			len += (size_t)snprintf(buf + len, VM_VALUE_SIZE - len, ",%.*s", (int)width,
						pos);
		pos += width;
	}
}

static void call_cpu(struct vm *vm)
{
	const char *cpu = pve_config_get(&vm->qm.config, "cpu");
	unsigned int last = 0;
	char type[64] = "", value[VM_VALUE_SIZE], hidden[VM_VALUE_SIZE];
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
	if (!vm->qm.is_known && !vm->hidden)
		return;
	set_type(value, cpu, "cputype", "host");
	if (vm->hidden && !vm->has_primary && is_old) {
		vm_set_property(hidden, value, "hidden", "1");
		if (!cpu || strcmp(cpu, hidden) != 0)
			vm_call(vm, "--cpu", hidden);
		return;
	}
	if (!*type || !strcmp(type, "kvm64"))
		vm_call(vm, "--cpu", value);
}

/* Does it have no emulated screen? "none" can also be written "type=none". */
static bool has_no_vga(const struct vm *vm)
{
	const char *vga = pve_config_get(&vm->qm.config, "vga");
	char type[32];

	return vga && pve_property(vga, "type", "type", type, sizeof(type)) &&
	       !strcmp(type, "none");
}

static void call_machine(struct vm *vm, bool is_installed)
{
	const char *arch = pve_config_get(&vm->qm.config, "arch");
	char value[VM_VALUE_SIZE];

	/* There, the machine "virt" is the only one. */
	vm->is_arm = arch && !strcmp(arch, "aarch64");
	if (vm->is_arm)
		return;
	/* It may be an installed guest. */
	if (!vm->qm.is_known) {
		vm->will_be_q35 = vm->q35;
		if (vm->q35)
			vm_call(vm, "--machine", "q35");
		return;
	}
	vm->becomes_q35 = !pve_is_q35(&vm->qm.config) && (vm->q35 || !is_installed);
	vm->will_be_q35 = pve_is_q35(&vm->qm.config) || vm->becomes_q35;
	set_type(value, pve_config_get(&vm->qm.config, "machine"), "type", "q35");
	if (vm->becomes_q35)
		vm_call(vm, "--machine", value);
	else if (!vm->will_be_q35)
		vm_note(vm, "machine-kept",
			"this VM has a disk and is not q35: an installed guest may not start on "
			"another machine, so that is not changed, and the device is given "
			"without pcie=1; for q35 add --machine");
}

/* An installed guest keeps its machine type and firmware, unless the user asks for another one. */
void vm_machine(struct vm *vm)
{
	const char *balloon = pve_config_get(&vm->qm.config, "balloon");
	char storage[64];
	bool is_installed = find_storage(vm, storage, sizeof(storage));

	call_machine(vm, is_installed);
	call_firmware(vm, is_installed, storage);
	call_cpu(vm);
	if (vm->has_primary && !has_no_vga(vm))
		vm_call(vm, "--vga", "none");
	if (!balloon || strcmp(balloon, "0") != 0)
		vm_note(vm, "balloon",
			"all memory of a VM with a PCI device is in use from its start: ballooning gives "
			"nothing back; qm set %s --balloon 0",
			vm->id);
}
