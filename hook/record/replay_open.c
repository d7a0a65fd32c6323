// SPDX-License-Identifier: GPL-2.0-or-later
/* The folder for the tree of a record, and its removal; see replay.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/record.h"
#include "record/replay.h"
#include "util/file.h"
#include "util/message.h"

static char folder[PATH_MAX];

/* Ends this process in the same way as the child. */
__attribute__((noreturn)) static void end_as(int status)
{
	static const struct rlimit no_core = { 0 };
	sigset_t none;

	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	sigemptyset(&none);
	signal(WTERMSIG(status), SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &no_core);
	raise(WTERMSIG(status));
	_exit(128 + WTERMSIG(status));
}

/*
 * Waits for the child, forwards signals to it, and removes the folder. The signals are blocked, so
 * that none of them ends this process before that.
 */
__attribute__((noreturn)) static void watch(pid_t child, const sigset_t *signals)
{
	int status = 0, number;
	int ret;

	for (;;) {
		if (sigwait(signals, &number))
			continue;
		if (number != SIGCHLD)
			kill(child, number);
		else if (waitpid(child, &status, WNOHANG) == child)
			break;
	}
	ret = file_remove_tree(AT_FDCWD, folder);
	if (ret)
		message_errno(ret, "cannot remove %s", folder);
	end_as(status);
}

/* Returns 0 in the child; -errno if there is none. The parent does not return. */
static int split(const sigset_t *signals, const sigset_t *before)
{
	pid_t parent = getpid(), child;

	fflush(NULL);
	child = fork();
	if (child > 0)
		watch(child, signals);
	if (child < 0)
		return -errno;
	/* If the parent is killed, this process ends too. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigprocmask(SIG_SETMASK, before, NULL);
	return 0;
}

static int make(const char *name)
{
	char *text = NULL;
	size_t size;
	int ret = file_read(AT_FDCWD, name, RECORD_MAX, &text, &size), dirfd;

	if (ret)
		return message_errno(ret, "cannot read %s", name);
	dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = dirfd < 0 ? -errno : replay_make(dirfd, text, size);
	if (dirfd >= 0)
		close(dirfd);
	free(text);
	if (ret == -EBADMSG)
		return message_error(
			"%s is neither a folder nor a bug report; fix: name the top of a "
			"machine's tree, or what vfio-early bug-report wrote",
			name);
	if (ret < 0)
		return message_errno(ret, "cannot make the tree of %s", name);
	if (ret)
		message_warn("%s: %d line%s not understood and left out", name, ret,
			     ret == 1 ? " is" : "s are");
	return 0;
}

const char *replay_open(const char *name)
{
	static const int numbers[] = { SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	const char *tmp = secure_getenv("TMPDIR");
	sigset_t signals, before;
	int ret;

	if (!tmp || *tmp != '/')
		tmp = "/tmp";
	snprintf(folder, sizeof(folder), "%.4000s/vfio-early-report.XXXXXX", tmp);
	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&signals, numbers[i]);
	sigprocmask(SIG_BLOCK, &signals, &before);
	if (!mkdtemp(folder)) {
		message_errno(-errno, "cannot make a folder in %s", tmp);
		sigprocmask(SIG_SETMASK, &before, NULL);
		return NULL;
	}
	ret = split(&signals, &before);
	if (ret) {
		message_errno(ret, "cannot read %s", name);
		rmdir(folder);
		sigprocmask(SIG_SETMASK, &before, NULL);
		return NULL;
	}
	message_alias(folder, name);
	/* From here on the parent removes the folder, however this process ends. */
	return make(name) ? NULL : folder;
}
