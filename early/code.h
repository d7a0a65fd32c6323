/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a function is or is not bound: every code of the boot half. Decisions, reports and the host
 * half use codes; tell.c turns them into sentences last. The names of the codes are stable: they
 * are in the report (why=) and in the host half's JSON, and vfio-early-bind(8) explains each. Never
 * change one; add a new one.
 */
#ifndef VFIO_EARLY_CODE_H
#define VFIO_EARLY_CODE_H

#include <stdbool.h>

/*
 * WORDS - a sentence, with the code that replaces it in a build with WORDS=codes. That build
 * decides, reports and exits like the real one, which proves that no code depends on a sentence.
 */
#ifdef WORDS_ARE_CODES
#define WORDS(code, text) code
#else
#define WORDS(code, text) text
#endif

/*
 * Codes of the virtual functions that the host creates. The boot half reports none of them, and
 * saves the space of their names.
 */
/* clang-format off */
#ifdef __KLIBC__
#define HOST_REASON_CODES(X)
#define HOST_REPORT_RESULTS(X)
#else
#define HOST_REASON_CODES(X) \
	X(REASON_VFS_MADE, "vfs-made") \
	X(REASON_VFS_THERE, "vfs-there")	/* something else created some before */ \
	X(REASON_VFS_BOUND, "vfs-of-bound")	/* it is on vfio-pci, which creates none */ \
	X(REASON_VFS_MANY, "vfs-too-many")	/* more than it supports */ \
	X(REASON_VFS_WAIT, "vfs-wait")		/* will be tried again when the network is up */ \
	X(REASON_VFS_FAILED, "vfs-failed") \
	X(REASON_VFS_STUCK, "vfs-stuck")	/* its driver did not answer in time */ \
	X(REASON_VFS_MOVED, "vfs-moved")	/* another device is at the pinned place */ \
	X(REASON_VF_LEFT, "vf-left")		/* no line names it: stays with the host */
#define HOST_REPORT_RESULTS(X) \
	X(REPORT_MADE, "made")		/* a physical function */ \
	X(REPORT_LEFT, "left")		/* a virtual function that no line names */
#endif

/* X(enum constant, code) */
#define REASON_CODES(X) \
	/* It is bound, or may be bound. */ \
	X(REASON_NONE, "ok") \
	X(REASON_FORCED, "forced")		/* protected, but bind! */ \
	X(REASON_CLAIMED, "claimed")		/* no line names it: bound because of its group */ \
	X(REASON_ALREADY, "already-bound")	/* on vfio-pci before the run */ \
	X(REASON_VARIANT, "variant-driver")	/* on another driver of vfio, and left there */ \
	/* Verdicts: it is refused. */ \
	X(REASON_EXCEPT, "except") \
	X(REASON_ID_CHANGED, "moved")		/* another device is at the pinned place */ \
	X(REASON_NO_PATH, "no-path")		/* a protected ID, and a plan without paths */ \
	X(REASON_FACTS, "facts-unknown")	/* the plan does not know what this host needs */ \
	X(REASON_BRIDGE, "bridge") \
	X(REASON_PROTECTED, "protected") \
	X(REASON_BOOT_VGA, "boot-vga")		/* boot-vga keep */ \
	X(REASON_VFS, "vfs-enabled") \
	X(REASON_NO_IOMMU, "no-iommu") \
	X(REASON_NO_GROUP, "no-group") \
	X(REASON_NOIOMMU, "noiommu-group")	/* a group without isolation */ \
	X(REASON_GROUP, "group-shared")		/* a group mate stays with the host, and group refuse */ \
	X(REASON_SETTLED, "settled")		/* an earlier run dealt with it: left as it is */ \
	X(REASON_GROUP_CLAIM, "group-kept")	/* a group mate may not be claimed, and group claim */ \
	X(REASON_ABSENT, "absent")		/* no function matches the line */ \
	/* Outcomes: it should have been bound, and is not. */ \
	X(REASON_OVERRIDE, "override-failed") \
	X(REASON_UNBIND, "unbind-failed") \
	X(REASON_STUCK, "driver-stuck")		/* its driver did not let go in time */ \
	X(REASON_NO_DRIVER, "no-vfio-pci")	/* the module is not there */ \
	X(REASON_BIND_REFUSED, "bind-refused")	/* EINVAL: denylist, or no group */ \
	X(REASON_BIND, "bind-failed") \
	X(REASON_NOT_READY, "not-ready")	/* the kernel is still adding it, and binds it then */ \
	X(REASON_NOT_BOUND, "not-bound")	/* the bind succeeded, but the link shows another driver */ \
	X(REASON_BUSY, "busy")			/* another run did not end in time */ \
	X(REASON_UNDONE, "undone")		/* the run ended before its turn */ \
	X(REASON_GAVE_BACK, "gave-back-root")	/* it was bound; the boot did not find its root file system */ \
	X(REASON_BY_ADMIN, "by-admin")		/* vfio-early detach or reattach, after the boot */ \
	/* A set line failed: the function is bound all the same. */ \
	X(REASON_SET_OFFER, "set-not-offered")	/* the function does not have that attribute */ \
	X(REASON_SET, "set-failed") \
	HOST_REASON_CODES(X)
/* clang-format on */

enum reason {
#define REASON_ENUM(name, code) name,
	REASON_CODES(REASON_ENUM)
#undef REASON_ENUM
	REASONS /* their number */
};

/* The result for a function or a line: result= in the report. */
/* clang-format off */
#define REPORT_RESULTS(X) \
	X(REPORT_NONE, "-")		/* nothing is known */ \
	X(REPORT_BOUND, "bound") \
	X(REPORT_KEPT, "kept")		/* was on a driver of vfio before */ \
	X(REPORT_HELD, "held")		/* no driver may have it */ \
	X(REPORT_FAILED, "failed")	/* should have been bound, and is not */ \
	X(REPORT_REFUSED, "refused")	/* left as it was */ \
	X(REPORT_ABSENT, "absent") \
	X(REPORT_UNDONE, "undone")	/* the run ended before its turn */ \
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

/* code_name - the name of a reason: "protected". */
const char *code_name(enum reason reason);

/* code_report_name - the name of a result: "bound". */
const char *code_report_name(enum report_result result);

/* code_find - find a reason by its name. Returns false if there is none. */
bool code_find(const char *name, enum reason *reason);

#endif
