# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The host's command for guests of another architecture than this machine's: cross built against packages
# of that architecture, which are fetched and unpacked as kernels are. Kept in $BUILD/kernels.
# Defines only; needs kernels.sh.

# What it is linked with, and a C library.
host_packages='libc6-dev libkmod-dev libmd-dev libmnl-dev libmount-dev libarchive-dev libjson-c-dev
	libpci-dev libsmartcols-dev libsystemd-dev'

# host_root ARCH: prints the folder with the headers and libraries, after making it when it is not kept: of
# the suite that this machine itself has, all that apt would install for them.
host_root() {
	mkdir -p "$kernels" || return
	_suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	_root=$kernels/host-$_suite-$1-$(echo "$host_packages" | sha256sum | cut -c1-12)
	(
		flock 9
		[ ! -e "$_root" ] || exit 0
		say "fetching the libraries of $_suite for $1"
		rm -rf "$_root.tmp" && mkdir -p "$_root.tmp/deb/partial" "$_root.tmp/root" || exit
		(
			flock 6
			suite_update "$_suite" || exit
			# shellcheck disable=SC2086 # a list
			suite_apt "$_suite" get -o APT::Architecture="$1" -o Debug::NoLocking=1 \
				-o Dir::Cache::archives="$_root.tmp/deb" install -y --no-install-recommends \
				--download-only $host_packages >"$kernels/$_suite.log" 2>&1 || {
				cat "$kernels/$_suite.log" >&2
				exit 1
			}
		) 6>"$kernels/$_suite.lock" || exit
		for _deb in "$_root.tmp/deb"/*.deb; do
			dpkg-deb -x "$_deb" "$_root.tmp/root" || exit
		done
		mv "$_root.tmp/root" "$_root" && rm -rf "$_root.tmp"
	) 9>"$_root.lock" >&2 || return
	printf '%s\n' "$_root"
}

# host_build ARCH ROOT: the host's command for it, into $BUILD/ARCH, when it is older than its source.
host_build() {
	_cross=$(cross_triplet "$1")
	(
		flock 9
		# Of the flags of a make that runs this, none is meant for it.
		cd "$top" && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
			"PKG_CONFIG_LIBDIR=$2/usr/lib/$_cross/pkgconfig:$2/usr/share/pkgconfig" \
			"PKG_CONFIG_SYSROOT_DIR=$2" make -s "B=$BUILD/$1" "CC=$_cross-gcc --sysroot=$2" \
			"AR=$_cross-ar" "$BUILD/$1/vfio-early"
	) 9>"$kernels/$1.lock" >&2
}

# libraries_of FILE ROOT: the files that it needs, and that those need, below ROOT.
libraries_of() {
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | while read -r _name; do
		find "$2/lib" "$2/usr/lib" -name "$_name"
	done
}

# host_get ARCH DIR: the host's command for that architecture and all that it is linked with, into DIR, a new
# folder: `LD_LIBRARY_PATH=DIR DIR/ld-linux-*.so.* DIR/vfio-early` runs it.
host_get() {
	mkdir -p "$2" || return
	if [ "$1" = "$(dpkg --print-architecture)" ]; then
		cp "$VFIO_EARLY" "$2/vfio-early" &&
		ldd "$VFIO_EARLY" | sed -n 's/^[^/]*\(\/[^ ]*\) (.*/\1/p' | xargs -I '{}' cp -L '{}' "$2"
		return
	fi
	_host=$(host_root "$1") && host_build "$1" "$_host" && cp "$BUILD/$1/vfio-early" "$2" || return
	# Until nothing is new.
	_new=$2/vfio-early
	while [ -n "$_new" ]; do
		_new=$(for _file in $_new; do
			libraries_of "$_file" "$_host"
		done | sort -u | while read -r _file; do
			[ -e "$2/${_file##*/}" ] || { cp -L "$_file" "$2" && echo "$_file"; }
		done)
	done
	[ -n "$(find "$2" -name 'ld-linux-*')" ] || { say "no loader among what $BUILD/$1/vfio-early needs"; return 1; }
}
