// SPDX-License-Identifier: GPL-2.0-or-later
/* Parameters as the kernel reads them; see params.h. */
#include <errno.h>
#include <string.h>

#include "util/params.h"

/* isspace() of the kernel (lib/ctype.c): those of C, and the no-break space of Latin-1. */
static bool is_space(char c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == '\xa0';
}

void params_begin(struct params *params, const char *text, size_t len)
{
	*params = (struct params){ .pos = text, .end = text + strnlen(text, len) };
}

/* The end of the word; *equals: its first '=' that is not its first character, or NULL. */
static const char *find_end(const char *word, const char *end, bool in_quote, const char **equals)
{
	const char *pos = word;

	for (*equals = NULL; pos < end && (in_quote || !is_space(*pos)); pos++) {
		if (*pos == '=' && !*equals && pos > word)
			*equals = pos;
		if (*pos == '"')
			in_quote = !in_quote;
	}
	return pos;
}

/* Reads one word at *params, which is not at its end. */
static void take(struct params *params, struct param *param)
{
	const char *word = params->pos, *equals, *end;
	bool is_quoted = *word == '"';

	*param = (struct param){ .text = word };
	word += is_quoted;
	end = find_end(word, params->end, is_quoted, &equals);
	params->pos = end;
	param->len = (size_t)(end - param->text);

	param->name = word;
	if (equals) {
		param->value = equals + 1;
		if (param->value < end && *param->value == '"') {
			param->value++;
			/* This may be the quote that opened it: then nothing is left. */
			if (end[-1] == '"') {
				end--;
				is_quoted = false;
			}
		}
	}
	if (is_quoted && end > word && end[-1] == '"')
		end--;
	if (equals)
		param->value_len = param->value < end ? (size_t)(end - param->value) : 0;
	param->name_len = (size_t)((equals ? equals : end) - word);
}

bool params_next(struct params *params, struct param *param)
{
	while (params->pos < params->end && is_space(*params->pos))
		params->pos++;
	if (params->has_dashes || params->pos == params->end)
		return false;
	take(params, param);
	if (!param->value && param->name_len == 2 && !memcmp(param->name, "--", 2)) {
		params->has_dashes = true;
		return false;
	}
	return true;
}

bool params_same_name(const char *name, size_t len, const char *other)
{
	for (size_t i = 0; i < len; i++) {
		char a = name[i] == '-' ? '_' : name[i];

		if (!a || a != (other[i] == '-' ? '_' : other[i]))
			return false;
	}
	return !other[len];
}

bool param_is(const struct param *param, const char *name)
{
	return params_same_name(param->name, param->name_len, name);
}

bool params_are_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const char *a_end = a + a_len, *b_end = b + b_len;

	for (;; a++, b++) {
		while (a < a_end && *a == '"')
			a++;
		while (b < b_end && *b == '"')
			b++;
		if (a == a_end || b == b_end)
			return a == a_end && b == b_end;
		if (*a != *b)
			return false;
	}
}

int param_truth(const struct param *param)
{
	char first, second;

	if (!param->value)
		return 1;
	first = param->value_len ? param->value[0] : '\0';
	second = param->value_len > 1 ? param->value[1] : '\0';
	if (first == 'o' || first == 'O') {
		if (second == 'n' || second == 'N')
			return 1;
		return second == 'f' || second == 'F' ? 0 : -EINVAL;
	}
	if (first && strchr("1yYtT", first))
		return 1;
	return first && strchr("0nNfF", first) ? 0 : -EINVAL;
}
