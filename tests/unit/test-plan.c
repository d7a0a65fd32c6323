// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * early/plan.c: what each keyword sets, what is wrong with a line, where and how to write it
 * instead, that one bad line takes nothing but itself, and that every bound names itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "early/plan.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct plan plan;
static struct plan_errors errors;
static char text[PLAN_MAX_TEXT];

static unsigned int add(const char *lines, size_t size, enum plan_source source)
{
	assert_true(size < sizeof(text));
	memcpy(text, lines, size);
	text[size] = '\0';
	return plan_parse(&plan, text, size, source, &errors);
}

static unsigned int parse_size(const char *lines, size_t size, enum plan_source source)
{
	memset(&errors, 0, sizeof(errors));
	/* What was in the memory before is in no entry. */
	memset(&plan, 0xff, sizeof(plan));
	plan_init(&plan);
	return add(lines, size, source);
}

static unsigned int parse(const char *lines, enum plan_source source)
{
	return parse_size(lines, strlen(lines), source);
}

static void plan_init_has_every_default(void **state)
{
	(void)state;
	memset(&plan, 0xff, sizeof(plan));
	plan_init(&plan);
	assert_int_equal(plan.binds + plan.excepts + plan.protects + plan.modules + plan.losts, 0);
	assert_int_equal(plan.bind_lines, 0);
	assert_int_equal(plan.boot_vga, PLAN_BOOT_VGA_BIND);
	assert_int_equal(plan.group, PLAN_GROUP_WARN);
	assert_int_equal(plan.failure, PLAN_FAILURE_RELEASE);
	assert_int_equal(plan.deadline, 20);
	assert_string_equal(plan.cmdline, "auto");
	assert_null(plan.kernel);
	assert_null(plan.config);
}

/* ---- what is right ---- */

static void plan_parse_config_every_keyword(void **state)
{
	(void)state;
	assert_int_equal(parse("# a comment\n"
			       "\n"
			       "bind 10de:1187 10de:0e0a # both\n"
			       "bind! 0000:03:00.0=144d:a808\n"
			       "  \tbind\t81:00  00:01.0/00.0\t\n"
			       "except 0000:81:00.1 class:0c03\n"
			       "boot-vga keep\n"
			       "group claim\n"
			       "failure hold\n"
			       "deadline 120\n"
			       "cmdline intel_iommu=on dyndbg=\"file a iommu=off\"  # two\n",
			       PLAN_CONFIG),
			 0);
	assert_int_equal(plan.binds, 5);
	assert_int_equal(plan.bind_lines, 3);
	assert_string_equal(plan.bind[0].text, "10de:1187");
	assert_int_equal(plan.bind[0].line, 3);
	assert_false(plan.bind[0].force);
	assert_string_equal(plan.bind[1].text, "10de:0e0a");
	assert_true(plan.bind[2].force);
	assert_int_equal(plan.bind[2].sel.kind, SELECTOR_ADDRESS);
	assert_int_equal(plan.bind[2].line, 4);
	assert_int_equal(plan.bind[3].sel.kind, SELECTOR_SLOT);
	assert_false(plan.bind[3].force);
	assert_int_equal(plan.bind[4].sel.hops, 1);
	assert_int_equal(plan.bind[4].line, 5);
	assert_int_equal(plan.excepts, 2);
	assert_string_equal(plan.except[1].text, "class:0c03");
	assert_int_equal(plan.boot_vga, PLAN_BOOT_VGA_KEEP);
	assert_int_equal(plan.group, PLAN_GROUP_CLAIM);
	assert_int_equal(plan.failure, PLAN_FAILURE_HOLD);
	assert_int_equal(plan.deadline, 120);
	/* What is between quotes is no parameter of its own. */
	assert_string_equal(plan.cmdline, "intel_iommu=on dyndbg=\"file a iommu=off\"");
}

static void plan_parse_virtual_functions(void **state)
{
	(void)state;
	assert_int_equal(parse("vfs 00:01.0/00.0=8086:1572 8\n"
			       "vfs 81:00.0=8086:1572@81:00.0 65535 # all\n"
			       "bind 81:00.0=8086:1572@81:00.0\n",
			       PLAN_CONFIG),
			 0);
	assert_false(plan.names_vfs);
	assert_true(plan.has_tasks);
	assert_int_equal(plan.vfs, 2);
	assert_int_equal(plan.vf[0].number, 8);
	assert_string_equal(plan.vf[0].text, "00:01.0/00.0=8086:1572");
	assert_int_equal(plan.vf[1].number, 65535);
	assert_true(plan.vf[1].sel.has_place);
	assert_int_equal(parse("except vf:81:00.0\n", PLAN_CONFIG), 0);
	assert_true(plan.names_vfs);
	assert_false(plan.has_tasks);
	assert_int_equal(parse("bind vf:81:00.0=8086:1572@81:00.0\n", PLAN_COMPILED), 0);
	assert_true(plan.names_vfs);
}

static void plan_parse_compiled_every_keyword(void **state)
{
	(void)state;
	assert_int_equal(parse("kernel 6.12.48+deb13-amd64\n"
			       "config 0123abcd\n"
			       "lost /etc/vfio-early.conf:3:6: write IDs without 0x\n"
			       "bind 0000:81:00.0=10de:1187\n"
			       "module /lib/modules/6.12/kernel/vfio disable_vga=1 nointxmask=1 \n"
			       "module /lib/modules/6.12/kernel/irqbypass\n"
			       "protect 0000:01:00.0=144d:a808 holds / (pool #1)\n"
			       "protect 0000:00:01.1=1022:1483\n",
			       PLAN_COMPILED),
			 0);
	assert_string_equal(plan.kernel, "6.12.48+deb13-amd64");
	assert_string_equal(plan.config, "0123abcd");
	assert_int_equal(plan.losts, 1);
	assert_string_equal(plan.lost[0], "/etc/vfio-early.conf:3:6: write IDs without 0x");
	assert_int_equal(plan.modules, 2);
	assert_string_equal(plan.module[0].path, "/lib/modules/6.12/kernel/vfio");
	assert_string_equal(plan.module[0].options, "disable_vga=1 nointxmask=1");
	assert_string_equal(plan.module[1].options, "");
	assert_int_equal(plan.protects, 2);
	assert_int_equal(plan.protect[0].addr.bus, 1);
	assert_int_equal(plan.protect[0].id.device, 0xa808);
	/* A reason may hold a '#'. */
	assert_string_equal(plan.protect[0].reason, "holds / (pool #1)");
	assert_false(plan.protect[0].moved);
	assert_string_equal(plan.protect[1].reason, "");
	assert_false(errors.unsafe);
}

static void plan_parse_settings(void **state)
{
	(void)state;
	assert_int_equal(parse("set class:02 reset=flr,bus power=on # both\n"
			       "set 81:00.0=8086:1572@81:00.0 d3cold=off\n",
			       PLAN_CONFIG),
			 0);
	assert_int_equal(plan.sets, 2);
	assert_string_equal(plan.set[0].value[PLAN_SET_RESET], "flr bus");
	assert_null(plan.set[0].value[PLAN_SET_D3COLD]);
	assert_string_equal(plan.set[0].value[PLAN_SET_POWER], "on");
	assert_true(plan.set[1].sel.has_place);
	assert_true(plan.has_places);
	assert_string_equal(plan.set[1].value[PLAN_SET_D3COLD], "off");

	assert_int_equal(parse("set vf:81:00.0 power=on\n", PLAN_COMPILED), 0);
	assert_true(plan.names_vfs);
	assert_false(plan.has_places);

	/* A line that is half right sets nothing, and the next one is as if it were not there. */
	assert_int_equal(
		parse("set 81:00.0 reset=flr nonsense\nset 81:00.0 power=on\n", PLAN_CONFIG), 1);
	assert_int_equal(plan.sets, 1);
	assert_null(plan.set[0].value[PLAN_SET_RESET]);
}

static void plan_parse_several_files_later_settings_win(void **state)
{
	static char second[] = "bind 10de:0e0a\ngroup warn\ndeadline 5\n";

	(void)state;
	assert_int_equal(parse("bind 10de:1187\ngroup refuse\nfailure hold\n", PLAN_CONFIG), 0);
	assert_int_equal(plan_parse(&plan, second, strlen(second), PLAN_CONFIG, &errors), 0);
	assert_int_equal(plan.binds, 2);
	assert_int_equal(plan.bind[1].line, 1);
	assert_int_equal(plan.group, PLAN_GROUP_WARN);
	assert_int_equal(plan.failure, PLAN_FAILURE_HOLD);
	assert_int_equal(plan.deadline, 5);
}

static void plan_parse_choices_each_word(void **state)
{
	static const struct {
		const char *line;
		enum plan_boot_vga boot_vga;
		enum plan_group group;
		enum plan_failure failure;
	} rows[] = {
		{ "boot-vga bind", PLAN_BOOT_VGA_BIND, 0, 0 },
		{ "boot-vga keep", PLAN_BOOT_VGA_KEEP, 0, 0 },
		{ "group warn", 0, PLAN_GROUP_WARN, 0 },
		{ "group claim", 0, PLAN_GROUP_CLAIM, 0 },
		{ "group refuse", 0, PLAN_GROUP_REFUSE, 0 },
		{ "failure release", 0, 0, PLAN_FAILURE_RELEASE },
		{ "failure hold", 0, 0, PLAN_FAILURE_HOLD },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(parse(rows[i].line, PLAN_CONFIG), 0);
		assert_int_equal(plan.boot_vga, rows[i].boot_vga);
		assert_int_equal(plan.group, rows[i].group);
		assert_int_equal(plan.failure, rows[i].failure);
	}
}

static void plan_parse_any_line_end_is_the_same(void **state)
{
	(void)state;
	assert_int_equal(parse("bind 10de:1187\r\ngroup claim\r\n\r\ndeadline 7", PLAN_CONFIG), 0);
	assert_int_equal(plan.binds, 1);
	assert_string_equal(plan.bind[0].text, "10de:1187");
	assert_int_equal(plan.group, PLAN_GROUP_CLAIM);
	assert_int_equal(plan.deadline, 7);
	assert_int_equal(parse("", PLAN_CONFIG), 0);
	assert_int_equal(parse("#", PLAN_CONFIG), 0);
	assert_int_equal(parse("\n\n   \n\t\n", PLAN_CONFIG), 0);
	assert_int_equal(plan.bind_lines, 0);
}

/* ---- what is wrong ---- */

static const char unknown[] =
	"unknown keyword; known: bind bind! except vfs set boot-vga group failure deadline cmdline";
static const char ours[] = "this keyword is written into the plan by vfio-early itself; remove it";
static const char only_one[] = "only one word belongs here; remove the rest of the line";
static const char missing[] = "a selector is missing: bind 10de:1187, bind 0000:81:00";
static const char no_0x[] = "write IDs and addresses without 0x";
static const char boot_vga[] = "write boot-vga bind, or boot-vga keep";
static const char group[] = "write group warn, group claim or group refuse";
static const char failure[] = "write failure release, or failure hold";
static const char deadline[] = "write a number of seconds from 1 to 120: deadline 20";
static const char module[] = "write module /lib/modules/..., without .ko, and its options";
static const char set[] = "write set SELECTOR KEY=VALUE: set 0000:81:00.0 d3cold=off";
static const char key[] = "not a setting; known: reset= d3cold= power=";
static const char reset[] = "write reset=default, or methods as /sys shows them: reset=flr,bus";
static const char vfs[] = "write vfs ADDRESS.F NUMBER: vfs 0000:81:00.0 4";
static const char one_function[] =
	"vfs takes the address or path of one function: vfs 0000:81:00.0 4";
static const char number[] = "write a number of virtual functions from 1 to 65535";
static const char protect[] = "write protect ADDRESS=ID@PATH REASON";

static const struct {
	enum plan_source source;
	const char *line;
	unsigned int column;
	const char *error;
} wrong[] = {
	{ PLAN_CONFIG, "bnid 10de:1187", 1, unknown },
	{ PLAN_CONFIG, "\t bnid 10de:1187", 3, unknown },
	{ PLAN_CONFIG, "Bind 10de:1187", 1, unknown },
	{ PLAN_CONFIG, "bind!! 10de:1187", 1, unknown },
	{ PLAN_CONFIG, "except! 10de:1187", 1, unknown },
	{ PLAN_CONFIG, "10de:1187", 1, unknown },
	{ PLAN_COMPILED, "garbage", 1, unknown },
	{ PLAN_CONFIG, "module /lib/vfio", 1, ours },
	{ PLAN_CONFIG, "protect 0000:01:00.0=144d:a808 mine", 1, ours },
	{ PLAN_CONFIG, "kernel 6.12", 1, ours },
	{ PLAN_CONFIG, "config 0", 1, ours },
	{ PLAN_CONFIG, "lost x", 1, ours },
	{ PLAN_CONFIG, "bind", 1, missing },
	{ PLAN_CONFIG, "bind!", 1, missing },
	{ PLAN_CONFIG, "except # 10de:1187", 1, missing },
	{ PLAN_CONFIG, "bind 0x10de:1187", 6, no_0x },
	{ PLAN_CONFIG, "  bind  10de:0x1187", 14, no_0x },
	{ PLAN_CONFIG, "bind 10de:1187 10de:118", 21,
	  "an ID is VENDOR:DEVICE, four hex digits each: 10de:1187" },
	{ PLAN_CONFIG, "bind 10de:1187,10de:0e0a", 15,
	  "not a selector; write an ID (10de:1187), an address (0000:81:00.0) or class:03" },
	{ PLAN_CONFIG, "except 81:00.9", 14, "the function number is one digit, 0 to 7: 81:00.0" },
	{ PLAN_CONFIG, "boot-vga", 1, boot_vga },
	{ PLAN_CONFIG, "boot-vga yes", 10, boot_vga },
	{ PLAN_CONFIG, "boot-vga Keep", 10, boot_vga },
	{ PLAN_CONFIG, "boot-vga keep it", 15, only_one },
	{ PLAN_CONFIG, "group", 1, group },
	{ PLAN_CONFIG, "group all", 7, group },
	{ PLAN_CONFIG, "group claim warn", 13, only_one },
	{ PLAN_CONFIG, "failure", 1, failure },
	{ PLAN_CONFIG, "failure retry", 9, failure },
	{ PLAN_CONFIG, "failure hold on", 14, only_one },
	{ PLAN_CONFIG, "deadline", 1, deadline },
	{ PLAN_CONFIG, "deadline 0", 10, deadline },
	{ PLAN_CONFIG, "deadline 121", 10, deadline },
	{ PLAN_CONFIG, "deadline 4294967297", 10, deadline },
	{ PLAN_CONFIG, "deadline -1", 10, deadline },
	{ PLAN_CONFIG, "deadline 20s", 10, deadline },
	{ PLAN_CONFIG, "deadline 20 s", 13, only_one },
	{ PLAN_CONFIG, "cmdline", 1,
	  "write cmdline auto, cmdline none, or the kernel parameters to keep" },
	{ PLAN_CONFIG, "cmdline auto quiet", 9, "auto and none stand alone, not with parameters" },
	{ PLAN_CONFIG, "cmdline quiet none", 15, "auto and none stand alone, not with parameters" },
	{ PLAN_CONFIG, "cmdline \"auto\"", 9, "auto and none stand alone, not with parameters" },
	{ PLAN_CONFIG, "cmdline a=\"b c\" intel_iommu=on\"", 31,
	  "this double quote is not closed" },
	{ PLAN_CONFIG, "cmdline quiet --", 15,
	  "what is behind -- goes to init, not to the kernel; remove it" },
	{ PLAN_CONFIG, "cmdline a'b", 10,
	  "not every boot loader hands this character to the kernel unchanged; set that parameter by hand" },
	{ PLAN_CONFIG, "cmdline =x", 9, "the name of the parameter is missing" },
	{ PLAN_CONFIG, "cmdline a \"\"", 11, "the name of the parameter is missing" },
	{ PLAN_CONFIG, "cmdline a vfio-early=off", 11,
	  "with this no boot would bind anything; remove it" },
	{ PLAN_CONFIG, "cmdline iommu=pt,off", 9, "this would turn the IOMMU off; remove it" },
	{ PLAN_CONFIG, "cmdline root=/dev/sda", 9, "the boot loader sets root= itself; remove it" },
	{ PLAN_CONFIG, "bind! vf:81:00.0", 7,
	  "virtual functions are never forced; write bind vf:..." },
	{ PLAN_CONFIG, "bind vf:10de:1187", 6,
	  "vf: takes the address or path of one physical function: vf:0000:81:00.0" },
	{ PLAN_CONFIG, "set", 1, set },
	{ PLAN_CONFIG, "set 81:00.0", 5, set },
	{ PLAN_CONFIG, "set 81:00.0 on", 13, key },
	{ PLAN_CONFIG, "set 81:00.0 rom=1", 13, key },
	{ PLAN_CONFIG, "set 81:00.0 reset=", 13, reset },
	{ PLAN_CONFIG, "set 81:00.0 reset=,flr", 13, reset },
	{ PLAN_CONFIG, "set 81:00.0 reset=flr,", 13, reset },
	{ PLAN_CONFIG, "set 81:00.0 reset=flr,,bus", 13, reset },
	{ PLAN_CONFIG, "set 81:00.0 reset=flr d3cold=yes", 23, "write d3cold=on, or d3cold=off" },
	{ PLAN_CONFIG, "set 81:00.0 power=off", 13, "write power=on, or power=auto" },
	{ PLAN_CONFIG, "vfs", 1, vfs },
	{ PLAN_CONFIG, "vfs 81:00.0", 5, vfs },
	{ PLAN_CONFIG, "vfs 81:00 4", 5, one_function },
	{ PLAN_CONFIG, "vfs 10de:1187 4", 5, one_function },
	{ PLAN_CONFIG, "vfs vf:81:00.0 4", 5, one_function },
	{ PLAN_CONFIG, "vfs 81:00.9 4", 11, "the function number is one digit, 0 to 7: 81:00.0" },
	{ PLAN_CONFIG, "vfs 81:00.0 0", 13, number },
	{ PLAN_CONFIG, "vfs 81:00.0 65536", 13, number },
	{ PLAN_CONFIG, "vfs 81:00.0 -1", 13, number },
	{ PLAN_CONFIG, "vfs 81:00.0 4 5", 15, only_one },
	{ PLAN_COMPILED, "kernel", 1, "write kernel VERSION" },
	{ PLAN_COMPILED, "config  ", 1, "write config DIGEST" },
	{ PLAN_COMPILED, "module", 1, module },
	{ PLAN_COMPILED, "module lib/vfio", 8, module },
	{ PLAN_COMPILED, "protect", 1, protect },
	{ PLAN_COMPILED, "protect 0000:01:00.0 holds /", 9, protect },
	{ PLAN_COMPILED, "protect 0000:01:00=144d:a808 holds /", 9, protect },
	{ PLAN_COMPILED, "protect 144d:a808 holds /", 9, protect },
	{ PLAN_COMPILED, "protect 00:01.0/00.0=144d:a808 holds /", 9, protect },
	{ PLAN_COMPILED, "protect 0000:01:00.0=144d holds /", 26,
	  "an ID is VENDOR:DEVICE, four hex digits each: 10de:1187" },
};

static void plan_parse_wrong_line_names_place_and_fix(void **state)
{
	unsigned int bad = 0;

	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		const struct plan_error *error = &errors.error[0];
		char lines[256];

		snprintf(lines, sizeof(lines), "bind 10de:1187\n%s\nbind 10de:0e0a\n",
			 wrong[i].line);
		if (parse(lines, wrong[i].source) == 1 && error->line == 2 &&
		    error->column == wrong[i].column && !strcmp(error->what, wrong[i].error) &&
		    plan.binds == 2 && plan.bind_lines == 2)
			continue;
		print_error("%s: %u errors, %u:%u: %s; %u binds\n", wrong[i].line, errors.count,
			    error->line, error->column, error->what ? error->what : "", plan.binds);
		bad++;
	}
	assert_int_equal(bad, 0);
}

static void plan_parse_nul_byte_is_an_error(void **state)
{
	static const char lines[] = "bind 10de:1187\nbind 10\0de:0e0a\nbind 10de:0e0b\n";

	(void)state;
	assert_int_equal(parse_size(lines, sizeof(lines) - 1, PLAN_CONFIG), 1);
	assert_int_equal(errors.error[0].line, 2);
	assert_int_equal(errors.error[0].column, 8);
	assert_string_equal(errors.error[0].what, "a NUL byte: this is not a text file");
	assert_int_equal(plan.binds, 2);
}

static void plan_parse_bad_selector_takes_its_line_alone(void **state)
{
	(void)state;
	assert_int_equal(parse("bind 10de:1187 10de:0e0a nonsense\n"
			       "except 10de:1188 nonsense\n"
			       "bind 10de:1189\n",
			       PLAN_CONFIG),
			 2);
	assert_int_equal(plan.binds, 1);
	assert_int_equal(plan.bind_lines, 1);
	assert_int_equal(plan.excepts, 0);
	assert_string_equal(plan.bind[0].text, "10de:1189");
}

/* A choice with a word too many is a bad line, which sets nothing. */
static void plan_parse_setting_with_rest_is_left_out(void **state)
{
	static const char *const lines[] = { "boot-vga keep it", "group claim now",
					     "failure hold on", "deadline 5 s" };

	(void)state;
	for (size_t i = 0; i < N(lines); i++) {
		assert_int_equal(parse(lines[i], PLAN_CONFIG), 1);
		assert_int_equal(plan.boot_vga, PLAN_BOOT_VGA_BIND);
		assert_int_equal(plan.group, PLAN_GROUP_WARN);
		assert_int_equal(plan.failure, PLAN_FAILURE_RELEASE);
		assert_int_equal(plan.deadline, 20);
	}
}

/* What a damaged plan has lost may have held a bind back: only a bind line is safe to lose. */
static void plan_parse_only_lost_bind_lines_are_safe(void **state)
{
	static const struct {
		const char *line;
		bool unsafe;
	} rows[] = {
		{ "bind nonsense", false },
		{ "bind! nonsense", false },
		{ "bind", false },
		{ "except nonsense", true },
		{ "protect nonsense", true },
		{ "boot-vga kepe", true },
		{ "group refuze", true },
		{ "failure holt", true },
		{ "deadline x", true },
		{ "garbage", true },
		{ "module x", true },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(parse(rows[i].line, PLAN_COMPILED), 1);
		if (errors.unsafe != rows[i].unsafe)
			fail_msg("%s", rows[i].line);
	}
}

/* ---- bounds: all that there is room for is taken, one more is an error that names the bound ---- */

static const struct {
	const char *line;
	unsigned int max;
	const char *error;
	unsigned int *count;
} bounds[] = {
	{ "bind 10de:1187", PLAN_MAX_BINDS, "more than 256 bind selectors; use class: or IDs",
	  &plan.binds },
	{ "bind! 10de:1187", PLAN_MAX_BINDS, "more than 256 bind selectors; use class: or IDs",
	  &plan.binds },
	{ "except 10de:1187", PLAN_MAX_EXCEPTS, "more than 128 except selectors; use class: or IDs",
	  &plan.excepts },
	{ "protect 0000:01:00.0=144d:a808 holds /", PLAN_MAX_PROTECTS,
	  "more than 1024 protect lines", &plan.protects },
	{ "module /lib/vfio", PLAN_MAX_MODULES, "more than 32 modules", &plan.modules },
	{ "lost /etc/vfio-early.conf:1:1: x", PLAN_MAX_LOST, "more than 32 lost lines",
	  &plan.losts },
};

static void plan_parse_bound_exceeded_names_it(void **state)
{
	static char lines[PLAN_MAX_TEXT];

	(void)state;
	for (size_t i = 0; i < N(bounds); i++) {
		size_t len = 0;

		for (unsigned int j = 0; j < bounds[i].max; j++)
			len += (size_t)sprintf(lines + len, "%s\n", bounds[i].line);
		assert_int_equal(parse(lines, PLAN_COMPILED), 0);
		assert_int_equal(*bounds[i].count, bounds[i].max);

		sprintf(lines + len, "%s\n", bounds[i].line);
		assert_int_equal(parse(lines, PLAN_COMPILED), 1);
		assert_int_equal(*bounds[i].count, bounds[i].max);
		assert_int_equal(errors.error[0].line, bounds[i].max + 1);
		assert_string_equal(errors.error[0].what, bounds[i].error);
	}
}

/* All on one line: the line is left out whole. */
static void plan_parse_too_many_on_one_line_takes_none(void **state)
{
	static char line[PLAN_MAX_TEXT] = "bind";

	(void)state;
	for (unsigned int i = 0; i <= PLAN_MAX_BINDS; i++)
		strcat(line, " 10de:1187");
	assert_int_equal(parse(line, PLAN_CONFIG), 1);
	assert_int_equal(plan.binds, 0);
	assert_int_equal(plan.bind_lines, 0);
	assert_int_equal(errors.error[0].column, 6 + 10 * PLAN_MAX_BINDS);
}

static void plan_parse_more_errors_than_kept_are_counted(void **state)
{
	static char lines[PLAN_MAX_TEXT];
	size_t len = 0;

	(void)state;
	for (unsigned int i = 0; i < PLAN_MAX_ERRORS + 8; i++)
		len += (size_t)sprintf(lines + len, "nonsense\n");
	assert_int_equal(parse(lines, PLAN_CONFIG), PLAN_MAX_ERRORS + 8);
	assert_int_equal(errors.count, PLAN_MAX_ERRORS + 8);
	assert_int_equal(errors.error[PLAN_MAX_ERRORS - 1].line, PLAN_MAX_ERRORS);
}

static void plan_wants_noiommu_only_when_switched_on(void **state)
{
	static const struct {
		const char *line;
		bool wants;
	} rows[] = {
		{ "module /lib/vfio enable_unsafe_noiommu_mode=1", true },
		{ "module /lib/vfio x=y enable_unsafe_noiommu_mode=Y", true },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=y x=y", true },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=on", true },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=true", true },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=Enabled", true },
		{ "module /lib/vfio x=y enable_unsafe_noiommu_mode", true },
		{ "module /lib/vfio enable_unsafe_noiommu_mode x=y", true },
		{ "module /lib/vfio enable-unsafe-noiommu-mode=1", true },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=\"1\"", true },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=0 enable_unsafe_noiommu_mode=1",
		  true },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=1 enable_unsafe_noiommu_mode=0",
		  false },
		{ "module /lib/vfio x=\"enable_unsafe_noiommu_mode=1\"", false },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=off", false },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=false", false },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=", false },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=0", false },
		{ "module /lib/vfio enable_unsafe_noiommu_mode=N", false },
		{ "module /lib/vfio", false },
		{ "bind 10de:1187", false },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(parse(rows[i].line, PLAN_COMPILED), 0);
		if (plan_wants_noiommu(&plan) != rows[i].wants)
			fail_msg("%s", rows[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_init_has_every_default),
		cmocka_unit_test(plan_parse_config_every_keyword),
		cmocka_unit_test(plan_parse_virtual_functions),
		cmocka_unit_test(plan_parse_compiled_every_keyword),
		cmocka_unit_test(plan_parse_settings),
		cmocka_unit_test(plan_parse_several_files_later_settings_win),
		cmocka_unit_test(plan_parse_choices_each_word),
		cmocka_unit_test(plan_parse_any_line_end_is_the_same),
		cmocka_unit_test(plan_parse_wrong_line_names_place_and_fix),
		cmocka_unit_test(plan_parse_nul_byte_is_an_error),
		cmocka_unit_test(plan_parse_bad_selector_takes_its_line_alone),
		cmocka_unit_test(plan_parse_setting_with_rest_is_left_out),
		cmocka_unit_test(plan_parse_only_lost_bind_lines_are_safe),
		cmocka_unit_test(plan_parse_bound_exceeded_names_it),
		cmocka_unit_test(plan_parse_too_many_on_one_line_takes_none),
		cmocka_unit_test(plan_parse_more_errors_than_kept_are_counted),
		cmocka_unit_test(plan_wants_noiommu_only_when_switched_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
