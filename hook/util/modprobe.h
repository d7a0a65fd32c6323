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
	MODPROBE_OTHER, /* none of these, or nothing that libkmod would take */
	MODPROBE_OPTIONS,
	MODPROBE_BLACKLIST,
	MODPROBE_INSTALL,
	MODPROBE_SOFTDEP,
	MODPROBE_ALIAS, /* "module" is the alias, "rest" what it stands for */
};

struct modprobe_line {
	enum modprobe_command command;
	unsigned int number; /* of the line in the file that it begins in, from 1 */
	unsigned int lines;  /* of the file that it takes, at least 1 */
	char *text;	     /* joined; never NULL */
	const char *module;  /* as it is written; NULL for MODPROBE_OTHER */
	size_t module_len;
	const char *rest; /* behind the module, "" or from a blank on */
};

/*
 * modprobe_next - the next line.
 * @pos: where to read on; the text is cut up in place, and NUL-ended
 * @line: zeroed for the first one; filled in, and its number says where the next one begins
 *
 * A backslash joins a line with the next one, and vanishes in front of any other character. Comments
 * and empty lines are lines too (MODPROBE_OTHER): a comment that ends in a backslash has the next
 * line in it. Returns false at the end.
 */
bool modprobe_next(char **pos, struct modprobe_line *line);

/*
 * modprobe_softdep - is a module among those that a softdep line names?
 * @rest: of the line; @is_pre: behind pre:, else behind post:
 */
bool modprobe_softdep(const char *rest, bool is_pre, const char *module);

#endif
