// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compiles the config into the plan that goes into an image; see plan.h. The grammar is the same,
 * with one item on a line, and with the IDs and paths of this host's devices added. Writes no file.
 *
 * Protect lines come before bind lines, so that a plan that was cut off loses binds first. The text
 * is parsed again by the boot half's own parser before it is returned.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/trial.h"
#include "early/decide.h"
#include "early/paths.h"
#include "early/pci.h"
#include "early/plan.h"
#include "early/sysfs.h"
#include "early/text.h"
#include "early/version.h"
#include "plan/facts.h"
#include "plan/modules.h"
#include "plan/plan.h"
#include "protect/protect.h"
#include "ui/status.h"
#include "util/address.h"
#include "util/file.h"
#include "util/message.h"

/* include/linux/pci_ids.h */
#define PCI_CLASS_BRIDGE_PCI 0x0604

/* Bytes of all reasons together: half a plan, when there are many. */
#define REASONS_MAX (PLAN_MAX_TEXT / 2)

/* An ID with its subsystem; a path selector of SELECTOR_MAX_HOPS hops ("/1f.7") and an ID. */
#define ID_TEXT_SIZE	   (2 * PCI_ID_SIZE)
#define PATH_TEXT_SIZE	   (PCI_ADDRESS_SIZE + 5 * SELECTOR_MAX_HOPS)
#define SELECTOR_TEXT_SIZE (2 * PATH_TEXT_SIZE + ID_TEXT_SIZE + sizeof("vf:=@"))

/* Of the last lost line of a plan, when there were more: it begins with their number. */
#define LOST_MORE " more;"

struct compiler {
	struct config_problem *problem; /* or NULL: see compiler_open() */
	enum plan_voice voice;
	bool is_undone; /* after `undo`: nothing is to be bound, whatever the config says */
	const struct root *root;
	struct config config;
	struct plan plan;
	char *lost[PLAN_MAX_LOST];
	unsigned int losts;   /* may exceed PLAN_MAX_LOST: those were not kept */
	unsigned int unnamed; /* wrong lines of the config that are in losts as a number only */
	/* The first ones are about the config and the host, the others about a kernel. */
	unsigned int host_losts;
	bool is_left_out[PLAN_MAX_BINDS]; /* of each bind selector: it has no line in the plan */
	char *items; /* protect, except and bind lines: the same for every kernel */
	const struct pci_function *fn; /* by address */
	struct pci_function *scanned;  /* the same, when they are ours */
	size_t fns;
	/* The plan that this boot used, or an empty one: pins of that plan stay. */
	struct plan booted;
	char booted_text[PLAN_MAX_TEXT];
	struct protect_source *protect;
	struct protect_facts needed; /* today's, or the last ones that this host stored */
	bool *is_listed;	     /* of each of them: it has a line in the plan */
	enum plan_facts facts;
};

static void add_lost(const char *text, void *arg)
{
	struct compiler *comp = arg;

	if (comp->losts < PLAN_MAX_LOST)
		comp->lost[comp->losts] = strdup(text);
	comp->losts++;
}

unsigned int plan_lost_lines(const struct plan *plan)
{
	unsigned long more;
	char *end;

	if (plan->losts < PLAN_MAX_LOST)
		return plan->losts;
	more = strtoul(plan->lost[plan->losts - 1], &end, 10);
	return strncmp(end, LOST_MORE, strlen(LOST_MORE)) != 0 ?
		       plan->losts :
		       plan->losts - 1 + (unsigned int)more;
}

static void write_lost(const struct compiler *comp, FILE *out)
{
	unsigned int kept = comp->losts;

	if (kept > PLAN_MAX_LOST)
		kept = PLAN_MAX_LOST - 1;
	for (unsigned int i = 0; i < kept; i++)
		fprintf(out, "lost %s\n", comp->lost[i] ? comp->lost[i] : "(out of memory)");
	if (kept < comp->losts)
		fprintf(out,
			"lost %u" LOST_MORE " correct these first, then vfio-early plan names the "
			"next\n",
			comp->losts - kept + comp->unnamed);
}

static int add_function(const struct pci_function *fn, int error, void *arg)
{
	struct compiler *comp = arg;
	struct pci_function *list;

	if (error)
		return 0;
	list = realloc(comp->scanned, (comp->fns + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	comp->fn = comp->scanned = list;
	comp->scanned[comp->fns++] = *fn;
	return 0;
}

static int compare_functions(const void *a, const void *b)
{
	const struct pci_function *one = a, *other = b;

	return address_compare(&one->addr, &other->addr);
}

static const struct pci_function *find_function(const struct compiler *comp,
						const struct pci_address *addr)
{
	const struct pci_function key = { .addr = *addr };

	if (!comp->fns)
		return NULL;
	return bsearch(&key, comp->fn, comp->fns, sizeof(key), compare_functions);
}

/*
 * Reads the plan of this boot. A config line without an ID means "this device". If it were pinned
 * again for each image, the first image after a card has moved (a kernel upgrade makes one) would
 * take whatever is at the address by then. If there is no such plan, or it cannot be read, nothing
 * is remembered.
 */
static void read_booted(struct compiler *comp)
{
	struct plan_errors errors = { 0 };
	int len = sysfs_read_whole(comp->root->fd, PATH_RUN_PLAN, comp->booted_text,
				   sizeof(comp->booted_text));

	plan_init(&comp->booted);
	if (len > 0)
		plan_parse(&comp->booted, comp->booted_text, (size_t)len, PLAN_COMPILED, &errors);
}

static bool is_same_place(const struct selector *a, const struct selector *b)
{
	return a->kind == b->kind && a->hops == b->hops && pci_address_equal(&a->addr, &b->addr) &&
	       !memcmp(a->hop, b->hop, a->hops * sizeof(a->hop[0]));
}

static const struct selector *same_pinned(const struct selector *then, const struct selector *sel)
{
	return then->has_id && !selector_needs_scan(then) && is_same_place(then, sel) ? then : NULL;
}

/*
 * What this address, slot or path (not resolved yet) was pinned to at boot, or NULL. If several
 * lines have it, they had the same pin.
 */
static const struct selector *find_booted(const struct compiler *comp, const struct selector *sel)
{
	const struct plan *booted = &comp->booted;
	const struct selector *then = NULL;

	for (unsigned int i = 0; i < booted->binds && !then; i++)
		then = same_pinned(&booted->bind[i].sel, sel);
	for (unsigned int i = 0; i < booted->sets && !then; i++)
		then = same_pinned(&booted->set[i].sel, sel);
	for (unsigned int i = 0; i < booted->vfs && !then; i++)
		then = same_pinned(&booted->vf[i].sel, sel);
	return then;
}

/* Whose ID a pin is: the function's own, or that of function 0 of a slot. */
static const struct pci_function *find_pinned(const struct compiler *comp,
					      const struct selector *sel)
{
	struct pci_address addr = sel->addr;

	if (sel->kind == SELECTOR_SLOT)
		addr.fn = 0;
	return find_function(comp, &addr);
}

static bool is_matching(const struct compiler *comp, const struct selector *sel,
			enum selector_result wanted)
{
	for (size_t i = 0; i < comp->fns; i++) {
		const struct pci_function *fn = &comp->fn[i], *first;
		struct pci_address addr = fn->addr;

		addr.fn = 0;
		first = find_function(comp, &addr);
		if (selector_match(sel, &fn->addr, &fn->id, fn->class, first ? &first->id : NULL) ==
		    wanted)
			return true;
	}
	return false;
}

/* pci_id_format() leaves the subsystem out, as a log line should; a plan keeps it. */
static const char *format_id(const struct pci_id *id, char text[ID_TEXT_SIZE])
{
	pci_id_format(id, text);
	if (id->subvendor || id->subdevice)
		sprintf(text, "%04x:%04x:%04x:%04x", id->vendor, id->device, id->subvendor,
			id->subdevice);
	return text;
}

/* "0000:00:01.0/00.0", of a slot without the last ".F". Returns its length. */
static int format_path(const struct pci_address *root, const struct selector_hop *hop,
		       unsigned int hops, enum selector_kind kind, char *text)
{
	char *pos = text, part[PCI_ADDRESS_SIZE];

	pos += sprintf(pos, "%s", pci_address_format(root, part));
	for (unsigned int i = 0; i < hops; i++)
		pos += sprintf(pos, "/%02x.%x", hop[i].dev, hop[i].fn & 7u);
	if (kind == SELECTOR_SLOT)
		pos -= 2;
	*pos = '\0';
	return (int)(pos - text);
}

/*
 * The canonical form of a selector: lower case, with the domain, and with the ID if there is one.
 */
static void format_selector(const struct selector *sel, const struct pci_address *addr, char *text)
{
	char id[ID_TEXT_SIZE] = "";
	char *pos = text;

	if (sel->kind == SELECTOR_CLASS) {
		int width = 2 + 2 * !!(sel->class_mask & 0xff00) + 2 * !!(sel->class_mask & 0xff);

		sprintf(text, "class:%0*x", width, sel->class >> (24 - 4 * width));
		return;
	}

	if (sel->has_id)
		format_id(&sel->id, id);
	if (sel->kind == SELECTOR_ID) {
		strcpy(text, id);
		return;
	}

	if (sel->kind == SELECTOR_VF)
		pos += sprintf(pos, "vf:");
	pos += format_path(addr, sel->hop, sel->hops, sel->kind, pos);
	pos += sprintf(pos, "%s%s", *id ? "=" : "", id);
	if (!sel->has_place)
		return;
	*pos++ = '@';
	format_path(&sel->place.root, sel->place.hop, sel->place.hops, sel->kind, pos);
}

/* "", or what a line without an ID is to do without. */
static const char *unpinned(const struct selector *sel)
{
	return sel->has_id ? "" : ", so it is not pinned to an ID";
}

/*
 * The path that an address with an ID is pinned to: that of the boot, like the ID, or the current
 * one. A device that is not there has none. Returns 0, or -errno if the current one cannot be read.
 */
static int pin_place(const struct compiler *comp, struct selector *sel,
		     const struct pci_function *fn, const struct selector *then)
{
	int ret = 0;

	/* Otherwise it would look as if somebody who knows this host had written the path. */
	if (plan_facts_are_unknown(comp->facts))
		return 0;
	if (!sel->has_id || sel->has_place || selector_is_path(sel))
		return 0;
	if (then && then->has_place && pci_id_matches(&sel->id, &then->id)) {
		sel->place = then->place;
		sel->has_place = true;
	} else if (fn && pci_id_matches(&sel->id, &fn->id)) {
		ret = pci_read_place(comp->root->fd, &fn->addr, &sel->place);
		sel->has_place = !ret;
	}
	return ret;
}

/* As with a place: a path with an ID is what the boot takes although it knows not what is needed. */
static bool may_pin_id(const struct compiler *comp, const struct selector *sel)
{
	return !plan_facts_are_unknown(comp->facts) || !selector_is_path(sel);
}

/* Is another of that ID at the address today? */
static bool is_elsewhere(const struct compiler *comp, const struct selector *sel,
			 const struct pci_function *fn)
{
	struct pci_place now;

	return fn && sel->has_place && pci_id_matches(&sel->id, &fn->id) &&
	       !pci_read_place(comp->root->fd, &fn->addr, &now) &&
	       !pci_place_equal(&sel->place, &now, sel->kind == SELECTOR_SLOT);
}

/* What was found out when a selector was pinned. */
struct pin {
	const struct pci_function *fn; /* what is there, or NULL */
	const struct pci_id *then;     /* what was there at boot, when the line has no ID itself */
	bool is_lost;		       /* a path that leads nowhere */
	int no_place;		       /* its path cannot be read: -errno */
};

/* Pins an address, slot or path to ID and path, where that can be done. */
static struct pin pin(const struct compiler *comp, struct selector *sel)
{
	const struct selector *booted = find_booted(comp, sel);
	struct pin pin = { 0 };

	if (!sel->has_id && booted)
		pin.then = &booted->id;
	pin.is_lost = pci_resolve(comp->root->fd, sel) != 0;
	if (!pin.is_lost)
		pin.fn = find_pinned(comp, sel);
	if (!sel->has_id && (pin.then || pin.fn) && may_pin_id(comp, sel)) {
		sel->id = pin.then ? *pin.then : pin.fn->id;
		sel->id.subvendor = sel->id.subdevice = 0;
		sel->has_id = true;
	}
	pin.no_place = pin_place(comp, sel, pin.fn, booted);
	return pin;
}

/* Says what a bind line has to do with this machine today; pins it where it can be pinned. */
static void pin_bind(struct compiler *comp, unsigned int bind)
{
	struct plan_selector *item = &comp->plan.bind[bind];
	struct selector *sel = &item->sel;
	const struct pci_function *fn;
	const struct pci_id *then;
	char id[PCI_ID_SIZE], now[PCI_ID_SIZE];
	unsigned int line;
	const char *file = config_origin(&comp->config, &comp->plan, bind, &line);
	struct pin found;

	if (selector_needs_scan(sel)) {
		if (comp->voice == PLAN_SAYS_ALL && !is_matching(comp, sel, SELECTOR_MATCHES))
			message_warn("%s:%u: %s matches nothing today", file, line, item->text);
		return;
	}

	found = pin(comp, sel);
	fn = found.fn;
	then = found.then;
	if (comp->voice != PLAN_SAYS_ALL)
		return;
	if (found.no_place)
		message_warn(
			"%s:%u: the path of %s cannot be read: %s; it is planned by its ID alone",
			file, line, item->text, strerror(-found.no_place));

	if (found.is_lost)
		message_warn("%s:%u: %s leads nowhere today%s", file, line, item->text,
			     unpinned(sel));
	else if (then && fn && !pci_id_matches(then, &fn->id))
		message_warn("%s:%u: %s was %s when this boot was planned and is %s now: the first "
			     "is still planned; fix: if the device was exchanged, write %s=%s",
			     file, line, item->text, pci_id_format(then, id),
			     pci_id_format(&fn->id, now), item->text, now);
	else if (is_elsewhere(comp, sel, fn))
		message_warn("%s:%u: %s is another device of that ID today, in another slot: the "
			     "first is still planned; fix: if this one is meant, write it with its "
			     "path: vfio-early list -o PATH",
			     file, line, item->text);
	else if (is_matching(comp, sel, SELECTOR_MATCHES))
		return;
	else if (fn)
		message_warn("%s:%u: %s matches nothing today: the ID there is %s", file, line,
			     item->text, pci_id_format(&fn->id, now));
	else
		message_warn("%s:%u: %s matches nothing today%s", file, line, item->text,
			     unpinned(sel));
}

static void write_excepts(const struct compiler *comp, FILE *out)
{
	for (unsigned int i = 0; i < comp->plan.excepts; i++) {
		const struct selector *sel = &comp->plan.except[i].sel;
		char text[SELECTOR_TEXT_SIZE];

		format_selector(sel, &sel->addr, text);
		fprintf(out, "except %s\n", text);
	}
}

static bool is_bridge(const struct compiler *comp, const struct protect *item)
{
	const struct pci_function *fn = find_function(comp, &item->addr);

	return fn && fn->class >> 8 == PCI_CLASS_BRIDGE_PCI;
}

/* Storage, network and USB controllers are held back where facts are unknown (early/decide.c). */
static bool is_held_back(const struct compiler *comp, const struct protect *item)
{
	const struct pci_function *fn = find_function(comp, &item->addr);

	return fn && (fn->class >> 16 == 0x02 || decide_may_hold_root(fn));
}

/* Does a bind line name what is needed, so that only its protect line holds that back? */
static bool is_named(const struct compiler *comp, const struct plan_selector *bind,
		     const struct protect *item)
{
	struct selector sel = bind->sel;
	struct pci_address addr = item->addr;
	const struct pci_function *fn = find_function(comp, &item->addr), *first;

	if (bind->force || !fn || (selector_needs_scan(&sel) && is_held_back(comp, item)))
		return false;
	pci_resolve(comp->root->fd, &sel);
	addr.fn = 0;
	first = find_function(comp, &addr);
	if (sel.kind == SELECTOR_VF) {
		struct pci_function own = *fn;

		pci_read_pf(comp->root->fd, &own);
		return pci_match(&sel, &own) != SELECTOR_DIFFERS;
	}
	return selector_match(&sel, &fn->addr, &fn->id, fn->class, first ? &first->id : NULL) !=
	       SELECTOR_DIFFERS;
}

static bool is_named_by_any(const struct compiler *comp, const struct protect *item)
{
	for (unsigned int i = 0; i < comp->plan.binds; i++)
		if (is_named(comp, &comp->plan.bind[i], item))
			return true;
	return false;
}

/* Lists those that are not yet, as many as there is room for. Returns how many were left out. */
static size_t list_needed(struct compiler *comp, bool named_only, size_t *count)
{
	size_t left_out = 0;

	for (size_t i = 0; i < comp->needed.count; i++) {
		const struct protect *item = &comp->needed.list[i];

		if (comp->is_listed[i] || is_bridge(comp, item) ||
		    (named_only && !is_named_by_any(comp, item)))
			continue;
		if (*count == PLAN_MAX_PROTECTS) {
			left_out++;
			continue;
		}
		comp->is_listed[i] = true;
		++*count;
	}
	return left_out;
}

/*
 * Decides which ones get a line if there are more than a plan may have. Bridges get none: those
 * above what is needed are mostly bridges that the boot refuses anyway. Of the others, those come
 * first that nothing else would protect; the rest is what the boot does not bind by ID or class
 * while facts are unknown.
 */
static int choose_needed(struct compiler *comp, size_t *left_out)
{
	size_t count = comp->needed.count;

	*left_out = 0;
	comp->is_listed = calloc(count + 1, sizeof(*comp->is_listed));
	if (!comp->is_listed)
		return -ENOMEM;
	if (count <= PLAN_MAX_PROTECTS) {
		memset(comp->is_listed, true, count);
		return 0;
	}
	count = 0;
	list_needed(comp, true, &count);
	*left_out = list_needed(comp, false, &count);
	return 0;
}

/* A line of the plan must not take what had no room among the protect lines. */
static bool names_unlisted(const struct compiler *comp, const struct plan_selector *bind,
			   char addr[PCI_ADDRESS_SIZE])
{
	for (size_t i = 0; i < comp->needed.count; i++) {
		const struct protect *item = &comp->needed.list[i];

		if (comp->is_listed[i] || is_bridge(comp, item) || !is_named(comp, bind, item))
			continue;
		pci_address_format(&item->addr, addr);
		return true;
	}
	return false;
}

/* Reasons are for people: they are shortened if the lines would fill the plan. */
static void print_needed(const struct compiler *comp, FILE *out)
{
	size_t listed = 0, max;

	for (size_t i = 0; i < comp->needed.count; i++)
		listed += comp->is_listed[i];
	max = listed ? REASONS_MAX / listed : 0;
	for (size_t i = 0; i < comp->needed.count; i++) {
		const struct protect *item = &comp->needed.list[i];
		char addr[PCI_ADDRESS_SIZE], id[ID_TEXT_SIZE];
		size_t len = strlen(item->reason);
		bool is_cut = len > max;

		if (!comp->is_listed[i])
			continue;
		if (is_cut)
			for (len = max; len && ((unsigned char)item->reason[len] & 0xc0) == 0x80;)
				len--;
		fprintf(out, "protect %s=%s%s%s %.*s%s\n", pci_address_format(&item->addr, addr),
			format_id(&item->id, id), item->path ? "@" : "",
			item->path ? item->path : "", (int)len, item->reason, is_cut ? "..." : "");
	}
}

/*
 * "facts unknown": what this host needs is not known, not even from earlier, or it needs more than
 * a plan can name.
 */
static void write_unknown(struct compiler *comp, FILE *out, enum plan_facts facts, const char *why)
{
	bool is_unknown = facts == PLAN_FACTS_UNKNOWN;

	comp->facts = facts;
	fprintf(out, "facts unknown\n# %s: %s\n", is_unknown ? "facts-unknown" : "facts-too-many",
		why);
	if (comp->voice != PLAN_SAYS_ALL || !comp->plan.binds)
		return;
	message_warn(
		"%s%s; storage, network and USB controllers are bound only by a line with ID and "
		"path, or by bind!; fix: %s%s",
		is_unknown ? "facts unknown: " : "", why, is_unknown ? COMMAND_THERE : "",
		is_unknown ? trial_command(comp->root) :
			     "write the devices to bind with their IDs and paths");
}

/* If the current facts are not available here, uses the last ones that this host stored. */
static int recall(struct compiler *comp, FILE *out)
{
	const char *why_none = comp->needed.why_none;
	struct pci_address elsewhere;
	int ret = facts_recall(comp->root, comp->protect, &comp->needed, &elsewhere);
	char why[512], why_not[128];

	if (ret == -ENOMEM)
		return ret;
	if (!ret) {
		comp->facts = PLAN_FACTS_RECALLED;
		fprintf(out, "# protect: what this host needed when its last image was made: %s\n",
			why_none);
		return 0;
	}
	facts_print_why(ret, &elsewhere, why_not, sizeof(why_not));
	snprintf(why, sizeof(why), "%s, %s", why_none, why_not);
	write_unknown(comp, out, PLAN_FACTS_UNKNOWN, why);
	return 0;
}

static int write_protects(struct compiler *comp, FILE *out)
{
	size_t left_out;
	int ret = protect_open(comp->root, &comp->protect);

	if (!ret)
		ret = protect_collect(comp->protect, &comp->needed);
	if (!ret && comp->needed.why_none)
		ret = recall(comp, out);
	if (!ret)
		ret = choose_needed(comp, &left_out);
	if (ret)
		return message_errno(ret, "cannot find out which devices this host needs");
	if (left_out) {
		char why[128];

		snprintf(why, sizeof(why),
			 "this host needs %zu more devices than the %u that a plan can name",
			 left_out, PLAN_MAX_PROTECTS);
		write_unknown(comp, out, PLAN_FACTS_TOO_MANY, why);
	}
	for (size_t i = 0; i < comp->needed.notes; i++)
		fprintf(out, "# protect: %s\n", comp->needed.note[i]);
	print_needed(comp, out);
	return 0;
}

static void leave_out_bind(struct compiler *comp, unsigned int bind, const char *needed)
{
	unsigned int line;
	const char *file = config_origin(&comp->config, &comp->plan, bind, &line);
	char text[512];

	snprintf(text, sizeof(text), "%s:%u: %s names %s, which this host needs", file, line,
		 comp->plan.bind[bind].text, needed);
	if (comp->voice == PLAN_SAYS_ALL)
		message_warn("%s; the line is left out", text);
	add_lost(text, comp);
}

static void write_binds(struct compiler *comp, FILE *out)
{
	bool blind = !comp->fns;
	bool unpinned_address = false;

	for (unsigned int i = 0; i < comp->plan.binds; i++) {
		const struct selector *sel = &comp->plan.bind[i].sel;

		unpinned_address |= !selector_needs_scan(sel) && !sel->has_id;
	}
	if (blind && unpinned_address && comp->voice == PLAN_SAYS_ALL)
		message_warn("no PCI function is visible below %s/sys: addresses are not pinned to "
			     "an ID",
			     comp->root->path);
	for (unsigned int i = 0; i < comp->plan.binds; i++) {
		struct plan_selector *item = &comp->plan.bind[i];
		struct pci_address addr = item->sel.addr; /* pci_resolve() moves a path's */
		char text[SELECTOR_TEXT_SIZE], needed[PCI_ADDRESS_SIZE];

		if (names_unlisted(comp, item, needed)) {
			comp->is_left_out[i] = true;
			leave_out_bind(comp, i, needed);
			continue;
		}
		if (!blind)
			pin_bind(comp, i);
		format_selector(&item->sel, &addr, text);
		fprintf(out, "bind%s %s\n", item->force ? "!" : "", text);
	}
}

/* The card has changed: the image keeps the line as it is, and the boot reports it. */
static void warn_unpinned(const struct compiler *comp, const char *keyword, const char *text,
			  unsigned int line, const struct selector *sel, const struct pin *pin)
{
	const char *file = config_file_of(&comp->config, text);
	char id[PCI_ID_SIZE];

	if (comp->voice != PLAN_SAYS_ALL)
		return;
	if (pin->is_lost || !pin->fn)
		message_warn("%s:%u: %s %s matches nothing today%s", file, line, keyword, text,
			     unpinned(sel));
	else if (sel->has_id && !pci_id_matches(&sel->id, &pin->fn->id))
		message_warn("%s:%u: %s %s matches nothing today: the ID there is %s", file, line,
			     keyword, text, pci_id_format(&pin->fn->id, id));
}

static void write_sets(struct compiler *comp, FILE *out)
{
	for (unsigned int i = 0; i < comp->plan.sets; i++) {
		struct plan_set *set = &comp->plan.set[i];
		struct pci_address addr = set->sel.addr;
		char text[SELECTOR_TEXT_SIZE];

		if (comp->fns && !selector_needs_scan(&set->sel)) {
			struct pin found = pin(comp, &set->sel);

			warn_unpinned(comp, "set", set->text, set->line, &set->sel, &found);
		}
		format_selector(&set->sel, &addr, text);
		fprintf(out, "set %s", text);
		for (enum plan_key key = PLAN_SET_RESET; key < PLAN_SET_KEYS; key++) {
			if (!set->value[key])
				continue;
			snprintf(text, sizeof(text), "%s", set->value[key]);
			text_replace(text, ' ', ',');
			fprintf(out, " %s%s", plan_key_name(key), text);
		}
		fputc('\n', out);
	}
}

static void write_vfs(struct compiler *comp, FILE *out)
{
	for (unsigned int i = 0; i < comp->plan.vfs; i++) {
		struct plan_vfs *vfs = &comp->plan.vf[i];
		struct pci_address addr = vfs->sel.addr;
		char text[SELECTOR_TEXT_SIZE];

		if (comp->fns) {
			struct pin found = pin(comp, &vfs->sel);

			warn_unpinned(comp, "vfs", vfs->text, vfs->line, &vfs->sel, &found);
		}
		format_selector(&vfs->sel, &addr, text);
		fprintf(out, "vfs %s %u\n", text, vfs->number);
	}
}

/* The part that is the same for every kernel, except the lost lines. */
static int write_items(struct compiler *comp, FILE *out)
{
	int ret = write_protects(comp, out);

	if (ret)
		return ret;
	write_excepts(comp, out);
	write_binds(comp, out);
	write_sets(comp, out);
	write_vfs(comp, out);
	return 0;
}

static void write_header(const struct compiler *comp, const char *kernel, FILE *out)
{
	static const char *const boot_vga[] = { "bind", "keep" };
	static const char *const group[] = { "warn", "claim", "refuse" };
	static const char *const failure[] = { "release", "hold" };

	fprintf(out, "# vfio-early %s: compiled from the config, do not edit\n", version_text);
	if (kernel)
		fprintf(out, "kernel %s\n", kernel);
	if (comp->is_undone)
		fprintf(out, "# undone: vfio-early undo is in effect: the config does not count\n");
	else
		fprintf(out, "config sha256:%s\n", comp->config.digest);
	fprintf(out, "deadline %u\n", comp->plan.deadline);
	fprintf(out, "boot-vga %s\n", boot_vga[comp->plan.boot_vga]);
	fprintf(out, "group %s\n", group[comp->plan.group]);
	fprintf(out, "failure %s\n", failure[comp->plan.failure]);
	write_lost(comp, out);
}

/* To whoever asked for it, or said. Returns -EINVAL. */
static int pass_on(const struct compiler *comp, const struct config_problem *problem)
{
	if (!comp->problem)
		return config_say(problem);
	*comp->problem = *problem;
	return -EINVAL;
}

/* What the boot half would make of this text. */
static int check_text(const struct compiler *comp, const char *text, size_t size)
{
	static struct plan plan;
	struct plan_errors errors = { 0 };
	struct config_problem problem;
	char *copy;

	if (size >= PLAN_MAX_TEXT) {
		config_wrong(&problem, "use fewer lines, class: or IDs",
			     "the plan would be larger than 256 KiB");
		return pass_on(comp, &problem);
	}
	copy = strdup(text);
	if (!copy)
		return message_errno(-ENOMEM, "cannot check the plan");
	plan_init(&plan);
	if (plan_parse(&plan, copy, size, PLAN_COMPILED, &errors))
		message_line("(plan)", errors.error[0].line, errors.error[0].column,
			     errors.error[0].what, NULL);
	free(copy);
	return errors.count ? -EINVAL : 0;
}

/* A text that names kernels, as many as it can take. */
struct kernels_text {
	char *buf;
	size_t size, len;
	bool is_cut;
};

static int add_kernel(const char *kernel, void *arg)
{
	struct kernels_text *text = arg;
	size_t left = text->size - text->len;
	int len = snprintf(text->buf + text->len, left, "%s--kernel %s",
			   text->len ? ", " : "name one that is there: ", kernel);

	text->is_cut = len < 0 || (size_t)len + sizeof(" and others") > left;
	if (text->is_cut)
		text->buf[text->len] = '\0';
	else
		text->len += (size_t)len;
	return text->is_cut;
}

/* How to name another kernel: the newest that are there. */
static void write_kernels(const struct root *root, char *buf, size_t size)
{
	struct kernels_text text = { .buf = buf, .size = size };

	buf[0] = '\0';
	modules_each_kernel(root, add_kernel, &text);
	if (!text.len && text.is_cut)
		snprintf(buf, size, "name one of %.160s/" MODULES_PATH, root->path);
	else if (!text.len)
		snprintf(buf, size,
			 "none is in %.160s/" MODULES_PATH ": install one, or its modules",
			 root->path);
	else if (text.is_cut)
		snprintf(buf + text.len, size - text.len, " and others");
}

static int check_kernel(const struct compiler *comp, const char *kernel)
{
	struct config_problem problem;
	char *dir, fix[256];
	int ret = modules_dir(comp->root, kernel, &dir);

	/* Said by modules_write(), as what is lost. */
	if (ret == -ENOTSUP)
		ret = 0;
	if (ret) {
		write_kernels(comp->root, fix, sizeof(fix));
		config_wrong(&problem, fix, "no kernel %s: cannot enter %s: %s", kernel,
			     dir ? dir : "it", strerror(-ret));
		if (comp->voice == PLAN_SAYS_NOTHING)
			pass_on(comp, &problem);
		else
			config_say(&problem);
	}
	free(dir);
	return ret;
}

/* From the config to what every plan has. Wrong lines of the config are in comp->losts too. */
static int compile_host(struct compiler *comp)
{
	struct config_problem problem;
	size_t size;
	FILE *out;
	int ret = 0;
	unsigned int wrong;

	plan_init(&comp->plan);
	/* Not a warning: `undo` makes images too, and shows the warnings of their builder. */
	if (comp->is_undone && comp->voice == PLAN_SAYS_ALL)
		message_note(
			"vfio-early undo is in effect: the plan is empty; fix: " COMMAND_APPLY);
	/* What the config says does not count then, nor that it cannot be read. */
	if (!comp->is_undone)
		ret = config_read(comp->root, &comp->config, &problem);
	if (ret)
		return pass_on(comp, &problem);
	wrong = config_parse(&comp->config, &comp->plan, comp->voice != PLAN_SAYS_NOTHING, add_lost,
			     comp);
	/* Those that are counted, but not named, are one call for each file. */
	comp->unnamed = wrong > comp->losts ? wrong - comp->losts : 0;
	/* Only what is bound is compared with what is there. */
	ret = (comp->plan.binds || comp->plan.vfs) && !comp->fn ?
		      pci_scan(comp->root->fd, add_function, comp) :
		      0;
	if (ret && ret != -ENOENT)
		return message_errno(ret, "cannot read the PCI functions of this host");
	if (comp->scanned)
		qsort(comp->scanned, comp->fns, sizeof(*comp->scanned), compare_functions);
	read_booted(comp);
	out = open_memstream(&comp->items, &size);
	if (!out)
		return message_errno(-ENOMEM, "cannot compile the plan");
	ret = write_items(comp, out);
	comp->host_losts = comp->losts;
	if (fclose(out) && !ret)
		ret = message_errno(-ENOMEM, "cannot compile the plan");
	return ret;
}

int compiler_open(const struct root *root, const struct pci_function *fn, size_t fns,
		  bool is_undone, enum plan_voice voice, struct config_problem *problem,
		  struct compiler **result)
{
	struct compiler *comp = calloc(1, sizeof(*comp));
	int ret;

	*result = NULL;
	if (!comp)
		return message_errno(-ENOMEM, "cannot compile the plan");
	comp->root = root;
	comp->fn = fn;
	comp->fns = fn ? fns : 0;
	comp->is_undone = is_undone;
	comp->voice = voice;
	comp->problem = problem;
	ret = compile_host(comp);
	if (ret)
		compiler_close(comp);
	else
		*result = comp;
	return ret;
}

static void forget_losts(struct compiler *comp, unsigned int from)
{
	for (unsigned int i = from; i < comp->losts && i < PLAN_MAX_LOST; i++) {
		free(comp->lost[i]);
		comp->lost[i] = NULL;
	}
	comp->losts = from;
}

/* The module lines of a kernel; what is lost of them is in comp->losts from here on. */
static int make_modules(struct compiler *comp, const char *kernel, char **text)
{
	size_t size;
	FILE *out = open_memstream(text, &size);
	int ret = -ENOMEM;

	forget_losts(comp, comp->host_losts);
	if (out) {
		ret = kernel ? modules_write(comp->root, kernel, comp->voice != PLAN_SAYS_NOTHING,
					     out, add_lost, comp) :
			       0;
		if (fclose(out) && ret >= 0)
			ret = -ENOMEM;
	}
	return ret < 0 ? ret : 0;
}

enum plan_voice compiler_set_voice(struct compiler *comp, enum plan_voice voice)
{
	enum plan_voice before = comp->voice;

	comp->voice = voice;
	return before;
}

int compiler_plan(struct compiler *comp, const char *kernel, char **text, size_t *size)
{
	char *modules = NULL;
	FILE *out = NULL;
	int ret;

	*text = NULL;
	*size = 0;
	ret = kernel ? check_kernel(comp, kernel) : 0;
	if (ret)
		return ret;
	ret = make_modules(comp, kernel, &modules);
	if (!ret) {
		out = open_memstream(text, size);
		ret = out ? 0 : -ENOMEM;
	}
	if (out) {
		write_header(comp, kernel, out);
		fputs(modules, out);
		fputs(comp->items, out);
		if (fclose(out))
			ret = -ENOMEM;
	}
	free(modules);
	if (ret == -ENOMEM)
		message_errno(ret, "cannot compile the plan");
	if (!ret)
		ret = check_text(comp, *text, *size);
	if (ret) {
		free(*text);
		*text = NULL;
	}
	return ret;
}

const struct config *compiler_config(const struct compiler *comp)
{
	return &comp->config;
}

const struct plan *compiler_written(const struct compiler *comp)
{
	return &comp->plan;
}

const struct protect_source *compiler_protect(const struct compiler *comp)
{
	return comp->protect;
}

/* The selector of the config that became the bind line of this number in the plan, or comp->plan.binds. */
static unsigned int find_bind(const struct compiler *comp, unsigned int number)
{
	unsigned int bind = 0;

	while (bind < comp->plan.binds && (comp->is_left_out[bind] || number--))
		bind++;
	return bind;
}

static bool set_origin(const struct compiler *comp, struct compiler_origin *origin,
		       const char *word, const char *text, unsigned int line)
{
	*origin = (struct compiler_origin){
		.file = config_file_of(&comp->config, text),
		.line = line,
		.keyword = word,
		.text = text,
	};
	return true;
}

bool compiler_origin(const struct compiler *comp, enum compiler_line kind, unsigned int number,
		     struct compiler_origin *origin)
{
	const struct plan *plan = &comp->plan;
	const struct plan_selector *item = NULL;
	unsigned int bind;

	switch (kind) {
	case COMPILER_BIND:
		bind = find_bind(comp, number);
		item = bind < plan->binds ? &plan->bind[bind] : NULL;
		return item && set_origin(comp, origin, item->force ? "bind!" : "bind", item->text,
					  item->line);
	case COMPILER_EXCEPT:
		item = number < plan->excepts ? &plan->except[number] : NULL;
		return item && set_origin(comp, origin, "except", item->text, item->line);
	case COMPILER_SET:
		return number < plan->sets &&
		       set_origin(comp, origin, "set", plan->set[number].text,
				  plan->set[number].line);
	case COMPILER_VFS:
		return number < plan->vfs && set_origin(comp, origin, "vfs", plan->vf[number].text,
							plan->vf[number].line);
	}
	return false;
}

static int compare_needed(const void *addr, const void *item)
{
	return address_compare(addr, &((const struct protect *)item)->addr);
}

const char *compiler_needs(const struct compiler *comp, const struct pci_address *addr)
{
	const struct protect *item = NULL;

	if (comp->needed.count)
		item = bsearch(addr, comp->needed.list, comp->needed.count, sizeof(*item),
			       compare_needed);
	return item ? item->reason : NULL;
}

enum plan_facts compiler_facts(const struct compiler *comp)
{
	return comp->facts;
}

bool compiler_is_whole(const struct compiler *comp)
{
	return !comp->losts && !(comp->plan.binds && plan_facts_are_unknown(comp->facts));
}

int compiler_keep_facts(const struct compiler *comp)
{
	if (comp->needed.why_none || !comp->plan.binds)
		return 0;
	return facts_keep(comp->root, comp->protect, &comp->needed);
}

void compiler_close(struct compiler *comp)
{
	if (!comp)
		return;
	forget_losts(comp, 0);
	free(comp->items);
	free(comp->scanned);
	config_free(&comp->config);
	protect_free(&comp->needed);
	free(comp->is_listed);
	protect_close(comp->protect);
	free(comp);
}

int plan_compile(const struct root *root, const char *kernel, char **text, size_t *size)
{
	struct compiler *comp;
	int ret;

	*text = NULL;
	*size = 0;
	ret = compiler_open(root, NULL, 0, false, PLAN_SAYS_FAULTS, NULL, &comp);
	if (!ret)
		ret = compiler_plan(comp, kernel, text, size);
	compiler_close(comp);
	return ret;
}
