// SPDX-License-Identifier: GPL-2.0-or-later
/* What PCI devices are called; see names.h. */
#include <pci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/names.h"
#include "ui/status.h"
#include "util/file.h"
#include "util/message.h"

#define NAMES_FILE "usr/share/misc/pci.ids"

struct names {
	struct pci_access *access;
};

/*
 * pci_init() would set these three, but it also looks for access to the hardware, and exits if
 * there is none.
 */
__attribute__((noreturn, format(printf, 1, 2))) static void die(char *fmt, ...)
{
	message_error("libpci: %s; out of memory?", fmt);
	exit(COMMAND_NOTHING);
}

__attribute__((format(printf, 1, 2))) static void ignore(char *fmt, ...)
{
	(void)fmt;
}

struct names *names_open(const struct root *root)
{
	struct names *names = calloc(1, sizeof(*names));
	struct stat st;
	char *file;

	if (!names)
		return NULL;
	names->access = pci_alloc(); /* ends the program when memory ran out */
	names->access->error = die;
	names->access->warning = ignore;
	names->access->debug = ignore;
	/* libpci would wait for a FIFO's other end. */
	if (!file_stat(root->fd, NAMES_FILE, &st) && !S_ISREG(st.st_mode)) {
		message_warn("/" NAMES_FILE " is not a regular file: devices have no names; fix: "
			     "reinstall the package pci.ids");
		file = strdup("/dev/null");
		if (file)
			pci_set_name_list_path(names->access, file, 1);
	} else if (!root->is_host && asprintf(&file, "%s/" NAMES_FILE, root->path) >= 0) {
		if (!access(file, R_OK))
			pci_set_name_list_path(names->access, file, 1);
		else
			free(file);
	}
	return names;
}

void names_close(struct names *names)
{
	if (!names)
		return;
	pci_cleanup(names->access);
	free(names);
}

/*
 * Uses only names in the file: libpci would query udev's database once for each device that it does
 * not find.
 */
#define NAMES_FLAGS (PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB)

static const char *or_empty(const char *name, char *buf)
{
	if (!name)
		buf[0] = '\0';
	return buf;
}

const char *names_device(struct names *names, const struct pci_id *id, char *buf, size_t size)
{
	if (!names)
		return or_empty(NULL, buf);
	return or_empty(pci_lookup_name(names->access, buf, (int)size,
					PCI_LOOKUP_DEVICE | NAMES_FLAGS, id->vendor, id->device),
			buf);
}

const char *names_vendor(struct names *names, const struct pci_id *id, char *buf, size_t size)
{
	if (!names)
		return or_empty(NULL, buf);
	return or_empty(pci_lookup_name(names->access, buf, (int)size,
					PCI_LOOKUP_VENDOR | NAMES_FLAGS, id->vendor),
			buf);
}

const char *names_subsystem(struct names *names, const struct pci_id *id, char *buf, size_t size)
{
	const char *name = NULL;

	if (!names || !id->subvendor)
		return or_empty(NULL, buf);
	name = pci_lookup_name(names->access, buf, (int)size,
			       PCI_LOOKUP_SUBSYSTEM | PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE |
				       NAMES_FLAGS,
			       id->vendor, id->device, id->subvendor, id->subdevice);
	if (!name)
		name = pci_lookup_name(names->access, buf, (int)size,
				       PCI_LOOKUP_SUBSYSTEM | PCI_LOOKUP_VENDOR | NAMES_FLAGS,
				       id->subvendor);
	return or_empty(name, buf);
}

const char *names_class(struct names *names, uint32_t class, char *buf, size_t size)
{
	if (!names)
		return or_empty(NULL, buf);
	return or_empty(pci_lookup_name(names->access, buf, (int)size,
					PCI_LOOKUP_CLASS | NAMES_FLAGS, class >> 8),
			buf);
}
