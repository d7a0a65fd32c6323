# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/host/changes/run
# detach, reattach: who uses a device, what is refused, what a dry run says. What they do to a device is in
# tests/tree and tests/kernel.

# node FUNCTION FOLDER NAME SUBSYSTEM MAJ:MIN: a device with a node in /dev, below a function.
node() {
	dir=$root/sys/bus/pci/devices/$1/$2
	mkdir -p "$dir"
	echo "$5" >"$dir/dev"
	printf 'DEVNAME=%s\n' "$3" >"$dir/uevent"
	ln -sfn "/sys/class/$4" "$dir/subsystem"
}

# process PID NAME FILE: has it open.
process() {
	mkdir -p "$root/proc/$1/fd"
	echo "$2" >"$root/proc/$1/comm"
	ln -s "$3" "$root/proc/$1/fd/$(find "$root/proc/$1/fd" -type l | wc -l)"
}

# interface FUNCTION NAME FLAGS: of the network.
interface() {
	dir=$root/sys/bus/pci/devices/$1/net/$2
	mkdir -p "$dir" "$root/sys/class/net"
	echo "$3" >"$dir/flags"
	ln -s /sys/class/net "$dir/subsystem"
	ln -s "../../../$1" "$dir/device"
	ln -s "../..$(cd "$dir" && pwd -P | sed "s|^$root/sys||")" "$root/sys/class/net/$2"
}

begin "detach: a process with nodes open is named, each node of it; nothing is written"
protected
node 0000:01:00.0 drm/card0 dri/card0 drm 226:0
node 0000:01:00.0 drm/renderD128 dri/renderD128 drm 226:128
node 0000:01:00.1 sound/card0/controlC0 snd/controlC0 sound 116:3
process 812 Xorg /dev/dri/card0
process 812 Xorg /dev/dri/renderD128
process 812 Xorg /dev/null
process 950 wireplumber /dev/snd/controlC0
run detach 01:00
status_is 1
out_is </dev/null
err "error: 0000:01:00.0 is in use: Xorg (PID 812) has /dev/dri/card0, /dev/dri/renderD128 open; fix: end it"
err "error: 0000:01:00.1 is in use: wireplumber (PID 950) has /dev/snd/controlC0 open; fix: end it"
nothing_written
[ "$(cat "$root/sys/bus/pci/devices/0000:01:00.0/driver_override")" = "(null)" ] || problem "the override was written"
[ ! -e "$root/run/vfio-early/report" ] || problem "there is a report"

begin "detach --json: users with codes"
protected
node 0000:01:00.0 drm/card0 dri/card0 drm 226:0
process 812 Xorg /dev/dri/card0
run detach --only --json 01:00.0
status_is 1
err "warning: 0000:01:00.1 shares group 14 and stays with the host: no VM gets the others; fix: --group"
[ "$(wc -l <"$work/err")" -eq 1 ] || problem "stderr says more"
out_is <<-EOF
	{
	  "schema": 2,
	  "dry_run": false,
	  "functions": [
	    {
	      "address": "0000:01:00.0",
	      "id": "10de:1187",
	      "group": 14,
	      "was": "nouveau",
	      "driver": "nouveau",
	      "result": "undone",
	      "code": null,
	      "why": null,
	      "fix": null
	    }
	  ],
	  "users": [
	    {
	      "address": "0000:01:00.0",
	      "code": "open-node",
	      "process": "Xorg",
	      "pid": 812,
	      "what": "/dev/dri/card0",
	      "forced": false,
	      "text": "Xorg (PID 812) has /dev/dri/card0 open",
	      "fix": "end it"
	    }
	  ]
	}
EOF

begin "detach: the console, which --force takes"
protected
node 0000:01:00.0 graphics/fb0 fb0 graphics 29:0
mkdir -p "$root/sys/class/vtconsole/vtcon1"
echo 1 >"$root/sys/class/vtconsole/vtcon1/bind"
echo '(M) frame buffer device' >"$root/sys/class/vtconsole/vtcon1/name"
run detach 01:00
status_is 1
err "error: 0000:01:00.0 is in use: it shows the console; fix: have another way in (SSH, serial), then --force"
run detach --force --dry-run 01:00
status_is 0
err "warning: 0000:01:00.0: it shows the console"
out "0000:01:00.0: would be bound to vfio-pci, taken from nouveau"
out "0000:01:00.1: would be bound to vfio-pci, taken from snd_hda_intel"
echo 0 >"$root/sys/class/vtconsole/vtcon1/bind"
run detach --dry-run 01:00
status_is 0

begin "detach: what the host needs is refused, with --force and with bind! in the config too"
protected
config 'bind! 00:1f.2\n'
run detach --force --only 00:1f.2
status_is 1
err "error: 0000:00:1f.2: holds / (protect); fix: end that use first, if this host can do without it"

begin "detach: on a terminal one line shows that it works; nothing of it on a pipe"
config 'bind 02:00\n'
cat >"$work/on_terminal" <<-EOF
	stty cols 80
	exec '$command' detach --dry-run 02:00 --root '$root'
EOF
env TERM=xterm script -qec "sh $work/on_terminal" /dev/null </dev/null >"$work/out" 2>"$work/err"
tr '\r' '\n' <"$work/out" | grep -q '^.*\[Kdetach: handing over, 0 s' || problem "nothing is drawn"
# Written over: the last of it is an empty line.
tr '\r' '\n' <"$work/out" | grep -a '\[K' | tail -n 1 | grep -q 'handing over' && problem "the line stays"
run detach --dry-run 02:00
! grep -q 'handing over, ' "$work/out" || problem "drawn on a pipe"

begin "detach: a bridge that is named is refused, also with the rest of its slot beside it"
protected
bridge=$root/sys/bus/pci/devices/0000:02:00.1
sed -i 's/^PCI_CLASS=.*/PCI_CLASS=60100/' "$bridge/uevent"
run detach --dry-run 02:00.1
status_is 1
err "error: 0000:02:00.1: a bridge"
run detach --dry-run 02:00
status_is 0
err "warning: 0000:02:00.1 shares group 15 and stays with the host: no VM gets the others; fix: name a device of another group"

begin "detach: except, and what undo said last does not take that away"
protected
config 'except 02:00.1\n'
mkdir -p "$root/var/lib/vfio-early"
: >"$root/var/lib/vfio-early/undone"
run detach --dry-run 02:00
status_is 1
err "error: 0000:02:00.1: in except"

begin "detach: group refuse names the mate"
protected
config 'group refuse\n'
run detach --dry-run --only 02:00.0
status_is 1
err "error: 0000:02:00.0: 0000:02:00.1 shares the group and no bind line takes it (group refuse)"

begin "detach: group claim looks at who uses the claimed one"
protected
config 'group claim\n'
node 0000:01:00.1 sound/card0/controlC0 snd/controlC0 sound 116:3
process 950 wireplumber /dev/snd/controlC0
run detach --only 01:00.0
status_is 1
err "error: 0000:01:00.1 is in use: wireplumber (PID 950) has /dev/snd/controlC0 open; fix: end it"

begin "detach: a mounted disk, and the process on it"
protected
node 0000:02:00.0 ata9/host9/block/sdb sdb block 8:16
sdb=$(cd "$root/sys/bus/pci/devices/0000:02:00.0/ata9/host9/block/sdb" && pwd -P | sed "s|^$root/||")
ln -s "../../../$sdb" "$root/sys/dev/block/8:16"
ln -s "../../../$sdb" "$root/sys/class/block/sdb"
echo "30 25 8:16 / /mnt/data rw,relatime - ext4 /dev/sdb rw" >>"$root/proc/self/mountinfo"
process 77 backup /mnt/data/file
run detach --force 02:00
status_is 1
err "error: 0000:02:00.0 is in use: backup (PID 77) uses /mnt/data, which is on it; fix: end it"
err "error: 0000:02:00.0 is in use: holds /mnt/data, in use now; fix: unmount it, swap it off, export the pool or deactivate the volume"

begin "detach: a disk that another device stands on, which has no name"
protected
node 0000:02:00.0 ata9/host9/block/sdb sdb block 8:16
mkdir -p "$root/sys/bus/pci/devices/0000:02:00.0/ata9/host9/block/sdb/holders/dm-9"
run detach 02:00
status_is 1
err "error: 0000:02:00.0 is in use: dm-9 is built on it; fix: unmount it, swap it off, export the pool or deactivate the volume"

begin "detach: interfaces: in a bridge, up, down"
protected
mkdir -p "$root/proc/net"
printf 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n' >"$root/proc/net/route"
interface 0000:17:00.2 ens1 0x1003
mkdir -p "$root/sys/class/net/ens1/upper_vmbr0"
# The default route is elsewhere.
interface 0000:17:00.1 ens2 0x1003
printf 'ens2\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\n' >>"$root/proc/net/route"
run detach --force 17:00.2
status_is 1
err "error: 0000:17:00.2 is in use: interface ens1 of vmbr0; fix: remove the interface from there"
rm -r "$root/sys/class/net/ens1/upper_vmbr0"
run detach 17:00.2
status_is 1
err "error: 0000:17:00.2 is in use: interface ens1 is up; fix: ip link set ens1 down, or --force"
run detach --force --dry-run 17:00.2
status_is 0
err "warning: 0000:17:00.2: interface ens1 is up"
echo 0x1002 >"$root/sys/class/net/ens1/flags"
run detach --dry-run 17:00.2
status_is 0
run detach --force --dry-run 17:00.1
status_is 1
err "error: 0000:17:00.1: carries the default route (ens2) (protect); fix: end that use first, if this host can do without it"

begin "detach: a function with virtual functions"
protected
run detach --dry-run --only 17:00.0
status_is 1
err "error: 0000:17:00.0: 2 virtual functions are enabled; fix: bind those, or set sriov_numvfs to 0"

begin "detach: NVIDIA's driver: its nodes, the daemon, modeset"
protected
ln -sfn ../../../../bus/pci/drivers/nvidia "$root/sys/bus/pci/devices/0000:01:00.0/driver"
sed -i 's/^DRIVER=.*/DRIVER=nvidia/' "$root/sys/bus/pci/devices/0000:01:00.0/uevent"
mkdir -p "$root/proc/driver/nvidia/gpus/0000:01:00.0" "$root/sys/module/nvidia_drm/parameters"
printf 'Model: \t\t GTX\nDevice Minor: \t 3\n' >"$root/proc/driver/nvidia/gpus/0000:01:00.0/information"
echo Y >"$root/sys/module/nvidia_drm/parameters/modeset"
process 600 nvidia-persiste /dev/nvidia3
process 601 other /dev/nvidia0
run detach --only 01:00.0
status_is 1
err "error: 0000:01:00.0 is in use: nvidia-persiste (PID 600) has /dev/nvidia3 open; fix: systemctl stop nvidia-persistenced"
err "error: 0000:01:00.0 is in use: nvidia_drm holds it (modeset); fix: stop the display manager, then modprobe -r nvidia_drm nvidia_modeset"
! grep -q 'PID 601' "$work/err" || problem "another card's process was named"

begin "detach: not the running host: nothing is known, nothing is done"
config 'bind 02:00\n'
run detach 02:00
status_is 1
err_has "it cannot be found out who uses it"
err_has "/proc is not mounted"

begin "detach: usage"
run detach
status_is 2
err "error: an address is missing: vfio-early detach 0000:81:00"
run detach --deadline 90x 02:00
status_is 2
run detach 09:00
status_is 2
err_has "there is no PCI function at 09:00"

begin "detach --keep: the change of the config, as add makes it"
protected
run detach --keep --dry-run 02:00
status_is 0
out "0000:02:00.0: would be bound to vfio-pci"
out_has "+bind 0000:02:00.0=10de:1187"
nothing_written

# held: 02:00 with vfio-pci.
held() {
	protected
	for address in 0000:02:00.0 0000:02:00.1; do
		mkdir -p "$root/sys/bus/pci/drivers/vfio-pci"
		ln -sfn ../../../../bus/pci/drivers/vfio-pci "$root/sys/bus/pci/devices/$address/driver"
		sed -i '1i DRIVER=vfio-pci' "$root/sys/bus/pci/devices/$address/uevent"
		echo vfio-pci >"$root/sys/bus/pci/devices/$address/driver_override"
	done
}

begin "reattach: refused while a process has the group open"
held
mkdir -p "$root/sys/class/vfio/15"
echo 511:0 >"$root/sys/class/vfio/15/dev"
process 4711 kvm /dev/vfio/15
run reattach 02:00
status_is 1
err "error: 0000:02:00.0 is in use: kvm (PID 4711) runs with it (/dev/vfio/15); fix: stop that VM"
[ "$(cat "$root/sys/bus/pci/devices/0000:02:00.0/driver_override")" = vfio-pci ] || problem "the override was cleared"
[ ! -e "$root/run/vfio-early/report" ] || problem "there is a report"

begin "reattach: refused while Proxmox VE has reserved it"
held
mkdir -p "$root/run/qemu-server" "$root/etc/pve/qemu-server" "$root/usr/sbin"
: >"$root/usr/sbin/qm"
echo '0000:02:00.0 104 4711' >"$root/run/qemu-server/pci-id-reservations"
run reattach --only 02:00.0
status_is 1
err "error: 0000:02:00.0 is in use: a VM runs with it (VM 104); fix: qm stop 104"

begin "reattach --dry-run: which module would take it, or is blacklisted"
held
module_with_alias() {
	printf 'const char modinfo[] __attribute__((section(".modinfo"))) = "license=GPL\\0name=%s\\0alias=%s";\n' \
		"$1" "$2" | ${CC:-cc} -x c -c -o "$root/lib/modules/$kernel/kernel/$1.ko" -
	depmod -b "$root" "$kernel"
}
module_with_alias nouveau 'pci:v000010DEd00001187sv*sd*bc*sc*i*'
run reattach --dry-run 02:00
status_is 0
out "0000:02:00.0: would be given back to nouveau"
out "0000:02:00.1: would be given back"
mkdir -p "$root/etc/modprobe.d"
echo 'blacklist nouveau' >"$root/etc/modprobe.d/nouveau.conf"
run reattach --dry-run 02:00
out "0000:02:00.0: would be given back; module nouveau is blacklisted"
echo 'install nouveau /bin/true' >"$root/etc/modprobe.d/nouveau.conf"
run reattach --dry-run 02:00
out '0000:02:00.0: would be given back; `install nouveau` of modprobe.d runs `/bin/true`'

begin "reattach: already on its own driver"
protected
run reattach 01:00
status_is 0
out "0000:01:00.0: already on nouveau"
[ ! -e "$root/run/vfio-early/report" ] || problem "there is a report"

begin "reattach: what somebody else gave back is the administrator's word from here on"
ready
protected
for address in 0000:02:00.0 0000:02:00.1; do
	ln -sfn ../../../../bus/pci/drivers/nouveau "$root/sys/bus/pci/devices/$address/driver"
	sed -i '1i DRIVER=nouveau' "$root/sys/bus/pci/devices/$address/uevent"
done
run status --raw -o CODE,SUBJECT
out "device-rebound 0000:02:00.0"
run reattach 02:00
status_is 0
run status --raw -o LEVEL,CODE,SUBJECT
out "warns reattached 0000:02:00.0"
out "warns reattached 0000:02:00.1"
no_out "device-rebound"
no_out "boot-ok"
run status
out_has "0000:02:00.0: given back to this host by vfio-early reattach: on nouveau"
out_has "vfio-early detach 0000:02:00.0"

begin "status: a detach that failed, of what the config does not name, is none of its business"
ready
printf 'address=0000:01:00.0 id=10de:1187 class=030000 group=14 result=failed driver=nouveau was=nouveau ms=9 why=bind-refused reason="bind"\n' \
	>>"$root/run/vfio-early/report"
run status
status_is 0
sed -i 's/why=bind-refused/why=driver-stuck/' "$root/run/vfio-early/report"
run status --raw -o CODE,SUBJECT
status_is 1
out "driver-stuck 0000:01:00.0"

begin "detach, reattach: one that is stuck is not read, and nothing is tried again"
protected
mkdir -p "$root/run/vfio-early"
printf 'address=0000:02:00.1 id=10de:0e0a class=040300 group=15 result=failed driver=- was=snd_hda_intel ms=9 why=driver-stuck reason="unbind"\n' \
	>"$root/run/vfio-early/report"
run detach 02:00
status_is 1
err "error: 0000:02:00.1: stuck: a driver does not let go of it, and nothing is tried again; fix: reboot"
run reattach --only 02:00.1
status_is 1
run detach --only 02:00.0 --dry-run
status_is 0
run detach --group 02:00.0 --dry-run
status_is 1

begin "groups --ask: a group that a VM has, or whose VM starts, is not opened; one without a file is unknown"
held
mkdir -p "$root/run/qemu-server" "$root/etc/pve/qemu-server" "$root/run/lock/qemu-server" "$root/usr/sbin"
: >"$root/usr/sbin/qm"
run groups --ask --raw -n -o GROUP,ASKED,ANSWER 02:00.0
status_is 0
out_has '15 unknown /dev/vfio/15:\x20No\x20such\x20file\x20or\x20directory'
echo 'hostpci0: 0000:02:00,pcie=1' >"$root/etc/pve/qemu-server/104.conf"
lock=$root/run/lock/qemu-server/lock-104.conf
: >"$lock"
printf '1: FLOCK  ADVISORY  WRITE 812 00:1a:%s 0 EOF\n' "$(stat -c %i "$lock")" >"$root/proc/locks"
run groups --ask --raw -n -o GROUP,ASKED,ANSWER 02:00.0
out_has '15 skipped VM\x20104\x20starts'
: >"$root/proc/locks"
echo '0000:02:00.1 104 pid:4711' >"$root/run/qemu-server/pci-id-reservations"
run groups --ask --raw -n -o GROUP,ASKED,ANSWER 02:00.0
out_has '15 skipped VM\x20104\x20has\x20it'
run groups --ask 02:00.0
out_has "group 15, skipped: VM 104 has it"
run groups --ask --raw -n -o GROUP,ASKED 01:00.0
out '14 '
no_out '14 unknown'

begin "apply --now: what somebody uses waits for the reboot, with the rest of its card"
system 'bind 01:00 02:00 00:1f.3\n'
protected
node 0000:01:00.0 drm/card0 dri/card0 drm 226:0
process 812 Xorg /dev/dri/card0
act apply --now --dry-run
status_is 0
out "0000:01:00.0: waits for the reboot: Xorg (PID 812) has /dev/dri/card0 open"
out "0000:01:00.1: waits for the reboot: with 0000:01:00.0"
out "0000:02:00.0: would be bound to vfio-pci now"
out "0000:02:00.1: would be bound to vfio-pci now"
out "0000:00:1f.3: would be bound to vfio-pci now"

begin "apply --now: a mate that the config's group rule wants, and that is used"
system 'bind 01:00.0 02:00\ngroup claim\n'
protected
node 0000:01:00.1 sound/card0/controlC0 snd/controlC0 sound 116:3
process 950 wireplumber /dev/snd/controlC0
act apply --now --dry-run
status_is 0
out_has "0000:01:00.1: waits for the reboot: wireplumber (PID 950) has /dev/snd/controlC0 open"
no_out "0000:01:00.0: would be bound to vfio-pci now"
out "0000:02:00.0: would be bound to vfio-pci now"

begin "apply --now: without an IOMMU all of it waits"
system 'bind 02:00\n'
protected
rm -r "$root/sys/class/iommu"
act apply --now --dry-run
status_is 0
out_has "0000:02:00.0: waits for the reboot: IOMMU off in the kernel"
no_out "would be bound to vfio-pci now"

begin "apply --now: what apply has said is not said again"
system 'bind 02:00 0a:00.0 00:1f.3\n'
protected
act apply --now --dry-run
status_is 0
out "0000:02:00.0: would be bound to vfio-pci now"
! grep -q 'shares group' "$work/err" || problem "said again: $(cat "$work/err")"
[ -z "$(sort "$work/err" | uniq -d)" ] || problem "said twice: $(sort "$work/err" | uniq -d)"

# --- more of who uses a device

# disk FUNCTION NAME MAJ:MIN [PART]: below a function, in all the places where one is looked for.
disk() {
	dir=$root/sys/bus/pci/devices/$1/ata9/host9/block/$2
	mkdir -p "$dir" "$root/sys/dev/block" "$root/sys/class/block" "$root/sys/block"
	echo "$3" >"$dir/dev"
	printf 'DEVNAME=%s\n' "${2##*/}" >"$dir/uevent"
	[ "${2##*/}" = "$2" ] || echo 1 >"$dir/partition"
	ln -sfn /sys/class/block "$dir/subsystem"
	real=$(cd "$dir" && pwd -P | sed "s|^$root/||")
	ln -sfn "../../../$real" "$root/sys/dev/block/$3"
	ln -sfn "../../../$real" "$root/sys/class/block/${2##*/}"
	[ "${2##*/}" != "$2" ] || ln -sfn "../../$real" "$root/sys/block/$2"
}

# virtual NAME MAJ:MIN MEMBER MEMBER-PATH: a block device of the kernel's own that stands on another.
virtual() {
	dir=$root/sys/devices/virtual/block/$1
	mkdir -p "$dir/slaves" "$root/sys/block"
	echo "$2" >"$dir/dev"
	printf 'DEVNAME=%s\n' "$1" >"$dir/uevent"
	ln -sfn /sys/class/block "$dir/subsystem"
	ln -sfn "../../devices/virtual/block/$1" "$root/sys/dev/block/$2"
	ln -sfn "../../devices/virtual/block/$1" "$root/sys/class/block/$1"
	ln -sfn "../devices/virtual/block/$1" "$root/sys/block/$1"
	member=$(readlink -f "$root/sys/class/block/$3")
	mkdir -p "$member/holders"
	ln -sfn "/sys/devices/virtual/block/$1" "$member/holders/$1"
	ln -sfn "${member#"$root"}" "$dir/slaves/$3"
}

# mounted LINE: of mountinfo, for this process and for the first.
mounted() {
	echo "$1" >>"$root/proc/self/mountinfo"
	echo "$1" >>"$root/proc/1/mountinfo"
}

# refused_for ADDRESS WHAT: detach --force refuses it, for that reason, and writes nothing.
refused_for() {
	run detach --force "$1"
	status_is 1
	err_has "error: $2"
	[ ! -e "$root/run/vfio-early/report" ] || problem "there is a report"
}

take_away='; fix: unmount it, swap it off, export the pool or deactivate the volume'

begin "detach: a partition that is mounted"
protected
disk 0000:02:00.0 sdb 8:16
disk 0000:02:00.0 sdb/sdb1 8:17
mounted '30 25 8:17 / /mnt/data rw - ext4 /dev/sdb1 rw'
refused_for 02:00 "0000:02:00.0 is in use: holds /mnt/data, in use now$take_away"

begin "detach: swap"
protected
disk 0000:02:00.0 sdb 8:16
disk 0000:02:00.0 sdb/sdb1 8:17
printf 'Filename\tType\tSize\tUsed\tPriority\n/dev/sdb1 partition\t1000\t0\t-2\n' >"$root/proc/swaps"
run detach --force 02:00
status_is 1
err_has "0000:02:00.0"
err_has "swap"

begin "detach: a member of an array that is mounted, and one that is not"
protected
disk 0000:02:00.0 sdb 8:16
virtual md0 9:0 sdb
refused_for 02:00 "0000:02:00.0 is in use: holds md0, in use now$take_away"
mounted '30 25 9:0 / /srv rw - ext4 /dev/md0 rw'
refused_for 02:00 "0000:02:00.0 is in use: holds /srv, md0, in use now$take_away"

begin "detach: dm-crypt on a partition, LVM on that, mounted"
protected
disk 0000:02:00.0 sdb 8:16
disk 0000:02:00.0 sdb/sdb1 8:17
virtual dm-0 254:0 sdb1
virtual dm-1 254:1 dm-0
refused_for 02:00 "0000:02:00.0 is in use: dm-0 is built on it$take_away"
err "error: 0000:02:00.0 is in use: dm-1 is built on it$take_away"
mounted '30 25 254:1 / /vault rw - ext4 /dev/mapper/vg-vault rw'
refused_for 02:00 "0000:02:00.0 is in use: holds /vault, in use now$take_away"
process 77 backup /vault/file
refused_for 02:00 "0000:02:00.0 is in use: backup (PID 77) uses /vault, which is on it; fix: end it"

begin "detach: a member of a ZFS pool that is imported"
protected
disk 0000:02:00.0 sdb 8:16
mkdir -p "$root/run/udev/data" "$root/proc/spl/kstat/zfs/tank"
printf 'E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\nE:ID_FS_UUID=1234567890123456789\n' >"$root/run/udev/data/b8:16"
echo ONLINE >"$root/proc/spl/kstat/zfs/tank/state"
run detach --force 02:00
status_is 1
err_has "0000:02:00.0"
err_has "tank"

begin "detach: a file system that only a container has mounted"
protected
disk 0000:02:00.0 sdb 8:16
mkdir -p "$root/proc/500/ns" "$root/proc/501/ns" "$root/proc/self/ns"
ln -s 'mnt:[4026531840]' "$root/proc/self/ns/mnt"
for pid in 500 501; do
	ln -s 'mnt:[4026532999]' "$root/proc/$pid/ns/mnt"
	echo "40 25 8:16 / /var/lib/data rw - ext4 /dev/sdb rw" >"$root/proc/$pid/mountinfo"
done
process 500 nginx /dev/null
process 501 nginx /dev/null
run detach --force 02:00
status_is 1
err "error: 0000:02:00.0 is in use: nginx (PID 500) uses /var/lib/data, which is on it; fix: end it"
[ "$(grep -c nginx "$work/err")" -eq 1 ] || problem "each namespace once: $(cat "$work/err")"

begin "detach: a service's own view of what is mounted here is no use of its own"
protected
disk 0000:02:00.0 sdb 8:16
mounted '30 25 8:16 / /mnt/data rw - ext4 /dev/sdb rw'
mkdir -p "$root/proc/500/ns"
ln -s 'mnt:[4026531840]' "$root/proc/self/ns/mnt"
ln -s 'mnt:[4026532999]' "$root/proc/500/ns/mnt"
echo "40 25 8:16 / /mnt/data rw - ext4 /dev/sdb rw" >"$root/proc/500/mountinfo"
process 500 nginx /dev/null
run detach 02:00
status_is 1
err "error: 0000:02:00.0 is in use: holds /mnt/data, in use now$take_away"
! grep -q nginx "$work/err" || problem "named: $(cat "$work/err")"

begin "detach: an interface that a container has"
protected
mkdir -p "$root/sys/bus/pci/devices/0000:17:00.2/net"
refused_for 17:00.2 "0000:17:00.2 is in use: an interface of it is in another network namespace; fix: stop the container that has it"

begin "detach: an interface with an address, and what is built on it"
protected
mkdir -p "$root/proc/net"
printf 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n' >"$root/proc/net/route"
printf 'ens1\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n' >>"$root/proc/net/route"
printf 'ens2\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\n' >>"$root/proc/net/route"
interface 0000:17:00.2 ens1 0x1003
interface 0000:17:00.1 ens2 0x1003
printf '20010db8000000000000000000000001 02 40 00 80     ens1\n' >"$root/proc/net/if_inet6"
refused_for 17:00.2 "0000:17:00.2 is in use: carries the address of ens1"
rm "$root/proc/net/if_inet6"
sed -i /^ens1/d "$root/proc/net/route"
mkdir -p "$root/sys/class/net/ens1/upper_macvtap0"
refused_for 17:00.2 "0000:17:00.2 is in use: interface ens1 of macvtap0; fix: remove the interface from there"

begin "detach: hidraw, a render node, a sound card, registers that are mapped, a program in the group's node"
protected
node 0000:02:00.0 usb1/1-1/1-1:1.0/hidraw/hidraw0 hidraw0 hidraw 243:0
node 0000:02:00.0 drm/renderD129 dri/renderD129 drm 226:129
node 0000:02:00.1 sound/card1/pcmC1D0p snd/pcmC1D0p sound 116:9
process 10 pcscd /dev/hidraw0
process 11 ffmpeg /dev/dri/renderD129
process 12 aplay /dev/snd/pcmC1D0p
process 13 'a b' /sys/devices/pci0000:00/0000:00:02.0/0000:02:00.0/resource0
refused_for 02:00 "0000:02:00.0 is in use: pcscd (PID 10) has /dev/hidraw0 open; fix: end it"
err "error: 0000:02:00.0 is in use: ffmpeg (PID 11) has /dev/dri/renderD129 open; fix: end it"
err "error: 0000:02:00.1 is in use: aplay (PID 12) has /dev/snd/pcmC1D0p open; fix: end it"
err "error: 0000:02:00.0 is in use: a b (PID 13) has /sys/devices/pci0000:00/0000:00:02.0/0000:02:00.0/resource0 open; fix: end it"

begin "detach: a VM that has a mediated device of it"
protected
uuid=sys/bus/pci/devices/0000:02:00.0/9b2e7f10-1111-4222-8333-abcdefabcdef
mkdir -p "$root/$uuid" "$root/sys/class/vfio/70" "$root/sys/kernel/iommu_groups/70"
ln -s /sys/bus/mdev "$root/$uuid/subsystem"
ln -s /sys/kernel/iommu_groups/70 "$root/$uuid/iommu_group"
echo 511:7 >"$root/sys/class/vfio/70/dev"
process 4711 kvm /dev/vfio/70
refused_for 02:00 "0000:02:00.0 is in use: kvm (PID 4711) runs with it (/dev/vfio/70); fix: stop that VM"

begin "detach: a process whose name is not text"
protected
node 0000:02:00.0 drm/card1 dri/card1 drm 226:1
process 812 "$(printf 'X\033]0;own\007\033[31mred\302\233m')" /dev/dri/card1
run detach 02:00
status_is 1
err_has "(PID 812) has /dev/dri/card1 open"
! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$work/err" || problem "prints what a terminal obeys"
! LC_ALL=C grep -q "$(printf '\302\233')" "$work/err" || problem "prints a C1 control"
run detach --json 02:00
status_is 1
python3 -c 'import json,sys; json.loads(sys.stdin.buffer.read().decode("utf-8"))' <"$work/out" 2>/dev/null || problem "no JSON"

begin "reattach: refused while a program has the device's own node of vfio open"
held
node 0000:02:00.0 vfio-dev/vfio3 vfio/devices/vfio3 vfio-dev 509:3
process 4711 qemu-system-x86 /dev/vfio/devices/vfio3
run reattach 02:00
status_is 1
err "error: 0000:02:00.0 is in use: qemu-system-x86 (PID 4711) runs with it (/dev/vfio/devices/vfio3); fix: stop that VM"

begin "detach, reattach: words that are no address of this host: 2, and no JSON"
protected
for words in "''" ' ' zz 99:00 0000:01:00.8 01:00.0.0 0x01:00 10de:1187:zz /sys/bus/pci '01:00 zz' ../../etc "01:00.0
02:00"; do
	for command_ in detach reattach; do
		run "$command_" --json "$words"
		status_is 2
		[ ! -s "$work/out" ] || problem "$command_ $words: says $(cat "$work/out")"
		grep -q '^vfio-early: error: ' "$work/err" || problem "$command_ $words: no error"
	done
done
run detach --json 02:00 zz
status_is 2
nothing_written

# --- the config, the lock

begin "detach --keep, reattach --keep: the config as add and remove write it"
held
config '# mine\nbind 01:00\n'
run detach --keep 02:00
status_is 0
out "0000:02:00.0: already on vfio-pci"
config_is <<-EOF
	# mine
	bind 01:00
	bind 0000:02:00.0=10de:1187	# GK104
	bind 0000:02:00.1=10de:0e0a	# GK104 HDMI Audio
EOF
cp "$root/etc/vfio-early.conf" "$work/kept"
config '# mine\nbind 01:00\n'
run add 02:00
cmp -s "$root/etc/vfio-early.conf" "$work/kept" || problem "add writes: $(cat "$root/etc/vfio-early.conf")"
for address in 0000:02:00.0 0000:02:00.1; do
	ln -sfn ../../../../bus/pci/drivers/nouveau "$root/sys/bus/pci/devices/$address/driver"
	sed -i 's/^DRIVER=.*/DRIVER=nouveau/' "$root/sys/bus/pci/devices/$address/uevent"
	echo '(null)' >"$root/sys/bus/pci/devices/$address/driver_override"
done
run reattach --keep 02:00
status_is 0
config_is <<-EOF
	# mine
	bind 01:00
EOF

begin "detach --keep: what is refused or in use is not kept"
protected
config 'bind 01:00\n'
node 0000:02:00.0 drm/card1 dri/card1 drm 226:1
process 812 Xorg /dev/dri/card1
run detach --keep 02:00
status_is 1
config_is <<-EOF
	bind 01:00
EOF
run detach --keep --only 00:1f.2
status_is 1
config_is <<-EOF
	bind 01:00
EOF

begin "detach --keep --json: one object on standard output"
held
run detach --keep --json 02:00
status_is 0
python3 -c 'import json,sys; d = json.load(sys.stdin); sys.exit(len(d["functions"]) != 2)' <"$work/out" ||
	problem "not one object: $(cat "$work/out")"
[ -s "$root/etc/vfio-early.conf" ] || problem "no config"

# lock_for SECONDS: as another run would hold it.
lock_for() {
	mkdir -p "$root/run/vfio-early"
	# shellcheck disable=SC2016 # of the inner shell
	flock "$root/run/vfio-early/lock" sh -c 'echo >"$1"; exec sleep "$2"' sh "$work/locked" "$1" &
	locker=$!
	until [ -e "$work/locked" ]; do sleep 0.05; done
	rm "$work/locked"
}

begin "detach: a second one waits for the first"
held
lock_for 1.5
before=$(date +%s%N)
run detach 02:00
after=$(date +%s%N)
wait "$locker"
status_is 0
[ $((after - before)) -gt 1000000000 ] || problem "it did not wait: $((after - before)) ns"
[ -e "$root/run/vfio-early/report" ] || problem "nothing was done"

begin "detach: one that goes away while it waits is said, and the other stays"
held
lock_for 2
(
	sleep 1
	gone=$(readlink -f "$root/sys/bus/pci/devices/0000:02:00.1")
	rm -r "$gone" "$root/sys/bus/pci/devices/0000:02:00.1"
) &
remover=$!
run detach 02:00
wait "$locker" "$remover"
status_is 1
err "error: 0000:02:00.1: it is not there any more; fix: see vfio-early list -a"
[ ! -e "$root/run/vfio-early/report" ] || problem "there is a report"

begin "detach: a report that cannot be written is said"
held
mkdir -p "$root/run/vfio-early/report"
run detach 02:00
err "warning: cannot write /run/vfio-early/report: status and late runs do not know of this; fix: make room in /run"

begin "detach: what another run never lets go of is said, and nothing is done"
held
lock_for 60
run detach 02:00
status_is 3
err "error: another run is handing devices over; fix: wait until it ends, then try again"
[ ! -e "$root/run/vfio-early/report" ] || problem "there is a report"
# A dry run writes nothing, and waits for nobody.
run detach --dry-run 02:00
status_is 0
kill "$locker"
wait "$locker" 2>/dev/null
