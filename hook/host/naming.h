/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands, for a fix, that name functions in the config or take their names out: these
 * functions and no others, whatever the bind lines are like. Knows what `add` and `remove` make of
 * an address: the card, the group, and lines that name more. Reads; changes nothing.
 */
#ifndef VFIO_EARLY_HOOK_HOST_NAMING_H
#define VFIO_EARLY_HOOK_HOST_NAMING_H

#include "host/host.h"
#include "host/slot.h"

#define NAMING_SIZE 512

/* naming_add_one - add a function of the host to a list. Returns 0, or -errno after saying why. */
int naming_add_one(const struct host *host, const struct pci_address *addr, struct slot *list);

/*
 * naming_remove - "vfio-early remove --only 0000:03:00.0": no bind line names one of these after it,
 * and every other function that one names is still named. Where a line names others with them, as
 * that of a slot or a class does, there is no such command: then it is the except line to write.
 * @host: decided
 * @meant: not empty; a physical function is taken with the lines for its virtual ones
 *
 * Returns @text.
 */
const char *naming_remove(const struct host *host, const struct slot *meant,
			  char text[NAMING_SIZE]);

/*
 * naming_replace - the command that takes names out, and that which gives others or the same one new
 * lines. Where no command removes just them, the line to correct: an except line would beat the new
 * ones, and set lines would be lost.
 * @to: may be empty
 * @between: the words between both
 * @options: of add, see naming_add()
 *
 * Returns @text.
 */
const char *naming_replace(const struct host *host, const struct slot *from, const struct slot *to,
			   const char *between, const char *options, char text[2 * NAMING_SIZE]);

/*
 * naming_add - "vfio-early add 0000:03:00.0": names these, and nothing else that is not bound anyhow.
 * @options: further ones, each with a blank behind it: "--by path "
 */
const char *naming_add(const struct host *host, const struct slot *meant, const char *options,
		       char text[NAMING_SIZE]);

#endif
