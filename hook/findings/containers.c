// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The containers of a Proxmox VE host that use a device node of a function which the next boot
 * binds: that node will be missing. See findings.h.
 *
 * A node is named by devN, by a mount (lxc.mount.entry, mpN) of itself or of a directory that
 * contains it, or by a rule for its number (lxc.cgroup2.devices.allow). pct.conf(5),
 * lxc.container.conf(5).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "findings/find.h"
#include "host/naming.h"
#include "host/next_boot.h"
#include "host/slot.h"
#include "util/file.h"

#define DEPTH_MAX 24 /* folders below a function: USB hubs in hubs are the deepest */

/* One device node. */
struct node {
	char path[300]; /* "/dev/dri/card1" */
	unsigned int major, minor;
	bool has_number;
};

struct node_search {
	struct search *search;
	const struct host_function *fn;
	const struct pve_config *container;
	struct node node;
	char folder[1024];
	unsigned int depth;
	bool found;
};

/* --- what an option of a container names */

static bool is_numbered(const char *key, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(key, name, len) && key[len] && !key[len + strspn(key + len, "0123456789")];
}

static bool is_rule(const char *key)
{
	return !strcmp(key, "lxc.cgroup2.devices.allow") ||
	       !strcmp(key, "lxc.cgroup.devices.allow");
}

/*
 * The host's path that an option names, without a trailing slash. Returns false if it names none.
 */
static bool read_path(const struct pve_option *option, char *buf, size_t size)
{
	const char *value = option->value + strspn(option->value, " =\t");
	size_t len;

	buf[0] = '\0';
	if (is_numbered(option->key, "dev"))
		pve_property(value, "path", "path", buf, size);
	else if (is_numbered(option->key, "mp"))
		pve_property(value, "volume", "volume", buf, size);
	else if (!strcmp(option->key, "lxc.mount.entry"))
		snprintf(buf, size, "%.*s", (int)strcspn(value, " \t"), value);
	len = strlen(buf);
	while (len > 1 && buf[len - 1] == '/')
		buf[--len] = '\0';
	return !strncmp(buf, "/dev/", 5) || !strcmp(buf, "/dev");
}

/* Links of udev's: ".../by-path/pci-0000:01:00.0-card" */
static bool is_by_path(const struct node_search *search, const char *path)
{
	char addr[PCI_ADDRESS_SIZE];
	const char *at = strstr(path, "/by-path/pci-");
	size_t len;

	if (!at)
		return false;
	at += strlen("/by-path/pci-");
	len = strlen(pci_address_format(&search->fn->pci.addr, addr));
	return !strncmp(at, addr, len) && (!at[len] || at[len] == '-');
}

static bool has_paths(const struct pve_config *container)
{
	char path[300];

	for (size_t i = 0; i < container->options; i++)
		if (read_path(&container->option[i], path, sizeof(path)))
			return true;
	return false;
}

/*
 * "c 226:128 rwm". A rule for all minors means something only if no path tells which node is used.
 * "a" allows all and names none: guides give it to containers that use no device at all.
 */
static bool rule_names(const struct node_search *search, const struct pve_option *option)
{
	const char *value = option->value + strspn(option->value, " =\t");
	unsigned int major, minor;
	char star;

	if (!search->node.has_number || sscanf(value, "%*[cb] %u:", &major) != 1 ||
	    major != search->node.major)
		return false;
	if (sscanf(value, "%*[cb] %*u:%u", &minor) == 1)
		return minor == search->node.minor;
	return sscanf(value, "%*[cb] %*u:%c", &star) == 1 && star == '*' &&
	       !has_paths(search->container);
}

static bool names_node(const struct node_search *search, const struct pve_option *option)
{
	const char *node = search->node.path;
	char path[300];
	size_t len;

	if (is_rule(option->key))
		return rule_names(search, option);
	if (!read_path(option, path, sizeof(path)))
		return false;
	len = strlen(path);
	return !strncmp(node, path, len) && (!node[len] || node[len] == '/');
}

/* What leaves the whole card to this host. */
static void fix_remove(const struct host *host, const struct host_function *fn, char *fix,
		       size_t size)
{
	const struct selector sel = { .kind = SELECTOR_ADDRESS, .addr = fn->pci.addr };
	char text[NAMING_SIZE], addr[PCI_ADDRESS_SIZE];
	struct slot card = { 0 };

	if (!slot_collect(host, &sel, SLOT_WHOLE, &card))
		snprintf(fix, size, "%s", naming_remove(host, &card, text));
	else
		snprintf(fix, size, "vfio-early remove %s",
			 pci_address_format(&fn->pci.addr, addr));
	slot_free(&card);
}

static void say(struct node_search *search, const char *key, const char *path)
{
	const struct host *host = search->search->host;
	char about[32], addr[PCI_ADDRESS_SIZE], why[512], fix[NEXT_BOOT_FIX_SIZE];

	search->found = true;
	pci_address_format(&search->fn->pci.addr, addr);
	if (host_next(host, search->fn) == HOST_NEXT_NOT_MADE)
		next_boot_why(host, search->fn, why, sizeof(why), fix, sizeof(fix));
	else
		fix_remove(host, search->fn, fix, sizeof(fix));
	snprintf(about, sizeof(about), "container %u", search->container->id);
	finding_add(search->search->findings, FINDING_CONTAINER_LOSES, about, key, path, addr, fix,
		    NULL);
}

/* Reports it if the container uses the node. */
static void look_at_node(struct node_search *search)
{
	const struct pve_config *container = search->container;

	for (size_t i = 0; i < container->options && !search->found; i++)
		if (names_node(search, &container->option[i]))
			say(search, container->option[i].key, search->node.path);
}

static void look_at_links(struct node_search *search)
{
	const struct pve_config *container = search->container;
	char path[300];

	for (size_t i = 0; i < container->options && !search->found; i++)
		if (read_path(&container->option[i], path, sizeof(path)) &&
		    is_by_path(search, path))
			say(search, container->option[i].key, path);
}

/* --- the nodes of a function: each folder below it whose uevent has a DEVNAME */

/* "MAJOR=226", "MINOR=1", "DEVNAME=dri/card1" */
static bool read_node(const char *uevent, struct node *node)
{
	const char *name = NULL;

	*node = (struct node){ 0 };
	for (const char *line = uevent; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (sscanf(line, "MAJOR=%u", &node->major) == 1)
			node->has_number = true;
		sscanf(line, "MINOR=%u", &node->minor);
		if (!strncmp(line, "DEVNAME=", 8))
			name = line + 8;
	}
	if (name)
		snprintf(node->path, sizeof(node->path), "/dev/%.*s", (int)strcspn(name, "\n"),
			 name);
	return name;
}

static int walk(const char *name, void *arg)
{
	struct node_search *search = arg;
	size_t len = strlen(search->folder), size = sizeof(search->folder);
	int rootfd = search->search->host->root.fd;
	char uevent[2048] = "";
	struct stat st;

	if (search->depth >= DEPTH_MAX || len + strlen(name) + sizeof("//uevent") >= size)
		return 0;
	snprintf(search->folder + len, size - len, "/%s", name);
	if (!fstatat(rootfd, search->folder, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode)) {
		size_t end = strlen(search->folder);

		strcpy(search->folder + end, "/uevent");
		file_read_once(rootfd, search->folder, uevent, sizeof(uevent));
		search->folder[end] = '\0';
		if (read_node(uevent, &search->node))
			look_at_node(search);
		search->depth++;
		if (!search->found)
			sysfs_for_each(rootfd, search->folder, walk, search);
		search->depth--;
	}
	search->folder[len] = '\0';
	return search->found;
}

/* --- nodes that sysfs does not know */

/* The N of /dev/nvidiaN, from the driver itself; -1 when it is not known. */
static int nvidia_minor(const struct node_search *search)
{
	char path[SYSFS_PATH_MAX], text[2048] = "", addr[PCI_ADDRESS_SIZE];
	const char *at;

	pci_address_format(&search->fn->pci.addr, addr);
	file_read_once(search->search->host->root.fd,
		       sysfs_path(path, "proc/driver/nvidia/gpus/%s/information", addr), text,
		       sizeof(text));
	at = strstr(text, "Device Minor:");
	return at ? atoi(at + strlen("Device Minor:")) : -1;
}

static void look_at_nvidia(struct node_search *search)
{
	int minor = nvidia_minor(search);

	for (size_t i = 0; i < search->container->options && !search->found; i++) {
		const char *key = search->container->option[i].key;
		char path[300];

		if (!read_path(&search->container->option[i], path, sizeof(path)) ||
		    strncmp(path, "/dev/nvidia", 11) != 0)
			continue;
		/* /dev/nvidia1 of another card, when this one's number is known. */
		if (minor >= 0 && path[11] >= '0' && path[11] <= '9' && atoi(path + 11) != minor)
			continue;
		say(search, key, minor >= 0 ? path : "/dev/nvidia*");
	}
	if (!search->found && minor >= 0) {
		search->node = (struct node){ .major = 195,
					      .minor = (unsigned int)minor,
					      .has_number = true };
		snprintf(search->node.path, sizeof(search->node.path), "/dev/nvidia%d", minor);
		look_at_node(search);
	}
}

/* One node for all GPUs of amdgpu: it stays while one of them does. */
static void look_at_kfd(struct node_search *search)
{
	const struct host *host = search->search->host;

	for (size_t i = 0; i < host->count; i++)
		if (host->fn[i].pci.id.vendor == 0x1002 && host->fn[i].pci.class >> 16 == 0x03 &&
		    host_keeps_driver(host, &host->fn[i]))
			return;
	search->node = (struct node){ .path = "/dev/kfd" };
	look_at_node(search);
}

/* --- the whole */

static void look_at_function(struct node_search *search)
{
	const struct pci_function *fn = &search->fn->pci;
	char path[SYSFS_PATH_MAX];

	look_at_links(search);
	snprintf(search->folder, sizeof(search->folder), "%s", pci_attribute(path, &fn->addr, "."));
	if (!search->found)
		sysfs_for_each(search->search->host->root.fd, search->folder, walk, search);
	if (search->found || fn->class >> 16 != 0x03)
		return;
	if (fn->id.vendor == 0x10de)
		look_at_nvidia(search);
	if (fn->id.vendor == 0x1002)
		look_at_kfd(search);
}

void find_containers(struct search *search)
{
	for (size_t i = 0; i < search->pve.vms; i++) {
		if (!search->pve.vm[i].is_container)
			continue;
		for (size_t j = 0; j < search->host->count; j++) {
			struct node_search node = {
				.search = search,
				.fn = &search->host->fn[j],
				.container = &search->pve.vm[i],
			};

			if (!host_keeps_driver(search->host, node.fn))
				look_at_function(&node);
		}
	}
}
