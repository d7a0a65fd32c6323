// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of modprobe.d; see modprobe.h. */
#include <ctype.h>
#include <string.h>

#include "util/modprobe.h"
#include "util/params.h"

/* Joins a continued line in place, and ends it with NUL. Returns the start of the next line. */
static char *unwrap(char *text, unsigned int *lines)
{
	char *out = text;

	*lines = 1;
	for (; *text && *text != '\n'; text++) {
		if (*text == '\\' && text[1] == '\n') {
			text++;
			++*lines;
		} else if (*text == '\\' && text[1]) {
			*out++ = *++text;
		} else if (*text != '\\') {
			*out++ = *text;
		}
	}
	if (*text)
		text++;
	*out = '\0';
	return text;
}

static enum modprobe_command find_command(const char *word, size_t len)
{
	static const char *const commands[] = {
		[MODPROBE_OPTIONS] = "options", [MODPROBE_BLACKLIST] = "blacklist",
		[MODPROBE_INSTALL] = "install", [MODPROBE_SOFTDEP] = "softdep",
		[MODPROBE_ALIAS] = "alias",
	};

	for (unsigned int i = MODPROBE_OPTIONS; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i]) == len && !memcmp(commands[i], word, len))
			return (enum modprobe_command)i;
	return MODPROBE_OTHER;
}

bool modprobe_next(char **pos, struct modprobe_line *line)
{
	static const char blank[] = " \t";
	unsigned int number = line->number ? line->number + line->lines : 1;
	const char *word, *module;

	if (!**pos)
		return false;
	*line = (struct modprobe_line){ .number = number, .text = *pos };
	*pos = unwrap(*pos, &line->lines);
	if (*line->text == '#')
		return true;
	word = line->text + strspn(line->text, blank);
	module = word + strcspn(word, blank);
	line->command = find_command(word, (size_t)(module - word));
	module += strspn(module, blank);
	line->module_len = strcspn(module, blank);
	line->rest = module + line->module_len;
	/* All commands but blacklist need something after the module, if only another blank. */
	if (!line->module_len || (line->command != MODPROBE_BLACKLIST && !*line->rest) ||
	    (line->command != MODPROBE_BLACKLIST && !line->rest[1]))
		line->command = MODPROBE_OTHER;
	if (line->command != MODPROBE_OTHER)
		line->module = module;
	return true;
}

bool modprobe_softdep(const char *rest, bool is_pre, const char *module)
{
	enum {
		NONE,
		PRE,
		POST
	} mode = NONE;

	while (*rest) {
		size_t len;

		while (isspace((unsigned char)*rest))
			rest++;
		for (len = 0; rest[len] && !isspace((unsigned char)rest[len]); len++)
			;
		if (len == 4 && !memcmp(rest, "pre:", len))
			mode = PRE;
		else if (len == 5 && !memcmp(rest, "post:", len))
			mode = POST;
		else if (len && mode == (is_pre ? PRE : POST) &&
			 params_same_name(rest, len, module))
			return true;
		rest += len;
	}
	return false;
}
