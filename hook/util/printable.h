/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of somebody else, for a terminal: names of processes and of folders, lines of files. Pure. */
#ifndef VFIO_EARLY_HOOK_UTIL_PRINTABLE_H
#define VFIO_EARLY_HOOK_UTIL_PRINTABLE_H

#include <stddef.h>

/*
 * printable_make - put '?' in the place of each byte that a terminal might obey, or that is no UTF-8.
 * Newlines and tabs stay. @size: without the NUL, if there is one
 */
void printable_make(char *text, size_t size);

#endif
