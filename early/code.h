/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a function is or is not bound: every code of the boot half, once. Decisions, reports and the
 * host half speak in codes; words are made from them last, in tell.c. The words that stand here are
 * stable: they are in the report (why=), in the host half's JSON, and in vfio-early-bind(8), which
 * says of each what it means and what to do. Never change one; add.
 */
#ifndef VFIO_EARLY_CODE_H
#define VFIO_EARLY_CODE_H

#include <stdbool.h>

/*
 * WORDS - a sentence, with the code that stands in its place in a build with WORDS=codes. That build
 * decides, reports and ends as the real one does: proof that nothing reads a sentence of ours.
 */
#ifdef WORDS_ARE_CODES
#define WORDS(code, text) code
#else
#define WORDS(code, text) text
#endif

/*
 * What the host alone says, of virtual functions that it makes: the boot half writes none of them, and has
 * no room for their names.
 */
/* clang-format off */
#ifdef __KLIBC__
#define HOST_REASON_CODES(X)
#define HOST_REPORT_RESULTS(X)
#else
#define HOST_REASON_CODES(X) \
	X(REASON_VFS_MADE, "vfs-made") \
	X(REASON_VFS_THERE, "vfs-there")	/* somebody else made some before */ \
	X(REASON_VFS_BOUND, "vfs-of-bound")	/* it is on vfio-pci, which makes none */ \
	X(REASON_VFS_MANY, "vfs-too-many")	/* more than it can have */ \
	X(REASON_VFS_WAIT, "vfs-wait")		/* tried again when the network is up */ \
	X(REASON_VFS_FAILED, "vfs-failed") \
	X(REASON_VFS_STUCK, "vfs-stuck")	/* its driver did not answer in time */ \
	X(REASON_VFS_MOVED, "vfs-moved")	/* another device is at the pinned place */ \
	X(REASON_VF_LEFT, "vf-left")		/* no line takes it: with the host */
#define HOST_REPORT_RESULTS(X) \
	X(REPORT_MADE, "made")		/* of a physical function */ \
	X(REPORT_LEFT, "left")		/* of a virtual one: no line takes it */
#endif

/* X(enum constant, code) */
#define REASON_CODES(X) \
	/* It is bound, or may be. */ \
	X(REASON_NONE, "ok") \
	X(REASON_FORCED, "forced")		/* protected, but bind! */ \
	X(REASON_CLAIMED, "claimed")		/* no line names it: for the sake of its group */ \
	X(REASON_ALREADY, "already-bound")	/* on vfio-pci before the run */ \
	X(REASON_VARIANT, "variant-driver")	/* on another driver of vfio: left there */ \
	/* Verdicts: it is refused. */ \
	X(REASON_EXCEPT, "except") \
	X(REASON_ID_CHANGED, "moved")		/* another device is at the pinned place */ \
	X(REASON_NO_PATH, "no-path")		/* a protected ID, and a plan without paths */ \
	X(REASON_FACTS, "facts-unknown")	/* the plan knows not what this host needs */ \
	X(REASON_BRIDGE, "bridge") \
	X(REASON_PROTECTED, "protected") \
	X(REASON_BOOT_VGA, "boot-vga")		/* boot-vga keep */ \
	X(REASON_VFS, "vfs-enabled") \
	X(REASON_NO_IOMMU, "no-iommu") \
	X(REASON_NO_GROUP, "no-group") \
	X(REASON_NOIOMMU, "noiommu-group")	/* a group that isolates nothing */ \
	X(REASON_GROUP, "group-shared")		/* a mate stays with the host, group refuse */ \
	X(REASON_SETTLED, "settled")		/* an earlier run was done with it: left as it is */ \
	X(REASON_GROUP_CLAIM, "group-kept")	/* a mate may not be claimed, group claim */ \
	X(REASON_ABSENT, "absent")		/* no function answers to the line */ \
	/* Outcomes: it was to be bound, and is not. */ \
	X(REASON_OVERRIDE, "override-failed") \
	X(REASON_UNBIND, "unbind-failed") \
	X(REASON_STUCK, "driver-stuck")		/* its driver did not let go in time */ \
	X(REASON_NO_DRIVER, "no-vfio-pci")	/* the module is not there */ \
	X(REASON_BIND_REFUSED, "bind-refused")	/* EINVAL: denylist, or no group */ \
	X(REASON_BIND, "bind-failed") \
	X(REASON_NOT_READY, "not-ready")	/* the kernel is not done adding it: it binds it then */ \
	X(REASON_NOT_BOUND, "not-bound")	/* the bind succeeded, the link says otherwise */ \
	X(REASON_BUSY, "busy")			/* another run did not end in time */ \
	X(REASON_UNDONE, "undone")		/* the run ended before it */ \
	X(REASON_GAVE_BACK, "gave-back-root")	/* it was bound; the boot did not find its root */ \
	X(REASON_BY_ADMIN, "by-admin")		/* vfio-early detach or reattach, after the boot */ \
	/* Of a set line: the function is bound all the same. */ \
	X(REASON_SET_OFFER, "set-not-offered")	/* the function does not have it */ \
	X(REASON_SET, "set-failed") \
	HOST_REASON_CODES(X)
/* clang-format on */

enum reason {
#define REASON_ENUM(name, code) name,
	REASON_CODES(REASON_ENUM)
#undef REASON_ENUM
	REASONS /* how many there are */
};

/* What became of a function or a line: result= in the report. */
/* clang-format off */
#define REPORT_RESULTS(X) \
	X(REPORT_NONE, "-")		/* nothing is known of it */ \
	X(REPORT_BOUND, "bound") \
	X(REPORT_KEPT, "kept")		/* on a driver of vfio before */ \
	X(REPORT_HELD, "held")		/* no driver gets it */ \
	X(REPORT_FAILED, "failed")	/* was to be bound, and is not */ \
	X(REPORT_REFUSED, "refused")	/* left as it was */ \
	X(REPORT_ABSENT, "absent") \
	X(REPORT_UNDONE, "undone")	/* the run ended before it */ \
	X(REPORT_PLANNED, "planned")	/* a dry run */ \
	X(REPORT_REATTACHED, "reattached") /* given back by the administrator, after the boot */ \
	HOST_REPORT_RESULTS(X)
/* clang-format on */

enum report_result {
#define REPORT_ENUM(name, code) name,
	REPORT_RESULTS(REPORT_ENUM)
#undef REPORT_ENUM
	REPORT_COUNT
};

/* code_name - the code of a reason: "protected". */
const char *code_name(enum reason reason);

/* code_report_name - the word for a result: "bound". */
const char *code_report_name(enum report_result result);

/* code_find - the reason that has this code. Returns false when there is none such. */
bool code_find(const char *name, enum reason *reason);

#endif
