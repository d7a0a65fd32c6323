/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files and fields that go into a report. Nothing else does, except what functions.c, kernels.c
 * and scripts.c add.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_TABLE_H
#define VFIO_EARLY_HOOK_RECORD_TABLE_H

#include "record/filter.h"

enum table_what {
	TABLE_LINK,   /* a symbolic link and its target */
	TABLE_FOLDER, /* only that it exists */
	TABLE_FILE,   /* what the filter leaves of it */
};

struct table_row {
	const char *path; /* relative to the root; fnmatch(3) for each part */
	enum table_what what;
	enum filter filter;
};

/* The last row has no path. */
extern const struct table_row table_rows[];

/* table_print - print the whole list for people, each line after @prefix. */
void table_print(FILE *out, const char *prefix);

#endif
