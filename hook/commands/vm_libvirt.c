// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm --libvirt: the same functions as <hostdev> elements of a domain (libvirt, Domain XML
 * format, "Host device assignment"). Printed only: no domain is read.
 */
#include <stdio.h>

#include "commands/vm.h"

void vm_print_libvirt(const struct vm *vm)
{
	for (size_t i = 0; i < vm->slot.count; i++) {
		const struct pci_function *fn = &vm->slot.fn[i];

		/* managed='no': the device is on vfio-pci already, and stays there. */
		printf("<hostdev mode='subsystem' type='pci' managed='no'>\n"
		       "  <driver name='vfio'/>\n"
		       "  <source>\n"
		       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>\n"
		       "  </source>\n",
		       (unsigned int)fn->addr.domain, fn->addr.bus, fn->addr.dev, fn->addr.fn);
		if (vm->no_rombar || vm->romfile)
			printf("  <rom%s%s%s%s/>\n", vm->no_rombar ? " bar='off'" : "",
			       vm->romfile ? " file='" : "", vm->romfile ? vm->romfile : "",
			       vm->romfile ? "'" : "");
		puts("</hostdev>");
	}
}
