// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a record has of the kernels, their images, and the output of other programs; see record.h.
 * Of the modules: those of vfio and their dependencies. Of the images: what starts vfio-early, and
 * the plan.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "early/sysfs.h"
#include "host/next_cmdline.h"
#include "image/image.h"
#include "image/kernels.h"
#include "plan/modules.h"
#include "protect/routes.h"
#include "record/record.h"
#include "util/file.h"
#include "util/stringset.h"

#define LIST_MAX RECORD_MAX /* bytes of modules.dep and the like */

/* --- modules */

/* "kernel/drivers/vfio/vfio-pci.ko.xz": the modules of vfio, and its variant drivers. */
static bool is_vfio(const char *path, size_t len)
{
	const char *base = memrchr(path, '/', len);
	size_t width;

	base = base ? base + 1 : path;
	width = (size_t)(path + len - base);
	return memmem(base, width, "vfio", 4) || (width >= 8 && !strncmp(base, "iommufd.", 8)) ||
	       (width >= 10 && !strncmp(base, "irqbypass.", 10));
}

/* Keeps the wanted lines of a list with one entry a line. */
static char *choose_lines(const char *text,
			  bool (*is_wanted)(const char *line, size_t len,
					    const struct stringset *set),
			  const struct stringset *set)
{
	char *kept = NULL;
	size_t size;
	FILE *out = open_memstream(&kept, &size);

	while (out && *text) {
		size_t len = strcspn(text, "\n");

		if (is_wanted(text, len, set))
			fprintf(out, "%.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
	if (out && !fclose(out))
		return kept;
	free(kept);
	return NULL;
}

/* From modules.dep: the paths of the modules of vfio and of all their dependencies. */
static int find_needed(const char *dep, struct stringset *paths)
{
	int ret = 0;

	while (*dep && ret >= 0) {
		size_t len = strcspn(dep, "\n"), name = strcspn(dep, ":\n");

		for (size_t at = 0; at < len && is_vfio(dep, name) && ret >= 0;) {
			size_t width = strcspn(dep + at, ": \n");
			char *path = strndup(dep + at, width);

			ret = path ? (width ? stringset_add(paths, path) : 0) : -ENOMEM;
			free(path);
			at += width + 1;
		}
		dep += len + (dep[len] == '\n');
	}
	return ret < 0 ? ret : 0;
}

static bool is_needed_line(const char *line, size_t len, const struct stringset *paths)
{
	size_t name = 0;

	while (name < len && line[name] != ':')
		name++;
	for (size_t i = 0; i < paths->n; i++)
		if (strlen(paths->s[i]) == name && !strncmp(paths->s[i], line, name))
			return true;
	return false;
}

static bool is_vfio_line(const char *line, size_t len, const struct stringset *paths)
{
	(void)paths;
	return is_vfio(line, len);
}

static bool has_vfio(const char *line, size_t len, const struct stringset *paths)
{
	(void)paths;
	return memmem(line, len, "vfio", 4);
}

static void put_list(struct record *record, const char *dir, const char *name,
		     bool (*is_wanted)(const char *line, size_t len, const struct stringset *set),
		     const struct stringset *paths)
{
	char path[PATH_MAX], *text, *kept;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (file_read(record->root->fd, path, LIST_MAX, &text, &size))
		return;
	kept = choose_lines(text, is_wanted, paths);
	if (kept)
		record_put(record, path, FILTER_NUMBERS, kept, strlen(kept));
	else
		record->err = -ENOMEM;
	free(kept);
	free(text);
}

/* The parameters that a module declares in its .modinfo; a plan leaves out other options. */
static void put_modinfo(struct record *record, struct kmod_ctx *kmod, const char *path)
{
	char file[3 * PATH_MAX], *text = NULL;
	struct kmod_list *info = NULL, *item;
	struct kmod_module *module = NULL;
	size_t size;
	struct stat st;
	FILE *out;

	/* libkmod would wait for the other end of a FIFO. */
	snprintf(file, sizeof(file), "%s/%s", record->root->path, path);
	if (stat(file, &st) || !S_ISREG(st.st_mode) || !record_is_new(record, path))
		return;
	out = open_memstream(&text, &size);
	if (out && !kmod_module_new_from_path(kmod, file, &module))
		kmod_module_get_info(module, &info);
	if (out)
		kmod_list_foreach(item, info)
		{
			if (!strcmp(kmod_module_info_get_key(item), "parmtype"))
				fprintf(out, "parmtype=%s\n", kmod_module_info_get_value(item));
		}
	kmod_module_info_free_list(info);
	kmod_module_unref(module);
	if (!out || fclose(out)) {
		record->err = -ENOMEM;
	} else {
		fprintf(record->out, "modinfo %s ", path);
		record_text(record->out, text, size, false);
		fputc('\n', record->out);
	}
	free(text);
}

/* "kernel/drivers/vfio/vfio": the compression of a module may be different in an image. */
static void keep_stem(struct record *record, const char *path)
{
	const char *suffix = strstr(path, ".ko");
	char *stem = strndup(path, suffix ? (size_t)(suffix - path) : strlen(path));

	if (!stem || stringset_add(&record->modules, stem) < 0)
		record->err = -ENOMEM;
	free(stem);
}

/* @dir: the real path of lib/modules/VERSION */
static void put_modules(struct record *record, const char *dir)
{
	static const char *const no_config[] = { NULL };
	struct kmod_ctx *kmod = kmod_new("/nonexistent", no_config);
	char path[PATH_MAX + 512], *dep = NULL;
	struct stringset paths = { 0 };
	size_t size;

	snprintf(path, sizeof(path), "%s/modules.dep", dir);
	if (!file_read(record->root->fd, path, LIST_MAX, &dep, &size) && find_needed(dep, &paths))
		record->err = -ENOMEM;
	put_list(record, dir, "modules.dep", is_needed_line, &paths);
	/* Without the index, libkmod cannot tell what is built in. */
	snprintf(path, sizeof(path), "%s/modules.builtin.bin", dir);
	if (sysfs_exists(record->root->fd, path))
		put_list(record, dir, "modules.builtin", is_vfio_line, NULL);
	put_list(record, dir, "modules.alias", has_vfio, NULL);
	put_list(record, dir, "modules.softdep", has_vfio, NULL);
	for (size_t i = 0; i < paths.n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, paths.s[i]);
		if (kmod)
			put_modinfo(record, kmod, path);
		keep_stem(record, paths.s[i]);
	}
	kmod_unref(kmod);
	stringset_clear(&paths);
	free(dep);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void record_kernels(struct record *record)
{
	struct dirent **entry;
	int count = scandirat(record->root->fd, MODULES_PATH, &entry, is_visible, versionsort);
	char path[PATH_MAX], real[PATH_MAX];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), MODULES_PATH "/%s", entry[i]->d_name);
		if (!record_follow(record, path, real)) {
			record_folder(record, real);
			put_modules(record, real);
		}
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
}

/* --- images */

struct image_walk {
	struct record *record;
	const char *path;
	struct stringset kernels; /* those with a recorded member */
};

/* Is it a member that an inspection looks at (image/image.c)? */
static bool is_wanted_member(struct image_walk *walk, const char *path)
{
	static const char modules[] = "lib/modules/";
	const char *rest;
	char *kernel, *stem;
	bool is_ours;
	int ret;

	if (strstr(path, "vfio-early") || !strcmp(path, "scripts/functions") ||
	    !strncmp(path, "scripts/init-top/", 17) || !strcmp(path, "lib/systemd/systemd"))
		return true;
	/* One file of dracut's is enough to tell which builder made the image. */
	if (!strncmp(path, "lib/dracut", 10))
		return stringset_add(&walk->kernels, "dracut") == 1;
	if (strncmp(path, modules, sizeof(modules) - 1) != 0)
		return false;
	rest = path + sizeof(modules) - 1;
	kernel = strndup(rest, strcspn(rest, "/"));
	ret = kernel && rest[strlen(kernel)] ? stringset_add(&walk->kernels, kernel) : 0;
	rest += kernel ? strlen(kernel) : 0;
	free(kernel);
	if (ret == 1 || *rest != '/')
		return ret == 1;
	stem = strndup(rest + 1, (size_t)((strstr(rest, ".ko") ?: rest + 1) - rest - 1));
	is_ours = stem && stringset_has(&walk->record->modules, stem);
	free(stem);
	return is_ours;
}

static void put_image_program(struct image_walk *walk, const struct image_entry *entry,
			      const char *text, size_t size)
{
	char digest[SHA256_DIGEST_STRING_LENGTH];

	SHA256Data((const uint8_t *)text, size, digest);
	fprintf(walk->record->out, "image-program %s %o %s %s %s\n", walk->path, entry->mode,
		entry->path, image_is_static(text, size) ? "static" : "dynamic", digest);
}

static int put_member(const struct image_entry *entry, void *arg)
{
	struct image_walk *walk = arg;
	FILE *out = walk->record->out;
	const char *name = strrchr(entry->path, '/');
	bool has_text = !strcmp(entry->path, "lib/vfio-early/plan") ||
			!strcmp(entry->path, "scripts/init-top/ORDER");
	bool is_program = !strcmp(entry->path, "lib/vfio-early/vfio-early-bind");
	char *text = NULL, *clean;
	size_t size = 0;

	if (!name || !is_wanted_member(walk, entry->path))
		return 0;
	if ((has_text || is_program) && image_content(entry, RECORD_FILE, &text, &size))
		return 0;
	if (is_program) {
		put_image_program(walk, entry, text, size);
		free(text);
		return 0;
	}
	fprintf(out, "image %s %o ", walk->path, entry->mode);
	record_text(out, entry->path, strlen(entry->path), true);
	fputc(' ', out);
	clean = redact_string(&walk->record->redact, text ? text : "", size);
	if (clean)
		record_text(out, clean, strlen(clean), false);
	else
		walk->record->err = -ENOMEM;
	fputc('\n', out);
	free(clean);
	free(text);
	return 0;
}

static void put_image(struct record *record, const char *name)
{
	char path[PATH_MAX];
	struct image_walk walk = { .record = record, .path = path };
	int fd = file_open(record->root->fd, name);
	const char *why;

	if (fd < 0 || record_follow(record, name, path) || !record_is_new(record, path))
		return;
	if (image_walk(fd, put_member, &walk, &why)) {
		fprintf(record->out, "# %s cannot be read to its end\n", path);
		fprintf(record->out, "damaged %s\n", path);
	}
	stringset_clear(&walk.kernels);
	close(fd);
}

void record_images(struct record *record)
{
	static const char name[] = "usr/lib/vfio-early/vfio-early-bind";
	char digest[SHA256_DIGEST_STRING_LENGTH], path[PATH_MAX], *text;
	struct kernels kernels;
	size_t size;

	if (!record_follow(record, name, path) &&
	    !file_read(record->root->fd, name, RECORD_FILE, &text, &size)) {
		SHA256Data((const uint8_t *)text, size, digest);
		fprintf(record->out, "program %s %s %s\n", path,
			image_is_static(text, size) ? "static" : "dynamic", digest);
		free(text);
	}
	kernels_find(record->root, &kernels);
	for (size_t i = 0; i < kernels.count; i++)
		if (kernels.list[i].has_image)
			put_image(record, kernels.list[i].image);
	kernels_free(&kernels);
}

/* --- output of programs of this host */

static void put_next(struct record *record)
{
	struct next_cmdline next;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out && !next_cmdline_read(record->root, NULL, &next)) {
		for (size_t i = 0; i < next.count; i++) {
			const struct next_param *param = &next.param[i];

			filter_parameter(&record->redact, param->token, strlen(param->token), out);
			fprintf(out, "\t%s:%u\t%s\n", param->file, param->line, param->code);
		}
		next_cmdline_free(&next);
	}
	if (!out || fclose(out))
		record->err = -ENOMEM;
	else
		record_put(record, ROOT_ANSWERS "/next", FILTER_NUMBERS, text, size);
	free(text);
}

static void put_kernel(struct record *record)
{
	struct next_kernel kernel;
	char *text = NULL;

	if (next_kernel_read(record->root, NULL, &kernel))
		return;
	if (!kernel.how) {
		next_kernel_free(&kernel);
		return;
	}
	if (asprintf(&text, "%s\t%s\t%s\t%s\nloader\t%s\t%s\t%s\n",
		     kernel.version ? kernel.version : "-", kernel.image ? kernel.image : "-",
		     kernel.place ? kernel.place : "-", kernel.how, next_loader_name(kernel.loader),
		     kernel.loader_text ? kernel.loader_text : "-",
		     kernel.loader_fix ? kernel.loader_fix : "") < 0)
		record->err = -ENOMEM;
	else
		record_put(record, ROOT_ANSWERS "/kernel", FILTER_TEXT, text, strlen(text));
	free(text);
	next_kernel_free(&kernel);
}

static void put_routes(struct record *record)
{
	struct graph graph = { .root = record->root };
	struct routes routes;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	routes_read(&graph, &routes);
	for (size_t i = 0; out && i < routes.defaults.n; i++)
		fprintf(out, "default %s\n", routes.defaults.s[i]);
	for (size_t i = 0; out && i < routes.addressed.n; i++)
		fprintf(out, "address %s\n", routes.addressed.s[i]);
	if (out && routes.unnamed)
		fputs("unnamed\n", out);
	if (!out || fclose(out) || graph.err)
		record->err = -ENOMEM;
	else
		record_put(record, ROOT_ANSWERS "/routes", FILTER_TEXT, text, size);
	free(text);
	routes_clear(&routes);
	stringset_clear(&graph.notes);
}

void record_answers(struct record *record)
{
	put_next(record);
	put_kernel(record);
	put_routes(record);
}
