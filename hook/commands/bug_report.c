// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early bug-report: one text file about this machine, for people and for --root FILE. record/
 * writes the machine itself. This file adds the header, which explains the content, and the output
 * of the commands and of the boot. Writes only the output file.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/command.h"
#include "config/config.h"
#include "early/version.h"
#include "image/builder.h"
#include "record/record.h"
#include "record/table.h"
#include "ui/options.h"
#include "util/file.h"
#include "util/message.h"
#include "util/program.h"

/* The first lines, for the user who will send it. */
static const char head[] =
	"# A bug report of vfio-early. It has the PCI functions and their groups, the kernel command line, what\n"
	"# vfio-early reads about disks, mounts, networks and the boot loader, its config, plan, status, check\n"
	"# and log, old recipes, and the PCI and USB devices of VMs. vfio-early(8), BUG REPORTS, has the list.\n"
	"# Serial numbers, MACs, host names, UUIDs and IP addresses are replaced by placeholders. Names that\n"
	"# you gave (to volumes, pools, mount points, VM mappings) are not: read it before you send it.\n"
	"# list, groups, check, status and plan of vfio-early print with --root FILE what they print here.\n"
	"#\n";

/* The commands whose output is included. */
static const char *const said[][4] = {
	{ "status", "--width", "100", NULL },
	{ "check", "--width", "100", NULL },
	{ "list", "--width", "140", NULL },
	{ "plan", NULL },
	{ "log", NULL },
	{ "log", "-b", "-1", NULL },
};

/* Writes "# " before each line, and '?' for control characters of a terminal. */
static void put_comment(struct record *record, const char *text)
{
	char *clean = redact_string(&record->redact, text, strlen(text));

	if (!clean) {
		record->err = -ENOMEM;
		return;
	}
	for (const char *pos = clean; *pos;) {
		size_t len = strcspn(pos, "\n");

		fputs("# ", record->out);
		for (size_t i = 0; i < len; i++)
			fputc((unsigned char)pos[i] < ' ' || pos[i] == 0x7f ? '?' : pos[i],
			      record->out);
		fputc('\n', record->out);
		pos += len + (pos[len] == '\n');
	}
	free(clean);
}

/*
 * Writes what a command printed on standard error, without quoted lines of files: the allowed parts
 * of those are in the record below, without comments and values. Quoted lines are indented
 * (message_line()), and libkmod quotes lines that it cannot parse.
 */
static void put_complaints(struct record *record, char *text)
{
	char *line, *save;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (*line != ' ' && strncmp(line, "libkmod:", strlen("libkmod:")) != 0)
			put_comment(record, line);
}

/* Runs one of our own commands on the same root. */
static void put_said(struct record *record, const char *const words[])
{
	const char *argv[8] = { "/proc/self/exe" };
	char self[PATH_MAX], *text = NULL, *complaints = NULL;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t count = 1;
	int ret;

	self[len > 0 ? len : 0] = '\0';
	argv[0] = self;
	fputs("#\n# $ vfio-early", record->out);
	for (; *words; words++) {
		fprintf(record->out, " %s", *words);
		argv[count++] = *words;
	}
	fputc('\n', record->out);
	if (!record->root->is_host) {
		argv[count++] = "--root";
		argv[count++] = record->root->path;
	}
	ret = program_run(NULL, argv, &text, &complaints);
	if (complaints)
		put_complaints(record, complaints);
	if (text)
		put_comment(record, text);
	if (ret < 0)
		fprintf(record->out, "# cannot be run: %s\n", strerror(-ret));
	else if (ret)
		fprintf(record->out, "# exit status %d\n", ret);
	free(text);
	free(complaints);
}

/*
 * Images and plans contain the digest of the config: it is replaced by the digest of the config as
 * the report has it.
 */
static void find_digest(struct record *record)
{
	struct config_problem problem;
	struct config config;
	SHA2_CTX sha;
	char digest[CONFIG_DIGEST_HEX];

	if (!config_read(record->root, &config, &problem)) {
		SHA256Init(&sha);
		for (size_t i = 0; i < config.files; i++) {
			char *kept = NULL, line[512];
			size_t size = 0;
			FILE *out = open_memstream(&kept, &size);

			if (out)
				filter_text(FILTER_CONFIG, &record->redact, config.file[i].text,
					    config.file[i].size, out);
			if (!out || fclose(out)) {
				record->err = -ENOMEM;
			} else {
				snprintf(line, sizeof(line), "%s\n%zu\n", config.file[i].name,
					 size);
				SHA256Update(&sha, (const uint8_t *)line, strlen(line));
				SHA256Update(&sha, (const uint8_t *)kept, size);
			}
			free(kept);
		}
		SHA256End(&sha, digest);
		redact_add_digest(&record->redact, config.digest, digest);
	}
	config_free(&config);
}

/* The stored facts of this host contain the digest of its product UUID. */
static void find_product(struct record *record)
{
	char uuid[64], old[SHA256_DIGEST_STRING_LENGTH], new[SHA256_DIGEST_STRING_LENGTH];
	char *kept = NULL;
	size_t size;
	FILE *out;

	if (file_read_once(record->root->fd, "sys/class/dmi/id/product_uuid", uuid, sizeof(uuid)) ||
	    !*uuid)
		return;
	out = open_memstream(&kept, &size);
	if (out)
		filter_text(FILTER_SECRET, &record->redact, uuid, strlen(uuid), out);
	if (!out || fclose(out)) {
		record->err = -ENOMEM;
	} else {
		SHA256Data((const uint8_t *)uuid, strlen(uuid), old);
		SHA256Data((const uint8_t *)kept, strcspn(kept, "\n"), new);
		redact_add_digest(&record->redact, old, new);
	}
	free(kept);
}

static int write_report(struct record *record)
{
	const char *builder = builder_name(builder_find(record->root));
	int ret;

	fputs(head, record->out);
	fprintf(record->out, "# vfio-early %s, images by %s\n", version_text,
		builder ? builder : "nobody");
	record_find_hosts(record);
	find_digest(record);
	find_product(record);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		put_said(record, said[i]);
	fputs("#\n# The machine; each line is one of vfio-early's own, and nothing in it is run.\n",
	      record->out);
	ret = record_machine(record);
	return fflush(record->out) ? -ENOMEM : ret;
}

static int save(const char *name, const char *text, size_t size)
{
	struct stat private = { .st_mode = S_IFREG | 0600,
				.st_uid = geteuid(),
				.st_gid = getegid() };
	struct stat st;
	int ret;

	if (!name || !strcmp(name, "-")) {
		fwrite(text, 1, size, stdout);
		return 0;
	}
	/* A pipe or a terminal is written to; a file is replaced as a whole. */
	if (!stat(name, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		int fd = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY);

		ret = fd < 0 ? -errno : file_write(fd, text, size);
		if (fd >= 0)
			close(fd);
	} else {
		ret = file_replace(AT_FDCWD, name, &private, text, size);
	}
	if (ret == FILE_UNSYNCED)
		ret = 0;
	return ret ? message_errno(ret, "cannot write %s", name) : 0;
}

static int run(const struct root *root, const char *name)
{
	struct record record = { .root = root };
	char *text = NULL;
	size_t size = 0;
	int ret = -ENOMEM;

	if (geteuid() && root->is_host)
		message_warn("without being root not all can be read; fix: run it as root");
	record.out = open_memstream(&text, &size);
	if (record.out)
		ret = write_report(&record);
	if (ret)
		message_errno(ret, "cannot make the report");
	else
		ret = save(name, text, size);
	record_clear(&record);
	if (record.out)
		fclose(record.out);
	free(text);
	return ret ? COMMAND_NOTHING : COMMAND_OK;
}

int command_bug_report(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		{ "output", 'o', "FILE", "write to FILE (default: standard output)" },
		{ "list", 'l', NULL, "only print which files and fields go into it" },
		{ 0 },
	};
	static const struct options_spec spec = {
		.usage = "bug-report [OPTION...]",
		.about = "Prints one text file that describes this machine. Serial numbers, MACs,\n"
			 "host names, UUIDs and IP addresses in it are placeholders.\n",
		.entry = entries,
		.common = OPTIONS_ROOT | OPTIONS_REPORT,
		.end = "Exit status: 0 written, 2 usage, 3 cannot be written.\n",
	};
	const char *name = NULL;
	bool is_list = false;
	struct options opts;
	struct root root;
	int opt, ret;

	options_init(&opts, &spec);
	while ((opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		if (opt == OPTIONS_EXIT)
			return opts.status;
		if (opt == 'o')
			name = optarg;
		else
			is_list = true;
	}
	ret = options_no_arguments(&opts, argc, argv);
	if (ret)
		return ret;
	if (is_list && name) {
		message_error("--list makes no report; fix: leave out --output");
		return options_usage(&opts);
	}
	if (is_list) {
		table_print(stdout, "");
		return COMMAND_OK;
	}
	ret = root_open(&root, opts.root) ? COMMAND_NOTHING : run(&root, name);
	root_close(&root);
	return ret;
}
