/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record read back: the tree of a machine, made of its text in a folder of its own. Whatever is in it, it
 * writes nothing outside of that folder, and nothing of it is ever run.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_REPLAY_H
#define VFIO_EARLY_HOOK_RECORD_REPLAY_H

#include <stddef.h>

/*
 * replay_open - the tree of a record, for the rest of this program.
 * @name: the file, for messages
 *
 * What comes after is a child of this process, which waits for it, hands signals on, removes the folder
 * and ends as the child did. Returns the folder's path, or NULL after saying why there is none.
 */
const char *replay_open(const char *name);

/*
 * replay_make - the tree of a text, below an empty folder.
 * @text: NUL-ended, is cut up
 *
 * A line that is not understood, or that would lead out of the folder, is left out and counted.
 * Returns how many were, or -errno; -EBADMSG when it is the record of no machine.
 */
int replay_make(int dirfd, char *text, size_t size);

#endif
