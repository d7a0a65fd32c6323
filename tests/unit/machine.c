// SPDX-License-Identifier: GPL-2.0-or-later
/* A machine's tree for one test; see machine.h. */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "protect/protect.h"
#include "tests/unit/fixture.h"
#include "tests/unit/machine.h"

static char root[PATH_MAX];

const char *machine_root(void)
{
	return root;
}

void machine_collect(int (*collect)(const struct protect_source *source,
				    struct protect_facts *facts),
		     struct protect_facts *facts)
{
	struct protect_source *source;
	struct root opened;

	assert_int_equal(root_open(&opened, machine_root()), 0);
	assert_int_equal(protect_open(&opened, &source), 0);
	assert_int_equal(collect(source, facts), 0);
	protect_close(source);
	root_close(&opened);
}

/* ---- building a machine ---- */

/* Everything that was made, in the order it was made in. */
static char **made;
static size_t n_made, n_marked;

/* What machine_path() has given out. */
static char paths[64 * 1024];
static size_t paths_used, paths_marked;

static void remember(const char *full)
{
	made = realloc(made, (n_made + 1) * sizeof(*made));
	assert_non_null(made);
	made[n_made] = strdup(full);
	assert_non_null(made[n_made++]);
}

void machine_mark(void)
{
	n_marked = n_made;
	paths_marked = paths_used;
}

void machine_rewind(void)
{
	while (n_made > n_marked) {
		assert_int_equal(remove(made[--n_made]), 0);
		free(made[n_made]);
	}
	paths_used = paths_marked;
}

char *machine_below(const char *path)
{
	static char full[2 * PATH_MAX];

	assert_true(snprintf(full, sizeof(full), "%s/%s", root, path) < (int)sizeof(full));
	return full;
}

void machine_dirs(const char *path)
{
	char *full = machine_below(path);

	for (char *c = full + strlen(root) + 1;; c++) {
		char end = *c;

		if (end && end != '/')
			continue;
		*c = '\0';
		if (!mkdir(full, 0755))
			remember(full);
		else
			assert_int_equal(errno, EEXIST);
		*c = end;
		if (!end)
			break;
	}
}

static void make_parent(const char *path)
{
	char *parent = strdup(path);

	*strrchr(parent, '/') = '\0';
	machine_dirs(parent);
	free(parent);
}

void machine_put_bytes(const char *path, const void *data, size_t size, const char *mode)
{
	FILE *f;

	make_parent(path);
	if (access(machine_below(path), F_OK))
		remember(machine_below(path));
	f = fopen(machine_below(path), mode);
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

void machine_put(const char *path, const char *text)
{
	machine_put_bytes(path, text, strlen(text), "w");
}

void machine_append(const char *path, const char *text)
{
	machine_put_bytes(path, text, strlen(text), "a");
}

char *machine_path(const char *format, ...)
{
	char *path = paths + paths_used;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(path, sizeof(paths) - paths_used, format, ap);
	va_end(ap);
	assert_true(len >= 0 && (size_t)len < sizeof(paths) - paths_used);
	paths_used += (size_t)len + 1;
	return path;
}

/* Both relative to the root; the link is made relative, as sysfs makes its own. */
void machine_link(const char *path, const char *target)
{
	char text[PATH_MAX] = "";

	make_parent(path);
	for (const char *c = path; *c; c++)
		if (*c == '/')
			strcat(text, "../");
	strcat(text, target);
	assert_int_equal(symlink(text, machine_below(path)), 0);
	remember(machine_below(path));
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* A PCI function; its path is the argument, its bridges are to be made on their own. */
void machine_add_pci(const char *path, const char *vendor, const char *device)
{
	machine_put(machine_path("%s/vendor", path), machine_path("0x%s\n", vendor));
	machine_put(machine_path("%s/device", path), machine_path("0x%s\n", device));
	machine_link(machine_path("sys/bus/pci/devices/%s", name_of(path)), path);
}

void machine_add_block(const char *path, const char *devno)
{
	machine_put(machine_path("%s/dev", path), machine_path("%s\n", devno));
	machine_link(machine_path("sys/dev/block/%s", devno), path);
	machine_link(machine_path("sys/class/block/%s", name_of(path)), path);
}

void machine_add_disk(const char *path, const char *devno)
{
	machine_add_block(path, devno);
	machine_link(machine_path("sys/block/%s", name_of(path)), path);
}

void machine_add_part(const char *path, const char *devno)
{
	machine_add_block(path, devno);
	machine_put(machine_path("%s/partition", path), "1\n");
}

void machine_add_slave(const char *path, const char *slave)
{
	machine_link(machine_path("%s/slaves/%s", path, name_of(slave)), slave);
}

char *machine_add_mapping(const char *kernel_name, const char *devno, const char *dm_name,
			  const char *dm_uuid)
{
	char *path = machine_path("sys/devices/virtual/block/%s", kernel_name);

	machine_add_disk(path, devno);
	machine_put(machine_path("%s/dm/name", path), machine_path("%s\n", dm_name));
	machine_put(machine_path("%s/dm/uuid", path), machine_path("%s\n", dm_uuid));
	return path;
}

void machine_add_udev(const char *devno, const char *lines)
{
	machine_put(machine_path("run/udev/data/b%s", devno), lines);
}

void machine_add_mount(const char *devno, const char *fs_root, const char *target, const char *type,
		       const char *source, const char *options)
{
	static unsigned int id = 30;

	machine_append("proc/self/mountinfo",
		       machine_path("%u 1 %s %s %s rw,relatime shared:1 - %s %s %s\n", id++, devno,
				    fs_root, target, type, source, options));
}

void machine_add_interface(const char *path)
{
	machine_put(machine_path("%s/operstate", path), "up\n");
	machine_link(machine_path("sys/class/net/%s", name_of(path)), path);
}

/* PATH/net/NAME with the device link that the kernel makes. */
void machine_add_nic(const char *device, const char *name)
{
	char *path = machine_path("%s/net/%s", device, name);

	machine_add_interface(path);
	machine_link(machine_path("%s/device", path), device);
}

void machine_add_virtual_nic(const char *name)
{
	machine_add_interface(machine_path("sys/devices/virtual/net/%s", name));
}

void machine_add_lower(const char *upper, const char *lower)
{
	machine_link(machine_path("sys/devices/virtual/net/%s/lower_%s", upper, lower),
		     machine_path("sys/class/net/%s", lower));
}

void machine_add_default_route(const char *name)
{
	machine_append("proc/net/route",
		       machine_path(ROUTE_HEAD
				    "%s\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
				    "%s\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
				    name, name));
}

/* An NVMe with its port, on the bus that is asked for: nvmeN at 259:(10 * N). */
const char *machine_add_nvme(unsigned int n)
{
	char *port = machine_path(PCI0 "0000:00:%02x.0", 0x10 + n);
	char *function = machine_path("%s/0000:%02x:00.0", port, 1 + n);
	char *disk = machine_path("%s/nvme/nvme%u/nvme%un1", function, n, n);

	machine_add_pci(port, "8086", "a340");
	machine_add_pci(function, "144d", machine_path("a80%u", n));
	machine_add_disk(disk, machine_path("259:%u", 10 * n));
	machine_link(machine_path("sys/class/nvme/nvme%u", n),
		     machine_path("%s/nvme/nvme%u", function, n));
	machine_add_part(machine_path("%s/nvme%un1p1", disk, n),
			 machine_path("259:%u", 10 * n + 1));
	machine_add_part(machine_path("%s/nvme%un1p2", disk, n),
			 machine_path("259:%u", 10 * n + 2));
	return disk;
}

/* sda at 8:0 and sda1 at 8:1, sdb at 8:16; all on one AHCI function. */
char *machine_add_sata(unsigned int n)
{
	char *disk = machine_path(AHCI "/ata%u/host%u/target%u:0:0/%u:0:0:0/block/sd%c", n + 1, n,
				  n, n, 'a' + (int)n);

	if (access(machine_below(AHCI), F_OK))
		machine_add_pci(AHCI, "8086", "a352");
	machine_add_disk(disk, machine_path("8:%u", 16 * n));
	machine_add_part(machine_path("%s/sd%c1", disk, 'a' + (int)n),
			 machine_path("8:%u", 16 * n + 1));
	return disk;
}

int machine_setup(void **state)
{
	(void)state;
	paths_used = 0;
	fixture_temporary(root);
	machine_dirs("sys/dev/block");
	machine_dirs("proc/self");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int machine_teardown(void **state)
{
	(void)state;
	while (n_made)
		free(made[--n_made]);
	free(made);
	made = NULL;
	n_marked = 0;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void machine_put_fifo(const char *path)
{
	make_parent(path);
	assert_int_equal(mkfifo(machine_below(path), 0644), 0);
}
