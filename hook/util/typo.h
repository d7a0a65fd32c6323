/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a word looks like another one: for proposals after a typing error. */
#ifndef VFIO_EARLY_HOOK_UTIL_TYPO_H
#define VFIO_EARLY_HOOK_UTIL_TYPO_H

#define TYPO_MAX 32 /* a longer word is similar to none */

/*
 * typo_distance - typing errors between two words: a character wrong, missing or extra, or two
 * neighbours swapped. TYPO_MAX if one of them is too long.
 */
unsigned int typo_distance(const char *a, const char *b);

#endif
