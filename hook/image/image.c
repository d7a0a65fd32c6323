// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The contents of an image; see image.h.
 *
 * The kernel accepts any number of cpio archives one after the other, with zero bytes between them,
 * and unpacks compressed ones on the way (init/initramfs.c). The builders write: microcode, plain;
 * modules that are compressed already, plain; then everything else, compressed. libarchive knows
 * the filters and the format, but takes the first trailer for the end of everything. So there are
 * two layers: a stream of bytes, from the file or from a filter, and one cpio reader after the
 * other on it, each returning the bytes that it did not use.
 */
#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <errno.h>
#include <sha256.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"

#define BLOCK_SIZE 65536

/* A plan is smaller (PLAN_MAX_TEXT), and so are ORDER and the binary by far. */
#define CONTENT_MAX (4u << 20)

/* More members than any builder produces. The largest image seen, with all drivers, has 5,000. */
#define MEMBERS_MAX 1000000u

#define LIB "lib/vfio-early/"

struct stream {
	int fd;		      /* the file, or -1 */
	struct archive *from; /* the filter, or NULL */
	const uint8_t *block; /* not used yet */
	size_t len;
	const uint8_t *given; /* the block that a cpio reader was given last, and its length */
	size_t given_len;
	int64_t given_total;
	int64_t filtered; /* bytes that came out of the filter */
	uint8_t buf[BLOCK_SIZE];
};

struct walk {
	int (*each)(const struct image_entry *entry, void *arg);
	void *arg;
	unsigned int members;
	char why[256];
};

static struct walk *new_walk(void)
{
	static struct walk walk;

	walk = (struct walk){ 0 };
	return &walk;
}

__attribute__((format(printf, 2, 3))) static int fail(struct walk *walk, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(walk->why, sizeof(walk->why), fmt, args);
	va_end(args);
	return -EBADMSG;
}

/* An error of libarchive: that of a system call, or a damaged image. */
static int fail_archive(struct walk *walk, struct archive *archive)
{
	const char *text = archive_error_string(archive);
	int error = archive_errno(archive);

	fail(walk, "%s", text ? text : "cannot be read");
	return error == ENOMEM || error == EIO ? -error : -EBADMSG;
}

/* Reads the next block, if the last one is used up. Returns 1, 0 at the end, or -errno. */
static int fill(struct stream *stream, struct walk *walk)
{
	const void *block;
	la_int64_t offset;
	ssize_t got;
	int ret;

	while (!stream->len) {
		if (!stream->from) {
			got = read(stream->fd, stream->buf, sizeof(stream->buf));
			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0) {
				fail(walk, "%s", strerror(errno));
				return -errno;
			}
			if (!got)
				return 0;
			stream->block = stream->buf;
			stream->len = (size_t)got;
			continue;
		}
		ret = archive_read_data_block(stream->from, &block, &stream->len, &offset);
		if (ret == ARCHIVE_EOF) {
			stream->len = 0;
			return 0;
		}
		if (ret != ARCHIVE_OK)
			return fail_archive(walk, stream->from);
		/*
		 * The raw format gives a long run of zero bytes as a hole: that can be neither in
		 * front of a filter's data nor, as it does not look for them, inside.
		 */
		if (offset != stream->filtered)
			return fail(walk, "a hole in unpacked data");
		stream->filtered += (int64_t)stream->len;
		stream->block = block;
	}
	return 1;
}

struct feed {
	struct stream *stream;
	struct walk *walk;
	int error;
};

/* archive_read_callback: hands a block of the stream to a reader, and remembers which. */
static la_ssize_t feed_block(struct archive *archive, void *arg, const void **block)
{
	struct feed *feed = arg;
	struct stream *stream = feed->stream;
	int ret = fill(stream, feed->walk);

	*block = NULL;
	if (ret < 0) {
		feed->error = ret;
		archive_set_error(archive, EIO, "%s", feed->walk->why);
		return -1;
	}
	if (!ret)
		return 0;
	*block = stream->given = stream->block;
	stream->given_len = stream->len;
	stream->given_total += (int64_t)stream->len;
	stream->len = 0;
	return (la_ssize_t)stream->given_len;
}

const char *image_path(const char *path)
{
	while (!strncmp(path, "./", 2) || *path == '/')
		path += *path == '/' ? 1 : 2;
	return strncmp(path, "usr/", 4) ? path : path + 4;
}

static int walk_members(struct archive *cpio, struct walk *walk)
{
	struct archive_entry *entry;
	int ret;

	while ((ret = archive_read_next_header(cpio, &entry)) != ARCHIVE_EOF) {
		const char *path;
		struct image_entry item;

		if (ret != ARCHIVE_OK && ret != ARCHIVE_WARN)
			return fail_archive(walk, cpio);
		if (walk->members++ == MEMBERS_MAX)
			return fail(walk, "more than a million members");
		path = archive_entry_pathname(entry);
		if (!path)
			continue;
		item = (struct image_entry){
			.path = image_path(path),
			.mode = archive_entry_mode(entry),
			.size = archive_entry_size(entry),
			.archive = cpio,
		};
		ret = walk->each(&item, walk->arg);
		if (ret)
			return ret;
	}
	return 0;
}

/* Reads one cpio archive, which begins at the current position. Stops after its trailer. */
static int walk_cpio(struct stream *stream, struct walk *walk)
{
	struct feed feed = { .stream = stream, .walk = walk };
	struct archive *cpio = archive_read_new();
	int64_t eaten, left;
	int ret;

	if (!cpio)
		return -ENOMEM;
	stream->given_total = 0;
	archive_read_support_format_cpio(cpio);
	ret = archive_read_open(cpio, &feed, NULL, feed_block, NULL) == ARCHIVE_OK ?
		      walk_members(cpio, walk) :
		      fail_archive(walk, cpio);
	if (feed.error)
		ret = feed.error;
	if (!ret) {
		/*
		 * A reader asks for a block only to use it, so what is left belongs to the last
		 * one.
		 */
		eaten = archive_filter_bytes(cpio, 0);
		left = stream->given_total - eaten;
		if (left < 0 || left > (int64_t)stream->given_len || !eaten)
			ret = fail(walk, "cannot find the end of a cpio archive");
		stream->len = ret ? 0 : (size_t)left;
		stream->block = stream->given + stream->given_len - stream->len;
	}
	archive_read_free(cpio);
	return ret;
}

/* Returns 1 at the next byte that is not zero, 0 at the end, or -errno. */
static int skip_zeros(struct stream *stream, struct walk *walk)
{
	int ret;

	while ((ret = fill(stream, walk)) > 0) {
		while (stream->len && !*stream->block) {
			stream->block++;
			stream->len--;
		}
		if (stream->len)
			break;
	}
	return ret;
}

/*
 * lzop-1.04, src/conf.h, lzop_magic. libarchive would run lzop itself, which may not be installed.
 */
static bool is_lzop(const struct stream *stream)
{
	static const char magic[] = "\211LZO\0\r\n\032\n";

	return stream->len >= sizeof(magic) - 1 && !memcmp(stream->block, magic, sizeof(magic) - 1);
}

static int walk_stream(struct stream *stream, struct walk *walk);

static int walk_compressed(struct stream *stream, struct walk *walk)
{
	struct feed feed = { .stream = stream, .walk = walk };
	struct archive *raw = archive_read_new();
	struct stream *inner = calloc(1, sizeof(*inner));
	struct archive_entry *entry;
	int ret = -ENOMEM;

	if (!raw || !inner)
		goto out;
	if (is_lzop(stream)) {
		fail(walk, "compressed with lzop, which vfio-early cannot read");
		ret = -ENOTSUP;
		goto out;
	}
	/* The filters that the builders offer, one by one: "all" would run programs for some. */
	archive_read_support_filter_gzip(raw);
	archive_read_support_filter_zstd(raw);
	archive_read_support_filter_xz(raw);
	archive_read_support_filter_lz4(raw);
	archive_read_support_filter_lzma(raw);
	archive_read_support_filter_bzip2(raw);
	archive_read_support_format_raw(raw);
	if (archive_read_open(raw, &feed, NULL, feed_block, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(raw, &entry) != ARCHIVE_OK) {
		ret = fail_archive(walk, raw);
		goto out;
	}
	if (archive_filter_code(raw, 0) == ARCHIVE_FILTER_NONE) {
		ret = fail(walk, "neither cpio nor gzip, zstd, xz, lz4, lzma or bzip2");
		goto out;
	}
	inner->fd = -1;
	inner->from = raw;
	ret = walk_stream(inner, walk);
out:
	if (feed.error)
		ret = feed.error;
	archive_read_free(raw);
	free(inner);
	return ret;
}

static int walk_stream(struct stream *stream, struct walk *walk)
{
	int ret;

	while ((ret = skip_zeros(stream, walk)) > 0) {
		/* "070701"; no compression's magic begins with a digit. */
		if (*stream->block == '0')
			ret = walk_cpio(stream, walk);
		else if (!stream->from)
			return walk_compressed(stream, walk);
		else
			ret = fail(walk, "the unpacked data is not a cpio archive");
		if (ret)
			break;
	}
	return ret;
}

int image_walk(int fd, int (*each)(const struct image_entry *entry, void *arg), void *arg,
	       const char **why)
{
	struct walk *walk = new_walk();
	struct stream *stream = calloc(1, sizeof(*stream));
	int ret;

	walk->each = each;
	walk->arg = arg;
	*why = walk->why;
	if (!stream) {
		*why = "out of memory";
		return -ENOMEM;
	}
	stream->fd = fd;
	ret = walk_stream(stream, walk);
	if (!ret && !walk->members)
		ret = fail(walk, "empty");
	if (ret == -ENOMEM)
		*why = "out of memory";
	free(stream);
	return ret;
}

int image_content(const struct image_entry *entry, size_t max, char **text, size_t *size)
{
	size_t want = (size_t)entry->size, len = 0;
	la_ssize_t got = 0;

	*text = NULL;
	if (entry->size < 0 || want > max)
		return -EFBIG;
	*text = malloc(want + 1);
	if (!*text)
		return -ENOMEM;
	while (len < want && (got = archive_read_data(entry->archive, *text + len, want - len)) > 0)
		len += (size_t)got;
	if (got < 0 || len != want) {
		free(*text);
		*text = NULL;
		return -EBADMSG;
	}
	(*text)[len] = '\0';
	*size = len;
	return 0;
}

/* --- the members that matter here */

/* Without PT_INTERP it needs nothing else to run. Only the class of this machine counts. */
bool image_is_static(const char *text, size_t size)
{
	Elf64_Ehdr head;

	if (size < sizeof(head))
		return false;
	memcpy(&head, text, sizeof(head));
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	for (unsigned int i = 0; i < head.e_phnum; i++) {
		size_t at = head.e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr program;

		if (head.e_phoff > size || at + sizeof(program) > size)
			return false;
		memcpy(&program, text + at, sizeof(program));
		if (program.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static int keep_binary(const struct image_entry *entry, struct image *image)
{
	char *text;
	size_t size;
	int ret = image_content(entry, CONTENT_MAX, &text, &size);

	image->has_binary = true;
	image->is_executable = (entry->mode & 0111) == 0111;
	if (ret == -EFBIG)
		return 0;
	if (ret)
		return ret;
	image->is_static = image_is_static(text, size);
	SHA256Data((const uint8_t *)text, size, image->binary_sha);
	free(text);
	return 0;
}

static int keep_text(const struct image_entry *entry, char **text, size_t *size)
{
	free(*text); /* a later archive's member replaces an earlier one's */
	return image_content(entry, CONTENT_MAX, text, size);
}

static int keep_module(const struct image_entry *entry, const char *suffix, struct image *image)
{
	char **list;

	if (!(image->modules & (image->modules - 1))) {
		size_t room = image->modules ? image->modules * 2 : 1;

		list = realloc(image->module, room * sizeof(*list));
		if (!list)
			return -ENOMEM;
		image->module = list;
	}
	image->module[image->modules] = strndup(entry->path, (size_t)(suffix - entry->path));
	if (!image->module[image->modules])
		return -ENOMEM;
	image->modules++;
	return 0;
}

/* Finds the kernel that its modules are for. @rest: after "lib/modules/". */
static int keep_kernel(struct image *image, const char *rest)
{
	size_t len = strcspn(rest, "/");

	if (!len || !rest[len])
		return 0;
	if (!image->kernel) {
		image->kernel = strndup(rest, len);
		return image->kernel ? 0 : -ENOMEM;
	}
	image->has_kernels |= strncmp(image->kernel, rest, len) != 0 || image->kernel[len];
	return 0;
}

/* The folder of dracut's hooks differs by version (lib/dracut/hooks, var/lib/dracut/hooks). */
static void keep_dracut(struct image *image, const char *path, const char *name)
{
	if (!strcmp(path, "lib/systemd/systemd"))
		image->has_systemd = true;
	else if (strstr(path, "sysinit.target.wants/vfio-early.service"))
		image->is_wanted = true;
	else if (!strcmp(name, "vfio-early.service"))
		image->has_unit = true;
	else if (strstr(path, "hooks/cmdline/") && strstr(name, "vfio-early"))
		image->has_hook = true;
}

/* For both builders: dracut has two folders of hooks for each of initramfs-tools'. */
static void keep_rope(struct image *image, const char *path, const char *name)
{
	if (!strcmp(path, LIB "root-missing"))
		image->has_rope = true;
	if (strcmp(name, "vfio-early") != 0 && !strstr(name, "vfio-early-"))
		return;
	if (strstr(path, "scripts/local-block/") || strstr(path, "hooks/initqueue/settled/"))
		image->has_rope_wait = true;
	if (strstr(path, "scripts/panic/") || strstr(path, "hooks/emergency/"))
		image->has_rope_shell = true;
}

static int keep(const struct image_entry *entry, void *arg)
{
	static const char rules[] = "udev/rules.d/05-vfio-early.rules", modules[] = "lib/modules/";
	struct image *image = arg;
	const char *path = entry->path, *name = strrchr(path, '/'), *suffix;
	size_t size;
	int ret;

	image->members++;
	name = name ? name + 1 : path;
	if (!strcmp(path, LIB "plan"))
		return keep_text(entry, &image->plan, &image->plan_size);
	if (!strcmp(path, LIB "vfio-early-bind"))
		return keep_binary(entry, image);
	if (!strcmp(path, "scripts/init-top/ORDER"))
		return keep_text(entry, &image->order, &size);
	if (!strcmp(path, "scripts/init-top/00-vfio-early")) {
		image->has_wrapper = true;
	} else if (!strcmp(path, "scripts/functions") || !strncmp(path, "scripts/init-top/", 17)) {
		image->builder = IMAGE_INITRAMFS_TOOLS;
	} else if (!strncmp(path, "lib/dracut/", 11) || !strncmp(path, "lib/dracut-", 11)) {
		if (image->builder == IMAGE_UNKNOWN)
			image->builder = IMAGE_DRACUT;
	} else if (strstr(path, rules)) {
		image->has_rule = true;
	}
	keep_dracut(image, path, name);
	keep_rope(image, path, name);

	if (strncmp(path, modules, sizeof(modules) - 1) != 0)
		return 0;
	suffix = strstr(name, ".ko");
	ret = keep_kernel(image, path + sizeof(modules) - 1);
	return suffix && !ret ? keep_module(entry, suffix, image) : ret;
}

int image_read(int fd, struct image *image, const char **why)
{
	*image = (struct image){ 0 };
	return image_walk(fd, keep, image, why);
}

void image_free(struct image *image)
{
	for (size_t i = 0; i < image->modules; i++)
		free(image->module[i]);
	free(image->module);
	free(image->kernel);
	free(image->plan);
	free(image->order);
	*image = (struct image){ 0 };
}
