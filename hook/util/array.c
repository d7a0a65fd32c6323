// SPDX-License-Identifier: GPL-2.0-or-later
/* Arrays that grow; see array.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

int array_append(void *array, size_t *count, size_t size, const void *item)
{
	char *list;

	/* A struct thing ** is not a void **, so what it points to is copied in and out. */
	memcpy(&list, array, sizeof(list));
	/* It is full at 8, 16, 32 and so on: the size doubles then. */
	if (!*count || (*count >= 8 && !(*count & (*count - 1)))) {
		list = reallocarray(list, *count ? 2 * *count : 8, size);
		if (!list)
			return -ENOMEM;
		memcpy(array, &list, sizeof(list));
	}
	memcpy(list + *count * size, item, size);
	(*count)++;
	return 0;
}
