/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contents of an image: the concatenated cpio archives that a boot loader gives to the kernel,
 * plain (microcode first) or compressed. inspect.h decides whether they are right. Only reads;
 * unpacks nothing to disk, runs nothing.
 */
#ifndef VFIO_EARLY_HOOK_IMAGE_IMAGE_H
#define VFIO_EARLY_HOOK_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive;

/* One member of an image. */
struct image_entry {
	const char *path; /* without a leading "./", "/" or "usr/": merged or not, it is the same */
	unsigned int mode;
	int64_t size;
	struct archive *archive; /* for image_content() */
};

/*
 * image_walk - call a function with each member of all archives of an image, in their order.
 * @fd: the image, read from its start
 * @each: may end the walk early by returning other than 0
 * @why: on error, what is wrong with the image (static, or valid until the next walk)
 *
 * Returns 0, what @each returned, -EBADMSG if it is not an image or is damaged, or -errno.
 */
int image_walk(int fd, int (*each)(const struct image_entry *entry, void *arg), void *arg,
	       const char **why);

/*
 * image_content - the whole of the member that @each was called with, malloc'ed and NUL-ended.
 * @max: a larger one is -EFBIG
 */
int image_content(const struct image_entry *entry, size_t max, char **text, size_t *size);

/* image_is_static - is a text an ELF file that asks for no interpreter? */
bool image_is_static(const char *text, size_t size);

enum image_builder {
	IMAGE_UNKNOWN,
	IMAGE_INITRAMFS_TOOLS,
	IMAGE_DRACUT,
};

/* The parts of an image that matter here. */
struct image {
	enum image_builder builder;
	unsigned int members;
	char *plan; /* usr/lib/vfio-early/plan; NULL: none */
	size_t plan_size;
	char *order;	     /* scripts/init-top/ORDER; NULL: none */
	bool has_wrapper;    /* initramfs-tools: scripts/init-top/00-vfio-early */
	bool has_systemd;    /* dracut: systemd is its init; then these are used: */
	bool has_unit;	     /* our service, */
	bool is_wanted;	     /* which sysinit.target starts; */
	bool has_hook;	     /* else our hook before udev */
	bool has_rule;	     /* for functions that appear late */
	bool has_rope;	     /* gives storage back if the root is not found: the program, */
	bool has_rope_wait;  /* its caller while the boot waits, */
	bool has_rope_shell; /* and before an emergency shell */
	bool has_binary;     /* usr/lib/vfio-early/vfio-early-bind */
	bool is_executable;  /* its mode says so */
	bool is_static;	     /* an ELF file that asks for no interpreter */
	char binary_sha[65]; /* SHA-256 in hex, "" without binary */
	char *kernel;	     /* the kernel that its modules are for; NULL: it has none */
	bool has_kernels;    /* it has modules for another kernel too */
	char **module; /* paths of all modules, from "lib/modules/", without .ko and the rest */
	size_t modules;
};

/*
 * image_read - look for all of the above.
 * @image: filled in; image_free() in any case
 * @why: as of image_walk()
 */
int image_read(int fd, struct image *image, const char **why);

void image_free(struct image *image);

/* image_path - a path without a leading "./", "/" and "usr/". */
const char *image_path(const char *path);

#endif
