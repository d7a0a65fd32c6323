/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes foreign text safe for a terminal: names of processes and directories, lines of files. No
 * I/O.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_PRINTABLE_H
#define VFIO_EARLY_HOOK_UTIL_PRINTABLE_H

#include <stddef.h>

/*
 * printable_make - replace each byte that a terminal might obey, or that is not UTF-8, by '?'.
 * Newlines and tabs stay. @size: without the NUL, if there is one
 */
void printable_make(char *text, size_t size);

#endif
