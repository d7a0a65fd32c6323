/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a record back: makes the tree of the machine from its text, in a new folder. Whatever the
 * record contains, nothing is written outside of that folder, and nothing from it is ever run.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_REPLAY_H
#define VFIO_EARLY_HOOK_RECORD_REPLAY_H

#include <stddef.h>

/*
 * replay_open - make the tree of a record, for the rest of this program.
 * @name: the file; also for messages
 *
 * The caller continues in a child. The parent waits for it, forwards signals, removes the folder,
 * and ends with the same status. Returns the folder's path, or NULL after printing an error.
 */
const char *replay_open(const char *name);

/*
 * replay_make - make the tree of a text in an empty folder.
 * @text: NUL-ended; modified
 *
 * A line that is not understood, or that would lead out of the folder, is left out and counted.
 * Returns the number of these lines, or -errno; -EBADMSG if the text is not the record of a
 * machine.
 */
int replay_make(int dirfd, char *text, size_t size);

#endif
