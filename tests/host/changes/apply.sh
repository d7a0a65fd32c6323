# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/host/changes/run, functions of status.sh
# apply and undo, over a root in which the programs of the system are doubles that write down how they
# are called. They run there (chroot), so the root has a shell and what the doubles need.

other=6.1.0-other

# as_root COMMAND...: in a namespace of its own where this is not root already.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		unshare -rm "$@"
	fi
}

# tool PROGRAM [PATH]: it, as PATH of $work/system, and the libraries that it needs.
tool() {
	path=$work/system${2:-$1}
	mkdir -p "${path%/*}"
	cp -L "$1" "$path"
	ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
		[ -e "$work/system$library" ] || cp -L --parents "$library" "$work/system"
	done
}

# double PATH: a script for the shell of the fake system, from standard input.
double() {
	mkdir -p "$work/system/${1%/*}"
	{
		echo '#!/bin/sh'
		cat
	} >"$work/system/$1"
	chmod 755 "$work/system/$1"
}

# What makes an image in the doubles of both builders: build VERSION FILE.
double_build() {
	cat <<'EOF'
set -eu
mode=fine
[ ! -e /double/mode ] || read -r mode </double/mode
build() {
	rm -rf /double/image
	cp -r "/double/template" /double/image
	mkdir -p "/double/image/usr/lib/modules/$1/kernel"
	cp /lib/modules/$1/kernel/*.ko "/double/image/usr/lib/modules/$1/kernel"
	plan=/double/image/usr/lib/vfio-early/plan
	/usr/sbin/vfio-early plan --kernel "$1" --output "$plan" || :
	if ! grep -Eq '^(bind!?|lost) ' "$plan"; then
		rm -r /double/image/usr/lib/vfio-early
		rm -rf /double/image/scripts/init-top/00-vfio-early /double/image/usr/lib/systemd
	fi
	[ "$mode" != slow ] || sleep 2.5
	[ "$mode" != "without $1" ] || rm -f /double/image/usr/lib/vfio-early/vfio-early-bind
	(cd /double/image && find . | sort | cpio -o -H newc -R 0:0 --quiet) >"$2"
	[ "$mode" != cut ] || head -c 5000 "$2" >/double/cut
	[ "$mode" != cut ] || cat /double/cut >"$2"
	[ "$mode" != kill ] || { head -c 5000 "$2" >/double/cut && cat /double/cut >"$2"; kill -9 $PPID; exit 1; }
	echo 'W: a warning of the builder'
}
if [ "$mode" = fail ]; then
	echo 'cp: No space left on device' >&2
	exit 1
fi
EOF
}

prepare_system() {
	mkdir -p "$work/system"
	for name in sh cat cp mv rm mkdir find sort cpio grep head sleep; do
		tool "$(command -v $name)"
	done
	# The doubles call the command as built for users, whichever is tested.
	tool "$top/build/vfio-early" /usr/sbin/vfio-early
	mkdir -p "$work/system/usr/sbin" "$work/system/usr/bin" "$work/system/bin" \
		"$work/system/dev" "$work/system/double"
	# /bin/sh where the host has it elsewhere.
	[ -e "$work/system/bin/sh" ] || cp "$work/system$(command -v sh)" "$work/system/bin/sh"
	: >"$work/system/dev/null"

	{
		double_build
		cat <<'EOF'
echo "update-initramfs $*" >>/double/calls
case "$#$1$2" in 3-u-k | 3-c-k) ;; *) exit 64 ;; esac
case $1 in
-u) [ -e "/boot/initrd.img-$3" ] ;;
-c) [ ! -e "/boot/initrd.img-$3" ] ;;
esac
if [ "$mode" = off ]; then
	echo 'update-initramfs: Not updating initramfs.'
	exit 0
fi
trap 'rm -f "/boot/initrd.img-$3.new"' EXIT
build "$3" "/boot/initrd.img-$3.new"
mv -f "/boot/initrd.img-$3.new" "/boot/initrd.img-$3"
EOF
	} | double usr/sbin/update-initramfs
	: >"$work/system/usr/sbin/mkinitramfs"
	{
		double_build
		cat <<'EOF'
echo "dracut $*" >>/double/calls
[ "$#$1" = 3--force ] || exit 64
build "$3" "$2"
EOF
	} >"$work/dracut"
	double usr/sbin/vfio-early-cmdline <<'EOF'
set -eu
echo "cmdline $*${VFIO_EARLY_REFRESH:+ ($VFIO_EARLY_REFRESH)}" >>/double/calls
file=/etc/default/grub.d/vfio-early.cfg
mode=fine
[ ! -e /double/cmdline ] || read -r mode </double/cmdline
[ "$mode" != "fail $1" ] || { echo 'vfio-early-cmdline: cannot' >&2; exit 1; }
case $* in
'apply --dry-run') echo "+++ $file" ;;
'undo --dry-run') ;;
apply*)
	mkdir -p /etc/default/grub.d
	[ -e $file ] || { echo iommu=pt >$file; echo due >/double/due; }
	;;
undo*) [ ! -e $file ] || { rm $file; echo due >/double/due; } ;;
'save --in '*' --dry-run') ;;
'save --in '*)
	mkdir -p "$3"
	[ ! -e $file ] || cp $file "$3/grub.file"
	;;
'restore --in '*)
	if [ -d "$3" ]; then
		rm -f $file
		[ ! -e "$3/grub.file" ] || cp "$3/grub.file" $file
		echo due >/double/due
	fi
	;;
refresh)
	if [ "${VFIO_EARLY_REFRESH:-}" != if-due ]; then
		echo due >/double/due
	elif [ ! -e /double/due ]; then
		echo 'boot loader: no refresh needed: GRUB'
	fi
	;;
*) exit 2 ;;
esac
case $* in
*--no-refresh | *--dry-run | save*) exit 0 ;;
esac
if [ -e /double/due ]; then
	rm /double/due
	echo "menuentry" >/boot/grub/grub.cfg
	[ ! -e $file ] || cat $file >>/boot/grub/grub.cfg
	echo 'boot loader: refreshed: GRUB'
fi
EOF
	printf '/usr/sbin\n/usr/sbin/update-initramfs\n' >"$work/initramfs-tools.list"
}

# system: the machine of a test as a system with two kernels, of which the newer has an image without
# us and the older none.
system() {
	cp -al "$work/system/." "$root/"
	cp -al "$root/lib/modules/$kernel" "$root/lib/modules/$other"
	# Hard links are not to be written through.
	rm "$root/lib/modules/$other"/modules.*
	for file in modules.builtin modules.builtin.modinfo modules.order; do
		: >"$root/lib/modules/$other/$file"
	done
	depmod -b "$root" "$other"
	: >"$root/boot/vmlinuz-$other"
	mkdir -p "$root/var/lib/dpkg/info" "$root/tmp"
	cp "$work/initramfs-tools.list" "$root/var/lib/dpkg/info/"
	config "$1"
	contents 2>"$work/err"
	rm -r "$image/usr/lib/modules" "$image/usr/lib/vfio-early/plan" "$image/bin"
	rm -rf "$root/double/template"
	cp -r "$image" "$root/double/template"
	rm -r "$image/usr/lib/vfio-early" "$image/scripts/init-top/00-vfio-early"
	cpio_of "$image" >"$root/boot/initrd.img-$kernel"
	: >"$root/double/calls"
}

# with_dracut: dracut makes the images of this system. with_update: by way of update-initramfs, as in
# sid; without, as in bookworm and trixie.
with_dracut() {
	rm "$root/usr/sbin/update-initramfs" "$root/usr/sbin/mkinitramfs" \
		"$root/var/lib/dpkg/info/initramfs-tools.list"
	{ echo '#!/bin/sh'; cat "$work/dracut"; } >"$root/usr/bin/dracut"
	chmod 755 "$root/usr/bin/dracut"
	template=$root/double/template
	rm -r "$template/scripts"
	mkdir -p "$template/usr/lib/dracut/hooks" \
		"$template/usr/lib/systemd/system/sysinit.target.wants"
	for hook in initqueue/settled/50-vfio-early-settled.sh emergency/50-vfio-early-timeout.sh; do
		mkdir -p "$template/usr/lib/dracut/hooks/${hook%/*}"
		: >"$template/usr/lib/dracut/hooks/$hook"
	done
	: >"$template/usr/lib/systemd/system/vfio-early.service"
	: >"$template/usr/lib/systemd/system/sysinit.target.wants/vfio-early.service"
}

# act COMMAND [OPTION...]: apply or undo, as root.
act() {
	as_root "$command" "$@" --root "$root" >"$work/out" 2>"$work/err"
	status=$?
}

mode() {
	printf '%s\n' "$1" >"$root/double/mode"
}

# calls_are: how the programs were called since, in order; none is called any more.
calls_are() {
	is "$root/double/calls"
	: >"$root/double/calls"
}

# snapshot FILE: names, modes and contents of what a boot and this package have to do with.
snapshot() {
	(cd "$root" && find boot etc var -printf '%p %M %s\n' | sort &&
		find boot etc var -type f -exec sha256sum {} + | sort -k 2) >"$1"
}

# verified [KERNEL...]: their images are as the config says; nothing of ours lies beside them.
verified() {
	"$command" verify --quiet --root "$root" >"$work/verify" 2>&1 ||
		problem "verify: $(cat "$work/verify")"
	nothing_beside
}

nothing_beside_images() {
	[ -z "$(find "$root/boot" -name '*.vfio-early-*' -o -name '*.new')" ] ||
		problem "beside the images: $(ls "$root/boot")"
}

nothing_beside() {
	nothing_beside_images
	[ ! -e "$root/var/lib/vfio-early/unfinished" ] || problem "it is still marked as unfinished"
}

has_plan() {
	"$command" verify --root "$root" --json "$root/boot/initrd.img-$1" | grep -q '"next": "vfio-pci"'
}

prepare_system
as_root chroot "$work/system" /bin/sh -c 'exit 0' || can_chroot=n
if [ "${can_chroot:-y}" = n ]; then
	begin "apply: in a system of its own"
	skip "no chroot"
	return 0
fi

begin "apply: command line, images of all kernels, loader; then nothing is left to do"
system 'bind 02:00\n'
act apply
status_is 0
no_err
sed -i 's/([0-9]* s)/(N s)/; s/ *$//; /findings block/d' "$work/out"
out_is <<-EOF
	[1/2] $kernel: made and verified (N s)
	    | W: a warning of the builder
	[2/2] $other: made and verified (N s)
	    | W: a warning of the builder
	boot loader: refreshed: GRUB
	ADDRESS      ID        NAME             GROUP DRIVER NEXT
	0000:02:00.0 10de:1187 GK104               15        vfio-pci
	0000:02:00.1 10de:0e0a GK104 HDMI Audio    15        vfio-pci
	Done: the next boot binds 2, refuses 0. Reboot to make it so.
EOF
calls_are <<-EOF
	cmdline apply --no-refresh (later)
	update-initramfs -u -k $kernel
	update-initramfs -c -k $other
	cmdline refresh
EOF
verified
has_plan "$kernel" || problem "no plan for $kernel"
has_plan "$other" || problem "no plan for $other"
snapshot "$work/before"
act apply
status_is 0
out "[1/2] $kernel: current"
out "[2/2] $other: current"
out "boot loader: no refresh needed: GRUB"
out "No image had to be made: the next boot binds 2, refuses 0."
calls_are <<-EOF
	cmdline apply --no-refresh (later)
	cmdline refresh (if-due)
EOF
snapshot "$work/have"
is "$work/before" <"$work/have"

# on_terminal COLUMNS COMMAND...: apply or undo on a terminal of so many columns. $work/drawn has what was
# written over, one a line.
on_terminal() {
	columns=$1
	shift
	cat >"$work/on_terminal" <<-EOF
		stty cols $columns
		exec '$command' $* --root '$root'
	EOF
	as_root env TERM=xterm script -qec "sh $work/on_terminal" /dev/null </dev/null >"$work/out" 2>"$work/err"
	status=$?
	tr '\r' '\n' <"$work/out" | sed -n 's/^\x1b\[K\(.\{1,\}\)/\1/p' >"$work/drawn"
}

# drawn TEXT: a line of what was written over; as much of it as the terminal had room for.
drawn() {
	grep -Fxq -e "$1" "$work/drawn" || problem "never drawn: $1"
}

begin "apply: where it is not known what this host needs: no image is called as configured"
system 'bind 02:00\n'
rm -f "$root/var/lib/vfio-early/facts"
for how in "made (N s), but" "current, but"; do
	act apply
	status_is 0
	sed -i 's/([0-9]* s)/(N s)/; s/ *$//' "$work/out"
	out "[1/2] $kernel: $how it is not known what this host needs"
	out "The images hold back storage, network and USB controllers, and vfio-early verify reports them as not as configured, until they are made on the running host, not in a chroot or a container: vfio-early apply"
done

begin "apply: on a terminal one line shows kernel, step and seconds; nothing of it on a pipe"
system 'bind 02:00\n'
mode slow
on_terminal 80 apply
status_is 0
drawn "[1/2] $kernel: reading the image, 0 s"
drawn "[1/2] $kernel: making the image, 0 s"
# Which seconds are drawn is up to a machine that may be busy; that they go on is not.
grep -Eq "^\[1/2\] $kernel: making the image, [1-9] s$" "$work/drawn" || problem "no second of making"
grep -Eq "^\[1/2\] $kernel: verifying the new image, [2-9] s$" "$work/drawn" || problem "no verifying"
drawn "[2/2] $other: reading the image, 0 s"
drawn "boot loader: refreshing, 0 s"
# The line is gone, and its result in its place.
tr -d '\r' <"$work/out" | grep -q "^.*\[K\[1/2\] $kernel: .*made and verified" || problem "no result"
act undo
! grep -q '[[:cntrl:]]' "$work/out" || problem "drawn on a pipe"
! grep -q 'making the image' "$work/out" || problem "a step on a pipe"
mode fine
on_terminal 30 apply
status_is 0
drawn "[2/2] $other: making the"
[ "$(awk 'length($0) > 29' "$work/drawn" | grep -c ', ')" -eq 0 ] || problem "wider than the terminal"

begin "undo: as before apply, byte for byte outside of the images; then nothing is left to do"
system 'bind 02:00\n'
mkdir -p "$root/etc/default/grub.d"
# So that it has an image before, too.
as_root chroot "$root" /usr/sbin/update-initramfs -c -k "$other" >"$work/out" 2>&1
snapshot "$work/first"
act apply
status_is 0
: >"$root/double/calls"
act undo
status_is 0
no_err
out_has "[1/2] $kernel: made and verified ("
out "Undone: the next boot hands nothing over."
calls_are <<-EOF
	cmdline undo --applied --no-refresh (later)
	update-initramfs -u -k $kernel
	update-initramfs -u -k $other
	cmdline refresh
EOF
no_out "undo is in effect"
verified
has_plan "$kernel" && problem "a plan for $kernel is still there"
snapshot "$work/have"
# What differs: the images, and that it was undone.
grep -v -e initrd -e 'var/lib/vfio-early' -e ' drwx' "$work/have" >"$work/left"
grep -v -e initrd -e ' drwx' "$work/first" | is "$work/left"
run status
status_is 1
tr -s ' ' <"$work/out" >"$work/have"
grep -Fxq "fail config vfio-early undo is in effect: the next boot binds nothing" "$work/have" ||
	problem "status does not say so: $(cat "$work/have")"
run check
out_has "vfio-early undo is in effect: the next boot binds nothing"
run verify
status_is 0
out "  nothing of vfio-early in it, and vfio-early undo is in effect"
run plan --kernel "$kernel"
! grep '^bind' "$work/out" || problem "the plan binds"
grep -q '^vfio-early: note: vfio-early undo is in effect: the plan is empty; fix: vfio-early apply' \
	"$work/err" || problem "plan does not say so"
snapshot "$work/before"
act undo
status_is 0
out "No image had to be made: the next boot hands nothing over."
calls_are <<-EOF
	cmdline undo --applied --no-refresh (later)
	cmdline refresh (if-due)
EOF
snapshot "$work/have"
is "$work/before" <"$work/have"
act apply
status_is 0
[ "$(ls "$root/var/lib/vfio-early" | tr '\n' ' ')" = 'configs facts ' ] || problem "the state of undo is still there"
verified
has_plan "$kernel" || problem "no plan for $kernel"

begin "undo: no image can be made: that is what check and status say, until undo has done it"
system 'bind 02:00\n'
act apply
mode fail
act undo
status_is 1
err_has "fix that, then vfio-early undo"
run check
out_has "vfio-early undo has not finished: the next boot may still hand devices over"
run status
tr -s ' ' <"$work/out" >"$work/have"
grep -Fxq "fail config vfio-early undo has not finished: the next boot may still hand devices over" "$work/have" ||
	problem "status does not say so: $(cat "$work/have")"
grep -F "it still has a plan" -A 1 "$work/have" | grep -Fxq " fix: vfio-early undo" ||
	problem "status has another fix: $(cat "$work/have")"
run verify
out "  fix: vfio-early undo"
mode fine
act undo
status_is 0
run check
out_has "vfio-early undo is in effect: the next boot binds nothing"

begin "check --root: this machine's /proc below another system says nothing of that one"
system 'bind 02:00\n'
rm -f "$root/var/lib/vfio-early/facts"
mkdir -p "$root/sys/dev/block"
if in_namespace "mount --rbind /proc '$root/proc'"; then
	in_namespace "mount --rbind /proc '$root/proc' && '$command' check --root '$root'" >"$work/out" 2>"$work/err"
	out_has "facts unknown: this is another system than the running host, whose facts are not this one's"
else
	skip "no namespace"
fi

begin "undo: under umask 077 its mark can be read by all"
system 'bind 02:00\n'
act apply
rm -rf "$root/var/lib/vfio-early"
mask=$(umask)
umask 077
act undo
umask "$mask"
status_is 0
[ "$(stat -c %a "$root/var/lib/vfio-early" "$root/var/lib/vfio-early/undone" | tr '\n' ' ')" = '755 644 ' ] ||
	problem "modes: $(stat -c '%a %n' "$root/var/lib/vfio-early" "$root"/var/lib/vfio-early/*)"

begin "apply: an image by dracut's name elsewhere is none with initramfs-tools"
system 'bind 02:00\n'
echo stray >"$root/boot/initramfs-$other.img"
act apply
status_is 0
verified
[ "$(cat "$root/boot/initramfs-$other.img")" = stray ] || problem "it was written over"
rm "$root/boot/initramfs-$other.img"

begin "undo: of a config that cannot be read, and of one that names nothing"
system 'bind 02:00\n'
act apply
chmod 666 "$root/etc/vfio-early.conf"
act undo
status_is 0
verified
has_plan "$kernel" && problem "a plan is still there"
chmod 644 "$root/etc/vfio-early.conf"
act apply
config '# none\n'
act undo
status_is 0
verified
[ "$(ls "$root/var/lib/vfio-early")" = facts ] || problem "an undo that lasts, of nothing"

begin "apply --dry-run, undo --dry-run: what would be done, and nothing is"
system 'bind 02:00\n'
snapshot "$work/before"
act apply --dry-run
status_is 0
out "+++ /etc/default/grub.d/vfio-early.cfg"
out "[1/2] $kernel: would be rebuilt:"
out "    there is no plan in it"
out "[2/2] $other: would be rebuilt:"
out "    there is none yet"
out "This was a dry run: nothing was changed."
calls_are <<-EOF
	cmdline apply --dry-run
EOF
snapshot "$work/have"
is "$work/before" <"$work/have"
act apply
act undo
: >"$root/double/calls"
snapshot "$work/before"
act apply -n
status_is 0
out "    there is no plan in it"
out_has "0000:02:00.0 10de:1187"
act undo -n
status_is 0
out "[1/2] $kernel: current"
snapshot "$work/have"
is "$work/before" <"$work/have"

begin "apply: the IOMMU is off in this boot: it does not say that the next one binds nothing"
system 'bind 02:00\n'
rm -r "$root/sys/class/iommu/dmar0"
act apply
status_is 0
out "blocks  IOMMU off in the kernel (firmware table DMAR)"
out "        fix: vfio-early apply, which adds kernel parameter intel_iommu=on unless cmdline is set, then reboot"
out "Done: with this boot's parameters the next one would bind 0, refuse 2. Reboot, then vfio-early status says what came of it."
run verify
status_is 0
out "The next boot with it and this boot's parameters binds 0, refuses 2."
act apply
out "No image had to be made: the next boot with this boot's parameters binds 0, refuses 2."

begin "apply: what is current is left alone, what is not is made"
system 'bind 02:00\n'
act apply
: >"$root/double/calls"
rm "$root/boot/initrd.img-$kernel"
act apply
status_is 0
out "[2/2] $other: current"
calls_are <<-EOF
	cmdline apply --no-refresh (later)
	update-initramfs -c -k $kernel
	cmdline refresh
EOF
touch -d '1 hour' "$root/etc/vfio-early.conf"
act apply --dry-run
out "    it is older than the config"
config 'bind 02:00\n# changed\n'
act apply --dry-run
out "    the plan in it was made from an older config"
config 'bind 02:00\n'
touch -d '1 hour ago' "$root/etc/vfio-early.conf"
config 'options vfio-pci disable_vga=1\n' modprobe.d/vfio.conf
act apply --dry-run
out "    its plan is not current"
verified

# --- what goes wrong

begin "apply: a wrong cmdline line is a wrong line, for check and status too"
system 'bind 02:00\n'
for line in 'auto quiet' 'intel_iommu=on"' -- "a'b" vfio_early=off root=/dev/sda; do
	config "bind 02:00\ncmdline $line\n"
	act apply
	status_is 3
	err_has "/etc/vfio-early.conf:2:"
	err "error: the config has 1 line that would be left out, see above; nothing was changed; fix: correct it, then vfio-early apply"
	run check
	status_is 1
	out_has "left out: /etc/vfio-early.conf:2:"
	run status
	status_is 1
	tr -s ' ' <"$work/out" | grep -q '^fail config left out: /etc/vfio-early.conf:2:' ||
		problem "status does not say so: $(cat "$work/out")"
done

begin "apply, check: more wrong lines than are kept are counted, each of them"
system 'bind 02:00\n'
for count in 32 33 100 300; do
	seq -f 'bnd %g' $count >"$root/etc/vfio-early.conf"
	act apply
	status_is 3
	err "error: the config has $count lines that would be left out, see above; nothing was changed; fix: correct them, then vfio-early apply"
	run check
	[ "$count" -eq 32 ] || out_has "left out: $((count - 31)) more; correct these first, then vfio-early plan names the next"
done

begin "apply: wrong lines of the config: nothing is begun"
system 'bind 02:00\nbind 0x1\nbend\n'
snapshot "$work/before"
act apply
status_is 3
err "error: the config has 2 lines that would be left out, see above; nothing was changed; fix: correct them, then vfio-early apply"
calls_are </dev/null
snapshot "$work/have"
is "$work/before" <"$work/have"

begin "apply: the command line cannot be changed: no image is made"
system 'bind 02:00\n'
echo 'fail apply' >"$root/double/cmdline"
act apply
status_is 1
err "error: the kernel command line could not be changed, see above, and nothing else was done; fix that, then vfio-early apply; or keep the parameters by hand, with cmdline none in /etc/vfio-early.conf"
calls_are <<-EOF
	cmdline apply --no-refresh (later)
EOF
rm "$root/usr/sbin/vfio-early-cmdline"
act apply
status_is 1
err "error: cannot run $root/usr/sbin/vfio-early-cmdline: No such file or directory"

begin "undo: the command line cannot be changed back: the images are made all the same"
system 'bind 02:00\n'
act apply
echo 'fail undo' >"$root/double/cmdline"
act undo
status_is 1
err "error: the kernel command line could not be changed back, see above; fix that, then vfio-early undo"
verified
has_plan "$kernel" && problem "a plan is still there"

begin "apply: the loader cannot be refreshed; a further apply does it"
system 'bind 02:00\n'
echo 'fail refresh' >"$root/double/cmdline"
act apply
status_is 1
err "error: the boot loader was not refreshed, see above: the next boot may be as it was before; fix that, then vfio-early apply"
out "vfio-early-cmdline: cannot"
# In one file, what stands above is above.
as_root "$command" apply --root "$root" >"$work/both" 2>&1
[ "$(tail -n 2 "$work/both")" = "vfio-early-cmdline: cannot
vfio-early: error: the boot loader was not refreshed, see above: the next boot may be as it was before; fix that, then vfio-early apply" ] ||
	problem "in one file: $(tail -n 3 "$work/both")"
rm "$root/double/cmdline"
: >"$root/double/calls"
act apply
status_is 0
calls_are <<-EOF
	cmdline apply --no-refresh (later)
	cmdline refresh
EOF
verified

begin "apply: an image without our binary: the old one is put back, the other kernel goes on"
system 'bind 02:00\n'
sum=$(sha256sum "$root/boot/initrd.img-$kernel")
mode "without $kernel"
act apply
status_is 1
err "error: the image of 1 of 2 kernels could not be made, see above; fix that, then vfio-early apply"
out "[1/2] $kernel: FAILED:"
out "    the new image: /usr/lib/vfio-early/vfio-early-bind is not in it"
out "    the old image is in its place"
out_has "[2/2] $other: made and verified"
[ "$sum" = "$(sha256sum "$root/boot/initrd.img-$kernel")" ] || problem "the image is not the old one"
nothing_beside
mode fine
act apply
status_is 0
verified

begin "apply: no image before, and a bad one now: there is none, as before"
system 'bind 02:00\n'
mode cut
act apply
status_is 1
out_has "    the new image: damaged: "
out "    there is none, as before"
[ ! -e "$root/boot/initrd.img-$other" ] || problem "the bad image is there"
nothing_beside

begin "apply: the builder fails, and what it said is shown"
system 'bind 02:00\n'
mode fail
sum=$(sha256sum "$root/boot/initrd.img-$kernel")
act apply
status_is 1
out "    initramfs-tools failed (exit status 1)"
out "    | cp: No space left on device"
[ "$sum" = "$(sha256sum "$root/boot/initrd.img-$kernel")" ] || problem "the image is not the old one"
nothing_beside

begin "apply: update_initramfs=no"
system 'bind 02:00\n'
mode off
act apply
status_is 1
out "    no new image was made; fix: update_initramfs=yes in /etc/initramfs-tools/update-initramfs.conf"
nothing_beside

begin "apply: no builder, no kernel, no modules of one"
system 'bind 02:00\n'
rm -r "$root/lib/modules/$other"
act apply
status_is 0
out "[2/2] $other: left as it is:"
out "    there is no /lib/modules/$other"
rm "$root/usr/sbin/update-initramfs"
act apply
status_is 1
err "error: neither initramfs-tools nor dracut makes the images of this host; fix: install one of them"
rm "$root"/boot/vmlinuz-*
act apply
status_is 1
err "error: no kernel in $root/boot: there is no image to make; fix: mount it, or install a kernel"
rm -r "$root/boot"
act apply
status_is 3
err "error: cannot open $root/boot: No such file or directory; fix: name the top of a machine's tree, with its boot"
: >"$root/boot"
act apply
err "error: cannot open $root/boot: Not a directory; fix: make it a folder, or a link to one"
rm "$root/boot"
ln -s boot "$root/boot"
act apply
err "error: cannot open $root/boot: Too many levels of symbolic links; fix: make it a folder, or a link to one"
rm "$root/boot"

begin "apply: a /boot that is not one's own"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	system 'bind 02:00\n'
	chmod -R go+rX "$work"
	chmod 700 "$root/boot"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$command" apply -n --root "$root" \
		>"$work/out" 2>"$work/err"
	status=$?
	if [ "$status" -eq 126 ]; then
		skip "the command cannot be run by others from here"
	else
		err "error: cannot open $root/boot: Permission denied; fix: run it as root"
	fi
else
	skip "not root"
fi

begin "apply: of virtual functions it says what check says"
system 'bind 02:00\nvfs 17:00.0 4\nbind vf:17:00.0\n'
act apply --dry-run
out_has "check: 2 functions to bind, 0 refused, makes 4 virtual functions and binds 4 of them; "

begin "apply: usage, and another one that is running"
system 'bind 02:00\n'
act apply now
status_is 2
err "error: apply takes no argument: now"
act undo --json
status_is 2
mkdir -p "$root/run/vfio-early"
echo 4711 >"$root/run/vfio-early/apply.lock"
# shellcheck disable=SC2016 # of another shell
flock "$root/run/vfio-early/apply.lock" sh -c '"$1" apply --root "$2"' sh "$command" "$root" \
	>"$work/out" 2>"$work/err"
status=$?
status_is 3
err "error: another vfio-early apply or undo is running (process 4711); fix: wait for its end"

begin "apply: a lock that any user can hold keeps nobody away"
system 'bind 02:00\n'
# shellcheck disable=SC2016 # of another shell
timeout 60 flock "$root/boot" flock "$root/etc" sh -c '"$1" apply --root "$2"' sh "$command" "$root" \
	>"$work/out" 2>"$work/err"
status=$?
status_is 0
[ ! -e "$root/run/vfio-early" ] || problem "the lock was left"

# --- dracut

# with_scripts: those that want to know of a new image, and run-parts, which writes down how it is called.
with_scripts() {
	mkdir -p "$root/etc/initramfs/post-update.d"
	# shellcheck disable=SC2016 # of another shell
	printf '#!/bin/sh\necho "run-parts $*" >>/double/calls\n[ ! -e /double/bad ]\n' \
		>"$root/usr/bin/run-parts"
	chmod 755 "$root/usr/bin/run-parts"
}

begin "apply: dracut, without update-initramfs: the scripts that it would have run are run"
system 'bind 02:00\n'
with_dracut
with_scripts
act apply
status_is 0
calls_are <<-EOF
	cmdline apply --no-refresh (later)
	dracut --force /boot/initrd.img-$kernel.vfio-early-new $kernel
	run-parts --arg=$kernel --arg=/boot/initrd.img-$kernel /etc/initramfs/post-update.d
	dracut --force /boot/initrd.img-$other.vfio-early-new $other
	run-parts --arg=$other --arg=/boot/initrd.img-$other /etc/initramfs/post-update.d
	cmdline refresh
EOF
verified
act apply
status_is 0
out "[1/2] $kernel: current"
mode "without $kernel"
config 'bind 01:00.1\n'
sum=$(sha256sum "$root/boot/initrd.img-$kernel")
act apply
status_is 1
out "    the new image: /usr/lib/vfio-early/vfio-early-bind is not in it"
[ "$sum" = "$(sha256sum "$root/boot/initrd.img-$kernel")" ] || problem "the image is not the old one"
nothing_beside

begin "apply: dracut, whose update-initramfs runs scripts afterwards"
system 'bind 02:00\n'
cp "$root/usr/sbin/update-initramfs" "$work/update-initramfs"
with_dracut
mv "$work/update-initramfs" "$root/usr/sbin/update-initramfs"
echo /usr/sbin/update-initramfs >"$root/var/lib/dpkg/info/dracut.list"
# Removed, not purged: its conffiles are still there.
echo /etc/kernel/postinst.d/initramfs-tools >"$root/var/lib/dpkg/info/initramfs-tools.list"
with_scripts
act apply
status_is 0
calls_are <<-EOF
	cmdline apply --no-refresh (later)
	dracut --force /boot/initrd.img-$kernel.vfio-early-new $kernel
	run-parts --arg=$kernel --arg=/boot/initrd.img-$kernel /etc/initramfs/post-update.d
	dracut --force /boot/initrd.img-$other.vfio-early-new $other
	run-parts --arg=$other --arg=/boot/initrd.img-$other /etc/initramfs/post-update.d
	cmdline refresh
EOF
verified
: >"$root/double/bad"
config 'bind 01:00.1\n'
act apply
status_is 1
out "    the new image is in its place, but a script of /etc/initramfs/post-update.d failed: it said nothing"
verified

begin "apply: both are installed: the one whose update-initramfs it is"
system 'bind 02:00\n'
printf '#!/bin/sh\nexit 1\n' >"$root/usr/bin/dracut"
chmod 755 "$root/usr/bin/dracut"
echo /etc/kernel/postinst.d/dracut >"$root/var/lib/dpkg/info/dracut.list"
act apply
status_is 0
calls_are <<-EOF
	cmdline apply --no-refresh (later)
	update-initramfs -u -k $kernel
	update-initramfs -c -k $other
	cmdline refresh
EOF

# --- with the real vfio-early-cmdline

begin "apply, undo: the real vfio-early-cmdline and GRUB, byte for byte as before"
for name in awk sed tr cut sort cmp diff sync stat sha256sum chmod env flock paste tail wc id uname \
	dirname basename readlink touch ls date chown chroot seq unshare xargs comm uniq mktemp; do
	[ -e "$work/system$(command -v $name)" ] || tool "$(command -v $name)"
done
system 'bind 02:00\n'
rm "$root/usr/sbin/vfio-early-cmdline"
cp "$top/scripts/vfio-early-cmdline" "$root/usr/sbin/"
cp -r "$top/scripts/cmdline" "$root/usr/lib/vfio-early/cmdline"
mkdir -p "$root/etc/default/grub.d"
echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' >"$root/etc/default/grub"
echo "root=/dev/sda1 ro quiet BOOT_IMAGE=/boot/vmlinuz-$kernel" >"$root/proc/cmdline"
printf 'vendor_id\t: GenuineIntel\nflags\t\t: vmx\n' >"$root/proc/cpuinfo"
# shellcheck disable=SC2016 # of another shell
cat >"$root/usr/sbin/update-grub" <<'EOF'
#!/bin/sh
echo update-grub >>/double/calls
. /etc/default/grub
for file in /etc/default/grub.d/*.cfg; do
	[ ! -e "$file" ] || . "$file"
done
for image in /boot/vmlinuz-*; do
	echo "menuentry 'Debian' --class debian \$menuentry_id_option 'gnulinux-${image##*/vmlinuz-}-advanced-0' {"
	echo "	linux $image root=/dev/sda1 ro $GRUB_CMDLINE_LINUX_DEFAULT"
	echo "}"
done >/boot/grub/grub.cfg
EOF
chmod 755 "$root/usr/sbin/update-grub"
as_root chroot "$root" /usr/sbin/update-grub
# Current already: it has the plan since the last upgrade of that kernel.
as_root chroot "$root" /usr/sbin/update-initramfs -c -k "$other" >"$work/out" 2>&1
: >"$root/double/calls"
snapshot "$work/first"
act apply --dry-run
status_is 0
snapshot "$work/have"
is "$work/first" <"$work/have"
act apply
status_is 0
grep -q 'quiet.*iommu=pt' "$root/boot/grub/grub.cfg" || problem "grub.cfg: $(cat "$root/boot/grub/grub.cfg")"
calls_are <<-EOF
	update-initramfs -u -k $kernel
	update-grub
EOF
verified
snapshot "$work/before"
act apply
status_is 0
snapshot "$work/have"
is "$work/before" <"$work/have"
out 'boot loader: no refresh needed: GRUB'
# What the same run does itself is nothing for the user to do.
as_root chroot "$root" /usr/sbin/vfio-early-cmdline undo --no-refresh >"$work/out" 2>&1
act apply
status_is 0
out 'boot loader: refreshed: GRUB'
no_out 'not refreshed'
# It stops before it refreshes: said, too.
echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet iommu=off"' >"$root/etc/default/grub"
act apply
status_is 1
out 'boot loader: not refreshed'
err_has '/etc/default/grub:1: iommu=off: turns the IOMMU off'
echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' >"$root/etc/default/grub"
act undo
status_is 0
out 'boot loader: refreshed: GRUB'
no_out 'not refreshed'
verified
snapshot "$work/have"
grep -v -e initrd -e 'var/lib/vfio-early' -e ' drwx' "$work/have" >"$work/left"
grep -v -e initrd -e ' drwx' "$work/first" | is "$work/left"
find "$root/var/lib/vfio-early" -type f ! -name facts >"$work/left"
echo "$root/var/lib/vfio-early/undone" | is "$work/left"

# --- interrupted

# old_or_new: each image is whole, and there where it was there before; then the job is finished.
old_or_new() {
	"$command" verify --json --root "$root" "$root/boot/initrd.img-$kernel" >"$work/verify" 2>&1
	grep -Eq '"state": "(good|wrong)"' "$work/verify" || problem "$1: $(cat "$work/verify")"
	case $(cat "$root/etc/vfio-early.conf") in
	'bind 02:00') ;;
	*) problem "$1: the config was changed" ;;
	esac
}

# finish_by VERB NAME: a further run comes to the end, and leaves what a single one would have left.
finish_by() {
	act "$1"
	[ "$status" -eq 0 ] || problem "$2: $1 ended with $status: $(cat "$work/err")"
	verified
	if has_plan "$kernel"; then
		[ "$1" = apply ] || problem "$2: a plan is there after undo"
	else
		[ "$1" = undo ] || problem "$2: no plan is there after apply"
	fi
}

for builder in initramfs-tools dracut; do
	for verb in apply undo; do
		# Dozens of runs, of code that the other tests go through as well.
		case $command in */asan/*) continue ;; esac
		begin "$verb: $builder: killed at each call that changes something"
		command -v strace >/dev/null || { skip "no strace"; continue; }
		system 'bind 02:00\n'
		[ $builder = initramfs-tools ] || with_dracut
		rm "$root/boot/vmlinuz-$other"
		[ $verb = apply ] || act apply
		rm -rf "$work/start"
		cp -a "$root" "$work/start"
		for call in linkat renameat unlinkat mkdirat fsync; do
			n=1
			while [ $n -lt 40 ]; do
				rm -rf "$root"
				cp -al "$work/start" "$root"
				as_root env ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$work/trace" \
					-e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
					"$command" "$verb" --root "$root" >"$work/out" 2>"$work/err"
				status=$?
				old_or_new "$call $n"
				[ $status -eq 137 ] || break
				if [ $((n % 2)) -eq 0 ]; then
					finish_by apply "$call $n"
				else
					finish_by undo "$call $n"
				fi
				n=$((n + 1))
			done
			[ $n -lt 40 ] || problem "$call: it never came to the end"
			[ "$status" -eq 0 ] || problem "$call: the last run ended with $status"
		done
	done
done

begin "apply: killed while the builder writes"
system 'bind 02:00\n'
for builder in initramfs-tools dracut; do
	[ $builder = initramfs-tools ] || with_dracut
	mode kill
	act apply
	[ "$status" -eq 137 ] || problem "$builder: not killed: $status"
	old_or_new "$builder"
	mode fine
	finish_by apply "$builder"
	finish_by undo "$builder"
done

begin "apply: what an interrupted run kept comes back when the image is damaged"
system 'bind 02:00\n'
mv "$root/boot/initrd.img-$kernel" "$root/boot/initrd.img-$kernel.vfio-early-old"
sum=$(sha256sum <"$root/boot/initrd.img-$kernel.vfio-early-old")
echo torn >"$root/boot/initrd.img-$kernel"
mode fail
act apply
status_is 1
[ "$sum" = "$(sha256sum <"$root/boot/initrd.img-$kernel")" ] || problem "the kept image did not come back"
nothing_beside

begin "apply: a /boot without links: the old image is kept by a copy"
if command -v strace >/dev/null; then
	system 'bind 02:00\n'
	mode "without $kernel"
	sum=$(sha256sum <"$root/boot/initrd.img-$kernel")
	as_root env ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$work/trace" -e trace=linkat \
		-e inject=linkat:error=EPERM "$command" apply --root "$root" >"$work/out" 2>"$work/err"
	status=$?
	status_is 1
	grep -q INJECTED "$work/trace" || problem "nothing was injected"
	out "    the old image is in its place"
	[ "$sum" = "$(sha256sum <"$root/boot/initrd.img-$kernel")" ] || problem "not the old image"
	nothing_beside
else
	skip "no strace"
fi

# act_with CALL:HOW [CALL:HOW] VERB: with calls that fail.
act_with() {
	inject=
	while [ $# -gt 1 ]; do
		inject="$inject -e inject=$1"
		shift
	done
	# shellcheck disable=SC2086 # options
	as_root env ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$work/trace" \
		-e trace=linkat,renameat,unlinkat,fsync $inject \
		"$command" "$1" --root "$root" >"$work/out" 2>"$work/err"
	status=$?
	grep -q INJECTED "$work/trace" || problem "nothing was injected"
}

begin "apply: the old image can neither be linked nor copied, or cannot be put back"
if command -v strace >/dev/null; then
	system 'bind 02:00\n'
	# The first two flush the mark of what has begun, the third the copy.
	act_with linkat:error=EPERM fsync:error=ENOSPC:when=3 apply
	status_is 0
	out "    the old image could not be kept: No space left on device"
	verified
	config 'bind 01:00.1\n'
	mode "without $kernel"
	act_with renameat:error=EIO apply
	status_is 1
	out "    the old image is /boot/initrd.img-$kernel.vfio-early-old, and cannot be put back: Input/output error"
	mode fine
	act_with unlinkat:error=EIO:when=2 apply
	status_is 1
	out "    cannot clear /boot/initrd.img-$kernel.vfio-early-old away: Input/output error"
	act apply
	status_is 0
	verified
	with_dracut
	config 'bind 02:00\n'
	act_with renameat:error=EIO apply
	status_is 1
	out "    the new image could not be put in its place: Input/output error"
	out "    the old image is in its place"
	nothing_beside_images
	act apply
	status_is 0
	verified
else
	skip "no strace"
fi

begin "apply, undo: nothing can be written down; a builder that cannot be run"
system 'bind 02:00\n'
rm -r "$root/var/lib/vfio-early"
: >"$root/var/lib/vfio-early"
act undo
status_is 3
err "error: cannot write /var/lib/vfio-early/unfinished: Not a directory"
calls_are </dev/null
act apply
status_is 1
err "error: cannot write /var/lib/vfio-early/unfinished: Not a directory"
out "    nothing was done: its start could not be recorded"
rm "$root/var/lib/vfio-early"
cp -R "$work/machine/var/lib/vfio-early" "$root/var/lib"
chmod 644 "$root/usr/sbin/update-initramfs"
act apply
status_is 1
out "    initramfs-tools could not be run: Permission denied"
chmod 755 "$work/system/usr/sbin/update-initramfs"

begin "apply: by root alone"
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null ||
	! setpriv --reuid 65534 --regid 65534 --clear-groups "$command" --version >"$work/out" 2>&1; then
	skip "the command cannot be run by another user"
else
	setpriv --reuid 65534 --regid 65534 --clear-groups "$command" apply >"$work/out" 2>"$work/err"
	status=$?
	status_is 3
	err "error: only root may change what this host boots; fix: run it as root"
fi

begin "apply: a /boot that is mounted read-only, and one that is full"
system 'bind 02:00\n'
sum=$(sha256sum <"$root/boot/initrd.img-$kernel")
if in_namespace "mount --bind '$root/boot' '$root/boot' && mount -o remount,bind,ro '$root/boot'" \
	2>"$work/err"; then
	in_namespace "mount --bind '$root/boot' '$root/boot' && mount -o remount,bind,ro '$root/boot' &&
		exec '$command' apply --root '$root'" >"$work/out" 2>"$work/err"
	status=$?
	status_is 1
	out "    /boot is mounted read-only; fix: mount it for writing"
	[ "$sum" = "$(sha256sum <"$root/boot/initrd.img-$kernel")" ] || problem "not the old image"
	cp -a "$root/boot" "$work/boot"
	size=$(du -sk "$work/boot" | cut -f1)
	in_namespace "mount -t tmpfs -o size=$((size + 12))k none '$root/boot' &&
		cp -a '$work/boot/.' '$root/boot' && '$command' apply --root '$root'
		code=\$?; sha256sum <'$root/boot/initrd.img-$kernel' >'$work/sum'; ls '$root/boot'; exit \$code" \
		>"$work/out" 2>"$work/err"
	status=$?
	status_is 1
	out_has "No space left on device"
	[ "$sum" = "$(cat "$work/sum")" ] || problem "not the old image"
	no_out vfio-early-old
	rm -rf "$work/boot"
else
	skip "no namespace"
fi
