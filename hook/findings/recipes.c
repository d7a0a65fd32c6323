// SPDX-License-Identifier: GPL-2.0-or-later
/* The old ways of giving a device to vfio-pci; see recipes.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "early/selector.h"
#include "findings/recipes.h"
#include "util/array.h"
#include "util/message.h"

#define CMDLINE_FILE "proc/cmdline"
#define FILE_MAX     (1u << 20) /* bytes; a larger one is no config */

/* Drivers that the recipes on the net keep away from a card. */
static const char *const card_drivers[] = {
	"nouveau",	  "nvidia",	    "nvidiafb",	      "nvidia_drm",
	"nvidia_modeset", "nvidia_uvm",	    "nvidia_current", "radeon",
	"radeonfb",	  "amdgpu",	    "i915",	      "xe",
	"snd_hda_intel",  "i2c_nvidia_gpu",
};

static const char *const vfio_modules[] = {
	"vfio", "vfio_iommu_type1", "vfio_pci", "vfio_pci_core", "vfio_virqfd", "iommufd",
};

/* '-' and '_' are one in the names of modules (kmod, and kernel/params.c for their parameters). */
static bool is_module(const char *name, size_t len, const char *module)
{
	for (size_t i = 0; i < len; i++)
		if ((name[i] == '-' ? '_' : name[i]) != module[i])
			return false;
	return !module[len];
}

static bool is_among(const char *name, size_t len, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_module(name, len, list[i]))
			return true;
	return false;
}

#define IS_AMONG(name, len, list) is_among(name, len, list, sizeof(list) / sizeof((list)[0]))

/* A text being looked through. */
struct source {
	struct recipes *recipes;
	const char *file; /* without the root and its slash */
	unsigned int line;
};

static void free_recipe(struct recipe *recipe)
{
	free(recipe->file);
	free(recipe->text);
	free(recipe->value);
	free(recipe->address);
}

static void add(struct source *source, enum recipe_kind kind, enum recipe_harm harm,
		const char *text, size_t text_len, const char *value, size_t value_len)
{
	struct recipes *recipes = source->recipes;
	struct recipe item = { .kind = kind, .harm = harm, .line = source->line };

	if (!strcmp(source->file, CMDLINE_FILE))
		item.line = 0; /* it has but one */
	if (asprintf(&item.file, "/%s", source->file) < 0)
		item.file = NULL;
	item.text = strndup(text, text_len);
	item.value = strndup(value, value_len);
	if (!item.file || !item.text || !item.value ||
	    array_append(&recipes->list, &recipes->count, sizeof(item), &item)) {
		recipes->failed = true;
		free_recipe(&item);
		return;
	}
}

/* Something that may hold recipes and cannot be read: the first is kept, for who must know. */
static void note_unread(struct recipes *recipes, const char *name, int error)
{
	if (error == ENOENT || error == ENOTDIR || recipes->unread)
		return;
	recipes->error = error;
	recipes->unread = strdup(name);
	recipes->failed |= !recipes->unread;
}

/* The whole of a file below the root, NUL-ended, or NULL. */
static char *read_file(int rootfd, struct recipes *recipes, const char *name)
{
	int fd = openat(rootfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t len = 0;
	ssize_t got = 0;
	struct stat st;
	char *text = NULL;

	if (fd < 0) {
		note_unread(recipes, name, errno);
		return NULL;
	}
	if (fstat(fd, &st))
		note_unread(recipes, name, errno);
	else if (S_ISREG(st.st_mode))
		text = malloc(FILE_MAX + 1);
	while (text && len < FILE_MAX && (got = read(fd, text + len, FILE_MAX - len)) > 0)
		len += (size_t)got;
	if (got < 0)
		note_unread(recipes, name, errno);
	close(fd);
	if (text)
		text[got < 0 ? 0 : len] = '\0';
	return text;
}

struct word {
	const char *text;
	size_t len;
};

/* The next word between any of these characters; len 0 at the end. */
static struct word next_word(const char **pos, const char *apart)
{
	struct word word = { .text = *pos + strspn(*pos, apart) };

	word.len = strcspn(word.text, apart);
	*pos = word.text + word.len;
	return word;
}

static bool is_word(const struct word *word, const char *text)
{
	return strlen(text) == word->len && !strncmp(word->text, text, word->len);
}

/* --- kernel command lines */

/* NAME=VALUE: is this the name? A module's parameter has a dot, and takes both '-' and '_'. */
static const char *value_of(const struct word *word, const char *name)
{
	const char *equals = memchr(word->text, '=', word->len);

	if (!equals || !is_module(word->text, (size_t)(equals - word->text), name))
		return NULL;
	return equals + 1;
}

/* @harm: of one that names a module which the boot needs */
static void find_in_blacklist(struct source *source, const struct word *word, const char *value,
			      enum recipe_harm harm)
{
	const char *end = word->text + word->len;

	while (value < end) {
		size_t len = strcspn(value, ",");

		if (value + len > end)
			len = (size_t)(end - value);
		if (IS_AMONG(value, len, vfio_modules))
			add(source, RECIPE_BLACKLIST_VFIO, harm, word->text, word->len, value, len);
		else if (IS_AMONG(value, len, card_drivers))
			add(source, RECIPE_CMDLINE_BLACKLIST, RECIPE_NEEDLESS, word->text,
			    word->len, value, len);
		value += len + 1;
	}
}

static void find_in_parameter(struct source *source, const struct word *word)
{
	const char *value;
	size_t len;

	if (is_word(word, "amd_iommu=on")) {
		add(source, RECIPE_AMD_IOMMU, RECIPE_NEEDLESS, word->text, word->len, "", 0);
		return;
	}
	value = memchr(word->text, '=', word->len);
	if (!value)
		return;
	value++;
	len = (size_t)(word->text + word->len - value);
	if (value_of(word, "vfio_pci.ids"))
		add(source, RECIPE_CMDLINE_IDS, RECIPE_RISKY, word->text, word->len, value, len);
	else if (value_of(word, "pci_stub.ids"))
		add(source, RECIPE_STUB_IDS, RECIPE_RISKY, word->text, word->len, value, len);
	else if (value_of(word, "pcie_acs_override"))
		add(source, RECIPE_ACS, RECIPE_RISKY, word->text, word->len, value, len);
	else if (value_of(word, "vfio_iommu_type1.allow_unsafe_interrupts") &&
		 (*value == '1' || *value == 'y' || *value == 'Y'))
		add(source, RECIPE_UNSAFE, RECIPE_RISKY, word->text, word->len, value, len);
	else if (value_of(word, "module_blacklist"))
		find_in_blacklist(source, word, value, RECIPE_FIGHTS);
	else if (value_of(word, "modprobe.blacklist"))
		find_in_blacklist(source, word, value, RECIPE_RISKY);
}

/* One line of /proc/cmdline, of /etc/kernel/cmdline, or of GRUB's shell. */
static void find_in_cmdline(struct source *source, const char *line, const char *apart)
{
	for (;;) {
		struct word word = next_word(&line, apart);

		if (!word.len)
			return;
		find_in_parameter(source, &word);
	}
}

static void find_in_kernel_line(struct source *source, const char *line)
{
	find_in_cmdline(source, line, " \t\"");
}

static void find_in_grub_line(struct source *source, const char *line)
{
	line += strspn(line, " \t");
	if (!strncmp(line, "export ", 7))
		line += 7;
	if (!strncmp(line, "GRUB_CMDLINE_", 13) && strchr(line, '='))
		find_in_cmdline(source, strchr(line, '=') + 1, " \t\"'");
}

/* --- modprobe.d, and lists of modules */

static void find_in_options(struct source *source, const char *line, const struct word *module,
			    const char *rest)
{
	for (;;) {
		struct word word = next_word(&rest, " \t\"");
		const char *value;
		size_t len;

		if (!word.len)
			return;
		value = memchr(word.text, '=', word.len);
		if (!value)
			continue;
		value++;
		len = (size_t)(word.text + word.len - value);
		if (is_module(module->text, module->len, "vfio_pci") && value_of(&word, "ids"))
			add(source, RECIPE_IDS, RECIPE_RISKY, line, strlen(line), value, len);
		else if (is_module(module->text, module->len, "pci_stub") && value_of(&word, "ids"))
			add(source, RECIPE_STUB_IDS, RECIPE_RISKY, line, strlen(line), value, len);
		else if (is_module(module->text, module->len, "vfio_iommu_type1") &&
			 value_of(&word, "allow_unsafe_interrupts") &&
			 (*value == '1' || *value == 'y' || *value == 'Y'))
			add(source, RECIPE_UNSAFE, RECIPE_RISKY, line, strlen(line), value, len);
	}
}

static bool is_before_vfio(const char *rest)
{
	bool is_pre = false;

	for (;;) {
		struct word word = next_word(&rest, " \t");

		if (!word.len)
			return false;
		if (is_word(&word, "pre:"))
			is_pre = true;
		else if (is_word(&word, "post:"))
			is_pre = false;
		else if (is_pre && is_module(word.text, word.len, "vfio_pci"))
			return true;
	}
}

static void find_in_modprobe_line(struct source *source, const char *line)
{
	const char *pos = line;
	struct word command = next_word(&pos, " \t"), module;

	if (!command.len || *command.text == '#')
		return;
	module = next_word(&pos, " \t");
	if (!module.len)
		return;
	if (is_word(&command, "options"))
		find_in_options(source, line, &module, pos);
	else if (is_word(&command, "softdep") && is_before_vfio(pos))
		add(source, RECIPE_SOFTDEP, RECIPE_NEEDLESS, line, strlen(line), module.text,
		    module.len);
	else if ((is_word(&command, "blacklist") || is_word(&command, "install")) &&
		 IS_AMONG(module.text, module.len, vfio_modules))
		/* The plan follows install; of blacklist only aliases know (modprobe.d(5)). */
		add(source, RECIPE_BLACKLIST_VFIO,
		    is_word(&command, "install") ? RECIPE_FIGHTS : RECIPE_RISKY, line, strlen(line),
		    module.text, module.len);
	else if (is_word(&command, "blacklist") &&
		 IS_AMONG(module.text, module.len, card_drivers) &&
		 /* A package's own list is no recipe: Debian's kmod brings one of framebuffers. */
		 !strncmp(source->file, "etc/", 4))
		add(source, RECIPE_BLACKLIST, RECIPE_NEEDLESS, line, strlen(line), module.text,
		    module.len);
}

static void find_in_modules_line(struct source *source, const char *line)
{
	const char *pos = line;
	struct word word = next_word(&pos, " \t");

	if (is_module(word.text, word.len, "vfio_virqfd"))
		add(source, RECIPE_VIRQFD, RECIPE_NEEDLESS, line, strlen(line), word.text,
		    word.len);
	else if (IS_AMONG(word.text, word.len, vfio_modules))
		add(source, RECIPE_MODULES, RECIPE_NEEDLESS, line, strlen(line), word.text,
		    word.len);
}

/* --- files */

typedef void (*find_fn)(struct source *source, const char *line);

/* Each line of a text; one that ends in a backslash goes on in the next, and has its number. */
static void find_in_text(struct source *source, char *text, find_fn find)
{
	unsigned int number = 0;

	while (*text) {
		char *end = text, *next;

		source->line = ++number;
		for (;;) {
			end += strcspn(end, "\n");
			if (!*end || end == text || end[-1] != '\\')
				break;
			end[-1] = ' ';
			*end++ = ' ';
			number++;
		}
		next = *end ? end + 1 : end;
		while (end > text && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
			end--;
		*end = '\0';
		find(source, text);
		text = next;
	}
}

static void find_in_file(const struct root *root, struct recipes *recipes, const char *name,
			 find_fn find)
{
	struct source source = { .recipes = recipes, .file = name };
	char *text = read_file(root->fd, recipes, name);

	if (text)
		find_in_text(&source, text, find);
	free(text);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);

	return len > end && !strcmp(name + len - end, suffix);
}

/* Calls a function with "DIR/NAME" for each file of a folder with this suffix, in byte order. */
static void for_each_file(const struct root *root, struct recipes *recipes, const char *dir,
			  const char *suffix, void (*fn)(const char *name, void *arg), void *arg)
{
	struct dirent **entry;
	int count = scandirat(root->fd, dir, &entry, is_visible, byte_order);

	if (count < 0) {
		note_unread(recipes, dir, errno);
		return;
	}
	for (int i = 0; i < count; i++) {
		char *name;

		if (has_suffix(entry[i]->d_name, suffix) &&
		    asprintf(&name, "%s/%s", dir, entry[i]->d_name) >= 0) {
			fn(name, arg);
			free(name);
		}
		free(entry[i]);
	}
	free(entry);
}

struct folder {
	const struct root *root;
	struct recipes *recipes;
	const char *const *dirs; /* those before this one hide its files of the same name */
	size_t before;
	find_fn find;
};

static void find_in_folder_file(const char *name, void *arg)
{
	const struct folder *folder = arg;

	for (size_t i = 0; i < folder->before; i++) {
		char other[PATH_MAX];
		struct stat st;

		snprintf(other, sizeof(other), "%s/%s", folder->dirs[i], strrchr(name, '/') + 1);
		if (!fstatat(folder->root->fd, other, &st, AT_SYMLINK_NOFOLLOW))
			return;
	}
	find_in_file(folder->root, folder->recipes, name, folder->find);
}

static void find_in_folders(const struct root *root, struct recipes *recipes,
			    const char *const *dirs, size_t count, const char *suffix, find_fn find)
{
	struct folder folder = {
		.root = root,
		.recipes = recipes,
		.dirs = dirs,
		.find = find,
	};

	for (; folder.before < count; folder.before++)
		for_each_file(root, recipes, dirs[folder.before], suffix, find_in_folder_file,
			      &folder);
}

/* A script of the initramfs, or a unit, of the administrator's own making. */
static void find_in_script_line(struct source *source, const char *line)
{
	line += strspn(line, " \t");
	if (*line != '#' && strstr(line, "driver_override"))
		add(source, RECIPE_SCRIPT, RECIPE_RISKY, line, strlen(line), "", 0);
}

/* "0000:81:00.0" or "pci-0000:81:00.0", holding the driver's name (driverctl, save_override). */
static void find_driverctl(const char *name, void *arg)
{
	const struct folder *folder = arg;
	struct source source = { .recipes = folder->recipes, .file = name };
	const char *base = strrchr(name, '/') + 1;
	struct recipes *recipes = folder->recipes;
	size_t before = recipes->count;
	struct pci_address addr;
	char *text;
	size_t len;

	if (!strncmp(base, "pci-", 4))
		base += 4;
	text = pci_address_parse(base, &addr) ? NULL : read_file(folder->root->fd, recipes, name);
	if (!text)
		return;
	len = strcspn(text, " \t\n");
	add(&source, RECIPE_DRIVERCTL,
	    len == 8 && !strncmp(text, "vfio-pci", len) ? RECIPE_NEEDLESS : RECIPE_FIGHTS, text,
	    len, text, len);
	if (recipes->count > before) {
		recipes->list[before].address = strdup(base);
		recipes->failed |= !recipes->list[before].address;
	}
	free(text);
}

int recipes_find(const struct root *root, struct recipes *recipes)
{
	/* modprobe.d(5), modules-load.d(5): an earlier folder's file hides a later one's. */
	static const char *const modprobe[] = {
		"etc/modprobe.d",     "run/modprobe.d", "usr/local/lib/modprobe.d",
		"usr/lib/modprobe.d", "lib/modprobe.d",
	};
	static const char *const modules[] = {
		"etc/modules-load.d",
		"run/modules-load.d",
		"usr/lib/modules-load.d",
	};
	static const char *const scripts[] = {
		"etc/initramfs-tools/scripts/init-top",
		"etc/initramfs-tools/scripts/init-premount",
		"etc/initramfs-tools/scripts/local-top",
	};
	static const char *const grub[] = { "etc/default/grub.d" };
	struct folder driverctl = { .root = root, .recipes = recipes };

	*recipes = (struct recipes){ 0 };
	find_in_file(root, recipes, CMDLINE_FILE, find_in_kernel_line);
	find_in_file(root, recipes, "etc/default/grub", find_in_grub_line);
	find_in_folders(root, recipes, grub, 1, ".cfg", find_in_grub_line);
	find_in_file(root, recipes, "etc/kernel/cmdline", find_in_kernel_line);
	find_in_folders(root, recipes, modprobe, sizeof(modprobe) / sizeof(modprobe[0]), ".conf",
			find_in_modprobe_line);
	find_in_file(root, recipes, "etc/modules", find_in_modules_line);
	find_in_file(root, recipes, "etc/initramfs-tools/modules", find_in_modules_line);
	find_in_folders(root, recipes, modules, sizeof(modules) / sizeof(modules[0]), ".conf",
			find_in_modules_line);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		find_in_folders(root, recipes, &scripts[i], 1, "", find_in_script_line);
	for_each_file(root, recipes, "etc/driverctl.d", "", find_driverctl, &driverctl);
	return recipes->failed ? message_errno(-ENOMEM, "cannot look for old recipes") : 0;
}

void recipes_free(struct recipes *recipes)
{
	for (size_t i = 0; i < recipes->count; i++)
		free_recipe(&recipes->list[i]);
	free(recipes->list);
	free(recipes->unread);
	*recipes = (struct recipes){ 0 };
}

static const struct {
	const char *why, *fix;
} words[] = {
	[RECIPE_IDS] = { "takes every function with such an ID, the host's twin too, whenever "
			 "vfio-pci is loaded by anyone else",
			 "vfio-early import, then delete it" },
	[RECIPE_CMDLINE_IDS] = { "takes every function with such an ID, the host's twin too",
				 "vfio-early import, then delete it from the boot loader's config" },
	[RECIPE_STUB_IDS] = { "pci-stub takes them first", "vfio-early import, then delete it" },
	[RECIPE_DRIVERCTL] = { "driverctl sets its own override later, after udev",
			       "vfio-early import, then driverctl unset-override" },
	[RECIPE_BLACKLIST] = { "not needed for functions that the config names, and keeps the "
			       "driver from the host's own",
			       "delete it, unless it is there for another reason" },
	[RECIPE_BLACKLIST_VFIO] = { "keeps a module away that the boot needs", "delete it" },
	[RECIPE_CMDLINE_BLACKLIST] = { "not needed for functions that the config names, and keeps "
				       "the driver from the host's own",
				       "delete it from the boot loader's config, unless it is there "
				       "for another reason" },
	[RECIPE_SOFTDEP] = { "not needed: the boot binds before any of them is loaded",
			     "delete it" },
	[RECIPE_MODULES] = { "not needed: the plan loads what it needs", "delete it" },
	[RECIPE_VIRQFD] = { "gone from Linux 6.2, and not needed before: the plan loads what it "
			    "needs",
			    "delete it" },
	[RECIPE_SCRIPT] = { "a boot script writes overrides of its own",
			    "vfio-early add what it names, then delete it" },
	[RECIPE_UNSAFE] = { "a VM may raise any interrupt of this host",
			    "switch on interrupt remapping (x2APIC) in the firmware, delete it" },
	[RECIPE_AMD_IOMMU] = { "no option of the kernel: the AMD IOMMU is on by default",
			       "delete it from the boot loader's config" },
	[RECIPE_ACS] = { "the IOMMU groups promise an isolation that the hardware does not have",
			 "delete it, unless you trust all VMs" },
};

const char *recipe_why(const struct recipe *recipe)
{
	return words[recipe->kind].why;
}

const char *recipe_fix(const struct recipe *recipe)
{
	return words[recipe->kind].fix;
}
