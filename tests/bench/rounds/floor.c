// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * floor ADDRESS... MODULE...: the least that hands these functions to vfio-pci: an override each,
 * finit_module() for each module in this order, a look at each driver link. Nothing is checked, asked
 * or said. A MODULE is an absolute path. Exit: 0 when all are bound.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern long finit_module(int fd, const char *options, int flags);

static const char *attribute(const char *address, const char *name)
{
	static char path[128];

	strcpy(path, "/sys/bus/pci/devices/");
	strcat(path, address);
	strcat(path, name);
	return path;
}

static int set_override(const char *address)
{
	int fd = open(attribute(address, "/driver_override"), O_WRONLY | O_CLOEXEC);
	int ret = write(fd, "vfio-pci", 8) == 8;

	close(fd);
	return ret;
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	finit_module(fd, "", 0);
	close(fd);
}

static int is_bound(const char *address)
{
	char link[128];
	ssize_t len = readlink(attribute(address, "/driver"), link, sizeof(link) - 1);

	if (len < 0)
		return 0;
	link[len] = '\0';
	return strstr(link, "/vfio-pci") != NULL;
}

int main(int argc, char **argv)
{
	int ok = 1;

	for (int i = 1; i < argc && *argv[i] != '/'; i++)
		ok &= set_override(argv[i]);
	for (int i = 1; i < argc; i++)
		if (*argv[i] == '/')
			load(argv[i]);
	for (int i = 1; i < argc && *argv[i] != '/'; i++)
		ok &= is_bound(argv[i]);
	return !ok;
}
