// SPDX-License-Identifier: GPL-2.0-or-later
/* The text formats of Proxmox VE; see pve_config.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/pve_config.h"
#include "util/array.h"

#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.0123456789"

/* A line as the formats split it: without white space at its end. */
struct line {
	char *text;
	size_t size;
};

/* The next line of a text, or NULL at its end. */
static const char *next_line(const char *text, struct line *line)
{
	size_t len = strcspn(text, "\n");
	size_t width = len;
	char *copy;

	if (!*text)
		return NULL;
	while (width && isspace((unsigned char)text[width - 1]))
		width--;
	if (!line->text || width >= line->size) {
		copy = realloc(line->text, width + 1);
		if (!copy)
			return NULL;
		line->text = copy;
		line->size = width + 1;
	}
	memcpy(line->text, text, width);
	line->text[width] = '\0';
	return text + len + (text[len] == '\n');
}

/* --- a VM */

static struct pve_option *find_option(const struct pve_config *config, const char *key)
{
	for (size_t i = 0; i < config->options; i++)
		if (!strcmp(config->option[i].key, key))
			return &config->option[i];
	return NULL;
}

static void remove_option(struct pve_config *config, const char *key)
{
	struct pve_option *option = find_option(config, key);

	if (!option)
		return;
	free(option->key);
	free(option->value);
	*option = config->option[--config->options];
}

static int set_option(struct pve_config *config, const char *key, const char *value,
		      bool is_pending)
{
	struct pve_option item = {
		.key = strdup(key),
		.value = strdup(value),
		.is_pending = is_pending,
	};

	remove_option(config, key);
	if (item.key && item.value &&
	    !array_append(&config->option, &config->options, sizeof(item), &item))
		return 0;
	free(item.key);
	free(item.value);
	return -ENOMEM;
}

/* "delete: hostpci0,usb1" of the pending section; '!' in front: by force. */
static void remove_listed(struct pve_config *config, char *list)
{
	char *save;

	for (char *word = strtok_r(list, " ,;", &save); word; word = strtok_r(NULL, " ,;", &save))
		remove_option(config, word + (*word == '!'));
}

enum section {
	SECTION_CURRENT,
	SECTION_PENDING,
	SECTION_OTHER, /* a snapshot, or cloud-init's */
};

static int parse_line(struct pve_config *config, enum section section, char *line)
{
	size_t len = strspn(line, KEY_CHARACTERS), blanks = strspn(line + len, " \t");
	char *value = line + len + blanks + 1;

	/* LXC's own keys are also written as LXC does, "lxc.x = y" (PVE::LXC::Config, parse_pct_config). */
	if (!len ||
	    (line[len] != ':' && (line[len + blanks] != '=' || strncmp(line, "lxc.", 4) != 0)))
		return 0;
	if (line[len] == ':')
		value = line + len + 1;
	line[len] = '\0';
	value += strspn(value, " \t");
	if (!*value)
		return 0;
	if (section == SECTION_PENDING && !strcmp(line, "delete")) {
		remove_listed(config, value);
		return 0;
	}
	/* A container names each of its mounts and device rules by the same key. */
	if (!strncmp(line, "lxc.", 4)) {
		struct pve_option item = { .key = strdup(line), .value = strdup(value) };

		if (!item.key || !item.value ||
		    array_append(&config->option, &config->options, sizeof(item), &item)) {
			free(item.key);
			free(item.value);
			return -ENOMEM;
		}
		return 0;
	}
	return set_option(config, line, value, section == SECTION_PENDING);
}

int pve_config_parse(const char *text, struct pve_config *config)
{
	enum section section = SECTION_CURRENT;
	struct line line = { 0 };
	int ret = 0;

	while (!ret && (text = next_line(text, &line))) {
		if (*line.text == '[')
			section = strcasecmp(line.text, "[PENDING]") ? SECTION_OTHER :
								       SECTION_PENDING;
		else if (section != SECTION_OTHER && *line.text != '#')
			ret = parse_line(config, section, line.text);
	}
	free(line.text);
	return ret;
}

void pve_config_free(struct pve_config *config)
{
	for (size_t i = 0; i < config->options; i++) {
		free(config->option[i].key);
		free(config->option[i].value);
	}
	free(config->option);
	*config = (struct pve_config){ 0 };
}

const struct pve_option *pve_config_option(const struct pve_config *config, const char *key)
{
	return find_option(config, key);
}

const char *pve_config_get(const struct pve_config *config, const char *key)
{
	const struct pve_option *option = find_option(config, key);

	return option ? option->value : NULL;
}

const char *pve_config_indexed(const struct pve_config *config, const char *key,
			       unsigned int number)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%u", key, number);
	return pve_config_get(config, name);
}

/* --- properties */

bool pve_is_true(const char *text)
{
	return text && (!strcmp(text, "1") || !strcasecmp(text, "on") || !strcasecmp(text, "yes") ||
			!strcasecmp(text, "true"));
}

bool pve_is_false(const char *text)
{
	return text && (!strcmp(text, "0") || !strcasecmp(text, "off") || !strcasecmp(text, "no") ||
			!strcasecmp(text, "false"));
}

const char *pve_property(const char *value, const char *fallback, const char *key, char *buf,
			 size_t size)
{
	size_t len = strlen(key);

	for (; *value; value += *value == ',') {
		size_t width = strcspn(value, ",");
		size_t name = strcspn(value, "=,");

		if (name < width && name == len && !strncmp(value, key, len)) {
			snprintf(buf, size, "%.*s", (int)(width - len - 1), value + len + 1);
			return buf;
		}
		if (width && name == width && fallback && !strcmp(fallback, key)) {
			snprintf(buf, size, "%.*s", (int)width, value);
			return buf;
		}
		value += width;
	}
	return NULL;
}

/* --- mappings */

static int add_map(struct pve_mapping *mapping, const char *text)
{
	char *copy = strdup(text);

	if (copy && !array_append(&mapping->map, &mapping->maps, sizeof(copy), &copy))
		return 0;
	free(copy);
	return -ENOMEM;
}

static int parse_mapping_line(struct pve_mappings *mappings, char *line)
{
	struct pve_mapping *mapping, item = { 0 };
	char *key, *value;

	if (!*line || *line == '#')
		return 0;
	if (!isspace((unsigned char)*line)) {
		item.name = strdup(line);
		if (item.name &&
		    !array_append(&mappings->list, &mappings->count, sizeof(item), &item))
			return 0;
		free(item.name);
		return -ENOMEM;
	}
	if (!mappings->count)
		return 0;
	mapping = &mappings->list[mappings->count - 1];
	key = line + strspn(line, " \t");
	value = key + strcspn(key, " \t");
	if (!*value)
		return 0;
	*value++ = '\0';
	value += strspn(value, " \t");
	if (!strcmp(key, "map"))
		return add_map(mapping, value);
	if (!strcmp(key, "mdev"))
		mapping->has_mdev = pve_is_true(value);
	return 0;
}

int pve_mappings_parse(const char *text, struct pve_mappings *mappings)
{
	struct line line = { 0 };
	int ret = 0;

	while (!ret && (text = next_line(text, &line)))
		ret = parse_mapping_line(mappings, line.text);
	free(line.text);
	return ret;
}

void pve_mappings_free(struct pve_mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++) {
		struct pve_mapping *mapping = &mappings->list[i];

		for (size_t j = 0; j < mapping->maps; j++)
			free(mapping->map[j]);
		free(mapping->map);
		free(mapping->name);
	}
	free(mappings->list);
	*mappings = (struct pve_mappings){ 0 };
}

const struct pve_mapping *pve_mappings_find(const struct pve_mappings *mappings, const char *name)
{
	for (size_t i = 0; i < mappings->count; i++)
		if (!strcmp(mappings->list[i].name, name))
			return &mappings->list[i];
	return NULL;
}
