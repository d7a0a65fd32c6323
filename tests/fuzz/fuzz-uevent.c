// SPDX-License-Identifier: GPL-2.0-or-later
/* The uevent of a function, as the boot reads it. */
#include <errno.h>
#include <string.h>

#include "early/pci.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pci_address addr = { .domain = 0, .bus = 1, .dev = 0, .fn = 0 };
	struct pci_function fn;
	int ret;

	fuzz_file("sys/bus/pci/devices/0000:01:00.0/uevent", data, size);
	ret = pci_read(fuzz_root(), &addr, &fn);
	must(!ret || ret == -EIO || ret == -EFBIG);
	must(pci_address_equal(&fn.addr, &addr));
	must(ret || fn.id.vendor);
	must(memchr(fn.driver, '\0', sizeof(fn.driver)));
	return 0;
}
