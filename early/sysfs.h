/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only file that opens, reads, writes or follows links. Every path is relative to a directory
 * descriptor, usually rootfd. Decides nothing.
 */
#ifndef VFIO_EARLY_SYSFS_H
#define VFIO_EARLY_SYSFS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * SYSFS_ROOT - the root that paths are relative to. At boot there is only one, and main() has
 * changed to it. Not passing its descriptor between functions saves a hundredth of the static
 * binary.
 * SYSFS_ROOT_IS_HERE - for main(), which other builds share: the root is the current directory.
 */
#ifdef __KLIBC__
#define SYSFS_ROOT(of)	       AT_FDCWD
#define SYSFS_ROOT_IS_HERE(of) ((void)(of))
#else
#define SYSFS_ROOT(of)	       ((of)->rootfd)
#define SYSFS_ROOT_IS_HERE(of) ((of)->rootfd = AT_FDCWD)
#endif

/* Room for a path below the root, made of a constant and names from sysfs. */
#define SYSFS_PATH_MAX 256

/*
 * sysfs_open_dir - open a directory; also "/" or the root of a recorded machine. Returns a
 * descriptor (closed on exec), or -errno.
 */
int sysfs_open_dir(int dirfd, const char *path);

/* sysfs_open - open a file for reading. Returns a descriptor (closed on exec), or -errno. */
int sysfs_open(int dirfd, const char *path);

#ifndef __KLIBC__
/*
 * sysfs_open_below - open(2) with every link on the way resolved as if @dirfd were "/" (openat2(2),
 * RESOLVE_IN_ROOT), so that links of a recorded tree stay inside it; AT_FDCWD does not confine. The
 * host's build opens all files this way, so its @dirfd must be a root, never a folder with names
 * that lead out of it. A kernel before 5.6 does not have the call, and the seccomp filter of an
 * older container refuses it; then links are followed as usual.
 */
int sysfs_open_below(int dirfd, const char *path, int flags, unsigned int mode);
#endif

void sysfs_close(int fd);

/*
 * sysfs_read - read an attribute with one read().
 * @buf: gets the text, NUL-ended, without its last newline
 *
 * Returns the length; -EFBIG if it does not fit (buf then has the part that does); or -errno.
 */
int sysfs_read(int dirfd, const char *path, char *buf, size_t size);

/* sysfs_read_whole - the same for any other file: reads until its end. */
int sysfs_read_whole(int dirfd, const char *path, char *buf, size_t size);

/*
 * sysfs_for_each_line - call a function with each line of a file of any length. A line of over
 * 2,000 bytes (/proc/interrupts on a large host) is passed in pieces.
 *
 * If the function returns a value other than 0, stops and returns that value; else 0, or -errno.
 */
int sysfs_for_each_line(int dirfd, const char *path, int (*fn)(const char *line, void *arg),
			void *arg);

/*
 * sysfs_store - write a value to an attribute, in one write().
 *
 * The kernel takes a store as a whole (fs/kernfs/file.c), so a short write is -EIO, never a loop.
 * Returns 0 or -errno. Success only means that the kernel accepted it: read back what matters.
 */
int sysfs_store(int dirfd, const char *path, const char *value);

/*
 * sysfs_store_and_read - the same, and read the attribute before and after it through the same
 * descriptor: the kernel generates the text again for a read at offset 0 (fs/seq_file.c,
 * seq_read_iter).
 * @old: gets the text from before, "" if it cannot be read; or NULL
 * @buf, @size, result: as for sysfs_read(); "size" is the size of both
 */
int sysfs_store_and_read(int dirfd, const char *path, const char *value, char *old, char *buf,
			 size_t size);

/*
 * sysfs_lock - take the lock of an open file (flock(2)), waiting at most @ms milliseconds. All
 * copies of the descriptor share it, also those in children. Returns 0, -ETIMEDOUT, or -errno.
 */
int sysfs_lock(int fd, int ms);

/* sysfs_wait - sleep for SYSFS_POLL_MS milliseconds, between two polls. */
#define SYSFS_POLL_MS 20
void sysfs_wait(void);

/* sysfs_unlock - release the lock; any copy of the descriptor will do. */
void sysfs_unlock(int fd);

/* sysfs_append - append text to an existing file. Returns 0 or -errno. */
int sysfs_append(int dirfd, const char *path, const char *text, size_t len);

/*
 * sysfs_open_append - open a file for appending; created with mode 0644.
 * @fresh: empty it first
 *
 * Returns a descriptor (closed on exec), or -errno.
 */
int sysfs_open_append(int dirfd, const char *path, bool fresh);

/*
 * sysfs_open_lock - open a file for sysfs_lock(); created with mode 0600, because whoever can open
 * a lock can hold it. Returns a descriptor (closed on exec), or -errno.
 */
int sysfs_open_lock(int dirfd, const char *path);

/* sysfs_write - one write(). Returns 0, -EIO if it was short, or -errno. */
int sysfs_write(int fd, const char *text, size_t len);

/* sysfs_replace - create or empty a file, mode 0644, and write it. Returns 0 or -errno. */
int sysfs_replace(int dirfd, const char *path, const char *text, size_t len);

/* sysfs_print - write to standard output (1) or standard error (2). */
void sysfs_print(int fd, const char *text, size_t len);

/* sysfs_mkdir - make a directory, mode 0755, unless it exists. Returns 0 or -errno. */
int sysfs_mkdir(int dirfd, const char *path);

bool sysfs_exists(int dirfd, const char *path);

/* sysfs_is_empty - is it a file of zero bytes? False if it cannot be read. */
bool sysfs_is_empty(int dirfd, const char *path);

/* sysfs_link - the text of a symbolic link. Returns its length, or -errno. */
int sysfs_link(int dirfd, const char *path, char *buf, size_t size);

/* sysfs_link_name - the last component of a symbolic link's text. Returns 0 or -errno. */
int sysfs_link_name(int dirfd, const char *path, char *buf, size_t size);

/*
 * sysfs_for_each - call a function with each name in a directory except "." and "..", in the order
 * of the kernel.
 *
 * If the function returns a value other than 0, stops and returns that value; else 0, or -errno.
 */
int sysfs_for_each(int dirfd, const char *path, int (*fn)(const char *name, void *arg), void *arg);

/* sysfs_path - format a path. Returns buf; "" (and so ENOENT) if the path does not fit. */
__attribute__((format(printf, 2, 3))) char *sysfs_path(char buf[SYSFS_PATH_MAX], const char *fmt,
						       ...);

#endif
