// SPDX-License-Identifier: GPL-2.0-or-later
/* A lock that only root can hold; see lock.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/file.h"
#include "util/lock.h"

#define DIR	"vfio-early"
#define POLL_MS 20

static void wait_a_little(void)
{
	const struct timespec time = { .tv_nsec = POLL_MS * 1000000L };

	nanosleep(&time, NULL);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Opens the directory, and creates it if it is missing. Returns 0 or -errno. */
static int open_dir(const struct root *root, struct lock *lock)
{
	close_fd(&lock->dirfd);
	close_fd(&lock->runfd);
	lock->runfd = file_open_folder(root->fd, "run");
	if (lock->runfd == -ENOENT) {
		if (!mkdirat(root->fd, "run", 0755))
			lock->rootfd = root->fd;
		else if (errno != EEXIST)
			return -errno;
		lock->runfd = file_open_folder(root->fd, "run");
	}
	if (lock->runfd < 0)
		return lock->runfd;
	if (!mkdirat(lock->runfd, DIR, 0755))
		/* On this host it stays: a run of the boot half may be about to write there. */
		lock->made_dir = !root->is_host;
	else if (errno != EEXIST)
		return -errno;
	lock->dirfd = openat(lock->runfd, DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return lock->dirfd < 0 ? -errno : 0;
}

/* Does the name still refer to the file that was opened, or has its holder removed it? */
static bool is_there(const struct lock *lock)
{
	struct stat ours, there;

	return !fstat(lock->fd, &ours) &&
	       !fstatat(lock->dirfd, lock->name, &there, AT_SYMLINK_NOFOLLOW) &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static void read_holder(struct lock *lock)
{
	char text[16] = "";

	if (pread(lock->fd, text, sizeof(text) - 1, 0) > 0)
		lock->holder = atoi(text);
}

/* Tells others who holds it. On a full disk only this text is missing. */
static void write_holder(const struct lock *lock)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(lock->fd, 0) || pwrite(lock->fd, text, (size_t)len, 0) != len)
		return;
}

/* Returns 0, -EAGAIN to try again, -EBUSY if another process has it, or -errno. */
static int try_it(const struct root *root, struct lock *lock)
{
	int ret = open_dir(root, lock);

	if (ret)
		return ret == -ENOENT ? -EAGAIN : ret;
	lock->fd = openat(lock->dirfd, lock->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock->fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	ret = flock(lock->fd, LOCK_EX | LOCK_NB) ? -errno : 0;
	if (!ret && is_there(lock)) {
		write_holder(lock);
		return 0;
	}
	if (ret == -EWOULDBLOCK)
		read_holder(lock);
	close_fd(&lock->fd);
	if (!ret || ret == -EINTR)
		return -EAGAIN;
	return ret == -EWOULDBLOCK ? -EBUSY : ret;
}

int lock_take(const struct root *root, const char *name, int ms, struct lock *lock)
{
	int ret;

	*lock = (struct lock){ .fd = -1, .dirfd = -1, .runfd = -1, .rootfd = -1, .name = name };
	for (;; ms -= POLL_MS) {
		ret = try_it(root, lock);
		if ((ret != -EBUSY && ret != -EAGAIN) || ms <= 0)
			break;
		wait_a_little();
	}
	if (ret == -EAGAIN)
		return -EBUSY;
	return ret == -EACCES || ret == -EPERM || ret == -EROFS ? 0 : ret;
}

const char *lock_holder(const struct lock *lock, char text[32])
{
	*text = '\0';
	if (lock->holder > 0)
		snprintf(text, 32, " (process %d)", lock->holder);
	return text;
}

void lock_release(struct lock *lock)
{
	if (lock->fd >= 0) {
		unlinkat(lock->dirfd, lock->name, 0);
		/* Each rmdir() fails if something else is in the directory. */
		if (lock->made_dir)
			unlinkat(lock->runfd, DIR, AT_REMOVEDIR);
		if (lock->rootfd >= 0)
			unlinkat(lock->rootfd, "run", AT_REMOVEDIR);
	}
	close_fd(&lock->fd);
	close_fd(&lock->dirfd);
	close_fd(&lock->runfd);
}
