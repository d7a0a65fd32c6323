// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes the image of a kernel again; see rebuild.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/state.h"
#include "early/sysfs.h"
#include "image/builder.h"
#include "image/rebuild.h"
#include "util/file.h"

/* Appended to the image's name: no boot loader looks for such names. */
#define SUFFIX_KEPT ".vfio-early-old"
#define SUFFIX_NEW  ".vfio-early-new"

struct work {
	struct rebuild *rebuild;
	const struct root *root;
	struct kernel *kernel;
	char kept[PATH_MAX], fresh[PATH_MAX];
	bool has_kept;
	struct stat before; /* of the image; st_ino 0: there was none */
	FILE *why;
	char **said;
};

__attribute__((format(printf, 2, 3))) static void say(struct work *work, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(work->why, fmt, args);
	va_end(args);
	fputc('\n', work->why);
}

/* --- files */

static int copy_data(int from, int to)
{
	char buf[65536];
	ssize_t got;

	while ((got = read(from, buf, sizeof(buf))) != 0) {
		int ret;

		if (got < 0 && errno == EINTR)
			continue;
		ret = got < 0 ? -errno : file_write(to, buf, (size_t)got);
		if (ret)
			return ret;
	}
	return fsync(to) ? -errno : 0;
}

/* For a file system without links, such as an ESP. The copy is whole, or missing. */
static int copy_file(const struct work *work, const char *from, const char *to)
{
	int source = file_open(work->root->fd, from), target, ret;

	if (source < 0)
		return source;
	target = sysfs_open_below(work->root->fd, work->fresh, O_WRONLY | O_CREAT | O_TRUNC,
				  work->before.st_mode & 07777);
	ret = target < 0 ? target : copy_data(source, target);
	close(source);
	if (target >= 0 && close(target) && !ret)
		ret = -errno;
	if (!ret)
		ret = file_rename(work->root->fd, work->fresh, to);
	if (ret)
		unlinkat(work->root->fd, work->fresh, 0);
	return ret;
}

/* A rename between two names of one file does nothing at all (rename(2)). */
static int put_kept_back(const struct work *work)
{
	struct stat kept, now;

	if (!file_stat(work->root->fd, work->kept, &kept) &&
	    !file_stat(work->root->fd, work->kernel->image, &now) && kept.st_ino == now.st_ino &&
	    kept.st_dev == now.st_dev)
		return unlinkat(work->root->fd, work->kept, 0) ? -errno : 0;
	return file_rename(work->root->fd, work->kept, work->kernel->image);
}

/* --- what an interrupted run left behind */

static bool is_readable(struct work *work)
{
	struct inspection image;
	bool readable = false;

	if (!inspect_image(work->rebuild->inspector, work->root, work->kernel->image,
			   work->kernel->version, &image))
		readable = image.state == INSPECT_GOOD || image.state == INSPECT_WRONG;
	inspect_free(&image);
	return readable;
}

static int clean_up(struct work *work)
{
	struct stat st;
	int ret = 0;

	if (work->rebuild->is_dry)
		return 0;
	unlinkat(work->root->fd, work->fresh, 0);
	if (!file_stat(work->root->fd, work->kept, &st)) {
		if (is_readable(work))
			ret = unlinkat(work->root->fd, work->kept, 0) ? -errno : 0;
		else
			ret = put_kept_back(work);
	}
	if (ret)
		say(work, "cannot clear /%s away: %s", work->kept, strerror(-ret));
	return ret;
}

/* --- must it be made? */

/* Returns whether; says why. */
static bool is_needed(struct work *work)
{
	const struct inspector *inspector = work->rebuild->inspector;
	struct inspection image;
	bool needed = true;

	if (inspect_image(inspector, work->root, work->kernel->image, work->kernel->version,
			  &image)) {
		say(work, "the image could not be checked");
		inspect_free(&image);
		return true;
	}
	switch (image.state) {
	case INSPECT_MISSING:
		say(work, "there is none yet");
		break;
	case INSPECT_UNREADABLE:
		say(work, "it cannot be read: %s", strerror(-image.error));
		break;
	case INSPECT_UNSUPPORTED:
		say(work, "it is %s", image.wrongs ? image.wrong[0].text : "");
		break;
	case INSPECT_DAMAGED:
		say(work, "it is damaged: %s", image.wrongs ? image.wrong[0].text : "");
		break;
	case INSPECT_WRONG:
		if (image.is_best && image.is_current && image.time >= inspector->config_time)
			needed = false;
		for (size_t i = 0; i < image.wrongs && needed; i++)
			say(work, "%s", image.wrong[i].text);
		break;
	case INSPECT_GOOD:
		needed = !image.is_current || image.time < inspector->config_time;
		if (needed)
			say(work, image.is_current ? "it is older than the config" :
						     "its plan is not current");
	}
	work->kernel->has_image = image.state != INSPECT_MISSING;
	inspect_free(&image);
	return needed;
}

/* --- making it */

/* Keeps the old one under a second name. Returns false if nothing should be tried at all. */
static bool keep_old(struct work *work)
{
	const char *image = work->kernel->image;
	int ret;

	if (!builder_replaces(work->rebuild->builder) || !work->kernel->has_image)
		return true;
	ret = linkat(work->root->fd, image, work->root->fd, work->kept, AT_SYMLINK_FOLLOW) ?
		      -errno :
		      0;
	if (ret == -EROFS) {
		say(work, "/" KERNELS_BOOT " is mounted read-only; fix: mount it for writing");
		return false;
	}
	if (ret)
		ret = copy_file(work, image, work->kept);
	work->has_kept = !ret;
	if (ret)
		say(work, "the old image could not be kept: %s", strerror(-ret));
	return true;
}

static void put_back(struct work *work)
{
	int ret = 0;

	if (!builder_replaces(work->rebuild->builder))
		unlinkat(work->root->fd, work->fresh, 0);
	else if (work->has_kept)
		ret = put_kept_back(work);
	else if (!work->before.st_ino)
		unlinkat(work->root->fd, work->kernel->image, 0);
	else
		return;
	if (ret)
		say(work, "the old image is /%s, and cannot be put back: %s", work->kept,
		    strerror(-ret));
	else
		say(work, work->before.st_ino ? "the old image is in its place" :
						"there is none, as before");
}

/* Is it the same file as before? update-initramfs has a setting that prevents updates. */
static bool is_untouched(const struct work *work)
{
	struct stat st;

	return builder_replaces(work->rebuild->builder) && work->before.st_ino &&
	       !file_stat(work->root->fd, work->kernel->image, &st) &&
	       st.st_ino == work->before.st_ino && st.st_mtime == work->before.st_mtime;
}

static bool is_good(struct work *work, const char *path)
{
	struct inspection image;
	bool good = false;

	if (inspect_image(work->rebuild->inspector, work->root, path, work->kernel->version,
			  &image)) {
		say(work, "the new image could not be inspected");
	} else if (is_untouched(work)) {
		say(work, "no new image was made; fix: update_initramfs=yes in "
			  "/etc/initramfs-tools/update-initramfs.conf");
	} else {
		good = image.is_best;
		if (image.state == INSPECT_MISSING)
			say(work, "no image was made");
		if (image.state == INSPECT_UNREADABLE)
			say(work, "the new image cannot be read: %s", strerror(-image.error));
		for (size_t i = 0; i < image.wrongs; i++)
			say(work, "the new image: %s%s",
			    image.state == INSPECT_DAMAGED ? "damaged: " : "", image.wrong[i].text);
		if (image.state == INSPECT_UNSUPPORTED)
			say(work, "fix: " INSPECT_COMPRESS);
	}
	inspect_free(&image);
	return good;
}

static void at_step(const struct work *work, enum rebuild_step step)
{
	if (work->rebuild->at_step)
		work->rebuild->at_step(step);
}

static bool make(struct work *work, const char *target)
{
	const struct rebuild *rebuild = work->rebuild;
	int ret;

	at_step(work, REBUILD_MAKES);
	ret = builder_run(rebuild->root, rebuild->builder, work->kernel, target, work->said);
	if (ret < 0)
		say(work, "%s could not be run: %s", builder_name(rebuild->builder),
		    strerror(-ret));
	else if (ret)
		say(work, "%s failed (exit status %d)", builder_name(rebuild->builder), ret);
	if (ret)
		return false;
	at_step(work, REBUILD_VERIFIES);
	return is_good(work, target);
}

/* The new one is good: now it replaces the old one. */
static bool settle(struct work *work, const char *target)
{
	int ret = file_sync(work->root->fd, target);

	if (!ret && target == work->fresh)
		ret = file_rename(work->root->fd, work->fresh, work->kernel->image);
	if (ret) {
		say(work, "the new image could not be put in its place: %s", strerror(-ret));
		return false;
	}
	work->kernel->has_image = true;
	if (work->has_kept)
		unlinkat(work->root->fd, work->kept, 0);
	return true;
}

static bool finish(struct work *work)
{
	const struct rebuild *rebuild = work->rebuild;
	char *said;
	int ret;

	at_step(work, REBUILD_HANDS_ON);
	ret = builder_finish(rebuild->root, rebuild->builder, work->kernel, &said);
	if (ret)
		say(work,
		    "the new image is in its place, but a script of "
		    "/etc/initramfs/post-update.d failed: %s",
		    said && *said ? said : "it said nothing");
	free(said);
	return !ret;
}

static enum rebuild_result build(struct work *work)
{
	const char *target = builder_replaces(work->rebuild->builder) ? work->kernel->image :
									work->fresh;

	if (file_stat(work->root->fd, work->kernel->image, &work->before))
		work->before.st_ino = 0;
	if (state_set(work->rebuild->root, STATE_UNFINISHED, true)) {
		say(work, "nothing was done: its start could not be recorded");
		return REBUILD_FAILED;
	}
	work->rebuild->has_begun = true;
	if (!keep_old(work))
		return REBUILD_FAILED;
	if (make(work, target) && settle(work, target))
		return finish(work) ? REBUILD_DONE : REBUILD_FAILED;
	put_back(work);
	return REBUILD_FAILED;
}

/* From here on @why says what went wrong, no longer why it was tried. */
static bool start_anew(struct work *work, char **why, size_t *size)
{
	fclose(work->why);
	free(*why);
	*why = NULL;
	work->why = open_memstream(why, size);
	return work->why;
}

enum rebuild_result rebuild_image(struct rebuild *rebuild, struct kernel *kernel, char **why,
				  char **said)
{
	struct work work = {
		.rebuild = rebuild,
		.root = rebuild->root,
		.kernel = kernel,
		.said = said,
	};
	enum rebuild_result result = REBUILD_FAILED;
	size_t size;

	*why = *said = NULL;
	work.why = open_memstream(why, &size);
	if (!work.why)
		return REBUILD_FAILED;
	snprintf(work.kept, sizeof(work.kept), "%s" SUFFIX_KEPT, kernel->image);
	snprintf(work.fresh, sizeof(work.fresh), "%s" SUFFIX_NEW, kernel->image);
	if (!kernel->has_modules) {
		say(&work, "there is no /lib/modules/%s", kernel->version);
		result = REBUILD_LEFT;
	} else if (!clean_up(&work)) {
		at_step(&work, REBUILD_LOOKS);
		if (!is_needed(&work))
			result = REBUILD_CURRENT;
		else if (rebuild->is_dry)
			result = REBUILD_NEEDED;
		else if (start_anew(&work, why, &size))
			result = build(&work);
	}
	if (work.why)
		fclose(work.why);
	return result;
}
