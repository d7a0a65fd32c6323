/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders of config files that hide one another: NAME.d of /etc, /run and /usr/lib, where of several
 * files with one name only the first folder's counts, and all are read in the order of their names
 * (modprobe.d(5), modules-load.d(5), udev(7)). Lists names; reads no file.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_FOLDERS_H
#define VFIO_EARLY_HOOK_CONFIG_FOLDERS_H

#include <stddef.h>

#include "util/root.h"

enum folder_state {
	FOLDER_READ,
	FOLDER_HIDDEN,	  /* by the same name in an earlier folder */
	FOLDER_NO_SUFFIX, /* its name does not end as the names must that are read */
};

struct folder_file {
	char *name; /* "etc/modprobe.d/vfio.conf", relative to the root */
	const char *base;
	enum folder_state state;
};

struct folders {
	struct folder_file *file;
	size_t count;
	char *unread; /* the first folder that could not be read, or NULL; and why, errno */
	int error;
};

/* Where libkmod looks, first to last; relative to the root. The list ends in NULL. */
extern const char *const folders_modprobe[];

/*
 * folders_list - what is in some folders, in the order in which it is read: by name, and those of one
 * name by folder. Hidden files (.NAME) are passed over.
 * @dirs: relative to the root; ended by NULL
 * @suffix: ".conf"; "" when every name counts
 * @folders: filled in; folders_free() in any case
 *
 * A folder that is not there has no files. Returns 0 or -ENOMEM.
 */
int folders_list(const struct root *root, const char *const *dirs, const char *suffix,
		 struct folders *folders);

void folders_free(struct folders *folders);

/*
 * folders_kmod - what kmod_new() is to be given in place of the folders of modprobe.d: their files by
 * name. In a folder it would wait for the writer of a FIFO.
 * @path: gets absolute paths, ended by NULL; folders_kmod_free() in any case
 * @odd: called with each name, without the root, that is left out, and why: an error of errno, or 0
 *	 for what is not a regular file; may be NULL
 *
 * Returns 0 or -ENOMEM.
 */
int folders_kmod(const struct root *root, char ***path,
		 void (*odd)(const char *name, int error, void *arg), void *arg);

void folders_kmod_free(char **path);

#endif
