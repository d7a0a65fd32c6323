# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# vm: the configs of VMs as people post them, with the exact calls and the codes of the notes. After each, the
# calls are made in a copy of the config, and a model of Proxmox VE (pve.awk) reads it: what it understands
# is what was meant, and no function is there twice. Sourced by run.

# vm_machine: two NVIDIA cards (one shows the console), one of AMD with USB functions, an APU, Intel's GPU, a
# NIC that shares a group with a card, an SR-IOV NIC, an HBA, an Arc, a Renesas USB card.
vm_machine() {
	rm -rf "${root:?}/sys" "${root:?}/etc"
	"$top/tests/host/mktree" "$root" 2>/dev/null <<-EOF
		iommu dmar0
		acpi DMAR
		interrupts  24:          0  IR-PCI-MSI
		0 0000:00:01.0 060400 8086:1901
		1 0000:00:02.0 030000 8086:46d1 driver=i915 reset=flr
		5 0000:00:1f.2 010601 8086:1111 driver=ahci
		3 0000:00:06.0 060400 8086:1902
		4 0000:00:08.1 060400 1022:14eb
		14 0000:01:00.0 030000 10de:1e84 subsystem=1458:4001 under=0000:00:01.0 boot_vga=1 reset=bus
		14 0000:01:00.1 040300 10de:10f8 subsystem=1458:4001 under=0000:00:01.0 reset=bus
		15 0000:02:00.0 030000 10de:06c0 subsystem=1458:4002 under=0000:00:06.0 reset=bus
		15 0000:02:00.1 040300 10de:0be5 subsystem=1458:4002 under=0000:00:06.0 reset=bus
		16 0000:03:00.0 030000 1002:73bf subsystem=1002:0e3a under=0000:00:06.0 reset=bus
		16 0000:03:00.1 040300 1002:ab28 subsystem=1002:ab28 under=0000:00:06.0 reset=bus
		16 0000:03:00.2 0c0330 1002:73a6 subsystem=1002:0e3a under=0000:00:06.0 reset=bus
		16 0000:03:00.3 0c8000 1002:73a4 subsystem=1002:0408 under=0000:00:06.0 reset=bus
		17 0000:04:00.0 030000 8086:56a0 under=0000:00:06.0 reset=flr
		18 0000:05:00.0 010700 1000:0072 under=0000:00:06.0 reset=flr
		19 0000:06:00.0 0c0330 1912:0014 subsystem=1912:0014 under=0000:00:06.0 reset=flr
		20 0000:07:00.0 030000 10de:2204 under=0000:00:06.0 reset=bus
		20 0000:08:00.0 020000 10ec:8125 under=0000:00:06.0 driver=r8169
		50 0000:17:00.0 020000 8086:1572 under=0000:00:06.0 driver=i40e totalvfs=64 numvfs=2
		51 0000:17:00.1 020000 8086:154c under=0000:00:06.0 physfn=0000:17:00.0 reset=flr
		71 0000:c5:00.0 030000 1002:1900 under=0000:00:08.1
		72 0000:c5:00.1 040300 1002:1640 under=0000:00:08.1
		73 0000:c5:00.2 108000 1022:15c7 under=0000:00:08.1
		74 0000:c5:00.3 0c0330 1022:15b9 under=0000:00:08.1
		link /etc/pve/local nodes/pve1
		file /etc/pve/qemu-server/100.conf name: new
		file /etc/pve/mapping/pci.cfg gpu\n\tmap id=10de:2204,iommugroup=3,node=pve2,path=0000:41:00,subsystem-id=1458:403b\n\tmap id=10de:2204,node=pve3,path=0000:42:00\n\ncard\n\tmap id=10de:1e84,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1458:4001\n
	EOF
	config 'bind 00:02 01:00 02:00 03:00 04:00 05:00 06:00 07:00 17:00.1 c5:00.0 c5:00.1\n'
}

# apply_calls CONFIG: the qm calls of $work/out, made in a file; pvesh calls as "map NAME PATH".
apply_calls() {
	cp "$1" "$work/after"
	printf 'map card 0000:01:00\n' >>"$work/after"
	grep -e '^qm set ' -e '^pvesh ' "$work/out" | while read -r line; do
		eval "set -- $line"
		if [ "$1 ${4-}" = "qm --delete" ]; then
			sed -i "/^$5: /d" "$work/after"
			continue
		fi
		if [ "$1" = qm ]; then
			sed -i "/^${4#--}: /d" "$work/after"
			printf '%s: %s\n' "${4#--}" "$5" >>"$work/after"
			continue
		fi
		name=${3##*/}
		[ "$2" = set ] || name=$5
		printf 'map %s %s\n' "$name" "$(printf '%s\n' "$line" |
			sed 's/.*node=pve1,path=\([^, ]*\).*/\1/')" >>"$work/after"
	done
}

# vm_is NAME CONFIG ARGUMENTS CODES GIVEN <calls: one run, its calls, the codes of its notes but guest-hint, and
# what the VM has afterwards, as Proxmox VE reads it. CODES: sorted, with blanks between.
vm_is() {
	begin "vm: $1"
	vm_machine
	# shellcheck disable=SC2059 # escapes
	printf "$2" >"$root/etc/pve/qemu-server/100.conf"
	cp "$root/etc/pve/qemu-server/100.conf" "$work/before"
	# shellcheck disable=SC2086 # words
	run vm 100 $3 --json
	codes=$(sed -n '/"notes"/,$s/.*"code": "\(.*\)",/\1/p' "$work/out" | grep -v guest-hint | sort -u |
		tr '\n' ' ')
	[ "$codes" = "$4${4:+ }" ] || problem "notes: $codes"
	# shellcheck disable=SC2086
	run vm 100 $3
	status_is 0
	cp "$work/out" "$work/said"
	grep -e '^qm ' -e '^pvesh ' "$work/said" | sed 's/^qm set 100 //' >"$work/calls"
	is "$work/calls"
	cp "$work/said" "$work/out"
	apply_calls "$work/before"
	ls "$root/sys/bus/pci/devices" >"$work/functions"
	given=$(awk -f "$here/pve.awk" "$work/functions" "$work/after")
	[ "$given" = "$5" ] || problem "Proxmox VE reads: $given"
}

q35='bios: ovmf\nmachine: q35\nefidisk0: local-lvm:vm-100-disk-0,efitype=4m,size=4M\ncpu: host\nballoon: 0\nscsi0: local-lvm:vm-100-disk-1,size=64G\n'
i440='bios: seabios\ncpu: host\nballoon: 0\nscsi0: local-lvm:vm-100-disk-1,size=64G\n'

# --- new guests, and those that are installed

vm_is "a new guest without anything" 'name: new\nmemory: 4096\n' 02:00 'balloon efidisk-missing' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--machine q35
	--bios ovmf
	--cpu host
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "q35 and OVMF" "$q35" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "q35 of a version, in the long form" "$(echo "$q35" | sed 's/machine: q35/machine: type=pc-q35-8.1,viommu=virtio/')" 02:00 '' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "i440fx and SeaBIOS, installed: kept" "$i440" 02:00 'bios-kept machine-kept' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00
EOF
vm_is "i440fx, with --machine and --ovmf" "$i440" '02:00 --machine --ovmf' '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--machine q35
	--bios ovmf
	--efidisk0 local-lvm:1,efitype=4m,pre-enrolled-keys=0
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "q35 and SeaBIOS, installed" "machine: q35\n$i440" 02:00 'bios-kept' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "keys of Secure Boot" "$(echo "$q35" | sed 's/efitype=4m/efitype=4m,pre-enrolled-keys=1/')" 02:00 'secure-boot-keys' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "kvm64 becomes host" "$(echo "$q35" | sed 's/cpu: host/cpu: kvm64,flags=+aes/')" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--cpu host,flags=+aes
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "another CPU type stays" "$(echo "$q35" | sed 's/cpu: host/cpu: x86-64-v2-AES/')" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF

# --- the screen

vm_is "the host's screen is the guest's" "$q35" 01:00 'screen' 'hostpci0 0000:01:00.0 0000:01:00.1' <<-EOF
	--vga none
	--hostpci0 0000:01:00,pcie=1,x-vga=1
EOF
vm_is "--primary" "${q35}vga: std\n" '03:00 --primary' '' 'hostpci0 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3' <<-EOF
	--vga none
	--hostpci0 0000:03:00,pcie=1,x-vga=1
EOF
vm_is "--primary for what it has" "${q35}vga: none\nhostpci0: 02:00,pcie=1\n" '02:00 --primary' '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 02:00,pcie=1,x-vga=1
EOF
vm_is "--hidden of a card whose driver asks" "$q35" '02:00 --hidden' '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--cpu host,hidden=1
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "--hidden of a newer card" "$q35" '07:00 --hidden --force' 'blocks-group hidden-needless' 'hostpci0 0000:07:00.0' <<-EOF
	--hostpci0 0000:07:00,pcie=1
EOF
vm_is "--hidden with x-vga" "$q35" '02:00 --hidden --primary' 'hidden-needless' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--vga none
	--hostpci0 0000:02:00,pcie=1,x-vga=1
EOF
vm_is "a ROM, and none" "$q35" '02:00 --romfile card.rom --rombar 0' 'rom-missing' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1,rombar=0,romfile=card.rom
EOF

vm_is "two cards, of which one shows the host's screen" "$q35" '01:00 03:00' 'screen' \
	"hostpci0 0000:01:00.0 0000:01:00.1
hostpci1 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3" <<-EOF
	--vga none
	--hostpci0 0000:01:00,pcie=1,x-vga=1
	--hostpci1 0000:03:00,pcie=1
EOF
vm_is "the host's screen beside another first screen" "${q35}vga: none\nhostpci0: 03:00,pcie=1,x-vga=1\n" 01:00 '' \
	"hostpci0 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3
hostpci1 0000:01:00.0 0000:01:00.1" <<-EOF
	--hostpci1 0000:01:00,pcie=1
EOF
vm_is "--primary moves the first screen" "${q35}vga: none\nhostpci0: 03:00,pcie=1,x-vga=1\n" '02:00 --primary' 'primary-moved' \
	"hostpci0 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3
hostpci1 0000:02:00.0 0000:02:00.1" <<-EOF
	--hostpci0 03:00,pcie=1
	--hostpci1 0000:02:00,pcie=1,x-vga=1
EOF
vm_is "vga is none in the long form" "${q35}vga: type=none\n" '02:00 --primary' '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1,x-vga=1
EOF
vm_is "--hidden keeps the flags of the CPU" "$(echo "$q35" | sed 's/cpu: host/cpu: x86-64-v2-AES,flags=+pcid;-spec-ctrl/')" '02:00 --hidden' '' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--cpu 'host,flags=+pcid;-spec-ctrl,hidden=1'
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "--hidden that is there" "$(echo "$q35" | sed 's/cpu: host/cpu: host,hidden=1/')" '02:00 --hidden' '' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF

# --- what it has already

vm_is "all of it, in one entry" "${q35}hostpci0: 0000:02:00,pcie=1\n" 02:00 'there-already' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
EOF
vm_is "all of it, by host= behind" "${q35}hostpci0: pcie=1,host=02:00.0;02:00.1\n" 02:00 'there-already' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
EOF
vm_is "all of it, in two entries" "${q35}hostpci0: 02:00.0,pcie=1\nhostpci1: 02:00.1,pcie=1\n" 02:00 'there-already' \
	"hostpci0 0000:02:00.0
hostpci1 0000:02:00.1" <<-EOF
EOF
vm_is "all of it, by a mapping" "${q35}hostpci3: mapping=card,pcie=1,x-vga=1\nvga: none\n" 01:00 'screen there-already' \
	'hostpci3 0000:01:00.0 0000:01:00.1' <<-EOF
EOF
vm_is "function 0 alone" "${q35}hostpci0: 0000:02:00.0,pcie=1\n" 02:00 'entry-changed' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "function 1 alone, with other properties" "${q35}hostpci2: host=0000:02:00.1,pcie=1,rombar=0\n" 02:00 'entry-changed' \
	'hostpci2 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci2 0000:02:00,pcie=1,rombar=0
EOF
vm_is "two of four functions" "${q35}hostpci0: 0000:03:00.0;0000:03:00.1,pcie=1,x-vga=1\n" 03:00 'entry-changed' \
	'hostpci0 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3' <<-EOF
	--hostpci0 0000:03:00,pcie=1,x-vga=1
EOF
vm_is "the last of four, in entries of their own" \
	"${q35}hostpci0: 03:00.0,pcie=1\nhostpci1: 03:00.1,pcie=1\nhostpci2: 03:00.2,pcie=1\n" 03:00 'entry-changed' \
	"hostpci0 0000:03:00.0 0000:03:00.3
hostpci1 0000:03:00.1
hostpci2 0000:03:00.2" <<-EOF
	--hostpci0 '0000:03:00.0;0000:03:00.3,pcie=1'
EOF
vm_is "a list with another card" "${q35}hostpci0: 01:00;02:00.0,pcie=1\n" 02:00 'entry-changed' \
	'hostpci0 0000:01:00.0 0000:01:00.1 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 '0000:01:00;0000:02:00,pcie=1'
EOF
vm_is "a free number between" "${q35}hostpci0: 03:00,pcie=1\nhostpci2: 01:00,pcie=1\n" 02:00 '' \
	"hostpci0 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3
hostpci1 0000:02:00.0 0000:02:00.1
hostpci2 0000:01:00.0 0000:01:00.1" <<-EOF
	--hostpci1 0000:02:00,pcie=1
EOF
vm_is "several GPUs at once" "$q35" '02:00 03:00' '' \
	"hostpci0 0000:02:00.0 0000:02:00.1
hostpci1 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3" <<-EOF
	--hostpci0 0000:02:00,pcie=1
	--hostpci1 0000:03:00,pcie=1
EOF
vm_is "a snapshot does not count" "${q35}\n[clean]\nhostpci0: 02:00\n" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "a pending entry counts" "${q35}hostpci1: 02:00,pcie=1\n" 02:00 'there-already' 'hostpci1 0000:02:00.0 0000:02:00.1' <<-EOF
EOF

vm_is "pcie=1 without q35 goes" "${i440}hostpci0: 02:00,pcie=1\n" 02:00 'bios-kept machine-kept' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 02:00
EOF
vm_is "pcie=1 stays with --machine" "${i440}hostpci0: 02:00,pcie=1\n" '02:00 --machine' 'bios-kept there-already' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--machine q35
EOF
vm_is "options of an entry that grows" "${q35}vga: none\nhostpci0: 02:00.0,pcie=1\n" '02:00 --primary --rombar 0 --romfile card.rom' \
	'entry-changed rom-missing' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1,x-vga=1,rombar=0,romfile=card.rom
EOF
vm_is "a mapping of an entry that grows" "${q35}hostpci0: 02:00.0,pcie=1\n" '02:00 --mapping fermi' 'entry-changed' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	pvesh create /cluster/mapping/pci --id fermi --map id=10de:06c0,iommugroup=15,node=pve1,path=0000:02:00,subsystem-id=1458:4002
	--hostpci0 mapping=fermi,pcie=1
EOF
vm_is "twice in one entry" "${q35}hostpci0: 02:00;02:00.0,pcie=1\n" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "twice, in two entries" "${q35}hostpci0: 02:00,pcie=1\nhostpci1: 02:00.1,pcie=1\n" 02:00 'entry-changed there-already' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--delete hostpci1
EOF
vm_is "twice, in a list" "${q35}hostpci0: 02:00,pcie=1\nhostpci1: 02:00.1;03:00,pcie=1\n" 02:00 'entry-changed there-already' \
	"hostpci0 0000:02:00.0 0000:02:00.1
hostpci1 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3" <<-EOF
	--hostpci1 0000:03:00,pcie=1
EOF
vm_is "another entry that does not start" "${q35}hostpci0: 44:00,pcie=1\nhostpci1: 02:00,pcie=1\n" 02:00 'there-already vm-device-gone' \
	'error: no PCI device found for 0000:44:00' <<-EOF
EOF
vm_is "a mediated device is not the device" "${q35}hostpci0: 00:02.0,mdev=i915-GVTg_V5_4,pcie=1\n" 00:02 'mdev-replaced' \
	'hostpci0 0000:00:02.0' <<-EOF
	--hostpci0 00:02.0,pcie=1
EOF

# --- what is no card

vm_is "an APU: its functions one by one" "$q35" c5:00 'apu-rom not-of-card' \
	"hostpci0 0000:c5:00.0
hostpci1 0000:c5:00.1" <<-EOF
	--hostpci0 0000:c5:00.0,pcie=1
	--hostpci1 0000:c5:00.1,pcie=1
EOF
vm_is "an APU, with its ROM, of which one is there" "${q35}hostpci0: c5:00.1,pcie=1\n" 'c5:00 --romfile vbios.bin' \
	'not-of-card rom-missing there-already' \
	"hostpci0 0000:c5:00.1
hostpci1 0000:c5:00.0" <<-EOF
	--hostpci1 0000:c5:00.0,pcie=1,romfile=vbios.bin
EOF
vm_is "an APU of which the VM has the slot: what is the host's goes" "${q35}hostpci0: c5:00,pcie=1\n" c5:00 'apu-rom entry-narrowed not-of-card' \
	'hostpci0 0000:c5:00.0 0000:c5:00.1' <<-EOF
	--hostpci0 '0000:c5:00.0;0000:c5:00.1,pcie=1'
EOF
vm_is "a virtual function of which the VM has the slot" "${q35}hostpci3: 17:00;02:00,pcie=1,rombar=0\n" 17:00.1 'entry-narrowed' \
	'hostpci3 0000:02:00.0 0000:02:00.1 0000:17:00.1' <<-EOF
	--hostpci3 '0000:02:00;0000:17:00.1,pcie=1,rombar=0'
EOF
vm_is "--only" "$q35" '02:00.0 --only' '' 'hostpci0 0000:02:00.0' <<-EOF
	--hostpci0 0000:02:00.0,pcie=1
EOF
vm_is "a virtual function" "$q35" 17:00.1 '' 'hostpci0 0000:17:00.1' <<-EOF
	--hostpci0 0000:17:00.1,pcie=1
EOF
vm_is "Intel's GPU with i440fx" "$i440" 00:02 'bios-kept igpu-legacy machine-kept' 'hostpci0 0000:00:02.0' <<-EOF
	--vga none
	--hostpci0 0000:00:02,legacy-igd=1
EOF
vm_is "Intel's GPU with i440fx, --rombar 0" "$i440" '00:02 --rombar 0' 'bios-kept igpu-legacy machine-kept rombar-kept' 'hostpci0 0000:00:02.0' <<-EOF
	--vga none
	--hostpci0 0000:00:02,legacy-igd=1
EOF
vm_is "Intel's GPU with legacy-igd, --rombar 0" "${i440}vga: none\nhostpci0: 00:02.0,legacy-igd=1\n" '00:02 --rombar 0' \
	'bios-kept igpu-legacy machine-kept rombar-kept there-already' 'hostpci0 0000:00:02.0' <<-EOF
EOF
vm_is "Intel's GPU with legacy-igd, and vga in the long form" "${i440}vga: type=none\nhostpci0: 00:02.0,legacy-igd=1\n" 00:02 \
	'bios-kept igpu-legacy machine-kept there-already' 'hostpci0 0000:00:02.0' <<-EOF
	--vga none
EOF
vm_is "Intel's GPU with legacy-igd that becomes q35" "${i440}vga: none\nhostpci0: 00:02.0,legacy-igd=1\n" '00:02 --machine' \
	'bios-kept igpu-opregion igpu-rom' 'hostpci0 0000:00:02.0' <<-EOF
	--machine q35
	--hostpci0 00:02.0,pcie=1
EOF
vm_is "Intel's GPU with q35" "$q35" '00:02 --primary' 'igpu-opregion igpu-rom' 'hostpci0 0000:00:02.0' <<-EOF
	--hostpci0 0000:00:02,pcie=1
EOF
vm_is "an HBA without its ROM" "$q35" '05:00 --rombar 0' '' 'hostpci0 0000:05:00.0' <<-EOF
	--hostpci0 0000:05:00,pcie=1,rombar=0
EOF

# --- mappings

vm_is "a mapping that is not there" "$q35" '02:00 --mapping fermi' '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	pvesh create /cluster/mapping/pci --id fermi --map id=10de:06c0,iommugroup=15,node=pve1,path=0000:02:00,subsystem-id=1458:4002
	--hostpci0 mapping=fermi,pcie=1
EOF
vm_is "a mapping of other nodes: theirs are kept" "$q35" '02:00 --mapping gpu' '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	pvesh set /cluster/mapping/pci/gpu --map id=10de:2204,iommugroup=3,node=pve2,path=0000:41:00,subsystem-id=1458:403b --map id=10de:2204,node=pve3,path=0000:42:00 --map id=10de:06c0,iommugroup=15,node=pve1,path=0000:02:00,subsystem-id=1458:4002
	--hostpci0 mapping=gpu,pcie=1
EOF
vm_is "a mapping that is right already" "$q35" '01:00 --mapping card' 'screen' 'hostpci0 0000:01:00.0 0000:01:00.1' <<-EOF
	--vga none
	--hostpci0 mapping=card,pcie=1,x-vga=1
EOF
vm_is "a mapping in the place of an address" "${q35}hostpci1: host=02:00,pcie=1,rombar=0\n" '02:00 --mapping fermi' '' \
	'hostpci1 0000:02:00.0 0000:02:00.1' <<-EOF
	pvesh create /cluster/mapping/pci --id fermi --map id=10de:06c0,iommugroup=15,node=pve1,path=0000:02:00,subsystem-id=1458:4002
	--hostpci1 mapping=fermi,pcie=1,rombar=0
EOF

vm_is "another mapping in the place of one" "${q35}vga: none\nhostpci1: mapping=card,pcie=1\n" '01:00 --mapping turing' '' \
	'hostpci1 0000:01:00.0 0000:01:00.1' <<-EOF
	pvesh create /cluster/mapping/pci --id turing --map id=10de:1e84,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1458:4001
	--hostpci1 mapping=turing,pcie=1
EOF
vm_is "a mapping of a function without a subsystem" "$q35" '04:00 --mapping arc' '' 'hostpci0 0000:04:00.0' <<-EOF
	pvesh create /cluster/mapping/pci --id arc --map id=8086:56a0,iommugroup=17,node=pve1,path=0000:04:00,subsystem-id=0000:0000
	--hostpci0 mapping=arc,pcie=1
EOF

vm_is "an address before the mapping of the same card: the mapping stays" "${q35}vga: none\nhostpci0: 01:00,pcie=1\nhostpci1: mapping=card,pcie=1\n" 01:00 \
	'entry-changed there-already' 'hostpci1 0000:01:00.0 0000:01:00.1' <<-EOF
	--delete hostpci0
EOF
vm_is "a part of the card before its mapping" "${q35}vga: none\nhostpci0: 01:00.1;02:00,pcie=1\nhostpci1: mapping=card,pcie=1\n" 01:00 \
	'entry-changed there-already' "hostpci0 0000:02:00.0 0000:02:00.1
hostpci1 0000:01:00.0 0000:01:00.1" <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF

# --- what the VM has is kept, and no card is given twice

vm_is "an entry names the mapping that is made: it has the card" "${q35}vga: none\nhostpci0: mapping=turing,pcie=1\n" '01:00 --mapping turing' '' \
	'hostpci0 0000:01:00.0 0000:01:00.1' <<-EOF
	pvesh create /cluster/mapping/pci --id turing --map id=10de:1e84,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1458:4001
EOF
vm_is "an entry names the mapping, which is another card on this node now" "${q35}vga: none\nhostpci0: mapping=card,pcie=1\n" '02:00 --mapping card' '' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	pvesh set /cluster/mapping/pci/card --map id=10de:06c0,iommugroup=15,node=pve1,path=0000:02:00,subsystem-id=1458:4002
EOF
vm_is "an entry names the mapping, another one the address" "${q35}vga: none\nhostpci0: 01:00,pcie=1\nhostpci1: mapping=turing,pcie=1\n" '01:00 --mapping turing' \
	'entry-changed' 'hostpci1 0000:01:00.0 0000:01:00.1' <<-EOF
	pvesh create /cluster/mapping/pci --id turing --map id=10de:1e84,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1458:4001
	--delete hostpci0
EOF
vm_is "an entry names the mapping, and has a mediated device of it" "${q35}hostpci0: mapping=turing,mdev=nvidia-63\n" '02:00 --mapping turing' 'mdev-replaced' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	pvesh create /cluster/mapping/pci --id turing --map id=10de:06c0,iommugroup=15,node=pve1,path=0000:02:00,subsystem-id=1458:4002
	--hostpci0 mapping=turing
EOF
vm_is "a machine keeps its other properties" 'machine: pc-i440fx-8.1,viommu=virtio\nbios: ovmf\nefidisk0: x:1\ncpu: host\nballoon: 0\n' 02:00 '' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--machine q35,viommu=virtio
	--hostpci0 0000:02:00,pcie=1
EOF
new='bios: ovmf\nefidisk0: x:1\ncpu: host\nballoon: 0\n'
vm_is "the machine becomes q35: the entry gets pcie=1" "${new}hostpci0: 02:00\n" 02:00 'pcie-set' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--machine q35
	--hostpci0 02:00,pcie=1
EOF
vm_is "the machine becomes q35: so does the entry of another card" "${new}hostpci0: mapping=card,rombar=0\nhostpci3: 03:00,pcie=0\n" 02:00 'pcie-set' \
	"hostpci0 0000:01:00.0 0000:01:00.1
hostpci1 0000:02:00.0 0000:02:00.1
hostpci3 0000:03:00.0 0000:03:00.1 0000:03:00.2 0000:03:00.3" <<-EOF
	--machine q35
	--hostpci0 mapping=card,rombar=0,pcie=1
	--hostpci1 0000:02:00,pcie=1
EOF
vm_is "the machine becomes q35: an entry that Proxmox VE ignores stays as it is" "${new}hostpci0: 03:00,disable_vfio_reset=1\n" 02:00 'vm-entry-property' \
	'error: hostpci0: disable_vfio_reset=1' <<-EOF
	--machine q35
	--hostpci1 0000:02:00,pcie=1
EOF
vm_is "the OpRegion is on already" "${q35}args: -smbios type=1 -set device.hostpci0.x-igd-opregion=on\n" 00:02 'igpu-rom' 'hostpci0 0000:00:02.0' <<-EOF
	--hostpci0 0000:00:02,pcie=1
EOF

begin "vm: the args of the VM are kept"
vm_machine
guest 100 "${q35}args: -smbios type=1\n"
run vm 100 00:02
out "# the guest's driver finds its outputs by the OpRegion: qm set 100 --args '-smbios type=1 -set device.hostpci0.x-igd-opregion=on'"
guest 100 "${q35}args: -smbios 'type=1' -set device.hostpci0.x-igd-opregion=off\n"
run vm 100 00:02
out "# the guest's driver finds its outputs by the OpRegion: qm set 100 --args '-smbios '\\''type=1'\\'' -set device.hostpci0.x-igd-opregion=off -set device.hostpci0.x-igd-opregion=on'"
guest 100 "$q35"
run vm 100 00:02
out "# the guest's driver finds its outputs by the OpRegion: qm set 100 --args '-set device.hostpci0.x-igd-opregion=on'"
rm -rf "$root/etc/pve"
run vm 100 00:02 --machine
out "# the guest's driver finds its outputs by the OpRegion: append '-set device.hostpci0.x-igd-opregion=on' to the args of VM 100 (qm config 100 shows what it has)"

# --- keys that are there twice, which Proxmox VE passes the entry over for

vm_is "two addresses by two keys" "${q35}hostpci0: host=02:00,host=03:00,pcie=1\n" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 host=02:00,pcie=1
EOF
vm_is "an address with and without its key" "${q35}hostpci0: 02:00,pcie=1,host=02:00\n" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 02:00,pcie=1
EOF
vm_is "another key twice" "${q35}hostpci0: 02:00,pcie=1,rombar=0,pcie=0\n" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 02:00,pcie=1,rombar=0
EOF
vm_is "a mapping twice" "${q35}vga: none\nhostpci0: mapping=card,mapping=x,pcie=1\n" 01:00 '' 'hostpci0 0000:01:00.0 0000:01:00.1' <<-EOF
	--hostpci0 mapping=card,pcie=1
EOF
vm_is "an address and a mapping in one entry" "${q35}vga: none\nhostpci0: 02:00,mapping=card,pcie=1\n" 02:00 '' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF

# check_says NAME CONFIG CODES: the codes of check about VM 100, each of which warns.
check_says() {
	begin "check: $1"
	vm_machine
	protected
	guest 100 "$2"
	run check -o CODE --raw
	codes=$(grep -e '^vm-' "$work/out" | sort | tr '\n' ' ')
	[ "$codes" = "$3${3:+ }" ] || problem "codes: $codes"
}

check_says "a key twice" "${q35}hostpci0: host=02:00,host=03:00\n" vm-key-twice
check_says "a property that the format has not" "${q35}hostpci0: 02:00,disable_vfio_reset=1\n" vm-entry-property
check_says "a truth that is none" "${q35}hostpci0: 02:00,pcie=ja\n" vm-entry-property
check_says "an ID without 0x" "${q35}hostpci0: 02:00,device-id=06c0\n" vm-entry-property
check_says "all that the format has" "${q35}vga: none\nhostpci0: host=02:00,pcie=on,x-vga=yes,rombar=FALSE,romfile=a.rom,vendor-id=0x10de,device-id=0x06C0,sub-vendor-id=0x1458,sub-device-id=0x4002,driver=keep\n" ''
check_says "an address and a mapping" "${q35}hostpci0: 02:00,mapping=card\n" vm-entry-both
check_says "a mediated device of two functions" "${q35}hostpci0: 02:00,mdev=nvidia-63\n" 'vm-mdev-functions vm-mdev-lost'
check_says "legacy-igd of another card" "${i440}vga: none\nhostpci0: 02:00.0,legacy-igd=1\n" vm-legacy-igd
check_says "legacy-igd of several functions" "${i440}vga: none\nhostpci0: 00:02;02:00,legacy-igd=1\n" vm-legacy-igd
check_says "legacy-igd twice" "${i440}vga: none\nhostpci0: 00:02,legacy-igd=1\nhostpci1: 00:02,legacy-igd=1\n" vm-legacy-igd
check_says "legacy-igd as it should be" "${i440}vga: none\nhostpci0: 00:02,legacy-igd=1\n" ''

begin "check: two entries of one device: of an address and a mapping the address goes"
vm_machine
protected
for entries in 'hostpci0: 01:00\nhostpci1: mapping=card\n' 'hostpci1: 01:00\nhostpci0: mapping=card\n'; do
	guest 100 "$q35$entries"
	run check -o CODE,FIX --raw
	address=$(printf "$entries" | sed -n 's/: 01:00$//p')
	grep -q "^vm-twice qm.x20set.x20100.x20--delete.x20$address\$" "$work/out" || problem "$(grep vm-twice "$work/out")"
done

begin "check: a virtual function of NVIDIA's driver is one device, whatever its type"
vm_machine
protected
config 'bind 02:00\n'
dir=$root/sys/devices/pci0000:00/0000:00:06.0/0000:17:00.1/nvidia
mkdir -p "$dir"
printf 'ID    : vGPU Name\n63    : GRID P4-1Q\n' >"$dir/creatable_vgpu_types"
guest 100 "${q35}hostpci0: 17:00.1,mdev=nvidia-63\nonboot: 1\n"
guest 101 "${q35}hostpci0: 17:00.1,mdev=nvidia-63\nonboot: 1\n"
run check -o CODE --raw
grep -q vms-share-at-start "$work/out" || problem "that both need it is not said"
no_out vm-takes
guest 101 "${q35}hostpci0: 00:02,mdev=i915-GVTg_V5_4\nonboot: 1\n"
guest 100 "${q35}hostpci0: 00:02,mdev=i915-GVTg_V5_4\nonboot: 1\n"
run check -o CODE --raw
no_out vms-share

begin "vm --mdev: how many more there can be"
vm_machine
config 'bind 01:00\n'
dir=$root/sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types/i915-GVTg_V5_4
mkdir -p "$dir"
echo 1 >"$dir/available_instances"
guest 100 "$q35"
run vm 100 00:02.0 --mdev i915-GVTg_V5_4
status_is 0
echo 0 >"$dir/available_instances"
run vm 100 00:02.0 --mdev i915-GVTg_V5_4
status_is 1
err "error: 0000:00:02.0 has no i915-GVTg_V5_4 left: all are in use, or another type is; fix: stop a VM that has one (vfio-early vgpu)"
[ ! -s "$work/out" ] || problem "calls all the same"
guest 100 "${q35}hostpci0: 00:02,pcie=1,mdev=i915-GVTg_V5_4\n"
run vm 100 00:02.0 --mdev i915-GVTg_V5_4
status_is 0

begin "vm --mdev: the type that a virtual function of NVIDIA's has now"
vm_machine
guest 100 "$q35"
config 'bind 01:00\n'
dir=$root/sys/devices/pci0000:00/0000:00:06.0/0000:17:00.1/nvidia
mkdir -p "$dir"
: >"$dir/creatable_vgpu_types"
echo 63 >"$dir/current_vgpu_type"
run vm 100 17:00.1 --mdev nvidia-63
status_is 0
run vm 100 17:00.1 --mdev nvidia-64
status_is 1

begin "list, groups: VMs that are not known are no VMs that are not there"
vm_machine
rm -r "$root/etc/pve"
mkdir -p "$root/usr/sbin"
: >"$root/usr/sbin/qm"
run list 02:00.0 --json
[ "$(jq -r '.functions[0].vm' "$work/out")" = '?' ] || problem "list: $(cat "$work/out")"
run groups 02:00.0 --json
[ "$(jq -r '.groups[0].vms' "$work/out")" = '?' ] || problem "groups: $(cat "$work/out")"

begin "vm --mapping: what it prints is what check compares"
vm_machine
guest 100 "${q35}hostpci0: mapping=arc,pcie=1\n"
printf 'arc\n\tmap id=8086:56a0,iommugroup=17,node=pve1,path=0000:04:00,subsystem-id=0000:0000\n' >"$root/etc/pve/mapping/pci.cfg"
run check -o CODE --raw
no_out vm-

begin "vm: a mapping that has changed"
vm_machine
guest 100 "${q35}hostpci0: mapping=card,pcie=1\n"
printf 'card\n\tmap id=10de:1e84,iommugroup=9,node=pve1,path=0000:01:00,subsystem-id=1458:4001\n' >"$root/etc/pve/mapping/pci.cfg"
run vm 100 01:00
status_is 0
no_out "nothing to do"
out "# VM 100: hostpci0 (mapping=card,pcie=1): iommugroup of the mapping does not match the device: Proxmox VE refuses it, and the VM does not start; fix: if it is the right device, save the mapping again (Datacenter, Resource Mappings)"
run vm 100 01:00 --mapping card
out "pvesh set /cluster/mapping/pci/card --map id=10de:1e84,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1458:4001"
no_out "mapping is not"

begin "vm --mapping: the alternatives of a pool are kept"
vm_machine
guest 100 "${q35}hostpci0: mapping=pool,pcie=1\n"
printf 'pool\n\tmap id=10de:1e84,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1458:4001\n\tmap id=10de:06c0,iommugroup=99,node=pve1,path=0000:02:00,subsystem-id=1458:4002\n' >"$root/etc/pve/mapping/pci.cfg"
run vm 100 02:00 --mapping pool
status_is 0
out "pvesh set /cluster/mapping/pci/pool --map id=10de:1e84,iommugroup=14,node=pve1,path=0000:01:00,subsystem-id=1458:4001 --map id=10de:06c0,iommugroup=15,node=pve1,path=0000:02:00,subsystem-id=1458:4002"
out "# the mapping pool names several devices of this node: each start takes one that is free"

# --- refusals

# refused NAME CONFIG ARGUMENTS ERROR: nothing is printed, and the exit status is 1.
refused() {
	begin "vm: refused: $1"
	vm_machine
	[ -z "$2" ] || config "$2"
	# shellcheck disable=SC2086 # words
	run vm 100 $3
	status_is 1
	[ ! -s "$work/out" ] || problem "calls all the same"
	err "error: $4"
}

refused "a mate of the group stays with its driver" '' 07:00 \
	'0000:08:00.0: shares group 20 with bound functions, and stays with r8169: no VM can have those; fix: vfio-early add --group 0000:08:00.0, set group claim, or move the card to another slot'
refused "no bind line" 'bind 01:00\n' 03:00 '0000:03:00.2 is not given to VMs: no bind line names it; fix: vfio-early add 0000:03:00.2'
refused "boot-vga keep" 'bind 01:00\nboot-vga keep\n' 01:00 \
	'0000:01:00.0 is not given to VMs: boot VGA (boot-vga keep); fix: boot-vga bind in the config'
refused "in except" 'bind 02:00\nexcept 02:00.1\n' 02:00 \
	'0000:02:00.1 is not given to VMs: in except; fix: remove it from the except line'
refused "a mediated device of what is bound" '' '00:02.0 --only --mdev i915-GVTg_V5_4' \
	'0000:00:02.0 is bound by the config, and offers no mediated device then; fix: vfio-early remove 0000:00:02.0'
refused "a type that is not there" 'bind 01:00\n' '00:02.0 --only --mdev i915-GVTg_V5_4' \
	'0000:00:02.0 does not offer i915-GVTg_V5_4; fix: vfio-early vgpu lists what there is'
refused "a mapping of two cards" '' '02:00 03:00 --mapping gpus' \
	'--mapping gpus is for one card or function, and these are 2; fix: one call for each, with a name of its own'
refused "a ROM of two cards" '' '02:00 03:00 --romfile card.rom' '--romfile card.rom is for one card; fix: one call for each'
refused "two first screens" '' '02:00 03:00 --primary' \
	'--primary is for one card: a guest has one first screen; fix: one call for each'

# Wrong in itself, as any other option's value.
begin "vm: usage: a name that no mapping can have"
vm_machine
run vm 100 02:00 --mapping 1card
status_is 2
err 'error: 1card is not a valid name for a mapping; fix: write two characters or more: first a letter, then letters, digits, - and _'
run vm 100 02:00 --mapping x
status_is 2
err 'error: x is not a valid name for a mapping; fix: write two characters or more: first a letter, then letters, digits, - and _'

begin "vm -o CODE, --json: what refuses it, by its code"
vm_machine
run vm 100 08:00 -o CODE --raw
status_is 1
out not-in-config
err_has "is not given to VMs"
run vm 100 02:00 03:00 --romfile card.rom --json
status_is 1
out_has '"refused": true'
no_out "qm set 100 --hostpci"
out_has '"code": "one-card"'
run vm 100 --only 02:00.1 --primary --json
status_is 1
out_has '"code": "no-display"'
run vm 100 02:00 -o LEVEL,CODE --raw
status_is 0
no_out "qm set"
run vm 100 02:00 -o CODE --run
status_is 2

begin "vm: refused: args have it"
vm_machine
guest 100 "${q35}args: -device vfio-pci,host=02:00.0\n"
run vm 100 02:00
status_is 1
err "error: args of VM 100 already has 0000:02:00.0, bypassing Proxmox VE (-device vfio-pci); fix: remove it from args first"

begin "vm: an APU of which the VM has the slot by a mapping: that is not ours to narrow"
vm_machine
guest 100 "${q35}hostpci0: mapping=apu,pcie=1\n"
printf 'apu\n\tmap id=1002:1900,iommugroup=71,node=pve1,path=0000:c5:00,subsystem-id=0000:0000\n' >"$root/etc/pve/mapping/pci.cfg"
run vm 100 c5:00
status_is 0
no_out "qm set"
out_has "# hostpci0 of VM 100 gives it 0000:c5:00.2 too: "

begin "vm: a slot with functions that the config gives too is left as it is"
vm_machine
config 'bind c5:00.0 c5:00.1 c5:00.2 c5:00.3\n'
guest 100 "${q35}hostpci0: c5:00,pcie=1\n"
run vm 100 c5:00
status_is 0
no_out "qm set"

begin "vm: what an entry takes from the host is not said of one that is narrowed"
vm_machine
protected
mkdir -p "$root/sys/bus/pci/drivers/ccp"
ln -sfn ../../../../bus/pci/drivers/ccp "$root/sys/devices/pci0000:00/0000:00:08.1/0000:c5:00.2/driver"
echo 'DRIVER=ccp' >>"$root/sys/devices/pci0000:00/0000:00:08.1/0000:c5:00.2/uevent"
guest 100 "${q35}hostpci0: c5:00,pcie=1\n"
run check -o CODE --raw
out "vm-takes"
run vm 100 c5:00
status_is 0
no_out "takes from this host"
guest 100 "${q35}hostpci0: c5:00.0,pcie=1\nhostpci1: c5:00.2,pcie=1\n"
run vm 100 c5:00
out_has "# VM 100: hostpci1 (c5:00.2,pcie=1): its start takes from this host: 0000:c5:00.2 from ccp"

begin "vm, check: hostpci16, which Proxmox VE does not know"
vm_machine
protected
guest 100 "${q35}hostpci15: 02:00\nhostpci16: 03:00\nhostpcix: 04:00\nhostpci: 04:00\n"
run check -o CODE,SUBJECT,TEXT,FIX --raw
[ "$(grep -c '^vm-' "$work/out")" -eq 1 ] || problem "$(grep '^vm-' "$work/out")"
grep -q '^vm-entry-number VM.x20100 hostpci16.*/etc/pve/qemu-server/100.conf$' "$work/out" || problem "nothing of hostpci16"
run vm 100 02:00
out_has "# VM 100: hostpci16 (03:00): Proxmox VE knows only hostpci0 to hostpci15, and ignores this entry"

begin "vm: a VM whose config cannot be read keeps its machine, firmware and CPU"
vm_machine
config 'bind 00:02 02:00\n'
rm -r "$root/etc/pve"
run vm 100 02:00
status_is 0
[ "$(grep '^qm' "$work/out")" = "qm set 100 --hostpci0 0000:02:00" ] || problem "$(grep '^qm' "$work/out")"
run vm 100 02:00 --machine --ovmf --hidden
[ "$(grep -c '^qm set 100 --\(machine q35\|bios ovmf\|cpu host,hidden=1\|hostpci0 0000:02:00,pcie=1\)$' "$work/out")" -eq 4 ] ||
	problem "what is asked for is left out"
run vm 100 00:02
[ "$(grep '^qm' "$work/out")" = "qm set 100 --hostpci0 0000:00:02" ] || problem "$(grep '^qm' "$work/out")"
run vm 100 00:02 --json
out_has '"code": "igpu-machine"'

vm_is "a property that the format has not, and blanks" "${q35}hostpci0: 02:00.0, pcie=1,multifunction=on,romfile=\n" 02:00 'entry-changed entry-corrected' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF
vm_is "a property that the format has not, of what is whole" "${q35}hostpci0: 02:00,pcie=1,disable_vfio_reset=1\n" 02:00 'entry-corrected' \
	'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 02:00,pcie=1
EOF
vm_is "a VM that a backup has locked" "${q35}lock: backup\n" 02:00 'vm-locked' 'hostpci0 0000:02:00.0 0000:02:00.1' <<-EOF
	--hostpci0 0000:02:00,pcie=1
EOF

begin "check: a container's keys as LXC writes them"
vm_machine
protected
mkdir -p "$root/etc/pve/lxc"
dir=$root/sys/devices/pci0000:00/0000:00:06.0/0000:03:00.0/drm/card2
mkdir -p "$dir"
printf 'MAJOR=226\nMINOR=2\nDEVNAME=dri/card2\n' >"$dir/uevent"
for line in 'lxc.mount.entry = /dev/dri/card2 dev/dri/card0 none bind' 'lxc.mount.entry=/dev/dri dev/dri none bind' \
	'lxc.cgroup2.devices.allow = c 226:2 rwm' 'lxc.mount.entry: /dev dev none rbind' \
	'mp0: /dev/,mp=/host'; do
	echo "$line" >"$root/etc/pve/lxc/200.conf"
	run check -o CODE,SUBJECT --raw
	out 'container-loses container\x20200'
done
# Not a folder of that name, and no node by its name.
printf 'mp0: /devices,mp=/d\nlxc.cgroup2.devices.allow: a\n' >"$root/etc/pve/lxc/200.conf"
run check -o CODE,SUBJECT --raw
no_out container-loses
# Of a VM it is no line at all.
guest 100 "${q35}hostpci0 = 44:00\n"
run check -o CODE --raw
no_out vm-

begin "check: the mate in except is not proposed for add"
vm_machine
config 'bind 07:00\nexcept 08:00.0\n'
run check -o CODE,FIX --raw
out_has 'blocks-group remove\x20it\x20from\x20the\x20except\x20line'

begin "vm: no such VM"
vm_machine
run vm 104 02:00
status_is 3
err "error: /etc/pve/qemu-server/104.conf: No such file or directory; fix: name a VM of this machine"

# nic_needed: 08:00.0 carries the default route.
nic_needed() {
	mkdir -p "$root/proc/net" "$root/sys/class/net"
	nic=sys/devices/pci0000:00/0000:00:06.0/0000:08:00.0/net/eth0
	mkdir -p "$root/$nic"
	echo up >"$root/$nic/operstate"
	ln -s ../../../0000:08:00.0 "$root/$nic/device"
	ln -s "../../../$nic" "$root/sys/class/net/eth0"
	printf 'Iface\tDestination\tGateway\tFlags\neth0\t00000000\t010200C0\t0003\n' >"$root/proc/net/route"
}

begin "vm: refused: another VM's start takes what the host needs"
vm_machine
config 'bind 07:00\n'
nic_needed
protected
run vm 100 07:00
status_is 1
[ ! -s "$work/out" ] || problem "calls all the same"
grep -q '^vfio-early: error: group 20: this host needs 0000:08:00.0' "$work/err" || problem "$(cat "$work/err")"

begin "vm: refused: what this very VM takes already"
vm_machine
config 'bind 02:00\n'
nic_needed
protected
guest 100 "${q35}hostpci0: 07:00,pcie=1\n"
run vm 100 02:00
status_is 1
grep -q '^vfio-early: error: VM 100: hostpci0 (07:00,pcie=1): its start takes .*0000:08:00.0' "$work/err" ||
	problem "its own start is not named"

begin "check: a list of any length is read to its end"
vm_machine
config 'bind 02:00\n'
nic_needed
# shellcheck disable=SC2046 # words
list=$(printf '02:00.0;%.0s' $(seq 80))
guest 100 "${q35}hostpci0: ${list}08:00.0,pcie=1\nonboot: 1\n"
protected
run check -o CODE,SUBJECT
status_is 1
grep -q "^vm-takes-needed  *VM 100" "$work/out" || problem "the NIC at the end of the list is not named"

begin "check: what a start took is lost again at the next start, though vfio-pci has it now"
vm_machine
config 'bind 07:00\n'
nic_needed
protected
guest 100 "${q35}hostpci0: 07:00,pcie=1\nonboot: 1\n"
run check --raw -o CODE,SUBJECT,TEXT
status_is 1
grep -q '^vm-takes-needed VM.x20100 .*0000:08:00.0' "$work/out" || problem "the NIC is not named"
run plan --kernel "$kernel" --output "$work/plan"
# The VM runs: the NIC is on vfio-pci, and has no interface.
rm -rf "${root:?}/$nic" "$root/sys/class/net/eth0"
mkdir -p "$root/sys/bus/pci/drivers/vfio-pci"
ln -sfn ../../../../bus/pci/drivers/vfio-pci "$root/sys/devices/pci0000:00/0000:00:06.0/0000:08:00.0/driver"
sed -i 's/DRIVER=.*/DRIVER=vfio-pci/' "$root/sys/devices/pci0000:00/0000:00:06.0/0000:08:00.0/uevent"
run check --raw -o LEVEL,CODE,TEXT
sed -i 's/\\x20/ /g' "$work/out"
grep -q '^warns vm-takes .*: 0000:08:00.0 from its driver (vfio-pci has it now, but no bind line names it; when the last image was made: ' "$work/out" ||
	problem "nothing is lost"

begin "check: a template takes nothing, its clones would"
vm_machine
config 'bind 07:00\n'
nic_needed
protected
guest 100 "${q35}hostpci0: 07:00,pcie=1\ntemplate: 1\nonboot: 1\n"
run check --raw -o LEVEL,CODE,SUBJECT
grep -q '^notes template-takes VM.x20100' "$work/out" || problem "nothing of clones"
! grep -q ' vm-takes' "$work/out" || problem "a template starts"

begin "vm: options and mappings are of the card, not of its audio"
vm_machine
config 'bind 02:00\n'
guest 100 "${q35}hostpci0: 02:00.0,pcie=1\nhostpci1: 02:00.1,pcie=1\n"
run vm 100 02:00 --romfile card.rom
status_is 0
out "qm set 100 --hostpci0 02:00.0,pcie=1,romfile=card.rom"

begin "vm --mdev"
vm_machine
config 'bind 01:00\n'
mkdir -p "$root/sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types/i915-GVTg_V5_4"
guest 100 "$q35"
run vm 100 00:02.0 --only --mdev i915-GVTg_V5_4
status_is 0
out "qm set 100 --hostpci0 0000:00:02,mdev=i915-GVTg_V5_4,pcie=1"
mkdir -p "$root/sys/devices/pci0000:00/0000:00:06.0/0000:17:00.1/nvidia"
printf 'ID    : vGPU Name\n63    : GRID P4-1Q\n' >"$root/sys/devices/pci0000:00/0000:00:06.0/0000:17:00.1/nvidia/creatable_vgpu_types"
run vm 100 17:00.1 --mdev nvidia-63
out "qm set 100 --hostpci0 0000:17:00.1,mdev=nvidia-63,pcie=1"
for type in nvidia-64 nvidia-63x nvidia-6 nvidia- nvidia-063; do
	run vm 100 17:00.1 --mdev $type
	[ "$status" -eq 1 ] || problem "$type is taken"
done
guest 100 "${q35}hostpci0: 17:00.1,pcie=1\n"
run vm 100 17:00.1 --mdev nvidia-63
out "qm set 100 --hostpci0 17:00.1,pcie=1,mdev=nvidia-63"
guest 100 "${q35}hostpci0: 17:00.1,pcie=1,mdev=nvidia-62\n"
run vm 100 17:00.1 --mdev nvidia-63 --rombar 0
out "qm set 100 --hostpci0 17:00.1,pcie=1,mdev=nvidia-63,rombar=0"

begin "vm: other VMs"
vm_machine
guest 100 "$q35"
guest 101 'hostpci0: 02:00,pcie=1\n'
mkdir -p "$root/run/qemu-server"
printf '0000:02:00.0 101 pid:4711\n0000:02:00.1 101 pid:4711\n' >"$root/run/qemu-server/pci-id-reservations"
echo 4712 >"$root/run/qemu-server/100.pid"
run vm 100 02:00
status_is 0
out "# VM 101 runs with it now: stop that one first"
out "# VM 101 (hostpci0) has it too, or another function of its group: only one of them can run"
out "# VM 100 runs: a PCI device cannot be plugged in; stop it, then start it again"

begin "vm --usb: by its name, by its port, by a mapping"
vm_machine
mkdir -p "$root/sys/bus/usb/devices/1-2.3"
for pair in idVendor:046d idProduct:c52b manufacturer:Logitech 'product:USB Receiver'; do
	echo "${pair#*:}" >"$root/sys/bus/usb/devices/1-2.3/${pair%%:*}"
done
printf 'mouse\n\tmap id=046d:c52b,node=pve1\n' >"$root/etc/pve/mapping/usb.cfg"
guest 100 'usb0: spice\n'
run vm 100 --usb 046d:c52b
out "qm set 100 --usb1 host=046d:c52b,usb3=1"
out "# 046d:c52b is Logitech USB Receiver, at port 1-2.3: ID 046d:c52b"
run vm 100 --usb 046d:c52b --usb 046D:C52B
[ "$(grep -c "^qm set" "$work/out")" -eq 1 ] || problem "one device twice"
run vm 100 --usb 1-2.3
out "# 1-2.3 is Logitech USB Receiver, at port 1-2.3: ID 046d:c52b"
for have in 046d:c52b,usb3=1 host=0x046d:0xc52b mapping=mouse; do
	guest 100 "usb3: $have\n"
	run vm 100 --usb 046d:c52b
	no_out "qm set"
	out "# usb3 of VM 100 has 046d:c52b already: nothing to do for it"
done

begin "vm --libvirt"
vm_machine
run vm --libvirt 02:00.1 --only --rombar 0
status_is 0
out_is <<-EOF
	<hostdev mode='subsystem' type='pci' managed='no'>
	  <driver name='vfio'/>
	  <source>
	    <address domain='0x0000' bus='0x02' slot='0x00' function='0x1'/>
	  </source>
	  <rom bar='off'/>
	</hostdev>
EOF
run vm --libvirt 07:00
status_is 1
run vm --libvirt 02:00 --romfile /usr/share/card.rom
status_is 0
[ "$(grep -c "<rom file='/usr/share/card.rom'/>" "$work/out")" -eq 1 ] || problem "the ROM is not of the display alone"

begin "vm --libvirt: what it does not use is refused"
vm_machine
run vm --libvirt 100 02:00
status_is 2
err 'error: --libvirt takes no VMID: it reads no domain; fix: leave out 100'
run vm --libvirt --primary --mapping gpu --hidden -u 046d:c52b 02:00
status_is 2
err 'error: --libvirt prints only <hostdev> elements, and none for these; fix: leave out --usb, --primary, --mapping, --hidden'
run vm --libvirt
status_is 2
err 'error: an address is missing: vfio-early vm --libvirt 0000:81:00'

begin "check: a slot with a physical function and its virtual ones: the fix does not end those"
vm_machine
protected
guest 100 "${q35}hostpci0: 17:00,pcie=1\n"
run check -o CODE,FIX --raw
grep -q '^vm-takes qm.x20set.x20100.x20--delete.x20hostpci0$' "$work/out" || problem "$(grep '^vm-takes' "$work/out")"

begin "vm: what is to be known of a card"
vm_machine
guest 100 "$q35"
dir=$root/sys/devices/pci0000:00/0000:00:06.0/0000:04:00.0
: >"$dir/resource2_resize"
printf '0x0 0xffffff 0x140204\n0x0 0x0 0x0\n0x4000000000 0x400fffffff 0x14220c\n' >"$dir/resource"
run vm 100 04:00
out "# the largest BAR of 0000:04:00.0 has 256 MiB now: a VM sees this size, and cannot change it"
run vm 100 06:00
grep -q '^# 0000:06:00.0 (1912:0014), Renesas USB controller: ' "$work/out" || problem "nothing of Renesas"
run vm 100 02:00 --rombar 1
status_is 2
run vm 100 02:00 --romfile a/b
status_is 2
run vm 100 02:00 --mdev a/b
status_is 2

begin "check: /etc/pve hangs"
vm_machine
mkdir -p "$root/usr/sbin"
: >"$root/usr/sbin/qm"
${CC:-cc} -o "$work/hang" "$here/hang.c"
if in_namespace "$work/hang $root/etc/pve true" 2>/dev/null; then
	began=$(date +%s)
	for sub in 'check -o CODE,TEXT --raw' 'list 02:00' 'vm 100 02:00'; do
		in_namespace "timeout 60 $work/hang $root/etc/pve $command ${sub%% *} --root $root ${sub#* }" \
			>"$work/out.${sub%% *}" 2>"$work/err.${sub%% *}"
		[ $? -ne 124 ] || problem "${sub%% *} hangs too"
	done
	[ $(($(date +%s) - began)) -lt 60 ] || problem "no deadline"
	grep -q '^vms-unknown /etc/pve\\x20does\\x20not\\x20answer' "$work/out.check" || problem "$(cat "$work/out.check")"
	grep -q 'warning: /etc/pve does not answer: it is not known which VM has what' "$work/err.list" ||
		problem "$(cat "$work/err.list")"
	# What it has already is not known: nothing is printed as if it were.
	grep -q '/etc/pve does not answer' "$work/err.vm" || problem "$(cat "$work/out.vm" "$work/err.vm")"
else
	skip "no file system in user space"
fi
