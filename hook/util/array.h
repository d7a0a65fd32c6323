/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow by one item at a time. */
#ifndef VFIO_EARLY_HOOK_UTIL_ARRAY_H
#define VFIO_EARLY_HOOK_UTIL_ARRAY_H

#include <stddef.h>

/*
 * array_append - one more item at the end.
 * @array: address of the pointer to the first item; that pointer is NULL while there is none
 * @count: of items
 * @size: of an item, in bytes
 * @item: copied, with whatever it owns
 *
 * Returns 0 or -ENOMEM; then nothing has changed.
 */
int array_append(void *array, size_t *count, size_t size, const void *item);

#endif
