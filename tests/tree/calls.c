// SPDX-License-Identifier: GPL-2.0-or-later
/* System calls that fail when they shall; see calls.h. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

/* ld puts a program without PIE at 4 MiB; the kernel maps nothing else that low. */
#define STATIC_END 0x10000000

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

int calls_filter(bool every)
{
	struct sock_filter filter[] = {
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_finit_module, 7, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_init_module, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_delete_module, 5, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, every ? 0 : UINT32_MAX, 0, 2),
		LOAD(instruction_pointer),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, STATIC_END, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

/* A string in the caller's memory. */
static void read_string(pid_t pid, uint64_t at, char *buf, size_t size)
{
	char path[64];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		/* Byte by byte: the page behind it need not be there. */
		while ((size_t)n < size - 1 && pread(fd, buf + n, 1, (off_t)at + n) == 1 && buf[n])
			n++;
		close(fd);
	}
	buf[n] = '\0';
}

static bool is_module_call(int nr)
{
	return nr == SYS_finit_module || nr == SYS_init_module || nr == SYS_delete_module;
}

static int load_for(struct calls *calls, const struct seccomp_notif *call)
{
	char text[1024], path[64], target[512];
	const char *below = target;
	ssize_t n;

	if (call->data.nr == SYS_init_module) {
		read_string((pid_t)call->pid, call->data.args[0], text, sizeof(text));
		return machine_modprobe(calls->machine, text);
	}
	if (call->data.nr != SYS_finit_module) {
		machine_fault(calls->machine, "delete_module");
		return -EPERM;
	}
	read_string((pid_t)call->pid, call->data.args[1], text, sizeof(text));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)call->pid, (int)call->data.args[0]);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if (!strncmp(target, calls->mountpoint, strlen(calls->mountpoint)))
		below += strlen(calls->mountpoint);
	return machine_load(calls->machine, below, text, (int)call->data.args[2]);
}

/* Is its first argument a pipe's descriptor? */
static bool is_pipe(const struct seccomp_notif *call)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)call->pid, (int)call->data.args[0]);
	n = readlink(path, target, sizeof(target));
	return n > 5 && !memcmp(target, "pipe:", 5);
}

/* Notes a call. Returns whether it is the one that is to fail. */
static bool note(struct calls *calls, const struct seccomp_notif *call)
{
	unsigned int i = 0;
	struct process *process;

	while (i < calls->processes && calls->process[i].pid != (pid_t)call->pid)
		i++;
	if (i == CALLS_MAX_PROCESSES || calls->process[i].count == CALLS_MAX_PER_PROCESS) {
		machine_fault(calls->machine, "more processes or calls than CALLS_MAX_...");
		return false;
	}
	process = &calls->process[i];
	if (i == calls->processes) {
		calls->processes++;
		process->pid = (pid_t)call->pid;
	}
	process->call[process->count] = (struct call){
		.nr = call->data.nr,
		.is_pipe = call->data.nr == SYS_close && is_pipe(call),
		.arg = { call->data.args[0], call->data.args[1], call->data.args[2] },
	};
	process->count++;
	return calls->fault.kind && calls->fault.process == i &&
	       calls->fault.call == process->count - 1;
}

void calls_serve(struct calls *calls, int listener)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp answer = { 0 };
	bool is_module, is_due;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;
	answer.id = call.id;
	is_module = is_module_call(call.data.nr);
	is_due = call.data.nr != SYS_init_module && note(calls, &call);
	calls->was_injected |= is_due;

	if (is_due && calls->fault.kind == FAULT_KILL) {
		kill((pid_t)call.pid, SIGKILL);
		return;
	}
	if (is_due && calls->fault.kind == FAULT_ERROR) {
		answer.error = -calls->fault.error;
	} else if (is_module) {
		answer.error = load_for(calls, &call);
		if (answer.error == STORE_HANGS)
			return;
	} else {
		if (is_due)
			calls->next_transfer = calls->fault.kind;
		answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static const int file_errors[] = { EIO, ENOMEM, EACCES, EBUSY, ENODEV, 0 };
static const int memory_errors[] = { ENOMEM, 0 };
static const int fork_errors[] = { EAGAIN, ENOMEM, 0 };
static const int pipe_errors[] = { EMFILE, 0 };
static const int close_errors[] = { EIO, 0 };
static const int poll_errors[] = { EINTR, ENOMEM, 0 };
static const int wait_errors[] = { ECHILD, 0 };
static const int module_errors[] = { EIO, ENOMEM, EACCES, EBUSY, ENODEV, EEXIST, 0 };
static const int no_errors[] = { 0 };

static const struct {
	int nr;
	const char *name;
	const int *errors;
} known[] = {
	{ SYS_openat, "openat", file_errors },
	{ SYS_read, "read", file_errors },
	{ SYS_write, "write", file_errors },
	{ SYS_getdents64, "getdents64", file_errors },
	{ SYS_readlinkat, "readlinkat", file_errors },
	{ SYS_newfstatat, "newfstatat", file_errors },
	{ SYS_mkdirat, "mkdirat", file_errors },
	{ SYS_execve, "execve", file_errors },
	{ SYS_finit_module, "finit_module", module_errors },
	{ SYS_mmap, "mmap", memory_errors },
	{ SYS_close, "close", close_errors },
	{ SYS_wait4, "wait4", wait_errors },
	/* Never fail when they are given what is right. */
	{ SYS_fcntl, "fcntl", no_errors },
	{ SYS_kill, "kill", no_errors },
	{ SYS_gettimeofday, "gettimeofday", no_errors },
	{ SYS_exit, "exit", no_errors },
	{ SYS_exit_group, "exit_group", no_errors },
	/* Not of each architecture: klibc takes what there is. */
	{ SYS_pipe2, "pipe2", pipe_errors },
	{ SYS_ppoll, "ppoll", poll_errors },
	{ SYS_clone, "clone", fork_errors },
#ifdef SYS_pipe
	{ SYS_pipe, "pipe", pipe_errors },
#endif
#ifdef SYS_poll
	{ SYS_poll, "poll", poll_errors },
#endif
#ifdef SYS_fork
	{ SYS_fork, "fork", fork_errors },
#endif
};

const char *calls_name(int nr)
{
	static char text[32];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].nr == nr)
			return known[i].name;
	snprintf(text, sizeof(text), "call %d", nr);
	return text;
}

const int *calls_errors(const struct call *call)
{
	/* Closed it is whatever close() says, and a pipe has nothing left to say. */
	if (call->is_pipe)
		return no_errors;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].nr == call->nr)
			return known[i].errors;
	return file_errors;
}
