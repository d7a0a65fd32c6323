// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines of a record that tests/tree/README.md describes: PCI functions, the IOMMU, the kernel
 * command line; see record.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "early/paths.h"
#include "early/sysfs.h"
#include "host/host.h"
#include "record/record.h"
#include "util/array.h"
#include "util/file.h"

/* --- functions */

struct function {
	char *path; /* relative to the root, as in a record */
	struct pci_address addr;
};

struct functions {
	struct record *record;
	struct function *list;
	size_t count;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct function *)a)->path, ((const struct function *)b)->path);
}

/* Marks the files that the line of the function already covers. */
static void mark(struct record *record, const char *path)
{
	static const char *const names[] = { "",	  "/driver",	  "/iommu_group",
					     "/physfn",	  "/uevent",	  "/driver_override",
					     "/boot_vga", "/reset_method" };
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (snprintf(name, sizeof(name), "%s%s", path, names[i]) < (int)sizeof(name))
			record_is_new(record, name);
}

static int add_function(const char *name, void *arg)
{
	struct functions *functions = arg;
	struct function item = { 0 };
	char link[PATH_MAX], real[PATH_MAX];

	if (pci_address_parse(name, &item.addr))
		return 0;
	snprintf(link, sizeof(link), PATH_PCI_DEVICES "/%s", name);
	/* Reading the record makes this link together with the function. */
	record_is_new(functions->record, link);
	if (record_follow(functions->record, link, real))
		return 0;
	mark(functions->record, real);
	item.path = strdup(real);
	if (item.path && !array_append(&functions->list, &functions->count, sizeof(item), &item))
		return 0;
	free(item.path);
	return -ENOMEM;
}

/* Reads the text of an attribute, without a leading "0x"; "" if it cannot be read. */
static const char *attribute(const struct record *record, const struct pci_address *addr,
			     const char *name, char *buf, size_t size)
{
	char path[SYSFS_PATH_MAX];

	file_read_once(record->root->fd, pci_attribute(path, addr, name), buf, size);
	return strncmp(buf, "0x", 2) ? buf : buf + 2;
}

static const char *link_name(const struct record *record, const struct pci_address *addr,
			     const char *name, char *buf, size_t size)
{
	char path[SYSFS_PATH_MAX];

	if (sysfs_link_name(record->root->fd, pci_attribute(path, addr, name), buf, size))
		buf[0] = '\0';
	return buf;
}

/* " KEY=VALUE"; nothing without a value. Blanks become commas. */
static void put_key(struct record *record, const char *key, const char *value)
{
	if (!*value || !strcmp(value, "0") || !strcmp(value, "(null)"))
		return;
	fprintf(record->out, " %s=", key);
	for (; *value; value++) {
		char c = *value == ' ' ? ',' : *value;

		record_text(record->out, &c, 1, false);
	}
}

/* The bridge above a function; below VMD, a directory of the root bus is between them. */
static const char *find_bridge(const char *path, char *buf, size_t size)
{
	struct pci_address addr;

	snprintf(buf, size, "%s", path);
	for (unsigned int i = 0; i < 2; i++) {
		char *slash = strrchr(buf, '/');

		if (!slash)
			break;
		*slash = '\0';
		slash = strrchr(buf, '/');
		if (slash && !pci_address_parse(slash + 1, &addr))
			return slash + 1;
		if (!slash || strncmp(slash + 1, "pci", 3) != 0)
			break;
	}
	return "";
}

/* "GROUP ADDRESS CLASS VENDOR:DEVICE key=value..." */
static void put_function(struct record *record, const struct function *function)
{
	const struct pci_address *addr = &function->addr;
	char text[512], path[PATH_MAX], addr_text[PCI_ADDRESS_SIZE];
	struct pci_function fn;

	if (pci_read(record->root->fd, addr, &fn)) {
		/* Make it unreadable in the replayed tree too: a folder instead of the file. */
		pci_address_format(addr, addr_text);
		if (!strncmp(function->path, "sys/devices/", strlen("sys/devices/")))
			fprintf(record->out, "link " PATH_PCI_DEVICES "/%s ../../../%s\n",
				addr_text, function->path + strlen("sys/"));
		fprintf(record->out, "dir %s/uevent\n", function->path);
		return;
	}
	link_name(record, addr, "iommu_group", text, sizeof(text));
	fprintf(record->out, "%s %s %06x %04x:%04x", *text ? text : "-",
		pci_address_format(addr, addr_text), fn.class & 0xffffff, fn.id.vendor,
		fn.id.device);
	if (fn.id.subvendor || fn.id.subdevice)
		fprintf(record->out, " subsystem=%04x:%04x", fn.id.subvendor, fn.id.subdevice);
	put_key(record, "under", find_bridge(function->path, path, sizeof(path)));
	put_key(record, "driver", link_name(record, addr, "driver", text, sizeof(text)));
	put_key(record, "override", attribute(record, addr, "driver_override", text, sizeof(text)));
	put_key(record, "boot_vga", attribute(record, addr, "boot_vga", text, sizeof(text)));
	put_key(record, "totalvfs", attribute(record, addr, "sriov_totalvfs", text, sizeof(text)));
	put_key(record, "numvfs", attribute(record, addr, "sriov_numvfs", text, sizeof(text)));
	put_key(record, "physfn", link_name(record, addr, "physfn", text, sizeof(text)));
	put_key(record, "reset", attribute(record, addr, "reset_method", text, sizeof(text)));
	fputc('\n', record->out);
}

static void put_functions(struct record *record)
{
	struct functions functions = { .record = record };
	int ret = sysfs_for_each(record->root->fd, PATH_PCI_DEVICES, add_function, &functions);

	if (ret == -ENOMEM)
		record->err = ret;
	/* Each function comes after the bridge above it: that is the order of their paths. */
	if (functions.count)
		qsort(functions.list, functions.count, sizeof(*functions.list), by_path);
	for (size_t i = 0; i < functions.count; i++) {
		put_function(record, &functions.list[i]);
		free(functions.list[i].path);
	}
	free(functions.list);
}

/* --- their names: from pci.ids, only those of this machine */

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pci_id));
}

/*
 * The subsystem's own name: libpci puts its vendor's name in front. "" if that is not so.
 */
static const char *own_name(struct names *names, const struct pci_id *id, char *buf, size_t size)
{
	const struct pci_id vendor = { .vendor = id->subvendor };
	char text[256];
	size_t len = strlen(names_vendor(names, &vendor, text, sizeof(text)));

	names_subsystem(names, id, buf, size);
	return len && !strncmp(buf, text, len) && buf[len] == ' ' ? buf + len + 1 : "";
}

/* Vendors, devices and subsystems in order: libpci accepts none of them twice. */
static void put_ids(struct names *names, const struct pci_id *id, size_t count, FILE *out)
{
	char name[256];

	for (size_t i = 0; i < count; i++) {
		bool is_vendor = !i || id[i].vendor != id[i - 1].vendor;
		bool is_device = is_vendor || id[i].device != id[i - 1].device;

		if (!*names_vendor(names, &id[i], name, sizeof(name)))
			continue;
		if (is_vendor)
			fprintf(out, "%04x  %s\n", id[i].vendor, name);
		if (!*names_device(names, &id[i], name, sizeof(name)))
			continue;
		if (is_device)
			fprintf(out, "\t%04x  %s\n", id[i].device, name);
		if ((is_device || by_id(&id[i], &id[i - 1])) &&
		    *own_name(names, &id[i], name, sizeof(name)))
			fprintf(out, "\t\t%04x %04x  %s\n", id[i].subvendor, id[i].subdevice,
				own_name(names, &id[i], name, sizeof(name)));
	}
}

static void put_classes(struct names *names, const struct host *host, FILE *out)
{
	char name[256];

	for (uint32_t base = 0; base < 256; base++) {
		bool is_first = true, seen[256] = { false };

		for (size_t i = 0; i < host->count; i++) {
			uint32_t class = host->fn[i].pci.class;
			uint32_t sub = class >> 8 & 0xff;

			if (class >> 16 != base || seen[sub] ||
			    !*names_class(names, class, name, sizeof(name)))
				continue;
			if (is_first)
				fprintf(out, "C %02x  %s\n", base, name);
			fprintf(out, "\t%02x  %s\n", sub, name);
			is_first = false;
			seen[sub] = true;
		}
	}
}

static void put_names(struct record *record)
{
	struct names *names = names_open(record->root);
	struct host *host = NULL;
	struct pci_id *id = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (names && !host_open(*record->root->path ? record->root->path : "/", &host))
		id = calloc(2 * host->count + 1, sizeof(*id));
	if (out && id) {
		for (size_t i = 0; i < host->count; i++) {
			id[2 * i] = host->fn[i].pci.id;
			id[2 * i + 1].vendor = id[2 * i].subvendor;
		}
		qsort(id, 2 * host->count, sizeof(*id), by_id);
		put_ids(names, id, 2 * host->count, out);
		put_classes(names, host, out);
	}
	free(id);
	host_close(host);
	names_close(names);
	if (!out || fclose(out))
		record->err = -ENOMEM;
	else
		record_put(record, "usr/share/misc/pci.ids", FILTER_NUMBERS, text, size);
	free(text);
}

/* --- the rest of the machine */

static int put_unit(const char *name, void *arg)
{
	struct record *record = arg;

	if (*name != '.') {
		fputs("iommu ", record->out);
		record_text(record->out, name, strlen(name), false);
		fputc('\n', record->out);
	}
	return 0;
}

static void put_tables(struct record *record)
{
	static const char *const tables[] = { "DMAR", "IVRS", "IORT" };
	char path[SYSFS_PATH_MAX];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (sysfs_exists(record->root->fd,
				 sysfs_path(path, PATH_ACPI_TABLES "/%s", tables[i])))
			fprintf(record->out, "acpi %s\n", tables[i]);
}

/* "KEYWORD TEXT" for a file of one line. */
static void put_value(struct record *record, const char *keyword, const char *path,
		      enum filter filter)
{
	char *text = NULL, *kept = NULL;
	size_t size, len;
	FILE *out;

	if (file_read(record->root->fd, path, RECORD_FILE, &text, &size))
		return;
	size = strcspn(text, "\n");
	out = open_memstream(&kept, &len);
	if (out)
		filter_text(filter, &record->redact, text, size, out);
	if (!out || fclose(out)) {
		record->err = -ENOMEM;
	} else {
		fprintf(record->out, "%s ", keyword);
		record_text(record->out, kept, strcspn(kept, "\n"), false);
		fputc('\n', record->out);
	}
	free(kept);
	free(text);
}

/* Is it a line that the boot framebuffer can be in, or one around it? */
static bool is_iomem(const char *line)
{
	static const char *const names[] = { "PCI Bus *", "efifb*", "BOOTFB*", "simpledrm*",
					     "*[0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f].[0-7]" };
	const char *name = strstr(line, " : ");

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (!fnmatch(names[i], name + 3, 0))
			return true;
	return false;
}

static int put_iomem(const char *line, void *arg)
{
	struct record *record = arg;

	if (is_iomem(line)) {
		fputs("iomem ", record->out);
		record_text(record->out, line, strlen(line), false);
		fputc('\n', record->out);
	}
	return 0;
}

static int put_remapping(const char *line, void *arg)
{
	struct record *record = arg;

	if (!strstr(line, "IR-"))
		return 0;
	fputs("interrupts ", record->out);
	record_text(record->out, line, strlen(line), false);
	fputc('\n', record->out);
	return 1;
}

/* For the tests of the boot: is vfio-pci built in? */
static void put_module(struct record *record)
{
	if (sysfs_exists(record->root->fd, PATH_VFIO_DRIVER))
		fputs("module vfio-pci builtin\n", record->out);
}

void record_functions(struct record *record)
{
	int rootfd = record->root->fd;

	sysfs_for_each(rootfd, PATH_IOMMU_CLASS, put_unit, record);
	put_tables(record);
	put_value(record, "cmdline", PATH_CMDLINE, FILTER_CMDLINE);
	file_for_each_line(rootfd, PATH_INTERRUPTS, put_remapping, record);
	file_for_each_line(rootfd, PATH_IOMEM, put_iomem, record);
	if (sysfs_exists(rootfd, "sys/bus/platform/drivers/efi-framebuffer/efi-framebuffer.0"))
		fputs("efifb\n", record->out);
	put_value(record, "noiommu", PATH_NOIOMMU, FILTER_NUMBERS);
	put_value(record, "board", PATH_BOARD_MODEL, FILTER_NUMBERS);
	put_value(record, "release", PATH_RELEASE, FILTER_NUMBERS);
	put_module(record);
	put_functions(record);
	put_names(record);
}
