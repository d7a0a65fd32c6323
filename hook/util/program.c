// SPDX-License-Identifier: GPL-2.0-or-later
/* Running a program of the system; see program.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/program.h"

#define SEARCH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int read_said(int fd, char **said)
{
	char buf[4096];
	size_t size = 0;
	FILE *out = open_memstream(said, &size);
	ssize_t got;

	if (!out)
		return -ENOMEM;
	while ((got = read(fd, buf, sizeof(buf))) > 0 || (got < 0 && errno == EINTR))
		if (got > 0)
			fwrite(buf, 1, (size_t)got, out);
	return fclose(out) ? -ENOMEM : 0;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/*
 * In the child: becomes the program, or writes errno to @failfd, which is closed on exec.
 * @outfd: for its standard output and error, or -1 for ours
 */
__attribute__((noreturn)) static void become(const struct root *root, const char *const argv[],
					     int outfd, int failfd)
{
	char *const *words;
	int nullfd, error;

	/* execv(3) writes to none of them, and says otherwise only for the sake of old C. */
	memcpy(&words, &argv, sizeof(words));
	if (outfd >= 0 && (dup2(outfd, STDOUT_FILENO) < 0 || dup2(outfd, STDERR_FILENO) < 0))
		goto out;
	nullfd = open("/dev/null", O_RDONLY);
	if (nullfd >= 0 && nullfd != STDIN_FILENO) {
		dup2(nullfd, STDIN_FILENO);
		close(nullfd);
	}
	if (root && !root->is_host && (chroot(root->path) || chdir("/")))
		goto out;
	execv(argv[0], words);
out:
	error = errno;
	if (write(failfd, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* Why there is no program, or 0 once it has begun. */
static int read_failure(int fd)
{
	int error;

	return read(fd, &error, sizeof(error)) == sizeof(error) ? -error : 0;
}

int program_run(const struct root *root, const char *const argv[], char **said)
{
	int out[2] = { -1, -1 }, failure[2] = { -1, -1 };
	pid_t pid;
	int ret = 0, status;

	if (said)
		*said = NULL;
	/* Whoever became root by su(1) may have no sbin. */
	if (setenv("PATH", SEARCH, 1))
		return -ENOMEM;
	if (pipe2(failure, O_CLOEXEC))
		return -errno;
	if (said && pipe2(out, O_CLOEXEC)) {
		ret = -errno;
		goto out;
	}
	fflush(stdout);
	pid = fork();
	if (!pid)
		become(root, argv, out[1], failure[1]);
	if (pid < 0) {
		ret = -errno;
		goto out;
	}
	close(failure[1]);
	failure[1] = -1;
	if (said)
		close(out[1]);
	out[1] = -1;
	ret = read_failure(failure[0]);
	if (!ret && said)
		ret = read_said(out[0], said);
	status = wait_for(pid);
	ret = ret ? ret : status;
out:
	for (int i = 0; i < 2; i++) {
		if (out[i] >= 0)
			close(out[i]);
		if (failure[i] >= 0)
			close(failure[i]);
	}
	return ret;
}
