/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qm(1) and pvesh(1), by which Proxmox VE changes a VM and a mapping: what a VM has, and calls that change
 * it, without a shell in between. Knows nothing of PCI.
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
	char path[PATH_MAX]; /* "" where there is none */
	struct pve_config config;
	bool is_known; /* config was read */
	struct qm_call *call;
	size_t calls;
};

/*
 * qm_read - what a VM has: of a recorded machine its file, of this host what `qm config` says.
 * @qm: zeroed; qm_free() in any case
 * @pve: of this machine
 * @id: its VMID
 *
 * Without qm and without a file nothing is known, and that is no error. Returns 0, or -errno after
 * saying what is wrong.
 */
int qm_read(struct qm *qm, const struct host *host, const struct pve *pve, const char *id);

/*
 * qm_add - one more call for qm_run().
 * @word: of the program; copied
 *
 * Returns 0 or -ENOMEM.
 */
int qm_add(struct qm *qm, const char *const *word, size_t words);

/* qm_run - the calls, one after the other, up to the first that fails. Returns as qm_read() does. */
int qm_run(const struct qm *qm);

void qm_free(struct qm *qm);

#endif
