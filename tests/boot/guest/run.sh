# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For a scenario's guest script: `. ../run.sh`. Defines only.

# run WORD COMMAND...: what it prints, each line behind the word, and its exit status.
run() {
	word=$1
	shift
	status=0
	"$@" >/tmp/out 2>&1 </dev/null || status=$?
	sed "s/^/$word: /" /tmp/out
	echo "exit $status: $word"
}
