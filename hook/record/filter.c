// SPDX-License-Identifier: GPL-2.0-or-later
/* Which parts of a file go into a record; see filter.h. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <sha256.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "record/filter.h"
#include "util/params.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* Patterns of parameters whose values are recorded, with placeholders; '-' and '_' are the same. */
static const char *const parameters[] = {
	"amd_iommu*",
	"BOOT_IMAGE",
	"boot",
	"console",
	"default_hugepagesz",
	"drm*",
	"efi",
	"fbcon",
	"hugepages",
	"hugepagesz",
	"initcall_blacklist",
	"initrd",
	"intel_iommu*",
	"intel_idle*",
	"iommu*",
	"isolcpus",
	"kvm*",
	"modprobe.blacklist",
	"module_blacklist",
	"nmi_watchdog",
	"noapic",
	"pci",
	"pci_stub.*",
	"pcie*",
	"quiet",
	"rd.driver.*",
	"rd.lvm.vg",
	"rd.lvm.lv",
	"rd.luks.uuid",
	"rd.luks.name",
	"rd.systemd.*",
	"resume",
	"resume_offset",
	"ro",
	"root",
	"rootdelay",
	"rootfstype",
	"rootwait",
	"rw",
	"splash",
	"snd_hda_intel.*",
	"nouveau.*",
	"nvidia*",
	"amdgpu.*",
	"radeon.*",
	"i915.*",
	"xe.*",
	"systemd.unit",
	"vfio*",
	"video",
	"vga",
	"xen_pciback.*",
	"zfs.*",
	"dolvm",
	"crashkernel",
	"mitigations",
	"arm_smmu*",
	"swiotlb",
	"vt.handoff",
	"luks.uuid",
	"luks.name",
	"cryptdevice",
};

/* Options of mounts, file systems and mappings that our readers use; recorded with their values. */
static const char *const options[] = {
	"ro",
	"rw",
	"bind",
	"rbind",
	"noauto",
	"nofail",
	"defaults",
	"x-systemd.automount",
	"lowerdir*",
	"upperdir",
	"datadir+",
	"workdir",
	"trans",
	"logdev",
	"rtdev",
	"journal_path",
	"jdev",
	"device",
	"loop",
	"subvol",
	"subvolid",
	"sw",
	"pri",
	"discard",
	"luks",
	"swap",
	"tcrypt",
	"header",
	"keyscript",
	"initramfs",
	"plain",
	"noearly",
	"_netdev",
	"x-initrd.mount",
	"x-initrd.attach",
	"tries",
	"keyfile-timeout",
	"fido2-device",
	"tpm2-device",
	"pkcs11-uri",
	"relatime",
	"noatime",
};

static bool is_listed(const char *const *list, size_t count, const char *name, size_t len)
{
	char text[64];

	if (len >= sizeof(text))
		return false;
	for (size_t i = 0; i < len; i++)
		text[i] = name[i] == '-' && list == parameters ? '_' : name[i];
	text[len] = '\0';
	for (size_t i = 0; i < count; i++)
		if (!fnmatch(list[i], text, 0))
			return true;
	return false;
}

/* --- lines */

struct line {
	const char *text;
	size_t len; /* without the newline */
	bool has_newline;
};

/* Reads the next line at *pos and moves *pos behind it. Returns false at the end. */
static bool next_line(const char **pos, const char *end, struct line *line)
{
	const char *newline;

	if (*pos >= end)
		return false;
	newline = memchr(*pos, '\n', (size_t)(end - *pos));
	line->text = *pos;
	line->len = (size_t)((newline ? newline : end) - *pos);
	line->has_newline = newline;
	*pos = newline ? newline + 1 : end;
	return true;
}

static bool begins(const struct line *line, const char *what)
{
	return line->len >= strlen(what) && !strncmp(line->text, what, strlen(what));
}

static void put_line(struct redact *redact, const struct line *line, FILE *out)
{
	redact_text(redact, line->text, line->len, out);
	fputs(line->has_newline ? "\n" : "", out);
}

/*
 * Reads the next word of a line at *at and moves *at behind it. Returns its length, 0 at the end.
 */
static size_t next_word(const struct line *line, size_t *at, const char **word)
{
	size_t from;

	while (*at < line->len && isspace((unsigned char)line->text[*at]))
		++*at;
	from = *at;
	while (*at < line->len && !isspace((unsigned char)line->text[*at]))
		++*at;
	*word = line->text + from;
	return *at - from;
}

/* --- parameters and options */

/*
 * dracut's root=nfs:SERVER:PATH, root=iscsi:USER:PASSWORD@SERVER...: none of our readers parses it.
 */
static bool is_remote_root(const char *token, size_t len)
{
	static const char *const kinds[] = { "nfs",  "nfs4", "iscsi", "nbd",
					     "cifs", "fcoe", "http",  "live" };

	for (size_t i = 0; i < N(kinds); i++) {
		char begin[16];
		size_t n = (size_t)snprintf(begin, sizeof(begin), "root=%s:", kinds[i]);

		if (len > n && !strncmp(token, begin, n))
			return true;
	}
	return false;
}

void filter_parameter(struct redact *redact, const char *token, size_t len, FILE *out)
{
	size_t quote = len && *token == '"', name = 0;

	while (quote + name < len && token[quote + name] != '=')
		name++;
	if (quote + name == len || (is_listed(parameters, N(parameters), token + quote, name) &&
				    !is_remote_root(token + quote, len - quote))) {
		redact_text(redact, token, len, out);
		return;
	}
	fwrite(token, 1, quote + name + 1, out);
	token += quote + name + 1;
	len -= quote + name + 1;
	redact_one(redact, REDACT_VALUE, token, len, out);
	if (quote && len && token[len - 1] == '"')
		fputc('"', out);
}

static void put_cmdline(struct redact *redact, const char *text, size_t size, FILE *out)
{
	const char *at = text;
	struct params params;
	struct param param;

	/* Text between the parameters stays. Behind a lone "--" nothing is recorded. */
	for (params_begin(&params, text, size); params_next(&params, &param);) {
		fwrite(at, 1, (size_t)(param.text - at), out);
		filter_parameter(redact, param.text, param.len, out);
		at = param.text + param.len;
	}
	if (params.has_dashes)
		fputs(" --", out);
	fputc('\n', out);
}

/* "a,b=c,d": records the options that are listed. */
static void put_options(struct redact *redact, const char *text, size_t len, FILE *out)
{
	bool any = false;

	while (len) {
		const char *comma = memchr(text, ',', len);
		size_t width = comma ? (size_t)(comma - text) : len, name = 0;

		while (name < width && text[name] != '=')
			name++;
		if (is_listed(options, N(options), text, name)) {
			fputs(any ? "," : "", out);
			redact_text(redact, text, width, out);
			any = true;
		}
		text += width + (comma != NULL);
		len -= width + (comma != NULL);
	}
	fputs(any ? "" : "defaults", out);
}

/*
 * "server:/export", "//server/share", "user@server:/folder", "a:6789,b:6789:/": the length of the
 * part with the names of servers and users, after the slashes; 0 if it is not a network source.
 */
static size_t authority_of(const char *text, size_t len, size_t slashes)
{
	size_t end = slashes, at;

	if (!slashes && len && *text == '/')
		return 0;
	while (end < len && text[end] != '/')
		end++;
	for (at = slashes; at < end && text[at] != ':' && text[at] != '@'; at++)
		if (text[at] == '=')
			return 0;
	return slashes || at < end ? end - slashes : 0;
}

static bool is_in_host(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_';
}

/* Each word in it is the name of a host or user, except ports and addresses. */
static void put_authority(struct redact *redact, const char *text, size_t len, FILE *out)
{
	for (size_t at = 0, n; at < len; at += n) {
		bool is_name = false;

		for (n = 0; at + n < len && is_in_host(text[at + n]); n++)
			is_name |= !isdigit((unsigned char)text[at + n]) && text[at + n] != '.';
		if (text[at] == '[') {
			n = len - at;
			redact_text(redact, text + at, n, out);
		} else if (!n) {
			fputc(text[at], out);
			n = 1;
		} else if (is_name) {
			redact_one(redact, REDACT_HOST, text + at, n, out);
		} else {
			redact_text(redact, text + at, n, out);
		}
	}
}

static void put_source(struct redact *redact, const char *text, size_t len, FILE *out)
{
	size_t slashes = len > 2 && !strncmp(text, "//", 2) ? 2 : 0,
	       hosts = authority_of(text, len, slashes);

	fwrite(text, 1, slashes, out);
	put_authority(redact, text + slashes, hosts, out);
	redact_text(redact, text + slashes + hosts, len - slashes - hosts, out);
}

/* --- tables */

/* "DEVICE TARGET TYPE OPTIONS DUMP PASS" or "NAME DEVICE KEY OPTIONS" */
static void put_table(struct redact *redact, const struct line *line, size_t source, FILE *out)
{
	const char *word;
	size_t at = 0, len;

	next_word(line, &at, &word);
	if (at && *word == '#') {
		fputs("#\n", out);
		return;
	}
	at = 0;
	for (size_t i = 0; (len = next_word(line, &at, &word)); i++) {
		fputs(i ? " " : "", out);
		if (i == source)
			put_source(redact, word, len, out);
		else if (i == 3)
			put_options(redact, word, len, out);
		else
			redact_text(redact, word, len, out);
	}
	fputs(line->has_newline ? "\n" : "", out);
}

/* proc(5): "ID PARENT MAJ:MIN ROOT TARGET OPTIONS [FIELD...] - TYPE SOURCE OPTIONS" */
static void put_mount(struct redact *redact, const struct line *line, FILE *out)
{
	const char *word;
	size_t at = 0, len, behind = 0;

	for (size_t i = 0; (len = next_word(line, &at, &word)); i++) {
		bool is_dash = len == 1 && *word == '-';

		fputs(i ? " " : "", out);
		if (behind == 2)
			put_source(redact, word, len, out);
		else if (i == 5 || behind == 3)
			put_options(redact, word, len, out);
		else
			redact_text(redact, word, len, out);
		behind += behind || (is_dash && i > 5);
	}
	fputs(line->has_newline ? "\n" : "", out);
}

/* --- lists of keys */

/* Lines of udev's database that our readers use: names by which a file can refer to a disk. */
static bool is_udev_line(const struct line *line)
{
	static const char *const keys[] = {
		"S:",
		"E:ID_FS_TYPE=",
		"E:ID_FS_UUID=",
		"E:ID_FS_LABEL=",
		"E:ID_FS_LABEL_ENC=",
		"E:ID_FS_AMBIVALENT=",
		"E:ID_PART_ENTRY_UUID=",
		"E:ID_PART_ENTRY_NAME=",
		"E:ID_PART_ENTRY_TYPE=",
	};

	for (size_t i = 0; i < N(keys); i++)
		if (begins(line, keys[i]))
			return true;
	return false;
}

static bool is_key(const struct line *line, const char *const *patterns, size_t count)
{
	char key[64];
	size_t len = 0;

	while (len < line->len && len < sizeof(key) - 1 && line->text[len] != ':') {
		key[len] = line->text[len];
		len++;
	}
	if (len == line->len || line->text[len] != ':')
		return false;
	key[len] = '\0';
	for (size_t i = 0; i < count; i++)
		if (!fnmatch(patterns[i], key, 0))
			return true;
	return false;
}

static bool is_vm_line(const struct line *line, bool is_container)
{
	static const char *const vm[] = { "hostpci[0-9]*", "usb[0-9]*", "machine", "vga",
					  "onboot",	   "template",	"delete" };
	static const char *const container[] = { "dev[0-9]*",	    "mp[0-9]*",
						 "lxc.mount.entry", "lxc.cgroup*.devices.*",
						 "onboot",	    "template" };

	return is_container ? is_key(line, container, N(container)) : is_key(line, vm, N(vm));
}

/* The current section and the pending one; snapshots are left out. */
static void put_vm(struct redact *redact, const char *text, size_t size, bool is_container,
		   FILE *out)
{
	const char *pos = text, *end = text + size;
	bool is_other = false;
	struct line line;

	while (next_line(&pos, end, &line)) {
		if (begins(&line, "[")) {
			is_other = strncasecmp(line.text, "[PENDING]", 9) != 0;
			fputs(is_other ? "" : "[PENDING]\n", out);
		} else if (!is_other && is_vm_line(&line, is_container)) {
			put_line(redact, &line, out);
		}
	}
}

static void put_mapping(struct redact *redact, const char *text, size_t size, FILE *out)
{
	const char *pos = text, *end = text + size, *word;
	struct line line;

	while (next_line(&pos, end, &line)) {
		size_t at = 0, len = next_word(&line, &at, &word);
		bool is_kept = len == strlen("map") && !strncmp(word, "map", len);

		is_kept |= len == strlen("mdev") && !strncmp(word, "mdev", len);
		if (len && (word == line.text ? *word != '#' : is_kept))
			put_line(redact, &line, out);
	}
}

/* --- files of one kind each */

/* A line of options may continue in the next one: its module, and the number of words so far. */
struct module {
	char name[64];
	unsigned int words;
};

/* "options MODULE KEY=VALUE...": like MODULE.KEY=VALUE on the kernel command line. */
static void put_module_options(struct redact *redact, const struct line *line,
			       struct module *module, FILE *out)
{
	const char *word;
	size_t at = 0, len, done = 0;

	while ((len = next_word(line, &at, &word))) {
		char token[512];
		int n = 0;

		fwrite(line->text + done, 1, (size_t)(word - line->text) - done, out);
		done = at;
		if (module->words == 1)
			snprintf(module->name, sizeof(module->name), "%.*s", (int)len, word);
		else if (module->words > 1 && memchr(word, '=', len))
			n = snprintf(token, sizeof(token), "%s.%.*s", module->name, (int)len, word);
		module->words++;
		if (n > 0 && n < (int)sizeof(token) &&
		    !is_listed(parameters, N(parameters), token, strcspn(token, "="))) {
			size_t key = (size_t)((const char *)memchr(word, '=', len) - word) + 1;

			fwrite(word, 1, key, out);
			redact_one(redact, REDACT_VALUE, word + key, len - key, out);
		} else if (n >= (int)sizeof(token)) {
			fputs("hidden", out);
		} else {
			redact_text(redact, word, len, out);
		}
	}
	fwrite(line->text + done, 1, line->len - done, out);
	fputs(line->has_newline ? "\n" : "", out);
}

/* A comment that ends in a backslash includes the next line, as libkmod reads it. */
static void put_config(struct redact *redact, const char *text, size_t size, FILE *out)
{
	const char *pos = text, *end = text + size, *word;
	struct module module = { .words = 0 };
	struct line line;

	while (next_line(&pos, end, &line)) {
		const char *hash = memchr(line.text, '#', line.len);
		bool goes_on = line.len && line.text[line.len - 1] == '\\';
		size_t at = 0, len = next_word(&line, &at, &word);

		if (hash) {
			line.len = (size_t)(hash - line.text);
			line.has_newline = false;
		}
		if (module.words || (len == strlen("options") && !strncmp(word, "options", len)))
			put_module_options(redact, &line, &module, out);
		else
			put_line(redact, &line, out);
		if (hash)
			fputs(goes_on ? "#\\\n" : "#\n", out);
		if (!goes_on)
			module.words = 0;
	}
}

static bool has_flag(const struct line *line, const char *flag)
{
	const char *word;
	size_t at = 0, len;

	while ((len = next_word(line, &at, &word)))
		if (len == strlen(flag) && !strncmp(word, flag, len))
			return true;
	return false;
}

static void put_cpu(const char *text, size_t size, FILE *out)
{
	const char *pos = text, *end = text + size;
	struct line line;

	while (next_line(&pos, end, &line)) {
		if (begins(&line, "CPU implementer")) {
			fputs("CPU implementer : 0x00\n", out);
			return;
		}
		if (!begins(&line, "flags"))
			continue;
		fprintf(out, "flags :%s%s\n", has_flag(&line, "vmx") ? " vmx" : "",
			has_flag(&line, "svm") ? " svm" : "");
		return;
	}
}

/* Lines that have a word, unchanged. */
static void put_lines_with(const char *text, size_t size, const char *word, bool is_once, FILE *out)
{
	const char *pos = text, *end = text + size;
	struct line line;

	while (next_line(&pos, end, &line)) {
		if (!memmem(line.text, line.len, word, strlen(word)))
			continue;
		fprintf(out, "%.*s\n", (int)line.len, line.text);
		if (is_once)
			return;
	}
}

static void put_udev(struct redact *redact, const char *text, size_t size, FILE *out)
{
	const char *pos = text, *end = text + size;
	struct line line;

	while (next_line(&pos, end, &line))
		if (is_udev_line(&line))
			put_line(redact, &line, out);
}

static void put_table_lines(enum filter filter, struct redact *redact, const char *text,
			    size_t size, FILE *out)
{
	const char *pos = text, *end = text + size;
	struct line line;

	while (next_line(&pos, end, &line)) {
		if (filter == FILTER_MOUNTINFO)
			put_mount(redact, &line, out);
		else
			put_table(redact, &line, filter == FILTER_CRYPTTAB, out);
	}
}

/* The last line is the digest of all lines above it (plan/facts.c). */
static void put_facts(struct redact *redact, const char *text, size_t size, FILE *out)
{
	static const char last[] = "sha256 ";
	char digest[SHA256_DIGEST_STRING_LENGTH], *body;
	const char *line = memmem(text, size, "\nsha256 ", sizeof(last));

	if (!line) {
		redact_text(redact, text, size, out);
		return;
	}
	body = redact_string(redact, text, (size_t)(line + 1 - text));
	if (!body) {
		redact->err = -ENOMEM;
		return;
	}
	SHA256Data((const uint8_t *)body, strlen(body), digest);
	fprintf(out, "%s%s%s\n", body, last, digest);
	free(body);
}

/* Four bytes of attributes, then UTF-16: our readers look only at the first byte of each pair. */
static void put_utf16(struct redact *redact, const char *text, size_t size, FILE *out)
{
	char plain[256], *copy;
	size_t len = 0;

	for (size_t i = 4; i + 1 < size && text[i] && len < sizeof(plain); i += 2)
		plain[len++] = text[i];
	copy = redact_string(redact, plain, len);
	if (!copy) {
		redact->err = -ENOMEM;
		return;
	}
	fputs("    ", out);
	for (const char *c = copy; *c; c++)
		fprintf(out, "%c ", *c);
	free(copy);
}

static void put_secret(struct redact *redact, const char *text, size_t size, bool is_host,
		       FILE *out)
{
	size_t len = 0;

	while (len < size && !isspace((unsigned char)text[len]) && !(is_host && text[len] == '.'))
		len++;
	if (is_host) {
		redact_text(redact, text, len, out);
		fputc('\n', out);
	} else if (len == strlen("uninitialized") && !strncmp(text, "uninitialized", len)) {
		fputs("uninitialized\n", out);
	} else {
		/* All of the text is the value, whatever it looks like. */
		redact_one(redact, memchr(text, '-', len) ? REDACT_UUID : REDACT_HEX, text, len,
			   out);
		fputc('\n', out);
	}
}

void filter_text(enum filter filter, struct redact *redact, const char *text, size_t size,
		 FILE *out)
{
	switch (filter) {
	case FILTER_NOTHING:
		break;
	case FILTER_TEXT:
		redact_text(redact, text, size, out);
		break;
	case FILTER_NUMBERS:
		fwrite(text, 1, size, out);
		break;
	case FILTER_SECRET:
	case FILTER_HOSTNAME:
		put_secret(redact, text, size, filter == FILTER_HOSTNAME, out);
		break;
	case FILTER_CONFIG:
		put_config(redact, text, size, out);
		break;
	case FILTER_CMDLINE:
		put_cmdline(redact, text, size, out);
		break;
	case FILTER_MOUNTINFO:
	case FILTER_FSTAB:
	case FILTER_CRYPTTAB:
		put_table_lines(filter, redact, text, size, out);
		break;
	case FILTER_UDEV:
		put_udev(redact, text, size, out);
		break;
	case FILTER_CPUINFO:
		put_cpu(text, size, out);
		break;
	case FILTER_INTERRUPTS:
		put_lines_with(text, size, "IR-", true, out);
		break;
	case FILTER_KCONFIG:
		put_lines_with(text, size, "CONFIG_INTEL_IOMMU_DEFAULT_ON", true, out);
		break;
	case FILTER_OWNER:
		put_lines_with(text, size, "sbin/update-initramfs", false, out);
		break;
	case FILTER_VM:
	case FILTER_CONTAINER:
		put_vm(redact, text, size, filter == FILTER_CONTAINER, out);
		break;
	case FILTER_MAPPING:
		put_mapping(redact, text, size, out);
		break;
	case FILTER_FACTS:
		put_facts(redact, text, size, out);
		break;
	case FILTER_UTF16:
		put_utf16(redact, text, size, out);
		break;
	}
}
