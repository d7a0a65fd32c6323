// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early add --vfs; see add_vfs.h. The lines are tried before they are written: findings of
 * `check` about them are printed, and a blocking one refuses them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/add_vfs.h"
#include "commands/candidate.h"
#include "commands/command.h"
#include "config/bindlines.h"
#include "early/plan.h"
#include "early/text.h"
#include "findings/findings.h"
#include "host/names.h"
#include "host/next_boot.h"
#include "plan/plan.h"
#include "util/message.h"

#define VENDOR_NVIDIA 0x10de

struct adding {
	struct change *change;
	unsigned int number;
	char *compiled;	   /* the plan of the current config */
	struct host *next; /* this host, decided with that plan */
	char *lines;
	size_t size;
	FILE *out; /* to lines */
};

/* --- the function that is meant */

struct physical {
	const struct host *host;
	const struct host_function *fn;
	unsigned int count, able; /* functions that the word names; those with SR-IOV */
};

static void look(struct host_function *fn, void *arg)
{
	struct physical *physical = arg;
	bool is_able = host_number(physical->host, fn, "sriov_totalvfs") != 0;

	if (!physical->count || (is_able && !physical->able))
		physical->fn = fn;
	physical->count++;
	physical->able += is_able;
}

/* The one function with SR-IOV that a word names, or NULL after printing an error. */
static const struct host_function *find_physical(const struct host *host, const char *word)
{
	struct physical physical = { .host = host };
	char addr[PCI_ADDRESS_SIZE];
	const struct host_function *fn = strpbrk(word, "/ \t\"'") ? NULL :
								    host_find_interface(host, word);

	if (fn)
		word = pci_address_format(&fn->pci.addr, addr);
	if (host_select(host, word, look, &physical) < 0)
		return NULL;
	if (physical.able > 1) {
		message_error("%s names %u functions with SR-IOV; fix: name one, as %s", word,
			      physical.able, pci_address_format(&physical.fn->pci.addr, addr));
		return NULL;
	}
	return physical.fn;
}

/* --- the lines */

static int write_lines(struct adding *adding, const struct host_function *fn)
{
	const struct host *host = adding->change->host;
	const struct plan_vfs *before = host_vfs(adding->next, &fn->pci.addr);
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], name[128], where[CHANGE_SELECTOR_SIZE];
	int ret = 0;

	pci_address_format(&fn->pci.addr, addr);
	pci_id_format(&fn->pci.id, id);
	if (before && before->number != adding->number) {
		message_error(
			"%s: the config has %u virtual functions for it; fix: vfio-early remove "
			"%s, or change that vfs line",
			addr, before->number, addr);
		return COMMAND_INCOMPLETE;
	}
	snprintf(where, sizeof(where), "%s", addr);
	if (adding->change->by == CHANGE_BY_PATH)
		ret = pci_path(host->root.fd, &fn->pci.addr, where, sizeof(where));
	if (ret)
		return message_errno(ret, "cannot read the path of %s", addr);
	names_device(host->names, &fn->pci.id, name, sizeof(name));
	if (!before)
		fprintf(adding->out, "vfs %s=%s %u%s%s\n", where, id, adding->number,
			*name ? "\t# " : "", name);
	/* The findings say that it can have none. */
	if (fn->pci.id.vendor == VENDOR_NVIDIA && host_number(host, fn, "sriov_totalvfs"))
		message_warn(
			"%s: its virtual functions stay with the driver nvidia, which gives a VM its "
			"vGPU: no bind line is written",
			addr);
	else if (!host_binds_vfs(adding->next, &fn->pci.addr))
		fprintf(adding->out, "bind vf:%s=%s\n", where, id);
	return 0;
}

/* Prints the findings of `check` about the function. Returns whether one of them blocks. */
static bool try_function(const struct adding *adding, const struct findings *findings,
			 const struct host_function *fn)
{
	char addr[PCI_ADDRESS_SIZE], text[512];
	bool blocks = false;

	pci_address_format(&fn->pci.addr, addr);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		bool is_wrong = finding->level == FINDING_BLOCKS && !adding->change->force;

		if (strcmp(finding->topic, "vfs") != 0 || strcmp(finding->subject, addr) != 0 ||
		    finding->level > FINDING_NOTES)
			continue;
		snprintf(text, sizeof(text), "%s: %s%s%s", addr, finding->text,
			 *finding->fix ? "; fix: " : "", finding->fix);
		if (is_wrong)
			message_error("%s", text);
		else
			message_warn("%s", text);
		blocks |= is_wrong;
	}
	return blocks;
}

/* Would the boot refuse them all? Reports that, and returns whether the lines are refused for it. */
static bool try_except(const struct adding *adding, const struct host_function *fn)
{
	const struct host *next = adding->next;
	int except = next_boot_vf_except(next, fn);
	char addr[PCI_ADDRESS_SIZE];

	/* Those of NVIDIA get no bind line. */
	if (except < 0 || fn->pci.id.vendor == VENDOR_NVIDIA)
		return false;
	pci_address_format(&fn->pci.addr, addr);
	if (adding->change->force)
		message_warn("%s: its virtual functions are in except: the boot refuses them as "
			     "long as this is so",
			     addr);
	else
		message_error("%s: its virtual functions would be refused at boot: in except; "
			      "fix: remove %s from the except line",
			      addr, next->plan.except[except].text);
	return !adding->change->force;
}

static bool is_of_vfs(const struct finding *finding, const void *arg)
{
	(void)arg;
	return finding->stage == FINDING_STAGE_MACHINE || !strcmp(finding->topic, "vfs");
}

/* Removes the comments, which a plan cannot have behind a line. The caller frees the result. */
static char *without_names(const char *lines)
{
	char *copy = strdup(lines), *to = copy;

	for (const char *from = lines; copy && *from;) {
		if (*from == '\t')
			from += strcspn(from, "\n");
		*to++ = *from++;
	}
	if (copy)
		*to = '\0';
	return copy;
}

/* Tries all lines together. Returns an exit status, or -errno. */
static int try_lines(struct adding *adding, int argc, char **argv)
{
	struct findings *findings = &adding->change->findings;
	struct host *candidate = NULL;
	bool blocks = false;
	char *lines = without_names(adding->lines);
	int ret = lines ? candidate_open(adding->change->host, adding->compiled, lines,
					 &candidate) :
			  message_errno(-ENOMEM, "cannot try it");

	free(lines);
	if (!ret)
		ret = findings_collect_check(candidate, NULL, findings);
	for (int i = 0; i < argc && !ret; i++) {
		const struct host_function *fn = find_physical(adding->change->host, argv[i]);

		if (!fn)
			continue;
		blocks |= try_function(adding, findings, fn);
		blocks |= try_except(adding, fn);
	}
	host_close(candidate);
	findings_keep(findings, is_of_vfs, NULL);
	adding->change->is_refused = blocks;
	if (!blocks)
		return ret;
	message_error("nothing was written");
	return COMMAND_INCOMPLETE;
}

/* "0000:81:00.0 enp129s0f0": both name the same function, which has its lines. */
static bool is_repeated(const struct host *host, const struct host_function *fn, int count,
			char **argv)
{
	for (int i = 0; i < count; i++)
		if (find_physical(host, argv[i]) == fn)
			return true;
	return false;
}

static int make_lines(struct adding *adding, int argc, char **argv)
{
	const struct host *host = adding->change->host;
	int ret = 0;

	adding->out = open_memstream(&adding->lines, &adding->size);
	if (!adding->out)
		return message_errno(-ENOMEM, "cannot write the lines");
	for (int i = 0; i < argc && !ret; i++) {
		const struct host_function *fn = find_physical(host, argv[i]);

		if (!fn)
			ret = COMMAND_USAGE;
		else if (!is_repeated(host, fn, i, argv))
			ret = write_lines(adding, fn);
	}
	if (fclose(adding->out) && !ret)
		ret = message_errno(-ENOMEM, "cannot write the lines");
	return ret ? ret : try_lines(adding, argc, argv);
}

static int write_config(const struct adding *adding)
{
	struct edit edit = EDIT_NONE;
	int ret = edit_open(&adding->change->host->root, BINDLINES_FILE, &edit);

	if (!ret && !*adding->lines) {
		change_say_nothing(adding->change);
	} else if (!ret) {
		ret = bindlines_insert(&edit, adding->lines);
		if (!ret)
			ret = change_write(adding->change, &edit);
		if (!ret)
			change_say_next(adding->change);
	}
	edit_close(&edit);
	return ret;
}

int add_vfs(struct change *change, int argc, char **argv)
{
	struct adding adding = { .change = change, .number = text_number(change->vfs) };
	size_t size = strspn(change->vfs, "0123456789");
	int ret;

	/* text_number() wraps around on large numbers. */
	if (change->vfs[size] || size > strlen("65535") || !adding.number ||
	    adding.number > PLAN_VFS_MAX) {
		message_error("%s is not a number of virtual functions; fix: write --vfs 4",
			      change->vfs);
		return COMMAND_USAGE;
	}
	if (change->by == CHANGE_BY_ID || change->scope != SLOT_WHOLE) {
		message_error(
			"--vfs is for one function; fix: leave out --group, --only and --by id");
		return COMMAND_USAGE;
	}
	ret = plan_compile(&change->host->root, NULL, &adding.compiled, &size);
	if (!ret)
		ret = candidate_open(change->host, adding.compiled, "", &adding.next);
	if (!ret)
		ret = make_lines(&adding, argc, argv);
	if (!ret)
		ret = write_config(&adding);
	host_close(adding.next);
	free(adding.compiled);
	change->lines = adding.lines;
	return ret < 0 ? COMMAND_NOTHING : ret;
}
