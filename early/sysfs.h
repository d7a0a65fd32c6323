/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only room that opens, reads, writes or follows links. Every path is relative to a directory
 * descriptor, rootfd as a rule. Decides nothing.
 */
#ifndef VFIO_EARLY_SYSFS_H
#define VFIO_EARLY_SYSFS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * SYSFS_ROOT - the root that somebody's paths are relative to. At boot there is one, and main() has gone
 * there: a number that no function hands on to the next saves a hundredth of the static binary.
 * SYSFS_ROOT_IS_HERE - for main(), which other builds have too: the root is where the process stands
 */
#ifdef __KLIBC__
#define SYSFS_ROOT(of)	       AT_FDCWD
#define SYSFS_ROOT_IS_HERE(of) ((void)(of))
#else
#define SYSFS_ROOT(of)	       ((of)->rootfd)
#define SYSFS_ROOT_IS_HERE(of) ((of)->rootfd = AT_FDCWD)
#endif

/* A path below the root that is put together from a constant and names that sysfs gave. */
#define SYSFS_PATH_MAX 256

/*
 * sysfs_open_dir - open a directory, "/" or a recorded machine's root among them.
 * Returns a descriptor (closed on exec), or -errno.
 */
int sysfs_open_dir(int dirfd, const char *path);

/* sysfs_open - open a file for reading. Returns a descriptor (closed on exec), or -errno. */
int sysfs_open(int dirfd, const char *path);

#ifndef __KLIBC__
/*
 * sysfs_open_below - open(2) with each link on the way resolved as if @dirfd were "/" (openat2(2),
 * RESOLVE_IN_ROOT), so that a recorded tree's links stay in it; AT_FDCWD is no such border. The host's
 * build opens everything this way, so there a @dirfd is always a root, never a folder whose names lead
 * out of it. A kernel before 5.6 cannot, and the filter of an older container refuses it: there a link
 * leads where it leads.
 */
int sysfs_open_below(int dirfd, const char *path, int flags, unsigned int mode);
#endif

void sysfs_close(int fd);

/*
 * sysfs_read - read an attribute, with one read().
 * @buf: gets the text, NUL-ended, without its last newline
 *
 * Returns the length, -EFBIG when it does not fit (then buf holds what does), or -errno.
 */
int sysfs_read(int dirfd, const char *path, char *buf, size_t size);

/* sysfs_read_whole - the same for any other file: reads until its end. */
int sysfs_read_whole(int dirfd, const char *path, char *buf, size_t size);

/*
 * sysfs_for_each_line - call a function with each line of a file of any length. A line of over
 * 2,000 bytes (/proc/interrupts on a large host) is given in pieces.
 *
 * Ends early when the function returns other than 0, and returns that; else 0, or -errno.
 */
int sysfs_for_each_line(int dirfd, const char *path, int (*fn)(const char *line, void *arg),
			void *arg);

/*
 * sysfs_store - hand one value to an attribute, in one write().
 *
 * The kernel takes a store as a whole (fs/kernfs/file.c), so a short write is -EIO, never a loop.
 * Returns 0 or -errno. Success says only that the kernel took it: read back what matters.
 */
int sysfs_store(int dirfd, const char *path, const char *value);

/*
 * sysfs_store_and_read - the same, with what the attribute held before and what it holds then, read by
 * the same descriptor: the kernel shows it anew for a read at its start (fs/seq_file.c, seq_read_iter).
 * @old: NULL, or what it held before; "" where that cannot be read
 * @buf, @size, result: as for sysfs_read(); "size" is that of both
 */
int sysfs_store_and_read(int dirfd, const char *path, const char *value, char *old, char *buf,
			 size_t size);

/*
 * sysfs_lock - wait for the lock of an open file, which every copy of the descriptor has with it, in
 * children too (flock(2)). Gives up after so many milliseconds. Returns 0, -ETIMEDOUT, or -errno.
 */
int sysfs_lock(int fd, int ms);

/* sysfs_wait - for SYSFS_POLL_MS milliseconds, between two looks at something. */
#define SYSFS_POLL_MS 20
void sysfs_wait(void);

/* sysfs_unlock - of whichever copy. */
void sysfs_unlock(int fd);

/* sysfs_append - add text to the end of a file that is there. Returns 0 or -errno. */
int sysfs_append(int dirfd, const char *path, const char *text, size_t len);

/*
 * sysfs_open_append - open a file, made with mode 0644, to add to its end. @fresh: emptied first.
 * Returns a descriptor (closed on exec), or -errno.
 */
int sysfs_open_append(int dirfd, const char *path, bool fresh);

/*
 * sysfs_open_lock - open a file for sysfs_lock(), made with mode 0600: whoever can open a lock can hold
 * it. Returns a descriptor (closed on exec), or -errno.
 */
int sysfs_open_lock(int dirfd, const char *path);

/* sysfs_write - one write(). Returns 0, -EIO when it was short, or -errno. */
int sysfs_write(int fd, const char *text, size_t len);

/* sysfs_replace - make or empty a file and write it, mode 0644. Returns 0 or -errno. */
int sysfs_replace(int dirfd, const char *path, const char *text, size_t len);

/* sysfs_print - to standard output (1) or error (2). */
void sysfs_print(int fd, const char *text, size_t len);

/* sysfs_mkdir - make a directory, mode 0755; one that is there is fine. Returns 0 or -errno. */
int sysfs_mkdir(int dirfd, const char *path);

bool sysfs_exists(int dirfd, const char *path);

/* sysfs_is_empty - is it a file of no bytes, and not one that read as none? */
bool sysfs_is_empty(int dirfd, const char *path);

/* sysfs_link - the text of a symbolic link. Returns its length, or -errno. */
int sysfs_link(int dirfd, const char *path, char *buf, size_t size);

/* sysfs_link_name - the last component of a symbolic link's text. Returns 0 or -errno. */
int sysfs_link_name(int dirfd, const char *path, char *buf, size_t size);

/*
 * sysfs_for_each - call a function with each name in a directory, "." and ".." left out, in the
 * order the kernel gives them.
 *
 * Ends early when the function returns other than 0, and returns that; else 0, or -errno.
 */
int sysfs_for_each(int dirfd, const char *path, int (*fn)(const char *name, void *arg), void *arg);

/* sysfs_path - put a path together. Returns buf; a path that does not fit is "" (and so ENOENT). */
__attribute__((format(printf, 2, 3))) char *sysfs_path(char buf[SYSFS_PATH_MAX], const char *fmt,
						       ...);

#endif
