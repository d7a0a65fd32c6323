# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What every part of the harness needs: where things are, how to fail, how to be root in a tree.
# Defines only. The sourcing script has set $here (tests/boot) and $top (the project).

# Where all output goes; the environment may move it.
: "${BUILD:=$top/build}"
roots=$BUILD/roots
boot=$BUILD/boot

# say TEXT...: a progress line, on stderr, so that stdout holds results alone.
say() {
	printf 'boot: %s\n' "$*" >&2
}

# die TEXT...: ends the calling script with status 2.
die() {
	printf 'boot: error: %s\n' "$*" >&2
	exit 2
}

# processor_used FILE: sets $_processor to what the children of this shell that have ended had of a processor, in
# seconds: what a guest costs, whatever ran beside it. FILE is for what the shell says of itself: in a pipe it
# would say it of another. Its second line is of children, user and system: MmS.SSs.
processor_used() {
	times >"$1"
	_processor=$(sed -n '2s/[ms]/ /gp' "$1" | awk '{ print int($1 * 60 + $2 + $3 * 60 + $4 + 0.5) }')
	rm -f "$1"
}

# as_root COMMAND...: run it in a private mount namespace in which it is root: truly, when the caller
# is; else with the caller's subordinate IDs, which gives a tree the same owners each time.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		unshare --mount --propagation private -- "$@"
	else
		unshare --map-auto --map-root-user --mount --pid --fork -- "$@"
	fi
}

# in_tree TREE COMMAND...: run it as root, chrooted to TREE with /proc and /dev, an empty /run, and
# nothing in /sys: this machine's PCI functions are none of the guest's. (dracut wants both mounted
# before it makes an image for one host.) TREE is a mount point in there, as / is on a machine.
in_tree() {
	as_root sh -c '
		tree=$1; shift
		mount --bind "$tree" "$tree" &&
		mount -t proc proc "$tree/proc" &&
		mount --rbind /dev "$tree/dev" &&
		mount -t tmpfs tmpfs "$tree/sys" &&
		mount -t tmpfs tmpfs "$tree/run" || exit 2
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
			DEBIAN_FRONTEND=noninteractive chroot "$tree" "$@"' in_tree "$@"
}

# copy_source DIR: puts the project's own files into DIR, without what git and make add to them.
copy_source() {
	mkdir -p "$1" && (cd "$top" && tar -cf - --exclude=./build --exclude=./.git .) |
		tar -C "$1" --no-same-owner -xf -
}

# missing_tools: prints the name of every program that the harness lacks, and the package it is in.
missing_tools() {
	while read -r tool package; do
		command -v "$tool" >/dev/null || printf '%s (package %s)\n' "$tool" "$package"
	done <<-EOT
	qemu-system-x86_64 qemu-system-x86
	mmdebstrap mmdebstrap
	mke2fs e2fsprogs
	cpio cpio
	dpkg-deb dpkg
	apt-get apt
	flock util-linux
	unshare util-linux
	awk mawk
	xargs findutils
	EOT
}
