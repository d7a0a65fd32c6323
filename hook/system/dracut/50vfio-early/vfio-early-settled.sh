#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut's initqueue twice a second while the boot waits for its root: see root-missing.
# Not while a passphrase is asked for, nor for a root that comes over the network. No exit, no
# set -e.
if [ -x /usr/lib/vfio-early/root-missing ] && [ -z "${netroot-}" ] &&
	! ls /run/systemd/ask-password/ask.* >/dev/null 2>&1; then
	/usr/lib/vfio-early/root-missing || :
fi
