# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f svg.awk SESSION: the text of a terminal, with its colours, as SVG. Colours are classes, and a
# reader who prefers dark gets the dark ones.

BEGIN {
	advance = 8.4
	height = 19
	margin = 16
}

function escape(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	return text
}

# piece TEXT COLUMN: one run of one colour, at its column, as wide as its characters are.
function piece(text, column,    x) {
	if (text ~ /^ *$/)
		return
	x = margin + column * advance
	body = body sprintf("<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" xml:space=\"preserve\"%s>%s</text>\n", x,
		margin + row * height, width(text) * advance, class == "" ? "" : " class=\"" class "\"",
		escape(text))
}

# width TEXT: its columns; a character of UTF-8 has one, however many bytes.
function width(text) {
	gsub(/[\200-\277]/, "", text)
	return length(text)
}

# attribute NUMBERS: of an escape sequence.
function attribute(numbers,    n, i, part) {
	n = split(numbers, part, ";")
	if (numbers == "")
		class = ""
	for (i = 1; i <= n; i++) {
		if (part[i] == 0)
			class = ""
		else if (part[i] == 1)
			class = "bold"
		else if (part[i] == 2)
			class = "dim"
		else if (part[i] in names)
			class = names[part[i]]
	}
}

BEGIN {
	names[31] = names[91] = "red"
	names[32] = names[92] = "green"
	names[33] = names[93] = "yellow"
	names[34] = names[94] = names[36] = names[96] = "blue"
	names[90] = "dim"
}

{
	row++
	rest = $0
	column = 0
	while (match(rest, /\033\[[0-9;]*m/)) {
		text = substr(rest, 1, RSTART - 1)
		piece(text, column)
		column += width(text)
		attribute(substr(rest, RSTART + 2, RLENGTH - 3))
		rest = substr(rest, RSTART + RLENGTH)
	}
	piece(rest, column)
}

END {
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" " \
		"role=\"img\" aria-label=\"vfio-early list, check, apply and status on a terminal\">\n",
		2 * margin + 100 * advance, 2 * margin + row * height, 2 * margin + 100 * advance
	print "<style>"
	print "svg { background: #ffffff } rect { fill: #ffffff; stroke: #d0d7de }"
	print "text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2328 }"
	print ".bold { font-weight: bold } .dim { fill: #59636e } .red { fill: #cf222e } .green { fill: #1a7f37 }"
	print ".yellow { fill: #9a6700 } .blue { fill: #0969da }"
	print "@media (prefers-color-scheme: dark) {"
	print "svg { background: #0d1117 } rect { fill: #0d1117; stroke: #3d444d } text { fill: #e6edf3 }"
	print ".dim { fill: #9198a1 } .red { fill: #ff7b72 } .green { fill: #3fb950 } .yellow { fill: #d29922 }"
	print ".blue { fill: #58a6ff } }"
	print "</style>"
	printf "<rect x=\"0.5\" y=\"0.5\" width=\"%.1f\" height=\"%.1f\" rx=\"6\"/>\n",
		2 * margin + 100 * advance - 1, 2 * margin + row * height - 1
	printf "%s</svg>\n", body
}
