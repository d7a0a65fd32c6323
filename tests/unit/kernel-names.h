/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Made by tests/unit/kernel-names from Linux 7.2: do not edit. */

static const char *const kernel_filesystems[] = {
	"9p",	     "adfs",	 "affs",     "afs",	    "aio",	    "anon_inodefs",
	"autofs",    "befs",	 "bfs",	     "binfmt_misc", "btrfs",	    "ceph",
	"cifs",	     "coda",	 "configfs", "cramfs",	    "debugfs",	    "devpts",
	"ecryptfs",  "efivarfs", "efs",	     "erofs",	    "exfat",	    "ext2",
	"ext3",	     "ext4",	 "f2fs",     "fuse",	    "fuseblk",	    "fusectl",
	"gfs2",	     "gfs2meta", "hfs",	     "hfsplus",	    "hostfs",	    "hpfs",
	"hugetlbfs", "iso9660",	 "jffs2",    "jfs",	    "minix",	    "msdos",
	"nfs",	     "nfs4",	 "nfsd",     "nilfs2",	    "nsfs",	    "ntfs",
	"ntfs3",     "nullfs",	 "ocfs2",    "ocfs2_dlmfs", "omfs",	    "openpromfs",
	"overlay",   "pidfs",	 "pipefs",   "proc",	    "pseudo_erofs", "pstore",
	"pvfs2",     "qnx4",	 "qnx6",     "ramfs",	    "resctrl",	    "romfs",
	"smb3",	     "squashfs", "sysfs",    "tmpfs",	    "tracefs",	    "ubifs",
	"udf",	     "ufs",	 "vboxsf",   "vfat",	    "virtiofs",	    "vxfs",
	"xfs",	     "zonefs",
};

static const char *const kernel_block_drivers[] = {
	"arch/um/drivers/ubd_kern",
	"block/amiflop",
	"block/aoe/aoeblk",
	"block/ataflop",
	"block/brd",
	"block/drbd/drbd_main",
	"block/floppy",
	"block/loop",
	"block/mtip32xx/mtip32xx",
	"block/n64cart",
	"block/nbd",
	"block/null_blk/main",
	"block/ps3disk",
	"block/ps3vram",
	"block/rbd",
	"block/rnbd/rnbd-clt",
	"block/rnull/rnull",
	"block/sunvdc",
	"block/swim",
	"block/swim3",
	"block/ublk_drv",
	"block/virtio_blk",
	"block/xen-blkfront",
	"block/z2ram",
	"block/zloop",
	"block/zram/zram_drv",
	"cdrom/gdrom",
	"md/bcache/super",
	"md/dm",
	"md/md",
	"memstick/core/ms_block",
	"memstick/core/mspro_block",
	"mmc/core/queue",
	"mtd/mtd_blkdevs",
	"mtd/ubi/block",
	"nvdimm/btt",
	"nvdimm/pmem",
	"nvme/host/core",
	"nvme/host/multipath",
	"s390/block/dasd_genhd",
	"s390/block/dcssblk",
	"s390/block/scm_blk",
	"scsi/sd",
	"scsi/sr",
};

static const char *const kernel_nvme_transports[] = {
	"fc", "loop", "pcie", "rdma", "tcp",
};

static const char *const kernel_dm_targets[] = {
	"cache",     "clone",	   "crypt",	 "delay",	    "dust",
	"ebs",	     "era",	   "error",	 "flakey",	    "inlinecrypt",
	"integrity", "linear",	   "log-writes", "mirror",	    "multipath",
	"pcache",    "raid",	   "snapshot",	 "snapshot-origin", "striped",
	"switch",    "thin",	   "thin-pool",	 "unstriped",	    "vdo",
	"verity",    "writecache", "zero",	 "zoned",
};

static const char *const kernel_md_levels[] = {
	"linear", "raid0", "raid1", "raid10", "raid4", "raid5", "raid6",
};

static const char *const kernel_links[] = {
	"amt",	  "bareudp",   "batadv",      "bond",	   "bridge",  "can",	   "dsa",
	"dummy",  "erspan",    "geneve",      "gre",	   "gretap",  "gtp",	   "hsr",
	"ifb",	  "ip6erspan", "ip6gre",      "ip6gretap", "ip6tnl",  "ipip",	   "ipoib",
	"ipvlan", "ipvtap",    "lowpan",      "macsec",	   "macvlan", "macvtap",   "netdevsim",
	"netkit", "nlmon",     "openvswitch", "ovpn",	   "pfcp",    "ppp",	   "rmnet",
	"sit",	  "team",      "tun",	      "vcan",	   "veth",    "virt_wifi", "vlan",
	"vrf",	  "vsockmon",  "vti",	      "vti6",	   "vxcan",   "vxlan",	   "wireguard",
	"wwan",	  "xfrm",
};
