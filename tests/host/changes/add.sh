# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/host/changes/run
# add and remove.

next='To take effect: vfio-early apply, then reboot.'

begin "add: the whole slot, pinned, in a new file"
run add 02:00
status_is 0
no_err
config_is <<-EOF
	bind 0000:02:00.0=10de:1187	# GK104
	bind 0000:02:00.1=10de:0e0a	# GK104 HDMI Audio
EOF
out_is <<-EOF
	--- /dev/null
	+++ /etc/vfio-early.conf
	@@ -0,0 +1,2 @@
	+bind 0000:02:00.0=10de:1187	# GK104
	+bind 0000:02:00.1=10de:0e0a	# GK104 HDMI Audio
	$next
EOF
[ "$(stat -c %a "$root/etc/vfio-early.conf")" = 644 ] || problem "mode is not 644"
nothing_left

begin "add: any function stands for its slot"
run add 0000:02:00.1
status_is 0
[ "$(grep -c ^bind "$root/etc/vfio-early.conf")" -eq 2 ] || problem "not two lines"

begin "add: behind the last bind line; comments, order, mode and owner stay"
config '# mine\nbind 8086:1572 # the NIC\n\n# bind is not here\nexcept 00:1f.2\ndeadline 9'
chmod 640 "$root/etc/vfio-early.conf"
[ "$(id -u)" -ne 0 ] || chgrp 4 "$root/etc/vfio-early.conf"
owner=$(stat -c %a:%g "$root/etc/vfio-early.conf")
run add 02:00.0
status_is 0
printf '%s\n' '# mine' 'bind 8086:1572 # the NIC' 'bind 0000:02:00.0=10de:1187	# GK104' \
	'bind 0000:02:00.1=10de:0e0a	# GK104 HDMI Audio' '' '# bind is not here' \
	'except 00:1f.2' >"$work/want"
printf 'deadline 9' >>"$work/want"
config_is <"$work/want"
[ "$(stat -c %a:%g "$root/etc/vfio-early.conf")" = "$owner" ] || problem "mode or group changed"

begin "add: by somebody else than root, in a boot without a plan"
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null ||
	! setpriv --reuid 65534 --regid 65534 --clear-groups "$command" --version >"$work/out" 2>&1; then
	skip "the command cannot be run by another user"
else
	chmod -R go+rX "$work"
	for run in y n; do
		[ "$run" = n ] && rm -r "$root/run" || mkdir -p "$root/run"
		timeout 4 setpriv --reuid 65534 --regid 65534 --clear-groups "$command" add 02:00 --root "$root" \
			>"$work/out" 2>"$work/err"
		status=$?
		status_is 3
		err_is <<-EOF
			vfio-early: error: cannot write /etc/vfio-early.conf; it is as it was: Permission denied; fix: run it as root
		EOF
	done
fi

begin "add: behind a last line without newline"
config '# mine\nbind 8086:1572'
run add --only 02:00.0
status_is 0
printf '# mine\nbind 8086:1572\nbind 0000:02:00.0=10de:1187\t# GK104\n' | config_is

begin "add: a second time nothing is written"
run add 02:00
before=$(stat -c %i:%Y "$root/etc/vfio-early.conf")
run add 02:00
status_is 0
no_err
out_is <<-EOF
	Nothing to do: the config names all of it already.
EOF
[ "$(stat -c %i:%Y "$root/etc/vfio-early.conf")" = "$before" ] || problem "the file is another"

undone='note: vfio-early undo is in effect: the next boot binds nothing; fix: vfio-early apply'

begin "add, remove: after undo the config counts as it is written, and it is said that undo is in effect"
config 'bind 02:00\n'
mkdir -p "$root/var/lib/vfio-early"
: >"$root/var/lib/vfio-early/undone"
run add 02:00
status_is 0
out_is <<-EOF
	Nothing to do: the config names all of it already.
EOF
err_is <<-EOF
	vfio-early: $undone
EOF
run add --vfs 4 17:00.0 -n
err "$undone"
run add 02:00 --json
out_has '"code": "undone"'
run add --only 1f.9
no_out undo
mkdir -p "$root/etc/pve/qemu-server"
: >"$root/etc/pve/qemu-server/100.conf"
run vm 100 02:00
status_is 1
err "error: 0000:02:00.0 is not given to VMs: vfio-early undo is in effect, so the next boot does not use the config; fix: vfio-early apply"
run vm 100 --only 17:00.1
err_has "0000:17:00.1 is not given to VMs: no bind line names it; fix: vfio-early add --only 0000:17:00.1"
rm -r "$root/etc/pve"
run remove 02:00
status_is 0
err_is <<-EOF
	vfio-early: $undone
EOF
: | config_is
run remove 02:00
err "$undone"
rm "$root/var/lib/vfio-early/undone"
run add 02:00
no_err

begin "add: after undo, what the lines of the config contradict is still refused"
config 'except 02:00\n'
mkdir -p "$root/var/lib/vfio-early"
: >"$root/var/lib/vfio-early/undone"
run add 02:00
status_is 1
err "error: 0000:02:00.0 would be refused at boot: in except; fix: remove it from the except line"

begin "add: what an ID or a class names already"
config 'bind 10de:1187\nbind class:0403\n'
run add 02:00
status_is 0
out "Nothing to do: the config names all of it already."

begin "add --dry-run: the change is shown, nothing is written"
run add -n 02:00
status_is 0
out "+bind 0000:02:00.0=10de:1187	# GK104"
out "Nothing was written (--dry-run)."
nothing_written

begin "add --by path"
run add --by path 02:00
status_is 0
config_is <<-EOF
	bind 0000:00:02.0/00.0=10de:1187	# GK104
	bind 0000:00:02.0/00.1=10de:0e0a	# GK104 HDMI Audio
EOF
run add --by path 02:00
out "Nothing to do: the config names all of it already."
run add 00:02.0/00.0
out "Nothing to do: the config names all of it already."

begin "add --by id: what such a line would take besides is refused, unless the config takes it anyway"
run add --by id 02:00
status_is 1
err_is <<-EOF
	vfio-early: error: 0000:01:00.0 also has the ID 10de:1187 and would be bound too; fix: leave out --by id; --force writes the line anyway
	vfio-early: error: 0000:01:00.1 also has the ID 10de:0e0a and would be bound too; fix: leave out --by id; --force writes the line anyway
	vfio-early: error: nothing was written
EOF
[ ! -e "$root/etc/vfio-early.conf" ] || problem "a line was written"
run add --by id --force 02:00
status_is 0
config_is <<-EOF
	bind 10de:1187	# GK104
	bind 10de:0e0a	# GK104 HDMI Audio
EOF
err_has "warning: 0000:01:00.0 also has the ID 10de:1187 and will be bound too"
config 'bind 02:00\n'
run add --by id 02:00
status_is 0
out "Nothing to do: the config names all of it already."
err_is </dev/null
config 'bind 01:00\n'
run add --by id 02:00
status_is 0
! grep -q 'also has the ID' "$work/err" || problem "$(cat "$work/err")"
config 'except 01:00\n'
run add --by id 02:00
status_is 0
! grep -q 'also has the ID' "$work/err" || problem "$(cat "$work/err")"

begin "add --by id: what is tried is the line that will be written"
config 'boot-vga keep\n'
run add --only --by id 01:00.1
status_is 1
err "error: nothing was written"
[ "$(cat "$root/etc/vfio-early.conf")" = "boot-vga keep" ] || problem "a line was written"

begin "add: a function that carries an address, beside a default route that is refused"
protected
mkdir -p "$root/sys/class/net/eno1" "$root/sys/class/net/eno2" "$root/sys/class/net/vmbr1/brif/eno2" \
	"$root/proc/net"
ln -s ../../../bus/pci/devices/0000:17:00.0 "$root/sys/class/net/eno1/device"
ln -s ../../../bus/pci/devices/0000:02:00.1 "$root/sys/class/net/eno2/device"
printf '%s\t%s\t%s\t%s\t0\t0\t0\t%s\t0\t0\t0\n' eno1 00000000 010200C0 0003 00000000 \
	vmbr1 006433C6 00000000 0001 00FFFFFF >"$root/proc/net/route"
run add 02:00
status_is 0
err_is <<-EOF
	vfio-early: warning: 0000:02:00.1: carries the address of vmbr1: the host loses this address at the next boot; fix: give the address to another interface, or have another way in
EOF
run add --only 17:00.0
status_is 1
err "error: 0000:17:00.0 would be refused at boot: carries the default route (eno1) (protect); --force takes it anyway: make sure that you can get back in"

begin "add --by id: both twins have one line for each ID"
run add --by id 01:00 02:00
status_is 0
err "warning: 0000:01:00.0: shows the console: the screen goes dark at the next boot, the boot goes on; fix: have another way in (SSH, serial), or set boot-vga keep"
[ "$(grep -c ^bind "$root/etc/vfio-early.conf")" -eq 2 ] || problem "not two lines"

begin "add --only: a mate in the group is named, --group takes it"
run add --only 00:1f.2
status_is 0
err "warning: 0000:00:1f.3: shares group 5 with bound functions, and is not bound: no VM can have those once a driver takes this one; fix: vfio-early add --group 0000:00:1f.3, or set group claim"
run add --group 00:1f.2
status_is 0
no_err
config_is <<-EOF
	bind 0000:00:1f.2=8086:1111
	bind 0000:00:1f.3=8086:1112
EOF

begin "add: a virtual function alone, a physical one without its virtual ones"
run add 17:00.2
status_is 0
config_is <<-EOF
	bind 0000:17:00.2=8086:154c
EOF
run add 17:00.0
status_is 1
err "error: 0000:17:00.0: the config binds its virtual functions, and on vfio-pci it has none; fix: vfio-early remove 0000:17:00.2, then vfio-early add 0000:17:00.0; --force writes the line anyway"
run remove 0000:17:00.2
status_is 0
run add 17:00.0
config_is <<-EOF
	bind 0000:17:00.0=8086:1572
EOF

begin "add: a bridge is refused, also with --force"
run add --force 00:01.0
status_is 1
no_out bind
err_is <<-EOF
	vfio-early: error: 0000:00:01.0 would be refused at boot: a bridge; name what is behind it
	vfio-early: error: nothing was written
EOF
nothing_written

begin "add: what the host needs is refused, and bind! with --force"
protected
run add --only 00:1f.2
status_is 1
err "error: 0000:00:1f.2 would be refused at boot: holds / (protect); --force takes it anyway: make sure that you can get back in"
nothing_written
run add --only --force 00:1f.2
status_is 0
err "warning: 0000:00:1f.2: holds / (protect): written as bind!, which takes it away from the host"
config_is <<-EOF
	bind! 0000:00:1f.2=8086:1111
EOF
run add --only --force 00:1f.2
out "Nothing to do: the config names all of it already."

begin "add -o CODE, --json: what refuses it, by its code, and what is written"
protected
run add 00:1f.2 -o CODE,SUBJECT --raw
status_is 1
out "protected 0000:00:1f.2"
run add 00:1f.2 --json
status_is 1
out_has '"refused": true'
out_has '"code": "protected"'
nothing_written
run add 02:00 --json
status_is 0
out_has '"refused": false'
out_has '"line": "bind 0000:02:00.0=10de:1187"'
no_out "To take effect"
no_out "+++"
printf '%s\t# %s\n' "bind 0000:02:00.0=10de:1187" "GK104" "bind 0000:02:00.1=10de:0e0a" "GK104 HDMI Audio" | config_is
run add 02:00 -o CODE --raw
status_is 0
no_out "Nothing to do"
run add --force 00:1f.2 -n -o CODE --raw
status_is 0
out forced
no_out protected

begin "add: all or nothing"
run add 02:00 00:01.0
status_is 1
nothing_written

begin "add: in except"
config 'except 02:00\n'
run add 02:00
status_is 1
err "error: 0000:02:00.0 would be refused at boot: in except; fix: remove it from the except line"
echo 'except 02:00' | config_is
run add --force 02:00
status_is 0
err "warning: 0000:02:00.0: in except: the boot refuses it as long as this is so"
config_is <<-EOF
	except 02:00
	bind 0000:02:00.0=10de:1187	# GK104
	bind 0000:02:00.1=10de:0e0a	# GK104 HDMI Audio
EOF
run list 02:00.0 -o NEXT --raw
out refused
run add --force 00:01.0
status_is 1
err_has "error: 0000:00:01.0 would be refused at boot: "

begin "add: boot VGA that is kept"
config 'boot-vga keep\n'
run add 01:00
status_is 1
err "error: 0000:01:00.0 would be refused at boot: boot VGA (boot-vga keep); fix: boot-vga bind in the config"

begin "add: group refuse, and --group as the way out"
config 'group refuse\n'
run add --only 00:1f.3
status_is 1
err "error: 0000:00:1f.3 would be refused at boot: 0000:00:1f.2 shares the group and no bind line takes it (group refuse); fix: --group takes the whole group"
run add --group 00:1f.3
status_is 0
no_err
[ "$(grep -c ^bind "$root/etc/vfio-early.conf")" -eq 2 ] || problem "not two lines"

begin "add: group claim is said"
config 'group claim\n'
run add --only 00:1f.3
status_is 0
err "warning: 0000:00:1f.2: shares group 5 and will be taken too (group claim)"

begin "add: without an IOMMU it is written, and said"
rm -r "$root/sys/class/iommu/dmar0"
run add 02:00
status_is 0
err "warning: 0000:02:00.0 cannot be bound yet: IOMMU off in the kernel (firmware table DMAR); vfio-early apply, which adds kernel parameter intel_iommu=on unless cmdline is set, then reboot"
[ "$(grep -c ^bind "$root/etc/vfio-early.conf")" -eq 2 ] || problem "not two lines"

begin "add: another ID is pinned to that address"
config 'bind 0000:02:00.0=1234:5678\n'
run add --only 02:00.0
status_is 0
err "warning: 0000:02:00.0: the config names it with another ID: 0000:02:00.0=1234:5678; fix: vfio-early remove 0000:02:00.0, then vfio-early add --only 0000:02:00.0"
config_is <<-EOF
	bind 0000:02:00.0=1234:5678
	bind 0000:02:00.0=10de:1187	# GK104
EOF
run remove 0000:02:00.0
run add --only 0000:02:00.0
config_is <<-EOF
	bind 0000:02:00.0=10de:1187	# GK104
EOF

begin "add: an address that is not there, and the near ones"
run add 03:00
status_is 2
err_is <<-EOF
	vfio-early: error: there is no PCI function at 03:00; near: 0000:01:00, 0000:02:00, 0000:17:00
EOF
run add 02:00.7
status_is 2
err "error: there is no PCI function at 02:00.7; near: 0000:02:00.0, 0000:02:00.1, 0000:01:00.0"
run add aaaa:bb:1c.0
status_is 2
err "error: there is no PCI function at aaaa:bb:1c.0; see vfio-early list -a"
run add 00:1e.0/00.0
status_is 2
err "error: the path 00:1e.0/00.0 leads nowhere; see vfio-early list -a -o ADDRESS,PATH"
nothing_written

begin "add: what is no address"
run add 10de:1187
status_is 2
err "error: 10de:1187 is an ID, not an address; fix: name 0000:01:00.0, 0000:02:00.0"
run add 1234:5678
err "error: 1234:5678 is an ID, not an address, and no function has it"
run add class:03
err "error: class:03 is a class, not an address; fix: name a function that vfio-early list prints; only in /etc/vfio-early.conf a line may name a class"
run add 02:00=10de:1187
err "error: 02:00=10de:1187: leave out the = and the ID; it is pinned to the ID that is there today"
run add 0x02:00.0
err "error: 0x02:00.0 is not how an address is written here; fix: write 0000:02:00.0"
run add 2:00.0
err "error: 2:00.0 is not how an address is written here; fix: write 0000:02:00.0"
run add gpu
status_is 2
err "error: gpu is not an address; fix: write one that vfio-early list -a prints, such as 0000:81:00.0"
nothing_written

begin "an interface where an address belongs: its address is named"
mkdir -p "$root/sys/class/net/eno1"
ln -s ../../../bus/pci/devices/0000:17:00.0 "$root/sys/class/net/eno1/device"
for words in add detach list 'vm 100'; do
	# shellcheck disable=SC2086 # a command with its argument
	run $words eno1
	status_is 2
	err "error: eno1 is a network interface, not an address; fix: write 0000:17:00.0"
done
nothing_written

begin "two options that contradict each other"
for verb in add remove detach reattach; do
	for options in '--only --group' '--group --only' '-1g'; do
		# shellcheck disable=SC2086 # two options
		run "$verb" $options 02:00.0
		status_is 2
		err "error: --group and --only contradict each other; fix: leave one of them out"
	done
	run "$verb" --dry-run --only --only 02:00.0
	[ "$status" -ne 2 ] || problem "$verb: the same option twice: $(cat "$work/err")"
done
nothing_written

begin "add: usage"
run add
status_is 2
err "error: an address is missing: vfio-early add 0000:81:00"
run add --by bus 02:00
status_is 2
err "error: bus is not a valid value for --by; fix: write address, path or id"
run add --only 02:00
status_is 2
err "error: 02:00 names a slot; fix: with --only write the function too: 02:00.0"
run add --frobnicate 02:00
status_is 2
err "error: unknown option --frobnicate"
for name in add remove import status log vm; do
	run "$name" --help
	status_is 0
	lines=24
	# It has 13 options of its own.
	[ "$name" != vm ] || lines=30
	[ "$(wc -l <"$work/out")" -le $lines ] || problem "the help of $name is longer than a screen"
	[ "$(wc -L <"$work/out")" -le 85 ] || problem "the help of $name is wider than a screen"
done

begin "add: no such root"
root=$work/nowhere
run add 02:00
status_is 3
root=$work/root
grep -q "$work/nowhere" "$work/err" || problem "not said"

# --- files that are not as they should be

begin "add: a config that others may write"
config '# mine\n'
chmod 666 "$root/etc/vfio-early.conf"
run add 02:00
status_is 3
err "error: /etc/vfio-early.conf can be written by others than root (mode 0666), so it is not read; fix: chmod go-w /etc/vfio-early.conf"
echo '# mine' | config_is

begin "add: a config that is a folder, a FIFO, a link to nowhere"
mkdir "$root/etc/vfio-early.conf"
run add 02:00
status_is 3
err "error: /etc/vfio-early.conf is not a regular file; fix: move it away"
rmdir "$root/etc/vfio-early.conf"
mkfifo "$root/etc/vfio-early.conf"
run add 02:00
status_is 3
err "error: /etc/vfio-early.conf is not a regular file; fix: move it away"
rm "$root/etc/vfio-early.conf"
ln -s nowhere "$root/etc/vfio-early.conf"
run add 02:00
status_is 3
err "error: /etc/vfio-early.conf leads nowhere; fix: mount what it leads to, or remove it"

begin "a list of names that is a FIFO"
rm "$root/usr/share/misc/pci.ids"
mkfifo "$root/usr/share/misc/pci.ids"
for name in list check groups; do
	status=$(timeout 10 "$command" $name --root "$root" >"$work/out" 2>"$work/err"; echo $?)
	[ "$status" -ne 124 ] || problem "$name waits"
	err "warning: /usr/share/misc/pci.ids is not a regular file: devices have no names; fix: reinstall the package pci.ids"
done

begin "an index of modules that is a FIFO"
config 'bind 02:00\n'
for index in modules.dep.bin modules.alias.bin modules.softdep; do
	rm -f "$root/lib/modules/$kernel/$index"
	mkfifo "$root/lib/modules/$kernel/$index"
	status=$(timeout 10 "$command" plan --kernel $kernel --root "$root" >"$work/out" 2>"$work/err"; echo $?)
	[ "$status" -ne 124 ] || problem "plan waits for $index"
	out_has "an index in $root/lib/modules/$kernel is not a regular file"
	status=$(timeout 10 "$command" check --root "$root" >"$work/out" 2>"$work/err"; echo $?)
	[ "$status" -eq 1 ] || problem "check with $index: exit status $status"
	rm "$root/lib/modules/$kernel/$index"
	depmod -b "$root" $kernel
done
rm "$root/lib/modules/$kernel/kernel/vfio-pci.ko"
mkfifo "$root/lib/modules/$kernel/kernel/vfio-pci.ko"
status=$(timeout 10 "$command" plan --kernel $kernel --root "$root" >"$work/out" 2>"$work/err"; echo $?)
err_has "/lib/modules/$kernel/kernel/vfio-pci.ko is not a regular file, although modules.dep.bin names it"
timeout 10 "$command" bug-report -o "$work/report" --root "$root" >/dev/null 2>&1
[ $? -ne 124 ] || problem "bug-report waits"
rm "$work/report"

begin "add: a link is followed, and stays a link"
mkdir "$root/etc/kept"
echo '# mine' >"$root/etc/kept/real.conf"
ln -s kept/real.conf "$root/etc/vfio-early.conf"
run add --only 02:00.0
status_is 0
[ -L "$root/etc/vfio-early.conf" ] || problem "the link is gone"
grep -q ^bind "$root/etc/kept/real.conf" || problem "not written behind the link"

begin "add: a link stays below the root"
echo '# not yours' >"$work/outside"
ln -s "$work/outside" "$root/etc/vfio-early.conf"
run add 02:00
status_is 3
err "error: /etc/vfio-early.conf leads nowhere; fix: mount what it leads to, or remove it"
[ "$(cat "$work/outside")" = '# not yours' ] || problem "it was written"

begin "add: a folder that is not there"
rm -r "$root/etc"
run add 02:00
status_is 3
err "error: cannot find the folder of /etc/vfio-early.conf: No such file or directory"

begin "add: what a killed edit left is no obstacle, and goes"
echo half >"$root/etc/.vfio-early.conf.vfio-early-new"
run add 02:00
status_is 0
nothing_left

begin "add: a file that is too large"
head -c 1100000 /dev/zero | tr '\0' '\n' >"$root/etc/vfio-early.conf"
run add 02:00
status_is 3
err "error: /etc/vfio-early.conf is larger than 1 MiB; fix: edit it yourself"

begin "add: several at once lose nothing"
for address in 01:00.0 01:00.1 02:00.0 02:00.1 17:00.0; do
	"$command" add --only "$address" --root "$root" >/dev/null 2>&1 &
done
wait
[ "$(grep -c ^bind "$root/etc/vfio-early.conf")" -eq 5 ] || problem "lines were lost"

begin "add: another one that does not end"
mkdir -p "$root/run/vfio-early"
echo 4711 >"$root/run/vfio-early/edit.lock"
# shellcheck disable=SC2016 # of another shell
timeout 60 flock "$root/run/vfio-early/edit.lock" sh -c '"$1" add 02:00 --root "$2"' sh "$command" \
	"$root" >"$work/out" 2>"$work/err"
status=$?
status_is 3
err "error: /etc/vfio-early.conf: another vfio-early (process 4711) has been changing a file for 5 seconds; fix: wait for its end, or end it"
nothing_written

begin "add: a lock that any user can hold keeps nobody away"
# shellcheck disable=SC2016 # of another shell
timeout 60 flock "$root/etc" sh -c '"$1" add 02:00 --root "$2"' sh "$command" "$root" >"$work/out" \
	2>"$work/err"
status=$?
status_is 0
no_err
[ ! -e "$root/run/vfio-early" ] || problem "the lock was left"

begin "add: the ISA bridge of a slot or a group stays with the host"
printf '5 0000:00:1f.0 060100 8086:1110\n' | "$top/tests/host/mktree" "$root" 2>/dev/null
run add 00:1f
status_is 0
config_is <<-EOF
	bind 0000:00:1f.2=8086:1111
	bind 0000:00:1f.3=8086:1112
EOF
err "warning: 0000:00:1f.0 is a bridge and stays with the host: no line is written for it"
rm "$root/etc/vfio-early.conf"
run add --group 00:1f.3
status_is 0
err "warning: 0000:00:1f.0 is a bridge and stays with the host: no line is written for it"
rm "$root/etc/vfio-early.conf"
run add 00:1f.0
status_is 1
grep -q "0000:00:1f.0 would be refused at boot: a bridge" "$work/err" || problem "not said"
nothing_written

begin "add: a folder that is read-only"
config '# mine\n'
if in_namespace "mount --bind $root/etc $root/etc && mount -o remount,ro,bind $root/etc &&
	{ $command add 02:00 --root $root >$work/out 2>$work/err; echo \$? >$work/status; }" \
	2>/dev/null; then
	status=$(cat "$work/status")
	status_is 3
	err "error: cannot write /etc/vfio-early.conf; it is as it was: Read-only file system"
	echo '# mine' | config_is
	nothing_left
else
	skip "no namespace of its own"
fi

begin "add: a full disk"
if in_namespace "mount -t tmpfs -o size=16k none $root/etc && echo '# mine' >$root/etc/vfio-early.conf &&
	chmod 644 $root/etc/vfio-early.conf &&
	{ cat /dev/zero >$root/etc/filler 2>/dev/null; $command add 02:00 --root $root >$work/out 2>$work/err
	echo \$? >$work/status; cp $root/etc/vfio-early.conf $work/have; ls -A $root/etc >$work/ls; }" \
	2>/dev/null; then
	status=$(cat "$work/status")
	status_is 3
	err "error: cannot write /etc/vfio-early.conf; it is as it was: No space left on device"
	[ "$(cat "$work/have")" = '# mine' ] || problem "the config is not as it was"
	[ "$(tr '\n' ' ' <"$work/ls")" = "filler vfio-early.conf " ] || problem "something was left"
else
	skip "no namespace of its own"
fi

begin "add: output that cannot be written"
if [ -w /dev/full ]; then
	"$command" add 02:00 --root "$root" >/dev/full 2>"$work/err"
	status=$?
	status_is 3
	grep -q "No space left on device" "$work/err" || problem "not said"
	[ "$(wc -l <"$work/err")" -eq 1 ] || problem "said more than once"
	rm "$root/etc/vfio-early.conf"
	for words in 'add -n 02:00' 'import -n' 'plan --cmdline' 'check' 'list -a' 'groups' 'vm -f 100 02:00'; do
		config 'cmdline none\n'
		# shellcheck disable=SC2086 # words
		"$command" $words --root "$root" >/dev/full 2>"$work/err"
		status=$?
		status_is 3
		[ "$(grep -c '^vfio-early: error: ' "$work/err")" -eq 1 ] || problem "$words: not one error"
		grep -q '^vfio-early: error: cannot write to standard output' "$work/err" ||
			problem "$words: not said"
	done
	for words in --help --version 'list --help'; do
		# shellcheck disable=SC2086 # words
		"$command" $words >/dev/full 2>"$work/err"
		status=$?
		status_is 3
	done
else
	skip "no /dev/full"
fi

# --- remove

begin "remove: undoes add, byte for byte"
config '# mine\nbind 8086:1572 # the NIC\n\nexcept 00:1f.2\n'
cp "$root/etc/vfio-early.conf" "$work/before"
run add 02:00
run remove 02:00
status_is 0
no_err
out "-bind 0000:02:00.0=10de:1187	# GK104"
out "-bind 0000:02:00.1=10de:0e0a	# GK104 HDMI Audio"
out "$next"
cmp -s "$work/before" "$root/etc/vfio-early.conf" || problem "not as before"
run remove 02:00
status_is 0
err "warning: no bind line names 02:00; vfio-early list shows what is configured"
no_out "$next"

begin "remove: set lines go with what they are for; by ID or class they stay, and that is said"
config 'bind 02:00\nset 02:00.0 reset=bus # mine\n set 0000:00:02.0/00.1 power=on\nset 01:00.0 reset=bus\nset 02:00=10de:9999 power=on\n'
run remove -n 02:00
status_is 0
out "-set 02:00.0 reset=bus # mine"
run remove 02:00
status_is 0
no_err
config_is <<-EOF
	set 01:00.0 reset=bus
EOF
config 'set 02:00.0 reset=bus\n'
run remove 02:00
status_is 0
: | config_is
config 'bind 17:00.0\nset 8086:1572 reset=bus\nset class:02 power=on\nset 17:00.0 power=on\n'
run remove 17:00.0
status_is 0
out "/etc/vfio-early.conf:2 stays: set 8086:1572 names what was removed, by its ID; delete the line if no other is to come"
no_out 'conf:3 stays'
config_is <<-EOF
	set 8086:1572 reset=bus
	set class:02 power=on
EOF

begin "remove: a set line of what stays bound, or of more than was removed, stays"
config 'bind class:0300\nbind 02:00\nset 02:00.0 reset=bus\nset 02:00 power=on\nset 02:00.1 power=on\n'
run remove 02:00
status_is 1
config_is <<-EOF
	bind class:0300
	set 02:00.0 reset=bus
	set 02:00 power=on
EOF
config 'bind 02:00.0 02:00.1\nset 02:00 power=on\nset 02:00.1 reset=bus\n'
run remove --only 02:00.1
status_is 0
config_is <<-EOF
	bind 02:00.0
	set 02:00 power=on
EOF
config 'bind 02:00\n'
config 'set 02:00.0 reset=bus\n' vfio-early.conf.d/10-set.conf
run remove 02:00
: | config_is
: | config_is vfio-early.conf.d/10-set.conf

begin "remove: set lines of virtual functions, and of what is no longer here"
config 'vfs 17:00.0 4\nbind vf:17:00.0\nset vf:17:00.0 reset=flr\n'
run remove vf:17:00.0
status_is 0
: | config_is
config 'bind 99:00.0\nset 99:00.0 reset=flr\nset 98:00.0 reset=flr\n'
run remove 99:00.0
status_is 0
config_is <<-EOF
	set 98:00.0 reset=flr
EOF

begin "remove: undoes add --by path, and --group"
run add --by path 02:00
run add --group 00:1f.2
run remove 02:00.0
run remove --group 00:1f.3
status_is 0
[ ! -s "$root/etc/vfio-early.conf" ] || problem "something is left"

begin "remove: one selector of several, in any file; the rest of the line stays"
config '# mine\n  bind  8086:1572 02:00.0\t0000:02:00.1=10de:0e0a 00:1f.2   # all\n'
config 'bind 02:00\nbind! 00:02.0/00.0=10de:1187 8086:154c\n' vfio-early.conf.d/a.conf
run remove 02:00
status_is 0
no_err
config_is <<-EOF
	# mine
	  bind  8086:1572 00:1f.2   # all
EOF
config_is vfio-early.conf.d/a.conf <<-EOF
	bind! 8086:154c
EOF

begin "remove: an ID that a twin has stays, and is named"
config 'bind 10de:1187 10de:0e0a\n'
run remove 02:00
status_is 1
err_is <<-EOF
	vfio-early: error: /etc/vfio-early.conf:1: 10de:1187 names it too, and others (0000:01:00.0); fix: write \`except 0000:02:00.0\`, or change that line
	vfio-early: error: /etc/vfio-early.conf:1: 10de:0e0a names it too, and others (0000:01:00.1); fix: write \`except 0000:02:00.1\`, or change that line
EOF
echo 'bind 10de:1187 10de:0e0a' | config_is

begin "remove: an ID goes where both that have it were named"
config 'bind 10de:1187 10de:0e0a\n'
run remove 01:00 02:00
status_is 0
[ ! -s "$root/etc/vfio-early.conf" ] || problem "something is left"

begin "remove: an ID stays, and of many twins three are named"
config 'bind 10de:0e0a\n'
for n in 1 2 3; do
	echo "6$n 0000:17:0$n.0 040300 10de:0e0a under=0000:00:03.0"
done | "$top/tests/host/mktree" "$root" 2>/dev/null
run remove 02:00
status_is 1
err_is <<-EOF
	vfio-early: error: /etc/vfio-early.conf:1: 10de:0e0a names it too, and others (0000:01:00.1, 0000:17:01.0, 0000:17:02.0 and more); fix: write \`except 0000:02:00.1\`, or change that line
EOF

begin "remove: a class stays, and is named"
config 'bind class:03\n'
run remove 02:00
status_is 1
err "error: /etc/vfio-early.conf:1: class:03 names it too, and others (0000:01:00.0); fix: write \`except 0000:02:00.0\`, or change that line"
echo 'bind class:03' | config_is

begin "remove: what an except line leaves out already is said, and is no error"
config 'bind class:03 10de:0e0a\nexcept 02:00.0\n'
run remove 02:00
status_is 1
out "/etc/vfio-early.conf:1: class:03 stays: it names others, and an except line leaves out what you named"
err_is <<-EOF
	vfio-early: error: /etc/vfio-early.conf:1: 10de:0e0a names it too, and others (0000:01:00.1); fix: write \`except 0000:02:00.1\`, or change that line
EOF
config 'bind class:03 10de:0e0a\nexcept 02:00.0 02:00.1\n'
run remove 02:00
status_is 0
err_is </dev/null
printf 'bind class:03 10de:0e0a\nexcept 02:00.0 02:00.1\n' | config_is

begin "remove --only: a slot stays, and is named"
config 'bind 02:00\n'
run remove --only 02:00.1
status_is 1
err "error: /etc/vfio-early.conf:1: 02:00 names it too, and others (0000:02:00.0); fix: write \`except 0000:02:00.1\`, or change that line"
echo 'bind 02:00' | config_is

begin "remove: one virtual function alone"
config 'bind 17:00.1 17:00.2\n'
run remove 17:00.1
status_is 0
echo 'bind 17:00.2' | config_is

# apu: a machine whose GPU shares its slot with the PSP, USB and audio of the board, each in a group of its own.
apu() {
	"$top/tests/host/mktree" "$root" 2>/dev/null <<-EOF
		70 0000:00:08.1 060400 1022:14eb
		71 0000:c5:00.0 030000 1002:1900 under=0000:00:08.1
		72 0000:c5:00.1 040300 1002:1640 under=0000:00:08.1
		73 0000:c5:00.2 108000 1022:15c7 under=0000:00:08.1
		74 0000:c5:00.3 0c0330 1022:15b9 under=0000:00:08.1
		75 0000:c5:00.4 0c0330 1022:15ba under=0000:00:08.1
	EOF
}

begin "the card: of an APU its GPU and the audio of that"
apu
run add c5:00
status_is 0
out "+bind 0000:c5:00.0=1002:1900"
out "+bind 0000:c5:00.1=1002:1640"
no_out "+bind 0000:c5:00.2"
no_out "+bind 0000:c5:00.3"
out "0000:c5:00.3 is left: in the same slot, but not of the card (group 74); to take it too: vfio-early add 0000:c5:00.3"
run add c5:00.3
status_is 0
out "+bind 0000:c5:00.3=1022:15b9"
no_out "+bind 0000:c5:00.4"
run remove c5:00
status_is 0
out "0000:c5:00.3 stays: in the same slot, but not of the card (group 74); to remove it too: vfio-early remove 0000:c5:00.3"
grep -q '^bind 0000:c5:00.3=' "$root/etc/vfio-early.conf" || problem "the USB controller is gone too"
run remove c5:00.3
status_is 0
! grep -q '^bind' "$root/etc/vfio-early.conf" || problem "something is left"

begin "the card: functions of one maker behind a port, each in a group of its own"
"$top/tests/host/mktree" "$root" 2>/dev/null <<-EOF
	81 0000:18:00.0 020000 8086:1521 under=0000:00:03.0
	82 0000:18:00.1 020000 8086:1521 under=0000:00:03.0
EOF
run add 18:00.1
out "+bind 0000:18:00.0=8086:1521"
out "+bind 0000:18:00.1=8086:1521"

begin "the card: on the root bus a group of its own is a device of its own"
"$top/tests/host/mktree" "$root" 2>/dev/null <<-EOF
	91 0000:00:14.0 0c0330 8086:7ae0
	91 0000:00:14.2 050000 8086:7aa7
	92 0000:00:14.3 028000 8086:7af0
EOF
run add 00:14
out "+bind 0000:00:14.0=8086:7ae0"
out "+bind 0000:00:14.2=8086:7aa7"
no_out "+bind 0000:00:14.3"

begin "addresses in the forms of other tools"
for word in pci_0000_01_00_0 /sys/bus/pci/devices/0000:01:00.0 /sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/ \
	PCI:1:0:0 pci@0000:01:00.0 pci-0000:01:00.0 vfio-pci,host=01:00.0 host=01:00.0,pcie=1 01.00.0; do
	for sub in add remove list "vm 103"; do
		# shellcheck disable=SC2086 # a VMID
		run $sub "$word"
		status_is 2
		err "error: $word is not how an address is written here; fix: write 0000:01:00.0"
	done
done
run add "01:00.0,01:00.1"
status_is 2
err "error: 01:00.0,01:00.1 is not how an address is written here; fix: write 0000:01:00.0 0000:01:00.1"
run add "0000:01:00.0;0000:01:00.1"
err "error: 0000:01:00.0;0000:01:00.1 is not how an address is written here; fix: write 0000:01:00.0 0000:01:00.1"
# Of hostpci, which may be a slot: never another device, whose bus is what was meant as the slot.
for word in host=01:00,pcie=1 0000:01:00,pcie=1; do
	run add "$word"
	err "error: $word is not how an address is written here; fix: write 0000:01:00"
done
run add "0000:01:00;02:00.0"
err "error: 0000:01:00;02:00.0 is not how an address is written here; fix: write 0000:01:00 0000:02:00.0"
run add 0000:0x02:00
err "error: 0000:0x02:00 is not an address: write IDs and addresses without 0x"
# What is not there is not proposed.
run add pci_0000_45_00_0
status_is 2
err "error: pci_0000_45_00_0 is not an address; fix: write one that vfio-early list -a prints, such as 0000:81:00.0"
# Nor is what would be refused.
run add pci_0000_00_01_0
err "error: pci_0000_00_01_0 is not an address; fix: write one that vfio-early list -a prints, such as 0000:81:00.0"

begin "remove: what is not in the machine any more"
config 'bind 0000:44:00.0=1234:5678 02:00\nbind 44:00 # slot\n'
run remove 44:00
status_is 0
no_err
echo 'bind 02:00' | config_is

begin "remove: a wrong word is not touched"
config 'bind 02:00 0x1\nbound 02:00\nbind 02:00\n'
run remove 02:00
status_is 0
config_is <<-EOF
	bind 0x1
	bound 02:00
EOF

begin "remove --dry-run"
config 'bind 02:00\n'
run remove -n 02:00
status_is 0
out "-bind 02:00"
out "Nothing was written (--dry-run)."
echo 'bind 02:00' | config_is

begin "remove: usage"
run remove
status_is 2
err "error: an address is missing: vfio-early remove 0000:81:00"
run remove 10de:1187
status_is 2

begin "add --vfs: both lines, pinned, and what they need said; remove takes both"
run add --vfs 4 17:00.0
status_is 0
config_is <<-EOF
	vfs 0000:17:00.0=8086:1572 4
	bind vf:0000:17:00.0=8086:1572
EOF
run add --vfs 4 17:00.0
status_is 0
out_is <<-EOF
	Nothing to do: the config names all of it already.
EOF
run add --vfs 5 17:00.0
status_is 1
run remove 17:00.0
status_is 0
[ ! -s "$root/etc/vfio-early.conf" ] || problem "a line is left"

begin "add: a virtual function of today that the vfs line does not make again"
config 'vfs 17:00.0 1\n'
cp "$root/etc/vfio-early.conf" "$work/want"
run add 17:00.2
status_is 1
err "error: 0000:17:00.2: the next boot does not make this virtual function; fix: write 2 instead of 1 into the vfs line of 0000:17:00.0; --force writes the line anyway"
config_is <"$work/want"
run add --json -n 17:00.2
status_is 1
out_has '"code": "vf-not-made"'
run add 17:00.1
status_is 0
run add --force 17:00.2
status_is 0
err_has "warning: 0000:17:00.2: the next boot does not make this virtual function: written all the same; fix: write 2"
run check
status_is 1
out_has "fix: write 2 instead of 1 into the vfs line of 0000:17:00.0"
run status
no_out "bind lines"
config 'vfs 17:00.0 2\nbind 17:00.1 17:00.2\n'
run check
status_is 0

run add 17:00.0 17:00.1
status_is 1
config ''
run add 17:00.0 17:00.1
status_is 1
err "error: 0000:17:00.1: the next boot does not make this virtual function; fix: name 0000:17:00.0 or its virtual functions, not both; --force writes the line anyway"

for line in 'except vf:17:00.0' 'except 00:1f.3 vf:17:00.0=8086:1572'; do
	begin "add --vfs: virtual functions that the boot would refuse: $line"
	config "$line\n"
	cp "$root/etc/vfio-early.conf" "$work/want"
	run add --vfs 2 17:00.0
	status_is 1
	err "error: 0000:17:00.0: its virtual functions would be refused at boot: in except; fix: remove vf:0000:${line##*vf:} from the except line"
	err "error: nothing was written"
	config_is <"$work/want"
	run add --vfs 2 --json -n 17:00.0
	out_has '"refused": true'
	run add --vfs 2 --force 17:00.0
	status_is 0
	err "warning: 0000:17:00.0: its virtual functions are in except: the boot refuses them as long as this is so"
done
config 'except 17:00.1\n'
run add --vfs 2 17:00.0
status_is 0

begin "add: a function of which the config makes virtual ones, as add --vfs of a bound one"
of_it="0000:17:00.0: the config makes 4 virtual functions of it, and on vfio-pci it has none"
fix="fix: vfio-early remove vf:0000:17:00.0, then vfio-early add 0000:17:00.0; --force writes the line anyway"
for text in 'vfs 17:00.0 4\n' 'vfs 17:00.0 4\nbind vf:17:00.0\n'; do
	config "$text"
	run add 17:00.0
	status_is 1
	err "error: $of_it; $fix"
	err "error: nothing was written"
	no_out bind
	cp "$root/etc/vfio-early.conf" "$work/want"
	run add --by id 17:00.0
	status_is 1
	err "error: $of_it; fix: vfio-early remove vf:0000:17:00.0, then vfio-early add --by id 0000:17:00.0; --force writes the line anyway"
	config_is <"$work/want"
	run add -n --json 17:00.0
	status_is 1
	out_has '"code": "vfs-of-bound"'
	out_has '"refused": true'
done
run add --force -n 17:00.0
status_is 0
err "warning: $of_it: written all the same"
out "+bind 0000:17:00.0=8086:1572"
config 'vfs 17:00.0 4\n'
run add -n 17:00.1
status_is 0
config 'bind vf:17:00.0\n'
run add 17:00.0
status_is 1
err "error: 0000:17:00.0: the config binds its virtual functions, and on vfio-pci it has none; $fix"
run remove vf:0000:17:00.0
run add 17:00.0
status_is 0

begin "add: the fix beside lines for virtual functions names what was named, in the scope that was typed"
# Without its physical function it is another port of the card.
rm "$root/sys/bus/pci/devices/0000:17:00.1/physfn"
config 'vfs 17:00.0 4\n'
run add --only 17:00.0
status_is 1
err "error: $of_it; fix: vfio-early remove vf:0000:17:00.0, then vfio-early add --only 0000:17:00.0; --force writes the line anyway"
config 'vfs 17:00.0 4\nvfs 17:00.1 2\n'
run add 17:00.0
status_is 1
err_has "fix: vfio-early remove vf:0000:17:00.0 vf:0000:17:00.1, then vfio-early add 0000:17:00.0; --force"
run remove vf:0000:17:00.0 vf:0000:17:00.1
run add 0000:17:00.0
status_is 0

begin "add: nor where the IOMMU is off today"
rm -r "$root/sys/class/iommu"
config 'vfs 17:00.0 4\n'
run add 17:00.0
status_is 1
err "error: $of_it; $fix"

begin "add --by id: a twin of which the config makes virtual ones"
config 'vfs 17:00.0 4\n'
printf '0x10de\n' >"$root/sys/bus/pci/devices/0000:17:00.0/vendor"
printf 'PCI_CLASS=20000\nPCI_ID=10DE:0E0A\nPCI_SUBSYS_ID=0000:0000\nPCI_SLOT_NAME=0000:17:00.0\n' \
	>"$root/sys/bus/pci/devices/0000:17:00.0/uevent"
run add --by id 02:00
status_is 1
err "error: $of_it; fix: leave out --by id; --force writes the line anyway"

begin "add --vfs: a network interface stands for its function"
mkdir -p "$root/sys/class/net/enp23s0f0"
ln -s ../../../bus/pci/devices/0000:17:00.0 "$root/sys/class/net/enp23s0f0/device"
run add --vfs 2 --by path enp23s0f0
status_is 0
grep -q '^vfs 0000:00:03.0/00.0=8086:1572 2' "$root/etc/vfio-early.conf" || problem "no vfs line"
grep -qx 'bind vf:0000:00:03.0/00.0=8086:1572' "$root/etc/vfio-early.conf" || problem "no bind line"
rm "$root/etc/vfio-early.conf"
run add --vfs 2 enp23s0f0 17:00.0
status_is 0
config_is <<-EOF
	vfs 0000:17:00.0=8086:1572 2
	bind vf:0000:17:00.0=8086:1572
EOF

run remove enp23s0f0
status_is 0
[ ! -s "$root/etc/vfio-early.conf" ] || problem "remove by its interface left a line"
run add --vfs 2 --by path 17:00.0
printf 'bind 17:00.0 01:00\n' >>"$root/etc/vfio-early.conf"
run remove vf:17:00.0
status_is 0
config_is <<-EOF
	bind 17:00.0 01:00
EOF
run remove vf:17:00.0
status_is 0
err_has "warning: no bind line names vf:17:00.0"
run add vf:17:00.0
status_is 2
err_has "fix: name one of them, or make and bind all: vfio-early add --vfs 4 17:00.0"

begin "remove: virtual functions of another port of the card stay, unless its slot is named, or it is gone"
# It has no virtual functions, and so is a port, not one of those of the first.
rm "$root/sys/bus/pci/devices/0000:17:00.1/physfn"
lines='vfs 17:00.0 2\nvfs 17:00.1 2\nbind vf:17:00.0 vf:17:00.1 vf:99:00.3 02:00\nvfs 99:00.3 4\n'
config "$lines"
run remove 17:00.0
status_is 0
config_is <<-EOF
	vfs 17:00.1 2
	bind vf:17:00.1 vf:99:00.3 02:00
	vfs 99:00.3 4
EOF
run remove vf:99:00.3=8086:1572
status_is 0
config_is <<-EOF
	vfs 17:00.1 2
	bind vf:17:00.1 02:00
EOF
config "$lines"
run remove 17:00 99:00.3
status_is 0
config_is <<-EOF
	bind 02:00
EOF

begin "add --vfs: more than there can be, none at all, a bound one: nothing is written"
run add --vfs 65 17:00.0
status_is 1
run add --vfs 1 02:00.0
status_is 1
run add --vfs 0 17:00.0
status_is 2
run add --vfs 4x 17:00.0
status_is 2
run add --vfs 4294967300 17:00.0
status_is 2
run add --vfs 4 99:00.0
status_is 2
run add --vfs 4 --group 17:00.0
status_is 2
[ ! -e "$root/etc/vfio-early.conf" ] || problem "something was written"
config 'bind 17:00.0'
run add --vfs 4 17:00.0
status_is 1
printf 'bind 17:00.0' | config_is

begin "remove: one virtual function of all stays named by bind vf:, which is said"
config 'bind vf:17:00.0\nvfs 17:00.0 2'
run remove 17:00.1
status_is 1
printf 'bind vf:17:00.0\nvfs 17:00.0 2' | config_is

begin "check: a function that this host needs may have virtual ones: said, not refused"
protected
echo 8 >"$root/sys/bus/pci/devices/0000:00:1f.2/sriov_totalvfs"
config 'vfs 00:1f.2 2\n'
run check
out_has "notes   0000:00:1f.2: this host needs it"

# vfs_runs LINE...: the plan of this boot has these lines, and the unit runs.
vfs_runs() {
	mkdir -p "$root/run/vfio-early" "$root/dev"
	: >"$root/dev/kmsg"
	printf '%s\n' "$@" >"$root/run/vfio-early/plan"
	run vfs 0000:17:00.0
}

begin "vfs: what somebody else made stays; more than there can be is not tried"
fn=$root/sys/bus/pci/devices/0000:17:00.0
vfs_runs 'vfs 0000:17:00.0=8086:1572 4'
status_is 0
grep -q '^address=0000:17:00.0 .* result=made .* why=vfs-there ' "$root/run/vfio-early/report" ||
	problem "no vfs-there"
[ "$(cat "$fn/sriov_numvfs")" = 2 ] || problem "the number was changed"
config 'vfs 17:00.0 4\n'
run status
out_has "warning  vfs                 0000:17:00.0: virtual functions there already"
rm "$root/run/vfio-early/report"
vfs_runs 'vfs 0000:17:00.0=8086:1572 2'
status_is 0
grep -q '^address=0000:17:00.0 .* result=made .* why=vfs-made ' "$root/run/vfio-early/report" ||
	problem "as many as were asked for are not right"
rm "$root/run/vfio-early/report"
echo 0 >"$fn/sriov_numvfs"
vfs_runs 'vfs 0000:17:00.0=8086:1572 65'
status_is 1
grep -q ' why=vfs-too-many ' "$root/run/vfio-early/report" || problem "no vfs-too-many"
[ "$(cat "$fn/sriov_numvfs")" = 0 ] || problem "some were made"
vfs_runs 'vfs 0000:17:00.0=8086:1573 4'
status_is 1
grep -q ' why=vfs-moved ' "$root/run/vfio-early/report" || problem "no vfs-moved"
[ "$(cat "$fn/sriov_numvfs")" = 0 ] || problem "some were made of another device"

# A FIFO keeps who writes waiting for who reads, as the lock of a device that its driver holds. Who reads
# the number after all is found out by another writer, whose open() then returns.
begin "vfs: a driver that does not answer is given up on, and not waited for again by a read"
fn=$root/sys/bus/pci/devices/0000:17:00.0
rm "$fn/sriov_numvfs"
mkfifo "$fn/sriov_numvfs"
echo 1 >"$fn/sriov_drivers_autoprobe"
(
	for _ in $(seq 100); do
		[ "$(cat "$fn/sriov_drivers_autoprobe")" != 0 ] || break
		sleep 0.05
	done
	exec timeout 5 sh -c 'exec 3>"$1"; : >"$2"' sh "$fn/sriov_numvfs" "$work/was-read"
) &
waiter=$!
vfs_runs 'vfs 0000:17:00.0=8086:1572 4' 'deadline 1'
status_is 1
grep -q ' why=vfs-stuck ' "$root/run/vfio-early/report" || problem "no vfs-stuck"
[ "$(cat "$fn/sriov_drivers_autoprobe")" = 1 ] || problem "drivers are kept away from now on"
sleep 0.2
[ ! -e "$work/was-read" ] || problem "the number was read while its driver held it"
# Now it is: the writer ends.
timeout 5 cat "$fn/sriov_numvfs" >/dev/null
wait "$waiter"

# calls_of LINE...: a plan of these lines; how many calls the boot's binary makes for what vfs and set lines need.
calls_of() {
	mkdir -p "$root/usr/lib/vfio-early" "$root/dev"
	: >"$root/dev/kmsg"
	printf '%s\n' "$@" >"$work/plan"
	strace -f -qq -o "$work/calls" "$top/build/early/vfio-early-bind" -n -r "$root" -p "$work/plan" \
		>/dev/null 2>&1
	grep -q '/uevent"' "$work/calls" || problem "the run looked at no function: $*"
	grep -Ec '/(physfn|virtfn[0-9]*|sriov_totalvfs|sriov_drivers_autoprobe|reset_method|d3cold_allowed|power/control|vfs)"' \
		"$work/calls"
}

begin "the boot of a host with neither keyword asks for nothing that they need: calls counted"
if strace -qq true 2>/dev/null; then
	n=$(calls_of 'bind 10de:1187' 'bind 0000:02:00' 'bind class:0c05')
	[ "$n" -eq 0 ] || problem "$n calls"
	n=$(calls_of 'bind vf:0000:17:00.0=8086:1572')
	[ "$n" -ge 2 ] || problem "$n calls with a vf: line, which are not seen then"
else
	skip "no strace"
fi
