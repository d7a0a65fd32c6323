/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of vfio-early. Each is in a file of its own and reads its own options; main.c has
 * the table. All other functions return 0 or -errno; the function of a subcommand returns a status
 * of ui/status.h.
 */
#ifndef VFIO_EARLY_HOOK_COMMANDS_COMMAND_H
#define VFIO_EARLY_HOOK_COMMANDS_COMMAND_H

#include <errno.h>

#include "ui/status.h"

/*
 * command_selected - for the result of host_select() or slot_add(): in every command, a word that
 * names no function is an error of usage. Returns COMMAND_USAGE in that case, else the result.
 */
static inline int command_selected(int ret)
{
	return ret == -EINVAL || ret == -ENOENT ? COMMAND_USAGE : ret;
}

int command_check(int argc, char **argv);
int command_groups(int argc, char **argv);
int command_list(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_add(int argc, char **argv);
int command_remove(int argc, char **argv);
int command_apply(int argc, char **argv);
int command_undo(int argc, char **argv);
int command_confirm(int argc, char **argv);
int command_vfs(int argc, char **argv);
int command_vgpu(int argc, char **argv);
int command_status(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_import(int argc, char **argv);
int command_vm(int argc, char **argv);
int command_detach(int argc, char **argv);
int command_reattach(int argc, char **argv);
int command_log(int argc, char **argv);
int command_bug_report(int argc, char **argv);

#endif
