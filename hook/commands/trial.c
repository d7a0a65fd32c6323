// SPDX-License-Identifier: GPL-2.0-or-later
/* What the boot would make of more lines; see trial.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/trial.h"
#include "plan/plan.h"
#include "util/message.h"

int trial_run(struct trial *trial, const struct host *host, const struct slot *slot)
{
	struct plan_errors errors = { 0 };
	size_t size = 0;
	FILE *out;
	int ret = 0;

	if (!trial->compiled)
		ret = plan_compile(&host->root, NULL, &trial->compiled, &size);
	if (ret)
		return ret;
	free(trial->text);
	trial->text = NULL;
	out = open_memstream(&trial->text, &size);
	if (!out)
		return message_errno(-ENOMEM, "cannot try it");
	fputs(trial->compiled, out);
	for (size_t i = 0; slot && i < slot->count; i++) {
		const struct pci_function *fn = &slot->fn[i];
		char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];

		fprintf(out, "bind %s=%s\n", pci_address_format(&fn->addr, addr),
			pci_id_format(&fn->id, id));
	}
	if (fclose(out))
		return message_errno(-ENOMEM, "cannot try it");

	plan_init(&trial->plan);
	plan_parse(&trial->plan, trial->text, size, PLAN_COMPILED, &errors);
	if (errors.count)
		return message_error("cannot try it: %s", errors.error[0].what);
	iommu_read(host->root.fd, host->cmdline, plan_wants_noiommu(&trial->plan), &trial->iommu);
	trial->table.late_groups = trial->iommu.has_smmu;
	ret = pci_collect(host->root.fd, &trial->plan, NULL, &trial->table);
	if (ret)
		return message_errno(ret, "cannot read the PCI functions that the config names");
	host_before_drivers(host, &trial->table);
	decide(&trial->plan, &trial->iommu, &trial->table, &trial->decisions);
	return 0;
}

int trial_find(const struct trial *trial, const struct pci_address *addr)
{
	for (unsigned int i = 0; i < trial->table.count; i++)
		if (pci_address_equal(&trial->table.fn[i].addr, addr))
			return (int)i;
	return -1;
}

void trial_free(struct trial *trial)
{
	free(trial->compiled);
	free(trial->text);
}
