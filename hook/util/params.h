/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters of a module or of the kernel command line, split as the kernel does it: next_arg() in
 * lib/cmdline.c, parse_args() and parse_one() in kernel/params.c. No I/O: results point into the
 * text.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_PARAMS_H
#define VFIO_EARLY_HOOK_UTIL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

/* Where a reader stands. */
struct params {
	const char *pos;
	const char *end;
	bool has_dashes; /* "--" was read: what follows goes to init, or nowhere */
};

struct param {
	const char *text; /* the whole word as it is written, with its quotes */
	size_t len;
	const char *name; /* without them */
	size_t name_len;
	const char *value; /* after the "=", without quotes around it; NULL if there is no "=" */
	size_t value_len;
};

/* params_begin - start to read a text of this many bytes; a NUL ends it earlier. */
void params_begin(struct params *params, const char *text, size_t len);

/*
 * params_next - read the next parameter.
 *
 * Blanks separate parameters outside of double quotes. Nothing escapes a quote, and an open quote
 * extends to the end. Only quotes around the whole word and around the value are removed. Returns
 * false at the end, and at a "--", after which *params then points.
 */
bool params_next(struct params *params, struct param *param);

/* param_is - does it have this name? '-' and '_' are the same (kernel/params.c, parameqn). */
bool param_is(const struct param *param, const char *name);

/* params_same_name - the same for names of modules (libkmod, underscores()). */
bool params_same_name(const char *name, size_t len, const char *other);

/*
 * params_are_same - is it the same parameter, quotes apart? a="b c" and "a=b c" mean the same to the
 * kernel, and GRUB hands over the second for the first.
 */
bool params_are_same(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * param_truth - the value of a parameter of type bool: 1 or 0, without a value 1; -EINVAL for a
 * value that kernels refuse (lib/kstrtox.c, kstrtobool(), since 5.19)
 */
int param_truth(const struct param *param);

#endif
