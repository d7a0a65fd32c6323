# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What boots this machine, from what it left behind: what the loader told the firmware, what it put
# on the kernel command line, its own files. That a program or /etc/kernel/cmdline is there proves
# nothing.
# Defines only.

# running: the tokens that the running kernel was booted with.
running() {
	tokens_split 2>/dev/null <"$root/proc/cmdline"
}

# efi_variable NAME: the text of a variable of the Boot Loader Interface (systemd-boot(7)): four
# bytes of attributes, then UTF-16.
efi_variable() {
	_variable=$root/sys/firmware/efi/efivars/$1-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
	[ ! -r "$_variable" ] || tail -c +5 "$_variable" | tr -cd '[:print:]'
}

# names DIR PATTERN: the files of DIR with such a name, sorted.
names() {
	find "$root$1" -mindepth 1 -maxdepth 1 -name "$2" 2>/dev/null | sort
}

# has_program NAME
has_program() {
	if [ -z "$root" ]; then
		command -v "$1" >/dev/null
		return
	fi
	for _dir in /usr/sbin /usr/bin /sbin /bin; do
		[ ! -x "$root$_dir/$1" ] || return 0
	done
	return 1
}

# run_there COMMAND...: in that system; what it says is no result of ours.
run_there() {
	if [ -n "$root" ]; then
		chroot "$root" "$@" >&2 9>&-
	else
		"$@" >&2 9>&-
	fi
}

# kernels: the versions that are installed, one a line.
kernels() {
	names /boot 'vmlinu[xz]-*' | sed 's|.*/vmlinu[xz]-||' | sort -u
}

# loader_cmdline_from: where loader_cmdline finds it.
loader_cmdline_from() {
	if [ "$loader" != proxmox ] && [ -s "$root/usr/lib/kernel/cmdline" ]; then
		echo /usr/lib/kernel/cmdline
	else
		echo /proc/cmdline
	fi
}

# loader_cmdline: the command line that loaders use without /etc/kernel/cmdline, to be its first
# text. What is for one boot alone is left out. Fails, and has said why, when there is none.
loader_cmdline() {
	if [ "$(loader_cmdline_from)" != /proc/cmdline ]; then
		cat "$root$(loader_cmdline_from)"
		return
	fi
	_line=$(running | grep -v -e '^BOOT_IMAGE=' -e '^initrd=' -e '^vfio_early=')
	if [ -z "$_line" ]; then
		warn "/proc/cmdline is empty, so /etc/kernel/cmdline cannot be made from it; fix: write it by hand"
		return 1
	elif [ "$loader" = proxmox ] && [ -z "$(tokens_name "$_line" root)" ]; then
		warn "/proc/cmdline has no root=, so /etc/kernel/cmdline cannot be made from it; fix: write it by hand"
		return 1
	fi
	words "$_line"
	echo
}

# What is looked at on an ESP, whose folder is the argument: first which loader it has, in the order
# in which proxmox-boot-tool asks, then that loader's entries as they are.
# shellcheck disable=SC2016 # of another shell
esp_script='cd "$1" || exit
if [ -e EFI/proxmox/grubx64.efi ]; then
	echo GRUB
	cat grub/grub.cfg
elif [ -e loader/loader.conf ] && [ -d EFI/proxmox ]; then
	echo systemd-boot
	cat loader/entries/proxmox-*.conf
elif [ -d grub ]; then
	echo GRUB on BIOS
	cat grub/grub.cfg
else
	echo nothing
fi 2>/dev/null'

# esp_read UUID: that, of one ESP; "unknown" when it cannot be seen. An ESP is not mounted as a
# rule: then it is, read-only, where nobody else sees it. (proxmox-boot-tool status mounts it for
# writing, and cannot tell an ESP that had systemd-boot before it had GRUB.)
esp_read() {
	_device=$root/dev/disk/by-uuid/$1
	if [ ! -e "$_device" ] && [ ! -L "$_device" ]; then
		echo absent
		return
	fi
	_name=$(readlink "$_device")
	_mounted=$(awk -v name="${_name##*/}" '{
			for (i = 7; i < NF && $i != "-"; i++)
				;
			source = $(i + 2)
			sub(/.*\//, "", source)
			if (source == name) {
				print $5
				exit
			}
		}' "$root/proc/self/mountinfo" 2>/dev/null)
	if [ -n "$_mounted" ]; then
		sh -c "$esp_script" sh "$root$_mounted"
	elif [ -z "$root" ] && [ "$(id -u)" -eq 0 ]; then
		# shellcheck disable=SC2016 # of another shell
		unshare --mount --propagation private sh -c '
			mount -t vfat -o ro "$1" /tmp && exec sh -c "$2" sh /tmp' \
			sh "$_device" "$esp_script" 2>/dev/null || echo unknown
	else
		echo unknown
	fi
}

# esp_uuids: those that proxmox-boot-tool keeps.
esp_uuids() {
	grep -ioE '^[0-9a-f]{4}-[0-9a-f]{4}' "$root/etc/kernel/proxmox-boot-uuids" 2>/dev/null
}

# loader_proxmox: proxmox-boot-tool; each ESP has its own loader, a BIOS reads GRUB alone.
loader_proxmox() {
	loader=proxmox
	loader_text=proxmox-boot-tool
	if [ ! -d "$root/sys/firmware/efi" ]; then
		targets=grub
		loader_text="$loader_text (GRUB, on BIOS)"
		return
	fi
	_grub='' _systemd=''
	for _uuid in $(esp_uuids); do
		_read=$(esp_read "$_uuid")
		_mode=${_read%%"$nl"*}
		esps=$esps${esps:+$nl}"$_uuid ${_mode:-unknown}"
		case $_mode in
		GRUB) _grub=1 ;;
		systemd-boot) _systemd=1 ;;
		absent | nothing | GRUB*) ;;
		*) _grub=1 _systemd=1 ;;
		esac
	done
	if [ -z "$_grub$_systemd" ]; then
		loader_text="$loader_text (none of its ESPs can boot this machine)"
		return
	fi
	targets="${_grub:+grub} ${_systemd:+kernel}"
	loader_text="$loader_text ($(printf '%s\n' "$esps" |
		sed 's/ /: /; s/unknown$/cannot be looked at and so the files of both loaders are kept/' |
		paste -sd, | sed 's/,/, /g'))"
}

# loader_find: sets $loader, $loader_text for people, $targets: the files that feed it, none when we
# cannot change its command line; and for proxmox-boot-tool $esps, "UUID LOADER" lines.
loader_find() {
	loader=other loader_text='' targets='' esps=''
	if [ -n "$(esp_uuids)" ]; then
		if has_program proxmox-boot-tool; then
			loader_proxmox
		else
			loader_text="proxmox-boot-tool, which /etc/kernel/proxmox-boot-uuids is of, is not installed"
		fi
		return
	fi
	_stub=$(efi_variable StubInfo)
	if [ -n "$_stub" ]; then
		loader=uki
		loader_text="a unified kernel image ($_stub), which has its command line inside"
		return
	fi
	_info=$(efi_variable LoaderInfo)
	_grub='' _systemd=''
	[ ! -e "$root/boot/grub/grub.cfg" ] || _grub=1
	[ -z "$(loader_entries)" ] || _systemd=1
	case $_info in
	systemd-boot*) loader=systemd-boot ;;
	GRUB*) loader=grub ;;
	?*)
		loader_text="boot loader $_info"
		return
		;;
	*)
		case $(words "$(running)") in
		*BOOT_IMAGE=*) [ -z "$_grub" ] || loader=grub ;;
		*initrd=\\*) loader_text="the firmware itself (EFI stub; see efibootmgr -v)" ;;
		*)
			case $_grub,$_systemd in
			1,) loader=grub ;;
			,1) loader=systemd-boot ;;
			1,1) loader_text='GRUB or systemd-boot, both are there' ;;
			esac
			;;
		esac
		;;
	esac
	case $loader in
	grub)
		targets=grub
		loader_text=GRUB
		;;
	systemd-boot)
		targets=kernel
		loader_text=systemd-boot
		;;
	*) loader_text=${loader_text:-'a boot loader that is not known'} ;;
	esac
}

# loader_entries: the entries that kernel-install made for installed kernels.
loader_entries() {
	for _dir in /efi /boot /boot/efi; do
		for _version in $(kernels); do
			names "$_dir/loader/entries" "*-$_version.conf"
			names "$_dir/loader/entries" "*-$_version+*.conf"
		done
	done
}

# entries_grub <GRUB.CFG: the command lines of its normal entries for this system, one a line.
entries_grub() {
	awk '$1 == "menuentry" { mine = /gnulinux-/ && !/osprober/ && !/-recovery-/ }
		mine && $1 ~ /^linux(16|efi)?$/ { $1 = $2 = ""; print }'
}

# entries_bls <ENTRIES: the command lines of entries of the Boot Loader Specification.
entries_bls() {
	sed -n 's/^options[[:space:]]*//p'
}

# entries TARGET: the command lines of the next boot, as far as the file feeds them.
entries() {
	case $loader,$1 in
	grub,*) [ ! -r "$root/boot/grub/grub.cfg" ] || entries_grub <"$root/boot/grub/grub.cfg" ;;
	systemd-boot,*)
		loader_entries | while read -r _entry; do
			entries_bls <"$_entry"
		done
		;;
	proxmox,*)
		for _uuid in $(esp_uuids); do
			_read=$(esp_read "$_uuid")
			case ${_read%%"$nl"*},$1 in
			GRUB*,grub) printf '%s\n' "$_read" | entries_grub ;;
			systemd-boot,kernel) printf '%s\n' "$_read" | entries_bls ;;
			esac
		done
		;;
	esac
}

# entries_check: that the loader's entries have what is ours; else says which has not.
entries_check() {
	for target in $targets; do
		target_look "$target" || continue
		[ -n "$ours" ] || continue
		_tokens=$(target_values "$target" "=$content")
		_tokens=$(tokens_with "$(tokens_of "$ours")" "$_tokens")
		[ -n "$_tokens" ] || continue
		_lines=$(entries "$target")
		if [ -z "$_lines" ]; then
			by_hand "$loader_text: no entry for an installed kernel can be seen; look there for:" \
				"$(words "$_tokens")"
			continue
		fi
		_short=$(printf '%s\n' "$_lines" | while read -r _line; do
			tokens_without "$_tokens" "$(printf '%s\n' "$_line" | tokens_split)"
		done | sort -u)
		[ -z "$_short" ] ||
			by_hand "$loader_text: was refreshed, but an entry is without $(words "$_short")"
	done
}

# refresh_systemd: a new entry for each kernel, as systemd-boot's own hooks for kernel packages make
# it.
refresh_systemd() {
	for _version in $(kernels); do
		_image=/boot/vmlinuz-$_version
		[ -e "$root$_image" ] || _image=/boot/vmlinux-$_version
		set -- kernel-install add "$_version" "$_image"
		[ ! -e "$root/boot/initrd.img-$_version" ] ||
			set -- "$@" "/boot/initrd.img-$_version"
		refresh_by "$@" || return
	done
}

# refresh_by COMMAND...: one program that refreshes. DEB_MAINT_PARAMS is what a kernel package tells
# its hooks; proxmox-boot-tool runs the same hooks, which would do nothing if another's was there.
refresh_by() {
	if [ -n "$dry_run" ]; then
		say "boot loader: would be refreshed by: $*"
		return
	fi
	if ! has_program "$1"; then
		by_hand "$1 is not installed; fix: install it, then: $me refresh"
		return 1
	fi
	run_there env -u DEB_MAINT_PARAMS "$@"
	_status=$?
	[ $_status -ne 0 ] || return 0
	by_hand "$* failed (exit status $_status), so the next boot is as it was; fix what it says above, then:" \
		"$me refresh"
	return 1
}

# refresh_other: fails, as for a loader that we cannot refresh; says so when that matters.
refresh_other() {
	if [ "$loader" = uki ]; then
		by_hand "$loader_text, and the old initramfs; make it anew by hand"
	elif is_refresh_due; then
		by_hand "$loader_text: has not been given the last change; do that by hand"
	else
		say "boot loader: nothing of $me is in it: $loader_text"
	fi
	return 1
}

# refresh: hands the files to the loader, and reads back what it made of them.
refresh() {
	case $loader in
	grub) refresh_by update-grub ;;
	# In GRUB's mode too: update-grub alone writes what these ESPs do not read, and when dpkg
	# runs it does not pass it on.
	proxmox) refresh_by proxmox-boot-tool refresh ;;
	systemd-boot) refresh_systemd ;;
	*) refresh_other ;;
	esac || return
	[ -z "$dry_run" ] || return 0
	say "boot loader: refreshed: $loader_text"
	drop "$records/refresh" || result=1
	entries_check
}
