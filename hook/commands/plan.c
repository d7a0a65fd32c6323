// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early plan: the plan for the image of one kernel. Called by the hooks of the builders.
 * Writes only this file, and stores what this host needs (plan/facts.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "commands/command.h"
#include "config/state.h"
#include "config/config.h"
#include "host/host.h"
#include "plan/plan.h"
#include "ui/options.h"
#include "util/file.h"
#include "util/message.h"

static const struct options_entry entries[] = {
	{ "kernel", 'k', "VERSION", "for this kernel (default: the running one)" },
	{ "output", 'o', "FILE", "write to FILE, whole or not at all (default: stdout)" },
	{ "cmdline", 'c', NULL, "only cmdline lines: FILE:LINE, a tab, the parameters" },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "plan [OPTION...]",
	.about = "Compiles /etc/vfio-early.conf and /etc/vfio-early.conf.d/*.conf into the plan for\n"
		 "the image of one kernel.\n",
	.entry = entries,
	.common = OPTIONS_ROOT | OPTIONS_REPORT,
	.end = "Exit status: 0 written, 1 written, but a part of the config was left out, or it is\n"
	       "not known what this host needs, 2 usage, 3 nothing was written.\n",
};

/*
 * Writes to /dev/null, /dev/stdout and so on. Replacing one of them by a file would break it for
 * everybody.
 */
static int write_device(const char *name, const char *text, size_t size)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), ret;

	if (fd < 0)
		return -errno;
	ret = file_write(fd, text, size);
	close(fd);
	return ret;
}

static int write_plan(const char *name, const char *text, size_t size)
{
	struct stat st;
	int ret;

	if (name && !stat(name, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		ret = write_device(name, text, size);
		return ret ? message_errno(ret, "cannot write to %s", name) : 0;
	}
	if (name) {
		ret = file_replace(AT_FDCWD, name, NULL, text, size);
		if (ret == FILE_UNSYNCED)
			ret = -errno;
		return ret ? message_errno(ret, "cannot write %s", name) : 0;
	}
	fwrite(text, 1, size, stdout);
	return 0;
}

/*
 * Stores the facts, if the plan is for an image and the user may write them: a user who only looks
 * at a plan leaves nothing behind.
 */
static void keep_facts(const struct root *root, const struct compiler *compiler)
{
	int ret = root->is_host && geteuid() != 0 ? 0 : compiler_keep_facts(compiler);

	if (ret)
		message_warn("what this host needs cannot be kept for an image that is made in a "
			     "chroot: %s",
			     strerror(-ret));
}

static int run(const struct root *root, const char *kernel, const char *output)
{
	struct compiler *compiler;
	char *text = NULL;
	size_t size = 0;
	int ret = compiler_open(root, NULL, 0, state_is(root, STATE_UNDONE), PLAN_SAYS_ALL, NULL,
				&compiler);

	if (!ret)
		ret = compiler_plan(compiler, kernel, &text, &size);
	if (!ret)
		ret = write_plan(output, text, size);
	if (!ret && output)
		keep_facts(root, compiler);
	if (!ret && !compiler_is_whole(compiler))
		ret = COMMAND_INCOMPLETE;
	free(text);
	compiler_close(compiler);
	return ret < 0 ? COMMAND_NOTHING : ret;
}

/* Prints "/etc/vfio-early.conf:7<TAB>auto". No name can contain a newline or a tab. */
static void print_cmdline(const char *name, unsigned int line, const char *text)
{
	for (; *name; name++)
		putchar((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name);
	printf(":%u\t%s\n", line, text);
}

/* For vfio-early-cmdline(8): prints the cmdline line of the config, read by the only parser. */
static int run_cmdline(const struct root *root)
{
	struct config_problem problem;
	struct config config;
	int ret = config_read(root, &config, &problem);

	if (ret) {
		config_say(&problem);
	} else {
		ret = config_each_cmdline(&config, print_cmdline);
		if (ret < 0)
			message_errno(ret, "cannot read the config");
	}
	config_free(&config);
	if (ret < 0)
		return COMMAND_NOTHING;
	return ret ? COMMAND_INCOMPLETE : COMMAND_OK;
}

int command_plan(int argc, char **argv)
{
	const char *kernel = NULL, *output = NULL;
	struct options opts;
	struct utsname uts;
	char running[128], *newest = NULL;
	bool is_cmdline = false;
	struct root root;
	int opt, ret;

	options_init(&opts, &spec);
	while ((opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		switch (opt) {
		case OPTIONS_EXIT:
			return opts.status;
		case 'k':
			kernel = optarg;
			break;
		case 'o':
			output = optarg;
			break;
		case 'c':
			is_cmdline = true;
			break;
		}
	}
	ret = options_no_arguments(&opts, argc, argv);
	if (ret)
		return ret;
	if (is_cmdline && (kernel || output)) {
		message_error("--cmdline makes no plan; fix: leave out --kernel and --output");
		return options_usage(&opts);
	}
	if (root_open(&root, opts.root)) {
		root_close(&root);
		return COMMAND_NOTHING;
	}
	/* The running kernel of the tree, or the newest that it has: this host's own is another's. */
	if (!kernel && !root.is_host && *host_running(&root, running, sizeof(running)))
		kernel = running;
	if (!kernel && !root.is_host && !is_cmdline && !host_newest(&root, &newest))
		kernel = newest;
	if (!kernel && !root.is_host && !is_cmdline) {
		message_error("no kernel in %s/lib/modules, and no plan is made without one; fix: "
			      "name the top of a machine's tree that has one",
			      root.path);
		root_close(&root);
		return COMMAND_NOTHING;
	}
	if (!kernel && !uname(&uts))
		kernel = uts.release;
	ret = is_cmdline || options_is_kernel(kernel) ? COMMAND_OK : COMMAND_USAGE;
	if (!ret)
		ret = is_cmdline ? run_cmdline(&root) : run(&root, kernel, output);
	free(newest);
	root_close(&root);
	return ret;
}
