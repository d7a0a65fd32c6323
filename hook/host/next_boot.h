/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the next boot makes of each function that a plan names or that shares a group with one: a
 * table for people, an array for programs, the same wherever it is said. Decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_HOST_NEXT_BOOT_H
#define VFIO_EARLY_HOOK_HOST_NEXT_BOOT_H

#include "host/host.h"
#include "ui/output.h"

struct outlook {
	unsigned int taken;   /* go to vfio-pci */
	unsigned int refused; /* named, but refused or held */
};

/* outlook_count - after host_decide() or host_decide_text(), as for all below. */
void outlook_count(const struct host *host, struct outlook *outlook);

/*
 * outlook_is_open - is something refused for what another kernel command line would change: an IOMMU
 * that the kernel has off, a function that it left without a group? What the next boot does with it
 * is only known then.
 */
bool outlook_is_open(const struct host *host);

/* outlook_print - the table. Returns 0, or -errno after saying what went wrong. */
int outlook_print(struct host *host, const struct output *output);

/* outlook_json - an array of objects, see vfio-early(8); NULL when memory ran out. */
struct json_object *outlook_json(struct host *host);

/* outlook_text - a string of JSON, or null for NULL and "". */
struct json_object *outlook_text(const char *text);

#endif
