// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early status: the verdict READY or NOT READY, and below it each check with its fix. READY
 * means: this boot has done what the config says, and the next one will do it.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "config/trial.h"
#include "early/version.h"
#include "findings/findings.h"
#include "findings/show.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/message.h"

/* If nothing is bound, nothing is wrong, but nothing is ready either. */
static bool is_ready(const struct findings *findings)
{
	return !findings_count(findings, &findings_of_status, FINDING_BLOCKS) &&
	       !findings_count(findings, &findings_of_status, FINDING_IDLE);
}

/* null if there is no trial. */
static struct json_object *trial_json(const struct root *root)
{
	struct json_object *json;
	struct trial trial;
	long long left;

	/* The findings have reported an error. */
	trial_load(root, &trial);
	json = trial.state ? json_object_new_object() : NULL;
	if (!json)
		return NULL;
	left = trial.state == TRIAL_UNCONFIRMED ? trial_deadline(root) : -ENOENT;
	if (left >= 0)
		left = left > trial_now() ? left - trial_now() : 0;
	json_object_object_add(json, "state", output_json_text(trial_state_name(trial.state)));
	json_object_object_add(json, "minutes", json_object_new_int64(trial.minutes));
	json_object_object_add(json, "made", json_object_new_int64(trial.made));
	json_object_object_add(json, "left", left < 0 ? NULL : json_object_new_int64(left));
	json_object_object_add(json, "tried", output_json_text(trial.tried));
	json_object_object_add(json, "good", output_json_text(trial.good));
	return json;
}

static int print_json(const struct host *host, const struct findings *findings, const char *kernel)
{
	struct json_object *top = output_json_object();
	struct json_object *list = findings_json(findings, &findings_of_status);
	char running[128];

	if (!top || !list) {
		json_object_put(top);
		json_object_put(list);
		return output_json(NULL);
	}
	json_object_object_add(top, "version", output_json_text(version_text));
	json_object_object_add(top, "ready", json_object_new_boolean(is_ready(findings)));
	json_object_object_add(top, "kernel", output_json_text(kernel));
	json_object_object_add(top, "running",
			       output_json_text(
				       host_running(&host->root, running, sizeof(running))));
	json_object_object_add(top, "trial", trial_json(&host->root));
	json_object_object_add(top, "findings", list);
	return output_json(top);
}

/* The effect of a level on the verdict. */
static const char *result_name(enum finding_level level)
{
	static const char *const names[] = {
		[FINDING_BLOCKS] = "fail", [FINDING_IDLE] = "fail", [FINDING_WARNS] = "warning",
		[FINDING_NOTES] = "note",  [FINDING_OK] = "ok",	    [FINDING_UNKNOWN] = "unknown",
	};

	return names[level];
}

static void print_finding(const struct finding *finding, const struct output *output)
{
	const unsigned int column = 29; /* the start of the texts */
	enum output_mark mark = findings_mark(finding->level);
	bool has_subject = *finding->subject && strcmp(finding->subject, finding->topic) != 0;
	char line[1024];

	printf("%s%-8s%s %-19s ", output_on(output, mark), result_name(finding->level),
	       output_off(output, mark), finding->topic);
	snprintf(line, sizeof(line), "%s%s%s", has_subject ? finding->subject : "",
		 has_subject ? ": " : "", finding->text);
	output_fold(output, column, line);
	if (!*finding->fix)
		return;
	printf("%*s", (int)column, "");
	snprintf(line, sizeof(line), "fix: %s", finding->fix);
	output_fold(output, column, line);
}

static void print_text(const struct findings *findings, const struct output *output)
{
	enum output_mark verdict = is_ready(findings) ? OUTPUT_GOOD : OUTPUT_BAD;

	printf("%s%s%s\n", output_on(output, verdict), is_ready(findings) ? "READY" : "NOT READY",
	       output_off(output, verdict));
	for (size_t i = 0; i < findings->count; i++)
		if (finding_is_shown(&findings->list[i], &findings_of_status))
			print_finding(&findings->list[i], output);
	if (findings->of_level[FINDING_UNKNOWN] && geteuid())
		puts("Run it as root to check what is marked unknown.");
}

static int run(struct host *host, const struct output *output)
{
	struct findings findings = { 0 };
	char *kernel = NULL;
	int ret;

	host_kernel(host, &kernel);
	ret = host_decide_or_problem(host, kernel);
	if (!ret)
		ret = findings_collect_status(host, kernel, &findings);
	if (ret)
		;
	else if (output->format == OUTPUT_JSON)
		ret = print_json(host, &findings, kernel);
	else if (output->format == OUTPUT_RAW || output->columns)
		ret = findings_print_table(&findings, &findings_of_status, output);
	else
		print_text(&findings, output);
	if (!ret && !is_ready(&findings))
		ret = COMMAND_INCOMPLETE;
	findings_free(&findings);
	free(kernel);
	return ret < 0 ? COMMAND_NOTHING : ret;
}

int command_status(int argc, char **argv)
{
	static const struct options_spec spec = {
		.usage = "status [OPTION...]",
		.about = "Prints READY if all is as configured and will be after the next boot, "
			 "else NOT READY,\nand below it each check with its fix.\n",
		.common = OPTIONS_READING | OPTIONS_TABLE,
		.columns = findings_columns,
		.end = "Exit status: 0 READY, 1 NOT READY, 2 usage, 3 cannot be read.\n",
	};
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
	ret = run(host, &opts.output);
	host_close(host);
	return ret;
}
