// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel of the next boot and its parameters; see next_cmdline.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "early/paths.h"
#include "host/next_cmdline.h"
#include "util/array.h"
#include "util/file.h"
#include "util/program.h"

#define PROGRAM	   "vfio-early-cmdline"
#define LOADER	   "VFIO_EARLY_LOADER" /* asks for the line of the loader */
#define ANSWER_MAX (1u << 20)	       /* bytes, of a bug report's */

/* The program beside this one, installed or built; malloc'ed, or NULL with errno set. */
static char *find_program(void)
{
	char self[PATH_MAX], *slash, *path, *real;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (asprintf(&path, "%.*s/" PROGRAM, slash ? (int)(slash - self) : 0, self) < 0)
		return NULL;
	/* It finds its own files by the name by which it is run. */
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

static const char *const verbs[NEXT_ANSWERS] = { "next", "kernel" };

void next_answers_drop(struct next_answers *answers)
{
	for (size_t i = 0; i < NEXT_ANSWERS; i++) {
		free(answers->said[i]);
		answers->said[i] = NULL;
	}
}

int next_answers_copy(struct next_answers *answers, const struct next_answers *from)
{
	for (size_t i = 0; i < NEXT_ANSWERS; i++) {
		if (!from->said[i])
			continue;
		free(answers->said[i]);
		answers->said[i] = strdup(from->said[i]);
		if (!answers->said[i])
			return -ENOMEM;
	}
	return 0;
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
	/*
	 * Its messages for people are not needed: it prints them again for whoever runs it
	 * directly.
	 */
	ret = setenv(LOADER, "1", 1) ? -errno : program_run(NULL, argv, said, &words);
	unsetenv(LOADER);
	free(words);
	free(program);
	if (ret <= 0)
		return ret;
	free(*said);
	*said = NULL;
	return -EIO;
}

/* From a bug report: its answer on that host. */
static int read_answer(const struct root *root, const char *verb, char **said)
{
	char path[64];
	size_t size;

	snprintf(path, sizeof(path), ROOT_ANSWERS "/%s", verb);
	return file_read(root->fd, path, ANSWER_MAX, said, &size);
}

/* @said: gets what it answers, malloc'ed; NULL on failure. @answers: or NULL */
static int ask(const struct root *root, struct next_answers *answers, size_t verb, char **said)
{
	int ret;

	*said = NULL;
	if (!root->is_host && !faccessat(root->fd, ROOT_ANSWERS, F_OK, AT_SYMLINK_NOFOLLOW))
		return read_answer(root, verbs[verb], said);
	if (!answers || !answers->said[verb]) {
		ret = run(root, verbs[verb], said);
		if (ret || !answers)
			return ret;
		answers->said[verb] = *said;
	}
	*said = strdup(answers->said[verb]);
	return *said ? 0 : -ENOMEM;
}

int next_cmdline_read(const struct root *root, struct next_answers *answers,
		      struct next_cmdline *next)
{
	char *said, *pos, *line;
	int ret = ask(root, answers, 0, &said);

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

bool next_param_is_loaders(const struct next_param *param)
{
	return strcmp(param->file, "/" PATH_CMDLINE) != 0;
}

/* A missing value is a dash. */
static int copy_value(char **value, const char *text)
{
	*value = text && strcmp(text, "-") != 0 ? strdup(text) : NULL;
	return text && strcmp(text, "-") != 0 && !*value ? -ENOMEM : 0;
}

/* "VERSION TAB IMAGE TAB FILE:LINE TAB HOW" */
static int parse_kernel(struct next_kernel *kernel, char *line)
{
	char *version = strsep(&line, "\t"), *image = strsep(&line, "\t");
	char *place = strsep(&line, "\t");

	if (!line)
		return -EIO;
	if (copy_value(&kernel->version, version) || copy_value(&kernel->image, image) ||
	    copy_value(&kernel->place, place) || copy_value(&kernel->how, line))
		return -ENOMEM;
	return 0;
}

static const char *const loaders[NEXT_LOADERS] = {
	[NEXT_LOADER_NOT_TOLD] = "",	   [NEXT_LOADER_KEPT] = "kept",
	[NEXT_LOADER_BY_HAND] = "by-hand", [NEXT_LOADER_UNKEPT] = "unkept",
	[NEXT_LOADER_TWO] = "two",	   [NEXT_LOADER_NO_ESP] = "no-esp",
};

const char *next_loader_name(enum next_loader loader)
{
	return loaders[loader];
}

/* "loader TAB STATE TAB TEXT TAB FIX" */
static int parse_loader(struct next_kernel *kernel, char *line)
{
	const char *state, *text;

	strsep(&line, "\t");
	state = strsep(&line, "\t");
	text = strsep(&line, "\t");
	if (!line)
		return -EIO;
	while (kernel->loader < NEXT_LOADERS && strcmp(state, loaders[kernel->loader]) != 0)
		kernel->loader++;
	/* Of a newer version: what it says of the kernel is true all the same. */
	if (kernel->loader == NEXT_LOADERS) {
		kernel->loader = NEXT_LOADER_NOT_TOLD;
		return 0;
	}
	if (copy_value(&kernel->loader_text, text) ||
	    copy_value(&kernel->loader_fix, *line ? line : NULL))
		return -ENOMEM;
	return 0;
}

int next_kernel_read(const struct root *root, struct next_answers *answers,
		     struct next_kernel *kernel)
{
	char *said, *pos, *line;
	int ret = ask(root, answers, 1, &said);

	*kernel = (struct next_kernel){ 0 };
	for (pos = said; !ret && (line = strsep(&pos, "\n"));) {
		if (!strncmp(line, "loader\t", 7) && !kernel->loader_text)
			ret = parse_loader(kernel, line);
		else if (*line && !kernel->how)
			ret = parse_kernel(kernel, line);
	}
	free(said);
	return ret;
}

void next_kernel_free(struct next_kernel *kernel)
{
	free(kernel->version);
	free(kernel->image);
	free(kernel->place);
	free(kernel->how);
	free(kernel->loader_text);
	free(kernel->loader_fix);
	*kernel = (struct next_kernel){ 0 };
}
