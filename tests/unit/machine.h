/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that is built for one test in a temporary directory: directories, attributes and links as
 * the kernel lays them out, below one root. Every failure of its own fails the test. Paths are
 * relative to the root.
 */
#ifndef TESTS_UNIT_MACHINE_H
#define TESTS_UNIT_MACHINE_H

#include <stddef.h>

#define PCI0 "sys/devices/pci0000:00/"
#define AHCI PCI0 "0000:00:17.0"

#define ROUTE_HEAD \
	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

/* A network interface's flags: broadcast and multicast, but not up. */
#define SET_DOWN "0x1002\n"

/* machine_setup, machine_teardown - cmocka's, around each test. */
int machine_setup(void **state);
int machine_teardown(void **state);

/* machine_mark - keep what there is; machine_rewind - remove what was made since. */
void machine_mark(void);
void machine_rewind(void);

struct protect_facts;
struct protect_source;

/* machine_collect - protect_collect() and its kin, of this machine. Fails the test on an error. */
void machine_collect(int (*collect)(const struct protect_source *source,
				    struct protect_facts *facts),
		     struct protect_facts *facts);

/* machine_root - its root directory. */
const char *machine_root(void);

/* machine_below - a path with the root in front. Valid until the next call. */
char *machine_below(const char *path);

/* machine_path - snprintf(); good until the test ends, or is rewound. */
char *machine_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

void machine_dirs(const char *path);
void machine_put(const char *path, const char *text);
void machine_append(const char *path, const char *text);
void machine_put_bytes(const char *path, const void *data, size_t size, const char *mode);

void machine_put_fifo(const char *path);

/* machine_link - both relative to the root; the link is made relative, as sysfs makes its own. */
void machine_link(const char *path, const char *target);

/* machine_add_pci - a PCI function by its path in sysfs; its bridges are to be made on their own. */
void machine_add_pci(const char *path, const char *vendor, const char *device);

/* machine_add_block - a block device, machine_add_disk a whole one, machine_add_part a partition. */
void machine_add_block(const char *path, const char *devno);
void machine_add_disk(const char *path, const char *devno);
void machine_add_part(const char *path, const char *devno);

void machine_add_slave(const char *path, const char *slave);

/* machine_add_mapping - of the device mapper. Returns its path. */
char *machine_add_mapping(const char *kernel_name, const char *devno, const char *dm_name,
			  const char *dm_uuid);

/* machine_add_udev - udev's record of a block device: lines of "S:LINK" and "E:KEY=VALUE". */
void machine_add_udev(const char *devno, const char *lines);

void machine_add_mount(const char *devno, const char *fs_root, const char *target, const char *type,
		       const char *source, const char *options);

void machine_add_interface(const char *path);

/* machine_add_nic - DEVICE/net/NAME with the device link that the kernel makes. */
void machine_add_nic(const char *device, const char *name);

void machine_add_virtual_nic(const char *name);
void machine_add_lower(const char *upper, const char *lower);
void machine_add_default_route(const char *name);

/* machine_add_nvme - an NVMe with its port: nvmeN at 259:(10 * N), p1 and p2. Returns its disk. */
const char *machine_add_nvme(unsigned int n);

/* machine_add_sata - sda at 8:0 and sda1 at 8:1, sdb at 8:16; all on AHCI. Returns the disk. */
char *machine_add_sata(unsigned int n);

#endif
