// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hotplug: what systemd-udevd does in a guest that has none, of its rules only the two that matter here.
 * For each event of the kernel that adds a PCI function other than a bridge, while the plan of the early
 * run is there: `vfio-early-bind --late ADDRESS` (05-vfio-early.rules); then, for whatever has a modalias,
 * `modprobe` (80-drivers.rules). Events are worked on side by side, as udevd's workers do, but each in
 * this order.
 *
 * When all that came so far is done, the number of the last event (SEQNUM) is in /run/hotplug.
 *
 * May not decide anything: what is bound, and whether, is the program's own to say.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIND "/usr/lib/vfio-early/vfio-early-bind"
#define PLAN "/run/vfio-early/plan"
#define DONE "/run/hotplug"

/* As many as systemd-udevd of a small machine has. */
#define MAX_WORKERS 16

/* The fields of one event, `-` aside: NULL where the kernel gave none. */
struct event {
	const char *action;
	const char *subsystem;
	const char *class;
	const char *slot;
	const char *modalias;
	const char *seqnum;
};

/* The value of `NAME=value`, or NULL when this is another field. */
static const char *field_value(const char *field, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(field, name, len) && field[len] == '=' ? field + len + 1 : NULL;
}

/* Takes one message of the kernel, lines that end in NUL, apart (lib/kobject_uevent.c). */
static void event_parse(struct event *event, const char *text, size_t len)
{
	const struct {
		const char *name;
		const char **value;
	} fields[] = {
		{ "ACTION", &event->action },	  { "SUBSYSTEM", &event->subsystem },
		{ "PCI_CLASS", &event->class },	  { "PCI_SLOT_NAME", &event->slot },
		{ "MODALIAS", &event->modalias }, { "SEQNUM", &event->seqnum },
	};
	const char *line;
	size_t i;

	memset(event, 0, sizeof(*event));
	for (line = text; line < text + len; line += strlen(line) + 1)
		for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
			const char *value = field_value(line, fields[i].name);

			if (value)
				*fields[i].value = value;
		}
}

static int has_text(const char *value, const char *text)
{
	return value && !strcmp(value, text);
}

/* `60???`: bridges, whose class the kernel prints without leading zeros. */
static int is_bridge(const struct event *event)
{
	return event->class && strlen(event->class) == 5 && !strncmp(event->class, "60", 2);
}

static void run_and_wait(const char *path, const char *first, const char *second)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("hotplug: fork");
		return;
	}
	if (!pid) {
		execl(path, path, first, second, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* In a child of its own. */
static void event_work(const struct event *event)
{
	if (has_text(event->action, "add") && has_text(event->subsystem, "pci") && event->slot &&
	    !is_bridge(event) && !access(PLAN, F_OK))
		run_and_wait(BIND, "--late", event->slot);
	if (!has_text(event->action, "remove") && event->modalias)
		run_and_wait("/sbin/modprobe", "-bq", event->modalias);
}

static void done_write(const char *seqnum)
{
	int fd = open(DONE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t len = strlen(seqnum);

	if (fd < 0 || write(fd, seqnum, len) != (ssize_t)len || rename(DONE ".new", DONE))
		perror("hotplug: " DONE);
	if (fd >= 0)
		close(fd);
}

/* Collects children that ended; with @block, at least one. Returns how many. */
static int workers_reap(int block)
{
	int n = 0;

	while (waitpid(-1, NULL, block && !n ? 0 : WNOHANG) > 0)
		n++;
	return n;
}

int main(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int size = 8 << 20, running = 0;
	char text[8193], last[32] = "0";

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror("hotplug: netlink");
		return 1;
	}
	/* Whoever waits for it may send events from now on. */
	done_write(last);

	for (;;) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		struct event event;
		ssize_t len;

		running -= workers_reap(running >= MAX_WORKERS);
		if (poll(&poller, 1, running ? 20 : 0) == 0) {
			running -= workers_reap(0);
			if (running)
				continue;
			done_write(last);
			poll(&poller, 1, -1);
		}
		len = recv(fd, text, sizeof(text) - 1, 0);
		if (len < 0) {
			perror("hotplug: recv");
			return 1;
		}
		text[len] = '\0';
		event_parse(&event, text, (size_t)len);
		if (event.seqnum)
			snprintf(last, sizeof(last), "%s", event.seqnum);
		if (!event.modalias && !event.slot)
			continue;
		switch (fork()) {
		case -1:
			perror("hotplug: fork");
			break;
		case 0:
			event_work(&event);
			_exit(0);
		default:
			running++;
		}
	}
}
