/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out the verdicts: override, unbind, load, bind, verify, release. Only this file changes a
 * device. It decides and prints nothing; it leaves an outcome for each function.
 */
#ifndef VFIO_EARLY_ACT_H
#define VFIO_EARLY_ACT_H

#include <stdbool.h>

#include "decide.h"
#include "modules.h"
#include "pci.h"
#include "plan.h"

/* How far a run has come, and what failed first for a function; in the order of the run. */
enum act_step {
	ACT_START,
	ACT_LOCK, /* another run has it */
	ACT_OVERRIDE,
	ACT_UNBIND,
	ACT_SET, /* the set lines, before the bind; a failure does not prevent it */
	ACT_FRAMEBUFFER,
	ACT_LOAD,
	ACT_BIND,
	ACT_VERIFY,
	ACT_GROUP, /* bound, but in a group that isolates nothing */
	ACT_RELEASE,
	ACT_DONE,
};

enum act_result {
	ACT_NOTHING, /* there was nothing to do, or the run did not get there */
	ACT_BOUND,
	ACT_RELEASED,	  /* failed; the override is cleared */
	ACT_HELD,	  /* no driver; the override keeps every other one away */
	ACT_STUCK,	  /* a driver did not let go in time: left as it is */
	ACT_NOT_RELEASED, /* failed, and so did the release; the override may remain */
};

/* The result of one key of the set lines that name a function. */
struct act_setting {
	const char *
		value; /* as asked for; NULL: no line sets it, or the line names several functions and this one lacks it */
	int error;		      /* errno; 0 if it reads back as it was asked for */
	char before[PLAN_VALUE_SIZE]; /* the attribute's value before; "" if it was not touched, or is not known */
};

/*
 * The result of a run for one function. fn->driver in the table is the driver before the run: the
 * one that the function was taken from.
 */
struct act_outcome {
	enum act_result result;
	enum act_step failed;	      /* ACT_START: nothing did */
	int error;		      /* errno of what failed */
	char driver[PCI_DRIVER_SIZE]; /* at the end, by its link */
	char found[PCI_DRIVER_SIZE];  /* its override before the run, "" when there was none */
	struct act_setting setting[PLAN_SET_KEYS];
};

/*
 * One run. It is in memory that the parent shares, so that the parent can still report what was
 * done if the run hangs. Here and elsewhere large arrays come last: x86 needs shorter instructions
 * for the members before them.
 */
struct act {
	int rootfd;
	const struct plan *plan;
	int patience;  /* ms that the next driver may take to let go */
	bool is_unset; /* some set line has no effect on a function that it names */
	unsigned int modules_tried;
	enum act_step step; /* now */
	unsigned int
		current; /* the function that "step" is at, in table.fn; for ACT_LOAD the module */
	struct pci_table table;
	struct module_result module[PLAN_MAX_MODULES];
	struct act_outcome outcome[PCI_MAX_FUNCTIONS];
	struct decisions decisions;
};

/*
 * act_reserve - step 6 alone, for a run that waited in vain for another one: no other driver can
 * take the functions that are to be bound, and nothing else is done.
 */
void act_reserve(struct act *act);

/*
 * act_run - steps 6 to 10 for every verdict of act->decisions.
 * act->patience: set by the caller; each driver that does not let go halves it
 */
void act_run(struct act *act);

/*
 * act_look - for the parent of a run that did not end: reads the driver link of each function,
 * which works whatever blocks on the device.
 */
void act_look(struct act *act);

/*
 * act_give_back - give a function that is on vfio-pci, or held without a driver, to its own driver.
 * @fn: as read now
 * @outcome: filled in; driver: the new one, "" if there is none; error: errno of the failure, or 0
 */
void act_give_back(const struct act *act, const struct pci_function *fn,
		   struct act_outcome *outcome);

/*
 * act_let_go - first half of giving a function back on the administrator's request. The override is
 * cleared, and the ID removed from vfio-pci's dynamic IDs, before the unbind, so that nothing gives
 * it to vfio-pci again. Called only by the host half.
 * @fn: as read now, on a driver of vfio or without one
 * @outcome: zeroed by the caller; failed stays ACT_START if it has no driver now
 */
void act_let_go(const struct act *act, const struct pci_function *fn, struct act_outcome *outcome);

/*
 * act_restore - restore reset_method and d3cold_allowed to the values before the set lines:
 * "before" in the outcome's settings, "" for one that was not changed. vfio-pci itself restores
 * power/control. Returns 0 if both are restored.
 */
int act_restore(const struct act *act, const struct pci_function *fn,
		const struct act_outcome *outcome);

/*
 * act_probe - second half, once its own driver may be loaded: has the kernel look for a driver.
 * @outcome: driver: the new one, "" if none wants it
 */
void act_probe(const struct act *act, const struct pci_function *fn, struct act_outcome *outcome);

/* act_set_reason - the code of a failed set line; REASON_NONE if error is 0. */
enum reason act_set_reason(int error);

/* act_reason - the code of the failure; call it only if outcome->failed is not ACT_START. */
enum reason act_reason(const struct act_outcome *outcome);

/*
 * act_with_deadline - run a function in a child and wait for it, but no longer than a deadline.
 * @fn: its return value is the child's exit status, 0 to 255
 * @ms: milliseconds. After that, or if poll() fails, the child is killed but not waited for: a
 * 	child that is blocked inside the kernel dies only when the kernel releases it.
 *
 * Returns the exit status, -ETIMEDOUT, -ECHILD if the child died of a signal, or -errno if none
 * could be created.
 */
int act_with_deadline(int (*fn)(void *arg), void *arg, int ms);

#endif
