# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154,SC2034,SC2016 # variables of tests/hook/run and of the scripts; code
#
# Sourced by tests/hook/run: the last rope, as far as it is shell: when root-missing and the scripts of
# initramfs-tools and dracut that call it let it be pulled. Their paths are those of a folder here.

rope=$work/rope

# rope_begin NAME: an image in which something was taken; the clock stands at 100 seconds.
rope_begin() {
	begin "$1"
	rm -rf "$rope"
	mkdir -p "$rope/run" "$rope/scripts"
	echo 'address=0000:01:00.0 class=010802 group=1 result=bound ' >"$rope/run/report"
	printf '#!/bin/sh\necho "$*" >>%s/pulled\nexit 0\n' "$rope" >"$rope/bind"
	chmod 755 "$rope/bind"
	clock=100
	ROOTDELAY='' resume=''
	for script in root-missing initramfs-tools/scripts/local-block/vfio-early \
		initramfs-tools/scripts/local-premount/vfio-early \
		initramfs-tools/scripts/panic/vfio-early dracut/50vfio-early/vfio-early-timeout.sh; do
		sed -e "s|/usr/lib/vfio-early/root-missing|$rope/root-missing|g" -e "s|/run/vfio-early|$rope/run|g" \
			-e "s|/usr/lib/vfio-early/vfio-early-bind|$rope/bind|g" -e "s|/proc/uptime|$rope/uptime|g" \
			-e "s|/scripts/functions|$rope/scripts/functions|g" "$top/hook/system/$script" \
			>"$rope/$(echo "$script" | tr / _)"
	done
	mv "$rope/root-missing" "$rope/root-missing.real"
	printf '#!/bin/sh\necho "$*" >>%s/asked\nexec sh %s/root-missing.real "$@"\n' "$rope" "$rope" >"$rope/root-missing"
	chmod 755 "$rope/root-missing"
}

# rope_wait SECONDS DEVICE: local-block is called once a second.
rope_wait() {
	seconds=$1
	while [ "$seconds" -gt 0 ]; do
		seconds=$((seconds - 1))
		echo "$clock.17 99.2" >"$rope/uptime"
		ROOTDELAY=$ROOTDELAY resume=$resume sh "$rope/initramfs-tools_scripts_local-block_vfio-early" "$2"
		clock=$((clock + 1))
	done
}

# rope_panic [NAME=VALUE...]: the emergency shell, with what init has exported.
rope_panic() {
	echo "$clock.17 99.2" >"$rope/uptime"
	env "$@" sh "$rope/initramfs-tools_scripts_panic_vfio-early"
}

# pulled TIMES
pulled() {
	times=0
	[ ! -e "$rope/pulled" ] || times=$(wc -l <"$rope/pulled")
	[ "$times" -eq "$1" ] || problem "pulled $times times, not $1"
}

rope_begin 'the last rope: after ten seconds of waiting'
rope_wait 10 /dev/sda1
pulled 0
rope_wait 1 /dev/sda1
pulled 1
[ "$(cat "$rope/pulled")" = --give-back ] || problem "$(cat "$rope/pulled")"

for delay in 15 180 x ''; do
	rope_begin "the last rope: rootdelay=$delay"
	ROOTDELAY=$delay
	limit=10
	[ "$delay" != 180 ] || limit=120
	rope_wait "$limit" /dev/sda1
	pulled 0
	rope_wait 1 /dev/sda1
	pulled 1
done

rope_begin 'the last rope: somebody types a passphrase between two calls'
rope_wait 3 /dev/sda1
clock=$((clock + 300))
rope_wait 5 /dev/sda1
pulled 0

rope_begin 'the last rope: what to resume from is no root'
resume=/dev/sda2
rope_wait 30 /dev/sda2
rope_wait 30 ''
[ ! -e "$rope/asked" ] || problem 'asked'
rope_wait 11 /dev/sda1
pulled 1

rope_begin 'the last rope: nothing was taken'
rm "$rope/run/report"
rope_wait 30 /dev/sda1
rope_panic ROOT=/dev/sda1
pulled 0

rope_begin 'the last rope: the emergency shell, at once'
echo 'resolve_device() { [ -e "$1" ]; }' >"$rope/scripts/functions"
rope_panic ROOT=/nowhere
pulled 1
rope_panic ROOT=
pulled 2

rope_begin 'the last rope: the emergency shell, and the root is there'
echo 'resolve_device() { [ -e "$1" ]; }' >"$rope/scripts/functions"
rope_panic ROOT=/
pulled 0

rope_begin 'the last rope: break= asks for that shell before the root was looked for'
echo 'resolve_device() { [ -e "$1" ]; }' >"$rope/scripts/functions"
rope_panic ROOT=/dev/mapper/nowhere break=premount
pulled 0
rope_wait 2 /dev/mapper/nowhere
rope_panic ROOT=/dev/mapper/nowhere break=premount
pulled 1

# rope_zfs ROOT: what runs before ZFS's own script, in an image without grep. The pool is there once the rope
# was pulled; each second of sleep moves the clock.
rope_zfs() {
	mkdir -p "$rope/bin"
	ln -s /bin/sh "$rope/bin/sh"
	printf '#!/bin/sh\n' | tee "$rope/bin/modprobe" "$rope/bin/zpool" "$rope/bin/sleep" >/dev/null
	echo "[ -e $rope/pulled ] && printf '   pool: rpool\n     id: 7\n  state: ONLINE\n'" >>"$rope/bin/zpool"
	echo "read -r now _ <$rope/uptime; echo \$((\${now%%.*} + 1)).17 9 >$rope/uptime" >>"$rope/bin/sleep"
	chmod 755 "$rope/bin"/*
	echo 100.17 9 >"$rope/uptime"
	PATH=$rope/bin BOOT=zfs ROOT=$1 sh "$rope/initramfs-tools_scripts_local-premount_vfio-early" 2>"$rope/err"
	! grep 'not found$' "$rope/err" || problem 'a command that is not in every image'
	read -r now _ <"$rope/uptime"
}

for pool in ZFS=rpool/ROOT/x zfs:AUTO zfs:7/x ''; do
	rope_begin "the last rope: ZFS's pool is waited for before it is asked for: root=$pool"
	rope_zfs "$pool"
	pulled 1
	[ "${now%%.*}" -le 112 ] || problem "it waits on until $now"
done
rope_begin "the last rope: ZFS, and another pool than the one that comes"
rope_zfs ZFS=other/x
pulled 5
[ "${now%%.*}" -eq 115 ] || problem "waited until $now"
rope_begin "the last rope: ZFS, any root of the pool that the command line names, which is another one"
rpool=other
export rpool
rope_zfs zfs:AUTO
unset rpool
pulled 5
rope_begin "the last rope: ZFS, and no storage was taken"
echo 'address=0000:01:00.0 class=030000 group=1 result=bound ' >"$rope/run/report"
rope_zfs ZFS=rpool/x
pulled 0

rope_begin 'the last rope: dracut, its timeout'
for root in block:/nowhere block:/ zfs:pool; do
	# shellcheck source=/dev/null
	(. "$rope/dracut_50vfio-early_vfio-early-timeout.sh")
done
pulled 2
[ "$(sort -u "$rope/asked")" = --now ] || problem "$(cat "$rope/asked")"
