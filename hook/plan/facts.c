// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stored facts of this host; see facts.h. A text file: its version, the identity of the host, a
 * protect line for each function as in a plan, and the digest of all that. A file that cannot be
 * read completely is not used.
 */
#include <errno.h>
#include <libmount/libmount.h>
#include <sha256.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/state.h"
#include "plan/facts.h"
#include "util/address.h"
#include "util/array.h"
#include "util/file.h"

#define PATH_MACHINE_ID	  "etc/machine-id"
#define PATH_PRODUCT_UUID "sys/class/dmi/id/product_uuid" /* 0400 */
#define PATH_FSTAB	  "etc/fstab"

#define FIRST_WORD "vfio-early-facts "
#define FIRST_LINE FIRST_WORD "1\n"
#define LAST_WORD  "sha256 "

#define FACTS_MAX (16u << 20) /* bytes */

/* The identity of a host; "" for what cannot be read. */
enum identity {
	MACHINE_ID,
	PRODUCT_UUID,
	ROOT,
	ROOT_UUID,
	IDENTITIES
};

static const char *const names[IDENTITIES] = {
	[MACHINE_ID] = "machine-id ",
	[PRODUCT_UUID] = "product-uuid ",
	[ROOT] = "root ",
	[ROOT_UUID] = "root-uuid ",
};

struct identities {
	char value[IDENTITIES][256];
};

/* --- identity */

static void read_fstab(const struct root *root, char *value, size_t size)
{
	FILE *f = file_stream(root->fd, PATH_FSTAB);
	struct libmnt_table *table = f ? mnt_new_table() : NULL;
	struct libmnt_fs *fs = NULL;
	const char *source;

	if (table && !mnt_table_parse_stream(table, f, PATH_FSTAB))
		fs = mnt_table_find_target(table, "/", MNT_ITER_BACKWARD);
	source = fs ? mnt_fs_get_source(fs) : NULL;
	snprintf(value, size, "%s", source ? source : "");
	mnt_unref_table(table);
	if (f)
		fclose(f);
}

static void read_identities(const struct root *root, const struct protect_source *source,
			    struct identities *host)
{
	const size_t size = sizeof(host->value[0]);
	char *id = host->value[MACHINE_ID], uuid[64];

	*host = (struct identities){ 0 };
	file_read_once(root->fd, PATH_MACHINE_ID, id, size);
	/* machine-id(5): an image that has not been booted yet. */
	if (!strcmp(id, "uninitialized"))
		*id = '\0';
	if (!file_read_once(root->fd, PATH_PRODUCT_UUID, uuid, sizeof(uuid)) && *uuid)
		SHA256Data((const uint8_t *)uuid, strlen(uuid), host->value[PRODUCT_UUID]);
	read_fstab(root, host->value[ROOT], size);
	protect_root_uuid(source, host->value[ROOT_UUID], size);
	/* On one line each, whatever the file contains. */
	for (int i = 0; i < IDENTITIES; i++)
		host->value[i][strcspn(host->value[i], "\n")] = '\0';
}

static bool is_same_host(const struct identities *then, const struct identities *now)
{
	for (int i = 0; i < IDENTITIES; i++) {
		const char *a = then->value[i], *b = now->value[i];

		if (*a && *b ? strcmp(a, b) != 0 : i == MACHINE_ID)
			return false;
	}
	return true;
}

/* --- writing */

static int print(const struct identities *host, const struct protect_facts *facts, char **text,
		 size_t *size)
{
	char digest[SHA256_DIGEST_STRING_LENGTH];
	FILE *out = open_memstream(text, size);

	if (!out)
		return -ENOMEM;
	fputs(FIRST_LINE, out);
	for (int i = 0; i < IDENTITIES; i++)
		if (*host->value[i])
			fprintf(out, "%s%s\n", names[i], host->value[i]);
	for (size_t i = 0; i < facts->count; i++) {
		const struct protect *item = &facts->list[i];
		char addr[PCI_ADDRESS_SIZE];

		fprintf(out, "protect %s=%04x:%04x", pci_address_format(&item->addr, addr),
			item->id.vendor, item->id.device);
		if (item->id.subvendor || item->id.subdevice)
			fprintf(out, ":%04x:%04x", item->id.subvendor, item->id.subdevice);
		fprintf(out, "%s%s %s\n", item->path ? "@" : "", item->path ? item->path : "",
			item->reason);
	}
	if (!fflush(out)) {
		SHA256Data((const uint8_t *)*text, *size, digest);
		fprintf(out, LAST_WORD "%s\n", digest);
	}
	return fclose(out) ? -ENOMEM : 0;
}

static int make_folders(const struct root *root)
{
	static const char *const folders[] = { "var", "var/lib", STATE_DIR };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (mkdirat(root->fd, folders[i], 0755)) {
			if (errno != EEXIST)
				return -errno;
		} else if (fchmodat(root->fd, folders[i], 0755, 0)) {
			/* Whatever the umask is: commands that only read need the facts too. */
			return -errno;
		}
	}
	return 0;
}

int facts_keep(const struct root *root, const struct protect_source *source,
	       const struct protect_facts *facts)
{
	struct identities host;
	char *old = NULL, *text = NULL;
	size_t old_size, size;
	int ret;

	read_identities(root, source, &host);
	if (!*host.value[MACHINE_ID])
		return 0;
	ret = print(&host, facts, &text, &size);
	if (!ret && (file_read(root->fd, STATE_FACTS, FACTS_MAX, &old, &old_size) ||
		     old_size != size || memcmp(old, text, size) != 0)) {
		ret = make_folders(root);
		if (!ret)
			ret = file_replace(root->fd, STATE_FACTS, NULL, text, size);
	}
	free(old);
	free(text);
	return ret == FILE_UNSYNCED ? 0 : ret;
}

/* --- reading */

/* The last line is the digest of all above it; it is cut off. */
static bool is_whole(char *text, size_t size)
{
	const size_t last = sizeof(LAST_WORD) - 1 +
			    SHA256_DIGEST_STRING_LENGTH; /* NUL or newline */
	char digest[SHA256_DIGEST_STRING_LENGTH], *line;

	if (size < last || memchr(text, '\0', size) || text[size - 1] != '\n')
		return false;
	line = text + size - last;
	SHA256Data((const uint8_t *)text, size - last, digest);
	if (strncmp(line, LAST_WORD, sizeof(LAST_WORD) - 1) != 0 ||
	    strncmp(line + sizeof(LAST_WORD) - 1, digest, sizeof(digest) - 1) != 0)
		return false;
	*line = '\0';
	return true;
}

/* "ADDRESS=ID@PATH REASON", without the path where there was none. */
static int parse_protect(char *text, struct protect_facts *facts)
{
	char *reason = text + strcspn(text, " "), *path = NULL;
	struct protect item = { 0 };
	struct selector sel;
	size_t where;
	int ret;

	if (*reason)
		*reason++ = '\0';
	if (selector_parse(text, &sel, &where) || sel.kind != SELECTOR_ADDRESS || !sel.has_id ||
	    selector_is_path(&sel))
		return -EBADMSG;
	if (sel.has_place)
		path = strchr(text, '@') + 1;
	item.addr = sel.addr;
	item.id = sel.id;
	item.reason = strdup(reason);
	item.path = path ? strdup(path) : NULL;
	ret = item.reason && (item.path || !path) ?
		      array_append(&facts->list, &facts->count, sizeof(item), &item) :
		      -ENOMEM;
	if (ret) {
		free(item.reason);
		free(item.path);
	}
	return ret;
}

static int parse_line(char *line, struct identities *host, struct protect_facts *facts)
{
	static const char protect[] = "protect ";

	if (!strncmp(line, protect, sizeof(protect) - 1))
		return parse_protect(line + sizeof(protect) - 1, facts);
	for (int i = 0; i < IDENTITIES; i++) {
		size_t len = strlen(names[i]);

		if (strncmp(line, names[i], len) != 0)
			continue;
		snprintf(host->value[i], sizeof(host->value[i]), "%s", line + len);
		return 0;
	}
	return -EBADMSG;
}

static int parse(char *text, size_t size, struct identities *host, struct protect_facts *facts)
{
	char *save, *line;
	int ret = 0;

	*host = (struct identities){ 0 };
	/* A newer version may have another last line. */
	if (!strncmp(text, FIRST_WORD, sizeof(FIRST_WORD) - 1) &&
	    strncmp(text, FIRST_LINE, sizeof(FIRST_LINE) - 1) != 0)
		return -EPROTO;
	if (strncmp(text, FIRST_LINE, sizeof(FIRST_LINE) - 1) != 0 || !is_whole(text, size))
		return -EBADMSG;
	for (line = strtok_r(text + sizeof(FIRST_LINE) - 1, "\n", &save); line && !ret;
	     line = strtok_r(NULL, "\n", &save))
		ret = parse_line(line, host, facts);
	return ret;
}

/*
 * As for a config: only root may have written it. Below --root, a user's own tree is theirs to
 * write.
 */
static int read_file(const struct root *root, char **text, size_t *size)
{
	int fd = file_open(root->fd, STATE_FACTS), ret;
	struct stat st;

	if (fd < 0)
		return fd;
	ret = fstat(fd, &st) ? -errno : 0;
	if (!ret && ((st.st_uid != 0 && (geteuid() == 0 || st.st_uid != geteuid())) ||
		     (st.st_mode & (S_IWGRP | S_IWOTH))))
		ret = -EPERM;
	if (!ret)
		ret = file_read_all(fd, FACTS_MAX, text, size);
	close(fd);
	return ret;
}

static int compare(const void *a, const void *b)
{
	return address_compare(&((const struct protect *)a)->addr,
			       &((const struct protect *)b)->addr);
}

int facts_recall(const struct root *root, const struct protect_source *source,
		 struct protect_facts *facts, struct pci_address *elsewhere)
{
	struct protect_facts found = { 0 };
	struct identities then, now;
	char *text = NULL;
	size_t size;
	int ret = read_file(root, &text, &size);

	if (!ret)
		ret = parse(text, size, &then, &found);
	if (!ret) {
		read_identities(root, source, &now);
		ret = is_same_host(&then, &now) ? 0 : -ESTALE;
	}
	if (!ret)
		ret = protect_find_root(source, &found, elsewhere);
	free(text);
	if (ret) {
		protect_free(&found);
		return ret;
	}
	if (found.count)
		qsort(found.list, found.count, sizeof(*found.list), compare);
	facts->list = found.list;
	facts->count = found.count;
	return 0;
}

static const char *find_why(int error)
{
	switch (error) {
	case -ENOENT:
		return "and this host has not kept what it needs in /" STATE_FACTS;
	case -ESTALE:
		return "and /" STATE_FACTS " is of another host";
	case -EPROTO:
		return "and /" STATE_FACTS " is of a newer version";
	case -EBADMSG:
		return "and /" STATE_FACTS " is damaged";
	case -EPERM:
		return "and /" STATE_FACTS " is not root's alone to write, so it is not used";
	default:
		return "and /" STATE_FACTS " cannot be read";
	}
}

void facts_print_why(int error, const struct pci_address *elsewhere, char *buf, size_t size)
{
	char addr[PCI_ADDRESS_SIZE];

	if (error == -ENODEV)
		snprintf(buf, size, "and / lies on %s now, which is not in /" STATE_FACTS,
			 pci_address_format(elsewhere, addr));
	else
		snprintf(buf, size, "%s", find_why(error));
}
