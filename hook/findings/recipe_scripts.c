// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Old recipes that are lines of a script, a rule or a unit; see recipes.h. One table: where to
 * look, for which words, and what such a line is. Nothing is interpreted: a line with one of the
 * words is named, and its reader decides.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/selector.h"
#include "findings/recipe_find.h"
#include "util/array.h"
#include "util/file.h"

/* Words by which a line binds a device, or has it bound. */
static const char *const binds[] = { "driver_override",
				     "/new_id",
				     "vfio-pci/bind",
				     "vfio_pci/bind",
				     "set-override",
				     "vfio-pci-bind",
				     "vfio_pci_bind",
				     "nodedev-detach",
				     "dpdk-devbind",
				     "vfio-pci.ids=",
				     "vfio-pci ids=",
				     "vfio_pci ids=",
				     NULL };
static const char *const rules[] = { "driver_override", "/new_id",	 "vfio-pci/bind",
				     "vfio_pci/bind",	"TAG=\"vfio",	 "TAG+=\"vfio",
				     "set-override",	"modprobe vfio", "TAG+= \"vfio",
				     "kmod load vfio",	"vfio-pci-bind", NULL };
/* What a hook does around the life of a VM. */
static const char *const hooks[] = {
	"driver_override",  "/new_id",	     "vfio-pci/bind", "/unbind", "nodedev-detach",
	"nodedev-reattach", "modprobe vfio", "modprobe -r",   "rmmod",	 NULL
};

static const struct {
	const char *where; /* relative to the root */
	const char *const *words;
	enum recipe_kind kind;
	enum recipe_harm harm;
	const char *comment; /* the characters that begin one */
	enum recipe_state state;
} table[] = {
	{ "etc/initramfs-tools/scripts/*/*", binds, RECIPE_SCRIPT, RECIPE_RISKY, "#" },
	{ "etc/initramfs-tools/hooks/*", binds, RECIPE_SCRIPT, RECIPE_RISKY, "#" },
	{ "usr/share/initramfs-tools/scripts/*/*", binds, RECIPE_SCRIPT, RECIPE_RISKY, "#" },
	{ "usr/share/initramfs-tools/hooks/*", binds, RECIPE_SCRIPT, RECIPE_RISKY, "#" },
	{ "usr/lib/dracut/modules.d/*/*.sh", binds, RECIPE_SCRIPT, RECIPE_RISKY, "#" },
	{ "etc/udev/rules.d/*.rules", rules, RECIPE_UDEV, RECIPE_RISKY, "#" },
	{ "run/udev/rules.d/*.rules", rules, RECIPE_UDEV, RECIPE_RISKY, "#" },
	{ "usr/local/lib/udev/rules.d/*.rules", rules, RECIPE_UDEV, RECIPE_RISKY, "#" },
	{ "usr/lib/udev/rules.d/*.rules", rules, RECIPE_UDEV, RECIPE_RISKY, "#" },
	{ "lib/udev/rules.d/*.rules", rules, RECIPE_UDEV, RECIPE_RISKY, "#" },
	{ "etc/systemd/system/*.service", binds, RECIPE_UNIT, RECIPE_RISKY, "#;" },
	{ "etc/systemd/system/*.timer", binds, RECIPE_UNIT, RECIPE_RISKY, "#;" },
	{ "etc/systemd/system/*.d/*.conf", binds, RECIPE_UNIT, RECIPE_RISKY, "#;" },
	{ "run/systemd/system/*.service", binds, RECIPE_UNIT, RECIPE_RISKY, "#;" },
	{ "usr/local/lib/systemd/system/*.service", binds, RECIPE_UNIT, RECIPE_RISKY, "#;" },
	{ "usr/lib/systemd/system/*.service", binds, RECIPE_UNIT, RECIPE_RISKY, "#;" },
	{ "lib/systemd/system/*.service", binds, RECIPE_UNIT, RECIPE_RISKY, "#;" },
	/*
	 * systemd uses only the names of links there (load-dropin.c, process_deps()), and ignores
	 * files. After all other units: a link to one of those has been read under its own name.
	 */
	{ "etc/systemd/system/*.wants/*.service", binds, RECIPE_UNIT, RECIPE_RISKY, "#;",
	  RECIPE_NO_READER },
	{ "etc/systemd/system/*.requires/*.service", binds, RECIPE_UNIT, RECIPE_RISKY, "#;",
	  RECIPE_NO_READER },
	{ "etc/rc.local", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/rc.d/rc.local", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/init.d/*", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/network/interfaces", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/network/interfaces.d/*", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/network/if-*.d/*", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/crontab", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/cron.d/*", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "var/spool/cron/crontabs/*", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/tmpfiles.d/*.conf", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "run/tmpfiles.d/*.conf", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "usr/lib/tmpfiles.d/*.conf", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/sysfs.conf", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/sysfs.d/*.conf", binds, RECIPE_STARTUP, RECIPE_RISKY, "#" },
	{ "etc/libvirt/hooks/*", hooks, RECIPE_HOOK, RECIPE_HARMLESS, "#" },
	{ "etc/libvirt/hooks/*.d/*", hooks, RECIPE_HOOK, RECIPE_HARMLESS, "#" },
	{ "etc/libvirt/hooks/*.d/*/*/*/*", hooks, RECIPE_HOOK, RECIPE_HARMLESS, "#" },
	{ "var/lib/vz/snippets/*", hooks, RECIPE_HOOK, RECIPE_HARMLESS, "#" },
	/* Not those in mnt/pve: that is network storage, and a dead server would hang us. */
};

#define N_ROWS (sizeof(table) / sizeof(table[0]))

static bool has_word(const char *line, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

/* Kept for vfio-early bug-report, which must find the same script by the same line. */
static void add_call(const struct place *place, const char *line)
{
	struct recipes *recipes = place->finder->recipes;
	struct recipe_call item = { .line = place->line };

	item.file = strdup(place->file);
	item.text = strdup(line);
	if (item.file && item.text &&
	    !array_append(&recipes->call, &recipes->calls, sizeof(item), &item))
		return;
	free(item.file);
	free(item.text);
	recipes->failed = true;
}

bool recipe_is_own_script(const char *name, size_t len)
{
	static const char *const own[] = { "/usr/local/", "/root/", "/opt/",
					   "/home/",	  "/etc/",  "/srv/" };
	const char *base = memrchr(name, '/', len);
	size_t base_len = (size_t)(name + len - base);

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strncmp(name, own[i], strlen(own[i])))
			return true;
	return (base_len > 3 && !memcmp(name + len - 3, ".sh", 3)) ||
	       (memmem(base, base_len, "vfio", 4) && !memmem(base, base_len, "vfio-early", 10));
}

/* The program of a udev rule without a slash is in udev's own directory (udev(7), PROGRAM). */
static void look_into_udev_program(struct finder *finder, const char *line)
{
	static const char *const keys[] = {
		"PROGRAM==\"", "PROGRAM=\"", "IMPORT{program}==\"", "IMPORT{program}=\"",
		"RUN+=\"",     "RUN=\"",     "RUN{program}+=\"",    "RUN{program}=\""
	};
	static const char *const folders[] = { "usr/lib/udev", "lib/udev" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *at = strstr(line, keys[i]), *name = at ? at + strlen(keys[i]) : "";
		int len = (int)strcspn(name, " \t\"'");
		char path[PATH_MAX];

		if (!len || memchr(name, '/', (size_t)len))
			continue;
		for (size_t j = 0; j < sizeof(folders) / sizeof(folders[0]); j++) {
			snprintf(path, sizeof(path), "%s/%.*s", folders[j], len, name);
			recipes_find_in_script(finder, path);
		}
	}
}

/* ExecStart=, @reboot, PROGRAM= and the like call scripts: the administrator's own are read too. */
static void look_into_called(const struct place *place, const char *line, enum recipe_kind kind)
{
	struct finder *finder = place->finder;
	const char *whole = line;
	size_t before = finder->recipes->count, len;

	if (kind == RECIPE_UDEV)
		look_into_udev_program(finder, line);
	for (; (line = strchr(line, '/')); line += len) {
		char *name;

		len = strcspn(line, " \t\"';&|(){}");
		if (!recipe_is_own_script(line, len))
			continue;
		name = strndup(line + 1, len - 1);
		if (name)
			recipes_find_in_script(finder, name);
		free(name);
	}
	if (finder->recipes->count > before)
		add_call(place, whole);
}

static void find_in_lines(struct finder *finder, const char *name, size_t row)
{
	struct place place = { .finder = finder, .file = name, .state = table[row].state };
	char *text = finder_read(finder, name, false), *pos = text, *line;

	while ((line = strsep(&pos, "\n"))) {
		place.line++;
		line[strcspn(line, "\r")] = '\0';
		line += strspn(line, " \t");
		if (!*line || strchr(table[row].comment, *line))
			continue;
		if (has_word(line, table[row].words))
			place_add(&place, table[row].kind, table[row].harm, line, strlen(line), "",
				  0);
		if (place.state == RECIPE_IN_FORCE &&
		    (table[row].kind == RECIPE_UNIT || table[row].kind == RECIPE_STARTUP ||
		     table[row].kind == RECIPE_UDEV))
			look_into_called(&place, line, table[row].kind);
	}
	free(text);
}

void recipes_find_in_script(struct finder *finder, const char *name)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (table[i].kind == RECIPE_SCRIPT) {
			find_in_lines(finder, name, i);
			return;
		}
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/*
 * Calls a function for each name below the root that a pattern with * matches, by byte order. Not glob(3),
 * which follows an absolute link out of the root.
 * @dir: "", or what the pattern's first folders have come to, with a slash at its end
 */
static void for_each_name(struct finder *finder, const char *dir, const char *pattern, size_t row,
			  void (*fn)(struct finder *finder, const char *name, size_t row))
{
	size_t fixed = strcspn(pattern, "*"), len;
	char folder[PATH_MAX], part[256], name[PATH_MAX];
	struct dirent **entry;
	int count;

	if (!pattern[fixed]) {
		snprintf(name, sizeof(name), "%s%s", dir, pattern);
		fn(finder, name, row);
		return;
	}
	while (fixed && pattern[fixed - 1] != '/')
		fixed--;
	len = strcspn(pattern + fixed, "/");
	snprintf(folder, sizeof(folder), "%s%.*s", dir, (int)fixed, pattern);
	snprintf(part, sizeof(part), "%.*s", (int)len, pattern + fixed);
	count = file_names(finder->root->fd, folder, &entry, is_visible, alphasort);
	finder->recipes->failed |= count == -ENOMEM;
	for (int i = 0; i < count; i++) {
		bool is_match = !fnmatch(part, entry[i]->d_name, 0);
		int size = is_match ? snprintf(name, sizeof(name), "%s%s%s", folder,
					       entry[i]->d_name, pattern[fixed + len] ? "/" : "") :
				      -1;

		free(entry[i]);
		if (size < 0 || size >= (int)sizeof(name))
			continue;
		if (pattern[fixed + len])
			for_each_name(finder, name, pattern + fixed + len + 1, row, fn);
		else
			fn(finder, name, row);
	}
	free(entry);
}

/* The package's own files are not recipes. */
static void look_at_name(struct finder *finder, const char *name, size_t row)
{
	if (!strstr(name, "vfio-early"))
		find_in_lines(finder, name, row);
}

/* "0000:81:00.0" or "pci-0000:81:00.0", holding the driver's name (driverctl, save_override). */
static void find_driverctl(struct finder *finder, const char *name)
{
	struct place place = { .finder = finder, .file = name };
	const char *base = strrchr(name, '/') + 1;
	struct pci_address addr;
	struct recipe *recipe;
	bool is_other;
	char *text;

	if (!strncmp(base, "pci-", 4))
		base += 4;
	text = pci_address_parse(base, &addr) ? NULL : finder_read(finder, name, false);
	if (!text)
		return;
	text[strcspn(text, " \t\n")] = '\0';
	is_other = strcmp(text, "vfio-pci");
	recipe = place_add(&place, is_other ? RECIPE_DRIVERCTL_OTHER : RECIPE_DRIVERCTL,
			   is_other ? RECIPE_FIGHTS : RECIPE_NEEDLESS, text, strlen(text), text,
			   strlen(text));
	if (recipe) {
		recipe->address = strdup(base);
		finder->recipes->failed |= !recipe->address;
	}
	free(text);
}

static void look_at_driverctl(struct finder *finder, const char *name, size_t row)
{
	(void)row;
	find_driverctl(finder, name);
}

void recipes_find_scripts(struct finder *finder)
{
	for (size_t i = 0; i < N_ROWS; i++)
		for_each_name(finder, "", table[i].where, i, look_at_name);
	for_each_name(finder, "", "etc/driverctl.d/*", 0, look_at_driverctl);
}
