// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared by detach, reattach and apply --now; see handover.h. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands/handover.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "host/boot_report.h"
#include "ui/output.h"
#include "util/array.h"
#include "util/message.h"

#define LOCK_MS 10000 /* for late runs for a device that is being plugged in */

/* Does a word name the function, its slot, or, with --group, a group of the slot? */
static bool is_meant(const struct handover *handover, const struct selector *sel,
		     const struct pci_address *addr)
{
	const struct host *host = handover->host;
	int rootfd = host->root.fd;
	char path[SYSFS_PATH_MAX], group[32], other[32];

	if (pci_address_same_slot(&sel->addr, addr))
		return handover->scope != SLOT_ONLY || pci_address_equal(&sel->addr, addr);
	if (handover->scope != SLOT_GROUP ||
	    sysfs_link_name(rootfd, pci_attribute(path, addr, "iommu_group"), group, sizeof(group)))
		return false;
	for (size_t i = 0; i < host->count; i++)
		if (pci_address_same_slot(&sel->addr, &host->fn[i].pci.addr) &&
		    !sysfs_link_name(rootfd,
				     pci_attribute(path, &host->fn[i].pci.addr, "iommu_group"),
				     other, sizeof(other)) &&
		    !strcmp(group, other))
			return true;
	return false;
}

/* Reads from the report what must not be read from a stuck function. */
static void read_reported(const struct host *host, struct pci_function *fn)
{
	char addr[PCI_ADDRESS_SIZE];
	const struct boot_report_entry *entry =
		boot_report_find(&host->report, pci_address_format(&fn->addr, addr));

	if (!entry)
		return;
	sscanf(entry->id, "%4hx:%4hx", &fn->id.vendor, &fn->id.device);
	snprintf(fn->driver, sizeof(fn->driver), "%s", entry->driver);
}

int handover_refuse_stuck(struct handover *handover, int argc, char **argv)
{
	const struct host *host = handover->host;
	int ret = 0;

	for (size_t i = 0; i < host->unreadables; i++) {
		struct pci_function fn = { .addr = host->unreadable[i].addr, .group = -1 };

		read_reported(host, &fn);
		for (int j = 0; j < argc && host_is_stuck(host, &fn.addr); j++) {
			struct selector sel;

			if (slot_parse(host, argv[j], &sel) || pci_resolve(host->root.fd, &sel) ||
			    !is_meant(handover, &sel, &fn.addr))
				continue;
			handover_add(
				handover, &fn, REPORT_FAILED, code_name(REASON_STUCK),
				"stuck: a driver does not let go of it, and nothing is tried again",
				"reboot");
			ret = -EBUSY;
			break;
		}
	}
	return ret;
}

int handover_open(struct handover *handover)
{
	const struct root *root = &handover->host->root;

	clock_gettime(CLOCK_MONOTONIC, &handover->started);
	handover->report = (struct report){ .rootfd = root->fd };
	if (root->is_host && geteuid() && !handover->is_dry)
		return message_error("only root may change who has a device; fix: run it as root");
	handover->act = mmap(NULL, sizeof(*handover->act), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (handover->act == MAP_FAILED) {
		handover->act = NULL;
		return message_errno(-ENOMEM, "cannot begin");
	}
	handover->act->rootfd = root->fd;
	return 0;
}

int handover_lock(struct handover *handover)
{
	int ret;

	if (handover->is_dry)
		return 0;
	report_begin(&handover->report, false);
	handover->lockfd = sysfs_open_lock(handover->host->root.fd, PATH_RUN_LOCK);
	if (handover->lockfd < 0)
		return message_errno(handover->lockfd, "cannot open %s/" PATH_RUN_LOCK,
				     handover->host->root.path);
	ret = sysfs_lock(handover->lockfd, LOCK_MS);
	if (ret == -ETIMEDOUT)
		return message_error("another run is handing devices over; fix: wait until it "
				     "ends, then try again");
	return ret ? message_errno(ret, "cannot lock " PATH_RUN_LOCK) : 0;
}

void handover_close(struct handover *handover)
{
	if (handover->lockfd >= 0) {
		/* Also if a process below the child hangs: it has a copy of the descriptor. */
		sysfs_unlock(handover->lockfd);
		sysfs_close(handover->lockfd);
	}
	handover->lockfd = -1;
	if (handover->act)
		munmap(handover->act, sizeof(*handover->act));
	users_free(&handover->users);
	slot_free(&handover->slot);
	free(handover->item);
	handover->act = NULL;
	handover->item = NULL;
	handover->items = 0;
}

unsigned int handover_ms(const struct handover *handover)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned int)((now.tv_sec - handover->started.tv_sec) * 1000 +
			      (now.tv_nsec - handover->started.tv_nsec) / 1000000);
}

struct handover_item *handover_add(struct handover *handover, const struct pci_function *fn,
				   enum report_result result, const char *code, const char *why,
				   const char *fix)
{
	struct handover_item item = { .fn = *fn, .result = result, .code = code };

	strcpy(item.driver, fn->driver);
	snprintf(item.why, sizeof(item.why), "%s", why);
	snprintf(item.fix, sizeof(item.fix), "%s", fix);
	if (array_append(&handover->item, &handover->items, sizeof(item), &item))
		return NULL;
	return &handover->item[handover->items - 1];
}

void handover_tell(struct handover *handover, const struct pci_function *fn, const char *driver,
		   enum report_result result, const char *what, const char *command,
		   const char *more)
{
	char reason[64];
	const struct report_entry entry = {
		.fn = fn,
		.result = result,
		.why = REASON_BY_ADMIN,
		.driver = driver,
		.reason = reason,
		.more = more,
		.ms = handover_ms(handover),
	};

	snprintf(reason, sizeof(reason), "by vfio-early %s", command);
	report_function(&handover->report, REPORT_INFO, fn, what, reason);
	report_entry(&handover->report, &entry);
	if (report_find_entry(&handover->report, fn) != result)
		message_warn("cannot write /" PATH_RUN_REPORT ": status and late runs do not know "
			     "of this; fix: make room in /run");
}

int handover_run(struct handover *handover, int (*fn)(void *arg), void *arg, int ms)
{
	int ret;

	(void)handover;
	/* The child would write the content of the buffers a second time. */
	fflush(NULL);
	ret = act_with_deadline(fn, arg, ms);
	return ret > 0 ? -ret : ret;
}

/* --- messages */

static bool is_bad(const struct handover_item *item)
{
	return item->result == REPORT_FAILED || item->result == REPORT_REFUSED ||
	       item->result == REPORT_HELD || item->result == REPORT_UNDONE;
}

static void print_users(const struct handover *handover)
{
	char addr[PCI_ADDRESS_SIZE], text[400], fix[200];

	for (size_t i = 0; i < handover->users.count; i++) {
		const struct user *user = &handover->users.list[i];

		pci_address_format(&user->addr, addr);
		user_words(user, text, sizeof(text));
		user_fix(user, fix, sizeof(fix));
		if (handover->force && user_may_be_forced(user))
			message_warn("%s: %s", addr, text);
		else
			message_error("%s %s in use: %s; fix: %s", addr,
				      user->code == USER_UNKNOWN ? "may be" : "is", text, fix);
	}
}

void handover_print(const struct handover *handover)
{
	char addr[PCI_ADDRESS_SIZE];

	fflush(stdout);
	print_users(handover);
	for (size_t i = 0; i < handover->items; i++) {
		const struct handover_item *item = &handover->item[i];

		pci_address_format(&item->fn.addr, addr);
		if (!is_bad(item))
			printf("%s: %s%s%s\n", addr, item->why, *item->fix ? "; " : "", item->fix);
		else if (*item->why)
			message_error("%s: %s%s%s", addr, item->why, *item->fix ? "; fix: " : "",
				      item->fix);
	}
	if (handover->is_dry)
		puts("This was a dry run: nothing was changed.");
}

static struct json_object *json_item(const struct handover_item *item)
{
	struct json_object *json = json_object_new_object();
	char text[64];

	json_object_object_add(json, "address",
			       output_json_text(pci_address_format(&item->fn.addr, text)));
	json_object_object_add(json, "id", output_json_text(pci_id_format(&item->fn.id, text)));
	json_object_object_add(json, "group",
			       item->fn.group < 0 ? NULL : json_object_new_int(item->fn.group));
	json_object_object_add(json, "was", output_json_text(item->fn.driver));
	json_object_object_add(json, "driver", output_json_text(item->driver));
	json_object_object_add(json, "result", output_json_text(code_report_name(item->result)));
	json_object_object_add(json, "code", output_json_text(item->code));
	json_object_object_add(json, "why", output_json_text(item->why));
	json_object_object_add(json, "fix", output_json_text(item->fix));
	return json;
}

static struct json_object *json_user(const struct handover *handover, const struct user *user)
{
	struct json_object *json = json_object_new_object();
	bool is_forced = handover->force && user_may_be_forced(user);
	char text[400];

	json_object_object_add(json, "address",
			       output_json_text(pci_address_format(&user->addr, text)));
	json_object_object_add(json, "code", output_json_text(user_code_name(user->code)));
	json_object_object_add(json, "process", output_json_text(user->process));
	json_object_object_add(json, "pid", user->pid ? json_object_new_int(user->pid) : NULL);
	json_object_object_add(json, "what", output_json_text(user->what));
	json_object_object_add(json, "forced", json_object_new_boolean(is_forced));
	json_object_object_add(json, "text",
			       output_json_text(user_words(user, text, sizeof(text))));
	json_object_object_add(json, "fix", output_json_text(user_fix(user, text, sizeof(text))));
	return json;
}

int handover_json(const struct handover *handover)
{
	struct json_object *top = output_json_object(), *functions = json_object_new_array(),
			   *users = json_object_new_array();

	for (size_t i = 0; i < handover->items; i++)
		json_object_array_add(functions, json_item(&handover->item[i]));
	for (size_t i = 0; i < handover->users.count; i++)
		json_object_array_add(users, json_user(handover, &handover->users.list[i]));
	json_object_object_add(top, "dry_run", json_object_new_boolean(handover->is_dry));
	json_object_object_add(top, "functions", functions);
	json_object_object_add(top, "users", users);
	return output_json(top);
}
