// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads a record back; see replay.h. This file handles its lines. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/state.h"
#include "early/paths.h"
#include "early/pci.h"
#include "early/sysfs.h"
#include "record/pack.h"
#include "record/record.h"
#include "record/replay.h"
#include "record/tree.h"
#include "util/array.h"
#include "util/file.h"

#define MAX_FUNCTIONS 4096
#define MAX_DEPTH     24 /* bridges above one function */

struct function {
	struct pci_address addr;
	char *path; /* the path of its folder */
};

struct replay {
	int dirfd;
	struct function *fn;
	size_t count;
	char *cmdline;
	FILE *interrupts, *iomem;
	char *interrupts_text, *iomem_text;
	size_t interrupts_size, iomem_size;
	struct pack_image *image; /* being written */
	char *image_path;
	int image_fd;
	bool is_report, has_mounts;
	int left_out;
	int err; /* an error of this system, not of a line */
};

/* --- words */

/* Cuts off the next word, which ends at one blank; *rest moves behind it, and is "" at the end. */
static char *next_word(char **rest)
{
	char *word = *rest, *blank = strchr(word, ' ');

	*rest = blank ? blank + 1 : word + strlen(word);
	if (blank)
		*blank = '\0';
	return word;
}

/* A single name, such as that of a driver or a unit. */
static bool is_name(const char *text)
{
	if (!*text || strlen(text) > NAME_MAX || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f || *text == '/')
			return false;
	return true;
}

static bool is_hex_text(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static int put_text(struct replay *replay, const char *path, const char *text)
{
	return unpack_file(replay->dirfd, path, 0644, text, strlen(text));
}

__attribute__((format(printf, 3, 4))) static int put(struct replay *replay, const char *path,
						     const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return put_text(replay, path, text);
}

/* --- functions */

/* The keys of the line of a function. */
struct keys {
	struct pci_address addr;
	char *group, *class, *id;
	char *subsystem, *under, *driver, *override, *boot_vga, *totalvfs, *numvfs, *reset, *physfn;
};

static bool is_number(const char *text)
{
	return *text && strlen(text) < 10 && text[strspn(text, "0123456789")] == '\0';
}

static bool is_id(const char *text)
{
	return strlen(text) == 9 && text[4] == ':' && strspn(text, "0123456789abcdef") == 4 &&
	       strspn(text + 5, "0123456789abcdef") == 4;
}

static void parse_key(struct keys *keys, const char *name, char *value)
{
	const struct {
		const char *name;
		char **value;
	} all[] = {
		{ "subsystem", &keys->subsystem }, { "under", &keys->under },
		{ "driver", &keys->driver },	   { "override", &keys->override },
		{ "boot_vga", &keys->boot_vga },   { "totalvfs", &keys->totalvfs },
		{ "numvfs", &keys->numvfs },	   { "reset", &keys->reset },
		{ "physfn", &keys->physfn },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(name, all[i].name))
			*all[i].value = value;
}

static bool is_right(const struct keys *keys)
{
	const char *const names[] = { keys->driver, keys->override };
	const char *const numbers[] = { keys->boot_vga, keys->totalvfs, keys->numvfs };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && !is_name(names[i]))
			return false;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] && !is_number(numbers[i]))
			return false;
	return (is_number(keys->group) || !strcmp(keys->group, "-")) && is_id(keys->id) &&
	       is_hex_text(keys->class, strlen(keys->class) == 4 ? 4 : 6) &&
	       (!keys->subsystem || is_id(keys->subsystem)) &&
	       (!keys->reset || strspn(keys->reset, "abcdefghijklmnopqrstuvwxyz0123456789_,") ==
					strlen(keys->reset));
}

static const struct function *find_function(const struct replay *replay, const char *text)
{
	struct pci_address addr;

	if (!text || pci_address_parse(text, &addr))
		return NULL;
	for (size_t i = replay->count; i-- > 0;)
		if (pci_address_equal(&replay->fn[i].addr, &addr))
			return &replay->fn[i];
	return NULL;
}

/*
 * Below its bridge; without one, or in another domain than it (VMD), below the folder of its root
 * bus.
 */
static char *make_place(const struct replay *replay, const struct keys *keys)
{
	const struct function *above = find_function(replay, keys->under);
	char addr[PCI_ADDRESS_SIZE], *path;
	unsigned int depth = 0;

	for (const char *c = above ? above->path : ""; *c; c++)
		depth += *c == '/';
	pci_address_format(&keys->addr, addr);
	if (depth > MAX_DEPTH)
		return NULL;
	if (above && above->addr.domain == keys->addr.domain)
		return asprintf(&path, "%s/%s", above->path, addr) < 0 ? NULL : path;
	return asprintf(&path, "%s/pci%.*s/%s", above ? above->path : "sys/devices",
			(int)(strlen(addr) - 5), addr, addr) < 0 ?
		       NULL :
		       path;
}

/* Makes a link in @dir: "TOP/.../TARGET". */
static int put_link_to(struct replay *replay, const char *dir, const char *name, const char *target)
{
	char path[PATH_MAX], text[2 * PATH_MAX];
	size_t len = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	for (const char *c = path; *c && len < PATH_MAX; c++)
		if (*c == '/')
			len += (size_t)snprintf(text + len, sizeof(text) - len, "../");
	snprintf(text + len, sizeof(text) - len, "%s", target);
	return unpack_link(replay->dirfd, path, text);
}

static int put_attribute(struct replay *replay, const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];

	if (!text)
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return put(replay, path, "%s\n", text);
}

/*
 * As printed by the kernel: drivers/pci/pci-driver.c (pci_uevent()), pci-sysfs.c (modalias_show()).
 */
static int put_uevent(struct replay *replay, const char *dir, const struct keys *keys)
{
	const char *sub = keys->subsystem ? keys->subsystem : "0000:0000";
	unsigned long class = strtoul(keys->class, NULL, 16);
	unsigned long vendor = strtoul(keys->id, NULL, 16),
		      device = strtoul(keys->id + 5, NULL, 16);
	unsigned long subvendor = strtoul(sub, NULL, 16), subdevice = strtoul(sub + 5, NULL, 16);
	char addr[PCI_ADDRESS_SIZE], alias[80], text[512];
	int ret;

	if (strlen(keys->class) == 4)
		class <<= 8;
	snprintf(alias, sizeof(alias), "pci:v%08lXd%08lXsv%08lXsd%08lXbc%02lXsc%02lXi%02lX", vendor,
		 device, subvendor, subdevice, class >> 16 & 0xff, class >> 8 & 0xff, class & 0xff);
	snprintf(text, sizeof(text),
		 "%s%s%sPCI_CLASS=%04lX\nPCI_ID=%04lX:%04lX\nPCI_SUBSYS_ID=%04lX:%04lX\n"
		 "PCI_SLOT_NAME=%s\nMODALIAS=%s",
		 keys->driver ? "DRIVER=" : "", keys->driver ? keys->driver : "",
		 keys->driver ? "\n" : "", class, vendor, device, subvendor, subdevice,
		 pci_address_format(&keys->addr, addr), alias);
	ret = put_attribute(replay, dir, "uevent", text);
	return ret ? ret : put_attribute(replay, dir, "modalias", alias);
}

static int put_ids(struct replay *replay, const char *dir, const struct keys *keys)
{
	const char *sub = keys->subsystem ? keys->subsystem : "0000:0000";
	const struct {
		const char *name, *text;
		int len;
	} all[] = {
		{ "vendor", keys->id, 4 },	{ "device", keys->id + 5, 4 },
		{ "subsystem_vendor", sub, 4 }, { "subsystem_device", sub + 5, 4 },
		{ "class", keys->class, 6 },
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !ret; i++) {
		char text[16];

		snprintf(text, sizeof(text), "0x%.*s%s", all[i].len, all[i].text,
			 all[i].len == 6 && strlen(keys->class) == 4 ? "00" : "");
		ret = put_attribute(replay, dir, all[i].name, text);
	}
	return ret;
}

static int put_attributes(struct replay *replay, const char *dir, const struct keys *keys)
{
	const char *boot_vga = keys->boot_vga;
	int ret = put_uevent(replay, dir, keys);

	if (!boot_vga && !strncmp(keys->class, "0300", 4))
		boot_vga = "0";
	for (char *c = keys->reset; c && *c; c++)
		if (*c == ',')
			*c = ' ';
	ret = ret ? ret : put_ids(replay, dir, keys);
	ret = ret ? ret :
		    put_attribute(replay, dir, "driver_override",
				  keys->override ? keys->override : "(null)");
	ret = ret ? ret : put_attribute(replay, dir, "boot_vga", boot_vga);
	ret = ret ? ret : put_attribute(replay, dir, "sriov_totalvfs", keys->totalvfs);
	if (!ret && keys->totalvfs)
		ret = put_attribute(replay, dir, "sriov_numvfs", keys->numvfs ? keys->numvfs : "0");
	return ret ? ret : put_attribute(replay, dir, "reset_method", keys->reset);
}

/* "virtfnN" of the physical function: the next free number. */
static int put_virtfn(struct replay *replay, const struct function *physfn, const char *dir)
{
	char name[32], path[PATH_MAX];
	struct stat st;

	for (unsigned int i = 0; i < 65536; i++) {
		snprintf(name, sizeof(name), "virtfn%u", i);
		if (snprintf(path, sizeof(path), "%s/%s", physfn->path, name) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		if (fstatat(replay->dirfd, path, &st, AT_SYMLINK_NOFOLLOW))
			return put_link_to(replay, physfn->path, name, dir);
	}
	return -E2BIG;
}

static int put_links(struct replay *replay, const char *dir, const struct keys *keys)
{
	const struct function *physfn = find_function(replay, keys->physfn);
	char path[PATH_MAX], addr[PCI_ADDRESS_SIZE];
	int ret;

	pci_address_format(&keys->addr, addr);
	ret = put_link_to(replay, PATH_PCI_DEVICES, addr, dir);
	if (!ret && keys->driver) {
		snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", keys->driver);
		ret = put_link_to(replay, dir, "driver", path);
		ret = ret ? ret : put_link_to(replay, path, addr, dir);
	}
	if (!ret && strcmp(keys->group, "-")) {
		snprintf(path, sizeof(path), PATH_IOMMU_GROUPS "/%s", keys->group);
		ret = put_link_to(replay, dir, "iommu_group", path);
		snprintf(path, sizeof(path), PATH_IOMMU_GROUPS "/%s/devices", keys->group);
		ret = ret ? ret : put_link_to(replay, path, addr, dir);
	}
	if (!ret && physfn) {
		ret = put_link_to(replay, dir, "physfn", physfn->path);
		ret = ret ? ret : put_virtfn(replay, physfn, dir);
	}
	return ret;
}

/* "GROUP ADDRESS CLASS VENDOR:DEVICE key=value..." */
static int add_function(struct replay *replay, char *group, char *rest)
{
	struct keys keys = { .group = group };
	struct function item = { 0 };
	char *word;
	int ret;

	ret = pci_address_parse(next_word(&rest), &keys.addr) ? -EINVAL : 0;
	keys.class = next_word(&rest);
	keys.id = next_word(&rest);
	while (!ret && (word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		parse_key(&keys, word, value);
	}
	if (ret || !is_right(&keys) || replay->count == MAX_FUNCTIONS)
		return -EINVAL;
	item.addr = keys.addr;
	item.path = make_place(replay, &keys);
	ret = item.path ? put_attributes(replay, item.path, &keys) : -EINVAL;
	if (!ret)
		ret = put_links(replay, item.path, &keys);
	if (!ret)
		ret = array_append(&replay->fn, &replay->count, sizeof(item), &item);
	if (ret)
		free(item.path);
	return ret;
}

/* --- files */

/* The indexes are made here from the lists: no library gets an index from somebody else. */
static bool is_made_here(const char *path)
{
	const char *suffix = strrchr(path, '.');

	return strstr(path, "lib/modules/") && suffix && !strcmp(suffix, ".bin");
}

static int add_file(struct replay *replay, char *rest, bool has_newline)
{
	char *path = next_word(&rest), *text;
	size_t size;
	int ret;

	if (unpack_path(path) || is_made_here(path))
		return -EINVAL;
	replay->has_mounts |= !strcmp(path, "proc/self/mountinfo");
	size = strlen(rest);
	text = malloc(size + 2);
	if (!text)
		return -ENOMEM;
	memcpy(text, rest, size + 1);
	unpack_text(text, &size);
	if (has_newline)
		text[size++] = '\n';
	/* A record has no modes, and an rc.local that does nothing is rare. */
	ret = unpack_file(replay->dirfd, path, strcmp(path, "etc/rc.local") ? 0644 : 0755, text,
			  size);
	free(text);
	return ret;
}

static int add_link(struct replay *replay, char *rest)
{
	char *path = next_word(&rest), *target = next_word(&rest);
	size_t size = strlen(target);

	unpack_text(target, &size);
	if (unpack_path(path) || strlen(target) != size)
		return -EINVAL;
	return unpack_link(replay->dirfd, path, target);
}

static int add_module(struct replay *replay, char *rest)
{
	char *path = next_word(&rest), *text, *info = rest;
	size_t size = strlen(info), len = size;
	int ret;

	if (unpack_path(path))
		return -EINVAL;
	unpack_text(info, &len);
	text = pack_module(info, len, &size);
	if (!text)
		return -ENOMEM;
	ret = unpack_file(replay->dirfd, path, 0644, text, size);
	free(text);
	return ret;
}

/* "KIND SHA256" */
static char *make_program(char *rest, size_t *size)
{
	char *kind = next_word(&rest), *digest = next_word(&rest);
	bool is_static = !strcmp(kind, "static");

	return is_hex_text(digest, 64) && (is_static || !strcmp(kind, "dynamic")) ?
		       pack_program(is_static, digest, size) :
		       NULL;
}

static int add_program(struct replay *replay, char *rest)
{
	char *path = next_word(&rest), *text;
	size_t size;
	int ret;

	if (unpack_path(path))
		return -EINVAL;
	text = make_program(rest, &size);
	/* Not executable: it is not a program, and nobody should try to run it. */
	ret = text ? unpack_file(replay->dirfd, path, 0644, text, size) : -EINVAL;
	free(text);
	return ret;
}

/* --- images */

static int close_image(struct replay *replay)
{
	int ret = replay->image ? pack_image_close(replay->image) : 0;

	if (replay->image)
		close(replay->image_fd);
	free(replay->image_path);
	replay->image = NULL;
	replay->image_path = NULL;
	return ret;
}

static int open_image(struct replay *replay, const char *path)
{
	int ret;

	if (replay->image_path && !strcmp(replay->image_path, path))
		return 0;
	ret = close_image(replay);
	/* A second image with this path would overwrite the existing file. */
	if (!ret && !faccessat(replay->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW))
		ret = -EINVAL;
	if (!ret)
		ret = unpack_file(replay->dirfd, path, 0644, "", 0);
	if (ret)
		return ret;
	replay->image_fd = openat(replay->dirfd, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (replay->image_fd < 0)
		return -errno;
	replay->image = pack_image_open(replay->image_fd);
	replay->image_path = strdup(path);
	if (replay->image && replay->image_path)
		return 0;
	close_image(replay);
	return -ENOMEM;
}

/* "PATH MODE MEMBER TEXT"; for a program, "PATH MODE MEMBER KIND SHA256" */
static int add_member(struct replay *replay, char *rest, bool is_program)
{
	char *path = next_word(&rest), *mode_text = next_word(&rest), *member = next_word(&rest);
	unsigned long mode = strtoul(mode_text, NULL, 8);
	char *text = NULL;
	size_t size = 0;
	int ret;

	if (unpack_path(path) || unpack_path(member) || mode > 0177777)
		return -EINVAL;
	if (is_program) {
		text = make_program(rest, &size);
	} else {
		size = strlen(rest);
		text = strdup(rest);
		if (text)
			unpack_text(text, &size);
	}
	ret = text ? open_image(replay, path) : -EINVAL;
	if (!ret)
		ret = pack_image_add(replay->image, member, (unsigned int)mode, text, size);
	free(text);
	return ret;
}

static int add_damaged(struct replay *replay, char *rest)
{
	static const char text[] = "damaged\n";
	int ret;

	if (unpack_path(rest))
		return -EINVAL;
	if (replay->image_path && !strcmp(replay->image_path, rest)) {
		ret = close_image(replay);
		if (ret || unlinkat(replay->dirfd, rest, 0))
			return ret ? ret : -errno;
	}
	return put_text(replay, rest, text);
}

/* --- lines */

static int add_folder(struct replay *replay, const char *folder, char *rest)
{
	char path[PATH_MAX];

	if (!is_name(rest))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s", folder, rest);
	return unpack_folder(replay->dirfd, path);
}

static int add_table(struct replay *replay, char *rest)
{
	char path[PATH_MAX];

	if (!is_name(rest))
		return -EINVAL;
	snprintf(path, sizeof(path), PATH_ACPI_TABLES "/%s", rest);
	return put_text(replay, path, "table\n");
}

static int add_text(FILE *out, char *rest)
{
	size_t size = strlen(rest);

	unpack_text(rest, &size);
	fprintf(out, "%s\n", rest);
	return 0;
}

static int set_cmdline(struct replay *replay, char *rest)
{
	size_t size = strlen(rest);

	free(replay->cmdline);
	replay->cmdline = strdup(rest);
	if (!replay->cmdline)
		return -ENOMEM;
	unpack_text(replay->cmdline, &size);
	return 0;
}

static int add_value(struct replay *replay, const char *path, char *rest)
{
	size_t size = strlen(rest);

	unpack_text(rest, &size);
	return put(replay, path, "%s\n", rest);
}

static int add_line(struct replay *replay, char *word, char *rest)
{
	static const char *const passed[] = { "module", "efifb", "groups-late", "vmcore" };

	if (*word == '-' || (isdigit((unsigned char)*word) && !strchr(word, ':')))
		return add_function(replay, word, rest);
	if (!strcmp(word, "file") || !strcmp(word, "data"))
		return add_file(replay, rest, *word == 'f');
	if (!strcmp(word, "link"))
		return add_link(replay, rest);
	if (!strcmp(word, "dir"))
		return unpack_path(rest) ? -EINVAL : unpack_folder(replay->dirfd, rest);
	if (!strcmp(word, "modinfo"))
		return add_module(replay, rest);
	if (!strcmp(word, "program"))
		return add_program(replay, rest);
	if (!strcmp(word, "image") || !strcmp(word, "image-program"))
		return add_member(replay, rest, word[5]);
	if (!strcmp(word, "damaged"))
		return add_damaged(replay, rest);
	if (!strcmp(word, "iommu"))
		return add_folder(replay, PATH_IOMMU_CLASS, rest);
	if (!strcmp(word, "acpi"))
		return add_table(replay, rest);
	if (!strcmp(word, "cmdline"))
		return set_cmdline(replay, rest);
	if (!strcmp(word, "interrupts"))
		return add_text(replay->interrupts, rest);
	if (!strcmp(word, "iomem"))
		return add_text(replay->iomem, rest);
	if (!strcmp(word, "release"))
		return replay->is_report ? add_value(replay, PATH_RELEASE, rest) : 0;
	if (!strcmp(word, "noiommu"))
		return replay->is_report ? add_value(replay, PATH_NOIOMMU, rest) : 0;
	if (!strcmp(word, "board"))
		return replay->is_report ? add_value(replay, PATH_BOARD_MODEL, rest) : 0;
	if (!strcmp(word, "report")) {
		replay->is_report = true;
		return !strcmp(rest, RECORD_VERSION) ? 0 : -EINVAL;
	}
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (!strcmp(word, passed[i]))
			return 0;
	return -EINVAL;
}

/* A bad line is only left out; an error of this system, such as a full disk, ends the replay. */
static bool is_fatal(int error)
{
	return error == -ENOMEM || error == -ENOSPC || error == -EDQUOT || error == -EIO ||
	       error == -EMFILE || error == -ENFILE || error == -EROFS;
}

static void add_lines(struct replay *replay, char *text, size_t size)
{
	char *pos = text, *end = text + size;

	while (pos < end && !replay->err) {
		char *newline = memchr(pos, '\n', (size_t)(end - pos)), *line = pos, *rest, *word;
		int ret;

		pos = newline ? newline + 1 : end;
		(newline ? newline : end)[0] = '\0';
		rest = strlen(line) == (size_t)((newline ? newline : end) - line) ? line : NULL;
		/* Pasting may have changed newlines to CR LF. */
		if (rest && *line && line[strlen(line) - 1] == '\r')
			line[strlen(line) - 1] = '\0';
		if (rest && (!*line || *line == '#'))
			continue;
		word = rest ? next_word(&rest) : NULL;
		ret = word ? add_line(replay, word, rest) : -EINVAL;
		if (is_fatal(ret))
			replay->err = ret;
		else
			replay->left_out += ret != 0;
	}
}

/* --- the whole */

/*
 * A record that was written for a test does not say what the machine needs. It becomes a machine
 * that has stored that it needs nothing, as tests/host/mktree makes it.
 */
static int put_no_needs(struct replay *replay)
{
	static const char id[] = "0123456789abcdef0123456789abcdef";
	int ret;

	if (replay->is_report || replay->has_mounts)
		return 0;
	ret = put(replay, "etc/machine-id", "%s\n", id);
	return ret ? ret :
		     put(replay, STATE_FACTS, "vfio-early-facts 1\nmachine-id %s\nsha256 %s\n", id,
			 "2498528fc2cf48b11e2cb94be6c665ca4133a456ae2e36cd6be7797b268c2b5c");
}

static int pack_kernel(const char *name, void *arg)
{
	struct replay *replay = arg;
	int fd;

	if (*name == '.')
		return 0;
	fd = openat(replay->dirfd, "lib/modules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		int kernel = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		close(fd);
		fd = kernel;
	}
	if (fd < 0)
		return 0;
	replay->err = pack_indexes(fd);
	close(fd);
	return is_fatal(replay->err) ? replay->err : 0;
}

static int finish(struct replay *replay)
{
	static const char *const folders[] = { "sys/bus/pci/devices", "sys/bus/pci/drivers", "etc",
					       "run", ROOT_ANSWERS };
	int ret = close_image(replay);

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !ret; i++)
		ret = unpack_folder(replay->dirfd, folders[i]);
	/* libpci skips a function without this file. A file from the record stays. */
	for (size_t i = 0; i < replay->count && !ret; i++)
		ret = put_attribute(replay, replay->fn[i].path, "resource", "");
	if (!ret)
		ret = put_no_needs(replay);
	fflush(replay->interrupts);
	fflush(replay->iomem);
	ret = ret ? ret : put_text(replay, PATH_INTERRUPTS, replay->interrupts_text);
	ret = ret ? ret : put_text(replay, PATH_IOMEM, replay->iomem_text);
	if (!ret) {
		char *line = NULL;

		ret = asprintf(&line, "%s\n", replay->cmdline ? replay->cmdline : "") < 0 ?
			      -ENOMEM :
			      put_text(replay, PATH_CMDLINE, line);
		free(line);
	}
	if (!ret)
		sysfs_for_each(replay->dirfd, "lib/modules", pack_kernel, replay);
	return ret ? ret : replay->err;
}

int replay_make(int dirfd, char *text, size_t size)
{
	struct replay replay = { .dirfd = dirfd };
	int ret = -ENOMEM;

	replay.interrupts = open_memstream(&replay.interrupts_text, &replay.interrupts_size);
	replay.iomem = open_memstream(&replay.iomem_text, &replay.iomem_size);
	if (replay.interrupts && replay.iomem) {
		add_lines(&replay, text, size);
		ret = replay.err;
		if (!ret && !replay.count && !replay.is_report)
			ret = -EBADMSG;
		ret = ret ? ret : finish(&replay);
	}
	close_image(&replay);
	if (replay.interrupts)
		fclose(replay.interrupts);
	if (replay.iomem)
		fclose(replay.iomem);
	free(replay.interrupts_text);
	free(replay.iomem_text);
	free(replay.cmdline);
	for (size_t i = 0; i < replay.count; i++)
		free(replay.fn[i].path);
	free(replay.fn);
	return ret ? ret : replay.left_out;
}
