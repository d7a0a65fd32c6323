// SPDX-License-Identifier: GPL-2.0-or-later
/* The grammar of config and plan. The first byte says which of the two it is. */
#include <stdlib.h>
#include <string.h>

#include "early/plan.h"
#include "tests/fuzz/fuzz.h"

static struct plan plan;
static struct plan_errors errors;

static void check_selectors(const struct plan_selector *list, unsigned int count, const char *text,
			    size_t size)
{
	for (unsigned int i = 0; i < count; i++) {
		must(list[i].text >= text && list[i].text < text + size);
		must(list[i].sel.hops <= SELECTOR_MAX_HOPS);
		must(list[i].line > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum plan_source source;
	char *text;

	if (!size || size >= PLAN_MAX_TEXT)
		return 0;
	source = *data & 1 ? PLAN_COMPILED : PLAN_CONFIG;
	text = fuzz_text(data + 1, --size);

	plan_init(&plan);
	memset(&errors, 0, sizeof(errors));
	must(plan_parse(&plan, text, size, source, &errors) == errors.count);
	must(plan.binds <= PLAN_MAX_BINDS && plan.excepts <= PLAN_MAX_EXCEPTS);
	must(plan.protects <= PLAN_MAX_PROTECTS && plan.modules <= PLAN_MAX_MODULES);
	must(plan.losts <= PLAN_MAX_LOST && plan.bind_lines <= plan.binds);
	must(plan.deadline >= 1 && plan.deadline <= PLAN_DEADLINE_MAX);
	must(source == PLAN_COMPILED || (!plan.protects && !plan.modules && !plan.losts));
	check_selectors(plan.bind, plan.binds, text, size);
	check_selectors(plan.except, plan.excepts, text, size);
	for (unsigned int i = 0; i < plan.modules; i++)
		must(*plan.module[i].path == '/' && plan.module[i].options);
	for (unsigned int i = 0; i < plan.protects; i++)
		must(plan.protect[i].reason);
	for (unsigned int i = 0; i < errors.count && i < PLAN_MAX_ERRORS; i++)
		must(errors.error[i].line && errors.error[i].column && errors.error[i].what);
	plan_wants_noiommu(&plan);
	free(text);
	return 0;
}
