# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# A scenario's folder: its name, its keys, its twin; and an image to which files are added. For every
# harness whose scenarios are such folders.
# Defines only.

# scenario_name DIR: prints its name; a twin's is that of its scenario and `/twin`.
scenario_name() {
	_dir=$(cd "$1" && pwd)
	if [ "$(basename "$_dir")" = twin ] && [ -e "$(dirname "$_dir")/scenario" ]; then
		printf '%s/twin\n' "$(basename "$(dirname "$_dir")")"
	else
		basename "$_dir"
	fi
}

# key FILE KEY [DEFAULT]: prints the value of the last line `KEY = VALUE` of the scenario file.
key() {
	_value=$(keys "$1" "$2" | tail -n 1)
	printf '%s\n' "${_value:-${3:-}}"
}

# keys FILE KEY: prints the values of all such lines, one a line, in order.
keys() {
	sed -n "s/^$2[[:space:]]*=[[:space:]]*\(.*[^[:space:]]\)[[:space:]]*\$/\1/p" "$1"
}

# scenario_flatten DIR OUT: copies the scenario to OUT, without its twin. For a twin: the scenario it
# belongs to, with the twin's files in place of those of the same name; a key of the twin's `scenario`
# takes the place of all lines with that key.
scenario_flatten() {
	rm -rf "$2" && mkdir -p "$2" || return
	_parent=$(dirname "$1")
	if [ "$(basename "$1")" != twin ] || [ ! -e "$_parent/scenario" ]; then
		cp -R "$1/." "$2" && rm -rf "$2/twin"
		return
	fi
	cp -R "$_parent/." "$2" && rm -rf "$2/twin" && cp -R "$1/." "$2" || return
	[ -e "$1/scenario" ] || return 0
	awk '{ name = $0; sub(/[ \t]*=.*/, "", name) }
	     FNR == NR { mine[name] = 1; line[n++] = $0; next }
	     name == "" || name ~ /^#/ || !(name in mine)
	     END { for (i = 0; i < n; i++) print line[i] }' \
		"$1/scenario" "$_parent/scenario" >"$2/scenario"
}

# scenario_check FILE KEYS: complains of a key that is none of KEYS, words with blanks between them.
scenario_check() {
	awk -v keys="$2" 'BEGIN { n = split(keys, key); for (i = 1; i <= n; i++) known[key[i]] = 1 }
	/^[ \t]*(#|$)/ { next }
	{
		name = $0; sub(/[ \t]*=.*/, "", name)
		if ($0 !~ /=/ || !(name in known)) {
			printf "%s:%d: unknown key \"%s\"\n", FILENAME, FNR, name
			bad = 1
		}
	}
	END { exit bad }' "$1"
}

# image_append IMAGE DIR: adds the files of DIR to IMAGE as one more archive. The kernel unpacks
# archives in order: a file of DIR takes the place of the image's file of that name.
image_append() {
	# An archive that follows another begins at a multiple of four bytes.
	_size=$(stat -c %s "$1") || return
	truncate -s "$(((_size + 3) / 4 * 4))" "$1" &&
	(cd "$2" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -R 0:0 -H newc -o) >>"$1"
}
