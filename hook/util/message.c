// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages on stderr; see message.h. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/message.h"
#include "util/printable.h"

/* A line of a config may contain anything. */
#define LINE_SHOWN 160

/* A terminal that is narrower may break words itself. */
#define COLUMNS_MIN 40
#define INDENT	    2

/* The width of the terminal at stderr, or 0: a file or a pipe gets each message in one line. */
static size_t count_columns(void)
{
	struct winsize size;

	if (!isatty(STDERR_FILENO) || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) ||
	    size.ws_col < COLUMNS_MIN)
		return 0;
	return size.ws_col;
}

/*
 * Prints one message; on a terminal it is folded at blanks. What was printed before comes before it
 * in a file, too.
 */
static void print(const char *text)
{
	size_t columns = count_columns(), at = 0;

	fflush(stdout);
	for (const char *word = text; *word && columns;) {
		size_t blanks = strspn(word, " "), len = strcspn(word + blanks, " ");

		if (at && at + blanks + len > columns) {
			fprintf(stderr, "\n%*s", INDENT, "");
			at = INDENT;
			word += blanks;
			blanks = 0;
		}
		fprintf(stderr, "%.*s", (int)(blanks + len), word);
		at += blanks + len;
		word += blanks + len;
	}
	fprintf(stderr, "%s\n", columns ? "" : text);
}

static const char *alias_folder, *alias_name;

void message_alias(const char *folder, const char *name)
{
	alias_folder = folder;
	alias_name = name;
}

/* Replaces the folder by the name that the user knows. Returns the text, or a new one. */
static char *use_alias(char *text)
{
	char *at, *shown;

	for (size_t from = 0; alias_folder && (at = strstr(text + from, alias_folder));) {
		if (asprintf(&shown, "%.*s%s:%s", (int)(at - text), text, alias_name,
			     at + strlen(alias_folder)) < 0)
			return text;
		from = (size_t)(at - text) + strlen(alias_name) + 1;
		free(text);
		text = shown;
	}
	return text;
}

static void say(const char *kind, int error, const char *fmt, va_list args)
{
	char shown[1024] = "", *text, *line;
	va_list again;
	int ret;

	/* If memory runs out, the message is cut off but still printed. */
	va_copy(again, args);
	ret = vasprintf(&text, fmt, args);
	if (ret < 0)
		vsnprintf(shown, sizeof(shown), fmt, again);
	va_end(again);
	if (ret < 0) {
		fflush(stdout);
		fprintf(stderr, "vfio-early: %s: %s\n", kind, shown);
		return;
	}
	text = use_alias(text);
	printable_make(text, strlen(text));
	if (asprintf(&line, "vfio-early: %s: %s%s%s", kind, text, error ? ": " : "",
		     error ? strerror(-error) : "") < 0) {
		fflush(stdout);
		fprintf(stderr, "vfio-early: %s: %s\n", kind, text);
	} else {
		print(line);
		free(line);
	}
	free(text);
}

int message_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("error", 0, fmt, args);
	va_end(args);
	return -EINVAL;
}

int message_errno(int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("error", error, fmt, args);
	va_end(args);
	return error;
}

void message_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("warning", 0, fmt, args);
	va_end(args);
}

void message_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("note", 0, fmt, args);
	va_end(args);
}

void message_plain(const char *text)
{
	fflush(stdout);
	fprintf(stderr, "%s\n", text);
}

void message_line(const char *file, unsigned int line, unsigned int column, const char *what,
		  const char *text)
{
	char shown[LINE_SHOWN + 1], under[LINE_SHOWN + 1];
	size_t len = text ? strcspn(text, "\n") : 0;

	fflush(stdout);
	fprintf(stderr, "%s:%u:%u: error: %s\n", file, line, column, what);
	if (!len || !column || column > len || column > LINE_SHOWN)
		return;
	if (len > LINE_SHOWN)
		len = LINE_SHOWN;

	/* Tabs stay tabs in both lines, so that the caret is under the right column. */
	for (size_t i = 0; i < len; i++) {
		shown[i] = text[i] == '\t' || isprint((unsigned char)text[i]) ? text[i] : '?';
		under[i] = text[i] == '\t' ? '\t' : ' ';
	}
	shown[len] = '\0';
	under[column - 1] = '\0';
	fprintf(stderr, "    %s\n    %s^\n", shown, under);
}
