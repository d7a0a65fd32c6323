// SPDX-License-Identifier: GPL-2.0-or-later
/* Bind lines in a file of the config; see bindlines.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/bindlines.h"
#include "util/message.h"

bool bindlines_is_bind(const char *line)
{
	line += strspn(line, " \t");
	return !strncmp(line, "bind", 4) && strchr(" \t!", line[4]) && line[4];
}

/* New lines go after the last bind line, so that they stand together; else at the end. */
static size_t find_end(const struct edit *edit)
{
	size_t end = edit->old_size;
	const char *line = edit->old;

	while (line < edit->old + edit->old_size) {
		const char *eol = strchr(line, '\n');
		size_t next = eol ? (size_t)(eol - edit->old) + 1 : edit->old_size;

		if (bindlines_is_bind(line))
			end = next;
		if (!eol)
			break;
		line = eol + 1;
	}
	return end;
}

int bindlines_insert(struct edit *edit, const char *lines)
{
	size_t end = find_end(edit);
	FILE *out = open_memstream(&edit->text, &edit->size);

	if (!out)
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	fwrite(edit->old, 1, end, out);
	if (end && edit->old[end - 1] != '\n')
		fputc('\n', out);
	fputs(lines, out);
	fwrite(edit->old + end, 1, edit->old_size - end, out);
	if (fclose(out))
		return message_errno(-ENOMEM, "cannot change %s", edit->name);
	return 0;
}
