/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host needs to stay alive: the PCI functions under its file systems, its swap and its
 * default route, and the bridges above them. The plan carries them as protect lines.
 *
 * Reads only, all below one root: "/" or a recorded machine's tree. Needs no privilege: mountinfo,
 * swaps, sysfs and udev's database are open to everyone, what is not is said in a note.
 */
#ifndef VFIO_EARLY_PROTECT_H
#define VFIO_EARLY_PROTECT_H

#include <stddef.h>

#include "early/selector.h"
#include "util/root.h"

struct protect {
	struct pci_address addr;
	struct pci_id id; /* with the subsystem's, where the function has one */
	/*
	 * "holds /, swap; carries the default route (vmbr0)"; for a bridge "above 0000:03:00.0,
	 * which holds /". One line without '#' and of at most 160 bytes, fit for the plan as it is.
	 */
	char *reason;
	char *path; /* where it is plugged in, in lspci -P notation; NULL where sysfs does not tell */
};

struct protect_facts {
	struct protect *list; /* by address, each function once */
	size_t count;	      /* may exceed PLAN_MAX_PROTECTS: see plan.h */
	/*
	 * Whole sentences without the full stop, one line each, for the plan's comments and for
	 * `check`: what could not be found out, and what is protected instead. Never empty-handed:
	 * whatever cannot be found out protects more, not less.
	 */
	char **note;
	size_t notes;
	/* Why nothing can be said of the host (a chroot, a container), or NULL. Then count is 0. */
	const char *why_none;
};

/* What every question below is answered from: mountinfo and udev's database, each read once. */
struct protect_source;

/*
 * protect_open - read them.
 * @root: the host's own or a recorded machine's; must live as long
 * @source: for protect_close(); NULL on failure
 *
 * Returns 0, or -ENOMEM. What is merely missing is no error but a note of each question.
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
 * protect_addresses - find every function under an interface that has an address, in the same form.
 * Beside a default route those are not protected: an interface may be there to be given away. But
 * whoever comes in by such an address (a management network without a gateway) is to be told.
 */
int protect_addresses(const struct protect_source *source, struct protect_facts *facts);

/*
 * protect_in_use - find every function under something that is on a disk now, in the same form: a
 * mounted file system, an imported pool, an active volume or array, swap. What the host needs is
 * among it. Only what is certain; there are no notes of what is not.
 */
int protect_in_use(const struct protect_source *source, struct protect_facts *facts);

/*
 * protect_root_uuid - the UUID of the file system that is mounted as / here, as udev knows it; of a chroot
 * too, when it is a mount.
 * @buf: "" when it cannot be told
 * @size: of buf
 */
void protect_root_uuid(const struct protect_source *source, char *buf, size_t size);

/*
 * protect_find_root - is what / is on here, in a chroot too, among the functions that were needed once?
 * What cannot be told, without /sys or of a directory that is no mount, is not asked for.
 * @then: as of protect_collect()
 * @missing: the first function that holds / and is not, with that ID and in that place
 *
 * Returns 0, -ENODEV: one is not, or -ENOMEM.
 */
int protect_find_root(const struct protect_source *source, const struct protect_facts *then,
		      struct pci_address *missing);

/* protect_free - give back what any of them filled in; @facts is empty afterwards. */
void protect_free(struct protect_facts *facts);

#endif
