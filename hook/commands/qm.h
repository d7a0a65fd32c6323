/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qm(1) and pvesh(1), with which Proxmox VE changes a VM and a mapping: reads the config of a VM,
 * and runs calls that change it, without a shell. Knows nothing about PCI.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_QM_H
#define VFIO_EARLY_HOOK_COMMANDS_QM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/host.h"
#include "host/pve.h"

struct qm_call {
	char **word; /* "qm", "set", the VM, an option and its value; or "pvesh", ... */
	size_t words;
};

struct qm {
	char path[PATH_MAX]; /* "" if there is none */
	struct pve_config config;
	bool is_known; /* the config was read */
	struct qm_call *call;
	size_t calls;
};

/*
 * qm_read - read the config of a VM: from its file on a recorded machine, from `qm config` on this
 * host.
 * @qm: zeroed; call qm_free() in any case
 * @pve: of this machine
 * @id: its VMID
 *
 * It is not an error if there is neither qm nor a file: then nothing is known. Returns 0, or -errno
 * after printing an error.
 */
int qm_read(struct qm *qm, const struct host *host, const struct pve *pve, const char *id);

/*
 * qm_add - add a call for qm_run().
 * @word: the program and its arguments; copied
 *
 * Returns 0 or -ENOMEM.
 */
int qm_add(struct qm *qm, const char *const *word, size_t words);

/*
 * qm_run - run the calls one after the other, until one fails. Returns 0, or -errno after printing
 * an error.
 */
int qm_run(const struct qm *qm);

void qm_free(struct qm *qm);

#endif
