# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What every benchmark needs. Defines only; the sourcing script stands in the top folder and has -eu.

out=build/bench
bind=build/early/vfio-early-bind

# scratch: makes $scratch, a folder in memory that goes when the script ends.
scratch() {
	scratch=$(mktemp -d /dev/shm/vfio-early-bench.XXXXXX)
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 1' HUP INT TERM
}

# tools: compiles what measures and what is measured against into $out.
tools() {
	mkdir -p "$out"
	for _tool in measure scan; do
		klcc -static -Os -Wall -Wextra -o "$out/$_tool" "tests/bench/$_tool.c"
	done
	cc -O2 -Wall -Wextra -D_GNU_SOURCE -o "$out/peak" tests/bench/peak.c
}

# tree N DIR: a machine of N functions, as tests/tree/generate describes it.
tree() {
	tests/tree/generate "$1" | tests/host/mktree "$2"
}

# ms MICROSECONDS: as milliseconds.
ms() {
	printf '%u.%03u\n' $(($1 / 1000)) $(($1 % 1000))
}

# medians FILE: those of what measure printed, one a line, in milliseconds.
medians() {
	while read -r _median _; do
		ms "$_median"
	done <"$1"
}

# fragment NAME: keeps JSON from standard input as $out/NAME.json, which collect merges, and shows it.
fragment() {
	jq . >"$out/$1.json.new"
	mv "$out/$1.json.new" "$out/$1.json"
	tests/bench/table "$out/$1.json"
}

# guest NAME: boots the scenario tests/bench/NAME. Fails when that does. Its guest prints what measure
# does, behind a name: "NAME MEDIAN LEAST" becomes "NAME_ms": MEDIAN, the middle of a JSON object.
guest() {
	tests/boot/run "tests/bench/$1" >&2
	while read -r _name _median _; do
		printf '"%s_ms": %s\n' "$_name" "$(ms "$_median")"
	done <"${BUILD:-build}/boot/$1/guest.txt" | paste -sd,
}
