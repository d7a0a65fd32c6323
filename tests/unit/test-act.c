// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What no machine of tests/tree shows: the ways in which early/act.c's own calls fail. tests/fault has
 * the same for a whole run; here each branch has its name. Linked with --wrap for the calls below.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "early/act.h"
#include "tests/unit/fixture.h"

#define DEVICE "sys/bus/pci/devices/0000:01:00.0/"

static struct act act;
static struct plan plan;

/* --- calls that fail when they are told to */

static int pipe_error, fork_error, wait_error, poll_error;
static unsigned int polls_fail;		    /* so many of the next */
static unsigned int links_pass, links_fail; /* then so many fail */
static pid_t last_child;

int __real_pipe2(int fds[2], int flags);
pid_t __real_fork(void);
int __real_poll(struct pollfd *fds, nfds_t count, int ms);
pid_t __real_waitpid(pid_t pid, int *status, int options);
ssize_t __real_readlinkat(int dirfd, const char *path, char *buf, size_t size);
int __wrap_pipe2(int fds[2], int flags);
pid_t __wrap_fork(void);
int __wrap_poll(struct pollfd *fds, nfds_t count, int ms);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
ssize_t __wrap_readlinkat(int dirfd, const char *path, char *buf, size_t size);

int __wrap_pipe2(int fds[2], int flags)
{
	errno = pipe_error;
	return pipe_error ? -1 : __real_pipe2(fds, flags);
}

pid_t __wrap_fork(void)
{
	errno = fork_error;
	return fork_error ? -1 : (last_child = __real_fork());
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	if (!polls_fail)
		return __real_poll(fds, count, ms);
	polls_fail--;
	errno = poll_error;
	return -1;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	pid_t ret = __real_waitpid(pid, status, options);

	errno = wait_error;
	return wait_error ? -1 : ret;
}

ssize_t __wrap_readlinkat(int dirfd, const char *path, char *buf, size_t size)
{
	if (links_pass) {
		links_pass--;
	} else if (links_fail) {
		links_fail--;
		errno = EIO;
		return -1;
	}
	return __real_readlinkat(dirfd, path, buf, size);
}

static int heal(void **state)
{
	(void)state;
	pipe_error = fork_error = wait_error = 0;
	polls_fail = links_pass = links_fail = 0;
	return 0;
}

/* --- act_with_deadline() */

static int seven(void *arg)
{
	(void)arg;
	return 7;
}

static int sleep_long(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

static int die(void *arg)
{
	(void)arg;
	raise(SIGKILL);
	return 0;
}

/* The lowest free descriptor: the same before and after when nothing was left open. */
static int free_fd(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

static void act_with_deadline_child_ends_its_status(void **state)
{
	int fd = free_fd();

	(void)state;
	assert_int_equal(act_with_deadline(seven, NULL, 10000), 7);
	assert_int_equal(free_fd(), fd);
}

static void act_with_deadline_no_pipe_error(void **state)
{
	(void)state;
	pipe_error = EMFILE;
	assert_int_equal(act_with_deadline(seven, NULL, 10000), -EMFILE);
}

static void act_with_deadline_no_fork_error_and_pipe_closed(void **state)
{
	int fd = free_fd();

	(void)state;
	fork_error = EAGAIN;
	assert_int_equal(act_with_deadline(seven, NULL, 10000), -EAGAIN);
	assert_int_equal(free_fd(), fd);
}

static void act_with_deadline_poll_interrupted_goes_on(void **state)
{
	(void)state;
	polls_fail = 2;
	poll_error = EINTR;
	assert_int_equal(act_with_deadline(seven, NULL, 10000), 7);
}

static void assert_killed(void)
{
	int status;

	assert_int_equal(__real_waitpid(last_child, &status, 0), last_child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void act_with_deadline_poll_fails_child_killed(void **state)
{
	(void)state;
	polls_fail = 1;
	poll_error = ENOMEM;
	assert_int_equal(act_with_deadline(sleep_long, NULL, 10000), -ENOMEM);
	assert_killed();
}

static void act_with_deadline_passed_child_killed(void **state)
{
	(void)state;
	assert_int_equal(act_with_deadline(sleep_long, NULL, 20), -ETIMEDOUT);
	assert_killed();
}

static void act_with_deadline_child_died_echild(void **state)
{
	(void)state;
	assert_int_equal(act_with_deadline(die, NULL, 10000), -ECHILD);
}

static void act_with_deadline_no_wait_error(void **state)
{
	(void)state;
	wait_error = ECHILD;
	assert_int_equal(act_with_deadline(seven, NULL, 10000), -ECHILD);
}

/* --- act_run() on plain files: what is stored stays, and nothing happens by it */

/* One function that is to be bound, held by this driver. */
static const struct act_outcome *begin(const char *driver, const char *text)
{
	memset(&act, 0, sizeof(act));
	/* No border for links, so that one can lead to /dev/null. */
	assert_int_equal(fchdir(fixture_begin()), 0);
	act.rootfd = AT_FDCWD;
	fixture_function("0000:01:00.0", 0x030000, "10de:1187", 9, driver);
	fixture_plan(&plan, text);
	act.plan = &plan;
	act.patience = 5000;
	act.table.count = 1;
	act.table.fn[0].addr = (struct pci_address){ .bus = 1 };
	if (driver)
		strcpy(act.table.fn[0].driver, driver);
	act.decisions.verdict[0].decision = DECIDE_BIND;
	return &act.outcome[0];
}

/* An override that takes everything and always reads as not set. */
static void no_override(void)
{
	fixture_link(DEVICE "driver_override", "/dev/null");
}

static void act_run_override_not_read_back_error(void **state)
{
	const struct act_outcome *outcome = begin(NULL, "");

	(void)state;
	/* Longer than any: it does not fit where it is read. */
	fixture_file(DEVICE "driver_override", "%0100d", 0);
	act_run(&act);
	assert_int_equal(outcome->failed, ACT_OVERRIDE);
	assert_int_equal(outcome->error, EFBIG);
	assert_int_equal(outcome->result, ACT_NOT_RELEASED);
	fixture_end();
}

/* Another run has the lock: the override alone is set, and nothing is cleared again. */
static void act_reserve_sets_the_override_alone(void **state)
{
	const struct act_outcome *outcome = begin(NULL, "");

	(void)state;
	fixture_file(DEVICE "driver_override", "(null)  ");
	fixture_file("sys/bus/pci/drivers/vfio-pci/bind", "%s", "");
	act_reserve(&act);
	assert_int_equal(outcome->result, ACT_HELD);
	assert_int_equal(act_reason(outcome), REASON_BUSY);
	assert_string_equal(fixture_read(DEVICE "driver_override"), "vfio-pci");
	assert_string_equal(fixture_read("sys/bus/pci/drivers/vfio-pci/bind"), "");
	fixture_end();
}

static void act_reserve_with_a_driver_stuck_and_others_left(void **state)
{
	const struct act_outcome *outcome = begin("nouveau", "");

	(void)state;
	fixture_file(DEVICE "driver_override", "(null)  ");
	act.table.fn[1].addr = (struct pci_address){ .bus = 2 };
	act.table.count = 2;
	act_reserve(&act);
	assert_int_equal(outcome[0].result, ACT_STUCK);
	assert_string_equal(outcome[0].driver, "nouveau");
	assert_int_equal(outcome[1].failed, ACT_START);
	assert_int_equal(outcome[1].result, ACT_NOTHING);
	fixture_end();
}

static void act_run_override_not_cleared_not_released(void **state)
{
	const struct act_outcome *outcome = begin(NULL, "");

	(void)state;
	fixture_file(DEVICE "driver_override", "(null)  ");
	act_run(&act);
	/* "\n" over "vfio-pci" leaves "fio-pci". */
	assert_int_equal(outcome->failed, ACT_BIND);
	assert_int_equal(outcome->result, ACT_NOT_RELEASED);
	fixture_end();
}

static void act_run_driver_unknown_after_unbind_error(void **state)
{
	const struct act_outcome *outcome = begin("nouveau", "failure hold\n");

	(void)state;
	fixture_file(DEVICE "driver_override", "(null)  ");
	fixture_file("sys/bus/pci/drivers/nouveau/unbind", "%s", "");
	links_pass = 1;
	links_fail = 2;
	act_run(&act);
	assert_int_equal(outcome->failed, ACT_UNBIND);
	assert_int_equal(outcome->error, EIO);
	assert_string_equal(outcome->driver, "nouveau");
	assert_int_equal(outcome->result, ACT_STUCK);
	fixture_end();
}

static void act_run_driver_unreadable_once_read_again(void **state)
{
	const struct act_outcome *outcome = begin("vfio-pci", "");

	(void)state;
	act.table.fn[0].driver[0] = '\0';
	fixture_file(DEVICE "driver_override", "(null)  ");
	links_pass = 2;
	links_fail = 1;
	act_run(&act);
	assert_int_equal(outcome->result, ACT_BOUND);
	assert_string_equal(fixture_read(DEVICE "driver_override"), "vfio-pci");
	fixture_end();
}

static void act_run_driver_that_came_since_is_unbound(void **state)
{
	const struct act_outcome *outcome = begin("nouveau", "failure hold\n");

	(void)state;
	/* It came between the facts and the override. */
	act.table.fn[0].driver[0] = '\0';
	fixture_file(DEVICE "driver_override", "(null)  ");
	fixture_file("sys/bus/pci/drivers/nouveau/unbind", "%s", "");
	act_run(&act);
	assert_string_equal(fixture_read("sys/bus/pci/drivers/nouveau/unbind"), "0000:01:00.0");
	assert_int_equal(outcome->failed, ACT_UNBIND);
	assert_int_equal(outcome->error, EBUSY);
	assert_int_equal(outcome->result, ACT_STUCK);
	fixture_end();
}

static void act_run_driver_unknown_at_bind_bound_all_the_same(void **state)
{
	const struct act_outcome *outcome = begin(NULL, "failure hold\n");

	(void)state;
	fixture_file(DEVICE "driver_override", "(null)  ");
	fixture_file("sys/bus/pci/drivers/vfio-pci/bind", "%s", "");
	links_pass = 1;
	links_fail = 2;
	act_run(&act);
	assert_string_equal(fixture_read("sys/bus/pci/drivers/vfio-pci/bind"), "0000:01:00.0");
	assert_int_equal(outcome->failed, ACT_VERIFY);
	assert_int_equal(outcome->result, ACT_HELD);
	fixture_end();
}

static void act_run_driver_unknown_at_verify_not_believed(void **state)
{
	const struct act_outcome *outcome = begin(NULL, "");

	(void)state;
	fixture_file(DEVICE "driver_override", "(null)  ");
	fixture_file("sys/bus/pci/drivers/vfio-pci/bind", "%s", "");
	links_pass = 2;
	links_fail = 2;
	act_run(&act);
	assert_int_equal(outcome->failed, ACT_VERIFY);
	assert_int_equal(outcome->error, EIO);
	fixture_end();
}

static void act_run_driver_unknown_at_release_not_released(void **state)
{
	const struct act_outcome *outcome = begin(NULL, "");

	(void)state;
	no_override();
	links_pass = 1;
	links_fail = 2;
	act_run(&act);
	assert_int_equal(outcome->failed, ACT_OVERRIDE);
	assert_int_equal(outcome->result, ACT_NOT_RELEASED);
	fixture_end();
}

static void act_run_no_probe_not_released(void **state)
{
	const struct act_outcome *outcome = begin(NULL, "");

	(void)state;
	no_override();
	act_run(&act);
	assert_int_equal(outcome->result, ACT_NOT_RELEASED);
	fixture_end();
}

static void act_run_driver_unknown_after_probe_not_released(void **state)
{
	const struct act_outcome *outcome = begin(NULL, "");

	(void)state;
	no_override();
	fixture_file("sys/bus/pci/drivers_probe", "%s", "");
	strcpy(act.table.fn[0].driver, "nouveau");
	links_pass = 2;
	links_fail = 2;
	act_run(&act);
	assert_int_equal(outcome->result, ACT_NOT_RELEASED);
	fixture_end();
}

/* --- act_let_go() and act_probe(), on the same */

static void act_let_go_override_not_cleared_error(void **state)
{
	struct act_outcome outcome = { 0 };

	(void)state;
	begin("vfio-pci", "");
	act_let_go(&act, &act.table.fn[0], &outcome);
	/* There is no such file. */
	assert_int_equal(outcome.failed, ACT_OVERRIDE);
	assert_int_equal(outcome.error, ENOENT);
	assert_int_equal(outcome.result, ACT_NOT_RELEASED);
	assert_string_equal(outcome.driver, "vfio-pci");
}

static void act_let_go_no_unbind_error(void **state)
{
	struct act_outcome outcome = { 0 };

	(void)state;
	begin("vfio-pci", "");
	no_override();
	act_let_go(&act, &act.table.fn[0], &outcome);
	assert_int_equal(outcome.failed, ACT_UNBIND);
	assert_int_equal(outcome.result, ACT_NOT_RELEASED);
	assert_string_equal(outcome.driver, "vfio-pci");
}

static void act_let_go_without_driver_done(void **state)
{
	struct act_outcome outcome = { 0 };

	(void)state;
	begin(NULL, "");
	no_override();
	act_let_go(&act, &act.table.fn[0], &outcome);
	assert_int_equal(outcome.failed, ACT_START);
	assert_string_equal(outcome.driver, "");
}

/* A file that takes every write, which the kernel's does not. */
static void act_let_go_ids_without_end_ends(void **state)
{
	struct act_outcome outcome = { 0 };

	(void)state;
	begin(NULL, "");
	no_override();
	fixture_file("sys/bus/pci/drivers/vfio-pci/remove_id", "%s", "");
	alarm(60);
	act_let_go(&act, &act.table.fn[0], &outcome);
	alarm(0);
	assert_int_equal(outcome.failed, ACT_START);
	fixture_end();
}

static void act_probe_driver_unknown_error(void **state)
{
	struct act_outcome outcome = { 0 };

	(void)state;
	begin(NULL, "");
	links_fail = 2;
	act_probe(&act, &act.table.fn[0], &outcome);
	assert_int_equal(outcome.failed, ACT_RELEASE);
	assert_int_equal(outcome.error, EIO);
	assert_int_equal(outcome.result, ACT_NOT_RELEASED);
	fixture_end();
}

static void act_probe_no_probe_error(void **state)
{
	struct act_outcome outcome = { 0 };

	(void)state;
	begin(NULL, "");
	act_probe(&act, &act.table.fn[0], &outcome);
	assert_int_equal(outcome.failed, ACT_RELEASE);
	assert_int_equal(outcome.error, ENOENT);
	assert_int_equal(outcome.result, ACT_NOT_RELEASED);
}

static void act_probe_driver_there_released(void **state)
{
	struct act_outcome outcome = { 0 };

	(void)state;
	begin("nvme", "");
	act_probe(&act, &act.table.fn[0], &outcome);
	assert_int_equal(outcome.failed, ACT_START);
	assert_int_equal(outcome.result, ACT_RELEASED);
	assert_string_equal(outcome.driver, "nvme");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(act_with_deadline_child_ends_its_status, heal),
		cmocka_unit_test_setup(act_with_deadline_no_pipe_error, heal),
		cmocka_unit_test_setup(act_with_deadline_no_fork_error_and_pipe_closed, heal),
		cmocka_unit_test_setup(act_with_deadline_poll_interrupted_goes_on, heal),
		cmocka_unit_test_setup(act_with_deadline_poll_fails_child_killed, heal),
		cmocka_unit_test_setup(act_with_deadline_passed_child_killed, heal),
		cmocka_unit_test_setup(act_with_deadline_child_died_echild, heal),
		cmocka_unit_test_setup(act_with_deadline_no_wait_error, heal),
		cmocka_unit_test_setup(act_run_override_not_read_back_error, heal),
		cmocka_unit_test_setup(act_reserve_sets_the_override_alone, heal),
		cmocka_unit_test_setup(act_reserve_with_a_driver_stuck_and_others_left, heal),
		cmocka_unit_test_setup(act_run_override_not_cleared_not_released, heal),
		cmocka_unit_test_setup(act_run_driver_unknown_after_unbind_error, heal),
		cmocka_unit_test_setup(act_run_driver_unreadable_once_read_again, heal),
		cmocka_unit_test_setup(act_run_driver_that_came_since_is_unbound, heal),
		cmocka_unit_test_setup(act_run_driver_unknown_at_bind_bound_all_the_same, heal),
		cmocka_unit_test_setup(act_run_driver_unknown_at_verify_not_believed, heal),
		cmocka_unit_test_setup(act_run_driver_unknown_at_release_not_released, heal),
		cmocka_unit_test_setup(act_run_no_probe_not_released, heal),
		cmocka_unit_test_setup(act_run_driver_unknown_after_probe_not_released, heal),
		cmocka_unit_test_setup(act_let_go_override_not_cleared_error, heal),
		cmocka_unit_test_setup(act_let_go_no_unbind_error, heal),
		cmocka_unit_test_setup(act_let_go_without_driver_done, heal),
		cmocka_unit_test_setup(act_let_go_ids_without_end_ends, heal),
		cmocka_unit_test_setup(act_probe_driver_unknown_error, heal),
		cmocka_unit_test_setup(act_probe_no_probe_error, heal),
		cmocka_unit_test_setup(act_probe_driver_there_released, heal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
