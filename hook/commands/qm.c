// SPDX-License-Identifier: GPL-2.0-or-later
/* The program by which Proxmox VE changes a VM; see qm.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/qm.h"
#include "util/file.h"
#include "util/message.h"
#include "util/program.h"

/* Where the user's shell would find it. No shell, and so no word is taken for anything else. */
static void find(struct qm *qm)
{
	const char *dir = getenv("PATH");

	for (dir = dir ? dir : "/usr/sbin:/usr/bin"; *dir; dir += *dir == ':') {
		size_t len = strcspn(dir, ":");

		if (len && *dir == '/' &&
		    snprintf(qm->path, sizeof(qm->path), "%.*s/qm", (int)len, dir) <
			    (int)sizeof(qm->path) &&
		    !access(qm->path, X_OK))
			return;
		dir += len;
	}
	qm->path[0] = '\0';
}

/* Where a value's storage ends: "local-lvm:vm-101-disk-0,size=32G" */
static void take_disk(struct qm_config *config, const char *value)
{
	size_t len = strcspn(value, ":,");

	if (strstr(value, "media=cdrom") || !strncmp(value, "none", 4))
		return;
	config->has_disk = true;
	if (value[len] == ':' && *value != '/' && !*config->storage)
		snprintf(config->storage, sizeof(config->storage), "%.*s", (int)len, value);
}

static bool take_indexed(const char *key, const char *name, char **list, unsigned int max,
			 const char *value)
{
	size_t len = strlen(name);
	unsigned long i;
	char *end;

	if (strncmp(key, name, len) != 0 || !isdigit((unsigned char)key[len]))
		return false;
	i = strtoul(key + len, &end, 10);
	if (*end || i >= max)
		return false;
	free(list[i]);
	list[i] = strdup(value);
	return true;
}

/* "hostpci0: 0000:81:00,pcie=1" */
static void take_line(struct qm_config *config, char *line)
{
	static const char *const disks[] = { "scsi", "virtio", "sata", "ide", "nvme" };
	char *value = strstr(line, ": ");

	if (!value)
		return;
	*value = '\0';
	value += 2;
	value[strcspn(value, "\r\n")] = '\0';
	if (take_indexed(line, "hostpci", config->hostpci, QM_MAX_HOSTPCI, value) ||
	    take_indexed(line, "usb", config->usb, QM_MAX_USB, value))
		return;
	if (!strcmp(line, "machine"))
		config->has_q35 = strstr(value, "q35") != NULL;
	else if (!strcmp(line, "bios"))
		config->has_ovmf = !strcmp(value, "ovmf");
	else if (!strcmp(line, "efidisk0"))
		config->has_efidisk = true;
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		size_t len = strlen(disks[i]);

		if (!strncmp(line, disks[i], len) && isdigit((unsigned char)line[len]))
			take_disk(config, value);
	}
}

static void read_lines(struct qm_config *config, FILE *in)
{
	char *line = NULL;
	size_t size = 0;

	/* Snapshots follow behind the first "[name]": they are not the machine as it is. */
	while (getline(&line, &size, in) > 0 && *line != '[')
		take_line(config, line);
	free(line);
	config->is_known = true;
}

/* Of a recorded machine its file, of this host what qm says. */
int qm_read(struct qm *qm, const struct host *host, const char *id)
{
	const char *const argv[] = { qm->path, "config", id, NULL };
	char path[PATH_MAX], *said;
	int status;
	FILE *in;

	if (!host->root.is_host) {
		snprintf(path, sizeof(path), "etc/pve/qemu-server/%s.conf", id);
		in = file_stream(host->root.fd, path);
		if (in) {
			read_lines(&qm->config, in);
			fclose(in);
		}
		return 0;
	}
	find(qm);
	if (!*qm->path)
		return 0;
	status = program_run(NULL, argv, &said, NULL);
	in = said && *said ? fmemopen(said, strlen(said), "r") : NULL;
	qm->config.is_known = !status;
	if (in && !status)
		read_lines(&qm->config, in);
	if (in)
		fclose(in);
	free(said);
	if (status < 0)
		return message_errno(status, "cannot run %s", qm->path);
	if (status)
		return message_error("qm config %s ended with status %d; fix: name a VM of this "
				     "host (qm list)",
				     id, status);
	return 0;
}

int qm_run(const struct qm *qm)
{
	for (unsigned int i = 0; i < qm->calls; i++) {
		const char *argv[QM_WORDS + 2] = { qm->path };
		int status;

		for (unsigned int j = 0; j < QM_WORDS; j++)
			argv[j + 1] = qm->call[i].word[j];
		status = program_run(NULL, argv, NULL, NULL);
		if (status < 0)
			return message_errno(status, "cannot run %s", qm->path);
		if (status)
			return message_error("qm set %s %s ended with status %d; done before it: "
					     "%u of %u",
					     qm->call[i].word[1], qm->call[i].word[2], status, i,
					     qm->calls);
	}
	return 0;
}

bool qm_set(struct qm *qm, const char *id, const char *option, const char *value)
{
	struct qm_call *call = &qm->call[qm->calls];
	const char *const words[QM_WORDS] = { "set", id, option, value };

	if (qm->calls == QM_MAX_CALLS)
		return false;
	qm->calls++;
	for (size_t i = 0; i < QM_WORDS; i++) {
		call->word[i] = strdup(words[i]);
		if (!call->word[i])
			return false;
	}
	return true;
}

void qm_free(struct qm *qm)
{
	for (unsigned int i = 0; i < qm->calls; i++)
		for (unsigned int j = 0; j < QM_WORDS; j++)
			free(qm->call[i].word[j]);
	for (size_t i = 0; i < QM_MAX_HOSTPCI; i++)
		free(qm->config.hostpci[i]);
	for (size_t i = 0; i < QM_MAX_USB; i++)
		free(qm->config.usb[i]);
}
