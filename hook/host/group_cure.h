/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of an IOMMU group keeps a VM from it, and what would make each of those bindable: once, for all
 * that say it, with the words for it. Changes nothing.
 */
#ifndef VFIO_EARLY_HOOK_HOST_GROUP_CURE_H
#define VFIO_EARLY_HOOK_HOST_GROUP_CURE_H

#include "host/host.h"

enum group_cure {
	GROUP_CURE_NONE,
	GROUP_CURE_NAME,   /* a bind line for it */
	GROUP_CURE_EXCEPT, /* out of the except line */
	GROUP_CURE_REASON, /* a line names it; the reason for its refusal can be removed */
	GROUP_CURES,
};

/* The members in the way. */
struct group_cures {
	unsigned int blocking;			 /* all of them */
	unsigned int count[GROUP_CURES];	 /* how many have each cure */
	const struct host_function *excepted;	 /* the first with that cure, or NULL */
	const struct host_function *with_reason; /* the same */
};

/* group_cure - of a member that is in the way. */
enum group_cure group_cure(const struct host *host, const struct host_function *fn);

/* group_cures_count - those of the group of a function that was decided on. */
void group_cures_count(const struct host *host, const struct host_function *fn,
		       struct group_cures *cures);

/* group_can_name - would bind lines for all that are in the way be enough? */
bool group_can_name(const struct group_cures *cures);

/* group_say_except - "remove 0000:01:00.0 and the others of its group from the except line" */
const char *group_say_except(const struct group_cures *cures, char *text, size_t size);

/* group_say_name - "vfio-early add --group 0000:01:00.0, or set group claim" */
const char *group_say_name(const struct host_function *fn, bool can_move, char *text, size_t size);

/* group_say_hopeless - @remove: the command that takes the named ones out of the config */
const char *group_say_hopeless(const char *remove, bool is_one, char *text, size_t size);

#endif
