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

# await COMMAND...: returns when it succeeds, or after 30 seconds, with a word about it and its failure. For what
# no event tells: nvme_scan_work() reads a controller's namespaces beside everything else.
await() {
	await_left=600
	until "$@"; do
		await_left=$((await_left - 1))
		if [ "$await_left" -eq 0 ]; then
			echo "30 seconds in vain: $*"
			return 1
		fi
		usleep 50000
	done
}
