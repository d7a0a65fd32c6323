// SPDX-License-Identifier: GPL-2.0-or-later
/* What else makes virtual functions; see vfs_makers.h. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/folders.h"
#include "findings/vfs_makers.h"
#include "util/array.h"
#include "util/file.h"

#define FILE_MAX (1u << 20)

static const char numvfs[] = "sriov_numvfs", max_vfs[] = "max_vfs=";
/* systemd.link(5) */
static const char link_key[] = "SR-IOVVirtualFunctions=";
/* Its unit starts NVIDIA's sriov-manage (pve-nvidia-vgpu-helper). */
static const char nvidia[] = "sriov-manage";
/* systemd-rc-local-generator(8) starts it only if it may be executed. */
static const char rc_local[] = "rc.local";
/* "enp1s0f0 4", as a guide for Proxmox VE has it; every line. */
static const char name_and_number[] = "";

static const struct {
	const char *const *dirs; /* a file hides those of its name in later ones; NULL-ended */
	const char *names;	 /* of the files in it: fnmatch(3) */
	const char *word;	 /* by which a line makes them */
} table[] = {
#define DIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })
	{ DIRS("etc"), "sysfs.conf", numvfs },
	{ DIRS("etc/sysfs.d"), "*.conf", numvfs },
	{ DIRS("etc"), rc_local, numvfs },
	{ DIRS("etc"), "crontab", numvfs },
	{ DIRS("etc/cron.d"), "*", numvfs },
	{ DIRS("etc/network"), "interfaces", numvfs },
	{ DIRS("etc/network/interfaces.d"), "*", numvfs },
	/* tmpfiles.d(5) */
	{ DIRS("etc/tmpfiles.d", "run/tmpfiles.d", "usr/local/lib/tmpfiles.d",
	       "usr/lib/tmpfiles.d"),
	  "*.conf", numvfs },
	{ DIRS("etc/udev/rules.d"), "*.rules", numvfs },
	{ DIRS("etc/systemd/system"), "*.service", numvfs },
	/* systemd.link(5) */
	{ DIRS("etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network",
	       "usr/lib/systemd/network"),
	  "*.link", link_key },
	{ DIRS("etc/modprobe.d"), "*.conf", max_vfs },
	{ DIRS("etc/systemd/system/multi-user.target.wants"), "pve-nvidia-sriov@*", nvidia },
	{ DIRS("etc/pve"), "sriov.conf", name_and_number },
#undef DIRS
};

#define N_ROWS (sizeof(table) / sizeof(table[0]))

/* The lines of one file. */
struct maker_lines {
	struct vfs_maker *list;
	size_t count;
};

struct maker_search {
	const struct host *host;
	struct maker_lines lines;
	void (*each)(const struct vfs_maker *maker, void *arg);
	void *arg;
};

/* --- whose they are */

/*
 * The last "0000:81:00.0" in a text: of a path that is the function, and before it are its bridges.
 * *is_named: there is one, be it of no function of today.
 */
static const struct host_function *find_address(const struct host *host, const char *text,
						bool *is_named)
{
	const struct host_function *fn = NULL;

	for (const char *pos = text; (pos = strchr(pos, ':')); pos++) {
		char word[PCI_ADDRESS_SIZE];
		struct pci_address addr;
		const char *start = pos;

		while (start > text && strchr("0123456789abcdefABCDEF:", start[-1]))
			start--;
		snprintf(word, sizeof(word), "%.*s", (int)strspn(start, "0123456789abcdefABCDEF:."),
			 start);
		if (pci_address_parse(word, &addr))
			continue;
		fn = host_find(host, &addr);
		*is_named = true;
	}
	return fn;
}

static const struct host_function *find_function(const struct host *host, const char *text,
						 bool *is_named)
{
	static const char class_net[] = "class/net/", name[] = "OriginalName=";
	const struct host_function *fn = find_address(host, text, is_named);
	const char *pos;

	if (!fn && (pos = strstr(text, class_net)))
		fn = host_find_interface(host, pos + sizeof(class_net) - 1);
	if (!fn && (pos = strstr(text, name)))
		fn = host_find_interface(host, pos + sizeof(name) - 1);
	return fn;
}

/* "options ixgbe max_vfs=4": the driver, cut out of the line. */
static const char *find_driver(char *line)
{
	static const char options[] = "options";
	char *driver = line + strspn(line, " \t");

	if (strncmp(driver, options, sizeof(options) - 1) != 0)
		return NULL;
	driver += sizeof(options) - 1;
	driver += strspn(driver, " \t");
	driver[strcspn(driver, " \t")] = '\0';
	return driver;
}

/* --- how many they are */

/* A number that ends with the text, or -1. In quotes or bare, as sh, udev and sysfs.conf have it. */
static long read_number(const char *text)
{
	size_t quoted = *text == '"' || *text == '\'';
	size_t digits = strspn(text + quoted, "0123456789");
	const char *rest = text + quoted + digits;

	if (!digits || digits > 5 || (quoted && *rest++ != *text))
		return -1;
	return rest[strspn(rest, " \t")] ? -1 : strtol(text + quoted, NULL, 10);
}

/* "echo 4 > PATH": one command that does nothing else. */
static long read_echo(const char *text)
{
	static const char echo[] = "echo ";
	char number[16];
	const char *to = strchr(text, '>');
	int len;

	if (strncmp(text, echo, sizeof(echo) - 1) != 0 || !to || strpbrk(text, "$`;&|()*?<\\"))
		return -1;
	text += sizeof(echo) - 1;
	text += strspn(text, " \t");
	len = (int)(to - text);
	if (len < 0 || len >= (int)sizeof(number))
		return -1;
	/* "echo 4>FILE" writes an empty line: the 4 is a descriptor. */
	if (isdigit((unsigned char)to[-1]))
		return -1;
	snprintf(number, sizeof(number), "%.*s", len, text);
	to += strspn(to, "> \t");
	return to[strcspn(to, " \t")] ? -1 : read_number(number);
}

/* @word: of the table's row */
static long find_number(const char *word, bool is_tmpfiles, const char *line)
{
	const char *pos = strstr(line, word);

	if (word == name_and_number)
		return read_number(line + strcspn(line, " \t") +
				   strspn(line + strcspn(line, " \t"), " \t"));
	if (word == link_key)
		return pos == line ? read_number(line + sizeof(link_key) - 1) : -1;
	if (word == max_vfs) {
		size_t digits = strspn(pos + sizeof(max_vfs) - 1, "0123456789");
		const char *rest = pos + sizeof(max_vfs) - 1 + digits;

		return digits && digits <= 5 && !rest[strspn(rest, " \t")] ?
			       strtol(pos + sizeof(max_vfs) - 1, NULL, 10) :
			       -1;
	}
	if (word != numvfs)
		return -1;
	pos += sizeof(numvfs) - 1;
	/* tmpfiles.d(5): type, path, mode, user, group, age, argument */
	if (is_tmpfiles) {
		for (int i = 0; i < 4; i++) {
			pos += strspn(pos, " \t");
			pos += strcspn(pos, " \t");
		}
		return *line == 'w' ? read_number(pos + strspn(pos, " \t")) : -1;
	}
	if (*(pos + strspn(pos, " \t")) == '=')
		return read_number(pos + strspn(pos, " \t="));
	return read_echo(line);
}

/* --- whether they are in force */

/*
 * How many compound commands a line of sh opens and does not close. @depth: before the line. Words in
 * quotes count too: then an exit may not be noticed.
 */
static int count_depth(const char *line, int depth)
{
	static const char *const opening[] = { "if", "case", "for", "while", "until", "{" };
	static const char *const closing[] = { "fi", "esac", "done", "}" };
	static const char between[] = " \t;()&|";

	for (size_t len; *(line += strspn(line, between)) && *line != '#'; line += len) {
		len = strcspn(line, between);
		for (size_t i = 0; i < sizeof(opening) / sizeof(opening[0]); i++)
			depth += len == strlen(opening[i]) && !memcmp(line, opening[i], len);
		for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]); i++)
			depth -= len == strlen(closing[i]) && !memcmp(line, closing[i], len);
	}
	/* The text of a here-document is none of commands. */
	return strstr(line, "<<") ? INT_MAX / 2 : depth;
}

/* "exit 0" that always comes to pass. */
static bool is_exit(const char *line, int depth)
{
	static const char word[] = "exit";
	const char *rest = line + sizeof(word) - 1;

	if (depth > 0 || strncmp(line, word, sizeof(word) - 1) != 0)
		return false;
	rest += strspn(rest, " \t");
	rest += strspn(rest, "0123456789");
	rest += strspn(rest, " \t;");
	return !*rest || *rest == '#';
}

/* Does a later line of the file write for the same function, or maybe for it? */
static bool is_of_same(const struct vfs_maker *maker, const struct vfs_maker *later)
{
	if (later->driver || later->idle || !maker->fn)
		return false;
	return later->fn ? later->fn == maker->fn : !later->is_named;
}

/* The last number that a file writes for a function counts. */
static void mark_overwritten(struct maker_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		struct vfs_maker *maker = &lines->list[i];

		for (size_t j = i + 1; j < lines->count; j++) {
			const struct vfs_maker *later = &lines->list[j];

			if (!is_of_same(maker, later))
				continue;
			/* Only a line that names it can be sure to take back what another made. */
			if (!maker->number)
				maker->is_overwritten = true;
			else if (later->fn)
				maker->is_overwritten = !later->number;
		}
	}
}

/* --- the lines */

/* Sets *driver to a new text. Returns 0, -ENOENT if the line names none, or -ENOMEM. */
static int copy_driver(const char *line, char **driver)
{
	char *copy = strdup(line);
	const char *word = copy ? find_driver(copy) : NULL;
	int ret = copy ? -ENOENT : -ENOMEM;

	if (word) {
		*driver = strdup(word);
		ret = *driver ? 0 : -ENOMEM;
	}
	free(copy);
	return ret;
}

static int look_at_line(struct maker_search *search, size_t row, struct vfs_maker *maker,
			const char *whole)
{
	const char *word = table[row].word;
	int ret = 0;

	maker->is_nvidia = word == nvidia;
	maker->is_unread = word == name_and_number;
	maker->number = find_number(word, strstr(*table[row].dirs, "tmpfiles.d"), maker->text);
	if (word == max_vfs)
		ret = copy_driver(maker->text, &maker->driver);
	else if (word == nvidia)
		ret = copy_driver("options nvidia", &maker->driver);
	else if (word == name_and_number)
		maker->fn = host_find_interface(search->host, maker->text);
	else
		maker->fn = find_function(search->host, word == link_key ? whole : maker->text,
					  &maker->is_named);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = array_append(&search->lines.list, &search->lines.count, sizeof(*maker), maker);
	if (ret)
		free(maker->driver);
	return ret;
}

/* @text: of the file, is cut into lines. @idle: of the whole file */
static int look_at_lines(struct maker_search *search, size_t row, const char *name, char *text,
			 enum vfs_maker_idle idle)
{
	char *whole = strdup(text), *line;
	unsigned int number = 0;
	int depth = 0, ret = whole ? 0 : -ENOMEM;

	while (!ret && (line = strsep(&text, "\n"))) {
		struct vfs_maker maker = { .file = name, .line = ++number, .idle = idle };

		line[strcspn(line, "\r")] = '\0';
		line += strspn(line, " \t");
		if (table[row].names == rc_local && !idle) {
			if (is_exit(line, depth))
				idle = VFS_MAKER_BEHIND_EXIT;
			depth = count_depth(line, depth);
		}
		if (!*line || *line == '#' || *line == ';' || !strstr(line, table[row].word))
			continue;
		maker.text = line;
		ret = look_at_line(search, row, &maker, whole);
	}
	free(whole);
	return ret;
}

static enum vfs_maker_idle find_idle(const struct host *host, size_t row,
				     const struct folder_file *file)
{
	struct stat st;

	if (file->state == FOLDER_HIDDEN)
		return VFS_MAKER_HIDDEN;
	if (table[row].names == rc_local && !file_stat(host->root.fd, file->name, &st) &&
	    !(st.st_mode & 0111))
		return VFS_MAKER_NOT_EXECUTABLE;
	return VFS_MAKER_IN_FORCE;
}

static int look_into(struct maker_search *search, size_t row, const struct folder_file *file)
{
	struct maker_lines *lines = &search->lines;
	char name[PATH_MAX], *text;
	size_t size;
	int ret;

	if (snprintf(name, sizeof(name), "/%s", file->name) >= (int)sizeof(name) ||
	    file_read(search->host->root.fd, file->name, FILE_MAX, &text, &size))
		return 0;
	ret = look_at_lines(search, row, name, text, find_idle(search->host, row, file));
	mark_overwritten(lines);
	for (size_t i = 0; i < lines->count; i++) {
		if (!ret)
			search->each(&lines->list[i], search->arg);
		free(lines->list[i].driver);
	}
	free(lines->list);
	*lines = (struct maker_lines){ 0 };
	free(text);
	return ret;
}

int vfs_makers_find(const struct host *host, void (*each)(const struct vfs_maker *maker, void *arg),
		    void *arg)
{
	struct maker_search search = { .host = host, .each = each, .arg = arg };
	int ret = 0;

	for (size_t row = 0; row < N_ROWS && !ret; row++) {
		struct folders folders;

		ret = folders_list(&host->root, table[row].dirs, "", &folders);
		for (size_t i = 0; i < folders.count && !ret; i++)
			/* Our own are none. */
			if (!fnmatch(table[row].names, folders.file[i].base, 0) &&
			    !strstr(folders.file[i].base, "vfio-early"))
				ret = look_into(&search, row, &folders.file[i]);
		folders_free(&folders);
	}
	return ret;
}

const char *vfs_maker_why_idle(const struct vfs_maker *maker)
{
	static const char *const texts[] = {
		[VFS_MAKER_IN_FORCE] = "",
		[VFS_MAKER_HIDDEN] = "hidden by the same name in an earlier directory",
		[VFS_MAKER_NOT_EXECUTABLE] = "the file is not executable, so nothing runs it",
		[VFS_MAKER_BEHIND_EXIT] = "behind an exit",
	};

	return texts[maker->idle];
}

bool vfs_maker_is_of(const struct vfs_maker *maker, const struct host_function *fn)
{
	if (maker->driver)
		return !strcmp(maker->driver, fn->pci.driver);
	return maker->fn ? maker->fn == fn : !maker->is_named;
}
