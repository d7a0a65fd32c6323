// SPDX-License-Identifier: GPL-2.0-or-later
/* State that apply and undo leave behind; see state.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "config/state.h"
#include "early/sysfs.h"
#include "util/file.h"
#include "util/message.h"

static const struct {
	const char *path, *text;
} files[] = {
	[STATE_UNDONE] = { STATE_DIR "/undone",
			   "vfio-early undo: no boot hands over anything until vfio-early apply\n" },
	[STATE_UNFINISHED] = { STATE_DIR "/unfinished",
			       "images were being made; vfio-early apply or undo goes on from here\n" },
};

bool state_is(const struct root *root, enum state state)
{
	return sysfs_exists(root->fd, files[state].path);
}

/* Only the existence of the file counts; the text is for people. */
static int make_mark(const struct root *root, enum state state)
{
	int ret;

	/*
	 * A user who may not enter the directory would not see `undo`: so 0755, whatever the umask
	 * is.
	 */
	ret = file_make_folder(root->fd, STATE_DIR);
	if (ret)
		return ret;
	ret = file_create(root->fd, files[state].path, NULL, files[state].text,
			  strlen(files[state].text));
	/* On a full disk the text may be missing. */
	if (ret == -ENOSPC)
		ret = file_create(root->fd, files[state].path, NULL, "", 0);
	return ret && ret != -EEXIST ? ret : file_sync(root->fd, STATE_DIR);
}

static int remove_mark(const struct root *root, enum state state)
{
	int ret;

	if (unlinkat(root->fd, files[state].path, 0))
		return errno == ENOENT ? 0 : -errno;
	ret = file_sync(root->fd, STATE_DIR);
	/* Fails if something else is in it. */
	unlinkat(root->fd, STATE_DIR, AT_REMOVEDIR);
	return ret;
}

int state_set(const struct root *root, enum state state, bool is_so)
{
	int ret = 0;

	if (state_is(root, state) != is_so)
		ret = is_so ? make_mark(root, state) : remove_mark(root, state);
	return ret ? message_errno(ret, "cannot %s /%s", is_so ? "write" : "remove",
				   files[state].path) :
		     0;
}
