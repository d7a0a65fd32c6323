/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters of a module or of the kernel command line, cut up as the kernel does it: next_arg() of
 * lib/cmdline.c, parse_args() and parse_one() of kernel/params.c. Pure: it is given the text, and
 * what it returns points into that text.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_PARAMS_H
#define VFIO_EARLY_HOOK_UTIL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

/* Where a reader stands. */
struct params {
	const char *pos;
	const char *end;
	bool has_dashes; /* "--" was met: what is behind it goes to init, or nowhere */
};

struct param {
	const char *text; /* the whole word as it stands, with its quotes */
	size_t len;
	const char *name; /* without them */
	size_t name_len;
	const char *value; /* behind the "=", without quotes around it; NULL: there is no "=" */
	size_t value_len;
};

/* params_begin - read a text of so many bytes; a NUL ends it earlier. */
void params_begin(struct params *params, const char *text, size_t len);

/*
 * params_next - the next parameter.
 *
 * Blanks part parameters outside of double quotes; nothing escapes a quote, and one that is never
 * closed holds all the rest. Quotes are taken off around the whole word and around the value, no
 * others. Returns false at the end, and at a "--", behind which *params then stands.
 */
bool params_next(struct params *params, struct param *param);

/* param_is - has it this name? '-' and '_' are the same (kernel/params.c, parameqn). */
bool param_is(const struct param *param, const char *name);

/* params_same_name - the same for names of modules (libkmod, underscores()). */
bool params_same_name(const char *name, size_t len, const char *other);

/*
 * param_truth - what a parameter of type bool is set to: 1 or 0, without a value 1; -EINVAL for a
 * value that kernels refuse (lib/kstrtox.c, kstrtobool(), since 5.19)
 */
int param_truth(const struct param *param);

#endif
