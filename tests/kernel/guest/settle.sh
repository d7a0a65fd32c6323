# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For init and a scenario's scripts: `. /guest/settle.sh`. Defines only.

# settle: returns when all events that the kernel has sent are worked on, as `udevadm settle` does, or after
# 30 seconds, with a word about it.
settle() {
	settle_left=600
	while [ "$settle_left" -gt 0 ]; do
		read -r settle_sent </sys/kernel/uevent_seqnum
		settle_done=0
		read -r settle_done </run/hotplug || :
		[ "$settle_done" -lt "$settle_sent" ] || return 0
		settle_left=$((settle_left - 1))
		usleep 50000
	done
	echo "events are not worked on: $settle_done of $settle_sent"
}
