# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The report. Defines only.

# row NAME TEXT: prints a line of the report.
row() {
	printf '%-14s %s\n' "$1" "${2:--}"
}

# show_fold "ROWS COLUMNS" <TEXT: folds it at blanks for a terminal of that size, below the texts of
# row, or on a narrow one below their names.
show_fold() {
	awk -v columns="${1#* }" 'BEGIN {
		indent = columns < 60 ? 2 : 15
	}
	{
		while (columns >= indent + 10 && length($0) > columns) {
			for (at = columns + 1; at > indent && substr($0, at, 1) != " "; at--)
				;
			if (at <= indent)
				at = indent + index(substr($0, indent + 1), " ")
			if (at <= indent)
				break
			print substr($0, 1, at - 1)
			$0 = sprintf("%*s%s", indent, "", substr($0, at + 1))
		}
		print
	}'
}

# show_grub: prints what each file adds to the command line, or removes from it.
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

# show_files TARGET: prints where its parameters are set, and which are ours.
show_files() {
	row 'set in' "${file#"$root"}$([ -n "$present" ] || echo ' (not there)')"
	case $1 in
	grub)
		_broken=$(grub_broken)
		if [ -n "$_broken" ]; then
			row broken "${_broken%%	*}: ${_broken#*	}, so GRUB cannot be refreshed; fix: correct that line"
			result=1
		else
			show_grub
		fi
		;;
	kernel)
		[ -z "$present" ] || printf '%s\n' "${content%"$nl"}" | sed 's/^/               /'
		_fault=$(kernel_fault)
		[ -z "$_fault" ] || row broken "/etc/kernel/cmdline:1: $_fault"
		;;
	esac
	[ -z "$ours" ] || row 'added' "$(words "$(tokens_of "$ours")")"
}

# show_target TARGET: prints the report about it.
show_target() {
	target_look "$1" || {
		result=1
		return
	}
	show_files "$1"
	_others=$(without_us "$1")
	host_wants "$_others" | while IFS='	' read -r _token _why; do
		[ -n "$(tokens_with "$_token" "$_others$nl$(tokens_of "$ours")")" ] ||
			row missing "$_token: $_why; fix: $me apply"
	done
	grub_lost "$1"
	host_minded "$1" | while IFS='	' read -r _token _kind _where _fix _why; do
		[ "$_where" != - ] || _where='where it is set'
		[ "$_fix" != - ] || _fix="remove it from $_where"
		row "$_kind" "$_token: $_why; fix: $_fix"
	done
}

# grub_lost TARGET: prints which of our tokens later files remove.
grub_lost() {
	[ "$1" = grub ] && [ -n "$ours" ] || return 0
	grub_losses "=$content" "$(tokens_of "$ours")" | while IFS='	' read -r _file _lost; do
		row lost "$_lost: by $_file"
	done
}

# not_in_force <NEXT: from the output of next, prints what does not count: "CODE TAB FILE:LINE TAB
# TOKEN..." lines. For files that are not read, it leaves out parameters that every loader's file
# has.
not_in_force() {
	awk -F '\t' '
		NF < 3 || $3 == "in-force" { next }
		$3 ~ /^(other-loader|no-reader|not-known)$/ && $1 ~ /^(root|rootflags|rootfstype|boot|resume|systemd\.machine_id)=|^(r[ow]|quiet|splash)$/ {
			next
		}
		{
			key = $3 "\t" $2
			if (!(key in tokens))
				order[++n] = key
			tokens[key] = tokens[key] (tokens[key] == "" ? "" : " ") $1
		}
		END {
			for (i = 1; i <= n; i++)
				print order[i] "\t" tokens[order[i]]
		}'
}

# how_to_add TOKENS: prints what to do for them where they would count: add them, less those that are
# better left out.
how_to_add() {
	_list=$(printf '%s\n' "$1" | tokens_split)
	_ids=$(tokens_name "$_list" vfio-pci.ids)
	_good=$(tokens_without "$_list" "$(host_minds "$_list" | sed 's/	.*//')" |
		grep -v '^"*root=' | while read -r _token; do quoted "$_token"; done)
	_fix=${_good:+$me add $(words "$_good")}${_good:+${_ids:+; }}
	_fix=$_fix${_ids:+vfio-early add ADDRESS for what $(words "$_ids") names}
	echo "${_fix:-remove it there}"
}

# why_not CODE TOKENS: prints the reason in words, with the next step.
why_not() {
	case $1 in
	not-refreshed) echo "$2: the entry that boots next lacks it; fix: $me refresh" ;;
	other-loader) echo "$2: this boot loader does not read that file; fix: $(how_to_add "$2")" ;;
	no-reader) echo "$2: nothing reads a file of that name; fix: $(how_to_add "$2")" ;;
	not-first-line) echo "$2: proxmox-boot-tool reads only the first line; fix: move it there, then: $me refresh" ;;
	lost) echo "$2: the variable is set again further down, or in a file that is read later" ;;
	other-entry) echo "$2: in a variable that GRUB does not put into the entries of this system (recovery, Xen, or misspelt)" ;;
	after-dashes) echo "$2: follows --, so it goes to init; fix: move it before --, then: $me refresh" ;;
	some-esps) echo "$2: not every ESP has it; fix: $me refresh" ;;
	this-boot) echo "$2: belongs to this boot; any refresh would keep it; fix: $me refresh" ;;
	not-known)
		if [ "$2" = '*' ]; then
			echo 'does more than assign, or cannot be read, so what it comes to is not known'
		else
			echo "$2: it is not known whether the boot loader reads that file"
		fi
		;;
	*) echo "$2: $1" ;;
	esac
}

# show_next: prints the next boot compared with this one, and what is set and does not count.
show_next() {
	_all=$(next_tokens)
	_next=$(printf '%s\n' "$_all" | sed -n 's/	[^	]*	in-force$//p')
	next_kernel | while IFS='	' read -r _version _image _place _how; do
		row 'next kernel' "$_version ($_how)"
	done
	row 'next boot' "$(words "$_next")"
	_running=$(running)
	if [ -n "$_running" ]; then
		# Parameters that the loader adds itself, or that are different for each kernel.
		_gone=$(tokens_without "$_running" "$_next" |
			grep -v -E '^(BOOT_IMAGE|initrd|root|rootflags|systemd.machine_id)=|^r[ow]$')
		_comes=$(tokens_without "$_next" "$_running")
		[ -z "$_comes" ] || row '  not yet' "$(words "$_comes")"
		[ -z "$_gone" ] || row '  no more' "$(words "$_gone")"
	fi
	printf '%s\n' "$_all" | not_in_force | while IFS='	' read -r _code _place _tokens; do
		row 'not in force' "$_place: $(why_not "$_code" "$_tokens")"
	done
}

# show: prints all of it.
show() {
	row 'boot loader' "$loader_text"
	if [ -n "$config" ]; then
		row config "cmdline $config ($config_from)"
	else
		row config 'not known: see the error'
	fi
	row running "$(words "$(running)")"
	show_next
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
		hand_left
		host_wants "$(running)" | while IFS='	' read -r _token _why; do
			[ -z "$(tokens_with "$_token" "$_missing")" ] ||
				row missing "$_token: $_why; fix: add it by hand"
		done
		[ -z "$_told" ] || row 'by hand' "$(words "$(hand_word tokens)")"
		host_minds "$(running)" | while IFS='	' read -r _token _kind _why; do
			[ -z "$_why" ] || row "$_kind" "$_token: $_why; fix: remove it by hand"
		done
	fi
	! is_refresh_due || row 'refresh' "the boot loader does not have the last change; fix: $me refresh"
}
