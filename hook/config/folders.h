/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories of config files that hide each other: NAME.d in /etc, /run and /usr/lib. Among files
 * with the same name only the one in the first directory counts, and all are read in the order of
 * their names (modprobe.d(5), modules-load.d(5), udev(7)). Lists names; reads no file.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_FOLDERS_H
#define VFIO_EARLY_HOOK_CONFIG_FOLDERS_H

#include <stddef.h>

#include "util/root.h"

enum folder_state {
	FOLDER_READ,
	FOLDER_HIDDEN,	  /* hidden by the same name in an earlier directory */
	FOLDER_NO_SUFFIX, /* its name does not have the suffix of the files that are read */
};

struct folder_file {
	char *name; /* "etc/modprobe.d/vfio.conf", relative to the root */
	const char *base;
	enum folder_state state;
};

struct folders {
	struct folder_file *file;
	size_t count;
	char *unread; /* the first directory that could not be read, or NULL; and why, errno */
	int error;
};

/* Where libkmod looks, in this order; relative to the root. The list ends in NULL. */
extern const char *const folders_modprobe[];

/*
 * folders_list - list the files in some directories in the order in which they are read: by name,
 * and files of one name by directory. Hidden files (.NAME) are skipped.
 * @dirs: relative to the root; ended by NULL
 * @suffix: ".conf"; "" if every name counts
 * @folders: filled in; call folders_free() in any case
 *
 * A directory that does not exist has no files. Returns 0 or -ENOMEM.
 */
int folders_list(const struct root *root, const char *const *dirs, const char *suffix,
		 struct folders *folders);

void folders_free(struct folders *folders);

/*
 * folders_kmod - the files of the modprobe.d directories by name, for kmod_new(). Given a
 * directory, it would wait for the writer of a FIFO.
 * @path: gets absolute paths, ended by NULL; call folders_kmod_free() in any case
 * @odd: called with each name that is left out, without the root, and why: errno, or 0 if it is not
 * 	a regular file; may be NULL
 *
 * Returns 0 or -ENOMEM.
 */
int folders_kmod(const struct root *root, char ***path,
		 void (*odd)(const char *name, int error, void *arg), void *arg);

void folders_kmod_free(char **path);

#endif
