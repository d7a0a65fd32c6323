// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VMs of a Proxmox VE host: what the start of each takes from this host, and why one would not start.
 * Those that start with the host come first. See findings.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/find.h"
#include "util/message.h"

#define LIST_SIZE 640

/* A list of functions in words: "0000:04:00.0 from r8169, ..." */
struct list {
	char text[LIST_SIZE];
	unsigned int count;
};

__attribute__((format(printf, 2, 3))) static void add_word(struct list *list, const char *fmt, ...)
{
	size_t len = strlen(list->text);
	va_list args;

	if (list->count++)
		len += (size_t)snprintf(list->text + len, sizeof(list->text) - len, ", ");
	if (len >= sizeof(list->text))
		return;
	va_start(args, fmt);
	vsnprintf(list->text + len, sizeof(list->text) - len, fmt, args);
	va_end(args);
}

/* "VM 100", and its entry: "hostpci0 (0000:01:00, pending)" */
static void name_vm(const struct pve_config *vm, char *buf, size_t size)
{
	snprintf(buf, size, "%s %u", vm->is_container ? "container" : "VM", vm->id);
}

static void name_entry(const struct pve_entry *entry, char *buf, size_t size)
{
	snprintf(buf, size, "hostpci%u (%.60s%s)%s", entry->number, entry->value,
		 entry->is_pending ? ", pending" : "",
		 pve_starts_with_host(entry->vm) ? ", starts with the host" : "");
}

static void name_delete(const struct pve_entry *entry, char *buf, size_t size)
{
	snprintf(buf, size, "qm set %u --delete hostpci%u", entry->vm->id, entry->number);
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

/* Is it the host's at the next boot, so that a start takes it from there? */
static bool is_of_host(const struct search *search, const struct host_function *fn)
{
	enum host_next next = host_next(search->host, fn);

	return next != HOST_NEXT_VFIO && next != HOST_NEXT_HELD && !pci_is_with_vfio(&fn->pci);
}

/* May the administrator bind it beforehand, so that the start takes nothing? */
static bool can_be_added(const struct search *search, const struct host_function *fn)
{
	return !pci_is_bridge(&fn->pci) && host_next(search->host, fn) != HOST_NEXT_REFUSED;
}

/* The losses of one start, those that the host needs apart from the others. */
struct losses {
	struct list needed, others;
	bool can_add, has_mates;
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

static void add_loss(const struct search *search, const struct pve_entry *entry, size_t at,
		     struct losses *losses)
{
	const struct host_function *fn = &search->host->fn[at];
	const char *needed = needed_for(search, fn);
	const char *used = used_for(&search->addressed, &fn->pci.addr);
	char addr[PCI_ADDRESS_SIZE];

	pci_address_format(&fn->pci.addr, addr);
	if (!used)
		used = used_for(&search->used, &fn->pci.addr);
	if (needed) {
		add_word(&losses->needed, "%s (%s)", addr, needed);
		return;
	}
	if (!*fn->pci.driver && !used)
		return;
	add_word(&losses->others, "%s from %s%s%s%s", addr,
		 *fn->pci.driver ? fn->pci.driver : "no driver", used ? " (" : "", used ? used : "",
		 used ? ")" : "");
	losses->can_add &= can_be_added(search, fn);
	losses->has_mates |= !(entry->flags[at] & PVE_NAMED);
}

static void find_losses(struct search *search, const struct pve_entry *entry)
{
	struct losses losses = { .can_add = true };
	char about[32], name[160], delete[64], fix[256], addr[PCI_ADDRESS_SIZE] = "";

	for (size_t i = 0; i < search->host->count; i++) {
		if (entry->flags[i] & PVE_NAMED && !*addr)
			pci_address_format(&search->host->fn[i].pci.addr, addr);
		if (entry->flags[i] & PVE_TAKEN && is_of_host(search, &search->host->fn[i]))
			add_loss(search, entry, i, &losses);
	}
	name_vm(entry->vm, about, sizeof(about));
	name_entry(entry, name, sizeof(name));
	name_delete(entry, delete, sizeof(delete));
	if (losses.needed.count) {
		snprintf(fix, sizeof(fix), "do not start it: %s%s", delete,
			 losses.has_mates || losses.needed.count ?
				 "; to give it the device, move that to another slot" :
				 "");
		finding_add(search->findings, FINDING_VM_TAKES_NEEDED, about, name,
			    losses.needed.text, fix, NULL);
	}
	if (!losses.others.count)
		return;
	if (losses.can_add && !losses.needed.count)
		snprintf(fix, sizeof(fix), "%svfio-early add %s%s%s%s",
			 losses.has_mates ? "if this host can do without: " : "",
			 losses.has_mates ? "--group " : "", addr,
			 losses.has_mates ? "; else " : "", losses.has_mates ? delete : "");
	else
		snprintf(fix, sizeof(fix), "%s", delete);
	finding_add(search->findings, FINDING_VM_TAKES, about, name, losses.others.text, fix, NULL);
}

/* --- what an entry gets */

static void find_fault(struct search *search, const struct pve_entry *entry)
{
	static const enum finding_code codes[] = {
		[PVE_FAULT_GONE] = FINDING_VM_GONE,
		[PVE_FAULT_NO_MAPPING] = FINDING_VM_NO_MAPPING,
		[PVE_FAULT_CHANGED] = FINDING_VM_MAPPING_CHANGED,
		[PVE_FAULT_SYNTAX] = FINDING_VM_ENTRY_WRONG,
	};
	char about[32], name[160], delete[64];

	if (entry->fault == PVE_FAULT_NONE)
		return;
	name_vm(entry->vm, about, sizeof(about));
	name_entry(entry, name, sizeof(name));
	name_delete(entry, delete, sizeof(delete));
	finding_add(search->findings, codes[entry->fault], about, name, entry->what, delete, NULL);
}

/* An address alone is whatever stands there: a mapping would have been compared. */
static void find_other_device(struct search *search, const struct pve_entry *entry)
{
	const struct host *host = search->host;
	char about[32], name[160], addr[PCI_ADDRESS_SIZE], text[64], number[16];

	if (pve_property(entry->value, NULL, "mapping", text, sizeof(text)))
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

static void find_mdev(struct search *search, const struct pve_entry *entry)
{
	const struct host *host = search->host;
	char about[32], name[160], addr[PCI_ADDRESS_SIZE];

	if (!entry->is_mdev)
		return;
	for (size_t i = 0; i < host->count; i++) {
		if (!(entry->flags[i] & PVE_NAMED) ||
		    host_next(host, &host->fn[i]) != HOST_NEXT_VFIO)
			continue;
		name_vm(entry->vm, about, sizeof(about));
		name_entry(entry, name, sizeof(name));
		finding_add(search->findings, FINDING_VM_MDEV_LOST, about, name,
			    pci_address_format(&host->fn[i].pci.addr, addr), NULL);
		return;
	}
}

/* --- two entries */

/* The first function that both have; with @of, of which both have it in this way. */
static const struct host_function *find_common(const struct search *search,
					       const struct pve_entry *a, const struct pve_entry *b,
					       unsigned int of)
{
	for (size_t i = 0; i < search->host->count; i++)
		if (a->flags[i] & b->flags[i] & of)
			return &search->host->fn[i];
	return NULL;
}

static void find_twice(struct search *search, const struct pve_entry *a, const struct pve_entry *b)
{
	const struct host_function *fn = find_common(search, a, b, PVE_NAMED);
	char about[32], one[160], other[160], addr[PCI_ADDRESS_SIZE], delete[64];

	if (!fn)
		return;
	name_vm(a->vm, about, sizeof(about));
	name_entry(a, one, sizeof(one));
	name_entry(b, other, sizeof(other));
	name_delete(b, delete, sizeof(delete));
	finding_add(search->findings, FINDING_VM_TWICE, about, one, other,
		    pci_address_format(&fn->pci.addr, addr), delete, NULL);
}

/* What is in one group is one device to a VM. */
static bool find_shared(struct search *search, const struct pve_entry *a, const struct pve_entry *b)
{
	const struct host_function *fn = find_common(search, a, b, PVE_TAKEN);
	bool at_start = pve_starts_with_host(a->vm) && pve_starts_with_host(b->vm);
	char one[32], other[32], addr[PCI_ADDRESS_SIZE], number[16];

	if (!fn)
		return false;
	name_vm(a->vm, one, sizeof(one));
	name_vm(b->vm, other, sizeof(other));
	snprintf(number, sizeof(number), "%u", b->vm->id);
	finding_add(search->findings, at_start ? FINDING_VM_SHARED_START : FINDING_VM_SHARED, "",
		    one, other, pci_address_format(&fn->pci.addr, addr), number, NULL);
	return true;
}

/* A mediated device is one of many, and so is one of a pool; a VM that cannot start has none. */
static bool is_exclusive(const struct pve_entry *entry)
{
	return !entry->is_mdev && !entry->is_pool && entry->fault == PVE_FAULT_NONE &&
	       !pve_is_true(pve_config_get(entry->vm, "template"));
}

static void find_pairs(struct search *search)
{
	const struct pve *pve = &search->pve;

	for (size_t i = 0; i < pve->entries; i++) {
		const struct pve_config *last = NULL;
		const struct pve_entry *a = &pve->entry[i];

		for (size_t j = i + 1; j < pve->entries; j++) {
			const struct pve_entry *b = &pve->entry[j];
			size_t from = search->findings->count;

			if (!is_exclusive(a) || !is_exclusive(b) || b->vm == last)
				continue;
			if (a->vm == b->vm)
				find_twice(search, a, b);
			else if (find_shared(search, a, b))
				last = b->vm; /* said once for two VMs */
			find_concern(search, from, group_of(search, a));
		}
	}
}

/* --- containers */

/* Does a container's option name this device node, or a folder that has it? */
static bool names_node(const struct pve_option *option, const char *node)
{
	const char *at = option->value + strspn(option->value, " =");
	size_t len = strcspn(at, ", \t");

	if (strncmp(option->key, "dev", 3) != 0 && strcmp(option->key, "lxc.mount.entry") != 0)
		return false;
	if (!strncmp(at, "path=", 5)) {
		at += 5;
		len -= 5;
	}
	return len > 4 && !strncmp(node, at, len) && (!node[len] || node[len] == '/') &&
	       strncmp(at, "/dev", len) != 0;
}

struct node_search {
	struct search *search;
	const struct host_function *fn;
	const struct pve_config *container;
	const char *folder;
	bool found;
};

/* "renderD128" below a function's "drm", "card1" below its "sound", "nvme0n1" below its "nvme/nvme0". */
static int look_at_node(const char *name, void *arg)
{
	struct node_search *node = arg;
	bool is_sound = !strcmp(node->folder, "sound");
	char path[300], about[32], addr[PCI_ADDRESS_SIZE];

	if (strncmp(name, "card", 4) != 0 && strncmp(name, "renderD", 7) != 0)
		return 0;
	snprintf(path, sizeof(path), is_sound ? "/dev/snd/%s" : "/dev/dri/%s", name);
	for (size_t i = 0; i < node->container->options && !node->found; i++) {
		if (!names_node(&node->container->option[i], path))
			continue;
		node->found = true;
		name_vm(node->container, about, sizeof(about));
		finding_add(node->search->findings, FINDING_CONTAINER_LOSES, about,
			    node->container->option[i].key, path,
			    pci_address_format(&node->fn->pci.addr, addr), NULL);
	}
	return node->found;
}

/* Nodes of NVIDIA's driver, which sysfs does not know. */
static void look_at_nvidia(struct node_search *node)
{
	char about[32], addr[PCI_ADDRESS_SIZE];

	if (node->fn->pci.id.vendor != 0x10de || node->fn->pci.class >> 16 != 0x03 || node->found)
		return;
	for (size_t i = 0; i < node->container->options && !node->found; i++) {
		const struct pve_option *option = &node->container->option[i];

		if (!strstr(option->value, "/dev/nvidia"))
			continue;
		node->found = true;
		name_vm(node->container, about, sizeof(about));
		finding_add(node->search->findings, FINDING_CONTAINER_LOSES, about, option->key,
			    "/dev/nvidia*", pci_address_format(&node->fn->pci.addr, addr), NULL);
	}
}

static void find_container(struct search *search, const struct pve_config *container)
{
	static const char *const folders[] = { "drm", "sound" };

	for (size_t i = 0; i < search->host->count; i++) {
		struct node_search node = {
			.search = search,
			.fn = &search->host->fn[i],
			.container = container,
		};

		if (host_next(search->host, node.fn) != HOST_NEXT_VFIO)
			continue;
		for (size_t j = 0; j < sizeof(folders) / sizeof(folders[0]) && !node.found; j++) {
			char path[SYSFS_PATH_MAX];

			node.folder = folders[j];
			pci_attribute(path, &node.fn->pci.addr, folders[j]);
			sysfs_for_each(search->host->root.fd, path, look_at_node, &node);
		}
		look_at_nvidia(&node);
	}
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

void find_vms(struct search *search)
{
	const struct pve *pve = &search->pve;
	size_t before = search->findings->of_level[FINDING_BLOCKS] +
			search->findings->of_level[FINDING_WARNS];
	char count[48];

	if (pve->state == PVE_UNKNOWN)
		find_unknown(search);
	for (size_t i = 0; i < pve->entries; i++) {
		const struct pve_entry *entry = &pve->entry[i];
		size_t from = search->findings->count;

		find_losses(search, entry);
		find_other_device(search, entry);
		find_fault(search, entry);
		find_mdev(search, entry);
		find_concern(search, from, group_of(search, entry));
	}
	find_pairs(search);
	for (size_t i = 0; i < pve->vms; i++)
		if (pve->vm[i].is_container)
			find_container(search, &pve->vm[i]);
	snprintf(count, sizeof(count), "%zu PCI device%s of VMs", pve->entries,
		 pve->entries == 1 ? "" : "s");
	if (pve->entries && before == search->findings->of_level[FINDING_BLOCKS] +
					      search->findings->of_level[FINDING_WARNS])
		finding_add(search->findings, FINDING_VMS_OK, "", count, NULL);
}
