/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host needs to stay alive: the PCI functions below its file systems, its swap and its
 * default route, and the bridges above them. The plan has them as protect lines.
 *
 * Reads only, all below one root: "/" or a recorded machine's tree. Needs no privilege: everybody
 * may read mountinfo, swaps, sysfs and udev's database; a note says what could not be read.
 */
#ifndef VFIO_EARLY_PROTECT_H
#define VFIO_EARLY_PROTECT_H

#include <stddef.h>

#include "early/selector.h"
#include "util/root.h"

struct protect {
	struct pci_address addr;
	struct pci_id id; /* with the subsystem's, if the function has one */
	/*
	 * "holds /, swap; carries the default route (vmbr0)"; for a bridge "above 0000:03:00.0,
	 * which holds /". One line without '#' and of at most 160 bytes, fit for the plan as it is.
	 */
	char *reason;
	char *path; /* its place, in lspci -P notation; NULL if sysfs does not tell */
};

struct protect_facts {
	struct protect *list; /* by address, each function once */
	size_t count;	      /* may exceed PLAN_MAX_PROTECTS: see plan.h */
	/*
	 * Sentences without the full stop, one line each, for the plan's comments and for `check`:
	 * what could not be found out, and what is protected instead. Whatever cannot be found out
	 * protects more, not less.
	 */
	char **note;
	size_t notes;
	/* Why nothing is known about the host (a chroot, a container), or NULL. Then count is 0. */
	const char *why_none;
};

/* The source for every question below: mountinfo and udev's database, each read once. */
struct protect_source;

/*
 * protect_open - read them.
 * @root: the host's own or a recorded machine's; must live as long
 * @source: for protect_close(); NULL on failure
 *
 * Returns 0, or -ENOMEM. What is merely missing becomes a note, not an error.
 */
int protect_open(const struct root *root, struct protect_source **source);

void protect_close(struct protect_source *source);

/*
 * protect_collect - find every function that the host needs.
 * @source: below its root are read sys/, proc/self/mountinfo,
 *	  proc/self/ns/, proc/1/mountinfo, proc/swaps, proc/net/{route,fib_trie,ipv6_route,if_inet6},
 *	  etc/fstab, etc/crypttab, etc/kernel/proxmox-boot-uuids, run/udev/data/,
 *	  run/lvm/pvs_online/, proc/fs/jbd2/, proc/spl/kstat/zfs/, proc/cmdline, superblocks in
 *	  dev/ and run/systemd/container, each where it exists. The routes of "/" are
 *	  asked for by netlink, which tells all of them.
 * @facts: filled in; to be given to protect_free() after success
 *
 * Storage: the file systems at or below /, /usr, /var, /boot and /efi that are mounted or in fstab,
 * every other one that fstab mounts without nofail and noauto, swap, the ESP that was booted from and
 * those of proxmox-boot-tool; with their journals, and what unlocks them: key, header and the only
 * keyboard. Network: the default routes of IPv4 and IPv6 in all tables, each with all its next hops;
 * without any, the interfaces that have an address.
 *
 * Returns 0, or -ENOMEM. What is merely missing is no error but a note.
 */
int protect_collect(const struct protect_source *source, struct protect_facts *facts);

/*
 * protect_addresses - find every function below an interface with an address, in the same form. If
 * there is a default route, these are not protected: an interface may be meant for a VM. But an
 * administrator who comes in by such an address (a management network without a gateway) must be
 * warned.
 */
int protect_addresses(const struct protect_source *source, struct protect_facts *facts);

/*
 * protect_in_use - find every function below something that uses a disk now, in the same form: a
 * mounted file system, an imported pool, an active volume or array, swap. Includes what the host
 * needs. Only what is certain, without notes.
 */
int protect_in_use(const struct protect_source *source, struct protect_facts *facts);

/*
 * protect_root_uuid - the UUID of the file system that is mounted as / here, according to udev;
 * also in a chroot that is a mount.
 * @buf: "" if it is not known
 * @size: of buf
 */
void protect_root_uuid(const struct protect_source *source, char *buf, size_t size);

/*
 * protect_find_root - is / , also in a chroot, on functions that were needed before? Passes if that
 * is not known: without /sys, or in a directory that is not a mount.
 * @then: as from protect_collect()
 * @missing: the first function below / that is not among them with its ID and place
 *
 * Returns 0, -ENODEV if one is not among them, or -ENOMEM.
 */
int protect_find_root(const struct protect_source *source, const struct protect_facts *then,
		      struct pci_address *missing);

/* protect_free - free what any of them filled in; @facts is empty afterwards. */
void protect_free(struct protect_facts *facts);

#endif
