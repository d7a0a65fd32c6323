// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfs-floor [OPTION...] PF FIRST COUNT --root ROOT: only the writes that hand COUNT virtual functions of PF to
 * vfio-pci, the first of which is FIRST: reads nothing, checks nothing, says nothing. What vfio-early vfs
 * is measured against.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int store(int rootfd, const char *path, const char *text)
{
	int fd = openat(rootfd, path, O_WRONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return len != (ssize_t)strlen(text);
}

static int store_of(int rootfd, const char *addr, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", addr, name);
	return store(rootfd, path, text);
}

int main(int argc, char **argv)
{
	unsigned int domain, bus, dev, fn, count;
	int rootfd, failed;

	if (argc != 6 || sscanf(argv[2], "%x:%x:%x.%x", &domain, &bus, &dev, &fn) != 4)
		return 2;
	count = (unsigned int)atoi(argv[3]);
	rootfd = open(argv[5], O_PATH | O_DIRECTORY | O_CLOEXEC);
	failed = store_of(rootfd, argv[1], "sriov_drivers_autoprobe", "0") ||
		 store_of(rootfd, argv[1], "sriov_numvfs", argv[3]) ||
		 store_of(rootfd, argv[1], "sriov_drivers_autoprobe", "1");
	for (unsigned int i = 0; i < count && !failed; i++) {
		unsigned int at = dev * 8 + fn + i;
		char addr[32];

		snprintf(addr, sizeof(addr), "%04x:%02x:%02x.%u", domain, bus + at / 256,
			 at / 8 % 32, at % 8);
		failed = store_of(rootfd, addr, "driver_override", "vfio-pci") ||
			 store(rootfd, "sys/bus/pci/drivers/vfio-pci/bind", addr);
	}
	return failed;
}
