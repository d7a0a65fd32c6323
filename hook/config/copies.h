/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of the config in /var/lib/vfio-early/configs, each in a directory named by its digest, so
 * that an applied config can be restored. A copy is complete, or is ignored. Decides nothing.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_COPIES_H
#define VFIO_EARLY_HOOK_CONFIG_COPIES_H

#include <stdbool.h>

#include "config/config.h"
#include "config/state.h"
#include "util/root.h"

#define COPIES_DIR STATE_DIR "/configs"

/*
 * copies_keep - copy the config as it was read, with mode and owner of its files; it is on the disk
 * on return. An existing copy stays.
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int copies_keep(const struct root *root, const struct config *config);

/* copies_has - is there a complete copy with this digest? Prints nothing. */
bool copies_has(const struct root *root, const char *digest);

/*
 * copies_restore - restore the config: files, modes and owners. The current config is first kept as
 * a copy if it can be read; else each changed file beside itself (.vfio-early-old). After an
 * interruption another call finishes it.
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int copies_restore(const struct root *root, const char *digest);

/*
 * copies_drop_others - remove all copies but those with these digests.
 * @digests: NULL-ended; a digest without a copy is ignored
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int copies_drop_others(const struct root *root, const char *const digests[]);

#endif
