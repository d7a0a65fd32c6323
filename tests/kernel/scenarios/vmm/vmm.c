// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmm ADDRESS: does to the function what a VMM does at its start, and says how far it got: the group
 * is viable, the device can be opened, memory can be mapped for its DMA, it can be reset. A group that
 * is not viable is an answer, not an error.
 *
 * Exit status: 0 with an answer, 1 when a step failed (its name and errno on stdout).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static void fail(const char *step)
{
	printf("%s: %s\n", step, strerror(errno));
	exit(1);
}

/* The number of the function's group, by its link in sysfs. */
static const char *find_group(const char *address)
{
	static char target[PATH_MAX];
	char link[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", address);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		fail(link);
	target[len] = '\0';
	return strrchr(target, '/') + 1;
}

/* The function's group, with a container of its own; -1 when it is not viable. */
static int open_group(const char *number, int containerfd)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_MAX];
	int groupfd;

	snprintf(path, sizeof(path), "/dev/vfio/%s", number);
	groupfd = open(path, O_RDWR | O_CLOEXEC);
	if (groupfd < 0)
		fail(path);
	if (ioctl(groupfd, VFIO_GROUP_GET_STATUS, &status))
		fail("VFIO_GROUP_GET_STATUS");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		printf("group %s: not viable\n", number);
		return -1;
	}
	printf("group %s: viable\n", number);
	if (ioctl(groupfd, VFIO_GROUP_SET_CONTAINER, &containerfd))
		fail("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(containerfd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		fail("VFIO_SET_IOMMU");
	return groupfd;
}

static void map_memory(int containerfd, const char *address)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = 0x10000000,
		.size = 0x100000,
	};
	void *memory = mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);

	if (memory == MAP_FAILED)
		fail("mmap");
	map.vaddr = (uintptr_t)memory;
	if (ioctl(containerfd, VFIO_IOMMU_MAP_DMA, &map))
		fail("VFIO_IOMMU_MAP_DMA");
	printf("%s: DMA mapped\n", address);
}

int main(int argc, char **argv)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int containerfd, groupfd, devicefd;
	const char *address;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2) {
		puts("usage: vmm ADDRESS");
		return 1;
	}
	address = argv[1];
	containerfd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (containerfd < 0)
		fail("/dev/vfio/vfio");
	groupfd = open_group(find_group(address), containerfd);
	if (groupfd < 0)
		return 0;
	devicefd = ioctl(groupfd, VFIO_GROUP_GET_DEVICE_FD, address);
	if (devicefd < 0)
		fail("VFIO_GROUP_GET_DEVICE_FD");
	if (ioctl(devicefd, VFIO_DEVICE_GET_INFO, &info))
		fail("VFIO_DEVICE_GET_INFO");
	printf("%s: device opened, %u regions, %u interrupts\n", address, info.num_regions,
	       info.num_irqs);
	map_memory(containerfd, address);
	if (!(info.flags & VFIO_DEVICE_FLAGS_RESET)) {
		printf("%s: no reset\n", address);
		return 0;
	}
	if (ioctl(devicefd, VFIO_DEVICE_RESET))
		fail("VFIO_DEVICE_RESET");
	printf("%s: reset\n", address);
	return 0;
}
