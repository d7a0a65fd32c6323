# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# `loader = grub`, `loader = systemd-boot`: a disk that boots by itself, by the loader of the guest's own
# packages, with the command line and the image that lie on it. Made file by file: nothing is mounted, and no
# device is there that grub-install or bootctl could look at.
# Defines only; needs common.sh and image.sh.

# Where the partition begins, in MiB; before it is room for GRUB.
loader_gap=1

# How large the ESP is, in MiB: a kernel and its image, twice while one is replaced.
loader_esp=128

# loader_packages LOADER: prints what the base needs for it, one a line.
loader_packages() {
	case $1 in
	grub) printf '%s\n' grub-pc-bin grub2-common ;;
	systemd-boot) printf '%s\n' systemd-boot dosfstools mtools fdisk ;;
	esac
}

# loader_setup LOADER TREE ARGUMENTS: what a loader has in the tree. ARGUMENTS: of the kernel, in all its
# entries.
loader_setup() {
	case $1 in
	grub) grub_setup "$2" "$3" ;;
	systemd-boot) sdboot_setup "$2" "$3" ;;
	*)
		say 'loader is none of grub, systemd-boot'
		return 1 ;;
	esac
}

# loader_disk LOADER TREE FILESYSTEM DISK: the disk, which has the file system in a partition.
loader_disk() {
	case $1 in
	grub) grub_disk "$2" "$3" "$4" ;;
	systemd-boot) sdboot_disk "$2" "$3" "$4" ;;
	esac
}

# sdboot_setup TREE ARGUMENTS: the ESP's files, in TREE/tmp/esp, as bootctl and kernel-install leave them;
# /boot/efi is where it will be mounted. There is no /etc/kernel/cmdline, as Debian makes none.
sdboot_setup() {
	# shellcheck disable=SC2016
	as_root sh -e -c '
		tree=$1 arguments=$2 label=$3 esp=$1/tmp/esp
		read -r id <"$tree/etc/machine-id" || [ -n "$id" ]
		set -- "$tree"/boot/vmlinuz-*
		version=${1##*/vmlinuz-}
		rm -rf "$esp"
		mkdir -p "$tree/boot/efi" "$esp/EFI/BOOT" "$esp/EFI/systemd" "$esp/loader/entries" "$esp/$id/$version"
		echo "LABEL=ESP /boot/efi vfat umask=0077 0 0" >>"$tree/etc/fstab"
		efi=$tree/usr/lib/systemd/boot/efi/systemd-bootx64.efi
		cp "$efi" "$esp/EFI/BOOT/BOOTX64.EFI"
		cp "$efi" "$esp/EFI/systemd/systemd-bootx64.efi"
		echo type1 >"$esp/loader/entries.srel"
		echo "timeout 0" >"$esp/loader/loader.conf"
		cp "$tree/boot/vmlinuz-$version" "$esp/$id/$version/linux"
		cp "$tree/boot/initrd.img-$version" "$esp/$id/$version/initrd.img-$version"
		cat >"$esp/loader/entries/$id-$version.conf" <<-EOT
			title Debian
			version $version
			machine-id $id
			options root=LABEL=$label ro $arguments
			linux /$id/$version/linux
			initrd /$id/$version/initrd.img-$version
		EOT' sdboot_setup "$1" "$2" "$label"
}

# sdboot_disk TREE FILESYSTEM DISK: a table of two partitions, of which the first is the ESP.
sdboot_disk() {
	_size=$(stat -c %s "$2") || return
	# shellcheck disable=SC2016
	as_root sh -e -c 'truncate -s "$1" "$2/tmp/disk"' sdboot_disk \
		$((_size + (loader_gap + loader_esp + 1) * 1048576)) "$1" &&
	in_tree "$1" sh -e -c '
		printf "%s\n" "label: gpt" "start=${1}MiB, size=${2}MiB, type=uefi" \
			"start=$(($1 + $2))MiB, size=$3, type=linux" | sfdisk -q /tmp/disk
		truncate -s "${2}M" /tmp/esp.img
		mkfs.vfat -n ESP /tmp/esp.img >/tmp/esp.log
		mcopy -s -i /tmp/esp.img /tmp/esp/* ::/' sdboot_disk "$loader_gap" "$loader_esp" $((_size / 512)) &&
	as_root mv "$1/tmp/disk" "$3" && as_root chmod 666 "$3" &&
	dd if="$1/tmp/esp.img" of="$3" bs=1M seek="$loader_gap" conv=notrunc,sparse status=none &&
	dd if="$2" of="$3" bs=1M seek=$((loader_gap + loader_esp)) conv=notrunc,sparse status=none
}

# grub_setup TREE ARGUMENTS: GRUB's files in the tree, as an installation leaves them: a setting, a menu
# of one entry (update-grub makes the real one, in the guest), the modules.
grub_setup() {
	# shellcheck disable=SC2016
	as_root sh -e -c '
		tree=$1 arguments=$2 label=$3
		cat >"$tree/etc/default/grub" <<-EOT
			GRUB_DEFAULT=0
			GRUB_TIMEOUT=0
			GRUB_DISTRIBUTOR=Debian
			GRUB_CMDLINE_LINUX_DEFAULT=""
			GRUB_CMDLINE_LINUX="$arguments"
			GRUB_TERMINAL=serial
			GRUB_DISABLE_OS_PROBER=true
		EOT
		mkdir -p "$tree/boot/grub/i386-pc"
		cp "$tree"/usr/lib/grub/i386-pc/*.mod "$tree"/usr/lib/grub/i386-pc/*.lst \
			"$tree"/usr/lib/grub/i386-pc/boot.img "$tree/boot/grub/i386-pc"
		set -- "$tree"/boot/vmlinuz-*
		version=${1##*/vmlinuz-}
		cat >"$tree/boot/grub/grub.cfg" <<-EOT
			linux /boot/vmlinuz-$version root=LABEL=$label ro $arguments
			initrd /boot/initrd.img-$version
			boot
		EOT' grub_setup "$1" "$2" "$label" || return
	in_tree "$1" grub-mkimage -O i386-pc -o /boot/grub/i386-pc/core.img \
		-p '(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2 normal configfile linux
}

# grub_disk TREE FILESYSTEM DISK: the disk: the first stage in its first sector, the second behind it,
# a table of one partition, the file system. What grub-bios-setup would do: the first stage loads the
# sector that follows it, and that the rest, as long as all of it lies there.
grub_disk() {
	_size=$(stat -c %s "$2") || return
	_sectors=$((_size / 512))
	truncate -s $((_size + loader_gap * 1048576)) "$3" &&
	dd if="$2" of="$3" bs=1M seek="$loader_gap" conv=notrunc,sparse status=none &&
	dd if="$1/boot/grub/i386-pc/boot.img" of="$3" bs=440 count=1 conv=notrunc status=none &&
	dd if="$1/boot/grub/i386-pc/core.img" of="$3" bs=512 seek=1 conv=notrunc status=none || return
	[ "$(stat -c %s "$1/boot/grub/i386-pc/core.img")" -lt $((loader_gap * 1048576 - 512)) ] || {
		say 'the second stage of GRUB does not fit before the partition'
		return 1
	}
	# Active; no geometry; Linux; begin and length in sectors, little-endian; three empty ones; 55 AA.
	{
		printf '\200\376\377\377\203\376\377\377'
		loader_number $((loader_gap * 2048))
		loader_number "$_sectors"
		head -c 48 /dev/zero
		printf '\125\252'
	} | dd of="$3" bs=1 seek=446 conv=notrunc status=none
}

# loader_number N: four bytes, little-endian.
loader_number() {
	_number=$1
	for _ in 1 2 3 4; do
		# shellcheck disable=SC2059 # an escape
		printf "\\$(printf '%03o' $((_number % 256)))"
		_number=$((_number / 256))
	done
}
