/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last facts of this host itself: what it needs, in /var/lib/vfio-early/facts. For an image that
 * is made where they cannot be had: a chroot, a container, an installer.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_FACTS_H
#define VFIO_EARLY_HOOK_PLAN_FACTS_H

#include "protect/protect.h"
#include "util/root.h"

/*
 * facts_keep - write them down, with who this host is: /etc/machine-id, the DMI product UUID (its
 * digest: the kernel shows it to root alone), what /etc/fstab mounts as /, and the UUID of the file
 * system that is mounted there.
 * @source: of the same root
 * @facts: as of protect_collect()
 *
 * A host without a machine-id keeps none: nobody could tell whose they are. Nothing is written when
 * nothing has changed. Returns 0 or -errno.
 */
int facts_keep(const struct root *root, const struct protect_source *source,
	       const struct protect_facts *facts);

/*
 * facts_recall - what facts_keep() wrote last, when it is of this very host: the machine-id is the same,
 * and so is the rest of it, as far as it was known then and can be read now. A clone of a template has
 * another machine-id or another product UUID. A root that was copied to another disk of the same host
 * has all of them: what / is on now has to be among the functions.
 * @source: of the same root
 * @facts: list and count are filled in on success; nothing else of it is touched
 * @elsewhere: where / is on now, when that is what is wrong
 *
 * Returns 0, -ENOENT: there are none, -ESTALE: they are of another host, -ENODEV: / is on a function that
 * is not among them, -EPROTO: a version of this
 * package that is newer wrote them, -EBADMSG: they are damaged, -EPERM: others than root may have
 * written them; or -errno.
 */
int facts_recall(const struct root *root, const struct protect_source *source,
		 struct protect_facts *facts, struct pci_address *elsewhere);

/* facts_print_why - the result of facts_recall() as a clause. @elsewhere: of it */
void facts_print_why(int error, const struct pci_address *elsewhere, char *buf, size_t size);

#endif
