// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel command line. Where there are no quotes, what is found is compared with a plain search,
 * word by word.
 */
#include <stdlib.h>
#include <string.h>

#include "early/cmdline.h"
#include "tests/fuzz/fuzz.h"

static bool is_there(const char *text, const char *name, const char *value)
{
	char *copy = strdup(text), *words = copy, *word;
	bool found = false;

	must(copy);
	while ((word = strsep(&words, " \t\n"))) {
		char *values = strchr(word, '='), *one;

		if (!strcmp(word, "--"))
			break;
		if (!values)
			continue;
		*values++ = '\0';
		for (char *c = word; (c = strchr(c, '-'));)
			*c = '_';
		while (!strcmp(word, name) && (one = strsep(&values, ",")))
			found |= !strcmp(one, value);
	}
	free(copy);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[][2] = {
		{ "vfio_early", "off" },	{ "vfio_early", "dry-run" },
		{ "intel_iommu", "igfx_off" },	{ "amd_iommu", "off" },
		{ "module_blacklist", "vfio" },
	};
	char *text = fuzz_text(data, size), found[CMDLINE_PARAM_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = names[i][0], *value = names[i][1];
		bool has = cmdline_find(text, name, value, found);

		must(has == cmdline_find(text, name, value, NULL));
		must(has == (*found != '\0') && strlen(found) < sizeof(found));
		must(!has || strstr(text, found) || strlen(found) == sizeof(found) - 1);
		must(strchr(text, '"') || has == is_there(text, name, value));
	}
	must(cmdline_mode(text, found) == cmdline_mode(text, NULL));
	must((cmdline_mode(text, found) == CMDLINE_UNKNOWN) <= (*found != '\0'));
	free(text);
	return 0;
}
