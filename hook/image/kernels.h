/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The installed kernels, and the path of each one's image: every command that looks at images, or
 * makes them, uses this list. Reads directories; opens no image.
 */
#ifndef VFIO_EARLY_HOOK_IMAGE_KERNELS_H
#define VFIO_EARLY_HOOK_IMAGE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/root.h"

#define KERNELS_BOOT "boot" /* relative to the root */

struct kernel {
	char *version;
	char *image; /* "boot/initrd.img-VERSION"; where it would be if there is none */
	bool has_image;
	bool has_modules; /* in lib/modules; without these no image can be made */
};

struct kernels {
	struct kernel *list;
	size_t count; /* newest first, because it is the next to boot */
};

/*
 * kernels_find - find every /boot/vmlinuz-VERSION, as kernels_find of scripts/cmdline/loader.sh does:
 * not the VERSION.old that another "make install" has left.
 * @kernels: filled in; call kernels_free() in any case
 *
 * Returns 0 or -errno, without a message; no /boot, or an empty one, is an empty list.
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
