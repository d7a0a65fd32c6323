# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# What goes wrong while vfio-early-cmdline writes: a power cut before each single change (cuts.c), errors
# of each kind of system call on each file (strace), a full disk, a read-only /etc. Each time every file
# is the old or the new one, whatever was done is known, and a further apply or undo does the rest.
# Defines only; $top is the project, $work a folder.

# shellcheck source=tests/cmdline/lib.sh
. "$cmdline/lib.sh"

command=$top/scripts/vfio-early-cmdline
export PATH="$top/build:$PATH"

# fake_grub DIR, fake_systemd DIR: a tree for --root, of a machine that boots so.
fake_grub() {
	rm -rf "$1"
	mkdir -p "$1/etc/default" "$1/proc" "$1/boot/grub"
	printf 'vendor_id\t: GenuineIntel\n' >"$1/proc/cpuinfo"
	echo 'BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet' >"$1/proc/cmdline"
	echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' >"$1/etc/default/grub"
	: >"$1/boot/grub/grub.cfg"
}

fake_systemd() {
	rm -rf "$1"
	mkdir -p "$1/etc/kernel" "$1/proc" "$1/boot/loader/entries"
	printf 'vendor_id\t: GenuineIntel\n' >"$1/proc/cpuinfo"
	echo 'root=/dev/sda1 ro quiet' >"$1/proc/cmdline"
	printf 'root=/dev/sda1  ro quiet \nsecond' >"$1/etc/kernel/cmdline"
	chmod 600 "$1/etc/kernel/cmdline"
	: >"$1/boot/vmlinuz-6.1"
	echo CONFIG_INTEL_IOMMU_DEFAULT_OFF=y >"$1/boot/config-6.1"
	: >"$1/boot/loader/entries/abc-6.1.conf"
}

# state DIR: what counts of a tree: every file of etc with its mode and text.
state() {
	(cd "$1/etc" && find . -printf '%p %m\n' -type f -exec sha256sum {} \; | sort)
}

# fake_inherits DIR: a tree of systemd-boot without /etc/kernel/cmdline, booted with something of one boot.
fake_inherits() {
	fake_systemd "$1"
	rm "$1/etc/kernel/cmdline"
	echo 'root=/dev/sda1 ro quiet vfio_early=off' >"$1/proc/cmdline"
	echo 'cmdline none' >"$1/etc/vfio-early.conf"
}

# cuts COMMAND...: runs it on $work/run; as it was before each change of it, that is kept in $work/cuts/1, /2 ... ;
# sets $_cuts to how many.
cuts() {
	rm -rf "$work/cuts"
	mkdir "$work/cuts"
	quietly "$work/power-cuts" "$work/cuts" "$work/run" "$@" || problem 'cuts.c failed'
	_cuts=$(find "$work/cuts" -mindepth 1 -maxdepth 1 | wc -l)
	: >"$work/seen"
}

# by_hand_cuts: a power cut before each change of refresh --by-hand: the word is there and whole, or not.
by_hand_cuts() {
	begin 'a power cut before each change: refresh --by-hand'
	rm -rf "$work/run"
	fake_systemd "$work/run"
	rm -r "$work/run/boot/loader"
	cuts "$command" refresh --by-hand --root "$work/run"
	# The last is the whole of it.
	mv "$work/run" "$work/cuts/$((_cuts + 1))"
	_n=0
	while [ $_n -le "$_cuts" ]; do
		_n=$((_n + 1))
		_cut=$work/cuts/$_n
		_word=var/lib/vfio-early/cmdline/by-hand
		[ ! -e "$_cut/$_word" ] || [ "$(sed 's/ .*//' "$_cut/$_word" | tr '\n' ' ')" = 'boot tokens images ' ] ||
			problem "change $_n: half a word: $(cat "$_cut/$_word")"
		! seen by-hand "$_cut" || continue
		quietly "$command" refresh --by-hand --root "$_cut" || problem "change $_n: a further one fails"
		[ -e "$_cut/$_word" ] || problem "change $_n: a further one does nothing"
	done
	[ "$_cuts" -gt 5 ] || problem "only $_cuts changes were seen"
	test_name="$test_name ($_cuts)"
}

# whole DIR: the files that feed loaders, and what is remembered of them, but for copies that stay.
whole() {
	state "$1"
	(cd "$1/var/lib/vfio-early/cmdline" && find . -type f ! -name '*.before' ! -name refresh -exec sha256sum {} + | sort)
}

# saved_cuts FAKE FILE TARGET: a power cut before each change of save, which then is none or is whole, and of
# restore, after which a further one does the rest: FILE and what is remembered of it are as they were.
saved_cuts() {
	begin "a power cut before each change: save, restore: $2"
	_saved=var/lib/vfio-early/loader
	rm -rf "$work/run"
	$1 "$work/run"
	quietly "$command" add nosmt --no-refresh --root "$work/run" || problem 'add fails'
	whole "$work/run" >"$work/want"
	cuts "$command" save --in "/$_saved" --root "$work/run"
	for _cut in "$work/cuts"/* "$work/run"; do
		[ ! -e "$_cut/$_saved" ] ||
			cmp -s "$_cut/$2" "$_cut/$_saved/${3}.file" || problem "save, change ${_cut##*/}: half of it"
	done
	[ "$_cuts" -gt 5 ] || problem "save: only $_cuts changes were seen"
	[ -e "$work/run/$_saved/${3}.file" ] || problem 'nothing is saved'
	# Changed by us and by others.
	quietly "$command" add nosmt2 --no-refresh --root "$work/run" || problem 'add fails'
	sed -i 's/nosmt/nosmt mine/' "$work/run/$2"
	cuts "$command" restore --in "/$_saved" --no-refresh --root "$work/run"
	for _cut in "$work/cuts"/* "$work/run"; do
		_where="restore, change ${_cut##*/}"
		[ "$_cut" = "$work/run" ] || { ! seen restore "$_cut" || continue; }
		[ "$_cut" = "$work/run" ] ||
			quietly "$command" restore --in "/$_saved" --no-refresh --root "$_cut" ||
			problem "$_where: a further one fails"
		whole "$_cut" | diff "$work/want" - >>"$work/out" || problem "$_where: not as it was"
		grep -q 'nosmt mine' "$_cut/var/lib/vfio-early/cmdline/$3.before" ||
			problem "$_where: what was replaced is not kept"
	done
	[ "$_cuts" -gt 10 ] || problem "restore: only $_cuts changes were seen"
	test_name="$test_name ($_cuts)"
}

# quietly COMMAND...: what it says is shown if the test fails.
quietly() {
	"$@" >>"$work/out" 2>&1
}

# seen WHAT DIR: whether WHAT was tried before on a tree that is the same, name by name, mode by mode, byte by
# byte: many a change (a flush, a second write of nothing) leaves one as it was, and what is run on it would
# come to the same end.
seen() {
	_sum="$1 $(cd "$2" && { find . -printf '%p %y %m %l\n' && find . -type f -exec sha256sum {} +; } |
		sort | sha256sum)"
	! grep -qxF "$_sum" "$work/seen" || return 0
	echo "$_sum" >>"$work/seen"
	return 1
}

# finishes DIR WHERE: after what went wrong there: apply, in a copy, comes to $work/new, undo to $work/old.
finishes() {
	! seen all "$1" || return 0
	state "$1" >"$work/now"
	grep -v '\.vfio-early-new' "$work/now" >"$work/files"
	# Files alone: a folder may have been made, and a file beside it be half written.
	if ! cmp -s "$work/files" "$work/old.state" && ! cmp -s "$work/files" "$work/new.state" &&
		! cmp -s "$work/files" "$work/between.state"; then
		problem "$2: neither old nor new: $(diff "$work/old.state" "$work/files")"
	fi
	rm -rf "$work/copy"
	cp -a "$1" "$work/copy"
	# shellcheck disable=SC2086 # words
	quietly "$command" $do --no-refresh --root "$work/copy" || problem "$2: a further $do fails"
	state "$work/copy" | cmp -s - "$work/new.state" || problem "$2: a further $do does not finish"
	[ -e "$work/copy/var/lib/vfio-early/cmdline/refresh" ] || problem "$2: the refresh is forgotten"
	for _root in "$1" "$work/copy"; do
		(cd "$_root" && eval "$reboot") >>"$work/out" 2>&1
		! seen undo "$_root" || continue
		quietly "$command" undo --no-refresh --root "$_root" || problem "$2: a further undo fails"
		state "$_root" | cmp -s - "$work/undone.state" || problem "$2: a further undo does not finish"
		[ -z "$(find "$_root/var" -name kernel -o -name grub -o -name '*.vfio-early-new' 2>/dev/null)" ] ||
			problem "$2: undo leaves a record"
	done
}

# What makes a tree that of the next boot, before undo.
reboot=

# scenario MACHINE DO [BEFORE [EDIT]]: $do is the command under test, "$work/machine" the tree before it:
# a tree of MACHINE in which the commands BEFORE were run, and then the administrator's EDIT. Makes the
# states that are right.
scenario() {
	do=$2
	: >"$work/seen"
	"$1" "$work/machine"
	(cd "$work/machine" && eval "${4:-}") >>"$work/out" 2>&1
	state "$work/machine" >"$work/undone.state"
	"$1" "$work/machine"
	(cd "$work/machine" && eval "${3:-}" && eval "${4:-}") >>"$work/out" 2>&1
	state "$work/machine" >"$work/old.state"
	rm -rf "$work/run"
	cp -a "$work/machine" "$work/run"
	# shellcheck disable=SC2086 # words
	quietly "$command" $do --no-refresh --root "$work/run" || problem "$do fails"
	state "$work/run" >"$work/new.state"
	! cmp -s "$work/old.state" "$work/new.state" || problem "$do changes nothing"
	# The folder is made before the file.
	{
		cat "$work/old.state"
		grep -E '^[^ ]*/grub\.d [0-9]*$' "$work/new.state"
	} | sort -u >"$work/between.state"
}

# power_cuts NAME SCENARIO...: before each change.
power_cuts() {
	begin "a power cut before each change: $1"
	shift
	scenario "$@"
	rm -rf "$work/run"
	cp -a "$work/machine" "$work/run"
	# shellcheck disable=SC2086 # words
	cuts "$command" $do --no-refresh --root "$work/run"
	_n=0
	while [ $_n -lt "$_cuts" ]; do
		_n=$((_n + 1))
		finishes "$work/cuts/$_n" "change $_n"
		rm -rf "$work/cuts/$_n"
	done
	[ $_n -gt 15 ] || problem "only $_n changes were seen"
	test_name="$test_name ($_n)"
}

# fault CALLS ERROR FILE: those system calls on that file fail.
fault() {
	rm -rf "$work/run"
	cp -a "$work/machine" "$work/run"
	# shellcheck disable=SC2086 # words
	quietly strace -f --seccomp-bpf -qq -o "$work/trace" -P "$work/run/$3" -e "trace=$1" -e "inject=$1:error=$2" \
		"$command" $do --no-refresh --root "$work/run"
	_status=$?
	if ! grep -q INJECTED "$work/trace"; then
		problem "$2 in $1 of $3: never happened"
	elif [ $_status -ne 1 ]; then
		problem "$2 in $1 of $3: exit status $_status"
	fi
	finishes "$work/run" "$2 in $1 of $3"
}

# each_fault NAME FOLDER FILE TARGET SCENARIO...
each_fault() {
	begin "errors while writing: $1"
	_file=$2/$3 _new=$2/.$3.vfio-early-new _dir=$2
	_record=var/lib/vfio-early/cmdline _target=$4
	shift 4
	scenario "$@"
	for _errno in ENOSPC EROFS EIO; do
		fault write,ftruncate $_errno "$_new"
		fault openat $_errno "$_new"
		fault rename,renameat,renameat2 $_errno "$_new"
	done
	fault fsync,fdatasync EIO "$_new"
	fault fsync,fdatasync EIO "$_dir"
	for _name in "$_target" "$_target.original"; do
		fault write ENOSPC "$_record/.$_name.vfio-early-new"
		fault openat EROFS "$_record/.$_name.vfio-early-new"
	done
	fault openat ENOSPC "$_record/.refresh.vfio-early-new"
}

# real_faults: a disk that is full, a folder that is read-only.
# shellcheck disable=SC2016 # of another shell
real_faults() {
	can_be_root || {
		[ "${MUST_WORK:-0}" = 0 ] || {
			begin 'a real full disk'
			problem 'no user namespace'
		}
		return
	}
	begin 'a read-only /etc'
	scenario fake_systemd apply
	rm -rf "$work/run"
	cp -a "$work/machine" "$work/run"
	quietly unshare -rm sh -c 'mount --bind "$1/etc" "$1/etc" && mount -o remount,bind,ro "$1/etc" &&
		exec "$2" apply --no-refresh --root "$1"' sh "$work/run" "$command"
	[ $? -eq 1 ] || problem 'apply does not fail'
	finishes "$work/run" 'read-only'

	begin 'a full disk'
	quietly unshare -rm sh -c 'cp -a "$1/etc" "$1/keep" && mount -t tmpfs -o size=16k full "$1/etc" &&
		cp -a "$1/keep/." "$1/etc" && { cat /dev/zero >"$1/etc/filler" 2>/dev/null; :; } &&
		"$2" apply --no-refresh --root "$1"
		status=$?
		cmp "$1/etc/kernel/cmdline" "$1/keep/kernel/cmdline" || status=9
		rm -r "$1/keep"
		exit $status' sh "$work/run" "$command"
	[ $? -eq 1 ] || problem 'apply does not fail, or has changed the file'
	finishes "$work/run" 'full'
}

# synced: each file is flushed before it is renamed, and the folder after it.
synced() {
	begin 'flushed before the rename, and the folder after it'
	scenario fake_systemd apply
	rm -rf "$work/run"
	cp -a "$work/machine" "$work/run"
	quietly strace -f --seccomp-bpf -qq -y -o "$work/trace" -e trace=fsync,renameat2,renameat,rename \
		"$command" apply --no-refresh --root "$work/run"
	awk '/fsync\(/ { match($0, /<[^>]*>/); last = substr($0, RSTART + 1, RLENGTH - 2); flushed[last] = NR }
		/rename/ && !/EEXIST|EINVAL/ {
			split($0, part, "\"")
			if (!flushed[part[2]])
				print "not flushed: " part[2]
			delete flushed[part[2]]
			folder = part[4]
			sub(/\/[^\/]*$/, "", folder)
			due[folder] = NR
			renames++
		}
		END {
			for (folder in due)
				if (flushed[folder] < due[folder])
					print "not flushed: folder " folder
			if (renames < 5)
				print renames + 0 " renames"
		}' "$work/trace" >"$work/findings"
	[ ! -s "$work/findings" ] || problem "$(cat "$work/findings")"
}

faults() {
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -o "$work/power-cuts" "$cmdline/cuts.c" || return
	synced
	real_faults
	each_fault GRUB etc/default/grub.d vfio-early.cfg grub fake_grub apply
	each_fault /etc/kernel/cmdline etc/kernel cmdline kernel fake_systemd apply
	power_cuts 'apply with GRUB' fake_grub apply
	power_cuts 'apply with /etc/kernel/cmdline' fake_systemd apply
	power_cuts 'add after an edit' fake_systemd 'add nosmt' \
		"$command apply --no-refresh --root ." "sed -i '1s/ro /rw /' etc/kernel/cmdline"
	power_cuts 'apply that takes back' fake_systemd apply \
		"$command add nosmt --no-refresh --root . && $command apply --no-refresh --root ." \
		"echo cmdline none >etc/vfio-early.conf"
	reboot='echo root=/dev/sda1 ro quiet >proc/cmdline'
	power_cuts 'apply that keeps out what is of one boot' fake_inherits apply
	power_cuts 'apply that takes back what this boot has' fake_inherits apply \
		"echo cmdline auto >etc/vfio-early.conf; $command apply --no-refresh --root . &&
			echo 'root=/dev/sda1 ro quiet intel_iommu=on iommu=pt' >proc/cmdline" \
		"echo cmdline none >etc/vfio-early.conf"
	reboot=
	by_hand_cuts
	saved_cuts fake_grub etc/default/grub.d/vfio-early.cfg grub
	saved_cuts fake_systemd etc/kernel/cmdline kernel
	finish
}
