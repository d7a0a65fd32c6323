# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The result of /etc/default/grub and /etc/default/grub.d/*.cfg, in the order of grub-mkconfig. They
# are shell scripts. Without --root they are sourced, as grub-mkconfig does; a command that only
# reads does so only for files that do more than assign. Below --root, only a command that changes
# the tree sources them, and only if root owns the tree. Otherwise the assignments are parsed, and
# the result is "not-known" for a file that does more. Defines only.

# grub_files TEXT: prints the files, one a line. TEXT is the text of our drop-in ("=..." or none).
grub_files() {
	[ ! -f "$root/etc/default/grub" ] || echo "$root/etc/default/grub"
	# Our file is sorted among the others, even if it does not exist.
	if [ -z "$1" ]; then
		grub_others
	else
		{
			grub_others
			target_file grub
		} | sort
	fi
}

# grub_others: prints the files of grub.d that are not ours.
grub_others() (
	[ ! -h "$root/etc/default/grub.d" ] && set +f || return 0
	_ours=$(target_file grub)
	for _file in "$root"/etc/default/grub.d/[!.]*.cfg; do
		[ "$_file" = "$_ours" ] || [ ! -e "$_file" ] || printf '%s\n' "$_file"
	done
)

# grub_unread FILES: prints the existing files that cannot be read: folders, and files without
# permission. Their effect is not known; the others are still read, as dash continues after sourcing
# a folder.
grub_unread() {
	printf '%s\n' "$1" | while read -r _file; do
		[ ! -e "$_file" ] || { [ -f "$_file" ] && [ -r "$_file" ]; } || is_null "$_file" ||
			printf '%s\n' "$_file"
	done
}

# Arguments: the root, our drop-in, its text as "=TEXT" or nothing, the files. Prints a record for
# each file: its name, and GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT after it.
# shellcheck disable=SC2016 # of another shell
grub_script='root=$1 ours=$2 text=$3 files=$4
exec 3>&1 >/dev/null </dev/null
IFS="
"
set -f
for file in $files; do
	unset IFS
	set +f
	if [ "$file" = "$ours" ]; then
		eval "${text#=}"
	elif [ -f "$file" ] && [ -r "$file" ]; then
		. "$file"
	elif [ ! -e "$file" ]; then
		continue
	fi
	printf "%s\034%s\034%s\035" "${file#"$root"}" "${GRUB_CMDLINE_LINUX-}" \
		"${GRUB_CMDLINE_LINUX_DEFAULT-}" >&3
done'

# The result of the assignments in the files: FILES, one a line, and OURS with its TEXT. It
# understands only what can be part of an assignment. A value that runs a command is not known, nor
# is the rest of a file after anything that is not an assignment. In a value, "\001FILE:LINE\002"
# before each part tells where it is from. With ORIGINS it prints "TOKEN TAB FILE:LINE TAB CODE"
# (set, lost, other-entry, after-dashes) and "* TAB FILE:LINE TAB not-known" lines; without, the
# same as grub_trace.
# shellcheck disable=SC2016 # awk's
grub_parser='
function peek() { return substr(s, p, 1) }
function blanks() { while (peek() ~ /[ \t]/ || substr(s, p, 2) == "\\\n") skip() }
function skip() { if (peek() == "\n") number++; p++ }
# Appends a literal character to a value, with its origin.
function literal(c) {
	if (noted != number) {
		value = value "\001" name ":" number "\002"
		noted = number
	}
	value = value c
}
# Reads what starts with a dollar: a plain variable is replaced, anything else is not known.
function dollar(   c, inner) {
	skip()
	c = peek()
	if (c == "(" || c == "\047" || c == "\"") {
		doubt = 1
		if (c == "(")
			parentheses()
		return
	}
	if (c == "{") {
		inner = substr(s, p + 1)
		if (!match(inner, /^[A-Za-z_][A-Za-z0-9_]*\}/)) {
			doubt = 1
			while (p <= size && peek() != "}")
				skip()
			skip()
			return
		}
		inner = substr(inner, 1, RLENGTH - 1)
		p += RLENGTH + 1
	} else if (match(substr(s, p), /^[A-Za-z_][A-Za-z0-9_]*/)) {
		inner = substr(s, p, RLENGTH)
		p += RLENGTH
	} else {
		literal("$")
		return
	}
	if (inner in unknown) {
		doubt = 1
		culprits = culprits unknown[inner]
	}
	value = value assigned[inner]
	noted = 0
}
function parentheses(   open) {
	do {
		if (peek() == "(") open++
		if (peek() == ")") open--
		skip()
	} while (open && p <= size)
}
# Reads the word at p into value; sets doubt if it is more than text and variables.
function read_value(   c, quote) {
	value = "\001" name ":" number "\002"
	noted = number
	doubt = 0
	culprits = ""
	while (p <= size) {
		c = peek()
		if (c == "`") {
			doubt = 1
			skip()
			while (p <= size && peek() != "`")
				skip()
			skip()
		} else if (quote == "\047") {
			if (c == quote) quote = ""
			else literal(c)
			skip()
		} else if (c == "$") {
			dollar()
		} else if (c == "\\") {
			skip()
			c = peek()
			if (c != "\n") {
				if (quote && c !~ /["\\$`]/)
					literal("\\")
				literal(c)
			}
			skip()
		} else if (quote) {
			if (c == quote) quote = ""
			else literal(c)
			skip()
		} else if (c == "\047" || c == "\"") {
			quote = c
			skip()
		} else if (c ~ /[ \t\n;]/) {
			return 1
		} else if (c ~ /[&|<>()]/) {
			return 0
		} else {
			literal(c)
			skip()
		}
	}
	return quote == ""
}
function plain(v) { gsub(/\001[^\002]*\002/, "", v); gsub(/[\t\n]/, " ", v); return v }
# From here on, the file does more than assign.
function stop(   rest) {
	rest = substr(s, p)
	if (rest ~ /GRUB_CMDLINE_LINUX/ || rest ~ /(^|[ \t\n;&|])(\.|source|eval|exit)([ \t\n;]|$)/) {
		unknown[v1] = unknown[v1] name ":" number "\n"
		unknown[v2] = unknown[v2] name ":" number "\n"
	}
	p = size + 1
}
# "A=1 B=2 COMMAND": assigns none of them.
function doubt_all(names, number,   times, list_of, i) {
	times = split(names, list_of, " ")
	for (i = 1; i <= times; i++)
		unknown[list_of[i]] = unknown[list_of[i]] name ":" number "\n"
}
function parse(   start, variable, simple) {
	p = number = 1
	size = length(s)
	while (p <= size) {
		if (peek() ~ /[\n;]/)
			simple = ""
		if (peek() ~ /[ \t\n;]/) { skip(); continue }
		if (peek() == "#") {
			while (p <= size && peek() != "\n")
				skip()
			continue
		}
		start = substr(s, p)
		if (match(start, /^export[ \t]+/)) {
			p += RLENGTH
			start = substr(s, p)
			if (match(start, /^[A-Za-z_][A-Za-z0-9_]*[ \t]*(\n|;|$)/)) {
				while (p <= size && peek() !~ /[\n;]/)
					skip()
				continue
			}
		}
		if (!match(start, /^[A-Za-z_][A-Za-z0-9_]*=/)) {
			doubt_all(simple, number)
			stop()
			return
		}
		variable = substr(s, p, RLENGTH - 1)
		at = number
		p += RLENGTH
		if (!read_value()) { stop_at = p; p = 1; number = at; stop(); return }
		blanks()
		# "NAME=VALUE command": assigns nothing, but runs something.
		if (peek() !~ /[\n;#]/ && p <= size && !match(substr(s, p), /^[A-Za-z_][A-Za-z0-9_]*=/)) {
			doubt_all(simple " " variable, at)
			stop()
			return
		}
		assigned[variable] = value
		simple = simple " " variable
		delete unknown[variable]
		# If another variable in the value is not known, this one is not known for the same
		# reason.
		if (doubt)
			unknown[variable] = culprits == "" ? name ":" at "\n" : culprits
		if (variable ~ /^GRUB_CMDLINE/)
			remember(value, variable == v1 || variable == v2 ? "lost" : "other-entry")
	}
}
# Splits a value into tokens: token[1..tokens], from[1..tokens].
function cut(v,   i, c, quoted, origin, open) {
	for (i = 1; i <= length(v) + 1; i++) {
		c = substr(v, i, 1)
		if (c == "\001") {
			origin = substr(v, i + 1, index(substr(v, i), "\002") - 2)
			i += length(origin) + 1
			continue
		}
		if (c == "\"")
			quoted = !quoted
		if (c == "" || (!quoted && c ~ /[ \t\n\r\v\f]/)) {
			open = 0
			continue
		}
		if (!open) {
			open = 1
			token[++tokens] = ""
			from[tokens] = origin
		}
		token[tokens] = token[tokens] (c ~ /[\t\n]/ ? " " : c)
	}
}
function bare(t) { gsub(/"/, "", t); return t }
# Remembers all tokens that a variable ever had, with the code for those that do not count.
function remember(v, code,   i) {
	tokens = 0
	cut(v)
	for (i = 1; i <= tokens; i++) {
		if (!((bare(token[i]), from[i], code) in seen)) {
			seen[bare(token[i]), from[i], code] = 1
			ever[++all] = token[i]
			ever_from[all] = from[i]
			ever_code[all] = code
		}
	}
}
function tell_unknown(places,   list, n, i) {
	n = split(places, list, "\n")
	for (i = 1; i <= n; i++)
		if (list[i] != "" && !(list[i] in told)) {
			told[list[i]] = 1
			printf "*\t%s\tnot-known\n", list[i]
		}
}
BEGIN {
	v1 = "GRUB_CMDLINE_LINUX"
	v2 = "GRUB_CMDLINE_LINUX_DEFAULT"
	files = split(ENVIRON["UNREAD"], list, "\n")
	for (f = 1; f <= files; f++)
		unread[list[f]] = 1
	files = split(ENVIRON["FILES"], list, "\n")
	for (f = 1; f <= files; f++) {
		s = ""
		if (list[f] == ENVIRON["OURS"]) {
			s = substr(ENVIRON["TEXT"], 2)
		} else if (!(list[f] in unread)) {
			while ((getline text < list[f]) > 0)
				s = s text "\n"
			close(list[f])
		}
		name = substr(list[f], length(ENVIRON["TREE"]) + 1)
		parse()
		if (!ENVIRON["ORIGINS"])
			printf "%s\t%s\t%s\n", name, plain(assigned[v1]), plain(assigned[v2])
	}
	if (!ENVIRON["ORIGINS"])
		exit
	tokens = 0
	cut(assigned[v1] " " assigned[v2])
	for (i = 1; i <= tokens; i++) {
		if (token[i] == "--")
			dashes = 1
		else
			printf "%s\t%s\t%s\n", token[i], from[i], dashes ? "after-dashes" : "set"
		has[bare(token[i])] = 1
	}
	for (i = 1; i <= all; i++)
		if (!(bare(ever[i]) in has))
			printf "%s\t%s\t%s\n", ever[i], ever_from[i], ever_code[i]
	tell_unknown(unknown[v1] unknown[v2])
}'

# grub_parse TEXT [ORIGINS]: runs this parser. TEXT: of our drop-in ("=..." or none).
grub_parse() {
	_files=$(grub_files "$1")
	FILES=$_files UNREAD=$(grub_unread "$_files") OURS=$(target_file grub) TEXT=$1 TREE=$root ORIGINS=${2-} \
		awk "$grub_parser" </dev/null
}

# may_source: may this command run the files of the system?
may_source() {
	[ -n "$root" ] || return 0
	case $command in
	apply | add | remove | undo | refresh) is_trusted ;;
	*) return 1 ;;
	esac
}

# grub_keep TEXT: has grub_trace TEXT answer from memory from now on: it is asked several times for
# the files without our drop-in, and for those with its text.
grub_keep() {
	if [ -z "$1" ]; then
		[ -n "$grub_kept" ] || grub_kept=$(grub_trace '')
	elif [ "$1" != "$grub_kept_text" ]; then
		grub_kept_with=$(grub_trace "$1")
		grub_kept_text=$1
	fi
}
grub_kept='' grub_kept_text='' grub_kept_with=''

# grub_trace TEXT: prints "FILE TAB GRUB_CMDLINE_LINUX TAB GRUB_CMDLINE_LINUX_DEFAULT" lines. TEXT:
# of our drop-in ("=..." or none).
grub_trace() {
	if [ -z "$1" ] && [ -n "$grub_kept" ]; then
		printf '%s\n' "$grub_kept"
		return
	elif [ -n "$1" ] && [ "$1" = "$grub_kept_text" ]; then
		printf '%s\n' "$grub_kept_with"
		return
	fi
	if ! may_source; then
		grub_parse "$1"
		return
	fi
	env -u GRUB_CMDLINE_LINUX -u GRUB_CMDLINE_LINUX_DEFAULT \
		sh -c "$grub_script" sh "$root" "$(target_file grub)" "$1" "$(grub_files "$1")" \
		2>/dev/null |
		awk 'BEGIN { RS = "\035"; FS = "\034" }
			{ gsub(/[\t\n]/, " "); print $1 "\t" $2 "\t" $3 }'
}

# Sources FILES, one a line, as grub-mkconfig does: the first failing command ends it. The last line
# on standard error is "read", or the name of the file in which it ended.
# shellcheck disable=SC2016 # of another shell
grub_strict_script='files=$1
IFS="
"
set -f
for file in $files; do
	unset IFS
	set +f
	last=$file
	trap "echo >&2; echo \"\$last\" >&2" EXIT
	[ ! -f "$file" ] || [ ! -r "$file" ] || . "$file"
done
trap "echo >&2; echo read >&2" EXIT'

# grub_end TEXT: prints "FILE:LINE TAB REASON", from the output of that script.
grub_end() {
	_file=$(printf '%s\n' "$1" | tail -n 1)
	_why=$(printf '%s\n' "$1" | sed '$d' | NAME="$_file: " awk '{
		at = index($0, ENVIRON["NAME"])
		print at ? substr($0, 1, at - 1) substr($0, at + length(ENVIRON["NAME"])) : $0
	}' | sed -n 's/^[^:]*: \(line \)\{0,1\}\([0-9][0-9]*\): \(.*\)/\2	\3/p' |
		tail -n 1)
	if [ -n "$_why" ]; then
		printf '%s:%s\ta command fails (%s), which ends grub-mkconfig\n' "${_file#"$root"}" \
			"${_why%%	*}" "${_why#*	}"
	else
		printf '%s:1\tit ends the shell that reads it\n' "${_file#"$root"}"
	fi
}

# grub_broken: prints "FILE:LINE TAB REASON" for the first file in which a shell fails, or nothing.
# grub-mkconfig would fail there too.
grub_broken() {
	_files=$(grub_files '')
	[ -n "$_files" ] || return 0
	_broken=$(printf '%s\n' "$_files" | while read -r _file; do
		[ -f "$_file" ] && [ -r "$_file" ] || continue
		_said=$(sh -n "$_file" 2>&1) || {
			_said=${_said%%"$nl"*}
			_said=${_said#*"$_file: "}
			_said=${_said#line }
			printf '%s:%s\tthe shell cannot read it (%s)\n' "${_file#"$root"}" "${_said%%:*}" \
				"${_said#*: }"
			break
		}
	done)
	if [ -z "$_broken" ] && may_source; then
		_said=$(sh -ec "$grub_strict_script" sh "$_files" 2>&1 >/dev/null </dev/null)
		[ "${_said##*"$nl"}" = read ] || _broken=$(grub_end "$_said")
	fi
	[ -z "$_broken" ] || printf '%s\n' "$_broken"
}

# grub_values TEXT: prints the tokens that GRUB passes to the kernel.
grub_values() {
	_traced=$(grub_trace "$1")
	_traced=${_traced##*"$nl"}
	printf '%s\n' "${_traced#*	}" | tokens_split
}

# grub_line FILE: prints ":LINE" of its last line that sets GRUB_CMDLINE_LINUX_DEFAULT, or nothing.
grub_line() {
	grep -n '^[^#]*GRUB_CMDLINE_LINUX_DEFAULT=' "$root$1" 2>/dev/null |
		sed -n '$s/^\([0-9]*\):.*/:\1/p'
}

# grub_losses TEXT TOKENS: prints "FILE TAB TOKEN..." for files after our drop-in that lose TOKENS.
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

# grub_reaches TEXT TOKENS: reports which file loses them, and the fix.
grub_reaches() {
	grub_keep "$1"
	_losses=$(grub_losses "$1" "$2")
	_names=''
	if [ -n "$_losses" ]; then
		while IFS='	' read -r _file _lost; do
			_names="$_names $_lost"
			# shellcheck disable=SC2016 # GRUB's
			by_hand "$_file: sets GRUB_CMDLINE_LINUX_DEFAULT again, which loses $_lost; fix: begin its value with" \
				"\$GRUB_CMDLINE_LINUX_DEFAULT, then: $me refresh"
		done <<-EOT
		$_losses
		EOT
	fi
	_lost=$(tokens_without "$2" "$(grub_values "$1")$nl$(printf '%s\n' "$_names" | tokens_split)")
	[ -z "$_lost" ] || by_hand "$(grub_dashes "$1"): has --, so $(words "$_lost") goes to init; fix: move -- and what" \
		"follows it to the end of GRUB_CMDLINE_LINUX_DEFAULT, then: $me apply"
}

# grub_dashes TEXT: prints the file that sets a lone "--" in the variables.
grub_dashes() {
	grub_trace "$1" | while IFS='	' read -r _file _values; do
		case " $_values " in
		*[\ \	]--[\ \	]*)
			echo "$_file"
			break
			;;
		esac
	done
}

# grub_front: must our tokens come before the value of the other files, because it has a lone "--"?
grub_front() {
	_traced=$(grub_trace '')
	case " ${_traced##*	} " in
	*' -- '*) return 0 ;;
	esac
	return 1
}
