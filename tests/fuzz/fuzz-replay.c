// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bug report, as --root FILE reads it: all that it makes lies in its own folder, no link in it leads out, no
 * file of it can be run, and no name has what a terminal obeys.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "early/pci.h"
#include "record/replay.h"
#include "tests/fuzz/fuzz.h"
#include "util/file.h"

#define FOLDER "tree"

/* A link to what is not there is fine: one that leads above the folder is not. */
static void check_link(int dirfd, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH };
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	must(fd >= 0 || errno != EXDEV);
	if (fd >= 0)
		close(fd);
}

static void check_name(const char *name)
{
	for (; *name; name++)
		must((unsigned char)*name >= ' ' && *name != 0x7f);
}

/* @rootfd: the tree's; @fd: of the folder @path in it, closed here */
static void check_folder(int rootfd, int fd, const char *path)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	must(dir);
	while ((entry = readdir(dir))) {
		char below[PATH_MAX];
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		check_name(entry->d_name);
		must(snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) <
		     (int)sizeof(below));
		must(!fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW));
		must(S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode) || S_ISREG(st.st_mode));
		must(!S_ISREG(st.st_mode) || !(st.st_mode & 07111));
		if (S_ISLNK(st.st_mode))
			check_link(rootfd, below);
		if (S_ISDIR(st.st_mode))
			check_folder(rootfd,
				     openat(dirfd(dir), entry->d_name,
					    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				     below);
	}
	closedir(dir);
}

/* Of the folder around it: what was made outside of the tree would be here. */
static void check_outside(int rootfd)
{
	DIR *dir = fdopendir(openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	must(dir);
	while ((entry = readdir(dir)))
		must(*entry->d_name == '.' || !strcmp(entry->d_name, FOLDER));
	closedir(dir);
}

static int see(const struct pci_function *fn, int error, void *arg)
{
	(void)error;
	(void)arg;
	must(memchr(fn->driver, '\0', sizeof(fn->driver)));
	return 0;
}

static void remove_folder(void)
{
	file_remove_tree(fuzz_root(), FOLDER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_first = true;
	int rootfd = fuzz_root(), fd, ret;
	char *text = fuzz_text(data, size);

	if (is_first)
		atexit(remove_folder);
	is_first = false;
	must(!mkdirat(rootfd, FOLDER, 0700));
	fd = openat(rootfd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0);
	ret = replay_make(fd, text, size);
	must(ret >= -4095 && (size_t)(ret > 0 ? ret : 0) <= size + 1);
	check_outside(rootfd);
	check_folder(fd, dup(fd), ".");
	pci_scan(fd, see, NULL);
	must(!file_remove_tree(rootfd, FOLDER));
	close(fd);
	free(text);
	return 0;
}
