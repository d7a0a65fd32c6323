/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for people, beside the code that they stand for, as in early/code.h: a build with WORDS=codes has
 * the code in place of each of them.
 */
#ifndef VFIO_EARLY_HOOK_UTIL_WORDS_H
#define VFIO_EARLY_HOOK_UTIL_WORDS_H

#include "early/code.h"

/* words_of - WORDS() for a text that is made while the program runs; NULL and "" are "". */
static inline const char *words_of(const char *code, const char *text)
{
	(void)code;
	if (!text || !*text)
		return "";
	return WORDS(code, text);
}

#endif
