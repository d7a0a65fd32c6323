// SPDX-License-Identifier: GPL-2.0-or-later
/* What systemd mounts because a path, or another line of fstab, needs it; see requires.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protect/filesystem.h"
#include "protect/mounts.h"
#include "protect/requires.h"

/*
 * Adds a line of fstab that something below it needs: as it is mounted now, else by what it names.
 */
static void add_line(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	const char *target = mnt_fs_get_target(fs), *source = mnt_fs_get_source(fs);
	struct libmnt_fs *mounted = mounts_at(graph->mounts, target);
	char key[PATH_MAX];

	/* Once in each walk: a bind mount may be on itself. */
	if (tree_path(key, "fstab %s", target) || !graph_add_name(graph, &graph->seen, key))
		return;
	graph->depth++;
	if (mounted)
		filesystem_add(graph, mounted, cause);
	else if (source && (starts_with(source, "/dev/") || !mnt_fs_get_tag(fs, NULL, NULL)))
		mounts_add_spec(graph, source, cause);
	else
		filesystem_add_entry(graph, fs, cause);
	graph->depth--;
}

void requires_add_path(struct graph *graph, const char *path, const struct cause *cause)
{
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;

	if (!graph->fstab || *path != '/' || cause->kind == CAUSE_IN_USE ||
	    graph->depth >= GRAPH_MAX_DEPTH)
		return;
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	if (!iter)
		graph->err = -ENOMEM;
	while (iter && !mnt_table_next_fs(graph->fstab, iter, &fs)) {
		const char *target = mnt_fs_get_target(fs);
		size_t len = target && *target == '/' ? strlen(target) : 0;

		/* "/" is looked at for itself. */
		if (len > 1 && !strncmp(path, target, len) && (path[len] == '/' || !path[len]))
			add_line(graph, fs, cause);
	}
	mnt_free_iter(iter);
}

/*
 * "srv-my\x2dkeys.mount" is /srv/my-keys: systemd.unit(5), "string escaping". Returns whether the unit is
 * of a path.
 */
static bool path_of_unit(const char *unit, size_t len, char path[PATH_MAX])
{
	static const char *const ends[] = { ".mount", ".device" };
	size_t n = 1;

	path[0] = '\0';
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);

		if (len <= end || len >= PATH_MAX || strncmp(unit + len - end, ends[i], end) != 0)
			continue;
		path[0] = '/';
		for (const char *c = unit; c < unit + len - end; c++) {
			char hex[3] = "";

			if (c[0] == '\\' && c[1] == 'x' && isxdigit((unsigned char)c[2]) &&
			    isxdigit((unsigned char)c[3])) {
				memcpy(hex, c + 2, 2);
				path[n++] = (char)strtoul(hex, NULL, 16);
				c += 3;
			} else {
				path[n++] = *c == '-' ? '/' : *c;
			}
		}
		path[n] = '\0';
		return true;
	}
	return false;
}

/* @value: a unit, a device or a mount point */
static void add_unit(struct graph *graph, const char *value, size_t len, const struct cause *cause)
{
	char path[PATH_MAX];

	if (*value == '/' ? tree_path(path, "%.*s", (int)len, value) :
			    !path_of_unit(value, len, path))
		return;
	if (starts_with(path, "/dev/"))
		mounts_add_spec(graph, path, cause);
	else
		requires_add_path(graph, path, cause);
}

void requires_add_entry(struct graph *graph, struct libmnt_fs *fs, const struct cause *cause)
{
	char *options = (char *)mnt_fs_get_options(fs), *name, *value, path[PATH_MAX];
	const char *target = mnt_fs_get_target(fs);
	size_t name_size, size;

	if (target && *target == '/' && !tree_path(path, "%s", target)) {
		*strrchr(path, '/') = '\0';
		requires_add_path(graph, path, cause);
	}
	while (options && !mnt_optstr_next_option(&options, &name, &name_size, &value, &size)) {
		if (!value)
			continue;
		if (name_size == strlen("x-systemd.requires") &&
		    !strncmp(name, "x-systemd.requires", name_size))
			add_unit(graph, value, size, cause);
		else if (name_size == strlen("x-systemd.requires-mounts-for") &&
			 !strncmp(name, "x-systemd.requires-mounts-for", name_size) &&
			 !tree_path(path, "%.*s", (int)size, value))
			requires_add_path(graph, path, cause);
	}
}
