# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The root file systems, in cached stages: the least of a suite, which all roots of it begin with; the
# distribution (a tar archive, rebuilt when the list of packages changes); and, on it, the package under test,
# installed as an administrator does (a tree, rebuilt when the package changes). Each stage has a lock, so that
# scenarios that run at the same time build it once.
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

# package_libraries: prints, one a line, the packages whose libraries the package is linked with, as
# debian/control names them; each with an @, which base_build takes for the libraries of that package: what
# they are called is the suite's affair, and is known before the package is built.
package_libraries() {
	sed -n '/^Build-Depends:/,/^[A-Z]/s/^ \(lib[a-z0-9.+-]*-dev\),$/@\1/p' "$top/debian/control" | grep -vx @libklibc-dev
}

# root_packages SUITE BUILDER: prints the packages of the base, sorted, separated by commas. What the package
# under test depends on is in it, so that installing it later needs no network. trixie has two kernels,
# each with an image of its own to be right, and what packs modules another way.
root_packages() {
	{
		printf '%s\n' linux-image-amd64 systemd-sysv udev kmod zstd dbus "$2"
		[ "$1" != trixie ] || printf '%s\n' linux-image-rt-amd64 xz-utils
		package_libraries
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

# suite_build SUITE TAR: makes the archive TAR of what every root of the suite has, apt's lists with it.
# What is left out goes at the end: mmdebstrap would start a Python for each package.
suite_build() {
	say "making the least of $1 (half a minute)"
	_mirror=$(mirror) || return
	# shellcheck disable=SC2016 # mmdebstrap's own $1
	_gone='rm -rf "$1/usr/share/doc"/* "$1/usr/share/info"/* "$1/usr/share/locale"/* "$1/usr/share/man"/*'
	apt_options | tr '\n' '\0' |
		xargs -0 sh -c 'suite=$1 gone=$2 tar=$3 mirror=$4
			shift 4
			exec mmdebstrap --quiet --variant=apt --dpkgopt=force-unsafe-io --skip=cleanup/apt/lists \
				--customize-hook="$gone" "$@" "$suite" "$tar.tmp.tar" "$mirror"' \
			sh "$1" "$_gone" "$2" "$_mirror" && mv "$2.tmp.tar" "$2"
}

# suite_base SUITE: prints that archive, after making it when it is not cached; that of sid, which is another one
# each day, also when it is a day old.
suite_base() {
	_suite_tar=$roots/$1-least-$({ mirror; cat "$here/lib/roots.sh"; } | sha256sum | cut -c1-12).tar
	(
		flock 9
		[ "$1" != sid ] || [ -n "$(find "$_suite_tar" -mtime -1 2>/dev/null)" ] || rm -f "$_suite_tar"
		[ -e "$_suite_tar" ] || suite_build "$1" "$_suite_tar"
	) 9>"$_suite_tar.lock" >&2 || return
	printf '%s\n' "$_suite_tar"
}

# base_key WORD...: prints what the archive of a root is called by, which is made of WORD: of them, and of how.
base_key() {
	{ printf '%s ' "$@"; left_out; cat "$here/lib/base" "$here/lib/roots.sh"; } | sha256sum | cut -c1-12
}

# for_hooks FILE...: prints a folder in which the hooks of mmdebstrap can read these: as they are run by a
# subordinate ID where the caller is not root, whose home may be closed to it.
for_hooks() {
	_folder=$(mktemp -d) && chmod 755 "$_folder" || return
	for _file; do
		cp "$_file" "$_folder" || return
	done
	chmod 644 "$_folder"/* && printf '%s\n' "$_folder"
}

# base_build SUITE BUILDER PACKAGES TAR [OPTION...]: makes the archive TAR: the suite's, with PACKAGES, separated
# by commas, installed; @NAME is the libraries that the package NAME has the headers of. OPTION: of mmdebstrap;
# $base_from: an archive that has part of it, in place of the suite's.
base_build() {
	say "making the root of $1 with $2 (half a minute)"
	_lists=$(suite_base "$1") || return
	_options=$(apt_options; left_out | sed 's/^/--dpkgopt=/')
	# Each line of the options is one argument.
	_ifs=$IFS
	IFS='
'
	set -f
	# shellcheck disable=SC2086
	set -- "$@" $_options
	set +f
	IFS=$_ifs
	_packages=$3 _tar=$4 _stale=
	[ -n "$(find "$_lists" -mtime -1)" ] || _stale=y
	shift 4
	_first=${base_from:-$_lists} _hooks=$here/lib _hooks_own=
	if [ "$(id -u)" -ne 0 ]; then
		_hooks=$(for_hooks "$_hooks/base" "$_hooks/roots.sh" "$_lists" "$_first") || return
		_lists=$_hooks/${_lists##*/} _first=$_hooks/${_first##*/} _hooks_own=$_hooks
	fi
	"$top/tests/step" "$_tar.log" mmdebstrap --quiet --variant=custom --skip=update --dpkgopt=force-unsafe-io \
		--setup-hook="sh '$_hooks/base' unpack \"\$1\" '$_first' '$_lists'" "$@" \
		--customize-hook="sh '$_hooks/base' install \"\$1\" '$_packages' '$_stale'" \
		'' "$_tar.tmp.tar"
	_status=$?
	[ -z "$_hooks_own" ] || rm -rf "$_hooks_own"
	[ "$_status" -eq 0 ] && mv "$_tar.tmp.tar" "$_tar"
}
base_from=

# modules_unsign TREE: takes the signatures off what modules lie in TREE as they are, but for vfio's own. Who
# has a key checks them, who has none (tests/kernel) hashes the modules all the same: a tenth of a guest's time.
# What is at their end: scripts/sign-file.c; the length is the last number of struct module_signature, big-endian.
modules_unsign() {
	find "$1" -name '*.ko' ! -path '*/vfio/*' ! -path '*/virt/*' -type f \
		-exec grep -laF '~Module signature appended~' {} + | while read -r _module; do
		[ "$(tail -c 28 "$_module" | tr -d '\0')" = '~Module signature appended~' ] || continue
		# shellcheck disable=SC2046 # four numbers
		set -- $(tail -c 32 "$_module" | od -An -tu1 -N 4)
		truncate -s "-$((40 + $1 * 16777216 + $2 * 65536 + $3 * 256 + $4))" "$_module" || exit
	done
}

# package_build TAR DEB TREE: unpacks TAR and installs DEB in it.
package_build() {
	say "installing $(dpkg-deb -f "$2" Package Version | paste -sd' ') into $(basename "$1" .tar)"
	rm_tree "$3.tmp" && mkdir -p "$3.tmp" || return
	as_root tar -C "$3.tmp" --exclude='./dev/*' -xf "$1" || return
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

# root_base SUITE BUILDER [LOADER]: prints the archive of the distribution, after making it when it is not
# cached: with a loader, out of the one without; with dracut, where that is not the suite's own builder, out of
# the one with initramfs-tools, as a host goes over. A name with a - behind it is taken out.
root_base() {
	mkdir -p "$roots" || return
	_from=
	if [ -n "${3:-}" ]; then
		_from=$(root_base "$1" "$2") || return
		_list=$(loader_packages "$3" | paste -sd,)
	elif [ "$2" = dracut ] && [ "$1" != sid ]; then
		_from=$(root_base "$1" initramfs-tools) || return
		_list=dracut,initramfs-tools-,initramfs-tools-core-
	else
		_list=$(root_packages "$1" "$2")
	fi
	_base=$roots/$1-$2${3:++$3}-$(base_key "${_from##*/}" "$_list").tar
	(
		flock 9
		base_from=$_from
		# That one stays as long as this is made of it.
		[ -z "$_from" ] || flock -s 8
		[ -e "$_base" ] || base_build "$1" "$2" "$_list" "$_base"
	) 9>"$_base.lock" 8>"${_from:-$_base}.lock" >&2 || return
	printf '%s\n' "$_base"
}

# root_tree SUITE BUILDER DEB [LOADER]: prints the folder of a tree with DEB installed, after making what is not
# cached. To read the tree, hold a shared lock on FOLDER.lock: what is cached of earlier packages, and
# locked by nobody, is removed.
root_tree() {
	_base=$(root_base "$1" "$2" "${4:-}") || return
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
