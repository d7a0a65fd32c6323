/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses a function now, and would lose it: processes with a node of it open, what is mounted or
 * assembled on it, its network interfaces, the console, a VM. Reads only. What cannot be found out is a
 * user too.
 *
 * Nodes are those that sysfs has below the function ("dev" files), the volumes that stand on them, NVMe's
 * own multipath, vfio's group and NVIDIA's nodes, which sysfs does not tie to the function.
 */
#ifndef VFIO_EARLY_HOOK_HOST_USERS_H
#define VFIO_EARLY_HOOK_HOST_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/host.h"
#include "protect/protect.h"

/* X(enum constant, code) */
/* clang-format off */
#define USER_CODES(X) \
	X(USER_PROCESS, "open-node")		/* a process has a node of it open */ \
	X(USER_FILE, "open-file")		/* or a file on a file system that is on it */ \
	X(USER_STORAGE, "disk-in-use")		/* a file system, swap, pool, volume or array */ \
	X(USER_HOLDER, "disk-held")		/* another block device stands on it */ \
	X(USER_ADDRESS, "address-in-use")	/* an interface of it has an address */ \
	X(USER_UPPER, "interface-in-bridge")	/* a bridge, bond or VLAN stands on an interface */ \
	X(USER_NAMESPACE, "interface-in-namespace") /* an interface is a container's */ \
	X(USER_UP, "interface-up")		/* an interface is up, and nothing stands on it */ \
	X(USER_CONSOLE, "console") \
	X(USER_VM, "vm-running")		/* a VM has it, or is about to */ \
	X(USER_MODESET, "driver-holds")		/* nvidia_drm holds the card itself */ \
	X(USER_UNKNOWN, "users-unknown")	/* it could not be found out */
/* clang-format on */

enum user_code {
#define USER_ENUM(name, code) name,
	USER_CODES(USER_ENUM)
#undef USER_ENUM
	USERS_CODES
};

struct user {
	enum user_code code;
	struct pci_address addr; /* of the function */
	char what[256];		 /* "/dev/nvme0, /dev/nvme0n1"; "enp3s0" */
	bool is_cut;	   /* it has more than "what" has room for, which then ends in "..." */
	unsigned int vmid; /* of a VM that Proxmox VE says has it, or 0 */
	int pid;	   /* or 0 */
	char process[32];  /* its name, or "" */
};

struct users {
	struct user *list;
	size_t count;
};

/* What to look for. */
enum users_scope {
	USERS_OF_DRIVER, /* everything that its own driver gives the host */
	USERS_OF_VM,	 /* VMs alone: it is with vfio */
};

/*
 * users_find - who uses these functions now.
 * @fn, @count: with the facts of pci_read_details()
 * @source: what the host has on its disks and interfaces; NULL with USERS_OF_VM
 * @users: zeroed; gets them; users_free() in any case
 *
 * Returns 0, or -ENOMEM after saying so.
 */
int users_find(struct host *host, const struct pci_function *fn, size_t count,
	       enum users_scope scope, const struct protect_source *source, struct users *users);

void users_free(struct users *users);

const char *user_code_name(enum user_code code);

/* user_may_be_forced - a console, or an interface on which nothing stands: no data is lost with it. */
bool user_may_be_forced(const struct user *user);

/* user_words, user_fix - in words; of the second "" where nothing is to be named. Return buf. */
const char *user_words(const struct user *user, char *buf, size_t size);
const char *user_fix(const struct user *user, char *buf, size_t size);

#endif
