/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the image of a kernel again if it is not as it should be. The new one counts once it has
 * been checked; until then the old one is kept. After any interruption, the next call finds one or
 * the other and continues. Prints nothing.
 */
#ifndef VFIO_EARLY_HOOK_IMAGE_REBUILD_H
#define VFIO_EARLY_HOOK_IMAGE_REBUILD_H

#include <stdbool.h>

#include "image/inspect.h"
#include "image/kernels.h"

enum rebuild_result {
	REBUILD_CURRENT, /* as it should be: not touched */
	REBUILD_NEEDED,	 /* not as it should be, and --dry-run was given */
	REBUILD_DONE,
	REBUILD_FAILED, /* the old one is in place, if there was one that could be kept */
	REBUILD_LEFT,	/* no modules of that kernel are installed, so no image can be made */
};

/* The current step for one image. */
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
	bool has_begun; /* set once an image may differ from the one before */
	void (*at_step)(enum rebuild_step step); /* called when one begins; may be NULL */
};

/*
 * rebuild_image - bring the image of one kernel into its right state.
 * @kernel: has_image may be wrong after an interrupted run, and is corrected
 * @why: gets lines, malloc'ed: REBUILD_NEEDED: why; REBUILD_FAILED, _LEFT: what is wrong;
 * 	REBUILD_DONE: what is worth a warning; NULL if memory ran out
 * @said: gets the builder's output; malloc'ed, NULL if it was not called
 */
enum rebuild_result rebuild_image(struct rebuild *rebuild, struct kernel *kernel, char **why,
				  char **said);

#endif
