/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every path that the boot half touches, named once. All are relative to the root directory's
 * descriptor (rootfd): "/" at boot, a recorded machine's tree with -r.
 */
#ifndef VFIO_EARLY_PATHS_H
#define VFIO_EARLY_PATHS_H

#define PATH_CMDLINE	"proc/cmdline"
#define PATH_INTERRUPTS "proc/interrupts"
#define PATH_IOMEM	"proc/iomem"
#define PATH_KMSG	"dev/kmsg"
#define PATH_RELEASE	"proc/sys/kernel/osrelease"
#define PATH_VMCORE	"proc/vmcore"

#define PATH_PLAN	"usr/lib/vfio-early/plan"
#define PATH_RUN	"run/vfio-early"
#define PATH_RUN_LOG	PATH_RUN "/log"
#define PATH_RUN_REPORT PATH_RUN "/report"
#define PATH_RUN_LOCK	PATH_RUN "/lock"
#define PATH_RUN_PLAN	PATH_RUN "/plan"
#define PATH_RUN_TASKS \
	PATH_RUN "/vfs" /* exists if the plan has vfs lines, which the host carries out */

#define PATH_PCI_DEVICES  "sys/bus/pci/devices"
#define PATH_PCI_PROBE	  "sys/bus/pci/drivers_probe"
#define PATH_VFIO_DRIVER  "sys/bus/pci/drivers/vfio-pci"
#define PATH_EFIFB_UNBIND "sys/bus/platform/drivers/efi-framebuffer/unbind"
#define PATH_IOMMU_CLASS  "sys/class/iommu"
#define PATH_IOMMU_GROUPS "sys/kernel/iommu_groups"
#define PATH_ACPI_TABLES  "sys/firmware/acpi/tables"
#define PATH_BOARD_MODEL  "sys/firmware/devicetree/base/model"
#define PATH_NOIOMMU	  "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

/* Not relative: given to execve() when the kernel cannot unpack a module itself. */
#define PATH_MODPROBE "/sbin/modprobe"

#endif
