// SPDX-License-Identifier: GPL-2.0-or-later
/* The list itself, its words, and which part of it a command shows; see findings.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/findings.h"
#include "ui/status.h"
#include "util/array.h"
#include "util/words.h"

#define ARGUMENTS_MAX 4

#define LEVELS_BAD                                                             \
	(FINDING_LEVEL_BIT(FINDING_BLOCKS) | FINDING_LEVEL_BIT(FINDING_IDLE) | \
	 FINDING_LEVEL_BIT(FINDING_WARNS))
#define LEVELS_ALL (LEVELS_BAD | FINDING_LEVEL_BIT(FINDING_NOTES))
#define LEVELS_STATUS \
	(LEVELS_BAD | FINDING_LEVEL_BIT(FINDING_UNKNOWN) | FINDING_LEVEL_BIT(FINDING_OK))

const struct finding_filter findings_of_check = {
	.levels = {
		[FINDING_STAGE_CONFIG] = LEVELS_ALL,
		[FINDING_STAGE_MACHINE] = LEVELS_ALL,
		[FINDING_STAGE_DEVICE] = LEVELS_ALL,
		[FINDING_STAGE_RECIPE] = LEVELS_ALL,
		[FINDING_STAGE_VM] = LEVELS_ALL,
	},
};

const struct finding_filter findings_of_status = {
	.levels = {
		[FINDING_STAGE_CONFIG] = LEVELS_STATUS & ~FINDING_LEVEL_BIT(FINDING_WARNS),
		[FINDING_STAGE_MACHINE] = LEVELS_STATUS,
		[FINDING_STAGE_IMAGE] = LEVELS_STATUS,
		[FINDING_STAGE_BOOT] = LEVELS_STATUS,
		[FINDING_STAGE_DEVICE] = LEVELS_STATUS & ~FINDING_LEVEL_BIT(FINDING_WARNS),
		[FINDING_STAGE_RECIPE] = LEVELS_STATUS,
		[FINDING_STAGE_VM] = LEVELS_STATUS,
	},
};

static const struct finding_words words[] = {
#define FINDING_WORDS(name, code, stage, topic, level, text, fix) \
	[FINDING_##name] = { code,                                \
			     topic,                               \
			     FINDING_STAGE_##stage,               \
			     FINDING_##level,                     \
			     WORDS(code, text),                   \
			     WORDS(code, fix) },
	FINDING_LIST(FINDING_WORDS)
#undef FINDING_WORDS
};

const char *finding_level_name(enum finding_level level)
{
	static const char *const names[] = {
		[FINDING_BLOCKS] = "blocks", [FINDING_IDLE] = "idle", [FINDING_WARNS] = "warns",
		[FINDING_NOTES] = "notes",   [FINDING_OK] = "ok",     [FINDING_UNKNOWN] = "unknown",
	};

	return names[level];
}

const char *finding_stage_name(enum finding_stage stage)
{
	static const char *const names[] = {
		[FINDING_STAGE_CONFIG] = "config", [FINDING_STAGE_MACHINE] = "machine",
		[FINDING_STAGE_IMAGE] = "image",   [FINDING_STAGE_BOOT] = "boot",
		[FINDING_STAGE_DEVICE] = "device", [FINDING_STAGE_RECIPE] = "recipe",
		[FINDING_STAGE_VM] = "vm",
	};

	return names[stage];
}

static void free_finding(struct finding *finding)
{
	free(finding->subject);
	free(finding->text);
	free(finding->fix);
}

/* A place in a fix for a command, and the command for each findings->apply. */
static const struct {
	const char *place, *command[FINDINGS_APPLY_COUNT];
} commands[] = {
	{
		FIX_APPLY,
		{
			[FINDINGS_APPLY] = COMMAND_APPLY,
			[FINDINGS_APPLY_TRY] = COMMAND_APPLY_TRY,
			[FINDINGS_APPLY_CONFIRM] = COMMAND_CONFIRM ", then " COMMAND_APPLY,
			[FINDINGS_UNDO] = COMMAND_APPLY,
		},
	},
	{
		FIX_IMAGES,
		{
			[FINDINGS_APPLY] = COMMAND_APPLY,
			[FINDINGS_APPLY_TRY] = COMMAND_APPLY_TRY,
			[FINDINGS_APPLY_CONFIRM] = COMMAND_CONFIRM ", then " COMMAND_APPLY,
			[FINDINGS_UNDO] = COMMAND_UNDO,
		},
	},
	{
		FIX_REBOOT,
		{
			[FINDINGS_APPLY] = COMMAND_APPLY ", then reboot",
			/* What was applied is waiting for just that. */
			[FINDINGS_APPLY_TRY] = "reboot, then " COMMAND_CONFIRM,
			[FINDINGS_APPLY_CONFIRM] = COMMAND_CONFIRM ", then " COMMAND_APPLY
								   ", then reboot",
			[FINDINGS_UNDO] = COMMAND_UNDO ", then reboot",
		},
	},
};

/* Are all images as they should be, as far as they were looked at? Then a reboot is all that is missing. */
static bool are_images_good(const struct findings *findings)
{
	size_t good = 0;

	for (size_t i = 0; i < findings->count; i++) {
		if (findings->list[i].stage != FINDING_STAGE_IMAGE)
			continue;
		if (findings->list[i].level != FINDING_OK)
			return false;
		good++;
	}
	return good;
}

static const char *command_of(const struct findings *findings, size_t i)
{
	if (!strcmp(commands[i].place, FIX_REBOOT) && are_images_good(findings) &&
	    (findings->apply == FINDINGS_APPLY || findings->apply == FINDINGS_UNDO))
		return "reboot";
	return commands[i].command[findings->apply];
}

/* Takes over the texts. */
static void append(struct findings *findings, const struct finding_words *is, const char *subject,
		   char *text, char *fix)
{
	struct finding item = {
		.code = is->code,
		.topic = is->topic,
		.stage = is->stage,
		.level = is->level,
		.group = -1,
		.entry = -1,
		.subject = strdup(subject ? subject : ""),
		.text = text,
		.fix = fix,
	};

	if (!item.subject || !text || !fix ||
	    array_append(&findings->list, &findings->count, sizeof(item), &item)) {
		findings->failed = true;
		free_finding(&item);
		return;
	}
	findings->of_level[item.level]++;
}

/* Writes the command whose place @text begins with, if any. Returns the length of the place, or 0. */
static size_t fill_command(FILE *out, const char *text, const struct findings *findings)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		size_t len = strlen(commands[i].place);

		if (strncmp(text, commands[i].place, len))
			continue;
		fputs(command_of(findings, i), out);
		return len;
	}
	return 0;
}

/* A text with {0}, {1} and so on, and the places of commands, replaced. NULL when memory ran out. */
static char *fill(const struct findings *findings, const char *template,
		  const char *const *argument, size_t arguments)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (const char *pos = template; *pos;) {
		size_t number = (size_t)(pos[0] == '{' ? pos[1] - '0' : ARGUMENTS_MAX), len;

		if (number < arguments && pos[2] == '}') {
			fputs(argument[number], out);
			len = 3;
		} else {
			len = fill_command(out, pos, findings);
			if (!len) {
				fputc(*pos, out);
				len = 1;
			}
		}
		pos += len;
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

void finding_add(struct findings *findings, enum finding_code code, const char *subject, ...)
{
	const char *argument[ARGUMENTS_MAX];
	const struct finding_words *is = &words[code];
	size_t arguments = 0;
	const char *next;
	va_list args;

	va_start(args, subject);
	while ((next = va_arg(args, const char *)) && arguments < ARGUMENTS_MAX)
		argument[arguments++] = next;
	va_end(args);
	append(findings, is, subject,
	       fill(findings, words_of(is->code, is->text), argument, arguments),
	       fill(findings, words_of(is->code, is->fix), argument, arguments));
}

void finding_add_words(struct findings *findings, const struct finding_words *is,
		       const char *subject)
{
	append(findings, is, subject, strdup(words_of(is->code, is->text)),
	       fill(findings, words_of(is->code, is->fix), NULL, 0));
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free_finding(&findings->list[i]);
	free(findings->list);
	*findings = (struct findings){ 0 };
}

void findings_keep(struct findings *findings,
		   bool (*wants)(const struct finding *finding, const void *arg), const void *arg)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->list[i];

		if (wants(finding, arg)) {
			findings->list[count++] = *finding;
			continue;
		}
		findings->of_level[finding->level]--;
		free_finding(finding);
	}
	findings->count = count;
}

bool finding_is(const struct finding *finding, enum finding_code code)
{
	return !strcmp(finding->code, words[code].code);
}

bool finding_is_shown(const struct finding *finding, const struct finding_filter *filter)
{
	return filter->levels[finding->stage] & FINDING_LEVEL_BIT(finding->level);
}

size_t findings_count(const struct findings *findings, const struct finding_filter *filter,
		      enum finding_level level)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += finding_is_shown(&findings->list[i], filter) &&
			 (level == FINDING_LEVELS || findings->list[i].level == level);
	return count;
}
