/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes the images of this host: which builder, and how it is called for one kernel. What is
 * made is for the caller to look into.
 */
#ifndef VFIO_EARLY_HOOK_IMAGE_BUILDER_H
#define VFIO_EARLY_HOOK_IMAGE_BUILDER_H

#include <stdbool.h>

#include "image/image.h"
#include "image/kernels.h"
#include "util/root.h"

/*
 * builder_find - the one that the installation of a kernel would call today. initramfs-tools and
 * dracut-core can both be there, and files of either stay when it is removed: what counts is whose
 * /usr/sbin/update-initramfs is. Where there is none (dracut of bookworm and trixie), it is dracut.
 *
 * Returns IMAGE_UNKNOWN, without a word, when there is neither.
 */
enum image_builder builder_find(const struct root *root);

/* builder_name - "initramfs-tools", "dracut", or NULL. */
const char *builder_name(enum image_builder builder);

/*
 * builder_replaces - does it put the image in its place in one step by itself? Then the old one can be
 * kept by a link. dracut writes into the old file, so it is given another name to write to.
 */
bool builder_replaces(enum image_builder builder);

/*
 * builder_run - make the image of a kernel.
 * @target: "boot/initrd.img-V"; another name where builder_replaces() is false
 * @said: as of program_run()
 *
 * Returns as program_run() does.
 */
int builder_run(const struct root *root, enum image_builder builder, const struct kernel *kernel,
		const char *target, char **said);

/*
 * builder_finish - what is to be called when an image that was made under another name is in its
 * place: the scripts of update-initramfs(8) that want to know of a new image. Also where there is no
 * update-initramfs (dracut of bookworm and trixie): a boot loader that copies images has its script
 * there. Returns as program_run() does, 0 when there is none.
 */
int builder_finish(const struct root *root, enum image_builder builder, const struct kernel *kernel,
		   char **said);

#endif
