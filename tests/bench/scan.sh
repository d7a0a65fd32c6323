#!/bin/dash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scan.sh DEVICES ID: what scan.c does, by dash alone, without a process for each function.
set -u

count=0
for device in "$1"/*; do
	while IFS='=' read -r key value; do
		if [ "$key" = PCI_ID ]; then
			[ "$value" != "$2" ] || count=$((count + 1))
			break
		fi
	done <"$device/uevent"
done
echo "$count"
