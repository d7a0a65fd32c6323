/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stored facts of this host: what it needs, in /var/lib/vfio-early/facts. Used for an image
 * that is made where they are not available: a chroot, a container, an installer.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_FACTS_H
#define VFIO_EARLY_HOOK_PLAN_FACTS_H

#include "protect/protect.h"
#include "util/root.h"

/*
 * facts_keep - store them with the identity of this host: /etc/machine-id, the DMI product UUID
 * (its digest: the kernel shows the UUID only to root), what /etc/fstab mounts as /, and the UUID
 * of the file system that is mounted there.
 * @source: of the same root
 * @facts: as from protect_collect()
 *
 * A host without a machine-id stores none: nobody could tell whose they are. Writes nothing if
 * nothing has changed. Returns 0 or -errno.
 */
int facts_keep(const struct root *root, const struct protect_source *source,
	       const struct protect_facts *facts);

/*
 * facts_recall - read what facts_keep() stored, if it belongs to this host: the machine-id is the
 * same, and so is everything else that was known then and can be read now. A clone of a template
 * has another machine-id or product UUID. A root that was copied to another disk of the same host
 * has the same identity, so the function that / is on now must be among the stored ones.
 * @source: of the same root
 * @facts: list and count are filled in on success; the rest is not touched
 * @elsewhere: where / is on now, if that is what is wrong
 *
 * Returns 0; -ENOENT: there are none; -ESTALE: they belong to another host; -ENODEV: / is on a
 * function that is not among them; -EPROTO: a newer version of this package wrote them; -EBADMSG:
 * they are damaged; -EPERM: somebody other than root may have written them; or -errno.
 */
int facts_recall(const struct root *root, const struct protect_source *source,
		 struct protect_facts *facts, struct pci_address *elsewhere);

/* facts_print_why - the result of facts_recall() as a clause. @elsewhere: of it */
void facts_print_why(int error, const struct pci_address *elsewhere, char *buf, size_t size);

#endif
