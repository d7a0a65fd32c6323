// SPDX-License-Identifier: GPL-2.0-or-later
/* What the next boot does with each function, as a table and as JSON; see next_boot.h. */
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/tell.h"
#include "host/group_cure.h"
#include "host/moved.h"
#include "host/next_boot.h"
#include "host/next_iommu.h"
#include "ui/status.h"
#include "util/words.h"

enum {
	COL_ADDRESS,
	COL_ID,
	COL_NAME,
	COL_GROUP,
	COL_DRIVER,
	COL_NEXT,
};

static const struct output_column columns[] = {
	{ "ADDRESS", "", 12, 0, OUTPUT_STRING, true },
	{ "ID", "", 9, 0, OUTPUT_STRING, true },
	{ "NAME", "", 0.5, SCOLS_FL_TRUNC, OUTPUT_STRING, true },
	{ "GROUP", "", 5, SCOLS_FL_RIGHT, OUTPUT_NUMBER, true },
	{ "DRIVER", "", 8, 0, OUTPUT_STRING, true },
	{ "NEXT", "", 8, 0, OUTPUT_STRING, true },
	{ 0 },
};

int next_boot_print(struct host *host, const struct output *output)
{
	struct output_table table;
	int ret = output_table_init(&table, output, "functions", columns);

	for (size_t i = 0; i < host->count && !ret; i++) {
		struct host_function *fn = &host->fn[i];
		enum host_next next = host_next(host, fn);
		struct libscols_line *line;
		char text[256];

		if (!host_is_touched(host, fn))
			continue;
		line = output_line(&table, NULL);
		output_set(&table, line, COL_ADDRESS, pci_address_format(&fn->pci.addr, text));
		output_set(&table, line, COL_ID, pci_id_format(&fn->pci.id, text));
		output_set(&table, line, COL_NAME,
			   names_device(host->names, &fn->pci.id, text, sizeof(text)));
		if (host_group(host, fn) >= 0)
			output_setf(&table, line, COL_GROUP, "%d", host_group(host, fn));
		output_set(&table, line, COL_DRIVER, fn->pci.driver);
		output_set(&table, line, COL_NEXT, host_next_name(next));
		output_mark_cell(&table, line, COL_NEXT,
				 next == HOST_NEXT_VFIO ? OUTPUT_GOOD : OUTPUT_BAD);
		if (pci_is_bridge(&fn->pci))
			output_mark_line(&table, line, OUTPUT_DIM);
	}
	if (!ret)
		ret = output_table_print(&table);
	output_table_free(&table);
	return ret;
}

/*
 * A virtual function of it that is not there yet. What is known of it before: it has the class of the
 * physical one (SR-IOV specification, "Class Code"), an address that no line has, and as a rule a
 * group of its own.
 */
static void imagine_vf(const struct host *host, const struct host_function *fn,
		       struct pci_function *vf)
{
	char device[16];

	*vf = (struct pci_function){ 0 };
	vf->addr.domain = UINT32_MAX;
	vf->class = fn->pci.class;
	vf->id.vendor = fn->pci.id.vendor;
	vf->id.device = (uint16_t)strtoul(
		host_attribute(host, fn, "sriov_vf_device", device, sizeof(device)), NULL, 16);
	vf->group = INT_MAX;
	vf->port_group = -1;
	vf->is_vf = true;
	vf->pf.addr = fn->pci.addr;
	vf->pf.id = fn->pci.id;
	vf->is_pf_unknown = pci_read_place(host->root.fd, &fn->pci.addr, &vf->pf.place) != 0;
}

/* Would it be bound? */
static bool is_next_vf_taken(const struct host *host, const struct host_function *fn)
{
	static struct pci_table table;
	static struct decisions decisions;

	/* Its driver gives vGPUs to VMs, and keeps them. */
	if (!strcmp(fn->pci.driver, "nvidia"))
		return false;
	table.count = table.candidates = 1;
	imagine_vf(host, fn, &table.fn[0]);
	decide(&host->plan, &host->iommu, &table, &decisions);
	return decide_is_taken(&decisions.verdict[0]) &&
	       decisions.verdict[0].decision != DECIDE_HOLD;
}

int next_boot_vf_except(const struct host *host, const struct host_function *fn)
{
	struct pci_function vf;

	imagine_vf(host, fn, &vf);
	for (unsigned int i = 0; i < host->plan.excepts; i++)
		if (pci_match(&host->plan.except[i].sel, &vf) != SELECTOR_DIFFERS)
			return (int)i;
	return -1;
}

unsigned int next_boot_vfs(const struct host *host, const struct host_function *fn,
			   unsigned int *taken)
{
	unsigned int made = host_makes_vfs(host, fn), there = 0;

	*taken = 0;
	/* Those that are there today have verdicts. */
	for (size_t i = 0; i < host->count && made && host_number(host, fn, "sriov_numvfs"); i++) {
		if (!host_is_vf_of(host, &host->fn[i], fn) || host->fn[i].is_not_made)
			continue;
		there++;
		*taken += host_next(host, &host->fn[i]) == HOST_NEXT_VFIO;
	}
	if (there < made && is_next_vf_taken(host, fn))
		*taken += made - there;
	return made;
}

const char *next_boot_tell_vfs(const struct next_boot *next, char text[NEXT_BOOT_TEXT_SIZE])
{
	text[0] = '\0';
	if (next->vfs)
		snprintf(text, NEXT_BOOT_TEXT_SIZE,
			 ", makes %u virtual function%s and binds %u of them", next->vfs,
			 next->vfs == 1 ? "" : "s", next->vfs_taken);
	return text;
}

const struct host_function *next_boot_pf(const struct host *host, const struct host_function *fn)
{
	char text[64];
	struct pci_address addr;

	return pci_address_parse(host_link(host, fn, "physfn", text, sizeof(text)), &addr) ?
		       NULL :
		       host_find(host, &addr);
}

/* Is it a virtual function that a vfs line makes? */
static bool is_made(const struct host *host, const struct host_function *fn)
{
	const struct host_function *pf = host->plan.vfs ? next_boot_pf(host, fn) : NULL;

	return pf && host_makes_vfs(host, pf);
}

void next_boot_count(const struct host *host, struct next_boot *counts)
{
	*counts = (struct next_boot){ 0 };
	for (size_t i = 0; i < host->count && host->plan.vfs; i++) {
		unsigned int taken;

		counts->vfs += next_boot_vfs(host, &host->fn[i], &taken);
		counts->vfs_taken += taken;
	}
	for (size_t i = 0; i < host->count; i++) {
		enum host_next next = host_next(host, &host->fn[i]);
		bool is_refused = next == HOST_NEXT_REFUSED || next == HOST_NEXT_HELD;

		if ((!is_refused && next != HOST_NEXT_VFIO) || is_made(host, &host->fn[i]))
			continue;
		counts->taken += !is_refused;
		counts->refused += is_refused;
	}
}

const char *next_boot_code(const struct host *host, const struct host_function *fn)
{
	enum reason reason;

	if (host_next(host, fn) == HOST_NEXT_NOT_MADE)
		return NEXT_BOOT_NOT_MADE;
	if (fn->place == DECIDE_NO_INDEX)
		return "";
	if (host_next(host, fn) == HOST_NEXT_BLOCKS_GROUP)
		return NEXT_BOOT_BLOCKS_GROUP;
	reason = host->decisions.verdict[fn->place].reason;
	return reason == REASON_NONE ? "" : code_name(reason);
}

bool next_boot_is_excepted(const struct host *host, const struct host_function *fn)
{
	for (unsigned int i = 0; i < host->plan.excepts; i++) {
		const struct selector *sel = &host->plan.except[i].sel;
		bool is_named = sel->kind == SELECTOR_VF ?
					host_is_selected(host, sel, &fn->pci, NULL) :
					selector_match(sel, &fn->pci.addr, &fn->pci.id,
						       fn->pci.class, NULL) != SELECTOR_DIFFERS;

		if (is_named)
			return true;
	}
	return false;
}

bool next_boot_can_name_group(const struct host *host, const struct host_function *fn)
{
	struct group_cures cures;

	group_cures_count(host, fn, &cures);
	return group_can_name(&cures);
}

const struct host_function *next_boot_bridge(struct host *host, int group)
{
	for (size_t i = 0; i < host->count && group >= 0; i++)
		if (host_group(host, &host->fn[i]) == group && pci_is_bridge(&host->fn[i].pci) &&
		    pci_may_block_group(&host->fn[i].pci))
			return &host->fn[i];
	return NULL;
}

/* Next steps that the boot half does not name, because it cannot change a config. */
static const char *fix_in_config(enum reason reason)
{
	switch (reason) {
	case REASON_EXCEPT:
	case REASON_BOOT_VGA:
		return "none is needed: the config says so";
	case REASON_PROTECTED:
		return "take it out of the config; only if you know better, write bind!";
	default:
		return "";
	}
}

/* It shares its group with what no VM can have; a device on the root bus belongs to the board. */
static void fix_hopeless(const struct host *host, const struct host_function *fn, char *fix,
			 size_t size)
{
	char path[SYSFS_PATH_MAX], remove[NAMING_SIZE];
	struct slot list = { 0 };

	if (!pci_path(host->root.fd, &fn->pci.addr, path, sizeof(path)) && !strchr(path, '/') &&
	    !naming_add_one(host, &fn->pci.addr, &list))
		group_say_hopeless(naming_remove(host, &list, remove), true, fix, size);
	else
		snprintf(fix, size, "put the card into another slot, or move what is in its way");
	slot_free(&list);
}

/* One fix for the whole group. */
static void fix_group(const struct host *host, const struct host_function *fn, enum reason reason,
		      char *fix, size_t size)
{
	char addr[PCI_ADDRESS_SIZE], text[160], why[512];
	struct group_cures cures;

	group_cures_count(host, fn, &cures);
	if (cures.count[GROUP_CURE_NONE])
		fix_hopeless(host, fn, fix, size);
	else if (cures.with_reason && cures.with_reason != fn)
		next_boot_why(host, cures.with_reason, why, sizeof(why), fix, size);
	/* With group claim, nothing has to name them. */
	else if (cures.excepted && reason == REASON_GROUP && cures.count[GROUP_CURE_NAME])
		snprintf(fix, size, "%s, then vfio-early add --group %s",
			 group_say_except(&cures, text, sizeof(text)),
			 pci_address_format(&fn->pci.addr, addr));
	else if (cures.excepted)
		group_say_except(&cures, fix, size);
	else if (reason == REASON_GROUP && group_can_name(&cures))
		group_say_name(fn, false, fix, size);
	else
		fix_hopeless(host, fn, fix, size);
}

/* What makes a virtual function again: a driver for its physical one, and a larger vfs line. */
static void fix_not_made(const struct host *host, const struct host_function *fn, char *fix,
			 size_t size)
{
	const struct host_function *pf = next_boot_pf(host, fn);
	const struct plan_vfs *line = pf ? host_vfs(host, &pf->pci.addr) : NULL;
	char addr[PCI_ADDRESS_SIZE], remove[NAMING_SIZE];
	struct slot list = { 0 };
	unsigned int number = 0;

	if (!pf)
		return;
	pci_address_format(&pf->pci.addr, addr);
	for (size_t i = 0; i < host->count && &host->fn[i] <= fn; i++)
		number += host_is_vf_of(host, &host->fn[i], pf);
	if (!host_keeps_driver(host, pf) && line)
		snprintf(fix, size, "take %s out of the bind lines in /etc/vfio-early.conf", addr);
	else if (!host_keeps_driver(host, pf) && !naming_add_one(host, &pf->pci.addr, &list))
		snprintf(fix, size, "%s", naming_remove(host, &list, remove));
	else if (line && (!line->number || host_makes_vfs(host, pf)))
		snprintf(fix, size, "write %u instead of %u into the vfs line of %s", number,
			 line->number, addr);
	else
		snprintf(fix, size, "correct the vfs line of %s (vfio-early check)", addr);
	slot_free(&list);
}

void next_boot_why(const struct host *host, const struct host_function *fn, char *why,
		   size_t why_size, char *fix, size_t fix_size)
{
	const struct tell_facts facts = {
		.plan = &host->plan,
		.iommu = &host->iommu,
		.table = &host->table,
		.decisions = &host->decisions,
	};
	enum reason reason;
	char text[MOVED_SIZE];

	why[0] = fix[0] = '\0';
	if (host_next(host, fn) == HOST_NEXT_NOT_MADE) {
		host_why(host, fn, why, why_size);
		text[0] = '\0';
		fix_not_made(host, fn, text, sizeof(text));
		snprintf(fix, fix_size, "%s", words_of(NEXT_BOOT_NOT_MADE, text));
		return;
	}
	if (fn->place == DECIDE_NO_INDEX)
		return;
	reason = host->decisions.verdict[fn->place].reason;
	tell_reason(&facts, (unsigned int)fn->place, why, why_size);
	if (*fix_in_config(reason)) {
		snprintf(fix, fix_size, "%s", words_of(code_name(reason), fix_in_config(reason)));
		return;
	}
	if (reason == REASON_ID_CHANGED) {
		moved_fix(host, fn, false, text);
		snprintf(fix, fix_size, "%s", words_of(code_name(reason), text));
		return;
	}
	if (*host_fix_image(host, fn, fix, fix_size) ||
	    *next_iommu_fix_refused(host, fn, fix, fix_size))
		return;
	/* For group-kept: the fix for the function that is in the way. */
	if (*tell_fix(&facts, (unsigned int)fn->place, fix, fix_size) ||
	    (reason != REASON_GROUP && reason != REASON_GROUP_CLAIM))
		return;
	fix_group(host, fn, reason, text, sizeof(text));
	snprintf(fix, fix_size, "%s", words_of(code_name(reason), text));
}

bool next_boot_is_open(const struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];
		enum host_next next = host_next(host, fn);
		enum reason reason;

		if (next != HOST_NEXT_REFUSED && next != HOST_NEXT_HELD)
			continue;
		reason = host->decisions.verdict[fn->place].reason;
		if ((reason == REASON_NO_IOMMU && next_iommu_is_by_cmdline(host, NULL)) ||
		    (reason == REASON_NO_GROUP && next_iommu_is_by_cmdline(host, fn)))
			return true;
	}
	return false;
}

static struct json_object *json_function(struct host *host, struct host_function *fn)
{
	struct json_object *object = json_object_new_object();
	char text[512];

	if (!object)
		return NULL;
	json_object_object_add(object, "address",
			       output_json_text(pci_address_format(&fn->pci.addr, text)));
	json_object_object_add(object, "id", output_json_text(pci_id_format(&fn->pci.id, text)));
	json_object_object_add(object, "name",
			       output_json_text(
				       names_device(host->names, &fn->pci.id, text, sizeof(text))));
	json_object_object_add(object, "group",
			       host_group(host, fn) < 0 ?
				       NULL :
				       json_object_new_int(host_group(host, fn)));
	json_object_object_add(object, "driver", output_json_text(fn->pci.driver));
	json_object_object_add(object, "next",
			       output_json_text(host_next_name(host_next(host, fn))));
	json_object_object_add(object, "code", output_json_text(next_boot_code(host, fn)));
	json_object_object_add(object, "why",
			       output_json_text(host_why(host, fn, text, sizeof(text))));
	return object;
}

struct json_object *next_boot_json(struct host *host)
{
	struct json_object *functions = json_object_new_array();

	for (size_t i = 0; i < host->count && functions; i++)
		if (host_is_touched(host, &host->fn[i]))
			json_object_array_add(functions, json_function(host, &host->fn[i]));
	return functions;
}
