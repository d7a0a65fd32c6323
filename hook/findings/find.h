/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the finders; only for this directory. */
#ifndef VFIO_EARLY_HOOK_FINDINGS_FIND_H
#define VFIO_EARLY_HOOK_FINDINGS_FIND_H

#include <libkmod.h>

#include "findings/findings.h"
#include "findings/recipes.h"
#include "host/boot_report.h"
#include "host/pve.h"
#include "protect/protect.h"

struct search {
	struct host *host;
	struct findings *findings;
	const char *kernel; /* or NULL */
	struct recipes recipes;
	struct kmod_ctx *kmod;		/* NULL: no kernel to look into */
	struct protect_source *source;	/* ours, where the plan was given as a text */
	struct protect_facts addressed; /* what carries an address now */
	struct protect_facts used;	/* what has something in use on it */
	struct protect_facts before;	/* what this host needed when its last image was made */
	struct pve pve;			/* the VMs of this host */
	bool knows_resets; /* some function has a reset_method: the kernel tells (from 5.15) */
};

/* find_is_taken - does the next boot give it to vfio? @fn: or NULL */
bool find_is_taken(const struct search *search, const struct host_function *fn);

/* A line of the config, for findings about it. */
struct find_line {
	char where[320]; /* "/etc/vfio-early.conf:3"; "config" if that is not known */
	char text[320];	 /* "bind 81:00", as it was written */
	char both[660];	 /* "bind 81:00 (/etc/vfio-early.conf:3)" */
};

/*
 * find_line - the config line of a line of the plan.
 * @number: its index in the plan
 *
 * Returns @line.
 */
const struct find_line *find_line(const struct search *search, enum compiler_line kind,
				  unsigned int number, struct find_line *line);

/* find_concern - all findings from now on are about this IOMMU group. */
void find_concern(struct search *search, size_t from, int group);

/* Each adds what it finds. */
void find_machine(struct search *search);
void find_iommu(struct search *search);
void find_config(struct search *search);
void find_vfs(struct search *search);
void find_sets(struct search *search);
/* About a function that this boot bound. */
void find_set_outcome(struct search *search, const struct boot_report_entry *entry);
void find_refusals(struct search *search);
void find_groups(struct search *search);
void find_devices(struct search *search);
void find_vms(struct search *search);
void find_containers(struct search *search);
void find_recipes(struct search *search);
void find_loader(struct search *search, const char *wanted);
void find_next(struct search *search);
void find_trial(struct search *search);

/* Those return 0, or -errno after saying that memory ran out. */
int find_images(struct search *search);

#endif
