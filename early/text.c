// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text without stdio; see text.h. Pure.
 */
#include <errno.h>
#include <string.h>

#include "text.h"

struct buffer {
	char *pos;
	char *end; /* the last place for the NUL */
};

static void put(struct buffer *buffer, const char *text, size_t len)
{
	size_t room = (size_t)(buffer->end - buffer->pos);

	if (len > room)
		len = room;
	memcpy(buffer->pos, text, len);
	buffer->pos += len;
}

static void put_number(struct buffer *buffer, uint32_t value, unsigned int base, unsigned int width)
{
	char digits[10];
	char *pos = digits + sizeof(digits);

	do {
		*--pos = "0123456789abcdef"[value % base];
		value /= base;
	} while (value || pos > digits + sizeof(digits) - width);
	put(buffer, pos, (size_t)(digits + sizeof(digits) - pos));
}

size_t text_vformat(char *buf, size_t size, const char *fmt, va_list args)
{
	struct buffer buffer = { .pos = buf, .end = buf + size - 1 };

	for (;;) {
		const char *plain = fmt;
		size_t len = SIZE_MAX;
		unsigned int width = 0;
		const char *text;

		/* klibc's strcspn() and strspn() fill a table of 256 bytes for each call. */
		while (*fmt && *fmt != '%')
			fmt++;
		put(&buffer, plain, (size_t)(fmt - plain));
		if (!*fmt++)
			break;
		if (*fmt == '0') {
			width = (unsigned int)(fmt[1] - '0');
			fmt += 2;
		}
		if (*fmt == '.') {
			len = va_arg(args, unsigned int);
			fmt += 2;
		}
		switch (*fmt++) {
		case 's':
			text = va_arg(args, const char *);
			if (text)
				put(&buffer, text, strnlen(text, len));
			continue;
		case 'u':
			put_number(&buffer, va_arg(args, uint32_t), 10, width);
			continue;
		case 'x':
			put_number(&buffer, va_arg(args, uint32_t), 16, width);
			continue;
		case '%':
			put(&buffer, "%", 1);
			continue;
		}
		break;
	}
	*buffer.pos = '\0';
	return (size_t)(buffer.pos - buf);
}

size_t text_format(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = text_vformat(buf, size, fmt, args);
	va_end(args);
	return len;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

unsigned int text_hex(const char **pos, uint32_t *value)
{
	unsigned int width = 0;
	int digit;

	for (*value = 0; width < 8 && (digit = hex_value(**pos)) >= 0; width++, (*pos)++)
		*value = *value << 4 | (uint32_t)digit;
	return width;
}

bool text_skip_prefix(const char **pos, const char *what)
{
	const char *text = *pos;

	for (; *what; what++)
		if (*text++ != *what)
			return false;
	*pos = text;
	return true;
}

const char *text_skip(const char *text, const char *these)
{
	while (*text && strchr(these, *text))
		text++;
	return text;
}

char *text_word(char **pos)
{
	char *word = (char *)text_skip(*pos, " \t");
	char *end = word;

	while (*end && !strchr(" \t", *end))
		end++;
	if (*end)
		*end++ = '\0';
	*pos = end;
	return word;
}

const char *text_find(const char *text, const char *what)
{
	for (; *text; text++) {
		const char *pos = text;

		if (text_skip_prefix(&pos, what))
			return text;
	}
	return NULL;
}

const char *text_nth(const char *list, unsigned int n)
{
	while (n--)
		list += strlen(list) + 1;
	return list;
}

void text_replace(char *text, char from, char to)
{
	while ((text = strchr(text, from)))
		*text = to;
}

unsigned int text_number(const char *text)
{
	unsigned int value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (unsigned int)(*text++ - '0');
	return value;
}

const char *text_error(int error)
{
	/*
	 * The errors that the calls of this program can return, with the words of strerror();
	 * ETIMEDOUT is not about a connection here.
	 */
	static const unsigned char numbers[] = {
		EPERM,	ENOENT, EIO,	ENOEXEC,    EACCES,    EBUSY,  ENODEV,
		EISDIR, EINVAL, ENOSPC, EOPNOTSUPP, ETIMEDOUT, ENOKEY, EKEYREJECTED,
	};
	static const char words[] = "Operation not permitted\0"
				    "No such file or directory\0"
				    "Input/output error\0"
				    "Exec format error\0"
				    "Permission denied\0"
				    "Device or resource busy\0"
				    "No such device\0"
				    "Is a directory\0"
				    "Invalid argument\0"
				    "No space left on device\0"
				    "Operation not supported\0"
				    "Timed out\0"
				    "Required key not available\0"
				    "Key was rejected by service";
	static char other[16];

	for (unsigned int i = 0; i < sizeof(numbers); i++)
		if (numbers[i] == error)
			return text_nth(words, i);
	text_format(other, sizeof(other), "errno %u", (unsigned int)error);
	return other;
}
