// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * peak COMMAND...: the most memory that a command and its children had at one time, in KiB, of what
 * is theirs (Pss: a page that two of them share counts once).
 *
 * Looked at whenever one of them is about to exit, by PTRACE_O_TRACEEXIT: right for programs that
 * give nothing back before, as that of the boot. The kernel's own ru_maxrss is too coarse for a few
 * dozen pages: it is counted in batches for each processor (mm/memory.c, add_mm_counter).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PROCESSES 64

static pid_t process[MAX_PROCESSES];
static unsigned int processes;

static void add(pid_t pid)
{
	for (unsigned int i = 0; i < processes; i++)
		if (process[i] == pid)
			return;
	if (processes == MAX_PROCESSES) {
		fprintf(stderr, "peak: more than %u processes\n", MAX_PROCESSES);
		exit(2);
	}
	process[processes++] = pid;
}

static void drop(pid_t pid)
{
	for (unsigned int i = 0; i < processes; i++)
		if (process[i] == pid)
			process[i] = process[--processes];
}

/* Those of a process that has exited, but was not waited for, are 0. */
static long pss(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss: %ld kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static long total(void)
{
	long kib = 0;

	for (unsigned int i = 0; i < processes; i++)
		kib += pss(process[i]);
	return kib;
}

static void start(char **argv)
{
	int nullfd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(nullfd, 1);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	execv(argv[0], argv);
	_exit(127);
}

/* Follows them until the last has ended. Returns the exit status of the first. */
static int follow(pid_t first, long *most)
{
	int status, ret = 255;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal = 0;

		if (!WIFSTOPPED(status)) {
			drop(pid);
			if (pid == first && WIFEXITED(status))
				ret = WEXITSTATUS(status);
			continue;
		}
		add(pid);
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
			long now = total();

			*most = now > *most ? now : *most;
		} else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
			signal = WSTOPSIG(status);
		}
		ptrace(PTRACE_CONT, pid, NULL, signal);
	}
	return ret;
}

int main(int argc, char **argv)
{
	long most = 0;
	pid_t pid;
	int ret;

	if (argc < 2) {
		fprintf(stderr, "usage: peak COMMAND [ARGUMENT...]\n");
		return 2;
	}
	pid = fork();
	if (pid < 0) {
		perror("peak: fork");
		return 2;
	}
	if (!pid)
		start(argv + 1);
	waitpid(pid, NULL, 0);
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			   PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_CONT, pid, NULL, NULL) < 0) {
		perror("peak: ptrace");
		return 2;
	}
	add(pid);
	ret = follow(pid, &most);
	if (ret) {
		fprintf(stderr, "peak: %s: exit status %d\n", argv[1], ret);
		return 1;
	}
	printf("%ld\n", most);
	return 0;
}
