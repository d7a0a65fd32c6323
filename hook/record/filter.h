/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which parts of a file go into a record: the fields that our readers use, with placeholders.
 * Everything else is left out; lines keep their numbers if a finding names them. Text in, text out.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_FILTER_H
#define VFIO_EARLY_HOOK_RECORD_FILTER_H

#include <stddef.h>
#include <stdio.h>

#include "record/redact.h"

enum filter {
	FILTER_NOTHING,	   /* only that the file exists */
	FILTER_TEXT,	   /* all of it, with placeholders */
	FILTER_NUMBERS,	   /* all of it, unchanged: only numbers and words of the kernel */
	FILTER_SECRET,	   /* only a placeholder */
	FILTER_HOSTNAME,   /* the first label, as the name of a host */
	FILTER_CONFIG,	   /* our config, modprobe.d and the like: without comments */
	FILTER_CMDLINE,	   /* the names of all parameters; values only of listed ones */
	FILTER_MOUNTINFO,  /* without options that our readers do not use */
	FILTER_FSTAB,	   /* the same */
	FILTER_CRYPTTAB,   /* the same */
	FILTER_UDEV,	   /* for a disk: file system, label, UUID, partition, links */
	FILTER_CPUINFO,	   /* whether the processor has virtualisation */
	FILTER_INTERRUPTS, /* the first line of remapped interrupts */
	FILTER_VM,	   /* hostpciN, usbN, onboot, template */
	FILTER_CONTAINER,  /* devN, lxc.mount.entry, lxc.cgroup*.devices, onboot */
	FILTER_MAPPING,	   /* a mapping's name and maps */
	FILTER_FACTS,	   /* our facts, with a new digest */
	FILTER_UTF16,	   /* an EFI variable */
	FILTER_KCONFIG,	   /* CONFIG_INTEL_IOMMU_DEFAULT_ON */
	FILTER_OWNER,	   /* whether the list of a package has update-initramfs */
};

/*
 * filter_text - write the parts of @text that are to be recorded to @out. Sets redact->err without
 * memory.
 */
void filter_text(enum filter filter, struct redact *redact, const char *text, size_t size,
		 FILE *out);

/* filter_parameter - write one kernel parameter, with its quotes, to @out. */
void filter_parameter(struct redact *redact, const char *token, size_t len, FILE *out);

#endif
