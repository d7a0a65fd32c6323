/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every finding of the host half: its code, where it belongs, how bad it is, its sentence and its
 * fix. Codes are stable: they are in --json and in vfio-early-json(5). Sentences may change at any
 * time, and no code reads them. For a refused function the boot half's own codes are used: see
 * device.c.
 *
 * X(NAME, code, stage, topic, level, text, fix)
 *
 * topic: the word that `status` prints before it. {0} to {3} in text and fix are replaced by the
 * texts given to finding_add(). A fix is never something that is in force already, or that this
 * package itself would refuse; if that depends on the host, the finder chooses between codes or
 * gives the fix as {N}. "" is none.
 */
#ifndef VFIO_EARLY_HOOK_FINDINGS_CODES_H
#define VFIO_EARLY_HOOK_FINDINGS_CODES_H

#include "host/next_boot.h"
#include "host/settings.h"
#include "ui/status.h"

/*
 * Places in a fix for the command that fits findings->apply: what makes the config take effect (after undo
 * that ends it), what makes the images again (after undo without it), what makes the next boot run them.
 */
#define FIX_APPLY  "{apply}"
#define FIX_IMAGES "{images}"
#define FIX_REBOOT "{reboot}"

/* clang-format off */
#define FINDING_LIST(X) \
	/* The machine. */ \
	X(CPU_OK, "cpu-ok", MACHINE, "cpu", OK, "{0}", "") \
	X(CPU_NO_VM, "cpu-no-virtualization", MACHINE, "cpu", WARNS, \
	  "the CPU has neither vmx nor svm: VMs run without hardware support", \
	  "switch on VT-x or SVM in the firmware") \
	X(CPU_UNKNOWN, "cpu-unknown", MACHINE, "cpu", UNKNOWN, "/proc/cpuinfo names no CPU flags", \
	  "run it on the host itself, with /proc mounted") \
	X(FIRMWARE_OK, "iommu-table", MACHINE, "firmware", OK, "{0}", "") \
	X(IOMMU_ON, "iommu-on", MACHINE, "kernel", OK, "{0}", "") \
	X(IOMMU_OFF_FIRMWARE, "iommu-off-firmware", MACHINE, "firmware", BLOCKS, "{0}", "{1}") \
	X(IOMMU_OFF_KERNEL, "iommu-off-kernel", MACHINE, "kernel", BLOCKS, "{0}", "{1}") \
	X(IOMMU_NOIOMMU, "noiommu", MACHINE, "kernel", BLOCKS, "{0}", "{1}") \
	X(REMAPPING_ON, "remapping-on", MACHINE, "remapping", OK, "interrupt remapping is on", "") \
	X(REMAPPING_OFF, "remapping-off", MACHINE, "remapping", BLOCKS, \
	  "no interrupt remapping: VMs are refused every device", \
	  "switch on x2APIC in the firmware, or look for an update of it") \
	X(REMAPPING_UNSAFE, "remapping-unsafe", MACHINE, "remapping", WARNS, \
	  "no interrupt remapping, but allow_unsafe_interrupts: a VM may raise any interrupt of " \
	  "this host", \
	  "switch on x2APIC in the firmware; if it has none, run only VMs that you trust") \
	X(UNSAFE_SET, "unsafe-interrupts-needless", RECIPE, "unsafe-interrupts", NOTES, \
	  "allow_unsafe_interrupts is set and has no effect: this host remaps interrupts", \
	  "remove it") \
	\
	/* The config. */ \
	X(CONFIG_OK, "config-ok", CONFIG, "config", OK, "{0} bind line{1}{2}", "") \
	X(LINE_LOST, "line-left-out", CONFIG, "config", BLOCKS, "left out: {0}", "correct it") \
	X(CONFIG_UNUSABLE, "config-unusable", CONFIG, "config", BLOCKS, "{0}", "{1}") \
	X(FN_UNREADABLE, "function-unreadable", CONFIG, "config", BLOCKS, \
	  "cannot be read ({0}): the boot leaves it alone", \
	  "see dmesg for what is wrong with it, or remove {1}") \
	X(FN_MAYBE_UNREADABLE, "unreadable-unknown", CONFIG, "config", WARNS, \
	  "cannot be read ({0}): it is not known whether {1} names it", \
	  "see dmesg for what is wrong with it") \
	X(NO_FUNCTION, "absent", CONFIG, "config", BLOCKS, "{0}: no such function", \
	  "correct or remove the line; vfio-early list -a shows all functions") \
	X(BIND_EXCEPTED, "bind-excepted", CONFIG, "config", WARNS, \
	  "{0} binds nothing: its functions are all in {1}", \
	  "remove that line, or its functions from the except line") \
	X(UNDONE, "undone", CONFIG, "config", IDLE, \
	  "vfio-early undo is in effect: the next boot binds nothing", FIX_APPLY) \
	X(UNDO_UNFINISHED, "undo-unfinished", CONFIG, "config", BLOCKS, \
	  "vfio-early undo has not finished: the next boot may still hand devices over", \
	  COMMAND_UNDO) \
	X(NO_BIND_LINE, "no-bind-line", CONFIG, "config", IDLE, \
	  "no bind line: the next boot binds nothing", "vfio-early add ADDRESS") \
	X(VFS_OK, "vfs-ok", CONFIG, "vfs", OK, "{0} virtual functions at every boot; {1} now", "") \
	X(VFS_ABSENT, "vfs-absent", CONFIG, "config", BLOCKS, "{0}: no such function", \
	  "correct or remove the line; vfio-early list -a shows all functions") \
	X(VFS_MOVED, "vfs-moved", CONFIG, "config", BLOCKS, \
	  "{0}: another device is there, or it is in another place", \
	  "correct or remove the line; vfio-early list -a -o ADDRESS,ID,PATH shows what is there") \
	X(VFS_NO_SRIOV, "vfs-no-sriov", CONFIG, "vfs", BLOCKS, \
	  "it can have no virtual functions: it has no SR-IOV, or the firmware has switched that off", \
	  "switch SR-IOV on in the firmware, or name another function") \
	X(VFS_MANY, "vfs-too-many", CONFIG, "vfs", BLOCKS, \
	  "{0} virtual functions are asked for, and it can have {1}", \
	  "write {1} or fewer in {2}") \
	X(VFS_OF_BOUND, "vfs-of-bound", CONFIG, "vfs", BLOCKS, \
	  "{0} virtual functions are asked for, and it is bound itself: on vfio-pci it makes none", \
	  "remove its bind line or its vfs line") \
	X(VFS_NONE, "vfs-none", CONFIG, "config", BLOCKS, \
	  "{0}: there are no virtual functions, and no vfs line makes any", \
	  "write vfs {1} NUMBER") \
	X(VF_NOT_MADE, NEXT_BOOT_NOT_MADE, CONFIG, "config", BLOCKS, \
	  "{0} names a virtual function that the next boot does not make", "{1}") \
	X(VFS_ELSEWHERE, "vfs-elsewhere", CONFIG, "vfs", WARNS, \
	  "{0} makes virtual functions of it too: {1}", \
	  "let one of the two make them: whoever comes second changes nothing") \
	X(VFS_REMOVED, "vfs-removed", CONFIG, "vfs", WARNS, \
	  "{0} removes its virtual functions: {1}", "delete that line") \
	X(VFS_NEEDED, "vfs-needed", CONFIG, "vfs", NOTES, \
	  "this host needs it ({0}): some drivers reset a function while they make virtual ones", "") \
	X(SET_UNUSED, "set-unused", CONFIG, "config", WARNS, "{0}: {1}", \
	  "correct or remove the line") \
	X(SET_METHOD, "set-method-unknown", CONFIG, "config", BLOCKS, \
	  "{0}: {1} is not a reset method: the kernel refuses the whole list", \
	  "write some of " SETTINGS_METHODS ", or default alone; vfio-early list -a -o ADDRESS,RESET " \
	  "shows those of each function") \
	X(SET_OFFER, "set-not-offered", CONFIG, "set", BLOCKS, \
	  "{0} of its set line is not offered; it has: {1}", "correct {2}") \
	X(FACTS_UNKNOWN, "facts-unknown", CONFIG, "protect", WARNS, \
	  "facts unknown: {0}; storage, network and USB controllers are bound only by a line with " \
	  "ID and path, or by bind!", \
	  COMMAND_THERE FIX_APPLY) \
	X(FACTS_TOO_MANY, "facts-too-many", CONFIG, "protect", WARNS, \
	  "{0}; storage, network and USB controllers are bound only by a line with ID and path, or " \
	  "by bind!", \
	  "write the devices to bind with their IDs and paths: vfio-early list -o ADDRESS,ID,PATH") \
	X(PROTECT_NOTE, "protect-note", CONFIG, "protect", NOTES, "{0}", "") \
	X(PLAN_NOTE, "plan-note", CONFIG, "plan", NOTES, "{0}", "") \
	\
	/* The kernel's modules. */ \
	X(NO_KERNEL, "no-kernel", IMAGE, "kernel", BLOCKS, "no kernel in /lib/modules", \
	  "install a kernel package") \
	X(MODULE_LOST, "module-missing", MACHINE, "modules", BLOCKS, "{0}", \
	  "install this kernel's modules or run depmod for it, then " FIX_IMAGES) \
	X(MODULE_NOTE, "module-note", MACHINE, "modules", NOTES, "{0}", "") \
	\
	/* IOMMU groups, as a VM takes them. */ \
	X(GROUPS_OK, "groups-ok", VM, "groups", OK, "{0} function{1}, each group whole", "") \
	X(GROUP_RMRR, "group-rmrr", VM, "groups", BLOCKS, \
	  "the firmware reserves memory for it (RMRR {0}): the kernel refuses it to every VM", \
	  "{1}") \
	X(GROUP_PROTECTED, "group-protected", VM, "groups", BLOCKS, \
	  "this host needs {0} in it ({1}): no VM can have {2}", "{3}") \
	X(GROUP_SHARED, "blocks-group", VM, "groups", BLOCKS, \
	  "shares group {0} with bound functions, and stays with {1}: no VM can have those", "{2}") \
	X(GROUP_IDLE, "may-block-group", VM, "groups", WARNS, \
	  "shares group {0} with bound functions, and is not bound: no VM can have those once a " \
	  "driver takes this one", "{1}") \
	X(GROUP_CLAIMED, "group-claimed", VM, "groups", NOTES, \
	  "shares group {0} and will be taken too (group claim)", "") \
	\
	/* The VMs of Proxmox VE, and what their starts take. */ \
	X(VMS_OK, "vms-ok", VM, "vms", OK, "{0}: no start takes anything from this host", "") \
	X(VMS_UNKNOWN, "vms-unknown", VM, "vms", WARNS, \
	  "{0}: it is not known what the start of a VM takes from this host", "{1}") \
	X(VM_TAKES_NEEDED, "vm-takes-needed", VM, "vms", BLOCKS, \
	  "{0}: its start takes what this host needs: {1}", "{2}") \
	X(TEMPLATE_TAKES, "template-takes", VM, "vms", NOTES, \
	  "{0}: a template; the start of a VM cloned from it would take what this host needs: {1}", \
	  "{2}") \
	X(VM_TAKES, "vm-takes", VM, "vms", WARNS, \
	  "{0}: its start takes from this host: {1}", "{2}") \
	X(VM_OTHER_DEVICE, "vm-other-device", VM, "vms", BLOCKS, \
	  "{0}: {1} is not the device that the config means: the VM would get whatever is there", \
	  "correct the address; better use a mapping, which Proxmox VE compares with the device: " \
	  "vfio-early vm {2} ADDRESS --mapping NAME") \
	X(VM_TWICE, "vm-twice", VM, "vms", WARNS, \
	  "{0} and {1} both have {2}: the VM does not start", "{3}") \
	X(VM_SHARED_START, "vms-share-at-start", VM, "vms", WARNS, \
	  "{0} need the same device ({1}), and start with the host: only the first gets it", \
	  "{2}") \
	X(VM_SHARED, "vms-share", VM, "vms", NOTES, \
	  "{0} need the same device ({1}): only one of them can run", "") \
	X(VM_GONE, "vm-device-gone", VM, "vms", WARNS, \
	  "{0}: no function is at {1}: the VM does not start", \
	  "correct the entry, or remove it: {2}") \
	X(VM_NOT_MADE, "vm-vf-not-made", VM, "vms", WARNS, \
	  "{0}: the next boot does not make {1}: the VM does not start", "{2}") \
	X(VM_NO_MAPPING, "vm-no-mapping", VM, "vms", WARNS, \
	  "{0}: this node has no mapping {1}: the VM does not start", \
	  "create it (Datacenter, Resource Mappings), or remove the entry: {2}") \
	X(VM_MAPPING_CHANGED, "vm-mapping-changed", VM, "vms", WARNS, \
	  "{0}: {1} of the mapping does not match the device: Proxmox VE refuses it, and the VM " \
	  "does not start", \
	  "if it is the right device, save the mapping again (Datacenter, Resource Mappings)") \
	X(VM_ENTRY_WRONG, "vm-entry-wrong", VM, "vms", WARNS, \
	  "{0}: {1} is not understood: it is not known what its start takes", "correct the entry, " \
	  "or remove it: {2}") \
	X(VM_ENTRY_TWICE, "vm-entry-twice", VM, "vms", WARNS, \
	  "{0} names {1} twice: the VM does not start", "name each function once") \
	X(VM_KEY_TWICE, "vm-key-twice", VM, "vms", WARNS, \
	  "{0} sets {1} twice: Proxmox VE ignores the entry, and the VM starts without the device", \
	  "write {1} once, or take the entry out: {2}") \
	X(VM_PROPERTY, "vm-entry-property", VM, "vms", WARNS, \
	  "{0}: Proxmox VE does not understand {1}= as it is there, and ignores the entry: the VM " \
	  "starts without the device", \
	  "correct it, or take the entry out: {2}") \
	X(VM_ENTRY_NUMBER, "vm-entry-number", VM, "vms", WARNS, \
	  "{0}: Proxmox VE knows only hostpci0 to hostpci15, and ignores this entry: the VM starts " \
	  "without the device", \
	  "give it a free number in /etc/pve/qemu-server/{3}.conf") \
	X(VM_ENTRY_BOTH, "vm-entry-both", VM, "vms", WARNS, \
	  "{0} has an address and a mapping: the VM does not start", "take one of them out") \
	X(VM_MDEV_MANY, "vm-mdev-functions", VM, "vms", WARNS, \
	  "{0}: a mediated device is of one function, and the entry names several: the VM does not start", \
	  "name the one that offers {1} (vfio-early vgpu)") \
	X(VM_BRIDGE, "vm-bridge", VM, "vms", WARNS, \
	  "{0}: {1} is a bridge, which no VM can have: the VM does not start", \
	  "name what is behind it, or remove the entry: {2}") \
	X(VM_NEEDS_Q35, "vm-needs-pcie", VM, "vms", WARNS, \
	  "{0}: {1}=1 needs the machine q35: the VM does not start", \
	  "remove {1}=1 from the entry; for a new guest: qm set {3} --machine q35") \
	X(VM_LEGACY_IGD, "vm-legacy-igd", VM, "vms", WARNS, \
	  "{0}: legacy-igd=1 does not go with {1}: the VM does not start", \
	  "change one of the two; vfio-early vm {3} ADDRESS prints what goes together") \
	X(VM_MDEV_LOST, "vm-mdev-lost", VM, "vms", WARNS, \
	  "{0} has a mediated device of {1}, which the next boot {2}: then it has none", \
	  "{3}, or remove mdev= from the entry") \
	X(CONTAINER_LOSES, "container-loses", VM, "vms", WARNS, \
	  "{0} uses {1}, which belongs to {2}: the next boot takes it away", \
	  "remove it from the container, or {3}") \
	\
	/* What a bound function costs, and what a VM will see of it. */ \
	X(FORCED, "forced", DEVICE, "device", WARNS, \
	  "{0} (protect), overridden by bind!: this host may not come up without it", \
	  "take it out of the config, unless this host can do without it") \
	X(TWIN, "twin-of-protected", DEVICE, "device", WARNS, \
	  "the same model as {0}, which this host needs ({1}): if the two swap slots, the boot " \
	  "may take the host's", \
	  "leave both in their slots; run vfio-early check after a hardware change") \
	X(DISK, "disk-in-use", DEVICE, "device", WARNS, \
	  "{0}: the host loses this at the next boot", \
	  "unmount it, export the pool or deactivate the volume first, and keep it from starting " \
	  "at boot") \
	X(ADDRESS, "address-in-use", DEVICE, "device", WARNS, \
	  "{0}: the host loses this address at the next boot", \
	  "give the address to another interface, or have another way in") \
	X(SCREEN, "screen", DEVICE, "device", WARNS, \
	  "shows the console: the screen goes dark at the next boot, the boot goes on", \
	  "have another way in (SSH, serial), or set boot-vga keep") \
	X(SCREEN_OF_ALL, "screen-of-all", DEVICE, "device", WARNS, \
	  "kernel {0} removes the console of every card when a VGA function is bound: the screen " \
	  "goes dark at the next boot, the boot goes on", \
	  "have another way in (SSH, serial), or a kernel from 6.5 on") \
	X(FRAMEBUFFER, "framebuffer", DEVICE, "device", BLOCKS, \
	  "holds the boot framebuffer, which nothing but the kernel can release: no VM can use it", \
	  "vfio-early-cmdline add initcall_blacklist=sysfb_init, then reboot") \
	X(RESET_NONE, "no-reset", DEVICE, "device", WARNS, \
	  "no reset method: a second VM, or a second start, may find it unusable", \
	  "reboot the host between two uses") \
	X(RESET_MATE, "reset-with-host", DEVICE, "device", WARNS, \
	  "can be reset only with {0}, which stays with the host", "{1}") \
	X(RESET_BUS, "reset-with-bus", DEVICE, "device", NOTES, \
	  "can be reset only with everything else on its bus", "give all functions of the bus to one VM") \
	X(VARIANT, "variant-driver", DEVICE, "device", NOTES, \
	  "this kernel has a vfio driver of its own for it: {0}", \
	  "to migrate a VM with it, remove it from this config and bind it to that driver; else " \
	  "nothing") \
	X(VF_OF_BOUND, "vf-of-bound", DEVICE, "device", BLOCKS, \
	  "a virtual function of {0}, which is bound too and then makes none", \
	  "bind only one of the two") \
	X(VF_OF_NVIDIA, "vf-of-nvidia", DEVICE, "device", BLOCKS, \
	  "the driver nvidia makes a vGPU of this virtual function of {0}: on vfio-pci it is of no use", \
	  "remove its bind line; vfio-early vgpu lists its types and how a VM gets one") \
	X(VF_LATE, "vf-late", DEVICE, "device", NOTES, \
	  "a virtual function of {0}: bound when that one's driver makes it, after the early boot", \
	  "") \
	X(VFS_LOST, "vfs-lost", DEVICE, "device", WARNS, \
	  "has {0} virtual functions now; on vfio-pci it has none", \
	  "bind the virtual functions instead, if it is they that the VMs are to get") \
	\
	/* Old recipes. All others have their words in recipes.c. */ \
	X(NO_VIRQFD, "virqfd-gone", RECIPE, "virqfd", WARNS, \
	  "vfio_virqfd is named, which kernel {0} does not have (it is part of vfio since 6.2)", \
	  "remove that line") \
	\
	/* What this boot made of set lines; the function is bound all the same. */ \
	X(SET_NOT_THERE, "set-not-offered", BOOT, "boot", BLOCKS, \
	  "this boot did not set its {0}: what was asked for is not offered; it had: {1}", \
	  "correct its set line, then " FIX_APPLY ", then reboot") \
	X(SET_FAILED, "set-failed", BOOT, "boot", BLOCKS, \
	  "this boot could not set its {0}; it had: {1}", "vfio-early log says more") \
	\
	/* The boot loader. */ \
	X(LOADER_OK, "loader-ok", BOOT, "boot-loader", OK, "{0}", "") \
	X(LOADER_UNKNOWN, "loader-unknown", BOOT, "boot-loader", WARNS, \
	  "no supported boot loader found ({0}): edit the kernel command line yourself", \
	  "vfio-early-cmdline show says what is missing; once it is there: vfio-early-cmdline " \
	  "refresh --by-hand") \
	X(LOADER_BY_HAND, "loader-by-hand", BOOT, "boot-loader", OK, \
	  "no supported boot loader found ({0}), and updated by hand", "") \
	X(LOADER_TWO, "loader-two", BOOT, "boot-loader", WARNS, "{0}", "{1}") \
	X(LOADER_NO_ESP, "loader-no-esp", BOOT, "boot-loader", WARNS, "{0}", \
	  "proxmox-boot-tool status, then proxmox-boot-tool init for the ESP that is there") \
	X(LOADER_NOT_TOLD, "loader-not-told", BOOT, "boot-loader", UNKNOWN, \
	  "vfio-early-cmdline does not say which boot loader this is", "vfio-early-cmdline show") \
	X(TOLD_OFF, "told-off", MACHINE, "boot-loader", IDLE, \
	  "vfio_early=off: this boot was told to bind nothing", \
	  "{0}") \
	X(TOLD_DRY_RUN, "told-dry-run", MACHINE, "boot-loader", IDLE, \
	  "vfio_early=dry-run: this boot was told to bind nothing", \
	  "{0}") \
	X(TOLD_UNKNOWN, "told-unknown", MACHINE, "boot-loader", IDLE, \
	  "{0}: this boot does not know that value, and binds nothing", \
	  "{1}") \
	X(PARAMETER_MISSING, "parameter-missing", BOOT, "boot-loader", BLOCKS, \
	  "this kernel was booted without {0}", FIX_REBOOT) \
	\
	/* What the boot loader boots next. */ \
	X(NEXT_KERNEL, "next-kernel", BOOT, "kernel", OK, \
	  "the next boot uses {0} ({1}), this boot {2}", "") \
	X(NEXT_OTHER, "next-other-system", BOOT, "boot-loader", WARNS, \
	  "the entry that boots next ({0}) is another system's, or a unified kernel image", "") \
	X(NEXT_OFF, "next-off", MACHINE, "boot-loader", IDLE, "{0}: the next boot binds nothing", \
	  "remove it from {1}, then vfio-early-cmdline refresh") \
	X(NEXT_OFF_ADDED, "next-off-added", MACHINE, "boot-loader", IDLE, \
	  "{0}: the next boot binds nothing", "vfio-early-cmdline remove {0}") \
	X(NEXT_IOMMU_OFF, "next-iommu-off", MACHINE, "boot-loader", BLOCKS, \
	  "{0} turns the IOMMU off at the next boot", \
	  "remove it from {1}, then vfio-early-cmdline refresh") \
	X(NEXT_IOMMU_OFF_ADDED, "next-iommu-off-added", MACHINE, "boot-loader", BLOCKS, \
	  "{0} turns the IOMMU off at the next boot", "vfio-early-cmdline remove {0}") \
	X(NEXT_IOMMU_LATER, "next-iommu-off-later", MACHINE, "boot-loader", WARNS, \
	  "{0} takes the IOMMU from devices once the boot loader's entries are written " \
	  "again", \
	  "remove it from {1}") \
	X(NEXT_GPU_OFF, "next-igpu-off", MACHINE, "boot-loader", BLOCKS, \
	  "{0} leaves the integrated GPU out of the IOMMU at the next boot: no VM can have it", \
	  "write intel_iommu=on instead of it into {1}, then vfio-early-cmdline refresh") \
	X(NEXT_GPU_OFF_ADDED, "next-igpu-off-added", MACHINE, "boot-loader", BLOCKS, \
	  "{0} leaves the integrated GPU out of the IOMMU at the next boot: no VM can have it", \
	  "vfio-early-cmdline remove {0}, then vfio-early-cmdline add intel_iommu=on") \
	X(NEXT_IOMMU_MISSING, "next-iommu-missing", MACHINE, "boot-loader", BLOCKS, \
	  "the next boot lacks {0}, which this boot has: its kernel may leave the IOMMU off", \
	  "vfio-early-cmdline add {0}") \
	\
	/* The images. What is wrong in one has codes of its own: see image/inspect.h. */ \
	X(IMAGE_OK, "image-ok", IMAGE, "image", OK, "{0}", "") \
	X(IMAGE_MISSING, "image-missing", IMAGE, "image", BLOCKS, "no image: /{0} does not exist", \
	  FIX_IMAGES) \
	X(IMAGE_OLD, "image-old", IMAGE, "image", BLOCKS, "/{0} is older than the config", \
	  FIX_IMAGES) \
	X(IMAGE_UNREADABLE, "image-unreadable", IMAGE, "image", UNKNOWN, \
	  "you cannot read /{0}; it is newer than the config", "run it as root") \
	X(IMAGE_DAMAGED, "image-damaged", IMAGE, "image", BLOCKS, "/{0} is damaged: {1}", \
	  FIX_IMAGES) \
	X(IMAGE_UNSUPPORTED, "image-unsupported", IMAGE, "image", BLOCKS, "/{0} is {1}", \
	  "COMPRESS=zstd in /etc/initramfs-tools/initramfs.conf, or compress=\"zstd\" in " \
	  "/etc/dracut.conf, then " FIX_IMAGES) \
	X(BOOT_UNREADABLE, "boot-folder-unreadable", IMAGE, "image", UNKNOWN, "/boot: {0}", \
	  "run it as root") \
	X(NO_BOOT_KERNEL, "no-image", IMAGE, "image", UNKNOWN, \
	  "no kernel in /boot: its image cannot be found", "mount /boot, or install a kernel") \
	\
	/* This boot. */ \
	X(BOOT_OK, "boot-ok", BOOT, "boot", OK, "all as configured", "") \
	X(BOOT_NONE, "boot-none", BOOT, "boot", BLOCKS, \
	  "vfio-early did not run at this boot", FIX_REBOOT) \
	X(BOOT_UNKNOWN, "boot-unreadable", BOOT, "boot", UNKNOWN, "/{0}: {1}", "run it as root") \
	X(BOOT_NO_FILE, "boot-no-file", BOOT, "boot", BLOCKS, "/{0} is not a regular file", \
	  "move it away, then reboot") \
	X(BOOT_OLD, "boot-old", BOOT, "boot", BLOCKS, \
	  "the config was changed since this boot", FIX_REBOOT) \
	X(BOOT_UNAWARE, "boot-unaware", BOOT, "boot", BLOCKS, "this boot did not know of it", \
	  FIX_REBOOT) \
	X(DEVICE_OK, "device-ok", BOOT, "device", OK, "on {0}", "") \
	X(VFS_MADE, "vfs-made", BOOT, "vfs", OK, "{0}", "") \
	X(VFS_THERE, "vfs-there", BOOT, "vfs", WARNS, "{0}", "let one of the two make them") \
	X(DEVICE_GONE, "device-gone", BOOT, "device", BLOCKS, "it was bound, but is gone now", \
	  "echo 1 > /sys/bus/pci/rescan, or reboot") \
	X(REATTACHED, "reattached", BOOT, "device", WARNS, \
	  "given back to this host by vfio-early reattach: {0}", "vfio-early detach {1}") \
	X(DEVICE_REBOUND, "device-rebound", BOOT, "device", BLOCKS, \
	  "something has rebound it since the boot: it was on {0}, now {1}", \
	  "find out what did it (virsh, driverctl, a hook script of a VM); a reboot undoes it") \
	\
	/* A trial boot. */ \
	X(TRIAL_PENDING, "trial-pending", BOOT, "trial", WARNS, \
	  "the next boot is a trial: unless it is confirmed within {0} min, the last good state is put " \
	  "back", \
	  "reboot, then vfio-early confirm") \
	X(TRIAL_UNCONFIRMED, "trial-unconfirmed", BOOT, "trial", BLOCKS, \
	  "this boot is a trial: in {0} the last good state is put back, and this host reboots", \
	  "{1}") \
	X(TRIAL_MISSED, "trial-missed", BOOT, "trial", BLOCKS, \
	  "a trial was not confirmed, and nothing has put the last good state back: " \
	  "vfio-early-trial.service did not run at this boot", \
	  COMMAND_APPLY ", which keeps what was tried, or vfio-early undo") \
	X(TRIAL_RESTORING, "trial-restoring", BOOT, "trial", BLOCKS, \
	  "the trial was not confirmed: the last good state is being put back", \
	  "wait for the reboot; journalctl -u vfio-early-trial says more") \
	X(TRIAL_FAILED, "trial-failed", BOOT, "trial", BLOCKS, \
	  "the trial was not confirmed, and the last good state could not be put back", \
	  "journalctl -u vfio-early-trial says why; mend that, then " COMMAND_APPLY " or vfio-early undo") \
	X(TRIAL_RESTORED, "trial-restored", BOOT, "trial", WARNS, \
	  "the trial was not confirmed: the last good state is back; what was tried is {0}/{1}", \
	  COMMAND_APPLY " or vfio-early undo clears this message") \
	X(TRIAL_EXPIRED, "trial-expired", BOOT, "trial", WARNS, \
	  "the trial boot came more than 24 hours after apply --try: it is not watched", \
	  COMMAND_APPLY " if it is good, else vfio-early undo")
/* clang-format on */

enum finding_code {
#define FINDING_ENUM(name, code, stage, topic, level, text, fix) FINDING_##name,
	FINDING_LIST(FINDING_ENUM)
#undef FINDING_ENUM
	FINDING_CODES
};

#endif
