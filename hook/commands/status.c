// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early status: one verdict, READY or NOT READY, and under it each check with its fix. READY
 * means: this boot did as the config says, and the next one will.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "commands/command.h"
#include "early/version.h"
#include "findings/health.h"
#include "ui/options.h"
#include "ui/output.h"

/* These names are the schema of --json: see vfio-early(8) before a change. */
static const char *const result_names[] = {
	[RESULT_OK] = "ok",
	[RESULT_WARNING] = "warning",
	[RESULT_FAIL] = "fail",
	[RESULT_UNKNOWN] = "unknown",
};

static bool is_ready(const struct health *health)
{
	return !health->failed;
}

static int print_json(const struct health *health)
{
	struct json_object *top = json_object_new_object(), *checks = json_object_new_array();

	if (!top || !checks) {
		json_object_put(top);
		json_object_put(checks);
		return output_json(NULL);
	}
	json_object_object_add(top, "schema", json_object_new_int(1));
	json_object_object_add(top, "version", json_object_new_string(version_text));
	json_object_object_add(top, "ready", json_object_new_boolean(is_ready(health)));
	json_object_object_add(top, "kernel",
			       health->kernel ? json_object_new_string(health->kernel) : NULL);
	for (size_t i = 0; i < health->checks; i++) {
		const struct check *check = &health->check[i];
		struct json_object *item = json_object_new_object();

		json_object_object_add(item, "check", json_object_new_string(check->name));
		json_object_object_add(item, "result",
				       json_object_new_string(result_names[check->result]));
		json_object_object_add(item, "subject",
				       check->subject ? json_object_new_string(check->subject) :
							NULL);
		json_object_object_add(item, "text", json_object_new_string(check->text));
		json_object_object_add(item, "fix",
				       check->fix ? json_object_new_string(check->fix) : NULL);
		json_object_array_add(checks, item);
	}
	json_object_object_add(top, "checks", checks);
	return output_json(top);
}

static void print_text(const struct health *health, const struct output *output)
{
	static const enum output_mark marks[] = {
		[RESULT_OK] = OUTPUT_GOOD,
		[RESULT_WARNING] = OUTPUT_WARN,
		[RESULT_FAIL] = OUTPUT_BAD,
		[RESULT_UNKNOWN] = OUTPUT_DIM,
	};
	enum output_mark verdict = is_ready(health) ? OUTPUT_GOOD : OUTPUT_BAD;
	const unsigned int column = 29; /* where the texts begin */

	printf("%s%s%s\n", output_on(output, verdict), is_ready(health) ? "READY" : "NOT READY",
	       output_off(output, verdict));
	for (size_t i = 0; i < health->checks; i++) {
		const struct check *check = &health->check[i];
		enum output_mark mark = marks[check->result];
		char line[1024];

		printf("%s%-8s%s %-19s ", output_on(output, mark), result_names[check->result],
		       output_off(output, mark), check->name);
		snprintf(line, sizeof(line), "%s%s%s", check->subject ? check->subject : "",
			 check->subject ? ": " : "", check->text);
		output_fold(output, column, line);
		if (check->fix) {
			printf("%*s", (int)column, "");
			snprintf(line, sizeof(line), "fix: %s", check->fix);
			output_fold(output, column, line);
		}
	}
	if (health->unknown && geteuid())
		puts("Run as root, it would also look at what is marked unknown.");
}

static int print(const struct health *health, const struct output *output)
{
	if (output->format == OUTPUT_JSON) {
		if (print_json(health))
			return COMMAND_NOTHING;
	} else {
		print_text(health, output);
	}
	if (output_finish())
		return COMMAND_NOTHING;
	return is_ready(health) ? COMMAND_OK : COMMAND_INCOMPLETE;
}

int command_status(int argc, char **argv)
{
	static const struct options_spec spec = {
		.usage = "status [OPTION...]",
		.about = "Is all as configured, and will it be after the next boot? READY or NOT "
			 "READY, and\nunder it each check with its fix.\n",
		.common = OPTIONS_READING,
		.end = "Exit status: 0 READY, 1 NOT READY, 2 usage, 3 cannot be read.\n",
	};
	static struct health health;
	struct options opts;
	struct host *host;
	int ret;

	options_init(&opts, &spec);
	while ((ret = options_next(&opts, argc, argv)) != OPTIONS_DONE)
		if (ret == OPTIONS_EXIT)
			return opts.status;
	ret = options_no_arguments(&opts, argc, argv);
	if (ret)
		return ret;

	if (host_open(opts.root, &host))
		return COMMAND_NOTHING;
	ret = health_collect(host, &health) ? COMMAND_NOTHING : print(&health, &opts.output);
	health_free(&health);
	host_close(host);
	return ret;
}
