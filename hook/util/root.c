// SPDX-License-Identifier: GPL-2.0-or-later
/* The directory below which everything is read; see root.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/message.h"
#include "util/root.h"

int root_open(struct root *root, const char *dir)
{
	root->fd = -1;
	root->path[0] = '\0';
	if (!realpath(dir, root->path))
		return message_errno(-errno, "cannot use %s as the root", dir);
	root->fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return message_errno(-errno, "cannot use %s as the root", dir);
	root->is_host = !strcmp(root->path, "/");
	if (root->is_host)
		root->path[0] = '\0';
	return 0;
}

void root_close(struct root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}
