/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else makes virtual functions on this host: lines of files. */
#ifndef VFIO_EARLY_HOOK_FINDINGS_VFS_MAKERS_H
#define VFIO_EARLY_HOOK_FINDINGS_VFS_MAKERS_H

#include "host/host.h"

struct vfs_maker {
	const char *file;  /* "/etc/rc.local", without the root */
	unsigned int line; /* from 1; 0: the whole file */
	const char *text;
	const struct host_function
		*fn;	    /* whose they are, or NULL: not said there, or not there today */
	bool is_named;	    /* an address says whose they are */
	const char *driver; /* of all functions that have it, or NULL */
	long number;	    /* how many; -1: the line was not understood whole */
	bool is_nvidia;	    /* it starts NVIDIA's own script, which makes as many as there can be */
	bool is_unread;	    /* of a file that nothing reads: it makes none */
};

/*
 * vfs_makers_find - look everywhere: sysfs.conf, tmpfiles.d, .link files of systemd, rc.local, units, udev
 * rules, cron, interfaces, max_vfs= of a driver, Proxmox VE's pve-nvidia-sriov; and /etc/pve/sriov.conf, which
 * nothing reads.
 * @each: called with each; what it points to is gone afterwards
 *
 * What cannot be read is passed over.
 */
void vfs_makers_find(const struct host *host,
		     void (*each)(const struct vfs_maker *maker, void *arg), void *arg);

/* vfs_maker_is_of - may it make those of this function? Where the line does not say whose, it may. */
bool vfs_maker_is_of(const struct vfs_maker *maker, const struct host_function *fn);

#endif
