# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The ESPs of proxmox-boot-tool: the loader of each, its entries and images. An ESP is only read: it
# is mounted read-only, where no other process sees it. Defines only.

# The script that reads an ESP, with its folder as the argument: prints the loaders on it, then the
# entries of each as "FILE:LINE:TEXT".
# shellcheck disable=SC2016 # of another shell
esp_script='cd "$1" || exit
is=
[ ! -e EFI/proxmox/grubx64.efi ] || is="$is grub-efi"
[ ! -e loader/loader.conf ] || [ ! -d EFI/proxmox ] || is="$is systemd-boot"
[ ! -d grub ] || is="$is grub"
echo "${is:-nothing}"
exec grep -Hn "" grub/grub.cfg grub/grubenv loader/loader.conf loader/entries/*.conf 2>/dev/null'

# Compares its images with those in the folder $2: prints "VERSION same|differs" lines.
# shellcheck disable=SC2016 # of another shell
esp_images_script='cd "$1" || exit
for image in initrd.img-* EFI/proxmox/*/initrd.img-*; do
	version=${image##*/initrd.img-}
	[ -e "$image" ] && [ -e "$2/initrd.img-$version" ] || continue
	if cmp -s "$image" "$2/initrd.img-$version"; then
		echo "$version same"
	else
		echo "$version differs"
	fi
done'

# esp_uuids: prints the UUIDs of proxmox-boot-tool.
esp_uuids() {
	grep -ioE '^[0-9a-f]{4}-[0-9a-f]{4}' "$root/etc/kernel/proxmox-boot-uuids" 2>/dev/null
}

# esp_run UUID SCRIPT: runs it with the folder of the ESP and that of the images. Prints "absent" or
# "unknown" instead if the ESP is missing or cannot be read. (proxmox-boot-tool status mounts it for
# writing, and cannot detect an ESP that had systemd-boot before GRUB.)
esp_run() {
	_device=$root/dev/disk/by-uuid/$1
	if [ ! -e "$_device" ] && [ ! -L "$_device" ]; then
		# A tree without /dev does not tell anything about the machine.
		if [ -z "$root" ] || [ -d "$root/dev/disk/by-uuid" ]; then
			echo absent
		else
			echo unknown
		fi
		return
	fi
	_name=$(readlink "$_device")
	_mounted=$(awk -v name="${_name##*/}" '{
			for (i = 7; i < NF && $i != "-"; i++)
				;
			source = $(i + 2)
			sub(/.*\//, "", source)
			if (source == name) {
				print $5
				exit
			}
		}' "$root/proc/self/mountinfo" 2>/dev/null)
	if [ -n "$_mounted" ] && [ -d "$root$_mounted" ]; then
		sh -c "$2" sh "$root$_mounted" "$root/boot"
	elif [ "$(id -u)" -eq 0 ] && { [ -z "$root" ] || { is_trusted && [ -b "$_device" ]; }; }; then
		# shellcheck disable=SC2016 # of another shell
		unshare --mount --propagation private sh -c '
			mount -t vfat -o ro "$1" /tmp && exec sh -c "$2" sh /tmp "$3"' \
			sh "$_device" "$2" "$root/boot" 2>/dev/null || echo unknown
	else
		echo unknown
	fi
}

# esp_mode WORDS: prints the loader of an ESP that boots this machine, based on its content: "GRUB",
# "systemd-boot", "either" or "nothing". A BIOS reads only grub/; UEFI firmware starts the loader
# that proxmox-boot-tool has installed last, which leaves grubx64.efi if it was GRUB. Below a root
# without /sys, the firmware is not known.
esp_mode() {
	case $(firmware),$1 in
	*,unknown | *,absent | *,nothing) echo "$1" ;;
	bios,*grub*) echo GRUB ;;
	bios,*) echo nothing ;;
	*,*grub-efi*) echo GRUB ;;
	efi,*systemd-boot*) echo systemd-boot ;;
	efi,*) echo nothing ;;
	*,*systemd-boot*grub*) echo either ;;
	*,*systemd-boot*) echo systemd-boot ;;
	*) echo GRUB ;;
	esac
}

# esps_read: sets $esps to "UUID MODE" lines, and $esp_lines to the text of their entries, with the
# ESP before each file name.
esps_read() {
	esps='' esp_lines=''
	for _uuid in $(esp_uuids); do
		_read=$(esp_run "$_uuid" "$esp_script")
		esps=$esps${esps:+$nl}"$_uuid $(esp_mode "${_read%%"$nl"*}")"
		case $_read in
		*"$nl"*) ;;
		*) continue ;;
		esac
		esp_lines=$esp_lines${esp_lines:+$nl}$(printf '%s\n' "${_read#*"$nl"}" |
			sed "s|^|/dev/disk/by-uuid/$_uuid/|")
	done
}

# esp_images: prints "UUID VERSION same|differs": the images on the ESPs compared with those in
# /boot.
esp_images() {
	for _uuid in $(esp_uuids); do
		esp_run "$_uuid" "$esp_images_script" | while read -r _version _how; do
			[ -z "$_how" ] || echo "$_uuid $_version $_how"
		done
	done
}
