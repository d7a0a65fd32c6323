// SPDX-License-Identifier: GPL-2.0-or-later
/* The report of a boot; see boot_report.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/code.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "early/text.h"
#include "host/boot_report.h"
#include "util/file.h"

/* The value of NAME= in a line of the report, which quotes the last one alone. */
static void read_field(const char *line, const char *name, char *buf, size_t size)
{
	char key[24];
	const char *value;
	size_t len;

	buf[0] = '\0';
	snprintf(key, sizeof(key), "%s=", name);
	value = strstr(line, key);
	if (!value || (value != line && value[-1] != ' '))
		return;
	value += strlen(key);
	len = *value == '"' ? strcspn(++value, "\"") : strcspn(value, " ");
	if (len == 1 && *value == '-')
		len = 0;
	snprintf(buf, size, "%.*s", (int)len, value);
}

/* set-KEY=CODE:BEFORE, with commas for the blanks of the value. */
static void read_setting(const char *line, enum plan_key key, struct boot_report_setting *setting)
{
	char name[24], text[sizeof(setting->code) + sizeof(setting->before)], *before;

	snprintf(name, sizeof(name), "set-%.*s", (int)strlen(plan_key_name(key)) - 1,
		 plan_key_name(key));
	read_field(line, name, text, sizeof(text));
	*setting = (struct boot_report_setting){ 0 };
	before = strchr(text, ':');
	if (!before)
		return;
	*before++ = '\0';
	snprintf(setting->code, sizeof(setting->code), "%.*s", (int)sizeof(setting->code) - 1,
		 text);
	if (!strcmp(before, "-"))
		return;
	text_replace(before, ',', ' ');
	snprintf(setting->before, sizeof(setting->before), "%.*s", (int)sizeof(setting->before) - 1,
		 before);
}

/* For one function: what is known of its settings from its line before. */
static void keep_settings(const struct boot_report_entry *old, struct boot_report_entry *entry)
{
	const char *back = code_report_name(REPORT_REATTACHED);

	if (strcmp(old->id, entry->id) != 0 || !strcmp(old->result, back) ||
	    !strcmp(entry->result, back))
		return;
	for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++) {
		struct boot_report_setting *setting = &entry->setting[key];

		if (!*setting->code)
			*setting = old->setting[key];
		else if (*old->setting[key].before)
			strcpy(setting->before, old->setting[key].before);
	}
}

static int add_entry(const char *line, void *arg)
{
	struct boot_report *report = arg;
	struct boot_report_entry entry, *list;

	read_field(line, "address", entry.subject, sizeof(entry.subject));
	read_field(line, "id", entry.id, sizeof(entry.id));
	read_field(line, "result", entry.result, sizeof(entry.result));
	read_field(line, "driver", entry.driver, sizeof(entry.driver));
	read_field(line, "why", entry.why, sizeof(entry.why));
	read_field(line, "reason", entry.reason, sizeof(entry.reason));
	for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++)
		read_setting(line, key, &entry.setting[key]);
	if (!*entry.subject || !*entry.result)
		return 0;
	/* A later line about the same address replaces an earlier one. */
	for (size_t i = 0; i < report->count; i++) {
		if (strcmp(report->list[i].subject, entry.subject) != 0)
			continue;
		keep_settings(&report->list[i], &entry);
		report->list[i] = entry;
		return 0;
	}
	list = realloc(report->list, (report->count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	report->list = list;
	report->list[report->count++] = entry;
	return 0;
}

int boot_report_read(const struct root *root, struct boot_report *report)
{
	*report = (struct boot_report){ 0 };
	return file_for_each_line(root->fd, PATH_RUN_REPORT, add_entry, report);
}

const struct boot_report_entry *boot_report_find(const struct boot_report *report,
						 const char *subject)
{
	for (size_t i = 0; i < report->count; i++)
		if (!strcmp(report->list[i].subject, subject))
			return &report->list[i];
	return NULL;
}

void boot_report_free(struct boot_report *report)
{
	free(report->list);
	*report = (struct boot_report){ 0 };
}
