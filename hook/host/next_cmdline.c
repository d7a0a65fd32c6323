// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel of the next boot and its parameters; see next_cmdline.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/next_cmdline.h"
#include "util/array.h"
#include "util/program.h"

#define PROGRAM "vfio-early-cmdline"

/* Beside this program, wherever it was installed or built; malloc'ed, or NULL with errno set. */
static char *find_program(void)
{
	char self[PATH_MAX], *slash, *path, *real;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (asprintf(&path, "%.*s/" PROGRAM, slash ? (int)(slash - self) : 0, self) < 0)
		return NULL;
	/* It finds its own files by the name that it is run by. */
	real = realpath(path, NULL);
	free(path);
	return real ? real : realpath("/usr/sbin/" PROGRAM, NULL);
}

static void free_param(struct next_param *param)
{
	free(param->token);
	free(param->file);
	free(param->code);
}

/* "TOKEN TAB FILE:LINE TAB CODE" */
static int add_line(struct next_cmdline *next, char *line)
{
	char *token = strsep(&line, "\t"), *place = strsep(&line, "\t"), *colon;
	struct next_param param = { 0 };

	if (!place || !line)
		return -EIO;
	colon = strrchr(place, ':');
	if (colon) {
		*colon = '\0';
		param.line = (unsigned int)strtoul(colon + 1, NULL, 10);
	}
	param.token = strdup(token);
	param.file = strdup(place);
	param.code = strdup(line);
	if (param.token && param.file && param.code &&
	    !array_append(&next->param, &next->count, sizeof(param), &param))
		return 0;
	free_param(&param);
	return -ENOMEM;
}

/*
 * What it last answered: it is a shell script, and starts some forty processes for each answer. Any other
 * program that was run since may have changed what the loader passes.
 */
struct answer {
	const char *verb;
	char root[PATH_MAX];
	char *said;
};

static struct answer answers[] = { { .verb = "next" }, { .verb = "kernel" } };
static unsigned long own_runs, other_runs;

static struct answer *find_answer(const char *verb)
{
	struct answer *answer = answers;

	while (strcmp(answer->verb, verb) != 0)
		answer++;
	if (program_runs() - own_runs != other_runs) {
		for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
			free(answers[i].said);
			answers[i].said = NULL;
		}
		other_runs = program_runs() - own_runs;
	}
	return answer;
}

static int run(const struct root *root, const char *verb, char **said)
{
	const char *argv[5] = { NULL, verb };
	char *program = find_program(), *words = NULL;
	int ret;

	*said = NULL;
	if (!program)
		return -errno;
	argv[0] = program;
	if (!root->is_host) {
		argv[2] = "--root";
		argv[3] = root->path;
	}
	own_runs++;
	/* What it has to say to people it says again to whoever runs it. */
	ret = program_run(NULL, argv, said, &words);
	free(words);
	free(program);
	if (ret <= 0)
		return ret;
	free(*said);
	*said = NULL;
	return -EIO;
}

/* @said: gets what it answers to @verb, malloc'ed; NULL on failure. */
static int ask(const struct root *root, const char *verb, char **said)
{
	struct answer *answer = find_answer(verb);
	int ret;

	*said = NULL;
	if (!answer->said || strcmp(answer->root, root->path) != 0) {
		free(answer->said);
		answer->said = NULL;
		strcpy(answer->root, root->path);
		ret = run(root, verb, &answer->said);
		if (ret)
			return ret;
	}
	*said = strdup(answer->said);
	return *said ? 0 : -ENOMEM;
}

int next_cmdline_read(const struct root *root, struct next_cmdline *next)
{
	char *said, *pos, *line;
	int ret = ask(root, "next", &said);

	*next = (struct next_cmdline){ 0 };
	for (pos = said; !ret && (line = strsep(&pos, "\n"));)
		if (*line)
			ret = add_line(next, line);
	free(said);
	return ret;
}

bool next_param_is_in_force(const struct next_param *param)
{
	return !strcmp(param->code, "in-force") || !strcmp(param->code, "some-esps");
}

void next_cmdline_free(struct next_cmdline *next)
{
	for (size_t i = 0; i < next->count; i++)
		free_param(&next->param[i]);
	free(next->param);
	*next = (struct next_cmdline){ 0 };
}

char *next_cmdline_text(const struct next_cmdline *next)
{
	size_t size = 1;
	char *text, *end;

	for (size_t i = 0; i < next->count; i++)
		size += strlen(next->param[i].token) + 1;
	text = end = calloc(1, size);
	for (size_t i = 0; i < next->count && text; i++) {
		if (!next_param_is_in_force(&next->param[i]))
			continue;
		if (end != text)
			*end++ = ' ';
		end = stpcpy(end, next->param[i].token);
	}
	return text;
}

/* A missing value is a dash. */
static int take(char **value, const char *text)
{
	*value = text && strcmp(text, "-") != 0 ? strdup(text) : NULL;
	return text && strcmp(text, "-") != 0 && !*value ? -ENOMEM : 0;
}

/* "VERSION TAB IMAGE TAB FILE:LINE TAB HOW" */
static int take_kernel(struct next_kernel *kernel, char *line)
{
	char *version = strsep(&line, "\t"), *image = strsep(&line, "\t");
	char *place = strsep(&line, "\t");

	if (!line)
		return -EIO;
	if (take(&kernel->version, version) || take(&kernel->image, image) ||
	    take(&kernel->place, place) || take(&kernel->how, line))
		return -ENOMEM;
	return 0;
}

int next_kernel_read(const struct root *root, struct next_kernel *kernel)
{
	char *said, *pos, *line;
	int ret = ask(root, "kernel", &said);

	*kernel = (struct next_kernel){ 0 };
	for (pos = said; !ret && !kernel->how && (line = strsep(&pos, "\n"));)
		if (*line)
			ret = take_kernel(kernel, line);
	free(said);
	return ret;
}

void next_kernel_free(struct next_kernel *kernel)
{
	free(kernel->version);
	free(kernel->image);
	free(kernel->place);
	free(kernel->how);
	*kernel = (struct next_kernel){ 0 };
}
