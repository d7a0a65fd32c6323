/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A root directory for one test: files, links and what comes out of them again. And a plan from
 * text. Every failure of the fixture itself fails the test.
 */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>

#include "early/plan.h"

/* fixture_temporary - makes a directory in $TMPDIR, whose path @path, of PATH_MAX, gets. */
void fixture_temporary(char *path);

/* fixture_begin - a new, empty root directory. Returns its descriptor. */
int fixture_begin(void);

/* fixture_end - removes it with all that is in it. */
void fixture_end(void);

/* fixture_path - its path. */
const char *fixture_path(void);

/* fixture_file - makes a file and the directories that lead to it. */
__attribute__((format(printf, 2, 3))) void fixture_file(const char *path, const char *fmt, ...);

/* fixture_link - the same for a symbolic link. */
void fixture_link(const char *path, const char *target);

/* fixture_dir - the same for a directory. */
void fixture_dir(const char *path);

/* fixture_read - the text of a file; "(missing)" when there is none. Valid until the next call. */
const char *fixture_read(const char *path);

/*
 * fixture_function - a PCI function as sysfs has it.
 * @addr: "0000:01:00.0"
 * @class: six digits
 * @id: "10de:1187", also with a subsystem
 * @group: -1 for none
 * @driver: NULL for none
 */
void fixture_function(const char *addr, unsigned int class, const char *id, int group,
		      const char *driver);

/* fixture_plan - a compiled plan from text, which must be without an error. */
void fixture_plan(struct plan *plan, const char *text);

#endif
