/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes binary files from the lines of a record: programs and modules that consist only of headers,
 * the indexes of depmod(8), and images. Used only by replay.c.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_PACK_H
#define VFIO_EARLY_HOOK_RECORD_PACK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * pack_program - make an ELF file that cannot be run. Its content depends on @digest, so files that
 * were equal on the host are equal here.
 *
 * Returns malloc'ed content of *size bytes; NULL without memory.
 */
char *pack_program(bool is_static, const char *digest, size_t *size);

/*
 * pack_module - make an ELF file with one section, .modinfo.
 * @info: each line becomes a string of it
 *
 * Returns as pack_program() does.
 */
char *pack_module(const char *info, size_t len, size_t *size);

/*
 * pack_indexes - make modules.dep.bin, modules.alias.bin and modules.builtin.bin from the lists of
 * these names in a folder of modules. The first and the last are made only if their list exists.
 * Returns 0 or -errno.
 */
int pack_indexes(int dirfd);

/* An image that is being written. The members of one image must be added one after the other. */
struct pack_image;

/*
 * pack_image_open - begin an image.
 * @fd: an empty file, which must stay open
 *
 * Returns NULL without memory.
 */
struct pack_image *pack_image_open(int fd);

/* pack_image_add - add a member. Returns 0 or -errno. */
int pack_image_add(struct pack_image *image, const char *path, unsigned int mode, const char *text,
		   size_t size);

/* pack_image_close - finish it; also to be called after a failure. Returns 0 or -errno. */
int pack_image_close(struct pack_image *image);

#endif
