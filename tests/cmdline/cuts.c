// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cuts FOLDER DIR COMMAND...: every power cut of one run. Runs COMMAND, and at each moment in which it, or what
 * it has started, is about to change something below DIR, copies DIR to FOLDER/1, FOLDER/2 and so on, while who
 * wants to change it waits: as a power cut at that moment would leave it. strace can stop programs too, but counts
 * the calls of each process for itself, and a script is a hundred of them.
 *
 * Exit: 2 something of our own went wrong, else as COMMAND.
 * Linux 5.3 (PTRACE_GET_SYSCALL_INFO).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* How a system call says what it changes. */
enum names {
	BY_PATH,
	BY_AT,
	BY_FD,
	BY_RENAME,
	BY_OPEN
};

static const struct call {
	long nr;
	enum names names;
} calls[] = {
	{ SYS_openat, BY_OPEN },  { SYS_write, BY_FD },		  { SYS_writev, BY_FD },
	{ SYS_pwrite64, BY_FD },  { SYS_copy_file_range, BY_FD }, { SYS_sendfile, BY_FD },
	{ SYS_ftruncate, BY_FD }, { SYS_fchmod, BY_FD },	  { SYS_fchown, BY_FD },
	{ SYS_fsync, BY_FD },	  { SYS_fdatasync, BY_FD },	  { SYS_renameat, BY_AT },
	{ SYS_renameat2, BY_AT }, { SYS_unlinkat, BY_AT },	  { SYS_mkdirat, BY_AT },
	{ SYS_linkat, BY_AT },	  { SYS_symlinkat, BY_RENAME },	  { SYS_fchmodat, BY_AT },
	{ SYS_fchownat, BY_AT },  { SYS_utimensat, BY_AT },
#ifdef SYS_rename /* not on arm64 */
	{ SYS_rename, BY_PATH },  { SYS_unlink, BY_PATH },	  { SYS_rmdir, BY_PATH },
	{ SYS_mkdir, BY_PATH },	  { SYS_chmod, BY_PATH },	  { SYS_chown, BY_PATH },
#endif
};

enum {
	CALLS = sizeof(calls) / sizeof(calls[0])
};

static const char *dir;

static bool is_below(const char *path)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (path[len] == '/' || !path[len]);
}

/* A string of the tracee, page by page: the next one may not be there. */
static void read_string(pid_t pid, unsigned long addr, char buf[PATH_MAX])
{
	size_t got = 0;

	while (got < PATH_MAX - 1) {
		size_t len = 4096 - (addr + got) % 4096;
		struct iovec local = { buf + got, 0 }, remote = { (void *)(addr + got), 0 };

		if (len > PATH_MAX - 1 - got)
			len = PATH_MAX - 1 - got;
		local.iov_len = remote.iov_len = len;
		if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
			break;
		if (memchr(buf + got, '\0', len))
			return;
		got += len;
	}
	buf[got] = '\0';
}

static bool is_fd_below(pid_t pid, unsigned long fd)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, (int)fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	return is_below(path);
}

/* Whether what the tracee is about to do changes something below the folder. */
static bool is_change(pid_t pid, const struct __ptrace_syscall_info *info)
{
	const __uint64_t *args = info->seccomp.args;
	char path[PATH_MAX];

	for (size_t i = 0; i < CALLS; i++) {
		if ((long)info->seccomp.nr != calls[i].nr)
			continue;
		switch (calls[i].names) {
		case BY_FD:
			return is_fd_below(pid,
					   args[info->seccomp.nr == SYS_copy_file_range ? 2 : 0]);
		case BY_PATH:
			read_string(pid, args[0], path);
			break;
		case BY_RENAME:
			read_string(pid, args[2], path);
			break;
		case BY_OPEN:
			if (!(args[2] & (O_CREAT | O_TRUNC)))
				return false;
			/* fall through */
		case BY_AT:
			read_string(pid, args[1], path);
			break;
		}
		return is_below(path);
	}
	return false;
}

static int fail(const char *what)
{
	fprintf(stderr, "cuts: %s: %s\n", what, strerror(errno));
	return 2;
}

/* Copies the folder to FOLDER/N, as it is now. */
static int copy(const char *folder, long n)
{
	char to[PATH_MAX];
	int status;
	pid_t pid;

	snprintf(to, sizeof(to), "%s/%ld", folder, n);
	pid = fork();
	if (pid < 0)
		return fail("fork");
	if (pid == 0) {
		execlp("cp", "cp", "-a", dir, to, NULL);
		_exit(fail("cp"));
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return fail("cp");
	return 0;
}

static int trace(pid_t child, const char *folder)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	int status, result = 0;
	long n = 0;
	pid_t pid;

	if (waitpid(child, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, child, 0, options) ||
	    ptrace(PTRACE_CONT, child, 0, 0))
		return fail("ptrace");
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		struct __ptrace_syscall_info info;
		int signal = 0;

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == child)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
			if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
			    info.op == PTRACE_SYSCALL_INFO_SECCOMP && is_change(pid, &info) &&
			    copy(folder, ++n))
				return 2; /* PTRACE_O_EXITKILL kills them all. */
		} else if (status >> 8 != (SIGTRAP | (status >> 16 << 8)) &&
			   WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGTRAP) {
			signal = WSTOPSIG(status);
		}
		ptrace(PTRACE_CONT, pid, 0, signal);
	}
	return result;
}

/*
 * Lets this process, and all that it will start, stop at the calls above alone: at each call they would take
 * several times as long. Each compare has a jump, over what is left of them, to the last instruction.
 */
static int watch(void)
{
	struct sock_filter filter[CALLS + 3];
	struct sock_fprog program = { .len = CALLS + 3, .filter = filter };

	filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS; i++)
		filter[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							     (unsigned int)calls[i].nr, CALLS - i,
							     0);
	filter[CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[CALLS + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc < 4) {
		fputs("Usage: cuts FOLDER DIR COMMAND...\n", stderr);
		return 2;
	}
	dir = argv[2];
	child = fork();
	if (child < 0)
		return fail("fork");
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		if (watch())
			_exit(fail("seccomp"));
		execvp(argv[3], argv + 3);
		_exit(fail(argv[3]));
	}
	return trace(child, argv[1]);
}
