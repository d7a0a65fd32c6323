// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early apply and undo: bring the config into the boot, or take it out again. This file has
 * the order of the steps and their messages; each step is in a file of its own, and the kernel
 * command line is a separate program. After every step the machine still boots, and each step
 * detects what an earlier, interrupted run has done.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands/apply.h"
#include "commands/apply_now.h"
#include "commands/command.h"
#include "commands/trial.h"
#include "config/state.h"
#include "findings/findings.h"
#include "findings/show.h"
#include "host/next_boot.h"
#include "image/builder.h"
#include "image/inspect.h"
#include "image/kernels.h"
#include "image/rebuild.h"
#include "ui/options.h"
#include "ui/output.h"
#include "ui/progress.h"
#include "util/file.h"
#include "util/lock.h"
#include "util/message.h"
#include "util/program.h"

#define ENTRY_DRY "dry-run", 'n', NULL, "show what would be done, and do nothing"

static const struct options_entry apply_entries[] = {
	{ ENTRY_DRY },
	{ "now", 'N', NULL, "hand over what nobody uses now; the rest at reboot" },
	{ "try", 't', "[MINUTES]", "undo it unless confirmed within MINUTES (default: 10)" },
	{ 0 },
};

static const struct options_entry undo_entries[] = {
	{ ENTRY_DRY },
	{ 0 },
};

#define MINUTES_MAX   1440u /* a day */
#define OPTIONS_APPLY (OPTIONS_ROOT | OPTIONS_COLOR)

static const struct options_spec apply_spec = {
	.usage = "apply [OPTION...]",
	.about =
		"Brings the config into the next boot: changes the kernel command line, and makes the\n"
		"image of every installed kernel that is not current. Each new image is inspected;\n"
		"the old one is kept until the new one passes. What is current is not touched.\n",
	.entry = apply_entries,
	.common = OPTIONS_APPLY,
	.end = "Exit status: 0 done, 1 something failed, 2 usage, 3 nothing was done.\n",
};

static const struct options_spec undo_spec = {
	.usage = "undo [OPTION...]",
	.about =
		"Takes back what apply did: the kernel parameters that it added, and vfio-early in\n"
		"the images of all kernels. The config stays as it is, and has no effect until the\n"
		"next apply.\n",
	.entry = undo_entries,
	.common = OPTIONS_APPLY,
	.end = "Exit status: 0 done, 1 something failed, 2 usage, 3 nothing was done.\n",
};

struct apply {
	struct options opts;
	bool is_undo, is_dry, is_now;
	bool is_restore;      /* after a trial that was not confirmed; it does not end the trial */
	unsigned int minutes; /* of the trial, or 0 */
	struct trial trial;
	bool was_pending; /* a trial for the next boot existed already */
	struct host *host;
	struct inspector inspector;
	struct kernels kernels;
	struct rebuild rebuild;
	struct lock lock;
	unsigned int made, needed, failed;
};

static const char *name(const struct apply *apply)
{
	return apply->is_undo ? "undo" : "apply";
}

/* The command that was given, to give it again. */
static const char *again(const struct apply *apply)
{
	if (apply->is_undo)
		return COMMAND_UNDO;
	return apply->minutes ? COMMAND_APPLY_TRY : COMMAND_APPLY;
}

/* --- printing */

/* Prints a text of several lines, with a prefix before each. */
static void print_lines(const char *before, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		if (len)
			printf("%s%.*s\n", before, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/*
 * Is it a warning of a builder that succeeded: "W: ...", "dracut[W]: ...", "cryptsetup: WARNING:
 * ..."? These are the formats of initramfs-tools, dracut and their hooks, not ours. Nothing else
 * marks them: dracut writes all of its messages to standard error, and all of these programs exit
 * with 0. No decision depends on them: inspect_image() decides whether an image is good.
 */
static bool is_warning(const char *line, size_t len)
{
	char text[512];

	snprintf(text, sizeof(text), "%.*s", (int)len, line);
	return !strncmp(text, "W: ", 3) || !strncmp(text, "E: ", 3) || strstr(text, "[W]") ||
	       strcasestr(text, "warning") || strcasestr(text, "error");
}

static void print_warnings(const char *before, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		if (is_warning(text, len))
			printf("%s%.*s\n", before, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* Shows the line of a kernel while its image is checked and made. */
static void show_kernel(const struct apply *apply, size_t i)
{
	char text[96];

	snprintf(text, sizeof(text), "[%zu/%zu] %s", i + 1, apply->kernels.count,
		 apply->kernels.list[i].version);
	progress_begin(&apply->opts.output, text);
}

static void show_step(enum rebuild_step step)
{
	static const char *const names[] = {
		[REBUILD_LOOKS] = "reading the image",
		[REBUILD_MAKES] = "making the image",
		[REBUILD_VERIFIES] = "verifying the new image",
		[REBUILD_HANDS_ON] = "running post-update.d",
	};

	progress_step(names[step]);
}

static void print_result(const struct apply *apply, size_t i, enum output_mark mark,
			 const char *text)
{
	const struct output *output = &apply->opts.output;

	progress_end();
	printf("[%zu/%zu] %s: %s%s%s\n", i + 1, apply->kernels.count,
	       apply->kernels.list[i].version, output_on(output, mark), text,
	       output_off(output, mark));
	fflush(stdout);
}

/* --- the kernel command line */

/* Returns the exit status of the program, or -errno. Prints an error if it cannot be run. */
static int run_cmdline(const struct apply *apply, const char *verb, const char *option,
		       const char *refresh, char **said)
{
	const char *argv[6] = { PROGRAM_CMDLINE, verb };
	unsigned int words = 2;
	int ret;

	/* Tokens of vfio-early-cmdline add stay: this only undoes what apply added. */
	if (!strcmp(verb, "undo"))
		argv[words++] = "--applied";
	if (apply->is_dry)
		argv[words++] = "--dry-run";
	argv[words] = option;
	ret = refresh && setenv(REFRESH_VARIABLE, refresh, 1) ? -ENOMEM : 0;
	if (!ret)
		ret = program_run(&apply->host->root, argv, said, said);
	unsetenv(REFRESH_VARIABLE);
	next_answers_drop(apply->host->answers);
	if (ret < 0)
		message_errno(ret, "cannot run %s" PROGRAM_CMDLINE, apply->host->root.path);
	return ret;
}

static int do_cmdline(const struct apply *apply)
{
	struct stat st;
	int ret = apply->is_dry ?
			  run_cmdline(apply, name(apply), NULL, NULL, NULL) :
			  run_cmdline(apply, name(apply), "--no-refresh", REFRESH_LATER, NULL);

	if (ret <= 0)
		return ret;
	if (apply->is_undo)
		return message_error(
			"the kernel command line could not be changed back, see above; "
			"fix that, then " COMMAND_UNDO);
	/* It has changed one of its files, or an earlier run has. */
	if (!apply->is_dry && !file_stat(apply->host->root.fd, REFRESH_FILE, &st))
		puts("boot loader: not refreshed");
	return message_error("the kernel command line could not be changed, see above, and nothing "
			     "else was done; fix that, then %s; or keep the parameters by hand, "
			     "with cmdline none in /etc/vfio-early.conf",
			     again(apply));
}

/*
 * If an image has changed, the loader is always refreshed, because proxmox-boot-tool and
 * systemd-boot have copies of the images. Otherwise only if it does not have the current command
 * line yet.
 */
static int do_refresh(struct apply *apply, bool are_images_made)
{
	/* Where undo could not make an image, that is not as if nothing were left to do. */
	bool is_finished = are_images_made || !apply->is_undo;
	bool has_begun = apply->rebuild.has_begun || state_is(&apply->host->root, STATE_UNFINISHED);
	char *said = NULL;
	int ret;

	if (apply->is_dry)
		return 0;
	progress_begin(&apply->opts.output, "boot loader");
	progress_step("refreshing");
	ret = run_cmdline(apply, "refresh", NULL, has_begun ? NULL : REFRESH_IF_DUE, &said);
	progress_end();
	print_lines("", said);
	free(said);
	if (ret)
		return message_error("the boot loader was not refreshed, see above: the next boot "
				     "may be as it was before; fix that, then %s",
				     again(apply));
	return is_finished ? state_set(&apply->host->root, STATE_UNFINISHED, false) : 0;
}

/* --- the images */

#define FACTS_UNKNOWN "it is not known what this host needs"

/* Is it not known here what this host needs? Then no image that is made here is as configured. */
static bool is_unknown_here(const struct apply *apply)
{
	return !apply->is_undo && apply->host->plan.binds && apply->host->compiler &&
	       compiler_facts(apply->host->compiler) == PLAN_FACTS_UNKNOWN;
}

static void do_kernel(struct apply *apply, size_t i)
{
	struct kernel *kernel = &apply->kernels.list[i];
	struct timespec from, to;
	char *why, *said, text[96];
	bool is_unknown = is_unknown_here(apply);

	show_kernel(apply, i);
	clock_gettime(CLOCK_MONOTONIC, &from);
	switch (rebuild_image(&apply->rebuild, kernel, &why, &said)) {
	case REBUILD_CURRENT:
		print_result(apply, i, is_unknown ? OUTPUT_WARN : OUTPUT_GOOD,
			     is_unknown ? "current, but " FACTS_UNKNOWN : "current");
		break;
	case REBUILD_NEEDED:
		apply->needed++;
		print_result(apply, i, OUTPUT_WARN, "would be rebuilt:");
		print_lines("    ", why);
		break;
	case REBUILD_DONE:
		apply->made++;
		clock_gettime(CLOCK_MONOTONIC, &to);
		snprintf(text, sizeof(text), "%s (%ld s)%s",
			 is_unknown ? "made" : "made and verified", (long)(to.tv_sec - from.tv_sec),
			 is_unknown ? ", but " FACTS_UNKNOWN : "");
		print_result(apply, i, is_unknown ? OUTPUT_WARN : OUTPUT_GOOD, text);
		print_lines("    ", why);
		print_warnings("    | ", said);
		break;
	case REBUILD_LEFT:
		print_result(apply, i, OUTPUT_WARN, "left as it is:");
		print_lines("    ", why);
		break;
	case REBUILD_FAILED:
		apply->failed++;
		print_result(apply, i, OUTPUT_BAD, "FAILED:");
		print_lines("    ", why ? why : "out of memory");
		print_lines("    | ", said);
		break;
	}
	free(why);
	free(said);
}

static int do_images(struct apply *apply)
{
	const struct root *root = &apply->host->root;
	int ret = kernels_find(root, &apply->kernels);

	if (ret)
		return message_errno(ret, "cannot read %s/" KERNELS_BOOT, root->path);
	if (!apply->kernels.count)
		return message_error("no kernel in %s/" KERNELS_BOOT ": there is no image to make; "
				     "fix: mount it, or install a kernel",
				     root->path);
	apply->rebuild = (struct rebuild){
		.root = root,
		.inspector = &apply->inspector,
		.builder = builder_find(root),
		.is_dry = apply->is_dry,
		.at_step = show_step,
	};
	if (apply->rebuild.builder == IMAGE_UNKNOWN)
		return message_error("neither initramfs-tools nor dracut makes the images of this "
				     "host; fix: install one of them");
	for (size_t i = 0; i < apply->kernels.count; i++)
		do_kernel(apply, i);
	/* Making images may also have refreshed the boot loader. */
	next_answers_drop(apply->host->answers);
	if (apply->failed)
		return message_error("the image of %u of %zu kernels could not be made, see above; "
				     "fix that, then %s",
				     apply->failed, apply->kernels.count, again(apply));
	return 0;
}

/* --- before and after */

/* What to do about a /boot that cannot be opened. */
static const char *fix_boot(const struct root *root, int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return "run it as root";
	case -ENOTDIR:
	case -ELOOP:
		return "make it a folder, or a link to one";
	case -ENOENT:
		return root->is_host ? "mount it" :
				       "name the top of a machine's tree, with its " KERNELS_BOOT;
	}
	return "";
}

/*
 * Two runs at the same time would each store, and later restore, what the other one has just made.
 */
static int lock(struct apply *apply)
{
	const struct root *root = &apply->host->root;
	int ret, boot = file_open_folder(root->fd, KERNELS_BOOT);
	const char *fix = fix_boot(root, boot);
	char holder[32];

	if (boot < 0)
		return message_error("cannot open %s/" KERNELS_BOOT ": %s%s%s", root->path,
				     strerror(-boot), *fix ? "; fix: " : "", fix);
	close(boot);
	if (apply->is_dry || apply->is_restore)
		return 0;
	/* A run takes minutes: do not wait for it. */
	ret = lock_take(root, "apply.lock", 0, &apply->lock);
	if (ret == -EBUSY)
		return message_error("another vfio-early apply or undo is running%s; fix: wait for "
				     "its end",
				     lock_holder(&apply->lock, holder));
	return ret ? message_errno(ret, "cannot make %s/run/vfio-early/apply.lock", root->path) : 0;
}

/* May this config be used for a boot? */
static int check(struct apply *apply, const char *kernel)
{
	struct findings findings = { 0 };
	struct next_boot counts;
	unsigned int lost = plan_lost_lines(&apply->host->plan);
	char vfs[NEXT_BOOT_TEXT_SIZE];
	int ret = 0;

	if (lost)
		return message_error("the config has %u line%s that would be left out, see above; "
				     "nothing was changed; fix: correct %s, then %s",
				     lost, lost == 1 ? "" : "s", lost == 1 ? "it" : "them",
				     again(apply));
	ret = findings_collect_check(apply->host, kernel, &findings);
	if (!ret) {
		findings_print(&findings, &findings_of_check, FINDING_WARNS, &apply->opts.output);
		next_boot_count(apply->host, &counts);
		printf("check: %u function%s to bind, %u refused%s; %zu of %zu findings block "
		       "(vfio-early check)\n",
		       counts.taken, counts.taken == 1 ? "" : "s", counts.refused,
		       next_boot_tell_vfs(&counts, vfs),
		       findings_count(&findings, &findings_of_check, FINDING_BLOCKS),
		       findings_count(&findings, &findings_of_check, FINDING_LEVELS));
	}
	findings_free(&findings);
	return ret;
}

static bool has_config(struct apply *apply)
{
	int ret;

	/* `undo` must work whatever is wrong with the config. */
	apply->host->voice = PLAN_SAYS_NOTHING;
	ret = host_decide_or_problem(apply->host, NULL);
	apply->host->voice = PLAN_SAYS_FAULTS;
	return ret || *apply->host->problem.text || !plan_is_empty(&apply->host->plan) ||
	       apply->host->plan.losts;
}

/*
 * Decides which plan every image gets from now on. Without bind lines there is nothing for undo to
 * disable, and a lasting `undo` would surprise the user who writes the first line.
 */
static int decide_state(struct apply *apply)
{
	const struct root *root = &apply->host->root;
	bool is_undone = apply->is_undo && (state_is(root, STATE_UNDONE) || has_config(apply));
	char *kernel = NULL;
	int ret;

	/* Until all is done, images may still have a plan. */
	if (apply->is_undo && !apply->is_dry &&
	    ((is_undone && !state_is(root, STATE_UNDONE) &&
	      state_set(root, STATE_UNFINISHED, true)) ||
	     state_set(root, STATE_UNDONE, is_undone)))
		return -EIO;
	apply->host->undone = is_undone ? HOST_UNDONE_YES : HOST_UNDONE_NO;
	host_kernel(apply->host, &kernel);
	ret = host_decide(apply->host, kernel);
	if (!ret && !apply->is_undo)
		ret = check(apply, kernel);
	free(kernel);
	if (!ret && apply->minutes && !apply->is_dry)
		ret = trial_begin(root, !plan_is_empty(&apply->host->plan), &apply->trial);
	if (!ret && !apply->is_undo && !apply->is_dry)
		ret = state_set(root, STATE_UNDONE, false);
	return ret ? ret : inspect_open(apply->host, &apply->inspector);
}

static int print_summary(struct apply *apply)
{
	const struct output *output = &apply->opts.output;
	struct next_boot counts;
	char vfs[NEXT_BOOT_TEXT_SIZE];
	bool is_same = !apply->made && !apply->needed;
	bool is_open = next_boot_is_open(apply->host);
	int ret = 0;

	if (!apply->is_undo && apply->host->plan.binds)
		ret = next_boot_print(apply->host, &apply->opts.output);
	next_boot_count(apply->host, &counts);
	if (is_unknown_here(apply))
		output_foldf(output, 0,
			     "The images hold back storage, network and USB controllers, and "
			     "vfio-early verify reports them as not as configured, until they are "
			     "made " COMMAND_THERE "%s",
			     apply->minutes ? COMMAND_APPLY_TRY :
					      trial_command(&apply->host->root));
	if (apply->is_dry)
		puts("This was a dry run: nothing was changed.");
	else if (apply->is_undo)
		output_foldf(output, 0, "%s: the next boot hands nothing over.",
			     is_same ? "No image had to be made" : "Undone");
	else if (is_same && !apply->minutes)
		output_foldf(output, 0,
			     "No image had to be made: the next boot%s binds %u, refuses %u%s.",
			     is_open ? " with this boot's parameters" : "", counts.taken,
			     counts.refused, next_boot_tell_vfs(&counts, vfs));
	else if (apply->minutes)
		output_foldf(output, 0,
			     "Done: the next boot is a trial. Reboot, and within %u minute%s of it: "
			     "vfio-early confirm; else what was good before is put back.",
			     apply->minutes, apply->minutes == 1 ? "" : "s");
	else if (is_open)
		output_foldf(output, 0,
			     "Done: with this boot's parameters the next one would bind %u, "
			     "refuse %u. Reboot, then vfio-early status says what came of it.",
			     counts.taken, counts.refused);
	else
		output_foldf(output, 0,
			     "Done: the next boot binds %u, refuses %u%s. Reboot to make it so.",
			     counts.taken, counts.refused, next_boot_tell_vfs(&counts, vfs));
	return ret;
}

/*
 * The last good state has not changed, so the next boot is not a trial. If a trial was pending
 * before, it stays: the images of that trial boot next.
 */
static void drop_trial(struct apply *apply)
{
	if (apply->minutes && !apply->is_dry && !apply->was_pending)
		trial_remove(&apply->host->root);
}

/* Something failed, but the next boot is not as it was: the trial is to put that back. */
static void say_trial(const struct apply *apply)
{
	if (!apply->minutes || apply->is_dry || apply->is_restore)
		return;
	message_note("the next boot is a trial all the same: unless vfio-early confirm follows "
		     "within %u minute%s of it, what was good before is put back",
		     apply->minutes, apply->minutes == 1 ? "" : "s");
}

/* The current config is in effect from now on. */
static int settle(struct apply *apply)
{
	if (apply->is_dry || apply->is_restore)
		return 0;
	return trial_settle(&apply->host->root, apply->is_undo, !plan_is_empty(&apply->host->plan),
			    apply->minutes ? &apply->trial : NULL);
}

static int run(struct apply *apply)
{
	int cmdline, images, refresh;

	if (host_open(apply->opts.root, &apply->host))
		return COMMAND_NOTHING;
	if (apply->host->root.is_host && geteuid() && !apply->is_dry) {
		message_error("only root may change what this host boots; fix: run it as root");
		return COMMAND_NOTHING;
	}
	if (lock(apply))
		return COMMAND_NOTHING;
	if (apply->minutes &&
	    trial_prepare(&apply->host->root, apply->minutes, apply->is_dry, &apply->trial))
		return COMMAND_NOTHING;
	apply->was_pending = apply->trial.state == TRIAL_PENDING;
	if (decide_state(apply))
		return COMMAND_NOTHING;
	cmdline = do_cmdline(apply);
	/* Undone as far as possible: do not continue with half of a change. */
	if (cmdline && !apply->is_undo) {
		drop_trial(apply);
		return COMMAND_INCOMPLETE;
	}
	images = do_images(apply);
	refresh = do_refresh(apply, !images);
	if (cmdline || images || refresh || settle(apply)) {
		say_trial(apply);
		return COMMAND_INCOMPLETE;
	}
	if (print_summary(apply))
		return COMMAND_INCOMPLETE;
	return apply->is_now ? apply_now(apply->opts.root, apply->is_dry) : COMMAND_OK;
}

static int finish(struct apply *apply, int ret)
{
	kernels_free(&apply->kernels);
	inspect_close(&apply->inspector);
	lock_release(&apply->lock);
	host_close(apply->host);
	return ret;
}

/* MINUTES of --try: behind "=", or the next argument. */
static int parse_minutes(struct apply *apply, const char *text)
{
	char *end;
	unsigned long minutes = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !minutes || minutes > MINUTES_MAX) {
		message_error("%s is not a number of minutes; fix: write 1 to %u", text,
			      MINUTES_MAX);
		return options_usage(&apply->opts);
	}
	apply->minutes = (unsigned int)minutes;
	return 0;
}

static int command(int argc, char **argv, bool is_undo)
{
	struct apply apply = { .is_undo = is_undo, .lock = LOCK_NONE };
	int code, ret = 0;

	options_init(&apply.opts, is_undo ? &undo_spec : &apply_spec);
	while (!ret && (code = options_next(&apply.opts, argc, argv)) >= 0) {
		if (code == 'n')
			apply.is_dry = true;
		else if (code == 'N')
			apply.is_now = true;
		else if (optarg)
			ret = parse_minutes(&apply, optarg);
		else
			apply.minutes = TRIAL_MINUTES;
	}
	if (ret)
		return ret;
	if (code == OPTIONS_EXIT)
		return apply.opts.status;
	if (apply.minutes && optind < argc)
		ret = parse_minutes(&apply, argv[optind++]);
	if (ret || options_no_arguments(&apply.opts, argc, argv))
		return COMMAND_USAGE;
	return finish(&apply, run(&apply));
}

int command_apply(int argc, char **argv)
{
	return command(argc, argv, false);
}

int command_undo(int argc, char **argv)
{
	return command(argc, argv, true);
}

int apply_restore(const char *root, bool is_undo)
{
	struct apply apply = { .is_undo = is_undo, .is_restore = true, .lock = LOCK_NONE };

	options_init(&apply.opts, is_undo ? &undo_spec : &apply_spec);
	apply.opts.root = root;
	return finish(&apply, run(&apply));
}
