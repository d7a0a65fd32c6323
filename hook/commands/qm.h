/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qm(1), by which Proxmox VE changes a VM: what a VM has, and calls that change it, without a shell in
 * between. Knows nothing of PCI.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_QM_H
#define VFIO_EARLY_HOOK_COMMANDS_QM_H

#include <limits.h>
#include <stdbool.h>

#include "host/host.h"

#define QM_MAX_HOSTPCI 16 /* PVE::QemuServer::PCI, $MAX_HOSTPCI_DEVICES */
#define QM_MAX_USB     14 /* PVE::QemuServer::USB, $MAX_USB_DEVICES; 5 below machine version 7.1 */
#define QM_MAX_CALLS   (QM_MAX_HOSTPCI + QM_MAX_USB + 3) /* and machine, bios, efidisk0 */
#define QM_WORDS       4 /* "set", the VM, an option and its value */

struct qm_call {
	char *word[QM_WORDS];
};

/* What `qm config` says, as far as it concerns us. */
struct qm_config {
	bool is_known;
	bool has_q35, has_ovmf, has_efidisk, has_disk;
	char storage[64]; /* of the first disk */
	char *hostpci[QM_MAX_HOSTPCI];
	char *usb[QM_MAX_USB];
};

struct qm {
	char path[PATH_MAX]; /* "" where there is none */
	struct qm_config config;
	struct qm_call call[QM_MAX_CALLS];
	unsigned int calls;
};

/*
 * qm_read - what a VM has: of a recorded machine its file, of this host what `qm config` says.
 * @qm: zeroed; qm_free() in any case
 * @id: its VMID
 *
 * Without qm and without a file nothing is known, and that is no error. Returns 0, or -errno after
 * saying what is wrong.
 */
int qm_read(struct qm *qm, const struct host *host, const char *id);

/* qm_set - one more call for qm_run(). False when memory ran out. */
bool qm_set(struct qm *qm, const char *id, const char *option, const char *value);

/* qm_run - the calls, one after the other, up to the first that fails. Returns as qm_read() does. */
int qm_run(const struct qm *qm);

void qm_free(struct qm *qm);

#endif
