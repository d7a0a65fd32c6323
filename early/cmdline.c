// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel command line, split as the kernel splits it; see cmdline.h. No I/O. */
#include <string.h>

#include "cmdline.h"
#include "text.h"

static const char space[] = " \t\n";

/* Parts of the text; none of them ends in NUL. */
struct piece {
	const char *text;
	size_t len;
};

struct argument {
	struct piece whole, name, value;
	bool has_value;
};

/*
 * lib/cmdline.c, next_arg(): quotes keep blanks together, and are removed if they are around the
 * whole parameter or around its value. Returns false at the end, or at "--": what follows belongs
 * to init (kernel/params.c, parse_args).
 */
static bool next_argument(const char **pos, struct argument *arg)
{
	const char *start = text_skip(*pos, space), *end, *equals = NULL;
	bool is_quoted = *start == '"', in_quote = false;

	for (end = start; *end && (in_quote || !strchr(space, *end)); end++) {
		in_quote ^= *end == '"';
		if (*end == '=' && !equals)
			equals = end;
	}
	*pos = end;
	arg->whole = (struct piece){ start, (size_t)(end - start) };
	if (!arg->whole.len || (arg->whole.len == 2 && !memcmp(start, "--", 2)))
		return false;
	if (is_quoted)
		start++;
	if (is_quoted && end > start && end[-1] == '"')
		end--;
	arg->has_value = equals != NULL;
	arg->name = (struct piece){ start, (size_t)((equals ? equals : end) - start) };
	if (!equals)
		return true;
	start = equals + 1;
	if (start < end && *start == '"') {
		start++;
		if (start < end && end[-1] == '"')
			end--;
	}
	arg->value = (struct piece){ start, (size_t)(end - start) };
	return true;
}

/*
 * kernel/params.c, parameq(): '-' and '_' are the same.
 * @fold: 0x20 to ignore case, for the parameter that only this program reads
 */
static bool is_text(const struct piece *piece, const char *text, char fold)
{
	size_t i = 0;

	for (; i < piece->len && text[i]; i++) {
		char c = piece->text[i] == '-' ? '_' : piece->text[i];

		if ((c | fold) != (text[i] | fold))
			return false;
	}
	return i == piece->len && !text[i];
}

static bool is_called(const struct piece *piece, const char *name)
{
	return is_text(piece, name, 0);
}

/* Is it one of the values of a list with commas? */
static bool has_value(const struct piece *value, const char *wanted)
{
	size_t len = strlen(wanted), start = 0;

	for (size_t i = 0; i <= value->len; i++) {
		if (i < value->len && value->text[i] != ',')
			continue;
		if (i - start == len && !memcmp(value->text + start, wanted, len))
			return true;
		start = i + 1;
	}
	return false;
}

bool cmdline_find(const char *cmdline, const char *name, const char *value,
		  char found[CMDLINE_PARAM_SIZE])
{
	struct argument arg;

	if (found)
		found[0] = '\0';
	while (next_argument(&cmdline, &arg)) {
		if (!arg.has_value || !is_called(&arg.name, name) || !has_value(&arg.value, value))
			continue;
		if (found)
			text_format(found, CMDLINE_PARAM_SIZE, "%.*s", (int)arg.whole.len,
				    arg.whole.text);
		return true;
	}
	return false;
}

bool cmdline_is_on(const char *params, const char *name)
{
	struct argument arg;
	bool is_on = false;

	while (next_argument(&params, &arg)) {
		const char *value = arg.value.text;

		if (!is_called(&arg.name, name))
			continue;
		if (!arg.has_value)
			is_on = true;
		else if (arg.value.len > 1 && (*value | 0x20) == 'o')
			is_on = (value[1] | 0x20) == 'n';
		else
			is_on = arg.value.len && strchr("1yYtTeE", *value);
	}
	return is_on;
}

enum cmdline_mode cmdline_mode(const char *cmdline, char unknown[CMDLINE_PARAM_SIZE])
{
	enum cmdline_mode mode = CMDLINE_RUN, this;
	struct argument arg;

	if (unknown)
		unknown[0] = '\0';
	while (next_argument(&cmdline, &arg)) {
		if (!is_called(&arg.name, "vfio_early"))
			continue;
		this = CMDLINE_UNKNOWN;
		if (arg.has_value && is_text(&arg.value, "off", 0x20))
			this = CMDLINE_OFF;
		else if (arg.has_value && is_text(&arg.value, "dry_run", 0x20))
			this = CMDLINE_DRY_RUN;
		else if (unknown)
			text_format(unknown, CMDLINE_PARAM_SIZE, "%.*s", (int)arg.whole.len,
				    arg.whole.text);
		if (this > mode)
			mode = this;
	}
	return mode;
}
