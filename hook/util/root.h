/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory below which everything is read. Does not know what is in it. */
#ifndef VFIO_EARLY_HOOK_UTIL_ROOT_H
#define VFIO_EARLY_HOOK_UTIL_ROOT_H

#include <limits.h>
#include <stdbool.h>

/* The directory that serves as "/": the host's own, or a recorded machine's. */
struct root {
	char path[PATH_MAX]; /* absolute; "" for "/", so that PATH/etc is right for both */
	int fd;
	bool is_host; /* "/" itself: other programs (the journal, qm) may be asked */
};

/*
 * A folder in the tree of a bug report: what programs and the kernel of that host answered, as none is asked
 * for such a tree. One file for each question; where it is missing there was no answer.
 */
#define ROOT_ANSWERS "vfio-early-report"

/*
 * root_of_report - make the tree of a bug report; set by main(), which alone knows how. Takes the
 * file's name; returns the tree's, or NULL after saying what is wrong.
 */
extern const char *(*root_of_report)(const char *name);

/*
 * root_open - open it, and say what is wrong with @dir. Returns 0 or -errno; call root_close() in
 * any case.
 */
int root_open(struct root *root, const char *dir);

/*
 * root_real_path - what a path is once every link in it is followed, each taken in the root.
 * @path: relative to the root
 * @real: of PATH_MAX: gets an absolute path, ROOT in front; "" on failure
 *
 * Returns 0 or -errno.
 */
int root_real_path(const struct root *root, const char *path, char *real);

/*
 * root_locate - where something is, for a library that opens it by its path.
 * @path: relative to the root
 * @where: malloc'ed: ROOT/PATH; where that leads out of the root, what it is with each link taken in it
 *
 * What is not there is ROOT/PATH. Returns 0, or -ENOMEM with *where NULL.
 */
int root_locate(const struct root *root, const char *path, char **where);

void root_close(struct root *root);

#endif
