// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scan DEVICES ID: how many functions below DEVICES (sys/bus/pci/devices) have this ID ("10DE:1187",
 * as a uevent has it): the least work that answers this, one uevent read for each function. What
 * the scan of vfio-early-bind is measured against.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __KLIBC__
#include <sys/dirent.h>
#else
#include <dirent.h>
#define dirent			dirent64
#define getdents(fd, buf, size) getdents64(fd, buf, size)
#endif

static int has_id(int dirfd, const char *name, const char *id)
{
	char path[64], text[1024];
	const char *found;
	ssize_t len;
	int fd;

	strcpy(path, name);
	strcat(path, "/uevent");
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len < 0)
		return 0;
	text[len] = '\0';
	found = strstr(text, "PCI_ID=");
	return found && !strncmp(found + 7, id, strlen(id));
}

int main(int argc, char **argv)
{
	union {
		struct dirent entry;
		char bytes[2048];
	} buf;
	int dirfd = argc == 3 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
	unsigned int count = 0;
	char line[32];
	int len;

	if (dirfd < 0)
		return 2;
	while ((len = (int)getdents((unsigned int)dirfd, &buf.entry, sizeof(buf))) > 0) {
		for (int at = 0; at < len;) {
			const struct dirent *entry = (const void *)(buf.bytes + at);

			at += entry->d_reclen;
			if (entry->d_name[0] != '.')
				count += (unsigned int)has_id(dirfd, entry->d_name, argv[2]);
		}
	}
	len = snprintf(line, sizeof(line), "%u\n", count);
	return write(1, line, (size_t)len) != len;
}
