/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image of a kernel, made anew where it is not what it should be: the new one counts once it was
 * looked into, and until then the old one is kept. Whatever happens in between, the next call finds
 * the one or the other and goes on. Prints nothing.
 */
#ifndef VFIO_EARLY_HOOK_IMAGE_REBUILD_H
#define VFIO_EARLY_HOOK_IMAGE_REBUILD_H

#include <stdbool.h>

#include "image/inspect.h"
#include "image/kernels.h"

enum rebuild_result {
	REBUILD_CURRENT, /* as it should be: not touched */
	REBUILD_NEEDED,	 /* is not, and --dry-run was given */
	REBUILD_DONE,
	REBUILD_FAILED, /* the old one is there, where there was one that could be kept */
	REBUILD_LEFT,	/* no modules of that kernel are installed, so no image of it can be made */
};

/* What is done at the moment, of one image. */
enum rebuild_step {
	REBUILD_LOOKS, /* is it as it should be? */
	REBUILD_MAKES,
	REBUILD_VERIFIES,
	REBUILD_HANDS_ON, /* the scripts of /etc/initramfs/post-update.d */
};

struct rebuild {
	const struct root *root;
	const struct inspector *inspector;
	enum image_builder builder;
	bool is_dry;
	bool has_begun; /* set once an image may be another one than before */
	void (*at_step)(enum rebuild_step step); /* called when one begins; may be NULL */
};

/*
 * rebuild_image - bring the image of one kernel to what it should be.
 * @kernel: has_image may be wrong after an interrupted run, and is set right
 * @why: gets lines, malloc'ed: REBUILD_NEEDED: why; REBUILD_FAILED, _LEFT: what is wrong;
 *	 REBUILD_DONE: what is worth a warning; NULL when memory ran out
 * @said: gets what the builder said; malloc'ed, NULL when it was not called
 */
enum rebuild_result rebuild_image(struct rebuild *rebuild, struct kernel *kernel, char **why,
				  char **said);

#endif
