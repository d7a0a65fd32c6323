// SPDX-License-Identifier: GPL-2.0-or-later
/* ids=, as the drivers read it; see ids.h. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "util/ids.h"

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%x" of the kernel's sscanf(): leading blanks and 0x are allowed, a sign is not. */
static bool parse_hex(const char **pos, const char *end, uint32_t *value, bool *is_cut)
{
	const char *c = *pos;
	uint64_t sum = 0;

	while (c < end && isspace((unsigned char)*c))
		c++;
	if (c == end || digit_of(*c) < 0)
		return false;
	if (end - c > 2 && c[0] == '0' && (c[1] == 'x' || c[1] == 'X') && digit_of(c[2]) >= 0)
		c += 2;
	for (; c < end && digit_of(*c) >= 0; c++) {
		sum = sum << 4 | (unsigned int)digit_of(*c);
		*is_cut |= sum > UINT32_MAX;
		sum &= UINT32_MAX;
	}
	*value = (uint32_t)sum;
	*pos = c;
	return true;
}

int ids_next(const char **pos, const char *end, struct ids_rule *rule)
{
	uint32_t *const field[] = { &rule->vendor,    &rule->device, &rule->subvendor,
				    &rule->subdevice, &rule->class,  &rule->class_mask };
	unsigned int count = 0;
	const char *at, *comma;

	while (*pos < end && **pos == ',')
		++*pos;
	if (*pos >= end)
		return 0;
	*rule = (struct ids_rule){ .text = *pos, .subvendor = IDS_ANY, .subdevice = IDS_ANY };
	comma = memchr(*pos, ',', (size_t)(end - *pos));
	at = *pos;
	*pos = comma ? comma : end;
	rule->len = (size_t)(*pos - at);

	while (parse_hex(&at, *pos, field[count], &rule->has_rest) && ++count < 6 && at < *pos &&
	       *at == ':')
		at++;
	rule->has_rest |= at != *pos;
	return count < 2 ? -EINVAL : 1;
}

static bool is_wanted(uint32_t wanted, uint32_t value)
{
	return wanted == IDS_ANY || wanted == value;
}

bool ids_match(const struct ids_rule *rule, const struct pci_id *id, uint32_t class)
{
	return is_wanted(rule->vendor, id->vendor) && is_wanted(rule->device, id->device) &&
	       is_wanted(rule->subvendor, id->subvendor) &&
	       is_wanted(rule->subdevice, id->subdevice) &&
	       !((rule->class ^ class) & rule->class_mask);
}
