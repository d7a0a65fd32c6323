// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps stdio, and with it malloc(), out of the static binary: klibc's start-up code would bring
 * them in for nothing. Defining its two hooks here saves a kilobyte and a half, and proves that
 * nothing is allocated at boot: the binary has no allocator.
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
