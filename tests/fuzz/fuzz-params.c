// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parameters, lines of modprobe.d, ids=. What is read lies in the text, in its order, and what was
 * cut into words is the same words when it is put together with other blanks.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "util/ids.h"
#include "util/modprobe.h"
#include "util/params.h"

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && (!a_len || !memcmp(a, b, a_len));
}

static void check_ids(const char *text, size_t len)
{
	const char *pos = text, *end = text + len, *last = text;
	struct ids_rule rule;
	int ret;

	while ((ret = ids_next(&pos, end, &rule))) {
		must(rule.text >= last && rule.len && rule.text + rule.len == pos && pos <= end);
		must(!memchr(rule.text, ',', rule.len));
		last = pos;
	}
	must(pos == end);
}

static void check_word(const struct param *param)
{
	const char *end = param->text + param->len;

	must(param->len && param->name >= param->text && param->name + param->name_len <= end);
	must(!param->name_len || !memchr(param->name + 1, '=', param->name_len - 1));
	if (!param->value)
		return;
	must(param->name_len && param->name[param->name_len] == '=');
	must(param->value > param->name && param->value + param->value_len <= end);
	check_ids(param->value, param->value_len);
}

/* The same words with another blank between each two are the same parameters. */
static void check_params(const char *text, size_t len)
{
	char *other = malloc(2 * len + 1);
	struct params params, again;
	struct param param, same;
	const char *last = text;
	size_t size = 0;

	must(other);
	params_begin(&params, text, len);
	while (params_next(&params, &param)) {
		must(param.text >= last && param.text + param.len <= text + len);
		check_word(&param);
		must(size + param.len + 1 <= 2 * len + 1);
		/* Nothing behind the last: a quote that is never closed would take it in. */
		if (size)
			other[size++] = '\t';
		memcpy(other + size, param.text, param.len);
		size += param.len;
		last = param.text + param.len;
	}
	params_begin(&params, text, len);
	params_begin(&again, other, size);
	while (params_next(&params, &param)) {
		must(params_next(&again, &same));
		must(is_same(param.name, param.name_len, same.name, same.name_len));
		must(!param.value == !same.value);
		must(is_same(param.value, param.value_len, same.value, same.value_len));
		must(param_truth(&param) <= 1);
	}
	must(!params_next(&again, &same));
	free(other);
}

static void check_lines(char *text)
{
	unsigned int newlines = 0, number = 1;
	struct modprobe_line line = { 0 };
	char *pos = text, *end = text + strlen(text);

	for (char *c = text; *c; c++)
		newlines += *c == '\n';
	while (modprobe_next(&pos, &line)) {
		must(line.number == number && line.lines && pos <= end);
		number += line.lines;
		must(line.text + strlen(line.text) <= pos);
		must(!line.module == (line.command == MODPROBE_OTHER));
		if (line.command == MODPROBE_OPTIONS)
			check_params(line.rest, strlen(line.rest));
		if (line.command == MODPROBE_SOFTDEP)
			modprobe_softdep(line.rest, true, "vfio_pci");
	}
	must(number == newlines + 1 || number == newlines + 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_params(text, strlen(text));
	check_ids(text, strlen(text));
	check_lines(text);
	free(text);
	return 0;
}
