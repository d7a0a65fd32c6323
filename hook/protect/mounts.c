// SPDX-License-Identifier: GPL-2.0-or-later
/* Which file systems, swap and ESPs this host needs: mountinfo, fstab, swaps; see need.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "early/sysfs.h"
#include "protect/graph.h"

#define PATH_SWAPS	   "proc/swaps"
#define PATH_FSTAB	   "etc/fstab"
#define PATH_CRYPTTAB	   "etc/crypttab"
#define PATH_PROXMOX_UUIDS "etc/kernel/proxmox-boot-uuids"
/* systemd's Boot Loader Interface; GRUB's bli module sets it too. */
#define PATH_LOADER_PARTUUID \
	"sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

#define PART_TYPE_ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

/* ---- what is wanted ---- */

static const char *const wanted[] = { "/", "/usr", "/var", "/boot", "/efi", "/boot/efi" };

#define N_WANTED (sizeof(wanted) / sizeof(wanted[0]))

static bool is_wanted(const char *target)
{
	for (size_t i = 0; i < N_WANTED; i++)
		if (!strcmp(wanted[i], target))
			return true;
	return false;
}

/* /var/log on a disk of its own is as much needed as /var. */
static bool is_below_wanted(const char *target)
{
	for (size_t i = 1; i < N_WANTED; i++) {
		size_t len = strlen(wanted[i]);

		if (!strncmp(wanted[i], target, len) && target[len] == '/')
			return true;
	}
	return false;
}

static bool is_esp(struct need_ctx *ctx, const char *devno)
{
	const struct udev_record *record = udev_find(ctx, devno);

	return record && (udev_is(record, UDEV_PART_TYPE, PART_TYPE_ESP) ||
			  udev_is(record, UDEV_PART_TYPE, "0xef"));
}

static bool is_esp_mount(struct need_ctx *ctx, struct libmnt_fs *fs)
{
	dev_t devno = mnt_fs_get_devno(fs);
	char text[32];

	snprintf(text, sizeof(text), "%u:%u", major(devno), minor(devno));
	return major(devno) && is_esp(ctx, text);
}

/* ---- tables ---- */

static int ignore_bad_line(struct libmnt_table *table, const char *filename, int line)
{
	struct need_ctx *ctx = mnt_table_get_userdata(table);

	need_note(ctx, "/%s line %d cannot be read and is left out", filename, line);
	return 1;
}

struct libmnt_table *mounts_read(struct need_ctx *ctx, const char *path)
{
	struct libmnt_table *table;
	FILE *f = tree_open(ctx, path);

	if (!f)
		return NULL;
	table = mnt_new_table();
	if (!table) {
		ctx->err = -ENOMEM;
	} else {
		mnt_table_set_userdata(table, ctx);
		mnt_table_set_parser_errcb(table, ignore_bad_line);
		if (mnt_table_parse_stream(table, f, path))
			need_note(ctx, "/%s cannot be read to its end", path);
	}
	fclose(f);
	return table;
}

/* An automount's own entry is none. */
struct libmnt_fs *mounts_at(struct libmnt_table *mounts, const char *target)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs, *found = NULL;

	while (iter && !found && !mnt_table_next_fs(mounts, iter, &fs)) {
		const char *have = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);

		if (have && !strcmp(have, target) && !(type && !strcmp(type, "autofs")))
			found = fs;
	}
	mnt_free_iter(iter);
	return found;
}

/* ---- what is mounted ---- */

static void collect_mount(struct need_ctx *ctx, struct libmnt_fs *fs, bool minor)
{
	struct need need = { .why = NEED_HOLDS, .name = mnt_fs_get_target(fs), .minor = minor };

	need_begin(ctx);
	need_mount(ctx, fs, &need);
	need_end(ctx, &need);
}

static void collect_mounts(struct need_ctx *ctx)
{
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	for (size_t i = 0; i < N_WANTED; i++) {
		fs = mounts_at(ctx->mounts, wanted[i]);
		if (fs)
			collect_mount(ctx, fs, false);
	}
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!iter) {
		ctx->err = -ENOMEM;
		return;
	}
	while (!mnt_table_next_fs(ctx->mounts, iter, &fs)) {
		const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);

		if (!target || !type || is_wanted(target))
			continue;
		if (is_esp_mount(ctx, fs))
			collect_mount(ctx, fs, false);
		else if (is_below_wanted(target) && strcmp(type, "overlay"))
			collect_mount(ctx, fs, true);
	}
	mnt_free_iter(iter);
}

/* ---- what is named: fstab and swaps ---- */

/* A mapping that is not open now is looked up in crypttab: "NAME DEVICE ...". */
static bool crypttab_device(struct need_ctx *ctx, const char *name, char *device)
{
	FILE *f = tree_open(ctx, PATH_CRYPTTAB);
	char *line = NULL, *word, *save;
	bool found = false;
	size_t size = 0;

	if (!f)
		return false;
	while (!found && getline(&line, &size, f) > 0) {
		word = strtok_r(line, " \t\n", &save);
		if (!word || *word == '#' || strcmp(word, name))
			continue;
		word = strtok_r(NULL, " \t\n", &save);
		found = word && !tree_path(device, "%s", word);
	}
	free(line);
	fclose(f);
	return found;
}

/*
 * The device that fstab, crypttab or proxmox-boot-tool name, mounted or not.
 * @tag: "UUID" and the like, or NULL when @value is a path
 *
 * Returns whether there was one. More than one with the tag (a clone, a btrfs' members): all count.
 */
static bool need_named(struct need_ctx *ctx, const char *tag, const char *value,
		       const struct need *need)
{
	char real[PATH_MAX], device[PATH_MAX];
	bool found = false;

	for (size_t i = 0; tag && i < ctx->records; i++) {
		if (udev_has_tag(&ctx->record[i], tag, value) &&
		    !storage_path(ctx, ctx->record[i].devno, real)) {
			need_members(ctx, real, need);
			found = true;
		}
	}
	if (tag && !found && !*ctx->root) {
		/* Without udev's database blkid looks at the disks themselves, if it may. */
		char *dev = mnt_resolve_tag(tag, value, NULL);

		if (dev && !storage_find(ctx, dev, real)) {
			need_members(ctx, real, need);
			found = true;
		}
		free(dev);
	}
	if (!tag && !storage_find(ctx, value, real)) {
		need_members(ctx, real, need);
		found = true;
	}
	if (!tag && !found && starts_with(value, "/dev/mapper/") && ctx->depth < NEED_MAX_DEPTH &&
	    crypttab_device(ctx, value + strlen("/dev/mapper/"), device)) {
		char *equals = strchr(device, '=');

		ctx->depth++;
		if (*device != '/' && equals) {
			*equals = '\0';
			found = need_named(ctx, device, equals + 1, need);
		} else {
			found = need_named(ctx, NULL, device, need);
		}
		ctx->depth--;
	}
	return found;
}

/* What is in no database may be on any disk; what is on no disk of a full database is not here. */
static void collect_named(struct need_ctx *ctx, const char *tag, const char *value,
			  const char *where, const struct need *need)
{
	need_begin(ctx);
	if (!need_named(ctx, tag, value, need)) {
		if (ctx->records) {
			need_note(ctx, "%s: %s%s%s (%s) is on no disk that is here now", where,
				  tag ? tag : "", tag ? "=" : "", value, need->name);
		} else {
			need_note(
				ctx,
				"%s: %s%s%s (%s) cannot be looked up, udev's database is empty: every disk's function is protected",
				where, tag ? tag : "", tag ? "=" : "", value, need->name);
			need_all_disks(ctx, need);
		}
	}
	need_end(ctx, need);
}

static bool is_esp_entry(struct need_ctx *ctx, struct libmnt_fs *fs)
{
	const char *tag, *value;

	if (mnt_fs_get_tag(fs, &tag, &value))
		return false;
	for (size_t i = 0; i < ctx->records; i++)
		if (udev_has_tag(&ctx->record[i], tag, value) && is_esp(ctx, ctx->record[i].devno))
			return true;
	return false;
}

static void collect_fstab_entry(struct need_ctx *ctx, struct libmnt_fs *fs)
{
	const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);
	const char *source = mnt_fs_get_srcpath(fs), *tag, *value;
	bool is_bind = !mnt_fs_get_option(fs, "bind", NULL, NULL) ||
		       !mnt_fs_get_option(fs, "rbind", NULL, NULL);
	struct need need = { .why = NEED_HOLDS, .name = target };

	if (mnt_fs_is_swaparea(fs)) {
		need.name = "swap";
	} else {
		if (!target || (mnt_fs_is_pseudofs(fs) && !is_bind))
			return;
		need.minor = !is_wanted(target) && !is_esp_entry(ctx, fs);
		if (need.minor && !is_below_wanted(target))
			return;
	}
	if (!mnt_fs_get_tag(fs, &tag, &value)) {
		collect_named(ctx, tag, value, "/" PATH_FSTAB, &need);
		return;
	}
	if (!source)
		return;
	if (type && !strcmp(type, "zfs")) {
		need_begin(ctx);
		need_dataset(ctx, source, &need);
		need_end(ctx, &need);
	} else if (mnt_fs_is_netfs(fs)) {
		if (!need.minor)
			need_network(ctx, &need, type);
	} else if (starts_with(source, "/dev/")) {
		/* Nobody knows what /dev/root was; what is mounted was found by its number. */
		if (strcmp(source, "/dev/root") || !mounts_at(ctx->mounts, target))
			collect_named(ctx, NULL, source, "/" PATH_FSTAB, &need);
	} else if (*source == '/') {
		/* A bind mount, a swap file, an image: what holds the file. */
		need_begin(ctx);
		need_file(ctx, source, &need);
		need_end(ctx, &need);
	}
}

static void collect_fstab(struct need_ctx *ctx)
{
	struct libmnt_table *fstab = mounts_read(ctx, PATH_FSTAB);
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	if (!fstab)
		return;
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!iter)
		ctx->err = -ENOMEM;
	while (iter && !mnt_table_next_fs(fstab, iter, &fs))
		collect_fstab_entry(ctx, fs);
	mnt_free_iter(iter);
	mnt_unref_table(fstab);
}

static void collect_swaps(struct need_ctx *ctx)
{
	struct libmnt_table *swaps = mounts_read(ctx, PATH_SWAPS);
	const struct need need = { .why = NEED_HOLDS, .name = "swap" };
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	if (!swaps)
		return;
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!iter)
		ctx->err = -ENOMEM;
	while (iter && !mnt_table_next_fs(swaps, iter, &fs)) {
		const char *source = mnt_fs_get_source(fs), *type = mnt_fs_get_swaptype(fs);
		char real[PATH_MAX];

		if (!source)
			continue;
		need_begin(ctx);
		if (type && !strcmp(type, "file")) {
			need_file(ctx, source, &need);
		} else if (!storage_find(ctx, source, real)) {
			need_block(ctx, real, &need);
		} else {
			need_note(
				ctx,
				"swap is on %s, which sysfs does not have: every disk's function is protected",
				source);
			need_all_disks(ctx, &need);
		}
		need_end(ctx, &need);
	}
	mnt_free_iter(iter);
	mnt_unref_table(swaps);
}

/* ---- ESPs that are mounted by nobody ---- */

/* One UUID a line, of the vfat (proxmox-boot-tool init writes it). */
static void collect_proxmox_esps(struct need_ctx *ctx)
{
	FILE *f = tree_open(ctx, PATH_PROXMOX_UUIDS);
	char *line = NULL, name[64];
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		struct need need = { .why = NEED_HOLDS, .name = name };
		char *save, *uuid = strtok_r(line, " \t\r\n", &save);

		if (!uuid || *uuid == '#')
			continue;
		snprintf(name, sizeof(name), "the ESP %s", uuid);
		collect_named(ctx, "UUID", uuid, "/" PATH_PROXMOX_UUIDS, &need);
	}
	free(line);
	fclose(f);
}

/* An EFI variable in efivarfs: four bytes of attributes, then here UTF-16 with hex and hyphens. */
static void collect_booted_esp(struct need_ctx *ctx)
{
	const struct need need = { .why = NEED_HOLDS, .name = "the ESP booted from" };
	char raw[128], uuid[64];
	ssize_t len;
	size_t n = 0;
	int fd = sysfs_open(ctx->rootfd, PATH_LOADER_PARTUUID);

	if (fd < 0)
		return;
	len = read(fd, raw, sizeof(raw));
	close(fd);
	for (ssize_t i = 4; i + 1 < len && raw[i] && n + 1 < sizeof(uuid); i += 2)
		uuid[n++] = raw[i];
	uuid[n] = '\0';
	if (n)
		collect_named(ctx, "PARTUUID", uuid, "LoaderDevicePartUUID", &need);
}

void mounts_collect(struct need_ctx *ctx)
{
	collect_mounts(ctx);
	collect_fstab(ctx);
	collect_swaps(ctx);
	collect_proxmox_esps(ctx);
	collect_booted_esp(ctx);
}
