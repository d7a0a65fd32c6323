# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# One scenario's machine before it is switched on: the root tree with the scenario's config and setup,
# the image that the installed package makes of it, the kernel, the disk.
# Defines only; needs common.sh, scenario.sh, roots.sh, loader.sh and guest.sh.

# The label that /etc/fstab and root= name.
label=vfio-early-root

# image_tree SCENARIO BASE TREE: copies the tree BASE to TREE and puts into it what the scenario and the
# harness add. The scenario lies in the guest as /root/scenario.
image_tree() {
	rm_tree "$3"
	(
		flock -s 9
		as_root cp -a --reflink=auto "$2" "$3"
	) 9>"$2.lock" || return
	# shellcheck disable=SC2016
	as_root sh -e -c '
		scenario=$1 tree=$2 guest=$3
		# No check of it: the disk is made new.
		echo "LABEL=$4 / ext4 defaults 0 0" >"$tree/etc/fstab"
		echo guest >"$tree/etc/hostname"
		# Without one, each boot is a first boot to systemd, which takes seconds.
		printf "%s" "$scenario" | md5sum | cut -c1-32 >"$tree/etc/machine-id"
		# Its images are made in a chroot, where nothing can be known of the guest.
		"$5" "$tree"
		cp -R "$scenario" "$tree/root/scenario"
		chown -R 0:0 "$tree/root/scenario"
		install -m 644 "$scenario/vfio-early.conf" "$tree/etc/vfio-early.conf"
		install -m 644 "$guest/run.sh" "$guest/walk.sh" "$guest/sections.sh" "$tree/root"
		install -m 755 "$guest/gather" "$tree/usr/local/sbin/vfio-early-gather"
		install -m 644 "$guest/vfio-early-gather.service" "$tree/etc/systemd/system"
		mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
		ln -s ../vfio-early-gather.service "$tree/etc/systemd/system/multi-user.target.wants"
		# What would only compete with what is measured: timers, what is there for those who log
		# in, and what nothing here uses.
		for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
				e2scrub_all.timer e2scrub_reap.service fstrim.timer \
				systemd-tmpfiles-clean.timer \
				dbus.service dbus.socket getty.target systemd-logind.service \
				systemd-update-utmp.service systemd-update-utmp-runlevel.service \
				systemd-user-sessions.service systemd-random-seed.service \
				systemd-sysusers.service systemd-sysctl.service systemd-pstore.service \
				systemd-ask-password-console.path systemd-ask-password-wall.path \
				proc-sys-fs-binfmt_misc.automount systemd-initctl.socket \
				sys-kernel-debug.mount sys-kernel-tracing.mount \
				modprobe@configfs.service modprobe@dm_mod.service \
				modprobe@efi_pstore.service modprobe@fuse.service \
				modprobe@loop.service dev-hugepages.mount dev-mqueue.mount \
				run-lock.mount tmp.mount systemd-udev-load-credentials.service \
				sys-fs-fuse-connections.mount sys-kernel-config.mount; do
			ln -sf /dev/null "$tree/etc/systemd/system/$unit"
		done
		# Nor what makes units of that which no guest has: each is a process at every boot.
		mkdir -p "$tree/etc/systemd/system-generators"
		for generator in cryptsetup debug factory-reset getty gpt-auto hibernate-resume import \
				integritysetup rc-local run ssh system-update sysv tpm2 veritysetup; do
			ln -sf /dev/null "$tree/etc/systemd/system-generators/systemd-$generator-generator"
		done
		# Quick to make, and no larger than it need be for what is shown. Where 3cpio packs (sid), dracut
		# takes the level from a variable, and 15 from the command.
		if [ -d "$tree/etc/initramfs-tools/conf.d" ]; then
			printf "%s\n" COMPRESSLEVEL=1 "MODULES=$6" >"$tree/etc/initramfs-tools/conf.d/harness"
			[ "$6" != list ] ||
				printf "%s\n" ext4 nvme virtio_blk virtio_pci >>"$tree/etc/initramfs-tools/modules"
		fi
		[ ! -d "$tree/etc/dracut.conf.d" ] ||
			printf "%s\n" "compress=\"zstd -q -1\"" compress_level_zstd=1 "hostonly=no" \
				>"$tree/etc/dracut.conf.d/harness.conf"' image_tree "$1" "$3" "$here/guest" "$label" "$top/tests/host/facts" \
		"$(key "$1/scenario" modules most)" || return
}

# image_regenerate TREE BUILDER: makes the images of all kernels anew.
image_regenerate() {
	case $2 in
	initramfs-tools)
		in_tree "$1" update-initramfs -u -k all ;;
	dracut)
		# shellcheck disable=SC2016
		in_tree "$1" sh -c 'for d in /lib/modules/*; do
				dracut --force "/boot/initrd.img-${d##*/}" "${d##*/}" || exit
			done' ;;
	*)
		say "no such image builder: $2"
		return 1 ;;
	esac
}

# image_key SCENARIO: prints what the images of a tree differ by between scenarios: the config, and
# where there is a setup all that it may use.
image_key() {
	(
		cd "$1" || exit
		set -- vfio-early.conf
		if [ -e setup ]; then
			# shellcheck disable=SC2046 # names without spaces
			set -- $(find . -type f ! -path './image/*' ! -name expect ! -name guest \
				! -name host ! -name scenario | LC_ALL=C sort)
		fi
		{
			sha256sum "$@" "$here/lib/image.sh"
			key scenario modules most
		} | sha256sum | cut -c1-12
	)
}

# image_make TREE BUILDER CACHE: the images of all kernels, out of the folder CACHE when another scenario
# made them from the same; else they are kept there.
image_make() {
	mkdir -p "$(dirname "$3")" || return
	(
		flock 9
		if [ ! -d "$3" ]; then
			mkdir -p "$3.tmp" && image_regenerate "$1" "$2" >"$3.tmp/said" 2>&1 || {
				cat "$3.tmp/said"
				exit 1
			}
			# shellcheck disable=SC2016
			as_root sh -e -c 'cp "$1"/boot/initrd.img-* "$2"
				chmod 644 "$2"/*' image_make "$1" "$3.tmp" && mv "$3.tmp" "$3" || exit
		fi
		cat "$3/said"
		# shellcheck disable=SC2016
		as_root sh -c 'cp "$2"/initrd.img-* "$1/boot"' image_make "$1" "$3"
	) 9>"$3.lock"
}

# kernel_arguments FILE: prints what every boot of a scenario has on its command line, root= aside.
kernel_arguments() {
	echo "console=ttyS0,115200 log_buf_len=1M $kernel_quick $(key "$1" cmdline)"
}

# image_kernel TREE FLAVOUR: prints the version of the tree's one kernel of that flavour (rt), or of its
# one plain kernel.
image_kernel() {
	set -- "$2" "$1"/boot/vmlinuz-*
	_flavour=$1
	shift
	for _kernel; do
		case $_kernel in
		*-rt-*) [ "$_flavour" = rt ] || continue ;;
		*) [ -z "$_flavour" ] || continue ;;
		esac
		echo "${_kernel##*/vmlinuz-}"
	done | awk '{ print; n++ } END { exit n != 1 }' || {
		say "not one kernel of this flavour in the root: ${_flavour:-plain}"
		return 1
	}
}

# kernel_kept OUT KEPT: makes OUT/vmlinux of OUT/kernel, see kernel_expand; KEPT keeps it for the next.
kernel_kept() {
	(
		flock 9
		[ -e "$2" ] || { kernel_expand "$1/kernel" "$2.tmp" && mv "$2.tmp" "$2"; }
	) 9>"$2.lock" && ln -f "$2" "$1/vmlinux"
}

# image_build SCENARIO BASE BUILDER OUT: makes OUT/kernel, OUT/initrd and OUT/disk of the scenario.
# What the image builder says is kept in OUT/image.txt.
image_build() {
	_tree=$4/tree
	if [ -e "$1/prepare" ]; then
		(cd "$1" && TOP=$top sh -e ./prepare) >"$4/prepare.txt" 2>&1 || {
			say 'prepare failed:'
			cat "$4/prepare.txt" >&2
			return 1
		}
	fi
	image_tree "$1" "$2" "$_tree" || return
	{
		if [ -e "$1/setup" ]; then
			in_tree "$_tree" sh -e -c 'cd /root/scenario && . ./setup'
		fi && image_make "$_tree" "$3" "$2.images/$(image_key "$1")"
	} >"$4/image.txt" 2>&1 || {
		say 'setup or image builder failed:'
		cat "$4/image.txt" >&2
		return 1
	}
	_version=$(image_kernel "$_tree" "$(key "$1/scenario" kernel)") || return
	_loader=$(key "$1/scenario" loader)
	[ -z "$_loader" ] || loader_setup "$_loader" "$_tree" "$(kernel_arguments "$1/scenario")" || return
	disk_build "$1" "$4" 1 || return
	kernel_kept "$4" "$2.images/vmlinux-$_version" ||
		say "the kernel of $(scenario_name "$1") has to unpack itself in the guest"
}

# disk_build SCENARIO OUT BOOT: what a boot needs of OUT/tree, where /root/boot says which it is: OUT/kernel,
# OUT/initrd and OUT/disk.
disk_build() {
	_version=$(image_kernel "$2/tree" "$(key "$1/scenario" kernel)") || return
	# shellcheck disable=SC2016
	as_root sh -e -c '
		echo "$4" >"$1/root/boot"
		cp "$1/boot/vmlinuz-$3" "$2/kernel"
		cp "$1/boot/initrd.img-$3" "$2/initrd"
		chmod 644 "$2/kernel" "$2/initrd"' disk_build "$2/tree" "$2" "$_version" "$3" || return
	if [ -d "$1/image" ]; then
		image_append "$2/initrd" "$1/image" || return
	fi
	rm -f "$2/disk" "$2/part" && truncate -s 2G "$2/part" &&
	as_root mke2fs -q -t ext4 -L "$label" -d "$2/tree" "$2/part" || return
	if [ -z "$(key "$1/scenario" loader)" ] || [ -e "$1/between" ]; then
		mv "$2/part" "$2/disk"
	else
		loader_disk "$(key "$1/scenario" loader)" "$2/tree" "$2/part" "$2/disk" && rm "$2/part"
	fi
}
