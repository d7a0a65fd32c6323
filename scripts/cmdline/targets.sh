# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The two files that feed boot loaders ("targets"), and a record for each of what was added to it:
#
#   grub     /etc/default/grub.d/vfio-early.cfg, a file of our own
#   kernel   /etc/kernel/cmdline, its first line; it belongs to the administrator
#
# Below /var/lib/vfio-early/cmdline each has these files while it has tokens of ours:
#
#   TARGET            the record: lines "KEY VALUE", below
#   TARGET.original   the file without our changes
#   TARGET.before     the file before the last change; stays
#   refresh           exists while the boot loader does not have the last change
#
#   was absent|file DIGEST   what undo leaves: no file, or TARGET.original, which has this digest
#   is DIGEST                of the file as we left it; another one means that somebody has edited
#                            it; two during a change
#   made DIR                 a folder that we made
#   apply|add TOKEN          what was added, and by which command
#   inherited TOKEN          a token of this boot that the loader would get without the file, so
#                            the file stays
#
# The record is written before the file and again after it. In between it names the tokens of both,
# so our tokens are known whatever a power cut leaves.
# Defines only.

target_file() {
	case $1 in
	grub) echo "$root/etc/default/grub.d/vfio-early.cfg" ;;
	kernel) echo "$root/etc/kernel/cmdline" ;;
	esac
}

# targets_sweep: removes what an interrupted run has left half written.
targets_sweep() {
	for _target in grub kernel; do
		_swept=$(target_file "$_target")
		rm -f "${_swept%/*}/.${_swept##*/}.vfio-early-new"
	done
	find "$records" -name '.*.vfio-early-new' -delete 2>/dev/null
	return 0
}

is_refresh_due() {
	[ -e "$records/refresh" ]
}

# record_read TARGET: sets $was, $is, $made, $inherited (tokens) and $ours ("COMMAND TOKEN" lines);
# all are empty if there is no record.
record_read() {
	was='' is='' made='' ours='' inherited=''
	[ -e "$records/$1" ] || return 0
	while read -r _key _value; do
		case $_key in
		was) was=$_value ;;
		is) is=$is${is:+ }$_value ;;
		made) made=$_value ;;
		apply | add) ours=$ours${ours:+$nl}"$_key $_value" ;;
		inherited) inherited=$inherited${inherited:+$nl}$_value ;;
		'' | '#' | file) ;;
		*)
			warn "${records#"$root"}/$1: unknown line \"$_key\": of a newer version?"
			return 1
			;;
		esac
	done <"$records/$1"
}

# record_write TARGET: writes these variables, and before them $base, which must exist once the
# record refers to it.
record_write() {
	put "$records/$1.original" "$base" && put "$records/$1" "# What vfio-early-cmdline(8) added.
file ${file#"$root"}
was $was
$(printf '%s\n' "$is" | tr ' ' '\n' | sed 's/^/is /')
${made:+made $made$nl}${ours:+$ours$nl}${inherited:+$(printf '%s\n' "$inherited" | sed 's/^/inherited /')$nl}"
}

# record_remove TARGET: removes it; the copy from before the last change stays.
record_remove() {
	drop "$records/$1" "$records/$1.original" || return
	[ -z "$made" ] || rmdir "$root$made" 2>/dev/null || :
}

# tokens_of LINES: prints the tokens of "COMMAND TOKEN" lines.
tokens_of() {
	_t_list=$1
	while [ -n "$_t_list" ]; do
		_t_token=${_t_list%%"$nl"*}
		printf '%s\n' "${_t_token#* }"
		_t_list=${_t_list#"$_t_token"}
		_t_list=${_t_list#"$nl"}
	done
}

# target_start TARGET: prints the initial text of a file that does not exist and must get tokens.
# Fails, after printing an error, if there is none.
target_start() {
	case $1 in
	grub)
		echo '# Written by vfio-early-cmdline(8), which also takes it back. Recovery entries have none of this.'
		# shellcheck disable=SC2016 # GRUB's
		echo 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT"'
		;;
	kernel) loader_cmdline "$added" ;;
	esac
}

# target_look TARGET: reads the file and its record. Sets $file, $content, $present, the variables
# of the record, $added (the tokens that this or an earlier boot may have from us), $base (the file
# without our changes), and $base_absent if undo leaves no file.
target_look() {
	file=$(target_file "$1")
	if [ -L "$file" ]; then
		if [ -n "$root" ]; then
			warn "${file#"$root"} is a symbolic link, which is not followed below $root"
			return 1
		fi
		file=$(readlink -f "$file")
	fi
	record_read "$1" || return
	added=$(tokens_of "$ours")$nl$inherited
	slurp "$records/$1.original" || return
	_original=$content
	slurp "$file" || return
	base_absent=''
	if [ -z "$present" ]; then
		# It never existed, or was removed since: it has no tokens of ours.
		base='' base_absent=1 ours=''
		return
	fi
	base='' _of_base=''
	digest "$content"
	case " $is " in
	*" $digest "*)
		base=$_original
		digest "$base"
		_of_base=$digest
		;;
	esac
	if [ -z "$was" ] || [ "$_of_base" != "${was#* }" ]; then
		# Edited since: our tokens are removed wherever they are now.
		base=$(tokens_edit "$1" "$content" '' "$(tokens_of "$ours")" && echo x)
		base=${base%x}
		digest "$base"
		_of_base=$digest
	fi
	[ "$was" != "absent $_of_base" ] || base_absent=1
}

# was_is_base: sets $was to what undo leaves.
was_is_base() {
	digest "$base"
	was="file $digest"
	[ -z "$base_absent" ] || was="absent $digest"
}

# target_commit TARGET LINES NEW: changes the file to NEW ("=TEXT", or nothing: no file), and its
# record to LINES. If it fails, after printing an error, both are unchanged.
target_commit() {
	_record='' _was_due='' _ours=$ours
	digest "${3#=}"
	_after=$digest
	[ ! -e "$records/$1" ] || _record=$(cat "$records/$1")
	! is_refresh_due || _was_due=1
	was_is_base
	is=$_after
	[ -z "$present" ] || { digest "$content" && is="$is $digest"; }
	[ -n "$made" ] || [ -d "${file%/*}" ] || made=${file%/*} made=${made#"$root"}
	ours=$(printf '%s\n%s\n' "$ours" "$2" | sed '/^$/d' | sort -u)
	if make_dir "$records" && put "$records/refresh" '' &&
		{ [ -z "$present" ] || keep "$file" "$records/$1.before"; } &&
		record_write "$1" &&
		if [ -n "$3" ]; then
			make_dir "${file%/*}" && put "$file" "${3#=}"
		else
			drop "$file"
		fi; then
		changed=1
	else
		by_hand "${file#"$root"} cannot be changed, and is as it was"
		if [ -n "$_record" ]; then
			put "$records/$1" "$_record$nl"
		else
			record_remove "$1"
		fi
		[ -n "$_was_due" ] || drop "$records/refresh"
		return 1
	fi
	target_settle "$1" "$2" "${3:+$_after}" ||
		by_hand "$records cannot be written; fix that, then run the same again"
	return 0
}

# target_settle TARGET LINES DIGEST: updates the record to the current state: LINES, or no tokens of
# ours. If we made a file and it stays without tokens of ours, it keeps a record, so that it can be
# removed later.
target_settle() {
	ours=$2 is=$3 inherited=$_inherits
	if [ -z "$2" ] && { [ -z "$base_absent" ] || [ -z "$3" ]; }; then
		record_remove "$1"
	else
		was_is_base
		record_write "$1"
	fi
}

# target_next TARGET WANT HAVE: prints the new text, "=TEXT", or nothing for no file, with the
# tokens WANT instead of HAVE. Existing tokens keep their places.
target_next() {
	if [ -z "$2" ]; then
		[ -n "$base_absent" ] && ! { [ "$1" = kernel ] && must_stay "$added"; } ||
			printf '=%s' "$base"
	elif [ "$1" = grub ] && grub_front; then
		printf '=' && tokens_edit "$1" "$content" "$2" "$2$nl$3" front
	elif [ -z "$present" ]; then
		printf '=' && tokens_edit "$1" "$base" "$2" ''
	else
		_there=$(tokens_in "$1" "$content")
		printf '=' && tokens_edit "$1" "$content" "$(tokens_without "$2" "$_there")" \
			"$(tokens_without "$3" "$2")"
	fi
}

# target_begin TARGET WANT: if a file is missing and must be made, sets its text without our tokens.
target_begin() {
	[ -z "$present" ] || return 0
	[ -n "$2" ] || { [ "$1" = kernel ] && must_stay "$added"; } || return 0
	base=$(target_start "$1" && echo x) || {
		result=1
		return 1
	}
	base=${base%x}
}

# target_inherits TARGET WANT NEXT: prints the tokens of this boot that the file keeps from coming
# back.
target_inherits() {
	[ "$1" = kernel ] && [ -n "$base_absent" ] && [ -n "$3" ] && loader_inherits || return 0
	tokens_without "$(one_boot "$added")" "$2"
}

# target_set TARGET LINES: makes LINES ("COMMAND TOKEN") our tokens in the file, and reports the
# change; call target_look first.
target_set() {
	_want=$(tokens_of "$2") _have=$(tokens_of "$ours") _name=${file#"$root"}
	target_begin "$1" "$_want" || return
	_next=$(target_next "$1" "$_want" "$_have" && echo x)
	_next=${_next%x}
	_inherits=$(target_inherits "$1" "$_want" "$_next")
	if [ "$_next" = "${present:+=$content}" ]; then
		say "$_name: unchanged"
		[ -z "$dry_run" ] || return 0
		# A power cut may have left the record one step behind the file.
		if [ "$2" = "$ours" ] && [ "$is" = "${is#* }" ] &&
			{ [ -n "$2" ] || [ ! -e "$records/$1" ] ||
				[ "$present$_inherits" = "1$inherited" ]; }; then
			return 0
		fi
		digest "$content"
		target_settle "$1" "$2" "${present:+$digest}" || result=1
		return 0
	fi
	if [ -n "$dry_run" ]; then
		show_diff "$file" "$_next"
		changed=1
		return 0
	fi
	_added=$(tokens_without "$_want" "$_have") _taken=$(tokens_without "$_have" "$_want")
	_made_from=''
	[ "$1" != kernel ] || [ -n "$present" ] || [ -z "$_next" ] || _made_from=$(loader_cmdline_from)
	target_commit "$1" "$2" "$_next" || return
	_did=${_taken:+ removed $(words "$_taken")}${_added:+ added $(words "$_added")}
	[ -n "$_did" ] || [ -z "$_next" ] || _did=' made'
	say "$_name:${_did:- removed}"
	[ -z "$_made_from" ] ||
		say "$_name: made from $_made_from${_inherits:+, without what belongs to this boot alone: $(words "$_inherits")}"
	[ -n "$_want" ] || [ -z "$base_absent" ] || [ -z "$_next" ] || target_stays
}

# target_stays: says why a file that we made is still there, and how it goes.
target_stays() {
	_then="\"$me undo\" removes it"
	[ -z "$purge" ] || _then='remove it, and refresh the boot loader'
	say "$_name: stays, or the boot loader would get the parameters of this boot;" \
		"after a reboot $_then"
}

# other_lines: reports the effect of the other lines of /etc/kernel/cmdline, in $content.
other_lines() {
	case $content in
	*"$nl"?*) ;;
	*) return ;;
	esac
	case $loader in
	proxmox) warn '/etc/kernel/cmdline: proxmox-boot-tool reads only the first line' ;;
	*) warn '/etc/kernel/cmdline: kernel-install joins all of its lines; better make it one' ;;
	esac
}

# target_values TARGET TEXT: prints all tokens that reach the kernel if the file is TEXT ("=..." or
# none).
target_values() {
	case $1 in
	grub) grub_values "$2" ;;
	kernel)
		if [ -z "$2" ]; then
			loader_cmdline "$added" 2>/dev/null | tokens_split
		elif [ "$loader" = proxmox ]; then
			tokens_in kernel "${2#=}"
		else
			printf '%s\n' "${2#=}" | tokens_split
		fi
		;;
	esac
}

# without_us TARGET: prints the tokens that others set; call target_look first.
without_us() {
	if [ -n "$base_absent" ] && { [ -z "$present" ] || [ "$1" = grub ]; }; then
		target_values "$1" ''
	else
		target_values "$1" "=$base"
	fi
}

# target_fits TARGET: can tokens be added to the file? If not, reports what must be done.
target_fits() {
	if [ "$1" = grub ]; then
		_broken=$(grub_broken)
		[ -n "$_broken" ] || {
			grub_keep ''
			return 0
		}
		by_hand "${_broken%%	*}: ${_broken#*	}, so GRUB cannot be refreshed; fix: correct that line"
		return 1
	fi
	[ -n "$present" ] || return 0
	other_lines
	_fault=$(kernel_fault)
	[ -n "$_fault" ] || return 0
	by_hand "${file#"$root"}:1: $_fault"
	return 1
}

# kernel_fault: prints what is wrong with the first line of /etc/kernel/cmdline, in $content, and the
# fix; or nothing. proxmox-boot-tool refuses a command line without root=.
kernel_fault() {
	[ -n "$present" ] || return 0
	case $content in
	'#'*)
		echo 'a comment is where the command line belongs; fix: make that the first line'
		return
		;;
	esac
	[ "$loader" = proxmox ] || return 0
	[ -z "$(tokens_name "$(tokens_in kernel "$content")" root)" ] || return 0
	_root=$(entry_line)
	_root=$(tokens_name "$(printf '%s\n' "${_root#*	}" | tokens_split)" root)
	_root=$(words "${_root:-$(tokens_name "$(running)" root)}")
	echo "has no root=, so proxmox-boot-tool copies nothing to any ESP; fix: put" \
		"${_root:-the root= of that system} into the first line"
}

# target_apply TARGET: adds what the config asks for.
target_apply() {
	if ! target_look "$1" || ! target_fits "$1"; then
		result=1
		return
	fi
	_others=$(without_us "$1")
	_wanted=$(host_wants "$_others" | cut -f 1)
	_manual=$(printf '%s\n' "$ours" | grep '^add ')
	_wanted=$(tokens_without "$_wanted" "$_others")
	_lines=$(tokens_without "$_wanted" "$(tokens_of "$_manual")" | sed 's/^/apply /')
	target_set "$1" "$(printf '%s\n%s\n' "$_lines" "$_manual" | sed '/^$/d')"
	target_reaches "$1"
}

# target_add TARGET TOKENS: adds these too.
target_add() {
	if ! target_look "$1" || ! target_fits "$1"; then
		result=1
		return
	fi
	_others=$(without_us "$1")
	for_each "$(tokens_with "$2" "$_others")" say_there "$1"
	_new=$(tokens_without "$2" "$_others")
	_kept=$(keep_lines "$ours" "$(tokens_without "$(tokens_of "$ours")" "$_new")")
	_new=$(printf '%s\n' "$_new" | sed 's/^./add &/')
	target_set "$1" "$(printf '%s\n%s\n' "$_kept" "$_new" | sed '/^$/d')"
	target_reaches "$1"
}

# keep_lines LINES TOKENS: prints those "COMMAND TOKEN" lines whose token is among TOKENS.
keep_lines() {
	printf '%s\n' "$1" | while read -r _command _token; do
		[ -z "$_token" ] || [ -z "$(tokens_with "$_token" "$2")" ] || echo "$_command $_token"
	done
}

# for_each LIST FUNCTION ARGUMENT: calls the function for each entry of the list.
for_each() {
	[ -n "$1" ] || return 0
	while read -r _item; do
		"$2" "$3" "$_item"
	done <<-EOT
	$1
	EOT
}

say_there() {
	say "$2: already set in $(locate "$1" "$2")"
}

# target_reaches TARGET: reports what keeps our tokens from the kernel.
target_reaches() {
	[ "$1" = grub ] || return 0
	target_look grub && [ -n "$ours" ] || return 0
	grub_reaches "=$content" "$(tokens_of "$ours")"
}

# targets_with_record: prints the targets that have tokens of ours.
targets_with_record() {
	for _target in grub kernel; do
		[ ! -e "$records/$_target" ] || echo "$_target"
	done
}

# targets_remove TOKENS: removes them from all targets.
targets_remove() {
	_left=$1
	for target in $(targets_with_record); do
		target_look "$target" || {
			result=1
			continue
		}
		_mine=$(tokens_of "$ours")
		_left=$(tokens_without "$_left" "$_mine")
		target_set "$target" "$(keep_lines "$ours" "$(tokens_without "$_mine" "$1")")"
	done
	for_each "$_left" say_not_ours x
}

say_not_ours() {
	_where=''
	for target in $targets; do
		target_look "$target" || continue
		[ -z "$(tokens_with "$2" "$(target_values "$target" "${present:+=$content}")")" ] ||
			_where=$(locate "$target" "$2")
	done
	by_hand "$2: not added by $me${_where:+; fix: remove it from $_where, then $me refresh}"
}

# targets_undo: removes all of our tokens; with $applied, only those that "apply" has added.
targets_undo() {
	guard
	_all=$(targets_with_record)
	[ -n "$_all" ] || [ -n "$changed" ] || say "nothing was added, so nothing is taken back"
	for target in $_all; do
		target_look "$target" &&
			target_set "$target" "${applied:+$(printf '%s\n' "$ours" | grep '^add ')}" || result=1
	done
}

# hand_left: sets $_missing to what is still to be added by hand, and $_told if some of it was, as the
# administrator has told in this boot.
hand_left() {
	_missing=$(hand_missing) _told=''
	if [ -n "$_missing" ] && [ -e "$records/by-hand" ]; then
		_boot=''
		[ -n "$root" ] || read -r _boot </proc/sys/kernel/random/boot_id
		if [ "$(hand_word boot)" = "$_boot" ]; then
			_told=1
			_missing=$(tokens_without "$_missing" "$(hand_word tokens | tokens_split)")
		fi
	fi
}

# targets_by_hand: there is no file that can be changed here. Reports what the config asks for,
# until a boot has it, or the administrator says that it was done.
targets_by_hand() {
	hand_left
	if [ -n "$_missing" ]; then
		by_hand "$loader_text: nothing was changed; add to its command line by hand:" \
			"$(words "$_missing")$then_by_hand"
	elif [ -n "$_told" ]; then
		say "$loader_text: the next boot has all wanted parameters, as you have told $me"
	else
		say "$loader_text: this boot has all wanted parameters"
	fi
}
