// SPDX-License-Identifier: GPL-2.0-or-later
/* From what an administrator types to functions; see slot.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/paths.h"
#include "early/pci.h"
#include "early/sysfs.h"
#include "host/names.h"
#include "host/slot.h"
#include "util/address.h"
#include "util/array.h"
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
	char other[8 * PCI_ADDRESS_SIZE];
	size_t where;
	const char *error = selector_parse(text, sel, &where);

	if (error && host_propose(host, text, false, other, sizeof(other)))
		return message_error("%s is not how an address is written here; fix: write %s",
				     text, other);
	if (error && host_refuse_word(host, text))
		return -EINVAL;
	/* A selector's own error would propose an ID or a class, which are not accepted here. */
	if (error && !strchr(text, ':'))
		return message_error("%s is not an address; fix: write one that vfio-early list -a "
				     "prints, such as 0000:81:00.0",
				     text);
	if (error)
		return message_error("%s is not an address: %s", text, error);
	if (sel->kind == SELECTOR_ID)
		return refuse_id(host, text, sel);
	if (sel->kind == SELECTOR_CLASS)
		return message_error("%s is a class, not an address; fix: name a function that "
				     "vfio-early list prints; only in /etc/vfio-early.conf a "
				     "line may name a class",
				     text);
	if (sel->kind == SELECTOR_VF)
		return message_error("%s are virtual functions, not an address; fix: name one "
				     "of them, or make and bind all: vfio-early add --vfs 4 %.*s",
				     text, (int)strcspn(text + strlen("vf:"), "="),
				     text + strlen("vf:"));
	if (sel->has_id)
		return message_error(
			"%s: leave out the = and the ID; it is pinned to the ID that is there "
			"today",
			text);
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

/* --- the card */

#define VENDOR_AMD 0x1022 /* chipsets, PSP, USB and audio; AMD's GPUs are 1002 */

static bool is_on_root_bus(const struct root *root, const struct pci_address *addr)
{
	char path[SYSFS_PATH_MAX];

	return !pci_path(root->fd, addr, path, sizeof(path)) && !strchr(path, '/');
}

/* Does a function of the slot belong to the same card as the named one? */
static bool is_of_card(const struct root *root, const struct pci_function *named,
		       const struct pci_function *fn)
{
	if (named->group >= 0 && named->group == fn->group)
		return true;
	/* Without an IOMMU the functions of a chipset cannot be told apart. */
	if (is_on_root_bus(root, &named->addr))
		return named->group < 0 && fn->group < 0;
	return fn->id.vendor == named->id.vendor && fn->id.vendor != VENDOR_AMD;
}

static int leave(struct slot *slot, const struct pci_function *fn)
{
	const struct slot_left item = { .addr = fn->addr, .group = fn->group };

	for (size_t i = 0; i < slot->lefts; i++)
		if (pci_address_equal(&slot->left[i].addr, &fn->addr))
			return 0;
	return array_append(&slot->left, &slot->lefts, sizeof(item), &item);
}

static int read_function(const struct root *root, const struct pci_address *addr,
			 struct pci_function *fn)
{
	int ret = pci_read(root->fd, addr, fn);

	if (!ret)
		pci_read_details(root->fd, fn);
	return ret;
}

/*
 * The main function of a named slot: its display function, else the first that is not a bridge,
 * else the first.
 */
static int find_main(const struct root *root, struct pci_address addr, struct pci_function *main)
{
	int ret = -ENOENT;

	for (addr.fn = 0; addr.fn < 8; addr.fn++) {
		struct pci_function fn;

		if (slot_is_virtual(root, &addr) || read_function(root, &addr, &fn))
			continue;
		if (!ret &&
		    (main->class >> 16 == 0x03 ||
		     (fn.class >> 16 != 0x03 && (!pci_is_bridge(main) || pci_is_bridge(&fn)))))
			continue;
		*main = fn;
		ret = 0;
	}
	return ret;
}

/* A physical function shares its slot with virtual ones, which are separate devices. */
static int add_slot(const struct root *root, const struct selector *sel, enum slot_scope scope,
		    struct slot *slot)
{
	struct pci_address addr = sel->addr;
	struct pci_function named, fn;
	int ret;

	/* The named function itself must exist, not only another one in its slot. */
	if (sel->kind == SELECTOR_ADDRESS) {
		ret = add_function(root, &addr, true, slot);
		if (ret || scope == SLOT_ONLY || slot_is_virtual(root, &sel->addr))
			return ret;
		ret = read_function(root, &addr, &named);
	} else {
		ret = find_main(root, addr, &named);
	}
	if (ret)
		return ret;
	for (addr.fn = 0; addr.fn < 8; addr.fn++) {
		if (slot_is_virtual(root, &addr))
			continue;
		ret = read_function(root, &addr, &fn);
		if (ret == -ENOENT)
			continue;
		if (!ret &&
		    (pci_address_equal(&addr, &named.addr) || is_of_card(root, &named, &fn)))
			ret = add_function(root, &addr, true, slot);
		else if (!ret)
			ret = leave(slot, &fn);
		if (ret)
			return ret;
	}
	return 0;
}

const char *slot_why_left(const struct host *host, const struct slot_left *left, char *buf,
			  size_t size)
{
	const struct host_function *fn = host_find(host, &left->addr);
	char class[96] = "", group[32];

	if (fn)
		names_class(host->names, fn->pci.class, class, sizeof(class));
	snprintf(group, sizeof(group), left->group < 0 ? "no known group" : "group %d",
		 left->group);
	snprintf(buf, size, "%s%sin the same slot, but not of the card (%s)", class,
		 *class ? ", " : "", group);
	return buf;
}

/* Insertion sort: two arrays are sorted together, and the lists are short. */
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

int slot_collect(const struct host *host, const struct selector *sel, enum slot_scope scope,
		 struct slot *slot)
{
	size_t before = slot->count;
	int ret = add_slot(&host->root, sel, scope, slot);

	if (!ret && scope == SLOT_GROUP)
		ret = add_groups(&host->root, before, slot);
	sort(slot);
	return ret;
}

int slot_add(const struct host *host, const char *text, enum slot_scope scope, struct slot *slot)
{
	struct selector sel;
	int ret = slot_parse(host, text, &sel);

	if (ret)
		return ret;
	if (scope == SLOT_ONLY && sel.kind == SELECTOR_SLOT)
		return message_error(
			"%s names a slot; fix: with --only write the function too: %s.0", text,
			text);
	/* Prints an error itself if there is none, and names similar ones. */
	ret = host_select(host, text, ignore, NULL);
	if (ret < 0)
		return ret;
	ret = pci_resolve(host->root.fd, &sel);
	if (!ret)
		ret = slot_collect(host, &sel, scope, slot);
	if (ret == -ENOENT && sel.kind == SELECTOR_SLOT)
		return message_error("%s has virtual functions alone, each a device of its own; "
				     "fix: name the one that you want, such as %s.0",
				     text, text);
	return ret ? message_errno(ret, "cannot read what is at %s", text) : 0;
}

void slot_free(struct slot *slot)
{
	free(slot->fn);
	free(slot->asked);
	free(slot->left);
	*slot = (struct slot){ 0 };
}
