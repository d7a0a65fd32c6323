# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For init: `. /guest/reset.sh`. Defines only; needs sections.sh.

# modules_drop: removes every module that nothing needs, until there is none; those of the machine's own
# functions stay.
modules_drop() {
	modules_again=y
	while [ -n "$modules_again" ]; do
		modules_again=
		while read -r module_name _ module_users _; do
			case $module_name,$module_users in
			ahci,* | i2c_i801,* | lpc_ich,*) ;;
			*,0) ! rmmod "$module_name" || modules_again=y ;;
			esac
		done </proc/modules
	done
}

# reset: as the kernel came to /init: of the functions, the machine's own aside, none has an override, nor a
# driver that is a module (one that is built in has no initstate), and no such module is loaded. Prints what is
# otherwise, which is a difference of the next scenario.
reset() {
	umount /proc/cmdline 2>/dev/null
	for reset_function in /sys/bus/pci/devices/*; do
		case $reset_function in */0000:00:1f.*) continue ;; esac
		[ ! -e "$reset_function/sriov_numvfs" ] || echo 0 >"$reset_function/sriov_numvfs"
		[ ! -e "$reset_function/driver/module/initstate" ] ||
			echo "${reset_function##*/}" >"$reset_function/driver/unbind"
		attribute "$reset_function/driver_override"
		# shellcheck disable=SC2154 # of attribute
		[ "$value" = - ] || echo >"$reset_function/driver_override"
	done
	modules_drop
	for reset_function in /sys/bus/pci/devices/*; do
		# As the kernel itself does, which has only what is built in.
		[ -e "$reset_function/driver" ] || echo "${reset_function##*/}" >/sys/bus/pci/drivers_probe
		case $reset_function in */0000:00:1f.*) continue ;; esac
		attribute "$reset_function/driver_override"
		[ "$value" = - ] || echo "${reset_function##*/} has the override $value"
		[ ! -e "$reset_function/driver/module/initstate" ] || echo "${reset_function##*/} has a driver"
	done
	grep -E '^(vfio|iommufd|bochs|snd_hda_intel|e1000e|nvme|xhci)' /proc/modules
	rm -rf /run/vfio-early /run/hotplug
	dmesg -c >/dev/null
}
