/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory below which everything is read. Knows nothing of what is in it. */
#ifndef VFIO_EARLY_HOOK_UTIL_ROOT_H
#define VFIO_EARLY_HOOK_UTIL_ROOT_H

#include <limits.h>
#include <stdbool.h>

/* The directory that is taken for "/": the host's own, or a recorded machine's. */
struct root {
	char path[PATH_MAX]; /* absolute; "" for "/", so that PATH/etc is right for both */
	int fd;
	bool is_host; /* "/" itself: what is not a file (the journal, qm) may be asked */
};

/* root_open - says what is wrong with @dir. Returns 0 or -errno; root_close() in any case. */
int root_open(struct root *root, const char *dir);

void root_close(struct root *root);

#endif
