/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of the config below /var/lib/vfio-early/configs, each in a folder that is called as its digest:
 * what was applied can be put back. A copy is whole, or is none. Decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_COPIES_H
#define VFIO_EARLY_HOOK_CONFIG_COPIES_H

#include <stdbool.h>

#include "config/config.h"
#include "util/root.h"

#define COPIES_DIR "var/lib/vfio-early/configs"

/*
 * copies_keep - a copy of the config as it was read, with mode and owner of its files; on the disk when
 * this returns. One that is there stays.
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int copies_keep(const struct root *root, const struct config *config);

/* copies_has - is there a copy with this digest, and is it whole? Says nothing. */
bool copies_has(const struct root *root, const char *digest);

/*
 * copies_restore - the config becomes what it was: files, modes and owners. What is there now is
 * kept as a copy where it can be read, else each changed file beside itself (.vfio-early-old).
 * Whatever interrupts it, a further call does the rest.
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int copies_restore(const struct root *root, const char *digest);

/*
 * copies_drop_others - remove all but those with these digests.
 * @digests: NULL-ended; names of no copy do no harm
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int copies_drop_others(const struct root *root, const char *const digests[]);

#endif
