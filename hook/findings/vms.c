// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VMs of a Proxmox VE host: what the start of each takes from this host, and why one would not start.
 * Those that start with the host come first. See findings.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/find.h"
#include "host/naming.h"
#include "host/next_boot.h"
#include "plan/facts.h"
#include "plan/plan.h"

/* A list in words, of any length: "0000:04:00.0 from r8169, ..." */
struct list {
	FILE *out; /* into text, which is of use from list_end() on */
	char *text;
	size_t size;
	unsigned int count;
};

__attribute__((format(printf, 2, 3))) static void add_word(struct list *list, const char *fmt, ...)
{
	va_list args;

	if (!list->out)
		list->out = open_memstream(&list->text, &list->size);
	if (!list->out)
		return;
	va_start(args, fmt);
	vfprintf(list->out, fmt, args);
	va_end(args);
}

/* The text, for free(); NULL when memory ran out, which is then in the findings. */
static char *end_list(struct search *search, struct list *list)
{
	if (!list->out)
		add_word(list, "%s", "");
	if (list->out && !fclose(list->out) && list->text)
		return list->text;
	free(list->text);
	search->findings->failed = true;
	return NULL;
}

static const char *comma(struct list *list)
{
	return list->count++ ? ", " : "";
}

/* "VM 100", and its entry: "hostpci0 (0000:01:00, pending)" */
static void name_vm(const struct pve_config *vm, char *buf, size_t size)
{
	snprintf(buf, size, "%s %u", vm->is_container ? "container" : "VM", vm->id);
}

static void name_key(const struct pve_entry *entry, char *buf, size_t size)
{
	if (entry->is_args)
		snprintf(buf, size, "args");
	else
		snprintf(buf, size, "hostpci%u", entry->number);
}

static void name_entry(const struct pve_entry *entry, char *buf, size_t size)
{
	char key[24];

	name_key(entry, key, sizeof(key));
	snprintf(buf, size, "%s (%.60s%s%s)%s", key, entry->value,
		 strlen(entry->value) > 60 ? "..." : "", entry->is_pending ? ", pending" : "",
		 pve_starts_with_host(entry->vm) ? ", starts with the host" : "");
}

static void name_delete(const struct pve_entry *entry, char *buf, size_t size)
{
	if (entry->is_args)
		snprintf(buf, size, "remove vfio-pci from args (qm config %u)", entry->vm->id);
	else
		snprintf(buf, size, "qm set %u --delete hostpci%u", entry->vm->id, entry->number);
}

static bool is_template(const struct pve_entry *entry)
{
	return pve_is_true(pve_config_get(entry->vm, "template"));
}

static int group_of(const struct search *search, const struct pve_entry *entry)
{
	for (size_t i = 0; i < search->host->count; i++)
		if (entry->flags[i] & PVE_NAMED)
			return search->host->fn[i].pci.group;
	return -1;
}

/* --- what a start takes */

static const char *used_for(const struct protect_facts *facts, const struct pci_address *addr)
{
	for (size_t i = 0; i < facts->count; i++)
		if (pci_address_equal(&facts->list[i].addr, addr))
			return facts->list[i].reason;
	return NULL;
}

/* May the administrator bind it beforehand, with its card, so that the start takes nothing? */
static bool can_be_added(const struct search *search, const struct host_function *fn)
{
	const struct host *host = search->host;

	if (pci_is_bridge(&fn->pci) || host_next(host, fn) == HOST_NEXT_REFUSED)
		return false;
	/* No VM could have it. */
	if (next_boot_bridge(search->host, fn->pci.group))
		return false;
	/* Its virtual functions would be gone. */
	if (host_number(host, fn, "sriov_numvfs"))
		return false;
	for (size_t i = 0; i < host->count; i++)
		if (pci_address_same_slot(&host->fn[i].pci.addr, &fn->pci.addr) &&
		    host->fn[i].pci.group == fn->pci.group &&
		    next_boot_is_excepted(search->host, &host->fn[i]))
			return false;
	return true;
}

/* The losses of one start, those that the host needs apart from the others. */
struct losses {
	struct list needed, others;
	struct list add;		   /* what vfio-early add has to name */
	const struct host_function *added; /* the last of that */
	bool can_add;
	bool has_mates;	      /* of the others: one that the VM does not get */
	bool has_needed_mate; /* of the needed ones */
};

/*
 * Why this host needs it: as the plan says, or, where that could not be found out, for what it is (as in
 * early/decide.c).
 */
static const char *needed_for(const struct search *search, const struct host_function *fn)
{
	const char *needed = host_protect(search->host, fn);

	if (needed || !search->host->plan.facts_unknown)
		return needed;
	if (fn->pci.class >> 16 == 0x02 || decide_may_hold_root(&fn->pci))
		return "what this host needs is not known";
	return NULL;
}

static void add_other(const struct search *search, const struct pve_entry *entry, size_t at,
		      struct losses *losses)
{
	const struct host_function *fn = &search->host->fn[at];
	const char *used = used_for(&search->addressed, &fn->pci.addr), *before = NULL;
	char addr[PCI_ADDRESS_SIZE];

	pci_address_format(&fn->pci.addr, addr);
	if (!used)
		used = used_for(&search->used, &fn->pci.addr);
	if (!*fn->pci.driver && !used)
		return;
	add_word(&losses->others, "%s%s from ", comma(&losses->others), addr);
	if (pci_is_with_vfio(&fn->pci)) {
		before = used_for(&search->before, &fn->pci.addr);
		add_word(&losses->others,
			 "its driver (%s has it now, but no bind line names it%s%s%s)",
			 fn->pci.driver, before ? "; when the last image was made: " : "",
			 before ? before : "", "");
	} else {
		add_word(&losses->others, "%s", *fn->pci.driver ? fn->pci.driver : "no driver");
	}
	if (used)
		add_word(&losses->others, " (%s)", used);
	losses->can_add &= can_be_added(search, fn);
	losses->has_mates |= !(entry->flags[at] & PVE_NAMED);
	/* The card is added with each of its functions. */
	if (!losses->added || !pci_address_same_slot(&losses->added->pci.addr, &fn->pci.addr) ||
	    losses->added->pci.group != fn->pci.group)
		add_word(&losses->add, " %s", addr);
	losses->added = fn;
}

static void add_loss(const struct search *search, const struct pve_entry *entry, size_t at,
		     struct losses *losses)
{
	const struct host_function *fn = &search->host->fn[at];
	const char *needed = needed_for(search, fn);
	char addr[PCI_ADDRESS_SIZE];

	if (!needed) {
		add_other(search, entry, at, losses);
		return;
	}
	losses->has_needed_mate |= !(entry->flags[at] & PVE_NAMED);
	add_word(&losses->needed, "%s%s (%s)", comma(&losses->needed),
		 pci_address_format(&fn->pci.addr, addr), needed);
}

static void say_needed(struct search *search, const struct pve_entry *entry, struct losses *losses)
{
	char about[32], name[160], delete[64], *needed = end_list(search, &losses->needed);
	struct list list = { 0 };
	char *fix;

	name_vm(entry->vm, about, sizeof(about));
	name_entry(entry, name, sizeof(name));
	name_delete(entry, delete, sizeof(delete));
	add_word(&list, "do not start it: %s%s", delete,
		 losses->has_needed_mate ? "; to give it the device, move that to another slot" :
					   "");
	fix = end_list(search, &list);
	if (needed && fix && is_template(entry))
		finding_add(search->findings, FINDING_TEMPLATE_TAKES, about, name, needed, delete,
			    NULL);
	else if (needed && fix)
		finding_add(search->findings, FINDING_VM_TAKES_NEEDED, about, name, needed, fix,
			    NULL);
	free(needed);
	free(fix);
}

static void say_others(struct search *search, const struct pve_entry *entry, struct losses *losses,
		       bool is_needed)
{
	char about[32], name[160], delete[64], *others = end_list(search, &losses->others);
	char *add = end_list(search, &losses->add), *fix;
	struct list list = { 0 };

	name_vm(entry->vm, about, sizeof(about));
	name_entry(entry, name, sizeof(name));
	name_delete(entry, delete, sizeof(delete));
	if (!add || !losses->can_add || is_needed)
		add_word(&list, "%s", delete);
	else if (losses->has_mates)
		add_word(&list, "if this host does not need it: vfio-early add%s; else %s", add,
			 delete);
	else
		add_word(&list, "vfio-early add%s", add);
	fix = end_list(search, &list);
	if (others && fix && !is_template(entry))
		finding_add(search->findings, FINDING_VM_TAKES, about, name, others, fix, NULL);
	free(others);
	free(add);
	free(fix);
}

static void find_losses(struct search *search, const struct pve_entry *entry)
{
	struct losses losses = { .can_add = true };
	bool is_needed;

	for (size_t i = 0; i < search->host->count; i++)
		/* That it is on vfio-pci now may be the work of an earlier start. */
		if (entry->flags[i] & PVE_TAKEN &&
		    host_keeps_driver(search->host, &search->host->fn[i]))
			add_loss(search, entry, i, &losses);
	is_needed = losses.needed.count;
	if (is_needed)
		say_needed(search, entry, &losses);
	if (losses.others.count)
		say_others(search, entry, &losses, is_needed);
}

/* --- what an entry gets */

static void find_fault(struct search *search, const struct pve_entry *entry)
{
	static const enum finding_code codes[] = {
		[PVE_FAULT_GONE] = FINDING_VM_GONE,
		[PVE_FAULT_NO_MAPPING] = FINDING_VM_NO_MAPPING,
		[PVE_FAULT_CHANGED] = FINDING_VM_MAPPING_CHANGED,
		[PVE_FAULT_SYNTAX] = FINDING_VM_ENTRY_WRONG,
		[PVE_FAULT_TWICE] = FINDING_VM_ENTRY_TWICE,
		[PVE_FAULT_BRIDGE] = FINDING_VM_BRIDGE,
		[PVE_FAULT_NEEDS_Q35] = FINDING_VM_NEEDS_Q35,
		[PVE_FAULT_LEGACY] = FINDING_VM_LEGACY_IGD,
		[PVE_FAULT_KEY_TWICE] = FINDING_VM_KEY_TWICE,
		[PVE_FAULT_PROPERTY] = FINDING_VM_PROPERTY,
		[PVE_FAULT_BOTH] = FINDING_VM_ENTRY_BOTH,
		[PVE_FAULT_MDEV_MANY] = FINDING_VM_MDEV_MANY,
		[PVE_FAULT_NUMBER] = FINDING_VM_ENTRY_NUMBER,
	};
	char about[32], name[160], delete[64], number[16];

	if (entry->fault == PVE_FAULT_NONE)
		return;
	snprintf(number, sizeof(number), "%u", entry->vm->id);
	name_vm(entry->vm, about, sizeof(about));
	name_entry(entry, name, sizeof(name));
	name_delete(entry, delete, sizeof(delete));
	finding_add(search->findings, codes[entry->fault], about, name, entry->what, delete, number,
		    NULL);
}

/* An address alone is whatever stands there: a mapping would have been compared. */
static void find_other_device(struct search *search, const struct pve_entry *entry)
{
	const struct host *host = search->host;
	char about[32], name[160], addr[PCI_ADDRESS_SIZE], text[64], number[16];

	if (is_template(entry) || pve_property(entry->value, NULL, "mapping", text, sizeof(text)))
		return;
	for (size_t i = 0; i < host->count; i++) {
		const struct host_function *fn = &host->fn[i];

		if (!(entry->flags[i] & PVE_NAMED) || fn->place == DECIDE_NO_INDEX ||
		    host->decisions.verdict[fn->place].reason != REASON_ID_CHANGED)
			continue;
		name_vm(entry->vm, about, sizeof(about));
		name_entry(entry, name, sizeof(name));
		snprintf(number, sizeof(number), "%u", entry->vm->id);
		finding_add(search->findings, FINDING_VM_OTHER_DEVICE, about, name,
			    pci_address_format(&fn->pci.addr, addr), number, NULL);
		return;
	}
}

/* Of a pool, one that is there is enough. */
static void find_not_made(struct search *search, const struct pve_entry *entry)
{
	const struct host *host = search->host;
	const struct host_function *fn = NULL;
	char about[32], name[160], addr[PCI_ADDRESS_SIZE], why[512], fix[NEXT_BOOT_FIX_SIZE];

	for (size_t i = 0; i < host->count; i++) {
		if (!(entry->flags[i] & PVE_NAMED))
			continue;
		if (host_next(host, &host->fn[i]) == HOST_NEXT_NOT_MADE)
			fn = fn ? fn : &host->fn[i];
		else if (entry->is_pool)
			return;
	}
	if (!fn || is_template(entry))
		return;
	name_vm(entry->vm, about, sizeof(about));
	name_entry(entry, name, sizeof(name));
	next_boot_why(host, fn, why, sizeof(why), fix, sizeof(fix));
	finding_add(search->findings, FINDING_VM_NOT_MADE, about, name,
		    pci_address_format(&fn->pci.addr, addr), fix, NULL);
}

static void find_mdev(struct search *search, const struct pve_entry *entry)
{
	const struct host *host = search->host;
	char about[32], name[160], addr[PCI_ADDRESS_SIZE], remove[NAMING_SIZE];
	struct slot list = { 0 };

	if (!entry->is_mdev)
		return;
	for (size_t i = 0; i < host->count; i++) {
		if (!(entry->flags[i] & PVE_NAMED) ||
		    host_next(host, &host->fn[i]) == HOST_NEXT_NOT_MADE ||
		    host_keeps_driver(host, &host->fn[i]))
			continue;
		name_vm(entry->vm, about, sizeof(about));
		name_entry(entry, name, sizeof(name));
		if (!naming_add_one(host, &host->fn[i].pci.addr, &list))
			finding_add(search->findings, FINDING_VM_MDEV_LOST, about, name,
				    pci_address_format(&host->fn[i].pci.addr, addr),
				    host_next(host, &host->fn[i]) == HOST_NEXT_HELD ? "holds" :
										      "binds",
				    naming_remove(host, &list, remove), NULL);
		slot_free(&list);
		return;
	}
}

/* --- two entries */

/* A mediated device is one of many, and so is one of a pool; a VM that cannot start has none. */
static bool is_exclusive(const struct pve_entry *entry)
{
	return (!entry->is_mdev || entry->is_nvidia) && !entry->is_pool &&
	       (entry->fault == PVE_FAULT_NONE || entry->fault == PVE_FAULT_TWICE) &&
	       !is_template(entry);
}

static bool is_mapping(const struct pve_entry *entry)
{
	char text[160];

	return !entry->is_args && pve_property(entry->value, NULL, "mapping", text, sizeof(text));
}

/* Of one VM. */
static void find_twice(struct search *search, const struct pve_entry *a, const struct pve_entry *b)
{
	/* A mapping is compared with the device at each start: it is the one that stays. */
	const struct pve_entry *goes = is_mapping(b) && !is_mapping(a) ? a : b;
	char about[32], one[160], other[160], addr[PCI_ADDRESS_SIZE], delete[64];
	size_t from = search->findings->count;

	for (size_t i = 0; i < search->host->count; i++) {
		if (!(a->flags[i] & b->flags[i] & PVE_NAMED))
			continue;
		name_vm(a->vm, about, sizeof(about));
		name_entry(a, one, sizeof(one));
		name_entry(b, other, sizeof(other));
		name_delete(goes, delete, sizeof(delete));
		finding_add(search->findings, FINDING_VM_TWICE, about, one, other,
			    pci_address_format(&search->host->fn[i].pci.addr, addr), delete, NULL);
		find_concern(search, from, search->host->fn[i].pci.group);
		return;
	}
}

/* Which VMs use a function: @set, by place in pve->vm. Returns how many. */
static size_t find_users(const struct search *search, size_t at, bool *set)
{
	const struct pve *pve = &search->pve;
	size_t count = 0;

	memset(set, 0, pve->vms * sizeof(*set));
	for (size_t i = 0; i < pve->entries; i++) {
		const struct pve_entry *entry = &pve->entry[i];
		size_t vm = (size_t)(entry->vm - pve->vm);

		/* What is in one group is one device to a VM. */
		if (!is_exclusive(entry) || !(entry->flags[at] & (PVE_NAMED | PVE_TAKEN)) ||
		    set[vm])
			continue;
		set[vm] = true;
		count++;
	}
	return count;
}

static bool is_subset(const bool *set, const bool *of, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (set[i] && !of[i])
			return false;
	return true;
}

/* Those of a set, of which one can have the function; @at_start: those of them that start with the host. */
static void say_shared(struct search *search, const struct host_function *fn, const bool *set,
		       bool at_start)
{
	const struct pve *pve = &search->pve;
	struct list names = { 0 }, fix = { 0 };
	size_t left = 0, from = search->findings->count;
	char addr[PCI_ADDRESS_SIZE], *text, *fixes;

	for (size_t i = 0; i < pve->vms; i++)
		left += set[i] && (!at_start || pve_starts_with_host(&pve->vm[i]));
	for (size_t i = 0; i < pve->vms; i++) {
		if (!set[i] || (at_start && !pve_starts_with_host(&pve->vm[i])))
			continue;
		if (names.count)
			add_word(&names, left == 1 ? " and " : ", ");
		add_word(&names, "VM %u", pve->vm[i].id);
		if (names.count++)
			add_word(&fix, "%sqm set %u --onboot 0", fix.count++ ? "; " : "",
				 pve->vm[i].id);
		left--;
	}
	text = end_list(search, &names);
	fixes = end_list(search, &fix);
	if (text && fixes)
		finding_add(search->findings,
			    at_start ? FINDING_VM_SHARED_START : FINDING_VM_SHARED, "", text,
			    pci_address_format(&fn->pci.addr, addr), fixes, NULL);
	free(text);
	free(fixes);
	find_concern(search, from, fn->pci.group);
}

static void find_shared(struct search *search, size_t at, const bool *set, size_t count)
{
	const struct pve *pve = &search->pve;
	size_t starting = 0;

	for (size_t i = 0; i < pve->vms; i++)
		starting += set[i] && pve_starts_with_host(&pve->vm[i]);
	if (starting > 1)
		say_shared(search, &search->host->fn[at], set, true);
	if (starting < 2 || starting < count)
		say_shared(search, &search->host->fn[at], set, false);
}

/* Each set of VMs once, by the first function that all of them need. */
static void find_shares(struct search *search)
{
	size_t vms = search->pve.vms, said = 0, room = 0;
	bool *sets = NULL;

	for (size_t i = 0; i < search->host->count && vms; i++) {
		bool *more = said == room ? realloc(sets, (room * 2 + 1) * vms) : sets;
		size_t count, known = 0;

		if (!more) {
			search->findings->failed = true;
			break;
		}
		sets = more;
		room = said == room ? room * 2 + 1 : room;
		count = find_users(search, i, &sets[said * vms]);
		while (known < said && !is_subset(&sets[said * vms], &sets[known * vms], vms))
			known++;
		if (count < 2 || known < said)
			continue;
		find_shared(search, i, &sets[said * vms], count);
		said++;
	}
	free(sets);
}

static void find_pairs(struct search *search, const struct pve_entry *entry, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (entry[i].vm == entry[j].vm && is_exclusive(&entry[i]) &&
			    is_exclusive(&entry[j]))
				find_twice(search, &entry[i], &entry[j]);
}

void findings_collect_entries(struct host *host, const struct pve_entry *entry, size_t count,
			      struct findings *findings)
{
	struct search search = { .host = host, .findings = findings };

	for (size_t i = 0; i < count; i++) {
		find_fault(&search, &entry[i]);
		find_mdev(&search, &entry[i]);
	}
	find_pairs(&search, entry, count);
}

/* --- the whole */

static void find_unknown(struct search *search)
{
	char why[400];

	finding_add(search->findings, FINDING_VMS_UNKNOWN, "",
		    pve_why_unknown(&search->pve, why, sizeof(why)),
		    search->pve.error == -EACCES ? "run it as root" :
						   "systemctl status pve-cluster",
		    NULL);
}

static const struct protect_source *source_of(const struct search *search)
{
	return search->source ? search->source : compiler_protect(search->host->compiler);
}

void find_vms(struct search *search)
{
	const struct pve *pve = &search->pve;
	size_t before = search->findings->of_level[FINDING_BLOCKS] +
			search->findings->of_level[FINDING_WARNS];
	struct pci_address elsewhere;
	char count[48];

	if (pve->state == PVE_UNKNOWN)
		find_unknown(search);
	/* Only of use, and only looked at, where a start has taken something. */
	if (pve->entries &&
	    facts_recall(&search->host->root, source_of(search), &search->before, &elsewhere))
		search->before = (struct protect_facts){ 0 };
	for (size_t i = 0; i < pve->entries; i++) {
		const struct pve_entry *entry = &pve->entry[i];
		size_t from = search->findings->count;

		find_losses(search, entry);
		find_other_device(search, entry);
		find_fault(search, entry);
		find_not_made(search, entry);
		find_mdev(search, entry);
		find_concern(search, from, group_of(search, entry));
		for (; from < search->findings->count; from++) {
			search->findings->list[from].vm = entry->vm->id;
			search->findings->list[from].entry = entry->is_args ? -1 :
									      (int)entry->number;
		}
	}
	find_pairs(search, pve->entry, pve->entries);
	find_shares(search);
	find_containers(search);
	snprintf(count, sizeof(count), "%zu PCI device%s of VMs", pve->entries,
		 pve->entries == 1 ? "" : "s");
	if (pve->entries && before == search->findings->of_level[FINDING_BLOCKS] +
					      search->findings->of_level[FINDING_WARNS])
		finding_add(search->findings, FINDING_VMS_OK, "", count, NULL);
}
