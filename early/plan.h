/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar of /etc/vfio-early.conf and of the plan compiled from it. Fills a struct from text.
 * No I/O, no allocation, no logging. Used by the boot half and the host half.
 */
#ifndef VFIO_EARLY_PLAN_H
#define VFIO_EARLY_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "selector.h"

/*
 * Limits, because nothing is allocated at boot. Exceeding one is an error that names it; the host
 * half notices it first, when it compiles the plan.
 */
#define PLAN_MAX_TEXT	  262144 /* bytes of a plan, the ending NUL included */
#define PLAN_MAX_BINDS	  256	 /* selectors on all bind lines */
#define PLAN_MAX_EXCEPTS  128
#define PLAN_MAX_PROTECTS 1024
#define PLAN_MAX_VFS	  64
#define PLAN_VFS_MAX	  65535 /* virtual functions of one function: 16 bits in the capability */
#define PLAN_MAX_SETS	  64
#define PLAN_VALUE_SIZE	  64 /* of a set line, the ending NUL included */
#define PLAN_MAX_MODULES  32
#define PLAN_MAX_LOST	  32 /* config lines that the host half had to leave out */
#define PLAN_MAX_ERRORS	  32 /* kept; further ones are counted */

#define PLAN_DEADLINE_DEFAULT 20 /* seconds */
#define PLAN_DEADLINE_MAX     120

/* Which keywords are known: those of a config, or also those of a compiled plan. */
enum plan_source {
	PLAN_CONFIG,
	PLAN_COMPILED,
};

enum plan_group {
	PLAN_GROUP_WARN,
	PLAN_GROUP_CLAIM,
	PLAN_GROUP_REFUSE,
};

enum plan_boot_vga {
	PLAN_BOOT_VGA_BIND,
	PLAN_BOOT_VGA_KEEP,
};

enum plan_failure {
	PLAN_FAILURE_RELEASE,
	PLAN_FAILURE_HOLD,
};

struct plan_selector {
	struct selector sel;
	const char *text;  /* as it was written, for messages */
	unsigned int line; /* of its file */
	bool force;	   /* bind! */
};

/* Virtual functions to be created. */
struct plan_vfs {
	struct selector sel; /* an address or a path, of the physical function */
	const char *text;
	unsigned int line;
	unsigned int number;
};

/* What a set line may set, in the order of the keys' names in plan.c. */
enum plan_key {
	PLAN_SET_RESET,	 /* reset_method */
	PLAN_SET_D3COLD, /* d3cold_allowed */
	PLAN_SET_POWER,	 /* power/control */
	PLAN_SET_KEYS
};

struct plan_set {
	struct selector sel;
	const char *text;		  /* the selector, as it was written */
	const char *value[PLAN_SET_KEYS]; /* or NULL; methods with blanks between them */
	unsigned int line;
};

struct plan_protect {
	struct pci_address addr;
	struct pci_id id;
	bool has_place; /* not in a plan of an earlier version */
	struct pci_place place;
	const char *reason; /* "holds /" */
	bool moved;	    /* set by pci_collect(): this ID is no longer at its place */
};

struct plan_module {
	const char *path;    /* absolute, without .ko and what may follow it */
	const char *options; /* "" when there are none */
};

/* What the parser took the wrong word for. */
enum plan_word {
	PLAN_WORD_OTHER,
	PLAN_WORD_KEYWORD,  /* and there is no such keyword */
	PLAN_WORD_SELECTOR, /* and it is none */
};

struct plan_error {
	unsigned int line; /* both from 1 */
	unsigned int column;
	const char *what; /* what is wrong and how to fix it; a string constant */
#ifndef __KLIBC__
	enum plan_word kind;
	const char *word; /* in the text that was parsed; NULL for PLAN_WORD_OTHER */
#endif
};

struct plan_errors {
	unsigned int count; /* may exceed PLAN_MAX_ERRORS: the rest was not kept */
	/*
	 * One of them was not a bind line: what is missing may have prevented a bind (protect,
	 * except, boot-vga keep), so a compiled plan must not be used.
	 */
	bool unsafe;
	struct plan_error error[PLAN_MAX_ERRORS];
};

struct plan {
	unsigned int binds, excepts, protects, modules, losts, vfs, sets;
	bool has_tasks;	 /* number of vfs lines; the boot half reads nothing else of them */
	bool names_vfs;	 /* a selector of a bind, except or set line begins with vf: */
	bool has_places; /* a selector or a protect line has @PATH */
	/*
	 * "facts unknown": it is not known what the host needs, so a device that the host may need
	 * is bound only by a line with both an ID and a path.
	 */
	bool facts_unknown;
	unsigned int bind_lines; /* lines, not selectors: what the log counts */
	unsigned char boot_vga;	 /* enum plan_boot_vga */
	unsigned char group;	 /* enum plan_group */
	unsigned char failure;	 /* enum plan_failure */
	unsigned int deadline;	 /* seconds */
	const char *cmdline;	 /* "auto", "none" or tokens; only for scripts/ */
	const char *kernel;	 /* in a plan: the kernel version that it was made for, or NULL */
	const char *config;	 /* in a plan: the digest of its config, or NULL */
	struct plan_selector bind[PLAN_MAX_BINDS];
	struct plan_selector except[PLAN_MAX_EXCEPTS];
	struct plan_protect protect[PLAN_MAX_PROTECTS];
	struct plan_vfs vf[PLAN_MAX_VFS];
	struct plan_set set[PLAN_MAX_SETS];
	struct plan_module module[PLAN_MAX_MODULES];
	const char *lost[PLAN_MAX_LOST]; /* "FILE:LINE:COLUMN: what" */
};

/* plan_init - an empty plan with every default. */
void plan_init(struct plan *plan);

/*
 * plan_parse - add the lines of one text to a plan.
 * @plan: initialised; several files may be added one after the other, and later settings win
 * @text: NUL-ended; it is cut up in place and must live as long as the plan
 * @size: its length without the NUL, so that a NUL byte inside it is reported as an error
 * @source: which keywords are known
 * @errors: appended to; cleared by the caller
 *
 * A bad line is left out whole, all others count. Returns the number of errors in this text.
 */
unsigned int plan_parse(struct plan *plan, char *text, size_t size, enum plan_source source,
			struct plan_errors *errors);

#ifndef __KLIBC__
/* plan_is_keyword - is this a keyword of the config? For what people write instead of a blank. */
bool plan_is_keyword(const char *word, size_t len);
#endif

/* plan_key_name - "reset=", "d3cold=" or "power=". */
const char *plan_key_name(enum plan_key key);

/*
 * plan_wants_noiommu - do the module options tell vfio to work without an IOMMU?
 * (drivers/vfio/vfio_main.c, enable_unsafe_noiommu_mode)
 */
bool plan_wants_noiommu(const struct plan *plan);

/* plan_wants_unsafe - do they tell it to work without interrupt remapping? (vfio_iommu_type1.c) */
bool plan_wants_unsafe(const struct plan *plan);

#endif
