// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early groups: the IOMMU groups of this host as a tree, which of them a VM could have, and
 * what prevents it. Reads only.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/groups_ask.h"
#include "early/tell.h"
#include "host/host.h"
#include "host/next_boot.h"
#include "host/next_iommu.h"
#include "host/pve.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/message.h"

enum {
	COL_GROUP,
	COL_ADDRESS,
	COL_ID,
	COL_NAME,
	COL_CLASS,
	COL_DRIVER,
	COL_NEXT,
	COL_VM,
	COL_VMS,
	COL_CODE,
	COL_WHY,
	COL_ASKED,
	COL_ANSWER,
};

static const struct output_column columns[] = {
	{ "GROUP", "number, and functions", 12, SCOLS_FL_TREE, OUTPUT_NUMBER, true,
	  .part = OUTPUT_PARENT },
	{ "ADDRESS", "function address", 12, 0, OUTPUT_STRING, false, .part = OUTPUT_CHILD },
	{ "ID", "vendor:device", 9, 0, OUTPUT_STRING, true, .part = OUTPUT_CHILD },
	{ "NAME", "device name", 0.4, SCOLS_FL_TRUNC, OUTPUT_STRING, true, .part = OUTPUT_CHILD },
	{ "CLASS", "device class", 0.2, SCOLS_FL_TRUNC, OUTPUT_STRING, false,
	  .part = OUTPUT_CHILD },
	{ "DRIVER", "driver in use", 8, 0, OUTPUT_STRING, true, .part = OUTPUT_CHILD },
	{ "NEXT", "what the next boot does", 8, 0, OUTPUT_STRING, true, .part = OUTPUT_CHILD },
	{ "VM", "ready, possible, no, blocks", 8, 0, OUTPUT_STRING, true },
	{ "VMS", "VMs that have it, if any", 3, 0, OUTPUT_STRING, false },
	{ "CODE", "reason for VM, as a code", 8, 0, OUTPUT_STRING, false },
	{ "WHY", "why no VM can take it", 0.3, SCOLS_FL_TRUNC, OUTPUT_STRING, false },
	{ "ASKED", "with --ask: the answer", 6, 0, OUTPUT_STRING, false, .part = OUTPUT_PARENT },
	{ "ANSWER", "with --ask: why", 0.3, SCOLS_FL_TRUNC, OUTPUT_STRING, false,
	  .part = OUTPUT_PARENT },
	{ 0 },
};

static const struct options_entry entries[] = {
	{ "ask", 'a', NULL, "ask the kernel about each bound group (needs root)" },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "groups [OPTION...] [ADDRESS|ID|class:CC...]",
	.about =
		"Shows the IOMMU groups with their functions. A VM takes a whole group, without its\n"
		"bridges. A group is \"ready\" if the next boot binds all of it, \"possible\" if this\n"
		"host needs nothing in it, and \"no\" otherwise, with what is in the way.\n",
	.entry = entries,
	.common = OPTIONS_READING | OPTIONS_TABLE,
	.columns = columns,
};

struct groups {
	struct host *host;
	struct output_table table;
	struct pve pve;
	struct host_function **order; /* the functions to be shown, by group and address */
	size_t count;
	bool *is_wanted; /* same index as in host->fn */
	bool is_asking;
	struct ask_answer *answer; /* at the index of a group's first in "order"; NULL: not asked */
	bool no_memory;
};

/* The group that is being examined. */
struct group {
	int number;
	struct host_function **fn;
	size_t count;
	unsigned int endpoints, taken;
	bool has_rmrr;
	const struct host_function *bridge;	/* keeps every VM away, or NULL */
	const struct host_function *in_the_way; /* the first one, or NULL */
	char region[64];
	struct ask_answer answer;
};

static bool is_taken(const struct groups *groups, const struct host_function *fn)
{
	return fn->place != DECIDE_NO_INDEX && !fn->is_not_made &&
	       decide_is_taken(&groups->host->decisions.verdict[fn->place]);
}

/* Does it prevent a VM from having the other functions of the group? */
static bool is_in_the_way(const struct groups *groups, const struct group *group,
			  const struct host_function *fn)
{
	if (pci_is_port(&fn->pci) || is_taken(groups, fn) || fn->is_not_made)
		return false;
	return host_protect(groups->host, fn) || fn == group->bridge ||
	       (group->taken && !host_is_viable_driver(fn->pci.driver));
}

static void look_at(const struct groups *groups, struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		group->endpoints += !pci_is_bridge(&group->fn[i]->pci) &&
				    !group->fn[i]->is_not_made;
		group->taken += is_taken(groups, group->fn[i]);
	}
	if (group->endpoints)
		group->bridge = next_boot_bridge(groups->host, group->number);
	for (size_t i = 0; i < group->count; i++) {
		const struct host_function *fn = group->fn[i];

		if (!is_in_the_way(groups, group, fn))
			continue;
		/* What this host needs is said first. */
		if (!group->in_the_way || (host_protect(groups->host, fn) &&
					   !host_protect(groups->host, group->in_the_way)))
			group->in_the_way = fn;
	}
	group->has_rmrr = host_has_rmrr(groups->host, group->number, group->region,
					sizeof(group->region));
}

/* Can a VM have it? */
enum viable {
	VIABLE_EMPTY, /* only bridges */
	VIABLE_NO,
	VIABLE_READY,
	VIABLE_POSSIBLE,
};

static const struct {
	const char *word;
	enum output_mark mark;
} viable[] = {
	[VIABLE_EMPTY] = { "", OUTPUT_PLAIN },
	[VIABLE_NO] = { "no", OUTPUT_BAD },
	[VIABLE_READY] = { "ready", OUTPUT_GOOD },
	[VIABLE_POSSIBLE] = { "possible", OUTPUT_PLAIN },
};

static enum viable is_viable(const struct group *group)
{
	if (!group->endpoints)
		return VIABLE_EMPTY;
	if (group->in_the_way || group->has_rmrr)
		return VIABLE_NO;
	/* What is not taken may be without a driver now, and get one at the next boot. */
	return group->taken == group->endpoints ? VIABLE_READY : VIABLE_POSSIBLE;
}

static const char *code_of(const struct groups *groups, const struct group *group,
			   const struct host_function *fn)
{
	if (host_protect(groups->host, fn))
		return code_name(REASON_PROTECTED);
	return fn == group->bridge ? code_name(REASON_BRIDGE) : NEXT_BOOT_BLOCKS_GROUP;
}

static const char *vm_code(const struct groups *groups, const struct group *group)
{
	const struct host_function *fn = group->in_the_way;

	if (group->answer.disagrees)
		return ASK_DISAGREES;
	if (fn)
		return code_of(groups, group, fn);
	return group->endpoints && group->has_rmrr ? "group-rmrr" : "";
}

static const char *vm_why(const struct groups *groups, const struct group *group, char *buf,
			  size_t size)
{
	const struct host_function *fn = group->in_the_way;
	const char *needed = fn ? host_protect(groups->host, fn) : NULL;
	char addr[PCI_ADDRESS_SIZE];

	buf[0] = '\0';
	if (needed)
		snprintf(buf, size, "this host needs %s: %s",
			 pci_address_format(&fn->pci.addr, addr), needed);
	else if (fn && fn == group->bridge)
		snprintf(buf, size, "%s is a bridge of the chipset, and stays with the host",
			 pci_address_format(&fn->pci.addr, addr));
	else if (fn)
		snprintf(buf, size, "%s stays with %s", pci_address_format(&fn->pci.addr, addr),
			 fn->pci.driver);
	else if (group->endpoints && group->has_rmrr)
		snprintf(buf, size, "the firmware keeps memory mapped for it (RMRR %s)",
			 group->region);
	return buf;
}

static void add_function(struct groups *groups, const struct group *group,
			 struct libscols_line *parent, struct host_function *fn)
{
	struct output_table *table = &groups->table;
	struct libscols_line *line = output_line(table, parent);
	struct names *names = groups->host->names;
	enum host_next next = host_next(groups->host, fn);
	char text[512], *vms = pve_names(&groups->pve, groups->host, &fn, 1);

	pci_address_format(&fn->pci.addr, text);
	output_set(table, line, COL_ADDRESS, text);
	output_set(table, line, COL_GROUP, text);
	output_set(table, line, COL_ID, pci_id_format(&fn->pci.id, text));
	output_set(table, line, COL_NAME, names_device(names, &fn->pci.id, text, sizeof(text)));
	output_set(table, line, COL_CLASS, names_class(names, fn->pci.class, text, sizeof(text)));
	output_set(table, line, COL_DRIVER, fn->pci.driver);
	output_set(table, line, COL_VMS, vms);
	groups->no_memory |= !vms;
	free(vms);
	output_set(table, line, COL_NEXT, host_next_name(next));
	output_mark_cell(table, line, COL_NEXT, next == HOST_NEXT_VFIO ? OUTPUT_GOOD : OUTPUT_BAD);
	if (is_in_the_way(groups, group, fn)) {
		output_set(table, line, COL_VM, "blocks");
		output_set(table, line, COL_CODE, code_of(groups, group, fn));
		output_set(table, line, COL_WHY, host_protect(groups->host, fn));
		output_mark_cell(table, line, COL_VM, OUTPUT_BAD);
	}
	if (pci_is_bridge(&fn->pci))
		output_mark_line(table, line, OUTPUT_DIM);
}

static void add_group(struct groups *groups, const struct group *group)
{
	struct output_table *table = &groups->table;
	struct libscols_line *line = output_line(table, NULL);
	enum viable vm = is_viable(group);
	char why[512];
	/* Only one of these VMs can run. */
	char *vms = pve_names(&groups->pve, groups->host, group->fn, group->count);

	output_setf(table, line, COL_GROUP, "%d", group->number);
	output_set(table, line, COL_VM, viable[vm].word);
	output_set(table, line, COL_VMS, vms);
	groups->no_memory |= !vms;
	free(vms);
	output_set(table, line, COL_CODE, vm_code(groups, group));
	output_set(table, line, COL_WHY, vm_why(groups, group, why, sizeof(why)));
	output_set(table, line, COL_ASKED, ask_result_name(group->answer.result));
	output_set(table, line, COL_ANSWER, group->answer.why);
	output_mark_cell(table, line, COL_GROUP, OUTPUT_STRONG);
	output_mark_cell(table, line, COL_VM, viable[vm].mark);
	for (size_t i = 0; i < group->count; i++)
		add_function(groups, group, line, group->fn[i]);
}

/* Calls a function for each group of the ordered functions. */
static void for_each_group(struct groups *groups,
			   void (*fn)(struct groups *groups, const struct group *group))
{
	for (size_t from = 0, to; from < groups->count; from = to) {
		struct group group = {
			.number = groups->order[from]->pci.group,
			.fn = &groups->order[from],
		};

		for (to = from; to < groups->count; to++)
			if (groups->order[to]->pci.group != group.number)
				break;
		group.count = to - from;
		look_at(groups, &group);
		if (groups->answer)
			group.answer = groups->answer[from];
		fn(groups, &group);
	}
}

/* Asks once for each group: it is open only during that. */
static int ask_all(struct groups *groups)
{
	struct ask_answer *answer;

	if (!groups->is_asking)
		return 0;
	answer = calloc(groups->count + 1, sizeof(*answer));
	if (!answer)
		return message_errno(-ENOMEM, "cannot list the groups");
	for (size_t from = 0, to; from < groups->count; from = to) {
		for (to = from; to < groups->count; to++)
			if (groups->order[to]->pci.group != groups->order[from]->pci.group)
				break;
		ask_group(groups->host, &groups->pve, groups->order[from]->pci.group,
			  &groups->order[from], to - from, &answer[from]);
	}
	groups->answer = answer;
	return 0;
}

/* Sentences go below the table, as in list. */
static void print_reason(struct groups *groups, const struct group *group)
{
	char why[512];

	if (*group->answer.why)
		output_fold(groups->table.output,
			    (unsigned int)printf("group %d, %s: ", group->number,
						 ask_result_name(group->answer.result)),
			    group->answer.why);

	if (*vm_why(groups, group, why, sizeof(why)))
		output_fold(groups->table.output,
			    (unsigned int)printf("group %d, no VM: ", group->number), why);
}

static int by_group(const void *a, const void *b)
{
	const struct host_function *const *one = a, *const *other = b;

	if ((*one)->pci.group != (*other)->pci.group)
		return (*one)->pci.group < (*other)->pci.group ? -1 : 1;
	return *one < *other ? -1 : 1;
}

static void want(struct host_function *fn, void *arg)
{
	struct groups *groups = arg;

	groups->is_wanted[fn - groups->host->fn] = true;
}

static bool is_group_wanted(const struct groups *groups, int group)
{
	for (size_t i = 0; i < groups->host->count; i++)
		if (groups->is_wanted[i] && groups->host->fn[i].pci.group == group)
			return true;
	return false;
}

/* Selects the functions, and sorts them. */
static int choose(struct groups *groups, int argc, char **argv)
{
	struct host *host = groups->host;

	groups->order = calloc(host->count + 1, sizeof(struct host_function *));
	groups->is_wanted = calloc(host->count + 1, sizeof(*groups->is_wanted));
	if (!groups->order || !groups->is_wanted)
		return message_errno(-ENOMEM, "cannot list the groups");
	for (size_t i = 0; i < host->count; i++)
		host_group(host, &host->fn[i]);
	for (int i = 0; i < argc; i++) {
		int ret = host_select(host, argv[i], want, groups);

		if (ret < 0)
			return command_selected(ret);
	}
	for (size_t i = 0; i < host->count; i++)
		if (host->fn[i].pci.group >= 0 &&
		    (!argc || is_group_wanted(groups, host->fn[i].pci.group)))
			groups->order[groups->count++] = &host->fn[i];
	if (groups->count)
		qsort(groups->order, groups->count, sizeof(*groups->order), by_group);
	return 0;
}

static int print(struct groups *groups, const struct output *output)
{
	struct output_column shown[sizeof(columns) / sizeof(columns[0])];
	char why[400];
	int ret = pve_open(groups->host, &groups->pve);

	memcpy(shown, columns, sizeof(shown));
	shown[COL_ASKED].is_shown = groups->is_asking;
	shown[COL_VMS].is_shown = pve_is_shown(&groups->pve);
	if (!ret && groups->pve.state == PVE_UNKNOWN)
		message_warn("%s: it is not known which VM has what",
			     pve_why_unknown(&groups->pve, why, sizeof(why)));
	if (!ret)
		ret = output_table_init(&groups->table, output, "groups", shown);
	groups->table.children = "functions";
	if (!ret)
		ret = ask_all(groups);
	if (!ret)
		for_each_group(groups, add_group);
	if (!ret)
		ret = output_table_print(&groups->table);
	if (!ret && output->format == OUTPUT_TEXT && !output->no_headings &&
	    !output_wants(&groups->table, COL_WHY) && output_wants(&groups->table, COL_VM))
		for_each_group(groups, print_reason);
	output_table_free(&groups->table);
	pve_close(&groups->pve);
	if (!ret && groups->no_memory)
		ret = message_errno(-ENOMEM, "cannot list the groups");
	return ret;
}

/* Reports that there is no group, why, and the fix. */
static void say_off(const struct host *host)
{
	char text[512], fix[512];

	tell_iommu(&host->iommu, text, sizeof(text));
	tell_iommu_fix(&host->iommu, fix, sizeof(fix));
	next_iommu_fix(host, NULL, fix, sizeof(fix));
	message_error("no IOMMU group: %s%s%s", text, *fix ? "; fix: " : "", fix);
}

int command_groups(int argc, char **argv)
{
	struct groups groups = { 0 };
	struct options opts;
	int opt, ret;

	options_init(&opts, &spec);
	while ((opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		if (opt == OPTIONS_EXIT)
			return opts.status;
		groups.is_asking = true;
	}

	ret = host_open(opts.root, &groups.host);
	if (!ret && groups.is_asking && groups.host->root.is_host && geteuid())
		ret = message_error("only root may ask the kernel; fix: run it as root");
	if (!ret)
		ret = host_decide_to_show(groups.host);
	if (!ret)
		ret = choose(&groups, argc - optind, argv + optind);
	if (!ret)
		ret = print(&groups, &opts.output);
	if (!ret && !groups.count) {
		ret = COMMAND_INCOMPLETE;
		if (groups.host->iommu.state == IOMMU_ON)
			message_error("no IOMMU group: the IOMMU is on, but leaves these out");
		else
			say_off(groups.host);
	}
	free(groups.order);
	free(groups.is_wanted);
	free(groups.answer);
	host_close(groups.host);
	return ret < 0 ? COMMAND_NOTHING : ret;
}
