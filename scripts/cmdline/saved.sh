# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Saves and restores the files that feed the loader, with their records, for a
# trial boot (vfio-early apply --try). The folder has for each target
#
#   TARGET.file        the file; missing if there was none
#   TARGET.record      the record, and TARGET.record.original, if the file had tokens of ours
#
# and "saved", by which a folder is known in which there was nothing to save.
#
# Defines only.

# saved_below DIR: is it the plain name of a folder below ours, and not that of the records?
saved_below() {
	case $1/ in
	*//* | */./* | */../* | /var/lib/vfio-early/cmdline/*) return 1 ;;
	/var/lib/vfio-early/?*) ;;
	*) return 1 ;;
	esac
}

# saved_may_be DIR: is there nothing in it but what "save" has put there? A folder that is not there
# or empty has nothing else either. "save" removes all of it.
saved_may_be() {
	[ -e "$1" ] || [ -L "$1" ] || return 0
	[ -d "$1" ] && [ ! -L "$1" ] || return
	[ -z "$(find "$1" -mindepth 1 ! -name saved ! -name grub.file ! -name kernel.file ! -name grub.record \
		! -name kernel.record ! -name grub.record.original ! -name kernel.record.original 2>&1)" ]
}

# saved_is DIR: has "save" made it? One that is not empty may be of a version without the mark.
saved_is() {
	[ -e "$1/saved" ] || [ -n "$(find "$1" -mindepth 1 2>/dev/null)" ]
}

# saved_copy FILE COPY: makes a flushed copy, with mode and owner; none if there is no file.
saved_copy() {
	[ -e "$1" ] || return 0
	cp -a "$1" "$2" && sync "$2"
}

# saved_path TARGET: sets $file, with its links resolved.
saved_path() {
	file=$(target_file "$1")
	[ ! -L "$file" ] || [ -n "$root" ] || file=$(readlink -f "$file")
}

# targets_save: makes the folder $saved; it is complete when this returns.
targets_save() {
	_new=$saved.vfio-early-new
	rm -rf "$_new" && make_dir "$_new" && : >"$_new/saved" && sync "$_new/saved" || return
	for target in grub kernel; do
		saved_path "$target"
		if [ -L "$file" ]; then
			warn "${file#"$root"} is a symbolic link, which is not followed below $root"
			return 1
		fi
		saved_copy "$file" "$_new/$target.file" &&
			saved_copy "$records/$target" "$_new/$target.record" &&
			saved_copy "$records/$target.original" "$_new/$target.record.original" || return
	done
	sync "$_new" && rm -rf "$saved" && mv -T "$_new" "$saved" && flush "${saved%/*}"
}

# saved_same A B: do both have the same text, or do both not exist?
saved_same() {
	if [ -e "$1" ] && [ -e "$2" ]; then
		cmp -s "$1" "$2"
	else
		[ ! -e "$1" ] && [ ! -e "$2" ]
	fi
}

# saved_put COPY FILE: makes FILE equal to COPY, or removes it if there is no COPY.
saved_put() {
	if saved_same "$1" "$2"; then
		return 0
	elif [ -e "$1" ]; then
		make_dir "${2%/*}" && keep "$1" "$2"
	else
		drop "$2"
	fi
}

# target_restore TARGET: restores the file and its record. The record goes last: after a power cut,
# its digests tell what was done, and the next restore does the rest.
target_restore() {
	saved_path "$1"
	record_read "$1" || made=''
	if [ -n "$dry_run" ]; then
		saved_same "$saved/$1.file" "$file" || say "${file#"$root"}: would be put back"
		return 0
	fi
	saved_same "$saved/$1.file" "$file" || {
		if [ -e "$saved/$1.file" ]; then
			say "${file#"$root"}: put back"
		else
			say "${file#"$root"}: removed: there was none when it was saved"
		fi
		make_dir "$records" && put "$records/refresh" '' || return
		[ ! -e "$file" ] || keep "$file" "$records/$1.before" || return
	}
	saved_put "$saved/$1.file" "$file" &&
		saved_put "$saved/$1.record.original" "$records/$1.original" &&
		saved_put "$saved/$1.record" "$records/$1" || return
	[ -e "$file" ] || [ -z "$made" ] || rmdir "$root$made" 2>/dev/null || :
}

# targets_restore: puts back all that was saved.
targets_restore() {
	for target in grub kernel; do
		target_restore "$target" || {
			by_hand "${file#"$root"} cannot be put back"
			return 1
		}
	done
}
