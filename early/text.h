/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Converts numbers and errors to text, and back. Pure. Own code, because vsnprintf(), strtoul() and
 * the error table of klibc would be a third of the static binary.
 */
#ifndef VFIO_EARLY_TEXT_H
#define VFIO_EARLY_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * text_format, text_vformat - format a string like snprintf(), with %s (NULL is ""), %u, %x (both
 * also with 0 and a width of one digit: %04x), %% and %.*s for a string of limited length. Any
 * other conversion ends the text.
 * @size: of buf, at least 1
 *
 * Returns the length of the text in buf, which is never more than size - 1.
 */
__attribute__((format(printf, 3, 4))) size_t text_format(char *buf, size_t size, const char *fmt,
							 ...);
size_t text_vformat(char *buf, size_t size, const char *fmt, va_list args);

/*
 * text_hex - read at most eight hex digits at *pos, and move *pos behind them. Returns their
 * number; the value is 0 if there are none.
 */
unsigned int text_hex(const char **pos, uint32_t *value);

/*
 * text_skip_prefix - if the text at *pos starts with @what, move *pos behind it. Returns false if
 * it does not.
 */
bool text_skip_prefix(const char **pos, const char *what);

/* text_skip - skip leading characters of @text that are in @these. */
const char *text_skip(const char *text, const char *these);

/*
 * text_word - cut the next word out of a line of words separated by blanks and tabs.
 * @pos: moved behind the word and its separator
 *
 * Returns the word; "" at the end of the line.
 */
char *text_word(char **pos);

/* text_find - the first place of a text in another one, or NULL. */
const char *text_find(const char *text, const char *what);

/*
 * text_nth - string number "n" of strings stored one after the other, each with its NUL; it must
 * exist. A table of pointers would take eight more bytes for each string.
 */
const char *text_nth(const char *list, unsigned int n);

/* text_replace - replace every occurrence of a character by another one. */
void text_replace(char *text, char from, char to);

/* text_number - the decimal number at the start of a text; 0 if there is none. */
unsigned int text_number(const char *text);

/*
 * text_error - the words for an errno that can occur here; "errno N" for any other, valid until the
 * next call.
 */
const char *text_error(int error);

#endif
