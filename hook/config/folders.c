// SPDX-License-Identifier: GPL-2.0-or-later
/* Folders of config files; see folders.h. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "config/folders.h"
#include "util/array.h"
#include "util/file.h"

/* include/uapi/linux/major.h; drivers/char/mem.c */
#define MEM_MAJOR  1
#define NULL_MINOR 3

const char *const folders_modprobe[] = {
	"etc/modprobe.d",     "run/modprobe.d", "usr/local/lib/modprobe.d",
	"usr/lib/modprobe.d", "lib/modprobe.d", NULL,
};

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);

	return !end || (len > end && !strcmp(name + len - end, suffix));
}

/* In modprobe.d, *.alias is read too (libkmod-config.c, conf_files_filter_out()). */
static bool is_read(const char *dir, const char *base, const char *suffix)
{
	return has_suffix(base, suffix) ||
	       (has_suffix(dir, "/modprobe.d") && has_suffix(base, ".alias"));
}

static int add(struct folders *folders, const char *dir, const char *base, const char *suffix)
{
	struct folder_file file = {
		.state = is_read(dir, base, suffix) ? FOLDER_READ : FOLDER_NO_SUFFIX,
	};

	if (asprintf(&file.name, "%s/%s", dir, base) < 0)
		return -ENOMEM;
	file.base = strrchr(file.name, '/') + 1;
	if (!array_append(&folders->file, &folders->count, sizeof(file), &file))
		return 0;
	free(file.name);
	return -ENOMEM;
}

static int add_folder(const struct root *root, struct folders *folders, const char *dir,
		      const char *suffix)
{
	struct dirent **entry;
	int count = file_names(root->fd, dir, &entry, is_visible, NULL), ret = 0;

	if (count < 0) {
		if (count != -ENOENT && count != -ENOTDIR && !folders->unread) {
			folders->error = -count;
			folders->unread = strdup(dir);
			return folders->unread ? 0 : -ENOMEM;
		}
		return 0;
	}
	for (int i = 0; i < count; i++) {
		if (!ret)
			ret = add(folders, dir, entry[i]->d_name, suffix);
		free(entry[i]);
	}
	free(entry);
	return ret;
}

/* Stable: the order of the directories decides between two files of one name. */
static void sort(struct folders *folders)
{
	for (size_t i = 1; i < folders->count; i++) {
		struct folder_file file = folders->file[i];
		size_t at = i;

		for (; at && strcmp(folders->file[at - 1].base, file.base) > 0; at--)
			folders->file[at] = folders->file[at - 1];
		folders->file[at] = file;
	}
}

int folders_list(const struct root *root, const char *const *dirs, const char *suffix,
		 struct folders *folders)
{
	int ret = 0;

	*folders = (struct folders){ 0 };
	for (size_t i = 0; dirs[i] && !ret; i++)
		ret = add_folder(root, folders, dirs[i], suffix);
	sort(folders);
	for (size_t i = 1; i < folders->count; i++)
		if (folders->file[i].state == FOLDER_READ &&
		    !strcmp(folders->file[i].base, folders->file[i - 1].base))
			folders->file[i].state = FOLDER_HIDDEN;
	return ret;
}

void folders_free(struct folders *folders)
{
	for (size_t i = 0; i < folders->count; i++)
		free(folders->file[i].name);
	free(folders->file);
	free(folders->unread);
	*folders = (struct folders){ 0 };
}

/* A link to /dev/null hides the files of that name in later directories. */
static bool is_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) ||
	       (S_ISCHR(st->st_mode) && st->st_rdev == makedev(MEM_MAJOR, NULL_MINOR));
}

int folders_kmod(const struct root *root, char ***path,
		 void (*odd)(const char *name, int error, void *arg), void *arg)
{
	struct folders folders;
	int ret = folders_list(root, folders_modprobe, "", &folders);
	size_t count = 0;

	*path = ret ? NULL : calloc(folders.count + 1, sizeof(**path));
	for (size_t i = 0; i < folders.count && *path && !ret; i++) {
		const struct folder_file *file = &folders.file[i];
		struct stat st;
		int error;

		/* Both are read (libkmod-config.c, conf_files_filter_out()). */
		if (file->state != FOLDER_READ ||
		    !(has_suffix(file->base, ".conf") || has_suffix(file->base, ".alias")))
			continue;
		error = -file_stat(root->fd, file->name, &st);
		if (error == ENOENT || (!error && S_ISDIR(st.st_mode)))
			continue;
		if (!error && is_file(&st))
			ret = root_locate(root, file->name, &(*path)[count++]);
		else if (odd)
			odd(file->name, error, arg);
	}
	if (folders.unread && odd)
		odd(folders.unread, folders.error, arg);
	if (ret && count)
		(*path)[count - 1] = NULL;
	folders_free(&folders);
	return *path ? ret : -ENOMEM;
}

void folders_kmod_free(char **path)
{
	for (size_t i = 0; path && path[i]; i++)
		free(path[i]);
	free(path);
}
