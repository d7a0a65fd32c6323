// SPDX-License-Identifier: GPL-2.0-or-later
/* Types of module parameters; see parmtype.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/parmtype.h"

#define CHARP_MAX 1024 /* kernel/params.c, param_set_charp() */

/* Numbers as kstrto*() takes them (lib/kstrtox.c): whole, with a sign in front if at all. */
static const struct number {
	const char *name;
	int base;
	bool is_signed;
	unsigned int bits;
} numbers[] = {
	{ "byte", 0, false, 8 },   { "short", 0, true, 16 },   { "ushort", 0, false, 16 },
	{ "int", 0, true, 32 },	   { "uint", 0, false, 32 },   { "long", 0, true, 64 },
	{ "ulong", 0, false, 64 }, { "ullong", 0, false, 64 }, { "hexint", 16, false, 32 },
};

static bool is_number(const struct number *type, const char *text, size_t len)
{
	bool is_negative = len && *text == '-';
	unsigned long long value, max;
	char copy[80], *end;

	/* strtoull() would take blanks and one more sign. */
	if (len && (is_negative ? type->is_signed : *text == '+'))
		text++, len--;
	if (!len || len >= sizeof(copy) || !isxdigit((unsigned char)*text))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	errno = 0;
	value = strtoull(copy, &end, type->base);
	if (*end == '\n')
		end++;
	max = ~0ull >> (64 - type->bits + type->is_signed);
	return !*end && !errno && value <= max + (is_negative ? 1 : 0);
}

/* One value, or one element of an array: which has always a value. */
static bool refuses(const char *type, const struct param *param)
{
	static const char *const truths[] = { "bool", "bint", "invbool" };

	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (!strcmp(type, truths[i]))
			/* Only the ops of the first two have KERNEL_PARAM_OPS_FL_NOARG. */
			return param_truth(param) < 0 || (i == 2 && !param->value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(type, numbers[i].name))
			return !param->value ||
			       !is_number(&numbers[i], param->value, param->value_len);
	if (!strcmp(type, "charp"))
		return !param->value || param->value_len > CHARP_MAX;
	return !strcmp(type, "string") && !param->value;
}

bool parmtype_refuses(const char *type, const struct param *param)
{
	static const char array[] = "array of ";
	struct param element = *param;
	const char *end;

	if (strncmp(type, array, sizeof(array) - 1) != 0)
		return refuses(type, param);
	if (!param->value)
		return true;
	type += sizeof(array) - 1;
	for (end = param->value + param->value_len;; element.value += element.value_len + 1) {
		const char *comma = memchr(element.value, ',', (size_t)(end - element.value));

		element.value_len = (size_t)((comma ? comma : end) - element.value);
		if (refuses(type, &element))
			return true;
		if (!comma)
			return false;
	}
}
