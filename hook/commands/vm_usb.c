// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-early vm: the USB devices of a VM of Proxmox VE. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "commands/vm.h"
#include "early/sysfs.h"
#include "util/file.h"
#include "util/message.h"

#define PATH_USB "sys/bus/usb/devices"

bool vm_is_usb(const char *text)
{
	size_t bus = strspn(text, "0123456789"), port;

	if (strspn(text, "0123456789abcdefABCDEF") == 4 && text[4] == ':' &&
	    strspn(text + 5, "0123456789abcdefABCDEF") == 4 && !text[9])
		return true;
	if (!bus || text[bus] != '-')
		return false;
	port = strspn(text + bus + 1, "0123456789.");
	return port && !text[bus + 1 + port] && isdigit((unsigned char)text[bus + 1]) &&
	       isdigit((unsigned char)text[bus + port]) && !strstr(text, "..");
}

/* "0x046d:0xc52b" is the same as "046d:c52b" (PVE::QemuServer::USB, parse_usb_device). */
static bool is_same_usb(const char *have, const char *wanted)
{
	char plain[64];
	size_t len = 0;

	for (const char *pos = have; *pos && len < sizeof(plain) - 1;) {
		if ((pos == have || pos[-1] == ':') && pos[0] == '0' && pos[1] == 'x')
			pos += 2;
		else
			plain[len++] = *pos++;
	}
	plain[len] = '\0';
	return !strcasecmp(plain, wanted);
}

static bool mapping_has(const struct vm *vm, const char *name, const char *wanted)
{
	const struct pve_mapping *mapping = pve_mappings_find(&vm->pve.usb, name);
	char text[128];

	for (size_t i = 0; mapping && i < mapping->maps; i++) {
		const char *map = mapping->map[i];

		if (!pve_property(map, NULL, "node", text, sizeof(text)) ||
		    (*vm->pve.node && strcmp(text, vm->pve.node) != 0))
			continue;
		if (pve_property(map, NULL, strchr(wanted, ':') ? "id" : "path", text,
				 sizeof(text)) &&
		    is_same_usb(text, wanted))
			return true;
	}
	return false;
}

static bool has_usb(const struct vm *vm, const char *value, const char *wanted)
{
	char text[128];

	if (pve_property(value, "host", "host", text, sizeof(text)))
		return is_same_usb(text, wanted);
	return pve_property(value, NULL, "mapping", text, sizeof(text)) &&
	       mapping_has(vm, text, wanted);
}

/* --- devices that are plugged in */

struct plug {
	const struct vm *vm;
	const char *wanted;
	char port[32], id[16], name[160];
};

static const char *attribute(const struct vm *vm, const char *port, const char *name, char *buf,
			     size_t size)
{
	char path[SYSFS_PATH_MAX];

	file_read_once(vm->host->root.fd, sysfs_path(path, PATH_USB "/%s/%s", port, name), buf,
		       size);
	return buf;
}

static int look_at_port(const char *port, void *arg)
{
	struct plug *plug = arg;
	char vendor[8], product[8], maker[64], name[64], id[16];

	attribute(plug->vm, port, "idVendor", vendor, sizeof(vendor));
	attribute(plug->vm, port, "idProduct", product, sizeof(product));
	snprintf(id, sizeof(id), "%.4s:%.4s", vendor, product);
	if (!*vendor || (strcasecmp(id, plug->wanted) != 0 && strcmp(port, plug->wanted) != 0))
		return 0;
	attribute(plug->vm, port, "manufacturer", maker, sizeof(maker));
	attribute(plug->vm, port, "product", name, sizeof(name));
	snprintf(plug->port, sizeof(plug->port), "%.31s", port);
	snprintf(plug->id, sizeof(plug->id), "%s", id);
	snprintf(plug->name, sizeof(plug->name), "%s%s%s", maker, *maker && *name ? " " : "", name);
	return 1;
}

/* Notes its name, as lsusb prints it, and its port. */
static void say_plugged(struct vm *vm, const char *wanted)
{
	struct plug plug = { .vm = vm, .wanted = wanted };

	if (sysfs_for_each(vm->host->root.fd, PATH_USB, look_at_port, &plug) == 1)
		vm_note(vm, "usb-device", "%s is %s, at port %s: ID %s", wanted,
			*plug.name ? plug.name : "without a name", plug.port, plug.id);
	else
		vm_note(vm, "usb-absent", "%s is not plugged in now", wanted);
}

int vm_usb(struct vm *vm, const char *wanted)
{
	char value[64], option[32];

	for (unsigned int i = 0; i < vm->usbs && vm->usb[i] != wanted; i++)
		if (!strcasecmp(vm->usb[i], wanted))
			return 0;
	say_plugged(vm, wanted);
	for (unsigned int i = 0; i < PVE_MAX_USB; i++) {
		const char *have = pve_config_indexed(&vm->qm.config, "usb", i);

		if (!have || !has_usb(vm, have, wanted))
			continue;
		vm_note(vm, "there-already", "usb%u of VM %s has %s already: nothing to do for it",
			i, vm->id, wanted);
		return 0;
	}
	for (unsigned int i = 0; i < PVE_MAX_USB; i++) {
		if (vm->usb_taken[i] || pve_config_indexed(&vm->qm.config, "usb", i))
			continue;
		vm->usb_taken[i] = true;
		snprintf(value, sizeof(value), "host=%s,usb3=1", wanted);
		snprintf(option, sizeof(option), "--usb%u", i);
		vm_call(vm, option, value);
		return 0;
	}
	return vm_refuse(vm, "no-free-entry", "VM %s has no free usb entry: %d is the limit",
			 vm->id, PVE_MAX_USB);
}
