// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vgpu: functions that can be shared by VMs, with mediated devices, virtual functions or
 * the types of NVIDIA's driver: how many parts there can be, how many are in use, and the driver
 * and VM of each. Reads only.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "early/text.h"
#include "host/host.h"
#include "host/pve.h"
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
	COL_VM,
	COL_SHARE,
	COL_HOW,
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
	{ "VM", "VMs that have it, if any", 3, 0, OUTPUT_STRING, false },
	{ "SHARE", "share of it, by its driver", 0.3, SCOLS_FL_TRUNC, OUTPUT_STRING, false },
	{ "HOW", "command to divide or give it", 0.3, SCOLS_FL_TRUNC, OUTPUT_STRING, false },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "vgpu [OPTION...] [ADDRESS|ID|class:CC...]",
	.about =
		"Shows the functions that can be divided among VMs: mediated devices by type (mdev),\n"
		"virtual functions (SR-IOV) and NVIDIA's own types, how many are in use, which driver\n"
		"and which VM has them, and the command that divides each. A function that the next\n"
		"boot binds to vfio-pci can no longer be divided.\n",
	.common = OPTIONS_READING | OPTIONS_TABLE,
	.columns = columns,
};

struct vgpu {
	struct host *host;
	struct pve pve;
	struct output_table table;
	FILE *advice;	 /* for people: the lines below the table */
	bool *is_wanted; /* same index as in host->fn */
	unsigned int found;
};

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/*
 * The path from the root of a path below sys/bus/pci/devices. @buf: of PATH_MAX; may contain @path
 */
static const char *in_devices(char *buf, const char *path)
{
	char whole[PATH_MAX];

	if (snprintf(whole, sizeof(whole), PATH_PCI_DEVICES "/%s", path) >= (int)sizeof(whole))
		*whole = '\0';
	return strcpy(buf, whole);
}

/* The sorted names in a folder of a function; none if it does not exist. */
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

/* --- the VM of a part, and the commands to use it */

/* Sets the command in its column; for people, prints the first one of a function. */
__attribute__((format(printf, 4, 5))) static void
advise(struct vgpu *vgpu, struct libscols_line *line, bool *is_said, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	output_set(&vgpu->table, line, COL_HOW, text);
	if (!*is_said)
		fprintf(vgpu->advice, "%s\n", text);
	*is_said = true;
}

static void set_vm(struct vgpu *vgpu, struct libscols_line *line, struct host_function *fn)
{
	char *vms = pve_names(&vgpu->pve, vgpu->host, &fn, 1);

	output_set(&vgpu->table, line, COL_VM, vms);
	free(vms);
}

/*
 * Proxmox VE makes the UUID of a mediated device from the entry and the VM (PVE::QemuServer::PCI,
 * generate_mdev_uuid).
 */
static void set_mdev_vm(struct vgpu *vgpu, struct libscols_line *line, const char *uuid)
{
	unsigned long entry, vm;
	int end = 0;

	if (sscanf(uuid, "%8lu-0000-0000-0000-%12lu%n", &entry, &vm, &end) == 2 && !uuid[end] &&
	    end == 36 && vm)
		output_setf(&vgpu->table, line, COL_VM, "%lu", vm);
}

/* --- the share of a virtual function, in the drivers i915 and xe */

static const char *const shares[] = {
	"ggtt_quota",	   "lmem_quota",	 "contexts_quota", "doorbells_quota",
	"exec_quantum_ms", "preempt_timeout_us", "sched_priority", "auto_provisioning",
};

/* The attributes of one folder: "exec_quantum_ms=20 preempt_timeout_us=1000". */
static void add_shares(const struct vgpu *vgpu, const char *dir, char *buf, size_t size)
{
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		size_t len = strlen(buf);
		char text[64];

		if (*read_text(vgpu, dir, shares[i], text, sizeof(text)))
			snprintf(buf + len, size - len, "%s%s=%s", len ? " " : "", shares[i], text);
	}
}

/*
 * xe: Documentation/ABI/testing/sysfs-driver-intel-xe-sriov (6.19). i915 of Intel's LTS tree and of
 * i915-sriov-dkms: cardN/iov, in older versions prelim_iov (gt/iov/intel_iov_sysfs.c).
 * @part: "pf" or "vf1"
 */
static void set_share(struct vgpu *vgpu, struct libscols_line *line, const char *pf,
		      const char *part)
{
	static const char *const folders[] = { "iov", "prelim_iov" };
	static const char *const below[] = { "", "/gt", "/gt0", "/gt1" };
	char dir[SYSFS_PATH_MAX], text[512] = "";
	struct dirent **card;
	int cards;

	snprintf(dir, sizeof(dir), "%s/sriov_admin/%s/profile", pf, part);
	add_shares(vgpu, dir, text, sizeof(text));
	snprintf(dir, sizeof(dir), "%s/drm", pf);
	cards = list_names(vgpu, dir, &card);
	for (size_t i = 0; i < 2 * 4 * (size_t)cards; i++) {
		if (strncmp(card[i / 8]->d_name, "card", 4) != 0)
			continue;
		snprintf(dir, sizeof(dir), "%s/drm/%.32s/%s/%s%s", pf, card[i / 8]->d_name,
			 folders[i / 4 % 2], part, below[i % 4]);
		add_shares(vgpu, dir, text, sizeof(text));
	}
	free_names(card, cards);
	output_set(&vgpu->table, line, COL_SHARE, text);
}

/* --- mediated devices */

/* An existing part: "0000:00:02.0/mdev_supported_types/TYPE/devices/UUID". */
static void add_part(struct vgpu *vgpu, struct libscols_line *parent, const char *dir,
		     const char *uuid)
{
	struct libscols_line *line = output_line(&vgpu->table, parent);
	char path[PATH_MAX], text[64];

	output_set(&vgpu->table, line, COL_DEVICE, uuid);
	output_set(&vgpu->table, line, COL_KIND, "part");
	set_mdev_vm(vgpu, line, uuid);
	snprintf(path, sizeof(path), "%s/devices/%s/driver", dir, uuid);
	if (!sysfs_link_name(vgpu->host->root.fd, in_devices(path, path), text, sizeof(text)))
		output_set(&vgpu->table, line, COL_DRIVER, text);
	snprintf(path, sizeof(path), "%s/devices/%s/iommu_group", dir, uuid);
	if (!sysfs_link_name(vgpu->host->root.fd, in_devices(path, path), text, sizeof(text)))
		output_set(&vgpu->table, line, COL_GROUP, text);
}

/* The folder of a type: Documentation/driver-api/vfio-mediated-device.rst. */
static void add_type(struct vgpu *vgpu, struct libscols_line *parent,
		     const struct host_function *fn, const char *type, bool *is_advised)
{
	struct libscols_line *line = output_line(&vgpu->table, parent);
	struct output_table *table = &vgpu->table;
	char dir[2 * SYSFS_PATH_MAX], path[PATH_MAX], text[512];
	char addr[PCI_ADDRESS_SIZE];
	struct dirent **entry;
	int used;

	pci_address_format(&fn->pci.addr, addr);
	snprintf(dir, sizeof(dir), "%s/mdev_supported_types/%s", addr, type);
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
		if (*text != '0' && host_keeps_driver(vgpu->host, fn))
			advise(vgpu, line, is_advised, "vfio-early vm VMID --mdev %s %s", type,
			       addr);
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

/* The columns that physical and virtual functions share. */
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
	set_vm(vgpu, line, fn);
	return line;
}

/* The virtual function with a number, from 0, or NULL. *is_end: there are no more. */
static struct host_function *find_vf(const struct vgpu *vgpu, const struct host_function *pf,
				     unsigned int number, bool *is_end)
{
	struct pci_address addr;
	char name[32], text[64];

	snprintf(name, sizeof(name), "virtfn%u", number);
	*is_end = !*host_link(vgpu->host, pf, name, text, sizeof(text));
	return *is_end || pci_address_parse(text, &addr) ? NULL : host_find(vgpu->host, &addr);
}

/* --- NVIDIA's own types, since kernel 6.8: each virtual function has one or none */

struct nvidia_type {
	unsigned int id, used;
	char name[64]; /* "" if none can be made any more */
	bool is_offered;
	const struct host_function
		*vf; /* the first one that offers it and keeps its driver, or NULL */
};

struct nvidia {
	struct nvidia_type type[128];
	unsigned int count;
	bool is_there;
};

static struct nvidia_type *find_type(struct nvidia *nvidia, unsigned int id)
{
	for (unsigned int i = 0; i < nvidia->count; i++)
		if (nvidia->type[i].id == id)
			return &nvidia->type[i];
	if (nvidia->count == sizeof(nvidia->type) / sizeof(nvidia->type[0]))
		return NULL;
	nvidia->type[nvidia->count].id = id;
	return &nvidia->type[nvidia->count++];
}

/* The current type of a virtual function, or 0. */
static unsigned int read_type(const struct vgpu *vgpu, const struct host_function *vf)
{
	char text[32];

	return text_number(
		host_attribute(vgpu->host, vf, "nvidia/current_vgpu_type", text, sizeof(text)));
}

/*
 * "557 : NVIDIA L40-1B", one type in each line, below a heading (NVIDIA, Virtual GPU Software User
 * Guide).
 */
static void read_creatable(const struct vgpu *vgpu, const struct host_function *vf,
			   struct nvidia *nvidia)
{
	char path[SYSFS_PATH_MAX], text[8192] = "";
	struct nvidia_type *type;

	sysfs_read_whole(vgpu->host->root.fd,
			 pci_attribute(path, &vf->pci.addr, "nvidia/creatable_vgpu_types"), text,
			 sizeof(text));
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *colon = line + strcspn(line, ":\n");

		line += strspn(line, " \t");
		if (*line < '0' || *line > '9' || *colon != ':')
			continue;
		type = find_type(nvidia, text_number(line));
		colon += 1 + strspn(colon + 1, " \t");
		if (!type || type->vf)
			continue;
		type->is_offered = true;
		if (host_keeps_driver(vgpu->host, vf))
			type->vf = vf;
		snprintf(type->name, sizeof(type->name), "%.*s", (int)strcspn(colon, "\n"), colon);
	}
}

static void read_nvidia(const struct vgpu *vgpu, const struct host_function *pf,
			struct nvidia *nvidia)
{
	bool is_end = false;

	for (unsigned int i = 0; !is_end; i++) {
		const struct host_function *vf = find_vf(vgpu, pf, i, &is_end);
		struct nvidia_type *type;

		if (!vf || !host_is_nvidia_vf(vgpu->host, vf))
			continue;
		nvidia->is_there = true;
		read_creatable(vgpu, vf, nvidia);
		type = read_type(vgpu, vf) ? find_type(nvidia, read_type(vgpu, vf)) : NULL;
		if (type)
			type->used++;
	}
}

/* Only the driver knows how many more of a type can be made. */
static void add_nvidia_types(struct vgpu *vgpu, struct libscols_line *parent,
			     const struct nvidia *nvidia, bool *is_advised)
{
	for (unsigned int i = 0; i < nvidia->count; i++) {
		const struct nvidia_type *type = &nvidia->type[i];
		struct libscols_line *line = output_line(&vgpu->table, parent);
		char addr[PCI_ADDRESS_SIZE];

		output_setf(&vgpu->table, line, COL_DEVICE, "nvidia-%u", type->id);
		output_set(&vgpu->table, line, COL_KIND, "type");
		output_set(&vgpu->table, line, COL_NAME, type->name);
		output_setf(&vgpu->table, line, COL_USED, "%u", type->used);
		if (!type->is_offered)
			output_set(&vgpu->table, line, COL_FREE, "0");
		else if (type->vf)
			advise(vgpu, line, is_advised, "vfio-early vm VMID --mdev nvidia-%u %s",
			       type->id, pci_address_format(&type->vf->pci.addr, addr));
	}
}

/* --- virtual functions */

static void add_vfs(struct vgpu *vgpu, struct libscols_line *parent, const struct host_function *fn)
{
	bool is_end = false;
	char pf[PCI_ADDRESS_SIZE], part[16];

	pci_address_format(&fn->pci.addr, pf);
	for (unsigned int i = 0; !is_end; i++) {
		struct host_function *vf = find_vf(vgpu, fn, i, &is_end);
		struct libscols_line *line;

		if (!vf)
			continue;
		line = add_function(vgpu, parent, vf, "vf");
		/* In these files, number 0 is the physical function. */
		snprintf(part, sizeof(part), "vf%u", i + 1);
		set_share(vgpu, line, pf, part);
		if (host_is_nvidia_vf(vgpu->host, vf) && read_type(vgpu, vf))
			output_setf(&vgpu->table, line, COL_ABOUT, "nvidia-%u",
				    read_type(vgpu, vf));
	}
}

/* The number to suggest: all of them if there are at most this many, else half of this. */
#define FEW 8

static void set_numbers(struct vgpu *vgpu, struct libscols_line *line,
			const struct host_function *fn, unsigned int total, bool *is_advised)
{
	unsigned int now = host_number(vgpu->host, fn, "sriov_numvfs");
	char addr[PCI_ADDRESS_SIZE];

	pci_address_format(&fn->pci.addr, addr);
	output_setf(&vgpu->table, line, COL_TOTAL, "%u", total);
	output_setf(&vgpu->table, line, COL_USED, "%u", now);
	output_setf(&vgpu->table, line, COL_FREE, "%u", now < total ? total - now : 0);
	set_share(vgpu, line, addr, "pf");
	if (!now && !host_vfs(vgpu->host, &fn->pci.addr) &&
	    host_next(vgpu->host, fn) == HOST_NEXT_NONE)
		advise(vgpu, line, is_advised, "vfio-early add --vfs %u %s",
		       total <= FEW ? total : FEW / 2, addr);
}

static void look_at(struct vgpu *vgpu, struct host_function *fn)
{
	static const char *const kinds[] = { "", "mdev", "sriov", "sriov+mdev" };
	char types[SYSFS_PATH_MAX], addr[PCI_ADDRESS_SIZE];
	struct nvidia nvidia = { 0 };
	struct libscols_line *line;
	struct dirent **entry;
	bool is_divided = false, is_advised = false;
	unsigned int vfs;
	int count;

	snprintf(types, sizeof(types), "%s/mdev_supported_types",
		 pci_address_format(&fn->pci.addr, addr));
	count = list_names(vgpu, types, &entry);
	vfs = host_number(vgpu->host, fn, "sriov_totalvfs");
	if (count || vfs) {
		vgpu->found++;
		line = add_function(vgpu, NULL, fn, kinds[2 * !!vfs + !!count]);
		if (vfs)
			set_numbers(vgpu, line, fn, vfs, &is_divided);
		read_nvidia(vgpu, fn, &nvidia);
		for (int i = 0; i < count; i++)
			add_type(vgpu, line, fn, entry[i]->d_name, &is_advised);
		add_nvidia_types(vgpu, line, &nvidia, &is_advised);
		add_vfs(vgpu, line, fn);
	}
	free_names(entry, count);
}

static void want(struct host_function *fn, void *arg)
{
	struct vgpu *vgpu = arg;

	vgpu->is_wanted[fn - vgpu->host->fn] = true;
}

/* Prints the commands, for people. */
static void print_advice(const char *advice)
{
	if (*advice)
		printf("\nTo divide it, or to give a part to a VM:\n%s", advice);
}

static int print_table(struct vgpu *vgpu, const struct output *output, bool is_all)
{
	struct output_column shown[sizeof(columns) / sizeof(columns[0])];
	char *advice = NULL, why[400];
	size_t size;
	int ret = pve_open(vgpu->host, &vgpu->pve);

	memcpy(shown, columns, sizeof(shown));
	shown[COL_VM].is_shown = pve_is_shown(&vgpu->pve);
	if (!ret && vgpu->pve.state == PVE_UNKNOWN)
		message_warn("%s: it is not known which VM has what",
			     pve_why_unknown(&vgpu->pve, why, sizeof(why)));
	vgpu->advice = ret ? NULL : open_memstream(&advice, &size);
	if (!ret && !vgpu->advice)
		ret = message_errno(-ENOMEM, "cannot list");
	if (!ret)
		ret = output_table_init(&vgpu->table, output, "devices", shown);
	for (size_t i = 0; i < vgpu->host->count && !ret; i++)
		if (is_all || vgpu->is_wanted[i])
			look_at(vgpu, &vgpu->host->fn[i]);
	if (!ret)
		ret = output_table_print(&vgpu->table);
	if (vgpu->advice && !fclose(vgpu->advice) && !ret && output->format == OUTPUT_TEXT &&
	    !output->no_headings && !output->columns)
		print_advice(advice);
	free(advice);
	output_table_free(&vgpu->table);
	pve_close(&vgpu->pve);
	return ret;
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

	ret = print_table(vgpu, output, !argc);
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
