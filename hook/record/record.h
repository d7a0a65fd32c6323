/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine as text: what `vfio-early bug-report` writes and --root FILE reads. Lines of the format of
 * tests/tree/README.md, and these:
 *
 *   report 1                       the first: what is not in it was not there
 *   file PATH TEXT                 a file; TEXT and a newline
 *   data PATH TEXT                 the same without the newline
 *   link PATH TARGET               a symbolic link, relative, which stays below the root
 *   dir PATH                       a folder
 *   modinfo PATH TEXT              a kernel module; TEXT is its .modinfo, a newline for each NUL
 *   image PATH MODE MEMBER TEXT    a member of an image (cpio); MODE in octal
 *   program PATH KIND SHA256       vfio-early-bind on the host; KIND is static or dynamic
 *   image-program PATH MODE MEMBER KIND SHA256     and in an image
 *   damaged PATH                   an image that cannot be read
 *
 * Paths are relative to the root. In TEXT, PATH and TARGET \n is a newline, \t a tab, \%HH any byte; a
 * blank in a path is \%20. Lines that begin with # say nothing of the machine.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_RECORD_H
#define VFIO_EARLY_HOOK_RECORD_RECORD_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "record/filter.h"
#include "record/redact.h"
#include "util/root.h"

#define RECORD_VERSION "1"
#define RECORD_MAX     (64u << 20) /* bytes of a report */
#define RECORD_FILE    (4u << 20)  /* bytes of one file in it */

struct record {
	const struct root *root;
	FILE *out;
	struct redact redact;
	void *done;		  /* paths that are in it: tsearch(3) */
	struct stringset modules; /* vfio's and what they need, of all kernels */
	bool has_pve;		  /* /etc/pve answers */
	int err;		  /* -ENOMEM, once */
};

/* record_find_hosts - which names are hosts': this one's, and those of its cluster. To be called first. */
void record_find_hosts(struct record *record);

/*
 * record_machine - all lines of a machine, the first included.
 * @record: root and out are set, all else zero; record_clear() in any case
 *
 * Reads below the root and prints no word. Returns 0 or -errno: what cannot be read is left out.
 */
int record_machine(struct record *record);

void record_clear(struct record *record);

/* --- what its parts share */

/* record_text - as TEXT is written. */
void record_text(FILE *out, const char *text, size_t size, bool is_path);

/*
 * record_follow - the real path of what is below the root; each link on the way becomes a line.
 * @real: gets it, without a slash in front; sys/devices/pci... for whatever bridge of the board is above
 *
 * Returns 0 or -errno.
 */
int record_follow(struct record *record, const char *path, char real[PATH_MAX]);

/* record_put - a file line with what a filter leaves of a text, unless there is one of that path. */
void record_put(struct record *record, const char *path, enum filter filter, const char *text,
		size_t size);

/* record_is_new - is this path in no line yet? It is from now on. */
bool record_is_new(struct record *record, const char *path);

/* record_folder - "dir PATH", once. */
void record_folder(struct record *record, const char *path);

void record_functions(struct record *record);
void record_table(struct record *record);
void record_kernels(struct record *record);
void record_images(struct record *record);
void record_scripts(struct record *record);
void record_answers(struct record *record);

#endif
