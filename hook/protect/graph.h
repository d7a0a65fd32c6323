/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of protect.h: the files that find out what this host needs, and what they share. Nothing
 * else includes this.
 *
 *   tree.c        reads below the root
 *   udev.c        udev's database
 *   need.c        the funnel: a real path in sysfs becomes the functions that are needed
 *   storage.c     from a block device down
 *   pools.c       file systems on more than one device
 *   filesystem.c  from a file system down
 *   mounts.c      which file systems, swap and ESPs there are
 *   routes.c      which interfaces have a default route or an address
 *   network.c     from an interface down
 *   protect.c     is this the host at all? The order of the walks, and their result as a list
 *
 * Every walk ends in need_functions(). All obey one rule: what cannot be found out protects more,
 * never less, and leaves a note that says so. Memory that ran out sets ctx->err and changes nothing
 * else: a walk goes on, and its result is thrown away in the end.
 *
 * "A real path" is one in sysfs without a link in it, relative to the root: "sys/devices/...".
 */
#ifndef VFIO_EARLY_HOOK_PROTECT_GRAPH_H
#define VFIO_EARLY_HOOK_PROTECT_GRAPH_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libmount/libmount.h>

#include "early/paths.h"
#include "early/selector.h"
#include "util/stringset.h"

/* Relative to the root, as in early/paths.h; what more than one of these files reads. */
#define PATH_BLOCK     "sys/block"
#define PATH_CLASS_NET "sys/class/net"

#define NEED_MAX_DEPTH 16 /* files on loops on files */

/* Why a function is needed; protect.c has the words. */
enum need_why {
	NEED_HOLDS,
	NEED_COMPLETES, /* lies in the volume group, not under the volume */
	NEED_MAY_HOLD,
	NEED_ROUTE,
	NEED_MAY_ROUTE,
	NEED_ADDRESS,
	NEED_REACHES,
	NEED_WHYS
};

/* One thing that the host needs. */
struct need {
	enum need_why why;
	const char *name; /* "/", "swap", "vmbr0" */
	bool minor;	  /* a mount below a better known one: only named where nothing else is */
};

struct need_below {
	struct pci_address addr;
	bool is_vf; /* else: behind this bridge */
};

/* A function that is needed: for itself, for what is below it, or both. */
struct need_node {
	struct pci_address addr;
	struct stringset names[NEED_WHYS];
	struct need_below *below;
	size_t belows;
};

struct need_ctx {
	const char *root; /* resolved, without the ending slash: "" is this very machine */
	int rootfd;
	int err; /* the first -ENOMEM; from then on nothing counts */
	unsigned int depth;
	struct libmnt_table *mounts;
	struct udev_record *record;
	size_t records;
	struct need_node *node;
	size_t nodes;
	struct stringset seen; /* paths that the walk under way has gone through */
	struct stringset vgs;  /* UUIDs of the volume groups that it went through */
	struct stringset notes;
};

static inline bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* ---- tree.c ---- */

/* tree_path - snprintf() into PATH_MAX bytes. Returns 0 or -ENAMETOOLONG; @path is then "". */
__attribute__((format(printf, 2, 3))) int tree_path(char *path, const char *format, ...);

/* tree_exists - is there such a file or directory below the root? */
bool tree_exists(const struct need_ctx *ctx, const char *path);

/* tree_open - a file as a stream for reading, or NULL when it cannot be opened. */
FILE *tree_open(const struct need_ctx *ctx, const char *path);

/*
 * tree_read - what one read() of a file gives, at most @size - 1 bytes of it.
 * @buf: gets the text, NUL-ended, without white space at its end; "" on failure
 *
 * Returns 0 or -errno.
 */
int tree_read(const struct need_ctx *ctx, const char *path, char *buf, size_t size);

/* tree_attr - the same for the attribute @name of a directory in sysfs. */
int tree_attr(const struct need_ctx *ctx, const char *dir, const char *name, char *buf,
	      size_t size);

/*
 * tree_names - the names in a directory in byte order, those with a dot in front left out. A
 * directory that is not there has none.
 * @names: filled in; to be given to stringset_clear() either way
 *
 * Returns 0 or -errno.
 */
int tree_names(struct need_ctx *ctx, const char *path, struct stringset *names);

/*
 * tree_real_path - where a path in sysfs really is.
 * @real: PATH_MAX bytes; "" on failure
 *
 * Returns 0 or -errno; -EXDEV when a link of a recorded tree leads out of it.
 */
int tree_real_path(const struct need_ctx *ctx, const char *path, char *real);

/* ---- udev.c: run/udev/data/bMAJ:MIN (systemd, src/libsystemd/sd-device, device_update_db()) ---- */

/* What of a block device's properties is kept. */
enum udev_key {
	UDEV_FS_TYPE,
	UDEV_FS_UUID,
	UDEV_FS_LABEL,
	UDEV_FS_LABEL_ENC,
	UDEV_FS_AMBIVALENT,
	UDEV_PART_UUID,
	UDEV_PART_NAME,
	UDEV_PART_TYPE,
	UDEV_KEYS
};

/* What udev knows of one block device. */
struct udev_record {
	char *devno; /* "8:1" */
	char *value[UDEV_KEYS];
	struct stringset links; /* below /dev */
};

/* udev_read - fill in ctx->record. No database is no error: then there are none. */
void udev_read(struct need_ctx *ctx);

/* udev_clear - free what udev_read() filled in. */
void udev_clear(struct need_ctx *ctx);

/* udev_find - the record of a device number, "8:1", or NULL. */
const struct udev_record *udev_find(const struct need_ctx *ctx, const char *devno);

/* udev_is - has the device that property with that value, in whatever case? */
bool udev_is(const struct udev_record *record, enum udev_key key, const char *value);

/*
 * udev_has_tag - does a device carry the tag of an fstab entry?
 * @tag: "UUID", "PARTUUID" (both compared in whatever case), "LABEL" or "PARTLABEL"
 */
bool udev_has_tag(const struct udev_record *record, const char *tag, const char *value);

/* ---- need.c ---- */

/* need_add_name - stringset_add() that minds ctx->err. Returns whether it is new. */
bool need_add_name(struct need_ctx *ctx, struct stringset *set, const char *s);

/* need_note - a whole sentence, without the full stop, of what could not be found out. */
__attribute__((format(printf, 2, 3))) void need_note(struct need_ctx *ctx, const char *format, ...);

/* need_make_printable - '?' for what would end a line of the plan ('#' too) or upset a terminal. */
void need_make_printable(char *s);

/* need_node_at - the node of a function, made when there is none yet. NULL: memory ran out. */
struct need_node *need_node_at(struct need_ctx *ctx, const struct pci_address *addr);

/*
 * need_functions - the PCI functions on the way to a device. The last one does the work, those
 * before it are the bridges (or the VMD) that it hangs on; a virtual function dies with its physical
 * one. All of them get a node.
 * @path: the device's real path
 *
 * Returns how many functions the path goes through; 0 for a board's own or a virtual device.
 */
unsigned int need_functions(struct need_ctx *ctx, const char *path, const struct need *need);

/* need_all_disks - every function that has a disk, for a thing that may lie on any. */
void need_all_disks(struct need_ctx *ctx, const struct need *need);

/*
 * need_all_nics - every network function that is not down, for what hangs on an interface nobody can
 * name.
 * @name: of the thing, for the reason
 */
void need_all_nics(struct need_ctx *ctx, enum need_why why, const char *name);

/*
 * need_network - a file system or disk that is reached over the network, by an interface that
 * nothing names. Says so.
 * @over: "iSCSI", "nfs4"
 */
void need_network(struct need_ctx *ctx, const struct need *need, const char *over);

/*
 * need_begin, need_end - around the walk of one need: what one has gone through another may go
 * through again. The volume groups that were met come last: a disk that holds a volume is better
 * named for that.
 */
void need_begin(struct need_ctx *ctx);
void need_end(struct need_ctx *ctx, const struct need *need);

/* ---- storage.c ---- */

/* storage_path - the real path of a device number, "8:1". Returns 0 or -errno. */
int storage_path(const struct need_ctx *ctx, const char *devno, char *real);

/*
 * storage_find - the real path of the block device behind a path in /dev: by its number on this very
 * machine; else by the device mapper's names, udev's links and the kernel's name.
 *
 * Returns 0, or -errno: -ENOENT when there is none.
 */
int storage_find(struct need_ctx *ctx, const char *dev, char *real);

/*
 * need_block - a block device and all that it stands on: LVM, MD, dm-crypt and multipath by
 * slaves/, bcache, loop, NVMe's own multipath, zram's backing device, a ZFS volume's pool.
 * @path: its real path; a partition's or a disk's
 */
void need_block(struct need_ctx *ctx, const char *path, const struct need *need);

/*
 * need_volume_group - all physical volumes of a volume group: with one gone it is not activated at
 * boot (lvm2, pvscan --checkcomplete in 69-dm-lvm.rules).
 * @uuid: as sysfs has it, without hyphens
 */
void need_volume_group(struct need_ctx *ctx, const char *uuid, const struct need *need);

/* ---- pools.c ---- */

/*
 * need_dataset - every device that may belong to the ZFS pool of a dataset.
 * @dataset: "rpool/ROOT/pve-1", or NULL for one of any pool
 */
void need_dataset(struct need_ctx *ctx, const char *dataset, const struct need *need);

/*
 * need_btrfs - all devices of a mounted or unmounted btrfs.
 * @device: the real path of one of them, or "" when it is not known: then all btrfs counts
 */
void need_btrfs(struct need_ctx *ctx, const char *device, const struct need *need);

/* need_members - a device by its real path, and the others of its file system (btrfs, bcachefs). */
void need_members(struct need_ctx *ctx, const char *device, const struct need *need);

/* ---- filesystem.c ---- */

/* need_mount - what is under a mounted file system; over the network, in memory and on others too. */
void need_mount(struct need_ctx *ctx, struct libmnt_fs *fs, const struct need *need);

/* need_file - the file system that a file lies on: a swap file, a loop's, a bind mount's. */
void need_file(struct need_ctx *ctx, const char *file, const struct need *need);

/* ---- mounts.c ---- */

/*
 * mounts_read - parse mountinfo, fstab or swaps. Bad lines are left out, with a note.
 * Returns a table for mnt_unref_table(), or NULL when the file is not there or memory ran out.
 */
struct libmnt_table *mounts_read(struct need_ctx *ctx, const char *path);

/* mounts_at - what was last mounted on a place, and so covers the others; NULL when nothing is. */
struct libmnt_fs *mounts_at(struct libmnt_table *mounts, const char *target);

/*
 * mounts_collect - every file system, swap and ESP that this host needs: ctx->mounts, fstab, swaps,
 * proxmox-boot-tool's list, and the ESP that was booted from.
 */
void mounts_collect(struct need_ctx *ctx);

/* ---- routes.c ---- */

/* Names of interfaces in byte order; the loopback is none. */
struct routes {
	struct stringset defaults;  /* of a default route, of any table and by any next hop */
	struct stringset addressed; /* of any other route of IPv4, or with a global IPv6 address */
	bool unnamed;		    /* there is a default route of which no interface is known */
};

/*
 * routes_read - by netlink on this very machine, else from proc/net/{route,fib_trie,ipv6_route};
 * addresses of IPv6 from proc/net/if_inet6. Says so when the kernel does not answer.
 * @routes: filled in; to be given to routes_clear()
 */
void routes_read(struct need_ctx *ctx, struct routes *routes);

void routes_clear(struct routes *routes);

/* ---- network.c ---- */

/* network_collect - what carries the default routes; without any, what carries an address. */
void network_collect(struct need_ctx *ctx);

/* network_collect_addresses - what carries an address, with a default route or without one. */
void network_collect_addresses(struct need_ctx *ctx);

#endif
