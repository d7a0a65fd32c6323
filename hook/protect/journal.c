// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices that a superblock names; see journal.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "early/sysfs.h"
#include "protect/journal.h"
#include "protect/storage.h"
#include "protect/udev.h"

#define PATH_JBD2 "proc/fs/jbd2"

#define SUPERBLOCK_SIZE 4096

static unsigned int le32(const unsigned char *p)
{
	return p[0] | (unsigned int)p[1] << 8 | (unsigned int)p[2] << 16 | (unsigned int)p[3] << 24;
}

/* The kernel's new_decode_dev() (include/linux/kdev_t.h). */
static void format_devno(unsigned int dev, char text[32])
{
	snprintf(text, 32, "%u:%u", (dev & 0xfff00) >> 8, (dev & 0xff) | ((dev >> 12) & 0xfff00));
}

/* Returns whether a superblock of this magic could be read from the device's node in /dev. */
static bool read_superblock(struct graph *graph, const char *device, off_t offset, size_t at,
			    const char *magic, unsigned char *block)
{
	char path[PATH_MAX];
	const char *slash = strrchr(device, '/');
	struct stat st;
	bool ok;
	int fd;

	if (!slash || tree_path(path, "dev/%s", slash + 1))
		return false;
	for (char *c = path; *c; c++)
		if (*c == '!')
			*c = '/';
	fd = sysfs_open(graph->root->fd, path);
	if (fd < 0)
		return false;
	ok = !fstat(fd, &st) && (S_ISBLK(st.st_mode) || S_ISREG(st.st_mode)) &&
	     pread(fd, block, SUPERBLOCK_SIZE, offset) == SUPERBLOCK_SIZE &&
	     !memcmp(block + at, magic, strlen(magic));
	close(fd);
	return ok;
}

static void add_unread(struct graph *graph, const char *type, const struct cause *cause)
{
	if (cause->kind == CAUSE_IN_USE)
		return;
	graph_note(
		graph,
		"the superblock of %s (%s) cannot be read, which may name a further device: every "
		"disk's function is protected",
		cause->name, type);
	graph_add_all_disks(graph, cause);
}

void journal_add_number(struct graph *graph, unsigned int dev, const char *type,
			const struct cause *cause)
{
	char text[32], real[PATH_MAX];

	format_devno(dev, text);
	if (!storage_path(graph, text, real))
		storage_add(graph, real, cause);
	else
		add_unread(graph, type, cause);
}

/* ---- ext3, ext4 ---- */

/* fs/ext4/ext4.h, struct ext4_super_block, at 1024. */
enum {
	EXT_MAGIC = 0x38,
	EXT_COMPAT = 0x5c,
	EXT_JOURNAL_UUID = 0xd0,
	EXT_JOURNAL_INUM = 0xe0,
	EXT_HAS_JOURNAL = 4,
};

/* A journal of its own is called by its inode there: "sda1-8" (fs/jbd2/journal.c). */
static bool has_internal_journal(struct graph *graph, const char *device)
{
	const char *name = strrchr(device, '/') + 1;
	struct stringset names;
	bool found = false;

	graph_names(graph, PATH_JBD2, &names);
	for (size_t i = 0; i < names.n && !found; i++)
		found = starts_with(names.s[i], name) && names.s[i][strlen(name)] == '-';
	stringset_clear(&names);
	return found;
}

/* @uuid: of the journal, or NULL when any may be it. Returns whether there was one. */
static bool add_journals(struct graph *graph, const char *uuid, const struct cause *cause)
{
	char real[PATH_MAX];
	bool any = false;

	for (size_t i = 0; i < graph->records; i++) {
		const struct udev_record *r = &graph->record[i];

		if (udev_is(r, UDEV_FS_TYPE, "jbd") && (!uuid || udev_is(r, UDEV_FS_UUID, uuid)) &&
		    !storage_path(graph, r->devno, real)) {
			storage_add(graph, real, cause);
			any = true;
		}
	}
	return any;
}

static void add_ext(struct graph *graph, const char *device, const char *type,
		    const struct cause *cause)
{
	unsigned char block[SUPERBLOCK_SIZE];
	struct cause may = *cause;
	char uuid[40], *pos = uuid;

	if (may.kind == CAUSE_HOLDS)
		may.kind = CAUSE_MAY_LOG;
	if (!read_superblock(graph, device, 1024, EXT_MAGIC, "\x53\xef", block)) {
		if (!has_internal_journal(graph, device))
			add_journals(graph, NULL, &may);
		return;
	}
	if (!(le32(block + EXT_COMPAT) & EXT_HAS_JOURNAL) || le32(block + EXT_JOURNAL_INUM))
		return;
	for (int i = 0; i < 16; i++)
		pos += sprintf(pos, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       block[EXT_JOURNAL_UUID + i]);
	if (!add_journals(graph, uuid, cause) && !add_journals(graph, NULL, &may))
		add_unread(graph, type, cause);
}

/* ---- jfs, reiserfs, f2fs ---- */

/* fs/jfs/jfs_superblock.h, at 32 KiB. */
static void add_jfs(struct graph *graph, const char *device, const char *type,
		    const struct cause *cause)
{
	enum {
		FLAG = 36,
		LOGDEV = 64,
		INLINE_LOG = 0x800
	};
	unsigned char block[SUPERBLOCK_SIZE];

	if (!read_superblock(graph, device, 0x8000, 0, "JFS1", block))
		add_unread(graph, type, cause);
	else if (!(le32(block + FLAG) & INLINE_LOG))
		journal_add_number(graph, le32(block + LOGDEV), type, cause);
}

/* fs/reiserfs/reiserfs.h (gone from 6.13 on), struct reiserfs_super_block_v1, at 64 KiB. */
static void add_reiserfs(struct graph *graph, const char *device, const char *type,
			 const struct cause *cause)
{
	enum {
		JOURNAL_DEV = 16,
		MAGIC = 52
	};
	unsigned char block[SUPERBLOCK_SIZE];

	if (!read_superblock(graph, device, 0x10000, MAGIC, "ReIsEr", block))
		add_unread(graph, type, cause);
	else if (le32(block + JOURNAL_DEV))
		journal_add_number(graph, le32(block + JOURNAL_DEV), type, cause);
}

/* include/linux/f2fs_fs.h, struct f2fs_super_block, at 1024: eight devices by their paths. */
static void add_f2fs(struct graph *graph, const char *device, const char *type,
		     const struct cause *cause)
{
	enum {
		DEVICES = 2201,
		DEVICE_SIZE = 68,
		PATH_SIZE = 64,
		MAX_DEVICES = 8
	};
	unsigned char block[SUPERBLOCK_SIZE];
	char path[PATH_SIZE + 1] = "", real[PATH_MAX];

	if (!read_superblock(graph, device, 1024, 0, "\x10\x20\xf5\xf2", block)) {
		add_unread(graph, type, cause);
		return;
	}
	for (int i = 0; i < MAX_DEVICES; i++) {
		memcpy(path, block + DEVICES + i * DEVICE_SIZE, PATH_SIZE);
		if (!*path)
			return;
		if (!storage_find(graph, path, real))
			storage_add(graph, real, cause);
		else
			add_unread(graph, type, cause);
	}
}

static const struct {
	const char *type;
	void (*add)(struct graph *graph, const char *device, const char *type,
		    const struct cause *cause);
} types[] = {
	{ "ext3", add_ext },  { "ext4", add_ext },	    { "jfs", add_jfs },
	{ "f2fs", add_f2fs }, { "reiserfs", add_reiserfs },
};

void journal_add(struct graph *graph, const char *device, const char *type,
		 const struct cause *cause)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i].type))
			types[i].add(graph, device, type, cause);
}
