// SPDX-License-Identifier: GPL-2.0-or-later
/* The facts of a host; see host.h. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "early/paths.h"
#include "early/sysfs.h"
#include "early/tell.h"
#include "early/text.h"
#include "host/host.h"
#include "plan/modules.h"
#include "util/address.h"
#include "util/array.h"
#include "util/file.h"
#include "util/message.h"

#define PATH_OSRELEASE "proc/sys/kernel/osrelease"
#define CMDLINE_MAX    (1u << 20) /* bytes; a kernel takes 2 KiB, arm64 too */

static int compare_function(const void *a, const void *b)
{
	const struct host_function *one = a, *other = b;

	return address_compare(&one->pci.addr, &other->pci.addr);
}

static int add_function(const struct pci_function *fn, int error, void *arg)
{
	struct host *host = arg;
	const struct host_function item = { .pci = *fn, .place = DECIDE_NO_INDEX };

	const struct host_unreadable unreadable = { .addr = fn->addr, .error = error };

	if (!error)
		return array_append(&host->fn, &host->count, sizeof(item), &item);
	return array_append(&host->unreadable, &host->unreadables, sizeof(unreadable), &unreadable);
}

bool host_is_stuck(const struct host *host, const struct pci_address *addr)
{
	char text[PCI_ADDRESS_SIZE];
	const struct boot_report_entry *entry = boot_report_find(&host->report,
								 pci_address_format(addr, text));

	return entry && !strcmp(entry->why, code_name(REASON_STUCK));
}

static int scan_one(const char *name, void *arg)
{
	struct host *host = arg;
	struct pci_function fn = { 0 };
	struct pci_address addr;
	int ret = -EBUSY;

	if (pci_address_parse(name, &addr))
		return 0;
	if (host_is_stuck(host, &addr))
		host->stuck++;
	else
		ret = pci_read(host->root.fd, &addr, &fn);
	fn.addr = addr;
	return add_function(&fn, ret, host);
}

static int scan(struct host *host)
{
	bool is_any = false;

	boot_report_read(&host->root, &host->report);
	for (size_t i = 0; i < host->report.count && !is_any; i++)
		is_any = !strcmp(host->report.list[i].why, code_name(REASON_STUCK));
	if (!is_any)
		return pci_scan(host->root.fd, add_function, host);
	return sysfs_for_each(host->root.fd, PATH_PCI_DEVICES, scan_one, host);
}

/* A card is more than its display function: audio, USB and UCSI belong to it. */
static void mark_displays(struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		if (host->fn[i].pci.class >> 16 != 0x03)
			continue;
		for (size_t j = i + 1; j-- > 0;) {
			if (!pci_address_same_slot(&host->fn[j].pci.addr, &host->fn[i].pci.addr))
				break;
			host->fn[j].is_display = true;
		}
		for (size_t j = i + 1; j < host->count; j++) {
			if (!pci_address_same_slot(&host->fn[j].pci.addr, &host->fn[i].pci.addr))
				break;
			host->fn[j].is_display = true;
		}
	}
}

/* If memory ran out, or a function may be readable next time, everything is read again. */
static void keep_known(struct host *host)
{
	/* A function that is stuck is never read again. */
	if (!host->count || host->unreadables != host->stuck)
		return;
	host->known = calloc(host->count, sizeof(*host->known));
	for (size_t i = 0; i < host->count && host->known; i++)
		host->known[i] = host->fn[i].pci;
}

static void say_unreadable(const struct host *host)
{
	char addr[PCI_ADDRESS_SIZE];

	if (!host->unreadables)
		return;
	pci_address_format(&host->unreadable[0].addr, addr);
	if (host->unreadables == 1)
		message_warn("%s cannot be read, and is left out: %s", addr,
			     strerror(-host->unreadable[0].error));
	else
		message_warn("%s and %zu more PCI functions cannot be read, and are left out: %s",
			     addr, host->unreadables - 1, strerror(-host->unreadable[0].error));
}

/* The parameters of the running kernel. In a recorded tree this file may hold anything. */
static int read_cmdline(struct host *host)
{
	size_t size;
	char *text;
	int ret = file_read(host->root.fd, PATH_CMDLINE, CMDLINE_MAX, &text, &size);

	if (ret == -ENOTSUP || ret == -EISDIR)
		return message_error("%s/" PATH_CMDLINE " is not a regular file; fix: move it away",
				     host->root.path);
	snprintf(host->cmdline, sizeof(host->cmdline), "%s", ret ? "" : text);
	host->cmdline[strcspn(host->cmdline, "\n")] = '\0';
	free(text);
	return 0;
}

static struct host *alloc_host(void)
{
	struct host *host = calloc(1, sizeof(*host));
	struct next_answers *answers = calloc(1, sizeof(*answers));

	if (!host || !answers) {
		free(host);
		free(answers);
		return NULL;
	}
	host->answers = answers;
	return host;
}

static int open_host(const char *dir, bool may_be_blind, struct host **result)
{
	struct host *host = alloc_host();
	int ret;

	*result = NULL;
	if (!host)
		return message_errno(-ENOMEM, "cannot read this host");
	ret = root_open(&host->root, dir);
	if (ret)
		goto out;

	ret = scan(host);
	if (ret && !(ret == -ENOENT && may_be_blind)) {
		message_errno(ret, "cannot read %s/" PATH_PCI_DEVICES "; fix: %s", host->root.path,
			      host->root.is_host ? "run it on the host, with /sys mounted" :
						   "name the top of a machine's tree");
		goto out;
	}
	say_unreadable(host);
	if (host->count)
		qsort(host->fn, host->count, sizeof(*host->fn), compare_function);
	mark_displays(host);
	keep_known(host);
	host->names = names_open(&host->root);

	ret = read_cmdline(host);
	if (ret)
		goto out;
	iommu_read(host->root.fd, host->cmdline, false, &host->iommu);
	*result = host;
	return 0;
out:
	host_close(host);
	return ret;
}

int host_open(const char *dir, struct host **host)
{
	return open_host(dir, false, host);
}

int host_open_blind(const char *dir, struct host **host)
{
	return open_host(dir, true, host);
}

int host_twin(const struct host *host, struct host **result)
{
	struct host *twin = alloc_host();

	*result = NULL;
	if (!twin)
		return message_errno(-ENOMEM, "cannot read this host");
	twin->root = host->root;
	twin->root.fd = fcntl(host->root.fd, F_DUPFD_CLOEXEC, 0);
	twin->iommu = host->iommu;
	twin->is_undone = host->is_undone;
	twin->undone = host->undone;
	twin->stuck = host->stuck;
	strcpy(twin->cmdline, host->cmdline);
	for (size_t i = 0; i < host->count; i++)
		if (array_append(&twin->fn, &twin->count, sizeof(*twin->fn), &host->fn[i]))
			break;
	for (size_t i = 0; i < host->unreadables; i++)
		if (array_append(&twin->unreadable, &twin->unreadables, sizeof(*twin->unreadable),
				 &host->unreadable[i]))
			break;
	keep_known(twin);
	twin->names = names_open(&twin->root);
	if (twin->root.fd < 0 || next_answers_copy(twin->answers, host->answers) ||
	    twin->count != host->count || twin->unreadables != host->unreadables) {
		host_close(twin);
		return message_errno(-ENOMEM, "cannot read this host");
	}
	*result = twin;
	return 0;
}

void host_close(struct host *host)
{
	if (!host)
		return;
	root_close(&host->root);
	next_answers_drop(host->answers);
	free(host->answers);
	names_close(host->names);
	host_decide_free(host);
	boot_report_free(&host->report);
	free(host->known);
	free(host->fn);
	free(host->unreadable);
	free(host);
}

const struct host_unreadable *host_find_unreadable(const struct host *host,
						   const struct pci_address *addr)
{
	for (size_t i = 0; i < host->unreadables; i++)
		if (pci_address_equal(&host->unreadable[i].addr, addr))
			return &host->unreadable[i];
	return NULL;
}

struct host_function *host_find(const struct host *host, const struct pci_address *addr)
{
	struct host_function key = { .pci.addr = *addr };

	if (!host->count)
		return NULL;
	return bsearch(&key, host->fn, host->count, sizeof(key), compare_function);
}

const struct host_function *host_find_interface(const struct host *host, const char *name)
{
	char path[SYSFS_PATH_MAX], text[PCI_ADDRESS_SIZE];
	int len = (int)strcspn(name, "/ \t\"'");
	struct pci_address addr;

	if (!len || len >= IF_NAMESIZE)
		return NULL;
	sysfs_path(path, "sys/class/net/%.*s/device", len, name);
	if (sysfs_link_name(host->root.fd, path, text, sizeof(text)) ||
	    pci_address_parse(text, &addr))
		return NULL;
	return host_find(host, &addr);
}

const char *host_running(const struct root *root, char *buf, size_t size)
{
	if (sysfs_read(root->fd, PATH_OSRELEASE, buf, size) < 0)
		buf[0] = '\0';
	return buf;
}

static int copy_kernel(const char *kernel, void *arg)
{
	*(char **)arg = strdup(kernel);
	return *(char **)arg ? 1 : -ENOMEM;
}

int host_newest(const struct root *root, char **version)
{
	int ret;

	*version = NULL;
	ret = modules_each_kernel(root, copy_kernel, version);
	return ret ? (ret < 0 ? ret : 0) : -ENOENT;
}

int host_kernel(struct host *host, char **version)
{
	const struct root *root = &host->root;
	struct next_kernel next;
	char running[128];

	*version = NULL;
	if (!next_kernel_read(root, host->answers, &next) && next.version &&
	    modules_are_indexed(root, next.version)) {
		*version = next.version;
		next.version = NULL;
	}
	next_kernel_free(&next);
	if (*version)
		return 0;
	if (*host_running(root, running, sizeof(running)) && modules_are_indexed(root, running)) {
		*version = strdup(running);
		return *version ? 0 : -ENOMEM;
	}
	return host_newest(root, version);
}

const char *host_attribute(const struct host *host, const struct host_function *fn,
			   const char *name, char *buf, size_t size)
{
	char path[SYSFS_PATH_MAX];

	if (sysfs_read(host->root.fd, pci_attribute(path, &fn->pci.addr, name), buf, size) < 0)
		buf[0] = '\0';
	return buf;
}

unsigned int host_number(const struct host *host, const struct host_function *fn, const char *name)
{
	char text[32];

	return text_number(host_attribute(host, fn, name, text, sizeof(text)));
}

bool host_is_nvidia_vf(const struct host *host, const struct host_function *fn)
{
	char path[SYSFS_PATH_MAX];

	return fn && sysfs_exists(host->root.fd,
				  pci_attribute(path, &fn->pci.addr, "nvidia/current_vgpu_type"));
}

const char *host_link(const struct host *host, const struct host_function *fn, const char *name,
		      char *buf, size_t size)
{
	char path[SYSFS_PATH_MAX];

	if (sysfs_link_name(host->root.fd, pci_attribute(path, &fn->pci.addr, name), buf, size))
		buf[0] = '\0';
	return buf;
}

int host_group(const struct host *host, struct host_function *fn)
{
	char text[16];

	if (!fn->has_group) {
		host_link(host, fn, "iommu_group", text, sizeof(text));
		fn->pci.group = *text ? atoi(text) : -1;
		fn->has_group = true;
	}
	return fn->pci.group;
}

bool host_is_boot_vga(const struct host *host, const struct host_function *fn)
{
	char text[8];

	/* Only VGA functions have the attribute (drivers/pci/pci-sysfs.c, pci_dev_attrs_are_visible). */
	return fn->pci.class >> 8 == 0x0300 &&
	       *host_attribute(host, fn, "boot_vga", text, sizeof(text)) == '1';
}

bool host_is_viable_driver(const char *driver)
{
	return !*driver || !strcmp(driver, "pci-stub") || !strcmp(driver, "pcieport") ||
	       strstr(driver, "vfio");
}

struct region_search {
	char *buf;
	size_t size;
};

/* "0x00000000ab000000 0x00000000abffffff direct" (drivers/iommu/iommu.c, reserved_regions) */
static int look_for_direct(const char *line, void *arg)
{
	const struct region_search *search = arg;
	const char *type = strrchr(line, ' ');

	if (!type || strcmp(type, " direct"))
		return 0;
	snprintf(search->buf, search->size, "%.*s", (int)(type - line), line);
	return 1;
}

bool host_has_rmrr(const struct host *host, int group, char *region, size_t size)
{
	struct region_search search = { .buf = region, .size = size };
	char path[SYSFS_PATH_MAX];

	region[0] = '\0';
	if (group < 0)
		return false;
	sysfs_path(path, PATH_IOMMU_GROUPS "/%u/reserved_regions", (unsigned int)group);
	return file_for_each_line(host->root.fd, path, look_for_direct, &search) > 0;
}
