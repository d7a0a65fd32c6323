# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/host/changes/run
# import.

next='To take effect: vfio-early apply, then reboot.'

# old_recipes: one of each kind.
old_recipes() {
	config '# old\noptions vfio-pci ids=10de:1187,10de:0e0a disable_vga=1\nsoftdep nouveau pre: vfio-pci\n' \
		modprobe.d/vfio.conf
	config 'vfio-pci\n' driverctl.d/0000:17:00.0
	config 'loop\nvfio\nvfio_virqfd\n' modules
	config 'GRUB_CMDLINE_LINUX_DEFAULT="quiet pci-stub.ids=8086:1112"\n' default/grub
}

begin "import: nothing to do"
run import
status_is 0
no_err
out_is <<-EOF
	Nothing to import: no ids= and no override of driverctl for vfio-pci.
EOF
nothing_written

begin "import: modprobe.d, the command line of the boot loader, driverctl"
old_recipes
run import
status_is 0
sort "$root/etc/vfio-early.conf" >"$work/have"
is "$work/have" <<-EOF
	bind 0000:17:00.0=8086:1572	# from /etc/driverctl.d/0000:17:00.0
	bind 10de:0e0a	# GK104 HDMI Audio, from /etc/modprobe.d/vfio.conf:2
	bind 10de:1187	# GK104, from /etc/modprobe.d/vfio.conf:2
	bind 8086:1112	# from /etc/default/grub:1
EOF
err "warning: 2 functions have the ID 10de:1187: to take one of them, put its address into the config instead (vfio-early add ADDRESS)"
out "No longer needed, once the next boot has shown that it works:"
out "  /etc/modprobe.d/vfio.conf:2: options vfio-pci ids=10de:1187,10de:0e0a disable_vga=1"
out "  /etc/modprobe.d/vfio.conf:3: softdep nouveau pre: vfio-pci"
out "  /etc/modules:3: vfio_virqfd"
out "  /etc/driverctl.d/0000:17:00.0: vfio-pci"
out "  /etc/default/grub:1: pci-stub.ids=8086:1112"
out "$next"
grep -q '^options vfio-pci ids' "$root/etc/modprobe.d/vfio.conf" || problem "an old file was changed"
run import
status_is 0
no_err
out "The config has all of it already."
out "$next"
run import -n
status_is 0
out "The config has all of it already."
out "Nothing was written (--dry-run)."
no_out "$next"

# import_as_user: as somebody who may not read all of it.
import_as_user() {
	chmod 755 "$work"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$command" import -n --root "$root" >"$work/out" 2>"$work/err"
	status=$?
	chmod 700 "$work"
}

begin "import: as a user: a folder that a line only names, and one that can have recipes"
old_recipes
run import
mkdir -p "$root/etc/credstore" "$root/usr/lib/tmpfiles.d"
echo 'd /etc/credstore 0700 root root' >"$root/usr/lib/tmpfiles.d/credstore.conf"
chmod 700 "$root/etc/credstore"
if [ "$(id -u)" -ne 0 ] ||
	! setpriv --reuid 65534 --regid 65534 --clear-groups "$command" --version >"$work/out" 2>&1; then
	skip "needs root"
else
	import_as_user
	status_is 0
	no_err
	chmod 700 "$root/etc/modprobe.d"
	import_as_user
	status_is 1
	err "error: cannot read /etc/modprobe.d, which can have recipes: Permission denied; fix: run it as root"
fi

begin "import: after undo, what the config names already is not written again"
mkdir -p "$root/etc/modprobe.d" "$root/var/lib/vfio-early"
echo 'options vfio-pci ids=10de:1187' >"$root/etc/modprobe.d/vfio.conf"
run import
status_is 0
: >"$root/var/lib/vfio-early/undone"
run import
status_is 0
out "The config has all of it already."
err "note: vfio-early undo is in effect: the next boot binds nothing; fix: vfio-early apply"

begin "import --dry-run"
old_recipes
run import -n --delete
status_is 0
out "+bind 10de:1187	# GK104, from /etc/modprobe.d/vfio.conf:2"
out "/etc/driverctl.d/0000:17:00.0 would become /etc/driverctl.d/.0000:17:00.0.vfio-early-old"
out "Nothing was written (--dry-run)."
nothing_written
[ -e "$root/etc/driverctl.d/0000:17:00.0" ] || problem "the override is gone"
grep -q '^options vfio-pci ids' "$root/etc/modprobe.d/vfio.conf" || problem "an old file was changed"
[ -z "$(find "$root/etc" -name '*vfio-early-old*')" ] || problem "a backup was made"

begin "import --delete: commented out, the rest counts on, a backup beside"
old_recipes
cp -r "$root/etc" "$work/etc-before"
run import --delete
status_is 0
config_is modprobe.d/vfio.conf <<-EOF
	# old
	# vfio-early import: options vfio-pci ids=10de:1187,10de:0e0a disable_vga=1
	options vfio-pci disable_vga=1
	# vfio-early import: softdep nouveau pre: vfio-pci
EOF
config_is modules <<-EOF
	loop
	# vfio-early import: vfio
	# vfio-early import: vfio_virqfd
EOF
config_is default/grub <<-EOF
	GRUB_CMDLINE_LINUX_DEFAULT="quiet pci-stub.ids=8086:1112"
EOF
for name in modprobe.d/vfio.conf modules; do
	cmp -s "$work/etc-before/$name" "$root/etc/$name.vfio-early-old" || problem "no backup of $name"
	out "The old text is kept as /etc/$name.vfio-early-old"
done
rm -r "$work/etc-before"
out "/etc/driverctl.d/0000:17:00.0 is now /etc/driverctl.d/.0000:17:00.0.vfio-early-old"
[ ! -e "$root/etc/driverctl.d/0000:17:00.0" ] || problem "the override is still there"
no_out "  /etc/modules:3"
out "  /etc/default/grub:1: pci-stub.ids=8086:1112"
run import --delete
status_is 0
out "The config has all of it already."
[ "$(find "$root/etc" -name '*vfio-early-old*' | wc -l)" -eq 3 ] || problem "another backup was made"

begin "import --delete: a backup is never written over"
old_recipes
config 'precious\n' modules.vfio-early-old
run import --delete
status_is 0
[ "$(cat "$root/etc/modules.vfio-early-old")" = precious ] || problem "it was"
out "The old text is kept as /etc/modules.vfio-early-old.1"

begin "import: IDs with subsystem, class and any; twice the same; one that is wrong"
config 'options vfio-pci ids=10DE:1187:1458:3614,8086:1111:ffffffff:ffffffff:010601,8086:1111,zz,8086:1112\n' \
	modprobe.d/vfio.conf
run import --delete
status_is 1
config_is <<-EOF
	bind 8086:1111	# from /etc/modprobe.d/vfio.conf:1
	bind 8086:1112	# from /etc/modprobe.d/vfio.conf:1
EOF
err "error: /etc/modprobe.d/vfio.conf:1: no function has the ID 10de:1187:1458:3614 today, so it is left out; fix: delete it, or import again when the device is there"
err "error: /etc/modprobe.d/vfio.conf:1: zz is not a valid ID, so it is left out"
err "error: not all could be imported, so nothing is deleted"
grep -q '^options' "$root/etc/modprobe.d/vfio.conf" || problem "something was deleted"

begin "import: driverctl: another driver is not ours, an absent device is said"
config 'uio_pci_generic\n' driverctl.d/0000:02:00.0
config 'vfio-pci\n' driverctl.d/0000:44:00.0
run import
status_is 1
err "error: /etc/driverctl.d/0000:44:00.0: no function is at that address today, so it is left out"
[ ! -e "$root/etc/vfio-early.conf" ] || problem "a config was written"

begin "import: driverctl: a file whose name is no address is none of driverctl's"
config 'vfio-pci\n' driverctl.d/video
run import
status_is 0
out "Nothing to import: no ids= and no override of driverctl for vfio-pci."

begin "import: what the host needs is said"
protected
config 'options vfio-pci ids=8086:1111\n' modprobe.d/vfio.conf
run import --delete
status_is 1
err "error: /etc/modprobe.d/vfio.conf:1: 0000:00:1f.2 8086:1111 is left out, because it would not be bound: holds / (protect); fix: delete it here; only if you know better, vfio-early add --force 0000:00:1f.2"
[ ! -e "$root/etc/vfio-early.conf" ] || problem "a config was written"
grep -q '^options' "$root/etc/modprobe.d/vfio.conf" || problem "something was deleted"

begin "import: usage"
run import now
status_is 2
err "error: import takes no argument: now"

begin "import --delete: a folder that is read-only: the config is there, the old lines too"
old_recipes
if in_namespace "mount --bind $root/etc/modprobe.d $root/etc/modprobe.d &&
	mount -o remount,ro,bind $root/etc/modprobe.d &&
	{ $command import --delete --root $root >$work/out 2>$work/err; echo \$? >$work/status; }" \
	2>/dev/null; then
	status=$(cat "$work/status")
	status_is 3
	err "error: cannot keep a backup of /etc/modprobe.d/vfio.conf; nothing was changed: Read-only file system"
	grep -q '^bind 10de:1187' "$root/etc/vfio-early.conf" || problem "the config was not written"
	grep -q '^options vfio-pci ids' "$root/etc/modprobe.d/vfio.conf" || problem "the old line is gone"
else
	skip "no namespace of its own"
fi

# in_file FILE LINE: it has this line.
in_file() {
	grep -Fxq -e "$2" "$root/etc/$1" || problem "$1 has no line: $2"
}

begin "import: a list of modules of the initramfs, quotes, an install line that is plain modprobe"
config 'vfio\nvfio_pci ids=10de:1187 disable_vga=1\n' initramfs-tools/modules
config 'install vfio-pci /sbin/modprobe -i vfio-pci "ids=10de:0e0a"\n' modprobe.d/vfio.conf
run import --delete
status_is 0
in_file vfio-early.conf "bind 10de:1187	# GK104, from /etc/initramfs-tools/modules:2"
in_file vfio-early.conf "bind 10de:0e0a	# GK104 HDMI Audio, from /etc/modprobe.d/vfio.conf:1"
config_is initramfs-tools/modules <<-EOF
	# vfio-early import: vfio
	# vfio-early import: vfio_pci ids=10de:1187 disable_vga=1
	vfio_pci disable_vga=1
EOF
config_is modprobe.d/vfio.conf <<-EOF
	# vfio-early import: install vfio-pci /sbin/modprobe -i vfio-pci "ids=10de:0e0a"
EOF

# other_options: what modprobe hands to modules, less ids= and what a blank cut off from it.
other_options() {
	modprobe -C "$root/etc/modprobe.d" --showconfig 2>/dev/null | sed -n '/^options/p' |
		sed -E 's/"ids=[^"]*"|ids="[^"]*"|ids=[^ ]*//g; s/ [0-9a-f]{4}:[0-9a-f]{4}//g' |
		sed -E 's/ #.*//; s/ +/ /g; s/ $//' | grep -E '^options [^ ]+ ' | sort
}

begin "import --delete: every other option stays in force"
config '# x\n  options vfio-pci ids=10de:1187 disable_idle_d3=1\noptions kvm ignore_msrs=1\n' modprobe.d/a.conf
config 'options vfio_pci \\\n  disable_vga=1 \\\n  ids="10de:1187, 10de:0e0a" x="a b" y=c\\\\\\\\d\noptions vfio-pci nointxmask=1' \
	modprobe.d/b.conf
config 'options vfio-pci ids=8086:1572, 8086:154c enable_sriov=1 # the NIC\nsoftdep nouveau pre: vfio-pci\n' modprobe.d/c.conf
other_options >"$work/options-before"
[ "$(grep -c '^options \(vfio_pci\|kvm\)' "$work/options-before")" -eq 5 ] || problem "not five lines of options before"
run import --delete
status_is 0
other_options >"$work/options-after"
cmp -s "$work/options-before" "$work/options-after" || problem "$(diff "$work/options-before" "$work/options-after")"
modprobe -C "$root/etc/modprobe.d" --showconfig | grep '^options vfio_pci.*ids=' >"$work/ids" &&
	problem "ids= counts still: $(cat "$work/ids")"
# Only the last of them was in force.
in_file vfio-early.conf "bind 8086:1572	# from /etc/modprobe.d/c.conf:1"
! grep -q 10de "$root/etc/vfio-early.conf" || problem "an ID that was set again was imported"
out "  /etc/modprobe.d/c.conf:1: 8086:154c: does nothing: a blank ends the list of IDs, so what follows is another parameter"
no_out "Set again further down"

begin "import: a line that is set again further down is named with the one that counts, until both are deleted"
config 'options vfio-pci ids=10de:1187\n' modprobe.d/a.conf
config 'options vfio-pci ids=10de:0e0a\n' modprobe.d/b.conf
run import
status_is 0
out "Set again further down, so not imported; delete them together:"
out "  /etc/modprobe.d/a.conf:1: options vfio-pci ids=10de:1187: does nothing: the parameter is set again further down, and only the last one counts (/etc/modprobe.d/b.conf:1)"
run import --delete
status_is 0
no_out "Set again further down"
no_out "set again further down"
in_file modprobe.d/a.conf "# vfio-early import: options vfio-pci ids=10de:1187"
in_file modprobe.d/b.conf "# vfio-early import: options vfio-pci ids=10de:0e0a"
run check
no_out "modprobe.d"

begin "import: a line with two ids=, which stays: it is not further down than itself"
config 'options vfio-pci ids=10de:1187 ids=10de:0e0a,dead:beef\n' modprobe.d/vfio.conf
for asked in 'import' 'import --delete'; do
	# shellcheck disable=SC2086 # a command with its option
	run $asked
	status_is 1
	no_out "further down"
	in_file modprobe.d/vfio.conf "options vfio-pci ids=10de:1187 ids=10de:0e0a,dead:beef"
done

begin "import --delete: a line that goes on in the next: check has nothing against the comments"
config 'options vfio-pci \\\n  disable_vga=1 \\\n  ids=10de:1187,10de:0e0a\n' modprobe.d/v.conf
run import
run import --delete
status_is 0
config_is modprobe.d/v.conf <<-'EOF'
	# vfio-early import: options vfio-pci
	# vfio-early import:   disable_vga=1
	# vfio-early import:   ids=10de:1187,10de:0e0a
	options vfio-pci disable_vga=1
EOF
run check
no_out "v.conf:1:"
no_out "does nothing"
config 'options vfio-pci ids=10de:1187 x=a\\\\\noptions kvm ignore_msrs=1\n' modprobe.d/v.conf
run import --delete
in_file modprobe.d/v.conf 'options kvm ignore_msrs=1'
modprobe -C "$root/etc/modprobe.d" --showconfig 2>/dev/null | grep -q '^options kvm ignore_msrs=1' ||
	problem "a comment takes the next line: $(cat "$root/etc/modprobe.d/v.conf")"

begin "import: an ID of twins, of which the config names one: the other stays with this host"
config 'options vfio-pci ids=10de:1187,10de:0e0a\n' modprobe.d/vfio.conf
config 'bind 02:00\n'
run import
status_is 0
out "The config has the rest of it already."
out "  /etc/modprobe.d/vfio.conf:1: options vfio-pci ids=10de:1187,10de:0e0a"
err "warning: /etc/modprobe.d/vfio.conf:1: 0000:01:00.0 10de:1187 is left out: the config names another function with that ID; to hand it over too: vfio-early add --only 0000:01:00.0"
err "warning: /etc/modprobe.d/vfio.conf:1: 0000:01:00.1 10de:0e0a is left out: the config names another function with that ID; to hand it over too: vfio-early add --only 0000:01:00.1"
! grep -q 'is in the slot' "$work/err" || problem "what is left out is proposed"
echo 'bind 02:00' | config_is

begin "import: what is not in force is no reason to bind"
config 'options vfio-pci ids=10de:1187\n' modprobe.d/vfio
config 'options vfio-pci vfio-pci.ids=10de:1187\n' modprobe.d/vfio.conf
config 'vfio-pci ids=10de:1187\n' modules
config 'GRUB_CMDLINE_LINUX_DEFAULT="quiet vfio-pci.ids=10de:1187" # vfio-pci.ids=1:2\n' default/grub
config 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n' default/grub.d/x.cfg
run import --delete
status_is 0
[ ! -e "$root/etc/vfio-early.conf" ] || problem "$(cat "$root/etc/vfio-early.conf")"
out "Nothing to import: no ids= and no override of driverctl for vfio-pci."
out "Not in force, and so not imported:"
out_has "/etc/modprobe.d/vfio:1: options vfio-pci ids=10de:1187: does nothing: nothing reads a file"
out_has "/etc/modprobe.d/vfio.conf:1: "
out_has "/etc/modules:1: vfio-pci ids=10de:1187: does nothing: "
out_has "/etc/default/grub:1: vfio-pci.ids=10de:1187: does nothing: the boot loader"
no_out "has all of it"

begin "check, import: a unit file that lies in a .wants folder is named, a link there is not named twice"
bind='ExecStart=/bin/sh -c "echo vfio-pci >/sys/bus/pci/devices/0000:17:00.0/driver_override"'
config "[Service]\n$bind\n" systemd/system/multi-user.target.wants/vfio.service
config "[Service]\n$bind\n" systemd/system/bind.service
ln -s /etc/systemd/system/bind.service "$root/etc/systemd/system/multi-user.target.wants/bind.service"
run import
status_is 0
out "  /etc/systemd/system/multi-user.target.wants/vfio.service:2: $bind: does nothing: nothing reads that place"
err_has "/etc/systemd/system/bind.service:2: "
! grep -q 'wants/bind' "$work/out" "$work/err" || problem "the link is named: $(cat "$work/out" "$work/err")"
run check --json
[ "$(jq -c '[.findings[] | select(.stage == "recipe") | [.code, .level]]' "$work/out")" = \
	'[["unit","warns"],["no-reader","notes"]]' ] || problem "$(cat "$work/out")"

begin "check, import: a list with commas behind blacklist"
config 'blacklist nouveau,nvidia\n' modprobe.d/b.conf
run import
status_is 0
out "  /etc/modprobe.d/b.conf:1: blacklist nouveau,nvidia: does nothing: a blacklist line takes one module, so the list is read as one name"
run check
out_has "fix: write one blacklist line for each module; delete it if the config names their devices"

begin "import: proxmox-boot-tool reads the first line of /etc/kernel/cmdline alone"
rm -r "${root:?}/boot/grub"
mkdir -p "$root/usr/sbin" "$root/sys/firmware/efi/efivars"
echo '#!/bin/sh' >"$root/usr/sbin/proxmox-boot-tool"
chmod 755 "$root/usr/sbin/proxmox-boot-tool"
echo 'initrd=\EFI\proxmox\6.8.12-4-pve\initrd.img root=ZFS=rpool/ROOT/pve-1 boot=zfs' >"$root/proc/cmdline"
config '1234-ABCD\n' kernel/proxmox-boot-uuids
config 'root=ZFS=rpool/ROOT/pve-1 boot=zfs "vfio-pci.ids=10de:0e0a"\nvfio-pci.ids=10de:1187\n' kernel/cmdline
run import
status_is 0
[ "$(grep ^bind "$root/etc/vfio-early.conf")" = "bind 10de:0e0a	# GK104 HDMI Audio, from /etc/kernel/cmdline:1" ] ||
	problem "$(cat "$root/etc/vfio-early.conf")"
out "  /etc/kernel/cmdline:2: vfio-pci.ids=10de:1187: does nothing: the boot loader does not pass it to the kernel (not-first-line)"

for ids in "'10de:1187,10de:0e0a'" '10de:1187;10de:0e0a' 10de:ffffffff:ffffffff:ffffffff:030000:ffff00 10de:1187:1458; do
	begin "import: ids=$ids: what no line says is left out, with exit 1, and stays"
	config "options vfio-pci ids=$ids\n" modprobe.d/vfio.conf
	run import --delete
	status_is 1
	err "error: not all could be imported, so nothing is deleted"
	no_out "No longer needed"
	no_out "has all of it"
	in_file modprobe.d/vfio.conf "options vfio-pci ids=$ids"
done

begin "import: a rule for any device: the devices of today are named"
config 'options vfio-pci ids=10de:ffffffff:ffffffff:ffffffff:030000:ffff00\n' modprobe.d/vfio.conf
run import
status_is 1
err "error: /etc/modprobe.d/vfio.conf:1: 10de:ffffffff:ffffffff:ffffffff:030000:ffff00 is left out: no single bind line means the same; fix: vfio-early add --only 0000:01:00.0 0000:02:00.0, which it takes today"

begin "import: only vfio in /etc/modules: nothing to import, and nothing is claimed"
config 'vfio\n' modules
run import
status_is 0
out "Nothing to import: no ids= and no override of driverctl for vfio-pci."
no_out "has all of it"

begin "import: the other half of the card is said"
config 'options vfio-pci ids=10de:1187\n' modprobe.d/vfio.conf
run import
status_is 0
err "warning: 0000:01:00.1 10de:0e0a is in the slot or the group of 0000:01:00.0, and no recipe names it; to hand it over too: vfio-early add --only 0000:01:00.1"

out "In the way of the next boot, or of a VM:"
out_has "blocks  0000:01:00.1: shares group 14 with bound functions"

begin "import: a mate that the host needs is not proposed"
protected
config 'options vfio-pci ids=8086:1112\n' modprobe.d/vfio.conf
run import
status_is 0
err "warning: 0000:00:1f.2 8086:1111 is in the slot or the group of 0000:00:1f.3, and holds /: no VM can have that group"
! grep -q 'add --only 0000:00:1f.2' "$work/err" || problem "the disk of the host is proposed"

begin "import --dry-run: what would stand in the way is said as after the import"
protected
config 'options vfio-pci ids=8086:1112\n' modprobe.d/vfio.conf
run import --dry-run
sed -n '/^In the way/,/^Nothing was written/{/^Nothing was written/!p}' "$work/out" >"$work/dry"
out "In the way of the next boot, or of a VM:"
[ ! -e "$root/etc/vfio-early.conf" ] || problem "a config was written"
run import
sed -n '/^In the way/,/^To take effect/{/^To take effect/!p}' "$work/out" >"$work/wet"
cmp -s "$work/dry" "$work/wet" || problem "$(diff "$work/dry" "$work/wet")"

begin "import --delete: a file of /usr/lib is nobody's; a link is edited once, by its own name"
mkdir -p "${root:?}/usr/lib/modprobe.d" "$root/etc/modules-load.d"
echo 'options vfio-pci ids=10de:1187' >"$root/usr/lib/modprobe.d/vfio.conf"
config 'vfio\nvfio_pci\nloop\n' modules
ln -s ../modules "$root/etc/modules-load.d/modules.conf"
run import --delete
status_is 0
out "  /usr/lib/modprobe.d/vfio.conf:1: options vfio-pci ids=10de:1187"
[ "$(cat "$root/usr/lib/modprobe.d/vfio.conf")" = "options vfio-pci ids=10de:1187" ] || problem "it was edited"
config_is modules <<-EOF
	# vfio-early import: vfio
	# vfio-early import: vfio_pci
	loop
EOF
[ "$(find "$root/etc" -name '*vfio-early-old*' | wc -l)" -eq 1 ] || problem "more than one backup"

begin "import --delete: a last line that ends in a backslash does not swallow the rest"
config 'options vfio-pci ids=10de:1187 disable_vga=1 \\' modprobe.d/vfio.conf
run import --delete
status_is 0
modprobe -C "$root/etc/modprobe.d" --showconfig 2>/dev/null | grep -q '^options vfio_pci disable_vga=1' ||
	problem "disable_vga=1 is gone: $(cat "$root/etc/modprobe.d/vfio.conf")"

begin "import: what binds by itself is named, and stays"
config 'SUBSYSTEM=="pci", ATTR{driver_override}="vfio-pci"\n' udev/rules.d/80-vfio.rules
config 'options kvm ignore_msrs=1\n' modprobe.d/kvm.conf
run import --delete
status_is 0
err "warning: /etc/udev/rules.d/80-vfio.rules:1: SUBSYSTEM==\"pci\", ATTR{driver_override}=\"vfio-pci\": a udev rule binds devices of its own choice; vfio-early add ADDRESS for what it names, then delete it"
out "Left as it is:"
out "  /etc/modprobe.d/kvm.conf:1: ignore_msrs=1: may stay: it lets guests use registers that KVM does not know, which some Windows guests need"

begin "import --delete: an override that was hidden before is not written over"
config 'vfio-pci\n' driverctl.d/0000:17:00.0
config 'precious\n' driverctl.d/.0000:17:00.0.vfio-early-old
run import --delete
status_is 0
[ "$(cat "$root/etc/driverctl.d/.0000:17:00.0.vfio-early-old")" = precious ] || problem "it was"
out "/etc/driverctl.d/0000:17:00.0 is now /etc/driverctl.d/.0000:17:00.0.vfio-early-old.1"

begin "import --delete: what loads vfio-pci for a line that binds by itself stays"
config 'vfio-pci\n' modules
config 'softdep nouveau pre: vfio-pci\n' modprobe.d/vfio.conf
config 'echo 10de 1187 > /sys/bus/pci/drivers/vfio-pci/new_id\n' rc.local
run import --delete
status_is 0
out "Nothing to import: no ids= and no override of driverctl for vfio-pci."
no_out "No longer needed"
in_file modules vfio-pci
in_file modprobe.d/vfio.conf "softdep nouveau pre: vfio-pci"
config 'bind 10de:1187\n'
run import --delete
in_file modules vfio-pci
in_file modprobe.d/vfio.conf "softdep nouveau pre: vfio-pci"
rm "$root/etc/rc.local"
run import --delete
in_file modules "# vfio-early import: vfio-pci"
in_file modprobe.d/vfio.conf "# vfio-early import: softdep nouveau pre: vfio-pci"

begin "import --delete: without a bind line the modules stay"
config 'vfio-pci\n' modules
run import --delete
status_is 0
in_file modules vfio-pci
no_out "No longer needed"

begin "import --delete: other modules of a softdep line stay in force"
config 'bind 10de:1187\n'
config 'softdep snd_hda_intel pre: vfio-pci snd_hda_codec_hdmi\nsoftdep nouveau pre: vfio vfio_pci post: i2c_core\nsoftdep xhci_pci pre: vfio_pci post:\n' \
	modprobe.d/vfio.conf
run import --delete
status_is 0
config_is modprobe.d/vfio.conf <<-EOF
	# vfio-early import: softdep snd_hda_intel pre: vfio-pci snd_hda_codec_hdmi
	softdep snd_hda_intel pre: snd_hda_codec_hdmi
	# vfio-early import: softdep nouveau pre: vfio vfio_pci post: i2c_core
	softdep nouveau post: i2c_core
	# vfio-early import: softdep xhci_pci pre: vfio_pci post:
EOF

begin "import: two at once write each line once"
i=0
while [ $i -lt 10 ] && [ -z "$problems" ]; do
	rm -f "${root:?}/etc/vfio-early.conf"
	config 'options vfio-pci ids=10de:1187,10de:0e0a\nsoftdep nouveau pre: vfio-pci\n' modprobe.d/vfio.conf
	"$command" import --delete --root "$root" >"$work/out" 2>"$work/err" &
	"$command" import --delete --root "$root" >/dev/null 2>&1 &
	wait
	[ "$(sort "$root/etc/vfio-early.conf" | uniq -d | wc -l)" -eq 0 ] || problem "a line is there twice"
	[ "$(grep -c ^bind "$root/etc/vfio-early.conf")" -eq 2 ] || problem "not two lines"
	[ "$(grep -c 'import: # vfio-early' "$root/etc/modprobe.d/vfio.conf")" -eq 0 ] || problem "commented out twice"
	[ "$(grep -c '^# vfio-early import: ' "$root/etc/modprobe.d/vfio.conf")" -eq 2 ] || problem "not commented out"
	i=$((i + 1))
done

begin "import: a line that may go is named once, whatever part of it is in force"
config 'options vfio-pci ids=10de:1187 ids=10de:0e0a\n' modprobe.d/vfio.conf
run import
status_is 0
out "No longer needed, once the next boot has shown that it works:"
[ "$(grep -c '^  /etc/modprobe.d/vfio.conf:1: ' "$work/out")" -eq 1 ] || problem "the line is named more than once"

begin "import: an ID that no function has is left out, with exit 1, and stays; check has nothing against the config"
config 'options vfio-pci ids=10de:1187,dead:beef\n' modprobe.d/vfio.conf
run import --delete
status_is 1
config_is <<-EOF
	bind 10de:1187	# GK104, from /etc/modprobe.d/vfio.conf:1
EOF
err "error: /etc/modprobe.d/vfio.conf:1: no function has the ID dead:beef today, so it is left out; fix: delete it, or import again when the device is there"
err "error: not all could be imported, so nothing is deleted"
no_out "No longer needed"
no_out "has all of it"
in_file modprobe.d/vfio.conf "options vfio-pci ids=10de:1187,dead:beef"
run check
! grep -q 'dead:beef: no such function' "$work/out" || problem "check blocks what import has written"

begin "import --delete: what the config keeps away stays with the recipe"
config 'except 02:00.0\n'
config 'options vfio-pci ids=10de:1187,10de:0e0a\n' modprobe.d/vfio.conf
run import --delete
status_is 1
err "error: /etc/modprobe.d/vfio.conf:1: 0000:02:00.0 10de:1187 is left out, because it would not be bound: in except; fix: remove it from the except line, or delete it here"
in_file modprobe.d/vfio.conf "options vfio-pci ids=10de:1187,10de:0e0a"
no_out "No longer needed"
in_file vfio-early.conf "bind 0000:01:00.0=10de:1187	# GK104, from /etc/modprobe.d/vfio.conf:1"
! grep -q '^bind 10de:1187' "$root/etc/vfio-early.conf" || problem "the one in except is named too"
! grep -q 'is in the slot' "$work/err" || problem "what is left out is proposed"
run import --delete
status_is 1
no_out "has all of it"
in_file modprobe.d/vfio.conf "options vfio-pci ids=10de:1187,10de:0e0a"

begin "import --delete: an override of driverctl that the config keeps away stays"
config 'except 17:00.0\n'
config 'vfio-pci\n' driverctl.d/0000:17:00.0
run import --delete
status_is 1
[ -e "$root/etc/driverctl.d/0000:17:00.0" ] || problem "the override is gone"
err_has "error: /etc/driverctl.d/0000:17:00.0: 0000:17:00.0 8086:1572 is left out, because it would not be bound: in except"

begin "import: boot-vga keep: the host's screen is not taken over, and its recipe stays"
config 'boot-vga keep\n'
config 'options vfio-pci ids=10de:1187\n' modprobe.d/vfio.conf
run import --delete
status_is 1
err_has "error: /etc/modprobe.d/vfio.conf:1: 0000:01:00.0 10de:1187 is left out, because it would not be bound:"
in_file modprobe.d/vfio.conf "options vfio-pci ids=10de:1187"

begin "import --delete: an alias of vfio-pci; its options count for nobody"
config 'bind 10de:1187\n'
config 'alias nouveau_off vfio-pci\n' modprobe.d/b.conf
config 'options nouveau-off ids=10de:0e0a\n' modprobe.d/a.conf
run import --delete
status_is 0
out "  /etc/modprobe.d/a.conf:1: options nouveau-off ids=10de:0e0a: does nothing: options of an alias count only when vfio-pci is loaded by that name"
in_file modprobe.d/b.conf "# vfio-early import: alias nouveau_off vfio-pci"
! grep -q 0e0a "$root/etc/vfio-early.conf" || problem "an ID that is not in force was imported"

begin "import: GRUB's variable that is set again in the same file"
config 'GRUB_CMDLINE_LINUX_DEFAULT="quiet vfio-pci.ids=10de:1187"\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n' default/grub
run import
status_is 0
out "  /etc/default/grub:1: vfio-pci.ids=10de:1187: does nothing: the boot loader does not pass it to the kernel (lost)"
[ ! -e "$root/etc/vfio-early.conf" ] || problem "a config was written"

# no_loader: nothing says what boots it.
no_loader() {
	rm -r "${root:?}/boot/grub"
	echo 'root=/dev/sda1 ro quiet' >"$root/proc/cmdline"
}

begin "import: the file of a boot loader that is not known: named, not imported, with exit 1"
no_loader
mkdir -p "$root/boot"
printf '/Debian\n    cmdline: root=/dev/sda1 vfio-pci.ids=10de:1187\n' >"$root/boot/limine.conf"
config 'root=/dev/sda1 vfio-pci.ids=10de:0e0a\n' kernel/cmdline
run import --delete
status_is 1
[ ! -e "$root/etc/vfio-early.conf" ] || problem "a config was written"
err "warning: /boot/limine.conf:2: vfio-pci.ids=10de:1187: it is not known whether the boot loader reads that file and passes it to the kernel; vfio-early add ADDRESS for its device, then delete it"
err_has "warning: /etc/kernel/cmdline:1: vfio-pci.ids=10de:0e0a: it is not known whether"
no_out "does nothing"
run check
[ "$(grep -c 'limine.conf:2' "$work/out")" -eq 1 ] || problem "check does not name it once"

# once FILE:LINE: check, status and import name it, each once.
once() {
	for asked in 'check --json' 'status --json' 'import'; do
		# shellcheck disable=SC2086 # a command with its option
		run $asked
		[ "$asked" != import ] || status_is 1
		found=$(cat "$work/out" "$work/err" | grep -cF "$1")
		[ "$found" -eq 1 ] || problem "$asked names $1 $found times"
		[ "$asked" = import ] || [ "$(jq -r --arg at "$1" '.findings[] | select(.subject == $at) | .code + " " + .level' \
			"$work/out")" = "loader-file-unread warns" ] || problem "$asked: $(grep -F -B3 -A3 "$1" "$work/out")"
	done
}

for doubt in 'if true; then GRUB_CMDLINE_LINUX=x; fi' 'GRUB_CMDLINE_LINUX+=" x"' 'GRUB_CMDLINE_LINUX = "x"' \
	'. /etc/default/more' 'GRUB_CMDLINE_LINUX="$(cat /etc/more)"' 'eval "$X"' 'GRUB_CMDLINE_LINUX="`more`"'; do
	begin "check, status, import: $doubt: what it comes to is not known: named once"
	mkdir -p "$root/etc/default"
	printf '%s\n' 'GRUB_TIMEOUT=1' "$doubt" >"$root/etc/default/grub"
	once /etc/default/grub:2
	err_has "warning: /etc/default/grub:2: $doubt: does more than assign values: which kernel parameters it comes to is not known"
done

begin "list does not ask the boot loader, check does"
mkdir -p "$work/bin"
cp "$command" "$work/bin/vfio-early"
printf '#!/bin/sh\necho "$@" >>%s\n' "$work/asked" >"$work/bin/vfio-early-cmdline"
chmod 755 "$work/bin/vfio-early-cmdline"
: >"$work/asked"
config 'bind 10de:1187\n'
for asked in list 'list -a' 'list --json' groups; do
	# shellcheck disable=SC2086 # a command with its option
	"$work/bin/vfio-early" $asked --root "$root" >"$work/out" 2>"$work/err" || problem "$asked: exit status $?"
	[ ! -s "$work/asked" ] || problem "$asked asks: $(cat "$work/asked")"
done
"$work/bin/vfio-early" check --root "$root" >"$work/out" 2>"$work/err"
grep -q '^next ' "$work/asked" || problem "check does not ask, so that this test shows nothing"
rm -r "$work/bin" "$work/asked"

begin "import: a file of the boot loader that cannot be read: said as such, by check too"
config 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n' default/grub
if in_namespace "true" 2>/dev/null && [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 0 "$root/etc/default/grub"
	chmod -R a+rX "$work"
	chmod 0 "$root/etc/default/grub"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$command" check --json --root "$root" >"$work/out" 2>"$work/err"
	[ "$(jq -r '.findings[] | select(.code == "loader-file-unreadable") | .subject + " " + .level' "$work/out")" = \
		"/etc/default/grub:1 warns" ] || problem "$(cat "$work/out" "$work/err")"
else
	skip "no other user"
fi

begin "import --delete: what an install line hands over besides ids= stays in force"
config 'install vfio-pci /sbin/modprobe -i vfio-pci ids=10de:1187 disable_vga=1 "x=a b"\n' modprobe.d/vfio.conf
run import --delete
status_is 0
in_file vfio-early.conf "bind 10de:1187	# GK104, from /etc/modprobe.d/vfio.conf:1"
in_file modprobe.d/vfio.conf 'options vfio-pci disable_vga=1 "x=a b"'

begin "import: the IDs of an install line that does more are left out, with exit 1"
config 'install vfio-pci /sbin/modprobe -i vfio-pci ids=10de:1187 && /bin/x\n' modprobe.d/vfio.conf
run import --delete
status_is 1
err "error: /etc/modprobe.d/vfio.conf:1: the IDs in it are left out, as the line does more than load vfio-pci with them; fix: vfio-early add ADDRESS for what it names, then delete it"
in_file modprobe.d/vfio.conf 'install vfio-pci /sbin/modprobe -i vfio-pci ids=10de:1187 && /bin/x'
no_out "Nothing to import"
no_out "To take effect"

begin "import: ids= of a module that is not loaded for another option binds nothing"
config 'options vfio-pci ids=10de:1187 disable_vga=2\n' modprobe.d/vfio.conf
run import --delete
status_is 0
nothing_written
out "  /etc/modprobe.d/vfio.conf:1: options vfio-pci ids=10de:1187 disable_vga=2: does nothing: an option of vfio-pci has a value that it does not take, so modprobe does not load it (/etc/modprobe.d/vfio.conf:1)"

begin "import: allow_unsafe_interrupts where interrupts are remapped: as check has it"
config 'options vfio_iommu_type1 allow_unsafe_interrupts=on\n' modprobe.d/vfio.conf
run import
no_err
out "  /etc/modprobe.d/vfio.conf:1: options vfio_iommu_type1 allow_unsafe_interrupts=on: does nothing: this host remaps interrupts"

begin "import: what makes virtual functions becomes vfs lines, once; what is not understood is named"
mkdir -p "$root/sys/class/net/enp23s0f0"
ln -s ../../../bus/pci/devices/0000:17:00.0 "$root/sys/class/net/enp23s0f0/device"
config '# x\nclass/net/enp23s0f0/device/sriov_numvfs = 0\nclass/net/enp23s0f0/device/sriov_numvfs = 4\n' sysfs.conf
config 'enp23s0f0 4\n' pve/sriov.conf
run import
status_is 0
config_is <<-EOF
	vfs 0000:17:00.0=8086:1572 4	# from /etc/sysfs.conf:3
EOF
# Alone, the 0 would remove what the vfs line makes.
out "  /etc/sysfs.conf:2: class/net/enp23s0f0/device/sriov_numvfs = 0"
out "  /etc/sysfs.conf:3: class/net/enp23s0f0/device/sriov_numvfs = 4"
out "  /etc/pve/sriov.conf:1: enp23s0f0 4"
err "warning: /etc/pve/sriov.conf:1: nothing on this host reads that file by itself"
run import
status_is 0
out "The config has all of it already."
config 'echo 8 > /sys/bus/pci/devices/0000:17:00.0/sriov_numvfs\n' rc.local
run import
status_is 0
chmod 755 "$root/etc/rc.local"
run import
status_is 1
err "error: /etc/rc.local:1: virtual functions of 0000:17:00.0 are left out: 8 are asked for, and another line has 4; fix: delete the line, or correct the number of vfs 0000:17:00.0 in the config"

while IFS='|' read -r file text wanted; do
	begin "import: virtual functions of $file, $wanted: ${text%%\\*}"
	config "$text\n" "$file"
	case $file in */rc.local) chmod 755 "$file" ;; esac
	run import
	if [ "$wanted" = - ]; then
		status_is 1
		[ ! -s "$root/etc/vfio-early.conf" ] || problem "a line was written"
	else
		status_is 0
		grep -q "^vfs 0000:17:00.0=8086:1572 $wanted	" "$root/etc/vfio-early.conf" || problem "no line"
	fi
done <<-'EOF'
	tmpfiles.d/a.conf|w /sys/bus/pci/devices/0000:17:00.0/sriov_numvfs - - - - 8|8
	tmpfiles.d/a.conf|w /sys/bus/pci/devices/0000:17:00.0/sriov_numvfs - - - -|-
	sysfs.d/a.conf|devices/pci0000:00/0000:00:03.0/0000:17:00.0/sriov_numvfs=65|-
	rc.local|echo 3 > /sys/bus/pci/devices/0000:17:00.0/sriov_numvfs|3
	rc.local|echo 3 > /sys/bus/pci/devices/0000:17:00.0/sriov_numvfs; ip link set up eth0|-
	rc.local|echo 3 > /sys/bus/pci/devices/$dev/sriov_numvfs|-
	rc.local|echo 3 > /sys/bus/pci/devices/0000:99:00.0/sriov_numvfs|-
	systemd/network/a.link|[Match]\nPath=pci-0000:17:00.0\n[Link]\nSR-IOVVirtualFunctions=2|2
	modprobe.d/a.conf|options i40e max_vfs=5|5
	modprobe.d/a.conf|options i40e max_vfs=5,6|-
	modprobe.d/a.conf|options ixgbe max_vfs=5|-
EOF

while IFS='|' read -r mode name text why; do
	begin "import: virtual functions of a line that is not in force: $why"
	config "$text\n" "../$name"
	chmod "$mode" "$root/$name"
	case $why in
	hidden*)
		mkdir -p "$root/etc/tmpfiles.d"
		ln -s /dev/null "$root/etc/tmpfiles.d/a.conf"
		;;
	esac
	run import
	status_is 0
	[ ! -s "$root/etc/vfio-early.conf" ] || problem "a line was written"
	out "Makes no virtual functions, as it is not in force, and so not imported:"
	out_has "numvfs"
	out_has ": $why"
done <<-'EOF'
	644|etc/rc.local|echo 3 > /sys/bus/pci/devices/0000:17:00.0/sriov_numvfs|the file is not executable, so nothing runs it
	755|etc/rc.local|exit 0\necho 3 > /sys/bus/pci/devices/0000:17:00.0/sriov_numvfs|behind an exit
	644|etc/sysfs.conf|bus/pci/devices/0000:17:00.0/sriov_numvfs = 3\nbus/pci/devices/0000:17:00.0/sriov_numvfs = 0|a later line writes 0
	644|usr/lib/tmpfiles.d/a.conf|w /sys/bus/pci/devices/0000:17:00.0/sriov_numvfs - - - - 3|hidden by the same name in an earlier directory
EOF

begin "import: virtual functions of a function that is bound itself: left out, as add --vfs refuses it"
for text in 'bind 17:00.0\n' 'bind 17:00.0=8086:1572\n'; do
	config "$text"
	cp "$root/etc/vfio-early.conf" "$work/want"
	config 'bus/pci/devices/0000:17:00.0/sriov_numvfs = 4\n' sysfs.conf
	run import
	status_is 1
	err "error: /etc/sysfs.conf:1: virtual functions of 0000:17:00.0 are left out: it is bound itself, and on vfio-pci it makes none; fix: delete the line, or keep it from being bound first: vfio-early remove 0000:17:00.0"
	config_is <"$work/want"
done
run remove 0000:17:00.0
status_is 0
run import
status_is 0
config_is <<-EOF
	vfs 0000:17:00.0=8086:1572 4	# from /etc/sysfs.conf:1
EOF
# So does a line that the same import makes.
config ''
config 'options vfio-pci ids=8086:1572\n' modprobe.d/vfio.conf
run import
status_is 1
config_is <<-EOF
	bind 8086:1572	# from /etc/modprobe.d/vfio.conf:1
EOF

begin "import: more virtual functions than there can be, and the config has the same number"
config 'vfs 17:00.0 65\n'
config 'bus/pci/devices/0000:17:00.0/sriov_numvfs = 65\n' sysfs.conf
run import
status_is 1
err "error: /etc/sysfs.conf:1: virtual functions of 0000:17:00.0 are left out: 65 are asked for, and it can have 64; fix: write 64 or fewer into the line vfs 0000:17:00.0 of the config, then delete this one"

begin "import: an address where an ID belongs: named as such, with the command that takes it"
config 'options vfio-pci ids=01:00.0,0000:02:00.0,0x10de:0x1187\n' modprobe.d/vfio.conf
run import
status_is 1
err "error: /etc/modprobe.d/vfio.conf:1: 01:00.0 is an address, not an ID, so it is left out; fix: vfio-early add 01:00.0"
config_is <<-EOF
	bind 10de:1187	# GK104, from /etc/modprobe.d/vfio.conf:1
EOF

begin "check, import: an option of the kernel command line that the early boot does not hand over"
config 'GRUB_CMDLINE_LINUX_DEFAULT="quiet vfio-pci.disable_idle_d3=1 vfio_iommu_type1.allow_unsafe_interrupts=1"\n' default/grub
run import
status_is 0
err_has "/etc/default/grub:1: vfio-pci.disable_idle_d3=1: has no effect: only modprobe reads options of modules there"
out "  /etc/default/grub:1: vfio_iommu_type1.allow_unsafe_interrupts=1: does nothing: this host remaps interrupts"
run check --json
[ "$(jq -r '.findings[] | select(.subject == "/etc/default/grub:1") | .code + " " + .level' "$work/out" | paste -sd' ')" = \
	"cmdline-option warns unsafe-interrupts-needless notes" ] || problem "$(jq -c '.findings[]' "$work/out")"
config 'options vfio-pci disable-idle-d3=1\n' modprobe.d/vfio.conf
run check --json
! grep -q '"cmdline-option"' "$work/out" || problem "modprobe.d has it"

begin "check: an option that has a use, in a place that does not count: to be corrected, or deleted"
config 'options kvm ignore_msrs=1\n' modprobe.d/kvm
config 'options vfio-pci ids=10de:1187\n' modprobe.d/vfio
config 'options vfio-pci disable_vga=1\n' modules
run check --json
[ "$(jq -r '.findings[] | select(.stage == "recipe") | .subject + " " + .fix' "$work/out")" = \
	"/etc/modprobe.d/kvm:1 correct the name, or delete the file
/etc/modprobe.d/vfio:1 vfio-early add ADDRESS for its device, then delete the file
/etc/modules:1 correct it, or delete it" ] || problem "$(jq -c '.findings[]' "$work/out")"

begin "check, import: an empty ids= takes nothing, and nothing is said"
config 'bind 17:00.0\n'
config 'options vfio-pci ids=\n' modprobe.d/vfio.conf
run check
no_out "ids="
no_out "every twin"
run import
status_is 0
no_err
out_is <<-EOF
	Nothing to import: no ids= and no override of driverctl for vfio-pci.
EOF
