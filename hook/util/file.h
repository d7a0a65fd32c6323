/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files below a directory descriptor: open, read, replace. Anything but a regular file (a
 * FIFO, a device, a directory) is an error at once; nothing ever waits for it.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_FILE_H
#define VFIO_EARLY_HOOK_UTIL_FILE_H

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * file_open - open a regular file for reading.
 * @dirfd: a directory that links treat as "/" (openat2(2), RESOLVE_IN_ROOT), so that a recorded
 * 	tree's links stay inside it; or AT_FDCWD, without that limit
 *
 * Returns a descriptor (closed on exec), -EISDIR or -ENOTSUP if it is not a regular file, or
 * -errno.
 */
int file_open(int dirfd, const char *path);

/*
 * file_for_each_line - call a function with each line of a regular file: a FIFO is an error, not an empty
 * file.
 * @fn: gets the line, of any length, without its newline; other than 0 ends the reading
 *
 * Returns what @fn returned last, 0 for an empty file, -errno when it cannot be read.
 */
int file_for_each_line(int dirfd, const char *path, int (*fn)(const char *line, void *arg),
		       void *arg);

/* file_open_folder - file_open() for a directory: -ENOTDIR for anything else. */
int file_open_folder(int dirfd, const char *path);

/* file_stat - stat(2), with links followed as file_open() does. Returns 0 or -errno. */
int file_stat(int dirfd, const char *path, struct stat *st);

/*
 * file_names - scandir(3) of a directory that is opened as by file_open_folder().
 * @entry: gets the names; free() each, and the list
 *
 * Returns how many there are, or -errno.
 */
int file_names(int dirfd, const char *path, struct dirent ***entry,
	       int (*is_wanted)(const struct dirent *entry),
	       int (*order)(const struct dirent **a, const struct dirent **b));

/* file_stream - file_open() as a stream, or NULL with errno set. */
FILE *file_stream(int dirfd, const char *path);

/*
 * file_read_once - read a file with one read(): sysfs gives an attribute in one piece.
 * @buf: gets the text, NUL-ended, without trailing white space; "" on failure
 * @size: of buf; a longer text is cut off
 *
 * Returns 0 or -errno.
 */
int file_read_once(int dirfd, const char *path, char *buf, size_t size);

/*
 * file_read_all - read an open file from its current position to its end.
 * @max: limit in bytes
 * @text: set to what was read, malloc'ed, with a NUL that @size does not count; NULL on failure
 *
 * Returns 0, -EFBIG if there is more than @max, or -errno.
 */
int file_read_all(int fd, size_t max, char **text, size_t *size);

/* file_read - file_open() and file_read_all() in one. */
int file_read(int dirfd, const char *path, size_t max, char **text, size_t *size);

/* file_write - write all of a text to an open file. Returns 0 or -errno. */
int file_write(int fd, const char *text, size_t size);

/* file_sync - write a file, or the names in a directory, to the disk. Returns 0 or -errno. */
int file_sync(int dirfd, const char *path);

/*
 * file_rename - rename a file within its directory, so that the name survives a power cut. Returns
 * 0 or -errno.
 */
int file_rename(int dirfd, const char *from, const char *to);

/*
 * file_create - create a new file and write it to the disk; nothing remains of it on failure.
 * @like: the file whose mode and owner it gets; NULL: 0644, the caller
 *
 * Returns 0, -EEXIST if the name is taken, or -errno.
 */
int file_create(int dirfd, const char *path, const struct stat *like, const char *text,
		size_t size);

enum {
	FILE_UNSYNCED = 1
};

/*
 * file_replace - replace or create a file: write a temporary file beside it
 * (".NAME.vfio-early-new"), fsync, rename, fsync of the directory. A reader sees the old text or
 * the new one, never a part. Waits for another process that does the same to the same file.
 * @like: as for file_create()
 *
 * Returns 0; FILE_UNSYNCED, with errno set, if the new text is there but may not survive a power
 * cut; or -errno, and the file is as it was.
 */
int file_replace(int dirfd, const char *path, const struct stat *like, const char *text,
		 size_t size);

/*
 * file_make_folder - create a directory with mode 0755, whatever the umask is, on the disk; an
 * existing one stays as it is. Its parents must exist. Returns 0 or -errno.
 */
int file_make_folder(int dirfd, const char *path);

/*
 * file_remove_tree - remove a file, or a directory with everything in it. Links are not followed;
 * other file systems are entered. Returns 0, also if there is none, or -errno for the first that
 * cannot be removed.
 */
int file_remove_tree(int dirfd, const char *path);

#endif
