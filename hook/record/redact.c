// SPDX-License-Identifier: GPL-2.0-or-later
/* Placeholders; see redact.h. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "record/redact.h"
#include "util/array.h"

/* GUIDs that are the same on every machine: names of EFI variables, partition types. */
static const char *const well_known[] = {
	"4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", /* systemd's Boot Loader Interface */
	"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", /* ESP */
	"21686148-6449-6e6f-744e-656564454649", /* BIOS boot */
	"0fc63daf-8483-4772-8e79-3d69d8477de4", /* Linux data */
	"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", /* Linux root, x86-64 */
	"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", /* Linux swap */
	"a19d880f-05fc-4d3b-a006-743f0f84911e", /* Linux RAID */
	"e6d6d379-f507-44c2-a23c-238f2a3df928", /* LVM */
	"ca7d7ccb-63ed-4c53-861c-1742536059cc", /* LUKS */
	"6a898cc3-1dd2-11b2-99a6-080020736631", /* Solaris /usr, ZFS */
	"6a945a3b-1dd2-11b2-99a6-080020736631", /* Solaris reserved 1 */
	"ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", /* Microsoft basic data */
	"e3c9e316-0b5c-4db8-817d-f92df00215ae", /* Microsoft reserved */
};

/* Host names that are words of the system. */
static const char *const words[] = {
	"localhost", "localdomain", "debian", "ubuntu",	 "proxmox", "pve",     "linux",	  "grub",
	"boot",	     "root",	    "efi",    "esp",	 "home",    "usr",     "var",	  "etc",
	"dev",	     "sys",	    "proc",   "run",	 "lib",	    "mnt",     "tmp",	  "srv",
	"opt",	     "data",	    "rpool",  "swap",	 "disk",    "mapper",  "vfio",	  "early",
	"pci",	     "bind",	    "none",   "auto",	 "on",	    "off",     "host",	  "node",
	"kernel",    "driver",	    "module", "modules", "options", "install", "default", "group",
	"image",     "amd64",	    "arm64",  "x86",	 "intel",   "nvidia",  "amd",	  "gpu",
	"ext4",	     "btrfs",	    "zfs",    "vfat",	 "xfs",	    "nfs",     "ro",	  "rw",
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c);
}

static bool is_alnum(char c)
{
	return isalnum((unsigned char)c);
}

/* The number of characters at @s, at most @len, that are of a kind. */
static size_t run_of(const char *s, size_t len, bool (*is)(char c))
{
	size_t n = 0;

	while (n < len && is(s[n]))
		n++;
	return n;
}

/* --- values that were replaced */

/*
 * The number of a value, from 1. For most kinds upper and lower case are the same, as for the
 * readers.
 */
static size_t number_of(struct redact *redact, enum redact_kind kind, const char *value, size_t len)
{
	struct stringset *seen = &redact->seen[kind];
	char *copy = strndup(value, len);

	if (!copy) {
		redact->err = -ENOMEM;
		return 0;
	}
	for (char *c = copy; *c && kind != REDACT_VALUE && kind != REDACT_DISK; c++)
		*c = (char)tolower((unsigned char)*c);
	for (size_t i = 0; i < seen->n; i++)
		if (!strcmp(seen->s[i], copy)) {
			free(copy);
			return i + 1;
		}
	if (stringset_add(seen, copy) < 0)
		redact->err = -ENOMEM;
	free(copy);
	return seen->n;
}

static bool has_lower(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (islower((unsigned char)value[i]))
			return true;
	return false;
}

/* As many digits as before, because readers check the length. */
static void print_digits(size_t number, size_t len, bool is_upper, FILE *out)
{
	char text[32];
	size_t width = (size_t)snprintf(text, sizeof(text), is_upper ? "%zX" : "%zx", number);

	for (; len > width; len--)
		fputc('0', out);
	fputs(text + (width > len ? width - len : 0), out);
}

/* RFC 5737 has three networks of 256 addresses; further values get a fourth one. */
static void print_ipv4(size_t number, FILE *out)
{
	static const char *const nets[] = { "192.0.2", "198.51.100", "203.0.113" };
	size_t net = (number - 1) / 254;

	if (net < N(nets))
		fprintf(out, "%s.%zu", nets[net], (number - 1) % 254 + 1);
	else
		fprintf(out, "198.18.%zu.%zu", number / 254 % 256, (number - 1) % 254 + 1);
}

/* UUIDs of LVM and FAT have their own places for hyphens. */
static void print_shaped(size_t number, const char *value, size_t len, FILE *out)
{
	char digits[80];
	FILE *text;
	size_t at = 0;

	memset(digits, 0, sizeof(digits));
	text = fmemopen(digits, sizeof(digits), "w");
	if (!text)
		return;
	for (size_t i = 0; i < len; i++)
		at += value[i] != '-';
	print_digits(number, at < sizeof(digits) ? at : sizeof(digits) - 1, !has_lower(value, len),
		     text);
	fclose(text);
	at = 0;
	for (size_t i = 0; i < len; i++)
		fputc(value[i] == '-' ? '-' : digits[at++ % sizeof(digits)], out);
}

void redact_one(struct redact *redact, enum redact_kind kind, const char *value, size_t len,
		FILE *out)
{
	size_t number = len ? number_of(redact, kind, value, len) : 0;

	if (!number)
		return;
	switch (kind) {
	case REDACT_UUID:
		fputs("00000000-0000-4000-8000-", out);
		print_digits(number, 12, !has_lower(value, len), out);
		break;
	case REDACT_HEX:
	case REDACT_SERIAL:
	case REDACT_LVM:
		print_shaped(number, value, len, out);
		break;
	case REDACT_MAC:
		fprintf(out, "02%c00%c00%c00%c%02zx%c%02zx", value[2], value[2], value[2], value[2],
			number / 256 % 256, value[2], number % 256);
		break;
	case REDACT_IPV4:
		print_ipv4(number, out);
		break;
	case REDACT_IPV6:
		fprintf(out, "2001:db8::%zx", number);
		break;
	case REDACT_WWN:
		fprintf(out, "0x%016zx", number);
		break;
	case REDACT_DISK:
		fprintf(out, "id-%zu", number);
		break;
	case REDACT_TARGET:
		fprintf(out, "%.3s.%zu", value, number);
		break;
	case REDACT_HOST:
		fprintf(out, "host-%zu", number);
		break;
	case REDACT_VALUE:
	case REDACT_KINDS:
		fprintf(out, "hidden-%zu", number);
		break;
	}
}

void redact_add_host(struct redact *redact, const char *name, size_t len)
{
	char *copy;

	if (len < 2)
		return;
	for (size_t i = 0; i < N(words); i++)
		if (strlen(words[i]) == len && !strncasecmp(words[i], name, len))
			return;
	/* A number is not used as a name: it would be replaced wherever it occurs. */
	if (run_of(name, len, is_hex) == len && !has_lower(name, len))
		return;
	copy = strndup(name, len);
	if (!copy || stringset_add(&redact->hosts, copy) < 0)
		redact->err = -ENOMEM;
	free(copy);
}

void redact_add_digest(struct redact *redact, const char *old, const char *new)
{
	const char *const both[] = { old, new };

	if (!strcmp(old, new))
		return;
	for (size_t i = 0; i < N(both); i++) {
		char *copy = strdup(both[i]);

		if (copy &&
		    !array_append(&redact->digests.s, &redact->digests.n, sizeof(copy), &copy))
			continue;
		free(copy);
		redact->err = -ENOMEM;
		return;
	}
}

void redact_clear(struct redact *redact)
{
	for (int i = 0; i < REDACT_KINDS; i++)
		stringset_clear(&redact->seen[i]);
	stringset_clear(&redact->hosts);
	stringset_clear(&redact->digests);
}

/* --- patterns: each function returns the length of the match, or 0 */

/* "8-4-4-4-12": groups of that many characters. */
static size_t match_groups(const char *s, size_t len, const char *groups, bool (*is)(char c))
{
	size_t at = 0;

	for (; *groups; groups++) {
		size_t want = (size_t)(*groups <= '9' ? *groups - '0' : *groups - 'a' + 10);

		if (at + want > len || run_of(s + at, want, is) < want)
			return 0;
		at += want;
		if (groups[1] && (at == len || s[at++] != '-'))
			return 0;
	}
	return at < len && is_alnum(s[at]) ? 0 : at;
}

static size_t match_uuid(const char *s, size_t len)
{
	size_t n = match_groups(s, len, "8444c", is_hex);

	for (size_t i = 0; n && i < N(well_known); i++)
		if (!strncasecmp(s, well_known[i], n))
			return 0;
	return n;
}

static size_t match_mac(const char *s, size_t len)
{
	if (len < 17 || (s[2] != ':' && s[2] != '-'))
		return 0;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? s[i] != s[2] : !is_hex(s[i]))
			return 0;
	/* Longer ones are something else: the address of a port has eight. */
	return len > 17 && (is_alnum(s[17]) || s[17] == s[2]) ? 0 : 17;
}

static size_t match_ipv4(const char *s, size_t len)
{
	unsigned int part = 0, parts = 0, digits = 0;
	size_t n = 0;

	for (; n < len && (isdigit((unsigned char)s[n]) || s[n] == '.'); n++) {
		if (s[n] == '.') {
			if (!digits || ++parts > 3)
				return 0;
			part = digits = 0;
			continue;
		}
		part = 10 * part + (unsigned int)(s[n] - '0');
		if (++digits > 3 || part > 255)
			return 0;
	}
	if (parts != 3 || !digits || (n < len && (is_alnum(s[n]) || s[n] == '_')))
		return 0;
	/* Not specific to a machine: the any address, loopback, a netmask. */
	return !strncmp(s, "0.", 2) || !strncmp(s, "127.", 4) || !strncmp(s, "255.", 4) ? 0 : n;
}

/*
 * An address has "::", or seven colons: an ID with its subsystem has three colons, the address of a
 * function two. "::" and "::1" are not specific to a machine.
 */
static size_t match_ipv6(const char *s, size_t len)
{
	unsigned int colons = 0, digits = 0, groups = 0;
	bool has_gap = false;
	size_t n = 0;

	for (; n < len && (is_hex(s[n]) || s[n] == ':'); n++) {
		if (s[n] != ':') {
			groups += !digits;
			if (++digits > 4)
				return 0;
			continue;
		}
		has_gap |= n && s[n - 1] == ':';
		colons++;
		digits = 0;
	}
	if (n < 6 || groups < 2 || colons > 8 || !(has_gap || colons == 7))
		return 0;
	return n < len && (is_alnum(s[n]) || s[n] == '.' || s[n] == '_') ? 0 : n;
}

/* Where the UUID of a file system is expected: behind "=", "/" or a quote, or alone on a line. */
static bool is_value_place(char before)
{
	return before == '=' || before == '/' || before == '"' || before == '\n' || !before;
}

static bool is_upper_hex(char c)
{
	return isdigit((unsigned char)c) || (c >= 'A' && c <= 'F');
}

static bool is_lower_hex(char c)
{
	return isdigit((unsigned char)c) || (c >= 'a' && c <= 'f');
}

static bool is_digit(char c)
{
	return isdigit((unsigned char)c);
}

static size_t match_serial(const char *s, size_t len, char before)
{
	size_t n = match_groups(s, len, "44", is_upper_hex);

	if (!is_value_place(before))
		return 0;
	if (n)
		return n < len && s[n] == '-' ? 0 : n;
	/* A partition of a disk with an MBR: the disk's signature and a number. */
	n = match_groups(s, len, "82", is_lower_hex);
	if (n)
		return n < len && s[n] == '-' ? 0 : n;
	/* A MAC without colons. */
	n = run_of(s, len, is_hex);
	if (n == 12 && run_of(s, len, is_digit) < n &&
	    !(n < len && (is_alnum(s[n]) || s[n] == '-')))
		return n;
	n = run_of(s, len, is_upper_hex);
	if (n == 16 && !(n < len && (is_alnum(s[n]) || s[n] == '-')))
		return n;
	/* The GUID of a ZFS pool. */
	n = run_of(s, len, is_digit);
	return n >= 16 && n <= 20 && !(n < len && is_alnum(s[n])) ? n : 0;
}

static size_t match_hex(const char *s, size_t len)
{
	size_t n = run_of(s, len, is_alnum);

	return n == 32 && run_of(s, len, is_lower_hex) == n ? n : 0;
}

static size_t match_wwn(const char *s, size_t len)
{
	return len >= 18 && !strncmp(s, "0x", 2) && run_of(s + 2, len - 2, is_hex) == 16 &&
			       !(len > 18 && is_alnum(s[18])) ?
		       18 :
		       0;
}

static bool is_name(char c)
{
	return !isspace((unsigned char)c) && !strchr("\"',;()", c) && c;
}

static size_t match_target(const char *s, size_t len)
{
	return len > 5 && (!strncmp(s, "iqn.", 4) || !strncmp(s, "nqn.", 4)) ?
		       run_of(s, len, is_name) :
		       0;
}

/*
 * The name of a host as a whole word: the longest match, because it may be known with and without
 * its domain.
 */
static size_t match_host(const struct redact *redact, const char *s, size_t len)
{
	size_t longest = 0;

	for (size_t i = 0; i < redact->hosts.n; i++) {
		size_t n = strlen(redact->hosts.s[i]);

		if (n > longest && n <= len && !strncasecmp(s, redact->hosts.s[i], n) &&
		    !(n < len && is_alnum(s[n])))
			longest = n;
	}
	return longest;
}

/* --- the whole */

/*
 * "LVM-" and 32 or 64 characters: the UUIDs of the group and of the volume. Returns the length that
 * was replaced.
 */
static size_t replace_lvm(struct redact *redact, const char *s, size_t len, FILE *out)
{
	size_t n = match_groups(s, len, "6444446", is_alnum), run;

	if (n) {
		redact_one(redact, REDACT_LVM, s, n, out);
		return n;
	}
	run = len > 4 && !strncmp(s, "LVM-", 4) ? run_of(s + 4, len - 4, is_alnum) : 0;
	if (run != 32 && run != 64)
		return 0;
	fputs("LVM-", out);
	for (size_t at = 0; at < run; at += 32)
		redact_one(redact, REDACT_LVM, s + 4 + at, 32, out);
	return 4 + run;
}

/* The name of a disk for multipath: a 3, which stays, and its WWN of 16 or 32 digits. */
static size_t replace_wwid(struct redact *redact, const char *s, size_t len, FILE *out)
{
	size_t n = run_of(s, len, is_alnum);

	if (*s != '3' || (n != 33 && n != 17) || run_of(s, len, is_lower_hex) != n)
		return 0;
	fputc('3', out);
	redact_one(redact, REDACT_HEX, s + 1, n - 1, out);
	return n;
}

/* "by-id/ata-MODEL_SERIAL-part1": the partition number stays. */
static size_t replace_disk(struct redact *redact, const char *s, size_t len, FILE *out)
{
	static const char folder[] = "by-id/";
	const size_t skip = sizeof(folder) - 1;
	size_t n, end;

	if (len <= skip || strncmp(s, folder, skip) != 0)
		return 0;
	n = end = run_of(s + skip, len - skip, is_name);
	while (n && is_digit(s[skip + n - 1]))
		n--;
	if (n < 6 || n == end || strncmp(s + skip + n - 5, "-part", 5) != 0)
		n = end + 5;
	n -= 5;
	fputs(folder, out);
	redact_one(redact, REDACT_DISK, s + skip, n, out);
	fwrite(s + skip + n, 1, end - n, out);
	return skip + end;
}

/* "enx" and the MAC without colons: a name made by udev. */
static size_t replace_interface(struct redact *redact, const char *s, size_t len, FILE *out)
{
	char mac[18];

	if (len < 15 || (strncmp(s, "enx", 3) != 0 && strncmp(s, "wlx", 3) != 0) ||
	    run_of(s + 3, len - 3, is_hex) != 12 || (len > 15 && is_alnum(s[15])))
		return 0;
	for (size_t i = 0; i < 6; i++)
		snprintf(mac + 3 * i, sizeof(mac) - 3 * i, "%.2s%s", s + 3 + 2 * i,
			 i < 5 ? ":" : "");
	fprintf(out, "%.3s02000000%04zx", s, number_of(redact, REDACT_MAC, mac, 17) % 65536);
	return 15;
}

/* The digest of a text that was replaced becomes the digest of the replacement. */
static size_t replace_digest(const struct redact *redact, const char *s, size_t len, FILE *out)
{
	if (run_of(s, len, is_alnum) != 64)
		return 0;
	for (size_t i = 0; i + 1 < redact->digests.n; i += 2)
		if (!strncmp(s, redact->digests.s[i], 64)) {
			fputs(redact->digests.s[i + 1], out);
			return 64;
		}
	return 0;
}

/*
 * Proxmox VE makes the UUID of a mediated device from the entry and the VM (PVE::QemuServer::PCI,
 * generate_mdev_uuid). It identifies nobody, and shows which VM has it.
 */
static size_t keep_mdev(const char *s, size_t len, FILE *out)
{
	size_t n = match_uuid(s, len);

	if (!n || memcmp(s + 8, "-0000-0000-0000-", 16) != 0 || run_of(s, 8, is_digit) < 8 ||
	    run_of(s + 24, 12, is_digit) < 12)
		return 0;
	fwrite(s, 1, n, out);
	return n;
}

/* At the start of a word. Returns the length of the text that was replaced, or 0. */
static size_t replace(struct redact *redact, const char *s, size_t len, char before, FILE *out)
{
	const struct {
		enum redact_kind kind;
		size_t len;
	} found[] = {
		{ REDACT_UUID, match_uuid(s, len) },
		{ REDACT_MAC, before == ':' ? 0 : match_mac(s, len) },
		{ REDACT_IPV6, before == ':' ? 0 : match_ipv6(s, len) },
		{ REDACT_IPV4, match_ipv4(s, len) },
		{ REDACT_SERIAL, match_serial(s, len, before) },
		{ REDACT_HEX, match_hex(s, len) },
		{ REDACT_WWN, match_wwn(s, len) },
		{ REDACT_TARGET, match_target(s, len) },
	};
	size_t n;

	n = keep_mdev(s, len, out);
	if (!n)
		n = replace_disk(redact, s, len, out);
	if (!n)
		n = replace_digest(redact, s, len, out);
	if (!n)
		n = replace_interface(redact, s, len, out);
	if (!n)
		n = replace_lvm(redact, s, len, out);
	if (!n)
		n = replace_wwid(redact, s, len, out);
	for (size_t i = 0; !n && i < N(found); i++) {
		n = found[i].len;
		if (n)
			redact_one(redact, found[i].kind, s, n, out);
	}
	if (n)
		return n;
	n = match_host(redact, s, len);
	if (n)
		redact_one(redact, REDACT_HOST, s, n, out);
	return n;
}

void redact_text(struct redact *redact, const char *text, size_t size, FILE *out)
{
	char before = '\0';

	for (size_t at = 0; at < size;) {
		size_t n = 0;

		if ((is_alnum(text[at]) || (text[at] == ':' && before != ':')) &&
		    !is_alnum(before) && !(before == '.' && is_digit(text[at])))
			n = replace(redact, text + at, size - at, before, out);
		if (!n)
			fputc(text[at], out);
		n = n ? n : 1;
		before = text[at + n - 1];
		at += n;
	}
}

char *redact_string(struct redact *redact, const char *text, size_t size)
{
	char *copy = NULL;
	size_t len;
	FILE *out = open_memstream(&copy, &len);

	if (!out)
		return NULL;
	redact_text(redact, text, size, out);
	if (!fclose(out))
		return copy;
	free(copy);
	return NULL;
}
