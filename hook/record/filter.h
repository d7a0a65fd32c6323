/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a file goes into a record: the fields that a reader of ours looks at, and placeholders in them.
 * All else is left out; lines keep their numbers where a finding names them. Text in, text out.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_FILTER_H
#define VFIO_EARLY_HOOK_RECORD_FILTER_H

#include <stddef.h>
#include <stdio.h>

#include "record/redact.h"

enum filter {
	FILTER_NOTHING,	   /* that it is there */
	FILTER_TEXT,	   /* all of it, with placeholders */
	FILTER_NUMBERS,	   /* all of it as it is: nothing but numbers and words of the kernel */
	FILTER_SECRET,	   /* a placeholder alone */
	FILTER_HOSTNAME,   /* the first label, as a host's name */
	FILTER_CONFIG,	   /* ours and modprobe's: without comments */
	FILTER_CMDLINE,	   /* every parameter's name; the values of those that are listed */
	FILTER_MOUNTINFO,  /* without the options that no reader knows */
	FILTER_FSTAB,	   /* the same */
	FILTER_CRYPTTAB,   /* the same */
	FILTER_UDEV,	   /* of a disk: file system, label, UUID, partition, links */
	FILTER_CPUINFO,	   /* whether the processor has virtualisation */
	FILTER_INTERRUPTS, /* the first line of remapped interrupts */
	FILTER_VM,	   /* hostpciN, usbN, onboot, template */
	FILTER_CONTAINER,  /* devN, lxc.mount.entry, lxc.cgroup*.devices, onboot */
	FILTER_MAPPING,	   /* a mapping's name and maps */
	FILTER_FACTS,	   /* ours, with its digest made again */
	FILTER_UTF16,	   /* an EFI variable */
	FILTER_KCONFIG,	   /* CONFIG_INTEL_IOMMU_DEFAULT_ON */
	FILTER_OWNER,	   /* whether a package's list has update-initramfs */
};

/* filter_text - what is to be recorded of @text, written to @out. Sets redact->err without memory. */
void filter_text(enum filter filter, struct redact *redact, const char *text, size_t size,
		 FILE *out);

/* filter_parameter - one parameter of the kernel, with its quotes. */
void filter_parameter(struct redact *redact, const char *token, size_t len, FILE *out);

#endif
