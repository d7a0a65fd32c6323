// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs a program of the system; see program.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/program.h"

#define SEARCH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* One stream of the program's output, and what was read from it. */
struct stream {
	int fds[2]; /* we read the first, it writes to the second; -1: closed, or not wanted */
	FILE *to;
	size_t size;
};

/* @text: where the caller wants it, or NULL: the program writes to ours */
static int open_stream(struct stream *stream, char **text)
{
	stream->fds[0] = stream->fds[1] = -1;
	stream->to = NULL;
	if (!text)
		return 0;
	if (pipe2(stream->fds, O_CLOEXEC))
		return -errno;
	stream->to = open_memstream(text, &stream->size);
	return stream->to ? 0 : -ENOMEM;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int close_stream(struct stream *stream)
{
	close_end(&stream->fds[0]);
	close_end(&stream->fds[1]);
	return stream->to && fclose(stream->to) ? -ENOMEM : 0;
}

/* Reads what one stream has; closes it at its end. */
static void take(struct stream *stream)
{
	char buf[4096];
	ssize_t got = read(stream->fds[0], buf, sizeof(buf));

	if (got > 0 && stream->to)
		fwrite(buf, 1, (size_t)got, stream->to);
	else if (!got || errno != EINTR)
		close_end(&stream->fds[0]);
}

static void (*watcher)(void);

void program_watch(void (*tick)(void))
{
	watcher = tick;
}

/* Reads both at once: a program that fills a pipe nobody reads would wait for ever. */
static void read_streams(struct stream *out, struct stream *err)
{
	while (out->fds[0] >= 0 || err->fds[0] >= 0) {
		/* poll(2) ignores a negative descriptor. */
		struct pollfd fds[] = {
			{ .fd = out->fds[0], .events = POLLIN },
			{ .fd = err->fds[0], .events = POLLIN },
		};

		int ready = poll(fds, 2, watcher ? 1000 : -1);

		if (!ready)
			watcher();
		if (ready <= 0)
			continue;
		if (fds[0].revents)
			take(out);
		if (fds[1].revents)
			take(err);
	}
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
 * In the child: executes the program, or writes errno to @failfd, which is closed on exec.
 * @outfd, @errfd: its standard output and error, or -1 for ours
 */
__attribute__((noreturn)) static void become(const struct root *root, const char *const argv[],
					     int outfd, int errfd, int failfd)
{
	char *const *words;
	int nullfd, error;

	/* execv(3) changes none of them; its prototype only lacks const for old C. */
	memcpy(&words, &argv, sizeof(words));
	if ((outfd >= 0 && dup2(outfd, STDOUT_FILENO) < 0) ||
	    (errfd >= 0 && dup2(errfd, STDERR_FILENO) < 0))
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

/* Why the program could not be started, or 0 once it has begun. */
static int read_failure(int fd)
{
	int error;

	return read(fd, &error, sizeof(error)) == sizeof(error) ? -error : 0;
}

/* From fork(2) to the end of the program. */
static int run(const struct root *root, const char *const argv[], struct stream *out,
	       struct stream *err, bool is_one)
{
	int failure[2], ret, status;
	pid_t pid;

	if (pipe2(failure, O_CLOEXEC))
		return -errno;
	fflush(stdout);
	pid = fork();
	if (!pid)
		become(root, argv, out->fds[1], is_one ? out->fds[1] : err->fds[1], failure[1]);
	ret = pid < 0 ? -errno : 0;
	close(failure[1]);
	close_end(&out->fds[1]);
	close_end(&err->fds[1]);
	if (!ret) {
		ret = read_failure(failure[0]);
		read_streams(out, err);
		status = wait_for(pid);
		ret = ret ? ret : status;
	}
	close(failure[0]);
	return ret;
}

int program_run(const struct root *root, const char *const argv[], char **out, char **err)
{
	struct stream outs, errs;
	bool is_one = out && out == err;
	int ret, closed;

	if (out)
		*out = NULL;
	if (err)
		*err = NULL;
	/* After su(1), PATH may lack sbin. */
	if (setenv("PATH", SEARCH, 1))
		return -ENOMEM;
	ret = open_stream(&outs, out);
	closed = open_stream(&errs, is_one ? NULL : err);
	ret = ret ? ret : closed;
	if (!ret)
		ret = run(root, argv, &outs, &errs, is_one);
	closed = close_stream(&outs);
	if (ret >= 0 && closed)
		ret = closed;
	closed = close_stream(&errs);
	return ret >= 0 && closed ? closed : ret;
}
