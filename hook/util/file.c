// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole files; see file.h. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "early/sysfs.h"
#include "util/file.h"

/* A hidden name: neither modprobe nor readers of a conf.d directory read such a file. */
#define TEMP_FORMAT ".%s.vfio-early-new"
#define TEMP_TRIES  100

/* O_NONBLOCK: otherwise open(2) of a FIFO waits for a writer. */
static int open_below(int dirfd, const char *path, int flags)
{
	return sysfs_open_below(dirfd, path, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
}

int file_open_folder(int dirfd, const char *path)
{
	return open_below(dirfd, path, O_DIRECTORY);
}

int file_stat(int dirfd, const char *path, struct stat *st)
{
	int fd = sysfs_open_below(dirfd, path, O_PATH, 0), ret = fd;

	if (fd >= 0) {
		ret = fstat(fd, st) ? -errno : 0;
		close(fd);
	}
	return ret;
}

int file_names(int dirfd, const char *path, struct dirent ***entry,
	       int (*is_wanted)(const struct dirent *entry),
	       int (*order)(const struct dirent **a, const struct dirent **b))
{
	int fd = file_open_folder(dirfd, path), count = fd;

	*entry = NULL;
	if (fd >= 0) {
		count = scandirat(fd, ".", entry, is_wanted, order);
		if (count < 0)
			count = -errno;
		close(fd);
	}
	return count;
}

int file_open(int dirfd, const char *path)
{
	int fd = open_below(dirfd, path, 0);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		ret = -errno;
	else if (S_ISDIR(st.st_mode))
		ret = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		ret = -ENOTSUP;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

FILE *file_stream(int dirfd, const char *path)
{
	int fd = file_open(dirfd, path);
	FILE *f;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	f = fdopen(fd, "re");
	if (!f)
		close(fd);
	return f;
}

int file_for_each_line(int dirfd, const char *path, int (*fn)(const char *line, void *arg),
		       void *arg)
{
	FILE *f = file_stream(dirfd, path);
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int ret = 0;

	if (!f)
		return -errno;
	errno = 0;
	while (!ret && (len = getline(&line, &size, f)) >= 0) {
		if (len && line[len - 1] == '\n')
			line[len - 1] = '\0';
		ret = fn(line, arg);
		errno = 0;
	}
	if (!ret && !feof(f))
		ret = errno ? -errno : -EIO;
	free(line);
	fclose(f);
	return ret;
}

int file_read_once(int dirfd, const char *path, char *buf, size_t size)
{
	int fd = file_open(dirfd, path);
	ssize_t len;
	int ret = 0;

	*buf = '\0';
	if (fd < 0)
		return fd;
	len = read(fd, buf, size - 1);
	if (len < 0)
		ret = -errno;
	close(fd);
	while (len > 0 && isspace((unsigned char)buf[len - 1]))
		len--;
	buf[len > 0 ? len : 0] = '\0';
	return ret;
}

int file_read_all(int fd, size_t max, char **text, size_t *size)
{
	size_t room = 0;
	char *buf = NULL;
	int ret = 0;

	*text = NULL;
	*size = 0;
	while (!ret) {
		ssize_t got;

		if (*size == room) {
			char *larger;

			room = room ? 2 * room : 4096;
			if (room > max + 1)
				room = max + 1;
			larger = realloc(buf, room + 1);
			if (!larger) {
				ret = -ENOMEM;
				break;
			}
			buf = larger;
		}
		got = read(fd, buf + *size, room - *size);
		if (got < 0 && errno != EINTR)
			ret = -errno;
		if (!got)
			break;
		*size += got > 0 ? (size_t)got : 0;
		if (*size > max)
			ret = -EFBIG;
	}
	if (ret) {
		free(buf);
		*size = 0;
		return ret;
	}
	buf[*size] = '\0';
	*text = buf;
	return 0;
}

int file_read(int dirfd, const char *path, size_t max, char **text, size_t *size)
{
	int fd = file_open(dirfd, path);
	int ret;

	*text = NULL;
	*size = 0;
	if (fd < 0)
		return fd;
	ret = file_read_all(fd, max, text, size);
	close(fd);
	return ret;
}

int file_write(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t put = write(fd, text, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		text += put;
		size -= (size_t)put;
	}
	return 0;
}

int file_sync(int dirfd, const char *path)
{
	int fd = open_below(dirfd, path, 0);
	int ret = fd;

	if (fd >= 0)
		ret = fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* Opens the directory of a path, and finds the name in it. Returns a descriptor or -errno. */
static int open_folder(int dirfd, const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	*base = slash ? slash + 1 : path;
	/* "/NAME" is in "/". */
	if (snprintf(folder, sizeof(folder), "%.*s",
		     slash ? (int)(slash - path) + (slash == path) : 1,
		     slash ? path : ".") >= (int)sizeof(folder))
		return -ENAMETOOLONG;
	return open_below(dirfd, folder, O_DIRECTORY);
}

int file_rename(int dirfd, const char *from, const char *to)
{
	const char *base;
	int folder, ret;

	if (renameat(dirfd, from, dirfd, to))
		return -errno;
	folder = open_folder(dirfd, to, &base);
	if (folder < 0)
		return folder;
	ret = fsync(folder) ? -errno : 0;
	close(folder);
	return ret;
}

/* Fills a new file. */
static int fill(int fd, const struct stat *like, const char *text, size_t size)
{
	int ret = file_write(fd, text, size);

	/* The owner first: a change of owner clears set-ID bits. */
	if (!ret && like && fchown(fd, like->st_uid, like->st_gid) &&
	    (like->st_uid != geteuid() || like->st_gid != getegid()))
		ret = -errno;
	if (!ret && (fchmod(fd, like ? like->st_mode & 07777 : 0644) || fsync(fd)))
		ret = -errno;
	return ret;
}

int file_create(int dirfd, const char *path, const struct stat *like, const char *text, size_t size)
{
	int fd = sysfs_open_below(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	int ret;

	if (fd < 0)
		return fd;
	ret = fill(fd, like, text, size);
	if (close(fd) && !ret)
		ret = -errno;
	if (ret)
		unlinkat(dirfd, path, 0);
	return ret;
}

/*
 * The temporary file, locked until it is closed. An existing one belongs to a writer who is still
 * at work, and who has renamed it by the time we get the lock, or to one who died.
 */
static int open_temp(int folder, const char *temp)
{
	for (unsigned int i = 0; i < TEMP_TRIES; i++) {
		int fd = openat(folder, temp,
				O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		struct stat ours, there;
		int error;

		if (fd < 0)
			return -errno;
		while (flock(fd, LOCK_EX) && errno == EINTR)
			;
		errno = 0;
		if (!fstat(fd, &ours) && !fstatat(folder, temp, &there, AT_SYMLINK_NOFOLLOW) &&
		    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev && !ftruncate(fd, 0))
			return fd;
		error = errno;
		/* Leaves nothing behind. A writer whose file this was notices it at its rename. */
		if (error && error != ENOENT)
			unlinkat(folder, temp, 0);
		close(fd);
		if (error && error != ENOENT)
			return -error;
	}
	return -EBUSY;
}

int file_replace(int dirfd, const char *path, const struct stat *like, const char *text,
		 size_t size)
{
	char temp[NAME_MAX + 1];
	const char *base;
	int folder = open_folder(dirfd, path, &base);
	int fd, ret;

	if (folder < 0)
		return folder;
	fd = snprintf(temp, sizeof(temp), TEMP_FORMAT, base) < (int)sizeof(temp) ?
		     open_temp(folder, temp) :
		     -ENAMETOOLONG;
	ret = fd;
	if (fd >= 0) {
		ret = fill(fd, like, text, size);
		if (!ret && renameat(folder, temp, folder, base))
			ret = -errno;
		if (ret)
			unlinkat(folder, temp, 0);
		close(fd);
	}
	if (!ret && fsync(folder))
		ret = FILE_UNSYNCED;
	close(folder);
	return ret;
}

int file_make_folder(int dirfd, const char *path)
{
	const char *base;
	int folder, ret;

	if (mkdirat(dirfd, path, 0755))
		return errno == EEXIST ? 0 : -errno;
	if (fchmodat(dirfd, path, 0755, 0))
		return -errno;
	folder = open_folder(dirfd, path, &base);
	if (folder < 0)
		return folder;
	ret = fsync(folder) ? -errno : 0;
	close(folder);
	return ret;
}

/* What is in a folder; closes it. */
static int empty_folder(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int ret = 0;

	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	while (!ret && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ret = file_remove_tree(fd, entry->d_name);
	closedir(dir);
	return ret;
}

int file_remove_tree(int dirfd, const char *path)
{
	int fd, ret;

	if (!unlinkat(dirfd, path, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	ret = empty_folder(fd);
	return ret || !unlinkat(dirfd, path, AT_REMOVEDIR) ? ret : -errno;
}
