// SPDX-License-Identifier: GPL-2.0-or-later
/* From a block device down to its functions; see graph.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "protect/filesystem.h"
#include "protect/network.h"
#include "protect/pools.h"
#include "protect/storage.h"
#include "protect/udev.h"
#include "protect/unlock.h"

#define PATH_DEV_BLOCK	 "sys/dev/block"
#define PATH_CLASS_BLOCK "sys/class/block"
#define PATH_PVS_ONLINE	 "run/lvm/pvs_online"
#define PATH_FC_HOST	 "sys/class/fc_host"
#define PATH_MTD	 "sys/class/mtd"
#define PATH_CXL	 "sys/bus/cxl/devices"

#define LVM_UUID_SIZE 32

/* ---- from a name to a device ---- */

int storage_path(const struct graph *graph, const char *devno, char *real)
{
	char path[PATH_MAX];
	int ret = tree_path(path, PATH_DEV_BLOCK "/%s", devno);

	return ret ? ret : tree_real_path(graph->root, path, real);
}

/* /dev/mapper/NAME. The device mapper's own names are in sysfs, whatever udev made of them. */
static int find_mapper(struct graph *graph, const char *name, char *real)
{
	char dir[PATH_MAX], have[256];
	struct stringset names;
	int ret = -ENOENT;

	graph_names(graph, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n && ret; i++) {
		if (strncmp(names.s[i], "dm-", 3))
			continue;
		tree_path(dir, PATH_BLOCK "/%s", names.s[i]);
		if (!tree_attr(graph->root, dir, "dm/name", have, sizeof(have)) &&
		    !strcmp(have, name))
			ret = tree_real_path(graph->root, dir, real);
	}
	stringset_clear(&names);
	return ret;
}

int storage_find(struct graph *graph, const char *dev, char *real)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct stat st;

	*real = '\0';
	if (strncmp(dev, "/dev/", 5) || strlen(dev + 5) > NAME_MAX)
		return -ENOENT;
	if (graph->root->is_host && !stat(dev, &st) && S_ISBLK(st.st_mode)) {
		tree_path(path, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
		return storage_path(graph, path, real);
	}
	dev += 5;
	if (!strncmp(dev, "mapper/", 7) && !find_mapper(graph, dev + 7, real))
		return 0;
	for (size_t i = 0; i < graph->records; i++)
		if (stringset_has(&graph->record[i].links, dev) &&
		    !storage_path(graph, graph->record[i].devno, real))
			return 0;
	/* sysfs has '!' where the device's name has '/': cciss/c0d0 (block/genhd.c) */
	strcpy(name, dev);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '!';
	if (!strcmp(name, "..") || !strcmp(name, "."))
		return -ENOENT;
	tree_path(path, PATH_CLASS_BLOCK "/%s", name);
	return tree_real_path(graph->root, path, real);
}

/* ---- what a device is built on ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_slaves(struct graph *graph, const char *path, const struct cause *cause,
		       bool *found)
{
	char dir[PATH_MAX], slave[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	if (tree_path(dir, "%s/slaves", path))
		return;
	if (graph_names(graph, dir, &names))
		graph_note(graph, "%s cannot be listed", dir);
	for (size_t i = 0; i < names.n; i++) {
		if (tree_path(slave, "%s/%s", dir, names.s[i]) ||
		    tree_real_path(graph->root, slave, real))
			continue;
		storage_add(graph, real, cause);
		*found = true;
	}
	stringset_clear(&names);
}

void storage_volume_name(const char *dm_name, char *name, size_t size)
{
	size_t n = 0;
	bool is_in_group = true;

	for (; *dm_name && n + 1 < size; dm_name++) {
		name[n] = *dm_name;
		if (*dm_name == '-' && dm_name[1] == '-') {
			dm_name++;
		} else if (*dm_name == '-' && is_in_group) {
			name[n] = '/';
			is_in_group = false;
		}
		n++;
	}
	name[n] = '\0';
}

/*
 * "my--vg-root" is VG my-vg: dm doubles the hyphens of a name (lvm2, dm_build_dm_name()). Returns
 * false when there is no VG in it.
 */
static bool volume_group_of(const char *dm_name, char *vg, size_t size)
{
	size_t n = 0;

	for (; *dm_name && n + 1 < size; dm_name++) {
		if (*dm_name == '-' && *++dm_name != '-') {
			vg[n] = '\0';
			return n;
		}
		vg[n++] = *dm_name;
	}
	return false;
}

/*
 * All physical volumes of a volume group: with one gone it is not activated at boot (lvm2, pvscan
 * --checkcomplete in 69-dm-lvm.rules). @uuid: as sysfs has it, without hyphens
 *
 * Those physical volumes that no wanted volume lies on are the ones under the group's other volumes,
 * and the ones that pvscan has seen.
 */
static void add_volume_group(struct graph *graph, const char *uuid, const struct cause *cause)
{
	struct cause completes = *cause;
	char path[PATH_MAX], have[256], text[512], real[PATH_MAX], vg[256] = "";
	struct stringset names;
	bool found = false;

	if (cause->kind == CAUSE_HOLDS)
		completes.kind = CAUSE_COMPLETES;
	graph_names(graph, PATH_BLOCK, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_BLOCK "/%s", names.s[i]);
		if (tree_attr(graph->root, path, "dm/uuid", have, sizeof(have)) ||
		    strncmp(have, "LVM-", 4) || strncmp(have + 4, uuid, LVM_UUID_SIZE))
			continue;
		if (!*vg && !tree_attr(graph->root, path, "dm/name", have, sizeof(have)))
			volume_group_of(have, vg, sizeof(vg));
		if (!tree_real_path(graph->root, path, real))
			add_slaves(graph, real, &completes, &found);
	}
	stringset_clear(&names);

	/* lvm2, lib/device/online.c: "MAJ:MIN\nvg:NAME\ndev:PATH\n" */
	graph_names(graph, PATH_PVS_ONLINE, &names);
	for (size_t i = 0; i < names.n && *vg; i++) {
		char *line, *end, *save;
		bool is_ours = false;

		tree_path(path, PATH_PVS_ONLINE "/%s", names.s[i]);
		if (tree_read(graph->root, path, text, sizeof(text)) || !*text)
			continue;
		end = strtok_r(text, "\n", &save);
		while ((line = strtok_r(NULL, "\n", &save)))
			is_ours |= !strncmp(line, "vg:", 3) && !strcmp(line + 3, vg);
		if (is_ours && end && !storage_path(graph, end, real))
			storage_add(graph, real, &completes);
	}
	stringset_clear(&names);
}

/*
 * NVMe over Fibre Channel: the controller's own address has the port of this host
 * ("traddr=nn-0x..:pn-0x..,host_traddr=nn-0x..:pn-0x.."), and a host bus adapter is an fc_host with
 * that port's name (drivers/nvme/host/fabrics.c, nvmf_get_address(); drivers/scsi/scsi_transport_fc.c).
 */
static void add_fibre_channel(struct graph *graph, const char *controller,
			      const struct cause *cause)
{
	struct cause may = *cause;
	char address[512], path[PATH_MAX], real[PATH_MAX], port[64];
	const char *ours = "";
	struct stringset names;
	unsigned int n = 0;

	if (!tree_attr(graph->root, controller, "address", address, sizeof(address))) {
		ours = strstr(address, "host_traddr=");
		ours = ours ? strstr(ours, "pn-") : NULL;
		ours = ours ? ours + strlen("pn-") : "";
	}
	graph_names(graph, PATH_FC_HOST, &names);
	for (size_t i = 0; i < names.n && *ours; i++) {
		tree_path(path, PATH_FC_HOST "/%s", names.s[i]);
		if (!tree_attr(graph->root, path, "port_name", port, sizeof(port)) && *port &&
		    starts_with(ours, port) && !tree_real_path(graph->root, path, real))
			n += graph_add_functions(graph, real, cause) > 0;
	}
	stringset_clear(&names);
	if (n)
		return;
	if (may.kind == CAUSE_HOLDS)
		may.kind = CAUSE_MAY_HOLD;
	graph_note(graph,
		   "%s lies behind NVMe over Fibre Channel: every Fibre Channel adapter is "
		   "protected",
		   cause->name);
	if (!graph_add_class(graph, PATH_FC_HOST, &may))
		graph_add_anything(graph, cause, "NVMe over Fibre Channel");
}

/* One way to a namespace: drivers/nvme/host/sysfs.c has "transport". */
static void add_nvme_controller(struct graph *graph, const char *path, const struct cause *cause)
{
	char transport[32], over[64];

	if (graph_add_functions(graph, path, cause))
		return;
	tree_attr(graph->root, path, "transport", transport, sizeof(transport));
	if (!strcmp(transport, "fc")) {
		add_fibre_channel(graph, path, cause);
	} else if (!strcmp(transport, "tcp") || !strcmp(transport, "rdma")) {
		snprintf(over, sizeof(over), "NVMe over %s", transport);
		graph_add_network(graph, cause, over);
	} else if (starts_with(path, "sys/devices/virtual/")) {
		snprintf(over, sizeof(over), "NVMe over %s", *transport ? transport : "fabrics");
		graph_add_anything(graph, cause, over);
	}
	/* Else it is a board's own, as Apple's are. */
}

static bool is_nvme_controller(const char *name)
{
	return starts_with(name, "nvme") && name[4] && !name[4 + strspn(name + 4, "0123456789")];
}

/*
 * The head of a namespace that NVMe's own multipath made has no PCI parent; the controllers that
 * lead to it are links in its subsystem (drivers/nvme/host/core.c, nvme_init_subsystem()). Without
 * multipath the namespace is below its one controller, which over fabrics has no PCI parent either.
 */
static bool add_nvme(struct graph *graph, const char *path, const struct cause *cause)
{
	char dir[PATH_MAX], link[PATH_MAX], real[PATH_MAX];
	const char *found = strstr(path, "/nvme-subsystem/");
	struct stringset names;
	bool any = false;

	if (!found) {
		tree_path(dir, "%s", path);
		for (char *slash; (slash = strrchr(dir, '/')); *slash = '\0') {
			if (!is_nvme_controller(slash + 1))
				continue;
			add_nvme_controller(graph, dir, cause);
			return true;
		}
		return false;
	}
	found += strlen("/nvme-subsystem/");
	tree_path(dir, "%.*s", (int)(found + strcspn(found, "/") - path), path);
	graph_names(graph, dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (!is_nvme_controller(names.s[i]) || tree_path(link, "%s/%s", dir, names.s[i]) ||
		    tree_real_path(graph->root, link, real))
			continue;
		add_nvme_controller(graph, real, cause);
		any = true;
	}
	stringset_clear(&names);
	return any;
}

/*
 * bcache's slaves are there on every kernel we know; its own links are followed as well, since the
 * cache is as much needed as what it caches (drivers/md/bcache/super.c, bcache_device_link()).
 */
static void add_bcache(struct graph *graph, const char *path, const struct cause *cause,
		       bool *found)
{
	char link[PATH_MAX], set[PATH_MAX], real[PATH_MAX];
	struct stringset names;

	if (tree_path(link, "%s/bcache", path) || strncmp(base_name(path), "bcache", 6) ||
	    tree_real_path(graph->root, link, real))
		return;
	/* The link leads to the "bcache" directory of the device that is cached. */
	*strrchr(real, '/') = '\0';
	storage_add(graph, real, cause);
	*found = true;
	if (tree_path(link, "%s/bcache/cache", path) || tree_real_path(graph->root, link, set))
		return;
	graph_names(graph, set, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.s[i], "cache", 5) || !isdigit((unsigned char)names.s[i][5]))
			continue;
		if (tree_path(link, "%s/%s", set, names.s[i]) ||
		    tree_real_path(graph->root, link, real))
			continue;
		*strrchr(real, '/') = '\0';
		storage_add(graph, real, cause);
	}
	stringset_clear(&names);
}

/* A swap volume in a pool: udev links zvol/POOL/NAME to it (zfs, 60-zvol.rules). */
static void add_zvol(struct graph *graph, const char *path, const struct cause *cause)
{
	const struct udev_record *record = NULL;
	char devno[32];

	if (!tree_attr(graph->root, path, "dev", devno, sizeof(devno)))
		record = udev_find(graph, devno);
	for (size_t i = 0; record && i < record->links.n; i++) {
		if (!strncmp(record->links.s[i], "zvol/", 5)) {
			pools_add_dataset(graph, record->links.s[i] + 5, cause);
			return;
		}
	}
	pools_add_dataset(graph, NULL, cause);
}

/* The path of a software iSCSI disk has a "session1" and no PCI function. */
static bool is_iscsi(const char *path)
{
	const char *session = strstr(path, "/session");

	return session && isdigit((unsigned char)session[strlen("/session")]);
}

/* How a disk without a function of its own is reached, if over the network; or NULL. */
static const char *network_of(const char *path)
{
	static const char *const names[] = { "nbd", "rbd", "rnbd" };
	const char *name = base_name(path);

	if (is_iscsi(path))
		return "iSCSI";
	if (strstr(path, "/vhci_hcd"))
		return "USB/IP";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (starts_with(name, names[i]) && isdigit((unsigned char)name[strlen(names[i])]))
			return name;
	return NULL;
}

/* The same cause, for what leads to a disk instead of containing it. */
static struct cause reached(const struct cause *cause)
{
	struct cause reaches = *cause;

	if (cause->kind == CAUSE_HOLDS)
		reaches.kind = CAUSE_REACHES;
	return reaches;
}

/* "eth0,eth1", or "none" (drivers/block/aoe/aoeblk.c, aoedisk_show_netif()). */
static void add_aoe(struct graph *graph, const char *path, const struct cause *cause)
{
	const struct cause reaches = reached(cause);
	char text[512], *word, *save;
	unsigned int n = 0;

	if (!tree_attr(graph->root, path, "netif", text, sizeof(text)))
		for (word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save))
			n += network_add_interface(graph, word, &reaches);
	if (!n)
		graph_add_network(graph, cause, "AoE");
}

/* FCoE hangs on an interface, which may be a VLAN (drivers/scsi/fcoe/fcoe_sysfs.c). */
static bool add_interface_of(struct graph *graph, const char *path, const struct cause *cause)
{
	const char *found = strstr(path, "/virtual/net/");
	const struct cause reaches = reached(cause);
	char name[NAME_MAX + 1];
	size_t len;

	if (!found)
		return false;
	found += strlen("/virtual/net/");
	len = strcspn(found, "/");
	if (len > NAME_MAX)
		return false;
	memcpy(name, found, len);
	name[len] = '\0';
	if (!network_add_interface(graph, name, &reaches))
		graph_add_network(graph, cause, name);
	return true;
}

/* Memory; but zram may write back, and persistent memory may be on a CXL card. */
static bool add_memory(struct graph *graph, const char *path, const struct cause *cause)
{
	char text[PATH_MAX], disk[PATH_MAX];
	const char *name = base_name(path);

	if (starts_with(name, "zram")) {
		/* Documentation/admin-guide/blockdev/zram.rst */
		if (!tree_attr(graph->root, path, "backing_dev", text, sizeof(text)) &&
		    strcmp(text, "none") && *text && !storage_find(graph, text, disk))
			storage_add(graph, disk, cause);
		return true;
	}
	if (starts_with(name, "pmem")) {
		/* drivers/cxl/pmem.c: the bus of such a region is a child of the bridge. */
		if (strstr(path, "/nvdimm-bridge"))
			graph_add_class(graph, PATH_CXL, cause);
		return true;
	}
	return starts_with(name, "ram");
}

void storage_add_mtd(struct graph *graph, const struct cause *cause)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct stringset names;
	bool is_known = false;

	graph_names(graph, PATH_MTD, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_MTD "/%s", names.s[i]);
		if (tree_real_path(graph->root, path, real))
			continue;
		/* Else it is the board's own flash, or that of a driver that names no parent. */
		is_known |= graph_add_functions(graph, real, cause) ||
			    !starts_with(real, "sys/devices/virtual/");
	}
	stringset_clear(&names);
	if (!is_known)
		graph_add_anything(graph, cause, "a flash device");
}

/* A device that has no PCI function of its own and is not built on another. */
static void add_without_function(struct graph *graph, const char *path, const struct cause *cause)
{
	const char *name = base_name(path), *network = network_of(path);
	char text[PATH_MAX];

	if (add_memory(graph, path, cause) || add_interface_of(graph, path, cause))
		return;
	if (network) {
		graph_add_network(graph, cause, network);
	} else if (starts_with(name, "etherd!")) {
		add_aoe(graph, path, cause);
	} else if (starts_with(name, "ubiblock") || starts_with(name, "mtdblock")) {
		storage_add_mtd(graph, cause);
	} else if (starts_with(name, "zd") && isdigit((unsigned char)name[2])) {
		add_zvol(graph, path, cause);
	} else if (starts_with(path, "sys/devices/virtual/") ||
		   starts_with(path, "sys/devices/tcm_loop") ||
		   starts_with(path, "sys/devices/pseudo")) {
		tree_path(text, "%s, on which %s lies,", name, cause->name);
		graph_add_anything(graph, cause, text);
	}
	/* Else it is a board's own device (MMC, virtio-mmio, VMBus), which no PCI driver can take. */
}

/* ---- the whole ---- */

/* The volume group, or the lock, that a mapping belongs to: libdevmapper's UUIDs begin with it. */
static void add_mapping(struct graph *graph, const char *path, const struct cause *cause)
{
	char text[256];

	if (tree_attr(graph->root, path, "dm/uuid", text, sizeof(text)))
		return;
	if (starts_with(text, "LVM-") && strlen(text) >= 4 + LVM_UUID_SIZE) {
		text[4 + LVM_UUID_SIZE] = '\0';
		graph_add_name(graph, &graph->vgs, text + 4);
	}
	if (starts_with(text, "CRYPT-") &&
	    !tree_attr(graph->root, path, "dm/name", text, sizeof(text)))
		unlock_add(graph, text, cause);
}

void storage_add(struct graph *graph, const char *path, const struct cause *cause)
{
	char text[PATH_MAX], disk[PATH_MAX];
	const char *name = base_name(path);
	bool found;

	if (!graph_add_name(graph, &graph->seen, path))
		return;

	tree_path(text, "%s/partition", path);
	if (tree_exists(graph->root, text)) {
		tree_path(disk, "%.*s", (int)(name - 1 - path), path);
		storage_add(graph, disk, cause);
		return;
	}

	found = graph_add_functions(graph, path, cause);
	add_slaves(graph, path, cause, &found);
	add_bcache(graph, path, cause, &found);
	add_mapping(graph, path, cause);
	if (starts_with(name, "loop") &&
	    !tree_attr(graph->root, path, "loop/backing_file", text, sizeof(text))) {
		filesystem_add_file(graph, text, cause);
		found = true;
	}
	if (starts_with(name, "drbd") && found) {
		/* The other half of a mirror, from which it may have to read. */
		graph_add_network(graph, cause, name);
		return;
	}
	if (!found && !add_nvme(graph, path, cause))
		add_without_function(graph, path, cause);
}

void storage_end(struct graph *graph, const struct cause *cause)
{
	for (size_t i = 0; i < graph->vgs.n; i++) {
		char *uuid = strdup(graph->vgs.s[i]);

		if (!uuid) {
			graph->err = -ENOMEM;
			return;
		}
		add_volume_group(graph, uuid, cause);
		free(uuid);
	}
}
