// SPDX-License-Identifier: GPL-2.0-or-later
/* Binary files; see pack.h. */
#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/pack.h"
#include "util/array.h"
#include "util/file.h"

#define LIST_MAX (64u << 20) /* bytes */

/* --- ELF */

static void fill_head(Elf64_Ehdr *head, unsigned int type)
{
	*head = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB, EV_CURRENT },
		.e_type = (Elf64_Half)type,
		.e_machine = EM_NONE,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(*head),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shentsize = sizeof(Elf64_Shdr),
	};
}

char *pack_program(bool is_static, const char *digest, size_t *size)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr interpreter;
	} parts = { .interpreter = { .p_type = PT_INTERP } };
	char *text;

	fill_head(&parts.head, ET_EXEC);
	parts.head.e_phoff = sizeof(parts.head);
	parts.head.e_phnum = !is_static;
	*size = sizeof(parts) + strlen(digest);
	text = malloc(*size + 1);
	if (!text)
		return NULL;
	memcpy(text, &parts, sizeof(parts));
	strcpy(text + sizeof(parts), digest);
	return text;
}

/* libkmod reads the section table, the section names and this section (libkmod-elf.c). */
char *pack_module(const char *info, size_t len, size_t *size)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	struct {
		Elf64_Ehdr head;
		Elf64_Shdr section[3];
		char names[sizeof(names)];
	} parts = { 0 };
	char *text;

	fill_head(&parts.head, ET_REL);
	parts.head.e_shoff = sizeof(parts.head);
	parts.head.e_shnum = 3;
	parts.head.e_shstrndx = 2;
	memcpy(parts.names, names, sizeof(names));
	parts.section[1] = (Elf64_Shdr){ .sh_name = 1,
					 .sh_type = SHT_PROGBITS,
					 .sh_offset = sizeof(parts),
					 .sh_size = len + 1 };
	parts.section[2] = (Elf64_Shdr){ .sh_name = sizeof("\0.modinfo"),
					 .sh_type = SHT_STRTAB,
					 .sh_offset = (size_t)((char *)parts.names -
							       (char *)&parts),
					 .sh_size = sizeof(names) };
	/* Never an empty section: libkmod asserts that there is a byte at its offset. */
	*size = sizeof(parts) + len + 1;
	text = malloc(*size);
	if (!text)
		return NULL;
	memcpy(text, &parts, sizeof(parts));
	memcpy(text + sizeof(parts), info, len);
	text[*size - 1] = '\0';
	for (size_t i = sizeof(parts); i < *size; i++)
		if (text[i] == '\n')
			text[i] = '\0';
	return text;
}

/* --- depmod's indexes */

/* kmod, libkmod/libkmod-index.h: a trie of big-endian numbers, children before their parents. */
#define INDEX_MAGIC   0xb007f457u
#define INDEX_VERSION 0x00020001u
#define INDEX_PREFIX  0x80000000u
#define INDEX_VALUES  0x40000000u
#define INDEX_CHILDS  0x20000000u
#define INDEX_OFFSET  0x0fffffffu

#define KEY_MAX 1024 /* longer than any module or alias; also limits the recursion */

struct index_entry {
	char *key;
	char *value;
	uint32_t place; /* index in its list: libkmod returns lower ones first */
};

struct index {
	struct index_entry *entry;
	size_t count;
	FILE *out;
	bool failed;
};

static void put_number(struct index *index, uint32_t number)
{
	uint32_t big = htobe32(number);

	fwrite(&big, sizeof(big), 1, index->out);
}

static uint32_t put_node(struct index *index, size_t from, size_t to, size_t depth);

/* Writes the children: entries with one more character than @depth. Sets their offsets. */
static void put_children(struct index *index, size_t from, size_t to, size_t depth,
			 uint32_t offset[128])
{
	for (size_t at = from; at < to;) {
		unsigned char c = (unsigned char)index->entry[at].key[depth];
		size_t end = at;

		while (end < to && (unsigned char)index->entry[end].key[depth] == c)
			end++;
		if (c && c < 128)
			offset[c] = put_node(index, at, end, depth + 1);
		at = end;
	}
}

static void put_values(struct index *index, size_t from, size_t count)
{
	put_number(index, (uint32_t)count);
	for (size_t i = from; i < from + count; i++) {
		put_number(index, index->entry[i].place);
		fwrite(index->entry[i].value, 1, strlen(index->entry[i].value) + 1, index->out);
	}
}

/*
 * Writes the node of sorted entries that share their first @depth characters. Returns its offset
 * and flags.
 */
static uint32_t put_node(struct index *index, size_t from, size_t to, size_t depth)
{
	const char *first = index->entry[from].key, *last = index->entry[to - 1].key;
	size_t prefix = depth, values = 0;
	uint32_t offset[128] = { 0 }, node, flags = 0;
	unsigned int low = 127, high = 0;
	long at;

	while (first[prefix] && first[prefix] == last[prefix])
		prefix++;
	while (from + values < to && !index->entry[from + values].key[prefix])
		values++;
	put_children(index, from + values, to, prefix, offset);
	at = ftell(index->out);
	if (at < 0 || at > (long)INDEX_OFFSET)
		index->failed = true;
	node = (uint32_t)at & INDEX_OFFSET;
	if (prefix > depth) {
		fwrite(first + depth, 1, prefix - depth, index->out);
		fputc('\0', index->out);
		flags |= INDEX_PREFIX;
	}
	for (unsigned int c = 0; c < 128; c++)
		if (offset[c]) {
			low = c < low ? c : low;
			high = c;
		}
	if (high) {
		fputc((int)low, index->out);
		fputc((int)high, index->out);
		for (unsigned int c = low; c <= high; c++)
			put_number(index, offset[c]);
		flags |= INDEX_CHILDS;
	}
	if (values) {
		put_values(index, from, values);
		flags |= INDEX_VALUES;
	}
	return node | flags;
}

static int by_key(const void *a, const void *b)
{
	const struct index_entry *one = a, *other = b;
	int ret = strcmp(one->key, other->key);

	if (ret)
		return ret;
	return one->place < other->place ? -1 : 1;
}

/*
 * As libkmod normalizes a name: '-' becomes '_', except in the brackets of a pattern
 * (libkmod-util.c, alias_normalize()).
 */
static void make_name(char *key)
{
	bool is_set = false;

	for (; *key; key++) {
		is_set = *key == '[' || (is_set && *key != ']');
		if (*key == '-' && !is_set)
			*key = '_';
	}
}

/* @key, @value: copied, up to the given lengths */
static int add(struct index *index, const char *key, size_t len, const char *value,
	       size_t value_len)
{
	struct index_entry item = { .place = (uint32_t)index->count };

	if (!len || len > KEY_MAX)
		return 0;
	item.key = strndup(key, len);
	item.value = strndup(value, value_len);
	if (item.key && item.value) {
		make_name(item.key);
		if (!array_append(&index->entry, &index->count, sizeof(item), &item))
			return 0;
	}
	free(item.key);
	free(item.value);
	return -ENOMEM;
}

/*
 * "kernel/drivers/vfio/vfio-pci.ko.xz: ...": the key is the name of the module; the value is the
 * line, or empty.
 */
static int add_path(struct index *index, const char *line, size_t len, bool has_value)
{
	size_t path = 0, from = 0, end;

	while (path < len && line[path] != ':')
		path++;
	for (size_t i = 0; i < path; i++)
		if (line[i] == '/')
			from = i + 1;
	for (end = from; end < path && strncmp(line + end, ".ko", 3) != 0;)
		end++;
	return add(index, line + from, end - from, line, has_value ? len : 0);
}

/* "alias PATTERN MODULE" */
static int add_alias(struct index *index, const char *line, size_t len)
{
	const char *key = line + strlen("alias "), *end = line + len, *name;

	if (len < strlen("alias ") || strncmp(line, "alias ", strlen("alias ")) != 0)
		return 0;
	name = memchr(key, ' ', (size_t)(end - key));
	return name ? add(index, key, (size_t)(name - key), name + 1, (size_t)(end - name - 1)) : 0;
}

static int write_index(int dirfd, const char *name, struct index *index)
{
	char *text = NULL;
	size_t size = 0;
	uint32_t root = 0;
	int ret;

	index->out = open_memstream(&text, &size);
	if (!index->out)
		return -ENOMEM;
	if (index->count)
		qsort(index->entry, index->count, sizeof(*index->entry), by_key);
	put_number(index, INDEX_MAGIC);
	put_number(index, INDEX_VERSION);
	put_number(index, 0);
	if (index->count)
		root = put_node(index, 0, index->count, 0);
	ret = fclose(index->out) || index->failed ? -ENOMEM : 0;
	if (!ret) {
		root = htobe32(root);
		memcpy(text + 2 * sizeof(root), &root, sizeof(root));
		ret = file_create(dirfd, name, NULL, text, size);
	}
	free(text);
	return ret == -EEXIST ? 0 : ret;
}

enum list {
	LIST_DEP,
	LIST_ALIAS,
	LIST_BUILTIN,
};

static int pack_index(int dirfd, const char *list, const char *name, enum list kind)
{
	struct index index = { 0 };
	char *text = NULL, *pos;
	size_t size;
	int ret = file_read(dirfd, list, LIST_MAX, &text, &size);

	if (ret && kind == LIST_DEP)
		return 0;
	ret = ret == -ENOMEM ? ret : 0;
	for (pos = text; pos && *pos && !ret;) {
		size_t len = strcspn(pos, "\n");

		ret = kind == LIST_ALIAS ? add_alias(&index, pos, len) :
					   add_path(&index, pos, len, kind == LIST_DEP);
		pos += len + (pos[len] == '\n');
	}
	if (!ret)
		ret = write_index(dirfd, name, &index);
	for (size_t i = 0; i < index.count; i++) {
		free(index.entry[i].key);
		free(index.entry[i].value);
	}
	free(index.entry);
	free(text);
	return ret;
}

int pack_indexes(int dirfd)
{
	int ret = pack_index(dirfd, "modules.dep", "modules.dep.bin", LIST_DEP);

	if (!ret)
		ret = pack_index(dirfd, "modules.alias", "modules.alias.bin", LIST_ALIAS);
	if (!ret && !faccessat(dirfd, "modules.builtin", F_OK, 0))
		ret = pack_index(dirfd, "modules.builtin", "modules.builtin.bin", LIST_BUILTIN);
	return ret;
}

/* --- images */

struct pack_image {
	struct archive *archive;
};

struct pack_image *pack_image_open(int fd)
{
	struct pack_image *image = malloc(sizeof(*image));

	if (!image)
		return NULL;
	image->archive = archive_write_new();
	if (image->archive && !archive_write_set_format_cpio_newc(image->archive) &&
	    !archive_write_open_fd(image->archive, fd))
		return image;
	archive_write_free(image->archive);
	free(image);
	return NULL;
}

int pack_image_add(struct pack_image *image, const char *path, unsigned int mode, const char *text,
		   size_t size)
{
	struct archive_entry *entry = archive_entry_new();
	int ret = -ENOMEM;

	if (!entry)
		return ret;
	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_size(entry, S_ISREG(mode) ? (la_int64_t)size : 0);
	if (S_ISLNK(mode))
		archive_entry_set_symlink(entry, *text ? text : ".");
	if (!archive_write_header(image->archive, entry))
		ret = !S_ISREG(mode) || archive_write_data(image->archive, text, size) ==
						(la_ssize_t)size ?
			      0 :
			      -EIO;
	archive_entry_free(entry);
	return ret;
}

int pack_image_close(struct pack_image *image)
{
	int ret = archive_write_close(image->archive) ? -EIO : 0;

	archive_write_free(image->archive);
	free(image);
	return ret;
}
