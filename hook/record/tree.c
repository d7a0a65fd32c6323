// SPDX-License-Identifier: GPL-2.0-or-later
/* Files below a folder, with names that are not trusted; see tree.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/tree.h"
#include "util/file.h"
#include "util/printable.h"

#define MAX_DEPTH 64

/* --- text */

static int hex_of(char c)
{
	const char *digits = "0123456789abcdef",
		   *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

void unpack_text(char *text, size_t *size)
{
	size_t to = 0;

	for (size_t from = 0; from < *size;) {
		const char *s = text + from;
		size_t left = *size - from;

		if (left >= 2 && *s == '\\' && (s[1] == 'n' || s[1] == 't')) {
			text[to++] = s[1] == 'n' ? '\n' : '\t';
			from += 2;
		} else if (left >= 4 && *s == '\\' && s[1] == '%' && hex_of(s[2]) >= 0 &&
			   hex_of(s[3]) >= 0) {
			text[to++] = (char)(hex_of(s[2]) << 4 | hex_of(s[3]));
			from += 4;
		} else {
			text[to++] = *s;
			from++;
		}
	}
	text[to] = '\0';
	*size = to;
	printable_make(text, to);
}

/* Every part must be a name: not "..", not ".", not empty. Paths of old records begin with '/'. */
int unpack_path(char *path)
{
	size_t size = strlen(path), depth = 0;

	unpack_text(path, &size);
	if (strlen(path) != size || size >= PATH_MAX)
		return -EINVAL;
	if (*path == '/')
		memmove(path, path + 1, size);
	for (const char *part = path; depth < MAX_DEPTH; depth++) {
		size_t len = strcspn(part, "/");

		if (!len || len > NAME_MAX || (len == 1 && *part == '.') ||
		    (len == 2 && !strncmp(part, "..", 2)) || strcspn(part, "\n\t") < len)
			return -EINVAL;
		if (!part[len])
			return 0;
		part += len + 1;
	}
	return -EINVAL;
}

/* --- files */

/* Opens the folder of a path, made if it is missing. Returns a descriptor or -errno. */
static int open_parent(int dirfd, const char *path, const char **name)
{
	int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);

	while (fd >= 0 && strchr(path, '/')) {
		char part[NAME_MAX + 1];
		size_t len = strcspn(path, "/");
		int next;

		if (len > NAME_MAX) {
			close(fd);
			return -ENAMETOOLONG;
		}
		memcpy(part, path, len);
		part[len] = '\0';
		if (mkdirat(fd, part, 0755) && errno != EEXIST)
			next = -1;
		else
			next = openat(fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0) {
			int error = errno;

			close(fd);
			return -error;
		}
		close(fd);
		fd = next;
		path += len + 1;
	}
	*name = path;
	return fd < 0 ? -errno : fd;
}

int unpack_file(int dirfd, const char *path, unsigned int mode, const char *text, size_t size)
{
	const char *name;
	int folder = open_parent(dirfd, path, &name), fd, ret;

	if (folder < 0)
		return folder;
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	ret = fd < 0 ? -errno : file_write(fd, text, size);
	if (fd >= 0 && fchmod(fd, mode) && !ret)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	close(folder);
	return ret == -EEXIST ? 0 : ret;
}

int unpack_folder(int dirfd, const char *path)
{
	const char *name;
	int folder = open_parent(dirfd, path, &name), ret;

	if (folder < 0)
		return folder;
	ret = mkdirat(folder, name, 0755) && errno != EEXIST ? -errno : 0;
	close(folder);
	return ret;
}

/*
 * ".." may only come first, and at most once for each folder above the link; those folders are not
 * links. So every link leads to a place below the root, whatever links follow on the way.
 */
static bool stays_below(const char *path, const char *target)
{
	size_t above = 0;
	bool is_up = true;

	if (*target == '/' || !*target)
		return false;
	for (; *path; path++)
		above += *path == '/';
	while (*target) {
		size_t len = strcspn(target, "/");
		bool is_parent = len == 2 && !strncmp(target, "..", 2);

		if (is_parent && (!is_up || !above))
			return false;
		if (is_parent)
			above--;
		else
			is_up = false;
		target += len + (target[len] == '/');
	}
	return true;
}

int unpack_link(int dirfd, const char *path, const char *target)
{
	const char *name;
	int folder, ret;

	if (!stays_below(path, target) || strlen(target) >= PATH_MAX)
		return -EINVAL;
	folder = open_parent(dirfd, path, &name);
	if (folder < 0)
		return folder;
	ret = symlinkat(target, folder, name) && errno != EEXIST ? -errno : 0;
	close(folder);
	return ret;
}
