#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut's init, where there is no systemd, as the first of its cmdline hooks. pre-udev
# is too late: 01-parse-kernel.sh loads what force_drivers names before. No exit, no set -e.
[ ! -x /usr/lib/vfio-early/vfio-early-bind ] || /usr/lib/vfio-early/vfio-early-bind || :
