# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Kernels, busybox and klibc of Debian's suites and architectures, from the mirror that apt is configured
# with: fetched by apt into a root of its own, unpacked and never installed. Kept in $BUILD/kernels; each
# with a lock, so that what runs at the same time fetches it once.
# Defines only; needs the common.sh, roots.sh and guest.sh of tests/boot.

kernels=$BUILD/kernels

# kernel_suite WORD: prints the suite that a user's word for a kernel means.
kernel_suite() {
	case $1 in
	6.1 | bookworm) echo bookworm ;;
	6.12 | trixie) echo trixie ;;
	sid | next) echo sid ;;
	*) die "no such kernel: $1 (6.1, 6.12, next)" ;;
	esac
}

# kernel_word SUITE: prints the word for its kernel that results are headed with.
kernel_word() {
	case $1 in
	bookworm) echo 6.1 ;;
	trixie) echo 6.12 ;;
	*) echo next ;;
	esac
}

# suite_apt SUITE TOOL ARGUMENT...: runs apt's TOOL (get, cache) on the packages of that suite, for both
# architectures, as if nothing were installed. How the mirror is reached is as this machine's apt is told.
suite_apt() {
	_apt=$kernels/apt/$1
	_tool=$2
	shift 2
	# There is nothing that apt's sandbox user may write to.
	"apt-$_tool" -q -o Dir::Etc::SourceList="$_apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$_apt/lists" -o Dir::State::status="$_apt/status" \
		-o Dir::Cache="$_apt/cache" -o APT::Sandbox::User=root \
		-o APT::Architectures::=amd64 -o APT::Architectures::=arm64 "$@"
}

# suite_update SUITE: fetches the lists of packages, when there are none or they are a day old.
suite_update() {
	_lists=$kernels/apt/$1
	[ -z "$(find "$_lists/fresh" -mtime -1 2>/dev/null)" ] || return 0
	mkdir -p "$_lists/lists/partial" "$_lists/cache/archives/partial" && : >"$_lists/status" || return
	_mirror=$(mirror) || return
	echo "deb $_mirror $1 main" >"$_lists/sources.list"
	suite_apt "$1" get update >"$_lists/log" 2>&1 && : >"$_lists/fresh" || {
		cat "$_lists/log" >&2
		return 1
	}
}

# suite_fetch SUITE DIR PACKAGE...: puts the packages into DIR, a new folder.
suite_fetch() {
	_suite=$1
	mkdir -p "$2" || return
	(
		# The lists are one for all.
		flock 6
		suite_update "$_suite"
	) 6>"$kernels/$_suite.lock" || return
	(
		cd "$2" && shift 2 && suite_apt "$_suite" get download "$@" >"$kernels/$_suite.log" 2>&1
	) || {
		cat "$kernels/$_suite.log" >&2
		return 1
	}
}

# kernel_depends SUITE ARCH PACKAGE: prints which packages of kernels PACKAGE needs, as PACKAGE:ARCH.
kernel_depends() {
	suite_apt "$1" cache depends "$3:$2" |
		sed -n "s/^ *Depends: *<\{0,1\}\(linux-[a-z]*-[0-9][^ :>]*\).*/\1:$2/p"
}

# image_packages SUITE ARCH: prints the packages of the newest kernel: what linux-image-ARCH needs, and what
# that is made of since 7.2, where it has no file of its own.
image_packages() {
	_image=$(kernel_depends "$1" "$2" "linux-image-$2" | head -n 1)
	[ -n "$_image" ] && echo "$_image" && kernel_depends "$1" "$2" "${_image%:*}"
}

# modules_wanted: prints the modules that a guest can need, one pattern a line, below the kernel's folder:
# vfio's own, and the drivers of what QEMU has. `*` goes across folders.
modules_wanted() {
	printf 'drivers/%s.ko*\n' ata/ahci ata/libahci ata/libata 'gpu/drm/drm*' gpu/drm/tiny/bochs \
		'gpu/drm/clients/*' 'gpu/drm/display/drm_display*' 'gpu/drm/ttm/*' 'i2c/busses/i2c-i801' \
		'i2c/i2c-smbus' 'i2c/i2c-mux' 'i2c/algos/i2c-algo-bit' 'iommu/*' mfd/lpc_ich mfd/mfd-core \
		'net/ethernet/intel/e1000e/*' 'nvme/common/*' nvme/host/nvme nvme/host/nvme-core pps/pps_core \
		ptp/ptp scsi/scsi_mod scsi/scsi_common scsi/sg scsi/sd_mod 'usb/common/*' 'usb/core/usbcore' \
		'usb/host/xhci*' 'vfio/*' video/aperture video/video video/cmdline 'video/fbdev/core/*' \
		'media/cec/core/*' 'media/rc/rc-core' dax/dax 'dma-buf/*'
	printf '%s.ko*\n' 'sound/core/*' 'sound/hda/*' sound/pci/hda/snd-hda-intel \
		sound/pci/hda/snd-hda-codec sound/soundcore 'virt/*' 'lib/*crc*' 'crypto/crc*' \
		'block/*' 'arch/*/crypto/crc*' fs/minix/minix 'fs/btrfs/*' drivers/md/md-mod \
		drivers/md/raid1 drivers/md/dm-mod 'lib/raid6/*' 'lib/zstd/*' crypto/xor \
		'crypto/blake2b*' 'crypto/xxhash*' lib/xxhash 'arch/*/lib/xor*' 'lib/raid/*' 'lib/crypto/*blake2b*'
}

# kernel_unpack SUITE ARCH DIR: of the packages in DIR/deb, DIR/vmlinuz, and DIR/tree/usr/lib/modules with
# what a guest can need. vfio's modules stay as packed as the package has them, which is how an image has them.
kernel_unpack() {
	mkdir -p "$3/tree" && modules_wanted | sed 's|^|*lib/modules/*/kernel/|' >"$3/wanted" || return
	for _deb in "$3/deb"/linux-*.deb; do
		# Not all have all of it.
		dpkg-deb --fsys-tarfile "$_deb" |
			tar -C "$3/tree" -x --wildcards --no-anchored --files-from="$3/wanted" './boot/vmlinuz-*' \
				'*/modules/*/vmlinuz' '*/modules.builtin' '*/modules.builtin.modinfo' \
				'*/modules.order' 2>>"$3/tar.log"
	done
	find "$3/tree" -name 'vmlinuz*' -type f -exec mv {} "$3/vmlinuz" ';' && [ -e "$3/vmlinuz" ] || {
		say "no kernel in the packages of $1"
		return 1
	}
	rm -rf "$3/tree/boot"
	[ "$2" != amd64 ] || kernel_expand "$3/vmlinuz" "$3/vmlinux" ||
		say "the kernel of $1 has to unpack itself in the guest"
	if [ ! -d "$3/tree/usr/lib/modules" ]; then
		mkdir -p "$3/tree/usr" && mv "$3/tree/lib" "$3/tree/usr" || return
	fi
	for _link in lib bin sbin; do
		mkdir -p "$3/tree/usr/$_link" && ln -s "usr/$_link" "$3/tree/$_link" || return
	done
	find "$3/tree/usr/lib/modules" -name '*.ko.xz' ! -path '*/vfio/*' ! -path '*/virt/*' -exec xz -d {} + &&
	find "$3/tree/usr/lib/modules" -name '*.ko.zst' ! -path '*/vfio/*' ! -path '*/virt/*' \
		-exec zstd -dq --rm {} + || return
	_version=$(ls "$3/tree/usr/lib/modules") || return
	[ -n "$(find "$3/tree" -name 'vfio-pci.ko*')" ] || { say "no vfio-pci in $1"; return 1; }
	echo "$_version" >"$3/version"
	depmod -b "$3/tree" "$_version" && aliases_prune "$3/tree/usr/lib/modules/$_version/modules.alias"
}

# aliases_prune FILE: takes away what names a PCI device that QEMU does not have: busybox's modprobe reads all of it
# each time.
aliases_prune() {
	awk '$1 == "alias" && $2 ~ /^pci:v0000[0-9A-F]+d0000[0-9A-F]+/ &&
		$2 !~ /^pci:v0000(8086d0000(29C0|2918|2922|2930|293E|2668|10D3)|1B36|1234|104C|1022)/ { next }
		{ print }' "$1" >"$1.new" && mv "$1.new" "$1"
}

# kernel_busybox DEB TREE: busybox, under each name that it has.
kernel_busybox() {
	dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards '*bin/busybox' >"$2/usr/bin/busybox" &&
	chmod 755 "$2/usr/bin/busybox" || return
	for _applet in $applets; do
		ln -s busybox "$2/usr/bin/$_applet" || return
	done
	ln -s ../bin/busybox "$2/usr/sbin/modprobe"
}

# What a guest and its scripts may call.
applets='[ awk basename cat chmod cmp cp cut dd dmesg echo egrep env expr false find grep head insmod kill
	killall ln ls lsmod mkdir mkfifo modprobe mount mv od paste poweroff printf ps pwd readlink rm rmdir
	rmmod sed seq sh sleep sort stat stty sync tail tee test timeout touch tr true umount uname uniq usleep
	wc xargs'

# kernel_get SUITE ARCH: prints the folder of the newest kernel of that suite, after making it when it is
# not kept: vmlinuz, version, and tree, which the guest's image is made of. The one of sid is looked for
# again when it is a day old.
kernel_get() {
	mkdir -p "$kernels" || return
	_key=$(sha256sum <"$here/lib/kernels.sh" | cut -c1-12)
	_dir=$kernels/$1-$2-$_key
	(
		flock 9
		[ "$1" != sid ] || [ -n "$(find "$_dir" -maxdepth 0 -mtime -1 2>/dev/null)" ] || rm -rf "$_dir"
		[ ! -e "$_dir/version" ] || exit 0
		say "fetching the kernel of $1 for $2"
		rm -rf "$_dir" "$_dir.tmp" && suite_fetch "$1" "$_dir.tmp/deb" "busybox-static:$2" || exit
		_packages=$(image_packages "$1" "$2")
		[ -n "$_packages" ] || { say "no kernel of $1 for $2"; exit 1; }
		# shellcheck disable=SC2086 # names
		suite_fetch "$1" "$_dir.tmp/deb" $_packages &&
		kernel_unpack "$1" "$2" "$_dir.tmp" &&
		kernel_busybox "$_dir.tmp/deb"/busybox-static_*.deb "$_dir.tmp/tree" &&
		rm -r "$_dir.tmp/deb" && mv "$_dir.tmp" "$_dir"
	) 9>"$_dir.lock" >&2 || return
	printf '%s\n' "$_dir"
}

# klibc_get ARCH: prints a klcc that compiles for that other architecture with the cross compiler of this
# machine, after unpacking the klibc that is for it: the same version as this machine's own has.
klibc_get() {
	mkdir -p "$kernels" || return
	_klibc=$kernels/klibc-$1
	(
		flock 9
		# It names its own place, which is another one where the checkout was moved.
		_place=$(realpath "$_klibc")/usr/lib/klibc
		! grep -qsF "\"$_place\"" "$_klibc/klcc" || exit 0
		rm -rf "$_klibc" && suite_fetch "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$_klibc/deb" \
			"libklibc-dev:$1" &&
		dpkg-deb -x "$_klibc/deb"/libklibc-dev_*.deb "$_klibc" || exit
		# What klcc is told of its own place. Its headers are links to the kernel's, which the cross
		# compiler's packages bring.
		_cross=$(cross_triplet "$1")
		mkdir -p "$_klibc/usr/include/$_cross" &&
		ln -s "/usr/$_cross/include/linux" "/usr/$_cross/include/asm-generic" "$_klibc/usr/include" &&
		ln -s "/usr/$_cross/include/asm" "$_klibc/usr/include/$_cross" &&
		sed "s|\\\\/usr\\\\/lib\\\\/klibc|$_place|g" \
			"$_klibc/usr/bin/klcc" >"$_klibc/klcc.tmp" &&
		chmod 755 "$_klibc/klcc.tmp" && mv "$_klibc/klcc.tmp" "$_klibc/klcc"
	) 9>"$_klibc.lock" >&2 || return
	printf '%s\n' "$_klibc/klcc"
}

# cross_triplet ARCH: prints what the names of the compiler's programs for it begin with.
cross_triplet() {
	case $1 in
	amd64) echo x86_64-linux-gnu ;;
	arm64) echo aarch64-linux-gnu ;;
	esac
}
