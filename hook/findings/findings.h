/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong on this host, or will be after the next boot: one list, of which `check`, `status`,
 * `apply` and `add` each show a part. Each cause has one finding. Reads only, and needs no
 * privilege: what only root can see is unknown, neither good nor bad.
 *
 * Codes decide; the sentences in codes.h are for people.
 */
#ifndef VFIO_EARLY_HOOK_FINDINGS_FINDINGS_H
#define VFIO_EARLY_HOOK_FINDINGS_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "findings/codes.h"
#include "host/host.h"

struct json_object;

enum finding_stage {
	FINDING_STAGE_CONFIG,
	FINDING_STAGE_MACHINE,
	FINDING_STAGE_IMAGE,
	FINDING_STAGE_BOOT,
	FINDING_STAGE_DEVICE,
	FINDING_STAGE_RECIPE,
	FINDING_STAGE_VM,
	FINDING_STAGES,
};

enum finding_level {
	FINDING_BLOCKS, /* something in the config will not work, or no VM can use it */
	FINDING_IDLE,	/* nothing goes wrong, because nothing is bound at all */
	FINDING_WARNS,
	FINDING_NOTES,
	FINDING_UNKNOWN, /* only root can see it */
	FINDING_OK,
	FINDING_LEVELS,
};

struct finding {
	const char *code; /* a constant: one in codes.h, or the finder's own */
	const char *topic;
	enum finding_stage stage;
	enum finding_level level;
	int group;	 /* the IOMMU group that it is about, or -1 */
	unsigned int vm; /* the VM that it is about (its VMID), or 0 */
	int entry;	 /* and the N of its hostpciN, or -1 */
	char *subject; /* "0000:81:00.0", "group 9", "config", a file and line; "" for the whole */
	char *text;    /* a clause */
	char *fix;     /* what to do; "" when there is nothing */
};

/* Which commands a fix names; see FIX_APPLY and so on in codes.h. */
enum findings_apply {
	FINDINGS_APPLY,
	FINDINGS_APPLY_TRY,	/* the next boot is a trial, which apply alone would end */
	FINDINGS_APPLY_CONFIRM, /* this boot is one */
	FINDINGS_UNDO,		/* after undo */
	FINDINGS_APPLY_COUNT,
};

struct findings {
	enum findings_apply apply;
	struct finding *list;
	size_t count; /* in the order in which a boot depends on them */
	size_t of_level[FINDING_LEVELS];
	bool failed; /* memory ran out */
};

/* A finding with its own code and sentence. */
struct finding_words {
	const char *code, *topic;
	enum finding_stage stage;
	enum finding_level level;
	const char *text, *fix; /* may be NULL for "" */
};

/* Which findings a command shows: for each stage a mask of levels. */
struct finding_filter {
	unsigned int levels[FINDING_STAGES];
};

#define FINDING_LEVEL_BIT(level) (1u << (level))

/* What `check` shows: everything about the next boot that is not as it should be. */
extern const struct finding_filter findings_of_check;
/* What `status` shows: also what is good; about a device only what prevents its use. */
extern const struct finding_filter findings_of_status;

/*
 * finding_add - add a finding with the sentence and the level in codes.h.
 * @subject: may be NULL for ""
 * @...: texts for {0}, {1} and so on, ended by NULL; at most four
 *
 * Sets findings->failed on failure.
 */
__attribute__((sentinel)) void finding_add(struct findings *findings, enum finding_code code,
					   const char *subject, ...);

/*
 * finding_add_words - the same with words of its own.
 * @words: its fix may have the places of codes.h for commands; its text is taken as it is
 */
void finding_add_words(struct findings *findings, const struct finding_words *words,
		       const char *subject);

void findings_free(struct findings *findings);

/* findings_undone - what is said after `undo`: that it is in effect, or has not finished. */
enum finding_code findings_undone(const struct root *root);

/* findings_keep - drop those for which a function returns false. */
void findings_keep(struct findings *findings,
		   bool (*wants)(const struct finding *finding, const void *arg), const void *arg);

/* finding_is - has it this code? */
bool finding_is(const struct finding *finding, enum finding_code code);

bool finding_is_shown(const struct finding *finding, const struct finding_filter *filter);

/* findings_count - how many of this level a filter shows; FINDING_LEVELS: of all levels. */
size_t findings_count(const struct findings *findings, const struct finding_filter *filter,
		      enum finding_level level);

/* "blocks", "idle", "warns", "notes", "unknown", "ok"; "config", "machine" and so on. */
const char *finding_level_name(enum finding_level level);
const char *finding_stage_name(enum finding_stage stage);

/*
 * findings_collect_check - collect everything about the next boot: the machine, the config, each
 * function, old recipes.
 * @host: after host_decide()
 * @kernel: look for variant drivers of this kernel, or NULL
 * @findings: appended to; call findings_free() in any case
 *
 * Prints only errors. Returns 0, or -errno after saying why.
 */
int findings_collect_check(struct host *host, const char *kernel, struct findings *findings);

struct pve_entry;

/*
 * findings_collect_entries - collect why a VM would not start with its entries: the faults of each,
 * and conflicts between two.
 * @entry: all entries of one VM, resolved
 */
void findings_collect_entries(struct host *host, const struct pve_entry *entry, size_t count,
			      struct findings *findings);

/*
 * findings_collect_status - the same, and the boot loader, the images and this boot; for an
 * unusable config only that, and the machine.
 * @host: after host_decide() or host_decide_or_problem()
 */
int findings_collect_status(struct host *host, const char *kernel, struct findings *findings);

#endif
