/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of a program that a filter of seccomp hands over: those that load modules go to
 * the model of the machine, and any one of the others can be made to fail.
 */
#ifndef TESTS_TREE_CALLS_H
#define TESTS_TREE_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "machine.h"

#define CALLS_MAX_PROCESSES   8
#define CALLS_MAX_PER_PROCESS 1024

/* A fault, and where: the call with this number of the process that came to be as this one. */
enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR, /* the call fails with "error" and does nothing */
	FAULT_SHORT, /* a read or write of half of what it would be */
	FAULT_EMPTY, /* a read that finds the end of the file */
	FAULT_KILL,  /* SIGKILL when it is about to be made */
};

struct fault {
	enum fault_kind kind;
	unsigned int process, call;
	int error;
};

struct call {
	int nr;
	bool is_pipe; /* the close of a pipe's end */
	uint64_t arg[3];
};

struct process {
	pid_t pid;
	unsigned int count;
	struct call call[CALLS_MAX_PER_PROCESS];
};

/* What was called so far, each process for itself: two that run side by side have no one order. */
struct calls {
	struct machine *machine;
	const char *mountpoint; /* of the machine's root */
	struct fault fault;
	bool was_injected;
	enum fault_kind next_transfer; /* FAULT_SHORT, FAULT_EMPTY: for the file system to do */
	unsigned int processes;
	struct process process[CALLS_MAX_PROCESSES];
};

/*
 * calls_filter - from here on this process waits in such a call until it is answered.
 * @every: all calls of a static program that is executed from here (it lies at a low address, unlike
 *	this program and its libraries), not only those that load modules
 *
 * Returns a descriptor for calls_serve(), or -1.
 */
int calls_filter(bool every);

/* calls_serve - answer one call. */
void calls_serve(struct calls *calls, int listener);

/* calls_name - "openat"; "call 99" for one that has no name here. */
const char *calls_name(int nr);

/*
 * calls_errors - the errors that this call can end with at all, 0-ended.
 * @arg: its arguments
 */
const int *calls_errors(const struct call *call);

#endif
