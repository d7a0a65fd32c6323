// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early check: the dry run of the next boot. Shows what the boot half will do with each
 * function, decided by its own code, and every finding with its fix, the worst first. Reads only.
 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "findings/findings.h"
#include "findings/show.h"
#include "host/host.h"
#include "host/next_boot.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/message.h"

static const struct options_entry entries[] = {
	{ "kernel", 'k', "VERSION", "check this kernel (default: the running one)" },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "check [OPTION...]",
	.about = "A dry run of the next boot: what happens to each PCI function that the config\n"
		 "names or that shares a group with one, and what may go wrong, worst first, each\n"
		 "with its fix. Changes nothing.\n",
	.entry = entries,
	.common = OPTIONS_READING | OPTIONS_TABLE,
	.columns = findings_columns,
	.end = "Exit status: 0 nothing blocks, 1 something does, 2 usage, 3 it is not known.\n",
};

struct check {
	struct host *host;
	struct findings findings;
	char *kernel; /* NULL: there is none */
};

static size_t blocks(const struct check *check)
{
	return findings_count(&check->findings, &findings_of_check, FINDING_BLOCKS);
}

/* --- for people */

static int print_text(const struct check *check, const struct output *output)
{
	size_t count = findings_count(&check->findings, &findings_of_check, FINDING_LEVELS);
	enum output_mark mark = blocks(check) ? OUTPUT_BAD : OUTPUT_GOOD;
	const char *verdict = blocks(check) ? "BLOCKED" : "nothing blocks";
	struct next_boot counts;
	char vfs[NEXT_BOOT_TEXT_SIZE];
	int ret = next_boot_print(check->host, output);

	if (ret)
		return ret;
	next_boot_count(check->host, &counts);
	if (check->host->table.count)
		putchar('\n');
	findings_print(&check->findings, &findings_of_check, FINDING_NOTES, output);
	if (count)
		putchar('\n');
	printf("%s%s%s", output_on(output, mark), verdict, output_off(output, mark));
	output_foldf(output, (unsigned int)strlen(verdict),
		     ": the next boot binds %u, refuses %u%s%s; %zu of %zu findings block",
		     counts.taken, counts.refused, next_boot_tell_vfs(&counts, vfs),
		     next_boot_is_open(check->host) ? " with this boot's parameters" : "",
		     blocks(check), count);
	return 0;
}

/* --- for programs: see vfio-early-json(5) */

static int print_json(const struct check *check)
{
	struct json_object *object = output_json_object();
	struct json_object *functions = next_boot_json(check->host);
	struct next_boot counts;
	struct json_object *findings = findings_json(&check->findings, &findings_of_check);

	if (!object || !functions || !findings) {
		json_object_put(object);
		json_object_put(functions);
		json_object_put(findings);
		return output_json(NULL);
	}
	json_object_object_add(object, "blocked", json_object_new_boolean(blocks(check)));
	json_object_object_add(object, "kernel", output_json_text(check->kernel));
	next_boot_count(check->host, &counts);
	json_object_object_add(object, "vfs", json_object_new_int64(counts.vfs));
	json_object_object_add(object, "vfs_bound", json_object_new_int64(counts.vfs_taken));
	json_object_object_add(object, "functions", functions);
	json_object_object_add(object, "findings", findings);
	return output_json(object);
}

/* --- the whole */

static int run(struct check *check, const char *kernel, const struct output *output)
{
	int ret = 0;

	if (kernel)
		check->kernel = strdup(kernel);
	else
		ret = host_kernel(check->host, &check->kernel);
	if (ret == -ENOENT)
		message_warn("no kernel below %s/lib/modules: its modules are not checked",
			     check->host->root.path);
	else if (ret)
		return message_errno(ret, "cannot find out the kernel");

	ret = host_decide(check->host, check->kernel);
	if (!ret)
		ret = findings_collect_check(check->host, check->kernel, &check->findings);
	if (ret)
		return ret;
	if (output->format == OUTPUT_JSON)
		return print_json(check);
	if (output->format == OUTPUT_RAW || output->columns)
		return findings_print_table(&check->findings, &findings_of_check, output);
	return print_text(check, output);
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
	if (options_no_arguments(&opts, argc, argv) || (kernel && !options_is_kernel(kernel)))
		return COMMAND_USAGE;

	ret = host_open(opts.root, &check.host);
	if (!ret)
		ret = run(&check, kernel, &opts.output);
	if (!ret && blocks(&check))
		ret = COMMAND_INCOMPLETE;
	findings_free(&check.findings);
	free(check.kernel);
	host_close(check.host);
	return ret < 0 ? COMMAND_NOTHING : ret;
}
