// SPDX-License-Identifier: GPL-2.0-or-later
/* From a file system, or a file on one, down to the devices under it; see need.h. */
#include <errno.h>
#include <sys/sysmacros.h>

#include "protect/graph.h"

#define PATH_VIRTIO_DRIVERS "sys/bus/virtio/drivers"

static struct libmnt_fs *mount_holding(struct need_ctx *ctx, const char *file)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs, *best = NULL;
	size_t best_len = 0;

	if (!iter) {
		ctx->err = -ENOMEM;
		return NULL;
	}
	while (!mnt_table_next_fs(ctx->mounts, iter, &fs)) {
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

void need_file(struct need_ctx *ctx, const char *file, const struct need *need)
{
	struct libmnt_fs *fs = *file == '/' ? mount_holding(ctx, file) : NULL;

	if (fs && ctx->depth < NEED_MAX_DEPTH) {
		ctx->depth++;
		need_mount(ctx, fs, need);
		ctx->depth--;
		return;
	}
	need_note(
		ctx,
		"no mounted file system holds %s, on which %s lies: every disk's function is protected",
		file, need->name);
	need_all_disks(ctx, need);
}

/* Every function of a virtio driver: which one a tag belongs to, sysfs says only since 6.10. */
static void need_virtio(struct need_ctx *ctx, const char *driver, const struct need *need)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	tree_path(path, PATH_VIRTIO_DRIVERS "/%s", driver);
	tree_names(ctx, path, &names);
	for (size_t i = 0; i < names.n; i++)
		if (!tree_path(path, PATH_VIRTIO_DRIVERS "/%s/%s", driver, names.s[i]) &&
		    !tree_real_path(ctx, path, real))
			need_functions(ctx, real, need);
	stringset_clear(&names);
}

/*
 * An overlay's layers are paths of the time it was mounted at; a live system's are of an initramfs
 * that is gone. They are believed only where another mount holds them.
 */
static bool need_layers(struct need_ctx *ctx, struct libmnt_fs *fs, const struct need *need)
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
			holder = *path == '/' ? mount_holding(ctx, path) : NULL;
			if (holder && holder != fs && ctx->depth < NEED_MAX_DEPTH) {
				ctx->depth++;
				need_mount(ctx, holder, need);
				ctx->depth--;
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
static void need_device_option(struct need_ctx *ctx, struct libmnt_fs *fs, const char *option,
			       const struct need *need)
{
	char path[PATH_MAX], real[PATH_MAX], *value;
	size_t size;

	if (mnt_fs_get_option(fs, option, &value, &size) || size >= sizeof(path))
		return;
	memcpy(path, value, size);
	path[size] = '\0';
	if (!storage_find(ctx, path, real))
		need_block(ctx, real, need);
}

/* "/dev/sda1:/dev/sdb1" (bcachefs), or one path. Returns whether all of them are here. */
static bool need_source(struct need_ctx *ctx, const char *source, const struct need *need)
{
	char path[PATH_MAX], real[PATH_MAX];
	bool all = *source;

	while (*source) {
		size_t len = strcspn(source, ":");

		if (tree_path(path, "%.*s", (int)len, source) || storage_find(ctx, path, real))
			all = false;
		else
			need_members(ctx, real, need);
		source += len + (source[len] == ':');
	}
	return all;
}

void need_mount(struct need_ctx *ctx, struct libmnt_fs *fs, const struct need *need)
{
	const char *type = mnt_fs_get_fstype(fs), *source = mnt_fs_get_srcpath(fs);
	dev_t devno = mnt_fs_get_devno(fs);
	char text[32], real[PATH_MAX];

	if (!type)
		type = "";
	if (!source)
		source = "";
	if (!strcmp(type, "zfs")) {
		need_dataset(ctx, source, need);
		return;
	}
	if (!strcmp(type, "btrfs")) {
		storage_find(ctx, source, real);
		need_btrfs(ctx, real, need);
		return;
	}
	if (major(devno)) {
		snprintf(text, sizeof(text), "%u:%u", major(devno), minor(devno));
		if (!storage_path(ctx, text, real)) {
			need_block(ctx, real, need);
			need_device_option(ctx, fs, "logdev", need);
			need_device_option(ctx, fs, "rtdev", need);
			return;
		}
	} else if (!strcmp(type, "tmpfs") || !strcmp(type, "ramfs") || !strcmp(type, "rootfs")) {
		if (!need->minor)
			need_note(ctx, "%s lies in memory (%s): nothing to protect for it",
				  need->name, type);
		return;
	} else if (!strcmp(type, "overlay") && need_layers(ctx, fs, need)) {
		return;
	} else if (!strcmp(type, "9p") || !strcmp(type, "virtiofs")) {
		need_virtio(ctx, *type == '9' ? "9pnet_virtio" : "virtiofs", need);
		return;
	} else if (mnt_fs_is_netfs(fs)) {
		if (!need->minor)
			need_network(ctx, need, type);
		return;
	}
	if (need_source(ctx, source, need) || (need->minor && !major(devno)))
		return;
	need_note(ctx,
		  "what lies under %s (%s) cannot be found out: every disk's function is protected",
		  need->name, type);
	need_all_disks(ctx, need);
}
