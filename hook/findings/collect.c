// SPDX-License-Identifier: GPL-2.0-or-later
/* In which order things are looked at, and what several of them need; see findings.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/trial.h"
#include "findings/find.h"
#include "plan/modules.h"
#include "plan/plan.h"
#include "util/message.h"

bool find_is_taken(const struct search *search, const struct host_function *fn)
{
	return fn && fn->place != DECIDE_NO_INDEX && !fn->is_not_made &&
	       decide_is_taken(&search->host->decisions.verdict[fn->place]);
}

/* As it stands in a plan that was given as a text: then nothing says where that comes from. */
static struct compiler_origin origin_in_plan(const struct plan *plan, enum compiler_line kind,
					     unsigned int number)
{
	switch (kind) {
	case COMPILER_BIND:
		return (struct compiler_origin){
			.keyword = plan->bind[number].force ? "bind!" : "bind",
			.text = plan->bind[number].text,
		};
	case COMPILER_EXCEPT:
		return (struct compiler_origin){ .keyword = "except",
						 .text = plan->except[number].text };
	case COMPILER_SET:
		return (struct compiler_origin){ .keyword = "set", .text = plan->set[number].text };
	case COMPILER_VFS:
		break;
	}
	return (struct compiler_origin){ .keyword = "vfs", .text = plan->vf[number].text };
}

const struct find_line *find_line(const struct search *search, enum compiler_line kind,
				  unsigned int number, struct find_line *line)
{
	const struct host *host = search->host;
	struct compiler_origin origin;
	bool is_known = host->compiler && compiler_origin(host->compiler, kind, number, &origin);

	if (!is_known)
		origin = origin_in_plan(&host->plan, kind, number);
	snprintf(line->text, sizeof(line->text), "%s %s", origin.keyword, origin.text);
	snprintf(line->where, sizeof(line->where), "config");
	if (is_known)
		snprintf(line->where, sizeof(line->where), "%s:%u", origin.file, origin.line);
	snprintf(line->both, sizeof(line->both), is_known ? "%s (%s)" : "%s", line->text,
		 line->where);
	return line;
}

void find_concern(struct search *search, size_t from, int group)
{
	for (size_t i = from; i < search->findings->count; i++)
		search->findings->list[i].group = group;
}

static bool has_resets(const struct host *host)
{
	char text[128];

	for (size_t i = 0; i < host->count; i++)
		if (*host_attribute(host, &host->fn[i], "reset_method", text, sizeof(text)))
			return true;
	return false;
}

/* Without modprobe.d: the kernel's own aliases are looked for. */
static struct kmod_ctx *open_kmod(const struct host *host, const char *kernel)
{
	static const char *const no_config[] = { NULL };
	struct kmod_ctx *kmod = NULL;
	char *dir;

	if (!modules_dir(&host->root, kernel, &dir)) {
		kmod = kmod_new(dir, no_config);
		if (kmod)
			kmod_set_log_priority(kmod, 0);
	}
	free(dir);
	return kmod;
}

static enum findings_apply what_apply_is(const struct host *host)
{
	if (host->is_undone)
		return FINDINGS_UNDO;
	if (trial_can_confirm(&host->root))
		return FINDINGS_APPLY_CONFIRM;
	return trial_is_pending(&host->root) ? FINDINGS_APPLY_TRY : FINDINGS_APPLY;
}

static int open_search(struct search *search)
{
	struct host *host = search->host;
	const struct protect_source *source = host->compiler ? compiler_protect(host->compiler) :
							       NULL;
	int ret = recipes_find(&host->root, host->answers, &search->recipes);

	if (ret)
		return ret;
	search->findings->apply = what_apply_is(host);
	if (!source) {
		ret = protect_open(&host->root, &search->source);
		if (ret)
			return message_errno(ret, "cannot find out what this host needs");
		source = search->source;
	}
	ret = protect_addresses(source, &search->addressed);
	if (ret)
		return message_errno(ret, "cannot find out which devices carry an address");
	ret = protect_in_use(source, &search->used);
	if (ret)
		return message_errno(ret, "cannot find out which disks are in use");
	ret = pve_open(host, &search->pve);
	if (ret)
		return ret;
	search->knows_resets = host->table.count && has_resets(host);
	if (search->kernel)
		search->kmod = open_kmod(host, search->kernel);
	return 0;
}

static int close_search(struct search *search, int ret)
{
	if (search->kmod)
		kmod_unref(search->kmod);
	protect_free(&search->addressed);
	protect_free(&search->used);
	protect_free(&search->before);
	protect_close(search->source);
	pve_close(&search->pve);
	recipes_free(&search->recipes);
	if (!ret && search->findings->failed)
		ret = message_errno(-ENOMEM, "cannot tell whether all is well");
	return ret;
}

int findings_collect_check(struct host *host, const char *kernel, struct findings *findings)
{
	struct search search = { .host = host, .findings = findings, .kernel = kernel };
	int ret = open_search(&search);

	if (!ret) {
		find_machine(&search);
		find_next(&search);
		find_config(&search);
		find_groups(&search);
		find_devices(&search);
		find_vms(&search);
		find_recipes(&search);
	}
	return close_search(&search, ret);
}

int findings_collect_status(struct host *host, const char *kernel, struct findings *findings)
{
	struct search search = { .host = host, .findings = findings, .kernel = kernel };
	int ret = open_search(&search);

	if (!ret) {
		find_machine(&search);
		find_groups(&search);
		if (*host->problem.text)
			find_config(&search);
		else
			ret = find_images(&search);
		find_devices(&search);
		find_vms(&search);
		find_recipes(&search);
	}
	return close_search(&search, ret);
}
