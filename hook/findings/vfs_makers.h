/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of files on this host that create virtual functions. */
#ifndef VFIO_EARLY_HOOK_FINDINGS_VFS_MAKERS_H
#define VFIO_EARLY_HOOK_FINDINGS_VFS_MAKERS_H

#include "host/host.h"

/* Why a line is not in force. */
enum vfs_maker_idle {
	VFS_MAKER_IN_FORCE,
	VFS_MAKER_HIDDEN,	  /* its file is, by the same name in an earlier directory */
	VFS_MAKER_NOT_EXECUTABLE, /* rc.local is not */
	VFS_MAKER_BEHIND_EXIT,	  /* of rc.local */
};

struct vfs_maker {
	const char *file;  /* "/etc/rc.local", without the root */
	unsigned int line; /* from 1; 0: the whole file */
	const char *text;
	const struct host_function
		*fn;	/* the function that it is about, or NULL: not named, or not there today */
	bool is_named;	/* the line names a function by address */
	char *driver;	/* all functions with this driver, or NULL */
	long number;	/* how many; -1: the line was not fully understood */
	bool is_nvidia; /* it starts NVIDIA's own script, which creates as many as possible */
	enum vfs_maker_idle idle;
	bool is_overwritten; /* a later line of the file writes for the same function: of a 0, any */
			     /* other; of a number, a 0 */
	bool is_unread;	     /* in a file that nothing reads: it creates none */
};

/*
 * vfs_makers_find - look everywhere: sysfs.conf, tmpfiles.d, systemd's .link files, rc.local,
 * units, udev rules, cron, interfaces, max_vfs= of a driver, Proxmox VE's pve-nvidia-sriov; and
 * /etc/pve/sriov.conf, which nothing reads.
 * @each: called with each; its pointers are not valid afterwards
 *
 * What cannot be read is skipped. Returns 0 or -ENOMEM.
 */
int vfs_makers_find(const struct host *host, void (*each)(const struct vfs_maker *maker, void *arg),
		    void *arg);

/* vfs_maker_why_idle - why the line is not in force, as a sentence; "" if it is. */
const char *vfs_maker_why_idle(const struct vfs_maker *maker);

/* vfs_maker_is_of - may it create those of this function? Yes if the line does not name one. */
bool vfs_maker_is_of(const struct vfs_maker *maker, const struct host_function *fn);

#endif
