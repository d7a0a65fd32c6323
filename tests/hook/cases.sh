# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/hook/run
# The cases of tests/hook/run, which has the words they are written in.

# --- the whole

begin "no config: a plan that does nothing"
plan
status_is 0
no_err
digest=$(printf '' | sha256sum | cut -d' ' -f1)
out_is <<-EOF
	kernel $kernel
	config sha256:$digest
	deadline 20
	boot-vga bind
	group warn
	failure release
	module $m/vfio
	module $m/vfio_iommu_type1
	module $m/irqbypass
	module $m/vfio-pci-core
	module $m/vfio-pci
EOF

begin "settings, selectors and order of a plan"
function_ 0000:01:00.0 10DE:1187 30000
function_ 0000:01:00.1 10DE:0E0A 40300
config 'bind 10DE:1187 01:00.1=10de:0E0A\nbind! 10de:0e0a:1af4:1100\nbind class:04 class:0403 class:040300\nexcept 00:02.0 class:0C03\nboot-vga keep\ngroup claim\nfailure hold\ndeadline 7 # s\ncmdline none\n'
plan
status_is 0
no_err
sed -i '/^config/d' "$work/out"
out_is <<-EOF
	kernel $kernel
	deadline 7
	boot-vga keep
	group claim
	failure hold
	module $m/vfio
	module $m/vfio_iommu_type1
	module $m/irqbypass
	module $m/vfio-pci-core
	module $m/vfio-pci
	except 0000:00:02.0
	except class:0c03
	bind 10de:1187
	bind 0000:01:00.1=10de:0e0a@0000:01:00.1
	bind! 10de:0e0a:1af4:1100
	bind class:04
	bind class:0403
	bind class:040300
EOF

begin "set lines: pinned to ID and path, each in a line of its own; one that meets nothing is said and kept"
function_ 0000:01:00.0 10DE:1187 30000
config 'bind 01:00\nset 01:00 d3cold=off\nset 01:00.0 reset=flr,bus power=on\nset 10de:1187 reset=default\nset 00:05.0 power=auto\n'
plan
status_is 0
err_has "/etc/vfio-early.conf:5: set 00:05.0 matches nothing today"
grep '^set' "$work/out" >"$work/sets"
mv "$work/sets" "$work/out"
out_is <<-EOF
	set 0000:01:00=10de:1187@0000:01:00 d3cold=off
	set 0000:01:00.0=10de:1187@0000:01:00.0 reset=flr,bus power=on
	set 10de:1187 reset=default
	set 0000:00:05.0 power=auto
EOF

# --- the config

begin "wrong lines: FILE:LINE:COLUMN, the rest is written"
function_ 0000:01:00.0 10DE:1187 30000
config 'bind 0x10de:1187\n\tbind 10de:1187 class:3\nfrobnicate\nbind 10de:1187\nkernel 1\ngroup maybe\n'
plan
status_is 1
err "/etc/vfio-early.conf:1:6: error: write IDs and addresses without 0x"
err "    bind 0x10de:1187"
err "         ^"
err_has "/etc/vfio-early.conf:2:23: error: a class has 2, 4 or 6 hex digits"
err "$(printf '    \tbind 10de:1187 class:3')"
err "$(printf '    \t                     ^')"
err_has "/etc/vfio-early.conf:3:1: error: unknown keyword"
err_has "/etc/vfio-early.conf:5:1: error: this keyword is written into the plan by vfio-early"
err_has "/etc/vfio-early.conf:6:7: error: write group warn, group claim or group refuse"
out "lost /etc/vfio-early.conf:1:6: write IDs and addresses without 0x"
out "lost /etc/vfio-early.conf:6:7: write group warn, group claim or group refuse"
out "bind 10de:1187"
out "module $m/vfio-pci"

begin "control characters of a wrong line do not reach the terminal"
config 'bind \033[31m\001\n'
plan
status_is 1
err "    bind ?[31m?"

begin "a NUL byte in the config"
config 'bind 10de:1187\nbi\0nd x\n'
plan
status_is 1
err_has "/etc/vfio-early.conf:2:3: error: a NUL byte"

begin "more wrong lines than are kept"
i=0
while [ $i -lt 40 ]; do
	echo "wrong $i"
	i=$((i + 1))
done >"$root/etc/vfio-early.conf"
plan
status_is 1
err "/etc/vfio-early.conf: 8 further wrong lines"
out "lost 9 more; correct these first, then vfio-early plan names the next"
[ "$(grep -c '^lost ' "$work/out")" -eq 32 ] || problem "not 32 lost lines"

begin "conf.d: byte order, later settings win, other names are left alone"
config 'deadline 1\nbind 1111:1111\n'
config 'deadline 2\nbind 2222:2222\n' vfio-early.conf.d/B.conf
config 'deadline 3\nbind 3333:3333\n' vfio-early.conf.d/a.conf
config 'wrong\n' vfio-early.conf.d/a.conf.dpkg-old
config 'wrong\n' vfio-early.conf.d/.hidden.conf
config 'wrong\n' vfio-early.conf.d/.conf
plan
status_is 0
out "deadline 3"
[ "$(grep ^bind "$work/out" | tr '\n' ,)" = "bind 1111:1111,bind 2222:2222,bind 3333:3333," ] ||
	problem "wrong order of files"

begin "conf.d: an error names its own file"
config '# nothing\n'
config '\n\nbind x\n' vfio-early.conf.d/a.conf
plan
status_is 1
err_has "/etc/vfio-early.conf.d/a.conf:3:6: error:"

begin "the digest changes with a file's name and contents, and with nothing else"
config '# one\n'
plan
one=$(grep ^config "$work/out")
plan
[ "$(grep ^config "$work/out")" = "$one" ] || problem "not the same twice"
config '# two\n'
plan
two=$(grep ^config "$work/out")
[ "$two" != "$one" ] || problem "the same for other contents"
mkdir "$root/etc/vfio-early.conf.d"
mv "$root/etc/vfio-early.conf" "$root/etc/vfio-early.conf.d/a.conf"
plan
[ "$(grep ^config "$work/out")" != "$two" ] || problem "the same for another name"

begin "a config that others may write is refused"
config 'bind 10de:1187\n'
chmod 664 "$root/etc/vfio-early.conf"
plan
status_is 3
nothing_written
err "vfio-early: error: /etc/vfio-early.conf can be written by others than root (mode 0664), so it is not read; fix: chmod go-w /etc/vfio-early.conf"

begin "a conf.d that others may write is refused"
config 'bind 10de:1187\n' vfio-early.conf.d/a.conf
chmod 777 "$root/etc/vfio-early.conf.d"
plan
status_is 3
nothing_written
err_has "/etc/vfio-early.conf.d can be written by others than root (mode 0777)"

begin "a config of another user is refused"
config 'bind 10de:1187\n'
if [ "$(id -u)" -eq 0 ]; then
	chown 12345 "$root/etc/vfio-early.conf"
	plan
	status_is 3
	nothing_written
	err "vfio-early: error: /etc/vfio-early.conf belongs to uid 12345, not to root, so it is not read; fix: chown root:root /etc/vfio-early.conf"
else
	skip "not root"
fi

begin "a config that is no file is refused"
mkfifo "$root/etc/vfio-early.conf"
plan
status_is 3
nothing_written
err "vfio-early: error: /etc/vfio-early.conf is not a regular file; fix: move it away"

begin "a config that leads nowhere is refused"
mkdir "$root/etc/vfio-early.conf.d"
ln -s nowhere "$root/etc/vfio-early.conf.d/a.conf"
plan
status_is 3
nothing_written
err "vfio-early: error: /etc/vfio-early.conf.d/a.conf leads nowhere; fix: mount what it leads to, or remove it"

begin "a config that is too large is refused"
head -c 1048577 /dev/zero | tr '\0' '#' >"$root/etc/vfio-early.conf"
plan
status_is 3
nothing_written
err "vfio-early: error: /etc/vfio-early.conf is larger than 1 MiB; fix: split it up"

begin "a plan that would be too large is refused"
i=0
while [ $i -lt 256 ]; do
	path=00:01.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0
	echo "bind $path=10de:1187"
	[ $i -ge 128 ] || echo "except $path=10de:1187"
	i=$((i + 1))
done >"$root/etc/vfio-early.conf"
i=0
while [ $i -lt 32 ]; do
	# A long line of options, so that 256 KiB are reached within all other bounds.
	printf 'options vfio %s=%08000d\n' "o$i" 0
	i=$((i + 1))
done >"$root/etc/modprobe.d/long.conf"
plan
status_is 3
nothing_written
err_has "the plan would be larger than 256 KiB"

# many COUNT: a host that needs that many network functions, each behind a port of its own. As function_ makes
# them; one awk writes an archive that one cpio unpacks, as a process for each folder took most of the suite.
many() {
	LC_ALL=C awk -v count="$1" '
	function pad(n) { for (n = n % 4; n && n < 4; n++) printf "%c", 0 }
	function entry(path, mode, text) {
		printf "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s%c", ++inode, mode, 0, 0, 1, 0,
			length(text), 0, 0, 0, 0, length(path) + 1, 0, path, 0
		pad(110 + length(path) + 1)
		printf "%s", text
		pad(length(text))
	}
	function pci(addr, id, class, folder) {
		entry(folder "/uevent", 33188, "DRIVER=none\nPCI_CLASS=" class "\nPCI_ID=" id \
			"\nPCI_SUBSYS_ID=1AF4:1100\nPCI_SLOT_NAME=" addr "\n")
		entry("sys/bus/pci/devices/" addr, 41471, "../../../" substr(folder, 5))
	}
	BEGIN {
		for (i = 0; i < count; i++) {
			card = sprintf("%04x:%02x:00.0", int(i / 200), i % 200)
			port = sprintf("%04x:ff:%02x.%x", int(i / 200), int(i % 200 / 8), i % 8)
			folder = "sys/devices/pci0000:00/" port
			pci(port, "8086:a340", "60400", folder)
			folder = folder "/" card
			pci(card, "8086:1572", "20000", folder)
			entry(folder "/net/eth" i "/device", 41471, "../..")
			entry("sys/class/net/eth" i, 41471, "../../" substr(folder, 5) "/net/eth" i)
		}
		entry("TRAILER!!!", 0, "")
	}' | (cd "$root" && cpio -id --quiet --no-absolute-filenames)
	config 'bind 8086:1572\n'
}

begin "a host that needs very many devices: all of them, with their ports"
many 300
plan
status_is 0
[ "$(grep -c '^protect ' "$work/out")" -eq 600 ] || problem "not 600 protect lines"

begin "more than a plan may have: the ports, which no boot binds, are left out"
many 600
plan
status_is 0
[ "$(grep -c '^protect .*=8086:1572@' "$work/out")" -eq 600 ] || problem "not every card is protected"
[ "$(grep -c '^protect .*=8086:a340@' "$work/out")" -eq 0 ] || problem "the ports are there"

begin "more cards than a plan can name: those that a line names come first, by ID none is taken"
many 1100
config 'bind 8086:1572\nbind 0005:63:00.0\n'
plan
status_is 1
[ "$(grep -c '^protect .*=8086:1572@' "$work/out")" -eq 1024 ] || problem "not 1,024 cards are protected"
grep -q '^protect 0005:63:00.0=' "$work/out" || problem "what a line names has no protect line"
out "facts unknown"
out "bind 8086:1572"
out "bind 0005:63:00.0=8086:1572"
out "# facts-too-many: this host needs 76 more devices than the 1024 that a plan can name"
err_has "this host needs 76 more devices than the 1024 that a plan can name; storage, network and USB controllers are bound only by a line with ID and path"
config 'bind 10de:1187\n'
"$command" list -a --root "$root" -n --raw -o ADDRESS,NEEDED >"$work/out" 2>"$work/err"
[ "$(grep -c ':00\.0 may' "$work/out")" -eq 1100 ] || problem "list does not show 1,100 needed cards"

begin "more cards than a plan can name: add, too, says that a line with a path is what can be done"
many 1100
function_ 0000:00:1f.7 8086:A36D C0330
config 'bind 0005:63:00.0\n'
"$command" add -n --root "$root" 00:1f.7 >"$work/out" 2>"$work/err"
err_has "0000:00:1f.7 cannot be bound yet: it is not known what this host needs; write \"bind! 0000:00:1f.7\" into /etc/vfio-early.conf, if this host does not need it"

begin "more than a plan can name of a class that facts unknown does not hold back: the lines are left out"
many 1100
sed -i 's/^PCI_CLASS=20000/PCI_CLASS=120000/' "$root"/sys/devices/pci0000:00/*/*/uevent
config 'bind 8086:1572\nbind 10de:1187\n'
plan
status_is 1
[ "$(grep -c '^bind 8086:1572' "$work/out")" -eq 0 ] || problem "the line is there"
out "bind 10de:1187"
grep -q '^lost /etc/vfio-early.conf:1: 8086:1572 names 0005:.*, which this host needs$' "$work/out" ||
	problem "no lost line"
err_has "which this host needs; the line is left out"

# --- facts unknown

# in_chroot: the first process has another root.
in_chroot() {
	mkdir -p "$root/proc/1"
	echo '25 1 0:21 / / rw shared:1 - ext4 /dev/sda1 rw' >"$root/proc/1/mountinfo"
}

facts=var/lib/vfio-early/facts

# known_host: an NVMe is under /, and an image has been made: its facts are kept.
known_host() {
	function_ 0000:02:00.0 144D:A808 10802
	dir=$root/sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1
	mkdir -p "$dir" "$root/sys/class/dmi/id" "$root/run/udev/data"
	ln -s ../../devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1 "$root/sys/dev/block/259:0"
	echo '25 1 259:0 / / rw shared:1 - ext2 /dev/nvme0n1 rw' >"$root/proc/self/mountinfo"
	echo 'E:ID_FS_UUID=aaaa' >"$root/run/udev/data/b259:0"
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	echo 4c4c4544-0042-3510-8052-b9c04f4d3132 >"$root/sys/class/dmi/id/product_uuid"
	echo '/dev/disk/by-label/root / ext2 defaults 0 1' >"$root/etc/fstab"
	config 'bind 144d:a808 10de:1187\n'
	plan --output "$work/plan"
	status_is 0
}

# hands_off WHY: the plan binds no storage, network or USB controller for an ID, and says so.
hands_off() {
	status_is 1
	out "facts unknown"
	grep -q "^# facts-unknown: .*$1" "$work/out" || problem "the plan does not say why: $1"
	err_has "$1"
	err_has "; storage, network and USB controllers are bound only by a line with ID and path, or by bind!; fix: on the running host, not in a chroot or a container: vfio-early apply"
	[ "$(grep -c '^protect' "$work/out")" -eq 0 ] || problem "a protect line without facts"
}

recalled="protect 0000:02:00.0=144d:a808@0000:02:00.0 holds /"

begin "a chroot: facts unknown, in the plan and on standard error"
config 'bind 144d:a808\n'
in_chroot
plan
hands_off "this runs in a chroot: its facts are not the running host's, and this host has not kept what it needs in /$facts"

begin "no /sys, no /proc: facts unknown"
config 'bind 144d:a808\n'
rm -r "$root/proc" "$root/sys"
plan
hands_off "/proc is not mounted"

begin "facts unknown: nothing is added to a line that would make it look as if this host were known"
function_ 0000:02:00.0 144D:A808 10802
function_ 0000:00:01.0 8086:1901 60400
function_ 0000:03:00.0 144D:A808 10802 0000:00:01.0
in_chroot
config 'bind 02:00.0 02:00.0=144d:a808 02:00.0=144d:a808@02:00.0 00:01.0/00.0 00:01.0/00.0=144d:a808\n'
plan
status_is 1
out "bind 0000:02:00.0=144d:a808"
out "bind 0000:02:00.0=144d:a808@0000:02:00.0"
out "bind 0000:00:01.0/00.0"
out "bind 0000:00:01.0/00.0=144d:a808"
[ "$(grep -c '^bind' "$work/out")" -eq 5 ] || problem "not five lines"
[ "$(grep -c '@' "$work/out")" -eq 1 ] || problem "a path was added"

begin "nothing to bind needs no facts"
in_chroot
plan
status_is 0
no_err

begin "a chroot of this host: its last facts"
known_host
in_chroot
plan
status_is 0
out "$recalled"
[ "$(grep -c 'facts unknown' "$work/out")" -eq 0 ] || problem "they are known"
[ "$(stat -c %a "$root/${facts%/*}" "$root/$facts" | tr '\n' ' ')" = '755 644 ' ] || problem "modes"
! grep -q 4c4c4544 "$root/$facts" || problem "what only root may see can be read"

begin "its last facts also where nothing but the machine-id can be read"
known_host
rm -r "$root/sys" "$root/proc" "$root/run" "$root/etc/fstab"
plan
status_is 0
out "$recalled"

for other in etc/machine-id sys/class/dmi/id/product_uuid etc/fstab run/udev/data/b259:0; do
	begin "the facts of another host are not used: $other"
	known_host
	in_chroot
	case $other in
	*fstab) echo 'UUID=bbbb / ext2 defaults 0 1' ;;
	run/*) echo 'E:ID_FS_UUID=bbbb' ;;
	*) echo 4c4c4544-0042-3510-8052-b9c04f4d3133 ;;
	esac >"$root/$other"
	plan
	hands_off "and /$facts is of another host"
done

# on_other_controller: the file system of / was copied, UUID and all, to a disk of the same model in
# another slot, which is where it is mounted from now.
on_other_controller() {
	function_ 0000:03:00.0 144D:A808 10802
	dir=$root/sys/devices/pci0000:00/0000:03:00.0/nvme/nvme1/nvme1n1
	mkdir -p "$dir"
	ln -s ../../devices/pci0000:00/0000:03:00.0/nvme/nvme1/nvme1n1 "$root/sys/dev/block/259:1"
	echo '25 1 259:1 / / rw shared:1 - ext2 /dev/nvme1n1 rw' >"$root/proc/self/mountinfo"
	echo 'E:ID_FS_UUID=aaaa' >"$root/run/udev/data/b259:1"
}

begin "the facts of before / was copied to another controller are not used: its own is not among them"
known_host
on_other_controller
in_chroot
plan
hands_off "and / lies on 0000:03:00.0 now, which is not in /$facts"

begin "/ copied to another controller, on the running host: today's facts, which are kept"
known_host
on_other_controller
plan --output "$work/plan"
in_chroot
plan
status_is 0
out "protect 0000:03:00.0=144d:a808@0000:03:00.0 holds /"

for id in '' uninitialized; do
	begin "a template without a machine-id (${id:-empty}) has no facts, and keeps none"
	known_host
	echo "$id" >"$root/etc/machine-id"
	cp "$root/proc/self/mountinfo" "$work/mountinfo"
	in_chroot
	plan
	hands_off "and /$facts is of another host"
	rm -r "$root/proc/1" "$root/var"
	plan --output "$work/plan"
	status_is 0
	[ ! -e "$root/$facts" ] || problem "facts of nobody"
done

# damaged NAME WHY COMMAND: COMMAND changes the facts, and they are not used.
damaged() {
	begin "facts that are $1 are not used"
	known_host
	in_chroot
	(cd "$root/${facts%/*}" && sh -c "$3") || problem "$3"
	plan
	hands_off "and /$facts $2"
}

damaged "cut off" "is damaged" "head -n -1 facts >f && mv f facts"
damaged "cut off within a line" "is damaged" "truncate -s 100 facts"
damaged "empty" "is damaged" ": >facts"
damaged "changed by a bit" "is damaged" "sed -i s/0000:02:00.0=/0000:03:00.0=/ facts"
damaged "of a newer version" "is of a newer version" "sed -i '1s/1$/2/' facts"
damaged "written by others" "is not root's alone to write" "chmod g+w facts"
damaged "a folder" "cannot be read" "rm facts && mkdir facts"

begin "facts of a version that knew no paths, and of a device without one"
known_host
sed -i -e 's/@[^ ]*//' -e '$d' "$root/$facts"
printf 'sha256 %s\n' "$(sha256sum <"$root/$facts" | cut -c 1-64)" >>"$root/$facts"
in_chroot
plan
status_is 0
out "protect 0000:02:00.0=144d:a808 holds /"

begin "only a plan that is written to a file keeps facts; only with something to bind; only what is known"
known_host
rm -r "$root/var"
plan
[ ! -e "$root/var" ] || problem "kept for standard output"
config '# nothing\n'
plan --output "$work/plan"
[ ! -e "$root/var" ] || problem "kept for nothing"
config 'bind 144d:a808\n'
in_chroot
plan --output "$work/plan"
[ ! -e "$root/var" ] || problem "kept what is not known"

begin "facts that have not changed are not written again; those that have are"
known_host
before=$(stat -c %i "$root/$facts")
plan --output "$work/plan"
[ "$(stat -c %i "$root/$facts")" = "$before" ] || problem "written again"
echo 'UUID=bbbb / ext2 defaults 0 1' >"$root/etc/fstab"
plan --output "$work/plan"
grep -q '^root UUID=bbbb$' "$root/$facts" || problem "not written"
[ "$(ls -A "$root/${facts%/*}")" = facts ] || problem "something is beside it"

begin "facts that cannot be kept: said, and the plan is written all the same"
known_host
rm -r "$root/var"
: >"$root/var"
plan --output "$work/plan"
status_is 0
err_has "what this host needs cannot be kept for an image that is made in a chroot: Not a directory"
[ -s "$work/plan" ] || problem "no plan"

# --- modules

begin "options: from modprobe.d, ids= dropped, quotes kept"
config 'bind 10de:1187\n'
printf 'options vfio-pci ids=10de:1187,10de:0e0a disable_vga=1\noptions vfio_pci  x="a b" \n' \
	>"$root/etc/modprobe.d/a.conf"
echo 'options vfio_iommu_type1 allow_unsafe_interrupts=1' >"$root/etc/modprobe.d/b.conf"
plan
status_is 0
out "module $m/vfio-pci disable_vga=1 x=\"a b\""
out "module $m/vfio_iommu_type1 allow_unsafe_interrupts=1"
out "# module: vfio_pci: ids= of modprobe.d left out: it would take every twin; the bind lines replace it"

begin "options: all folders of modprobe.d"
for dir in run usr/local/lib usr/lib lib; do
	mkdir -p "$root/$dir/modprobe.d"
	echo "options vfio-pci from_$(basename "$(dirname "$root/$dir/x")")_${#dir}=1" \
		>"$root/$dir/modprobe.d/${#dir}.conf"
done
plan
status_is 0
for n in 3 13 7; do
	grep -q "^module $m/vfio-pci .*_$n=1" "$work/out" || problem "no option of $n"
done

begin "options: never those of the running command line"
echo 'options vfio-pci disable_vga=1' >"$root/etc/modprobe.d/a.conf"
echo 'vfio-pci.ids=10de:1187 vfio-pci.disable_idle_d3=1 modprobe.blacklist=vfio' >"$work/cmdline"
# shellcheck disable=SC2016 # the inner shell's
if unshare -rm sh -c 'mount --bind "$1" /proc/cmdline' sh "$work/cmdline" 2>/dev/null; then
	# shellcheck disable=SC2016 # the inner shell's
	unshare -rm sh -c 'mount --bind "$1" /proc/cmdline && shift && exec "$@"' sh \
		"$work/cmdline" "$command" plan --kernel "$kernel" --root "$root" \
		>"$work/out" 2>"$work/err"
	status=$?
	status_is 0
	out "module $m/vfio-pci disable_vga=1"
	no_out disable_idle_d3
	no_out blacklist
	no_out "# vfio_pci: ids="
else
	skip "no mount namespace"
fi

begin "a blacklist line does not stop us, and is mentioned"
echo 'blacklist vfio-pci' >"$root/etc/modprobe.d/a.conf"
plan
status_is 0
out "module $m/vfio-pci"
out "# module: vfio_pci: the blacklist line of modprobe.d does not stop us: it is about aliases"

begin "options: ids= is dropped in every spelling"
config 'bind 10de:1187\n'
for line in '"ids=10de:1187"' 'ids="10de:1187, 10de:0e0a"' 'ids= disable_idle_d3=1' 'ids disable_idle_d3=1' \
	'"disable_idle_d3=1" ids="1:2' '\
 ids=1:2'; do
	printf 'options vfio-pci %s\n' "$line" >"$root/etc/modprobe.d/a.conf"
	plan
	status_is 0
	case $line in
	'ids= '* | 'ids '*) no_out "would take every twin" ;; # it takes nothing
	*) out "# module: vfio_pci: ids= of modprobe.d left out: it would take every twin; the bind lines replace it" ;;
	esac
	! grep -q '^module.*vfio-pci .*ids' "$work/out" || problem "ids= is passed: $line"
done

begin "options: what the module would not load for is left out, and said"
config 'bind 10de:1187\n'
printf '# x\noptions vfio-pci disable_vga=maybe text number=12x disable-idle-d3\n' >"$root/etc/modprobe.d/a.conf"
echo 'options vfio-pci list=1,2,70000 octet=256 other text=a' >"$root/etc/modprobe.d/b.conf"
plan
status_is 0
out "module $m/vfio-pci disable-idle-d3 other text=a"
out "# module: vfio_pci: \`disable_vga=maybe\` is left out: vfio_pci would not load with it, because the type of disable_vga is bool (/etc/modprobe.d/a.conf:2)"
for word in text number=12x list=1,2,70000 octet=256; do
	err_has "vfio-early: warning: vfio_pci: \`$word\` is left out: "
done
err_has "the type of list is array of ushort (/etc/modprobe.d/b.conf:1)"

begin "an install command is left out: the module itself is planned"
config 'bind 10de:1187\n'
printf '# x\ninstall vfio-pci /bin/true\noptions vfio-pci disable_vga=1\n' >"$root/etc/modprobe.d/a.conf"
plan
status_is 0
out "module $m/vfio-pci disable_vga=1"
out "# module: vfio_pci: \`install vfio_pci /bin/true\` is left out: the plan loads the module itself (/etc/modprobe.d/a.conf:2)"
err_has "warning: vfio_pci: \`install vfio_pci /bin/true\` is left out"

begin "a FIFO in modprobe.d is left out at once; a file masked by /dev/null stays so"
config 'bind 10de:1187\n'
mkdir -p "$root/etc/modprobe.d" "$root/lib/modprobe.d"
mkfifo "$root/etc/modprobe.d/fifo.conf"
ln -s /dev/null "$root/etc/modprobe.d/mask.conf"
echo 'options vfio-pci nointxmask=1' >"$root/lib/modprobe.d/mask.conf"
echo 'options vfio-pci disable_vga=1' >"$root/lib/modprobe.d/own.conf"
plan
status_is 1
err "vfio-early: error: /etc/modprobe.d/fifo.conf is not a regular file; fix: move it away"
out "lost modules: /etc/modprobe.d/fifo.conf is not a regular file"
out "module $m/vfio-pci disable_vga=1"

begin "an install command of a dependency is left out"
echo 'install irqbypass /bin/false' >"$root/etc/modprobe.d/a.conf"
plan
status_is 0
out "module $m/irqbypass"
err_has "irqbypass: \`install irqbypass /bin/false\` is left out"

begin "a softdep of modprobe.d brings what is vfio's, nothing else"
for name in many1 many2; do
	cp "$work/modules/$name.ko" "$root/lib/modules/$kernel/kernel/"
done
for i in 3 4; do
	cp "$work/modules/many$i.ko" "$root/lib/modules/$kernel/kernel/vfio-many$i.ko"
done
index
printf '# x\nsoftdep vfio-pci pre: many1 vfio-many3 post: many2\n' >"$root/etc/modprobe.d/a.conf"
printf 'install many1 /bin/true\nsoftdep many1 pre: vfio-many4\n' >"$root/etc/modprobe.d/b.conf"
plan
status_is 0
[ "$(grep ^module "$work/out" | tail -n 2 | tr '\n' ,)" = "module $m/vfio-many3,module $m/vfio-pci," ] ||
	problem "vfio-many3 is not before vfio-pci"
no_out "module $m/many"
no_out "install many1"
no_out many4
out "# module: vfio_pci: the softdep of vfio_pci on many1 is left out: only what is part of vfio is loaded with it (/etc/modprobe.d/a.conf:2)"
err_has "the softdep of vfio_pci on many2 is left out"

begin "more modules than a plan may have"
i=0
while [ $i -lt 40 ]; do
	cp "$work/modules/many$i.ko" "$root/lib/modules/$kernel/kernel/vfio-many$i.ko"
	i=$((i + 1))
done
index
echo "softdep vfio-pci post:$(i=0; while [ $i -lt 40 ]; do printf ' vfio-many%d' $i; i=$((i + 1)); done)" \
	>"$root/etc/modprobe.d/a.conf"
plan
status_is 1
err_has "vfio-pci needs more than 32 modules; vfio_many27 is left out; fix: remove softdep lines"

begin "built-in modules are left out"
built_in vfio vfio_iommu_type1 irqbypass vfio-pci-core vfio-pci
plan
status_is 0
no_err
no_out "module /"
out "# module: vfio_pci: built into this kernel"
out "# module: vfio_iommu_type1: built into this kernel"

begin "vfio-pci built in, vfio_iommu_type1 a module"
built_in vfio irqbypass vfio-pci-core vfio-pci
plan
status_is 0
out "# module: vfio_pci: built into this kernel"
out "module $m/vfio_iommu_type1"

begin "modules.builtin.bin is missing"
rm "$root/lib/modules/$kernel/modules.builtin.bin"
plan
status_is 0
err_has "modules.builtin.bin is missing: built-in modules cannot be told from missing ones; fix: run depmod for this kernel"
out "# module: modules.builtin.bin is missing: what is built in cannot be told"
out "module $m/vfio-pci"

begin "modules.dep.bin is missing"
config 'bind 10de:1187\n'
rm "$root/lib/modules/$kernel/modules.dep.bin"
plan
status_is 1
err_has "modules.dep.bin is missing; fix: run depmod for this kernel, then update the image"
out "bind 10de:1187"

begin "a kernel without vfio-pci"
config 'bind 10de:1187\n'
rm "$root/lib/modules/$kernel/kernel/vfio-pci.ko"
index
plan
status_is 1
err "vfio-early: error: kernel $kernel has no module vfio_pci; fix: install this kernel's modules, run depmod, then update the image"
out "lost modules: kernel $kernel has no module vfio_pci"
out "bind 10de:1187"

begin "a module file that is gone"
rm "$root/lib/modules/$kernel/kernel/irqbypass.ko"
plan
status_is 1
err "vfio-early: error: $m/irqbypass.ko is not there, although modules.dep.bin names it; fix: install this kernel's modules, run depmod, then update the image"
out "lost modules: $m/irqbypass.ko is not there, although modules.dep.bin names it"

begin "compressed modules: the path has no suffix"
xz "$root/lib/modules/$kernel/kernel"/*.ko 2>/dev/null
if index 2>/dev/null && grep -q 'vfio-pci.ko.xz: .*irqbypass' "$root/lib/modules/$kernel/modules.dep"
then
	plan
	status_is 0
	out "module $m/vfio-pci"
else
	skip "depmod or xz cannot do it"
fi

# --- pins

begin "an address, a slot and a path are pinned to today's ID"
function_ 0000:00:01.0 8086:0C01 60400
function_ 0000:01:00.0 10DE:1187 30000 0000:00:01.0
function_ 0000:01:00.1 10DE:0E0A 40300 0000:00:01.0
config 'bind 01:00.1\nbind 01:00\nbind 00:01.0/00.0 00:01.0/00\n'
plan
status_is 0
no_err
out "bind 0000:01:00.1=10de:0e0a@0000:00:01.0/00.1"
out "bind 0000:01:00=10de:1187@0000:00:01.0/00"
out "bind 0000:00:01.0/00.0=10de:1187"
out "bind 0000:00:01.0/00=10de:1187"

begin "an address with another ID today keeps the one that was written"
function_ 0000:01:00.0 10DE:1187 30000
config 'bind 01:00.0=10de:9999\n'
plan
status_is 0
out "bind 0000:01:00.0=10de:9999"
err "vfio-early: warning: /etc/vfio-early.conf:1: 01:00.0=10de:9999 matches nothing today: the ID there is 10de:1187"

begin "what is not there today is not pinned, and said"
function_ 0000:00:01.0 8086:0C01 60400
config '# one\nbind 05:00.0 06:00\nbind 00:01.0/1f.0\nbind 07:00.0=10de:1187\nbind 10de:1187 class:02\n'
plan
status_is 0
out "bind 0000:05:00.0"
out "bind 0000:06:00"
out "bind 0000:00:01.0/1f.0"
out "bind 0000:07:00.0=10de:1187"
err "vfio-early: warning: /etc/vfio-early.conf:2: 05:00.0 matches nothing today, so it is not pinned to an ID"
err "vfio-early: warning: /etc/vfio-early.conf:2: 06:00 matches nothing today, so it is not pinned to an ID"
err "vfio-early: warning: /etc/vfio-early.conf:3: 00:01.0/1f.0 leads nowhere today, so it is not pinned to an ID"
err "vfio-early: warning: /etc/vfio-early.conf:4: 07:00.0=10de:1187 matches nothing today"
err "vfio-early: warning: /etc/vfio-early.conf:5: 10de:1187 matches nothing today"
err "vfio-early: warning: /etc/vfio-early.conf:5: class:02 matches nothing today"

begin "an address that was pinned at boot stays pinned to that ID"
function_ 0000:01:00.0 8086:1572 20000
mkdir -p "$root/run/vfio-early"
printf 'bind 0000:01:00=10de:1187\nbind 0000:02:00.0=10de:0e0a\nbind 10de:1187\n' \
	>"$root/run/vfio-early/plan"
config 'bind 01:00\nbind 01:00.0\nbind 02:00.0\n'
plan
status_is 0
out "bind 0000:01:00=10de:1187"
out "bind 0000:01:00.0=8086:1572@0000:01:00.0"
out "bind 0000:02:00.0=10de:0e0a"
err "vfio-early: warning: /etc/vfio-early.conf:1: 01:00 was 10de:1187 when this boot was planned and is 8086:1572 now: the first is still planned; fix: if the device was exchanged, write 01:00=8086:1572"
err "vfio-early: warning: /etc/vfio-early.conf:3: 02:00.0 matches nothing today"
config 'bind 01:00=8086:1572\n'
plan
status_is 0
no_err
out "bind 0000:01:00=8086:1572@0000:01:00"

begin "a path that was pinned at boot stays pinned to that ID"
function_ 0000:00:01.0 8086:0C01 60400
function_ 0000:01:00.0 8086:1572 20000 0000:00:01.0
mkdir -p "$root/run/vfio-early"
printf 'bind 0000:00:01.0/00.0=10de:1187\nbind 0000:00:01.0/02.0=10de:0e0a\n' \
	>"$root/run/vfio-early/plan"
config 'bind 00:01.0/00.0\nbind 00:01.0/02.0\n'
plan
status_is 0
out "bind 0000:00:01.0/00.0=10de:1187"
out "bind 0000:00:01.0/02.0=10de:0e0a"
err "vfio-early: warning: /etc/vfio-early.conf:2: 00:01.0/02.0 leads nowhere today"

begin "an address that was pinned at boot stays pinned to that path"
function_ 0000:00:01.0 8086:0C01 60400
function_ 0000:01:00.0 144D:A808 10802 0000:00:01.0
mkdir -p "$root/run/vfio-early"
echo 'bind 0000:01:00.0=144d:a808@0000:00:02.0/00.0' >"$root/run/vfio-early/plan"
config 'bind 01:00.0=144d:a808\n'
plan
status_is 0
out "bind 0000:01:00.0=144d:a808@0000:00:02.0/00.0"
err "vfio-early: warning: /etc/vfio-early.conf:1: 01:00.0=144d:a808 is another device of that ID today, in another slot: the first is still planned; fix: if this one is meant, write it with its path: vfio-early list -o PATH"
config 'bind 01:00.0=144d:a808@00:01.0/00.0\n'
plan
status_is 0
no_err
out "bind 0000:01:00.0=144d:a808@0000:00:01.0/00.0"

begin "a slot without function 0 is left unpinned"
function_ 0000:01:00.1 10DE:0E0A 40300
config 'bind 01:00\n'
plan
status_is 0
no_err
out "bind 0000:01:00"

begin "a domain of more than four digits"
function_ 10000:01:00.0 144D:A808 10802
config 'bind 10000:01:00.0\n'
plan
status_is 0
out "bind 10000:01:00.0=144d:a808@10000:01:00.0"

begin "no sysfs: nothing is pinned, said once"
rm -r "$root/sys"
config 'bind 01:00.0 02:00.0\n'
plan
status_is 1
[ "$(wc -l <"$work/err")" -eq 2 ] || problem "not two lines on stderr"
err_has "no PCI function is visible below $root/sys: addresses are not pinned to an ID"

# --- the output and the options

begin "-o: the whole file, mode 0644, nothing beside it"
plan -o "$work/plans/plan"
status_is 0
nothing_written
grep -q '^kernel ' "$work/plans/plan" || problem "no plan"
[ "$(stat -c %a "$work/plans/plan")" = 644 ] || problem "not mode 644"
[ "$(ls "$work/plans")" = plan ] || problem "something else is left there"

begin "-o: the old plan stays when nothing can be written"
echo old >"$work/plans/plan"
config 'bind 10de:1187\n'
chmod 666 "$root/etc/vfio-early.conf"
plan -o "$work/plans/plan"
status_is 3
[ "$(cat "$work/plans/plan")" = old ] || problem "the old plan is gone"
[ "$(ls "$work/plans")" = plan ] || problem "something else is left there"

begin "-o: a folder that is not there"
plan -o "$work/plans/no/plan"
status_is 3
err "vfio-early: error: cannot write $work/plans/no/plan: No such file or directory"

begin "-o: a name that is a folder"
mkdir "$work/plans/plan"
plan -o "$work/plans/plan"
status_is 3
err_has "cannot write $work/plans/plan: "
[ "$(ls "$work/plans")" = plan ] || problem "something else is left there"

begin "-o: what is no file is not replaced by one"
ln -s /dev/null "$work/plans/null"
mkfifo "$work/plans/fifo"
plan -o "$work/plans/null"
status_is 0
[ -L "$work/plans/null" ] || problem "the link was replaced"
plan -o "$work/plans/fifo"
status_is 3
[ -p "$work/plans/fifo" ] || problem "the FIFO was replaced"
err "vfio-early: error: cannot write to $work/plans/fifo: No such device or address"
rm "$work/plans/null" "$work/plans/fifo"

begin "a full disk"
"$command" plan --kernel "$kernel" --root "$root" >/dev/full 2>"$work/err"
status=$?
: >"$work/out"
status_is 3
err "vfio-early: error: cannot write to standard output: No space left on device"

begin "a kernel that is not there"
plan --kernel 9.9
status_is 3
nothing_written
err "vfio-early: error: no kernel 9.9: cannot enter $root/lib/modules/9.9: No such file or directory; fix: name one that is there: --kernel $kernel"

begin "kernels that are proposed are kernels"
mkdir -p "$root/lib/modules/junk" "$root/lib/modules/9.1.0-leftover"
: >"$root/lib/modules/README"
for name in README nosuch; do
	plan --kernel "$name"
	err_has "fix: name one that is there: --kernel $kernel"
	! grep -q -e '--kernel junk' -e '--kernel README' -e leftover "$work/err" || problem "it is no kernel"
done
rm -f "$root/proc/sys/kernel/osrelease"
config 'bind 1111:1111\n'
"$command" plan --root "$root" >"$work/out" 2>"$work/err"
out "kernel $kernel"

begin "a kernel without depmod's index is one, where there is no other"
config 'bind 1111:1111\n'
rm -f "$root/proc/sys/kernel/osrelease" "$root/lib/modules/$kernel"/modules.*
mkdir -p "$root/lib/modules/9.1.0-leftover"
plan --kernel nosuch
err_has "fix: name one that is there: --kernel $kernel"
"$command" plan --root "$root" >"$work/out" 2>"$work/err"
status=$?
status_is 1
out "kernel $kernel"
err_has "modules.dep.bin is missing; fix: run depmod for this kernel, then update the image"

begin "no --kernel: that of the tree, not this host's"
config 'bind 1111:1111\n'
rm -f "$root/proc/sys/kernel/osrelease"
"$command" plan --root "$root" >"$work/out" 2>"$work/err"
status=$?
status_is 0
out "bind 1111:1111"
rm -r "$root/lib/modules"
"$command" plan --root "$root" >"$work/out" 2>"$work/err"
status=$?
status_is 3
err "vfio-early: error: no kernel in $root/lib/modules, and no plan is made without one; fix: name the top of a machine's tree that has one"

begin "a line as other programs' configs have it"
config 'bind: 01:00\nbind 01:00,02:00\nbind pci_0000_01_00_0\nbind 1111:1111 \\\nbind 01:00\\\nbind 01:00.9\n'
plan
status_is 1
err "/etc/vfio-early.conf:1:1: error: a blank follows a keyword, not a : or ="
err "/etc/vfio-early.conf:2:11: error: blanks separate addresses and IDs, not commas"
err "/etc/vfio-early.conf:3:6: error: an address is written as lspci -D prints it: 0000:01:00.0"
err "/etc/vfio-early.conf:4:16: error: a line does not go on in the next one: leave out the \\, and begin the next line with a keyword"
err "/etc/vfio-early.conf:5:11: error: a line does not go on in the next one: leave out the \\, and begin the next line with a keyword"
err "/etc/vfio-early.conf:6:12: error: the function number is one digit, 0 to 7: 81:00.0"

begin "a line as other programs' configs have it, and what only looks like it"
config 'group=claim\nbind=01:00.0\nbind:01:00.0\nclass:\nvfs 17:00.0, 4\nset pci_0000_01_00_0 reset=bus\ncmdline a\\ b\nbind 01\\ 02:00\nset 01:00 reset=a,,b\ndeadline 20 \\ \n'
plan
status_is 1
keyword="a blank follows a keyword, not a : or ="
err "/etc/vfio-early.conf:1:1: error: $keyword"
err "/etc/vfio-early.conf:2:1: error: $keyword"
err "/etc/vfio-early.conf:3:1: error: $keyword"
err "/etc/vfio-early.conf:4:1: error: unknown keyword; known: bind bind! except vfs set boot-vga group failure deadline cmdline"
err "/etc/vfio-early.conf:5:12: error: blanks separate addresses and IDs, not commas"
err "/etc/vfio-early.conf:6:5: error: an address is written as lspci -D prints it: 0000:01:00.0"
err "/etc/vfio-early.conf:7:10: error: not every boot loader hands this character to the kernel unchanged; set that parameter by hand"
err_has "/etc/vfio-early.conf:8:6: error: "
err "/etc/vfio-early.conf:9:11: error: write reset=default, or methods as /sys shows them: reset=flr,bus"
err "/etc/vfio-early.conf:10:13: error: a line does not go on in the next one: leave out the \\, and begin the next line with a keyword"

begin "two keywords in one line, and words that name nothing"
config 'bind 01:00 except 01:00.1\nbind all\nexcept gpu\nbind *\nbind 1111:2222\n'
plan
status_is 1
err "/etc/vfio-early.conf:1:12: error: a line has one keyword: begin a line of its own with this one"
err "/etc/vfio-early.conf:2:6: error: not a selector: an address, an ID or a class; vfio-early list -a shows them"
err "/etc/vfio-early.conf:3:8: error: not a selector: an address, an ID or a class; vfio-early list -a shows them"
err "/etc/vfio-early.conf:4:6: error: not a selector; write an ID (10de:1187), an address (0000:81:00.0) or class:03"

begin "plan --cmdline says of a wrong line what plan says"
for line in 'cmdline foo=1 \\' 'cmdline=foo' 'cmdline: foo' '\357\273\277cmdline foo' '\357\273\277 cmdline=foo' 'cmdline a;b'; do
	config "$line\n"
	plan
	status_is 1
	grep ': error: ' "$work/err" >"$work/said"
	"$command" plan --cmdline --root "$root" >"$work/out" 2>"$work/err"
	status=$?
	status_is 1
	err_has "$(cat "$work/said")"
	out_is <<-EOF
		/etc/vfio-early.conf:1	
	EOF
done
# Not in the second line, and not another word.
config 'bind 01:00\n\357\273\277cmdline foo\ncmdlines foo\n'
"$command" plan --cmdline --root "$root" >"$work/out" 2>"$work/err"
status=$?
status_is 0
no_err

begin "a kernel version that is a path"
for bad in ../x a/b . "" "a b"; do
	plan --kernel "$bad"
	status_is 2
	nothing_written
	err "vfio-early: error: ${bad:-\"\"} is not a kernel version; fix: write what uname -r prints"
done

begin "a root that is not there"
plan --root "$work/none"
status_is 3
err "vfio-early: error: cannot use $work/none as the root: No such file or directory"

begin "--cmdline: the cmdline lines of the config alone, as the parser has them"
config 'cmdline none # not the last\r\nbind 0x1\n\tcmdline\tpcie_aspm=off  dyndbg="file a +p"  \r\ncmdlines x\n'
config ' cmdline' vfio-early.conf.d/10.conf
config 'cmdline au\0to\ncmdline auto' vfio-early.conf.d/20.conf
"$command" plan --cmdline --root "$root" >"$work/out" 2>"$work/err"
status=$?
status_is 1
err_has '/etc/vfio-early.conf.d/10.conf:1:2: error: write cmdline auto'
err_has '/etc/vfio-early.conf.d/20.conf:1:11: error: a NUL byte'
printf '/etc/vfio-early.conf%s\n' ':1	none' ':3	pcie_aspm=off  dyndbg="file a +p"' '.d/10.conf:1	' \
	'.d/20.conf:1	' '.d/20.conf:2	auto' >"$work/expected"
cmp -s "$work/expected" "$work/out" || problem "$(diff "$work/expected" "$work/out")"
chmod g+w "$root/etc/vfio-early.conf"
"$command" plan --cmdline --root "$root" >"$work/out" 2>"$work/err"
status=$?
status_is 3
[ ! -s "$work/out" ] || problem "something is on stdout"
err_has "can be written by others than root"
plan --cmdline
status_is 2

begin "every --help fits on a terminal of 80 columns"
for word in '' $(awk -F '\t' '$1 == "vfio-early" && $3 == "-" && $4 == "-" { print $2 }' \
	"$top/scripts/completion/table"); do
	# shellcheck disable=SC2086 # or nothing
	"$command" $word --help >"$work/out" 2>"$work/err"
	status=$?
	status_is 0
	! grep -E '.{81}' "$work/out" || problem "vfio-early $word --help is wider"
done
[ "$word" ] || problem "no command was tried"
! "$top/scripts/vfio-early-cmdline" --help | grep -E '.{81}' || problem "vfio-early-cmdline --help is wider"

begin "usage"
plan surplus
status_is 2
err "vfio-early: error: plan takes no argument: surplus"
plan --frobnicate
status_is 2
err_has "See vfio-early plan --help"
"$command" frobnicate >"$work/out" 2>"$work/err"
status=$?
status_is 2
err "vfio-early: error: unknown command frobnicate; see vfio-early --help"
"$command" >"$work/out" 2>"$work/err"
status=$?
status_is 2
nothing_written
err_has "Usage: vfio-early COMMAND"
"$command" --help >"$work/out" 2>"$work/err"
status=$?
status_is 0
no_err
"$command" --version >"$work/out" 2>"$work/err"
status=$?
status_is 0
grep -Eq '^vfio-early [0-9]' "$work/out" || problem "no version"
"$command" plan --help >"$work/out" 2>"$work/err"
status=$?
status_is 0
no_err

begin 'no sysfs: an address is said to be unpinned, IDs need no pin'
rm -r "$root/sys/bus"
config 'bind 0000:01:00.0\n'
plan
status_is 0
err_has 'no PCI function is visible below'
config 'bind 10de:1187 class:03\n'
plan
status_is 0
no_err
