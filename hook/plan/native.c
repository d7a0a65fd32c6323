// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds a function's own driver; see native.h. */
#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/folders.h"
#include "plan/modules.h"
#include "plan/native.h"

static struct kmod_ctx *open_kmod(const struct root *root, const char *kernel)
{
	struct kmod_ctx *kmod = NULL;
	char **config = NULL;
	char *dir = NULL;

	if (!modules_dir(root, kernel, &dir) && !folders_kmod(root, &config, NULL, NULL))
		kmod = kmod_new(dir, (const char *const *)config);
	if (kmod)
		kmod_set_log_priority(kmod, 0);
	if (config)
		folders_kmod_free(config);
	free(dir);
	return kmod;
}

static void name_it(struct native *native, enum native_state state, struct kmod_module *module)
{
	native->state = state;
	snprintf(native->module, sizeof(native->module), "%s", kmod_module_get_name(module));
}

/*
 * What modprobe.d has run instead of the module (modprobe.d(5), install), and it is not loaded: `install nvidia
 * /bin/true` is how many a guide keeps a driver away. NULL: there is no such line, or it has done its work.
 */
static const char *find_command(const struct root *root, struct kmod_module *module)
{
	int state = root->is_host ? kmod_module_get_initstate(module) : -ENOENT;

	return state < 0 ? kmod_module_get_install_commands(module) : NULL;
}

/* One of those that are not blacklisted. */
static void take(const struct root *root, struct kmod_module *module, bool is_loaded,
		 struct native *native)
{
	enum native_state state = NATIVE_THERE;
	const char *command;
	int ret = 0;

	if (is_loaded && root->is_host)
		ret = kmod_module_probe_insert_module(module, KMOD_PROBE_IGNORE_LOADED, NULL, NULL,
						      NULL, NULL);
	if (native->state == NATIVE_THERE)
		return;
	command = find_command(root, module);
	if (command) {
		snprintf(native->command, sizeof(native->command), "%s", command);
		state = NATIVE_INSTALL;
	} else if (ret < 0) {
		state = NATIVE_FAILED;
	}
	name_it(native, state, module);
	native->error = ret;
}

static void add_all(const struct root *root, struct kmod_ctx *kmod, struct kmod_list *all,
		    bool is_loaded, struct native *native)
{
	struct kmod_list *allowed = NULL, *item;

	if (kmod_module_apply_filter(kmod, KMOD_FILTER_BLACKLIST, all, &allowed) < 0)
		return;
	kmod_list_foreach(item, all)
	{
		struct kmod_module *module = kmod_module_get_module(item);

		name_it(native, NATIVE_BLACKLISTED, module);
		kmod_module_unref(module);
	}
	kmod_list_foreach(item, allowed)
	{
		struct kmod_module *module = kmod_module_get_module(item);

		take(root, module, is_loaded, native);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(allowed);
}

void native_find(const struct root *root, const char *kernel, const char *modalias, bool is_loaded,
		 struct native *native)
{
	struct kmod_ctx *kmod = open_kmod(root, kernel);
	struct kmod_list *all = NULL;

	*native = (struct native){ .state = NATIVE_NONE };
	if (kmod && !kmod_module_new_from_lookup(kmod, modalias, &all) && all)
		add_all(root, kmod, all, is_loaded, native);
	kmod_module_unref_list(all);
	kmod_unref(kmod);
}
