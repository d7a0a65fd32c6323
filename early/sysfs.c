// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files below a directory descriptor; see sysfs.h. Uses neither stdio (klibc's is unbuffered and
 * would split a line) nor opendir (klibc's allocates): names come directly from getdents.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __KLIBC__
#include <sys/dirent.h>
#else
#include <dirent.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#define dirent			dirent64
#define getdents(fd, buf, size) getdents64(fd, buf, size)
#endif

#include "sysfs.h"
#include "text.h"

#ifdef __KLIBC__

/* At boot there is one root, "/". */
static int open_at(int dirfd, const char *path, int flags)
{
	int fd = openat(dirfd, path, flags | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : fd;
}

static int stat_at(int dirfd, const char *path, struct stat *st)
{
	return fstatat(dirfd, path, st, 0);
}

static ssize_t link_at(int dirfd, const char *path, char *buf, size_t size)
{
	return readlinkat(dirfd, path, buf, size);
}

#else

int sysfs_open_below(int dirfd, const char *path, int flags, unsigned int mode)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT,
	};
	int fd = -1;

	if (dirfd != AT_FDCWD) {
		/* EAGAIN: something was renamed while a ".." was looked up. */
		for (unsigned int i = 0; i < 100; i++) {
			fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
			if (fd >= 0 || errno != EAGAIN)
				break;
		}
		if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
			return fd < 0 ? -errno : fd;
	}
	fd = openat(dirfd, path, (int)how.flags, (mode_t)mode);
	return fd < 0 ? -errno : fd;
}

static int open_at(int dirfd, const char *path, int flags)
{
	return sysfs_open_below(dirfd, path, flags, 0644);
}

static int stat_at(int dirfd, const char *path, struct stat *st)
{
	int fd = open_at(dirfd, path, O_PATH), ret;

	if (fd < 0)
		return -1;
	ret = fstat(fd, st);
	close(fd);
	return ret;
}

/* Reads the link itself; only its folder is resolved below the root. */
static ssize_t link_at(int dirfd, const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	ssize_t n;
	int fd;

	if (!slash || slash == path)
		return readlinkat(dirfd, path + !!slash, buf, size);
	if ((size_t)(slash - path) >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	fd = open_at(dirfd, folder, O_PATH | O_DIRECTORY);
	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	n = readlinkat(fd, slash + 1, buf, size);
	close(fd);
	return n;
}

#endif

int sysfs_open_dir(int dirfd, const char *path)
{
	return open_at(dirfd, path, O_RDONLY | O_DIRECTORY);
}

int sysfs_open(int dirfd, const char *path)
{
	/* A FIFO reads as empty; without the flag, open(2) would wait for its writer. */
	return open_at(dirfd, path, O_RDONLY | O_NONBLOCK);
}

void sysfs_close(int fd)
{
	close(fd);
}

/* Makes a string of what was read: without its last newline, cut if it does not fit. */
static int end_text(char *buf, size_t len, size_t size)
{
	bool is_cut = len == size;

	len -= is_cut;
	if (!is_cut && len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return is_cut ? -EFBIG : (int)len;
}

/*
 * One read() unless "whole" is set: an attribute of sysfs comes in one piece of at most a page. A
 * file of /proc comes in several pieces, and only an empty read marks its end.
 */
static int read_file(int dirfd, const char *path, char *buf, size_t size, bool whole)
{
	size_t len = 0;
	int fd = sysfs_open(dirfd, path);
	ssize_t n;
	int ret = 0;

	buf[0] = '\0';
	if (fd < 0)
		return fd;
	do {
		n = read(fd, buf + len, size - len);
		if (n < 0)
			ret = -errno;
		else
			len += (size_t)n;
	} while (n > 0 && whole && len < size);
	close(fd);
	n = end_text(buf, len, size);
	return ret < 0 ? ret : (int)n;
}

int sysfs_read(int dirfd, const char *path, char *buf, size_t size)
{
	return read_file(dirfd, path, buf, size, false);
}

int sysfs_read_whole(int dirfd, const char *path, char *buf, size_t size)
{
	return read_file(dirfd, path, buf, size, true);
}

int sysfs_for_each_line(int dirfd, const char *path, int (*fn)(const char *line, void *arg),
			void *arg)
{
	char buf[2048];
	size_t len = 0;
	int fd = sysfs_open(dirfd, path);
	int ret = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		char *line = buf, *eol;

		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		if (n < 0) {
			ret = -errno;
			break;
		}
		len += (size_t)n;
		buf[len] = '\0';
		while (!ret && (eol = strchr(line, '\n'))) {
			*eol = '\0';
			ret = fn(line, arg);
			line = eol + 1;
		}
		len -= (size_t)(line - buf);
		if (!ret && len && (!n || len == sizeof(buf) - 1)) {
			ret = fn(line, arg);
			len = 0;
		}
		memmove(buf, line, len);
	} while (n > 0 && !ret);
	close(fd);
	return ret;
}

int sysfs_write(int fd, const char *text, size_t len)
{
	ssize_t n = write(fd, text, len);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static int write_once(int dirfd, const char *path, int flags, const char *text, size_t len)
{
	int fd = open_at(dirfd, path, O_WRONLY | O_NOCTTY | flags);
	int ret;

	if (fd < 0)
		return fd;
	ret = sysfs_write(fd, text, len);
	if (close(fd) < 0 && !ret)
		ret = -errno;
	return ret;
}

int sysfs_store(int dirfd, const char *path, const char *value)
{
	return write_once(dirfd, path, 0, value, strlen(value));
}

static int read_start(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size, 0);

	if (n < 0) {
		buf[0] = '\0';
		return -errno;
	}
	return end_text(buf, (size_t)n, size);
}

int sysfs_store_and_read(int dirfd, const char *path, const char *value, char *old, char *buf,
			 size_t size)
{
	int fd = open_at(dirfd, path, O_RDWR);
	int ret;

	if (fd < 0)
		return fd;
	if (old)
		read_start(fd, old, size);
	ret = sysfs_write(fd, value, strlen(value));
	if (!ret)
		ret = read_start(fd, buf, size);
	close(fd);
	return ret;
}

int sysfs_lock(int fd, int ms)
{
	/*
	 * Only a time-out would end a blocking flock(), and alarm(2) would need a signal handler.
	 */
	for (; flock(fd, LOCK_EX | LOCK_NB) < 0; ms -= SYSFS_POLL_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (ms <= 0)
			return -ETIMEDOUT;
		sysfs_wait();
	}
	return 0;
}

void sysfs_unlock(int fd)
{
	flock(fd, LOCK_UN);
}

void sysfs_wait(void)
{
	poll(NULL, 0, SYSFS_POLL_MS);
}

int sysfs_append(int dirfd, const char *path, const char *text, size_t len)
{
	return write_once(dirfd, path, O_APPEND, text, len);
}

int sysfs_open_append(int dirfd, const char *path, bool fresh)
{
	return open_at(dirfd, path, O_WRONLY | O_APPEND | O_CREAT | (fresh ? O_TRUNC : 0));
}

int sysfs_open_lock(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

int sysfs_replace(int dirfd, const char *path, const char *text, size_t len)
{
	return write_once(dirfd, path, O_CREAT | O_TRUNC, text, len);
}

void sysfs_print(int fd, const char *text, size_t len)
{
	/* There is nowhere to report a failure. */
	if (write(fd, text, len) < 0)
		return;
}

int sysfs_mkdir(int dirfd, const char *path)
{
	return mkdirat(dirfd, path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

bool sysfs_exists(int dirfd, const char *path)
{
	struct stat st;

	return !stat_at(dirfd, path, &st);
}

bool sysfs_is_empty(int dirfd, const char *path)
{
	struct stat st;

	return !stat_at(dirfd, path, &st) && !st.st_size;
}

int sysfs_link(int dirfd, const char *path, char *buf, size_t size)
{
	ssize_t n = link_at(dirfd, path, buf, size);

	buf[0] = n > 0 ? buf[0] : '\0';
	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return (int)n;
}

int sysfs_link_name(int dirfd, const char *path, char *buf, size_t size)
{
	char target[SYSFS_PATH_MAX];
	const char *name;
	int ret = sysfs_link(dirfd, path, target, sizeof(target));

	buf[0] = '\0';
	if (ret < 0)
		return ret;
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	strcpy(buf, name);
	return 0;
}

int sysfs_for_each(int dirfd, const char *path, int (*fn)(const char *name, void *arg), void *arg)
{
	union {
		struct dirent entry;
		char bytes[2048];
	} buf;
	int fd = sysfs_open_dir(dirfd, path);
	int ret = 0;

	if (fd < 0)
		return fd;
	while (!ret) {
		int len = (int)getdents((unsigned int)fd, &buf.entry, sizeof(buf));

		if (len <= 0) {
			ret = len < 0 ? -errno : 0;
			break;
		}
		for (int at = 0; at < len && !ret;) {
			const struct dirent *entry = (const void *)(buf.bytes + at);

			at += entry->d_reclen;
			if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
				ret = fn(entry->d_name, arg);
		}
	}
	close(fd);
	return ret;
}

char *sysfs_path(char buf[SYSFS_PATH_MAX], const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = text_vformat(buf, SYSFS_PATH_MAX, fmt, args);
	va_end(args);
	if (len == SYSFS_PATH_MAX - 1)
		buf[0] = '\0';
	return buf;
}
