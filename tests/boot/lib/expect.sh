# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Compare what the guest gathered with the scenario's `expect`. Each difference is one line on stdout;
# no line, no difference. The grammar is in README.md.
# Defines only.

# expect_functions EXPECT OUT: every function of the guest is in the list, and is what the list says.
expect_functions() {
	awk '
	function differ(what, want, have) {
		if (want != have)
			printf "%s: %s: expected %s, got %s\n", address, what, want, have
	}
	FNR == NR {
		if ($1 != "function")
			next
		if (NF != 5)
			printf "expect:%d: function ADDRESS ID DRIVER OVERRIDE\n", FNR
		id[$2] = $3; driver[$2] = $4; override[$2] = $5
		next
	}
	{
		address = $1
		seen[address] = 1
		if (!(address in id)) {
			printf "%s: not in the list: %s driver %s override %s\n", $1, $2, $3, $4
			next
		}
		differ("ID", id[address], $2)
		differ("driver", driver[address], $3)
		differ("driver_override", override[address], $4)
	}
	END {
		for (address in id)
			if (!(address in seen))
				printf "%s: expected %s, got no such function\n", address, id[address]
	}' "$1" "$2/functions.txt"
}

# expect_section OUT SECTION: prints the file of that section; complains, and fails, when there is none.
expect_section() {
	if [ -e "$1/$2.txt" ]; then
		printf '%s\n' "$1/$2.txt"
	else
		echo "no section \"$2\" was gathered" >&2
		return 1
	fi
}

# expect_lines EXPECT OUT: all lines of the list but the functions'.
expect_lines() {
	_n=0
	while read -r _verb _section _rest; do
		_n=$((_n + 1))
		case $_verb in
		''|'#'*|function|failed) continue ;;
		has|lacks|before|count) ;;
		*) echo "expect:$_n: unknown word \"$_verb\""; continue ;;
		esac
		if [ "$_verb" = count ]; then
			_want=$_section
			_section=${_rest%% *}
			_rest=${_rest#* }
		fi
		_file=$(expect_section "$2" "$_section" 2>&1) || { echo "expect:$_n: $_file"; continue; }
		case $_verb in
		has)
			grep -aEq -e "$_rest" "$_file" ||
				echo "expect:$_n: $_section: no line matches: $_rest" ;;
		lacks)
			grep -aE -e "$_rest" "$_file" |
				sed "s|^|expect:$_n: $_section: must not be there: |" ;;
		count)
			_have=$(grep -aEc -e "$_rest" "$_file")
			[ "$_have" = "$_want" ] ||
				echo "expect:$_n: $_section: expected $_want lines, got $_have: $_rest" ;;
		before)
			expect_before "$_n" "$_file" "${_rest% ==> *}" "${_rest#* ==> }" ;;
		esac
	done <"$1"
}

# expect_before LINE FILE A B: both occur, and the last match of A is above the first of B.
expect_before() {
	_a=$(grep -aEn -e "$3" "$2" | tail -n 1 | cut -d: -f1)
	_b=$(grep -aEn -e "$4" "$2" | head -n 1 | cut -d: -f1)
	if [ -z "$_a" ]; then
		echo "expect:$1: no line matches: $3"
	elif [ -z "$_b" ]; then
		echo "expect:$1: no line matches: $4"
	elif [ "$_a" -ge "$_b" ]; then
		echo "expect:$1: line $_a ($3) is not before line $_b ($4)"
	fi
}

# expect_units EXPECT OUT: no unit failed but those that the list allows.
expect_units() {
	awk 'FNR == NR { if ($1 == "failed") allowed[$2] = 1; next }
	     !($1 in allowed) { printf "unit %s failed\n", $1 }' "$1" "$2/failed.txt"
}

# expect_check EXPECT OUT: all of it.
expect_check() {
	expect_functions "$1" "$2"
	expect_lines "$1" "$2"
	expect_units "$1" "$2"
}
