/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A few strings, each once, in the order in which they came. */
#ifndef VFIO_EARLY_HOOK_UTIL_STRINGSET_H
#define VFIO_EARLY_HOOK_UTIL_STRINGSET_H

#include <stdbool.h>
#include <stddef.h>

struct stringset {
	char **s;
	size_t n;
};

bool stringset_has(const struct stringset *set, const char *s);

/*
 * stringset_add - add a copy of a string.
 * Returns 1 when it is new, 0 when it was there already, or -ENOMEM; then nothing has changed.
 */
int stringset_add(struct stringset *set, const char *s);

/* stringset_sort - put them into byte order. */
void stringset_sort(struct stringset *set);

/* stringset_clear - free all; the set is empty afterwards. */
void stringset_clear(struct stringset *set);

#endif
