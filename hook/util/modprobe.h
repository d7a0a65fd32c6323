/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of a file of modprobe.d, as libkmod reads them (kmod_config_parse(), freadline_wrapped()).
 * Pure: text in, text out.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_MODPROBE_H
#define VFIO_EARLY_HOOK_UTIL_MODPROBE_H

#include <stdbool.h>
#include <stddef.h>

enum modprobe_command {
	MODPROBE_OTHER, /* none of these, or a line that libkmod ignores */
	MODPROBE_OPTIONS,
	MODPROBE_BLACKLIST,
	MODPROBE_INSTALL,
	MODPROBE_SOFTDEP,
	MODPROBE_ALIAS, /* "module" is the alias, "rest" the module */
};

struct modprobe_line {
	enum modprobe_command command;
	unsigned int number; /* the line of the file where it begins, from 1 */
	unsigned int lines;  /* how many lines of the file it takes, at least 1 */
	char *text;	     /* joined; never NULL */
	const char *module;  /* as it is written; NULL for MODPROBE_OTHER */
	size_t module_len;
	const char *rest; /* what follows the module: "", or beginning with a blank */
};

/*
 * modprobe_next - read the next line.
 * @pos: advanced; the text is cut up in place, and NUL-ended
 * @line: zeroed by the caller before the first call; its number says where the next one begins
 *
 * A backslash at its end joins a line with the next one; in front of any other character it
 * vanishes. Comments and empty lines are returned too (MODPROBE_OTHER): a comment that ends in a
 * backslash includes the next line. Returns false at the end.
 */
bool modprobe_next(char **pos, struct modprobe_line *line);

/*
 * modprobe_softdep - does a softdep line name a module?
 * @rest: of the line
 * @is_pre: look after pre:, else after post:
 */
bool modprobe_softdep(const char *rest, bool is_pre, const char *module);

#endif
