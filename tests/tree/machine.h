/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of one machine: its PCI functions, drivers and modules, read from a text record (see
 * README.md), and what the kernel answers when sysfs is written to. No I/O but the record's file
 * and the timeline; the file system that shows it is fakefs.c.
 */
#ifndef TESTS_TREE_MACHINE_H
#define TESTS_TREE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define NAME_SIZE     64
#define MAX_FUNCTIONS 8192
#define MAX_DRIVERS   64
#define MAX_MODULES   32
#define MAX_UNITS     8

/* What a store returns when the caller is to wait for ever, as inside a driver's remove(). */
#define STORE_HANGS 1

struct function {
	char addr[NAME_SIZE];
	unsigned int domain, bus, dev, fn;
	int group;	 /* -1: none */
	bool has_group;	 /* the link is there: at once, or with "groups-late" from a probe on */
	bool is_noiommu; /* the group is one that vfio made for want of any */
	unsigned int class;
	unsigned int id[4];	/* vendor, device and those of the subsystem */
	char under[NAME_SIZE];	/* the bridge, or VMD endpoint, that it lies behind */
	char driver[NAME_SIZE]; /* now; "" when none */
	char native[NAME_SIZE]; /* the one that takes it when it is probed without an override */
	char override[NAME_SIZE];
	char physfn[NAME_SIZE]; /* of a virtual function: the physical one */
	/* "" where there is no such attribute: what it offers, with blanks, and what is in force */
	char resets[NAME_SIZE], reset_method[NAME_SIZE];
	char d3cold[NAME_SIZE], power[NAME_SIZE];
	int boot_vga; /* -1: no such attribute */
	unsigned int numvfs, totalvfs;
	bool no_autoprobe;	  /* sriov_drivers_autoprobe is 0 */
	bool is_unmade;		  /* made by a store to its physical function's sriov_numvfs */
	unsigned int makes;	  /* the most that its driver makes at once; 0: totalvfs */
	unsigned int busy_stores; /* so many stores to sriov_numvfs answer EBUSY */
	unsigned int appears;	  /* there from this run on */
	unsigned int replugged, given_back; /* before this run */
	unsigned int adds; /* ms: no driver matches it before, pci_bus_add_device() */
	bool is_added;
	int shown_group;   /* the one that the file system has nodes for */
	unsigned int node; /* of its directory in the file system, 0 when not there yet */

	/* Hazards */
	bool unbind_hangs, unbind_ignored, bind_hangs, bind_ignored, override_ignored,
		override_hangs;
	bool uevent_hangs, settings_ignored, numvfs_hangs, numvfs_ignored, probe_hangs;
	int unbind_error, bind_error, probe_error, override_error, uevent_error, numvfs_error;

	bool locked;  /* a driver hangs inside remove(): the device lock is held */
	bool touched; /* something was stored for it */
	char first_driver[NAME_SIZE], first_override[NAME_SIZE];
	char first_d3cold[NAME_SIZE], first_power[NAME_SIZE];
	bool first_no_autoprobe;
};

struct driver {
	char name[NAME_SIZE];
	bool is_registered;
	bool has_node;
};

struct module {
	char name[NAME_SIZE];
	char path[256];
	char needs[NAME_SIZE]; /* a module without which its symbols are unknown */
	char driver[NAME_SIZE];
	int error; /* what finit_module() fails with */
	bool modprobe_works, modprobe_is_late, is_due, is_loaded, hangs;
};

struct machine {
	struct function fn[MAX_FUNCTIONS];
	unsigned int count;
	struct driver driver[MAX_DRIVERS];
	unsigned int drivers;
	struct module module[MAX_MODULES];
	unsigned int modules;
	char unit[MAX_UNITS][NAME_SIZE]; /* in /sys/class/iommu */
	unsigned int units;
	char acpi[MAX_UNITS][NAME_SIZE];
	unsigned int acpis;
	char cmdline[8192];
	char model[NAME_SIZE]; /* of the board, by its device tree */
	char *interrupts, *iomem;
	char noiommu[4];
	char release[NAME_SIZE]; /* of the kernel; "" is 6.12.0 */
	bool has_vmcore;	 /* this kernel saves the dump of one that crashed */
	bool has_efifb, has_no_pci, has_no_kmsg, has_no_cmdline;
	bool groups_are_late; /* a function gets its group when a driver probes it */
	bool unset_is_empty;  /* an override that is not set reads "" and not "(null)" */
	FILE *timeline;	      /* everything that is done to the machine, in order */
	bool brief;	      /* without its writes */
	unsigned int faults;  /* things that the model does not know: the test fails */
	unsigned int writes;
};

/* machine_init - a machine without anything. */
void machine_init(struct machine *m);

/*
 * machine_add_line - one line of a record. The text is cut up.
 * Returns false when it is not understood.
 */
bool machine_add_line(struct machine *m, char *line);

/* machine_start - the state before the first run is complete: it is what the end is compared to. */
void machine_start(struct machine *m);

struct function *machine_find(struct machine *m, const char *addr);
struct driver *machine_driver(struct machine *m, const char *name);

/* machine_event, machine_fault - a line of the timeline; a fault also fails the test. */
__attribute__((format(printf, 2, 3))) void machine_event(struct machine *m, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void machine_fault(struct machine *m, const char *fmt, ...);

/* Stores, as the kernel has them. Each returns 0, -errno or STORE_HANGS. */
/* machine_store_setting - reset_method, d3cold_allowed or power/control; "held" is its value. */
int machine_store_setting(struct machine *m, struct function *fn, const char *name, char *held,
			  const char *text);

/*
 * machine_store_numvfs - sriov_numvfs of a physical function: those of the record that are still to be made
 * appear, in its order, and are probed. The caller shows them afterwards.
 */
int machine_store_numvfs(struct machine *m, struct function *fn, const char *text);

/* machine_store_autoprobe - sriov_drivers_autoprobe: may a driver probe one that has no override? */
int machine_store_autoprobe(struct machine *m, struct function *fn, const char *text);

int machine_store_override(struct machine *m, struct function *fn, const char *text);
int machine_store_bind(struct machine *m, struct driver *driver, const char *text);
int machine_store_unbind(struct machine *m, struct driver *driver, const char *text);
int machine_store_probe(struct machine *m, const char *text);
int machine_store_efifb(struct machine *m, const char *text);

/* machine_before - what happens to the machine before a run: functions come back, or are given back. */
void machine_before(struct machine *m, unsigned int run);

/* machine_tick - so many ms after the run's start: pci_bus_add_device() of what is due. */
void machine_tick(struct machine *m, unsigned int ms);

/* machine_load - finit_module() of the file at this path. Returns 0, -errno or STORE_HANGS. */
int machine_load(struct machine *m, const char *path, const char *options, int flags);

/* machine_modprobe - /sbin/modprobe with these arguments. Returns 0 or -errno. */
int machine_modprobe(struct machine *m, const char *arguments);

/* machine_print_end - what became of every function. */
void machine_print_end(struct machine *m);

#endif
