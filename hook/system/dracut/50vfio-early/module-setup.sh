#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Puts vfio-early into an image of dracut: the plan for this very kernel, the static binary, the
# modules of the plan, a udev rule and the last rope. dracut sources this file; what it calls are functions of
# dracut's own, and what it must not do is exit. Nothing here needs more than a POSIX shell.
#
# With no bind line in the config the image is the same as if this package were not installed.

vfio_early_lib=/usr/lib/vfio-early

# check: called by dracut. 0 when the config has any line, whatever host-only mode thinks of the
# hardware; what of it is right is the command's to say.
check() {
	grep -Eqs '^[[:space:]]*[^#[:space:]]' /etc/vfio-early.conf /etc/vfio-early.conf.d/*.conf ||
		return 255
	[ -x "$vfio_early_lib/vfio-early-bind" ] && [ -x /usr/sbin/vfio-early ]
}

# depends: called by dracut. Of no other module: the binary is static.
depends() {
	return 0
}

# vfio_early_plan: the compiled plan of the kernel that the image is for, once. A bad line of the
# config is said by the command itself, and left out; without any plan the boot log says so. False
# when there is nothing to do or say at boot.
vfio_early_plan() {
	_vfio_plan="${initdir?}$vfio_early_lib/plan"
	if [ -z "${_vfio_planned-}" ]; then
		_vfio_planned=y
		mkdir -p "${_vfio_plan%/*}"
		/usr/sbin/vfio-early plan --kernel "${kernel?}" --output "$_vfio_plan"
		case $? in
		0) ;;
		1) dwarn "vfio-early: something of the config is left out of this image, see above" ;;
		*)
			dwarn "vfio-early: this image hands no device to vfio-pci, see above"
			echo "lost no plan was made; vfio-early plan --kernel $kernel says why" \
				>"$_vfio_plan"
			;;
		esac
		grep -Eq '^(bind!?|vfs|lost) ' "$_vfio_plan" || rm -rf "${_vfio_plan%/*}"
	fi
	[ -e "$_vfio_plan" ]
}

# installkernel: called by dracut. Each module of the plan; host-only mode would leave out those
# whose device is still with another driver.
installkernel() {
	vfio_early_plan && grep -Eq '^bind!? ' "$_vfio_plan" || return 0
	_vfio_modules=$(sed -n 's|^module [^ ]*/\([^/ ]*\).*|\1|p' "$_vfio_plan")
	# shellcheck disable=SC2086 # a list
	[ -z "$_vfio_modules" ] || hostonly='' instmods $_vfio_modules
}

# install: called by dracut. systemd in the initrd gets a unit of our own, because dracut's pre-udev
# has no order against systemd-modules-load, which may load a GPU's driver; any other init the hook.
install() {
	vfio_early_plan || return 0
	inst_simple "$vfio_early_lib/vfio-early-bind"
	inst_rules 05-vfio-early.rules
	inst_simple "$vfio_early_lib/root-missing"
	inst_hook initqueue/settled 50 "${moddir?}/vfio-early-settled.sh"
	inst_hook initqueue/timeout 50 "$moddir/vfio-early-timeout.sh"
	inst_hook emergency 50 "$moddir/vfio-early-timeout.sh"
	if dracut_module_included systemd; then
		_vfio_units="${systemdsystemunitdir:-/usr/lib/systemd/system}"
		inst_simple "$moddir/vfio-early.service" "$_vfio_units/vfio-early.service"
		mkdir -p "$initdir$_vfio_units/sysinit.target.wants"
		ln -sf ../vfio-early.service "$initdir$_vfio_units/sysinit.target.wants/vfio-early.service"
	else
		inst_hook cmdline 00 "$moddir/vfio-early-cmdline.sh"
	fi
}
