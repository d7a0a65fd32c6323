/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine as text: `vfio-early bug-report` writes it, and --root FILE reads it. It has the lines
 * that tests/tree/README.md describes, and these:
 *
 *   report 1                       the first line: what is not in the report did not exist
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
 * Paths are relative to the root. In TEXT, PATH and TARGET, \n is a newline, \t a tab, \%HH a byte;
 * a blank in a path is \%20. Lines that begin with # are comments.
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
	struct stringset modules; /* those of vfio and their dependencies, of all kernels */
	bool has_pve;		  /* /etc/pve responds */
	int err;		  /* -ENOMEM, once */
};

/* record_find_hosts - find the names of hosts: of this one, and of its cluster. Call it first. */
void record_find_hosts(struct record *record);

/*
 * record_machine - write all lines of a machine, including the first.
 * @record: root and out are set, everything else is zero; call record_clear() in any case
 *
 * Reads below the root and prints no messages. What cannot be read is left out. Returns 0 or
 * -errno.
 */
int record_machine(struct record *record);

void record_clear(struct record *record);

/* --- shared by the parts of record/ */

/* record_text - write a text in the form of TEXT. */
void record_text(FILE *out, const char *text, size_t size, bool is_path);

/*
 * record_follow - find the real path of something below the root; writes a line for each link on
 * the way.
 * @real: gets it, without a leading slash; sys/devices/pci..., whatever device of the board is
 *	above the host bridge
 *
 * Returns 0 or -errno.
 */
int record_follow(struct record *record, const char *path, char real[PATH_MAX]);

/*
 * record_put - write a file line with what the filter leaves of a text, unless @path has a line
 * already.
 */
void record_put(struct record *record, const char *path, enum filter filter, const char *text,
		size_t size);

/* record_is_new - is there no line for this path yet? Marks it as having one. */
bool record_is_new(struct record *record, const char *path);

/* record_folder - write "dir PATH", once. */
void record_folder(struct record *record, const char *path);

/*
 * The parts of a record: each writes its lines. What cannot be read is left out; without memory,
 * record->err is set.
 */
void record_functions(struct record *record);
void record_table(struct record *record);
void record_kernels(struct record *record);
void record_images(struct record *record);
void record_scripts(struct record *record);
void record_answers(struct record *record);

#endif
