// SPDX-License-Identifier: GPL-2.0-or-later
/* Who uses a function now; see users.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "early/paths.h"
#include "early/sysfs.h"
#include "host/nodes.h"
#include "host/pve.h"
#include "host/users.h"
#include "util/array.h"
#include "util/message.h"
#include "util/words.h"

#define PATH_CLASS_NET	"sys/class/net"
#define PATH_CONSOLES	"sys/class/vtconsole"
#define PATH_MODESET	"sys/module/nvidia_drm/parameters/modeset"
#define IFF_UP_BIT	0x1		  /* include/uapi/linux/if.h */
#define PERSISTENCED	"nvidia-persiste" /* comm: 15 characters of its name */
#define PERSISTENCED_SH "systemctl stop nvidia-persistenced"

static const char *const codes[] = {
#define USER_NAME(name, code) [name] = (code),
	USER_CODES(USER_NAME)
#undef USER_NAME
};

struct search {
	struct host *host;
	const struct pci_function *fn;
	size_t count;
	struct nodes nodes;
	struct users *users;
	int err;
};

static struct user *add(struct search *search, size_t fn, enum user_code code, const char *what)
{
	struct user user = { .code = code, .addr = search->fn[fn].addr };

	snprintf(user.what, sizeof(user.what), "%s", what);
	if (array_append(&search->users->list, &search->users->count, sizeof(user), &user)) {
		search->err = -ENOMEM;
		return NULL;
	}
	return &search->users->list[search->users->count - 1];
}

/* --- processes */

static enum user_code code_of(const struct node_use *use)
{
	if (use->is_vm)
		return USER_VM;
	return use->is_file ? USER_FILE : USER_PROCESS;
}

/* One user for each process and kind: a desktop has a dozen nodes of a card open. */
static void add_use(struct search *search, const struct node_use *use)
{
	char what[sizeof(((struct user *)0)->what)];
	const char *before = use->is_file || *use->name == '/' ? "" : "/dev/";
	struct user *user = NULL;
	size_t len;

	for (size_t i = 0; i < search->users->count && !user; i++) {
		struct user *item = &search->users->list[i];

		if (item->pid == use->pid && item->code == code_of(use) &&
		    pci_address_equal(&item->addr, &search->fn[use->fn].addr))
			user = item;
	}
	if (!user) {
		snprintf(what, sizeof(what), "%s%s", before, use->name);
		user = add(search, use->fn, code_of(use), what);
		if (!user)
			return;
		user->pid = use->pid;
		snprintf(user->process, sizeof(user->process), "%s", use->process);
		return;
	}
	len = strlen(user->what);
	if (user->is_cut)
		return;
	user->is_cut = len + strlen(use->name) + sizeof(", /dev/") + sizeof(" ...") >=
		       sizeof(user->what);
	if (user->is_cut)
		snprintf(user->what + len, sizeof(user->what) - len, " ...");
	else
		snprintf(user->what + len, sizeof(user->what) - len, ", %s%s", before, use->name);
}

static void find_processes(struct search *search, enum users_scope scope)
{
	struct node_use *uses;
	size_t count;
	int ret = nodes_find_uses(search->host, search->fn, &search->nodes, &uses, &count);

	for (size_t i = 0; i < count; i++)
		if (scope == USERS_OF_DRIVER || uses[i].is_vm)
			add_use(search, &uses[i]);
	free(uses);
	if (ret == -ENOMEM)
		search->err = ret;
	else if (search->count && (ret || (search->host->root.is_host && geteuid())))
		add(search, 0, USER_UNKNOWN,
		    ret ? "/proc does not answer" : "only root sees what others have open");
}

/* --- VMs that Proxmox VE is about to start */

static void find_reserved(struct search *search)
{
	struct pve pve = { 0 };
	int ret = pve_open(search->host, &pve);

	for (size_t i = 0; i < search->count && !ret; i++) {
		unsigned int id = pve_user(&pve, &search->fn[i].addr);
		bool is_known = false;
		struct user *user;
		char what[32];

		for (size_t j = 0; j < search->users->count; j++)
			is_known |= search->users->list[j].code == USER_VM &&
				    pci_address_equal(&search->users->list[j].addr,
						      &search->fn[i].addr);
		if (!id || is_known)
			continue;
		snprintf(what, sizeof(what), "VM %u", id);
		user = add(search, i, USER_VM, what);
		if (user)
			user->vmid = id;
	}
	pve_close(&pve);
	if (ret)
		search->err = ret;
}

/* --- disks and interfaces */

/* Every entry of a list that is about a function. Returns whether there was one. */
static bool add_facts(struct search *search, size_t fn, enum user_code code,
		      const struct protect_facts *facts)
{
	bool any = false;

	for (size_t i = 0; i < facts->count; i++) {
		if (!pci_address_equal(&facts->list[i].addr, &search->fn[fn].addr))
			continue;
		add(search, fn, code, facts->list[i].reason);
		any = true;
	}
	return any;
}

static int look_for_upper(const char *name, void *arg)
{
	char *upper = arg;

	if (!strncmp(name, "upper_", 6))
		snprintf(upper, 64, "%s", name + 6);
	return *upper != '\0';
}

static void find_interface(struct search *search, size_t fn, const char *name, bool has_address)
{
	int rootfd = search->host->root.fd;
	char path[SYSFS_PATH_MAX], text[32], upper[64] = "", what[160];

	sysfs_for_each(rootfd, sysfs_path(path, PATH_CLASS_NET "/%s", name), look_for_upper, upper);
	if (!*upper)
		sysfs_link_name(rootfd, sysfs_path(path, PATH_CLASS_NET "/%s/master", name), upper,
				sizeof(upper));
	if (*upper) {
		snprintf(what, sizeof(what), "%s of %s", name, upper);
		add(search, fn, USER_UPPER, what);
		return;
	}
	if (has_address)
		return;
	/* What cannot be read may be up. */
	if (sysfs_read(rootfd, sysfs_path(path, PATH_CLASS_NET "/%s/flags", name), text,
		       sizeof(text)) < 0 ||
	    strtoul(text, NULL, 16) & IFF_UP_BIT)
		add(search, fn, USER_UP, name);
}

static void find_devices(struct search *search, const struct protect_facts *used,
			 const struct protect_facts *addressed)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct node_tree *tree = &search->nodes.tree[i];
		bool has_address = add_facts(search, i, USER_ADDRESS, addressed);

		if (!add_facts(search, i, USER_STORAGE, used))
			for (size_t j = 0; j < tree->holders.n; j++)
				add(search, i, USER_HOLDER, tree->holders.s[j]);
		if (tree->has_hidden_interface)
			add(search, i, USER_NAMESPACE, "");
		for (size_t j = 0; j < tree->interfaces.n; j++)
			find_interface(search, i, tree->interfaces.s[j], has_address);
	}
}

/* What of this can be had is had from the facts that protect lines are made of. */
static void find_in_facts(struct search *search, const struct protect_source *source)
{
	struct protect_facts used = { 0 }, addressed = { 0 };
	int ret = protect_in_use(source, &used);

	if (!ret)
		ret = protect_addresses(source, &addressed);
	if (!ret && used.why_none && search->count)
		add(search, 0, USER_UNKNOWN, used.why_none);
	if (!ret)
		find_devices(search, &used, &addressed);
	else
		search->err = ret;
	protect_free(&used);
	protect_free(&addressed);
}

/* --- the console */

struct console {
	int rootfd;
	bool is_framebuffer, is_vga;
};

/* "(M) frame buffer device", "(S) VGA+" (drivers/tty/vt/vt.c, show_name) */
static int look_at_console(const char *name, void *arg)
{
	struct console *console = arg;
	char path[SYSFS_PATH_MAX], text[64];

	if (sysfs_read(console->rootfd, sysfs_path(path, PATH_CONSOLES "/%s/bind", name), text,
		       sizeof(text)) < 0 ||
	    *text != '1' ||
	    sysfs_read(console->rootfd, sysfs_path(path, PATH_CONSOLES "/%s/name", name), text,
		       sizeof(text)) < 0)
		return 0;
	console->is_framebuffer |= strstr(text, "frame buffer") != NULL;
	console->is_vga |= strstr(text, "VGA") != NULL;
	return 0;
}

static void find_console(struct search *search)
{
	struct console console = { .rootfd = search->host->root.fd };

	sysfs_for_each(console.rootfd, PATH_CONSOLES, look_at_console, &console);
	for (size_t i = 0; i < search->count; i++) {
		const struct pci_function *fn = &search->fn[i];

		if ((search->nodes.tree[i].has_framebuffer && console.is_framebuffer) ||
		    (fn->boot_vga && console.is_vga) || fn->framebuffer != PCI_FB_NONE)
			add(search, i, USER_CONSOLE, "");
	}
}

/* --- NVIDIA's own driver */

static void find_modeset(struct search *search)
{
	char text[8];

	if (sysfs_read(search->host->root.fd, PATH_MODESET, text, sizeof(text)) < 0 || *text != 'Y')
		return;
	for (size_t i = 0; i < search->count; i++)
		if (!strcmp(search->fn[i].driver, "nvidia"))
			add(search, i, USER_MODESET, "nvidia_drm");
}

/* --- the whole */

int users_find(struct host *host, const struct pci_function *fn, size_t count,
	       enum users_scope scope, const struct protect_source *source, struct users *users)
{
	struct search search = { .host = host, .fn = fn, .count = count, .users = users };

	search.err = nodes_collect(host, fn, count, &search.nodes);
	if (!search.err)
		find_processes(&search, scope);
	if (!search.err)
		find_reserved(&search);
	if (!search.err && scope == USERS_OF_DRIVER) {
		find_in_facts(&search, source);
		find_console(&search);
		find_modeset(&search);
	}
	nodes_free(&search.nodes);
	return search.err ? message_errno(search.err, "cannot find out who uses it") : 0;
}

void users_free(struct users *users)
{
	free(users->list);
	*users = (struct users){ 0 };
}

const char *user_code_name(enum user_code code)
{
	return codes[code];
}

bool user_may_be_forced(const struct user *user)
{
	return user->code == USER_CONSOLE || user->code == USER_UP;
}

/* --- words */

/* @who: "smartd (PID 812)", "a VM", or "" */
static void write_words(const struct user *user, const char *who, char *buf, size_t size)
{
	const char *what = user->what;

	switch (user->code) {
	case USER_PROCESS:
		snprintf(buf, size, "%s has %s open", who, what);
		return;
	case USER_FILE:
		snprintf(buf, size, "%s uses %s, which is on it", who, what);
		return;
	case USER_STORAGE:
	case USER_ADDRESS:
		snprintf(buf, size, "%s", what);
		return;
	case USER_HOLDER:
		snprintf(buf, size, "%s is built on it", what);
		return;
	case USER_UPPER:
		snprintf(buf, size, "interface %s", what);
		return;
	case USER_NAMESPACE:
		snprintf(buf, size, "%san interface of it is in another network namespace", what);
		return;
	case USER_UP:
		snprintf(buf, size, "interface %s is up", what);
		return;
	case USER_CONSOLE:
		snprintf(buf, size, "%sit shows the console", what);
		return;
	case USER_VM:
		snprintf(buf, size, "%s runs with it (%s)", who, what);
		return;
	case USER_MODESET:
		snprintf(buf, size, "%s holds it (modeset)", what);
		return;
	case USER_UNKNOWN:
	default:
		snprintf(buf, size, "it cannot be found out who uses it: %s", what);
	}
}

const char *user_words(const struct user *user, char *buf, size_t size)
{
	char who[64] = "", text[sizeof(user->what) + 128];

	if (user->pid)
		snprintf(who, sizeof(who), "%s (PID %d)", user->process, user->pid);
	else if (user->code == USER_VM)
		snprintf(who, sizeof(who), "a VM");
	write_words(user, who, text, sizeof(text));
	snprintf(buf, size, "%s", words_of(codes[user->code], text));
	return buf;
}

const char *user_fix(const struct user *user, char *buf, size_t size)
{
	char text[sizeof(user->what) + 64] = "";

	if (user->code == USER_PROCESS && !strncmp(user->process, PERSISTENCED, 15))
		snprintf(text, sizeof(text), PERSISTENCED_SH);
	else if (user->code == USER_PROCESS || user->code == USER_FILE)
		snprintf(text, sizeof(text), "end it");
	else if (user->code == USER_STORAGE || user->code == USER_HOLDER)
		snprintf(text, sizeof(text),
			 "unmount it, swap it off, export the pool or deactivate the volume");
	else if (user->code == USER_ADDRESS)
		snprintf(text, sizeof(text), "remove the address");
	else if (user->code == USER_UPPER)
		snprintf(text, sizeof(text), "remove the interface from there");
	else if (user->code == USER_NAMESPACE)
		snprintf(text, sizeof(text), "stop the container that has it");
	else if (user->code == USER_UP)
		snprintf(text, sizeof(text), "ip link set %s down, or --force", user->what);
	else if (user->code == USER_CONSOLE)
		snprintf(text, sizeof(text), "have another way in (SSH, serial), then --force");
	else if (user->code == USER_VM && user->vmid)
		snprintf(text, sizeof(text), "qm stop %u", user->vmid);
	else if (user->code == USER_VM)
		snprintf(text, sizeof(text), "stop that VM");
	else if (user->code == USER_MODESET)
		snprintf(text, sizeof(text),
			 "stop the display manager, then modprobe -r nvidia_drm nvidia_modeset");
	else
		snprintf(text, sizeof(text), "run it on the host itself, as root");
	snprintf(buf, size, "%s", words_of(codes[user->code], text));
	return buf;
}
