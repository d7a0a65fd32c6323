/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is all as configured, and will it be after the next boot? Each check with its result and its fix,
 * for `status`. Reads only, and needs no privilege: what only root can see is unknown, never taken for
 * good or bad.
 */
#ifndef VFIO_EARLY_HOOK_FINDINGS_HEALTH_H
#define VFIO_EARLY_HOOK_FINDINGS_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "host/boot_report.h"
#include "host/host.h"
#include "image/inspect.h"

enum result {
	RESULT_OK,
	RESULT_WARNING, /* said, but no reason not to be READY */
	RESULT_FAIL,
	RESULT_UNKNOWN, /* only root could tell */
};

struct check {
	const char *name; /* of the schema of --json: see vfio-early(8) before a change */
	char *subject;	  /* an address, a kernel version, a file; or NULL */
	enum result result;
	char *text;
	char *fix; /* or NULL */
};

struct health {
	struct host *host;
	struct inspector inspector; /* has the config */
	struct plan own;	    /* the config as it is written: what no plan carries */
	char *kernel;		    /* the one that the next boot takes, as far as can be told */
	struct check *check;
	size_t checks;
	struct entries entries;
	unsigned int failed, unknown;
	bool no_memory;
};

/*
 * health_collect - every check, in the order in which a boot depends on them.
 * @host: after host_open(); must live as long
 * @health: filled in; health_free() in any case
 *
 * Returns 0, or -errno after saying why.
 */
int health_collect(struct host *host, struct health *health);

void health_free(struct health *health);

/* health_add - one more check. @subject, @fix: or NULL. A failure is in no_memory. */
__attribute__((format(printf, 6, 7))) void health_add(struct health *health, const char *name,
						      enum result result, const char *subject,
						      const char *fix, const char *fmt, ...);

/* What health_collect() is made of, of files of their own. */
void health_machine(struct health *health); /* processor, firmware, kernel, remapping */
void health_loader(struct health *health);
void health_recipes(struct health *health); /* old recipes that fight with us, or do nothing */

#endif
