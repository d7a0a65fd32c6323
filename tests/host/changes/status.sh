# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/host/changes/run
# status, and the images that it looks into.

# cpio_of DIR: an archive of a folder, as mkinitramfs makes it.
cpio_of() {
	(cd "$1" && find . | sort | cpio -o -H newc -R 0:0 --quiet)
}

# contents: what initramfs-tools puts into an image, of what concerns us, in $work/image.
contents() {
	image=$work/image
	rm -rf "$image"
	mkdir -p "$image/usr/lib/vfio-early" "$image/scripts/init-top" "$image/scripts/local-block" \
		"$image/scripts/panic" \
		"$image/usr/lib/modules/$kernel/kernel" "$image/bin" "$image/usr/lib/udev/rules.d"
	cp "$top/hook/system/udev/05-vfio-early.rules" "$image/usr/lib/udev/rules.d/"
	"$command" plan --kernel "$kernel" --root "$root" --output "$image/usr/lib/vfio-early/plan"
	cp "$root/usr/lib/vfio-early/vfio-early-bind" "$image/usr/lib/vfio-early/"
	cp "$root/lib/modules/$kernel/kernel"/*.ko "$image/usr/lib/modules/$kernel/kernel/"
	: >"$image/scripts/functions"
	cp "$top/hook/system/root-missing" "$image/usr/lib/vfio-early/"
	echo '#!/bin/sh' >"$image/scripts/init-top/00-vfio-early"
	cp "$image/scripts/init-top/00-vfio-early" "$image/scripts/local-block/vfio-early"
	cp "$image/scripts/init-top/00-vfio-early" "$image/scripts/panic/vfio-early"
	{
		# shellcheck disable=SC2016 # as it is in ORDER
		printf '/scripts/init-top/%s "$@"\n[ -e /conf/param.conf ] && . /conf/param.conf\n' \
			00-vfio-early all_generic_ide udev
	} >"$image/scripts/init-top/ORDER"
	head -c 300000 /dev/urandom >"$image/bin/busybox"
}

# of_dracut: the scripts of initramfs-tools give way to dracut's hooks for when the root is not found.
of_dracut() {
	rm -r "$work/image/scripts"
	for hook in initqueue/settled/50-vfio-early-settled.sh emergency/50-vfio-early-timeout.sh; do
		mkdir -p "$image/var/lib/dracut/hooks/${hook%/*}"
		: >"$image/var/lib/dracut/hooks/$hook"
	done
}

# microcode: the archive that is put in front, padded with zeros to 512 bytes as GNU cpio does.
microcode() {
	rm -rf "$work/ucode"
	mkdir -p "$work/ucode/kernel/x86/microcode"
	head -c 4000 /dev/urandom >"$work/ucode/kernel/x86/microcode/GenuineIntel.bin"
	cpio_of "$work/ucode"
}

# pack FILTER...: writes the image of the kernel: microcode, then $work/image through a filter.
pack() {
	{
		microcode
		cpio_of "$work/image" | "$@"
	} >"$root/boot/initrd.img-$kernel"
}

# booted: the report of a boot that went well.
booted() {
	mkdir -p "$root/run/vfio-early"
	cp "$work/image/usr/lib/vfio-early/plan" "$root/run/vfio-early/plan"
	for line in 0000:02:00.0/10de:1187 0000:02:00.1/10de:0e0a; do
		printf 'address=%s id=%s class=030000 group=15 result=bound driver=vfio-pci was=- ms=3 reason=""\n' \
			"${line%/*}" "${line#*/}"
	done >"$root/run/vfio-early/report"
	mkdir -p "$root/sys/bus/pci/drivers/vfio-pci"
	for address in 0000:02:00.0 0000:02:00.1; do
		ln -s ../../../../bus/pci/drivers/vfio-pci "$root/sys/bus/pci/devices/$address/driver"
	done
}

# ready: a machine of which all is as it should be.
ready() {
	config 'bind 02:00\n'
	contents
	booted
	pack cat
}

begin "status: READY"
ready
run status
status_is 0
no_err
out_is <<-EOF
	READY
	ok       cpu                 Intel VT-x
	ok       firmware            DMAR: Intel VT-d
	ok       kernel              IOMMU on (dmar0)
	ok       remapping           interrupt remapping is on
	ok       groups              2 functions, each group whole
	ok       boot-loader         GRUB
	ok       config              1 bind line
	ok       image               $kernel: the plan in it is current
	ok       device              0000:02:00.0: on vfio-pci
	ok       device              0000:02:00.1: on vfio-pci
	ok       boot                all as configured
EOF

begin "status --json"
ready
rm "$root/boot/initrd.img-$kernel"
run status --json
status_is 1
version=$(sed -n '1s/^[^(]*(\([^)]*\)).*/\1/p' "$top/debian/changelog")
sed -n 1,15p "$work/out" >"$work/have"
is "$work/have" <<-EOF
	{
	  "schema": 2,
	  "version": "$version",
	  "ready": false,
	  "kernel": "$kernel",
	  "running": "$kernel",
	  "trial": null,
	  "findings": [
	    {
	      "level": "blocks",
	      "stage": "image",
	      "code": "image-missing",
	      "subject": "$kernel",
	      "text": "no image: /boot/initrd.img-$kernel does not exist",
	      "fix": "vfio-early apply"
EOF
grep -B3 -A3 '"subject": "0000:02:00.0"' "$work/out" >"$work/have"
is "$work/have" <<-EOF
	      "level": "ok",
	      "stage": "boot",
	      "code": "device-ok",
	      "subject": "0000:02:00.0",
	      "text": "on vfio-pci",
	      "fix": null
	    },
EOF

# not_ready LINE: the first line says so, and LINE, without the blanks, is in the output.
not_ready() {
	status_is 1
	[ "$(head -n 1 "$work/out")" = "NOT READY" ] || problem "the first line is not NOT READY"
	tr -s ' ' <"$work/out" | grep -Fxq -e "$1" || problem "stdout has no line: $1"
}

ready_with() {
	tr -s ' ' <"$work/out" | grep -Fxq -e "$1" || problem "stdout has no line: $1"
	status_is 0
}

# --- images

for filter in "gzip" "zstd -q" "xz" "lz4 -q -l" "bzip2" "lzma" "cat"; do
	begin "image: ${filter%% *}"
	if ! command -v "${filter%% *}" >/dev/null; then
		skip "no ${filter%% *}"
		continue
	fi
	ready
	# shellcheck disable=SC2086 # a command with its options
	pack $filter
	run status
	ready_with "ok image $kernel: the plan in it is current"
done

begin "image: three archives, zeros between them, no microcode"
ready
mkdir "$work/modules-image"
mv "$work/image/usr" "$work/modules-image/"
{
	head -c 512 /dev/zero
	cpio_of "$work/modules-image"
	head -c 1000 /dev/zero
	cpio_of "$work/image" | gzip
} >"$root/boot/initrd.img-$kernel"
rm -r "$work/modules-image"
run status
ready_with "ok image $kernel: the plan in it is current"

begin "image: two archives inside of one compression"
ready
{
	microcode
	{
		cpio_of "$work/ucode"
		cpio_of "$work/image"
	} | gzip
} >"$root/boot/initrd.img-$kernel"
run status
ready_with "ok image $kernel: the plan in it is current"

begin "image: of dracut, with its unit"
ready
of_dracut
mkdir -p "$work/image/usr/lib/dracut/hooks" \
	"$work/image/usr/lib/systemd/system/sysinit.target.wants"
pack gzip
run status
not_ready "fail image $kernel: nothing in it starts vfio-early before udev"
ln -s ../vfio-early.service \
	"$work/image/usr/lib/systemd/system/sysinit.target.wants/vfio-early.service"
pack gzip
run status
not_ready "fail image $kernel: vfio-early.service is to be started, but is not in it"
touch "$image/usr/lib/systemd/system/vfio-early.service"
pack gzip
run status
ready_with "ok image $kernel: the plan in it is current"
rm "$image/usr/lib/systemd/system/sysinit.target.wants/vfio-early.service"
pack gzip
run status
not_ready "fail image $kernel: vfio-early.service is in it, but nothing starts it"

begin "image: of dracut, with its hook, without systemd and with it"
ready
of_dracut
mkdir -p "$image/var/lib/dracut/hooks/cmdline" "$image/usr/lib/dracut" "$image/usr/lib/systemd"
touch "$image/var/lib/dracut/hooks/cmdline/00-vfio-early-cmdline.sh" \
	"$image/usr/lib/dracut/modules.txt"
pack gzip
run status
ready_with "ok image $kernel: the plan in it is current"
touch "$image/usr/lib/systemd/systemd"
pack gzip
run status
not_ready "fail image $kernel: vfio-early.service is not in it: systemd may load modules before it comes to the hook"

begin "image: cut off"
ready
pack gzip
size=$(stat -c %s "$root/boot/initrd.img-$kernel")
truncate -s $((size / 2)) "$root/boot/initrd.img-$kernel"
run status
status_is 1
out_has "fail     image               $kernel: /boot/initrd.img-$kernel is damaged: "

begin "image: empty, and none at all"
ready
: >"$root/boot/initrd.img-$kernel"
run status
not_ready "fail image $kernel: /boot/initrd.img-$kernel is damaged: empty"
echo 'no archive' >"$root/boot/initrd.img-$kernel"
run status
not_ready "fail image $kernel: /boot/initrd.img-$kernel is damaged: neither cpio nor gzip, zstd, xz, lz4, lzma or bzip2"
echo 'no archive' | gzip >"$root/boot/initrd.img-$kernel"
run status
not_ready "fail image $kernel: /boot/initrd.img-$kernel is damaged: the unpacked data is not a cpio archive"
head -c 3000 /dev/urandom | sed '1s/^/070701/' >"$root/boot/initrd.img-$kernel"
run status
status_is 1
out_has "is damaged: "

begin "image: without a plan"
ready
rm "$work/image/usr/lib/vfio-early/plan"
pack gzip
run status
not_ready "fail image $kernel: there is no plan in it"

begin "image: made before the config was changed"
ready
config 'bind 02:00\n# changed\n'
run status
not_ready "fail image $kernel: the plan in it was made from an older config"
not_ready "fail boot the config was changed since this boot"

begin "image: the plan of another kernel, and a module that is missing"
ready
sed -i 's/^kernel .*/kernel 6.1.0-other/' "$work/image/usr/lib/vfio-early/plan"
rm "$work/image/usr/lib/modules/$kernel/kernel/vfio-pci.ko"
pack gzip
run status
not_ready "fail image $kernel: the plan in it is for kernel 6.1.0-other"
not_ready "fail image $kernel: module /lib/modules/$kernel/kernel/vfio-pci is planned, but not in it"

begin "image: modules that are compressed there"
ready
xz "$work/image/usr/lib/modules/$kernel/kernel/vfio-pci.ko"
pack gzip
run status
ready_with "ok image $kernel: the plan in it is current"

begin "image: ours after udev, not in ORDER, not there"
ready
grep -v vfio-early "$work/image/scripts/init-top/ORDER" >"$work/order"
# shellcheck disable=SC2016 # as it is in ORDER
{
	cat "$work/order"
	echo '/scripts/init-top/00-vfio-early "$@"'
} >"$work/image/scripts/init-top/ORDER"
pack gzip
run status
not_ready "fail image $kernel: 00-vfio-early runs after udev (lines 6 and 4 of ORDER)"
cp "$work/order" "$work/image/scripts/init-top/ORDER"
pack gzip
run status
not_ready "fail image $kernel: 00-vfio-early is not in scripts/init-top/ORDER, so it never runs"
rm "$work/image/scripts/init-top/00-vfio-early"
pack gzip
run status
not_ready "fail image $kernel: scripts/init-top/00-vfio-early is not in it"

begin "image: what gives storage back when the root is not found is not whole"
for gone in usr/lib/vfio-early/root-missing scripts/local-block/vfio-early scripts/panic/vfio-early; do
	ready
	rm "$work/image/$gone"
	pack gzip
	run status
	not_ready "fail image $kernel: the scripts that give storage back when the root is not found are not in it"
done
ready
of_dracut
mkdir -p "$image/usr/lib/dracut" "$image/var/lib/dracut/hooks/cmdline"
touch "$image/var/lib/dracut/hooks/cmdline/00-vfio-early-cmdline.sh" "$image/usr/lib/dracut/modules.txt"
rm "$image/var/lib/dracut/hooks/emergency/50-vfio-early-timeout.sh"
pack gzip
run status
not_ready "fail image $kernel: the scripts that give storage back when the root is not found are not in it"

begin "image: the binary is missing, not executable, not static, another"
ready
bind=$work/image/usr/lib/vfio-early/vfio-early-bind
echo >>"$bind"
pack gzip
run status
not_ready "fail image $kernel: its vfio-early-bind is not the one that is installed"
cp "$(command -v cat)" "$bind"
pack gzip
run status
not_ready "fail image $kernel: its vfio-early-bind is not a static program"
chmod 644 "$bind"
pack gzip
run status
not_ready "fail image $kernel: its vfio-early-bind is not executable"
rm "$bind"
pack gzip
run status
not_ready "fail image $kernel: /usr/lib/vfio-early/vfio-early-bind is not in it"

begin "image: the rule is missing"
ready
rm "$image/usr/lib/udev/rules.d/05-vfio-early.rules"
pack gzip
run status
not_ready "fail image $kernel: 05-vfio-early.rules is not in it: devices that appear late are not handed over"

begin "image: a plan of today would bind otherwise, and one that differs in little"
ready
plan=$image/usr/lib/vfio-early/plan
sed -i 's/^deadline .*/deadline 21/' "$plan"
pack gzip
run status
ready_with "ok image $kernel: the plan in it is current"
sed -i 's/^bind .*/bind 0000:02:00=10de:1188/' "$plan"
pack gzip
run status
not_ready "fail image $kernel: 0000:02:00.0: it would not be bound, but a plan of today would bind it: 0000:02:00=10de:1188 was planned, but 10de:1187 is there"
not_ready "fail image $kernel: 0000:02:00.1: it would not be bound, but a plan of today would bind it: 0000:02:00=10de:1188 was planned, but 10de:1187 is there"
sed -i 's/^bind .*/bind 0000:02:00=10de:1187\nbind 0000:01:00.1/' "$plan"
pack gzip
run status
not_ready "fail image $kernel: 0000:01:00.1: it would be bound, but a plan of today would not bind it"

begin "image: a damaged plan, one that is too large, one that could not be made"
ready
plan=$image/usr/lib/vfio-early/plan
cp "$plan" "$work/plan"
echo 'protect nonsense' >>"$plan"
pack gzip
run status
not_ready "fail image $kernel: line $(($(wc -l <"$work/plan") + 1)) of the plan in it is damaged"
{ cat "$work/plan"; yes '# filler' | head -c 270000; } >"$plan"
pack gzip
run status
not_ready "fail image $kernel: the plan in it is too large to be read at boot"
echo "lost no plan was made; vfio-early plan --kernel $kernel says why" >"$plan"
pack gzip
run status
not_ready "fail image $kernel: a line of the config is not in it: no plan was made; vfio-early plan --kernel $kernel says why"
no_out "older config"

begin "image: made where nobody could tell what this host needs"
ready
mv "$root/var/lib/vfio-early/facts" "$work/facts"
contents 2>"$work/err"
err_has "facts unknown: /proc is not mounted"
mv "$work/facts" "$root/var/lib/vfio-early/facts"
pack gzip
run status
not_ready "fail image $kernel: facts unknown: it was made where it could not be found out what this host needs; storage, network and USB controllers are bound only by a line with ID and path, or by bind!"
run status -o CODE,FIX --raw
out "facts-unknown vfio-early\\x20apply"
mv "$root/var/lib/vfio-early/facts" "$work/facts"
run status -o CODE,FIX --raw
there="on the running host, not in a chroot or a container: vfio-early apply"
out "facts-unknown $(echo "$there" | sed 's/ /\\x20/g')"
no_out "facts-unknown vfio-early"

begin "image: of every kernel, the newest first"
ready
: >"$root/boot/vmlinuz-6.9.0-other"
: >"$root/boot/vmlinuz-6.20.0-other"
run status
status_is 1
grep '^[a-z]* *image' "$work/out" | tr -s ' ' | cut -d: -f1 >"$work/have"
is "$work/have" <<-EOF
	fail image 6.20.0-other
	ok image $kernel
	fail image 6.9.0-other
EOF

begin "image: it still has a plan, although the config names nothing"
ready
config '# none\n'
run status
not_ready "fail image $kernel: it still has a plan, although the config names nothing"
not_ready "fail config no bind line: the next boot binds nothing"

begin "status: unprivileged, an image that only root may read"
ready
chmod -R go+rX "$work"
chmod 600 "$root/boot/initrd.img-$kernel"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chown -R 0:0 "$root/etc"
	touch -d '1 hour' "$root/boot/initrd.img-$kernel"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$command" status --root "$root" \
		>"$work/out" 2>"$work/err"
	status=$?
	if [ "$status" -eq 126 ]; then
		skip "the command cannot be run by others from here"
	else
		ready_with "unknown image $kernel: you cannot read /boot/initrd.img-$kernel; it is newer than the config"
		out "Run it as root to check what is marked unknown."
		touch -d '2 hours ago' "$root/boot/initrd.img-$kernel"
		setpriv --reuid 65534 --regid 65534 --clear-groups "$command" status \
			--root "$root" >"$work/out" 2>"$work/err"
		status=$?
		not_ready "fail image $kernel: /boot/initrd.img-$kernel is older than the config"
	fi
else
	skip "not root"
fi

# --- the machine

begin "status: no IOMMU, no table, no vmx"
ready
rm -r "$root/sys/class/iommu/dmar0" "$root/sys/firmware/acpi/tables/DMAR"
echo 'flags : fpu' >"$root/proc/cpuinfo"
run status
not_ready "fail firmware IOMMU off in the firmware (no DMAR, IVRS or IORT)"
not_ready " fix: switch on VT-d, AMD-Vi or SMMU there"
not_ready "warning cpu the CPU has neither vmx nor svm: VMs run without hardware support"

begin "status: the parameter that turned it off"
ready
rm -r "$root/sys/class/iommu/dmar0"
echo 'root=/dev/sda1 intel_iommu=off' >"$root/proc/cmdline"
run status
not_ready "fail kernel IOMMU off in the kernel (firmware table DMAR)"
not_ready " fix: remove kernel parameter intel_iommu=off"

begin "status: no interrupt remapping, allow_unsafe_interrupts"
ready
echo ' 24: 0 PCI-MSI' >"$root/proc/interrupts"
run status
not_ready "fail remapping IOMMU: no interrupt remapping: VMs are refused every device"
mkdir -p "$root/sys/module/vfio_iommu_type1/parameters"
echo Y >"$root/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
run status
ready_with "warning remapping IOMMU: no interrupt remapping, but allow_unsafe_interrupts: a VM may raise any interrupt of this host"

begin "status: no kernel"
ready
rm -r "$root/lib/modules"
run status
not_ready "fail kernel no kernel in /lib/modules"

begin "status: a group that is not whole"
config 'bind 00:1f.2\n'
run status
out_has "warning  groups              0000:00:1f.3: shares group 5 with bound functions, and is not bound: no VM can have those once a driver takes this one"

begin "status: memory that the firmware keeps"
ready
echo '0x00000000ab000000 0x00000000abffffff direct' \
	>"$root/sys/kernel/iommu_groups/15/reserved_regions"
run status
status_is 1
out_has "group 15: the firmware reserves memory for it (RMRR 0x00000000ab000000 0x00000000abffffff): the kernel refuses it to every VM"

begin "status: vfio_early=off and dry-run"
ready
echo 'root=/dev/sda1 vfio_early=off' >"$root/proc/cmdline"
run status
not_ready "fail boot-loader /proc/cmdline: vfio_early=off: this boot was told to bind nothing"
echo 'root=/dev/sda1 vfio_early=dry-run' >"$root/proc/cmdline"
run status
not_ready "fail boot-loader /proc/cmdline: vfio_early=dry-run: this boot was told to bind nothing"
echo 'root=/dev/sda1 vfio_early=OFF' >"$root/proc/cmdline"
run status
not_ready "fail boot-loader /proc/cmdline: vfio_early=off: this boot was told to bind nothing"
for value in foo off,x ''; do
	echo "root=/dev/sda1 vfio_early=$value" >"$root/proc/cmdline"
	run status
	not_ready "fail boot-loader /proc/cmdline: vfio_early=$value: this boot does not know that value, and binds nothing"
done

begin "status: parameters that the config asks for"
config 'bind 02:00\ncmdline iommu=pt intel_iommu=on\n'
contents
booted
pack gzip
run status
not_ready "fail boot-loader iommu=pt: this kernel was booted without iommu=pt"
echo 'root=/dev/sda1 intel_iommu=on iommu=pt' >"$root/proc/cmdline"
run status
ready_with "ok boot-loader GRUB"

begin "status: parameters are the same without their quotes, which GRUB sets elsewhere"
config 'bind 02:00\ncmdline dyndbg="file a.c +p"\n'
contents
booted
pack cat
echo 'root=/dev/sda1 "dyndbg=file a.c +p"' >"$root/proc/cmdline"
run status
ready_with "ok boot-loader GRUB"
# As a whole, however long it is.
long=$(printf 'file drivers/vfio/pci/vfio_pci_core.c +p, %.0s' 1 2 3 4 5)
config "bind 02:00\ncmdline dyndbg=\"$long\"\n"
run status
not_ready "fail boot-loader dyndbg=\"$long\": this kernel was booted without dyndbg=\"$long\""

# entry PARAMETER...: GRUB has one entry, with these behind what finds the root.
entry() {
	printf 'set default="0"\nmenuentry "Debian" {\n\tlinux /boot/vmlinuz-%s root=/dev/sda1 ro %s\n\tinitrd /boot/initrd.img-%s\n}\n' \
		"$kernel" "$*" "$kernel" >"$root/boot/grub/grub.cfg"
}

begin "status: what boots next turns vfio-early off"
ready
mkdir -p "$root/etc/default"
for value in off dry-run sometimes; do
	echo "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet vfio-early=$value\"" >"$root/etc/default/grub"
	entry quiet "vfio-early=$value"
	run status
	not_ready "fail boot-loader /etc/default/grub:1: vfio-early=$value: the next boot binds nothing"
	run check
	out_has "vfio-early=$value: the next boot binds nothing"
done
# What vfio-early-cmdline added it takes back, quotes or not.
mkdir -p "$root/var/lib/vfio-early/cmdline"
echo 'add "vfio-early=off"' >"$root/var/lib/vfio-early/cmdline/grub"
entry quiet vfio-early=off
run status -o CODE,FIX --raw
out 'next-off-added vfio-early-cmdline\x20remove\x20vfio-early=off'
rm "$root/var/lib/vfio-early/cmdline/grub"
# As long as the loader was not given it, the next boot has it not; nor what is only in the file.
entry quiet
run status
ready_with "ok boot-loader GRUB"

begin "status: what boots next turns the IOMMU off"
ready
mkdir -p "$root/etc/default"
rm -f "$root/etc/default/grub"
for value in intel_iommu=off iommu=off,pt; do
	entry quiet "$value"
	run status
	not_ready "fail boot-loader /boot/grub/grub.cfg:3: $value turns the IOMMU off at the next boot"
done
entry quiet amd_iommu=off
run status
ready_with "ok boot-loader GRUB"

begin "status: this boot has intel_iommu=on, the next one not"
ready
echo 'root=/dev/sda1 ro quiet intel_iommu=on' >"$root/proc/cmdline"
entry quiet
run status
not_ready "fail boot-loader intel_iommu=on: the next boot lacks intel_iommu=on, which this boot has: its kernel may leave the IOMMU off"
echo CONFIG_INTEL_IOMMU_DEFAULT_ON=y >"$root/boot/config-$kernel"
run status
ready_with "ok boot-loader GRUB"
rm "$root/boot/config-$kernel"

begin "status: a kernel that boots next and does not run"
ready
entry quiet
mkdir -p "$root/proc/sys/kernel"
cp "$root/proc/sys/kernel/osrelease" "$work/osrelease" 2>/dev/null
echo 6.0.0-old >"$root/proc/sys/kernel/osrelease"
run status
ready_with "ok kernel the next boot uses $kernel (newest), this boot 6.0.0-old"
run status --json
out_has "\"kernel\": \"$kernel\""
out_has '"running": "6.0.0-old"'
printf 'set default="0"\nmenuentry "Windows" --class windows {\n\tlinux /bootmgr x\n}\n' >"$root/boot/grub/grub.cfg"
run status
out_has "the entry that boots next (newest) is another system's, or a unified kernel image"
rm "$root/proc/sys/kernel/osrelease"
[ ! -e "$work/osrelease" ] || mv "$work/osrelease" "$root/proc/sys/kernel/osrelease"
: >"$root/boot/grub/grub.cfg"
echo 'root=/dev/sda1' >"$root/proc/cmdline"

# efi_variable NAME TEXT
efi_variable() {
	mkdir -p "$root/sys/firmware/efi/efivars"
	{
		printf '\006\0\0\0'
		printf '%s' "$2" | sed 's/./&\n/g' | tr '\n' '\0'
	} >"$root/sys/firmware/efi/efivars/$1-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
}

begin "status: which boot loader, as vfio-early-cmdline finds it"
ready
config 'A111-1111\n' kernel/proxmox-boot-uuids
run status
ready_with "warning boot-loader no supported boot loader found (proxmox-boot-tool, to which /etc/kernel/proxmox-boot-uuids belongs, is not installed): edit the kernel command line yourself"
rm "$root/etc/kernel/proxmox-boot-uuids"
efi_variable LoaderInfo 'systemd-boot 257'
run status
ready_with "ok boot-loader systemd-boot"
# A loader that tells its name, and is none of those.
efi_variable LoaderInfo 'rEFInd 0.14'
run status
ready_with "warning boot-loader no supported boot loader found (boot loader rEFInd 0.14): edit the kernel command line yourself"
rm -r "$root/sys/firmware/efi"
# A rescue system: nothing but the loader's files.
rm -r "$root/boot/grub"
mkdir -p "$root/boot/loader/entries" "$root/etc"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
printf 'options root=/dev/sda1\nlinux /vmlinuz-%s\n' "$kernel" \
	>"$root/boot/loader/entries/0123456789abcdef0123456789abcdef-$kernel.conf"
run status
ready_with "ok boot-loader systemd-boot"
mkdir "$root/boot/grub"
: >"$root/boot/grub/grub.cfg"
run status
ready_with "warning boot-loader no supported boot loader found (GRUB or systemd-boot, both are there): edit the kernel command line yourself"
echo "BOOT_IMAGE=/boot/vmlinuz-$kernel root=/dev/sda1" >"$root/proc/cmdline"
efi_variable LoaderInfo 'systemd-boot 257'
run status -o CODE,FIX --raw
out 'loader-two remove\x20one\x20of\x20them'

begin "status: a boot loader that was updated by hand"
ready
rm -r "$root/boot/grub"
: >"$root/boot/vmlinuz-$kernel.old"
: >"$root/boot/initrd.img-$kernel.old"
run status -o CODE,FIX --raw
out 'loader-unknown vfio-early-cmdline\x20show\x20says\x20what\x20is\x20missing;\x20once\x20it\x20is\x20there:\x20vfio-early-cmdline\x20refresh\x20--by-hand'
"$top/scripts/vfio-early-cmdline" refresh --by-hand --root "$root" >"$work/out" 2>"$work/err" ||
	problem "refresh --by-hand: $(cat "$work/err")"
run status
ready_with "ok boot-loader no supported boot loader found (unknown boot loader), and updated by hand"
no_out "$kernel.old"
# A kernel less is no new image; another image is.
: >"$root/boot/vmlinuz-6.1.9-other"
: >"$root/boot/initrd.img-6.1.9-other"
run status
out_has "no supported boot loader found (unknown boot loader): edit"
"$top/scripts/vfio-early-cmdline" refresh --by-hand --root "$root" >"$work/out" 2>"$work/err"
rm "$root/boot/vmlinuz-6.1.9-other" "$root/boot/initrd.img-6.1.9-other"
run status
ready_with "ok boot-loader no supported boot loader found (unknown boot loader), and updated by hand"
touch -d '1 hour ago' "$root/boot/initrd.img-$kernel"
run status
ready_with "warning boot-loader no supported boot loader found (unknown boot loader): edit the kernel command line yourself"

begin "status: a wrong line, a line that nothing answers to, a bridge"
ready
config 'bind 0x02\nbind 1234:5678\nbind 00:01.0\nbind 02:00\n'
run status
not_ready "fail config left out: /etc/vfio-early.conf:1:6: write IDs and addresses without 0x"
not_ready "fail config /etc/vfio-early.conf:2: bind 1234:5678: no such function"
not_ready "fail config 0000:00:01.0: refused: a bridge"

begin "status: what the administrator asked for is no failure"
config 'bind class:03 class:0403\nexcept 02:00.1\nboot-vga keep\n'
contents
mkdir -p "$root/run/vfio-early"
cp "$work/image/usr/lib/vfio-early/plan" "$root/run/vfio-early/plan"
booted
cat >"$root/run/vfio-early/report" <<-EOF
	address=0000:01:00.0 id=10de:1187 class=030000 group=14 result=refused driver=nouveau was=nouveau ms=1 reason="boot VGA (boot-vga keep)"
	address=0000:02:00.0 id=10de:1187 class=030000 group=15 result=bound driver=vfio-pci was=- ms=1 reason=""
	address=0000:02:00.1 id=10de:0e0a class=040300 group=15 result=refused driver=- was=- ms=1 reason="in except"
EOF
pack gzip
run status
no_out "fail     boot"
no_out "fail     config"

# --- this boot

begin "status: it did not run at this boot"
ready
rm -r "$root/run/vfio-early"
run status
not_ready "fail boot vfio-early did not run at this boot"

begin "status, log: a report and a log that are no file"
ready
for name in report log; do
	rm -f "$root/run/vfio-early/$name"
	mkfifo "$root/run/vfio-early/$name"
done
run status
not_ready "fail boot /run/vfio-early/report is not a regular file"
run log
status_is 1
err "error: /run/vfio-early/log is not a regular file; fix: move it away"

begin "status: failed, held, absent, undone, planned; the later line counts"
ready
cat >"$root/run/vfio-early/report" <<-EOF
	address=0000:02:00.0 id=10de:1187 class=030000 group=15 result=bound driver=vfio-pci was=- ms=1 reason=""
	address=0000:02:00.0 id=10de:1187 class=030000 group=15 result=failed driver=nouveau was=nouveau ms=1 reason="bind: device busy"
	address=0000:02:00.1 id=10de:0e0a class=040300 group=15 result=held driver=- was=- ms=1 reason="no IOMMU"
	address=1234:5678 id=- class=- group=- result=absent driver=- was=- ms=1 reason="no such function"
	garbage
EOF
run status
not_ready "fail boot 0000:02:00.0: failed, on nouveau: bind: device busy"
not_ready "fail boot 0000:02:00.1: held: no IOMMU"
not_ready "fail boot 1234:5678: absent: no such function"

begin "boot: the root was not found, and a disk given back"
ready
cat >>"$root/run/vfio-early/report" <<-EOF
	address=0000:02:00.0 id=10de:1187 class=030000 group=- result=failed driver=nouveau was=vfio-pci ms=9 why=gave-back-root reason="the root was not found"
EOF
run status
not_ready "fail boot 0000:02:00.0: failed, on nouveau: the root was not found"
run status --json
out_has '"code": "gave-back-root"'

begin "boot: the message of a driver that failed is the kernel's; what the log knows is in the log"
ready
cat >>"$root/run/vfio-early/report" <<-EOF
	address=0000:02:00.0 id=10de:1187 class=030000 group=15 result=failed driver=nouveau was=nouveau ms=9 why=unbind-failed reason="unbind: Invalid argument"
	address=0000:02:00.1 id=10de:0e0a class=040300 group=15 result=failed driver=- was=- ms=9 why=no-vfio-pci reason="bind: there is no vfio-pci driver"
EOF
run status
not_ready "fail boot 0000:02:00.0: failed, on nouveau: unbind: Invalid argument"
out_has "fix: dmesg | grep 0000:02:00.0 has the driver's message"
out_has "fix: vfio-early log says more"

begin "status: bound at boot, and something else has it now"
ready
rm "$root/sys/bus/pci/devices/0000:02:00.0/driver" "$root/sys/bus/pci/devices/0000:02:00.1/driver"
mkdir "$root/sys/bus/pci/drivers/nvidia"
ln -s ../../../../bus/pci/drivers/nvidia "$root/sys/bus/pci/devices/0000:02:00.0/driver"
run status
not_ready "fail device 0000:02:00.0: something has rebound it since the boot: it was on vfio-pci, now on nvidia"
not_ready "fail device 0000:02:00.1: something has rebound it since the boot: it was on vfio-pci, now without a driver"
rm "$root/sys/bus/pci/devices/0000:02:00.1"
run status
not_ready "fail device 0000:02:00.1: it was bound, but is gone now"

begin "status: a function that this boot did not know of"
ready
sed -i /02:00.1/d "$root/run/vfio-early/report"
run status
not_ready "fail boot 0000:02:00.1: this boot did not know of it"

# --- old recipes

begin "status: vfio_virqfd in a list of modules"
ready
config '# x\nvfio_virqfd\n' modules
config 'vfio-virqfd\n' modules-load.d/vfio.conf
run status
ready_with "warning virqfd /etc/modules:2: vfio_virqfd is named, which kernel $kernel does not have (it is part of vfio since 6.2)"
ready_with "warning virqfd /etc/modules-load.d/vfio.conf:1: vfio_virqfd is named, which kernel $kernel does not have (it is part of vfio since 6.2)"
echo "kernel/vfio_virqfd.ko:" >>"$root/lib/modules/$kernel/modules.dep"
run status
no_out virqfd

begin "status: old recipes"
ready
config 'options vfio-pci ids=10de:1187\n' modprobe.d/vfio.conf
run status
out_has "recipe              /etc/modprobe.d/vfio.conf:1: options vfio-pci ids=10de:1187: "

begin "status: with five kernels the config, mountinfo and each uevent are read once"
if command -v strace >/dev/null; then
	mkdir -p "$root/proc/self"
	echo '22 1 8:1 / / rw - ext4 /dev/sda1 rw' >"$root/proc/self/mountinfo"
	ready
	for other in 6.1.1 6.1.2 6.1.3 6.1.4; do
		cp -r "$root/lib/modules/$kernel" "$root/lib/modules/$other"
		cp "$root/boot/vmlinuz-$kernel" "$root/boot/vmlinuz-$other"
		cp "$root/boot/initrd.img-$kernel" "$root/boot/initrd.img-$other"
	done
	strace -f -qq -e trace=openat,openat2 -o "$work/trace" "$command" status --root "$root" >"$work/out" 2>"$work/err"
	[ "$(grep -c "the plan in it is for kernel" "$work/out")" -eq 4 ] || problem "not five images"
	# What is opened to be looked at alone (O_PATH) is not read.
	grep -v -e ENOENT -e O_PATH "$work/trace" | sed "s|\"$root/|\"|; s|\"/|\"|" |
		grep -Eo '"[^"]*(etc/vfio-early.conf|self/mountinfo|/uevent)"' | sort | uniq -c >"$work/reads"
	[ "$(wc -l <"$work/reads")" -gt 10 ] || problem "nothing was read: $(cat "$work/reads")"
	for file in etc/vfio-early.conf proc/self/mountinfo; do
		grep -q "$file\"" "$work/reads" || problem "$file was not read"
	done
	awk '$1 > 1' "$work/reads" >"$work/again"
	[ ! -s "$work/again" ] || problem "read more than once: $(cat "$work/again")"
else
	skip "no strace"
fi

begin "status: usage"
run status now
status_is 2
err "error: status takes no argument: now"

begin "check, status: the loader's program is asked once for each thing"
config 'bind 02:00\n'
mkdir -p "$work/beside"
cp "$command" "$work/beside/vfio-early"
cat >"$work/beside/vfio-early-cmdline" <<EOF2
#!/bin/sh
echo "\$1" >>"$work/asked"
exec "$top/scripts/vfio-early-cmdline" "\$@"
EOF2
chmod 755 "$work/beside/vfio-early-cmdline"
for verb in check status; do
	: >"$work/asked"
	"$work/beside/vfio-early" "$verb" --root "$root" >"$work/out" 2>"$work/err"
	sort "$work/asked" >"$work/asked.sorted"
	is "$work/asked.sorted" <<'EOF2'
kernel
next
EOF2
done
rm -r "$work/beside" "$work/asked" "$work/asked.sorted"

# absolute_links: each link of the tree leads to the same place in it by an absolute name.
absolute_links() {
	find "$root/sys" -type l | while read -r link; do
		target=$(readlink -f "$link") || continue
		case $target in
		"$root"/*) ln -sfn "${target#"$root"}" "$link" ;;
		esac
	done
}

begin "links of a tree that are absolute stay in it: every command says the same"
protected
config 'bind 02:00.0\nbind 8086:154c\n'
config 'options vfio-pci ids=10de:0e0a disable_vga=1\n' modprobe.d/vfio.conf
for asked in 'list -a' groups check status vgpu verify "plan --kernel $kernel"; do
	# shellcheck disable=SC2086 # a command with its arguments
	run $asked
	{ echo "$asked: $status"; cat "$work/out" "$work/err"; }
done >"$work/before"
absolute_links
mkdir -p "$root/usr/share/moved" "$root/usr/lib/modules"
mv "$root/etc/modprobe.d/vfio.conf" "$root/usr/share/moved/x"
ln -s /usr/share/moved/x "$root/etc/modprobe.d/vfio.conf"
mv "$root/lib/modules/$kernel" "$root/usr/lib/modules/"
ln -s "/usr/lib/modules/$kernel" "$root/lib/modules/$kernel"
mv "$root/etc/vfio-early.conf" "$root/usr/share/moved/conf"
ln -s /usr/share/moved/conf "$root/etc/vfio-early.conf"
mv "$root/boot" "$root/usr/share/moved/boot"
ln -s /usr/share/moved/boot "$root/boot"
for asked in 'list -a' groups check status vgpu verify "plan --kernel $kernel"; do
	# shellcheck disable=SC2086 # a command with its arguments
	run $asked
	{ echo "$asked: $status"; cat "$work/out" "$work/err"; }
done >"$work/after"
sed -i 's|/usr/lib/modules/|/lib/modules/|' "$work/after"
# vfio-early-cmdline reads the loader's files, and follows no absolute link of a tree.
for said in before after; do
	grep -v -e '^[a-z]*  *boot-loader ' -e 'fix: vfio-early-cmdline show' "$work/$said" >"$work/less"
	mv "$work/less" "$work/$said"
done
cmp -s "$work/before" "$work/after" || problem "$(diff "$work/before" "$work/after")"
grep -q '^module /lib/modules/' "$work/before" || problem "the plan has no modules, so that this test shows little"
grep -q 'disable_vga=1' "$work/before" || problem "the options are not read, so that this test shows little"
