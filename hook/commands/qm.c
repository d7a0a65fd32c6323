// SPDX-License-Identifier: GPL-2.0-or-later
/* The programs with which Proxmox VE changes a VM; see qm.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/qm.h"
#include "util/array.h"
#include "util/file.h"
#include "util/message.h"
#include "util/program.h"

/*
 * Finds qm where the user's shell would. It is run without a shell, so no argument is interpreted.
 */
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

static int read_recorded(struct qm *qm, const struct host *host, const struct pve *pve,
			 const char *id)
{
	char path[64], *text;
	size_t size;
	int ret;

	snprintf(path, sizeof(path), "etc/pve/qemu-server/%s.conf", id);
	ret = file_read(host->root.fd, path, 1 << 20, &text, &size);
	if (ret && pve->state == PVE_KNOWN)
		return message_error("/%s: %s; fix: name a VM of this machine", path,
				     strerror(-ret));
	if (ret)
		return 0;
	qm->is_known = true;
	ret = pve_config_parse(text, &qm->config);
	free(text);
	return ret ? message_errno(ret, "cannot read VM %s", id) : 0;
}

int qm_read(struct qm *qm, const struct host *host, const struct pve *pve, const char *id)
{
	const char *const argv[] = { qm->path, "config", id, NULL };
	char *said;
	int status, ret = 0;

	/* Reading it would block for ever. */
	if (pve->state == PVE_UNKNOWN && pve->error == -ETIMEDOUT)
		return message_error("/etc/pve does not answer; fix: systemctl status pve-cluster");
	if (!host->root.is_host)
		return read_recorded(qm, host, pve, id);
	find(qm);
	if (!*qm->path)
		return 0;
	status = program_run(NULL, argv, &said, NULL);
	qm->is_known = !status;
	if (said && !status)
		ret = pve_config_parse(said, &qm->config);
	free(said);
	if (status < 0)
		return message_errno(status, "cannot run %s", qm->path);
	if (status)
		return message_error("qm config %s ended with status %d; fix: name a VM of this "
				     "host (qm list)",
				     id, status);
	return ret ? message_errno(ret, "cannot read VM %s", id) : 0;
}

static int run_call(const struct qm *qm, size_t at)
{
	const struct qm_call *call = &qm->call[at];
	const char **argv = calloc(call->words + 1, sizeof(*argv));
	char path[PATH_MAX + 16];
	int status;

	if (!argv)
		return message_errno(-ENOMEM, "cannot run %s", call->word[0]);
	/* In the folder of qm, because program_run() has changed PATH. */
	snprintf(path, sizeof(path), "%.*s/%s", (int)(strrchr(qm->path, '/') - qm->path), qm->path,
		 call->word[0]);
	argv[0] = path;
	for (size_t i = 1; i < call->words; i++)
		argv[i] = call->word[i];
	status = program_run(NULL, argv, NULL, NULL);
	free(argv);
	if (status < 0)
		return message_errno(status, "cannot run %s", call->word[0]);
	if (status)
		return message_error("%s %s %s %s ended with status %d; done before it: %zu of "
				     "%zu",
				     call->word[0], call->word[1], call->word[2], call->word[3],
				     status, at, qm->calls);
	return 0;
}

int qm_run(const struct qm *qm)
{
	int ret = 0;

	for (size_t i = 0; i < qm->calls && !ret; i++)
		ret = run_call(qm, i);
	return ret;
}

static void free_call(struct qm_call *call)
{
	for (size_t i = 0; i < call->words; i++)
		free(call->word[i]);
	free(call->word);
}

int qm_add(struct qm *qm, const char *const *word, size_t words)
{
	struct qm_call call = { .word = calloc(words + 1, sizeof(*call.word)) };

	for (; call.word && call.words < words; call.words++) {
		call.word[call.words] = strdup(word[call.words]);
		if (!call.word[call.words])
			break;
	}
	if (call.word && call.words == words &&
	    !array_append(&qm->call, &qm->calls, sizeof(call), &call))
		return 0;
	if (call.word)
		free_call(&call);
	return -ENOMEM;
}

void qm_free(struct qm *qm)
{
	for (size_t i = 0; i < qm->calls; i++)
		free_call(&qm->call[i]);
	free(qm->call);
	pve_config_free(&qm->config);
}
