// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the boot's static binary on a machine that is not there.
 *
 * fakefs -b BINARY [-c COMMAND] -m MACHINES -d DIRECTORY [-v VERSION] [-e | -E] CASE
 *
 * Reads a case (see README.md), mounts a file system on DIRECTORY that shows sys/, proc/, dev/kmsg,
 * run/ and the plan of its machine, runs BINARY -r DIRECTORY for each of its "run" lines, and prints
 * the timeline: everything that was done to the machine in its order, what was logged and reported,
 * each exit status, and in the end what became of every function. Anything done that the model does
 * not know is a line that starts with FAULT, and so is a log that differs from what reached kmsg.
 *
 * The binary is static, so no library can be put under it: the files are FUSE's, without any cache,
 * and modules are loaded nowhere. A seccomp filter hands finit_module() to the model and keeps the
 * real kernel from ever seeing one; /sbin/modprobe is this program too. All of it happens in a mount
 * namespace of its own, which goes with this process, however that ends. A store that hangs is a
 * request without an answer, for which the kernel makes the caller wait, killed or not, as it does
 * inside a driver.
 *
 * With -E the last run is done again and again, each time with one of its system calls failing (see
 * tests/fault); with -e each call shows fewer errors.
 *
 * Exit: 0 the timeline is complete, 1 it is not, or has a fault.
 */
#define FUSE_USE_VERSION 34
#define _GNU_SOURCE	 1

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/vfio.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "judge.h"
#include "machine.h"

#define MAX_NODES   (MAX_FUNCTIONS * 20)
#define MAX_RUNS    16
#define MAX_FILES   32
#define MAX_ARGS    32
#define HASH_SIZE   65536
#define TEXT_SIZE   65536
#define BRIEF_LINES 4
#define RUN_SECONDS 30 /* no case takes longer, whatever happens */

/* With a fault: the deadline of a plan that sets none, what a busy machine may add to it, and how
 * long a child may outlive the run. */
#define PLAN_SECONDS   20
#define GRACE_SECONDS  3
#define ORPHAN_SECONDS 1
#define WORKERS	       4

/* kernel/printk/printk.c: lines of one open file in five seconds, and the longest of them */
#define KMSG_BURST  10
#define KMSG_LENGTH 992

enum node_kind {
	NODE_DIR,
	NODE_TEXT,   /* "text", read only */
	NODE_STORED, /* below run/: "text", which the binary makes */
	NODE_LINK,   /* "text" */
	NODE_DRIVER_LINK,
	NODE_GROUP_LINK, /* "text": what is there while the function has its group */
	NODE_GROUP_NAME,
	NODE_UEVENT,
	NODE_OVERRIDE,
	NODE_SETTING, /* "text": in the function, what it is now */
	NODE_NUMVFS,
	NODE_AUTOPROBE,
	NODE_BIND,
	NODE_UNBIND,
	NODE_PROBE,
	NODE_EFIFB,
	NODE_IOMEM,
	NODE_KMSG,
	NODE_VFIO, /* dev/vfio/GROUP */
};

struct node {
	enum node_kind kind;
	unsigned int parent, next_in_hash;
	unsigned int *child;
	unsigned int children;
	char *name, *text;
	size_t size;
	struct function *fn;
	struct driver *driver;
};

/* A test case: its machine apart. */
struct test_case {
	char *run[MAX_RUNS];
	bool is_bare[MAX_RUNS];	  /* without -r */
	bool is_replay[MAX_RUNS]; /* udev replays an event */
	bool shows_end;		  /* nothing of what happens in between */
	unsigned int runs;
	bool ignores_children; /* run by a caller that has SIGCHLD ignored */
	double within;	       /* seconds that each run may take; 0: RUN_SECONDS */
	char *plan;
	size_t plan_size;
	bool has_plan;
	const char *calls;	   /* -e: those that are to fail; NULL: each */
	bool is_command[MAX_RUNS]; /* of the host command, in place of the boot's binary */
	struct {
		char *path, *text;
	} file[MAX_FILES];
	unsigned int files;
	const char *unviable; /* a group's number; NULL: no group has a node */
};

static struct machine machine;
static struct test_case test;
static struct node node[MAX_NODES];
static unsigned int nodes = 2, hash[HASH_SIZE];
static unsigned int run_number, fns_dir, devices_dir, drivers_dir, groups_dir, efifb_dir;
static const char *binary, *command, *machines, *mountpoint, *version = "VERSION";
static char kmsg[8 * TEXT_SIZE];	/* since the log was begun anew */
static bool has_scanned;		/* in this run */
static unsigned int lines_shown;	/* in this run, for "brief" */
static char last_line[KMSG_LENGTH + 1]; /* of kmsg in this run */
static double run_start;		/* now() of this run */
static struct fuse_session *session;
static struct calls calls;
static bool is_exhaustive;   /* -e, -E */
static bool is_quick;	     /* -e: of each call only the first error and one in turn */
static struct fault fault;   /* -e: of the last run */
static struct trace *traced; /* -e: where the last run leaves what it did */

/*
 * "clock": what a benchmark needs. Names that never change are kept by the kernel's cache, as those of sysfs are,
 * and making virtual functions takes the time that the kernel itself takes at least: sriov_enable()
 * sleeps for 100 ms (drivers/pci/iov.c).
 */
#define SRIOV_ENABLE_MS 100
static bool has_clock;
static double first_store,
	last_store; /* now() of the store to sriov_numvfs, and of the last of all */
static pid_t run_pid;
static double cpu_before, cpu_after; /* processor time of the run: at that store, and at its end */

static void die(const char *what)
{
	fprintf(stderr, "fakefs: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Processor time of a process, in seconds; its children apart. */
static double cpu_of(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return 0;
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- the tree ---- */

static unsigned int hash_of(unsigned int parent, const char *name)
{
	unsigned int h = parent * 2654435761u;

	while (*name)
		h = h * 31 + (unsigned char)*name++;
	return h % HASH_SIZE;
}

/* A driver's directory comes with its registration, its link with the bind. */
static bool is_there(const struct node *n)
{
	/* __device_release_driver() takes the link away before it calls remove(). */
	if (n->kind == NODE_DRIVER_LINK)
		return *n->fn->driver && !n->fn->locked;
	if (n->kind == NODE_GROUP_LINK || n->kind == NODE_GROUP_NAME)
		return n->fn->has_group;
	if (n == &node[efifb_dir])
		return machine.has_efifb;
	return !n->driver || n->driver->is_registered;
}

static unsigned int find_node(unsigned int parent, const char *name)
{
	for (unsigned int i = hash[hash_of(parent, name)]; i; i = node[i].next_in_hash)
		if (node[i].parent == parent && !strcmp(node[i].name, name))
			return is_there(&node[i]) ? i : 0;
	return 0;
}

static unsigned int add_node(unsigned int parent, const char *name, enum node_kind kind)
{
	unsigned int i = nodes++, *slot = &hash[hash_of(parent, name)];
	struct node *dir = &node[parent];

	if (i == MAX_NODES)
		abort();
	if (!(dir->children & (dir->children + 1)))
		dir->child = realloc(dir->child, (dir->children * 2 + 1) * sizeof(*dir->child));
	if (!dir->child)
		abort();
	dir->child[dir->children++] = i;
	node[i] = (struct node){
		.kind = kind,
		.parent = parent,
		.name = strdup(name),
		.next_in_hash = *slot,
	};
	*slot = i;
	return i;
}

static unsigned int add_dir(unsigned int parent, const char *path)
{
	char *copy = strdup(path), *rest = copy, *name;

	while ((name = strtok_r(rest, "/", &rest))) {
		unsigned int found = find_node(parent, name);

		parent = found ? found : add_node(parent, name, NODE_DIR);
	}
	free(copy);
	return parent;
}

__attribute__((format(printf, 3, 4))) static void add_text(unsigned int dir, const char *name,
							   const char *fmt, ...)
{
	unsigned int i = add_node(dir, name, NODE_TEXT);
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&node[i].text, fmt, args) < 0)
		abort();
	va_end(args);
	node[i].size = strlen(node[i].text);
}

/* Writes a node's path below sys/ to a buffer. */
static void path_below_sys(unsigned int i, char *buf, size_t size)
{
	if (node[i].parent == FUSE_ROOT_ID) {
		buf[0] = '\0';
		return;
	}
	path_below_sys(node[i].parent, buf, size);
	snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", *buf ? "/" : "", node[i].name);
}

/* A relative link from a directory below sys/ to a path below sys/, as sysfs makes them. */
static char *relative(unsigned int dir, const char *target)
{
	char text[1024] = "";

	for (; node[dir].parent != FUSE_ROOT_ID; dir = node[dir].parent)
		strcat(text, "../");
	strncat(text, target, sizeof(text) - strlen(text) - 1);
	return strdup(text);
}

static unsigned int add_link(unsigned int dir, const char *name, const char *target)
{
	unsigned int i = add_node(dir, name, NODE_LINK);

	node[i].text = relative(dir, target);
	return i;
}

/* A link that is there while the function has its group. */
static void add_group_link(unsigned int dir, const char *name, const char *target,
			   struct function *fn)
{
	unsigned int i = add_link(dir, name, target);

	node[i].kind = NODE_GROUP_LINK;
	node[i].fn = fn;
}

/* What a group has of a function: with the function, or from a probe on. */
static void add_group(struct function *fn)
{
	char path[512], name[64];
	unsigned int dir, i;

	fn->shown_group = fn->group;
	snprintf(name, sizeof(name), "kernel/iommu_groups/%d", fn->group);
	add_group_link(fn->node, "iommu_group", name, fn);
	path_below_sys(fn->node, path, sizeof(path));
	snprintf(name, sizeof(name), "%d", fn->group);
	dir = add_dir(groups_dir, name);
	add_group_link(add_dir(dir, "devices"), fn->addr, path, fn);
	if (!fn->is_noiommu)
		return;
	i = add_node(dir, "name", NODE_GROUP_NAME);
	node[i].fn = fn;
	node[i].text = (char *)"vfio-noiommu\n";
	node[i].size = strlen(node[i].text);
}

static void add_groups(void)
{
	for (unsigned int i = 0; i < machine.count; i++) {
		struct function *fn = &machine.fn[i];

		if (fn->node && fn->has_group && fn->shown_group != fn->group)
			add_group(fn);
	}
}

static void add_driver(struct driver *driver)
{
	unsigned int dir = add_node(drivers_dir, driver->name, NODE_DIR), i;

	driver->has_node = true;
	node[dir].driver = driver;
	i = add_node(dir, "bind", NODE_BIND);
	node[i].driver = driver;
	i = add_node(dir, "unbind", NODE_UNBIND);
	node[i].driver = driver;
}

/* The directory that a function's own lies in: its bridge's, or that of its root bus. */
static unsigned int parent_dir(const struct function *fn)
{
	char bus[32];
	unsigned int dir = fns_dir;

	snprintf(bus, sizeof(bus), "pci%04x:%02x", fn->domain, fn->bus);
	if (*fn->under) {
		struct function *bridge = machine_find(&machine, fn->under);

		if (!bridge || !bridge->node) {
			fprintf(stderr, "fakefs: %s: no %s before it\n", fn->addr, fn->under);
			exit(1);
		}
		dir = bridge->node;
		/* VMD: a root bus of its own below the endpoint */
		if (bridge->domain == fn->domain)
			return dir;
	}
	return add_dir(dir, bus);
}

/* One that can be set, where there is such an attribute. */
static void add_setting(struct function *fn, unsigned int dir, const char *name, char *held)
{
	unsigned int i;

	if (!*held)
		return;
	i = add_node(dir, name, NODE_SETTING);
	node[i].fn = fn;
	node[i].text = held;
}

/* Both lie behind one port. Its number is that of its place among those of the record. */
static void add_neighbour_link(unsigned int dir, const char *name, const char *addr)
{
	unsigned int i = add_node(dir, name, NODE_LINK);

	if (asprintf(&node[i].text, "../%s", addr) < 0)
		abort();
	node[i].size = strlen(node[i].text);
}

static void add_physfn(const struct function *fn)
{
	const struct function *pf = machine_find(&machine, fn->physfn);
	unsigned int number = 0;
	char name[32];

	add_neighbour_link(fn->node, "physfn", fn->physfn);
	for (const struct function *other = machine.fn; other < fn; other++)
		number += !strcmp(other->physfn, fn->physfn);
	snprintf(name, sizeof(name), "virtfn%u", number);
	if (pf && pf->node)
		add_neighbour_link(pf->node, name, fn->addr);
}

static void add_function(struct function *fn)
{
	unsigned int dir = add_node(parent_dir(fn), fn->addr, NODE_DIR), i;
	char path[512];

	fn->node = dir;
	i = add_node(dir, "uevent", NODE_UEVENT);
	node[i].fn = fn;
	i = add_node(dir, "driver_override", NODE_OVERRIDE);
	node[i].fn = fn;
	i = add_node(dir, "driver", NODE_DRIVER_LINK);
	node[i].fn = fn;
	if (*fn->physfn)
		add_physfn(fn);
	add_setting(fn, dir, "reset_method", fn->reset_method);
	add_setting(fn, dir, "d3cold_allowed", fn->d3cold);
	add_setting(fn, add_dir(dir, "power"), "control", fn->power);
	add_text(dir, "vendor", "0x%04x\n", fn->id[0]);
	add_text(dir, "device", "0x%04x\n", fn->id[1]);
	add_text(dir, "subsystem_vendor", "0x%04x\n", fn->id[2]);
	add_text(dir, "subsystem_device", "0x%04x\n", fn->id[3]);
	add_text(dir, "class", "0x%06x\n", fn->class);
	if (fn->boot_vga >= 0)
		add_text(dir, "boot_vga", "%d\n", fn->boot_vga);
	if (fn->totalvfs || fn->numvfs) {
		node[add_node(dir, "sriov_numvfs", NODE_NUMVFS)].fn = fn;
		node[add_node(dir, "sriov_drivers_autoprobe", NODE_AUTOPROBE)].fn = fn;
		add_text(dir, "sriov_totalvfs", "%u\n", fn->totalvfs);
	}

	path_below_sys(dir, path, sizeof(path));
	add_link(devices_dir, fn->addr, path);
	/* One that appears later gets it at once too, but where groups are late. */
	fn->has_group = fn->group >= 0 && (!machine.groups_are_late || *fn->driver);
	if (fn->has_group)
		add_group(fn);
}

/* Functions that are there from this run on, in the record's order, but a bridge first. */
static void add_functions(void)
{
	for (unsigned int i = 0; i < machine.count; i++)
		if (!machine.fn[i].node && !machine.fn[i].is_unmade &&
		    machine.fn[i].appears <= run_number)
			add_function(&machine.fn[i]);
}

/* The directories of drivers that came with a module since. */
static void add_drivers(void)
{
	for (unsigned int i = 0; i < machine.drivers; i++)
		if (!machine.driver[i].has_node)
			add_driver(&machine.driver[i]);
}

static void add_file(const char *path, char *text, size_t size)
{
	char *copy = strdup(path), *name = strrchr(copy, '/');
	unsigned int i;

	*name++ = '\0';
	i = add_node(add_dir(FUSE_ROOT_ID, copy), name, NODE_TEXT);
	node[i].text = text;
	node[i].size = size;
	free(copy);
}

static void build_tree(void)
{
	unsigned int dir;
	char path[128];

	node[FUSE_ROOT_ID] = (struct node){ .kind = NODE_DIR, .name = (char *)"" };
	/* Every path that the kernel has before a driver or a device. */
	add_dir(FUSE_ROOT_ID, "run");
	fns_dir = add_dir(FUSE_ROOT_ID, "sys/devices");
	add_dir(FUSE_ROOT_ID, "sys/firmware");
	groups_dir = add_dir(FUSE_ROOT_ID, "sys/kernel/iommu_groups");
	dir = add_dir(FUSE_ROOT_ID, machine.has_no_pci ? "nothing" : "sys/bus/pci");
	devices_dir = add_dir(dir, "devices");
	drivers_dir = add_dir(dir, "drivers");
	add_node(dir, "drivers_probe", NODE_PROBE);
	dir = add_dir(FUSE_ROOT_ID, "sys/bus/platform/drivers/efi-framebuffer");
	add_node(dir, "unbind", NODE_EFIFB);
	efifb_dir = add_dir(dir, "efi-framebuffer.0");
	add_drivers();
	add_functions();

	if (machine.units)
		dir = add_dir(FUSE_ROOT_ID, "sys/class/iommu");
	for (unsigned int i = 0; i < machine.units; i++) {
		snprintf(path, sizeof(path), "devices/virtual/iommu/%s", machine.unit[i]);
		add_dir(add_dir(FUSE_ROOT_ID, "sys"), path);
		add_link(dir, machine.unit[i], path);
	}
	if (machine.acpis)
		dir = add_dir(FUSE_ROOT_ID, "sys/firmware/acpi/tables");
	for (unsigned int i = 0; i < machine.acpis; i++)
		add_text(dir, machine.acpi[i], "%s", machine.acpi[i]);
	if (*machine.model)
		add_file("/sys/firmware/devicetree/base/model", machine.model,
			 strlen(machine.model));
	if (*machine.noiommu)
		add_file("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", machine.noiommu,
			 2);

	dir = add_dir(FUSE_ROOT_ID, "proc");
	if (!machine.has_no_cmdline)
		add_text(dir, "cmdline", "%s", machine.cmdline);
	add_text(add_dir(dir, "sys/kernel"), "osrelease", "%s\n",
		 *machine.release ? machine.release : "6.12.0");
	if (machine.has_vmcore)
		add_text(dir, "vmcore", "%s", "");
	add_text(dir, "interrupts", "%s", machine.interrupts);
	add_node(dir, "iomem", NODE_IOMEM);
	dir = add_dir(FUSE_ROOT_ID, "dev");
	if (!machine.has_no_kmsg)
		add_node(dir, "kmsg", NODE_KMSG);
	if (test.unviable)
		add_node(add_dir(dir, "vfio"), test.unviable, NODE_VFIO);
	if (test.has_plan)
		add_file("/usr/lib/vfio-early/plan", test.plan, test.plan_size);
	for (unsigned int i = 0; i < test.files; i++)
		add_file(test.file[i].path, test.file[i].text, strlen(test.file[i].text));
	for (unsigned int i = 0; i < machine.modules; i++)
		if (*machine.module[i].path)
			add_file(machine.module[i].path, (char *)"no module\n", 10);
}

/* ---- the file system ---- */

static mode_t mode_of(const struct node *n)
{
	switch (n->kind) {
	case NODE_DIR:
		return S_IFDIR | 0755;
	case NODE_LINK:
	case NODE_DRIVER_LINK:
	case NODE_GROUP_LINK:
		return S_IFLNK | 0777;
	case NODE_STORED:
	case NODE_OVERRIDE:
	case NODE_SETTING:
	case NODE_NUMVFS:
	case NODE_AUTOPROBE:
	case NODE_KMSG:
	case NODE_VFIO:
		return S_IFREG | 0644;
	case NODE_BIND:
	case NODE_UNBIND:
	case NODE_PROBE:
	case NODE_EFIFB:
		return S_IFREG | 0200;
	default:
		return S_IFREG | 0444;
	}
}

/*
 * A store into one that hangs is no obstacle to the next one: sysfs has a lock of each opening of a file alone
 * (fs/kernfs/file.c, kernfs_fop_write_iter). The kernel has one of each inode for FUSE (fs/fuse/file.c,
 * fuse_direct_write_iter): so each lookup of such a file shows another inode, all of which are one node.
 */
static bool is_store_of_many(const struct node *n)
{
	return n->kind == NODE_BIND || n->kind == NODE_UNBIND || n->kind == NODE_PROBE;
}

static unsigned int node_of(fuse_ino_t ino)
{
	return (unsigned int)(ino % MAX_NODES);
}

static void fill_stat(unsigned int i, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = i;
	st->st_mode = mode_of(&node[i]);
	st->st_nlink = 1;
	st->st_size = (off_t)node[i].size;
}

static void path_of(unsigned int i, char *buf, size_t size)
{
	if (i == FUSE_ROOT_ID) {
		buf[0] = '\0';
		return;
	}
	path_of(node[i].parent, buf, size);
	snprintf(buf + strlen(buf), size - strlen(buf), "/%s", node[i].name);
}

/* Something that the model does not know. */
static void refuse(fuse_req_t req, const char *what, unsigned int i, const char *name)
{
	char path[1024];

	path_of(i, path, sizeof(path));
	machine_fault(&machine, "%s %s%s%s", what, path, name ? "/" : "", name ? name : "");
	fuse_reply_err(req, EPERM);
}

static bool is_for_ever(const struct node *n)
{
	switch (n->kind) {
	case NODE_STORED:
	case NODE_DRIVER_LINK:
	case NODE_GROUP_LINK:
	case NODE_GROUP_NAME:
		return false;
	default:
		return !n->driver && n != &node[efifb_dir];
	}
}

static void reply_entry(fuse_req_t req, unsigned int i)
{
	static unsigned int openings;
	struct fuse_entry_param entry = { .ino = i };

	if (has_clock && is_for_ever(&node[i]))
		entry.entry_timeout = entry.attr_timeout = RUN_SECONDS;

	fill_stat(i, &entry.attr);
	if (is_store_of_many(&node[i]))
		entry.ino = entry.attr.st_ino = i + (fuse_ino_t)MAX_NODES * ++openings;
	fuse_reply_entry(req, &entry);
}

static void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	unsigned int i;

	add_drivers();
	add_groups();
	i = find_node((unsigned int)parent, name);
	if (i)
		reply_entry(req, i);
	else
		fuse_reply_err(req, ENOENT);
}

static void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	fill_stat(node_of(ino), &st);
	st.st_ino = ino;
	fuse_reply_attr(req, &st, 0);
}

static bool is_below_run(unsigned int i)
{
	char path[1024];

	path_of(i, path, sizeof(path));
	return !strcmp(path, "/run") || !strncmp(path, "/run/", 5);
}

static void truncate_node(unsigned int i)
{
	free(node[i].text);
	node[i].text = NULL;
	node[i].size = 0;
	if (!strcmp(node[i].name, "log"))
		kmsg[0] = '\0';
}

static void fs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	struct stat st;
	unsigned int i = node_of(ino);

	(void)fi;
	to_set &= ~(FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW | FUSE_SET_ATTR_CTIME);
	if (to_set != FUSE_SET_ATTR_SIZE || attr->st_size || node[i].kind != NODE_STORED) {
		refuse(req, "setattr", i, NULL);
		return;
	}
	truncate_node(i);
	fill_stat(i, &st);
	fuse_reply_attr(req, &st, 0);
}

static void fs_readlink(fuse_req_t req, fuse_ino_t ino)
{
	const struct node *n = &node[ino];
	char path[128], *text;

	if (n->kind == NODE_LINK || (n->kind == NODE_GROUP_LINK && is_there(n))) {
		fuse_reply_readlink(req, n->text);
		return;
	}
	if (!is_there(n)) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	snprintf(path, sizeof(path), "bus/pci/drivers/%s", n->fn->driver);
	text = relative(n->parent, path);
	fuse_reply_readlink(req, text);
	free(text);
}

static void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)mode;
	if (!is_below_run((unsigned int)parent))
		refuse(req, "mkdir", (unsigned int)parent, name);
	else if (find_node((unsigned int)parent, name))
		fuse_reply_err(req, EEXIST);
	else
		reply_entry(req, add_node((unsigned int)parent, name, NODE_DIR));
}

static void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct node *n = &node[node_of(ino)];

	if ((fi->flags & O_ACCMODE) != O_RDONLY && !(mode_of(n) & 0200)) {
		refuse(req, "open for writing of", node_of(ino), NULL);
		return;
	}
	if ((fi->flags & O_TRUNC) && n->kind == NODE_STORED)
		truncate_node((unsigned int)ino);
	fi->direct_io = 1;
	fi->fh = 0;
	if (n->kind == NODE_KMSG)
		fi->fh = (uintptr_t)calloc(1, sizeof(unsigned int));
	fuse_reply_open(req, fi);
}

static void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	struct fuse_entry_param entry = { 0 };
	unsigned int i;

	(void)mode;
	if (!is_below_run((unsigned int)parent)) {
		refuse(req, "create", (unsigned int)parent, name);
		return;
	}
	i = find_node((unsigned int)parent, name);
	if (!i)
		i = add_node((unsigned int)parent, name, NODE_STORED);
	entry.ino = i;
	fill_stat(i, &entry.attr);
	fi->direct_io = 1;
	fuse_reply_create(req, &entry, fi);
}

static void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (node[node_of(ino)].kind == NODE_KMSG)
		free((void *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

/* What a read or write of this size comes to: less when that is the fault to show. */
static size_t transferred(size_t size)
{
	enum fault_kind kind = calls.next_transfer;

	calls.next_transfer = FAULT_NONE;
	return kind == FAULT_SHORT ? size / 2 : kind == FAULT_EMPTY ? 0 : size;
}

static void reply_slice(fuse_req_t req, const char *text, size_t len, off_t offset, size_t size)
{
	size_t from = (size_t)offset < len ? (size_t)offset : len;

	size = transferred(len - from < size ? len - from : size);
	fuse_reply_buf(req, text + from, size);
}

static int show_uevent(const struct function *fn, char *buf, size_t size)
{
	char driver[NAME_SIZE + 16] = "";

	if (*fn->driver)
		snprintf(driver, sizeof(driver), "DRIVER=%s\n", fn->driver);
	return snprintf(buf, size,
			"%sPCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
			"PCI_SLOT_NAME=%s\nMODALIAS=pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n",
			driver, fn->class, fn->id[0], fn->id[1], fn->id[2], fn->id[3], fn->addr,
			fn->id[0], fn->id[1], fn->id[2], fn->id[3], fn->class >> 16,
			fn->class >> 8 & 0xff, fn->class & 0xff);
}

static void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	const struct node *n = &node[node_of(ino)];
	char text[1024] = "";

	(void)fi;
	switch (n->kind) {
	case NODE_UEVENT:
		if (n->fn->locked || n->fn->uevent_hangs)
			return; /* device_lock() in uevent_show(): no answer */
		if (n->fn->uevent_error) {
			fuse_reply_err(req, n->fn->uevent_error);
			return;
		}
		show_uevent(n->fn, text, sizeof(text));
		reply_slice(req, text, strlen(text), offset, size);
		break;
	case NODE_OVERRIDE:
		if (n->fn->locked)
			return;
		if (*n->fn->override || machine.unset_is_empty)
			snprintf(text, sizeof(text), "%s\n", n->fn->override);
		else
			strcpy(text, "(null)\n");
		reply_slice(req, text, strlen(text), offset, size);
		break;
	case NODE_SETTING:
		snprintf(text, sizeof(text), "%s\n", n->text);
		reply_slice(req, text, strlen(text), offset, size);
		break;
	case NODE_NUMVFS:
		if (n->fn->locked)
			return; /* device_lock() in sriov_numvfs_show() */
		snprintf(text, sizeof(text), "%u\n", n->fn->numvfs);
		reply_slice(req, text, strlen(text), offset, size);
		break;
	case NODE_AUTOPROBE:
		snprintf(text, sizeof(text), "%d\n", !n->fn->no_autoprobe);
		reply_slice(req, text, strlen(text), offset, size);
		break;
	case NODE_IOMEM:
		reply_slice(req, machine.iomem, strlen(machine.iomem), offset, size);
		break;
	case NODE_TEXT:
	case NODE_STORED:
	case NODE_GROUP_NAME:
		reply_slice(req, n->text ? n->text : "", n->size, offset, size);
		break;
	default:
		refuse(req, "read of", node_of(ino), NULL);
	}
}

/* Replaces the digits before " ms" and behind " ms=", which differ from run to run, with N. */
static void hide_numbers(char *line)
{
	static const char digits[] = "0123456789", before[] = " ms", behind[] = " ms=";
	char *from = strstr(line, behind), *to = from;

	if (from) {
		from += sizeof(behind) - 1;
		to = from + strspn(from, digits);
	} else if ((to = strstr(line, before))) {
		for (from = to; from > line && strchr(digits, from[-1]);)
			from--;
	}
	if (from == to)
		return;
	*from++ = 'N';
	memmove(from, to, strlen(to) + 1);
}

static void replace(char *line, size_t size, const char *what, const char *by)
{
	char *at = strstr(line, what);
	char rest[4096];

	if (!at)
		return;
	snprintf(rest, sizeof(rest), "%s", at + strlen(what));
	snprintf(at, size - (size_t)(at - line), "%s%s", by, rest);
}

/* Prints a line, with what differs from run to run replaced. */
static void print_line(const char *prefix, const char *text, size_t len)
{
	char line[4096], said[64];

	snprintf(line, sizeof(line), "%.*s", (int)len, text);
	snprintf(said, sizeof(said), "vfio-early: %s:", version);
	replace(line, sizeof(line), said, "vfio-early: VERSION:");
	replace(line, sizeof(line), mountpoint, "ROOT");
	hide_numbers(line);
	machine_event(&machine, "%s%s", prefix, line);
}

/* Every line of a text. */
static void print_lines(const char *prefix, const char *text, size_t size)
{
	while (size) {
		const char *eol = memchr(text, '\n', size);
		size_t len = eol ? (size_t)(eol - text) : size;

		print_line(prefix, text, len);
		len += eol != NULL;
		text += len;
		size -= len;
	}
}

/* devkmsg_write(): what is over the limit is dropped, and nobody is told. */
static int store_kmsg(struct fuse_file_info *fi, const char *text, size_t size)
{
	unsigned int *lines = (void *)(uintptr_t)fi->fh;
	size_t at = strlen(kmsg);
	const char *line = memchr(text, '>', size);

	if (size > KMSG_LENGTH)
		return -EINVAL;
	if (++*lines > KMSG_BURST)
		return 0;
	snprintf(last_line, sizeof(last_line), "%.*s", (int)size, text);
	if (!machine.brief || ++lines_shown <= BRIEF_LINES)
		print_lines("", text, size);
	line = line ? line + 1 : text;
	snprintf(kmsg + at, sizeof(kmsg) - at, "%.*s", (int)(size - (size_t)(line - text)), line);
	return 0;
}

static void append_node(struct node *n, const char *text, size_t size)
{
	n->text = realloc(n->text, n->size + size + 1);
	if (!n->text)
		abort();
	memcpy(n->text + n->size, text, size);
	n->size += size;
	n->text[n->size] = '\0';
}

static void fs_write(fuse_req_t req, fuse_ino_t ino, const char *text, size_t size, off_t offset,
		     struct fuse_file_info *fi)
{
	struct node *n = &node[node_of(ino)];
	size_t taken = transferred(size);
	char value[256];
	int ret;

	(void)offset;
	snprintf(value, sizeof(value), "%.*s", (int)size, text);
	switch (n->kind) {
	case NODE_STORED:
		append_node(n, text, taken);
		ret = 0;
		break;
	case NODE_KMSG:
		ret = store_kmsg(fi, text, size);
		break;
	case NODE_OVERRIDE:
		ret = machine_store_override(&machine, n->fn, value);
		break;
	case NODE_SETTING:
		ret = machine_store_setting(&machine, n->fn,
					    strcmp(n->name, "control") ? n->name : "power/control",
					    n->text, value);
		break;
	case NODE_NUMVFS:
		if (has_clock) {
			first_store = now();
			cpu_before = cpu_of(run_pid);
			if (fuse_req_ctx(req)->pid != run_pid)
				cpu_before += cpu_of(fuse_req_ctx(req)->pid);
			poll(NULL, 0, SRIOV_ENABLE_MS);
		}
		ret = machine_store_numvfs(&machine, n->fn, value);
		add_functions();
		break;
	case NODE_AUTOPROBE:
		ret = machine_store_autoprobe(&machine, n->fn, value);
		break;
	case NODE_BIND:
		ret = machine_store_bind(&machine, n->driver, value);
		break;
	case NODE_UNBIND:
		ret = machine_store_unbind(&machine, n->driver, value);
		break;
	case NODE_PROBE:
		ret = machine_store_probe(&machine, value);
		break;
	case NODE_EFIFB:
		ret = machine_store_efifb(&machine, value);
		break;
	default:
		refuse(req, "write to", node_of(ino), NULL);
		return;
	}
	last_store = now();
	if (ret == STORE_HANGS)
		return; /* no answer */
	if (ret)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_write(req, taken);
}

/*
 * VFIO_GROUP_GET_STATUS has no size in its number (_IO): the kernel hands no data of such a call to FUSE or
 * back (fs/fuse/ioctl.c). The caller's flags stay zero, which is a group that is not viable.
 */
static void fs_ioctl(fuse_req_t req, fuse_ino_t ino, int cmd, void *arg, struct fuse_file_info *fi,
		     unsigned int flags, const void *in, size_t in_size, size_t out_size)
{
	(void)arg;
	(void)fi;
	(void)flags;
	(void)in;
	(void)in_size;
	(void)out_size;
	if (node[ino].kind != NODE_VFIO || (unsigned int)cmd != VFIO_GROUP_GET_STATUS) {
		refuse(req, "ioctl of", (unsigned int)ino, NULL);
		return;
	}
	machine_event(&machine, "dev/vfio/%s: asked", node[ino].name);
	fuse_reply_ioctl(req, 0, NULL, 0);
}

static void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		       struct fuse_file_info *fi)
{
	const struct node *dir = &node[ino];
	char *buf = malloc(size);
	size_t used = 0;

	(void)fi;
	if (!buf)
		abort();
	add_drivers();
	add_groups();
	/* A scan is what the design does without when all lines are addresses: show it. */
	if (ino == devices_dir && !offset && !has_scanned)
		machine_event(&machine, "scan");
	has_scanned |= ino == devices_dir;
	for (unsigned int i = (unsigned int)offset; i < dir->children; i++) {
		struct stat st;
		size_t need;

		if (!is_there(&node[dir->child[i]]))
			continue;
		fill_stat(dir->child[i], &st);
		need = fuse_add_direntry(req, buf + used, size - used, node[dir->child[i]].name,
					 &st, i + 1);
		if (need > size - used)
			break;
		used += need;
	}
	fuse_reply_buf(req, buf, used);
	free(buf);
}

static void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	refuse(req, "unlink", (unsigned int)parent, name);
}

static void fs_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to,
		      const char *new_name, unsigned int flags)
{
	(void)to;
	(void)new_name;
	(void)flags;
	refuse(req, "rename", (unsigned int)parent, name);
}

static void fs_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link;
	refuse(req, "symlink", (unsigned int)parent, name);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = fs_lookup,
	.getattr = fs_getattr,
	.setattr = fs_setattr,
	.readlink = fs_readlink,
	.mkdir = fs_mkdir,
	.open = fs_open,
	.create = fs_create,
	.release = fs_release,
	.read = fs_read,
	.write = fs_write,
	.readdir = fs_readdir,
	.unlink = fs_unlink,
	.rmdir = fs_unlink,
	.rename = fs_rename,
	.symlink = fs_symlink,
	.ioctl = fs_ioctl,
};

/* ---- modprobe ---- */

/* This program as /sbin/modprobe: its arguments, for calls_serve(). */
static int be_modprobe(int argc, char **argv)
{
	char text[1024] = "";

	for (int i = 1; i < argc; i++) {
		strncat(text, argv[i], sizeof(text) - strlen(text) - 2);
		strcat(text, i + 1 < argc ? " " : "");
	}
	return syscall(SYS_init_module, text, strlen(text), "") ? 1 : 0;
}

/* ---- a run ---- */

/* Arguments with "&" among them are those of two runs at once: ends with the worse status of them. */
static void __attribute__((noreturn)) execve_each(char **argv, char **envp)
{
	int worst = 0, status;

	for (char **arg = argv; *arg; arg++) {
		if (strcmp(*arg, "&") != 0)
			continue;
		*arg = NULL;
		if (!fork()) {
			execve(argv[0], argv, envp);
			_exit(127);
		}
		if (!fork()) {
			/* -r ROOT is the first one's. */
			char *second[MAX_ARGS] = { argv[0], argv[1], argv[2] };

			for (unsigned int i = 0; arg[i + 1]; i++)
				second[i + 3] = arg[i + 1];
			execve(argv[0], second, envp);
			_exit(127);
		}
		while (wait(&status) > 0)
			if (WEXITSTATUS(status) > worst)
				worst = WEXITSTATUS(status);
		_exit(worst);
	}
	execve(argv[0], argv, envp);
	_exit(127);
}

static void __attribute__((noreturn)) start(unsigned int number, int tell, int go, int out, int err)
{
	char *argv[MAX_ARGS] = { (char *)binary }, *rest = strdup(test.run[number]), *word;
	char *envp[] = { test.is_replay[number] ? (char *)"SYNTH_UUID=0" : NULL, NULL };
	int argc = 1, listener;
	sigset_t none;
	char byte;

	if (test.is_command[number])
		argv[0] = (char *)command;
	if (!test.is_bare[number]) {
		argv[argc++] = (char *)"-r";
		argv[argc++] = (char *)mountpoint;
	}
	while ((word = strtok_r(rest, " ", &rest)) && argc < MAX_ARGS - 1) {
		char *root = strstr(word, "ROOT");

		if (root == word && asprintf(&word, "%s%s", mountpoint, word + 4) < 0)
			abort();
		argv[argc++] = word;
	}
	if (test.is_command[number] && argc < MAX_ARGS - 2) {
		argv[argc++] = (char *)"--root";
		argv[argc++] = (char *)mountpoint;
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (test.ignores_children)
		signal(SIGCHLD, SIG_IGN);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	listener = calls_filter(is_exhaustive);
	if (listener < 0 || write(tell, &listener, sizeof(listener)) != sizeof(listener) ||
	    read(go, &byte, 1) != 1)
		_exit(126);
	close(listener);
	execve_each(argv, envp);
}

/* How long a run with a fault may take. */
static double deadline(void)
{
	const char *line = test.plan ? strstr(test.plan, "\ndeadline ") : NULL;

	return (line ? atof(line + sizeof("\ndeadline")) : PLAN_SECONDS) + GRACE_SECONDS;
}

/* One that wants to be served, or for a fifth of a second none. */
static void serve_once(pid_t pid, int listener, int signals)
{
	static struct fuse_buf buf;
	struct pollfd fds[] = {
		{ .fd = fuse_session_fd(session), .events = POLLIN },
		{ .fd = listener, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};

	machine_tick(&machine, (unsigned int)((now() - run_start) * 1000));
	if (poll(fds, 3, 10) < 0 && errno != EINTR)
		die("poll");
	if (fds[0].revents & POLLIN) {
		int ret = fuse_session_receive_buf(session, &buf);

		if (ret > 0)
			fuse_session_process_buf(session, &buf);
	}
	if (fds[1].revents & POLLIN)
		calls_serve(&calls, listener);
	if (fds[2].revents & POLLIN) {
		struct signalfd_siginfo info;

		if (read(signals, &info, sizeof(info)) != sizeof(info))
			die("signalfd");
		/* The runner, or whoever is at the terminal, has had enough. */
		if (info.ssi_signo != SIGCHLD) {
			kill(pid, SIGKILL);
			exit(1);
		}
	}
}

/* Serves until the child has ended. Returns its wait status. */
static int serve(pid_t pid, int listener, int signals)
{
	double end = now() + RUN_SECONDS;
	struct rusage usage;
	bool is_killed = false;
	int status;

	run_pid = pid;
	while (wait4(pid, &status, WNOHANG, &usage) != pid) {
		serve_once(pid, listener, signals);
		if (now() > end && !is_killed) {
			machine_fault(&machine, "still running after %d s", RUN_SECONDS);
			kill(pid, SIGKILL);
			is_killed = true;
		}
	}
	cpu_after = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	return status;
}

/* Serves what the child has left running: this process is its subreaper. Returns whether it ended. */
static bool serve_orphans(pid_t pid, int listener, int signals, double seconds)
{
	double end = now() + seconds;
	int status;

	while (now() < end) {
		pid_t ended = waitpid(-1, &status, WNOHANG);

		if (ended < 0)
			return true;
		if (!ended)
			serve_once(pid, listener, signals);
	}
	return false;
}

/* json-c writes "[]" since 0.18, and before that a line for each bracket. Returns the new length. */
static size_t join_empty_lists(char *text, size_t len)
{
	size_t to = 0;

	for (size_t from = 0; from < len; text[to++] = text[from++]) {
		size_t next = from + 1;

		if (text[from] != '[')
			continue;
		while (next < len && isspace((unsigned char)text[next]))
			next++;
		if (next < len && text[next] == ']') {
			text[to++] = '[';
			from = next;
		}
	}
	return to;
}

static void print_stream(const char *prefix, int fd)
{
	static char text[TEXT_SIZE];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n > 0)
		print_lines(prefix, text, join_empty_lists(text, (size_t)n));
	close(fd);
}

/* What the binary left in run/vfio-early, after each run. */
static void print_files(void)
{
	static char *shown;
	unsigned int dir = add_dir(FUSE_ROOT_ID, "run"), log, report, plan;

	if (!shown)
		shown = strdup("");

	dir = find_node(dir, "vfio-early");
	if (!dir)
		return;
	log = find_node(dir, "log");
	if (log && strcmp(node[log].text ? node[log].text : "", kmsg) != 0 &&
	    !machine.has_no_kmsg) {
		machine_fault(&machine, "run/vfio-early/log is not what kmsg got");
		print_lines("log ", node[log].text ? node[log].text : "", node[log].size);
	} else if (log && machine.has_no_kmsg) {
		print_lines("log ", node[log].text ? node[log].text : "", node[log].size);
	}
	report = find_node(dir, "report");
	if (report && !machine.brief) {
		const char *text = node[report].text ? node[report].text : "";

		if (strcmp(text, shown) != 0)
			print_lines("report ", text, node[report].size);
		free(shown);
		shown = strdup(text);
	}
	plan = find_node(dir, "plan");
	/* But for the last newline; one that is emptied is for later runs that nothing is to touch. */
	if (plan && node[plan].size &&
	    (node[plan].size + 1 < test.plan_size || node[plan].size > test.plan_size ||
	     memcmp(node[plan].text, test.plan, node[plan].size) != 0))
		machine_fault(&machine, "run/vfio-early/plan is not the plan");
}

/* What a file below run/vfio-early has from an offset on, or from its beginning when it is shorter. */
static void copy_file(const char *name, size_t from, char *to)
{
	unsigned int dir = find_node(add_dir(FUSE_ROOT_ID, "run"), "vfio-early");
	unsigned int i = dir ? find_node(dir, name) : 0;

	*to = '\0';
	if (i && node[i].text)
		snprintf(to, JUDGE_TEXT_SIZE, "%s",
			 node[i].text + (from <= node[i].size ? from : 0));
}

static size_t file_size(const char *name)
{
	unsigned int dir = find_node(add_dir(FUSE_ROOT_ID, "run"), "vfio-early");
	unsigned int i = dir ? find_node(dir, name) : 0;

	return i ? node[i].size : 0;
}

/* How much there was of each before a run. */
struct before {
	size_t kmsg, log, report;
	double at;
};

static void leave_trace(const struct before *before, int status, bool is_alive, int out, int err)
{
	size_t kmsg_from = before->kmsg <= strlen(kmsg) ? before->kmsg : 0;
	ssize_t n, more;

	traced->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	traced->was_killed = !WIFEXITED(status) && calls.was_injected &&
			     calls.fault.kind == FAULT_KILL && !calls.fault.process;
	traced->is_alive = is_alive;
	snprintf(traced->kmsg, sizeof(traced->kmsg), "%s", kmsg + kmsg_from);
	copy_file("log", before->log, traced->log);
	copy_file("report", before->report, traced->report);
	copy_file("plan", 0, traced->plan);
	n = pread(out, traced->said, sizeof(traced->said) - 1, 0);
	n = n < 0 ? 0 : n;
	more = pread(err, traced->said + n, sizeof(traced->said) - 1 - (size_t)n, 0);
	traced->said[n + (more < 0 ? 0 : more)] = '\0';
	for (unsigned int i = 0; i < machine.count && i < JUDGE_MAX_FUNCTIONS; i++) {
		strcpy(traced->driver[i], machine.fn[i].driver);
		strcpy(traced->override[i], machine.fn[i].override);
	}
}

/* Nothing of an earlier run is left. */
static void reset_run(unsigned int number)
{
	run_number = number + 1;
	run_start = now();
	machine_before(&machine, run_number);
	has_scanned = false;
	lines_shown = 0;
	first_store = 0;
	last_line[0] = '\0';
	add_functions();
	calls.processes = 0;
	memset(calls.process, 0, sizeof(calls.process));
}

/* Starts the run, which waits until it is listened to. Returns its process; *listener: seccomp's. */
static pid_t launch(unsigned int number, int out, int err, int *listener)
{
	int tell[2], go[2];
	pid_t pid;

	if (pipe2(tell, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		die("pipe");
	fflush(machine.timeline);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		start(number, tell[1], go[0], out, err);
	close(tell[1]);
	if (read(tell[0], listener, sizeof(*listener)) != sizeof(*listener))
		die("seccomp filter");
	*listener = (int)syscall(SYS_pidfd_getfd, (int)syscall(SYS_pidfd_open, pid, 0), *listener,
				 0);
	if (*listener < 0)
		die("pidfd_getfd");
	if (write(go[1], "", 1) != 1)
		die("pipe");
	close(tell[0]);
	close(go[0]);
	close(go[1]);
	return pid;
}

static void show_run(const struct before *before, int status, int out, int err)
{
	if (machine.brief && lines_shown > BRIEF_LINES)
		print_lines("", last_line, strlen(last_line));
	print_stream("stdout ", out);
	print_stream("stderr ", err);
	if (first_store > 0)
		machine_event(&machine, "clock %.0f us, kernel %u us, processor %.0f us",
			      (last_store - first_store) * 1e6, SRIOV_ENABLE_MS * 1000,
			      (cpu_after - cpu_before) * 1e6);
	if (test.within > 0 && now() - before->at > test.within)
		machine_fault(&machine, "took %.1f s, not %.1f", now() - before->at, test.within);
	/* These are all that is said when nothing fails. */
	if (!is_exhaustive)
		print_files();
	if (WIFEXITED(status))
		machine_event(&machine, "exit %d", WEXITSTATUS(status));
	else if (traced && traced->was_killed)
		machine_event(&machine, "killed");
	else
		machine_fault(&machine, "ended by signal %d", WTERMSIG(status));
}

static void run(unsigned int number, int signals)
{
	bool is_traced = is_exhaustive && number + 1 == test.runs, has_ended = true;
	int listener, status, out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);
	struct before before;
	pid_t pid;

	if (out < 0 || err < 0)
		die("memfd_create");
	reset_run(number);
	calls.fault = is_traced ? fault : (struct fault){ 0 };
	before = (struct before){ strlen(kmsg), file_size("log"), file_size("report"), now() };
	machine_event(&machine, "$ %s%s%s",
		      strrchr(test.is_command[number] ? command : binary, '/') + 1,
		      *test.run[number] ? " " : "", test.run[number]);
	pid = launch(number, out, err, &listener);
	status = serve(pid, listener, signals);
	if (is_traced)
		traced->took = now() - before.at;
	if (is_exhaustive)
		has_ended = serve_orphans(pid, listener, signals,
					  WIFSIGNALED(status) ? deadline() : ORPHAN_SECONDS);
	if (is_traced)
		leave_trace(&before, status, !has_ended, out, err);
	close(listener);
	show_run(&before, status, out, err);
}

/* ---- the case ---- */

static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		die(path);
	*size = 0;
	for (;;) {
		text = realloc(text, room += TEXT_SIZE);
		if (!text)
			abort();
		*size += fread(text + *size, 1, room - 1 - *size, file);
		if (*size < room - 1)
			break;
	}
	fclose(file);
	text[*size] = '\0';
	return text;
}

static void wrong(const char *path, const char *line)
{
	fprintf(stderr, "fakefs: %s: not understood: %s\n", path, line);
	exit(1);
}

static void read_machine(const char *name)
{
	char path[4096], *text, *line, *copy;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s.txt", machines, name);
	for (text = read_file(path, &size); (line = strsep(&text, "\n"));) {
		copy = strdup(line);
		if (!machine_add_line(&machine, line))
			wrong(path, copy);
		free(copy);
	}
}

static void add_run(const char *args, bool is_bare, bool is_replay)
{
	if (test.runs == MAX_RUNS)
		wrong("runs", args);
	test.is_bare[test.runs] = is_bare;
	test.is_replay[test.runs] = is_replay;
	test.run[test.runs++] = strdup(args);
}

/* Is this line KEYWORD, or KEYWORD and more? Then *rest is what follows. */
static bool is_keyword(const char *line, const char *keyword, const char **rest)
{
	size_t len = strlen(keyword);

	if (strncmp(line, keyword, len) != 0 || (line[len] && line[len] != ' '))
		return false;
	*rest = line + len + (line[len] == ' ');
	return true;
}

/* "PATH TEXT"; "\n" in the text is a new line. */
static void add_case_file(const char *path, const char *line)
{
	const char *text = strchr(line, ' ');
	char *to;

	if (!text || test.files == MAX_FILES)
		wrong(path, line);
	if (asprintf(&test.file[test.files].path, "/%.*s", (int)(text - line), line) < 0 ||
	    asprintf(&test.file[test.files].text, "%s\n", text + 1) < 0)
		abort();
	to = test.file[test.files].text;
	for (char *from = to; *from; from++) {
		if (from[0] == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from++;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	test.files++;
}

/* A plan of that many "#". */
static void set_plan_size(size_t size)
{
	test.plan_size = size;
	test.plan = malloc(size + 1);
	if (!test.plan)
		abort();
	memset(test.plan, '#', size);
	test.has_plan = true;
}

/* "N LINE": the line N times, with %u replaced by 0 to N-1 in three digits. */
static void repeat_plan_line(const char *rest)
{
	char *text, *end;
	unsigned long times = strtoul(rest, &end, 10);
	const char *line = end + 1, *mark = strstr(line, "%u");

	for (unsigned long i = 0; i < times; i++) {
		const char *before = test.plan ? test.plan : "";
		int n;

		n = mark ? asprintf(&text, "%s%.*s%03lu%s\n", before, (int)(mark - line), line, i,
				    mark + 2) :
			   asprintf(&text, "%s%s\n", before, line);
		if (n < 0)
			abort();
		test.plan = text;
		test.plan_size = (size_t)n;
	}
	test.has_plan = true;
}

static void add_case_line(const char *path, char *line)
{
	const char *rest;

	if (is_keyword(line, "machine", &rest)) {
		read_machine(rest);
	} else if (is_keyword(line, "run", &rest)) {
		add_run(rest, false, false);
	} else if (is_keyword(line, "command", &rest)) {
		test.is_command[test.runs % MAX_RUNS] = true;
		add_run(rest, true, false);
	} else if (is_keyword(line, "run-bare", &rest)) {
		add_run(rest, true, false);
	} else if (is_keyword(line, "run-replay", &rest)) {
		add_run(rest, false, true);
	} else if (is_keyword(line, "file", &rest)) {
		add_case_file(path, rest);
	} else if (is_keyword(line, "unviable", &rest)) {
		test.unviable = strdup(rest);
	} else if (is_keyword(line, "end-only", &rest)) {
		test.shows_end = true;
	} else if (is_keyword(line, "within", &rest)) {
		test.within = atof(rest);
	} else if (is_keyword(line, "calls", &rest)) {
		test.calls = strdup(rest);
	} else if (is_keyword(line, "clock", &rest)) {
		has_clock = true;
	} else if (is_keyword(line, "ignore-sigchld", &rest)) {
		test.ignores_children = true;
	} else if (is_keyword(line, "brief", &rest)) {
		machine.brief = true;
	} else if (is_keyword(line, "plan-size", &rest)) {
		set_plan_size((size_t)atol(rest));
	} else if (is_keyword(line, "plan-repeat", &rest)) {
		repeat_plan_line(rest);
	} else {
		char *copy = strdup(line);

		if (!machine_add_line(&machine, line))
			wrong(path, copy);
		free(copy);
	}
}

/* "\0" for a NUL byte, which a line of text cannot have. */
static void unescape_plan(void)
{
	char *to = test.plan;

	for (char *from = test.plan; from < test.plan + test.plan_size; from++) {
		if (from[0] == '\\' && from[1] == '0') {
			*to++ = '\0';
			from++;
		} else {
			*to++ = *from;
		}
	}
	test.plan_size = (size_t)(to - test.plan);
}

static void read_case(const char *path)
{
	size_t size;
	char *text = read_file(path, &size), *line;

	while (text && strncmp(text, "== ", 3) != 0 && (line = strsep(&text, "\n")))
		add_case_line(path, line);
	if (text && !strncmp(text, "== plan\n", 8)) {
		char *end = strstr(text, "== expect\n");

		text += 8;
		test.has_plan = true;
		if (asprintf(&test.plan, "%s%.*s", test.plan ? test.plan : "",
			     end ? (int)(end - text) : (int)strlen(text), text) < 0)
			abort();
		test.plan_size = strlen(test.plan);
		unescape_plan();
	}
	if (!test.runs)
		add_run("", false, false);
}

/* ---- main ---- */

static void write_map(const char *path, unsigned int id)
{
	char text[32];
	int fd = open(path, O_WRONLY | O_CLOEXEC), len;

	len = snprintf(text, sizeof(text), "0 %u 1", id);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		die(path);
	close(fd);
}

static void enter_namespace(void)
{
	unsigned int uid = getuid(), gid = getgid();
	char self[4096];
	ssize_t n;

	/* Not after the unshare: in a chroot the link is then a path outside of it. */
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	if (uid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			die("unshare");
		write_map("/proc/self/uid_map", uid);
		int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "deny", 4) != 4)
			die("setgroups");
		close(fd);
		write_map("/proc/self/gid_map", gid);
	} else if (unshare(CLONE_NEWNS)) {
		die("unshare");
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("mount --make-rprivate /");
	/* The one that the binary falls back on must never be the real one. */
	if (mount(self, "/sbin/modprobe", NULL, MS_BIND, NULL))
		die("/sbin/modprobe");
}

/* Mounts the machine and does the runs. */
static void play(void)
{
	char *fuse_argv[] = { (char *)"fakefs", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, fuse_argv);
	sigset_t set;
	int signals;

	machine_start(&machine);
	run_number = 1;
	build_tree();
	enter_namespace();

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	session = fuse_session_new(&args, &operations, sizeof(operations), NULL);
	if (signals < 0 || !session || fuse_session_mount(session, mountpoint))
		die("mount");
	/* Whoever asked may be killed between poll() and read(): then there is nothing to read. */
	if (fcntl(fuse_session_fd(session), F_SETFL, O_NONBLOCK))
		die("fcntl");

	if (test.shows_end)
		machine.timeline = fopen("/dev/null", "we");
	for (unsigned int i = 0; i < test.runs; i++)
		run(i, signals);
	if (test.shows_end)
		machine.timeline = stdout;
	machine_print_end(&machine);
	fflush(stdout);
}

/* ---- every fault ---- */

/* What the runs without a fault leave, for those with one. */
struct good {
	struct trace trace;
	struct calls calls;
};

static void print_fault(const struct good *good, FILE *out)
{
	static const char *const kinds[] = {
		[FAULT_SHORT] = "half", [FAULT_EMPTY] = "end of file", [FAULT_KILL] = "SIGKILL"
	};
	const struct process *process = &good->calls.process[fault.process];
	unsigned int nth = 0;

	for (unsigned int i = 0; i <= fault.call; i++)
		nth += process->call[i].nr == process->call[fault.call].nr;
	fprintf(out, "process %u, %s number %u (call %u): %s\n", fault.process,
		calls_name(process->call[fault.call].nr), nth, fault.call,
		fault.kind == FAULT_ERROR ? strerrorname_np(fault.error) : kinds[fault.kind]);
}

/* Everything once, in a process of its own, with "fault". Returns how many rules were broken. */
static unsigned int play_fault(struct good *good)
{
	char *text = NULL;
	size_t size;
	FILE *verdict = open_memstream(&text, &size);
	unsigned int found = 0;

	machine.timeline = tmpfile();
	if (!machine.timeline || !verdict || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("tmpfile");
	traced = fault.kind ? calloc(1, sizeof(*traced)) : &good->trace;
	play();
	if (!fault.kind) {
		good->calls = calls;
	} else if (!calls.was_injected) {
		fprintf(verdict, "this call was not made\n");
		found = 1;
	} else {
		found = judge(&machine, test.plan, &good->trace, traced, deadline(), verdict);
	}
	found += machine.faults;
	fclose(verdict);
	if (found) {
		char line[4096];

		printf("-- ");
		print_fault(good, stdout);
		fputs(text, stdout);
		for (rewind(machine.timeline); fgets(line, sizeof(line), machine.timeline);)
			printf("    %s", line);
		fflush(stdout);
	}
	return found;
}

struct tally {
	unsigned int running, injected, surprises;
};

static void reap(struct tally *tally)
{
	int status;

	if (wait(&status) < 0)
		die("wait");
	tally->running--;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		tally->surprises++;
}

static void inject(struct good *good, struct tally *tally, struct fault what)
{
	pid_t pid;

	if (tally->running == WORKERS)
		reap(tally);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		fault = what;
		/* Not unmounted: see main(). */
		_exit(play_fault(good) ? 1 : 0);
	}
	tally->running++;
	tally->injected += what.kind != FAULT_NONE;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (; *words; words += strcspn(words, " "), words += strspn(words, " "))
		if (!strncmp(words, word, len) && (!words[len] || words[len] == ' '))
			return true;
	return false;
}

/* Each fault that a call can show. */
static void inject_call(struct good *good, struct tally *tally, struct fault what)
{
	const struct call *call = &good->calls.process[what.process].call[what.call];
	bool is_file = call->arg[0] > STDERR_FILENO;
	const int *errors = calls_errors(call);
	unsigned int count = 0;

	if (test.calls && !has_word(test.calls, calls_name(call->nr)))
		return;
	what.kind = FAULT_ERROR;
	while (errors[count])
		count++;
	for (unsigned int i = 0; i < count; i++) {
		what.error = errors[i];
		if (!is_quick || !i || i == 1 + what.call % (count - 1))
			inject(good, tally, what);
	}
	what.kind = FAULT_KILL;
	inject(good, tally, what);
	if (is_file && (call->nr == SYS_read || (call->nr == SYS_write && call->arg[2] > 1))) {
		what.kind = FAULT_SHORT;
		inject(good, tally, what);
	}
	if (is_file && call->nr == SYS_read) {
		what.kind = FAULT_EMPTY;
		inject(good, tally, what);
	}
}

/* The last run of a case, again and again, each time with one of its calls failing. */
static int inject_all(const char *name)
{
	struct good *good = mmap(NULL, sizeof(*good), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct tally tally = { 0 };
	struct fault what = { 0 };

	if (good == MAP_FAILED || machine.count > JUDGE_MAX_FUNCTIONS || !test.plan)
		die("mmap, or more than JUDGE_MAX_FUNCTIONS, or no plan");
	inject(good, &tally, what);
	reap(&tally);
	for (; what.process < good->calls.processes; what.process++)
		for (what.call = 0; what.call < good->calls.process[what.process].count;
		     what.call++)
			inject_call(good, &tally, what);
	while (tally.running)
		reap(&tally);
	printf("%s %s: calls injected: %u, surprises: %u\n",
	       tally.surprises || !tally.injected ? "not ok" : "ok", name, tally.injected,
	       tally.surprises);
	return tally.surprises || !tally.injected;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	int c;

	if (!strcmp(name ? name + 1 : argv[0], "modprobe"))
		return be_modprobe(argc, argv);
	while ((c = getopt(argc, argv, "b:c:m:d:v:eE")) != -1) {
		switch (c) {
		case 'b':
			binary = realpath(optarg, NULL);
			break;
		case 'c':
			command = realpath(optarg, NULL);
			break;
		case 'm':
			machines = optarg;
			break;
		case 'd':
			mountpoint = realpath(optarg, NULL);
			break;
		case 'v':
			version = optarg;
			break;
		case 'e':
			is_quick = true;
			/* fall through */
		case 'E':
			is_exhaustive = true;
			break;
		default:
			return 1;
		}
	}
	if (!binary || !machines || !mountpoint || optind + 1 != argc) {
		fprintf(stderr, "usage: fakefs -b BINARY -m MACHINES -d DIRECTORY CASE\n");
		return 1;
	}

	machine_init(&machine);
	machine.timeline = stdout;
	read_case(argv[optind]);
	calls.machine = &machine;
	calls.mountpoint = mountpoint;
	if (is_exhaustive)
		return inject_all(strrchr(argv[optind], '/') + 1);
	play();
	/* Not unmounted: a process that hangs in here would keep us. The namespace goes with us. */
	_exit(machine.faults ? 1 : 0);
}
