// SPDX-License-Identifier: GPL-2.0-or-later
/* See fuzz.h. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static char root[] = "/dev/shm/vfio-early-fuzz-XXXXXX";
static char made[PATH_MAX];

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* The one file, and its folders from the innermost. */
static void clean_up(void)
{
	char *slash;

	for (unlink(made); (slash = strrchr(made, '/')) && strlen(made) >= sizeof(root);) {
		*slash = '\0';
		rmdir(made);
	}
}

int fuzz_root(void)
{
	static int fd = -1;

	if (fd < 0) {
		must(mkdtemp(root));
		fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		must(fd >= 0);
		snprintf(made, sizeof(made), "%s", root);
		atexit(clean_up);
	}
	return fd;
}

void fuzz_file(const char *path, const void *data, size_t size)
{
	int rootfd = fuzz_root(), fd;
	char part[PATH_MAX];

	for (const char *at = path; (at = strchr(at, '/')); at++) {
		snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
		mkdirat(rootfd, part, 0755);
	}
	snprintf(made, sizeof(made), "%s/%s", root, path);
	fd = openat(rootfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0);
	must(write(fd, data, size) == (ssize_t)size);
	close(fd);
}
