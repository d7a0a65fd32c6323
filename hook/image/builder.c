// SPDX-License-Identifier: GPL-2.0-or-later
/* The program that makes the images of this host; see builder.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/sysfs.h"
#include "image/builder.h"
#include "util/file.h"
#include "util/program.h"

#define PATH_UPDATE	 "usr/sbin/update-initramfs"
#define PATH_MKINITRAMFS "usr/sbin/mkinitramfs"
#define PATH_DRACUT	 "usr/bin/dracut"
#define PATH_RUN_PARTS	 "usr/bin/run-parts"
#define PATH_INFO	 "var/lib/dpkg/info"

/* Of update-initramfs(8); the second since initramfs-tools 0.148 and dracut 110. */
static const char *const post_update[] = { "/etc/initramfs/post-update.d",
					   "/usr/share/initramfs/post-update.d" };

#define N_POST_UPDATE (sizeof(post_update) / sizeof(post_update[0]))

static int look_for_update(const char *line, void *arg)
{
	(void)arg;
	return !strcmp(line, "/" PATH_UPDATE) || !strcmp(line, "/sbin/update-initramfs");
}

/* A removed package still has a list: of its conffiles. */
static bool is_owner(const struct root *root, const char *package)
{
	char path[SYSFS_PATH_MAX];

	return file_for_each_line(root->fd, sysfs_path(path, PATH_INFO "/%s.list", package),
				  look_for_update, NULL) > 0;
}

enum image_builder builder_find(const struct root *root)
{
	bool has_dracut = sysfs_exists(root->fd, PATH_DRACUT);

	if (sysfs_exists(root->fd, PATH_UPDATE)) {
		if (is_owner(root, "initramfs-tools"))
			return IMAGE_INITRAMFS_TOOLS;
		if (has_dracut && is_owner(root, "dracut"))
			return IMAGE_DRACUT;
		/*
		 * It belongs to neither: diverted, or installed by hand. It is what kernel packages
		 * call.
		 */
		if (sysfs_exists(root->fd, PATH_MKINITRAMFS))
			return IMAGE_INITRAMFS_TOOLS;
	}
	return has_dracut ? IMAGE_DRACUT : IMAGE_UNKNOWN;
}

const char *builder_name(enum image_builder builder)
{
	switch (builder) {
	case IMAGE_INITRAMFS_TOOLS:
		return "initramfs-tools";
	case IMAGE_DRACUT:
		return "dracut";
	case IMAGE_UNKNOWN:
		break;
	}
	return NULL;
}

bool builder_replaces(enum image_builder builder)
{
	return builder == IMAGE_INITRAMFS_TOOLS;
}

int builder_run(const struct root *root, enum image_builder builder, const struct kernel *kernel,
		const char *target, char **said)
{
	char path[PATH_MAX];
	const char *const update[] = { "/" PATH_UPDATE, kernel->has_image ? "-u" : "-c", "-k",
				       kernel->version, NULL };
	const char *const dracut[] = { "/" PATH_DRACUT, "--force", path, kernel->version, NULL };
	static const char no_hooks[] = "NO_POST_UPDATE_HOOKS";
	int ret;

	if (builder != IMAGE_DRACUT)
		return program_run(root, update, said, said);
	snprintf(path, sizeof(path), "/%s", target);
	/*
	 * trixie's version runs the scripts of post-update.d itself, before the new image is in its
	 * place.
	 */
	if (setenv(no_hooks, "1", 1))
		return -ENOMEM;
	ret = program_run(root, dracut, said, said);
	unsetenv(no_hooks);
	return ret;
}

int builder_finish(const struct root *root, enum image_builder builder, const struct kernel *kernel,
		   char **said)
{
	char version[PATH_MAX], image[PATH_MAX];
	const char *argv[N_POST_UPDATE + 4] = { "/" PATH_RUN_PARTS, version, image };
	unsigned int words = 3;

	*said = NULL;
	if (builder_replaces(builder))
		return 0;
	snprintf(version, sizeof(version), "--arg=%s", kernel->version);
	snprintf(image, sizeof(image), "--arg=/%s", kernel->image);
	for (size_t i = 0; i < N_POST_UPDATE; i++)
		if (sysfs_exists(root->fd, post_update[i] + 1))
			argv[words++] = post_update[i];
	return words > 3 ? program_run(root, argv, said, said) : 0;
}
