// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guest must know of some cards; see guest.h. */
#include <stddef.h>

#include "commands/guest.h"

/*
 * What a guest needs for a family of cards, and the ranges of device IDs by which each is known. In
 * one place, so that a wrong or an old word is one line.
 */
enum family {
	KEPLER,
	FERMI,
	MAXWELL,
	RESET_BUG,
};

static const struct {
	const char *name;
	const char *text;
} families[] = {
	[KEPLER] = { "Kepler",
		     "use NVIDIA 470.256.02 and kernel 6.6 LTS in the guest: branch 470 is the "
		     "last for Kepler, and its last release is not adapted to later kernels" },
	[FERMI] = { "Fermi",
		    "use NVIDIA 390.157 and kernel 6.1 LTS in the guest, or nouveau: branch 390 is "
		    "the last for Fermi, and its last release is not adapted to later kernels" },
	[MAXWELL] = { "Maxwell, Pascal or Volta",
		      "use NVIDIA's closed module, branch 580 or older, in the guest: the open one "
		      "knows Turing and later only, and 580 is the last branch for this family" },
	[RESET_BUG] = { "known not to reset",
			"the card may not come back when the guest is stopped: the host then needs "
			"a reboot, or the vendor-reset module" },
};

static const struct {
	uint16_t vendor, from, to;
	enum family family;
} hints[] = {
	{ 0x10de, 0x06c0, 0x06df, FERMI },     /* GF100 */
	{ 0x10de, 0x0dc0, 0x0e3a, FERMI },     /* GF104, GF106, GF108 */
	{ 0x10de, 0x0fc0, 0x0fff, KEPLER },    /* GK107 */
	{ 0x10de, 0x1000, 0x103f, KEPLER },    /* GK110, GK210 */
	{ 0x10de, 0x1040, 0x109f, FERMI },     /* GF119, GF110 */
	{ 0x10de, 0x1140, 0x1140, FERMI },     /* GF117 */
	{ 0x10de, 0x1180, 0x11ff, KEPLER },    /* GK104, GK106 */
	{ 0x10de, 0x1200, 0x125f, FERMI },     /* GF114, GF116 */
	{ 0x10de, 0x1280, 0x12bf, KEPLER },    /* GK208 */
	{ 0x10de, 0x1340, 0x13ff, MAXWELL },   /* GM107, GM108, GM204 */
	{ 0x10de, 0x1401, 0x1436, MAXWELL },   /* GM206 */
	{ 0x10de, 0x15f0, 0x15ff, MAXWELL },   /* GP100 */
	{ 0x10de, 0x1617, 0x17ff, MAXWELL },   /* GM204, GM200 */
	{ 0x10de, 0x1b00, 0x1dff, MAXWELL },   /* GP102 to GP108, GV100 */
	{ 0x1002, 0x66a0, 0x66af, RESET_BUG }, /* Vega 20 */
	{ 0x1002, 0x67c0, 0x67ff, RESET_BUG }, /* Polaris 10, 11 */
	{ 0x1002, 0x6860, 0x687f, RESET_BUG }, /* Vega 10 */
	{ 0x1002, 0x6980, 0x699f, RESET_BUG }, /* Polaris 12 */
	{ 0x1002, 0x7310, 0x731f, RESET_BUG }, /* Navi 10 */
	{ 0x1002, 0x7340, 0x734f, RESET_BUG }, /* Navi 14 */
};

#define N_HINTS (sizeof(hints) / sizeof(hints[0]))

const char *guest_hint(const struct pci_function *fn, const char **family)
{
	if (fn->class >> 16 != 0x03)
		return NULL;
	for (size_t i = 0; i < N_HINTS; i++) {
		if (fn->id.vendor != hints[i].vendor || fn->id.device < hints[i].from ||
		    fn->id.device > hints[i].to)
			continue;
		*family = families[hints[i].family].name;
		return families[hints[i].family].text;
	}
	return NULL;
}
