// SPDX-License-Identifier: GPL-2.0-or-later
/* Decides with additional lines; see candidate.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/candidate.h"
#include "config/state.h"
#include "util/message.h"

void candidate_say_undone(const struct host *host, struct findings *findings)
{
	struct findings undone = { 0 };
	enum finding_code code;

	if (!state_is(&host->root, STATE_UNDONE))
		return;
	code = findings_undone(&host->root);
	finding_add(&undone, code, "config", NULL);
	if (undone.count)
		message_note("%s; fix: %s", undone.list->text, undone.list->fix);
	findings_free(&undone);
	if (findings)
		finding_add(findings, code, "config", NULL);
}

void candidate_bind(const struct host *host, const struct pci_function *fn, const char *keyword,
		    FILE *out)
{
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], path[SYSFS_PATH_MAX];

	fprintf(out, "%s %s=%s", keyword, pci_address_format(&fn->addr, addr),
		pci_id_format(&fn->id, id));
	if (!pci_path(host->root.fd, &fn->addr, path, sizeof(path)))
		fprintf(out, "@%s", path);
	fputc('\n', out);
}

/* Without the paths that candidate_bind() wrote: the compiler pins none where the facts are unknown. */
static void write_unpinned(const char *lines, FILE *out)
{
	for (size_t len; *lines; lines += len) {
		len = strcspn(lines, "@\n");
		fwrite(lines, 1, len, out);
		if (lines[len] == '@')
			len += strcspn(lines + len, "\n");
		if (lines[len])
			fputc(lines[len++], out);
	}
}

int candidate_open(const struct host *host, const char *compiled, const char *lines,
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
	if (out && strstr(compiled, "\nfacts unknown\n"))
		write_unpinned(lines, out);
	else if (out)
		fputs(lines, out);
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
