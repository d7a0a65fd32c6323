// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the host needs, for every kind of file system, disk and interface that a kernel has: the names
 * are in kernel-names.h, made from the kernel's source, and a name without a row here fails. Each row
 * is a tree, and the protect lines that must come out of it, no more and no less.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protect/protect.h"
#include "tests/unit/kernel-names.h"
#include "tests/unit/machine.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the machine that every row stands in ---- */

/* Why each of its functions is needed, "@" for the mount point or interface; NULL: it is not. */
struct expect {
	const char *p9, *virtiofs, *vbox, *cxl, *hba; /* 00:04.0 to 00:08.0 */
	const char *disk0, *disk1; /* 01:00.0 and 02:00.0, below 00:10.0 and 00:11.0 */
	const char *nic;	   /* 00:19.0: up, and its cable is out */
	const char *down;	   /* 00:1a.0: set down */
	const char *flash;	   /* 00:1f.5 */
};

#define HOLDS	"holds @"
#define MAY	"may hold @"
#define REACHES "may reach @ over the network"

#define ON_DISK	    .disk0 = HOLDS
#define ON_NETWORK  .nic = REACHES
#define ON_ANYTHING .disk0 = MAY, .disk1 = MAY, .nic = REACHES
#define ON_FLASH    .flash = HOLDS

#define DISK0 PCI0 "0000:00:10.0/0000:01:00.0"
#define NIC   PCI0 "0000:00:19.0"
#define FLASH PCI0 "0000:00:1f.5"
#define HBA   PCI0 "0000:00:08.0"
#define CTL   "sys/devices/virtual/nvme-fabrics/ctl/nvme5"

static void add_driver(const char *function, const char *device, const char *driver)
{
	machine_add_pci(machine_path(PCI0 "%s", function), "1af4", device);
	machine_link(machine_path("sys/bus/%s/%s", driver, function),
		     machine_path(PCI0 "%s", function));
}

/* A root, a swap and a network that need no function; all else of the machine is in use by nobody. */
static void build_machine(void)
{
	add_driver("0000:00:04.0", "1049", "virtio/drivers/9pnet_virtio");
	add_driver("0000:00:05.0", "105a", "virtio/drivers/virtiofs");
	add_driver("0000:00:06.0", "cafe", "pci/drivers/vboxguest");
	add_driver("0000:00:07.0", "0d93", "cxl/devices");
	machine_add_pci(HBA, "1af4", "2261");
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_pci(NIC, "1af4", "1533");
	machine_add_nic(NIC, "eth0");
	machine_put(NIC "/net/eth0/operstate", "down\n");
	machine_put(NIC "/net/eth0/flags", "0x1003\n");
	machine_add_pci(PCI0 "0000:00:1a.0", "1af4", "1533");
	machine_add_nic(PCI0 "0000:00:1a.0", "eth1");
	machine_put(PCI0 "0000:00:1a.0/net/eth1/flags", SET_DOWN);
	machine_add_pci(FLASH, "1af4", "a3a4");
	machine_dirs(FLASH "/mtd/mtd0");
	machine_link("sys/class/mtd/mtd0", FLASH "/mtd/mtd0");
	machine_add_disk("sys/devices/platform/mmc/block/mmcblk9", "179:0");
	machine_dirs("sys/devices/platform/soc/eth");
	machine_add_nic("sys/devices/platform/soc/eth", "end0");
}

static char *text_of(const struct protect_facts *facts)
{
	char *text = NULL, address[PCI_ADDRESS_SIZE];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < facts->count; i++)
		fprintf(out, "%s %s\n", pci_address_format(&facts->list[i].addr, address),
			facts->list[i].reason);
	fclose(out);
	return text;
}

static void print_line(FILE *out, const char *address, const char *below, const char *reason,
		       const char *name)
{
	if (!reason)
		return;
	fprintf(out, "0000:%s ", address);
	if (below)
		fprintf(out, "above 0000:%s, which ", below);
	for (; *reason; reason++) {
		if (*reason == '@')
			fputs(name, out);
		else
			fputc(*reason, out);
	}
	fputc('\n', out);
}

static char *text_expected(const struct expect *expect, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print_line(out, "00:04.0", NULL, expect->p9, name);
	print_line(out, "00:05.0", NULL, expect->virtiofs, name);
	print_line(out, "00:06.0", NULL, expect->vbox, name);
	print_line(out, "00:07.0", NULL, expect->cxl, name);
	print_line(out, "00:08.0", NULL, expect->hba, name);
	print_line(out, "00:10.0", "01:00.0", expect->disk0, name);
	print_line(out, "00:11.0", "02:00.0", expect->disk1, name);
	print_line(out, "00:19.0", NULL, expect->nic, name);
	print_line(out, "00:1a.0", NULL, expect->down, name);
	print_line(out, "00:1f.5", NULL, expect->flash, name);
	print_line(out, "01:00.0", NULL, expect->disk0, name);
	print_line(out, "02:00.0", NULL, expect->disk1, name);
	fclose(out);
	return text;
}

/* Says which row it is, then fails at the end of them all. */
static unsigned int failures;

static void judge(const char *row, const char *how, const struct expect *expect, const char *name,
		  int (*collect)(const struct protect_source *source, struct protect_facts *facts))
{
	struct protect_facts facts;
	char *have, *wanted = text_expected(expect, name);

	machine_collect(collect, &facts);
	have = text_of(&facts);
	if (strcmp(have, wanted)) {
		print_error("%s, %s: is\n%sinstead of\n%s", row, how, have, wanted);
		for (size_t i = 0; i < facts.notes; i++)
			print_error("# %s\n", facts.note[i]);
		failures++;
	}
	protect_free(&facts);
	free(have);
	free(wanted);
}

/* The machine is built once for all rows of a test; what a row has added is taken away after it. */
static int build(void **state)
{
	int ret = machine_setup(state);

	build_machine();
	machine_mark();
	failures = 0;
	return ret;
}

static bool has_row(const char *name, const void *rows, size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(*(const char *const *)((const char *)rows + i * size), name))
			return true;
	print_error("%s has no row\n", name);
	failures++;
	return false;
}

#define every_name_has_a_row(names, rows)                                        \
	do {                                                                     \
		for (size_t n = 0; n < N(names); n++)                            \
			has_row((names)[n], (rows), N(rows), sizeof((rows)[0])); \
	} while (0)

/* ---- file systems ---- */

struct filesystem {
	const char *name; /* the first in every kind of row */
	const char *devno, *source, *options;
	void (*build)(void);
	struct expect expect;
	enum {
		MOUNTABLE,
		PSEUDO,	  /* may be mounted, but never as a root: looked at as a line of fstab */
		INTERNAL, /* the kernel's own; nobody can mount it */
	} how;
};

static void put_superblock(const char *node, size_t offset, const void *data, size_t size)
{
	static char block[0x10000 + 4096];

	if (offset + size > sizeof(block))
		fail();
	memset(block, 0, sizeof(block));
	memcpy(block + (offset & ~0xfffUL ? offset : 1024), data, size);
	machine_put_bytes(machine_path("dev/%s", node), block, sizeof(block), "w");
}

static void internal_journal(void)
{
	unsigned char block[0x100] = { 0 };

	block[0x38] = 0x53;
	block[0x39] = 0xef;
	block[0x5c] = 4;
	block[0xe0] = 8;
	put_superblock("nvme0n1p2", 1024, block, sizeof(block));
	machine_add_udev("259:12", "E:ID_FS_TYPE=jbd\nE:ID_FS_UUID=bb\n");
}

static void external_journal(void)
{
	unsigned char block[0x100] = { 0 };

	block[0x38] = 0x53;
	block[0x39] = 0xef;
	block[0x5c] = 4;
	memset(block + 0xd0, 0xab, 16);
	put_superblock("nvme0n1p2", 1024, block, sizeof(block));
	machine_add_udev("259:12", "E:ID_FS_TYPE=jbd\n"
				   "E:ID_FS_UUID=abababab-abab-abab-abab-abababababab\n");
}

/* As an ordinary user sees it: no superblock, and no journal of its own in /proc. */
static void unread_journal(void)
{
	machine_dirs("proc/fs/jbd2/nvme1n1p2");
	machine_add_udev("259:12", "E:ID_FS_TYPE=jbd\nE:ID_FS_UUID=bb\n");
}

static void named_journal(void)
{
	machine_dirs("proc/fs/jbd2/nvme0n1p2-8");
	machine_add_udev("259:12", "E:ID_FS_TYPE=jbd\nE:ID_FS_UUID=bb\n");
}

static void jfs_inline_log(void)
{
	unsigned char block[128] = "JFS1";

	block[37] = 0x08;
	put_superblock("nvme0n1p2", 0x8000, block, sizeof(block));
}

static void jfs_log_device(void)
{
	unsigned char block[128] = "JFS1";

	/* 259:12, as the kernel encodes it: 0x0001030c */
	block[64] = 0x0c;
	block[65] = 0x03;
	block[66] = 0x01;
	put_superblock("nvme0n1p2", 0x8000, block, sizeof(block));
}

static void reiserfs_journal(void)
{
	unsigned char block[128] = { 0 };

	memcpy(block + 52, "ReIsEr3Fs", 9);
	block[16] = 0x0c;
	block[17] = 0x03;
	block[18] = 0x01;
	put_superblock("nvme0n1p2", 0x10000, block, sizeof(block));
}

static void f2fs_alone(void)
{
	unsigned char block[2800] = "\x10\x20\xf5\xf2";

	put_superblock("nvme0n1p2", 1024, block, sizeof(block));
}

static void f2fs_on_two(void)
{
	unsigned char block[2800] = "\x10\x20\xf5\xf2";

	strcpy((char *)block + 2201, "/dev/nvme0n1p2");
	strcpy((char *)block + 2201 + 68, "/dev/nvme1n1p1");
	put_superblock("nvme0n1p2", 1024, block, sizeof(block));
}

static void folder_on_disk(void)
{
	machine_add_mount("259:2", "/", "/mnt/disk1", "ext2", "/dev/nvme0n1p2", "rw");
}

static void btrfs_on_two(void)
{
	machine_link("sys/fs/btrfs/12/devices/nvme0n1p2", "sys/class/block/nvme0n1p2");
	machine_link("sys/fs/btrfs/12/devices/nvme1n1p2", "sys/class/block/nvme1n1p2");
	machine_add_udev("259:2", "E:ID_FS_TYPE=btrfs\nE:ID_FS_UUID=aa\n");
	machine_add_udev("259:12", "E:ID_FS_TYPE=btrfs\nE:ID_FS_UUID=aa\n");
}

static void bcachefs_on_two(void)
{
	machine_add_udev("259:2", "E:ID_FS_TYPE=bcachefs\nE:ID_FS_UUID=aa\n");
	machine_add_udev("259:12", "E:ID_FS_TYPE=bcachefs\nE:ID_FS_UUID=aa\n");
}

/* A mirror, whose second half lies in a partition of another type and was not recognised. */
static void zfs_mirror(void)
{
	machine_add_udev("259:2", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\n");
	machine_add_udev("259:12", "E:ID_PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4\n");
}

/* What a whole disk in another pool has beside its member, and what Windows has, is of no pool. */
static void zfs_beside_others(void)
{
	machine_add_udev("259:2", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\n");
	machine_add_udev("259:11", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=other\n");
	machine_add_udev("259:12", "E:ID_PART_ENTRY_TYPE=6a945a3b-1dd2-11b2-99a6-080020736631\n");
}

#define DEVICE_ROW(type)                                     \
	{                                                    \
		type, "259:2", "/dev/nvme0n1p2", "rw", NULL, \
		{                                            \
			ON_DISK                              \
		}                                            \
	}
#define BUILT_ROW(type, with, ...)                           \
	{                                                    \
		type, "259:2", "/dev/nvme0n1p2", "rw", with, \
		{                                            \
			__VA_ARGS__                          \
		}                                            \
	}
#define NETWORK_ROW(type, source)                 \
	{                                         \
		type, "0:50", source, "rw", NULL, \
		{                                 \
			ON_NETWORK                \
		}                                 \
	}
#define PSEUDO_ROW(type)   type, "0:50", "none", "rw", NULL, { 0 }, PSEUDO
#define INTERNAL_ROW(type) type, NULL, NULL, NULL, NULL, { 0 }, INTERNAL

static const struct filesystem filesystems[] = {
	{ "9p", "0:50", "share", "rw,trans=virtio", NULL, { .p9 = HOLDS } },
	{ "9p", "0:50", "10.0.0.1", "rw,trans=tcp", NULL, { ON_NETWORK } },
	{ "9p", "0:50", "10.0.0.1", "rw,trans=rdma", NULL, { ON_NETWORK } },
	{ "9p", "0:50", "x", "rw,trans=fd", NULL, { ON_ANYTHING } },
	{ "9p", "0:50", "x", "rw", NULL, { .p9 = HOLDS, ON_NETWORK } },
	DEVICE_ROW("adfs"),
	DEVICE_ROW("affs"),
	NETWORK_ROW("afs", "%grand.central.org:root.cell."),
	{ INTERNAL_ROW("aio") },
	{ INTERNAL_ROW("anon_inodefs") },
	{ PSEUDO_ROW("autofs") },
	BUILT_ROW("bcachefs", bcachefs_on_two, ON_DISK, .disk1 = HOLDS),
	DEVICE_ROW("befs"),
	DEVICE_ROW("bfs"),
	{ PSEUDO_ROW("binfmt_misc") },
	{ "btrfs", "0:50", "/dev/nvme0n1p2", "rw", btrfs_on_two, { ON_DISK, .disk1 = HOLDS } },
	NETWORK_ROW("ceph", "10.0.0.1:6789:/"),
	NETWORK_ROW("cifs", "//server/share"),
	NETWORK_ROW("coda", "coda"),
	{ PSEUDO_ROW("configfs") },
	DEVICE_ROW("cramfs"),
	{ "cramfs", "31:0", "mtd0", "ro", NULL, { ON_FLASH } },
	{ PSEUDO_ROW("debugfs") },
	{ PSEUDO_ROW("devpts") },
	{ "ecryptfs", "0:50", "/mnt/disk1/.private", "rw", folder_on_disk, { ON_DISK } },
	{ PSEUDO_ROW("efivarfs") },
	DEVICE_ROW("efs"),
	DEVICE_ROW("erofs"),
	{ "erofs", "0:50", "/mnt/disk1/image", "ro", folder_on_disk, { ON_DISK } },
	{ "erofs",
	  "259:2",
	  "/dev/nvme0n1p2",
	  "ro,device=/dev/nvme1n1p1",
	  NULL,
	  { ON_DISK, .disk1 = HOLDS } },
	DEVICE_ROW("exfat"),
	DEVICE_ROW("ext2"),
	BUILT_ROW("ext3", external_journal, ON_DISK, .disk1 = HOLDS),
	BUILT_ROW("ext4", internal_journal, ON_DISK),
	BUILT_ROW("ext4", external_journal, ON_DISK, .disk1 = HOLDS),
	BUILT_ROW("ext4", unread_journal, ON_DISK, .disk1 = "may hold the journal of @"),
	BUILT_ROW("ext4", named_journal, ON_DISK),
	BUILT_ROW("f2fs", f2fs_alone, ON_DISK),
	BUILT_ROW("f2fs", f2fs_on_two, ON_DISK, .disk1 = HOLDS),
	BUILT_ROW("f2fs", NULL, ON_DISK, .disk1 = MAY),
	{ "fuse", "0:50", "something", "rw", NULL, { ON_ANYTHING } },
	{ "fuse.encfs", "0:50", "/mnt/disk1/crypt", "rw", folder_on_disk, { ON_DISK } },
	{ "fuse.mergerfs", "0:50", "/mnt/disk*=RW", "rw", folder_on_disk, { ON_DISK } },
	NETWORK_ROW("fuse.sshfs", "user@server:/"),
	DEVICE_ROW("fuseblk"),
	{ PSEUDO_ROW("fusectl") },
	BUILT_ROW("gfs2", NULL, ON_DISK, ON_NETWORK),
	{ INTERNAL_ROW("gfs2meta") },
	DEVICE_ROW("hfs"),
	DEVICE_ROW("hfsplus"),
	{ "hostfs", "0:50", "/", "rw", NULL, { 0 } },
	DEVICE_ROW("hpfs"),
	{ PSEUDO_ROW("hugetlbfs") },
	DEVICE_ROW("iso9660"),
	{ "jffs2", "31:0", "mtd0", "rw", NULL, { ON_FLASH } },
	BUILT_ROW("jfs", jfs_inline_log, ON_DISK),
	BUILT_ROW("jfs", jfs_log_device, ON_DISK, .disk1 = HOLDS),
	BUILT_ROW("jfs", NULL, ON_DISK, .disk1 = MAY),
	DEVICE_ROW("minix"),
	DEVICE_ROW("msdos"),
	NETWORK_ROW("nfs", "server:/root"),
	NETWORK_ROW("nfs4", "server:/root"),
	{ PSEUDO_ROW("nfsd") },
	DEVICE_ROW("nilfs2"),
	{ INTERNAL_ROW("nsfs") },
	DEVICE_ROW("ntfs"),
	DEVICE_ROW("ntfs3"),
	{ INTERNAL_ROW("nullfs") },
	BUILT_ROW("ocfs2", NULL, ON_DISK, ON_NETWORK),
	{ PSEUDO_ROW("ocfs2_dlmfs") },
	DEVICE_ROW("omfs"),
	{ PSEUDO_ROW("openpromfs") },
	{ "overlay",
	  "0:50",
	  "overlay",
	  "rw,lowerdir=/mnt/disk1/a,upperdir=/mnt/disk1/b",
	  folder_on_disk,
	  { ON_DISK } },
	{ INTERNAL_ROW("pidfs") },
	{ INTERNAL_ROW("pipefs") },
	{ PSEUDO_ROW("proc") },
	{ INTERNAL_ROW("pseudo_erofs") },
	{ PSEUDO_ROW("pstore") },
	NETWORK_ROW("pvfs2", "tcp://server:3334/orangefs"),
	DEVICE_ROW("qnx4"),
	DEVICE_ROW("qnx6"),
	{ "ramfs", "0:50", "none", "rw", NULL, { 0 } },
	BUILT_ROW("reiserfs", reiserfs_journal, ON_DISK, .disk1 = HOLDS),
	{ PSEUDO_ROW("resctrl") },
	DEVICE_ROW("romfs"),
	{ "romfs", "31:0", "mtd:rootfs", "ro", NULL, { ON_FLASH } },
	NETWORK_ROW("smb3", "//server/share"),
	DEVICE_ROW("squashfs"),
	{ PSEUDO_ROW("sysfs") },
	{ "tmpfs", "0:50", "tmpfs", "rw", NULL, { 0 } },
	{ PSEUDO_ROW("tracefs") },
	{ "ubifs", "0:50", "ubi0:rootfs", "rw", NULL, { ON_FLASH } },
	DEVICE_ROW("udf"),
	DEVICE_ROW("ufs"),
	{ "vboxsf", "0:50", "share", "rw", NULL, { .vbox = HOLDS } },
	DEVICE_ROW("vfat"),
	{ "virtiofs", "0:50", "tag", "rw", NULL, { .virtiofs = HOLDS } },
	DEVICE_ROW("vxfs"),
	DEVICE_ROW("xfs"),
	{ "xfs",
	  "259:2",
	  "/dev/nvme0n1p2",
	  "rw,logdev=/dev/nvme1n1p1",
	  NULL,
	  { ON_DISK, .disk1 = HOLDS } },
	{ "xfs",
	  "259:2",
	  "/dev/nvme0n1p2",
	  "rw,rtdev=/dev/nvme1n1p1",
	  NULL,
	  { ON_DISK, .disk1 = HOLDS } },
	{ "zfs", "0:50", "tank/x", "rw", zfs_mirror, { ON_DISK, .disk1 = MAY } },
	{ "zfs", "0:50", "tank/x", "rw", zfs_beside_others, { ON_DISK } },
	DEVICE_ROW("zonefs"),
};

static void add_root(void)
{
	machine_add_mount("179:0", "/", "/", "ext2", "/dev/mmcblk9", "rw");
}

static void try_filesystem(const struct filesystem *row, const char *target, bool is_mounted,
			   bool is_in_fstab)
{
	char how[128];

	machine_add_default_route("end0");
	if (strcmp(target, "/"))
		add_root();
	if (row->build)
		row->build();
	if (is_mounted)
		machine_add_mount(row->devno, "/", target, row->name, row->source, row->options);
	if (is_in_fstab)
		machine_put("etc/fstab", machine_path("%s %s %s %s 0 0\n", row->source, target,
						      row->name, row->options));
	snprintf(how, sizeof(how), "%s%s%s", target, is_mounted ? " mounted" : "",
		 is_in_fstab ? " in fstab" : "");
	judge(row->name, how, &row->expect, target, protect_collect);
	machine_rewind();
}

static void every_filesystem_protects_what_it_is_on(void **state)
{
	(void)state;
	every_name_has_a_row(kernel_filesystems, filesystems);
	for (size_t i = 0; i < N(filesystems); i++) {
		const struct filesystem *row = &filesystems[i];

		if (row->how == INTERNAL)
			continue;
		if (row->how == MOUNTABLE) {
			try_filesystem(row, "/", true, false);
			try_filesystem(row, "/usr", true, false);
			try_filesystem(row, "/var", true, true);
		}
		try_filesystem(row, "/srv/x", true, true);
		try_filesystem(row, "/srv/x", false, true);
	}
	assert_int_equal(failures, 0);
}

static void what_fstab_may_leave_out_is_not_protected(void **state)
{
	static const char *const options[] = { "nofail", "noauto", "x-systemd.automount" };
	static const struct expect nothing = { 0 };

	(void)state;
	for (size_t i = 0; i < N(options); i++) {
		machine_add_default_route("end0");
		add_root();
		machine_add_mount("259:2", "/", "/srv/x", "ext2", "/dev/nvme0n1p2", "rw");
		machine_put("etc/fstab", machine_path("/dev/nvme0n1p2 /srv/x ext2 rw,%s 0 0\n"
						      "server:/ /srv/y nfs4 rw,%s 0 0\n",
						      options[i], options[i]));
		judge("ext2", options[i], &nothing, "/srv/x", protect_collect);
		machine_rewind();
	}
	assert_int_equal(failures, 0);
}

/* ---- disks ---- */

struct block {
	const char *name;
	const char *path; /* of the disk that is mounted */
	void (*build)(const char *path);
	struct expect expect;
};

static void on_partition(const char *path)
{
	machine_link(machine_path("%s/slaves/nvme0n1p2", path), "sys/class/block/nvme0n1p2");
}

static void on_two_partitions(const char *path)
{
	on_partition(path);
	machine_link(machine_path("%s/slaves/nvme1n1p1", path), "sys/class/block/nvme1n1p1");
}

static void on_file(const char *path)
{
	folder_on_disk();
	machine_put(machine_path("%s/loop/backing_file", path), "/mnt/disk1/image\n");
}

static void on_interface(const char *path)
{
	machine_put(machine_path("%s/netif", path), "eth0,eth9\n");
}

static void writes_back(const char *path)
{
	machine_put(machine_path("%s/backing_dev", path), "/dev/nvme0n1p2\n");
}

static void on_vlan(const char *path)
{
	(void)path;
	machine_add_virtual_nic("eth0.100");
	machine_add_lower("eth0.100", "eth0");
}

static void over_two_controllers(const char *path)
{
	(void)path;
	machine_link("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0", DISK0 "/nvme/nvme0");
	machine_link("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme1",
		     PCI0 "0000:00:11.0/0000:02:00.0/nvme/nvme1");
}

#define VIRTUAL			"sys/devices/virtual/block/"
#define BOARD(name)		"sys/devices/platform/x/block/" name
#define HEAD(name)		"sys/devices/virtual/nvme-subsystem/nvme-subsys0/" name
#define CXL_PMEM		"sys/devices/platform/ACPI0017:00/root0/nvdimm-bridge0/ndbus0/region0/"
#define BOARD_ROW(driver, disk) .name = driver, .path = BOARD(disk)

static const struct block blocks[] = {
	{ BOARD_ROW("arch/um/drivers/ubd_kern", "ubda") },
	{ BOARD_ROW("block/amiflop", "fd0") },
	{ "block/aoe/aoeblk", VIRTUAL "etherd!e1.1", on_interface, { ON_NETWORK } },
	{ "block/aoe/aoeblk", VIRTUAL "etherd!e1.1", NULL, { ON_NETWORK } },
	{ BOARD_ROW("block/ataflop", "fd0") },
	{ "block/brd", VIRTUAL "ram0", NULL, { 0 } },
	{ "block/drbd/drbd_main", VIRTUAL "drbd0", on_partition, { ON_DISK, ON_NETWORK } },
	{ "block/drbd/drbd_main", VIRTUAL "drbd0", NULL, { ON_ANYTHING } },
	{ BOARD_ROW("block/floppy", "fd0") },
	{ "block/loop", VIRTUAL "loop0", on_file, { ON_DISK } },
	{ "block/mtip32xx/mtip32xx", DISK0 "/block/rssda", NULL, { ON_DISK } },
	{ BOARD_ROW("block/n64cart", "n64cart") },
	{ "block/nbd", VIRTUAL "nbd0", NULL, { ON_NETWORK } },
	{ "block/null_blk/main", VIRTUAL "nullb0", NULL, { ON_ANYTHING } },
	{ BOARD_ROW("block/ps3disk", "ps3da") },
	{ BOARD_ROW("block/ps3vram", "ps3vram") },
	{ "block/rbd", "sys/devices/rbd/0/block/rbd0", NULL, { ON_NETWORK } },
	{ "block/rnbd/rnbd-clt", VIRTUAL "rnbd0", NULL, { ON_NETWORK } },
	{ "block/rnull/rnull", VIRTUAL "rnullb0", NULL, { ON_ANYTHING } },
	{ BOARD_ROW("block/sunvdc", "vdiska") },
	{ BOARD_ROW("block/swim", "fd0") },
	{ BOARD_ROW("block/swim3", "fd0") },
	{ "block/ublk_drv", VIRTUAL "ublkb0", NULL, { ON_ANYTHING } },
	{ "block/virtio_blk", DISK0 "/virtio0/block/vda", NULL, { ON_DISK } },
	{ "block/xen-blkfront", "sys/devices/vbd-51712/block/xvda", NULL, { 0 } },
	{ BOARD_ROW("block/z2ram", "z2ram") },
	{ "block/zloop", VIRTUAL "zloop0", NULL, { ON_ANYTHING } },
	{ "block/zram/zram_drv", VIRTUAL "zram0", NULL, { 0 } },
	{ "block/zram/zram_drv", VIRTUAL "zram0", writes_back, { ON_DISK } },
	{ BOARD_ROW("cdrom/gdrom", "gdrom0") },
	{ "md/bcache/super", VIRTUAL "bcache0", on_two_partitions, { ON_DISK, .disk1 = HOLDS } },
	{ "md/dm", VIRTUAL "dm-0", on_two_partitions, { ON_DISK, .disk1 = HOLDS } },
	{ "md/dm", VIRTUAL "dm-0", NULL, { ON_ANYTHING } },
	{ "md/md", VIRTUAL "md0", on_two_partitions, { ON_DISK, .disk1 = HOLDS } },
	{ "memstick/core/ms_block",
	  DISK0 "/rtsx_pci_ms.0/memstick_host/memstick0/block/msblk0",
	  NULL,
	  { ON_DISK } },
	{ "memstick/core/mspro_block",
	  DISK0 "/rtsx_pci_ms.0/memstick_host/block/mspblk0",
	  NULL,
	  { ON_DISK } },
	{ "mmc/core/queue", DISK0 "/mmc_host/mmc0/mmc0:0001/block/mmcblk0", NULL, { ON_DISK } },
	{ BOARD_ROW("mmc/core/queue", "mmcblk0") },
	{ "mtd/mtd_blkdevs", FLASH "/mtd/mtd0/mtdblock0", NULL, { ON_FLASH } },
	{ "mtd/mtd_blkdevs", VIRTUAL "mtdblock0", NULL, { ON_FLASH } },
	{ "mtd/ubi/block", "sys/devices/virtual/ubi/ubi0/ubi0_0/ubiblock0_0", NULL, { ON_FLASH } },
	{ BOARD_ROW("nvdimm/btt", "pmem0s") },
	{ BOARD_ROW("nvdimm/pmem", "pmem0") },
	{ "nvdimm/btt", CXL_PMEM "btt0.0/block/pmem0s", NULL, { .cxl = HOLDS } },
	{ "nvdimm/pmem", CXL_PMEM "namespace0.0/block/pmem0", NULL, { .cxl = HOLDS } },
	{ "nvdimm/pmem",
	  DISK0 "/virtio0/ndbus0/region0/namespace0.0/block/pmem0",
	  NULL,
	  { ON_DISK } },
	{ "nvme/host/core", DISK0 "/nvme/nvme0/nvme0n9", NULL, { ON_DISK } },
	{ "nvme/host/multipath",
	  HEAD("nvme0n9"),
	  over_two_controllers,
	  { ON_DISK, .disk1 = HOLDS } },
	{ "s390/block/dasd_genhd", "sys/devices/css0/0.0.0001/0.0.0100/block/dasda", NULL, { 0 } },
	{ "s390/block/dcssblk", "sys/devices/dcssblk/ROOT/block/dcssblk0", NULL, { 0 } },
	{ "s390/block/scm_blk", "sys/devices/css0/scm/block/scma", NULL, { 0 } },
	{ "scsi/sd", DISK0 "/ata1/host0/target0:0:0/0:0:0:0/block/sda", NULL, { ON_DISK } },
	{ "scsi/sr", DISK0 "/ata1/host0/target0:0:0/0:0:0:0/block/sr0", NULL, { ON_DISK } },
	/* Ways to a SCSI disk. */
	{ "usb", DISK0 "/usb1/1-1/1-1:1.0/host4/target4:0:0/4:0:0:0/block/sda", NULL, { ON_DISK } },
	{ "usbip",
	  "sys/devices/platform/vhci_hcd.0/usb5/5-1/host4/4:0:0:0/block/sda",
	  NULL,
	  { ON_NETWORK } },
	{ "iscsi_tcp",
	  "sys/devices/platform/host6/session1/target6:0:0/6:0:0:1/block/sda",
	  NULL,
	  { ON_NETWORK } },
	{ "iser", NIC "/host6/session1/target6:0:0/6:0:0:1/block/sda", NULL, { .nic = HOLDS } },
	{ "fc", HBA "/host6/rport-6:0-0/target6:0:0/6:0:0:1/block/sda", NULL, { .hba = HOLDS } },
	{ "fcoe",
	  "sys/devices/virtual/net/eth0.100/ctlr_0/host6/rport-6:0-0/6:0:0:1/block/sda",
	  on_vlan,
	  { ON_NETWORK } },
	{ "tcm_loop",
	  "sys/devices/tcm_loop_0/tcm_loop_adapter_0/host6/6:0:1:0/block/sda",
	  NULL,
	  { ON_ANYTHING } },
	{ "scsi_debug",
	  "sys/devices/pseudo_0/adapter0/host6/6:0:0:0/block/sda",
	  NULL,
	  { ON_ANYTHING } },
};

static const char *const targets[] = { "/", "/usr", "/var", "/srv/x" };

/* A disk below each mount point that a boot needs; the mount is ext2, which has no journal. */
static void try_block(const struct block *row, const char *target)
{
	machine_add_default_route("end0");
	if (strcmp(target, "/"))
		add_root();
	machine_add_disk(row->path, "240:0");
	if (row->build)
		row->build(row->path);
	machine_add_mount("240:0", "/", target, "ext2", "/dev/whatever", "rw");
	if (!strcmp(target, "/srv/x"))
		machine_put("etc/fstab", "LABEL=x /srv/x ext2 defaults 0 2\n");
	/* The label is on this very disk, of which udev then has a record. */
	machine_add_udev("240:0", "E:ID_FS_LABEL=x\nE:ID_FS_TYPE=ext2\n");
	judge(row->name, target, &row->expect, target, protect_collect);
	machine_rewind();
}

static void try_blocks(const struct block *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t t = 0; t < N(targets); t++)
			try_block(&rows[i], targets[t]);
}

static void every_block_driver_protects_what_it_is_on(void **state)
{
	(void)state;
	every_name_has_a_row(kernel_block_drivers, blocks);
	try_blocks(blocks, N(blocks));
	assert_int_equal(failures, 0);
}

/* ---- NVMe over fabrics ---- */

static void add_controller(const char *transport, bool is_multipath)
{
	machine_put(CTL "/transport", machine_path("%s\n", transport));
	machine_put(CTL "/address", "traddr=nn-0x1:pn-0x2,host_traddr=nn-0x3:pn-0x21\n");
	machine_link("sys/class/nvme/nvme5", CTL);
	if (is_multipath)
		machine_link("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme5", CTL);
	machine_put(HBA "/host6/fc_host/host6/port_name", "0x21\n");
	machine_link("sys/class/fc_host/host6", HBA "/host6/fc_host/host6");
}

#define FABRIC(transport)                                       \
	static void over_##transport(const char *path)          \
	{                                                       \
		add_controller(#transport, !strstr(path, CTL)); \
	}

FABRIC(fc)
FABRIC(loop)
FABRIC(rdma)
FABRIC(tcp)

/* An adapter whose port is not the controller's: then any may be it. */
static void over_another_fc(const char *path)
{
	over_fc(path);
	machine_put(HBA "/host6/fc_host/host6/port_name", "0x22\n");
}

static const struct block transports[] = {
	{ "fc", CTL "/nvme5n1", over_fc, { .hba = HOLDS } },
	{ "fc", HEAD("nvme5n1"), over_fc, { .hba = HOLDS } },
	{ "fc", HEAD("nvme5n1"), over_another_fc, { .hba = MAY } },
	{ "loop", CTL "/nvme5n1", over_loop, { ON_ANYTHING } },
	{ "loop", HEAD("nvme5n1"), over_loop, { ON_ANYTHING } },
	{ "pcie", DISK0 "/nvme/nvme0/nvme0n9", NULL, { ON_DISK } },
	{ "rdma", CTL "/nvme5n1", over_rdma, { ON_NETWORK } },
	{ "rdma", HEAD("nvme5n1"), over_rdma, { ON_NETWORK } },
	{ "tcp", CTL "/nvme5n1", over_tcp, { ON_NETWORK } },
	{ "tcp", HEAD("nvme5n1"), over_tcp, { ON_NETWORK } },
};

static void every_nvme_transport_protects_what_it_goes_over(void **state)
{
	(void)state;
	every_name_has_a_row(kernel_nvme_transports, transports);
	try_blocks(transports, N(transports));
	assert_int_equal(failures, 0);
}

/* ---- the device mapper and RAID: a kind of its own for the kernel, the same links in sysfs ---- */

struct stack {
	const char *name;
	bool has_no_disk; /* a test's: nothing is below it */
};

static const struct stack dm_targets[] = {
	{ "cache" },
	{ "clone" },
	{ "crypt" },
	{ "delay" },
	{ "dust" },
	{ "ebs" },
	{ "era" },
	{ "error", 1 },
	{ "flakey" },
	{ "inlinecrypt" },
	{ "integrity" },
	{ "linear" },
	{ "log-writes" },
	{ "mirror" },
	{ "multipath" },
	{ "pcache" },
	{ "raid" },
	{ "snapshot" },
	{ "snapshot-origin" },
	{ "striped" },
	{ "switch" },
	{ "thin" },
	{ "thin-pool" },
	{ "unstriped" },
	{ "vdo" },
	{ "verity" },
	{ "writecache" },
	{ "zero", 1 },
	{ "zoned" },
};

static const struct stack md_levels[] = {
	{ "linear" }, { "raid0" }, { "raid1" }, { "raid10" }, { "raid4" }, { "raid5" }, { "raid6" },
};

static void every_stack_protects_all_its_disks(void **state)
{
	struct block row;

	(void)state;
	every_name_has_a_row(kernel_dm_targets, dm_targets);
	every_name_has_a_row(kernel_md_levels, md_levels);
	for (size_t i = 0; i < N(dm_targets); i++) {
		row = (struct block){ dm_targets[i].name,
				      VIRTUAL "dm-0",
				      on_two_partitions,
				      { ON_DISK, .disk1 = HOLDS } };
		if (dm_targets[i].has_no_disk) {
			row.build = NULL;
			row.expect = (struct expect){ ON_ANYTHING };
		}
		try_blocks(&row, 1);
	}
	for (size_t i = 0; i < N(md_levels); i++) {
		row = (struct block){ md_levels[i].name,
				      VIRTUAL "md126",
				      on_two_partitions,
				      { ON_DISK, .disk1 = HOLDS } };
		try_blocks(&row, 1);
	}
	assert_int_equal(failures, 0);
}

/* ---- interfaces ---- */

struct link {
	const char *name;
	enum {
		ABOVE,	   /* a link to what is below it */
		BELOW,	   /* the device itself */
		UNKNOWN,   /* what carries it is not in sysfs */
		SWITCHED,  /* a port of Open vSwitch */
		NO_ADDRESS /* no address is ever on it */
	} how;
};

static const struct link links[] = {
	{ "amt", ABOVE },
	{ "bareudp", UNKNOWN },
	{ "batadv", ABOVE },
	{ "bond", ABOVE },
	{ "bridge", ABOVE },
	{ "can", NO_ADDRESS },
	{ "dsa", ABOVE },
	{ "dummy", UNKNOWN },
	{ "erspan", UNKNOWN },
	{ "geneve", UNKNOWN },
	{ "gre", UNKNOWN },
	{ "gretap", UNKNOWN },
	{ "gtp", UNKNOWN },
	{ "hsr", ABOVE },
	{ "ifb", UNKNOWN },
	{ "ip6erspan", UNKNOWN },
	{ "ip6gre", UNKNOWN },
	{ "ip6gretap", UNKNOWN },
	{ "ip6tnl", UNKNOWN },
	{ "ipip", UNKNOWN },
	{ "ipoib", BELOW },
	{ "ipvlan", ABOVE },
	{ "ipvtap", ABOVE },
	{ "lowpan", UNKNOWN },
	{ "macsec", ABOVE },
	{ "macvlan", ABOVE },
	{ "macvtap", ABOVE },
	{ "netdevsim", UNKNOWN },
	{ "netkit", UNKNOWN },
	{ "nlmon", NO_ADDRESS },
	{ "openvswitch", SWITCHED },
	{ "ovpn", UNKNOWN },
	{ "pfcp", UNKNOWN },
	{ "ppp", UNKNOWN },
	{ "rmnet", ABOVE },
	{ "sit", UNKNOWN },
	{ "team", ABOVE },
	{ "tun", UNKNOWN },
	{ "vcan", NO_ADDRESS },
	{ "veth", UNKNOWN },
	{ "virt_wifi", ABOVE },
	{ "vlan", ABOVE },
	{ "vrf", ABOVE },
	{ "vsockmon", NO_ADDRESS },
	{ "vti", UNKNOWN },
	{ "vti6", UNKNOWN },
	{ "vxcan", NO_ADDRESS },
	{ "vxlan", ABOVE },
	{ "vxlan", UNKNOWN },
	{ "wireguard", UNKNOWN },
	{ "wwan", BELOW },
	{ "xfrm", UNKNOWN },
	/* Of no kind for the kernel. */
	{ "a card's own", BELOW },
};

/* x0, by a kind. Half of a pair is told by iflink, a tunnel by its type, a TAP by its flags. */
static void add_link(const struct link *row)
{
	if (row->how == BELOW) {
		machine_add_nic(NIC, "x0");
		return;
	}
	machine_add_virtual_nic("x0");
	machine_put("sys/devices/virtual/net/x0/ifindex", "7\n");
	machine_put("sys/devices/virtual/net/x0/iflink",
		    !strcmp(row->name, "veth") || !strcmp(row->name, "netkit") ? "8\n" : "7\n");
	machine_put("sys/devices/virtual/net/x0/type",
		    !strcmp(row->name, "wireguard") ? "65534\n" : "1\n");
	if (!strcmp(row->name, "tun"))
		machine_put("sys/devices/virtual/net/x0/tun_flags", "0x1002\n");
	if (row->how == ABOVE)
		machine_add_lower("x0", "eth0");
	if (row->how == SWITCHED) {
		machine_add_virtual_nic("ovs-system");
		machine_link(NIC "/net/eth0/master", "sys/devices/virtual/net/ovs-system");
	}
}

static void add_address(const char *name)
{
	machine_append("proc/net/route",
		       machine_path("%s\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
				    name));
}

static void every_link_protects_what_carries_it(void **state)
{
	struct expect expect;

	(void)state;
	every_name_has_a_row(kernel_links, links);
	for (size_t i = 0; i < N(links); i++) {
		const struct link *row = &links[i];
		bool is_known = row->how != UNKNOWN;

		if (row->how == NO_ADDRESS)
			continue;
		add_root();
		add_link(row);
		machine_add_default_route("x0");
		expect = (struct expect){ .nic = is_known ? "carries the default route (@)" :
							    "may carry the default route (@)" };
		judge(row->name, "default route", &expect, "x0", protect_collect);
		machine_rewind();

		add_root();
		add_link(row);
		machine_put("proc/net/route", ROUTE_HEAD);
		add_address("x0");
		expect.nic = is_known ? "carries the address of @" :
					"may carry the default route (none now)";
		judge(row->name, "address alone", &expect, "x0", protect_collect);
		machine_rewind();

		/* Beside a default route elsewhere nothing is protected for it, but it is told. */
		add_root();
		add_link(row);
		machine_add_default_route("end0");
		add_address("x0");
		expect.nic = NULL;
		judge(row->name, "address beside", &expect, "x0", protect_collect);
		expect.nic = is_known ? "carries the address of @" : NULL;
		judge(row->name, "address told", &expect, "x0", protect_addresses);
		machine_rewind();
	}
	assert_int_equal(failures, 0);
}

#define test_kinds(f) cmocka_unit_test_setup_teardown(f, build, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_kinds(every_filesystem_protects_what_it_is_on),
		test_kinds(what_fstab_may_leave_out_is_not_protected),
		test_kinds(every_block_driver_protects_what_it_is_on),
		test_kinds(every_nvme_transport_protects_what_it_goes_over),
		test_kinds(every_stack_protects_all_its_disks),
		test_kinds(every_link_protects_what_carries_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
