// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hook/findings/recipe*.c: what people have in their files, and what each line comes to. Where modprobe
 * can judge a line, it is asked as well: it must know the same ids=.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/recipes.h"
#include "tests/unit/fixture.h"
#include "util/params.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define MODPROBE "etc/modprobe.d/vfio.conf"
#define CMDLINE	 "proc/cmdline"
#define MODULES	 "etc/modules"
#define INITRD	 "etc/initramfs-tools/modules"
#define DRACUT	 "etc/dracut.conf.d/vfio.conf"

/* Expected: each recipe as CODE=VALUE, in the order in which they are found. */
static const struct {
	const char *file, *text, *recipes;
} rows[] = {
	/* modprobe.d: ids= in every spelling */
	{ MODPROBE, "options vfio-pci ids=10de:1e84,10de:10f8", "ids=10de:1e84,10de:10f8" },
	{ MODPROBE, "options vfio_pci ids=10de:1e84", "ids=10de:1e84" },
	{ MODPROBE, "  options vfio-pci ids=10de:1e84 disable_idle_d3=1", "ids=10de:1e84" },
	{ MODPROBE, "\toptions\tvfio-pci\tids=10de:1e84", "ids=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids=\"10de:1e84,10de:10f8\"", "ids=10de:1e84,10de:10f8" },
	{ MODPROBE, "options vfio-pci \"ids=10de:1e84,10de:10f8\"", "ids=10de:1e84,10de:10f8" },
	{ MODPROBE, "options vfio-pci ids='10de:1e84,10de:10f8'", "ids='10de:1e84,10de:10f8'" },
	{ MODPROBE, "options vfio-pci ids=\"10de:1e84, 10de:10f8\"", "ids=10de:1e84, 10de:10f8" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84, 10de:10f8",
	  "ids=10de:1e84, after-blank=10de:10f8" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84 10de:10f8 disable_vga=1",
	  "ids=10de:1e84 after-blank=10de:10f8 disable-vga=1" },
	{ MODPROBE, "options vfio-pci \\\n ids=10de:1e84,\\\n10de:10f8",
	  "ids=10de:1e84,10de:10f8" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84\r\n", "ids=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84 # my card", "ids=10de:1e84" },
	{ MODPROBE, "#options vfio-pci ids=10de:1e84", "" },
	{ MODPROBE, "  # options vfio-pci ids=10de:1e84", "" },
	{ MODPROBE, "# off \\\noptions vfio-pci ids=10de:1e84", "in-comment=10de:1e84" },
	{ MODPROBE, "# off \\\noptions kvm nested=1", "" },
	{ MODPROBE, "options vfio-pci ids=", "" },
	{ MODPROBE, "options vfio-pci ids", "" },
	{ MODPROBE, "options vfio-pci -- ids=10de:1e84", "after-dashes=10de:1e84" },
	{ MODPROBE, "options vfio-pci nointxmask=1 --\noptions vfio-pci ids=10de:1e84",
	  "after-dashes=10de:1e84" },
	{ MODPROBE, "options kvm nested=1 --\noptions vfio-pci ids=10de:1e84", "ids=10de:1e84" },
	{ MODPROBE,
	  "options vfio-pci ids=10de:1e84\noptions vfio_pci ids=", "set-again=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids\noptions vfio-pci ids=10de:1e84",
	  "module-refused=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84 disable_vga=2", "module-refused=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84 \"disable-idle-d3= 1\"",
	  "module-refused=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84 disable_idle_d3=yes", "ids=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84 disable_all=2", "ids=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids = 10de:1e84", "after-blank=10de:1e84" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84\noptions vfio-pci ids=10de:10f8",
	  "set-again=10de:1e84 ids=10de:10f8" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84 ids=10de:10f8",
	  "set-again=10de:1e84 ids=10de:10f8" },
	{ MODPROBE, "options vfio-pci ids=10de:1e84\noptions vfio-pci disable_vga=1",
	  "ids=10de:1e84 disable-vga=1" },
	{ MODPROBE, "options vfio-pci ids=10de:ffffffff:ffffffff:ffffffff:00030000:ffff00ff",
	  "ids=10de:ffffffff:ffffffff:ffffffff:00030000:ffff00ff" },
	{ MODPROBE, "options vfio-pci vfio-pci.ids=10de:1e84", "no-such-parameter=10de:1e84" },
	{ MODPROBE, "options vfio-pci vfio-pci.ids=10de:1e84\n10de:10f8",
	  "no-such-parameter=10de:1e84 bad-line=10de:10f8" },
	{ MODPROBE, "option vfio-pci ids=10de:1e84", "bad-line=10de:1e84" },
	{ MODPROBE, "Options vfio-pci ids=10de:1e84", "bad-line=10de:1e84" },
	{ MODPROBE, "vfio-pci ids=10de:1e84", "bad-line=10de:1e84" },
	{ MODPROBE, "options vfio ids=10de:1e84", "no-such-parameter=10de:1e84" },
	{ MODPROBE, "options vfio_pci_core ids=10de:1e84", "no-such-parameter=10de:1e84" },
	{ MODPROBE, "options vfio-pci IDs=10de:1e84,10de:10f8",
	  "no-such-parameter=10de:1e84,10de:10f8" },
	{ MODPROBE, "options vfio-pci device_ids=10de:1e84", "no-such-parameter=10de:1e84" },
	{ MODPROBE, "options vfio-pci disable_vga=1 x=y", "disable-vga=1" },
	{ MODPROBE, "alias gpu vfio-pci\noptions gpu ids=10de:1e84",
	  "alias=gpu alias-options=10de:1e84" },
	{ MODPROBE, "options my_gpu ids=10de:1e84\nalias my-gpu vfio_pci\noptions vfio-pci ids=1:2",
	  "alias-options=10de:1e84 alias=my-gpu ids=1:2" },
	{ MODPROBE, "alias pci:v000010DEd00001E84sv*sd*bc*sc*i* vfio-pci",
	  "alias=pci:v000010DEd00001E84sv*sd*bc*sc*i*" },
	{ MODPROBE, "alias gpu nouveau\noptions gpu ids=10de:1e84", "" },
	{ MODPROBE, "alias gpu", "" },
	{ MODPROBE, "alias vfio-pci off", "vfio-kept-away=vfio-pci" },
	{ MODPROBE, "alias nouveau off", "blacklist=nouveau" },
	{ MODPROBE, "alias pci:v000010DEd*sv*sd*bc03sc*i* off",
	  "blacklist=pci:v000010DEd*sv*sd*bc03sc*i*" },
	{ MODPROBE, "alias net-pf-10 off", "" },
	{ "usr/lib/modprobe.d/nvidia.conf", "alias nouveau off", "" },
	{ MODPROBE, "options pci-stub ids=10de:1e84", "pci-stub-ids=10de:1e84" },
	{ MODPROBE, "options pci-stub ids=1:2\noptions vfio-pci ids=3:4",
	  "pci-stub-ids=1:2 ids=3:4" },
	/* where it is */
	{ "etc/modprobe.d/vfio", "options vfio-pci ids=10de:1e84", "no-suffix=10de:1e84" },
	{ "etc/modprobe.d/vfio.conf.bak", "options vfio-pci ids=10de:1e84", "" },
	{ "etc/modprobe.d/vfio.conf~", "options vfio-pci ids=10de:1e84", "" },
	{ "etc/modprobe.d/vfio.conf.dpkg-old", "options vfio-pci ids=10de:1e84", "" },
	{ "etc/modprobe.d/vfio.conf.disabled", "options vfio-pci ids=10de:1e84", "" },
	{ "etc/modprobe.d/vfio.cnf", "options vfio-pci ids=10de:1e84", "no-suffix=10de:1e84" },
	{ "etc/modprobe.d/vfio.conf.txt", "options vfio-pci ids=10de:1e84", "no-suffix=10de:1e84" },
	{ "etc/modprobe.d/vfio.alias", "options vfio-pci ids=10de:1e84", "ids=10de:1e84" },
	{ "etc/modprobe.d/.vfio.conf", "options vfio-pci ids=10de:1e84", "dot-file=10de:1e84" },
	{ "etc/modprobe.d/.vfio.conf.swp", "options vfio-pci ids=10de:1e84", "" },
	{ "etc/modprobe.d/README", "options vfio-pci ids=10de:1e84", "" },
	{ "etc/modeprobe.d/vfio.conf", "options vfio-pci ids=10de:1e84", "no-reader=10de:1e84" },
	{ "etc/modprobe.conf", "options vfio-pci ids=10de:1e84", "no-reader=10de:1e84" },
	{ "run/modprobe.d/vfio.conf", "options vfio-pci ids=10de:1e84", "ids=10de:1e84" },
	{ "usr/lib/modprobe.d/vfio.conf", "options vfio-pci ids=10de:1e84", "ids=10de:1e84" },
	{ "usr/lib/modprobe.d/fbdev-blacklist.conf", "blacklist nvidiafb", "" },
	/* modprobe.d: the rest */
	{ MODPROBE, "softdep nouveau pre: vfio-pci", "softdep=nouveau" },
	{ MODPROBE, "softdep snd_hda_intel pre: vfio vfio_pci", "softdep=snd_hda_intel" },
	{ MODPROBE, "softdep nouveau post: vfio-pci", "" },
	{ MODPROBE, "softdep vfio-pci pre: nouveau", "softdep-reverse=nouveau" },
	{ MODPROBE, "softdep vfio-pci post: irqbypass", "" },
	{ MODPROBE, "softdep vfio-pci post: nouveau", "softdep-post=nouveau" },
	{ MODPROBE, "softdep vfio-pci post: nouveau pre: nvidia", "softdep-reverse=nvidia" },
	{ MODPROBE, "blacklist nouveau", "blacklist=nouveau" },
	{ MODPROBE, "blacklist nvidia*", "" },
	{ MODPROBE, "blacklist pcspkr", "" },
	{ MODPROBE, "blacklist vfio-pci", "vfio-kept-away=vfio-pci" },
	{ MODPROBE, "install nouveau /bin/false", "install-false=nouveau" },
	{ MODPROBE, "install vfio-pci /bin/false", "vfio-kept-away=" },
	{ MODPROBE, "install vfio-pci /sbin/vfio-pci-override.sh", "install-vfio=" },
	{ MODPROBE, "install vfio-pci /sbin/modprobe --ignore-install vfio-pci ids=10de:1e84",
	  "install-vfio=10de:1e84" },
	{ MODPROBE, "install vfio-pci /sbin/modprobe -i vfio-pci ids=10de:1e84 ; /bin/x",
	  "install-vfio=" },
	{ MODPROBE, "install vfio-pci /sbin/modprobe -i vfio-pci ids=10de:1e84 x=1;/bin/x",
	  "install-vfio=" },
	{ MODPROBE, "install vfio-pci /sbin/modprobe -i vfio-pci ids=10de:1e84 disable_vga=1",
	  "install-vfio=10de:1e84" },
	{ MODPROBE, "install vfio-pci /sbin/modprobe -i vfio-pci ids=10de:1e84 $CMDLINE_OPTS",
	  "install-vfio=10de:1e84" },
	{ MODPROBE, "install vfio-pci /sbin/modprobe -i vfio-pci ids=$IDS", "install-vfio=$IDS" },
	{ MODPROBE, "install nouveau /sbin/modprobe vfio-pci; /sbin/modprobe -i nouveau",
	  "install-order=nouveau" },
	{ MODPROBE, "install nouveau /sbin/modprobe -i nouveau", "" },
	{ MODPROBE, "blacklist nouveau,nvidia", "comma-list=nouveau,nvidia" },
	{ MODPROBE, "blacklist pcspkr,nvidia", "comma-list=pcspkr,nvidia" },
	{ MODPROBE, "blacklist loop,vfio-pci", "comma-list=loop,vfio-pci" },
	{ MODPROBE, "blacklist pcspkr,loop", "" },
	{ "usr/lib/modprobe.d/x.conf", "blacklist nouveau,nvidia", "" },
	{ MODPROBE, "options vfio_iommu_type1 allow_unsafe_interrupts=1", "unsafe-interrupts=1" },
	{ MODPROBE, "options vfio_iommu_type1 allow_unsafe_interrupts", "unsafe-interrupts=" },
	{ MODPROBE, "options vfio_iommu_type1 allow_unsafe_interrupts=on", "unsafe-interrupts=on" },
	{ MODPROBE, "options vfio_iommu_type1 allow_unsafe_interrupts=true",
	  "unsafe-interrupts=true" },
	{ MODPROBE, "options vfio_iommu_type1 allow_unsafe_interrupts=Y", "unsafe-interrupts=Y" },
	{ MODPROBE, "options vfio_iommu_type1 allow_unsafe_interrupts=0", "" },
	{ MODPROBE, "options vfio_iommu_type1 allow_unsafe_interrupts=off", "" },
	{ MODPROBE, "options kvm ignore_msrs=1 report_ignored_msrs=0", "ignore-msrs=1" },
	{ MODPROBE, "options kvm ignore_msrs=N", "" },
	{ MODPROBE, "options kvm-intel nested=1", "" },
	{ MODPROBE, "options vfio-pci disable_vga=1", "disable-vga=1" },
	{ MODPROBE, "options snd_hda_intel power_save=1", "" },
	/* the kernel command line */
	{ CMDLINE, "ro quiet vfio-pci.ids=10de:1e84,10de:10f8", "cmdline-ids=10de:1e84,10de:10f8" },
	{ CMDLINE, "ro vfio_pci.ids=10de:1e84", "cmdline-ids=10de:1e84" },
	{ CMDLINE, "ro vfio-pci.ids=\"10de:1e84\" quiet", "cmdline-ids=10de:1e84" },
	{ CMDLINE, "ro \"vfio-pci.ids=10de:1e84\" quiet", "cmdline-ids=10de:1e84" },
	{ CMDLINE, "vfio-pci.ids=10de:1e84, 10de:10f8",
	  "cmdline-ids=10de:1e84, after-blank=10de:10f8" },
	{ CMDLINE, "vfio-pci.ids=1:2 vfio-pci.ids=3:4", "set-again=1:2 cmdline-ids=3:4" },
	{ CMDLINE, "ro -- vfio-pci.ids=10de:1e84", "" },
	{ CMDLINE, "ro vfio-pci.ids", "" },
	{ CMDLINE, "\"iommu=pt vfio-pci.ids=10de:1e84,10de:10f8\"",
	  "in-value=10de:1e84,10de:10f8" },
	{ CMDLINE, "GRUB_CMDLINE_LINUX=\"vfio_pci.ids=10de:1e84 quiet\"", "in-value=10de:1e84" },
	{ CMDLINE, "x=no-vfio-pci.ids=10de:1e84", "" },
	{ CMDLINE, "ro vfio-pci:ids=10de:1e84", "" },
	{ CMDLINE, "pci-stub.ids=10de:1e84", "pci-stub-ids=10de:1e84" },
	{ CMDLINE, "xen-pciback.hide=(01:00.0)(01:00.1)", "xen-hide=(01:00.0)(01:00.1)" },
	{ CMDLINE, "pcie_acs_override=downstream,multifunction",
	  "acs-override=downstream,multifunction" },
	{ CMDLINE, "amd_iommu=on iommu=pt", "amd-iommu-on=on" },
	{ CMDLINE, "amd_iommu=off intel_iommu=on", "" },
	{ CMDLINE, "rd.driver.pre=vfio-pci", "driver-pre=vfio-pci" },
	{ CMDLINE, "rd.driver.pre=nvme", "" },
	{ CMDLINE, "nomodeset video=efifb:off", "nomodeset=" },
	{ CMDLINE, "modprobe.blacklist=nouveau,nvidia",
	  "cmdline-blacklist=nouveau cmdline-blacklist=nvidia" },
	{ CMDLINE, "module_blacklist=vfio_pci", "vfio-kept-away=vfio_pci" },
	{ CMDLINE, "vfio_iommu_type1.allow_unsafe_interrupts=1", "cmdline-option=1" },
	{ CMDLINE, "vfio-pci.disable-idle-d3=1 vfio-pci.ids=10de:1e84",
	  "cmdline-option=1 cmdline-ids=10de:1e84" },
	{ CMDLINE, "vfio_pci_core.x vfio. snd_hda_intel.power_save=1", "cmdline-option=" },
	{ CMDLINE, "kvm.ignore_msrs=1", "ignore-msrs=1" },
	/* lists of modules */
	{ MODULES, "vfio\nvfio_iommu_type1\nvfio_pci\nvfio_virqfd",
	  "modules-listed=vfio modules-listed=vfio_iommu_type1 modules-listed=vfio_pci "
	  "virqfd=vfio_virqfd" },
	{ MODULES, "vfio_pci ids=10de:1e84", "no-options=10de:1e84" },
	{ MODULES, "# vfio\nloop\n", "" },
	{ "etc/modules-load.d/vfio.conf", "vfio-pci", "modules-listed=vfio-pci" },
	{ INITRD, "vfio_pci ids=10de:1e84,10de:10f8", "modules-ids=10de:1e84,10de:10f8" },
	{ INITRD, "vfio-pci ids=10de:1e84 disable_vga=1", "modules-ids=10de:1e84 disable-vga=1" },
	{ INITRD, "pci_stub ids=10de:1e84", "pci-stub-ids=10de:1e84" },
	{ INITRD, "vfio_pci", "modules-listed=vfio_pci" },
	{ INITRD, "options vfio_pci ids=10de:1e84\nsoftdep nouveau pre: vfio-pci",
	  "wrong-file=10de:1e84 wrong-file=" },
	{ MODULES, "options vfio-pci ids=10de:1e84", "wrong-file=10de:1e84" },
	{ MODULES, "options loop max_loop=8", "" },
	/* dracut */
	{ DRACUT, "force_drivers+=\" vfio vfio-pci vfio_virqfd \"",
	  "modules-listed=vfio modules-listed=vfio-pci virqfd=vfio_virqfd" },
	{ DRACUT, "add_drivers+=' vfio_pci '", "modules-listed=vfio_pci" },
	{ DRACUT, "kernel_cmdline=\"vfio-pci.ids=10de:1e84 rd.driver.pre=vfio-pci\"",
	  "not-passed=10de:1e84 driver-pre=vfio-pci" },
	{ DRACUT, "#force_drivers+=\" vfio \"", "" },
	{ DRACUT, "# don't\nforce_drivers+=\"\n  vfio\n  vfio_pci\n\"\nadd_drivers+=vfio",
	  "modules-listed=vfio modules-listed=vfio_pci modules-listed=vfio" },
	{ DRACUT, "add_drivers+=\"\n  vfio\n\" # don't\nadd_drivers+=\" vfio_pci \"",
	  "modules-listed=vfio modules-listed=vfio_pci" },
	{ DRACUT, "omit_drivers+=\" nouveau vfio_pci \"", "vfio-kept-away=vfio_pci" },
	{ DRACUT, "omit_drivers+=\" nouveau \"", "" },
	/* scripts, rules, units */
	{ "etc/driverctl.d/0000:01:00.0", "vfio-pci\n", "driverctl=vfio-pci" },
	{ "etc/driverctl.d/README", "vfio-pci\n", "" },
	{ "etc/driverctl.d/0000:01:00.0", "nouveau\n", "driverctl-other=nouveau" },
	{ "etc/udev/rules.d/80-vfio.rules",
	  "SUBSYSTEM==\"pci\", ATTR{vendor}==\"0x10de\", ATTR{driver_override}=\"vfio-pci\"",
	  "udev-rule=" },
	{ "etc/udev/rules.d/25-bind.rules", "KERNEL==\"0000:02:00.0\", TAG=\"vfio-pci-bind\"",
	  "udev-rule=" },
	{ "etc/udev/rules.d/25-bind.rules", "KERNEL==\"0000:02:00.0\", TAG+= \"vfio-pci-bind\"",
	  "udev-rule=" },
	{ "etc/udev/rules.d/25-bind.rules",
	  "ATTR{vendor}==\"0x10de\", RUN{builtin}+=\"kmod load vfio-pci\"", "udev-rule=" },
	{ "etc/udev/rules.d/10-vfio-permissions.rules",
	  "SUBSYSTEM==\"vfio\", OWNER=\"root\", GROUP=\"kvm\"", "" },
	{ "etc/systemd/system/vfio.service",
	  "[Service]\nExecStart=/bin/sh -c \"echo vfio-pci > /sys/x/driver_override\"", "unit=" },
	{ "etc/systemd/system/multi-user.target.wants/vfio.service",
	  "[Service]\nExecStart=/bin/sh -c \"echo vfio-pci > /sys/x/driver_override\"",
	  "no-reader=" },
	{ "etc/systemd/system/multi-user.target.requires/vfio.service",
	  "[Service]\nExecStart=/bin/sh -c \"echo vfio-pci > /sys/x/driver_override\"",
	  "no-reader=" },
	{ "etc/systemd/system/multi-user.target.wants/x.service", "[Service]\nExecStart=/bin/true",
	  "" },
	{ "etc/rc.local", "echo 10de 1e84 > /sys/bus/pci/drivers/vfio-pci/new_id",
	  "startup-line=" },
	{ "etc/rc.local", "virsh nodedev-detach pci_0000_01_00_0", "startup-line=" },
	{ "etc/rc.local", "dpdk-devbind.py -b vfio-pci 0000:01:00.0", "startup-line=" },
	{ "etc/rc.local", "# echo 10de 1e84 > /sys/bus/pci/drivers/vfio-pci/new_id", "" },
	{ "etc/cron.d/vfio", "@reboot root echo vfio-pci > /sys/x/driver_override",
	  "startup-line=" },
	{ "etc/network/if-pre-up.d/vfio", "echo 0000:01:00.0 > /sys/bus/pci/drivers/vfio-pci/bind",
	  "startup-line=" },
	{ "etc/tmpfiles.d/vfio.conf", "w /sys/x/driver_override - - - - vfio-pci",
	  "startup-line=" },
	{ "etc/sysfs.d/vfio.conf", "bus/pci/devices/0000:01:00.0/driver_override = vfio-pci",
	  "startup-line=" },
	{ "etc/initramfs-tools/scripts/init-top/vfio",
	  "echo vfio-pci > /sys/bus/pci/devices/0000:01:00.0/driver_override", "override-script=" },
	{ "usr/share/initramfs-tools/scripts/init-top/00-vfio-early", "x driver_override", "" },
	{ "etc/libvirt/hooks/qemu", "virsh nodedev-detach pci_0000_01_00_0", "vm-hook=" },
	{ "etc/libvirt/hooks/qemu.d/win/prepare/begin/start.sh", "modprobe -r nvidia", "vm-hook=" },
	{ "var/lib/vz/snippets/gpu.sh", "echo 1 > /sys/x/unbind", "vm-hook=" },
};

static void say(const struct recipes *recipes, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < recipes->count && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s=%s", i ? " " : "",
					recipe_code(&recipes->list[i]), recipes->list[i].value);
}

/* The ids= that vfio-pci gets of a file, by modprobe: the last one of all that it joins. */
static void ask_modprobe(const char *file, char *ids, size_t size)
{
	char command[512], line[1024], all[8192] = "";
	struct params params;
	struct param param;
	FILE *pipe;

	snprintf(command, sizeof(command), "modprobe -C %s/%s --showconfig 2>/dev/null",
		 fixture_path(), file);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe) && *line != '\n')
		if (!strncmp(line, "options vfio_pci ", 17))
			strncat(all, line + 16, sizeof(all) - strlen(all) - 1);
	assert_int_equal(pclose(pipe), 0);
	ids[0] = '\0';
	for (params_begin(&params, all, strlen(all)); params_next(&params, &param);)
		if (param_is(&param, "ids"))
			snprintf(ids, size, "%.*s", (int)param.value_len,
				 param.value ? param.value : "");
}

static void check_modprobe(const struct recipes *recipes, const char *file, const char *text)
{
	const char *ours = "";
	char theirs[512];

	for (size_t i = 0; i < recipes->count; i++)
		if (recipes->list[i].kind == RECIPE_IDS &&
		    (recipes->list[i].state == RECIPE_IN_FORCE ||
		     recipes->list[i].state == RECIPE_REFUSED))
			ours = recipes->list[i].value;
	ask_modprobe(file, theirs, sizeof(theirs));
	if (strcmp(ours, theirs) != 0)
		fail_msg("<%s>: ours <%s>, modprobe's <%s>", text, ours, theirs);
}

static void open_root(struct root *root)
{
	*root = (struct root){ .fd = fixture_begin() };
	snprintf(root->path, sizeof(root->path), "%s", fixture_path());
}

static void recipes_find_what_people_have(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct recipes recipes;
		struct root root;
		char said[2048];

		open_root(&root);
		fixture_file(rows[i].file, "%s", rows[i].text);
		assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
		say(&recipes, said, sizeof(said));
		if (strcmp(said, rows[i].recipes) != 0)
			fail_msg("%s <%s>: %s, not %s", rows[i].file, rows[i].text, said,
				 rows[i].recipes);
		if (!strcmp(rows[i].file, MODPROBE))
			check_modprobe(&recipes, rows[i].file, rows[i].text);
		recipes_free(&recipes);
		fixture_end();
	}
}

/* Of several places: modprobe's files by name, then the command line, then what is called with it. */
static void recipes_find_which_ids_count(void **state)
{
	struct recipes recipes;
	struct root root;
	char said[2048];

	(void)state;
	open_root(&root);
	fixture_file("etc/modprobe.d/b.conf", "options vfio-pci ids=2:2\n");
	fixture_file("usr/lib/modprobe.d/a.conf", "options vfio-pci ids=1:1\n");
	fixture_file("usr/lib/modprobe.d/b.conf", "options vfio-pci ids=9:9\n");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	say(&recipes, said, sizeof(said));
	assert_string_equal(said, "set-again=1:1 ids=2:2 hidden=9:9");
	assert_string_equal(recipes.list[0].by, "/etc/modprobe.d/b.conf:1");
	recipes_free(&recipes);
	fixture_file(CMDLINE, "vfio-pci.ids=3:3");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	say(&recipes, said, sizeof(said));
	assert_string_equal(said, "set-again=1:1 set-again=2:2 hidden=9:9 cmdline-ids=3:3");
	recipes_free(&recipes);
	fixture_file(INITRD, "vfio_pci ids=4:4");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	say(&recipes, said, sizeof(said));
	assert_string_equal(said, "set-again=1:1 set-again=2:2 hidden=9:9 set-again=3:3 "
				  "modules-ids=4:4");
	recipes_free(&recipes);
	fixture_end();
}

/* Only modprobe hands a module what the command line has for it; what is built in reads it there. */
static void recipes_find_options_of_the_command_line_that_are_lost(void **state)
{
	struct recipes recipes;
	struct root root;
	char said[2048];

	(void)state;
	open_root(&root);
	fixture_file("proc/sys/kernel/osrelease", "6.1\n");
	fixture_file("lib/modules/6.1/modules.builtin",
		     "kernel/drivers/vfio/vfio.ko\nkernel/drivers/vfio/vfio_iommu_type1.ko\n");
	fixture_file(MODPROBE, "options vfio-pci disable-idle-d3=1 ids=1:1\n");
	fixture_file(CMDLINE, "vfio_iommu_type1.allow_unsafe_interrupts=1 vfio.x=1 "
			      "vfio_pci.disable_idle_d3=1 vfio-pci.nointxmask=1");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	say(&recipes, said, sizeof(said));
	assert_string_equal(said, "ids=1:1 unsafe-interrupts=1 cmdline-option=1");
	assert_string_equal(recipes.list[2].text, "vfio-pci.nointxmask=1");
	recipes_free(&recipes);
	fixture_end();
}

static void recipes_find_follows_what_is_called(void **state)
{
	struct recipes recipes;
	struct root root;

	(void)state;
	open_root(&root);
	fixture_file(MODPROBE, "install vfio-pci /usr/local/bin/vfio.sh\n");
	fixture_file("usr/local/bin/vfio.sh", "#!/bin/sh\necho vfio-pci > $i/driver_override\n");
	fixture_file("etc/systemd/system/a.service", "ExecStart=/opt/b.sh now\n");
	fixture_file("opt/b.sh", "echo 10de 1187 > /sys/bus/pci/drivers/vfio-pci/new_id\n");
	fixture_file("etc/udev/rules.d/90-x.rules",
		     "KERNEL==\"0000:01:00.0\", RUN+=\"/usr/local/sbin/c.sh %%k\"\n");
	fixture_file("usr/local/sbin/c.sh", "echo $1 > /sys/bus/pci/drivers/vfio-pci/bind\n");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	assert_int_equal(recipes.count, 4);
	assert_string_equal(recipes.list[1].file, "/usr/local/bin/vfio.sh");
	assert_int_equal(recipes.list[1].line, 2);
	assert_string_equal(recipes.list[2].file, "/usr/local/sbin/c.sh");
	assert_string_equal(recipes.list[3].file, "/opt/b.sh");
	recipes_free(&recipes);
	fixture_end();
}

/* udev(7): a program without a slash is one of /usr/lib/udev. */
static void recipes_find_programs_of_udev_rules(void **state)
{
	static const char *const files[] = { "/sbin/vfio-pci-override.sh", "/usr/lib/udev/a.sh",
					     "/lib/udev/gpu", "/opt/b" };
	struct recipes recipes;
	struct root root;

	(void)state;
	open_root(&root);
	fixture_file("etc/udev/rules.d/10-a.rules",
		     "SUBSYSTEM==\"pci\", PROGRAM=\"a.sh %%k\", RESULT==\"1\"\n"
		     "SUBSYSTEM==\"pci\", IMPORT{program}=\"gpu %%k\"\n"
		     "SUBSYSTEM==\"pci\", IMPORT{builtin}=\"path_id\", PROGRAM==\"/opt/b\"\n");
	fixture_file("usr/lib/udev/a.sh", "echo $1 >/sys/bus/pci/drivers/vfio-pci/bind\n");
	fixture_file("lib/udev/gpu", "echo vfio-pci >/sys/x/driver_override\n");
	fixture_file("opt/b", "echo vfio-pci >/sys/x/driver_override\n");
	fixture_file("usr/lib/udev/path_id", "echo vfio-pci >/sys/x/driver_override\n");
	/* As the guides of Arch have it. */
	fixture_file(MODPROBE, "install vfio-pci /sbin/vfio-pci-override.sh\n");
	fixture_file("sbin/vfio-pci-override.sh", "echo vfio-pci >/sys/x/driver_override\n");
	fixture_file("sbin/modprobe", "driver_override\n");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	assert_int_equal(recipes.count, 5);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(recipes.list[i + 1].file, files[i]);
	recipes_free(&recipes);
	fixture_end();
}

/* glob(3) would follow it to the folder of the machine that the tests run on. */
static void recipes_find_behind_absolute_links_what_is_below_the_root(void **state)
{
	struct recipes recipes;
	struct root root;

	(void)state;
	open_root(&root);
	fixture_link("etc/libvirt/hooks", "/srv/hooks");
	fixture_file("srv/hooks/qemu.d/win/prepare/begin/a.sh", "modprobe -r nvidia\n");
	fixture_link("etc/cron.d", "/usr/bin");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	assert_int_equal(recipes.count, 1);
	assert_string_equal(recipes.list[0].file,
			    "/etc/libvirt/hooks/qemu.d/win/prepare/begin/a.sh");
	assert_null(recipes.unread);
	recipes_free(&recipes);
	fixture_end();
}

static void recipes_find_a_link_once(void **state)
{
	struct recipes recipes;
	struct root root;

	(void)state;
	open_root(&root);
	fixture_file(MODULES, "vfio\n");
	fixture_link("etc/modules-load.d/modules.conf", "../modules");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	assert_int_equal(recipes.count, 1);
	recipes_free(&recipes);
	fixture_end();
}

/* A file with two names counts by the one that modprobe reads, and once for each of those. */
static void recipes_find_links_in_modprobe(void **state)
{
	struct recipes recipes;
	struct root root;
	char said[2048];

	(void)state;
	open_root(&root);
	fixture_file("etc/modprobe.d/vfio", "options vfio-pci ids=1:1\n");
	fixture_link("etc/modprobe.d/vfio.conf", "vfio");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	say(&recipes, said, sizeof(said));
	assert_string_equal(said, "ids=1:1");
	assert_string_equal(recipes.list[0].file, "/etc/modprobe.d/vfio.conf");
	recipes_free(&recipes);
	fixture_end();

	open_root(&root);
	fixture_file("etc/modprobe.conf", "options vfio-pci ids=1:1\n");
	fixture_link("etc/modprobe.d/old.conf", "../modprobe.conf");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	say(&recipes, said, sizeof(said));
	assert_string_equal(said, "ids=1:1");
	recipes_free(&recipes);
	fixture_end();

	open_root(&root);
	fixture_file("etc/modprobe.d/a.conf", "options vfio-pci ids=1:1\n");
	fixture_file("etc/modprobe.d/b.conf", "options vfio-pci ids=2:2\n");
	fixture_link("etc/modprobe.d/c.conf", "a.conf");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	say(&recipes, said, sizeof(said));
	assert_string_equal(said, "set-again=1:1 set-again=2:2 ids=1:1");
	check_modprobe(&recipes, "etc/modprobe.d", "a link that is read last");
	recipes_free(&recipes);
	fixture_end();
}

static void recipes_find_images_of_dracut_alone(void **state)
{
	struct recipes recipes;
	struct root root;

	(void)state;
	open_root(&root);
	fixture_file(INITRD, "vfio_pci ids=1:1\n");
	fixture_file("usr/bin/dracut", "x");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	assert_int_equal(recipes.list[0].state, RECIPE_NO_READER);
	recipes_free(&recipes);
	fixture_file("usr/sbin/mkinitramfs", "x");
	assert_int_equal(recipes_find(&root, NULL, &recipes), 0);
	assert_int_equal(recipes.list[0].state, RECIPE_IN_FORCE);
	recipes_free(&recipes);
	fixture_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recipes_find_what_people_have),
		cmocka_unit_test(recipes_find_which_ids_count),
		cmocka_unit_test(recipes_find_follows_what_is_called),
		cmocka_unit_test(recipes_find_options_of_the_command_line_that_are_lost),
		cmocka_unit_test(recipes_find_programs_of_udev_rules),
		cmocka_unit_test(recipes_find_behind_absolute_links_what_is_below_the_root),
		cmocka_unit_test(recipes_find_a_link_once),
		cmocka_unit_test(recipes_find_links_in_modprobe),
		cmocka_unit_test(recipes_find_images_of_dracut_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
