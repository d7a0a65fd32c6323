// SPDX-License-Identifier: GPL-2.0-or-later
/* What the boot would make of more lines; see candidate.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/candidate.h"
#include "util/message.h"

int candidate_open(const struct host *host, const char *compiled, const struct slot *slot,
		   struct host **candidate)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	int ret = host_twin(host, candidate);

	if (ret)
		return ret;
	out = open_memstream(&text, &size);
	if (out)
		fputs(compiled, out);
	for (size_t i = 0; out && slot && i < slot->count; i++) {
		const struct pci_function *fn = &slot->fn[i];
		char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];

		fprintf(out, "bind %s=%s\n", pci_address_format(&fn->addr, addr),
			pci_id_format(&fn->id, id));
	}
	if (!out || fclose(out))
		ret = message_errno(-ENOMEM, "cannot try it");
	else
		ret = host_decide_text(*candidate, text, size);
	if (!ret)
		return 0;
	host_close(*candidate);
	*candidate = NULL;
	return ret;
}
