// SPDX-License-Identifier: GPL-2.0-or-later
/* From a block device down to its functions; see need.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "protect/graph.h"

#define PATH_DEV_BLOCK	 "sys/dev/block"
#define PATH_CLASS_BLOCK "sys/class/block"
#define PATH_PVS_ONLINE	 "run/lvm/pvs_online"

#define LVM_UUID_SIZE 32

/* ---- from a name to a device ---- */

int storage_path(const struct need_ctx *ctx, const char *devno, char *real)
{
	char path[PATH_MAX];
	int ret = tree_path(path, PATH_DEV_BLOCK "/%s", devno);

	return ret ? ret : tree_real_path(ctx, path, real);
}

/* /dev/mapper/NAME. The device mapper's own names are in sysfs, whatever udev made of them. */
static int find_mapper(struct need_ctx *ctx, const char *name, char *real)
{
	char dir[PATH_MAX], have[256];
	struct stringset names;
	int ret = -ENOENT;

	tree_names(ctx, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n && ret; i++) {
		if (strncmp(names.s[i], "dm-", 3))
			continue;
		tree_path(dir, PATH_BLOCK "/%s", names.s[i]);
		if (!tree_attr(ctx, dir, "dm/name", have, sizeof(have)) && !strcmp(have, name))
			ret = tree_real_path(ctx, dir, real);
	}
	stringset_clear(&names);
	return ret;
}

int storage_find(struct need_ctx *ctx, const char *dev, char *real)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct stat st;

	*real = '\0';
	if (strncmp(dev, "/dev/", 5) || strlen(dev + 5) > NAME_MAX)
		return -ENOENT;
	if (!*ctx->root && !stat(dev, &st) && S_ISBLK(st.st_mode)) {
		tree_path(path, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
		return storage_path(ctx, path, real);
	}
	dev += 5;
	if (!strncmp(dev, "mapper/", 7) && !find_mapper(ctx, dev + 7, real))
		return 0;
	for (size_t i = 0; i < ctx->records; i++)
		if (stringset_has(&ctx->record[i].links, dev) &&
		    !storage_path(ctx, ctx->record[i].devno, real))
			return 0;
	/* sysfs has '!' where the device's name has '/': cciss/c0d0 (block/genhd.c) */
	strcpy(name, dev);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '!';
	if (!strcmp(name, "..") || !strcmp(name, "."))
		return -ENOENT;
	tree_path(path, PATH_CLASS_BLOCK "/%s", name);
	return tree_real_path(ctx, path, real);
}

/* ---- what a device stands on ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void need_slaves(struct need_ctx *ctx, const char *path, const struct need *need,
			bool *found)
{
	char dir[PATH_MAX], slave[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	if (tree_path(dir, "%s/slaves", path))
		return;
	if (tree_names(ctx, dir, &names))
		need_note(ctx, "%s cannot be listed", dir);
	for (size_t i = 0; i < names.n; i++) {
		if (tree_path(slave, "%s/%s", dir, names.s[i]) || tree_real_path(ctx, slave, real))
			continue;
		need_block(ctx, real, need);
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
 * Those physical volumes that no wanted volume lies on are the ones under the group's other volumes,
 * and the ones that pvscan has seen.
 */
void need_volume_group(struct need_ctx *ctx, const char *uuid, const struct need *need)
{
	struct need completes = *need;
	char path[PATH_MAX], have[256], text[512], real[PATH_MAX], vg[256] = "";
	struct stringset names;
	bool found = false;

	if (need->why == NEED_HOLDS)
		completes.why = NEED_COMPLETES;
	tree_names(ctx, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_BLOCK "/%s", names.s[i]);
		if (tree_attr(ctx, path, "dm/uuid", have, sizeof(have)) ||
		    strncmp(have, "LVM-", 4) || strncmp(have + 4, uuid, LVM_UUID_SIZE))
			continue;
		if (!*vg && !tree_attr(ctx, path, "dm/name", have, sizeof(have)))
			volume_group_of(have, vg, sizeof(vg));
		if (!tree_real_path(ctx, path, real))
			need_slaves(ctx, real, &completes, &found);
	}
	stringset_clear(&names);

	/* lvm2, lib/device/online.c: "MAJ:MIN\nvg:NAME\ndev:PATH\n" */
	tree_names(ctx, PATH_PVS_ONLINE, &names);
	for (size_t i = 0; i < names.n && *vg; i++) {
		char *line, *end, *save;
		bool is_ours = false;

		tree_path(path, PATH_PVS_ONLINE "/%s", names.s[i]);
		if (tree_read(ctx, path, text, sizeof(text)) || !*text)
			continue;
		end = strtok_r(text, "\n", &save);
		while ((line = strtok_r(NULL, "\n", &save)))
			is_ours |= !strncmp(line, "vg:", 3) && !strcmp(line + 3, vg);
		if (is_ours && end && !storage_path(ctx, end, real))
			need_block(ctx, real, &completes);
	}
	stringset_clear(&names);
}

/*
 * The head of a namespace that NVMe's own multipath made has no PCI parent; the controllers that
 * lead to it are links in its subsystem (drivers/nvme/host/core.c, nvme_init_subsystem()).
 */
static bool need_nvme_head(struct need_ctx *ctx, const char *path, const struct need *need)
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
	tree_names(ctx, dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		const char *digits = names.s[i] + 4;

		if (strncmp(names.s[i], "nvme", 4) || !*digits ||
		    digits[strspn(digits, "0123456789")])
			continue;
		if (tree_path(link, "%s/%s", dir, names.s[i]) || tree_real_path(ctx, link, real))
			continue;
		if (need_functions(ctx, real, need))
			n++;
		else
			is_fabric = true;
	}
	stringset_clear(&names);
	if (is_fabric)
		need_network(ctx, need, "NVMe over fabrics");
	return n || is_fabric;
}

/*
 * bcache's slaves are there on every kernel we know; its own links are followed as well, since the
 * cache is as much needed as what it caches (drivers/md/bcache/super.c, bcache_device_link()).
 */
static void need_bcache(struct need_ctx *ctx, const char *path, const struct need *need,
			bool *found)
{
	char link[PATH_MAX], set[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	if (tree_path(link, "%s/bcache", path) || strncmp(base_name(path), "bcache", 6) ||
	    tree_real_path(ctx, link, real))
		return;
	/* The link leads to the "bcache" directory of the device that is cached. */
	*strrchr(real, '/') = '\0';
	need_block(ctx, real, need);
	*found = true;
	if (tree_path(link, "%s/bcache/cache", path) || tree_real_path(ctx, link, set))
		return;
	tree_names(ctx, set, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.s[i], "cache", 5) || !isdigit((unsigned char)names.s[i][5]))
			continue;
		if (tree_path(link, "%s/%s", set, names.s[i]) || tree_real_path(ctx, link, real))
			continue;
		*strrchr(real, '/') = '\0';
		need_block(ctx, real, need);
	}
	stringset_clear(&names);
}

/* A swap volume in a pool: udev links zvol/POOL/NAME to it (zfs, 60-zvol.rules). */
static void need_zvol(struct need_ctx *ctx, const char *path, const struct need *need)
{
	const struct udev_record *record = NULL;
	char devno[32];

	if (!tree_attr(ctx, path, "dev", devno, sizeof(devno)))
		record = udev_find(ctx, devno);
	for (size_t i = 0; record && i < record->links.n; i++) {
		if (!strncmp(record->links.s[i], "zvol/", 5)) {
			need_dataset(ctx, record->links.s[i] + 5, need);
			return;
		}
	}
	need_dataset(ctx, NULL, need);
}

/* A software iSCSI disk's path has a "session1" in it and no PCI function. */
static bool is_iscsi(const char *path)
{
	const char *session = strstr(path, "/session");

	return session && isdigit((unsigned char)session[strlen("/session")]);
}

/* ---- the whole ---- */

void need_block(struct need_ctx *ctx, const char *path, const struct need *need)
{
	char text[PATH_MAX], disk[PATH_MAX];
	const char *name = base_name(path);
	bool found;

	if (!need_add_name(ctx, &ctx->seen, path))
		return;

	tree_path(text, "%s/partition", path);
	if (tree_exists(ctx, text)) {
		tree_path(disk, "%.*s", (int)(name - 1 - path), path);
		need_block(ctx, disk, need);
		return;
	}

	found = need_functions(ctx, path, need);
	need_slaves(ctx, path, need, &found);
	need_bcache(ctx, path, need, &found);
	if (!tree_attr(ctx, path, "dm/uuid", text, sizeof(text)) && starts_with(text, "LVM-") &&
	    strlen(text) >= 4 + LVM_UUID_SIZE) {
		text[4 + LVM_UUID_SIZE] = '\0';
		need_add_name(ctx, &ctx->vgs, text + 4);
	}
	if (starts_with(name, "loop") &&
	    !tree_attr(ctx, path, "loop/backing_file", text, sizeof(text))) {
		need_file(ctx, text, need);
		found = true;
	}
	if (found || need_nvme_head(ctx, path, need))
		return;

	/* Here are only devices without a PCI function of their own. */
	if (starts_with(name, "zram")) {
		/* Memory, unless it writes back (Documentation/admin-guide/blockdev/zram.rst). */
		if (!tree_attr(ctx, path, "backing_dev", text, sizeof(text)) &&
		    strcmp(text, "none") && *text && !storage_find(ctx, text, disk))
			need_block(ctx, disk, need);
		return;
	}
	if (starts_with(name, "ram") || starts_with(name, "pmem"))
		return;
	if (is_iscsi(path)) {
		need_network(ctx, need, "iSCSI");
		return;
	}
	if (starts_with(name, "nbd") || starts_with(name, "rbd")) {
		need_network(ctx, need, name);
		return;
	}
	if (starts_with(name, "zd") && isdigit((unsigned char)name[2])) {
		need_zvol(ctx, path, need);
		return;
	}
	if (starts_with(path, "sys/devices/virtual/") ||
	    starts_with(path, "sys/devices/tcm_loop")) {
		need_note(
			ctx,
			"what lies under %s, on which %s lies, cannot be found out: every disk's function is protected",
			name, need->name);
		need_all_disks(ctx, need);
	}
	/* Else it is a board's own device (MMC, virtio-mmio, VMBus), which no PCI driver can take. */
}
