// SPDX-License-Identifier: GPL-2.0-or-later
/* What else makes virtual functions; see vfs_makers.h. */
#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/vfs_makers.h"
#include "util/file.h"

#define FILE_MAX (1u << 20)

static const char numvfs[] = "sriov_numvfs", max_vfs[] = "max_vfs=";
/* systemd.link(5) */
static const char link_key[] = "SR-IOVVirtualFunctions=";
/* Its unit starts NVIDIA's sriov-manage (pve-nvidia-vgpu-helper). */
static const char nvidia[] = "sriov-manage";
/* "enp1s0f0 4", as a guide for Proxmox VE has it; every line. */
static const char name_and_number[] = "";

static const struct {
	const char *folder;
	const char *names; /* of the files in it: fnmatch(3) */
	const char *word;  /* by which a line makes them */
} table[] = {
	{ "etc", "sysfs.conf", numvfs },
	{ "etc/sysfs.d", "*.conf", numvfs },
	{ "etc", "rc.local", numvfs },
	{ "etc", "crontab", numvfs },
	{ "etc/cron.d", "*", numvfs },
	{ "etc/network", "interfaces", numvfs },
	{ "etc/network/interfaces.d", "*", numvfs },
	{ "etc/tmpfiles.d", "*.conf", numvfs },
	{ "run/tmpfiles.d", "*.conf", numvfs },
	{ "usr/lib/tmpfiles.d", "*.conf", numvfs },
	{ "etc/udev/rules.d", "*.rules", numvfs },
	{ "etc/systemd/system", "*.service", numvfs },
	{ "etc/systemd/network", "*.link", link_key },
	{ "run/systemd/network", "*.link", link_key },
	{ "usr/lib/systemd/network", "*.link", link_key },
	{ "etc/modprobe.d", "*.conf", max_vfs },
	{ "etc/systemd/system/multi-user.target.wants", "pve-nvidia-sriov@*", nvidia },
	{ "etc/pve", "sriov.conf", name_and_number },
};

#define N_ROWS (sizeof(table) / sizeof(table[0]))

struct maker_search {
	const struct host *host;
	void (*each)(const struct vfs_maker *maker, void *arg);
	void *arg;
};

static int is_visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

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
static long find_number(const char *word, const char *folder, const char *line)
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
	if (strstr(folder, "tmpfiles.d")) {
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

/* --- the lines */

static void look_at_line(const struct maker_search *search, size_t row, struct vfs_maker *maker,
			 const char *whole)
{
	char *copy = strdup(maker->text);

	maker->fn = NULL;
	maker->driver = NULL;
	maker->is_named = false;
	maker->is_nvidia = table[row].word == nvidia;
	maker->is_unread = table[row].word == name_and_number;
	maker->number = find_number(table[row].word, table[row].folder, maker->text);
	if (!copy)
		return;
	if (table[row].word == max_vfs)
		maker->driver = find_driver(copy);
	else if (table[row].word == nvidia)
		maker->driver = "nvidia";
	else if (table[row].word == name_and_number)
		maker->fn = host_find_interface(search->host, maker->text);
	else
		maker->fn = find_function(search->host,
					  table[row].word == link_key ? whole : maker->text,
					  &maker->is_named);
	if (table[row].word != max_vfs || maker->driver)
		search->each(maker, search->arg);
	free(copy);
}

static void look_into(const struct maker_search *search, size_t row, const char *name)
{
	struct vfs_maker maker = { .file = name };
	char *text, *whole, *pos, *line;
	size_t size;

	if (file_read(search->host->root.fd, name + 1, FILE_MAX, &text, &size))
		return;
	whole = strdup(text);
	pos = text;
	while (whole && (line = strsep(&pos, "\n"))) {
		maker.line++;
		line[strcspn(line, "\r")] = '\0';
		line += strspn(line, " \t");
		if (!*line || *line == '#' || *line == ';' || !strstr(line, table[row].word))
			continue;
		maker.text = line;
		look_at_line(search, row, &maker, whole);
	}
	free(whole);
	free(text);
}

void vfs_makers_find(const struct host *host,
		     void (*each)(const struct vfs_maker *maker, void *arg), void *arg)
{
	const struct maker_search search = { .host = host, .each = each, .arg = arg };

	for (size_t row = 0; row < N_ROWS; row++) {
		struct dirent **entry = NULL;
		int count = file_names(host->root.fd, table[row].folder, &entry, is_visible,
				       alphasort);

		for (int i = 0; i < count; i++) {
			char name[PATH_MAX];

			/* Our own are none. */
			if (!fnmatch(table[row].names, entry[i]->d_name, 0) &&
			    !strstr(entry[i]->d_name, "vfio-early") &&
			    snprintf(name, sizeof(name), "/%s/%s", table[row].folder,
				     entry[i]->d_name) < (int)sizeof(name))
				look_into(&search, row, name);
			free(entry[i]);
		}
		free(entry);
	}
}

bool vfs_maker_is_of(const struct vfs_maker *maker, const struct host_function *fn)
{
	if (maker->driver)
		return !strcmp(maker->driver, fn->pci.driver);
	return maker->fn ? maker->fn == fn : !maker->is_named;
}
