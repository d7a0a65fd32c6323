/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What detach, reattach and apply --now have in common: which functions are meant, the lock of the late
 * runs, a child with a deadline, and what is said of each function in the end, to the user, in the boot's
 * log and in its report.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_HANDOVER_H
#define VFIO_EARLY_HOOK_COMMANDS_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "early/act.h"
#include "early/report.h"
#include "host/host.h"
#include "host/slot.h"
#include "host/users.h"
#include "ui/options.h"

#define HANDOVER_SECONDS 60 /* a GPU's driver takes longer than a boot may wait */

/* What became of one function. */
struct handover_item {
	struct pci_function fn; /* before; fn.driver had it */
	char driver[PCI_DRIVER_SIZE];
	enum report_result result;
	const char *code; /* "" where there is nothing to say */
	char why[512], fix[256];
};

struct handover {
	struct host *host;
	struct slot slot; /* the functions that are meant */
	enum slot_scope scope;
	bool force, is_dry, is_kept;
	bool is_preview;       /* apply has said already what stays with the host */
	unsigned int deadline; /* seconds */
	struct report report;
	int lockfd; /* or -1 */
	struct timespec started;
	struct act *act; /* shared with the child */
	struct users users;
	struct handover_item *item;
	size_t items;
};

/*
 * handover_refuse_stuck - before any of them is read: does a word name a function that a driver did not let
 * go of? Each is an item. Returns 0 or -EBUSY.
 */
int handover_refuse_stuck(struct handover *handover, int argc, char **argv);

/* handover_open - of an opened host. Returns 0 or -errno after saying why; handover_close() in any case. */
int handover_open(struct handover *handover);

/*
 * handover_lock - wait a little for late runs and others of these. Not in a dry run.
 * Returns 0, or -errno after saying why.
 */
int handover_lock(struct handover *handover);

void handover_close(struct handover *handover);

/*
 * handover_give - hand the functions of handover->slot to vfio-pci, by the boot's own decide() and
 * act_run(), when nobody uses them.
 *
 * Returns an exit status; items and users say more.
 */
int handover_give(struct handover *handover);

/* handover_take_back - give them back to their own drivers; as above. */
int handover_take_back(struct handover *handover);

/* handover_print - what became of each, for people. Users and failures are errors. */
void handover_print(const struct handover *handover);

/* handover_json - the same as JSON. Returns 0 or -errno. */
int handover_json(const struct handover *handover);

/* --- for handover_give() and handover_take_back() alone */

/* handover_ms - since it began. */
unsigned int handover_ms(const struct handover *handover);

/* handover_add - one more item. @code, @why, @fix: "" where there is none. */
struct handover_item *handover_add(struct handover *handover, const struct pci_function *fn,
				   enum report_result result, const char *code, const char *why,
				   const char *fix);

/*
 * handover_tell - a line of the log and one of the report: by-admin.
 * @what: "given back"
 * @more: further fields of the report, as in struct report_entry, or NULL
 */
void handover_tell(struct handover *handover, const struct pci_function *fn, const char *driver,
		   enum report_result result, const char *what, const char *command,
		   const char *more);

/* handover_run - in a child, for at most the deadline. Returns 0, -ETIMEDOUT, or -errno. */
int handover_run(struct handover *handover, int (*fn)(void *arg), void *arg, int ms);

#endif
