// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernels that are installed; see kernels.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/sysfs.h"
#include "image/builder.h"
#include "image/kernels.h"
#include "plan/modules.h"
#include "util/array.h"
#include "util/file.h"

/* Debian's name for both builders, then that of dracut elsewhere. */
static const struct {
	const char *before, *after;
} names[] = { { "initrd.img-", "" }, { "initramfs-", ".img" } };

#define N_NAMES (sizeof(names) / sizeof(names[0]))

static int is_kernel(const struct dirent *entry)
{
	return (!strncmp(entry->d_name, "vmlinuz-", 8) || !strncmp(entry->d_name, "vmlinux-", 8)) &&
	       entry->d_name[8];
}

/* "make install" renames the kernel of the same version that was there: VERSION.old, without modules. */
static bool is_renamed(const struct root *root, const char *version)
{
	size_t len = strlen(version);
	char path[SYSFS_PATH_MAX];

	return len > 4 && !strcmp(version + len - 4, ".old") &&
	       !sysfs_exists(root->fd, sysfs_path(path, MODULES_PATH "/%s", version));
}

/* An image by dracut's name elsewhere is none that initramfs-tools would make, or GRUB boot with it. */
static size_t names_of(const struct root *root)
{
	return builder_find(root) == IMAGE_INITRAMFS_TOOLS ? 1 : N_NAMES;
}

static int find_image(const struct root *root, struct kernel *kernel)
{
	for (size_t i = 0; i < names_of(root) && !kernel->has_image; i++) {
		free(kernel->image);
		if (asprintf(&kernel->image, KERNELS_BOOT "/%s%s%s", names[i].before,
			     kernel->version, names[i].after) < 0) {
			kernel->image = NULL;
			return -ENOMEM;
		}
		kernel->has_image = sysfs_exists(root->fd, kernel->image);
	}
	if (kernel->has_image)
		return 0;
	free(kernel->image);
	if (asprintf(&kernel->image, KERNELS_BOOT "/%s%s%s", names[0].before, kernel->version,
		     names[0].after) >= 0)
		return 0;
	kernel->image = NULL;
	return -ENOMEM;
}

static int add_kernel(const struct root *root, const char *version, struct kernels *kernels)
{
	struct kernel kernel = { 0 };
	int ret;

	for (size_t i = 0; i < kernels->count; i++)
		if (!strcmp(kernels->list[i].version, version))
			return 0; /* vmlinux beside vmlinuz */
	kernel.version = strdup(version);
	if (!kernel.version)
		return -ENOMEM;
	kernel.has_modules = modules_are_indexed(root, version);
	ret = find_image(root, &kernel);
	if (!ret)
		ret = array_append(&kernels->list, &kernels->count, sizeof(kernel), &kernel);
	if (ret) {
		free(kernel.version);
		free(kernel.image);
	}
	return ret;
}

int kernels_find(const struct root *root, struct kernels *kernels)
{
	struct dirent **entry = NULL;
	int count, ret = 0;

	*kernels = (struct kernels){ 0 };
	count = file_names(root->fd, KERNELS_BOOT, &entry, is_kernel, versionsort);
	if (count < 0)
		return count == -ENOENT ? 0 : count;
	for (int i = count; i-- > 0;) {
		if (!ret && !is_renamed(root, entry[i]->d_name + 8))
			ret = add_kernel(root, entry[i]->d_name + 8, kernels);
		free(entry[i]);
	}
	free(entry);
	return ret;
}

void kernels_free(struct kernels *kernels)
{
	for (size_t i = 0; i < kernels->count; i++) {
		free(kernels->list[i].version);
		free(kernels->list[i].image);
	}
	free(kernels->list);
	*kernels = (struct kernels){ 0 };
}

char *kernels_version(const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (size_t i = 0; i < N_NAMES; i++) {
		size_t before = strlen(names[i].before), after = strlen(names[i].after);
		size_t len = strlen(name);

		if (len > before + after && !strncmp(name, names[i].before, before) &&
		    !strcmp(name + len - after, names[i].after))
			return strndup(name + before, len - before - after);
	}
	return NULL;
}
