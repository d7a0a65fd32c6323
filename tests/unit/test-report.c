// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * early/report.c: the lines of the log and of the report, as they lie in files of a fake root. There
 * dev/kmsg is a plain file, which keeps what the kernel would be given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "early/report.h"
#include "tests/unit/fixture.h"

#define KMSG   "dev/kmsg"
#define LOG    "run/vfio-early/log"
#define REPORT "run/vfio-early/report"

static const struct pci_function gpu = {
	.addr = { 0, 0x81, 0, 0 },
	.id = { 0x10de, 0x1187, 0x1458, 0x3614 },
	.class = 0x030000,
	.group = 9,
};

static struct report begin(void)
{
	struct report report = { .rootfd = fixture_begin() };

	fixture_file(KMSG, "%s", "");
	fixture_dir("run");
	return report;
}

/* Another process: it has nothing open yet. */
static void next_run(struct report *report)
{
	if (report->logfd > 0)
		close(report->logfd);
	if (report->reportfd > 0)
		close(report->reportfd);
	report->logfd = report->reportfd = 0;
}

static void report_line_priority_only_in_kmsg(void **state)
{
	struct report report = begin();

	(void)state;
	report_begin(&report, true);
	report_line(&report, REPORT_INFO, "%s: %u bind line%s", "0.1", 2, "s");
	report_line(&report, REPORT_WARNING, "a warning");
	report_line(&report, REPORT_ERROR, "an error");
	assert_string_equal(fixture_read(KMSG), "<30>vfio-early: 0.1: 2 bind lines\n"
						"<28>vfio-early: a warning\n"
						"<27>vfio-early: an error\n");
	assert_string_equal(fixture_read(LOG), "vfio-early: 0.1: 2 bind lines\n"
					       "vfio-early: a warning\n"
					       "vfio-early: an error\n");
	fixture_end();
}

static void report_begin_fresh_starts_anew(void **state)
{
	struct report report = begin();
	const struct report_entry entry = {
		.fn = &gpu, .result = REPORT_BOUND, .driver = "vfio-pci", .reason = ""
	};

	(void)state;
	report_begin(&report, true);
	report_line(&report, REPORT_INFO, "one");
	report_entry(&report, &entry);
	/* --late adds to what the boot said. */
	next_run(&report);
	report_begin(&report, false);
	report_line(&report, REPORT_INFO, "two");
	assert_string_equal(fixture_read(LOG), "vfio-early: one\nvfio-early: two\n");
	next_run(&report);
	report_begin(&report, true);
	report_line(&report, REPORT_INFO, "three");
	assert_string_equal(fixture_read(LOG), "vfio-early: three\n");
	assert_string_equal(fixture_read(REPORT), "");
	fixture_end();
}

static void report_line_long_one_is_cut_and_ends(void **state)
{
	struct report report = begin();
	char text[2 * REPORT_LINE_SIZE];
	const char *log;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	report_begin(&report, true);
	report_line(&report, REPORT_INFO, "%s", text);
	report_line(&report, REPORT_INFO, "next");
	log = fixture_read(LOG);
	assert_non_null(strstr(log, "xxx...\nvfio-early: next\n"));
	assert_true(strcspn(log, "\n") < REPORT_LINE_SIZE);
	/* The kernel refuses lines of over 992 bytes (kernel/printk/printk.c, 6.1). */
	assert_true(strcspn(fixture_read(KMSG), "\n") < 992);
	fixture_end();
}

static void report_line_longest_uncut_is_whole(void **state)
{
	struct report report = begin();
	const size_t start = strlen("<30>vfio-early: ");
	char text[REPORT_LINE_SIZE];
	const char *log;

	(void)state;
	/* One byte for the newline, one that tells a full line from a cut one. */
	memset(text, 'x', sizeof(text));
	text[REPORT_LINE_SIZE - 2 - start] = '\0';
	report_begin(&report, true);
	report_line(&report, REPORT_INFO, "%s", text);
	log = fixture_read(LOG);
	assert_int_equal(strlen(log), REPORT_LINE_SIZE - 2 - 4 + 1);
	assert_null(strstr(log, "..."));
	fixture_end();
}

static void report_function_names_address_id_group(void **state)
{
	struct report report = begin();
	struct pci_function alone = gpu;

	(void)state;
	alone.addr.domain = 0x10000;
	alone.group = -1;
	report_begin(&report, true);
	report_function(&report, REPORT_INFO, &gpu, "bound to vfio-pci", "");
	report_function(&report, REPORT_WARNING, &gpu, "refused", "holds / (protect)");
	report_function(&report, REPORT_WARNING, &alone, "refused", "no IOMMU group");
	assert_string_equal(
		fixture_read(LOG),
		"vfio-early: 0000:81:00.0 10de:1187 group 9: bound to vfio-pci\n"
		"vfio-early: 0000:81:00.0 10de:1187 group 9: refused: holds / (protect)\n"
		"vfio-early: 10000:81:00.0 10de:1187: refused: no IOMMU group\n");
	fixture_end();
}

static void report_entry_all_of_it(void **state)
{
	struct report report = begin();
	struct pci_function held = gpu;
	const struct report_entry entries[] = {
		{ .fn = &gpu, .result = REPORT_BOUND, .driver = "vfio-pci", .reason = "", .ms = 12 },
		{ .fn = &held,
		  .result = REPORT_FAILED,
		  .why = REASON_NO_IOMMU,
		  .driver = "",
		  .reason = "remove \"intel_iommu=off\"",
		  .ms = 0 },
		{ .selector = "10de:ffff",
		  .result = REPORT_ABSENT,
		  .why = REASON_ABSENT,
		  .driver = "",
		  .reason = "no such function",
		  .ms = 3 },
	};

	(void)state;
	held.group = -1;
	strcpy(held.driver, "nouveau");
	report_begin(&report, true);
	for (unsigned int i = 0; i < 3; i++)
		report_entry(&report, &entries[i]);
	assert_string_equal(
		fixture_read(REPORT),
		"address=0000:81:00.0 id=10de:1187 class=030000 group=9 result=bound "
		"driver=vfio-pci was=- ms=12 why=ok reason=\"\"\n"
		"address=0000:81:00.0 id=10de:1187 class=030000 group=- result=failed "
		"driver=- was=nouveau ms=0 why=no-iommu reason=\"remove 'intel_iommu=off'\"\n"
		"address=10de:ffff id=- class=- group=- result=absent driver=- was=- ms=3 "
		"why=absent reason=\"no such function\"\n");
	fixture_end();
}

/* The closing quote is never cut off: the host reads the value up to it. */
static void report_entry_long_reason_keeps_its_quote(void **state)
{
	struct report report = begin();
	char reason[2 * REPORT_LINE_SIZE];
	const struct report_entry entry = {
		.fn = &gpu, .result = REPORT_FAILED, .driver = "", .reason = reason
	};
	const char *text;

	(void)state;
	memset(reason, '"', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	report_begin(&report, true);
	report_entry(&report, &entry);
	text = fixture_read(REPORT);
	assert_true(strlen(text) <= REPORT_LINE_SIZE);
	assert_string_equal(text + strlen(text) - 3, "'\"\n");
	assert_ptr_equal(strchr(strchr(text, '"') + 1, '"'), text + strlen(text) - 2);
	fixture_end();
}

/* The last line on a function speaks, and only for the ID that it was written for. */
static void report_find_entry_last_of_same_address_and_id(void **state)
{
	struct report report = begin();
	struct report_entry entry = {
		.fn = &gpu, .result = REPORT_BOUND, .driver = "", .reason = ""
	};
	struct pci_function other = gpu;

	(void)state;
	report_begin(&report, true);
	assert_int_equal(report_find_entry(&report, &gpu), REPORT_NONE);
	report_entry(&report, &entry);
	assert_int_equal(report_find_entry(&report, &gpu), REPORT_BOUND);
	other.id.device = 0x1188;
	assert_int_equal(report_find_entry(&report, &other), REPORT_NONE);
	other = gpu;
	other.addr.fn = 1;
	assert_int_equal(report_find_entry(&report, &other), REPORT_NONE);
	entry.result = REPORT_FAILED;
	report_entry(&report, &entry);
	assert_int_equal(report_find_entry(&report, &gpu), REPORT_FAILED);
	/* A reason may quote anything. */
	entry.reason = "no result=bound ";
	report_entry(&report, &entry);
	assert_int_equal(report_find_entry(&report, &gpu), REPORT_FAILED);
	fixture_end();
}

/* What cannot be written is lost, and stands in nobody's way. */
static void report_line_without_files_is_lost(void **state)
{
	struct report report = { .rootfd = fixture_begin() };

	(void)state;
	report_begin(&report, true);
	report_line(&report, REPORT_INFO, "nobody hears this");
	assert_string_equal(fixture_read(KMSG), "(missing)");
	assert_string_equal(fixture_read(LOG), "(missing)");
	fixture_end();
}

/* The log says so, and what there may be of the line ends. */
static void report_entry_unwritable_is_said(void **state)
{
	struct report report = begin();
	const struct report_entry entry = {
		.fn = &gpu, .result = REPORT_BOUND, .driver = "vfio-pci", .reason = ""
	};

	(void)state;
	fixture_dir(REPORT);
	report_entry(&report, &entry);
	assert_string_equal(fixture_read(LOG),
			    "vfio-early: /run/vfio-early/report: Is a directory\n");
	fixture_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_line_priority_only_in_kmsg),
		cmocka_unit_test(report_begin_fresh_starts_anew),
		cmocka_unit_test(report_line_long_one_is_cut_and_ends),
		cmocka_unit_test(report_line_longest_uncut_is_whole),
		cmocka_unit_test(report_function_names_address_id_group),
		cmocka_unit_test(report_entry_all_of_it),
		cmocka_unit_test(report_entry_long_reason_keeps_its_quote),
		cmocka_unit_test(report_entry_unwritable_is_said),
		cmocka_unit_test(report_find_entry_last_of_same_address_and_id),
		cmocka_unit_test(report_line_without_files_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
