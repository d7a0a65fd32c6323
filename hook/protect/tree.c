// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads below the root, for what this host needs; see tree.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "early/sysfs.h"
#include "protect/tree.h"
#include "util/array.h"
#include "util/file.h"

int tree_path(char *path, const char *format, ...)
{
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = vsnprintf(path, PATH_MAX, format, ap);
	va_end(ap);
	if (ret >= 0 && ret < PATH_MAX)
		return 0;
	*path = '\0';
	return -ENAMETOOLONG;
}

bool tree_exists(const struct root *root, const char *path)
{
	return sysfs_exists(root->fd, path);
}

FILE *tree_open(const struct root *root, const char *path)
{
	return file_stream(root->fd, path);
}

int tree_read(const struct root *root, const char *path, char *buf, size_t size)
{
	return file_read_once(root->fd, path, buf, size);
}

int tree_attr(const struct root *root, const char *dir, const char *name, char *buf, size_t size)
{
	char path[PATH_MAX];
	int ret = tree_path(path, "%s/%s", dir, name);

	*buf = '\0';
	return ret ? ret : tree_read(root, path, buf, size);
}

/* Not stringset_add(), which looks at all names before: a directory has each once. */
static int add_name(const char *name, void *arg)
{
	struct stringset *names = arg;
	char *copy;
	int ret;

	if (*name == '.')
		return 0;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	ret = array_append(&names->s, &names->n, sizeof(copy), &copy);
	if (ret)
		free(copy);
	return ret;
}

int tree_names(const struct root *root, const char *path, struct stringset *names)
{
	int ret;

	*names = (struct stringset){ 0 };
	ret = sysfs_for_each(root->fd, path, add_name, names);
	stringset_sort(names);
	return ret == -ENOENT || ret == -ENOTDIR ? 0 : ret;
}

int tree_real_path(const struct root *root, const char *path, char *real)
{
	size_t len = strlen(root->path);
	char resolved[PATH_MAX];
	int ret = root_real_path(root, path, resolved);

	*real = '\0';
	if (ret)
		return ret;
	if (strncmp(resolved, root->path, len) || !starts_with(resolved + len, "/sys/"))
		ret = -EXDEV;
	else
		ret = tree_path(real, "%s", resolved + len + 1);
	return ret;
}
