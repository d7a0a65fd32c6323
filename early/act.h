/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying the verdicts out: override, unbind, load, bind, verify, release. The only room that
 * changes a device. Decides nothing; says nothing: it leaves an outcome for each function.
 */
#ifndef VFIO_EARLY_ACT_H
#define VFIO_EARLY_ACT_H

#include <stdbool.h>

#include "decide.h"
#include "modules.h"
#include "pci.h"
#include "plan.h"

/* How far a run has come, and what failed first for a function. In the order of the run. */
enum act_step {
	ACT_START,
	ACT_LOCK, /* another run has it */
	ACT_OVERRIDE,
	ACT_UNBIND,
	ACT_SET, /* what set lines ask for before the bind, which it does not stop */
	ACT_FRAMEBUFFER,
	ACT_LOAD,
	ACT_BIND,
	ACT_VERIFY,
	ACT_GROUP, /* bound, but in a group that isolates nothing */
	ACT_RELEASE,
	ACT_DONE,
};

enum act_result {
	ACT_NOTHING, /* nothing was to be done, or nothing was reached */
	ACT_BOUND,
	ACT_RELEASED,	  /* failed; the override is cleared */
	ACT_HELD,	  /* no driver; the override keeps every other one away */
	ACT_STUCK,	  /* a driver did not let go in time: left as it is */
	ACT_NOT_RELEASED, /* failed, and so did the release; the override may remain */
};

/* What a run made of one key of the set lines that name a function. */
struct act_setting {
	const char *
		value; /* asked for; NULL: by no line, or by one for several, and this one lacks it */
	int error;     /* errno, 0 when it reads back as it was asked for */
	char before[PLAN_VALUE_SIZE]; /* what the attribute held; "" when it was not touched, or unknown */
};

/*
 * What a run made of a function. fn->driver in the table is a fact of the past beside it: the driver
 * that was read before the run, which is what the function was taken from.
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
 * One run. It lies in memory that the parent shares, so that the parent can still say what was
 * done when the run hangs. Here and elsewhere the large arrays come last: x86 reaches what lies
 * in front of them with shorter instructions.
 */
struct act {
	int rootfd;
	const struct plan *plan;
	int patience;  /* ms that the next driver may take to let go */
	bool is_unset; /* some set line has no effect on what it names */
	unsigned int modules_tried;
	enum act_step step; /* now */
	unsigned int
		current; /* the function that "step" is at, in table.fn; of ACT_LOAD the module */
	struct pci_table table;
	struct module_result module[PLAN_MAX_MODULES];
	struct act_outcome outcome[PCI_MAX_FUNCTIONS];
	struct decisions decisions;
};

/*
 * act_reserve - step 6 alone, for a run that waited for another one in vain: no driver gets what is to
 * be bound, and nothing else is done.
 */
void act_reserve(struct act *act);

/*
 * act_run - steps 6 to 10 for every verdict of act->decisions.
 * act->patience: set by the caller; each driver that does not let go halves it
 */
void act_run(struct act *act);

/*
 * act_look - for the parent of a run that did not end: what became of each function, by its link,
 * which can be read whatever blocks on the device.
 */
void act_look(struct act *act);

/*
 * act_give_back - hands a function that is on vfio-pci, or held without a driver, to its own driver.
 * @fn: as read now
 * @outcome: driver: who has it then, "" when nobody does; error: errno of what failed, or 0
 */
void act_give_back(const struct act *act, const struct pci_function *fn,
		   struct act_outcome *outcome);

/*
 * act_let_go - first half of giving a function back at the administrator's word: the override is cleared
 * before the unbind, so that nothing in between hands it to vfio-pci again; so is its ID among vfio-pci's
 * dynamic ones. The host half alone calls it.
 * @fn: as read now, on a driver of vfio or without one
 * @outcome: zeroed; failed is ACT_START when it has no driver now
 */
void act_let_go(const struct act *act, const struct pci_function *fn, struct act_outcome *outcome);

/*
 * act_restore - reset_method and d3cold_allowed as they were before set lines changed them: "before" of the
 * outcome's settings, "" for what was not. Power is vfio-pci's own to put back. Returns 0 when both are.
 */
int act_restore(const struct act *act, const struct pci_function *fn,
		const struct act_outcome *outcome);

/*
 * act_probe - second half, when its own driver may be there: the kernel looks for one.
 * @outcome: driver: who has it then, "" when nobody wants it
 */
void act_probe(const struct act *act, const struct pci_function *fn, struct act_outcome *outcome);

/* act_set_reason - the code of what failed for a key of a set line; REASON_NONE: nothing did. */
enum reason act_set_reason(int error);

/* act_reason - the code of what failed; not for one that nothing did (ACT_START). */
enum reason act_reason(const struct act_outcome *outcome);

/*
 * act_with_deadline - run a function in a child and wait for it, but no longer than a deadline.
 * @fn: its return value is the child's exit status, 0 to 255
 * @ms: milliseconds. Past it, or when poll() fails, the child is killed and not waited for: one that
 *	is blocked inside the kernel dies only when the kernel lets go of it.
 *
 * Returns the exit status, -ETIMEDOUT, -ECHILD when it died of a signal, or -errno when no child
 * could be made.
 */
int act_with_deadline(int (*fn)(void *arg), void *arg, int ms);

#endif
