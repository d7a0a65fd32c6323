/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing a file of the administrator's: read whole, shown as a unified diff, replaced in one step
 * with its mode and owner kept. Whatever happens in between, the file is the old one or the new one.
 * Knows nothing of what the file says.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_EDIT_H
#define VFIO_EARLY_HOOK_CONFIG_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "util/lock.h"
#include "util/root.h"

#define EDIT_MAX_SIZE (1u << 20) /* bytes; a larger file is not one that an administrator wrote */

#define EDIT_WAIT_MS 5000
#define EDIT_NONE    ((struct edit){ .dirfd = -1, .lock = LOCK_NONE })

struct edit {
	char *name;   /* "/etc/vfio-early.conf", without the root, for messages */
	char *base;   /* its last component, links followed */
	char *folder; /* "/etc", where it really lies, without the root */
	int dirfd;    /* the same */
	struct lock lock;
	bool exists;
	struct stat st;
	char *old; /* NUL-ended; "" when it does not exist */
	size_t old_size;
	char *text; /* malloc'ed: what it shall say; NULL: unchanged */
	size_t size;
};

/*
 * edit_open - read a file that is to be changed, and keep other edits of this root away.
 * @name: relative to the root. A symbolic link is followed, but never out of the root.
 * @edit: filled in; edit_close() in any case
 *
 * A missing file is an empty one that edit_commit() makes. Another edit is waited for EDIT_WAIT_MS
 * milliseconds. Returns 0, or -errno after saying what is wrong and the fix.
 */
int edit_open(const struct root *root, const char *name, struct edit *edit);

/* edit_is_changed - is there a new text, and does it differ from the old one? */
bool edit_is_changed(const struct edit *edit);

/*
 * edit_diff - print the change on standard output as diff -u has it, with the file's name before
 * and after. Prints nothing when there is none. Returns 0, or -errno after saying so.
 */
int edit_diff(const struct edit *edit);

/*
 * edit_backup - keep the old text beside the file, as NAME@suffix, mode and owner the same. One that
 * is there already with another text is never written over: the next free NAME@suffix.N is taken.
 * @kept: gets the malloc'ed name that it was given, without the root and links followed; NULL when
 *	  nothing was to keep
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int edit_backup(struct edit *edit, const char *suffix, char **kept);

/*
 * edit_commit - put the new text in the file's place: a temporary file beside it, fsync, rename,
 * fsync of the folder. Does nothing when nothing changed.
 *
 * Returns 0, or -errno after saying what is wrong; then the file is as it was, unless only the last
 * fsync failed: then the new text is there, but may not survive a power cut.
 */
int edit_commit(struct edit *edit);

void edit_close(struct edit *edit);

#endif
