// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings for people and for programs; see show.h. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "findings/show.h"

enum {
	COL_LEVEL,
	COL_STAGE,
	COL_CODE,
	COL_SUBJECT,
	COL_TEXT,
	COL_FIX,
};

const struct output_column findings_columns[] = {
	{ "LEVEL", "blocks, warns, notes...", 7, 0, OUTPUT_STRING, true },
	{ "STAGE", "part of the boot", 7, 0, OUTPUT_STRING, true },
	{ "CODE", "stable code", 12, 0, OUTPUT_STRING, true },
	{ "SUBJECT", "what it is about", 12, 0, OUTPUT_STRING, true },
	{ "TEXT", "what is wrong", 0.4, SCOLS_FL_TRUNC, OUTPUT_STRING, true },
	{ "FIX", "what to do", 0.3, SCOLS_FL_TRUNC, OUTPUT_STRING, true },
	{ 0 },
};

enum output_mark findings_mark(enum finding_level level)
{
	static const enum output_mark marks[] = {
		[FINDING_BLOCKS] = OUTPUT_BAD, [FINDING_IDLE] = OUTPUT_BAD,
		[FINDING_WARNS] = OUTPUT_WARN, [FINDING_NOTES] = OUTPUT_DIM,
		[FINDING_OK] = OUTPUT_GOOD,    [FINDING_UNKNOWN] = OUTPUT_DIM,
	};

	return marks[level];
}

static void print_finding(const struct finding *finding, const struct output *output)
{
	enum output_mark mark = findings_mark(finding->level);
	char *text;

	printf("%s%-7s%s ", output_on(output, mark), finding_level_name(finding->level),
	       output_off(output, mark));
	if (asprintf(&text, "%s%s%s", finding->subject, *finding->subject ? ": " : "",
		     finding->text) >= 0) {
		output_fold(output, 8, text);
		free(text);
	}
	if (*finding->fix) {
		printf("%8sfix: ", "");
		output_fold(output, 13, finding->fix);
	}
}

void findings_print(const struct findings *findings, const struct finding_filter *filter,
		    enum finding_level least, const struct output *output)
{
	for (enum finding_level level = FINDING_BLOCKS; level <= least; level++)
		for (size_t i = 0; i < findings->count; i++)
			if (findings->list[i].level == level &&
			    finding_is_shown(&findings->list[i], filter))
				print_finding(&findings->list[i], output);
}

static struct json_object *json_finding(const struct finding *finding)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	json_object_object_add(object, "level",
			       output_json_text(finding_level_name(finding->level)));
	json_object_object_add(object, "stage",
			       output_json_text(finding_stage_name(finding->stage)));
	json_object_object_add(object, "code", output_json_text(finding->code));
	json_object_object_add(object, "subject", output_json_text(finding->subject));
	json_object_object_add(object, "text", output_json_text(finding->text));
	json_object_object_add(object, "fix", output_json_text(finding->fix));
	return object;
}

struct json_object *findings_json(const struct findings *findings,
				  const struct finding_filter *filter)
{
	struct json_object *list = json_object_new_array();

	for (enum finding_level level = FINDING_BLOCKS; level < FINDING_LEVELS && list; level++)
		for (size_t i = 0; i < findings->count; i++)
			if (findings->list[i].level == level &&
			    finding_is_shown(&findings->list[i], filter))
				json_object_array_add(list, json_finding(&findings->list[i]));
	return list;
}

int findings_print_table(const struct findings *findings, const struct finding_filter *filter,
			 const struct output *output)
{
	struct output_table table;
	int ret = output_table_init(&table, output, "findings", findings_columns);

	for (size_t i = 0; i < findings->count && !ret; i++) {
		const struct finding *finding = &findings->list[i];
		struct libscols_line *line;

		if (!finding_is_shown(finding, filter))
			continue;
		line = output_line(&table, NULL);
		output_set(&table, line, COL_LEVEL, finding_level_name(finding->level));
		output_set(&table, line, COL_STAGE, finding_stage_name(finding->stage));
		output_set(&table, line, COL_CODE, finding->code);
		output_set(&table, line, COL_SUBJECT, finding->subject);
		output_set(&table, line, COL_TEXT, finding->text);
		output_set(&table, line, COL_FIX, finding->fix);
		output_mark_cell(&table, line, COL_LEVEL, findings_mark(finding->level));
	}
	if (!ret)
		ret = output_table_print(&table);
	output_table_free(&table);
	return ret;
}
