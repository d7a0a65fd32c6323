/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config of the host: which files, whether they may be trusted, what they say, and a digest by
 * which a stale image is known. Reads below the root only; the grammar is early/plan.c's.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_CONFIG_H
#define VFIO_EARLY_HOOK_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "early/plan.h"
#include "util/root.h"

#define CONFIG_MAX_SIZE	  (1u << 20) /* bytes of one file */
#define CONFIG_DIGEST_HEX 65	     /* SHA-256 in hex, and the end of the string */

struct config_file {
	char *name;		/* "/etc/vfio-early.conf", without the root */
	char *text;		/* as it was read, NUL-ended, for messages */
	char *cut;		/* the same, cut up by plan_parse(); the plan points into it */
	size_t size;		/* without the NUL */
	unsigned int bind_from; /* its selectors are plan.bind[bind_from..bind_to - 1] */
	unsigned int bind_to;
};

struct config {
	struct config_file *file;
	size_t files;
	char digest[CONFIG_DIGEST_HEX];
};

/* Why a config cannot be used at all, and what to do about it; both "" when it can. */
struct config_problem {
	char text[512];
	char fix[256];
};

/*
 * config_read - read all files and check that they are root's alone.
 * @config: filled in; config_free() in any case
 * @problem: filled in when it fails
 *
 * No file at all is an empty config. Returns 0, or -errno without a word.
 */
int config_read(const struct root *root, struct config *config, struct config_problem *problem);

/* config_wrong - fill in a problem; @fix may be "". Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int config_wrong(struct config_problem *problem,
						       const char *fix, const char *fmt, ...);

/* config_say - a problem on stderr. Returns -EINVAL. */
int config_say(const struct config_problem *problem);

/*
 * config_parse - what the files say.
 * @plan: initialised; its strings point into @config
 * @says: say each wrong line on stderr
 * @lost: called with "FILE:LINE:COLUMN: what" for each line that was left out; may be NULL
 *
 * Returns the number of wrong lines.
 */
unsigned int config_parse(struct config *config, struct plan *plan, bool says,
			  void (*lost)(const char *text, void *arg), void *arg);

/* config_origin - which file and line a bind selector comes from. The file's name, and *line. */
const char *config_origin(const struct config *config, const struct plan *plan, unsigned int bind,
			  unsigned int *line);

/* config_file_of - the name of the file that a string of a parsed plan stands in. */
const char *config_file_of(const struct config *config, const char *text);

/*
 * config_each_cmdline - every "cmdline" line, in the order of the files; the last right one counts.
 * @call: gets the file, the line, and what stands behind the keyword; "" is a wrong line
 *
 * For those who know more of kernel parameters than the grammar does. Returns 0, or -ENOMEM.
 */
int config_each_cmdline(const struct config *config,
			void (*call)(const char *name, unsigned int line, const char *text));

void config_free(struct config *config);

#endif
