/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and errors to text, and back. Pure. Ours, because klibc's vsnprintf(), strtoul() and
 * table of errors would be a third of the static binary.
 */
#ifndef VFIO_EARLY_TEXT_H
#define VFIO_EARLY_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * text_format - put a string together, as snprintf() does, of %s (NULL is ""), %u, %x (both with 0
 * and a width of one digit: %04x), %% and, for a string that is cut, %.*s. Any other conversion ends
 * the text.
 * @size: of buf, at least 1
 *
 * Returns the length of what is in buf, which is never more than size - 1.
 */
__attribute__((format(printf, 3, 4))) size_t text_format(char *buf, size_t size, const char *fmt,
							 ...);
size_t text_vformat(char *buf, size_t size, const char *fmt, va_list args);

/*
 * text_hex - read hex digits at *pos, eight at the most, and move behind them.
 * Returns how many there were; the value is 0 when there were none.
 */
unsigned int text_hex(const char **pos, uint32_t *value);

/* text_skip_prefix - move *pos behind what the text there starts with; false when that is something else. */
bool text_skip_prefix(const char **pos, const char *what);

/* text_skip - behind those characters that a text starts with. */
const char *text_skip(const char *text, const char *these);

/*
 * text_word - cut the next word out of a line of words between blanks and tabs.
 * @pos: moved behind the word and what ended it
 *
 * Returns the word; "" at the end of the line.
 */
char *text_word(char **pos);

/* text_find - where a text first has another, or NULL. */
const char *text_find(const char *text, const char *what);

/*
 * text_nth - string "n" of those that stand one behind the other, each with its NUL; there must be so
 * many. A table of pointers would be eight bytes larger for each.
 */
const char *text_nth(const char *list, unsigned int n);

/* text_replace - each of one character by another one. */
void text_replace(char *text, char from, char to);

/* text_number - the decimal number that a text starts with; 0 when it starts with none. */
unsigned int text_number(const char *text);

/* text_error - the words for an errno that can occur here; any other is "errno N", until the next. */
const char *text_error(int error);

#endif
