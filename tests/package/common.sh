# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What the scripts of tests/package that run inside a tree share. $1 of the script is the tree's name.
# Defines only.
label=$1

# ok WHAT STATUS: one test.
ok() {
	if [ "$2" -eq 0 ]; then
		echo "ok $label: $1"
	else
		echo "not ok $label: $1"
		sed 's/^/    /' /tmp/output
	fi
}

# quietly COMMAND...: keeps what it says in /tmp/output.
quietly() {
	"$@" >/tmp/output 2>&1
}

# says TEXT: the last command did.
says() {
	grep -Fq -e "$1" /tmp/output
	ok "said: $1" $?
}

# files: every file of the system that a package could leave behind.
files() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var \
		-o -path /run -o -path /boot \) -prune -o -print | sort
	find /var /run /boot -xdev -name '*vfio-early*' | sort
}

