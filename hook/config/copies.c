// SPDX-License-Identifier: GPL-2.0-or-later
/* Copies of the config; see copies.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/copies.h"
#include "config/edit.h"
#include "config/folders.h"
#include "config/state.h"
#include "util/file.h"
#include "util/message.h"

#define CONFIG_FILE   "etc/vfio-early.conf"
#define CONFIG_FOLDER "etc/vfio-early.conf.d"
#define NEW_COPY      COPIES_DIR "/.new"
#define OLD_SUFFIX    ".vfio-early-old"

/* --- made */

static int copy_file(const struct root *root, const struct config_file *file)
{
	char path[PATH_MAX];
	struct stat st;
	int fd = file_open(root->fd, file->name + 1);
	int ret;

	if (fd < 0)
		return fd;
	ret = fstat(fd, &st) ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	if (snprintf(path, sizeof(path), NEW_COPY "%s", file->name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return file_create(root->fd, path, &st, file->text, file->size);
}

static int make_copy(const struct root *root, const struct config *config, const char *path)
{
	static const char *const folders[] = {
		STATE_DIR, COPIES_DIR, NEW_COPY, NEW_COPY "/etc", NEW_COPY "/" CONFIG_FOLDER,
	};
	int ret = file_remove_tree(root->fd, NEW_COPY);

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !ret; i++)
		ret = file_make_folder(root->fd, folders[i]);
	for (size_t i = 0; i < config->files && !ret; i++)
		ret = copy_file(root, &config->file[i]);
	if (!ret)
		ret = file_sync(root->fd, NEW_COPY "/" CONFIG_FOLDER);
	if (!ret)
		ret = file_sync(root->fd, NEW_COPY "/etc");
	if (!ret)
		ret = file_remove_tree(root->fd, path);
	return ret ? ret : file_rename(root->fd, NEW_COPY, path);
}

int copies_keep(const struct root *root, const struct config *config)
{
	char path[sizeof(COPIES_DIR) + CONFIG_DIGEST_HEX];
	int ret;

	if (copies_has(root, config->digest))
		return 0;
	snprintf(path, sizeof(path), COPIES_DIR "/%s", config->digest);
	ret = make_copy(root, config, path);
	if (ret)
		file_remove_tree(root->fd, NEW_COPY);
	return ret ? message_errno(ret, "cannot keep a copy of the config as /%s", path) : 0;
}

/* --- read */

/* A copy as the root of a tree that contains only the config. */
static int open_copy(const struct root *root, const char *digest, struct root *copy)
{
	int len = snprintf(copy->path, sizeof(copy->path), "%s/" COPIES_DIR "/%s", root->path,
			   digest);

	copy->is_host = false;
	copy->fd = -1;
	if (len >= (int)sizeof(copy->path))
		return -ENAMETOOLONG;
	copy->fd = openat(root->fd, copy->path + strlen(root->path) + 1,
			  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return copy->fd < 0 ? -errno : 0;
}

/* The digest of what was read must match the name: then no bit has changed. */
static int read_copy(const struct root *root, const char *digest, struct root *copy,
		     struct config *config)
{
	int ret = open_copy(root, digest, copy);
	struct config_problem problem;

	*config = (struct config){ 0 };
	if (ret)
		return ret;
	ret = config_read(copy, config, &problem);
	if (!ret && strcmp(config->digest, digest) != 0)
		ret = -EBADMSG;
	return ret;
}

bool copies_has(const struct root *root, const char *digest)
{
	struct root copy;
	struct config config;
	bool has = !read_copy(root, digest, &copy, &config);

	config_free(&config);
	root_close(&copy);
	return has;
}

/* --- put back */

/* A link to /dev/null, or a dangling one, has no text to keep. */
static int clear_odd(const struct root *root, const char *name)
{
	char target[sizeof("/dev/null")];
	ssize_t len = readlinkat(root->fd, name, target, sizeof(target));
	int fd;

	if (len < 0)
		return 0;
	fd = len == sizeof(target) - 1 && !memcmp(target, "/dev/null", sizeof(target) - 1) ?
		     -ENOENT :
		     file_open(root->fd, name);
	if (fd < 0)
		return unlinkat(root->fd, name, 0) ? -errno : 0;
	close(fd);
	return 0;
}

static int restore_file(const struct root *root, const struct root *copy,
			const struct config_file *file, bool is_kept)
{
	struct edit edit = EDIT_NONE;
	char *kept = NULL;
	struct stat st;
	int ret = clear_odd(root, file->name + 1);

	if (ret || fstatat(copy->fd, file->name + 1, &st, 0))
		return message_errno(ret ? ret : -errno, "cannot put %s back", file->name);
	ret = edit_open(root, file->name + 1, &edit);
	if (ret)
		goto out;
	edit.text = strndup(file->text, file->size);
	edit.size = file->size;
	if (!edit.text)
		ret = message_errno(-ENOMEM, "cannot put %s back", file->name);
	if (!ret && edit_is_changed(&edit) && !is_kept)
		ret = edit_backup(&edit, OLD_SUFFIX, &kept);
	if (!ret) {
		bool is_like = edit.exists && edit.st.st_mode == st.st_mode &&
			       edit.st.st_uid == st.st_uid && edit.st.st_gid == st.st_gid;

		/* Mode and owner are restored with the text. */
		edit.st = st;
		if (!edit_is_changed(&edit) && (!edit.exists || !is_like)) {
			ret = file_replace(edit.dirfd, edit.base, &st, edit.text, edit.size);
			if (ret)
				ret = message_errno(ret < 0 ? ret : -errno, "cannot write %s",
						    file->name);
		}
		edit.exists = true;
	}
	if (!ret)
		ret = edit_commit(&edit);
out:
	free(kept);
	edit_close(&edit);
	return ret;
}

static bool has_file(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->files; i++)
		if (!strcmp(config->file[i].name + 1, name))
			return true;
	return false;
}

static int remove_file(const struct root *root, const char *name, bool is_kept)
{
	char old[PATH_MAX];
	int ret;

	if (snprintf(old, sizeof(old), "%s" OLD_SUFFIX, name) >= (int)sizeof(old))
		ret = -ENAMETOOLONG;
	else if (is_kept)
		ret = unlinkat(root->fd, name, 0) ? -errno : 0;
	else
		ret = file_rename(root->fd, name, old);
	return ret && ret != -ENOENT ? message_errno(ret, "cannot remove /%s", name) : 0;
}

/* Removes the files that the copy does not have. */
static int restore_absence(const struct root *root, const struct config *config, bool is_kept)
{
	static const char *const dirs[] = { CONFIG_FOLDER, NULL };
	struct folders folders;
	int ret = folders_list(root, dirs, ".conf", &folders);

	if (!ret && !has_file(config, CONFIG_FILE))
		ret = remove_file(root, CONFIG_FILE, is_kept);
	for (size_t i = 0; i < folders.count && !ret; i++)
		if (folders.file[i].state == FOLDER_READ && !has_file(config, folders.file[i].name))
			ret = remove_file(root, folders.file[i].name, is_kept);
	if (!ret && folders.count)
		ret = file_sync(root->fd, CONFIG_FOLDER);
	if (!ret)
		ret = file_sync(root->fd, "etc");
	folders_free(&folders);
	return ret;
}

int copies_restore(const struct root *root, const char *digest)
{
	struct config now, config;
	struct config_problem problem;
	struct root copy;
	bool is_kept;
	int ret = read_copy(root, digest, &copy, &config);

	if (ret) {
		message_errno(ret, "the copy of the config is damaged: /" COPIES_DIR "/%s", digest);
		goto out;
	}
	is_kept = !config_read(root, &now, &problem) && !copies_keep(root, &now);
	config_free(&now);
	for (size_t i = 0; i < config.files && !ret; i++) {
		if (!strncmp(config.file[i].name + 1, CONFIG_FOLDER "/", sizeof(CONFIG_FOLDER)))
			ret = file_make_folder(root->fd, CONFIG_FOLDER);
		if (ret)
			message_errno(ret, "cannot make /" CONFIG_FOLDER);
		else
			ret = restore_file(root, &copy, &config.file[i], is_kept);
	}
	if (!ret)
		ret = restore_absence(root, &config, is_kept);
out:
	config_free(&config);
	root_close(&copy);
	return ret;
}

/* --- removed */

static bool is_among(const char *name, const char *const digests[])
{
	for (; *digests; digests++)
		if (!strcmp(name, *digests))
			return true;
	return false;
}

int copies_drop_others(const struct root *root, const char *const digests[])
{
	int fd = file_open_folder(root->fd, COPIES_DIR), ret = 0, left = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd == -ENOENT)
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		ret = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		return message_errno(ret, "cannot read /" COPIES_DIR);
	}
	while (!ret && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (is_among(entry->d_name, digests))
			left++;
		else
			ret = file_remove_tree(fd, entry->d_name);
	}
	closedir(dir);
	if (!ret && !left && unlinkat(root->fd, COPIES_DIR, AT_REMOVEDIR) && errno != ENOENT)
		ret = -errno;
	if (!ret && !left)
		unlinkat(root->fd, STATE_DIR, AT_REMOVEDIR);
	return ret ? message_errno(ret, "cannot remove what is in /" COPIES_DIR) : 0;
}
