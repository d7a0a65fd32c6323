# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/host/changes/run
# log and vm.

# logged: what a boot left in /run.
logged() {
	mkdir -p "$root/run/vfio-early"
	printf 'vfio-early: 0.1.0: 2 bind lines, IOMMU on (dmar0)\nvfio-early: \033[31mdone\n' \
		>"$root/run/vfio-early/log"
}

begin "log: from /run, without control characters"
logged
run log
status_is 0
no_err
out_is <<-EOF
	vfio-early: 0.1.0: 2 bind lines, IOMMU on (dmar0)
	vfio-early: ?[31mdone
EOF

begin "log --json"
logged
run log --json
status_is 0
out_is <<-EOF
	{
	  "schema": 2,
	  "boot": null,
	  "source": "run",
	  "lines": [
	    {
	      "usec": null,
	      "priority": null,
	      "message": "0.1.0: 2 bind lines, IOMMU on (dmar0)"
	    },
	    {
	      "usec": null,
	      "priority": null,
	      "message": "?[31mdone"
	    }
	  ]
	}
EOF

begin "log: nothing was said"
run log
status_is 1
if [ "$(id -u)" -eq 0 ]; then
	err "error: vfio-early said nothing at this boot: its image does not have it; see vfio-early status"
fi
mkdir -p "$root/run/vfio-early"
mkdir "$root/run/vfio-early/log"
run log
status_is 1
err "error: /run/vfio-early/log is not a regular file; fix: move it away"
run log --json
status_is 1
out '  "source": null,'

begin "log -b: no such boot"
logged
run log -b -1
status_is 1
[ "$(id -u)" -ne 0 ] ||
	err "error: the journal holds no earlier boot; fix: mkdir -p /var/log/journal, so that it outlives a boot"

begin "log: usage"
run log -b yesterday
status_is 2
err "error: yesterday is not the number of a boot; fix: write 0, -1 and so on"
run log -b 99999999999999999999
status_is 2
err "error: 99999999999999999999 is not the number of a boot; fix: write 0, -1 and so on"
run log -b
status_is 2
run log now
status_is 2
err "error: log takes no argument: now"

begin "a long message is broken at blanks on a terminal, and is one line on a pipe"
cat >"$work/on_terminal" <<-EOF
	stty cols 50
	exec '$command' log --root '$root' -b yesterday
EOF
env TERM=xterm script -qec "sh $work/on_terminal" /dev/null </dev/null >"$work/out" 2>"$work/err"
tr -d '\r' <"$work/out" | head -n 2 >"$work/folded"
is "$work/folded" <<-EOF
	vfio-early: error: yesterday is not the number of
	  a boot; fix: write 0, -1 and so on
EOF
run log -b yesterday
err "error: yesterday is not the number of a boot; fix: write 0, -1 and so on"

# --- vm

# guest VMID TEXT: what `qm config` would say.
guest() {
	mkdir -p "$root/etc/pve/qemu-server"
	# shellcheck disable=SC2059 # escapes
	printf "$2" >"$root/etc/pve/qemu-server/$1.conf"
}

kepler='use NVIDIA 470.256.02 and kernel 6.6 LTS in the guest: branch 470 is the last for Kepler, and its last release is not adapted to later kernels'

begin "vm: no config known"
config 'bind 02:00\n'
run vm 103 02:00.1
status_is 0
no_err
out_is <<-EOF
	qm set 103 --hostpci0 0000:02:00
	# all memory of a VM with a PCI device is in use from its start: ballooning gives nothing back; qm set 103 --balloon 0
	# 0000:02:00.0 (10de:1187), Kepler: $kepler
	# the config of VM 103 was not read (no qm here): numbers are counted from 0, and what it has already is not known; its machine, firmware and CPU are left as they are; if it is to be q35 and OVMF, add --machine --ovmf
EOF

begin "vm: no config known: only what no call sets is left as it is"
config 'bind 02:00\n'
unread='# the config of VM 103 was not read (no qm here): numbers are counted from 0, and what it has already is not known'
run vm 103 02:00 --machine --ovmf
out "$unread; its CPU is left as it is"
run vm 103 02:00 --ovmf --hidden
out "$unread; its machine is left as it is; if it is to be q35, add --machine"
run vm 103 -u 1-2
out "$unread"

begin "vm: a comment of several lines is a comment in each, as a shell must see it"
config 'bind 02:00\n'
run vm -w 60 103 02:00
status_is 0
out "# all memory of a VM with a PCI device is in use from its"
! grep -Ev '^(#|qm) ' "$work/out" || problem "a line is neither a call nor a comment"

begin "vm: next free numbers, what is there already, snapshots do not count"
config 'bind 01:00 02:00\n'
guest 101 'bios: ovmf\nefidisk0: zp:vm-101-disk-0,size=4M\nhostpci0: 0000:02:00.0;02:00.1,pcie=1\nhostpci2: mapping=x\nmachine: pc-q35-8.1\ncpu: host\nballoon: 0\nscsi0: zp:vm-101-disk-1,size=32G\nusb0: host=1-2,usb3=1\nusb1: spice\n\n[snap]\nhostpci1: 01:00\n'
run vm 101 01:00 02:00 --usb 1-2 --usb 046D:c52b --usb 3-1.4
status_is 0
out_is <<-EOF
	qm set 101 --vga none
	qm set 101 --hostpci1 0000:01:00,pcie=1,x-vga=1
	qm set 101 --usb2 host=046D:c52b,usb3=1
	qm set 101 --usb3 host=3-1.4,usb3=1
	# hostpci0 of VM 101 has it already: nothing to do for it
	# VM 101: hostpci2 (mapping=x): this node has no mapping x: the VM does not start; fix: create it (Datacenter, Resource Mappings), or remove the entry: qm set 101 --delete hostpci2
	# 1-2 is not plugged in now
	# usb0 of VM 101 has 1-2 already: nothing to do for it
	# 046D:c52b is not plugged in now
	# 3-1.4 is not plugged in now
	# 0000:01:00 shows the host's console: with x-vga=1 it becomes the guest's only screen, and the host is reached over the network alone
	# 0000:01:00.0 (10de:1187), Kepler: $kepler
	# 0000:02:00.0 (10de:1187), Kepler: $kepler
EOF

begin "vm: a guest that was installed for BIOS keeps it, unless --ovmf"
config 'bind 02:00\n'
guest 102 'ide2: local:iso/x.iso,media=cdrom\nscsi0: local-lvm:vm-102-disk-0,size=3G\n'
run vm 102 02:00
status_is 0
no_out "--bios"
no_out "--machine q35"
out "qm set 102 --hostpci0 0000:02:00"
out "# this VM has a disk and no bios=ovmf: a guest that was installed for BIOS does not start under OVMF, so that is not changed; for a new guest add --ovmf"
run vm 102 02:00 --ovmf
out "qm set 102 --bios ovmf"
out "qm set 102 --efidisk0 local-lvm:1,efitype=4m,pre-enrolled-keys=0"
guest 102 'ide2: local:iso/x.iso,media=cdrom\n'
run vm 102 02:00
out "qm set 102 --bios ovmf"

begin "vm: what the config does not have; a virtual function alone"
run vm 103 17:00.1
status_is 1
no_out "qm set"
err "error: 0000:17:00.1 is not given to VMs: no bind line names it; fix: vfio-early add 0000:17:00.1"
run vm --force 103 17:00.1
status_is 0
out "qm set 103 --hostpci0 0000:17:00.1"
out "# the next boot does not bind 0000:17:00.1 (no bind line names it): its driver has it until the VM starts"
# The slot has virtual functions too, which its address would name.
run vm --force 103 17:00.0
out "qm set 103 --hostpci0 0000:17:00.0"

begin "vm: no group"
config 'bind 02:00\n'
rm "$root/sys/devices/pci0000:00/0000:00:02.0/0000:02:00.0/iommu_group"
run vm 103 02:00
status_is 1
no_out "qm set"
err_has "error: 0000:02:00.0 is not given to VMs: no IOMMU group: "
run vm 103 02:00 --json
status_is 1
[ "$(jq -r '"\(.refused) \(.calls | length) \(.notes[] | select(.level == "blocks").code)"' "$work/out")" = "true 0 no-group" ] ||
	problem "$(cat "$work/out")"
run vm --force 103 02:00
status_is 0
out "qm set 103 --hostpci0 0000:02:00"
out "# 0000:02:00.0 has no IOMMU group, so no VM gets it: vfio-early status says why"

begin "vm: the IOMMU is off: the next boot refuses the card, and so does vm"
rm -rf "${root:?}"
the_machine | sed -e '/^iommu/d' -e '/^acpi/d' -e 's/^\([0-9]*\) 0000/- 0000/' | "$top/tests/host/mktree" "$root"
config 'bind 02:00
'
run vm 103 02:00
status_is 1
no_out "qm set"
err_has "error: 0000:02:00.0 is not given to VMs: IOMMU off in the firmware (no DMAR, IVRS or IORT)"
run vm --libvirt 02:00
status_is 1
no_out "<hostdev"
run vm --force 103 02:00
status_is 0
out "qm set 103 --hostpci0 0000:02:00"

begin "vm --json"
config 'bind 17:00.1\n'
guest 104 'machine: q35\nbios: ovmf\ncpu: host\nballoon: 0\n'
run vm 104 17:00.1 --json
status_is 0
out_is <<-EOF
	{
	  "schema": 2,
	  "vmid": 104,
	  "refused": false,
	  "calls": [
	    {
	      "words": [
	        "qm",
	        "set",
	        "104",
	        "--hostpci0",
	        "0000:17:00.1,pcie=1"
	      ]
	    }
	  ],
	  "notes": [
	    {
	      "level": "notes",
	      "code": "efidisk-missing",
	      "text": "OVMF keeps its settings on an EFI disk: qm set 104 --efidisk0 STORAGE:1,efitype=4m,pre-enrolled-keys=0"
	    }
	  ]
	}
EOF

begin "vm: refusals"
protected
run vm 103 00:1f.2
status_is 1
err "error: 0000:00:1f.2 holds /: this host needs it; --force gives it away all the same"
run vm --force 103 00:1f.2
status_is 0
run vm 103 00:01.0
status_is 1
err "error: 0000:00:01.0 is a bridge; fix: name what is behind it"
i=0
while [ $i -lt 16 ]; do
	echo "hostpci$i: 44:00"
	echo "usb$i: spice"
	i=$((i + 1))
done >"$work/full"
guest 105 "$(cat "$work/full")\n"
config 'bind 02:00\n'
run vm 105 02:00
status_is 1
err "error: VM 105 has no free hostpci entry: 16 is the limit"
run vm 105 --usb 1-1
status_is 1
err "error: VM 105 has no free usb entry: 14 is the limit"

begin "vm: usage"
run vm
status_is 2
err "error: a VMID and an address are missing: vfio-early vm 100 0000:81:00"
for id in 99 -5 x 0100 1234567890; do
	run vm -- "$id" 02:00
	[ "$status" -eq 2 ] || problem "$id is taken for a VMID"
	err "error: $id is not a VMID; fix: write a number that qm list shows, then addresses"
done
run vm 103
status_is 2
err "error: an address is missing: vfio-early vm 103 0000:81:00"
for device in 1234 1234:56789 1- -1 1-. 1-2. 1-2..3 'x;y'; do
	run vm 103 --usb="$device"
	status_is 2
	err "error: $device is not a USB device; fix: write 046d:c52b (lsusb) or 1-2.3 (lsusb -t)"
done
run vm 103 03:00
status_is 2
run vm --run 103 02:00
status_is 3
err "error: --run changes a VM of this host, not one of a recorded machine; fix: leave out --root"

# on_host QM: `vm --run` on a host that has the machine's sysfs, and this text as qm; $work/calls.
on_host() {
	mkdir -p "$work/bin"
	printf '#!/bin/sh\n%s\n' "$1" >"$work/bin/qm"
	chmod 755 "$work/bin/qm"
	: >"$work/calls"
	in_namespace "mount --bind $root/sys /sys &&
		{ PATH=$work/bin:\$PATH $command vm --run --force 101 02:00 --usb 1-2 >$work/out 2>$work/err
		echo \$? >$work/status; }" 2>/dev/null || return
	status=$(cat "$work/status")
}

begin "vm --run: qm is called without a shell, for each change"
# shellcheck disable=SC2016 # for qm
if on_host 'echo "$#: $*" >>'"$work/calls"'; [ "$1" != config ] || printf "machine: q35\nbios: ovmf\ncpu: host\nhostpci0: 44:00\nefidisk0: x:1\n"'; then
	status_is 0
	is "$work/calls" <<-EOF
		2: config 101
		4: set 101 --hostpci1 0000:02:00,pcie=1
		4: set 101 --usb0 host=1-2,usb3=1
	EOF
else
	skip "no namespace of its own"
fi

begin "vm --run: qm fails"
# shellcheck disable=SC2016 # for qm
if on_host '[ "$1" != config ] || { printf "machine: q35\ncpu: host\n"; exit 0; }; case $3 in --usb*) exit 5 ;; esac'; then
	status_is 3
	err "error: qm set 101 --usb0 ended with status 5; done before it: 2 of 3"
	on_host 'exit 2'
	status_is 3
	err "error: qm config 101 ended with status 2; fix: name a VM of this host (qm list)"
else
	skip "no namespace of its own"
fi

begin "vm --run: no qm"
if in_namespace "mount --bind $root/sys /sys &&
	{ PATH=/nonexistent $command vm --run 101 02:00 >$work/out 2>$work/err
	echo \$? >$work/status; }" 2>/dev/null; then
	status=$(cat "$work/status")
	status_is 3
	err "error: qm is not in PATH: this is not a Proxmox VE host; fix: run the calls there"
else
	skip "no namespace of its own"
fi
