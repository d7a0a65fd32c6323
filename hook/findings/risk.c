// SPDX-License-Identifier: GPL-2.0-or-later
/* What may go wrong; see risk.h. */
#include <errno.h>
#include <libkmod.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/sysfs.h"
#include "findings/recipes.h"
#include "findings/risk.h"
#include "plan/modules.h"
#include "protect/protect.h"
#include "ui/status.h"
#include "util/array.h"
#include "util/message.h"

#define PATH_UNSAFE "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"

struct search {
	struct host *host;
	struct risks *risks;
	struct recipes recipes;
	struct kmod_ctx *kmod;		/* NULL: no kernel to look into */
	struct protect_facts addressed; /* what carries an address now */
	bool knows_resets; /* some function has a reset_method: the kernel tells (from 5.15) */
};

static void free_risk(struct risk *risk)
{
	free(risk->about);
	free(risk->what);
	free(risk->fix);
}

__attribute__((format(printf, 5, 6))) static void add(struct search *search, enum risk_level level,
						      const char *about, const char *fix,
						      const char *fmt, ...)
{
	struct risks *risks = search->risks;
	struct risk item = { .level = level };
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&item.what, fmt, args) < 0)
		item.what = NULL;
	va_end(args);
	item.about = strdup(about);
	item.fix = strdup(fix);
	if (!item.what || !item.about || !item.fix ||
	    array_append(&risks->list, &risks->count, sizeof(item), &item)) {
		risks->failed = true;
		free_risk(&item);
		return;
	}
	risks->blocks += level == RISK_BLOCKS;
}

static bool is_taken(const struct search *search, const struct host_function *fn)
{
	return fn && fn->place != DECIDE_NO_INDEX &&
	       decide_is_taken(&search->host->decisions.verdict[fn->place]);
}

/* --- the config */

static void add_config(struct search *search)
{
	const struct host *host = search->host;

	for (unsigned int i = 0; i < host->plan.losts; i++)
		add(search, RISK_BLOCKS, "config", "correct it", "left out: %s",
		    host->plan.lost[i]);
	for (unsigned int i = 0; i < host->plan.binds; i++)
		if (!host->decisions.matched[i])
			add(search, RISK_BLOCKS, "config",
			    "correct or remove the line; vfio-early list -a names all functions",
			    "bind %s: no such function", host->plan.bind[i].text);
	if (host->is_undone)
		add(search, RISK_NOTES, "config", COMMAND_APPLY,
		    "vfio-early undo was the last word: the next boot binds nothing");
	else if (!host->plan.binds && !host->plan.losts)
		add(search, RISK_NOTES, "config", "vfio-early add ADDRESS",
		    "no bind line: the next boot binds nothing");
	if (cmdline_find(host->cmdline, "vfio_early", "off", NULL))
		add(search, RISK_WARNS, "/proc/cmdline",
		    "take it out of the boot loader's config, if it is there",
		    "vfio_early=off: this boot was told to bind nothing");
	if (cmdline_find(host->cmdline, "vfio_early", "dry-run", NULL))
		add(search, RISK_WARNS, "/proc/cmdline",
		    "take it out of the boot loader's config, if it is there",
		    "vfio_early=dry-run: this boot was told to bind nothing");
	for (size_t i = 0; i < host->notes; i++)
		add(search, strncmp(host->note[i], "no protect", 10) ? RISK_NOTES : RISK_WARNS,
		    "protect", "", "%s", host->note[i]);
}

/* --- the machine */

static bool is_unsafe_allowed(const struct search *search)
{
	char text[8];

	if (sysfs_read(search->host->root.fd, PATH_UNSAFE, text, sizeof(text)) > 0 && *text == 'Y')
		return true;
	for (size_t i = 0; i < search->recipes.count; i++)
		if (search->recipes.list[i].kind == RECIPE_UNSAFE)
			return true;
	return false;
}

/* Cuts "what: fix" in two; without the colon all of it is "what". */
static const char *cut(char *text, const char *apart)
{
	char *pos = strstr(text, apart);

	if (!pos)
		return "";
	*pos = '\0';
	return pos + strlen(apart);
}

static void add_iommu(struct search *search)
{
	const struct iommu *iommu = &search->host->iommu;
	char text[512], fix[512];

	if (!search->host->plan.binds)
		return;
	if (iommu->state != IOMMU_ON) {
		host_iommu(search->host, text, sizeof(text), fix, sizeof(fix));
		/* "IOMMU off in the kernel (...)": what it is about is said already. */
		add(search, RISK_BLOCKS, "IOMMU", fix, "%s",
		    strncmp(text, "IOMMU ", 6) ? text : text + 6);
		return;
	}
	if (iommu->has_remapping || !iommu_wants_remapping(iommu))
		return;
	if (is_unsafe_allowed(search))
		add(search, RISK_WARNS, "IOMMU",
		    "switch on x2APIC in the firmware; if it has none, trust all VMs",
		    "no interrupt remapping, but allow_unsafe_interrupts: a VM may raise any "
		    "interrupt of this host");
	else
		add(search, RISK_BLOCKS, "IOMMU", "switch on x2APIC in the firmware",
		    "no interrupt remapping: VMs are refused every device");
}

static void add_rmrr(struct search *search, struct host_function *fn)
{
	const struct host *host = search->host;
	int group = host_group(host, fn);
	char region[64], about[32];

	/* Once for each group: by the first function of it. */
	for (const struct host_function *other = host->fn; other < fn; other++)
		if (is_taken(search, other) && host->table.fn[other->place].group == group)
			return;
	if (!host_has_rmrr(search->host, group, region, sizeof(region)))
		return;
	snprintf(about, sizeof(about), "group %d", group);
	add(search, RISK_BLOCKS, about,
	    "look in the firmware for what keeps this device mapped (iLO, USB emulation, shared "
	    "memory), or use another",
	    "the firmware keeps memory mapped for it (RMRR %s): the kernel gives it to no VM",
	    region);
}

/* --- functions */

static const char *refusal_fix(enum reason reason)
{
	switch (reason) {
	case REASON_EXCEPT:
	case REASON_BOOT_VGA:
		return "none is needed: the config says so";
	case REASON_ID_CHANGED:
		return "vfio-early remove the old address, vfio-early add the new one";
	case REASON_PROTECTED:
		return "take it out of the config; only if you know better, write bind!";
	case REASON_GROUP:
		return "name that one too, or set group claim";
	case REASON_GROUP_CLAIM:
		return "put the card into another slot, or move what is in its way";
	default:
		return "";
	}
}

static void add_refusal(struct search *search, const struct host_function *fn, const char *about)
{
	const struct verdict *verdict = &search->host->decisions.verdict[fn->place];
	enum risk_level level = RISK_BLOCKS;
	const char *fix = refusal_fix(verdict->reason);
	char why[512];

	/* The machine's, not the function's: said by add_iommu(). */
	if (verdict->reason == REASON_NO_IOMMU)
		return;
	host_why(search->host, fn, why, sizeof(why));
	if (verdict->reason == REASON_EXCEPT || verdict->reason == REASON_BOOT_VGA)
		level = RISK_NOTES;
	else if (verdict->reason == REASON_NO_GROUP)
		fix = cut(why, ": ");
	else if (verdict->reason == REASON_BRIDGE || verdict->reason == REASON_VFS)
		fix = cut(why, "; ");
	add(search, level, about, fix, "%s: %s",
	    verdict->decision == DECIDE_HOLD ? "held without a driver" : "refused", why);
}

static void add_crowding(struct search *search, const struct host_function *fn, const char *about)
{
	const char *fix = "name it too, or set group claim; or move the card to another slot";
	int group = search->host->table.fn[fn->place].group;
	const char *needed = host_protect(search->host, fn);

	if (needed)
		fix = "move the card, or this device, to another slot";
	if (host_is_viable_driver(fn->pci.driver) && !needed)
		add(search, RISK_WARNS, about, fix,
		    "shares group %d with what is bound, and is not: no VM gets those once a "
		    "driver takes this",
		    group);
	else
		add(search, RISK_BLOCKS, about, fix,
		    "shares group %d with what is bound, and stays with %s%s%s%s: no VM gets those",
		    group, *fn->pci.driver ? fn->pci.driver : "the host", needed ? " (" : "",
		    needed ? needed : "", needed ? ")" : "");
}

/* Is it alone in what a reset of its bus would hit? "Alone" when all others are taken too. */
static const struct host_function *find_bus_mate(const struct search *search,
						 const struct host_function *fn, bool taken)
{
	const struct host *host = search->host;

	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *other = &host->fn[i];

		if (other != fn && other->pci.addr.domain == fn->pci.addr.domain &&
		    other->pci.addr.bus == fn->pci.addr.bus && is_taken(search, other) == taken)
			return other;
	}
	return NULL;
}

static bool is_first_without_reset(const struct search *search, const struct host_function *fn)
{
	const struct host *host = search->host;
	char text[128];

	for (const struct host_function *other = host->fn; other < fn; other++)
		if (other->pci.addr.domain == fn->pci.addr.domain &&
		    other->pci.addr.bus == fn->pci.addr.bus && is_taken(search, other) &&
		    !*host_attribute(host, other, "reset_method", text, sizeof(text)))
			return false;
	return true;
}

/*
 * Without a method of its own a function can still be reset with its bus, by a VMM that has all of
 * the bus (drivers/vfio/pci/vfio_pci_core.c, VFIO_DEVICE_PCI_HOT_RESET); the root bus cannot be.
 */
static void add_reset(struct search *search, const struct host_function *fn, const char *about)
{
	const struct host_function *mate;
	char path[SYSFS_PATH_MAX], text[128], addr[PCI_ADDRESS_SIZE];

	if (!search->knows_resets ||
	    *host_attribute(search->host, fn, "reset_method", text, sizeof(text)))
		return;
	if (pci_path(search->host->root.fd, &fn->pci.addr, path, sizeof(path)) ||
	    !strchr(path, '/')) {
		add(search, RISK_WARNS, about, "reboot the host between two uses",
		    "no reset method: a second VM, or a second start, may find it unusable");
		return;
	}
	mate = find_bus_mate(search, fn, false);
	if (mate) {
		add(search, RISK_WARNS, about, "bind that one too, and give both to one VM",
		    "can be reset only with %s, which stays with the host",
		    pci_address_format(&mate->pci.addr, addr));
		return;
	}
	if (find_bus_mate(search, fn, true) && is_first_without_reset(search, fn))
		add(search, RISK_NOTES, about, "give all functions of the bus to one VM",
		    "can be reset only with all else on its bus");
}

static void add_screen(struct search *search, const struct host_function *fn, const char *about)
{
	const struct pci_function *facts = &search->host->table.fn[fn->place];

	if (facts->boot_vga || facts->framebuffer == PCI_FB_EFIFB ||
	    facts->framebuffer == PCI_FB_TAKEN)
		add(search, RISK_WARNS, about,
		    "have another way in (SSH, serial), or set boot-vga keep",
		    "shows the console: the screen goes dark at the next boot, the boot goes on");
	if (facts->framebuffer == PCI_FB_SIMPLE && !pci_is_vga(facts))
		add(search, RISK_BLOCKS, about,
		    "add kernel parameter initcall_blacklist=sysfb_init",
		    "holds the boot framebuffer, which nothing but the kernel can release: no VM "
		    "can use it");
}

/* mlx5-vfio-pci and its like say "vfio_pci:..." in their aliases (drivers/vfio/pci). */
static void add_variants(struct search *search, const struct host_function *fn, const char *about)
{
	struct kmod_list *list = NULL, *item;
	char text[160], alias[192];

	host_attribute(search->host, fn, "modalias", text, sizeof(text));
	if (!search->kmod || strncmp(text, "pci:", 4))
		return;
	snprintf(alias, sizeof(alias), "vfio_%s", text);
	if (kmod_module_new_from_lookup(search->kmod, alias, &list))
		return;
	kmod_list_foreach(item, list)
	{
		struct kmod_module *module = kmod_module_get_module(item);
		const char *name = kmod_module_get_name(module);

		if (strcmp(name, "vfio_pci"))
			add(search, RISK_NOTES, about,
			    "only if a VM is to be migrated with it, keep it out of this config "
			    "and bind it to that driver",
			    "this kernel has a vfio driver of its own for it: %s", name);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
}

/* A virtual function is there only once the driver of its physical one has made it. */
static void add_virtual(struct search *search, const char *about, const char *physfn)
{
	struct pci_address addr;

	if (!pci_address_parse(physfn, &addr) && is_taken(search, host_find(search->host, &addr)))
		add(search, RISK_BLOCKS, about, "bind only one of the two",
		    "a virtual function of %s, which is bound too and then makes none", physfn);
	else
		add(search, RISK_NOTES, about, "",
		    "a virtual function of %s: bound when that one's driver makes it, after the "
		    "early boot",
		    physfn);
}

/*
 * What carries the default route is protected; any other address may be the one that the
 * administrator comes in by (a management network without a gateway).
 */
static void add_address(struct search *search, const struct host_function *fn, const char *about)
{
	for (size_t i = 0; i < search->addressed.count; i++)
		if (pci_address_equal(&search->addressed.list[i].addr, &fn->pci.addr))
			add(search, RISK_WARNS, about,
			    "give the address to another interface, or have another way in",
			    "%s: this host has it no more after the next boot",
			    search->addressed.list[i].reason);
}

static void add_taken(struct search *search, struct host_function *fn, const char *about)
{
	const struct verdict *verdict = &search->host->decisions.verdict[fn->place];
	char text[160];

	if (decide_is_forced(verdict))
		add(search, RISK_WARNS, about, "write bind without the exclamation mark",
		    "%s (protect), overridden by bind!: this host may not come up without it",
		    search->host->plan.protect[verdict->protect].reason);
	else
		add_address(search, fn, about);
	add_rmrr(search, fn);
	add_variants(search, fn, about);
	/* Each has a reset of its own (PCIe base specification, "FLR": required of them). */
	if (*host_link(search->host, fn, "physfn", text, sizeof(text))) {
		add_virtual(search, about, text);
		return;
	}
	add_screen(search, fn, about);
	add_reset(search, fn, about);

	host_attribute(search->host, fn, "sriov_numvfs", text, sizeof(text));
	if (*text && strcmp(text, "0"))
		add(search, RISK_WARNS, about,
		    "bind the virtual functions instead, if it is they that the VMs are to get",
		    "has %s virtual functions now; on vfio-pci it has none", text);
}

static void add_functions(struct search *search)
{
	const struct host *host = search->host;

	for (size_t i = 0; i < host->count; i++) {
		struct host_function *fn = &host->fn[i];
		const struct verdict *verdict;
		char about[PCI_ADDRESS_SIZE];

		if (fn->place == DECIDE_NO_INDEX)
			continue;
		verdict = &host->decisions.verdict[fn->place];
		pci_address_format(&fn->pci.addr, about);
		if (verdict->decision == DECIDE_REFUSE || verdict->decision == DECIDE_HOLD)
			add_refusal(search, fn, about);
		if (verdict->crowds)
			add_crowding(search, fn, about);
		if (verdict->decision == DECIDE_BIND || verdict->decision == DECIDE_KEEP)
			add_taken(search, fn, about);
	}
}

/* --- old recipes */

static enum risk_level recipe_level(const struct search *search, const struct recipe *recipe)
{
	struct pci_address addr;

	/* driverctl's other driver only matters for what the config names. */
	if (recipe->kind == RECIPE_DRIVERCTL && recipe->harm == RECIPE_FIGHTS &&
	    (pci_address_parse(recipe->address, &addr) ||
	     !is_taken(search, host_find(search->host, &addr))))
		return RISK_NOTES;
	switch (recipe->harm) {
	case RECIPE_FIGHTS:
		return RISK_BLOCKS;
	case RECIPE_RISKY:
		return RISK_WARNS;
	case RECIPE_NEEDLESS:
	case RECIPE_HARMLESS:
		break;
	}
	return RISK_NOTES;
}

static void add_recipes(struct search *search)
{
	for (size_t i = 0; i < search->recipes.count; i++) {
		const struct recipe *recipe = &search->recipes.list[i];
		char about[PATH_MAX];

		if (recipe->line)
			snprintf(about, sizeof(about), "%s:%u", recipe->file, recipe->line);
		else
			snprintf(about, sizeof(about), "%s", recipe->file);
		add(search, recipe_level(search, recipe), about, recipe_fix(recipe), "%s: %s",
		    recipe->text, recipe_why(recipe));
	}
}

/* --- the whole */

static bool has_resets(const struct host *host)
{
	char text[128];

	for (size_t i = 0; i < host->count; i++)
		if (*host_attribute(host, &host->fn[i], "reset_method", text, sizeof(text)))
			return true;
	return false;
}

/* Without modprobe.d: it is aliases of the kernel's own that are looked for. */
static struct kmod_ctx *open_kmod(const struct host *host, const char *kernel)
{
	static const char *const no_config[] = { NULL };
	struct kmod_ctx *kmod = NULL;
	char *dir;

	if (!modules_dir(&host->root, kernel, &dir)) {
		kmod = kmod_new(dir, no_config);
		if (kmod)
			kmod_set_log_priority(kmod, 0);
	}
	free(dir);
	return kmod;
}

/* Stable, as qsort() is not: within a level the order in which they were found stays. */
static void sort(struct risks *risks)
{
	for (size_t i = 1; i < risks->count; i++) {
		struct risk item = risks->list[i];
		size_t at = i;

		for (; at && risks->list[at - 1].level > item.level; at--)
			risks->list[at] = risks->list[at - 1];
		risks->list[at] = item;
	}
}

int risks_collect(struct host *host, const char *kernel, struct risks *risks)
{
	struct search search = { .host = host, .risks = risks };
	int ret;

	*risks = (struct risks){ 0 };
	ret = recipes_find(&host->root, &search.recipes);
	if (ret)
		goto out;
	ret = protect_addresses(&host->root, &search.addressed);
	if (ret) {
		message_errno(ret, "cannot find out which devices carry an address");
		goto out;
	}
	search.knows_resets = host->table.count && has_resets(host);
	if (kernel)
		search.kmod = open_kmod(host, kernel);
	add_config(&search);
	add_iommu(&search);
	add_functions(&search);
	add_recipes(&search);
	if (risks->failed)
		ret = message_errno(-ENOMEM, "cannot name all risks");
	else
		sort(risks);
out:
	if (search.kmod)
		kmod_unref(search.kmod);
	protect_free(&search.addressed);
	recipes_free(&search.recipes);
	return ret;
}

void risks_free(struct risks *risks)
{
	for (size_t i = 0; i < risks->count; i++)
		free_risk(&risks->list[i]);
	free(risks->list);
	*risks = (struct risks){ 0 };
}

const char *risk_level_name(enum risk_level level)
{
	static const char *const names[] = { "blocks", "warns", "notes" };

	return names[level];
}

/* --- printing */

static void print_risk(const struct risk *risk, const struct output *output)
{
	static const enum output_mark marks[] = { OUTPUT_BAD, OUTPUT_WARN, OUTPUT_DIM };
	enum output_mark mark = marks[risk->level];
	char *text;

	printf("%s%-7s%s ", output_on(output, mark), risk_level_name(risk->level),
	       output_off(output, mark));
	if (asprintf(&text, "%s: %s", risk->about, risk->what) >= 0) {
		output_fold(output, 8, text);
		free(text);
	}
	if (*risk->fix) {
		printf("%8sfix: ", "");
		output_fold(output, 13, risk->fix);
	}
}

void risks_print(const struct risks *risks, enum risk_level least, const struct output *output)
{
	for (size_t i = 0; i < risks->count; i++)
		if (risks->list[i].level <= least)
			print_risk(&risks->list[i], output);
}
