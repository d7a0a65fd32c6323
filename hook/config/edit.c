// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes one of the administrator's files; see edit.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/edit.h"
#include "util/file.h"
#include "util/message.h"
#include "util/program.h"

#define PATH_DIFF "/usr/bin/diff"

/* The real path of a descriptor's file: no other way tells it without a race. */
static int real_path(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	if (len < 0)
		return -errno;
	path[len] = '\0';
	return *path == '/' ? 0 : -ENOENT;
}

static bool is_below(const char *path, const struct root *root)
{
	size_t len = strlen(root->path);

	return !strncmp(path, root->path, len) && path[len] == '/';
}

/* The directory and the last component of the file's real path, existing or not. */
static int find_place(const struct root *root, int fd, const char *name, struct edit *edit)
{
	char path[PATH_MAX], dir[PATH_MAX], *slash;
	int ret;

	if (fd >= 0) {
		ret = real_path(fd, path);
	} else {
		int parentfd;

		snprintf(dir, sizeof(dir), "%s", name);
		slash = strrchr(dir, '/');
		if (slash)
			*slash = '\0';
		parentfd = openat(root->fd, slash ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (parentfd < 0)
			return -errno;
		ret = real_path(parentfd, dir);
		close(parentfd);
		if (!ret && snprintf(path, sizeof(path), "%s/%s", strcmp(dir, "/") ? dir : "",
				     slash ? strrchr(name, '/') + 1 : name) >= (int)sizeof(path))
			ret = -ENAMETOOLONG;
	}
	if (ret)
		return ret;
	if (!is_below(path, root))
		return message_error("/%s leads out of %s, to %s; fix: edit that file yourself",
				     name, root->path, path);

	slash = strrchr(path, '/');
	edit->base = strdup(slash + 1);
	edit->folder = strndup(path + strlen(root->path),
			       (size_t)(slash - path) - strlen(root->path));
	slash[slash == path] = '\0';
	edit->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (edit->dirfd < 0)
		return -errno;
	return edit->base && edit->folder ? 0 : -ENOMEM;
}

static int open_file(const struct root *root, const char *name, struct edit *edit)
{
	struct stat st;
	int fd, ret;

	fd = file_open(root->fd, name);
	if (fd == -EISDIR || fd == -ENOTSUP)
		return message_error("/%s is not a regular file; fix: move it away", name);
	if (fd < 0 && fd != -ENOENT)
		return message_errno(fd, "cannot open /%s", name);
	if (fd < 0 && !fstatat(root->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return message_error("/%s leads nowhere; fix: mount what it leads to, or remove it",
				     name);

	ret = find_place(root, fd, name, edit);
	if (ret) {
		if (!edit->base && ret != -EINVAL)
			message_errno(ret, "cannot find the folder of /%s", name);
		else if (ret != -EINVAL)
			message_errno(ret, "cannot open the folder of /%s", name);
		goto out;
	}
	/* Opened by its real name; it may be another file than a moment ago. */
	if (fd >= 0)
		close(fd);
	fd = file_open(edit->dirfd, edit->base);
	if (fd < 0 && fd != -ENOENT)
		ret = fd;
	if (fd >= 0) {
		ret = fstat(fd, &edit->st) ? -errno : 0;
		edit->exists = true;
	}
	if (!ret && fd >= 0)
		ret = file_read_all(fd, EDIT_MAX_SIZE, &edit->old, &edit->old_size);
	if (!ret && !edit->exists) {
		edit->old = strdup("");
		ret = edit->old ? 0 : -ENOMEM;
	}
	if (ret == -EFBIG)
		message_error("/%s is larger than 1 MiB; fix: edit it yourself", name);
	else if (ret)
		message_errno(ret, "cannot read /%s", name);
out:
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Two edits at once would each lose the other's change. */
static int lock(const struct root *root, struct edit *edit)
{
	char holder[32];
	int ret = lock_take(root, "edit.lock", EDIT_WAIT_MS, &edit->lock);

	if (ret == -EBUSY)
		return message_error("%s: another vfio-early%s has been changing a file for %d "
				     "seconds; fix: wait for its end, or end it",
				     edit->name, lock_holder(&edit->lock, holder),
				     EDIT_WAIT_MS / 1000);
	return ret ? message_errno(ret, "cannot make /run/vfio-early/edit.lock") : 0;
}

int edit_open(const struct root *root, const char *name, struct edit *edit)
{
	int ret;

	*edit = EDIT_NONE;
	if (asprintf(&edit->name, "/%s", name) < 0) {
		edit->name = NULL;
		return message_errno(-ENOMEM, "cannot read /%s", name);
	}
	ret = lock(root, edit);
	return ret ? ret : open_file(root, name, edit);
}

bool edit_is_changed(const struct edit *edit)
{
	return edit->text &&
	       (edit->size != edit->old_size || memcmp(edit->text, edit->old, edit->size) != 0);
}

/* A text as a file that a child can open by its number. Returns a descriptor or -errno. */
static int text_fd(const char *text, size_t size)
{
	int fd = memfd_create("vfio-early", 0);
	int ret = fd < 0 ? -errno : file_write(fd, text, size);

	if (ret && fd >= 0)
		close(fd);
	return ret ? ret : fd;
}

static int run_diff(const char *before, const char *after, int oldfd, int newfd)
{
	char old[64], new[64], *text;
	const char *const argv[] = { PATH_DIFF, "-u", "--label", before, "--label",
				     after,	old,  new,	 NULL };
	int ret;

	snprintf(old, sizeof(old), "/proc/self/fd/%d", oldfd);
	snprintf(new, sizeof(new), "/proc/self/fd/%d", newfd);
	ret = program_run(NULL, argv, &text, NULL);
	if (text)
		fputs(text, stdout);
	free(text);
	/* 1: they differ. */
	if (ret > 1)
		return -ENOEXEC;
	return ret < 0 ? ret : 0;
}

int edit_diff(const struct edit *edit)
{
	int oldfd, newfd, ret;

	if (!edit_is_changed(edit))
		return 0;
	oldfd = text_fd(edit->old, edit->old_size);
	newfd = text_fd(edit->text, edit->size);
	ret = oldfd < 0 ? oldfd : newfd;
	if (ret >= 0)
		ret = run_diff(edit->exists ? edit->name : "/dev/null", edit->name, oldfd, newfd);
	if (oldfd >= 0)
		close(oldfd);
	if (newfd >= 0)
		close(newfd);
	return ret ? message_errno(ret, "cannot show the change of %s with " PATH_DIFF,
				   edit->name) :
		     0;
}

static bool is_same_text(const struct edit *edit, const char *base)
{
	size_t size;
	char *text;
	bool same;

	if (file_read(edit->dirfd, base, EDIT_MAX_SIZE, &text, &size))
		return false;
	same = size == edit->old_size && !memcmp(text, edit->old, size);
	free(text);
	return same;
}

int edit_backup(struct edit *edit, const char *suffix, char **kept)
{
	char base[NAME_MAX + 1];
	int ret = -EEXIST;

	*kept = NULL;
	if (!edit->exists)
		return 0;
	for (unsigned int i = 0; i < 100 && ret == -EEXIST; i++) {
		char number[16] = "";

		if (i)
			snprintf(number, sizeof(number), ".%u", i);
		if (snprintf(base, sizeof(base), "%s%s%s", edit->base, suffix, number) >=
		    (int)sizeof(base)) {
			ret = -ENAMETOOLONG;
			break;
		}
		ret = is_same_text(edit, base) ?
			      0 :
			      file_create(edit->dirfd, base, &edit->st, edit->old, edit->old_size);
	}
	if (!ret && asprintf(kept, "%s/%s", edit->folder, base) < 0) {
		*kept = NULL;
		ret = -ENOMEM;
	}
	return ret ? message_errno(ret, "cannot keep a backup of %s; nothing was changed",
				   edit->name) :
		     0;
}

int edit_commit(struct edit *edit)
{
	int ret;

	if (!edit_is_changed(edit))
		return 0;
	ret = file_replace(edit->dirfd, edit->base, edit->exists ? &edit->st : NULL, edit->text,
			   edit->size);
	if (ret == FILE_UNSYNCED)
		return message_errno(-errno, "%s is written, but may not survive a power cut",
				     edit->name);
	if (ret == -EACCES && geteuid())
		return message_error("cannot write %s; it is as it was: %s; fix: run it as root",
				     edit->name, strerror(EACCES));
	return ret ? message_errno(ret, "cannot write %s; it is as it was", edit->name) : 0;
}

void edit_close(struct edit *edit)
{
	free(edit->name);
	free(edit->base);
	free(edit->old);
	free(edit->text);
	free(edit->folder);
	if (edit->dirfd >= 0)
		close(edit->dirfd);
	lock_release(&edit->lock);
	*edit = EDIT_NONE;
}
