// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host command with one system call that fails, again and again; see tests/fault/host.
 *
 *	host [--all] NAME START DIR COMMAND [ARGUMENT...]
 *
 * START is a root as it is before; DIR/root is a copy of it, of links, with a new etc for each run. The
 * command is traced by ptrace(2): it is one process, so the calls of a run have one order, and a fault is
 * known by its number in it. What it starts is not failed.
 *
 * Up to where it opens its root each run is the same, and loading its libraries costs more than all the rest:
 * one process (the template) goes there and stays, and each run is a fork of it, which ptrace makes it do. A
 * filter of seccomp(2) stops the fork at the calls of that name alone.
 */
#define _GNU_SOURCE 1

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <unistd.h>

#define MAX_CALLS   8192
#define MAX_SECONDS 20
#define MAX_STARTED 64

enum {
	NOT_ONE = -1
};

/*
 * A call: its number, where its path or descriptor leads to, and whether it writes to standard error; whether it was
 * to fail, and whether one of its name did in its place.
 */
struct call {
	int nr;
	bool is_stderr, is_tried, is_hit;
	char what[PATH_MAX];
};

static struct {
	const char *name, *start, *dir;
	char root[PATH_MAX], new[PATH_MAX], out[PATH_MAX], err[PATH_MAX];
	char **argv; /* of the command; "{}" among them is the root */
	struct call call[MAX_CALLS];
	int calls, begin;
	unsigned int injected, surprises;
	char *good;	/* the plan without a fault */
	pid_t template; /* stopped before its call run.begin */
	/* the run that is judged */
	int at, error, status;
	bool is_kill;
	struct call hit; /* what failed: not always what run.call[run.at] was without a fault */
} run;

static const struct {
	long nr;
	const char *name;
} names[] = {
#define NAME(x) SYS_##x, #x
	{ NAME(openat) },
	{ NAME(openat2) },
	{ NAME(read) },
	{ NAME(pread64) },
	{ NAME(write) },
	{ NAME(close) },
	{ NAME(newfstatat) },
	{ NAME(fstat) },
	{ NAME(statx) },
	{ NAME(getdents64) },
	{ NAME(readlinkat) },
	{ NAME(faccessat) },
	{ NAME(faccessat2) },
	{ NAME(mmap) },
	{ NAME(munmap) },
	{ NAME(mremap) },
	{ NAME(brk) },
	{ NAME(lseek) },
	{ NAME(fcntl) },
	{ NAME(flock) },
	{ NAME(fsync) },
	{ NAME(fchmod) },
	{ NAME(fchown) },
	{ NAME(renameat) },
	{ NAME(renameat2) },
	{ NAME(unlinkat) },
	{ NAME(linkat) },
	{ NAME(mkdirat) },
	{ NAME(ioctl) },
	{ NAME(statfs) },
	{ NAME(fstatfs) },
	{ NAME(clone) },
	{ NAME(clone3) },
	{ NAME(wait4) },
	{ NAME(pipe2) },
	{ NAME(ppoll) },
	{ NAME(dup) },
	{ NAME(getrandom) },
	{ NAME(uname) },
	{ NAME(mprotect) },
	{ NAME(sysinfo) },
	{ NAME(pselect6) },
	{ NAME(clock_nanosleep) },
	{ NAME(execve) },
	{ NAME(umask) },
#ifdef SYS_open
	{ NAME(open) },
	{ NAME(stat) },
	{ NAME(lstat) },
	{ NAME(access) },
	{ NAME(readlink) },
	{ NAME(poll) },
	{ NAME(rename) },
	{ NAME(unlink) },
	{ NAME(mkdir) },
	{ NAME(chmod) },
	{ NAME(pipe) },
	{ NAME(vfork) },
	{ NAME(fork) },
	{ NAME(link) },
#endif
#undef NAME
};

static const char *name_of(long nr)
{
	static char text[24];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].nr == nr)
			return names[i].name;
	snprintf(text, sizeof(text), "call %ld", nr);
	return text;
}

/* Calls that are not failed: they end the process, or cannot fail for who calls them rightly. */
static bool is_left_alone(const char *name)
{
	static const long nr[] = { SYS_exit_group, SYS_rt_sigaction, SYS_rt_sigprocmask,
				   SYS_getpid,	   SYS_geteuid,	     SYS_getegid,
				   SYS_futex,	   SYS_rt_sigreturn };

	for (size_t i = 0; i < sizeof(nr) / sizeof(nr[0]); i++)
		if (!strcmp(name, name_of(nr[i])))
			return true;
	return false;
}

/*
 * errors_of - the errors that a call shows, 0-ended; SIGKILL comes to each beside them.
 */
static const int *errors_of(const char *name)
{
	static const int file[] = { EIO, ENOMEM, EACCES, EBUSY, ENODEV, 0 };
	static const int memory[] = { ENOMEM, 0 };
	static const int closing[] = { EIO, 0 };
	static const int none[] = { 0 };
	/* The kernel's brk() has no errors: it answers with where the end is. */
	static const char *const never[] = { "brk",   "munmap", "lseek", "wait4",
					     "clone", "clone3", "vfork", "fcntl" };

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (!strcmp(name, never[i]))
			return none;
	if (!strcmp(name, "mmap") || !strcmp(name, "mremap"))
		return memory;
	return strcmp(name, "close") ? file : closing;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t len;

	if (!file)
		return NULL;
	len = getdelim(&text, &size, '\0', file);
	fclose(file);
	if (len < 0) {
		free(text);
		text = strdup("");
	}
	return text;
}

__attribute__((format(printf, 1, 2))) static void surprise(const char *format, ...)
{
	va_list args;
	char *text = read_file(run.err);

	run.surprises++;
	printf("-- %s: ", run.name);
	if (run.at == NOT_ONE)
		printf("no fault: ");
	else
		printf("%s of %s (call %d): %s: ", name_of(run.hit.nr), run.hit.what, run.at,
		       run.is_kill ? "SIGKILL" : strerrorname_np(run.error));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("    err: %s\n", line);
	free(text);
}

/* --- the run */

/* The path that a call is about, for the report and for what may be left unsaid. */
static void note(struct call *call, pid_t pid, const struct ptrace_syscall_info *info)
{
	const __u64 *arg = info->entry.args;
	const char *name = name_of((long)info->entry.nr);
	char path[64];
	struct iovec here = { call->what, sizeof(call->what) - 1 }, there;
	ssize_t n;

	call->nr = (int)info->entry.nr;
	call->is_stderr = info->entry.nr == SYS_write && arg[0] == STDERR_FILENO;
	memset(call->what, 0, sizeof(call->what));
	if (strstr(name, "at") && strcmp(name, "fstat") && strcmp(name, "fstatfs")) {
		/* To the end of its page: the next need not be there. */
		there.iov_base = (void *)(uintptr_t)arg[1];
		there.iov_len = 4096 - (arg[1] & 4095);
		if (there.iov_len > here.iov_len)
			there.iov_len = here.iov_len;
		n = process_vm_readv(pid, &here, 1, &there, 1, 0);
		call->what[n > 0 ? n : 0] = '\0';
		if (call->what[0])
			return;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)arg[0]);
	n = readlink(path, call->what, sizeof(call->what) - 1);
	call->what[n > 0 ? n : 0] = '\0';
}

/* To the end: the forks of one process share where they are in these files, which are emptied for each. */
static void start(void)
{
	int out = open(run.out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	int err_fd = open(run.err, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	int in = open("/dev/null", O_RDONLY);

	if (out < 0 || err_fd < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(err_fd, 2) < 0 || close_range(3, ~0U, 0) || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(126);
	execv(run.argv[0], run.argv);
	_exit(127);
}

/*
 * The registers of a call, between its entry and its exit: its number, what it is given, what it returns; and
 * how it is made again.
 */
#if defined(__x86_64__)
struct registers {
	struct user_regs_struct user;
};

static void get_registers(pid_t pid, struct registers *regs)
{
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs->user))
		err(1, "the registers of %d", (int)pid);
}

static void set_registers(pid_t pid, struct registers *regs)
{
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs->user))
		err(1, "the registers of %d", (int)pid);
}

static void set_call(pid_t pid, struct registers *regs, long nr)
{
	regs->user.orig_rax = (unsigned long)nr;
	set_registers(pid, regs);
}

static void set_number(struct registers *regs, long nr)
{
	regs->user.orig_rax = (unsigned long)nr;
}

static void set_result(struct registers *regs, long value)
{
	regs->user.rax = (unsigned long)value;
}

static void set_arguments(struct registers *regs, unsigned long a, unsigned long b, unsigned long c)
{
	regs->user.rdi = a;
	regs->user.rsi = b;
	regs->user.rdx = c;
	regs->user.r10 = regs->user.r8 = 0;
}

static long result_of(const struct registers *regs)
{
	return (long)regs->user.rax;
}

static unsigned long stack_of(const struct registers *regs)
{
	return regs->user.rsp;
}

/* The instruction has two bytes, and the number is in the register of the result. */
static void set_again(struct registers *regs)
{
	regs->user.rax = regs->user.orig_rax;
	regs->user.orig_rax = (unsigned long)-1;
	regs->user.rip -= 2;
}
#elif defined(__aarch64__)
struct registers {
	struct user_regs_struct user;
};

static void get_registers(pid_t pid, struct registers *regs)
{
	struct iovec iov = { &regs->user, sizeof(regs->user) };

	if (ptrace(PTRACE_GETREGSET, pid, 1, &iov))
		err(1, "the registers of %d", (int)pid);
}

static void set_registers(pid_t pid, struct registers *regs)
{
	struct iovec iov = { &regs->user, sizeof(regs->user) };

	if (ptrace(PTRACE_SETREGSET, pid, 1, &iov))
		err(1, "the registers of %d", (int)pid);
}

static void set_call(pid_t pid, struct registers *regs, long nr)
{
	int number = (int)nr;
	struct iovec iov = { &number, sizeof(number) };

	set_registers(pid, regs);
	ptrace(PTRACE_SETREGSET, pid, 0x404, &iov); /* NT_ARM_SYSTEM_CALL */
}

static void set_number(struct registers *regs, long nr)
{
	regs->user.regs[8] = (__u64)nr;
}

static void set_result(struct registers *regs, long value)
{
	regs->user.regs[0] = (__u64)value;
}

static void set_arguments(struct registers *regs, unsigned long a, unsigned long b, unsigned long c)
{
	regs->user.regs[0] = a;
	regs->user.regs[1] = b;
	regs->user.regs[2] = c;
	regs->user.regs[3] = regs->user.regs[4] = 0;
}

static long result_of(const struct registers *regs)
{
	return (long)regs->user.regs[0];
}

static unsigned long stack_of(const struct registers *regs)
{
	return regs->user.sp;
}

static void set_again(struct registers *regs)
{
	regs->user.pc -= 4;
}
#else
#error "how is a system call changed here?"
#endif

static void on_alarm(int signal)
{
	(void)signal;
}

/* Waits for the child's next stop, or its end; kills it when its time is over. */
static int wait_for(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	return status;
}

/* Lets @pid go on to its next stop. */
static int next_stop(pid_t pid, int signal)
{
	ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal);
	return wait_for(pid);
}

static bool is_call(int status)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
}

static void set_options(pid_t pid, int more)
{
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | more);
}

/* A new process, before its first call. */
static pid_t begin(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		start();
	wait_for(pid);
	return pid;
}

/* trace_all - a run without a fault, of which the calls are noted. Sets run.status as a shell would. */
static void trace_all(void)
{
	struct ptrace_syscall_info info;
	int stops = 0, status, signal = 0;
	pid_t pid;

	run.at = NOT_ONE;
	alarm(MAX_SECONDS);
	pid = begin();
	set_options(pid, 0);
	for (;;) {
		status = next_stop(pid, signal);
		if (!WIFSTOPPED(status))
			break;
		signal = is_call(status) ? 0 : WSTOPSIG(status);
		/* Before a call and behind it. */
		if (signal || stops++ % 2)
			continue;
		if (run.calls == MAX_CALLS ||
		    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
		    info.op != PTRACE_SYSCALL_INFO_ENTRY)
			errx(1, "%s: call %d cannot be told", run.name, run.calls);
		note(&run.call[run.calls++], pid, &info);
	}
	alarm(0);
	run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* make_template - a process that stands before its call run.begin. */
static void make_template(void)
{
	alarm(MAX_SECONDS);
	run.template = begin();
	set_options(run.template, PTRACE_O_TRACEFORK);
	for (int stops = 0; stops <= 2 * run.begin; stops++)
		if (!is_call(next_stop(run.template, 0)))
			errx(1, "%s: call %d is not reached a second time", run.name, run.begin);
	alarm(0);
}

/*
 * watch - lets @pid, a fork of the template that has the registers @before when it goes on, stop at each call @nr:
 * makes it call seccomp(2), which takes the filter from below its stack.
 */
static void watch(pid_t pid, const struct registers *before, int nr)
{
	struct {
		struct sock_fprog program;
		struct sock_filter filter[4];
	} it = { .filter = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (__u32)nr, 0, 1),
			     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
			     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) } };
	unsigned long place = (stack_of(before) - 1024) & ~15UL;
	struct iovec here = { &it, sizeof(it) }, there = { (void *)place, sizeof(it) };
	struct registers regs = *before;

	it.program.len = sizeof(it.filter) / sizeof(it.filter[0]);
	it.program.filter = (void *)(place + sizeof(it.program));
	set_number(&regs, SYS_seccomp);
	set_arguments(&regs, SECCOMP_SET_MODE_FILTER, 0, place);
	set_again(&regs);
	set_registers(pid, &regs);
	if (process_vm_writev(pid, &here, 1, &there, 1, 0) != sizeof(it) ||
	    !is_call(next_stop(pid, 0)) || !is_call(next_stop(pid, 0)))
		errx(1, "%s: the fork does not call seccomp", run.name);
	get_registers(pid, &regs);
	if (result_of(&regs))
		errx(1, "%s: seccomp: %s", run.name, strerror(-(int)result_of(&regs)));
	set_options(pid, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
				 PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
}

/*
 * fork_template - a process like the template, as a child of ours, before the same call, which it is yet to
 * make, and which stops at each call @nr. In the template that call becomes clone(), and then itself again.
 */
static pid_t fork_template(int nr)
{
	struct registers before, regs;
	unsigned long pid = 0;
	int status;

	get_registers(run.template, &before);
	regs = before;
	set_arguments(&regs, CLONE_PARENT | SIGCHLD, 0, 0);
	set_call(run.template, &regs, SYS_clone);
	status = next_stop(run.template, 0);
	if (status >> 8 != (SIGTRAP | PTRACE_EVENT_FORK << 8) ||
	    ptrace(PTRACE_GETEVENTMSG, run.template, NULL, &pid) ||
	    !is_call(next_stop(run.template, 0)) || !WIFSTOPPED(wait_for((pid_t)pid)))
		errx(1, "%s: the template does not fork", run.name);
	set_options((pid_t)pid, 0);
	watch((pid_t)pid, &before, nr);
	set_again(&before);
	set_registers(run.template, &before);
	set_registers((pid_t)pid, &before);
	if (!is_call(next_stop(run.template, 0)))
		errx(1, "%s: the template does not stay", run.name);
	return (pid_t)pid;
}

/* The signal that a stop is for, 0 for one that is for us alone: of an event, or of a new process. */
static int signal_of(int status)
{
	return status >> 16 || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
}

/* What a run has started, and what that has, as long as it lives: it is traced like the run. */
struct started {
	pid_t pid[MAX_STARTED];
	int n;
};

static void note_started(struct started *started, pid_t pid, bool lives)
{
	int i = 0;

	while (i < started->n && started->pid[i] != pid)
		i++;
	if (!lives && i < started->n) {
		started->pid[i] = started->pid[--started->n];
	} else if (lives && i == started->n) {
		if (i == MAX_STARTED)
			errx(1, "%s: more than %d processes at once", run.name, MAX_STARTED);
		started->pid[started->n++] = pid;
	}
}

/* What outlives its run would stop at the next call that is watched, and write into the files of the next run. */
static void end_started(struct started *started)
{
	int status;

	for (int i = 0; i < started->n; i++) {
		kill(started->pid[i], SIGKILL);
		while (waitpid(started->pid[i], &status, __WALL) > 0 && WIFSTOPPED(status))
			;
	}
}

/*
 * next_event - lets @pid go on to its next call that is watched, or its end. What it starts is stopped, too, and
 * goes on.
 */
static int next_event(pid_t pid, struct started *started)
{
	int status = 0;
	pid_t who;

	ptrace(PTRACE_CONT, pid, NULL, NULL);
	for (;;) {
		who = waitpid(-1, &status, __WALL);
		if (who < 0) {
			kill(pid, SIGKILL);
			return wait_for(pid);
		}
		if (who == pid &&
		    (!WIFSTOPPED(status) || status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)))
			return status;
		if (who != pid)
			note_started(started, who, WIFSTOPPED(status));
		if (WIFSTOPPED(status))
			ptrace(PTRACE_CONT, who, NULL, (void *)(long)signal_of(status));
	}
}

/* At the call that is to fail: makes it so. */
static void inject(pid_t pid)
{
	/* A file is closed, whatever close() says. */
	bool is_made = run.call[run.at].nr == SYS_close;
	struct ptrace_syscall_info info;
	struct registers regs;

	/* A stop by seccomp has the fields of an entry, too. */
	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		errx(1, "%s: call %d cannot be told", run.name, run.at);
	note(&run.hit, pid, &info);
	if (run.is_kill) {
		kill(pid, SIGKILL);
		return;
	}
	/* From here it comes to the end of the call. */
	if (is_made && !is_call(next_stop(pid, 0)))
		errx(1, "%s: call %d does not end", run.name, run.at);
	get_registers(pid, &regs);
	set_result(&regs, -run.error);
	if (is_made)
		set_registers(pid, &regs);
	else
		set_call(pid, &regs, -1);
}

/* trace - a run with the fault of run.at. Sets run.status as a shell would say it; false when that call was not made. */
static bool trace(void)
{
	int nr = run.call[run.at].nr, left = 0, status;
	struct started started = { .n = 0 };
	pid_t pid;

	if (truncate(run.out, 0) || truncate(run.err, 0))
		err(1, "%s", run.out);
	/* One that the end of a child interrupts is made twice: then it is the one before. */
	for (int i = run.begin; i <= run.at; i++)
		left += run.call[i].nr == nr;
	run.hit = run.call[run.at];
	alarm(MAX_SECONDS);
	pid = fork_template(nr);
	while (status = next_event(pid, &started), WIFSTOPPED(status))
		if (left > 0 && --left == 0)
			inject(pid);
	alarm(0);
	end_started(&started);
	run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return !left;
}

/* --- the roots */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *copy_from, *copy_to;

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char to[PATH_MAX];

	(void)type;
	(void)ftw;
	snprintf(to, sizeof(to), "%s%s", copy_to, path + strlen(copy_from));
	if (S_ISDIR(st->st_mode))
		return mkdir(to, st->st_mode & 07777) && errno != EEXIST;
	return linkat(AT_FDCWD, path, AT_FDCWD, to, 0) != 0;
}

/* A copy of START with the same files as links, as `cp -al` makes it. */
static void copy_tree(const char *from, const char *to)
{
	copy_from = from;
	copy_to = to;
	if (nftw(from, copy_one, 16, FTW_PHYS))
		err(1, "copying %s to %s", from, to);
}

/* --- what must hold */

/* Without the comments, which name devices: those names come from pci.ids. */
static void strip_comments(char *text)
{
	char *to = text;

	for (char *line = text, *next; line && *line; line = next) {
		size_t len = strcspn(line, "\n");
		size_t end = strcspn(line, "#");

		next = line[len] ? line + len + 1 : NULL;
		if (end < len)
			while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '\t'))
				end--;
		else
			end = len;
		memmove(to, line, end);
		to += end;
		*to++ = '\n';
	}
	*to = '\0';
}

static bool is_config(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && !strcmp(name, "/vfio-early.conf");
}

static bool is_same(const char *path, const char *other)
{
	char *a = read_file(path), *b = read_file(other);
	bool same = a && b;

	if (same && is_config(path)) {
		strip_comments(a);
		strip_comments(b);
	}
	same = same && !strcmp(a, b);
	free(a);
	free(b);
	return same;
}

/* Is each line of @text that begins with @first one of @whole's? */
static bool has_lines(const char *whole, const char *text, const char *first)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		bool found = strncmp(line, first, strlen(first)) != 0;

		for (const char *in = whole; !found && *in;) {
			size_t size = strcspn(in, "\n");

			found = size == len && !memcmp(in, line, len);
			in += size + (in[size] != '\0');
		}
		if (!found)
			return false;
		line += len + (line[len] != '\0');
	}
	return true;
}

/* A config with every line of the old one: a bind line too many does no harm. */
static bool is_more(const char *now, const char *old)
{
	char *text, *before;
	bool more;

	if (strcmp(run.name, "add") && strcmp(run.name, "import"))
		return false;
	text = read_file(now);
	before = read_file(old);
	more = text && before && has_lines(text, before, "");
	free(text);
	free(before);
	return more;
}

static void judge_file(const char *path)
{
	const char *name = path + strlen(run.root);
	char new[PATH_MAX], old[PATH_MAX];
	bool is_old;

	if (strstr(name, "vfio-early-new")) {
		if (!run.is_kill)
			surprise("left %s", name);
		return;
	}
	snprintf(new, sizeof(new), "%s%s", run.new, name);
	snprintf(old, sizeof(old), "%s%s", run.start, name);
	if (is_same(path, new) || (strstr(name, "vfio-early-old") && run.is_kill))
		return;
	is_old = is_same(path, old);
	if (is_config(name) && !is_old && is_more(path, old))
		return;
	if (!is_old)
		surprise("%s is neither old nor new", name);
	else if (!run.status && !access(new, F_OK)) {
		char *text = read_file(run.err);

		if (!text || !*text)
			surprise("%s is the old one, and exit status 0", name);
		free(text);
	}
}

static int judge_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	(void)type;
	if (S_ISREG(st->st_mode))
		judge_file(path);
	return 0;
}

static int judge_lost(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + strlen(run.start);
	char now[PATH_MAX], new[PATH_MAX];

	(void)ftw;
	(void)type;
	snprintf(now, sizeof(now), "%s%s", run.root, name);
	snprintf(new, sizeof(new), "%s%s", run.new, name);
	if (S_ISREG(st->st_mode) && access(now, F_OK) && !access(new, F_OK))
		surprise("lost %s", name);
	return 0;
}

/* The whole plan, or one with a comment more that says what is not in it. */
static bool is_plan_said(const char *plan)
{
	const char *what = run.hit.what;

	/* libkmod says nothing of a modprobe.d or a command line that it cannot read. */
	return !strcmp(plan, run.good) || !has_lines(run.good, plan, "#") ||
	       strstr(what, "etc/modprobe.d") || strstr(what, "proc/cmdline");
}

static void judge(void)
{
	char *said = read_file(run.err), *out = read_file(run.out);
	bool is_silent = !said || !*said;
	char path[PATH_MAX + 8];

	if (run.status == 137 && !run.is_kill)
		surprise("still running after %d s", MAX_SECONDS);
	else if (run.status > 3 && run.status != 137)
		surprise("exit status %d", run.status);
	/* What goes to standard error may be the very write that failed. */
	if (run.status && run.status != 137 && is_silent && !run.hit.is_stderr)
		surprise("exit status %d, and not a word", run.status);
	if (!strcmp(run.name, "plan") && !run.status && is_silent && (!out || !is_plan_said(out)))
		surprise("another plan, and not a word");
	free(said);
	free(out);
	snprintf(path, sizeof(path), "%s/etc", run.root);
	nftw(path, judge_one, 16, FTW_PHYS);
	snprintf(path, sizeof(path), "%s/etc", run.start);
	nftw(path, judge_lost, 16, FTW_PHYS);
}

static void try(int at, int error)
{
	char from[PATH_MAX + 8], to[PATH_MAX + 8];

	run.at = at;
	run.error = error;
	run.is_kill = !error;
	/* All that these commands write is in there, and their lock in run, which START has not. */
	snprintf(to, sizeof(to), "%s/run", run.root);
	remove_tree(to);
	snprintf(from, sizeof(from), "%s/etc", run.start);
	snprintf(to, sizeof(to), "%s/etc", run.root);
	remove_tree(to);
	copy_tree(from, to);
	/* How often a child is waited for, and read from, depends on how quick it is. */
	run.call[at].is_tried = true;
	if (trace()) {
		run.injected++;
		run.call[at].is_hit = true;
	} else if (strcmp(name_of(run.call[at].nr), "poll") &&
		   strcmp(name_of(run.call[at].nr), "ppoll") &&
		   strncmp(run.call[at].what, "pipe:", 5)) {
		surprise("the call was not made");
	}
	judge();
}

/* Each fault of a call, or the one whose turn it is: the calls of one name take turns. */
static void try_call(int at, bool all)
{
	const int *error = errors_of(name_of(run.call[at].nr));
	unsigned int count = 1, turn = 0;

	while (error[count - 1])
		count++;
	for (int i = run.begin; i < at; i++)
		turn += run.call[i].nr == run.call[at].nr;
	for (unsigned int i = 0; i < count; i++)
		if (all || i == turn % count)
			try(at, error[i]);
}

/* Did each call that was to fail do so, or another of its name? */
static void judge_names(void)
{
	for (int i = run.begin; i < run.calls; i++) {
		bool is_hit = !run.call[i].is_tried;

		for (int k = run.begin; k < run.calls && !is_hit; k++)
			is_hit = run.call[k].nr == run.call[i].nr && run.call[k].is_hit;
		if (!is_hit) {
			run.surprises++;
			printf("-- %s: no %s ever failed\n", run.name, name_of(run.call[i].nr));
		}
	}
}

int main(int argc, char **argv)
{
	bool all = argc > 1 && !strcmp(argv[1], "--all");
	struct sigaction action = { .sa_handler = on_alarm };

	argv += all;
	argc -= all;
	if (argc < 5)
		errx(2, "usage: host [--all] NAME START DIR COMMAND [ARGUMENT...]");
	sigaction(SIGALRM, &action, NULL);
	run.name = argv[1];
	run.start = argv[2];
	run.dir = argv[3];
	run.argv = argv + 4;
	snprintf(run.root, sizeof(run.root), "%s/root", run.dir);
	snprintf(run.new, sizeof(run.new), "%s/new", run.dir);
	snprintf(run.out, sizeof(run.out), "%s/out", run.dir);
	snprintf(run.err, sizeof(run.err), "%s/err", run.dir);

	copy_tree(run.start, run.root);
	trace_all();
	if (run.status)
		surprise("fails without a fault: exit status %d", run.status);
	run.good = read_file(run.out);
	if (rename(run.root, run.new))
		err(1, "%s", run.new);
	copy_tree(run.start, run.root);
	while (run.begin < run.calls && strcmp(run.call[run.begin].what, run.root))
		run.begin++;
	if (run.begin < run.calls)
		make_template();
	for (int i = run.begin; i < run.calls; i++)
		if (!is_left_alone(name_of(run.call[i].nr)))
			try_call(i, all);
	judge_names();
	if (run.template)
		kill(run.template, SIGKILL);
	printf("%s %s: calls injected: %u, surprises: %u\n",
	       run.injected && !run.surprises ? "ok" : "not ok", run.name, run.injected,
	       run.surprises);
	return !run.injected || run.surprises;
}
