# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The files are handed to the loader by its own program, and what it made of them is read back. Also the
# loaders that we cannot refresh: what is to be done by hand, and the word that it was done.
# Defines only.

# refresh_kernels: the versions for which systemd-boot is to have an entry: those with an image, and
# with modules, unless no kernel has any here.
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

# refresh_systemd: a new entry for each kernel, as systemd-boot's own hooks for kernel packages make
# it.
refresh_systemd() {
	_list=$(refresh_kernels)
	if [ -z "$_list" ]; then
		by_hand "systemd-boot: no kernel in /boot has an image, so there is nothing to make an entry of;" \
			"fix: make the images, then: $me refresh"
		return 1
	fi
	for _kernel in $_list; do
		_vmlinuz=/boot/vmlinuz-$_kernel
		[ -e "$root$_vmlinuz" ] || _vmlinuz=/boot/vmlinux-$_kernel
		refresh_by kernel-install add "$_kernel" "$_vmlinuz" "$(kernel_image "$_kernel")" || return
		[ -n "$dry_run" ] || drop_older "$_kernel"
	done
}

# drop_older VERSION: with /etc/kernel/tries kernel-install writes NAME+N.conf, and leaves the NAME.conf
# that proved good, and those counted down, as they were: with the old parameters. They go, once the new
# one is there and has what the file says.
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

# refresh_by COMMAND...: one program that refreshes. DEB_MAINT_PARAMS is what a kernel package tells
# its hooks; proxmox-boot-tool runs the same hooks, which would do nothing if another's was there.
refresh_by() {
	if [ -n "$dry_run" ]; then
		say "boot loader: would be refreshed by: $*"
		return
	fi
	if ! is_trusted; then
		by_hand "$root is not root's, so nothing of it is run; fix: run $me refresh in that system"
		return 1
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

# run_there COMMAND...: in that system; what it says is no result of ours.
run_there() {
	if [ -n "$root" ]; then
		chroot "$root" "$@" >&2 9>&-
	else
		"$@" >&2 9>&-
	fi
}

# esps_check: whether proxmox-boot-tool, which skips what it cannot reach and calls that a success, has
# written an ESP, and none has other images than /boot.
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
			"proxmox-boot-tool status, then proxmox-boot-tool init for the ESP that is there, and: $me refresh"
		return 1
	fi
	[ -z "$_missed" ] || warn "proxmox-boot-tool has not reached the ESP $_missed; if it is gone for good:" \
		"proxmox-boot-tool clean"
	_differ=$(esp_images | sed -n 's/^\(.*\) \(.*\) differs$/\2 on \1/p' | paste -sd, | sed 's/,/, /g')
	[ -z "$_differ" ] && return
	by_hand "an ESP has another image than /boot: $_differ; fix: see that the ESP is not full (proxmox-boot-tool" \
		"status), then: $me refresh"
	return 1
}

# entries_check: that the loader's entries have what is ours; else says which has not.
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

# hand_images: the images of all kernels, as they are now.
hand_images() {
	for _version in $kernels; do
		_image=$(kernel_image "$_version")
		[ -z "$_image" ] || stat -c "image $_image %s %Y" "$root$_image" | tr '\n' ' '
	done
}

# hand_done: remembers that the administrator has given the loader all of it: these images, and the
# parameters that this boot lacks.
hand_done() {
	if [ "$loader" = grub ] || [ "$loader" = systemd-boot ] || [ "$loader" = proxmox ]; then
		wrong "refresh --by-hand is for loaders that $me cannot refresh; this is $loader_text"
	fi
	config_read || exit 1
	_boot=''
	[ -n "$root" ] || read -r _boot </proc/sys/kernel/random/boot_id
	make_dir "$records" && put "$records/by-hand" "boot $_boot
tokens $(words "$(hand_missing)")
images $(hand_images)
" && drop "$records/refresh" && say "boot loader: updated by hand: $loader_text" || result=1
}

# hand_word KEY: what was remembered of it.
hand_word() {
	sed -n "s/^$1 //p" "$records/by-hand" 2>/dev/null
}

# hand_missing: what the config asks for and this boot has not.
hand_missing() {
	tokens_without "$(host_wants "$(running)" | cut -f 1)" "$(running)"
}

# hand_text: what is to be done by hand with a loader that has copies of the images.
hand_text() {
	case $loader in
	uki) _do='make it again from the new image, as it was made before (ukify, dracut --uki)' ;;
	stub) _do='copy the new image to the ESP, to where efibootmgr -v shows the old one' ;;
	esac
	by_hand "$loader_text: it has the old image; by hand: $_do, then: $me refresh --by-hand"
}

# refresh_other: fails, as for a loader that we cannot refresh; says so when that matters.
refresh_other() {
	if [ -e "$records/by-hand" ] && [ "$(hand_word images)" = "$(hand_images)" ]; then
		say "boot loader: updated by hand: $loader_text"
		drop "$records/refresh" || result=1
	elif [ "$loader" = uki ] || [ "$loader" = stub ]; then
		hand_text
	elif is_refresh_due; then
		by_hand "$loader_text: does not have the last change; add it by hand, then: $me refresh --by-hand"
	else
		say "boot loader: nothing of $me is in it: $loader_text"
	fi
	return 1
}

# guard: nothing of this boot is to become permanent by what comes next; and a file that is there for
# that reason alone goes, once it has done its work.
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

# refresh: hands the files to the loader, and reads back what it made of them.
refresh() {
	guard || return
	case $loader in
	grub) refresh_by update-grub ;;
	# In GRUB's mode too: update-grub alone writes what these ESPs do not read, and when dpkg
	# runs it does not pass it on.
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
