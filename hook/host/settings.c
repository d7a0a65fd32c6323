// SPDX-License-Identifier: GPL-2.0-or-later
/* The attributes that set lines change, on the running host; see settings.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/settings.h"

#define BARS	    6
#define RESOURCE_IO 0x100 /* include/linux/ioport.h, IORESOURCE_IO */

const char *settings_attribute(enum plan_key key)
{
	static const char *const names[] = {
		[PLAN_SET_RESET] = "reset_method",
		[PLAN_SET_D3COLD] = "d3cold_allowed",
		[PLAN_SET_POWER] = "power/control",
	};

	return names[key];
}

const char *settings_offered(const struct host *host, const struct host_function *fn,
			     enum plan_key key, char *buf, size_t size)
{
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];
	const struct boot_report_entry *entry =
		boot_report_find(&host->report, pci_address_format(&fn->pci.addr, addr));

	if (key == PLAN_SET_RESET && entry && *entry->setting[key].before &&
	    !strcmp(entry->id, pci_id_format(&fn->pci.id, id))) {
		snprintf(buf, size, "%s", entry->setting[key].before);
		return buf;
	}
	return host_attribute(host, fn, settings_attribute(key), buf, size);
}

static bool has_method(const char *offered, const char *method, size_t len)
{
	for (size_t n; *offered; offered += n + (offered[n] == ' ')) {
		n = strcspn(offered, " ");
		if (n == len && !strncmp(offered, method, len))
			return true;
	}
	return false;
}

bool settings_has_methods(const char *offered, const char *wanted)
{
	if (!strcmp(wanted, "default"))
		return true;
	for (size_t len; *wanted; wanted += len + (wanted[len] == ' ')) {
		len = strcspn(wanted, " ");
		if (!has_method(offered, wanted, len))
			return false;
	}
	return true;
}

static bool is_listed(const struct host *host, const char *method, size_t len)
{
	char text[PLAN_VALUE_SIZE];

	for (size_t i = 0; i < host->count; i++)
		if (has_method(settings_offered(host, &host->fn[i], PLAN_SET_RESET, text,
						sizeof(text)),
			       method, len))
			return true;
	return false;
}

const char *settings_next_unknown(const struct host *host, const char **wanted, size_t *len)
{
	while (**wanted) {
		const char *word = *wanted;

		*len = strcspn(word, " ");
		*wanted += *len + (word[*len] == ' ');
		if (!has_method(SETTINGS_METHODS, word, *len) && !is_listed(host, word, *len))
			return word;
	}
	return NULL;
}

const char *settings_power(const struct host *host, const struct host_function *fn, char *buf,
			   size_t size)
{
	char control[32], d3cold[32];

	host_attribute(host, fn, settings_attribute(PLAN_SET_POWER), control, sizeof(control));
	host_attribute(host, fn, settings_attribute(PLAN_SET_D3COLD), d3cold, sizeof(d3cold));
	snprintf(buf, size, "%s%s%s%s", control, *control && *d3cold ? " " : "",
		 *d3cold ? "d3cold=" : "",
		 !*d3cold	? "" :
		 *d3cold == '0' ? "off" :
				  "on");
	return buf;
}

/* Sizes of BARs are powers of two. */
static void add_size(uint64_t bytes, char *buf, size_t size)
{
	static const char units[] = " KMGTPE";
	size_t len = strlen(buf);
	const char *unit = units;

	while (bytes >= 1024 && !(bytes % 1024)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf + len, size - len, "%" PRIu64 "%.*s", bytes, *unit != ' ', unit);
}

/* Bit n of the attribute is 2^n megabytes (pci_rebar_get_possible_sizes()). */
static void add_possible(const struct host *host, const struct host_function *fn, int bar,
			 char *buf, size_t size)
{
	char name[32], text[64];
	const char *between = " of ";
	uint64_t sizes;

	snprintf(name, sizeof(name), "resource%d_resize", bar);
	sizes = strtoull(host_attribute(host, fn, name, text, sizeof(text)), NULL, 16);
	for (unsigned int i = 0; i < 44; i++) {
		size_t len = strlen(buf);

		if (!(sizes >> i & 1))
			continue;
		snprintf(buf + len, size - len, "%s", between);
		add_size(UINT64_C(1) << (i + 20), buf, size);
		between = " ";
	}
}

const char *settings_bars(const struct host *host, const struct host_function *fn, char *buf,
			  size_t size)
{
	char text[2048];
	const char *line = host_attribute(host, fn, "resource", text, sizeof(text));

	buf[0] = '\0';
	for (int bar = 0; bar < BARS && line && *line; bar++) {
		uint64_t start, end, flags;
		size_t len = strlen(buf);

		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end, &flags) != 3)
			break;
		if (end > start && !(flags & RESOURCE_IO)) {
			snprintf(buf + len, size - len, "%s%d: ", *buf ? ", " : "", bar);
			add_size(end - start + 1, buf, size);
			add_possible(host, fn, bar, buf, size);
		}
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return buf;
}
