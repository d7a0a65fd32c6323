// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a user must know about some devices before a VM gets them; see guest.h. Each row has a range
 * of device IDs and a class; each family has its source, and the versions for which it is true. All
 * in one table, so that a wrong or outdated text is one line.
 */
#include <stddef.h>

#include "commands/guest.h"

enum family {
	TESLA,
	FERMI,
	KEPLER,
	KEPLER_GRID,
	MAXWELL,
	TESLA_P40,
	AMD_QEMU_RESET,
	AMD_RESET_BUG,
	AMD_BUS_RESET,
	AMD_NAVI23,
	AMD_RDNA4,
	AMD_APU,
	INTEL_GVT,
	INTEL_GEMINI,
	INTEL_GEN11,
	INTEL_ROCKET,
	INTEL_GEN12,
	INTEL_METEOR,
	INTEL_LUNAR,
	INTEL_PANTHER,
	ARC,
	BATTLEMAGE,
	HBA,
	USB_FIRMWARE,
	NO_FLR,
	NO_FLR_AHCI,
	NO_FLR_WIFI,
	NVME_FLR,
	NVME_FLR_P4500,
	NVME_FLR_950,
	NVME_FLR_P44,
	NVME_MSIX,
};

/* The last branch of NVIDIA's driver for a family; 0 for all others. */
static const struct {
	struct guest_hint hint;
	unsigned int last_driver;
} families[] = {
	/*
	 * The last branch for a device ID: https://github.com/NVIDIA/nvidia-installer, nvGpus.h,
	 * LegacyList and LegacyStrings of 590.48.01.
	 */
	[TESLA] = { { "Tesla",
		      "use nouveau in the guest, or NVIDIA 340.108 and kernel 5.4 LTS: branch 340 is the "
		      "last for this family" },
		    340 },
	[FERMI] = { { "Fermi",
		      "use NVIDIA 390.157 and kernel 6.1 LTS in the guest, or nouveau: branch 390 is "
		      "the last for Fermi, and its last release is not adapted to later kernels" },
		    390 },
	[KEPLER] = { { "Kepler",
		       "use NVIDIA 470.256.02 and kernel 6.6 LTS in the guest: branch 470 is the last for "
		       "Kepler, and its last release is not adapted to later kernels" },
		     470 },
	[KEPLER_GRID] = { { "GRID K1, K2 or K340",
			    "use NVIDIA 367 in the guest, on a kernel of its time (4.4 LTS): branch 367 is the "
			    "last for this card" },
			  367 },
	/* The same table; README of NVIDIA's open modules: "Turing or later" */
	[MAXWELL] = { { "Maxwell, Pascal or Volta",
			"use NVIDIA's closed module, branch 580 or older, in the guest: the open one "
			"knows Turing and later only, and 580 is the last branch for this family" },
		      580 },
	/* https://euno.news/posts/en/gpu-d3cold-power-states-how-to-brick-your-card-wit-4e2d33 */
	[TESLA_P40] = { { "Tesla P40",
			  "it does not come back from D3cold when a VM is stopped: keep its power on",
			  "d3cold=off" } },
	/* QEMU hw/vfio/pci-quirks.c, vfio_radeon_reset(), since 2.3 */
	[AMD_QEMU_RESET] = { { "Bonaire or Hawaii",
			       "QEMU 2.3 and later resets it by itself; if it hangs all the same, reboot "
			       "the host" } },
	/* https://github.com/gnif/vendor-reset, README; sysfs-bus-pci, reset_method (5.15) */
	[AMD_RESET_BUG] = { { "known not to reset",
			      "the card may not come back when the guest is stopped: install the module "
			      "vendor-reset and write device_specific to its reset_method (kernel 5.15 and "
			      "later), or reboot the host" } },
	/* The kernel resets them with their bus: drivers/pci/pci.c, pci_parent_bus_reset() */
	[AMD_BUS_RESET] = { { "RDNA 2 or later",
			      "it is reset with its bus: give the VM all functions of the card, and no "
			      "vendor-reset, which does not know it" } },
	/* https://github.com/gnif/vendor-reset, src/device-db.h */
	[AMD_NAVI23] = { { "Navi 23",
			   "it is reset with its bus: give the VM all functions of the card; if that does "
			   "not bring it back, a recent vendor-reset knows it (kernel 5.15 and later: write "
			   "device_specific to its reset_method)" } },
	/*
	 * https://github.com/mroboff/vm-curator/pull/63: disable_idle_d3=1 helps. It keeps every
	 * function of vfio-pci awake (drivers/vfio/pci/vfio_pci_core.c); power/control "on" does so
	 * for one function.
	 */
	[AMD_RDNA4] = { { "RDNA 4",
			  "while no VM has it, it may fall asleep and not wake up (\"Unable to change power "
			  "state from D3cold to D0\"): keep it awake",
			  "power=on" } },
	/* https://github.com/inga-lovinde/RadeonResetBugFix */
	[AMD_APU] = { { "GPU of an APU",
			"it does not come back when the guest is stopped: let a Windows guest switch it off "
			"first (RadeonResetBugFix), a Linux guest unbind amdgpu (kernel 6.1 and later), or "
			"reboot the host" } },
	/* drivers/gpu/drm/i915/gvt (Broadwell to Comet Lake); QEMU hw/vfio/igd.c, igd_gen() */
	[INTEL_GVT] = { { "Intel, generation 6 to 9",
			  "whole: i440fx, legacy-igd=1 and vga none. Shared, from Broadwell to Comet Lake: "
			  "i915.enable_gvt=1 on the host, then --mdev TYPE" } },
	/* QEMU 10.0, hw/vfio/igd.c, igd_gen(): 0x3100; no IS_GEMINILAKE() in i915's intel_gvt.c */
	[INTEL_GEMINI] = { { "Intel, Gemini Lake",
			     "whole: i440fx, legacy-igd=1 and vga none, with QEMU 10.0 or later; there is no "
			     "GVT-g" } },
	[INTEL_GEN11] = { { "Intel, generation 11",
			    "q35 with a GOP ROM and x-igd-opregion=on; QEMU before 10.0 has no legacy mode "
			    "for it, and there is no GVT-g" } },
	/* QEMU 10.0, igd_gen(): 0x4c00; Intel has SR-IOV in Tiger Lake and from Alder Lake on */
	[INTEL_ROCKET] = { { "Intel, Rocket Lake",
			     "whole: q35 with a GOP ROM and x-igd-opregion=on; legacy mode only from QEMU 10.0 "
			     "on. It cannot be shared: there is neither GVT-g nor SR-IOV" } },
	/*
	 * https://github.com/strongtz/i915-sriov-dkms, README, "Required kernel": names a release
	 * for each
	 */
	[INTEL_GEN12] = { { "Intel, generation 12",
			    "whole: q35 with a GOP ROM and x-igd-opregion=on; legacy mode only from QEMU 10.0 "
			    "on. Shared: up to 7 virtual functions with the module i915-sriov-dkms (kernel "
			    "6.8 and later, in the release for that kernel) on host and guest" } },
	/*
	 * include/drm/intel/pciids.h, INTEL_MTL_IDS, INTEL_ARL_IDS: the last of them (b640) came
	 * with 6.13
	 */
	[INTEL_METEOR] = { { "Intel, Meteor Lake or Arrow Lake",
			     "q35 with a GOP ROM and x-igd-opregion=on; a Linux guest needs i915 of kernel 6.7 "
			     "or later; from 6.13 on it knows all of Arrow Lake" } },
	/*
	 * drivers/gpu/drm/xe/xe_pci.c, lnl_desc: without force_probe since 6.12; has_sriov is not
	 * set
	 */
	[INTEL_LUNAR] = { { "Intel, Lunar Lake",
			    "q35 with a GOP ROM and x-igd-opregion=on; a Linux guest needs xe of kernel 6.12 or "
			    "later" } },
	/* The same, ptl_desc: has_sriov; without force_probe since 6.18 */
	[INTEL_PANTHER] = { { "Intel, Panther Lake or Wildcat Lake",
			      "whole: q35 with a GOP ROM and x-igd-opregion=on. Shared: its virtual functions. "
			      "Host and guest need xe of kernel 6.18 or later" } },
	/*
	 * drivers/gpu/drm/i915/intel_memory_region.c, i915_resize_lmem_bar(); Intel's Quick Start
	 * for Arc
	 */
	[ARC] = { { "Arc",
		    "switch on Above 4G decoding and Resizable BAR in the host's firmware: a VM sees the size "
		    "that the host has set, and cannot change it; the guest needs kernel 6.2 or later" } },
	/*
	 * drivers/gpu/drm/xe/xe_pci.c, bmg_desc: without force_probe since 6.12, has_sriov since
	 * 6.18
	 */
	[BATTLEMAGE] = { { "Arc, Battlemage",
			   "switch on Above 4G decoding and Resizable BAR in the host's firmware: a VM sees the "
			   "size that the host has set, and cannot change it; a Linux guest needs kernel 6.12 or "
			   "later. Shared: virtual functions, where the card has them, from kernel 6.18 on" } },
	/*
	 * drivers/scsi/mpt3sas/mpt3sas_scsih.c, mpt3sas_pci_table; its option ROM runs in the guest
	 */
	[HBA] = { { "SAS host adapter",
		    "with IT firmware; --rombar 0 spares the guest its boot ROM, which can take minutes; the "
		    "guest needs mpt3sas (kernel 4.4 and later)" } },
	/* drivers/usb/host/xhci-pci-renesas.c, since 5.8 */
	[USB_FIRMWARE] = { { "Renesas USB controller",
			     "without a ROM of its own it gets its firmware from the guest: the file "
			     "renesas_usb_fw.mem, and kernel 5.8 or later" } },
	/* drivers/pci/quirks.c, quirk_no_flr(), since 5.8 */
	[NO_FLR] = { { "hangs on a function reset",
		       "it offers FLR and hangs on it: the host needs kernel 5.8 or later, which leaves that "
		       "out" } },
	/* The same, "PCI: Avoid FLR for AMD FCH AHCI adapters" */
	[NO_FLR_AHCI] = { { "hangs on a function reset",
			    "it offers FLR and hangs on it: the host needs kernel 6.3 or later, which "
			    "leaves that out",
			    GUEST_NO_FLR } },
	/* The same, "PCI: Avoid FLR for Mediatek MT7922 WiFi" */
	[NO_FLR_WIFI] = { { "hangs on a function reset",
			    "it offers FLR and hangs on it: the host needs kernel 6.14 or later, which "
			    "leaves that out",
			    GUEST_NO_FLR } },
	/* drivers/pci/quirks.c, nvme_disable_and_flr(), delay_250ms_after_flr(), since 4.20 */
	[NVME_FLR] = { { "NVMe with a slow function reset",
			 "its FLR fails or takes longer than allowed: the host needs kernel 4.20 or later, "
			 "which waits for it" } },
	/* The same, "PCI: Delay after FLR of Intel DC P4510 NVMe" */
	[NVME_FLR_P4500] = { { "NVMe with a slow function reset",
			       "its FLR takes longer than allowed: the host needs kernel 5.13 or later, "
			       "which waits for it" } },
	/* The same, "PCI: Disable Samsung SM951/PM951 NVMe before FLR" */
	[NVME_FLR_950] = { { "NVMe with a slow function reset",
			     "its FLR fails while it is enabled: the host needs kernel 5.14 or later, "
			     "which switches it off before" } },
	/* The same, "PCI: Delay after FLR of Solidigm P44 Pro NVMe" */
	[NVME_FLR_P44] = { { "NVMe with a slow function reset",
			     "its FLR takes longer than allowed: the host needs kernel 6.5 or later, which "
			     "waits for it" } },
	/*
	 * https://bugzilla.kernel.org/show_bug.cgi?id=202055; QEMU, x-msix-relocation, since 2.12
	 */
	[NVME_MSIX] = { { "NVMe of Silicon Motion",
			  "if the guest does not see it: x-msix-relocation=bar2 for the device, by args (QEMU "
			  "2.12 and later)" } },
};

#define DISPLAY 0x03
#define STORAGE 0x01
#define USB	0x0c
#define ANY	0

/*
 * NVIDIA: nvGpus.h, as above, without the GPUs of chipsets. Intel: include/drm/intel/pciids.h of
 * Linux, which also has these names.
 */
static const struct {
	uint16_t vendor, from, to;
	uint8_t class; /* the first byte; ANY: any class */
	enum family family;
} rows[] = {
	{ 0x10de, 0x0190, 0x019f, DISPLAY, TESLA },	     /* G80 */
	{ 0x10de, 0x0400, 0x042f, DISPLAY, TESLA },	     /* G84, G86 */
	{ 0x10de, 0x05e0, 0x06bf, DISPLAY, TESLA },	     /* GT200, G92, G94, G96 */
	{ 0x10de, 0x06c0, 0x06df, DISPLAY, FERMI },	     /* GF100 */
	{ 0x10de, 0x06e0, 0x06ff, DISPLAY, TESLA },	     /* G98 */
	{ 0x10de, 0x0a20, 0x0a7f, DISPLAY, TESLA },	     /* GT216, GT218 */
	{ 0x10de, 0x0ca0, 0x0cbf, DISPLAY, TESLA },	     /* GT215 */
	{ 0x10de, 0x0dc0, 0x0e3b, DISPLAY, FERMI },	     /* GF104, GF106, GF108 */
	{ 0x10de, 0x0f00, 0x0f03, DISPLAY, FERMI },	     /* GF108 */
	{ 0x10de, 0x0fc0, 0x0fee, DISPLAY, KEPLER },	     /* GK107 */
	{ 0x10de, 0x0fef, 0x0ff2, DISPLAY, KEPLER_GRID },    /* GK107 */
	{ 0x10de, 0x0ff3, 0x0fff, DISPLAY, KEPLER },	     /* GK107 */
	{ 0x10de, 0x1000, 0x103f, DISPLAY, KEPLER },	     /* GK110, GK210 */
	{ 0x10de, 0x1040, 0x109f, DISPLAY, FERMI },	     /* GF119, GF110 */
	{ 0x10de, 0x10c0, 0x10df, DISPLAY, TESLA },	     /* G98, GT218 */
	{ 0x10de, 0x1140, 0x1140, DISPLAY, FERMI },	     /* GF117 */
	{ 0x10de, 0x1180, 0x11be, DISPLAY, KEPLER },	     /* GK104 */
	{ 0x10de, 0x11bf, 0x11bf, DISPLAY, KEPLER_GRID },    /* GK104 */
	{ 0x10de, 0x11c0, 0x11ff, DISPLAY, KEPLER },	     /* GK104, GK106 */
	{ 0x10de, 0x1200, 0x125f, DISPLAY, FERMI },	     /* GF114, GF116 */
	{ 0x10de, 0x1280, 0x12bf, DISPLAY, KEPLER },	     /* GK208 */
	{ 0x10de, 0x1340, 0x13ff, DISPLAY, MAXWELL },	     /* GM107, GM108, GM204 */
	{ 0x10de, 0x1401, 0x1436, DISPLAY, MAXWELL },	     /* GM206 */
	{ 0x10de, 0x15f0, 0x15ff, DISPLAY, MAXWELL },	     /* GP100 */
	{ 0x10de, 0x1617, 0x17ff, DISPLAY, MAXWELL },	     /* GM204, GM200 */
	{ 0x10de, 0x1b00, 0x1dff, DISPLAY, MAXWELL },	     /* GP102 to GP108, GV100 */
	{ 0x10de, 0x1b38, 0x1b38, DISPLAY, TESLA_P40 },	     /* GP102GL */
	{ 0x1002, 0x6640, 0x665f, DISPLAY, AMD_QEMU_RESET }, /* Bonaire */
	{ 0x1002, 0x67a0, 0x67bf, DISPLAY, AMD_QEMU_RESET }, /* Hawaii */
	{ 0x1002, 0x66a0, 0x66af, DISPLAY, AMD_RESET_BUG },  /* Vega 20 */
	{ 0x1002, 0x67c0, 0x67ff, DISPLAY, AMD_RESET_BUG },  /* Polaris 10, 11 */
	{ 0x1002, 0x6860, 0x687f, DISPLAY, AMD_RESET_BUG },  /* Vega 10 */
	{ 0x1002, 0x6fdf, 0x6fdf, DISPLAY, AMD_RESET_BUG },  /* Polaris 20 (RX 580 2048SP) */
	{ 0x1002, 0x6980, 0x699f, DISPLAY, AMD_RESET_BUG },  /* Polaris 12 */
	{ 0x1002, 0x7310, 0x731f, DISPLAY, AMD_RESET_BUG },  /* Navi 10 */
	{ 0x1002, 0x7340, 0x734f, DISPLAY, AMD_RESET_BUG },  /* Navi 14 */
	{ 0x1002, 0x7360, 0x7362, DISPLAY, AMD_RESET_BUG },  /* Navi 12 */
	{ 0x1002, 0x73a0, 0x73fe, DISPLAY, AMD_BUS_RESET },  /* Navi 21 to 23 */
	{ 0x1002, 0x73ff, 0x73ff, DISPLAY, AMD_NAVI23 },     /* Navi 23 */
	{ 0x1002, 0x7420, 0x743f, DISPLAY, AMD_BUS_RESET },  /* Navi 24 */
	{ 0x1002, 0x7440, 0x74ff, DISPLAY, AMD_BUS_RESET },  /* Navi 31 to 33 */
	{ 0x1002, 0x7550, 0x755f, DISPLAY, AMD_RDNA4 },	     /* Navi 48 */
	{ 0x1002, 0x7590, 0x759f, DISPLAY, AMD_RDNA4 },	     /* Navi 44 */
	{ 0x1002, 0x1506, 0x150f, DISPLAY, AMD_APU },	     /* Mendocino, Strix */
	{ 0x1002, 0x15bf, 0x15c8, DISPLAY, AMD_APU },	     /* Phoenix */
	{ 0x1002, 0x15d8, 0x15dd, DISPLAY, AMD_APU },	     /* Picasso, Raven */
	{ 0x1002, 0x15e7, 0x15e7, DISPLAY, AMD_APU },	     /* Barcelo */
	{ 0x1002, 0x1636, 0x164e, DISPLAY, AMD_APU },	     /* Renoir to Raphael */
	{ 0x1002, 0x1681, 0x1681, DISPLAY, AMD_APU },	     /* Rembrandt */
	{ 0x1002, 0x1900, 0x1901, DISPLAY, AMD_APU },	     /* Hawk Point */
	{ 0x8086, 0x0102, 0x0126, DISPLAY, INTEL_GVT },	     /* Sandy Bridge */
	{ 0x8086, 0x0152, 0x016a, DISPLAY, INTEL_GVT },	     /* Ivy Bridge */
	{ 0x8086, 0x0402, 0x042e, DISPLAY, INTEL_GVT },	     /* Haswell */
	{ 0x8086, 0x0a02, 0x0a2e, DISPLAY, INTEL_GVT },	     /* Haswell, ULT and ULX */
	{ 0x8086, 0x0d02, 0x0d2e, DISPLAY, INTEL_GVT },	     /* Haswell, CRW */
	{ 0x8086, 0x1602, 0x163e, DISPLAY, INTEL_GVT },	     /* Broadwell */
	{ 0x8086, 0x1902, 0x193d, DISPLAY, INTEL_GVT },	     /* Skylake */
	{ 0x8086, 0x3e90, 0x3ea9, DISPLAY, INTEL_GVT },	     /* Coffee Lake */
	{ 0x8086, 0x5902, 0x593b, DISPLAY, INTEL_GVT },	     /* Kaby Lake */
	{ 0x8086, 0x5a84, 0x5a85, DISPLAY, INTEL_GVT },	     /* Apollo Lake */
	{ 0x8086, 0x87c0, 0x87ca, DISPLAY, INTEL_GVT },	     /* Amber Lake */
	{ 0x8086, 0x9b21, 0x9bf6, DISPLAY, INTEL_GVT },	     /* Comet Lake */
	{ 0x8086, 0x3184, 0x3185, DISPLAY, INTEL_GEMINI },   /* Gemini Lake */
	{ 0x8086, 0x8a50, 0x8a71, DISPLAY, INTEL_GEN11 },    /* Ice Lake */
	{ 0x8086, 0x4500, 0x4571, DISPLAY, INTEL_GEN11 },    /* Elkhart Lake */
	{ 0x8086, 0x4e51, 0x4e71, DISPLAY, INTEL_GEN11 },    /* Jasper Lake */
	{ 0x8086, 0x4c80, 0x4c9a, DISPLAY, INTEL_ROCKET },   /* Rocket Lake */
	{ 0x8086, 0x4626, 0x462a, DISPLAY, INTEL_GEN12 },    /* Alder Lake P */
	{ 0x8086, 0x4680, 0x46d4, DISPLAY, INTEL_GEN12 },    /* Alder Lake S, P, N */
	{ 0x8086, 0x9a40, 0x9af8, DISPLAY, INTEL_GEN12 },    /* Tiger Lake */
	{ 0x8086, 0xa720, 0xa7ad, DISPLAY, INTEL_GEN12 },    /* Raptor Lake S, P, U */
	{ 0x8086, 0x7d40, 0x7dd5, DISPLAY, INTEL_METEOR },   /* Meteor Lake, Arrow Lake H, U, S */
	{ 0x8086, 0xb640, 0xb640, DISPLAY, INTEL_METEOR },   /* Arrow Lake S */
	{ 0x8086, 0x6420, 0x64b0, DISPLAY, INTEL_LUNAR },    /* Lunar Lake */
	{ 0x8086, 0xb080, 0xb0b0, DISPLAY, INTEL_PANTHER },  /* Panther Lake */
	{ 0x8086, 0xfd80, 0xfd81, DISPLAY, INTEL_PANTHER },  /* Wildcat Lake */
	{ 0x8086, 0x5690, 0x56c2, DISPLAY, ARC },	     /* Alchemist */
	{ 0x8086, 0xe202, 0xe223, DISPLAY, BATTLEMAGE },     /* Battlemage */
	{ 0x1000, 0x0064, 0x0087, STORAGE, HBA },	     /* SAS2008 to SAS2308 */
	{ 0x1000, 0x0090, 0x0097, STORAGE, HBA },	     /* SAS3004 to SAS3108 */
	{ 0x1000, 0x00aa, 0x00d3, STORAGE, HBA },	     /* SAS34xx to SAS36xx */
	{ 0x1912, 0x0014, 0x0015, USB, USB_FIRMWARE },	     /* uPD720201, uPD720202 */
	{ 0x1022, 0x1487, 0x1487, ANY, NO_FLR },	     /* Starship/Matisse HD audio */
	{ 0x1022, 0x148c, 0x148c, ANY, NO_FLR },	     /* Starship USB */
	{ 0x1022, 0x149c, 0x149c, ANY, NO_FLR },	     /* Matisse USB */
	{ 0x1022, 0x7901, 0x7901, ANY, NO_FLR_AHCI },	     /* FCH SATA */
	{ 0x14c3, 0x0616, 0x0616, ANY, NO_FLR_WIFI },	     /* MT7922 */
	{ 0x8086, 0x1502, 0x1503, ANY, NO_FLR },	     /* 82579 */
	{ 0x144d, 0xa804, 0xa804, STORAGE, NVME_FLR },	     /* SM961, PM961 */
	{ 0x8086, 0x0953, 0x0953, STORAGE, NVME_FLR },	     /* P3600, P3700 */
	{ 0x8086, 0x0a54, 0x0a54, STORAGE, NVME_FLR_P4500 }, /* P4500, P4600 */
	{ 0x144d, 0xa802, 0xa802, STORAGE, NVME_FLR_950 },   /* 950 PRO */
	{ 0x025e, 0xf1ac, 0xf1ac, STORAGE, NVME_FLR_P44 },   /* P44 Pro */
	{ 0x126f, 0x2262, 0x2263, STORAGE, NVME_MSIX },	     /* SM2262, SM2263 */
	{ 0x8086, 0xf1a6, 0xf1a6, STORAGE, NVME_MSIX },	     /* 760p */
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static bool matches(const struct pci_function *fn, size_t at)
{
	return fn->id.vendor == rows[at].vendor && fn->id.device >= rows[at].from &&
	       fn->id.device <= rows[at].to &&
	       (rows[at].class == ANY || fn->class >> 16 == rows[at].class);
}

static const struct guest_hint *find(const struct pci_function *fn, size_t from)
{
	for (size_t i = from; i < N_ROWS; i++)
		if (matches(fn, i))
			return &families[rows[i].family].hint;
	return NULL;
}

const struct guest_hint *guest_hints(const struct pci_function *fn)
{
	return find(fn, 0);
}

const struct guest_hint *guest_next(const struct pci_function *fn, const struct guest_hint *hint)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (matches(fn, i) && &families[rows[i].family].hint == hint)
			return find(fn, i + 1);
	return NULL;
}

unsigned int guest_last_driver(const struct pci_function *fn)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (matches(fn, i))
			return families[rows[i].family].last_driver;
	return 0;
}
