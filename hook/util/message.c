// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said on stderr; see message.h. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/message.h"
#include "util/printable.h"

/* Of a line of a config, which may be anything. */
#define LINE_SHOWN 160

static void say(const char *kind, int error, const char *fmt, va_list args)
{
	char text[1024], why[128] = "";

	vsnprintf(text, sizeof(text), fmt, args);
	if (error)
		snprintf(why, sizeof(why), ": %s", strerror(-error));
	printable_make(text, strlen(text));
	fprintf(stderr, "vfio-early: %s: %s%s\n", kind, text, why);
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

void message_plain(const char *text)
{
	fprintf(stderr, "%s\n", text);
}

void message_line(const char *file, unsigned int line, unsigned int column, const char *what,
		  const char *text)
{
	char shown[LINE_SHOWN + 1], under[LINE_SHOWN + 1];
	size_t len = text ? strcspn(text, "\n") : 0;

	fprintf(stderr, "%s:%u:%u: error: %s\n", file, line, column, what);
	if (!len || !column || column > len || column > LINE_SHOWN)
		return;
	if (len > LINE_SHOWN)
		len = LINE_SHOWN;

	/* Tabs stay tabs in both lines, so that the caret stands where the eye expects it. */
	for (size_t i = 0; i < len; i++) {
		shown[i] = text[i] == '\t' || isprint((unsigned char)text[i]) ? text[i] : '?';
		under[i] = text[i] == '\t' ? '\t' : ' ';
	}
	shown[len] = '\0';
	under[column - 1] = '\0';
	fprintf(stderr, "    %s\n    %s^\n", shown, under);
}
