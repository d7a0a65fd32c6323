# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What the tests of vfio-early-cmdline share that run it as on a machine of its own: a tree with this
# machine's /usr in it, entered by chroot. Defines only; $top is the project, $work a folder.

passed=0 failed=0 test_name='' problems=''

# begin NAME: a new test; says how the one before went.
begin() {
	finish
	test_name=$1
	: >"$work/out"
}

finish() {
	[ -n "$test_name" ] || return 0
	if [ -z "$problems" ]; then
		passed=$((passed + 1))
		echo "ok $test_name"
	else
		failed=$((failed + 1))
		echo "not ok $test_name$problems"
		sed 's/^/    said: /' "$work/out"
	fi
	test_name='' problems=''
}

problem() {
	problems="$problems
    $*"
}

# total: the last line, and the status.
total() {
	finish
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

# can_be_root: whether there can be a machine.
can_be_root() {
	unshare -rm true 2>/dev/null
}

# machine DIR: what every machine has: a CPU of Intel, a kernel with the IOMMU off.
machine() {
	rm -rf "$1"
	mkdir -p "$1/etc/default" "$1/etc/alternatives" "$1/proc" "$1/boot/grub" "$1/usr" "$1/dev" "$1/tmp" "$1/project" \
		"$1/doubles" "$1/run" "$1/var/lib"
	for _link in bin sbin lib lib64; do
		ln -s "usr/$_link" "$1/$_link"
	done
	printf 'vendor_id\t: GenuineIntel\n' >"$1/proc/cpuinfo"
	echo 'BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro quiet' >"$1/proc/cmdline"
	for _kernel in 6.1.0-1 6.12.0-2; do
		: >"$1/boot/vmlinuz-$_kernel"
		: >"$1/boot/initrd.img-$_kernel"
		echo CONFIG_INTEL_IOMMU_DEFAULT_OFF=y >"$1/boot/config-$_kernel"
	done
	echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' >"$1/etc/default/grub"
	[ ! -d "$here/double" ] || cp "$here"/double/* "$1/doubles"
}

# on MACHINE COMMAND...: runs it there, as root.
on() {
	# shellcheck disable=SC2016 # of another shell
	top=$top unshare -rm sh -c '
		mount --bind "$1" "$1" && cd "$1" && mount --rbind /usr usr &&
			mount --bind /etc/alternatives etc/alternatives &&
			mount --bind "$top" project && mount -t tmpfs dev dev && : >dev/null.real &&
			ln -s null.real dev/null && mount --bind /dev/null dev/null.real || exit 99
		mkdir -p dev/disk/by-uuid
		for esp in esps/*; do
			[ ! -d "$esp" ] || ln -s "../../${esp#*/}" "dev/disk/by-uuid/${esp#*/}"
		done
		shift
		unset top
		PATH=/doubles:/usr/sbin:/usr/bin exec chroot . "$@"' on "$@"
}
