// SPDX-License-Identifier: GPL-2.0-or-later
/* File systems that are on more than one device: ZFS pools, btrfs, bcachefs; see need.h. */
#include "protect/graph.h"

#define PATH_BTRFS "sys/fs/btrfs"

#define PART_TYPE_ZFS "6a898cc3-1dd2-11b2-99a6-080020736631"

/*
 * Every device that may belong to a ZFS pool. Its label is the pool's name, on data, special and log
 * devices alike; a cache device's has none and is no loss. A disk on which blkid sees two formats
 * (an old RAID's rest under the pool) has no type at all, nor has one that was not probed: those
 * count for any pool.
 */
static void need_pool(struct need_ctx *ctx, const char *pool, const struct need *need)
{
	struct need may = { .why = NEED_MAY_HOLD, .name = need->name, .minor = need->minor };
	bool labelled = false, any = false;
	char real[PATH_MAX];

	for (size_t i = 0; i < ctx->records; i++) {
		const struct udev_record *r = &ctx->record[i];

		if (pool && udev_is(r, UDEV_FS_TYPE, "zfs_member") &&
		    udev_has_tag(r, "LABEL", pool) && !storage_path(ctx, r->devno, real)) {
			need_block(ctx, real, need);
			labelled = any = true;
		}
	}
	for (size_t i = 0; i < ctx->records; i++) {
		const struct udev_record *r = &ctx->record[i];
		bool is_ambivalent = r->value[UDEV_FS_AMBIVALENT] &&
				     strstr(r->value[UDEV_FS_AMBIVALENT], "zfs_member");
		bool is_unknown = !r->value[UDEV_FS_TYPE] &&
				  udev_is(r, UDEV_PART_TYPE, PART_TYPE_ZFS);
		bool is_member = udev_is(r, UDEV_FS_TYPE, "zfs_member");

		if ((is_ambivalent || is_unknown || (is_member && !labelled)) &&
		    !storage_path(ctx, r->devno, real)) {
			need_block(ctx, real, &may);
			any = true;
		}
	}
	if (labelled)
		return;
	if (any) {
		need_note(
			ctx,
			"udev knows no member of the ZFS pool %s: every member of any pool is protected",
			pool ? pool : need->name);
		return;
	}
	need_note(ctx,
		  "udev knows no member of the ZFS pool %s: every disk's function is protected",
		  pool ? pool : need->name);
	need_all_disks(ctx, need);
}

void need_dataset(struct need_ctx *ctx, const char *dataset, const struct need *need)
{
	char pool[NAME_MAX + 1];
	size_t len = dataset ? strcspn(dataset, "/@") : 0;

	if (!len || len > NAME_MAX) {
		need_pool(ctx, NULL, need);
		return;
	}
	memcpy(pool, dataset, len);
	pool[len] = '\0';
	need_pool(ctx, pool, need);
}

/* The other members of a file system that is on several devices: udev has one UUID for all. */
static void need_same_uuid(struct need_ctx *ctx, const char *device, const struct need *need)
{
	const struct udev_record *record;
	char real[PATH_MAX], devno[32];

	if (tree_attr(ctx, device, "dev", devno, sizeof(devno)))
		return;
	record = udev_find(ctx, devno);
	if (!record || !record->value[UDEV_FS_TYPE] || !record->value[UDEV_FS_UUID])
		return;
	for (size_t i = 0; i < ctx->records; i++) {
		const struct udev_record *r = &ctx->record[i];

		if (udev_is(r, UDEV_FS_TYPE, record->value[UDEV_FS_TYPE]) &&
		    udev_is(r, UDEV_FS_UUID, record->value[UDEV_FS_UUID]) &&
		    !storage_path(ctx, r->devno, real))
			need_block(ctx, real, need);
	}
}

/*
 * btrfs mounts have a device number of their own and name one of their devices. All of them are in
 * sysfs while it is mounted (Documentation/ABI/testing/sysfs-fs-btrfs has devices/ as links), and in
 * udev's database under one UUID else.
 */
void need_btrfs(struct need_ctx *ctx, const char *device, const struct need *need)
{
	struct need may = { .why = *device ? need->why : NEED_MAY_HOLD,
			    .name = need->name,
			    .minor = need->minor };
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset uuids, names;
	bool any = false;

	if (*device) {
		need_block(ctx, device, need);
		need_same_uuid(ctx, device, need);
	}
	tree_names(ctx, PATH_BTRFS, &uuids);
	for (size_t u = 0; u < uuids.n; u++) {
		bool is_ours = !*device;

		tree_path(path, PATH_BTRFS "/%s/devices", uuids.s[u]);
		tree_names(ctx, path, &names);
		/* Twice: first to see whether it is ours, then to take what it has. */
		for (size_t i = 0; i < 2 * names.n; i++) {
			tree_path(path, PATH_BTRFS "/%s/devices/%s", uuids.s[u],
				  names.s[i % names.n]);
			if (tree_real_path(ctx, path, real))
				continue;
			if (i < names.n) {
				is_ours |= !strcmp(real, device);
			} else if (is_ours) {
				need_block(ctx, real, &may);
				any = true;
			}
		}
		stringset_clear(&names);
	}
	stringset_clear(&uuids);
	for (size_t i = 0; i < ctx->records && !*device; i++) {
		if (udev_is(&ctx->record[i], UDEV_FS_TYPE, "btrfs") &&
		    !storage_path(ctx, ctx->record[i].devno, real)) {
			need_block(ctx, real, &may);
			any = true;
		}
	}
	if (*device)
		return;
	if (any) {
		need_note(ctx,
			  "the btrfs of %s names no device that is here: every btrfs is protected",
			  need->name);
		return;
	}
	need_note(ctx,
		  "the btrfs of %s has no device that is here: every disk's function is protected",
		  need->name);
	need_all_disks(ctx, need);
}

void need_members(struct need_ctx *ctx, const char *device, const struct need *need)
{
	const struct udev_record *record = NULL;
	char devno[32];

	if (!tree_attr(ctx, device, "dev", devno, sizeof(devno)))
		record = udev_find(ctx, devno);
	if (record && udev_is(record, UDEV_FS_TYPE, "btrfs"))
		need_btrfs(ctx, device, need);
	else
		need_block(ctx, device, need);
	if (record && udev_is(record, UDEV_FS_TYPE, "bcachefs"))
		need_same_uuid(ctx, device, need);
}
