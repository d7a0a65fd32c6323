// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early verify: what the next boot with an image would do, or why it would not do what the
 * config says. Reads only. inspect.h decides whether an image is good.
 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "config/trial.h"
#include "findings/findings.h"
#include "host/next_boot.h"
#include "image/builder.h"
#include "image/inspect.h"
#include "image/kernels.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/message.h"

static const struct options_entry entries[] = {
	{ "kernel", 'k', "VERSION", "the image is for this kernel (default: from its name)" },
	{ "quiet", 'q', NULL, "print only what is wrong, one line each: IMAGE: what" },
	{ 0 },
};

enum {
	COL_IMAGE,
	COL_STATE,
	COL_LEVEL,
	COL_SUBJECT,
	COL_CODE,
	COL_TEXT,
};

/* A line for each remark, and for each function on which the next boot decides. */
static const struct output_column columns[] = {
	{ "IMAGE", "its file", 24, 0, OUTPUT_STRING, true },
	{ "STATE", "good, wrong, damaged...", 7, 0, OUTPUT_STRING, true },
	{ "LEVEL", "blocks, notes, or NEXT", 8, 0, OUTPUT_STRING, true },
	{ "SUBJECT", "a function, or nothing", 12, 0, OUTPUT_STRING, true },
	{ "CODE", "a stable word", 12, 0, OUTPUT_STRING, true },
	{ "TEXT", "in words", 0.4, SCOLS_FL_TRUNC, OUTPUT_STRING, true },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "verify [OPTION...] [IMAGE...]",
	.about = "Looks into images of initramfs-tools or dracut, and says what the next boot with\n"
		 "each would do, or why it would not do what the config says. Without IMAGE: the\n"
		 "images of all installed kernels.\n",
	.entry = entries,
	.common = OPTIONS_READING | OPTIONS_TABLE,
	.columns = columns,
	.end = "Exit status: 0 all are as configured, 1 one is not, 2 usage, 3 it is not known.\n",
};

struct verify {
	struct host *host;
	struct inspector inspector;
	struct json_object *images; /* with --json */
	struct output_table table;  /* with -o */
	const struct output *output;
	bool is_quiet, is_named; /* the images are arguments */
	unsigned int images_seen, wrong, untold;
};

/* The names of states are part of the schema of --json: see vfio-early(8) before a change. */
static const struct {
	const char *name, *heading;
	enum output_mark mark;
} states[] = {
	[INSPECT_GOOD] = { "good", "as configured", OUTPUT_GOOD },
	[INSPECT_WRONG] = { "wrong", "NOT AS CONFIGURED", OUTPUT_BAD },
	[INSPECT_DAMAGED] = { "damaged", "DAMAGED", OUTPUT_BAD },
	[INSPECT_MISSING] = { "missing", "MISSING", OUTPUT_BAD },
	[INSPECT_UNREADABLE] = { "unreadable", "CANNOT BE READ", OUTPUT_WARN },
	[INSPECT_UNSUPPORTED] = { "unsupported", "CANNOT BE READ", OUTPUT_BAD },
};

/* --- for programs */

static struct json_object *json_remarks(const struct inspect_remark *remark, size_t count)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count && list; i++) {
		struct json_object *item = json_object_new_object();

		if (!item)
			break;
		json_object_object_add(item, "code", output_json_text(remark[i].code));
		json_object_object_add(item, "text", output_json_text(remark[i].text));
		json_object_array_add(list, item);
	}
	return list;
}

static void add_json(struct verify *verify, const char *name, const struct inspection *image)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return;
	json_object_object_add(object, "image", output_json_text(name));
	json_object_object_add(object, "state", output_json_text(states[image->state].name));
	json_object_object_add(object, "kernel", output_json_text(image->kernel));
	json_object_object_add(object, "builder", output_json_text(builder_name(image->builder)));
	json_object_object_add(object, "wrong", json_remarks(image->wrong, image->wrongs));
	json_object_object_add(object, "notes", json_remarks(image->note, image->notes));
	json_object_object_add(object, "functions",
			       image->next ? next_boot_json(image->next) : json_object_new_array());
	json_object_array_add(verify->images, object);
}

/* --- as a table */

static void add_line(struct verify *verify, const char *name, const struct inspection *image,
		     const char *level, const char *subject, const char *code, const char *text)
{
	struct output_table *table = &verify->table;
	struct libscols_line *line = output_line(table, NULL);

	output_set(table, line, COL_IMAGE, name);
	output_set(table, line, COL_STATE, states[image->state].name);
	output_set(table, line, COL_LEVEL, level);
	output_set(table, line, COL_SUBJECT, subject);
	output_set(table, line, COL_CODE, code);
	output_set(table, line, COL_TEXT, text);
	output_mark_cell(table, line, COL_STATE, states[image->state].mark);
}

static void add_function(struct verify *verify, const char *name, const struct inspection *image,
			 const struct host_function *fn)
{
	char addr[PCI_ADDRESS_SIZE], why[512];

	add_line(verify, name, image, host_next_name(host_next(image->next, fn)),
		 pci_address_format(&fn->pci.addr, addr), next_boot_code(image->next, fn),
		 host_why(image->next, fn, why, sizeof(why)));
}

static void add_lines(struct verify *verify, const char *name, const struct inspection *image)
{
	size_t functions = 0;

	for (size_t i = 0; i < image->wrongs; i++)
		add_line(verify, name, image, finding_level_name(FINDING_BLOCKS), "",
			 image->wrong[i].code, image->wrong[i].text);
	for (size_t i = 0; i < image->notes; i++)
		add_line(verify, name, image, finding_level_name(FINDING_NOTES), "",
			 image->note[i].code, image->note[i].text);
	for (size_t i = 0; image->next && i < image->next->count; i++) {
		if (image->next->fn[i].place == DECIDE_NO_INDEX)
			continue;
		add_function(verify, name, image, &image->next->fn[i]);
		functions++;
	}
	/* An image without remarks and functions gets a line too, with its state as the reason. */
	if (!image->wrongs && !image->notes && !functions)
		add_line(verify, name, image,
			 finding_level_name(image->state == INSPECT_GOOD ? FINDING_OK :
									   FINDING_BLOCKS),
			 "", states[image->state].name, "");
}

/* --- for people */

static void print_remarks(const struct output *output, const struct inspect_remark *remark,
			  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fputs("  ", stdout);
		output_fold(output, 2, remark[i].text);
	}
}

static int print_next(const struct verify *verify, struct host *next)
{
	struct next_boot counts;
	char vfs[NEXT_BOOT_TEXT_SIZE];
	int ret;

	if (!next->count) {
		puts("No PCI function is visible here: it is not known what this image would "
		     "bind.");
		return 0;
	}
	ret = next_boot_print(next, verify->output);
	next_boot_count(next, &counts);
	output_foldf(verify->output, 0, "The next boot with it%s binds %u, refuses %u%s.",
		     next_boot_is_open(next) ? " and this boot's parameters" : "", counts.taken,
		     counts.refused, next_boot_tell_vfs(&counts, vfs));
	return ret;
}

/* Is it a file that was named by mistake, and that apply would never make? */
static bool is_of_no_kernel(const struct verify *verify, const char *name,
			    const struct inspection *image)
{
	char *version = kernels_version(name);
	bool is_none = verify->is_named && (image->state == INSPECT_MISSING ||
					    (image->state == INSPECT_DAMAGED && !version));

	free(version);
	return is_none;
}

static int print_image(struct verify *verify, const char *name, const struct inspection *image)
{
	const struct output *output = verify->output;
	enum output_mark mark = states[image->state].mark;

	if (verify->images_seen)
		putchar('\n');
	printf("%s: %s%s%s", name, output_on(output, mark), states[image->state].heading,
	       output_off(output, mark));
	if (image->kernel && builder_name(image->builder))
		printf(" (kernel %s, %s)", image->kernel, builder_name(image->builder));
	putchar('\n');
	if (image->state == INSPECT_UNREADABLE)
		printf("  %s\n", strerror(-image->error));
	print_remarks(output, image->wrong, image->wrongs);
	print_remarks(output, image->note, image->notes);
	if (image->state == INSPECT_GOOD && !verify->inspector.wants_us)
		printf("  %s, and %s\n", inspect_summary(&verify->inspector),
		       inspect_nothing(&verify->inspector));
	if (image->state == INSPECT_UNSUPPORTED)
		printf("  fix: " INSPECT_COMPRESS ", then %s\n",
		       trial_command(&verify->host->root));
	else if (is_of_no_kernel(verify, name, image))
		puts("  fix: name an image, such as /boot/initrd.img-VERSION");
	else if (verify->host->is_undone && image->state != INSPECT_GOOD &&
		 image->state != INSPECT_UNREADABLE)
		puts("  fix: " COMMAND_UNDO);
	else if (image->is_unknown_here)
		printf("  fix: " COMMAND_THERE "%s\n", trial_command(&verify->host->root));
	else if (image->state != INSPECT_GOOD && image->state != INSPECT_UNREADABLE)
		printf("  fix: %s\n", trial_command(&verify->host->root));
	return image->next ? print_next(verify, image->next) : 0;
}

static void print_quiet(const char *name, const struct inspection *image)
{
	if (image->state == INSPECT_MISSING)
		printf("%s: there is no such image\n", name);
	else if (image->state == INSPECT_UNREADABLE)
		printf("%s: %s\n", name, strerror(-image->error));
	for (size_t i = 0; i < image->wrongs; i++)
		printf("%s: %s%s\n", name, image->state == INSPECT_DAMAGED ? "damaged: " : "",
		       image->wrong[i].text);
}

/* --- the whole */

static int verify_image(struct verify *verify, const struct root *root, const char *path,
			const char *name, const char *kernel)
{
	struct inspection image;
	int ret = inspect_image(&verify->inspector, root, path, kernel, &image);

	if (!ret) {
		verify->untold += image.state == INSPECT_UNREADABLE;
		verify->wrong += image.state != INSPECT_GOOD;
		if (verify->output->format == OUTPUT_JSON)
			add_json(verify, name, &image);
		else if (output_is_table(verify->output))
			add_lines(verify, name, &image);
		else if (verify->is_quiet)
			print_quiet(name, &image);
		else
			ret = print_image(verify, name, &image);
		verify->images_seen++;
	}
	inspect_free(&image);
	return ret;
}

static int verify_kernels(struct verify *verify)
{
	struct kernels kernels;
	int ret = kernels_find(&verify->host->root, &kernels);

	if (ret)
		message_errno(ret, "cannot read %s/" KERNELS_BOOT, verify->host->root.path);
	else if (!kernels.count)
		ret = message_error("no kernel in %s/" KERNELS_BOOT "; fix: name an image",
				    verify->host->root.path);
	for (size_t i = 0; i < kernels.count && !ret; i++) {
		const struct kernel *kernel = &kernels.list[i];
		char name[320];

		snprintf(name, sizeof(name), "/%s", kernel->image);
		ret = verify_image(verify, &verify->host->root, kernel->image, name,
				   kernel->version);
	}
	kernels_free(&kernels);
	return ret;
}

static int print_json(struct verify *verify)
{
	struct json_object *top = output_json_object();

	if (!top)
		return output_json(NULL);
	json_object_object_add(top, "good", json_object_new_boolean(!verify->wrong));
	json_object_object_add(top, "images", json_object_get(verify->images));
	return output_json(top);
}

/* With --quiet, faults of the config are not repeated: the builder's hook has printed them. */
static int read_config(struct verify *verify)
{
	char *kernel = NULL;
	int ret;

	host_kernel(verify->host, &kernel);
	if (verify->is_quiet)
		verify->host->voice = PLAN_SAYS_NOTHING;
	ret = host_decide(verify->host, kernel);
	free(kernel);
	return ret ? ret : inspect_open(verify->host, &verify->inspector);
}

static int run(struct verify *verify, const struct options *opts, const char *kernel, char **image,
	       int count)
{
	bool is_table = opts->output.format != OUTPUT_JSON && output_is_table(&opts->output);
	int ret = host_open_blind(opts->root, &verify->host);

	if (!ret)
		ret = read_config(verify);
	if (!ret && opts->output.format == OUTPUT_JSON) {
		verify->images = json_object_new_array();
		ret = verify->images ? 0 : message_errno(-ENOMEM, "cannot print");
	}
	if (!ret && is_table)
		ret = output_table_init(&verify->table, &opts->output, "images", columns);
	verify->is_named = count;
	if (!ret && !count)
		ret = verify_kernels(verify);
	for (int i = 0; i < count && !ret; i++)
		ret = verify_image(verify, NULL, image[i], image[i], kernel);
	if (!ret && verify->images)
		ret = print_json(verify);
	if (!ret && is_table)
		ret = output_table_print(&verify->table);
	if (ret)
		return COMMAND_NOTHING;
	if (verify->wrong > verify->untold)
		return COMMAND_INCOMPLETE;
	return verify->untold ? COMMAND_NOTHING : COMMAND_OK;
}

int command_verify(int argc, char **argv)
{
	struct verify verify = { 0 };
	const char *kernel = NULL;
	struct options opts;
	int code, ret;

	options_init(&opts, &spec);
	verify.output = &opts.output;
	while ((code = options_next(&opts, argc, argv)) >= 0) {
		if (code == 'k')
			kernel = optarg;
		else
			verify.is_quiet = true;
	}
	if (code == OPTIONS_EXIT)
		return opts.status;
	if (kernel && optind == argc) {
		message_error("--kernel needs an image; fix: vfio-early verify --kernel VERSION "
			      "IMAGE");
		return options_usage(&opts);
	}
	if (kernel && !options_is_kernel(kernel))
		return COMMAND_USAGE;
	ret = run(&verify, &opts, kernel, argv + optind, argc - optind);
	json_object_put(verify.images);
	output_table_free(&verify.table);
	inspect_close(&verify.inspector);
	host_close(verify.host);
	return ret;
}
