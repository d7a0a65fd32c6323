/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiles the config into a plan, for every command that must know what the boot half will be
 * told.
 */
#ifndef VFIO_EARLY_HOOK_PLAN_PLAN_H
#define VFIO_EARLY_HOOK_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "early/pci.h"
#include "early/plan.h"
#include "protect/protect.h"
#include "util/root.h"

/*
 * The start of a "lost" line that is not about a line of the config, but about a missing module of
 * the kernel. A plan's comments begin with a code too: "# facts-unknown: ", "# facts-too-many: ",
 * "# protect: ", "# module: ", "# undone: ".
 */
#define PLAN_LOST_MODULES  "modules:"
#define PLAN_NOTE_TOO_MANY "facts-too-many: "

/* The source of the protect lines. */
enum plan_facts {
	PLAN_FACTS_OF_TODAY,
	PLAN_FACTS_RECALLED, /* the last ones that this host stored: see facts.h */
	/* "facts unknown" is in the plan. */
	PLAN_FACTS_TOO_MANY, /* more than PLAN_MAX_PROTECTS, bridges left out */
	PLAN_FACTS_UNKNOWN,
};

static inline bool plan_facts_are_unknown(enum plan_facts facts)
{
	return facts >= PLAN_FACTS_TOO_MANY;
}

/*
 * The part that all plans of this host share, whatever the kernel: the config, the pins, what the
 * host needs. Read once, for any number of kernels.
 */
struct compiler;

/* plan_is_empty - does it ask for nothing, neither a bind nor virtual functions? */
static inline bool plan_is_empty(const struct plan *plan)
{
	return !plan->binds && !plan->has_tasks;
}

/*
 * plan_lost_lines - how many lines of the config were left out: more than plan->losts, where the
 * last of those only counts.
 */
unsigned int plan_lost_lines(const struct plan *plan);

/* What is printed on stderr while a plan is compiled. */
enum plan_voice {
	PLAN_SAYS_FAULTS, /* what is wrong with config and modules */
	PLAN_SAYS_ALL, /* also that a bind line matches nothing today, and that facts are unknown */
	PLAN_SAYS_NOTHING, /* nothing but a lack of memory: the caller has it already, or will ask for it */
};

/*
 * compiler_open - read the config and this host.
 * @root: must live as long
 * @fn, @fns: what pci_scan() finds, in the order of addresses; must live as long. NULL: scan
 * @is_undone: make empty plans, as after `undo`: state_is(), or its future value
 * @voice: what to print, here and in compiler_plan()
 * @problem: gets what makes the whole config unusable, now or in compiler_plan(); it is then not
 * 	printed; must live as long. NULL: print it
 *
 * Wrong lines of the config become "lost" lines of each plan. Returns 0, or -errno after saying
 * why.
 */
int compiler_open(const struct root *root, const struct pci_function *fn, size_t fns,
		  bool is_undone, enum plan_voice voice, struct config_problem *problem,
		  struct compiler **compiler);

/* compiler_set_voice - what to print from now on. Returns the old value. */
enum plan_voice compiler_set_voice(struct compiler *compiler, enum plan_voice voice);

/* compiler_plan - make the plan of a kernel; arguments and result as for plan_compile(). */
int compiler_plan(struct compiler *compiler, const char *kernel, char **text, size_t *size);

/*
 * compiler_is_whole - does the last plan contain all of the config and modules, and, if it binds
 * anything, what this host needs?
 */
bool compiler_is_whole(const struct compiler *compiler);

enum plan_facts compiler_facts(const struct compiler *compiler);

/* compiler_needs - why this host needs a function ("holds /"), or NULL: also what a plan has no room for. */
const char *compiler_needs(const struct compiler *compiler, const struct pci_address *addr);

/*
 * compiler_keep_facts - store what this host needs, for an image that is made where that is not
 * known. Stores nothing without a bind line, or if it is not known. Returns 0 or -errno.
 */
int compiler_keep_facts(const struct compiler *compiler);

/* compiler_config, compiler_written - the files, none after `undo`; and what they say. */
const struct config *compiler_config(const struct compiler *compiler);
const struct plan *compiler_written(const struct compiler *compiler);

/* The lines of a plan that come from the config. */
enum compiler_line {
	COMPILER_BIND,
	COMPILER_EXCEPT,
	COMPILER_SET,
	COMPILER_VFS,
};

/* Where such a line comes from; valid as long as the compiler. */
struct compiler_origin {
	const char *file; /* "/etc/vfio-early.conf", without the root */
	unsigned int line;
	const char *keyword; /* "bind!" */
	const char *text;    /* the selector, as it was written */
};

/*
 * compiler_origin - which line of the config became a line of the plan.
 * @number: of the lines of this kind in the plan, from 0: the index in its struct plan
 *
 * Returns whether there is one.
 */
bool compiler_origin(const struct compiler *compiler, enum compiler_line kind, unsigned int number,
		     struct compiler_origin *origin);

/* compiler_protect - the source of what this host needs, for callers that need more of it. */
const struct protect_source *compiler_protect(const struct compiler *compiler);

void compiler_close(struct compiler *compiler);

/*
 * plan_compile - compile the plan for the image of a kernel, without writing it anywhere: of the
 * config as it is written, also after `undo`, for commands that change it.
 * @root: opened
 * @kernel: its version, a directory in lib/modules; NULL leaves the modules out
 * @text: malloc'ed, NUL-ended, for plan_parse() as PLAN_COMPILED
 * @size: without the NUL
 *
 * Wrong lines of the config are printed on stderr and become "lost" lines. That a bind line matches
 * nothing today is not printed: decide() tells. Returns 0, or -errno after saying why.
 */
int plan_compile(const struct root *root, const char *kernel, char **text, size_t *size);

#endif
