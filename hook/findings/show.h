/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings for people and for programs. Decides nothing. */
#ifndef VFIO_EARLY_HOOK_FINDINGS_SHOW_H
#define VFIO_EARLY_HOOK_FINDINGS_SHOW_H

#include "findings/findings.h"
#include "ui/output.h"

/*
 * findings_print - each that a filter lets through, with its fix, worst first, folded to the width
 * of the screen.
 * @least: down to which level
 */
void findings_print(const struct findings *findings, const struct finding_filter *filter,
		    enum finding_level least, const struct output *output);

/* findings_json - an array of objects, see vfio-early-json(5); NULL when memory ran out. */
struct json_object *findings_json(const struct findings *findings,
				  const struct finding_filter *filter);

/* findings_mark - the colour of a level. */
enum output_mark findings_mark(enum finding_level level);

/* The columns of findings as a table, for -o; and the table. Returns 0 or -errno. */
extern const struct output_column findings_columns[];
int findings_print_table(const struct findings *findings, const struct finding_filter *filter,
			 const struct output *output);

#endif
