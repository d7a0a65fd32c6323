/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Placeholders: a value that identifies a machine or somebody's network is replaced by a
 * meaningless one of the same form; the same value always by the same placeholder. So references
 * stay visible, and readers still accept the text. Pure, except that it remembers what it has
 * replaced.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_REDACT_H
#define VFIO_EARLY_HOOK_RECORD_REDACT_H

#include <stddef.h>
#include <stdio.h>

#include "util/stringset.h"

enum redact_kind {
	REDACT_UUID,   /* 00000000-0000-4000-8000-00000000000N */
	REDACT_HEX,    /* machine-id and the like, 32 digits: 0...0N */
	REDACT_SERIAL, /* of FAT and NTFS, and the GUIDs of pools: as many digits */
	REDACT_LVM,    /* physical volumes, groups, volumes: as many characters */
	REDACT_MAC,    /* 02:00:00:00:00:NN */
	REDACT_IPV4,   /* from 192.0.2.N on (RFC 5737) */
	REDACT_IPV6,   /* 2001:db8::N (RFC 3849) */
	REDACT_WWN,    /* of a disk or port: 0x and 16 digits */
	REDACT_DISK,   /* a name in /dev/disk/by-id, with model and serial number: id-N */
	REDACT_TARGET, /* iqn.N, nqn.N */
	REDACT_HOST,   /* host-N */
	REDACT_VALUE,  /* hidden-N: of an unlisted kernel parameter or option */
	REDACT_KINDS,
};

struct redact {
	struct stringset seen[REDACT_KINDS]; /* the number of a placeholder is its index, from 1 */
	struct stringset hosts;		     /* names of hosts, replaced wherever they occur */
	struct stringset digests;	     /* pairs: SHA-256 of a text and of its replacement */
	int err;			     /* -ENOMEM, once */
};

/*
 * redact_add_host - a name to be replaced as a whole word from now on.
 *
 * A name that the system itself uses as a word ("pve", "debian", "boot") does not identify its
 * owner. It stays, because replacing it would change what is recorded.
 */
void redact_add_host(struct redact *redact, const char *name, size_t len);

/* redact_add_digest - 64 hex digits to be replaced by 64 others wherever they occur. */
void redact_add_digest(struct redact *redact, const char *old, const char *new);

/* redact_one - write the placeholder for a whole value to @out; nothing for "". */
void redact_one(struct redact *redact, enum redact_kind kind, const char *value, size_t len,
		FILE *out);

/*
 * redact_text - copy a text to @out, with placeholders for everything that looks like one of the
 * above.
 */
void redact_text(struct redact *redact, const char *text, size_t size, FILE *out);

/* redact_string - the same, malloc'ed and NUL-ended; NULL without memory. */
char *redact_string(struct redact *redact, const char *text, size_t size);

void redact_clear(struct redact *redact);

#endif
