/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the next boot with an image would do, or why it would not do what the config says. `verify`,
 * `status` and `apply` all use this, so they cannot disagree. Reads only; early/ decides.
 */
#ifndef VFIO_EARLY_HOOK_IMAGE_INSPECT_H
#define VFIO_EARLY_HOOK_IMAGE_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "config/config.h"
#include "host/host.h"
#include "image/image.h"
#include "util/root.h"

/* What images are compared with: read once, for any number of images. */
struct inspector {
	struct host *host;	     /* after host_decide(); not owned */
	const struct config *config; /* the host's; no files after `undo` */
	time_t config_time;	     /* of the newest file of the config */
	char binary_sha[65];	     /* of the installed vfio-early-bind; "" if it cannot be read */
	bool wants_us; /* the config names something, or has a line that must be reported */
};

/*
 * inspect_open - read the current state of the host.
 * @host: after host_decide(); must live as long
 *
 * Returns 0, or -errno after saying what is wrong; call inspect_close() in any case.
 */
int inspect_open(struct host *host, struct inspector *inspector);

void inspect_close(struct inspector *inspector);

enum inspect_state {
	INSPECT_GOOD,
	INSPECT_WRONG,
	INSPECT_DAMAGED,
	INSPECT_MISSING,
	INSPECT_UNREADABLE,  /* this user may not read it, so it could not be checked */
	INSPECT_UNSUPPORTED, /* compressed in a way that is not supported */
};

/* What is to be done about INSPECT_UNSUPPORTED; findings/codes.h has it too. */
#define INSPECT_COMPRESS                                                                 \
	"COMPRESS=zstd in /etc/initramfs-tools/initramfs.conf, or compress=\"zstd\" in " \
	"/etc/dracut.conf"

/* What is wrong with an image, or worth knowing: a stable word, and a sentence for people. */
struct inspect_remark {
	const char *code;
	char *text;
};

struct inspection {
	enum inspect_state state;
	int error;    /* INSPECT_UNREADABLE: -errno */
	char *kernel; /* the kernel that it is for; NULL if that is not known */
	enum image_builder builder;
	bool has_plan;
	bool is_current;      /* its plan is, byte for byte, the one that would be written now */
	bool is_unknown_here; /* "facts-unknown" is wrong in it, and would be in a new one made here */
	/* Nothing is wrong, or only what a new image would have too: facts unknown. */
	bool is_best;
	time_t time;		      /* when it was made */
	struct inspect_remark *wrong; /* none when it is good */
	size_t wrongs;
	struct inspect_remark *note; /* worth knowing, but not a fault of the image */
	size_t notes;
	struct host *next; /* decided by the plan in the image; NULL if it has none */
};

/*
 * inspect_image - check everything above.
 * @root: what @path is relative to; NULL: a path that the user gave, outside of any root
 * @kernel: the kernel that it is for; NULL: by its name, else by its modules
 *
 * Returns 0, or -errno after saying that memory ran out; call inspect_free() in any case.
 */
int inspect_image(const struct inspector *inspector, const struct root *root, const char *path,
		  const char *kernel, struct inspection *inspection);

void inspect_free(struct inspection *inspection);

/* inspect_summary - "the plan in it is current", for a good one. */
const char *inspect_summary(const struct inspector *inspector);

/* inspect_nothing - if nothing of vfio-early belongs into an image: why, as a clause. */
const char *inspect_nothing(const struct inspector *inspector);

#endif
