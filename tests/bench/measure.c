// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * measure [-c] [-b BEFORE] ROUNDS COMMAND...: how long each command takes, from fork() to its end.
 *
 * Each COMMAND is one argument, cut at its spaces; its first word is a path. They run in turns,
 * ROUNDS times after one round that is not counted, so that whatever else the machine does weighs on
 * all alike. -c: the processor's time instead, of the command and of the children that it waited for,
 * which is the same where nothing waits, and true on a busy machine too.
 * BEFORE runs before each of them, and is not counted. What they print goes to /dev/null.
 * One line for each COMMAND, in their order: MEDIAN LEAST, microseconds, of all rounds.
 * Fails when any of them ends with a status other than 0.
 *
 * Built by klcc, like the binary of the boot: it runs in any guest.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_COMMANDS 8
#define MAX_ROUNDS   1024
#define MAX_WORDS    64

static struct command {
	char *argv[MAX_WORDS];
	long time[MAX_ROUNDS];
} commands[MAX_COMMANDS], before;

static int processor_time;

static int usage(const char *why)
{
	fprintf(stderr,
		"measure: %s\nusage: measure [-c] [-b BEFORE] ROUNDS COMMAND...: at most %u rounds, %u "
		"commands of %u words\n",
		why, MAX_ROUNDS, MAX_COMMANDS, MAX_WORDS - 1);
	return 2;
}

/* Returns false when it has no word, or too many. */
static int cut(struct command *command, char *text)
{
	unsigned int n = 0;

	while ((command->argv[n] = strsep(&text, " ")))
		if (*command->argv[n] && ++n == MAX_WORDS)
			return 0;
	return n > 0;
}

static long now(void)
{
	struct timeval time;

	gettimeofday(&time, NULL);
	return time.tv_sec * 1000000L + time.tv_usec;
}

static long processor(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000L +
	       usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

/* Returns how long it took, or -1 after saying how it failed. */
static long run(const struct command *command)
{
	struct rusage usage;
	long start = now();
	int status, nullfd;
	pid_t pid = fork();

	if (!pid) {
		nullfd = open("/dev/null", O_WRONLY);
		dup2(nullfd, 1);
		execv(command->argv[0], command->argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("measure");
		return -1;
	}
	if (status) {
		fprintf(stderr, "measure: %s: wait status %#x\n", command->argv[0],
			(unsigned int)status);
		return -1;
	}
	return processor_time ? processor(&usage) : now() - start;
}

static int compare(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

/* Round -1 fills the caches. Returns false when a command failed. */
static int run_all(int rounds, int count)
{
	for (int round = -1; round < rounds; round++) {
		for (int i = 0; i < count; i++) {
			long time;

			if (before.argv[0] && run(&before) < 0)
				return 0;
			time = run(&commands[i]);
			if (time < 0)
				return 0;
			if (round >= 0)
				commands[i].time[round] = time;
		}
	}
	return 1;
}

int main(int argc, char **argv)
{
	int rounds, count;

	if (argc > 1 && !strcmp(argv[1], "-c")) {
		processor_time = 1;
		argc--;
		argv++;
	}
	if (argc > 2 && !strcmp(argv[1], "-b")) {
		if (!cut(&before, argv[2]))
			return usage("BEFORE is too long, or empty");
		argc -= 2;
		argv += 2;
	}
	rounds = argc > 1 ? atoi(argv[1]) : 0;
	count = argc - 2;
	if (rounds < 1 || rounds > MAX_ROUNDS || count < 1 || count > MAX_COMMANDS)
		return usage("how many rounds of what?");
	for (int i = 0; i < count; i++)
		if (!cut(&commands[i], argv[i + 2]))
			return usage("a COMMAND is too long, or empty");
	if (!run_all(rounds, count))
		return 1;
	for (int i = 0; i < count; i++) {
		qsort(commands[i].time, (size_t)rounds, sizeof(long), compare);
		printf("%ld %ld\n", commands[i].time[rounds / 2], commands[i].time[0]);
	}
	return 0;
}
