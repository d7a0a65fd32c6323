// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grammar: one keyword a line. No I/O; see plan.h.
 *
 * A line is accepted whole or not at all: the counters of the plan are advanced only if every word
 * of the line is right, so a bad selector invalidates its whole line and nothing is guessed.
 */
#include <string.h>

#include "cmdline.h"
#include "plan.h"
#include "text.h"

/* The rest of one line. Words are cut out of the text in place. */
struct line {
	char *start;
	char *pos;
	unsigned int number;
	enum plan_source source;
#ifndef __KLIBC__
	enum plan_word kind; /* of the word that is wrong */
	const char *word;
#endif
};

/* Tells the host half what was read when a line turned out to be wrong. */
#ifdef __KLIBC__
#define set_wrong_word(line, word, kind) (void)(line)
#else
static void set_wrong_word(struct line *line, const char *word, enum plan_word kind)
{
	line->word = word;
	line->kind = kind;
}
#endif

/* The next word, or NULL at the end of the line. */
static char *next_word(struct line *line)
{
	char *word = text_word(&line->pos);

	return *word ? word : NULL;
}

/* The rest of the line as one string, which may be "". */
static char *rest_of_line(struct line *line)
{
	char *rest = (char *)text_skip(line->pos, " \t");
	size_t len = strlen(rest);

	while (len && (rest[len - 1] == ' ' || rest[len - 1] == '\t'))
		rest[--len] = '\0';
	line->pos = rest + len;
	return rest;
}

/* NULL once the line has ended; until then nothing of it is valid. */
static const char *check_end(struct line *line, const char **at)
{
	const char *word = next_word(line);

	if (!word)
		return NULL;
	*at = word;
	return FAULT("only one word belongs here; remove the rest of the line");
}

/*
 * Keyword handlers. Each returns NULL, or what is wrong, and points *at to the offending character
 * (the keyword itself unless it is moved).
 */
typedef const char *(*keyword_fn)(struct plan *plan, struct line *line, const char **at);

/* One word as a selector. */
static const char *parse_selector(struct plan *plan, struct line *line, const char *word,
				  struct selector *sel, const char **at)
{
	size_t where;
	const char *error = selector_parse(word, sel, &where);

	*at = word;
	if (error) {
		*at += where;
		set_wrong_word(line, word, PLAN_WORD_SELECTOR);
	} else {
		plan->names_vfs |= sel->kind == SELECTOR_VF;
		plan->has_places |= sel->has_place;
	}
	return error;
}

/* The host checks that virtual functions are never forced: no plan has such a line. */
#ifdef __KLIBC__
#define NEVER_FORCED false
#else
#define NEVER_FORCED true
#endif

/* A list of selectors that a line may add to. */
struct selectors {
	struct plan_selector *list;
	unsigned int *count, max;
	bool force;
	const char *full; /* the error for one too many */
};

/* As many selectors as the line has. */
static const char *parse_selectors(struct plan *plan, struct line *line, const struct selectors *to,
				   const char **at)
{
	unsigned int n = *to->count;
	const char *word;

	while ((word = next_word(line))) {
		struct plan_selector *item = &to->list[n];
		const char *error;

		*at = word;
		if (n == to->max)
			return to->full;
		error = parse_selector(plan, line, word, &item->sel, at);
		if (error)
			return error;
		if (NEVER_FORCED && to->force && item->sel.kind == SELECTOR_VF)
			return FAULT("virtual functions are never forced; write bind vf:...");
		item->text = word;
		item->line = line->number;
		item->force = to->force;
		n++;
	}
	if (n == *to->count)
		return FAULT("a selector is missing: bind 10de:1187, bind 0000:81:00");
	*to->count = n;
	return NULL;
}

static const char *parse_binds(struct plan *plan, struct line *line, const char **at, bool force)
{
	const struct selectors to = {
		.list = plan->bind,
		.count = &plan->binds,
		.max = PLAN_MAX_BINDS,
		.force = force,
		.full = FAULT("more than 256 bind selectors; use class: or IDs"),
	};
	const char *error = parse_selectors(plan, line, &to, at);

	plan->bind_lines += !error;
	return error;
}

static const char *parse_bind(struct plan *plan, struct line *line, const char **at)
{
	return parse_binds(plan, line, at, false);
}

static const char *parse_forced(struct plan *plan, struct line *line, const char **at)
{
	return parse_binds(plan, line, at, true);
}

static const char *parse_except(struct plan *plan, struct line *line, const char **at)
{
	const struct selectors to = {
		.list = plan->except,
		.count = &plan->excepts,
		.max = PLAN_MAX_EXCEPTS,
		.full = FAULT("more than 128 except selectors; use class: or IDs"),
	};

	return parse_selectors(plan, line, &to, at);
}

/*
 * One of several words.
 * @words: one after the other, ended by ""
 * @choice: set to its index, if nothing follows it
 */
static const char *parse_choice(struct line *line, const char *words, const char *fault,
				const char **at, unsigned char *choice)
{
	const char *word = next_word(line);

	if (!word)
		return fault;
	*at = word;
	for (unsigned char i = 0; *words; i++, words = text_nth(words, 1)) {
		const char *error;

		if (strcmp(word, words) != 0)
			continue;
		error = check_end(line, at);
		if (!error)
			*choice = i;
		return error;
	}
	return fault;
}

static const char *parse_boot_vga(struct plan *plan, struct line *line, const char **at)
{
	return parse_choice(line, "bind\0keep\0", FAULT("write boot-vga bind, or boot-vga keep"),
			    at, &plan->boot_vga);
}

static const char *parse_group(struct plan *plan, struct line *line, const char **at)
{
	return parse_choice(line, "warn\0claim\0refuse\0",
			    FAULT("write group warn, group claim or group refuse"), at,
			    &plan->group);
}

static const char *parse_failure(struct plan *plan, struct line *line, const char **at)
{
	return parse_choice(line, "release\0hold\0",
			    FAULT("write failure release, or failure hold"), at, &plan->failure);
}

static const char *parse_facts(struct plan *plan, struct line *line, const char **at)
{
	unsigned char choice;
	const char *error = parse_choice(line, "unknown\0", FAULT("write facts unknown"), at,
					 &choice);

	plan->facts_unknown |= !error;
	return error;
}

#ifndef __KLIBC__
/* The rest of the line. */
static const char *parse_text(struct line *line, const char *fault, const char **text)
{
	const char *rest = rest_of_line(line);

	if (!*rest)
		return fault;
	*text = rest;
	return NULL;
}

/* The blanks between parameters, and beside letters and digits, what every boot loader passes on. */
#define PARAMETER_BLANKS " \t"
#define PARAMETER_MARKS	 "_.,:=/@%+~!*?()[]^ \"-"

/*
 * One parameter: it ends at a blank outside of double quotes, as for the kernel (lib/cmdline.c,
 * next_arg). scripts/cmdline/tokens.sh, tokens_check, has the same rules.
 * @pos: moved behind it
 * @bare: where to put it without its quotes, "" if it is too long
 */
static const char *next_parameter(const char **pos, char *bare, size_t size, const char **at)
{
	const char *open = NULL;
	size_t len = 0;

	*at = *pos;
	for (; **pos && (open || !strchr(PARAMETER_BLANKS, **pos)); ++*pos) {
		char c = **pos;

		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		    !strchr(PARAMETER_MARKS, c)) {
			*at = *pos;
			return FAULT("not every boot loader hands this character to the kernel "
				     "unchanged; set that parameter by hand");
		}
		if (c == '"')
			open = open ? NULL : *pos;
		else if (len < size)
			bare[len++] = c;
	}
	if (open) {
		*at = open;
		return FAULT("this double quote is not closed");
	}
	bare[len < size ? len : 0] = '\0';
	return NULL;
}

/* What no boot should have for good; as in scripts/cmdline/host.sh, host_refuses. */
static const char *check_harm(const char *bare)
{
	/* In what was between quotes, words are no parameters of their own. */
	bool is_one = !strpbrk(bare, PARAMETER_BLANKS);

	if (is_one && cmdline_mode(bare, NULL) != CMDLINE_RUN)
		return FAULT("with this no boot would bind anything; remove it");
	if (is_one && (cmdline_find(bare, "intel_iommu", "off", NULL) ||
		       cmdline_find(bare, "amd_iommu", "off", NULL) ||
		       cmdline_find(bare, "iommu", "off", NULL)))
		return FAULT("this would turn the IOMMU off; remove it");
	if (!strncmp(bare, "root=", strlen("root=")))
		return FAULT("the boot loader sets root= itself; remove it");
	return NULL;
}

static const char *check_parameter(const char *bare, bool is_alone)
{
	if (!strcmp(bare, "--"))
		return FAULT("what is behind -- goes to init, not to the kernel; remove it");
	if (!*bare || *bare == '=')
		return FAULT("the name of the parameter is missing");
	if (!is_alone && (!strcmp(bare, "auto") || !strcmp(bare, "none")))
		return FAULT("auto and none stand alone, not with parameters");
	return check_harm(bare);
}

static const char *parse_cmdline(struct plan *plan, struct line *line, const char **at)
{
	const char *pos, *text, *error;
	char bare[CMDLINE_SIZE];

	error = parse_text(
		line, FAULT("write cmdline auto, cmdline none, or the kernel parameters to keep"),
		&text);
	if (error)
		return error;
	if (strlen(text) >= sizeof(bare))
		return FAULT("longer than the command line of any kernel");
	for (pos = text; *pos; pos = text_skip(pos, PARAMETER_BLANKS)) {
		const char *start = pos;

		error = next_parameter(&pos, bare, sizeof(bare), at);
		if (error)
			return error;
		error = check_parameter(bare, !strcmp(bare, text));
		if (error) {
			*at = start;
			return error;
		}
	}
	plan->cmdline = text;
	return NULL;
}

static const char *parse_kernel(struct plan *plan, struct line *line, const char **at)
{
	(void)at;
	return parse_text(line, FAULT("write kernel VERSION"), &plan->kernel);
}

static const char *parse_config(struct plan *plan, struct line *line, const char **at)
{
	(void)at;
	return parse_text(line, FAULT("write config DIGEST"), &plan->config);
}
#else
/* Only the host reads these. */
static const char *parse_nothing(struct plan *plan, struct line *line, const char **at)
{
	(void)plan;
	(void)line;
	(void)at;
	return NULL;
}
#define parse_cmdline parse_nothing
#define parse_kernel  parse_nothing
#define parse_config  parse_nothing
#endif

static const char *parse_deadline(struct plan *plan, struct line *line, const char **at)
{
	const char *word = next_word(line), *error;
	unsigned int value = 0;

	if (word)
		*at = word;
	while (word && *word >= '0' && *word <= '9' && value <= PLAN_DEADLINE_MAX)
		value = value * 10 + (unsigned int)(*word++ - '0');
	if (!word || *word || !value || value > PLAN_DEADLINE_MAX)
		return FAULT("write a number of seconds from 1 to 120: deadline 20");
	error = check_end(line, at);
	if (!error)
		plan->deadline = value;
	return error;
}

static const char *parse_module(struct plan *plan, struct line *line, const char **at)
{
	const char *path = next_word(line);

	if (!path || *path != '/') {
		if (path)
			*at = path;
		return FAULT("write module /lib/modules/..., without .ko, and its options");
	}
	if (plan->modules == PLAN_MAX_MODULES)
		return FAULT("more than 32 modules");
	plan->module[plan->modules++] = (struct plan_module){
		.path = path,
		.options = rest_of_line(line),
	};
	return NULL;
}

static const char *parse_protect(struct plan *plan, struct line *line, const char **at)
{
	const char *word = next_word(line), *error;
	struct selector sel;

	if (plan->protects == PLAN_MAX_PROTECTS)
		return FAULT("more than 1024 protect lines");
	if (!word)
		return FAULT("write protect ADDRESS=ID@PATH REASON");
	error = parse_selector(plan, line, word, &sel, at);
	if (error)
		return error;
	if (sel.kind != SELECTOR_ADDRESS || !sel.has_id || selector_is_path(&sel))
		return FAULT("write protect ADDRESS=ID@PATH REASON");
	plan->protect[plan->protects++] = (struct plan_protect){
		.addr = sel.addr,
		.id = sel.id,
		.has_place = sel.has_place,
		.place = sel.place,
		.reason = rest_of_line(line),
	};
	return NULL;
}

#ifndef __KLIBC__
static const char *parse_vfs(struct plan *plan, struct line *line, const char **at)
{
	const char *usage = FAULT("write vfs ADDRESS.F NUMBER: vfs 0000:81:00.0 4");
	struct plan_vfs *vf = &plan->vf[plan->vfs];
	const char *word = next_word(line), *error;
	unsigned int number = 0;

	if (plan->vfs == PLAN_MAX_VFS)
		return FAULT("more than 64 vfs lines");
	if (!word)
		return usage;
	vf->text = word;
	vf->line = line->number;
	error = parse_selector(plan, line, word, &vf->sel, at);
	if (error)
		return error;
	if (vf->sel.kind != SELECTOR_ADDRESS)
		return FAULT("vfs takes the address or path of one function: vfs 0000:81:00.0 4");
	word = next_word(line);
	if (!word)
		return usage;
	*at = word;
	while (*word >= '0' && *word <= '9' && number <= PLAN_VFS_MAX)
		number = number * 10 + (unsigned int)(*word++ - '0');
	if (*word || !number || number > PLAN_VFS_MAX)
		return FAULT("write a number of virtual functions from 1 to 65535");
	error = check_end(line, at);
	if (error)
		return error;
	vf->number = number;
	plan->vfs++;
	plan->has_tasks = true;
	return NULL;
}
#else
/* The host creates them: the boot half only tells the host that there are some to create. */
static const char *parse_vfs(struct plan *plan, struct line *line, const char **at)
{
	(void)line;
	(void)at;
	plan->has_tasks = true;
	return NULL;
}
#endif

const char *plan_key_name(enum plan_key key)
{
	return text_nth("reset=\0d3cold=\0power=", key);
}

#ifndef __KLIBC__
/* The boot half leaves this to the kernel; the host has checked it before. */
static const char *check_value(enum plan_key key, const char *value)
{
	const char *words = key == PLAN_SET_D3COLD ? "on\0off\0" : "on\0auto\0";
	size_t len = strlen(value);

	if (key == PLAN_SET_RESET) {
		/* The names in drivers/pci/pci.c, pci_reset_fn_methods, and later ones. */
		if (len && len < PLAN_VALUE_SIZE && *value != ',' && value[len - 1] != ',' &&
		    !text_find(value, ",,") &&
		    !*text_skip(value, "abcdefghijklmnopqrstuvwxyz0123456789_,"))
			return NULL;
		return FAULT("write reset=default, or methods as /sys shows them: reset=flr,bus");
	}
	for (; *words; words = text_nth(words, 1))
		if (!strcmp(value, words))
			return NULL;
	return key == PLAN_SET_D3COLD ? FAULT("write d3cold=on, or d3cold=off") :
					FAULT("write power=on, or power=auto");
}
#else
#define check_value(key, value) NULL
#endif

static const char *parse_set(struct plan *plan, struct line *line, const char **at)
{
	struct plan_set *set = &plan->set[plan->sets];
	const char *usage = FAULT("write set SELECTOR KEY=VALUE: set 0000:81:00.0 d3cold=off");
	const char *error;
	char *word = next_word(line);

	if (plan->sets == PLAN_MAX_SETS)
		return FAULT("more than 64 set lines; use class: or IDs");
	if (!word)
		return usage;
	*set = (struct plan_set){ .text = word, .line = line->number };
	error = parse_selector(plan, line, word, &set->sel, at);
	if (error)
		return error;
	error = usage;
	while ((word = next_word(line))) {
		enum plan_key key = PLAN_SET_RESET;

		*at = word;
		while (!text_skip_prefix((const char **)&word, plan_key_name(key)))
			if (++key == PLAN_SET_KEYS)
				return FAULT("not a setting; known: reset= d3cold= power=");
		error = check_value(key, word);
		if (error)
			return error;
		/* drivers/pci/pci.c, reset_method_store: separated by blanks. */
		text_replace(word, ',', ' ');
		set->value[key] = word;
	}
	plan->sets += !error;
	return error;
}

static const char *parse_lost(struct plan *plan, struct line *line, const char **at)
{
	(void)at;
	if (plan->losts == PLAN_MAX_LOST)
		return FAULT("more than 32 lost lines");
	plan->lost[plan->losts++] = rest_of_line(line);
	return NULL;
}

/* Packed: a quarter of it would be padding. */
static const struct __attribute__((packed)) keyword {
	char name[9];
	unsigned char source; /* PLAN_COMPILED: not allowed in a config */
	keyword_fn parse;
} keywords[] = {
	{ "bind", PLAN_CONFIG, parse_bind },	     { "bind!", PLAN_CONFIG, parse_forced },
	{ "except", PLAN_CONFIG, parse_except },     { "boot-vga", PLAN_CONFIG, parse_boot_vga },
	{ "group", PLAN_CONFIG, parse_group },	     { "failure", PLAN_CONFIG, parse_failure },
	{ "deadline", PLAN_CONFIG, parse_deadline }, { "cmdline", PLAN_CONFIG, parse_cmdline },
	{ "kernel", PLAN_COMPILED, parse_kernel },   { "config", PLAN_COMPILED, parse_config },
	{ "module", PLAN_COMPILED, parse_module },   { "protect", PLAN_COMPILED, parse_protect },
	{ "facts", PLAN_COMPILED, parse_facts },     { "lost", PLAN_COMPILED, parse_lost },
	{ "vfs", PLAN_CONFIG, parse_vfs },	     { "set", PLAN_CONFIG, parse_set },
};

#define N_KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static const char *parse_line(struct plan *plan, struct line *line, const char **at)
{
	const char *word = next_word(line);

	if (!word)
		return NULL;
	*at = word;
	for (unsigned int i = 0; i < N_KEYWORDS; i++) {
		if (strcmp(word, keywords[i].name))
			continue;
		if (keywords[i].source > line->source)
			return FAULT(
				"this keyword is written into the plan by vfio-early itself; remove it");
		return keywords[i].parse(plan, line, at);
	}
	set_wrong_word(line, word, PLAN_WORD_KEYWORD);
	return FAULT(
		"unknown keyword; known: bind bind! except vfs set boot-vga group failure deadline cmdline");
}

#ifndef __KLIBC__
bool plan_is_keyword(const char *word, size_t len)
{
	for (unsigned int i = 0; i < N_KEYWORDS; i++)
		if (keywords[i].source == PLAN_CONFIG && strlen(keywords[i].name) == len &&
		    !memcmp(keywords[i].name, word, len))
			return true;
	return false;
}
#endif

static void add_error(struct plan_errors *errors, const struct line *line, const char *at,
		      const char *what)
{
	if (errors->count < PLAN_MAX_ERRORS)
		errors->error[errors->count] = (struct plan_error){
			.line = line->number,
			.column = (unsigned int)(at - line->start) + 1,
			.what = what,
#ifndef __KLIBC__
			.kind = line->kind,
			.word = line->word,
#endif
		};
	errors->count++;
}

/* A plan's reasons may contain '#', so a comment must be a line of its own there. */
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
	/*
	 * Not the arrays, whose entries are set whole: they are ten pages, most of them never
	 * touched.
	 */
	memset(plan, 0, offsetof(struct plan, bind));
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
		const char *error = NULL, *at = text, *start = text;
		char *eol = text;

		while (eol < end && *eol != '\n')
			eol++;
		line.start = line.pos = text;
		line.number++;
		set_wrong_word(&line, NULL, PLAN_WORD_OTHER);

		at += strnlen(text, (size_t)(eol - text));
		if (at < eol) {
			error = FAULT("a NUL byte: this is not a text file");
		} else {
			at = text;
			*eol = '\0';
			cut_comment(text, source);
			error = parse_line(plan, &line, &at);
		}
		if (error) {
			add_error(errors, &line, at, error);
			errors->unsafe |= !text_skip_prefix(&start, "bind");
		}
		text = eol + 1;
	}
	return errors->count - before;
}

static bool has_option(const struct plan *plan, const char *option)
{
	for (unsigned int i = 0; i < plan->modules; i++)
		if (cmdline_is_on(plan->module[i].options, option))
			return true;
	return false;
}

bool plan_wants_noiommu(const struct plan *plan)
{
	return has_option(plan, "enable_unsafe_noiommu_mode");
}

bool plan_wants_unsafe(const struct plan *plan)
{
	return has_option(plan, "allow_unsafe_interrupts");
}
