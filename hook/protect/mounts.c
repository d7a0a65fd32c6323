// SPDX-License-Identifier: GPL-2.0-or-later
/* Which file systems, swap and ESPs this host needs: mountinfo, fstab, swaps; see graph.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "protect/filesystem.h"
#include "protect/journal.h"
#include "protect/mounts.h"
#include "protect/pools.h"
#include "protect/requires.h"
#include "protect/storage.h"
#include "protect/udev.h"
#include "protect/unlock.h"
#include "util/file.h"

#define PATH_SWAPS	   "proc/swaps"
#define PATH_FSTAB	   "etc/fstab"
#define PATH_ZFS_POOLS	   "proc/spl/kstat/zfs"
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

static bool is_esp(struct graph *graph, const char *devno)
{
	const struct udev_record *record = udev_find(graph, devno);

	return record && (udev_is(record, UDEV_PART_TYPE, PART_TYPE_ESP) ||
			  udev_is(record, UDEV_PART_TYPE, "0xef"));
}

static bool is_esp_mount(struct graph *graph, struct libmnt_fs *fs)
{
	dev_t devno = mnt_fs_get_devno(fs);
	char text[32];

	snprintf(text, sizeof(text), "%u:%u", major(devno), minor(devno));
	return major(devno) && is_esp(graph, text);
}

/* ---- tables ---- */

static int ignore_bad_line(struct libmnt_table *table, const char *filename, int line)
{
	struct graph *graph = mnt_table_get_userdata(table);

	graph_note(graph, "/%s line %d cannot be read and is left out", filename, line);
	return 1;
}

struct libmnt_table *mounts_read(struct graph *graph, const char *path)
{
	struct libmnt_table *table;
	FILE *f = graph_open(graph, path);

	if (!f)
		return NULL;
	table = mnt_new_table();
	if (!table) {
		graph->err = -ENOMEM;
	} else {
		mnt_table_set_userdata(table, graph);
		mnt_table_set_parser_errcb(table, ignore_bad_line);
		if (mnt_table_parse_stream(table, f, path))
			graph_note(graph, "/%s cannot be read to its end", path);
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

static void collect_mount(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	graph_begin(graph);
	filesystem_add(graph, fs, cause);
	storage_end(graph, cause);
}

static void collect_needed_mount(struct graph *graph, struct libmnt_fs *fs, bool optional)
{
	const struct cause cause = { .kind = CAUSE_HOLDS,
				     .name = mnt_fs_get_target(fs),
				     .minor = optional,
				     .optional = optional };

	collect_mount(graph, fs, &cause);
}

static void collect_mounts(struct graph *graph)
{
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	for (size_t i = 0; i < N_WANTED; i++) {
		fs = mounts_at(graph->mounts, wanted[i]);
		if (fs)
			collect_needed_mount(graph, fs, false);
	}
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!iter) {
		graph->err = -ENOMEM;
		return;
	}
	while (!mnt_table_next_fs(graph->mounts, iter, &fs)) {
		const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);

		if (!target || !type || is_wanted(target))
			continue;
		if (is_esp_mount(graph, fs))
			collect_needed_mount(graph, fs, false);
		else if (is_below_wanted(target) && strcmp(type, "overlay"))
			collect_needed_mount(graph, fs, true);
	}
	mnt_free_iter(iter);
}

/* ---- what is named: fstab and swaps ---- */

bool mounts_add_spec(struct graph *graph, const char *spec, const struct cause *cause)
{
	const char *equals = strchr(spec, '=');
	char tag[16];

	if (*spec == '/' || !equals || equals - spec >= (ptrdiff_t)sizeof(tag))
		return mounts_add_named(graph, NULL, spec, cause);
	memcpy(tag, spec, (size_t)(equals - spec));
	tag[equals - spec] = '\0';
	return mounts_add_named(graph, tag, equals + 1, cause);
}

bool mounts_add_named(struct graph *graph, const char *tag, const char *value,
		      const struct cause *cause)
{
	char real[PATH_MAX], *dev;
	bool found = false;

	for (size_t i = 0; tag && i < graph->records; i++) {
		if (udev_has_tag(&graph->record[i], tag, value) &&
		    !storage_path(graph, graph->record[i].devno, real)) {
			pools_add_members(graph, real, cause);
			found = true;
		}
	}
	if (tag && !found && graph->root->is_host) {
		/* Without udev's database blkid looks at the disks themselves, if it may. */
		dev = mnt_resolve_tag(tag, value, NULL);
		if (dev && !storage_find(graph, dev, real)) {
			pools_add_members(graph, real, cause);
			found = true;
		}
		free(dev);
	}
	if (!tag && !storage_find(graph, value, real)) {
		pools_add_members(graph, real, cause);
		found = true;
	}
	if (tag || found || !starts_with(value, "/dev/mapper/") || graph->depth >= GRAPH_MAX_DEPTH)
		return found;
	/* A mapping that is not open now. */
	graph->depth++;
	found = unlock_add_closed(graph, value + strlen("/dev/mapper/"), cause);
	graph->depth--;
	return found;
}

/* What is in no database may be on any disk; what is on no disk of a full database is not here. */
static void collect_named(struct graph *graph, const char *tag, const char *value,
			  const char *where, const struct cause *cause)
{
	graph_begin(graph);
	if (!mounts_add_named(graph, tag, value, cause)) {
		if (graph->records) {
			graph_note(graph, "%s: %s%s%s (%s) is on no disk that is here now", where,
				   tag ? tag : "", tag ? "=" : "", value, cause->name);
		} else {
			graph_note(
				graph,
				"%s: %s%s%s (%s) cannot be looked up, udev's database is empty: every disk's function is protected",
				where, tag ? tag : "", tag ? "=" : "", value, cause->name);
			graph_add_all_disks(graph, cause);
		}
	}
	storage_end(graph, cause);
}

static bool is_esp_entry(struct graph *graph, struct libmnt_fs *fs)
{
	const char *tag, *value;

	if (mnt_fs_get_tag(fs, &tag, &value))
		return false;
	for (size_t i = 0; i < graph->records; i++)
		if (udev_has_tag(&graph->record[i], tag, value) &&
		    is_esp(graph, graph->record[i].devno))
			return true;
	return false;
}

/*
 * Without nofail and noauto a boot ends in emergency mode when it is not there (systemd.mount(5)); an
 * automount is only set up, not mounted. A unit that the line names requires it all the same.
 */
static bool must_be_mounted(struct libmnt_fs *fs)
{
	static const char *const options[] = { "nofail", "noauto", "x-systemd.automount" };

	if (!mnt_fs_get_option(fs, "x-systemd.required-by", NULL, NULL))
		return true;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!mnt_fs_get_option(fs, options[i], NULL, NULL))
			return false;
	return true;
}

/* Fills in the cause. Returns whether the host needs what the entry names. */
static bool is_needed_entry(struct graph *graph, struct libmnt_fs *fs, struct cause *cause)
{
	const char *target = mnt_fs_get_target(fs);
	bool is_bind = !mnt_fs_get_option(fs, "bind", NULL, NULL) ||
		       !mnt_fs_get_option(fs, "rbind", NULL, NULL);

	*cause = (struct cause){ .kind = CAUSE_HOLDS, .name = target };
	if (mnt_fs_is_swaparea(fs)) {
		cause->name = "swap";
		return true;
	}
	if (!target || *target != '/' ||
	    (mnt_fs_is_pseudofs(fs) && !is_bind &&
	     !filesystem_is_on_something(mnt_fs_get_fstype(fs))))
		return false;
	if (is_wanted(target) || is_esp_entry(graph, fs))
		return true;
	cause->minor = true;
	cause->optional = !must_be_mounted(fs);
	return !cause->optional || is_below_wanted(target);
}

static void collect_fstab_entry(struct graph *graph, struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_srcpath(fs), *type = mnt_fs_get_fstype(fs), *tag, *value;
	struct libmnt_fs *mounted;
	char real[PATH_MAX];
	struct cause cause;

	if (!is_needed_entry(graph, fs, &cause))
		return;
	graph_begin(graph);
	if (!cause.optional)
		requires_add_entry(graph, fs, &cause);
	filesystem_add_options(graph, fs, &cause);
	storage_end(graph, &cause);
	mounted = cause.minor ? mounts_at(graph->mounts, cause.name) : NULL;
	if (mounted)
		collect_mount(graph, mounted, &cause);
	if (!mnt_fs_get_tag(fs, &tag, &value)) {
		collect_named(graph, tag, value, "/" PATH_FSTAB, &cause);
	} else if (source && starts_with(source, "/dev/")) {
		/* Nobody knows what /dev/root was; what is mounted was found by its number. */
		if (strcmp(source, "/dev/root") || !mounts_at(graph->mounts, cause.name))
			collect_named(graph, NULL, source, "/" PATH_FSTAB, &cause);
		if (type && !storage_find(graph, source, real))
			journal_add(graph, real, type, &cause);
	} else if (!mounted) {
		graph_begin(graph);
		filesystem_add_entry(graph, fs, &cause);
		storage_end(graph, &cause);
	}
}

static void collect_fstab(struct graph *graph)
{
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	if (!graph->fstab)
		return;
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!iter)
		graph->err = -ENOMEM;
	while (iter && !mnt_table_next_fs(graph->fstab, iter, &fs))
		collect_fstab_entry(graph, fs);
	mnt_free_iter(iter);
}

static void collect_swaps(struct graph *graph, enum cause_kind kind)
{
	struct libmnt_table *swaps = mounts_read(graph, PATH_SWAPS);
	const struct cause cause = { .kind = kind, .name = "swap" };
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	if (!swaps)
		return;
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!iter)
		graph->err = -ENOMEM;
	while (iter && !mnt_table_next_fs(swaps, iter, &fs)) {
		const char *source = mnt_fs_get_source(fs), *type = mnt_fs_get_swaptype(fs);
		char real[PATH_MAX];

		if (!source)
			continue;
		graph_begin(graph);
		if (type && !strcmp(type, "file")) {
			filesystem_add_file(graph, source, &cause);
		} else if (!storage_find(graph, source, real)) {
			storage_add(graph, real, &cause);
		} else {
			graph_note(
				graph,
				"swap is on %s, which sysfs does not have: every disk's function is protected",
				source);
			graph_add_all_disks(graph, &cause);
		}
		storage_end(graph, &cause);
	}
	mnt_free_iter(iter);
	mnt_unref_table(swaps);
}

/* ---- ESPs that are mounted by nobody ---- */

/* One UUID a line, of the vfat (proxmox-boot-tool init writes it). */
static void collect_proxmox_esps(struct graph *graph)
{
	FILE *f = graph_open(graph, PATH_PROXMOX_UUIDS);
	char *line = NULL, name[64];
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		struct cause cause = { .kind = CAUSE_HOLDS, .name = name };
		char *save, *uuid = strtok_r(line, " \t\r\n", &save);

		if (!uuid || *uuid == '#')
			continue;
		snprintf(name, sizeof(name), "the ESP %s", uuid);
		collect_named(graph, "UUID", uuid, "/" PATH_PROXMOX_UUIDS, &cause);
	}
	free(line);
	fclose(f);
}

/* An EFI variable in efivarfs: four bytes of attributes, then here UTF-16 with hex and hyphens. */
static void collect_booted_esp(struct graph *graph)
{
	const struct cause cause = { .kind = CAUSE_HOLDS, .name = "the ESP booted from" };
	char raw[128], uuid[64];
	ssize_t len;
	size_t n = 0;
	int fd = file_open(graph->root->fd, PATH_LOADER_PARTUUID);

	if (fd < 0)
		return;
	len = read(fd, raw, sizeof(raw));
	close(fd);
	for (ssize_t i = 4; i + 1 < len && raw[i] && n + 1 < sizeof(uuid); i += 2)
		uuid[n++] = raw[i];
	uuid[n] = '\0';
	if (n)
		collect_named(graph, "PARTUUID", uuid, "LoaderDevicePartUUID", &cause);
}

void mounts_collect(struct graph *graph)
{
	graph->fstab = mounts_read(graph, PATH_FSTAB);
	collect_mounts(graph);
	collect_fstab(graph);
	collect_swaps(graph, CAUSE_HOLDS);
	collect_proxmox_esps(graph);
	collect_booted_esp(graph);
	mnt_unref_table(graph->fstab);
	graph->fstab = NULL;
}

void mounts_collect_root(struct graph *graph)
{
	struct libmnt_fs *fs = graph->mounts ? mounts_at(graph->mounts, "/") : NULL;

	if (fs)
		collect_needed_mount(graph, fs, false);
}

/* ---- what is in use ---- */

/* A volume that a logical volume manager, multipath or the administrator has set up, by its name. */
static void collect_used_mapping(struct graph *graph, const char *dir)
{
	char dm[256], uuid[256], volume[sizeof(dm)], text[2 * sizeof(dm)], real[PATH_MAX];
	const struct cause cause = { .kind = CAUSE_IN_USE, .name = text };

	if (tree_real_path(graph->root, dir, real) ||
	    tree_attr(graph->root, dir, "dm/name", dm, sizeof(dm)))
		return;
	tree_attr(graph->root, dir, "dm/uuid", uuid, sizeof(uuid));
	if (starts_with(uuid, "LVM-"))
		storage_volume_name(dm, volume, sizeof(volume));
	else
		snprintf(volume, sizeof(volume), "%s", dm);
	snprintf(text, sizeof(text), "volume %s", volume);
	graph_begin(graph);
	storage_add(graph, real, &cause);
}

static void collect_used_blocks(struct graph *graph)
{
	char dir[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	graph_names(graph, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n; i++) {
		const struct cause cause = { .kind = CAUSE_IN_USE, .name = names.s[i] };

		tree_path(dir, PATH_BLOCK "/%s", names.s[i]);
		if (starts_with(names.s[i], "dm-")) {
			collect_used_mapping(graph, dir);
		} else if ((starts_with(names.s[i], "md") || starts_with(names.s[i], "bcache")) &&
			   !tree_real_path(graph->root, dir, real)) {
			graph_begin(graph);
			storage_add(graph, real, &cause);
		}
	}
	stringset_clear(&names);
}

/* ZFS has a directory for each imported pool, mounted or only of volumes. */
static void collect_used_pools(struct graph *graph)
{
	char path[PATH_MAX], text[NAME_MAX + 8];
	const struct cause cause = { .kind = CAUSE_IN_USE, .name = text, .optional = true };
	struct stringset names;

	graph_names(graph, PATH_ZFS_POOLS, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (tree_path(path, PATH_ZFS_POOLS "/%s/state", names.s[i]) ||
		    !tree_exists(graph->root, path))
			continue;
		snprintf(text, sizeof(text), "pool %s", names.s[i]);
		graph_begin(graph);
		pools_add_dataset(graph, names.s[i], &cause);
	}
	stringset_clear(&names);
}

void mounts_collect_used(struct graph *graph)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;

	if (!iter) {
		graph->err = -ENOMEM;
		return;
	}
	while (!mnt_table_next_fs(graph->mounts, iter, &fs)) {
		const struct cause cause = { .kind = CAUSE_IN_USE,
					     .name = mnt_fs_get_target(fs),
					     .optional = true };

		if (cause.name && !mnt_fs_is_pseudofs(fs))
			collect_mount(graph, fs, &cause);
	}
	mnt_free_iter(iter);
	collect_used_pools(graph);
	collect_used_blocks(graph);
	collect_swaps(graph, CAUSE_IN_USE);
}
