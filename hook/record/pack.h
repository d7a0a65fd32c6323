/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are no text, made of a record's lines: programs and modules of nothing but a head, the indexes
 * of depmod(8), images. Of use for replay.c alone.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_PACK_H
#define VFIO_EARLY_HOOK_RECORD_PACK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * pack_program - an ELF file that cannot be run, and whose content follows from @digest: what was the same
 * file on the host is the same here. malloc'ed; NULL without memory.
 */
char *pack_program(bool is_static, const char *digest, size_t *size);

/* pack_module - an ELF file of one section, .modinfo. @info: lines become strings. As pack_program(). */
char *pack_module(const char *info, size_t len, size_t *size);

/*
 * pack_indexes - modules.dep.bin, modules.alias.bin and modules.builtin.bin of the lists of the same names
 * in a folder of modules; also where a list is not there, but for modules.dep. Returns 0 or -errno.
 */
int pack_indexes(int dirfd);

/* An image under way: members of one path, which come one after the other. */
struct pack_image;

/* pack_image_open - @fd: an empty file, which must stay open. NULL without memory. */
struct pack_image *pack_image_open(int fd);

/* pack_image_add - a member. Returns 0 or -errno. */
int pack_image_add(struct pack_image *image, const char *path, unsigned int mode, const char *text,
		   size_t size);

/* pack_image_close - the end of it, also after a failure. Returns 0 or -errno. */
int pack_image_close(struct pack_image *image);

#endif
