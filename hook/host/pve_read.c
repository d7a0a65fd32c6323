// SPDX-License-Identifier: GPL-2.0-or-later
/* The files of a Proxmox VE host, read in a child that may hang; see pve.h. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/pve_read.h"
#include "util/array.h"
#include "util/child.h"
#include "util/file.h"
#include "util/message.h"

#define PATH_VMS	"etc/pve/qemu-server"
#define PATH_CONTAINERS "etc/pve/lxc"
#define PATH_LOCAL	"etc/pve/local" /* a link to nodes/NAME, made by pmxcfs */
#define PATH_HOSTNAME	"etc/hostname"
#define PATH_PCI	"etc/pve/mapping/pci.cfg"
#define PATH_USB	"etc/pve/mapping/usb.cfg"
#define PATH_RESERVED	"run/qemu-server/pci-id-reservations"

#define DEADLINE_MS 5000
#define MAX_SIZE    (1 << 20) /* pmxcfs holds no larger file (CFS_MAX_FILE_SIZE) */

/* If any of these exists, this host has VMs, whether /etc/pve can be read or not. */
static const char *const marks[] = {
	"usr/share/perl5/PVE/QemuServer.pm",
	"usr/sbin/qm",
	"var/lib/pve-cluster/config.db",
};

/*
 * What the child writes: "NAME RESULT SIZE" and a newline, then SIZE bytes of the file. RESULT is 0 or a
 * positive errno. "." as the name is the end.
 */

/* --- the child */

static int put(int fd, const char *name, int error, const char *text, size_t size)
{
	char head[512];
	int len = snprintf(head, sizeof(head), "%s %d %zu\n", name, -error, size);
	int ret = len < (int)sizeof(head) ? file_write(fd, head, (size_t)len) : -ENAMETOOLONG;

	if (!ret && size)
		ret = file_write(fd, text, size);
	return ret;
}

/* A missing file is not an error: a VM was just deleted, or there is no mapping. */
static int put_file(int fd, int rootfd, const char *path)
{
	char *text;
	size_t size = 0;
	int error = file_read(rootfd, path, MAX_SIZE, &text, &size), ret = 0;

	if (error != -ENOENT)
		ret = put(fd, path, error, text, error ? 0 : size);
	free(text);
	return ret;
}

static bool is_vm(const char *name)
{
	size_t len = strspn(name, "0123456789");

	return len && len < 10 && !strcmp(name + len, ".conf");
}

static int put_folder(int fd, int rootfd, const char *path)
{
	int dirfd = file_open_folder(rootfd, path), ret = 0;
	DIR *dir = dirfd < 0 ? NULL : fdopendir(dirfd);
	struct dirent *entry;

	if (dirfd < 0 || !dir)
		return put(fd, path, dirfd < 0 ? dirfd : -ENOMEM, NULL, 0);
	while (!ret && (entry = readdir(dir))) {
		char name[512];

		if (!is_vm(entry->d_name))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		ret = put_file(fd, rootfd, name);
	}
	closedir(dir);
	return ret ? ret : put(fd, path, 0, NULL, 0);
}

static int put_node(int fd, const struct root *root)
{
	char link[512], *name, *text = NULL;
	ssize_t len = readlinkat(root->fd, PATH_LOCAL, link, sizeof(link) - 1);
	struct utsname host;
	size_t size;
	int ret = 0;

	if (len > 0) {
		link[len] = '\0';
		name = strrchr(link, '/');
		name = name ? name + 1 : link;
		return put(fd, PATH_LOCAL, 0, name, strlen(name));
	}
	if (root->is_host && !uname(&host))
		text = strdup(host.nodename);
	else if (file_read(root->fd, PATH_HOSTNAME, 512, &text, &size))
		text = NULL;
	if (text)
		ret = put(fd, PATH_LOCAL, 0, text, strcspn(text, ".\n"));
	free(text);
	return ret;
}

static int read_all(int fd, void *arg)
{
	const struct root *root = arg;
	struct stat st;
	int ret = 0;

	/* First, so that it is known even if the rest never comes. */
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && !ret; i++)
		if (!fstatat(root->fd, marks[i], &st, AT_SYMLINK_NOFOLLOW))
			ret = put(fd, "installed", 0, NULL, 0);
	if (!ret)
		ret = put_folder(fd, root->fd, PATH_VMS);
	if (!ret)
		ret = put_folder(fd, root->fd, PATH_CONTAINERS);
	if (!ret)
		ret = put_node(fd, root);
	if (!ret)
		ret = put_file(fd, root->fd, PATH_PCI);
	if (!ret)
		ret = put_file(fd, root->fd, PATH_USB);
	if (!ret)
		ret = put_file(fd, root->fd, PATH_RESERVED);
	return ret ? ret : put(fd, ".", 0, NULL, 0);
}

/* --- what came */

static int add_vm(struct pve *pve, const char *path, const char *text)
{
	struct pve_config vm = { 0 };
	int ret = pve_config_parse(text, &vm);

	vm.id = (unsigned int)strtoul(strrchr(path, '/') + 1, NULL, 10);
	vm.is_container = !strncmp(path, PATH_CONTAINERS, strlen(PATH_CONTAINERS));
	if (!ret)
		ret = array_append(&pve->vm, &pve->vms, sizeof(vm), &vm);
	if (ret)
		pve_config_free(&vm);
	return ret;
}

/* "0000:81:00.0 100 pid:1234" */
static int add_reservations(struct pve *pve, const char *text)
{
	int ret = 0;

	while (*text && !ret) {
		struct pve_reservation item;
		char addr[32];

		if (sscanf(text, "%31s %u ", addr, &item.id) == 2 &&
		    !pci_address_parse(addr, &item.addr))
			ret = array_append(&pve->reserved, &pve->reservations, sizeof(item), &item);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return ret;
}

static int add_file(struct pve *pve, const char *path, const char *text)
{
	if (!strcmp(path, PATH_LOCAL))
		snprintf(pve->node, sizeof(pve->node), "%s", text);
	else if (!strcmp(path, PATH_PCI))
		return pve_mappings_parse(text, &pve->pci);
	else if (!strcmp(path, PATH_USB))
		return pve_mappings_parse(text, &pve->usb);
	else if (!strcmp(path, PATH_RESERVED))
		return add_reservations(pve, text);
	else
		return add_vm(pve, path, text);
	return 0;
}

/* Containers alone do not count: LXC does not take devices. */
static void add_failure(struct pve *pve, const char *path, int error, bool is_installed)
{
	if (pve->state == PVE_UNKNOWN)
		return;
	if (error == -ENOENT && (!is_installed || strcmp(path, PATH_VMS) != 0))
		return;
	pve->state = PVE_UNKNOWN;
	pve->error = error;
	snprintf(pve->file, sizeof(pve->file), "%.250s", path);
}

static int add_all(struct pve *pve, char *text, int result)
{
	bool is_installed = false, is_whole = false;
	int ret = 0;

	while (*text && !ret && !is_whole) {
		char name[512];
		size_t size;
		int error, len = 0;

		if (sscanf(text, "%511s %d %zu%n", name, &error, &size, &len) != 3 || !len)
			break;
		text += len + 1;
		if (strlen(text) < size)
			break;
		is_whole = !strcmp(name, ".");
		is_installed |= !strcmp(name, "installed");
		if (error) {
			add_failure(pve, name, -error, is_installed);
		} else if (size) {
			char kept = text[size];

			text[size] = '\0';
			ret = add_file(pve, name, text);
			text[size] = kept;
		} else if (!strcmp(name, PATH_VMS) && pve->state == PVE_NONE) {
			pve->state = PVE_KNOWN;
		}
		text += size;
	}
	if (ret || is_whole)
		return ret;
	add_failure(pve, "etc/pve", result ? result : -EIO, true);
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct pve_config *one = a, *other = b;

	if (pve_starts_with_host(one) != pve_starts_with_host(other))
		return pve_starts_with_host(one) ? -1 : 1;
	return one->id < other->id ? -1 : 1;
}

int pve_read(const struct root *root, struct pve *pve)
{
	struct root copy = *root;
	size_t size;
	char *text;
	int ret = child_run(read_all, &copy, DEADLINE_MS, &text, &size);

	if (!text)
		return message_errno(-ENOMEM, "cannot read the VMs");
	/* A NUL in a file would hide what follows it. */
	for (size_t i = 0; i < size; i++)
		if (!text[i])
			text[i] = '?';
	ret = add_all(pve, text, ret);
	free(text);
	if (pve->vms)
		qsort(pve->vm, pve->vms, sizeof(*pve->vm), by_start);
	return ret ? message_errno(ret, "cannot read the VMs") : 0;
}
