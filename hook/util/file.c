// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole files; see file.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"

int file_open(int dirfd, const char *path)
{
	/* O_NONBLOCK: open(2) of a FIFO waits for a writer otherwise. */
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return -errno;
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
