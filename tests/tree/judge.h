/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this an end that a run may come to when one of its system calls failed? See README.md for the
 * rules in words. Knows what the machine really is, and what was said of it.
 */
#ifndef TESTS_TREE_JUDGE_H
#define TESTS_TREE_JUDGE_H

#include <stdbool.h>
#include <stdio.h>

#include "machine.h"

#define JUDGE_MAX_FUNCTIONS 64
#define JUDGE_TEXT_SIZE	    32768

/* What a run left behind. */
struct trace {
	bool was_killed; /* itself, not a child of it */
	int status;	 /* its exit status; -1 when it ended by a signal */
	bool is_alive;	 /* a child of it did not end */
	double took;	 /* seconds */
	/* What this run added to each. */
	char kmsg[JUDGE_TEXT_SIZE], log[JUDGE_TEXT_SIZE], report[JUDGE_TEXT_SIZE];
	char said[JUDGE_TEXT_SIZE]; /* on standard output and error */
	char plan[JUDGE_TEXT_SIZE]; /* run/vfio-early/plan, whole */
	char driver[JUDGE_MAX_FUNCTIONS][NAME_SIZE];
	char override[JUDGE_MAX_FUNCTIONS][NAME_SIZE];
};

/*
 * judge - print a line for each rule that was broken.
 * @plan: of the run
 * @good: what the same run leaves when nothing fails
 * @deadline: seconds that it may take
 *
 * Returns how many were broken.
 */
unsigned int judge(const struct machine *m, const char *plan, const struct trace *good,
		   const struct trace *trace, double deadline, FILE *out);

#endif
