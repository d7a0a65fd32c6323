// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hang DIRECTORY COMMAND...: mounts on DIRECTORY a file system in user space that never answers, as pmxcfs
 * does when its cluster has lost it, and runs the command. In a mount namespace of the caller's, with
 * which both go.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	if (argc < 3 || fd < 0)
		return 125;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("hang", argv[1], "fuse", MS_NODEV | MS_NOSUID, options))
		return 125;
	/* Once it is closed, every request fails at once: it stays open as long as the command runs. */
	if (fcntl(fd, F_SETFD, 0))
		return 125;
	execvp(argv[2], &argv[2]);
	return 125;
}
