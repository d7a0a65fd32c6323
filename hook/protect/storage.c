// SPDX-License-Identifier: GPL-2.0-or-later
/* From a block device down to its functions; see graph.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "protect/filesystem.h"
#include "protect/pools.h"
#include "protect/storage.h"
#include "protect/udev.h"

#define PATH_DEV_BLOCK	 "sys/dev/block"
#define PATH_CLASS_BLOCK "sys/class/block"
#define PATH_PVS_ONLINE	 "run/lvm/pvs_online"

#define LVM_UUID_SIZE 32

/* ---- from a name to a device ---- */

int storage_path(const struct graph *graph, const char *devno, char *real)
{
	char path[PATH_MAX];
	int ret = tree_path(path, PATH_DEV_BLOCK "/%s", devno);

	return ret ? ret : tree_real_path(graph->root, path, real);
}

/* /dev/mapper/NAME. The device mapper's own names are in sysfs, whatever udev made of them. */
static int find_mapper(struct graph *graph, const char *name, char *real)
{
	char dir[PATH_MAX], have[256];
	struct stringset names;
	int ret = -ENOENT;

	graph_names(graph, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n && ret; i++) {
		if (strncmp(names.s[i], "dm-", 3))
			continue;
		tree_path(dir, PATH_BLOCK "/%s", names.s[i]);
		if (!tree_attr(graph->root, dir, "dm/name", have, sizeof(have)) &&
		    !strcmp(have, name))
			ret = tree_real_path(graph->root, dir, real);
	}
	stringset_clear(&names);
	return ret;
}

int storage_find(struct graph *graph, const char *dev, char *real)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct stat st;

	*real = '\0';
	if (strncmp(dev, "/dev/", 5) || strlen(dev + 5) > NAME_MAX)
		return -ENOENT;
	if (graph->root->is_host && !stat(dev, &st) && S_ISBLK(st.st_mode)) {
		tree_path(path, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
		return storage_path(graph, path, real);
	}
	dev += 5;
	if (!strncmp(dev, "mapper/", 7) && !find_mapper(graph, dev + 7, real))
		return 0;
	for (size_t i = 0; i < graph->records; i++)
		if (stringset_has(&graph->record[i].links, dev) &&
		    !storage_path(graph, graph->record[i].devno, real))
			return 0;
	/* sysfs has '!' where the device's name has '/': cciss/c0d0 (block/genhd.c) */
	strcpy(name, dev);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '!';
	if (!strcmp(name, "..") || !strcmp(name, "."))
		return -ENOENT;
	tree_path(path, PATH_CLASS_BLOCK "/%s", name);
	return tree_real_path(graph->root, path, real);
}

/* ---- what a device stands on ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_slaves(struct graph *graph, const char *path, const struct cause *cause,
		       bool *found)
{
	char dir[PATH_MAX], slave[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	if (tree_path(dir, "%s/slaves", path))
		return;
	if (graph_names(graph, dir, &names))
		graph_note(graph, "%s cannot be listed", dir);
	for (size_t i = 0; i < names.n; i++) {
		if (tree_path(slave, "%s/%s", dir, names.s[i]) ||
		    tree_real_path(graph->root, slave, real))
			continue;
		storage_add(graph, real, cause);
		*found = true;
	}
	stringset_clear(&names);
}

/*
 * "my--vg-root" is VG my-vg: dm doubles the hyphens of a name (lvm2, dm_build_dm_name()). Returns
 * false when there is no VG in it.
 */
static bool volume_group_of(const char *dm_name, char *vg, size_t size)
{
	size_t n = 0;

	for (; *dm_name && n + 1 < size; dm_name++) {
		if (*dm_name == '-' && *++dm_name != '-') {
			vg[n] = '\0';
			return n;
		}
		vg[n++] = *dm_name;
	}
	return false;
}

/*
 * All physical volumes of a volume group: with one gone it is not activated at boot (lvm2, pvscan
 * --checkcomplete in 69-dm-lvm.rules). @uuid: as sysfs has it, without hyphens
 *
 * Those physical volumes that no wanted volume lies on are the ones under the group's other volumes,
 * and the ones that pvscan has seen.
 */
static void add_volume_group(struct graph *graph, const char *uuid, const struct cause *cause)
{
	struct cause completes = *cause;
	char path[PATH_MAX], have[256], text[512], real[PATH_MAX], vg[256] = "";
	struct stringset names;
	bool found = false;

	if (cause->kind == CAUSE_HOLDS)
		completes.kind = CAUSE_COMPLETES;
	graph_names(graph, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_BLOCK "/%s", names.s[i]);
		if (tree_attr(graph->root, path, "dm/uuid", have, sizeof(have)) ||
		    strncmp(have, "LVM-", 4) || strncmp(have + 4, uuid, LVM_UUID_SIZE))
			continue;
		if (!*vg && !tree_attr(graph->root, path, "dm/name", have, sizeof(have)))
			volume_group_of(have, vg, sizeof(vg));
		if (!tree_real_path(graph->root, path, real))
			add_slaves(graph, real, &completes, &found);
	}
	stringset_clear(&names);

	/* lvm2, lib/device/online.c: "MAJ:MIN\nvg:NAME\ndev:PATH\n" */
	graph_names(graph, PATH_PVS_ONLINE, &names);
	for (size_t i = 0; i < names.n && *vg; i++) {
		char *line, *end, *save;
		bool is_ours = false;

		tree_path(path, PATH_PVS_ONLINE "/%s", names.s[i]);
		if (tree_read(graph->root, path, text, sizeof(text)) || !*text)
			continue;
		end = strtok_r(text, "\n", &save);
		while ((line = strtok_r(NULL, "\n", &save)))
			is_ours |= !strncmp(line, "vg:", 3) && !strcmp(line + 3, vg);
		if (is_ours && end && !storage_path(graph, end, real))
			storage_add(graph, real, &completes);
	}
	stringset_clear(&names);
}

/*
 * The head of a namespace that NVMe's own multipath made has no PCI parent; the controllers that
 * lead to it are links in its subsystem (drivers/nvme/host/core.c, nvme_init_subsystem()).
 */
static bool add_nvme_head(struct graph *graph, const char *path, const struct cause *cause)
{
	char dir[PATH_MAX], link[PATH_MAX], real[PATH_MAX];
	const char *found = strstr(path, "/nvme-subsystem/");
	bool is_fabric = false;
	unsigned int n = 0;
	struct stringset names;

	if (!found)
		return false;
	found += strlen("/nvme-subsystem/");
	tree_path(dir, "%.*s", (int)(found + strcspn(found, "/") - path), path);
	graph_names(graph, dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		const char *digits = names.s[i] + 4;

		if (strncmp(names.s[i], "nvme", 4) || !*digits ||
		    digits[strspn(digits, "0123456789")])
			continue;
		if (tree_path(link, "%s/%s", dir, names.s[i]) ||
		    tree_real_path(graph->root, link, real))
			continue;
		if (graph_add_functions(graph, real, cause))
			n++;
		else
			is_fabric = true;
	}
	stringset_clear(&names);
	if (is_fabric)
		graph_add_network(graph, cause, "NVMe over fabrics");
	return n || is_fabric;
}

/*
 * bcache's slaves are there on every kernel we know; its own links are followed as well, since the
 * cache is as much needed as what it caches (drivers/md/bcache/super.c, bcache_device_link()).
 */
static void add_bcache(struct graph *graph, const char *path, const struct cause *cause,
		       bool *found)
{
	char link[PATH_MAX], set[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	if (tree_path(link, "%s/bcache", path) || strncmp(base_name(path), "bcache", 6) ||
	    tree_real_path(graph->root, link, real))
		return;
	/* The link leads to the "bcache" directory of the device that is cached. */
	*strrchr(real, '/') = '\0';
	storage_add(graph, real, cause);
	*found = true;
	if (tree_path(link, "%s/bcache/cache", path) || tree_real_path(graph->root, link, set))
		return;
	graph_names(graph, set, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.s[i], "cache", 5) || !isdigit((unsigned char)names.s[i][5]))
			continue;
		if (tree_path(link, "%s/%s", set, names.s[i]) ||
		    tree_real_path(graph->root, link, real))
			continue;
		*strrchr(real, '/') = '\0';
		storage_add(graph, real, cause);
	}
	stringset_clear(&names);
}

/* A swap volume in a pool: udev links zvol/POOL/NAME to it (zfs, 60-zvol.rules). */
static void add_zvol(struct graph *graph, const char *path, const struct cause *cause)
{
	const struct udev_record *record = NULL;
	char devno[32];

	if (!tree_attr(graph->root, path, "dev", devno, sizeof(devno)))
		record = udev_find(graph, devno);
	for (size_t i = 0; record && i < record->links.n; i++) {
		if (!strncmp(record->links.s[i], "zvol/", 5)) {
			pools_add_dataset(graph, record->links.s[i] + 5, cause);
			return;
		}
	}
	pools_add_dataset(graph, NULL, cause);
}

/* A software iSCSI disk's path has a "session1" in it and no PCI function. */
static bool is_iscsi(const char *path)
{
	const char *session = strstr(path, "/session");

	return session && isdigit((unsigned char)session[strlen("/session")]);
}

/* A device that has no PCI function of its own and stands on no other. */
static void add_without_function(struct graph *graph, const char *path, const struct cause *cause)
{
	char text[PATH_MAX], disk[PATH_MAX];
	const char *name = base_name(path);

	if (starts_with(name, "zram")) {
		/* Memory, unless it writes back (Documentation/admin-guide/blockdev/zram.rst). */
		if (!tree_attr(graph->root, path, "backing_dev", text, sizeof(text)) &&
		    strcmp(text, "none") && *text && !storage_find(graph, text, disk))
			storage_add(graph, disk, cause);
		return;
	}
	if (starts_with(name, "ram") || starts_with(name, "pmem"))
		return;
	if (is_iscsi(path)) {
		graph_add_network(graph, cause, "iSCSI");
		return;
	}
	if (starts_with(name, "nbd") || starts_with(name, "rbd")) {
		graph_add_network(graph, cause, name);
		return;
	}
	if (starts_with(name, "zd") && isdigit((unsigned char)name[2])) {
		add_zvol(graph, path, cause);
		return;
	}
	if (starts_with(path, "sys/devices/virtual/") ||
	    starts_with(path, "sys/devices/tcm_loop")) {
		graph_note(
			graph,
			"what lies under %s, on which %s lies, cannot be found out: every disk's function is protected",
			name, cause->name);
		graph_add_all_disks(graph, cause);
	}
	/* Else it is a board's own device (MMC, virtio-mmio, VMBus), which no PCI driver can take. */
}

/* ---- the whole ---- */

void storage_add(struct graph *graph, const char *path, const struct cause *cause)
{
	char text[PATH_MAX], disk[PATH_MAX];
	const char *name = base_name(path);
	bool found;

	if (!graph_add_name(graph, &graph->seen, path))
		return;

	tree_path(text, "%s/partition", path);
	if (tree_exists(graph->root, text)) {
		tree_path(disk, "%.*s", (int)(name - 1 - path), path);
		storage_add(graph, disk, cause);
		return;
	}

	found = graph_add_functions(graph, path, cause);
	add_slaves(graph, path, cause, &found);
	add_bcache(graph, path, cause, &found);
	if (!tree_attr(graph->root, path, "dm/uuid", text, sizeof(text)) &&
	    starts_with(text, "LVM-") && strlen(text) >= 4 + LVM_UUID_SIZE) {
		text[4 + LVM_UUID_SIZE] = '\0';
		graph_add_name(graph, &graph->vgs, text + 4);
	}
	if (starts_with(name, "loop") &&
	    !tree_attr(graph->root, path, "loop/backing_file", text, sizeof(text))) {
		filesystem_add_file(graph, text, cause);
		found = true;
	}
	if (found || add_nvme_head(graph, path, cause))
		return;

	add_without_function(graph, path, cause);
}

void storage_end(struct graph *graph, const struct cause *cause)
{
	for (size_t i = 0; i < graph->vgs.n; i++) {
		char *uuid = strdup(graph->vgs.s[i]);

		if (!uuid) {
			graph->err = -ENOMEM;
			return;
		}
		add_volume_group(graph, uuid, cause);
		free(uuid);
	}
}
