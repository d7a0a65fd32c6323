// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grammar: one keyword a line. Pure; see plan.h.
 *
 * A line is taken whole or not at all: the counters of the plan are moved only when every word of
 * the line was right, so that a bad selector takes its neighbours with it and nothing is guessed.
 */
#include <string.h>

#include "plan.h"

/* What is left of one line. Words are cut out of the text in place. */
struct line {
	char *start;
	char *pos;
	unsigned int number;
	enum plan_source source;
};

/* The next word, or NULL at the end of the line. */
static char *next_word(struct line *line)
{
	char *word = line->pos + strspn(line->pos, " \t");

	line->pos = word + strcspn(word, " \t");
	if (*line->pos)
		*line->pos++ = '\0';
	return *word ? word : NULL;
}

/* The rest of the line as one string, which may be "". */
static char *rest_of_line(struct line *line)
{
	char *rest = line->pos + strspn(line->pos, " \t");
	size_t len = strlen(rest);

	while (len && (rest[len - 1] == ' ' || rest[len - 1] == '\t'))
		rest[--len] = '\0';
	line->pos = rest + len;
	return rest;
}

/*
 * Keyword handlers. Each returns NULL, or what is wrong with *at, which it points at the offending
 * character (the keyword itself unless it is moved).
 */
typedef const char *(*keyword_fn)(struct plan *plan, struct line *line, const char **at);

static const char *selectors(struct line *line, const char **at, struct plan_selector *list,
			     unsigned int *count, unsigned int max, const char *too_many,
			     bool force)
{
	unsigned int n = *count;
	const char *word;

	while ((word = next_word(line))) {
		const char *error;
		size_t where;

		*at = word;
		if (n == max)
			return too_many;
		error = selector_parse(word, &list[n].sel, &where);
		if (error) {
			*at = word + where;
			return error;
		}
		list[n].text = word;
		list[n].line = line->number;
		list[n].force = force;
		n++;
	}
	if (n == *count)
		return FAULT("a selector is missing: bind 10de:1187, bind 0000:81:00");
	*count = n;
	return NULL;
}

static const char *add_binds(struct plan *plan, struct line *line, const char **at, bool force)
{
	const char *error = selectors(
		line, at, plan->bind, &plan->binds, PLAN_MAX_BINDS,
		FAULT("more than 256 bind selectors (PLAN_MAX_BINDS); use class: or IDs"), force);

	if (!error)
		plan->bind_lines++;
	return error;
}

static const char *keyword_bind(struct plan *plan, struct line *line, const char **at)
{
	return add_binds(plan, line, at, false);
}

static const char *keyword_bind_force(struct plan *plan, struct line *line, const char **at)
{
	return add_binds(plan, line, at, true);
}

static const char *keyword_except(struct plan *plan, struct line *line, const char **at)
{
	return selectors(
		line, at, plan->except, &plan->excepts, PLAN_MAX_EXCEPTS,
		FAULT("more than 128 except selectors (PLAN_MAX_EXCEPTS); use class: or IDs"),
		false);
}

/* One word out of a list whose order is that of the enum it stands for. */
static const char *choice(struct line *line, const char **at, const char *const *words,
			  unsigned int count, const char *error, unsigned int *value)
{
	const char *word = next_word(line);

	if (word)
		*at = word;
	for (unsigned int i = 0; word && i < count; i++) {
		if (!strcmp(word, words[i])) {
			*value = i;
			return NULL;
		}
	}
	return error;
}

static const char *keyword_boot_vga(struct plan *plan, struct line *line, const char **at)
{
	static const char *const words[] = { "bind", "keep" };
	unsigned int value;
	const char *error = choice(line, at, words, 2,
				   FAULT("write boot-vga bind, or boot-vga keep"), &value);

	if (!error)
		plan->boot_vga_keep = value;
	return error;
}

static const char *keyword_group(struct plan *plan, struct line *line, const char **at)
{
	static const char *const words[] = { "warn", "claim", "refuse" };
	unsigned int value;
	const char *error = choice(line, at, words, 3,
				   FAULT("write group warn, group claim or group refuse"), &value);

	if (!error)
		plan->group = value;
	return error;
}

static const char *keyword_failure(struct plan *plan, struct line *line, const char **at)
{
	static const char *const words[] = { "release", "hold" };
	unsigned int value;
	const char *error = choice(line, at, words, 2,
				   FAULT("write failure release, or failure hold"), &value);

	if (!error)
		plan->failure = value;
	return error;
}

static const char *keyword_deadline(struct plan *plan, struct line *line, const char **at)
{
	const char *word = next_word(line);
	unsigned int value = 0;

	if (word)
		*at = word;
	while (word && *word >= '0' && *word <= '9' && value <= PLAN_DEADLINE_MAX)
		value = value * 10 + (unsigned int)(*word++ - '0');
	if (!word || *word || !value || value > PLAN_DEADLINE_MAX)
		return FAULT("write a number of seconds from 1 to 120: deadline 20");
	plan->deadline = value;
	return NULL;
}

static const char *keyword_cmdline(struct plan *plan, struct line *line, const char **at)
{
	const char *rest = rest_of_line(line);

	(void)at;
	if (!*rest)
		return FAULT("write cmdline auto, cmdline none, or the kernel parameters to keep");
	plan->cmdline = rest;
	return NULL;
}

static const char *keyword_kernel(struct plan *plan, struct line *line, const char **at)
{
	(void)at;
	plan->kernel = rest_of_line(line);
	return NULL;
}

static const char *keyword_config(struct plan *plan, struct line *line, const char **at)
{
	(void)at;
	plan->config = rest_of_line(line);
	return NULL;
}

static const char *keyword_module(struct plan *plan, struct line *line, const char **at)
{
	const char *path = next_word(line);

	if (!path || *path != '/') {
		if (path)
			*at = path;
		return FAULT("write module /lib/modules/..., without .ko, and its options");
	}
	if (plan->modules == PLAN_MAX_MODULES)
		return FAULT("more than 32 modules (PLAN_MAX_MODULES)");
	plan->module[plan->modules++] = (struct plan_module){
		.path = path,
		.options = rest_of_line(line),
	};
	return NULL;
}

static const char *keyword_protect(struct plan *plan, struct line *line, const char **at)
{
	const char *word = next_word(line), *error;
	struct selector sel;
	size_t where;

	if (plan->protects == PLAN_MAX_PROTECTS)
		return FAULT("more than 256 protect lines (PLAN_MAX_PROTECTS)");
	if (!word)
		return FAULT("write protect ADDRESS=ID REASON");
	*at = word;
	error = selector_parse(word, &sel, &where);
	if (error) {
		*at = word + where;
		return error;
	}
	if (sel.kind != SELECTOR_ADDRESS || !sel.has_id || selector_is_path(&sel))
		return FAULT("write protect ADDRESS=ID REASON");
	plan->protect[plan->protects++] = (struct plan_protect){
		.addr = sel.addr,
		.id = sel.id,
		.reason = rest_of_line(line),
	};
	return NULL;
}

static const char *keyword_lost(struct plan *plan, struct line *line, const char **at)
{
	(void)at;
	if (plan->losts == PLAN_MAX_LOST)
		return FAULT("more than 32 lost lines (PLAN_MAX_LOST)");
	plan->lost[plan->losts++] = rest_of_line(line);
	return NULL;
}

static const struct keyword {
	const char *name;
	keyword_fn parse;
	enum plan_source source; /* PLAN_COMPILED: not in a config */
} keywords[] = {
	{ "bind", keyword_bind, PLAN_CONFIG },
	{ "bind!", keyword_bind_force, PLAN_CONFIG },
	{ "except", keyword_except, PLAN_CONFIG },
	{ "boot-vga", keyword_boot_vga, PLAN_CONFIG },
	{ "group", keyword_group, PLAN_CONFIG },
	{ "failure", keyword_failure, PLAN_CONFIG },
	{ "deadline", keyword_deadline, PLAN_CONFIG },
	{ "cmdline", keyword_cmdline, PLAN_CONFIG },
	{ "kernel", keyword_kernel, PLAN_COMPILED },
	{ "config", keyword_config, PLAN_COMPILED },
	{ "module", keyword_module, PLAN_COMPILED },
	{ "protect", keyword_protect, PLAN_COMPILED },
	{ "lost", keyword_lost, PLAN_COMPILED },
};

#define N_KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static const char *parse_line(struct plan *plan, struct line *line, const char **at)
{
	const char *word = next_word(line), *error;

	if (!word)
		return NULL;
	*at = word;
	for (unsigned int i = 0; i < N_KEYWORDS; i++) {
		if (strcmp(word, keywords[i].name))
			continue;
		if (keywords[i].source > line->source)
			return FAULT(
				"this keyword is written into the plan by vfio-early itself; remove it");
		error = keywords[i].parse(plan, line, at);
		if (!error && (word = next_word(line))) {
			*at = word;
			error = FAULT("only one word belongs here; remove the rest of the line");
		}
		return error;
	}
	return FAULT(
		"unknown keyword; known: bind bind! except boot-vga group failure deadline cmdline");
}

static void add_error(struct plan_errors *errors, const struct line *line, const char *at,
		      const char *what)
{
	if (errors->count < PLAN_MAX_ERRORS)
		errors->error[errors->count] = (struct plan_error){
			.line = line->number,
			.column = (unsigned int)(at - line->start) + 1,
			.what = what,
		};
	errors->count++;
}

/* A plan's reasons may hold a '#', so there a comment is a line of its own. */
static void cut_comment(char *text, enum plan_source source)
{
	char *comment = strchr(text, '#');
	size_t len;

	if (comment && (source == PLAN_CONFIG || comment == text))
		*comment = '\0';
	len = strlen(text);
	if (len && text[len - 1] == '\r')
		text[len - 1] = '\0';
}

void plan_init(struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->deadline = PLAN_DEADLINE_DEFAULT;
	plan->cmdline = "auto";
}

unsigned int plan_parse(struct plan *plan, char *text, size_t size, enum plan_source source,
			struct plan_errors *errors)
{
	struct line line = { .source = source };
	unsigned int before = errors->count;
	char *end = text + size;

	while (text < end) {
		char *eol = memchr(text, '\n', (size_t)(end - text));
		const char *error = NULL, *at = text;

		if (!eol)
			eol = end;
		line.start = line.pos = text;
		line.number++;

		if (memchr(text, '\0', (size_t)(eol - text))) {
			at = text + strlen(text);
			error = FAULT("a NUL byte: this is not a text file");
		} else {
			*eol = '\0';
			cut_comment(text, source);
			error = parse_line(plan, &line, &at);
		}
		if (error) {
			add_error(errors, &line, at, error);
			errors->unsafe |= strncmp(text, "bind", 4) != 0;
		}
		text = eol + 1;
	}
	return errors->count - before;
}
