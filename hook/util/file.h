/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files below a directory descriptor: opened, read, replaced. What is not a regular file (a
 * FIFO, a device, a folder) is an error at once, never a wait. Knows nothing of what is in a file.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_FILE_H
#define VFIO_EARLY_HOOK_UTIL_FILE_H

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * file_open - open a regular file for reading.
 * @dirfd: a folder that is taken for "/" by each link on the way (openat2(2), RESOLVE_IN_ROOT), so
 *	   that a recorded tree's links stay in it; or AT_FDCWD, which is no such border
 *
 * Returns a descriptor (closed on exec), -EISDIR or -ENOTSUP for what is no file, or -errno.
 */
int file_open(int dirfd, const char *path);

/*
 * file_for_each_line - call a function with each line of what file_open() opens: a FIFO is an error, not
 * an empty file.
 * @fn: gets the line, of any length, without its newline; other than 0 ends the reading
 *
 * Returns what @fn returned last, 0 for an empty file, -errno when it cannot be read.
 */
int file_for_each_line(int dirfd, const char *path, int (*fn)(const char *line, void *arg),
		       void *arg);

/* file_open_folder - file_open() of a folder: -ENOTDIR for what is none. */
int file_open_folder(int dirfd, const char *path);

/* file_stat - stat(2) of what is there, links followed as by file_open(). Returns 0 or -errno. */
int file_stat(int dirfd, const char *path, struct stat *st);

/*
 * file_names - scandir(3) of a folder that is opened as by file_open_folder().
 * @entry: gets the names; free() for each and for the list
 *
 * Returns how many, or -errno.
 */
int file_names(int dirfd, const char *path, struct dirent ***entry,
	       int (*is_wanted)(const struct dirent *entry),
	       int (*order)(const struct dirent **a, const struct dirent **b));

/* file_stream - file_open() as a stream, or NULL with errno set. */
FILE *file_stream(int dirfd, const char *path);

/*
 * file_read_once - what one read() gives: an attribute of sysfs comes in one piece.
 * @buf: gets the text, NUL-ended, without white space at its end; "" on failure
 * @size: of buf; what does not fit is left out
 *
 * Returns 0 or -errno.
 */
int file_read_once(int dirfd, const char *path, char *buf, size_t size);

/*
 * file_read_all - read an open file to its end.
 * @fd: from where it stands
 * @max: the most that is taken, in bytes
 * @text: gets what was read, malloc'ed, with a NUL behind it that @size does not count; NULL on
 *	  failure
 *
 * Returns 0, -EFBIG when there is more than @max, or -errno.
 */
int file_read_all(int fd, size_t max, char **text, size_t *size);

/* file_read - file_open() and file_read_all() in one. */
int file_read(int dirfd, const char *path, size_t max, char **text, size_t *size);

/* file_write - all of a text, to an open file. Returns 0 or -errno. */
int file_write(int fd, const char *text, size_t size);

/* file_sync - what a file holds, or which names a folder has, is on the disk. Returns 0 or -errno. */
int file_sync(int dirfd, const char *path);

/* file_rename - in one step, also after a power cut: both are in one folder. Returns 0 or -errno. */
int file_rename(int dirfd, const char *from, const char *to);

/*
 * file_create - a new file, whole and on the disk, or none.
 * @like: whose mode and owner it gets; NULL: 0644, the caller's
 *
 * Returns 0, -EEXIST when the name is taken, or -errno.
 */
int file_create(int dirfd, const char *path, const struct stat *like, const char *text,
		size_t size);

enum {
	FILE_UNSYNCED = 1
};

/*
 * file_replace - put a text in the place of a file, or make it: a hidden file beside it
 * (".NAME.vfio-early-new"), fsync, rename, fsync of the folder. A reader sees the old one or the new
 * one, never a half. Whoever does the same to the same file at the same time is waited for.
 * @like: as of file_create()
 *
 * Returns 0; FILE_UNSYNCED, with errno set, when the new text is there but may not survive a power
 * cut; or -errno: then the file is as it was.
 */
int file_replace(int dirfd, const char *path, const struct stat *like, const char *text,
		 size_t size);

/*
 * file_make_folder - a folder with mode 0755, whatever the umask is, on the disk; one that is there
 * stays as it is. Those above it have to be there. Returns 0 or -errno.
 */
int file_make_folder(int dirfd, const char *path);

/*
 * file_remove_tree - a file or a folder with all that is in it; links are not followed, other file
 * systems are entered. Returns 0, also when there is none, or -errno at the first that stays.
 */
int file_remove_tree(int dirfd, const char *path);

#endif
