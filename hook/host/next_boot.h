/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the next boot does with each function that a plan names, or that shares a group with one: a
 * table for people, an array for programs. Every command uses these. Decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_HOST_NEXT_BOOT_H
#define VFIO_EARLY_HOOK_HOST_NEXT_BOOT_H

#include "host/host.h"
#include "ui/output.h"

struct next_boot {
	unsigned int taken;	/* go to vfio-pci; without the virtual ones that vfs lines make */
	unsigned int refused;	/* named, but refused or held; without those either */
	unsigned int vfs;	/* virtual functions that vfs lines make */
	unsigned int vfs_taken; /* those of them that go to vfio-pci */
};

/* next_boot_count - call after host_decide() or host_decide_text(), as all below. */
void next_boot_count(const struct host *host, struct next_boot *next);

/*
 * next_boot_vfs - how many virtual functions the next boot makes of one function by its vfs line: 0
 * without one, or if the line cannot come true.
 * @taken: set to how many of them go to vfio-pci
 */
unsigned int next_boot_vfs(const struct host *host, const struct host_function *fn,
			   unsigned int *taken);

/*
 * next_boot_vf_except - the except line, in the plan, that names every virtual function of one, also those
 * that are not there yet; -1: none.
 */
int next_boot_vf_except(const struct host *host, const struct host_function *fn);

#define NEXT_BOOT_TEXT_SIZE 96

/*
 * next_boot_tell_vfs - behind "binds 2, refuses 0": ", makes 4 virtual functions and binds 4 of them",
 * or "". Returns @text.
 */
const char *next_boot_tell_vfs(const struct next_boot *next, char text[NEXT_BOOT_TEXT_SIZE]);

/* next_boot_pf - the physical function of a virtual one, or NULL. */
const struct host_function *next_boot_pf(const struct host *host, const struct host_function *fn);

/* next_boot_is_open - is something refused for that reason? Then the next boot may still bind it. */
bool next_boot_is_open(const struct host *host);

/* next_boot_print - the table. Returns 0, or -errno after saying what went wrong. */
int next_boot_print(struct host *host, const struct output *output);

/* next_boot_json - an array of objects, see vfio-early-json(5); NULL when memory ran out. */
struct json_object *next_boot_json(struct host *host);

/* The code of a group mate that stays with the host, and so keeps a VM from using the others. */
#define NEXT_BOOT_BLOCKS_GROUP "blocks-group"
/* The code of HOST_NEXT_NOT_MADE. */
#define NEXT_BOOT_NOT_MADE     "vf-not-made"

/*
 * next_boot_code - why, as a stable word: the boot half's (early/code.h), or one of those above. "" if
 * there is nothing to say.
 */
const char *next_boot_code(const struct host *host, const struct host_function *fn);

/* next_boot_is_excepted - does an except line name it, whether or not a bind line does? */
bool next_boot_is_excepted(const struct host *host, const struct host_function *fn);

/*
 * next_boot_can_name_group - would bind lines for the whole IOMMU group of a function be accepted?
 * Not if this host needs a member, an except line names one, or one is a bridge that keeps VMs
 * away.
 */
bool next_boot_can_name_group(const struct host *host, const struct host_function *fn);

#define NEXT_BOOT_FIX_SIZE 1024

/*
 * next_boot_bridge - the first bridge of the chipset that keeps every VM from a group, or NULL: no VM
 * gets the bridge, and the host keeps it (pci_may_block_group). @group: -1: none
 */
const struct host_function *next_boot_bridge(struct host *host, int group);

/*
 * next_boot_why - the same as a sentence: the reason and what to do, "" if there is nothing to say. For an
 * IOMMU that is off, what to do counts the parameters of the next boot.
 * @fix_size: NEXT_BOOT_FIX_SIZE is always enough
 */
void next_boot_why(const struct host *host, const struct host_function *fn, char *why,
		   size_t why_size, char *fix, size_t fix_size);

#endif
