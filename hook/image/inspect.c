// SPDX-License-Identifier: GPL-2.0-or-later
/* What the next boot with an image would do; see inspect.h. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/state.h"
#include "early/sysfs.h"
#include "image/inspect.h"
#include "image/kernels.h"
#include "plan/plan.h"
#include "util/array.h"
#include "util/file.h"
#include "util/message.h"

#define PATH_BINARY "usr/lib/vfio-early/vfio-early-bind"

/* More than any binary of ours: early/ has a bound of 32 KiB, 40 on arm64. */
#define BINARY_MAX (1u << 17)

/*
 * At most this many functions are named one by one if an image would not do what the config says.
 */
#define DIFFERENCES_SHOWN 8

struct work {
	const struct inspector *inspector;
	struct inspection *inspection;
	struct image image;
	bool no_memory;
};

/* --- what there is today */

static void read_times(struct inspector *inspector)
{
	for (size_t i = 0; i < inspector->config->files; i++) {
		struct stat st;

		if (!file_stat(inspector->host->root.fd, inspector->config->file[i].name + 1,
			       &st) &&
		    st.st_mtime > inspector->config_time)
			inspector->config_time = st.st_mtime;
	}
}

static void read_binary(struct inspector *inspector)
{
	size_t size;
	char *text;

	if (file_read(inspector->host->root.fd, PATH_BINARY, BINARY_MAX, &text, &size))
		return;
	SHA256Data((const uint8_t *)text, size, inspector->binary_sha);
	free(text);
}

int inspect_open(struct host *host, struct inspector *inspector)
{
	*inspector = (struct inspector){ .host = host };
	inspector->config = compiler_config(host->compiler);
	inspector->wants_us = !plan_is_empty(&host->plan) || host->plan.losts;
	read_times(inspector);
	read_binary(inspector);
	return 0;
}

void inspect_close(struct inspector *inspector)
{
	*inspector = (struct inspector){ 0 };
}

/* --- what is found */

__attribute__((format(printf, 5, 0))) static void add(struct work *work,
						      struct inspect_remark **list, size_t *count,
						      const char *code, const char *fmt,
						      va_list args)
{
	struct inspect_remark item = { .code = code };
	int ret;

#ifdef WORDS_ARE_CODES
	ret = asprintf(&item.text, "%s", code);
	(void)fmt, (void)args;
#else
	ret = vasprintf(&item.text, fmt, args);
#endif
	if (ret < 0) {
		work->no_memory = true;
	} else if (array_append(list, count, sizeof(item), &item)) {
		work->no_memory = true;
		free(item.text);
	}
}

__attribute__((format(printf, 3, 4))) static void wrong(struct work *work, const char *code,
							const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(work, &work->inspection->wrong, &work->inspection->wrongs, code, fmt, args);
	va_end(args);
}

__attribute__((format(printf, 3, 4))) static void note(struct work *work, const char *code,
						       const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(work, &work->inspection->note, &work->inspection->notes, code, fmt, args);
	va_end(args);
}

/* --- what starts us */

/* Which line of ORDER runs a script: from 1, or 0. */
static unsigned int order_line(const char *order, const char *script)
{
	size_t len = strlen(script);
	unsigned int line = 1;

	for (const char *pos = order; pos; line++) {
		if (!strncmp(pos, script, len) &&
		    (pos[len] == ' ' || pos[len] == '\n' || !pos[len]))
			return line;
		pos = strchr(pos, '\n');
		if (pos)
			pos++;
	}
	return 0;
}

static void check_order(struct work *work)
{
	static const char *const later[] = { "udev", "simple-framebuffer" };
	const struct image *image = &work->image;
	unsigned int ours;

	if (!image->has_wrapper || !image->order) {
		wrong(work, "script-missing", "scripts/init-top/%s is not in it",
		      image->has_wrapper ? "ORDER" : "00-vfio-early");
		return;
	}
	ours = order_line(image->order, "/scripts/init-top/00-vfio-early");
	if (!ours) {
		wrong(work, "script-not-run",
		      "00-vfio-early is not in scripts/init-top/ORDER, so it never runs");
		return;
	}
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		char script[64];
		unsigned int line;

		snprintf(script, sizeof(script), "/scripts/init-top/%s", later[i]);
		line = order_line(image->order, script);
		if (line && line < ours)
			wrong(work, "script-late",
			      "00-vfio-early runs after %s (lines %u and %u of ORDER)", later[i],
			      ours, line);
	}
}

/*
 * systemd runs this hook of dracut in dracut-cmdline.service, which has no order against
 * systemd-modules-load.service: there a unit of our own is needed.
 */
static void check_dracut(struct work *work)
{
	const struct image *image = &work->image;

	if (image->has_unit && image->is_wanted)
		return;
	if (image->has_unit)
		wrong(work, "unit-not-started",
		      "vfio-early.service is in it, but nothing starts it");
	else if (image->is_wanted)
		wrong(work, "unit-missing",
		      "vfio-early.service is to be started, but is not in it");
	else if (!image->has_hook)
		wrong(work, "hook-missing", "nothing in it starts vfio-early before udev");
	else if (image->has_systemd)
		wrong(work, "unit-missing",
		      "vfio-early.service is not in it: systemd may load modules before it "
		      "comes to the hook");
}

static void check_binary(struct work *work)
{
	const struct image *image = &work->image;
	const char *sha = work->inspector->binary_sha;

	if (!image->has_binary)
		wrong(work, "binary-missing", "/" PATH_BINARY " is not in it");
	else if (!image->is_executable)
		wrong(work, "binary-not-executable", "its vfio-early-bind is not executable");
	else if (!image->is_static)
		wrong(work, "binary-not-static", "its vfio-early-bind is not a static program");
	else if (*sha && strcmp(sha, image->binary_sha) != 0)
		wrong(work, "binary-old", "its vfio-early-bind is not the one that is installed");
}

static void check_rope(struct work *work)
{
	const struct image *image = &work->image;

	if (!image->has_rope || !image->has_rope_wait || !image->has_rope_shell)
		wrong(work, "rope-missing",
		      "the scripts that give storage back when the root is not found are not in "
		      "it");
}

/* --- its plan */

static bool has_module(const struct image *image, const char *path)
{
	const char *plain = image_path(path);

	for (size_t i = 0; i < image->modules; i++)
		if (!strcmp(image->module[i], plain))
			return true;
	return false;
}

/* Is the plan made from the current config? "no plan was made" may stand in place of a digest. */
static bool is_of_config(const struct work *work, const struct plan *plan)
{
	static const char kind[] = "sha256:";

	if (!plan->config)
		return plan->losts && plan_is_empty(plan);
	return !strncmp(plan->config, kind, sizeof(kind) - 1) &&
	       !strcmp(plan->config + sizeof(kind) - 1, work->inspector->config->digest);
}

/* If there are more devices than a plan can name, no image is better; see plan.h. */
static void check_facts(struct work *work, const struct plan *plan)
{
	enum plan_facts today = compiler_facts(work->inspector->host->compiler);

	if (!plan->facts_unknown)
		return;
	if (today == PLAN_FACTS_TOO_MANY) {
		note(work, "facts-too-many",
		     "this host needs more devices than a plan can name: storage, network and USB "
		     "controllers are bound only by a line with ID and path, or by bind!");
		return;
	}
	work->inspection->is_unknown_here = today == PLAN_FACTS_UNKNOWN;
	wrong(work, "facts-unknown",
	      "facts unknown: it was made where it could not be found out what this host needs; "
	      "storage, network and USB controllers are bound only by a line with ID and path, "
	      "or by bind!");
}

/* Returns whether its decisions can be compared with what the config asks for. */
static bool check_plan(struct work *work, const struct plan *plan)
{
	static const char modules[] = PLAN_LOST_MODULES " ";
	const char *kernel = work->inspection->kernel;
	bool is_of_today = is_of_config(work, plan);

	if (kernel && plan->kernel && strcmp(plan->kernel, kernel) != 0)
		wrong(work, "plan-of-other-kernel", "the plan in it is for kernel %s",
		      plan->kernel);
	if (!is_of_today)
		wrong(work, "plan-old", "the plan in it was made from an older config");
	if (plan_is_empty(plan) && !plan->losts)
		wrong(work, "plan-empty", "the plan in it names no function");
	check_facts(work, plan);
	for (unsigned int i = 0; i < plan->losts; i++)
		if (strncmp(plan->lost[i], modules, sizeof(modules) - 1) == 0)
			wrong(work, "module-missing", "%s", plan->lost[i] + sizeof(modules) - 1);
		else
			wrong(work, "line-left-out", "a line of the config is not in it: %s",
			      plan->lost[i]);
	for (unsigned int i = 0; i < plan->modules; i++)
		if (!has_module(&work->image, plan->module[i].path))
			wrong(work, "module-missing", "module %s is planned, but not in it",
			      plan->module[i].path);
	return is_of_today && plan->binds;
}

/* Evaluates the plan in the image on the functions of this machine. */
static int decide_image(struct work *work, bool *comparable)
{
	static struct plan plan;
	struct plan_errors errors = { 0 };
	size_t size = work->image.plan_size;
	char *text, *copy;
	int ret;

	*comparable = false;
	if (size >= PLAN_MAX_TEXT) {
		wrong(work, "plan-too-large", "the plan in it is too large to be read at boot");
		return 0;
	}
	text = strdup(work->image.plan);
	copy = strdup(work->image.plan);
	ret = text && copy ? 0 : -ENOMEM;
	if (!ret) {
		plan_init(&plan);
		if (plan_parse(&plan, text, size, PLAN_COMPILED, &errors))
			wrong(work, "plan-damaged", "line %u of the plan in it is damaged",
			      errors.error[0].line);
		*comparable = check_plan(work, &plan) && !errors.count;
		ret = host_twin(work->inspector->host, &work->inspection->next);
	}
	if (!ret && !errors.unsafe) {
		ret = host_decide_text(work->inspection->next, copy, size);
		copy = NULL;
	} else {
		/* The boot half rejects a plan that may lack a line which prevents a bind. */
		host_close(work->inspection->next);
		work->inspection->next = NULL;
	}
	free(copy);
	free(text);
	return ret;
}

/* Where the boot with this image would differ from the current plan. */
static void compare(struct work *work, const struct host *today)
{
	const struct host *next = work->inspection->next;
	unsigned int more = 0;

	for (size_t i = 0; i < next->count; i++) {
		enum host_next wanted = host_next(today, &today->fn[i]);
		enum host_next have = host_next(next, &next->fn[i]);
		char addr[PCI_ADDRESS_SIZE], why[512];

		/* No driver of the host's comes, or none is kept away: that is all a boot does. */
		if ((wanted == HOST_NEXT_VFIO) == (have == HOST_NEXT_VFIO) &&
		    (wanted == HOST_NEXT_HELD) == (have == HOST_NEXT_HELD))
			continue;
		if (work->inspection->wrongs >= DIFFERENCES_SHOWN) {
			more++;
			continue;
		}
		pci_address_format(&next->fn[i].pci.addr, addr);
		host_why(have == HOST_NEXT_VFIO ? today : next,
			 have == HOST_NEXT_VFIO ? &today->fn[i] : &next->fn[i], why, sizeof(why));
		if (have == HOST_NEXT_VFIO)
			wrong(work, "binds-more",
			      "%s: it would be bound, but a plan of today would not bind it%s%s",
			      addr, *why ? ": " : "", why);
		else
			wrong(work, "binds-less",
			      "%s: it would not be bound, but a plan of today would bind it%s%s",
			      addr, *why ? ": " : "", why);
	}
	if (more)
		wrong(work, "differs-more",
		      "%u more functions would be treated differently by a plan of today", more);
}

/* The next line that is no comment, or NULL. @pos: moved behind it */
static const char *next_line(const char **pos, const char *end, size_t *len)
{
	while (*pos < end) {
		const char *line = *pos, *eol = memchr(line, '\n', (size_t)(end - line));

		*pos = eol ? eol + 1 : end;
		*len = (size_t)(*pos - line);
		if (*line != '#')
			return line;
	}
	return NULL;
}

/*
 * Do two plans say the same? Comments decide nothing: where a tree is not known, they say why, which is
 * not the same inside of it and outside.
 */
static bool is_same_plan(const char *one, size_t one_size, const char *two, size_t two_size)
{
	const char *one_end = one + one_size, *two_end = two + two_size;

	for (;;) {
		size_t one_len = 0, two_len = 0;
		const char *a = next_line(&one, one_end, &one_len);
		const char *b = next_line(&two, two_end, &two_len);

		if (!a || !b)
			return a == b;
		if (one_len != two_len || memcmp(a, b, one_len) != 0)
			return false;
	}
}

static int compare_today(struct work *work)
{
	struct inspection *inspection = work->inspection;
	struct host *today = NULL;
	struct host *host = work->inspector->host;
	enum plan_voice voice;
	char *text, *copy;
	size_t size;
	int ret;

	/* Problems of the config were reported when the host's own plan was compiled. */
	voice = compiler_set_voice(host->compiler, PLAN_SAYS_NOTHING);
	ret = compiler_plan(host->compiler, inspection->kernel, &text, &size);
	compiler_set_voice(host->compiler, voice);
	if (ret == -ENOMEM)
		return ret;
	if (ret) {
		note(work, "not-compared", "it cannot be compared with a plan of today: %s",
		     *host->problem.text ? host->problem.text : strerror(-ret));
		host->problem = (struct config_problem){ 0 };
		return 0;
	}
	inspection->is_current = is_same_plan(text, size, work->image.plan, work->image.plan_size);
	if (inspection->is_current) {
		free(text);
		return 0;
	}
	copy = strdup(text);
	free(text);
	ret = copy ? host_twin(work->inspector->host, &today) : -ENOMEM;
	if (ret) {
		free(copy);
		return ret;
	}
	ret = host_decide_text(today, copy, size);
	if (!ret) {
		size_t before = inspection->wrongs;

		compare(work, today);
		if (inspection->wrongs == before)
			note(work, "differs-in-little",
			     "a plan of today would differ in modules, pins or what this "
			     "host needs, not in what is bound");
	}
	host_close(today);
	return ret;
}

static int check_ours(struct work *work)
{
	bool comparable;
	int ret;

	if (!work->image.plan) {
		wrong(work, "plan-missing", "there is no plan in it");
		return 0;
	}
	ret = decide_image(work, &comparable);
	if (ret)
		return ret;
	check_binary(work);
	check_rope(work);
	if (work->image.builder == IMAGE_DRACUT)
		check_dracut(work);
	else
		check_order(work);
	if (!work->image.has_rule)
		wrong(work, "rule-missing",
		      "05-vfio-early.rules is not in it: devices that appear late are not handed "
		      "over");
	if (comparable && work->inspection->next && work->inspection->kernel)
		ret = compare_today(work);
	return ret;
}

/* --- the whole */

static int find_kernel(struct work *work, const char *path, const char *kernel)
{
	struct inspection *inspection = work->inspection;
	const struct image *image = &work->image;

	inspection->kernel = kernel ? strdup(kernel) : kernels_version(path);
	if (!inspection->kernel && image->kernel && !image->has_kernels)
		inspection->kernel = strdup(image->kernel);
	return kernel && !inspection->kernel ? -ENOMEM : 0;
}

static int check(struct work *work)
{
	struct inspection *inspection = work->inspection;

	inspection->builder = work->image.builder;
	inspection->has_plan = work->image.plan;
	if (work->inspector->wants_us)
		return check_ours(work);
	inspection->is_current = !work->image.plan;
	if (!work->image.plan || !work->image.has_binary)
		return 0;
	/* A dry run of undo. */
	if (work->inspector->host->is_undone &&
	    !state_is(&work->inspector->host->root, STATE_UNDONE))
		wrong(work, "plan-left", "it has a plan");
	else
		wrong(work, "plan-left", "it still has a plan, although %s",
		      inspect_nothing(work->inspector));
	return 0;
}

static int open_image(struct work *work, const struct root *root, const char *path)
{
	struct inspection *inspection = work->inspection;
	int dirfd = root ? root->fd : AT_FDCWD;
	int fd = file_open(dirfd, path);
	struct stat st;

	if (!file_stat(dirfd, path, &st))
		inspection->time = st.st_mtime;
	if (fd >= 0)
		return fd;
	if (fd == -EISDIR || fd == -ENOTSUP) {
		inspection->state = INSPECT_DAMAGED;
		wrong(work, "damaged", "not a regular file");
		return fd;
	}
	inspection->state = fd == -ENOENT ? INSPECT_MISSING : INSPECT_UNREADABLE;
	inspection->error = fd;
	return fd;
}

int inspect_image(const struct inspector *inspector, const struct root *root, const char *path,
		  const char *kernel, struct inspection *inspection)
{
	struct work work = { .inspector = inspector, .inspection = inspection };
	const char *why;
	bool is_read;
	int fd, ret;

	*inspection = (struct inspection){ 0 };
	fd = open_image(&work, root, path);
	if (fd < 0)
		return find_kernel(&work, path, kernel);
	ret = image_read(fd, &work.image, &why);
	close(fd);
	if (ret == -ENOTSUP) {
		inspection->state = INSPECT_UNSUPPORTED;
		wrong(&work, "unsupported", "%s", why);
	} else if (ret && ret != -ENOMEM) {
		inspection->state = INSPECT_DAMAGED;
		wrong(&work, "damaged", "%s", why);
	}
	is_read = !ret;
	ret = ret == -ENOMEM ? ret : find_kernel(&work, path, kernel);
	if (!ret && is_read) {
		ret = check(&work);
		inspection->state = inspection->wrongs ? INSPECT_WRONG : INSPECT_GOOD;
		inspection->is_best = inspection->wrongs == inspection->is_unknown_here;
	}
	image_free(&work.image);
	if (!ret && work.no_memory)
		ret = -ENOMEM;
	return ret == -ENOMEM ? message_errno(ret, "cannot look into %s", path) : ret;
}

void inspect_free(struct inspection *inspection)
{
	for (size_t i = 0; i < inspection->wrongs; i++)
		free(inspection->wrong[i].text);
	for (size_t i = 0; i < inspection->notes; i++)
		free(inspection->note[i].text);
	free(inspection->wrong);
	free(inspection->note);
	free(inspection->kernel);
	host_close(inspection->next);
	*inspection = (struct inspection){ 0 };
}

const char *inspect_summary(const struct inspector *inspector)
{
	return inspector->wants_us ? "the plan in it is current" : "nothing of vfio-early in it";
}

const char *inspect_nothing(const struct inspector *inspector)
{
	return inspector->host->is_undone ? "vfio-early undo is in effect" :
					    "the config names nothing";
}
