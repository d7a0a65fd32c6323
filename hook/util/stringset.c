// SPDX-License-Identifier: GPL-2.0-or-later
/* A few strings, each once; see stringset.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/stringset.h"

bool stringset_has(const struct stringset *set, const char *s)
{
	for (size_t i = 0; i < set->n; i++)
		if (!strcmp(set->s[i], s))
			return true;
	return false;
}

int stringset_add(struct stringset *set, const char *s)
{
	char *copy;
	int ret;

	if (stringset_has(set, s))
		return 0;
	copy = strdup(s);
	if (!copy)
		return -ENOMEM;
	ret = array_append(&set->s, &set->n, sizeof(copy), &copy);
	if (ret)
		free(copy);
	return ret ? ret : 1;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void stringset_sort(struct stringset *set)
{
	if (set->n)
		qsort(set->s, set->n, sizeof(*set->s), compare);
}

void stringset_clear(struct stringset *set)
{
	for (size_t i = 0; i < set->n; i++)
		free(set->s[i]);
	free(set->s);
	*set = (struct stringset){ 0 };
}
