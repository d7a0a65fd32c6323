# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The report. Defines only.

# row NAME TEXT
row() {
	printf '%-14s %s\n' "$1" "${2:--}"
}

# show_grub: what each file adds to the command line, or takes from it.
show_grub() {
	_seen=''
	grub_trace "${present:+=$content}" | while IFS='	' read -r _file _values; do
		_now=$(printf '%s\n' "$_values" | tokens_split)
		_more=$(tokens_without "$_now" "$_seen") _less=$(tokens_without "$_seen" "$_now")
		[ -z "$_more$_less" ] ||
			row '' "$_file:${_more:+ $(words "$_more")}${_less:+ (loses: $(words "$_less"))}"
		_seen=$_now
	done
}

# show_target TARGET
show_target() {
	target_look "$1" || {
		result=1
		return
	}
	row 'set in' "${file#"$root"}$([ -n "$present" ] || echo ' (not there)')"
	case $1 in
	grub) show_grub ;;
	kernel)
		[ -z "$present" ] || printf '%s\n' "${content%"$nl"}" | sed 's/^/               /'
		;;
	esac
	[ -z "$ours" ] || row 'added' "$(words "$(tokens_of "$ours")")"
	_next=$(target_values "$1" "${present:+=$content}")
	row 'next boot' "$(words "$_next")"
	_running=$(running)
	# What the loader adds itself, or differs with every kernel.
	_gone=$(tokens_without "$_running" "$_next" |
		grep -v -E '^(BOOT_IMAGE|initrd|root|rootflags|systemd.machine_id)=|^r[ow]$')
	_comes=$(tokens_without "$_next" "$_running")
	[ -z "$_comes" ] || row '  not yet' "$(words "$_comes")"
	[ -z "$_gone" ] || row '  no more' "$(words "$_gone")"
	_others=$(without_us "$1")
	host_wants "$_others" | while IFS='	' read -r _token _why; do
		[ -n "$(tokens_with "$_token" "$_next$nl$(tokens_of "$ours")")" ] ||
			row missing "$_token: $_why; fix: $me apply"
	done
	grub_lost "$1"
	host_minds "$_others" | while IFS='	' read -r _token _kind _why; do
		[ -z "$_why" ] || row "$_kind" "$_token: $_why; fix: take it out of $(locate "$1" "$_token")"
	done
}

# grub_lost TARGET: what later files lose of ours.
grub_lost() {
	[ "$1" = grub ] && [ -n "$ours" ] || return 0
	grub_losses "=$content" "$(tokens_of "$ours")" | while IFS='	' read -r _file _lost; do
		row lost "$_lost: by $_file"
	done
}

# show: the whole of it.
show() {
	row 'boot loader' "$loader_text"
	row config "cmdline $config ($config_from)"
	row running "$(words "$(running)")"
	for target in $targets; do
		show_target "$target"
	done
	for target in $(targets_with_record); do
		case " $targets " in
		*" $target "*) ;;
		*)
			target_look "$target" &&
				row 'added' "$(words "$(tokens_of "$ours")") in ${file#"$root"}, which this loader does not read"
			;;
		esac
	done
	if [ -z "$targets" ]; then
		host_wants "$(running)" | while IFS='	' read -r _token _why; do
			[ -n "$(tokens_with "$_token" "$(running)")" ] ||
				row missing "$_token: $_why; fix: add it by hand"
		done
		host_minds "$(running)" | while IFS='	' read -r _token _kind _why; do
			[ -z "$_why" ] || row "$_kind" "$_token: $_why; fix: take it out by hand"
		done
	fi
	! is_refresh_due || row 'refresh' "the boot loader does not have the last change; fix: $me refresh"
}
