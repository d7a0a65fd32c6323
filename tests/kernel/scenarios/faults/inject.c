// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * inject CALL FAULT N COMMAND...: runs COMMAND with one system call that fails, the Nth CALL of all its processes, one
 * after the other. FAULT is
 *
 *	error=NUMBER	the call is not made, and fails with this errno
 *	retval=NUMBER	the call is not made, and returns this
 *	kill		the process that makes it is killed before it
 *
 * strace counts for each process, and so cannot fail the worker's call alone; and where the guest is emulated, its
 * dynamic loader and a stop at each call cost more than all that is tried. A filter of seccomp(2) stops at that
 * call alone.
 *
 * Returns when all processes have ended. Exit: as COMMAND, 128 + N if signal N killed it; 124 there are not so many
 * calls; 125 something of our own went wrong. After 60 seconds all of them are killed, and this by SIGALRM.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define MAX_SECONDS 60

enum {
	STATUS_FEWER = 124,
	STATUS_OURS = 125
};

static const struct {
	const char *name;
	int nr;
} calls[] = {
#define CALL(x)             \
	{                   \
#x, SYS_##x \
	}
	CALL(exit),	  CALL(finit_module), CALL(fork),  CALL(getdents64), CALL(mkdirat),
	CALL(newfstatat), CALL(openat),	      CALL(pipe2), CALL(poll),	     CALL(read),
	CALL(readlinkat), CALL(wait4),	      CALL(write),
#undef CALL
};

/* What is asked for, and how many such calls are still to be let through. */
static struct {
	int nr;
	bool is_kill;
	long result, left;
} fault;

static int number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].nr;
	errx(STATUS_OURS, "no such call: %s", name);
}

/* This process, and all that it will start, stops at that call alone. */
static void stop_at(int nr)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		err(STATUS_OURS, "seccomp");
}

/* @pid is about to make the call. */
static void at_call(pid_t pid)
{
	struct user_regs_struct regs;

	if (!fault.left || --fault.left)
		return;
	if (fault.is_kill) {
		kill(pid, SIGKILL);
		return;
	}
	/* seccomp(2): a call that has become -1 is not made, and returns what is in the register of results. */
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		err(STATUS_OURS, "the registers of %d", (int)pid);
	regs.orig_rax = (unsigned long)-1;
	regs.rax = (unsigned long)fault.result;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs))
		err(STATUS_OURS, "the registers of %d", (int)pid);
}

/* Follows @first and what it starts to their ends. */
static int follow(pid_t first)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	int status, result = STATUS_OURS;
	pid_t pid;

	if (waitpid(first, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, first, NULL, options) ||
	    ptrace(PTRACE_CONT, first, NULL, NULL))
		err(STATUS_OURS, "ptrace");
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal = 0;

		if (!WIFSTOPPED(status)) {
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) :
							     128 + WTERMSIG(status);
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			at_call(pid);
		else if (!(status >> 16) && WSTOPSIG(status) != SIGSTOP)
			signal = WSTOPSIG(status);
		ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal);
	}
	return result;
}

int main(int argc, char **argv)
{
	pid_t first;
	int result;

	if (argc < 5)
		errx(STATUS_OURS, "usage: inject CALL error=N|retval=N|kill N COMMAND...");
	fault.nr = number_of(argv[1]);
	fault.is_kill = !strcmp(argv[2], "kill");
	if (!strncmp(argv[2], "error=", 6))
		fault.result = -strtol(argv[2] + 6, NULL, 10);
	else if (!strncmp(argv[2], "retval=", 7))
		fault.result = strtol(argv[2] + 7, NULL, 10);
	else if (!fault.is_kill)
		errx(STATUS_OURS, "no such fault: %s", argv[2]);
	fault.left = strtol(argv[3], NULL, 10);
	alarm(MAX_SECONDS);
	first = fork();
	if (first < 0)
		err(STATUS_OURS, "fork");
	if (!first) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
			err(STATUS_OURS, "ptrace");
		stop_at(fault.nr);
		execv(argv[4], argv + 4);
		err(STATUS_OURS, "%s", argv[4]);
	}
	result = follow(first);
	return fault.left ? STATUS_FEWER : result;
}
