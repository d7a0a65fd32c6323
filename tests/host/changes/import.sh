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
err "warning: 2 functions have the ID 10de:1187: to take one of them, put its address into the config instead (vfio-early add)"
out "No longer needed, once the next boot has shown it:"
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
	bind 10de:1187:1458:3614	# GK104, from /etc/modprobe.d/vfio.conf:1
	bind 8086:1111	# from /etc/modprobe.d/vfio.conf:1
	bind 8086:1112	# from /etc/modprobe.d/vfio.conf:1
EOF
err "warning: no function has the ID 10de:1187 today"
err "error: /etc/modprobe.d/vfio.conf:1: zz is no ID, so it is left out"
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
run import
status_is 0
err "warning: 0000:00:1f.2 has the ID 8086:1111 and holds /: it will not be bound"

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
