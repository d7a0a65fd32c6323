// SPDX-License-Identifier: GPL-2.0-or-later
/* Asks the kernel about an IOMMU group; see groups_ask.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/groups_ask.h"
#include "early/sysfs.h"
#include "host/users.h"
#include "util/file.h"

#define PATH_PROC_LOCKS "proc/locks"
#define PATH_VM_LOCK	"run/lock/qemu-server/lock-%u.conf" /* PVE::QemuConfig, config_file_lock */

const char *ask_result_name(enum ask_result result)
{
	static const char *const names[] = {
		[ASK_NOT_ASKED] = "",	 [ASK_VIABLE] = "viable",   [ASK_NOT_VIABLE] = "not-viable",
		[ASK_IN_USE] = "in-use", [ASK_SKIPPED] = "skipped", [ASK_UNKNOWN] = "unknown",
	};

	return names[result];
}

/* "1: FLOCK  ADVISORY  WRITE 812 00:1a:1234 0 EOF": 1234 is the inode. */
static int look_for_lock(const char *line, void *arg)
{
	const unsigned long *inode = arg;
	unsigned long found;

	return sscanf(line, "%*s %*s %*s %*s %*d %*x:%*x:%lu", &found) == 1 && found == *inode;
}

/*
 * `qm start` takes the lock of the VM's config before it takes the devices. This only looks at it.
 */
static bool is_starting(const struct host *host, unsigned int id)
{
	char path[SYSFS_PATH_MAX];
	unsigned long inode;
	struct stat st;

	if (file_stat(host->root.fd, sysfs_path(path, PATH_VM_LOCK, id), &st))
		return false;
	inode = (unsigned long)st.st_ino;
	return file_for_each_line(host->root.fd, PATH_PROC_LOCKS, look_for_lock, &inode) == 1;
}

/* A VM that has or is about to take a function of the group. Returns its VMID, or 0. */
static unsigned int find_vm(const struct host *host, const struct pve *pve,
			    struct host_function **fn, size_t count, bool *starts)
{
	*starts = false;
	for (size_t i = 0; i < count; i++)
		if (pve_user(pve, &fn[i]->pci.addr))
			return pve_user(pve, &fn[i]->pci.addr);
	for (size_t i = 0; i < pve->entries; i++) {
		const struct pve_entry *entry = &pve->entry[i];
		bool has_any = false;

		for (size_t j = 0; j < count; j++)
			has_any |= entry->flags[fn[j] - host->fn] & (PVE_NAMED | PVE_TAKEN);
		*starts = has_any && is_starting(host, entry->vm->id);
		if (*starts)
			return entry->vm->id;
	}
	return 0;
}

static void name_process(struct host *host, struct host_function **fn, size_t count,
			 struct ask_answer *answer)
{
	struct users users = { 0 };

	answer->result = ASK_IN_USE;
	for (size_t i = 0; i < count && !users.count; i++) {
		struct pci_function facts = fn[i]->pci;

		if (!pci_is_with_vfio(&facts))
			continue;
		pci_read_details(host->root.fd, &facts);
		if (users_find(host, &facts, 1, USERS_OF_VM, NULL, &users))
			break;
	}
	if (users.count)
		user_words(&users.list[0], answer->why, sizeof(answer->why));
	users_free(&users);
}

/*
 * Names a function whose driver makes the kernel refuse the group, because it does not trust its
 * DMA (drivers/vfio, "viable").
 */
static void name_function(struct host_function **fn, size_t count, struct ask_answer *answer)
{
	char addr[PCI_ADDRESS_SIZE];

	answer->result = ASK_NOT_VIABLE;
	for (size_t i = 0; i < count; i++) {
		if (host_is_viable_driver(fn[i]->pci.driver))
			continue;
		snprintf(answer->why, sizeof(answer->why), "%s is on %s",
			 pci_address_format(&fn[i]->pci.addr, addr), fn[i]->pci.driver);
		return;
	}
	answer->disagrees = true;
	snprintf(answer->why, sizeof(answer->why),
		 "nothing in it is in the way, but the kernel says that it is not viable: please "
		 "report this, with the output of vfio-early groups --ask --json");
}

void ask_group(struct host *host, const struct pve *pve, int group, struct host_function **fn,
	       size_t count, struct ask_answer *answer)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[SYSFS_PATH_MAX];
	bool is_bound = false, starts;
	unsigned int vm;
	int fd;

	*answer = (struct ask_answer){ .result = ASK_NOT_ASKED };
	for (size_t i = 0; i < count; i++)
		is_bound |= pci_is_with_vfio(&fn[i]->pci);
	if (!is_bound)
		return;
	vm = find_vm(host, pve, fn, count, &starts);
	if (vm) {
		answer->result = ASK_SKIPPED;
		snprintf(answer->why, sizeof(answer->why), starts ? "VM %u starts" : "VM %u has it",
			 vm);
		return;
	}
	sysfs_path(path, "dev/vfio/%u", (unsigned int)group);
	fd = sysfs_open_below(host->root.fd, path, O_RDWR, 0);
	if (fd == -EBUSY) {
		name_process(host, fn, count, answer);
		return;
	}
	answer->result = ASK_UNKNOWN;
	if (fd < 0 || ioctl(fd, VFIO_GROUP_GET_STATUS, &status))
		snprintf(answer->why, sizeof(answer->why), "/dev/vfio/%d: %s", group,
			 strerror(fd < 0 ? -fd : errno));
	else if (status.flags & VFIO_GROUP_FLAGS_VIABLE)
		answer->result = ASK_VIABLE;
	else
		name_function(fn, count, answer);
	if (fd >= 0)
		close(fd);
}
