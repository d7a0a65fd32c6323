/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by detach, reattach and apply --now: which functions are meant, the lock of the late runs,
 * a child with a deadline, and the result for each function, which is printed and written to the
 * boot's log and report.
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

#define HANDOVER_SECONDS 60 /* the driver of a GPU takes longer than a boot may wait */

/* The result for one function. */
struct handover_item {
	struct pci_function fn; /* as it was before, with its driver then */
	char driver[PCI_DRIVER_SIZE];
	enum report_result result;
	const char *code; /* "" if there is no reason */
	char why[512], fix[256];
};

struct handover {
	struct host *host;
	struct slot slot; /* the functions to be handed over */
	enum slot_scope scope;
	bool force, is_dry, is_kept;
	bool is_preview;       /* apply has already printed what stays with the host */
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
 * handover_refuse_stuck - does a word name a function that a driver did not release? Call it before
 * any function is read. Adds an item for each of them. Returns 0 or -EBUSY.
 */
int handover_refuse_stuck(struct handover *handover, int argc, char **argv);

/*
 * handover_open - prepare; handover->host is opened. Returns 0, or -errno after printing an error.
 * Call handover_close() in any case.
 */
int handover_open(struct handover *handover);

/*
 * handover_lock - take the lock of the late runs; waits a few seconds for them and for other
 * commands. Not in a dry run. Returns 0, or -errno after printing an error.
 */
int handover_lock(struct handover *handover);

void handover_close(struct handover *handover);

/*
 * handover_give - bind the functions of handover->slot to vfio-pci if nobody uses them, with
 * decide() and act_run() of the boot half.
 *
 * Returns an exit status; the items and users have the details.
 */
int handover_give(struct handover *handover);

/* handover_take_back - give them back to their own drivers. Returns the same. */
int handover_take_back(struct handover *handover);

/*
 * handover_print - print the result for each function, for people. Users and failures are printed
 * as errors.
 */
void handover_print(const struct handover *handover);

/* handover_json - the same as JSON. Returns 0 or -errno. */
int handover_json(const struct handover *handover);

/* --- only for handover_give() and handover_take_back() */

/* handover_ms - milliseconds since it began. */
unsigned int handover_ms(const struct handover *handover);

/* handover_add - add an item. @code, @why, @fix: "" if there is none. Returns the item. */
struct handover_item *handover_add(struct handover *handover, const struct pci_function *fn,
				   enum report_result result, const char *code, const char *why,
				   const char *fix);

/*
 * handover_tell - write a line of the log and one of the report, marked as done by the
 * administrator.
 * @what: "given back"
 * @more: further fields of the report, as in struct report_entry, or NULL
 */
void handover_tell(struct handover *handover, const struct pci_function *fn, const char *driver,
		   enum report_result result, const char *what, const char *command,
		   const char *more);

/*
 * handover_run - run a function in a child for at most @ms milliseconds. Returns 0, -ETIMEDOUT, or
 * -errno.
 */
int handover_run(struct handover *handover, int (*fn)(void *arg), void *arg, int ms);

#endif
