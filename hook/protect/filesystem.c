// SPDX-License-Identifier: GPL-2.0-or-later
/* From a file system, or a file on one, down to the devices under it; see graph.h. */
#include <errno.h>
#include <sys/sysmacros.h>

#include <libmount/libmount.h>

#include "protect/filesystem.h"
#include "protect/pools.h"
#include "protect/storage.h"

#define PATH_VIRTIO_DRIVERS "sys/bus/virtio/drivers"

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
		/* Of two on one place the later covers the earlier. */
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

/* Every function of a virtio driver: which one a tag belongs to, sysfs says only since 6.10. */
static void add_virtio(struct graph *graph, const char *driver, const struct cause *cause)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	tree_path(path, PATH_VIRTIO_DRIVERS "/%s", driver);
	graph_names(graph, path, &names);
	for (size_t i = 0; i < names.n; i++)
		if (!tree_path(path, PATH_VIRTIO_DRIVERS "/%s/%s", driver, names.s[i]) &&
		    !tree_real_path(graph->root, path, real))
			graph_add_functions(graph, real, cause);
	stringset_clear(&names);
}

/*
 * An overlay's layers are paths of the time it was mounted at; a live system's are of an initramfs
 * that is gone. They are believed only where another mount holds them.
 */
static bool add_layers(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	static const char *const options[] = { "lowerdir", "upperdir" };
	char path[PATH_MAX];
	bool all = true;

	for (size_t o = 0; o < sizeof(options) / sizeof(options[0]); o++) {
		char *value;
		size_t size;

		if (mnt_fs_get_option(fs, options[o], &value, &size))
			continue;
		while (size) {
			struct libmnt_fs *holder;
			size_t len = 0, n = 0;

			for (; len < size && value[len] != ':'; len++) {
				if (value[len] == '\\' && len + 1 < size)
					len++;
				if (n + 1 < sizeof(path))
					path[n++] = value[len];
			}
			path[n] = '\0';
			holder = *path == '/' ? mount_holding(graph, path) : NULL;
			if (holder && holder != fs && graph->depth < GRAPH_MAX_DEPTH) {
				graph->depth++;
				filesystem_add(graph, holder, cause);
				graph->depth--;
			} else if (n) {
				all = false;
			}
			len += len < size;
			value += len;
			size -= len;
		}
	}
	return all;
}

/* xfs' log and realtime devices, f2fs' and bcachefs' further ones are mounted with it. */
static void add_device_option(struct graph *graph, struct libmnt_fs *fs, const char *option,
			      const struct cause *cause)
{
	char path[PATH_MAX], real[PATH_MAX], *value;
	size_t size;

	if (mnt_fs_get_option(fs, option, &value, &size) || size >= sizeof(path))
		return;
	memcpy(path, value, size);
	path[size] = '\0';
	if (!storage_find(graph, path, real))
		storage_add(graph, real, cause);
}

/* "/dev/sda1:/dev/sdb1" (bcachefs), or one path. Returns whether all of them are here. */
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

void filesystem_add(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	const char *type = mnt_fs_get_fstype(fs), *source = mnt_fs_get_srcpath(fs);
	dev_t devno = mnt_fs_get_devno(fs);
	char text[32], real[PATH_MAX];

	if (!type)
		type = "";
	if (!source)
		source = "";
	if (!strcmp(type, "zfs")) {
		pools_add_dataset(graph, source, cause);
		return;
	}
	if (!strcmp(type, "btrfs")) {
		storage_find(graph, source, real);
		pools_add_btrfs(graph, real, cause);
		return;
	}
	if (major(devno)) {
		snprintf(text, sizeof(text), "%u:%u", major(devno), minor(devno));
		if (!storage_path(graph, text, real)) {
			storage_add(graph, real, cause);
			add_device_option(graph, fs, "logdev", cause);
			add_device_option(graph, fs, "rtdev", cause);
			return;
		}
	} else if (!strcmp(type, "tmpfs") || !strcmp(type, "ramfs") || !strcmp(type, "rootfs")) {
		if (!cause->minor)
			graph_note(graph, "%s lies in memory (%s): nothing to protect for it",
				   cause->name, type);
		return;
	} else if (!strcmp(type, "overlay") && add_layers(graph, fs, cause)) {
		return;
	} else if (!strcmp(type, "9p") || !strcmp(type, "virtiofs")) {
		add_virtio(graph, *type == '9' ? "9pnet_virtio" : "virtiofs", cause);
		return;
	} else if (mnt_fs_is_netfs(fs)) {
		if (!cause->minor)
			graph_add_network(graph, cause, type);
		return;
	}
	if (add_source(graph, source, cause) || (cause->minor && !major(devno)))
		return;
	graph_note(graph,
		   "what lies under %s (%s) cannot be found out: every disk's function is protected",
		   cause->name, type);
	graph_add_all_disks(graph, cause);
}
