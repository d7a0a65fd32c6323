// SPDX-License-Identifier: GPL-2.0-or-later
/* What a function is refused for, and what a bound one costs the host or its VM; see findings.h. */
#include <stdio.h>
#include <string.h>

#include "findings/find.h"
#include "host/next_boot.h"

/* --- refusals: the boot half's own codes and words */

void find_refusals(struct search *search)
{
	const struct host *host = search->host;

	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];
		enum host_next next = host_next(host, fn);
		struct finding_words words = {
			.topic = "config",
			.stage = FINDING_STAGE_CONFIG,
			.level = FINDING_BLOCKS,
		};
		char about[PCI_ADDRESS_SIZE], text[640], why[512];
		char fix[NEXT_BOOT_FIX_SIZE];
		enum reason reason;

		if (next != HOST_NEXT_REFUSED && next != HOST_NEXT_HELD)
			continue;
		reason = host->decisions.verdict[fn->place].reason;
		/* About the machine, not the function: find_machine() reports it. */
		if (reason == REASON_NO_IOMMU)
			continue;
		/* These two are what the administrator asked for. */
		if (reason == REASON_EXCEPT || reason == REASON_BOOT_VGA)
			words.level = FINDING_NOTES;
		next_boot_why(host, fn, why, sizeof(why), fix, sizeof(fix));
		snprintf(text, sizeof(text), "%s: %s",
			 next == HOST_NEXT_HELD ? "held without a driver" : "refused", why);
		words.code = next_boot_code(host, fn);
		words.text = text;
		words.fix = fix;
		finding_add_words(search->findings, &words,
				  pci_address_format(&fn->pci.addr, about));
	}
}

/* --- what is bound */

/*
 * Is it alone on its bus, so that a reset of the bus hits nothing else? Yes if all others are taken
 * too.
 */
static const struct host_function *find_bus_mate(const struct search *search,
						 const struct host_function *fn, bool taken)
{
	const struct host *host = search->host;

	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *other = &host->fn[i];

		if (other != fn && other->pci.addr.domain == fn->pci.addr.domain &&
		    other->pci.addr.bus == fn->pci.addr.bus &&
		    find_is_taken(search, other) == taken)
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
		    other->pci.addr.bus == fn->pci.addr.bus && find_is_taken(search, other) &&
		    !*host_attribute(host, other, "reset_method", text, sizeof(text)))
			return false;
	return true;
}

/*
 * Without a method of its own a function can still be reset with its bus, by a VMM that has all of
 * the bus (drivers/vfio/pci/vfio_pci_core.c, VFIO_DEVICE_PCI_HOT_RESET); the root bus cannot be.
 */
static void find_reset(const struct search *search, const struct host_function *fn,
		       const char *about)
{
	const struct host_function *mate;
	char path[SYSFS_PATH_MAX], text[128], addr[PCI_ADDRESS_SIZE], fix[96];
	bool can_bind;

	if (!search->knows_resets ||
	    *host_attribute(search->host, fn, "reset_method", text, sizeof(text)))
		return;
	if (pci_path(search->host->root.fd, &fn->pci.addr, path, sizeof(path)) ||
	    !strchr(path, '/')) {
		finding_add(search->findings, FINDING_RESET_NONE, about, NULL);
		return;
	}
	mate = find_bus_mate(search, fn, false);
	if (mate) {
		can_bind = !pci_is_bridge(&mate->pci) && !host_protect(search->host, mate);
		pci_address_format(&mate->pci.addr, addr);
		snprintf(fix, sizeof(fix), "vfio-early add --only %s, and give both to one VM",
			 addr);
		finding_add(search->findings, FINDING_RESET_MATE, about, addr,
			    can_bind ? fix : "reboot the host between two uses", NULL);
		return;
	}
	if (find_bus_mate(search, fn, true) && is_first_without_reset(search, fn))
		finding_add(search->findings, FINDING_RESET_BUS, about, NULL);
}

/*
 * Is there a card that the firmware booted with, and that stays with the host? Then its framebuffer
 * exists at the next boot, whatever drives it now.
 */
static bool has_other_screen(const struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];

		if (host_next(host, fn) != HOST_NEXT_VFIO && host_is_boot_vga(host, fn))
			return true;
	}
	return pci_has_framebuffer(host->root.fd);
}

static void find_screen(const struct search *search, const struct host_function *fn,
			const char *about)
{
	const struct pci_function *facts = &search->host->table.fn[fn->place];

	if (facts->boot_vga || facts->framebuffer == PCI_FB_EFIFB ||
	    facts->framebuffer == PCI_FB_TAKEN)
		finding_add(search->findings, FINDING_SCREEN, about, NULL);
	if (facts->framebuffer == PCI_FB_SIMPLE && !pci_is_vga(facts))
		finding_add(search->findings, FINDING_FRAMEBUFFER, about, NULL);
	if (!facts->boot_vga && facts->framebuffer == PCI_FB_NONE && pci_is_vga(facts) &&
	    pci_kernel_evicts_all(search->kernel) && has_other_screen(search->host))
		finding_add(search->findings, FINDING_SCREEN_OF_ALL, about, search->kernel, NULL);
}

/* mlx5-vfio-pci and similar drivers have "vfio_pci:..." in their aliases (drivers/vfio/pci). */
static void find_variants(const struct search *search, const struct host_function *fn,
			  const char *about)
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
			finding_add(search->findings, FINDING_VARIANT, about, name, NULL);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
}

/* A virtual function exists only after the driver of its physical one has created it. */
static void find_virtual(const struct search *search, const struct host_function *fn,
			 const char *about, const char *physfn)
{
	finding_add(search->findings,
		    host_is_nvidia_vf(search->host, fn) ? FINDING_VF_OF_NVIDIA : FINDING_VF_LATE,
		    about, physfn, NULL);
}

/* Named itself, and its physical function too? */
static void find_not_made(const struct search *search, const struct host_function *fn,
			  const char *about)
{
	const struct verdict *verdict = &search->host->decisions.verdict[fn->place];
	char physfn[64];
	struct pci_address addr;

	host_link(search->host, fn, "physfn", physfn, sizeof(physfn));
	if (verdict->bind != DECIDE_NO_INDEX && decide_is_taken(verdict) &&
	    !pci_address_parse(physfn, &addr) &&
	    find_is_taken(search, host_find(search->host, &addr)))
		finding_add(search->findings, FINDING_VF_OF_BOUND, about, physfn, NULL);
}

/* What a boot needs is protected; other file systems, pools or volumes may still be on it. */
static void find_used(const struct search *search, const struct host_function *fn,
		      const char *about)
{
	for (size_t i = 0; i < search->used.count; i++)
		if (pci_address_equal(&search->used.list[i].addr, &fn->pci.addr))
			finding_add(search->findings, FINDING_DISK, about,
				    search->used.list[i].reason, NULL);
}

/*
 * What carries the default route is protected; the administrator may come in by any other address
 * (a management network without a gateway).
 */
static void find_address(const struct search *search, const struct host_function *fn,
			 const char *about)
{
	for (size_t i = 0; i < search->addressed.count; i++)
		if (pci_address_equal(&search->addressed.list[i].addr, &fn->pci.addr))
			finding_add(search->findings, FINDING_ADDRESS, about,
				    search->addressed.list[i].reason, NULL);
}

/*
 * Only the slot distinguishes two devices of one model: if they are exchanged, the host's own is
 * given away. A physical function and its virtual ones never have the same ID (SR-IOV
 * specification, "VF Device ID").
 */
static void find_twin(const struct search *search, const struct host_function *fn,
		      const char *about)
{
	const struct plan *plan = &search->host->plan;

	for (unsigned int i = 0; i < plan->protects; i++) {
		const struct plan_protect *protect = &plan->protect[i];
		char addr[PCI_ADDRESS_SIZE];

		if (pci_address_same_slot(&protect->addr, &fn->pci.addr) ||
		    !pci_id_matches(&protect->id, &fn->pci.id))
			continue;
		finding_add(search->findings, FINDING_TWIN, about,
			    pci_address_format(&protect->addr, addr), protect->reason, NULL);
		return;
	}
}

static void find_in_bound(const struct search *search, const struct host_function *fn,
			  const char *about)
{
	const struct host *host = search->host;
	const struct verdict *verdict = &host->decisions.verdict[fn->place];
	char text[160];

	if (decide_is_forced(verdict)) {
		finding_add(search->findings, FINDING_FORCED, about,
			    host->plan.protect[verdict->protect].reason, NULL);
	} else {
		find_address(search, fn, about);
		find_used(search, fn, about);
		find_twin(search, fn, about);
	}
	find_variants(search, fn, about);
	/* Each has a reset of its own (PCIe base specification, "FLR": required of them). */
	if (*host_link(host, fn, "physfn", text, sizeof(text))) {
		find_virtual(search, fn, about, text);
		return;
	}
	find_screen(search, fn, about);
	find_reset(search, fn, about);

	host_attribute(host, fn, "sriov_numvfs", text, sizeof(text));
	if (*text && strcmp(text, "0"))
		finding_add(search->findings, FINDING_VFS_LOST, about, text, NULL);
}

void find_devices(struct search *search)
{
	const struct host *host = search->host;

	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];
		char about[PCI_ADDRESS_SIZE];
		size_t from;

		pci_address_format(&fn->pci.addr, about);
		from = search->findings->count;
		if (host_next(host, fn) == HOST_NEXT_VFIO)
			find_in_bound(search, fn, about);
		else if (host_next(host, fn) == HOST_NEXT_NOT_MADE && fn->place != DECIDE_NO_INDEX)
			find_not_made(search, fn, about);
		else
			continue;
		find_concern(search, from, host->table.fn[fn->place].group);
	}
}
