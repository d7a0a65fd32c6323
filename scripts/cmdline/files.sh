# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Every write. After a power cut a file is either the old or the new one: the new text is written to
# a temporary file beside it, flushed, and renamed over it; then the folder is flushed. The first
# functions make sure that no file is read which may never end. Defines only.

# is_null FILE: does it lead to /dev/null, which reads as an empty file?
is_null() {
	[ "$(stat -L -c %t:%T "$1")" = 1:3 ]
}

# files_check: exits with an error if files that are read are devices, pipes or sockets, which may
# never end. A folder fails at once.
files_check() {
	_odd=$(
		cd "$root/" && set +f || exit
		for _file in etc/default/grub etc/default/grub.d/*.cfg boot/grub/grub.cfg boot/grub/grubenv \
			efi/loader/loader.conf boot/loader/loader.conf boot/efi/loader/loader.conf \
			efi/loader/entries/*.conf boot/loader/entries/*.conf boot/efi/loader/entries/*.conf \
			etc/kernel/* usr/lib/kernel/cmdline etc/machine-info etc/machine-id etc/os-release \
			proc/cmdline proc/cpuinfo proc/self/mountinfo proc/sys/kernel/osrelease \
			boot/config-* var/lib/vfio-early/cmdline/*; do
			[ -e "$_file" ] && [ ! -f "$_file" ] && [ ! -d "$_file" ] || continue
			is_null "$_file" || printf '/%s\n' "$_file"
		done
	) || exit 1
	[ -n "$_odd" ] || return 0
	while read -r _file; do
		warn "$_file is not a regular file, so it is not read; fix: move it away"
	done <<-EOT
	$_odd
	EOT
	exit 1
}

# files_below: below --root, exits with an error if a folder that is written to leads out of the tree.
files_below() {
	[ -n "$root" ] || return 0
	for _dir in etc/default/grub.d etc/kernel var/lib/vfio-early/cmdline run/vfio-early; do
		_dir=$root/$_dir
		while [ ! -e "$_dir" ] && [ ! -h "$_dir" ]; do
			_dir=${_dir%/*}
		done
		case $(cd "$_dir" 2>/dev/null && pwd -P)/ in
		"$root"/* | /) ;;
		*)
			warn "${_dir#"$root"} leads out of $root, so nothing is written there; fix: run this" \
				"in a chroot of it"
			exit 1
			;;
		esac
	done
}

# slurp FILE: reads all of it into $content, and sets $present if it exists. Fails, after printing
# an error, if it cannot be read or is not text.
slurp() {
	content='' present=''
	if [ ! -e "$1" ] && [ ! -L "$1" ]; then
		return 0
	fi
	if [ ! -f "$1" ]; then
		warn "${1#"$root"} is not a regular file; fix: move it away"
		return 1
	fi
	# The x protects newlines at the end.
	content=$(cat "$1" && echo x) || return
	content=${content%x}
	# A variable of the shell holds no NUL byte.
	printf '%s' "$content" | cmp -s - "$1" || {
		warn "${1#"$root"} is not a text file: it has a NUL byte; fix: restore it"
		return 1
	}
	present=1
}

# digest TEXT: sets $digest to its SHA-256.
digest() {
	digest=$(printf '%s' "$1" | sha256sum)
	digest=${digest%% *}
}

# make_dir DIR: makes it and the folders above it, and flushes them.
make_dir() {
	[ ! -d "$1" ] || return 0
	make_dir "${1%/*}" && mkdir "$1" && flush "${1%/*}"
}

# flush DIR: flushes the folder after a rename or removal. A failure is only reported.
flush() {
	sync "$1" || by_hand "${1#"$root"} cannot be flushed to the disk, which may be failing"
}

# put FILE TEXT: replaces the content; mode and owner stay. If it fails, FILE is unchanged.
put() {
	_new=${1%/*}/.${1##*/}.vfio-early-new
	if rm -f "$_new" &&
		{ [ ! -e "$1" ] || cp -a "$1" "$_new"; } &&
		printf '%s' "$2" >"$_new" && sync "$_new" && mv -fT "$_new" "$1"; then
		flush "${1%/*}"
	else
		rm -f "$_new"
		return 1
	fi
}

# keep FILE COPY: makes a copy, with mode and owner.
keep() {
	_new=${2%/*}/.${2##*/}.vfio-early-new
	rm -f "$_new" && cp -a "$1" "$_new" && sync "$_new" && mv -fT "$_new" "$2" &&
		flush "${2%/*}"
}

# drop FILE...: removes them, and flushes that.
drop() {
	for _file; do
		[ -e "$_file" ] || continue
		rm -f "$_file" || return
		flush "${_file%/*}"
	done
}

# show_diff FILE NEW: shows the change of FILE, whose text is in $content. NEW is "=" and the new
# text, or empty if FILE is removed.
show_diff() {
	_old=${1#"$root"} _label=${1#"$root"}
	[ -n "$present" ] || _old=/dev/null
	[ -n "$2" ] || _label=/dev/null
	if [ -n "$present" ]; then
		printf '%s' "${2#=}" | diff -u --label "$_old" --label "$_label" "$1" -
	else
		printf '%s' "${2#=}" | diff -u --label "$_old" --label "$_label" /dev/null -
	fi
	[ $? -le 1 ]
}
