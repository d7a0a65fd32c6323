// SPDX-License-Identifier: GPL-2.0-or-later
/* From what an administrator types to functions; see slot.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/paths.h"
#include "early/pci.h"
#include "early/sysfs.h"
#include "host/slot.h"
#include "util/address.h"
#include "util/message.h"

bool slot_has(const struct slot *slot, const struct pci_address *addr)
{
	for (size_t i = 0; i < slot->count; i++)
		if (pci_address_equal(&slot->fn[i].addr, addr))
			return true;
	return false;
}

bool slot_is_virtual(const struct root *root, const struct pci_address *addr)
{
	char path[SYSFS_PATH_MAX], link[SYSFS_PATH_MAX];

	return sysfs_link(root->fd, pci_attribute(path, addr, "physfn"), link, sizeof(link)) >= 0;
}

static int add_function(const struct root *root, const struct pci_address *addr, bool asked,
			struct slot *slot)
{
	struct pci_function *list, fn;
	bool *flags;
	int ret;

	for (size_t i = 0; i < slot->count; i++) {
		if (!pci_address_equal(&slot->fn[i].addr, addr))
			continue;
		slot->asked[i] |= asked;
		return 0;
	}
	ret = pci_read(root->fd, addr, &fn);
	if (ret)
		return ret;
	pci_read_details(root->fd, &fn);

	list = realloc(slot->fn, (slot->count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	slot->fn = list;
	flags = realloc(slot->asked, (slot->count + 1) * sizeof(*flags));
	if (!flags)
		return -ENOMEM;
	slot->asked = flags;
	slot->fn[slot->count] = fn;
	slot->asked[slot->count++] = asked;
	return 0;
}

/* --- what is meant */

static int refuse_id(const struct host *host, const char *text, const struct selector *sel)
{
	char list[4 * PCI_ADDRESS_SIZE] = "", addr[PCI_ADDRESS_SIZE];
	unsigned int count = 0;

	for (size_t i = 0; i < host->count; i++) {
		size_t len = strlen(list);

		if (pci_id_matches(&sel->id, &host->fn[i].pci.id) && count++ < 3)
			snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
				 pci_address_format(&host->fn[i].pci.addr, addr));
	}
	if (!count)
		return message_error("%s is an ID, not an address, and no function has it", text);
	return message_error("%s is an ID, not an address; fix: name %s%s", text, list,
			     count > 3 ? " or another that has it" : "");
}

int slot_parse(const struct host *host, const char *text, struct selector *sel)
{
	size_t where;
	const char *error = selector_parse(text, sel, &where);

	if (error)
		return message_error("%s is no address: %s", text, error);
	if (sel->kind == SELECTOR_ID)
		return refuse_id(host, text, sel);
	if (sel->kind == SELECTOR_CLASS)
		return message_error("%s is a class, not an address; fix: write it into "
				     "/etc/vfio-early.conf yourself: bind %s",
				     text, text);
	if (sel->has_id)
		return message_error(
			"%s: leave out the = and the ID; it is pinned to that of today", text);
	return 0;
}

struct group {
	const struct root *root;
	struct slot *slot;
};

static int add_mate(const char *name, void *arg)
{
	struct group *group = arg;
	struct pci_address addr;
	struct pci_function fn;

	if (pci_address_parse(name, &addr) || pci_read(group->root->fd, &addr, &fn) ||
	    pci_is_bridge(&fn))
		return 0;
	return add_function(group->root, &addr, false, group->slot);
}

static int add_groups(const struct root *root, size_t from, struct slot *slot)
{
	struct group group = { .root = root, .slot = slot };
	size_t end = slot->count;
	int ret = 0;

	for (size_t i = from; i < end && !ret; i++) {
		char path[SYSFS_PATH_MAX];

		if (slot->fn[i].group < 0)
			continue;
		sysfs_path(path, PATH_IOMMU_GROUPS "/%u/devices", (unsigned int)slot->fn[i].group);
		ret = sysfs_for_each(root->fd, path, add_mate, &group);
	}
	return ret;
}

/* A physical function shares its slot with virtual ones: those are devices of their own. */
static int add_slot(const struct root *root, const struct selector *sel, enum slot_scope scope,
		    struct slot *slot)
{
	struct pci_address addr = sel->addr;
	bool only = sel->kind == SELECTOR_ADDRESS &&
		    (scope == SLOT_ONLY || slot_is_virtual(root, &sel->addr));
	int ret;

	/* The function that was named must be there, not only one beside it. */
	if (sel->kind == SELECTOR_ADDRESS) {
		ret = add_function(root, &addr, true, slot);
		if (ret || only)
			return ret;
	}
	for (addr.fn = 0; addr.fn < 8; addr.fn++) {
		if (slot_is_virtual(root, &addr))
			continue;
		ret = add_function(root, &addr, true, slot);
		if (ret && ret != -ENOENT)
			return ret;
	}
	return 0;
}

/* Insertion, as two arrays go together and the lists are short. */
static void sort(struct slot *slot)
{
	for (size_t i = 1; i < slot->count; i++) {
		for (size_t at = i; at; at--) {
			struct pci_function fn = slot->fn[at];
			bool asked = slot->asked[at];

			if (address_compare(&slot->fn[at - 1].addr, &fn.addr) <= 0)
				break;
			slot->fn[at] = slot->fn[at - 1];
			slot->asked[at] = slot->asked[at - 1];
			slot->fn[at - 1] = fn;
			slot->asked[at - 1] = asked;
		}
	}
}

static void ignore(struct host_function *fn, void *arg)
{
	(void)fn;
	(void)arg;
}

int slot_add(const struct host *host, const char *text, enum slot_scope scope, struct slot *slot)
{
	size_t before = slot->count;
	struct selector sel;
	int ret = slot_parse(host, text, &sel);

	if (ret)
		return ret;
	if (scope == SLOT_ONLY && sel.kind == SELECTOR_SLOT)
		return message_error(
			"%s names a slot; fix: with --only write the function too: %s.0", text,
			text);
	/* Says itself when there is none, and which are near. */
	ret = host_select(host, text, ignore, NULL);
	if (ret < 0)
		return ret;
	ret = pci_resolve(host->root.fd, &sel);
	if (!ret)
		ret = add_slot(&host->root, &sel, scope, slot);
	if (!ret && scope == SLOT_GROUP)
		ret = add_groups(&host->root, before, slot);
	sort(slot);
	return ret ? message_errno(ret, "cannot read what is at %s", text) : 0;
}

void slot_free(struct slot *slot)
{
	free(slot->fn);
	free(slot->asked);
	*slot = (struct slot){ 0 };
}
