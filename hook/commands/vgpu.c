// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vgpu: functions that can be divided among VMs, by mediated devices or by virtual
 * functions: into how many, how many are in use, and which driver has each. Reads only.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "early/text.h"
#include "host/host.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/file.h"
#include "util/message.h"

enum {
	COL_DEVICE,
	COL_KIND,
	COL_NAME,
	COL_TOTAL,
	COL_USED,
	COL_FREE,
	COL_DRIVER,
	COL_GROUP,
	COL_NEXT,
	COL_ID,
	COL_ABOUT,
};

static const struct output_column columns[] = {
	{ "DEVICE", "function, type, part", 14, SCOLS_FL_TREE, OUTPUT_STRING, true },
	{ "KIND", "sriov, vf, mdev, type, part", 5, 0, OUTPUT_STRING, true },
	{ "NAME", "name of device or type", 0.3, SCOLS_FL_TRUNC, OUTPUT_STRING, true },
	{ "TOTAL", "how many there can be", 5, SCOLS_FL_RIGHT, OUTPUT_NUMBER, true },
	{ "USED", "how many there are", 4, SCOLS_FL_RIGHT, OUTPUT_NUMBER, true },
	{ "FREE", "how many more can be made", 4, SCOLS_FL_RIGHT, OUTPUT_NUMBER, true },
	{ "DRIVER", "driver in use", 8, 0, OUTPUT_STRING, true },
	{ "GROUP", "IOMMU group", 5, SCOLS_FL_RIGHT, OUTPUT_NUMBER, true },
	{ "NEXT", "what the next boot does", 8, 0, OUTPUT_STRING, true },
	{ "ID", "vendor:device", 9, 0, OUTPUT_STRING, false },
	{ "ABOUT", "description of the type", 0.3, SCOLS_FL_TRUNC, OUTPUT_STRING, false },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "vgpu [OPTION...] [ADDRESS|ID|class:CC...]",
	.about = "Functions that can be divided among VMs: mediated devices by type (mdev) and\n"
		 "virtual functions (SR-IOV), how many are in use, and which driver has them.\n"
		 "A function that the next boot binds to vfio-pci is not divided any more.\n",
	.common = OPTIONS_READING | OPTIONS_TABLE,
	.columns = columns,
};

struct vgpu {
	struct host *host;
	struct output_table table;
	bool *is_wanted; /* by place in host->fn */
	unsigned int found;
};

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Where a path below sys/bus/pci/devices is from the root. @buf: of PATH_MAX; it may have @path in it */
static const char *in_devices(char *buf, const char *path)
{
	char whole[PATH_MAX];

	if (snprintf(whole, sizeof(whole), PATH_PCI_DEVICES "/%s", path) >= (int)sizeof(whole))
		*whole = '\0';
	return strcpy(buf, whole);
}

/* The names in a folder of a function, in order; none when there is no such folder. */
static int list_names(const struct vgpu *vgpu, const char *path, struct dirent ***entry)
{
	char whole[PATH_MAX];
	int count;

	in_devices(whole, path);
	count = file_names(vgpu->host->root.fd, whole, entry, is_visible, versionsort);

	if (count >= 0)
		return count;
	*entry = NULL;
	return 0;
}

static void free_names(struct dirent **entry, int count)
{
	for (int i = 0; i < count; i++)
		free(entry[i]);
	free(entry);
}

static const char *read_text(const struct vgpu *vgpu, const char *dir, const char *name, char *buf,
			     size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (sysfs_read(vgpu->host->root.fd, in_devices(path, path), buf, size) < 0)
		buf[0] = '\0';
	return buf;
}

/* A part that exists: "0000:00:02.0/mdev_supported_types/TYPE/devices/UUID". */
static void add_part(struct vgpu *vgpu, struct libscols_line *parent, const char *dir,
		     const char *uuid)
{
	struct libscols_line *line = output_line(&vgpu->table, parent);
	char path[PATH_MAX], text[64];

	output_set(&vgpu->table, line, COL_DEVICE, uuid);
	output_set(&vgpu->table, line, COL_KIND, "part");
	snprintf(path, sizeof(path), "%s/devices/%s/driver", dir, uuid);
	if (!sysfs_link_name(vgpu->host->root.fd, in_devices(path, path), text, sizeof(text)))
		output_set(&vgpu->table, line, COL_DRIVER, text);
	snprintf(path, sizeof(path), "%s/devices/%s/iommu_group", dir, uuid);
	if (!sysfs_link_name(vgpu->host->root.fd, in_devices(path, path), text, sizeof(text)))
		output_set(&vgpu->table, line, COL_GROUP, text);
}

/* Documentation/driver-api/vfio-mediated-device.rst: what a type's folder holds. */
static void add_type(struct vgpu *vgpu, struct libscols_line *parent, const char *types,
		     const char *type)
{
	struct libscols_line *line = output_line(&vgpu->table, parent);
	struct output_table *table = &vgpu->table;
	char dir[2 * SYSFS_PATH_MAX], path[PATH_MAX], text[512];
	struct dirent **entry;
	int used;

	snprintf(dir, sizeof(dir), "%s/%s", types, type);
	snprintf(path, sizeof(path), "%s/devices", dir);
	used = list_names(vgpu, path, &entry);

	output_set(table, line, COL_DEVICE, type);
	output_set(table, line, COL_KIND, "type");
	output_set(table, line, COL_NAME, read_text(vgpu, dir, "name", text, sizeof(text)));
	read_text(vgpu, dir, "description", text, sizeof(text));
	for (char *pos = text; *pos; pos++)
		if (*pos == '\n')
			*pos = ' ';
	output_set(table, line, COL_ABOUT, text);
	output_setf(table, line, COL_USED, "%d", used);
	if (*read_text(vgpu, dir, "available_instances", text, sizeof(text))) {
		output_set(table, line, COL_FREE, text);
		output_setf(table, line, COL_TOTAL, "%u", (unsigned int)used + text_number(text));
		output_mark_cell(table, line, COL_FREE, *text == '0' ? OUTPUT_WARN : OUTPUT_GOOD);
	}
	for (int i = 0; i < used; i++)
		add_part(vgpu, line, dir, entry[i]->d_name);
	free_names(entry, used);
}

static void set_next(struct vgpu *vgpu, struct libscols_line *line, const struct host_function *fn)
{
	enum host_next next = host_next(vgpu->host, fn);

	output_set(&vgpu->table, line, COL_NEXT, host_next_name(next));
	output_mark_cell(&vgpu->table, line, COL_NEXT,
			 next == HOST_NEXT_VFIO ? OUTPUT_GOOD : OUTPUT_BAD);
}

/* What function and virtual function have alike. */
static struct libscols_line *add_function(struct vgpu *vgpu, struct libscols_line *parent,
					  struct host_function *fn, const char *kind)
{
	struct libscols_line *line = output_line(&vgpu->table, parent);
	struct output_table *table = &vgpu->table;
	char text[256];

	output_set(table, line, COL_DEVICE, pci_address_format(&fn->pci.addr, text));
	output_set(table, line, COL_ID, pci_id_format(&fn->pci.id, text));
	output_set(table, line, COL_KIND, kind);
	output_set(table, line, COL_NAME,
		   names_device(vgpu->host->names, &fn->pci.id, text, sizeof(text)));
	output_set(table, line, COL_DRIVER, fn->pci.driver);
	if (host_group(vgpu->host, fn) >= 0)
		output_setf(table, line, COL_GROUP, "%d", host_group(vgpu->host, fn));
	set_next(vgpu, line, fn);
	return line;
}

static void add_vfs(struct vgpu *vgpu, struct libscols_line *parent, const struct host_function *fn)
{
	char name[32], text[64];

	for (unsigned int i = 0;; i++) {
		struct pci_address addr;
		struct host_function *vf;

		snprintf(name, sizeof(name), "virtfn%u", i);
		if (!*host_link(vgpu->host, fn, name, text, sizeof(text)))
			return;
		vf = pci_address_parse(text, &addr) ? NULL : host_find(vgpu->host, &addr);
		if (vf)
			add_function(vgpu, parent, vf, "vf");
	}
}

static void look_at(struct vgpu *vgpu, struct host_function *fn)
{
	static const char *const kinds[] = { "", "mdev", "sriov", "sriov+mdev" };
	char types[SYSFS_PATH_MAX], addr[PCI_ADDRESS_SIZE];
	struct output_table *table = &vgpu->table;
	struct libscols_line *line;
	struct dirent **entry;
	unsigned int vfs;
	int count;

	snprintf(types, sizeof(types), "%s/mdev_supported_types",
		 pci_address_format(&fn->pci.addr, addr));
	count = list_names(vgpu, types, &entry);
	vfs = host_number(vgpu->host, fn, "sriov_totalvfs");
	if (count || vfs) {
		vgpu->found++;
		line = add_function(vgpu, NULL, fn, kinds[2 * !!vfs + !!count]);
		if (vfs) {
			unsigned int now = host_number(vgpu->host, fn, "sriov_numvfs");

			output_setf(table, line, COL_TOTAL, "%u", vfs);
			output_setf(table, line, COL_USED, "%u", now);
			output_setf(table, line, COL_FREE, "%u", now < vfs ? vfs - now : 0);
		}
		for (int i = 0; i < count; i++)
			add_type(vgpu, line, types, entry[i]->d_name);
		add_vfs(vgpu, line, fn);
	}
	free_names(entry, count);
}

static void want(struct host_function *fn, void *arg)
{
	struct vgpu *vgpu = arg;

	vgpu->is_wanted[fn - vgpu->host->fn] = true;
}

static int run(struct vgpu *vgpu, const struct output *output, int argc, char **argv)
{
	struct host *host = vgpu->host;
	int ret;

	vgpu->is_wanted = calloc(host->count + 1, sizeof(*vgpu->is_wanted));
	if (!vgpu->is_wanted)
		return message_errno(-ENOMEM, "cannot list");
	for (int i = 0; i < argc; i++) {
		ret = host_select(host, argv[i], want, vgpu);
		if (ret < 0)
			return command_selected(ret);
	}

	ret = output_table_init(&vgpu->table, output, "devices", columns);
	for (size_t i = 0; i < host->count && !ret; i++)
		if (!argc || vgpu->is_wanted[i])
			look_at(vgpu, &host->fn[i]);
	if (!ret)
		ret = output_table_print(&vgpu->table);
	output_table_free(&vgpu->table);
	if (!ret && !vgpu->found)
		message_warn("%s can be divided: no mdev_supported_types, no sriov_totalvfs; a "
			     "driver with vGPU or SR-IOV support must have the device",
			     argc ? "none of these" : "no function here");
	return ret;
}

int command_vgpu(int argc, char **argv)
{
	struct vgpu vgpu = { 0 };
	struct options opts;
	int ret;

	options_init(&opts, &spec);
	if (options_next(&opts, argc, argv) == OPTIONS_EXIT)
		return opts.status;

	ret = host_open(opts.root, &vgpu.host);
	if (!ret)
		ret = host_decide(vgpu.host, NULL);
	if (!ret)
		ret = run(&vgpu, &opts.output, argc - optind, argv + optind);
	free(vgpu.is_wanted);
	host_close(vgpu.host);
	return ret < 0 ? COMMAND_NOTHING : ret;
}
