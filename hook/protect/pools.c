// SPDX-License-Identifier: GPL-2.0-or-later
/* File systems that are on more than one device: ZFS pools, btrfs, bcachefs; see graph.h. */
#include "protect/journal.h"
#include "protect/pools.h"
#include "protect/storage.h"
#include "protect/udev.h"

#define PATH_BTRFS "sys/fs/btrfs"

#define PART_TYPE_ZFS "6a898cc3-1dd2-11b2-99a6-080020736631"

/*
 * Partitions that never have a file system: for booting a BIOS, Microsoft's, PReP's and ZFS'
 * reserved ones, and the extended partition.
 */
static const char *const bare_types[] = {
	"21686148-6449-6e6f-744e-656564454649",
	"e3c9e316-0b5c-4db8-817d-f92df00215ae",
	"9e1a2d38-c612-4316-aa26-8b49521e5a8b",
	"6a945a3b-1dd2-11b2-99a6-080020736631",
	"0x5",
	"0xf",
	"0x85",
	"0x41",
};

/* A partition of any type in which nothing is recognised: the rest of a member, or a fresh one. */
static bool is_unknown_partition(const struct udev_record *record)
{
	if (record->value[UDEV_FS_TYPE] || !record->value[UDEV_PART_TYPE])
		return false;
	for (size_t i = 0; i < sizeof(bare_types) / sizeof(bare_types[0]); i++)
		if (udev_is(record, UDEV_PART_TYPE, bare_types[i]))
			return false;
	return true;
}

/*
 * Every device that may belong to a ZFS pool. Its label is the name of the pool, on data, special
 * and log devices; a cache device has no label and is no loss. A disk on which blkid sees two
 * formats (the rest of an old RAID below the pool) has no type at all, nor has one that was not
 * probed: those count for every pool.
 */
static void add_pool(struct graph *graph, const char *pool, const struct cause *cause)
{
	struct cause may = { .kind = CAUSE_MAY_HOLD, .name = cause->name, .minor = cause->minor };
	bool labelled = false, any = false;
	char real[PATH_MAX];

	for (size_t i = 0; i < graph->records; i++) {
		const struct udev_record *r = &graph->record[i];

		if (pool && udev_is(r, UDEV_FS_TYPE, "zfs_member") &&
		    udev_has_tag(r, "LABEL", pool) && !storage_path(graph, r->devno, real)) {
			storage_add(graph, real, cause);
			labelled = any = true;
		}
	}
	if (cause->kind == CAUSE_IN_USE)
		return;
	for (size_t i = 0; i < graph->records; i++) {
		const struct udev_record *r = &graph->record[i];
		bool is_ambivalent = r->value[UDEV_FS_AMBIVALENT] &&
				     strstr(r->value[UDEV_FS_AMBIVALENT], "zfs_member");
		bool is_unknown = is_unknown_partition(r);
		bool is_member = udev_is(r, UDEV_FS_TYPE, "zfs_member");

		if ((is_ambivalent || is_unknown || (is_member && !labelled)) &&
		    !storage_path(graph, r->devno, real)) {
			storage_add(graph, real, &may);
			any |= !is_unknown || udev_is(r, UDEV_PART_TYPE, PART_TYPE_ZFS);
		}
	}
	if (labelled)
		return;
	if (any) {
		graph_note(
			graph,
			"udev knows no member of the ZFS pool %s: every member of any pool is protected",
			pool ? pool : cause->name);
		return;
	}
	graph_note(graph,
		   "udev knows no member of the ZFS pool %s: every disk's function is protected",
		   pool ? pool : cause->name);
	graph_add_all_disks(graph, cause);
}

void pools_add_dataset(struct graph *graph, const char *dataset, const struct cause *cause)
{
	char pool[NAME_MAX + 1];
	size_t len = dataset ? strcspn(dataset, "/@") : 0;

	if (!len || len > NAME_MAX) {
		add_pool(graph, NULL, cause);
		return;
	}
	memcpy(pool, dataset, len);
	pool[len] = '\0';
	add_pool(graph, pool, cause);
}

/* The other members of a file system on several devices: udev has one UUID for all. */
static void add_same_uuid(struct graph *graph, const char *device, const struct cause *cause)
{
	const struct udev_record *record;
	char real[PATH_MAX], devno[32];

	if (tree_attr(graph->root, device, "dev", devno, sizeof(devno)))
		return;
	record = udev_find(graph, devno);
	if (!record || !record->value[UDEV_FS_TYPE] || !record->value[UDEV_FS_UUID])
		return;
	for (size_t i = 0; i < graph->records; i++) {
		const struct udev_record *r = &graph->record[i];

		if (udev_is(r, UDEV_FS_TYPE, record->value[UDEV_FS_TYPE]) &&
		    udev_is(r, UDEV_FS_UUID, record->value[UDEV_FS_UUID]) &&
		    !storage_path(graph, r->devno, real))
			storage_add(graph, real, cause);
	}
}

/*
 * btrfs mounts have a device number of their own and name one of their devices. All of them are in
 * sysfs while it is mounted (Documentation/ABI/testing/sysfs-fs-btrfs has devices/ as links), and in
 * udev's database under one UUID else.
 */
void pools_add_btrfs(struct graph *graph, const char *device, const struct cause *cause)
{
	struct cause may = { .kind = *device ? cause->kind : CAUSE_MAY_HOLD,
			     .name = cause->name,
			     .minor = cause->minor };
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset uuids, names;
	bool any = false;

	if (!*device && cause->kind == CAUSE_IN_USE)
		return;
	if (*device) {
		storage_add(graph, device, cause);
		add_same_uuid(graph, device, cause);
	}
	graph_names(graph, PATH_BTRFS, &uuids);
	for (size_t u = 0; u < uuids.n; u++) {
		bool is_ours = !*device;

		tree_path(path, PATH_BTRFS "/%s/devices", uuids.s[u]);
		graph_names(graph, path, &names);
		/*
		 * Two passes: the first to see whether it is the one, the second to add its
		 * devices.
		 */
		for (size_t i = 0; i < 2 * names.n; i++) {
			tree_path(path, PATH_BTRFS "/%s/devices/%s", uuids.s[u],
				  names.s[i % names.n]);
			if (tree_real_path(graph->root, path, real))
				continue;
			if (i < names.n) {
				is_ours |= !strcmp(real, device);
			} else if (is_ours) {
				storage_add(graph, real, &may);
				any = true;
			}
		}
		stringset_clear(&names);
	}
	stringset_clear(&uuids);
	for (size_t i = 0; i < graph->records && !*device; i++) {
		if (udev_is(&graph->record[i], UDEV_FS_TYPE, "btrfs") &&
		    !storage_path(graph, graph->record[i].devno, real)) {
			storage_add(graph, real, &may);
			any = true;
		}
	}
	if (*device)
		return;
	if (any) {
		graph_note(graph,
			   "the btrfs of %s names no device that is here: every btrfs is protected",
			   cause->name);
		return;
	}
	graph_note(graph,
		   "the btrfs of %s has no device that is here: every disk's function is protected",
		   cause->name);
	graph_add_all_disks(graph, cause);
}

void pools_add_members(struct graph *graph, const char *device, const struct cause *cause)
{
	const struct udev_record *record = NULL;
	char devno[32];

	if (!tree_attr(graph->root, device, "dev", devno, sizeof(devno)))
		record = udev_find(graph, devno);
	if (record && udev_is(record, UDEV_FS_TYPE, "btrfs"))
		pools_add_btrfs(graph, device, cause);
	else
		storage_add(graph, device, cause);
	if (record && udev_is(record, UDEV_FS_TYPE, "bcachefs"))
		add_same_uuid(graph, device, cause);
	if (record && record->value[UDEV_FS_TYPE])
		journal_add(graph, device, record->value[UDEV_FS_TYPE], cause);
}
