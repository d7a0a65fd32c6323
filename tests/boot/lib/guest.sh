# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Switch the machine on, follow it until it is off, split what it said. The harness that sources this
# defines harness_arguments SCENARIO OUT [plan], which prints all of QEMU's arguments, one a line, and sets
# $arch, the guest's architecture.
# Defines only; needs common.sh, scenario.sh and accel.sh.

# What the console says when the boot will never end; and when it ends only if the guest helps itself.
dead='Kernel panic - not syncing|^\(initramfs\)'
stuck='ou are in emergency mode|Entering emergency mode'

# What the console says once the kernel has come to its first program: of its own, or of the harness's.
reached='Run /init as init process|@@ init'

# What a kernel may take to it, in seconds of the processor, a busy machine's clock saying little. A stall
# there is the emulator's: the guest is started again.
patience=60

# What every guest's kernel is told. On a busy machine the emulated timer is late for the kernel's test of it,
# which then panics. That ciphers are tested and that each page is cleared as it is taken costs a quarter of
# the processor's time until /init; what keeps programs from reading each other's secrets costs a seventh of a
# boot. Nor is its network tried, nor that its own text is read-only, which it looks through all pages for.
kernel_quick='no_timer_check cryptomgr.notests init_on_alloc=0 mitigations=off rodata=off ipv6.disable=1 audit=0'

# kernel_expand VMLINUZ OUT: the kernel inside the x86 image VMLINUZ, which QEMU starts as it is (PVH): in an
# emulated machine it would need longer to unpack itself than for all of its boot. Fails when there is none.
# Where it lies: Documentation/arch/x86/boot.rst, setup_sects, payload_offset and payload_length.
kernel_expand() {
	_from=$((($(od -An -tu1 -j 497 -N 1 "$1") + 1) * 512 + $(od -An -tu4 -j 584 -N 4 "$1")))
	_length=$(od -An -tu4 -j 588 -N 4 "$1")
	tail -c +$((_from + 1)) "$1" | head -c "$((_length))" >"$2.payload" || return
	case $(od -An -tx1 -N 4 "$2.payload" | tr -d ' ') in
	# Behind the data is its length, which is none of the decompressor's.
	fd377a58) _unpack='xz -dc' ;;
	28b52ffd) _unpack='zstd -dcq' ;;
	*) _unpack=false ;;
	esac
	head -c $((_length - 4)) "$2.payload" | $_unpack >"$2" && rm "$2.payload" &&
	readelf -n "$2" 2>/dev/null | grep -q '(0x00000012)' || {
		rm -f "$2" "$2.payload"
		return 1
	}
}

# machine_arguments SCENARIO OUT: prints the arguments of QEMU that make the scenario's machine, one a line.
# In the scenario's own lines %o stands for the folder OUT, where its files may lie. $arch is the guest's
# architecture.
machine_arguments() {
	_file=$1/scenario
	accel_arguments "$arch"
	[ "$(key "$_file" reboots no)" = yes ] || echo -no-reboot
	printf '%s\n' -nodefaults -display none -smp "$(key "$_file" cpus 1)" \
		-m "$(key "$_file" memory "${memory:-1024}")"
	"machine_$arch" "$_file" || return
	case $(key "$_file" firmware none) in
	none | bios) ;;
	ovmf)
		cp /usr/share/OVMF/OVMF_VARS_4M.fd "$2/vars" || return
		printf '%s\n' -drive \
			if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
			-drive "if=pflash,format=raw,file=$2/vars" ;;
	*)
		say 'firmware is none of bios, ovmf'
		return 1 ;;
	esac
	keys "$_file" device | sed "s|%o|$2|g; s/^/-device\n/"
	# A line `qemu` is an option and its argument: they part at the first space.
	keys "$_file" qemu | sed "s|%o|$2|g; s/[[:space:]][[:space:]]*/\n/"
	printf '%s\n' -qmp "pipe:$2/qmp" -pidfile "$2/pid"
}

# machine_amd64 FILE: the machine and its IOMMU.
machine_amd64() {
	case $(key "$1" iommu none) in
	intel | on)
		printf '%s\n' -machine q35,kernel-irqchip=split \
			-device intel-iommu,intremap=on,caching-mode=on ;;
	amd) printf '%s\n' -machine q35,kernel-irqchip=split -device amd-iommu,intremap=on ;;
	none) printf '%s\n' -machine q35 ;;
	*)
		say 'iommu is none of on, intel, amd, none'
		return 1 ;;
	esac
}

# machine_arm64 FILE: the same. Without firmware it is described by a device tree, and has no ACPI.
machine_arm64() {
	case $(key "$1" iommu none) in
	on) printf '%s\n' -machine virt,gic-version=3,iommu=smmuv3 ;;
	none) printf '%s\n' -machine virt,gic-version=3 ;;
	*)
		say 'iommu is none of on, none'
		return 1 ;;
	esac
}

# qmp COMMAND [ARGUMENTS]: for the scenario's `host` script: sends a QMP command to the guest, with
# its arguments as a JSON object, and prints QEMU's answer; fails when that is an error.
# Uses $out.
qmp() {
	_before=$(wc -l <"$out/qmp.log")
	printf '{"execute":"%s","arguments":%s}\n' "$1" "${2:-{\}}" >"$out/qmp.in"
	_try=0
	while [ "$_try" -lt 100 ]; do
		_answer=$(tail -n +"$((_before + 1))" "$out/qmp.log" |
			grep -E -m1 '^\{"(return|error)"') || _answer=
		case $_answer in
		*'"error"'*) printf '%s\n' "$_answer"; return 1 ;;
		?*) printf '%s\n' "$_answer"; return 0 ;;
		esac
		_try=$((_try + 1))
		sleep 0.1
	done
	echo "no answer to $1 in 10 s"
	return 1
}

# guest_boot SCENARIO OUT [plan]: boots once, and returns when the machine is off. The reason of a
# failure goes to stdout. One whose kernel never came to its first program (the emulator's doing, on a busy
# machine) is started once more, and leaves the file OUT/again.
guest_boot() {
	guest_try "$@" >"$2/reason" && return
	if ! grep -aqE "$reached" "$2/console.log"; then
		cp "$2/console.log" "$2/again"
		guest_try "$@" >"$2/reason" && return
	fi
	cat "$2/reason"
	return 1
}

# seconds_used PIDFILE: sets $_used to how long the program has had a processor, in seconds; 0 when it is not
# there. Starts no process: it is asked for twice a second, of each guest.
seconds_used() {
	_used=0
	{ read -r _pid <"$1" && read -r _stat <"/proc/$_pid/stat"; } 2>/dev/null || return 0
	# proc(5): utime and stime, in hundredths, the fields 14 and 15; the second is a name in brackets.
	# shellcheck disable=SC2086 # its fields
	set -- ${_stat##*) }
	_used=$(((${12} + ${13}) / 100))
}

# guest_spoke OUT: has the guest said something since this was last asked? Each fifth time: it may have, in the
# very moment in which it was asked before, which the time of a file does not tell.
guest_spoke() {
	_asked=$((_asked + 1))
	[ "$1/console.log" -nt "$1/heard" ] || [ "$1/gathered" -nt "$1/heard" ] || [ $((_asked % 5)) = 0 ] || return
	: >"$1/heard"
}

# guest_try SCENARIO OUT [plan]: the same, once.
guest_try() {
	out=$2
	_limit=$(key "$1/scenario" timeout "${timeout:-400}")
	rm -f "$out"/word.* "$out"/qmp.* "$out/gathered" "$out/console.log" "$out/pid"
	mkfifo "$out/word.in" "$out/word.out" "$out/qmp.in" "$out/qmp.out" || return
	: >"$out/qmp.log" && : >"$out/console.log" && : >"$out/gathered"
	harness_arguments "$@" >"$out/qemu.args" || return
	# The pipes are opened for both by QEMU itself: no one waits for the other end.
	tr '\n' '\0' <"$out/qemu.args" |
		timeout -k 5 "$((_limit * 4))" xargs -0 "$(emulator "$arch")" >"$out/qemu.log" 2>&1 &
	_qemu=$!
	cat "$out/qmp.out" >"$out/qmp.log" &
	_qmp=$!
	_told='' _reason='' _running='' _asked=0
	: >"$out/heard"
	_dead=$dead
	[ "$(key "$1/scenario" reboots no)" = yes ] || _dead="$dead|$stuck"
	while kill -0 "$_qemu" 2>/dev/null; do
		# More often costs more of the processors than it saves of the time.
		sleep 0.5
		seconds_used "$out/pid"
		if [ "$_used" -gt "$_limit" ]; then
			_reason="no end after $_limit s of the processor"
			kill "$_qemu" 2>/dev/null
			break
		fi
		if [ -z "$_running" ] && [ "$_used" -gt "$patience" ] && ! grep -aqE "$reached" "$out/console.log"; then
			_reason="the kernel did not come to /init in $patience s of the processor"
			kill "$_qemu" 2>/dev/null
			break
		fi
		guest_spoke "$out" || continue
		if grep -aqE "$_dead" "$out/console.log"; then
			_reason="the guest died: $(grep -aE "$_dead" "$out/console.log" | head -n 1 | tr -d '\r')"
			sleep 1
			kill "$_qemu" 2>/dev/null
			break
		fi
		if [ -z "$_running" ] && ! grep -aqE "$reached" "$out/console.log"; then
			continue
		fi
		_running=y
		if [ -z "$_told" ] && grep -aq '^@@ up' "$out/gathered"; then
			_told=1
			if ! guest_host "$1" >"$out/host.txt" 2>&1; then
				_reason="the host script failed: $(tail -n 3 "$out/host.txt" | paste -sd' ')"
			fi
			! grep -q "pipe:$out/word" "$out/qemu.args" || echo go >"$out/word.in"
		fi
	done
	wait "$_qemu" 2>/dev/null
	_status=$?
	kill "$_qmp" 2>/dev/null
	wait "$_qmp" 2>/dev/null
	if [ -z "$_reason" ] && ! grep -aq '^@@ complete' "$out/gathered"; then
		case $_status in
		124|137) _reason="no end after $((_limit * 4)) s" ;;
		*) _reason="QEMU ended with status $_status before the guest was done" ;;
		esac
		_reason="$_reason: $(tail -n 2 "$out/qemu.log" | paste -sd' ')"
	fi
	[ -z "$_reason" ] || {
		printf '%s\n' "$_reason"
		return 1
	}
}

# guest_host SCENARIO: runs the scenario's `host` script, if any, while the guest waits.
guest_host() {
	[ -e "$1/host" ] || return 0
	(
		set -e
		qmp qmp_capabilities && cd "$1" || exit
		# shellcheck disable=SC1091
		. ./host
	)
}

# guest_split OUT: one file OUT/SECTION.txt for each section that the guest gathered, and one of what
# the console said.
guest_split() {
	tr -d '\r' <"$1/gathered" | awk -v out="$1" '
		/^@@ / { if (file) close(file); file = out "/" $2 ".txt"; printf "" >file; next }
		file { print >file }'
	tr -d '\r' <"$1/console.log" >"$1/console.txt"
}
