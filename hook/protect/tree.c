// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads below the root, for what this host needs; see need.h. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "early/sysfs.h"
#include "protect/graph.h"
#include "util/array.h"

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

bool tree_exists(const struct need_ctx *ctx, const char *path)
{
	return sysfs_exists(ctx->rootfd, path);
}

FILE *tree_open(const struct need_ctx *ctx, const char *path)
{
	int fd = sysfs_open(ctx->rootfd, path);
	FILE *f;

	if (fd < 0)
		return NULL;
	f = fdopen(fd, "re");
	if (!f)
		close(fd);
	return f;
}

int tree_read(const struct need_ctx *ctx, const char *path, char *buf, size_t size)
{
	int ret = sysfs_read(ctx->rootfd, path, buf, size);

	if (ret < 0 && ret != -EFBIG) {
		*buf = '\0';
		return ret;
	}
	for (size_t i = strlen(buf); i && isspace((unsigned char)buf[i - 1]); i--)
		buf[i - 1] = '\0';
	return 0;
}

int tree_attr(const struct need_ctx *ctx, const char *dir, const char *name, char *buf, size_t size)
{
	char path[PATH_MAX];
	int ret = tree_path(path, "%s/%s", dir, name);

	*buf = '\0';
	return ret ? ret : tree_read(ctx, path, buf, size);
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

int tree_names(struct need_ctx *ctx, const char *path, struct stringset *names)
{
	int ret;

	*names = (struct stringset){ 0 };
	ret = sysfs_for_each(ctx->rootfd, path, add_name, names);
	stringset_sort(names);
	if (ret == -ENOMEM)
		ctx->err = ret;
	return ret == -ENOENT || ret == -ENOTDIR ? 0 : ret;
}

int tree_real_path(const struct need_ctx *ctx, const char *path, char *real)
{
	size_t len = strlen(ctx->root);
	char buf[PATH_MAX], *resolved;
	int ret = tree_path(buf, "%s/%s", ctx->root, path);

	*real = '\0';
	if (ret)
		return ret;
	resolved = realpath(buf, NULL);
	if (!resolved)
		return -errno;
	if (strncmp(resolved, ctx->root, len) || !starts_with(resolved + len, "/sys/"))
		ret = -EXDEV;
	else
		ret = tree_path(real, "%s", resolved + len + 1);
	free(resolved);
	return ret;
}
