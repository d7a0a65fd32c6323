// SPDX-License-Identifier: GPL-2.0-or-later
/* udev's database of block devices, which any user may read; see graph.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "protect/udev.h"
#include "util/array.h"

#define PATH_UDEV_DATA "run/udev/data"

static const struct {
	const char *name;
	bool encoded; /* blkid_encode_string(): \x20 */
} udev_keys[UDEV_KEYS] = {
	[UDEV_FS_TYPE] = { "ID_FS_TYPE", false },
	[UDEV_FS_UUID] = { "ID_FS_UUID", false },
	[UDEV_FS_LABEL] = { "ID_FS_LABEL", false },
	[UDEV_FS_LABEL_ENC] = { "ID_FS_LABEL_ENC", true },
	[UDEV_FS_AMBIVALENT] = { "ID_FS_AMBIVALENT", false },
	[UDEV_PART_UUID] = { "ID_PART_ENTRY_UUID", false },
	[UDEV_PART_NAME] = { "ID_PART_ENTRY_NAME", true },
	[UDEV_PART_TYPE] = { "ID_PART_ENTRY_TYPE", false },
};

/* Undoes blkid_encode_string() in place. */
static void decode_hex(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
		    isxdigit((unsigned char)s[3])) {
			char hex[3] = { s[2], s[3], '\0' };

			*to++ = (char)strtoul(hex, NULL, 16);
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static void read_record(struct graph *graph, FILE *f, struct udev_record *record)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, f)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!strncmp(line, "S:", 2)) {
			graph_add_name(graph, &record->links, line + 2);
			continue;
		}
		if (strncmp(line, "E:", 2))
			continue;
		for (int k = 0; k < UDEV_KEYS; k++) {
			size_t n = strlen(udev_keys[k].name);

			if (strncmp(line + 2, udev_keys[k].name, n) || line[2 + n] != '=' ||
			    record->value[k])
				continue;
			record->value[k] = strdup(line + 2 + n + 1);
			if (!record->value[k])
				graph->err = -ENOMEM;
			else if (udev_keys[k].encoded)
				decode_hex(record->value[k]);
		}
	}
	free(line);
}

static void clear_record(struct udev_record *record)
{
	for (int k = 0; k < UDEV_KEYS; k++)
		free(record->value[k]);
	stringset_clear(&record->links);
	free(record->devno);
}

void udev_read(struct graph *graph)
{
	struct stringset names;
	char path[PATH_MAX];

	graph_names(graph, PATH_UDEV_DATA, &names);
	for (size_t i = 0; i < names.n && !graph->err; i++) {
		struct udev_record record = { 0 };
		FILE *f;

		if (names.s[i][0] != 'b' || tree_path(path, PATH_UDEV_DATA "/%s", names.s[i]))
			continue;
		f = graph_open(graph, path);
		if (!f)
			continue;
		record.devno = strdup(names.s[i] + 1);
		read_record(graph, f, &record);
		if (!record.devno ||
		    array_append(&graph->record, &graph->records, sizeof(record), &record)) {
			graph->err = -ENOMEM;
			clear_record(&record);
		}
		fclose(f);
	}
	stringset_clear(&names);
}

void udev_clear(struct graph *graph)
{
	for (size_t i = 0; i < graph->records; i++)
		clear_record(&graph->record[i]);
	free(graph->record);
	graph->record = NULL;
	graph->records = 0;
}

bool udev_is(const struct udev_record *record, enum udev_key key, const char *value)
{
	return record->value[key] && !strcasecmp(record->value[key], value);
}

const struct udev_record *udev_find(const struct graph *graph, const char *devno)
{
	for (size_t i = 0; i < graph->records; i++)
		if (!strcmp(graph->record[i].devno, devno))
			return &graph->record[i];
	return NULL;
}

bool udev_has_tag(const struct udev_record *record, const char *tag, const char *value)
{
	if (!strcmp(tag, "UUID"))
		return udev_is(record, UDEV_FS_UUID, value);
	if (!strcmp(tag, "PARTUUID"))
		return udev_is(record, UDEV_PART_UUID, value);
	if (!strcmp(tag, "PARTLABEL"))
		return record->value[UDEV_PART_NAME] &&
		       !strcmp(record->value[UDEV_PART_NAME], value);
	if (!strcmp(tag, "ID")) {
		char link[PATH_MAX];

		return !tree_path(link, "disk/by-id/%s", value) &&
		       stringset_has(&record->links, link);
	}
	if (strcmp(tag, "LABEL"))
		return false;
	return (record->value[UDEV_FS_LABEL] && !strcmp(record->value[UDEV_FS_LABEL], value)) ||
	       (record->value[UDEV_FS_LABEL_ENC] &&
		!strcmp(record->value[UDEV_FS_LABEL_ENC], value));
}
