// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model of a machine; see machine.h.
 *
 * The stores follow the kernel: drivers/base/bus.c (bind_store, unbind_store, drivers_probe_store),
 * drivers/base/dd.c (device_driver_attach, driver_attach), drivers/base/driver.c
 * (driver_set_override), drivers/pci/pci-driver.c (pci_match_device), drivers/pci/iov.c
 * (sriov_numvfs_store), drivers/vfio/pci/vfio_pci_core.c (vfio_pci_core_register_device) and
 * kernel/module/main.c. What it does not know
 * is a fault, never a guess.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

static const char vfio_pci[] = "vfio-pci";

static const struct {
	const char *name;
	int value;
} errnos[] = {
	{ "EPERM", EPERM },
	{ "ENOENT", ENOENT },
	{ "EIO", EIO },
	{ "ENXIO", ENXIO },
	{ "ENOEXEC", ENOEXEC },
	{ "EAGAIN", EAGAIN },
	{ "ENOMEM", ENOMEM },
	{ "EACCES", EACCES },
	{ "EBUSY", EBUSY },
	{ "EEXIST", EEXIST },
	{ "ENODEV", ENODEV },
	{ "EINVAL", EINVAL },
	{ "ENOSPC", ENOSPC },
	{ "EOPNOTSUPP", EOPNOTSUPP },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "ERANGE", ERANGE },
	{ "ENETDOWN", ENETDOWN },
	{ "ENOKEY", ENOKEY },
	{ "EBADMSG", EBADMSG },
	{ "EKEYREJECTED", EKEYREJECTED },
};

static const char *errno_name(int error)
{
	static char number[16];

	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].value == error)
			return errnos[i].name;
	snprintf(number, sizeof(number), "%d", error);
	return number;
}

static int errno_value(const char *name)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (!strcmp(errnos[i].name, name))
			return errnos[i].value;
	return 0;
}

void machine_event(struct machine *m, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(m->timeline, fmt, args);
	va_end(args);
	fputc('\n', m->timeline);
}

void machine_fault(struct machine *m, const char *fmt, ...)
{
	va_list args;

	m->faults++;
	fputs("FAULT ", m->timeline);
	va_start(args, fmt);
	vfprintf(m->timeline, fmt, args);
	va_end(args);
	fputc('\n', m->timeline);
}

/* ---- the record ---- */

void machine_init(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	m->interrupts = strdup("");
	m->iomem = strdup("");
}

struct function *machine_find(struct machine *m, const char *addr)
{
	for (unsigned int i = 0; i < m->count; i++)
		if (!strcmp(m->fn[i].addr, addr))
			return &m->fn[i];
	return NULL;
}

/* Finds a driver, or makes one that is not registered yet. */
struct driver *machine_driver(struct machine *m, const char *name)
{
	for (unsigned int i = 0; i < m->drivers; i++)
		if (!strcmp(m->driver[i].name, name))
			return &m->driver[i];
	if (m->drivers == MAX_DRIVERS)
		abort();
	snprintf(m->driver[m->drivers].name, NAME_SIZE, "%s", name);
	return &m->driver[m->drivers++];
}

static bool copy_name(char to[NAME_SIZE], const char *from)
{
	return snprintf(to, NAME_SIZE, "%s", from) < NAME_SIZE;
}

static bool set_driver(struct machine *m, char to[NAME_SIZE], const char *name)
{
	machine_driver(m, name)->is_registered = true;
	return copy_name(to, name);
}

static bool set_error(int *error, const char *name)
{
	*error = errno_value(name);
	return *error != 0;
}

/* How a function fails, or hangs: -1 when the key is none of these. */
static int set_failure(struct function *fn, const char *key, const char *value)
{
	bool hangs = !strcmp(value, "hang"), is_ignored = !strcmp(value, "ignored");

	if (!strcmp(key, "numvfs-store")) {
		fn->numvfs_hangs = hangs;
		fn->numvfs_ignored = is_ignored;
		return hangs || is_ignored || set_error(&fn->numvfs_error, value);
	}
	if (!strcmp(key, "settings-store"))
		return (fn->settings_ignored = is_ignored);
	if (!strcmp(key, "override-store")) {
		fn->override_ignored = is_ignored;
		fn->override_hangs = hangs;
		return is_ignored || hangs || set_error(&fn->override_error, value);
	}
	if (!strcmp(key, "unbind")) {
		fn->unbind_hangs = hangs;
		fn->unbind_ignored = is_ignored;
		return hangs || is_ignored || set_error(&fn->unbind_error, value);
	}
	if (!strcmp(key, "bind")) {
		fn->bind_hangs = hangs;
		fn->bind_ignored = is_ignored;
		return hangs || is_ignored || set_error(&fn->bind_error, value);
	}
	if (!strcmp(key, "probe"))
		return (fn->probe_hangs = hangs) || set_error(&fn->probe_error, value);
	if (!strcmp(key, "uevent"))
		return (fn->uevent_hangs = hangs) || set_error(&fn->uevent_error, value);
	return -1;
}

/* Its numbers: -1 when the key is none of these. */
static int set_number(struct function *fn, const char *key, const char *value)
{
	if (!strcmp(key, "subsystem"))
		return sscanf(value, "%x:%x", &fn->id[2], &fn->id[3]) == 2;
	if (!strcmp(key, "id"))
		return sscanf(value, "%x:%x", &fn->id[0], &fn->id[1]) == 2;
	if (!strcmp(key, "group"))
		return sscanf(value, "%d", &fn->group) == 1;
	if (!strcmp(key, "boot_vga"))
		return sscanf(value, "%d", &fn->boot_vga) == 1;
	if (!strcmp(key, "numvfs"))
		return sscanf(value, "%u", &fn->numvfs) == 1;
	if (!strcmp(key, "totalvfs"))
		return sscanf(value, "%u", &fn->totalvfs) == 1;
	if (!strcmp(key, "makes"))
		return sscanf(value, "%u", &fn->makes) == 1;
	if (!strcmp(key, "busy-stores"))
		return sscanf(value, "%u", &fn->busy_stores) == 1;
	if (!strcmp(key, "autoprobe"))
		return (fn->no_autoprobe = !strcmp(value, "0"));
	if (!strcmp(key, "made"))
		return (fn->is_unmade = !strcmp(value, "1"));
	if (!strcmp(key, "appears"))
		return sscanf(value, "%u", &fn->appears) == 1;
	if (!strcmp(key, "replugged"))
		return sscanf(value, "%u", &fn->replugged) == 1;
	if (!strcmp(key, "given-back"))
		return sscanf(value, "%u", &fn->given_back) == 1;
	if (!strcmp(key, "adds"))
		return sscanf(value, "%u", &fn->adds) == 1;
	return -1;
}

static bool set_function(struct machine *m, struct function *fn, const char *key, const char *value)
{
	int ret = set_number(fn, key, value);

	if (ret < 0)
		ret = set_failure(fn, key, value);
	if (ret >= 0)
		return ret;
	if (!strcmp(key, "driver"))
		return set_driver(m, fn->driver, value) && copy_name(fn->native, value);
	if (!strcmp(key, "native"))
		return set_driver(m, fn->native, value);
	if (!strcmp(key, "under"))
		return copy_name(fn->under, value);
	if (!strcmp(key, "physfn"))
		return copy_name(fn->physfn, value);
	if (!strcmp(key, "reset")) {
		copy_name(fn->resets, value);
		for (char *c = fn->resets; (c = strchr(c, ','));)
			*c = ' ';
		return copy_name(fn->reset_method, fn->resets);
	}
	if (!strcmp(key, "d3cold"))
		return copy_name(fn->d3cold, value);
	if (!strcmp(key, "power"))
		return copy_name(fn->power, value);
	if (!strcmp(key, "override"))
		return copy_name(fn->override, value);
	return false;
}

static bool set_module(struct machine *m, struct module *module, const char *key, const char *value)
{
	if (!strcmp(key, "needs"))
		return copy_name(module->needs, value);
	if (!strcmp(key, "driver")) {
		machine_driver(m, value);
		return copy_name(module->driver, value);
	}
	if (!strcmp(key, "loaded"))
		return (module->is_loaded = !strcmp(value, "1"));
	if (!strcmp(key, "modprobe"))
		return (module->modprobe_works = !strcmp(value, "works")) ||
		       (module->modprobe_is_late = !strcmp(value, "late"));
	if (!strcmp(key, "load")) {
		module->hangs = !strcmp(value, "hang");
		return module->hangs || set_error(&module->error, value);
	}
	return false;
}

/* "key=value ..." for a function or a module. */
static bool set_all(struct machine *m, struct function *fn, struct module *module, char *rest)
{
	char *word;

	while ((word = strtok_r(rest, " \t", &rest))) {
		char *value = strchr(word, '=');
		bool ok;

		if (!value)
			return false;
		*value++ = '\0';
		ok = fn ? set_function(m, fn, word, value) : set_module(m, module, word, value);
		if (!ok)
			return false;
	}
	return true;
}

/* "GROUP ADDRESS CLASS VENDOR:DEVICE key=value..." */
static bool add_function(struct machine *m, const char *group, char *rest)
{
	struct function *fn = &m->fn[m->count];
	char *addr = strtok_r(rest, " \t", &rest), *class = strtok_r(rest, " \t", &rest);
	char *id = strtok_r(rest, " \t", &rest), *end;

	if (!id || m->count == MAX_FUNCTIONS)
		return false;
	memset(fn, 0, sizeof(*fn));
	fn->group = strcmp(group, "-") ? (int)strtol(group, &end, 10) : -1;
	if (fn->group >= 0 && *end)
		return false;
	if (sscanf(addr, "%x:%x:%x.%x", &fn->domain, &fn->bus, &fn->dev, &fn->fn) != 4 ||
	    !copy_name(fn->addr, addr) || machine_find(m, addr))
		return false;
	fn->class = (unsigned int)strtoul(class, &end, 16);
	if (*end || (end - class != 4 && end - class != 6))
		return false;
	if (end - class == 4)
		fn->class <<= 8;
	if (sscanf(id, "%x:%x", &fn->id[0], &fn->id[1]) != 2)
		return false;
	fn->boot_vga = fn->class >> 8 == 0x0300 ? 0 : -1;
	fn->appears = 1;
	fn->shown_group = -1;
	m->count++;
	return set_all(m, fn, NULL, rest);
}

/* "module NAME builtin", or "module NAME PATH key=value..." */
static bool add_module(struct machine *m, char *rest)
{
	char *name = strtok_r(rest, " \t", &rest), *path = strtok_r(rest, " \t", &rest);
	struct module *module = &m->module[m->modules];

	if (!path || m->modules == MAX_MODULES)
		return false;
	memset(module, 0, sizeof(*module));
	if (!copy_name(module->name, name))
		return false;
	m->modules++;
	if (!strcmp(path, "builtin")) {
		module->is_loaded = true;
		if (!strcmp(name, vfio_pci))
			machine_driver(m, vfio_pci)->is_registered = true;
		return !*rest;
	}
	snprintf(module->path, sizeof(module->path), "%s", path);
	return *path == '/' && set_all(m, NULL, module, rest);
}

static void add_text(char **text, const char *line)
{
	size_t len = strlen(*text);

	*text = realloc(*text, len + strlen(line) + 2);
	if (!*text)
		abort();
	sprintf(*text + len, "%s\n", line);
}

static bool drop_function(struct machine *m, const char *addr)
{
	struct function *fn = machine_find(m, addr);

	if (!fn)
		return false;
	memmove(fn, fn + 1, (size_t)(&m->fn[m->count] - fn - 1) * sizeof(*fn));
	m->count--;
	return true;
}

/* What the machine lacks or has, in one word; false when the word is none of these. */
static bool add_word(struct machine *m, const char *word)
{
	if (!strcmp(word, "efifb"))
		m->has_efifb = true;
	else if (!strcmp(word, "groups-late"))
		m->groups_are_late = true;
	else if (!strcmp(word, "vmcore"))
		m->has_vmcore = true;
	else if (!strcmp(word, "no-iommu-unit"))
		m->units = 0;
	else if (!strcmp(word, "no-acpi"))
		m->acpis = 0;
	else if (!strcmp(word, "no-module"))
		m->modules = 0, machine_driver(m, vfio_pci)->is_registered = false;
	else if (!strcmp(word, "no-remapping"))
		*m->interrupts = '\0';
	else if (!strcmp(word, "no-group"))
		for (unsigned int i = 0; i < m->count; i++)
			m->fn[i].group = -1;
	else if (!strcmp(word, "no-pci"))
		m->has_no_pci = true;
	else if (!strcmp(word, "no-kmsg"))
		m->has_no_kmsg = true;
	else if (!strcmp(word, "no-cmdline"))
		m->has_no_cmdline = true;
	else if (!strcmp(word, "unset-override-is-empty"))
		m->unset_is_empty = true;
	else
		return false;
	return true;
}

/* Files of a bug report, which the boot reads none of. */
static bool is_for_host_alone(const char *key)
{
	static const char *const keys[] = { "report",	     "file",	"data",	   "link",
					    "dir",	     "modinfo", "program", "image",
					    "image-program", "damaged" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

bool machine_add_line(struct machine *m, char *line)
{
	char *rest = line + strcspn(line, " \t");

	if (!*line || *line == '#')
		return true;
	if (*rest)
		*rest++ = '\0';
	if (strchr(line, ':')) {
		struct function *fn = machine_find(m, line);

		return fn && set_all(m, fn, NULL, rest);
	}
	if (!strcmp(line, "-") || (*line >= '0' && *line <= '9'))
		return add_function(m, line, rest);
	if (is_for_host_alone(line))
		return true;
	if (!strcmp(line, "drop"))
		return drop_function(m, rest);
	if (!strcmp(line, "iommu"))
		return m->units < MAX_UNITS && copy_name(m->unit[m->units++], rest);
	if (!strcmp(line, "acpi"))
		return m->acpis < MAX_UNITS && copy_name(m->acpi[m->acpis++], rest);
	if (!strcmp(line, "cmdline"))
		return snprintf(m->cmdline, sizeof(m->cmdline), "%s\n", rest) <
		       (int)sizeof(m->cmdline);
	if (!strcmp(line, "noiommu"))
		return snprintf(m->noiommu, sizeof(m->noiommu), "%s\n", rest) == 2;
	if (!strcmp(line, "module"))
		return add_module(m, rest);
	if (!strcmp(line, "board"))
		return copy_name(m->model, rest);
	if (!strcmp(line, "release"))
		return copy_name(m->release, rest);
	if (!strcmp(line, "interrupts"))
		add_text(&m->interrupts, rest);
	else if (!strcmp(line, "iomem"))
		add_text(&m->iomem, rest);
	else
		return add_word(m, line);
	return true;
}

void machine_start(struct machine *m)
{
	for (unsigned int i = 0; i < m->count; i++) {
		strcpy(m->fn[i].first_driver, m->fn[i].driver);
		strcpy(m->fn[i].first_override, m->fn[i].override);
		strcpy(m->fn[i].first_d3cold, m->fn[i].d3cold);
		strcpy(m->fn[i].first_power, m->fn[i].power);
		m->fn[i].first_no_autoprobe = m->fn[i].no_autoprobe;
	}
}

/* ---- what the kernel does ---- */

/* A name that comes through sysfs: the kernel compares it with sysfs_streq(). */
static struct function *find_stored(struct machine *m, const char *text)
{
	char name[NAME_SIZE];
	struct function *fn;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "\n"), text);
	fn = machine_find(m, name);
	return fn && fn->node ? fn : NULL;
}

static int stored(struct machine *m, struct function *fn, const char *where, const char *text,
		  int ret)
{
	m->writes++;
	if (fn)
		fn->touched = true;
	if (m->brief)
		return ret;
	fprintf(m->timeline, "%s < ", where);
	for (; *text; text++)
		fputs(*text == '\n' ? "\\n" : (char[]){ *text, '\0' }, m->timeline);
	if (ret == STORE_HANGS)
		fprintf(m->timeline, " hangs");
	else if (ret)
		fprintf(m->timeline, " = %s", errno_name(-ret));
	fputc('\n', m->timeline);
	return ret;
}

/* The lines of the boot framebuffer leave /proc/iomem. */
static void evict(struct machine *m, const char *name)
{
	char *line = m->iomem, *next;

	for (; *line; line = next) {
		char *eol = strchr(line, '\n');
		char *what = strstr(line, " : ");

		next = eol + 1;
		if (what && what < eol && !strncmp(what + 3, name, (size_t)(eol - what - 3)) &&
		    strlen(name) == (size_t)(eol - what - 3)) {
			memmove(line, next, strlen(next) + 1);
			next = line;
		}
	}
}

/* pci_match_device: with an override only that driver; vfio-pci's own ID table is empty. */
static bool is_match(const struct function *fn, const struct driver *driver)
{
	/* pci_bus_match(): match_driver is set by pci_bus_add_device() */
	if (!fn->is_added)
		return false;
	if (*fn->override)
		return !strcmp(fn->override, driver->name);
	return !strcmp(fn->native, driver->name) && strcmp(driver->name, vfio_pci) != 0;
}

static bool is_bridge_header(const struct function *fn)
{
	unsigned int class = fn->class >> 8;

	return class == 0x0604 || class == 0x0607 || class == 0x0609;
}

/*
 * vfio makes a group for what has none (drivers/vfio/group.c, vfio_noiommu_group_alloc): a new one,
 * which goes with the unbind.
 */
static void make_noiommu_group(struct machine *m, struct function *fn)
{
	int group = 0;

	for (unsigned int i = 0; i < m->count; i++)
		if (m->fn[i].group >= group)
			group = m->fn[i].group + 1;
	fn->group = group;
	fn->has_group = fn->is_noiommu = true;
}

static void drop_noiommu_group(struct function *fn)
{
	if (!fn->is_noiommu)
		return;
	fn->group = -1;
	fn->has_group = fn->is_noiommu = false;
}

/* pci_device_can_probe(), drivers/pci/pci-driver.c */
static bool can_probe(struct machine *m, const struct function *fn)
{
	const struct function *pf = *fn->physfn ? machine_find(m, fn->physfn) : NULL;

	return !pf || !pf->no_autoprobe || *fn->override;
}

/* probe() of the driver. Returns 0 or -errno. */
static int probe(struct machine *m, struct function *fn, const struct driver *driver)
{
	if (!can_probe(m, fn))
		return -ENODEV;
	/* really_probe(): dma_configure() comes first, and what it made stays (drivers/base/dd.c) */
	fn->has_group = fn->group >= 0;
	if (strcmp(driver->name, vfio_pci) != 0) {
		if (fn->probe_error)
			return -fn->probe_error;
	} else {
		if (fn->bind_error)
			return -fn->bind_error;
		if (fn->bind_ignored)
			return 0;
		if (is_bridge_header(fn))
			return -EINVAL;
		if (fn->numvfs)
			return -EBUSY;
		if (fn->group < 0 && *m->noiommu != 'Y')
			return -EINVAL;
		/* aperture_remove_conflicting_pci_devices() */
		if (fn->class >> 8 == 0x0300) {
			evict(m, "efifb");
			evict(m, "BOOTFB");
		}
		if (fn->group < 0)
			make_noiommu_group(m, fn);
		/* vfio_pci_core_register_device(): pm_runtime_allow() */
		if (*fn->power)
			strcpy(fn->power, "auto");
	}
	strcpy(fn->driver, driver->name);
	return 0;
}

static void register_driver(struct machine *m, const char *name)
{
	struct driver *driver = machine_driver(m, name);

	driver->is_registered = true;
	for (unsigned int i = 0; i < m->count; i++)
		if (m->fn[i].node && !*m->fn[i].driver && is_match(&m->fn[i], driver))
			probe(m, &m->fn[i], driver);
}

static struct module *find_module(struct machine *m, const char *name)
{
	for (unsigned int i = 0; i < m->modules; i++)
		if (!strcmp(m->module[i].name, name))
			return &m->module[i];
	return NULL;
}

static int load(struct machine *m, struct module *module)
{
	const struct module *needed;

	if (module->is_loaded)
		return -EEXIST;
	if (*module->needs) {
		needed = find_module(m, module->needs);
		if (!needed || !needed->is_loaded)
			return -ENOENT; /* "Unknown symbol" */
	}
	module->is_loaded = true;
	if (*module->driver)
		register_driver(m, module->driver);
	return 0;
}

/* What a modprobe that nobody waited for had begun. */
static void load_late(struct machine *m)
{
	for (unsigned int i = 0; i < m->modules; i++)
		if (m->module[i].is_due && !load(m, &m->module[i]))
			machine_event(m, "%s is loaded now", m->module[i].name);
}

int machine_store_override(struct machine *m, struct function *fn, const char *text)
{
	char where[NAME_SIZE + 20];
	int ret = 0;

	if (*text == '\n')
		load_late(m);
	snprintf(where, sizeof(where), "%s/driver_override", fn->addr);
	if (fn->locked || fn->override_hangs)
		ret = STORE_HANGS;
	else if (fn->override_error)
		ret = -fn->override_error;
	else if (!fn->override_ignored)
		snprintf(fn->override, NAME_SIZE, "%.*s", (int)strcspn(text, "\n"), text);
	return stored(m, fn, where, text, ret);
}

/* Is this one of the words? */
static bool has_word(const char *words, const char *word, size_t len)
{
	for (; *words; words += strcspn(words, " "), words += strspn(words, " "))
		if (strcspn(words, " ") == len && !strncmp(words, word, len))
			return true;
	return false;
}

/* reset_method_store(), drivers/pci/pci.c: all of them, or none. */
static int set_reset_method(struct function *fn, const char *text)
{
	char list[NAME_SIZE] = "";

	if (!strcmp(text, "default"))
		return copy_name(fn->reset_method, fn->resets) ? 0 : -EINVAL;
	while (*text) {
		size_t len = strcspn(text, " ");

		if (!has_word(fn->resets, text, len))
			return -EINVAL;
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%.*s",
			 *list ? " " : "", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	strcpy(fn->reset_method, list);
	return 0;
}

int machine_store_setting(struct machine *m, struct function *fn, const char *name, char *held,
			  const char *text)
{
	char where[2 * NAME_SIZE];
	int ret = 0;

	snprintf(where, sizeof(where), "%s/%s", fn->addr, name);
	if (fn->settings_ignored)
		ret = 0;
	else if (held == fn->reset_method)
		ret = set_reset_method(fn, text);
	/* kstrtoul() */
	else if (held == fn->d3cold && (*text < '0' || *text > '9'))
		ret = -EINVAL;
	else if (held == fn->d3cold)
		strcpy(held, *text == '0' ? "0" : "1");
	/* control_store(), drivers/base/power/sysfs.c */
	else if (strcmp(text, "on") && strcmp(text, "auto"))
		ret = -EINVAL;
	else
		strcpy(held, text);
	return stored(m, fn, where, text, ret);
}

int machine_store_bind(struct machine *m, struct driver *driver, const char *text)
{
	char where[NAME_SIZE + 20];
	struct function *fn = find_stored(m, text);
	int ret;

	snprintf(where, sizeof(where), "drivers/%s/bind", driver->name);
	if (!fn || !is_match(fn, driver))
		ret = -ENODEV;
	else if (fn->locked)
		ret = STORE_HANGS;
	else if (*fn->driver)
		ret = -EBUSY;
	else if ((fn->locked = fn->bind_hangs))
		ret = STORE_HANGS;
	else
		ret = probe(m, fn, driver);
	return stored(m, fn, where, text, ret);
}

int machine_store_unbind(struct machine *m, struct driver *driver, const char *text)
{
	char where[NAME_SIZE + 20];
	struct function *fn = find_stored(m, text);
	int ret = 0;

	snprintf(where, sizeof(where), "drivers/%s/unbind", driver->name);
	if (!fn || strcmp(fn->driver, driver->name) != 0) {
		ret = -ENODEV;
	} else if (fn->locked || fn->unbind_hangs) {
		fn->locked = true;
		ret = STORE_HANGS;
	} else if (fn->unbind_error) {
		ret = -fn->unbind_error;
	} else if (!fn->unbind_ignored) {
		/* vfio_pci_core_unregister_device(): pm_runtime_forbid() */
		if (*fn->power && !strcmp(fn->driver, vfio_pci))
			strcpy(fn->power, "on");
		fn->driver[0] = '\0';
		drop_noiommu_group(fn);
	}
	return stored(m, fn, where, text, ret);
}

/* device_attach() */
static void attach(struct machine *m, struct function *fn)
{
	for (unsigned int i = 0; i < m->drivers && !*fn->driver; i++)
		if (m->driver[i].is_registered && is_match(fn, &m->driver[i]))
			probe(m, fn, &m->driver[i]);
}

int machine_store_probe(struct machine *m, const char *text)
{
	struct function *fn = find_stored(m, text);
	int ret = 0;

	if (!fn) {
		ret = -ENODEV;
	} else if (fn->locked || fn->probe_hangs) {
		fn->locked = true;
		ret = STORE_HANGS;
	} else if (!*fn->driver) {
		/* The result of a probe() is not told. */
		attach(m, fn);
	}
	return stored(m, fn, "drivers_probe", text, ret);
}

/* sriov_enable(), drivers/pci/iov.c. Returns how many there are now. */
static unsigned int make_vfs(struct machine *m, struct function *pf, unsigned int number)
{
	pf->numvfs = 0;
	for (unsigned int i = 0; i < m->count && pf->numvfs < number; i++) {
		struct function *fn = &m->fn[i];

		if (!fn->is_unmade || strcmp(fn->physfn, pf->addr) != 0)
			continue;
		fn->is_unmade = false;
		fn->is_added = true;
		pf->numvfs++;
		attach(m, fn);
	}
	return pf->numvfs;
}

/* sriov_numvfs_store(), drivers/pci/iov.c, and what the driver of the function answers. */
static int set_numvfs(struct machine *m, struct function *fn, const char *text)
{
	unsigned int number = (unsigned int)strtoul(text, NULL, 0), made;

	if (number > fn->totalvfs)
		return -ERANGE;
	if (fn->locked)
		return STORE_HANGS;
	if (number == fn->numvfs)
		return 0;
	/* Nor does vfio-pci make any, without its parameter enable_sriov. */
	if (!*fn->driver || !strcmp(fn->driver, vfio_pci))
		return -ENOENT;
	if (fn->numvfs && number)
		return -EBUSY;
	if ((fn->locked = fn->numvfs_hangs))
		return STORE_HANGS;
	if (fn->busy_stores) {
		fn->busy_stores--;
		return -EBUSY;
	}
	if (fn->numvfs_error)
		return -fn->numvfs_error;
	if (fn->numvfs_ignored)
		return 0;
	if (fn->makes && number > fn->makes)
		number = fn->makes;
	made = make_vfs(m, fn, number);
	if (made != number)
		machine_fault(m, "%s: the record has %u virtual functions, not %u", fn->addr, made,
			      number);
	return 0;
}

int machine_store_numvfs(struct machine *m, struct function *fn, const char *text)
{
	char where[NAME_SIZE + 20];

	snprintf(where, sizeof(where), "%s/sriov_numvfs", fn->addr);
	return stored(m, fn, where, text, set_numvfs(m, fn, text));
}

int machine_store_autoprobe(struct machine *m, struct function *fn, const char *text)
{
	char where[NAME_SIZE + 32];
	bool is_bool = !strcmp(text, "0") || !strcmp(text, "1");

	snprintf(where, sizeof(where), "%s/sriov_drivers_autoprobe", fn->addr);
	if (is_bool)
		fn->no_autoprobe = *text == '0';
	return stored(m, fn, where, text, is_bool ? 0 : -EINVAL);
}

int machine_store_efifb(struct machine *m, const char *text)
{
	int ret = 0;

	if (!m->has_efifb || strcmp(text, "efi-framebuffer.0") != 0)
		ret = -ENODEV;
	else
		m->has_efifb = false, evict(m, "efifb");
	return stored(m, NULL, "efi-framebuffer/unbind", text, ret);
}

int machine_load(struct machine *m, const char *path, const char *options, int flags)
{
	struct module *module = NULL;
	int ret;

	for (unsigned int i = 0; i < m->modules && !module; i++)
		if (!strcmp(m->module[i].path, path))
			module = &m->module[i];
	if (!module) {
		machine_fault(m, "finit_module of %s, which is no module of this machine", path);
		return -ENOEXEC;
	}
	if (module->hangs)
		ret = STORE_HANGS;
	else if (module->error)
		ret = -module->error;
	else
		ret = load(m, module);
	machine_event(m, "load %s%s \"%s\"%s%s", module->name, flags ? " (compressed)" : "",
		      options,
		      ret == STORE_HANGS ? " hangs" :
		      ret		 ? " = " :
					   "",
		      ret < 0 ? errno_name(-ret) : "");
	return ret;
}

int machine_modprobe(struct machine *m, const char *arguments)
{
	struct module *module = NULL;
	int ret = -ENOENT;

	for (unsigned int i = 0; i < m->modules && !module; i++) {
		const char *name = strstr(arguments, m->module[i].name);
		size_t len = strlen(m->module[i].name);

		if (name && name[-1] == ' ' && (!name[len] || name[len] == ' '))
			module = &m->module[i];
	}
	if (module && module->modprobe_works)
		ret = load(m, module);
	if (module)
		module->is_due = module->modprobe_is_late;
	machine_event(m, "modprobe %s%s", arguments, ret ? " fails" : "");
	return ret;
}

/* ---- time ---- */

void machine_before(struct machine *m, unsigned int run)
{
	for (unsigned int i = 0; i < m->count; i++) {
		struct function *fn = &m->fn[i];

		if (fn->replugged == run || fn->given_back == run) {
			fn->driver[0] = fn->override[0] = '\0';
			if (fn->given_back == run)
				strcpy(fn->driver, fn->native);
		}
		/* It comes to be with the run that is told of it. */
		fn->is_added = !fn->adds || (fn->appears != run && fn->replugged != run);
	}
}

void machine_tick(struct machine *m, unsigned int ms)
{
	for (unsigned int i = 0; i < m->count; i++) {
		struct function *fn = &m->fn[i];

		if (!fn->node || fn->is_added || ms < fn->adds)
			continue;
		fn->is_added = true;
		attach(m, fn);
		machine_event(m, "%s is added: driver %s", fn->addr,
			      *fn->driver ? fn->driver : "-");
	}
}

/* ---- the end ---- */

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void show_setting(struct machine *m, const struct function *fn, const char *name,
			 const char *before, const char *now)
{
	if (strcmp(before, now) != 0)
		machine_event(m, "%s %s %s -> %s", fn->addr, name, before, now);
}

void machine_print_end(struct machine *m)
{
	unsigned int others = 0, changed = 0;

	for (unsigned int i = 0; i < m->count; i++) {
		const struct function *fn = &m->fn[i];

		if (!fn->touched && !strcmp(fn->driver, fn->first_driver) &&
		    !strcmp(fn->override, fn->first_override)) {
			others++;
			continue;
		}
		changed++;
		if (m->brief)
			continue;
		machine_event(m, "%s driver %s -> %s, override %s -> %s%s", fn->addr,
			      or_dash(fn->first_driver), or_dash(fn->driver),
			      or_dash(fn->first_override), or_dash(fn->override),
			      fn->locked ? ", locked" : "");
		show_setting(m, fn, "reset_method", fn->resets, fn->reset_method);
		show_setting(m, fn, "d3cold_allowed", fn->first_d3cold, fn->d3cold);
		show_setting(m, fn, "power/control", fn->first_power, fn->power);
		if (fn->no_autoprobe != fn->first_no_autoprobe)
			machine_event(m, "%s sriov_drivers_autoprobe is %d", fn->addr,
				      !fn->no_autoprobe);
	}
	if (m->brief)
		machine_event(m, "%u functions changed", changed);
	machine_event(m, "%u functions untouched", others);
}
