# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Refreshes the loader with its own program, and reads the result back. For loaders that cannot be
# refreshed here: what the administrator must do, and the note that it was done. Defines only.

# refresh_kernels: prints the versions that need an entry of systemd-boot: those with an image and
# with modules, or those with an image if no kernel has modules here.
refresh_kernels() {
	_any=''
	for _version in $kernels; do
		[ ! -d "$root/lib/modules/$_version" ] || _any=1
	done
	for _version in $kernels; do
		[ -n "$(kernel_image "$_version")" ] || continue
		[ -z "$_any" ] || [ -d "$root/lib/modules/$_version" ] || continue
		echo "$_version"
	done
}

# refresh_systemd: makes a new entry for each kernel, as systemd-boot's own hooks for kernel
# packages do.
refresh_systemd() {
	_list=$(refresh_kernels)
	if [ -z "$_list" ]; then
		by_hand "systemd-boot: no kernel in /boot has an image, so there is nothing to make an entry of;" \
			"fix: make the images, then: $again"
		return 1
	fi
	for _kernel in $_list; do
		_vmlinuz=/boot/vmlinuz-$_kernel
		[ -e "$root$_vmlinuz" ] || _vmlinuz=/boot/vmlinux-$_kernel
		refresh_by kernel-install add "$_kernel" "$_vmlinuz" "$(kernel_image "$_kernel")" || return
		[ -n "$dry_run" ] || drop_older "$_kernel"
	done
}

# drop_older VERSION: with /etc/kernel/tries, kernel-install writes NAME+N.conf. It leaves the
# NAME.conf of a good boot, and those that were counted down, with the old parameters. This removes
# them once the new one exists and has the tokens of the file.
drop_older() {
	_suffix=.conf
	if [ -r "$root/etc/kernel/tries" ]; then
		read -r _tries <"$root/etc/kernel/tries"
		_suffix=+$_tries.conf
	fi
	target_look kernel || return
	_set=$(target_values kernel "${present:+=$content}")
	entries_read
	entries_own "$entries" | VERSION=$1 awk -F '\t' '$4 == ENVIRON["VERSION"] { print $5 "\t" $8 }' |
		while IFS='	' read -r _place _line; do
			_new=${_place%:*}
			case $_new in
			*"-$1$_suffix") ;;
			*) continue ;;
			esac
			[ -z "$(tokens_without "$_set" "$(printf '%s\n' "$_line" | tokens_split)")" ] || continue
			names "${_new%/*}" "*-$1*.conf" | while read -r _old; do
				case ${_old#"${root}${_new%"$_suffix"}"} in
				"$_suffix") ;;
				.conf | +[0-9]*.conf) drop "$_old" && say "boot loader: removed the older entry ${_old#"$root"}" ;;
				esac
			done
		done
}

# refresh_by COMMAND...: runs a program that refreshes. A kernel package sets DEB_MAINT_PARAMS for
# its hooks; proxmox-boot-tool runs the same hooks, which would do nothing with the value of another
# package.
refresh_by() {
	if [ -n "$dry_run" ]; then
		say "boot loader: would be refreshed by: $*"
		return
	fi
	if ! is_trusted; then
		by_hand "$root is not root's, so nothing of it is run; fix: run $again in that system"
		return 1
	fi
	if ! has_program "$1"; then
		by_hand "$1 is not installed; fix: install it, then: $again"
		return 1
	fi
	run_there env -u DEB_MAINT_PARAMS "$@"
	_status=$?
	[ $_status -ne 0 ] || return 0
	by_hand "$* failed (exit status $_status), so the next boot is as it was; fix what it says above, then:" \
		"$again"
	return 1
}

# run_there COMMAND...: runs it in that system; its output is not our result.
run_there() {
	if [ -n "$root" ]; then
		chroot "$root" "$@" >&2 9>&-
	else
		"$@" >&2 9>&-
	fi
}

# esps_check: proxmox-boot-tool skips what it cannot reach and still succeeds. Has it written an
# ESP, and do all of them have the same images as /boot?
esps_check() {
	esps_read
	_reached='' _missed=''
	while read -r _uuid _mode; do
		case $_mode in
		absent | nothing | unknown) _missed=$_missed${_missed:+, }$_uuid ;;
		*) _reached=1 ;;
		esac
	done <<-EOT
	$esps
	EOT
	if [ -z "$_reached" ]; then
		by_hand "proxmox-boot-tool has reached none of its ESPs ($_missed), so the next boot is as it was; fix:" \
			"proxmox-boot-tool status, then proxmox-boot-tool init for the ESP that is there, and: $again"
		return 1
	fi
	[ -z "$_missed" ] || warn "proxmox-boot-tool has not reached the ESP $_missed; if it is gone for good:" \
		"proxmox-boot-tool clean"
	_differ=$(esp_images | sed -n 's/^\(.*\) \(.*\) differs$/\2 on \1/p' | paste -sd, | sed 's/,/, /g')
	[ -z "$_differ" ] && return
	by_hand "an ESP has another image than /boot: $_differ; fix: see that the ESP is not full (proxmox-boot-tool" \
		"status), then: $again"
	return 1
}

# entries_check: do the loader's entries have our tokens? If not, reports which one does not.
entries_check() {
	for target in $targets; do
		target_look "$target" || continue
		[ -n "$ours" ] || continue
		_tokens=$(target_values "$target" "=$content")
		_tokens=$(tokens_with "$(tokens_of "$ours")" "$_tokens")
		[ -n "$_tokens" ] || continue
		_seen=''
		while IFS='	' read -r _target _next _whose _version _place _image _how _line; do
			[ "$_target" = "$target" ] || continue
			_seen=1
			_short=$(tokens_without "$_tokens" "$(printf '%s\n' "$_line" | tokens_split)")
			[ -z "$_short" ] ||
				by_hand "$loader_text: was refreshed, but an entry lacks $(words "$_short"): $_place"
		done <<-EOT
		$(entries_own "$entries")
		EOT
		[ -n "$_seen" ] ||
			by_hand "$loader_text: no entry for an installed kernel can be seen; look there for:" \
				"$(words "$_tokens")"
	done
}

# hand_images: prints the current images of all kernels, one a line.
hand_images() {
	for _version in $kernels; do
		_image=$(kernel_image "$_version")
		[ -z "$_image" ] || stat -c "image $_image %s %Y" "$root$_image"
	done
}

# hand_is_current: was everything given to the loader by hand, and is each image one of those?
hand_is_current() {
	[ -e "$records/by-hand" ] || return
	_given=" $(hand_word images) "
	_current=$(hand_images)
	while read -r _current_image; do
		case $_given in
		*" $_current_image "*) ;;
		*) [ -z "$_current_image" ] || return 1 ;;
		esac
	done <<-EOT
	$_current
	EOT
}

# hand_done: records that the administrator has given everything to the loader: these images, and
# the parameters that this boot does not have.
hand_done() {
	if [ "$loader" = grub ] || [ "$loader" = systemd-boot ] || [ "$loader" = proxmox ]; then
		wrong "refresh --by-hand is for loaders that $me cannot refresh; this is $loader_text"
	fi
	config_read || exit 1
	_boot=''
	[ -n "$root" ] || read -r _boot </proc/sys/kernel/random/boot_id
	make_dir "$records" && put "$records/by-hand" "boot $_boot
tokens $(words "$(hand_missing)")
images $(words "$(hand_images)")
" && drop "$records/refresh" && say "boot loader: updated by hand: $loader_text" || result=1
}

# hand_word KEY: prints what was recorded for it.
hand_word() {
	sed -n "s/^$1 //p" "$records/by-hand" 2>/dev/null
}

# hand_missing: prints what the config asks for and this boot does not have.
hand_missing() {
	tokens_without "$(host_wants "$(running)" | cut -f 1)" "$(running)"
}

# hand_text: prints what must be done by hand with a loader that has copies of the images.
hand_text() {
	case $loader in
	uki) _do='make it again from the new image, as it was made before (ukify, dracut --uki)' ;;
	stub) _do='copy the new image to the ESP, to where efibootmgr -v shows the old one' ;;
	esac
	by_hand "$loader_text: it has the old image; by hand: $_do$then_by_hand"
}

# refresh_other: fails, because this loader cannot be refreshed; reports it if that matters.
refresh_other() {
	if hand_is_current; then
		say "boot loader: updated by hand: $loader_text"
		drop "$records/refresh" || result=1
	elif [ "$loader" = uki ] || [ "$loader" = stub ]; then
		hand_text
	elif is_refresh_due; then
		by_hand "$loader_text: does not have the last change; make it there by hand$then_by_hand"
	else
		say "boot loader: nothing of $me is in it: $loader_text"
	fi
	return 1
}

# guard: keeps parameters of this boot from becoming permanent in the next step, and removes a file
# that exists only for that once it is no longer needed.
guard() {
	case " $targets " in
	*' kernel '*) ;;
	*) return 0 ;;
	esac
	if [ ! -e "$records/kernel" ] && { [ -e "$root/etc/kernel/cmdline" ] || [ -h "$root/etc/kernel/cmdline" ]; }; then
		return 0
	fi
	if ! target_look kernel; then
		result=1
		return 1
	fi
	if [ -z "$present" ]; then
		! must_stay "$added" || target_set kernel ''
	elif [ -n "$base_absent" ] && [ -z "$ours" ] && ! must_stay "$added"; then
		target_set kernel ''
	fi
}

# refresh: refreshes the loader, and reads the result back.
refresh() {
	guard || return
	case $loader in
	grub) refresh_by update-grub ;;
	# Also in GRUB mode: update-grub alone writes files that these ESPs do not read, and while
	# dpkg runs it does not call proxmox-boot-tool.
	proxmox) refresh_by proxmox-boot-tool refresh ;;
	systemd-boot) refresh_systemd ;;
	*) refresh_other ;;
	esac || return
	[ -z "$dry_run" ] || return 0
	if [ "$loader" = proxmox ]; then
		esps_check || return
	fi
	entries_read
	say "boot loader: refreshed: $loader_text"
	drop "$records/refresh" || result=1
	entries_check
}
