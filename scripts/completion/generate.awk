# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -v shell=bash|zsh|fish -v values=PATH [-v only=PROGRAM] -f generate.awk TABLE TEMPLATE
#
# Makes the completion for one shell from its template: replaces the line "@TABLE@" by the content
# of the table (only for one program, if it is named), and "@VALUES@" by the path of the program
# that prints the values of this machine. tests/completion/table explains the columns.

BEGIN { FS = "\t" }

# quote TEXT: returns it as one word of a shell.
function quote(text) {
	gsub(/'/, shell == "fish" ? "\\'" : "'\\''", text)
	return "'" text "'"
}

NR == FNR && !/^#/ && (only == "" || only == $1) {
	row++
	program[row] = $1
	command[row] = $2
	short[row] = $3
	long[row] = $4
	kind[row] = $5
	help[row] = $6
	next
}

NR == FNR { next }

# For bash and zsh: prints branches of a case statement, in the syntax that both have.
function lines_of(is_command,    i, old, key) {
	for (i = 1; i <= row; i++) {
		if ((long[i] == "-") != is_command)
			continue
		key = program[i] (is_command ? "" : " " command[i])
		if (key != old)
			printf "%s\t%s)\n\t\tprintf '%%s\\t%%s\\n' \\\n", old == "" ? "" : "\t\t;;\n", quote(key)
		else
			printf " \\\n"
		printf "\t\t\t%s %s", is_command ? command[i] : long[i], quote(help[i])
		if (i == row || program[i] (is_command ? "" : " " command[i]) != next_key(i, is_command))
			print ""
		old = key
	}
	print "\t\t;;"
}

# next_key: returns the key of the next row of the same kind.
function next_key(i, is_command) {
	for (i++; i <= row; i++)
		if ((long[i] == "-") == is_command)
			return program[i] (is_command ? "" : " " command[i])
	return ""
}

function functions(    i) {
	print "# _vfio_early_commands PROGRAM: its commands, each with a tab and what it does."
	print "_vfio_early_commands() {\n\tcase $1 in"
	lines_of(1)
	print "\tesac\n}\n"
	print "# _vfio_early_options PROGRAM COMMAND: its options, each with a tab and what it does."
	print "_vfio_early_options() {\n\tcase \"$1 $2\" in"
	lines_of(0)
	print "\tesac\n}\n"
	print "# _vfio_early_kind PROGRAM COMMAND OPTION: what stands behind the option, \"-\" where nothing does;"
	print "# with \"-\" for OPTION: the arguments. Fails when there is no such option."
	print "_vfio_early_kind() {\n\tcase \"$1 $2 $3\" in"
	for (i = 1; i <= row; i++) {
		printf "\t%s", quote(program[i] " " command[i] " " long[i])
		if (short[i] != "-")
			printf " | %s", quote(program[i] " " command[i] " " short[i])
		printf ") echo %s ;;\n", quote(kind[i])
	}
	print "\t*) return 1 ;;\n\tesac\n}"
}

# fish decides by the rows themselves what to offer.
function rows_of_fish(    i) {
	print "# What is followed by an argument."
	printf "set -g __vfio_early_taking"
	for (i = 1; i <= row; i++)
		if (long[i] != "-" && kind[i] != "-" && kind[i] !~ /^\[/) {
			printf " %s", quote(command[i] " " long[i])
			if (short[i] != "-")
				printf " %s", quote(command[i] " " short[i])
		}
	print ""
	for (i = 1; i <= row; i++) {
		if (long[i] == "-") {
			printf "complete -c %s -n %s -a %s -d %s\n", program[i],
				quote("__vfio_early_no_command"), command[i], quote(help[i])
			if (kind[i] != "-" && kind[i] != "text")
				printf "complete -c %s -n %s -a %s\n", program[i],
					quote("__vfio_early_command " command[i]),
					quote("(__vfio_early_argument " kind[i] ")")
			continue
		}
		printf "complete -c %s -n %s", program[i], quote(command[i] == "-" ? \
			(program[i] == "vfio-early" ? "__vfio_early_no_command" : "true") : "__vfio_early_command " command[i])
		if (short[i] != "-")
			printf " -s %s", substr(short[i], 2)
		printf " -l %s -d %s", substr(long[i], 3), quote(help[i])
		if (kind[i] != "-" && kind[i] !~ /^\[/)
			printf " -x"
		if (kind[i] != "-" && kind[i] != "text" && kind[i] !~ /^\[/)
			printf " -a %s", quote("(__vfio_early_value " quote(kind[i]) ")")
		print ""
	}
}

/^@TABLE@$/ {
	if (shell == "fish")
		rows_of_fish()
	else
		functions()
	next
}

{
	gsub(/@VALUES@/, values)
	print
}
