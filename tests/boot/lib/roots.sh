# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The root file systems, in two cached stages: the distribution (a tar archive, rebuilt when the list
# of packages changes) and, on it, the package under test, installed as an administrator does (a tree,
# rebuilt when the package changes). Each stage has a lock, so that scenarios that run at the same time
# build it once.
# Defines only; needs common.sh.

# mirror: prints the address of the Debian mirror that apt is configured with; MIRROR goes first.
# Security and derivative archives have another layout: only one that carries a suite of Debian proper
# can serve the others.
mirror() {
	if [ -n "${MIRROR:-}" ]; then
		printf '%s\n' "$MIRROR"
		return
	fi
	# shellcheck disable=SC2016 # apt's own syntax
	apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
		awk '$1 == "Debian" && $2 !~ /-/ { print $3; found = 1; exit }
		     END { exit !found }' ||
		die 'apt knows no Debian mirror: run apt-get update, or set MIRROR'
}

# apt_options: prints, one a line, the mmdebstrap options that carry over how this machine's apt
# reaches its mirror (proxies, checks of dates).
apt_options() {
	apt-config dump Acquire::http::Proxy Acquire::https::Proxy Acquire::Check-Valid-Until \
		Acquire::Check-Date | sed -n 's/^\(Acquire[^ ]* .*\);$/--aptopt=\1/p'
}

# package_depends DEB BUILDER: prints the packages that DEB depends on, one a line: the first of each
# set of alternatives, none for a set that the builder satisfies.
package_depends() {
	{ dpkg-deb -f "$1" Pre-Depends; dpkg-deb -f "$1" Depends; } | tr ',\n' '\n\n' |
	awk -v builder="$2" '{
		gsub(/\([^)]*\)/, ""); gsub(/[ \t]/, ""); gsub(/:any/, "")
		n = split($0, alternative, "|")
		for (i = 1; i <= n; i++)
			if (alternative[i] == builder)
				next
		if (n && alternative[1] != "")
			print alternative[1]
	}'
}

# root_packages SUITE BUILDER DEB [LOADER]: prints the packages of the base, sorted, separated by commas.
# What DEB depends on is in it, so that installing DEB later needs no network. trixie has two kernels,
# each with an image of its own to be right, and what packs modules another way.
root_packages() {
	{
		[ -z "${4:-}" ] || loader_packages "$4"
		printf '%s\n' linux-image-amd64 systemd-sysv udev kmod zstd dbus "$2"
		[ "$1" != trixie ] || printf '%s\n' linux-image-rt-amd64 xz-utils
		package_depends "$3" "$2"
	} | LC_ALL=C sort -u | paste -sd,
}

# kept: prints the modules that a guest can need, one pattern a line, below the kernel's folder. `*`
# goes across folders.
kept() {
	printf 'fs/%s*\n' autofs/ configfs/ efivarfs/ ext4/ fat/ fuse/ jbd2/ mbcache nls/ overlayfs/ \
		pstore/
	printf 'drivers/%s*\n' ata/ahci ata/libahci ata/libata block/loop block/virtio_blk cdrom/ dax/ dca/ \
		gpu/drm/clients/ gpu/drm/display/ gpu/drm/drm gpu/drm/qxl/ gpu/drm/sysfb/ \
		gpu/drm/tiny/ gpu/drm/ttm/ gpu/drm/virtio/ i2c/algos/ i2c/busses/i2c-i801 i2c/i2c- \
		iommu/ leds/trigger/ledtrig-audio md/ media/cec/core/ media/rc/rc-core mfd/lpc_ich \
		mfd/mfd-core net/ethernet/intel/e1000 net/ethernet/intel/igb net/net_failover \
		net/virtio_net nvme/ pci/ pps/pps_core ptp/ptp.ko scsi/scsi_common scsi/scsi_mod \
		scsi/sd_mod scsi/sg.ko scsi/sr_mod usb/common/ usb/core/ usb/host/ehci usb/host/uhci \
		usb/host/xhci usb/storage/uas usb/storage/usb-storage vfio/ video/aperture \
		video/fbdev/core/ video/video virtio/
	printf 'sound/%s*\n' core/ hda/ pci/hda/ soundcore
	printf '%s*\n' block/ crypto/async_tx/ crypto/crc crypto/xor lib/[!t] mm/ net/core/failover virt/
}

# left_out: prints dpkg's options, one a line, for what the base goes without: documentation, and the
# modules of hardware, file systems and protocols that no guest has, nor the CPU's own. With all of
# them the image takes three times as long to make and to unpack, and udev loads for seconds.
# WHOLE: not empty where a host's own modules are to be measured.
left_out() {
	printf 'path-exclude=/usr/share/%s/*\n' doc info locale man
	[ -z "${WHOLE:-}" ] || return 0
	echo 'path-exclude=/*lib/modules/*/kernel/*'
	kept | sed 's|.*|path-include=/*lib/modules/*/kernel/&|'
}

# quick_images: prints mmdebstrap's options, one a line, that make the images of the packages' own scripts
# quick to make, and leave no trace: those who use the base decide how theirs are made. Nor does dpkg
# wait for the disk, then or later: a root that is half made is thrown away.
quick_images() {
	echo --dpkgopt=force-unsafe-io
	# shellcheck disable=SC2016 # mmdebstrap's own $1
	echo '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/etc/dracut.conf.d" &&
echo COMPRESSLEVEL=1 >"$1/etc/initramfs-tools/conf.d/base" &&
printf "%s\n" "compress=\"zstd -q -1\"" compress_level_zstd=1 >"$1/etc/dracut.conf.d/base.conf"' | paste -sd' '
	# shellcheck disable=SC2016
	echo '--customize-hook=cd "$1/etc" && rm initramfs-tools/conf.d/base dracut.conf.d/base.conf &&
{ [ -e "$1/usr/sbin/update-initramfs" ] || rm -r initramfs-tools; } &&
{ [ -e "$1/usr/bin/dracut" ] || rmdir dracut.conf.d; }' | paste -sd' '
}

# base_build SUITE BUILDER PACKAGES TAR: makes the archive TAR.
base_build() {
	say "making the root of $1 with $2 (a minute or two)"
	_options=$(apt_options; quick_images; left_out | sed 's/^/--dpkgopt=/')
	_mirror=$(mirror) || return
	# Each line of the options is one argument.
	_ifs=$IFS
	IFS='
'
	set -f
	# shellcheck disable=SC2086
	set -- "$@" $_options
	set +f
	IFS=$_ifs
	_suite=$1 _packages=$3 _tar=$4
	shift 4
	mmdebstrap --quiet --variant=apt --include="$_packages" "$@" \
		"$_suite" "$_tar.tmp.tar" "$_mirror" && mv "$_tar.tmp.tar" "$_tar"
}

# modules_unsign TREE: takes the signatures off what modules lie in TREE as they are, but for vfio's own. Who
# has a key checks them, who has none (tests/kernel) hashes the modules all the same: a tenth of a guest's time.
# What is there: scripts/sign-file.c; the length is the last number of struct module_signature, big-endian.
modules_unsign() {
	find "$1" -name '*.ko' ! -path '*/vfio/*' ! -path '*/virt/*' -type f | while read -r _module; do
		[ "$(tail -c 28 "$_module" | tr -d '\0')" = '~Module signature appended~' ] || continue
		# shellcheck disable=SC2046 # four numbers
		set -- $(tail -c 32 "$_module" | od -An -tu1 -N 4)
		truncate -s "-$((40 + $1 * 16777216 + $2 * 65536 + $3 * 256 + $4))" "$_module" || exit
	done
}

# package_build TAR DEB TREE: unpacks TAR and installs DEB in it; its triggers regenerate the image.
package_build() {
	say "installing $(dpkg-deb -f "$2" Package Version | paste -sd' ') into $(basename "$1" .tar)"
	rm_tree "$3.tmp" && mkdir -p "$3.tmp" || return
	as_root tar -C "$3.tmp" --exclude='./dev/*' -xf "$1" || return
	[ -n "${WHOLE:-}" ] || modules_unsign "$3.tmp" || return
	as_root cp "$2" "$3.tmp/tmp/package.deb" || return
	in_tree "$3.tmp" dpkg -i /tmp/package.deb >"$3.log" 2>&1 || {
		cat "$3.log" >&2
		return 1
	}
	as_root rm "$3.tmp/tmp/package.deb" && mv "$3.tmp" "$3"
}

# rm_tree DIR: removes it, whoever owns what is in it.
rm_tree() {
	[ ! -e "$1" ] || as_root rm -rf "$1"
}

# root_base SUITE BUILDER DEB [LOADER]: prints the archive of the distribution, after making it when it is not
# cached.
root_base() {
	mkdir -p "$roots" || return
	_list=$(root_packages "$@")
	_base=$roots/$1-$2${4:++$4}-$({ printf '%s' "$_list"; left_out; } | sha256sum | cut -c1-12).tar
	(
		flock 9
		[ -e "$_base" ] || base_build "$1" "$2" "$_list" "$_base"
	) 9>"$_base.lock" >&2 || return
	printf '%s\n' "$_base"
}

# root_tree SUITE BUILDER DEB [LOADER]: prints the folder of a tree with DEB installed, after making what is not
# cached. To read the tree, hold a shared lock on FOLDER.lock: what is cached of earlier packages, and
# locked by nobody, is removed.
root_tree() {
	_base=$(root_base "$@") || return
	_tree=${_base%.tar}.$(sha256sum <"$3" | cut -c1-12)
	(
		flock -s 8 && flock 9
		[ -e "$_tree" ] || package_build "$_base" "$3" "$_tree"
	) 8>"$_base.lock" 9>"$_tree.lock" >&2 || return
	for _lock in "$roots/$1-$2${4:++$4}"-*.lock; do
		_old=${_lock%.lock}
		[ "$_old" != "$_base" ] && [ "$_old" != "$_tree" ] || continue
		(
			flock -n 9 || exit 0
			rm_tree "$_old"
			rm_tree "$_old.tmp"
			rm_tree "$_old.images"
			rm -f "$_old.log" "$_lock"
		) 9>"$_lock"
	done
	printf '%s\n' "$_tree"
}
