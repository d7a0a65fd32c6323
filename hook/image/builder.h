/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that makes the images of this host: which one it is, and how it is called for one
 * kernel. The caller checks the result.
 */
#ifndef VFIO_EARLY_HOOK_IMAGE_BUILDER_H
#define VFIO_EARLY_HOOK_IMAGE_BUILDER_H

#include <stdbool.h>

#include "image/image.h"
#include "image/kernels.h"
#include "util/root.h"

/*
 * builder_find - find the builder that the installation of a kernel would call today.
 * initramfs-tools and dracut-core can both be there, and files of either stay when it is removed:
 * the owner of /usr/sbin/update-initramfs counts. If there is no such file (dracut of bookworm and
 * trixie), it is dracut.
 *
 * Returns IMAGE_UNKNOWN, without a message, if there is neither.
 */
enum image_builder builder_find(const struct root *root);

/* builder_name - "initramfs-tools", "dracut", or NULL. */
const char *builder_name(enum image_builder builder);

/*
 * builder_replaces - does it replace the image in one step by itself? Then a link keeps the old
 * one. dracut writes into the old file, so it gets another name to write to.
 */
bool builder_replaces(enum image_builder builder);

/*
 * builder_run - make the image of a kernel.
 * @target: "boot/initrd.img-V"; another name if builder_replaces() is false
 * @said: as for program_run()
 *
 * Returns as program_run() does.
 */
int builder_run(const struct root *root, enum image_builder builder, const struct kernel *kernel,
		const char *target, char **said);

/*
 * builder_finish - run what must run once an image that was made under another name is in its
 * place: the scripts that update-initramfs(8) runs after a new image. Also if there is no
 * update-initramfs (dracut of bookworm and trixie): a boot loader that copies images has its script
 * there. Returns as program_run() does, 0 if there are none.
 */
int builder_finish(const struct root *root, enum image_builder builder, const struct kernel *kernel,
		   char **said);

#endif
