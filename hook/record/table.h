/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into a report, file by file and field by field: nothing else does. */
#ifndef VFIO_EARLY_HOOK_RECORD_TABLE_H
#define VFIO_EARLY_HOOK_RECORD_TABLE_H

#include "record/filter.h"

enum table_what {
	TABLE_LINK,   /* a symbolic link and where it leads */
	TABLE_FOLDER, /* that it is there */
	TABLE_FILE,   /* what the filter leaves of it */
};

struct table_row {
	const char *path; /* relative to the root; fnmatch(3) for each part */
	enum table_what what;
	enum filter filter;
};

/* Ends with one without a path. */
extern const struct table_row table_rows[];

/* table_print - the whole list, for people, beginning each line with @prefix. */
void table_print(FILE *out, const char *prefix);

#endif
