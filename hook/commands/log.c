// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early log: the messages of the boot half, from this boot or an earlier one. Reads the
 * journal, which has its lines from the kernel log; for this boot otherwise /run/vfio-early/log.
 * Reads only.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "commands/command.h"
#include "early/paths.h"
#include "early/sysfs.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/file.h"
#include "util/message.h"
#include "util/root.h"

#define PREFIX "vfio-early: "

/* Only the size of a journal limits the number of its boots. The list is limited to this number. */
#define MAX_BOOTS 4096

struct line {
	char *text;
	int priority;  /* -1: not known */
	uint64_t usec; /* since 1970; 0: not known */
};

struct boot {
	sd_id128_t id;
	uint64_t usec; /* of its first line */
};

struct log {
	struct root root;
	struct line *line;
	size_t lines;
	struct boot *boot;
	size_t boots;
	const char *source; /* "journal" or "run" */
	sd_id128_t id;
	bool has_id;
};

static int add_line(struct log *log, const char *text, size_t len, int priority, uint64_t usec)
{
	struct line *list = realloc(log->line, (log->lines + 1) * sizeof(*list));
	char *copy;

	if (!list)
		return -ENOMEM;
	log->line = list;
	copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	/* Whoever can write to the kernel log must not control the terminal of the reader. */
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	log->line[log->lines++] = (struct line){ copy, priority, usec };
	return 0;
}

/* --- the journal */

static int open_journal(const struct log *log, sd_journal **journal)
{
	char path[PATH_MAX + 32];

	if (log->root.is_host)
		return sd_journal_open(journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
	snprintf(path, sizeof(path), "%s/var/log/journal", log->root.path);
	if (access(path, F_OK))
		return -errno;
	return sd_journal_open_directory(journal, path, 0);
}

static int add_match(sd_journal *journal, const char *match)
{
	return sd_journal_add_match(journal, match, 0);
}

static int match_boot(sd_journal *journal, sd_id128_t id)
{
	char match[sizeof("_BOOT_ID=") + SD_ID128_STRING_MAX] = "_BOOT_ID=";

	sd_journal_flush_matches(journal);
	sd_id128_to_string(id, match + strlen(match));
	return add_match(journal, match);
}

static int compare_boots(const void *a, const void *b)
{
	const struct boot *one = a, *other = b;

	return one->usec < other->usec ? -1 : one->usec > other->usec;
}

/* All boots in the journal, the oldest first. */
static int list_boots(sd_journal *journal, struct log *log)
{
	static const char field[] = "_BOOT_ID=";
	const void *data;
	size_t len;
	int ret = sd_journal_query_unique(journal, "_BOOT_ID");

	if (ret < 0)
		return ret;
	SD_JOURNAL_FOREACH_UNIQUE(journal, data, len)
	{
		char text[SD_ID128_STRING_MAX] = "";
		struct boot *list;
		sd_id128_t id;

		if (len != sizeof(field) - 1 + 32)
			continue;
		memcpy(text, (const char *)data + sizeof(field) - 1, 32);
		if (sd_id128_from_string(text, &id) < 0)
			continue;
		if (log->boots == MAX_BOOTS)
			return -E2BIG;
		list = realloc(log->boot, (log->boots + 1) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		log->boot = list;
		log->boot[log->boots++] = (struct boot){ .id = id };
	}
	for (size_t i = 0; i < log->boots; i++) {
		ret = match_boot(journal, log->boot[i].id);
		if (!ret)
			ret = sd_journal_seek_head(journal);
		if (ret >= 0 && sd_journal_next(journal) > 0)
			sd_journal_get_realtime_usec(journal, &log->boot[i].usec);
	}
	sd_journal_flush_matches(journal);
	qsort(log->boot, log->boots, sizeof(*log->boot), compare_boots);
	return 0;
}

/* Counts as journalctl -b does: 0 is this boot, -1 the previous one, 1 the oldest. */
static int find_boot(struct log *log, long offset)
{
	sd_id128_t current;
	size_t now = log->boots; /* behind the last one: the place of this boot */
	long at;

	if (log->root.is_host && !sd_id128_get_boot(&current)) {
		for (size_t i = 0; i < log->boots; i++)
			if (sd_id128_equal(log->boot[i].id, current))
				now = i;
	} else if (log->boots) {
		now = log->boots - 1;
	}
	at = offset > 0 ? offset - 1 : (long)now + offset;
	if (at < 0 || at >= (long)log->boots)
		return -ENOENT;
	log->id = log->boot[at].id;
	log->has_id = true;
	return 0;
}

static int get_field(sd_journal *journal, const char *field, const char **value, size_t *len)
{
	const void *data;
	int ret = sd_journal_get_data(journal, field, &data, len);
	size_t skip = strlen(field) + 1;

	if (ret < 0 || *len < skip)
		return ret < 0 ? ret : -EBADMSG;
	*value = (const char *)data + skip;
	*len -= skip;
	return 0;
}

static int read_lines(sd_journal *journal, struct log *log)
{
	int ret = match_boot(journal, log->id);

	/*
	 * Matches of different fields are combined with AND: lines with this identifier from
	 * another source are not from the boot half.
	 */
	if (ret >= 0)
		ret = add_match(journal, "_TRANSPORT=kernel");
	if (ret >= 0)
		ret = add_match(journal, "SYSLOG_IDENTIFIER=vfio-early");
	if (ret >= 0)
		ret = sd_journal_seek_head(journal);
	while (ret >= 0 && (ret = sd_journal_next(journal)) > 0) {
		const char *text;
		uint64_t usec = 0;
		int priority = -1;
		size_t len;

		if (!get_field(journal, "PRIORITY", &text, &len) && len == 1)
			priority = *text - '0';
		sd_journal_get_realtime_usec(journal, &usec);
		if (!get_field(journal, "MESSAGE", &text, &len))
			ret = add_line(log, text, len, priority, usec);
	}
	return ret;
}

/* Returns 0, -ENOENT if the journal does not have that boot, or -errno. */
static int read_journal(struct log *log, long offset)
{
	sd_journal *journal = NULL;
	int ret = open_journal(log, &journal);

	if (!ret)
		ret = list_boots(journal, log);
	if (!ret)
		ret = find_boot(log, offset);
	if (!ret)
		ret = read_lines(journal, log);
	sd_journal_close(journal);
	if (!ret && log->lines)
		log->source = "journal";
	return ret < 0 ? ret : 0;
}

/* --- /run */

static int add_run_line(const char *text, void *arg)
{
	size_t skip = strncmp(text, PREFIX, sizeof(PREFIX) - 1) ? 0 : sizeof(PREFIX) - 1;

	return add_line(arg, text + skip, strlen(text + skip), -1, 0);
}

static int read_run(struct log *log)
{
	int ret = file_for_each_line(log->root.fd, PATH_RUN_LOG, add_run_line, log);

	if (!ret && log->lines)
		log->source = "run";
	return ret;
}

/* --- printing */

static enum output_mark mark(const struct line *line)
{
	if (line->priority < 0 || line->priority > LOG_WARNING)
		return OUTPUT_PLAIN;
	return line->priority == LOG_WARNING ? OUTPUT_WARN : OUTPUT_BAD;
}

static void print_text(const struct log *log, const struct output *output)
{
	for (size_t i = 0; i < log->lines; i++) {
		enum output_mark as = mark(&log->line[i]);

		printf("%s" PREFIX "%s%s\n", output_on(output, as), log->line[i].text,
		       output_off(output, as));
	}
}

static int print_json(const struct log *log)
{
	struct json_object *top = output_json_object(), *lines = json_object_new_array();
	char id[SD_ID128_STRING_MAX];

	json_object_object_add(top, "boot",
			       log->has_id ?
				       json_object_new_string(sd_id128_to_string(log->id, id)) :
				       NULL);
	json_object_object_add(top, "source",
			       log->source ? json_object_new_string(log->source) : NULL);
	for (size_t i = 0; i < log->lines; i++) {
		const struct line *line = &log->line[i];
		struct json_object *item = json_object_new_object();

		json_object_object_add(item, "usec",
				       line->usec ? json_object_new_int64((int64_t)line->usec) :
						    NULL);
		json_object_object_add(item, "priority",
				       line->priority >= 0 ? json_object_new_int(line->priority) :
							     NULL);
		json_object_object_add(item, "message", json_object_new_string(line->text));
		json_object_array_add(lines, item);
	}
	json_object_object_add(top, "lines", lines);
	return output_json(top);
}

/* Prints why there is nothing to show, and the next step. */
static int say_nothing(const struct log *log, long offset, int journal, int run)
{
	if (offset && journal == -ENOENT && log->boots)
		return message_error("the journal holds %zu boot%s, and not boot %ld; journalctl "
				     "--list-boots names them",
				     log->boots, log->boots == 1 ? "" : "s", offset);
	if (offset && !log->boots && geteuid())
		return message_error("no earlier boot can be read; fix: be root, or a member of "
				     "group systemd-journal");
	if (offset && !log->boots)
		return message_error("the journal holds no earlier boot; fix: mkdir -p "
				     "/var/log/journal, so that it outlives a boot");
	if (journal && journal != -ENOENT)
		message_errno(journal, "cannot read the journal");
	if (!offset && (run == -ENOTSUP || run == -EISDIR))
		return message_error("/" PATH_RUN_LOG " is not a regular file; fix: move it away");
	if (!offset && run && run != -ENOENT)
		return message_errno(run, "cannot read %s/" PATH_RUN_LOG, log->root.path);
	if (!offset && geteuid())
		return message_error("vfio-early said nothing at this boot that you can read; fix: "
				     "be root, or see vfio-early status");
	return message_error("vfio-early said nothing at %s boot: its image does not have it; see "
			     "vfio-early status",
			     offset ? "that" : "this");
}

static int run(struct log *log, long offset, const struct output *output)
{
	int journal = read_journal(log, offset), from_run = -ENOENT;

	if (!log->lines && !offset)
		from_run = read_run(log);
	if (journal == -ENOMEM || from_run == -ENOMEM) {
		message_errno(-ENOMEM, "cannot read the log");
		return COMMAND_NOTHING;
	}
	if (output->format == OUTPUT_JSON) {
		if (print_json(log))
			return COMMAND_NOTHING;
	} else {
		print_text(log, output);
	}
	if (!log->lines)
		say_nothing(log, offset, journal, from_run);
	return log->lines ? COMMAND_OK : COMMAND_INCOMPLETE;
}

int command_log(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		{ "boot", 'b', "N", "0: this boot (default), -1: the one before, 1: oldest" },
		{ 0 },
	};
	static const struct options_spec spec = {
		.usage = "log [OPTION...]",
		.about = "Prints what vfio-early said at a boot, from the journal. For this boot, if the\n"
			 "journal does not have it, from /run/vfio-early/log.\n",
		.entry = entries,
		.common = OPTIONS_READING,
		.end = "Exit status: 0 printed, 1 it said nothing at that boot, 2 usage, 3 cannot "
		       "be read.\n",
	};
	static struct log log;
	struct options opts;
	long offset = 0;
	char *end;
	int opt, ret;

	options_init(&opts, &spec);
	while ((opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		if (opt == OPTIONS_EXIT)
			return opts.status;
		offset = strtol(optarg, &end, 10);
		if (!*optarg || *end || offset < -MAX_BOOTS || offset > MAX_BOOTS) {
			message_error("%s is not the number of a boot; fix: write 0, -1 and so "
				      "on",
				      optarg);
			return options_usage(&opts);
		}
	}
	ret = options_no_arguments(&opts, argc, argv);
	if (ret)
		return ret;

	ret = root_open(&log.root, opts.root) ? COMMAND_NOTHING : run(&log, offset, &opts.output);
	for (size_t i = 0; i < log.lines; i++)
		free(log.line[i].text);
	free(log.line);
	free(log.boot);
	root_close(&log.root);
	return ret;
}
