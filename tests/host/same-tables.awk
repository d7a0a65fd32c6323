# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f same-tables.awk EXPECTED HAPPENED: prints HAPPENED, with the lines of EXPECTED in place of those
# of a table that say the same in columns of other widths. libsmartcols decides how wide a column is that
# has to be cut, and its versions differ in that.
#
# The same: the same columns, as many rows, and in each cell the same text, colours too. A cell that
# fills its column in one of the two may have been cut, so there it need only begin like the other; the
# last one, where its row is as wide as was asked for (-w N, or the terminal of `tty N`), or almost. No
# row may be wider than that.
#
# LC_ALL=C: a character is its first byte and any number of \200-\277.

# width TEXT: its columns on a terminal, in which a colour takes none.
function width(text) {
	gsub(/\033\[[0-9;]*m/, "", text)
	gsub(/[\200-\277]/, "", text)
	return length(text)
}

# is_header LINE: the names of two columns or more, and nothing else.
function is_header(line) {
	return line ~ /^[A-Z]+( +[A-Z]+)+$/
}

# columns HEADER: where each column begins, in start[]; returns how many there are.
function columns(header, start, n, i) {
	n = 0
	for (i = 1; i <= length(header); i++)
		if (substr(header, i, 1) != " " && (i == 1 || substr(header, i - 1, 1) == " "))
			start[++n] = i
	start[n + 1] = 1000000
	return n
}

# cells LINE, START, N: takes the line apart, into cell[].
function cells(line, start, n, cell, i, at, byte, whole) {
	whole = line
	for (i = 1; i <= n; i++)
		cell[i] = ""
	at = 0
	i = 1
	while (line != "") {
		if (match(line, /^\033\[[0-9;]*m/)) {
			byte = substr(line, 1, RLENGTH)
			# What begins here belongs to the column that the next character is in; what ends
			# here, to the one before.
			if (byte != "\033[0m")
				while (at + 1 >= start[i + 1])
					i++
		} else {
			byte = substr(line, 1, 1)
			if (byte !~ /[\200-\277]/)
				at++
			while (at >= start[i + 1])
				i++
		}
		cell[i] = cell[i] byte
		line = substr(line, length(byte) + 1)
	}
	for (i = 1; i <= n; i++) {
		full[i] = width(cell[i]) >= start[i + 1] - start[i] - 1
		if (i == n)
			full[i] = limit && width(whole) >= limit - 3
		gsub(/^ +| +$/, "", cell[i])
		# Blanks in front of the end of a colour only fill the line up.
		sub(/ +\033\[0m$/, "\033[0m", cell[i])
	}
}

# is_start A B: one begins like the other.
function is_start(a, b) {
	sub(/ +$/, "", a)
	sub(/ +$/, "", b)
	return length(a) <= length(b) ? substr(b, 1, length(a)) == a : substr(a, 1, length(b)) == b
}

# same_row OLD NEW: see above; the columns are in old_start[], new_start[] and count.
function same_row(old, new, i) {
	cells(old, old_start, count, old_cell)
	for (i = 1; i <= count; i++)
		was_full[i] = full[i]
	cells(new, new_start, count, new_cell)
	for (i = 1; i <= count; i++) {
		if (old_cell[i] == new_cell[i])
			continue
		if ((was_full[i] || full[i]) && old_cell[i] != "" && new_cell[i] != "" &&
		    is_start(old_cell[i], new_cell[i]))
			continue
		return 0
	}
	return 1
}

# same_table: of number t, from line b of what happened.
function same_table(t, b, a, i, header) {
	a = table[t]
	header = expected[a]
	gsub(/ +/, " ", header)
	i = happened[b]
	gsub(/ +/, " ", i)
	if (!a || header != i || !is_end(expected[a + rows(b)]))
		return 0
	count = columns(expected[a], old_start)
	columns(happened[b], new_start)
	for (i = 1; i < rows(b); i++) {
		if (is_end(expected[a + i]) || !same_row(expected[a + i], happened[b + i]))
			return 0
	}
	for (i = 0; i < rows(b); i++)
		if (limit && width(happened[b + i]) > limit)
			return 0
	return 1
}

function is_end(line) {
	return line == "" || line ~ /^== /
}

# rows B: the lines of the table that begins at line b of what happened.
function rows(b, n) {
	for (n = 0; b + n <= lines && !is_end(happened[b + n]); n++)
		;
	return n
}

FNR == NR {
	expected[FNR] = $0
	if (is_header($0))
		table[++tables] = FNR
	next
}

{ happened[++lines] = $0 }

END {
	for (i = 1; i <= lines; i++) {
		if (happened[i] ~ /^== /) {
			limit = 0
			if (match(happened[i], /^== tty [0-9]+/))
				limit = substr(happened[i], 8, RLENGTH - 7) + 0
			if (match(happened[i], / -w [0-9]+/))
				limit = substr(happened[i], RSTART + 4, RLENGTH - 4) + 0
		}
		if (!is_header(happened[i])) {
			print happened[i]
			continue
		}
		n = rows(i)
		same = same_table(++t, i)
		for (k = 0; k < n; k++)
			print same ? expected[table[t] + k] : happened[i + k]
		i += n - 1
	}
}
