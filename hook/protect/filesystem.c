// SPDX-License-Identifier: GPL-2.0-or-later
/* From a file system, or a file on one, down to the devices below it; see graph.h. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include <libmount/libmount.h>

#include "protect/filesystem.h"
#include "protect/journal.h"
#include "protect/pools.h"
#include "protect/requires.h"
#include "protect/storage.h"

#define PATH_VIRTIO_DRIVERS "sys/bus/virtio/drivers"
#define PATH_VBOX_DRIVER    "sys/bus/pci/drivers/vboxguest"

/* Documentation/admin-guide/devices.txt */
#define MTD_BLOCK_MAJOR 31

/* What a file system without a block device is on. */
enum lies_on {
	ON_DEVICE, /* or whatever its source names; also for every type that is not in the table */
	IN_MEMORY,
	ON_NETWORK,
	ON_CLUSTER, /* a block device, and the network for its locks */
	ON_VIRTIO,
	ON_TRANSPORT, /* 9p: the option trans tells */
	ON_VBOX,
	ON_FLASH,
	ON_LAYERS,
	ON_FOLDER, /* of another file system: its source */
	ON_BTRFS,
	ON_ZFS,
	ON_NOTHING, /* the kernel's own, or the host's below a user mode kernel */
};

static const struct {
	const char *type;
	enum lies_on on;
} types[] = {
	{ "9p", ON_TRANSPORT },
	{ "afs", ON_NETWORK },
	{ "btrfs", ON_BTRFS },
	{ "ceph", ON_NETWORK },
	{ "cifs", ON_NETWORK },
	{ "coda", ON_NETWORK },
	{ "ecryptfs", ON_FOLDER },
	{ "fuse", ON_DEVICE }, /* or on whatever its program does */
	{ "fuse.bindfs", ON_FOLDER },
	{ "fuse.ceph", ON_NETWORK },
	{ "fuse.encfs", ON_FOLDER },
	{ "fuse.gocryptfs", ON_FOLDER },
	{ "fuse.glusterfs", ON_NETWORK },
	{ "fuse.mergerfs", ON_FOLDER },
	{ "fuse.s3fs", ON_NETWORK },
	{ "fuse.sshfs", ON_NETWORK },
	{ "gfs2", ON_CLUSTER },
	{ "glusterfs", ON_NETWORK },
	{ "hostfs", ON_NOTHING },
	{ "jffs2", ON_FLASH },
	{ "lustre", ON_NETWORK },
	{ "nfs", ON_NETWORK },
	{ "nfs4", ON_NETWORK },
	{ "ocfs2", ON_CLUSTER },
	{ "ocfs2_dlmfs", ON_NOTHING },
	{ "openpromfs", ON_NOTHING },
	{ "overlay", ON_LAYERS },
	{ "pvfs2", ON_NETWORK },
	{ "ramfs", IN_MEMORY },
	{ "rootfs", IN_MEMORY },
	{ "smb3", ON_NETWORK },
	{ "tmpfs", IN_MEMORY },
	{ "ubifs", ON_FLASH },
	{ "vboxsf", ON_VBOX },
	{ "virtiofs", ON_VIRTIO },
	{ "zfs", ON_ZFS },
};

static enum lies_on type_lies_on(struct libmnt_fs *fs)
{
	const char *type = mnt_fs_get_fstype(fs);

	for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].type, type))
			return types[i].on;
	return mnt_fs_is_netfs(fs) ? ON_NETWORK : ON_DEVICE;
}

bool filesystem_is_on_something(const char *type)
{
	for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].type, type))
			return types[i].on != IN_MEMORY && types[i].on != ON_NOTHING;
	return false;
}

static struct libmnt_fs *mount_holding(struct graph *graph, const char *file)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs, *best = NULL;
	size_t best_len = 0;

	if (!iter) {
		graph->err = -ENOMEM;
		return NULL;
	}
	while (!mnt_table_next_fs(graph->mounts, iter, &fs)) {
		const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);
		size_t len = target ? strlen(target) : 0;

		if (!len || (type && !strcmp(type, "autofs")))
			continue;
		if (len == 1)
			len = 0; /* "/" ends in the slash that the others are followed by */
		/* If two are mounted on one place, the later one covers the earlier. */
		if (!strncmp(file, target, len) && (file[len] == '/' || !file[len]) &&
		    len >= best_len) {
			best = fs;
			best_len = len;
		}
	}
	mnt_free_iter(iter);
	return best;
}

void filesystem_add_file(struct graph *graph, const char *file, const struct cause *cause)
{
	struct libmnt_fs *fs = *file == '/' ? mount_holding(graph, file) : NULL;

	/* A file system that is not mounted now may be when the file is needed. */
	requires_add_path(graph, file, cause);
	if (fs && graph->depth < GRAPH_MAX_DEPTH) {
		graph->depth++;
		filesystem_add(graph, fs, cause);
		graph->depth--;
		return;
	}
	graph_note(
		graph,
		"no mounted file system holds %s, on which %s lies: every disk's function is protected",
		file, cause->name);
	graph_add_all_disks(graph, cause);
}

/* Every function of a virtio driver: sysfs tells which one has a tag only since 6.10. */
static void add_virtio(struct graph *graph, const char *driver, const struct cause *cause)
{
	char path[PATH_MAX];

	tree_path(path, PATH_VIRTIO_DRIVERS "/%s", driver);
	graph_add_class(graph, path, cause);
}

/* 9p over the transport that it was mounted with (Documentation/filesystems/9p.rst). */
static void add_transport(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	char *value, trans[32] = "";
	size_t size;

	if (!mnt_fs_get_option(fs, "trans", &value, &size) && value && size < sizeof(trans)) {
		memcpy(trans, value, size);
		trans[size] = '\0';
	}
	if (!strcmp(trans, "virtio") || !*trans)
		add_virtio(graph, "9pnet_virtio", cause);
	if (!strcmp(trans, "tcp") || !strcmp(trans, "rdma") || !*trans)
		graph_add_network(graph, cause, "9p");
	else if (strcmp(trans, "virtio") && strcmp(trans, "xen"))
		graph_add_anything(graph, cause, "9p");
}

/* A path on another mount. Returns whether there was one. */
static bool add_holder(struct graph *graph, struct libmnt_fs *fs, const char *path,
		       const struct cause *cause)
{
	struct libmnt_fs *holder = *path == '/' ? mount_holding(graph, path) : NULL;

	if (!holder || holder == fs || graph->depth >= GRAPH_MAX_DEPTH)
		return false;
	graph->depth++;
	filesystem_add(graph, holder, cause);
	graph->depth--;
	return true;
}

/* "/a:/b\:c": each is a folder. Returns whether all of them are on another mount. */
static bool add_folders(struct graph *graph, struct libmnt_fs *fs, const char *value, size_t size,
			const struct cause *cause)
{
	char path[PATH_MAX];
	bool all = true;

	while (size) {
		size_t len = 0, n = 0;

		for (; len < size && value[len] != ':'; len++) {
			if (value[len] == '\\' && len + 1 < size)
				len++;
			if (n + 1 < sizeof(path))
				path[n++] = value[len];
		}
		path[n] = '\0';
		if (n && !add_holder(graph, fs, path, cause))
			all = false;
		len += len < size;
		value += len;
		size -= len;
	}
	return all;
}

/*
 * The layers of an overlay are paths from the time of its mount; for a live system, in an initramfs
 * that is gone. They are used only if another mount contains them.
 */
static bool add_layers(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	static const char *const layers[] = { "lowerdir", "lowerdir+", "datadir+", "upperdir" };
	char *options = (char *)mnt_fs_get_options(fs), *name, *value;
	size_t name_size, size;
	bool all = true;

	while (options && !mnt_optstr_next_option(&options, &name, &name_size, &value, &size))
		for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
			if (value && name_size == strlen(layers[i]) &&
			    !strncmp(name, layers[i], name_size))
				all &= add_folders(graph, fs, value, size, cause);
	return all;
}

/* mergerfs takes patterns ("/mnt/disk*"): everything mounted there counts. */
static bool add_branches(struct graph *graph, struct libmnt_fs *fs, const char *source,
			 const struct cause *cause)
{
	char pattern[PATH_MAX];
	struct libmnt_iter *iter;
	struct libmnt_fs *other;
	bool all = *source == '/';

	while (*source) {
		size_t len = strcspn(source, ":");
		bool any = false;

		/* "/mnt/a=RW" */
		tree_path(pattern, "%.*s", (int)strcspn(source, ":="), source);
		iter = strpbrk(pattern, "*?[{") ? mnt_new_iter(MNT_ITER_FORWARD) : NULL;
		if (!iter)
			any = add_holder(graph, fs, pattern, cause);
		while (iter && !mnt_table_next_fs(graph->mounts, iter, &other)) {
			const char *target = mnt_fs_get_target(other);

			if (target && !fnmatch(pattern, target, FNM_PATHNAME))
				any |= add_holder(graph, fs, target, cause);
		}
		mnt_free_iter(iter);
		all &= any;
		source += len + (source[len] == ':');
	}
	return all;
}

void filesystem_add_options(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	/* xfs' log and realtime devices; ext4's and reiserfs' journals; erofs' and btrfs' others. */
	static const char *const devices[] = { "logdev", "rtdev", "journal_path", "jdev",
					       "device" };
	char *options = (char *)mnt_fs_get_options(fs), *name, *value;
	char path[PATH_MAX], real[PATH_MAX];
	size_t name_size, size;

	while (options && !mnt_optstr_next_option(&options, &name, &name_size, &value, &size)) {
		/* ext4's by its number: Documentation/admin-guide/ext4.rst */
		if (value && name_size == strlen("journal_dev") &&
		    !strncmp(name, "journal_dev", name_size))
			journal_add_number(graph, (unsigned int)strtoul(value, NULL, 0),
					   mnt_fs_get_fstype(fs) ?: "", cause);
		for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
			if (!value || name_size != strlen(devices[i]) ||
			    strncmp(name, devices[i], name_size) ||
			    tree_path(path, "%.*s", (int)size, value))
				continue;
			if (!storage_find(graph, path, real))
				storage_add(graph, real, cause);
		}
	}
	if (type_lies_on(fs) == ON_CLUSTER)
		graph_add_network(graph, cause, mnt_fs_get_fstype(fs));
}

/* "/dev/sda1:/dev/sdb1" (bcachefs), or one path. Returns whether all of them exist. */
static bool add_source(struct graph *graph, const char *source, const struct cause *cause)
{
	char path[PATH_MAX], real[PATH_MAX];
	bool all = *source;

	while (*source) {
		size_t len = strcspn(source, ":");

		if (tree_path(path, "%.*s", (int)len, source) || storage_find(graph, path, real))
			all = false;
		else
			pools_add_members(graph, real, cause);
		source += len + (source[len] == ':');
	}
	return all;
}

/* Returns whether everything is known about what a file system without a block device is on. */
static bool add_by_type(struct graph *graph, struct libmnt_fs *fs, const char *source,
			const struct cause *cause)
{
	const char *type = mnt_fs_get_fstype(fs) ?: "";
	char real[PATH_MAX];

	switch (type_lies_on(fs)) {
	case IN_MEMORY:
		if (!cause->minor && cause->kind != CAUSE_IN_USE)
			graph_note(graph, "%s lies in memory (%s): nothing to protect for it",
				   cause->name, type);
		return true;
	case ON_NOTHING:
		return true;
	case ON_NETWORK:
		if (!cause->optional)
			graph_add_network(graph, cause, type);
		return true;
	case ON_VIRTIO:
		add_virtio(graph, type, cause);
		return true;
	case ON_TRANSPORT:
		add_transport(graph, fs, cause);
		return true;
	case ON_VBOX:
		graph_add_class(graph, PATH_VBOX_DRIVER, cause);
		return true;
	case ON_FLASH:
		storage_add_mtd(graph, cause);
		return true;
	case ON_LAYERS:
		return add_layers(graph, fs, cause);
	case ON_FOLDER:
		return add_branches(graph, fs, source, cause);
	case ON_BTRFS:
		storage_find(graph, source, real);
		pools_add_btrfs(graph, real, cause);
		return true;
	case ON_ZFS:
		pools_add_dataset(graph, source, cause);
		return true;
	case ON_DEVICE:
	case ON_CLUSTER:
		break;
	}
	/* "mtd0", "mtd:rootfs": drivers/mtd/mtdsuper.c */
	if (!starts_with(source, "mtd"))
		return add_source(graph, source, cause);
	storage_add_mtd(graph, cause);
	return true;
}

static void add_unknown(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	const char *type = mnt_fs_get_fstype(fs) ?: "";
	char text[PATH_MAX];

	if (!tree_path(text, "%s (%s)", cause->name, type))
		graph_add_anything(graph, cause, text);
}

void filesystem_add_entry(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	const char *source = mnt_fs_get_srcpath(fs) ?: "";
	enum lies_on on = type_lies_on(fs);

	/* A bind mount, a swap file, an image: what holds the file. */
	if (*source == '/' && (on == ON_DEVICE || on == ON_CLUSTER))
		filesystem_add_file(graph, source, cause);
	else if (!add_by_type(graph, fs, source, cause) && !cause->optional)
		add_unknown(graph, fs, cause);
}

void filesystem_add(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	const char *type = mnt_fs_get_fstype(fs) ?: "", *source = mnt_fs_get_srcpath(fs) ?: "";
	enum lies_on on = type_lies_on(fs);
	dev_t devno = mnt_fs_get_devno(fs);
	char text[32], real[PATH_MAX];

	filesystem_add_options(graph, fs, cause);
	if (major(devno) && on != ON_ZFS && on != ON_BTRFS) {
		snprintf(text, sizeof(text), "%u:%u", major(devno), minor(devno));
		if (!storage_path(graph, text, real)) {
			pools_add_members(graph, real, cause);
			journal_add(graph, real, type, cause);
			return;
		}
		if (major(devno) == MTD_BLOCK_MAJOR) {
			storage_add_mtd(graph, cause);
			return;
		}
	}
	if (add_by_type(graph, fs, source, cause) || (cause->optional && !major(devno)))
		return;
	/* An image that is mounted without a loop device (erofs, from 6.12 on). */
	if (!major(devno) && on == ON_DEVICE && add_holder(graph, fs, source, cause))
		return;
	add_unknown(graph, fs, cause);
}
