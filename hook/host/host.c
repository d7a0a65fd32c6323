// SPDX-License-Identifier: GPL-2.0-or-later
/* The facts of a host; see host.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/state.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "early/tell.h"
#include "host/host.h"
#include "plan/plan.h"
#include "util/address.h"
#include "util/array.h"
#include "util/message.h"

#define PATH_OSRELEASE "proc/sys/kernel/osrelease"
#define PATH_MODULES   "lib/modules"

static int compare_function(const void *a, const void *b)
{
	const struct host_function *one = a, *other = b;

	return address_compare(&one->pci.addr, &other->pci.addr);
}

static int add_function(const struct pci_function *fn, int error, void *arg)
{
	struct host *host = arg;
	const struct host_function item = { .pci = *fn, .place = DECIDE_NO_INDEX };

	if (!error)
		return array_append(&host->fn, &host->count, sizeof(item), &item);
	host->unreadable++;
	return 0;
}

/* A card is more than its display function: its audio, USB and UCSI belong to it. */
static void mark_displays(struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		if (host->fn[i].pci.class >> 16 != 0x03)
			continue;
		for (size_t j = i + 1; j-- > 0;) {
			if (!pci_address_same_slot(&host->fn[j].pci.addr, &host->fn[i].pci.addr))
				break;
			host->fn[j].is_display = true;
		}
		for (size_t j = i + 1; j < host->count; j++) {
			if (!pci_address_same_slot(&host->fn[j].pci.addr, &host->fn[i].pci.addr))
				break;
			host->fn[j].is_display = true;
		}
	}
}

static int open_host(const char *dir, bool may_be_blind, struct host **result)
{
	struct host *host = calloc(1, sizeof(*host));
	int ret;

	*result = NULL;
	if (!host)
		return message_errno(-ENOMEM, "cannot read this host");
	host->devicesfd = -1;
	ret = root_open(&host->root, dir);
	if (ret)
		goto out;

	ret = pci_scan(host->root.fd, add_function, host);
	if (ret && !(ret == -ENOENT && may_be_blind)) {
		message_errno(ret, "cannot read %s/" PATH_PCI_DEVICES "; fix: %s", host->root.path,
			      host->root.is_host ? "run it on the host, with /sys mounted" :
						   "name the top of a machine's tree");
		goto out;
	}
	if (host->unreadable)
		message_warn("%u PCI function%s cannot be read, and %s left out", host->unreadable,
			     host->unreadable == 1 ? "" : "s",
			     host->unreadable == 1 ? "is" : "are");
	host->devicesfd = sysfs_open_dir(host->root.fd, PATH_PCI_DEVICES);
	if (host->count)
		qsort(host->fn, host->count, sizeof(*host->fn), compare_function);
	mark_displays(host);
	host->names = names_open(&host->root);

	sysfs_read_whole(host->root.fd, PATH_CMDLINE, host->cmdline, sizeof(host->cmdline));
	iommu_read(host->root.fd, host->cmdline, false, &host->iommu);
	*result = host;
	return 0;
out:
	host_close(host);
	return ret;
}

int host_open(const char *dir, struct host **host)
{
	return open_host(dir, false, host);
}

int host_open_blind(const char *dir, struct host **host)
{
	return open_host(dir, true, host);
}

int host_twin(const struct host *host, struct host **result)
{
	struct host *twin = calloc(1, sizeof(*twin));
	int fd = -1;

	*result = NULL;
	if (!twin)
		return message_errno(-ENOMEM, "cannot read this host");
	twin->root = host->root;
	twin->root.fd = fcntl(host->root.fd, F_DUPFD_CLOEXEC, 0);
	if (host->devicesfd >= 0)
		fd = fcntl(host->devicesfd, F_DUPFD_CLOEXEC, 0);
	twin->devicesfd = fd;
	twin->iommu = host->iommu;
	twin->is_undone = host->is_undone;
	strcpy(twin->cmdline, host->cmdline);
	for (size_t i = 0; i < host->count; i++)
		if (array_append(&twin->fn, &twin->count, sizeof(*twin->fn), &host->fn[i]))
			break;
	twin->names = names_open(&twin->root);
	if (twin->root.fd < 0 || (host->devicesfd >= 0 && fd < 0) || twin->count != host->count) {
		host_close(twin);
		return message_errno(-ENOMEM, "cannot read this host");
	}
	*result = twin;
	return 0;
}

static void free_notes(struct host *host)
{
	for (size_t i = 0; i < host->notes; i++)
		free(host->note[i]);
	free(host->note);
	host->note = NULL;
	host->notes = 0;
}

/* Comments of the plan, all but the first, which says what the file is. */
static int keep_notes(struct host *host)
{
	const char *line = strchr(host->plan_text, '\n');

	free_notes(host);
	for (; line; line = strchr(line, '\n')) {
		char *note;

		line++;
		if (strncmp(line, "# ", 2))
			continue;
		note = strndup(line + 2, strcspn(line + 2, "\n"));
		if (!note || array_append(&host->note, &host->notes, sizeof(note), &note)) {
			free(note);
			return message_errno(-ENOMEM, "cannot read the plan");
		}
	}
	return 0;
}

void host_close(struct host *host)
{
	if (!host)
		return;
	if (host->devicesfd >= 0)
		close(host->devicesfd);
	compiler_close(host->compiler);
	root_close(&host->root);
	names_close(host->names);
	free_notes(host);
	free(host->plan_text);
	free(host->fn);
	free(host);
}

struct host_function *host_find(const struct host *host, const struct pci_address *addr)
{
	struct host_function key = { .pci.addr = *addr };

	if (!host->count)
		return NULL;
	return bsearch(&key, host->fn, host->count, sizeof(key), compare_function);
}

/* A pinned ID that has left its address: at boot the log names where it went, so does this. */
static void find_hint(const struct host *host, struct verdict *verdict)
{
	unsigned int found = 0;

	if (verdict->reason != REASON_ID_CHANGED)
		return;
	for (size_t i = 0; i < host->count; i++) {
		if (!pci_id_matches(&host->plan.bind[verdict->bind].sel.id, &host->fn[i].pci.id))
			continue;
		verdict->hint = host->fn[i].pci.addr;
		found++;
	}
	verdict->has_hint = found == 1;
}

struct card_search {
	const struct host *host;
	const char *folder;
	bool found;
};

/* "card0", below a function's "drm"; its other names have no such attribute. */
static int look_for_boot_display(const char *name, void *arg)
{
	struct card_search *search = arg;
	char path[SYSFS_PATH_MAX];

	search->found = sysfs_exists(search->host->root.fd,
				     sysfs_path(path, "%s/%s/boot_display", search->folder, name));
	return search->found;
}

/*
 * Was the firmware's screen on a function that a GPU driver has now? By then the boot framebuffer
 * is gone; Linux says so from 6.17 on (drivers/gpu/drm/drm_sysfs.c, boot_display_visible).
 */
static bool was_boot_display(const struct host *host, const struct pci_address *addr)
{
	char folder[SYSFS_PATH_MAX];
	struct card_search search = { .host = host, .folder = folder };

	pci_attribute(folder, addr, "drm");
	sysfs_for_each(host->root.fd, folder, look_for_boot_display, &search);
	return search.found;
}

void host_before_drivers(const struct host *host, struct pci_table *table)
{
	for (unsigned int i = 0; i < table->count; i++) {
		struct pci_function *fn = &table->fn[i];

		fn->driver[0] = '\0';
		fn->vfs = 0;
		if (fn->framebuffer != PCI_FB_NONE || !was_boot_display(host, &fn->addr))
			continue;
		fn->framebuffer = PCI_FB_TAKEN;
		for (unsigned int j = 0; j < table->count; j++)
			table->fn[j].boot_vga_slot |= pci_address_same_slot(&fn->addr,
									    &table->fn[j].addr);
	}
}

int host_decide(struct host *host, const char *kernel)
{
	char *text;
	size_t size;
	int ret;

	compiler_close(host->compiler);
	ret = compiler_open(&host->root, true, &host->compiler);
	if (!ret)
		ret = compiler_plan(host->compiler, kernel, &text, &size);
	host->is_undone = state_is(&host->root, STATE_UNDONE);
	return ret ? ret : host_decide_text(host, text, size);
}

int host_decide_text(struct host *host, char *text, size_t size)
{
	struct plan_errors errors = { 0 };
	int ret;

	free(host->plan_text);
	host->plan_text = text;
	ret = keep_notes(host);
	if (ret)
		return ret;
	plan_init(&host->plan);
	plan_parse(&host->plan, host->plan_text, size, PLAN_COMPILED, &errors);
	iommu_read(host->root.fd, host->cmdline, plan_wants_noiommu(&host->plan), &host->iommu);

	host->table.late_groups = host->iommu.has_smmu;
	for (size_t i = 0; i < host->count; i++)
		host->fn[i].place = DECIDE_NO_INDEX;
	if (!host->plan.binds)
		return 0;
	ret = pci_collect(host->root.fd, &host->plan, NULL, &host->table);
	if (ret == -E2BIG)
		return message_error("the bind lines name over 1024 functions with their groups "
				     "(PCI_MAX_FUNCTIONS); fix: name fewer");
	if (ret)
		return message_errno(ret, "cannot read the PCI functions that the config names");

	for (unsigned int i = 0; i < host->table.count; i++) {
		struct pci_function *fn = &host->table.fn[i];
		struct host_function *mine = host_find(host, &fn->addr);

		if (mine)
			mine->place = (int)i;
	}
	host_before_drivers(host, &host->table);
	decide(&host->plan, &host->iommu, &host->table, &host->decisions);
	for (unsigned int i = 0; i < host->table.count; i++)
		find_hint(host, &host->decisions.verdict[i]);
	return 0;
}

static int is_version(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int host_kernel(const struct root *root, char **version)
{
	char running[128], path[SYSFS_PATH_MAX];
	struct dirent **entry;
	int count;

	*version = NULL;
	if (sysfs_read(root->fd, PATH_OSRELEASE, running, sizeof(running)) > 0 &&
	    sysfs_exists(root->fd, sysfs_path(path, PATH_MODULES "/%s/modules.dep", running))) {
		*version = strdup(running);
		return *version ? 0 : -ENOMEM;
	}

	count = scandirat(root->fd, PATH_MODULES, &entry, is_version, versionsort);
	if (count < 0)
		return -errno;
	for (int i = count; i-- > 0;) {
		const char *name = entry[i]->d_name;

		if (!*version &&
		    sysfs_exists(root->fd, sysfs_path(path, PATH_MODULES "/%s/modules.dep", name)))
			*version = strdup(name);
		free(entry[i]);
	}
	free(entry);
	return *version ? 0 : -ENOENT;
}

const char *host_attribute(const struct host *host, const struct host_function *fn,
			   const char *name, char *buf, size_t size)
{
	char path[SYSFS_PATH_MAX], addr[PCI_ADDRESS_SIZE];

	sysfs_path(path, "%s/%s", pci_address_format(&fn->pci.addr, addr), name);
	if (sysfs_read(host->devicesfd, path, buf, size) < 0)
		buf[0] = '\0';
	return buf;
}

const char *host_link(const struct host *host, const struct host_function *fn, const char *name,
		      char *buf, size_t size)
{
	char path[SYSFS_PATH_MAX], addr[PCI_ADDRESS_SIZE];

	sysfs_path(path, "%s/%s", pci_address_format(&fn->pci.addr, addr), name);
	if (sysfs_link_name(host->devicesfd, path, buf, size))
		buf[0] = '\0';
	return buf;
}

int host_group(const struct host *host, struct host_function *fn)
{
	char text[16];

	if (!fn->has_group) {
		host_link(host, fn, "iommu_group", text, sizeof(text));
		fn->pci.group = *text ? atoi(text) : -1;
		fn->has_group = true;
	}
	return fn->pci.group;
}

bool host_is_boot_vga(const struct host *host, const struct host_function *fn)
{
	char text[8];

	/* Only VGA functions have the attribute (drivers/pci/pci-sysfs.c, pci_dev_attrs_are_visible). */
	return fn->pci.class >> 8 == 0x0300 &&
	       *host_attribute(host, fn, "boot_vga", text, sizeof(text)) == '1';
}

const char *host_protect(const struct host *host, const struct host_function *fn)
{
	for (unsigned int i = 0; i < host->plan.protects; i++)
		if (pci_address_equal(&host->plan.protect[i].addr, &fn->pci.addr))
			return host->plan.protect[i].reason;
	return NULL;
}

enum host_next host_next(const struct host *host, const struct host_function *fn)
{
	const struct verdict *verdict;

	if (fn->place == DECIDE_NO_INDEX)
		return HOST_NEXT_NONE;
	verdict = &host->decisions.verdict[fn->place];
	switch (verdict->decision) {
	case DECIDE_BIND:
	case DECIDE_KEEP:
		return HOST_NEXT_VFIO;
	case DECIDE_HOLD:
		return HOST_NEXT_HELD;
	case DECIDE_REFUSE:
		return HOST_NEXT_REFUSED;
	case DECIDE_NOTHING:
		break;
	}
	return verdict->crowds ? HOST_NEXT_CROWDS : HOST_NEXT_NONE;
}

const char *host_why(const struct host *host, const struct host_function *fn, char *buf,
		     size_t size)
{
	const struct tell_facts facts = {
		.plan = &host->plan,
		.iommu = &host->iommu,
		.table = &host->table,
		.decisions = &host->decisions,
	};

	buf[0] = '\0';
	if (fn->place == DECIDE_NO_INDEX)
		return buf;
	if (host_next(host, fn) == HOST_NEXT_CROWDS)
		snprintf(buf, size,
			 "not bound, shares the group of what is: name it too, or set group claim");
	else
		tell_whole(&facts, (unsigned int)fn->place, buf, size);
	return buf;
}

void host_iommu(const struct host *host, char *what, size_t what_size, char *fix, size_t fix_size)
{
	const struct iommu *iommu = &host->iommu;
	size_t len;

	tell_iommu(iommu, what, what_size);
	len = strlen(tell_iommu_fix(iommu, fix, fix_size));
	if (iommu->state == IOMMU_OFF_KERNEL && !*iommu->param && iommu->table == IOMMU_TABLE_DMAR)
		snprintf(fix + len, fix_size - len,
			 "; vfio-early apply does, unless cmdline is set");
}

const char *host_next_name(enum host_next next)
{
	switch (next) {
	case HOST_NEXT_VFIO:
		return "vfio-pci";
	case HOST_NEXT_HELD:
		return "held";
	case HOST_NEXT_REFUSED:
		return "refused";
	case HOST_NEXT_CROWDS:
		return "left";
	case HOST_NEXT_NONE:
		break;
	}
	return "";
}

bool host_is_viable_driver(const char *driver)
{
	return !*driver || !strcmp(driver, "pci-stub") || !strcmp(driver, "pcieport") ||
	       strstr(driver, "vfio");
}

struct region_search {
	char *buf;
	size_t size;
};

/* "0x00000000ab000000 0x00000000abffffff direct" (drivers/iommu/iommu.c, reserved_regions) */
static int look_for_direct(const char *line, void *arg)
{
	const struct region_search *search = arg;
	const char *type = strrchr(line, ' ');

	if (!type || strcmp(type, " direct"))
		return 0;
	snprintf(search->buf, search->size, "%.*s", (int)(type - line), line);
	return 1;
}

bool host_has_rmrr(const struct host *host, int group, char *region, size_t size)
{
	struct region_search search = { .buf = region, .size = size };
	char path[SYSFS_PATH_MAX];

	region[0] = '\0';
	if (group < 0)
		return false;
	sysfs_path(path, PATH_IOMMU_GROUPS "/%u/reserved_regions", (unsigned int)group);
	return sysfs_for_each_line(host->root.fd, path, look_for_direct, &search) > 0;
}

/* --- what a user's word names */

#define NEAR_MAX      3 /* suggestions */
#define NEAR_DISTANCE 2 /* mistakes in a word that still make it near */

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int min = a < b ? a : b;

	return min < c ? min : c;
}

/* Mistakes between two addresses: a digit wrong, missing or too many, or two neighbours swapped. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[3][PCI_ADDRESS_SIZE + 1];
	size_t cols = strlen(b), rows = strlen(a);

	for (size_t j = 0; j <= cols; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= rows; i++) {
		unsigned int *now = row[i % 3], *before = row[(i + 2) % 3];
		const unsigned int *earlier = row[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= cols; j++) {
			now[j] = least(before[j] + 1, now[j - 1] + 1,
				       before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    earlier[j - 2] + 1 < now[j])
				now[j] = earlier[j - 2] + 1;
		}
	}
	return row[rows % 3][cols];
}

/* "0000:81:00.0", without ".0" for a slot. */
static void format_place(const struct pci_address *addr, bool is_slot, char text[PCI_ADDRESS_SIZE])
{
	pci_address_format(addr, text);
	if (is_slot)
		text[strlen(text) - 2] = '\0';
}

struct near {
	unsigned int distance;
	char text[PCI_ADDRESS_SIZE];
};

static void add_near(struct near list[NEAR_MAX], const struct near *item)
{
	size_t at = NEAR_MAX;

	for (size_t i = 0; i < NEAR_MAX; i++)
		if (!strcmp(list[i].text, item->text))
			return;
	while (at && list[at - 1].distance > item->distance)
		at--;
	if (at == NEAR_MAX)
		return;
	memmove(&list[at + 1], &list[at], (NEAR_MAX - at - 1) * sizeof(*list));
	list[at] = *item;
}

/* Says that no function is at this address, and which are at one that is written nearly alike. */
static int no_such_address(const struct host *host, const char *word, const struct selector *sel)
{
	struct near list[NEAR_MAX], item;
	char wanted[PCI_ADDRESS_SIZE], text[NEAR_MAX * (PCI_ADDRESS_SIZE + 2)] = "";
	bool is_slot = sel->kind == SELECTOR_SLOT;

	for (size_t i = 0; i < NEAR_MAX; i++)
		list[i] = (struct near){ .distance = NEAR_DISTANCE + 1 };
	format_place(&sel->addr, is_slot, wanted);
	for (size_t i = 0; i < host->count; i++) {
		if (pci_is_bridge(&host->fn[i].pci))
			continue;
		format_place(&host->fn[i].pci.addr, is_slot, item.text);
		item.distance = distance(wanted, item.text);
		add_near(list, &item);
	}
	for (size_t i = 0; i < NEAR_MAX && list[i].text[0]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? ", " : "",
			 list[i].text);
	if (*text)
		message_error("there is no PCI function at %s; near: %s", word, text);
	else
		message_error("there is no PCI function at %s; see vfio-early list -a", word);
	return -ENOENT;
}

int host_select(const struct host *host, const char *word,
		void (*fn)(struct host_function *fn, void *arg), void *arg)
{
	struct selector sel;
	const char *error;
	size_t where;
	int found = 0;

	error = selector_parse(word, &sel, &where);
	if (error)
		return message_error("%s names no PCI function: %s", word, error);
	if (pci_resolve(host->root.fd, &sel)) {
		message_error("the path %s leads nowhere; see vfio-early list -a -o ADDRESS,PATH",
			      word);
		return -ENOENT;
	}

	for (size_t i = 0; i < host->count; i++) {
		struct pci_function *pci = &host->fn[i].pci;
		struct pci_address addr = pci->addr;
		const struct host_function *first;

		addr.fn = 0;
		first = host_find(host, &addr);
		if (selector_match(&sel, &pci->addr, &pci->id, pci->class,
				   first ? &first->pci.id : NULL) != SELECTOR_MATCHES)
			continue;
		fn(&host->fn[i], arg);
		found++;
	}
	if (found)
		return found;
	if (sel.kind == SELECTOR_ID || sel.kind == SELECTOR_CLASS) {
		message_error("no PCI function is %s; see vfio-early list -a", word);
		return -ENOENT;
	}
	if (sel.has_id && host_find(host, &sel.addr)) {
		message_error("the function at %s has another ID; see vfio-early list -a", word);
		return -ENOENT;
	}
	return no_such_address(host, word, &sel);
}
