// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Facts of PCI functions, read from sysfs; see pci.h. Writes nothing.
 *
 * A function's uevent gives nearly all in one read (drivers/pci/pci-driver.c, pci_uevent): DRIVER,
 * PCI_CLASS (unpadded: VGA is 30000), PCI_ID and PCI_SUBSYS_ID in upper case. The machine may have
 * tens of thousands of functions, so the scan costs open, read and close for each and keeps only
 * those that the plan names.
 */
#include <errno.h>
#include <string.h>

#include "paths.h"
#include "pci.h"
#include "sysfs.h"
#include "text.h"

#define PCI_CLASS_RAID	 0x0104
#define PCI_VENDOR_INTEL 0x8086

bool pci_is_bridge(const struct pci_function *fn)
{
	return fn->class >> 16 == 0x06 && fn->class >> 8 != 0x0680;
}

bool pci_is_port(const struct pci_function *fn)
{
	return fn->class >> 8 == 0x0604;
}

bool pci_may_block_group(const struct pci_function *fn)
{
	bool is_isa = fn->class >> 8 == 0x0601;

	/* drivers/vfio/group.c; pci-stub: .driver_managed_dma too */
	if (pci_is_port(fn) || pci_is_with_vfio(fn) || !strcmp(fn->driver, "pci-stub"))
		return false;
	return !pci_is_bridge(fn) || is_isa || *fn->driver;
}

bool pci_is_vga(const struct pci_function *fn)
{
	return fn->class >> 8 == 0x0300;
}

static bool is_display(const struct pci_function *fn)
{
	return fn->class >> 16 == 0x03;
}

/*
 * Today the kernel shows the attribute only for VGA (0x0300, and 0x0001 from before PCI 2.0;
 * drivers/pci/pci-sysfs.c, pci_dev_attrs_are_visible). All displays are asked, in case that
 * changes.
 */
static bool may_be_boot_vga(const struct pci_function *fn)
{
	return is_display(fn) || fn->class >> 8 == 0x0001;
}

/* "10DE:1187" */
static void parse_pair(const char **pos, uint16_t *vendor, uint16_t *device)
{
	uint32_t value;

	text_hex(pos, &value);
	*vendor = (uint16_t)value;
	if (!text_skip_prefix(pos, ":"))
		return;
	text_hex(pos, &value);
	*device = (uint16_t)value;
}

/* One pass, because this is done for every function of the machine. */
static void parse_uevent(const char *pos, struct pci_function *fn)
{
	for (; *pos; pos += *pos == '\n') {
		const char *driver = NULL;

		if (text_skip_prefix(&pos, "DRIVER="))
			driver = pos;
		else if (text_skip_prefix(&pos, "PCI_CLASS="))
			text_hex(&pos, &fn->class);
		else if (text_skip_prefix(&pos, "PCI_ID="))
			parse_pair(&pos, &fn->id.vendor, &fn->id.device);
		else if (text_skip_prefix(&pos, "PCI_SUBSYS_ID="))
			parse_pair(&pos, &fn->id.subvendor, &fn->id.subdevice);
		while (*pos && *pos != '\n')
			pos++;
		if (driver)
			text_format(fn->driver, sizeof(fn->driver), "%.*s", (int)(pos - driver),
				    driver);
	}
}

static int read_uevent(int dirfd, const char *path, const struct pci_address *addr,
		       struct pci_function *fn)
{
	char text[1024];
	int ret;

	memset(fn, 0, sizeof(*fn));
	fn->addr = *addr;
	fn->group = -1;
	ret = sysfs_read(dirfd, path, text, sizeof(text));
	if (ret < 0)
		return ret;
	parse_uevent(text, fn);
	/* No function has vendor 0; a uevent without PCI_ID does not belong to a PCI function. */
	return fn->id.vendor ? 0 : -EIO;
}

const char *pci_attribute(char buf[SYSFS_PATH_MAX], const struct pci_address *addr,
			  const char *name)
{
	char text[PCI_ADDRESS_SIZE];

	return sysfs_path(buf, PATH_PCI_DEVICES "/%s/%s", pci_address_format(addr, text), name);
}

int pci_read(int rootfd, const struct pci_address *addr, struct pci_function *fn)
{
	char path[SYSFS_PATH_MAX];

	return read_uevent(rootfd, pci_attribute(path, addr, "uevent"), addr, fn);
}

int pci_read_driver(int rootfd, const struct pci_address *addr, char driver[PCI_DRIVER_SIZE])
{
	char path[SYSFS_PATH_MAX];
	int ret = 0;

	pci_attribute(path, addr, "driver");
	/* Reading a link needs memory: a lack of it must not release what is bound. */
	for (unsigned int tries = 0; tries < 2; tries++) {
		ret = sysfs_link_name(rootfd, path, driver, PCI_DRIVER_SIZE);
		if (!ret || ret == -ENOENT)
			return 0;
	}
	return ret;
}

static unsigned int read_number(int rootfd, const struct pci_address *addr, const char *name)
{
	char path[SYSFS_PATH_MAX], text[16];

	if (sysfs_read(rootfd, pci_attribute(path, addr, name), text, sizeof(text)) < 0)
		return 0;
	return text_number(text);
}

/*
 * Whether the lines of /proc/iomem have reached the region of the function or slot that is looked
 * for.
 */
struct framebuffer_search {
	char addr[PCI_ADDRESS_SIZE]; /* that of a slot ends in its dot; "" is any place */
	bool inside;
	uint64_t start, end; /* of that region */
	enum pci_framebuffer found;
};

/* Hex digits, however many. */
static uint64_t parse_range_end(const char **pos)
{
	uint64_t value = 0;
	unsigned int width;
	uint32_t part;

	while ((width = text_hex(pos, &part)))
		value = value << 4 * width | part;
	return value;
}

/*
 * Other framebuffer drivers than efifb claim it under a name that starts with one of these: sysfb's
 * own (BOOTFB), the successors of efifb and vesafb (drivers/gpu/drm/sysfb, 6.16), simplefb,
 * simpledrm, and the device of a device tree (simple-framebuffer.0).
 */
static bool is_boot_framebuffer(const char *name)
{
	const char *start = "BOOTFB\0efidrm\0vesa\0simple\0";

	for (; *start; start = text_nth(start, 1))
		if (text_skip_prefix(&name, start))
			return true;
	return false;
}

/*
 * "  c0000000-c0ffffff : 0000:00:02.0", then what is inside: "c0000000-c02fffff : efifb". Compared
 * by the range, because the indentation ends at some depth (kernel/resource.c, MAX_IORES_LEVEL).
 * The platform device itself claims a region named BOOTFB (drivers/firmware/sysfb_simplefb.c).
 */
static int look_for_framebuffer(const char *line, void *arg)
{
	struct framebuffer_search *search = arg;
	const char *name = text_find(line, " : ");
	enum pci_framebuffer kind = PCI_FB_NONE;
	struct pci_address other;
	uint64_t start, end;

	if (!name)
		return 0;
	name += 3;
	line = text_skip(line, " ");
	start = parse_range_end(&line);
	text_skip_prefix(&line, "-");
	end = parse_range_end(&line);
	if (!strcmp(name, "efifb"))
		kind = PCI_FB_EFIFB;
	else if (is_boot_framebuffer(name))
		kind = PCI_FB_SIMPLE;
	if (kind != PCI_FB_NONE) {
		if (!*search->addr ||
		    (search->inside && start >= search->start && end <= search->end))
			search->found = kind;
	} else if (text_skip_prefix(&name, search->addr)) {
		search->inside = true;
		search->start = start;
		search->end = end;
	} else if (!pci_address_parse(name, &other)) {
		/*
		 * A user who may not see ranges sees zeros: then the next function's region ends
		 * this one.
		 */
		search->inside = false;
	}
	return 0;
}

static enum pci_framebuffer find_framebuffer(int rootfd, const struct pci_address *addr, bool slot)
{
	struct framebuffer_search search = { .found = PCI_FB_NONE };

	if (addr)
		pci_address_format(addr, search.addr);
	if (slot)
		search.addr[strlen(search.addr) - 1] = '\0';
	sysfs_for_each_line(rootfd, PATH_IOMEM, look_for_framebuffer, &search);
	return search.found;
}

bool pci_has_framebuffer(int rootfd)
{
	return find_framebuffer(rootfd, NULL, false) != PCI_FB_NONE;
}

bool pci_kernel_evicts_all(const char *kernel)
{
	return kernel && text_skip_prefix(&kernel, "6.") && kernel[0] >= '1' && kernel[0] <= '4' &&
	       (kernel[1] < '0' || kernel[1] > '9');
}

/*
 * vfio-pci itself, or one of its variants, which the kernel names like this: mlx5_vfio_pci,
 * nvgrace-gpu-vfio-pci, xe-vfio-pci.
 */
bool pci_is_with_vfio(const struct pci_function *fn)
{
	return text_find(fn->driver, "vfio");
}

/* Its group, or the one that it gets if nothing isolates it from the port. */
static int likely_group(const struct pci_function *fn)
{
	return fn->group >= 0 || !PCI_MAY_HAVE_LATE_GROUPS ? fn->group : fn->port_group;
}

bool pci_may_share_group(const struct pci_table *table, const struct pci_function *a,
			 const struct pci_function *b)
{
	if (a->group >= 0 && b->group >= 0)
		return a->group == b->group;
	if (!pci_has_late_groups(table) || a->is_alone || b->is_alone)
		return false;
	if (pci_address_same_slot(&a->addr, &b->addr))
		return true;
	if (likely_group(a) >= 0 && likely_group(b) >= 0)
		return likely_group(a) == likely_group(b);
	return a->addr.domain == b->addr.domain && a->addr.bus == b->addr.bus &&
	       (a->behind_port || b->behind_port);
}

static int read_group(int rootfd, const struct pci_address *addr, const char *link)
{
	char path[SYSFS_PATH_MAX], text[16];

	if (sysfs_link_name(rootfd, pci_attribute(path, addr, link), text, sizeof(text)))
		return -1;
	return (int)text_number(text);
}

void pci_read_group(int rootfd, struct pci_function *fn)
{
	fn->group = read_group(rootfd, &fn->addr, "iommu_group");
}

bool pci_is_overridden(int rootfd, const struct pci_address *addr, const char *driver)
{
	char path[SYSFS_PATH_MAX], text[PCI_DRIVER_SIZE];

	return sysfs_read(rootfd, pci_attribute(path, addr, "driver_override"), text,
			  sizeof(text)) > 0 &&
	       !strcmp(text, driver);
}

bool pci_has_noiommu_group(int rootfd, const struct pci_function *fn)
{
	char path[SYSFS_PATH_MAX], text[16];
	const char *noiommu = "vfio-noiommu";

	/* IOMMU groups have no such file. A file that cannot be read whole counts as one. */
	return sysfs_read(rootfd, pci_attribute(path, &fn->addr, "iommu_group/name"), text,
			  sizeof(text)) != -ENOENT &&
	       text_skip_prefix(&noiommu, text);
}

void pci_read_pf(int rootfd, struct pci_function *fn)
{
	char path[SYSFS_PATH_MAX], text[PCI_ADDRESS_SIZE];
	struct pci_function pf;
	int ret = sysfs_link_name(rootfd, pci_attribute(path, &fn->addr, "physfn"), text,
				  sizeof(text));

	if (ret == -ENOENT)
		return;
	fn->is_vf = true;
	if (ret || pci_address_parse(text, &fn->pf.addr) || pci_read(rootfd, &fn->pf.addr, &pf) ||
	    pci_read_place(rootfd, &fn->pf.addr, &fn->pf.place))
		fn->is_pf_unknown = true;
	else
		fn->pf.id = pf.id;
}

enum selector_result pci_match(const struct selector *sel, const struct pci_function *fn)
{
	const struct pci_identity *who = &fn->self;
	enum selector_result result;

	if (sel->kind == SELECTOR_VF) {
		if (!fn->is_vf)
			return SELECTOR_DIFFERS;
		/* It may be one of those that are never to be taken. */
		if (fn->is_pf_unknown)
			return SELECTOR_ID_CHANGED;
		who = &fn->pf;
	}
	result = selector_match(sel, &who->addr, &who->id, fn->class,
				fn->has_slot_id ? &fn->slot_id : NULL);
	/* The pinned ID at another place: a twin. */
	if (result == SELECTOR_MATCHES && sel->has_place &&
	    !pci_place_equal(&sel->place, &who->place, sel->kind == SELECTOR_SLOT))
		return SELECTOR_ID_CHANGED;
	return result;
}

/* Functions that the caller has read before. The boot half has none. */
static unsigned int count_known(const struct pci_table *table)
{
#ifdef __KLIBC__
	(void)table;
	return 0;
#else
	return table ? table->knowns : 0;
#endif
}

/* pci_read(), or what was found before. @table: or NULL */
static int read_function(int rootfd, const struct pci_table *table, const struct pci_address *addr,
			 struct pci_function *fn)
{
	if (!count_known(table))
		return pci_read(rootfd, addr, fn);
	for (unsigned int i = 0; i < count_known(table); i++) {
		if (!pci_address_equal(&table->known[i].addr, addr))
			continue;
		*fn = table->known[i];
		return 0;
	}
	return -ENOENT;
}

/* The group that it may get; it has none yet. */
static void read_port(int rootfd, struct pci_function *fn)
{
	int pf_group = read_group(rootfd, &fn->addr, "physfn/iommu_group");
	char path[SYSFS_PATH_MAX];

	fn->port_group = read_group(rootfd, &fn->addr, "../iommu_group");
	fn->is_alone = pf_group >= 0 && pf_group != fn->port_group;
	/* Above a function on a root bus there is no function. */
	fn->behind_port = sysfs_exists(rootfd,
				       pci_attribute(path, &fn->addr, "../driver_override"));
}

static void read_facts(int rootfd, const struct pci_table *table, struct pci_function *fn)
{
	struct pci_address function0 = fn->addr;
	struct pci_function slot;

	pci_read_group(rootfd, fn);
	fn->is_noiommu = pci_is_with_vfio(fn) && pci_has_noiommu_group(rootfd, fn);
	if (PCI_MAY_HAVE_LATE_GROUPS && fn->group < 0)
		read_port(rootfd, fn);
	fn->vfs = read_number(rootfd, &fn->addr, "sriov_numvfs");
	fn->boot_vga = may_be_boot_vga(fn) && read_number(rootfd, &fn->addr, "boot_vga");

	function0.fn = 0;
	slot.id = fn->id;
	fn->has_slot_id = !fn->addr.fn || !read_function(rootfd, table, &function0, &slot);
	if (fn->has_slot_id)
		fn->slot_id = slot.id;

	if (is_display(fn))
		fn->framebuffer = find_framebuffer(rootfd, &fn->addr, false);
}

void pci_read_details(int rootfd, struct pci_function *fn)
{
	read_facts(rootfd, NULL, fn);
}

/*
 * At boot each open starts at the directory of the functions, and walks two components instead of
 * six. In the host half each open starts at the root, which no link may leave.
 */
#ifdef __KLIBC__
static const bool from_folder = true;
#else
static const bool from_folder = false;
#endif

struct scan {
	int dirfd;
	int (*each)(const struct pci_function *fn, int error, void *arg);
	void *arg;
};

static int scan_one(const char *name, void *arg)
{
	const struct scan *scan = arg;
	char path[SYSFS_PATH_MAX];
	struct pci_address addr;
	struct pci_function fn;
	int error;

	if (pci_address_parse(name, &addr))
		return 0;
	sysfs_path(path, from_folder ? "%s/uevent" : PATH_PCI_DEVICES "/%s/uevent", name);
	error = read_uevent(scan->dirfd, path, &addr, &fn);
	return scan->each(&fn, error, scan->arg);
}

int pci_scan(int rootfd, int (*each)(const struct pci_function *fn, int error, void *arg),
	     void *arg)
{
	struct scan scan = { .dirfd = rootfd, .each = each, .arg = arg };
	int ret;

	if (from_folder) {
		scan.dirfd = sysfs_open_dir(rootfd, PATH_PCI_DEVICES);
		if (scan.dirfd < 0)
			return scan.dirfd;
	}
	ret = sysfs_for_each(scan.dirfd, from_folder ? "." : PATH_PCI_DEVICES, scan_one, &scan);
	if (from_folder)
		sysfs_close(scan.dirfd);
	return ret;
}

struct id_search {
	const struct pci_id *id;
	struct pci_address *addr;
	int found;
};

static int count_id(const struct pci_function *fn, int error, void *arg)
{
	struct id_search *search = arg;

	if (!error && pci_id_matches(search->id, &fn->id)) {
		*search->addr = fn->addr;
		search->found++;
	}
	return 0;
}

int pci_find_id(int rootfd, const struct pci_id *id, struct pci_address *addr)
{
	struct id_search search = { .id = id, .addr = addr };
	int ret = pci_scan(rootfd, count_id, &search);

	return ret < 0 ? ret : search.found;
}

/* One step of a path: the function at this hop below a bridge. */
struct hop_search {
	const struct selector_hop *hop;
	bool any_fn;
	bool found;
	struct pci_address addr;
};

static int look_for_hop(const char *name, void *arg)
{
	struct hop_search *search = arg;
	struct pci_address addr;

	/* Names such as "0000:00:01.0:pcie001" or "power" are not addresses. */
	if (pci_address_parse(name, &addr) || addr.dev != search->hop->dev)
		return 0;
	if (!search->any_fn && addr.fn != search->hop->fn)
		return 0;
	search->addr = addr;
	search->found = true;
	return 1;
}

int pci_resolve(int rootfd, struct selector *sel)
{
	struct pci_address addr = sel->addr;

	if (!selector_is_path(sel) || sel->resolved)
		return 0;
	for (unsigned int i = 0; i < sel->hops; i++) {
		bool last = i + 1u == sel->hops;
		struct hop_search search = {
			.hop = &sel->hop[i],
			.any_fn = last && sel->kind == SELECTOR_SLOT,
		};
		char path[SYSFS_PATH_MAX];

		sysfs_for_each(rootfd, pci_attribute(path, &addr, ""), look_for_hop, &search);
		if (!search.found)
			return -ENOENT;
		addr = search.addr;
	}
	sel->addr = addr;
	sel->resolved = true;
	return 0;
}

int pci_read_place(int rootfd, const struct pci_address *addr, struct pci_place *place)
{
	char path[SYSFS_PATH_MAX], link[SYSFS_PATH_MAX], text[PCI_ADDRESS_SIZE];
	bool has_root = false;
	char *name, *next;
	int ret;

	memset(place, 0, sizeof(*place));
	sysfs_path(path, PATH_PCI_DEVICES "/%s", pci_address_format(addr, text));
	ret = sysfs_link(rootfd, path, link, sizeof(link));
	if (ret < 0)
		return ret;

	/*
	 * ".../pci0000:00/0000:00:01.0/0000:01:00.0"; below VMD a second "pci10000:00" starts over.
	 */
	for (name = link; name; name = next) {
		const char *start = name;
		struct pci_address hop;

		next = strchr(name, '/');
		if (next)
			*next++ = '\0';
		if (text_skip_prefix(&start, "pci"))
			has_root = false;
		if (pci_address_parse(name, &hop))
			continue;
		if (!has_root) {
			has_root = true;
			*place = (struct pci_place){ .root = hop };
		} else if (place->hops == SELECTOR_MAX_HOPS) {
			/* No other place has this many hops. */
			place->hops++;
			return -ENAMETOOLONG;
		} else {
			place->hop[place->hops++] = (struct selector_hop){ hop.dev, hop.fn };
		}
	}
	return has_root ? 0 : -ENOENT;
}

int pci_path(int rootfd, const struct pci_address *addr, char *buf, unsigned int size)
{
	struct pci_place place;
	int ret = pci_read_place(rootfd, addr, &place);
	char text[PCI_ADDRESS_SIZE];
	size_t len;

	buf[0] = '\0';
	if (ret)
		return ret;
	len = text_format(buf, size, "%s", pci_address_format(&place.root, text));
	for (unsigned int i = 0; i < place.hops; i++)
		len += text_format(buf + len, size - len, "/%02x.%x", place.hop[i].dev,
				   place.hop[i].fn);
	if (len < size - 1)
		return 0;
	buf[0] = '\0';
	return -ENAMETOOLONG;
}

/* The current address of a place. Returns 0 or -ENOENT. */
static int resolve_place(int rootfd, const struct pci_place *place, enum selector_kind kind,
			 struct pci_address *addr)
{
	struct selector path = { .kind = kind, .addr = place->root, .hops = place->hops };
	int ret;

	memcpy(path.hop, place->hop, sizeof(path.hop));
	ret = pci_resolve(rootfd, &path);
	*addr = path.addr;
	if (kind == SELECTOR_SLOT)
		addr->fn = 0;
	return ret;
}

int pci_find_pinned(int rootfd, const struct selector *sel, struct pci_address *addr)
{
	struct pci_function fn;

	if (!sel->has_place)
		return pci_find_id(rootfd, &sel->id, addr);
	if (resolve_place(rootfd, &sel->place, sel->kind, addr) || pci_read(rootfd, addr, &fn))
		return 0;
	return pci_id_matches(&sel->id, &fn.id);
}

static struct pci_function *find(struct pci_table *table, const struct pci_address *addr)
{
	for (unsigned int i = 0; i < table->count; i++)
		if (pci_address_equal(&table->fn[i].addr, addr))
			return &table->fn[i];
	return NULL;
}

static bool is_after(const struct pci_address *a, const struct pci_address *b)
{
	if (a->domain != b->domain)
		return a->domain > b->domain;
	return (a->bus << 8 | a->dev << 3 | a->fn) > (b->bus << 8 | b->dev << 3 | b->fn);
}

/* Inserts a function in the order of addresses. */
static int add_candidate(struct pci_table *table, const struct pci_function *fn)
{
	unsigned int at = table->count;

	if (find(table, &fn->addr))
		return 0;
	if (at == PCI_MAX_FUNCTIONS)
		return -E2BIG;
	while (at && is_after(&table->fn[at - 1].addr, &fn->addr))
		at--;
	memmove(&table->fn[at + 1], &table->fn[at], (table->count - at) * sizeof(*fn));
	table->fn[at] = *fn;
	table->count++;
	table->candidates++;
	return 0;
}

struct collection {
	int rootfd;
	const struct plan *plan;
	struct pci_table *table;
};

static void add_unreadable(struct pci_table *table, const struct pci_address *addr, int error)
{
	if (table->unreadable && pci_address_equal(&table->unreadable_addr, addr))
		return;
	table->unreadable++;
	table->unreadable_addr = *addr;
	table->error = error;
}

/* The slot's ID does not matter yet: a changed ID is a candidate too, which will be refused. */
bool pci_is_named(int rootfd, const struct plan *plan, struct pci_function *fn)
{
	if (plan->names_vfs)
		pci_read_pf(rootfd, fn);
	for (unsigned int i = 0; i < plan->binds; i++)
		if (pci_match(&plan->bind[i].sel, fn) != SELECTOR_DIFFERS)
			return true;
	return false;
}

static int collect_named(const struct pci_function *found, int error, void *arg)
{
	struct collection *collection = arg;
	struct pci_function fn = *found;

	if (error)
		add_unreadable(collection->table, &fn.addr, error);
	else if (pci_is_named(SYSFS_ROOT(collection), collection->plan, &fn))
		return add_candidate(collection->table, &fn);
	return 0;
}

static int collect_one(struct collection *collection, const struct pci_address *addr)
{
	struct pci_function fn;
	int ret = read_function(SYSFS_ROOT(collection), collection->table, addr, &fn);

	return ret == -ENOENT ? ret : collect_named(&fn, ret, collection);
}

/* Without a scan: reads each address that a selector names. */
static int collect_addresses(struct collection *collection)
{
	const struct plan *plan = collection->plan;

	for (unsigned int i = 0; i < plan->binds; i++) {
		const struct selector *sel = &plan->bind[i].sel;
		struct pci_address addr = sel->addr;
		unsigned int end = addr.fn + 1u;

		if (selector_is_path(sel) && !sel->resolved)
			continue;
		if (sel->kind == SELECTOR_SLOT) {
			addr.fn = 0;
			end = 8;
		}
		for (; addr.fn < end; addr.fn++)
			if (collect_one(collection, &addr) == -E2BIG)
				return -E2BIG;
	}
	return 0;
}

/* pci_read_details(), and what only "boot-vga keep" needs. */
static void read_details(const struct collection *collection, struct pci_function *fn)
{
	struct pci_address other = fn->addr;

	read_facts(SYSFS_ROOT(collection), collection->table, fn);
	if (collection->plan->boot_vga != PLAN_BOOT_VGA_KEEP)
		return;
	fn->boot_vga_slot = find_framebuffer(SYSFS_ROOT(collection), &fn->addr, true) !=
			    PCI_FB_NONE;
	/* Only VGA functions have the attribute, so most of these eight are a failed open. */
	for (other.fn = 0; other.fn < 8; other.fn++)
		fn->boot_vga_slot |= read_number(SYSFS_ROOT(collection), &other, "boot_vga");
}

static int add_mate(const char *name, void *arg)
{
	struct collection *collection = arg;
	struct pci_table *table = collection->table;
	struct pci_address addr;
	struct pci_function *fn;
	int ret;

	if (pci_address_parse(name, &addr) || find(table, &addr))
		return 0;
	if (table->count == PCI_MAX_FUNCTIONS)
		return -E2BIG;
	fn = &table->fn[table->count];
	ret = read_function(SYSFS_ROOT(collection), table, &addr, fn);
	if (ret) {
		add_unreadable(table, &addr, ret);
		return 0;
	}
	read_details(collection, fn);
	/* Of those that a line names it is known by now. */
	if (collection->plan->names_vfs)
		pci_read_pf(SYSFS_ROOT(collection), fn);
	table->count++;
	return 0;
}

/* A member of a group, and what is behind it, if it is a port: pci_may_share_group() tells. */
static int add_mate_port(const char *name, void *arg)
{
	struct collection *collection = arg;
	char path[SYSFS_PATH_MAX];
	int ret = add_mate(name, arg);

	if (!ret && pci_has_late_groups(collection->table))
		ret = sysfs_for_each(SYSFS_ROOT(collection),
				     sysfs_path(path, PATH_PCI_DEVICES "/%s", name), add_mate, arg);
	/* If one has disappeared, the others remain. */
	return ret == -E2BIG ? ret : 0;
}

static int collect_mates(struct collection *collection)
{
	struct pci_table *table = collection->table;

	for (unsigned int i = 0; i < table->candidates; i++) {
		const struct pci_function *fn = &table->fn[i];
		char path[SYSFS_PATH_MAX];

		/* Scans the bus, where others may still get the same group. */
		if (pci_has_late_groups(table) &&
		    sysfs_for_each(SYSFS_ROOT(collection), pci_attribute(path, &fn->addr, ".."),
				   add_mate, collection) == -E2BIG)
			return -E2BIG;
		if (likely_group(fn) < 0)
			continue;
		sysfs_path(path, PATH_IOMMU_GROUPS "/%u/devices", (unsigned int)likely_group(fn));
		if (sysfs_for_each(SYSFS_ROOT(collection), path, add_mate_port, collection) ==
		    -E2BIG)
			return -E2BIG;
	}
	return 0;
}

/* --late: mates that the plan names have verdicts of their own, so they come before the others. */
static void promote_named(struct collection *collection)
{
	struct pci_table *table = collection->table;

	for (unsigned int i = table->candidates; i < table->count; i++) {
		struct pci_function *to = &table->fn[table->candidates], fn = table->fn[i];

		if (!pci_is_named(SYSFS_ROOT(collection), collection->plan, &fn))
			continue;
		table->fn[i] = *to;
		*to = fn;
		table->candidates++;
	}
}

/* Only for the functions that the plan names and their groups, not for the whole machine. */
static void read_places(struct collection *collection)
{
	struct pci_table *table = collection->table;

	if (!collection->plan->has_places)
		return;
	for (unsigned int i = 0; i < table->count; i++)
		table->fn[i].has_place = !pci_read_place(SYSFS_ROOT(collection), &table->fn[i].addr,
							 &table->fn[i].place);
}

/*
 * Does this host need a VMD controller that has no driver yet? Then what is behind it, in a domain
 * of its own (above ffff: drivers/pci/controller/vmd.c), is not missing, but will appear later.
 */
static bool awaits_vmd(int rootfd, const struct plan *plan)
{
	struct pci_function fn;

	for (unsigned int i = 0; i < plan->protects; i++)
		if (plan->protect[i].addr.domain <= 0xffff &&
		    !pci_read(rootfd, &plan->protect[i].addr, &fn) &&
		    fn.class >> 8 == PCI_CLASS_RAID && fn.id.vendor == PCI_VENDOR_INTEL &&
		    !*fn.driver)
			return true;
	return false;
}

/* Has the device of a protect line left its place? */
static bool has_moved(int rootfd, const struct plan *plan, const struct plan_protect *protect)
{
	struct pci_address addr = protect->addr;
	struct pci_function now;
	int ret = 0;

	if (protect->has_place)
		ret = resolve_place(rootfd, &protect->place, SELECTOR_ADDRESS, &addr);
	if (!ret)
		ret = pci_read(rootfd, &addr, &now);
	if (!ret)
		return !pci_id_matches(&protect->id, &now.id);
	return ret != -ENOENT || protect->addr.domain <= 0xffff || !awaits_vmd(rootfd, plan);
}

/*
 * If the device of a protect line has left its place, every function with its ID is protected. Only
 * devices with a twin are checked: a machine that has not changed costs no reads.
 */
static void mark_moved(struct collection *collection, struct plan *plan)
{
	const struct pci_table *table = collection->table;

	for (unsigned int i = 0; i < plan->protects; i++) {
		struct plan_protect *protect = &plan->protect[i];

		protect->moved = false;
		for (unsigned int j = 0; j < table->count && !protect->moved; j++) {
			const struct pci_function *fn = &table->fn[j];

			if (!pci_id_matches(&protect->id, &fn->id) ||
			    pci_address_equal(&protect->addr, &fn->addr))
				continue;
			protect->moved = has_moved(SYSFS_ROOT(collection), plan, protect);
			break;
		}
	}
}

bool pci_resolve_plan(int rootfd, struct plan *plan)
{
	bool scan = false;

	for (unsigned int i = 0; i < plan->binds; i++) {
		pci_resolve(rootfd, &plan->bind[i].sel);
		scan |= selector_needs_scan(&plan->bind[i].sel) ||
			plan->bind[i].sel.kind == SELECTOR_VF;
	}
	for (unsigned int i = 0; i < plan->excepts; i++)
		pci_resolve(rootfd, &plan->except[i].sel);
	for (unsigned int i = 0; i < plan->sets; i++)
		pci_resolve(rootfd, &plan->set[i].sel);
	return scan;
}

static int scan_named(struct collection *collection)
{
	const struct pci_table *table = collection->table;
	int ret = 0;

	if (!count_known(table))
		return pci_scan(SYSFS_ROOT(collection), collect_named, collection);
	for (unsigned int i = 0; i < count_known(table) && !ret; i++)
		ret = collect_named(&table->known[i], 0, collection);
	return ret;
}

int pci_collect(int rootfd, struct plan *plan, const struct pci_address *late,
		struct pci_table *table)
{
	struct collection collection = { .rootfd = rootfd, .plan = plan, .table = table };
	bool needs_scan = pci_resolve_plan(rootfd, plan);
	int ret;

	table->count = table->candidates = table->unreadable = 0;
	if (late)
		ret = collect_one(&collection, late);
	else if (needs_scan)
		ret = scan_named(&collection);
	else
		ret = collect_addresses(&collection);
	if (ret)
		return ret;

	for (unsigned int i = 0; i < table->candidates; i++)
		read_details(&collection, &table->fn[i]);
	ret = collect_mates(&collection);
	if (late)
		promote_named(&collection);
	read_places(&collection);
	mark_moved(&collection, plan);
	return ret;
}
