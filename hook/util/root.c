// SPDX-License-Identifier: GPL-2.0-or-later
/* The directory below which everything is read; see root.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "early/sysfs.h"
#include "util/message.h"
#include "util/root.h"

const char *(*root_of_report)(const char *name);

int root_open(struct root *root, const char *dir)
{
	root->fd = -1;
	root->path[0] = '\0';
	if (!realpath(dir, root->path))
		return message_errno(-errno, "cannot use %s as the root", dir);
	root->fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return message_errno(-errno, "cannot use %s as the root", dir);
	root->is_host = !strcmp(root->path, "/");
	if (root->is_host)
		root->path[0] = '\0';
	return 0;
}

/* The kernel's path of an open file; "" if it has none. */
static void path_of(int fd, char *buf, size_t size)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, buf, size - 1);
	buf[len > 0 ? len : 0] = '\0';
}

/* Through the C library: works without /proc, but follows links out of the root. */
static int real_path_of(const struct root *root, const char *path, char *real)
{
	char plain[PATH_MAX];

	if (snprintf(plain, sizeof(plain), "%s/%s", root->path, path) >= (int)sizeof(plain))
		return -ENAMETOOLONG;
	return realpath(plain, real) ? 0 : -errno;
}

int root_real_path(const struct root *root, const char *path, char *real)
{
	int fd, ret;

	*real = '\0';
	if (!root->is_host) {
		fd = sysfs_open_below(root->fd, path, O_PATH, 0);
		if (fd < 0)
			return fd;
		path_of(fd, real, PATH_MAX);
		close(fd);
		if (*real)
			return 0;
	}
	ret = real_path_of(root, path, real);
	if (ret)
		*real = '\0';
	return ret;
}

int root_locate(const struct root *root, const char *path, char **where)
{
	char inside[PATH_MAX], plain[PATH_MAX];
	bool is_out = !root->is_host && !root_real_path(root, path, inside) &&
		      (real_path_of(root, path, plain) || strcmp(plain, inside) != 0);

	*where = NULL;
	if (is_out)
		*where = strdup(inside);
	else if (asprintf(where, "%s/%s", root->path, path) < 0)
		*where = NULL;
	return *where ? 0 : -ENOMEM;
}

void root_close(struct root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}
