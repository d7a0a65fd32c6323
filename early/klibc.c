// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What klibc's start-up code would bring in for nothing: stdio, and with it malloc(). Defining its
 * two hooks here keeps both out of the static binary, a kilobyte and a half, and makes "nothing is
 * allocated at boot" a property of the file: it has no allocator.
 *
 * klibc: usr/klibc/libc_init.c calls __libc_init_stdio(), usr/klibc/exit.c calls fflush(NULL).
 */
#ifdef __KLIBC__

#include <stdio.h>

/* For klibc's own objects, which -fwhole-program does not see. */
__attribute__((externally_visible)) void __libc_init_stdio(void);
__attribute__((externally_visible)) int fflush(FILE *file);

void __libc_init_stdio(void)
{
}

int fflush(FILE *file)
{
	(void)file;
	return 0;
}

#endif
