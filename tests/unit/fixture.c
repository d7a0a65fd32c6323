// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A root directory for one test; see fixture.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/fixture.h"

static char root[PATH_MAX];
static int rootfd = -1;

void fixture_temporary(char *path)
{
	const char *dir = getenv("TMPDIR");

	snprintf(path, PATH_MAX, "%s/vfio-early-unit-XXXXXX", dir && *dir ? dir : "/tmp");
	assert_non_null(mkdtemp(path));
}

int fixture_begin(void)
{
	fixture_temporary(root);
	rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(rootfd >= 0);
	return rootfd;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_end(void)
{
	close(rootfd);
	assert_int_equal(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *fixture_path(void)
{
	return root;
}

void fixture_dir(const char *path)
{
	char part[PATH_MAX];

	for (size_t i = 1;; i++) {
		if (path[i] && path[i] != '/')
			continue;
		assert_true(i < sizeof(part));
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdirat(rootfd, part, 0755))
			assert_int_equal(errno, EEXIST);
		if (!path[i])
			return;
	}
}

static void make_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	if (!slash)
		return;
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	fixture_dir(parent);
}

void fixture_file(const char *path, const char *fmt, ...)
{
	va_list args;
	FILE *file;
	int fd;

	make_parent(path);
	fd = openat(rootfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	fclose(file);
}

void fixture_link(const char *path, const char *target)
{
	make_parent(path);
	assert_int_equal(symlinkat(target, rootfd, path), 0);
}

const char *fixture_read(const char *path)
{
	static char text[65536];
	int fd = openat(rootfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return "(missing)";
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

void fixture_function(const char *addr, unsigned int class, const char *id, int group,
		      const char *driver)
{
	unsigned int vendor, device, subvendor = 0, subdevice = 0;
	char path[256], target[256], line[128] = "";

	assert_true(sscanf(id, "%x:%x:%x:%x", &vendor, &device, &subvendor, &subdevice) >= 2);
	if (driver)
		snprintf(line, sizeof(line), "DRIVER=%s\n", driver);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/uevent", addr);
	fixture_file(path,
		     "%sPCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
		     "PCI_SLOT_NAME=%s\n",
		     line, class, vendor, device, subvendor, subdevice, addr);
	if (driver) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", addr);
		snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
		fixture_link(path, target);
	}
	if (group >= 0) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/iommu_group", addr);
		snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%d", group);
		fixture_link(path, target);
		snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/devices/%s", group, addr);
		fixture_link(path, "../../../../devices/pci0000:00");
	}
}

void fixture_plan(struct plan *plan, const char *text)
{
	static struct plan_errors errors;
	static char copy[PLAN_MAX_TEXT];
	unsigned int count;

	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	memset(&errors, 0, sizeof(errors));
	plan_init(plan);
	count = plan_parse(plan, copy, strlen(copy), PLAN_COMPILED, &errors);
	if (count)
		fail_msg("%u:%u: %s", errors.error[0].line, errors.error[0].column,
			 errors.error[0].what);
}
