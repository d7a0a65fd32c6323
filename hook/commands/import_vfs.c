// SPDX-License-Identifier: GPL-2.0-or-later
/* vfs lines from other ways to make virtual functions; see import_ids.h. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/import_ids.h"
#include "early/pci.h"
#include "early/plan.h"
#include "findings/vfs_makers.h"
#include "host/naming.h"
#include "util/message.h"

struct importing {
	struct import *import;
	unsigned int *number; /* for each function of the host: the number in its new line, or 0 */
	FILE *done;	      /* names of lines that the config replaces */
	FILE *idle;	      /* and of those that are not in force */
	int ret;	      /* of what is called for each line */
	char **zero;	      /* for each function: lines of a 0 before its number */
};

/* The number that the config or a new line has for it, or 0. */
static unsigned int find_number(const struct importing *importing, const struct host_function *fn)
{
	const struct host *host = importing->import->host;
	const struct plan_vfs *line = host_vfs(host, &fn->pci.addr);

	return line ? line->number : importing->number[fn - host->fn];
}

/* @fix: printf()-like */
__attribute__((format(printf, 5, 6))) static bool leave_out(struct importing *importing,
							    const char *from, const char *addr,
							    const char *why, const char *fix, ...)
{
	char text[NAMING_SIZE + 96];
	va_list args;

	va_start(args, fix);
	vsnprintf(text, sizeof(text), fix, args);
	va_end(args);
	message_error("%s: virtual functions of %s are left out: %s; fix: %s", from, addr, why,
		      text);
	importing->import->is_incomplete = true;
	return false;
}

/* The number cannot be read from the line. */
static bool leave_out_unread(struct importing *importing, const struct vfs_maker *maker,
			     const char *from)
{
	static const char why[] = "the line says no plain number, or does more than that";
	char addr[PCI_ADDRESS_SIZE];

	if (!maker->fn)
		return leave_out(importing, from, "a function", why,
				 "vfio-early add --vfs NUMBER ADDRESS, then delete the line");
	pci_address_format(&maker->fn->pci.addr, addr);
	if (find_number(importing, maker->fn))
		return leave_out(importing, from, addr, why,
				 "delete the line; the config has %u of them",
				 find_number(importing, maker->fn));
	return leave_out(importing, from, addr, why,
			 "vfio-early add --vfs NUMBER %s, then delete the line", addr);
}

/*
 * Does the config, or a line that this import makes, bind the physical function? `add --vfs` refuses it
 * then, too. @fix: the command that takes it out of the bind lines
 */
static bool is_bound_itself(const struct import *import, const struct host_function *fn,
			    char fix[NAMING_SIZE])
{
	const struct host *next = import->next;
	const struct host_function *mine = host_find(next, &fn->pci.addr);
	struct slot list = { 0 };

	if (!mine || mine->place == DECIDE_NO_INDEX ||
	    !decide_is_taken(&next->decisions.verdict[mine->place]))
		return false;
	if (naming_add_one(next, &fn->pci.addr, &list))
		snprintf(fix, NAMING_SIZE, "take it out of the bind lines of the config");
	else
		naming_remove(next, &list, fix);
	slot_free(&list);
	return true;
}

static bool import_one(struct importing *importing, const struct vfs_maker *maker, const char *from,
		       const struct host_function *fn)
{
	struct import *import = importing->import;
	unsigned int before = find_number(importing, fn);
	unsigned int total = host_number(import->host, fn, "sriov_totalvfs");
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], name[96], why[128], fix[NAMING_SIZE];

	pci_address_format(&fn->pci.addr, addr);
	if (!total)
		return leave_out(importing, from, addr, "it has no SR-IOV", "delete the line");
	if (is_bound_itself(import, fn, fix))
		return leave_out(importing, from, addr,
				 "it is bound itself, and on vfio-pci it makes none",
				 "delete the line, or keep it from being bound first: %s", fix);
	if (before && before != (unsigned long)maker->number) {
		snprintf(why, sizeof(why), "%ld are asked for, and another line has %u",
			 maker->number, before);
		return leave_out(importing, from, addr, why,
				 "delete the line, or correct the number of vfs %s in the config",
				 addr);
	}
	if (maker->number > (long)total) {
		snprintf(why, sizeof(why), "%ld are asked for, and it can have %u", maker->number,
			 total);
		/* add refuses another number than that of the config. */
		if (before)
			return leave_out(
				importing, from, addr, why,
				"write %u or fewer into the line vfs %s of the config, then "
				"delete this one",
				total, addr);
		return leave_out(importing, from, addr, why,
				 "vfio-early add --vfs %u %s, then delete the line", total, addr);
	}
	if (before)
		return true;
	names_device(import->host->names, &fn->pci.id, name, sizeof(name));
	fprintf(import->out, "vfs %s=%s %ld\t# %s%sfrom %s\n", addr, pci_id_format(&fn->pci.id, id),
		maker->number, name, *name ? ", " : "", from);
	importing->number[fn - import->host->fn] = (unsigned int)maker->number;
	import->added++;
	return true;
}

/* max_vfs= applies to every function of the driver. */
static bool import_driver(struct importing *importing, const struct vfs_maker *maker,
			  const char *from)
{
	struct host *host = importing->import->host;
	bool is_whole = true;
	unsigned int found = 0;

	for (size_t i = 0; i < host->count; i++) {
		if (!vfs_maker_is_of(maker, &host->fn[i]) ||
		    !host_number(host, &host->fn[i], "sriov_totalvfs"))
			continue;
		found++;
		is_whole &= import_one(importing, maker, from, &host->fn[i]);
	}
	return found ? is_whole :
		       leave_out(importing, from, maker->driver,
				 "no function with SR-IOV has that driver today",
				 "vfio-early add --vfs NUMBER ADDRESS, then delete the line");
}

/*
 * A 0 before the number, as a kernel wants it that is to change one: alone, it would remove those
 * that the config makes, so it goes with the line of the number.
 */
static void keep_zero(struct importing *importing, const struct vfs_maker *maker, const char *from)
{
	char **zero, *text;

	if (!maker->fn || !maker->is_overwritten)
		return;
	zero = &importing->zero[maker->fn - importing->import->host->fn];
	if (asprintf(&text, "%s  %s: %s\n", *zero ? *zero : "", from, maker->text) < 0) {
		importing->ret = -ENOMEM;
		return;
	}
	free(*zero);
	*zero = text;
}

static void print_zero(struct importing *importing, const struct host_function *fn)
{
	char **zero = &importing->zero[fn - importing->import->host->fn];

	if (*zero)
		fputs(*zero, importing->done);
	free(*zero);
	*zero = NULL;
}

static void import_maker(const struct vfs_maker *maker, void *arg)
{
	struct importing *importing = arg;
	char from[PATH_MAX + 16];
	bool is_whole;

	snprintf(from, sizeof(from), "%s:%u", maker->file, maker->line);
	if (maker->idle || (maker->number && maker->is_overwritten)) {
		fprintf(importing->idle, "  %s: %s: %s\n", from, maker->text,
			maker->idle ? vfs_maker_why_idle(maker) : "a later line writes 0");
		return;
	}
	/* Zero is also the default without the line. */
	if (!maker->number) {
		keep_zero(importing, maker, from);
		return;
	}
	if (maker->is_nvidia) {
		message_warn("%s: stays as it is: NVIDIA's own script makes the virtual functions "
			     "of its GPUs",
			     from);
		return;
	}
	importing->import->givers++;
	if (maker->is_unread)
		message_warn("%s: nothing on this host reads that file by itself", from);
	if (maker->number < 0 || maker->number > PLAN_VFS_MAX)
		is_whole = leave_out_unread(importing, maker, from);
	else if (maker->driver)
		is_whole = import_driver(importing, maker, from);
	else if (!maker->fn)
		is_whole = leave_out(importing, from, "a function",
				     "which one is not said there, or it is not there today",
				     "vfio-early add --vfs NUMBER ADDRESS, then delete the line");
	else
		is_whole = import_one(importing, maker, from, maker->fn);
	if (!is_whole)
		return;
	if (maker->fn)
		print_zero(importing, maker->fn);
	fprintf(importing->done, "  %s: %s\n", from, maker->text);
}

int import_vfs(struct import *import)
{
	struct importing importing = { .import = import };
	size_t count = import->host->count, size;
	int ret = -ENOMEM;

	importing.number = calloc(count + 1, sizeof(*importing.number));
	importing.zero = calloc(count + 1, sizeof(*importing.zero));
	importing.done = open_memstream(&import->vfs_done, &size);
	importing.idle = open_memstream(&import->vfs_idle, &size);
	if (importing.number && importing.zero && importing.done && importing.idle)
		ret = vfs_makers_find(import->host, import_maker, &importing);
	if (!ret)
		ret = importing.ret;
	if (importing.done && fclose(importing.done))
		ret = -ENOMEM;
	if (importing.idle && fclose(importing.idle))
		ret = -ENOMEM;
	for (size_t i = 0; i < count && importing.zero; i++)
		free(importing.zero[i]);
	free(importing.zero);
	free(importing.number);
	return ret ? message_errno(ret, "cannot import") : 0;
}
