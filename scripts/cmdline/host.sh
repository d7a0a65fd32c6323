# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What this host needs: the cmdline line of the config, the meaning of "cmdline auto" here, and
# parameters of others that are harmful or useless. Defines only.

# config_read: reads the last correct "cmdline" line of the config into $config ("auto", "none" or
# tokens) and $config_from (FILE:LINE, or "the default"). The host command reads it: it knows the
# files, their allowed owners, and the grammar. Fails after printing an error; then $config is
# empty: it is not known what the user wants, as when the only such line is wrong.
config_read() {
	config='' config_from=''
	if [ ! -x "$vfio_early" ]; then
		warn "vfio-early cannot be run, so what /etc/vfio-early.conf asks for is not known;" \
			"fix: install the package vfio-early"
		return 1
	fi
	_lines=$("$vfio_early" plan --cmdline --root "${root:-/}")
	_status=$?
	# 1: a line is wrong, which it has said. Any other: nothing is known.
	case $_status in
	0 | 1) ;;
	*) return "$_status" ;;
	esac
	if [ -z "$_lines" ]; then
		config=auto config_from='the default'
		return "$_status"
	fi
	while IFS='	' read -r _from _text; do
		if [ -n "$_text" ]; then
			config=$_text config_from=$_from
		else
			_wrong=$_from
			by_hand "$_from: the line is left out"
		fi
	done <<-EOT
	$_lines
	EOT
	[ -n "$config" ] || {
		warn "no other line says what to keep, so nothing is changed; fix: correct $_wrong"
		config_from=$_wrong
		return 1
	}
}

# host_iommu: prints the kind of IOMMU: intel, amd, arm, or nothing. The firmware's table is the
# best source, but it does not exist while the IOMMU is switched off in the firmware setup.
host_iommu() {
	_tables=$root/sys/firmware/acpi/tables
	if [ -e "$_tables/DMAR" ]; then
		echo intel
	elif [ -e "$_tables/IVRS" ]; then
		echo amd
	else
		awk -F '[ \t]*:[ \t]*' '
			$1 == "vendor_id" && /GenuineIntel|CentaurHauls|Shanghai/ { print "intel"; exit }
			$1 == "vendor_id" && /AuthenticAMD|HygonGenuine/ { print "amd"; exit }
			$1 == "CPU implementer" { print "arm"; exit }' "$root/proc/cpuinfo" 2>/dev/null
	fi
}

# kernel_has VERSION OPTION: was it built with CONFIG_OPTION=y?
kernel_has() {
	grep -qx "CONFIG_$2=y" "$root/boot/config-$1" 2>/dev/null
}

# is_igpu_named: is Intel's integrated GPU, always at 00:02.0, among the bind lines? A refusal
# because of a missing IOMMU group does not matter: the parameter is there to change that.
is_igpu_named() {
	_gpu=$root/sys/bus/pci/devices/0000:00:02.0
	[ -r "$_gpu/class" ] || return
	read -r _vendor <"$_gpu/vendor" && read -r _class <"$_gpu/class" || return
	case $_vendor,$_class in
	0x8086,0x03*) ;;
	*) return 1 ;;
	esac
	_next=$("$vfio_early" list --noheadings --raw -o next,code --root "${root:-/}" \
		0000:00:02.0 2>/dev/null)
	case $_next in
	vfio-pci* | held*) return 0 ;;
	'refused except' | 'refused boot-vga') return 1 ;;
	refused*) return 0 ;;
	esac
	return 1
}

# why_intel: prints why "intel_iommu=on" is missing, or nothing.
why_intel() {
	_igpu=''
	for _version in $kernels; do
		if [ ! -r "$root/boot/config-$_version" ]; then
			echo "/boot/config-$_version cannot be read: its default may be off"
			return
		fi
		! kernel_has "$_version" INTEL_IOMMU_DEFAULT_ON || continue
		if ! kernel_has "$_version" INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF; then
			echo "kernel $_version leaves the IOMMU off by default"
			return
		fi
		_igpu=${_igpu:-$_version}
	done
	if [ -n "$_igpu" ] && is_igpu_named; then
		echo "kernel $_igpu leaves the integrated GPU out by default, and a bind line names it"
	elif [ -z "$kernels" ]; then
		echo 'no kernel is in /boot: its default may be off'
	fi
}

# why_passthrough LIST: prints why the IOMMU's passthrough mode is missing while LIST is set, or
# nothing.
why_passthrough() {
	[ -z "$(tokens_name "$1" iommu.passthrough)" ] || return
	for _value in pt nopt off; do
		[ -z "$(tokens_value "$1" iommu "$_value")" ] || return
	done
	for _version in $kernels; do
		kernel_has "$_version" IOMMU_DEFAULT_PASSTHROUGH || break
		_version=''
	done
	[ -z "${_version-x}" ] || echo "the host's own devices need no translation, which costs time"
}

# host_wants LIST: prints what the config asks for while others set LIST: "TOKEN TAB WHY" lines.
host_wants() {
	case $config in
	none | '') return ;;
	auto) ;;
	*)
		printf '%s\n' "$config" | tokens_split | sed "s|\$|	$config_from|"
		return
		;;
	esac
	_iommu=$(host_iommu)
	# A parameter that is set, even to "off", is somebody's decision: see host_minds.
	_set=$(tokens_value "$1" intel_iommu on)$(tokens_value "$1" intel_iommu off)
	if [ "$_iommu" = intel ] && [ -z "$_set" ]; then
		_why=$(why_intel)
		[ -z "$_why" ] || printf 'intel_iommu=on\t%s\n' "$_why"
	fi
	_why=$(why_passthrough "$1")
	[ -n "$_why" ] || return 0
	case $_iommu in
	intel | amd) printf 'iommu=pt\t%s\n' "$_why" ;;
	arm) printf 'iommu.passthrough=1\t%s\n' "$_why" ;;
	esac
}

# minds LIST KIND WHY: prints a line for each of LIST.
minds() {
	[ -z "$1" ] || printf '%s\n' "$1" | sed "s|\$|	$2	$3|"
}

# host_minds LIST: prints those of LIST that keep devices from their VM ("harmful") or do nothing
# ("useless"): "TOKEN TAB KIND TAB WHY" lines.
host_minds() {
	minds "$(tokens_value "$1" intel_iommu off)" harmful 'turns the IOMMU off'
	minds "$(tokens_value "$1" amd_iommu off)" harmful 'turns the IOMMU off'
	minds "$(tokens_value "$1" iommu off)" harmful 'turns the IOMMU off'
	_off=$(tokens_name "$1" vfio_early)
	_dry=$(tokens_with "$_off" "vfio_early=dry-run${nl}vfio-early=dry-run")
	minds "$(tokens_without "$_off" "$_dry")" harmful \
		'turns vfio-early off at every boot'
	minds "$_dry" harmful 'keeps vfio-early from binding anything at every boot'
	_excluded=$(tokens_value "$1" intel_iommu igfx_off
		tokens_value "$1" intel_iommu intgpu_off)
	[ -z "$_excluded" ] || ! is_igpu_named ||
		minds "$_excluded" harmful 'leaves the integrated GPU out, and a bind line names it'
	minds "$(tokens_name "$1" vfio-pci.ids)" useless \
		"takes every function with such an ID, the host's own too; vfio-early import makes bind lines of it"
	minds "$(tokens_value "$1" amd_iommu on)" useless \
		'not an option of the kernel: the AMD IOMMU is on by default'
	[ "$(host_iommu)" != amd ] ||
		minds "$(tokens_value "$1" intel_iommu on)" useless 'this IOMMU is not of Intel'
	_video=$(tokens_name "$1" video)
	for _token in $_video; do
		case $_token in
		*=efifb:off* | *=simplefb:off* | *=vesafb:off*)
			minds "$_token" useless "$(why_video "$_token")"
			;;
		esac
	done
}

# host_fix TOKEN: prints how one of ours goes, of the target that was looked at. A line of the config
# would bring it back.
host_fix() {
	case $nl$ours$nl,$config in
	*"${nl}apply $1$nl"*,auto | *"${nl}apply $1$nl"*,none) echo "$me apply" ;;
	*"${nl}apply $1$nl"*) echo "correct $config_from, then $me apply" ;;
	*) echo "$me remove $(quoted "$1")" ;;
	esac
}

# quoted TOKEN: prints it as it can be typed in a shell.
quoted() {
	case $1 in
	*[!a-zA-Z0-9_.,:=/@%+-]*) echo "'$1'" ;;
	*) echo "$1" ;;
	esac
}

# host_refuses LIST: prints those of LIST that "add" does not take: what is harmful, and root=, which
# the loader sets itself; "TOKEN TAB WHY" lines. early/plan.c, check_harm, has those that no host
# should have.
host_refuses() {
	host_minds "$1" | sed -n 's/	harmful	/	/p'
	minds "$(printf '%s\n' "$1" | grep '^"*root=')" refused 'the boot loader sets it itself' | sed 's/	refused	/	/'
}

# why_video TOKEN: prints why video=efifb:off does nothing with the kernels of this host, or
# nothing.
why_video() {
	case $1 in
	*,*)
		echo 'names one driver alone, and all behind the comma is passed to it'
		return
		;;
	*efifb*) ;;
	*)
		echo 'no option of that driver'
		return
		;;
	esac
	for _version in $kernels; do
		[ -r "$root/boot/config-$_version" ] || return
		! kernel_has "$_version" FB_EFI || kernel_has "$_version" SYSFB_SIMPLEFB || return
	done
	[ -z "$kernels" ] || echo "no kernel here has efifb: simpledrm has the screen, and vfio-pci takes it from it"
}

# locate TARGET TOKEN: prints the FILE:LINE where it is set.
locate() {
	{
		case $1 in
		grub)
			echo "$root/etc/default/grub"
			names /etc/default/grub.d '[!.]*.cfg'
			;;
		kernel) target_file kernel ;;
		esac
	} | while read -r _in; do
		{ [ -f "$_in" ] && [ -r "$_in" ]; } || continue
		grep -nF -e "$2" "$_in" | grep -v '^[0-9]*:[[:space:]]*#' |
			sed "s|:.*||; s|^|${_in#"$root"}:|" | tail -n 1
	done | sed -n 1p
}

# host_minded TARGET: prints what host_minds says of the next boot, as "TOKEN TAB KIND TAB WHERE TAB
# FIX TAB WHY" lines: FILE:LINE, and for one of ours how it goes, else "-"; call target_look first.
host_minded() {
	_mine=$(tokens_of "$ours")
	host_minds "$(without_us "$1")$nl$_mine" | while IFS='	' read -r _token _kind _why; do
		[ -n "$_why" ] || continue
		_where=$(locate "$1" "$_token") _fix=''
		[ -z "$(tokens_with "$_token" "$_mine")" ] || _fix=$(host_fix "$_token")
		printf '%s\t%s\t%s\t%s\t%s\n' "$_token" "$_kind" "${_where:--}" "${_fix:--}" "$_why"
	done
}

# warn_tokens: prints the warnings of host_minds about the next boot; harmful tokens must be removed
# by hand.
warn_tokens() {
	for target in $targets; do
		target_look "$target" 2>/dev/null || continue
		_minded=$(host_minded "$target")
		[ -n "$_minded" ] || continue
		while IFS='	' read -r _token _kind _where _fix _why; do
			[ "$_where" != - ] || _where=/proc/cmdline
			if [ "$_kind" = harmful ]; then
				[ "$_fix" != - ] || _fix="remove it, then $me refresh"
				by_hand "$_where: $_token: $_why; fix: $_fix"
			else
				_can=": $_fix"
				[ "$_fix" != - ] || _can=''
				warn "$_where: $_token: $_why; it can go$_can"
			fi
		done <<-EOT
		$_minded
		EOT
	done
}
