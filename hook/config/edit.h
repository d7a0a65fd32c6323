/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes one of the administrator's files: reads it whole, shows the change as a unified diff,
 * replaces it in one step and keeps its mode and owner. Whatever happens in between, the file is
 * the old one or the new one. Does not know what the file says.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_EDIT_H
#define VFIO_EARLY_HOOK_CONFIG_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "util/lock.h"
#include "util/root.h"

#define EDIT_MAX_SIZE (1u << 20) /* limit in bytes; no administrator writes a larger file */

#define EDIT_WAIT_MS 5000
#define EDIT_NONE    ((struct edit){ .dirfd = -1, .lock = LOCK_NONE })

struct edit {
	char *name;   /* "/etc/vfio-early.conf", without the root, for messages */
	char *base;   /* its last component, after following links */
	char *folder; /* "/etc": its real directory, without the root */
	int dirfd;    /* the same */
	struct lock lock;
	bool exists;
	struct stat st;
	char *old; /* NUL-ended; "" if it does not exist */
	size_t old_size;
	char *text; /* malloc'ed: the new text; NULL: unchanged */
	size_t size;
};

/*
 * edit_open - read a file that is to be changed, and lock out other edits of this root.
 * @name: relative to the root. A symbolic link is followed, but never out of the root.
 * @edit: filled in; call edit_close() in any case
 *
 * A missing file is an empty one that edit_commit() creates. Waits EDIT_WAIT_MS milliseconds for
 * another edit. Returns 0, or -errno after saying what is wrong and the fix.
 */
int edit_open(const struct root *root, const char *name, struct edit *edit);

/* edit_is_changed - is there a new text, and does it differ from the old one? */
bool edit_is_changed(const struct edit *edit);

/*
 * edit_diff - print the change as diff -u does, with the file's name before and after. Prints
 * nothing if nothing changes. Returns 0, or -errno after saying so.
 */
int edit_diff(const struct edit *edit);

/*
 * edit_backup - keep the old text beside the file, as NAME@suffix with the same mode and owner. An
 * existing backup with another text is never overwritten: the next free NAME@suffix.N is used.
 * @kept: set to the malloc'ed name of the backup, without the root and with links followed; NULL if
 * 	there was nothing to keep
 *
 * Returns 0, or -errno after saying what is wrong.
 */
int edit_backup(struct edit *edit, const char *suffix, char **kept);

/*
 * edit_commit - replace the file by the new text: a temporary file beside it, fsync, rename, fsync
 * of the directory. Does nothing if nothing has changed.
 *
 * Returns 0, or -errno after saying what is wrong. Then the file is as it was, unless only the last
 * fsync failed: then the new text is there, but may not survive a power cut.
 */
int edit_commit(struct edit *edit);

void edit_close(struct edit *edit);

#endif
