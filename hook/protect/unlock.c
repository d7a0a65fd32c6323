// SPDX-License-Identifier: GPL-2.0-or-later
/* What opens an encrypted device at boot; see unlock.h. */
#include <errno.h>
#include <stdlib.h>

#include "protect/filesystem.h"
#include "protect/mounts.h"
#include "protect/storage.h"
#include "protect/unlock.h"

#define PATH_CRYPTTAB	 "etc/crypttab"
#define PATH_CMDLINE	 "proc/cmdline"
#define PATH_INPUT	 "sys/class/input"
#define PATH_USB_DEVICES "sys/bus/usb/devices"

/* udev's rule for ID_INPUT_KEYBOARD: the first 31 keys, from ESC on, are all there. */
#define KEYBOARD_KEYS 0xfffffffeUL

/* One line of crypttab(5). */
struct crypttab_entry {
	char device[PATH_MAX];
	char key[PATH_MAX]; /* "" for none */
	char options[1024]; /* ",header=/dev/sdb,", so that each option is found with its commas */
};

static bool read_entry(struct graph *graph, const char *name, struct crypttab_entry *entry)
{
	FILE *f = graph_open(graph, PATH_CRYPTTAB);
	char *line = NULL, *word, *save;
	bool found = false;
	size_t size = 0;

	*entry = (struct crypttab_entry){ 0 };
	if (!f)
		return false;
	while (!found && getline(&line, &size, f) > 0) {
		word = strtok_r(line, " \t\n", &save);
		if (!word || *word == '#' || strcmp(word, name))
			continue;
		word = strtok_r(NULL, " \t\n", &save);
		found = word && !tree_path(entry->device, "%s", word);
		word = strtok_r(NULL, " \t\n", &save);
		if (word && strcmp(word, "none") && strcmp(word, "-"))
			tree_path(entry->key, "%s", word);
		word = word ? strtok_r(NULL, " \t\n", &save) : NULL;
		snprintf(entry->options, sizeof(entry->options), ",%s,", word ? word : "");
	}
	free(line);
	fclose(f);
	return found;
}

/* The value of "header=", up to the comma; "" when there is none. */
static void option_value(const struct crypttab_entry *entry, const char *option, char *value)
{
	const char *found = strstr(entry->options, option);

	*value = '\0';
	if (found) {
		found += strlen(option);
		tree_path(value, "%.*s", (int)strcspn(found, ","), found);
	}
}

static const char *find_tag(const char *s)
{
	static const char *const tags[] = { "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "/dev/" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (starts_with(s, tags[i]))
			return s;
	return NULL;
}

/*
 * A key file or a header: a device; a file of the root; a file of another device, which is written
 * "DEVICE:/PATH" (cryptsetup's passdev) or "/PATH:DEVICE" (systemd, dracut).
 */
static void add_place(struct graph *graph, const char *place, const struct cause *cause)
{
	/* A device of characters has no disk; crypttab(5) has /dev/null for a passphrase of tcrypt. */
	static const char *const no_disks[] = { "/dev/urandom", "/dev/random", "/dev/hwrng",
						"/dev/null", "/dev/zero" };
	const char *device = find_tag(place), *colon = device ? strstr(place, ":/") : NULL;
	char spec[PATH_MAX];

	for (size_t i = 0; i < sizeof(no_disks) / sizeof(no_disks[0]); i++)
		if (starts_with(place, no_disks[i]))
			return;
	if (!*place)
		return;
	for (const char *c = place; !device && (c = strchr(c, ':')); c++)
		device = find_tag(c + 1);
	if (!device) {
		if (*place == '/')
			filesystem_add_file(graph, place, cause);
		return;
	}
	if (tree_path(spec, "%.*s", (int)(colon ? (size_t)(colon - device) : strlen(device)),
		      device) ||
	    mounts_add_spec(graph, spec, cause))
		return;
	/* What is put in before each boot may be put in anywhere. */
	graph_note(graph,
		   "what unlocks %s (%s) is on no disk that is here now: every USB controller is "
		   "protected",
		   cause->name, place);
	graph_add_class(graph, PATH_USB_DEVICES, cause);
}

/*
 * The kernel's command line. dracut and systemd have rd.luks.key=/PATH:DEVICE[:LUKS] and
 * rd.luks.options=[LUKS=]OPTIONS, both without rd. too (systemd-cryptsetup-generator(8)); Debian's
 * cryptsetup has cryptopts=target=NAME,source=DEVICE,key=...,header=... (README.initramfs).
 * Returns whether there was a key.
 */
static bool add_cmdline_keys(struct graph *graph, const struct cause *cause)
{
	char text[4096], place[PATH_MAX], *word, *save;
	struct crypttab_entry entry;
	bool any = false;

	if (tree_read(graph->root, PATH_CMDLINE, text, sizeof(text)))
		return false;
	for (word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		if (starts_with(word, "rd."))
			word += strlen("rd.");
		if (starts_with(word, "luks.key=")) {
			add_place(graph, word + strlen("luks.key="), cause);
			any = true;
		}
		if (!starts_with(word, "luks.options=") && !starts_with(word, "cryptopts="))
			continue;
		snprintf(entry.options, sizeof(entry.options), ",%s,", strchr(word, '=') + 1);
		option_value(&entry, "header=", place);
		add_place(graph, place, cause);
		option_value(&entry, ",key=", place);
		if (*place && strcmp(place, "none")) {
			add_place(graph, place, cause);
			any = true;
		}
	}
	return any;
}

/* The name of the key script, without its folder; "" when there is none. */
static const char *script_of(const struct crypttab_entry *entry, char buf[PATH_MAX])
{
	option_value(entry, ",keyscript=", buf);
	return strrchr(buf, '/') ? strrchr(buf, '/') + 1 : buf;
}

/*
 * A smart card or a security key, which has no place that it is plugged in at (crypttab(5)); or a script
 * that may read anything: those of Debian's cryptsetup that need no more than a passphrase or a key that
 * is looked for anyway are known.
 */
static bool wants_token(const struct crypttab_entry *entry)
{
	static const char *const scripts[] = { "",
					       "askpass",
					       "decrypt_derived",
					       "decrypt_gnupg",
					       "decrypt_keyctl",
					       "decrypt_ssl",
					       "passdev" };
	char buf[PATH_MAX];
	const char *name = script_of(entry, buf);

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (!strcmp(name, scripts[i]))
			return strstr(entry->options, ",fido2-device=") ||
			       strstr(entry->options, ",pkcs11-uri=");
	return true;
}

static bool is_asked(const struct crypttab_entry *entry)
{
	char script[PATH_MAX];
	const char *name = script_of(entry, script);

	if (*name)
		return strcmp(name, "passdev") && strcmp(name, "decrypt_derived");
	/* A security token asks for its PIN, a TPM does not. */
	return !*entry->key && !strstr(entry->options, ",tpm2-device=");
}

static void add_entry(struct graph *graph, const struct crypttab_entry *entry,
		      const struct cause *cause)
{
	struct cause unlocks = *cause;
	char text[PATH_MAX], real[PATH_MAX], path[PATH_MAX];

	unlocks.kind = CAUSE_UNLOCKS;
	option_value(entry, ",header=", text);
	add_place(graph, text, &unlocks);
	option_value(entry, ",tcrypt-keyfile=", text);
	add_place(graph, text, &unlocks);
	option_value(entry, ",keyscript=", text);
	if (strstr(text, "decrypt_derived")) {
		/* The key of another mapping, which is then as much needed. */
		if (!tree_path(path, "/dev/mapper/%s", entry->key) &&
		    !storage_find(graph, path, real))
			storage_add(graph, real, &unlocks);
	} else {
		add_place(graph, entry->key, &unlocks);
	}
	if (wants_token(entry)) {
		graph_note(graph,
			   "a token or a program unlocks %s, and what that needs may be plugged in "
			   "anywhere: every USB controller is protected",
			   cause->name);
		graph_add_class(graph, PATH_USB_DEVICES, &unlocks);
	}
	if (is_asked(entry))
		graph_add_name(graph, &graph->asks, cause->name);
}

void unlock_add(struct graph *graph, const char *name, const struct cause *cause)
{
	struct crypttab_entry entry;
	char key[PATH_MAX];

	/* Of what is only in use it does not matter. */
	if (cause->kind == CAUSE_IN_USE || graph->depth >= GRAPH_MAX_DEPTH ||
	    tree_path(key, "crypt %s", name) || !graph_add_name(graph, &graph->seen, key))
		return;
	graph->depth++;
	if (read_entry(graph, name, &entry)) {
		add_entry(graph, &entry, cause);
	} else {
		struct cause unlocks = *cause;

		unlocks.kind = CAUSE_UNLOCKS;
		if (!add_cmdline_keys(graph, &unlocks))
			graph_add_name(graph, &graph->asks, cause->name);
	}
	graph->depth--;
}

bool unlock_add_closed(struct graph *graph, const char *name, const struct cause *cause)
{
	struct crypttab_entry entry;

	if (!read_entry(graph, name, &entry))
		return false;
	add_entry(graph, &entry, cause);
	return mounts_add_spec(graph, entry.device, cause);
}

/* ---- the keyboard ---- */

static bool is_keyboard(struct graph *graph, const char *path)
{
	char text[512], *last;

	/* Words of a bitmap, the lowest last (drivers/input/input.c, input_print_bitmap()). */
	if (tree_attr(graph->root, path, "capabilities/key", text, sizeof(text)))
		return false;
	last = strrchr(text, ' ');
	return (strtoull(last ? last : text, NULL, 16) & KEYBOARD_KEYS) == KEYBOARD_KEYS;
}

/* Passphrases may come in over the network instead, into an initramfs that has an SSH server. */
static bool is_unlocked_remotely(struct graph *graph)
{
	static const char *const paths[] = { "etc/dropbear/initramfs/authorized_keys",
					     "etc/dropbear-initramfs/authorized_keys",
					     "etc/tinyssh/root_key" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (tree_exists(graph->root, paths[i]))
			return true;
	return false;
}

static void add_controller(struct graph *graph, const char *path)
{
	struct cause cause = { .kind = CAUSE_KEYBOARD };

	for (size_t i = 0; i < graph->asks.n; i++) {
		cause.name = graph->asks.s[i];
		if (*path)
			graph_add_functions(graph, path, &cause);
		else
			graph_add_class(graph, PATH_USB_DEVICES, &cause);
	}
}

void unlock_collect(struct graph *graph)
{
	char path[PATH_MAX], real[PATH_MAX], first[PATH_MAX] = "";
	struct pci_address addr, only = { 0 };
	unsigned int keyboards = 0;
	struct stringset names;
	bool is_only = true;

	if (!graph->asks.n)
		return;
	graph_names(graph, PATH_INPUT, &names);
	for (size_t i = 0; i < names.n; i++) {
		tree_path(path, PATH_INPUT "/%s", names.s[i]);
		/* What a program has made is there only while the program runs. */
		if (!starts_with(names.s[i], "input") || tree_real_path(graph->root, path, real) ||
		    starts_with(real, "sys/devices/virtual/") || !is_keyboard(graph, path))
			continue;
		if (!graph_function(real, &addr))
			is_only = false; /* the board's own, which nobody can take */
		else if (!keyboards)
			only = addr;
		else if (!pci_address_equal(&only, &addr))
			is_only = false;
		keyboards++;
		strcpy(first, real);
	}
	stringset_clear(&names);
	if (keyboards ? !is_only : is_unlocked_remotely(graph))
		return;
	if (!keyboards)
		graph_note(graph,
			   "a passphrase is asked for at boot, and there is no keyboard now: "
			   "every USB controller is protected");
	add_controller(graph, first);
}
