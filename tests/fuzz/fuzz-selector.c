// SPDX-License-Identifier: GPL-2.0-or-later
/* One selector; an address; a selector against a function. */
#include <stdlib.h>
#include <string.h>

#include "early/selector.h"
#include "tests/fuzz/fuzz.h"

/* What is written out is read as the same again. */
static void check_address(const struct pci_address *addr)
{
	char text[PCI_ADDRESS_SIZE];
	struct pci_address again;

	must(!pci_address_parse(pci_address_format(addr, text), &again));
	must(pci_address_equal(addr, &again));
	must(strlen(text) < sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pci_address addr = { .domain = 0, .bus = 0x81, .dev = 0, .fn = 1 };
	static const struct pci_id id = { 0x10de, 0x1187, 0x1458, 0x3614 };
	char *text = fuzz_text(data, size), out[PCI_ID_SIZE];
	size_t where = size + 1;
	struct pci_address read;
	struct selector sel;
	const char *error;

	if (!pci_address_parse(text, &read))
		check_address(&read);
	error = selector_parse(text, &sel, &where);
	if (error) {
		must(*error && where <= strlen(text));
		free(text);
		return 0;
	}
	must(*text && sel.kind <= SELECTOR_VF && sel.hops <= SELECTOR_MAX_HOPS);
	must(selector_is_path(&sel) == (sel.hops > 0));
	if (sel.kind == SELECTOR_ADDRESS && !sel.hops)
		check_address(&sel.addr);
	if (sel.kind == SELECTOR_ID)
		must(strlen(pci_id_format(&sel.id, out)) < sizeof(out));
	if (sel.kind == SELECTOR_CLASS)
		must(!(sel.class & ~sel.class_mask));
	/* What it names does not hang on whether the slot's function 0 is known, but for =ID. */
	if (!(sel.kind == SELECTOR_SLOT && sel.has_id))
		must(selector_match(&sel, &addr, &id, 0x030000, &id) ==
		     selector_match(&sel, &addr, &id, 0x030000, NULL));
	selector_needs_scan(&sel);
	free(text);
	return 0;
}
