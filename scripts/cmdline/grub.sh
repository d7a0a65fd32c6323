# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What /etc/default/grub and /etc/default/grub.d/*.cfg come to: they are shell, so they are sourced,
# in grub-mkconfig's order. Defines only.

# Arguments: the root, our drop-in, its text as "=TEXT" or nothing for no such file. Prints a record
# for each file: its name, GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT behind it.
# shellcheck disable=SC2016 # of another shell
grub_script='root=$1 ours=$2 text=$3
exec 3>&1 >/dev/null </dev/null
IFS="
"
set -f
for file in "$root/etc/default/grub" $(
	{
		find "$root/etc/default/grub.d" -mindepth 1 -maxdepth 1 -name "[!.]*.cfg" \
			! -path "$ours"
		[ -z "$text" ] || printf "%s\n" "$ours"
	} 2>/dev/null | sort); do
	unset IFS
	set +f
	if [ "$file" = "$ours" ]; then
		eval "${text#=}"
	elif [ -e "$file" ]; then
		. "$file"
	else
		continue
	fi
	printf "%s\034%s\034%s\035" "${file#"$root"}" "${GRUB_CMDLINE_LINUX-}" \
		"${GRUB_CMDLINE_LINUX_DEFAULT-}" >&3
done'

# grub_trace TEXT: "FILE TAB GRUB_CMDLINE_LINUX TAB GRUB_CMDLINE_LINUX_DEFAULT" lines, when our
# drop-in is TEXT ("=..." or none). The files may be no shell at all: what was said before that
# counts.
grub_trace() {
	env -u GRUB_CMDLINE_LINUX -u GRUB_CMDLINE_LINUX_DEFAULT \
		sh -c "$grub_script" sh "$root" "$(target_file grub)" "$1" |
		awk 'BEGIN { RS = "\035"; FS = "\034" }
			{ gsub(/[\t\n]/, " "); print $1 "\t" $2 "\t" $3 }'
}

# grub_values TEXT: the tokens that GRUB hands over.
grub_values() {
	grub_trace "$1" | tail -n 1 | cut -f 2- | tokens_split
}

# grub_line FILE: the line in it that sets GRUB_CMDLINE_LINUX_DEFAULT last, ":LINE" or nothing.
grub_line() {
	grep -n '^[^#]*GRUB_CMDLINE_LINUX_DEFAULT=' "$root$1" 2>/dev/null |
		sed -n '$s/^\([0-9]*\):.*/:\1/p'
}

# grub_losses TEXT TOKENS: "FILE TAB TOKEN..." lines: the files after our drop-in that lose TOKENS.
grub_losses() {
	_ours=$(target_file grub)
	_before=''
	grub_trace "$1" | while IFS='	' read -r _file _values; do
		_now=$(tokens_with "$2" "$(printf '%s\n' "$_values" | tokens_split)")
		[ "$_file" != "${_ours#"$root"}" ] || _before=$_now
		_lost=$(tokens_without "$_before" "$_now")
		[ -z "$_lost" ] ||
			printf '%s\t%s\n' "$_file$(grub_line "$_file")" "$(words "$_lost")"
		_before=$(tokens_without "$_before" "$_lost")
	done
}

# grub_reaches TEXT TOKENS: says who loses them, and what to do.
grub_reaches() {
	_losses=$(grub_losses "$1" "$2")
	[ -n "$_losses" ] || return 0
	while IFS='	' read -r _file _lost; do
		# shellcheck disable=SC2016 # GRUB's
		by_hand "$_file: sets GRUB_CMDLINE_LINUX_DEFAULT anew, which loses $_lost; fix: begin its value with" \
			"\$GRUB_CMDLINE_LINUX_DEFAULT, then: $me refresh"
	done <<-EOT
	$_losses
	EOT
}
