/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config of the host: which files, whether they may be trusted, what they say, and a digest
 * that reveals a stale image. Reads below the root only; early/plan.c has the grammar.
 */
#ifndef VFIO_EARLY_HOOK_CONFIG_CONFIG_H
#define VFIO_EARLY_HOOK_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "early/plan.h"
#include "util/root.h"

#define CONFIG_MAX_SIZE	  (1u << 20) /* limit of one file, in bytes */
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

/* Why a config cannot be used at all, and what to do about it; both "" if it can. */
struct config_problem {
	char text[512];
	char fix[256];
};

/*
 * config_read - read all files and check that only root can write them.
 * @config: filled in; call config_free() in any case
 * @problem: filled in on failure
 *
 * Without any file the config is empty. Returns 0, or -errno without a message.
 */
int config_read(const struct root *root, struct config *config, struct config_problem *problem);

/* config_wrong - fill in a problem; @fix may be "". Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int config_wrong(struct config_problem *problem,
						       const char *fix, const char *fmt, ...);

/* config_say - print a problem. Returns -EINVAL. */
int config_say(const struct config_problem *problem);

/*
 * config_parse - parse the files.
 * @plan: initialised; its strings point into @config
 * @says: print each wrong line
 * @lost: called with "FILE:LINE:COLUMN: what" for each line that was left out; may be NULL
 *
 * Returns the number of wrong lines.
 */
unsigned int config_parse(struct config *config, struct plan *plan, bool says,
			  void (*lost)(const char *text, void *arg), void *arg);

/* config_origin - the file that a bind selector comes from, and *line, its line. */
const char *config_origin(const struct config *config, const struct plan *plan, unsigned int bind,
			  unsigned int *line);

/* config_file_of - the file that contains a string of a parsed plan. */
const char *config_file_of(const struct config *config, const char *text);

/*
 * config_each_cmdline - call a function for every "cmdline" line, in the order of the files; the
 * last correct one wins.
 * @call: gets the file, the line, and what follows the keyword; "" is a wrong line, whose error was
 * 	printed
 *
 * Returns the number of wrong lines, or -ENOMEM.
 */
int config_each_cmdline(const struct config *config,
			void (*call)(const char *name, unsigned int line, const char *text));

void config_free(struct config *config);

#endif
