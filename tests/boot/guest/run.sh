# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For a scenario's guest script: `. ../run.sh`. Defines only.

# run WORD COMMAND...: what it prints, each line behind the word, and its exit status.
run() {
	word=$1
	shift
	status=0
	"$@" >/tmp/out 2>&1 </dev/null || status=$?
	sed "s/^/$word: /" /tmp/out
	echo "exit $status: $word"
}

# drivers: of each function.
drivers() {
	for device in /sys/bus/pci/devices/*; do
		echo "${device##*/} $(basename "$(readlink "$device/driver")")"
	done
}

# snapshot: everything that a boot goes by, the image aside, and what this package may have written, but
# for the copy of what a file was like and what this host needs, which stay, and the mark of undo.
snapshot() {
	find /boot /etc/default /etc/kernel /var/lib/vfio-early -type f ! -name 'initrd*' \
		! -path '*/grub/grubenv' ! -path '*/loader/random-seed' ! -path '*/vfio-early/undone' ! -path '*/vfio-early/facts' \
		! -path '*/vfio-early/cmdline/*.before' \
		-exec sha256sum {} + 2>/dev/null | sort -k 2
	find /boot /etc/default /etc/kernel -printf '%p %M %U:%G\n' | sort
}
