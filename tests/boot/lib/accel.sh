# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Hardware virtualisation where it works, software emulation elsewhere. That /dev/kvm opens proves nothing:
# where this machine is a guest itself, those in it may hang before their first instruction of a kernel.
# Defines only; needs common.sh.

# emulator ARCH: prints the name of QEMU's program.
emulator() {
	case $1 in
	arm64) echo qemu-system-aarch64 ;;
	*) echo qemu-system-x86_64 ;;
	esac
}

# accel_kvm: prints the arguments that ask for hardware virtualisation, one a line.
accel_kvm() {
	printf '%s\n' -accel kvm -cpu host
}

# accel_without: prints what an emulated processor of amd64 is without, as QEMU's -cpu takes it. Page tables of
# five levels cost a tenth of the time. Where "rep movsb" is said to be quick, the kernel and the C library
# move whole pages by it, which the emulator does byte by byte. At each system call user pages would be opened
# and closed (smap).
accel_without() {
	printf ',%s=off' la57 erms fsrm smap smep
}

# accel_arguments ARCH: prints the arguments that say what runs a guest of this architecture. $KVM is 0 or 1,
# see accel_decide.
accel_arguments() {
	if [ "$KVM" = 1 ] && [ "$1" = "$(dpkg --print-architecture)" ]; then
		accel_kvm
		return
	fi
	# With a thread for each processor a guest's kernel dies now and then on a busy machine.
	case $1 in
	arm64) printf '%s\n' -accel tcg,thread=single -cpu cortex-a57 ;;
	*) printf '%s\n' -accel tcg,thread=single -cpu "max$(accel_without)" ;;
	esac
}

# accel_probe KERNEL DIR: boots KERNEL, for this machine's architecture, by hardware virtualisation, with
# nothing to start: it says so, and then it has come through all of its own. Fails when it did not in 10
# seconds. DIR is for what it said.
accel_probe() {
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return
	case $(dpkg --print-architecture) in
	arm64) _machine=virt,gic-version=host _console=ttyAMA0 ;;
	*) _machine=q35 _console=ttyS0 ;;
	esac
	# shellcheck disable=SC2046 # words
	timeout -k 1 10 "$(emulator "$(dpkg --print-architecture)")" $(accel_kvm) -machine "$_machine" \
		-nodefaults -display none -no-reboot -m 256 -serial "file:$2/probe" -kernel "$1" \
		-append "console=$_console panic=-1" >"$2/probe.log" 2>&1 </dev/null
	grep -aq 'Unable to mount root fs' "$2/probe"
}

# accel_decide KERNEL DIR: sets $KVM to 0 or 1: as it is, when it is set; else by a probe, once for all who
# ask with the same DIR, which $ACCEL names for several runs.
accel_decide() {
	[ -z "${KVM:-}" ] || return 0
	set -- "$1" "${ACCEL:-$2}"
	exec 7>"$2/kvm.lock" && flock 7
	if [ ! -e "$2/kvm" ]; then
		if accel_probe "$1" "$2"; then
			echo 1 >"$2/kvm"
			say 'guests use KVM'
		else
			echo 0 >"$2/kvm"
			say 'KVM does not work here: guests are emulated'
		fi
	fi
	read -r KVM <"$2/kvm"
	exec 7>&-
}
