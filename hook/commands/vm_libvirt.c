// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm --libvirt: prints the same functions as <hostdev> elements of a domain (libvirt,
 * Domain XML format, "Host device assignment"). Reads no domain.
 */
#include <stdio.h>

#include "commands/vm.h"

/* As in Proxmox VE: the ROM is for the display; for another function only if there is none. */
static bool has_rom(const struct vm *vm, const struct pci_function *fn)
{
	bool any_display = false;

	for (size_t i = 0; i < vm->slot.count; i++)
		any_display |= vm->slot.fn[i].class >> 16 == 0x03;
	return vm->romfile && (!any_display || fn->class >> 16 == 0x03);
}

void vm_print_libvirt(const struct vm *vm)
{
	for (size_t i = 0; i < vm->slot.count; i++) {
		const struct pci_function *fn = &vm->slot.fn[i];
		bool rom = has_rom(vm, fn);

		/* managed='no': the device has vfio-pci already, and keeps it. */
		printf("<hostdev mode='subsystem' type='pci' managed='no'>\n"
		       "  <driver name='vfio'/>\n"
		       "  <source>\n"
		       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>\n"
		       "  </source>\n",
		       (unsigned int)fn->addr.domain, fn->addr.bus, fn->addr.dev, fn->addr.fn);
		if (vm->no_rombar || rom)
			printf("  <rom%s%s%s%s/>\n", vm->no_rombar ? " bar='off'" : "",
			       rom ? " file='" : "", rom ? vm->romfile : "", rom ? "'" : "");
		puts("</hostdev>");
	}
}
