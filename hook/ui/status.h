/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exit statuses of every command, and the one command that messages of others name. */
#ifndef VFIO_EARLY_HOOK_UI_STATUS_H
#define VFIO_EARLY_HOOK_UI_STATUS_H

/* Exit statuses. */
enum {
	COMMAND_OK = 0,
	COMMAND_INCOMPLETE = 1, /* done, but something was wrong and was reported */
	COMMAND_USAGE = 2,
	COMMAND_NOTHING = 3, /* nothing was done: no readable config, no such kernel */
};

/* What makes a changed config take effect; for messages. Before a trial boot: see trial_command(). */
#define COMMAND_APPLY	  "vfio-early apply"
#define COMMAND_APPLY_TRY COMMAND_APPLY " --try"
#define COMMAND_CONFIRM	  "vfio-early confirm"
#define COMMAND_UNDO	  "vfio-early undo"
/* Before it where it is not known what this host needs: an image that is made here would not know it. */
#define COMMAND_THERE	  "on the running host, not in a chroot or a container: "

#endif
