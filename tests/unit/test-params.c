// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hook/util/params.c, modprobe.c, ids.c: what people write, and what the kernel, libkmod and vfio-pci
 * make of it. What libkmod can say of a line is asked of modprobe --showconfig.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "early/cmdline.h"
#include "tests/unit/fixture.h"
#include "util/ids.h"
#include "util/modprobe.h"
#include "util/params.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* Each parameter as [NAME] or [NAME=VALUE], then [--] where the reading ended there. */
static const char *read_params(const char *text)
{
	static char out[4096];
	struct params params;
	struct param param;
	size_t len = 0;

	out[0] = '\0';
	params_begin(&params, text, strlen(text));
	while (params_next(&params, &param))
		len += (size_t)snprintf(out + len, sizeof(out) - len, "[%.*s%s%.*s]",
					(int)param.name_len, param.name, param.value ? "=" : "",
					(int)param.value_len, param.value ? param.value : "");
	if (params.has_dashes)
		snprintf(out + len, sizeof(out) - len, "[--]%s", params.pos);
	return out;
}

static const struct {
	const char *text, *params;
} words[] = {
	{ "", "" },
	{ " \t\n", "" },
	{ "quiet", "[quiet]" },
	{ "ids=10de:1e84,10de:10f8", "[ids=10de:1e84,10de:10f8]" },
	{ "ids=\"10de:1e84,10de:10f8\" disable_vga=1", "[ids=10de:1e84,10de:10f8][disable_vga=1]" },
	{ "\"ids=10de:1e84,10de:10f8\" a", "[ids=10de:1e84,10de:10f8][a]" },
	{ "ids=\"10de:1e84, 10de:10f8\"", "[ids=10de:1e84, 10de:10f8]" },
	{ "ids=10de:1e84, 10de:10f8", "[ids=10de:1e84,][10de:10f8]" },
	{ "ids='10de:1e84'", "[ids='10de:1e84']" },
	{ "ids=10de:1e84 # my card", "[ids=10de:1e84][#][my][card]" },
	{ "ids=10de:1e84\r", "[ids=10de:1e84]" },
	{ "a\vb\fc", "[a][b][c]" },
	/* a no-break space that was pasted: its second byte parts */
	{ "ids=1:2\xc2\xa0quiet", "[ids=1:2\xc2][quiet]" },
	{ "a=", "[a=]" },
	{ "a= b", "[a=][b]" },
	{ "a=\"\"", "[a=]" },
	{ "a=\"", "[a=]" },
	{ "a=\"b c", "[a=b c]" },
	{ "a=b\"c d\"e f", "[a=b\"c d\"e][f]" },
	{ "a=b\"c d\"", "[a=b\"c d\"]" },
	{ "\"a b\"", "[a b]" },
	{ "\"a b", "[a b]" },
	{ "\"", "[]" },
	{ "\"\"", "[]" },
	{ "\"a=\"", "[a=]" },
	{ "\"a=\"b\"", "[a=b]" },
	{ "=a", "[=a]" },
	{ "=a=b", "[=a=b]" },
	{ "a=b=c", "[a=b=c]" },
	{ "a\\\"b", "[a\\\"b]" },
	{ "ro -- single", "[ro][--] single" },
	{ "ro \"--\" single", "[ro][--] single" },
	{ "ro --x -- y", "[ro][--x][--] y" },
	{ "--=x y", "[--=x][y]" },
	{ "--", "[--]" },
	{ "vfio-pci.ids=\"1:2\" quiet", "[vfio-pci.ids=1:2][quiet]" },
	{ "\"vfio-pci.ids=1:2\"", "[vfio-pci.ids=1:2]" },
	{ "vfio-pci.\"ids\"=1:2", "[vfio-pci.\"ids\"=1:2]" },
};

static void params_next_reads_as_the_kernel(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(words); i++)
		if (strcmp(read_params(words[i].text), words[i].params) != 0)
			fail_msg("<%s>: %s", words[i].text, read_params(words[i].text));
}

/* The boot half has a reader of its own, of fewer bytes: of what can be on a command line it says the
 * same. Not of control characters, of a quoted "--", and of what begins with '='. */
static void params_next_agrees_with_the_boot_half(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(words); i++) {
		struct params params;
		struct param param;

		if (strpbrk(words[i].text, "\r\v\f\xa0") || strstr(words[i].text, "\"--\"") ||
		    *words[i].text == '=')
			continue;
		params_begin(&params, words[i].text, strlen(words[i].text));
		while (params_next(&params, &param)) {
			char name[128], value[128];

			if (!param.value)
				continue;
			snprintf(name, sizeof(name), "%.*s", (int)param.name_len, param.name);
			for (char *c = name; *c; c++)
				if (*c == '-')
					*c = '_';
			snprintf(value, sizeof(value), "%.*s", (int)param.value_len, param.value);
			value[strcspn(value, ",")] = '\0';
			if (!cmdline_find(words[i].text, name, value, NULL))
				fail_msg("<%s>: %s=%s", words[i].text, name, value);
		}
		if (params.has_dashes)
			assert_false(cmdline_find("ro -- a=b", "a", "b", NULL));
	}
}

static void params_are_same_without_quotes(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} pairs[] = {
		{ "quiet", "quiet", true },
		{ "quiet", "quie", false },
		{ "dyndbg=\"file a.c +p\"", "\"dyndbg=file a.c +p\"", true },
		{ "dyndbg=\"file a.c +p\"", "dyndbg=file a.c", false },
		{ "a=b\"c d\"", "\"a=bc d\"", true },
		{ "a=\"", "a=", true },
		{ "a=\"\"", "a", false },
		{ "\"\"", "", true },
	};

	(void)state;
	for (size_t i = 0; i < N(pairs); i++) {
		const char *a = pairs[i].a, *b = pairs[i].b;

		if (params_are_same(a, strlen(a), b, strlen(b)) != pairs[i].is_same ||
		    params_are_same(b, strlen(b), a, strlen(a)) != pairs[i].is_same)
			fail_msg("<%s> <%s>", a, b);
	}
	/* No further than they are long. */
	assert_true(params_are_same("ab", 1, "a\"", 1));
}

static void params_next_stays_within_its_length(void **state)
{
	struct params params;
	struct param param;

	(void)state;
	params_begin(&params, "abc=de", 5);
	assert_true(params_next(&params, &param));
	assert_int_equal(param.value_len, 1);
	assert_false(params_next(&params, &param));
}

static void param_is_takes_dash_for_underscore(void **state)
{
	struct params params;
	struct param param;

	(void)state;
	params_begin(&params, "vfio-pci.ids=1", 14);
	assert_true(params_next(&params, &param));
	assert_true(param_is(&param, "vfio_pci.ids"));
	assert_true(param_is(&param, "vfio-pci.ids"));
	assert_false(param_is(&param, "vfio_pci.id"));
	assert_false(param_is(&param, "vfio_pci.idss"));
	assert_false(param_is(&param, ""));
}

static void param_truth_in_every_spelling(void **state)
{
	static const struct {
		const char *text;
		int truth;
	} rows[] = {
		{ "a", 1 },	    { "a=1", 1 },	{ "a=y", 1 },	    { "a=Y", 1 },
		{ "a=yes", 1 },	    { "a=on", 1 },	{ "a=On", 1 },	    { "a=\"1\"", 1 },
		{ "\"a=1\"", 1 },   { "a=true", 1 },	{ "a=T", 1 },	    { "a=0", 0 },
		{ "a=n", 0 },	    { "a=off", 0 },	{ "a=false", 0 },   { "a=", -EINVAL },
		{ "a=o", -EINVAL }, { "a=2", -EINVAL }, { "a=x", -EINVAL }, { "a='1'", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct params params;
		struct param param;

		params_begin(&params, rows[i].text, strlen(rows[i].text));
		assert_true(params_next(&params, &param));
		if (param_truth(&param) != rows[i].truth)
			fail_msg("%s", rows[i].text);
	}
}

/* What modprobe makes of a file: "options MODULE ..." and so on, with its one name for a module. */
static void ask_modprobe(const char *text, char *out, size_t size)
{
	char command[256], line[1024];
	FILE *pipe;

	fixture_begin();
	fixture_file("t.conf", "%s", text);
	snprintf(command, sizeof(command), "modprobe -C %s/t.conf --showconfig 2>/dev/null",
		 fixture_path());
	pipe = popen(command, "re");
	assert_non_null(pipe);
	out[0] = '\0';
	while (fgets(line, sizeof(line), pipe) && *line != '\n')
		/* It reads the running command line too: ours are about these modules alone. */
		if (strstr(line, " mod_x"))
			strncat(out, line, size - strlen(out) - 1);
	assert_int_equal(pclose(pipe), 0);
	fixture_end();
}

static void say_line(const struct modprobe_line *line, char *out, size_t size)
{
	static const char *const names[] = {
		[MODPROBE_OPTIONS] = "options",
		[MODPROBE_BLACKLIST] = "blacklist",
		[MODPROBE_INSTALL] = "install",
	};
	size_t len = strlen(out);
	char *end = out + len;

	snprintf(end, size - len, "%s %.*s%s\n", names[line->command], (int)line->module_len,
		 line->module, line->command == MODPROBE_BLACKLIST ? "" : line->rest);
	for (char *c = strchr(end, ' ') + 1; *c && *c != ' '; c++)
		if (*c == '-')
			*c = '_';
	for (char *c = end; line->command == MODPROBE_OPTIONS && *c; c++)
		if (*c == '\t')
			*c = ' ';
}

static const char *const files[] = {
	"options mod-x a=1\n",
	"options mod_x a=1",
	"  options mod-x ids=1:2 disable_idle_d3=1\n",
	"\toptions\tmod-x\tb=\"c\td\"\n",
	"options  mod-x   a=1  b=2  \n",
	"options mod-x a=1 # comment\n",
	"# options mod-x a=1\n",
	"#options mod-x a=1\n",
	"  # options mod-x a=1\n",
	"# joined \\\noptions mod-x a=1\n",
	"options mod-x \\\n  ids=1:2,\\\n3:4\n",
	"options mod-x a=1 \\\n# b=2\noptions mod-x c=3\n",
	"opti\\\nons mod-x a=1\n",
	"options mod-x a=\\\"b c\\\" d\\\\e\n",
	"options mod-x a=1\\ b=2\n",
	"options mod-x\n",
	"options mod-x \n",
	"options mod-x  \n",
	"options\n",
	"Options mod-x a=1\n",
	"option mod-x a=1\n",
	"options mod-x a=1\r\noptions mod-x b=2\r\n",
	"\n\noptions mod-x a=1\n\n",
	"blacklist mod-x\nblacklist\n",
	"blacklist mod-x # why\n",
	"install mod-x /bin/false\n",
	"install mod-x /sbin/modprobe --ignore-install mod-x ids=1:2 ; /bin/true\n",
	"install mod-x\n",
	"blacklist mod-x\noptions mod-x a\ninstall mod-x x y\n",
};

/* modprobe lists by kind of command, so each file of the table has them in that order. */
static void modprobe_next_reads_as_modprobe(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(files); i++) {
		static const enum modprobe_command order[] = {
			MODPROBE_BLACKLIST,
			MODPROBE_INSTALL,
			MODPROBE_OPTIONS,
		};
		char theirs[2048], ours[2048] = "";

		for (size_t j = 0; j < N(order); j++) {
			struct modprobe_line line = { 0 };
			char *text = strdup(files[i]), *pos = text;

			while (modprobe_next(&pos, &line))
				if (line.command == order[j])
					say_line(&line, ours, sizeof(ours));
			free(text);
		}
		ask_modprobe(files[i], theirs, sizeof(theirs));
		if (strcmp(ours, theirs) != 0)
			fail_msg("<%s>: ours <%s>, theirs <%s>", files[i], ours, theirs);
	}
}

static void modprobe_next_counts_lines(void **state)
{
	char text[] = "# a\n\noptions x \\\n a=1\noptions y b\\";
	static const unsigned int numbers[] = { 1, 2, 3, 5 }, lines[] = { 1, 1, 2, 1 };
	struct modprobe_line line = { 0 };
	char *pos = text;

	(void)state;
	for (size_t i = 0; i < N(numbers); i++) {
		assert_true(modprobe_next(&pos, &line));
		assert_int_equal(line.number, numbers[i]);
		assert_int_equal(line.lines, lines[i]);
	}
	assert_string_equal(line.text, "options y b");
	assert_false(modprobe_next(&pos, &line));
}

static void modprobe_softdep_tells_pre_from_post(void **state)
{
	(void)state;
	assert_true(modprobe_softdep(" pre: vfio-pci", true, "vfio_pci"));
	assert_true(modprobe_softdep(" pre: a\tvfio_pci post: b", true, "vfio_pci"));
	assert_false(modprobe_softdep(" pre: a post: vfio-pci", true, "vfio_pci"));
	assert_true(modprobe_softdep(" pre: a post: vfio-pci", false, "vfio_pci"));
	assert_false(modprobe_softdep(" vfio-pci", true, "vfio_pci"));
	assert_false(modprobe_softdep(" pre:vfio-pci", true, "vfio_pci"));
	assert_false(modprobe_softdep("", true, "vfio_pci"));
}

/* Each rule with its six numbers, "any" for ffffffff; "+" behind what has a rest; !TEXT: refused. */
static const char *read_ids(const char *text)
{
	static char out[1024];
	const char *pos = text, *end = text + strlen(text);
	struct ids_rule rule;
	int ret;

	out[0] = '\0';
	while ((ret = ids_next(&pos, end, &rule))) {
		uint32_t field[] = { rule.vendor,    rule.device, rule.subvendor,
				     rule.subdevice, rule.class,  rule.class_mask };
		size_t len = strlen(out);

		if (ret < 0) {
			snprintf(out + len, sizeof(out) - len, "[!%.*s]", (int)rule.len, rule.text);
			continue;
		}
		strcat(out, "[");
		for (size_t i = 0; i < N(field); i++) {
			len = strlen(out);
			if (field[i] == IDS_ANY)
				snprintf(out + len, sizeof(out) - len, "%s*", i ? ":" : "");
			else
				snprintf(out + len, sizeof(out) - len, "%s%x", i ? ":" : "",
					 field[i]);
		}
		strcat(out, rule.has_rest ? "+]" : "]");
	}
	return out;
}

static void ids_next_reads_as_the_driver(void **state)
{
	static const struct {
		const char *text, *rules;
	} rows[] = {
		{ "", "" },
		{ "10de:1187", "[10de:1187:*:*:0:0]" },
		{ "10DE:1187,10de:e0a", "[10de:1187:*:*:0:0][10de:e0a:*:*:0:0]" },
		{ ",10de:1187,,", "[10de:1187:*:*:0:0]" },
		{ "0x10de:0x1187", "[10de:1187:*:*:0:0]" },
		{ "10de:1187:1458", "[10de:1187:1458:*:0:0]" },
		{ "10de:1187:1458:3614", "[10de:1187:1458:3614:0:0]" },
		{ "10de:1187:ffffffff:ffffffff:030000", "[10de:1187:*:*:30000:0]" },
		{ "10de:ffffffff:ffffffff:ffffffff:00030000:ffff00ff",
		  "[10de:*:*:*:30000:ffff00ff]" },
		{ "10de:1187 , 10de:e0a", "[10de:1187:*:*:0:0+][10de:e0a:*:*:0:0]" },
		{ "10de:1e84;10de:10f8", "[10de:1e84:*:*:0:0+]" },
		{ "'10de:1e84,10de:10f8'", "[!'10de:1e84][10de:10f8:*:*:0:0+]" },
		{ "10de:1187:1:2:3:4:5", "[10de:1187:1:2:3:4+]" },
		{ "10de:1187:", "[10de:1187:*:*:0:0]" },
		{ "10de", "[!10de]" },
		{ "10de:", "[!10de:]" },
		{ "zz,-1:2", "[!zz][!-1:2]" },
		{ "110000000a:1", "[a:1:*:*:0:0+]" },
		{ "0000:01:00.0", "[0:1:0:*:0:0+]" },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		if (strcmp(read_ids(rows[i].text), rows[i].rules) != 0)
			fail_msg("<%s>: %s", rows[i].text, read_ids(rows[i].text));
}

static void ids_match_any_and_class(void **state)
{
	static const struct pci_id id = { 0x10de, 0x1187, 0x1458, 0x3614 };
	static const struct {
		const char *text;
		bool matches;
	} rows[] = {
		{ "10de:1187", true },
		{ "10de:1188", false },
		{ "10de:1187:1458", true },
		{ "10de:1187:1459", false },
		{ "10de:1187:ffffffff:3614", true },
		{ "10de:1187:1458:3615", false },
		{ "10de:ffffffff:ffffffff:ffffffff:030000:ff0000", true },
		{ "10de:ffffffff:ffffffff:ffffffff:040000:ff0000", false },
		{ "10de:1187:ffffffff:ffffffff:040000", true }, /* no mask: no class */
		{ "ffffffff:ffffffff", true },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		const char *pos = rows[i].text;
		struct ids_rule rule;

		assert_int_equal(ids_next(&pos, pos + strlen(pos), &rule), 1);
		if (ids_match(&rule, &id, 0x030000) != rows[i].matches)
			fail_msg("%s", rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(params_next_reads_as_the_kernel),
		cmocka_unit_test(params_next_agrees_with_the_boot_half),
		cmocka_unit_test(params_are_same_without_quotes),
		cmocka_unit_test(params_next_stays_within_its_length),
		cmocka_unit_test(param_is_takes_dash_for_underscore),
		cmocka_unit_test(param_truth_in_every_spelling),
		cmocka_unit_test(modprobe_next_reads_as_modprobe),
		cmocka_unit_test(modprobe_next_counts_lines),
		cmocka_unit_test(modprobe_softdep_tells_pre_from_post),
		cmocka_unit_test(ids_next_reads_as_the_driver),
		cmocka_unit_test(ids_match_any_and_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
