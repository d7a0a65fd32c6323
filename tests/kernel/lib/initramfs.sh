# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# One guest's image: the kernel's archive, which all guests of that kernel share, and behind it a small one
# with the boot half, the plan, the harness's own programs and the scenario.
# Defines only; needs the common.sh and scenario.sh of tests/boot, kernels.sh and host.sh.

# cc_for ARCH: prints the compiler for programs of the guest.
cc_for() {
	if [ "$1" = "$(dpkg --print-architecture)" ]; then
		echo "${CC:-cc}"
	else
		echo "$(cross_triplet "$1")-gcc"
	fi
}

# bind_for ARCH: prints the boot half's binary for that architecture, after building it when it is older than
# its source. VFIO_EARLY_BIND names another one.
bind_for() {
	if [ "$1" = "$(dpkg --print-architecture)" ]; then
		printf '%s\n' "${VFIO_EARLY_BIND:-$BUILD/early/vfio-early-bind}"
		return
	fi
	_klcc=$(klibc_get "$1") || return
	(
		flock 9
		# Of the flags of a make that runs this, none is meant for it.
		cd "$top" && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s "B=$BUILD/$1" "KLCC=$_klcc" \
			"STRIP=$(cross_triplet "$1")-strip" "$BUILD/$1/early/vfio-early-bind" &&
		tests/static "$BUILD/$1/early/vfio-early-bind"
	) 9>"$kernels/$1.lock" >&2 || return
	printf '%s\n' "$BUILD/$1/early/vfio-early-bind"
}

# base_get DIR: prints the archive of the kernel in DIR, after making it when there is none. vfio's own modules
# stay as they are.
base_get() {
	(
		flock 9
		[ ! -e "$1/unsigned.cpio" ] || exit 0
		rm -rf "$1/unsigned" && cp -a "$1/tree" "$1/unsigned" &&
		modules_unsign "$1/unsigned" || exit
		: >"$1/base.tmp" && image_append "$1/base.tmp" "$1/unsigned" && rm -rf "$1/unsigned" &&
		mv "$1/base.tmp" "$1/unsigned.cpio"
	) 9>"$1.lock" >&2 || return
	printf '%s\n' "$1/unsigned.cpio"
}

# own_build ARCH DIR: what is the same for all guests of an architecture, into DIR: the boot half as the
# package installs it, the harness's own.
own_build() {
	_bind=$(bind_for "$1") || return
	[ -x "$_bind" ] || { say "no $_bind: run make"; return 1; }
	mkdir -p "$2/usr/lib/vfio-early" "$2/usr/bin" "$2/scripts/init-top" "$2/guest" "$2/proc" "$2/sys" \
		"$2/dev" "$2/run" "$2/tmp" &&
	install -m 755 "$_bind" "$2/usr/lib/vfio-early/vfio-early-bind" &&
	install -m 755 "$top/hook/system/initramfs-tools/scripts/init-top/00-vfio-early" "$2/scripts/init-top" &&
	install -m 755 "$here/guest/init" "$2/init" &&
	install -m 644 "$top/tests/boot/guest/sections.sh" "$top/tests/boot/guest/run.sh" \
		"$here/guest/settle.sh" "$here/guest/host.sh" "$here/guest/reset.sh" "$2/guest" &&
	"$(cc_for "$1")" -static -O2 -Wall -Wextra -Werror -o "$2/usr/bin/hotplug" "$here/guest/hotplug.c"
}

# plan_make SCENARIO KERNEL OUT PLAN: the plan: of the scenario's config, by the real command, for that
# kernel's modules. A scenario's own `plan` takes the place of all but the modules. The kernel's tree lies in
# $RUN, too.
plan_make() {
	cp -al "$RUN/${2##*/}" "$3/tree" && mkdir -p "$3/tree/etc" || return
	[ -s "$1/no-facts" ] || "$top/tests/host/facts" "$3/tree" || return
	[ ! -e "$1/vfio-early.conf" ] || install -m 644 "$1/vfio-early.conf" "$3/tree/etc" || return
	"${VFIO_EARLY:-$BUILD/vfio-early}" plan --root "$3/tree" --kernel "$(cat "$2/version")" -o "$4" >"$3/plan.log" 2>&1
	_status=$?
	# 1: facts unknown.
	[ "$_status" -eq 0 ] || { [ "$_status" -eq 1 ] && [ -s "$1/no-facts" ]; } || {
		cat "$3/plan.log"
		return 1
	}
	rm -rf "$3/tree"
	[ -e "$1/plan" ] || return 0
	{ grep '^module ' "$4"; cat "$1/plan"; } >"$4.new" && mv "$4.new" "$4"
}

# host_put SCENARIO OWN DIR: the host's command into DIR/host, when the scenario wants it. It is the same for all
# guests whose own part is OWN.
host_put() {
	[ "$(key "$1/scenario" host no)" = yes ] || return 0
	(
		flock 9
		[ -e "$2.host" ] || { host_get "$arch" "$2.host.tmp" && mv "$2.host.tmp" "$2.host"; }
	) 9>"$2.host.lock" >&2 || { echo 'no host command for it'; return 1; }
	cp -al "$2.host" "$3/host"
}

# scenario_prepare DIR OUT: what the scenario makes itself. The reason of a failure goes to stdout.
scenario_prepare() {
	[ -e "$1/prepare" ] || return 0
	(cd "$1" && TOP=$top CC=$(cc_for "$arch") sh -e ./prepare) >"$2/prepare.txt" 2>&1 || {
		echo "prepare failed: $(tail -n 3 "$2/prepare.txt" | paste -sd' ')"
		return 1
	}
}

# initrd_make SCENARIO KERNEL OWN OUT [RIDER...]: OUT/initrd; each RIDER is a folder OUT of another scenario, which
# comes behind this one. The reason of a failure goes to stdout.
initrd_make() {
	_base=$(base_get "$2") || return
	_of=$1 _kernel_dir=$2 _own=$3 _to=$4
	shift 4
	scenario_prepare "$_of" "$_to" &&
	rm -rf "$_to/own" && cp -al "$_own" "$_to/own" && cp -R "$_of" "$_to/own/scenario" &&
	host_put "$_of" "$_own" "$_to/own" &&
	plan_make "$_of" "$_kernel_dir" "$_to" "$_to/own/usr/lib/vfio-early/plan" || return
	_n=0
	for _rider; do
		_n=$((_n + 1))
		mkdir -p "$_to/own/riders/$_n" && scenario_prepare "$_rider/scenario.d" "$_rider" &&
		cp -R "$_rider/scenario.d" "$_to/own/riders/$_n/scenario" &&
		plan_make "$_rider/scenario.d" "$_kernel_dir" "$_rider" "$_to/own/riders/$_n/plan" || return
	done
	cp "$_base" "$_to/initrd" && image_append "$_to/initrd" "$_to/own" && rm -rf "$_to/own"
}
