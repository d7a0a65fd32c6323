# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/host/changes/run, functions of apply.sh
# apply --try, confirm, and what vfio-early-trial.service runs, over the fake system of apply.sh. Boots are
# played: a boot ID, and the plan of the image as a boot leaves it in /run.

good='bind 01:00.1\n'
tried='bind 02:00\n'
state=$root/var/lib/vfio-early/trial
mark=$root/etc/vfio-early.trial
unit=vfio-early-trial.service

# with_systemd: doubles of what putting back calls, and the unit.
with_systemd() {
	for name in wall systemctl busctl mount; do
		# shellcheck disable=SC2016 # of another shell
		printf '#!/bin/sh\necho "%s $*" >>/double/calls\n[ ! -e /double/%s ] || cat /double/%s\n[ ! -e /double/bad-%s ]\n' \
			$name $name $name $name >"$root/usr/bin/$name"
		chmod 755 "$root/usr/bin/$name"
	done
	mkdir -p "$root/usr/lib/systemd/system" "$root/proc/sys/kernel/random" "$root/run"
	cp "$top/hook/system/systemd/$unit" "$root/usr/lib/systemd/system/"
}

# try_system: a system whose config is good, applied and booted; what is to be tried is written, not
# applied.
try_system() {
	rm -rf "$root"
	cp -a "$work/machine" "$root"
	system "$good"
	config 'group claim\n' vfio-early.conf.d/a.conf
	chmod 640 "$root/etc/vfio-early.conf"
	with_systemd
	act apply
	boot_again one
	snapshot "$work/good"
	config "$tried"
	config 'group refuse\n' vfio-early.conf.d/a.conf
	config 'failure hold\n' vfio-early.conf.d/b.conf
	: >"$root/double/calls"
}

# boot_again ID: the system is booted again.
boot_again() {
	rm -rf "$root/run/vfio-early"
	mkdir -p "$root/run/vfio-early"
	echo "$1" >"$root/proc/sys/kernel/random/boot_id"
	(cd "$root/run/vfio-early" && cpio -i --quiet --to-stdout '*usr/lib/vfio-early/plan' \
		<"$root/boot/initrd.img-$kernel" >plan 2>/dev/null
	[ -s plan ] || rm plan)
}

# out_of_time: the time of this boot is over before the unit's program begins.
out_of_time() {
	echo 'deadline 0' >"$root/run/vfio-early/trial"
}

# unconfirmed: as the unit's program leaves the second boot while it waits.
unconfirmed() {
	sed -i 's/^state .*/state unconfirmed/; s/^boot .*/boot two/' "$state"
}

state_is() {
	grep -qx "state $1" "$state" || problem "the state is not $1: $(cat "$state" 2>&1)"
}

status_says() {
	run status
	tr -s ' ' <"$work/out" | grep -q "^$1 trial " || problem "status says no $1 of the trial"
	run status --json
	out_has "\"code\": \"$2\""
}

# matters FILE: of a snapshot, what a boot goes by: not what was kept, nor which folders there are. Images
# have the time in them at which they were made; verify looks into them.
matters() {
	grep -v -e var/lib -e initrd -e ' drwx' "$1"
}

# good_again [NAME]: config, loader and images are what they were when the good config was booted.
good_again() {
	snapshot "$work/have"
	matters "$work/good" >"$work/want"
	matters "$work/have" | diff "$work/want" - >"$work/diff" || problem "${1:-}: $(cat "$work/diff")"
	"$command" verify --quiet --root "$root" >"$work/verify" 2>&1 ||
		problem "${1:-}: verify: $(cat "$work/verify")"
}

reboots_are() {
	have=$(grep -c '^systemctl .*reboot' "$root/double/calls")
	[ "$have" -eq "$1" ] || problem "$have reboots, not $1: $(cat "$root/double/calls")"
}

# lock_held FILE SECONDS [flock]: dpkg's lock, or one of ours, is somebody's; sets $holder.
lock_held() {
	: >"$1"
	: >"$work/held"
	python3 -c 'import fcntl, os, sys, time
f = open(sys.argv[1], "w")
getattr(fcntl, sys.argv[3])(f, fcntl.LOCK_EX)
print(os.getpid(), file=f, flush=True)
print("held", flush=True)
time.sleep(int(sys.argv[2]))' "$1" "$2" "${3:-lockf}" >"$work/held" &
	holder=$!
	while [ ! -s "$work/held" ]; do
		sleep 0.1
	done
}

if [ "${can_chroot:-y}" = n ]; then
	begin "apply --try: in a system of its own"
	skip "no chroot"
	return 0
fi

begin "apply --try, a reboot, confirm: it stays; a second trial later works, and is put back"
try_system
act apply --try
status_is 0
no_err
out 'Done: the next boot is a trial. Reboot, and within 10 minutes of it: vfio-early confirm; else what was good before is put back.'
calls_are <<-EOF
	cmdline save --in /var/lib/vfio-early/loader --dry-run
	cmdline save --in /var/lib/vfio-early/loader
	cmdline apply --no-refresh (later)
	update-initramfs -u -k $kernel
	update-initramfs -u -k $other
	cmdline refresh
EOF
verified
state_is pending
[ "$(stat -c %a "$state")" = 644 ] || problem "its mode is $(stat -c %a "$state")"
status_says warning trial-pending
act confirm
status_is 3
err "error: the trial begins with the next boot; fix: reboot, then vfio-early confirm"
act confirm --wait
status_is 0
state_is pending
boot_again two
as_root timeout 30 "$command" confirm --wait --root "$root" >"$work/watch" 2>&1 &
watcher=$!
sleep 2
state_is unconfirmed
status_says fail trial-unconfirmed
grep -q '"left": [1-9]' "$work/out" || problem "the time that is left is not in JSON"
out_has '"minutes": 10'
act apply --try
status_is 3
err "error: this boot is a trial that is not confirmed; fix: vfio-early confirm, then vfio-early apply --try"
: >"$root/double/calls"
act confirm
status_is 0
out 'Confirmed: this boot is good, and the next ones are like it.'
wait $watcher || problem "who waited ended with $?: $(cat "$work/watch")"
calls_are </dev/null
[ ! -e "$state" ] && [ ! -e "$root/run/vfio-early/trial" ] && [ ! -e "$root/var/lib/vfio-early/loader" ] ||
	problem "something of the trial is left: $(ls "$root/var/lib/vfio-early")"
verified
run status
no_out ' trial '
act confirm
status_is 3
err "error: there is no trial to confirm; vfio-early apply --try starts one"
act confirm --wait
status_is 0
calls_are </dev/null
snapshot "$work/good"
config 'bind 17:00.0\n'
act apply --try=3
status_is 0
grep -qx 'minutes 3' "$state" || problem "not 3 minutes"
boot_again three
out_of_time
act confirm --wait
status_is 0
reboots_are 1
good_again

begin "apply --try, and nobody confirms: config, loader and images are as they were, and one reboot"
try_system
act apply --try 1
status_is 0
# As an apply would have changed it.
echo tried >"$root/etc/default/grub.d/vfio-early.cfg"
boot_again two
out_of_time
: >"$root/double/calls"
act confirm --wait
status_is 0
calls_are <<-EOF
	wall vfio-early: this boot was tried and not confirmed: the last good state is put back, then this host reboots
	cmdline restore --in /var/lib/vfio-early/loader --no-refresh (later)
	cmdline apply --no-refresh (later)
	update-initramfs -u -k $kernel
	update-initramfs -u -k $other
	cmdline refresh
	busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager BlockInhibited
	wall vfio-early: the last good state is back; this host reboots
	systemctl --no-wall --check-inhibitors=no reboot
EOF
good_again
state_is restored
status_says warning trial-restored
digest=$(sed -n 's/^tried //p' "$state")
copy=$root/var/lib/vfio-early/configs/$digest/etc
# shellcheck disable=SC2059 # escapes
printf "$tried" | cmp - "$copy/vfio-early.conf" || problem "what was tried is not kept"
[ -e "$copy/vfio-early.conf.d/b.conf" ] || problem "the other file that was tried is not kept"
act confirm
status_is 3
boot_again three
act confirm --wait
status_is 0
calls_are </dev/null
act apply
status_is 0
[ ! -e "$state" ] || problem "the remark is still there after apply"

begin "apply --try: what was there before was nothing of ours: undo"
system "$tried"
with_systemd
boot_again one
act apply --try
status_is 0
grep -qx 'good none' "$state" || problem "good: $(cat "$state")"
boot_again two
out_of_time
: >"$root/double/calls"
act confirm --wait
status_is 0
sed -n 2,6p "$root/double/calls" >"$work/have"
is "$work/have" <<-EOF
	cmdline restore --in /var/lib/vfio-early/loader --no-refresh (later)
	cmdline undo --applied --no-refresh (later)
	update-initramfs -u -k $kernel
	update-initramfs -u -k $other
	cmdline refresh
EOF
reboots_are 1
has_plan "$kernel" && problem "a plan is still there"
[ ! -e "$root/etc/default/grub.d/vfio-early.cfg" ] || problem "the parameters are still there"
[ -e "$root/var/lib/vfio-early/undone" ] || problem "it is not undone"
# shellcheck disable=SC2059 # escapes
printf "$tried" | config_is

begin "apply --try: what was applied and never booted is not good"
system "$good"
with_systemd
boot_again one
act apply
config "$tried"
act apply --try
status_is 0
grep -qx 'good none' "$state" || problem "good: $(cat "$state")"

begin "apply --try: while it waits for its boot, no fix would end it"
try_system
act apply --try
status_is 0
run status
tr -s ' ' <"$work/out" >"$work/have"
grep -A 1 "^fail boot " "$work/have" | grep -Fxq " fix: reboot, then vfio-early confirm" ||
	problem "the fix of the boot: $(cat "$work/have")"
rm "$root/boot/initrd.img-$other"
run status
tr -s ' ' <"$work/out" >"$work/have"
grep -A 1 "^fail image .*no image" "$work/have" | grep -Fxq " fix: vfio-early apply --try" ||
	problem "the fix of an image: $(cat "$work/have")"
run verify
out "  fix: vfio-early apply --try"
run add 17:00.0
out "To take effect: vfio-early apply --try, then reboot."
mode fail
act apply --try
status_is 1
err_has "could not be made, see above; fix that, then vfio-early apply --try"
err_has "note: the next boot is a trial all the same"

begin "apply --try: a second one before the reboot keeps what was good before the first"
try_system
act apply --try
first=$(sed -n 's/^good //p' "$state")
cp -a "$root/var/lib/vfio-early/loader" "$work/kept"
echo other >"$root/etc/default/grub.d/vfio-early.cfg"
config 'bind 17:00.0\n'
act apply --try 20
status_is 0
[ "$(sed -n 's/^good //p' "$state")" = "$first" ] || problem "another is good now"
diff -r "$work/kept" "$root/var/lib/vfio-early/loader" >"$work/diff" || problem "the loader's files were kept again"
rm -r "$work/kept"
boot_again two
out_of_time
act confirm --wait
good_again

begin "apply --try: the config is edited before the reboot: what ran is confirmed, what was edited is kept"
try_system
act apply --try
cp "$state" "$work/trial"
config 'bind 17:00.0\n'
boot_again two
unconfirmed
act confirm
status_is 0
echo 'bind 17:00.0' | config_is
try_system
act apply --try
config 'bind 17:00.0\n'
boot_again two
out_of_time
cp -a "$root/etc/vfio-early.conf.d" "$work/edited"
act confirm --wait
status_is 0
good_again

begin "apply --try: a boot after more than 24 hours is not watched"
try_system
act apply --try
sed -i "s/^made .*/made $(($(date +%s) - 90000))/" "$state"
boot_again two
out_of_time
: >"$root/double/calls"
act confirm --wait
status_is 0
calls_are </dev/null
state_is expired
status_says warning trial-expired
[ ! -e "$mark" ] || problem "nothing is to be watched, and the mark is there"
act confirm
status_is 3
# A clock that was set back is no reason not to watch.
sed -i "s/^made .*/made $(($(date +%s) + 90000))/; s/^state .*/state pending/" "$state"
: >"$mark"
boot_again three
out_of_time
act confirm --wait
status_is 0
reboots_are 1

begin "apply --try: a boot that ended without the word: the next one waits for nothing"
try_system
act apply --try
boot_again two
as_root timeout 2 "$command" confirm --wait --root "$root" >"$work/watch" 2>&1
state_is unconfirmed
boot_again three
status_says fail trial-missed
: >"$root/double/calls"
act confirm --wait
status_is 0
reboots_are 1
good_again

begin "confirm: a boot that did not run what is tried proves nothing"
try_system
act apply --try
boot_again two
rm "$root/run/vfio-early/plan"
unconfirmed
act confirm
status_is 3
err "error: this boot did not run what is tried (another image, or vfio_early= on its command line), so it proves nothing; fix: wait until the last good state is put back, or end the trial: vfio-early apply, or vfio-early undo"

begin "apply --try: refused where nobody would put anything back"
try_system
snapshot "$work/before"
rm "$root/usr/lib/systemd/system/$unit"
act apply --try
status_is 3
err "error: a trial needs systemd and its unit $unit, which this host does not have; fix: leave out --try"
cp "$top/hook/system/systemd/$unit" "$root/usr/lib/systemd/system/"
mkdir -p "$root/etc/systemd/system"
ln -s /dev/null "$root/etc/systemd/system/$unit"
act apply --try
status_is 3
err "error: $unit is masked, so nothing would be put back; fix: systemctl unmask $unit"
rm "$root/etc/systemd/system/$unit"
rmdir "$root/etc/systemd/system" "$root/etc/systemd"
echo 'fail save' >"$root/double/cmdline"
act apply --try
status_is 3
err "error: a trial cannot begin, see above; nothing was changed"
act apply --try --dry-run
status_is 3
echo 'fail apply' >"$root/double/cmdline"
act apply --try
status_is 1
[ ! -e "$state" ] || problem "a trial of what was not changed"
[ ! -e "$mark" ] || problem "a mark of no trial"
rm "$root/double/cmdline"
# Without the mark nothing is mounted: somebody may be repairing that file system.
: >"$root/double/calls"
act confirm --wait
status_is 0
calls_are </dev/null
# One that waits for its boot is there as long as its images are.
act apply --try
[ -e "$mark" ] || problem "a trial without its mark"
echo 'fail apply' >"$root/double/cmdline"
act apply --try
status_is 1
state_is pending
act undo
rm "$root/double/cmdline"
act undo
[ ! -e "$state" ] || problem "an undo left the trial"
act apply --try --dry-run
status_is 0
[ ! -e "$state" ] || problem "a dry run began a trial"
act apply --try 0
status_is 2
err "error: 0 is not a number of minutes; fix: write 1 to 1440"
act apply --try=1441
status_is 2
act apply --try now
status_is 2
act apply --try 5 6
status_is 2
err "error: apply takes no argument: 6"
act undo --try
status_is 2
matters "$work/before" >"$work/want"
snapshot "$work/have"
matters "$work/have" | is "$work/want"

begin "apply, undo: they end a trial, and say so"
try_system
act apply --try
act apply
status_is 0
out 'The trial has ended: nothing will be put back.'
[ ! -e "$state" ] || problem "it is not over"
act apply --try
boot_again two
unconfirmed
act undo
status_is 0
out 'The trial has ended: nothing will be put back.'
find "$root/var/lib/vfio-early" -type f ! -name facts >"$work/left"
echo "$root/var/lib/vfio-early/undone" | is "$work/left"

begin "confirm --wait: dpkg and inhibitors are waited for, not for ever"
if command -v python3 >"$work/out"; then
	try_system
	act apply --try
	boot_again two
	out_of_time
	sed -i 's/^patience .*/patience 3/' "$state"
	: >"$root/var/lib/dpkg/lock-frontend"
	lock_held "$root/var/lib/dpkg/lock" 60
	echo 's "shutdown:sleep"' >"$root/double/busctl"
	: >"$root/double/calls"
	as_root timeout 30 "$command" confirm --wait --root "$root" >"$work/out" 2>"$work/err" &
	watcher=$!
	sleep 1
	echo 'wall vfio-early: this boot was tried and not confirmed: the last good state is put back, then this host reboots' |
		is "$root/double/calls"
	wait $watcher
	status=$?
	status_is 0
	kill $holder
	err "warning: dpkg is still there after 3 s, and not waited for any longer"
	err "warning: an inhibitor of the shutdown is still there after 3 s, and not waited for any longer"
	reboots_are 1
	good_again
else
	skip "no python3"
fi

begin "confirm --wait: dpkg that is at work is not cut off, however long it takes"
if command -v python3 >"$work/out"; then
	try_system
	act apply --try
	boot_again two
	out_of_time
	sed -i 's/^patience .*/patience 4/' "$state"
	mkdir -p "$root/var/log"
	: >"$root/var/lib/dpkg/lock-frontend"
	lock_held "$root/var/lib/dpkg/lock" 9
	(
		while kill -0 $holder 2>/dev/null; do
			date >>"$root/var/log/dpkg.log"
			sleep 1
		done
	) &
	: >"$root/double/calls"
	as_root timeout 60 "$command" confirm --wait --root "$root" >"$work/out" 2>"$work/err"
	status=$?
	status_is 0
	! grep -q "dpkg is still there" "$work/err" || problem "it was cut off"
	reboots_are 1
	rm -r "$root/var/log"
	good_again
else
	skip "no python3"
fi

begin "confirm --wait: another apply is waited for to its end, and nothing is written beside it"
if command -v python3 >"$work/out"; then
	try_system
	act apply --try
	boot_again two
	out_of_time
	sed -i 's/^patience .*/patience 2/' "$state"
	lock_held "$root/run/vfio-early/apply.lock" 7 flock
	: >"$root/double/calls"
	as_root timeout 60 "$command" confirm --wait --root "$root" >"$work/watch" 2>&1 &
	watcher=$!
	sleep 5
	calls_are <<-EOF
		wall vfio-early: this boot was tried and not confirmed: the last good state is put back, then this host reboots
		wall vfio-early: another vfio-early apply or undo (process $holder) still runs after 2 s, so the last good state is NOT back; that begins when it ends
	EOF
	state_is unconfirmed
	wait $holder
	wait $watcher || problem "who waited ended with $?: $(cat "$work/watch")"
	reboots_are 1
	good_again
else
	skip "no python3"
fi

begin "confirm --wait: an apply that was waited for ended the trial: its state stays"
if command -v python3 >"$work/out"; then
	try_system
	act apply --try
	boot_again two
	out_of_time
	lock_held "$root/run/vfio-early/apply.lock" 3 flock
	as_root timeout 60 "$command" confirm --wait --root "$root" >"$work/watch" 2>&1 &
	watcher=$!
	sleep 1
	rm "$state"
	wait $watcher || problem "who waited ended with $?: $(cat "$work/watch")"
	wait $holder
	reboots_are 0
	verified
else
	skip "no python3"
fi

begin "confirm --wait: confirmed while dpkg is waited for"
if command -v python3 >"$work/out"; then
	try_system
	act apply --try
	boot_again two
	out_of_time
	lock_held "$root/var/lib/dpkg/lock" 4
	as_root timeout 30 "$command" confirm --wait --root "$root" >"$work/watch" 2>&1 &
	watcher=$!
	sleep 1
	act confirm
	status_is 0
	wait $watcher || problem "who waited ended with $?"
	wait $holder
	reboots_are 0
	verified
else
	skip "no python3"
fi

begin "confirm --wait: what cannot be put back does not reboot, and is tried again by the next boot"
try_system
act apply --try
boot_again two
out_of_time
mode fail
: >"$root/double/calls"
act confirm --wait
status_is 1
reboots_are 0
grep -q '^wall .*could not be put back' "$root/double/calls" || problem "nobody was told"
state_is failed
status_says fail trial-failed
act apply --try
status_is 3
err "error: the last good state could not be put back, see vfio-early status; fix: vfio-early apply, or vfio-early undo, first"
act confirm
status_is 3
mode fine
boot_again three
act confirm --wait
status_is 0
reboots_are 1
good_again

begin "confirm --wait: a config that is damaged, a copy that is none"
try_system
act apply --try
boot_again two
out_of_time
chmod 666 "$root/etc/vfio-early.conf"
rm "$root/etc/vfio-early.conf.d/a.conf"
ln -s /dev/null "$root/etc/vfio-early.conf.d/a.conf"
act confirm --wait
status_is 0
mkdir -p "$work/old"
mv "$root"/etc/vfio-early.conf.vfio-early-old "$root"/etc/vfio-early.conf.d/b.conf.vfio-early-old \
	"$work/old/" || problem "what was changed was not kept"
good_again
try_system
act apply --try
boot_again two
out_of_time
echo '# bit rot' >>"$root/var/lib/vfio-early/configs/$(sed -n 's/^good //p' "$state")/etc/vfio-early.conf"
act confirm --wait
status_is 0
err "warning: there is no copy of the config that was good; all is taken back instead, as by vfio-early undo"
has_plan "$kernel" && problem "a plan is still there"

begin "confirm --wait: in emergency mode what is written to is mounted first"
try_system
act apply --try
boot_again two
out_of_time
mkdir -p "$root/boot/efi" "$root/efi"
printf '%s\n' '/dev/sdb1 /srv ext4 defaults 0 2' '/dev/sda2 /boot/efi vfat umask=0077 0 1' \
	'/dev/sda3 /efi vfat noauto 0 1' >"$root/etc/fstab"
: >"$root/double/calls"
act confirm --wait
status_is 0
sed -n 's/:.*//; 1,3p' "$root/double/calls" >"$work/have"
is "$work/have" <<-EOF
	mount /boot/efi
	wall vfio-early
	mount /boot/efi
EOF
try_system
act apply --try
boot_again two
out_of_time
printf '/dev/sda2 /boot/efi vfat umask=0077 0 1\n' >"$root/etc/fstab"
: >"$root/double/bad-mount"
: >"$root/double/calls"
act confirm --wait
status_is 1
reboots_are 0

# nofail: a boot that misses it goes on, and so does what it has to put back.
try_system
act apply --try
boot_again two
out_of_time
printf '/dev/sda2 /boot/efi vfat umask=0077,nofail 0 1\n' >"$root/etc/fstab"
: >"$root/double/bad-mount"
: >"$root/double/calls"
act confirm --wait
status_is 0
reboots_are 1

# giving_back: the disk under a file system is with vfio-pci, until it is given back.
giving_back() {
	boot_again two
	out_of_time
	printf '/dev/sda2 %s ext4 defaults 0 1\n' "$1" >"$root/etc/fstab"
	: >"$root/double/bad-mount"
	# The images are compared with the real one.
	program=$root/usr/lib/vfio-early/vfio-early-bind
	mv "$program" "$program.real"
	cat >"$program" <<-'EOF'
	#!/bin/sh
	echo "bind $*" >>/double/calls
	mv /usr/lib/vfio-early/vfio-early-bind.real /usr/lib/vfio-early/vfio-early-bind
	rm /double/bad-mount
	[ ! -e /kept ] || mv /kept /var/lib/vfio-early/trial
	exit 1
	EOF
	chmod 755 "$program"
	: >"$root/double/calls"
}

# steps: the calls in short, up to the first that puts back.
steps() {
	sed -n 's/:.*//; /^cmdline/q; p' "$root/double/calls" >"$work/have"
	is "$work/have"
}

begin "confirm --wait: the disk of /boot was taken: it is given back when something is put back"
try_system
mkdir -p "$root/boot/efi"
act apply --try
giving_back /boot/efi
act confirm --wait
status_is 0
steps <<-EOF
	mount /boot/efi
	wall vfio-early
	mount /boot/efi
	bind --give-back
	mount /boot/efi
EOF
reboots_are 1

begin "confirm --wait: the disk of /boot was taken, and confirmed all the same: nothing is given back"
try_system
mkdir -p "$root/boot/efi"
act apply --try
giving_back /boot/efi
rm "$root/run/vfio-early/trial"
as_root timeout 30 "$command" confirm --wait --root "$root" >"$work/watch" 2>&1 &
watcher=$!
sleep 2
act confirm
status_is 0
wait $watcher || problem "who waited ended with $?: $(cat "$work/watch")"
echo 'mount /boot/efi' | steps

begin "confirm --wait: the disk of /var was taken, with the trial's own file: given back at once"
try_system
act apply --try
mv "$state" "$root/kept"
giving_back /var
act confirm --wait
status_is 0
steps <<-EOF
	mount /var
	bind --give-back
	mount /var
	wall vfio-early
	mount /var
EOF
reboots_are 1

begin "confirm --wait: /boot is not there, and nothing of ours is in the way: no reboot"
try_system
mkdir -p "$root/boot/efi"
act apply --try
giving_back /boot/efi
printf '#!/bin/sh\nexit 0\n' >"$root/usr/lib/vfio-early/vfio-early-bind"
act confirm --wait
status_is 1
reboots_are 0
state_is failed
[ -e "$mark" ] || problem "the next boot does not try again"

begin "apply --try: not from a state that is back and was not booted yet"
try_system
act apply --try
boot_again two
out_of_time
act confirm --wait
state_is restored
act apply --try
status_is 3
err "error: the last good state is back, but this boot does not run it yet; fix: reboot first"
state_is restored
boot_again three
act apply --try
status_is 0
state_is pending

begin "confirm --wait: wall that never ends its output is not waited for"
try_system
printf '#!/bin/sh\necho "wall $*" >>/double/calls\nsleep 60 &\n' >"$root/usr/bin/wall"
cp "$(command -v sleep)" "$root/usr/bin/sleep"
act apply --try
boot_again two
out_of_time
as_root timeout 30 "$command" confirm --wait --root "$root" >"$work/watch" 2>&1 </dev/null
status=$?
status_is 0
reboots_are 1

begin "apply, confirm: a caller that ignores SIGCHLD"
try_system
as_root sh -c 'trap "" CHLD; exec "$@"' sh "$command" apply --try --root "$root" >"$work/out" 2>"$work/err"
status=$?
status_is 0
verified
boot_again two
out_of_time
as_root sh -c 'trap "" CHLD; exec "$@"' sh "$command" confirm --wait --root "$root" >"$work/out" 2>"$work/err"
status=$?
status_is 0
reboots_are 1
good_again

begin "the message of the day: in a boot that is tried"
mkdir -p "$root/run/vfio-early"
sed "s|/run/|$root/run/|g; s|/proc/uptime|$work/uptime|" "$top/hook/system/update-motd.d/60-vfio-early" \
	>"$work/motd"
echo '100.25 3.0' >"$work/uptime"
sh "$work/motd" >"$work/out" 2>"$work/err"
no_err
[ ! -s "$work/out" ] || problem "said without a trial"
echo 'deadline 610' >"$root/run/vfio-early/trial"
sh "$work/motd" >"$work/out" 2>"$work/err"
no_err
out_has 'Unless it is confirmed within 9 min'

# --- interrupted

# cuts ARGUMENT...: for each change of the command, from $work/start: killed before it; then after_cut is
# called, with the place. A file is there by its rename, and gone by its unlinking; what lies between is
# nothing that is seen, and that it is flushed is tried with apply.
cuts() {
	for call in renameat unlinkat; do
		n=1
		while [ $n -lt 60 ]; do
			rm -rf "$root"
			cp -al "$work/start" "$root"
			# Hard links are not to be written through.
			rm -f "$root/double/calls" "$root/proc/sys/kernel/random/boot_id"
			cp "$work/start/proc/sys/kernel/random/boot_id" "$root/proc/sys/kernel/random/boot_id"
			as_root env ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$work/trace" \
				-e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
				"$command" "$@" --root "$root" >"$work/out" 2>"$work/err"
			status=$?
			[ $status -eq 137 ] || break
			after_cut "$call $n"
			n=$((n + 1))
		done
		[ $n -lt 60 ] || problem "$call: it never came to the end"
		[ "$status" -eq 0 ] || problem "$call: the last run ended with $status: $(cat "$work/err")"
	done
}

# after_try WHERE: a boot in between is watched from the moment that anything of it is another, and then
# all is put back. Before that it is the good one.
after_try() {
	boot_again two
	if [ -e "$state" ]; then
		out_of_time
		act confirm --wait
		good_again "$1"
		reboots_are 1
		return
	fi
	grep -q '^bind 0000:01:00.1' "$root/run/vfio-early/plan" ||
		problem "$1: not watched, and not the good one"
	act apply --try
	[ "$status" -eq 0 ] || problem "$1: again: $(cat "$work/err")"
}

# after_restore WHERE: the next boot does the rest; it is the one that is watched where nothing was written
# down of the first.
after_restore() {
	boot_again three
	out_of_time
	act confirm --wait
	[ "$status" -eq 0 ] || problem "$1: the next boot: $status: $(cat "$work/err")"
	good_again "$1"
	state_is restored
}

# after_confirm WHERE: it is confirmed, or not; apply leaves nothing of it.
after_confirm() {
	act confirm
	case $status in
	0 | 3) ;;
	*) problem "$1: again: $status: $(cat "$work/err")" ;;
	esac
	[ ! -e "$state" ] || problem "$1: it is not over"
	act apply
	[ "$status" -eq 0 ] && [ ! -e "$root/var/lib/vfio-early/loader" ] ||
		problem "$1: something is left: $(ls "$root/var/lib/vfio-early")"
}

for what in try restore confirm; do
	# Dozens of runs, of code that the other tests go through as well.
	case $command in */asan/*) continue ;; esac
	begin "a trial: killed at each call that changes something: $what"
	command -v strace >"$work/out" || { skip "no strace"; continue; }
	try_system
	# One kernel, so that it is quicker.
	rm "$root/boot/vmlinuz-$other" "$root/boot/initrd.img-$other"
	sed -i "/$other/d" "$work/good"
	after_cut() {
		after_$what "$1"
	}
	case $what in
	try) set -- apply --try ;;
	restore)
		act apply --try
		boot_again two
		out_of_time
		set -- confirm --wait
		;;
	confirm)
		act apply --try
		boot_again two
		unconfirmed
		set -- confirm
		;;
	esac
	rm -rf "$work/start"
	cp -a "$root" "$work/start"
	cuts "$@"
done
