// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual functions: what comes of the vfs lines at the next boot, and of bind vf: lines; see findings.h. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "early/pci.h"
#include "findings/find.h"
#include "findings/vfs_makers.h"
#include "host/next_boot.h"

/* Which function of today a selector means, or NULL after saying why it is none. @line: that it stands in */
static const struct host_function *find_physical(struct search *search, const struct selector *sel,
						 const struct find_line *line)
{
	const struct host *host = search->host;
	struct selector today = *sel;
	const struct host_function *fn;
	struct pci_function pf;
	enum selector_result result;

	/* Of the function itself. */
	today.kind = SELECTOR_ADDRESS;
	fn = pci_resolve(host->root.fd, &today) ? NULL : host_find(host, &today.addr);
	if (!fn) {
		finding_add(search->findings, FINDING_VFS_ABSENT, line->where, line->text, NULL);
		return NULL;
	}
	pf = fn->pci;
	pf.has_place = !pci_read_place(host->root.fd, &pf.addr, &pf.place);
	result = pci_match(&today, &pf);
	if (result != SELECTOR_MATCHES) {
		finding_add(search->findings, FINDING_VFS_MOVED, line->where, line->text, NULL);
		return NULL;
	}
	return fn;
}

/* Of one function, who else makes some. */
struct rivals {
	struct search *search;
	const struct host_function *fn;
};

static void add_rival(const struct vfs_maker *maker, void *arg)
{
	const struct rivals *rivals = arg;
	char addr[PCI_ADDRESS_SIZE], where[PATH_MAX + 16];

	if (maker->is_unread || maker->idle || maker->is_overwritten ||
	    !vfs_maker_is_of(maker, rivals->fn))
		return;
	/* A module's max_vfs=0 is its default; in sysfs a 0 removes those that are there. */
	if (!maker->number && maker->driver)
		return;
	snprintf(where, sizeof(where), "%s:%u", maker->file, maker->line);
	finding_add(rivals->search->findings,
		    maker->number ? FINDING_VFS_ELSEWHERE : FINDING_VFS_REMOVED,
		    pci_address_format(&rivals->fn->pci.addr, addr), where, maker->text, NULL);
}

/* What does not stand in the way, and has to be known. */
static void find_beside(struct search *search, const struct host_function *fn)
{
	struct rivals rivals = { .search = search, .fn = fn };
	const char *why = host_protect(search->host, fn);
	char addr[PCI_ADDRESS_SIZE];

	if (why)
		finding_add(search->findings, FINDING_VFS_NEEDED,
			    pci_address_format(&fn->pci.addr, addr), why, NULL);
	if (vfs_makers_find(search->host, add_rival, &rivals))
		search->findings->failed = true;
}

static void find_made(struct search *search, const struct plan_vfs *vfs,
		      const struct find_line *line, const struct host_function *fn)
{
	const struct host *host = search->host;
	unsigned int most = host_number(host, fn, "sriov_totalvfs");
	char addr[PCI_ADDRESS_SIZE], wanted[16], total[16], now[16];

	pci_address_format(&fn->pci.addr, addr);
	snprintf(wanted, sizeof(wanted), "%u", vfs->number);
	snprintf(total, sizeof(total), "%u", most);
	snprintf(now, sizeof(now), "%u", host_number(host, fn, "sriov_numvfs"));
	if (!most)
		finding_add(search->findings, FINDING_VFS_NO_SRIOV, addr, NULL);
	else if (most < vfs->number)
		finding_add(search->findings, FINDING_VFS_MANY, addr, wanted, total, line->both,
			    NULL);
	else if (find_is_taken(search, fn))
		finding_add(search->findings, FINDING_VFS_OF_BOUND, addr, wanted, NULL);
	else
		finding_add(search->findings, FINDING_VFS_OK, addr, wanted, now, NULL);
}

/* Of those that there are none of today: who makes them, and does an except line name them? */
static void find_unmade(struct search *search, unsigned int bind)
{
	const struct host_function *fn;
	char addr[PCI_ADDRESS_SIZE];
	struct find_line line, other;
	int except;

	find_line(search, COMPILER_BIND, bind, &line);
	fn = find_physical(search, &search->host->plan.bind[bind].sel, &line);
	if (!fn || host_number(search->host, fn, "sriov_numvfs"))
		return;
	except = next_boot_vf_except(search->host, fn);
	if (except >= 0) {
		find_line(search, COMPILER_EXCEPT, (unsigned int)except, &other);
		finding_add(search->findings, FINDING_BIND_EXCEPTED, line.where, line.text,
			    other.both, NULL);
	}
	if (host_vfs(search->host, &fn->pci.addr))
		return;
	pci_address_format(&fn->pci.addr, addr);
	if (host_number(search->host, fn, "sriov_totalvfs"))
		finding_add(search->findings, FINDING_VFS_NONE, line.where, line.text, addr, NULL);
	else
		finding_add(search->findings, FINDING_VFS_NO_SRIOV, addr, NULL);
}

/* Does its vfs line, which comes true, not reach to it? Of the other reasons other findings tell. */
static bool is_beyond_line(const struct host *host, const struct host_function *fn)
{
	const struct host_function *pf = fn->is_not_made && host->plan.vfs ?
						 next_boot_pf(host, fn) :
						 NULL;

	return pf && host_makes_vfs(host, pf) && !next_boot_is_excepted(host, fn);
}

/* Of a line that names a whole slot: it binds one that is made, or a later one is told of. */
static bool is_told_of_other(const struct host *host, const struct host_function *fn)
{
	for (size_t i = 0; i < host->count; i++)
		if (pci_address_same_slot(&host->fn[i].pci.addr, &fn->pci.addr) &&
		    (&host->fn[i] > fn || !host->fn[i].is_not_made))
			return true;
	return false;
}

/* A bind line that names it by its place, whatever it is made of. */
static bool is_named(const struct host *host, const struct host_function *fn, unsigned int bind)
{
	struct selector sel = host->plan.bind[bind].sel;

	if (sel.kind == SELECTOR_VF || pci_resolve(host->root.fd, &sel) ||
	    selector_needs_scan(&sel))
		return false;
	if (sel.kind == SELECTOR_SLOT)
		return pci_address_same_slot(&sel.addr, &fn->pci.addr) &&
		       !is_told_of_other(host, fn);
	return pci_address_equal(&sel.addr, &fn->pci.addr);
}

static void find_beyond_line(struct search *search, const struct host_function *fn)
{
	const struct host *host = search->host;
	char addr[PCI_ADDRESS_SIZE], why[512], fix[NEXT_BOOT_FIX_SIZE];
	struct find_line line;

	if (!is_beyond_line(host, fn))
		return;
	for (unsigned int i = 0; i < host->plan.binds; i++) {
		if (!is_named(host, fn, i))
			continue;
		next_boot_why(host, fn, why, sizeof(why), fix, sizeof(fix));
		finding_add(search->findings, FINDING_VF_NOT_MADE,
			    pci_address_format(&fn->pci.addr, addr),
			    find_line(search, COMPILER_BIND, i, &line)->both, fix, NULL);
		return;
	}
}

void find_vfs(struct search *search)
{
	const struct host *host = search->host;
	const struct plan *plan = &host->plan;

	for (unsigned int i = 0; i < plan->vfs; i++) {
		const struct host_function *fn;
		struct find_line line;

		find_line(search, COMPILER_VFS, i, &line);
		fn = find_physical(search, &plan->vf[i].sel, &line);
		if (!fn || host_vfs(host, &fn->pci.addr) != &plan->vf[i])
			continue;
		find_made(search, &plan->vf[i], &line, fn);
		find_beside(search, fn);
	}
	for (unsigned int i = 0; i < plan->binds; i++)
		if (plan->bind[i].sel.kind == SELECTOR_VF && !host->decisions.matched[i])
			find_unmade(search, i);
	for (size_t i = 0; i < host->count; i++)
		find_beyond_line(search, &host->fn[i]);
}
