// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hook/protect/protect.c on machines that are built for each test in a temporary directory: directories,
 * attributes and links as the kernel lays them out, below one root. The whole answer is compared,
 * so that a function too many is found as well as one too few.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "protect/protect.h"
#include "tests/unit/machine.h"

/* ---- what is expected of it ---- */

/* Lines of "ADDRESS=ID REASON" and then of "# NOTE", or "none: WHY". */
static char *answer(void)
{
	struct protect_facts facts;
	char *text = NULL, address[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];
	size_t size;
	FILE *out;

	machine_collect(protect_collect, &facts);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	for (size_t i = 0; i < facts.count; i++)
		fprintf(out, "%s=%s %s\n", pci_address_format(&facts.list[i].addr, address),
			pci_id_format(&facts.list[i].id, id), facts.list[i].reason);
	for (size_t i = 0; i < facts.notes; i++)
		fprintf(out, "# %s\n", facts.note[i]);
	if (facts.why_none)
		fprintf(out, "none: %s\n", facts.why_none);
	fclose(out);
	protect_free(&facts);
	assert_int_equal(facts.count, 0);
	assert_null(facts.list);
	return text;
}

static void expect(const char *wanted)
{
	char *have = answer();

	assert_string_equal(have, wanted);
	free(have);
}

/* Storage tests have no network at all; this is what is said of that. */
#define NO_NET \
	"# there is no default route and no address: every network function that is up is protected\n"

#define NO_KEYBOARD \
	"# a passphrase is asked for at boot, and there is no keyboard now: every USB controller is protected\n"

#define NVME0(reason)	   "0000:00:10.0=8086:a340 above 0000:01:00.0, which " reason "\n"
#define NVME1(reason)	   "0000:00:11.0=8086:a340 above 0000:02:00.0, which " reason "\n"
#define NVME2(reason)	   "0000:00:12.0=8086:a340 above 0000:03:00.0, which " reason "\n"
#define NVME0_DISK(reason) "0000:01:00.0=144d:a800 " reason "\n"
#define NVME1_DISK(reason) "0000:02:00.0=144d:a801 " reason "\n"
#define NVME2_DISK(reason) "0000:03:00.0=144d:a802 " reason "\n"

/* ---- storage ---- */

static void root_partition_on_nvme_protects_it_and_its_port(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	expect(NVME0("holds /") NVME0_DISK("holds /") NO_NET);
}

static void mounts_are_merged_into_one_reason(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/root", "rw");
	machine_add_mount("259:1", "/", "/boot/efi", "vfat", "/dev/nvme0n1p1", "rw");
	machine_add_mount("259:2", "/var", "/var", "ext4", "/dev/root", "rw");
	machine_add_mount("259:2", "/var/log", "/var/log", "ext4", "/dev/root", "rw");
	machine_add_mount("259:11", "/", "/home", "ext4", "/dev/nvme1n1p1", "rw");
	machine_add_mount("0:40", "/", "/var/lib/lxcfs", "fuse.lxcfs", "lxcfs", "rw");
	machine_add_mount("0:41", "/", "/var/lib/docker/overlay2/x/merged", "overlay", "overlay",
			  "rw,lowerdir=/gone");
	machine_put("proc/swaps",
		    "Filename\tType\tSize\tUsed\tPriority\n/dev/nvme0n1p1 partition 9 0 -2\n");
	expect(NVME0("holds /, /var, /boot/efi, swap") NVME0_DISK("holds /, /var, /boot/efi, swap")
		       NO_NET);
}

static void disk_below_var_of_its_own_is_protected(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_mount("259:11", "/", "/var/lib/my\\040db#1", "xfs", "/dev/nvme1n1p1", "rw");
	expect(NVME0("holds /") NVME1("holds /var/lib/my db?1") NVME0_DISK("holds /")
		       NVME1_DISK("holds /var/lib/my db?1") NO_NET);
}

static void later_mount_covers_the_earlier(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:11", "/", "/", "ext4", "/dev/nvme1n1p1", "rw");
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_mount("0:50", "/", "/efi", "autofs", "systemd-1", "rw");
	expect(NVME0("holds /") NVME0_DISK("holds /") NO_NET);
}

#define VG_UUID "abcdefghijklmnopqrstuvwxyz012345"
#define LV1	"LVM-" VG_UUID "11111111111111111111111111111111"
#define LV2	"LVM-" VG_UUID "22222222222222222222222222222222"

static void lvm_on_crypt_on_raid_of_two_disks_is_one_function(void **state)
{
	char *md, *crypt, *lv;

	(void)state;
	machine_add_sata(0);
	machine_add_sata(1);
	machine_add_nvme(0);
	md = machine_path("sys/devices/virtual/block/md0");
	machine_add_disk(md, "9:0");
	machine_link(machine_path("%s/slaves/sda1", md), "sys/class/block/sda1");
	machine_link(machine_path("%s/slaves/sdb1", md), "sys/class/block/sdb1");
	crypt = machine_add_mapping("dm-0", "253:0", "md0_crypt", "CRYPT-LUKS2-0-md0_crypt");
	machine_add_slave(crypt, "sys/devices/virtual/block/md0");
	lv = machine_add_mapping("dm-1", "253:1", "vg-root", LV1);
	machine_add_slave(lv, "sys/devices/virtual/block/dm-0");
	machine_add_mount("253:1", "/", "/", "ext4", "/dev/mapper/vg-root", "rw");
	expect("0000:00:17.0=8086:a352 holds /\n" NO_KEYBOARD NO_NET);
}

static void volume_group_needs_all_its_disks(void **state)
{
	char *lv;

	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_nvme(2);
	lv = machine_add_mapping("dm-0", "253:0", "my--vg-root", LV1);
	machine_link(machine_path("%s/slaves/nvme0n1p2", lv), "sys/class/block/nvme0n1p2");
	lv = machine_add_mapping("dm-1", "253:1", "my--vg-data", LV2);
	machine_link(machine_path("%s/slaves/nvme1n1p1", lv), "sys/class/block/nvme1n1p1");
	machine_put("run/lvm/pvs_online/AAAA", "259:21\nvg:my-vg\ndev:/dev/nvme2n1p1\n");
	machine_put("run/lvm/pvs_online/BBBB", "259:22\nvg:my\ndev:/dev/nvme2n1p2\n");
	machine_add_mount("253:0", "/", "/", "ext4", "/dev/mapper/my--vg-root", "rw");
	expect(NVME0("holds /") NVME1("completes the volume group of /")
		       NVME2("completes the volume group of /") NVME0_DISK("holds /")
			       NVME1_DISK("completes the volume group of /")
				       NVME2_DISK("completes the volume group of /") NO_NET);
}

static void multipath_protects_both_adapters(void **state)
{
	static const char *const hba[] = { PCI0 "0000:00:01.0/0000:05:00.0",
					   PCI0 "0000:00:02.0/0000:06:00.0" };
	char *path;

	(void)state;
	machine_add_pci(PCI0 "0000:00:01.0", "8086", "2030");
	machine_add_pci(PCI0 "0000:00:02.0", "8086", "2031");
	path = machine_add_mapping("dm-0", "253:0", "mpatha", "mpath-3600");
	for (int i = 0; i < 2; i++) {
		char *disk = machine_path("%s/host%d/rport-%d:0-0/target%d:0:0/%d:0:0:1/block/sd%c",
					  hba[i], i, i, i, i, 'a' + i);

		machine_add_pci(hba[i], "1077", "2261");
		machine_add_disk(disk, machine_path("8:%d", 16 * i));
		machine_add_slave("sys/devices/virtual/block/dm-0", disk);
	}
	path = machine_add_mapping("dm-1", "253:1", "mpatha-part1", "part1-mpath-3600");
	machine_add_slave(path, "sys/devices/virtual/block/dm-0");
	machine_add_mount("253:1", "/", "/", "ext4", "/dev/mapper/mpatha-part1", "rw");
	expect("0000:00:01.0=8086:2030 above 0000:05:00.0, which holds /\n"
	       "0000:00:02.0=8086:2031 above 0000:06:00.0, which holds /\n"
	       "0000:05:00.0=1077:2261 holds /\n"
	       "0000:06:00.0=1077:2261 holds /\n" NO_NET);
}

static void btrfs_protects_all_members(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_link("sys/fs/btrfs/1234/devices/nvme0n1p2", "sys/class/block/nvme0n1p2");
	machine_link("sys/fs/btrfs/1234/devices/nvme1n1p2", "sys/class/block/nvme1n1p2");
	machine_link("sys/fs/btrfs/5678/devices/nvme2n1p2", "sys/class/block/nvme2n1p2");
	machine_dirs("sys/fs/btrfs/features");
	machine_add_mount("0:25", "/@", "/", "btrfs", "/dev/nvme0n1p2", "rw,subvol=/@");
	expect(NVME0("holds /") NVME1("holds /") NVME0_DISK("holds /") NVME1_DISK("holds /")
		       NO_NET);
}

static void btrfs_of_unknown_device_protects_every_btrfs(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_link("sys/fs/btrfs/1234/devices/nvme0n1p2", "sys/class/block/nvme0n1p2");
	machine_link("sys/fs/btrfs/5678/devices/nvme2n1p2", "sys/class/block/nvme2n1p2");
	machine_add_mount("0:25", "/@", "/", "btrfs", "/dev/gone", "rw,subvol=/@");
	expect(NVME0("may hold /") NVME2("may hold /") NVME0_DISK("may hold /") NVME2_DISK(
		"may hold /") "# the btrfs of / names no device that is here: every btrfs is protected\n" NO_NET);
}

static void unmounted_btrfs_is_found_by_its_uuid_on_all_members(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_udev("259:11",
			 "E:ID_FS_TYPE=btrfs\nE:ID_FS_UUID=aa\nE:ID_PART_ENTRY_UUID=p1\n");
	machine_add_udev("259:21",
			 "E:ID_FS_TYPE=btrfs\nE:ID_FS_UUID=aa\nE:ID_PART_ENTRY_UUID=p2\n");
	machine_put("etc/fstab", "PARTUUID=p1 /boot btrfs noauto 0 0\n");
	expect(NVME0("holds /") NVME1("holds /boot") NVME2("holds /boot") NVME0_DISK("holds /")
		       NVME1_DISK("holds /boot") NVME2_DISK("holds /boot") NO_NET);
}

static void zfs_mirror_protects_members_and_no_third(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_add_udev("259:2", "S:disk/by-id/a\nE:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=rpool\n");
	machine_add_udev("259:12", "E:ID_FS_LABEL=rpool\nE:ID_FS_TYPE=zfs_member\n");
	machine_add_udev("259:21", "E:ID_FS_LABEL=tank\nE:ID_FS_TYPE=zfs_member\n");
	machine_add_udev("259:99", "E:ID_FS_LABEL=rpool\nE:ID_FS_TYPE=zfs_member\n");
	machine_add_mount("0:27", "/", "/", "zfs", "rpool/ROOT/pve-1", "rw,xattr");
	machine_add_mount("0:28", "/", "/var/lib/vz", "zfs", "rpool/var-lib-vz", "rw,xattr");
	expect(NVME0("holds /") NVME1("holds /") NVME0_DISK("holds /") NVME1_DISK("holds /")
		       NO_NET);
}

static void zfs_member_that_blkid_doubts_counts(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_add_udev("259:2", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=rpool\n");
	machine_add_udev("259:12", "E:ID_FS_AMBIVALENT=filesystem:zfs_member:5000 raid:isw_raid\n");
	machine_add_mount("0:27", "/", "/", "zfs", "rpool", "rw,xattr");
	expect(NVME0("holds /") NVME1("may hold /") NVME0_DISK("holds /") NVME1_DISK("may hold /")
		       NO_NET);
}

static void zfs_pool_of_unknown_members_protects_any_pool(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_add_udev("259:2", "E:ID_FS_TYPE=zfs_member\n");
	machine_add_udev("259:12", "E:ID_FS_TYPE=ext4\n");
	machine_add_mount("0:27", "/", "/", "zfs", "rpool/ROOT", "rw,xattr");
	expect(NVME0("may hold /") NVME0_DISK(
		"may hold /") "# udev knows no member of the ZFS pool rpool: every member of any pool is protected\n" NO_NET);
}

static void zfs_without_udev_protects_every_disk(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_sata(0);
	machine_add_mount("0:27", "/", "/", "zfs", "rpool/ROOT", "rw,xattr");
	expect(NVME0("may hold /") "0000:00:17.0=8086:a352 may hold /\n" NVME0_DISK(
		"may hold /") "# udev knows no member of the ZFS pool rpool: every disk's function is protected\n" NO_NET);
}

static void swap_on_zvol_leads_to_its_pool(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_disk("sys/devices/virtual/block/zd0", "230:0");
	machine_add_udev("230:0", "S:zvol/tank/swap\n");
	machine_add_udev("259:12", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\n");
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_put("proc/swaps", "Filename\tType\n/dev/zd0 partition 9 0 -2\n");
	expect(NVME0("holds /") NVME1("holds swap") NVME0_DISK("holds /") NVME1_DISK("holds swap")
		       NO_NET);
}

static void loop_leads_to_what_holds_its_file(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_disk("sys/devices/virtual/block/loop0", "7:0");
	machine_put("sys/devices/virtual/block/loop0/loop/backing_file", "/srv/images/root.img\n");
	machine_add_mount("7:0", "/", "/", "ext4", "/dev/loop0", "rw");
	machine_add_mount("259:2", "/", "/srv", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_mount("259:12", "/", "/srv/image", "ext4", "/dev/nvme1n1p2", "rw");
	expect(NVME0("holds /") NVME0_DISK("holds /") NO_NET);
}

static void loop_on_itself_protects_every_disk(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_disk("sys/devices/virtual/block/loop0", "7:0");
	machine_put("sys/devices/virtual/block/loop0/loop/backing_file",
		    "/live/filesystem.squashfs\n");
	machine_add_mount("7:0", "/", "/rofs", "squashfs", "/dev/loop0", "ro");
	machine_add_mount("0:30", "/", "/", "overlay", "overlay",
			  "rw,lowerdir=/rofs,upperdir=/cow/up");
	expect(NVME0("may hold /") NVME0_DISK(
		"may hold /") "# what lies under / (overlay) cannot be found out: every disk's function and every network function that is up is protected\n" NO_NET);
}

static void overlay_on_known_layers_protects_those(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:2", "/", "/media/ro", "ext4", "/dev/nvme0n1p2", "ro");
	machine_add_mount("0:29", "/", "/media/rw", "tmpfs", "tmpfs", "rw");
	machine_add_mount("0:30", "/", "/", "overlay", "overlay",
			  "rw,lowerdir=/media/ro,upperdir=/media/rw/up,workdir=/media/rw/work");
	expect(NVME0("holds /") NVME0_DISK(
		"holds /") "# / lies in memory (tmpfs): nothing to protect for it\n" NO_NET);
}

static void bcache_protects_disk_and_cache(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_sata(0);
	machine_add_disk("sys/devices/virtual/block/bcache0", "252:0");
	machine_dirs(AHCI "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1/bcache");
	machine_link("sys/devices/virtual/block/bcache0/bcache",
		     AHCI "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1/bcache");
	machine_dirs(PCI0 "0000:00:10.0/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p1/bcache");
	machine_link("sys/fs/bcache/u-u-i-d/cache0",
		     PCI0 "0000:00:10.0/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p1/bcache");
	machine_link(AHCI "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1/bcache/cache",
		     "sys/fs/bcache/u-u-i-d");
	machine_add_mount("252:0", "/", "/", "ext4", "/dev/bcache0", "rw");
	expect(NVME0("holds /") "0000:00:17.0=8086:a352 holds /\n" NVME0_DISK("holds /") NO_NET);
}

static void nvme_multipath_protects_every_controller(void **state)
{
	static const char *const function[] = {
		PCI0 "0000:00:01.0/0000:05:00.0", "sys/devices/pci0001:00/0001:00:01.0/0001:05:00.0"
	};

	(void)state;
	machine_add_pci(PCI0 "0000:00:01.0", "8086", "2030");
	machine_add_pci("sys/devices/pci0001:00/0001:00:01.0", "8086", "2030");
	for (int i = 0; i < 2; i++) {
		machine_add_pci(function[i], "144d", "a824");
		machine_dirs(machine_path("%s/nvme/nvme%d/nvme0c%dn1", function[i], i, i));
		machine_link(machine_path("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme%d",
					  i),
			     machine_path("%s/nvme/nvme%d", function[i], i));
	}
	machine_add_disk("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "259:0");
	machine_add_part("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1",
			 "259:1");
	machine_add_mount("259:1", "/", "/", "ext4", "/dev/nvme0n1p1", "rw");
	expect("0000:00:01.0=8086:2030 above 0000:05:00.0, which holds /\n"
	       "0000:05:00.0=144d:a824 holds /\n"
	       "0001:00:01.0=8086:2030 above 0001:05:00.0, which holds /\n"
	       "0001:05:00.0=144d:a824 holds /\n" NO_NET);
}

static void vmd_is_protected_with_what_is_behind_it(void **state)
{
#define VMD PCI0 "0000:00:0e.0"
	(void)state;
	machine_add_pci(VMD, "8086", "9a0b");
	machine_add_pci(VMD "/pci10000:00/10000:00:02.0", "8086", "9a09");
	machine_add_pci(VMD "/pci10000:00/10000:00:02.0/10000:01:00.0", "144d", "a808");
	machine_add_disk(VMD "/pci10000:00/10000:00:02.0/10000:01:00.0/nvme/nvme0/nvme0n1",
			 "259:0");
	machine_add_mount("259:0", "/", "/", "ext4", "/dev/nvme0n1", "rw");
	expect("0000:00:0e.0=8086:9a0b above 10000:01:00.0, which holds /\n"
	       "10000:00:02.0=8086:9a09 above 10000:01:00.0, which holds /\n"
	       "10000:01:00.0=144d:a808 holds /\n" NO_NET);
}

static void usb_disk_protects_the_usb_controller(void **state)
{
#define XHCI PCI0 "0000:00:14.0"
	(void)state;
	machine_add_pci(XHCI, "8086", "a36d");
	machine_add_disk(XHCI "/usb2/2-1/2-1:1.0/host4/target4:0:0/4:0:0:0/block/sda", "8:0");
	machine_add_mount("8:0", "/", "/", "ext4", "/dev/sda", "rw");
	expect("0000:00:14.0=8086:a36d holds /\n" NO_NET);
}

static void disk_on_a_virtual_function_protects_the_physical_one(void **state)
{
	(void)state;
	machine_add_pci(PCI0 "0000:00:01.0", "8086", "2030");
	machine_add_pci(PCI0 "0000:00:01.0/0000:05:00.0", "144d", "a824");
	machine_add_pci(PCI0 "0000:00:01.0/0000:05:00.1", "144d", "a825");
	machine_link(PCI0 "0000:00:01.0/0000:05:00.1/physfn", PCI0 "0000:00:01.0/0000:05:00.0");
	machine_add_disk(PCI0 "0000:00:01.0/0000:05:00.1/nvme/nvme1/nvme1n1", "259:0");
	machine_add_mount("259:0", "/", "/", "ext4", "/dev/nvme1n1", "rw");
	expect("0000:00:01.0=8086:2030 above 0000:05:00.1, which holds /\n"
	       "0000:05:00.0=144d:a824 physical function of 0000:05:00.1, which holds /\n"
	       "0000:05:00.1=144d:a825 holds /\n" NO_NET);
}

static void board_disk_needs_no_function(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_disk("sys/devices/platform/a003e00.virtio_mmio/virtio0/block/vda", "254:0");
	machine_add_mount("254:0", "/", "/", "ext4", "/dev/vda", "rw");
	expect(NO_NET);
}

static void unknown_virtual_disk_protects_every_disk(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_disk("sys/devices/virtual/block/drbd0", "147:0");
	machine_add_mount("147:0", "/", "/", "ext4", "/dev/drbd0", "rw");
	expect(NVME0("may hold /") NVME0_DISK(
		"may hold /") "# what lies under drbd0, on which / lies, cannot be found out: every disk's function and every network function that is up is protected\n" NO_NET);
}

static void iscsi_root_protects_every_network_function_that_is_up(void **state)
{
	(void)state;
	machine_add_pci(PCI0 "0000:00:19.0", "8086", "1533");
	machine_add_nic(PCI0 "0000:00:19.0", "eno1");
	machine_add_pci(PCI0 "0000:00:1a.0", "8086", "1534");
	machine_add_nic(PCI0 "0000:00:1a.0", "eno2");
	machine_put(PCI0 "0000:00:1a.0/net/eno2/flags", SET_DOWN);
	machine_add_disk("sys/devices/platform/host6/session1/target6:0:0/6:0:0:1/block/sda",
			 "8:0");
	machine_add_mount("8:0", "/", "/", "ext4", "/dev/sda", "rw");
	machine_add_default_route("eno1");
	expect("0000:00:19.0=8086:1533 carries the default route (eno1); may reach / over the network\n"
	       "# / lies behind iSCSI: every network function that is up is protected\n");
}

static void nfs_root_protects_every_network_function_that_is_up(void **state)
{
	(void)state;
	machine_add_pci(PCI0 "0000:00:19.0", "8086", "1533");
	machine_add_nic(PCI0 "0000:00:19.0", "eno1");
	machine_add_mount("0:22", "/", "/", "nfs4", "server:/root", "rw");
	machine_put("proc/net/if_inet6", "fe80000000000000000000000000000a 02 40 20 80     eno1\n"
					 "fd00000000000000000000000000000a 02 40 00 80     eno1\n");
	expect("0000:00:19.0=8086:1533 carries the address of eno1; may reach / over the network\n"
	       "# / lies behind nfs4: every network function that is up is protected\n"
	       "# there is no default route: every interface with an address is protected\n");
}

static void swap_on_another_disk_is_protected(void **state)
{
	char *crypt;

	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	crypt = machine_add_mapping("dm-0", "253:0", "cswap", "CRYPT-PLAIN-cswap");
	machine_link(machine_path("%s/slaves/nvme1n1p1", crypt), "sys/class/block/nvme1n1p1");
	machine_add_disk("sys/devices/virtual/block/zram0", "251:0");
	machine_put("sys/devices/virtual/block/zram0/backing_dev", "none\n");
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_put("proc/swaps",
		    "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		    "/dev/zram0                              partition\t9\t\t0\t\t100\n"
		    "/dev/mapper/cswap                       partition\t9\t\t0\t\t-2\n"
		    "/swap\\040file                           file\t\t9\t\t0\t\t-3\n");
	machine_put("etc/crypttab", "cswap /dev/nvme1n1p1 /dev/urandom swap,plain\n");
	expect(NVME0("holds /, swap") NVME1("holds swap") NVME0_DISK("holds /, swap")
		       NVME1_DISK("holds swap") NO_NET);
}

static void swap_that_is_not_open_is_found_through_crypttab(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_udev("259:11", "E:ID_PART_ENTRY_NAME=my\\x20swap\n");
	machine_put("etc/crypttab", "# comment\ncswap PARTLABEL=x none\n");
	machine_put("etc/crypttab", "# comment\ncswap /dev/nvme1n1p1 /dev/urandom swap\n");
	machine_put("etc/fstab", "/dev/mapper/cswap none swap sw 0 0\n");
	expect(NVME0("holds /") NVME1("holds swap") NVME0_DISK("holds /") NVME1_DISK("holds swap")
		       NO_NET);
	machine_put("etc/fstab", "PARTLABEL=\"my\\040swap\" none swap sw 0 0\n");
	expect(NVME0("holds /") NVME1("holds swap") NVME0_DISK("holds /") NVME1_DISK("holds swap")
		       NO_NET);
}

static void unmounted_esp_in_fstab_is_found_by_uuid(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_udev("259:11", "E:ID_FS_UUID=ABCD-1234\nE:ID_FS_TYPE=vfat\n");
	machine_add_udev("259:21", "E:ID_FS_UUID=ABCD-5678\nE:ID_FS_TYPE=vfat\n");
	machine_put("etc/fstab", "# <file system> ...\n"
				 "UUID=abcd-1234 /boot/efi vfat noauto,umask=0077 0 1\n"
				 "UUID=ABCD-5678 /mnt/stick vfat noauto 0 1\n"
				 "UUID=dead-beef /boot vfat nofail 0 1\n"
				 "tmpfs /var/tmp tmpfs defaults 0 0\n");
	expect(NVME0("holds /") NVME1("holds /boot/efi") NVME0_DISK("holds /") NVME1_DISK(
		"holds /boot/efi") "# /etc/fstab: UUID=dead-beef (/boot) is on no disk that is here now\n" NO_NET);
}

/* Each would wait for a writer: the runner's time would be up. */
static void fifos_in_place_of_files_are_left_out(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_put_fifo("etc/fstab");
	machine_put_fifo("proc/swaps");
	machine_put_fifo("run/udev/data/b8:0");
	machine_put_fifo(PCI0 "0000:00:10.0/0000:01:00.0/subsystem_vendor");
	alarm(10);
	expect(NVME0("holds /") NVME0_DISK(
		"holds /") "# /run/udev/data/b8:0 is not a regular file and is left out\n"
			   "# /etc/fstab is not a regular file and is left out\n"
			   "# /proc/swaps is not a regular file and is left out\n" NO_NET);
	alarm(0);
}

static void fstab_without_udev_protects_every_disk(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_put("etc/fstab",
		    "LABEL=BOOT /boot ext4 defaults 0 1\n/srv/var /var none bind 0 0\n");
	expect(NVME0("holds /, /var; may hold /boot") NVME1("may hold /boot")
		       NVME0_DISK("holds /, /var; may hold /boot") NVME1_DISK(
			       "may hold /boot") "# /etc/fstab: LABEL=BOOT (/boot) cannot be looked up, udev's database is empty: every disk's function is protected\n" NO_NET);
}

static void esp_mounted_anywhere_is_protected(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_mount("259:11", "/", "/mnt/esp", "vfat", "/dev/nvme1n1p1", "rw");
	machine_add_udev("259:11", "E:ID_FS_TYPE=vfat\n"
				   "E:ID_PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n");
	expect(NVME0("holds /") NVME1("holds /mnt/esp") NVME0_DISK("holds /")
		       NVME1_DISK("holds /mnt/esp") NO_NET);
}

static void proxmox_esps_are_protected_unmounted(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_udev("259:1", "E:ID_FS_UUID=1111-AAAA\n");
	machine_add_udev("259:11", "E:ID_FS_UUID=2222-BBBB\n");
	machine_add_udev("259:21", "E:ID_FS_UUID=3333-CCCC\n");
	machine_put("etc/kernel/proxmox-boot-uuids", "1111-AAAA\n\n2222-BBBB\n");
	expect(NVME0("holds /, the ESP 1111-AAAA") NVME1("holds the ESP 2222-BBBB") NVME0_DISK(
		"holds /, the ESP 1111-AAAA") NVME1_DISK("holds the ESP 2222-BBBB") NO_NET);
}

static void esp_that_was_booted_from_is_protected(void **state)
{
	static const char variable[] = "\6\0\0\0A\0B\0-\0\061\0\0";

	(void)state;
	machine_add_nvme(0);
	machine_add_nvme(1);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_add_udev("259:11", "E:ID_PART_ENTRY_UUID=ab-1\n");
	machine_put_bytes("sys/firmware/efi/efivars/"
			  "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
			  variable, sizeof(variable), "w");
	expect(NVME0("holds /") NVME1("holds the ESP booted from") NVME0_DISK("holds /")
		       NVME1_DISK("holds the ESP booted from") NO_NET);
}

static void device_with_a_slash_in_its_name_is_found(void **state)
{
	(void)state;
	machine_add_pci(PCI0 "0000:00:02.0", "103c", "3230");
	machine_add_disk(PCI0 "0000:00:02.0/cciss0/c0d0/block/cciss!c0d0", "104:0");
	machine_add_part(PCI0 "0000:00:02.0/cciss0/c0d0/block/cciss!c0d0/cciss!c0d0p1", "104:1");
	machine_add_mount("0:30", "/", "/", "tmpfs", "tmpfs", "rw");
	machine_put("proc/swaps", "Filename\tType\n/dev/cciss/c0d0p1 partition 9 0 -2\n");
	expect("0000:00:02.0=103c:3230 holds swap\n"
	       "# / lies in memory (tmpfs): nothing to protect for it\n" NO_NET);
}

static void virtio_root_protects_its_function(void **state)
{
	(void)state;
	machine_add_pci(PCI0 "0000:00:03.0", "1af4", "1042");
	machine_add_disk(PCI0 "0000:00:03.0/virtio1/block/vda", "254:0");
	machine_add_pci(PCI0 "0000:00:04.0", "1af4", "1049");
	machine_dirs(PCI0 "0000:00:04.0/virtio2");
	machine_link("sys/bus/virtio/drivers/9pnet_virtio/virtio2", PCI0 "0000:00:04.0/virtio2");
	machine_add_mount("254:0", "/", "/", "ext4", "/dev/vda", "rw");
	machine_add_mount("0:31", "/", "/usr", "9p", "hostshare", "ro,trans=virtio");
	expect("0000:00:03.0=1af4:1042 holds /\n"
	       "0000:00:04.0=1af4:1049 holds /usr\n" NO_NET);
}

static void function_without_an_id_is_said(void **state)
{
	(void)state;
	machine_add_disk(PCI0 "0000:00:03.0/virtio1/block/vda", "254:0");
	machine_add_mount("254:0", "/", "/", "ext4", "/dev/vda", "rw");
	expect(NO_NET "# 0000:00:03.0 is needed, but sysfs has no ID of it: it is not protected\n");
	machine_put("sys/bus/pci/devices/0000:00:03.0/uevent",
		    "DRIVER=x\nPCI_CLASS=10000\nPCI_ID=1AF4:1042\n");
	expect("0000:00:03.0=1af4:1042 holds /\n" NO_NET);
}

static void recorded_link_out_of_the_tree_is_not_followed(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_mount("8:1", "/", "/", "ext4", "/dev/sda1", "rw");
	assert_int_equal(symlink("/proc", machine_below("sys/dev/block/8:1")), 0);
	expect(NVME0("may hold /") NVME0_DISK(
		"may hold /") "# what lies under / (ext4) cannot be found out: every disk's function and every network function that is up is protected\n" NO_NET);
}

static void many_needs_keep_the_reason_short(void **state)
{
	char *have;

	(void)state;
	machine_add_pci(PCI0 "0000:00:01.0", "8086", "2030");
	for (unsigned int i = 0; i < 8; i++) {
		char *function = machine_path(PCI0 "0000:00:01.0/0000:05:%02x.0", i);

		machine_add_pci(function, "144d", "a824");
		machine_add_disk(machine_path("%s/nvme/nvme%u/nvme%un1", function, i, i),
				 machine_path("259:%u", i));
		machine_add_mount(machine_path("259:%u", i), "/",
				  i ? machine_path("/var/%u", i) : "/", "ext4", "x", "rw");
	}
	have = answer();
	assert_ptr_equal(strstr(have, "0000:00:01.0=8086:2030 above 0000:05:00.0, which holds /; "
				      "above 0000:05:01.0, which holds /var/1; "
				      "above 0000:05:02.0, which holds /var/2; and above 5 more\n"),
			 have);
	free(have);
}

static void long_names_are_cut_between_characters(void **state)
{
	char target[256] = "/var/a", *have;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(target, "\xc3\xbc");
	machine_add_pci(PCI0 "0000:00:03.0", "1af4", "1042");
	machine_add_disk(PCI0 "0000:00:03.0/virtio1/block/vda", "254:0");
	machine_add_mount("0:30", "/", "/", "tmpfs", "tmpfs", "rw");
	machine_add_mount("254:0", "/", target, "ext4", "/dev/vda", "rw");
	have = answer();
	/* "holds /var/a" and "..." leave 145 bytes: 72 characters of two, and not half a one. */
	assert_non_null(strstr(have, "\xc3\xbc...\n"));
	assert_int_equal(strcspn(have, "\n"), strlen("0000:00:03.0=1af4:1042 ") + 12 + 144 + 3);
	free(have);
}

/* ---- what opens an encrypted device ---- */

#define XHCI0 PCI0 "0000:00:14.0"
#define XHCI1 PCI0 "0000:00:15.0"
#define KEYS  "fffffffffffffffe\n"

/* A keyboard, or a mouse: what has keys, but not the first 31 of a keyboard. */
static void add_input(const char *device, unsigned int n, const char *keys)
{
	char *path = machine_path("%s/input/input%u", device, n);

	machine_put(machine_path("%s/capabilities/key", path), keys);
	machine_link(machine_path("sys/class/input/input%u", n), path);
}

/* / on dm-0, which is an encrypted nvme0n1p2; two USB controllers, a stick on the second. */
static void add_encrypted_root(void)
{
	machine_add_nvme(0);
	machine_add_pci(XHCI0, "8086", "a36d");
	machine_add_pci(XHCI1, "8086", "a36e");
	machine_add_disk(XHCI1 "/usb2/2-1/2-1:1.0/host4/4:0:0:0/block/sda", "8:0");
	machine_add_part(XHCI1 "/usb2/2-1/2-1:1.0/host4/4:0:0:0/block/sda/sda1", "8:1");
	machine_add_udev("8:1", "S:disk/by-label/KEYS\nE:ID_FS_LABEL=KEYS\nE:ID_FS_UUID=1-A\n");
	machine_add_mapping("dm-0", "253:0", "root_crypt", "CRYPT-LUKS2-0-root_crypt");
	machine_link("sys/devices/virtual/block/dm-0/slaves/nvme0n1p2",
		     "sys/class/block/nvme0n1p2");
	machine_add_mount("253:0", "/", "/", "ext2", "/dev/mapper/root_crypt", "rw");
	machine_link("sys/bus/usb/devices/usb1", XHCI0 "/usb1");
	machine_link("sys/bus/usb/devices/usb2", XHCI1 "/usb2");
	machine_dirs(XHCI0 "/usb1");
}

#define ROOT_PORT      NVME0("holds /")
#define ROOT_DISK      NVME0_DISK("holds /")
#define STICK_UNLOCKS  "0000:00:15.0=8086:a36e holds what unlocks /\n"
#define FIRST_KEYBOARD "0000:00:14.0=8086:a36d has the keyboard that unlocks /\n"

static void key_and_header_on_a_stick_protect_its_controller(void **state)
{
	static const char *const lines[] = {
		"root_crypt PARTUUID=pp /dev/disk/by-label/KEYS:/root.key luks,keyscript=/lib/cryptsetup/scripts/passdev\n",
		"root_crypt PARTUUID=pp /root.key:LABEL=KEYS luks\n",
		"root_crypt PARTUUID=pp /root.key:/dev/disk/by-label/KEYS luks\n",
		"root_crypt PARTUUID=pp /dev/sda1 luks\n",
		"root_crypt PARTUUID=pp /etc/root.key luks,header=/dev/disk/by-label/KEYS\n",
		"root_crypt PARTUUID=pp /etc/root.key luks,header=UUID=1-A\n",
		"root_crypt PARTUUID=pp /mnt/key/root.key luks\n",
		"root_crypt PARTUUID=pp /dev/null tcrypt,tcrypt-keyfile=/mnt/key/root.key\n",
	};
	static const char *const cmdlines[] = {
		"root=/dev/mapper/root_crypt rd.luks.options=1234=header=/hdr:LABEL=KEYS\n",
		"root=/dev/mapper/root_crypt luks.options=discard,header=/dev/sda1\n",
		"cryptopts=target=root_crypt,source=/dev/nvme0n1p2,header=/dev/disk/by-label/KEYS\n",
		"cryptopts=target=root_crypt,source=/dev/nvme0n1p2,key=/dev/disk/by-label/KEYS:/k\n",
	};
	char *have;

	(void)state;
	add_encrypted_root();
	machine_add_mount("8:1", "/", "/mnt/key", "vfat", "/dev/sda1", "rw");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		machine_put("etc/crypttab", lines[i]);
		expect(ROOT_PORT STICK_UNLOCKS ROOT_DISK NO_NET);
	}
	machine_put("etc/crypttab", "");
	machine_put("proc/cmdline", "root=/dev/mapper/root_crypt rd.luks.key=/root.key:UUID=1-A\n");
	expect(ROOT_PORT STICK_UNLOCKS ROOT_DISK NO_NET);
	for (size_t i = 0; i < sizeof(cmdlines) / sizeof(cmdlines[0]); i++) {
		machine_put("proc/cmdline", cmdlines[i]);
		have = answer();
		if (!strstr(have, "0000:00:15.0=8086:a36e holds what unlocks /"))
			fail_msg("%s:\n%s", cmdlines[i], have);
		free(have);
	}
}

/* / on the first disk; /srv/x, whose absence ends the boot in emergency mode, or not. */
static void what_a_needed_mount_requires_is_protected(void **state)
{
	static const struct {
		const char *fstab;
		bool is_second, is_third;
	} rows[] = {
		{ "UUID=b1 /srv ext2 nofail 0 0\nUUID=c1 /srv/x ext2 defaults 0 0\n", true, true },
		{ "UUID=b1 /srv ext2 noauto 0 0\nUUID=c1 /srv/x ext2 nofail 0 0\n", false, false },
		{ "UUID=b1 /srvs ext2 nofail 0 0\nUUID=c1 /srv/x ext2 defaults 0 0\n", false,
		  true },
		{ "UUID=b1 /k ext2 noauto 0 0\nUUID=c1 /srv/x ext2 x-systemd.requires=/k 0 0\n",
		  true, true },
		{ "UUID=b1 /m/k-2 ext2 noauto 0 0\n"
		  "UUID=c1 /srv/x ext2 x-systemd.requires=m-k\\x2d2.mount 0 0\n",
		  true, true },
		{ "UUID=c1 /srv/x ext2 x-systemd.requires=/dev/nvme1n1p1 0 0\n", true, true },
		{ "UUID=c1 /srv/x ext2 x-systemd.requires=dev-nvme1n1p1.device 0 0\n", true, true },
		{ "UUID=b1 /k ext2 noauto 0 0\n"
		  "UUID=c1 /srv/x ext2 x-systemd.requires-mounts-for=/k/a/b 0 0\n",
		  true, true },
		{ "UUID=b1 /k ext2 noauto 0 0\nUUID=c1 /srv/x ext2 x-systemd.after=/k 0 0\n", false,
		  true },
		{ "UUID=c1 /srv/x ext2 nofail,x-systemd.required-by=local-fs.target 0 0\n", false,
		  true },
		{ "UUID=b1 /k ext2 nofail 0 0\n/k/folder /srv/x none bind 0 0\n", true, false },
		{ "UUID=b1 /k ext2 nofail 0 0\n/k/image /srv/x iso9660 loop,ro 0 0\n", true,
		  false },
		{ "UUID=b1 /k ext2 nofail 0 0\n/k/swap none swap sw 0 0\n", true, false },
		/* On itself: an end all the same. */
		{ "/srv/x/y /srv/x none bind 0 0\n/srv/x/y/z /srv/x/y none bind 0 0\n", false,
		  false },
		{ "ID=nvme-second-part1 /srv/x ext2 defaults 0 0\n", true, false },
	};
	char *have;

	(void)state;
	for (unsigned int n = 0; n < 3; n++)
		machine_add_nvme(n);
	machine_add_mount("259:2", "/", "/", "ext2", "/dev/nvme0n1p2", "rw");
	machine_add_udev("259:2", "E:ID_FS_TYPE=ext2\nE:ID_FS_UUID=a2\n");
	machine_add_udev("259:11",
			 "S:disk/by-id/nvme-second-part1\nE:ID_FS_TYPE=ext2\nE:ID_FS_UUID=b1\n");
	machine_add_udev("259:21", "E:ID_FS_TYPE=ext2\nE:ID_FS_UUID=c1\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		machine_put("etc/fstab", rows[i].fstab);
		have = answer();
		if (!strstr(have, "0000:02:00.0=") == rows[i].is_second ||
		    !strstr(have, "0000:03:00.0=") == rows[i].is_third)
			fail_msg("%s:\n%s", rows[i].fstab, have);
		free(have);
	}
}

static void ext4_journal_by_number_is_protected(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < 2; n++)
		machine_add_nvme(n);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	/* 259:12, as the kernel encodes it */
	machine_put("etc/fstab", "/dev/nvme0n1p2 / ext4 journal_dev=0x1030c 0 1\n");
	expect(ROOT_PORT NVME1("holds /") ROOT_DISK NVME1_DISK("holds /") NO_NET);
}

static void key_on_a_line_of_fstab_that_is_not_mounted_is_protected(void **state)
{
	(void)state;
	add_encrypted_root();
	machine_put("etc/fstab", "LABEL=KEYS /mnt/key vfat noauto 0 0\n");
	machine_put("etc/crypttab", "root_crypt PARTUUID=pp /mnt/key/root.key luks\n");
	expect(ROOT_PORT STICK_UNLOCKS ROOT_DISK NO_NET);
}

static void key_that_is_not_plugged_in_protects_every_usb_controller(void **state)
{
	(void)state;
	add_encrypted_root();
	machine_put("etc/crypttab", "root_crypt PARTUUID=pp /root.key:LABEL=GONE luks\n");
	expect(ROOT_PORT
	       "0000:00:14.0=8086:a36d holds what unlocks /\n" STICK_UNLOCKS ROOT_DISK
	       "# what unlocks / (/root.key:LABEL=GONE) is on no disk that is here now: every USB controller is protected\n" NO_NET);
}

static void only_keyboard_is_protected_where_a_passphrase_is_asked(void **state)
{
	(void)state;
	add_encrypted_root();
	add_input(XHCI0 "/usb1/1-2/1-2:1.0/0003:046D:C31C.0001", 5, KEYS);
	add_input(XHCI1 "/usb2/2-2/2-2:1.0/0003:046D:C077.0002", 6, "1f0000 0 0 0 0\n");
	add_input("sys/devices/virtual", 7, KEYS);
	machine_put("etc/crypttab", "root_crypt PARTUUID=pp none luks\n");
	expect(ROOT_PORT FIRST_KEYBOARD ROOT_DISK NO_NET);
	/* Nor does the mapping need a line there: dracut asks as well. */
	machine_put("etc/crypttab", "");
	expect(ROOT_PORT FIRST_KEYBOARD ROOT_DISK NO_NET);
	/* A TPM asks nobody. */
	machine_put("etc/crypttab", "root_crypt PARTUUID=pp none luks,tpm2-device=auto\n");
	expect(ROOT_PORT ROOT_DISK NO_NET);
}

static void one_keyboard_of_two_may_be_given_away(void **state)
{
	(void)state;
	add_encrypted_root();
	machine_put("etc/crypttab", "root_crypt PARTUUID=pp none luks\n");
	add_input(XHCI0 "/usb1/1-2/1-2:1.0/0003:046D:C31C.0001", 5, KEYS);
	add_input(XHCI1 "/usb2/2-2/2-2:1.0/0003:046D:C31C.0002", 6, KEYS);
	expect(ROOT_PORT ROOT_DISK NO_NET);
}

static void board_keyboard_needs_no_function(void **state)
{
	(void)state;
	add_encrypted_root();
	machine_put("etc/crypttab", "root_crypt PARTUUID=pp none luks\n");
	add_input(XHCI0 "/usb1/1-2/1-2:1.0/0003:046D:C31C.0001", 5, KEYS);
	add_input("sys/devices/platform/i8042/serio0", 6, KEYS);
	expect(ROOT_PORT ROOT_DISK NO_NET);
}

static void no_keyboard_now_protects_every_usb_controller(void **state)
{
	(void)state;
	add_encrypted_root();
	machine_put("etc/crypttab", "root_crypt PARTUUID=pp none luks\n");
	expect(ROOT_PORT FIRST_KEYBOARD
	       "0000:00:15.0=8086:a36e has the keyboard that unlocks /\n" ROOT_DISK NO_KEYBOARD
		       NO_NET);
	/* An initramfs that has an SSH server gets it by the network. */
	machine_put("etc/dropbear/initramfs/authorized_keys", "ssh-ed25519 AAAA\n");
	expect(ROOT_PORT ROOT_DISK NO_NET);
}

#define NO_TOKEN                                                                                   \
	"# a token or a program unlocks /, and what that needs may be plugged in anywhere: every " \
	"USB controller is protected\n"

static void token_that_unlocks_protects_every_usb_controller(void **state)
{
	static const char *const options[] = {
		"none luks,fido2-device=auto",
		"none luks,pkcs11-uri=auto",
		"/etc/key.gpg luks,keyscript=/lib/cryptsetup/scripts/decrypt_gnupg-sc",
		"/boot/key luks,keyscript=decrypt_opensc",
		"none luks,keyscript=/usr/share/yubikey-luks/ykluks-keyscript",
	};

	(void)state;
	add_encrypted_root();
	add_input("sys/devices/platform/i8042/serio0", 6, KEYS);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		machine_put("etc/crypttab",
			    machine_path("root_crypt PARTUUID=pp %s\n", options[i]));
		expect(ROOT_PORT
		       "0000:00:14.0=8086:a36d holds what unlocks /\n" STICK_UNLOCKS ROOT_DISK
			       NO_TOKEN NO_NET);
	}
	/* These ask for a passphrase alone. */
	machine_put("etc/crypttab", "root_crypt PARTUUID=pp none luks,keyscript=decrypt_keyctl\n");
	expect(ROOT_PORT ROOT_DISK NO_NET);
}

/* ---- what is reached by another controller ---- */

#define TB_PORT PCI0 "0000:00:1c.0"
#define TB_UP	TB_PORT "/0000:03:00.0"
#define TB_NHI	TB_UP "/0000:04:00.0/0000:05:00.0"
#define TB_DISK TB_UP "/0000:04:01.0/0000:06:00.0"

static void add_domain(const char *nhi)
{
	machine_dirs(machine_path("%s/domain0", nhi));
	machine_link("sys/bus/thunderbolt/devices/domain0", machine_path("%s/domain0", nhi));
}

static void disk_behind_a_thunderbolt_card_protects_its_controller(void **state)
{
	(void)state;
	machine_add_pci(TB_PORT, "8086", "0001");
	machine_add_pci(TB_UP, "8086", "0002");
	machine_add_pci(TB_UP "/0000:04:00.0", "8086", "0003");
	machine_add_pci(TB_NHI, "8086", "0004");
	machine_add_pci(TB_UP "/0000:04:01.0", "8086", "0003");
	machine_add_pci(TB_DISK, "144d", "a808");
	add_domain(TB_NHI);
	machine_add_disk(TB_DISK "/nvme/nvme0/nvme0n1", "259:0");
	machine_add_mount("259:0", "/", "/", "ext2", "/dev/nvme0n1", "rw");
#define ABOVE_DISK " above 0000:06:00.0, which holds /\n"
	expect("0000:00:1c.0=8086:0001" ABOVE_DISK "0000:03:00.0=8086:0002" ABOVE_DISK
	       "0000:04:00.0=8086:0003" ABOVE_DISK "0000:04:01.0=8086:0003" ABOVE_DISK
	       "0000:05:00.0=8086:0004 Thunderbolt controller of 0000:06:00.0, which holds /\n"
	       "0000:06:00.0=144d:a808 holds /\n" NO_NET);
}

static void disk_behind_an_integrated_port_protects_its_controller(void **state)
{
	(void)state;
	machine_add_pci(PCI0 "0000:00:07.0", "8086", "0001");
	machine_add_pci(PCI0 "0000:00:07.0/0000:03:00.0", "144d", "a808");
	machine_add_pci(PCI0 "0000:00:0d.2", "8086", "0004");
	add_domain(PCI0 "0000:00:0d.2");
	machine_add_disk(PCI0 "0000:00:07.0/0000:03:00.0/nvme/nvme0/nvme0n1", "259:0");
	machine_add_mount("259:0", "/", "/", "ext2", "/dev/nvme0n1", "rw");
#define TB_ANSWER(how)                                                    \
	"0000:00:07.0=8086:0001 above 0000:03:00.0, which holds /\n"      \
	"0000:00:0d.2=8086:0004 " how " of 0000:03:00.0, which holds /\n" \
	"0000:03:00.0=144d:a808 holds /\n" NO_NET
	/* Firmware says which ports are its own; the kernel then links them. */
	machine_mark();
	machine_dirs("sys/devices/virtual/devlink/x");
	machine_link(PCI0 "0000:00:07.0/supplier:pci:0000:00:0d.2",
		     "sys/devices/virtual/devlink/x");
	expect(TB_ANSWER("supplier"));
	machine_rewind();
	/* Or only that what is behind a port comes and goes. */
	machine_put(PCI0 "0000:00:07.0/0000:03:00.0/removable", "removable\n");
	expect(TB_ANSWER("Thunderbolt controller"));
	/* A disk that is built in needs none. */
	machine_put(PCI0 "0000:00:07.0/0000:03:00.0/removable", "fixed\n");
	expect("0000:00:07.0=8086:0001 above 0000:03:00.0, which holds /\n"
	       "0000:03:00.0=144d:a808 holds /\n" NO_NET);
}

/* ---- what is in use ---- */

static void what_is_in_use_is_named(void **state)
{
	struct protect_facts facts;

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		machine_add_nvme(i);
	machine_add_mount("259:2", "/", "/", "ext2", "/dev/nvme0n1p2", "rw");
	machine_add_mount("0:28", "/", "/tank", "zfs", "tank", "rw");
	machine_add_mount("0:29", "/", "/mnt/nas", "nfs4", "server:/", "rw");
	machine_add_mount("0:30", "/", "/mnt/odd", "fuse.odd", "odd", "rw");
	machine_put("proc/spl/kstat/zfs/tank/state", "ONLINE\n");
	machine_add_udev("259:12", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\n");
	machine_add_mapping("dm-0", "253:0", "vms-vm--100--disk--0", LV1);
	machine_link("sys/devices/virtual/block/dm-0/slaves/nvme2n1p1",
		     "sys/class/block/nvme2n1p1");
	machine_put("proc/swaps", "Filename\tType\n/tank/swap file 9 0 -2\n");

	machine_collect(protect_in_use, &facts);
	assert_int_equal(facts.count, 6);
	assert_string_equal(facts.list[3].reason, "holds /, in use now");
	assert_string_equal(facts.list[4].reason, "holds /tank, pool tank, swap, in use now");
	assert_string_equal(facts.list[5].reason, "holds volume vms/vm-100-disk-0, in use now");
	assert_int_equal(facts.notes, 0);
	protect_free(&facts);
}

/* ---- the network ---- */

/* A root that needs nothing, so that a network test's answer is the network's alone. */
static int setup_network(void **state)
{
	machine_setup(state);
	machine_add_disk("sys/devices/platform/mmc/block/mmcblk0", "179:0");
	machine_add_mount("179:0", "/", "/", "ext4", "/dev/mmcblk0", "rw");
	for (unsigned int i = 0; i < 3; i++) {
		char *port = machine_path(PCI0 "0000:00:1c.%u", i);
		char *nic = machine_path("%s/0000:%02x:00.0", port, i + 1);

		machine_add_pci(port, "8086", "9d10");
		machine_add_pci(nic, "8086", machine_path("153%u", i));
		machine_add_nic(nic, machine_path("eth%u", i));
	}
	machine_add_virtual_nic("lo");
	return 0;
}

#define NIC0(reason)  "0000:01:00.0=8086:1530 " reason "\n"
#define NIC1(reason)  "0000:02:00.0=8086:1531 " reason "\n"
#define NIC2(reason)  "0000:03:00.0=8086:1532 " reason "\n"
#define PORT0(reason) "0000:00:1c.0=8086:9d10 above 0000:01:00.0, which " reason "\n"
#define PORT1(reason) "0000:00:1c.1=8086:9d10 above 0000:02:00.0, which " reason "\n"
#define PORT2(reason) "0000:00:1c.2=8086:9d10 above 0000:03:00.0, which " reason "\n"

static void default_route_through_bridge_vlan_and_bond(void **state)
{
	(void)state;
	machine_add_virtual_nic("vmbr0");
	machine_add_virtual_nic("bond0.7");
	machine_add_virtual_nic("bond0");
	machine_add_virtual_nic("tap100i0");
	machine_add_lower("vmbr0", "bond0.7");
	machine_add_lower("vmbr0", "tap100i0");
	machine_dirs("sys/devices/virtual/net/vmbr0/brif/bond0.7");
	machine_add_lower("bond0.7", "bond0");
	machine_add_lower("bond0", "eth0");
	machine_put("sys/devices/virtual/net/bond0/bonding/slaves", "eth0 eth1\n");
	machine_add_default_route("vmbr0");
#define VIA "carries the default route (vmbr0)"
	expect(PORT0(VIA) PORT1(VIA) NIC0(VIA) NIC1(VIA));
}

static void default_route_of_ipv6_alone(void **state)
{
	(void)state;
	machine_put("proc/net/route",
		    ROUTE_HEAD "eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
#define ANY "00000000000000000000000000000000"
	machine_put(
		"proc/net/ipv6_route", ANY
		" 00 " ANY
		" 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0\n"
		"fd000000000000000000000000000000 40 " ANY " 00 " ANY
		" 00000100 00000001 00000000 00000001     eth1\n" ANY " 00 " ANY " 00 " ANY
		" 00000400 00000002 00000000 00000203     eth2\n" ANY " 00 " ANY " 00 " ANY
		" ffffffff 00000001 00000000 00200200       lo\n");
	expect(PORT0("carries the default route (eth0)") NIC0("carries the default route (eth0)"));
}

static void default_route_through_macvlan(void **state)
{
	(void)state;
	machine_add_virtual_nic("mv0");
	machine_add_lower("mv0", "eth2");
	machine_add_default_route("mv0");
	expect(PORT2("carries the default route (mv0)") NIC2("carries the default route (mv0)"));
}

static void default_route_through_a_tunnel_protects_all_that_is_up(void **state)
{
	(void)state;
	machine_add_virtual_nic("wg0");
	machine_add_default_route("wg0");
	machine_put(PCI0 "0000:00:1c.1/0000:02:00.0/net/eth1/flags", SET_DOWN);
#define MAY "may carry the default route (wg0)"
	expect(PORT0(MAY) PORT2(MAY) NIC0(MAY) NIC2(
		MAY) "# what carries wg0, which has a default route, cannot be found out: every network function that is up is protected\n");
}

static void no_default_route_protects_what_has_an_address(void **state)
{
	(void)state;
	machine_add_virtual_nic("docker0");
	machine_put("proc/net/route",
		    ROUTE_HEAD "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
			       "eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
	expect(PORT1("carries the address of eth1") NIC1(
		"carries the address of eth1") "# there is no default route: every interface with an address is protected\n");
}

static void default_route_of_another_table_protects_all_that_is_up(void **state)
{
	(void)state;
	machine_put(PCI0 "0000:00:1c.1/0000:02:00.0/net/eth1/flags", SET_DOWN);
	machine_put("proc/net/fib_trie", "Id 100:\n"
					 "  |-- 0.0.0.0\n"
					 "     /0 universe UNICAST\n"
					 "Main:\n"
					 "  +-- 127.0.0.0/8 2 0 2\n"
					 "     |-- 127.0.0.1\n"
					 "        /32 host LOCAL\n");
#define OTHER "may carry the default route (of another table)"
	expect(PORT0(OTHER) PORT2(OTHER) NIC0(OTHER) NIC2(
		OTHER) "# the interface of a default route, of another table than the main one or by a next hop object, cannot be found out: every network function that is up is protected\n");
}

static void blackhole_of_another_table_is_no_default(void **state)
{
	(void)state;
	machine_add_default_route("eth1");
	machine_put("proc/net/fib_trie", "Id 100:\n"
					 "  |-- 0.0.0.0\n"
					 "     /0 universe BLACKHOLE\n"
					 "Main:\n"
					 "  |-- 0.0.0.0\n"
					 "     /0 universe UNICAST\n");
	expect(PORT1("carries the default route (eth1)") NIC1("carries the default route (eth1)"));
}

static void addresses_are_found_beside_a_default_route(void **state)
{
	struct protect_facts facts;

	(void)state;
	machine_add_virtual_nic("vmbr1");
	machine_add_lower("vmbr1", "eth1");
	machine_add_default_route("eth0");
	machine_append("proc/net/route",
		       "vmbr1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
	machine_put("proc/net/if_inet6", "20010db8000000000000000000000002 04 40 00 80     eth2\n"
					 "fe800000000000000000000000000002 03 40 20 80     eth0\n");
	expect(PORT0("carries the default route (eth0)") NIC0("carries the default route (eth0)"));

	machine_collect(protect_addresses, &facts);
	assert_int_equal(facts.count, 6);
	assert_string_equal(facts.list[3].reason, "carries the address of eth0");
	assert_string_equal(facts.list[4].reason, "carries the address of vmbr1");
	assert_string_equal(facts.list[5].reason, "carries the address of eth2");
	assert_int_equal(facts.notes, 0);
	protect_free(&facts);
}

static void board_network_needs_no_function(void **state)
{
	(void)state;
	machine_dirs("sys/devices/platform/soc/eth");
	machine_add_nic("sys/devices/platform/soc/eth", "end0");
	machine_add_default_route("end0");
	expect("");
}

static void interfaces_in_a_circle_end(void **state)
{
	(void)state;
	machine_add_virtual_nic("a");
	machine_add_virtual_nic("b");
	machine_add_lower("a", "b");
	machine_add_lower("b", "a");
	machine_add_lower("b", "eth0");
	machine_add_default_route("a");
	expect(PORT0("carries the default route (a)") NIC0("carries the default route (a)"));
}

/* ---- whose facts ---- */

#define IN_CHROOT    "none: this runs in a chroot: its facts are not the running host's\n"
#define IN_CONTAINER "none: this runs in a container: its facts are not the host's\n"

static void chroot_without_proc_has_nothing_to_protect(void **state)
{
	(void)state;
	machine_add_nvme(0);
	expect("none: /proc is not mounted: this is a chroot or an image being built, not the running host\n");
}

static void chroot_without_sys_has_nothing_to_protect(void **state)
{
	(void)state;
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	assert_int_equal(rmdir(machine_below("sys/dev/block")), 0);
	expect("none: /sys is not mounted: this is a chroot or an image being built, not the running host\n");
}

static void chroot_on_a_directory_has_nothing_to_protect(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_mount("0:4", "/", "/proc", "proc", "proc", "rw");
	expect(IN_CHROOT);
}

static void chroot_on_a_mount_differs_from_the_first_process(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_put("proc/1/mountinfo", "1 0 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n");
	expect(NVME0("holds /") NVME0_DISK("holds /") NO_NET);
	machine_put("proc/1/mountinfo", "1 0 259:2 /srv/chroot / rw - ext4 /dev/nvme0n1p2 rw\n");
	expect(IN_CHROOT);
	machine_put("proc/1/mountinfo", "1 0 259:1 / / rw - ext4 /dev/nvme0n1p1 rw\n");
	expect(IN_CHROOT);
}

static void container_has_nothing_to_protect(void **state)
{
	(void)state;
	machine_add_nvme(0);
	machine_add_mount("259:2", "/", "/", "ext4", "/dev/nvme0n1p2", "rw");
	machine_dirs("proc/self/ns");
	assert_int_equal(symlink("pid:[4026531836]", machine_below("proc/self/ns/pid")), 0);
	expect(NVME0("holds /") NVME0_DISK("holds /") NO_NET);
	assert_int_equal(symlink("user:[4026532101]", machine_below("proc/self/ns/user")), 0);
	expect(IN_CONTAINER);
	assert_int_equal(unlink(machine_below("proc/self/ns/user")), 0);
	machine_put("run/systemd/container", "lxc\n");
	expect(IN_CONTAINER);
}

/* Whatever this machine is: it ends, and what it says is a plan's text. */
static void this_machine_gives_an_answer(void **state)
{
	struct protect_source *source;
	struct protect_facts facts;
	struct root host;

	(void)state;
	assert_int_equal(root_open(&host, "/"), 0);
	assert_int_equal(protect_open(&host, &source), 0);
	assert_int_equal(protect_collect(source, &facts), 0);
	protect_close(source);
	root_close(&host);
	if (facts.why_none)
		assert_int_equal(facts.count, 0);
	for (size_t i = 0; i < facts.count; i++) {
		assert_true(*facts.list[i].reason);
		assert_null(strpbrk(facts.list[i].reason, "#\n"));
		assert_int_not_equal(facts.list[i].id.vendor, 0);
	}
	protect_free(&facts);
}

#define test_machine(f) cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
#define test_network(f) cmocka_unit_test_setup_teardown(f, setup_network, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_machine(root_partition_on_nvme_protects_it_and_its_port),
		test_machine(mounts_are_merged_into_one_reason),
		test_machine(disk_below_var_of_its_own_is_protected),
		test_machine(later_mount_covers_the_earlier),
		test_machine(lvm_on_crypt_on_raid_of_two_disks_is_one_function),
		test_machine(volume_group_needs_all_its_disks),
		test_machine(multipath_protects_both_adapters),
		test_machine(btrfs_protects_all_members),
		test_machine(btrfs_of_unknown_device_protects_every_btrfs),
		test_machine(unmounted_btrfs_is_found_by_its_uuid_on_all_members),
		test_machine(zfs_mirror_protects_members_and_no_third),
		test_machine(zfs_member_that_blkid_doubts_counts),
		test_machine(zfs_pool_of_unknown_members_protects_any_pool),
		test_machine(zfs_without_udev_protects_every_disk),
		test_machine(swap_on_zvol_leads_to_its_pool),
		test_machine(loop_leads_to_what_holds_its_file),
		test_machine(loop_on_itself_protects_every_disk),
		test_machine(overlay_on_known_layers_protects_those),
		test_machine(bcache_protects_disk_and_cache),
		test_machine(nvme_multipath_protects_every_controller),
		test_machine(vmd_is_protected_with_what_is_behind_it),
		test_machine(usb_disk_protects_the_usb_controller),
		test_machine(disk_on_a_virtual_function_protects_the_physical_one),
		test_machine(board_disk_needs_no_function),
		test_machine(unknown_virtual_disk_protects_every_disk),
		test_machine(iscsi_root_protects_every_network_function_that_is_up),
		test_machine(nfs_root_protects_every_network_function_that_is_up),
		test_machine(swap_on_another_disk_is_protected),
		test_machine(swap_that_is_not_open_is_found_through_crypttab),
		test_machine(unmounted_esp_in_fstab_is_found_by_uuid),
		test_machine(fstab_without_udev_protects_every_disk),
		test_machine(fifos_in_place_of_files_are_left_out),
		test_machine(esp_mounted_anywhere_is_protected),
		test_machine(proxmox_esps_are_protected_unmounted),
		test_machine(esp_that_was_booted_from_is_protected),
		test_machine(device_with_a_slash_in_its_name_is_found),
		test_machine(virtio_root_protects_its_function),
		test_machine(function_without_an_id_is_said),
		test_machine(recorded_link_out_of_the_tree_is_not_followed),
		test_machine(many_needs_keep_the_reason_short),
		test_machine(long_names_are_cut_between_characters),
		test_machine(key_and_header_on_a_stick_protect_its_controller),
		test_machine(key_on_a_line_of_fstab_that_is_not_mounted_is_protected),
		test_machine(what_a_needed_mount_requires_is_protected),
		test_machine(ext4_journal_by_number_is_protected),
		test_machine(key_that_is_not_plugged_in_protects_every_usb_controller),
		test_machine(only_keyboard_is_protected_where_a_passphrase_is_asked),
		test_machine(one_keyboard_of_two_may_be_given_away),
		test_machine(board_keyboard_needs_no_function),
		test_machine(no_keyboard_now_protects_every_usb_controller),
		test_machine(token_that_unlocks_protects_every_usb_controller),
		test_machine(disk_behind_a_thunderbolt_card_protects_its_controller),
		test_machine(disk_behind_an_integrated_port_protects_its_controller),
		test_machine(what_is_in_use_is_named),
		test_network(default_route_through_bridge_vlan_and_bond),
		test_network(default_route_of_ipv6_alone),
		test_network(default_route_through_macvlan),
		test_network(default_route_through_a_tunnel_protects_all_that_is_up),
		test_network(no_default_route_protects_what_has_an_address),
		test_network(default_route_of_another_table_protects_all_that_is_up),
		test_network(blackhole_of_another_table_is_no_default),
		test_network(addresses_are_found_beside_a_default_route),
		test_network(board_network_needs_no_function),
		test_network(interfaces_in_a_circle_end),
		test_machine(chroot_without_proc_has_nothing_to_protect),
		test_machine(chroot_without_sys_has_nothing_to_protect),
		test_machine(chroot_on_a_directory_has_nothing_to_protect),
		test_machine(chroot_on_a_mount_differs_from_the_first_process),
		test_machine(container_has_nothing_to_protect),
		cmocka_unit_test(this_machine_gives_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
