// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the boot half will do with each function at the next boot: evaluates the plan of the config
 * on the facts as that boot will find them, with early/'s own decide(); see host.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/state.h"
#include "config/trial.h"
#include "early/sysfs.h"
#include "early/tell.h"
#include "host/host.h"
#include "host/naming.h"
#include "host/next_boot.h"
#include "host/next_iommu.h"
#include "host/slot.h"
#include "plan/plan.h"
#include "ui/status.h"
#include "util/address.h"
#include "util/array.h"
#include "util/message.h"
#include "util/words.h"

static void free_notes(struct host *host)
{
	for (size_t i = 0; i < host->notes; i++)
		free(host->note[i]);
	free(host->note);
	host->note = NULL;
	host->notes = 0;
}

/* The comments of the plan, except the first, which describes the file. */
static int keep_notes(struct host *host)
{
	const char *line = strchr(host->plan_text, '\n');

	free_notes(host);
	for (; line; line = strchr(line, '\n')) {
		char *note;

		line++;
		if (strncmp(line, "# ", 2))
			continue;
		note = strndup(line + 2, strcspn(line + 2, "\n"));
		if (!note || array_append(&host->note, &host->notes, sizeof(note), &note)) {
			free(note);
			return message_errno(-ENOMEM, "cannot read the plan");
		}
	}
	return 0;
}

/* If a pinned ID has left its address, the log of the boot says where it went; so does this. */
static void find_hint(const struct host *host, struct verdict *verdict)
{
	const struct selector *sel;
	unsigned int found = 0;

	if (verdict->reason != REASON_ID_CHANGED)
		return;
	sel = &host->plan.bind[verdict->bind].sel;
	if (sel->has_place) {
		verdict->has_hint = pci_find_pinned(host->root.fd, sel, &verdict->hint) == 1;
		return;
	}
	for (size_t i = 0; i < host->count; i++) {
		if (!pci_id_matches(&sel->id, &host->fn[i].pci.id))
			continue;
		verdict->hint = host->fn[i].pci.addr;
		found++;
	}
	verdict->has_hint = found == 1;
}

struct card_search {
	const struct host *host;
	const char *folder;
	bool found;
};

/* "card0", below a function's "drm"; its other names have no such attribute. */
static int look_for_boot_display(const char *name, void *arg)
{
	struct card_search *search = arg;
	char path[SYSFS_PATH_MAX];

	search->found = sysfs_exists(search->host->root.fd,
				     sysfs_path(path, "%s/%s/boot_display", search->folder, name));
	return search->found;
}

/*
 * Did the firmware use a function for its screen that has a GPU driver now? By now the boot
 * framebuffer is gone; Linux tells from 6.17 on (drivers/gpu/drm/drm_sysfs.c,
 * boot_display_visible).
 */
static bool was_boot_display(const struct host *host, const struct pci_address *addr)
{
	char folder[SYSFS_PATH_MAX];
	struct card_search search = { .host = host, .folder = folder };

	pci_attribute(folder, addr, "drm");
	sysfs_for_each(host->root.fd, folder, look_for_boot_display, &search);
	return search.found;
}

void host_before_drivers(const struct host *host, struct pci_table *table)
{
	for (unsigned int i = 0; i < table->count; i++) {
		struct pci_function *fn = &table->fn[i];

		fn->driver[0] = '\0';
		fn->vfs = 0;
		if (fn->framebuffer != PCI_FB_NONE || !was_boot_display(host, &fn->addr))
			continue;
		fn->framebuffer = PCI_FB_TAKEN;
		for (unsigned int j = 0; j < table->count; j++)
			table->fn[j].boot_vga_slot |= pci_address_same_slot(&fn->addr,
									    &table->fn[j].addr);
	}
}

/* More than the next boot has room for; virtual functions do not exist yet when it looks. */
static bool is_too_many(const struct host *host)
{
	unsigned int count = host->table.count;

	for (unsigned int i = 0; i < host->table.count && count > PCI_MAX_AT_BOOT; i++)
		count -= slot_is_virtual(&host->root, &host->table.fn[i].addr);
	return count > PCI_MAX_AT_BOOT;
}

static int compare_mates(const void *a, const void *b)
{
	const struct pci_function *one = a, *other = b;

	return address_compare(&one->addr, &other->addr);
}

/* A group's directory has no order; which of two functions is in the way must not depend on it. */
static void sort_mates(struct pci_table *table)
{
	if (table->count > table->candidates)
		qsort(&table->fn[table->candidates], table->count - table->candidates,
		      sizeof(table->fn[0]), compare_mates);
}

static void mark_not_made(struct host *host);

static void forget_places(struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		host->fn[i].place = DECIDE_NO_INDEX;
		host->fn[i].is_not_made = false;
	}
}

/* The work of host_decide_text(); host->problem says why a plan cannot be used. */
static int decide_text(struct host *host, char *text, size_t size)
{
	struct plan_errors errors = { 0 };
	int ret;

	free(host->plan_text);
	host->plan_text = text;
	ret = keep_notes(host);
	if (ret)
		return ret;
	plan_init(&host->plan);
	plan_parse(&host->plan, host->plan_text, size, PLAN_COMPILED, &errors);
	iommu_read(host->root.fd, host->cmdline, plan_wants_noiommu(&host->plan), &host->iommu);

	host->table.late_groups = host->iommu.has_smmu;
	forget_places(host);
	if (!host->plan.binds) {
		mark_not_made(host);
		return 0;
	}
	host->table.known = host->known;
	host->table.knowns = host->known ? (unsigned int)host->count : 0;
	ret = pci_collect(host->root.fd, &host->plan, NULL, &host->table);
	host->is_over = ret == -E2BIG || (!ret && is_too_many(host));
	if (host->is_over)
		return config_wrong(
			&host->problem, "name fewer",
			"the bind lines name over %u functions with their groups, so the "
			"next boot touches nothing",
			PCI_MAX_AT_BOOT);
	if (ret)
		return message_errno(ret, "cannot read the PCI functions that the config names");

	sort_mates(&host->table);
	for (unsigned int i = 0; i < host->table.count; i++) {
		struct pci_function *fn = &host->table.fn[i];
		struct host_function *mine = host_find(host, &fn->addr);

		if (mine)
			mine->place = (int)i;
	}
	host_before_drivers(host, &host->table);
	decide(&host->plan, &host->iommu, &host->table, &host->decisions);
	for (unsigned int i = 0; i < host->table.count; i++)
		find_hint(host, &host->decisions.verdict[i]);
	mark_not_made(host);
	return 0;
}

/* Nothing is named, so nothing is decided. */
static void decide_nothing(struct host *host)
{
	plan_init(&host->plan);
	host->table.count = host->table.candidates = 0;
	forget_places(host);
}

static bool is_undone(const struct host *host)
{
	if (host->undone == HOST_UNDONE_AS_ON_DISK)
		return state_is(&host->root, STATE_UNDONE);
	return host->undone == HOST_UNDONE_YES;
}

int host_decide_or_problem(struct host *host, const char *kernel)
{
	char *text;
	size_t size;
	int ret;

	compiler_close(host->compiler);
	host->problem = (struct config_problem){ 0 };
	host->is_over = false;
	host->is_undone = is_undone(host);
	ret = compiler_open(&host->root, host->known, host->count, host->is_undone, host->voice,
			    &host->problem, &host->compiler);
	if (!ret)
		ret = compiler_plan(host->compiler, kernel, &text, &size);
	if (!ret)
		ret = decide_text(host, text, size);
	if (!ret || !*host->problem.text)
		return ret;
	decide_nothing(host);
	return 0;
}

int host_decide(struct host *host, const char *kernel)
{
	int ret = host_decide_or_problem(host, kernel);

	return !ret && *host->problem.text ? config_say(&host->problem) : ret;
}

int host_decide_to_show(struct host *host)
{
	int ret = host_decide_or_problem(host, NULL);

	if (!ret && *host->problem.text)
		ret = config_say(&host->problem);
	return host->is_over ? 0 : ret;
}

int host_decide_text(struct host *host, char *text, size_t size)
{
	int ret;

	host->problem = (struct config_problem){ 0 };
	ret = decide_text(host, text, size);
	return ret && *host->problem.text ? config_say(&host->problem) : ret;
}

void host_decide_free(struct host *host)
{
	compiler_close(host->compiler);
	free_notes(host);
	free(host->plan_text);
	host->compiler = NULL;
	host->plan_text = NULL;
}

const char *host_protect(const struct host *host, const struct host_function *fn)
{
	const char *why = host->compiler ? compiler_needs(host->compiler, &fn->pci.addr) : NULL;

	if (why)
		return why;
	for (unsigned int i = 0; i < host->plan.protects; i++)
		if (pci_address_equal(&host->plan.protect[i].addr, &fn->pci.addr))
			return host->plan.protect[i].reason;
	return NULL;
}

const struct plan_vfs *host_vfs(const struct host *host, const struct pci_address *addr)
{
	for (unsigned int i = host->plan.vfs; i--;) {
		struct selector sel = host->plan.vf[i].sel;

		if (!pci_resolve(host->root.fd, &sel) && pci_address_equal(&sel.addr, addr))
			return &host->plan.vf[i];
	}
	return NULL;
}

/* Is it the device that the line means, and can it have that many? On vfio-pci it has none. */
static bool can_make(const struct host *host, const struct host_function *fn,
		     const struct plan_vfs *line)
{
	struct selector sel = line->sel;
	struct pci_function pf = fn->pci;

	pf.has_place = !pci_read_place(host->root.fd, &pf.addr, &pf.place);
	return !pci_resolve(host->root.fd, &sel) && pci_match(&sel, &pf) == SELECTOR_MATCHES &&
	       host_number(host, fn, "sriov_totalvfs") >= line->number &&
	       host_next(host, fn) != HOST_NEXT_VFIO && host_next(host, fn) != HOST_NEXT_HELD;
}

unsigned int host_makes_vfs(const struct host *host, const struct host_function *fn)
{
	const struct plan_vfs *line = host->plan.vfs ? host_vfs(host, &fn->pci.addr) : NULL;

	return line && can_make(host, fn, line) ? line->number : 0;
}

bool host_is_vf_of(const struct host *host, const struct host_function *vf,
		   const struct host_function *fn)
{
	char text[64], addr[PCI_ADDRESS_SIZE];

	return !strcmp(host_link(host, vf, "physfn", text, sizeof(text)),
		       pci_address_format(&fn->pci.addr, addr));
}

/* Of those of today the first ones are made again: their numbers follow their addresses. */
static void mark_beyond_line(struct host *host, const struct host_function *pf)
{
	unsigned int made = host_makes_vfs(host, pf);

	for (size_t i = 0; i < host->count; i++) {
		if (!host_is_vf_of(host, &host->fn[i], pf))
			continue;
		if (!made)
			host->fn[i].is_not_made = true;
		else
			made--;
	}
}

/* Is it of a physical function that goes to vfio-pci, which makes none? */
static bool is_of_taken(const struct host *host, const struct host_function *fn)
{
	char text[64];
	struct pci_address addr;
	const struct host_function *pf;

	if (pci_address_parse(host_link(host, fn, "physfn", text, sizeof(text)), &addr))
		return false;
	pf = host_find(host, &addr);
	return pf && pf->place != DECIDE_NO_INDEX &&
	       decide_is_taken(&host->decisions.verdict[pf->place]);
}

/* Without a vfs line, what made them may make them again. */
static void mark_not_made(struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		struct host_function *fn = &host->fn[i];

		if (host->plan.binds)
			fn->is_not_made |= is_of_taken(host, fn);
		if (host->plan.vfs && host_vfs(host, &fn->pci.addr) &&
		    host_number(host, fn, "sriov_numvfs"))
			mark_beyond_line(host, fn);
	}
}

bool host_binds_vfs(const struct host *host, const struct pci_address *addr)
{
	for (unsigned int i = 0; i < host->plan.binds; i++) {
		struct selector sel = host->plan.bind[i].sel;

		if (sel.kind == SELECTOR_VF && !pci_resolve(host->root.fd, &sel) &&
		    pci_address_equal(&sel.addr, addr))
			return true;
	}
	return false;
}

enum host_next host_next(const struct host *host, const struct host_function *fn)
{
	const struct verdict *verdict;

	if (fn->is_not_made)
		return HOST_NEXT_NOT_MADE;
	if (fn->place == DECIDE_NO_INDEX)
		return HOST_NEXT_NONE;
	verdict = &host->decisions.verdict[fn->place];
	switch (verdict->decision) {
	case DECIDE_BIND:
	case DECIDE_KEEP:
		return HOST_NEXT_VFIO;
	case DECIDE_HOLD:
		return HOST_NEXT_HELD;
	case DECIDE_REFUSE:
		return HOST_NEXT_REFUSED;
	case DECIDE_NOTHING:
		break;
	}
	return verdict->blocks_group ? HOST_NEXT_BLOCKS_GROUP : HOST_NEXT_NONE;
}

bool host_is_named(const struct host *host, const struct host_function *fn)
{
	return fn->place != DECIDE_NO_INDEX && fn->place < (int)host->table.candidates;
}

bool host_is_touched(const struct host *host, struct host_function *fn)
{
	int group = host_group(host, fn);

	if (fn->place == DECIDE_NO_INDEX)
		return false;
	if (host_is_named(host, fn) || group < 0 || host_next(host, fn) != HOST_NEXT_NONE)
		return true;
	for (size_t i = 0; i < host->count; i++)
		if (host_is_named(host, &host->fn[i]) && host_group(host, &host->fn[i]) == group)
			return true;
	return false;
}

bool host_keeps_driver(const struct host *host, const struct host_function *fn)
{
	enum host_next next = host_next(host, fn);

	return next != HOST_NEXT_VFIO && next != HOST_NEXT_HELD && next != HOST_NEXT_NOT_MADE;
}

/* By the plan itself: that of a candidate config has no compiler. */
static bool needs_too_many(const struct host *host)
{
	for (size_t i = 0; i < host->notes; i++)
		if (!strncmp(host->note[i], PLAN_NOTE_TOO_MANY, strlen(PLAN_NOTE_TOO_MANY)))
			return true;
	return false;
}

/*
 * A line with a path does not depend on what the plan has no room for. For the function, and those of
 * its slot that are refused for the same reason.
 */
static void fix_by_path(const struct host *host, const struct pci_address *addr, char *buf,
			size_t size)
{
	char text[2 * NAMING_SIZE], path[SYSFS_PATH_MAX];
	struct slot list = { 0 };

	/* On the root bus the path is the address. */
	if (pci_path(host->root.fd, addr, path, sizeof(path)) || !strchr(path, '/')) {
		pci_address_format(addr, path);
		snprintf(buf, size,
			 "write \"bind! %s\" into /etc/vfio-early.conf, if this host does not need "
			 "it",
			 path);
		return;
	}
	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];

		if (fn->place != DECIDE_NO_INDEX && pci_address_same_slot(&fn->pci.addr, addr) &&
		    host->decisions.verdict[fn->place].reason == REASON_FACTS)
			naming_add_one(host, &fn->pci.addr, &list);
	}
	snprintf(buf, size, "%s",
		 naming_replace(host, &list, &list, ", then ", "--by path ", text));
	slot_free(&list);
}

const char *host_fix_image(const struct host *host, const struct host_function *fn, char *buf,
			   size_t size)
{
	const struct verdict *verdict = &host->decisions.verdict[fn->place];
	const char *where = "", *command = "", *text;

	if (verdict->reason == REASON_GROUP_CLAIM)
		verdict = &host->decisions.verdict[verdict->mate];
	if (verdict->reason == REASON_NO_PATH || verdict->reason == REASON_FACTS)
		command = trial_command(&host->root);
	if (verdict->reason == REASON_FACTS)
		where = COMMAND_THERE;
	snprintf(buf, size, "%s%s", where, command);
	if (verdict->reason == REASON_FACTS && needs_too_many(host))
		fix_by_path(host, &host->table.fn[verdict - host->decisions.verdict].addr, buf,
			    size);
	text = words_of("new-image", buf);
	if (text != buf)
		snprintf(buf, size, "%s", text);
	return buf;
}

const char *host_why(const struct host *host, const struct host_function *fn, char *buf,
		     size_t size)
{
	const struct tell_facts facts = {
		.plan = &host->plan,
		.iommu = &host->iommu,
		.table = &host->table,
		.decisions = &host->decisions,
	};
	char fix[NEXT_BOOT_FIX_SIZE];
	size_t len = 0;

	buf[0] = '\0';
	if (host_next(host, fn) == HOST_NEXT_NOT_MADE)
		snprintf(buf, size, "the next boot does not make this virtual function");
	if (fn->place == DECIDE_NO_INDEX || host_next(host, fn) == HOST_NEXT_NOT_MADE)
		return buf;
	if (!*host_fix_image(host, fn, fix, sizeof(fix)))
		next_iommu_fix_refused(host, fn, fix, sizeof(fix));
	if (!*fix)
		tell_fix(&facts, (unsigned int)fn->place, fix, sizeof(fix));
	if (host_next(host, fn) == HOST_NEXT_BLOCKS_GROUP)
		snprintf(buf, size, "not bound, shares the group of what is; see vfio-early check");
	else
		len = strlen(tell_reason(&facts, (unsigned int)fn->place, buf, size));
	if (*fix && host_next(host, fn) != HOST_NEXT_BLOCKS_GROUP)
		snprintf(buf + len, size - len, "; %s", fix);
	return buf;
}

const char *host_next_name(enum host_next next)
{
	switch (next) {
	case HOST_NEXT_VFIO:
		return "vfio-pci";
	case HOST_NEXT_HELD:
		return "held";
	case HOST_NEXT_REFUSED:
		return "refused";
	case HOST_NEXT_BLOCKS_GROUP:
		return "left";
	case HOST_NEXT_NOT_MADE:
		return "gone";
	case HOST_NEXT_NONE:
		break;
	}
	return "";
}
