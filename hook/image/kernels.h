/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernels that are installed, and where the image of each lies: whoever looks at images, or makes
 * them, goes by this one list. Reads folders; opens no image.
 */
#ifndef VFIO_EARLY_HOOK_IMAGE_KERNELS_H
#define VFIO_EARLY_HOOK_IMAGE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/root.h"

#define KERNELS_BOOT "boot" /* relative to the root */

struct kernel {
	char *version;
	char *image; /* "boot/initrd.img-VERSION"; where it would lie when there is none */
	bool has_image;
	bool has_modules; /* in lib/modules; without them no image can be made */
};

struct kernels {
	struct kernel *list;
	size_t count; /* the newest first, as it is the next to boot */
};

/*
 * kernels_find - every /boot/vmlinuz-VERSION, as linux-version(1) does.
 * @kernels: filled in; kernels_free() in any case
 *
 * Returns 0 or -errno, without a word; no /boot, or none in it, is an empty list.
 */
int kernels_find(const struct root *root, struct kernels *kernels);

void kernels_free(struct kernels *kernels);

/*
 * kernels_version - which kernel an image is for, by its name: "initrd.img-V" of Debian,
 * "initramfs-V.img" of dracut elsewhere.
 *
 * Returns malloc'ed V, or NULL when the name does not tell (or memory ran out).
 */
char *kernels_version(const char *path);

#endif
