// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early check: the dry run of the next boot. What the boot half will do with each function, by
 * its own code, and every risk with its fix, worst first. Reads only.
 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "findings/risk.h"
#include "host/host.h"
#include "host/next_boot.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/message.h"

static const struct options_entry entries[] = {
	{ "kernel", 'k', "VERSION", "check the modules of this one (default: the running one)" },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "check [OPTION...]",
	.about = "A dry run of the next boot: what happens to each PCI function that the config\n"
		 "names or that shares a group with one, and what may go wrong, worst first, each\n"
		 "with its fix. Changes nothing.\n",
	.entry = entries,
	.common = OPTIONS_READING,
	.end = "Exit status: 0 nothing blocks, 1 something does, 2 usage, 3 it cannot be told.\n",
};

struct check {
	struct host *host;
	struct risks risks;
	char *kernel; /* NULL: none is there */
};

/* --- for people */

static int print_text(const struct check *check, const struct output *output)
{
	bool is_good = !check->risks.blocks;
	struct outlook outlook;
	int ret = outlook_print(check->host, output);

	if (ret)
		return ret;
	outlook_count(check->host, &outlook);
	if (check->host->table.count)
		putchar('\n');
	risks_print(&check->risks, RISK_NOTES, output);
	if (check->risks.count)
		putchar('\n');
	printf("%s%s%s: the next boot binds %u, refuses %u; ",
	       output_on(output, is_good ? OUTPUT_GOOD : OUTPUT_BAD),
	       is_good ? "nothing blocks" : "BLOCKED",
	       output_off(output, is_good ? OUTPUT_GOOD : OUTPUT_BAD), outlook.taken,
	       outlook.refused);
	printf("%zu of %zu remarks block\n", check->risks.blocks, check->risks.count);
	return output_finish();
}

/* --- for programs: a stable schema, see vfio-early(8) */

static struct json_object *json_risk(const struct risk *risk)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	json_object_object_add(object, "level", outlook_text(risk_level_name(risk->level)));
	json_object_object_add(object, "about", outlook_text(risk->about));
	json_object_object_add(object, "what", outlook_text(risk->what));
	json_object_object_add(object, "fix", outlook_text(risk->fix));
	return object;
}

static int print_json(const struct check *check)
{
	struct json_object *object = json_object_new_object();
	struct json_object *functions = outlook_json(check->host);
	struct json_object *risks = json_object_new_array();

	if (!object || !functions || !risks) {
		json_object_put(object);
		json_object_put(functions);
		json_object_put(risks);
		return output_json(NULL);
	}
	for (size_t i = 0; i < check->risks.count; i++)
		json_object_array_add(risks, json_risk(&check->risks.list[i]));
	json_object_object_add(object, "blocked", json_object_new_boolean(check->risks.blocks));
	json_object_object_add(object, "kernel", outlook_text(check->kernel));
	json_object_object_add(object, "functions", functions);
	json_object_object_add(object, "risks", risks);
	return output_json(object);
}

/* --- the whole */

static int run(struct check *check, const char *kernel, const struct output *output)
{
	int ret = 0;

	if (kernel)
		check->kernel = strdup(kernel);
	else
		ret = host_kernel(&check->host->root, &check->kernel);
	if (ret == -ENOENT)
		message_warn("no kernel below %s/lib/modules: its modules are not checked",
			     check->host->root.path);
	else if (ret)
		return message_errno(ret, "cannot find out the kernel");

	ret = host_decide(check->host, check->kernel);
	if (!ret)
		ret = risks_collect(check->host, check->kernel, &check->risks);
	if (ret)
		return ret;
	return output->format == OUTPUT_JSON ? print_json(check) : print_text(check, output);
}

int command_check(int argc, char **argv)
{
	struct check check = { 0 };
	const char *kernel = NULL;
	struct options opts;
	int code, ret;

	options_init(&opts, &spec);
	while ((code = options_next(&opts, argc, argv)) >= 0)
		kernel = optarg;
	if (code == OPTIONS_EXIT)
		return opts.status;
	if (options_no_arguments(&opts, argc, argv))
		return COMMAND_USAGE;

	ret = host_open(opts.root, &check.host);
	if (!ret)
		ret = run(&check, kernel, &opts.output);
	if (!ret && check.risks.blocks)
		ret = COMMAND_INCOMPLETE;
	risks_free(&check.risks);
	free(check.kernel);
	host_close(check.host);
	return ret < 0 ? COMMAND_NOTHING : ret;
}
