#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut when its initqueue has waited too long, and before the emergency shell: see
# root-missing. No exit, no set -e.
[ ! -x /usr/lib/vfio-early/root-missing ] || /usr/lib/vfio-early/root-missing --now || :
