// SPDX-License-Identifier: GPL-2.0-or-later
/* Old recipes as findings: each word of a line once; see findings.h and recipes.h. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "early/sysfs.h"
#include "findings/find.h"
#include "plan/modules.h"
#include "util/file.h"

static enum finding_level level_of(const struct search *search, const struct recipe *recipe)
{
	struct pci_address addr;

	/* driverctl's other driver only matters for what the config names. */
	if (recipe->kind == RECIPE_DRIVERCTL_OTHER &&
	    (pci_address_parse(recipe->address, &addr) ||
	     !find_is_taken(search, host_find(search->host, &addr))))
		return FINDING_NOTES;
	switch (recipe->harm) {
	case RECIPE_FIGHTS:
		return FINDING_BLOCKS;
	case RECIPE_RISKY:
		return FINDING_WARNS;
	case RECIPE_NEEDLESS:
	case RECIPE_HARMLESS:
		break;
	}
	return FINDING_NOTES;
}

/* One word of a line is one finding, with the worst of what was found in it. */
static bool is_said(const struct search *search, const struct recipe *recipe)
{
	const struct recipe *list = search->recipes.list;

	for (const struct recipe *other = list; other < list + search->recipes.count; other++)
		if (other != recipe && other->line == recipe->line &&
		    !strcmp(other->file, recipe->file) && !strcmp(other->text, recipe->text) &&
		    (level_of(search, other) < level_of(search, recipe) ||
		     (level_of(search, other) == level_of(search, recipe) && other < recipe)))
			return true;
	return false;
}

static int look_for_virqfd(const char *line, void *arg)
{
	(void)arg;
	return strstr(line, "/vfio_virqfd.ko") != NULL;
}

/* systemd-modules-load.service fails over a module that the kernel does not have. */
static bool has_no_virqfd(const struct search *search)
{
	char path[SYSFS_PATH_MAX];

	if (!search->kernel)
		return false;
	sysfs_path(path, MODULES_PATH "/%s/modules.dep", search->kernel);
	return !file_for_each_line(search->host->root.fd, path, look_for_virqfd, NULL);
}

static void add_recipe(struct search *search, const struct recipe *recipe, const char *about)
{
	char text[2048];
	const struct finding_words words = {
		.code = recipe_code(recipe),
		.topic = "recipe",
		.stage = FINDING_STAGE_RECIPE,
		.level = level_of(search, recipe),
		.text = text,
		.fix = recipe_fix(recipe),
	};

	snprintf(text, sizeof(text), "%s%s%s", recipe->text, *recipe->text ? ": " : "",
		 recipe_why(recipe));
	finding_add_words(search->findings, &words, about);
}

void find_recipes(struct search *search)
{
	bool no_virqfd = has_no_virqfd(search);

	for (size_t i = 0; i < search->recipes.count; i++) {
		const struct recipe *recipe = &search->recipes.list[i];
		char about[PATH_MAX];

		if (is_said(search, recipe))
			continue;
		if (recipe->line)
			snprintf(about, sizeof(about), "%s:%u", recipe->file, recipe->line);
		else
			snprintf(about, sizeof(about), "%s", recipe->file);
		if (recipe->state != RECIPE_IN_FORCE)
			add_recipe(search, recipe, about);
		else if (recipe->kind == RECIPE_VIRQFD && no_virqfd)
			finding_add(search->findings, FINDING_NO_VIRQFD, about, search->kernel,
				    NULL);
		else if (recipe->is_unsafe && search->host->iommu.has_remapping)
			finding_add(search->findings, FINDING_UNSAFE_SET, about, NULL);
		else
			add_recipe(search, recipe, about);
	}
}
