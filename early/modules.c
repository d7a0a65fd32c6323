// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * finit_module() of the planned list; see modules.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

/*
 * The plan names no suffix: bookworm unpacks modules into the image, trixie leaves them compressed.
 */
static const char suffixes[][8] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };

const char *modules_name(const struct plan_module *module)
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
 * modprobe reads no configuration (-C): the plan already has the options, and the image's
 * modprobe.d may still have the "ids=" that the plan replaces. The dependencies are loaded: they
 * come earlier in the plan.
 */
static int run_modprobe(const struct plan_module *module)
{
	const char *argv[6 + MODPROBE_MAX_OPTIONS] = { "modprobe", "-q", "-C", "/dev/null",
						       modules_name(module) };
	char *envp[] = { NULL };
	unsigned int argc = 5;
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* The child's own copy of the plan's text, so it may be cut up. */
		char *rest = (char *)module->options;

		while (*(argv[argc] = text_word(&rest)))
			if (argc++ == 4 + MODPROBE_MAX_OPTIONS)
				_exit(126);
		argv[argc] = NULL;
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

	/* EPERM and a rejected key are final: modprobe would get the same answer. */
	if (result->step == MODULE_LOAD && compressed && result->error != EPERM &&
	    result->error != EKEYREJECTED)
		result->step = run_modprobe(module) ? MODULE_MODPROBE : MODULE_LOADED;
}
