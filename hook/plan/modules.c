// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The modules of a plan; see modules.h.
 *
 * The list is never hard-coded: vfio_virqfd exists only up to 6.1, and iommufd and irqbypass are
 * modules or built in, depending on the version. libkmod's dry run of an insertion lists exactly
 * what modprobe would do. It has two traps: its config always includes the command line of the
 * *running* kernel, which says nothing about the next boot; and without modules.builtin.bin a
 * built-in module looks like a missing one.
 */
#include <dirent.h>
#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "config/config.h"
#include "config/folders.h"
#include "early/plan.h"
#include "early/sysfs.h"
#include "plan/modules.h"
#include "plan/parmtype.h"
#include "plan/plan.h"
#include "util/file.h"
#include "util/message.h"
#include "util/modprobe.h"
#include "util/params.h"
#include "util/stringset.h"

/*
 * vfio_iommu_type1 is only a soft dependency of vfio, and without it a VMM gets ENODEV. It comes
 * first, so that the group is usable as soon as vfio-pci has the function.
 */
static const char *const roots[] = { "vfio_iommu_type1", "vfio_pci" };

/* Bytes. That of a distribution has 1 MB. */
#define DEP_MAX (1u << 26)

struct resolution {
	const struct root *root;
	const char *kernel;
	struct kmod_ctx *ctx;
	unsigned int file_options;    /* of the config: the first so many come from files */
	unsigned int file_blacklists; /* the same */
	bool says;		      /* on stderr */
	FILE *out;
	void (*lost)(const char *text, void *arg);
	void *arg;
	char *seen[PLAN_MAX_MODULES]; /* names, so that none comes twice */
	unsigned int count;
	unsigned int losses;
	bool no_builtin;
	bool has_failed;	  /* libkmod logged an error */
	char *dep;		  /* modules.dep; NULL where it cannot be read */
	const char *dir;	  /* that it is in */
	struct stringset allowed; /* modules that may come into the plan */
	struct stringset foreign; /* those that only softdeps would bring, and that were said */
};

__attribute__((format(printf, 3, 4))) static void lose(struct resolution *res, const char *fix,
						       const char *fmt, ...)
{
	char text[512] = PLAN_LOST_MODULES " ";
	const size_t from = sizeof(PLAN_LOST_MODULES);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + from, sizeof(text) - from, fmt, args);
	va_end(args);
	if (res->says)
		message_error("%s; fix: %s", text + from, fix);
	res->lost(text, res->arg);
	res->losses++;
}

static int is_index(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "modules.", strlen("modules."));
}

/* libkmod opens anything that has the name of an index, and would wait for a FIFO's other end. */
static bool has_odd_index(const struct root *root, const char *folder)
{
	struct dirent **entry;
	int count = file_names(root->fd, folder, &entry, is_index, NULL);
	bool is_odd = false;

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		struct stat st;

		if (snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name) >=
		    (int)sizeof(path))
			path[0] = '\0';
		is_odd |= *path && !file_stat(root->fd, path, &st) && !S_ISREG(st.st_mode);
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
	return is_odd;
}

bool modules_are_indexed(const struct root *root, const char *kernel)
{
	char path[SYSFS_PATH_MAX];

	return sysfs_exists(root->fd, sysfs_path(path, MODULES_PATH "/%s/modules.dep", kernel));
}

static bool have_modules(const struct root *root, const char *kernel)
{
	char path[SYSFS_PATH_MAX];

	return sysfs_exists(root->fd, sysfs_path(path, MODULES_PATH "/%s/kernel", kernel));
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int modules_each_kernel(const struct root *root, int (*call)(const char *kernel, void *arg),
			void *arg)
{
	struct dirent **entry;
	int count = file_names(root->fd, MODULES_PATH, &entry, is_visible, versionsort);
	bool is_any_indexed = false;
	int ret = 0;

	if (count < 0)
		return count == -ENOENT ? 0 : count;
	for (int i = 0; i < count && !is_any_indexed; i++)
		is_any_indexed = modules_are_indexed(root, entry[i]->d_name);
	for (int i = count; i-- > 0; free(entry[i])) {
		const char *kernel = entry[i]->d_name;

		if (!ret && (is_any_indexed ? modules_are_indexed(root, kernel) :
					      have_modules(root, kernel)))
			ret = call(kernel, arg);
	}
	free(entry);
	return ret;
}

int modules_dir(const struct root *root, const char *kernel, char **dir)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), MODULES_PATH "/%s", kernel);
	ret = root_locate(root, path, dir);
	if (ret)
		return ret;
	if (access(*dir, X_OK))
		return -errno;
	return has_odd_index(root, path) ? -ENOTSUP : 0;
}

/* --- the place of a line in modprobe.d, which libkmod does not tell */

/* A line that is looked for. */
struct wanted_line {
	enum modprobe_command command;
	const char *module;
	const char *word; /* a module behind it, or a parameter; NULL: any line will do */
	size_t len;
};

static bool is_wanted(const struct wanted_line *wanted, const struct modprobe_line *line)
{
	struct params params;
	struct param param;

	if (line->command != wanted->command ||
	    !params_same_name(line->module, line->module_len, wanted->module))
		return false;
	if (!wanted->word)
		return true;
	if (wanted->command == MODPROBE_SOFTDEP)
		return modprobe_softdep(line->rest, true, wanted->word) ||
		       modprobe_softdep(line->rest, false, wanted->word);
	for (params_begin(&params, line->rest, strlen(line->rest)); params_next(&params, &param);)
		if (param.len == wanted->len && !memcmp(param.text, wanted->word, param.len))
			return true;
	return params.has_dashes && wanted->len == 2 && !memcmp(wanted->word, "--", 2);
}

static unsigned int find_in_file(int rootfd, const char *name, const struct wanted_line *wanted)
{
	struct modprobe_line line = { 0 };
	unsigned int number = 0;
	char *text, *pos;
	size_t size;

	if (file_read(rootfd, name, CONFIG_MAX_SIZE, &text, &size))
		return 0;
	for (pos = text; !number && modprobe_next(&pos, &line);)
		if (is_wanted(wanted, &line))
			number = line.number;
	free(text);
	return number;
}

#define WHERE_SIZE 512

/* "FILE:LINE" of the first such line; "modprobe.d" when it cannot be found. Returns @where. */
static char *find_line(const struct resolution *res, const struct wanted_line *wanted, char *where)
{
	unsigned int number = 0;
	struct folders folders;

	snprintf(where, WHERE_SIZE, "modprobe.d");
	folders_list(res->root, folders_modprobe, ".conf", &folders);
	for (size_t i = 0; i < folders.count && !number; i++) {
		if (folders.file[i].state != FOLDER_READ)
			continue;
		number = find_in_file(res->root->fd, folders.file[i].name, wanted);
		if (number)
			snprintf(where, WHERE_SIZE, "/%s:%u", folders.file[i].name, number);
	}
	folders_free(&folders);
	return where;
}

/*
 * Reports something in modprobe.d that the plan leaves out: in the plan, and to a caller that asks
 * for one.
 * @wanted: the line with it
 */
__attribute__((format(printf, 3, 4))) static void
leave_out(struct resolution *res, const struct wanted_line *wanted, const char *fmt, ...)
{
	char text[1024], where[WHERE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* One line, whatever a file has in it. */
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	find_line(res, wanted, where);
	fprintf(res->out, "# module: %s (%s)\n", text, where);
	if (res->says)
		message_warn("%s (%s)", text, where);
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
 * libkmod parses /proc/cmdline after all files, so the entries of a config without any file are the
 * tail of ours. Their number tells the two apart, whatever the command line contains.
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

/* Options of one module from the files of modprobe.d, as modprobe would join them; malloc'ed. */
static char *join_options(struct resolution *res, const char *name)
{
	struct kmod_config_iter *iter = kmod_config_get_options(res->ctx);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (unsigned int i = 0; out && i < res->file_options && kmod_config_iter_next(iter); i++) {
		const char *option = kmod_config_iter_get_value(iter);

		if (!strcmp(kmod_config_iter_get_key(iter), name) && option)
			fprintf(out, " %s", option);
	}
	kmod_config_iter_free_iter(iter);
	if (out && fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* The type of a parameter according to the module, malloc'ed; NULL: none, or it cannot be read. */
static char *find_type(struct kmod_list *info, const struct param *param)
{
	struct kmod_list *item;

	kmod_list_foreach(item, info)
	{
		const char *value = kmod_module_info_get_value(item);
		const char *colon = strchr(value, ':');

		if (strcmp(kmod_module_info_get_key(item), "parmtype") != 0 || !colon ||
		    (size_t)(colon - value) != param->name_len)
			continue;
		if (params_same_name(value, param->name_len,
				     strndupa(param->name, param->name_len)))
			return strdup(colon + 1);
	}
	return NULL;
}

/* Would the module refuse this one, according to its own type? If so, reports it. */
static bool is_refused(struct resolution *res, const char *module, struct kmod_list *info,
		       const struct param *param)
{
	const struct wanted_line wanted = { MODPROBE_OPTIONS, module, param->text, param->len };
	char *type = find_type(info, param);
	bool is_bad = type && parmtype_refuses(type, param);

	if (is_bad)
		leave_out(res, &wanted,
			  "%s: `%.*s` is left out: %s would not load with it, because the type "
			  "of %.*s is %s",
			  module, (int)param->len, param->text, module, (int)param->name_len,
			  param->name, type);
	free(type);
	return is_bad;
}

/* " a=1 b=2": the options that the plan passes to a module; reports those that it does not pass. */
static char *choose_options(struct resolution *res, struct kmod_module *mod)
{
	const char *name = kmod_module_get_name(mod);
	const struct wanted_line dashes = { MODPROBE_OPTIONS, name, "--", 2 };
	char *all = join_options(res, name), *text = NULL;
	struct kmod_list *info = NULL;
	bool has_ids = false;
	struct params params;
	struct param param;
	size_t size = 0;
	FILE *out = all ? open_memstream(&text, &size) : NULL;

	if (out && *all)
		kmod_module_get_info(mod, &info);
	params_begin(&params, all ? all : "", all ? strlen(all) : 0);
	while (out && params_next(&params, &param)) {
		if (!strcmp(name, "vfio_pci") && param_is(&param, "ids"))
			has_ids = param.value_len; /* the last one counts */
		else if (!is_refused(res, name, info, &param))
			fprintf(out, " %.*s", (int)param.len, param.text);
	}
	if (has_ids)
		fprintf(res->out,
			"# module: %s: ids= of modprobe.d left out: it would take every twin; "
			"the bind lines replace it\n",
			name);
	if (params.has_dashes)
		leave_out(res, &dashes,
			  "%s: the options behind -- are left out: the kernel ignores them", name);
	kmod_module_info_free_list(info);
	free(all);
	if (out && fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
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
		     "vfio-pci needs more than 32 modules; %s is left out", name);
		return true;
	}
	res->seen[res->count] = strdup(name);
	if (res->seen[res->count])
		res->count++;
	return false;
}

/* A module that is neither a file nor built into the kernel. */
static void lose_missing(struct resolution *res, const char *name)
{
	lose(res, "install this kernel's modules, run depmod, then update the image",
	     "kernel %s has no module %s%s", res->kernel, name,
	     res->no_builtin ? " (or it is built in: modules.builtin.bin is missing)" : "");
}

static const char *below_root(const struct resolution *res, const char *path)
{
	size_t len = strlen(res->root->path);

	return strncmp(path, res->root->path, len) ? path : path + len;
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
	     "%s is not %s, although modules.dep.bin names it", below_root(res, path),
	     access(path, F_OK) ? "there" : "a regular file");
}

/* An install command would run instead of the module; the plan loads the module itself. */
static void leave_out_install(struct resolution *res, struct kmod_module *mod)
{
	const struct wanted_line wanted = { MODPROBE_INSTALL, kmod_module_get_name(mod), NULL, 0 };
	const char *command = kmod_module_get_install_commands(mod);

	if (command)
		leave_out(res, &wanted,
			  "%s: `install %s %s` is left out: the plan loads the module itself",
			  wanted.module, wanted.module, command);
}

static void write_module(struct resolution *res, struct kmod_module *mod)
{
	const char *name = kmod_module_get_name(mod);
	char *options = choose_options(res, mod);

	if (!options) {
		lose(res, "free memory, then update the image", "out of memory for module %s",
		     name);
		return;
	}
	leave_out_install(res, mod);
	if (is_blacklisted(res, name))
		fprintf(res->out,
			"# module: %s: the blacklist line of modprobe.d does not stop us: it is "
			"about aliases\n",
			name);
	write_path(res, kmod_module_get_path(mod));
	fprintf(res->out, "%s\n", options);
	free(options);
}

static void add_module(struct resolution *res, struct kmod_module *mod)
{
	const char *name = kmod_module_get_name(mod);
	const char *path = kmod_module_get_path(mod);
	struct stat st;

	/* Brought along by a softdep: see allow(). */
	if (!stringset_has(&res->allowed, name))
		return;
	if (is_seen(res, name))
		return;
	if (!path && kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN)
		fprintf(res->out, "# module: %s: built into this kernel\n", name);
	else if (!path)
		lose_missing(res, name);
	else if (stat(path, &st) || !S_ISREG(st.st_mode))
		lose_file(res, path);
	else
		write_module(res, mod);
}

/*
 * The callback of the dry run has no argument of its own, and a module does not tell its context.
 */
static struct resolution *current;

static void add_action(struct kmod_module *mod, bool install, const char *all_options)
{
	(void)install;
	(void)all_options; /* those of the running command line are among them */
	add_module(current, mod);
}

/* --- which modules may come along */

/* "kernel/drivers/vfio/vfio.ko.xz" is vfio. */
static bool is_file_of(const char *path, size_t len, const char *name)
{
	const char *base = memrchr(path, '/', len);
	size_t base_len;

	base = base ? base + 1 : path;
	base_len = (size_t)(path + len - base);
	for (size_t i = 0; i + 3 <= base_len; i++)
		if (!memcmp(base + i, ".ko", 3))
			return params_same_name(base, i, name);
	return false;
}

/*
 * If the file of a dependency is missing, libkmod drops all dependencies of that module and
 * continues as if it had none. So its line of modules.dep is checked, "MODULE: DEPENDENCY
 * DEPENDENCY...".
 */
static void lose_dependencies(struct resolution *res, const char *name)
{
	const char *line = res->dep;

	for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *word = line + strcspn(line, ":\n");

		if (*word == ':' && is_file_of(line, (size_t)(word - line), name)) {
			line = word + 1;
			break;
		}
	}
	while (line && *line && *line != '\n') {
		size_t len = strcspn(line, " \n");
		char *path = NULL;

		if (len && asprintf(&path, "%s%s%.*s", *line == '/' ? res->root->path : res->dir,
				    *line == '/' ? "" : "/", (int)len, line) < 0)
			path = NULL;
		if (path && access(path, F_OK) && !is_seen(res, path))
			lose_file(res, path);
		free(path);
		line += len + (line[len] == ' ');
	}
}

/* What a softdep may add: only modules of vfio. */
static bool is_vfio(const char *name)
{
	return !strncmp(name, "vfio", 4) || !strcmp(name, "iommufd") || !strcmp(name, "irqbypass");
}

static int allow(struct resolution *res, struct kmod_module *mod);

/* Softdeps of one module: those to modules of vfio are followed, others are reported. */
static int allow_softdeps(struct resolution *res, const char *name, struct kmod_list *softdeps)
{
	struct kmod_list *item;
	int ret = 0;

	kmod_list_foreach(item, softdeps)
	{
		struct kmod_module *dep = kmod_module_get_module(item);
		const char *other = kmod_module_get_name(dep);
		const struct wanted_line wanted = { MODPROBE_SOFTDEP, name, other, 0 };

		if (!ret && is_vfio(other))
			ret = allow(res, dep);
		else if (!ret && stringset_add(&res->foreign, other) == 1)
			leave_out(res, &wanted,
				  "%s: the softdep of %s on %s is left out: only what is part of "
				  "vfio is loaded with it",
				  name, name, other);
		kmod_module_unref(dep);
	}
	return ret;
}

/* A module with its softdeps, and what each of its dependencies has. */
static int allow_one(struct resolution *res, struct kmod_module *mod)
{
	struct kmod_list *pre = NULL, *post = NULL;
	const char *name = kmod_module_get_name(mod);
	int ret = stringset_add(&res->allowed, name);

	if (ret <= 0)
		return ret;
	lose_dependencies(res, name);
	kmod_module_get_softdeps(mod, &pre, &post);
	ret = allow_softdeps(res, name, pre);
	if (!ret)
		ret = allow_softdeps(res, name, post);
	kmod_module_unref_list(pre);
	kmod_module_unref_list(post);
	return ret;
}

/*
 * A module and everything that it cannot load without (modules.dep). A softdep is different:
 * `softdep vfio-pci pre: nouveau` is a common mistake, and in the early boot it would give the card
 * to nouveau.
 */
static int allow(struct resolution *res, struct kmod_module *mod)
{
	struct kmod_list *deps = kmod_module_get_dependencies(mod), *item;
	int ret = allow_one(res, mod);

	kmod_list_foreach(item, deps)
	{
		struct kmod_module *dep = kmod_module_get_module(item);

		if (ret >= 0)
			ret = allow_one(res, dep);
		kmod_module_unref(dep);
	}
	kmod_module_unref_list(deps);
	return ret < 0 ? ret : 0;
}

/* The text of libkmod's log messages is not used: only whether one was an error. */
static void hear(void *data, int priority, const char *file, int line, const char *fn,
		 const char *format, va_list args)
{
	struct resolution *res = data;

	(void)file, (void)line, (void)fn, (void)format, (void)args;
	res->has_failed |= priority <= LOG_ERR;
}

static int resolve(struct resolution *res, const char *name)
{
	struct kmod_module *mod;
	int ret = kmod_module_new_from_name(res->ctx, name, &mod);

	if (ret < 0)
		return ret;
	ret = allow(res, mod);
	if (ret) {
		kmod_module_unref(mod);
		return ret;
	}
	if (!kmod_module_get_path(mod)) {
		/* Nothing to insert: built in, or not there at all. */
		add_module(res, mod);
		kmod_module_unref(mod);
		return 0;
	}

	current = res;
	ret = kmod_module_probe_insert_module(mod, KMOD_PROBE_DRY_RUN | KMOD_PROBE_IGNORE_LOADED,
					      NULL, NULL, NULL, add_action);
	current = NULL;
	if (ret)
		lose(res, "run depmod for this kernel", "modules of %s for kernel %s: %s", name,
		     res->kernel, strerror(ret < 0 ? -ret : ret));
	kmod_module_unref(mod);
	return 0;
}

static void lose_odd(const char *name, int error, void *arg)
{
	if (error)
		lose(arg, "see why, then update the image", "/%s cannot be read: %s", name,
		     strerror(error));
	else
		lose(arg, "move it away", "/%s is not a regular file", name);
}

static int open_context(struct resolution *res, const char *dir)
{
	char **path;
	int ret = folders_kmod(res->root, &path, lose_odd, res);

	if (!ret) {
		res->ctx = kmod_new(dir, (const char *const *)path);
		ret = res->ctx ? count_file_entries(res, dir) : -ENOMEM;
		if (!ret)
			kmod_set_log_fn(res->ctx, hear, res);
	}
	folders_kmod_free(path);
	return ret;
}

static int read_dependencies(struct resolution *res, const char *dir)
{
	char path[PATH_MAX];
	size_t size;
	int ret;

	snprintf(path, sizeof(path), MODULES_PATH "/%s/modules.dep", res->kernel);
	ret = file_read(res->root->fd, path, DEP_MAX, &res->dep, &size);
	res->dir = dir;
	if (ret && ret != -ENOMEM)
		lose(res, "run depmod for this kernel, then update the image",
		     "%s/modules.dep cannot be read: %s", dir, strerror(-ret));
	return ret == -ENOMEM ? ret : 0;
}

static bool has_index(const char *dir, const char *name)
{
	char path[512];

	return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
	       !access(path, R_OK);
}

/* @found: of modules_dir(). Says what is lost otherwise. */
static bool can_resolve(struct resolution *res, const char *dir, int found)
{
	if (found)
		lose(res, "move it away and run depmod for this kernel, then update the image",
		     "an index in %s is not a regular file", dir);
	else if (!has_index(dir, "modules.dep.bin"))
		lose(res, "run depmod for this kernel, then update the image",
		     "%s/modules.dep.bin is missing", dir);
	else
		return true;
	return false;
}

int modules_write(const struct root *root, const char *kernel, bool says, FILE *out,
		  void (*lost)(const char *text, void *arg), void *arg)
{
	struct resolution res = {
		.root = root,
		.kernel = kernel,
		.says = says,
		.lost = lost,
		.arg = arg,
	};
	char *dir;
	int found = modules_dir(root, kernel, &dir), ret = found == -ENOTSUP ? 0 : found;
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
	ret = 0;
	if (!can_resolve(&res, dir, found))
		goto out;
	if (!has_index(dir, "modules.builtin.bin")) {
		res.no_builtin = true;
		if (says)
			message_warn("%s/modules.builtin.bin is missing: built-in modules cannot "
				     "be told from missing ones; fix: run depmod for this kernel",
				     dir);
		fprintf(res.out,
			"# module: modules.builtin.bin is missing: what is built in cannot be told\n");
	}

	ret = read_dependencies(&res, dir);
	if (!ret)
		ret = open_context(&res, dir);
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && !ret; i++)
		ret = resolve(&res, roots[i]);
	if (!ret && res.has_failed && !res.losses)
		lose(&res, "run depmod for this kernel",
		     "the modules of kernel %s cannot be followed", kernel);
out:
	if (res.out)
		fclose(res.out);
	if (!ret && text)
		fputs(text, out);
	free(text);
	for (unsigned int i = 0; i < res.count; i++)
		free(res.seen[i]);
	if (res.ctx)
		kmod_unref(res.ctx);
	free(res.dep);
	stringset_clear(&res.allowed);
	stringset_clear(&res.foreign);
	free(dir);
	return ret < 0 ? ret : (int)res.losses;
}
