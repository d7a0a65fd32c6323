# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The text of a kernel command line. A parameter ("token") ends at a blank outside of double quotes,
# as in the kernel's next_arg() (lib/cmdline.c). Two tokens are the same if they are equal without
# their quotes: a="b c" and "a=b c" mean the same to the kernel. What is behind a lone "--" is for
# init (init/main.c, set_init_arg()). Lists have one token a line. Defines only: text in, text out.
# Wants set -f, an IFS as it was, and a line break in $nl.

# part(s) splits a line into from[1..parts], to[1..parts]. is_line(n), get(n), put(n, s): see
# tokens_edit; they work on line[]; call get() before put().
# shellcheck disable=SC2016 # awk's
tokens_awk='
function part(s,   i, c, quoted, start) {
	parts = start = quoted = 0
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "\"")
			quoted = !quoted
		if (quoted || !index(" \t\r\n\v\f", c)) {
			if (!start)
				start = i
		} else if (start) {
			from[++parts] = start
			to[parts] = i - 1
			start = 0
		}
	}
	if (start) {
		from[++parts] = start
		to[parts] = length(s)
	}
	return parts
}
function bare(t) {
	gsub(/"/, "", t)
	return t
}
function is_line(n) {
	if (ENVIRON["KIND"] == "kernel")
		return n == 1
	return line[n] ~ /^[ \t]*GRUB_CMDLINE_LINUX_DEFAULT="([^"\\]|\\.)*"[ \t]*$/
}
# The text between quotes of the shell, in which a quote is written \".
function get(n,   s) {
	head = tail = ""
	s = line[n]
	if (ENVIRON["KIND"] != "kernel") {
		match(s, /^[^"]*"/)
		head = substr(s, 1, RLENGTH)
		s = substr(s, RLENGTH + 1)
		match(s, /"[ \t]*$/)
		tail = substr(s, RSTART)
		s = substr(s, 1, RSTART - 1)
		gsub(/\\"/, "\"", s)
	}
	return s
}
function put(n, s,   i, c, out) {
	if (ENVIRON["KIND"] != "kernel") {
		for (i = 1; i <= length(s); i++) {
			c = substr(s, i, 1)
			out = out (c == "\"" ? "\\\"" : c)
		}
		s = out
	}
	line[n] = head s tail
}'

# What has no quote, and no other blank than those of the shell, is split and compared by the shell itself:
# starting an awk takes longer than all that is done here, and one command asks some forty times. Both come to
# the same (tests/cmdline/tokens). These are the words that need awk.
awk_alone=$(printf '*["\r\v\f]*')

# tokens_split [all] <TEXT: prints the tokens of all lines, one a line, up to a lone "--"; or all.
tokens_split() {
	_t_split=''
	while IFS= read -r _t_line || [ -n "$_t_line" ]; do
		_t_split=$_t_split$_t_line$nl
	done
	# shellcheck disable=SC2254 # a pattern
	case $_t_split in
	$awk_alone) ;;
	*)
		for _t_token in $_t_split; do
			[ "$_t_token" != -- ] || [ -n "${1-}" ] || return 0
			printf '%s\n' "$_t_token"
		done
		return
		;;
	esac
	printf '%s' "$_t_split" | ALL=${1-} awk "$tokens_awk"'{
		part($0)
		for (i = 1; i <= parts; i++) {
			t = substr($0, from[i], to[i] - from[i] + 1)
			if (t == "--" && !ENVIRON["ALL"])
				exit
			print t
		}
	}'
}

# tokens_without LIST OTHER: prints the tokens of LIST that are not in OTHER, each once.
tokens_without() {
	case $1$2 in
	*\"*) ;;
	*)
		_t_list=$1$nl _t_known=$nl$2$nl$nl
		while [ -n "$_t_list" ]; do
			_t_token=${_t_list%%"$nl"*} _t_list=${_t_list#*"$nl"}
			case $_t_known in
			*"$nl$_t_token$nl"*) continue ;;
			esac
			_t_known=$_t_known$_t_token$nl
			printf '%s\n' "$_t_token"
		done
		return
		;;
	esac
	LIST=$1 OTHER=$2 awk "$tokens_awk"'BEGIN {
		n = split(ENVIRON["OTHER"], other, "\n")
		for (i = 1; i <= n; i++)
			has[bare(other[i])] = 1
		n = split(ENVIRON["LIST"], list, "\n")
		for (i = 1; i <= n; i++)
			if (list[i] != "" && !(bare(list[i]) in has)) {
				has[bare(list[i])] = 1
				print list[i]
			}
	}'
}

# tokens_with LIST OTHER: prints the tokens of LIST that are also in OTHER.
tokens_with() {
	tokens_without "$1" "$(tokens_without "$1" "$2")"
}

# tokens_pattern NAME: sets $_t_pattern to it as a pattern of the shell. In names, '-' and '_' are the
# same (kernel/params.c, parameqn()).
tokens_pattern() {
	_t_name=$1 _t_pattern=''
	while :; do
		_t_pattern=$_t_pattern${_t_name%%[_-]*}
		[ "$_t_name" != "${_t_name#*[_-]}" ] || break
		_t_pattern=$_t_pattern[_-] _t_name=${_t_name#*[_-]}
	done
}

# tokens_name LIST NAME: prints the tokens of LIST that are NAME or NAME=VALUE.
tokens_name() {
	case $1,$2 in
	*\"* | *,*[\*?\[\\]*) ;;
	*)
		tokens_pattern "$2"
		_t_list=$1$nl
		while [ -n "$_t_list" ]; do
			_t_token=${_t_list%%"$nl"*} _t_list=${_t_list#*"$nl"}
			# shellcheck disable=SC2254 # a pattern
			case $_t_token in
			'') ;;
			$_t_pattern | $_t_pattern=*) printf '%s\n' "$_t_token" ;;
			esac
		done
		return
		;;
	esac
	LIST=$1 NAME=$2 awk "$tokens_awk"'BEGIN {
		wanted = ENVIRON["NAME"]
		gsub(/-/, "_", wanted)
		n = split(ENVIRON["LIST"], list, "\n")
		for (i = 1; i <= n; i++) {
			name = bare(list[i])
			sub(/=.*/, "", name)
			gsub(/-/, "_", name)
			if (name == wanted)
				print list[i]
		}
	}'
}

# tokens_value LIST NAME VALUE: prints the tokens NAME=... of LIST that have VALUE among their
# values, separated by commas.
tokens_value() {
	case $1,$2 in
	*\"* | *,*[\*?\[\\]*) ;;
	*)
		tokens_pattern "$2"
		_t_list=$1$nl
		while [ -n "$_t_list" ]; do
			_t_token=${_t_list%%"$nl"*} _t_list=${_t_list#*"$nl"}
			# shellcheck disable=SC2254 # a pattern
			case $_t_token,, in
			$_t_pattern="$3,"* | $_t_pattern=*",$3,"*) printf '%s\n' "$_t_token" ;;
			esac
		done
		return
		;;
	esac
	LIST=$1 NAME=$2 VALUE=$3 awk "$tokens_awk"'BEGIN {
		wanted = ENVIRON["NAME"]
		gsub(/-/, "_", wanted)
		n = split(ENVIRON["LIST"], list, "\n")
		for (i = 1; i <= n; i++) {
			t = bare(list[i])
			name = substr(t, 1, length(wanted))
			gsub(/-/, "_", name)
			if (name != wanted || substr(t, length(wanted) + 1, 1) != "=")
				continue
			values = split(substr(t, length(wanted) + 2), value, ",")
			for (j = 1; j <= values; j++)
				if (value[j] == ENVIRON["VALUE"]) {
					print list[i]
					break
				}
		}
	}'
}

# tokens_check TOKEN: does every boot loader pass it to the kernel unchanged? If not, prints what is
# wrong. early/plan.c, next_parameter, has the same rules; but "#" begins a comment of the config, and
# auto and none are words of it.
tokens_check() {
	case $1 in
	*"$nl"*)
		warn "'$1' is not one kernel parameter: it has a line break"
		return 1
		;;
	esac
	_rest=$(printf '%s' "$1" | tr -d '[:alnum:]_.,:=/@%+~!#*?()[]^ "-')
	if [ -n "$_rest" ]; then
		warn "$1: '$_rest' is not handed to the kernel unchanged by every boot loader; set it by hand"
		return 1
	fi
	_bare=$(printf '%s' "$1" | tr -d '"')
	if [ $(((${#1} - ${#_bare}) % 2)) -ne 0 ]; then
		warn "'$1' is not one kernel parameter: a double quote is not closed"
		return 1
	fi
	if [ -z "$1" ] || [ "$(printf '%s\n' "$1" | tokens_split all)" != "$1" ]; then
		warn "'$1' is not one kernel parameter: put what has blanks between double quotes: a=\"b c\""
		return 1
	fi
	case $_bare in
	'' | =*)
		warn "$1: the name of the parameter is missing"
		return 1
		;;
	--)
		warn "--: what is behind it goes to init, not to the kernel"
		return 1
		;;
	esac
}

# tokens_in KIND TEXT: prints the tokens in the lines that tokens_edit would change.
tokens_in() {
	printf '%s' "$2" | KIND=$1 awk "$tokens_awk"'
	{ line[NR] = $0 }
	END {
		for (n = 1; n <= NR; n++)
			if (is_line(n)) {
				part(s = get(n))
				for (i = 1; i <= parts; i++) {
					t = substr(s, from[i], to[i] - from[i] + 1)
					if (t == "--")
						break
					print t
				}
			}
	}' | grep -vxF '$GRUB_CMDLINE_LINUX_DEFAULT'
}

# tokens_edit KIND TEXT ADD TAKE [FRONT]: prints TEXT without the tokens of TAKE and with those of
# ADD. KIND tells which lines have tokens: "kernel": the first; "grub": every
# GRUB_CMDLINE_LINUX_DEFAULT="...", which is added if there is none. If a token occurs several
# times, only the last one is removed, with one blank before it. New tokens are added at the end,
# but before a lone "--"; with FRONT, at the start. Everything else stays as it is, byte by byte,
# even a missing newline at the end.
tokens_edit() {
	# awk cannot tell whether the last line had a newline.
	case $2 in
	*"$nl") _newline=1 ;;
	*) _newline= ;;
	esac
	printf '%s' "$2" | KIND=$1 ADD=$3 TAKE=$4 FRONT=${5-} NEWLINE=$_newline awk "$tokens_awk"'
	function take(t,   n, i, s, left, right) {
		for (n = lines; n > 0; n--) {
			if (!is_line(n))
				continue
			s = get(n)
			for (i = part(s); i > 0; i--)
				if (bare(substr(s, from[i], to[i] - from[i] + 1)) == bare(t))
					break
			if (!i)
				continue
			left = substr(s, 1, from[i] - 1)
			right = substr(s, to[i] + 1)
			if (left != "")
				left = substr(left, 1, length(left) - 1)
			else
				sub(/^[ \t]/, "", right)
			put(n, left right)
			return
		}
	}
	function add(t,   n, s, i, end) {
		for (n = lines; n > 0 && !is_line(n); n--)
			;
		if (!n) {
			n = ++lines
			if (ENVIRON["KIND"] == "kernel")
				line[n] = ""
			else
				line[n] = "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT\""
		}
		s = get(n)
		part(s)
		for (i = 1; i <= parts; i++)
			if (substr(s, from[i], to[i] - from[i] + 1) == "--")
				break
		if (ENVIRON["FRONT"] || (i == 1 && parts)) {
			put(n, substr(s, 1, from[1] - 1) t " " substr(s, from[1]))
			return
		}
		end = parts ? to[i - 1] : 0
		put(n, substr(s, 1, end) (end ? " " : "") t substr(s, end + 1))
	}
	{ line[++lines] = $0 }
	END {
		before = lines
		n = split(ENVIRON["TAKE"], list, "\n")
		for (k = 1; k <= n; k++)
			if (list[k] != "")
				take(list[k])
		n = split(ENVIRON["ADD"], list, "\n")
		more = ""
		for (k = 1; k <= n; k++)
			if (list[k] != "")
				more = more (more == "" ? "" : " ") list[k]
		if (more != "")
			add(more)
		for (k = 1; k <= lines; k++)
			printf "%s%s", line[k],
				(k < lines || lines > before || ENVIRON["NEWLINE"]) ? "\n" : ""
	}'
}
