#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut's init before it starts udev, where there is no systemd: no exit, no set -e.
[ ! -x /usr/lib/vfio-early/vfio-early-bind ] || /usr/lib/vfio-early/vfio-early-bind || :
