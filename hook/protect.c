// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What this host needs to stay alive; see protect.h for the contract.
 *
 * Three walks end in the same place, need_functions(): from a mounted file system, from a line of
 * fstab or swaps, and from the interface of a default route, each down to a real path in sysfs,
 * whose components are the PCI functions on the way. All three obey one rule: what cannot be found
 * out protects more, never less, and leaves a note that says so.
 *
 * This room reads, below one root. It decides nothing about what is bound, and writes nothing.
 */
#define _GNU_SOURCE 1 /* as -D_GNU_SOURCE has it: vasprintf, scandirat, O_PATH */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libmount/libmount.h>

#include "hook/protect.h"

/* Relative to the root, as in early/paths.h; these are the host half's alone. */
#define PATH_MOUNTINFO	    "proc/self/mountinfo"
#define PATH_INIT_MOUNTINFO "proc/1/mountinfo"
#define PATH_PID_NS	    "proc/self/ns/pid"
#define PATH_USER_NS	    "proc/self/ns/user"
#define PATH_CONTAINER	    "run/systemd/container"
#define PATH_SWAPS	    "proc/swaps"
#define PATH_ROUTE	    "proc/net/route"
#define PATH_IPV6_ROUTE	    "proc/net/ipv6_route"
#define PATH_IF_INET6	    "proc/net/if_inet6"
#define PATH_FSTAB	    "etc/fstab"
#define PATH_CRYPTTAB	    "etc/crypttab"
#define PATH_PROXMOX_UUIDS  "etc/kernel/proxmox-boot-uuids"
#define PATH_UDEV_DATA	    "run/udev/data"
#define PATH_PVS_ONLINE	    "run/lvm/pvs_online"
#define PATH_DEV_BLOCK	    "sys/dev/block"
#define PATH_BLOCK	    "sys/block"
#define PATH_CLASS_BLOCK    "sys/class/block"
#define PATH_CLASS_NET	    "sys/class/net"
#define PATH_CLASS_NVME	    "sys/class/nvme"
#define PATH_PCI_DEVICES    "sys/bus/pci/devices"
#define PATH_VIRTIO_DRIVERS "sys/bus/virtio/drivers"
#define PATH_BTRFS	    "sys/fs/btrfs"
/* systemd's Boot Loader Interface; GRUB's bli module sets it too. */
#define PATH_LOADER_PARTUUID \
	"sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* include/linux/proc_ns.h: the first namespaces, the host's own, have fixed inode numbers. */
#define INIT_PID_NS  "pid:[4026531836]"
#define INIT_USER_NS "user:[4026531837]"

/* include/uapi/linux/route.h and ipv6_route.h; not included, they collide with the libc's. */
#define ROUTE_UP     0x0001
#define ROUTE_REJECT 0x0200

#define PART_TYPE_ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define PART_TYPE_ZFS "6a898cc3-1dd2-11b2-99a6-080020736631"

#define MAX_HOPS      64 /* PCI functions in one path */
#define MAX_DEPTH     16 /* files on loops on files */
#define MAX_NAMES     6	 /* in one clause of a reason */
#define MAX_BELOW     3	 /* clauses of one bridge's reason */
/* 256 protect lines of this length leave a fifth of PLAN_MAX_TEXT to the other lines. */
#define REASON_MAX    160
#define LVM_UUID_SIZE 32

struct strings {
	char **s;
	size_t n;
};

enum why {
	WHY_HOLDS,
	WHY_COMPLETES,
	WHY_MAY_HOLD,
	WHY_ROUTE,
	WHY_MAY_ROUTE,
	WHY_ADDRESS,
	WHY_MAY_ADDRESS,
	WHY_REACHES,
	N_WHYS
};

static const struct {
	const char *before;
	const char *after;
} phrases[N_WHYS] = {
	[WHY_HOLDS] = { "holds ", "" },
	[WHY_COMPLETES] = { "completes the volume group of ", "" },
	[WHY_MAY_HOLD] = { "may hold ", "" },
	[WHY_ROUTE] = { "carries the default route (", ")" },
	[WHY_MAY_ROUTE] = { "may carry the default route (", ")" },
	[WHY_ADDRESS] = { "carries the address of ", "" },
	[WHY_MAY_ADDRESS] = { "may carry the address of ", "" },
	[WHY_REACHES] = { "may reach ", " over the network" },
};

/* One thing that the host needs. */
struct need {
	enum why why;
	const char *name; /* "/", "swap", "vmbr0" */
	bool minor;	  /* a mount below a better known one: only named where nothing else is */
};

struct below {
	struct pci_address addr;
	bool is_vf; /* else: behind this bridge */
};

struct node {
	struct pci_address addr;
	struct strings names[N_WHYS];
	struct below *below;
	size_t belows;
};

enum udev_key {
	UDEV_FS_TYPE,
	UDEV_FS_UUID,
	UDEV_FS_LABEL,
	UDEV_FS_LABEL_ENC,
	UDEV_FS_AMBIVALENT,
	UDEV_PART_UUID,
	UDEV_PART_NAME,
	UDEV_PART_TYPE,
	N_UDEV_KEYS
};

static const struct {
	const char *name;
	bool encoded; /* blkid_encode_string(): \x20 */
} udev_keys[N_UDEV_KEYS] = {
	[UDEV_FS_TYPE] = { "ID_FS_TYPE", false },
	[UDEV_FS_UUID] = { "ID_FS_UUID", false },
	[UDEV_FS_LABEL] = { "ID_FS_LABEL", false },
	[UDEV_FS_LABEL_ENC] = { "ID_FS_LABEL_ENC", true },
	[UDEV_FS_AMBIVALENT] = { "ID_FS_AMBIVALENT", false },
	[UDEV_PART_UUID] = { "ID_PART_ENTRY_UUID", false },
	[UDEV_PART_NAME] = { "ID_PART_ENTRY_NAME", true },
	[UDEV_PART_TYPE] = { "ID_PART_ENTRY_TYPE", false },
};

/* What udev knows of one block device. */
struct record {
	char *devno; /* "8:1" */
	char *value[N_UDEV_KEYS];
	struct strings links; /* below /dev */
};

struct ctx {
	const char *root; /* resolved, without the ending slash: "" is this very machine */
	int rootfd;
	int err; /* the first -ENOMEM; from then on nothing counts */
	unsigned int depth;
	struct libmnt_table *mounts;
	struct record *record;
	size_t records;
	struct node *node;
	size_t nodes;
	struct strings seen; /* sysfs paths of the walk that is under way */
	struct strings vgs;  /* UUIDs of the volume groups that it went through */
	struct strings notes;
};

static void need_block(struct ctx *ctx, const char *path, const struct need *need);
static void need_mount(struct ctx *ctx, struct libmnt_fs *fs, const struct need *need);

/* ---- memory and text ---- */

static void *grow(struct ctx *ctx, void *array, size_t count, size_t size)
{
	void *bigger = reallocarray(array, count + 1, size);

	if (!bigger)
		ctx->err = -ENOMEM;
	return bigger;
}

static bool strings_has(const struct strings *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->s[i], s))
			return true;
	return false;
}

/* Returns false when it was there already, or memory ran out: either way there is no more to do. */
static bool strings_add(struct ctx *ctx, struct strings *list, const char *s)
{
	char **bigger, *copy;

	if (strings_has(list, s))
		return false;
	copy = strdup(s);
	if (!copy) {
		ctx->err = -ENOMEM;
		return false;
	}
	bigger = grow(ctx, list->s, list->n, sizeof(*list->s));
	if (!bigger) {
		free(copy);
		return false;
	}
	list->s = bigger;
	list->s[list->n++] = copy;
	return true;
}

static void strings_clear(struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->s[i]);
	free(list->s);
	*list = (struct strings){ 0 };
}

/* Cuts a text down to so many bytes, between two characters of UTF-8. */
static void shorten(char *s, size_t max)
{
	static const char end[] = "...";

	if (strlen(s) <= max)
		return;
	max -= strlen(end);
	while (max && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	strcpy(s + max, end);
}

/* The plan's lines end at a newline or a '#', and the log is a terminal's. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || *s == '#')
			*s = '?';
}

__attribute__((format(printf, 2, 3))) static void add_note(struct ctx *ctx, const char *format, ...)
{
	char *text;
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = vasprintf(&text, format, ap);
	va_end(ap);
	if (ret < 0) {
		ctx->err = -ENOMEM;
		return;
	}
	make_printable(text);
	strings_add(ctx, &ctx->notes, text);
	free(text);
}

/* snprintf() into a buffer of PATH_MAX. Returns 0 or -ENAMETOOLONG; the buffer is then empty. */
__attribute__((format(printf, 2, 3))) static int path_format(char *path, const char *format, ...)
{
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = vsnprintf(path, PATH_MAX, format, ap);
	va_end(ap);
	if (ret >= 0 && ret < PATH_MAX)
		return 0;
	*path = '\0';
	return -ENAMETOOLONG;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Undoes blkid_encode_string() in place. */
static void decode_hex(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
		    isxdigit((unsigned char)s[3])) {
			char hex[3] = { s[2], s[3], '\0' };

			*to++ = (char)strtoul(hex, NULL, 16);
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* ---- reading below the root ---- */

static bool exists(struct ctx *ctx, const char *path)
{
	return !faccessat(ctx->rootfd, path, F_OK, 0);
}

static FILE *open_text(struct ctx *ctx, const char *path)
{
	int fd = openat(ctx->rootfd, path, O_RDONLY | O_CLOEXEC);
	FILE *f;

	if (fd < 0)
		return NULL;
	f = fdopen(fd, "re");
	if (!f)
		close(fd);
	return f;
}

/*
 * The first @size - 1 bytes of a file, ended by NUL and without white space at the end. Returns how
 * many were read, or -errno; the buffer is then empty.
 */
static ssize_t read_text(struct ctx *ctx, const char *path, char *buf, size_t size)
{
	int fd = openat(ctx->rootfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	*buf = '\0';
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	if (len < 0)
		return len;
	buf[len] = '\0';
	for (size_t i = strlen(buf); i && isspace((unsigned char)buf[i - 1]); i--)
		buf[i - 1] = '\0';
	return len;
}

/* One attribute of a directory in sysfs. Returns 0 or -errno. */
static int read_attr(struct ctx *ctx, const char *dir, const char *name, char *buf, size_t size)
{
	char path[PATH_MAX];
	ssize_t ret = path_format(path, "%s/%s", dir, name);

	*buf = '\0';
	if (!ret)
		ret = read_text(ctx, path, buf, size);
	return ret < 0 ? (int)ret : 0;
}

/*
 * Names in a directory in byte order. A directory that is not there has none. Returns 0 or -errno;
 * to be given to strings_clear() either way.
 */
static int list_names(struct ctx *ctx, const char *path, struct strings *names)
{
	struct dirent **entry;
	int n = scandirat(ctx->rootfd, path, &entry, NULL, alphasort);

	*names = (struct strings){ 0 };
	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (entry[i]->d_name[0] != '.')
			strings_add(ctx, names, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return 0;
}

/*
 * Where a path in sysfs really is, relative to the root ("sys/devices/..."). Returns 0 or -errno;
 * -EXDEV when a link of a recorded tree leads out of it.
 */
static int real_path(struct ctx *ctx, const char *path, char *real)
{
	size_t len = strlen(ctx->root);
	char buf[PATH_MAX];
	int ret = path_format(buf, "%s/%s", ctx->root, path);

	*real = '\0';
	if (ret)
		return ret;
	char *resolved = realpath(buf, NULL);

	if (!resolved)
		return -errno;
	if (strncmp(resolved, ctx->root, len) || strncmp(resolved + len, "/sys/", 5))
		ret = -EXDEV;
	else
		ret = path_format(real, "%s", resolved + len + 1);
	free(resolved);
	return ret;
}

/* ---- the functions that are needed ---- */

static struct node *node_at(struct ctx *ctx, const struct pci_address *addr)
{
	struct node *bigger;

	for (size_t i = 0; i < ctx->nodes; i++)
		if (pci_address_equal(&ctx->node[i].addr, addr))
			return &ctx->node[i];
	bigger = grow(ctx, ctx->node, ctx->nodes, sizeof(*ctx->node));
	if (!bigger)
		return NULL;
	ctx->node = bigger;
	ctx->node[ctx->nodes] = (struct node){ .addr = *addr };
	return &ctx->node[ctx->nodes++];
}

static void add_cause(struct ctx *ctx, const struct pci_address *addr, const struct need *need)
{
	struct node *node = node_at(ctx, addr);

	if (!node || (need->minor && (node->names[WHY_HOLDS].n || node->names[WHY_MAY_HOLD].n)))
		return;
	strings_add(ctx, &node->names[need->why], need->name);
}

static void add_below(struct ctx *ctx, const struct pci_address *addr,
		      const struct pci_address *leaf, bool is_vf)
{
	struct node *node = node_at(ctx, addr);
	struct below *bigger;

	if (!node)
		return;
	for (size_t i = 0; i < node->belows; i++)
		if (pci_address_equal(&node->below[i].addr, leaf))
			return;
	bigger = grow(ctx, node->below, node->belows, sizeof(*node->below));
	if (!bigger)
		return;
	node->below = bigger;
	node->below[node->belows++] = (struct below){ .addr = *leaf, .is_vf = is_vf };
}

/*
 * The PCI functions that a path in sysfs goes through, from the top. A component counts when it is
 * written as sysfs writes an address, domain included: "0:0:0:0" is SCSI's, "1-1:1.0" USB's.
 */
static unsigned int path_functions(const char *path, struct pci_address *addr)
{
	char part[NAME_MAX + 1], text[PCI_ADDRESS_SIZE];
	unsigned int n = 0;

	while (*path && n < MAX_HOPS) {
		size_t len = strcspn(path, "/");

		if (len <= NAME_MAX) {
			memcpy(part, path, len);
			part[len] = '\0';
			if (!pci_address_parse(part, &addr[n]) &&
			    !strcmp(pci_address_format(&addr[n], text), part))
				n++;
		}
		path += len + (path[len] == '/');
	}
	return n;
}

/*
 * The last function in the path does the work, those before it are the bridges (or the VMD) that it
 * hangs on. A virtual function dies with its physical one. Returns how many functions there were.
 */
static unsigned int need_functions(struct ctx *ctx, const char *path, const struct need *need)
{
	struct pci_address addr[MAX_HOPS], parent[MAX_HOPS], *leaf;
	char link[PATH_MAX], real[PATH_MAX], text[PCI_ADDRESS_SIZE];
	unsigned int n = path_functions(path, addr), parents;

	if (!n)
		return 0;
	leaf = &addr[n - 1];
	add_cause(ctx, leaf, need);
	for (unsigned int i = 0; i + 1 < n; i++)
		add_below(ctx, &addr[i], leaf, false);

	path_format(link, PATH_PCI_DEVICES "/%s/physfn", pci_address_format(leaf, text));
	if (real_path(ctx, link, real))
		return n;
	parents = path_functions(real, parent);
	for (unsigned int i = 0; i < parents; i++)
		add_below(ctx, &parent[i], leaf, i + 1 == parents);
	return n;
}

/* ---- when it cannot be found out ---- */

/* Every function that has a disk. */
static void need_all_disks(struct ctx *ctx, const struct need *need)
{
	static const char *const dirs[] = { PATH_BLOCK, PATH_CLASS_NVME };
	struct need may = { .why = WHY_MAY_HOLD, .name = need->name, .minor = need->minor };
	char path[PATH_MAX], real[PATH_MAX];
	struct strings names;

	for (size_t d = 0; d < sizeof(dirs) / sizeof(dirs[0]); d++) {
		list_names(ctx, dirs[d], &names);
		for (size_t i = 0; i < names.n; i++)
			if (!path_format(path, "%s/%s", dirs[d], names.s[i]) &&
			    !real_path(ctx, path, real))
				need_functions(ctx, real, &may);
		strings_clear(&names);
	}
}

/* Every network function that is not down, for what hangs on an interface nobody can name. */
static void need_all_nics(struct ctx *ctx, enum why why, const char *name)
{
	const struct need may = { .why = why, .name = name };
	char path[PATH_MAX], real[PATH_MAX], state[32];
	struct strings names;

	list_names(ctx, PATH_CLASS_NET, &names);
	for (size_t i = 0; i < names.n; i++) {
		path_format(path, PATH_CLASS_NET "/%s", names.s[i]);
		read_attr(ctx, path, "operstate", state, sizeof(state));
		if (!strcmp(state, "down") || !strcmp(state, "notpresent"))
			continue;
		path_format(path, PATH_CLASS_NET "/%s/device", names.s[i]);
		if (!real_path(ctx, path, real))
			need_functions(ctx, real, &may);
	}
	strings_clear(&names);
}

static void need_network(struct ctx *ctx, const struct need *need, const char *over)
{
	add_note(ctx, "%s lies behind %s: every network function that is up is protected",
		 need->name, over);
	need_all_nics(ctx, WHY_REACHES, need->name);
}

/* ---- udev's database: run/udev/data/bMAJ:MIN (systemd, device_update_db()) ---- */

static void read_record(struct ctx *ctx, FILE *f, struct record *record)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, f)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!strncmp(line, "S:", 2)) {
			strings_add(ctx, &record->links, line + 2);
			continue;
		}
		if (strncmp(line, "E:", 2))
			continue;
		for (int k = 0; k < N_UDEV_KEYS; k++) {
			size_t n = strlen(udev_keys[k].name);

			if (strncmp(line + 2, udev_keys[k].name, n) || line[2 + n] != '=' ||
			    record->value[k])
				continue;
			record->value[k] = strdup(line + 2 + n + 1);
			if (!record->value[k])
				ctx->err = -ENOMEM;
			else if (udev_keys[k].encoded)
				decode_hex(record->value[k]);
		}
	}
	free(line);
}

static void read_records(struct ctx *ctx)
{
	struct strings names;
	char path[PATH_MAX];

	list_names(ctx, PATH_UDEV_DATA, &names);
	for (size_t i = 0; i < names.n && !ctx->err; i++) {
		struct record *bigger;
		FILE *f;

		if (names.s[i][0] != 'b' || path_format(path, PATH_UDEV_DATA "/%s", names.s[i]))
			continue;
		f = open_text(ctx, path);
		if (!f)
			continue;
		bigger = grow(ctx, ctx->record, ctx->records, sizeof(*ctx->record));
		if (bigger) {
			ctx->record = bigger;
			bigger += ctx->records;
			*bigger = (struct record){ .devno = strdup(names.s[i] + 1) };
			if (bigger->devno) {
				ctx->records++;
				read_record(ctx, f, bigger);
			} else {
				ctx->err = -ENOMEM;
			}
		}
		fclose(f);
	}
	strings_clear(&names);
}

static bool record_is(const struct record *record, enum udev_key key, const char *value)
{
	return record->value[key] && !strcasecmp(record->value[key], value);
}

static const struct record *record_of(struct ctx *ctx, const char *devno)
{
	for (size_t i = 0; i < ctx->records; i++)
		if (!strcmp(ctx->record[i].devno, devno))
			return &ctx->record[i];
	return NULL;
}

/* Does a device carry the tag of an fstab entry? UUIDs are compared as blkid and udev write them. */
static bool record_has_tag(const struct record *record, const char *tag, const char *value)
{
	if (!strcmp(tag, "UUID"))
		return record_is(record, UDEV_FS_UUID, value);
	if (!strcmp(tag, "PARTUUID"))
		return record_is(record, UDEV_PART_UUID, value);
	if (!strcmp(tag, "PARTLABEL"))
		return record->value[UDEV_PART_NAME] &&
		       !strcmp(record->value[UDEV_PART_NAME], value);
	if (strcmp(tag, "LABEL"))
		return false;
	return (record->value[UDEV_FS_LABEL] && !strcmp(record->value[UDEV_FS_LABEL], value)) ||
	       (record->value[UDEV_FS_LABEL_ENC] &&
		!strcmp(record->value[UDEV_FS_LABEL_ENC], value));
}

/* ---- from a name to a block device in sysfs ---- */

static int real_path_of_devno(struct ctx *ctx, const char *devno, char *real)
{
	char path[PATH_MAX];
	int ret = path_format(path, PATH_DEV_BLOCK "/%s", devno);

	return ret ? ret : real_path(ctx, path, real);
}

/* /dev/mapper/NAME. The device mapper's own names are in sysfs, whatever udev made of them. */
static int find_mapper(struct ctx *ctx, const char *name, char *real)
{
	char dir[PATH_MAX], have[256];
	struct strings names;
	int ret = -ENOENT;

	list_names(ctx, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n && ret; i++) {
		if (strncmp(names.s[i], "dm-", 3))
			continue;
		path_format(dir, PATH_BLOCK "/%s", names.s[i]);
		if (!read_attr(ctx, dir, "dm/name", have, sizeof(have)) && !strcmp(have, name))
			ret = real_path(ctx, dir, real);
	}
	strings_clear(&names);
	return ret;
}

/* What is behind a path in /dev? Returns 0 and its real path in sysfs, or -errno. */
static int find_device(struct ctx *ctx, const char *dev, char *real)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct stat st;

	*real = '\0';
	if (strncmp(dev, "/dev/", 5) || strlen(dev + 5) > NAME_MAX)
		return -ENOENT;
	if (!*ctx->root && !stat(dev, &st) && S_ISBLK(st.st_mode)) {
		path_format(path, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
		return real_path_of_devno(ctx, path, real);
	}
	dev += 5;
	if (!strncmp(dev, "mapper/", 7) && !find_mapper(ctx, dev + 7, real))
		return 0;
	for (size_t i = 0; i < ctx->records; i++)
		if (strings_has(&ctx->record[i].links, dev) &&
		    !real_path_of_devno(ctx, ctx->record[i].devno, real))
			return 0;
	/* sysfs has '!' where the device's name has '/': cciss/c0d0 (block/genhd.c) */
	strcpy(name, dev);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '!';
	if (!strcmp(name, "..") || !strcmp(name, "."))
		return -ENOENT;
	path_format(path, PATH_CLASS_BLOCK "/%s", name);
	return real_path(ctx, path, real);
}

/* ---- pools and volume groups: more than one device for one file system ---- */

/*
 * Every device that may belong to a ZFS pool. Its label is the pool's name, on data, special and log
 * devices alike; a cache device's has none and is no loss. A disk on which blkid sees two formats
 * (an old RAID's rest under the pool) has no type at all, nor has one that was not probed: those
 * count for any pool.
 */
static void need_pool(struct ctx *ctx, const char *pool, const struct need *need)
{
	struct need may = { .why = WHY_MAY_HOLD, .name = need->name, .minor = need->minor };
	bool labelled = false, any = false;
	char real[PATH_MAX];

	for (size_t i = 0; i < ctx->records; i++) {
		const struct record *r = &ctx->record[i];

		if (pool && record_is(r, UDEV_FS_TYPE, "zfs_member") &&
		    record_has_tag(r, "LABEL", pool) && !real_path_of_devno(ctx, r->devno, real)) {
			need_block(ctx, real, need);
			labelled = any = true;
		}
	}
	for (size_t i = 0; i < ctx->records; i++) {
		const struct record *r = &ctx->record[i];
		bool is_ambivalent = r->value[UDEV_FS_AMBIVALENT] &&
				     strstr(r->value[UDEV_FS_AMBIVALENT], "zfs_member");
		bool is_unknown = !r->value[UDEV_FS_TYPE] &&
				  record_is(r, UDEV_PART_TYPE, PART_TYPE_ZFS);
		bool is_member = record_is(r, UDEV_FS_TYPE, "zfs_member");

		if ((is_ambivalent || is_unknown || (is_member && !labelled)) &&
		    !real_path_of_devno(ctx, r->devno, real)) {
			need_block(ctx, real, &may);
			any = true;
		}
	}
	if (labelled)
		return;
	if (any) {
		add_note(
			ctx,
			"udev knows no member of the ZFS pool %s: every member of any pool is protected",
			pool ? pool : need->name);
		return;
	}
	add_note(ctx, "udev knows no member of the ZFS pool %s: every disk's function is protected",
		 pool ? pool : need->name);
	need_all_disks(ctx, need);
}

/* "rpool/ROOT/pve-1" */
static void need_dataset(struct ctx *ctx, const char *dataset, const struct need *need)
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
static void need_same_uuid(struct ctx *ctx, const char *device, const struct need *need)
{
	const struct record *record;
	char real[PATH_MAX], devno[32];

	if (read_attr(ctx, device, "dev", devno, sizeof(devno)))
		return;
	record = record_of(ctx, devno);
	if (!record || !record->value[UDEV_FS_TYPE] || !record->value[UDEV_FS_UUID])
		return;
	for (size_t i = 0; i < ctx->records; i++) {
		const struct record *r = &ctx->record[i];

		if (record_is(r, UDEV_FS_TYPE, record->value[UDEV_FS_TYPE]) &&
		    record_is(r, UDEV_FS_UUID, record->value[UDEV_FS_UUID]) &&
		    !real_path_of_devno(ctx, r->devno, real))
			need_block(ctx, real, need);
	}
}

/*
 * btrfs mounts have a device number of their own and name one of their devices. All of them are in
 * sysfs while it is mounted (Documentation/ABI/testing/sysfs-fs-btrfs has devices/ as links), and in
 * udev's database under one UUID else.
 * @device: the real path of one of them, or "" when it is not known: then all btrfs counts
 */
static void need_btrfs(struct ctx *ctx, const char *device, const struct need *need)
{
	struct need may = { .why = *device ? need->why : WHY_MAY_HOLD,
			    .name = need->name,
			    .minor = need->minor };
	char path[PATH_MAX], real[PATH_MAX];
	struct strings uuids, names;
	bool any = false;

	if (*device) {
		need_block(ctx, device, need);
		need_same_uuid(ctx, device, need);
	}
	list_names(ctx, PATH_BTRFS, &uuids);
	for (size_t u = 0; u < uuids.n; u++) {
		bool is_ours = !*device;

		path_format(path, PATH_BTRFS "/%s/devices", uuids.s[u]);
		list_names(ctx, path, &names);
		/* Twice: first to see whether it is ours, then to take what it has. */
		for (size_t i = 0; i < 2 * names.n; i++) {
			path_format(path, PATH_BTRFS "/%s/devices/%s", uuids.s[u],
				    names.s[i % names.n]);
			if (real_path(ctx, path, real))
				continue;
			if (i < names.n) {
				is_ours |= !strcmp(real, device);
			} else if (is_ours) {
				need_block(ctx, real, &may);
				any = true;
			}
		}
		strings_clear(&names);
	}
	strings_clear(&uuids);
	for (size_t i = 0; i < ctx->records && !*device; i++) {
		if (record_is(&ctx->record[i], UDEV_FS_TYPE, "btrfs") &&
		    !real_path_of_devno(ctx, ctx->record[i].devno, real)) {
			need_block(ctx, real, &may);
			any = true;
		}
	}
	if (*device)
		return;
	if (any) {
		add_note(ctx,
			 "the btrfs of %s names no device that is here: every btrfs is protected",
			 need->name);
		return;
	}
	add_note(ctx,
		 "the btrfs of %s has no device that is here: every disk's function is protected",
		 need->name);
	need_all_disks(ctx, need);
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

static void need_slaves(struct ctx *ctx, const char *path, const struct need *need, bool *found)
{
	char dir[PATH_MAX], slave[PATH_MAX], real[PATH_MAX];
	struct strings names;

	if (path_format(dir, "%s/slaves", path))
		return;
	if (list_names(ctx, dir, &names))
		add_note(ctx, "%s cannot be listed", dir);
	for (size_t i = 0; i < names.n; i++) {
		if (path_format(slave, "%s/%s", dir, names.s[i]) || real_path(ctx, slave, real))
			continue;
		need_block(ctx, real, need);
		*found = true;
	}
	strings_clear(&names);
}

/*
 * A volume group with a physical volume gone is not activated at boot (lvm2, pvscan --checkcomplete
 * in 69-dm-lvm.rules), so all of them are needed, those that no wanted volume lies on included:
 * the ones under the group's other volumes, and the ones that pvscan has seen.
 */
static void need_volume_group(struct ctx *ctx, const char *uuid, const struct need *need)
{
	struct need completes = *need;
	char path[PATH_MAX], have[256], text[512], real[PATH_MAX], vg[256] = "";
	struct strings names;
	bool found = false;

	if (need->why == WHY_HOLDS)
		completes.why = WHY_COMPLETES;
	list_names(ctx, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n; i++) {
		path_format(path, PATH_BLOCK "/%s", names.s[i]);
		if (read_attr(ctx, path, "dm/uuid", have, sizeof(have)) ||
		    strncmp(have, "LVM-", 4) || strncmp(have + 4, uuid, LVM_UUID_SIZE))
			continue;
		if (!*vg && !read_attr(ctx, path, "dm/name", have, sizeof(have)))
			volume_group_of(have, vg, sizeof(vg));
		if (!real_path(ctx, path, real))
			need_slaves(ctx, real, &completes, &found);
	}
	strings_clear(&names);

	/* lvm2, lib/device/online.c: "MAJ:MIN\nvg:NAME\ndev:PATH\n" */
	list_names(ctx, PATH_PVS_ONLINE, &names);
	for (size_t i = 0; i < names.n && *vg; i++) {
		char *line, *end, *save;
		bool is_ours = false;

		path_format(path, PATH_PVS_ONLINE "/%s", names.s[i]);
		if (read_text(ctx, path, text, sizeof(text)) <= 0)
			continue;
		end = strtok_r(text, "\n", &save);
		while ((line = strtok_r(NULL, "\n", &save)))
			is_ours |= !strncmp(line, "vg:", 3) && !strcmp(line + 3, vg);
		if (is_ours && end && !real_path_of_devno(ctx, end, real))
			need_block(ctx, real, &completes);
	}
	strings_clear(&names);
}

/* ---- down from a block device ---- */

static struct libmnt_fs *mount_holding(struct ctx *ctx, const char *file)
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

static void need_file(struct ctx *ctx, const char *file, const struct need *need)
{
	struct libmnt_fs *fs = *file == '/' ? mount_holding(ctx, file) : NULL;

	if (fs && ctx->depth < MAX_DEPTH) {
		ctx->depth++;
		need_mount(ctx, fs, need);
		ctx->depth--;
		return;
	}
	add_note(
		ctx,
		"no mounted file system holds %s, on which %s lies: every disk's function is protected",
		file, need->name);
	need_all_disks(ctx, need);
}

/*
 * The head of a namespace that NVMe's own multipath made has no PCI parent; the controllers that
 * lead to it are links in its subsystem (drivers/nvme/host/core.c, nvme_init_subsystem()).
 */
static bool need_nvme_head(struct ctx *ctx, const char *path, const struct need *need)
{
	char dir[PATH_MAX], link[PATH_MAX], real[PATH_MAX];
	const char *found = strstr(path, "/nvme-subsystem/");
	bool is_fabric = false;
	unsigned int n = 0;
	struct strings names;

	if (!found)
		return false;
	found += strlen("/nvme-subsystem/");
	path_format(dir, "%.*s", (int)(found + strcspn(found, "/") - path), path);
	list_names(ctx, dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		const char *digits = names.s[i] + 4;

		if (strncmp(names.s[i], "nvme", 4) || !*digits ||
		    digits[strspn(digits, "0123456789")])
			continue;
		if (path_format(link, "%s/%s", dir, names.s[i]) || real_path(ctx, link, real))
			continue;
		if (need_functions(ctx, real, need))
			n++;
		else
			is_fabric = true;
	}
	strings_clear(&names);
	if (is_fabric)
		need_network(ctx, need, "NVMe over fabrics");
	return n || is_fabric;
}

/*
 * bcache's slaves are there on every kernel we know; its own links are followed as well, since the
 * cache is as much needed as what it caches (drivers/md/bcache/super.c, bcache_device_link()).
 */
static void need_bcache(struct ctx *ctx, const char *path, const struct need *need, bool *found)
{
	char link[PATH_MAX], set[PATH_MAX], real[PATH_MAX];
	struct strings names;

	if (path_format(link, "%s/bcache", path) || strncmp(base_name(path), "bcache", 6) ||
	    real_path(ctx, link, real))
		return;
	/* The link leads to the "bcache" directory of the device that is cached. */
	*strrchr(real, '/') = '\0';
	need_block(ctx, real, need);
	*found = true;
	if (path_format(link, "%s/bcache/cache", path) || real_path(ctx, link, set))
		return;
	list_names(ctx, set, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.s[i], "cache", 5) || !isdigit((unsigned char)names.s[i][5]))
			continue;
		if (path_format(link, "%s/%s", set, names.s[i]) || real_path(ctx, link, real))
			continue;
		*strrchr(real, '/') = '\0';
		need_block(ctx, real, need);
	}
	strings_clear(&names);
}

/* A swap volume in a pool: udev links zvol/POOL/NAME to it (zfs, 60-zvol.rules). */
static void need_zvol(struct ctx *ctx, const char *path, const struct need *need)
{
	const struct record *record = NULL;
	char devno[32];

	if (!read_attr(ctx, path, "dev", devno, sizeof(devno)))
		record = record_of(ctx, devno);
	for (size_t i = 0; record && i < record->links.n; i++) {
		if (!strncmp(record->links.s[i], "zvol/", 5)) {
			need_dataset(ctx, record->links.s[i] + 5, need);
			return;
		}
	}
	need_pool(ctx, NULL, need);
}

/* A software iSCSI disk's path has a "session1" in it and no PCI function. */
static bool is_iscsi(const char *path)
{
	const char *session = strstr(path, "/session");

	return session && isdigit((unsigned char)session[strlen("/session")]);
}

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/*
 * need_block - a block device and all that it stands on.
 * @path: its real path in sysfs, relative to the root; a partition's or a disk's
 */
static void need_block(struct ctx *ctx, const char *path, const struct need *need)
{
	char text[PATH_MAX], disk[PATH_MAX];
	const char *name = base_name(path);
	bool found;

	if (!strings_add(ctx, &ctx->seen, path))
		return;

	path_format(text, "%s/partition", path);
	if (exists(ctx, text)) {
		path_format(disk, "%.*s", (int)(name - 1 - path), path);
		need_block(ctx, disk, need);
		return;
	}

	found = need_functions(ctx, path, need);
	need_slaves(ctx, path, need, &found);
	need_bcache(ctx, path, need, &found);
	if (!read_attr(ctx, path, "dm/uuid", text, sizeof(text)) && starts_with(text, "LVM-") &&
	    strlen(text) >= 4 + LVM_UUID_SIZE) {
		text[4 + LVM_UUID_SIZE] = '\0';
		strings_add(ctx, &ctx->vgs, text + 4);
	}
	if (starts_with(name, "loop") &&
	    !read_attr(ctx, path, "loop/backing_file", text, sizeof(text))) {
		need_file(ctx, text, need);
		found = true;
	}
	if (found || need_nvme_head(ctx, path, need))
		return;

	/* Here are only devices without a PCI function of their own. */
	if (starts_with(name, "zram")) {
		/* Memory, unless it writes back (Documentation/admin-guide/blockdev/zram.rst). */
		if (!read_attr(ctx, path, "backing_dev", text, sizeof(text)) &&
		    strcmp(text, "none") && *text && !find_device(ctx, text, disk))
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
		add_note(
			ctx,
			"what lies under %s, on which %s lies, cannot be found out: every disk's function is protected",
			name, need->name);
		need_all_disks(ctx, need);
	}
	/* Else it is a board's own device (MMC, virtio-mmio, VMBus), which no PCI driver can take. */
}

/* ---- down from a file system ---- */

/* A walk's frame: what one need has seen, another may see again. */
static void begin_need(struct ctx *ctx)
{
	strings_clear(&ctx->seen);
	strings_clear(&ctx->vgs);
}

/* The volume groups come last: a disk that holds a volume is better named for that. */
static void end_need(struct ctx *ctx, const struct need *need)
{
	for (size_t i = 0; i < ctx->vgs.n; i++) {
		char *uuid = strdup(ctx->vgs.s[i]);

		if (!uuid) {
			ctx->err = -ENOMEM;
			return;
		}
		need_volume_group(ctx, uuid, need);
		free(uuid);
	}
}

/* Every function of a virtio driver: which one a tag belongs to, sysfs says only since 6.10. */
static void need_virtio(struct ctx *ctx, const char *driver, const struct need *need)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct strings names;

	path_format(path, PATH_VIRTIO_DRIVERS "/%s", driver);
	list_names(ctx, path, &names);
	for (size_t i = 0; i < names.n; i++)
		if (!path_format(path, PATH_VIRTIO_DRIVERS "/%s/%s", driver, names.s[i]) &&
		    !real_path(ctx, path, real))
			need_functions(ctx, real, need);
	strings_clear(&names);
}

/*
 * An overlay's layers are paths of the time it was mounted at; a live system's are of an initramfs
 * that is gone. They are believed only where another mount holds them.
 */
static bool need_layers(struct ctx *ctx, struct libmnt_fs *fs, const struct need *need)
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
			if (holder && holder != fs && ctx->depth < MAX_DEPTH) {
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
static void need_device_option(struct ctx *ctx, struct libmnt_fs *fs, const char *option,
			       const struct need *need)
{
	char path[PATH_MAX], real[PATH_MAX], *value;
	size_t size;

	if (mnt_fs_get_option(fs, option, &value, &size) || size >= sizeof(path))
		return;
	memcpy(path, value, size);
	path[size] = '\0';
	if (!find_device(ctx, path, real))
		need_block(ctx, real, need);
}

/* A device and what belongs to its file system. */
static void need_members(struct ctx *ctx, const char *device, const struct need *need)
{
	const struct record *record = NULL;
	char devno[32];

	if (!read_attr(ctx, device, "dev", devno, sizeof(devno)))
		record = record_of(ctx, devno);
	if (record && record_is(record, UDEV_FS_TYPE, "btrfs"))
		need_btrfs(ctx, device, need);
	else
		need_block(ctx, device, need);
	if (record && record_is(record, UDEV_FS_TYPE, "bcachefs"))
		need_same_uuid(ctx, device, need);
}

/* "/dev/sda1:/dev/sdb1" (bcachefs), or one path. Returns whether all of them are here. */
static bool need_source(struct ctx *ctx, const char *source, const struct need *need)
{
	char path[PATH_MAX], real[PATH_MAX];
	bool all = *source;

	while (*source) {
		size_t len = strcspn(source, ":");

		if (path_format(path, "%.*s", (int)len, source) || find_device(ctx, path, real))
			all = false;
		else
			need_members(ctx, real, need);
		source += len + (source[len] == ':');
	}
	return all;
}

static void need_mount(struct ctx *ctx, struct libmnt_fs *fs, const struct need *need)
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
		find_device(ctx, source, real);
		need_btrfs(ctx, real, need);
		return;
	}
	if (major(devno)) {
		snprintf(text, sizeof(text), "%u:%u", major(devno), minor(devno));
		if (!real_path_of_devno(ctx, text, real)) {
			need_block(ctx, real, need);
			need_device_option(ctx, fs, "logdev", need);
			need_device_option(ctx, fs, "rtdev", need);
			return;
		}
	} else if (!strcmp(type, "tmpfs") || !strcmp(type, "ramfs") || !strcmp(type, "rootfs")) {
		if (!need->minor)
			add_note(ctx, "%s lies in memory (%s): nothing to protect for it",
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
	add_note(ctx,
		 "what lies under %s (%s) cannot be found out: every disk's function is protected",
		 need->name, type);
	need_all_disks(ctx, need);
}

/* ---- mountinfo, fstab, swaps ---- */

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

static bool is_esp(struct ctx *ctx, const char *devno)
{
	const struct record *record = record_of(ctx, devno);

	return record && (record_is(record, UDEV_PART_TYPE, PART_TYPE_ESP) ||
			  record_is(record, UDEV_PART_TYPE, "0xef"));
}

static bool is_esp_mount(struct ctx *ctx, struct libmnt_fs *fs)
{
	dev_t devno = mnt_fs_get_devno(fs);
	char text[32];

	snprintf(text, sizeof(text), "%u:%u", major(devno), minor(devno));
	return major(devno) && is_esp(ctx, text);
}

static int ignore_bad_line(struct libmnt_table *table, const char *filename, int line)
{
	struct ctx *ctx = mnt_table_get_userdata(table);

	add_note(ctx, "/%s line %d cannot be read and is left out", filename, line);
	return 1;
}

/* Returns the table, or NULL when the file is not there. */
static struct libmnt_table *read_table(struct ctx *ctx, const char *path)
{
	struct libmnt_table *table;
	FILE *f = open_text(ctx, path);

	if (!f)
		return NULL;
	table = mnt_new_table();
	if (!table) {
		ctx->err = -ENOMEM;
	} else {
		mnt_table_set_userdata(table, ctx);
		mnt_table_set_parser_errcb(table, ignore_bad_line);
		if (mnt_table_parse_stream(table, f, path))
			add_note(ctx, "/%s cannot be read to its end", path);
	}
	fclose(f);
	return table;
}

/* The last one mounted there, which covers the others; an automount's own entry is none. */
static struct libmnt_fs *mount_at(struct libmnt_table *mounts, const char *target)
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

static void collect_mount(struct ctx *ctx, struct libmnt_fs *fs, bool minor)
{
	struct need need = { .why = WHY_HOLDS, .name = mnt_fs_get_target(fs), .minor = minor };

	begin_need(ctx);
	need_mount(ctx, fs, &need);
	end_need(ctx, &need);
}

static void collect_mounts(struct ctx *ctx)
{
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	for (size_t i = 0; i < N_WANTED; i++) {
		fs = mount_at(ctx->mounts, wanted[i]);
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

/* A mapping that is not open now is looked up in crypttab: "NAME DEVICE ...". */
static bool crypttab_device(struct ctx *ctx, const char *name, char *device)
{
	FILE *f = open_text(ctx, PATH_CRYPTTAB);
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
		found = word && !path_format(device, "%s", word);
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
static bool need_named(struct ctx *ctx, const char *tag, const char *value, const struct need *need)
{
	char real[PATH_MAX], device[PATH_MAX];
	bool found = false;

	for (size_t i = 0; tag && i < ctx->records; i++) {
		if (record_has_tag(&ctx->record[i], tag, value) &&
		    !real_path_of_devno(ctx, ctx->record[i].devno, real)) {
			need_members(ctx, real, need);
			found = true;
		}
	}
	if (tag && !found && !*ctx->root) {
		/* Without udev's database blkid looks at the disks themselves, if it may. */
		char *dev = mnt_resolve_tag(tag, value, NULL);

		if (dev && !find_device(ctx, dev, real)) {
			need_members(ctx, real, need);
			found = true;
		}
		free(dev);
	}
	if (!tag && !find_device(ctx, value, real)) {
		need_members(ctx, real, need);
		found = true;
	}
	if (!tag && !found && starts_with(value, "/dev/mapper/") && ctx->depth < MAX_DEPTH &&
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
static void collect_named(struct ctx *ctx, const char *tag, const char *value, const char *where,
			  const struct need *need)
{
	begin_need(ctx);
	if (!need_named(ctx, tag, value, need)) {
		if (ctx->records) {
			add_note(ctx, "%s: %s%s%s (%s) is on no disk that is here now", where,
				 tag ? tag : "", tag ? "=" : "", value, need->name);
		} else {
			add_note(
				ctx,
				"%s: %s%s%s (%s) cannot be looked up, udev's database is empty: every disk's function is protected",
				where, tag ? tag : "", tag ? "=" : "", value, need->name);
			need_all_disks(ctx, need);
		}
	}
	end_need(ctx, need);
}

static bool is_esp_entry(struct ctx *ctx, struct libmnt_fs *fs)
{
	const char *tag, *value;

	if (mnt_fs_get_tag(fs, &tag, &value))
		return false;
	for (size_t i = 0; i < ctx->records; i++)
		if (record_has_tag(&ctx->record[i], tag, value) &&
		    is_esp(ctx, ctx->record[i].devno))
			return true;
	return false;
}

static void collect_fstab_entry(struct ctx *ctx, struct libmnt_fs *fs)
{
	const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);
	const char *source = mnt_fs_get_srcpath(fs), *tag, *value;
	bool is_bind = !mnt_fs_get_option(fs, "bind", NULL, NULL) ||
		       !mnt_fs_get_option(fs, "rbind", NULL, NULL);
	struct need need = { .why = WHY_HOLDS, .name = target };

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
		begin_need(ctx);
		need_dataset(ctx, source, &need);
		end_need(ctx, &need);
	} else if (mnt_fs_is_netfs(fs)) {
		if (!need.minor)
			need_network(ctx, &need, type);
	} else if (starts_with(source, "/dev/")) {
		/* Nobody knows what /dev/root was; what is mounted was found by its number. */
		if (strcmp(source, "/dev/root") || !mount_at(ctx->mounts, target))
			collect_named(ctx, NULL, source, "/" PATH_FSTAB, &need);
	} else if (*source == '/') {
		/* A bind mount, a swap file, an image: what holds the file. */
		begin_need(ctx);
		need_file(ctx, source, &need);
		end_need(ctx, &need);
	}
}

static void collect_fstab(struct ctx *ctx)
{
	struct libmnt_table *fstab = read_table(ctx, PATH_FSTAB);
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

static void collect_swaps(struct ctx *ctx)
{
	struct libmnt_table *swaps = read_table(ctx, PATH_SWAPS);
	const struct need need = { .why = WHY_HOLDS, .name = "swap" };
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
		begin_need(ctx);
		if (type && !strcmp(type, "file")) {
			need_file(ctx, source, &need);
		} else if (!find_device(ctx, source, real)) {
			need_block(ctx, real, &need);
		} else {
			add_note(
				ctx,
				"swap is on %s, which sysfs does not have: every disk's function is protected",
				source);
			need_all_disks(ctx, &need);
		}
		end_need(ctx, &need);
	}
	mnt_free_iter(iter);
	mnt_unref_table(swaps);
}

/* ---- ESPs that are mounted by nobody ---- */

/* One UUID a line, of the vfat (proxmox-boot-tool init writes it). */
static void collect_proxmox_esps(struct ctx *ctx)
{
	FILE *f = open_text(ctx, PATH_PROXMOX_UUIDS);
	char *line = NULL, name[64];
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		struct need need = { .why = WHY_HOLDS, .name = name };
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
static void collect_booted_esp(struct ctx *ctx)
{
	const struct need need = { .why = WHY_HOLDS, .name = "the ESP booted from" };
	char raw[128], uuid[64];
	ssize_t len;
	size_t n = 0;
	int fd = openat(ctx->rootfd, PATH_LOADER_PARTUUID, O_RDONLY | O_CLOEXEC);

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

/* ---- the network ---- */

/*
 * An interface and all that it stands on: lower_NAME links (net/core/dev.c,
 * netdev_adjacent_sysfs_add()) are there for VLAN, bond, team, bridge and macvlan alike; brif/ and
 * bonding/slaves say the same in other words. Returns how many functions there were.
 */
static unsigned int need_interface(struct ctx *ctx, const char *name, const struct need *need)
{
	char path[PATH_MAX], real[PATH_MAX], text[4096], *word, *save;
	unsigned int n = 0;
	struct strings names;

	if (strchr(name, '/') || *name == '.' || path_format(path, PATH_CLASS_NET "/%s", name) ||
	    !strings_add(ctx, &ctx->seen, path))
		return 0;

	list_names(ctx, path, &names);
	for (size_t i = 0; i < names.n; i++)
		if (starts_with(names.s[i], "lower_"))
			n += need_interface(ctx, names.s[i] + strlen("lower_"), need);
	strings_clear(&names);

	if (!read_attr(ctx, path, "bonding/slaves", text, sizeof(text)))
		for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
			n += need_interface(ctx, word, need);

	path_format(path, PATH_CLASS_NET "/%s/brif", name);
	list_names(ctx, path, &names);
	for (size_t i = 0; i < names.n; i++)
		n += need_interface(ctx, names.s[i], need);
	strings_clear(&names);

	path_format(path, PATH_CLASS_NET "/%s/device", name);
	if (!real_path(ctx, path, real))
		/* A board's own card has no function, and needs none. */
		n += need_functions(ctx, real, need) ?: 1;
	return n;
}

static void add_interface(struct ctx *ctx, struct strings *list, const char *name)
{
	if (strcmp(name, "lo"))
		strings_add(ctx, list, name);
}

/*
 * net/ipv4/fib_trie.c, fib_route_seq_show(): the main table alone, and of a route with several next
 * hops only the first.
 */
static void read_ipv4(struct ctx *ctx, struct strings *defaults, struct strings *addressed)
{
	FILE *f = open_text(ctx, PATH_ROUTE);
	unsigned int dest, flags, mask;
	char *line = NULL, name[32];
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		if (sscanf(line, "%31s %x %*x %x %*d %*d %*d %x", name, &dest, &flags, &mask) !=
			    4 ||
		    !(flags & ROUTE_UP) || flags & ROUTE_REJECT)
			continue;
		add_interface(ctx, !dest && !mask ? defaults : addressed, name);
	}
	free(line);
	fclose(f);
}

/* net/ipv6/route.c, rt6_info_route(); net/ipv6/addrconf.c, if6_seq_show(): scope 00 is global. */
static void read_ipv6(struct ctx *ctx, struct strings *defaults, struct strings *addressed)
{
	static const char any[] = "00000000000000000000000000000000";
	unsigned int prefix, flags, scope;
	char *line = NULL, dest[33], name[32];
	size_t size = 0;
	FILE *f;

	f = open_text(ctx, PATH_IPV6_ROUTE);
	while (f && getline(&line, &size, f) > 0) {
		if (sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %x %31s", dest, &prefix, &flags,
			   name) != 4 ||
		    !(flags & ROUTE_UP) || flags & ROUTE_REJECT)
			continue;
		if (!prefix && !strcmp(dest, any))
			add_interface(ctx, defaults, name);
	}
	if (f)
		fclose(f);
	f = open_text(ctx, PATH_IF_INET6);
	while (f && getline(&line, &size, f) > 0)
		if (sscanf(line, "%*s %*x %*x %x %*x %31s", &scope, name) == 2 && !scope)
			add_interface(ctx, addressed, name);
	if (f)
		fclose(f);
	free(line);
}

static unsigned int need_interfaces(struct ctx *ctx, const struct strings *list, enum why why,
				    enum why may)
{
	unsigned int n, total = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct need need = { .why = why, .name = list->s[i] };

		begin_need(ctx);
		n = need_interface(ctx, list->s[i], &need);
		total += n;
		if (n || why != WHY_ROUTE)
			continue;
		/* A tunnel, a veth pair, an Open vSwitch port: what is below is not in sysfs. */
		add_note(
			ctx,
			"what carries %s, which has a default route, cannot be found out: every network function that is up is protected",
			list->s[i]);
		need_all_nics(ctx, may, list->s[i]);
	}
	return total;
}

static void collect_network(struct ctx *ctx)
{
	struct strings defaults = { 0 }, addressed = { 0 };

	read_ipv4(ctx, &defaults, &addressed);
	read_ipv6(ctx, &defaults, &addressed);
	if (defaults.n) {
		need_interfaces(ctx, &defaults, WHY_ROUTE, WHY_MAY_ROUTE);
	} else if (need_interfaces(ctx, &addressed, WHY_ADDRESS, WHY_MAY_ADDRESS)) {
		add_note(ctx,
			 "there is no default route: every interface with an address is protected");
	} else {
		add_note(
			ctx,
			"there is no default route and no address: every network function that is up is protected");
		need_all_nics(ctx, WHY_MAY_ROUTE, "none now");
	}
	strings_clear(&defaults);
	strings_clear(&addressed);
}

/* ---- whose facts are these? ---- */

/* Is "/" the same place of the same file system for the first process? True when it cannot be seen. */
static bool is_root_of_init(struct ctx *ctx, struct libmnt_fs *ours)
{
	struct libmnt_table *mounts = read_table(ctx, PATH_INIT_MOUNTINFO);
	struct libmnt_fs *theirs = mounts ? mount_at(mounts, "/") : NULL;
	bool same = true;

	if (theirs) {
		const char *a = mnt_fs_get_root(ours), *b = mnt_fs_get_root(theirs);

		same = mnt_fs_get_devno(ours) == mnt_fs_get_devno(theirs) && a && b &&
		       !strcmp(a, b);
	}
	mnt_unref_table(mounts);
	return same;
}

static bool is_other_namespace(struct ctx *ctx, const char *path, const char *initial)
{
	char link[64];
	ssize_t len = readlinkat(ctx->rootfd, path, link, sizeof(link) - 1);

	if (len <= 0)
		return false;
	link[len] = '\0';
	return strcmp(link, initial);
}

/*
 * A chroot on a directory has no "/" in its mountinfo, one on a mount has another "/" than the first
 * process, and a container has a PID namespace of its own. All of it is open to any user.
 */
static const char *find_why_none(struct ctx *ctx)
{
	struct libmnt_fs *root;

	if (!ctx->mounts)
		return "/proc is not mounted: this is a chroot or an image being built, not the running host";
	if (!exists(ctx, PATH_DEV_BLOCK))
		return "/sys is not mounted: this is a chroot or an image being built, not the running host";
	if (is_other_namespace(ctx, PATH_PID_NS, INIT_PID_NS) ||
	    is_other_namespace(ctx, PATH_USER_NS, INIT_USER_NS) || exists(ctx, PATH_CONTAINER))
		return "this runs in a container: its facts are not the host's";
	root = mount_at(ctx->mounts, "/");
	if (!root || !is_root_of_init(ctx, root))
		return "this runs in a chroot: its facts are not the running host's";
	return NULL;
}

/* ---- from nodes to the list ---- */

static int compare_addresses(const struct pci_address *a, const struct pci_address *b)
{
	uint64_t x = (uint64_t)a->domain << 24 | a->bus << 16 | a->dev << 8 | a->fn;
	uint64_t y = (uint64_t)b->domain << 24 | b->bus << 16 | b->dev << 8 | b->fn;

	return x < y ? -1 : x > y;
}

static int compare_nodes(const void *a, const void *b)
{
	return compare_addresses(&((const struct node *)a)->addr, &((const struct node *)b)->addr);
}

static int compare_below(const void *a, const void *b)
{
	return compare_addresses(&((const struct below *)a)->addr,
				 &((const struct below *)b)->addr);
}

/* What is held need not be called possible as well. */
static bool is_said_better(const struct node *node, unsigned int why, const char *name)
{
	return (why == WHY_COMPLETES || why == WHY_MAY_HOLD || why == WHY_REACHES) &&
	       strings_has(&node->names[WHY_HOLDS], name);
}

/* "holds /, swap; carries the default route (vmbr0)". Returns whether anything was said. */
static bool print_causes(FILE *out, const struct node *node)
{
	bool any = false;

	for (unsigned int why = 0; why < N_WHYS; why++) {
		const struct strings *names = &node->names[why];
		size_t shown = 0, left = 0;

		for (size_t i = 0; i < names->n; i++) {
			if (is_said_better(node, why, names->s[i]))
				continue;
			if (shown == MAX_NAMES) {
				left++;
				continue;
			}
			fprintf(out, "%s%s%s", any && !shown ? "; " : "",
				shown ? ", " : phrases[why].before, names->s[i]);
			shown++;
			any = true;
		}
		if (left)
			fprintf(out, " and %zu more", left);
		if (shown)
			fputs(phrases[why].after, out);
	}
	return any;
}

static void print_reason(struct ctx *ctx, FILE *out, const struct node *node)
{
	bool any = print_causes(out, node);

	for (size_t i = 0; i < node->belows; i++) {
		const struct below *below = &node->below[i];
		char text[PCI_ADDRESS_SIZE];

		if (i == MAX_BELOW) {
			fprintf(out, "; and above %zu more", node->belows - i);
			break;
		}
		fprintf(out, "%s%s %s, which ", any ? "; " : "",
			below->is_vf ? "physical function of" : "above",
			pci_address_format(&below->addr, text));
		print_causes(out, node_at(ctx, &below->addr));
		any = true;
	}
}

/* Returns 0, or -ENODATA when sysfs has no ID of it. */
static int read_id(struct ctx *ctx, const struct pci_address *addr, struct pci_id *id)
{
	static const char *const names[] = { "vendor", "device", "subsystem_vendor",
					     "subsystem_device" };
	uint16_t *const field[] = { &id->vendor, &id->device, &id->subvendor, &id->subdevice };
	char dir[PATH_MAX], text[4096], *line;

	path_format(dir, PATH_PCI_DEVICES "/%s", pci_address_format(addr, text));
	*id = (struct pci_id){ 0 };
	for (unsigned int i = 0; i < 4; i++)
		if (!read_attr(ctx, dir, names[i], text, sizeof(text)))
			*field[i] = (uint16_t)strtoul(text, NULL, 16);
	/* Bridges have no subsystem register: the kernel says 0000:0000. */
	if (id->vendor)
		return 0;
	/* A recorded machine may have the uevent alone. */
	read_attr(ctx, dir, "uevent", text, sizeof(text));
	line = strstr(text, "PCI_ID=");
	if (line && sscanf(line, "PCI_ID=%4hx:%4hx", &id->vendor, &id->device) == 2)
		return 0;
	return -ENODATA;
}

static void make_list(struct ctx *ctx, struct protect_facts *facts)
{
	if (ctx->err || !ctx->nodes)
		return;
	qsort(ctx->node, ctx->nodes, sizeof(*ctx->node), compare_nodes);
	facts->list = calloc(ctx->nodes, sizeof(*facts->list));
	if (!facts->list) {
		ctx->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < ctx->nodes && !ctx->err; i++) {
		struct node *node = &ctx->node[i];
		struct protect *entry = &facts->list[facts->count];
		char text[PCI_ADDRESS_SIZE];
		size_t size;
		FILE *out;

		if (read_id(ctx, &node->addr, &entry->id)) {
			add_note(ctx,
				 "%s is needed, but sysfs has no ID of it: it is not protected",
				 pci_address_format(&node->addr, text));
			continue;
		}
		if (node->belows)
			qsort(node->below, node->belows, sizeof(*node->below), compare_below);
		out = open_memstream(&entry->reason, &size);
		if (!out) {
			ctx->err = -ENOMEM;
			break;
		}
		print_reason(ctx, out, node);
		if (fclose(out)) {
			free(entry->reason);
			ctx->err = -ENOMEM;
			break;
		}
		make_printable(entry->reason);
		shorten(entry->reason, REASON_MAX);
		entry->addr = node->addr;
		facts->count++;
	}
}

static void free_ctx(struct ctx *ctx)
{
	for (size_t i = 0; i < ctx->nodes; i++) {
		for (int why = 0; why < N_WHYS; why++)
			strings_clear(&ctx->node[i].names[why]);
		free(ctx->node[i].below);
	}
	free(ctx->node);
	for (size_t i = 0; i < ctx->records; i++) {
		for (int k = 0; k < N_UDEV_KEYS; k++)
			free(ctx->record[i].value[k]);
		strings_clear(&ctx->record[i].links);
		free(ctx->record[i].devno);
	}
	free(ctx->record);
	strings_clear(&ctx->seen);
	strings_clear(&ctx->vgs);
	strings_clear(&ctx->notes);
	mnt_unref_table(ctx->mounts);
	close(ctx->rootfd);
}

int protect_collect(const char *root, struct protect_facts *facts)
{
	struct ctx ctx = { 0 };
	char *resolved;

	*facts = (struct protect_facts){ 0 };
	resolved = realpath(root, NULL);
	if (!resolved)
		return -errno;
	ctx.root = strcmp(resolved, "/") ? resolved : "";
	ctx.rootfd = open(resolved, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ctx.rootfd < 0) {
		int ret = -errno;

		free(resolved);
		return ret;
	}

	ctx.mounts = read_table(&ctx, PATH_MOUNTINFO);
	facts->why_none = find_why_none(&ctx);
	if (!facts->why_none) {
		read_records(&ctx);
		collect_mounts(&ctx);
		collect_fstab(&ctx);
		collect_swaps(&ctx);
		collect_proxmox_esps(&ctx);
		collect_booted_esp(&ctx);
		collect_network(&ctx);
		make_list(&ctx, facts);
	}
	facts->note = ctx.notes.s;
	facts->notes = ctx.notes.n;
	ctx.notes = (struct strings){ 0 };
	free_ctx(&ctx);
	free(resolved);
	if (ctx.err)
		protect_free(facts);
	return ctx.err;
}

void protect_free(struct protect_facts *facts)
{
	for (size_t i = 0; i < facts->count; i++)
		free(facts->list[i].reason);
	free(facts->list);
	for (size_t i = 0; i < facts->notes; i++)
		free(facts->note[i]);
	free(facts->note);
	*facts = (struct protect_facts){ 0 };
}
