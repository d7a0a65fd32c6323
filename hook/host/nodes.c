// SPDX-License-Identifier: GPL-2.0-or-later
/* The device nodes of a function, and who has them open; see nodes.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "early/paths.h"
#include "early/sysfs.h"
#include "host/nodes.h"
#include "util/array.h"
#include "util/child.h"
#include "util/file.h"
#include "util/printable.h"

#define PATH_CLASS_BLOCK     "sys/class/block"
#define PATH_NVME_SUBSYSTEMS "sys/class/nvme-subsystem"
#define PATH_VFIO_GROUPS     "sys/class/vfio"
#define PATH_NVIDIA_GPUS     "proc/driver/nvidia/gpus"
#define PATH_MOUNTINFO	     "proc/self/mountinfo"

#define NVIDIA_MAJOR \
	195 /* Documentation/admin-guide/devices.txt has it as "raw"; nvidia.ko takes it */
#define DEPTH_MAX   24 /* of folders below a function: hubs on hubs */
#define DEADLINE_MS 10000

/* What a walk through sysfs carries with it. */
struct walk {
	const struct host *host;
	struct nodes *nodes;
	size_t fn;
	int err;
};

static int read_at(int dirfd, const char *name, char *buf, size_t size)
{
	return sysfs_read(dirfd, name, buf, size);
}

static void fail(struct walk *walk, int ret)
{
	if (ret < 0)
		walk->err = ret;
}

/* "8:1" of an open folder. Returns whether it has one. */
static bool read_devno(int dirfd, dev_t *devno)
{
	unsigned int major_, minor_;
	char text[32];

	if (read_at(dirfd, "dev", text, sizeof(text)) < 0 ||
	    sscanf(text, "%u:%u", &major_, &minor_) != 2)
		return false;
	*devno = makedev(major_, minor_);
	return true;
}

static void read_node_name(int dirfd, const char *fallback, char *name, size_t size)
{
	char text[1024], *line, *save;

	snprintf(name, size, "%s", fallback);
	if (read_at(dirfd, "uevent", text, sizeof(text)) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "DEVNAME=", 8))
			snprintf(name, size, "%s", line + 8);
}

static void add_node(struct walk *walk, const struct node *node)
{
	for (size_t i = 0; i < walk->nodes->count; i++)
		if (walk->nodes->list[i].fn == node->fn &&
		    walk->nodes->list[i].devno == node->devno &&
		    walk->nodes->list[i].is_block == node->is_block)
			return;
	fail(walk, array_append(&walk->nodes->list, &walk->nodes->count, sizeof(*node), node));
}

static void add_block(struct walk *walk, const char *name, unsigned int depth);

static void add_vfio_group(struct walk *walk, const char *group);

/* What stands on a block device: dm-0, md0, bcache0. */
static void add_holders(struct walk *walk, int dirfd, unsigned int depth)
{
	int fd = openat(dirfd, "holders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		fail(walk, stringset_add(&walk->nodes->tree[walk->fn].holders, entry->d_name));
		add_block(walk, entry->d_name, depth + 1);
	}
	closedir(dir);
}

/* Looks at one directory that may be a device with a node. */
static void add_device(struct walk *walk, int dirfd, const char *name, unsigned int depth)
{
	struct node node = { .fn = walk->fn };
	char subsystem[64], group[32];

	if (sysfs_link_name(dirfd, "subsystem", subsystem, sizeof(subsystem)))
		subsystem[0] = '\0';
	if (!strcmp(subsystem, "net"))
		fail(walk, stringset_add(&walk->nodes->tree[walk->fn].interfaces, name));
	/* A mediated device has a group of its own (drivers/vfio/mdev). */
	if (!strcmp(subsystem, "mdev") &&
	    !sysfs_link_name(dirfd, "iommu_group", group, sizeof(group)))
		add_vfio_group(walk, group);
	if (!read_devno(dirfd, &node.devno))
		return;
	node.is_block = !strcmp(subsystem, "block");
	node.is_vm = !strcmp(subsystem, "vfio-dev");
	walk->nodes->tree[walk->fn].has_framebuffer |= !strcmp(subsystem, "graphics");
	read_node_name(dirfd, name, node.name, sizeof(node.name));
	add_node(walk, &node);
	if (node.is_block)
		add_holders(walk, dirfd, depth);
}

/*
 * Looks at a directory and everything below it. Enters only directories: every link in sysfs leads
 * to another device, or back.
 */
static void walk_folder(struct walk *walk, int dirfd, const char *name, unsigned int depth)
{
	DIR *dir = fdopendir(dirfd);
	struct dirent *entry;
	bool is_empty = true;

	if (!dir) {
		close(dirfd);
		return;
	}
	add_device(walk, dirfd, name, depth);
	while (depth < DEPTH_MAX && (entry = readdir(dir))) {
		int fd;

		is_empty &= *entry->d_name == '.';
		if (*entry->d_name == '.' ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		fd = openat(dirfd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			walk_folder(walk, fd, entry->d_name, depth + 1);
	}
	/*
	 * The directory of a device's interfaces exists as long as it has one, in any namespace;
	 * but only those in the reader's namespace are in it (drivers/base/core.c,
	 * get_device_parent; fs/kernfs/dir.c).
	 */
	if (is_empty && depth && depth < DEPTH_MAX && !strcmp(name, "net"))
		walk->nodes->tree[walk->fn].has_hidden_interface = true;
	closedir(dir);
}

static void walk_path(struct walk *walk, const char *path, const char *name, unsigned int depth)
{
	int fd = sysfs_open_dir(walk->host->root.fd, path);

	if (fd >= 0 && depth < DEPTH_MAX)
		walk_folder(walk, fd, name, depth);
	else if (fd >= 0)
		close(fd);
}

static void add_block(struct walk *walk, const char *name, unsigned int depth)
{
	char path[SYSFS_PATH_MAX];

	walk_path(walk, sysfs_path(path, PATH_CLASS_BLOCK "/%s", name), name, depth);
}

/* The head of a namespace made by NVMe's own multipath is in no controller's directory. */
static int add_nvme_heads(const char *name, void *arg)
{
	struct walk *walk = arg;
	char path[SYSFS_PATH_MAX];

	for (size_t i = 0; i < walk->nodes->count; i++) {
		const struct node *node = &walk->nodes->list[i];

		if (node->fn != walk->fn || node->is_block)
			continue;
		sysfs_path(path, PATH_NVME_SUBSYSTEMS "/%s/%s", name, node->name);
		if (!sysfs_exists(walk->host->root.fd, path))
			continue;
		walk_path(walk, sysfs_path(path, PATH_NVME_SUBSYSTEMS "/%s", name), name, 1);
		return 0;
	}
	return 0;
}

/* vfio's group: whoever has it open has every function in it (drivers/vfio/group.c). */
static void add_vfio_group(struct walk *walk, const char *group)
{
	struct node node = { .fn = walk->fn, .is_vm = true };
	char path[SYSFS_PATH_MAX];
	int fd;

	fd = sysfs_open_dir(walk->host->root.fd, sysfs_path(path, PATH_VFIO_GROUPS "/%s", group));
	if (fd < 0)
		return;
	snprintf(node.name, sizeof(node.name), "vfio/%s", group);
	if (read_devno(fd, &node.devno))
		add_node(walk, &node);
	close(fd);
}

/* "Device Minor: 	 0" (nvidia.ko, nv-procfs.c) */
static void add_nvidia(struct walk *walk, const struct pci_function *fn)
{
	struct node node = { .fn = walk->fn };
	char path[SYSFS_PATH_MAX], addr[PCI_ADDRESS_SIZE], text[4096];
	const char *found;
	unsigned int minor_;

	sysfs_path(path, PATH_NVIDIA_GPUS "/%s/information", pci_address_format(&fn->addr, addr));
	if (strcmp(fn->driver, "nvidia") != 0 ||
	    sysfs_read_whole(walk->host->root.fd, path, text, sizeof(text)) < 0)
		return;
	found = strstr(text, "Device Minor:");
	if (!found || sscanf(found, "Device Minor: %u", &minor_) != 1)
		return;
	node.devno = makedev(NVIDIA_MAJOR, minor_);
	snprintf(node.name, sizeof(node.name), "nvidia%u", minor_);
	add_node(walk, &node);
}

int nodes_collect(const struct host *host, const struct pci_function *fn, size_t count,
		  struct nodes *nodes)
{
	struct walk walk = { .host = host, .nodes = nodes };

	nodes->tree = calloc(count + 1, sizeof(*nodes->tree));
	if (!nodes->tree)
		return -ENOMEM;
	nodes->fns = count;
	for (walk.fn = 0; walk.fn < count; walk.fn++) {
		char path[SYSFS_PATH_MAX], addr[PCI_ADDRESS_SIZE], group[16];

		pci_address_format(&fn[walk.fn].addr, addr);
		snprintf(group, sizeof(group), "%d", fn[walk.fn].group);
		walk_path(&walk, sysfs_path(path, PATH_PCI_DEVICES "/%s", addr), addr, 0);
		sysfs_for_each(host->root.fd, PATH_NVME_SUBSYSTEMS, add_nvme_heads, &walk);
		if (pci_is_with_vfio(&fn[walk.fn]) && fn[walk.fn].group >= 0)
			add_vfio_group(&walk, group);
		add_nvidia(&walk, &fn[walk.fn]);
	}
	return walk.err;
}

void nodes_free(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->fns; i++) {
		stringset_clear(&nodes->tree[i].interfaces);
		stringset_clear(&nodes->tree[i].holders);
	}
	free(nodes->tree);
	free(nodes->list);
	*nodes = (struct nodes){ 0 };
}

/* --- who has them open; in the child */

/* Where something on a block node is mounted. */
struct mounted {
	char *target;
	size_t fn;
	dev_t devno;
};

struct scan {
	const struct host *host;
	const struct pci_function *fn;
	const struct nodes *nodes;
	struct mounted *mounted;
	size_t mounts;
	struct stringset namespaces; /* of mounts, that were looked at */
	FILE *out;
	int pid;
	char process[32];
};

/* "25 1 8:1 / / rw,relatime ..." */
static int add_mount(const char *line, void *arg)
{
	struct scan *scan = arg;
	unsigned int major_, minor_;
	char target[512];

	if (sscanf(line, "%*d %*d %u:%u %*s %511s", &major_, &minor_, target) != 3)
		return 0;
	for (size_t i = 0; i < scan->nodes->count; i++) {
		const struct node *node = &scan->nodes->list[i];
		struct mounted item = { .fn = node->fn, .devno = node->devno };

		if (!node->is_block || node->devno != makedev(major_, minor_))
			continue;
		item.target = strdup(target);
		if (!item.target ||
		    array_append(&scan->mounted, &scan->mounts, sizeof(item), &item))
			return -ENOMEM;
	}
	return 0;
}

static void put(struct scan *scan, size_t fn, char kind, const char *name)
{
	fprintf(scan->out, "%zu %d %c %s\t%s\n", fn, scan->pid, kind, scan->process, name);
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && (!path[len] || path[len] == '/' || len == 1);
}

/* Below another root there are no nodes: only the text of a link is known. */
static bool is_node(const struct scan *scan, const struct node *node, const struct stat *st,
		    const char *link)
{
	mode_t kind = node->is_block ? S_IFBLK : S_IFCHR;

	if (scan->host->root.is_host)
		return (st->st_mode & S_IFMT) == kind && st->st_rdev == node->devno;
	return !strncmp(link, "/dev/", 5) && !strcmp(link + 5, node->name);
}

static bool is_mounted_here(const struct scan *scan, const struct node *node)
{
	for (size_t i = 0; i < scan->mounts; i++)
		if (scan->mounted[i].fn == node->fn && scan->mounted[i].devno == node->devno)
			return true;
	return false;
}

/* A mount that this namespace does not have: unmounting here leaves it there. */
static int look_at_mount(const char *line, void *arg)
{
	struct scan *scan = arg;
	unsigned int major_, minor_;
	char target[sizeof(((struct node_use *)0)->name)];

	if (sscanf(line, "%*d %*d %u:%u %*s %127s", &major_, &minor_, target) != 3)
		return 0;
	for (size_t i = 0; i < scan->nodes->count; i++) {
		const struct node *node = &scan->nodes->list[i];

		if (node->is_block && node->devno == makedev(major_, minor_) &&
		    !is_mounted_here(scan, node))
			put(scan, node->fn, 'f', target);
	}
	return 0;
}

/* Mounts that only a container or a service sees: once for each namespace. */
static void look_at_namespace(struct scan *scan, const char *pid)
{
	int rootfd = scan->host->root.fd;
	char path[SYSFS_PATH_MAX], link[64];

	if (sysfs_link(rootfd, sysfs_path(path, "proc/%s/ns/mnt", pid), link, sizeof(link)) < 0 ||
	    stringset_has(&scan->namespaces, link) || stringset_add(&scan->namespaces, link) < 0)
		return;
	if (strcmp(pid, "self") != 0)
		file_for_each_line(rootfd, sysfs_path(path, "proc/%s/mountinfo", pid),
				   look_at_mount, scan);
}

static void look_at(struct scan *scan, int dirfd, const char *name)
{
	char link[512], addr[PCI_ADDRESS_SIZE + 2];
	struct stat st = { 0 };

	if (sysfs_link(dirfd, name, link, sizeof(link)) < 0)
		return;
	if (scan->host->root.is_host && fstatat(dirfd, name, &st, 0))
		return;
	for (size_t i = 0; i < scan->nodes->count; i++) {
		const struct node *node = &scan->nodes->list[i];

		if (is_node(scan, node, &st, link))
			put(scan, node->fn, node->is_vm ? 'v' : 'n', node->name);
	}
	for (size_t i = 0; i < scan->mounts; i++)
		if (scan->host->root.is_host ?
			    st.st_dev == scan->mounted[i].devno && !S_ISBLK(st.st_mode) :
			    is_below(link, scan->mounted[i].target))
			put(scan, scan->mounted[i].fn, 'f', scan->mounted[i].target);
	/* Its registers, mapped by a program: sys/.../0000:01:00.0/resource0. */
	for (size_t i = 0; i < scan->nodes->fns && strstr(link, "/resource"); i++) {
		addr[0] = '/';
		pci_address_format(&scan->fn[i].addr, addr + 1);
		if (!strncmp(link, "/sys/", 5) && strstr(link, addr))
			put(scan, i, 'n', link);
	}
}

static int is_number(const struct dirent *entry)
{
	return !entry->d_name[strspn(entry->d_name, "0123456789")];
}

/*
 * Calls @look for each number in a directory, in order: a tree of files has no order. Returns 0 or
 * -errno.
 */
static int for_each_number(struct scan *scan, const char *path,
			   void (*look)(struct scan *scan, const char *name))
{
	struct dirent **entry;
	int count = file_names(scan->host->root.fd, path, &entry, is_number, versionsort);

	for (int i = 0; i < count; i++) {
		look(scan, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return count < 0 ? count : 0;
}

static void look_at_fd(struct scan *scan, const char *name)
{
	char path[SYSFS_PATH_MAX];

	look_at(scan, scan->host->root.fd,
		sysfs_path(path, "proc/%u/fd/%s", (unsigned int)scan->pid, name));
}

static void look_at_process(struct scan *scan, const char *name)
{
	char path[SYSFS_PATH_MAX];
	int rootfd = scan->host->root.fd;

	scan->pid = atoi(name);
	if (scan->pid == getpid() || scan->pid == getppid())
		return;
	if (sysfs_read(rootfd, sysfs_path(path, "proc/%s/comm", name), scan->process,
		       sizeof(scan->process)) < 0)
		return;
	/* The process chooses its own name: it must not end one of our lines. */
	for (char *c = scan->process; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = '?';
	printable_make(scan->process, strlen(scan->process));
	for_each_number(scan, sysfs_path(path, "proc/%s/fd", name), look_at_fd);
	look_at(scan, rootfd, sysfs_path(path, "proc/%s/cwd", name));
	look_at(scan, rootfd, sysfs_path(path, "proc/%s/root", name));
	look_at(scan, rootfd, sysfs_path(path, "proc/%s/exe", name));
	look_at_namespace(scan, name);
}

static int scan_processes(int fd, void *arg)
{
	struct scan *scan = arg;
	int ret = file_for_each_line(scan->host->root.fd, PATH_MOUNTINFO, add_mount, scan);

	if (ret == -ENOMEM)
		return ret;
	scan->out = fdopen(fd, "w");
	if (!scan->out)
		return -ENOMEM;
	look_at_namespace(scan, "self");
	ret = for_each_number(scan, "proc", look_at_process);
	return fflush(scan->out) && !ret ? -EIO : ret;
}

/* --- what came of it */

static int add_use(const char *line, struct node_use **uses, size_t *count)
{
	struct node_use use = { 0 };
	const char *tab = strchr(line, '\t');
	char kind;
	int at = 0;

	if (!tab || sscanf(line, "%zu %d %c %n", &use.fn, &use.pid, &kind, &at) != 3 || !at)
		return 0;
	use.is_vm = kind == 'v';
	use.is_file = kind == 'f';
	snprintf(use.process, sizeof(use.process), "%.*s", (int)(tab - line - at), line + at);
	snprintf(use.name, sizeof(use.name), "%s", tab + 1);
	for (size_t i = 0; i < *count; i++)
		if ((*uses)[i].fn == use.fn && (*uses)[i].pid == use.pid &&
		    (*uses)[i].is_file == use.is_file && !strcmp((*uses)[i].name, use.name))
			return 0;
	return array_append(uses, count, sizeof(use), &use);
}

int nodes_find_uses(const struct host *host, const struct pci_function *fn,
		    const struct nodes *nodes, struct node_use **uses, size_t *count)
{
	struct scan scan = { .host = host, .fn = fn, .nodes = nodes };
	char *text = NULL, *line, *save;
	size_t size;
	int error, ret = 0;

	*uses = NULL;
	*count = 0;
	error = child_run(scan_processes, &scan, DEADLINE_MS, &text, &size);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !ret;
	     line = strtok_r(NULL, "\n", &save))
		ret = add_use(line, uses, count);
	free(text);
	return ret ? ret : error;
}
