// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files that go into a report; see table.h. The PCI functions themselves are in functions.c,
 * kernels and images in kernels.c: record_print_list() names those too. The man page has the same
 * list, and a test compares the two.
 */
#include <string.h>

#include "config/state.h"
#include "record/table.h"

#define LINK(path)	 path, TABLE_LINK, FILTER_NOTHING
#define FOLDER(path)	 path, TABLE_FOLDER, FILTER_NOTHING
#define THERE(path)	 path, TABLE_FILE, FILTER_NOTHING
#define FILE_(path, how) path, TABLE_FILE, FILTER_##how

#define PCI   "sys/bus/pci/devices/*"
#define BLOCK "sys/class/block/*"
#define NET   "sys/class/net/*"

const struct table_row table_rows[] = {
	/* PCI functions: what is not in their lines */
	{ FILE_(PCI "/removable", NUMBERS) },
	{ FILE_(PCI "/d3cold_allowed", NUMBERS) },
	{ FILE_(PCI "/power/control", NUMBERS) },
	{ FILE_(PCI "/resource", NUMBERS) },
	{ FILE_(PCI "/resource[0-5]_resize", NUMBERS) },
	{ FILE_(PCI "/drm/*/boot_display", NUMBERS) },
	{ FILE_(PCI "/mdev_supported_types/*/available_instances", NUMBERS) },
	{ FILE_(PCI "/mdev_supported_types/*/name", TEXT) },
	{ FILE_(PCI "/mdev_supported_types/*/description", TEXT) },
	{ LINK(PCI "/mdev_supported_types/*/devices/*") },
	{ LINK(PCI "/*-*-*-*-*/driver") },
	{ LINK(PCI "/*-*-*-*-*/iommu_group") },
	{ FILE_(PCI "/nvidia/creatable_vgpu_types", TEXT) },
	{ FILE_(PCI "/nvidia/current_vgpu_type", TEXT) },
	{ FILE_(PCI "/sriov_admin/*/profile/*", NUMBERS) },
	{ FILE_(PCI "/drm/card*/*iov/*/auto_provisioning", NUMBERS) },
	{ FILE_(PCI "/drm/card*/*iov/*/gt*/*_quota", NUMBERS) },
	{ FILE_(PCI "/drm/card*/*iov/*/gt*/exec_quantum_ms", NUMBERS) },
	{ FILE_(PCI "/drm/card*/*iov/*/gt*/preempt_timeout_us", NUMBERS) },
	{ LINK(PCI "/supplier:pci:*") },
	{ FOLDER("sys/bus/pci/drivers/vfio-pci") },
	{ LINK("sys/bus/pci/drivers/vboxguest/*") },
	{ FILE_("sys/kernel/iommu_groups/*/name", NUMBERS) },
	{ FILE_("sys/kernel/iommu_groups/*/reserved_regions", NUMBERS) },
	{ FOLDER("sys/firmware/acpi/tables") },
	{ FILE_("sys/firmware/devicetree/base/model", TEXT) },
	{ FILE_("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", NUMBERS) },
	{ FILE_("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", NUMBERS) },
	{ FILE_("sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
		UTF16) },
	{ FILE_("sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
		UTF16) },
	{ FILE_("sys/class/dmi/id/product_uuid", SECRET) },

	/* what this host needs: disks */
	{ FOLDER("sys/dev/block") },
	{ LINK("sys/dev/block/*") },
	{ LINK("sys/block/*") },
	{ FILE_("sys/block/*/dm/name", TEXT) },
	{ FILE_("sys/block/*/dm/uuid", TEXT) },
	{ LINK("sys/block/*/slaves/*") },
	{ LINK(BLOCK) },
	{ FILE_(BLOCK "/dev", NUMBERS) },
	{ FILE_(BLOCK "/partition", NUMBERS) },
	{ FILE_(BLOCK "/loop/backing_file", TEXT) },
	{ FILE_(BLOCK "/backing_dev", TEXT) },
	{ FILE_(BLOCK "/dm/name", TEXT) },
	{ FILE_(BLOCK "/dm/uuid", TEXT) },
	{ FILE_(BLOCK "/netif", TEXT) },
	{ LINK(BLOCK "/slaves/*") },
	{ LINK(BLOCK "/bcache") },
	{ LINK(BLOCK "/bcache/cache") },
	{ LINK(BLOCK "/bcache/cache/cache[0-9]*") },
	{ LINK("sys/class/nvme/*") },
	{ FILE_("sys/class/nvme/*/transport", NUMBERS) },
	{ FILE_("sys/class/nvme/*/address", TEXT) },
	{ LINK("sys/class/nvme-subsystem/*") },
	{ LINK("sys/class/nvme-subsystem/*/nvme*") },
	{ LINK("sys/devices/virtual/nvme-subsystem/*/nvme*") },
	{ LINK("sys/class/fc_host/*") },
	{ FILE_("sys/class/fc_host/*/port_name", TEXT) },
	{ LINK("sys/class/mtd/*") },
	{ LINK("sys/bus/cxl/devices/*") },
	{ LINK("sys/bus/virtio/drivers/*/*") },
	{ LINK("sys/fs/btrfs/*/devices/*") },
	{ FOLDER("proc/fs/jbd2/*") },
	{ THERE("proc/spl/kstat/zfs/*/state") },
	{ FILE_("run/udev/data/b*", UDEV) },
	{ FILE_("run/lvm/pvs_online/*", TEXT) },

	/* networks and what else it needs */
	{ LINK(NET) },
	{ FILE_(NET "/flags", NUMBERS) },
	{ FILE_(NET "/type", NUMBERS) },
	{ FILE_(NET "/tun_flags", NUMBERS) },
	{ FILE_(NET "/ifindex", NUMBERS) },
	{ FILE_(NET "/iflink", NUMBERS) },
	{ FILE_(NET "/bonding/slaves", TEXT) },
	{ LINK(NET "/device") },
	{ LINK(NET "/master") },
	{ LINK(NET "/lower_*") },
	{ LINK(NET "/brif/*") },
	{ LINK("sys/class/infiniband/*") },
	{ LINK("sys/bus/thunderbolt/devices/*") },
	{ LINK("sys/bus/usb/devices/*") },
	{ LINK("sys/bus/usb/devices/*/supplier:pci:*") },
	{ LINK("sys/class/input/input*") },
	{ FILE_("sys/class/input/input*/capabilities/key", NUMBERS) },
	{ THERE("etc/dropbear/initramfs/authorized_keys") },
	{ THERE("etc/dropbear-initramfs/authorized_keys") },
	{ THERE("etc/tinyssh/root_key") },

	/* the kernel and what is mounted */
	{ FILE_("proc/cpuinfo", CPUINFO) },
	{ FILE_("proc/swaps", TEXT) },
	{ FILE_("proc/self/mountinfo", MOUNTINFO) },
	{ FILE_("proc/1/mountinfo", MOUNTINFO) },
	{ LINK("proc/self/ns/pid") },
	{ LINK("proc/self/ns/user") },
	{ FILE_("proc/sys/kernel/osrelease", NUMBERS) },
	{ FILE_("proc/sys/kernel/random/boot_id", SECRET) },
	{ THERE("run/systemd/container") },
	{ FILE_("etc/fstab", FSTAB) },
	{ FILE_("etc/crypttab", CRYPTTAB) },
	{ FILE_("etc/machine-id", SECRET) },
	{ FILE_("etc/hostname", HOSTNAME) },

	/* our own */
	{ FILE_("etc/vfio-early.conf", CONFIG) },
	{ FILE_("etc/vfio-early.conf.d/*", CONFIG) },
	{ FILE_("etc/vfio-early.trial", TEXT) },
	{ FILE_("run/vfio-early/log", TEXT) },
	{ FILE_("run/vfio-early/report", TEXT) },
	{ FILE_("run/vfio-early/plan", TEXT) },
	{ FILE_("run/vfio-early/trial", NUMBERS) },
	{ FILE_(STATE_FACTS, FACTS) },
	{ THERE(STATE_DIR "/undone") },
	{ THERE(STATE_DIR "/unfinished") },
	{ FILE_(STATE_DIR "/trial", TEXT) },
	{ FILE_(STATE_CMDLINE "/grub", NUMBERS) },
	{ FILE_(STATE_CMDLINE "/kernel", NUMBERS) },

	/* old recipes */
	{ FILE_("etc/modprobe.d/*", CONFIG) },
	{ FILE_("run/modprobe.d/*", CONFIG) },
	{ FILE_("usr/local/lib/modprobe.d/*", CONFIG) },
	{ FILE_("usr/lib/modprobe.d/*", CONFIG) },
	{ FILE_("lib/modprobe.d/*", CONFIG) },
	{ FILE_("etc/modeprobe.d/*", CONFIG) },
	{ FILE_("etc/modprobe.conf.d/*", CONFIG) },
	{ FILE_("etc/modprobe/*", CONFIG) },
	{ FILE_("etc/modprobe.conf", CONFIG) },
	{ FILE_("etc/modules", CONFIG) },
	{ FILE_("etc/modules-load.d/*", CONFIG) },
	{ FILE_("run/modules-load.d/*", CONFIG) },
	{ FILE_("usr/local/lib/modules-load.d/*", CONFIG) },
	{ FILE_("usr/lib/modules-load.d/*", CONFIG) },
	{ FILE_("etc/initramfs-tools/modules", CONFIG) },
	{ FILE_("etc/dracut.conf", CONFIG) },
	{ FILE_("etc/dracut.conf.d/*", CONFIG) },
	{ FILE_("usr/lib/dracut/dracut.conf.d/*", CONFIG) },
	{ FILE_("etc/driverctl.d/*", TEXT) },

	/* the boot */
	{ THERE("boot/vmlinuz-*") },
	{ THERE("boot/vmlinux-*") },
	{ FILE_("boot/config-*", KCONFIG) },
	{ THERE("boot/grub/grub.cfg") },
	{ FILE_("etc/kernel/proxmox-boot-uuids", TEXT) },
	{ THERE("usr/sbin/update-initramfs") },
	{ THERE("usr/sbin/mkinitramfs") },
	{ THERE("usr/bin/dracut") },
	{ THERE("usr/sbin/dracut") },
	{ FILE_("var/lib/dpkg/info/initramfs-tools.list", OWNER) },
	{ FILE_("var/lib/dpkg/info/dracut.list", OWNER) },

	/* Proxmox VE */
	{ THERE("usr/share/perl5/PVE/QemuServer.pm") },
	{ THERE("usr/sbin/qm") },
	{ THERE("var/lib/pve-cluster/config.db") },
	{ LINK("etc/pve/local") },
	{ FOLDER("etc/pve/qemu-server") },
	{ FOLDER("etc/pve/lxc") },
	{ FILE_("etc/pve/qemu-server/*.conf", VM) },
	{ FILE_("etc/pve/lxc/*.conf", CONTAINER) },
	{ FILE_("etc/pve/mapping/pci.cfg", MAPPING) },
	{ FILE_("etc/pve/mapping/usb.cfg", MAPPING) },
	{ FILE_("run/qemu-server/pci-id-reservations", NUMBERS) },

	{ 0 },
};

/* What a filter keeps of a file, in words. */
static const char *const filters[] = {
	[FILTER_NOTHING] = "that it is there",
	[FILTER_TEXT] = "all of it",
	[FILTER_NUMBERS] = "all of it",
	[FILTER_SECRET] = "a placeholder",
	[FILTER_HOSTNAME] = "a placeholder",
	[FILTER_CONFIG] = "without comments",
	[FILTER_CMDLINE] =
		"names of all parameters, values of those of IOMMU, PCI, drivers, consoles, root",
	[FILTER_MOUNTINFO] = "without the options that no check reads",
	[FILTER_FSTAB] = "without comments and the options that no check reads",
	[FILTER_CRYPTTAB] = "without comments and the options that no check reads",
	[FILTER_UDEV] = "file system, label, UUID, partition, links",
	[FILTER_CPUINFO] = "vmx, svm or neither",
	[FILTER_INTERRUPTS] = "the first line with IR-",
	[FILTER_VM] = "hostpciN, usbN, machine, vga, onboot, template, delete",
	[FILTER_CONTAINER] = "devN, mpN, lxc.mount.entry, lxc.cgroup*.devices, onboot, template",
	[FILTER_MAPPING] = "names, map, mdev",
	[FILTER_FACTS] = "all of it",
	[FILTER_UTF16] = "all of it",
	[FILTER_KCONFIG] = "CONFIG_INTEL_IOMMU_DEFAULT_ON",
	[FILTER_OWNER] = "the line of update-initramfs",
};

void table_print(FILE *out, const char *prefix)
{
	for (const struct table_row *row = table_rows; row->path; row++) {
		const char *what = filters[row->filter];

		if (row->what == TABLE_LINK)
			what = "where it leads";
		else if (row->what == TABLE_FOLDER)
			what = "that it is there";
		fprintf(out, "%s/%s: %s\n", prefix, row->path, what);
	}
}
