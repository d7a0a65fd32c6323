// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds the functions that a user's word names, and similar ones if it names none; see host.h. */
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early/pci.h"
#include "early/selector.h"
#include "early/sysfs.h"
#include "host/host.h"
#include "util/message.h"
#include "util/typo.h"

#define NEAR_MAX      3 /* suggestions */
#define NEAR_DISTANCE 2 /* an address with more typing errors is not similar */

/* "0000:81:00.0", without ".0" for a slot. */
static void format_place(const struct pci_address *addr, bool is_slot, char text[PCI_ADDRESS_SIZE])
{
	pci_address_format(addr, text);
	if (is_slot)
		text[strlen(text) - 2] = '\0';
}

struct near {
	unsigned int distance;
	char text[PCI_ADDRESS_SIZE];
};

static void add_near(struct near list[NEAR_MAX], const struct near *item)
{
	size_t at = NEAR_MAX;

	for (size_t i = 0; i < NEAR_MAX; i++)
		if (!strcmp(list[i].text, item->text))
			return;
	while (at && list[at - 1].distance > item->distance)
		at--;
	if (at == NEAR_MAX)
		return;
	memmove(&list[at + 1], &list[at], (NEAR_MAX - at - 1) * sizeof(*list));
	list[at] = *item;
}

/* Says that no function is at this address, and names those at similar addresses. */
static int no_such_address(const struct host *host, const char *word, const struct selector *sel)
{
	struct near list[NEAR_MAX], item;
	char wanted[PCI_ADDRESS_SIZE], text[NEAR_MAX * (PCI_ADDRESS_SIZE + 2)] = "";
	bool is_slot = sel->kind == SELECTOR_SLOT;

	for (size_t i = 0; i < NEAR_MAX; i++)
		list[i] = (struct near){ .distance = NEAR_DISTANCE + 1 };
	if (host_find_unreadable(host, &sel->addr))
		return message_errno(host_find_unreadable(host, &sel->addr)->error,
				     "what is at %s cannot be read", word);
	format_place(&sel->addr, is_slot, wanted);
	for (size_t i = 0; i < host->count; i++) {
		if (pci_is_bridge(&host->fn[i].pci))
			continue;
		format_place(&host->fn[i].pci.addr, is_slot, item.text);
		item.distance = typo_distance(wanted, item.text);
		add_near(list, &item);
	}
	for (size_t i = 0; i < NEAR_MAX && list[i].text[0]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? ", " : "",
			 list[i].text);
	if (*text)
		message_error("there is no PCI function at %s; near: %s", word, text);
	else
		message_error("there is no PCI function at %s; see vfio-early list -a", word);
	return -ENOENT;
}

/* --- the forms of other tools */

#define PARTS 4 /* domain, bus, device, function */

/* "pci_0000_01_00_0", "PCI:1:0:0": the numbers behind what is none, whatever stands between them. */
static bool read_parts(const char *word, size_t len, struct pci_address *addr)
{
	/* Xorg counts in tens (xorg.conf(5), BusID). */
	int base = len > 4 && !strncmp(word, "PCI:", 4) ? 10 : 16;
	unsigned long part[PARTS] = { 0 };
	bool has_domain = false;
	size_t parts = 0;

	for (size_t pos = 0; pos < len;) {
		size_t width = 0;
		char text[16], *end;

		while (pos + width < len && isalnum((unsigned char)word[pos + width]))
			width++;
		if (width && width < sizeof(text)) {
			snprintf(text, sizeof(text), "%.*s", (int)width, word + pos);
			/* Four digits are a domain: then the function is missing. */
			has_domain |= !parts && width >= 4 && base == 16 &&
				      strspn(text, "0123456789abcdefABCDEF") == width;
			part[parts % PARTS] = strtoul(text, &end, base);
			/* "pci", "vfio", "host": only at the start. */
			if (*end && parts)
				return false;
			parts += !*end;
		}
		pos += width + 1;
	}
	if (parts != PARTS && (parts != PARTS - 1 || has_domain))
		return false;
	*addr = (struct pci_address){
		.domain = parts == PARTS ? (uint32_t)part[0] : 0,
		.bus = (uint8_t)part[parts - 3],
		.dev = (uint8_t)part[parts - 2],
		.fn = (uint8_t)part[parts - 1],
	};
	return part[parts - 3] < 256 && part[parts - 2] < 32 && part[parts - 1] < 8;
}

/* One of several words: an address, or a slot as hostpci has it ("02:00"). @text: of PCI_ADDRESS_SIZE */
static bool propose_one(const struct host *host, const char *word, size_t len, bool may_be_bridge,
			char *text)
{
	const struct host_function *fn = NULL;
	struct pci_address addr = { 0 };
	struct selector sel;
	char copy[64];
	size_t where;

	snprintf(copy, sizeof(copy), "%.*s", (int)len, word);
	/* "0000:02:00" is a slot here, not 00:02.0. */
	if (len >= sizeof(copy) || selector_parse(copy, &sel, &where) ||
	    sel.kind != SELECTOR_SLOT || sel.hops || sel.has_id) {
		fn = read_parts(word, len, &addr) ? host_find(host, &addr) : NULL;
		pci_address_format(&addr, text);
		return fn && (may_be_bridge || !pci_is_bridge(&fn->pci));
	}
	for (size_t i = 0; i < host->count && !fn; i++)
		if (pci_address_same_slot(&host->fn[i].pci.addr, &sel.addr))
			fn = &host->fn[i];
	sel.addr.fn = 0;
	pci_address_format(&sel.addr, text);
	text[strlen(text) - 2] = '\0';
	return fn && (may_be_bridge || !pci_is_bridge(&fn->pci));
}

bool host_propose(const struct host *host, const char *word, bool may_be_bridge, char *buf,
		  size_t size)
{
	const char *from = strstr(word, "host=");
	size_t len = 0;

	from = from ? from + 5 : word;
	if (strchr(from, '/')) {
		/* The last component that is not empty. */
		const char *end = from + strlen(from);

		while (end > from && end[-1] == '/')
			end--;
		while (end > from && end[-1] != '/')
			end--;
		from = end;
	}
	while (*from) {
		size_t width = strcspn(from, ",;/ ");
		char text[PCI_ADDRESS_SIZE];

		/* After the address, host= may be followed by other properties. */
		if (!propose_one(host, from, width, may_be_bridge, text))
			return len && strchr(word, '=');
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? " " : "", text);
		if (len >= size)
			return false;
		from += width;
		from += strspn(from, ",;/ ");
	}
	return len;
}

bool host_is_selected(const struct host *host, const struct selector *sel,
		      const struct pci_function *fn, const struct pci_id *slot_id)
{
	struct pci_function own = *fn;

	if (sel->kind != SELECTOR_VF)
		return selector_match(sel, &fn->addr, &fn->id, fn->class, slot_id) ==
		       SELECTOR_MATCHES;
	pci_read_pf(host->root.fd, &own);
	return pci_match(sel, &own) == SELECTOR_MATCHES;
}

/* The names that the kernel, udev (systemd.net-naming-scheme(7)) and administrators give. */
static bool is_like_interface(const char *word)
{
	static const struct {
		const char *prefix;
		bool is_udev; /* then the place follows: o1, s3, p4s0, P1p4s0, x001122334455... */
	} names[] = {
		{ "en", true },	   { "wl", true },   { "ww", true },	{ "ib", true },
		{ "sl", true },	   { "eth", false }, { "wlan", false }, { "wwan", false },
		{ "vmbr", false }, { "br", false },  { "bond", false }, { "veth", false },
		{ "tap", false },
	};
	size_t len = strlen(word);

	if (len >= IF_NAMESIZE || strpbrk(word, ":/= \t"))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *rest = word + strlen(names[i].prefix);

		if (strncmp(word, names[i].prefix, strlen(names[i].prefix)) != 0)
			continue;
		if (isdigit((unsigned char)*rest))
			return true;
		if (names[i].is_udev && *rest && strchr("abcdiopPsv", *rest) &&
		    isdigit((unsigned char)rest[1]))
			return true;
		if (names[i].is_udev && *rest == 'x' && isxdigit((unsigned char)rest[1]))
			return true;
	}
	return false;
}

static int refuse_interface(const struct host *host, const char *word)
{
	static const char fix[] = "fix: write an address that vfio-early list -a prints";
	char addr[PCI_ADDRESS_SIZE], path[SYSFS_PATH_MAX], device[64];
	/* host_find_interface() ends at a character that no interface can have. */
	bool can_be = *word && strlen(word) < IF_NAMESIZE && !strpbrk(word, "/ \t\"'");
	const struct host_function *fn = can_be ? host_find_interface(host, word) : NULL;

	if (fn)
		return message_error("%s is a network interface, not an address; fix: write %s",
				     word, pci_address_format(&fn->pci.addr, addr));
	if (can_be &&
	    sysfs_exists(host->root.fd, sysfs_path(path, "sys/class/net/%s/ifindex", word))) {
		sysfs_path(path, "sys/class/net/%s/device", word);
		if (sysfs_link_name(host->root.fd, path, device, sizeof(device)))
			return message_error("the network interface %s is not a PCI function: no "
					     "device is behind it (a bridge, a bond, a VLAN); %s",
					     word, fix);
		return message_error("the network interface %s is not a PCI function, but %s; %s",
				     word, device, fix);
	}
	if (!is_like_interface(word))
		return 0;
	return message_error("there is no network interface %s; %s", word, fix);
}

/* The first function, bridges apart, that has this IOMMU group or is on this bus; -1: any. */
static const struct host_function *find_number(const struct host *host, int group, int bus)
{
	for (size_t i = 0; i < host->count; i++) {
		struct host_function *fn = &host->fn[i];

		if (!pci_is_bridge(&fn->pci) && (group < 0 || host_group(host, fn) == group) &&
		    (bus < 0 || fn->pci.addr.bus == bus))
			return fn;
	}
	return NULL;
}

/* "7": the number of a group that `groups` prints. "41" is that of a bus, too, and "01" of a bus alone. */
static int refuse_number(const struct host *host, const char *word)
{
	const struct host_function *of_group = NULL, *on_bus = NULL;
	char first[PCI_ADDRESS_SIZE], other[PCI_ADDRESS_SIZE];
	size_t len = strspn(word, "0123456789");

	if (!len || len > 3 || word[len])
		return 0;
	if (len == 1 || *word != '0')
		of_group = find_number(host, atoi(word), -1);
	if (len == 2)
		on_bus = find_number(host, -1, (int)strtol(word, NULL, 16));
	if (on_bus && of_group && on_bus != of_group)
		return message_error("%s is a number, not an address; fix: write %s, which is on "
				     "that bus, or %s, which is in that group",
				     word, pci_address_format(&on_bus->pci.addr, first),
				     pci_address_format(&of_group->pci.addr, other));
	if (on_bus)
		return message_error("%s is a number, not an address: a device has a bus and a "
				     "number; fix: write %s",
				     word, pci_address_format(&on_bus->pci.addr, first));
	if (!of_group)
		return message_error("%s is a number, not an address, and no device is in a group "
				     "%s; see vfio-early groups",
				     word, word);
	return message_error("%s is a number, not an address: a group is named by one of its "
			     "functions; fix: write %s",
			     word, pci_address_format(&of_group->pci.addr, first));
}

int host_refuse_word(const struct host *host, const char *word)
{
	int ret = refuse_number(host, word);

	if (!*word)
		return message_error("an address is empty (\"\"); fix: write one that vfio-early "
				     "list -a prints, such as 0000:81:00.0");
	return ret ? ret : refuse_interface(host, word);
}

int host_select(const struct host *host, const char *word,
		void (*fn)(struct host_function *fn, void *arg), void *arg)
{
	char other[8 * PCI_ADDRESS_SIZE];
	struct selector sel;
	const char *error;
	size_t where;
	int found = 0;

	error = selector_parse(word, &sel, &where);
	if (error && host_propose(host, word, true, other, sizeof(other)))
		return message_error("%s is not how an address is written here; fix: write %s",
				     word, other);
	if (error && host_refuse_word(host, word))
		return -EINVAL;
	if (error)
		return message_error("%s does not name a PCI function: %s", word, error);
	if (pci_resolve(host->root.fd, &sel)) {
		message_error("the path %s leads nowhere; see vfio-early list -a -o ADDRESS,PATH",
			      word);
		return -ENOENT;
	}

	for (size_t i = 0; i < host->count; i++) {
		struct pci_function *pci = &host->fn[i].pci;
		struct pci_address addr = pci->addr;
		const struct host_function *first;

		addr.fn = 0;
		first = host_find(host, &addr);
		if (!host_is_selected(host, &sel, pci, first ? &first->pci.id : NULL))
			continue;
		fn(&host->fn[i], arg);
		found++;
	}
	if (found)
		return found;
	if (sel.kind == SELECTOR_ID || sel.kind == SELECTOR_CLASS) {
		message_error("no PCI function is %s; see vfio-early list -a", word);
		return -ENOENT;
	}
	if (sel.kind == SELECTOR_VF && host_find(host, &sel.addr)) {
		message_error("the function at %s has no virtual functions now",
			      word + strlen("vf:"));
		return -ENOENT;
	}
	if (sel.has_id && host_find(host, &sel.addr)) {
		message_error("the function at %s has another ID; see vfio-early list -a", word);
		return -ENOENT;
	}
	return no_such_address(host, word, &sel);
}
