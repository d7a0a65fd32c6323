// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Modules of a plan; see modules.h.
 *
 * The list is never hard-coded: vfio_virqfd is there up to 6.1 only, iommufd and irqbypass are
 * modules or built in by version. libkmod's dry run of an insertion gives exactly what modprobe
 * would do. Two traps of it: its config always takes in the command line of the *running* kernel,
 * which says nothing about the next boot; and without modules.builtin.bin a built-in module looks
 * like one that is missing.
 */
#include <dirent.h>
#include <errno.h>
#include <libkmod.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "early/plan.h"
#include "plan/modules.h"
#include "util/message.h"

/*
 * vfio_iommu_type1 is only a soft dependency of vfio, and without it a VMM gets ENODEV. It comes
 * first, so that the group is usable from the moment on that vfio-pci holds the function.
 */
static const char *const wanted[] = { "vfio_iommu_type1", "vfio_pci" };

/* Where modprobe.d(5) says; libkmod's own list has the paths of the running root. */
static const char *const config_dirs[] = {
	"/etc/modprobe.d",     "/run/modprobe.d", "/usr/local/lib/modprobe.d",
	"/usr/lib/modprobe.d", "/lib/modprobe.d",
};

#define N_CONFIG_DIRS (sizeof(config_dirs) / sizeof(config_dirs[0]))

struct resolution {
	const char *root;
	const char *kernel;
	struct kmod_ctx *ctx;
	unsigned int file_options;    /* of the config: the first so many come from files */
	unsigned int file_blacklists; /* the same */
	FILE *out;
	void (*lost)(const char *text, void *arg);
	void *arg;
	char *seen[PLAN_MAX_MODULES]; /* names, so that none comes twice */
	unsigned int count;
	unsigned int losses;
	bool no_builtin;
	bool rejected; /* an install command: no list is better than half of one */
};

/* The callback of the dry run has no argument of its own. */
static struct resolution *current;

__attribute__((format(printf, 3, 4))) static void lose(struct resolution *res, const char *fix,
						       const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	message_error("%s; fix: %s", text, fix);
	res->lost(text, res->arg);
	res->losses++;
}

int modules_dir(const char *root, const char *kernel, char **dir)
{
	if (asprintf(dir, "%s/lib/modules/%s", root, kernel) < 0) {
		*dir = NULL;
		return -ENOMEM;
	}
	return access(*dir, X_OK) ? -errno : 0;
}

static bool is_same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

/* Does this file have an install command for the module? libkmod does not say where it was. */
static bool has_install(const char *path, const char *name, unsigned int *number)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	if (!file)
		return false;
	for (*number = 1; !found && getline(&line, &size, file) > 0; *number += !found) {
		char *save, *word = strtok_r(line, " \t\n", &save);

		if (!word || strcmp(word, "install"))
			continue;
		word = strtok_r(NULL, " \t\n", &save);
		found = word && is_same_module(word, name);
	}
	free(line);
	fclose(file);
	return found;
}

/* "FILE:LINE" of a module's install command; "modprobe.d" when it cannot be found. */
static void find_install(const struct resolution *res, const char *name, char *where, size_t size)
{
	snprintf(where, size, "modprobe.d");
	for (size_t i = 0; i < N_CONFIG_DIRS; i++) {
		struct dirent *entry;
		char path[512];
		DIR *dir;

		snprintf(path, sizeof(path), "%s%s", res->root, config_dirs[i]);
		dir = opendir(path);
		while (dir && (entry = readdir(dir))) {
			unsigned int line;

			snprintf(path, sizeof(path), "%s%s/%s", res->root, config_dirs[i],
				 entry->d_name);
			if (!has_install(path, name, &line))
				continue;
			snprintf(where, size, "%s/%s:%u", config_dirs[i], entry->d_name, line);
			closedir(dir);
			return;
		}
		if (dir)
			closedir(dir);
	}
}

static unsigned int count_entries(struct kmod_config_iter *iter)
{
	unsigned int count = 0;

	while (kmod_config_iter_next(iter))
		count++;
	kmod_config_iter_free_iter(iter);
	return count;
}

/*
 * libkmod parses /proc/cmdline after all files, so what a config without any file has is the tail
 * of ours. Counting it tells the two apart, whatever the command line holds.
 */
static int count_file_entries(struct resolution *res, const char *dir)
{
	const char *const none[] = { NULL };
	struct kmod_ctx *cmdline = kmod_new(dir, none);
	unsigned int all, tail;

	if (!cmdline)
		return -ENOMEM;

	all = count_entries(kmod_config_get_options(res->ctx));
	tail = count_entries(kmod_config_get_options(cmdline));
	res->file_options = all > tail ? all - tail : 0;
	all = count_entries(kmod_config_get_blacklists(res->ctx));
	tail = count_entries(kmod_config_get_blacklists(cmdline));
	res->file_blacklists = all > tail ? all - tail : 0;
	kmod_unref(cmdline);
	return 0;
}

/* One option, up to the next blank outside of quotes: param=value, param="a b". */
static size_t option_length(const char *option)
{
	bool quoted = false;
	size_t len = 0;

	for (; option[len]; len++) {
		if (option[len] == '"')
			quoted = !quoted;
		if (!quoted && (option[len] == ' ' || option[len] == '\t'))
			break;
	}
	return len;
}

/* Options of one module from the files of modprobe.d; "" or " a=1 b=2". *dropped: "ids=..." */
static void write_options(struct resolution *res, const char *name, FILE *options, bool *dropped)
{
	struct kmod_config_iter *iter = kmod_config_get_options(res->ctx);

	for (unsigned int i = 0; i < res->file_options && kmod_config_iter_next(iter); i++) {
		const char *option = kmod_config_iter_get_value(iter);

		if (strcmp(kmod_config_iter_get_key(iter), name) || !option)
			continue;
		for (option += strspn(option, " \t"); *option; option += strspn(option, " \t")) {
			size_t len = option_length(option);

			if (!strcmp(name, "vfio_pci") && !strncmp(option, "ids=", 4))
				*dropped = true;
			else
				fprintf(options, " %.*s", (int)len, option);
			option += len;
		}
	}
	kmod_config_iter_free_iter(iter);
}

static bool is_blacklisted(struct resolution *res, const char *name)
{
	struct kmod_config_iter *iter = kmod_config_get_blacklists(res->ctx);
	bool found = false;

	for (unsigned int i = 0; i < res->file_blacklists && kmod_config_iter_next(iter); i++)
		found |= !strcmp(kmod_config_iter_get_key(iter), name);
	kmod_config_iter_free_iter(iter);
	return found;
}

static bool is_seen(struct resolution *res, const char *name)
{
	for (unsigned int i = 0; i < res->count; i++)
		if (!strcmp(res->seen[i], name))
			return true;
	if (res->count == PLAN_MAX_MODULES) {
		lose(res, "remove softdep lines for vfio from modprobe.d",
		     "vfio-pci needs more than 32 modules (PLAN_MAX_MODULES); %s is left out",
		     name);
		return true;
	}
	res->seen[res->count] = strdup(name);
	if (res->seen[res->count])
		res->count++;
	return false;
}

/* A module that has neither a file nor a place in the kernel. */
static void lose_missing(struct resolution *res, const char *name)
{
	lose(res, "install this kernel's modules, run depmod, then update the image",
	     "kernel %s has no module %s%s", res->kernel, name,
	     res->no_builtin ? " (or it is built in: modules.builtin.bin is missing)" : "");
}

static const char *below_root(const struct resolution *res, const char *path)
{
	size_t len = strlen(res->root);

	return strncmp(path, res->root, len) ? path : path + len;
}

/* libkmod's path without the root in front and ".ko", ".ko.xz" and so on behind. */
static void write_path(const struct resolution *res, const char *path)
{
	const char *base, *suffix;

	path = below_root(res, path);
	base = strrchr(path, '/');
	suffix = strstr(base ? base : path, ".ko");
	fprintf(res->out, "module %.*s", suffix ? (int)(suffix - path) : (int)strlen(path), path);
}

static void lose_file(struct resolution *res, const char *path)
{
	lose(res, "install this kernel's modules, run depmod, then update the image",
	     "%s is not there, although modules.dep.bin names it", below_root(res, path));
}

static void add_module(struct kmod_module *mod, bool install, const char *all_options)
{
	struct resolution *res = current;
	const char *name = kmod_module_get_name(mod);
	const char *path = kmod_module_get_path(mod);
	char *text = NULL;
	size_t size = 0;
	bool dropped = false;
	FILE *options;

	(void)all_options; /* those of the running command line are among them */
	if (is_seen(res, name))
		return;
	if (install) {
		const char *command = kmod_module_get_install_commands(mod);
		char where[512];

		find_install(res, name, where, sizeof(where));
		lose(res, "remove that line; vfio-early loads the module itself",
		     "%s: no module is planned because of `install %s %s`", where, name,
		     command ? command : "");
		res->rejected = true;
		return;
	}
	if (!path && kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN) {
		fprintf(res->out, "# %s: built into this kernel\n", name);
		return;
	}
	if (!path) {
		lose_missing(res, name);
		return;
	}
	if (access(path, F_OK)) {
		lose_file(res, path);
		return;
	}

	options = open_memstream(&text, &size);
	if (!options)
		return;
	write_options(res, name, options, &dropped);
	fclose(options);
	if (dropped)
		fprintf(res->out,
			"# %s: ids= of modprobe.d left out: it would take every twin; "
			"the bind lines replace it\n",
			name);
	if (is_blacklisted(res, name))
		fprintf(res->out,
			"# %s: the blacklist line of modprobe.d does not stop us: it is "
			"about aliases\n",
			name);
	write_path(res, path);
	fprintf(res->out, "%s\n", text);
	free(text);
}

/*
 * A dependency whose file is gone makes libkmod drop all dependencies of that module, and go on
 * as if it had none. Only its log says so.
 */
static void hear(void *data, int priority, const char *file, int line, const char *fn,
		 const char *format, va_list args)
{
	static const char mark[] = "path=";
	struct resolution *res = data;
	char text[512], *path, *end;

	(void)file, (void)line, (void)fn;
	if (priority > LOG_ERR)
		return;
	vsnprintf(text, sizeof(text), format, args);
	path = strstr(text, mark);
	end = path ? strstr(path, " error=") : NULL;
	if (!end) {
		lose(res, "run depmod for this kernel",
		     "the modules of kernel %s cannot be followed", res->kernel);
		return;
	}
	*end = '\0';
	path += sizeof(mark) - 1;
	if (!is_seen(res, path))
		lose_file(res, path);
}

static int resolve(struct resolution *res, const char *name)
{
	struct kmod_module *mod;
	int ret = kmod_module_new_from_name(res->ctx, name, &mod);

	if (ret < 0)
		return ret;
	if (!kmod_module_get_path(mod)) {
		/* Nothing to insert: built in, or not there at all. */
		current = res;
		add_module(mod, kmod_module_get_install_commands(mod) != NULL, "");
		kmod_module_unref(mod);
		return 0;
	}

	current = res;
	ret = kmod_module_probe_insert_module(mod, KMOD_PROBE_DRY_RUN | KMOD_PROBE_IGNORE_LOADED,
					      NULL, NULL, NULL, add_module);
	if (ret)
		lose(res, "run depmod for this kernel", "modules of %s for kernel %s: %s", name,
		     res->kernel, strerror(ret < 0 ? -ret : ret));
	kmod_module_unref(mod);
	return 0;
}

static int open_context(struct resolution *res, const char *dir)
{
	char *path[N_CONFIG_DIRS + 1] = { NULL };
	int ret = 0;

	for (size_t i = 0; i < N_CONFIG_DIRS && !ret; i++)
		if (asprintf(&path[i], "%s%s", res->root, config_dirs[i]) < 0) {
			path[i] = NULL;
			ret = -ENOMEM;
		}
	if (!ret) {
		res->ctx = kmod_new(dir, (const char *const *)path);
		ret = res->ctx ? count_file_entries(res, dir) : -ENOMEM;
		if (!ret)
			kmod_set_log_fn(res->ctx, hear, res);
	}
	for (size_t i = 0; i < N_CONFIG_DIRS; i++)
		free(path[i]);
	return ret;
}

static bool has_index(const char *dir, const char *name)
{
	char path[512];

	return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
	       !access(path, R_OK);
}

int modules_write(const char *root, const char *kernel, FILE *out,
		  void (*lost)(const char *text, void *arg), void *arg)
{
	struct resolution res = {
		.root = root,
		.kernel = kernel,
		.lost = lost,
		.arg = arg,
	};
	char *dir;
	int ret = modules_dir(root, kernel, &dir);
	char *text = NULL;
	size_t size = 0;

	if (ret) {
		message_errno(ret, "cannot enter the folder of kernel %s", kernel);
		goto out;
	}
	ret = -ENOMEM;
	res.out = open_memstream(&text, &size);
	if (!res.out)
		goto out;
	if (!has_index(dir, "modules.dep.bin")) {
		lose(&res, "run depmod for this kernel, then update the image",
		     "%s/modules.dep.bin is missing", dir);
		ret = 0;
		goto out;
	}
	if (!has_index(dir, "modules.builtin.bin")) {
		res.no_builtin = true;
		message_warn("%s/modules.builtin.bin is missing: built-in modules cannot be told "
			     "from missing ones; fix: run depmod for this kernel",
			     dir);
		fprintf(res.out,
			"# modules.builtin.bin is missing: what is built in cannot be told\n");
	}

	ret = open_context(&res, dir);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && !ret; i++)
		ret = resolve(&res, wanted[i]);
out:
	if (res.out)
		fclose(res.out);
	if (res.rejected)
		fprintf(out,
			"# no module lines: modprobe.d has an install command for one of them\n");
	else if (!ret && text)
		fputs(text, out);
	free(text);
	for (unsigned int i = 0; i < res.count; i++)
		free(res.seen[i]);
	if (res.ctx)
		kmod_unref(res.ctx);
	free(dir);
	return ret < 0 ? ret : (int)res.losses;
}
