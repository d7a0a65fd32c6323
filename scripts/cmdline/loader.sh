# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Finds what has booted this machine, from what it left behind: what the loader told the firmware,
# what it put on the kernel command line, its own files. The existence of a program or of
# /etc/kernel/cmdline proves nothing. Below a root on which another system runs, only the files
# count: /proc and /sys are those of the other system. Defines only.

# is_recorded: can /proc/cmdline be that of the system? Yes without another root, and in a tree that
# has it as a plain file.
is_recorded() {
	[ -n "$root" ] || return 0
	if [ -z "$recorded" ]; then
		recorded=no
		[ ! -r "$root/proc/cmdline" ] || [ "$(stat -f -c %T "$root/proc")" = proc ] || recorded=yes
	fi
	[ "$recorded" = yes ]
}

# is_own_line: is it? Below a root, it must also not name a kernel that the tree does not have.
is_own_line() {
	is_recorded || return
	[ -n "$root" ] || return 0
	case $(words "$(running)") in
	*BOOT_IMAGE=*)
		_kernel=$(tokens_name "$(running)" BOOT_IMAGE)
		[ -e "$root/boot/${_kernel##*/}" ]
		;;
	esac
}

# is_trusted: may programs of the tree be run? Only if root owns it, and root runs this.
is_trusted() {
	[ -n "$root" ] || return 0
	if [ -z "$trusted" ]; then
		trusted=no
		[ "$(id -u)" -ne 0 ] || [ -n "$(find "$root/" "$root/etc" "$root/etc/default" \
			"$root/usr" "$root/boot" -maxdepth 0 ! -uid 0 2>/dev/null)" ] || trusted=yes
	fi
	[ "$trusted" = yes ]
}

# running: prints the tokens with which the running kernel was booted; none if another system is
# running.
running() {
	is_recorded || return 0
	tokens_split 2>/dev/null <"$root/proc/cmdline"
}

# booted_with: the same, only if it is certain that they are of this system.
booted_with() {
	! is_own_line || running
}

# firmware: prints "efi", "bios", or "unknown".
firmware() {
	if [ -d "$root/sys/firmware/efi" ]; then
		if [ -z "$root" ] || [ "$(stat -f -c %T "$root/sys")" != sysfs ]; then
			echo efi
			return
		fi
	elif is_own_line; then
		echo bios
		return
	fi
	echo unknown
}

# efi_variable NAME: prints the text of a variable of the Boot Loader Interface (systemd-boot(7)):
# four bytes of attributes, then UTF-16.
efi_variable() {
	_variable=$root/sys/firmware/efi/efivars/$1-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
	[ -r "$_variable" ] || return 0
	[ -z "$root" ] || [ "$(stat -f -c %T "$root/sys")" != sysfs ] || return 0
	# Through a pipe, because files of efivarfs do not support seeking (fs/efivarfs/file.c,
	# no_llseek).
	# shellcheck disable=SC2002
	cat "$_variable" | tail -c +5 | tr -cd '[:print:]'
}

# names DIR PATTERN: prints the matching files of DIR, sorted.
names() {
	find "$root$1" -mindepth 1 -maxdepth 1 -name "$2" 2>/dev/null | sort
}

# has_program NAME: does the system have it?
has_program() {
	if [ -z "$root" ]; then
		command -v "$1" >/dev/null
		return
	fi
	for _dir in /usr/sbin /usr/bin /sbin /bin; do
		[ ! -x "$root$_dir/$1" ] || return 0
	done
	return 1
}

# is_boot_own: is /boot a folder of this system? Below a root, a link may lead out of it.
is_boot_own() {
	[ -n "$root" ] && [ -h "$root/boot" ] || return 0
	case $(readlink -f "$root/boot") in
	"$root"/*) ;;
	*) return 1 ;;
	esac
}

# kernels_find: sets $kernels to the installed versions, one a line, as hook/image/kernels.c lists
# them. A kernel that another "make install" has renamed (vmlinuz-VERSION.old) does not count.
kernels_find() {
	kernels=$(
		set +f
		! is_boot_own || for _file in "$root"/boot/vmlinu[xz]-*; do
			[ -e "$_file" ] || [ -h "$_file" ] || continue
			_version=${_file##*/vmlinu[xz]-}
			case $_version in
			*.old) [ -d "$root/lib/modules/$_version" ] || continue ;;
			esac
			echo "$_version"
		done | sort -u
	)
}

# kernel_image VERSION: prints its initramfs in /boot, or nothing. The second name is that of dracut
# on other distributions; initramfs-tools never makes it.
kernel_image() {
	if [ -e "$root/boot/initrd.img-$1" ]; then
		echo "/boot/initrd.img-$1"
	elif [ -e "$root/boot/initramfs-$1.img" ] &&
		{ [ -e "$root/usr/bin/dracut" ] || [ ! -e "$root/usr/sbin/mkinitramfs" ]; }; then
		echo "/boot/initramfs-$1.img"
	fi
}

# entry_tokens_find: sets $entry_tokens to the prefixes of the names of our entries, one a line, by
# the rules of kernel-install(8); none if they are not known.
entry_tokens_find() {
	entry_tokens=''
	if [ -s "$root/etc/kernel/entry-token" ]; then
		read -r entry_tokens <"$root/etc/kernel/entry-token"
		return 0
	fi
	entry_tokens=$(
		{
			edited etc/kernel/install.conf 's/^MACHINE_ID=//p'
			edited etc/machine-info 's/^KERNEL_INSTALL_MACHINE_ID=//p'
			edited etc/machine-id '/^uninitialized$/!p'
			edited etc/os-release 's/^\(IMAGE_\)\{0,1\}ID=//p' | while read -r _id; do
				for _dir in /efi /boot /boot/efi; do
					[ ! -d "$root$_dir/${_id:-x}" ] || echo "$_id"
				done
			done
		} | sed "s/[\"']//g; /^\$/d" | sort -u
	)
}

# edited FILE SCRIPT: prints the output of sed with that script, if the file exists.
edited() {
	[ ! -e "$root/$1" ] || sed -n "$2" "$root/$1" 2>/dev/null
}

# lines_of FILE...: prints their "FILE:LINE:TEXT"; the names are relative to the root.
lines_of() (
	cd "$root/" 2>/dev/null && set +f || return
	# shellcheck disable=SC2068 # patterns
	grep -Hn '' $@ 2>/dev/null | sed 's|^|/|'
)

# lines_of_grub, lines_of_bls: print what is read from each loader's own files.
lines_of_grub() {
	lines_of boot/grub/grub.cfg boot/grub/grubenv
}

lines_of_bls() {
	for _dir in efi boot boot/efi; do
		[ -d "$root/$_dir/loader/entries" ] || continue
		lines_of "$_dir/loader/loader.conf" "$_dir/loader/entries/*.conf"
		find "$root/$_dir/loader/entries" -name '*.conf' -empty -printf "/$_dir/loader/entries/%f:1:\n"
		lines_of_uki "$_dir/EFI/Linux"
	done
}

# lines_of_uki FOLDER: prints unified kernel images as lines of entries: of their os-release what
# decides the order of the menu (src/boot/efi/boot.c, config_entry_add_unified()).
lines_of_uki() {
	find "$root/$1" -mindepth 1 -maxdepth 1 -type f -iname '*.efi' 2>/dev/null | sort | while read -r _file; do
		_name=${_file#"$root"}
		echo "$_name:1:uki $_name"
		LC_ALL=C grep -a -E '^(IMAGE_ID|ID|IMAGE_VERSION|VERSION|VERSION_ID|BUILD_ID)=' "$_file" 2>/dev/null |
			head -n 20 | tr -d '"\047\r' | NAME=$_name awk -F = '
			!($1 in value) { value[$1] = substr($0, length($1) + 2) }
			END {
				n = split("IMAGE_ID ID", ids, " ")
				for (i = n; i > 0; i--)
					if (value[ids[i]] != "") key = value[ids[i]]
				n = split("IMAGE_VERSION VERSION VERSION_ID BUILD_ID", ids, " ")
				for (i = n; i > 0; i--)
					if (value[ids[i]] != "") version = value[ids[i]]
				if (key != "") print ENVIRON["NAME"] ":1:sort-key " key
				if (version != "") print ENVIRON["NAME"] ":1:version " version
			}'
	done
}

# entries_read: sets $entries to the entries (entries.sh) of the loader's own files, if they can be
# read.
entries_read() {
	case $loader in
	grub) entries=$(lines_of_grub | entries_grub) ;;
	systemd-boot) entries=$(lines_of_bls | entries_bls) ;;
	proxmox)
		entries=$(printf '%s\n' "$esps" | while read -r _uuid _mode; do
			_lines=$(printf '%s\n' "$esp_lines" | grep -F "/$_uuid/") || continue
			case $_mode in
			GRUB | either)
				printf '%s\n' "$_lines" | grep -F "/$_uuid/grub/" | entries_grub
				;;
			esac
			case $_mode in
			systemd-boot | either)
				printf '%s\n' "$_lines" | grep -F "/$_uuid/loader/" | entries_bls
				;;
			esac
		done)
		;;
	*) entries='' ;;
	esac
}

# loader_proxmox: for proxmox-boot-tool. Each ESP has its own loader; a BIOS only reads GRUB.
loader_proxmox() {
	loader=proxmox
	loader_text=proxmox-boot-tool
	entry_tokens=proxmox
	esps_read
	if [ "$(firmware)" = bios ]; then
		targets=grub
		loader_text="$loader_text (GRUB, on BIOS)"
		return
	fi
	case $(efi_variable LoaderInfo),$(words "$(running)") in
	systemd-boot*,*BOOT_IMAGE=*)
		loader=other
		loader_text="systemd-boot, which starts GRUB: two loaders that contradict each other; fix: proxmox-boot-tool reinit"
		return
		;;
	esac
	_grub='' _systemd=''
	while read -r _uuid _mode; do
		case $_mode in
		GRUB) _grub=1 ;;
		systemd-boot) _systemd=1 ;;
		absent | nothing) ;;
		*) _grub=1 _systemd=1 ;;
		esac
	done <<-EOT
	$esps
	EOT
	if [ -z "$_grub$_systemd" ]; then
		loader_text="$loader_text (none of its ESPs can boot this machine)"
		return
	fi
	targets="${_grub:+grub} ${_systemd:+kernel}"
	loader_text="$loader_text ($(printf '%s\n' "$esps" |
		sed 's/ /: /; s/unknown$/cannot be looked at and so the files of both loaders are kept/
			s/either$/has both loaders and so the files of both are kept/' |
		paste -sd, | sed 's/,/, /g'))"
}

# loader_by_files: sets $_grub and $_systemd: are there files of each for this system?
loader_by_files() {
	_grub='' _systemd=''
	[ ! -e "$root/boot/grub/grub.cfg" ] || _grub=1
	_bls=$(lines_of_bls)
	[ -z "$_bls" ] || [ -z "$(entries_own "$(printf '%s\n' "$_bls" | entries_bls)")" ] || _systemd=1
}

# loader_chained: GRUB has booted this machine, and systemd-boot was started before it. If
# systemd-boot has only GRUB to start, GRUB is the loader.
loader_chained() {
	if [ -z "$_systemd" ] && lines_of_bls | grep -qi ':[0-9]*:efi[[:space:]].*grub'; then
		loader=grub
		return
	fi
	loader_text='systemd-boot and GRUB, one of which starts the other: it is not known which one boots this machine next; fix: remove one of them'
}

# loader_by_cmdline: uses the kernel command line if no loader has left more.
loader_by_cmdline() {
	case $(words "$(booted_with)"),$_grub,$_systemd in
	*BOOT_IMAGE=*,1,*) loader=grub ;;
	*BOOT_IMAGE=*) ;;
	*initrd=\\*)
		loader=stub
		loader_text="the firmware itself (EFI stub; see efibootmgr -v)"
		;;
	*,1,) loader=grub ;;
	*,,1) loader=systemd-boot ;;
	*,1,1) loader_text='GRUB or systemd-boot, both are there' ;;
	esac
}

# loader_find: sets $loader, $loader_text for people, $targets (the files that feed it; none if its
# command line cannot be changed here), $entries, for proxmox-boot-tool $esps; and for messages
# $again, what to type to refresh it, and $then_by_hand, what to type once that was done by hand.
loader_find() {
	loader=other loader_text='' targets='' esps='' esp_lines='' entries=''
	entry_one_shot=$(efi_variable LoaderEntryOneShot)
	entry_default=$(efi_variable LoaderEntryDefault)
	entry_last=$(efi_variable LoaderEntryLastBooted)
	entry_tokens_find
	loader_find_name
	case $loader in
	grub)
		targets=grub
		loader_text=${loader_text:-GRUB}
		;;
	systemd-boot)
		targets=kernel
		loader_text=systemd-boot
		;;
	*) loader_text=${loader_text:-'unknown boot loader'} ;;
	esac
	again="$me refresh" then_by_hand="; then: $me refresh --by-hand"
	[ "$loader" != proxmox ] || then_by_hand=''
	[ -z "$purge" ] || again=$(loader_program) then_by_hand=''
	entries_read
}

# loader_program: prints the loader's own command that refreshes it, or nothing.
loader_program() {
	case $loader in
	grub) echo update-grub ;;
	proxmox) echo proxmox-boot-tool refresh ;;
	systemd-boot) echo 'kernel-install add VERSION /boot/vmlinuz-VERSION, for each kernel' ;;
	esac
}

loader_find_name() {
	if [ -n "$(esp_uuids)" ]; then
		if has_program proxmox-boot-tool; then
			loader_proxmox
		else
			loader_text="proxmox-boot-tool, to which /etc/kernel/proxmox-boot-uuids belongs, is not installed"
		fi
		return
	fi
	_stub=$(efi_variable StubInfo)
	if [ -n "$_stub" ]; then
		loader=uki
		loader_text="a unified kernel image ($_stub), which has its command line inside"
		return
	fi
	loader_by_files
	_info=$(efi_variable LoaderInfo)
	case $_info in
	systemd-boot*)
		case $_grub,$(words "$(running)") in
		1,*BOOT_IMAGE=*) loader_chained ;;
		*) loader=systemd-boot ;;
		esac
		;;
	GRUB*) loader=grub ;;
	'') loader_by_cmdline ;;
	*) loader_text="boot loader $_info" ;;
	esac
}
