// SPDX-License-Identifier: GPL-2.0-or-later
/* What apply and undo leave behind; see state.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/state.h"
#include "early/sysfs.h"
#include "util/message.h"

#define STATE_DIR "var/lib/vfio-early"

static const struct {
	const char *path, *text;
} files[] = {
	[STATE_UNDONE] = { STATE_DIR "/undone",
			   "vfio-early undo: no boot hands over anything until vfio-early apply\n" },
	[STATE_UNFINISHED] = { STATE_DIR "/unfinished",
			       "images were being made; vfio-early apply or undo goes on from here\n" },
};

static enum {
	AS_ON_DISK,
	SUPPOSED_NOT,
	SUPPOSED
} supposed[] = {
	[STATE_UNDONE] = AS_ON_DISK,
	[STATE_UNFINISHED] = AS_ON_DISK,
};

void state_suppose(enum state state, bool is_so)
{
	supposed[state] = is_so ? SUPPOSED : SUPPOSED_NOT;
}

bool state_is(int rootfd, enum state state)
{
	if (supposed[state] != AS_ON_DISK)
		return supposed[state] == SUPPOSED;
	return sysfs_exists(rootfd, files[state].path);
}

static int sync_dir(int rootfd, const char *path)
{
	int fd = openat(rootfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* That the file is there is all it says: there is no half of it. */
static int make(int rootfd, enum state state)
{
	size_t len = strlen(files[state].text);
	int fd, ret;

	if (mkdirat(rootfd, STATE_DIR, 0755) && errno != EEXIST)
		return -errno;
	fd = openat(rootfd, files[state].path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	/* The text is for people alone: a full disk may keep it back. */
	ret = write(fd, files[state].text, len) < 0 && errno != ENOSPC ? -errno : 0;
	if (fsync(fd) && !ret)
		ret = -errno;
	close(fd);
	return ret ? ret : sync_dir(rootfd, STATE_DIR);
}

static int take_away(int rootfd, enum state state)
{
	int ret;

	if (unlinkat(rootfd, files[state].path, 0))
		return errno == ENOENT ? 0 : -errno;
	ret = sync_dir(rootfd, STATE_DIR);
	/* Fails when something else is in it. */
	unlinkat(rootfd, STATE_DIR, AT_REMOVEDIR);
	return ret;
}

int state_set(int rootfd, enum state state, bool is_so)
{
	int ret = 0;

	supposed[state] = AS_ON_DISK;
	if (state_is(rootfd, state) != is_so)
		ret = is_so ? make(rootfd, state) : take_away(rootfd, state);
	return ret ? message_errno(ret, "cannot %s /%s", is_so ? "write" : "remove",
				   files[state].path) :
		     0;
}
