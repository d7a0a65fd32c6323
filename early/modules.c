// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * finit_module() of the planned list; see modules.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmdline.h"
#include "modules.h"
#include "paths.h"
#include "sysfs.h"
#include "text.h"

#ifdef __KLIBC__
/* In no header of klibc, but a system call stub of its libc (usr/klibc/SYSCALLS.def). */
extern long finit_module(int fd, const char *options, int flags);
#else
#include <sys/syscall.h>
#define finit_module(fd, options, flags) syscall(SYS_finit_module, fd, options, flags)
#endif

/* include/uapi/linux/module.h, which older headers lack */
#define MODULE_INIT_COMPRESSED_FILE 4

#define MODPROBE_MAX_OPTIONS 16

/* The plan names no suffix: bookworm unpacks modules into the image, trixie leaves them packed. */
static const char suffixes[][8] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };

static const char *module_name(const struct plan_module *module)
{
	return strrchr(module->path, '/') + 1;
}

static int open_module(int rootfd, const struct plan_module *module, int *compressed)
{
	int fd = -ENOENT;

	for (unsigned int i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char path[SYSFS_PATH_MAX];

		*compressed = i > 0;
		fd = sysfs_open(rootfd, sysfs_path(path, "%s%s", module->path + 1, suffixes[i]));
		if (fd != -ENOENT)
			break;
	}
	return fd;
}

/*
 * No configuration is read (-C), because the plan already holds the options, and because an
 * image's modprobe.d may still have the "ids=" that the plan replaces. The dependencies are loaded:
 * they came earlier in the plan.
 */
static int run_modprobe(const struct plan_module *module)
{
	const char *argv[6 + MODPROBE_MAX_OPTIONS] = { "modprobe", "-q", "-C", "/dev/null",
						       module_name(module) };
	char *envp[] = { NULL };
	unsigned int argc = 5;
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* The child's own copy of the plan's text, so it may be cut up. */
		char *rest = (char *)module->options;

		while ((argv[argc] = strsep(&rest, " "))) {
			if (argc == 4 + MODPROBE_MAX_OPTIONS)
				_exit(126);
			argc += *argv[argc] != '\0';
		}
		execve(PATH_MODPROBE, (char **)argv, envp);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? -EIO : 0;
}

void modules_load(int rootfd, const struct plan_module *module, struct module_result *result)
{
	int compressed;
	int fd = open_module(rootfd, module, &compressed);

	*result = (struct module_result){ .step = MODULE_LOADED };
	if (fd < 0) {
		result->step = fd == -ENOENT ? MODULE_MISSING : MODULE_OPEN;
		result->error = -fd;
		return;
	}
	if (finit_module(fd, module->options, compressed ? MODULE_INIT_COMPRESSED_FILE : 0) < 0 &&
	    errno != EEXIST) {
		result->error = errno;
		result->step = MODULE_LOAD;
	}
	sysfs_close(fd);

	/* EPERM and a rejected key are the kernel's last word: modprobe would hear the same. */
	if (result->step == MODULE_LOAD && compressed && result->error != EPERM &&
	    result->error != EKEYREJECTED)
		result->step = run_modprobe(module) ? MODULE_MODPROBE : MODULE_LOADED;
}

char *modules_describe(const struct plan_module *module, const struct module_result *result,
		       const char *cmdline, char *buf, size_t size)
{
	const char *name = module_name(module);
	char param[CMDLINE_PARAM_SIZE], plain[SYSFS_PATH_MAX];
	const char *next = "see the kernel's own message above";

	switch (result->step) {
	case MODULE_LOADED:
		buf[0] = '\0';
		return buf;
	case MODULE_MISSING:
		text_format(buf, size,
			    "module %s: %s.ko is not in this image; run update-initramfs -u", name,
			    module->path);
		return buf;
	case MODULE_MODPROBE:
		next = "the kernel cannot unpack it, and modprobe failed";
		break;
	default:
		break;
	}

	/* The kernel's own name for it has no '-' (kernel/module/main.c, blacklisted). */
	text_format(plain, sizeof(plain), "%s", name);
	for (char *c = plain; (c = strchr(c, '-'));)
		*c = '_';
	if (result->error == EPERM && cmdline_find(cmdline, "module_blacklist", plain, param)) {
		text_format(buf, size, "module %s: refused: remove kernel parameter %s", name,
			    param);
		return buf;
	}
	if (result->error == EPERM)
		next = "kernel lockdown or modules_disabled forbids it";
	else if (result->error == EKEYREJECTED || result->error == ENOKEY)
		next = "its signature is of no key that this kernel trusts";
	else if (result->error == ENOEXEC && result->step == MODULE_LOAD)
		next = "it is none of this kernel's modules; run update-initramfs -u";
	text_format(buf, size, "module %s: %s; %s", name, text_error(result->error), next);
	return buf;
}
