#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut when its initqueue has waited too long, and before the emergency shell: see
# root-missing. Not when the root is there: then it is about something else. No exit, no set -e.
# shellcheck disable=SC2154 # root: of dracut
[ ! -x /usr/lib/vfio-early/root-missing ] || [ -e "${root#block:}" ] ||
	/usr/lib/vfio-early/root-missing --now || :
