// SPDX-License-Identifier: GPL-2.0-or-later
/* The config of the host; see config.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "early/code.h"
#include "util/file.h"
#include "util/message.h"

#define CONFIG_FILE "etc/vfio-early.conf"
#define CONFIG_DIR  "etc/vfio-early.conf.d"

int config_wrong(struct config_problem *problem, const char *fix, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(problem->text, sizeof(problem->text), fmt, args);
	va_end(args);
	snprintf(problem->fix, sizeof(problem->fix), "%s", fix);
	return -EINVAL;
}

int config_say(const struct config_problem *problem)
{
	return message_error("%s%s%s", problem->text, *problem->fix ? "; fix: " : "", problem->fix);
}

/* Reports what the kernel says about a file or directory. Returns @error. */
static int cannot(struct config_problem *problem, int error, const char *verb, const char *name)
{
	config_wrong(problem, "", "cannot %s /%s: %s", verb, name, strerror(-error));
	return error;
}

/*
 * Whoever writes here decides which driver a device of this host gets, so it must belong to root,
 * and be writable by nobody else. For an ordinary user who looks at a tree of their own (--root),
 * they are root.
 */
static int check_owner(const char *name, const struct stat *st, struct config_problem *problem)
{
	char fix[sizeof(problem->fix)];

	snprintf(fix, sizeof(fix), "chown root:root /%s", name);
	if (st->st_uid != 0 && (geteuid() == 0 || st->st_uid != geteuid()))
		return config_wrong(problem, fix,
				    "/%s belongs to uid %u, not to root, so it is not read", name,
				    (unsigned int)st->st_uid);
	snprintf(fix, sizeof(fix), "chmod go-w /%s", name);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return config_wrong(problem, fix,
				    "/%s can be written by others than root (mode %04o), so it is "
				    "not read",
				    name, (unsigned int)st->st_mode & 07777);
	return 0;
}

/* A link to /dev/null: masked on purpose, as for systemd and kmod. */
static bool is_masked(const struct root *root, const char *name)
{
	char target[sizeof("/dev/null")];
	ssize_t len = readlinkat(root->fd, name, target, sizeof(target));

	return len == sizeof(target) - 1 && !memcmp(target, "/dev/null", sizeof(target) - 1);
}

/*
 * Handles what cannot be opened. A dangling link is not a missing config: the disk behind it may be
 * unmounted, and an image made now would bind nothing.
 */
static int cannot_open(const struct root *root, const char *name, int error,
		       struct config_problem *problem)
{
	struct stat st;

	if (error == -ENOENT && is_masked(root, name))
		return error;
	if (error == -ENOENT && !fstatat(root->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return config_wrong(problem, "mount what it leads to, or remove it",
				    "/%s leads nowhere", name);
	return error == -ENOENT ? error : cannot(problem, error, "open", name);
}

/* Appends one file to the config. -ENOENT without a message: it does not exist, or is masked. */
static int read_file(const struct root *root, const char *name, struct config *config,
		     struct config_problem *problem)
{
	struct config_file *list, file = { 0 };
	struct stat st;
	int fd, ret;

	fd = is_masked(root, name) ? -ENOENT : file_open(root->fd, name);
	if (fd == -EISDIR || fd == -ENOTSUP)
		return config_wrong(problem, "move it away", "/%s is not a regular file", name);
	if (fd < 0)
		return cannot_open(root, name, fd, problem);

	ret = fstat(fd, &st) ? cannot(problem, -errno, "read", name) :
			       check_owner(name, &st, problem);
	if (ret)
		goto out;

	ret = file_read_all(fd, CONFIG_MAX_SIZE, &file.text, &file.size);
	if (ret == -EFBIG)
		config_wrong(problem, "split it up", "/%s is larger than 1 MiB", name);
	else if (ret && ret != -ENOMEM)
		cannot(problem, ret, "read", name);
	if (ret)
		goto out;

	ret = -ENOMEM;
	file.cut = malloc(file.size + 1);
	if (!file.cut || asprintf(&file.name, "/%s", name) < 0) {
		file.name = NULL;
		goto out;
	}
	memcpy(file.cut, file.text, file.size + 1);

	list = realloc(config->file, (config->files + 1) * sizeof(*list));
	if (!list)
		goto out;
	config->file = list;
	config->file[config->files++] = file;
	close(fd);
	return 0;
out:
	free(file.name);
	free(file.text);
	free(file.cut);
	close(fd);
	return ret;
}

/* "*.conf" as in the shell: not a hidden file, and something before the dot. */
static int is_config(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

/* alphasort() follows the locale; the order of the files must not. */
static int byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_dir(const struct root *root, struct config *config, struct config_problem *problem)
{
	int fd = is_masked(root, CONFIG_DIR) ? -ENOENT : file_open_folder(root->fd, CONFIG_DIR);
	struct dirent **entry = NULL;
	int count = 0, ret = 0;
	struct stat st;

	if (fd < 0) {
		ret = cannot_open(root, CONFIG_DIR, fd, problem);
		return ret == -ENOENT ? 0 : ret;
	}
	ret = fstat(fd, &st) ? cannot(problem, -errno, "read", CONFIG_DIR) :
			       check_owner(CONFIG_DIR, &st, problem);
	if (!ret) {
		count = scandirat(fd, ".", &entry, is_config, byte_order);
		if (count < 0)
			ret = cannot(problem, -errno, "read", CONFIG_DIR);
	}
	close(fd);
	for (int i = 0; i < count && !ret; i++) {
		char name[sizeof(CONFIG_DIR) + 1 + sizeof(entry[i]->d_name)];

		snprintf(name, sizeof(name), CONFIG_DIR "/%s", entry[i]->d_name);
		ret = read_file(root, name, config, problem);
		/* Masked, or removed since. */
		if (ret == -ENOENT)
			ret = 0;
	}
	for (int i = 0; i < count; i++)
		free(entry[i]);
	free(entry);
	return ret;
}

/* Over names, lengths and contents: moving a line into another file is a change too. */
static void digest(struct config *config)
{
	SHA2_CTX sha;

	SHA256Init(&sha);
	for (size_t i = 0; i < config->files; i++) {
		const struct config_file *file = &config->file[i];
		char head[512];
		int len = snprintf(head, sizeof(head), "%s\n%zu\n", file->name, file->size);

		SHA256Update(&sha, (const uint8_t *)head, (size_t)len);
		SHA256Update(&sha, (const uint8_t *)file->text, file->size);
	}
	SHA256End(&sha, config->digest);
}

int config_read(const struct root *root, struct config *config, struct config_problem *problem)
{
	int ret;

	*config = (struct config){ 0 };
	*problem = (struct config_problem){ 0 };
	ret = read_file(root, CONFIG_FILE, config, problem);
	if (!ret || ret == -ENOENT)
		ret = read_dir(root, config, problem);
	if (ret && !*problem->text)
		config_wrong(problem, "", "cannot read the config: %s", strerror(-ret));
	if (!ret)
		digest(config);
	return ret;
}

static const char *line_of(const char *text, unsigned int line)
{
	for (; line > 1; line--) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	return text;
}

/* A line of the shell that goes on: the wrong word is its last, and ends in a backslash. */
static bool is_continued(const char *line, unsigned int column)
{
	size_t len = line ? strcspn(line, "\n") : 0;

	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	if (!column || column > len || line[len - 1] != '\\')
		return false;
	line += column - 1;
	len -= column - 1;
	return !memchr(line, ' ', len) && !memchr(line, '\t', len);
}

static const char *error_of_keyword(const char *word)
{
	size_t len = strcspn(word, ":=");

	return word[len] && plan_is_keyword(word, len) ?
		       WORDS("keyword-colon", "a blank follows a keyword, not a : or =") :
		       NULL;
}

static const char *error_of_selector(const char *word)
{
	if (strchr(word, ','))
		return WORDS("comma", "blanks separate addresses and IDs, not commas");
	if (!strncmp(word, "pci_", 4) || !strncmp(word, "PCI:", 4) || !strncmp(word, "/sys/", 5))
		return WORDS("other-form", "an address is written as lspci -D prints it: "
					   "0000:01:00.0");
	if (plan_is_keyword(word, strlen(word)))
		return WORDS("second-keyword", "a line has one keyword: begin a line of its own "
					       "with this one");
	/* The parser has a more exact text for what begins like an address: "all". */
	if (!word[strcspn(word, "0123456789:.*")])
		return WORDS("no-selector", "not a selector: an address, an ID or a class; "
					    "vfio-early list -a shows them");
	return NULL;
}

/* The byte order mark that some editors write first. The parser takes it as part of the first word. */
static const char bom[] = "\xef\xbb\xbf";

static bool has_bom(const char *text)
{
	return !strncmp(text, bom, sizeof(bom) - 1);
}

/*
 * What people bring from other programs' configs and from their editors, and the parser only sees as
 * wrong; else what the parser says.
 * @line: as it is in the file
 */
static const char *error_text(const char *line, const struct plan_error *error)
{
	const char *text = NULL;

	/* It cannot be seen on a screen. */
	if (error->line == 1 && line && has_bom(line))
		return WORDS("byte-order-mark", "a byte order mark is before the first word; save "
						"the file as UTF-8 without one (BOM)");
	if (is_continued(line, error->column))
		return WORDS("continued-line", "a line does not go on in the next one: leave out "
					       "the \\, and begin the next line with a keyword");
	if (error->kind == PLAN_WORD_KEYWORD)
		text = error_of_keyword(error->word);
	else if (error->kind == PLAN_WORD_SELECTOR)
		text = error_of_selector(error->word);
	return text ? text : error->what;
}

unsigned int config_parse(struct config *config, struct plan *plan, bool says,
			  void (*lost)(const char *text, void *arg), void *arg)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < config->files; i++) {
		struct config_file *file = &config->file[i];
		struct plan_errors errors = { 0 };

		file->bind_from = plan->binds;
		wrong += plan_parse(plan, file->cut, file->size, PLAN_CONFIG, &errors);
		file->bind_to = plan->binds;

		for (unsigned int e = 0; e < errors.count; e++) {
			const struct plan_error *error = &errors.error[e];
			const char *line, *what;
			char text[512];

			if (e == PLAN_MAX_ERRORS) {
				snprintf(text, sizeof(text), "%s: %u further wrong lines",
					 file->name, errors.count - PLAN_MAX_ERRORS);
				if (says)
					message_plain(text);
				if (lost)
					lost(text, arg);
				break;
			}
			line = line_of(file->text, error->line);
			what = error_text(line, error);
			if (says)
				message_line(file->name, error->line, error->column, what, line);
			snprintf(text, sizeof(text), "%s:%u:%u: %s", file->name, error->line,
				 error->column, what);
			if (lost)
				lost(text, arg);
		}
	}
	return wrong;
}

const char *config_origin(const struct config *config, const struct plan *plan, unsigned int bind,
			  unsigned int *line)
{
	*line = plan->bind[bind].line;
	for (size_t i = 0; i < config->files; i++)
		if (bind >= config->file[i].bind_from && bind < config->file[i].bind_to)
			return config->file[i].name;
	return "";
}

const char *config_file_of(const struct config *config, const char *text)
{
	for (size_t i = 0; i < config->files; i++) {
		const struct config_file *file = &config->file[i];

		if ((uintptr_t)text >= (uintptr_t)file->cut &&
		    (uintptr_t)text <= (uintptr_t)file->cut + file->size)
			return file->name;
	}
	return "";
}

#define KEYWORD "cmdline"

/*
 * Is this wrong line one of this keyword? Also after a byte order mark, and without the blank behind
 * it: whoever wrote that does not want the default.
 */
static bool is_cmdline(const char *line, unsigned int number)
{
	if (number == 1 && has_bom(line))
		line += sizeof(bom) - 1;
	line += strspn(line, " \t");
	return strcspn(line, " \t\r\n:=#") == strlen(KEYWORD) &&
	       !strncmp(line, KEYWORD, strlen(KEYWORD));
}

/*
 * What one line sets it to: "" if the line is wrong, with the error, NULL if it has another
 * keyword.
 * @line: as it is in the file; @text: a copy to be cut up
 */
static const char *cmdline_of(const char *line, unsigned int number, char *text, size_t size,
			      struct plan_errors *errors)
{
	static struct plan plan;

	*errors = (struct plan_errors){ 0 };
	plan_init(&plan);
	plan.cmdline = NULL;
	if (!plan_parse(&plan, text, size, PLAN_CONFIG, errors))
		return plan.cmdline;
	/* It was parsed on its own. */
	errors->error[0].line = number;
	return is_cmdline(line, number) ? "" : NULL;
}

int config_each_cmdline(const struct config *config,
			void (*call)(const char *name, unsigned int line, const char *text))
{
	static struct plan_errors errors;
	int wrong = 0;

	for (size_t i = 0; i < config->files; i++) {
		const char *pos = config->file[i].text, *end = pos + config->file[i].size;

		for (unsigned int line = 1; pos < end; line++) {
			const char *eol = memchr(pos, '\n', (size_t)(end - pos)), *text;
			size_t len = (size_t)((eol ? eol : end) - pos);
			char *copy = malloc(len + 1);

			if (!copy)
				return -ENOMEM;
			memcpy(copy, pos, len);
			copy[len] = '\0';
			text = cmdline_of(pos, line, copy, len, &errors);
			if (text && !*text) {
				message_line(config->file[i].name, line, errors.error[0].column,
					     error_text(pos, &errors.error[0]), pos);
				wrong++;
			}
			if (text)
				call(config->file[i].name, line, text);
			free(copy);
			pos += len + 1;
		}
	}
	return wrong;
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < config->files; i++) {
		free(config->file[i].name);
		free(config->file[i].text);
		free(config->file[i].cut);
	}
	free(config->file);
	*config = (struct config){ 0 };
}
