// SPDX-License-Identifier: GPL-2.0-or-later
/* Shows the progress of long work; see progress.h. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ui/progress.h"
#include "util/program.h"

#define FALLBACK_WIDTH 80

static struct {
	bool is_shown;
	unsigned int width;
	char what[128];
	const char *step;
	struct timespec from;
	pid_t ticker; /* 0: none */
} progress;

static long seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)(now.tv_sec - progress.from.tv_sec);
}

/* Always narrower than the terminal: a line that wraps cannot be overwritten. */
static void draw(void)
{
	char line[256];
	int room = progress.width && progress.width < sizeof(line) ? (int)progress.width - 1 :
								     FALLBACK_WIDTH - 1;

	snprintf(line, sizeof(line), "%s: %s, %ld s", progress.what, progress.step, seconds());
	printf("\r\033[K%.*s", room, line);
	fflush(stdout);
}

void progress_begin(const struct output *output, const char *what)
{
	const char *term = getenv("TERM");

	progress.is_shown = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
	if (!progress.is_shown)
		return;
	progress.width = output_width(output);
	progress.step = "";
	snprintf(progress.what, sizeof(progress.what), "%s", what);
	clock_gettime(CLOCK_MONOTONIC, &progress.from);
	program_watch(draw);
}

void progress_step(const char *step)
{
	progress.step = step;
	if (progress.is_shown)
		draw();
}

void progress_tick(void)
{
	if (!progress.is_shown || progress.ticker)
		return;
	fflush(NULL);
	progress.ticker = fork();
	if (progress.ticker) {
		/* Without a timer the seconds do not advance. */
		progress.ticker = progress.ticker < 0 ? 0 : progress.ticker;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		sleep(1);
		draw();
	}
}

void progress_end(void)
{
	if (progress.ticker) {
		kill(progress.ticker, SIGKILL);
		waitpid(progress.ticker, NULL, 0);
		progress.ticker = 0;
	}
	program_watch(NULL);
	if (progress.is_shown)
		fputs("\r\033[K", stdout);
	progress.is_shown = false;
}
