# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the guests of every harness say of themselves, in sections. Defines only.

# section NAME COMMAND...: what COMMAND prints; a command that fails leaves its message there.
section() {
	echo "@@ $1"
	shift
	"$@" 2>&1
}

# attribute FILE: its content as one word, `-` when there is none, into $value. No process is started
# here nor below: in an emulated machine each costs as much as reading a hundred files.
attribute() {
	value=
	{ read -r value <"$1"; } 2>/dev/null
	value=${value#0x}
	[ "$value" != '(null)' ] || value=
	value=${value:--}
}

# link DIR: the last part of the folder that this link leads to, `-` when there is no such link, into
# $value.
link() {
	value=-
	[ ! -L "$1" ] || { cd -P "$1" && value=${PWD##*/}; }
}

# content FILE: what is in it; nothing when there is no such file, so that no message is taken for a line.
content() {
	[ ! -e "$1" ] || cat "$1"
}

# functions: one line for each PCI function.
functions() {
	for d in /sys/bus/pci/devices/*; do
		line=${d##*/}
		attribute "$d/vendor"
		line="$line $value"
		attribute "$d/device"
		line="$line:$value"
		link "$d/driver"
		line="$line $value"
		attribute "$d/driver_override"
		line="$line $value"
		attribute "$d/class"
		line="$line $value"
		link "$d/iommu_group"
		line="$line $value"
		attribute "$d/boot_vga"
		echo "$line $value"
	done
	cd /
}
