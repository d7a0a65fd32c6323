/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Placeholders: what names one machine, or somebody's network, is replaced by something of the same form
 * that says nothing; the same value by the same placeholder, so that what names what stays visible and
 * every reader still takes it for what it was. Pure but for the memory of what it has replaced.
 */
#ifndef VFIO_EARLY_HOOK_RECORD_REDACT_H
#define VFIO_EARLY_HOOK_RECORD_REDACT_H

#include <stddef.h>
#include <stdio.h>

#include "util/stringset.h"

enum redact_kind {
	REDACT_UUID,   /* 00000000-0000-4000-8000-00000000000N */
	REDACT_HEX,    /* machine-id and the like, 32 digits: 0...0N */
	REDACT_SERIAL, /* of FAT and NTFS, and the numbers of pools: as many digits */
	REDACT_LVM,    /* physical volumes, groups, volumes: as many characters */
	REDACT_MAC,    /* 02:00:00:00:00:NN */
	REDACT_IPV4,   /* 192.0.2.N and on (RFC 5737) */
	REDACT_IPV6,   /* 2001:db8::N (RFC 3849) */
	REDACT_WWN,    /* of a disk or a port: 0x, 16 digits */
	REDACT_DISK,   /* a name in /dev/disk/by-id, which has model and serial number: id-N */
	REDACT_TARGET, /* iqn.N, nqn.N */
	REDACT_HOST,   /* host-N */
	REDACT_VALUE,  /* hidden-N: of a kernel parameter or an option that is not listed */
	REDACT_KINDS,
};

struct redact {
	struct stringset seen[REDACT_KINDS]; /* a placeholder's number is the place in it, from 1 */
	struct stringset hosts;		     /* names that are hosts' wherever they stand */
	struct stringset digests; /* in pairs: SHA-256 of a text, and of what that is replaced by */
	int err;		  /* -ENOMEM, once */
};

/*
 * redact_add_host - a name that is replaced as a whole word in all that comes.
 *
 * One that the system itself uses as a word ("pve", "debian", "boot") says nothing of its owner and stays,
 * as replacing it would change what is recorded.
 */
void redact_add_host(struct redact *redact, const char *name, size_t len);

/* redact_add_digest - 64 hex digits that are to be replaced by 64 others wherever they stand. */
void redact_add_digest(struct redact *redact, const char *old, const char *new);

/* redact_one - the placeholder for a whole value, written to @out; "" is nothing. */
void redact_one(struct redact *redact, enum redact_kind kind, const char *value, size_t len,
		FILE *out);

/* redact_text - copy a text to @out, with placeholders for all that looks like one of the above. */
void redact_text(struct redact *redact, const char *text, size_t size, FILE *out);

/* redact_string - the same, malloc'ed and NUL-ended; NULL without memory. */
char *redact_string(struct redact *redact, const char *text, size_t size);

void redact_clear(struct redact *redact);

#endif
