// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine as text; see record.h. This file has the paths, the files, and the order of the parts.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "record/record.h"
#include "record/table.h"
#include "util/child.h"
#include "util/file.h"
#include "util/stringset.h"

#define PVE_MS	  5000
#define MAX_LINKS 40 /* the limit of the kernel (include/linux/namei.h, MAXSYMLINKS) */

void record_text(FILE *out, const char *text, size_t size, bool is_path)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c < ' ' || c >= 0x7f || c == '\\' || (is_path && c == ' '))
			fprintf(out, "\\%%%02x", c);
		else
			fputc(c, out);
	}
}

/* --- paths */

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool record_is_new(struct record *record, const char *path)
{
	char *copy = strdup(path);
	void **node = copy ? tsearch(copy, &record->done, compare) : NULL;

	if (!node) {
		free(copy);
		record->err = -ENOMEM;
		return false;
	}
	if (*node == copy)
		return true;
	free(copy);
	return false;
}

/* The name of a file may contain a MAC or a UUID. */
static void put_path(struct record *record, const char *path)
{
	char *clean = redact_string(&record->redact, path, strlen(path));

	if (!clean) {
		record->err = -ENOMEM;
		return;
	}
	record_text(record->out, clean, strlen(clean), true);
	free(clean);
}

/* The place of "/pci0000:00" in a path, or NULL. */
static const char *find_bus(const char *path)
{
	for (const char *at = strstr(path, "/pci"); at; at = strstr(at + 1, "/pci")) {
		const char *c = at + 4;
		size_t domain = strspn(c, "0123456789abcdef");

		if (domain >= 4 && c[domain] == ':' &&
		    strspn(c + domain + 1, "0123456789abcdef") == 2 &&
		    (c[domain + 3] == '/' || !c[domain + 3]))
			return at;
	}
	return NULL;
}

/*
 * The host bridge may be below a platform device. In a record, all of them are directly in
 * sys/devices.
 */
static void map_path(char *path)
{
	static const char devices[] = "sys/devices";
	const char *bus = strncmp(path, devices, sizeof(devices) - 1) ? NULL : find_bus(path);

	if (bus)
		memmove(path + sizeof(devices) - 1, bus, strlen(bus) + 1);
}

/* Links of a record are relative: "../" for each folder that the paths do not share. */
static void put_link(struct record *record, const char *path, const char *target)
{
	size_t same = 0;

	if (!record_is_new(record, path))
		return;
	fputs("link ", record->out);
	put_path(record, path);
	fputc(' ', record->out);
	for (size_t i = 0; path[i] && path[i] == target[i]; i++)
		if (path[i] == '/')
			same = i + 1;
	for (const char *c = path + same; *c; c++)
		fputs(*c == '/' ? "../" : "", record->out);
	if (target[same])
		put_path(record, target + same);
	else
		fputc('.', record->out);
	fputc('\n', record->out);
}

/* Appends a path to a real folder, in place, and resolves "." and "..". */
static int join(char real[PATH_MAX], const char *path)
{
	size_t len = strlen(real);

	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && !strncmp(path, "..", 2)) {
			char *slash = strrchr(real, '/');

			len = slash ? (size_t)(slash - real) : 0;
			real[len] = '\0';
		} else if (part && !(part == 1 && *path == '.')) {
			if (len + part + 2 > PATH_MAX)
				return -ENAMETOOLONG;
			if (len)
				real[len++] = '/';
			memcpy(real + len, path, part);
			len += part;
			real[len] = '\0';
		}
		path += part + (path[part] == '/');
	}
	return 0;
}

/*
 * Reads a link below the root. proc/self is different for each process; in a record it is a folder.
 */
static ssize_t read_link(const struct record *record, const char *path, char target[PATH_MAX])
{
	ssize_t len = strcmp(path, "proc/self") ?
			      readlinkat(record->root->fd, path, target, PATH_MAX - 1) :
			      -1;

	if (len >= 0)
		target[len] = '\0';
	return len;
}

/* @real: the path of the link; becomes that of its target, which may not exist */
static int follow_link(struct record *record, char real[PATH_MAX], const char *target)
{
	char link[PATH_MAX], mapped[PATH_MAX];
	int ret;

	strcpy(link, real);
	if (*target == '/')
		real[0] = '\0';
	else if (strrchr(real, '/'))
		*strrchr(real, '/') = '\0';
	else
		real[0] = '\0';
	ret = join(real, target);
	if (ret)
		return ret;
	map_path(link);
	strcpy(mapped, real);
	map_path(mapped);
	put_link(record, link, mapped);
	return 0;
}

/* record_follow() with the real path as it is on this machine. */
static int follow(struct record *record, const char *path, char real[PATH_MAX])
{
	char rest[PATH_MAX], target[PATH_MAX], next[2 * PATH_MAX];
	unsigned int links = 0;
	struct stat st;

	if (snprintf(rest, sizeof(rest), "%s", path) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	real[0] = '\0';
	while (*rest) {
		size_t part = strcspn(rest, "/");
		char name[NAME_MAX + 1];
		int ret;

		if (part > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, rest, part);
		name[part] = '\0';
		memmove(rest, rest + part + (rest[part] == '/'),
			strlen(rest + part + (rest[part] == '/')) + 1);
		ret = join(real, name);
		if (ret)
			return ret;
		if (read_link(record, real, target) < 0)
			continue;
		if (++links > MAX_LINKS)
			return -ELOOP;
		ret = follow_link(record, real, target);
		if (ret)
			return ret;
		/* The target of a link may go through further links. */
		snprintf(next, sizeof(next), "%s%s%s", real, *real && *rest ? "/" : "", rest);
		if (strlen(next) >= PATH_MAX)
			return -ENAMETOOLONG;
		strcpy(rest, next);
		real[0] = '\0';
	}
	return *real && fstatat(record->root->fd, real, &st, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

int record_follow(struct record *record, const char *path, char real[PATH_MAX])
{
	int ret = follow(record, path, real);

	map_path(real);
	return ret;
}

/* --- files */

void record_folder(struct record *record, const char *path)
{
	if (!record_is_new(record, path))
		return;
	fputs("dir ", record->out);
	put_path(record, path);
	fputc('\n', record->out);
}

void record_put(struct record *record, const char *path, enum filter filter, const char *text,
		size_t size)
{
	char *kept = NULL;
	size_t len = 0;
	bool is_line;
	FILE *out;

	if (!record_is_new(record, path))
		return;
	out = open_memstream(&kept, &len);
	if (out)
		filter_text(filter, &record->redact, text, size, out);
	if (!out || fclose(out)) {
		record->err = -ENOMEM;
		free(kept);
		return;
	}
	is_line = len && kept[len - 1] == '\n';
	fputs(is_line ? "file " : "data ", record->out);
	put_path(record, path);
	fputc(' ', record->out);
	record_text(record->out, kept, len - is_line, false);
	fputc('\n', record->out);
	free(kept);
}

/*
 * Records the file of one row, following links; a file that cannot be read is left out of the
 * report.
 */
static void put_file(struct record *record, const char *path, enum filter filter)
{
	char here[PATH_MAX], *text = NULL;
	struct stat st;
	size_t size = 0;

	if (follow(record, path, here) || fstatat(record->root->fd, here, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (S_ISDIR(st.st_mode)) {
		map_path(here);
		record_folder(record, here);
		return;
	}
	if (!S_ISREG(st.st_mode))
		return;
	if (filter != FILTER_NOTHING &&
	    file_read(record->root->fd, here, RECORD_FILE, &text, &size))
		return;
	map_path(here);
	record_put(record, here, filter, text ? text : "", size);
	free(text);
}

/* A link is useful only together with its target. */
static void put_target(struct record *record, const char *path)
{
	char real[PATH_MAX];
	struct stat st;

	if (follow(record, path, real) ||
	    fstatat(record->root->fd, real, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
		return;
	map_path(real);
	record_folder(record, real);
}

static void put_row(struct record *record, const struct table_row *row, const char *path)
{
	char real[PATH_MAX];

	switch (row->what) {
	case TABLE_LINK:
		put_target(record, path);
		break;
	case TABLE_FOLDER:
		if (!record_follow(record, path, real))
			record_folder(record, real);
		break;
	case TABLE_FILE:
		put_file(record, path, row->filter);
		break;
	}
}

/* --- the table */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The matching names in a folder, sorted. */
static void list(struct record *record, const char *folder, const char *pattern,
		 struct stringset *names)
{
	char real[PATH_MAX];
	struct dirent *entry;
	DIR *dir = NULL;
	int fd;

	*names = (struct stringset){ 0 };
	if (follow(record, folder, real))
		return;
	fd = openat(record->root->fd, *real ? real : ".",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)))
		if (!fnmatch(pattern, entry->d_name, FNM_PERIOD) &&
		    stringset_add(names, entry->d_name) < 0)
			record->err = -ENOMEM;
	if (dir)
		closedir(dir);
	if (names->n)
		qsort(names->s, names->n, sizeof(*names->s), by_name);
}

/* @path: the part of the pattern that is resolved; @rest: the remaining part */
static void expand(struct record *record, const struct table_row *row, const char *path,
		   const char *rest)
{
	size_t part = strcspn(rest, "/");
	char pattern[NAME_MAX + 1], next[PATH_MAX];
	struct stringset names;

	if (!*rest) {
		put_row(record, row, path);
		return;
	}
	snprintf(pattern, sizeof(pattern), "%.*s", (int)part, rest);
	rest += part + (rest[part] == '/');
	if (!strpbrk(pattern, "*?[")) {
		if (snprintf(next, sizeof(next), "%s%s%s", path, *path ? "/" : "", pattern) <
		    (int)sizeof(next))
			expand(record, row, next, rest);
		return;
	}
	list(record, path, pattern, &names);
	for (size_t i = 0; i < names.n; i++)
		if (snprintf(next, sizeof(next), "%s/%s", path, names.s[i]) < (int)sizeof(next))
			expand(record, row, next, rest);
	stringset_clear(&names);
}

/* /etc/pve is a file system in user space: a child checks that it responds. */
static int look_at_pve(int fd, void *arg)
{
	const struct record *record = arg;
	int dirfd = openat(record->root->fd, "etc/pve/qemu-server", O_RDONLY | O_CLOEXEC);
	struct stat st;

	(void)fd;
	return dirfd < 0 || fstat(dirfd, &st) ? -errno : 0;
}

static bool answers_pve(struct record *record)
{
	size_t size;
	char *text;
	int ret = child_run(look_at_pve, record, PVE_MS, &text, &size);

	free(text);
	return ret != -ETIMEDOUT;
}

void record_table(struct record *record)
{
	for (const struct table_row *row = table_rows; row->path; row++)
		if (record->has_pve || strncmp(row->path, "etc/pve/", 8) != 0)
			expand(record, row, "", row->path);
}

/* --- the whole */

/*
 * "host.example.org": adds the full name, the first label, and the domain, which other hosts share.
 */
static void add_host(struct record *record, const char *name)
{
	size_t len = strcspn(name, " \t\n"), label = strcspn(name, ". \t\n");

	redact_add_host(&record->redact, name, label);
	redact_add_host(&record->redact, name, len);
	if (label + 1 < len && memchr(name + label + 1, '.', len - label - 1))
		redact_add_host(&record->redact, name + label + 1, len - label - 1);
}

void record_find_hosts(struct record *record)
{
	struct utsname host;
	struct stringset nodes;
	char text[256], target[PATH_MAX], *slash;

	record->has_pve = answers_pve(record);
	if (record->root->is_host && !uname(&host))
		add_host(record, host.nodename);
	if (!file_read_once(record->root->fd, "etc/hostname", text, sizeof(text)))
		add_host(record, text);
	if (!record->has_pve)
		return;
	if (read_link(record, "etc/pve/local", target) >= 0) {
		slash = strrchr(target, '/');
		add_host(record, slash ? slash + 1 : target);
	}
	list(record, "etc/pve/nodes", "*", &nodes);
	for (size_t i = 0; i < nodes.n; i++)
		add_host(record, nodes.s[i]);
	stringset_clear(&nodes);
}

int record_machine(struct record *record)
{
	fputs("report " RECORD_VERSION "\n", record->out);
	record_functions(record);
	record_table(record);
	record_scripts(record);
	record_kernels(record);
	record_images(record);
	record_answers(record);
	return record->err ? record->err : record->redact.err;
}

void record_clear(struct record *record)
{
	redact_clear(&record->redact);
	stringset_clear(&record->modules);
	tdestroy(record->done, free);
	record->done = NULL;
}
