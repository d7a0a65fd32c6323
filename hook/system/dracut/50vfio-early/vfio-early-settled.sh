#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut's initqueue twice a second while the boot waits for its root: see root-missing.
# Not while a passphrase is asked for, nor for a root that comes over the network, nor when it is
# another device that is waited for, such as the one to resume from. No exit, no set -e.
# shellcheck disable=SC2154 # root: of dracut
if [ -x /usr/lib/vfio-early/root-missing ] && [ -z "${netroot-}" ] && [ ! -e "${root#block:}" ] &&
	! ls /run/systemd/ask-password/ask.* >/dev/null 2>&1; then
	/usr/lib/vfio-early/root-missing || :
fi
