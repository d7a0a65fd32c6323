// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Selectors: text to struct, struct to text, match. Pure; see selector.h.
 *
 * The grammar is told apart by the width of its fields alone, so that nothing is ever guessed:
 * an ID's are four hex digits wide, a bus and a device two, a domain at least four.
 */
#include <errno.h>
#include <string.h>

#include "selector.h"
#include "text.h"

static const char *const use_no_0x = FAULT("write IDs and addresses without 0x");
static const char *const use_id = FAULT("an ID is VENDOR:DEVICE, four hex digits each: 10de:1187");
static const char *const use_subsystem = FAULT(
	"a subsystem is two more fields of four hex digits: 10de:1187:1458:3614");
static const char *const use_selector = FAULT(
	"not a selector; write an ID (10de:1187), an address (0000:81:00.0) or class:03");
static const char *const use_dev = FAULT(
	"bus and device have two hex digits each (device 00 to 1f), as in 0a:00.0");
static const char *const use_fn = FAULT("the function number is one digit, 0 to 7: 81:00.0");
static const char *const use_hop = FAULT(
	"a path is an address and /DEVICE.FUNCTION for each bridge: 00:01.0/00.0");
static const char *const use_class = FAULT(
	"a class has 2, 4 or 6 hex digits: class:03, class:0300");
static const char *const use_id_alone = FAULT(
	"an ID or a class takes no =ID; write the address before =");
static const char *const use_place = FAULT(
	"only an address takes @PATH, and a whole one: 81:00.0=10de:1187@00:01.0/00.0");
static const char *const use_vf = FAULT(
	"vf: takes the address or path of one physical function: vf:0000:81:00.0");
static const char *const too_deep = FAULT("the path goes through more than 16 bridges");

/* ".F", when there is one. Returns 1, 0 when there is none, -EINVAL when it is no function. */
static int parse_fn(const char **pos, uint8_t *fn)
{
	uint32_t value;

	if (!text_skip_prefix(pos, "."))
		return 0;
	if (**pos < '0' || **pos > '7' || text_hex(pos, &value) != 1)
		return -EINVAL;
	*fn = (uint8_t)value;
	return 1;
}

static const char *parse_id(const char **pos, struct selector *sel)
{
	uint16_t *const field[] = { &sel->id.vendor, &sel->id.device, &sel->id.subvendor,
				    &sel->id.subdevice };
	unsigned int n = 0;
	uint32_t value;

	do {
		const char *start = *pos;

		if (n == 4 || text_hex(pos, &value) != 4) {
			*pos = start;
			return n < 2 ? use_id : use_subsystem;
		}
		*field[n++] = (uint16_t)value;
	} while (text_skip_prefix(pos, ":"));

	if (n == 3)
		return use_subsystem;
	sel->has_id = true;
	return n < 2 ? use_id : NULL;
}

/* "[DOMAIN:]BUS:DEVICE" and then ".F", which only a slot goes without. */
static const char *parse_address(const char **pos, struct selector *sel)
{
	const char *start = *pos;
	uint32_t domain = 0, bus, dev;
	unsigned int width = text_hex(pos, &bus);
	int ret;

	if (width >= 4) {
		domain = bus;
		if (!text_skip_prefix(pos, ":"))
			return use_selector;
		start = *pos;
		width = text_hex(pos, &bus);
	}
	if (width != 2 || !text_skip_prefix(pos, ":")) {
		*pos = start;
		return width == 2 ? use_selector : use_dev;
	}
	start = *pos;
	if (text_hex(pos, &dev) != 2 || dev > 0x1f) {
		*pos = start;
		return use_dev;
	}
	sel->addr =
		(struct pci_address){ .domain = domain, .bus = (uint8_t)bus, .dev = (uint8_t)dev };
	ret = parse_fn(pos, &sel->addr.fn);
	if (ret < 0)
		return use_fn;
	sel->kind = ret ? SELECTOR_ADDRESS : SELECTOR_SLOT;
	return NULL;
}

/* "/DEVICE.F" for each bridge on the way, as lspci -P prints it; the last may go without ".F". */
static const char *parse_hops(const char **pos, struct selector *sel)
{
	while (text_skip_prefix(pos, "/")) {
		struct selector_hop *hop;
		uint32_t dev;
		int ret;

		if (sel->hops == SELECTOR_MAX_HOPS)
			return too_deep;
		if (sel->kind != SELECTOR_ADDRESS)
			return use_hop;
		if (text_hex(pos, &dev) != 2 || dev > 0x1f)
			return use_hop;
		hop = &sel->hop[sel->hops++];
		*hop = (struct selector_hop){ .dev = (uint8_t)dev };
		ret = parse_fn(pos, &hop->fn);
		if (ret < 0)
			return use_fn;
		if (!ret)
			sel->kind = SELECTOR_SLOT;
	}
	return NULL;
}

/* "@PATH" behind an ID: the path of what has the address, so of the same kind. */
static const char *parse_place(const char **pos, struct selector *sel)
{
	struct selector path = { 0 };
	const char *error = parse_address(pos, &path);

	if (!error)
		error = parse_hops(pos, &path);
	if (error)
		return error;
	if (path.kind != sel->kind || sel->hops)
		return use_place;
	sel->place = (struct pci_place){ .root = path.addr, .hops = path.hops };
	memcpy(sel->place.hop, path.hop, sizeof(path.hop));
	sel->has_place = true;
	return NULL;
}

static const char *parse_class(const char **pos, struct selector *sel)
{
	const char *start = *pos;
	uint32_t value;
	unsigned int width = text_hex(pos, &value);

	if (width != 2 && width != 4 && width != 6) {
		*pos = start;
		return use_class;
	}
	sel->kind = SELECTOR_CLASS;
	sel->class = value << (24 - 4 * width);
	sel->class_mask = (0xffffffu << (24 - 4 * width)) & 0xffffff;
	return NULL;
}

static const char *parse_kind(const char **pos, struct selector *sel)
{
	const char *start = *pos, *error;
	uint32_t value;

	if (text_skip_prefix(pos, "class:"))
		return parse_class(pos, sel);
	if (text_hex(pos, &value) == 4 && text_skip_prefix(pos, ":") &&
	    text_hex(pos, &value) != 2) {
		*pos = start;
		sel->kind = SELECTOR_ID;
		return parse_id(pos, sel);
	}
	*pos = start;
	if (!text_hex(pos, &value))
		return use_selector;
	*pos = start;
	error = parse_address(pos, sel);
	return error ? error : parse_hops(pos, sel);
}

const char *selector_parse(const char *text, struct selector *sel, size_t *where)
{
	const char *hex = text_find(text, "0x");
	const char *pos = text, *error;
	bool is_vf;

	memset(sel, 0, sizeof(*sel));
	/* "0x" is never part of a right selector, and the commonest slip of all. */
	if (!hex)
		hex = text_find(text, "0X");
	if (hex) {
		*where = (size_t)(hex - text);
		return use_no_0x;
	}

	is_vf = text_skip_prefix(&pos, "vf:");
	error = parse_kind(&pos, sel);
	if (!error && is_vf && sel->kind != SELECTOR_ADDRESS) {
		error = use_vf;
		pos = text;
	}
	if (!error && *pos == '=') {
		if (sel->kind == SELECTOR_ID || sel->kind == SELECTOR_CLASS) {
			error = use_id_alone;
		} else {
			pos++;
			error = parse_id(&pos, sel);
			if (!error && text_skip_prefix(&pos, "@"))
				error = parse_place(&pos, sel);
		}
	}
	if (!error && *pos)
		error = use_selector;
	if (is_vf)
		sel->kind = SELECTOR_VF;
	*where = (size_t)(pos - text);
	return error;
}

int pci_address_parse(const char *text, struct pci_address *addr)
{
	struct selector sel = { 0 };

	if (parse_address(&text, &sel) || *text || sel.kind != SELECTOR_ADDRESS)
		return -EINVAL;
	*addr = sel.addr;
	return 0;
}

char *pci_address_format(const struct pci_address *addr, char *buf)
{
	text_format(buf, PCI_ADDRESS_SIZE, "%04x:%02x:%02x.%x", addr->domain, addr->bus, addr->dev,
		    addr->fn & 7u);
	return buf;
}

char *pci_id_format(const struct pci_id *id, char *buf)
{
	text_format(buf, PCI_ID_SIZE, "%04x:%04x", id->vendor, id->device);
	return buf;
}

bool pci_address_same_slot(const struct pci_address *a, const struct pci_address *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->dev == b->dev;
}

bool pci_address_equal(const struct pci_address *a, const struct pci_address *b)
{
	return pci_address_same_slot(a, b) && a->fn == b->fn;
}

static bool is_same_hop(const struct selector_hop *a, const struct selector_hop *b, bool any_fn)
{
	return a->dev == b->dev && (any_fn || a->fn == b->fn);
}

bool pci_place_equal(const struct pci_place *a, const struct pci_place *b, bool any_fn)
{
	if (a->hops != b->hops || !pci_address_same_slot(&a->root, &b->root))
		return false;
	if (a->root.fn != b->root.fn && (a->hops || !any_fn))
		return false;
	for (unsigned int i = 0; i < a->hops; i++)
		if (!is_same_hop(&a->hop[i], &b->hop[i], any_fn && i + 1u == a->hops))
			return false;
	return true;
}

bool pci_id_matches(const struct pci_id *wanted, const struct pci_id *have)
{
	if (wanted->vendor != have->vendor || wanted->device != have->device)
		return false;
	if (!wanted->subvendor && !wanted->subdevice)
		return true;
	return wanted->subvendor == have->subvendor && wanted->subdevice == have->subdevice;
}

bool selector_needs_scan(const struct selector *sel)
{
	return sel->kind == SELECTOR_ID || sel->kind == SELECTOR_CLASS;
}

bool selector_is_path(const struct selector *sel)
{
	return sel->hops > 0;
}

enum selector_result selector_match(const struct selector *sel, const struct pci_address *addr,
				    const struct pci_id *id, uint32_t class,
				    const struct pci_id *slot_id)
{
	bool named;

	switch (sel->kind) {
	case SELECTOR_ID:
		return pci_id_matches(&sel->id, id) ? SELECTOR_MATCHES : SELECTOR_DIFFERS;
	case SELECTOR_CLASS:
		named = (class & sel->class_mask) == sel->class;
		return named ? SELECTOR_MATCHES : SELECTOR_DIFFERS;
	case SELECTOR_SLOT:
		named = pci_address_same_slot(&sel->addr, addr);
		id = slot_id;
		break;
	default:
		named = pci_address_equal(&sel->addr, addr);
	}

	if (!named || (selector_is_path(sel) && !sel->resolved))
		return SELECTOR_DIFFERS;
	if (sel->has_id && (!id || !pci_id_matches(&sel->id, id)))
		return SELECTOR_ID_CHANGED;
	return SELECTOR_MATCHES;
}
