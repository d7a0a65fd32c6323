/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What udev's database has of each block device: run/udev/data/bMAJ:MIN, which any user may read
 * (systemd, src/libsystemd/sd-device, device_update_db()).
 */
#ifndef VFIO_EARLY_HOOK_PROTECT_UDEV_H
#define VFIO_EARLY_HOOK_PROTECT_UDEV_H

#include <stdbool.h>

#include "protect/graph.h"
#include "util/stringset.h"

/* What of a block device's properties is kept. */
enum udev_key {
	UDEV_FS_TYPE,
	UDEV_FS_UUID,
	UDEV_FS_LABEL,
	UDEV_FS_LABEL_ENC,
	UDEV_FS_AMBIVALENT,
	UDEV_PART_UUID,
	UDEV_PART_NAME,
	UDEV_PART_TYPE,
	UDEV_KEYS
};

/* What udev knows of one block device. */
struct udev_record {
	char *devno; /* "8:1" */
	char *value[UDEV_KEYS];
	struct stringset links; /* below /dev */
};

/* udev_read - fill in graph->record. No database is no error: then there are none. */
void udev_read(struct graph *graph);

/* udev_clear - free what udev_read() filled in. */
void udev_clear(struct graph *graph);

/* udev_find - the record of a device number, "8:1", or NULL. */
const struct udev_record *udev_find(const struct graph *graph, const char *devno);

/* udev_is - has the device that property with that value, in whatever case? */
bool udev_is(const struct udev_record *record, enum udev_key key, const char *value);

/*
 * udev_has_tag - does a device carry the tag of an fstab entry?
 * @tag: "UUID", "PARTUUID" (both compared in whatever case), "LABEL" or "PARTLABEL"
 */
bool udev_has_tag(const struct udev_record *record, const char *tag, const char *value);

#endif
