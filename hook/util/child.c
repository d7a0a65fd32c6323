// SPDX-License-Identifier: GPL-2.0-or-later
/* A function of ours in a child, with a deadline; see child.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/child.h"

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Until the child closes its end, or the time is over. */
static int read_until(int fd, long long end, FILE *out)
{
	char buf[4096];

	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		long long left = end - now();
		ssize_t got;
		int ret = poll(&wait, 1, left > 0 ? (int)left : 0);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret <= 0)
			return ret ? -errno : -ETIMEDOUT;
		got = read(fd, buf, sizeof(buf));
		if (!got)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			fwrite(buf, 1, (size_t)got, out);
	}
}

static int end_of(pid_t pid, int ret)
{
	int status;

	if (ret) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, WNOHANG);
		return ret;
	}
	/* Closing its end is the last thing that the child does. */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

int child_run(int (*fn)(int fd, void *arg), void *arg, unsigned int ms, char **text, size_t *size)
{
	long long end = now() + ms;
	int fds[2], ret;
	FILE *out;
	pid_t pid;

	*text = NULL;
	out = open_memstream(text, size);
	if (!out)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC)) {
		ret = -errno;
		fclose(out);
		return ret;
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		_exit(-fn(fds[1], arg));
	}
	ret = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (!ret)
		ret = end_of(pid, read_until(fds[0], end, out));
	close(fds[0]);
	return fclose(out) ? -ENOMEM : ret;
}
