// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early list: the PCI functions of this host, GPUs first, and what the next boot does with
 * each. Reads only. For each function it reads only what the shown columns need.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/guest_set.h"
#include "host/host.h"
#include "host/next_boot.h"
#include "host/pve.h"
#include "host/settings.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/message.h"

enum {
	COL_ADDRESS,
	COL_ID,
	COL_NAME,
	COL_CLASS,
	COL_DRIVER,
	COL_GROUP,
	COL_VGA,
	COL_RESET,
	COL_NEXT,
	COL_VM,
	COL_CODE,
	COL_WHY,
	COL_VENDOR,
	COL_SUBSYSTEM,
	COL_PATH,
	COL_OVERRIDE,
	COL_VFS,
	COL_NEEDED,
	COL_POWER,
	COL_BARS,
	COL_SET,
};

static const struct output_column columns[] = {
	{ "ADDRESS", "domain:bus:device.function", 12, 0, OUTPUT_STRING, true },
	{ "ID", "vendor:device", 9, 0, OUTPUT_STRING, true },
	{ "NAME", "device name", 0.9, SCOLS_FL_TRUNC, OUTPUT_STRING, true },
	{ "CLASS", "what it is, on wide screens", 5, SCOLS_FL_TRUNC, OUTPUT_STRING, true, 110 },
	{ "DRIVER", "driver in use", 8, 0, OUTPUT_STRING, true },
	{ "GROUP", "IOMMU group", 5, SCOLS_FL_RIGHT, OUTPUT_NUMBER, true },
	{ "VGA", "shows the boot screen", 3, 0, OUTPUT_BOOLEAN, true },
	{ "RESET", "how it is reset, in order", 5, SCOLS_FL_TRUNC, OUTPUT_STRING, true },
	{ "NEXT", "what the next boot does", 8, 0, OUTPUT_STRING, true },
	{ "VM", "VMs that have it, if any", 3, 0, OUTPUT_STRING, false },
	{ "CODE", "reason for NEXT, as a code", 8, 0, OUTPUT_STRING, false },
	{ "WHY", "reason for NEXT, in words", 0.3, SCOLS_FL_TRUNC, OUTPUT_STRING, false },
	{ "VENDOR", "chip vendor", 0.2, SCOLS_FL_TRUNC, OUTPUT_STRING, false },
	{ "SUBSYSTEM", "card vendor", 0.2, SCOLS_FL_TRUNC, OUTPUT_STRING, false },
	{ "PATH", "path through the bridges", 0.1, 0, OUTPUT_STRING, false },
	{ "OVERRIDE", "driver_override now", 8, 0, OUTPUT_STRING, false },
	{ "VFS", "virtual functions now", 3, SCOLS_FL_RIGHT, OUTPUT_NUMBER, false },
	{ "NEEDED", "why this host needs it", 0.2, SCOLS_FL_TRUNC, OUTPUT_STRING, false },
	{ "POWER", "may it sleep, be cut off", 4, 0, OUTPUT_STRING, false },
	{ "BARS", "sizes, and possible ones", 4, 0, OUTPUT_STRING, false },
	{ "SET", "setting its family wants", 3, 0, OUTPUT_STRING, false },
	{ 0 },
};

static const struct options_entry entries[] = {
	{ "all", 'a', NULL, "all functions, not only GPUs and those of the config" },
	{ 0 },
};

static const struct options_spec spec = {
	.usage = "list [OPTION...] [ADDRESS|ID|class:CC...]",
	.about = "Lists PCI functions, GPUs and the rest of their cards first, with what the next\n"
		 "boot does with each by the config as it is now.\n",
	.entry = entries,
	.common = OPTIONS_READING | OPTIONS_TABLE,
	.columns = columns,
};

struct list {
	struct host *host;
	struct output_table table;
	struct pve pve;
	bool *is_listed; /* same index as in host->fn */
	bool no_memory;
};

/* The reason for NEXT; of a function that stays with the host, also what the next boot makes of it. */
static const char *tell_why(const struct host *host, const struct host_function *fn, char *buf,
			    size_t size)
{
	unsigned int taken, vfs;

	if (*host_why(host, fn, buf, size))
		return buf;
	vfs = next_boot_vfs(host, fn, &taken);
	if (vfs)
		snprintf(buf, size,
			 "the next boot makes %u virtual function%s of it, and binds %u of them",
			 vfs, vfs == 1 ? "" : "s", taken);
	return buf;
}

static void set_next(struct list *list, struct libscols_line *line, const struct host_function *fn)
{
	enum host_next next = host_next(list->host, fn);
	char why[512];

	output_set(&list->table, line, COL_NEXT, host_next_name(next));
	output_set(&list->table, line, COL_CODE, next_boot_code(list->host, fn));
	output_set(&list->table, line, COL_WHY, tell_why(list->host, fn, why, sizeof(why)));
	output_mark_cell(&list->table, line, COL_NEXT,
			 next == HOST_NEXT_VFIO ? OUTPUT_GOOD : OUTPUT_BAD);
	if (next == HOST_NEXT_BLOCKS_GROUP || next == HOST_NEXT_REFUSED)
		output_mark_cell(&list->table, line, COL_WHY, OUTPUT_WARN);
}

/* Names; libpci searches its database for each of them. */
static void set_names(struct list *list, struct libscols_line *line, const struct host_function *fn)
{
	struct output_table *table = &list->table;
	struct names *names = list->host->names;
	char text[256];

	if (output_wants(table, COL_NAME))
		output_set(table, line, COL_NAME,
			   names_device(names, &fn->pci.id, text, sizeof(text)));
	if (output_wants(table, COL_CLASS))
		output_set(table, line, COL_CLASS,
			   names_class(names, fn->pci.class, text, sizeof(text)));
	if (output_wants(table, COL_VENDOR))
		output_set(table, line, COL_VENDOR,
			   names_vendor(names, &fn->pci.id, text, sizeof(text)));
	if (output_wants(table, COL_SUBSYSTEM))
		output_set(table, line, COL_SUBSYSTEM,
			   names_subsystem(names, &fn->pci.id, text, sizeof(text)));
}

/* Attributes; each of them must be opened. */
static void set_attributes(struct list *list, struct libscols_line *line, struct host_function *fn)
{
	struct output_table *table = &list->table;
	const struct host *host = list->host;
	char text[256], bars[512], *vms;

	if (output_wants(table, COL_GROUP) && host_group(host, fn) >= 0)
		output_setf(table, line, COL_GROUP, "%d", host_group(host, fn));
	if (output_wants(table, COL_VGA) && host_is_boot_vga(host, fn)) {
		output_set(table, line, COL_VGA, "yes");
		output_mark_cell(table, line, COL_VGA, OUTPUT_WARN);
	}
	if (output_wants(table, COL_RESET))
		output_set(table, line, COL_RESET,
			   host_attribute(host, fn, "reset_method", text, sizeof(text)));
	if (output_wants(table, COL_PATH) &&
	    !pci_path(host->root.fd, &fn->pci.addr, text, sizeof(text)))
		output_set(table, line, COL_PATH, text);
	if (output_wants(table, COL_OVERRIDE) &&
	    *host_attribute(host, fn, "driver_override", text, sizeof(text)) != '(')
		output_set(table, line, COL_OVERRIDE, text);
	if (output_wants(table, COL_VFS))
		output_set(table, line, COL_VFS,
			   host_attribute(host, fn, "sriov_numvfs", text, sizeof(text)));
	if (output_wants(table, COL_POWER))
		output_set(table, line, COL_POWER, settings_power(host, fn, text, sizeof(text)));
	if (output_wants(table, COL_BARS))
		output_set(table, line, COL_BARS, settings_bars(host, fn, bars, sizeof(bars)));
	if (output_wants(table, COL_SET))
		output_set(table, line, COL_SET, guest_set(host, fn, text, sizeof(text)));
	output_set(table, line, COL_NEEDED, host_protect(host, fn));
	vms = pve_names(&list->pve, host, &fn, 1);
	output_set(table, line, COL_VM, vms);
	list->no_memory |= !vms;
	free(vms);
}

static void add_line(struct list *list, struct host_function *fn)
{
	struct libscols_line *line = output_line(&list->table, NULL);
	char text[64];

	output_set(&list->table, line, COL_ADDRESS, pci_address_format(&fn->pci.addr, text));
	output_set(&list->table, line, COL_ID, pci_id_format(&fn->pci.id, text));
	output_set(&list->table, line, COL_DRIVER, fn->pci.driver);
	set_names(list, line, fn);
	set_attributes(list, line, fn);
	set_next(list, line, fn);
	if (pci_is_bridge(&fn->pci))
		output_mark_line(&list->table, line, OUTPUT_DIM);
	else if (fn->pci.class >> 16 == 0x03)
		output_mark_cell(&list->table, line, COL_ADDRESS, OUTPUT_STRONG);
}

/* Reasons are sentences and too wide for a column, so they are printed below the table. */
static void print_reasons(struct list *list)
{
	const struct output *output = list->table.output;
	const struct host *host = list->host;
	bool is_first = true;

	for (size_t i = 0; i < host->count; i++) {
		char text[512], addr[PCI_ADDRESS_SIZE];

		if (!list->is_listed[i] || !*tell_why(host, &host->fn[i], text, sizeof(text)))
			continue;
		if (is_first)
			putchar('\n');
		is_first = false;
		output_fold(output,
			    (unsigned int)printf("%s: ",
						 pci_address_format(&host->fn[i].pci.addr, addr)),
			    text);
	}
}

static void take(struct host_function *fn, void *arg)
{
	struct list *list = arg;

	list->is_listed[fn - list->host->fn] = true;
}

/* Those of which the config makes or binds virtual functions. */
static void choose_physical(struct list *list)
{
	struct host *host = list->host;

	for (unsigned int i = 0; i < host->plan.vfs + host->plan.binds; i++) {
		struct selector sel = i < host->plan.vfs ? host->plan.vf[i].sel :
							   host->plan.bind[i - host->plan.vfs].sel;
		struct host_function *fn;

		if ((i >= host->plan.vfs && sel.kind != SELECTOR_VF) ||
		    pci_resolve(host->root.fd, &sel))
			continue;
		fn = host_find(host, &sel.addr);
		if (fn)
			take(fn, list);
	}
}

/* There is nothing to list. */
static void say_none(const struct host *host)
{
	if (host->is_undone)
		message_warn("no GPU here, and vfio-early undo is in effect: the config does not "
			     "count; see vfio-early list -a");
	else if (plan_is_empty(&host->plan) && !host->plan.losts)
		message_warn("no GPU here, and the config names nothing; see vfio-early list -a");
	else
		message_warn(
			"no GPU here, nor anything that the config names; see vfio-early check "
			"and vfio-early list -a");
}

/* Selects the named functions; else all of them, or GPUs and those that the config names. */
static int choose(struct list *list, bool all, int argc, char **argv)
{
	struct host *host = list->host;
	bool any = false;

	for (int i = 0; i < argc; i++) {
		int ret = host_select(host, argv[i], take, list);

		if (ret < 0)
			return command_selected(ret);
	}
	if (!argc)
		choose_physical(list);
	for (size_t i = 0; i < host->count && !argc; i++) {
		list->is_listed[i] |= all || host->fn[i].is_display ||
				      host_is_touched(host, &host->fn[i]);
		any |= list->is_listed[i];
	}
	if (!argc && !any)
		say_none(host);
	return 0;
}

static int run(struct list *list, const struct output *output)
{
	struct output_column shown[sizeof(columns) / sizeof(columns[0])];
	struct host *host = list->host;
	char why[400];
	int ret = pve_open(host, &list->pve);

	memcpy(shown, columns, sizeof(shown));
	shown[COL_VM].is_shown = pve_is_shown(&list->pve);
	if (!ret && list->pve.state == PVE_UNKNOWN)
		message_warn("%s: it is not known which VM has what",
			     pve_why_unknown(&list->pve, why, sizeof(why)));
	if (!ret)
		ret = output_table_init(&list->table, output, "functions", shown);
	for (int gpus = 1; gpus >= 0 && !ret; gpus--)
		for (size_t i = 0; i < host->count; i++)
			if (list->is_listed[i] && host->fn[i].is_display == gpus)
				add_line(list, &host->fn[i]);
	if (!ret)
		ret = output_table_print(&list->table);
	if (!ret && output->format == OUTPUT_TEXT && !output->no_headings &&
	    !output_wants(&list->table, COL_WHY) && output_wants(&list->table, COL_NEXT))
		print_reasons(list);
	output_table_free(&list->table);
	pve_close(&list->pve);
	if (!ret && list->no_memory)
		ret = message_errno(-ENOMEM, "cannot list");
	return ret;
}

int command_list(int argc, char **argv)
{
	struct list list = { 0 };
	struct options opts;
	bool all = false;
	int code, ret;

	options_init(&opts, &spec);
	while ((code = options_next(&opts, argc, argv)) >= 0)
		all |= code == 'a';
	if (code == OPTIONS_EXIT)
		return opts.status;

	ret = host_open(opts.root, &list.host);
	if (!ret)
		ret = host_decide_to_show(list.host);
	if (ret)
		goto out;
	ret = -ENOMEM;
	list.is_listed = calloc(list.host->count + 1, sizeof(*list.is_listed));
	if (!list.is_listed)
		message_errno(ret, "cannot list");
	else
		ret = choose(&list, all, argc - optind, argv + optind);
	if (!ret)
		ret = run(&list, &opts.output);
out:
	free(list.is_listed);
	host_close(list.host);
	return ret < 0 ? COMMAND_NOTHING : ret;
}
